/* cli.c - the table of verbs, and one command line taken apart by it. */
#include "init/cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "conf/kit/text.h"
#include "init/control/logline.h"

static int verb_help(const struct cli *c);
static int verb_version(const struct cli *c);

static const struct option_words options[N_OPTIONS] = {
	[OPT_SOCKET] = { 0, "socket", "PATH", "the control socket (default: $COPPICE_SOCKET, /run/coppice/control.sock)" },
	[OPT_JSON] = { 0, "json", NULL, "print JSON" },
	[OPT_WATCH] = { 0, "watch", NULL, "show it again whenever something changes" },
	[OPT_SIGNAL] = { 's', "signal", "SIG", "a signal's name or number (default: TERM)" },
	[OPT_FOR] = { 0, "for", "ready|stopped", "what to wait for (default: ready)" },
	[OPT_TIMEOUT] = { 0, "timeout", "T", "give up after so long: seconds, or a span such as 1min30s" },
	[OPT_FOLLOW] = { 'f', "follow", NULL, "go on with each new line" },
	[OPT_LINES] = { 'n', "lines", "N", "at most the last N lines" },
	[OPT_SINCE] = { 0, "since", "T", "only lines of the last T (10min), or since a time (2026-01-31T12:00:00Z)" },
	[OPT_STDIN] = { 'i', "interactive", NULL, "hand over stdin, too" },
	[OPT_TTY] = { 't', "tty", NULL, "give it a terminal of its own" },
	[OPT_USER] = { 'u', "user", "USER", "as this user of the image" },
	[OPT_WORKDIR] = { 'w', "workdir", "DIR", "in this directory of the image" },
	[OPT_ENV] = { 'e', "env", "NAME=VALUE", "set a variable; may be repeated" },
	[OPT_DOT] = { 0, "dot", NULL, "for Graphviz" },
	[OPT_ALL] = { 'a', "all", NULL, "all units" },
	[OPT_NO_WAIT] = { 0, "no-wait", NULL, "do not wait until it has come true" },
	[OPT_UNITS] = { 0, "units", "DIR", "read unit files here instead of asking PID 1; may be repeated" },
	[OPT_ROOT] = { 0, "root", NULL, "also check that programs and users exist in the images" },
	[OPT_OCI] = { 0, "oci", "FILE", "also write /etc/coppice/oci.json, the image's config, from this file" },
	[OPT_UNDO] = { 0, "undo", NULL, "put back what was there, and remove what was made" },
	[OPT_DRY_RUN] = { 0, "dry-run", NULL, "tell what would be done, and do nothing" },
	[OPT_FORCE] = { 0, "force", NULL, "even into the root that is running, whose PID 1 is another init" },
};

/* Nobody needs to say these to use a verb that talks to PID 1. */
#define TALK OPT(OPT_SOCKET)

static const struct verb verbs[] = {
	{ "status", "[UNIT...]", "how the units are, and why", verb_status, TALK | OPT(OPT_JSON) | OPT(OPT_WATCH), 0, -1, false },
	{ "start", "UNIT...|--all", "start units and wait until they are up", verb_start,
	  TALK | OPT(OPT_JSON) | OPT(OPT_ALL) | OPT(OPT_NO_WAIT) | OPT(OPT_TIMEOUT), 0, -1, false },
	{ "stop", "UNIT...|--all", "stop units and wait until they are down", verb_start,
	  TALK | OPT(OPT_JSON) | OPT(OPT_ALL) | OPT(OPT_NO_WAIT) | OPT(OPT_TIMEOUT), 0, -1, false },
	{ "restart", "UNIT...", "stop units and start them again", verb_start,
	  TALK | OPT(OPT_JSON) | OPT(OPT_NO_WAIT) | OPT(OPT_TIMEOUT), 1, -1, false },
	{ "reload", "UNIT...|--all", "let units read their configuration anew (ExecReload=)", verb_start,
	  TALK | OPT(OPT_JSON) | OPT(OPT_ALL) | OPT(OPT_NO_WAIT) | OPT(OPT_TIMEOUT), 0, -1, false },
	{ "reset-failed", "UNIT...|--all", "forget that units have failed", verb_start, TALK | OPT(OPT_JSON) | OPT(OPT_ALL), 0, -1, false },
	{ "kill", "UNIT...", "send a signal to units", verb_kill, TALK | OPT(OPT_JSON) | OPT(OPT_SIGNAL), 1, -1, false },
	{ "wait", "[UNIT...]", "wait until units, or the whole container, are ready or stopped", verb_wait,
	  TALK | OPT(OPT_JSON) | OPT(OPT_FOR) | OPT(OPT_TIMEOUT), 0, -1, false },
	{ "logs", "[UNIT...]", "what units wrote lately", verb_logs,
	  TALK | OPT(OPT_JSON) | OPT(OPT_FOLLOW) | OPT(OPT_LINES) | OPT(OPT_SINCE), 0, -1, false },
	{ "exec", "UNIT [COMMAND...]", "run a command as the unit would: its image, environment, user", verb_exec,
	  TALK | OPT(OPT_STDIN) | OPT(OPT_TTY) | OPT(OPT_USER) | OPT(OPT_WORKDIR) | OPT(OPT_ENV), 1, -1, true },
	{ "health", "[UNIT]", "exit with 0 where it is healthy, else 1", verb_health, TALK | OPT(OPT_JSON), 0, 1, false },
	{ "events", "", "tell each change of a unit as it comes", verb_events, TALK | OPT(OPT_JSON), 0, 0, false },
	{ "check", "[FILE|DIR...]", "read unit files and tell what is wrong with them", verb_check, OPT(OPT_JSON) | OPT(OPT_ROOT), 0, -1, false },
	{ "show", "UNIT", "every setting in effect, and where it came from", verb_show, TALK | OPT(OPT_JSON) | OPT(OPT_UNITS), 1, 1, false },
	{ "cat", "UNIT", "the files of a unit", verb_cat, TALK | OPT(OPT_UNITS), 1, 1, false },
	{ "graph", "", "which unit leans on which", verb_graph, TALK | OPT(OPT_JSON) | OPT(OPT_DOT), 0, 0, false },
	{ "install", "ROOT", "put this program into a root file system as /sbin/init, and keep the init that is there", verb_install,
	  OPT(OPT_JSON) | OPT(OPT_OCI) | OPT(OPT_UNDO) | OPT(OPT_DRY_RUN) | OPT(OPT_FORCE), 1, 1, false },
	{ "exit", "[CODE]", "stop everything in order, then end the container", verb_shutdown, TALK | OPT(OPT_JSON), 0, 1, false },
	{ "poweroff", "", "stop everything in order, then power off", verb_shutdown, TALK | OPT(OPT_JSON), 0, 0, false },
	{ "halt", "", "stop everything in order, then halt", verb_shutdown, TALK | OPT(OPT_JSON), 0, 0, false },
	{ "reboot", "", "stop everything in order, then reboot", verb_shutdown, TALK | OPT(OPT_JSON), 0, 0, false },
	{ "ping", "", "ask whether PID 1 answers", verb_ping, TALK, 0, 0, false },
	{ "rpc", "METHOD [JSON]", "call a method of the control socket", verb_rpc, TALK, 1, 2, false },
	{ "version", "", "which coppice this is", verb_version, OPT(OPT_JSON), 0, 0, false },
	{ "help", "[VERB]", "this text, or more of one verb", verb_help, 0, 0, 1, false },
};
#define N_VERBS (sizeof(verbs) / sizeof(*verbs))

/* Verbs of the interface that this version does not have: said so, instead of taken for a typo. */
static const char *const later[] = {
	"action", "blame", "completion", "daemon-reload", "enter", "image", "plot", "reexec",
};

const struct verb *cli_verb(size_t i)
{
	return i < N_VERBS ? &verbs[i] : NULL;
}

const struct option_words *cli_option(size_t o)
{
	return o < N_OPTIONS ? &options[o] : NULL;
}

void cli_error(const char *fmt, ...)
{
	char raw[1200];
	struct buf shown = { .most = 8192 };
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	line_shown(&shown, raw, strlen(raw));
	(void)fprintf(stderr, "coppice: %.*s\n", (int)shown.len, shown.at ? shown.at : "");
	buf_free(&shown);
}

void cli_show(const char *text)
{
	struct buf shown = { .most = 1u << 20 };

	line_shown(&shown, text, strlen(text));
	(void)fwrite(shown.at ? shown.at : "", 1, shown.len, stdout);
	buf_free(&shown);
}

int cli_usage(const struct verb *v, const char *fmt, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	cli_error("%s: %s", v->name, text);
	(void)fprintf(stderr, "usage: coppice %s %s%s\nmore: coppice help %s\n", v->name, v->options ? "[OPTIONS] " : "", v->arguments, v->name);
	return CLI_USAGE;
}

/* Every verb takes --socket, also one that has no use for it: scripts put it everywhere. */
static bool has_option(const struct verb *v, int o)
{
	return o == OPT_SOCKET || v->options & OPT(o);
}

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < N_VERBS; i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

static const char *next_verb(void *self)
{
	size_t *i = self;

	return *i < N_VERBS ? verbs[(*i)++].name : NULL;
}

static int unknown_verb(const char *name)
{
	size_t i = 0;

	for (size_t k = 0; k < sizeof(later) / sizeof(*later); k++) {
		if (!strcmp(later[k], name)) {
			cli_error("\"%s\" is not in this version", name);
			return CLI_USAGE;
		}
	}
	const char *nearest = text_nearest(name, next_verb, &i);

	if (nearest)
		cli_error("there is no verb \"%.64s\"; did you mean \"%s\"?", name, nearest);
	else
		cli_error("there is no verb \"%.64s\"; coppice help lists them", name);
	return CLI_USAGE;
}

static int verb_version(const struct cli *c)
{
	if (c->value[OPT_JSON])
		(void)printf("{\"name\":\"coppice\",\"version\":\"%s\"}\n", COPPICE_VERSION);
	else
		(void)printf("coppice %s\n", COPPICE_VERSION);
	return CLI_DONE;
}

static void help_all(void)
{
	(void)printf("coppice - one PID 1 for a container of many images\n\nusage: coppice VERB [OPTIONS] [ARGUMENTS]\n\n");
	for (size_t i = 0; i < N_VERBS; i++) {
		int n = printf("  %s %s", verbs[i].name, verbs[i].arguments);

		(void)printf("%*s%s\n", n < 30 ? 30 - n : 1, "", verbs[i].brief);
	}
	(void)printf("\ncoppice init --help tells how it is PID 1.\n"
		     "Exit status: 0 done, 1 failed, 2 usage, 3 no such unit, 4 not running or not ready, 5 timed out,\n"
		     "6 no PID 1 to talk to; exec passes on the command's own.\n");
}

static int verb_help(const struct cli *c)
{
	const struct verb *v = c->n_args ? find_verb(c->args[0]) : NULL;

	if (c->n_args && !v)
		return unknown_verb(c->args[0]);
	if (!v) {
		help_all();
		return CLI_DONE;
	}
	(void)printf("coppice %s - %s\n\nusage: coppice %s %s%s\n", v->name, v->brief, v->name, v->options ? "[OPTIONS] " : "", v->arguments);
	for (int o = 0; o < N_OPTIONS; o++) {
		if (!(v->options & OPT(o)))
			continue;
		int n = options[o].letter ? printf("  -%c, --%s", options[o].letter, options[o].name) :
					    printf("      --%s", options[o].name);

		if (options[o].argument)
			n += printf("=%s", options[o].argument);
		(void)printf("%*s%s\n", n < 30 ? 30 - n : 1, "", options[o].brief);
	}
	return CLI_DONE;
}

struct option_names { const struct verb *v; int i; };

static const char *next_option(void *self)
{
	struct option_names *at = self;

	while (at->i < N_OPTIONS && !has_option(at->v, at->i))
		at->i++;
	return at->i < N_OPTIONS ? options[at->i++].name : NULL;
}

static int take(struct cli *c, int o, const char *value)
{
	c->value[o] = value;
	if (o != OPT_ENV && o != OPT_UNITS)
		return CLI_DONE;
	if (c->n_repeated == MAX_REPEATS)
		return cli_usage(c->verb, "--%s was given more than %d times", options[o].name, MAX_REPEATS);
	c->repeated[c->n_repeated++] = value;
	return CLI_DONE;
}

/* --name, --name=value, --name value. Moves *i over what it took. */
static int take_long(struct cli *c, int argc, char **argv, int *i)
{
	const char *name = argv[*i] + 2, *value = strchr(name, '=');
	size_t len = value ? (size_t)(value - name) : strlen(name);
	char typed[32];

	for (int o = 0; o < N_OPTIONS; o++) {
		if (!has_option(c->verb, o) || strlen(options[o].name) != len || strncmp(options[o].name, name, len) != 0)
			continue;
		if (!options[o].argument)
			return value ? cli_usage(c->verb, "--%s takes no value", options[o].name) : take(c, o, "");
		if (value)
			return take(c, o, value + 1);
		if (++*i == argc)
			return cli_usage(c->verb, "--%s needs a value: %s", options[o].name, options[o].argument);
		return take(c, o, argv[*i]);
	}
	(void)snprintf(typed, sizeof(typed), "%.*s", (int)(len < 30 ? len : 30), name);
	const char *nearest = text_nearest(typed, next_option, &(struct option_names){ .v = c->verb });

	return cli_usage(c->verb, "it has no option --%s%s%s%s", typed, nearest ? "; did you mean --" : "", nearest ? nearest : "",
			 nearest ? "?" : "");
}

/* -f, -it, -n5, -n 5. */
static int take_short(struct cli *c, int argc, char **argv, int *i)
{
	for (const char *letter = argv[*i] + 1; *letter; letter++) {
		int o = 0, r;

		while (o < N_OPTIONS && (!has_option(c->verb, o) || options[o].letter != *letter))
			o++;
		if (o == N_OPTIONS)
			return cli_usage(c->verb, "it has no option -%c", *letter);
		if (!options[o].argument) {
			r = take(c, o, "");
			if (r)
				return r;
			continue;
		}
		if (letter[1])
			return take(c, o, letter + 1);
		if (++*i == argc)
			return cli_usage(c->verb, "-%c needs a value: %s", *letter, options[o].argument);
		return take(c, o, argv[*i]);
	}
	return CLI_DONE;
}

static int read_line(struct cli *c, int argc, char **argv)
{
	bool ended = false;
	int r = CLI_DONE;

	/* Arguments are gathered at the front of argv, which has room for all of them. */
	c->args = argv;
	for (int i = 0; i < argc && r == CLI_DONE; i++) {
		char *arg = argv[i];

		if (ended || arg[0] != '-' || !arg[1]) {
			c->args[c->n_args++] = arg;
			ended |= c->verb->tail;
		} else if (!strcmp(arg, "--")) {
			ended = true;
		} else if (!strcmp(arg, "--help") || !strcmp(arg, "-h")) {
			r = -1;
		} else if (arg[1] == '-') {
			r = take_long(c, argc, argv, &i);
		} else {
			r = take_short(c, argc, argv, &i);
		}
	}
	return r;
}

/* Options may stand before the verb, too: moves them behind it. Those with a value take the next word along. */
static void verb_first(int argc, char **argv)
{
	int k = 1;

	for (; k < argc && argv[k][0] == '-' && argv[k][1] == '-' && argv[k][2]; k++)
		for (int o = 0; o < N_OPTIONS; o++)
			if (options[o].argument && !strcmp(options[o].name, argv[k] + 2)) {
				k++;
				break;
			}
	if (k <= 1 || k >= argc)
		return;
	char *verb = argv[k];

	memmove(argv + 2, argv + 1, (size_t)(k - 1) * sizeof(*argv));
	argv[1] = verb;
}

int cli_main(int argc, char **argv)
{
	verb_first(argc, argv);

	const char *name = argc > 1 ? argv[1] : "help";
	struct cli c = { 0 };

	if (!strcmp(name, "--version") || !strcmp(name, "-V"))
		name = "version";
	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		name = "help";
	c.verb = find_verb(name);
	if (!c.verb)
		return unknown_verb(name);
	int r = read_line(&c, argc > 2 ? argc - 2 : 0, argv + (argc > 2 ? 2 : argc));

	if (r < 0)
		return verb_help(&(struct cli){ .args = (char *[]){ (char *)(uintptr_t)c.verb->name }, .n_args = 1 });
	if (r)
		return r;
	if (c.n_args < c.verb->least)
		return cli_usage(c.verb, "it needs %s", c.verb->arguments);
	if (c.verb->most >= 0 && c.n_args > c.verb->most)
		return cli_usage(c.verb, "\"%.64s\" is one argument too many", c.args[c.verb->most]);
	r = c.verb->run(&c);
	/* Who cannot write has not done it. */
	if ((fflush(stdout) || ferror(stdout)) && r == CLI_DONE)
		r = CLI_FAILED;
	return r;
}
