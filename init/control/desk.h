/*
 * desk.h - the helper process between PID 1 and everybody who asks: control socket, logs, events.
 *
 * It reads what PID 1 writes down (supervise/record.h), asks PID 1 to act
 * (supervise/wire.h), and keeps nothing that cannot be lost: a new desk begins
 * with the same struct and goes on. Clients see their connection close.
 */
#ifndef INIT_CONTROL_DESK_H
#define INIT_CONTROL_DESK_H

#include <stdint.h>

#include "conf/unit.h"

struct desk_setup {
	const struct table *table; /* verified; stays mapped */
	int state_fd;              /* memfd of records, mapped read-only */
	int logs_fd;               /* memfd of rings (init/control/ring.h), mapped for writing */
	int pid1;                  /* SOCK_SEQPACKET */
	int listener;              /* SOCK_STREAM, bound and listening; -1: none now (TELL_REOPEN may bring one) */
	int logs_ep;               /* epoll(7) of all log pipes, by unit, in the order in which there is something to read */
	const int *pipes;          /* [n + 1] read ends of log pipes by unit, -1: none; [n] is PID 1's own */
	int out;                   /* the container's stdout */
	uint32_t n;                /* units */
	const char *runtime;       /* "/run/coppice" */
};

/*
 * The desk's life, in a forked child: it takes every descriptor above, closes
 * all others, gives up what it does not need, and returns an exit status when
 * PID 1 closes `pid1`. What is still in the pipes then is read and shown first.
 */
int desk_main(const struct desk_setup *setup);

#endif
