/*
 * desk.h - a desk at work for tests: a table made by hand, a PID 1 played by the test, and clients.
 */
#ifndef TESTS_LIB_DESK_H
#define TESTS_LIB_DESK_H

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf/kit/sys.h"
#include "conf/unit.h"
#include "init/control/desk.h"
#include "init/control/ring.h"
#include "supervise/record.h"
#include "supervise/wire.h"
#include "tests/lib/tap.h"

/* In a header, so that only the tests that need a desk link one. */
#define TEST_LIB __attribute__((unused)) static

/* One unit of a table made by hand; `needs` by index into the same list, -1: nothing. */
struct test_unit { const char *name; int needs; uint32_t kind; };

struct stage {
	struct table *table;
	struct records records;
	uint32_t n;
	int logs_fd, logs_ep;
	int pid1;           /* our end */
	int listener;
	int (*pipes)[2];    /* [n + 1] */
	int out;            /* what the desk writes: our end of a pipe */
	int out_desk;       /* the desk's end */
	pid_t desk;
	char dir[64], path[96];
};

#define PATIENCE 5000 /* ms */

/* Without root: a user namespace in which we are. */
TEST_LIB bool be_root(void)
{
	char map[40];
	uid_t uid = geteuid();

	if (uid == 0)
		return true;
	if (unshare(CLONE_NEWUSER) < 0)
		return false;
	int fd = open("/proc/self/uid_map", O_WRONLY);
	int n = snprintf(map, sizeof(map), "0 %u 1", uid);
	bool good = fd >= 0 && write(fd, map, (size_t)n) == n;

	(void)close(fd);
	return good && geteuid() == 0;
}

TEST_LIB struct unit *test_unit(struct table *t, uint32_t i)
{
	return (struct unit *)(void *)((char *)t + t->units_at) + i;
}

/* A table of n units, which must stand in order of their names; malloc'ed. */
TEST_LIB struct table *test_table(const struct test_unit *units, uint32_t n, const char *control_group, enum log_format format)
{
	/* Words: 0, then one needs list and one serves list of one edge for each unit. */
	uint32_t n_words = 1 + 4 * n, n_text = 1, at = 1, word = 1;

	for (uint32_t i = 0; i < n; i++)
		n_text += (uint32_t)strlen(units[i].name) + 1;
	n_text += (uint32_t)strlen(control_group) + 1;
	size_t total = sizeof(struct table) + n * sizeof(struct unit) + n_words * 4 + n_text;
	struct table *t = calloc(1, total);

	if (!t)
		abort();
	t->magic = TABLE_MAGIC;
	t->version = TABLE_VERSION;
	t->total = (uint32_t)total;
	t->n_units = n;
	t->units_at = sizeof(struct table);
	t->words_at = t->units_at + n * (uint32_t)sizeof(struct unit);
	t->n_words = n_words;
	t->texts_at = t->words_at + n_words * 4;
	t->n_text = n_text;
	t->house.log_format = (uint8_t)format;
	char *text = (char *)t + t->texts_at;
	uint32_t *words = (uint32_t *)(void *)((char *)t + t->words_at);

	for (uint32_t i = 0; i < n; i++) {
		struct unit *u = test_unit(t, i);

		memcpy(text + at, units[i].name, strlen(units[i].name) + 1);
		*u = (struct unit){ .name = at, .description = at, .file = at, .kind = (uint8_t)units[i].kind, .autostart = true,
				    .root_from = NO_UNIT };
		at += (uint32_t)strlen(units[i].name) + 1;
		if (units[i].needs >= 0) {
			u->needs = word;
			words[word++] = 1;
			words[word++] = EDGE((uint32_t)units[i].needs, EDGE_AFTER | EDGE_REQUIRES);
		}
	}
	if (*control_group) {
		memcpy(text + at, control_group, strlen(control_group) + 1);
		t->house.control_group = at;
	}
	return t;
}

TEST_LIB void must(bool good, const char *what)
{
	if (!good) {
		printf("Bail out! %s: %s\n", what, strerror(errno));
		exit(1);
	}
}

/* Everything but the desk itself. */
TEST_LIB void stage_open(struct stage *s, struct table *t)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int two[2];

	*s = (struct stage){ .table = t, .n = t->n_units, .pid1 = -1 };
	strcpy(s->dir, "/tmp/coppice-desk.XXXXXX");
	must(mkdtemp(s->dir) && !chmod(s->dir, 0755), "a directory");
	(void)snprintf(s->path, sizeof(s->path), "%s/sock", s->dir);
	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", s->path);
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(s->listener >= 0 && !bind(s->listener, (struct sockaddr *)&to, sizeof(to)) && !listen(s->listener, 128) &&
	     !chmod(s->path, 0666), "a listener");
	must(records_create(&s->records, s->n) == 0, "records");
	s->logs_fd = ring_create(s->n);
	must(s->logs_fd >= 0, "rings");
	s->pipes = calloc(s->n + 1, sizeof(*s->pipes));
	must(s->pipes != NULL, "pipes");
	s->logs_ep = sys_epoll();
	for (uint32_t i = 0; i <= s->n; i++)
		must(sys_pipe(s->pipes[i]) == 0 && sys_epoll_ctl(s->logs_ep, EPOLL_CTL_ADD, s->pipes[i][0], EPOLLIN, i) == 0, "a pipe");
	must(sys_pipe(two) == 0, "stdout");
	s->out = two[0];
	s->out_desk = two[1];
	s->records.state->booted = sys_now();
	s->records.state->pid = 1;
}

/* Forks a desk. */
TEST_LIB void stage_begin(struct stage *s)
{
	int *ends = calloc(s->n + 1, sizeof(*ends));
	int two[2];

	must(ends && sys_socketpair(two) == 0, "a pair");
	for (uint32_t i = 0; i <= s->n; i++)
		ends[i] = s->pipes[i][0];
	fflush(stdout);
	s->desk = fork();
	must(s->desk >= 0, "fork");
	if (s->desk == 0) {
		struct desk_setup setup = {
			.table = s->table, .state_fd = s->records.fd, .logs_fd = s->logs_fd, .pid1 = two[1], .listener = s->listener,
			.logs_ep = s->logs_ep, .pipes = ends, .out = s->out_desk, .n = s->n, .runtime = "/run/coppice",
		};

		_exit(desk_main(&setup));
	}
	free(ends);
	(void)close(two[1]);
	s->pid1 = two[0];
}

TEST_LIB int reap(struct stage *s)
{
	int status = -1;

	for (int tries = 0; tries < PATIENCE / 10; tries++) {
		if (waitpid(s->desk, &status, WNOHANG) == s->desk)
			return status;
		(void)poll(NULL, 0, 10);
	}
	(void)kill(s->desk, SIGKILL);
	(void)waitpid(s->desk, &status, 0);
	return -1;
}

/* Closes its socket and returns its exit status. */
TEST_LIB int stage_end(struct stage *s)
{
	(void)close(s->pid1);
	s->pid1 = -1;
	return reap(s);
}

TEST_LIB void stage_kill(struct stage *s)
{
	(void)kill(s->desk, SIGKILL);
	(void)reap(s);
	(void)close(s->pid1);
	s->pid1 = -1;
}

TEST_LIB void stage_close(struct stage *s)
{
	for (uint32_t i = 0; i <= s->n; i++) {
		(void)close(s->pipes[i][0]);
		(void)close(s->pipes[i][1]);
	}
	free(s->pipes);
	(void)close(s->listener);
	(void)close(s->logs_fd);
	(void)close(s->logs_ep);
	(void)close(s->records.fd);
	(void)close(s->out);
	(void)close(s->out_desk);
	(void)unlink(s->path);
	(void)rmdir(s->dir);
	free(s->table);
}

/* A desk at work on n units; false, and skipped with the reason, where nobody may talk to one. */
TEST_LIB bool stage_set(struct stage *s, const struct test_unit *units, uint32_t n, const char *control_group)
{
	(void)signal(SIGPIPE, SIG_IGN);
	if (!be_root()) {
		tap_skip("neither root nor user namespaces: nobody may talk to the desk");
		return false;
	}
	stage_open(s, test_table(units, n, control_group, LOG_TEXT));
	stage_begin(s);
	return true;
}

/* Its orderly end, which is a check. */
TEST_LIB void stage_strike(struct stage *s)
{
	int status = stage_end(s);

	CHECK(status == 0, "the desk ends when PID 1 closes: %d", status);
	stage_close(s);
}

TEST_LIB bool readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) > 0;
}

/* PID 1's part: the next message, which must be of that kind (ASK_BELL is passed over); kind 0 after 5 s. Descriptors go to fds, 4. */
TEST_LIB struct message stage_hear(struct stage *s, uint32_t kind, int *fds, int *n_fds)
{
	int room[4], n = 4;

	while (readable(s->pid1, PATIENCE)) {
		struct message m = { 0 };

		n = 4;
		ssize_t got = sys_recv(s->pid1, &m, sizeof(m), fds ? fds : room, &n);

		if (got != sizeof(m))
			break;
		if (m.kind == ASK_BELL)
			continue;
		CHECK(m.kind == kind, "the desk asks %u of PID 1, expected %u", m.kind, kind);
		if (n_fds)
			*n_fds = n;
		return m;
	}
	CHECK(false, "the desk asks %u of PID 1", kind);
	return (struct message){ 0 };
}

TEST_LIB void stage_tell(struct stage *s, uint32_t kind, uint32_t serial, int32_t a, int32_t b)
{
	struct message m = { .kind = kind, .serial = serial, .unit = NO_UNIT, .a = a, .b = b };

	(void)sys_send(s->pid1, &m, sizeof(m), NULL, 0);
}

/* A unit takes on a face: record, news, bell. */
TEST_LIB void stage_face(struct stage *s, uint32_t i, enum face face, bool ready, enum why_code why, int32_t a, int32_t b)
{
	msec_t now = sys_now();
	struct record r;

	(void)records_read(&s->records, i, &r);
	r.face = (uint8_t)face;
	r.ready = ready;
	r.wanted = face != FACE_INACTIVE;
	r.why = (struct why){ .code = why, .a = a, .b = b };
	r.since = now;
	records_commit(&s->records, i, &r);
	records_tell(&s->records, &(struct news){ .at = now, .unit = i, .face = (uint8_t)face, .ready = ready, .why = r.why });
	stage_tell(s, TELL_BELL, 0, 0, 0);
}

TEST_LIB int client_open(const struct stage *s)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", s->path);
	must(fd >= 0 && !connect(fd, (struct sockaddr *)&to, sizeof(to)), "connect");
	return fd;
}

TEST_LIB void send_all(int fd, const char *bytes, size_t n)
{
	while (n) {
		ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		bytes += sent;
		n -= (size_t)sent;
	}
}

TEST_LIB void client_send(int fd, const char *line)
{
	send_all(fd, line, strlen(line));
	send_all(fd, "\n", 1);
}

/* The next line within 5 s, without its newline; false: none came. */
TEST_LIB bool client_line(int fd, char *into, size_t size)
{
	size_t len = 0;

	while (len < size && readable(fd, PATIENCE)) {
		/* Looked at first, so that what follows the line stays for the next one. */
		ssize_t n = recv(fd, into + len, size - len, MSG_PEEK);
		const char *eol = n > 0 ? memchr(into + len, '\n', (size_t)n) : NULL;

		if (n <= 0)
			return false;
		if (eol)
			n = eol - (into + len) + 1;
		len += (size_t)recv(fd, into + len, (size_t)n, 0);
		if (eol) {
			into[len - 1] = '\0';
			return true;
		}
	}
	return false;
}

/* The next line as JSON; NULL: none, or it is no JSON. */
TEST_LIB json_t *client_json(int fd)
{
	static char line[4 << 20];

	if (!client_line(fd, line, sizeof(line)))
		return NULL;
	return json_loads(line, JSON_REJECT_DUPLICATES, NULL);
}

TEST_LIB json_t *client_call(int fd, const char *line)
{
	client_send(fd, line);
	return client_json(fd);
}

/* Nothing comes for `ms`. */
TEST_LIB bool client_quiet(int fd, int ms)
{
	return !readable(fd, ms);
}

TEST_LIB const json_t *json_at_path(const json_t *j, const char *path)
{
	char part[64];

	while (j && *path) {
		size_t n = strcspn(path, ".");

		if (n >= sizeof(part))
			return NULL;
		memcpy(part, path, n);
		part[n] = '\0';
		j = json_is_array(j) ? json_array_get(j, (size_t)strtoul(part, NULL, 10)) : json_object_get(j, part);
		path += n + (path[n] == '.');
	}
	return j;
}

/* error.code, 0 where there is none. */
TEST_LIB int error_code(const json_t *answer)
{
	return (int)json_integer_value(json_at_path(answer, "error.code"));
}

/* A string at "a.b.0.c", "" where there is none. */
TEST_LIB const char *text_at_path(const json_t *j, const char *path)
{
	const char *s = json_string_value(json_at_path(j, path));

	return s ? s : "";
}

TEST_LIB json_int_t number_at_path(const json_t *j, const char *path)
{
	return json_integer_value(json_at_path(j, path));
}

/* Reads what comes for up to `ms`, until `want` stands in it; NUL-terminated. */
TEST_LIB bool read_until(int fd, const char *want, int ms, char *into, size_t size)
{
	msec_t until = sys_now() + ms;
	size_t len = 0;

	into[0] = '\0';
	while (!strstr(into, want) && len + 1 < size && sys_now() < until && readable(fd, (int)(until - sys_now()))) {
		ssize_t n = read(fd, into + len, size - len - 1);

		if (n <= 0)
			break;
		len += (size_t)n;
		into[len] = '\0';
	}
	return strstr(into, want) != NULL;
}

#endif
