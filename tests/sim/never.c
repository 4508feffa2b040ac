/* never.c - what only a child would do, for the linker's sake: no fork of ours returns 0. */
#include "tests/sim/sim.h"

#include <stdlib.h>

#include "mount/clean.h"
#include "supervise/shortcut_calls.h"

_Noreturn void child_run(const struct job *job)
{
	(void)job;
	abort();
}

static int no_life(void *self)
{
	(void)self;
	abort();
}
int (*const shortcut_run)(void *self) = no_life;

/* Some hold more than there is room for. */
bool shortcut_write(struct shortcut *s, const struct job *job, bool plain_root)
{
	(void)plain_root;
	(void)s;
	return job->unit % 5 != 0;
}

int clean_unit(const char *runtime, const char *unit)
{
	(void)runtime;
	(void)unit;
	abort();
}

/* The words for steps live beside child_run(), and would bring it along. */
const char *step_word(enum step s)
{
	(void)s;
	return "STEP";
}

int step_status(enum step s)
{
	return 200 + (int)s;
}

const char *step_setting(enum step s)
{
	(void)s;
	return "Setting";
}
