/*
 * spawn.c - runs a command again and again and prints what each run took, from vfork to its end, in microseconds.
 *
 * Usage: spawn N COMMAND...
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

/* Microseconds, or -1 where it failed. */
static double run(char **command)
{
	int status = 0;
	double begun = now();
	pid_t pid = vfork();

	if (pid == 0) {
		(void)execv(command[0], command);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status ? now() - begun : -1;
}

int main(int argc, char **argv)
{
	long n = argc > 2 ? strtol(argv[1], NULL, 10) : 0;

	for (long i = 0; i < n; i++) {
		double took = run(argv + 2);
		if (took < 0)
			return 1;
		printf("%.1f\n", took);
	}
	return n < 1;
}
