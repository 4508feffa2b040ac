/*
 * dhcp.h - the client: the lease machine with a packet socket, a clock, and nothing else.
 *
 * It trusts the applier, which alone talks to it, and nobody else. The applier
 * does not trust it.
 */
#ifndef INIT_NET_DHCP_H
#define INIT_NET_DHCP_H

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

struct dhcp_setup {
	const char *name;   /* of the interface, for messages */
	const char *host;   /* what to call ourselves, "" nothing */
	int applier;        /* SOCK_SEQPACKET */
	uint64_t seed;
};

/* Opens its sockets, gives up all rights, and lives until the applier has gone, or says stop. An exit code. */
int dhcp_main(const struct dhcp_setup *setup);

#endif
