/* goal.c - stories of units, told sight by sight, and when each wish has come true or is lost. */
#include "init/control/goal.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/tap.h"

/*
 * A story: letters for sights in news, capitals for the record itself. i inactive, w waiting, s starting, r ready,
 * n running, u unhealthy, p stopping, b backoff, f failed, d done; '-' before one: nobody wants it any more.
 */
static const char letters[N_FACES + 1] = "iwsrnupbfd";

static enum goal_end tell(enum goal_kind kind, const char *story, uint32_t why, size_t *where)
{
	struct goal g = { .kind = kind };
	enum goal_end end = GOAL_OPEN;
	bool wanted = true;

	for (*where = 0; story[*where] && end == GOAL_OPEN; (*where)++) {
		char c = story[*where];

		if (c == '-') {
			wanted = false;
			continue;
		}
		bool last = c < 'a';
		const char *face = strchr(letters, last ? c + 32 : c);
		struct sight s = { .face = (uint8_t)(face - letters), .last = last, .wanted = wanted, .why = why };

		s.ready = s.face == FACE_READY || s.face == FACE_RUNNING;
		end = goal_look(&g, &s);
	}
	return end;
}

static const struct { enum goal_kind kind; const char *story; uint32_t why; enum goal_end end; } stories[] = {
	/* start */
	{ GOAL_UP, "R", 0, GOAL_MET },        { GOAL_UP, "N", 0, GOAL_MET },
	{ GOAL_UP, "I", 0, GOAL_OPEN },       { GOAL_UP, "F", 0, GOAL_OPEN },      { GOAL_UP, "D", 0, GOAL_OPEN },
	{ GOAL_UP, "U", 0, GOAL_LOST },       { GOAL_UP, "B", 0, GOAL_OPEN },
	{ GOAL_UP, "FwsR", 0, GOAL_MET },     { GOAL_UP, "Iwsr", 0, GOAL_MET },    { GOAL_UP, "Iwsrf", 0, GOAL_MET },
	{ GOAL_UP, "Iwsf", 0, GOAL_LOST },    { GOAL_UP, "Iwsb", 0, GOAL_LOST },   { GOAL_UP, "Iwsd", 0, GOAL_MET },
	{ GOAL_UP, "IwspI", WHY_CONDITION, GOAL_MET }, { GOAL_UP, "Iwspi", WHY_BY_HAND, GOAL_LOST },
	{ GOAL_UP, "wsp", 0, GOAL_OPEN },
	/* restart */
	{ GOAL_UP_AGAIN, "R", 0, GOAL_OPEN }, { GOAL_UP_AGAIN, "RpiwsR", 0, GOAL_MET }, { GOAL_UP_AGAIN, "Rpwsr", 0, GOAL_MET },
	{ GOAL_UP_AGAIN, "RpbB", 0, GOAL_OPEN }, { GOAL_UP_AGAIN, "Rpfwsn", 0, GOAL_MET }, { GOAL_UP_AGAIN, "Rpwsf", 0, GOAL_LOST },
	{ GOAL_UP_AGAIN, "Rpdwsd", 0, GOAL_MET }, { GOAL_UP_AGAIN, "Rpd", 0, GOAL_OPEN }, { GOAL_UP_AGAIN, "Rp-I", 0, GOAL_LOST },
	{ GOAL_UP_AGAIN, "Iwsr", 0, GOAL_MET }, { GOAL_UP_AGAIN, "Uupwsr", 0, GOAL_MET }, { GOAL_UP_AGAIN, "Uur", 0, GOAL_OPEN },
	/* stop */
	{ GOAL_DOWN, "R", 0, GOAL_OPEN },     { GOAL_DOWN, "RpI", 0, GOAL_MET },   { GOAL_DOWN, "Rpi", 0, GOAL_OPEN },
	{ GOAL_DOWN, "I", 0, GOAL_MET },      { GOAL_DOWN, "F", 0, GOAL_MET },     { GOAL_DOWN, "D", 0, GOAL_OPEN },
	{ GOAL_DOWN, "-D", 0, GOAL_MET },     { GOAL_DOWN, "RP", WHY_UNKILLABLE, GOAL_LOST },
	/* wait */
	{ GOAL_READY, "I", 0, GOAL_OPEN },    { GOAL_READY, "Ir", 0, GOAL_MET },   { GOAL_READY, "D", 0, GOAL_MET },
	{ GOAL_READY, "B", 0, GOAL_OPEN },    { GOAL_READY, "U", 0, GOAL_OPEN },   { GOAL_READY, "F", 0, GOAL_LOST },
	{ GOAL_READY, "I", WHY_MASKED, GOAL_LOST }, { GOAL_READY, "I", WHY_BAD_FILE, GOAL_LOST }, { GOAL_READY, "sbsr", 0, GOAL_MET },
	{ GOAL_STOPPED, "R", 0, GOAL_OPEN },  { GOAL_STOPPED, "Rpi", 0, GOAL_MET }, { GOAL_STOPPED, "b", 0, GOAL_OPEN },
	{ GOAL_STOPPED, "F", 0, GOAL_MET },   { GOAL_STOPPED, "D", 0, GOAL_MET },
	{ GOAL_EXEC, "IRF", 0, GOAL_OPEN },
};

static const char *const kinds[N_GOALS] = {
	"nothing", "start", "restart", "stop", "reload", "wait for ready", "wait for the end", "exec",
};
static const char *const ends[] = { "open", "true", "lost" };

/* Who waits for whom: a line of faces and needs. */
struct world { enum face face[4]; int needs[4]; };

static enum face face_in(const void *self, unit_ix i, struct why *why)
{
	const struct world *w = self;

	*why = (struct why){ .code = w->needs[i] >= 0 ? WHY_NEEDS : WHY_NONE, .a = w->needs[i] };
	return w->face[i];
}

static const struct { struct world world; unit_ix blocked; const char *what; } chains[] = {
	{ { { FACE_WAITING, FACE_FAILED }, { 1, -1 } }, 1, "on one that failed" },
	{ { { FACE_WAITING, FACE_WAITING, FACE_INACTIVE }, { 1, 2, -1 } }, 2, "on one that waits for one that is not started" },
	{ { { FACE_WAITING, FACE_STARTING }, { 1, -1 } }, NO_UNIT, "on one that starts" },
	{ { { FACE_WAITING, FACE_BACKOFF }, { 1, -1 } }, NO_UNIT, "on one that will be tried again" },
	{ { { FACE_WAITING, FACE_WAITING, FACE_WAITING }, { 1, 2, 0 } }, NO_UNIT, "in a circle" },
	{ { { FACE_WAITING }, { 77 } }, NO_UNIT, "on what does not exist" },
	{ { { FACE_FAILED }, { -1 } }, NO_UNIT, "on nobody" },
};

int main(void)
{
	for (size_t i = 0; i < sizeof(stories) / sizeof(*stories); i++) {
		size_t where;
		enum goal_end end = tell(stories[i].kind, stories[i].story, stories[i].why, &where);

		CHECK(end == stories[i].end && (end != GOAL_OPEN || !stories[i].story[where]), "%s, %s: %s at %zu", kinds[stories[i].kind],
		      stories[i].story, ends[end], where);
	}
	struct goal g = { .kind = GOAL_RELOADED };
	struct sight s = { .face = FACE_RUNNING, .last = true, .reloading = true };
	CHECK(goal_look(&g, &s) == GOAL_OPEN, "a reload goes on while its command runs");
	s.reloading = false;
	CHECK(goal_look(&g, &s) == GOAL_MET, "and is over with it");
	s.command = -15;
	CHECK(goal_look(&g, &s) == GOAL_LOST, "or has failed with it");
	struct table t = { .n_units = 4 };
	for (size_t i = 0; i < sizeof(chains) / sizeof(*chains); i++)
		CHECK(goal_blocked(&t, 0, face_in, &chains[i].world) == chains[i].blocked, "waiting %s", chains[i].what);
	return tap_done();
}
