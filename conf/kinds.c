/* kinds.c - the plain kinds: texts, paths, words of a set, spans, numbers, signals; pure. */
#include "conf/kinds.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "conf/values.h"

bool refuse(struct reading *r, const char *value, const char *fmt, ...)
{
	char words[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	r->why.len = 0;
	text_char(&r->why, '"');
	text_shown(&r->why, value, strlen(value), 80);
	text_put(&r->why, "\" ");
	text_put(&r->why, words);
	return false;
}

bool check_path(struct reading *r, const char *path)
{
	size_t n = strlen(path);

	if (*path != '/')
		return refuse(r, path, "is no absolute path; begin it with /");
	if (n >= PATH_MAX)
		return refuse(r, path, "is longer than %d bytes; shorten it", PATH_MAX - 1);
	for (const char *s = path; (s = strstr(s, "/..")); s += 3)
		if (!s[3] || s[3] == '/')
			return refuse(r, path, "has \"..\" in it; write the path that is meant");
	return true;
}

struct text word_buffer(struct reading *r, const char *value)
{
	struct text t = { .size = strlen(value) + 1 };

	t.at = arena_get(r->arena, t.size);
	if (!t.at) {
		t.size = 0;
		r->why.len = 0;
		text_put(&r->why, "out of memory");
	}
	return t;
}

int next_word(struct reading *r, const char **at, struct text *word, const char *value)
{
	int n = text_word(at, word, 0);

	if (n >= 0)
		return n;
	if (n == -EILSEQ)
		refuse(r, value, "has an escape that there is not; write \\\\ for a backslash");
	else
		refuse(r, value,
		       "ends inside quotes or after a backslash; close the quote, or write \\\\ for a backslash");
	return -1;
}

static bool keep(struct reading *r, const char *value)
{
	*FIELD(r, text_at) = build_text(r->b, value, strlen(value));
	return true;
}

/* Any text. */
static bool read_text(struct reading *r, const char *value)
{
	value = resolve(r, value);
	return value && keep(r, value);
}

static void print_text(struct text *out, const struct table *t, const void *base, const struct setting *s)
{
	const text_at *at = (const void *)((const char *)base + s->at);

	for (const char *c = table_text(t, *at); *c; c++) {
		if (*c == '%')
			text_char(out, '%');
		text_char(out, *c);
	}
}

/* A name that is one word and no path. */
static bool read_name(struct reading *r, const char *value)
{
	value = resolve(r, value);
	if (!value)
		return false;
	if (strlen(value) > MAX_UNIT_NAME)
		return refuse(r, value, "is longer than %u bytes; shorten it", MAX_UNIT_NAME);
	if (*value == '-' || *value == '/' || strpbrk(value, " \t\"'") || !strcmp(value, ".") ||
	    strstr(value, ".."))
		return refuse(r, value,
			      "is no name; a name is one word without quotes and \"..\", and no path");
	return keep(r, value);
}

/* As passwd(5) and group(5) may have it, or a number; looked up inside the image, never here. */
static bool is_account(struct reading *r, const char *value)
{
	int64_t n;

	if (strlen(value) > 255 || *value == '-' || !strcmp(value, ".") || !strcmp(value, "..") ||
	    strpbrk(value, " \t/:,"))
		return refuse(r, value, "is no name of a user or group; write a name or a number");
	if (*value >= '0' && *value <= '9') {
		/* Names that look like numbers went wrong everywhere they were tried: CVE-2017-1000082. */
		if (!number_of(value, &n))
			return refuse(r, value, "begins with a digit and is no number; write the number");
		if (n >= UINT32_MAX)
			return refuse(r, value, "is out of range; the largest number is 4294967294");
	}
	return true;
}

/* "user", "1000", or Docker's "user:group". */
static bool read_user(struct reading *r, const char *value)
{
	struct unit *u = r->into;
	const char *colon;

	value = resolve(r, value);
	if (!value)
		return false;
	colon = FIELD(r, text_at) == &u->user ? strchr(value, ':') : NULL;
	if (colon) {
		char *user = arena_copy(r->arena, value, (size_t)(colon - value));

		if (!user || !is_account(r, user) || !is_account(r, colon + 1))
			return false;
		if (!*user || !colon[1])
			return refuse(r, value, "names no user or no group; write user, or user:group");
		u->group = build_text(r->b, colon + 1, strlen(colon + 1));
		return keep(r, user);
	}
	return is_account(r, value) && keep(r, value);
}

static bool read_path(struct reading *r, const char *value)
{
	value = resolve(r, value);
	if (!value)
		return false;
	/* PIDFile= and its like are relative to /run, systemd.service(5). */
	if (r->setting->min && *value != '/') {
		struct text t = { .at = arena_get(r->arena, strlen(value) + 6), .size = strlen(value) + 6 };

		if (!t.at)
			return false;
		text_put(&t, "/run/");
		text_put(&t, value);
		value = t.at;
	}
	return check_path(r, value) && keep(r, value);
}

static bool read_root(struct reading *r, const char *value)
{
	const char *name = unit_name(r, value);

	return name && r->refer(r, name, MENTION_ROOT);
}

static bool read_workdir(struct reading *r, const char *value)
{
	value = resolve(r, value);
	if (!value)
		return false;
	if (*value == '-')
		return refuse(r, value,
			      "may not be optional here; make the directory in the image, or drop the '-'");
	return (!strcmp(value, "~") || check_path(r, value)) && keep(r, value);
}

static bool read_bool(struct reading *r, const char *value)
{
	bool yes;

	if (!bool_of(value, &yes))
		return refuse(r, value, "is neither yes nor no");
	*FIELD(r, bool) = yes;
	return true;
}

static void print_bool(struct text *out, const struct table *t, const void *base, const struct setting *s)
{
	(void)t;
	text_put(out, *(const bool *)((const char *)base + s->at) ? "yes" : "no");
}

struct word_list { const char *const *at; };

static const char *next_of_list(void *self)
{
	struct word_list *list = self;

	return *list->at ? *list->at++ : NULL;
}

static bool read_word(struct reading *r, const char *value)
{
	const char *const *words = r->setting->words;
	char all[300];
	struct text t = TEXT(all);

	for (uint32_t i = 0; words[i]; i++) {
		if (!strcmp(words[i], value)) {
			*FIELD(r, uint8_t) = (uint8_t)i;
			return true;
		}
		text_put(&t, i ? ", " : "");
		text_put(&t, words[i]);
	}

	struct word_list list = { words };
	const char *near = text_nearest(value, next_of_list, &list);

	if (near)
		return refuse(r, value, "is none of %s; did you mean %s?", all, near);
	return refuse(r, value, "is none of %s", all);
}

static void print_word(struct text *out, const struct table *t, const void *base, const struct setting *s)
{
	uint8_t value = *(const uint8_t *)((const char *)base + s->at);

	(void)t;
	for (uint8_t i = 0; s->words[i]; i++)
		if (i == value)
			text_put(out, s->words[i]);
}

static bool take_span(struct reading *r, const char *value, msec_t *ret)
{
	if (span_of(value, 1000, ret))
		return true;
	if (*value == '-')
		return refuse(r, value, "is negative; write a time span such as 5s, 500ms or 2min");
	return refuse(r, value, "is no time span we know; write a number and ms, s, min, h or d, or infinity");
}

static bool read_span(struct reading *r, const char *value)
{
	msec_t span;

	if (!take_span(r, value, &span))
		return false;
	if (span < r->setting->min)
		return refuse(r, value, "is too short; at least %d ms", (int)r->setting->min);
	*FIELD(r, msec_t) = span;
	return true;
}

static void print_span(struct text *out, const struct table *t, const void *base, const struct setting *s)
{
	(void)t;
	text_span(out, *(const msec_t *)(const void *)((const char *)base + s->at));
}

/* systemd.service(5): TimeoutStartSec=0 has always meant infinity. */
static bool read_timeout(struct reading *r, const char *value)
{
	msec_t span;

	if (!take_span(r, value, &span))
		return false;
	*FIELD(r, msec_t) = span ? span : FOREVER;
	return true;
}

static bool read_timeouts(struct reading *r, const char *value)
{
	struct unit *u = r->into;

	if (!read_timeout(r, value))
		return false;
	u->timeout_start = u->timeout_stop = *FIELD(r, msec_t);
	return true;
}

static bool take_number(struct reading *r, const char *value, int64_t *ret)
{
	const struct setting *s = r->setting;

	if (!number_of(value, ret))
		return refuse(r, value, "is no number; write %lld to %lld", (long long)s->min,
			      (long long)s->max);
	if (*ret < s->min || *ret > s->max)
		return refuse(r, value, "is out of range; write %lld to %lld", (long long)s->min,
			      (long long)s->max);
	return true;
}

static bool read_whole(struct reading *r, const char *value)
{
	int64_t n;

	if (!take_number(r, value, &n))
		return false;
	*FIELD(r, int32_t) = (int32_t)n;
	return true;
}

static void print_whole(struct text *out, const struct table *t, const void *base, const struct setting *s)
{
	(void)t;
	text_num(out, *(const int32_t *)(const void *)((const char *)base + s->at));
}

static bool read_count(struct reading *r, const char *value)
{
	int64_t n;

	if (!take_number(r, value, &n))
		return false;
	*FIELD(r, uint32_t) = (uint32_t)n;
	return true;
}

static void print_count(struct text *out, const struct table *t, const void *base, const struct setting *s)
{
	(void)t;
	text_num(out, *(const uint32_t *)(const void *)((const char *)base + s->at));
}

static bool read_mode(struct reading *r, const char *value)
{
	uint32_t mode = 0;

	for (const char *s = value; *s; s++) {
		if (*s < '0' || *s > '7' || mode > 0777)
			return refuse(r, value, "is no file mode; write an octal number, 0 to 0777");
		mode = mode * 8 + (uint32_t)(*s - '0');
	}
	if (mode > 0777)
		return refuse(r, value, "is no file mode; write an octal number, 0 to 0777");
	*FIELD(r, uint32_t) = mode;
	return true;
}

static void print_mode(struct text *out, const struct table *t, const void *base, const struct setting *s)
{
	(void)t;
	text_fmt(out, "%04o", (unsigned)*(const uint32_t *)(const void *)((const char *)base + s->at));
}

static bool read_signal(struct reading *r, const char *value)
{
	int sig = signal_of(value);

	if (!sig) {
		size_t at = 0;
		const char *near = text_nearest(strncmp(value, "SIG", 3) ? value : value + 3, signal_next, &at);

		if (near)
			return refuse(r, value, "is no signal; did you mean SIG%s?", near);
		return refuse(r, value, "is no signal; write SIGTERM, 15, SIGRTMIN+3 ...");
	}
	*FIELD(r, uint8_t) = (uint8_t)sig;
	return true;
}

static void print_signal(struct text *out, const struct table *t, const void *base, const struct setting *s)
{
	uint8_t sig = *((const uint8_t *)base + s->at);

	(void)t;
	/* 0: nothing was said, and nothing is sent. */
	if (sig)
		signal_put(out, sig);
}

/* Where output may go; with a path behind the colon. */
static const struct { const char *word; enum output out; bool path; } outputs[] = {
	{ "inherit", OUT_INHERIT, false }, { "null", OUT_NULL, false }, { "journal", OUT_LOG, false },
	{ "file:", OUT_FILE, true }, { "append:", OUT_APPEND, true }, { "truncate:", OUT_TRUNCATE, true },
};

static bool read_output(struct reading *r, const char *value)
{
	struct unit *u = r->into;
	text_at *file = FIELD(r, uint8_t) == &u->out ? &u->output_file : &u->error_file;

	for (size_t i = 0; i < sizeof(outputs) / sizeof(*outputs); i++) {
		size_t n = strlen(outputs[i].word);

		if (strncmp(value, outputs[i].word, n) != 0 || (!outputs[i].path && value[n]))
			continue;

		const char *path = outputs[i].path ? resolve(r, value + n) : "";

		if (!path || (outputs[i].path && !check_path(r, path)))
			return false;
		*FIELD(r, uint8_t) = (uint8_t)outputs[i].out;
		*file = build_text(r->b, path, strlen(path));
		return true;
	}
	return refuse(r, value,
		      "is no place for output; write journal, inherit, null, file:/PATH, append:/PATH or truncate:/PATH");
}

static void print_output(struct text *out, const struct table *t, const void *base, const struct setting *s)
{
	const struct unit *u = base;
	const uint8_t *to = (const uint8_t *)base + s->at;

	for (size_t i = 0; i < sizeof(outputs) / sizeof(*outputs); i++)
		if (outputs[i].out == *to) {
			text_put(out, outputs[i].word);
			if (outputs[i].path)
				text_put(out, table_text(t, to == &u->out ? u->output_file : u->error_file));
		}
}

static bool read_null(struct reading *r, const char *value)
{
	return !strcmp(value, "null") || refuse(r, value,
						"is not to be had: a unit has no terminal and no input; write null");
}

static bool read_none(struct reading *r, const char *value)
{
	return resolve(r, value) != NULL;
}

const struct kind kind_text = { "text", "text", read_text, print_text };
const struct kind kind_name = { "name", "name", read_name, print_text };
const struct kind kind_user = { "user", "name or number", read_user, print_text };
const struct kind kind_path = { "path", "absolute path", read_path, print_text };
const struct kind kind_root = { "unit", "name of a unit", read_root, NULL };
const struct kind kind_workdir = { "workdir", "absolute path, or ~", read_workdir, print_text };
const struct kind kind_bool = { "bool", "yes or no", read_bool, print_bool };
const struct kind kind_word = { "word", "one of the words", read_word, print_word };
const struct kind kind_span = { "span", "time span", read_span, print_span };
const struct kind kind_timeout = { "timeout", "time span, or infinity", read_timeout, print_span };
const struct kind kind_timeouts = { "timeouts", "time span, or infinity", read_timeouts, NULL };
const struct kind kind_whole = { "whole", "number", read_whole, print_whole };
const struct kind kind_count = { "count", "number", read_count, print_count };
const struct kind kind_mode = { "mode", "octal number", read_mode, print_mode };
const struct kind kind_signal = { "signal", "name or number of a signal", read_signal, print_signal };
const struct kind kind_output = { "output", "journal, inherit, null, file:PATH, append:PATH or truncate:PATH",
				 read_output, print_output };
const struct kind kind_null = { "null", "null", read_null, NULL };
const struct kind kind_none = { "none", "text", read_none, NULL };
