/* jail.c - a list of steps for each of the two, each refused without harm. */
#include "init/net/jail.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conf/kit/filter.h"
#include "conf/kit/say.h"

#define NOBODY 65534

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#if defined(ARCH) && !defined(SANITIZED)
static const uint16_t client_calls[] = {
	SYS_sendto, SYS_recvmsg, SYS_sendmsg, SYS_recvfrom, SYS_read, SYS_write, SYS_ppoll,
#ifdef SYS_poll
	SYS_poll,
#endif
	SYS_timerfd_settime, SYS_clock_gettime, SYS_bind, SYS_close, SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_restart_syscall,
};

static const uint16_t applier_calls[] = {
	SYS_sendto, SYS_recvmsg, SYS_sendmsg, SYS_recvfrom, SYS_read, SYS_write, SYS_ppoll,
#ifdef SYS_poll
	SYS_poll,
#endif
	SYS_clock_gettime, SYS_close, SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_restart_syscall,
	/* files: the saved lease, resolv.conf */
	SYS_openat, SYS_fstat, SYS_pread64, SYS_pwrite64, SYS_ftruncate, SYS_flock, SYS_renameat, SYS_unlinkat, SYS_mkdirat, SYS_fcntl,
#ifdef SYS_newfstatat
	SYS_newfstatat,
#endif
#ifdef SYS_renameat2
	SYS_renameat2, SYS_statx,
#endif
	SYS_sethostname, SYS_waitid,
};

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, (what))

/* seccomp(2). */
static int forbid_calls(const uint16_t *calls, size_t n_calls)
{
	struct sock_filter filter[5 + 2 * COUNT(applier_calls)] = {
		LOAD(arch), EQUAL(ARCH, 1, 0), RETURN(SECCOMP_RET_KILL_PROCESS), LOAD(nr),
	};
	size_t n = 4;

	_Static_assert(COUNT(client_calls) <= COUNT(applier_calls), "the filter has room for the longer list");
	for (size_t i = 0; i < n_calls; i++) {
		filter[n++] = (struct sock_filter)EQUAL(calls[i], 0, 1);
		filter[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	}
	filter[n++] = (struct sock_filter)RETURN(SECCOMP_RET_KILL_PROCESS);
	struct sock_fprog program = { .len = (unsigned short)n, .filter = filter };
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ? -errno : 0;
}
#define FORBID_CALLS(list) forbid_calls(list, COUNT(list))
#else
#define FORBID_CALLS(list) 0
#endif

void jail_close_others(const int *keep, size_t n)
{
	struct rlimit files = { .rlim_cur = 1024 };
	unsigned from = 3;
	size_t k = 0;

#ifdef SYS_close_range
	for (; k < n; k++) {
		if (keep[k] > 3 && (unsigned)keep[k] > from && syscall(SYS_close_range, from, (unsigned)keep[k] - 1, 0u) < 0)
			break;
		if (keep[k] >= 3)
			from = (unsigned)keep[k] + 1;
	}
	if (k == n && !syscall(SYS_close_range, from, UINT_MAX, 0u))
		return;
#endif
	(void)getrlimit(RLIMIT_NOFILE, &files); /* before 5.9 */
	for (int fd = 3; fd < (int)(files.rlim_cur < 65536 ? files.rlim_cur : 65536); fd++) {
		for (k = 0; k < n && keep[k] != fd; k++)
			continue;
		if (k == n)
			(void)close(fd);
	}
}

/* A directory that was removed while we are in it is empty, and stays so. */
static int empty_root(void)
{
	static const char *const places[] = { "/run/coppice-XXXXXX", "/dev/shm/coppice-XXXXXX", "/tmp/coppice-XXXXXX" };
	char path[32];
	int e = -ENOENT;

	for (size_t i = 0; i < COUNT(places); i++) {
		memcpy(path, places[i], strlen(places[i]) + 1);
		if (!mkdtemp(path))
			continue;
		e = chdir(path) < 0 ? -errno : 0;
		(void)rmdir(path);
		if (e == 0)
			e = chroot(".") < 0 ? -errno : 0;
		if (e == 0)
			return chdir("/") < 0 ? -errno : 0;
		(void)chdir("/");
		break;
	}
	return e;
}

static int become_nobody(void)
{
	if (setgroups(0, NULL) < 0 && errno != EPERM) /* EPERM: user namespaces may forbid that; user_namespaces(7) */
		return -errno;
	if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return -errno;
	return 0;
}

/* For what little it is worth where nothing is executed; it takes CAP_SETPCAP, so it comes first. */
static void empty_bounding(void)
{
	for (unsigned long cap = 0; cap <= 63; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

/* capset(2). */
static int keep_powers(uint32_t keep)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* 4.3 */
	if (syscall(SYS_capget, &head, data))
		return -errno;
	data[0].permitted &= keep;
	data[0].effective = data[0].permitted;
	data[0].inheritable = 0;
	memset(&data[1], 0, sizeof(data[1]));
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

static int forbid_dumps(void)
{
	const struct rlimit none = { 0, 0 };

	(void)prctl(PR_SET_DUMPABLE, 0);
	return setrlimit(RLIMIT_CORE, &none) ? -errno : 0;
}

static int forbid_gains(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

static void say_if(const char *name, int error, const char *what)
{
	if (error)
		say(SAY_WARNING, "%s: %s: %s; the network helper runs without that protection", name, what, strerror(-error));
}

static void known_signals(void)
{
	sigset_t none;

	(void)signal(SIGPIPE, SIG_IGN);
	/* PID 1 sends SIGTERM to all that is left at the end; ours is the end of the socket, and a lease to give back first. */
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

void jail_client(const char *name)
{
	const struct rlimit none = { 0, 0 };

	(void)prctl(PR_SET_NAME, "coppice: dhcp", 0, 0, 0);
	known_signals();
	say_if(name, empty_root(), "no empty root");
	empty_bounding();
	say_if(name, become_nobody(), "cannot become user 65534");
	say_if(name, keep_powers(0), "capabilities cannot be given up");
	say_if(name, forbid_dumps(), "core dumps stay allowed");
	(void)setrlimit(RLIMIT_NPROC, &none);
	say_if(name, forbid_gains(), "no_new_privs");
	say_if(name, FORBID_CALLS(client_calls), "seccomp filter");
}

void jail_applier(const char *name, bool host)
{
	uint32_t keep = 1u << CAP_NET_ADMIN | (host ? 1u << CAP_SYS_ADMIN : 0);

	(void)prctl(PR_SET_NAME, "coppice: net", 0, 0, 0);
	known_signals();
	empty_bounding();
	say_if(name, keep_powers(keep), "capabilities cannot be given up");
	say_if(name, forbid_dumps(), "core dumps stay allowed");
	say_if(name, forbid_gains(), "no_new_privs");
	say_if(name, FORBID_CALLS(applier_calls), "seccomp filter");
}
