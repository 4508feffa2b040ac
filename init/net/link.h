/*
 * link.h - interfaces, addresses and routes through rtnetlink(7).
 *
 * `nl` is a socket of link_open(), for requests only. Every function waits at most
 * a few seconds and returns 0 or -errno: the kernel's own word, or -ETIMEDOUT,
 * -EBADMSG. ENOBUFS, EBUSY and interrupted dumps are tried again here.
 */
#ifndef INIT_NET_LINK_H
#define INIT_NET_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "init/net/wire.h"

#define LINK_NAME 16 /* IFNAMSIZ */

/* Marks that we leave in the kernel, so that we know our own again. */
#define OURS_DHCP   16u /* RTPROT_DHCP, rtnetlink.h */
#define OURS_STATIC 4u  /* RTPROT_STATIC */

struct link {
	uint32_t index;
	uint32_t mtu;
	bool up, carrier; /* wanted up; can send */
	bool ether;       /* hardware addresses of six bytes, and broadcast */
	uint8_t mac[6];
	char name[LINK_NAME];
};

struct address {
	uint32_t index;
	ip4_t local, broadcast; /* broadcast 0: none */
	uint32_t bits;
	uint32_t left;     /* seconds, UINT32_MAX for ever; what the kernel still gives it */
	uint32_t metric;   /* of the route to its network */
	uint8_t mark;      /* OURS_*; 0 where somebody else made it, or before 5.18, which has no IFA_PROTO */
	bool no_route;     /* no route to its network */
};

struct route {
	uint32_t index;
	struct hop hop;
	ip4_t from;        /* preferred source, 0 none */
	uint32_t metric;
	uint8_t mark;
	bool onlink;       /* the gateway is on the link, though no route says so; not told by route_list() */
};

int link_open(void);
/* A non-blocking socket that becomes readable when links, IPv4 addresses or IPv4 routes change. */
int link_watch(void);
/* Takes off all that is to be read from it; what it says does not matter, for one looks oneself. */
void link_watched(int fd);

/* -ENODEV where there is none of that name. */
int link_find(int nl, const char *name, struct link *ret);
int link_up(int nl, uint32_t index);
int link_mtu(int nl, uint32_t index, uint32_t mtu);

/* Adds; with `replace`, one that is there gets the new lifetime and is not disturbed otherwise. -EEXIST without. */
int address_add(int nl, const struct address *a, bool replace);
int address_del(int nl, const struct address *a);
/* IPv4 addresses of the interface; *n in: room, out: how many were put there. */
int address_list(int nl, uint32_t index, struct address *ret, uint32_t *n);

/* -EEXIST where one with the same target and metric is there, whosever it is. */
int route_add(int nl, const struct route *r);
int route_del(int nl, const struct route *r);
/* IPv4 unicast routes of the main table that leave through the interface. */
int route_list(int nl, uint32_t index, struct route *ret, uint32_t *n);

#endif
