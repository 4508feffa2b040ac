/* exec.c - what a child reads before it is a unit: an environment file, a command line with variables, a request. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "supervise/env.h"
#include "supervise/expand.h"
#include "supervise/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A contract that does not hold ends the program, which every runner of a fuzz target notices. */
static void must(bool holds)
{
	if (!holds)
		abort();
}

struct seen { struct env env; size_t bytes; };

static bool take(void *self, const char *name, const char *value)
{
	struct seen *s = self;

	must(env_name_ok(name, strlen(name)));
	s->bytes += strlen(name) + strlen(value) + 2;
	env_set(&s->env, name, value);
	must(s->env.failed || strcmp(env_get(&s->env, name, strlen(name)), value) == 0);
	return !s->env.failed;
}

/* Words of the same bytes, expanded with the variables that were read from them. */
static void expand(const struct seen *s, char *text, size_t size)
{
	struct arena a = { 0 };
	const char *raw[16];
	char words[100] = "", **argv = NULL;
	struct text unset = TEXT(words);
	uint32_t n = 0;

	for (char *at = text; n < 16 && at < text + size; at += strlen(at) + 1)
		raw[n++] = at;

	int rc = expand_words(&a, raw, n, n ? 1 : 0, &s->env, &argv, &unset);

	must(rc == 0 || rc == -E2BIG);
	if (rc == 0) {
		size_t words_out = 0, bytes = 0;

		for (; argv[words_out]; words_out++)
			bytes += strlen(argv[words_out]) + 1;
		must(!n || argv[0] == raw[0]);
		must(bytes <= MAX_EXPANDED + size + 1);
	}
	arena_free(&a);
}

static void request(const char *at, size_t size)
{
	static struct request r;

	if (request_read(at, size, &r) != 0)
		return;
	must(r.argc <= MAX_EXEC_ARGS && r.envc <= MAX_EXEC_ARGS && !r.argv[r.argc] && !r.env[r.envc]);
	size_t bytes = sizeof(struct exec_head) + strlen(r.user) + 1 + strlen(r.workdir) + 1;
	for (uint32_t i = 0; i < r.argc; i++)
		bytes += strlen(r.argv[i]) + 1;
	for (uint32_t i = 0; i < r.envc; i++)
		bytes += strlen(r.env[i]) + 1;
	must(bytes == size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = { 0 };
	struct seen s = { .env = { .arena = &a } };
	/* Exactly as large as they are, so that reading or writing beyond is seen. */
	char *text = malloc(size + 1), *whole = calloc(1, size ? size : 1), *scratch = malloc(size + 1);

	must(text && whole && scratch);
	if (size) {
		memcpy(text, data, size);
		memcpy(whole, data, size);
	}
	text[size] = '\0';
	size_t bad = env_read(whole, size, scratch, take, &s);
	size_t lines = 1;
	for (size_t i = 0; i < size; i++)
		lines += whole[i] == '\n';
	must(bad <= lines && s.bytes <= size + 1);
	expand(&s, text, size);
	request(whole, size);
	/* The same as a request whose head is right but for what it says. */
	if (size >= sizeof(struct exec_head)) {
		struct exec_head head = { EXEC_MAGIC, (uint32_t)(unsigned char)whole[4], (uint32_t)(unsigned char)whole[8], (uint32_t)size };

		memcpy(whole, &head, sizeof(head));
		request(whole, size);
	}
	free(text);
	free(whole);
	free(scratch);
	arena_free(&a);
	return 0;
}

#ifdef FUZZ_SWEEP
#include "tests/fuzz/sweep.h"
#endif
