/* state.h - the life of one service as a table: (state, event) -> (state, work); pure. */
#ifndef SUPERVISE_STATE_H
#define SUPERVISE_STATE_H

#include <stdint.h>

#include "supervise/record.h"

enum svc_state {
	INACTIVE,   /* nobody wants it */
	WAITING,    /* wanted; what it needs is not ready yet */
	PREPARING,  /* ExecCondition= and ExecStartPre= run */
	LAUNCHING,  /* main was forked; whether it could be executed is not known yet */
	STARTING,   /* main runs and has not shown yet that it is ready */
	POSTING,    /* ready; ExecStartPost= runs */
	UP,         /* ready: dependents may start */
	SICK,       /* runs, and its health check has given it up */
	RELOADING,  /* up, ExecReload= runs */
	ENDING,     /* ExecStop= runs */
	STOPPING,   /* asked to go (KillSignal=); not all its processes have gone */
	KILLING,    /* SIGKILL was sent; not all its processes have gone */
	CLEANING,   /* all gone; ExecStopPost= runs */
	RESTING,    /* pause before a restart */
	FAILED,     /* it ended badly and stays down */
	DONE,       /* it ended well and stays down */
	N_STATES
};

enum svc_event {
	EV_START,   /* somebody wants it up */
	EV_STOP,    /* it has to come down: by hand, for a shutdown, a restart, or with what it is bound to */
	EV_FORCE,   /* it has to come down now */
	EV_RELOAD,  /* ExecReload=, by hand */
	EV_RESET,   /* forget that it failed */
	EV_GO,      /* everything it needs is ready */
	EV_REFUSED, /* it may not start: start limit, Requisite= */
	EV_NEXT,    /* a command of this phase ended well, and another one follows */
	EV_LAST,    /* the last command of this phase ended well, or there was none */
	EV_BAD,     /* a command of this phase failed */
	EV_SKIP,    /* ExecCondition= said no */
	EV_EXECED,  /* main was executed */
	EV_READY,   /* main is ready, by whatever shows it */
	EV_SICK,    /* its health check gave up on it */
	EV_WELL,    /* ... and takes that back */
	EV_GONE,    /* main has ended, or could not be started */
	EV_DOG,     /* no sign of life within WatchdogSec= */
	EV_EMPTY,   /* none of its processes is left */
	EV_TIMER,   /* the one timer of its state has run out */
	EV_AGAIN,   /* the verdict on its end: start it again, after a rest */
	EV_OVER,    /* the verdict: nobody wants it any more */
	EV_DONE,    /* the verdict: it ended well */
	EV_FAIL,    /* the verdict: it failed */
	N_EVENTS,
	EV_NONE = N_EVENTS
};

/* What to do on the way into the next state; done lowest bit first. */
enum work {
	UNWATCH     = 1u << 0,  /* no more health checks, no watchdog */
	COUNT       = 1u << 1,  /* this is a start: count it, forget the last one */
	KILL_CONTROL = 1u << 2, /* SIGKILL to the control command */
	TERM        = 1u << 3,  /* KillSignal= to what KillMode= says, then SIGCONT */
	KILL        = 1u << 4,  /* FinalKillSignal= to all of it */
	DISARM      = 1u << 5,
	ARM_START   = 1u << 6,  /* TimeoutStartSec= */
	ARM_STOP    = 1u << 7,  /* TimeoutStopSec=, or its share of the shutdown budget */
	ARM_RUN     = 1u << 8,  /* RuntimeMaxSec= */
	ARM_REST    = 1u << 9,  /* the pause that the policy computed */
	RUN         = 1u << 10, /* the next command of the phase of the state that is entered */
	SPAWN       = 1u << 11, /* main */
	WATCH       = 1u << 12, /* begin health checks; where nothing has to be shown it is ready now */
	JUDGE       = 1u << 13, /* ask the policy what its end means: EV_AGAIN, EV_OVER, EV_DONE or EV_FAIL */
	RELEASE     = 1u << 14, /* its root, its upper layer, its outside view go */
	TELL        = 1u << 15, /* those that lean on it, or that it leans on, look again */
	N_WORKS     = 16
};

enum verb { BLANK, GO_THERE, STAY_HERE, NEVER_HERE };

/* A cell: STAY: heard, and rightly of no effect. NEVER: the caller has a bug; logged, nothing is done. */
struct svc_step { uint8_t verb, next; uint32_t work; };

extern const struct svc_step svc_steps[N_STATES][N_EVENTS];

/* The cell for `e` in `s`; a BLANK or out-of-range cell reads as NEVER. */
struct svc_step svc_step(enum svc_state s, enum svc_event e);

/* Whose commands run in a state; PHASE_NONE where none do. */
enum phase svc_phase(enum svc_state s);

/* What everybody is shown. */
enum face svc_face(enum svc_state s);

/* One word for each, as `sub` in status and in messages. */
const char *svc_state_word(enum svc_state s);
const char *svc_event_word(enum svc_event e);

/* The unit has, or may have, processes. */
static inline int svc_live(enum svc_state s)
{
	return s >= PREPARING && s <= CLEANING;
}

/* On its way up, or up: what a stop has to undo. */
static inline int svc_rising(enum svc_state s)
{
	return s >= WAITING && s <= POSTING;
}

#endif
