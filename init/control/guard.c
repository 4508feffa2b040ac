/* guard.c - takes from the desk every right that it does not need. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "conf/kit/filter.h"
#include "conf/kit/shed.h"
#include "init/control/inside.h"

#ifdef FILTER_ARCH
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

/*
 * What is not allowed fails with EPERM, so that a C library that does things in
 * another way finds a door closed, not its process dead.
 */
static void forbid_calls(void)
{
	struct filter f;

	filter_begin(&f, SECCOMP_RET_ERRNO | EPERM);
	filter_allow(&f, allowed, sizeof(allowed) / sizeof(*allowed));
	(void)filter_enter(&f);
}
#else
static void forbid_calls(void)
{
}
#endif

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

void desk_guard(const int *keep, uint32_t n)
{
	int *sorted = calloc((size_t)n + 1, sizeof(*sorted));

	if (sorted) {
		memcpy(sorted, keep, n * sizeof(*keep));
		qsort(sorted, n, sizeof(*sorted), by_number);
		shed_files(sorted, n);
		free(sorted);
	}
	(void)shed_dumps();
	(void)shed_gains();
	/* The desk stays uid 0: what it opens it opened before, and what it asks for it asks of PID 1. */
	(void)shed_powers(0);
	forbid_calls();
}
