/* probe.c - tests health/probe.c: the helper as a process, against real sockets on a loopback of its own. */
#include "health/probe.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "conf/kit/sys.h"
#include "tests/lib/netns.h"
#include "tests/lib/tap.h"

#define MANY   500u
#define UNITS  (MANY + 100u)
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

static msec_t clock_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_BOOTTIME, &ts);
	return (msec_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
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

/* Files and sockets, in our root and in another's. */

static char base[] = "/tmp/probe-test-XXXXXX";

static const char *in_base(const char *name)
{
	static char path[8][600];
	static unsigned turn;
	char *p = path[turn++ % 8];

	(void)snprintf(p, sizeof(path[0]), "%s%s", base, name);
	return p;
}

static int make_socket(const char *dir, const char *name, int type)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0), was = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", name);
	if (chdir(dir) || bind(fd, (struct sockaddr *)&a, sizeof(a)) || (type == SOCK_STREAM && listen(fd, 100)) || fchdir(was))
		abort();
	(void)close(was);
	return fd;
}

/* A process that lives in a root of its own. */
static pid_t live_in(const char *root)
{
	int two[2];
	char c;
	pid_t pid;

	if (pipe(two) || (pid = fork()) < 0)
		abort();
	if (pid == 0) {
		end_with(test);
		c = chroot(root) || chdir("/") ? 'n' : 'y';
		(void)!write(two[1], &c, 1);
		for (;;)
			(void)pause();
	}
	if (read(two[0], &c, 1) != 1)
		c = 'n';
	(void)close(two[0]);
	(void)close(two[1]);
	if (c == 'y')
		return pid;
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return 0;
}

static unsigned held_by(pid_t pid)
{
	char path[64];
	unsigned n = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	DIR *dir = opendir(path);
	while (dir && readdir(dir))
		n++;
	if (dir)
		(void)closedir(dir);
	return n;
}

/* From a directory that comes along; the process whose root it is has gone. */
static void look_from(const char *root)
{
	const int32_t gone = 0x3fffffff;
	unsigned held = held_by(helper.pid);
	char inside[700];

	tops.fds[0] = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	tops.n = 1;
	/* Nobody has looked for it yet: the kernel does not have the answer at hand, and a child looks. */
	expect(unit(HEALTH_FILE, "", 0, "/never"), 2000, gone, DETAIL_MISSING, ENOENT, "directory: a file that never was");
	expect(unit(HEALTH_FILE, "", 0, "/inside"), 2000, gone, DETAIL_NONE, 0, "directory: a file inside");
	expect(unit(HEALTH_FILE, "", 0, "/absolute"), 2000, gone, DETAIL_NONE, 0, "directory: an absolute link stays inside");
	expect(unit(HEALTH_FILE, "", 0, "/upward"), 2000, gone, DETAIL_NONE, 0, "directory: so does one upward");
	expect(unit(HEALTH_FILE, "", 0, "/outward"), 2000, gone, DETAIL_MISSING, ENOENT, "directory: none leads out");
	expect(unit(HEALTH_FILE, "", 0, "/../file"), 2000, gone, DETAIL_MISSING, ENOENT, "directory: nor does ..");
	expect(unit(HEALTH_UNIX, "", 0, "/s"), 2000, gone, DETAIL_NONE, 0, "directory: a socket inside");
	expect(unit(HEALTH_CMD, "", 0, ""), 2000, gone, DETAIL_SYSTEM, EOPNOTSUPP, "directory: where none is wanted");
	expect(unit(HEALTH_TCP, "", REFUSED, ""), 2000, gone, DETAIL_CONNECT, ECONNREFUSED, "directory: nor here");
	tops.fds[1] = tops.fds[2] = tops.fds[3] = tops.fds[0];
	tops.n = 4;
	expect(unit(HEALTH_FILE, "", 0, "/inside"), 2000, gone, DETAIL_NONE, 0, "directory: four are one too many three times");
	tops.n = 1;
	struct probe_ask wrong = { .unit = UNITS, .serial = 1, .timeout = 100 };
	(void)sys_send(helper.sock, &wrong, sizeof(wrong), tops.fds, 4);
	(void)sys_send(helper.sock, &wrong, 3, tops.fds, 4);
	(void)close(tops.fds[0]);
	(void)snprintf(inside, sizeof(inside), "%s/inside", root);
	tops.fds[0] = open(inside, O_RDONLY | O_CLOEXEC);
	expect(unit(HEALTH_FILE, "", 0, "/inside"), 2000, gone, DETAIL_MISSING, ENOTDIR, "directory: a file is none");
	(void)close(tops.fds[0]);
	tops.n = 0;
	expect(unit(HEALTH_FILE, "", 0, "/inside"), 2000, gone, DETAIL_SYSTEM, ENOENT, "directory: none came");
	CHECK(held_by(helper.pid) == held, "directory: it keeps none of them: %u, %u before", held_by(helper.pid), held);
}

static void files(void)
{
	char deep[300] = "/";

	if (!mkdtemp(base))
		abort();
	memset(deep + 1, 'd', 200);
	(void)mkdir(in_base("/root"), 0755);
	(void)mkdir(in_base(deep), 0755);
	(void)close(open(in_base("/file"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	(void)close(open(in_base("/root/inside"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	(void)!symlink("/inside", in_base("/root/absolute"));
	(void)!symlink("../../../../../../../../inside", in_base("/root/upward"));
	(void)!symlink(in_base("/file"), in_base("/root/outward"));
	(void)!symlink("loop", in_base("/root/loop"));
	(void)!symlink("/proc/self/root", in_base("/magic"));
	int live = make_socket(in_base(deep), "s", SOCK_STREAM), inner = make_socket(in_base("/root"), "s", SOCK_STREAM);
	int dgram = make_socket(base, "dgram", SOCK_DGRAM);
	(void)close(make_socket(base, "stale", SOCK_STREAM));
	(void)chmod(in_base("/root/s"), 0600);
	(void)strcat(deep, "/s");

	expect(unit(HEALTH_FILE, "", 0, in_base("/file")), 2000, 0, DETAIL_NONE, 0, "file: it is there");
	expect(unit(HEALTH_FILE, "", 0, in_base("/none")), 2000, 0, DETAIL_MISSING, ENOENT, "file: it is not");
	expect(unit(HEALTH_FILE, "", 0, in_base("/file/x")), 2000, 0, DETAIL_MISSING, ENOTDIR, "file: below a file");
	expect(unit(HEALTH_UNIX, "", 0, in_base(deep)), 2000, 0, DETAIL_NONE, 0, "unix: a path longer than sun_path");
	expect(unit(HEALTH_UNIX, "", 0, in_base("/stale")), 2000, 0, DETAIL_CONNECT, ECONNREFUSED, "unix: nobody behind it");
	expect(unit(HEALTH_UNIX, "", 0, in_base("/dgram")), 2000, 0, DETAIL_CONNECT, EPROTOTYPE, "unix: no stream socket");
	expect(unit(HEALTH_UNIX, "", 0, in_base("/file")), 2000, 0, DETAIL_CONNECT, ECONNREFUSED, "unix: no socket at all");
	expect(unit(HEALTH_UNIX, "", 0, in_base("/none")), 2000, 0, DETAIL_MISSING, ENOENT, "unix: nothing there");
	expect(unit(HEALTH_FILE, "", 0, in_base("/magic/etc")), 2000, 0, DETAIL_MISSING, ELOOP, "file: no way through /proc links");
	expect(unit(HEALTH_FILE, "", 0, "/x"), 2000, 0x3fffffff, DETAIL_SYSTEM, ENOENT, "file: of a process that is gone");

	pid_t pid = live_in(in_base("/root"));
	if (!pid) {
		tap_skip("chroot is not permitted");
	} else {
		expect(unit(HEALTH_FILE, "", 0, "/inside"), 2000, pid, DETAIL_NONE, 0, "root: a file inside");
		expect(unit(HEALTH_FILE, "", 0, "/absolute"), 2000, pid, DETAIL_NONE, 0, "root: an absolute link stays inside");
		expect(unit(HEALTH_FILE, "", 0, "/upward"), 2000, pid, DETAIL_NONE, 0, "root: so does one upward");
		expect(unit(HEALTH_FILE, "", 0, "/outward"), 2000, pid, DETAIL_MISSING, ENOENT, "root: none leads out");
		expect(unit(HEALTH_FILE, "", 0, "/../file"), 2000, pid, DETAIL_MISSING, ENOENT, "root: nor does ..");
		expect(unit(HEALTH_FILE, "", 0, "/loop"), 2000, pid, DETAIL_MISSING, ELOOP, "root: a link to itself");
		expect(unit(HEALTH_UNIX, "", 0, "/s"), 2000, pid, DETAIL_NONE, 0, "root: a socket inside");
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
	}
	look_from(in_base("/root"));
	(void)close(live);
	(void)close(inner);
	(void)close(dgram);
	if (fork() == 0) {
		(void)execlp("rm", "rm", "-rf", base, (char *)0);
		_exit(127);
	}
	(void)wait(NULL);
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

int main(void)
{
	words();
	int r = enter_netns();
	if (r) {
		tap_skip("no network namespace: %s", strerror(-r));
		return tap_done();
	}
	test = getpid();
	make_world();
	start_helper(0);
	network();
	files();
	crowds();
	manners();
	rights();
	CHECK(end_helper() == 0, "the end");
	return tap_done();
}
