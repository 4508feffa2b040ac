/* lines.c - what comes out of the guarded reader, byte by byte. */
#include "conf/lines.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/tap.h"

static void take(void *self, const char *section, const char *name, const char *value, uint32_t line)
{
	struct text *t = self;

	if (name)
		text_fmt(t, "%u %s.%s=%s|", line, section, name, value);
	else
		text_fmt(t, "%u [%s]|", line, section);
}

/* "in", what comes out, and a part of the finding, NULL where there must be none. */
static const struct { const char *in; size_t n; const char *out, *finding; } cases[] = {
#define CASE(text, out, finding) { text, sizeof(text) - 1, out, finding }
	CASE("", "", NULL),
	CASE("\n\n# only\n; comments\n", "", NULL),
	CASE("[A]\nk=v", "1 [A]|2 A.k=v|", NULL),
	CASE("\xef\xbb\xbf[A]\nk=v\n", "1 [A]|2 A.k=v|", NULL),
	CASE("[A]\n  k  =  v w\t \n", "1 [A]|2 A.k=v w|", NULL),
	CASE("[A]\nk=v ; no comment # none\n", "1 [A]|2 A.k=v ; no comment # none|", NULL),
	CASE("[A]\nk=a\\\nb\n", "1 [A]|2 A.k=a b|", NULL),
	CASE("[A]\nk=a \\\n  b \\\n c\nl=1\n", "1 [A]|2 A.k=a  b  c|5 A.l=1|", NULL),
	CASE("[A]\nk=a \\\n# comment\n  ; other\n  b\nl=1\n", "1 [A]|2 A.k=a  b|6 A.l=1|", NULL),
	CASE("[A]\nk=a\\\\\nl=b\n", "1 [A]|2 A.k=a\\\\|3 A.l=b|", NULL),
	CASE("[A]\nk=a\\\n\nl=b\n", "1 [A]|2 A.k=a|4 A.l=b|", NULL),
	CASE("[A]\nk=a\\", "1 [A]|2 A.k=a|", NULL),
	CASE("[A]\nk=a \\  \n b\n", "1 [A]|2 A.k=a  b|", NULL),
	CASE("[A]\n# c \\\nk=v\n", "1 [A]|3 A.k=v|", NULL),
	CASE("[A]\nk=\n", "1 [A]|2 A.k=|", NULL),
	CASE("[A]\nk=gr\xc3\xbc\xc3\x9f\n", "1 [A]|2 A.k=gr\xc3\xbc\xc3\x9f|", NULL),
	CASE("[A]\nk=a=b:c\n", "1 [A]|2 A.k=a=b:c|", NULL),
	CASE("[A]\n[A]\nk=v\n", "1 [A]|2 [A]|3 A.k=v|", NULL),
	CASE("k=v\n[A]\nl=w\n", "2 [A]|3 A.l=w|", "f:1: \"k=v\" stands before"),
	CASE("k=v\nl=v\n", "", "f:1: \"k=v\" stands before"),
	CASE("[A\nk=v\n[B]\nl=w\n", "3 [B]|4 B.l=w|", "f:1: \"[A\" has no closing"),
	CASE("[A]]\nk=v\n", "", "text behind"),
	CASE("[A] x\nk=v\n", "", "text behind"),
	CASE("[012345678901234567890123456789012345678901234567]\n", "1 [012345678901234567890123456789012345678901234567]|", NULL),
	CASE("[0123456789012345678901234567890123456789012345678]\n", "", "longer than 48"),
	CASE("[A]\nk\nl=w\n", "1 [A]|3 A.l=w|", "f:2: \"k\" has no '='"),
	CASE("[A]\nk:x=v\nl=w\n", "1 [A]|3 A.l=w|", "may not hold ':'"),
	CASE("[A]\n=v\n", "1 [A]|", "no name before"),
	CASE("[A]\nk=v\0w\n", "", "f:2: NUL byte"),
	CASE("[A]\r\nk=v\r\n", "", "f:1: line ends in CR LF"),
	CASE("[A]\nk=v\rw\n", "", "carriage return"),
	CASE("[A]\nk=\xff\n", "", "f:2: byte 0xff is no UTF-8"),
	CASE("[A]\nk=\xc3", "", "byte 0xc3 is no UTF-8"),
	CASE("[A]\nk=\x1b[31m\n", "", "control character 0x1b"),
	CASE("[A]\nk=\x7f\n", "", "control character 0x7f"),
	CASE("[A]\nk=a\tb\n", "1 [A]|2 A.k=a\tb|", NULL),
};

static struct arena arena;

/* One line of n bytes, all in all; whether it comes through. */
static bool comes_through(size_t n)
{
	char *text = malloc(n + 5);
	char said[64] = "";
	struct text t = TEXT(said);
	struct findings fs = { 0 };

	memcpy(text, "[A]\nk=", 6);
	memset(text + 6, 'x', n - 2);
	text[n + 4] = '\n';
	lines_read(text, n + 5, "f", &fs, &arena, take, &t);
	free(text);

	bool good = t.cut && !fs.n;

	findings_free(&fs);
	return good;
}

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char said[512] = "", first[512] = "";
		struct text t = TEXT(said), f = TEXT(first);
		struct findings fs = { 0 };
		char *exact = malloc(cases[i].n ? cases[i].n : 1);

		memcpy(exact, cases[i].in, cases[i].n);
		CHECK(lines_read(exact, cases[i].n, "f", &fs, &arena, take, &t) == 0, "case %zu is read", i);
		CHECK(!strcmp(said, cases[i].out), "case %zu comes out as <%s>", i, said);
		if (fs.n)
			finding_put(&f, &fs.at[0]);
		CHECK(fs.n == (cases[i].finding != NULL) && (!fs.n || strstr(first, cases[i].finding)),
		      "case %zu has %u findings: %s", i, fs.n, first);
		findings_free(&fs);
		free(exact);
	}
	CHECK(comes_through((1u << 20) - 2), "a line of 1 MiB less two comes through");
	CHECK(!comes_through((1u << 20) - 1), "one of a byte more does not");
	return tap_done();
}
