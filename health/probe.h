/*
 * probe.h - the network and file probes: a helper process that tries, and says how it went.
 *
 * PID 1 keeps the calendar (interval, timeout, retries); the helper gets one
 * struct probe_ask per try and answers it with one struct probe_tell, within the
 * timeout. HealthCmd= is not here: PID 1 alone starts processes of units.
 *
 * With an ask comes the directory that is the unit's / (O_PATH), if it has one of
 * its own: HealthUnix= and HealthFile= look into that.
 */
#ifndef HEALTH_PROBE_H
#define HEALTH_PROBE_H

#include <stdint.h>

#include "conf/unit.h"

struct probe_ask {
	uint32_t unit;    /* index in the table, which the helper maps */
	uint32_t serial;  /* repeated in the answer */
	int32_t timeout;  /* ms, at most */
	int32_t main;     /* pid whose root they look into where no directory came; 0: the container's */
};

enum probe_result { PROBE_OK, PROBE_FAILED, PROBE_N };

/*
 * Why a probe failed; the number beside it is an errno, an HTTP status, or 0.
 * DETAIL_SYSTEM: it could not be tried, which is not the unit's failure.
 */
enum probe_detail { DETAIL_NONE, DETAIL_CONNECT, DETAIL_TIMEOUT, DETAIL_NOT_LISTENING, DETAIL_STATUS, DETAIL_NOT_HTTP,
		    DETAIL_CLOSED, DETAIL_MISSING, DETAIL_SYSTEM, DETAIL_EXIT, DETAIL_SIGNAL, N_DETAILS };
#define DETAIL(what, number) ((int32_t)(((uint32_t)(what) << 16) | ((uint32_t)(number) & 0xffffu)))
#define DETAIL_WHAT(d)       ((uint32_t)(d) >> 16)
#define DETAIL_NUMBER(d)     ((uint32_t)(d) & 0xffffu)

struct probe_tell {
	uint32_t unit, serial;
	int32_t result;   /* enum probe_result */
	int32_t detail;   /* DETAIL() */
};

/*
 * The helper's life: reads asks from `sock` (SOCK_SEQPACKET) until it closes,
 * then returns an exit code. Thousands of probes at once on one epoll; an ask
 * for a unit whose probe is still under way is answered when that one is.
 */
int probe_main(int sock, const struct table *t);

/* "connection refused", "HTTP status 503", ...: the words for a detail, into a buffer of `size` bytes. Returns it. */
const char *probe_words(int32_t detail, char *into, uint32_t size);

#endif
