/* pump.h - from the units' log pipes into their rings, onto the container's stdout, and to those who follow. */
#ifndef INIT_CONTROL_PUMP_H
#define INIT_CONTROL_PUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/unit.h"
#include "init/control/ring.h"
#include "init/control/sink.h"

/* How long a line may go without an end before what there is of it is shown. */
#define PUMP_PATIENCE ((msec_t)1000)

struct pump {
	const struct table *table;
	struct logs logs;
	struct sink sink;
	int *fds;          /* [n + 1] owned; -1: none; place n is PID 1's */
	uint32_t *waiting; /* [n + 1] low word of when its open line began, | 1; 0: it has none */
	uint32_t n, n_waiting;
	uint32_t width;
	msec_t wall;       /* CLOCK_REALTIME - CLOCK_BOOTTIME of this turn */
	bool json;
	void (*logged)(void *self, uint32_t i, const struct entry *e, const char *text);
	void *self;
};

/* Maps the rings, opens stdout. `pipes` are [n + 1] descriptors, which the pump takes over and makes non-blocking. 0 or -errno. */
int pump_open(struct pump *p, const struct table *t, uint32_t n, int logs_fd, int out, const int *pipes);
/* "web"; "coppice" for place n. */
const char *pump_name(const struct pump *p, uint32_t i);
/* Reads once: 1 there was something, 0 nothing now, -1 the pipe has come to its end: unwatch it, then pump_drop(). */
int pump_read(struct pump *p, uint32_t i, msec_t now);
/* Closes pipe i; a line without an end is ended. */
void pump_drop(struct pump *p, uint32_t i, msec_t now);
/* Lines that have waited for their end too long. Returns when it wants to be called again, FOREVER: not. */
msec_t pump_patience(struct pump *p, msec_t now, bool all);
/* A line of the desk's own, as if PID 1 had said it. */
void pump_say(struct pump *p, msec_t now, const char *text);
/* Writes to stdout what flows, and tells what was lost. */
void pump_flush(struct pump *p, msec_t now);

#endif
