/*
 * wire.h - DHCP, UDP over IPv4, and ARP as bytes; pure.
 *
 * Whatever arrives is somebody else's: every reader here is total, looks at no
 * byte beyond what it was given, and writes its result only where all is sound.
 */
#ifndef INIT_NET_WIRE_H
#define INIT_NET_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "init/net/names.h"

/* An IPv4 address or mask in host byte order; 0 is none. */
typedef uint32_t ip4_t;
#define IP4(a, b, c, d) ((ip4_t)(a) << 24 | (ip4_t)(b) << 16 | (ip4_t)(c) << 8 | (ip4_t)(d))
#define IP4_EVERYBODY UINT32_MAX

#define DHCP_SERVER_PORT 67
#define DHCP_CLIENT_PORT 68

/* Option 53, RFC 2132 section 9.6. */
enum dhcp_type { DHCP_DISCOVER = 1, DHCP_OFFER, DHCP_REQUEST, DHCP_DECLINE, DHCP_ACK, DHCP_NAK, DHCP_RELEASE,
		 DHCP_INFORM, DHCP_FORCERENEW };

#define MOST_ROUTERS 4u
#define MOST_DNS     4u
#define MOST_NTP     4u
#define MOST_HOPS    32u   /* routes of one lease; more are not taken */

#define LEASE_INFINITE UINT32_MAX /* seconds, RFC 2131 section 3.3 */

/* `to`/`bits` is reached through `via`; 0: it is on the link itself (RFC 3442). */
struct hop {
	ip4_t to, via;
	uint32_t bits;
};

/* Which of these a message had; lists tell by their counts, texts by not being "". */
enum dhcp_has { HAS_LEASE = 1u << 0, HAS_T1 = 1u << 1, HAS_T2 = 1u << 2, HAS_HOPS = 1u << 3, HAS_MASK = 1u << 4 };

/* A reply, read. Values are as the server wrote them: nothing here says that they make sense. */
struct dhcp {
	uint32_t xid;
	uint32_t has;
	uint8_t type;          /* enum dhcp_type */
	uint8_t mac[6];        /* chaddr */
	uint16_t mtu;          /* option 26, 0 none */
	ip4_t client, yours, relay; /* ciaddr, yiaddr, giaddr */
	ip4_t server;          /* option 54 */
	ip4_t mask, broadcast; /* options 1, 28 */
	uint32_t lease, t1, t2; /* options 51, 58, 59: seconds */
	uint32_t n_routers, n_dns, n_ntp, n_hops, n_statics;
	ip4_t routers[MOST_ROUTERS], dns[MOST_DNS], ntp[MOST_NTP]; /* options 3, 6, 42 */
	struct hop hops[MOST_HOPS];    /* option 121 */
	struct hop statics[MOST_HOPS]; /* option 33; the mask is that of the address's class */
	/* names hold letters, digits, '-', '_' and '.', nothing else */
	char host[HOST_SIZE];          /* option 12, or the first label of option 81 */
	char domain[NAME_SIZE];        /* option 15 */
	char search[NAME_SIZE];        /* option 119, domains with a blank between them */
	char words[65];                /* option 56, printable ASCII only */
};

/* Why something was not taken. */
enum wire_fault { WIRE_SOUND, WIRE_SHORT, WIRE_NOT_IP, WIRE_IP_SUM, WIRE_FRAGMENT, WIRE_NOT_UDP, WIRE_PORT, WIRE_UDP_SUM,
		  WIRE_NOT_REPLY, WIRE_HARDWARE, WIRE_COOKIE, WIRE_OPTIONS, WIRE_TYPE, N_WIRE_FAULTS };

/* "a wrong UDP checksum": the words for a fault. */
const char *wire_words(enum wire_fault f);

/*
 * Finds the UDP payload in an IPv4 packet to port 68 from port 67 (RFC 768, RFC
 * 791). `sums`: the UDP checksum is there to be checked; on a virtual link it is
 * left to hardware that never comes (packet(7), TP_STATUS_CSUMNOTREADY).
 */
enum wire_fault wire_udp(const uint8_t *at, size_t n, bool sums, const uint8_t **payload, size_t *size);

/*
 * Reads a BOOTP reply (RFC 951, RFC 2131 section 2) with its options, split ones
 * joined (RFC 3396), those in `file` and `sname` too (option 52). A structure that
 * is not sound, or lacks its end, makes the message void; an option whose length
 * or content is wrong counts as absent, but a wrong type, server or lease voids
 * the message too.
 */
enum wire_fault wire_dhcp(const uint8_t *at, size_t n, struct dhcp *ret);

/* What we say. Zero members are left out. */
struct dhcp_out {
	uint32_t xid;
	uint8_t type;
	bool broadcast;        /* ask for the answer by broadcast */
	uint8_t mac[6];
	uint16_t secs;         /* since we began to ask */
	uint16_t most;         /* option 57: bytes of the largest IP packet we take */
	ip4_t client;          /* ciaddr: an address that we hold */
	ip4_t wanted, server;  /* options 50 and 54 */
	const char *host;      /* option 12, or 81 where it has a dot; NULL or "" is none */
	bool ask;              /* with option 55, what we would like to be told */
};

#define WIRE_DHCP 548u /* bytes that every server takes: 576 of RFC 2131 section 2, less IP and UDP */
#define WIRE_UDP  28u  /* IP and UDP headers */
#define WIRE_ARP  28u

/* Writes the message; its length, at least 300 (RFC 1542 section 2.1). */
size_t wire_put_dhcp(uint8_t out[WIRE_DHCP], const struct dhcp_out *m);
/* Writes IP and UDP headers, from port 68 to port 67, in front of `size` bytes at out + WIRE_UDP; the whole length. */
size_t wire_put_udp(uint8_t *out, ip4_t from, ip4_t to, size_t size);

/* RFC 826, for Ethernet and IPv4. */
struct arp {
	bool reply;
	uint8_t mac[6];        /* the sender's */
	ip4_t from, to;
};
bool wire_arp(const uint8_t *at, size_t n, struct arp *ret);
/* A request: `from` 0 probes for `to`, `from` == `to` announces it (RFC 5227). */
void wire_put_arp(uint8_t out[WIRE_ARP], const uint8_t mac[6], ip4_t from, ip4_t to);

#endif
