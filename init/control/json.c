/* json.c - a growing buffer, and JSON written into it piece by piece; pure. */
#include "init/control/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conf/kit/text.h"

void buf_put(struct buf *b, const char *bytes, size_t n)
{
	if (b->broken || n > b->most - b->len) {
		b->broken = true;
		return;
	}
	if (b->len + n > b->size) {
		size_t size = b->size ? b->size : 256;

		while (size < b->len + n)
			size *= 2;
		char *at = realloc(b->at, size);

		if (!at) {
			b->broken = true;
			return;
		}
		b->at = at;
		b->size = size;
	}
	if (n)
		memcpy(b->at + b->len, bytes, n);
	b->len += n;
}

void buf_drop(struct buf *b, size_t n)
{
	if (n >= b->len) {
		buf_free(b);
		return;
	}
	b->len -= n;
	memmove(b->at, b->at + n, b->len);
}

void buf_cut(struct buf *b, size_t len)
{
	b->broken = false;
	if (len < b->len)
		b->len = len;
}

void buf_free(struct buf *b)
{
	free(b->at);
	*b = (struct buf){ .most = b->most };
}

static void put(struct jout *j, const char *s, size_t n)
{
	if (j->to)
		buf_put(j->to, s, n);
}

static void before_value(struct jout *j)
{
	if (j->comma)
		put(j, ",", 1);
	j->comma = true;
}

void jout_open(struct jout *j, char bracket)
{
	before_value(j);
	put(j, &bracket, 1);
	j->comma = false;
}

void jout_close(struct jout *j, char bracket)
{
	put(j, &bracket, 1);
	j->comma = true;
}

void jout_key(struct jout *j, const char *key)
{
	char text[64];
	struct text t = TEXT(text);

	/* One piece instead of four: keys are half of what is written. */
	text_put(&t, j->comma ? ",\"" : "\"");
	text_put(&t, key);
	text_put(&t, "\":");
	put(j, text, t.len);
	j->comma = false;
}

void jout_int(struct jout *j, int64_t n)
{
	char text[24];
	struct text t = TEXT(text);

	text_num(&t, n);
	before_value(j);
	put(j, text, t.len);
}

void jout_bool(struct jout *j, bool yes)
{
	before_value(j);
	put(j, yes ? "true" : "false", yes ? 4 : 5);
}

void jout_null(struct jout *j)
{
	before_value(j);
	put(j, "null", 4);
}

void jout_raw(struct jout *j, const char *json, size_t n)
{
	before_value(j);
	put(j, json, n);
}

void jout_text(struct jout *j, const char *s)
{
	jout_bytes(j, s, strlen(s));
}

/* The two-character escapes of RFC 8259 section 7. */
static const char short_escape[128] = {
	['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't',
};

void jout_bytes(struct jout *j, const char *s, size_t n)
{
	size_t from = 0, i = 0;

	before_value(j);
	put(j, "\"", 1);
	while (i < n) {
		unsigned char c = (unsigned char)s[i];
		/* Plain letters go by in long strides. */
		if (c >= 0x20 && c < 0x7f && !short_escape[c]) {
			i++;
			continue;
		}
		size_t len = text_utf8(s + i, n - i);
		char escape[8];
		int e = 0;

		if (len == 0)
			e = snprintf(escape, sizeof(escape), "\\\\x%02x", c);
		else if (c < 0x80 && short_escape[c])
			e = snprintf(escape, sizeof(escape), "\\%c", short_escape[c]);
		else if (c < 0x20 || c == 0x7f)
			e = snprintf(escape, sizeof(escape), "\\u%04x", c);
		if (e) {
			put(j, s + from, i - from);
			put(j, escape, (size_t)e);
			from = i + 1;
		}
		i += len ? len : 1;
	}
	put(j, s + from, n - from);
	put(j, "\"", 1);
}

char *time_rfc3339(int64_t wall, char into[32])
{
	static const char blank[] = "0000-00-00T00:00:00.000Z";
	time_t seconds = (time_t)(wall / 1000);
	struct tm tm;

	/* The calendar of this format ends with the year 9999. */
	if (!gmtime_r(&seconds, &tm) || tm.tm_year > 9999 - 1900)
		tm = (struct tm){ .tm_year = 9999 - 1900, .tm_mon = 11, .tm_mday = 31 };
	const struct { int value, at, digits; } parts[] = {
		{ tm.tm_year + 1900, 0, 4 }, { tm.tm_mon + 1, 5, 2 }, { tm.tm_mday, 8, 2 }, { tm.tm_hour, 11, 2 },
		{ tm.tm_min, 14, 2 }, { tm.tm_sec, 17, 2 }, { (int)(wall % 1000), 20, 3 },
	};

	memcpy(into, blank, sizeof(blank));
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		for (int k = parts[i].digits, v = parts[i].value; k > 0; v /= 10)
			into[parts[i].at + --k] = (char)('0' + v % 10);
	return into;
}

void jout_time(struct jout *j, int64_t wall)
{
	char text[32];

	if (wall < 0)
		jout_null(j);
	else
		jout_text(j, time_rfc3339(wall, text));
}

int json_shape(const char *s, size_t n, unsigned most)
{
	unsigned depth = 0;
	bool text = false;

	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (c == '\0')
			return -EINVAL;
		if (text) {
			if (c == '\\' && i + 1 < n && s[i + 1])
				i++;
			else if (c == '"')
				text = false;
		} else if (c == '"') {
			text = true;
		} else if (c == '{' || c == '[') {
			if (++depth > most)
				return -E2BIG;
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		}
	}
	return 0;
}
