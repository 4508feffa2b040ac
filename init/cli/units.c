/* units.c - verbs that act on units, on the container, and on the socket as such. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/values.h"
#include "init/cli/client.h"

/* What the operator gave along, for every unit alike. */
static json_t *params_for(const struct cli *c, const char *unit)
{
	json_t *p = json_object();

	if (unit)
		(void)json_object_set_new(p, "unit", json_string(unit));
	if (c->value[OPT_NO_WAIT])
		(void)json_object_set_new(p, "wait", json_false());
	if (c->value[OPT_TIMEOUT])
		(void)json_object_set_new(p, "timeout", json_string(c->value[OPT_TIMEOUT]));
	if (c->value[OPT_FOR])
		(void)json_object_set_new(p, "for", json_string(c->value[OPT_FOR]));
	if (c->value[OPT_SIGNAL])
		(void)json_object_set_new(p, "signal", json_string(c->value[OPT_SIGNAL]));
	return p;
}

/* One call for each unit, all at once; the first error is the exit status, all of them are told. */
static int call_each(const struct cli *c, const char *method)
{
	struct client client;
	int worst = client_open(&client, c), n = c->n_args ? c->n_args : 1;

	if (worst)
		return worst;
	/* The desk takes 64 open calls of one connection. */
	for (int from = 0; from < n; from += 32) {
		int to = n < from + 32 ? n : from + 32;

		for (int i = from; i < to; i++)
			(void)client_call(&client, method, params_for(c, c->n_args ? c->args[i] : NULL), NULL, 0);
		for (int i = from; i < to; i++) {
			json_t *answer = client_next(&client);
			int status = client_judge(answer);

			if (status == CLI_DONE && c->value[OPT_JSON])
				client_print(json_object_get(answer, "result"));
			if (status && !worst)
				worst = status;
			json_decref(answer);
			if (!answer) {
				i = to;
				from = n;
			}
		}
	}
	client_close(&client);
	return worst;
}

int verb_start(const struct cli *c)
{
	if (!c->n_args && !c->value[OPT_ALL])
		return cli_usage(c->verb, "which unit? --all means every one");
	if (c->n_args && c->value[OPT_ALL])
		return cli_usage(c->verb, "either units or --all");
	return call_each(c, c->verb->name);
}

int verb_kill(const struct cli *c)
{
	if (c->value[OPT_SIGNAL] && !signal_of(c->value[OPT_SIGNAL]))
		return cli_usage(c->verb, "\"%.32s\" is no signal; write a name such as TERM or a number from 1 to 64", c->value[OPT_SIGNAL]);
	return call_each(c, "kill");
}

int verb_wait(const struct cli *c)
{
	const char *what = c->value[OPT_FOR];
	msec_t span;

	if (what && strcmp(what, "ready") != 0 && strcmp(what, "stopped") != 0)
		return cli_usage(c->verb, "one waits for ready or stopped, not for \"%.32s\"", what);
	if (c->value[OPT_TIMEOUT] && !span_of(c->value[OPT_TIMEOUT], 1000, &span))
		return cli_usage(c->verb, "--timeout: \"%.32s\" is no span of time; write seconds, or 1min30s", c->value[OPT_TIMEOUT]);
	return call_each(c, "wait");
}

int verb_shutdown(const struct cli *c)
{
	json_t *params = json_pack("{s:s}", "how", c->verb->name);
	struct client client;
	int64_t code;
	int status;

	if (c->n_args && (!number_of(c->args[0], &code) || code < 0 || code > 255)) {
		json_decref(params);
		return cli_usage(c->verb, "\"%.32s\" is no exit code; it lies between 0 and 255", c->args[0]);
	}
	if (c->n_args)
		(void)json_object_set_new(params, "code", json_integer(code));
	status = client_open(&client, c);
	if (status) {
		json_decref(params);
		return status;
	}
	/* PID 1 ends everybody else in its namespace soon, and so us: the answer is worth that moment. */
	(void)signal(SIGTERM, SIG_IGN);
	json_t *result = client_do(&client, "shutdown", params, &status);

	if (result && c->value[OPT_JSON])
		client_print(result);
	json_decref(result);
	client_close(&client);
	return status;
}

int verb_ping(const struct cli *c)
{
	struct client client;
	int status = client_open(&client, c);

	if (status)
		return status;
	json_t *result = client_do(&client, "ping", NULL, &status);

	if (result)
		(void)puts("pong");
	json_decref(result);
	client_close(&client);
	return status;
}

int verb_rpc(const struct cli *c)
{
	json_error_t e;
	json_t *params = c->n_args > 1 ? json_loads(c->args[1], JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e) : NULL;
	struct client client;

	if (c->n_args > 1 && !params)
		return cli_usage(c->verb, "\"%.64s\" is not JSON: %s", c->args[1], e.text);
	bool goes_on = !strcmp(c->args[0], "events") || json_is_true(json_object_get(params, "follow"));
	int status = client_open(&client, c);

	if (status) {
		json_decref(params);
		return status;
	}
	json_t *result = client_do(&client, c->args[0], params, &status), *m;

	if (result)
		client_print(result);
	json_decref(result);
	while (status == CLI_DONE && goes_on && !fflush(stdout) && (m = client_next(&client))) {
		client_print(m);
		json_decref(m);
	}
	client_close(&client);
	return status;
}
