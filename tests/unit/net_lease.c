/* net_lease.c - the lease machine step by step: each state, each message, each moment of RFC 2131. */
#include "init/net/lease.h"

#include "tests/lib/dhcp.h"
#include "tests/lib/tap.h"

static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 }, other_mac[6] = { 2, 0, 0, 0, 0, 2 };
#define SERVER IP4(198, 51, 100, 1)
#define RIVAL  IP4(198, 51, 100, 2)
#define YOURS  IP4(198, 51, 100, 50)
#define S      ((msec_t)1000)

static struct lease_machine m;
static struct lease_work w;
static msec_t now;

static const uint8_t *sent(uint32_t i)
{
	return w.packets[i].bytes;
}

static uint8_t sent_kind(uint32_t i)
{
	return i < w.n_packets && w.packets[i].how != SEND_ARP ? sent_type(sent(i), w.packets[i].n) : 0;
}

static uint32_t option(uint32_t i, uint8_t code)
{
	return sent_u32(sent(i), w.packets[i].n, code);
}

static uint32_t at_offset(uint32_t i, size_t at)
{
	const uint8_t *p = sent(i) + at;

	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
#define XID    4
#define CIADDR 12

static struct dhcp reply_of(uint8_t type, uint32_t seconds)
{
	struct dhcp d = { .type = type, .xid = m.xid, .yours = type == DHCP_NAK ? 0 : YOURS, .server = SERVER, .mask = 0xffffff00,
			  .has = HAS_MASK | HAS_LEASE, .lease = seconds };

	memcpy(d.mac, mac, 6);
	return d;
}

static bool hear(struct dhcp d)
{
	return lease_heard(&m, now, &d, &w);
}

/* To the next moment the machine names. */
static msec_t step(void)
{
	msec_t before = now;

	now = lease_next(&m);
	lease_time(&m, now, &w);
	return now - before;
}

static void fresh(uint64_t seed)
{
	now = 1000 * S;
	lease_begin(&m, seed, "box");
	lease_link(&m, now, true, false, mac, 1500, &w);
}

/* As far as BOUND, the search for others over. */
static void bound(uint32_t seconds)
{
	fresh(1);
	(void)hear(reply_of(DHCP_OFFER, seconds));
	(void)hear(reply_of(DHCP_ACK, seconds));
	while (m.probed)
		(void)step();
}

static void plain_way(void)
{
	fresh(1);
	CHECK(m.state == LEASE_SELECTING && w.n_packets == 1 && sent_kind(0) == DHCP_DISCOVER && w.packets[0].how == SEND_BROADCAST &&
	      w.listen == LISTEN_ALL, "the link comes up: DISCOVER, at once");
	CHECK(at_offset(0, CIADDR) == 0 && !option(0, 50) && !option(0, 54) && sent(0)[10] == 0, "it asks for nothing special");
	uint32_t xid = at_offset(0, XID);
	now += 7;
	CHECK(hear(reply_of(DHCP_OFFER, 3600)) && m.state == LEASE_REQUESTING && w.n_packets == 2 && sent_kind(1) == DHCP_REQUEST &&
	      w.news == NEWS_OFFERED,
	      "an offer: a probe, and REQUEST");
	CHECK(at_offset(1, XID) == xid && option(1, 50) == YOURS && option(1, 54) == SERVER && at_offset(1, CIADDR) == 0 &&
	      w.packets[1].how == SEND_BROADCAST, "the request has the same transaction, the address and the server");
	struct arp a = { 0 };
	CHECK(w.packets[0].how == SEND_ARP && wire_arp(sent(0), WIRE_ARP, &a) && a.from == 0 && a.to == YOURS && !a.reply,
	      "the probe asks who has the address");
	msec_t asked = now;
	now += 5;
	CHECK(hear(reply_of(DHCP_ACK, 3600)) && m.state == LEASE_BOUND && w.order == ORDER_APPLY && w.news == NEWS_BOUND &&
	      w.n_packets == 0, "an ACK: bound, at once");
	CHECK(m.until == asked + 3600 * S && m.t2 == asked + 3150 * S && m.t1 <= asked + 1800 * S && m.t1 >= asked + 1740 * S,
	      "times count from the request");
	CHECK(w.listen == LISTEN_ALL, "it still looks for others with the address");
	int probes = 0, announces = 0;
	for (msec_t pause; m.probed;) {
		pause = step();
		bool good = w.n_packets == 1 && w.packets[0].how == SEND_ARP && wire_arp(sent(0), WIRE_ARP, &a) && a.to == YOURS &&
		      pause >= 1 * S && pause <= 2 * S;

		probes += good && a.from == 0;
		announces += good && a.from == YOURS;
	}
	CHECK(probes == 2 && announces == 2 && w.listen == LISTEN_NONE,
	      "two more probes and two announcements, a second or two apart, then it is deaf");
	CHECK(lease_next(&m) == m.t1, "and sleeps until T1");
	step();
	CHECK(m.state == LEASE_RENEWING && sent_kind(0) == DHCP_REQUEST && w.packets[0].how == SEND_SERVER && w.packets[0].to == SERVER &&
	      w.packets[0].from == YOURS,
	      "T1: a request to the server alone");
	CHECK(at_offset(0, CIADDR) == YOURS && !option(0, 50) && !option(0, 54) && at_offset(0, XID) != xid && w.listen == LISTEN_DHCP,
	      "with ciaddr, and neither option 50 nor 54");
	now += 3;
	CHECK(hear(reply_of(DHCP_ACK, 3600)) && m.state == LEASE_BOUND && w.order == ORDER_APPLY && w.news == NEWS_RENEWED && !m.probed &&
	      w.listen == LISTEN_NONE,
	      "renewed, without another search");
	CHECK(m.until == m.asked + 3600 * S, "and counted anew");
}

static void silence(void)
{
	static const msec_t want[] = { 4, 8, 16, 32, 64, 64, 64 };
	bool jitter = false, all = true;

	for (uint64_t seed = 0; seed < 50; seed++) {
		fresh(seed);
		uint32_t xid = m.xid;

		for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
			msec_t pause = step();

			all = all && pause >= (want[i] - 1) * S && pause <= (want[i] + 1) * S && sent_kind(0) == DHCP_DISCOVER && m.xid == xid &&
			      sent(0)[8] * 256 + sent(0)[9] == (now - 1000 * S) / S && !!sent(0)[10] == (i >= 2);
			jitter = jitter || pause % S;
		}
	}
	CHECK(all, "without an answer: again after 4, 8, 16, 32, 64, 64 s, one more or less, in one transaction, by broadcast after three");
	CHECK(jitter, "and not to the second");

	uint32_t secs = (uint32_t)sent(0)[8] << 8 | sent(0)[9];
	now += 30 * S;
	(void)hear(reply_of(DHCP_OFFER, 3600));
	CHECK(sent_kind(1) == DHCP_REQUEST && secs > 200 && ((uint32_t)sent(1)[8] << 8 | sent(1)[9]) == secs && sent(1)[10] == 0x80,
	      "the request has the DISCOVER's seconds, and still wants its answer by broadcast");
	(void)hear(reply_of(DHCP_ACK, 3600));
	while (m.state == LEASE_BOUND)
		step();
	CHECK(m.state == LEASE_RENEWING && sent(0)[10] == 0, "which ends when there is an address to answer to");

	msec_t earliest = FOREVER, latest = 0;
	for (uint64_t seed = 0; seed < 20; seed++) {
		fresh(seed);
		(void)hear(reply_of(DHCP_OFFER, 3600));
		(void)hear(reply_of(DHCP_ACK, 3600));
		earliest = m.t1 < earliest ? m.t1 : earliest;
		latest = m.t1 > latest ? m.t1 : latest;
	}
	CHECK(latest - earliest > 20 * S, "clients that begin together do not renew together");

	fresh(3);
	(void)hear(reply_of(DHCP_OFFER, 3600));
	int requests = 1;
	bool paced = true;
	msec_t pause, least = 3 * S, begun = now;
	while (m.state == LEASE_REQUESTING) {
		pause = step();
		if (m.state != LEASE_REQUESTING)
			break;
		requests++;
		paced = paced && sent_kind(0) == DHCP_REQUEST && pause >= least && option(0, 54) == SERVER;
		least = least * 2 + S;
	}
	CHECK(requests == 4 && paced && now - begun >= 56 * S && now - begun <= 64 * S,
	      "a server that offers and is gone: four requests in a minute");
	while (m.state == LEASE_INIT)
		step();
	CHECK(m.state == LEASE_SELECTING && sent_kind(0) == DHCP_DISCOVER, "then everybody is asked again");
}

static void time_runs_out(void)
{
	bound(20);
	msec_t asked = m.asked;
	step();
	CHECK(m.state == LEASE_RENEWING && now <= asked + 10 * S && now > asked + 9 * S, "20 s: T1 after ten");
	step();
	CHECK(m.state == LEASE_REBINDING && now == asked + 18 * S && w.packets[0].how == SEND_BROADCAST &&
	      at_offset(0, CIADDR) == YOURS && !option(0, 54),
	      "T2 after seven eighths, by broadcast; nothing in between, for the RFC wants 60 s");
	step();
	CHECK(now == asked + 20 * S && w.order == ORDER_DROP && w.news == NEWS_EXPIRED && !m.holding,
	      "the end: the address goes, at that moment");
	CHECK(m.state == LEASE_SELECTING && sent_kind(0) == DHCP_DISCOVER && option(0, 50) == YOURS, "and is asked for again, at once");

	bound(86400);
	asked = m.asked;
	step();
	int renews = 1, rebinds = 0;
	bool paced = true;
	while (m.holding) {
		msec_t pause = step();

		paced = paced && (pause >= 60 * S || now == m.t2 || now == asked + 86400 * S);
		renews += m.state == LEASE_RENEWING;
		rebinds += m.state == LEASE_REBINDING;
	}
	CHECK(paced && renews >= 8 && renews <= 14 && rebinds >= 7 && rebinds <= 12,
	      "a day without a server: half of what is left each time, 60 s at least (%d, %d)",
	      renews, rebinds);

	bound(86400);
	now = m.until + 12345;
	lease_time(&m, now, &w);
	CHECK(w.order == ORDER_DROP && w.news == NEWS_EXPIRED && sent_kind(0) == DHCP_DISCOVER,
	      "slept through the end: the address goes on waking");
	bound(86400);
	now = m.t2 + 5;
	lease_time(&m, now, &w);
	CHECK(m.state == LEASE_REBINDING && m.holding, "slept through T1 and T2: rebinding");
	bound(86400);
	now = m.until + 1;
	struct dhcp late = reply_of(DHCP_ACK, 86400);
	CHECK(!hear(late) && w.order == ORDER_DROP && !m.holding, "a message on waking does not hide the end");
	fresh(1);
	(void)hear(reply_of(DHCP_OFFER, 10));
	now += 11 * S;
	(void)hear(reply_of(DHCP_ACK, 10));
	CHECK(!m.holding && w.order != ORDER_APPLY, "an ACK that comes when its lease is over grants nothing");
	bound(LEASE_INFINITE);
	CHECK(lease_next(&m) == FOREVER && m.until == FOREVER, "an infinite lease needs no renewal");
}

static void no(void)
{
	fresh(1);
	msec_t first = now;
	(void)hear(reply_of(DHCP_OFFER, 3600));
	CHECK(hear(reply_of(DHCP_NAK, 0)) && w.news == NEWS_NAK && w.order == ORDER_NONE && w.forget && m.state == LEASE_INIT,
	      "NAK to a request: from the beginning");
	step();
	CHECK(m.state == LEASE_SELECTING && now - first >= 3 * S && !option(0, 50), "but not sooner than a DISCOVER may follow another");
	msec_t before = now, gap = 0, least = 0;
	bool grows = true;
	for (int i = 0; i < 8; i++) {
		(void)hear(reply_of(DHCP_OFFER, 3600));
		(void)hear(reply_of(DHCP_NAK, 0));
		step();
		gap = now - before;
		before = now;
		grows = grows && gap >= least;
		least = gap < 60 * S ? gap + 2 * S : 63 * S;
	}
	CHECK(grows && gap >= 63 * S && gap <= 65 * S, "NAK after NAK: each time later, up to a minute");
	(void)hear(reply_of(DHCP_OFFER, 3600));
	(void)hear(reply_of(DHCP_ACK, 3600));
	while (m.holding)
		step();
	(void)hear(reply_of(DHCP_OFFER, 3600));
	(void)hear(reply_of(DHCP_NAK, 0));
	before = now;
	step();
	CHECK(sent_kind(0) == DHCP_DISCOVER && now - before <= 5 * S, "a lease that held until its renewal makes up for all that");
	bound(3600);
	step();
	CHECK(hear(reply_of(DHCP_NAK, 0)) && w.order == ORDER_DROP && !m.holding && sent_kind(0) == DHCP_DISCOVER,
	      "NAK to a renewal: the address goes, and the search begins");
	bound(3600);
	step();
	struct dhcp d = reply_of(DHCP_NAK, 0);
	d.server = RIVAL;
	CHECK(!hear(d) && m.holding, "another server's NAK to a renewal does not count");
	while (m.state != LEASE_REBINDING)
		step();
	d = reply_of(DHCP_NAK, 0);
	d.server = RIVAL;
	CHECK(hear(d) && w.order == ORDER_DROP, "but it does to a rebinding, which asks all");
}

static void not_ours(void)
{
	struct dhcp d;
	struct lease_machine before;

	for (int what = 0; what < 8; what++) {
		static const char *const words[] = { "another transaction", "another hardware address", "an ACK before there was an offer",
		      "a NAK before there was an offer",
						     "FORCERENEW", "a lease of two seconds", "an address of loopback", "INFORM" };
		fresh(1);
		before = m;
		d = reply_of(DHCP_OFFER, what == 5 ? 2 : 3600);
		if (what == 0)
			d.xid++;
		if (what == 1)
			d.mac[5]++;
		if (what == 2)
			d.type = DHCP_ACK;
		if (what == 3)
			d.type = DHCP_NAK;
		if (what == 4)
			d.type = DHCP_FORCERENEW;
		if (what == 6)
			d.yours = IP4(127, 0, 0, 1);
		if (what == 7)
			d.type = DHCP_INFORM;
		(void)hear(d);
		CHECK(m.state == LEASE_SELECTING && w.n_packets == 0 && m.next == before.next && w.order == ORDER_NONE,
		      "while selecting: %s changes nothing", words[what]);
	}
	for (int what = 0; what < 6; what++) {
		static const char *const words[] = { "another server's ACK", "another address", "another transaction", "another server's NAK",
		      "another offer", "a second offer of the same" };
		fresh(1);
		(void)hear(reply_of(DHCP_OFFER, 3600));
		d = reply_of(what == 3 ? DHCP_NAK : what >= 4 ? DHCP_OFFER : DHCP_ACK, 3600);
		if (what == 0 || what == 3 || what == 4)
			d.server = RIVAL;
		if (what == 1)
			d.yours++;
		if (what == 2)
			d.xid++;
		(void)hear(d);
		CHECK(m.state == LEASE_REQUESTING && w.n_packets == 0 && w.order == ORDER_NONE && (w.news == NEWS_TOO_LATE) == (what == 4),
		      "while requesting: %s changes nothing", words[what]);
	}
	fresh(1);
	(void)hear(reply_of(DHCP_OFFER, 3600));
	(void)hear(reply_of(DHCP_ACK, 3600));
	d = reply_of(DHCP_OFFER, 3600);
	d.server = RIVAL;
	CHECK(!hear(d) && w.news == NEWS_TOO_LATE && m.state == LEASE_BOUND,
	      "another server's offer that comes when all is settled is told, and no more");
	bound(3600);
	for (uint8_t type = 0; type < 20; type++) {
		d = reply_of(type, 3600);
		if (hear(d) || w.n_packets || w.order || m.state != LEASE_BOUND)
			CHECK(false, "while bound: type %u did something", type);
	}
	CHECK(true, "while bound, no message does anything");
	bound(3600);
	step();
	d = reply_of(DHCP_ACK, 3600);
	d.yours++;
	CHECK(!hear(d) && m.held.address == YOURS && m.state == LEASE_RENEWING, "a renewal that grants another address is none");
	d = reply_of(DHCP_ACK, 1);
	CHECK(hear(d) && w.news == NEWS_REFUSED && m.state == LEASE_RENEWING && m.held.seconds == 3600, "nor one whose terms cannot be taken");
}

static void conflicts(void)
{
	struct arp theirs = { .reply = true, .from = YOURS, .to = 0 };

	memcpy(theirs.mac, other_mac, 6);
	fresh(1);
	(void)hear(reply_of(DHCP_OFFER, 3600));
	lease_heard_arp(&m, now, &theirs, &w);
	CHECK(m.state == LEASE_REQUESTING && w.n_packets == 0, "somebody answers the probe before the ACK: that is kept in mind");
	(void)hear(reply_of(DHCP_ACK, 3600));
	CHECK(w.order == ORDER_NONE && !m.holding && w.news == NEWS_CONFLICT && sent_kind(0) == DHCP_DECLINE,
	      "the ACK is answered by DECLINE, and the address never used");
	size_t length;
	CHECK(option(0, 50) == YOURS && option(0, 54) == SERVER && at_offset(0, CIADDR) == 0 &&
	      !sent_option(sent(0), w.packets[0].n, 55, &length) &&
	      !sent_option(sent(0), w.packets[0].n, 12, &length) && !sent_option(sent(0), w.packets[0].n, 57, &length) &&
	      w.packets[0].how == SEND_BROADCAST,
	      "with what RFC 2131 wants in it, and nothing else");
	msec_t declined = now;
	step();
	CHECK(m.state == LEASE_SELECTING && now - declined >= 10 * S && !option(0, 50),
	      "ten seconds later the search begins, without asking for that one");

	fresh(1);
	(void)hear(reply_of(DHCP_OFFER, 3600));
	(void)hear(reply_of(DHCP_ACK, 3600));
	now += 500;
	lease_heard_arp(&m, now, &theirs, &w);
	CHECK(w.order == ORDER_DROP && w.forget && sent_kind(0) == DHCP_DECLINE && !m.holding,
	      "seen after the ACK: the address goes, and DECLINE");
	fresh(1);
	(void)hear(reply_of(DHCP_OFFER, 3600));
	theirs = (struct arp){ .from = 0, .to = YOURS };
	memcpy(theirs.mac, other_mac, 6);
	lease_heard_arp(&m, now, &theirs, &w);
	CHECK(m.conflict, "somebody else who probes for it is a conflict, too");
	fresh(1);
	(void)hear(reply_of(DHCP_OFFER, 3600));
	theirs.from = SERVER;
	lease_heard_arp(&m, now, &theirs, &w);
	CHECK(!m.conflict, "somebody who looks for its owner is none");
	theirs.from = YOURS;
	memcpy(theirs.mac, mac, 6);
	lease_heard_arp(&m, now, &theirs, &w);
	CHECK(!m.conflict, "nor are we ourselves");
	bound(3600);
	memcpy(theirs.mac, other_mac, 6);
	lease_heard_arp(&m, now, &theirs, &w);
	CHECK(m.state == LEASE_BOUND && w.order == ORDER_NONE, "when the search is over, nobody can take it from us");
}

static void links(void)
{
	bound(3600);
	now += 100 * S;
	lease_link(&m, now, false, false, mac, 1500, &w);
	CHECK(m.state == LEASE_DOWN && m.holding && w.order == ORDER_NONE && lease_next(&m) == m.until,
	      "the link goes: the address stays until its end");
	now += 10 * S;
	lease_link(&m, now, true, false, mac, 1500, &w);
	CHECK(m.state == LEASE_REBOOTING && sent_kind(1) == DHCP_REQUEST && option(1, 50) == YOURS && !option(1, 54) &&
	      at_offset(1, CIADDR) == 0, "it comes back: INIT-REBOOT");
	struct dhcp d = reply_of(DHCP_ACK, 3600);
	d.server = RIVAL;
	CHECK(hear(d) && w.order == ORDER_APPLY && w.news == NEWS_RENEWED && m.held.server == RIVAL, "any server may say yes");
	while (m.probed)
		step();
	now += 100 * S;
	lease_link(&m, now, false, false, mac, 1500, &w);
	lease_link(&m, now + 1, true, false, mac, 1500, &w);
	now += 1;
	CHECK(hear(reply_of(DHCP_NAK, 0)) && w.order == ORDER_DROP && sent_kind(0) == DHCP_DISCOVER,
	      "or no: the address goes, and everybody is asked, at once");

	bound(3600);
	now += 100 * S;
	lease_link(&m, now, false, false, mac, 1500, &w);
	lease_link(&m, now, true, false, mac, 1500, &w);
	msec_t end = m.until;
	step();
	CHECK(m.state == LEASE_SELECTING && m.holding && sent_kind(0) == DHCP_DISCOVER && option(0, 50) == YOURS,
	      "nobody answers: everybody is asked, but the address is ours until its end");
	while (m.holding)
		step();
	CHECK(now == end && w.order == ORDER_DROP, "and not longer");

	bound(3600);
	lease_link(&m, now, false, false, mac, 1500, &w);
	now = m.until - 1;
	lease_time(&m, now, &w);
	CHECK(m.holding, "down until just before the end");
	step();
	CHECK(w.order == ORDER_DROP && m.state == LEASE_DOWN && w.n_packets == 0, "the end comes without a link, too");
	lease_link(&m, now, true, false, mac, 1500, &w);
	CHECK(m.state == LEASE_SELECTING, "then there is nothing to reboot with");

	bound(3600);
	lease_link(&m, now, true, false, other_mac, 1500, &w);
	CHECK(w.order == ORDER_DROP && w.forget && w.news == NEWS_MOVED && m.state != LEASE_BOUND,
	      "another card by the same name: the address was not its own");
	fresh(1);
	lease_link(&m, now, false, false, mac, 1500, &w);
	now += 100 * S;
	lease_link(&m, now, true, true, mac, 1500, &w);
	CHECK(m.state == LEASE_INIT && w.n_packets == 0 && w.listen == LISTEN_ALL && lease_next(&m) == now + 10,
	      "a link that has just come is given ten milliseconds");
	step();
	CHECK(m.state == LEASE_SELECTING && sent_kind(0) == DHCP_DISCOVER, "then it is used");
	bound(3600);
	lease_link(&m, now, false, false, mac, 1500, &w);
	lease_link(&m, now, true, true, mac, 1500, &w);
	step();
	CHECK(m.state == LEASE_REBOOTING, "for INIT-REBOOT, where there is an address");

	uint32_t packets = 0;
	fresh(1);
	for (int i = 0; i < 1000; i++) {
		now += 10;
		lease_link(&m, now, i % 2, false, mac, 1500, &w);
		packets += w.n_packets;
	}
	CHECK(packets <= 2, "a link that flaps for ten seconds makes no flood (%u packets)", packets);
	bound(3600);
	packets = 0;
	for (int i = 0; i < 1000; i++) {
		now += 10;
		lease_link(&m, now, i % 2, false, mac, 1500, &w);
		packets += w.n_packets;
	}
	CHECK(packets <= 6 && m.holding, "nor with an address, which stays (%u packets)", packets);
}

static void earlier_lives(void)
{
	struct lease l;
	struct dhcp d = reply_of(DHCP_ACK, 3600);

	(void)terms_take(&d, &l);
	now = 50 * S;
	lease_begin(&m, 1, NULL);
	lease_remember(&m, now, &l, 1000 * S, false);
	lease_link(&m, now, true, false, mac, 1500, &w);
	CHECK(m.state == LEASE_REBOOTING && option(1, 50) == YOURS && !m.holding, "a saved lease: INIT-REBOOT");
	msec_t pause = step();
	CHECK(m.state == LEASE_SELECTING && pause <= 5 * S && option(0, 50) == YOURS, "nobody answers: DISCOVER, with the address as a wish");
	lease_begin(&m, 1, NULL);
	lease_remember(&m, now, &l, 0, false);
	lease_link(&m, now, true, false, mac, 1500, &w);
	CHECK(m.state == LEASE_SELECTING && option(0, 50) == YOURS, "one that is over is but a wish");
	lease_begin(&m, 1, NULL);
	lease_remember(&m, now, &l, 1000 * S, true);
	CHECK(m.holding && lease_next(&m) == now + 1000 * S, "one whose address is still set is held, until its end");
	lease_link(&m, now, true, false, mac, 1500, &w);
	CHECK(m.state == LEASE_REBOOTING && m.holding && hear(reply_of(DHCP_ACK, 3600)) && w.order == ORDER_APPLY &&
	      w.news == NEWS_RENEWED, "and goes on without a gap");
}

static void farewell(void)
{
	bound(3600);
	now += 60 * S;
	lease_stop(&m, now, true, &w);
	CHECK(w.order == ORDER_DROP && w.forget && sent_kind(0) == DHCP_RELEASE && w.packets[0].how == SEND_SERVER &&
	      at_offset(0, CIADDR) == YOURS &&
	      option(0, 54) == SERVER && !option(0, 50) && m.state == LEASE_DOWN && lease_next(&m) == FOREVER,
	      "the end: RELEASE to the server, and rest");
	bound(3600);
	lease_stop(&m, now, false, &w);
	CHECK(w.order == ORDER_NONE && w.n_packets == 0 && m.holding, "or the address is left for the next one");
	fresh(1);
	lease_stop(&m, now, true, &w);
	CHECK(w.order == ORDER_NONE && w.n_packets == 0, "nothing held, nothing said");
	bound(3600);
	lease_link(&m, now, false, false, mac, 1500, &w);
	lease_stop(&m, now, true, &w);
	CHECK(w.order == ORDER_DROP && w.n_packets == 0, "without a link nobody can be told");
}

int main(void)
{
	plain_way();
	silence();
	time_runs_out();
	no();
	not_ours();
	conflicts();
	links();
	earlier_lives();
	farewell();
	return tap_done();
}
