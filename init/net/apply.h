/*
 * apply.h - puts addresses, routes and the MTU into the kernel, and takes away what it put there, nothing else.
 *
 * What is ours in the kernel carries our mark (address: IFA_PROTO, 5.18; route: its
 * protocol), so that an applier that begins anew knows its own. Before 5.18 an
 * address is ours when it is the one of the lease and has an end.
 */
#ifndef INIT_NET_APPLY_H
#define INIT_NET_APPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "init/net/link.h"
#include "init/net/net.h"
#include "init/net/terms.h"

struct applier {
	int nl;                    /* of link_open() */
	const struct net_setup *setup;
	struct link link;          /* index 0: there is none of that name */
	bool placed;               /* `lease` is in the kernel, as far as it let us */
	struct lease lease;
	uint32_t mtu_before, mtu_ours; /* 0: left alone */
};

/* What the kernel has on the interface now. */
struct applied {
	bool address;       /* any, whosever */
	bool lease;         /* the one of `a->lease`, ours */
	bool strange;       /* one that somebody else set for good, loopback apart */
	bool default_route; /* any */
};

/*
 * Makes the kernel have the lease for `seconds` more (UINT32_MAX: for ever): the
 * same address only gets its new time, another one replaces the one before; routes
 * are added and removed by their difference. The lease must have passed
 * terms_check(). 0, or -errno where the address could not be set; then there
 * are no routes either. What else fails is said.
 */
int apply_lease(struct applier *a, const struct lease *l, uint32_t seconds);
/* Takes away all that is ours by DHCP. */
void apply_drop(struct applier *a);
/* Address= and Gateway= of the setup; again and again is fine. */
void apply_static(struct applier *a);
/* Looks. */
struct applied apply_look(struct applier *a);

#endif
