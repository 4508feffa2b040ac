/* logline.c - entries of a log made safe and told apart; pure. */
#include "init/control/logline.h"

#include <stdio.h>
#include <string.h>

#include "conf/kit/text.h"

/* What a terminal obeys instead of showing: C0 and C1 controls; separators of lines; marks of direction (UAX #9). */
static bool obeyed(const unsigned char *c, size_t len)
{
	if (len == 1)
		return (c[0] < 0x20 && c[0] != '\t') || c[0] == 0x7f;
	if (len == 2)
		return c[0] == 0xc2 && c[1] < 0xa0;
	return len == 3 && c[0] == 0xe2 &&
	       ((c[1] == 0x80 && (c[2] == 0x8e || c[2] == 0x8f || (c[2] >= 0xa8 && c[2] <= 0xae))) ||
		(c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9));
}

void line_shown(struct buf *to, const char *s, size_t n)
{
	size_t from = 0, i = 0;

	while (i < n) {
		size_t len = text_utf8(s + i, n - i);

		if (len && !obeyed((const unsigned char *)s + i, len)) {
			i += len;
			continue;
		}
		buf_put(to, s + from, i - from);
		for (size_t end = i + (len ? len : 1); i < end; i++) {
			char escape[8];
			int e = snprintf(escape, sizeof(escape), "\\x%02x", (unsigned char)s[i]);

			buf_put(to, escape, (size_t)e);
		}
		from = i;
	}
	buf_put(to, s + from, n - from);
}

void line_text(struct buf *to, const char *name, uint32_t width, bool rest, const char *s, size_t n)
{
	static const char blanks[] = "                ";
	size_t len = strlen(name);

	line_shown(to, name, len);
	if (len < width && width <= NAME_WIDTH)
		buf_put(to, blanks, width - len);
	buf_put(to, rest ? " + " : " | ", 3);
	line_shown(to, s, n);
	buf_put(to, "\n", 1);
}

void line_json(struct buf *to, const char *name, int64_t wall, bool rest, const char *s, size_t n)
{
	struct jout j = { .to = to };

	jout_open(&j, '{');
	jout_key(&j, "time");
	jout_time(&j, wall);
	jout_key(&j, "unit");
	jout_text(&j, name);
	jout_key(&j, "text");
	jout_bytes(&j, s, n);
	if (rest) {
		jout_key(&j, "rest");
		jout_bool(&j, true);
	}
	jout_close(&j, '}');
	buf_put(to, "\n", 1);
}

char *number_shown(uint64_t n, char into[32])
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n), at = 0;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			into[at++] = ',';
		into[at++] = digits[i];
	}
	into[at] = '\0';
	return into;
}
