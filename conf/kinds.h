/*
 * kinds.h - kinds of value: how each is read, shown, and spelt; pure.
 *
 * A kind reads one value into the member that the setting names. What it cannot
 * read it explains in reading.why, as the rest of a sentence that begins with
 * the setting's name.
 */
#ifndef CONF_KINDS_H
#define CONF_KINDS_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/build.h"
#include "conf/kit/arena.h"
#include "conf/kit/text.h"
#include "conf/settings.h"
#include "conf/unit.h"

/* Who knows this machine: the text for H, m, b or v of systemd.unit(5), "Specifiers", or NULL where it has none. */
struct host {
	const char *(*says)(void *self, char what);
	void *self;
};

/* What %x stands for; NULL texts are not known, and using them is an error. */
struct specifiers {
	const char *full, *plain;       /* %n db@1.service, %N db@1 */
	const char *prefix, *instance;  /* %p db, %i 1 */
	const char *file;               /* %y, %Y */
	const struct host *host;        /* %H %l %m %b %v */
};

/* Words of Entrypoint= or of Exec=, which make one command together (conf/entry.c). */
struct entry_part {
	const char *const *at;
	uint32_t n, line;
	const char *file, *name; /* who said it, for findings; file NULL: nobody */
	bool plain;              /* words as they are: no $VARIABLES */
};
struct entry { struct entry_part program, args; };

struct reading {
	struct build *b;
	struct arena *arena;
	void *into;                    /* struct unit or struct house */
	const struct setting *setting; /* never an alias */
	const char *name;              /* as written: "OnSIGHUP" for "On*" */
	const struct specifiers *specifiers;
	const char *file;
	uint32_t line;
	struct text why;               /* set when a read fails */
	/* what one setting of a unit must tell another */
	uint64_t *caps_added;          /* AddCapability=, added last of all */
	uint32_t *caps_said;           /* bit 0: CapabilityBoundingSet= was given, bit 1: AmbientCapabilities= */
	struct entry *entry;           /* NULL: Entrypoint= and Exec= are read, and forgotten */
	void *self;                    /* for `refer` */
	/* The unit mentions another: bits is an enum edge, turned round, a trigger or a root; see compile.c. False only for want of memory. */
	bool (*refer)(struct reading *r, const char *name, uint32_t bits);
};

/* Beyond enum edge, what a unit may mention another for. */
enum mention_bit {
	MENTION_REVERSED = 1u << 8, /* the other one has the edge: Before=, WantedBy= */
	MENTION_FAILURE  = 1u << 9, MENTION_SUCCESS = 1u << 10, /* OnFailure=, OnSuccess= */
	MENTION_ROOT     = 1u << 11, /* RootFrom= */
	MENTION_INSTALL  = 1u << 12, /* WantedBy=, RequiredBy= */
};

struct kind {
	const char *word;   /* "span" */
	const char *syntax; /* for the manual: "time span" */
	/* Reads `value`, blanks around it taken off; true, or false with r->why. */
	bool (*read)(struct reading *r, const char *value);
	/* Prints the member's value so that `read` takes it; NULL for lists, which are shown as written. */
	void (*print)(struct text *out, const struct table *t, const void *base, const struct setting *s);
};

/* kinds.c */
extern const struct kind kind_text, kind_name, kind_path, kind_root, kind_user, kind_workdir, kind_bool,
	kind_word, kind_span, kind_timeout, kind_timeouts, kind_whole, kind_count, kind_mode, kind_signal,
	kind_output, kind_null, kind_none;
/* command.c */
extern const struct kind kind_command, kind_health_cmd, kind_env, kind_env_files, kind_names,
	kind_layers, kind_paths;
/* entry.c */
extern const struct kind kind_entrypoint, kind_args;
/* sets.c */
extern const struct kind kind_units, kind_status, kind_bounding, kind_ambient, kind_cap_add,
	kind_cap_drop, kind_limit, kind_ulimit;
/* places.c */
extern const struct kind kind_volume, kind_tmpfs, kind_temporary, kind_binds;
/* health.c */
extern const struct kind kind_health_tcp, kind_health_listen, kind_health_http, kind_health_unix,
	kind_health_file, kind_codes;
/* house.c */
extern const struct kind kind_lines, kind_sysctl, kind_on_signal, kind_network, kind_house_timeout,
	kind_optional_path, kind_net_bool, kind_net_span, kind_net_number;

/* The member that the setting writes. */
#define FIELD(r, type) ((type *)(void *)((char *)(r)->into + (r)->setting->at))

/* r->why becomes "value" and the words; always false. */
bool refuse(struct reading *r, const char *value, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts `value` with its %x replaced; NULL where one is unknown (r->why) or memory is short. Valid as long as the arena. */
const char *resolve(struct reading *r, const char *value);

/* A buffer for words of `value`, each NUL-terminated; its `at` is NULL for want of memory. */
struct text word_buffer(struct reading *r, const char *value);
/* The next word; as text_word(), but errors are put into r->why: 1, 0 or -1. */
int next_word(struct reading *r, const char **at, struct text *word, const char *value);

/* Absolute, without "..", not longer than PATH_MAX; else r->why. */
bool check_path(struct reading *r, const char *path);

/* An absolute path or a bare name, and no directory; else r->why, about `value`. */
bool check_program(struct reading *r, const char *program, const char *value);

/* Appends a command of these words to the list member that lies `at` bytes into the unit. */
void command_put(struct build *b, size_t at, uint32_t flags, uint32_t line, const char *const *words, uint32_t n);

/* "NAME" of a unit, as the table has it: without .service or .container; r->why where it is none. Valid as long as the arena. */
const char *unit_name(struct reading *r, const char *name);

/* The unit gets this health check, shown as `shown`; false and r->why where it has another. */
bool health_begin(struct reading *r, enum health_kind kind, const char *shown);

/* Names of units are letters, digits and :-_.\@ (systemd.unit(5)). */
bool is_unit_name(const char *s);

#endif
