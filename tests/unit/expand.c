/* expand.c - $VARIABLES in command lines, by systemd's rules and at their limits. */
#include "supervise/expand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/tap.h"

/* Words of the result are joined with "|". FOO='one two', Q='a "b c" d\ e', EMPTY=, BLANK='  ', A=x. */
static const struct { const char *raw, *want, *unset; } cases[] = {
	{ "plain", "plain", "" },
	{ "$A", "x", "" },
	{ "${A}", "x", "" },
	{ "a${A}b", "axb", "" },
	{ "${A}${A}", "xx", "" },
	{ "$FOO", "one|two", "" },
	{ "${FOO}", "one two", "" },
	{ "x${FOO}", "xone two", "" },
	{ "a$FOO", "a$FOO", "" },
	{ "a$FOO b", "a$FOO b", "" },
	{ "$Q", "a|b c|d e", "" },
	{ "${Q}", "a \"b c\" d\\ e", "" },
	{ "$NONE", NULL, "NONE" },
	{ "${NONE}", "", "NONE" },
	{ "a${NONE}b${NONE2}", "ab", "NONE NONE2" },
	{ "$EMPTY", NULL, "" },
	{ "${EMPTY}", "", "" },
	{ "$BLANK", NULL, "" },
	{ "$$", "$", "" },
	{ "$$FOO", "$FOO", "" },
	{ "$$$FOO", "$$FOO", "" },
	{ "$${A}", "${A}", "" },
	{ "$$${A}", "$x", "" },
	{ "a$", "a$", "" },
	{ "a$$b", "a$b", "" },
	{ "${A", "${A", "" },
	{ "x${", "x${", "" },
	{ "${A:-y}", "", "A:-y" },
	{ "${}", "", "" },
	{ "$QUOTED", "it's", "" },
	{ "$HALF", "open to the end", "" },
	{ "$EDGE", "end\\", "" },
	{ "$NIL", "|", "" },
};

static char *join(char **argv)
{
	static char out[4096];

	out[0] = '\0';
	for (size_t i = 0; argv[i]; i++)
		snprintf(out + strlen(out), sizeof(out) - strlen(out), "%s%s", i ? "|" : "", argv[i]);
	return out;
}

static struct env make_env(struct arena *a)
{
	struct env env = { .arena = a };

	env_put(&env, "FOO=one two");
	env_put(&env, "Q=a \"b c\" d\\ e");
	env_put(&env, "EMPTY=");
	env_put(&env, "BLANK=  ");
	env_put(&env, "A=x");
	env_put(&env, "QUOTED=it\"'\"s");
	env_put(&env, "HALF='open to the end");
	env_put(&env, "EDGE=end\\");
	env_put(&env, "NIL='' \"\"");
	return env;
}

static void test_cases(const struct env *env)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena a = { 0 };
		const char *raw[] = { "program", cases[i].raw };
		char words[200] = "", **argv = NULL;
		struct text unset = TEXT(words);
		int rc = expand_words(&a, raw, 2, 1, env, &argv, &unset);

		if (CHECK(rc == 0 && argv && strcmp(argv[0], "program") == 0, "%s is read", cases[i].raw)) {
			CHECK(!!cases[i].want == !!argv[1], "%s gives %s", cases[i].raw, argv[1] ? "a word" : "nothing");
			if (cases[i].want && argv[1])
				CHECK(strcmp(join(argv + 1), cases[i].want) == 0, "%s gives %s", cases[i].raw, join(argv + 1));
			if (strcmp(cases[i].raw, "${}") != 0)
				CHECK(strcmp(words, cases[i].unset) == 0, "%s tells of \"%s\"", cases[i].raw, words);
		}
		arena_free(&a);
	}
}

static void test_fixed(const struct env *env)
{
	struct arena a = { 0 };
	const char *raw[] = { "$A", "${A}", "$A", "$FOO" };
	struct text unset = { 0 };
	char **argv = NULL;

	int rc = expand_words(&a, raw, 4, 2, env, &argv, &unset);

	if (CHECK(rc == 0, "the first words are fixed")) {
		CHECK(strcmp(join(argv), "$A|${A}|x|one|two") == 0, "and are taken as they are: %s", join(argv));
		CHECK(argv[0] == raw[0], "and need no copy");
	}
	arena_free(&a);
}

static void test_limits(struct env *env)
{
	struct arena a = { 0 };
	size_t n = 1u << 20;
	char *big = malloc(n + 3), *greedy = malloc(n + 1), **argv = NULL;
	struct text unset = { 0 };
	const char *once[] = { "p", "${BIG}" }, *split[] = { "p", "$MANY" }, *many[2] = { "p", greedy };

	if (!big || !greedy)
		abort();
	memcpy(big, "BIG=", 4);
	memset(big + 4, 'b', n - 4);
	big[n] = '\0';
	env_put(env, big);
	CHECK(expand_words(&a, once, 2, 1, env, &argv, &unset) == 0 && strlen(argv[1]) == n - 4, "a value of 1M fits");
	for (size_t i = 0; i + 6 <= n; i += 6)
		memcpy(greedy + i, "${BIG}", 6);
	greedy[n / 6 * 6] = '\0';
	CHECK(expand_words(&a, many, 2, 1, env, &argv, &unset) == -E2BIG, "1M of ${BIG} is refused, not tried");
	memcpy(big, "MANY=", 5);
	for (size_t i = 5; i < n; i++)
		big[i] = i % 2 ? 'm' : ' ';
	env_put(env, big);
	size_t words = 0;
	CHECK(expand_words(&a, split, 2, 1, env, &argv, &unset) == 0, "half a million words");
	while (argv[words])
		words++;
	CHECK(words == 1 + (n - 5 + 1) / 2, "are all there: %zu", words);
	arena_free(&a);
	free(big);
	free(greedy);
}

int main(void)
{
	struct arena a = { 0 };
	struct env env = make_env(&a);

	test_cases(&env);
	test_fixed(&env);
	test_limits(&env);
	arena_free(&a);
	return tap_done();
}
