/* check.h - what `coppice check` says about unit files, and what `--root` looks for in images. */
#ifndef CONF_CHECK_H
#define CONF_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { CHECK_CLEAN, CHECK_FINDINGS, CHECK_USAGE };

struct check_options {
	bool root;  /* also look for programs and users in the images */
	bool json;  /* an array of {file, line, level, text} in place of lines */
};

/*
 * Checks directories, together, as a search path with the first one first, and
 * files, each in the company of its directory; nothing named: the default
 * directories. Prints findings sorted by file and line to `out`, then how many
 * there are. CHECK_*; a path that is not there is CHECK_USAGE, told on `out` too.
 */
int check_paths(const char *const *paths, size_t n, const struct check_options *o, FILE *out);

#endif
