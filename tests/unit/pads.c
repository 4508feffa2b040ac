/* pads.c - a child that shares the table of descriptors leaves it with its pad alone, and PID 1 keeps its own. */
#include "supervise/pads.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf/kit/sys.h"
#include "tests/lib/tap.h"

#define MANY 200

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* How many descriptors from 3 on are open, but for the one that looks. */
static int open_ones(void)
{
	int n = 0;

	for (int fd = 3; fd < 4096; fd++)
		n += is_open(fd);
	return n;
}

static int exit_of(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Exit status: 0 as it should be, else what was not. */
static void child(const struct job *job, int elsewhere)
{
	if (pad_leave(job->pad) < 0)
		_exit(1);
	if (!is_open(job->gate) || !is_open(job->root) || !is_open(job->out) || job->err != 2)
		_exit(2);
	if (is_open(elsewhere) || open_ones() != 3)
		_exit(3);
	if (write(job->out, "x", 1) != 1)
		_exit(4);
	/* From here on the table is its own. */
	(void)close(job->gate);
	_exit(0);
}

static void test_leave(uint32_t *free)
{
	int pair[2], log[2], many[MANY];
	char byte;

	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0 && pipe2(log, O_CLOEXEC | O_NONBLOCK) == 0, "a gate and a log");
	for (int i = 0; i < MANY; i++)
		many[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct job job = { .gate = pair[1], .root = many[0], .out = log[1], .err = 2 };
	uint32_t before = *free;

	pad_take(free, &job);
	CHECK(job.pad != 0 && *free == (before & ~(UINT32_C(1) << (job.pad - 1))), "a pad is taken");
	CHECK(job.gate < 3 + 3 * (int)N_PADS && job.root < 3 + 3 * (int)N_PADS && job.out < 3 + 3 * (int)N_PADS, "what is on it lies low");
	int here = open_ones();
	pid_t pid = sys_fork_sharing();
	if (pid == 0)
		child(&job, many[MANY - 1]);
	CHECK(exit_of(pid) == 0, "the child has its pad and 0 to 2, and nothing else");
	CHECK(open_ones() == here && is_open(many[MANY - 1]) && is_open(job.gate), "PID 1 has lost nothing");
	CHECK(read(log[0], &byte, 1) == 1 && byte == 'x', "the child's output is where it belongs");
	(void)close(pair[1]);
	CHECK(recv(pair[0], &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN, "while the pad is taken, its gate stays open");
	pad_give(free, job.pad);
	CHECK(*free == before, "the pad is free again");
	CHECK(recv(pair[0], &byte, 1, MSG_DONTWAIT) == 0, "and with it the gate's last end has gone");
	for (int i = 0; i < MANY; i++)
		(void)close(many[i]);
	(void)close(pair[0]);
	(void)close(log[0]);
	(void)close(log[1]);
}

static void test_all(uint32_t *free)
{
	struct job jobs[N_PADS + 1];
	uint32_t all = *free;

	for (uint32_t i = 0; i <= N_PADS; i++) {
		jobs[i] = (struct job){ .gate = 1, .root = -1, .out = -1, .err = -1 };
		pad_take(free, &jobs[i]);
	}
	CHECK(*free == 0 && jobs[N_PADS - 1].pad == N_PADS, "all %u pads are taken", N_PADS);
	CHECK(jobs[N_PADS].pad == 0 && jobs[N_PADS].gate == 1, "then there is none, and the job stays as it was");
	for (uint32_t i = 0; i < N_PADS; i++)
		pad_give(free, jobs[i].pad);
	CHECK(*free == all, "all are free again");
	struct job bad = { .gate = 4000, .root = -1, .out = -1, .err = -1 };
	pad_take(free, &bad);
	CHECK(bad.pad == 0 && *free == all && bad.gate == 4000, "what is not open takes no pad");
}

/* What is opened before the pads are set aside is moved out of their way. */
static void test_clear(void)
{
	int low = open("/dev/null", O_RDONLY | O_CLOEXEC), high = pads_clear(low);

	CHECK(low == 3 && !is_open(low) && high >= 3 + 3 * (int)N_PADS, "descriptor %d goes to %d", low, high);
	CHECK(fcntl(high, F_GETFD) == FD_CLOEXEC, "and no further than we do");
	CHECK(pads_clear(-ENOENT) == -ENOENT, "what could not be opened stays an error");
	(void)close(high);
}

/* Slots of the table of descriptors, by /proc/self/status. */
static int room(void)
{
	char line[256];
	int n = -1;
	FILE *f = fopen("/proc/self/status", "re");

	while (f && n < 0 && fgets(line, sizeof(line), f))
		(void)sscanf(line, "FDSize: %d", &n);
	if (f)
		(void)fclose(f);
	return n;
}

static void test_room(void)
{
	int before = room(), open_before = open_ones();

	sys_room(1000);
	CHECK(before < 1000 && room() >= 1000 && open_ones() == open_before, "room for descriptors: %d, then %d", before, room());
	sys_room(INT_MAX);
	CHECK(open_ones() == open_before, "more than may be had is no harm");
}

int main(void)
{
	(void)sys_leave(0, 2);
	test_clear();
	uint32_t free = pads_open();

	if (free == 0) {
		puts("# SKIP close_range(2) is not to be had here");
		return 77;
	}
	CHECK(free == (UINT32_C(1) << N_PADS) - 1 && open_ones() == 3 * (int)N_PADS, "pads are set aside from descriptor 3 on");
	/* The second, so that there is one below it. */
	struct job first = { .gate = 0, .root = 0, .out = 0, .err = -1 };

	pad_take(&free, &first);
	test_leave(&free);
	pad_give(&free, first.pad);
	test_all(&free);
	test_room();
	return tap_done();
}
