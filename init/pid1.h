/* pid1.h - the role of init: PID 1 of a container, or a subreaper that says so. */
#ifndef INIT_PID1_H
#define INIT_PID1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/unit.h"

#define MAX_UNIT_DIRS 16

/* `coppice init`'s options. */
struct init_options {
	const char *dirs[MAX_UNIT_DIRS];
	size_t n_dirs;        /* 0: the search path of INTERFACE section 2 */
	const char *config;   /* NULL: /etc/coppice/coppice.conf */
	const char *runtime;
	uint32_t max_units;
	const char *oci;      /* the single app's config; NULL: DEFAULT_OCI where there is no unit */
	char **args;          /* in place of its Cmd */
	uint32_t n_args;
	bool no_boot, dry_run;
};

/* How an option is written; argument NULL: it takes none. NULL behind the last one. */
struct init_words { const char *name, *argument, *brief; };
const struct init_words *init_option(size_t i);

/* Reads the options into *ret; 0, or the exit status after it has told what is wrong (2), or after --help (-1: leave with 0). */
int init_options_read(int argc, char **argv, struct init_options *ret);

/* Blocks every signal there is, so that none is lost before the loop reads them, and ignores none. The first act of main. */
void signals_block(void);

/* Lives as init; returns the exit status when all is over (or does not return: reboot). */
int init_main(const struct init_options *o);

#endif
