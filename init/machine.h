/* machine.h - the end of a machine whose init we are: everything to disk, nothing left mounted, then reboot(2). */
#ifndef INIT_MACHINE_H
#define INIT_MACHINE_H

#include <stdbool.h>

#include "init/ending.h"

/*
 * Who we are. Where that is a machine's init, Ctrl-Alt-Del sends us SIGINT from now on
 * instead of restarting the machine on the spot (reboot(2), LINUX_REBOOT_CMD_CAD_OFF).
 */
enum standing machine_look(bool pid1, enum container c);

/* Are we a machine's init? A manager's mark rules that out, without a look. */
bool machine_is_ours(bool pid1, enum container c);

/*
 * Ends what we are PID 1 of as `how` and the table of ends have it. Comes back where that is to
 * leave, or was refused (and then has said so): with the status to leave with.
 */
int machine_end(enum standing s, enum how how, int code);

/*
 * Unmounts everything, the deepest first, makes read-only what stays busy, and writes all to disk.
 * For who is still busy dying it waits 3 seconds at most. In a child: it allocates, and may hang as a disk does.
 */
void machine_clear(void);

#endif
