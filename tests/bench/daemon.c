/*
 * daemon.c - what the benchmark has supervised: it says "ID PID" to the socket in $BENCH_SOCKET, then waits for SIGTERM.
 *
 * ID is its argument, else the name of its working directory (runit and s6 give
 * none). The socket is abstract (unix(7)), so that it is there in every root. With
 * "-" for ID it says nothing and ends at once.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int main(int argc, char **argv)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *name = getenv("BENCH_SOCKET");
	char here[4096] = "", line[300];
	sigset_t none;

	if (argc > 1 && !strcmp(argv[1], "-"))
		return 0;
	(void)signal(SIGTERM, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (!name || strlen(name) > sizeof(to.sun_path) - 2)
		return 2;
	const char *id = argc > 1 ? argv[1] : base_of(getcwd(here, sizeof(here)) ? here : "?");
	memcpy(to.sun_path + 1, name, strlen(name));
	int n = snprintf(line, sizeof(line), "%.200s %d", id, (int)getpid());
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = (socklen_t)(sizeof(sa_family_t) + 1 + strlen(name));
	if (s < 0 || n < 0 || sendto(s, line, (size_t)n, 0, (struct sockaddr *)&to, len) < 0)
		return 1;
	(void)close(s);
	for (;;)
		(void)pause();
}
