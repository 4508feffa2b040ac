/* env.c - a flat list, as environments are small; pure. */
#include "supervise/env.h"

#include <stdint.h>
#include <string.h>

#include "conf/kit/text.h"

static char **env_find(const struct env *e, const char *name, size_t n)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->at[i][0] == name[0] && strncmp(e->at[i], name, n) == 0 && e->at[i][n] == '=')
			return &e->at[i];
	return NULL;
}

static void env_add(struct env *e, char *entry)
{
	if (e->n + 1 >= e->room) {
		size_t room = e->room ? e->room * 2 : 32;
		char **grown = room > (size_t)2 * MAX_ENV ? NULL : arena_more(e->arena, e->at, e->n * sizeof(*grown), room * sizeof(*grown));

		if (!grown) {
			e->failed = true;
			return;
		}
		e->at = grown;
		e->room = room;
	}
	e->at[e->n++] = entry;
	e->at[e->n] = NULL;
	e->failed |= e->n > MAX_ENV;
}

void env_start(struct env *e, char *const *list, size_t n)
{
	e->room = n + 32;
	e->at = arena_get(e->arena, e->room * sizeof(*e->at));
	e->failed = !e->at || n > MAX_ENV;
	e->n = e->failed ? 0 : n;
	if (e->n)
		memcpy(e->at, list, n * sizeof(*list));
	if (e->failed)
		e->room = 0;
	else
		e->at[e->n] = NULL;
}

void env_put(struct env *e, const char *entry)
{
	const char *equals = strchr(entry, '=');
	/* execve(2) wants them writable and does not write. */
	char *kept = (char *)(uintptr_t)entry;

	if (!equals || equals == entry)
		return;

	char **there = env_find(e, entry, (size_t)(equals - entry));

	if (there)
		*there = kept;
	else
		env_add(e, kept);
}

void env_set(struct env *e, const char *name, const char *value)
{
	struct text entry = { .size = strlen(name) + 1 + strlen(value) + 1 };

	entry.at = arena_get(e->arena, entry.size);
	if (!entry.at) {
		e->failed = true;
		return;
	}
	text_put(&entry, name);
	text_char(&entry, '=');
	text_put(&entry, value);
	env_put(e, entry.at);
}

void env_default(struct env *e, const char *name, const char *value)
{
	if (!env_find(e, name, strlen(name)))
		env_set(e, name, value);
}

const char *env_get(const struct env *e, const char *name, size_t n)
{
	char **there = env_find(e, name, n);

	return there ? *there + n + 1 : NULL;
}
