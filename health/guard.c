/* guard.c - takes from the probe helper every right that it does not need. */
#include "health/guard.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "conf/kit/filter.h"
#include "conf/kit/say.h"
#include "conf/kit/shed.h"

#ifdef FILTER_ARCH
/* What probes do, with the old names that a C library may still use for them. */
static const uint16_t allowed[] = {
	/* the loop */
#ifdef SYS_epoll_wait
	SYS_epoll_wait,
#endif
	SYS_epoll_pwait, SYS_epoll_create1, SYS_epoll_ctl, SYS_clock_gettime, SYS_close, SYS_exit, SYS_exit_group,
	SYS_rt_sigreturn, SYS_restart_syscall, SYS_munmap, SYS_madvise,
	/* sockets */
	SYS_socketpair, SYS_connect, SYS_getsockopt, SYS_getsockname, SYS_getpeername, SYS_sendto, SYS_recvfrom, SYS_recvmsg,
	/* files: found and read, never written; no write(2) of any kind */
	SYS_openat2, SYS_fcntl, SYS_read,
	/* a look at a slow file, in a child with an alarm */
#ifdef SYS_fork
	SYS_fork,
#endif
	SYS_clone, SYS_gettid, SYS_set_tid_address, SYS_set_robust_list, SYS_rt_sigprocmask, SYS_setitimer, SYS_close_range,
};
static const uint16_t families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static int forbid_calls(void)
{
	struct filter f;

	filter_begin(&f, SECCOMP_RET_KILL_PROCESS);
	filter_allow(&f, allowed, COUNT(allowed));
	/* open for reading only, and nothing is made */
	filter_allow_without(&f, SYS_openat, 2, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC);
	filter_allow_among(&f, SYS_socket, 0, families, COUNT(families));
	return filter_enter(&f);
}
#else
static int forbid_calls(void)
{
	return 0;
}
#endif

static void say_if(int error, const char *what)
{
	if (error)
		say(SAY_WARNING, "health probes: %s: %s; they run without that protection", what, strerror(-error));
}

void guard_enter(int keep)
{
	sigset_t none;

	(void)prctl(PR_SET_NAME, "coppice: probe", 0, 0, 0);
	shed_files(&keep, 1);
	/* Children that look at slow files are forgotten; a peer that closes early is told by send(2). */
	(void)signal(SIGCHLD, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGALRM, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	say_if(shed_dumps(), "core dumps stay allowed");
	say_if(shed_gains(), "no_new_privs");
	say_if(shed_powers(1u << CAP_SYS_PTRACE | 1u << CAP_DAC_OVERRIDE), "capabilities cannot be given up");
	say_if(forbid_calls(), "seccomp filter");
}
