/* netns.h - a network namespace of the test's own, with loopback up and nothing else. */
#ifndef TESTS_LIB_NETNS_H
#define TESTS_LIB_NETNS_H

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

__attribute__((unused)) static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));
	int error = errno;

	if (fd >= 0)
		(void)close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -error;
}

/* 0 or -errno. Without root it makes a user namespace, too, and is root in there. */
__attribute__((unused)) static int enter_netns(void)
{
	struct ifreq up = { .ifr_name = "lo" };
	char map[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWNET)) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
			return -errno;
		(void)write_file("/proc/self/setgroups", "deny");
		(void)snprintf(map, sizeof(map), "0 %u 1", (unsigned)uid);
		int r = write_file("/proc/self/uid_map", map);
		(void)snprintf(map, sizeof(map), "0 %u 1", (unsigned)gid);
		if (!r)
			r = write_file("/proc/self/gid_map", map);
		if (r)
			return r;
	}
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int r = ioctl(fd, SIOCGIFFLAGS, &up) ? -errno : 0;
	up.ifr_flags |= IFF_UP;
	if (!r && ioctl(fd, SIOCSIFFLAGS, &up))
		r = -errno;
	(void)close(fd);
	return r;
}

#endif
