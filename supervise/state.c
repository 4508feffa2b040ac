/*
 * state.c - the transition table of a service, every cell stated; pure.
 *
 * Read a row as: "in this state, when ... happens, go there and do that".
 * All ways down lead through the same stairs: ENDING (ExecStop=), STOPPING
 * (KillSignal=), KILLING where it must be, CLEANING (ExecStopPost=); at their
 * foot the policy judges what the end means.
 */
#include "supervise/state.h"

#define GO(state, what) { GO_THERE, state, what }
#define STAY            { STAY_HERE, 0, 0 }
#define NEVER           { NEVER_HERE, 0, 0 }

/* Main is gone or has to go, without ExecStop=. */
#define DOWN(more) GO(STOPPING, (more) | UNWATCH | TERM | ARM_STOP | TELL)
#define FORCED     GO(KILLING, UNWATCH | KILL_CONTROL | KILL | ARM_STOP | TELL)

/* The verdicts are asked for in one state only. */
#define NO_VERDICT [EV_AGAIN] = NEVER, [EV_OVER] = NEVER, [EV_DONE] = NEVER, [EV_FAIL] = NEVER

/* Nothing runs, so nothing can be heard of it. */
#define NOBODY_RUNS \
	[EV_NEXT] = NEVER, [EV_LAST] = NEVER, [EV_BAD] = NEVER, [EV_SKIP] = NEVER, [EV_EXECED] = NEVER, \
	[EV_READY] = NEVER, [EV_SICK] = NEVER, [EV_WELL] = NEVER, [EV_GONE] = NEVER, [EV_DOG] = NEVER, \
	[EV_EMPTY] = NEVER, NO_VERDICT

const struct svc_step svc_steps[N_STATES][N_EVENTS] = {
	[INACTIVE] = {
		[EV_START]   = GO(WAITING, TELL),
		[EV_STOP]    = STAY,
		[EV_FORCE]   = STAY,
		[EV_RELOAD]  = NEVER,
		[EV_RESET]   = STAY,
		[EV_GO]      = NEVER,
		[EV_REFUSED] = NEVER,
		[EV_TIMER]   = NEVER,
		NOBODY_RUNS,
	},
	[WAITING] = {
		[EV_START]   = STAY,
		[EV_STOP]    = GO(INACTIVE, RELEASE | TELL),
		[EV_FORCE]   = GO(INACTIVE, RELEASE | TELL),
		[EV_RELOAD]  = NEVER,
		[EV_RESET]   = STAY,
		[EV_GO]      = GO(PREPARING, COUNT | ARM_START | RUN | TELL),
		[EV_REFUSED] = GO(FAILED, RELEASE | TELL),
		[EV_TIMER]   = NEVER,
		NOBODY_RUNS,
	},
	[PREPARING] = {
		[EV_START]   = STAY,
		[EV_STOP]    = DOWN(0),
		[EV_FORCE]   = FORCED,
		[EV_RELOAD]  = NEVER,
		[EV_RESET]   = STAY,
		[EV_GO]      = NEVER,
		[EV_REFUSED] = NEVER,
		[EV_NEXT]    = GO(PREPARING, RUN),
		[EV_LAST]    = GO(LAUNCHING, SPAWN),
		[EV_BAD]     = DOWN(0),
		[EV_SKIP]    = DOWN(0),
		[EV_EXECED]  = NEVER,
		[EV_READY]   = NEVER,
		[EV_SICK]    = NEVER,
		[EV_WELL]    = NEVER,
		[EV_GONE]    = NEVER,
		[EV_DOG]     = NEVER,
		[EV_EMPTY]   = NEVER,
		[EV_TIMER]   = DOWN(0),
		NO_VERDICT,
	},
	[LAUNCHING] = {
		[EV_START]   = STAY,
		[EV_STOP]    = DOWN(0),
		[EV_FORCE]   = FORCED,
		[EV_RELOAD]  = NEVER,
		[EV_RESET]   = STAY,
		[EV_GO]      = NEVER,
		[EV_REFUSED] = NEVER,
		[EV_NEXT]    = NEVER,
		[EV_LAST]    = NEVER,
		[EV_BAD]     = NEVER,
		[EV_SKIP]    = NEVER,
		[EV_EXECED]  = GO(STARTING, WATCH),
		[EV_READY]   = STAY, /* said before we could see that it was executed; remembered by the caller */
		[EV_SICK]    = NEVER,
		[EV_WELL]    = NEVER,
		[EV_GONE]    = DOWN(0),
		[EV_DOG]     = NEVER,
		[EV_EMPTY]   = NEVER,
		[EV_TIMER]   = DOWN(0),
		NO_VERDICT,
	},
	[STARTING] = {
		[EV_START]   = STAY,
		[EV_STOP]    = DOWN(0),
		[EV_FORCE]   = FORCED,
		[EV_RELOAD]  = NEVER,
		[EV_RESET]   = STAY,
		[EV_GO]      = NEVER,
		[EV_REFUSED] = NEVER,
		[EV_NEXT]    = GO(LAUNCHING, SPAWN), /* the next ExecStart= of a oneshot */
		[EV_LAST]    = NEVER,
		[EV_BAD]     = NEVER,
		[EV_SKIP]    = NEVER,
		[EV_EXECED]  = NEVER,
		[EV_READY]   = GO(POSTING, RUN),
		[EV_SICK]    = GO(SICK, TELL),
		[EV_WELL]    = STAY,
		[EV_GONE]    = DOWN(0),
		[EV_DOG]     = NEVER,
		[EV_EMPTY]   = NEVER,
		[EV_TIMER]   = DOWN(0),
		NO_VERDICT,
	},
	[POSTING] = {
		[EV_START]   = STAY,
		[EV_STOP]    = DOWN(0),
		[EV_FORCE]   = FORCED,
		[EV_RELOAD]  = NEVER,
		[EV_RESET]   = STAY,
		[EV_GO]      = NEVER,
		[EV_REFUSED] = NEVER,
		[EV_NEXT]    = GO(POSTING, RUN),
		[EV_LAST]    = GO(UP, DISARM | ARM_RUN | TELL),
		[EV_BAD]     = DOWN(0),
		[EV_SKIP]    = NEVER,
		[EV_EXECED]  = NEVER,
		[EV_READY]   = STAY,
		[EV_SICK]    = STAY, /* told again on the way into UP */
		[EV_WELL]    = STAY,
		[EV_GONE]    = DOWN(0),
		[EV_DOG]     = DOWN(0),
		[EV_EMPTY]   = NEVER,
		[EV_TIMER]   = DOWN(0),
		NO_VERDICT,
	},
	[UP] = {
		[EV_START]   = STAY,
		[EV_STOP]    = GO(ENDING, UNWATCH | ARM_STOP | RUN | TELL),
		[EV_FORCE]   = FORCED,
		[EV_RELOAD]  = GO(RELOADING, DISARM | ARM_START | RUN),
		[EV_RESET]   = STAY,
		[EV_GO]      = NEVER,
		[EV_REFUSED] = NEVER,
		[EV_NEXT]    = NEVER,
		[EV_LAST]    = NEVER,
		[EV_BAD]     = NEVER,
		[EV_SKIP]    = NEVER,
		[EV_EXECED]  = NEVER,
		[EV_READY]   = STAY,
		[EV_SICK]    = GO(SICK, TELL),
		[EV_WELL]    = STAY,
		[EV_GONE]    = DOWN(0),
		[EV_DOG]     = DOWN(0),
		[EV_EMPTY]   = NEVER,
		[EV_TIMER]   = GO(ENDING, UNWATCH | ARM_STOP | RUN | TELL), /* RuntimeMaxSec= */
		NO_VERDICT,
	},
	[SICK] = {
		[EV_START]   = STAY,
		[EV_STOP]    = GO(ENDING, UNWATCH | ARM_STOP | RUN | TELL),
		[EV_FORCE]   = FORCED,
		[EV_RELOAD]  = GO(RELOADING, DISARM | ARM_START | RUN),
		[EV_RESET]   = STAY,
		[EV_GO]      = NEVER,
		[EV_REFUSED] = NEVER,
		[EV_NEXT]    = NEVER,
		[EV_LAST]    = NEVER,
		[EV_BAD]     = NEVER,
		[EV_SKIP]    = NEVER,
		[EV_EXECED]  = NEVER,
		[EV_READY]   = GO(POSTING, RUN | TELL), /* its first success came after it had been given up */
		[EV_SICK]    = STAY,
		[EV_WELL]    = GO(UP, TELL),
		[EV_GONE]    = DOWN(0),
		[EV_DOG]     = DOWN(0),
		[EV_EMPTY]   = NEVER,
		[EV_TIMER]   = GO(ENDING, UNWATCH | ARM_STOP | RUN | TELL),
		NO_VERDICT,
	},
	[RELOADING] = {
		[EV_START]   = STAY,
		[EV_STOP]    = GO(ENDING, UNWATCH | KILL_CONTROL | ARM_STOP | RUN | TELL),
		[EV_FORCE]   = FORCED,
		[EV_RELOAD]  = STAY,
		[EV_RESET]   = STAY,
		[EV_GO]      = NEVER,
		[EV_REFUSED] = NEVER,
		[EV_NEXT]    = GO(RELOADING, RUN),
		[EV_LAST]    = GO(UP, DISARM | ARM_RUN | TELL),
		[EV_BAD]     = GO(UP, DISARM | ARM_RUN | TELL),
		[EV_SKIP]    = NEVER,
		[EV_EXECED]  = NEVER,
		[EV_READY]   = STAY,
		[EV_SICK]    = STAY, /* told again on the way into UP */
		[EV_WELL]    = STAY,
		[EV_GONE]    = DOWN(KILL_CONTROL),
		[EV_DOG]     = DOWN(KILL_CONTROL),
		[EV_EMPTY]   = NEVER,
		[EV_TIMER]   = GO(UP, KILL_CONTROL | DISARM | ARM_RUN | TELL),
		NO_VERDICT,
	},
	[ENDING] = {
		[EV_START]   = STAY,
		[EV_STOP]    = STAY,
		[EV_FORCE]   = FORCED,
		[EV_RELOAD]  = NEVER,
		[EV_RESET]   = STAY,
		[EV_GO]      = NEVER,
		[EV_REFUSED] = NEVER,
		[EV_NEXT]    = GO(ENDING, RUN),
		[EV_LAST]    = GO(STOPPING, TERM | ARM_STOP),
		[EV_BAD]     = GO(STOPPING, TERM | ARM_STOP),
		[EV_SKIP]    = NEVER,
		[EV_EXECED]  = NEVER,
		[EV_READY]   = STAY,
		[EV_SICK]    = NEVER,
		[EV_WELL]    = NEVER,
		[EV_GONE]    = STAY, /* ExecStop= did its work; it may finish */
		[EV_DOG]     = NEVER,
		[EV_EMPTY]   = NEVER,
		[EV_TIMER]   = GO(STOPPING, KILL_CONTROL | TERM | ARM_STOP),
		NO_VERDICT,
	},
	[STOPPING] = {
		[EV_START]   = STAY,
		[EV_STOP]    = STAY,
		[EV_FORCE]   = GO(KILLING, KILL_CONTROL | KILL | ARM_STOP),
		[EV_RELOAD]  = NEVER,
		[EV_RESET]   = STAY,
		[EV_GO]      = NEVER,
		[EV_REFUSED] = NEVER,
		[EV_NEXT]    = NEVER, /* a command that was cut short is heard of no more */
		[EV_LAST]    = NEVER,
		[EV_BAD]     = NEVER,
		[EV_SKIP]    = NEVER,
		[EV_EXECED]  = STAY,
		[EV_READY]   = STAY,
		[EV_SICK]    = NEVER,
		[EV_WELL]    = NEVER,
		[EV_GONE]    = STAY,
		[EV_DOG]     = NEVER,
		[EV_EMPTY]   = GO(CLEANING, DISARM | ARM_STOP | RUN),
		[EV_TIMER]   = GO(KILLING, KILL_CONTROL | KILL | ARM_STOP),
		NO_VERDICT,
	},
	[KILLING] = {
		[EV_START]   = STAY,
		[EV_STOP]    = STAY,
		[EV_FORCE]   = GO(KILLING, KILL),
		[EV_RELOAD]  = NEVER,
		[EV_RESET]   = STAY,
		[EV_GO]      = NEVER,
		[EV_REFUSED] = NEVER,
		[EV_NEXT]    = NEVER,
		[EV_LAST]    = NEVER,
		[EV_BAD]     = NEVER,
		[EV_SKIP]    = NEVER,
		[EV_EXECED]  = STAY,
		[EV_READY]   = STAY,
		[EV_SICK]    = NEVER,
		[EV_WELL]    = NEVER,
		[EV_GONE]    = STAY,
		[EV_DOG]     = NEVER,
		[EV_EMPTY]   = GO(CLEANING, DISARM | ARM_STOP | RUN),
		[EV_TIMER]   = GO(KILLING, KILL_CONTROL | KILL | ARM_STOP), /* it does not die; try again, say so */
		NO_VERDICT,
	},
	[CLEANING] = {
		[EV_START]   = STAY,
		[EV_STOP]    = STAY,
		[EV_FORCE]   = GO(CLEANING, KILL_CONTROL),
		[EV_RELOAD]  = NEVER,
		[EV_RESET]   = STAY,
		[EV_GO]      = NEVER,
		[EV_REFUSED] = NEVER,
		[EV_NEXT]    = GO(CLEANING, RUN),
		[EV_LAST]    = GO(CLEANING, DISARM | JUDGE),
		[EV_BAD]     = GO(CLEANING, DISARM | JUDGE),
		[EV_SKIP]    = NEVER,
		[EV_EXECED]  = NEVER,
		[EV_READY]   = NEVER,
		[EV_SICK]    = NEVER,
		[EV_WELL]    = NEVER,
		[EV_GONE]    = NEVER,
		[EV_DOG]     = NEVER,
		[EV_EMPTY]   = NEVER,
		[EV_TIMER]   = GO(CLEANING, KILL_CONTROL | ARM_STOP), /* another one may follow, and needs its deadline */
		[EV_AGAIN]   = GO(RESTING, ARM_REST | TELL),
		[EV_OVER]    = GO(INACTIVE, RELEASE | TELL),
		[EV_DONE]    = GO(DONE, RELEASE | TELL),
		[EV_FAIL]    = GO(FAILED, RELEASE | TELL),
	},
	[RESTING] = {
		[EV_START]   = GO(WAITING, DISARM | TELL),
		[EV_STOP]    = GO(INACTIVE, DISARM | RELEASE | TELL),
		[EV_FORCE]   = GO(INACTIVE, DISARM | RELEASE | TELL),
		[EV_RELOAD]  = NEVER,
		[EV_RESET]   = GO(WAITING, DISARM | TELL),
		[EV_GO]      = NEVER,
		[EV_REFUSED] = NEVER,
		[EV_TIMER]   = GO(WAITING, TELL),
		NOBODY_RUNS,
	},
	[FAILED] = {
		[EV_START]   = GO(WAITING, TELL),
		[EV_STOP]    = STAY,
		[EV_FORCE]   = STAY,
		[EV_RELOAD]  = NEVER,
		[EV_RESET]   = GO(INACTIVE, TELL),
		[EV_GO]      = NEVER,
		[EV_REFUSED] = NEVER,
		[EV_TIMER]   = NEVER,
		NOBODY_RUNS,
	},
	[DONE] = {
		[EV_START]   = GO(WAITING, TELL),
		[EV_STOP]    = GO(INACTIVE, TELL),
		[EV_FORCE]   = GO(INACTIVE, TELL),
		[EV_RELOAD]  = NEVER,
		[EV_RESET]   = GO(INACTIVE, TELL),
		[EV_GO]      = NEVER,
		[EV_REFUSED] = NEVER,
		[EV_TIMER]   = NEVER,
		NOBODY_RUNS,
	},
};

static const struct { const char *word; uint8_t face, phase; } states[N_STATES] = {
	[INACTIVE]  = { "inactive",  FACE_INACTIVE,  PHASE_NONE },
	[WAITING]   = { "waiting",   FACE_WAITING,   PHASE_NONE },
	[PREPARING] = { "preparing", FACE_STARTING,  PHASE_PRE },
	[LAUNCHING] = { "launching", FACE_STARTING,  PHASE_MAIN },
	[STARTING]  = { "starting",  FACE_STARTING,  PHASE_MAIN },
	[POSTING]   = { "posting",   FACE_STARTING,  PHASE_POST },
	[UP]        = { "up",        FACE_RUNNING,   PHASE_NONE },
	[SICK]      = { "sick",      FACE_UNHEALTHY, PHASE_NONE },
	[RELOADING] = { "reloading", FACE_RUNNING,   PHASE_RELOAD },
	[ENDING]    = { "ending",    FACE_STOPPING,  PHASE_STOP },
	[STOPPING]  = { "stopping",  FACE_STOPPING,  PHASE_NONE },
	[KILLING]   = { "killing",   FACE_STOPPING,  PHASE_NONE },
	[CLEANING]  = { "cleaning",  FACE_STOPPING,  PHASE_STOP_POST },
	[RESTING]   = { "resting",   FACE_BACKOFF,   PHASE_NONE },
	[FAILED]    = { "failed",    FACE_FAILED,    PHASE_NONE },
	[DONE]      = { "done",      FACE_DONE,      PHASE_NONE },
};

static const char *const events[N_EVENTS] = {
	[EV_START] = "start", [EV_STOP] = "stop", [EV_FORCE] = "force", [EV_RELOAD] = "reload", [EV_RESET] = "reset",
	[EV_GO] = "go", [EV_REFUSED] = "refused", [EV_NEXT] = "next", [EV_LAST] = "last", [EV_BAD] = "bad",
	[EV_SKIP] = "skip", [EV_EXECED] = "execed", [EV_READY] = "ready", [EV_SICK] = "sick", [EV_WELL] = "well",
	[EV_GONE] = "gone", [EV_DOG] = "dog", [EV_EMPTY] = "empty", [EV_TIMER] = "timer", [EV_AGAIN] = "again",
	[EV_OVER] = "over", [EV_DONE] = "done", [EV_FAIL] = "fail",
};

struct svc_step svc_step(enum svc_state s, enum svc_event e)
{
	const struct svc_step never = NEVER;

	if ((unsigned)s >= N_STATES || (unsigned)e >= N_EVENTS || svc_steps[s][e].verb == BLANK)
		return never;
	return svc_steps[s][e];
}

enum phase svc_phase(enum svc_state s)
{
	return (unsigned)s < N_STATES ? states[s].phase : PHASE_NONE;
}

enum face svc_face(enum svc_state s)
{
	return (unsigned)s < N_STATES ? states[s].face : FACE_INACTIVE;
}

const char *svc_state_word(enum svc_state s)
{
	return (unsigned)s < N_STATES ? states[s].word : "?";
}

const char *svc_event_word(enum svc_event e)
{
	return (unsigned)e < N_EVENTS ? events[e] : "?";
}
