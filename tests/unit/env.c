/* env.c - environment files of every shape, and the list of variables at its limits. */
#include "supervise/env.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/tap.h"

/* Results are "NAME=value" joined with "|"; `bad` is the first bad line. */
static const struct { const char *text, *want; size_t bad; } cases[] = {
	{ "", "", 0 },
	{ "A=1", "A=1", 0 },
	{ "A=1\nB=2\n", "A=1|B=2", 0 },
	{ "A=1\r\nB=2\r\n", "A=1|B=2", 0 },
	{ "\n\n  A=1\n", "A=1", 0 },
	{ "# A=0\n;B=0\nA=1", "A=1", 0 },
	{ "# one \\\nA=1", "A=1", 0 },
	{ "A=1 # no comment", "A=1 # no comment", 0 },
	{ "A=a#b", "A=a#b", 0 },
	{ "no assignment\nA=1", "A=1", 0 },
	{ "A=", "A=", 0 },
	{ "A=   \nB=2", "A=|B=2", 0 },
	{ "A=  x y  \n", "A=x y", 0 },
	{ "A =x", "A=x", 0 },
	{ "A=x\\ \nB=2", "A=x |B=2", 0 },
	{ "A=x\\\ny\n", "A=xy", 0 },
	{ "A=x \\\n\nB=2", "A=x |B=2", 0 },
	{ "A=\\a\\\\", "A=a\\", 0 },
	{ "A='x y  '\n", "A=x y  ", 0 },
	{ "A='x\ny'\nB=2", "A=x\ny|B=2", 0 },
	{ "A='a\\nb'", "A=a\\nb", 0 },
	{ "A=\"x  \"", "A=x  ", 0 },
	{ "A=\"a\\\"b\\\\c\\$d\\`e\\nf\"", "A=a\"b\\c$d`e\\nf", 0 },
	{ "A=\"x\\\ny\"", "A=xy", 0 },
	{ "A='x'\"y\"", "A=xy", 0 },
	{ "A=\"x\" y", "A=xy", 0 },
	{ "A=x\"y\"", "A=x\"y\"", 0 },
	{ "A=$B ${C} $(d)", "A=$B ${C} $(d)", 0 },
	{ "A=b=c", "A=b=c", 0 },
	{ "A=1\nA=2", "A=1|A=2", 0 },
	{ "export A=1\nB=2", "B=2", 1 },
	{ "B=2\n1A=x\n", "B=2", 2 },
	{ "=x\nB=2", "B=2", 1 },
	{ "B=2\n\nA='open\n\n", "B=2", 3 },
	{ "A=\"open\\", "", 1 },
	{ "A=x\\", "A=x", 0 },
};

static bool collect(void *self, const char *name, const char *value)
{
	char *out = self;

	snprintf(out + strlen(out), 4096 - strlen(out), "%s%s=%s", *out ? "|" : "", name, value);
	return true;
}

static bool stop_at_once(void *self, const char *name, const char *value)
{
	(void)name;
	(void)value;
	++*(int *)self;
	return false;
}

static void test_files(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = strlen(cases[i].text);
		/* Exactly as much as promised: a sanitizer sees the byte too many. */
		char *text = malloc(n ? n : 1), *scratch = malloc(n + 1), out[4096] = "";

		if (!text || !scratch)
			abort();
		memcpy(text, cases[i].text, n);
		size_t bad = env_read(text, n, scratch, collect, out);
		CHECK(strcmp(out, cases[i].want) == 0, "case %zu: %zu bytes come out as they should", i, strlen(out));
		CHECK(bad == cases[i].bad, "case %zu: bad line is %zu", i, bad);
		free(text);
		free(scratch);
	}
}

static void test_hostile(void)
{
	static const char nul[] = "A=1\nB=x\0y\nC=3";
	char out[4096] = "", scratch[sizeof(nul)];
	int calls = 0;

	CHECK(env_read(nul, sizeof(nul) - 1, scratch, collect, out) == 2 && strcmp(out, "A=1") == 0, "a NUL ends it: %s", out);
	CHECK(env_read("A=1\nB=2", 7, scratch, stop_at_once, &calls) == 0 && calls == 1, "it stops when told to");
}

static void test_list(void)
{
	struct arena a = { 0 };
	struct env env = { .arena = &a };
	char name[32];

	env_put(&env, "A=1");
	env_put(&env, "AB=2");
	env_put(&env, "A=3");
	env_put(&env, "nothing");
	env_put(&env, "=x");
	CHECK(env.n == 2 && strcmp(env.at[0], "A=3") == 0 && !env.at[2], "the last one said counts, in its old place");
	env_default(&env, "A", "4");
	env_default(&env, "C", "5");
	CHECK(strcmp(env_get(&env, "A", 1), "3") == 0 && strcmp(env_get(&env, "C", 1), "5") == 0, "defaults give way");
	CHECK(!env_get(&env, "D", 1) && strcmp(env_get(&env, "ABX", 2), "2") == 0, "names are found by their length");
	while (env.n < MAX_ENV) {
		snprintf(name, sizeof(name), "V%zu", env.n);
		env_set(&env, name, "v");
	}
	CHECK(!env.failed && env.n == MAX_ENV, "as many as allowed");
	env_set(&env, "ONE_MORE", "v");
	CHECK(env.failed, "one more is too many");
	arena_free(&a);
	CHECK(env_name_ok("_a1", 3) && !env_name_ok("1a", 2) && !env_name_ok("", 0) && !env_name_ok("a-b", 3), "names");
}

int main(void)
{
	test_files();
	test_hostile();
	test_list();
	return tap_done();
}
