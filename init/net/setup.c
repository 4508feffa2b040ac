/* setup.c - the keys of [Network] as a table, each with its reader; pure. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "conf/values.h"
#include "init/net/bytes.h"
#include "init/net/net.h"
#include "init/net/terms.h"

/* NULL, or what is wrong with the value and how it is mended. */
typedef const char *reader(struct net_setup *s, const char *value, size_t member);

#define MEMBER(s, type, at) ((type *)(void *)((char *)(s) + (at)))

static const char *read_name(struct net_setup *s, const char *value, size_t member)
{
	size_t n = strlen(value);

	(void)member;
	if (!n || n >= sizeof(s->name) || strpbrk(value, "/ \t\n") || !strcmp(value, ".") || !strcmp(value, ".."))
		return "is no name of an interface; write eth0, for instance";
	memset(s->name, 0, sizeof(s->name));
	memcpy(s->name, value, n);
	return NULL;
}

static const char *read_dhcp(struct net_setup *s, const char *value, size_t member)
{
	(void)member;
	s->dhcp = !strcmp(value, "ipv4");
	return s->dhcp || !strcmp(value, "no") ? NULL : "is neither ipv4 nor no";
}

static const char *read_bool(struct net_setup *s, const char *value, size_t member)
{
	return bool_of(value, MEMBER(s, bool, member)) ? NULL : "is neither yes nor no";
}

static bool ip4_from(const char *s, ip4_t *ret)
{
	uint8_t bytes[4];

	if (inet_pton(AF_INET, s, bytes) != 1)
		return false;
	*ret = get32(bytes);
	return true;
}

static const char *read_address(struct net_setup *s, const char *value, size_t member)
{
	static const char *const wrong = "is no address with its network's size; write 192.0.2.10/24";
	char bare[INET_ADDRSTRLEN];
	size_t n = strcspn(value, "/");
	int64_t bits;
	ip4_t a;

	(void)member;
	if (n >= sizeof(bare) || !value[n] || !number_of(value + n + 1, &bits) || bits < 1 || bits > 32)
		return wrong;
	memcpy(bare, value, n);
	bare[n] = '\0';
	if (!ip4_from(bare, &a))
		return wrong;
	if (!ip4_host_ok(a))
		return "is no address that a host may have; take one of your network";
	if (s->n_addresses == MAX_ADDRESSES)
		return "is one too many; an interface can be given four";
	s->addresses[s->n_addresses].local = a;
	s->addresses[s->n_addresses++].bits = (uint32_t)bits;
	return NULL;
}

static const char *read_gateway(struct net_setup *s, const char *value, size_t member)
{
	ip4_t a;

	(void)member;
	if (!ip4_from(value, &a) || !ip4_host_ok(a))
		return "is no IPv4 address of a gateway; write 192.0.2.1";
	s->gateway = a;
	return NULL;
}

/* Several in one value have blanks between them. */
static const char *read_dns(struct net_setup *s, const char *value, size_t member)
{
	uint8_t bytes[16];

	(void)member;
	for (size_t n; value += strspn(value, " \t"), (n = strcspn(value, " \t")) > 0; value += n) {
		if (s->n_dns >= MAX_NAMESERVERS)
			return "is one too many; six name servers are enough for anybody, and most programs ask three";
		char *into = s->dns[s->n_dns];

		if (n >= NAMESERVER_SIZE)
			return "is no address; write 192.0.2.1 or 2001:db8::1";
		memset(into, 0, NAMESERVER_SIZE);
		memcpy(into, value, n);
		if (inet_pton(AF_INET, into, bytes) != 1 && inet_pton(AF_INET6, into, bytes) != 1)
			return "is no address; write 192.0.2.1 or 2001:db8::1";
		s->n_dns++;
	}
	return NULL;
}

static const char *read_domains(struct net_setup *s, const char *value, size_t member)
{
	size_t have = strlen(s->search);
	char name[NAME_SIZE];

	(void)member;
	for (size_t n; value += strspn(value, " \t"), (n = strcspn(value, " \t")) > 0; value += n) {
		size_t length = value[n - 1] == '.' ? n - 1 : n;

		if (length >= sizeof(name))
			return "is no domain; write example.org";
		memcpy(name, value, length);
		name[length] = '\0';
		if (!name_ok(name))
			return "is no domain; write example.org";
		if (have + length + 2 > sizeof(s->search))
			return "makes the list of domains longer than 255 bytes; leave some out";
		if (have)
			s->search[have++] = ' ';
		memcpy(s->search + have, name, length + 1);
		have += length;
	}
	return NULL;
}

static const char *read_metric(struct net_setup *s, const char *value, size_t member)
{
	int64_t n;

	(void)member;
	if (!*value)
		return NULL;
	if (!number_of(value, &n) || n < 1 || n > UINT32_MAX)
		return "is no metric; write a number from 1 on, smaller is preferred";
	s->metric = (uint32_t)n;
	return NULL;
}

static const char *read_wait(struct net_setup *s, const char *value, size_t member)
{
	(void)member;
	return span_of(value, 1000, &s->wait_online) ? NULL : "is no time span we know; write 5s, for instance";
}

#define BOOL(m) read_bool, offsetof(struct net_setup, m)

static const struct { const char *key; reader *read; size_t member; } keys[] = {
	{ "Interface",     read_name, 0 },
	{ "DHCP",          read_dhcp, 0 },
	{ "Address",       read_address, 0 },
	{ "Gateway",       read_gateway, 0 },
	{ "DNS",           read_dns, 0 },
	{ "Domains",       read_domains, 0 },
	{ "UseDNS",        BOOL(use_dns) },
	{ "UseRoutes",     BOOL(use_routes) },
	{ "UseMTU",        BOOL(use_mtu) },
	{ "UseHostname",   BOOL(use_hostname) },
	{ "SendHostname",  BOOL(send_hostname) },
	{ "RouteMetric",   read_metric, 0 },
	{ "NoPrefixRoute", BOOL(no_prefix_route) },
	{ "WaitOnlineSec", read_wait, 0 },
};
#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

static int complain(struct text *why, const char *key, size_t n, const char *value, const char *wrong)
{
	text_put(why, "coppice.conf: [Network]: ");
	text_shown(why, key, n, 64);
	text_put(why, "=: \"");
	text_shown(why, value, strlen(value), 64);
	text_put(why, "\" ");
	text_put(why, wrong);
	text_char(why, '\n');
	return -EINVAL;
}

static int read_pair(struct net_setup *s, const char *pair, struct text *why)
{
	size_t n = strcspn(pair, "=");
	const char *value = pair[n] ? pair + n + 1 : "";

	for (size_t k = 0; k < N_KEYS; k++) {
		if (strlen(keys[k].key) != n || memcmp(keys[k].key, pair, n) != 0)
			continue;
		const char *wrong = keys[k].read(s, value, keys[k].member);

		return wrong ? complain(why, pair, n, value, wrong) : 0;
	}
	return complain(why, pair, n, value, "is for a key that [Network] does not have; take it out");
}

int net_setup_of(const struct table *t, list_at list, struct net_setup *ret, struct text *why)
{
	/* What the loader writes out for each interface anyway; a hand-made table may lack it. */
	struct net_setup s = { .name = "eth0", .dhcp = true, .use_dns = true, .use_routes = true, .use_mtu = true,
			       .send_hostname = true, .release = true, .wait_online = 5000, .log = 2,
			       .state_dir = "/var/lib/coppice", .runtime = "/run/coppice", .resolv = "/etc/resolv.conf" };
	int e = 0;

	for (uint32_t i = 0, n = list_count(t, list); i < n; i++)
		if (read_pair(&s, table_text(t, list_item(t, list, i)), why) < 0)
			e = -EINVAL;
	*ret = s;
	return e;
}

uint32_t net_setups(const struct table *t, struct net_setup ret[MAX_NETS], struct text *why)
{
	uint32_t n = list_count(t, t->house.networks), have = 0;

	for (; have < n && have < MAX_NETS; have++) {
		(void)net_setup_of(t, list_item(t, t->house.networks, have), &ret[have], why);
		ret[have].slot = have;
	}
	if (n > MAX_NETS)
		text_fmt(why, "coppice.conf: [Network]: %u interfaces are more than the %u we can look after; the rest is left alone\n", n, MAX_NETS);
	return have;
}
