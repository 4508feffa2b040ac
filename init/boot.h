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

#include "conf/kit/sys.h"
#include "conf/kit/text.h"
#include "conf/unit.h"
#include "init/container.h"

enum boot_result { BOOT_NOT_YET, BOOT_DONE, BOOT_ALREADY, BOOT_REFUSED, BOOT_SKIPPED, N_BOOT_RESULTS };
enum boot_skip { SKIP_UNASKED, SKIP_NO_BOOT, SKIP_NOT_INIT, SKIP_STOPPING, N_BOOT_SKIPS };

/* What a step took: enum boot_result, and beside it the errno of a refusal, or enum boot_skip. */
#define BOOT_TOOK(result, detail) ((uint32_t)(result) << 16 | ((uint32_t)(detail) & 0xffffu))

struct boot {
	const struct table *table;
	enum container container;
	bool machine; /* we are its first process, and its devices are ours */
	/* Runs a program with coppice.conf's variables until it ends. 0 or -errno; -ETIMEDOUT after `limit`, -EINTR: we are to stop. */
	int (*run)(const char *program, msec_t limit, struct sys_exit *ret);
};

struct boot_step {
	const char *name;
	const char *brief;             /* what it readies */
	int (*act)(struct boot *b);    /* 0 done, 1 already done, 2 nobody asked for it, -errno refused */
	const char *undo;              /* how it is undone, for a reader */
	const char *refused;           /* what a refusal means for the units */
	bool late;                     /* after the network */
};

extern const struct boot_step boot_steps[];
extern const uint32_t n_boot_steps; /* at most 32: struct state keeps that many results */

/* Takes the steps before the network, or after it (`late`), in order; results (BOOT_TOOK) go to `results`, refusals are said. */
void boot_run(struct boot *b, bool late, uint32_t *results);

/* None is taken, and why. */
void boot_skip(enum boot_skip why, uint32_t *results);

/* "done", "already", "refused", "skipped"; NULL where the step has not been taken yet. */
const char *boot_result_word(uint32_t result);
/* Why it was refused, and what that means for the units; or why skipped. Nothing for the others. */
void boot_why(struct text *to, uint32_t step, uint32_t result);

/* Prints what would be done (--dry-run), one line a step. */
void boot_print(const struct boot *b);

#endif
