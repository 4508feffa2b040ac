/*
 * record.h - everything PID 1 knows, in fixed-size records in one shared memfd.
 *
 * PID 1 alone writes; the desk maps it read-only. Each record lies there twice
 * with a sequence number and a CRC: a commit writes the older copy, so a reader
 * (or PID 1 itself after a crash) always finds one whole copy. Indices only, no
 * pointers, no text a unit could have chosen.
 *
 *   struct state | struct news[NEWS] | struct slot[n_units]
 */
#ifndef SUPERVISE_RECORD_H
#define SUPERVISE_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "conf/kit/time.h"
#include "conf/unit.h"

/* What everybody is shown; `state` in the socket's status. Order is the order of INTERFACE. */
enum face { FACE_INACTIVE, FACE_WAITING, FACE_STARTING, FACE_READY, FACE_RUNNING, FACE_UNHEALTHY,
	    FACE_STOPPING, FACE_BACKOFF, FACE_FAILED, FACE_DONE, N_FACES };

enum health { HEALTH_UNKNOWN, HEALTH_DISABLED, HEALTH_STARTING, HEALTH_LOADING, HEALTH_WAITING,
	      HEALTH_SUCCESS, HEALTH_FAILURE, N_HEALTHS };

/* Why a unit is where it is: a code and two numbers; the words are made by why_text(). */
enum why_code {
	WHY_NONE,
	WHY_BAD_FILE,      /* its file has errors: unit.fault */
	WHY_MASKED,
	WHY_NOT_STARTED,   /* nobody asked for it */
	WHY_BY_HAND,       /* stopped on request */
	WHY_SHUTDOWN,
	WHY_NEEDS,         /* a: unit waited for; b: its enum face */
	WHY_ORDER,         /* a: unit that must come to rest first (After=, or it still stops) */
	WHY_BOUND,         /* a: unit whose loss stops this one (BindsTo=) */
	WHY_REQUISITE,     /* a: unit that had to be ready already */
	WHY_CONFLICT,      /* a: unit whose start stops this one */
	WHY_SETUP,         /* a: enum step that failed; b: errno */
	WHY_EXIT,          /* a: exit code */
	WHY_SIGNAL,        /* a: signal; b: 1 with a core dump */
	WHY_START_TIMEOUT, WHY_STOP_TIMEOUT, WHY_RUNTIME_MAX, WHY_WATCHDOG,
	WHY_COMMAND,       /* a: enum phase whose command failed; b: exit code, or -signal */
	WHY_CONDITION,     /* ExecCondition= said no */
	WHY_SICK,          /* a: failed checks in a row; b: detail of the last (health/probe.h, or exit code) */
	WHY_START_LIMIT,   /* a: burst; b: interval in ms */
	WHY_FORK,          /* b: errno; tried again at `next` */
	WHY_NO_READY,      /* it ended before it said it was ready */
	WHY_UNKILLABLE,    /* SIGKILL was sent and it is still there */
	WHY_NO_PIDFILE,
	WHY_NETWORK,       /* network-online.target: no default route yet */
	N_WHYS
};
struct why { uint32_t code; int32_t a, b; };

/* What of a unit is running now; also the order in which commands run. */
enum phase { PHASE_NONE, PHASE_CONDITION, PHASE_PRE, PHASE_MAIN, PHASE_POST, PHASE_RELOAD, PHASE_STOP, PHASE_STOP_POST,
	     PHASE_HEALTH, PHASE_EXEC, PHASE_PIDFILE, N_PHASES };

/* One unit. Times are moments on CLOCK_BOOTTIME, 0 where it has not happened. */
struct record {
	uint8_t state;         /* enum svc_state (supervise/state.h) */
	uint8_t face;          /* enum face */
	uint8_t health;        /* enum health */
	uint8_t phase;         /* whose command `control` is */
	uint8_t wanted;        /* 1: somebody wants it up */
	uint8_t ready;
	uint8_t intent;        /* a start is under way whose pid is not yet known (the journal) */
	uint8_t exit_kind;     /* how main ended last: 0 never, 1 exited, 2 killed, 3 dumped core */
	int32_t main, control; /* pids, 0 where none */
	int32_t exit_value;    /* code or signal */
	uint32_t restarts;     /* automatic ones since it was last started by hand */
	uint32_t run_no;       /* counts starts of main; generation against late news */
	uint32_t failures;     /* failed health checks in a row */
	struct why why;
	uint32_t step;         /* index of the command of this phase */
	int32_t exit_code_last; /* of the last control command, or -signal */
	msec_t since;          /* when `face` was taken on */
	msec_t started, ready_at, ended;
	msec_t next;           /* when it is tried again (backoff) */
	int32_t detail;        /* of the last health check */
	uint32_t spare;
};

struct copy { uint32_t seq, crc; struct record r; };
struct slot { struct copy two[2]; };

/* A piece of news: a ring that the desk reads at its own pace. seq counts from 1 and tells what was lost. */
#define NEWS 4096u
struct news {
	uint64_t seq;
	msec_t at;
	uint32_t unit;
	uint8_t state, face, health, ready;
	struct why why;
	int32_t main;
};

#define STATE_MAGIC 0x63707374u /* "cpst" */

struct state {
	uint32_t magic, version, n_units, total;
	uint64_t news;         /* seq of the newest; written after the news itself */
	msec_t booted;         /* when PID 1 started */
	msec_t boot_ready;     /* when every wanted unit was ready or at rest the first time; 0 not yet */
	int64_t wall;          /* CLOCK_REALTIME - CLOCK_BOOTTIME at boot, ms */
	int32_t pid;           /* of PID 1 as it sees itself */
	uint32_t generation;   /* re-executions */
	uint8_t shutdown;      /* enum how, 0 while running */
	uint8_t quiet;         /* every wanted unit is at rest or ready */
	uint8_t rung;          /* which mounts are allowed: enum rung (mount/root.h) */
	uint8_t container;     /* enum container (init/container.h): whose container this is */
	uint32_t strangers;    /* children reaped that belonged to no unit */
	uint32_t helpers[20];  /* pids, by place in struct manager: desk, probe, loader, networks */
	uint32_t helper_restarts;
	uint32_t boot_steps[32]; /* enum step result << 16 | errno, by index in the table of boot steps */
};

/* What the desk and PID 1 share. */
struct records {
	struct state *state;
	struct news *news;
	struct slot *slots;
	uint32_t n;
	int fd;
};

/*
 * Makes the memfd for `n` units, zeroed, and maps it for writing. 0 or -errno.
 */
int records_create(struct records *ret, uint32_t n);
/* Maps an existing one, read-only or for writing. 0, -errno, or -EBADMSG where it is not ours. */
int records_map(struct records *ret, int fd, bool writable);
/* Writes the older copy of slot `i` and makes it the newer. Never fails. */
void records_commit(struct records *rs, uint32_t i, const struct record *r);
/* Reads the newest whole copy; -EBADMSG where neither copy is whole (then *ret is zeroed). */
int records_read(const struct records *rs, uint32_t i, struct record *ret);
/* Appends to the ring of news. */
void records_tell(struct records *rs, const struct news *n);
/* The next piece of news after `seq`; 0 none yet, 1 got one, -1 some were lost: *seq was moved to the oldest still there. */
int records_news(const struct records *rs, uint64_t *seq, struct news *ret);

#endif
