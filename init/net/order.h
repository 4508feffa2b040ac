/*
 * order.h - what client and applier say to each other: two records of fixed size, and what the applier lets pass; pure.
 */
#ifndef INIT_NET_ORDER_H
#define INIT_NET_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/kit/time.h"
#include "init/net/lease.h"
#include "init/net/terms.h"

/* From the client. */
struct order {
	uint32_t kind;      /* enum lease_order */
	uint32_t forget;    /* 1: the saved lease is worth nothing any more */
	msec_t left;        /* ORDER_APPLY: until the lease is over; FOREVER never */
	struct lease lease; /* ORDER_APPLY */
};

/* To the client. */
enum word_kind { WORD_LINK = 1, WORD_SAVED, WORD_STOP };
struct word {
	uint32_t kind;
	uint32_t index, mtu;
	bool up, just;      /* LINK: it is there; it has just come */
	bool live;          /* SAVED: its address is still set */
	bool release;       /* STOP: give the lease back */
	uint8_t mac[6];
	msec_t left;        /* SAVED */
	struct lease lease; /* SAVED */
};

/* May it be done? NULL, or what is wrong. Any bytes may be asked about: the client reads what strangers send. */
const char *order_check(const struct order *o);

#endif
