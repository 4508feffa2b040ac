/* guard.c - takes from the probe helper every right that it does not need. */
#include "health/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conf/kit/filter.h"
#include "conf/kit/say.h"

#if defined(ARCH) && !defined(SANITIZED)
/* What probes do, with the old names that a C library may still use for them. */
static const uint16_t allowed[] = {
	/* the loop */
#ifdef SYS_epoll_wait
	SYS_epoll_wait,
#endif
	SYS_epoll_pwait, SYS_epoll_create1, SYS_epoll_ctl, SYS_clock_gettime, SYS_close, SYS_exit, SYS_exit_group,
	SYS_rt_sigreturn, SYS_restart_syscall, SYS_munmap, SYS_madvise,
	/* sockets */
	SYS_socketpair, SYS_connect, SYS_getsockopt, SYS_getsockname, SYS_getpeername, SYS_sendto, SYS_recvfrom,
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
#define LOAD(field)  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ARGUMENT(i)  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[(i)]))
#define UNLESS(value, jump) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (jump))
#define IF(value, jump)     BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (jump), 0)
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, (what))
#define KILL         RETURN(SECCOMP_RET_KILL_PROCESS)
#define ALLOW        RETURN(SECCOMP_RET_ALLOW)

/* seccomp(2). Little-endian machines only: arguments are looked at by their low words. */
static int forbid_calls(void)
{
	struct sock_filter filter[16 + 2 * COUNT(allowed) + 2 * COUNT(families)] = {
		LOAD(arch), IF(ARCH, 1), KILL, LOAD(nr),
	};
	size_t n = 4;

	for (size_t i = 0; i < COUNT(allowed); i++) {
		filter[n++] = (struct sock_filter)UNLESS(allowed[i], 1);
		filter[n++] = (struct sock_filter)ALLOW;
	}
	/* open for reading only, and nothing is made */
	filter[n++] = (struct sock_filter)UNLESS(SYS_openat, 4);
	filter[n++] = (struct sock_filter)ARGUMENT(2);
	filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, 1, 0);
	filter[n++] = (struct sock_filter)ALLOW;
	filter[n++] = (struct sock_filter)KILL;
	filter[n++] = (struct sock_filter)UNLESS(SYS_socket, 2 * COUNT(families) + 1);
	filter[n++] = (struct sock_filter)ARGUMENT(0);
	for (size_t i = 0; i < COUNT(families); i++) {
		filter[n++] = (struct sock_filter)UNLESS(families[i], 1);
		filter[n++] = (struct sock_filter)ALLOW;
	}
	filter[n++] = (struct sock_filter)KILL;
	struct sock_fprog program = { .len = (unsigned short)n, .filter = filter };
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ? -errno : 0;
}
#else
static int forbid_calls(void)
{
	return 0;
}
#endif

/* capset(2) with what is left of the two; nothing can come back, for nothing is executed any more. */
static int forbid_powers(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	const uint32_t keep = 1u << CAP_SYS_PTRACE | 1u << CAP_DAC_OVERRIDE;

	if (syscall(SYS_capget, &head, data))
		return -errno;
	data[0].permitted &= keep;
	data[0].effective = data[0].permitted;
	data[0].inheritable = 0;
	memset(&data[1], 0, sizeof(data[1]));
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* 4.3 */
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

void guard_close_others(int keep)
{
#ifdef SYS_close_range
	if ((keep <= 3 || !syscall(SYS_close_range, 3u, (unsigned)keep - 1, 0u)) &&
	    !syscall(SYS_close_range, (unsigned)(keep > 2 ? keep + 1 : 3), UINT_MAX, 0u))
		return;
#endif
	struct rlimit files = { .rlim_cur = 1024 }; /* before 5.9 */
	(void)getrlimit(RLIMIT_NOFILE, &files);
	for (int fd = 3; fd < (int)(files.rlim_cur < 65536 ? files.rlim_cur : 65536); fd++)
		if (fd != keep)
			(void)close(fd);
}

static int forbid_dumps(void)
{
	return setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 }) ? -errno : 0;
}

static int forbid_gains(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

static void say_if(int error, const char *what)
{
	if (error)
		say(SAY_WARNING, "health probes: %s: %s; they run without that protection", what, strerror(-error));
}

void guard_enter(int keep)
{
	sigset_t none;

	(void)prctl(PR_SET_NAME, "coppice: probe", 0, 0, 0);
	guard_close_others(keep);
	/* Children that look at slow files are forgotten; a peer that closes early is told by send(2). */
	(void)signal(SIGCHLD, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGALRM, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	say_if(forbid_dumps(), "core dumps stay allowed");
	say_if(forbid_gains(), "no_new_privs");
	say_if(forbid_powers(), "capabilities cannot be given up");
	say_if(forbid_calls(), "seccomp filter");
}
