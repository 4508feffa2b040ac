/* ending.h - who PID 1 is to whom it runs under, and so what each way to end comes to; pure. */
#ifndef INIT_ENDING_H
#define INIT_ENDING_H

#include <stdbool.h>

#include "init/container.h"
#include "supervise/wire.h"

/* Which PID namespace we are in. Every machine begins with one; all others were made. */
enum pid_space { SPACE_FIRST, SPACE_MADE, N_SPACES };

enum standing {
	STANDING_GUEST,     /* one process among others, or in what looks like a machine and says it is a container */
	STANDING_CONTAINER, /* PID 1 of a PID namespace that somebody made */
	STANDING_MACHINE,   /* PID 1 of the first PID namespace: the kernel's own init */
	N_STANDINGS
};

enum act {
	ACT_NONE,       /* a blank cell of the table: never an answer */
	ACT_EXIT,       /* leave with the status that there is */
	ACT_REFUSE,     /* leave with NO_REBOOT_STATUS: whom we would restart is not ours */
	ACT_RESTART_US, /* reboot(2), which ends our PID namespace alone; refused, as ACT_REFUSE */
	ACT_RESTART, ACT_POWER_OFF, ACT_HALT, /* reboot(2) for the machine, after all is on disk */
	N_ACTS
};

#define NO_REBOOT_STATUS 133 /* what systemd-nspawn leaves with, too, to be started again (its source, EXIT_FORCE_RESTART) */

/* A manager's mark counts for more than the namespace: a sandbox may imitate a machine's. */
enum standing ending_standing(bool pid1, enum pid_space space, enum container c);

/* What `how` comes to. HOW_NONE is an end that nobody asked for: as HOW_EXIT. */
enum act ending_act(enum standing s, enum how how);

#endif
