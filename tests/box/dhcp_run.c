/*
 * dhcp_run.c - runs net_main() as PID 1 would: a child, a socket to it, its news on stdout.
 *
 * Usage: dhcp_run STATE-DIR RUNTIME-DIR RESOLV-CONF [Key=value...] [slot=N]
 * Key=value are those of [Network]; slot=N says which section of several this is. Prints "absent", "down" or "up",
 * with " default" where there is a default route, whenever that changes. SIGTERM closes the socket and gives the
 * lease back, SIGUSR1 closes it and keeps the lease; the exit status is then net_main's. Should net_main end by
 * itself, that is the end here, too.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf/kit/sys.h"
#include "init/net/net.h"

#define MOST_KEYS 40
#define MOST_TEXT 4096

/* A table as the loader would write it, as far as net_setup_of() looks. */
static struct {
	struct table head;
	uint32_t words[MOST_KEYS + 2];
	char text[MOST_TEXT];
} made;

static int usage(void)
{
	fputs("usage: dhcp_run STATE-DIR RUNTIME-DIR RESOLV-CONF [Key=value...]\n", stderr);
	return 2;
}

static bool make_table(char **pairs, int n)
{
	size_t at = 1;

	if (n > MOST_KEYS)
		return false;
	made.head.words_at = offsetof(__typeof__(made), words);
	made.head.texts_at = offsetof(__typeof__(made), text);
	made.words[1] = (uint32_t)n;
	for (int i = 0; i < n; i++) {
		size_t length = strlen(pairs[i]) + 1;

		if (at + length > sizeof(made.text))
			return false;
		memcpy(made.text + at, pairs[i], length);
		made.words[2 + i] = (uint32_t)at;
		at += length;
	}
	return true;
}

static void print(const struct net_tell *t)
{
	static const char *const words[N_NET_STATES] = { "absent", "down", "up" };

	printf("%s%s\n", t->state < N_NET_STATES ? words[t->state] : "?", t->default_route ? " default" : "");
	fflush(stdout);
}

/* Until the child closes its end, or a signal asks for the end; 0 for the first. */
static int listen_to(int sock, int signals)
{
	struct pollfd p[] = { { .fd = sock, .events = POLLIN }, { .fd = signals, .events = POLLIN } };
	struct net_tell t;
	struct signalfd_siginfo s;

	for (;;) {
		if (poll(p, 2, -1) < 0)
			return 0;
		if (p[1].revents && read(signals, &s, sizeof(s)) == (ssize_t)sizeof(s))
			return (int)s.ssi_signo;
		if (!p[0].revents)
			continue;
		if (recv(sock, &t, sizeof(t), 0) != (ssize_t)sizeof(t))
			return 0;
		print(&t);
	}
}

int main(int argc, char **argv)
{
	struct net_setup setup;
	char complaints[4096];
	struct text why = TEXT(complaints);
	sigset_t set;
	int two[2], status = 0;
	unsigned slot = 0;

	if (argc > 4 && sscanf(argv[argc - 1], "slot=%u", &slot) == 1)
		argc--;
	if (argc < 4 || slot >= MAX_NETS || !make_table(argv + 4, argc - 4))
		return usage();
	if (net_setup_of(&made.head, 1, &setup, &why) < 0)
		fputs(complaints, stderr);
	setup.slot = slot;
	setup.state_dir = argv[1];
	setup.runtime = argv[2];
	setup.resolv = argv[3];
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	int signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (signals < 0 || sys_socketpair(two) < 0)
		return 1;
	pid_t pid = fork();
	if (pid == 0) {
		(void)close(two[0]);
		_exit(net_main(two[1], &setup));
	}
	(void)close(two[1]);
	int sig = listen_to(two[0], signals);
	if (sig) {
		struct net_ask ask = { .release = sig == SIGTERM };

		(void)send(two[0], &ask, sizeof(ask), 0);
	}
	(void)close(two[0]);
	if (waitpid(pid, &status, 0) != pid)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
