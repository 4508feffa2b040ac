/* logs.c - logs and events on the operator's terminal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conf/kit/sys.h"
#include "conf/values.h"
#include "init/cli/client.h"
#include "init/control/logline.h"

struct view {
	bool json;
	uint32_t width; /* of names; 0: one unit only, no names */
};

static void print_line(const struct view *v, const json_t *line)
{
	const json_t *text = json_object_get(line, "text");
	struct buf b = { .most = 1u << 20 };

	if (v->json) {
		client_print(line);
		return;
	}
	if (json_object_get(line, "lost")) {
		(void)printf("... %lld lines are missing here: they came faster than they were read\n",
			     (long long)json_integer_value(json_object_get(line, "lost")));
		return;
	}
	if (v->width) {
		line_text(&b, json_text(line, "unit"), v->width, json_is_true(json_object_get(line, "rest")),
			  json_string_value(text) ? json_string_value(text) : "", json_string_length(text));
	} else {
		line_shown(&b, json_string_value(text) ? json_string_value(text) : "", json_string_length(text));
		buf_put(&b, "\n", 1);
	}
	(void)fwrite(b.at, 1, b.len, stdout);
	buf_free(&b);
}

static void on_log(void *self, const json_t *m)
{
	if (!strcmp(json_text(m, "method"), "log"))
		print_line(self, json_object_get(m, "params"));
}

/* "10min", or a moment in UTC: seconds ago, as the socket wants it. False: neither. */
static bool since_of(const char *s, json_t **ret)
{
	struct tm tm = { 0 };
	msec_t span;
	const char *end = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);

	if (end) {
		msec_t gone = sys_wall() - (msec_t)timegm(&tm) * 1000;

		*ret = json_real(gone > 0 ? (double)gone / 1000 : 0);
		return !*end || *end == 'Z' || *end == '.';
	}
	if (!span_of(s, 1000, &span))
		return false;
	*ret = json_string(s);
	return true;
}

struct dated { const json_t *line; };

static int by_time(const void *a, const void *b)
{
	return strcmp(json_text(((const struct dated *)a)->line, "time"), json_text(((const struct dated *)b)->line, "time"));
}

/* Several units were asked for one by one: their lines in order of time, the last `most` of them. */
static void print_merged(const struct view *v, const json_t *lines, size_t most)
{
	size_t n = json_array_size(lines), i;
	struct dated *sorted = calloc(n + 1, sizeof(*sorted));
	const json_t *line;

	if (!sorted)
		return;
	json_array_foreach(lines, i, line) {
		sorted[i].line = line;
	}
	if (n)
		qsort(sorted, n, sizeof(*sorted), by_time);
	for (i = n > most ? n - most : 0; i < n; i++)
		print_line(v, sorted[i].line);
	free(sorted);
}

static uint32_t longest(const json_t *lines, const struct cli *c)
{
	size_t most = 1, i;
	const json_t *line;

	json_array_foreach(lines, i, line) {
		size_t n = strlen(json_text(line, "unit"));

		most = n > most ? n : most;
	}
	for (int k = 0; k < c->n_args; k++)
		most = strlen(c->args[k]) > most ? strlen(c->args[k]) : most;
	return (uint32_t)(most < NAME_WIDTH ? most : NAME_WIDTH);
}

/* New lines that come while the answer for another unit is awaited. */
static void keep_log(void *early, const json_t *m)
{
	if (!strcmp(json_text(m, "method"), "log"))
		(void)json_array_append(early, (json_t *)(uintptr_t)m);
}

int verb_logs(const struct cli *c)
{
	struct view v = { .json = c->value[OPT_JSON], .width = NAME_WIDTH };
	json_t *lines = json_array(), *early = json_array(), *since = NULL;
	struct client client;
	int64_t most = INT64_MAX;

	if ((c->value[OPT_LINES] && (!number_of(c->value[OPT_LINES], &most) || most < 0)) ||
	    (c->value[OPT_SINCE] && !since_of(c->value[OPT_SINCE], &since))) {
		json_decref(early);
		json_decref(lines);
		json_decref(since);
		return c->value[OPT_SINCE] && most >= 0 ?
			cli_usage(c->verb, "--since: \"%.40s\" is neither a span (10min) nor a time (2026-01-31T12:00:00Z)", c->value[OPT_SINCE]) :
			cli_usage(c->verb, "-n: \"%.32s\" is no number of lines", c->value[OPT_LINES]);
	}
	int status = client_open(&client, c);

	for (int i = 0; status == CLI_DONE && i < (c->n_args ? c->n_args : 1); i++) {
		json_t *p = json_object();

		if (c->n_args)
			(void)json_object_set_new(p, "unit", json_string(c->args[i]));
		if (c->value[OPT_LINES])
			(void)json_object_set_new(p, "lines", json_integer(most));
		if (since)
			(void)json_object_set(p, "since", since);
		if (c->value[OPT_FOLLOW])
			(void)json_object_set_new(p, "follow", json_true());
		json_t *answer = client_answer(&client, client_call(&client, "logs", p, NULL, 0), keep_log, early);

		status = client_judge(answer);
		(void)json_array_extend(lines, json_object_get(json_object_get(answer, "result"), "lines"));
		json_decref(answer);
	}
	if (status == CLI_DONE) {
		v.width = c->n_args == 1 ? 0 : longest(lines, c);
		print_merged(&v, lines, (uint64_t)most > SIZE_MAX ? SIZE_MAX : (size_t)most);
		for (size_t i = 0; i < json_array_size(early); i++)
			on_log(&v, json_array_get(early, i));
	}
	json_decref(early);
	json_decref(lines);
	json_decref(since);
	while (status == CLI_DONE && c->value[OPT_FOLLOW]) {
		if (fflush(stdout))
			break;
		json_t *m = client_next(&client);

		if (!m)
			status = client_judge(NULL);
		else
			on_log(&v, m);
		json_decref(m);
	}
	client_close(&client);
	return status;
}

static void print_event(const json_t *e)
{
	if (json_object_get(e, "lost")) {
		(void)printf("... %lld events are missing here\n", (long long)json_integer_value(json_object_get(e, "lost")));
		return;
	}
	cli_show(json_text(e, "time"));
	(void)putchar(' ');
	cli_show(json_text(e, "unit"));
	(void)printf(": ");
	if (strcmp(json_text(e, "from"), json_text(e, "state")) != 0) {
		cli_show(json_text(e, "from"));
		(void)printf(" -> ");
	}
	cli_show(json_text(e, "state"));
	if (*json_text(e, "why")) {
		(void)printf(" (");
		cli_show(json_text(e, "why"));
		(void)putchar(')');
	}
	(void)putchar('\n');
}

int verb_events(const struct cli *c)
{
	struct client client;
	int status = client_open(&client, c);

	if (status)
		return status;
	json_decref(client_do(&client, "events", NULL, &status));
	while (status == CLI_DONE && !fflush(stdout)) {
		json_t *m = client_next(&client);
		const json_t *e = json_object_get(m, "params");

		if (!m)
			status = client_judge(NULL);
		else if (c->value[OPT_JSON])
			client_print(e);
		else
			print_event(e);
		json_decref(m);
	}
	client_close(&client);
	return status;
}
