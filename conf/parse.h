/* parse.h - text of a unit file or of coppice.conf to assignments and findings; pure. */
#ifndef CONF_PARSE_H
#define CONF_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/findings.h"
#include "conf/kit/arena.h"
#include "conf/settings.h"

/* One line that was understood. Texts live in the arena. */
struct assignment {
	const char *file, *value;
	const char *name;  /* as written: an alias, or one of many names that a row stands for */
	uint32_t line;
	uint32_t block;    /* counts sections, so that two [Network] can be told apart */
	uint16_t setting;  /* never an alias */
};

struct parsed {
	struct arena *arena;
	struct findings *findings;
	const struct setting_index *index;
	bool house;            /* coppice.conf, not a unit */
	enum unit_kind kind;
	struct assignment *said;
	uint32_t n, room, blocks;
	/* What stands before this index was reset by an empty value; 0 where nothing was. By the lowest index of a group. */
	uint32_t reset_at[MAX_SETTINGS];
	const char *file;      /* being read */
	int section;           /* -1: being skipped */
};

/* Forgets everything said; arena, findings, index and what is read stay. */
void parse_begin(struct parsed *p);

/* Adds the assignments of one file, which is called `file` in findings. 0 or -ENOMEM. */
int parse_text(struct parsed *p, const char *data, size_t n, const char *file);

/* Was said, and is no reset, and was not reset later. */
bool parse_counts(const struct parsed *p, uint32_t i);

#endif
