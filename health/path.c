/* path.c - looks at a file or a socket inside a unit's root, never outside of it. */
#include "health/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "conf/kit/own.h"
#include "health/probe.h"

#ifndef RESOLVE_CACHED
#define RESOLVE_CACHED 0x20
#endif

/*
 * A rename or a mount anywhere on the machine makes a way with ".." doubtful, and the call ends with EAGAIN
 * (openat2(2)): begun again, and given up where that does not end.
 */
#define TRIES 1000

static int open_inside(int root, const char *path, bool patient)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | (patient ? 0 : RESOLVE_CACHED),
	};
	int fd = -1;

	for (int i = 0; fd < 0 && i < (patient ? TRIES : 1); i++) {
		fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
		if (fd < 0 && errno != EAGAIN)
			return -errno;
	}
	return fd < 0 ? -EAGAIN : fd;
}

/* By way of /proc, because a path may be longer than sun_path, and because `fd` cannot be bent. */
static int32_t knock(int fd)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	owned_fd s = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (s < 0)
		return DETAIL(DETAIL_SYSTEM, errno);
	(void)snprintf(to.sun_path, sizeof(to.sun_path), "/proc/self/fd/%d", fd);
	return connect(s, (struct sockaddr *)&to, sizeof(to)) ? DETAIL(DETAIL_CONNECT, errno) : 0;
}

int32_t path_look(const char *path, bool connect, int top, int32_t main, bool patient)
{
	char where[32] = "/";

	if (main > 0)
		(void)snprintf(where, sizeof(where), "/proc/%d/root", (int)main);
	owned_fd root = top < 0 ? openat(AT_FDCWD, where, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (top < 0 && root < 0)
		return DETAIL(DETAIL_SYSTEM, errno);
	owned_fd fd = open_inside(top < 0 ? root : top, path, patient);
	switch (fd) {
	case -EAGAIN:
	case -EINVAL: /* RESOLVE_CACHED is not known */
		return patient ? DETAIL(DETAIL_SYSTEM, -fd) : PATH_SLOW;
	case -ENOENT:
	case -ENOTDIR:
	case -ELOOP:
	case -ENAMETOOLONG:
		return DETAIL(DETAIL_MISSING, -fd);
	default:
		if (fd < 0)
			return DETAIL(DETAIL_SYSTEM, -fd);
		return connect ? knock(fd) : 0;
	}
}
