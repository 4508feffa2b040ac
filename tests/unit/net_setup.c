/* net_setup.c - [Network] as the loader hands it over: each key, and what is said about values that cannot be used. */
#include "init/net/net.h"

#include <errno.h>
#include <string.h>

#include "init/net/resolv.h"
#include "tests/lib/tap.h"

static struct {
	struct table head;
	uint32_t words[64];
	char text[4096];
} made;

/* Two levels of lists, as in house.networks: words 1 on are the outer one, whose only items are the inner. */
static list_at table_of(const char *const *pairs)
{
	size_t at = 1;
	uint32_t n = 0;

	memset(&made, 0, sizeof(made));
	made.head.words_at = offsetof(__typeof__(made), words);
	made.head.texts_at = offsetof(__typeof__(made), text);
	made.words[1] = 1;
	made.words[2] = 3;
	made.head.house.networks = 1;
	for (; pairs[n]; n++) {
		memcpy(made.text + at, pairs[n], strlen(pairs[n]) + 1);
		made.words[4 + n] = (uint32_t)at;
		at += strlen(pairs[n]) + 1;
	}
	made.words[3] = n;
	return 3;
}

static char said[2048];

static int setup_of(const char *const *pairs, struct net_setup *ret)
{
	struct text why = TEXT(said);

	said[0] = '\0';
	return net_setup_of(&made.head, table_of(pairs), ret, &why);
}
#define SETUP(ret, ...) setup_of((const char *const[]){ __VA_ARGS__, NULL }, ret)

static void good(void)
{
	struct net_setup s;

	CHECK(SETUP(&s, "Interface=eth0") == 0 && s.dhcp && s.use_dns && s.use_routes && s.use_mtu && !s.use_hostname &&
	      s.send_hostname && !s.metric &&
	      !s.no_prefix_route && s.wait_online == 5000 && s.release, "what INTERFACE says where nothing is said");
	CHECK(SETUP(&s, "Interface=lan7", "DHCP=no", "Address=192.0.2.10/24", "Address=192.0.2.11/32", "Gateway=192.0.2.1",
	      "DNS=192.0.2.53 2001:db8::53", "DNS=9.9.9.9",
		    "Domains=example.org a.b.", "UseDNS=no", "UseRoutes=no", "UseMTU=no", "UseHostname=yes", "SendHostname=no",
		      "RouteMetric=77", "NoPrefixRoute=yes",
		    "WaitOnlineSec=1min 5s") == 0 && !*said, "every key is read without complaint");
	CHECK(!strcmp(s.name, "lan7") && !s.dhcp && s.n_addresses == 2 && s.addresses[0].local == IP4(192, 0, 2, 10) &&
	      s.addresses[0].bits == 24 &&
	      s.addresses[1].bits == 32 && s.gateway == IP4(192, 0, 2, 1), "Interface, DHCP, Address, Gateway");
	CHECK(s.n_dns == 3 && !strcmp(s.dns[1], "2001:db8::53") && !strcmp(s.dns[2], "9.9.9.9") && !strcmp(s.search, "example.org a.b"),
	      "DNS, Domains");
	CHECK(!s.use_dns && !s.use_routes && !s.use_mtu && s.use_hostname && !s.send_hostname && s.metric == 77 && s.no_prefix_route &&
	      s.wait_online == 65000,
	      "Use..., SendHostname, RouteMetric, NoPrefixRoute, WaitOnlineSec");
	CHECK(SETUP(&s, "RouteMetric=", "DNS=", "Domains=") == 0 && !s.metric && !s.n_dns, "nothing said in so many words");
	CHECK(SETUP(&s, "WaitOnlineSec=infinity") == 0 && s.wait_online == FOREVER, "for ever");
}

static void bad(void)
{
	static const struct { const char *pair; const char *words; } cases[] = {
		{ "Interface=", "no name of an interface" }, { "Interface=a/b", "no name of an interface" }, { "Interface=..",
		      "no name of an interface" },
		{ "Interface=abcdefghijklmnop", "no name of an interface" }, { "DHCP=ipv6", "neither ipv4 nor no" }, { "Address=192.0.2.1",
		      "write 192.0.2.10/24" },
		{ "Address=192.0.2.1/33", "write 192.0.2.10/24" }, { "Address=192.0.2.1/0", "write 192.0.2.10/24" }, { "Address=x/24",
		      "write 192.0.2.10/24" },
		{ "Address=127.0.0.1/8", "a host may have" }, { "Address=224.0.0.1/8", "a host may have" }, { "Gateway=x",
		      "no IPv4 address" }, { "Gateway=0.0.0.0", "no IPv4 address" },
		{ "DNS=x", "no address" }, { "DNS=1.1.1.1 1.1.1", "no address" }, { "Domains=a..b", "no domain" }, { "Domains=$(x)",
		      "no domain" }, { "UseDNS=maybe", "neither yes nor no" },
		{ "RouteMetric=0", "no metric" }, { "RouteMetric=-1", "no metric" }, { "RouteMetric=4294967296",
		      "no metric" }, { "WaitOnlineSec=soon", "no time span" },
		{ "Colour=red", "does not have" }, { "DNS=1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4 1.1.1.5 1.1.1.6 1.1.1.7", "one too many" },
		{ "", "does not have" },
	};
	struct net_setup s;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK(SETUP(&s, cases[i].pair, "Gateway=192.0.2.1") == -EINVAL && strstr(said, cases[i].words) && !strncmp(said,
		      "coppice.conf: [Network]: ", 25) &&
		      said[strlen(said) - 1] == '\n' && s.gateway == IP4(192, 0, 2, 1), "%s: the rest stands", cases[i].pair);
	CHECK(SETUP(&s, "Gateway=a\nb\033c") == -EINVAL && strchr(said, '\n') == said + strlen(said) - 1 && !strchr(said, '\033'),
	      "no complaint repeats control characters");
	char longest[300];
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "Domains=", 8);
	longest[299] = '\0';
	CHECK(SETUP(&s, longest) == -EINVAL, "a domain of 291 bytes");
	CHECK(SETUP(&s, "Address=10.0.0.1/8", "Address=10.0.0.2/8", "Address=10.0.0.3/8", "Address=10.0.0.4/8",
	      "Address=10.0.0.5/8") == -EINVAL && s.n_addresses == 4,
	      "a fifth address");
}

static void several(void)
{
	struct net_setup s[MAX_NETS];
	struct text why = TEXT(said);

	said[0] = '\0';
	(void)table_of((const char *const[]){ "Interface=eth1", NULL });
	CHECK(net_setups(&made.head, s, &why) == 1 && !strcmp(s[0].name, "eth1") && s[0].slot == 0, "the list of sections");
	made.words[1] = 20;
	for (uint32_t i = 0; i < 20; i++)
		made.words[2 + i] = 40;
	made.words[40] = 0;
	CHECK(net_setups(&made.head, s, &why) == MAX_NETS && s[15].slot == 15 && strstr(said, "20 interfaces"), "more than there is room for");
	made.head.house.networks = 0;
	made.words[0] = 0;
	CHECK(net_setups(&made.head, s, &why) == 0, "none");
}

static struct resolv_slot slots[MAX_NETS];
static char file[8192];

static const char *text_of(void)
{
	struct text out = TEXT(file);

	file[0] = '\0';
	resolv_text(slots, &out);
	return strncmp(file, RESOLV_MARK, strlen(RESOLV_MARK)) ? "?" : file + strlen(RESOLV_MARK);
}

static void put(uint32_t slot, const char *search, const char *a, const char *b)
{
	memset(&slots[slot], 0, sizeof(slots[slot]));
	memcpy(slots[slot].search, search, strlen(search));
	memcpy(slots[slot].dns[0], a, strlen(a));
	memcpy(slots[slot].dns[1], b, strlen(b));
	slots[slot].n_dns = (a[0] != '\0') + (b[0] != '\0');
}

/* resolv.conf: golden texts. */
static void merged(void)
{
	CHECK(!strcmp(text_of(), ""), "of nothing, nothing");
	put(0, "example.org", "192.0.2.1", "2001:db8::1");
	CHECK(!strcmp(text_of(), "search example.org\nnameserver 192.0.2.1\nnameserver 2001:db8::1\n"), "one interface");
	put(3, "b.example example.org c.example", "192.0.2.9", "192.0.2.1");
	CHECK(!strcmp(text_of(),
	      "search example.org b.example c.example\nnameserver 192.0.2.1\nnameserver 2001:db8::1\nnameserver 192.0.2.9\n"),
	      "two, merged, nothing twice");
	put(0, "", "", "");
	CHECK(!strcmp(text_of(), "search b.example example.org c.example\nnameserver 192.0.2.9\nnameserver 192.0.2.1\n"), "the first one gone");
	put(3, "a\nnameserver 6.6.6.6", "6.6.6.6\noptions x", "192.0.2.1 6.6.6.6");
	CHECK(!strcmp(text_of(), ""), "what is no name and no address does not come out");
	memset(slots, 'x', sizeof(slots));
	CHECK(!strcmp(text_of(), ""), "noise does not come out");
	memset(slots, 0, sizeof(slots));
	for (uint32_t i = 0; i < MAX_NETS; i++) {
		char a[NAMESERVER_SIZE], names[NAME_SIZE];

		(void)snprintf(a, sizeof(a), "10.0.0.%u", i);
		(void)snprintf(names, sizeof(names), "n%u.%0*u", i, 60, 1);
		put(i, names, a, "");
	}
	const char *t = text_of();
	int lines = 0;
	for (const char *at = t; *at; at++)
		lines += *at == '\n';
	CHECK(lines == 9 && strlen(t) < 2048, "sixteen interfaces: eight servers, and as many domains as there is room for");
}

int main(void)
{
	good();
	bad();
	several();
	merged();
	return tap_done();
}
