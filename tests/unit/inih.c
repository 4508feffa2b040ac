/* inih.c - what we rely on in the library, and what lines.c must keep from it. */
#include <ini.h>

#include <stdlib.h>
#include <string.h>

#include "conf/kit/text.h"
#include "conf/lines.h"
#include "tests/lib/tap.h"

static char said[4096];
static struct text out;
static size_t longest;

static int take(void *user, const char *section, const char *name, const char *value, int line)
{
	(void)user;
	text_fmt(&out, "%d[%s]", line, section);
	if (name)
		text_fmt(&out, "%s=%.40s", name, value);
	text_char(&out, ' ');
	if (value && strlen(value) > longest)
		longest = strlen(value);
	return 1;
}

static int parse(const char *text)
{
	out = TEXT(said);
	said[0] = '\0';
	longest = 0;
	return ini_parse_string(text, take, NULL);
}

static void test_memory(void)
{
	char *line = ini_malloc(INI_INITIAL_ALLOC), *other = ini_malloc(INI_INITIAL_ALLOC), *more;

	if (!line || !other)
		exit(1);
	CHECK(line != other, "whoever comes second has room of its own");
	memset(line, 'x', INI_INITIAL_ALLOC);
	memset(other, 'y', INI_INITIAL_ALLOC);
	more = ini_realloc(line, 100000);
	CHECK(more && more != line && more[0] == 'x' && more[INI_INITIAL_ALLOC - 1] == 'x' && other[0] == 'y', "what grows keeps what it holds");
	ini_free(more);
	ini_free(other);
	CHECK(parse("[a]\nk=v\n") == 0 && (other = ini_malloc(INI_INITIAL_ALLOC)) == line, "inih gives its line back");
	ini_free(other);
	CHECK((other = ini_malloc(INI_INITIAL_ALLOC + 1)) != line, "which is no larger than it says");
	ini_free(other);
}

int main(void)
{
	test_memory();
	/* What we rely on. */
	CHECK(parse("[a]\nk = v w \n[b]\nk=v\n") == 0 && !strcmp(said, "1[a] 2[a]k=v w 3[b] 4[b]k=v "),
	      "sections are announced, lines are counted: %s", said);
	CHECK(parse("[a]\nExec = /bin/sh -c 'a ; b' # c\n") == 0 &&
	      !strcmp(said, "1[a] 2[a]Exec=/bin/sh -c 'a ; b' # c "), "no comments inside a line: %s", said);
	CHECK(parse("[a]\nk=v\n  l=w\n") == 0 && !strcmp(said, "1[a] 2[a]k=v 3[a]l=w "),
	      "no continuation by indentation: %s", said);
	CHECK(parse("[a]\nk=\n") == 0 && !strcmp(said, "1[a] 2[a]k= "), "an empty value is a value: %s", said);
	CHECK(parse("[a]\nbad\nk=v\n") == 2 && !strcmp(said, "1[a] 3[a]k=v "), "it goes on after an error: %s",
	      said);
	CHECK(parse("[a]\nk=a=b:c\n") == 0 && !strcmp(said, "1[a] 2[a]k=a=b:c "), "the first '=' parts: %s",
	      said);

	size_t most = (1u << 20) - 2;
	char *line = malloc(most + 8);

	strcpy(line, "[a]\nk=");
	memset(line + 6, 'x', most);
	line[4 + most] = '\0';
	CHECK(parse(line) == 0 && longest == most - 2, "a line of %zu bytes comes whole: %zu", most, longest);
	free(line);

	/* What it would do to a careless file; each of these is refused before. */
	CHECK(parse("[a]\nPath:x = y\n") == 0 && !strcmp(said, "1[a] 2[a]Path=x = y "),
	      "a colon parts as well: %s", said);
	CHECK(parse("[0123456789012345678901234567890123456789012345678901234567890]\n") == 0 &&
	      strlen(said) < 60, "a long section is cut: %s", said);
	CHECK(parse("[a]junk\nk=v\n") == 0 && !strcmp(said, "1[a] 2[a]k=v "),
	      "text behind a section is dropped: %s", said);
	CHECK(parse("k=v\n") == 0 && !strcmp(said, "1[]k=v "), "a setting needs no section: %s", said);
	return tap_done();
}
