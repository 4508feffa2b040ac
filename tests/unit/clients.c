/* clients.c - who talks to the desk, and how: subscribers, descriptors, crowds, strangers. */
#include "tests/lib/desk.h"

#include <grp.h>
#include <sys/mman.h>

#include "init/control/rpc.h"
#include "supervise/child.h"

static const struct test_unit some[] = { { "api", -1, UNIT_SERVICE }, { "db", -1, UNIT_SERVICE } };
enum { API, DB, N_SOME };

static void test_events(struct stage *s)
{
	int fd = client_open(s);
	json_t *a = client_call(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"events\",\"id\":1}");

	CHECK(error_code(a) == 0 && json_at_path(a, "result"), "events are begun");
	json_decref(a);
	struct message bell = { 0 };
	CHECK(readable(s->pid1, 5000) && sys_recv(s->pid1, &bell, sizeof(bell), NULL, NULL) == sizeof(bell) && bell.kind == ASK_BELL &&
	      bell.a == 1, "PID 1 is asked to ring");
	stage_face(s, DB, FACE_STARTING, false, WHY_NONE, 0, 0);
	a = client_json(fd);
	CHECK(!strcmp(text_at_path(a, "method"), "event") && !strcmp(text_at_path(a, "params.unit"), "db") &&
	      !strcmp(text_at_path(a, "params.from"), "inactive") && !strcmp(text_at_path(a, "params.state"), "starting"),
	      "an event tells from where to where");
	json_decref(a);
	/* A burst longer than the ring of news, rung once. */
	for (uint32_t i = 0; i < NEWS + 10; i++)
		records_tell(&s->records, &(struct news){ .unit = DB, .face = i % 2 ? FACE_READY : FACE_STARTING });
	stage_tell(s, TELL_BELL, 0, 0, 0);
	bool lost = false;
	for (uint32_t got = 0; got < 2 * NEWS && !lost; got++) {
		a = client_json(fd);
		lost = number_at_path(a, "params.lost") > 0;
		if (!a)
			break;
		json_decref(a);
	}
	CHECK(lost, "who missed events is told");
	(void)close(fd);
	CHECK(readable(s->pid1, 5000) && sys_recv(s->pid1, &bell, sizeof(bell), NULL, NULL) == sizeof(bell) && bell.a == 0,
	      "nobody listens: the bell is not needed any more");
}

static void send_with(int fd, const char *line, const int *fds, int n)
{
	char text[600];
	int len = snprintf(text, sizeof(text), "%s\n", line);

	(void)sys_send(fd, text, (size_t)len, fds, n);
}

static int descriptors(pid_t pid)
{
	char path[64];
	int n = 0;

	for (int fd = 0; fd < 4096; fd++) {
		struct stat st;

		(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
		n += lstat(path, &st) == 0;
	}
	return n;
}

static void test_exec(struct stage *s)
{
	static const char call[] = "{\"jsonrpc\":\"2.0\",\"method\":\"exec\",\"params\":{\"unit\":\"db\",\"command\":[\"ls\",\"-l\"],"
				   "\"env\":{\"A\":\"1\"},\"user\":\"www\",\"tty\":true},\"id\":1}";
	int fd = client_open(s), pipe_ends[2], fds[4], n = 0;
	json_t *a = client_call(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"version\",\"id\":1}");
	int before = descriptors(s->desk);
	struct message m;

	json_decref(a);

	(void)sys_pipe(pipe_ends);
	send_with(fd, call, (int[]){ pipe_ends[1], pipe_ends[1], pipe_ends[1] }, 3);
	m = stage_hear(s, ASK_EXEC, fds, &n);
	CHECK(n == 4 && m.unit == DB && (m.a & EXEC_TTY), "exec brings its descriptors along");
	char text[256] = "";
	struct exec_head head = { 0 };
	ssize_t len = n == 4 ? pread(fds[0], text, sizeof(text), 0) : 0;
	memcpy(&head, text, sizeof(head));
	CHECK(head.magic == EXEC_MAGIC && head.argc == 2 && head.envc == 1 && head.total == len &&
	      !memcmp(text + sizeof(head), "ls\0-l\0A=1\0www\0\0", 16), "the request is packed");
	CHECK(n == 4 && fcntl(fds[0], F_GET_SEALS) == (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), "and sealed");
	CHECK(n == 4 && write(fds[2], "hello", 5) == 5 && read(pipe_ends[0], text, 5) == 5 && !memcmp(text, "hello", 5),
	      "stdout is the client's");
	for (int i = 0; i < n; i++)
		(void)close(fds[i]);
	stage_tell(s, TELL_EXEC_PID, m.serial, 1234, 0);
	CHECK(client_quiet(fd, 50), "exec is answered when it has ended");
	stage_tell(s, TELL_EXEC_END, m.serial, 7, 0);
	a = client_json(fd);
	CHECK(number_at_path(a, "result.status") == 7, "its status comes back");
	json_decref(a);
	client_send(fd, call);
	m = stage_hear(s, ASK_EXEC, fds, &n);
	CHECK(n == 4, "without descriptors it gets /dev/null");
	for (int i = 0; i < n; i++)
		(void)close(fds[i]);
	stage_tell(s, TELL_EXEC_END, m.serial, 203, STEP_EXEC << 16 | ENOENT);
	a = client_json(fd);
	CHECK(number_at_path(a, "result.status") == 127 && strstr(text_at_path(a, "result.why"), "no such file"), "no such program: %s",
	      text_at_path(a, "result.why"));
	json_decref(a);
	/* The client goes away. */
	send_with(fd, call, (int[]){ pipe_ends[1], pipe_ends[1], pipe_ends[1] }, 3);
	m = stage_hear(s, ASK_EXEC, fds, &n);
	for (int i = 0; i < n; i++)
		(void)close(fds[i]);
	uint32_t serial = m.serial;
	(void)close(fd);
	m = stage_hear(s, ASK_EXEC_KILL, NULL, NULL);
	CHECK((uint32_t)m.a == serial && m.b == SIGHUP, "its exec is hung up");
	stage_tell(s, TELL_EXEC_END, serial, 129, 0);
	/* Descriptors that nobody asked for, more than there is room for, and a client that goes in the middle. */
	fd = client_open(s);
	for (int i = 0; i < 50; i++) {
		send_with(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"version\",\"id\":1}", (int[]){ 0, 1, 2, pipe_ends[1] }, 1 + i % 4);
		a = client_json(fd);
		if (!a)
			break;
		json_decref(a);
	}
	CHECK(descriptors(s->desk) == before, "descriptors that nobody asked for are closed");
	(void)sys_send(fd, "{", 1, (int[]){ 0, 1, 2 }, 3);
	(void)close(fd);
	fd = client_open(s);
	a = client_call(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"version\",\"id\":1}");
	json_decref(a);
	CHECK(descriptors(s->desk) == before, "no descriptor stays behind: %d, %d before", descriptors(s->desk), before);
	(void)close(fd);
	(void)close(pipe_ends[0]);
	(void)close(pipe_ends[1]);
}

static void test_crowd(struct stage *s)
{
	int fds[64];
	json_t *a;

	for (int i = 0; i < 64; i++)
		fds[i] = client_open(s);
	a = client_call(fds[63], "{\"jsonrpc\":\"2.0\",\"method\":\"version\",\"id\":64}");
	CHECK(number_at_path(a, "id") == 64, "the 64th is served");
	json_decref(a);
	/* One has closed its half and still waits for an answer: its place is taken. */
	client_send(fds[0], "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":1}");
	uint32_t serial = stage_hear(s, ASK_PING, NULL, NULL).serial;
	(void)shutdown(fds[0], SHUT_WR);
	int more = client_open(s);
	a = client_json(more);
	char rest[8];
	CHECK(error_code(a) == RPC_BUSY && readable(more, 5000) && recv(more, rest, sizeof(rest), 0) == 0,
	      "the 65th is told why, and let go");
	json_decref(a);
	(void)close(more);
	stage_tell(s, TELL_DONE, serial, 0, 0);
	a = client_json(fds[0]);
	CHECK(!strcmp(text_at_path(a, "result"), "pong"), "and nobody lost a place that was still needed");
	json_decref(a);
	/* They all go, and the desk finds a new one first. */
	(void)kill(s->desk, SIGSTOP);
	more = client_open(s);
	for (int i = 0; i < 64; i++)
		(void)close(fds[i]);
	(void)kill(s->desk, SIGCONT);
	a = client_call(more, "{\"jsonrpc\":\"2.0\",\"method\":\"version\",\"id\":1}");
	(void)close(more);
	CHECK(json_at_path(a, "result"), "there is room again");
	json_decref(a);
	/* One that asks and never reads. */
	more = client_open(s);
	(void)fcntl(more, F_SETFL, O_NONBLOCK);
	size_t sent = 0;
	for (int i = 0; i < 20000; i++) {
		static const char ask[] = "{\"jsonrpc\":\"2.0\",\"method\":\"status\",\"id\":1}\n";
		ssize_t n = send(more, ask, sizeof(ask) - 1, MSG_NOSIGNAL);

		if (n <= 0)
			break;
		sent += (size_t)n;
	}
	CHECK(sent < 1000000, "who does not read is not listened to any more, after %zu bytes", sent);
	int other = client_open(s);
	a = client_call(other, "{\"jsonrpc\":\"2.0\",\"method\":\"version\",\"id\":1}");
	CHECK(json_at_path(a, "result"), "and keeps nobody else waiting");
	json_decref(a);
	(void)close(other);
	(void)close(more);
}

/* What another user gets to hear. */
static void as_user(struct stage *s, uid_t uid, gid_t gid, const gid_t *groups, size_t n, const char *request, int want, const char *what)
{
	fflush(stdout);
	pid_t pid = fork();

	if (pid == 0) {
		if (setgroups(n, groups) < 0 || setgid(gid) < 0 || setuid(uid) < 0)
			_exit(77);
		int fd = client_open(s);
		json_t *a = client_call(fd, request);

		_exit(a && error_code(a) == want ? 0 : 1);
	}
	int status = -1;
	(void)waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		tap_skip("%s: needs real root", what);
	else
		CHECK(status == 0, "%s", what);
}

static void test_rights(struct stage *s)
{
	static const char read[] = "{\"jsonrpc\":\"2.0\",\"method\":\"status\",\"id\":1}";
	static const char write[] = "{\"jsonrpc\":\"2.0\",\"method\":\"stop\",\"params\":{\"unit\":\"db\"},\"id\":1}";
	const gid_t group = 54321;

	as_user(s, 1000, 1000, NULL, 0, read, RPC_DENIED, "nobody else may ask");
	as_user(s, 1000, group, NULL, 0, read, 0, "the control group may read");
	as_user(s, 1000, 1000, &group, 1, read, 0, "... also as a second group");
	as_user(s, 1000, group, NULL, 0, write, RPC_DENIED, "... and not write");
}

/* What the kernel says the desk may still do. */
static void test_guard(struct stage *s)
{
	static const struct { const char *line, *what; } lines[] = {
		{ "\nCapPrm:\t0000000000000000\n", "no capability is permitted" },
		{ "\nCapEff:\t0000000000000000\n", "none is effective" },
		{ "\nNoNewPrivs:\t1\n", "none can be gained" },
		{ "\nSeccomp:\t2\n", "system calls are filtered" },
	};
	char path[64], text[8192];

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)s->desk);
	int fd = open(path, O_RDONLY);

	(void)read_until(fd, "nonvoluntary_ctxt", 1000, text, sizeof(text));
	(void)close(fd);
	CHECK(!strncmp(text, "Name:\tcoppice: desk\n", 20), "it has a name of its own");
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
#if defined(__SANITIZE_ADDRESS__)
		if (strstr(lines[i].line, "Seccomp")) {
			tap_skip("sanitizers make system calls of their own");
			continue;
		}
#endif
		CHECK(strstr(text, lines[i].line), "%s", lines[i].what);
	}
	/* 0 to 2; records, rings, the logs' epoll and its own, PID 1, listener, /dev/null, stdout; log pipes. Clients that went are seen to go. */
	const int own = 3 + 8 + N_SOME + 1;
	for (int tries = 0; tries < 100 && descriptors(s->desk) > own; tries++)
		(void)poll(NULL, 0, 10);
	CHECK(descriptors(s->desk) == own, "nothing that it was not given is open: %d, not %d", descriptors(s->desk), own);
	(void)snprintf(path, sizeof(path), "/proc/%d/limits", (int)s->desk);
	fd = open(path, O_RDONLY);
	(void)read_until(fd, "Max core file size", 1000, text, sizeof(text));
	(void)close(fd);
	CHECK(strstr(text, "Max core file size        0                    0"), "no core dumps");
}

int main(void)
{
	struct stage s;

	(void)fcntl(0, F_DUPFD, 900); /* far behind what the desk keeps */
	if (!stage_set(&s, some, N_SOME, "54321"))
		return tap_done();
	test_events(&s);
	test_exec(&s);
	test_crowd(&s);
	test_rights(&s);
	test_guard(&s);
	stage_strike(&s);
	return tap_done();
}
