/* guard.c - takes from the desk every right that it does not need. */
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conf/kit/filter.h"
#include "init/control/inside.h"

#if defined(ARCH) && !defined(SANITIZED)
/* What a desk does, with the old names that a C library may still use: no file is opened, no process made, nothing connected to. */
static const uint16_t allowed[] = {
#ifdef SYS_epoll_wait
	SYS_epoll_wait,
#endif
#ifdef SYS_poll
	SYS_poll,
#endif
	SYS_epoll_pwait, SYS_epoll_ctl, SYS_ppoll, SYS_clock_gettime, SYS_close, SYS_exit, SYS_exit_group, SYS_rt_sigreturn,
	SYS_restart_syscall, SYS_rt_sigprocmask, SYS_gettid, SYS_getpid, SYS_tgkill,
	/* descriptors that it has, or is handed */
	SYS_read, SYS_readv, SYS_write, SYS_writev, SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg, SYS_accept4, SYS_getsockopt,
	SYS_fcntl, SYS_memfd_create,
	/* memory */
	SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap, SYS_madvise, SYS_mprotect, SYS_getrandom,
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#endif

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Everything from `from` to `to` but not `to` itself. */
static void close_between(int from, int to)
{
	if (from >= to)
		return;
#ifdef SYS_close_range
	if (!syscall(SYS_close_range, (unsigned)from, to == INT_MAX ? UINT_MAX : (unsigned)to - 1, 0u))
		return;
#endif
	struct rlimit files = { .rlim_cur = 1024 }; /* before 5.9 */

	(void)getrlimit(RLIMIT_NOFILE, &files);
	for (int fd = from; fd < to && fd < (int)(files.rlim_cur < 65536 ? files.rlim_cur : 65536); fd++)
		(void)close(fd);
}

/* capset(2) with nothing left. The desk stays uid 0: what it opens it opened before, and what it asks for it asks of PID 1. */
static void forbid_powers(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	memset(data, 0, sizeof(data));
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* 4.3 */
	(void)syscall(SYS_capset, &head, data);
}

/*
 * seccomp(2). What is not allowed fails with EPERM, so that a C library that
 * does things in another way finds a door closed, not its process dead.
 */
static void forbid_calls(void)
{
#if defined(ARCH) && !defined(SANITIZED)
	struct sock_filter filter[2 * COUNT(allowed) + 5] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	size_t n = 4;

	for (size_t i = 0; i < COUNT(allowed); i++) {
		filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i], 0, 1);
		filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	struct sock_fprog program = { .len = (unsigned short)n, .filter = filter };

	(void)prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
#endif
}

void desk_guard(const int *keep, uint32_t n)
{
	int *sorted = calloc((size_t)n + 1, sizeof(*sorted));

	if (sorted) {
		int from = 3;

		memcpy(sorted, keep, n * sizeof(*keep));
		qsort(sorted, n, sizeof(*sorted), by_number);
		for (uint32_t i = 0; i < n; i++) {
			close_between(from, sorted[i]);
			if (sorted[i] >= from)
				from = sorted[i] + 1;
		}
		close_between(from, INT_MAX);
		free(sorted);
	}
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	forbid_powers();
	forbid_calls();
}
