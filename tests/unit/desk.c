/* desk.c - what is asked of the desk: requests good and bad, starting, waiting, a thousand units. */
#include "tests/lib/desk.h"

#include <time.h>

#include "init/control/rpc.h"

static const struct test_unit some[] = {
	{ "api", 1, UNIT_SERVICE }, { "db", -1, UNIT_SERVICE }, { "web", 0, UNIT_SERVICE },
};
enum { API, DB, WEB, N_SOME };

/* What is wrong with a request is told by the right code, and the connection lives on. */
static const struct { const char *line; int code; const char *what; } wrong[] = {
	{ "{", RPC_PARSE, "half an object" },
	{ "nonsense", RPC_PARSE, "a word" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":1}x", RPC_PARSE, "something behind it" },
	{ "\"\xff\"", RPC_PARSE, "bytes that are no UTF-8" },
	{ "\"\\ud800\"", RPC_PARSE, "half a surrogate pair" },
	{ "{\"a\":\"\\u0000\"}", RPC_PARSE, "a NUL in a string" },
	{ "1e999", RPC_PARSE, "a number beyond all numbers" },
	{ "1", RPC_INVALID, "a number" },
	{ "null", RPC_INVALID, "null" },
	{ "[]", RPC_INVALID, "an empty array" },
	{ "{}", RPC_INVALID, "an empty object" },
	{ "{\"method\":\"ping\",\"id\":1}", RPC_INVALID, "no version" },
	{ "{\"jsonrpc\":\"1.0\",\"method\":\"ping\",\"id\":1}", RPC_INVALID, "another version" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":1,\"id\":1}", RPC_INVALID, "a method that is a number" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":{}}", RPC_INVALID, "an id that is an object" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"params\":1,\"id\":1}", RPC_INVALID, "params that are a number" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":1,\"id\":2}", RPC_INVALID, "two ids" },
	{ "[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]", RPC_INVALID, "20 levels" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"pong\",\"id\":1}", RPC_NO_METHOD, "an unknown method" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"status\",\"params\":{\"unti\":\"db\"},\"id\":1}", RPC_PARAMS, "an unknown parameter" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"status\",\"params\":{\"unit\":1},\"id\":1}", RPC_PARAMS, "a parameter of another type" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"status\",\"params\":[\"db\"],\"id\":1}", RPC_PARAMS, "parameters by place" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"kill\",\"id\":1}", RPC_PARAMS, "a parameter left out" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"kill\",\"params\":{\"unit\":\"db\",\"signal\":\"BANG\"},\"id\":1}", RPC_PARAMS, "no signal" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"kill\",\"params\":{\"unit\":\"db\",\"signal\":65},\"id\":1}", RPC_PARAMS, "signal 65" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"wait\",\"params\":{\"for\":\"godot\"},\"id\":1}", RPC_PARAMS, "waiting for nobody" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"wait\",\"params\":{\"timeout\":\"soon\"},\"id\":1}", RPC_PARAMS, "no span of time" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"logs\",\"params\":{\"lines\":-1},\"id\":1}", RPC_PARAMS, "less than no lines" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"shutdown\",\"params\":{\"how\":\"badly\"},\"id\":1}", RPC_PARAMS, "no way to end" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"shutdown\",\"params\":{\"code\":256},\"id\":1}", RPC_PARAMS, "no exit code" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"exec\",\"params\":{\"unit\":\"db\",\"env\":{\"A=B\":\"\"}},\"id\":1}", RPC_PARAMS, "exec with a name that is none" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"exec\",\"params\":{\"unit\":\"db\",\"command\":[1]},\"id\":1}", RPC_PARAMS, "exec of a number" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"status\",\"params\":{\"unit\":\"dbb\"},\"id\":1}", RPC_NO_UNIT, "an unknown unit" },
};

static void test_wrong(struct stage *s)
{
	int fd = client_open(s);

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		json_t *a = client_call(fd, wrong[i].line);

		CHECK(error_code(a) == wrong[i].code && *text_at_path(a, "error.message"), "%s: %d, \"%s\"", wrong[i].what,
		      error_code(a), text_at_path(a, "error.message"));
		json_decref(a);
	}
	json_t *a = client_call(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"status\",\"params\":{\"unit\":\"dbb\"},\"id\":\"x\"}");

	CHECK(!strcmp(text_at_path(a, "error.data.unit"), "dbb") && !strcmp(text_at_path(a, "error.data.nearest"), "db") &&
	      *text_at_path(a, "error.data.why") && !strcmp(text_at_path(a, "id"), "x"), "a typo is told the nearest name");
	json_decref(a);
	/* 64 KiB are taken, one more byte is not; what follows is read as before. */
	char *big = malloc(RPC_LINE + 2);

	if (!big)
		return;
	memset(big, ' ', RPC_LINE + 1);
	memcpy(big, "{\"jsonrpc\":\"2.0\",\"method\":\"version\",\"id\":1", 42);
	big[RPC_LINE - 1] = '}';
	big[RPC_LINE] = '\0';
	a = client_call(fd, big);
	CHECK(*text_at_path(a, "result.version"), "a request of 65,536 bytes");
	json_decref(a);
	big[RPC_LINE - 1] = ' ';
	big[RPC_LINE] = '}';
	big[RPC_LINE + 1] = '\0';
	a = client_call(fd, big);
	CHECK(error_code(a) == RPC_INVALID, "one byte more is refused");
	json_decref(a);
	memset(big, '[', RPC_LINE);
	for (int i = 0; i < 40; i++)
		send_all(fd, big, RPC_LINE);
	a = client_call(fd, "");
	CHECK(error_code(a) == RPC_INVALID, "a line of 2.6 MB of brackets is refused, once");
	json_decref(a);
	a = client_call(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"version\",\"id\":2}");
	CHECK(*text_at_path(a, "result.version"), "and the next line is served");
	json_decref(a);
	free(big);
	(void)close(fd);
}

/* What PID 1 is asked next, unchecked. */
static struct message stage_next(struct stage *s)
{
	struct message m = { 0 };

	if (readable(s->pid1, PATIENCE))
		(void)sys_recv(s->pid1, &m, sizeof(m), NULL, NULL);
	return m;
}

static void test_shapes(struct stage *s)
{
	static const char request[] = "{\"jsonrpc\":\"2.0\",\"method\":\"version\",\"id\":7}\n";
	int fd = client_open(s);
	json_t *a;

	for (size_t i = 0; i < sizeof(request) - 1; i++) {
		send_all(fd, request + i, 1);
		(void)poll(NULL, 0, 1);
	}
	a = client_json(fd);
	CHECK(number_at_path(a, "id") == 7, "a request that comes byte by byte");
	json_decref(a);
	client_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"version\"}");
	client_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"nonsense\"}");
	client_send(fd, "[{\"jsonrpc\":\"2.0\",\"method\":\"version\"}]");
	client_send(fd, "\r");
	CHECK(client_quiet(fd, 100), "notifications and empty lines are not answered");
	a = client_call(fd, "[{\"jsonrpc\":\"2.0\",\"method\":\"version\",\"id\":1},1,{\"jsonrpc\":\"2.0\",\"method\":\"version\"},"
			    "{\"jsonrpc\":\"2.0\",\"method\":\"no\",\"id\":2}]");
	CHECK(json_array_size(a) == 3 && *text_at_path(a, "0.result.version") && number_at_path(a, "1.error.code") == RPC_INVALID &&
	      number_at_path(a, "2.error.code") == RPC_NO_METHOD, "an array of four is answered by an array of three");
	json_decref(a);
	/* 65 requests in one array. */
	char many[256] = "[";
	for (int i = 0; i < 65; i++)
		strcat(many, i ? ",1" : "1");
	strcat(many, "]");
	a = client_call(fd, many);
	CHECK(error_code(a) == RPC_INVALID, "an array of 65 is refused");
	json_decref(a);
	/* PID 1 answers the second one first. */
	client_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":1}");
	client_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":2}");
	uint32_t one = stage_hear(s, ASK_PING, NULL, NULL).serial, two = stage_hear(s, ASK_PING, NULL, NULL).serial;
	stage_tell(s, TELL_DONE, two, 0, 0);
	a = client_json(fd);
	CHECK(number_at_path(a, "id") == 2, "answers come when they are there");
	json_decref(a);
	stage_tell(s, TELL_DONE, one, 0, 0);
	a = client_json(fd);
	CHECK(number_at_path(a, "id") == 1 && !strcmp(text_at_path(a, "result"), "pong"), "ping is answered by PID 1");
	json_decref(a);
	/* An array waits for the slowest of its own. */
	client_send(fd, "[{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":1},{\"jsonrpc\":\"2.0\",\"method\":\"version\",\"id\":2}]");
	one = stage_hear(s, ASK_PING, NULL, NULL).serial;
	CHECK(client_quiet(fd, 50), "an array is answered whole");
	stage_tell(s, TELL_DONE, one, 0, 0);
	a = client_json(fd);
	CHECK(json_array_size(a) == 2, "... once all of it is there");
	json_decref(a);
	/* As many open calls as there may be, and one more. */
	uint32_t serials[RPC_OPEN];
	for (uint32_t i = 0; i < RPC_OPEN; i++) {
		client_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":1}");
		serials[i] = stage_next(s).serial;
	}
	a = client_call(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":2}");
	CHECK(error_code(a) == RPC_BUSY && number_at_path(a, "id") == 2, "the 65th open call is refused");
	json_decref(a);
	for (uint32_t i = 0; i < RPC_OPEN; i++) {
		stage_tell(s, TELL_DONE, serials[i], 0, 0);
		json_decref(client_json(fd));
	}
	/* No newline at the end, and the client's half closed. */
	send_all(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"version\",\"id\":9}", 43);
	(void)shutdown(fd, SHUT_WR);
	a = client_json(fd);
	CHECK(number_at_path(a, "id") == 9, "who closes its half is still answered");
	json_decref(a);
	char rest[8];
	CHECK(readable(fd, 5000) && recv(fd, rest, sizeof(rest), 0) == 0, "... and then the connection ends");
	(void)close(fd);
}

static void test_start(struct stage *s)
{
	int fd = client_open(s);
	struct message m;
	json_t *a;

	client_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"start\",\"params\":{\"unit\":\"db\"},\"id\":1}");
	m = stage_hear(s, ASK_START, NULL, NULL);
	CHECK(m.unit == DB, "start names the unit");
	stage_tell(s, TELL_DONE, m.serial, 0, 0);
	stage_face(s, DB, FACE_WAITING, false, WHY_NONE, 0, 0);
	stage_face(s, DB, FACE_STARTING, false, WHY_NONE, 0, 0);
	CHECK(client_quiet(fd, 50), "start is not answered while the unit is starting");
	stage_face(s, DB, FACE_READY, true, WHY_NONE, 0, 0);
	a = client_json(fd);
	CHECK(!strcmp(text_at_path(a, "result.state"), "ready"), "start is answered when it is ready");
	json_decref(a);

	client_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"start\",\"params\":{\"unit\":\"db\"},\"id\":1}");
	m = stage_hear(s, ASK_START, NULL, NULL);
	stage_tell(s, TELL_DONE, m.serial, 0, 0);
	a = client_json(fd);
	CHECK(!strcmp(text_at_path(a, "result.state"), "ready"), "a unit that is up is started at once");
	json_decref(a);

	client_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"restart\",\"params\":{\"unit\":\"db\"},\"id\":1}");
	m = stage_hear(s, ASK_RESTART, NULL, NULL);
	stage_tell(s, TELL_DONE, m.serial, 0, 0);
	CHECK(client_quiet(fd, 50), "a restart does not take the unit's old life for its new one");
	stage_face(s, DB, FACE_STOPPING, false, WHY_BY_HAND, 0, 0);
	stage_face(s, DB, FACE_WAITING, false, WHY_NONE, 0, 0);
	stage_face(s, DB, FACE_STARTING, false, WHY_NONE, 0, 0);
	CHECK(client_quiet(fd, 50), "... nor the way down for the end");
	stage_face(s, DB, FACE_RUNNING, true, WHY_NONE, 0, 0);
	a = client_json(fd);
	CHECK(!strcmp(text_at_path(a, "result.state"), "running"), "... and is answered when it is up again");
	json_decref(a);

	client_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"stop\",\"params\":{\"unit\":\"db.service\"},\"id\":1}");
	m = stage_hear(s, ASK_STOP, NULL, NULL);
	CHECK(m.unit == DB, "db.service is db");
	stage_tell(s, TELL_DONE, m.serial, 0, 0);
	CHECK(client_quiet(fd, 50), "stop is not answered while it runs");
	stage_face(s, DB, FACE_STOPPING, false, WHY_BY_HAND, 0, 0);
	CHECK(client_quiet(fd, 50), "... nor while it is stopping");
	stage_face(s, DB, FACE_INACTIVE, false, WHY_BY_HAND, 0, 0);
	a = client_json(fd);
	CHECK(!strcmp(text_at_path(a, "result.state"), "inactive"), "... but when it is down");
	json_decref(a);

	/* A start that fails; one that failed before it is told. */
	client_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"start\",\"params\":{\"unit\":\"db\"},\"id\":1}");
	m = stage_hear(s, ASK_START, NULL, NULL);
	stage_face(s, DB, FACE_STARTING, false, WHY_NONE, 0, 0);
	stage_face(s, DB, FACE_FAILED, false, WHY_EXIT, 3, 0);
	stage_tell(s, TELL_DONE, m.serial, 0, 0);
	a = client_json(fd);
	CHECK(error_code(a) == RPC_FAILED && strstr(text_at_path(a, "error.message"), "exited with status 3") &&
	      !strcmp(text_at_path(a, "error.data.unit"), "db"), "a failed start: %s", text_at_path(a, "error.message"));
	json_decref(a);

	/* The old failure is not the new one's. */
	client_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"start\",\"params\":{\"unit\":\"db\"},\"id\":1}");
	m = stage_hear(s, ASK_START, NULL, NULL);
	stage_tell(s, TELL_DONE, m.serial, 0, 0);
	CHECK(client_quiet(fd, 50), "a start does not take the last failure for its own");
	stage_face(s, DB, FACE_STARTING, false, WHY_NONE, 0, 0);
	stage_face(s, DB, FACE_DONE, false, WHY_NONE, 0, 0);
	a = client_json(fd);
	CHECK(!strcmp(text_at_path(a, "result.state"), "done"), "what has done its work has started well");
	json_decref(a);

	/* News that PID 1 wrote before it was asked, and that nobody has read yet. */
	int other = client_open(s);
	client_send(other, "{\"jsonrpc\":\"2.0\",\"method\":\"wait\",\"params\":{\"unit\":\"web\"},\"id\":1}");
	CHECK(client_quiet(other, 50), "somebody else waits");
	records_tell(&s->records, &(struct news){ .unit = DB, .face = FACE_STARTING });
	records_tell(&s->records, &(struct news){ .unit = DB, .face = FACE_FAILED });
	client_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"start\",\"params\":{\"unit\":\"db\"},\"id\":1}");
	m = stage_hear(s, ASK_START, NULL, NULL);
	stage_tell(s, TELL_DONE, m.serial, 0, 0);
	stage_tell(s, TELL_BELL, 0, 0, 0);
	CHECK(client_quiet(fd, 50), "old news is not news of this start");
	stage_face(s, DB, FACE_STARTING, false, WHY_NONE, 0, 0);
	stage_face(s, DB, FACE_DONE, false, WHY_NONE, 0, 0);
	a = client_json(fd);
	CHECK(error_code(a) == 0 && json_at_path(a, "result"), "... what comes is");
	json_decref(a);
	(void)close(other);

	client_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"start\",\"params\":{\"unit\":\"db\"},\"id\":1}");
	m = stage_hear(s, ASK_START, NULL, NULL);
	stage_tell(s, TELL_DONE, m.serial, REFUSED_NOT_LOADED, 0);
	a = client_json(fd);
	CHECK(error_code(a) == RPC_FAILED, "a refusal is an error: %s", text_at_path(a, "error.message"));
	json_decref(a);
	client_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"kill\",\"params\":{\"unit\":\"db\",\"signal\":\"RTMIN+3\"},\"id\":1}");
	m = stage_hear(s, ASK_KILL, NULL, NULL);
	CHECK(m.a == 37, "RTMIN+3 is 37");
	stage_tell(s, TELL_DONE, m.serial, REFUSED_NOT_RUNNING, 0);
	a = client_json(fd);
	CHECK(error_code(a) == RPC_NOT_READY && rpc_exit_status(error_code(a)) == 4, "not running is exit status 4");
	json_decref(a);

	/* Two at once, and not to be waited for. */
	client_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"start\",\"params\":{\"unit\":\"db\",\"wait\":false},\"id\":1}");
	m = stage_hear(s, ASK_START, NULL, NULL);
	stage_tell(s, TELL_DONE, m.serial, 0, 0);
	a = client_json(fd);
	CHECK(number_at_path(a, "id") == 1 && error_code(a) == 0, "wait:false is answered at once");
	json_decref(a);

	/* web waits for api, which waits for db, which has failed. */
	stage_face(s, DB, FACE_FAILED, false, WHY_SIGNAL, 9, 0);
	stage_face(s, API, FACE_WAITING, false, WHY_NEEDS, DB, FACE_FAILED);
	client_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"start\",\"params\":{\"unit\":\"web\"},\"id\":1}");
	m = stage_hear(s, ASK_START, NULL, NULL);
	stage_face(s, WEB, FACE_WAITING, false, WHY_NEEDS, API, FACE_WAITING);
	stage_tell(s, TELL_DONE, m.serial, 0, 0);
	a = client_json(fd);
	CHECK(error_code(a) == RPC_NOT_READY && strstr(text_at_path(a, "error.message"), "db has failed (killed by SIGKILL)"),
	      "a wait without hope: %s", text_at_path(a, "error.message"));
	json_decref(a);
	(void)close(fd);
}

static void test_wait(struct stage *s)
{
	int fd = client_open(s);
	json_t *a;

	for (uint32_t i = 0; i < N_SOME; i++)
		stage_face(s, i, FACE_STARTING, false, WHY_NONE, 0, 0);
	a = client_call(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"wait\",\"params\":{\"unit\":\"db\",\"timeout\":0.1},\"id\":1}");
	CHECK(error_code(a) == RPC_TIMEOUT && rpc_exit_status(error_code(a)) == 5, "a wait ends in time: %s",
	      text_at_path(a, "error.message"));
	json_decref(a);
	client_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"wait\",\"params\":{\"unit\":\"db\",\"timeout\":\"10s\"},\"id\":1}");
	CHECK(client_quiet(fd, 50), "a wait waits");
	stage_face(s, DB, FACE_READY, true, WHY_NONE, 0, 0);
	a = client_json(fd);
	CHECK(error_code(a) == 0 && number_at_path(a, "id") == 1, "... until it is ready");
	json_decref(a);
	client_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"wait\",\"params\":{\"unit\":\"db\",\"for\":\"stopped\"},\"id\":1}");
	client_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"wait\",\"id\":2}");
	CHECK(client_quiet(fd, 50), "a wait for all waits for all");
	stage_face(s, API, FACE_READY, true, WHY_NONE, 0, 0);
	CHECK(client_quiet(fd, 50), "... for the last one, too");
	stage_face(s, WEB, FACE_DONE, false, WHY_NONE, 0, 0);
	a = client_json(fd);
	CHECK(number_at_path(a, "id") == 2 && error_code(a) == 0, "... and one that is done counts");
	json_decref(a);
	stage_face(s, DB, FACE_INACTIVE, false, WHY_BY_HAND, 0, 0);
	a = client_json(fd);
	CHECK(number_at_path(a, "id") == 1 && error_code(a) == 0, "a wait for its end ends with it");
	json_decref(a);
	client_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"wait\",\"id\":3}");
	CHECK(client_quiet(fd, 50), "while PID 1 boots, one that was not started yet will be");
	s->records.state->boot_ready = sys_now();
	stage_face(s, WEB, FACE_FAILED, false, WHY_EXIT, 1, 0);
	a = client_json(fd);
	CHECK(error_code(a) == RPC_FAILED && strstr(text_at_path(a, "error.message"), "web"), "one that failed ends the wait: %s",
	      text_at_path(a, "error.message"));
	json_decref(a);
	a = client_call(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"wait\",\"params\":{\"unit\":\"web\"},\"id\":4}");
	CHECK(error_code(a) == RPC_FAILED, "a wait for what has failed ends at once");
	json_decref(a);

	/* Reload: no news tells its end. */
	struct record r;
	(void)records_read(&s->records, API, &r);
	r.phase = PHASE_RELOAD;
	r.control = 77;
	records_commit(&s->records, API, &r);
	client_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"reload\",\"params\":{\"unit\":\"api\"},\"id\":5}");
	struct message m = stage_hear(s, ASK_RELOAD, NULL, NULL);
	stage_tell(s, TELL_DONE, m.serial, 0, 0);
	CHECK(client_quiet(fd, 120), "a reload lasts while its command runs");
	r.control = 0;
	r.exit_code_last = 2;
	records_commit(&s->records, API, &r);
	a = client_json(fd);
	CHECK(error_code(a) == RPC_FAILED && strstr(text_at_path(a, "error.message"), "status 2"), "a failed reload: %s",
	      text_at_path(a, "error.message"));
	json_decref(a);
	r.exit_code_last = 0;
	records_commit(&s->records, API, &r);
	client_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"wait\",\"params\":{\"unit\":\"db\"},\"id\":6}");
	CHECK(client_quiet(fd, 50), "what is down may still be started by somebody");
	(void)close(fd);
}

static void test_big(void)
{
	enum { N = 1000 };
	static struct test_unit units[N];
	static char names[N][16], answer[4 << 20];
	struct stage s;
	msec_t best = FOREVER;

	for (uint32_t i = 0; i < N; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "u%04u", i);
		units[i] = (struct test_unit){ names[i], -1, UNIT_SERVICE };
	}
	stage_open(&s, test_table(units, N, "", LOG_TEXT));
	for (uint32_t i = 0; i < N; i++) {
		struct record r = { .face = i % 2 ? FACE_FAILED : FACE_READY, .ready = !(i % 2), .main = 100 + (int)i,
				    .why = { .code = i % 2 ? WHY_EXIT : WHY_NONE, .a = 1 }, .since = 1000 };

		records_commit(&s.records, i, &r);
	}
	stage_begin(&s);
	char path[64], text[8192];
	int fd = client_open(&s);
	json_t *a = client_call(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"version\",\"id\":1}");
	json_decref(a);
	(void)close(fd);
	(void)poll(NULL, 0, 50);
	(void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)s.desk);
	fd = open(path, O_RDONLY);
	(void)read_until(fd, "SwapPss", 1000, text, sizeof(text));
	(void)close(fd);
	const char *dirty = strstr(text, "Private_Dirty:");
	if (dirty)
		printf("# private memory with 1,000 units: %ld kB\n", strtol(dirty + 14, NULL, 10));
	fd = client_open(&s);
	for (int i = 0; i < 20; i++) {
		struct timespec x, y;

		(void)clock_gettime(CLOCK_MONOTONIC, &x);
		client_send(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"status\",\"id\":1}");
		bool came = client_line(fd, answer, sizeof(answer));
		(void)clock_gettime(CLOCK_MONOTONIC, &y);
		a = came && i == 0 ? json_loads(answer, 0, NULL) : NULL;
		if (i == 0)
			CHECK(json_array_size(json_at_path(a, "result.units")) == N &&
			      number_at_path(a, "result.manager.units.failed") == N / 2 &&
			      !strcmp(text_at_path(a, "result.units.999.unit"), "u0999") &&
			      !strcmp(text_at_path(a, "result.units.999.why"), "exited with status 1"), "status of 1,000 units");
		msec_t us = (y.tv_sec - x.tv_sec) * 1000000 + (y.tv_nsec - x.tv_nsec) / 1000;
		if (us < best)
			best = us;
		json_decref(a);
	}
	printf("# status of 1,000 units, %lld us at best\n", (long long)best);
	(void)close(fd);
	(void)stage_end(&s);
	stage_close(&s);
}

int main(void)
{
	struct stage s;

	if (!stage_set(&s, some, N_SOME, ""))
		return tap_done();
	test_wrong(&s);
	test_shapes(&s);
	test_start(&s);
	test_wait(&s);
	stage_strike(&s);

	test_big();
	return tap_done();
}
