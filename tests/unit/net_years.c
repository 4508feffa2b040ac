/*
 * net_years.c - the lease machine through years of virtual time, with servers that come, go, forget and lie.
 *
 * Each life is made of a seed; a breach prints it, and "net_years SEED" runs that life alone.
 */
#include "init/net/lease.h"

#include <stdlib.h>

#include "tests/lib/dhcp.h"
#include "tests/lib/tap.h"

#define S       ((msec_t)1000)
#define DAY     (86400 * S)
#define LIVES   300
#define TURNS   40000 /* of one life, at most */
#define FLIGHTS 32

struct server {
	bool up, silent_to_strangers;
	ip4_t address, gives;
	uint32_t seconds;
	uint32_t loss, no, lies;   /* per cent */
	msec_t known_until;        /* how long it remembers what it gave */
};

struct flight { msec_t at; struct dhcp d; msec_t made; };

static struct world {
	uint64_t random, seed;
	msec_t now, next_event;
	struct server servers[2];
	uint32_t n_servers;
	struct flight flights[FLIGHTS];
	uint32_t n_flights;
	bool link, conflict;
	uint8_t mac[6];
	struct lease_machine m;
	/* what the applier and a sniffer see */
	ip4_t applied;
	msec_t applied_until;      /* by the server's clock, when it said yes */
	msec_t last_discover, last_ask, last_declined;
	uint32_t last_xid, asks;   /* of one transaction */
	msec_t recent[16];         /* when the last DHCP packets went out */
	uint32_t n_sent;
	/* what it came to */
	uint64_t bound, renewed, expired, naks, conflicts, applies, quiet;
	msec_t well_since;         /* everything works since; FOREVER: it does not */
} w;

static int breaches;

static void breach(const char *what)
{
	breaches++;
	if (breaches <= 10)
		CHECK(false, "seed %llu, %lld ms, %s: %s", (unsigned long long)w.seed, (long long)w.now, lease_word(w.m.state), what);
}
#define MUST(condition, what) do { if (!(condition)) breach(what); } while (0)

static uint64_t chance(uint64_t n)
{
	uint64_t z = w.random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return n ? (z ^ z >> 31) % n : 0;
}

static bool percent(uint32_t p)
{
	return chance(100) < p;
}

static uint32_t random_seconds(void)
{
	static const uint32_t some[] = { 5, 10, 20, 60, 120, 600, 3600, 86400, 604800, 0, 1, 4, LEASE_INFINITE };

	return some[chance(percent(10) ? 13 : 9)];
}

/* ---- servers ---- */

static void fly(const struct server *s, uint8_t type, uint32_t xid, ip4_t yours)
{
	struct flight *f = &w.flights[w.n_flights];

	if (w.n_flights == FLIGHTS || percent(s->loss))
		return;
	memset(f, 0, sizeof(*f));
	f->made = w.now;
	f->at = w.now + (msec_t)(percent(3) ? chance(20000) : chance(300));
	f->d = (struct dhcp){ .type = type, .xid = xid, .yours = yours, .server = s->address, .mask = 0xffffff00, .has = HAS_MASK | HAS_LEASE,
			      .lease = s->seconds };
	memcpy(f->d.mac, w.mac, 6);
	if (percent(20)) {
		f->d.has |= HAS_T1 | HAS_T2;
		f->d.t1 = (uint32_t)chance((uint64_t)s->seconds * 2 + 2);
		f->d.t2 = (uint32_t)chance((uint64_t)s->seconds * 2 + 2);
	}
	if (percent(s->lies)) {
		switch (chance(7)) {
		case 0: f->d.xid ^= 1; break;
		case 1: f->d.mac[0] ^= 1; break;
		case 2: f->d.yours = (ip4_t)chance(UINT32_MAX); break;
		case 3: f->d.server = (ip4_t)chance(UINT32_MAX); break;
		case 4: f->d.type = (uint8_t)chance(12); break;
		case 5: f->d.lease = (uint32_t)chance(UINT32_MAX); break;
		default: f->d.mask = (ip4_t)chance(UINT32_MAX); break;
		}
	}
	w.n_flights++;
	if (percent(2) && w.n_flights < FLIGHTS) { /* twice */
		w.flights[w.n_flights] = *f;
		w.flights[w.n_flights++].at += 50;
	}
}

static void serve(struct server *s, const struct lease_packet *p, uint32_t xid)
{
	uint8_t type = sent_type(p->bytes, p->n);
	ip4_t asked = sent_u32(p->bytes, p->n, 50), pinned = sent_u32(p->bytes, p->n, 54);
	ip4_t client = (ip4_t)p->bytes[12] << 24 | (ip4_t)p->bytes[13] << 16 | (ip4_t)p->bytes[14] << 8 | p->bytes[15];

	if (!s->up || percent(s->loss) || (p->how == SEND_SERVER && p->to != s->address))
		return;
	if (type == DHCP_DISCOVER) {
		fly(s, DHCP_OFFER, xid, s->gives);
	} else if (type == DHCP_REQUEST && (!pinned || pinned == s->address)) {
		ip4_t want = asked ? asked : client;

		if (!pinned && w.now >= s->known_until && s->silent_to_strangers)
			return;
		if (want != s->gives || percent(s->no)) {
			fly(s, DHCP_NAK, xid, 0);
			return;
		}
		s->known_until = s->seconds == LEASE_INFINITE ? FOREVER : w.now + (msec_t)s->seconds * S;
		fly(s, DHCP_ACK, xid, want);
	} else if (type == DHCP_DECLINE && pinned == s->address) {
		s->gives++;
		if ((s->gives & 255) > 200)
			s->gives -= 100;
	}
}

/* ---- what goes out ---- */

static void check_form(const struct lease_packet *p, uint8_t type)
{
	size_t length;
	bool has50 = sent_u32(p->bytes, p->n, 50), has54 = sent_u32(p->bytes, p->n, 54), has55 = sent_option(p->bytes, p->n, 55, &length);
	bool client = p->bytes[12];

	/* RFC 2131, table 5. */
	MUST(type != DHCP_DISCOVER || (!client && !has54 && has55), "a DISCOVER with what does not belong there");
	MUST(type != DHCP_REQUEST || has55, "a REQUEST that asks for nothing");
	MUST(type != DHCP_REQUEST || has50 != client, "a REQUEST with an address twice, or not at all");
	MUST(type != DHCP_REQUEST || !client || !has54, "a REQUEST for more time that names a server");
	MUST(type != DHCP_DECLINE || (has50 && has54 && !client && !has55), "a DECLINE of another form");
	MUST(type == DHCP_DISCOVER || type == DHCP_REQUEST || type == DHCP_DECLINE, "a message that nobody asked for");
	MUST(p->n >= 300 && p->n <= WIRE_DHCP, "a message of no lawful size");
}

static void sniff(const struct lease_packet *p)
{
	uint8_t type = sent_type(p->bytes, p->n);
	uint32_t xid = (uint32_t)p->bytes[4] << 24 | (uint32_t)p->bytes[5] << 16 | (uint32_t)p->bytes[6] << 8 | p->bytes[7];

	MUST(w.link, "a packet without a link");
	check_form(p, type);
	if (type == DHCP_DISCOVER) {
		msec_t least = 3 * S;

		/* The k-th of a transaction comes 2^(k+1) s after the one before, 64 at most, one more or less. */
		for (uint32_t k = 1; xid == w.last_xid && k < w.asks && k < 5; k++)
			least = (least + S) * 2 - S;
		MUST(w.now - w.last_discover >= least, "DISCOVERs too close to each other");
		w.asks = xid == w.last_xid ? w.asks + 1 : 1;
		w.last_discover = w.now;
		MUST(w.now - w.last_declined >= 10 * S, "a DISCOVER too soon after a DECLINE");
	} else if (type == DHCP_REQUEST) {
		MUST(xid != w.last_xid || w.now - w.last_ask >= 3 * S || w.last_discover >= w.last_ask,
		      "REQUESTs of one transaction too close to each other");
		w.last_ask = w.now;
	} else if (type == DHCP_DECLINE) {
		w.last_declined = w.now;
	}
	w.last_xid = xid;
	/* The worst lawful case: leases of five seconds, renewed each second. */
	MUST(w.now - w.recent[w.n_sent % 16] >= 10 * S || w.n_sent < 16, "sixteen packets in ten seconds");
	w.recent[w.n_sent++ % 16] = w.now;
	for (uint32_t i = 0; i < w.n_servers; i++)
		serve(&w.servers[i], p, xid);
}

static void look(const struct lease_work *work, const struct flight *f)
{
	bool was = w.applied;

	for (uint32_t i = 0; i < work->n_packets; i++) {
		const struct lease_packet *p = &work->packets[i];
		struct arp theirs = { .reply = true, .from = w.m.probed, .mac = { 6, 6, 6, 6, 6, 6 } };

		if (p->how != SEND_ARP) {
			sniff(p);
		} else if (w.conflict && w.m.probed) {
			static struct lease_work more;

			MUST(w.link, "a probe without a link");
			lease_heard_arp(&w.m, w.now, &theirs, &more);
			look(&more, NULL);
		}
	}
	if (work->order == ORDER_DROP) {
		MUST(was, "it drops what it does not have");
		w.applied = 0;
	}
	if (work->order == ORDER_APPLY) {
		MUST(f && f->d.type == DHCP_ACK, "it applies what no ACK granted");
		MUST(w.m.holding && w.m.held.address, "it applies nothing");
		MUST(!terms_check(&w.m.held), "it applies what the applier will refuse");
		w.applied = w.m.held.address;
		w.applied_until = f && f->d.lease != LEASE_INFINITE ? f->made + (msec_t)f->d.lease * S : FOREVER;
		w.applies++;
	}
	MUST(w.m.holding == (w.applied != 0), "machine and applier disagree");
	MUST(!w.applied || w.now < w.applied_until, "an address is held past its lease");
	w.bound += work->news == NEWS_BOUND;
	w.renewed += work->news == NEWS_RENEWED;
	w.expired += work->news == NEWS_EXPIRED;
	w.naks += work->news == NEWS_NAK;
	/* Said only when asked, perhaps long after the server was given something else to say. */
	if (work->news == NEWS_NAK && w.well_since != FOREVER)
		w.well_since = w.now;
	w.conflicts += work->news == NEWS_CONFLICT;
}

/* ---- the world ---- */

static bool all_is_well(void)
{
	const struct server *s = &w.servers[0];

	return w.link && !w.conflict && w.n_servers == 1 && s->up && !s->silent_to_strangers && s->loss == 0 && s->no == 0 &&
	      s->lies == 0 && s->seconds >= 600;
}

static void change_server(struct server *s)
{
	switch (chance(7)) {
	case 0: s->up = !s->up; break;
	case 1: s->seconds = random_seconds(); break;
	case 2: s->loss = percent(60) ? 0 : (uint32_t)chance(90); break;
	case 3: s->no = percent(70) ? 0 : (uint32_t)chance(101); break;
	case 4: s->lies = percent(70) ? 0 : (uint32_t)chance(101); break;
	case 5: s->gives = IP4(198, 51, 100, 10 + chance(100)); break;
	default: s->known_until = 0; break;
	}
}

static void happen(void)
{
	static struct lease_work work;
	bool was = w.link;

	w.next_event = w.now + (msec_t)chance(percent(50) ? 60 * (uint64_t)S : percent(80) ? 3600 * (uint64_t)S : 10 * (uint64_t)DAY);
	switch (chance(12)) {
	case 0:
	case 1:
		w.link = !w.link;
		break;
	case 2:
		w.conflict = percent(5);
		break;
	case 3:
		/* Sleep: time goes on, and nobody looks until it is over. */
		w.now += (msec_t)chance(percent(50) ? 600 * (uint64_t)S : 20 * (uint64_t)DAY);
		break;
	case 4:
		if (percent(10) && w.link)
			w.mac[5]++;
		break;
	case 5:
		/* Everything mends. */
		w.link = true;
		w.conflict = false;
		for (uint32_t i = 0; i < w.n_servers; i++) {
			w.servers[i].up = true;
			w.servers[i].loss = w.servers[i].no = w.servers[i].lies = 0;
		}
		break;
	default:
		change_server(&w.servers[chance(w.n_servers)]);
		break;
	}
	if (was != w.link || w.link) {
		lease_link(&w.m, w.now, w.link, percent(50), w.mac, 1500, &work);
		look(&work, NULL);
	}
	w.well_since = all_is_well() ? w.now : FOREVER;
}

/* The next thing: a message, the machine's own time, or the world's. */
static void turn(void)
{
	static struct lease_work work;
	uint32_t first = w.n_flights;
	msec_t at = w.next_event < lease_next(&w.m) ? w.next_event : lease_next(&w.m);

	for (uint32_t i = 0; i < w.n_flights; i++)
		if (w.flights[i].at < at && (first == w.n_flights || w.flights[i].at < w.flights[first].at))
			first = i;
	if (first < w.n_flights) {
		struct flight f = w.flights[first];

		w.flights[first] = w.flights[--w.n_flights];
		if (f.at > w.now)
			w.now = f.at;
		if (!w.link)
			return;
		(void)lease_heard(&w.m, w.now, &f.d, &work);
		look(&work, &f);
	} else if (at == w.next_event) {
		if (at > w.now)
			w.now = at;
		happen();
	} else {
		if (at > w.now)
			w.now = at;
		else
			w.quiet++;
		lease_time(&w.m, w.now, &work);
		look(&work, NULL);
		MUST(lease_next(&w.m) > w.now || work.n_packets || work.order || work.news, "time comes, and nothing is done");
	}
	/* Two rounds of the longest pause are enough for anything. */
	if (w.well_since != FOREVER && w.now - w.well_since > 300 * S)
		MUST(w.applied, "all has been well for five minutes, and there is no address");
}

static msec_t live(uint64_t seed)
{
	memset(&w, 0, sizeof(w));
	w.seed = seed;
	w.random = seed * 7919 + 1;
	w.n_servers = percent(40) ? 2 : 1;
	for (uint32_t i = 0; i < w.n_servers; i++)
		w.servers[i] = (struct server){ .up = percent(80), .silent_to_strangers = percent(50), .address = IP4(198, 51, 100, 1 + i),
						.gives = IP4(198, 51, 100, 50 + i), .seconds = random_seconds() };
	memcpy(w.mac, "\2\0\0\0\0\1", 6);
	w.now = 100 * S;
	w.last_discover = w.last_ask = w.last_declined = -DAY;
	w.well_since = FOREVER;
	w.next_event = w.now + 5;
	lease_begin(&w.m, chance(0) + seed, "box");
	w.link = true;
	static struct lease_work work;
	lease_link(&w.m, w.now, true, false, w.mac, 1500, &work);
	look(&work, NULL);
	for (int i = 0; i < TURNS; i++)
		turn();
	return w.now;
}

int main(int argc, char **argv)
{
	uint64_t bound = 0, renewed = 0, expired = 0, naks = 0, conflicts = 0, sent = 0, quiet = 0;
	msec_t lived = 0;

	if (argc > 1) {
		lived = live(strtoull(argv[1], NULL, 10));
		CHECK(!breaches, "seed %s: %lld days", argv[1], (long long)(lived / DAY));
		return tap_done();
	}
	for (uint64_t seed = 1; seed <= LIVES; seed++) {
		lived += live(seed);
		bound += w.bound;
		renewed += w.renewed;
		expired += w.expired;
		naks += w.naks;
		conflicts += w.conflicts;
		sent += w.n_sent;
		quiet += w.quiet;
	}
	printf("# %lld years, %llu packets: bound %llu, renewed %llu, expired %llu, NAK %llu, conflicts %llu\n", (long long)(lived / DAY / 365),
	       (unsigned long long)sent, (unsigned long long)bound, (unsigned long long)renewed,
	       (unsigned long long)expired, (unsigned long long)naks,
	       (unsigned long long)conflicts);
	CHECK(!breaches, "%d lives, and no promise broken", LIVES);
	CHECK(lived / DAY / 365 >= 50, "they make more than fifty years");
	CHECK(bound > 1000 && renewed > 10000 && expired > 100 && naks > 1000 && conflicts > 20, "in which everything happened");
	CHECK(quiet < sent, "and it is seldom woken twice at one moment");
	return tap_done();
}
