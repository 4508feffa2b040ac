/* text.c - the text builder, words and their quotes, spans as a person writes them, and the nearest name. */
#include "conf/kit/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/kit/time.h"
#include "conf/values.h"
#include "tests/lib/tap.h"

static void test_builder(void)
{
	char small[8], none[1] = { 'x' };
	struct text t = TEXT(small), no_room = { .at = none, .size = 0 };

	text_put(&t, "abc");
	text_char(&t, '-');
	text_num(&t, -12);
	CHECK(!strcmp(small, "abc--12") && !t.cut && t.len == 7, "seven letters fit into eight bytes");
	text_char(&t, '!');
	CHECK(!strcmp(small, "abc--12") && t.cut && t.len == 7, "an eighth is left out, and told");
	t = TEXT(small);
	text_fmt(&t, "%s", "abcdefghij");
	CHECK(!strcmp(small, "abcdefg") && t.cut && t.len == 7, "what is formatted is cut too");
	text_fmt(&t, "more");
	CHECK(t.len == 7, "nothing is added to a full text");
	text_put(&no_room, "abc");
	text_fmt(&no_room, "abc");
	CHECK(none[0] == 'x' && no_room.cut && no_room.len == 0, "a text without room is not touched");
	t = TEXT(small);
	text_num(&t, INT64_MIN);
	CHECK(t.cut, "the least number is cut where there is no room for it");

	char wide[32];

	t = TEXT(wide);
	text_num(&t, INT64_MIN);
	CHECK(!strcmp(wide, "-9223372036854775808"), "the least number: %s", wide);
}

static const struct { const char *in; size_t n; const char *out; } shown[] = {
	{ "plain", 5, "plain" }, { "tab\tnew\nline", 12, "tab\\x09new\\x0aline" }, { "nul\0end", 7, "nul\\x00end" },
	{ "gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f" }, { "\xff\xc3", 2, "\\xff\\xc3" }, { "\x7f\x1b[31m", 6, "\\x7f\\x1b[31m" },
	{ "\xc2\x85", 2, "\\xc2\\x85" }, { "\xed\xa0\x80", 3, "\\xed\\xa0\\x80" }, { "\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80" },
	{ "\xc0\xaf", 2, "\\xc0\\xaf" }, { "\xf0\x9f\x98\x80", 4, "\xf0\x9f\x98\x80" },
	{ "0123456789abcdefghij0123456789", 30, "0123456789abcdefghij..." },
};

static const struct { int64_t msec; const char *text; } spans[] = {
	{ 0, "0" }, { 1, "1ms" }, { 999, "999ms" }, { 1000, "1s" }, { 1500, "1.5s" }, { 1050, "1.05s" }, { 1001, "1.001s" },
	{ 60000, "1min" }, { 150000, "2min 30s" }, { 3600000, "1h" }, { 90061001, "1d 1h 1min 1.001s" }, { FOREVER, "infinity" },
	{ -5, "0" },
};

static const struct { const char *in; unsigned flags; const char *words; int end; } lines[] = {
	/* words are parted by |; systemd.syntax(7) "Quoting", and its source's unit tests for words in mid-word quotes */
	{ "", 0, "", 0 }, { "  \t ", 0, "", 0 }, { "a", 0, "a|", 0 }, { " a  b\tc ", 0, "a|b|c|", 0 },
	{ "'a b' c", 0, "a b|c|", 0 }, { "\"a b\"c", 0, "a bc|", 0 }, { "yay'foo'bar", 0, "yayfoobar|", 0 }, { "''", 0, "|", 0 },
	{ "a '' b", 0, "a||b|", 0 }, { "\"it's\"", 0, "it's|", 0 }, { "'say \"x\"'", 0, "say \"x\"|", 0 },
	{ "a\\tb", 0, "a\tb|", 0 }, { "'\\n'", 0, "\n|", 0 }, { "\\x41\\101\\u00e9\\U0001f600", 0, "AA\xc3\xa9\xf0\x9f\x98\x80|", 0 },
	{ "a\\ b", 0, "", -EILSEQ }, { "a\\sb", 0, "a b|", 0 }, { "\\\\ \\\" \\'", 0, "\\|\"|'|", 0 },
	{ "'open", 0, "", -EINVAL }, { "x \"open", 0, "x|", -EINVAL }, { "end\\", 0, "", -EINVAL }, { "\\q", 0, "", -EILSEQ },
	{ "\\x0", 0, "", -EILSEQ }, { "\\x00", 0, "", -EILSEQ }, { "\\000", 0, "", -EILSEQ }, { "\\400", 0, "", -EILSEQ },
	{ "\\ud800", 0, "", -EILSEQ }, { "\\U00110000", 0, "", -EILSEQ }, { "\\u12", 0, "", -EILSEQ },
	{ "'open", TEXT_RELAX, "open|", 0 }, { "a\\ b", TEXT_RELAX, "a b|", 0 }, { "\\n 'q'", TEXT_RELAX, "n|q|", 0 }, { "end\\", TEXT_RELAX, "end|", 0 },
};

static void test_words(void)
{
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		char word[64], all[128];
		struct text w = { .at = word, .size = strlen(lines[i].in) + 1 }, a = TEXT(all);
		const char *at = lines[i].in;
		int n;

		all[0] = '\0';
		while ((n = text_word(&at, &w, lines[i].flags)) > 0) {
			text_put(&a, word);
			text_char(&a, '|');
		}
		CHECK(n == lines[i].end && !strcmp(all, lines[i].words) && !w.cut,
		      "words of <%s>: <%s> and %d", lines[i].in, all, n);
		CHECK(n || !*at, "and all of it was read");
	}
}

static const char *next(void *self)
{
	static const char *const names[] = { "Restart", "RestartSec", "ExecStart", "ExecStartPre", "User",
					    NULL };
	size_t *at = self;

	return names[*at] ? names[(*at)++] : NULL;
}

static const struct { const char *typo, *name; } typos[] = {
	{ "Restarts", "Restart" }, { "Restart", "Restart" }, { "restartsec", "RestartSec" }, { "ExceStart", "ExecStart" },
	{ "ExecStrat", "ExecStart" }, { "Usr", "User" }, { "Uesr", "User" }, { "Banana", NULL }, { "", NULL }, { "Xy", NULL },
	{ "ExecStartPer", "ExecStartPre" },
	{ "ExecStartExecStartExecStartExecStartExecStartExecStartExecStartExecStart", NULL },
};

int main(void)
{
	test_builder();
	for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
		char out[128] = "";
		struct text t = TEXT(out);

		text_shown(&t, shown[i].in, shown[i].n, 20);
		CHECK(!strcmp(out, shown[i].out), "shown as <%s>", out);
	}
	for (size_t i = 0; i < sizeof(spans) / sizeof(*spans); i++) {
		char out[64] = "";
		struct text t = TEXT(out);
		msec_t back = -1;

		text_span(&t, spans[i].msec);
		CHECK(!strcmp(out, spans[i].text), "%lld ms is <%s>", (long long)spans[i].msec, out);
		CHECK(span_of(out, 1000, &back) && back == (spans[i].msec < 0 ? 0 : spans[i].msec),
		      "and is read back: %lld", (long long)back);
	}
	test_words();
	for (size_t i = 0; i < sizeof(typos) / sizeof(*typos); i++) {
		size_t at = 0;
		const char *near = text_nearest(typos[i].typo, next, &at);

		CHECK(near == typos[i].name || (near && typos[i].name && !strcmp(near, typos[i].name)),
		      "near <%s> is %s", typos[i].typo, near ? near : "nothing");
	}
	return tap_done();
}
