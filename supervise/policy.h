/* policy.h - what the end of a service means, and how long it rests before the next start; pure. */
#ifndef SUPERVISE_POLICY_H
#define SUPERVISE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/unit.h"
#include "supervise/state.h"

/* How it ended, as Restart= divides ends (systemd.service(5), the table under Restart=). */
enum ending { END_CLEAN, END_CODE, END_SIGNAL, END_TIMEOUT, END_WATCHDOG, END_SICK, END_SKIPPED, END_NO_FORK, N_ENDINGS };

/* Who asked for the end. */
enum asked { ASKED_NOBODY, ASKED_BY_HAND, ASKED_RESTART, ASKED_BOUND, ASKED_SHUTDOWN };

/* What is remembered from one start to the next. */
struct history {
	uint32_t streak;      /* automatic restarts since it last ran stably, or was started by hand */
	uint32_t starts;      /* within the window of the start limit */
	msec_t window;        /* when that window began; 0: no start yet */
};

struct end {
	enum ending how;
	bool by_status;       /* exit_kind and exit_value say how main itself ended */
	uint8_t exit_kind;    /* as struct record */
	int32_t exit_value;
	enum asked asked;
	bool wanted;
	msec_t ran;           /* how long it was ready, in ms; 0 if never */
};

struct judgement {
	enum svc_event verdict; /* EV_AGAIN, EV_OVER, EV_DONE, EV_FAIL */
	msec_t rest;            /* EV_AGAIN: for so long */
	bool automatic;         /* EV_AGAIN: it counts as a restart */
};

/* RestartSec= grows from this where the unit does not say more: first pause 0, then this, doubled each time. */
#define REST_BASE ((msec_t)1000)
/* The least pause where the kernel would not fork, or a descriptor was missing. */
#define REST_NO_FORK ((msec_t)100)

/* Clean, as Restart= and SuccessExitStatus= see it: 0, HUP INT TERM PIPE (not for oneshot), or listed. */
bool policy_clean(const struct table *t, const struct unit *u, uint8_t exit_kind, int32_t exit_value);

/* What the end means; `dice` is 32 random bits for the jitter (±10 %). Changes *h as a restart does. */
struct judgement policy_judge(const struct table *t, const struct unit *u, struct history *h, const struct end *e, uint32_t dice);

/* The pause before the n-th restart in a row (n counts from 1), without jitter. */
msec_t policy_rest(const struct unit *u, uint32_t n);

/* Counts a start at `now`; false where StartLimitBurst= within StartLimitIntervalSec= is used up (then it is not counted). */
bool policy_may_start(const struct unit *u, struct history *h, msec_t now);

/* Started by hand, or reset-failed: the past is forgotten. */
void policy_forgive(struct history *h);

#endif
