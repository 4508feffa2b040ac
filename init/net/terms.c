/* terms.c - every rule about what a server may give us, each in one place; pure. */
#include "init/net/terms.h"

#include <string.h>

#include "conf/kit/crc.h"

bool ip4_host_ok(ip4_t a)
{
	return a >> 24 != 0 && a >> 24 != 127 && a >> 29 != 7;
}

ip4_t ip4_mask(uint32_t bits)
{
	return bits ? UINT32_MAX << (32 - bits) : 0;
}

/* How many bits; 33 where the ones are not all in front. */
static uint32_t mask_bits(ip4_t mask)
{
	uint32_t bits = 0;

	while (bits < 32 && mask & 0x80000000u >> bits)
		bits++;
	return mask == ip4_mask(bits) ? bits : 33;
}

/* Before there were masks, RFC 791 section 3.2. */
static uint32_t class_bits(ip4_t a)
{
	return a >> 31 == 0 ? 8 : a >> 30 == 2 ? 16 : 24;
}

static bool in_network(ip4_t a, ip4_t network, uint32_t bits)
{
	return !((a ^ network) & ip4_mask(bits));
}

/* The addresses at the two ends of a network are nobody's; networks of two have no such ends (RFC 3021). */
static bool is_end(ip4_t a, uint32_t bits)
{
	ip4_t rest = ~ip4_mask(bits);

	return bits < 31 && ((a & rest) == 0 || (a & rest) == rest);
}

/* Can frames for this neighbour leave through the link? A lone address (/32) has its gateway on the link by agreement. */
static bool on_link(const struct lease *l, ip4_t a)
{
	if (!ip4_host_ok(a) || a == l->address)
		return false;
	if (l->bits == 32)
		return true;
	if (in_network(a, l->address, l->bits))
		return !is_end(a, l->bits);
	for (uint32_t i = 0; i < l->n_hops; i++)
		if (!l->hops[i].via && in_network(a, l->hops[i].to, l->hops[i].bits))
			return true;
	return false;
}

static const char *hop_wrong(const struct lease *l, const struct hop *h)
{
	if (h->bits > 32 || h->to & ~ip4_mask(h->bits))
		return "a route has bits behind its mask";
	if (h->bits && h->bits < BITS_LEAST)
		return "a route takes too much of the address space";
	if (h->bits && !ip4_host_ok(h->to))
		return "a route leads to loopback, multicast or nowhere";
	if (!h->via)
		return h->bits ? NULL : "the default route has no gateway";
	return on_link(l, h->via) ? NULL : "a gateway is not on the link";
}

static bool same_target(const struct hop *a, const struct hop *b)
{
	return a->to == b->to && a->bits == b->bits;
}

static void add_hop(struct lease *l, struct hop h)
{
	if (l->n_hops == MOST_HOPS || hop_wrong(l, &h))
		return;
	for (uint32_t i = 0; i < l->n_hops; i++)
		if (same_target(&l->hops[i], &h))
			return;
	/* The kernel makes the route to the own network by itself. */
	if (!h.via && h.bits == l->bits && in_network(h.to, l->address, l->bits))
		return;
	l->hops[l->n_hops++] = h;
}

/* RFC 3442: where option 121 is there, 3 and 33 do not count. Routes on the link come first: others' gateways may need them. */
static void take_hops(const struct dhcp *m, struct lease *l)
{
	if (m->has & HAS_HOPS) {
		for (uint32_t pass = 0; pass < 2; pass++)
			for (uint32_t i = 0; i < m->n_hops; i++)
				if (pass == (m->hops[i].via != 0))
					add_hop(l, m->hops[i]);
		return;
	}
	for (uint32_t i = 0; i < m->n_statics; i++)
		if (m->statics[i].via)
			add_hop(l, m->statics[i]);
	/* One default route: the first that works. */
	for (uint32_t i = 0; i < m->n_routers; i++)
		if (m->routers[i])
			add_hop(l, (struct hop){ .via = m->routers[i] });
}

static uint32_t take_addresses(ip4_t *into, const ip4_t *from, uint32_t n)
{
	uint32_t have = 0;

	for (uint32_t i = 0; i < n; i++)
		if (ip4_host_ok(from[i]))
			into[have++] = from[i];
	return have;
}

/* RFC 2131 section 4.4.5: half and seven eighths, where the server says nothing, or nothing sensible. */
static void take_times(const struct dhcp *m, struct lease *l)
{
	uint32_t seconds = m->has & HAS_LEASE ? m->lease : LEASE_PRESET;
	uint32_t least = seconds / 8 > RENEW_LEAST ? RENEW_LEAST : seconds / 8 ? seconds / 8 : 1;

	l->seconds = l->t1 = l->t2 = seconds;
	if (seconds == LEASE_INFINITE)
		return;
	l->t2 = m->has & HAS_T2 && m->t2 < seconds && m->t2 > least ? m->t2 : seconds - seconds / 8;
	l->t1 = m->has & HAS_T1 && m->t1 < l->t2 ? m->t1 : seconds / 2 < l->t2 ? seconds / 2 : l->t2 / 2;
	if (l->t1 < least)
		l->t1 = least;
}

/* The own domain (option 15) first, then the list (119), which then should have it, too: once is enough. */
static void take_search(const struct dhcp *m, struct lease *l)
{
	size_t have = strlen(m->domain);

	memcpy(l->search, m->domain, have);
	for (const char *at = m->search; *at;) {
		size_t n = strcspn(at, " ");

		if ((n != strlen(m->domain) || memcmp(at, m->domain, n) != 0) && have + n + 2 <= sizeof(l->search)) {
			if (have)
				l->search[have++] = ' ';
			memcpy(l->search + have, at, n);
			have += n;
		}
		at += n + (at[n] == ' ');
	}
}

/* What terms_take() and terms_check() both ask. */
static const char *basics_wrong(const struct lease *l)
{
	if (!ip4_host_ok(l->address))
		return "its address is none that a host may have";
	if (l->bits > 32)
		return "its netmask has holes";
	if (l->bits < BITS_LEAST)
		return "its netmask is too wide";
	if (is_end(l->address, l->bits))
		return "its address is the network's own or its broadcast";
	if (!ip4_host_ok(l->server) || l->server == l->address)
		return "its server's address is none that a host may have";
	if (l->seconds < LEASE_LEAST)
		return "its lease is too short";
	return NULL;
}

const char *terms_take(const struct dhcp *m, struct lease *ret)
{
	struct lease l;
	const char *wrong;

	memset(&l, 0, sizeof(l));
	l.address = m->yours;
	l.server = m->server;
	l.bits = m->mask ? mask_bits(m->mask) : m->has & HAS_MASK ? 0 : class_bits(m->yours);
	take_times(m, &l);
	wrong = basics_wrong(&l);
	if (wrong)
		return wrong;
	l.broadcast = l.bits < 31 ? l.address | ~ip4_mask(l.bits) : 0;
	l.mtu = !m->mtu || m->mtu > MTU_MOST ? 0 : m->mtu < MTU_LEAST ? MTU_LEAST : m->mtu;
	take_hops(m, &l);
	l.n_dns = take_addresses(l.dns, m->dns, m->n_dns);
	l.n_ntp = take_addresses(l.ntp, m->ntp, m->n_ntp);
	/* Some servers send the whole name. */
	size_t label = strcspn(m->host, ".");
	memcpy(l.host, m->host, label);
	take_search(m, &l);
	*ret = l;
	return NULL;
}

/* NUL-terminated within its array. */
static bool ended(const char *s, size_t size)
{
	return memchr(s, '\0', size) != NULL;
}

const char *terms_check(const struct lease *l)
{
	const char *wrong = basics_wrong(l);

	if (wrong)
		return wrong;
	if (l->broadcast != (l->bits < 31 ? l->address | ~ip4_mask(l->bits) : 0))
		return "its broadcast address is not the network's";
	if (l->t1 > l->t2 || l->t2 > l->seconds || l->t1 == 0)
		return "its times are out of order";
	if (l->mtu && (l->mtu < MTU_LEAST || l->mtu > MTU_MOST))
		return "its MTU is out of range";
	if (l->n_hops > MOST_HOPS || l->n_dns > MOST_DNS || l->n_ntp > MOST_NTP)
		return "it has more than it has room for";
	for (uint32_t i = 0; i < l->n_hops; i++) {
		wrong = hop_wrong(l, &l->hops[i]);
		if (wrong)
			return wrong;
		for (uint32_t k = 0; k < i; k++)
			if (same_target(&l->hops[k], &l->hops[i]))
				return "two routes lead to the same network";
	}
	for (uint32_t i = 0; i < l->n_dns; i++)
		if (!ip4_host_ok(l->dns[i]))
			return "a DNS server has no address that a host may have";
	for (uint32_t i = 0; i < l->n_ntp; i++)
		if (!ip4_host_ok(l->ntp[i]))
			return "a time server has no address that a host may have";
	if (!ended(l->host, sizeof(l->host)) || !ended(l->search, sizeof(l->search)))
		return "a text has no end";
	if (*l->host && (!name_ok(l->host) || strchr(l->host, '.')))
		return "its host name has what a host name may not have";
	if (*l->search && !names_ok(l->search))
		return "its search list has what a domain may not have";
	return NULL;
}

/* ---- kept over a restart ---- */

#define SAVED_MAGIC 0x63706c31u /* "cpl1"; another layout takes another number */

static uint32_t saved_crc(const struct saved *s)
{
	return crc32_of(&s->size, sizeof(*s) - offsetof(struct saved, size));
}

void terms_save(struct saved *ret, const struct lease *l, const uint8_t mac[6], int64_t until)
{
	memset(ret, 0, sizeof(*ret));
	ret->magic = SAVED_MAGIC;
	ret->size = sizeof(*ret);
	memcpy(ret->mac, mac, sizeof(ret->mac));
	ret->until = until;
	ret->lease = *l;
	ret->crc = saved_crc(ret);
}

bool terms_load(const struct saved *s, const uint8_t mac[6], int64_t now, struct lease *ret, int64_t *left)
{
	bool endless = s->lease.seconds == LEASE_INFINITE && s->until == INT64_MAX;

	if (s->magic != SAVED_MAGIC || s->size != sizeof(*s) || s->crc != saved_crc(s))
		return false;
	if (memcmp(s->mac, mac, sizeof(s->mac)) != 0 || terms_check(&s->lease))
		return false;
	/* A clock that was set meanwhile may not make the lease longer than it ever was. */
	if (!endless && (now < 0 || s->until <= now || s->until - now > (int64_t)s->lease.seconds * 1000))
		return false;
	*ret = s->lease;
	*left = endless ? INT64_MAX : s->until - now;
	return true;
}
