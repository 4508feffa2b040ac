/* goal.h - has what was asked for come true, can it still; pure. */
#ifndef INIT_CONTROL_GOAL_H
#define INIT_CONTROL_GOAL_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/unit.h"
#include "supervise/record.h"

enum goal_kind {
	GOAL_NONE,    /* PID 1's answer is all */
	GOAL_UP,      /* start: up, or done, or failed trying */
	GOAL_UP_AGAIN, /* restart: the same, after it has been down */
	GOAL_DOWN,    /* stop */
	GOAL_RELOADED,
	GOAL_READY,   /* wait --for=ready: whoever starts it */
	GOAL_STOPPED, /* wait --for=stopped */
	GOAL_EXEC,
	N_GOALS
};

enum goal_end { GOAL_OPEN, GOAL_MET, GOAL_LOST };

struct goal {
	enum goal_kind kind;
	uint64_t seq;  /* news up to here was old when it began */
	bool moved;    /* there was news of the unit since */
	bool down;     /* ... that showed it not up */
	bool tried;    /* ... that showed it on its way up */
};

/* One look at a unit: from a piece of news, or from its record. */
struct sight {
	uint8_t face;  /* enum face */
	bool ready;
	bool reloading;
	bool last;     /* the record: nothing is newer than this */
	bool wanted;   /* only where `last` */
	uint32_t why;  /* enum why_code */
	int32_t command; /* how the last control command ended; only where `last` */
};

/* Looks at the next sight of the unit; *g remembers. LOST: it can not become true any more, for the reason in the sight. */
enum goal_end goal_look(struct goal *g, const struct sight *s);

/*
 * A unit that waits for others will wait for ever, as far as anybody can see now:
 * the one at the end of that chain has failed, was stopped or was never started.
 * Returns which one, NO_UNIT where there is hope. `face` yields a unit's face and,
 * in *why, what its record says.
 */
unit_ix goal_blocked(const struct table *t, unit_ix i, enum face (*face)(const void *self, unit_ix i, struct why *why),
		     const void *self);

#endif
