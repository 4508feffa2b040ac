/*
 * state.c - walks the table of transitions through every situation that can arise,
 * and plants every mutant of the table to see the walk find it.
 *
 * The walk knows the table only by what it does to a tiny model of the world: is
 * main there, a command, which timer is armed, who watches, who was told. What a
 * state's name promises must hold in each situation; what can happen there must be
 * stated, and what cannot must be NEVER. The mutants are judged by the same walk,
 * never by comparing them with the original.
 */
#include "supervise/state.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/tap.h"

enum timer { T_NONE, T_START, T_STOP, T_RUN, T_REST };
enum control { C_NONE, C_RUNS, C_TERM, C_KILL };
/* What follows at once, before anything else can happen. */
enum must { M_NOTHING, M_COMMANDS, M_GONE, M_EXECED, M_READY, M_VERDICT, M_TIMER, M_SICK };
enum verdict { V_NONE, V_AGAIN, V_OVER, V_DONE, V_FAIL };

/* One situation; bytes only, so that two can be compared and hashed. */
struct sit {
	uint8_t state, main, control, old, deferred, timer, must, verdict;
	uint8_t watched, dog, execed, ready, sick, up, counted, root, wish, forced, termed, struck, gone, ended, face, usable;
	uint8_t stage; /* whose deadline the stop timer is */
};

/* Kinds of units that the table serves alike. */
struct kind { const char *name; bool has_main, oneshot, sends_kill; };
static const struct kind kinds[] = {
	{ "daemon", true, false, true }, { "daemon without SIGKILL", true, false, false },
	{ "oneshot", true, true, true }, { "target", false, false, true },
};

#define MOST (1u << 14)
static struct sit found[MOST];
static uint32_t n_found, slots[2 * MOST];
static bool happens[N_STATES][N_EVENTS];
static char broken[200];

static bool breach(const char *what, const struct sit *s, int e)
{
	if (!broken[0])
		(void)snprintf(broken, sizeof(broken), "%s (%s, %s)", what, svc_state_word((enum svc_state)s->state),
			       e < 0 ? "-" : svc_event_word((enum svc_event)e));
	return false;
}

static bool remember(const struct sit *s)
{
	uint32_t h = 2166136261u;

	for (size_t k = 0; k < sizeof(*s); k++)
		h = (h ^ ((const uint8_t *)s)[k]) * 16777619u;
	for (h %= 2 * MOST; slots[h] != 0; h = (h + 1) % (2 * MOST))
		if (!memcmp(&found[slots[h] - 1], s, sizeof(*s)))
			return true;
	if (n_found == MOST)
		return breach("more situations than there is room for", s, -1);
	found[n_found] = *s;
	slots[h] = ++n_found;
	return true;
}

/* ---- what can happen ---- */

static bool own_command(const struct sit *s)
{
	return s->control != C_NONE && !s->old;
}

static bool can(const struct kind *k, const struct sit *s, enum svc_event e)
{
	bool running = s->state >= STARTING && s->state <= RELOADING;

	switch ((enum must)s->must) {
	case M_NOTHING:
		break;
	case M_COMMANDS:
		return e == EV_LAST || e == EV_BAD;
	case M_GONE:
		return e == EV_GONE;
	case M_EXECED:
		return e == EV_EXECED;
	case M_READY:
		return e == EV_READY;
	case M_VERDICT:
		return (e == EV_AGAIN && s->wish) || e == EV_OVER || (s->wish && (e == EV_DONE || e == EV_FAIL));
	case M_TIMER:
		return e == EV_TIMER;
	case M_SICK:
		return e == EV_SICK;
	}
	switch (e) {
	case EV_START:
	case EV_STOP:
	case EV_FORCE:
	case EV_RESET:
		return true;
	case EV_RELOAD: /* asked of whoever has been up and is not going */
		return s->up && (s->state == UP || s->state == SICK || s->state == RELOADING);
	case EV_GO:
	case EV_REFUSED:
		return s->state == WAITING;
	case EV_NEXT: /* and, for a oneshot, main has ended and another ExecStart= follows */
		return own_command(s) || (k->oneshot && s->state == STARTING && s->main && !s->ready);
	case EV_LAST:
	case EV_BAD:
		return own_command(s);
	case EV_SKIP:
		return own_command(s) && s->state == PREPARING;
	case EV_EXECED:
		return s->main && !s->execed;
	case EV_READY: /* by a word of main at any time; by a check or an exit once */
		return (s->main && s->state != SICK) || (s->watched && !s->ready && running);
	case EV_SICK:
		return s->watched && running;
	case EV_WELL: /* for one that was given up before it was ever ready, the first success is EV_READY */
		return s->watched && running && (s->state != SICK || s->up);
	case EV_GONE:
		return s->main;
	case EV_DOG:
		return s->dog;
	case EV_EMPTY:
		return (s->state == STOPPING || s->state == KILLING) && !s->main && s->control == C_NONE;
	case EV_TIMER:
		return s->timer != T_NONE;
	default:
		return false;
	}
}

/* ---- what the world makes of it, before the table is asked ---- */

static void happen(const struct kind *k, struct sit *s, enum svc_event e)
{
	bool was_command = own_command(s);

	s->must = M_NOTHING;
	switch (e) {
	case EV_START:
		s->wish = 1;
		if (!svc_live((enum svc_state)s->state))
			s->verdict = V_NONE;
		break;
	case EV_STOP:
		s->wish = 0;
		break;
	case EV_FORCE:
		s->wish = 0;
		s->forced = svc_live((enum svc_state)s->state) && s->state != CLEANING;
		s->struck = 0;
		break;
	case EV_RESET:
		if (s->state == RESTING)
			s->verdict = V_NONE;
		/* What is forgotten is no reason any more to be down; nor is it one to be up. */
		if (s->state == FAILED || s->state == DONE) {
			s->verdict = V_NONE;
			s->wish = 0;
		}
		break;
	case EV_REFUSED:
		s->verdict = V_FAIL;
		break;
	case EV_NEXT:
		if (!was_command)
			s->main = s->execed = s->watched = 0; /* of a oneshot, nothing but its end is watched */
		break;
	case EV_EXECED:
		s->execed = 1;
		break;
	case EV_READY:
		if (s->state >= STARTING && s->state <= RELOADING) {
			s->ready = 1;
			s->sick = 0;
		}
		if (k->oneshot && s->state == STARTING)
			s->main = 0;
		break;
	case EV_SICK:
		s->sick = 1;
		break;
	case EV_WELL:
		s->sick = 0;
		break;
	case EV_GONE:
		s->main = 0;
		s->ended = 1;
		break;
	case EV_DOG:
		s->dog = 0;
		s->ended = 1;
		break;
	case EV_EMPTY:
		s->forced = s->termed = s->struck = 0;
		s->gone = 1;
		break;
	case EV_TIMER:
		s->timer = T_NONE;
		s->struck = 0;
		break;
	case EV_AGAIN:
		s->verdict = V_AGAIN;
		break;
	case EV_OVER:
		s->verdict = V_OVER;
		break;
	case EV_DONE:
		s->verdict = V_DONE;
		break;
	case EV_FAIL:
		s->verdict = V_FAIL;
		break;
	default:
		break;
	}
	if (was_command && (e == EV_NEXT || e == EV_LAST || e == EV_BAD || e == EV_SKIP))
		s->control = C_NONE;
}

/* ---- what the work does ---- */

static bool arm(struct sit *s, enum timer t, bool same, enum svc_event e)
{
	/* A deadline is set once; only what was let run out, or belongs to a new stage, is set again. */
	if (s->timer == t && (same || t != T_STOP))
		return breach("a timer is set that is set already", s, (int)e);
	s->timer = (uint8_t)t;
	return true;
}

/* Where it may go either way, *also is what follows at once in the other one. */
static bool work(const struct kind *k, struct sit *s, const struct svc_step *step, const struct sit *was, enum svc_event e, enum must *also)
{
	uint32_t w = step->work, arms = w & (ARM_START | ARM_STOP | ARM_RUN | ARM_REST);
	bool same = was->state == step->next;
	uint32_t ways = w & (ARM_REST | RUN | SPAWN | WATCH | JUDGE);

	if (ways & (ways - 1))
		return breach("two things are to follow at once", s, (int)e);
	if (arms & (arms - 1))
		return breach("two deadlines at once", s, (int)e);
	if (w & UNWATCH)
		s->watched = s->dog = 0;
	if (w & COUNT) {
		if (s->counted)
			return breach("a start is counted twice", s, (int)e);
		if (!svc_live((enum svc_state)step->next))
			return breach("a start is counted that is none", s, (int)e);
		s->counted = 1;
		s->ready = s->sick = s->up = s->termed = s->struck = s->gone = s->ended = s->forced = s->verdict = 0;
	}
	if (w & KILL_CONTROL && s->control)
		s->control = C_KILL;
	if (w & TERM) {
		if (step->next != STOPPING || s->termed)
			return breach("KillSignal= where nobody is asked to go", s, (int)e);
		s->termed = 1;
		if (s->control == C_RUNS)
			s->control = C_TERM;
	}
	if (w & KILL) {
		if (step->next != KILLING)
			return breach("SIGKILL out of place", s, (int)e);
		s->termed = s->struck = 1;
		if (s->control && k->sends_kill)
			s->control = C_KILL;
	}
	if (w & DISARM)
		s->timer = T_NONE;
	if ((w & ARM_START && !arm(s, T_START, same, e)) || (w & ARM_STOP && !arm(s, T_STOP, same, e)) ||
	    (w & ARM_RUN && !arm(s, T_RUN, same, e)))
		return false;
	s->stage = s->timer != T_STOP ? 0 : w & ARM_STOP ? step->next : s->stage;
	if (w & ARM_REST) {
		*also = M_TIMER;
		if (!arm(s, T_REST, same, e))
			return false;
	}
	if (w & RUN) {
		enum phase phase = svc_phase((enum svc_state)step->next);

		if (phase == PHASE_NONE || phase == PHASE_MAIN)
			return breach("a command is run where none belongs", s, (int)e);
		if (same && (s->control || (e != EV_NEXT)))
			return breach("a command is run beside another one", s, (int)e);
		if (s->control) {
			if (s->control != C_KILL)
				return breach("a command has to wait for one that nobody ended", s, (int)e);
			s->deferred = 1;
		} else {
			*also = M_COMMANDS;
			s->control = C_RUNS;
		}
	}
	if (w & SPAWN) {
		if (s->main || step->next != LAUNCHING)
			return breach("main is started twice, or out of place", s, (int)e);
		s->execed = 0;
		if (!k->has_main) {
			s->must = M_EXECED;
		} else {
			*also = M_GONE; /* the kernel would not fork */
			s->main = 1;
		}
	}
	if (w & WATCH) {
		if (s->watched)
			return breach("it is watched already", s, (int)e);
		s->watched = 1;
		if (!k->oneshot)
			*also = M_READY; /* nothing has to show it */
	}
	if (w & JUDGE) {
		if (s->control || (e != EV_LAST && e != EV_BAD) || s->state != CLEANING)
			return breach("judged before it is over", s, (int)e);
		s->must = M_VERDICT;
	}
	if (w & RELEASE) {
		if (step->next != INACTIVE && step->next != FAILED && step->next != DONE)
			return breach("its root goes while it may still be needed", s, (int)e);
		if (was->state == INACTIVE || was->state == FAILED || was->state == DONE)
			return breach("its root goes a second time", s, (int)e);
		s->root = 0;
	}
	return true;
}

/* What others see: RELOADING keeps the face and the worth that it was entered with. */
static void show(struct sit *s, enum svc_state was)
{
	if (s->state == RELOADING && (was == UP || was == SICK || was == RELOADING))
		return;
	s->face = (uint8_t)svc_face((enum svc_state)s->state);
	s->usable = s->state == UP;
}

/* ---- what a state promises ---- */

static bool keeps(const struct kind *k, const struct sit *s, int e)
{
	bool final = s->state == INACTIVE || s->state == FAILED || s->state == DONE;
	bool quiet = final || s->state == WAITING || s->state == RESTING;
	bool running = s->state >= STARTING && s->state <= RELOADING;
	bool going = s->state >= ENDING && s->state <= CLEANING;
	bool main_up = s->main || !k->has_main || (k->oneshot && s->ready);

	if (quiet && (s->main || s->control || s->watched || s->dog || s->counted))
		return breach("at rest, and something of it is left", s, e);
	if (final && s->root)
		return breach("at rest for good, and its root is left", s, e);
	if (quiet && (s->timer == T_REST) != (s->state == RESTING))
		return breach("at rest, and the wrong timer", s, e);
	if (quiet && s->timer != T_NONE && s->timer != T_REST)
		return breach("at rest, and a timer", s, e);
	if (!quiet && !going && !s->counted)
		return breach("it runs, and its start was not counted", s, e);
	if ((svc_rising((enum svc_state)s->state) || s->state == RESTING || running) && !s->wish && s->must == M_NOTHING)
		return breach("nobody wants it, and it is not going", s, e);
	if (s->watched != running)
		return breach("watched while it does not run, or the other way round", s, e);
	if (running && !main_up)
		return breach("it should run, and main is gone", s, e);
	if (running && s->ended)
		return breach("its end was seen, and it goes on", s, e);
	if (s->forced && s->state != KILLING)
		return breach("it was to go at once", s, e);
	if (e == EV_FORCE && s->control && s->control != C_KILL)
		return breach("it was to go at once, and its command was not struck", s, e);
	if (going && (s->timer != T_STOP || s->stage != s->state))
		return breach("going without a deadline of its own", s, e);
	/* Somebody has to bring it on: a command of this state, or one it waits for. */
	if (svc_phase((enum svc_state)s->state) != PHASE_NONE && svc_phase((enum svc_state)s->state) != PHASE_MAIN &&
	    !(s->control && (!s->old || s->deferred)))
		return breach("a stage of commands without a command", s, e);
	switch ((enum svc_state)s->state) {
	case INACTIVE:
		return (!s->wish || s->verdict == V_OVER) || breach("wanted, and nothing comes of it", s, e);
	case WAITING:
		return s->verdict == V_NONE || s->verdict == V_AGAIN || breach("it waits after a verdict", s, e);
	case RESTING:
		return s->verdict == V_AGAIN || breach("it rests without a verdict", s, e);
	case FAILED:
		return s->verdict == V_FAIL || breach("failed without a verdict", s, e);
	case DONE:
		return (s->verdict == V_DONE && s->wish) || breach("done without a verdict", s, e);
	case PREPARING:
		return (!s->main && s->timer == T_START && s->control == C_RUNS) || breach("not preparing", s, e);
	case LAUNCHING:
		return (s->main && !s->execed && s->timer == T_START && !s->control) || breach("not launching", s, e);
	case STARTING:
		return (!s->ready && !s->sick && s->execed && !s->control && !s->up && s->timer == T_START) || breach("not starting", s, e);
	case POSTING:
		return (s->ready && !s->up && s->control == C_RUNS && s->timer == T_START) || breach("not posting", s, e);
	case UP:
		return (s->ready && !s->sick && (!s->control || s->control == C_KILL) && s->timer == T_RUN && !s->verdict) || breach("not up", s, e);
	case SICK:
		return (s->sick && (!s->control || s->control == C_KILL) && s->timer == (s->up ? T_RUN : T_START)) || breach("not sick", s, e);
	case RELOADING:
		return (s->up && (s->control == C_RUNS || s->deferred) && s->timer == T_START) || breach("not reloading", s, e);
	case ENDING:
		return (s->execed && !s->termed) || breach("ExecStop= for whoever is not up, or was told to go", s, e);
	case STOPPING:
		return (s->termed && !s->gone && s->control != C_RUNS) || breach("nobody asked it to go", s, e);
	case KILLING:
		return (s->struck && !s->gone && (!s->control || s->control == C_KILL)) || breach("nobody struck it", s, e);
	case CLEANING:
		return (!s->main && s->gone) || breach("not cleaning", s, e);
	default:
		return breach("a state of its own", s, e);
	}
}

/* ---- the walk ---- */

static bool follow(const struct svc_step *table, const struct kind *k, const struct sit *from, enum svc_event e)
{
	struct svc_step step = table[from->state * N_EVENTS + e];
	struct sit s = *from;

	happens[from->state][e] = true;
	if (step.verb != GO_THERE && step.verb != STAY_HERE)
		return breach("it can happen, and the table does not know what to do", from, (int)e);
	/* A command that was cut short ends: nobody waits for it, but the one that waits behind it. */
	happen(k, &s, e);
	if (step.verb == STAY_HERE) {
		if (from->must != M_NOTHING)
			return breach("what follows at once does not count", from, (int)e);
		if (e == EV_RELOAD && from->state != RELOADING)
			return breach("a reload goes unheard", from, (int)e);
		return keeps(k, &s, (int)e) && remember(&s);
	}
	if (step.next >= N_STATES)
		return breach("it leads nowhere", from, (int)e);
	bool same = step.next == from->state;
	if (!same && s.control)
		s.old = 1;
	if (!same)
		s.deferred = 0;
	/* The loop armed the watchdog with the readiness (service.c, enter). */
	if (step.next == POSTING && !same && s.main)
		s.dog = 1;
	enum must also = M_NOTHING;
	bool ran = step.work & RUN && !s.control;
	if (!work(k, &s, &step, from, e, &also))
		return false;
	if (ran)
		s.old = 0;
	s.state = step.next;
	show(&s, (enum svc_state)from->state);
	if ((s.face != from->face || s.usable != from->usable) && !(step.work & TELL))
		return breach("others see it change, and are not told", &s, (int)e);
	if (step.next == UP && !same) {
		s.up = 1;
		if (k->oneshot) {
			struct sit gone = s;

			gone.must = M_GONE;
			if (!remember(&gone))
				return false;
		}
		if (s.sick)
			s.must = M_SICK;
	}
	if (s.state == INACTIVE || s.state == FAILED || s.state == DONE || s.state == WAITING || s.state == RESTING)
		s.counted = s.ready = s.sick = s.up = s.termed = s.struck = s.gone = s.ended = s.forced = s.execed = 0;
	else
		s.root = 1;
	if (e == EV_TIMER && from->state >= ENDING && from->state <= CLEANING && s.control && s.control != C_KILL)
		return breach("out of time, and its command was not struck", &s, (int)e);
	if (from->state == RELOADING && s.state != RELOADING && s.control && s.control != C_KILL)
		return breach("a reload goes on after its end", &s, (int)e);
	if (e == EV_AGAIN && s.state != RESTING)
		return breach("it should come again", &s, (int)e);
	if (also != M_NOTHING) {
		struct sit other = s;

		other.must = (uint8_t)also;
		if (also == M_TIMER)
			other.timer = T_NONE;
		else if (also == M_COMMANDS)
			other.control = C_NONE;
		else if (also == M_GONE)
			other.main = 0;
		if (!remember(&other))
			return false;
	}
	if (s.must == M_NOTHING && !keeps(k, &s, (int)e))
		return false;
	return remember(&s);
}

/* An old command ends unheard; what was deferred begins. */
static bool reap_old(const struct kind *k, const struct sit *from)
{
	struct sit s = *from;

	if (s.must != M_NOTHING || !s.control || !s.old)
		return true;
	s.control = C_NONE;
	s.old = 0;
	if (s.deferred) {
		struct sit other = s;

		s.deferred = other.deferred = 0;
		other.must = M_COMMANDS;
		s.control = C_RUNS;
		if (!remember(&other))
			return false;
	}
	return keeps(k, &s, -1) && remember(&s);
}

static bool walk(const struct svc_step *table, bool first_only)
{
	memset(happens, 0, sizeof(happens));
	broken[0] = '\0';
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		struct sit start = { .state = INACTIVE };

		n_found = 0;
		memset(slots, 0, sizeof(slots));
		(void)remember(&start);
		for (uint32_t at = 0; at < n_found; at++) {
			for (int e = 0; e < N_EVENTS; e++)
				if (can(&kinds[k], &found[at], (enum svc_event)e) && !follow(table, &kinds[k], &found[at], (enum svc_event)e))
					return false;
			if (!reap_old(&kinds[k], &found[at]))
				return false;
		}
		if (first_only)
			CHECK(n_found > 30, "%s: %u situations, and every promise holds in each", kinds[k].name, n_found);
	}
	for (int st = 0; st < N_STATES; st++)
		for (int e = 0; e < N_EVENTS; e++) {
			struct sit s = { .state = (uint8_t)st };

			if (table[st * N_EVENTS + e].verb == BLANK)
				return breach("a cell is blank", &s, e);
			if (table[st * N_EVENTS + e].verb != NEVER_HERE && !happens[st][e])
				return breach("it cannot happen, and is not NEVER", &s, e);
			if (table[st * N_EVENTS + e].verb != GO_THERE && (table[st * N_EVENTS + e].work || table[st * N_EVENTS + e].next))
				return breach("work in a cell that goes nowhere", &s, e);
		}
	return true;
}

/* ---- mutants ---- */

static struct svc_step mutant[N_STATES][N_EVENTS];
static uint32_t planted, caught, alike;

static const char *work_word(uint32_t w)
{
	static const char *const words[N_WORKS] = {
		"UNWATCH", "COUNT", "KILL_CONTROL", "TERM", "KILL", "DISARM", "ARM_START", "ARM_STOP", "ARM_RUN", "ARM_REST", "RUN", "SPAWN",
		"WATCH", "JUDGE", "RELEASE", "TELL",
	};

	for (uint32_t k = 0; k < N_WORKS; k++)
		if (w == 1u << k)
			return words[k];
	return "?";
}

static void plant(int st, int e, struct svc_step cell, const char *what, const char *more)
{
	planted++;
	mutant[st][e] = cell;
	if (!walk(&mutant[0][0], false))
		caught++;
	else
		printf("# survived: %s in %s: %s %s\n", svc_event_word((enum svc_event)e), svc_state_word((enum svc_state)st), what, more);
	mutant[st][e] = svc_steps[st][e];
}

/*
 * Mutants that do the same as the original: DISARM beside the arming of a timer, which
 * moves it; UNWATCH where nobody watches, KILL_CONTROL where no command can be, or was
 * struck before; TELL from one kind of stopping to another, which look the same.
 */
static bool same_effect(int st, uint32_t w, uint32_t work)
{
	switch (w) {
	case DISARM:
		return (work & (ARM_START | ARM_STOP | ARM_RUN | ARM_REST)) != 0;
	case UNWATCH:
		return st < STARTING || st > RELOADING;
	case KILL_CONTROL:
		return st == LAUNCHING || st == STARTING || st == UP || st == SICK || st == KILLING;
	case TELL:
		return st == ENDING;
	default:
		return false;
	}
}

static void mutate(int st, int e)
{
	/* What may be added and make no odds in itself is left out: UNWATCH, KILL_CONTROL, DISARM, TELL. */
	static const uint32_t extra = COUNT | TERM | KILL | ARM_START | ARM_STOP | ARM_RUN | ARM_REST | RUN | SPAWN | WATCH | JUDGE | RELEASE;
	struct svc_step was = svc_steps[st][e], m;

	plant(st, e, (struct svc_step){ .verb = BLANK }, "blank", "");
	if (was.verb == NEVER_HERE) {
		plant(st, e, (struct svc_step){ .verb = STAY_HERE }, "STAY", "");
		return;
	}
	plant(st, e, (struct svc_step){ .verb = NEVER_HERE }, "NEVER", "");
	if (was.verb == STAY_HERE)
		return;
	plant(st, e, (struct svc_step){ .verb = STAY_HERE }, "STAY", "");
	for (int next = 0; next < N_STATES; next++) {
		m = was;
		m.next = (uint8_t)next;
		if (next != was.next)
			plant(st, e, m, "to", svc_state_word((enum svc_state)next));
	}
	for (uint32_t w = 1; w < 1u << N_WORKS; w <<= 1) {
		m = was;
		m.work ^= w;
		if (!(was.work & w) && !(extra & w))
			continue;
		if (same_effect(st, w, was.work))
			alike++;
		else
			plant(st, e, m, was.work & w ? "without" : "with", work_word(w));
	}
}

int main(void)
{
	bool good = walk(&svc_steps[0][0], true);

	CHECK(good, "the table keeps its promises: %s", broken[0] ? broken : "all");
	memcpy(mutant, svc_steps, sizeof(mutant));
	for (int st = 0; st < N_STATES; st++)
		for (int e = 0; e < N_EVENTS; e++)
			mutate(st, e);
	CHECK(planted > 1500 && caught == planted, "%u mutants of the table, %u caught (%u more would do the same as the original)", planted,
	      caught, alike);
	bool words = true;
	for (int st = 0; st < N_STATES; st++)
		words &= svc_face((enum svc_state)st) < N_FACES && svc_phase((enum svc_state)st) < N_PHASES &&
			 svc_state_word((enum svc_state)st)[0] != '?';
	for (int e = 0; e < N_EVENTS; e++)
		words &= svc_event_word((enum svc_event)e) && svc_event_word((enum svc_event)e)[0] != '?';
	CHECK(words, "every state has a word, a face and a phase, every event a word");
	CHECK(svc_step(N_STATES, EV_START).verb == NEVER_HERE && svc_step(UP, N_EVENTS).verb == NEVER_HERE &&
	      svc_step(UP, EV_GONE).next == STOPPING, "what is out of range is NEVER");
	return tap_done();
}
