/* load.h - directories of unit files and coppice.conf to one table. */
#ifndef CONF_LOAD_H
#define CONF_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/findings.h"

#define DEFAULT_CONFIG "/etc/coppice/coppice.conf"
#define DEFAULT_OCI    "/etc/coppice/oci.json" /* what the container runs where there is no unit */
#define APP_NAME       "app"
extern const char *const default_unit_dirs[]; /* NULL at the end; the first wins */

#define MAX_DIRS      16u
#define MAX_ENTRIES   (1u << 18)          /* names looked at in all directories */
#define MAX_ALL_FILES ((size_t)64 << 20)  /* bytes of all files together */

struct load_options {
	const char *const *dirs; /* NULL: default_unit_dirs */
	size_t n_dirs;
	const char *config;      /* NULL: DEFAULT_CONFIG, which may be missing; "": none */
	uint32_t max_units;      /* 0: DEFAULT_UNITS */
	const char *oci;         /* the single app: no units but one, made of this config. NULL: DEFAULT_OCI, if `dirs` is NULL and has no unit */
	const char *const *args; /* in place of the config's Cmd */
	uint32_t n_args;
	bool environment;        /* reads [Boot] EnvironmentFile=, too: only who runs units needs what is in it */
};

/*
 * Reads everything and makes the table (conf/unit.h). What is wrong with files is
 * in `fs`, and in the units' `fault`; the call itself fails only where the system
 * does. *ret is malloc'ed. 0, -ENOMEM, -E2BIG, -EINVAL (too many directories).
 */
int load_units(const struct load_options *o, struct findings *fs, void **ret, size_t *ret_size);

/*
 * The same into an empty memfd (conf/kit/seal.h), for the loader child: hands each
 * finding to `tell` (NULL: nobody), sorted, at last how many were left out; writes
 * and seals the table, and calls `written` (NULL: nobody waits for it) before it gives
 * back what all that took. 0 or -errno.
 */
int load_into(int memfd, const struct load_options *o, void (*tell)(const struct finding *f, void *self), void (*written)(void *self),
	      void *self);

#endif
