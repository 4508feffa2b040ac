/* floor.c - the least a supervisor can do: vfork, exec, wait, and again. Usage: floor N PROGRAM */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST 65536

static pid_t pids[MOST];
static char *program;

static void start(long i)
{
	char id[24];
	char *args[] = { program, id, NULL };

	(void)snprintf(id, sizeof(id), "%ld", i);
	pids[i] = vfork();
	if (pids[i] == 0) {
		(void)execv(program, args);
		_exit(127);
	}
}

static void stop(int sig)
{
	(void)sig;
	(void)kill(-1, SIGTERM);
	_exit(0);
}

int main(int argc, char **argv)
{
	long n = argc == 3 ? strtol(argv[1], NULL, 10) : 0;

	if (n < 1 || n > MOST)
		return 2;
	program = argv[2];
	(void)signal(SIGTERM, stop);
	for (long i = 0; i < n; i++)
		start(i);
	for (;;) {
		pid_t gone = wait(NULL);
		for (long i = 0; gone > 0 && i < n; i++)
			if (pids[i] == gone)
				start(i);
	}
}
