/*
 * shortcut.h - a start that is system calls alone: PID 1 writes them down, a child in PID 1's memory makes them.
 *
 * What a fork costs is the copy of PID 1's memory, first its page tables, then page
 * by page, for a child that throws all of it away at once. A start that touches no
 * image, no file of the unit's and nobody's name needs no memory of its own: its
 * child (clone(2), CLONE_VM) goes down a list of numbers, calls nothing of ours or of
 * the C library's, and writes to its own shortcut only. It can do PID 1 no harm:
 * killing it kills it alone, it dumps no core (core(5): PID 1 is not dumpable, and
 * so is whoever shares its memory), and until its last call but one it hears no signal.
 *
 * Where a call is refused, the same start is done again the long way, by a fork
 * (supervise/child.c): that knows remedies, and words for what went wrong.
 */
#ifndef SUPERVISE_SHORTCUT_H
#define SUPERVISE_SHORTCUT_H

#include <stdbool.h>
#include <stdint.h>

#include "supervise/child.h"

#define N_SHORTCUTS 16u

struct shortcut;

struct launch { enum phase phase; uint32_t command; }; /* command: its word index */

struct shortcuts {
	struct shortcut *at; /* [N_SHORTCUTS], or NULL: there are none */
	uint32_t free;       /* one bit each */
	bool used;           /* some were, since they rested */
	bool plain_root;     /* PID 1 is root by every number, and in no other group: no child has to become it */
	bool refused;        /* this kernel, or a filter, does not let a start go this way */
};

/* Makes them; where that cannot be, or this machine's calls are not known, there are none. */
void shortcuts_open(struct shortcuts *all);
/* Is the unit one whose starts can be system calls alone, by what it asks for? Pure. */
bool shortcut_fits(const struct table *t, const struct unit *u);
/* Writes down the start of *job, which has a pad. Its number (1..), or 0: none is free, or this start is not for it. */
uint8_t shortcut_take(struct shortcuts *all, const struct job *job);
/* Clones the child that does it: its pid, or -errno. */
int32_t shortcut_start(struct shortcuts *all, uint8_t number);
/* What the start by `number` is for. */
struct launch shortcut_launch(const struct shortcuts *all, uint8_t number);
/* The child of `number` was executed, or is dead; 0 is none. */
void shortcut_give(struct shortcuts *all, uint8_t number);
/* All are taken, and more starts could go that way. */
bool shortcuts_crowded(const struct shortcuts *all);
/* No start is under way by one of them: all that they point to may go. */
bool shortcuts_idle(const struct shortcuts *all);
/* Nobody starts anything just now: where all are free, their memory goes back to the kernel. */
void shortcuts_rest(struct shortcuts *all);

#endif
