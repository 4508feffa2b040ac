/*
 * loop.h - timers, and the only place that waits.
 *
 * Timers live inside their owners, the heap has room for all of them from the
 * start: arming cannot fail. A source is a descriptor, a kind, and an index.
 */
#ifndef SUPERVISE_LOOP_H
#define SUPERVISE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/kit/time.h"

struct timer {
	msec_t at;
	uint32_t place; /* in the heap, counted from 1; 0: not armed */
	uint32_t id;    /* the owner's: handed back when it is due */
};

struct loop {
	int ep;
	struct timer **heap; /* [1..most] */
	uint32_t n, most;
	uint64_t turns;
};

/* What epoll hands back for a descriptor. */
#define SOURCE(kind, index) ((uint64_t)(kind) << 32 | (uint32_t)(index))
#define SOURCE_KIND(s)      ((uint32_t)((s) >> 32))
#define SOURCE_INDEX(s)     ((uint32_t)(s))

/* Makes it with room for `most` timers in `heap` (most + 1 pointers, the caller's, as long as the loop). 0 or -errno. */
int loop_open(struct loop *l, struct timer **heap, uint32_t most);

/* Due at `at`; FOREVER disarms. Armed already: moved. */
void timer_arm(struct loop *l, struct timer *t, msec_t at);
void timer_disarm(struct loop *l, struct timer *t);
/* Takes the next timer that is due at `now` out of the heap, or NULL. */
struct timer *timer_due(struct loop *l, msec_t now);

/* Watches a descriptor for input (and for its other end to go). 0 or -errno. Does not own it: unwatch before closing. */
int loop_watch(struct loop *l, int fd, uint64_t source);
void loop_unwatch(struct loop *l, int fd);

#define LOOP_EVENTS 64

/*
 * Waits until a source is ready or the next timer is due; puts the ready
 * sources into `ret` and returns how many (0 when only time went by). *late is
 * by how many ms the wait outlasted the next timer (suspended, stopped). It
 * waits `most` ms at most; 0: it only looks, as the caller has work left.
 */
int loop_wait(struct loop *l, msec_t now, msec_t most, uint64_t ret[LOOP_EVENTS], msec_t *late);

/* Leaves the processors to others until `fd` can be read, but for no timer longer than it has, and for LOOP_DOZE ms at most. The time. */
msec_t loop_doze(const struct loop *l, msec_t now, int fd);
#define LOOP_DOZE 1

#endif
