/*
 * compile.h - from assignments to the table: units one by one, then what they
 * say of each other, then one flat image; pure.
 *
 * Order of use: compile_open, the house's assignments into house_said and
 * compile_house, then for each unit draft_add, parse_text and compile_unit, then
 * link_units and pack_table, compile_close.
 */
#ifndef CONF_COMPILE_H
#define CONF_COMPILE_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/build.h"
#include "conf/kinds.h"
#include "conf/oci.h"
#include "conf/parse.h"
#include "conf/settings.h"
#include "conf/unit.h"

/* A unit in the making. */
struct draft {
	struct unit u;
	const char *name;      /* "db", as in the table */
	const char *full;      /* "db.service" */
	const char *file;      /* what findings call its file: "db.service" */
	const char *path;      /* of that file */
	const char *fault;     /* its first error, with file and line, or NULL */
	uint32_t slot;         /* where the index has it */
	const char *image;     /* Image=, until it is clear whether a .image file says more */
	struct assignment *said; /* what counts */
	uint32_t n_said;
	uint32_t image_line;
	enum unit_kind kind;
	enum unit_load load;
	bool wanted;           /* somebody's WantedBy= or RequiredBy= is in its file */
	bool triggered;        /* somebody's OnFailure= or OnSuccess= names it */
	bool commanded;        /* Entrypoint=, Exec= or its image say what to run */
	bool is_app;           /* the single app: `oci` speaks of the container's own root */
	const struct oci *oci; /* what its image, or that root, says of itself; NULL: nothing */
};

/* One unit names another; `bits` as in kinds.h. */
struct mention {
	const char *name, *file;
	uint32_t from, bits, line;
	uint16_t setting;
};

#define N_RULED 15u
#define N_IMPLIED 25u

struct compiler {
	struct arena arena;
	struct build build;
	struct findings *findings;
	struct setting_index index;
	uint16_t ruled[N_RULED];       /* settings that rules.c speaks of */
	uint16_t implied[N_IMPLIED];   /* settings that implied.c speaks of */
	/* What the config of that image says, or NULL where there is none; *fault where it is no good. Finds it once. */
	const struct oci *(*image_says)(void *self, const char *image, const char **fault);
	void *image_self;
	const char *const *app_args;   /* in place of the single app's Cmd, where there are any */
	uint32_t n_app_args;
	struct parsed parsed;          /* of the unit at hand */
	struct host host;              /* asked only by what mentions it */
	struct unit preset;            /* a unit that says nothing */
	struct house house;
	struct assignment *house_said, *defaults; /* defaults: Default<Name>=, as if said for that name */
	uint32_t n_house_said, n_defaults;
	struct draft *drafts;
	uint32_t n_drafts, draft_room, max_units;
	uint32_t *slots, n_slots;      /* drafts by name: index + 1 */
	struct mention *mentions;
	uint32_t n_mentions, mention_room;
	uint32_t here;                 /* draft being compiled */
	const struct assignment *now;  /* assignment being read */
};

/* 0 or -ENOMEM; in both cases compile_close() is due. `max_units` is at most MAX_UNITS. */
int compile_open(struct compiler *c, struct findings *fs, uint32_t max_units);
/* Room for `n` drafts at once, where that many are expected. 0 or -ENOMEM. */
int compile_expect(struct compiler *c, uint32_t n);
void compile_close(struct compiler *c);

/* What coppice.conf said, from c->parsed: fills house, defaults and preset. 0 or -ENOMEM. */
int compile_house(struct compiler *c);

/* A new draft; its texts are not copied. NO_UNIT where there are max_units already, or memory is short (arena.dry). */
uint32_t draft_add(struct compiler *c, const char *name, const char *full, enum unit_kind kind, const char *file, const char *path);
/* The draft of that name, or NO_UNIT. */
uint32_t draft_find(const struct compiler *c, const char *name);
/* Marks it bad, with the first error since findings_mark(), if there was one. */
void draft_blame(struct compiler *c, struct draft *d);

/* Reads one assignment with a reader that knows where to; a failure becomes a finding. */
void read_one(struct compiler *c, struct reading *r, const struct assignment *a);
/* Reads a preset, which may hold several lines where the setting is a list. */
void read_preset(struct compiler *c, struct reading *r, uint32_t setting);

/* Reads what c->parsed has into draft `i`. */
int compile_unit(struct compiler *c, uint32_t i);

/* Sorts the drafts, turns mentions into edges, finds cycles, ranks, triggers, roots and images (conf/link.c). 0 or -ENOMEM. */
int link_units(struct compiler *c);

/* The finished table in one piece of the arena (conf/pack.c). 0, -ENOMEM, or -E2BIG. */
int pack_table(struct compiler *c, void **ret, size_t *ret_size);

#endif
