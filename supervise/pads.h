/*
 * pads.h - launch pads: low descriptors set aside, so that a child can leave all others behind at once.
 *
 * A plain fork copies the whole table of descriptors, two for each unit's log, and
 * the child's execve closes them one by one. A child that shares the table (clone(2),
 * CLONE_FILES) costs the same however many there are. Its first act is to leave with
 * a copy of what lies below the end of its pad (close_range(2), CLOSE_RANGE_UNSHARE,
 * Linux 5.9); until it says so by a STEP_GATE without error, its pad stays as it is.
 */
#ifndef SUPERVISE_PADS_H
#define SUPERVISE_PADS_H

#include <stdint.h>

#include "supervise/child.h"

#define N_PADS 16u

/*
 * Takes the N_PADS * 3 descriptors from 3 on; call it before anything else is opened. Returns the set
 * of free pads, one bit each; 0 where the kernel has no close_range(2), or a filter hides it.
 */
uint32_t pads_open(void);
/* Moves a descriptor that was opened before out of their way: its new number, or -errno, and then it is closed. Below 0 it stays. */
int pads_clear(int fd);
/* Puts what the job's child needs (gate, root, output) on a free pad and says so in *job. Where none is free, job->pad is 0. */
void pad_take(uint32_t *free, struct job *job);
/* The child of pad `pad` (1.., 0 is none) has left, or is dead. */
void pad_give(uint32_t *free, uint32_t pad);
/* The descriptor of its gate, and the last one that belongs to it. */
void pad_range(uint32_t pad, int *gate, int *last);
/* In the child: out of the shared table, with 0 to 2 and the pad alone. 0 or -errno; then nothing may be opened or closed. */
int pad_leave(uint32_t pad);

#endif
