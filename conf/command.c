/* command.c - kinds of value that are lists of words: command lines, environments, names; pure. */
#include "conf/kinds.h"

#include <string.h>

/* A command while its words come in: its head in the word area, argc counted up. */
struct line {
	struct reading *r;
	uint32_t at;
};

static void line_begin(struct line *l, struct reading *r, uint32_t flags)
{
	const uint32_t head[] = { flags, r->line, 0 };

	l->r = r;
	l->at = build_words(r->b, head, 3);
}

static void line_word(struct line *l, const char *word)
{
	text_at text = build_text(l->r->b, word, strlen(word));

	(void)build_words(l->r->b, &text, 1);
	if (!l->r->b->failed)
		l->r->b->words[l->at + 2]++;
}

static void line_end(struct line *l)
{
	build_append(l->r->b, l->r->setting->at, l->at);
}

void command_put(struct build *b, size_t at, uint32_t flags, uint32_t line, const char *const *words, uint32_t n)
{
	const uint32_t head[] = { flags, line, n };
	uint32_t command = build_words(b, head, 3);

	for (uint32_t i = 0; i < n && !b->failed; i++) {
		text_at text = build_text(b, words[i], strlen(words[i]));

		(void)build_words(b, &text, 1);
	}
	build_append(b, at, command);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* systemd.service(5), "Command lines": any order, each at most once. */
static bool take_prefixes(struct reading *r, const char **at, const char *value, uint32_t *flags)
{
	static const struct { char c; uint32_t flag; } prefixes[] = {
		{ '-', CMD_IGNORE }, { ':', CMD_VERBATIM }, { '+', CMD_FULL }, { '@', CMD_ARGV0 },
	};

	for (*flags = 0;; ++*at) {
		uint32_t flag = 0;

		for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
			if (**at == prefixes[i].c)
				flag = prefixes[i].flag;
		if (**at == '!' || **at == '|')
			return refuse(r, value,
				      "begins with the prefix '%c', which is not supported; of systemd's prefixes we take @ - : +",
				      **at);
		if (!flag)
			return true;
		if (*flags & flag)
			return refuse(r, value, "has the prefix '%c' twice; remove one", **at);
		*flags |= flag;
	}
}

bool check_program(struct reading *r, const char *program, const char *value)
{
	size_t n = strlen(program);

	if (!n)
		return refuse(r, value, "names no program; write its path inside the image");
	if (*program != '/' && strchr(program, '/'))
		return refuse(r, program, "is neither an absolute path nor a bare name; begin it with /");
	if (program[n - 1] == '/' || !strcmp(program, "..") || !strcmp(program, "."))
		return refuse(r, program, "is a directory; write the path of a program");
	return true;
}

/* All words of a command line, quotes taken off and %x replaced, variables left to the moment of running. */
static bool take_command(struct reading *r, const char *at, const char *value, uint32_t flags)
{
	struct text word = word_buffer(r, value);
	struct line l;
	uint32_t n = 0;

	if (!word.at)
		return false;
	line_begin(&l, r, flags);
	for (;;) {
		while (is_blank(*at))
			at++;

		const char *done = NULL;

		if (at[0] == ';' && (is_blank(at[1]) || !at[1]))
			return refuse(r, value,
				      "holds a lone ';'; quote it, or write a second %s= for a second command", r->name);
		/* systemd.service(5): "\;" is an argument that is a semicolon. */
		if (at[0] == '\\' && at[1] == ';' && (is_blank(at[2]) || !at[2])) {
			done = ";";
			at += 2;
		} else {
			int more = next_word(r, &at, &word, value);

			if (more < 0)
				return false;
			if (!more)
				break;
			done = resolve(r, word.at);
		}
		if (!done || (n == 0 && !check_program(r, done, value)))
			return false;
		line_word(&l, done);
		n++;
	}
	if (n == 0)
		return check_program(r, "", value);
	if (flags & CMD_ARGV0 && n < 2)
		return refuse(r, value,
			      "has the prefix '@' and no second word; the second word is what the program is called");
	line_end(&l);
	return true;
}

static bool read_command(struct reading *r, const char *value)
{
	const char *at = value;
	uint32_t flags;

	return take_prefixes(r, &at, value, &flags) && take_command(r, at, value, flags);
}

/*
 * Would a shell do more with it than split words and take quotes off? Then a
 * shell must run it; where not, the program is run without one, which also works
 * in an image that has no shell.
 */
static bool needs_shell(const char *s)
{
	char quote = '\0';

	if (*s != '/')
		return true;
	for (; *s; s++) {
		if (quote == '\'') {
			if (*s == '\'')
				quote = '\0';
		} else if (quote) {
			if (strchr("$`\\", *s))
				return true;
			if (*s == '"')
				quote = '\0';
		} else if (*s == '"' || *s == '\'') {
			quote = *s;
		} else if (strchr("|&;<>()$`\\*?[]{}#~!", *s)) {
			return true;
		}
	}
	return quote;
}

static bool is_health_alone(struct reading *r, enum health_kind kind)
{
	static const char *const names[N_HEALTH_KINDS] = {
		[HEALTH_CMD] = "HealthCmd", [HEALTH_TCP] = "HealthTcp", [HEALTH_LISTEN] = "HealthListen",
		[HEALTH_HTTP] = "HealthHttp", [HEALTH_UNIX] = "HealthUnix", [HEALTH_FILE] = "HealthFile",
	};
	struct unit *u = r->into;

	if (u->health_kind != HEALTH_NONE && u->health_kind != kind) {
		r->why.len = 0;
		text_fmt(&r->why,
			 "a unit has one health check, and %s= is there already; keep one of them, and put the other into a unit of its own",
			 names[u->health_kind]);
		return false;
	}
	u->health_kind = (uint8_t)kind;
	return true;
}

bool health_begin(struct reading *r, enum health_kind kind, const char *shown)
{
	struct unit *u = r->into;

	if (!is_health_alone(r, kind))
		return false;
	u->health_text = build_text(r->b, shown, strlen(shown));
	return true;
}

/* Podman's forms: "CMD-SHELL text", "CMD words", a plain text for the shell, "none". */
static bool read_health_cmd(struct reading *r, const char *value)
{
	static const char shell[] = "CMD-SHELL ", plain[] = "CMD ";
	const char *text = value;
	bool by_shell;

	if (!strcmp(value, "none"))
		return true;
	if (*value == '[')
		return refuse(r, value, "is a list in JSON; write the command as a line of words");
	if (!strncmp(text, shell, sizeof(shell) - 1)) {
		text += sizeof(shell) - 1;
		by_shell = true;
	} else if (!strncmp(text, plain, sizeof(plain) - 1)) {
		text += sizeof(plain) - 1;
		by_shell = false;
	} else {
		by_shell = needs_shell(text);
	}
	while (is_blank(*text))
		text++;
	build_clear(r->b, r->setting->at);
	if (!health_begin(r, HEALTH_CMD, text))
		return false;
	if (!by_shell)
		return take_command(r, text, value, 0);

	const char *done = resolve(r, text);
	struct line l;

	if (!done)
		return false;
	if (!*done)
		return refuse(r, value, "names no command");
	/* The shell does its own $VARIABLES. */
	line_begin(&l, r, CMD_VERBATIM);
	line_word(&l, "/bin/sh");
	line_word(&l, "-c");
	line_word(&l, done);
	line_end(&l);
	return true;
}

/* Letters, digits and '_', no digit first: POSIX, "8.1 Environment Variable Definition". */
static size_t variable_length(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");

	return *s >= '0' && *s <= '9' ? 0 : n;
}

static bool add_text(struct reading *r, const char *word)
{
	build_append(r->b, r->setting->at, build_text(r->b, word, strlen(word)));
	return true;
}

/* Calls `each` for every word of a value. */
static bool each_word(struct reading *r, const char *value, bool (*each)(struct reading *r, const char *word))
{
	struct text word = word_buffer(r, value);
	const char *at = value;
	int more;

	if (!word.at)
		return false;
	while ((more = next_word(r, &at, &word, value)) > 0) {
		const char *done = resolve(r, word.at);

		if (!done || !each(r, done))
			return false;
	}
	return more == 0;
}

static bool add_variable(struct reading *r, const char *word)
{
	size_t n = variable_length(word);

	if (!n || word[n] != '=')
		return refuse(r, word,
			      "is not NAME=value with a NAME of letters, digits and _; quote the whole where a value has blanks: \"NAME=a b\"");
	return add_text(r, word);
}

static bool read_env(struct reading *r, const char *value)
{
	return each_word(r, value, add_variable);
}

static bool read_env_file(struct reading *r, const char *value)
{
	value = resolve(r, value);
	if (!value || !check_path(r, value + (*value == '-')))
		return false;
	if (strpbrk(value, "*?["))
		return refuse(r, value, "holds a pattern; name each file with its own %s=", r->name);
	return add_text(r, value);
}

static bool add_name(struct reading *r, const char *word)
{
	/* max: 0 names of variables, 1 users and groups */
	if (r->setting->max == 0 && (!variable_length(word) || word[variable_length(word)]))
		return refuse(r, word, "is no name of a variable; write letters, digits and _");
	if (r->setting->max == 1 && (!*word || *word == '-' || strpbrk(word, "/:, \t")))
		return refuse(r, word, "is no name of a user or group; write a name or a number");
	return add_text(r, word);
}

static bool read_names(struct reading *r, const char *value)
{
	return each_word(r, value, add_name);
}

static bool add_layer(struct reading *r, const char *word)
{
	if (*word == '/')
		return check_path(r, word) && add_text(r, word);
	if (!*word || *word == '-' || *word == '.' || strstr(word, ".."))
		return refuse(r, word, "is neither the name of an image nor an absolute path");
	return add_text(r, word);
}

static bool read_layers(struct reading *r, const char *value)
{
	return each_word(r, value, add_layer);
}

static bool add_path(struct reading *r, const char *word)
{
	return check_path(r, word) && add_text(r, word);
}

static bool read_paths(struct reading *r, const char *value)
{
	return each_word(r, value, add_path);
}

const struct kind kind_command = { "command", "command line", read_command, NULL };
const struct kind kind_health_cmd = { "health", "command line, or none", read_health_cmd, NULL };
const struct kind kind_env = { "env", "NAME=value ...", read_env, NULL };
const struct kind kind_env_files = { "envfile", "absolute path, - before it: may be missing", read_env_file,
				    NULL };
const struct kind kind_names = { "names", "names", read_names, NULL };
const struct kind kind_layers = { "layers", "names of images, or absolute paths", read_layers, NULL };
const struct kind kind_paths = { "paths", "absolute paths", read_paths, NULL };
