/* listen.c - tests health/listen.c: lines of /proc/net/tcp, and both ways to ask about real listeners. */
#include "health/listen.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "tests/lib/netns.h"
#include "tests/lib/tap.h"

#define V4 "   0: 0100007F:1F90 00000000:0000 "
#define V6 "   1: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 "
#define REST " 00000000:00000000 00:00000000 00000000     0        0 12345 1 0000000000000000 100 0 0 10 0"

static const struct { const char *line; uint16_t port; bool listens; } lines[] = {
	{ V4 "0A" REST, 8080, true },
	{ V6 "0A" REST, 8080, true },
	{ "1234: 00000000:0050 00000000:0000 0A" REST, 80, true },
	{ V4 "0A" REST, 80, false },
	{ V4 "01" REST, 8080, false },  /* established */
	{ V6 "06" REST, 8080, false },  /* in TIME_WAIT */
	{ "   0: 0100007F:0050 0100007F:1F90 0A" REST, 8080, false }, /* the far end's port */
	{ "   0: 0100007F:1F90 0100007F:0050 01 0A", 8080, false },
	{ "  sl  local_address rem_address   st tx_queue", 0, false },
	{ "", 8080, false },
	{ ":", 8080, false },
	{ "   0:", 8080, false },
	{ "   0: ", 8080, false },
	{ "   0: 0100007F", 8080, false },
	{ "   0: 0100007F:", 8080, false },
	{ "   0: 0100007F:1F9", 8080, false },
	{ "   0: 0100007F:1F90", 8080, false },
	{ "   0: 0100007F:1F90 ", 8080, false },
	{ V4, 8080, false },
	{ V4 "0", 8080, false },
	{ V4 "0A", 8080, false },
	{ V4 "0AA" REST, 8080, false },
	{ "   0: 0100007F:11F90 00000000:0000 0A" REST, 8080, false },
	{ "   0: 0100007F:GF90 00000000:0000 0A" REST, 8080, false },
};

/* A socket on a port; `state` 0: bound only, 1: listening. */
static int open_port(int family, uint16_t port, int state)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback };
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
			   family == AF_INET ? sizeof(v4) : sizeof(v6)) || (state && listen(fd, 5)))
		return -errno;
	return fd;
}

/* What listen_read() says of a text, which comes through a pipe. */
static int read_text(const char *text, size_t len, uint16_t port)
{
	int two[2], r = -EIO;

	if (pipe(two))
		return r;
	(void)fcntl(two[1], F_SETPIPE_SZ, 1 << 20);
	if (write(two[1], text, len) == (ssize_t)len) {
		(void)close(two[1]);
		two[1] = -1;
		r = listen_read(two[0], port);
	}
	(void)close(two[0]);
	if (two[1] >= 0)
		(void)close(two[1]);
	return r;
}

static void texts(void)
{
	static char text[100 * 200];
	size_t len = 0;
	unsigned missed = 0;

	/* Lines that the buffer cuts at every place: ports 1 to 99. */
	for (unsigned port = 1; port < 100; port++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%4u: 0100007F:%04X 00000000:0000 0A" REST "\n", port, port);
	for (unsigned port = 1; port < 100; port++)
		missed += read_text(text, len, (uint16_t)port) != 1;
	CHECK(missed == 0, "lines cut by the buffer are read whole: %u missed", missed);
	CHECK(read_text(text, len, 100) == 0, "and none is made up");
	CHECK(read_text("", 0, 1) == 0, "an empty file has no listener");
	CHECK(read_text("ab\0c\n", 5, 1) == -EBADMSG, "a NUL is no text");
	memset(text, 'a', sizeof(text));
	CHECK(read_text(text, sizeof(text), 1) == -EBADMSG, "a line without end is given up");
}

static void both(uint16_t port, int want, const char *about)
{
	int diag = listen_find(port), proc = listen_find_in_proc(port);

	CHECK(diag == want, "asked of the kernel: %s: %d", about, diag);
	CHECK(proc == want, "read in /proc/net: %s: %d", about, proc);
}

static void real(void)
{
	int r = enter_netns();

	if (r) {
		tap_skip("no network namespace: %s", strerror(-r));
		return;
	}
	both(7001, 0, "an empty network has no listener");
	CHECK(open_port(AF_INET, 7001, 1) >= 0, "a listener on 127.0.0.1");
	both(7001, 1, "it is found");
	both(7002, 0, "and no other");
	CHECK(open_port(AF_INET, 7002, 0) >= 0, "a socket that is bound, but does not listen");
	both(7002, 0, "it is no listener");
	r = open_port(AF_INET6, 7003, 1);
	if (r < 0)
		tap_skip("no IPv6: %s", strerror(-r));
	else
		both(7003, 1, "a listener on ::1 is found");

	/* Enough listeners that one message of the kernel, and one read of the file, do not hold them. */
	int last = 0;
	for (uint16_t port = 10000; port < 10400 && last >= 0; port++)
		last = open_port(AF_INET, port, 1);
	CHECK(last >= 0, "400 listeners more");
	int missed = 0;
	for (uint16_t port = 10000; port < 10400; port++)
		missed += listen_find(port) != 1 || listen_find_in_proc(port) != 1;
	CHECK(missed == 0, "none of them is missed: %d", missed);
	both(9999, 0, "and none is made up");
}

int main(void)
{
	for (unsigned i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		CHECK(listen_line(lines[i].line, lines[i].port) == lines[i].listens, "line %u: %.40s", i, lines[i].line);
	texts();
	real();
	return tap_done();
}
