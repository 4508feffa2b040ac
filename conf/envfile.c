/* envfile.c - environment files: a state machine over bytes; pure. */
#include "conf/envfile.h"

#include <string.h>

bool env_name_ok(const char *name, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char c = name[i];
		bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';

		if (!letter && !(i && c >= '0' && c <= '9'))
			return false;
	}
	return n > 0;
}

/* Where in an assignment a byte stands. */
enum place {
	LINE,          /* before the name */
	COMMENT,
	NAME,
	BEFORE_VALUE,  /* behind "=", or behind a closing quote */
	VALUE,
	VALUE_ESCAPE,
	SINGLE,
	DOUBLE,
	DOUBLE_ESCAPE,
};

struct reader {
	enum place place;
	char *out;       /* name, NUL, value, NUL */
	size_t n, value; /* bytes in it, and where the value begins */
	size_t kept;     /* the value may be trimmed back to here */
	size_t line, began, bad;
	bool (*each)(void *self, const char *name, const char *value);
	void *self;
	bool stop;
};

static bool is_end(char c)
{
	return c == '\n' || c == '\r';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || is_end(c);
}

static void blame(struct reader *r, size_t line)
{
	if (!r->bad)
		r->bad = line;
}

static void keep(struct reader *r, char c)
{
	r->out[r->n++] = c;
	r->kept = r->n;
}

static void begin(struct reader *r)
{
	r->place = LINE;
	r->n = r->kept = r->value = 0;
}

/* The name is complete. */
static void name_done(struct reader *r)
{
	while (r->n && is_blank(r->out[r->n - 1]))
		r->n--;
	r->out[r->n++] = '\0';
	r->value = r->kept = r->n;
	r->place = BEFORE_VALUE;
}

/* The value is complete: blanks at its end go, unless they were quoted or escaped. */
static void value_done(struct reader *r)
{
	r->out[r->kept] = '\0';
	if (env_name_ok(r->out, r->value - 1))
		r->stop = !r->each(r->self, r->out, r->out + r->value);
	else
		blame(r, r->began);
	begin(r);
}

static void take_name(struct reader *r, char c)
{
	if (is_end(c))
		begin(r);
	else if (c == '=')
		name_done(r);
	else
		r->out[r->n++] = c;
}

static void take_value(struct reader *r, char c)
{
	if (is_end(c)) {
		value_done(r);
	} else if (c == '\\') {
		/* what was blank before it is inside now */
		r->kept = r->n;
		r->place = VALUE_ESCAPE;
	} else if (is_blank(c)) {
		r->out[r->n++] = c;
	} else {
		keep(r, c);
	}
}

static void take_before_value(struct reader *r, char c)
{
	if (c == '\'')
		r->place = SINGLE;
	else if (c == '"')
		r->place = DOUBLE;
	else if (is_end(c) || !is_blank(c)) {
		r->place = VALUE;
		take_value(r, c);
	}
}

static void take(struct reader *r, char c)
{
	switch (r->place) {
	case LINE:
		if (c == '#' || c == ';')
			r->place = COMMENT;
		if (is_blank(c) || r->place == COMMENT)
			break;
		r->place = NAME;
		r->began = r->line;
		take_name(r, c);
		break;
	case NAME:
		take_name(r, c);
		break;
	case COMMENT:
		/* A backslash does not carry it on (systemd since v254). */
		if (is_end(c))
			r->place = LINE;
		break;
	case BEFORE_VALUE:
		take_before_value(r, c);
		break;
	case VALUE:
		take_value(r, c);
		break;
	case VALUE_ESCAPE:
		r->place = VALUE;
		if (!is_end(c))
			keep(r, c);
		break;
	case SINGLE:
		if (c == '\'')
			r->place = BEFORE_VALUE;
		else
			keep(r, c);
		break;
	case DOUBLE:
		if (c == '"')
			r->place = BEFORE_VALUE;
		else if (c == '\\')
			r->place = DOUBLE_ESCAPE;
		else
			keep(r, c);
		break;
	case DOUBLE_ESCAPE:
		r->place = DOUBLE;
		if (c == '\n')
			break;
		if (!strchr("\"\\`$", c))
			keep(r, '\\');
		keep(r, c);
		break;
	}
}

size_t env_read(const char *text, size_t n, char *scratch, bool (*each)(void *self, const char *name, const char *value), void *self)
{
	struct reader r = { .out = scratch, .line = 1, .each = each, .self = self };

	for (size_t i = 0; i < n && !r.stop; i++) {
		if (!text[i]) {
			blame(&r, r.line);
			return r.bad;
		}
		take(&r, text[i]);
		r.line += text[i] == '\n';
	}
	if (r.stop || r.place <= NAME)
		return r.bad;
	if (r.place >= SINGLE)
		blame(&r, r.began);
	else
		value_done(&r);
	return r.bad;
}
