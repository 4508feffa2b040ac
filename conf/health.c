/* health.c - kinds of value that say what a health check looks at; pure. */
#include "conf/kinds.h"

#include <arpa/inet.h>
#include <string.h>

#include "conf/values.h"

static bool take_port(const char *s, uint32_t *ret)
{
	int64_t n;

	if (*s < '0' || *s > '9' || !number_of(s, &n) || n < 1 || n > 65535)
		return false;
	*ret = (uint32_t)n;
	return true;
}

/* An IPv4 or IPv6 address, the latter with or without brackets, or "localhost": nothing here asks DNS. */
static bool is_address(const char *s, size_t n)
{
	char bare[INET6_ADDRSTRLEN + 2];
	struct text t = TEXT(bare);
	unsigned char binary[16];
	bool brackets = n > 2 && s[0] == '[' && s[n - 1] == ']';

	text_bytes(&t, s + brackets, brackets ? n - 2 : n);
	return !t.cut && ((!brackets && (!strcmp(bare, "localhost") ||
					 inet_pton(AF_INET, bare, binary) == 1)) ||
			  inet_pton(AF_INET6, bare, binary) == 1);
}

/* Where the port begins: behind the last colon that stands outside brackets; NULL where there is none. */
static const char *port_of(const char *s)
{
	const char *bracket = strrchr(s, ']'), *colon = strrchr(bracket ? bracket : s, ':');

	return colon ? colon + 1 : NULL;
}

static bool read_tcp(struct reading *r, const char *value)
{
	struct unit *u = r->into;
	const char *port = port_of(value);
	size_t host = port ? (size_t)(port - value) - 1 : 0;
	uint32_t number;

	if (!take_port(port ? port : value, &number))
		return refuse(r, value, "names no port; write PORT or ADDRESS:PORT, 1 to 65535");
	if (port && !is_address(value, host))
		return refuse(r, value,
			      "names no address; write numbers such as 127.0.0.1 or [::1], or the port alone");
	if (!health_begin(r, HEALTH_TCP, value))
		return false;
	u->health_host = build_text(r->b, value, host);
	u->health_port = number;
	return true;
}

static bool read_listen(struct reading *r, const char *value)
{
	struct unit *u = r->into;
	uint32_t number;

	if (!take_port(value, &number))
		return refuse(r, value, "is no port; write 1 to 65535");
	if (!health_begin(r, HEALTH_LISTEN, value))
		return false;
	u->health_port = number;
	return true;
}

static bool read_http(struct reading *r, const char *value)
{
	static const char scheme[] = "http://";
	struct unit *u = r->into;
	const char *host;
	uint32_t number = 80;

	value = resolve(r, value);
	if (!value)
		return false;
	host = value + sizeof(scheme) - 1;
	if (strncmp(value, scheme, sizeof(scheme) - 1) != 0)
		return refuse(r, value, "is no URL we can ask; write http://127.0.0.1:PORT/path, without TLS");
	for (const char *s = value; *s; s++)
		if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7f || strchr("\"<>\\^`{|}", *s))
			return refuse(r, value, "holds a character that a URL cannot; write it as %%%%XX");

	size_t n = strcspn(host, "/?#");
	char authority[128];
	struct text t = TEXT(authority);

	text_bytes(&t, host, n);
	authority[t.len] = '\0';

	const char *port = t.cut ? NULL : port_of(authority);

	if (port && !take_port(port, &number))
		return refuse(r, value, "names no port; write http://127.0.0.1:PORT/path");
	if (t.cut || !is_address(authority, port ? (size_t)(port - authority) - 1 : n) ||
	    (*authority != '[' && strchr(authority, ':') != strrchr(authority, ':')))
		return refuse(r, value,
			      "names no address; write numbers such as 127.0.0.1 or [::1], or localhost: names are not looked up");
	if (strchr(host + n, '#'))
		return refuse(r, value, "has a fragment; drop what follows #");
	if (!health_begin(r, HEALTH_HTTP, value))
		return false;
	u->health_host = build_text(r->b, authority, n);
	u->health_port = number;

	struct text path = { .size = strlen(host + n) + 2 };

	path.at = arena_get(r->arena, path.size);
	if (!path.at)
		return false;
	if (host[n] != '/')
		text_char(&path, '/');
	text_put(&path, host + n);
	u->health_path = build_text(r->b, path.at, path.len);
	return true;
}

static bool keep_place(struct reading *r, const char *value, enum health_kind kind)
{
	struct unit *u = r->into;

	value = resolve(r, value);
	if (!value || !check_path(r, value))
		return false;
	/* sun_path, unix(7), with its NUL */
	if (kind == HEALTH_UNIX && strlen(value) > 107)
		return refuse(r, value, "is longer than 107 bytes, which no socket's path may be");
	if (!health_begin(r, kind, value))
		return false;
	u->health_path = build_text(r->b, value, strlen(value));
	return true;
}

static bool read_unix(struct reading *r, const char *value)
{
	return keep_place(r, value, HEALTH_UNIX);
}

static bool read_file(struct reading *r, const char *value)
{
	return keep_place(r, value, HEALTH_FILE);
}

/* "200-399", or a single one. */
static bool read_codes(struct reading *r, const char *value)
{
	struct unit *u = r->into;
	char low[8];
	struct text t = TEXT(low);
	size_t n = strcspn(value, "-");
	int64_t from, to;

	text_bytes(&t, value, n);
	if (t.cut || !number_of(low, &from) || !number_of(value[n] ? value + n + 1 : low, &to) || from < 100 ||
	    to > 999 || from > to)
		return refuse(r, value, "is no range of HTTP statuses; write 200-399");
	u->health_status[0] = (uint32_t)from;
	u->health_status[1] = (uint32_t)to;
	return true;
}

static void print_codes(struct text *out, const struct table *t, const void *base, const struct setting *s)
{
	const uint32_t *codes = (const void *)((const char *)base + s->at);

	(void)t;
	text_num(out, codes[0]);
	text_char(out, '-');
	text_num(out, codes[1]);
}

const struct kind kind_health_tcp = { "health", "[ADDRESS:]PORT", read_tcp, NULL };
const struct kind kind_health_listen = { "health", "PORT", read_listen, NULL };
const struct kind kind_health_http = { "health", "http://ADDRESS[:PORT]/PATH", read_http, NULL };
const struct kind kind_health_unix = { "health", "absolute path", read_unix, NULL };
const struct kind kind_health_file = { "health", "absolute path", read_file, NULL };
const struct kind kind_codes = { "codes", "FROM-TO", read_codes, print_codes };
