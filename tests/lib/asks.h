/* asks.h - a probe at work for tests: the helper as a process, a table made by hand, and what it is asked. */
#ifndef TESTS_LIB_ASKS_H
#define TESTS_LIB_ASKS_H

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf/kit/sys.h"
#include "health/probe.h"
#include "tests/lib/netns.h"
#include "tests/lib/tap.h"

#define UNITS   600u
#define REFUSED 7999 /* nobody ever listens there */

/* A table made by hand: units and texts, no lists. Shared with the helper, so that it grows while that runs. */
static struct world {
	struct table head;
	struct unit units[UNITS];
	uint32_t words[4];
	char texts[1 << 16];
} *world;

static text_at put_text(const char *s)
{
	text_at at = world->head.n_text;
	size_t n = strlen(s) + 1;

	if (at + n > sizeof(world->texts))
		abort();
	memcpy(world->texts + at, s, n);
	world->head.n_text += (uint32_t)n;
	return at;
}

static void make_world(void)
{
	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (world == MAP_FAILED)
		abort();
	world->head.n_units = UNITS;
	world->head.units_at = (uint32_t)((char *)world->units - (char *)world);
	world->head.words_at = (uint32_t)((char *)world->words - (char *)world);
	world->head.texts_at = (uint32_t)(world->texts - (char *)world);
	world->head.n_text = 1;
}

static uint32_t n_made;
static pid_t test; /* this process */

static uint32_t unit(enum health_kind kind, const char *host, uint32_t port, const char *path)
{
	world->units[n_made] = (struct unit){
		.health_kind = (uint8_t)kind, .health_host = put_text(host), .health_port = port,
		.health_path = put_text(path), .health_status = { 200, 399 },
	};
	return n_made++;
}

/* For a child: whoever ends this test, by a crash or in its time, ends us, too. */
static void end_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(1);
}

/* The helper, and what we say to it. */

static struct { pid_t pid; int sock; uint32_t serial; } helper;

static void start_helper(rlim_t files)
{
	int two[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, two))
		abort();
	helper.pid = fork();
	if (helper.pid == 0) {
		end_with(test);
		(void)close(two[0]);
		if (files)
			(void)setrlimit(RLIMIT_NOFILE, &(struct rlimit){ files, files });
		_exit(probe_main(two[1], &world->head));
	}
	(void)close(two[1]);
	helper.sock = two[0];
}

/* Its exit code once its socket is closed; -signal. */
static int end_helper(void)
{
	int status = 0;

	(void)close(helper.sock);
	(void)waitpid(helper.pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* What goes along with the next asks. Many are sent without: they may have to wait for room. */
static struct { int fds[4], n; } tops;

static uint32_t ask(uint32_t u, int32_t timeout, int32_t main_pid)
{
	struct probe_ask a = { .unit = u, .serial = ++helper.serial, .timeout = timeout, .main = main_pid };

	if ((tops.n ? sys_send(helper.sock, &a, sizeof(a), tops.fds, tops.n) : send(helper.sock, &a, sizeof(a), MSG_NOSIGNAL)) != sizeof(a))
		abort();
	return a.serial;
}

/* The next answer within `wait` ms; false: none. */
static bool hear(struct probe_tell *t, int wait)
{
	struct pollfd p = { .fd = helper.sock, .events = POLLIN };

	return poll(&p, 1, wait) == 1 && recv(helper.sock, t, sizeof(*t), 0) == sizeof(*t);
}

static void expect(uint32_t u, int32_t timeout, int32_t main_pid, uint32_t what, uint32_t number, const char *about)
{
	uint32_t serial = ask(u, timeout, main_pid);
	struct probe_tell t = { 0 };
	char words[80];

	if (!hear(&t, 10000)) {
		CHECK(false, "%s: no answer at all", about);
		return;
	}
	bool good = t.unit == u && t.serial == serial && t.result == (what == DETAIL_NONE ? PROBE_OK : PROBE_FAILED) &&
		    DETAIL_WHAT(t.detail) == what && DETAIL_NUMBER(t.detail) == number;
	CHECK(good, "%s: %s", about, probe_words(t.detail, words, sizeof(words)));
}

/* The life of such a test: a loopback of its own, a helper, the tests, and a good end. The exit status. */
static int asks_main(void (*tests)(void))
{
	int r = enter_netns();

	if (r) {
		tap_skip("no network namespace: %s", strerror(-r));
		return tap_done();
	}
	test = getpid();
	make_world();
	start_helper(0);
	tests();
	CHECK(end_helper() == 0, "the end");
	return tap_done();
}

#endif
