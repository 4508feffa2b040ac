/* http.c - tests health/http.c: replies of good, careless and hostile servers, in pieces of every size. */
#include "health/http.h"

#include <errno.h>
#include <string.h>

#include "tests/lib/tap.h"

#define BAD (-EBADMSG)

static const struct { const char *reply; int status; } replies[] = {
	{ "HTTP/1.1 200 OK\r\n", 200 },
	{ "HTTP/1.0 404 Not Found\r\n", 404 },
	{ "HTTP/1.1 503 ", 503 },
	{ "HTTP/1.1 204\r\n", 204 },
	{ "HTTP/1.1 200\n", 200 },
	{ "HTTP/1.1 999 Denied\r\n", 999 },
	{ "HTTP/1.9 200 OK\r\n", 200 },
	{ "", 0 },
	{ "H", 0 },
	{ "HTTP/1.1 20", 0 },
	{ "HTTP/1.1 200", 0 },
	{ "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", 200 },
	{ "HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\nHTTP/1.1 500 Oh\r\n", 500 },
	{ "HTTP/1.1 100\r\n\r\nHTTP/1.1 102 \r\n\r\nHTTP/1.1 301 Moved\r\n", 301 },
	{ "HTTP/1.1 100\n\nHTTP/1.1 200 OK\n", 200 },
	{ "HTTP/1.1 100 Continue\r\nHTTP/1.1 200 OK\r\n", 0 },
	{ "HTTP/1.1 101 Switching Protocols\r\n", 101 },
	{ "HTTP/1.1 000 No\r\n", BAD },
	{ "HTTP/1.1 099 No\r\n", BAD },
	{ "HTTP/1.1 2000 OK\r\n", BAD },
	{ "HTTP/1.1 20 OK\r\n", BAD },
	{ "HTTP/1.1  200 OK\r\n", BAD },
	{ "HTTP/1.1 +20 OK\r\n", BAD },
	{ "HTTP/1.1 2x0 OK\r\n", BAD },
	{ "HTTP/1.1\t200 OK\r\n", BAD },
	{ "HTTP/1. 200 OK\r\n", BAD },
	{ "HTTP/1.10 200 OK\r\n", BAD },
	{ "HTTP/2 200\r\n", BAD },
	{ "http/1.1 200 OK\r\n", BAD },
	{ "\r\nHTTP/1.1 200 OK\r\n", BAD },
	{ " HTTP/1.1 200 OK\r\n", BAD },
	{ "SSH-2.0-OpenSSH_9.2\r\n", BAD },
	{ "\x15\x03\x01", BAD },
	{ "220 mail ready\r\n", BAD },
	{ "HTTP/1.1 100 Continue\r\n\r\nrubbish", BAD },
};

/* The whole reply in pieces of `step` bytes; stops at the first that settles it. */
static int eat(const char *reply, size_t len, size_t step)
{
	struct http h = { 0 };
	int r = 0;

	for (size_t at = 0; at < len && !r; at += step)
		r = http_eat(&h, reply + at, step < len - at ? step : len - at);
	return r;
}

static void hostile(void)
{
	static char much[40000];
	struct http h = { 0 };

	CHECK(eat("HTTP/1.1\0" "200", 12, 12) == BAD, "a NUL in the status line");
	CHECK(eat("HTTP/1.1 100 a\0b\r\n\r\n", 19, 19) == BAD, "a NUL in an interim header");
	memset(much, 'a', sizeof(much));
	memcpy(much, "HTTP/1.1 100 ", 13);
	CHECK(eat(much, sizeof(much), 1) == BAD && eat(much, sizeof(much), 4096) == BAD, "a header without end");
	for (size_t i = 0; i + 18 <= sizeof(much); i += 18)
		memcpy(much + i, "HTTP/1.1 100 a\r\n\r\n", 18);
	CHECK(eat(much, sizeof(much), 18) == BAD, "interim replies without end");
	memset(much, '\n', sizeof(much));
	memcpy(much, "HTTP/1.1 100", 12);
	much[12] = ' ';
	much[13] = 'x';
	CHECK(eat(much, sizeof(much), 64) == BAD, "empty lines without end");
	memset(much, '\r', sizeof(much));
	CHECK(eat(much, sizeof(much), 64) == BAD, "nothing but CR");

	/* The limit itself, and one past it. */
	memset(much, 'a', sizeof(much));
	memcpy(much, "HTTP/1.1 100 ", 13);
	CHECK(http_eat(&h, much, HTTP_MOST) == 0, "%u bytes are within the limit", HTTP_MOST);
	CHECK(http_eat(&h, "a", 1) == BAD, "one more is not");
}

static const struct { const char *host; uint32_t port; const char *path, *want; } requests[] = {
	{ "localhost", 80, "/health", "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" },
	{ "localhost", 8080, "/", "GET / HTTP/1.1\r\nHost: localhost:8080\r\n" },
	{ "localhost:8080", 8080, "/", "GET / HTTP/1.1\r\nHost: localhost:8080\r\nC" },
	{ "", 80, "", "GET / HTTP/1.1\r\nHost: localhost\r\n" },
	{ "a.example", 80, "x?y=%20", "GET /x?y=%20 HTTP/1.1\r\nHost: a.example\r\n" },
	{ "::1", 8080, "/", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n" },
	{ "[::1]", 8080, "/", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n" },
	{ "[::1]:8080", 8080, "/", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\nC" },
	{ "a", 80, "/x y", NULL },
	{ "a", 80, "/x\r\nX: y", NULL },
	{ "a\r\nX: y", 80, "/", NULL },
	{ "a", 80, "/\x7f", NULL },
};

static void asks(void)
{
	char into[512];
	char path[600];

	for (unsigned i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		int n = http_request(into, sizeof(into), requests[i].host, requests[i].port, requests[i].path);
		if (!requests[i].want)
			CHECK(n == -EINVAL, "a request with a blank or a control character is not made (%u)", i);
		else
			CHECK(n == (int)strlen(into) && !strncmp(into, requests[i].want, strlen(requests[i].want)) &&
			      !strcmp(into + n - 4, "\r\n\r\n"), "request %u is as it should be", i);
	}
	memset(path, 'a', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	CHECK(http_request(into, sizeof(into), "a", 80, path) == -E2BIG, "a request that does not fit is not cut");
}

int main(void)
{
	for (unsigned i = 0; i < sizeof(replies) / sizeof(*replies); i++) {
		size_t len = strlen(replies[i].reply), step = 1;
		while (step <= len && eat(replies[i].reply, len, step) == replies[i].status)
			step++;
		CHECK(step > len, "reply %u gives %d in pieces of any size", i, replies[i].status);
	}
	hostile();
	asks();
	return tap_done();
}
