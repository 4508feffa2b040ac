/* logs.c - what daemons write, on its way through the desk: to stdout, into rings, to followers; slow readers, floods, restarts. */
#include "tests/lib/desk.h"

static const struct test_unit some[] = { { "db", -1, UNIT_SERVICE }, { "web", -1, UNIT_SERVICE } };
enum { DB, WEB, N_SOME };

static void say_line(const struct stage *s, uint32_t i, const char *text)
{
	(void)sys_write(s->pipes[i][1], text, strlen(text));
}

static void test_plain(struct stage *s)
{
	char got[4096];
	json_t *a;

	say_line(s, DB, "one\ntwo \033[31mred\033[0m\n");
	say_line(s, N_SOME, "PID 1 speaks\n");
	CHECK(read_until(s->out, "speaks\n", 5000, got, sizeof(got)) && strstr(got, "db      | one\ndb      | two \\x1b[31mred\\x1b[0m\n") &&
	      strstr(got, "coppice | PID 1 speaks\n"), "stdout carries name and text");
	say_line(s, DB, "a question without an end: ");
	CHECK(!read_until(s->out, "question", 300, got, sizeof(got)), "half a line waits for its other half");
	CHECK(read_until(s->out, "question", 5000, got, sizeof(got)) && strstr(got, "db      | a question without an end: \n"),
	      "... but not for long");
	say_line(s, DB, "answer\n");
	CHECK(read_until(s->out, "answer\n", 5000, got, sizeof(got)) && strstr(got, "db      + answer"), "... and the other half is marked");

	int fd = client_open(s);
	a = client_call(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"logs\",\"params\":{\"unit\":\"db\"},\"id\":1}");
	CHECK(json_array_size(json_at_path(a, "result.lines")) == 4 && !strcmp(text_at_path(a, "result.lines.1.text"), "two \033[31mred\033[0m") &&
	      json_is_true(json_at_path(a, "result.lines.3.rest")) && strlen(text_at_path(a, "result.lines.0.time")) == 24,
	      "logs gives the lines as they were written");
	json_decref(a);
	a = client_call(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"logs\",\"params\":{\"lines\":2},\"id\":1}");
	CHECK(json_array_size(json_at_path(a, "result.lines")) == 2 && !strcmp(text_at_path(a, "result.lines.1.text"), "answer"),
	      "the last two of all");
	json_decref(a);
	a = client_call(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"logs\",\"params\":{\"lines\":0,\"follow\":true,\"unit\":\"web\"},\"id\":1}");
	CHECK(json_array_size(json_at_path(a, "result.lines")) == 0 && !error_code(a), "none, and follow");
	json_decref(a);
	say_line(s, DB, "not followed\n");
	say_line(s, WEB, "followed\n");
	a = client_json(fd);
	CHECK(!strcmp(text_at_path(a, "method"), "log") && !strcmp(text_at_path(a, "params.unit"), "web") &&
	      !strcmp(text_at_path(a, "params.text"), "followed"), "a follower hears of its unit only");
	json_decref(a);
	(void)poll(NULL, 0, 5);
	a = client_call(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"logs\",\"params\":{\"since\":\"0\"},\"id\":1}");
	CHECK(json_array_size(json_at_path(a, "result.lines")) == 0, "nothing is newer than now");
	json_decref(a);
	a = client_call(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"logs\",\"params\":{\"since\":\"1h\"},\"id\":1}");
	CHECK(json_array_size(json_at_path(a, "result.lines")) == 7, "all is newer than an hour ago");
	json_decref(a);
	(void)close(fd);
	(void)read_until(s->out, "| followed\n", 5000, got, sizeof(got));
}

static int switches(pid_t pid)
{
	char path[64], text[4096];

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	int fd = open(path, O_RDONLY);

	(void)read_until(fd, "nonvoluntary_ctxt", 1000, text, sizeof(text));
	(void)close(fd);
	const char *at = strstr(text, "voluntary_ctxt_switches:");

	return at ? (int)strtol(at + 24, NULL, 10) : -1;
}

static void test_idle(struct stage *s)
{
	/* It may still have to see that a client went. */
	(void)poll(NULL, 0, 100);
	int before = switches(s->desk);

	(void)poll(NULL, 0, 1500);
	CHECK(before > 0 && switches(s->desk) == before, "a desk with nothing to do does not wake up");
}

static void test_restart(struct stage *s)
{
	char got[4096];
	json_t *a;

	say_line(s, WEB, "half a ");
	(void)poll(NULL, 0, 100);
	stage_kill(s);
	say_line(s, DB, "while nobody listened\n");
	stage_begin(s);
	say_line(s, WEB, "line\n");
	CHECK(read_until(s->out, "half a line\n", 5000, got, sizeof(got)) && strstr(got, "db      | while nobody listened\n"),
	      "another desk goes on where the first was killed, in the middle of a line");
	int fd = client_open(s);
	a = client_call(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"logs\",\"params\":{\"unit\":\"db\"},\"id\":1}");
	CHECK(!strcmp(text_at_path(a, "result.lines.0.text"), "one") && json_array_size(json_at_path(a, "result.lines")) == 6,
	      "and keeps what was written before");
	json_decref(a);
	(void)close(fd);
}

/* `yes`, in a child: as much as it can. */
static pid_t flood(const struct stage *s, uint32_t i)
{
	pid_t pid = fork();

	if (pid == 0) {
		static char lines[8192];

		for (size_t k = 0; k < sizeof(lines); k += 16)
			memcpy(lines + k, "0123456789abcde\n", 16);
		for (;;)
			if (write(s->pipes[i][1], lines, sizeof(lines)) <= 0)
				_exit(0);
	}
	return pid;
}

static void end_flood(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static void test_flood(struct stage *s)
{
	static char got[1 << 20];
	pid_t yes = flood(s, DB);
	msec_t worst = 0;
	json_t *a;

	/* Nobody reads stdout now. Others are served all the same. */
	(void)poll(NULL, 0, 200);
	int fd = client_open(s);
	for (int i = 0; i < 50; i++) {
		msec_t begin = sys_now();

		a = client_call(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"version\",\"id\":1}");
		worst = sys_now() - begin > worst ? sys_now() - begin : worst;
		if (!a)
			worst = PATIENCE;
		json_decref(a);
	}
	CHECK(worst < 500, "while a unit floods and nobody reads stdout, a client waits %lld ms at most", (long long)worst);
	say_line(s, WEB, "a word between\n");
	a = client_call(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"logs\",\"params\":{\"unit\":\"web\",\"lines\":1},\"id\":1}");
	for (int tries = 0; tries < 50 && strcmp(text_at_path(a, "result.lines.0.text"), "a word between") != 0; tries++) {
		json_decref(a);
		(void)poll(NULL, 0, 20);
		a = client_call(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"logs\",\"params\":{\"unit\":\"web\",\"lines\":1},\"id\":1}");
	}
	CHECK(!strcmp(text_at_path(a, "result.lines.0.text"), "a word between"), "and another unit's line gets through");
	json_decref(a);
	/* A follower that does not read. */
	int slow = client_open(s);
	client_send(slow, "{\"jsonrpc\":\"2.0\",\"method\":\"logs\",\"params\":{\"lines\":0,\"follow\":true},\"id\":1}");
	(void)poll(NULL, 0, 300);
	a = client_call(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"status\",\"params\":{\"unit\":\"db\"},\"id\":1}");
	CHECK(number_at_path(a, "result.units.0.log.dropped") > 1000, "lines that stdout did not get are counted: %lld",
	      (long long)number_at_path(a, "result.units.0.log.dropped"));
	json_decref(a);
	end_flood(yes);
	(void)close(fd);
	json_int_t lost = 0;
	for (int i = 0; i < 100000 && !lost; i++) {
		a = client_json(slow);
		lost = number_at_path(a, "params.lost");
		if (!a)
			break;
		json_decref(a);
	}
	CHECK(lost > 1000, "a follower that was too slow is told how many it missed: %lld", (long long)lost);
	(void)close(slow);
	CHECK(read_until(s->out, "were not shown: the reader of our stdout is slow", 5000, got, sizeof(got)), "stdout tells what it missed");
	int torn = 0;
	char *save = NULL;
	size_t len = strlen(got);
	while (len && got[len - 1] != '\n')
		got[--len] = '\0';
	for (const char *l = strtok_r(got, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		torn += strncmp(l, "db      | 0123456789abcde", 30) != 0 && strncmp(l, "coppice | ", 10) != 0 && strncmp(l, "web     | ", 10) != 0 &&
			strncmp(l, "db      + ", 10) != 0;
	say_line(s, WEB, "calm again\n");
	CHECK(read_until(s->out, "calm again\n", 5000, got, sizeof(got)) && !strstr(got, "not shown"), "which is told once");
	CHECK(torn == 0, "and no line is torn: %d are", torn);
}

/* Nobody will ever read again. */
static void test_dead_reader(struct stage *s)
{
	json_t *a;

	(void)close(s->out);
	s->out = -1;
	for (int i = 0; i < 100; i++)
		say_line(s, DB, "into the void\n");
	int fd = client_open(s);
	(void)poll(NULL, 0, 100);
	a = client_call(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"logs\",\"params\":{\"unit\":\"db\",\"lines\":1},\"id\":1}");
	CHECK(!strcmp(text_at_path(a, "result.lines.0.text"), "into the void"), "stdout without a reader does not matter");
	json_decref(a);
	(void)close(fd);
}

static void test_last_words(void)
{
	static char got[1 << 16];
	struct stage s;

	stage_open(&s, test_table(some, N_SOME, "", LOG_JSON));
	stage_begin(&s);
	int fd = client_open(&s);
	json_decref(client_call(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"version\",\"id\":1}"));
	(void)close(fd);
	(void)kill(s.desk, SIGSTOP);
	for (int i = 0; i < 100; i++)
		say_line(&s, WEB, "last words\n");
	say_line(&s, WEB, "and no end");
	(void)close(s.pid1);
	(void)kill(s.desk, SIGCONT);
	s.pid1 = -1;
	int status = reap(&s);
	CHECK(status == 0 && read_until(s.out, "and no end", 1000, got, sizeof(got)), "what was written before the end is shown before the end");
	char *save = NULL;
	const char *line = strtok_r(got, "\n", &save);
	json_t *j = line ? json_loads(line, 0, NULL) : NULL;
	CHECK(!strcmp(text_at_path(j, "unit"), "web") && !strcmp(text_at_path(j, "text"), "last words") && strlen(text_at_path(j, "time")) == 24,
	      "LogFormat=json: %s", line ? line : "nothing");
	json_decref(j);
	stage_close(&s);
}

/* A new pipe for a unit, the old one's rest first. */
static void test_new_pipe(struct stage *s)
{
	struct message m = { .kind = TELL_LOG, .unit = WEB };
	char got[4096];
	int two[2];

	(void)sys_pipe(two);
	(void)sys_epoll_ctl(s->logs_ep, EPOLL_CTL_ADD, two[0], EPOLLIN, WEB);
	(void)kill(s->desk, SIGSTOP);
	say_line(s, WEB, "old\n");
	(void)sys_send(s->pid1, &m, sizeof(m), &two[0], 1);
	(void)sys_write(two[1], "new\n", 4);
	(void)kill(s->desk, SIGCONT);
	CHECK(read_until(s->out, "| new\n", 5000, got, sizeof(got)) && strstr(got, "| old\n") && strstr(got, "| old\n") < strstr(got, "| new\n"),
	      "a unit's new log pipe takes over from the old one");
	(void)close(s->pipes[WEB][0]);
	(void)close(s->pipes[WEB][1]);
	memcpy(s->pipes[WEB], two, sizeof(two));
}

int main(void)
{
	struct stage s;

	if (!stage_set(&s, some, N_SOME, ""))
		return tap_done();
	test_plain(&s);
	test_idle(&s);
	test_restart(&s);
	test_new_pipe(&s);
	test_flood(&s);
	test_dead_reader(&s);
	stage_strike(&s);
	test_last_words();
	return tap_done();
}
