/* sys.c - the seam's real side: thin wrappers over system calls. */
#include "conf/kit/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Begins an interrupted call again; leaves what it returned in r, or -errno. */
#define AGAIN(r, call)                                     \
	do {                                               \
		do                                         \
			(r) = (call);                      \
		while ((r) < 0 && errno == EINTR);         \
		if ((r) < 0)                               \
			(r) = -errno;                      \
	} while (0)

static msec_t clock_ms(clockid_t which)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(which, &ts);
	return (msec_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

msec_t sys_now(void)
{
	return clock_ms(CLOCK_BOOTTIME);
}

msec_t sys_wall(void)
{
	return clock_ms(CLOCK_REALTIME);
}

/* A machine in its first second has no entropy to give away yet: then what there is will do (GRND_INSECURE, Linux 5.6). */
bool sys_dice(void *into, size_t n)
{
	return getrandom(into, n, GRND_NONBLOCK) == (ssize_t)n || getrandom(into, n, GRND_INSECURE) == (ssize_t)n;
}

uint32_t sys_random(void)
{
	uint32_t n = 0;

	if (!sys_dice(&n, sizeof(n)))
		n = (uint32_t)sys_now() * 2654435761u;
	return n;
}

static pid_t clone_with(uint64_t flags)
{
	static bool too_old;
	struct clone_args args = { .flags = flags | CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };

	if (!too_old) {
		long pid = syscall(SYS_clone3, &args, sizeof(args));

		if (pid >= 0)
			return (pid_t)pid;
		/* EPERM: seccomp filters of older container runtimes do not know clone3. */
		if (errno != ENOSYS && errno != EPERM && errno != EINVAL)
			return (pid_t)-errno;
		too_old = true;
	}
	/* A child that shares nothing has nothing to leave, and that is all. */
	pid_t pid = fork();
	if (pid < 0)
		return (pid_t)-errno;
	if (pid == 0) {
		for (int s = 1; s <= 64; s++)
			(void)signal(s, SIG_DFL);
	}
	return pid;
}

pid_t sys_fork(void)
{
	return clone_with(0);
}

pid_t sys_fork_sharing(void)
{
	return clone_with(CLONE_FILES);
}

pid_t sys_fork_within(int (*life)(void *), void *stack_end, void *self)
{
	pid_t pid = clone(life, stack_end, CLONE_VM | CLONE_FILES | SIGCHLD, self);

	return pid < 0 ? (pid_t)-errno : pid;
}

void sys_forget(void *at, size_t n)
{
	(void)madvise(at, n, MADV_DONTNEED);
}

int sys_leave(int first, int last)
{
	if (syscall(SYS_close_range, (unsigned int)last + 1, ~0u, CLOSE_RANGE_UNSHARE) < 0)
		return -errno;
	if (first > 3 && syscall(SYS_close_range, 3u, (unsigned int)first - 1, 0) < 0)
		return -errno;
	return 0;
}

int sys_place(int fd, int at)
{
	int r = dup3(fd, at, O_CLOEXEC);

	return r < 0 ? -errno : r;
}

static struct sys_exit exit_of(const siginfo_t *si)
{
	return (struct sys_exit){ .pid = si->si_pid, .value = si->si_status,
				  .kind = si->si_code == CLD_EXITED ? 1 : si->si_code == CLD_DUMPED ? 3 : 2 };
}

int sys_move(int fd, int least)
{
	int at = fcntl(fd, F_DUPFD_CLOEXEC, least), e = errno;

	(void)close(fd);
	return at < 0 ? -e : at;
}

void sys_room(int most)
{
	struct rlimit soft;

	if (getrlimit(RLIMIT_NOFILE, &soft) == 0 && (rlim_t)most > soft.rlim_cur)
		most = (int)soft.rlim_cur;
	/* Whatever is at the end of the room is in use: then there is room. */
	int at = fcntl(0, F_DUPFD_CLOEXEC, most - 1);
	if (at >= 0)
		(void)close(at);
}

int sys_reap_peek(struct sys_exit *ret)
{
	siginfo_t si = { 0 };
	int r;

	AGAIN(r, waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT));
	if (r < 0)
		return r;
	if (si.si_pid == 0)
		return 0;
	*ret = exit_of(&si);
	return 1;
}

int sys_reap(pid_t pid)
{
	siginfo_t si = { 0 };

	int r;

	AGAIN(r, waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG));
	return r;
}

int sys_wait(pid_t pid, struct sys_exit *ret)
{
	siginfo_t si = { 0 };
	int r;

	AGAIN(r, waitid(P_PID, (id_t)pid, &si, WEXITED));
	if (r < 0)
		return r;
	*ret = exit_of(&si);
	return 0;
}

int sys_kill(pid_t pid, int sig)
{
	return kill(pid, sig) < 0 ? -errno : 0;
}

pid_t sys_getsid(pid_t pid)
{
	pid_t s = getsid(pid);

	return s < 0 ? (pid_t)-errno : s;
}

pid_t sys_getpgid(pid_t pid)
{
	pid_t g = getpgid(pid);

	return g < 0 ? (pid_t)-errno : g;
}

int sys_is_child(pid_t pid)
{
	siginfo_t si = { 0 };
	int r;

	/* waitid(2): ECHILD for whoever is no child of the caller, whatever it is doing. */
	AGAIN(r, waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT));
	return r == 0;
}

int sys_pipe(int two[2])
{
	return pipe2(two, O_CLOEXEC) < 0 ? -errno : 0;
}

int sys_socketpair(int two[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, two) < 0)
		return -errno;
	if (fcntl(two[1], F_SETFL, 0) < 0) {
		int e = errno;

		(void)close(two[0]);
		(void)close(two[1]);
		return -e;
	}
	return 0;
}

int sys_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

bool sys_is_place(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	/* open(2) keeps both, and would have refused what is no directory. */
	return flags >= 0 && flags & O_PATH && flags & O_DIRECTORY;
}

int sys_close(int fd)
{
	return close(fd) < 0 ? -errno : 0;
}

ssize_t sys_read(int fd, void *into, size_t n)
{
	ssize_t r;

	AGAIN(r, read(fd, into, n));
	return r;
}

ssize_t sys_write(int fd, const void *from, size_t n)
{
	ssize_t r;

	AGAIN(r, write(fd, from, n));
	return r;
}

int sys_write_all(int fd, const void *from, size_t n)
{
	for (const char *at = from; n > 0;) {
		ssize_t done = sys_write(fd, at, n);

		if (done <= 0)
			return done < 0 ? (int)done : -EIO;
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

#define MOST_FDS 4

ssize_t sys_recv(int fd, void *into, size_t n, int *fds, int *n_fds)
{
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(MOST_FDS * sizeof(int))];
	struct iovec io = { .iov_base = into, .iov_len = n };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room) };
	ssize_t got;
	int most = n_fds ? *n_fds : 0, have = 0;

	AGAIN(got, recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
	if (n_fds)
		*n_fds = 0;
	if (got < 0)
		return got;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t bytes = c->cmsg_len - CMSG_LEN(0);

		for (size_t i = 0; i + sizeof(int) <= bytes; i += sizeof(int)) {
			int one;

			memcpy(&one, CMSG_DATA(c) + i, sizeof(one));
			if (have < most)
				fds[have++] = one;
			else
				(void)close(one);
		}
	}
	if (n_fds)
		*n_fds = have;
	return got;
}

ssize_t sys_send(int fd, const void *from, size_t n, const int *fds, int n_fds)
{
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(MOST_FDS * sizeof(int))] = { 0 };
	struct iovec io = { .iov_base = (void *)(uintptr_t)from, .iov_len = n };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };

	if (n_fds > MOST_FDS)
		return -EINVAL;
	if (n_fds > 0) {
		m.msg_control = room;
		m.msg_controllen = CMSG_SPACE((size_t)n_fds * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((size_t)n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, (size_t)n_fds * sizeof(int));
	}
	ssize_t r;

	AGAIN(r, sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL));
	return r;
}

ssize_t sys_recv_from(int fd, void *into, size_t n, pid_t *pid, uid_t *uid)
{
	/* Room for the credentials and for the most descriptors a sender may attach (SCM_MAX_FD, 253), so that all can be closed. */
	static _Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(253 * sizeof(int))];
	struct iovec io = { .iov_base = into, .iov_len = n };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room) };
	ssize_t got;

	AGAIN(got, recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
	*pid = 0;
	*uid = (uid_t)-1;
	if (got < 0)
		return got;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_CREDENTIALS) {
			struct ucred who;

			memcpy(&who, CMSG_DATA(c), sizeof(who));
			*pid = who.pid;
			*uid = who.uid;
		} else if (c->cmsg_type == SCM_RIGHTS) {
			size_t bytes = c->cmsg_len - CMSG_LEN(0);

			for (size_t i = 0; i + sizeof(int) <= bytes; i += sizeof(int)) {
				int one;

				memcpy(&one, CMSG_DATA(c) + i, sizeof(one));
				(void)close(one);
			}
		}
	}
	return got;
}

int sys_epoll(void)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int sys_epoll_ctl(int ep, int op, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event e = { .events = events, .data.u64 = data };

	return epoll_ctl(ep, op, fd, &e) < 0 ? -errno : 0;
}

int sys_epoll_wait(int ep, struct epoll_event *ret, int most, msec_t timeout)
{
	int ms = timeout >= INT32_MAX ? timeout == FOREVER ? -1 : INT32_MAX : (int)timeout;
	int n = epoll_wait(ep, ret, most, ms);

	/* An interruption is a wake-up like any other: the caller looks at its clock. */
	return n >= 0 ? n : errno == EINTR ? 0 : -errno;
}

void sys_doze(int fd, msec_t most)
{
	(void)poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, (int)most);
}

int sys_signalfd(const sigset_t *set)
{
	/* By hand: musl's signalfd passes its own set size, but its sigfillset leaves out 32-34, which we want. */
	int fd = (int)syscall(SYS_signalfd4, -1, set, (size_t)8, SFD_CLOEXEC | SFD_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

int sys_unlink(const char *path)
{
	return unlink(path) < 0 ? -errno : 0;
}

int sys_symlink(const char *to, const char *path)
{
	char fresh[4096];
	int n = snprintf(fresh, sizeof(fresh), "%s.new", path);

	if (n < 0 || (size_t)n >= sizeof(fresh))
		return -ENAMETOOLONG;
	(void)unlink(fresh);
	if (symlink(to, fresh) < 0)
		return -errno;
	if (rename(fresh, path) < 0) {
		int e = errno;

		(void)unlink(fresh);
		return -e;
	}
	return 0;
}
