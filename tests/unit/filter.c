/* filter.c - what a filter of system calls lets through, what it refuses and whom it kills; and what is shed beside it. */
#include "conf/kit/filter.h"
#include "conf/kit/shed.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/tap.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

#ifdef FILTER_ARCH

/* Allowed first by number, then by argument; a number behind those, too, so that they are passed over rightly. */
static const uint16_t first[] = { SYS_exit_group, SYS_getppid }, last[] = { SYS_getpgid, SYS_close };
static const uint16_t families[] = { AF_UNIX, AF_INET6 };

static const struct { const char *what; long call, a, b, c; bool fine; } cases[] = {
	{ "a call of the first list", SYS_getppid, 0, 0, 0, true },
	{ "a call of the last list", SYS_getpgid, 0, 0, 0, true },
	{ "a call of none", SYS_getuid, 0, 0, 0, false },
	{ "the first family", SYS_socket, AF_UNIX, SOCK_STREAM, 0, true },
	{ "the second family", SYS_socket, AF_INET6, SOCK_STREAM, 0, true },
	{ "a family between them", SYS_socket, AF_INET, SOCK_STREAM, 0, false },
	{ "a family beyond them", SYS_socket, AF_NETLINK, SOCK_RAW, 0, false },
	{ "the right value in another argument", SYS_socket, AF_INET, AF_UNIX, AF_INET6, false },
	{ "a file to read", SYS_openat, AT_FDCWD, (long)"/dev/null", O_RDONLY | O_CLOEXEC, true },
	{ "a file to write", SYS_openat, AT_FDCWD, (long)"/dev/null", O_WRONLY, false },
	{ "a file to read and write", SYS_openat, AT_FDCWD, (long)"/dev/null", O_RDWR, false },
	{ "a file to make", SYS_openat, AT_FDCWD, (long)"/dev/null", O_CREAT, false },
};

/* How a child ends that tries it: 0 it could, 1 EPERM, or 128 and a signal; 3: there was no filter. */
static int outcome(uint32_t otherwise, long call, long a, long b, long c)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct filter f;

		filter_begin(&f, otherwise);
		filter_allow(&f, first, 2);
		filter_allow_among(&f, SYS_socket, 0, families, 2);
		filter_allow_without(&f, SYS_openat, 2, O_WRONLY | O_RDWR | O_CREAT);
		filter_allow(&f, last, 2);
		if (shed_gains() || shed_dumps() || filter_enter(&f))
			(void)syscall(SYS_exit_group, 3);
		long r = syscall(call, a, b, c);

		(void)syscall(SYS_exit_group, r < 0 && errno == EPERM); /* another error is the kernel's own */
	}
	(void)waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void test_filter(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (SANITIZED) {
			tap_skip("sanitizers make system calls of their own");
			continue;
		}
		int soft = outcome(SECCOMP_RET_ERRNO | EPERM, cases[i].call, cases[i].a, cases[i].b, cases[i].c);
		int hard = outcome(SECCOMP_RET_KILL_PROCESS, cases[i].call, cases[i].a, cases[i].b, cases[i].c);

		CHECK(soft == (cases[i].fine ? 0 : 1), "%s: %s (%d)", cases[i].what, cases[i].fine ? "may be" : "is refused", soft);
		CHECK(hard == (cases[i].fine ? 0 : 128 + SIGSYS), "%s: %s (%d)", cases[i].what, cases[i].fine ? "may be" : "kills", hard);
	}
}

static void test_room(void)
{
	static uint16_t many[MAX_FILTER];
	struct filter f;
	int before = prctl(PR_GET_SECCOMP);

	filter_begin(&f, SECCOMP_RET_KILL_PROCESS);
	filter_allow(&f, many, MAX_FILTER);
	CHECK(filter_enter(&f) == -E2BIG, "a filter that does not fit is not put on");
	CHECK(getppid() > 0 && prctl(PR_GET_SECCOMP) == before, "not in part, either");
}

#else
static void test_filter(void)
{
	tap_skip("no filter for this machine");
}

static void test_room(void)
{
}
#endif

/* Which of the descriptors 3 to 12 are open, a bit each. */
static unsigned open_now(void)
{
	unsigned is = 0;

	for (int fd = 3; fd <= 12; fd++)
		is |= fcntl(fd, F_GETFD) >= 0 ? 1u << fd : 0;
	return is;
}

static void test_files(void)
{
	static const struct { int keep[4]; size_t n; unsigned left; } files[] = {
		{ { 0 }, 0, 0 }, { { 3 }, 1, 1u << 3 }, { { 12 }, 1, 1u << 12 }, { { 5, 6, 9 }, 3, 1u << 5 | 1u << 6 | 1u << 9 },
		{ { -1, 0, 2, 4 }, 4, 1u << 4 }, { { 7, 7, 8 }, 3, 1u << 7 | 1u << 8 },
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		int two[2], status = 0;
		unsigned left = 0;

		(void)!pipe2(two, O_CLOEXEC);
		pid_t pid = fork();
		if (pid == 0) {
			int out = dup2(two[1], 1);

			for (int fd = 3; fd <= 12; fd++)
				(void)dup2(0, fd);
			shed_files(files[i].keep, files[i].n);
			left = open_now();
			_exit(write(out, &left, sizeof(left)) == sizeof(left) ? 0 : 1);
		}
		(void)close(two[1]);
		(void)!read(two[0], &left, sizeof(left));
		(void)close(two[0]);
		(void)waitpid(pid, &status, 0);
		CHECK(!status && left == files[i].left, "of ten descriptors those stay open that are to: %x, not %x", left, files[i].left);
	}
}

int main(void)
{
	test_filter();
	test_room();
	test_files();
	return tap_done();
}
