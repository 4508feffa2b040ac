/* lease.c - states as a table: what each listens to, takes, and does when its time has come; pure. */
#include "init/net/lease.h"

#include <string.h>

#define SECOND          ((msec_t)1000)
#define BACKOFF_LEAST   (4 * SECOND)  /* RFC 2131 section 4.1 */
#define BACKOFF_DOUBLES 4u            /* up to 64 s */
#define REQUEST_TRIES   4u            /* 60 s, section 3.1, step 5 */
#define RENEW_PAUSE     (60 * SECOND) /* at least, section 4.4.5 */
#define DECLINE_PAUSE   (10 * SECOND) /* at least, section 3.1, step 5 */
/*
 * Between link up and the first message. A veth's other end takes notice in a work
 * queue (linkwatch); what it sends before is lost, and an answer lost costs 4 s.
 */
#define LINK_PAUSE      10
#define MESSAGE_MOST    1500u         /* bytes; more than anybody sends */
#define SILENCE_TRIES   3u            /* DISCOVERs without an answer before answers are asked for by broadcast */
#define PROBES          3u            /* RFC 5227 section 1.1: PROBE_NUM, PROBE_MIN, PROBE_MAX, ... */
#define PROBE_PAUSE     (1 * SECOND)
#define PROBE_JITTER    (1 * SECOND)
#define ANNOUNCES       2u
#define ANNOUNCE_PAUSE  (2 * SECOND)

enum { TAKES_OFFER = 1u << 0, TAKES_ACK = 1u << 1, TAKES_NAK = 1u << 2, TAKES_ANY_SERVER = 1u << 3 };

typedef void due(struct lease_machine *m, msec_t now, struct lease_work *w);
static due begin_asking, discover, request_again, reboot_failed, renew, renew_again;

/*
 * Listening to something else makes the kernel wait for all its processors (packet(7)
 * bind, synchronize_net): some ms, so nothing changes on the way from link to lease.
 */
static const struct {
	const char *word;
	uint8_t takes;
	uint8_t listen;
	due *due;
} states[N_LEASE_STATES] = {
	[LEASE_DOWN]       = { "down",       0, LISTEN_ALL, NULL },
	[LEASE_INIT]       = { "init",       0, LISTEN_NONE, begin_asking },
	[LEASE_SELECTING]  = { "selecting",  TAKES_OFFER | TAKES_ANY_SERVER, LISTEN_ALL, discover },
	[LEASE_REQUESTING] = { "requesting", TAKES_ACK | TAKES_NAK, LISTEN_ALL, request_again },
	[LEASE_REBOOTING]  = { "rebooting",  TAKES_ACK | TAKES_NAK | TAKES_ANY_SERVER, LISTEN_ALL, reboot_failed },
	[LEASE_BOUND]      = { "bound",      0, LISTEN_NONE, renew },
	[LEASE_RENEWING]   = { "renewing",   TAKES_ACK | TAKES_NAK, LISTEN_DHCP, renew_again },
	[LEASE_REBINDING]  = { "rebinding",  TAKES_ACK | TAKES_NAK | TAKES_ANY_SERVER, LISTEN_DHCP, renew_again },
};

const char *lease_word(enum lease_state s)
{
	return (unsigned)s < N_LEASE_STATES ? states[s].word : "?";
}

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t random_next(struct lease_machine *m)
{
	uint64_t z = m->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* 0 to most, in ms. */
static msec_t random_span(struct lease_machine *m, msec_t most)
{
	return (msec_t)(random_next(m) % (uint64_t)(most + 1));
}

static msec_t backoff(struct lease_machine *m, uint32_t tries)
{
	uint32_t doubles = tries < BACKOFF_DOUBLES ? tries : BACKOFF_DOUBLES;

	return (BACKOFF_LEAST << doubles) - SECOND + random_span(m, 2 * SECOND);
}

static bool on_lease(enum lease_state s)
{
	return s == LEASE_BOUND || s == LEASE_RENEWING || s == LEASE_REBINDING;
}

/* ---- packets ---- */

static struct lease_packet *packet(struct lease_work *w, enum lease_send how)
{
	struct lease_packet *p = &w->packets[w->n_packets++];

	p->how = (uint8_t)how;
	p->from = 0;
	p->to = IP4_EVERYBODY;
	return p;
}

static struct dhcp_out message(const struct lease_machine *m, enum dhcp_type type, msec_t now)
{
	msec_t secs = (now - m->began) / SECOND;
	struct dhcp_out o = { .xid = m->xid, .type = (uint8_t)type, .secs = (uint16_t)(secs > UINT16_MAX ? UINT16_MAX : secs) };

	memcpy(o.mac, m->mac, sizeof(o.mac));
	return o;
}

/* What DISCOVER and REQUEST alone may carry, RFC 2131 table 5. */
static void ask_for_all(const struct lease_machine *m, struct dhcp_out *o)
{
	o->ask = true;
	o->host = m->host;
	o->most = m->mtu < MTU_LEAST ? MTU_LEAST : m->mtu > MESSAGE_MOST ? MESSAGE_MOST : m->mtu;
	o->broadcast = m->broadcast;
}

static void put(struct lease_packet *p, const struct dhcp_out *o)
{
	p->n = (uint32_t)wire_put_dhcp(p->bytes, o);
}

/* REQUEST in its three forms, RFC 2131 section 4.3.2: after an offer, after a reboot, and for more time. */
static void put_request(struct lease_machine *m, msec_t now, struct lease_work *w)
{
	struct dhcp_out o = message(m, DHCP_REQUEST, now);
	struct lease_packet *p = packet(w, m->state == LEASE_RENEWING ? SEND_SERVER : SEND_BROADCAST);

	ask_for_all(m, &o);
	if (m->state == LEASE_RENEWING || m->state == LEASE_REBINDING) {
		o.client = p->from = m->held.address;
		if (m->state == LEASE_RENEWING)
			p->to = m->held.server;
	} else {
		o.wanted = m->wanted;
		if (m->state == LEASE_REQUESTING) {
			o.server = m->offer.server;
			o.secs = m->secs; /* as in the DISCOVER, section 4.4.1 */
		}
	}
	put(p, &o);
}

static void put_farewell(struct lease_machine *m, msec_t now, struct lease_work *w, enum dhcp_type type, const struct lease *l)
{
	struct dhcp_out o;
	struct lease_packet *p = packet(w, type == DHCP_RELEASE ? SEND_SERVER : SEND_BROADCAST);

	m->xid = (uint32_t)random_next(m);
	m->began = now;
	o = message(m, type, now);
	o.server = l->server;
	if (type == DHCP_RELEASE) {
		o.client = p->from = l->address;
		p->to = l->server;
	} else {
		o.wanted = l->address;
	}
	put(p, &o);
}

static void put_probe(struct lease_machine *m, msec_t now, struct lease_work *w)
{
	struct lease_packet *p = packet(w, SEND_ARP);

	wire_put_arp(p->bytes, m->mac, m->probes < PROBES ? 0 : m->probed, m->probed);
	p->n = WIRE_ARP;
	m->probes++;
	if (m->probes < PROBES)
		m->probe_next = now + PROBE_PAUSE + random_span(m, PROBE_JITTER);
	else
		m->probe_next = now + ANNOUNCE_PAUSE;
}

/* ---- what we hold ---- */

static void search_over(struct lease_machine *m)
{
	m->probed = 0;
	m->probe_next = FOREVER;
}

static void drop(struct lease_machine *m, struct lease_work *w)
{
	if (m->holding)
		w->order = ORDER_DROP;
	m->holding = false;
	m->until = FOREVER;
	search_over(m);
}

static void news(struct lease_work *w, enum lease_news n, ip4_t about, ip4_t server)
{
	w->news = (uint8_t)n;
	w->about = about;
	w->server = server;
}

/* Times count from when the request was sent: earlier than the server's, never later. */
static void hold(struct lease_machine *m, const struct lease *l, struct lease_work *w)
{
	bool fresh = !m->holding || m->held.address != l->address;
	msec_t early;

	m->held = *l;
	m->holding = true;
	m->t1 = m->t2 = m->until = FOREVER;
	if (l->seconds != LEASE_INFINITE) {
		/* A little early, so that clients that began together do not stay together (section 4.4.5). */
		early = random_span(m, (msec_t)l->t1 * SECOND / 32);
		m->t1 = m->asked + (msec_t)l->t1 * SECOND - early;
		m->t2 = m->asked + (msec_t)l->t2 * SECOND;
		m->until = m->asked + (msec_t)l->seconds * SECOND;
	}
	m->state = LEASE_BOUND;
	m->next = m->t1;
	m->before = l->address;
	m->before_until = m->until;
	w->order = ORDER_APPLY;
	news(w, fresh ? NEWS_BOUND : NEWS_RENEWED, l->address, l->server);
}

static void wait_in_init(struct lease_machine *m, msec_t until)
{
	m->state = LEASE_INIT;
	m->fresh = false;
	m->next = until > m->discover_after ? until : m->discover_after;
	m->tries = 0;
}

/* ---- when time has come ---- */

static void discover(struct lease_machine *m, msec_t now, struct lease_work *w)
{
	struct dhcp_out o;
	msec_t pause;

	if (m->state == LEASE_INIT) {
		m->xid = (uint32_t)random_next(m);
		m->began = now;
		m->tries = 0;
		m->broadcast = false;
		/* Each search that leads to nothing makes the next one come later. */
		m->discover_after = now + backoff(m, m->setbacks);
		m->setbacks++;
	}
	m->state = LEASE_SELECTING;
	if (m->tries == SILENCE_TRIES)
		news(w, NEWS_SILENCE, 0, 0);
	m->broadcast = m->tries >= SILENCE_TRIES;
	m->wanted = m->holding ? m->held.address : m->before;
	o = message(m, DHCP_DISCOVER, now);
	m->secs = o.secs;
	ask_for_all(m, &o);
	o.wanted = m->wanted;
	put(packet(w, SEND_BROADCAST), &o);
	pause = backoff(m, m->tries++);
	m->next = now + pause;
	if (m->next > m->discover_after)
		m->discover_after = m->next;
}

/* At once, if it may be. */
static void begin_again(struct lease_machine *m, msec_t now, struct lease_work *w)
{
	wait_in_init(m, now);
	if (m->next <= now)
		discover(m, now, w);
}

static void ask(struct lease_machine *m, msec_t now, struct lease_work *w)
{
	m->asked = now;
	m->tries = 1;
	m->conflict = false;
	m->probed = m->wanted;
	m->probes = 0;
	m->next = now + backoff(m, 0);
	/* The probe first: its answer, from a kernel, should be here before the server's. */
	put_probe(m, now, w);
	m->probe_next = FOREVER; /* the next one only when it is ours */
	put_request(m, now, w);
}

static void request_again(struct lease_machine *m, msec_t now, struct lease_work *w)
{
	if (m->tries >= REQUEST_TRIES) {
		search_over(m);
		begin_again(m, now, w);
		return;
	}
	put_request(m, now, w);
	m->next = now + backoff(m, m->tries++);
}

/* A server that does not know us has to be silent (section 4.3.2): ask everybody. What we hold, we may keep until its end. */
static void reboot_failed(struct lease_machine *m, msec_t now, struct lease_work *w)
{
	search_over(m);
	begin_again(m, now, w);
}

/* In RENEWING and REBINDING each request is a transaction of its own, so that its time is known. */
static void ask_for_more(struct lease_machine *m, msec_t now, msec_t end, struct lease_work *w)
{
	msec_t pause = end == FOREVER || (end - now) / 2 < RENEW_PAUSE ? RENEW_PAUSE : (end - now) / 2;

	m->xid = (uint32_t)random_next(m);
	m->asked = now;
	put_request(m, now, w);
	m->next = now + pause < end ? now + pause : end;
}

static void renew_again(struct lease_machine *m, msec_t now, struct lease_work *w)
{
	if (now < m->t2) {
		m->state = LEASE_RENEWING;
		ask_for_more(m, now, m->t2, w);
	} else {
		m->state = LEASE_REBINDING;
		ask_for_more(m, now, m->until, w);
	}
}

static void renew(struct lease_machine *m, msec_t now, struct lease_work *w)
{
	m->setbacks = 0; /* it held for as long as it should */
	m->began = now;
	m->broadcast = false; /* the address is there to be answered at */
	renew_again(m, now, w);
}

static void reboot(struct lease_machine *m, msec_t now, struct lease_work *w)
{
	m->xid = (uint32_t)random_next(m);
	m->began = now;
	m->state = LEASE_REBOOTING;
	m->broadcast = false;
	m->wanted = m->holding ? m->held.address : m->before;
	m->reboot_after = now + BACKOFF_LEAST + SECOND;
	ask(m, now, w);
}

/* With an address from before, it is asked for first. */
static void begin_asking(struct lease_machine *m, msec_t now, struct lease_work *w)
{
	bool fresh = m->fresh;

	m->fresh = false;
	if (fresh && m->before && now < m->before_until && now >= m->reboot_after)
		reboot(m, now, w);
	else if (now >= m->discover_after)
		discover(m, now, w);
	else
		m->next = m->discover_after;
}

/* ---- what is called ---- */

static void begin(struct lease_work *w)
{
	w->n_packets = 0;
	w->order = ORDER_NONE;
	w->news = NEWS_NONE;
	w->forget = false;
	w->about = w->server = 0;
	w->why = NULL;
}

/* The address ends with its lease, whatever else goes on. */
static void look_at_end(struct lease_machine *m, msec_t now, struct lease_work *w)
{
	if (now >= m->before_until)
		m->before_until = 0; /* only a hint from now on */
	if (!m->holding || now < m->until)
		return;
	news(w, NEWS_EXPIRED, m->held.address, m->held.server);
	drop(m, w);
	if (on_lease(m->state))
		wait_in_init(m, now);
}

static void finish(struct lease_machine *m, struct lease_work *w)
{
	bool soon = m->state == LEASE_INIT && m->fresh;

	w->listen = soon || (m->probed && m->state != LEASE_DOWN) ? LISTEN_ALL : states[m->state].listen;
}

msec_t lease_next(const struct lease_machine *m)
{
	msec_t next = m->state == LEASE_DOWN ? FOREVER : m->next;

	if (m->holding && m->until < next)
		next = m->until;
	return m->probed && m->probe_next < next && m->state != LEASE_DOWN ? m->probe_next : next;
}

void lease_begin(struct lease_machine *m, uint64_t seed, const char *host)
{
	memset(m, 0, sizeof(*m));
	m->random = seed;
	m->next = m->t1 = m->t2 = m->until = m->before_until = m->probe_next = FOREVER;
	if (host && strlen(host) < sizeof(m->host) && name_ok(host))
		memcpy(m->host, host, strlen(host));
}

void lease_remember(struct lease_machine *m, msec_t now, const struct lease *l, msec_t left, bool live)
{
	m->before = l->address;
	m->before_until = time_add(now, left);
	if (live) {
		m->held = *l;
		m->holding = true;
		m->until = m->before_until;
		m->t1 = m->t2 = now; /* nobody knows any more */
	}
}

void lease_link(struct lease_machine *m, msec_t now, bool up, bool just, const uint8_t mac[6], uint16_t mtu, struct lease_work *ret)
{
	static const uint8_t none[6];

	begin(ret);
	look_at_end(m, now, ret);
	m->mtu = mtu;
	if (up && memcmp(m->mac, mac, sizeof(m->mac)) != 0) {
		/* Another card: what the first one was given is not its own. */
		if (memcmp(m->mac, none, sizeof(m->mac)) != 0 && m->before) {
			news(ret, NEWS_MOVED, m->before, 0);
			drop(m, ret);
			m->before = 0;
			ret->forget = true;
			m->state = LEASE_DOWN;
		}
		memcpy(m->mac, mac, sizeof(m->mac));
	}
	if (!up) {
		m->state = LEASE_DOWN;
		search_over(m);
	} else if (m->state == LEASE_DOWN) {
		m->state = LEASE_INIT;
		m->fresh = true;
		m->next = now + (just ? LINK_PAUSE : 0);
		if (!just)
			begin_asking(m, now, ret);
	}
	finish(m, ret);
}

void lease_time(struct lease_machine *m, msec_t now, struct lease_work *ret)
{
	begin(ret);
	look_at_end(m, now, ret);
	if (m->probed && m->state != LEASE_DOWN && now >= m->probe_next) {
		put_probe(m, now, ret);
		if (m->probes == PROBES + ANNOUNCES)
			search_over(m);
	}
	if (states[m->state].due && now >= m->next)
		states[m->state].due(m, now, ret);
	finish(m, ret);
}

/* Somebody else has it: tell the server, and leave it alone for a while. */
static void decline(struct lease_machine *m, msec_t now, const struct lease *l, struct lease_work *w)
{
	struct lease declined = *l;

	news(w, NEWS_CONFLICT, declined.address, declined.server);
	put_farewell(m, now, w, DHCP_DECLINE, &declined);
	drop(m, w);
	search_over(m);
	m->before = 0;
	w->forget = true;
	wait_in_init(m, now + DECLINE_PAUSE);
}

static bool heard_offer(struct lease_machine *m, msec_t now, const struct dhcp *d, struct lease_work *w)
{
	const char *wrong = terms_take(d, &m->offer);

	news(w, wrong ? NEWS_REFUSED : NEWS_OFFERED, d->yours, d->server);
	w->why = wrong;
	if (wrong)
		return true;
	m->state = LEASE_REQUESTING;
	m->wanted = m->offer.address;
	ask(m, now, w);
	return true;
}

static bool heard_ack(struct lease_machine *m, msec_t now, const struct dhcp *d, struct lease_work *w)
{
	ip4_t own = m->state == LEASE_RENEWING || m->state == LEASE_REBINDING ? m->held.address : m->wanted;
	struct lease l;
	const char *wrong;

	if (d->yours != own)
		return false;
	wrong = terms_take(d, &l);
	if (wrong) {
		news(w, NEWS_REFUSED, d->yours, d->server);
		w->why = wrong;
		return true;
	}
	/* It took longer than the lease that it grants. */
	if (l.seconds != LEASE_INFINITE && now - m->asked >= (msec_t)l.seconds * SECOND)
		return false;
	if (m->conflict) {
		decline(m, now, &l, w);
		return true;
	}
	if (m->probed)
		m->probe_next = now + PROBE_PAUSE + random_span(m, PROBE_JITTER);
	hold(m, &l, w);
	return true;
}

static bool heard_nak(struct lease_machine *m, msec_t now, const struct dhcp *d, struct lease_work *w)
{
	news(w, NEWS_NAK, m->state == LEASE_REQUESTING || m->state == LEASE_REBOOTING ? m->wanted : m->held.address, d->server);
	w->why = d->words;
	drop(m, w);
	search_over(m);
	m->before = 0;
	w->forget = true;
	begin_again(m, now, w);
	return true;
}

bool lease_heard(struct lease_machine *m, msec_t now, const struct dhcp *d, struct lease_work *ret)
{
	uint8_t takes;
	ip4_t server;
	bool ours = false;

	begin(ret);
	look_at_end(m, now, ret);
	takes = states[m->state].takes;
	server = m->state == LEASE_REQUESTING ? m->offer.server : m->held.server;
	if (d->xid == m->xid && memcmp(d->mac, m->mac, sizeof(d->mac)) == 0) {
		if ((m->state == LEASE_REQUESTING || m->state == LEASE_BOUND) && d->type == DHCP_OFFER && d->server != server)
			news(ret, NEWS_TOO_LATE, d->yours, d->server);
		else if (!(takes & TAKES_ANY_SERVER) && d->server != server)
			ours = false;
		else if (d->type == DHCP_OFFER && takes & TAKES_OFFER)
			ours = heard_offer(m, now, d, ret);
		else if (d->type == DHCP_ACK && takes & TAKES_ACK)
			ours = heard_ack(m, now, d, ret);
		else if (d->type == DHCP_NAK && takes & TAKES_NAK)
			ours = heard_nak(m, now, d, ret);
	}
	finish(m, ret);
	return ours;
}

void lease_heard_arp(struct lease_machine *m, msec_t now, const struct arp *a, struct lease_work *ret)
{
	begin(ret);
	look_at_end(m, now, ret);
	if (m->probed && m->state != LEASE_DOWN && memcmp(a->mac, m->mac, sizeof(a->mac)) != 0 &&
	    (a->from == m->probed || (!a->from && a->to == m->probed && !a->reply))) {
		/* Before the ACK it is not ours to decline. */
		if (on_lease(m->state))
			decline(m, now, &m->held, ret);
		else
			m->conflict = true;
	}
	finish(m, ret);
}

void lease_stop(struct lease_machine *m, msec_t now, bool release, struct lease_work *ret)
{
	begin(ret);
	look_at_end(m, now, ret);
	if (m->holding && release) {
		news(ret, NEWS_RELEASED, m->held.address, m->held.server);
		if (m->state != LEASE_DOWN)
			put_farewell(m, now, ret, DHCP_RELEASE, &m->held);
		drop(m, ret);
		ret->forget = true;
		m->before = 0;
	}
	search_over(m);
	m->state = LEASE_DOWN;
	finish(m, ret);
}
