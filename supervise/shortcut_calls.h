/* shortcut_calls.h - what one shortcut holds, and the two who know: PID 1 writes it, its child reads it. */
#ifndef SUPERVISE_SHORTCUT_CALLS_H
#define SUPERVISE_SHORTCUT_CALLS_H

#include <linux/capability.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/kit/arena.h"
#include "supervise/child.h"
#include "supervise/shortcut.h"

#define MOST_CALLS 40u

struct call {
	uint16_t number;
	int8_t want;   /* what it has to return; -1: whatever is not an error */
	uint8_t step;  /* enum step */
	long arg[4];
};

/* What the kernel's rt_sigaction(2) takes, on all machines: its handler comes first, and the rest may be 0. */
struct action { unsigned long handler, rest[3]; };

struct shortcut {
	_Alignas(4096) char stack[1024]; /* grows down from its end */
	struct launch what;
	int gate, last;                  /* our end of it; the last descriptor of its pad */
	uint32_t n;
	bool full;
	struct call calls[MOST_CALLS];
	struct report report;
	struct action ignore;
	struct __user_cap_header_struct head;
	struct __user_cap_data_struct caps[2];
	struct arena arena;              /* of `room` */
	_Alignas(max_align_t) char room[4864];
};
_Static_assert(sizeof(struct shortcut) == 8192, "two pages, of which most starts touch the first");

/*
 * Writes down the start of *job, by the unit's table and PID 1's environment; `plain_root`: PID 1 is who
 * it is to be. False where it is not for a shortcut after all.
 */
bool shortcut_write(struct shortcut *s, const struct job *job, bool plain_root);
/* The life of the child: makes the calls of a struct shortcut, and does not return. Where it cannot be had: NULL. */
extern int (*const shortcut_run)(void *self);

#endif
