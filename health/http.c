/* http.c - asks for one page and reads the status of the reply, byte by byte, without keeping any; pure. */
#include "health/http.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "conf/kit/text.h"

/* The start of a status line, RFC 9112 section 4; 'd' is any digit. */
static const char shape[] = "HTTP/1.d ddd";

enum {
	AT_CODE = 9,                 /* the first digit of the status */
	AT_GAP = sizeof(shape) - 1,  /* what follows it */
	AT_LINE, AT_LINE_START,      /* in the header of an interim reply */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_interim(uint16_t code)
{
	return code < 200 && code != 101;
}

/* One byte of the header of an interim reply. */
static uint16_t skip(uint16_t at, char c)
{
	if (c != '\n')
		return c == '\r' && at == AT_LINE_START ? AT_LINE_START : AT_LINE;
	return at == AT_LINE_START ? 0 : AT_LINE_START;
}

int http_eat(struct http *h, const char *from, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char c = from[i];

		if (h->taken++ >= HTTP_MOST || !c)
			return -EBADMSG;
		if (h->at < AT_GAP) {
			if (shape[h->at] == 'd' ? !is_digit(c) : c != shape[h->at])
				return -EBADMSG;
			h->code = h->at < AT_CODE ? 0 : (uint16_t)(h->code * 10 + (c - '0'));
			h->at++;
			continue;
		}
		if (h->at == AT_GAP) {
			if ((c != ' ' && c != '\r' && c != '\n') || h->code < 100)
				return -EBADMSG;
			if (!is_interim(h->code))
				return h->code;
			h->at = AT_LINE;
		}
		h->at = skip(h->at, c);
	}
	return 0;
}

/* Visible ASCII and bytes of UTF-8: neither ends a word nor a line. */
static bool is_word(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return false;
	return true;
}

/* "name", "1.2.3.4", "[::1]" have none; "name:80", "[::1]:80" have one. */
static bool has_port(const char *host)
{
	const char *colon = strrchr(host, ':');

	return colon && (host[0] == '[' ? colon > host && colon[-1] == ']' : strchr(host, ':') == colon);
}

int http_request(char *into, size_t size, const char *host, uint32_t port, const char *path)
{
	struct text t = { .at = into, .size = size };
	bool bare = host[0] != '[' && strchr(host, ':') != strrchr(host, ':'); /* an IPv6 address */

	if (!is_word(host) || !is_word(path))
		return -EINVAL;
	text_fmt(&t, "GET %s%s HTTP/1.1\r\nHost: %s%s%s", path[0] == '/' ? "" : "/", path, bare ? "[" : "",
		 host[0] ? host : "localhost", bare ? "]" : "");
	if (port != 80 && (bare || !has_port(host)))
		text_fmt(&t, ":%u", (unsigned)port);
	text_put(&t, "\r\nConnection: close\r\nAccept: */*\r\nUser-Agent: coppice/" COPPICE_VERSION "\r\n\r\n");
	return t.cut ? -E2BIG : (int)t.len;
}
