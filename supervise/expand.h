/* expand.h - $VARIABLES in command lines, by systemd.service(5), "Command lines"; pure. */
#ifndef SUPERVISE_EXPAND_H
#define SUPERVISE_EXPAND_H

#include <stddef.h>
#include <stdint.h>

#include "conf/kit/arena.h"
#include "conf/kit/text.h"
#include "supervise/env.h"

#define MAX_EXPANDED (4u << 20) /* bytes of one command line, all arguments together */

/*
 * "${FOO}" anywhere is the value, and never splits; "$FOO" as a whole word is the value split at
 * blanks, with quotes taken off, and no word at all where it is unset or empty; "$$" is "$"; any
 * other "$" stays. Sets *ret to a NULL-terminated vector that lives in `a`, or points into `raw`.
 * The first `fixed` words are taken as they are. Names of unset variables go to `unset`, separated
 * by blanks. 0, -E2BIG or -ENOMEM.
 */
int expand_words(struct arena *a, const char *const *raw, uint32_t n, uint32_t fixed, const struct env *env, char ***ret,
		 struct text *unset);

#endif
