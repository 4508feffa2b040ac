/* net_terms.c - what of a server's word is taken: absurd addresses, times, routes, and leases that were kept. */
#include "init/net/order.h"

#include <string.h>

#include "tests/lib/tap.h"

#define SERVER IP4(198, 51, 100, 1)
#define YOURS  IP4(198, 51, 100, 50)

static struct dhcp plain(void)
{
	return (struct dhcp){ .type = DHCP_ACK, .yours = YOURS, .server = SERVER, .mask = 0xffffff00, .has = HAS_MASK | HAS_LEASE, .lease = 3600 };
}

static struct lease taken(const struct dhcp *d)
{
	struct lease l;

	memset(&l, 0, sizeof(l));
	if (terms_take(d, &l) || terms_check(&l))
		memset(&l, 0, sizeof(l));
	return l;
}

static void addresses(void)
{
	static const struct { ip4_t yours, mask; bool masked; uint32_t bits; const char *what; } cases[] = {
		{ YOURS, 0xffffff00, true, 24, "a plain one" }, { YOURS, 0xffffffff, true, 32, "a lone one" }, { YOURS, 0xfffffffe, true, 31,
		      "one of a pair" },
		{ YOURS, 0, false, 24, "without a mask, by its class" }, { IP4(10, 1, 2, 3), 0, false, 8, "without a mask, class A" },
		{ IP4(172, 16, 2, 3), 0, false, 16, "without a mask, class B" }, { IP4(10, 1, 2, 3), 0xff000000, true, 8, "the widest network" },
		{ 0, 0xffffff00, true, 0, "none" }, { IP4(0, 1, 2, 3), 0xffffff00, true, 0,
		      "0.1.2.3" }, { IP4(127, 0, 0, 1), 0xffffff00, true, 0, "loopback" },
		{ IP4(224, 0, 0, 5), 0xffffff00, true, 0, "multicast" }, { IP4(240, 0, 0, 5), 0xffffff00, true, 0, "240.0.0.5" },
		{ IP4_EVERYBODY, 0xffffff00, true, 0, "255.255.255.255" }, { YOURS, 0, true, 0,
		      "a mask of nothing" }, { YOURS, 0xff00ff00, true, 0, "a mask with a hole" },
		{ YOURS, 0x000000ff, true, 0, "a mask turned round" }, { YOURS, 0xfe000000, true, 0,
		      "a mask too wide" }, { YOURS, 0x80000000, true, 0, "half of the world" },
		{ IP4(198, 51, 100, 0), 0xffffff00, true, 0, "the network's own" }, { IP4(198, 51, 100, 255), 0xffffff00, true, 0,
		      "the broadcast address" },
		{ SERVER, 0xffffff00, true, 0, "the server's own" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dhcp d = plain();

		d.yours = cases[i].yours;
		d.mask = cases[i].mask;
		d.has = HAS_LEASE | (cases[i].masked ? HAS_MASK : 0);
		struct lease l = taken(&d);
		CHECK(l.bits == cases[i].bits, "address: %s: %s", cases[i].what, cases[i].bits ? "taken" : "refused");
	}
	struct dhcp d = plain();
	d.server = IP4(127, 0, 0, 1);
	CHECK(!taken(&d).bits, "a server on loopback is none");
	d = plain();
	d.broadcast = IP4(8, 8, 8, 8);
	CHECK(taken(&d).broadcast == IP4(198, 51, 100, 255), "the broadcast address is the network's, whatever is said");
}

static void times(void)
{
	static const struct { uint32_t has, lease, t1, t2, want, want1, want2; const char *what; } cases[] = {
		{ HAS_LEASE, 3600, 0, 0, 3600, 1800, 3150, "half and seven eighths" },
		{ HAS_LEASE | HAS_T1 | HAS_T2, 3600, 100, 200, 3600, 100, 200, "as the server says" },
		{ HAS_LEASE | HAS_T1 | HAS_T2, 20, 5, 10, 20, 5, 10, "as the server says, short" },
		{ HAS_LEASE | HAS_T1 | HAS_T2, 3600, 3000, 2000, 3600, 1800, 2000, "T1 after T2" },
		{ HAS_LEASE | HAS_T1 | HAS_T2, 3600, 100, 7200, 3600, 100, 3150, "T2 after the end" },
		{ HAS_LEASE | HAS_T1 | HAS_T2, 3600, 9000, 8000, 3600, 1800, 3150, "both after the end" },
		{ HAS_LEASE | HAS_T1 | HAS_T2, 3600, 0, 0, 3600, 30, 3150, "T1 and T2 of nothing" },
		{ HAS_LEASE | HAS_T1, 86400, 1, 0, 86400, 30, 75600, "T1 of a second" },
		{ HAS_LEASE | HAS_T1, 20, 1, 0, 20, 2, 18, "T1 of a second, in a short lease" },
		{ HAS_LEASE | HAS_T2, 3600, 0, 10, 3600, 1800, 3150, "T2 too soon" },
		{ 0, 0, 0, 0, 3600, 1800, 3150, "no lease time at all" },
		{ HAS_LEASE, 0, 0, 0, 0, 0, 0, "no time" }, { HAS_LEASE, 1, 0, 0, 0, 0, 0, "a second" }, { HAS_LEASE, 4, 0, 0, 0, 0, 0,
		      "four seconds" },
		{ HAS_LEASE, 5, 0, 0, 5, 2, 5, "five seconds" }, { HAS_LEASE | HAS_T1 | HAS_T2, 5, 0, 0, 5, 1, 5,
		      "five seconds, T1 and T2 of nothing" },
		{ HAS_LEASE, UINT32_MAX, 0, 0, UINT32_MAX, UINT32_MAX, UINT32_MAX, "for ever" },
		{ HAS_LEASE | HAS_T1 | HAS_T2, UINT32_MAX, 5, 9, UINT32_MAX, UINT32_MAX, UINT32_MAX, "for ever, T1 and T2 or not" },
		{ HAS_LEASE, UINT32_MAX - 1, 0, 0, UINT32_MAX - 1, UINT32_MAX / 2, UINT32_MAX - 1 - UINT32_MAX / 8, "nearly for ever" },
		{ HAS_LEASE | HAS_T1 | HAS_T2, 3600, UINT32_MAX, UINT32_MAX, 3600, 1800, 3150, "T1 and T2 for ever" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dhcp d = plain();

		d.has = HAS_MASK | cases[i].has;
		d.lease = cases[i].lease;
		d.t1 = cases[i].t1;
		d.t2 = cases[i].t2;
		struct lease l = taken(&d);
		CHECK(l.seconds == cases[i].want && l.t1 == cases[i].want1 && l.t2 == cases[i].want2,
		      "times: %s: %u, T1 %u, T2 %u", cases[i].what, l.seconds, l.t1, l.t2);
	}
}

static bool has_hop(const struct lease *l, ip4_t to, uint32_t bits, ip4_t via)
{
	for (uint32_t i = 0; i < l->n_hops; i++)
		if (l->hops[i].to == to && l->hops[i].bits == bits && l->hops[i].via == via)
			return true;
	return false;
}

static void routes(void)
{
	struct dhcp d = plain();
	struct lease l;

	d.n_routers = 2;
	d.routers[0] = IP4(203, 0, 113, 1);
	d.routers[1] = SERVER;
	l = taken(&d);
	CHECK(l.n_hops == 1 && has_hop(&l, 0, 0, SERVER), "of routers, the first on the link; one outside is left out");
	d.routers[1] = YOURS;
	CHECK(taken(&d).n_hops == 0, "we are no router of our own");
	d.routers[0] = IP4(198, 51, 100, 255);
	CHECK(taken(&d).n_hops == 0, "nor is the broadcast address");
	d = plain();
	d.mask = UINT32_MAX;
	d.n_routers = 1;
	d.routers[0] = IP4(10, 0, 0, 1);
	l = taken(&d);
	CHECK(l.bits == 32 && has_hop(&l, 0, 0, IP4(10, 0, 0, 1)), "a lone address has its gateway on the link");
	d.routers[0] = IP4(127, 0, 0, 1);
	CHECK(taken(&d).n_hops == 0, "but not on loopback");

	d = plain();
	d.has |= HAS_HOPS;
	d.n_hops = 1;
	d.hops[0] = (struct hop){ .to = IP4(203, 0, 113, 0), .bits = 24, .via = SERVER };
	d.n_routers = 1;
	d.routers[0] = SERVER;
	d.n_statics = 1;
	d.statics[0] = (struct hop){ .to = IP4(10, 0, 0, 0), .bits = 8, .via = SERVER };
	l = taken(&d);
	CHECK(l.n_hops == 1 && has_hop(&l, IP4(203, 0, 113, 0), 24, SERVER), "option 121 takes the place of 3 and 33");
	d.has &= ~(uint32_t)HAS_HOPS;
	l = taken(&d);
	CHECK(l.n_hops == 2 && has_hop(&l, 0, 0, SERVER) && has_hop(&l, IP4(10, 0, 0, 0), 8, SERVER), "without it, they count");

	static const struct { struct hop h; bool good; const char *what; } cases[] = {
		{ { 0, SERVER, 0 }, true, "default" }, { { 0, 0, 0 }, false, "default without a gateway" }, { { 0, SERVER, 1 }, false,
		      "0/1, half of the world" },
		{ { IP4(128, 0, 0, 0), SERVER, 1 }, false, "128/1, the other half" }, { { IP4(64, 0, 0, 0), SERVER, 7 }, false, "a /7" },
		{ { IP4(10, 0, 0, 0), SERVER, 8 }, true, "10/8" }, { { IP4(127, 0, 0, 0), SERVER, 8 }, false,
		      "loopback" }, { { IP4(224, 0, 0, 0), SERVER, 8 }, false, "multicast" },
		{ { IP4(255, 255, 255, 255), SERVER, 32 }, false, "broadcast" }, { { IP4(10, 0, 0, 1), SERVER, 24 }, false, "bits behind the mask" },
		{ { IP4(10, 0, 0, 0), IP4(203, 0, 113, 9), 8 }, false, "a gateway outside" }, { { IP4(10, 0, 0, 0), YOURS, 8 }, false,
		      "ourselves as the gateway" },
		{ { IP4(203, 0, 113, 0), 0, 24 }, true, "a network on the link" }, { { IP4(198, 51, 100, 0), 0, 24 }, false,
		      "the own network, which the kernel knows" },
		{ { IP4(8, 8, 8, 8), SERVER, 32 }, true, "a single host" }, { { IP4(10, 0, 0, 0), SERVER, 33 }, false, "a width of 33" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		d = plain();
		d.has |= HAS_HOPS;
		d.n_hops = 1;
		d.hops[0] = cases[i].h;
		l = taken(&d);
		CHECK(l.bits == 24 && l.n_hops == cases[i].good, "route: %s: %s", cases[i].what, cases[i].good ? "taken" : "left out");
		if (cases[i].good || !cases[i].h.bits || cases[i].h.to == IP4(198, 51, 100, 0))
			continue;
		l = taken(&(struct dhcp){ .yours = YOURS, .server = SERVER, .mask = 0xffffff00, .has = HAS_MASK });
		l.n_hops = 1;
		l.hops[0] = cases[i].h;
		CHECK(terms_check(&l), "and the applier refuses it from its client");
	}
	d = plain();
	d.has |= HAS_HOPS;
	d.n_hops = 3;
	d.hops[0] = (struct hop){ .to = IP4(10, 0, 0, 0), .bits = 8, .via = IP4(203, 0, 113, 9) };
	d.hops[1] = (struct hop){ .to = IP4(203, 0, 113, 0), .bits = 24 };
	d.hops[2] = d.hops[0];
	l = taken(&d);
	CHECK(l.n_hops == 2 && l.hops[0].bits == 24 && has_hop(&l, IP4(10, 0, 0, 0), 8, IP4(203, 0, 113, 9)),
	      "a gateway in a network that another route puts on the link; nothing twice");
}

static void rest(void)
{
	static const struct { uint16_t said; uint32_t want; } mtus[] = {
		{ 0, 0 }, { 1, 576 }, { 68, 576 }, { 575, 576 }, { 576, 576 }, { 1280, 1280 }, { 1500, 1500 },
		{ 9000, 9000 }, { 9216, 9216 }, { 9217, 0 }, { 65535, 0 },
	};
	struct dhcp d = plain();
	struct lease l;

	for (size_t i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
		d.mtu = mtus[i].said;
		CHECK(taken(&d).mtu == mtus[i].want, "an MTU of %u is %u to us", mtus[i].said, mtus[i].want);
	}
	d = plain();
	d.n_dns = 4;
	d.dns[0] = IP4(127, 0, 0, 53);
	d.dns[1] = IP4(1, 1, 1, 1);
	d.dns[2] = 0;
	d.dns[3] = IP4_EVERYBODY;
	l = taken(&d);
	CHECK(l.n_dns == 1 && l.dns[0] == IP4(1, 1, 1, 1), "name servers on loopback and nowhere are left out");
	memcpy(d.domain, "example.org", 12);
	memcpy(d.search, "a.example.org example.org b", 28);
	memcpy(d.host, "box.example.org", 16);
	l = taken(&d);
	CHECK(!strcmp(l.search, "example.org a.example.org b"), "the domain comes first in the search list, and once (%s)", l.search);
	CHECK(!strcmp(l.host, "box"), "of a long host name, the first label");
	memset(d.search, 'a', 255);
	for (size_t i = 50; i < 255; i += 50)
		d.search[i] = ' ';
	l = taken(&d);
	CHECK(l.bits == 24 && strlen(l.search) < NAME_SIZE && !strncmp(l.search, "example.org aaa", 15),
	      "what finds no room in the search list is left out whole");
}

/* What the applier asks of a record that a client, perhaps another's by now, sends it. */
static void records(void)
{
	struct dhcp d = plain();
	struct lease good = taken(&d), l;
	uint32_t refused = 0;

	CHECK(!terms_check(&good), "what was taken passes");
#define SPOIL(what, ...) do { l = good; __VA_ARGS__; CHECK(terms_check(&l), "record: %s is refused", what); } while (0)
	SPOIL("another broadcast address", l.broadcast++);
	SPOIL("T1 after T2", l.t1 = l.t2 + 1);
	SPOIL("T2 after the end", l.t2 = l.seconds + 1);
	SPOIL("no T1", l.t1 = 0);
	SPOIL("an MTU of 68", l.mtu = 68);
	SPOIL("an MTU of 65535", l.mtu = 65535);
	SPOIL("33 routes", l.n_hops = 33);
	SPOIL("UINT32_MAX name servers", l.n_dns = UINT32_MAX);
	SPOIL("five time servers", l.n_ntp = 5);
	SPOIL("a fifth name server, sound by chance", (l.n_dns = 5, l.dns[0] = l.dns[1] = l.dns[2] = l.dns[3] = l.ntp[0] = SERVER));
	SPOIL("a fifth time server, sound by chance", (l.n_ntp = 5, l.ntp[0] = l.ntp[1] = l.ntp[2] = l.ntp[3] = SERVER, memcpy(l.host, "abcd", 5)));
	SPOIL("a 33rd route, sound by chance", {
		l.n_hops = 33;
		for (uint32_t i = 0; i < 32; i++)
			l.hops[i] = (struct hop){ .to = IP4(10, i, 0, 0), .bits = 16, .via = SERVER };
		l.dns[0] = IP4(10, 99, 0, 0);
		l.dns[1] = SERVER;
		l.dns[2] = 16;
	});
	SPOIL("a name server of loopback", (l.n_dns = 1, l.dns[0] = IP4(127, 0, 0, 1)));
	SPOIL("a host name without an end", memset(l.host, 'a', sizeof(l.host)));
	SPOIL("a host name with a dot", memcpy(l.host, "a.b", 4));
	SPOIL("a host name with a newline", memcpy(l.host, "a\nb", 4));
	SPOIL("a search list without an end", memset(l.search, 'a', sizeof(l.search)));
	SPOIL("a search list with a newline", memcpy(l.search, "a\nnameserver", 13));
	SPOIL("a search list of a blank", memcpy(l.search, " ", 2));
	SPOIL("two routes to the same", (l.n_hops = 2, l.hops[0] = l.hops[1] = (struct hop){ .via = SERVER }));
	uint64_t z = 1;
	for (int i = 0; i < 20000; i++) {
		uint8_t *at = (uint8_t *)&l;

		for (size_t k = 0; k < sizeof(l); k++)
			at[k] = (uint8_t)((z = z * 6364136223846793005u + 1442695040888963407u) >> 56);
		refused += terms_check(&l) != NULL;
	}
	CHECK(refused == 20000, "twenty thousand records of noise are refused");
}

static void orders(void)
{
	struct dhcp d = plain();
	struct order good = { .kind = ORDER_APPLY, .left = 3600000, .lease = taken(&d) }, o;

	CHECK(!order_check(&good), "an order to apply a sound lease passes");
	o = good;
	o.left++;
	CHECK(order_check(&o), "not for longer than it lasts");
	o.left = 0;
	CHECK(order_check(&o), "not when it is over");
	o.left = INT64_MIN;
	CHECK(order_check(&o), "not before its time");
	o.left = FOREVER;
	CHECK(order_check(&o), "not for ever");
	o = good;
	o.kind = 3;
	CHECK(order_check(&o), "there are no other orders");
	o.kind = UINT32_MAX;
	CHECK(order_check(&o), "really not");
	memset(&o, 0xff, sizeof(o));
	o.kind = ORDER_DROP;
	CHECK(!order_check(&o), "to drop needs no lease");
}

static void kept(void)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 }, other[6] = { 2, 0, 0, 0, 0, 2 };
	struct dhcp d = plain();
	struct lease l = taken(&d), back;
	struct saved s, spoilt;
	int64_t left = 0, now = 1700000000000;
	uint32_t missed = 0;

	terms_save(&s, &l, mac, now + 1000000);
	CHECK(terms_load(&s, mac, now, &back, &left) && left == 1000000 && !memcmp(&back, &l, sizeof(l)), "a lease is kept, and comes back");
	CHECK(!terms_load(&s, other, now, &back, &left), "not for another card");
	CHECK(!terms_load(&s, mac, now + 1000000, &back, &left), "not when it is over");
	CHECK(!terms_load(&s, mac, now - 3600000, &back, &left), "not when the clock was set back, so that it would last longer than it is");
	CHECK(!terms_load(&s, mac, -5, &back, &left), "not with a clock before its time");
	for (size_t bit = 0; bit < sizeof(s) * 8; bit++) {
		spoilt = s;
		((uint8_t *)&spoilt)[bit / 8] ^= (uint8_t)(1u << bit % 8);
		missed += terms_load(&spoilt, mac, now, &back, &left);
	}
	CHECK(missed == 0, "any bit of its %zu that flips is noticed", sizeof(s) * 8);
	d.lease = LEASE_INFINITE;
	l = taken(&d);
	terms_save(&s, &l, mac, INT64_MAX);
	CHECK(terms_load(&s, mac, now, &back, &left) && left == INT64_MAX, "an infinite one stays infinite");
	l.seconds = 3600;
	l.t1 = l.t2 = 60;
	terms_save(&s, &l, mac, INT64_MAX);
	CHECK(!terms_load(&s, mac, now, &back, &left), "but none becomes so");
}

int main(void)
{
	addresses();
	times();
	routes();
	rest();
	records();
	orders();
	kept();
	return tap_done();
}
