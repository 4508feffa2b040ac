/* net_jail.c - the network's two processes, once they are taken over by somebody else: what they can still do. */
#include "init/net/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/tap.h"

static int pair[2]; /* what the process was given: pair[1] is its own */

/* Each is what an attacker would try; true: it was done. */
static bool speak(void)
{
	char byte;

	return write(pair[1], "x", 1) == 1 && read(pair[1], &byte, 1) == 1;
}

static bool read_file(void)
{
	return openat(AT_FDCWD, "/etc/passwd", O_RDONLY) >= 0;
}

static bool write_file(void)
{
	return openat(AT_FDCWD, "/tmp/coppice-jail", O_WRONLY | O_CREAT, 0600) >= 0;
}

static bool connect_out(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool run(void)
{
	char *argv[] = { (char *)(uintptr_t)"true", NULL }, *env[] = { NULL };

	(void)execve("/bin/true", argv, env);
	return false;
}

static bool fork_off(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0;
}

static bool signal_parent(void)
{
	return kill(getppid(), 0) == 0;
}

static bool become_root(void)
{
	return setuid(0) == 0 && getuid() == 0;
}

static bool mount_over(void)
{
	return mount("x", "/", "tmpfs", 0, "") == 0;
}

static const struct {
	const char *what;
	bool (*act)(void);
	bool client, applier; /* it may */
} deeds[] = {
	{ "speak on what it was given", speak, true, true },
	{ "read a file of the container", read_file, false, true },
	{ "write a file", write_file, false, true },
	{ "make a socket of its own", connect_out, false, false },
	{ "run a program", run, false, false },
	{ "fork", fork_off, false, false },
	{ "signal who started it", signal_parent, false, false },
	{ "become root again", become_root, false, false },
	{ "mount", mount_over, false, false },
};

/* A program that was run leaves 0 as well: a deed that is done exits with 7, one that is refused with 8. */
static int outcome(bool client, bool (*act)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (client)
			jail_client("test");
		else
			jail_applier("test", false);
		_exit(act() ? 7 : 8);
	}
	return waitpid(pid, &status, 0) == pid ? status : -1;
}

static bool done(int status)
{
	return WIFEXITED(status) && (WEXITSTATUS(status) == 7 || WEXITSTATUS(status) == 0);
}

static bool refused(int status)
{
	return (WIFEXITED(status) && WEXITSTATUS(status) == 8) || (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

static unsigned long long status_of(pid_t pid, const char *name, int base)
{
	char path[64], line[256];
	unsigned long long n = ~0ull;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			n = strtoull(line + strlen(name) + 1, NULL, base);
	if (f)
		(void)fclose(f);
	return n;
}

static void test_state(bool client)
{
	const char *who = client ? "the client" : "the applier";
	const unsigned long long net_admin = 1ull << 12;
	char byte;
	pid_t pid = fork();

	if (pid == 0) {
		if (client)
			jail_client("test");
		else
			jail_applier("test", false);
		(void)!write(pair[1], "x", 1);
		(void)!read(pair[1], &byte, 1);
		_exit(0);
	}
	CHECK(read(pair[0], &byte, 1) == 1, "%s is in its jail", who);
	CHECK(status_of(pid, "CapPrm", 16) == (client ? 0 : net_admin) && status_of(pid, "CapBnd", 16) == 0 && status_of(pid, "CapInh", 16) == 0,
	      "%s has %s", who, client ? "no capability" : "CAP_NET_ADMIN and no other");
	CHECK(status_of(pid, "NoNewPrivs", 10) == 1 && status_of(pid, "Seccomp", 10) == 2, "%s gains nothing, behind a filter", who);
	CHECK(status_of(pid, "Uid", 10) == (client ? 65534u : 0u), "%s is %s", who, client ? "nobody" : "root without root's rights");
	CHECK(write(pair[0], "x", 1) == 1 && waitpid(pid, NULL, 0) == pid, "%s leaves", who);
}

int main(void)
{
#if defined(__SANITIZE_ADDRESS__) || !(defined(__x86_64__) || defined(__aarch64__))
	puts("# SKIP no seccomp filter in this build");
	return 77;
#endif
	if (geteuid() != 0) {
		puts("# SKIP needs root, who has something to give up");
		return 77;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
		return 1;
	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++)
		for (int client = 1; client >= 0; client--) {
			bool may = client ? deeds[i].client : deeds[i].applier;
			char byte;

			if (deeds[i].act == speak)
				(void)!write(pair[0], "x", 1);
			int status = outcome(client, deeds[i].act);

			CHECK(may ? done(status) : refused(status), "%s %s: %s (%#x)", client ? "client" : "applier",
			      may ? "may" : "may not", deeds[i].what, (unsigned)status);
			if (deeds[i].act == speak)
				CHECK(recv(pair[0], &byte, 1, MSG_DONTWAIT) == 1, "and is heard");
		}
	(void)unlink("/tmp/coppice-jail");
	test_state(true);
	test_state(false);
	return tap_done();
}
