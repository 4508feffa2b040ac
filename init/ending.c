/* ending.c - the table of ends: whose init we are, and what was asked; pure. */
#include "init/ending.h"

#include <stddef.h>

/*
 * In a container to halt, to power off and to exit are one: the manager sees PID 1
 * end. A machine cannot be without its init (the kernel panics), so there to exit is to power off.
 */
static const enum act acts[N_STANDINGS][N_HOWS] = {
	[STANDING_GUEST] = {
		[HOW_NONE] = ACT_EXIT, [HOW_EXIT] = ACT_EXIT, [HOW_POWEROFF] = ACT_EXIT, [HOW_HALT] = ACT_EXIT,
		[HOW_REBOOT] = ACT_REFUSE,
	},
	[STANDING_CONTAINER] = {
		[HOW_NONE] = ACT_EXIT, [HOW_EXIT] = ACT_EXIT, [HOW_POWEROFF] = ACT_EXIT, [HOW_HALT] = ACT_EXIT,
		[HOW_REBOOT] = ACT_RESTART_US,
	},
	[STANDING_MACHINE] = {
		[HOW_NONE] = ACT_POWER_OFF, [HOW_EXIT] = ACT_POWER_OFF, [HOW_POWEROFF] = ACT_POWER_OFF, [HOW_HALT] = ACT_HALT,
		[HOW_REBOOT] = ACT_RESTART,
	},
};

enum standing ending_standing(bool pid1, enum pid_space space, enum container c)
{
	if (!pid1)
		return STANDING_GUEST;
	if (space != SPACE_FIRST)
		return STANDING_CONTAINER;
	return c == CONTAINER_NONE ? STANDING_MACHINE : STANDING_GUEST;
}

enum act ending_act(enum standing s, enum how how)
{
	return (unsigned)s < N_STANDINGS && (unsigned)how < N_HOWS ? acts[s][how] : ACT_EXIT;
}
