/* json.c - the JSON writer against jansson as a reader, the shape of texts, and the buffer's limit. */
#include "init/control/json.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/tap.h"

/* Bytes that go in, and what a reader gets out of the string. */
static const struct { const char *in; size_t n; const char *out, *what; } strings[] = {
	{ "plain", 5, "plain", "letters" },
	{ "", 0, "", "nothing" },
	{ "\"\\/\b\f\n\r\t", 8, "\"\\/\b\f\n\r\t", "what has an escape of its own" },
	{ "\x01\x1f\x7f", 3, "\x01\x1f\x7f", "other control characters" },
	{ "z\xc3\xbc\xe2\x82\xac\xf0\x9f\x8c\xb3", 10, "z\xc3\xbc\xe2\x82\xac\xf0\x9f\x8c\xb3", "two, three and four bytes" },
	{ "a\xff" "b", 3, "a\\xffb", "a byte that is never UTF-8" },
	{ "\xc3", 1, "\\xc3", "half a character" },
	{ "\xc0\x80", 2, "\\xc0\\x80", "NUL written overlong" },
	{ "\xed\xa0\x80", 3, "\\xed\\xa0\\x80", "a surrogate" },
	{ "\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80", "beyond the last character" },
};

static void test_strings(void)
{
	for (size_t i = 0; i < sizeof(strings) / sizeof(*strings); i++) {
		struct buf b = { .most = 1000 };
		struct jout j = { .to = &b };

		jout_open(&j, '[');
		jout_bytes(&j, strings[i].in, strings[i].n);
		jout_close(&j, ']');
		json_t *v = json_loadb(b.at, b.len, 0, NULL);
		const char *out = json_string_value(json_array_get(v, 0));

		CHECK(out && !strcmp(out, strings[i].out), "%s", strings[i].what);
		json_decref(v);
		buf_free(&b);
	}
	/* Every pair of bytes comes out as JSON. */
	int bad = 0;
	for (unsigned k = 0; k < 65536; k++) {
		const char pair[2] = { (char)(k >> 8), (char)k };
		struct buf b = { .most = 100 };
		struct jout j = { .to = &b };

		jout_bytes(&j, pair, 2);
		json_t *v = json_loadb(b.at, b.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		bad += !v;
		json_decref(v);
		buf_free(&b);
	}
	CHECK(bad == 0, "each of 65,536 pairs of bytes makes a JSON string, %d do not", bad);
}

static void test_nesting(void)
{
	static const char want[] = "{\"a\":[1,-9223372036854775808,{}],\"b\":{\"c\":null,\"d\":true},\"e\":[]}";
	struct buf b = { .most = 1000 };
	struct jout j = { .to = &b };

	jout_open(&j, '{');
	jout_key(&j, "a");
	jout_open(&j, '[');
	jout_int(&j, 1);
	jout_int(&j, INT64_MIN);
	jout_open(&j, '{');
	jout_close(&j, '}');
	jout_close(&j, ']');
	jout_key(&j, "b");
	jout_open(&j, '{');
	jout_key(&j, "c");
	jout_null(&j);
	jout_key(&j, "d");
	jout_bool(&j, true);
	jout_close(&j, '}');
	jout_key(&j, "e");
	jout_open(&j, '[');
	jout_close(&j, ']');
	jout_close(&j, '}');
	CHECK(b.len == sizeof(want) - 1 && !memcmp(b.at, want, b.len), "commas: %.*s", (int)b.len, b.at);
	buf_free(&b);
	struct jout none = { 0 };
	jout_open(&none, '[');
	jout_text(&none, "x");
	jout_close(&none, ']');
	CHECK(true, "writing to nobody is safe");
}

static void test_times(void)
{
	static const struct { int64_t wall; const char *text; } times[] = {
		{ 0, "\"1970-01-01T00:00:00.000Z\"" }, { 951782400123, "\"2000-02-29T00:00:00.123Z\"" },
		{ 4102444799999, "\"2099-12-31T23:59:59.999Z\"" }, { -1, "null" },
	};

	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		struct buf b = { .most = 100 };

		jout_time(&(struct jout){ .to = &b }, times[i].wall);
		CHECK(b.len == strlen(times[i].text) && !memcmp(b.at, times[i].text, b.len), "time %lld is %s",
		      (long long)times[i].wall, times[i].text);
		buf_free(&b);
	}
	char text[32];
	CHECK(strlen(time_rfc3339(INT64_MAX, text)) == 24, "a time beyond the calendar is still a time");
}

static void test_shape(void)
{
	static const struct { const char *text; size_t n; int want; const char *what; } shapes[] = {
		{ "[[[]]]", 6, 0, "three deep where three may be" },
		{ "[[[[]]]]", 8, -E2BIG, "four deep" },
		{ "[][][][][]", 10, 0, "many side by side" },
		{ "\"[[[[[[\"", 8, 0, "brackets in a string" },
		{ "\"\\\"[[[[[\"", 9, 0, "a quote in a string" },
		{ "\"\\\\\"[[[[", 8, -E2BIG, "a backslash at a string's end" },
		{ "]]]]]][[[[", 10, -E2BIG, "closing what was never opened earns no credit" },
		{ "a\0b", 3, -EINVAL, "a NUL" },
		{ "\"\\\0\"", 4, -EINVAL, "a NUL behind a backslash" },
		{ "{{{{", 4, -E2BIG, "braces" },
	};

	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
		CHECK(json_shape(shapes[i].text, shapes[i].n, 3) == shapes[i].want, "%s", shapes[i].what);
}

static void test_buffer(void)
{
	struct buf b = { .most = 10 };

	buf_put(&b, "12345", 5);
	buf_put(&b, "67890", 5);
	CHECK(b.len == 10 && !b.broken, "as much as it may hold");
	buf_put(&b, "x", 1);
	CHECK(b.len == 10 && b.broken, "one more is left out");
	buf_put(&b, "", 0);
	CHECK(b.broken, "and it stays broken");
	buf_cut(&b, 3);
	buf_put(&b, "abc", 3);
	CHECK(b.len == 6 && !b.broken && !memcmp(b.at, "123abc", 6), "until it is cut");
	buf_drop(&b, 4);
	CHECK(b.len == 2 && !memcmp(b.at, "bc", 2), "dropped from the front");
	buf_drop(&b, 2);
	CHECK(!b.at && b.most == 10, "empty, it holds no memory");
}

int main(void)
{
	test_strings();
	test_nesting();
	test_times();
	test_shape();
	test_buffer();
	return tap_done();
}
