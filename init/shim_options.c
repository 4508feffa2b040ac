/*
 * shim_options.c - the dialects a shim is spoken to in, as tables of options and
 * of environment variables.
 *
 * Where a dialect's original has a word for something, it means the same here;
 * beyond that signals may be named wherever a number is taken.
 */
#include "init/shim_options.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/kit/text.h"
#include "conf/values.h"
#include "init/shim.h"

enum dialect { COPPICE, TINI, DUMB_INIT, CATATONIT };

static const struct { const char *name; enum dialect dialect; } names[] = {
	{ "tini", TINI }, { "tini-static", TINI }, { "docker-init", TINI },
	{ "dumb-init", DUMB_INIT },
	{ "catatonit", CATATONIT }, { "podman-init", CATATONIT },
};

static const struct manner {
	const char *version;   /* docker(1) reads the first two as `tini version WORD` */
	int help_to, version_to; /* descriptors */
	int misuse;            /* exit status */
	int verbosity, very;   /* at first; what each VERBOSE adds */
	bool permutes;         /* as getopt(3) does: the first "--" goes, wherever it stands */
	struct shim_options preset;
} manners[] = {
	[COPPICE] = { "coppice " COPPICE_VERSION, 1, 1, 2, 1, 1, false, { .subreaper = true } },
	[TINI] = { "tini version " COPPICE_VERSION "_coppice", 1, 1, 1, 1, 1, true, { .expects_orphans = true } },
	[CATATONIT] = { "tini version " COPPICE_VERSION "_coppice", 2, 1, 1, 1, 2, true, { .subreaper = true } },
	[DUMB_INIT] = { "dumb-init v" COPPICE_VERSION "_coppice", 2, 2, 1, 1, 2, false,
			{ .place = OWN_SESSION, .to_group = true, .stops_along = true, .terminates_group = true, .not_run = 2 } },
};

enum effect { SUBREAPER, GROUP, VERBOSE, VERBOSITY, WARN, PARENT_DEATH, EXIT_CODE, REWRITE, NO_SESSION, PAUSE, LICENSE, HELP,
	      VERSION };

static const struct option {
	enum dialect dialect;
	enum effect effect;
	char letter;
	const char *word, *value, *brief;
} options[] = {
	{ COPPICE, SUBREAPER, 's', NULL, NULL, "adopt orphans also where it is not PID 1 (it does so unasked)" },
	{ COPPICE, GROUP, 'g', NULL, NULL, "pass signals to the command's whole process group" },
	{ COPPICE, VERBOSE, 'v', NULL, NULL, "say more; may be repeated" },
	{ COPPICE, WARN, 'w', NULL, NULL, "say which orphans were reaped" },
	{ COPPICE, EXIT_CODE, 'e', NULL, "CODE", "the command's exit code CODE counts as 0; may be repeated" },
	{ COPPICE, PARENT_DEATH, 'p', NULL, "SIGNAL", "ask for SIGNAL when the parent dies" },
	{ COPPICE, REWRITE, 'r', NULL, "FROM:TO", "pass signal FROM on as TO; 0 drops it; may be repeated" },
	{ TINI, SUBREAPER, 's', NULL, NULL, "adopt orphans also where it is not PID 1" },
	{ TINI, GROUP, 'g', NULL, NULL, "pass signals to the command's whole process group" },
	{ TINI, VERBOSE, 'v', NULL, NULL, "say more; may be repeated" },
	{ TINI, WARN, 'w', NULL, NULL, "say which orphans were reaped" },
	{ TINI, EXIT_CODE, 'e', NULL, "CODE", "exit code CODE counts as 0; may be repeated" },
	{ TINI, PARENT_DEATH, 'p', NULL, "SIGNAL", "ask for SIGNAL when the parent dies" },
	{ TINI, LICENSE, 'l', NULL, NULL, "the licence" },
	{ TINI, HELP, 'h', NULL, NULL, "this help" },
	{ TINI, VERSION, 0, "--version", NULL, "the version" },
	{ DUMB_INIT, NO_SESSION, 'c', "--single-child", NULL, "no session of its own; signals go to the command alone" },
	{ DUMB_INIT, REWRITE, 'r', "--rewrite", "FROM:TO", "pass signal FROM on as TO; 0 drops it; may be repeated" },
	{ DUMB_INIT, VERBOSE, 'v', "--verbose", NULL, "say more" },
	{ DUMB_INIT, HELP, 'h', "--help", NULL, "this help" },
	{ DUMB_INIT, VERSION, 'V', "--version", NULL, "the version" },
	{ CATATONIT, GROUP, 'g', NULL, NULL, "pass signals to the command's whole process group" },
	{ CATATONIT, PAUSE, 'P', NULL, NULL, "run nothing: reap, until SIGTERM or SIGINT" },
	{ CATATONIT, LICENSE, 'L', NULL, NULL, "the licence" },
	{ CATATONIT, HELP, 'h', NULL, NULL, "this help" },
	{ CATATONIT, VERSION, 'V', "--version", NULL, "the version" },
};

/* Heard after the options. */
static const struct variable {
	enum dialect dialect;
	enum effect effect;
	const char *name;
	const char *only; /* the one value that counts; NULL: whatever it is */
} variables[] = {
	{ TINI, SUBREAPER, "TINI_SUBREAPER", NULL },
	{ TINI, GROUP, "TINI_KILL_PROCESS_GROUP", NULL },
	{ TINI, VERBOSITY, "TINI_VERBOSITY", NULL },
	{ DUMB_INIT, NO_SESSION, "DUMB_INIT_SETSID", "0" },
	{ DUMB_INIT, VERBOSE, "DUMB_INIT_DEBUG", "1" },
	{ CATATONIT, VERBOSE, "CATATONIT_DEBUG", NULL },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* ---- what we say ---- */

static void put_line(int fd, struct text *t)
{
	/* There is nobody to tell that nobody listens. */
	if (write(fd, t->at, t->len) < 0)
		return;
}

void shim_say(const struct shim_options *o, int level, const char *fmt, ...)
{
	char line[512];
	struct text t = TEXT(line);
	va_list ap;

	if (level > o->verbosity)
		return;
	/* Room for the newline, whatever is cut. */
	t.size--;
	text_put(&t, o->name);
	text_put(&t, ": ");
	va_start(ap, fmt);
	for (; *fmt; fmt++) {
		if (*fmt != '%')
			text_char(&t, *fmt);
		else if (*++fmt == 's')
			text_put(&t, va_arg(ap, const char *));
		else
			text_num(&t, va_arg(ap, int));
	}
	va_end(ap);
	t.size++;
	text_char(&t, '\n');
	put_line(STDERR_FILENO, &t);
}

static void print_help(const struct shim_options *o, enum dialect d, int fd)
{
	char page[2048];
	struct text t = TEXT(page);

	text_put(&t, "usage: ");
	text_put(&t, o->name);
	text_put(&t, d == COPPICE ? " [OPTIONS] -- COMMAND [ARGUMENT...]\n\n" : " [OPTIONS] [--] COMMAND [ARGUMENT...]\n\n");
	for (size_t k = 0; k < COUNT(options); k++) {
		const struct option *p = &options[k];

		if (p->dialect != d)
			continue;
		size_t start = t.len;

		text_put(&t, p->letter ? "  -" : "  ");
		text_bytes(&t, &p->letter, p->letter != 0);
		if (p->word) {
			text_put(&t, p->letter ? ", " : "    ");
			text_put(&t, p->word);
		}
		text_char(&t, ' ');
		text_put(&t, p->value ? p->value : "");
		while (t.len < start + 28 && !t.cut)
			text_char(&t, ' ');
		text_put(&t, p->brief);
		text_char(&t, '\n');
	}
	for (size_t k = 0; k < COUNT(variables); k++) {
		if (variables[k].dialect != d)
			continue;
		text_put(&t, "  $");
		text_put(&t, variables[k].name);
		text_put(&t, variables[k].only ? "=" : "");
		text_put(&t, variables[k].only ? variables[k].only : "");
		text_put(&t, " is heard as well\n");
	}
	put_line(fd, &t);
}

static void print_line(int fd, const char *line)
{
	char room[128];
	struct text t = TEXT(room);

	text_put(&t, line);
	text_char(&t, '\n');
	put_line(fd, &t);
}

/* ---- what we are told ---- */

/* FROM:TO, names or numbers; TO 0 drops the signal. */
static bool add_rewrite(struct shim_options *o, const char *v)
{
	const char *colon = strchr(v, ':');
	char from[32];

	if (!colon || (size_t)(colon - v) >= sizeof(from))
		return false;
	memcpy(from, v, (size_t)(colon - v));
	from[colon - v] = '\0';
	int a = signal_of(from), b = !strcmp(colon + 1, "0") ? SIGNAL_DROPPED : signal_of(colon + 1);

	if (a == 0 || b == 0)
		return false;
	o->pass_as[a] = (uint8_t)b;
	return true;
}

/* -1: go on; else leave with this status. */
static int obey(struct shim_options *o, enum dialect d, enum effect effect, const char *value)
{
	const struct manner *m = &manners[d];
	const char *wrong = NULL;
	int64_t n;

	switch (effect) {
	case SUBREAPER:
		o->subreaper = true;
		break;
	case GROUP:
		o->to_group = true;
		break;
	case VERBOSE:
		o->verbosity += m->very;
		break;
	case VERBOSITY:
		if (number_of(value, &n) && n >= 0)
			o->verbosity = n < 9 ? (int)n : 9;
		break;
	case WARN:
		o->warn_reaped = true;
		break;
	case NO_SESSION:
		o->place = OUR_GROUP;
		o->to_group = o->terminates_group = false;
		break;
	case PAUSE:
		o->pause = true;
		break;
	case PARENT_DEATH:
		o->parent_death = signal_of(value);
		wrong = o->parent_death ? NULL : "no signal; give a name, or a number from 1 to 64";
		break;
	case EXIT_CODE:
		if (number_of(value, &n) && n >= 0 && n <= 255)
			o->to_zero[n] = true;
		else
			wrong = "no exit code; give a number from 0 to 255";
		break;
	case REWRITE:
		wrong = add_rewrite(o, value) ? NULL : "not FROM:TO; give two signals, the second may be 0";
		break;
	case LICENSE:
		print_line(STDOUT_FILENO, "coppice is free software under the MIT licence; its file LICENSE has the words.");
		return 0;
	case HELP:
		print_help(o, d, m->help_to);
		return 0;
	case VERSION:
		print_line(m->version_to, m->version);
		return 0;
	}
	if (!wrong)
		return -1;
	shim_say(o, 0, "\"%s\" is %s", value, wrong);
	return m->misuse;
}

static const struct option *find_option(enum dialect d, const char *word, char letter)
{
	for (size_t k = 0; k < COUNT(options); k++)
		if (options[k].dialect == d &&
		    (word ? options[k].word && !strcmp(options[k].word, word) : options[k].letter == letter))
			return &options[k];
	return NULL;
}

static int misused(const struct shim_options *o, enum dialect d, const char *what, const char *word)
{
	shim_say(o, 0, "%s %s", what, word);
	print_help(o, d, STDERR_FILENO);
	return manners[d].misuse;
}

/* "--word", "--word=value", "--word value". *k is its place, and that of its value behind it. As obey(). */
static int read_word(struct shim_options *o, enum dialect d, char **argv, int argc, int *k)
{
	char *word = argv[*k], *equals = strchr(word, '=');

	if (equals)
		*equals = '\0';
	const struct option *p = find_option(d, word, '\0');

	if (!p)
		return misused(o, d, "unknown option", word);
	if (equals && !p->value)
		return misused(o, d, "this option takes no value:", word);
	const char *value = equals ? equals + 1 : p->value && *k + 1 < argc ? argv[++*k] : NULL;

	if (p->value && !value)
		return misused(o, d, "this option needs a value:", word);
	return obey(o, d, p->effect, value);
}

/* "-abc", "-eVALUE", "-e VALUE". */
static int read_letters(struct shim_options *o, enum dialect d, char **argv, int argc, int *k)
{
	for (const char *at = argv[*k] + 1; *at; at++) {
		const struct option *p = find_option(d, NULL, *at);

		if (!p)
			return misused(o, d, "unknown option in", argv[*k]);
		if (!p->value) {
			int status = obey(o, d, p->effect, NULL);

			if (status >= 0)
				return status;
			continue;
		}
		if (!at[1] && *k + 1 == argc)
			return misused(o, d, "this option needs a value:", argv[*k]);
		return obey(o, d, p->effect, at[1] ? at + 1 : argv[++*k]);
	}
	return -1;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1];
}

/* tini's usage text asks for PROGRAM -- ARGS, and getopt(3) takes that "--" away. Words that look like options are left alone. */
static void drop_divider(char **command)
{
	while (*command && !is_option(*command))
		command++;
	if (!*command || strcmp(*command, "--") != 0)
		return;
	for (; *command; command++)
		command[0] = command[1];
}

static void read_environment(struct shim_options *o, enum dialect d)
{
	for (size_t k = 0; k < COUNT(variables); k++) {
		if (variables[k].dialect != d)
			continue;
		const char *value = getenv(variables[k].name);

		if (value && (!variables[k].only || !strcmp(value, variables[k].only)))
			(void)obey(o, d, variables[k].effect, value);
	}
}

int shim_options_read(struct shim_options *ret, int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *called = slash ? slash + 1 : argv[0];
	enum dialect d = COPPICE;
	bool divided = false;
	int k = 1;

	for (size_t i = 0; i < COUNT(names); i++)
		if (!strcmp(called, names[i].name))
			d = names[i].dialect;
	*ret = manners[d].preset;
	ret->name = d == COPPICE ? "coppice" : called;
	ret->verbosity = manners[d].verbosity;
	for (; k < argc && is_option(argv[k]) && !divided; k++) {
		int status = -1;

		if (!strcmp(argv[k], "--"))
			divided = true;
		else
			status = argv[k][1] == '-' ? read_word(ret, d, argv, argc, &k) : read_letters(ret, d, argv, argc, &k);
		if (status >= 0)
			return status;
	}
	ret->command = argv + k;
	if (!ret->pause && k == argc)
		return misused(ret, d, "there is no command", "to run");
	if (manners[d].permutes && !divided && !getenv("POSIXLY_CORRECT"))
		drop_divider(ret->command);
	read_environment(ret, d);
	for (int sig = 1; sig <= N_SIGNALS; sig++) {
		/* A session of its own is an orphaned group, which ignores the terminal's stop signals but not SIGSTOP. */
		bool of_terminal = sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;

		if (!ret->pass_as[sig])
			ret->pass_as[sig] = (uint8_t)(of_terminal && ret->place == OWN_SESSION ? SIGSTOP : sig);
	}
	return -1;
}

bool shim_option(size_t i, struct shim_words *ret)
{
	if (i >= COUNT(options) || options[i].dialect != COPPICE)
		return false;
	*ret = (struct shim_words){ options[i].letter, options[i].value, options[i].brief };
	return true;
}

const char *shim_name(size_t i)
{
	return i < COUNT(names) ? names[i].name : NULL;
}

bool shim_named(const char *name)
{
	for (size_t k = 0; k < COUNT(names); k++)
		if (!strcmp(name, names[k].name))
			return true;
	return false;
}

bool shim_worded(int argc, char **argv)
{
	for (int k = 1; k < argc && is_option(argv[k]); k++) {
		if (!strcmp(argv[k], "--"))
			return true;
		for (const char *at = argv[k] + 1; *at; at++) {
			const struct option *p = find_option(COPPICE, NULL, *at);

			if (!p)
				return false;
			if (!p->value)
				continue;
			k += !at[1];
			break;
		}
	}
	return false;
}
