/* child_steps.h - what the steps of child.c share: the one process they make ready. */
#ifndef SUPERVISE_CHILD_STEPS_H
#define SUPERVISE_CHILD_STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>

#include "conf/kit/arena.h"
#include "conf/kit/text.h"
#include "mount/apply.h"
#include "mount/plan.h"
#include "mount/users.h"
#include "supervise/child.h"
#include "supervise/env.h"
#include "supervise/request.h"

/* How it gets its root. */
enum rooting { ROOTING_NONE, ROOTING_JOIN, ROOTING_BUILD, ROOTING_CHROOT };

struct life {
	_Alignas(max_align_t) char start[3072];
	const struct job *job;
	const struct table *table;
	const struct unit *unit;
	const struct command *command; /* NULL for PHASE_EXEC */
	struct request *request;       /* PHASE_EXEC only */
	struct text about;             /* of the report; lies in `words` */
	char words[sizeof(((struct report *)0)->about)];
	struct arena arena;            /* begins in `start`, so that a simple start asks for no memory */
	struct env env;
	struct op *plan;
	uint32_t n_ops;
	enum rooting rooting;
	enum step step;                /* under way; a step may blame another one */
	struct site site;
	int mount_ns;                  /* the namespace that was made, or -1 */
	struct person person;
	bool stays;                    /* PID 1 is not root and the unit asks for nobody else */
	const char *program;
	char **argv;
};

/* Is it a '+' command? */
static inline bool life_full(const struct life *l)
{
	return l->command && l->command->flags & CMD_FULL;
}

/* Who it is to be, where no file says so: root, or whoever PID 1 is (`stays`). False: it has to be looked up. */
bool life_person(struct life *l);
/* HOME and its like, of l->person. */
void life_person_env(struct life *l);
/* One end of a struct unit_limit. */
static inline rlim_t life_limit(const uint32_t two[2])
{
	uint64_t n = (uint64_t)two[1] << 32 | two[0];

	return n == UINT64_MAX ? RLIM_INFINITY : (rlim_t)n;
}

/* Each does its step, in a process that is thrown away if it fails: 0 or -errno, and then what it was about. */
int step_environment(struct life *l);
int step_namespace(struct life *l);
int step_image(struct life *l);
int step_overlay(struct life *l);
int step_mounts(struct life *l);
int step_root(struct life *l);
int step_group(struct life *l);
int step_user(struct life *l);
int step_capabilities(struct life *l);
int step_workdir(struct life *l);
int step_arguments(struct life *l);
int step_exec(struct life *l);

#endif
