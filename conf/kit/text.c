/* text.c - a bounded text builder, words split with quotes, and the nearest name for a typo; pure. */
#include "conf/kit/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "conf/kit/time.h"

void text_bytes(struct text *t, const char *s, size_t n)
{
	size_t room = t->size > t->len ? t->size - t->len - 1 : 0;

	if (n > room) {
		n = room;
		t->cut = true;
	}
	if (n)
		memcpy(t->at + t->len, s, n);
	t->len += n;
	if (t->size)
		t->at[t->len] = '\0';
}

void text_char(struct text *t, char c)
{
	text_bytes(t, &c, 1);
}

void text_put(struct text *t, const char *s)
{
	text_bytes(t, s, strlen(s));
}

void text_num(struct text *t, int64_t n)
{
	char digits[24];
	size_t i = sizeof(digits);
	uint64_t rest = n < 0 ? -(uint64_t)n : (uint64_t)n;

	do
		digits[--i] = (char)('0' + rest % 10);
	while (rest /= 10);
	if (n < 0)
		digits[--i] = '-';
	text_bytes(t, digits + i, sizeof(digits) - i);
}

void text_fmt(struct text *t, const char *fmt, ...)
{
	size_t room = t->size > t->len ? t->size - t->len : 0;
	char none[1];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(room ? t->at + t->len : none, room, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= room) {
		t->cut = true;
		n = room ? (int)room - 1 : 0;
	}
	t->len += (size_t)n;
}

size_t text_utf8(const char *s, size_t n)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t len = u[0] < 0x80 ? 1 : u[0] < 0xc2 ? 0 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : u[0] < 0xf5 ? 4 : 0;

	if (len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, and what lies beyond U+10FFFF show in the second byte. */
	if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) ||
	    (u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f))
		return 0;
	return len;
}

void text_shown(struct text *t, const char *s, size_t n, size_t most)
{
	static const char hex[] = "0123456789abcdef";
	size_t taken = n < most ? n : most;

	for (size_t i = 0; i < taken;) {
		unsigned char c = (unsigned char)s[i];
		size_t len = text_utf8(s + i, taken - i);

		/* U+0080 to U+009F are control characters to some terminals. */
		if (len == 0 || c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)s[i + 1] < 0xa0)) {
			text_bytes(t, (const char[]){ '\\', 'x', hex[c >> 4], hex[c & 15] }, 4);
			i++;
		} else {
			text_bytes(t, s + i, len);
			i += len;
		}
	}
	if (taken < n)
		text_put(t, "...");
}

void text_span(struct text *t, int64_t msec)
{
	static const struct { int64_t size; const char *word; } units[] = {
		{ 86400000, "d" }, { 3600000, "h" }, { 60000, "min" },
	};
	size_t before = t->len;

	if (msec == FOREVER) {
		text_put(t, "infinity");
		return;
	}
	if (msec <= 0) {
		text_put(t, "0");
		return;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (msec < units[i].size)
			continue;
		if (t->len > before)
			text_char(t, ' ');
		text_num(t, msec / units[i].size);
		text_put(t, units[i].word);
		msec %= units[i].size;
	}
	if (!msec)
		return;
	if (t->len > before)
		text_char(t, ' ');
	if (msec < 1000) {
		text_num(t, msec);
		text_put(t, "ms");
		return;
	}
	text_num(t, msec / 1000);
	if (msec % 1000) {
		int64_t part = msec % 1000;

		text_char(t, '.');
		for (int64_t place = 100; part; place /= 10) {
			text_char(t, (char)('0' + part / place));
			part %= place;
		}
	}
	text_char(t, 's');
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void put_rune(struct text *t, uint32_t rune)
{
	if (rune < 0x80) {
		text_char(t, (char)rune);
	} else if (rune < 0x800) {
		text_bytes(t, (const char[]){ (char)(0xc0 | rune >> 6), (char)(0x80 | (rune & 63)) }, 2);
	} else if (rune < 0x10000) {
		text_bytes(t, (const char[]){ (char)(0xe0 | rune >> 12), (char)(0x80 | (rune >> 6 & 63)),
					      (char)(0x80 | (rune & 63)) }, 3);
	} else {
		text_bytes(t, (const char[]){ (char)(0xf0 | rune >> 18), (char)(0x80 | (rune >> 12 & 63)),
					      (char)(0x80 | (rune >> 6 & 63)), (char)(0x80 | (rune & 63)) }, 4);
	}
}

/* What stands after a backslash; how many bytes of it were used, 0 where it is no escape. */
static size_t put_escape(struct text *t, const char *s)
{
	static const char plain[][2] = {
		{ 'a', '\a' }, { 'b', '\b' }, { 'f', '\f' }, { 'n', '\n' }, { 'r', '\r' }, { 't', '\t' },
		{ 'v', '\v' }, { '\\', '\\' }, { '"', '"' }, { '\'', '\'' }, { 's', ' ' },
	};
	size_t digits = *s == 'x' ? 2 : *s == 'u' ? 4 : *s == 'U' ? 8 : 0;
	uint32_t value = 0;

	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		if (*s == plain[i][0]) {
			text_char(t, plain[i][1]);
			return 1;
		}
	if (!digits) {
		for (size_t i = 0; i < 3; i++) {
			if (s[i] < '0' || s[i] > '7')
				return 0;
			value = value * 8 + (uint32_t)(s[i] - '0');
		}
		if (value == 0 || value > 255)
			return 0;
		text_char(t, (char)value);
		return 3;
	}
	for (size_t i = 1; i <= digits; i++) {
		int d = hex_digit(s[i]);

		if (d < 0)
			return 0;
		value = value << 4 | (uint32_t)d;
	}
	if (value == 0 || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
		return 0;
	if (digits == 2)
		text_char(t, (char)value);
	else
		put_rune(t, value);
	return digits + 1;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

int text_word(const char **at, struct text *into, unsigned flags)
{
	const char *s = *at;
	bool relax = flags & TEXT_RELAX;
	char quote = '\0';

	while (is_blank(*s))
		s++;
	into->len = 0;
	if (into->size)
		into->at[0] = '\0';
	if (!*s) {
		*at = s;
		return 0;
	}
	for (; *s && (quote || !is_blank(*s)); s++) {
		if (quote ? *s == quote : *s == '"' || *s == '\'') {
			if (quote)
				quote = '\0';
			else
				quote = *s;
		} else if (*s != '\\') {
			text_char(into, *s);
		} else if (relax) {
			if (s[1])
				text_char(into, *++s);
		} else if (!s[1]) {
			return -EINVAL;
		} else {
			size_t used = put_escape(into, s + 1);

			if (!used)
				return -EILSEQ;
			s += used;
		}
	}
	if (quote && !relax)
		return -EINVAL;
	*at = s;
	return 1;
}

#define MOST_LETTERS 64

static char small(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c;
}

/* Edits (insert, drop, change, swap of neighbours) from a to b, letters' size ignored; three rows of the usual matrix. */
static size_t distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
	size_t rows[3][MOST_LETTERS + 1];

	for (size_t j = 0; j <= n_b; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n_a; i++) {
		size_t *now = rows[i % 3], *last = rows[(i - 1) % 3], *before = rows[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= n_b; j++) {
			size_t best = last[j - 1] + (small(a[i - 1]) != small(b[j - 1]));

			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && small(a[i - 1]) == small(b[j - 2]) &&
			    small(a[i - 2]) == small(b[j - 1]) &&
			    before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
	}
	return rows[n_a % 3][n_b];
}

const char *text_nearest(const char *word, const char *(*next)(void *self), void *self)
{
	size_t n = strlen(word), most = n / 3 ? n / 3 : 1;
	const char *best = NULL, *candidate;

	if (n == 0 || n > MOST_LETTERS)
		return NULL;
	while ((candidate = next(self))) {
		size_t n_c = strlen(candidate);

		if (n_c > MOST_LETTERS || n_c > n + most || n > n_c + most)
			continue;
		size_t d = distance(word, n, candidate, n_c);

		if (d < most || (d == most && !best)) {
			best = candidate;
			most = d;
			if (d == 0)
				break;
		}
	}
	return best;
}
