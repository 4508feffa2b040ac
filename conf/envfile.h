/* envfile.h - EnvironmentFile=, of a unit and of [Boot], read as data; pure. */
#ifndef CONF_ENVFILE_H
#define CONF_ENVFILE_H

#include <stdbool.h>
#include <stddef.h>

#define MAX_ENV      4096u      /* variables of one process, and of one file */
#define MAX_ENV_FILE (1u << 20) /* bytes of one file */

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
