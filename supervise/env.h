/* env.h - the environment of a process in the making; pure. */
#ifndef SUPERVISE_ENV_H
#define SUPERVISE_ENV_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/envfile.h"
#include "conf/kit/arena.h"

/* "NAME=value" texts, NULL-terminated, as execve takes them. Zero it and set `arena`. Texts are borrowed, or live in the arena. */
struct env {
	struct arena *arena;
	char **at;
	size_t n, room;
	bool failed; /* for want of memory, or more than MAX_ENV: checked once, at the end */
};

/* Begins with n entries, each "NAME=value" and no name twice; they must live as long as `e`. */
void env_start(struct env *e, char *const *list, size_t n);
/* Sets a variable from "NAME=value", which must live as long as `e`; the last one said counts. What has no name is passed over. */
void env_put(struct env *e, const char *entry);
/* The same from two texts, which are copied. */
void env_set(struct env *e, const char *name, const char *value);
/* Sets it only where it is not set yet. */
void env_default(struct env *e, const char *name, const char *value);
/* The value of the variable whose name is the n bytes at `name`, or NULL. */
const char *env_get(const struct env *e, const char *name, size_t n);

#endif
