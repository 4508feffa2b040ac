/* env.h - the environment of a process in the making, and EnvironmentFile= read as data; pure. */
#ifndef SUPERVISE_ENV_H
#define SUPERVISE_ENV_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/kit/arena.h"

#define MAX_ENV      4096u      /* variables of one process */
#define MAX_ENV_FILE (1u << 20) /* bytes of one EnvironmentFile= */

/* "NAME=value" texts, NULL-terminated, as execve takes them. Zero it and set `arena`. Texts are borrowed, or live in the arena. */
struct env {
	struct arena *arena;
	char **at;
	size_t n, room;
	bool failed; /* for want of memory, or more than MAX_ENV: checked once, at the end */
};

/* Sets a variable from "NAME=value", which must live as long as `e`; the last one said counts. What has no name is passed over. */
void env_put(struct env *e, const char *entry);
/* The same from two texts, which are copied. */
void env_set(struct env *e, const char *name, const char *value);
/* Sets it only where it is not set yet. */
void env_default(struct env *e, const char *name, const char *value);
/* The value of the variable whose name is the n bytes at `name`, or NULL. */
const char *env_get(const struct env *e, const char *name, size_t n);

/* Letters, digits and "_", not beginning with a digit. */
bool env_name_ok(const char *name, size_t n);

/*
 * Reads the n bytes of an environment file and calls `each` for every assignment, in order, with
 * texts that are valid only during the call; `each` returns false to stop. The grammar is that of
 * systemd.exec(5), EnvironmentFile=: comments with "#" and ";" at the start of a line only, lines
 * without "=" passed over, unquoted values with blanks inside and trimmed at the end, '...' as it
 * is, "..." where a backslash escapes \ " ` $ and joins lines, pieces that follow each other are
 * one value. `scratch` has n + 1 bytes. Returns 0, or the number of the first line that is not
 * right (a name nobody may use, a NUL byte, a quote without end), which is passed over, as far as it goes.
 */
size_t env_read(const char *text, size_t n, char *scratch, bool (*each)(void *self, const char *name, const char *value), void *self);

#endif
