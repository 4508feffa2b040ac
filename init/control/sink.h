/*
 * sink.h - the container's stdout, which may be slow, dead or a terminal that was stopped: nobody waits for it.
 *
 * Lines go into a bounded buffer and from there out, as fast as it flows. What
 * does not fit is counted, and told in one line once it flows again.
 */
#ifndef INIT_CONTROL_SINK_H
#define INIT_CONTROL_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "init/control/json.h"

#define SINK_MOST (64u << 10)

struct sink {
	int fd;          /* owned */
	bool socket;     /* MSG_DONTWAIT does it */
	bool ours;       /* an open file description of our own: O_NONBLOCK does it */
	bool file;       /* never blocks */
	bool blocked;    /* wait until it can be written to */
	bool full;       /* lines are being dropped */
	bool dead;       /* the last try failed: nobody reads, or nothing can be written there */
	uint64_t lost;   /* since this was last told */
	struct buf out;
};

/* Opens what `fd` is anew, where that is needed for not waiting without making others not wait. `fd` stays the caller's. 0 or -errno. */
int sink_open(struct sink *ret, int fd);
void sink_close(struct sink *s);
/* Takes a whole line or none; false where it was dropped, and counted. */
bool sink_line(struct sink *s, const char *line, size_t n);
/* Writes what flows. `blocked` says whether something is left that it is worth waiting for. */
void sink_flush(struct sink *s);
/* How many lines were lost, once it flows again: 0 until then, and after it was asked. */
uint64_t sink_told(struct sink *s);

#endif
