/* goal.c - a goal looked at against one sight of a unit after another; pure. */
#include "init/control/goal.h"

/* Faces by what they mean to one who waits. */
enum { UPWARD = 1u << 0, IS_UP = 1u << 1, ENDED = 1u << 2, BAD = 1u << 3 };
static const uint8_t means[N_FACES] = {
	[FACE_INACTIVE] = ENDED,
	[FACE_WAITING] = UPWARD,
	[FACE_STARTING] = UPWARD,
	[FACE_READY] = IS_UP,
	[FACE_RUNNING] = IS_UP,
	[FACE_UNHEALTHY] = BAD,
	[FACE_STOPPING] = 0,
	[FACE_BACKOFF] = BAD,
	[FACE_FAILED] = ENDED | BAD,
	[FACE_DONE] = ENDED,
};

static enum goal_end look_up(const struct goal *g, const struct sight *s, uint8_t is)
{
	bool again = g->kind == GOAL_UP_AGAIN;

	/* What a restart was asked of is up until the news that it goes. */
	if (again && !g->down)
		return GOAL_OPEN;
	if (is & IS_UP || (s->face == FACE_DONE && g->moved && (!again || g->tried)))
		return GOAL_MET;
	if (s->last && s->face == FACE_UNHEALTHY)
		return GOAL_LOST;
	/* Old news of an old end: it has not begun yet. A restart goes down first, and that may look like an end. */
	if (!g->moved || (again && !g->tried && !(s->last && !s->wanted)))
		return GOAL_OPEN;
	if (s->face == FACE_INACTIVE && s->why == WHY_CONDITION)
		return GOAL_MET;
	return is & (ENDED | BAD) ? GOAL_LOST : GOAL_OPEN;
}

static enum goal_end look_down(const struct sight *s, uint8_t is)
{
	if (s->why == WHY_UNKILLABLE)
		return GOAL_LOST;
	/* Done and still wanted: PID 1 has not come to it yet. */
	return is & ENDED && s->last && !(s->face == FACE_DONE && s->wanted) ? GOAL_MET : GOAL_OPEN;
}

enum goal_end goal_look(struct goal *g, const struct sight *s)
{
	uint8_t is = s->face < N_FACES ? means[s->face] : 0;

	if (!s->last) {
		g->moved = true;
		g->down |= !(is & IS_UP) && s->face != FACE_UNHEALTHY;
		g->tried |= (is & UPWARD) != 0;
	}
	switch (g->kind) {
	case GOAL_UP:
	case GOAL_UP_AGAIN:
		return look_up(g, s, is);
	case GOAL_DOWN:
		return look_down(s, is);
	case GOAL_RELOADED:
		if (!s->last || s->reloading)
			return GOAL_OPEN;
		return s->command == 0 ? GOAL_MET : GOAL_LOST;
	case GOAL_READY:
		if (s->ready || s->face == FACE_DONE)
			return GOAL_MET;
		return s->face == FACE_FAILED || (s->face == FACE_INACTIVE && (s->why == WHY_BAD_FILE || s->why == WHY_MASKED)) ?
			GOAL_LOST : GOAL_OPEN;
	case GOAL_STOPPED:
		return is & ENDED ? GOAL_MET : GOAL_OPEN;
	default:
		return GOAL_OPEN;
	}
}

unit_ix goal_blocked(const struct table *t, unit_ix i, enum face (*face)(const void *self, unit_ix i, struct why *why),
		     const void *self)
{
	/* As long as the table has units: a circle ends, too. */
	for (uint32_t hops = 0; hops < t->n_units; hops++) {
		struct why why;
		enum face f = face(self, i, &why);

		if (f == FACE_FAILED || f == FACE_INACTIVE)
			return hops ? i : NO_UNIT;
		if (f != FACE_WAITING || why.code != WHY_NEEDS || why.a < 0 || (uint32_t)why.a >= t->n_units)
			return NO_UNIT;
		i = (unit_ix)why.a;
	}
	return NO_UNIT;
}
