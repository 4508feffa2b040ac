/* environment.c - the variables of [Boot] EnvironmentFile=, among those that all units have. */
#include "conf/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/envfile.h"
#include "conf/kit/own.h"

struct variables { struct compiler *c; uint32_t n; bool many; };

static bool take_variable(void *self, const char *name, const char *value)
{
	struct variables *v = self;
	size_t size = strlen(name) + strlen(value) + 2;
	struct text pair = { .at = arena_get(&v->c->arena, size), .size = size };

	v->many = ++v->n > MAX_ENV;
	if (v->many || !pair.at)
		return false;
	text_put(&pair, name);
	text_char(&pair, '=');
	text_put(&pair, value);
	build_append(&v->c->build, offsetof(struct house, default_env), build_text(&v->c->build, pair.at, pair.len));
	return true;
}

int environment_load(struct compiler *c, struct buffer *buffer)
{
	struct house *h = &c->house;
	struct build *b = &c->build;
	struct variables v = { .c = c };
	const char *path = arena_copy(&c->arena, b->text + h->env_file, strlen(b->text + h->env_file));
	list_at said = h->default_env;

	if (!path || !*path)
		return path ? 0 : -ENOMEM;
	if (*path == '-' && access(++path, F_OK) < 0 && errno == ENOENT)
		return 0;
	ssize_t n = file_read(buffer, AT_FDCWD, path, false, path, c->findings);
	owned_mem char *scratch = NULL;

	if (n > (ssize_t)MAX_ENV_FILE)
		finding_add(c->findings, SAY_ERROR, path, 0, "is larger than %u KiB; its variables are left out", MAX_ENV_FILE >> 10);
	if (n < 0 || n > (ssize_t)MAX_ENV_FILE)
		return n == -ENOMEM ? -ENOMEM : 0;
	scratch = malloc((size_t)n + 1);
	if (!scratch)
		return -ENOMEM;
	build_lists(b);
	size_t bad = env_read(buffer->at, (size_t)n, scratch, take_variable, &v);

	if (bad)
		finding_add(c->findings, SAY_WARNING, path, (uint32_t)bad, "this is not NAME=value; lines like it are left out");
	if (v.many)
		finding_add(c->findings, SAY_ERROR, path, 0, "has more than %u variables; the rest is left out", MAX_ENV);
	for (uint32_t i = 0; i < b->words[said]; i++)
		build_append(b, offsetof(struct house, default_env), b->words[said + 1 + i]);
	build_finish(b, h, offsetof(struct house, default_env));
	return b->failed || c->arena.dry ? -ENOMEM : 0;
}
