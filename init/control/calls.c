/* calls.c - from a sound request to what it means: one function per method. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/kit/text.h"
#include "conf/show.h"
#include "conf/values.h"
#include "init/control/inside.h"
#include "supervise/why.h"

/* What a method gets; `unit` is looked up already. */
struct asked {
	struct desk *desk;
	struct conn *conn;
	struct call *call;
	enum method_id method;
	uint32_t unit;
	const json_t *params;
};

static const char *text_of(const struct asked *a, const char *name)
{
	return json_string_value(json_object_get(a->params, name));
}

static void ask(const struct asked *a, enum ask kind, int32_t x, int32_t y)
{
	struct message m = { .kind = kind, .unit = a->unit, .a = x, .b = y };

	errand_ask(a->desk, a->conn, a->call, a->method, &m, a->params, NULL, 0);
}

static void run_ping(const struct asked *a)
{
	ask(a, ASK_PING, 0, 0);
}

static void run_version(const struct asked *a)
{
	struct jout *j = call_result(a->call);

	jout_open(j, '{');
	jout_key(j, "name");
	jout_text(j, "coppice");
	jout_key(j, "version");
	jout_text(j, COPPICE_VERSION);
	jout_close(j, '}');
	call_end(a->call);
}

static void run_status(const struct asked *a)
{
	answer_status(a->desk, a->call, a->unit);
}

static void run_start(const struct asked *a)
{
	ask(a, ASK_START, 0, 0);
}

static void run_stop(const struct asked *a)
{
	ask(a, ASK_STOP, 0, 0);
}

static void run_restart(const struct asked *a)
{
	ask(a, ASK_RESTART, 0, 0);
}

static void run_reload(const struct asked *a)
{
	ask(a, ASK_RELOAD, 0, 0);
}

static void run_reset_failed(const struct asked *a)
{
	ask(a, ASK_RESET, 0, 0);
}

static void run_kill(const struct asked *a)
{
	const json_t *given = json_object_get(a->params, "signal");
	int sig = SIGTERM;

	if (json_is_string(given))
		sig = signal_of(json_string_value(given));
	else if (given)
		sig = json_integer_value(given) > 0 && json_integer_value(given) <= 64 ? (int)json_integer_value(given) : 0;
	if (sig == 0) {
		const char *word = json_string_value(given);

		call_error(a->call, RPC_PARAMS, NULL, "\"%.32s\" is no signal; write a name such as TERM or a number from 1 to 64",
			   word ? word : "this number");
		return;
	}
	ask(a, ASK_KILL, sig, 0);
}

static void run_wait(const struct asked *a)
{
	const char *what = text_of(a, "for");

	if (what && strcmp(what, "ready") != 0 && strcmp(what, "stopped") != 0) {
		call_error(a->call, RPC_PARAMS, NULL, "one waits for \"ready\" or \"stopped\", not for \"%.32s\"", what);
		return;
	}
	errand_wait(a->desk, a->conn, a->call, a->unit, what && *what == 's' ? GOAL_STOPPED : GOAL_READY, a->params);
}

static void run_show(const struct asked *a)
{
	char *text = NULL;
	size_t n = 0;
	FILE *memory = open_memstream(&text, &n);

	if (memory)
		show_unit(memory, a->desk->table, a->unit, true);
	if (!memory || fclose(memory) || n == 0) {
		call_error(a->call, RPC_FAILED, NULL, "the desk is out of memory");
	} else {
		/* All on one line: its own newline is the last byte. */
		jout_raw(call_result(a->call), text, text[n - 1] == '\n' ? n - 1 : n);
		call_end(a->call);
	}
	free(text);
}

static void run_logs(const struct asked *a)
{
	answer_logs(a->desk, a->conn, a->call, a->unit, a->params);
}

static void run_events(const struct asked *a)
{
	struct jout *j = call_result(a->call);

	jout_open(j, '{');
	jout_close(j, '}');
	call_end(a->call);
	logs_subscribe(a->desk, a->conn);
}

static void run_exec(const struct asked *a)
{
	exec_begin(a->desk, a->conn, a->call, a->unit, a->params);
}

static void run_graph(const struct asked *a)
{
	answer_graph(a->desk, a->call);
}

static void run_shutdown(const struct asked *a)
{
	static const char *const words[N_HOWS] = {
		[HOW_EXIT] = "exit", [HOW_POWEROFF] = "poweroff", [HOW_HALT] = "halt", [HOW_REBOOT] = "reboot",
	};
	const char *how = text_of(a, "how");
	const json_t *code = json_object_get(a->params, "code");
	int32_t i = HOW_EXIT;

	while (how && i < N_HOWS && strcmp(how, words[i]) != 0)
		i++;
	if (i == N_HOWS) {
		call_error(a->call, RPC_PARAMS, NULL, "\"%.32s\" is no way to end; it is exit, poweroff, halt or reboot", how);
		return;
	}
	if (code && (json_integer_value(code) < 0 || json_integer_value(code) > 255)) {
		call_error(a->call, RPC_PARAMS, NULL, "an exit code lies between 0 and 255");
		return;
	}
	ask(a, ASK_SHUTDOWN, i, code ? (int32_t)json_integer_value(code) : -1);
}

static void (*const runs[N_METHODS])(const struct asked *a) = {
	[M_PING] = run_ping, [M_VERSION] = run_version, [M_STATUS] = run_status, [M_START] = run_start, [M_STOP] = run_stop,
	[M_RESTART] = run_restart, [M_RELOAD] = run_reload, [M_KILL] = run_kill, [M_RESET_FAILED] = run_reset_failed,
	[M_WAIT] = run_wait, [M_SHOW] = run_show, [M_LOGS] = run_logs, [M_EVENTS] = run_events, [M_EXEC] = run_exec,
	[M_GRAPH] = run_graph, [M_SHUTDOWN] = run_shutdown,
};

struct unit_names { const struct table *table; uint32_t i; };

static const char *next_unit(void *self)
{
	struct unit_names *at = self;

	return at->i < at->table->n_units ? table_text(at->table, table_unit(at->table, at->i++)->name) : NULL;
}

static void no_such_unit(const struct table *t, struct call *c, const char *name)
{
	struct unit_names at = { .table = t };
	const char *nearest = text_nearest(name, next_unit, &at);
	const char *why = "no unit file of that name was found when the units were loaded";

	call_error(c, RPC_NO_UNIT, &(struct rpc_about){ name, why, nearest }, "there is no unit \"%.255s\"%s%s%s", name,
		   nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}

void calls_run(struct call *c, size_t method, const json_t *params)
{
	struct conn *conn = call_rpc(c)->owner;
	struct desk *d = conn->desk;
	const char *name = json_string_value(json_object_get(params, "unit"));
	struct asked a = { .desk = d, .conn = conn, .call = c, .method = (enum method_id)method, .unit = NO_UNIT, .params = params };

	if (name) {
		a.unit = table_find(d->table, name);
		if (a.unit >= d->n) {
			no_such_unit(d->table, c, name);
			return;
		}
	}
	runs[method](&a);
}
