/*
 * lines.h - the guarded door to inih: nothing passes that inih would silently change; pure.
 *
 * What inih of any build would do to a file: stop at NUL, cut section names at 49
 * bytes, take ':' for '=', drop what stands behind ']', and carry no line numbers
 * through joined lines. All of that is refused here with file, line and remedy.
 */
#ifndef CONF_LINES_H
#define CONF_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "conf/findings.h"
#include "conf/kit/arena.h"

#define MAX_SECTION_NAME 48u

/* One section (name NULL) or one assignment; texts are valid during the call. `line` is where it begins in the file. */
typedef void lines_taker(void *self, const char *section, const char *name, const char *value, uint32_t line);

/*
 * Reads the text of a unit file: comments ('#' and ';' at the start of a line)
 * and blank lines go, lines that end in a backslash are joined with the next by
 * one space (systemd.syntax(7)), and each section and assignment is handed over.
 * What is wrong becomes a finding of `file`; a file that is no text at all, or
 * not ours to interpret, hands over nothing. It works in the arena. 0, or -ENOMEM.
 */
int lines_read(const char *data, size_t n, const char *file, struct findings *fs, struct arena *a, lines_taker *take, void *self);

/* inih's memory, which it asks for by these names (ini.c, INI_CUSTOM_ALLOCATOR); as malloc(3), but the first line's is at hand. */
void *ini_malloc(size_t size);
void *ini_realloc(void *at, size_t size);
void ini_free(void *at);

#endif
