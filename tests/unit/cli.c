/* cli.c - the operator's verbs against a desk whose PID 1 the test plays: what they print, ask, and exit with. */
#include "tests/lib/desk.h"

#include "init/cli/cli.h"
#include "supervise/child.h"

static const struct test_unit some[] = { { "db", -1, UNIT_SERVICE }, { "web", 0, UNIT_SERVICE } };
enum { DB, WEB, N_SOME };

#define MOST_ARGS 16

struct run { pid_t pid; int out, err; char text[16384], errors[4096]; int status; };

/* Begins `coppice ARGS...`; stdin is `in`, -1: /dev/null. */
static struct run begin_in(const struct stage *s, int in, const char *const *args)
{
	struct run r = { .status = -1 };
	int out[2], err[2];

	(void)sys_pipe(out);
	(void)sys_pipe(err);
	fflush(stdout);
	r.pid = fork();
	if (r.pid == 0) {
		static char words[MOST_ARGS][256];
		char *argv[MOST_ARGS + 1] = { words[0] };
		int argc = 0;

		(void)snprintf(words[argc++], sizeof(words[0]), "coppice");
		for (; argc < MOST_ARGS && args[argc - 1]; argc++)
			(void)snprintf(words[argc], sizeof(words[0]), "%s", args[argc - 1]);
		for (int i = 1; i < argc; i++)
			argv[i] = words[i];
		(void)setenv("COPPICE_SOCKET", s->path, 1);
		(void)dup2(in >= 0 ? in : open("/dev/null", O_RDONLY), 0);
		(void)dup2(out[1], 1);
		(void)dup2(err[1], 2);
		int status = cli_main(argc, argv);

		(void)fflush(stdout);
		_exit(status);
	}
	(void)close(out[1]);
	(void)close(err[1]);
	r.out = out[0];
	r.err = err[0];
	return r;
}

static void read_all(int fd, char *into, size_t size)
{
	(void)read_until(fd, "\001 never", PATIENCE, into, size);
	(void)close(fd);
}

static void end(struct run *r)
{
	int status = -1;

	read_all(r->out, r->text, sizeof(r->text));
	read_all(r->err, r->errors, sizeof(r->errors));
	r->errors[strcspn(r->errors, "\n")] = '\0'; /* the first line tells */
	for (int tries = 0; tries < PATIENCE / 10 && waitpid(r->pid, &status, WNOHANG) == 0; tries++)
		(void)poll(NULL, 0, 10);
	r->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define BEGIN(s, ...) begin_in(s, -1, WORDS(__VA_ARGS__))

static struct run run(const struct stage *s, const char *const *args)
{
	struct run r = begin_in(s, -1, args);

	end(&r);
	return r;
}

/* Without PID 1's help: status, and a word that stands on stdout or stderr. */
static const struct { const char *const *args; int status; const char *word; } simple[] = {
	{ WORDS("version"), 0, "coppice 0." },
	{ WORDS("--version"), 0, "coppice 0." },
	{ WORDS("help"), 0, "reset-failed" },
	{ WORDS("--help"), 0, "usage: coppice" },
	{ WORDS("help", "logs"), 0, "--follow" },
	{ WORDS("logs", "--help"), 0, "--follow" },
	{ WORDS("frobnicate"), 2, "there is no verb" },
	{ WORDS("statsu"), 2, "did you mean \"status\"" },
	{ WORDS("image", "list"), 2, "\"image\" is not in this version" },
	{ WORDS("reexec"), 2, "\"reexec\" is not in this version" },
	{ WORDS("start"), 2, "which unit?" },
	{ WORDS("start", "db", "--all"), 2, "either units or --all" },
	{ WORDS("restart"), 2, "it needs UNIT" },
	{ WORDS("kill"), 2, "it needs UNIT" },
	{ WORDS("kill", "-s", "BANG", "db"), 2, "is no signal" },
	{ WORDS("kill", "-s"), 2, "-s needs a value" },
	{ WORDS("wait", "--for=godot"), 2, "ready or stopped" },
	{ WORDS("wait", "--timeout=soon"), 2, "is no span of time" },
	{ WORDS("logs", "-n", "x"), 2, "no number of lines" },
	{ WORDS("logs", "--since=yesterday"), 2, "neither a span" },
	{ WORDS("logs", "--flolow"), 2, "did you mean --follow" },
	{ WORDS("logs", "-x"), 2, "no option -x" },
	{ WORDS("status", "--json=yes"), 2, "takes no value" },
	{ WORDS("events", "db"), 2, "one argument too many" },
	{ WORDS("exit", "256"), 2, "is no exit code" },
	{ WORDS("install"), 2, "it needs ROOT" },
	{ WORDS("install", "--undo", "--oci=x", "/nowhere"), 2, "either --undo or --oci" },
	{ WORDS("install", "/nowhere"), 1, "install: /nowhere: No such file" },
	{ WORDS("rpc"), 2, "it needs METHOD" },
	{ WORDS("rpc", "status", "{"), 2, "is not JSON" },
	{ WORDS("rpc", "nonsense"), 2, "there is no method" },
	{ WORDS("exec", "-e", "=x", "db"), 2, "has no name" },
	{ WORDS("status", "bd"), 3, "there is no unit \"bd\"; did you mean \"db\"" },
	{ WORDS("status", "db", "nope"), 3, "there is no unit \"nope\"" },
	{ WORDS("logs", "nope"), 3, "there is no unit" },
	{ WORDS("health", "nope"), 3, "there is no unit" },
	{ WORDS("exec", "nope", "ls"), 3, "there is no unit" },
	{ WORDS("status", "--socket", "/nowhere/sock"), 6, "no PID 1 to talk to at /nowhere/sock" },
	{ WORDS("--socket"), 2, "there is no verb" },
	{ WORDS("status"), 0, "UNIT  STATE" },
	{ WORDS("status", "--json"), 0, "{\"manager\":{" },
	{ WORDS("rpc", "version"), 0, "\"version\":" },
	{ WORDS("graph"), 0, "-> db  after, requires" },
	{ WORDS("graph", "--dot"), 0, "\"web\" -> \"db\" [label=\"after requires\"]" },
	{ WORDS("show", "db"), 0, "" },
	{ WORDS("logs"), 0, "" },
	{ WORDS("wait", "--timeout=100ms"), 5, "timed out" },
	{ WORDS("wait", "--for=stopped", "db", "web"), 0, "" },
	{ WORDS("health"), 1, "not healthy: starting" },
	{ WORDS("health", "db"), 1, "not healthy: inactive" },
};

static void test_simple(struct stage *s)
{
	for (size_t i = 0; i < sizeof(simple) / sizeof(*simple); i++) {
		struct run r = run(s, simple[i].args);

		CHECK(r.status == simple[i].status && (strstr(r.text, simple[i].word) || strstr(r.errors, simple[i].word)),
		      "%s %s: %d, %s", simple[i].args[0], simple[i].args[1] ? simple[i].args[1] : "", r.status, r.errors);
	}
}

static void test_units(struct stage *s)
{
	struct run r = BEGIN(s, "start", "--timeout=5s", "db", "web");
	struct message one = stage_hear(s, ASK_START, NULL, NULL), two = stage_hear(s, ASK_START, NULL, NULL);

	CHECK(one.unit == DB && two.unit == WEB, "start asks for all of them at once");
	stage_tell(s, TELL_DONE, one.serial, 0, 0);
	stage_tell(s, TELL_DONE, two.serial, 0, 0);
	stage_face(s, DB, FACE_STARTING, false, WHY_NONE, 0, 0);
	stage_face(s, WEB, FACE_WAITING, false, WHY_NEEDS, DB, FACE_STARTING);
	stage_face(s, DB, FACE_READY, true, WHY_NONE, 0, 0);
	stage_face(s, WEB, FACE_FAILED, false, WHY_SETUP, STEP_EXEC, ENOENT);
	end(&r);
	CHECK(r.status == 1 && strstr(r.errors, "coppice: web has failed: cannot run"), "one of them failed: %d, %s", r.status, r.errors);

	r = run(s, WORDS("status"));
	CHECK(r.status == 0 && strstr(r.text, "db    ready") && strstr(r.text, "web   failed") && !strchr(r.text, '\033'),
	      "status: a table without colours in a pipe");
	r = run(s, WORDS("status", "web"));
	CHECK(strstr(r.text, "  state       failed") && strstr(r.text, "  why         cannot run"), "status of one");
	r = run(s, WORDS("status", "web", "--json", "db"));
	json_t *j = json_loads(r.text, 0, NULL);
	CHECK(json_array_size(json_at_path(j, "units")) == 2 && !strcmp(text_at_path(j, "units.0.unit"), "web") &&
	      !strcmp(text_at_path(j, "units.1.state"), "ready"), "options stand anywhere");
	json_decref(j);
	r = run(s, WORDS("health", "db"));
	CHECK(r.status == 0, "what is ready is healthy");
	r = run(s, WORDS("health", "web"));
	CHECK(r.status == 1 && strstr(r.text, "cannot run"), "what has failed is not, and why");
	r = run(s, WORDS("wait", "db"));
	CHECK(r.status == 0, "wait for what is there");
	r = run(s, WORDS("wait"));
	CHECK(r.status == 1 && strstr(r.errors, "web has failed"), "wait for all, one of which failed");

	r = BEGIN(s, "kill", "-sHUP", "db");
	one = stage_hear(s, ASK_KILL, NULL, NULL);
	CHECK(one.a == SIGHUP && one.unit == DB, "kill -sHUP");
	stage_tell(s, TELL_DONE, one.serial, REFUSED_NOT_RUNNING, 0);
	end(&r);
	CHECK(r.status == 4, "kill of what does not run is exit status 4");

	r = BEGIN(s, "stop", "--all", "--no-wait");
	one = stage_hear(s, ASK_STOP, NULL, NULL);
	CHECK(one.unit == NO_UNIT, "stop --all");
	stage_tell(s, TELL_DONE, one.serial, 0, 0);
	end(&r);
	CHECK(r.status == 0, "and does not wait");

	r = BEGIN(s, "reboot");
	one = stage_hear(s, ASK_SHUTDOWN, NULL, NULL);
	CHECK(one.a == HOW_REBOOT && one.b == -1, "reboot");
	stage_tell(s, TELL_DONE, one.serial, 0, 0);
	end(&r);
	r = BEGIN(s, "exit", "7");
	one = stage_hear(s, ASK_SHUTDOWN, NULL, NULL);
	CHECK(one.a == HOW_EXIT && one.b == 7, "exit 7");
	stage_tell(s, TELL_DONE, one.serial, 0, 0);
	end(&r);
	CHECK(r.status == 0, "is done once it is accepted");
	r = BEGIN(s, "ping");
	one = stage_hear(s, ASK_PING, NULL, NULL);
	stage_tell(s, TELL_DONE, one.serial, 0, 0);
	end(&r);
	CHECK(r.status == 0 && !strcmp(r.text, "pong\n"), "ping");
}

static void test_logs(struct stage *s)
{
	struct run r;
	char got[4096];

	(void)sys_write(s->pipes[DB][1], "one\ntwo\033[2J\n", 13);
	(void)sys_write(s->pipes[WEB][1], "nul \0 here\n", 11);
	(void)read_until(s->out, "here\n", 5000, got, sizeof(got));
	(void)read_until(s->out, "two", 300, got, sizeof(got));
	r = run(s, WORDS("logs", "db"));
	CHECK(!strcmp(r.text, "one\ntwo\\x1b[2J\n"), "one unit's lines, nothing that a terminal obeys");
	r = run(s, WORDS("logs", "-n1", "web", "db"));
	CHECK(strstr(r.text, " | ") && strchr(r.text, '\n') == r.text + strlen(r.text) - 1, "the last one of two units");
	r = run(s, WORDS("logs", "web"));
	CHECK(!strcmp(r.text, "nul \\x00 here\n"), "a NUL in a line");
	r = run(s, WORDS("logs", "--since", "2000-01-01T00:00:00Z", "-n", "2", "db"));
	CHECK(!strncmp(r.text, "one\n", 4), "since a time");
	r = BEGIN(s, "logs", "-fn0", "db");
	/* When it prints nothing yet, nobody knows whether it follows: so it is told until it does. */
	got[0] = '\0';
	for (int i = 0; i < 100 && !strstr(got, "followed"); i++) {
		(void)sys_write(s->pipes[DB][1], "followed\n", 9);
		(void)read_until(r.out, "followed\n", 50, got, sizeof(got));
	}
	CHECK(strstr(got, "followed\n"), "follow");
	(void)kill(r.pid, SIGTERM);
	end(&r);
	r = BEGIN(s, "events", "--json");
	got[0] = '\0';
	for (int i = 0; i < 100 && !strstr(got, "\n"); i++) {
		stage_face(s, DB, i % 2 ? FACE_READY : FACE_UNHEALTHY, i % 2, WHY_NONE, 0, 0);
		(void)read_until(r.out, "\n", 50, got, sizeof(got));
	}
	CHECK(strstr(got, "{\"unit\":\"db\",\"state\":"), "events");
	(void)kill(r.pid, SIGTERM);
	end(&r);
}

static void test_exec(struct stage *s)
{
	int fds[4], n = 0, in[2];
	char got[256] = "";
	struct message m;

	(void)sys_pipe(in);
	struct run r = begin_in(s, in[0], WORDS("exec", "-i", "-e", "A=b", "db", "cat", "-i", "--", "x"));
	m = stage_hear(s, ASK_EXEC, fds, &n);
	CHECK(n == 4 && pread(fds[0], got, sizeof(got), sizeof(struct exec_head)) == 18 && !memcmp(got, "cat\0-i\0--\0x\0A=b\0\0\0", 18),
	      "what follows the unit is the command's");
	/* The command: hands its input back, and dies of a signal. */
	(void)sys_write(in[1], "input", 5);
	CHECK(n == 4 && read(fds[1], got, 5) == 5 && write(fds[2], "output\n", 7) == 7 && write(fds[3], "error\n", 6) == 6, "0, 1 and 2 are ours");
	for (int i = 0; i < n; i++)
		(void)close(fds[i]);
	stage_tell(s, TELL_EXEC_END, m.serial, 128 + 9, 0);
	end(&r);
	CHECK(r.status == 137 && !strcmp(r.text, "output\n") && !strcmp(r.errors, "error"), "exec passes the command's status: %d", r.status);

	r = BEGIN(s, "exec", "-t", "db", "tty");
	m = stage_hear(s, ASK_EXEC, fds, &n);
	CHECK(n == 4 && (m.a & EXEC_TTY) && isatty(fds[1]) && isatty(fds[2]), "-t makes a terminal");
	CHECK(n == 4 && write(fds[2], "on a terminal\n", 14) == 14, "which the command writes to");
	for (int i = 0; i < n; i++)
		(void)close(fds[i]);
	stage_tell(s, TELL_EXEC_END, m.serial, 0, 0);
	end(&r);
	CHECK(r.status == 0 && !strcmp(r.text, "on a terminal\r\n"), "its last words arrive");

	/* More than one piece is on its way when the end is known. */
	r = BEGIN(s, "exec", "-t", "db", "tty");
	m = stage_hear(s, ASK_EXEC, fds, &n);
	(void)kill(r.pid, SIGSTOP);
	static char much[12000];
	memset(much, 'm', sizeof(much));
	ssize_t sent = n == 4 && !sys_nonblock(fds[2]) ? write(fds[2], much, sizeof(much)) : 0;
	stage_tell(s, TELL_EXEC_END, m.serial, 0, 0);
	(void)poll(NULL, 0, 50);
	(void)kill(r.pid, SIGCONT);
	end(&r);
	CHECK(sent > 4096 && strlen(r.text) == (size_t)sent, "... all %zd bytes of them: %zu", sent, strlen(r.text));
	for (int i = 0; i < n; i++)
		(void)close(fds[i]);

	r = BEGIN(s, "exec", "db", "nope");
	m = stage_hear(s, ASK_EXEC, fds, &n);
	for (int i = 0; i < n; i++)
		(void)close(fds[i]);
	stage_tell(s, TELL_EXEC_END, m.serial, 203, STEP_EXEC << 16 | EACCES);
	end(&r);
	CHECK(r.status == 126 && strstr(r.errors, "permission denied"), "what cannot be executed is 126, as in a shell: %s", r.errors);
	r = BEGIN(s, "exec", "db", "ls");
	m = stage_hear(s, ASK_EXEC, fds, &n);
	for (int i = 0; i < n; i++)
		(void)close(fds[i]);
	stage_tell(s, TELL_DONE, m.serial, REFUSED_NOT_RUNNING, 0);
	end(&r);
	CHECK(r.status == 4, "exec in what does not run is 4");
	/* Ctrl-C: the client goes, the command is told. */
	r = BEGIN(s, "exec", "db", "sleep");
	m = stage_hear(s, ASK_EXEC, fds, &n);
	for (int i = 0; i < n; i++)
		(void)close(fds[i]);
	(void)kill(r.pid, SIGINT);
	end(&r);
	CHECK((uint32_t)stage_hear(s, ASK_EXEC_KILL, NULL, NULL).a == m.serial, "a command whose client was interrupted is hung up");
	(void)close(in[0]);
	(void)close(in[1]);
}

static void test_gone(struct stage *s)
{
	struct run r = BEGIN(s, "wait", "web");

	(void)poll(NULL, 0, 200);
	(void)stage_end(s);
	end(&r);
	CHECK(r.status == 6 || r.status == 1, "a wait whose PID 1 goes: %d, %s", r.status, r.errors);
	(void)close(s->listener);
	s->listener = -1;
	r = run(s, WORDS("status"));
	CHECK(r.status == 6 && strstr(r.errors, "is not there"), "nobody listens: %s", r.errors);
}

int main(void)
{
	struct stage s;

	if (!stage_set(&s, some, N_SOME, ""))
		return tap_done();
	test_simple(&s);
	test_units(&s);
	test_logs(&s);
	test_exec(&s);
	stage_face(&s, WEB, FACE_STARTING, false, WHY_NONE, 0, 0);
	test_gone(&s);
	stage_close(&s);
	return tap_done();
}
