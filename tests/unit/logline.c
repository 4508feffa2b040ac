/* logline.c - what of a daemon's output reaches a terminal. */
#include "init/control/logline.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/tap.h"

static const struct { const char *in; size_t n; const char *out, *what; } shown[] = {
	{ "plain\ttext", 10, "plain\ttext", "letters and a tab" },
	{ "\033[31mred", 8, "\\x1b[31mred", "a colour" },
	{ "a\rb\bc\0d\x7f", 8, "a\\x0db\\x08c\\x00d\\x7f", "what moves the cursor, NUL, DEL" },
	{ "x\ny", 3, "x\\x0ay", "a newline" },
	{ "\xc2\x9b" "31m", 5, "\\xc2\\x9b31m", "CSI as one C1 character" },
	{ "\xc2\xa0\xc3\xbc", 4, "\xc2\xa0\xc3\xbc", "the first character behind C1, and a letter" },
	{ "\xe2\x80\xa8", 3, "\\xe2\\x80\\xa8", "a line separator" },
	{ "\xe2\x80\xae" "evil", 7, "\\xe2\\x80\\xaeevil", "right to left" },
	{ "\xe2\x81\xa6", 3, "\\xe2\\x81\\xa6", "an isolate" },
	{ "\xe2\x82\xac", 3, "\xe2\x82\xac", "a euro" },
	{ "\xff\xfe", 2, "\\xff\\xfe", "bytes that are no UTF-8" },
	{ "\xe2\x82", 2, "\\xe2\\x82", "a character cut off" },
};

int main(void)
{
	for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
		struct buf b = { .most = 1000 };

		line_shown(&b, shown[i].in, shown[i].n);
		CHECK(b.len == strlen(shown[i].out) && !memcmp(b.at, shown[i].out, b.len), "%s: %.*s", shown[i].what, (int)b.len, b.at);
		buf_free(&b);
	}
	struct buf b = { .most = 1000 };

	line_text(&b, "db", 5, false, "one", 3);
	line_text(&b, "webui", 5, true, "two", 3);
	line_text(&b, "longer-than-that", 5, false, "web | forged", 12);
	static const char want[] = "db    | one\nwebui + two\nlonger-than-that | web | forged\n";
	CHECK(b.len == sizeof(want) - 1 && !memcmp(b.at, want, b.len), "names stand in a column");
	buf_free(&b);
	line_json(&b, "db", 1000, true, "\033\xff", 2);
	json_t *j = json_loadb(b.at, b.len, 0, NULL);
	CHECK(j && !strcmp(json_string_value(json_object_get(j, "text")), "\033\\xff") &&
	      !strcmp(json_string_value(json_object_get(j, "time")), "1970-01-01T00:00:01.000Z") &&
	      json_is_true(json_object_get(j, "rest")) && memchr(b.at, '\n', b.len) == b.at + b.len - 1, "a line as JSON: %.*s",
	      (int)b.len - 1, b.at);
	json_decref(j);
	buf_free(&b);
	char number[32];
	CHECK(!strcmp(number_shown(0, number), "0") && !strcmp(number_shown(999, number), "999") &&
	      !strcmp(number_shown(1234, number), "1,234") &&
	      !strcmp(number_shown(UINT64_MAX, number), "18,446,744,073,709,551,615"), "numbers in threes");
	return tap_done();
}
