/* net_wire.c - packets and options: each option that is read, each fault that is told, hostile lengths everywhere. */
#include "init/net/wire.h"

#include <stdlib.h>

#include "tests/lib/dhcp.h"
#include "tests/lib/tap.h"

static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };
#define SERVER IP4(198, 51, 100, 1)
#define YOURS  IP4(198, 51, 100, 50)

/* Reads from memory of exactly that size, so that a sanitizer sees one byte too far. */
static enum wire_fault read_exact(const uint8_t *at, size_t n, struct dhcp *ret)
{
	uint8_t *copy = malloc(n ? n : 1);
	enum wire_fault f;

	if (!copy)
		abort();
	memcpy(copy, at, n);
	memset(ret, 0xaa, sizeof(*ret));
	f = wire_dhcp(copy, n, ret);
	free(copy);
	return f;
}

/* One option in an otherwise plain ACK. */
static enum wire_fault with(uint8_t code, const char *value, size_t n, struct dhcp *ret)
{
	struct reply r;

	reply_begin(&r, DHCP_ACK, 7, mac, YOURS, SERVER);
	/* Longer ones are split as RFC 3396 has it. */
	for (size_t at = 0, part; at == 0 || at < n; at += part ? part : 1) {
		part = n - at > 255 ? 255 : n - at;
		reply_option(&r, code, value + at, part);
	}
	reply_end(&r);
	return read_exact(r.bytes, r.n, ret);
}
#define WITH(code, value, ret) with(code, value, sizeof(value) - 1, ret)

static void fixed_part(void)
{
	struct reply r;
	struct dhcp d;

	reply_begin(&r, DHCP_OFFER, 0x01020304, mac, YOURS, SERVER);
	reply_u32(r.bytes + 12, IP4(10, 0, 0, 1));
	reply_u32(r.bytes + 24, IP4(10, 0, 0, 2));
	reply_end(&r);
	CHECK(read_exact(r.bytes, r.n, &d) == WIRE_SOUND, "a plain offer is sound");
	CHECK(d.xid == 0x01020304 && d.type == DHCP_OFFER && d.yours == YOURS && d.server == SERVER,
	      "its transaction, type and addresses are read");
	CHECK(d.client == IP4(10, 0, 0, 1) && d.relay == IP4(10, 0, 0, 2) && !memcmp(d.mac, mac, 6), "ciaddr, giaddr and chaddr are read");
	CHECK(!d.has && !d.mask && !d.n_routers && !d.n_dns && !d.n_ntp && !d.n_hops && !d.n_statics && !*d.host && !*d.domain && !*d.search,
	      "what it does not say is not there");
}

static void each_option(void)
{
	struct dhcp d;

	CHECK(WITH(1, "\xff\xff\xff\x80", &d) == WIRE_SOUND && d.mask == IP4(255, 255, 255, 128) && d.has & HAS_MASK, "option 1: netmask");
	CHECK(WITH(3, "\x0a\0\0\1\x0a\0\0\2", &d) == WIRE_SOUND && d.n_routers == 2 && d.routers[1] == IP4(10, 0, 0, 2), "option 3: routers");
	CHECK(WITH(6, "\1\1\1\1\2\2\2\2\3\3\3\3\4\4\4\4\5\5\5\5", &d) == WIRE_SOUND && d.n_dns == MOST_DNS && d.dns[3] == IP4(4, 4, 4, 4),
	      "option 6: name servers, as many as there is room for");
	CHECK(WITH(12, "box-1", &d) == WIRE_SOUND && !strcmp(d.host, "box-1"), "option 12: host name");
	CHECK(WITH(12, "box-1.\0\0", &d) == WIRE_SOUND && !strcmp(d.host, "box-1"), "option 12: trailing dot and NULs go");
	CHECK(WITH(15, "example.org", &d) == WIRE_SOUND && !strcmp(d.domain, "example.org"), "option 15: domain");
	CHECK(WITH(26, "\x05\x78", &d) == WIRE_SOUND && d.mtu == 1400, "option 26: MTU");
	CHECK(WITH(28, "\x0a\xff\xff\xff", &d) == WIRE_SOUND && d.broadcast == IP4(10, 255, 255, 255), "option 28: broadcast address");
	CHECK(WITH(33, "\xc0\xa8\1\0\x0a\0\0\1\x0a\1\1\1\x0a\0\0\2", &d) == WIRE_SOUND && d.n_statics == 2 && d.statics[0].bits == 24 &&
	      d.statics[1].bits == 32 && d.statics[1].via == IP4(10, 0, 0, 2), "option 33: static routes by class, and to hosts");
	CHECK(WITH(33, "\0\0\0\0\x0a\0\0\1", &d) == WIRE_SOUND && d.n_statics == 0, "option 33: no default route");
	CHECK(WITH(42, "\x0a\0\0\1", &d) == WIRE_SOUND && d.n_ntp == 1 && d.ntp[0] == IP4(10, 0, 0, 1), "option 42: time servers");
	CHECK(WITH(51, "\0\0\x0e\x10", &d) == WIRE_SOUND && d.lease == 3600 && d.has & HAS_LEASE, "option 51: lease time");
	CHECK(WITH(56, "no\nleases\xff left", &d) == WIRE_SOUND && !strcmp(d.words, "no?leases? left"), "option 56: words, made printable");
	CHECK(WITH(58, "\0\0\0\x10", &d) == WIRE_SOUND && d.t1 == 16 && d.has & HAS_T1, "option 58: T1");
	CHECK(WITH(59, "\0\0\0\x20", &d) == WIRE_SOUND && d.t2 == 32 && d.has & HAS_T2, "option 59: T2");
	CHECK(WITH(81, "\x04\0\0\x03" "box\x07" "example\0", &d) == WIRE_SOUND && !strcmp(d.host, "box"), "option 81: host name in labels");
	CHECK(WITH(81, "\0\0\0box.example", &d) == WIRE_SOUND && !strcmp(d.host, "box"), "option 81: host name in plain text");
	CHECK(WITH(81, "\x04\0\0\xc0\0", &d) == WIRE_SOUND && !*d.host, "option 81: a pointer to itself");
	CHECK(WITH(119, "\x03" "eng\x05" "apple\x03" "com\0\x09" "marketing\xc0\x04", &d) == WIRE_SOUND &&
	      !strcmp(d.search, "eng.apple.com marketing.apple.com"), "option 119: RFC 3397's own example");
	CHECK(WITH(121, "\0\x0a\0\0\1\x20\x0a\1\2\3\x0a\0\0\2\x0d\x0a\x1b\0\0\0\0", &d) == WIRE_SOUND && d.n_hops == 3, "option 121: routes");
	CHECK(d.hops[0].bits == 0 && d.hops[0].via == IP4(10, 0, 0, 1) && d.hops[1].to == IP4(10, 1, 2, 3) && d.hops[1].bits == 32 &&
	      d.hops[2].to == IP4(10, 24, 0, 0) && d.hops[2].bits == 13 && !d.hops[2].via, "option 121: with bits behind the width ignored");
}

/* RFC 3442, the table of encodings. */
static void widths(void)
{
	static const struct { const char *value; size_t n; ip4_t to; uint32_t bits; } cases[] = {
		{ "\0\1\1\1\1", 5, 0, 0 }, { "\x08\x0a\1\1\1\1", 6, IP4(10, 0, 0, 0), 8 }, { "\x18\x0a\0\0\1\1\1\1", 8, IP4(10, 0, 0, 0), 24 },
		{ "\x10\x0a\x11\1\1\1\1", 7, IP4(10, 17, 0, 0), 16 }, { "\x18\x0a\x1b\x81\1\1\1\1", 8, IP4(10, 27, 129, 0), 24 },
		{ "\x19\x0a\xe5\0\x80\1\1\1\1", 9, IP4(10, 229, 0, 128), 25 }, { "\x20\x0a\xc6\x7a\x2f\1\1\1\1", 9, IP4(10, 198, 122, 47), 32 },
	};
	struct dhcp d;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK(with(121, cases[i].value, cases[i].n, &d) == WIRE_SOUND && d.n_hops == 1 && d.hops[0].to == cases[i].to &&
		      d.hops[0].bits == cases[i].bits && d.hops[0].via == IP4(1, 1, 1, 1), "a route of width %u", cases[i].bits);
}

static void wrong_lengths(void)
{
	static const struct { uint8_t code; size_t n; enum wire_fault fault; } cases[] = {
		{ 1, 0, WIRE_SOUND }, { 1, 3, WIRE_SOUND }, { 1, 8, WIRE_SOUND }, { 3, 5, WIRE_SOUND }, { 6, 0, WIRE_SOUND }, { 12, 0, WIRE_SOUND },
		{ 15, 0, WIRE_SOUND }, { 26, 1, WIRE_SOUND }, { 26, 3, WIRE_SOUND }, { 28, 2, WIRE_SOUND }, { 33, 7, WIRE_SOUND }, { 42, 6, WIRE_SOUND },
		{ 51, 3, WIRE_TYPE }, { 51, 0, WIRE_TYPE }, { 53, 0, WIRE_SOUND }, { 53, 2, WIRE_TYPE }, { 54, 5, WIRE_TYPE }, { 52, 0, WIRE_OPTIONS },
		{ 52, 2, WIRE_OPTIONS }, { 58, 1, WIRE_SOUND }, { 59, 5, WIRE_SOUND }, { 81, 2, WIRE_SOUND }, { 119, 0, WIRE_SOUND }, { 119, 1, WIRE_SOUND },
		{ 121, 0, WIRE_SOUND }, { 121, 4, WIRE_SOUND }, { 82, 255, WIRE_SOUND }, { 80, 0, WIRE_SOUND },
	};
	struct dhcp d, plain;
	char value[256];

	memset(value, 1, sizeof(value));
	(void)with(80, "", 0, &plain);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* 53 and 54 are there once already: these come on top. */
		enum wire_fault f = with(cases[i].code, value, cases[i].n, &d);

		CHECK(f == cases[i].fault && (f || !memcmp(&d, &plain, sizeof(d))), "option %u of %zu bytes: %s", cases[i].code, cases[i].n,
		      cases[i].fault ? wire_words(cases[i].fault) : "as if it were not there");
	}
	CHECK(with(121, "\x21\1\1\1\1\1\1\1\1\1", 10, &d) == WIRE_SOUND && !d.n_hops && !(d.has & HAS_HOPS),
	      "option 121: a width of 33 voids it");
	CHECK(with(121, "\x08\x0a\1\1\1\1\x20\1\1", 9, &d) == WIRE_SOUND && !d.n_hops, "option 121: a second route that is cut voids the first");
}

static void many(void)
{
	char routes[40 * 9], names[1200];
	struct dhcp d;
	size_t n = 0;

	for (int i = 0; i < 40; i++)
		memcpy(routes + (size_t)i * 9, (char[]){ 32, 10, 0, 1, (char)i, 10, 0, 0, 1 }, 9);
	CHECK(with(121, routes, sizeof(routes), &d) == WIRE_SOUND && d.n_hops == MOST_HOPS && d.hops[31].to == IP4(10, 0, 1, 31),
	      "forty routes in two parts: as many as there is room for");
	for (; n + 20 < sizeof(names); n += 12)
		memcpy(names + n, "\x07" "example\x03" "org", 12);
	CHECK(with(119, names, n, &d) == WIRE_SOUND && !*d.search, "a name without an end");
	for (n = 0; n + 20 < sizeof(names); n += 13)
		memcpy(names + n, "\x07" "example\x03" "org", 13);
	CHECK(with(119, names, n, &d) == WIRE_SOUND && strlen(d.search) < NAME_SIZE, "names for which there is no room");
	static const char huge[2400];
	CHECK(with(15, huge, sizeof(huge), &d) == WIRE_SOUND && !*d.domain, "an option of 2,400 bytes counts as absent");
	memset(names, 'x', sizeof(names));
	CHECK(with(56, names, 600, &d) == WIRE_SOUND && strlen(d.words) == 64, "long words are cut");
	for (size_t i = 10; i < sizeof(names); i += 10)
		names[i] = '.';
	CHECK(with(12, names, 100, &d) == WIRE_SOUND && !*d.host && !*d.domain, "a host name of 100 bytes is none");
	CHECK(with(81, "\x04\0", 2, &d) == WIRE_SOUND && !*d.host, "half a name of option 81");
}

static void split_and_overloaded(void)
{
	struct reply r;
	struct dhcp d;

	reply_begin(&r, DHCP_ACK, 7, mac, YOURS, SERVER);
	reply_option(&r, 15, "exam", 4);
	reply_option(&r, 12, "box", 3);
	reply_option(&r, 15, "ple.org", 7);
	reply_end(&r);
	CHECK(read_exact(r.bytes, r.n, &d) == WIRE_SOUND && !strcmp(d.domain, "example.org") && !strcmp(d.host, "box"),
	      "an option in two parts is one");

	reply_begin(&r, DHCP_ACK, 7, mac, YOURS, SERVER);
	reply_option(&r, 12, "ab\ncd", 5);
	reply_option(&r, 81, "\0\0\0box", 6);
	reply_end(&r);
	CHECK(read_exact(r.bytes, r.n, &d) == WIRE_SOUND && !strcmp(d.host, "box"),
	      "a host name that is refused leaves nothing behind for the next one (found by fuzzing)");

	reply_begin(&r, DHCP_ACK, 7, mac, YOURS, SERVER);
	reply_option(&r, 81, "\0\0\0box81", 8);
	reply_option(&r, 12, "box12", 5);
	reply_end(&r);
	CHECK(read_exact(r.bytes, r.n, &d) == WIRE_SOUND && !strcmp(d.host, "box12"), "option 12 goes before 81");
	reply_begin(&r, DHCP_ACK, 7, mac, YOURS, SERVER);
	reply_option(&r, 52, "\1\1", 2);
	reply_end(&r);
	r.bytes[108] = 255;
	CHECK(read_exact(r.bytes, r.n, &d) == WIRE_OPTIONS, "two bytes of overload");

	for (int how = 1; how <= 3; how++) {
		reply_begin(&r, DHCP_ACK, 7, mac, YOURS, SERVER);
		reply_option(&r, 52, (uint8_t[]){ (uint8_t)how }, 1);
		reply_option(&r, 15, "a", 1);
		reply_end(&r);
		memcpy(r.bytes + 108, "\x0f\x01" "b\xff", 4);
		memcpy(r.bytes + 44, "\x0f\x01" "c\xff", 4);
		CHECK(read_exact(r.bytes, r.n, &d) == WIRE_SOUND && !strcmp(d.domain, how == 1 ? "ab" : how == 2 ? "ac" : "abc"),
		      "overload %d: options, then file, then sname", how);
		memset(r.bytes + 108, 0, 128);
		memset(r.bytes + 44, 0, 64);
		CHECK(read_exact(r.bytes, r.n, &d) == WIRE_OPTIONS, "overload %d: an area without an end", how);
		r.bytes[108 + 126] = r.bytes[44 + 62] = 15;
		r.bytes[108 + 127] = r.bytes[44 + 63] = 1;
		CHECK(read_exact(r.bytes, r.n, &d) == WIRE_OPTIONS, "overload %d: an option that leaves its area", how);
		memcpy(r.bytes + 108, "\x34\x01\x03\xff", 4);
		memcpy(r.bytes + 44, "\x34\x01\x03\xff", 4);
		CHECK(read_exact(r.bytes, r.n, &d) == WIRE_SOUND, "overload %d: an overload option in there leads nowhere", how);
	}
	for (int how = 0; how < 256; how += 1 + (how > 4) * 50) {
		reply_begin(&r, DHCP_ACK, 7, mac, YOURS, SERVER);
		reply_option(&r, 52, (uint8_t[]){ (uint8_t)how }, 1);
		reply_end(&r);
		memset(r.bytes + 44, 255, 192);
		CHECK(read_exact(r.bytes, r.n, &d) == (how >= 1 && how <= 3 ? WIRE_SOUND : WIRE_OPTIONS), "overload %d", how);
	}
}

static void structure(void)
{
	static const struct { size_t at; uint8_t to; enum wire_fault fault; const char *what; } cases[] = {
		{ 0, 1, WIRE_NOT_REPLY, "a request" }, { 1, 6, WIRE_HARDWARE, "another hardware type" }, { 2, 16, WIRE_HARDWARE,
		      "a long hardware address" },
		{ 236, 0, WIRE_COOKIE, "another cookie" }, { 241, 255, WIRE_OPTIONS, "an option longer than the packet" },
		{ 242, 0, WIRE_TYPE, "type 0" }, { 242, 10, WIRE_TYPE, "type 10" },
	};
	struct reply r;
	struct dhcp d;
	uint32_t sound = 0;
	size_t whole;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		reply_begin(&r, DHCP_ACK, 7, mac, YOURS, SERVER);
		reply_end(&r);
		r.bytes[cases[i].at] = cases[i].to;
		CHECK(read_exact(r.bytes, r.n, &d) == cases[i].fault, "%s: %s", cases[i].what, wire_words(cases[i].fault));
	}
	reply_begin(&r, DHCP_ACK, 7, mac, YOURS, 0);
	reply_end(&r);
	CHECK(read_exact(r.bytes, r.n, &d) == WIRE_TYPE, "no server: not ours to answer");
	reply_begin(&r, 0, 7, mac, YOURS, SERVER);
	reply_end(&r);
	CHECK(read_exact(r.bytes, r.n, &d) == WIRE_TYPE, "no type: plain BOOTP is not for us");
	reply_begin(&r, DHCP_ACK, 7, mac, YOURS, SERVER);
	reply_option(&r, 15, "example.org", 11);
	reply_option(&r, 121, "\x18\x0a\0\0\1\1\1\1", 8);
	whole = r.n + 1;
	reply_end(&r);
	for (size_t n = 0; n < whole; n++)
		sound += read_exact(r.bytes, n, &d) == WIRE_SOUND;
	CHECK(sound == 0, "cut anywhere, it is never sound");
	CHECK(read_exact(r.bytes, whole, &d) == WIRE_SOUND && read_exact(r.bytes, whole + 300, &d) == WIRE_SOUND,
	      "whole it is, also with padding behind");
}

static void names(void)
{
	static const struct { const char *name; bool good; } cases[] = {
		{ "a", true }, { "example.org", true }, { "_srv.ex-ample.org", true }, { "0", true }, { "", false }, { ".", false }, { "a.", false },
		{ ".a", false }, { "a..b", false }, { "-a", false }, { "a.-b", false }, { "a b", false }, { "a\nb", false }, { "a\tb", false }, { "a;b", false },
		{ "$(reboot)", false }, { "`x`", false }, { "a'b", false }, { "a\"b", false }, { "a|b", false }, { "a&b", false }, { "a/b", false },
		{ "a\\b", false }, { "a#b", false }, { "\xc3\xa9", false }, { "a*", false }, { "a=b", false }, { "a:b", false }, { "a@b", false }, { "../x", false },
		{ "123456789012345678901234567890123456789012345678901234567890123", true },
		{ "1234567890123456789012345678901234567890123456789012345678901234", false },
	};
	char longest[300];
	struct dhcp d;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK(name_ok(cases[i].name) == cases[i].good, "name no. %zu is %s", i,
		      cases[i].good ? "let in" : "refused");
		if (!*cases[i].name || strstr(cases[i].name, "a.") == cases[i].name)
			continue;
		CHECK(with(15, cases[i].name, strlen(cases[i].name), &d) == WIRE_SOUND && !!*d.domain == cases[i].good, "and so it is in option 15");
		if (strlen(cases[i].name) < HOST_SIZE)
			CHECK(with(12, cases[i].name, strlen(cases[i].name), &d) == WIRE_SOUND && !!*d.host == cases[i].good, "and in option 12");
	}
	/* All 256 bytes, alone in the middle of a label. */
	for (int c = 0; c < 256; c++) {
		char labels[] = "\x03" "a?b", text[] = "a?b";
		bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';

		labels[2] = text[1] = (char)c;
		bool in_list = with(119, labels, 5, &d) == WIRE_SOUND && *d.search;
		bool in_text = with(15, text, 3, &d) == WIRE_SOUND && *d.domain;
		if (in_list != good || in_text != (good || c == '.'))
			CHECK(false, "byte %d in a name", c);
	}
	CHECK(true, "each byte in a name is let in or refused as it should");
	for (size_t i = 0; i < sizeof(longest) - 1; i++)
		longest[i] = i % 50 == 49 ? '.' : 'a';
	longest[253] = '\0';
	CHECK(name_ok(longest), "253 bytes are a name");
	longest[253] = 'a';
	longest[254] = '\0';
	CHECK(!name_ok(longest), "254 bytes are none");
	CHECK(names_ok("a.b c.d") && !names_ok("a  b") && !names_ok(" a") && !names_ok("a ") && !names_ok("") && !names_ok("a\nb"),
	      "lists of names have single blanks");
}

static void pointers(void)
{
	static const struct { const char *value; size_t n; const char *want; const char *what; } cases[] = {
		{ "\xc0\x00", 2, "", "a pointer to itself" }, { "\x01" "a\xc0\x00", 4, "", "a name that leads back into itself" },
		{ "\xc0\x02\x01" "a\0", 5, "", "a pointer ahead" }, { "\x01" "a\0\xc0\x00", 5, "a a", "a pointer back" },
		{ "\x01" "a\0\xc0\x03", 5, "", "a pointer to its own place" }, { "\x01" "a\0\xc0", 4, "", "half a pointer" },
		{ "\x01" "a\0\x01" "b\xc0\x00\x01" "c\xc0\x03", 11, "a b.a c.b.a", "a pointer to a pointer" },
		{ "\x40" "a\0", 3, "", "a label type that there is not" }, { "\x05" "a\0", 3, "", "a label longer than the rest" },
		{ "\0\0\0", 3, "", "names of nothing" }, { "\x01" "a\0\x02" "b\n\0\x01" "c\0", 10, "a c", "one that is not let in is left out" },
		{ "\x03" "a.b\0", 5, "", "a dot within a label" }, { "\x01" "a\0\x01" "b", 5, "", "no end" },
		{ "\x01" "a\0\x01" "b\xc0\x00\xc0\x05", 9, "a b.a a", "a pointer to a pointer alone" },
	};
	struct dhcp d;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK(with(119, cases[i].value, cases[i].n, &d) == WIRE_SOUND && !strcmp(d.search, cases[i].want),
		      "search list: %s (%s)", cases[i].what, d.search);
}

static void what_we_say(void)
{
	struct dhcp_out o = { .xid = 0xdeadbeef, .type = DHCP_REQUEST, .broadcast = true, .secs = 9, .most = 1500,
			      .wanted = YOURS, .server = SERVER,
			      .host = "box", .ask = true };
	uint8_t out[WIRE_DHCP];
	const uint8_t *v;
	size_t n, length = 0;

	memcpy(o.mac, mac, 6);
	memset(out, 0xaa, sizeof(out));
	n = wire_put_dhcp(out, &o);
	CHECK(n >= 300 && n <= WIRE_DHCP, "a request is a BOOTP message of %zu bytes", n);
	CHECK(out[0] == 1 && out[1] == 1 && out[2] == 6 && !memcmp(out + 4, "\xde\xad\xbe\xef", 4) && out[9] == 9 && out[10] == 0x80 &&
	      !memcmp(out + 28, mac, 6) && !memcmp(out + 236, "\x63\x82\x53\x63", 4), "its fixed part");
	CHECK(sent_type(out, n) == DHCP_REQUEST && sent_u32(out, n, 50) == YOURS && sent_u32(out, n, 54) == SERVER, "options 53, 50 and 54");
	v = sent_option(out, n, 61, &length);
	CHECK(v && length == 7 && v[0] == 1 && !memcmp(v + 1, mac, 6), "option 61: the hardware address");
	v = sent_option(out, n, 57, &length);
	CHECK(v && length == 2 && v[0] == 5 && v[1] == 0xdc, "option 57: 1500");
	v = sent_option(out, n, 12, &length);
	CHECK(v && length == 3 && !memcmp(v, "box", 3), "option 12: the host name");
	v = sent_option(out, n, 55, &length);
	const uint8_t *first = v ? memchr(v, 121, length) : NULL, *router = v ? memchr(v, 3, length) : NULL;
	const uint8_t *old = v ? memchr(v, 33, length) : NULL;
	CHECK(first && router && old && first < router && first < old, "option 55: 121 before 3 and 33");
	static const uint8_t asked[] = { 1, 3, 6, 12, 15, 26, 28, 33, 42, 51, 54, 58, 59, 119, 121 };
	bool all = v && length == sizeof(asked);
	for (size_t i = 0; v && i < sizeof(asked); i++)
		all = all && memchr(v, asked[i], length);
	CHECK(all, "option 55: all that we read");
	o.host = "box.example.org";
	n = wire_put_dhcp(out, &o);
	v = sent_option(out, n, 81, &length);
	CHECK(v && length == 20 && v[0] == 5 && !memcmp(v + 3, "\x03" "box\x07" "example\x03" "org\0", 17) && !sent_option(out, n, 12, &length),
	      "option 81 and not 12 for a name with dots");
	o.host = "a\nb";
	n = wire_put_dhcp(out, &o);
	CHECK(!sent_option(out, n, 12, &length) && !sent_option(out, n, 81, &length), "a bad host name is not sent");
	char longest[254];
	for (size_t i = 0; i < 253; i++)
		longest[i] = i % 50 == 49 ? '.' : 'a';
	longest[253] = '\0';
	o.host = longest;
	n = wire_put_dhcp(out, &o);
	CHECK(!sent_option(out, n, 81, &length), "a host name too long for one option is not sent");
	o.host = longest + 3;
	n = wire_put_dhcp(out, &o);
	CHECK(sent_option(out, n, 81, &length) && length == 255 && n <= WIRE_DHCP && out[n - 1] == 255,
	      "the longest that fits does, and so does all (%zu)", n);
	n = wire_put_dhcp(out, &(struct dhcp_out){ .type = DHCP_RELEASE, .client = YOURS });
	CHECK(n == 300 && out[12] == 198 && !sent_option(out, n, 55, &length) && !sent_option(out, n, 57, &length) &&
	      !sent_option(out, n, 50, &length),
	      "a bare message has only what it was given");
}

/* What we send, with its ends exchanged, is what a server sends: sums stay right. */
static size_t from_server(uint8_t *at, size_t payload)
{
	size_t n = wire_put_udp(at, SERVER, YOURS, payload);
	uint8_t port[2];

	memcpy(port, at + 20, 2);
	memcpy(at + 20, at + 22, 2);
	memcpy(at + 22, port, 2);
	return n;
}

static void headers(void)
{
	static const struct { size_t at; uint8_t to; enum wire_fault fault; bool resum; const char *what; } cases[] = {
		{ 0, 0x65, WIRE_NOT_IP, true, "version 6" }, { 0, 0x44, WIRE_NOT_IP, true,
		      "a header of 16 bytes" }, { 0, 0x4f, WIRE_IP_SUM, false, "a longer header" },
		{ 10, 0, WIRE_IP_SUM, false, "a wrong IP checksum" }, { 6, 0x20, WIRE_FRAGMENT, true,
		      "more fragments" }, { 7, 1, WIRE_FRAGMENT, true, "a later fragment" },
		{ 6, 0x40, WIRE_SOUND, true, "don't fragment" }, { 9, 6, WIRE_NOT_UDP, true, "TCP" }, { 21, 68, WIRE_PORT, false, "from port 68" },
		{ 23, 67, WIRE_PORT, false, "to port 67" }, { 26, 1, WIRE_UDP_SUM, false,
		      "a wrong UDP checksum" }, { 40, 1, WIRE_UDP_SUM, false, "a payload byte that changed" },
		{ 24, 2, WIRE_SHORT, false, "UDP longer than IP" }, { 25, 7, WIRE_SHORT, false,
		      "UDP shorter than its header" }, { 3, 0, WIRE_SHORT, true, "IP shorter than its headers" },
		{ 2, 9, WIRE_SHORT, true, "IP longer than the packet" },
	};
	uint8_t at[WIRE_UDP + 100];
	const uint8_t *payload = NULL;
	size_t size = 0, n;

	memset(at, 0x5a, sizeof(at));
	n = from_server(at, 99); /* odd, for the sum */
	CHECK(wire_udp(at, n, true, &payload, &size) == WIRE_SOUND && size == 99 && payload == at + 28, "a sound packet");
	CHECK(wire_udp(at, sizeof(at), true, &payload, &size) == WIRE_SOUND && size == 99, "with Ethernet's padding behind it");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(at, 0x5a, sizeof(at));
		n = from_server(at, 100);
		at[cases[i].at] = cases[i].to;
		if (cases[i].resum) {
			uint32_t sum = 0;

			at[10] = at[11] = 0;
			for (size_t k = 0; k < 20; k += 2)
				sum += (uint32_t)(at[k] << 8 | at[k + 1]);
			sum = (sum & 0xffff) + (sum >> 16);
			sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
			at[10] = (uint8_t)(sum >> 8);
			at[11] = (uint8_t)sum;
		}
		CHECK(wire_udp(at, n, true, &payload, &size) == cases[i].fault, "%s", cases[i].what);
	}
	memset(at, 0x5a, sizeof(at));
	n = from_server(at, 100);
	at[26] ^= 1;
	CHECK(wire_udp(at, n, false, &payload, &size) == WIRE_SOUND, "a sum that hardware was to make is not looked at");
	at[26] = at[27] = 0;
	CHECK(wire_udp(at, n, true, &payload, &size) == WIRE_SOUND, "UDP without a checksum is allowed");
	uint32_t sound = 0;
	for (size_t k = 0; k < n; k++) {
		uint8_t *copy = malloc(k + 1);

		if (!copy)
			abort();
		memcpy(copy, at, k);
		sound += wire_udp(copy, k, true, &payload, &size) == WIRE_SOUND;
		free(copy);
	}
	CHECK(sound == 0, "cut anywhere, it is never sound");
}

/* 0 in the place of a checksum says that there is none (RFC 768): it is written as its other self. */
static void no_zero_sum(void)
{
	uint8_t at[WIRE_UDP + 4] = { 0 };
	uint32_t zeros = 0;

	for (uint32_t i = 0; i < 65536; i++) {
		at[28] = (uint8_t)(i >> 8);
		at[29] = (uint8_t)i;
		(void)wire_put_udp(at, YOURS, SERVER, 4);
		zeros += !at[26] && !at[27];
	}
	CHECK(zeros == 0, "no packet of ours goes without a checksum");
}

static void arp(void)
{
	uint8_t at[WIRE_ARP];
	struct arp a;

	wire_put_arp(at, mac, 0, YOURS);
	CHECK(wire_arp(at, sizeof(at), &a) && !a.reply && !memcmp(a.mac, mac, 6) && a.from == 0 && a.to == YOURS,
	      "an ARP probe, there and back");
	at[7] = 2;
	CHECK(wire_arp(at, sizeof(at), &a) && a.reply, "an ARP reply");
	at[7] = 3;
	CHECK(!wire_arp(at, sizeof(at), &a), "another operation is not for us");
	at[7] = 1;
	CHECK(!wire_arp(at, sizeof(at) - 1, &a), "cut short");
	at[4] = 8;
	CHECK(!wire_arp(at, sizeof(at), &a), "other hardware");
}

int main(void)
{
	fixed_part();
	each_option();
	widths();
	wrong_lengths();
	many();
	split_and_overloaded();
	structure();
	names();
	pointers();
	what_we_say();
	headers();
	no_zero_sum();
	arp();
	return tap_done();
}
