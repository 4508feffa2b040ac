/*
 * terms.h - the terms of a lease: what of a server's word we take, in a record of fixed size; pure.
 *
 * The client makes the record from a message; the applier, who trusts nobody,
 * looks at it again with terms_check(); so does whoever reads a saved one.
 */
#ifndef INIT_NET_TERMS_H
#define INIT_NET_TERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "init/net/wire.h"

#define LEASE_LEAST   5u    /* seconds; a shorter lease is no lease: it could only be held by flooding the server */
#define LEASE_PRESET  3600u /* seconds, where a server names none */
#define RENEW_LEAST   30u   /* seconds before the first renewal, unless the lease is short */
#define MTU_LEAST     576u  /* RFC 791: what every host must take */
#define MTU_MOST      9216u /* jumbo frames; what is more would cut the link off */
#define BITS_LEAST    8u    /* routes between the default and this would be a way to take all traffic aside */

struct lease {
	ip4_t address, broadcast, server;
	uint32_t bits;              /* of its network, 8 to 32 */
	uint32_t seconds, t1, t2;   /* seconds >= t2 >= t1; all LEASE_INFINITE where it never ends */
	uint32_t mtu;               /* 0: nothing was said, else MTU_LEAST..MTU_MOST */
	uint32_t n_hops, n_dns, n_ntp;
	struct hop hops[MOST_HOPS]; /* networks reached; bits 0 is the default route */
	ip4_t dns[MOST_DNS], ntp[MOST_NTP];
	char host[HOST_SIZE];       /* "", or a name without dots */
	char search[NAME_SIZE];     /* domains with a blank between them, the own one first */
};

/* A unicast address that a host may have: not 0/8, 127/8, nor 224/3. */
bool ip4_host_ok(ip4_t a);
/* The mask of so many bits, 0 to 32. */
ip4_t ip4_mask(uint32_t bits);

/*
 * Takes what an OFFER or ACK grants. NULL, or why it is refused as a whole: "its
 * address is none that a host may have". Single things that make no sense (a
 * gateway that cannot be reached, a DNS server on loopback, ...) are left out.
 */
const char *terms_take(const struct dhcp *m, struct lease *ret);

/* Is this record what terms_take() could have made? NULL, or what is wrong. Any bytes may be asked about. */
const char *terms_check(const struct lease *l);

/* A lease as it is kept over a restart; only the same program on the same machine reads it again. */
struct saved {
	uint32_t magic, crc; /* crc: of all that follows */
	uint32_t size;
	uint8_t mac[6], spare[2];
	int64_t until;       /* when it ends, in ms of CLOCK_REALTIME; INT64_MAX never */
	struct lease lease;
};

void terms_save(struct saved *ret, const struct lease *l, const uint8_t mac[6], int64_t until);
/* True where it is whole, ours, of this interface, and still runs at `now` for *left ms (INT64_MAX: for ever). */
bool terms_load(const struct saved *s, const uint8_t mac[6], int64_t now, struct lease *ret, int64_t *left);

#endif
