/*
 * puppet.c - does what busybox cannot, for the stories: it speaks sd_notify's words, listens
 * on a UNIX socket, and starts a program as a careless container manager would.
 *
 *	puppet notify FIFO                 sends each line of FIFO to $NOTIFY_SOCKET, for ever
 *	puppet listen PATH                 takes connections on PATH, for ever
 *	puppet hostile CHROOT DIR INIT...  goes into DIR and executes INIT without descriptors, without
 *	                                   argv[0], all signals ignored and half of them blocked, umask 0777
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int fail(const char *what)
{
	fprintf(stderr, "puppet: %s: %s\n", what, strerror(errno));
	return 1;
}

static struct sockaddr_un address(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	return a;
}

static int notify(const char *fifo)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = address(path ? path : "");
	int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* Also for writing, so that it never ends. */
	int words = open(fifo, O_RDWR | O_CLOEXEC);
	FILE *in = words < 0 ? NULL : fdopen(words, "r");
	char line[256];

	if (sock < 0 || !in)
		return fail(fifo);
	while (fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		if (sendto(sock, line, strlen(line), 0, (const struct sockaddr *)&to, sizeof(to)) < 0)
			(void)fail(to.sun_path);
	}
	return 0;
}

static int take_callers(const char *path)
{
	struct sockaddr_un at = address(path);
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)unlink(path);
	if (sock < 0 || bind(sock, (const struct sockaddr *)&at, sizeof(at)) < 0 || listen(sock, 8) < 0)
		return fail(path);
	for (int fd; (fd = accept(sock, NULL, NULL)) >= 0;)
		(void)close(fd);
	return fail("accept");
}

static int hostile(const char *dir, char **init)
{
	char nothing[] = "";
	const char *program = init[0];
	sigset_t half;

	if (chdir(dir) < 0 || chroot(".") < 0)
		return fail(dir);
	(void)umask(0777);
	(void)sigemptyset(&half);
	for (int sig = 1; sig <= 64; sig++) {
		(void)signal(sig, SIG_IGN);
		if (sig % 2)
			(void)sigaddset(&half, sig);
	}
	(void)sigprocmask(SIG_BLOCK, &half, NULL);
	for (int fd = 0; fd < 3; fd++)
		(void)close(fd);
	init[0] = nothing;
	(void)execv(program, init);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "notify"))
		return notify(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "listen"))
		return take_callers(argv[2]);
	if (argc >= 5 && !strcmp(argv[1], "hostile"))
		return hostile(argv[3], argv + 4);
	fputs("usage: puppet notify FIFO | listen PATH | hostile CHROOT DIR INIT [ARG...]\n", stderr);
	return 2;
}
