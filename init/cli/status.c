/* status.c - status and health: a table for many, a portrait for one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "conf/kit/sys.h"
#include "conf/kit/text.h"
#include "init/cli/client.h"
#include "init/control/logline.h"

enum { COL_UNIT, COL_STATE, COL_HEALTH, COL_PID, COL_SINCE, COL_RESTARTS, COL_WHY, N_COLS };

static const char *const heads[N_COLS] = { "UNIT", "STATE", "HEALTH", "PID", "SINCE", "RESTARTS", "WHY" };

/* SGR parameters; what needs a look is not green. */
static const struct { const char *state, *colour; } colours[] = {
	{ "ready", "32" }, { "running", "32" }, { "done", "32" }, { "failed", "1;31" }, { "unhealthy", "31" },
	{ "waiting", "33" }, { "starting", "33" }, { "stopping", "33" }, { "backoff", "33" }, { "inactive", "2" },
	{ "success", "32" }, { "failure", "31" }, { "loading", "33" },
};

static const char *colour_of(const char *word)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM"); /* no-color.org */

	if (!isatty(1) || (no && *no) || (term && !strcmp(term, "dumb")))
		return NULL;
	for (size_t i = 0; i < sizeof(colours) / sizeof(*colours); i++)
		if (!strcmp(colours[i].state, word))
			return colours[i].colour;
	return NULL;
}

static void put_coloured(const char *word)
{
	const char *colour = colour_of(word);

	if (colour)
		(void)printf("\033[%sm", colour);
	cli_show(word);
	if (colour)
		(void)printf("\033[0m");
}

/* How long ago an RFC 3339 time was, in words; "-" where there is none. */
static void ago(const char *when, char *into, size_t size)
{
	struct tm tm = { 0 };
	struct text t = { .at = into, .size = size };
	msec_t gone = sys_wall();

	if (!strptime(when, "%Y-%m-%dT%H:%M:%S", &tm)) {
		text_put(&t, "-");
		return;
	}
	gone -= (msec_t)timegm(&tm) * 1000;
	/* The two largest units are enough: nobody asks for the seconds of last week. */
	msec_t round = gone >= 86400000 ? 3600000 : gone >= 3600000 ? 60000 : 1000;

	if (gone < round)
		text_put(&t, "0s");
	else
		text_span(&t, gone / round * round);
}

/* Letters, not bytes. */
static int width_of(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* One cell as text, escaped already. */
static void cell(const json_t *u, int col, struct buf *into)
{
	const json_t *health = json_object_get(u, "health");
	const char *words = "", *result = json_text(health, "result");
	char text[64];

	buf_cut(into, 0);
	switch (col) {
	case COL_UNIT:
		words = json_text(u, "unit");
		break;
	case COL_STATE:
		words = json_text(u, "state");
		break;
	case COL_HEALTH:
		words = !strcmp(result, "disabled") ? "-" : result;
		break;
	case COL_PID:
	case COL_RESTARTS:
		(void)snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(json_object_get(u, col == COL_PID ? "pid" : "restarts")));
		words = col == COL_PID && !strcmp(text, "0") ? "-" : text;
		break;
	case COL_SINCE:
		ago(json_text(u, "since"), text, sizeof(text));
		words = text;
		break;
	default:
		words = json_text(u, "why");
		if (!*words && (!strcmp(result, "failure") || !strcmp(result, "starting")))
			words = json_text(health, "message");
		break;
	}
	line_shown(into, words, strlen(words));
	buf_put(into, "", 1);
}

static void print_table(const json_t *units)
{
	struct buf b = { .most = 1u << 20 };
	int widths[N_COLS];
	const json_t *u;
	size_t i;

	for (int col = 0; col < N_COLS; col++) {
		widths[col] = (int)strlen(heads[col]);
		json_array_foreach(units, i, u) {
			cell(u, col, &b);
			int w = b.at ? width_of(b.at) : 0;

			widths[col] = w > widths[col] && col != COL_WHY ? w : widths[col];
		}
	}
	for (int col = 0; col < COL_WHY; col++)
		(void)printf("%-*s  ", widths[col], heads[col]);
	(void)printf("%s\n", heads[COL_WHY]);
	json_array_foreach(units, i, u) {
		int pad = 0;

		for (int col = 0; col < N_COLS; col++) {
			cell(u, col, &b);
			const char *text = b.at ? b.at : "";

			/* Blanks only before something. */
			if (*text)
				(void)printf("%*s", pad, "");
			put_coloured(text);
			pad = widths[col] - width_of(text) + 2;
		}
		(void)putchar('\n');
	}
	buf_free(&b);
}

static void print_manager(const json_t *m)
{
	const json_t *units = json_object_get(m, "units"), *boot = json_object_get(m, "boot_ms");
	static const char *const counted[] = { "failed", "unhealthy", "backoff", "waiting", "starting", "stopping" };
	const json_t *step;
	char text[64];
	size_t i;

	(void)printf("coppice ");
	cli_show(json_text(m, "version"));
	(void)printf(": ");
	cli_show(json_text(m, "state"));
	(void)printf(", %lld units", (long long)json_integer_value(json_object_get(units, "total")));
	for (i = 0; i < sizeof(counted) / sizeof(*counted); i++) {
		long long n = json_integer_value(json_object_get(units, counted[i]));

		if (n)
			(void)printf(", %lld %s", n, counted[i]);
	}
	ago(json_text(m, "since"), text, sizeof(text));
	(void)printf(", up for %s", text);
	if (json_is_integer(boot))
		(void)printf(", booted in %lld ms", (long long)json_integer_value(boot));
	(void)putchar('\n');
	if (*json_text(m, "lost")) {
		(void)printf("mounts: ");
		cli_show(json_text(m, "lost"));
		(void)putchar('\n');
	}
	json_array_foreach(json_object_get(m, "boot"), i, step) {
		if (strcmp(json_text(step, "state"), "refused") != 0)
			continue;
		(void)printf("boot: ");
		cli_show(json_text(step, "step"));
		(void)printf(" was refused: ");
		cli_show(json_text(step, "why"));
		(void)putchar('\n');
	}
}

static void print_field(const char *name, const char *value)
{
	if (!*value)
		return;
	(void)printf("  %-12s", name);
	cli_show(value);
	(void)putchar('\n');
}

static void print_portrait(const json_t *u)
{
	const json_t *health = json_object_get(u, "health"), *end = json_object_get(u, "exit"), *log = json_object_get(u, "log");
	const json_t *on = json_object_get(u, "waiting_on"), *item;
	const char *result = json_text(health, "result");
	char text[64];
	size_t i;

	put_coloured(json_text(u, "unit"));
	if (strcmp(json_text(u, "description"), json_text(u, "unit")) != 0) {
		(void)printf(" - ");
		cli_show(json_text(u, "description"));
	}
	(void)printf("\n  %-12s", "state");
	put_coloured(json_text(u, "state"));
	(void)printf(" (");
	cli_show(json_text(u, "sub"));
	ago(json_text(u, "since"), text, sizeof(text));
	(void)printf("), for %s\n", text);
	print_field("why", json_text(u, "why"));
	if (json_array_size(on)) {
		(void)printf("  %-12s", "waiting on");
		json_array_foreach(on, i, item) {
			(void)printf("%s", i ? ", " : "");
			cli_show(json_string_value(item) ? json_string_value(item) : "");
		}
		(void)putchar('\n');
	}
	if (strcmp(result, "disabled") != 0) {
		(void)printf("  %-12s", "health");
		put_coloured(result);
		(void)printf("%s", *json_text(health, "message") ? ": " : "");
		cli_show(json_text(health, "message"));
		(void)putchar('\n');
	}
	if (json_is_integer(json_object_get(u, "pid")))
		(void)printf("  %-12s%lld\n", "pid", (long long)json_integer_value(json_object_get(u, "pid")));
	(void)printf("  %-12s%lld\n", "restarts", (long long)json_integer_value(json_object_get(u, "restarts")));
	if (json_is_object(end))
		(void)printf("  %-12s%s %lld\n", "last exit", json_object_get(end, "code") ? "code" : "signal",
			     (long long)json_integer_value(json_object_get(end, json_object_get(end, "code") ? "code" : "signal")));
	print_field("image", json_text(u, "image"));
	print_field("root", json_text(u, "root"));
	print_field("file", json_text(u, "file"));
	(void)printf("  %-12s%lld lines, %lld not shown on stdout\n", "log", (long long)json_integer_value(json_object_get(log, "lines")),
		     (long long)json_integer_value(json_object_get(log, "dropped")));
}

static void print_last_lines(struct client *client, const char *unit)
{
	int status;
	json_t *result = client_do(client, "logs", json_pack("{s:s,s:i}", "unit", unit, "lines", 10), &status);
	const json_t *line;
	size_t i;

	json_array_foreach(json_object_get(result, "lines"), i, line) {
		(void)printf("    ");
		cli_show(json_text(line, "text"));
		(void)putchar('\n');
	}
	json_decref(result);
}

/* One look at what was asked for: the manager and the units, gathered from one call per name. */
static json_t *fetch(struct client *client, const struct cli *c, int *status)
{
	json_t *all = NULL;

	if (!c->n_args)
		return client_do(client, "status", NULL, status);
	*status = CLI_DONE;
	for (int i = 0; i < c->n_args; i++) {
		int one;
		json_t *r = client_do(client, "status", json_pack("{s:s}", "unit", c->args[i]), &one);

		if (one && *status == CLI_DONE)
			*status = one;
		if (!all)
			all = r;
		else if (r) {
			(void)json_array_extend(json_object_get(all, "units"), json_object_get(r, "units"));
			json_decref(r);
		}
	}
	return all;
}

static int show(struct client *client, const struct cli *c)
{
	int status;
	json_t *all = fetch(client, c, &status);
	const json_t *units = json_object_get(all, "units"), *u;
	size_t i;

	if (!all)
		return status;
	if (c->value[OPT_WATCH] && isatty(1))
		(void)printf("\033[H\033[2J"); /* ECMA-48: cursor home, erase all */
	if (c->value[OPT_JSON]) {
		client_print(all);
	} else if (c->n_args && !c->value[OPT_WATCH]) {
		json_array_foreach(units, i, u) {
			if (i)
				(void)putchar('\n');
			print_portrait(u);
			print_last_lines(client, json_text(u, "unit"));
		}
	} else {
		if (!c->n_args)
			print_manager(json_object_get(all, "manager"));
		print_table(units);
	}
	json_decref(all);
	return fflush(stdout) ? CLI_FAILED : status;
}

int verb_status(const struct cli *c)
{
	struct client client, events;
	int status = client_open(&client, c);

	if (status)
		return status;
	if (!c->value[OPT_WATCH]) {
		status = show(&client, c);
		client_close(&client);
		return status;
	}
	status = client_open(&events, c);
	if (status == CLI_DONE)
		json_decref(client_do(&events, "events", NULL, &status));
	while (status == CLI_DONE) {
		json_t *m;

		status = show(&client, c);
		/* A burst of events is one change to look at. */
		do {
			m = status == CLI_DONE ? client_next(&events) : NULL;
			if (!m && status == CLI_DONE)
				status = client_judge(NULL);
			json_decref(m);
		} while (m && client_has_line(&events));
	}
	client_close(&events);
	client_close(&client);
	return status;
}

/* Healthy: its check says so; or it has none, and is ready or done. */
static bool healthy(const json_t *u)
{
	const char *result = json_text(json_object_get(u, "health"), "result"), *state = json_text(u, "state");

	if (!strcmp(result, "disabled"))
		return json_is_true(json_object_get(u, "ready")) || !strcmp(state, "done");
	return !strcmp(result, "success");
}

/* "; db failed; web waiting": who spoils it. */
static void print_troubled(const json_t *units)
{
	const json_t *u;
	size_t i;

	json_array_foreach(units, i, u) {
		const char *state = json_text(u, "state");

		if (strcmp(state, "failed") != 0 && strcmp(state, "unhealthy") != 0 && strcmp(state, "backoff") != 0 &&
		    strcmp(state, "waiting") != 0)
			continue;
		(void)printf("; ");
		cli_show(json_text(u, "unit"));
		(void)printf(" ");
		cli_show(state);
	}
}

int verb_health(const struct cli *c)
{
	struct client client;
	int status = client_open(&client, c);

	if (status)
		return status;
	json_t *all = fetch(&client, c, &status);
	const json_t *m = json_object_get(all, "manager"), *u = json_array_get(json_object_get(all, "units"), 0);
	const json_t *by = json_object_get(m, "units");
	bool good = c->n_args ? healthy(u) : json_is_true(json_object_get(m, "ready")) &&
		    !json_integer_value(json_object_get(by, "unhealthy")) && !json_integer_value(json_object_get(by, "failed"));

	if (all && c->value[OPT_JSON]) {
		json_t *out = json_pack("{s:b,s:O}", "healthy", good, c->n_args ? "unit" : "manager", c->n_args ? u : m);

		client_print(out);
		json_decref(out);
	} else if (all) {
		(void)printf("%s", good ? "healthy" : "not healthy");
		if (c->n_args) {
			(void)printf(": ");
			cli_show(json_text(u, "state"));
			(void)printf("%s", *json_text(u, "why") ? ", " : "");
			cli_show(json_text(u, "why"));
		} else {
			(void)printf(": ");
			cli_show(json_text(m, "state"));
			print_troubled(json_object_get(all, "units"));
		}
		(void)putchar('\n');
	}
	json_decref(all);
	client_close(&client);
	return status ? status : good ? CLI_DONE : CLI_FAILED;
}
