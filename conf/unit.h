/*
 * unit.h - units as PID 1 sees them: one flat, checked table without pointers.
 *
 * A loader child reads the unit files and writes the table into a memfd; PID 1
 * seals it, maps it read-only and lets table_verify() look at every index once.
 * After that, whoever holds the mapping may follow any index without checking.
 *
 *   struct table | struct unit[n_units] | words | text
 *
 * Hot things stand first; origins (who said what in which line) and messages
 * stand last in their areas, so that pages nobody reads are never touched.
 */
#ifndef CONF_UNIT_H
#define CONF_UNIT_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/kit/time.h"

/* A NUL-terminated text: its offset in the text area. 0 is "". */
typedef uint32_t text_at;

/* A list: the index of its count in the word area; the items follow. 0 is the empty list. */
typedef uint32_t list_at;

/* A unit by its place in the table. */
typedef uint32_t unit_ix;
#define NO_UNIT UINT32_MAX

#define TABLE_MAGIC    0x63707063u /* "cppc" */
#define TABLE_VERSION  1u
#define MAX_UNITS      65536u      /* --max-units may not exceed it */
#define DEFAULT_UNITS  1024u       /* --max-units */
#define MAX_UNIT_NAME  255u        /* bytes, systemd.unit(5) */
#define MAX_UNIT_FILE  (4u << 20)  /* bytes in one unit file */
#define ONLINE_TARGET  "network-online.target" /* a unit as soon as one leans on it; PID 1 knows when it is reached */
#define MAX_LINE       (1u << 20)  /* bytes in one logical line, systemd.syntax(7) */

enum unit_kind { UNIT_SERVICE, UNIT_TARGET, UNIT_IMAGE, UNIT_VOLUME, UNIT_TIMER, UNIT_SOCKET, N_UNIT_KINDS };

/* BAD: the file has errors; `fault` says which; the unit never starts. MASKED: a link to /dev/null. */
enum unit_load { LOAD_OK, LOAD_BAD, LOAD_MASKED, N_LOADS };

enum svc_type { TYPE_EXEC, TYPE_SIMPLE, TYPE_ONESHOT, TYPE_NOTIFY, TYPE_FORKING, TYPE_CHECK, N_TYPES };

enum restart { RESTART_NO, RESTART_ALWAYS, RESTART_ON_SUCCESS, RESTART_ON_FAILURE, RESTART_ON_ABNORMAL,
	       RESTART_ON_ABORT, RESTART_ON_WATCHDOG, N_RESTARTS };

enum kill_mode { KILL_GROUP, KILL_MIXED, KILL_PROCESS, N_KILL_MODES };

enum notify_access { NOTIFY_NONE, NOTIFY_MAIN, NOTIFY_EXEC, NOTIFY_ALL, N_NOTIFY_ACCESSES };

enum overlay { OVERLAY_EPHEMERAL, OVERLAY_PERSISTENT, OVERLAY_NONE, N_OVERLAYS };

enum root_mode { ROOT_AUTO, ROOT_PIVOT, ROOT_CHROOT, N_ROOT_MODES };

enum health_kind { HEALTH_NONE, HEALTH_CMD, HEALTH_TCP, HEALTH_LISTEN, HEALTH_HTTP, HEALTH_UNIX, HEALTH_FILE, N_HEALTH_KINDS };

enum on_sick { SICK_NONE, SICK_KILL, SICK_RESTART, SICK_STOP, N_ON_SICKS };

enum output { OUT_LOG, OUT_NULL, OUT_INHERIT, OUT_FILE, OUT_APPEND, OUT_TRUNCATE, N_OUTPUTS }; /* from OUT_FILE on they name a file */

/* How one unit leans on another; bits in an edge. Edges come in pairs: in needs[] and, turned round, in serves[]. */
enum edge {
	EDGE_AFTER    = 1u << 0, /* order only: start after it, stop before it */
	EDGE_WANTS    = 1u << 1, /* start it too; wait until it is ready or has failed for good */
	EDGE_REQUIRES = 1u << 2, /* start it too; wait until it is ready, however long */
	EDGE_BINDS    = 1u << 3, /* REQUIRES, and stop while it is not ready */
	EDGE_PART_OF  = 1u << 4, /* a stop or restart of it, by hand, is one of ours too */
	EDGE_CONFLICTS = 1u << 5,
	EDGE_REQUISITE = 1u << 6, /* fail at once unless it is ready already */
};
#define EDGE_BITS 8u
#define EDGE(unit, bits) ((unit_ix)(unit) << EDGE_BITS | (bits))
#define EDGE_UNIT(e)     ((e) >> EDGE_BITS)
#define EDGE_KIND(e)     ((e) & ((1u << EDGE_BITS) - 1))

/* A command line, in the word area: flags, line, argc, then argc texts (argv[0] is what runs). */
enum cmd_flag {
	CMD_IGNORE  = 1u << 0, /* '-': its failure counts as success */
	CMD_VERBATIM = 1u << 1, /* ':': no $VARIABLES */
	CMD_FULL    = 1u << 2, /* '+': as root with every capability that units may have */
	CMD_ARGV0   = 1u << 3, /* '@': the text after argv[0] is handed over as argv[0] */
};
struct command {
	uint32_t flags, line, argc;
	text_at argv[]; /* raw: $VARIABLES not yet expanded */
};

/* A mount that the unit asks for, in the word area. Order is the order of the file. */
enum mount_kind { MOUNT_BIND, MOUNT_VOLUME, MOUNT_TMPFS, N_MOUNT_KINDS };
enum mount_flag {
	MOUNT_RO       = 1u << 0,
	MOUNT_OPTIONAL = 1u << 1, /* '-': no source, no mount */
	MOUNT_RBIND    = 1u << 2,
	MOUNT_NOCOPY   = 1u << 3, /* a new volume stays empty */
	MOUNT_CHOWN    = 1u << 4, /* Podman's :U, the unit's user owns a volume */
	MOUNT_NOEXEC   = 1u << 5,
	MOUNT_IMPLIED  = 1u << 6, /* the image asks for it, not the unit: where nothing can be mounted, it goes without */
};
struct unit_mount {
	uint32_t kind, flags, line;
	text_at source;  /* path on the container's side, or a volume's name */
	text_at target;  /* absolute path inside the unit's root */
	text_at options; /* tmpfs: mount options */
};

/* A resource limit, in the word area: RLIMIT_*, then soft and hard, low word first; ~0 is infinity. */
struct unit_limit { uint32_t resource, soft[2], hard[2]; };

/* Which exits count, in the word area (a list of exactly 10 words): 8 of exit codes, 2 of signals 1-64. */
#define STATUS_WORDS 10u

/* Where a setting came from: kept for `show` and for messages that name file and line. */
struct origin {
	uint32_t setting; /* index in settings[] (conf/settings.h) */
	text_at file;     /* "db.service", or the drop-in's path */
	uint32_t line;    /* 1.. */
	text_at value;    /* as written, specifiers resolved */
};

/*
 * Capabilities that no unit holds unless it names them: SYS_MODULE, SYS_RAWIO, SYS_CHROOT,
 * SYS_PTRACE, SYS_ADMIN, MKNOD (linux/capability.h; the numbers are ABI).
 */
#define CAPS_NEVER_IMPLIED (UINT64_C(0xf) << 16 | UINT64_C(1) << 21 | UINT64_C(1) << 27)

struct unit {
	msec_t restart_sec, restart_max_delay, start_limit_interval;
	msec_t timeout_start, timeout_stop, runtime_max, watchdog;
	msec_t health_interval, health_timeout, health_start_period, health_startup_interval;
	uint64_t bounding;     /* capabilities it may ever hold, bit n is capability n */
	uint64_t ambient;
	/* text */
	text_at name;          /* "db" for db.service and db.container, else with its suffix */
	text_at description;   /* never "": the name where nothing was said */
	text_at file;          /* path of the file that defines it */
	text_at fault;         /* LOAD_BAD: one message with file, line and remedy */
	text_at image, root_directory;
	text_at user, group;   /* names or numbers, looked up inside the image */
	text_at workdir;       /* "" is the image's; "~" is home */
	text_at pid_file;
	text_at health_text;   /* shown command, address, URL, path */
	text_at health_host, health_path; /* HEALTH_HTTP: host header and path; TCP: address; UNIX, FILE: path */
	text_at health_display, health_success, health_failure;
	text_at output_file, error_file;
	/* lists: items are texts unless said */
	list_at needs, serves; /* of edges, ascending */
	list_at pre, start, post, reload, stop, stop_post, condition; /* of commands: word indices of struct command */
	list_at health_cmd;    /* of one command */
	list_at env;           /* "NAME=value", later wins */
	list_at env_files;     /* paths, a leading '-' means optional */
	list_at pass_env;      /* names taken from PID 1's environment */
	list_at image_env;     /* what its image says, "NAME=value" whatever the name: anybody else's word outdoes it */
	list_at makes;         /* paths inside its root: directories that are made where they are missing */
	list_at groups;        /* supplementary, names or numbers */
	list_at mounts;        /* word indices of struct unit_mount */
	list_at layers;        /* ExtraLayers=, image names or paths, lowest first */
	list_at limits;        /* word indices of struct unit_limit */
	list_at success, prevent, force; /* 0, or STATUS_WORDS words */
	list_at on_failure, on_success;  /* unit indices */
	list_at origins;       /* word indices of struct origin */
	/* small numbers */
	unit_ix root_from;     /* NO_UNIT, or whose root it shares */
	uint32_t rank;         /* dependency depth: 0 needs nobody */
	uint32_t start_limit_burst; /* 0: no limit */
	uint32_t restart_steps;
	uint32_t health_retries;
	uint32_t health_status[2]; /* HTTP codes from..to that are success */
	uint32_t health_port;
	int32_t nice, oom_score, stop_priority;
	uint32_t umask;
	uint32_t log_ring;     /* bytes of output kept in memory */
	uint8_t kind, load, type, restart, kill_mode, notify_access, overlay, root_mode;
	uint8_t health_kind, on_sick, out, err;
	uint8_t kill_signal, final_signal, restart_signal, watchdog_signal, reload_signal;
	bool remain, critical, autostart, no_new_privs, ignore_sigpipe, send_sigkill, send_sighup, shared_run, nice_set, oom_set;
};

enum exit_policy { EXIT_NEVER, EXIT_ALL, EXIT_ANY, EXIT_ANY_FAILURE, N_EXIT_POLICIES };

/* What a signal to PID 1 is turned into; SIG_DEFAULT leaves it to the table in init/signals.c. */
enum wish { WISH_DEFAULT, WISH_EXIT, WISH_POWEROFF, WISH_HALT, WISH_REBOOT, WISH_RELOAD, WISH_DUMP,
	    WISH_REOPEN, WISH_IGNORE, WISH_FORWARD, WISH_HALT_NOW, WISH_POWEROFF_NOW, WISH_REBOOT_NOW, N_WISHES };

/* Supervise=: what becomes of the single app. AUTO: EXEC for an init, else RESTART. */
enum supervise { SUPERVISE_AUTO, SUPERVISE_RESTART, SUPERVISE_ONCE, SUPERVISE_EXEC, N_SUPERVISES };

enum log_format { LOG_TEXT, LOG_JSON, N_LOG_FORMATS };

/* coppice.conf, compiled. */
struct house {
	msec_t shutdown_timeout; /* 0: auto, by the container manager */
	list_at image_paths;     /* texts */
	text_at volume_path;
	text_at control_group;
	text_at host_socket;
	list_at default_env;     /* texts */
	text_at hostname;
	list_at tmpfs, mounts;   /* texts, as written */
	text_at env_file, prelaunch, realinit;
	list_at sysctls;         /* texts "key=value", in order */
	list_at networks;        /* of lists of texts "Key=value" */
	list_at origins;
	uint8_t exit_policy, log_format, write_hosts; /* write_hosts: 0 missing, 1 yes, 2 no */
	uint8_t supervise;       /* enum supervise; as said, or AUTO settled where there is a single app */
	uint8_t app_signal;      /* what asks the single app to stop, and so may be sent to us for that; 0: there is no single app */
	uint8_t on_signal[65];   /* enum wish */
};

struct table {
	uint32_t magic, version, total, crc; /* total: bytes in all; crc: of all after this word, made by the loader */
	uint32_t n_units, units_at, words_at, n_words, texts_at, n_text; /* *_at: bytes from the start */
	uint32_t findings, warnings; /* how many the loader told */
	uint32_t spare[2];
	struct house house;
};

/* What is behind an index. Valid as long as the mapping; never NULL for a verified table. */
static inline const struct unit *table_unit(const struct table *t, unit_ix i)
{
	return (const struct unit *)(const void *)((const char *)t + t->units_at) + i;
}

static inline const uint32_t *table_words(const struct table *t, uint32_t at)
{
	return (const uint32_t *)(const void *)((const char *)t + t->words_at) + at;
}

static inline const char *table_text(const struct table *t, text_at at)
{
	return (const char *)t + t->texts_at + at;
}

static inline uint32_t list_count(const struct table *t, list_at at)
{
	return *table_words(t, at); /* word 0 is 0, so list 0 is empty */
}

static inline uint32_t list_item(const struct table *t, list_at at, uint32_t i)
{
	return table_words(t, at + 1)[i];
}

/* It has a root of its own, and so a mount namespace: an image, a directory, mounts, or another unit's. */
static inline bool unit_rooted(const struct unit *u)
{
	return u->image || u->root_directory || u->root_from != NO_UNIT || u->mounts;
}

/*
 * Looks at every index of a table that somebody else wrote: sizes, areas,
 * lists, texts, enums, edges that point both ways. Returns NULL when all of it
 * may be followed blindly, else what is wrong. `size` is the mapping's size in
 * bytes. Trusts nothing; allocates nothing; O(size).
 */
const char *table_verify(const struct table *t, uint64_t size);

/* The unit of that name ("db", "db.service", "db.container" are one); NO_UNIT where there is none. O(log n): units are sorted by name. */
unit_ix table_find(const struct table *t, const char *name);

#endif
