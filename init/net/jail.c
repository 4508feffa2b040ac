/* jail.c - a list of steps for each of the two, each refused without harm. */
#include "init/net/jail.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conf/kit/filter.h"
#include "conf/kit/say.h"
#include "conf/kit/shed.h"

#define NOBODY 65534

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#ifdef FILTER_ARCH
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

static int forbid_calls(const uint16_t *calls, size_t n)
{
	struct filter f;

	filter_begin(&f, SECCOMP_RET_KILL_PROCESS);
	filter_allow(&f, calls, n);
	return filter_enter(&f);
}
#define FORBID_CALLS(list) forbid_calls(list, COUNT(list))
#else
#define FORBID_CALLS(list) 0
#endif

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

static int forbid_dumps(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0);
	return shed_dumps();
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
	say_if(name, shed_powers(0), "capabilities cannot be given up");
	say_if(name, forbid_dumps(), "core dumps stay allowed");
	(void)setrlimit(RLIMIT_NPROC, &none);
	say_if(name, shed_gains(), "no_new_privs");
	say_if(name, FORBID_CALLS(client_calls), "seccomp filter");
}

void jail_applier(const char *name, bool host)
{
	uint32_t keep = 1u << CAP_NET_ADMIN | (host ? 1u << CAP_SYS_ADMIN : 0);

	(void)prctl(PR_SET_NAME, "coppice: net", 0, 0, 0);
	known_signals();
	empty_bounding();
	say_if(name, shed_powers(keep), "capabilities cannot be given up");
	say_if(name, forbid_dumps(), "core dumps stay allowed");
	say_if(name, shed_gains(), "no_new_privs");
	say_if(name, FORBID_CALLS(applier_calls), "seccomp filter");
}
