/* probe.c - tests health/probe.c: the helper as a process, against real sockets on a loopback of its own. */
#include "health/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "conf/kit/sys.h"
#include "tests/lib/asks.h"
#include "tests/lib/tap.h"

#define MANY (UNITS - 100u)

static msec_t clock_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_BOOTTIME, &ts);
	return (msec_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Servers. */

static int open_port(int family, uint16_t port, int backlog)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback };
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
		 family == AF_INET ? sizeof(v4) : sizeof(v6)) || listen(fd, backlog))
		return -errno;
	return fd;
}

static void pause_ms(int ms)
{
	(void)poll(NULL, 0, ms);
}

static pid_t servers[32];
static unsigned n_servers;

/*
 * A server that reads a request, waits, and answers with `reply`: whole; or a byte
 * every 20 ms (`slow`); or again and again (`endless`). It tells nothing if the
 * request is not one.
 */
static void serve(uint16_t port, const char *reply, int wait, bool slow, bool endless)
{
	int fd = open_port(AF_INET, port, 1000);
	pid_t pid = fork();

	if (fd < 0)
		abort();
	if (pid) {
		(void)close(fd);
		servers[n_servers++] = pid;
		return;
	}
	end_with(test);
	(void)close(helper.sock); /* ours alone, so that closing it is an end */
	(void)signal(SIGPIPE, SIG_IGN);
	for (;;) {
		char request[4096] = "";
		int c = accept(fd, NULL, NULL);
		if (c < 0)
			continue;
		ssize_t n = recv(c, request, sizeof(request) - 1, 0);
		if (n > 4 && !strncmp(request, "GET /", 5) && !strcmp(request + n - 4, "\r\n\r\n")) {
			pause_ms(wait);
			for (size_t i = 0; slow && reply[i] && send(c, reply + i, 1, MSG_NOSIGNAL) == 1; i++)
				pause_ms(20);
			while (!slow && send(c, reply, strlen(reply), MSG_NOSIGNAL) > 0 && endless)
				;
		}
		(void)close(c);
	}
}

static void end_servers(void)
{
	for (unsigned i = 0; i < n_servers; i++) {
		(void)kill(servers[i], SIGKILL);
		(void)waitpid(servers[i], NULL, 0);
	}
	n_servers = 0;
}

static void network(void)
{
	int v4 = open_port(AF_INET, 7001, 1000), v6 = open_port(AF_INET6, 7002, 1000);

	serve(7010, "HTTP/1.1 200 OK\r\n\r\nhello", 0, false, false);
	serve(7011, "HTTP/1.1 503 Busy\r\n\r\n", 0, false, false);
	serve(7012, "SSH-2.0-x\r\n", 0, false, false);
	serve(7013, "", 0, false, false);
	serve(7014, "HTTP/1.1 200 OK\r\n\r\n", 0, true, false);
	serve(7015, "HTTP/1.1 100 Continue\r\n\r\n", 0, false, true);
	serve(7016, "HTTP/1.1 20", 0, false, false);
	serve(7017, "HTTP/1.1 200 OK\r\n\r\n", 30, true, false);

	expect(unit(HEALTH_TCP, "", 7001, ""), 2000, 0, DETAIL_NONE, 0, "tcp: somebody listens");
	expect(unit(HEALTH_TCP, "127.0.0.1", 7001, ""), 2000, 0, DETAIL_NONE, 0, "tcp: at a spelt address");
	expect(unit(HEALTH_TCP, "127.0.0.2", 7001, ""), 2000, 0, DETAIL_CONNECT, ECONNREFUSED, "tcp: at another");
	expect(unit(HEALTH_TCP, "", REFUSED, ""), 2000, 0, DETAIL_CONNECT, ECONNREFUSED, "tcp: nobody listens");
	if (v6 < 0) {
		tap_skip("no IPv6: %s", strerror(-v6));
	} else {
		expect(unit(HEALTH_TCP, "", 7002, ""), 2000, 0, DETAIL_NONE, 0, "tcp: IPv6 is tried, too");
		expect(unit(HEALTH_TCP, "::1", 7002, ""), 2000, 0, DETAIL_NONE, 0, "tcp: ::1");
		expect(unit(HEALTH_TCP, "127.0.0.1", 7002, ""), 2000, 0, DETAIL_CONNECT, ECONNREFUSED, "tcp: not on IPv4");
		expect(unit(HEALTH_LISTEN, "", 7002, ""), 2000, 0, DETAIL_NONE, 0, "listen: IPv6");
	}
	expect(unit(HEALTH_LISTEN, "", 7001, ""), 2000, 0, DETAIL_NONE, 0, "listen: IPv4");
	expect(unit(HEALTH_LISTEN, "", REFUSED, ""), 2000, 0, DETAIL_NOT_LISTENING, 0, "listen: nobody");
	expect(unit(HEALTH_HTTP, "localhost", 7010, "/"), 2000, 0, DETAIL_NONE, 0, "http: 200");
	expect(unit(HEALTH_HTTP, "localhost", 7011, "/"), 2000, 0, DETAIL_STATUS, 503, "http: 503");
	uint32_t u = unit(HEALTH_HTTP, "localhost", 7011, "/");
	world->units[u].health_status[0] = world->units[u].health_status[1] = 503;
	expect(u, 2000, 0, DETAIL_NONE, 0, "http: 503, where 503 is wanted");
	expect(unit(HEALTH_HTTP, "localhost", 7012, "/"), 2000, 0, DETAIL_NOT_HTTP, 0, "http: another protocol");
	expect(unit(HEALTH_HTTP, "localhost", 7013, "/"), 2000, 0, DETAIL_CLOSED, 0, "http: closed at once");
	expect(unit(HEALTH_HTTP, "localhost", 7016, "/"), 2000, 0, DETAIL_NOT_HTTP, 0, "http: closed in the middle");
	expect(unit(HEALTH_HTTP, "localhost", 7017, "/"), 5000, 0, DETAIL_NONE, 0, "http: slow, but in time");
	expect(unit(HEALTH_HTTP, "localhost", 7015, "/"), 5000, 0, DETAIL_NOT_HTTP, 0, "http: interim replies without end");
	expect(unit(HEALTH_HTTP, "localhost", REFUSED, "/"), 2000, 0, DETAIL_CONNECT, ECONNREFUSED, "http: nobody listens");
	expect(unit(HEALTH_HTTP, "localhost", 7010, "/a b"), 2000, 0, DETAIL_SYSTEM, EINVAL, "http: a path that is none");

	msec_t begun = clock_now();
	expect(unit(HEALTH_HTTP, "localhost", 7014, "/"), 150, 0, DETAIL_TIMEOUT, 0, "http: a byte at a time, too slow");
	CHECK(clock_now() - begun >= 150, "not before the timeout: %d ms", (int)(clock_now() - begun));
	begun = clock_now();
	expect(unit(HEALTH_HTTP, "localhost", 7001, "/"), 150, 0, DETAIL_TIMEOUT, 0, "http: connected, and silence");
	CHECK(clock_now() - begun >= 150 && clock_now() - begun < 3000, "at the timeout: %d ms", (int)(clock_now() - begun));
	expect(unit(HEALTH_CMD, "", 0, ""), 100, 0, DETAIL_SYSTEM, EOPNOTSUPP, "a check that is not ours");

	/* One port to choose from, and it is the one we ask for: the connection would meet itself. */
	if (write_file("/proc/sys/net/ipv4/ip_local_port_range", "40000 40000"))
		tap_skip("the range of local ports cannot be set");
	else
		expect(unit(HEALTH_TCP, "127.0.0.1", 40000, ""), 2000, 0, DETAIL_CONNECT, ECONNREFUSED, "tcp: meeting itself");
	(void)write_file("/proc/sys/net/ipv4/ip_local_port_range", "32768 60999");
	end_servers();
	(void)close(v4);
	if (v6 >= 0)
		(void)close(v6);
}

/* Many at once. Returns how many answers came that were right, each once. */
static unsigned crowd(uint32_t first, unsigned n, int32_t timeout, uint32_t what)
{
	static uint8_t seen[UNITS];
	unsigned good = 0;

	memset(seen, 0, sizeof(seen));
	for (unsigned i = 0; i < n; i++)
		(void)ask(first + i, timeout, 0);
	for (unsigned i = 0; i < n; i++) {
		struct probe_tell t;
		if (!hear(&t, 10000))
			break;
		good += t.unit >= first && t.unit < first + n && !seen[t.unit]++ && DETAIL_WHAT(t.detail) == what;
	}
	return good;
}

static void crowds(void)
{
	int fd = open_port(AF_INET, 7001, 4096);
	uint32_t first = n_made;

	for (unsigned i = 0; i < MANY; i++)
		(void)unit(HEALTH_TCP, "127.0.0.1", 7001, "");
	unsigned good = crowd(first, MANY, 5000, DETAIL_NONE);
	CHECK(good == MANY, "%u probes at once are answered, each once: %u", MANY, good);
	for (unsigned i = 0; i < MANY; i++)
		world->units[first + i].health_port = REFUSED;
	good = crowd(first, MANY, 5000, DETAIL_CONNECT);
	CHECK(good == MANY, "%u are refused: %u", MANY, good);
	for (unsigned i = 0; i < MANY; i++) {
		world->units[first + i].health_kind = HEALTH_HTTP;
		world->units[first + i].health_port = 7001;
	}
	msec_t begun = clock_now();
	good = crowd(first, MANY, 300, DETAIL_TIMEOUT);
	CHECK(good == MANY, "%u wait in vain side by side: %u", MANY, good);
	CHECK(clock_now() - begun < 5000, "and not one after the other: %d ms", (int)(clock_now() - begun));

	/* Timeouts in no order: each is kept. */
	static msec_t due[UNITS];
	unsigned early = 0, late = 0;
	struct probe_tell t;
	for (unsigned i = 0; i < MANY; i++) {
		int32_t timeout = 200 + (int32_t)(i * 7919 % MANY);
		due[first + i] = clock_now() + timeout;
		(void)ask(first + i, timeout, 0);
	}
	for (good = 0; good < MANY && hear(&t, 5000); good++) {
		early += clock_now() < due[t.unit] - 50; /* a turn of the helper has one time */
		late += clock_now() > due[t.unit] + 200;
	}
	CHECK(good == MANY && !early && late < MANY / 10, "timeouts in no order are kept: %u early, %u late", early, late);

	/* Answers that nobody reads for a while must wait, not be lost: more than the socket holds. */
	for (unsigned i = 0; i < MANY; i++)
		world->units[first + i].health_kind = HEALTH_CMD; /* is answered at once */
	for (unsigned i = 0; i < MANY; i++)
		(void)ask(first + i, 1000, 0);
	pause_ms(200);
	for (good = 0; good < MANY && hear(&t, 5000); good++)
		;
	CHECK(good == MANY, "no answer is lost while nobody reads: %u", good);

	/* Few descriptors: they take turns. */
	for (unsigned i = 0; i < MANY; i++) {
		world->units[first + i].health_kind = HEALTH_TCP;
		world->units[first + i].health_port = 7001;
	}
	(void)end_helper();
	start_helper(72);
	good = crowd(first, MANY, 5000, DETAIL_NONE);
	CHECK(good == MANY, "%u take turns on few descriptors: %u", MANY, good);
	for (unsigned i = 0; i < MANY; i++)
		world->units[first + i].health_kind = HEALTH_HTTP;
	unsigned timed_out = 0, never_begun = 0;
	for (unsigned i = 0; i < 100; i++)
		(void)ask(first + i, 300, 0);
	for (unsigned i = 0; i < 100 && hear(&t, 5000); i++) {
		timed_out += DETAIL_WHAT(t.detail) == DETAIL_TIMEOUT;
		never_begun += t.detail == DETAIL(DETAIL_SYSTEM, EBUSY);
	}
	CHECK(timed_out >= 40 && never_begun && timed_out + never_begun == 100, "whose turn never came is not blamed: %u, %u", timed_out, never_begun);
	(void)close(fd);
}

static void manners(void)
{
	struct probe_tell t;
	char noise[100] = "noise";
	struct probe_ask far = { .unit = UNITS, .serial = 1, .timeout = 100 };

	serve(7020, "HTTP/1.1 200 OK\r\n\r\n", 300, false, false);
	uint32_t slow = unit(HEALTH_HTTP, "localhost", 7020, "/"), quick = unit(HEALTH_TCP, "", REFUSED, "");

	(void)end_helper();
	start_helper(0);
	(void)ask(slow, 5000, 0);
	pause_ms(50);
	uint32_t second = ask(slow, 5000, 0);
	CHECK(hear(&t, 5000) && t.serial == second && t.result == PROBE_OK, "a second ask takes over the try");
	CHECK(!hear(&t, 500), "and there is one answer");
	(void)ask(slow, 5000, 0);
	pause_ms(50);
	second = ask(slow, 100, 0);
	CHECK(hear(&t, 5000) && t.serial == second && DETAIL_WHAT(t.detail) == DETAIL_TIMEOUT, "within its own, shorter timeout");
	pause_ms(300); /* the server is done with it */
	(void)ask(slow, 5000, 0);
	pause_ms(150);
	msec_t begun = clock_now();
	second = ask(slow, 5000, 1);
	CHECK(hear(&t, 5000) && t.serial == second && t.result == PROBE_OK && clock_now() - begun >= 290,
	      "another run of the unit is tried from the beginning");

	(void)send(helper.sock, noise, 1, 0);
	(void)send(helper.sock, noise, sizeof(struct probe_ask) - 1, 0);
	(void)send(helper.sock, noise, sizeof(noise), 0);
	(void)send(helper.sock, noise, 0, 0);
	(void)send(helper.sock, &far, sizeof(far), 0);
	second = ask(quick, -5, 0);
	CHECK(hear(&t, 5000) && t.serial == second, "noise is not heard, and a timeout below zero is a short one");
	CHECK(!hear(&t, 100), "and not answered");

	/* Stopped for longer than the timeout; the server's answer comes after that, but within the timeout of *our* time. */
	end_servers();
	serve(7020, "HTTP/1.1 200 OK\r\n\r\n", 1500, false, false);
	(void)ask(slow, 1000, 0);
	pause_ms(100);
	(void)kill(helper.pid, SIGSTOP);
	pause_ms(1200);
	(void)kill(helper.pid, SIGCONT);
	CHECK(hear(&t, 5000) && t.result == PROBE_OK, "the time we were stopped is not the unit's");
	end_servers();
}

/* The value of a line of /proc/PID/status, read as hexadecimal. */
static unsigned long long status_of(pid_t pid, const char *name)
{
	char path[64], line[256];
	unsigned long long value = ~0ull;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			value = strtoull(line + strlen(name) + 1, NULL, 16);
	if (f)
		(void)fclose(f);
	return value;
}

static void rights(void)
{
	char path[64], comm[32] = "";
	struct stat st;
	int spare = open("/dev/null", O_RDONLY); /* not close-on-exec, and not asked for */
	const unsigned long long two = 1ull << 19 | 1ull << 1; /* SYS_PTRACE, DAC_OVERRIDE */

	(void)end_helper();
	start_helper(0);
	expect(unit(HEALTH_TCP, "", REFUSED, ""), 1000, 0, DETAIL_CONNECT, ECONNREFUSED, "a helper at work");
	(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)helper.pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	(void)!read(fd, comm, sizeof(comm) - 1);
	(void)close(fd);
	CHECK(!strcmp(comm, "coppice: probe\n"), "it says who it is: %.20s", comm);
	CHECK(status_of(helper.pid, "NoNewPrivs") == 1, "it can gain nothing");
	CHECK(!(status_of(helper.pid, "CapPrm") & ~two) && !(status_of(helper.pid, "CapEff") & ~two) &&
	      !status_of(helper.pid, "CapInh") && !status_of(helper.pid, "CapAmb"), "it has two capabilities at most");
	(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)helper.pid, spare);
	CHECK(stat(path, &st) || !S_ISCHR(st.st_mode), "a descriptor it was not given is closed");
#if defined(__SANITIZE_ADDRESS__) || !(defined(__x86_64__) || defined(__aarch64__))
	tap_skip("no seccomp filter in this build");
#else
	CHECK(status_of(helper.pid, "Seccomp") == 2, "it runs behind a filter");
#endif
	(void)close(spare);
	CHECK(end_helper() == 0, "it leaves when its socket is closed");

	start_helper(0);
	(void)kill(helper.pid, SIGKILL);
	struct probe_tell t;
	CHECK(!hear(&t, 5000), "a killed helper is an end of file");
	(void)end_helper();
	start_helper(0);
	expect(unit(HEALTH_TCP, "", REFUSED, ""), 1000, 0, DETAIL_CONNECT, ECONNREFUSED, "its successor answers");
}

static void words(void)
{
	char big[80], small[8], none = 'x';
	unsigned empty = 0;

	for (uint32_t what = 0; what <= N_DETAILS; what++)
		empty += !*probe_words(DETAIL(what, 5), big, sizeof(big));
	CHECK(empty == 0, "every detail has words");
	CHECK(!strcmp(probe_words(DETAIL(DETAIL_STATUS, 503), big, sizeof(big)), "HTTP status 503"), "%s", big);
	CHECK(!strcmp(probe_words(DETAIL(DETAIL_CONNECT, ECONNREFUSED), big, sizeof(big)), "connection refused"), "%s", big);
	CHECK(!strcmp(probe_words(DETAIL(DETAIL_STATUS, 503), small, sizeof(small)), "HTTP st"), "cut to what there is room for");
	CHECK(probe_words(DETAIL(DETAIL_STATUS, 503), &none, 0) == &none && none == 'x', "no room, no byte");
}

static void tests(void)
{
	network();
	crowds();
	manners();
	rights();
}

int main(void)
{
	words();
	return asks_main(tests);
}
