/*
 * verdict.h - from single results to a judgement: ready, sick, well again; and when to try next; pure.
 *
 * The caller keeps the calendar: at `due` it starts a probe and says so with
 * verdict_asked(); `due` is then FOREVER until verdict_result() sets it anew, so
 * one unit never has two probes under way, however slow the first is.
 *
 * Until the first success: at once, then after pauses of 20, 40, 80 ms and so on
 * up to HealthStartupInterval= (0: 1 s), or HealthInterval= where that is less.
 * After it: HealthInterval= after each answer, as Docker counts it.
 *
 * Before the first success a failure counts at most once per HealthInterval=, and
 * only after HealthStartPeriod= (after the first HealthInterval= where that is 0),
 * so the many quick tries do not use up HealthRetries=. After it each one counts,
 * inside the start period too (Docker, HEALTHCHECK --start-period).
 */
#ifndef HEALTH_VERDICT_H
#define HEALTH_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/kit/time.h"
#include "conf/unit.h"

/* What a check says of a unit. Same order as enum health of supervise/record.h, which asserts it. */
enum health_word { WORD_UNKNOWN, WORD_DISABLED, WORD_STARTING, WORD_LOADING, WORD_WAITING, WORD_SUCCESS, WORD_FAILURE, N_WORDS };

enum verdict_news {
	VERDICT_STAY,   /* nothing that others need to know (the word may have changed) */
	VERDICT_READY,  /* the first success of this run: dependents may start; also ends sickness */
	VERDICT_SICK,   /* HealthRetries= failures in a row: HealthOnFailure= applies */
	VERDICT_WELL,   /* a success after it was sick, in a run that had been ready before */
	N_VERDICTS
};

/* Plain data, 40 bytes; all zero is "no checks": see verdict_end(). */
struct verdict {
	msec_t due;         /* when to probe next; FOREVER: not now */
	msec_t counts_from; /* before the first success: failures from here on count */
	msec_t deadline;    /* of the probe under way; FOREVER where none is */
	uint32_t failures;  /* counted ones, in a row */
	uint32_t successes; /* in a row; stops at UINT32_MAX */
	uint8_t word;       /* enum health_word, to be shown */
	uint8_t tries;      /* answers so far without a success; stops at 255 */
	bool ready, sick, asked;
};

/* A run begins (main was started, or a check unit was): all is forgotten, the first probe is due at once. */
void verdict_begin(struct verdict *v, const struct unit *u, msec_t now);

/* The run is over or is being stopped: nothing is due, a late answer changes nothing. */
void verdict_end(struct verdict *v);

/* A probe was started. Returns the moment by which it must have answered: HealthTimeout= from now. */
msec_t verdict_asked(struct verdict *v, const struct unit *u, msec_t now);

/*
 * The answer of the probe under way; sets `due`. Without one under way nothing
 * happens. `result` is WORD_SUCCESS, WORD_FAILURE, or what the check says of
 * itself (WORD_STARTING, WORD_LOADING, WORD_DISABLED): these are neither success
 * nor failure, and end a row of failures. A probe that could not even be started,
 * for want of processes or descriptors, is not the unit's failure: say WORD_UNKNOWN.
 */
enum verdict_news verdict_result(struct verdict *v, const struct unit *u, enum health_word result, msec_t now);

/*
 * The caller woke `late` ms after it wanted to (SIGSTOP, a frozen cgroup, a
 * suspended machine): the deadline and the start period move on by as much, for
 * the unit did not run either. A probe that became due meanwhile is due once.
 */
void verdict_stalled(struct verdict *v, msec_t late);

/* HealthCmd='s exit code, as StartOS numbers them: 0 success, 59 disabled, 60 starting, 61 loading, else failure. */
enum health_word health_of_exit(int code);

#endif
