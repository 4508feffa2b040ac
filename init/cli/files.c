/* files.c - verbs about unit files, and the graph that they make. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/check.h"
#include "conf/load.h"
#include "conf/show.h"
#include "init/cli/client.h"

static void print_dot(const json_t *graph)
{
	const json_t *item, *kind;
	size_t i, k;

	(void)printf("digraph coppice {\n\trankdir=LR;\n");
	json_array_foreach(json_object_get(graph, "nodes"), i, item) {
		(void)printf("\t\"");
		cli_show(json_text(item, "unit"));
		(void)printf("\" [tooltip=\"%s\"];\n", json_text(item, "state"));
	}
	json_array_foreach(json_object_get(graph, "edges"), i, item) {
		(void)printf("\t\"");
		cli_show(json_text(item, "from"));
		(void)printf("\" -> \"");
		cli_show(json_text(item, "to"));
		(void)printf("\" [label=\"");
		json_array_foreach(json_object_get(item, "kinds"), k, kind) {
			(void)printf("%s%s", k ? " " : "", json_string_value(kind) ? json_string_value(kind) : "");
		}
		(void)printf("\"];\n");
	}
	(void)printf("}\n");
}

/* A line for each unit that leans on another, and for each that leans on none. */
static void print_list(const json_t *graph)
{
	const json_t *node, *edge, *kind;
	size_t i, e, k;

	json_array_foreach(json_object_get(graph, "nodes"), i, node) {
		bool alone = true;

		json_array_foreach(json_object_get(graph, "edges"), e, edge) {
			if (strcmp(json_text(edge, "from"), json_text(node, "unit")) != 0)
				continue;
			alone = false;
			cli_show(json_text(node, "unit"));
			(void)printf(" (%s) -> ", json_text(node, "state"));
			cli_show(json_text(edge, "to"));
			json_array_foreach(json_object_get(edge, "kinds"), k, kind) {
				(void)printf("%s%s", k ? ", " : "  ", json_string_value(kind) ? json_string_value(kind) : "");
			}
			(void)putchar('\n');
		}
		if (alone) {
			cli_show(json_text(node, "unit"));
			(void)printf(" (%s)\n", json_text(node, "state"));
		}
	}
}

int verb_graph(const struct cli *c)
{
	struct client client;
	int status = client_open(&client, c);

	if (status)
		return status;
	json_t *graph = client_do(&client, "graph", NULL, &status);

	if (graph && c->value[OPT_JSON])
		client_print(graph);
	else if (graph && c->value[OPT_DOT])
		print_dot(graph);
	else if (graph)
		print_list(graph);
	json_decref(graph);
	client_close(&client);
	return status;
}

int verb_check(const struct cli *c)
{
	const struct check_options o = { .root = c->value[OPT_ROOT], .json = c->value[OPT_JSON] };

	return check_paths((const char *const *)c->args, (size_t)c->n_args, &o, stdout);
}

/* The units of --units, or of this container's own directories, read here and now. *ret is to be freed. */
static int load_here(const struct cli *c, struct table **ret)
{
	struct load_options o = { .dirs = c->n_repeated ? c->repeated : NULL, .n_dirs = (size_t)c->n_repeated };
	struct findings fs = { 0 };
	void *table = NULL;
	size_t size;

	if (c->n_repeated > (int)MAX_DIRS)
		return cli_usage(c->verb, "--units: %u directories are the most", MAX_DIRS);
	int e = load_units(&o, &fs, &table, &size);

	findings_free(&fs);
	if (e < 0) {
		cli_error("the units cannot be read: %s", strerror(-e));
		return CLI_FAILED;
	}
	*ret = table;
	return CLI_DONE;
}

static int with_unit(const struct cli *c, int (*act)(const struct cli *c, const struct table *t, unit_ix i))
{
	struct table *t = NULL;
	int status = load_here(c, &t);

	if (status)
		return status;
	unit_ix i = table_find(t, c->args[0]);

	if (i == NO_UNIT) {
		cli_error("there is no unit \"%.255s\"%s", c->args[0], c->n_repeated ? " there" : "; --units names other directories");
		status = CLI_NO_UNIT;
	} else {
		status = act(c, t, i);
	}
	free(t);
	return status;
}

static int act_show(const struct cli *c, const struct table *t, unit_ix i)
{
	show_unit(stdout, t, i, c->value[OPT_JSON]);
	return CLI_DONE;
}

static int act_cat(const struct cli *c, const struct table *t, unit_ix i)
{
	int e = show_files(stdout, t, i);

	if (e == 0)
		return CLI_DONE;
	(void)fflush(stdout);
	cli_error("%.255s: a file of it cannot be read: %s", c->args[0], strerror(-e));
	return CLI_FAILED;
}

static void print_setting(const json_t *s)
{
	char text[1024];
	int n = (int)strlen(json_text(s, "section")) + (int)strlen(json_text(s, "name")) + (int)strlen(json_text(s, "value")) + 2;

	(void)printf("%s.%s=", json_text(s, "section"), json_text(s, "name"));
	cli_show(json_text(s, "value"));
	long long line = (long long)json_integer_value(json_object_get(s, "line"));
	/* What an image's config says stands in no line. */
	(void)snprintf(text, sizeof(text), line ? "%s:%lld" : "%s", json_text(s, "file"), line);
	(void)printf("%*s# ", n < 56 ? 56 - n : 2, "");
	cli_show(*json_text(s, "file") ? text : "default");
	(void)putchar('\n');
}

int verb_show(const struct cli *c)
{
	struct client client;
	const json_t *setting;
	int status;
	size_t i;

	if (c->value[OPT_UNITS])
		return with_unit(c, act_show);
	status = client_open(&client, c);
	if (status) {
		(void)fprintf(stderr, "coppice: show --units=DIR reads unit files without it\n");
		return status;
	}
	json_t *result = client_do(&client, "show", json_pack("{s:s}", "unit", c->args[0]), &status);

	if (result && c->value[OPT_JSON])
		client_print(result);
	else if (result) {
		json_array_foreach(result, i, setting) {
			print_setting(setting);
		}
	}
	json_decref(result);
	client_close(&client);
	return status;
}

/* One file under a comment with its path. False where it cannot be read. */
static bool print_file(const char *path, bool more)
{
	FILE *f = fopen(path, "re");
	char piece[4096];
	size_t n;

	if (!f) {
		(void)fflush(stdout);
		cli_error("%s: %s", path, strerror(errno));
		return false;
	}
	(void)printf("%s# ", more ? "\n" : "");
	cli_show(path);
	(void)putchar('\n');
	while ((n = fread(piece, 1, sizeof(piece), f)))
		(void)fwrite(piece, 1, n, stdout);
	(void)fclose(f);
	return true;
}

/* The file that PID 1 read, then each drop-in that had something to say. */
static bool print_files(const json_t *status, const json_t *said)
{
	const char *file = json_text(json_array_get(json_object_get(status, "units"), 0), "file");
	bool good = *file ? print_file(file, false) : fputs(NO_FILE, stdout) >= 0;
	const json_t *setting;
	size_t i;

	json_array_foreach(said, i, setting) {
		const char *path = json_text(setting, "file");
		bool again = false;

		for (size_t k = 0; k < i && !again; k++)
			again = !strcmp(json_text(json_array_get(said, k), "file"), path);
		if (*path != '/' || again || !strcmp(path, file))
			continue;
		good = print_file(path, true) && good;
	}
	return good;
}

int verb_cat(const struct cli *c)
{
	struct client client;
	int status;

	if (c->value[OPT_UNITS])
		return with_unit(c, act_cat);
	status = client_open(&client, c);
	if (status) {
		(void)fprintf(stderr, "coppice: cat --units=DIR reads unit files without it\n");
		return status;
	}
	json_t *unit = client_do(&client, "status", json_pack("{s:s}", "unit", c->args[0]), &status);
	json_t *said = status ? NULL : client_do(&client, "show", json_pack("{s:s}", "unit", c->args[0]), &status);

	if (said && !print_files(unit, said))
		status = CLI_FAILED;
	json_decref(unit);
	json_decref(said);
	client_close(&client);
	return status;
}
