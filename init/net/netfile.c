/* netfile.c - open, write, rename; names are never followed out of links where we write. */
#include "init/net/netfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/kit/own.h"
#include "conf/kit/sys.h"

int netfile_dirs(const char *path)
{
	char part[PATH_MAX];
	size_t n = strlen(path);

	if (!n || n >= sizeof(part))
		return -ENAMETOOLONG;
	memcpy(part, path, n + 1);
	size_t k = n;

	/* Back to the last one that is there, for mostly little is missing; from there on forth. */
	while (mkdirat(AT_FDCWD, part, 0755) < 0 && errno != EEXIST) {
		if (errno != ENOENT)
			return -errno;
		while (k > 0 && part[--k] != '/')
			;
		if (k == 0)
			return -ENOENT;
		part[k] = '\0';
	}
	while (k < n) {
		part[k] = path[k];
		k += strlen(part + k);
		if (mkdirat(AT_FDCWD, part, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

ssize_t netfile_read(const char *path, void *into, size_t size)
{
	owned_fd fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	size_t have = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	while (have < size) {
		ssize_t n = sys_read(fd, (char *)into + have, size - have);

		if (n <= 0)
			return n < 0 ? n : (ssize_t)have;
		have += (size_t)n;
	}
	char more;

	return sys_read(fd, &more, 1) > 0 ? -EFBIG : (ssize_t)have;
}

int netfile_write_over(const char *path, const void *from, size_t n)
{
	owned_fd fd = openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	int e = sys_write_all(fd, from, n);
	if (e == 0 && ftruncate(fd, (off_t)n) < 0)
		e = -errno;
	return e;
}

static int write_fresh(const char *fresh, const void *from, size_t n, mode_t mode)
{
	(void)unlinkat(AT_FDCWD, fresh, 0);
	owned_fd fd = openat(AT_FDCWD, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);

	if (fd < 0)
		return -errno;
	return sys_write_all(fd, from, n);
}

int netfile_write(const char *path, const void *from, size_t n, mode_t mode, bool in_place)
{
	char fresh[PATH_MAX];
	int length = snprintf(fresh, sizeof(fresh), "%s.coppice", path);

	if (length < 0 || (size_t)length >= sizeof(fresh))
		return -ENAMETOOLONG;
	int e = write_fresh(fresh, from, n, mode);
	if (e == 0 && renameat(AT_FDCWD, fresh, AT_FDCWD, path) < 0)
		e = -errno;
	if (e < 0 && e != -EROFS)
		(void)unlinkat(AT_FDCWD, fresh, 0);
	if (in_place && (e == -EBUSY || e == -EROFS || e == -EACCES || e == -EPERM)) {
		int again = netfile_write_over(path, from, n);

		/* A file that was never there could not be written in place, which is not the reason. */
		return again == -ENOENT ? e : again;
	}
	return e;
}
