/* apply.c - compares what should be in the kernel with what is, and does the difference. */
#include "init/net/apply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "conf/kit/say.h"

#define MOST_THERE  128u                    /* addresses or routes looked at on one interface */
#define MOST_WANTED (MOST_HOPS + MOST_HOPS) /* of one lease, with the gateways' own */

static uint32_t metric(const struct applier *a)
{
	return a->setup->metric ? a->setup->metric : 1000 + a->link.index;
}

static void say_ip(enum level level, const struct applier *a, ip4_t ip, uint32_t bits, const char *what, int error)
{
	say(level, "%s: %u.%u.%u.%u/%u: %s%s%s", a->setup->name, ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255, bits, what,
	    error ? ": " : "", error ? strerror(-error) : "");
}

static bool is_ours(const struct applier *a, const struct address *x)
{
	if (x->mark)
		return x->mark == OURS_DHCP;
	return a->placed && x->local == a->lease.address && x->bits == a->lease.bits &&
	       (x->left != UINT32_MAX || a->lease.seconds == LEASE_INFINITE);
}

/* ---- the address ---- */

static int place_address(struct applier *a, const struct lease *l, uint32_t seconds)
{
	struct address there[MOST_THERE];
	struct address want = { .index = a->link.index, .local = l->address, .broadcast = l->broadcast, .bits = l->bits,
				.left = seconds, .metric = metric(a), .mark = OURS_DHCP, .no_route = a->setup->no_prefix_route };
	uint32_t n = MOST_THERE;
	bool replace = false;
	int e = address_list(a->nl, a->link.index, there, &n);

	if (e < 0)
		return e;
	for (uint32_t i = 0; i < n; i++) {
		bool same = there[i].local == want.local && there[i].bits == want.bits;

		if (same && !is_ours(a, &there[i])) {
			say_ip(SAY_WARNING, a, want.local, want.bits, "was set by somebody else; it stays theirs", 0);
			return 0;
		}
		replace = replace || same;
		/* The old one first: the new one may lie in the same network, and would be its second. */
		if (!same && is_ours(a, &there[i]))
			(void)address_del(a->nl, &there[i]);
	}
	e = address_add(a->nl, &want, replace);
	/* Gone, or there, since we looked. */
	if (e == -EEXIST || e == -ENOENT)
		e = address_add(a->nl, &want, !replace);
	return e;
}

static void remove_addresses(struct applier *a)
{
	struct address there[MOST_THERE];
	uint32_t n = MOST_THERE;

	if (address_list(a->nl, a->link.index, there, &n) < 0)
		return;
	for (uint32_t i = 0; i < n; i++) {
		int e = is_ours(a, &there[i]) ? address_del(a->nl, &there[i]) : 0;

		if (e < 0 && e != -EADDRNOTAVAIL && e != -ENODEV)
			say_ip(SAY_ERROR, a, there[i].local, there[i].bits, "could not be taken away", e);
	}
}

/* ---- routes ---- */

static bool same_route(const struct route *a, const struct route *b)
{
	return a->hop.to == b->hop.to && a->hop.bits == b->hop.bits && a->hop.via == b->hop.via && a->metric == b->metric;
}

static void want_route(struct route *want, uint32_t *n, struct route r)
{
	for (uint32_t i = 0; i < *n; i++)
		if (want[i].hop.to == r.hop.to && want[i].hop.bits == r.hop.bits)
			return;
	if (*n < MOST_WANTED)
		want[(*n)++] = r;
}

/* The gateway of a lone address, and one that no route leads to, gets a route of its own. */
static uint32_t wanted_routes(const struct applier *a, const struct lease *l, struct route want[MOST_WANTED])
{
	bool alone = l->bits == 32 || a->setup->no_prefix_route;
	uint32_t n = 0;

	if (!a->setup->use_routes)
		return 0;
	for (uint32_t i = 0; i < l->n_hops; i++) {
		const struct hop *h = &l->hops[i];
		struct route r = { .index = a->link.index, .hop = *h, .from = l->address, .metric = metric(a), .mark = OURS_DHCP };
		struct route gateway = r;

		gateway.hop = (struct hop){ .to = h->via, .bits = 32 };
		if (alone && h->via)
			want_route(want, &n, gateway);
		r.onlink = alone && h->via;
		want_route(want, &n, r);
	}
	return n;
}

static void reconcile_routes(struct applier *a, const struct route *want, uint32_t n)
{
	struct route there[MOST_THERE];
	uint32_t have = MOST_THERE, k;
	int e = route_list(a->nl, a->link.index, there, &have);

	if (e < 0) {
		say(SAY_ERROR, "%s: its routes cannot be read: %s; they stay as they are", a->setup->name, strerror(-e));
		return;
	}
	for (uint32_t i = 0; i < have; i++) {
		for (k = 0; k < n && !same_route(&there[i], &want[k]); k++)
			continue;
		if (there[i].mark == OURS_DHCP && k == n)
			(void)route_del(a->nl, &there[i]);
	}
	for (uint32_t i = 0; i < n; i++) {
		for (k = 0; k < have && !same_route(&there[k], &want[i]); k++)
			continue;
		if (k < have)
			continue;
		e = route_add(a->nl, &want[i]);
		if (e == -EEXIST)
			say_ip(SAY_WARNING, a, want[i].hop.to, want[i].hop.bits, "there is a route already, and it stays", 0);
		else if (e < 0)
			say_ip(SAY_ERROR, a, want[i].hop.to, want[i].hop.bits, "the route could not be set", e);
	}
}

/* ---- the MTU ---- */

static void place_mtu(struct applier *a, uint32_t mtu)
{
	int e;

	if (!mtu && a->mtu_ours && a->link.mtu == a->mtu_ours)
		mtu = a->mtu_before;
	if (!mtu || mtu == a->link.mtu)
		return;
	e = link_mtu(a->nl, a->link.index, mtu);
	if (e < 0) {
		say(SAY_WARNING, "%s: an MTU of %u was refused: %s", a->setup->name, mtu, strerror(-e));
		return;
	}
	if (!a->mtu_ours)
		a->mtu_before = a->link.mtu;
	a->link.mtu = mtu;
	a->mtu_ours = mtu == a->mtu_before ? 0 : mtu;
}

/* ---- what is called ---- */

int apply_lease(struct applier *a, const struct lease *l, uint32_t seconds)
{
	struct route want[MOST_WANTED];
	int e;

	if (!a->link.index)
		return -ENODEV;
	if (a->setup->use_mtu)
		place_mtu(a, l->mtu);
	e = place_address(a, l, seconds);
	if (e < 0) {
		say_ip(SAY_ERROR, a, l->address, l->bits, "could not be set", e);
		return e;
	}
	a->lease = *l;
	a->placed = true;
	reconcile_routes(a, want, wanted_routes(a, l, want));
	return 0;
}

void apply_drop(struct applier *a)
{
	if (a->link.index) {
		reconcile_routes(a, NULL, 0);
		remove_addresses(a);
		place_mtu(a, 0);
	}
	a->placed = false;
}

/* Can the kernel find the gateway by itself? */
static bool gateway_near(const struct net_setup *s)
{
	for (uint32_t i = 0; i < s->n_addresses; i++)
		if (!((s->addresses[i].local ^ s->gateway) & ip4_mask(s->addresses[i].bits)) && s->addresses[i].bits < 32)
			return !s->no_prefix_route;
	return false;
}

void apply_static(struct applier *a)
{
	const struct net_setup *s = a->setup;
	struct route gateway = { .index = a->link.index, .hop.via = s->gateway, .onlink = !gateway_near(s),
				 .metric = metric(a), .mark = OURS_STATIC };
	int e;

	for (uint32_t i = 0; i < s->n_addresses; i++) {
		ip4_t ip = s->addresses[i].local;
		uint32_t bits = s->addresses[i].bits;
		struct address want = { .index = a->link.index, .local = ip, .bits = bits, .left = UINT32_MAX, .metric = metric(a), .mark = OURS_STATIC,
					.broadcast = bits < 31 ? ip | ~ip4_mask(bits) : 0, .no_route = s->no_prefix_route };

		e = address_add(a->nl, &want, false);
		if (e < 0 && e != -EEXIST)
			say_ip(SAY_ERROR, a, ip, bits, "could not be set", e);
	}
	/* Routes need the link. */
	if (!s->gateway || !a->link.up)
		return;
	e = route_add(a->nl, &gateway);
	if (e < 0 && e != -EEXIST)
		say_ip(SAY_ERROR, a, s->gateway, 32, "could not be made the gateway", e);
}

struct applied apply_look(struct applier *a)
{
	struct address addresses[MOST_THERE];
	struct route routes[MOST_THERE];
	struct applied ret = { 0 };
	uint32_t n = MOST_THERE;

	if (!a->link.index || address_list(a->nl, a->link.index, addresses, &n) < 0)
		return ret;
	for (uint32_t i = 0; i < n; i++) {
		bool ours = is_ours(a, &addresses[i]);

		ret.address = true;
		ret.lease = ret.lease || (ours && addresses[i].local == a->lease.address);
		ret.strange = ret.strange || (!ours && addresses[i].mark != OURS_STATIC && addresses[i].left == UINT32_MAX &&
					      addresses[i].local >> 24 != 127);
	}
	n = MOST_THERE;
	if (route_list(a->nl, a->link.index, routes, &n) < 0)
		return ret;
	for (uint32_t i = 0; i < n; i++)
		ret.default_route = ret.default_route || routes[i].hop.bits == 0;
	return ret;
}
