/*
 * machinist.c - for machine.sh: ends a PID namespace as if it were a machine that we had booted.
 *
 *	machinist HOW        as its PID 1: exit, poweroff, halt or reboot
 *	machinist look       prints who we are, as one word
 *	machinist hold FILE  keeps FILE open for writing, for ever
 */
#include "init/machine.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static const char *const words[N_HOWS] = { [HOW_EXIT] = "exit", [HOW_POWEROFF] = "poweroff", [HOW_HALT] = "halt", [HOW_REBOOT] = "reboot" };
	static const char *const standings[N_STANDINGS] = { "guest", "container", "machine" };

	if (argc == 2 && !strcmp(argv[1], "look")) {
		puts(standings[machine_look(getpid() == 1, container_detect())]);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "hold")) {
		int fd = open(argv[2], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		if (fd < 0)
			return 1;
		puts("held");
		fflush(stdout);
		for (;;)
			(void)pause();
	}
	/* On a real machine, and with any other pid, this would be no game. */
	if (argc != 2 || getpid() != 1 || machine_look(true, CONTAINER_NONE) != STANDING_CONTAINER)
		return 2;
	for (int how = HOW_EXIT; how < N_HOWS; how++)
		if (!strcmp(argv[1], words[how]))
			return machine_end(STANDING_MACHINE, (enum how)how, 5);
	return 2;
}
