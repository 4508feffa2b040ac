/*
 * boot.h - the boot steps as a table: what each readies, how it is undone, what a refusal means.
 *
 * Every step may find its work done already, and may be refused by the kernel;
 * then that is said once and the next one is taken. None of them ends PID 1.
 */
#ifndef INIT_BOOT_H
#define INIT_BOOT_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/unit.h"
#include "init/container.h"

enum boot_result { BOOT_NOT_YET, BOOT_DONE, BOOT_ALREADY, BOOT_REFUSED, BOOT_SKIPPED };

struct boot {
	const struct table *table;
	enum container container;
};

struct boot_step {
	const char *name;
	const char *brief;             /* what it readies */
	int (*act)(struct boot *b);    /* 0 done, 1 already done, -errno refused */
	const char *undo;              /* how it is undone, for a reader */
	const char *refused;           /* what a refusal means for the units */
	bool late;                     /* after the network */
};

extern const struct boot_step boot_steps[];
extern const uint32_t n_boot_steps; /* at most 32: struct state keeps that many results */

/*
 * Takes the steps before the network, or after it (`late`), in order; results go
 * to `results` (enum boot_result << 16 | errno), refusals are said.
 */
void boot_run(struct boot *b, bool late, uint32_t *results);

/* Prints what would be done (--dry-run), one line a step. */
void boot_print(const struct boot *b);

#endif
