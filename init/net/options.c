/* options.c - DHCP messages: options as a table of which we read, how long they must be, and where they go; pure. */
#include <string.h>

#include "init/net/bytes.h"
#include "init/net/wire.h"

#define BOOTP_FIXED 236u /* before the cookie */
#define LEAST_BOOTP 300u
#define MOST_OPTION 2048u /* bytes of one option, joined; what is longer counts as absent */

enum option { OPT_PAD = 0, OPT_MASK = 1, OPT_ROUTER = 3, OPT_DNS = 6, OPT_HOST = 12, OPT_DOMAIN = 15, OPT_MTU = 26,
	      OPT_BROADCAST = 28, OPT_STATICS = 33, OPT_NTP = 42, OPT_WANTED = 50, OPT_LEASE = 51, OPT_OVERLOAD = 52,
	      OPT_TYPE = 53, OPT_SERVER = 54, OPT_ASK = 55, OPT_WORDS = 56, OPT_MOST = 57, OPT_T1 = 58, OPT_T2 = 59,
	      OPT_CLIENT = 61, OPT_FQDN = 81, OPT_SEARCH = 119, OPT_HOPS = 121, OPT_END = 255 };

/* The three places where options may stand, in the order in which they are joined (RFC 3396 section 5). */
struct areas {
	struct { const uint8_t *at; size_t n; } of[3];
	uint32_t n;
};

/* Is it a row of options, all within it, with an end? */
static bool area_sound(const uint8_t *at, size_t n)
{
	for (size_t i = 0; i < n;) {
		if (at[i] == OPT_END)
			return true;
		if (at[i] == OPT_PAD) {
			i++;
			continue;
		}
		if (n - i < 2 || n - i - 2 < at[i + 1])
			return false;
		i += 2u + at[i + 1];
	}
	return false;
}

/* Joins all parts of one option; its length, -1 where there is none. *found has it, MOST_OPTION bytes. */
static int gather(const struct areas *a, uint8_t code, uint8_t *found)
{
	size_t have = 0;
	bool any = false;

	for (uint32_t k = 0; k < a->n; k++) {
		const uint8_t *at = a->of[k].at;

		for (size_t i = 0; at[i] != OPT_END; i += at[i] == OPT_PAD ? 1u : 2u + at[i + 1]) {
			if (at[i] != code || code == OPT_PAD)
				continue;
			any = true;
			if (have + at[i + 1] > MOST_OPTION)
				return -1;
			memcpy(found + have, at + i + 2, at[i + 1]);
			have += at[i + 1];
		}
	}
	return any ? (int)have : -1;
}

typedef void take_option(const uint8_t *at, size_t n, struct dhcp *m);

static void take_addresses(const uint8_t *at, size_t n, ip4_t *into, uint32_t most, uint32_t *count)
{
	for (size_t i = 0; i + 4 <= n && *count < most; i += 4)
		into[(*count)++] = get32(at + i);
}

static void take_mask(const uint8_t *at, size_t n, struct dhcp *m)
{
	(void)n;
	m->mask = get32(at);
	m->has |= HAS_MASK;
}

static void take_routers(const uint8_t *at, size_t n, struct dhcp *m)
{
	take_addresses(at, n, m->routers, MOST_ROUTERS, &m->n_routers);
}

static void take_dns(const uint8_t *at, size_t n, struct dhcp *m)
{
	take_addresses(at, n, m->dns, MOST_DNS, &m->n_dns);
}

static void take_ntp(const uint8_t *at, size_t n, struct dhcp *m)
{
	take_addresses(at, n, m->ntp, MOST_NTP, &m->n_ntp);
}

static void take_host(const uint8_t *at, size_t n, struct dhcp *m)
{
	name_take(at, n, m->host, sizeof(m->host));
}

static void take_domain(const uint8_t *at, size_t n, struct dhcp *m)
{
	name_take(at, n, m->domain, sizeof(m->domain));
}

static void take_mtu(const uint8_t *at, size_t n, struct dhcp *m)
{
	(void)n;
	m->mtu = get16(at);
}

static void take_broadcast(const uint8_t *at, size_t n, struct dhcp *m)
{
	(void)n;
	m->broadcast = get32(at);
}

/* The size of the network that an address is in by its class, which is all that option 33 can say. */
static uint32_t class_bits(ip4_t a)
{
	uint32_t bits = a >> 31 == 0 ? 8 : a >> 30 == 2 ? 16 : 24;

	return a & (UINT32_MAX >> bits) ? 32 : bits;
}

static void take_statics(const uint8_t *at, size_t n, struct dhcp *m)
{
	for (size_t i = 0; i + 8 <= n && m->n_statics < MOST_HOPS; i += 8) {
		ip4_t to = get32(at + i);

		/* RFC 2132 section 5.8: the default route may not stand here. */
		if (to)
			m->statics[m->n_statics++] = (struct hop){ .to = to, .via = get32(at + i + 4), .bits = class_bits(to) };
	}
}

/* RFC 3442: width, as many bytes of the network as the width needs, router. */
static void take_hops(const uint8_t *at, size_t n, struct dhcp *m)
{
	for (size_t i = 0; i < n;) {
		uint32_t bits = at[i++], bytes = (bits + 7) / 8;
		ip4_t to = 0;

		if (bits > 32 || n - i < bytes + 4) {
			m->n_hops = 0;
			m->has &= ~(uint32_t)HAS_HOPS;
			return;
		}
		for (uint32_t k = 0; k < bytes; k++)
			to |= (ip4_t)at[i++] << (24 - 8 * k);
		/* Bits behind the width are to be ignored. */
		to &= bits ? UINT32_MAX << (32 - bits) : 0;
		if (m->n_hops < MOST_HOPS)
			m->hops[m->n_hops++] = (struct hop){ .to = to, .via = get32(at + i), .bits = bits };
		i += 4;
		m->has |= HAS_HOPS;
	}
}

static void take_lease(const uint8_t *at, size_t n, struct dhcp *m)
{
	(void)n;
	m->lease = get32(at);
	m->has |= HAS_LEASE;
}

static void take_type(const uint8_t *at, size_t n, struct dhcp *m)
{
	(void)n;
	m->type = at[0];
}

static void take_server(const uint8_t *at, size_t n, struct dhcp *m)
{
	(void)n;
	m->server = get32(at);
}

static void take_words(const uint8_t *at, size_t n, struct dhcp *m)
{
	for (size_t i = 0; i < n && i < sizeof(m->words) - 1; i++)
		m->words[i] = (char)(at[i] >= ' ' && at[i] < 127 ? at[i] : '?');
}

static void take_t1(const uint8_t *at, size_t n, struct dhcp *m)
{
	(void)n;
	m->t1 = get32(at);
	m->has |= HAS_T1;
}

static void take_t2(const uint8_t *at, size_t n, struct dhcp *m)
{
	(void)n;
	m->t2 = get32(at);
	m->has |= HAS_T2;
}

/* RFC 4702 section 2: flags, two old result codes, then labels (flag E, 4) or, long ago, plain text. */
static void take_fqdn(const uint8_t *at, size_t n, struct dhcp *m)
{
	char name[NAME_SIZE];
	size_t i = 0;

	if (m->host[0])
		return;
	if (!(at[0] & 4))
		name_take(at + 3, n - 3, name, sizeof(name));
	else if (!name_take_labels(at + 3, n - 3, &i, name, sizeof(name)))
		return;
	size_t label = strcspn(name, ".");
	if (label >= sizeof(m->host))
		return;
	memcpy(m->host, name, label);
	m->host[label] = '\0';
}

static void take_search(const uint8_t *at, size_t n, struct dhcp *m)
{
	names_take(at, n, m->search, sizeof(m->search));
}

/*
 * What we read: at least so many bytes, a multiple of so many, exactly one where
 * it is `single`; `vital`: a wrong length voids the message. `ask`: its place
 * among what we ask for, where 121 has to stand before 3 and 33 (RFC 3442).
 */
static const struct {
	uint8_t code, least, step, ask;
	bool single, vital;
	take_option *take;
} options[] = {
	{ OPT_TYPE,      .least = 1, .step = 1, .single = true, .vital = true, .take = take_type },
	{ OPT_SERVER,    .least = 4, .step = 4, .single = true, .vital = true, .take = take_server, .ask = 10 },
	{ OPT_LEASE,     .least = 4, .step = 4, .single = true, .vital = true, .take = take_lease, .ask = 9 },
	{ OPT_T1,        .least = 4, .step = 4, .single = true, .take = take_t1, .ask = 11 },
	{ OPT_T2,        .least = 4, .step = 4, .single = true, .take = take_t2, .ask = 12 },
	{ OPT_MASK,      .least = 4, .step = 4, .single = true, .take = take_mask, .ask = 1 },
	{ OPT_HOPS,      .least = 5, .step = 1, .take = take_hops, .ask = 2 },
	{ OPT_ROUTER,    .least = 4, .step = 4, .take = take_routers, .ask = 3 },
	{ OPT_STATICS,   .least = 8, .step = 8, .take = take_statics, .ask = 4 },
	{ OPT_DNS,       .least = 4, .step = 4, .take = take_dns, .ask = 5 },
	{ OPT_HOST,      .least = 1, .step = 1, .take = take_host, .ask = 6 },
	{ OPT_FQDN,      .least = 4, .step = 1, .take = take_fqdn },
	{ OPT_DOMAIN,    .least = 1, .step = 1, .take = take_domain, .ask = 7 },
	{ OPT_SEARCH,    .least = 2, .step = 1, .take = take_search, .ask = 8 },
	{ OPT_MTU,       .least = 2, .step = 2, .single = true, .take = take_mtu, .ask = 13 },
	{ OPT_BROADCAST, .least = 4, .step = 4, .single = true, .take = take_broadcast, .ask = 14 },
	{ OPT_NTP,       .least = 4, .step = 4, .take = take_ntp, .ask = 15 },
	{ OPT_WORDS,     .least = 1, .step = 1, .take = take_words },
};
#define N_OPTIONS (sizeof(options) / sizeof(options[0]))

enum wire_fault wire_dhcp(const uint8_t *at, size_t n, struct dhcp *ret)
{
	static const uint8_t cookie[4] = { 0x63, 0x82, 0x53, 0x63 }; /* RFC 1497 */
	uint8_t found[MOST_OPTION];
	struct areas a = { .n = 1 };
	struct dhcp m = { 0 };

	if (n < BOOTP_FIXED + sizeof(cookie))
		return WIRE_SHORT;
	if (at[0] != 2)
		return WIRE_NOT_REPLY;
	if (at[1] != 1 || at[2] != 6)
		return WIRE_HARDWARE;
	if (memcmp(at + BOOTP_FIXED, cookie, sizeof(cookie)) != 0)
		return WIRE_COOKIE;
	a.of[0].at = at + BOOTP_FIXED + sizeof(cookie);
	a.of[0].n = n - BOOTP_FIXED - sizeof(cookie);
	if (!area_sound(a.of[0].at, a.of[0].n))
		return WIRE_OPTIONS;
	/* Looked for in the options themselves only, so that it cannot lead back. */
	int overload = gather(&a, OPT_OVERLOAD, found);
	if (overload >= 0) {
		if (overload != 1 || found[0] < 1 || found[0] > 3)
			return WIRE_OPTIONS;
		if (found[0] & 1) {
			a.of[a.n].at = at + 108;
			a.of[a.n++].n = 128;
		}
		if (found[0] & 2) {
			a.of[a.n].at = at + 44;
			a.of[a.n++].n = 64;
		}
		for (uint32_t k = 1; k < a.n; k++)
			if (!area_sound(a.of[k].at, a.of[k].n))
				return WIRE_OPTIONS;
	}
	m.xid = get32(at + 4);
	m.client = get32(at + 12);
	m.yours = get32(at + 16);
	m.relay = get32(at + 24);
	memcpy(m.mac, at + 28, sizeof(m.mac));
	for (size_t i = 0; i < N_OPTIONS; i++) {
		int length = gather(&a, options[i].code, found);

		if (length < 0)
			continue;
		if (length >= options[i].least && length % options[i].step == 0 && (!options[i].single || length == options[i].least))
			options[i].take(found, (size_t)length, &m);
		else if (options[i].vital)
			return WIRE_TYPE;
	}
	if (m.type < DHCP_DISCOVER || m.type > DHCP_FORCERENEW || !m.server)
		return WIRE_TYPE;
	*ret = m;
	return WIRE_SOUND;
}

/* ---- what we say ---- */

struct writer { uint8_t *at; size_t n; };

static void put_option(struct writer *w, uint8_t code, const void *value, size_t n)
{
	/* Our own options fit by their sizes; the end and a host name of 253 bytes included. */
	w->at[w->n++] = code;
	w->at[w->n++] = (uint8_t)n;
	memcpy(w->at + w->n, value, n);
	w->n += n;
}

static void put_address(struct writer *w, uint8_t code, ip4_t a)
{
	uint8_t value[4];

	if (!a)
		return;
	put32(value, a);
	put_option(w, code, value, sizeof(value));
}

/* RFC 4702 forbids option 12 beside 81. E: in labels; S: the server shall enter the name in the DNS. */
static void put_host(struct writer *w, const char *host)
{
	uint8_t value[3 + NAME_SIZE] = { 4 | 1, 0, 0 };
	size_t n = 3;

	if (!host || !name_ok(host))
		return;
	if (!strchr(host, '.')) {
		put_option(w, OPT_HOST, host, strlen(host));
		return;
	}
	for (const char *label = host; *label;) {
		size_t length = strcspn(label, ".");

		if (n + length + 2 > 255)
			return;
		value[n++] = (uint8_t)length;
		memcpy(value + n, label, length);
		n += length;
		label += length + (label[length] == '.');
	}
	value[n++] = 0;
	put_option(w, OPT_FQDN, value, n);
}

static void put_ask(struct writer *w)
{
	uint8_t value[N_OPTIONS];
	size_t n = 0;

	for (size_t place = 1; place <= N_OPTIONS; place++)
		for (size_t i = 0; i < N_OPTIONS; i++)
			if (options[i].ask == place)
				value[n++] = options[i].code;
	put_option(w, OPT_ASK, value, n);
}

size_t wire_put_dhcp(uint8_t out[WIRE_DHCP], const struct dhcp_out *m)
{
	struct writer w = { .at = out, .n = BOOTP_FIXED };
	uint8_t client[7] = { 1 }, most[2];

	memset(out, 0, WIRE_DHCP);
	out[0] = out[1] = 1;
	out[2] = 6;
	put32(out + 4, m->xid);
	put16(out + 8, m->secs);
	put16(out + 10, m->broadcast ? 0x8000 : 0);
	put32(out + 12, m->client);
	memcpy(out + 28, m->mac, 6);
	put32(out + w.n, 0x63825363);
	w.n += 4;
	put_option(&w, OPT_TYPE, &m->type, 1);
	memcpy(client + 1, m->mac, 6);
	put_option(&w, OPT_CLIENT, client, sizeof(client));
	put_address(&w, OPT_WANTED, m->wanted);
	put_address(&w, OPT_SERVER, m->server);
	if (m->most) {
		put16(most, m->most);
		put_option(&w, OPT_MOST, most, sizeof(most));
	}
	if (m->ask)
		put_ask(&w);
	put_host(&w, m->host);
	out[w.n++] = OPT_END;
	return w.n < LEAST_BOOTP ? LEAST_BOOTP : w.n;
}
