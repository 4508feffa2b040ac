/*
 * upward.h - tells the outer manager how we are, where it gave us a NOTIFY_SOCKET:
 * systemd, systemd-nspawn --notify-ready=yes, podman --sdnotify=container (sd_notify(3)).
 *
 * What can be told late is told late; nothing is ever waited for.
 */
#ifndef INIT_UPWARD_H
#define INIT_UPWARD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "conf/kit/text.h"
#include "supervise/manager.h"

/*
 * Connects, before a boot step may cover the socket, and takes NOTIFY_SOCKET,
 * WATCHDOG_USEC and WATCHDOG_PID out of our environment: they are about us alone.
 * A socket that cannot be used is told once.
 */
void upward_open(void);

/* After each turn: says what is new. Returns when it wants to be asked again, FOREVER where only something new is of interest. */
msec_t upward_look(const struct manager *m, bool reloading);

/* The last word: the status that we leave with. */
void upward_end(int status);

/* ---- upward_words.c ---- */

/* All units together, as far as somebody wants them up, or did. */
struct muster {
	uint32_t units, up, failed, waiting, left; /* waiting: for what is not going to come by itself; left: with processes */
	bool begun;  /* units have been started */
	uint8_t how; /* enum how */
};

/* Nothing is on its way any more: READY=1. What failed is told in the status, as systemd does for its own. */
bool muster_settled(const struct muster *a);
/* "degraded: 2 of 3 units up, 1 failed": a line for people, without STATUS=. */
void muster_words(struct text *to, const struct muster *a);

/*
 * The n bytes of `address` as the path of a socket (/...) or an abstract one (@...), which fits
 * unix(7); what connect(2) needs is put into `path`, 108 bytes, and its length, NUL and all, returned; 0: it is none.
 */
size_t upward_path(const char *address, char path[108]);

#endif
