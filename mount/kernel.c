/* kernel.c - the newer mount calls by number, and mount(2) where they are hidden. */
#include "mount/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conf/kit/own.h"

/* The C libraries disagree on where these live, and <linux/mount.h> and <sys/mount.h> do not go together. */
enum { TREE_CLONE = 1, TREE_DEEP = 0x8000, FD_ITSELF = 0x1000, MOVE_FROM_FD = 0x04, MOVE_TO_FD = 0x40,
       FS_CLOEXEC = 1, FS_FLAG = 0, FS_STRING = 1, FS_CREATE = 6 };
struct open_how_ { uint64_t flags, mode, resolve; };
struct attr_ { uint64_t set, clear, propagation, userns; };

#define MOST_OPTIONS 4095 /* bytes; mount(2) takes one page */
#define MOST_VALUE   255  /* bytes; fsconfig(2) */

typedef char fd_path[sizeof("/proc/self/fd/-2147483648")];

/* "/proc/self/fd/N": what mount(2) takes for a descriptor. */
static const char *path_of(int fd, fd_path into)
{
	(void)snprintf(into, sizeof(fd_path), "/proc/self/fd/%d", fd);
	return into;
}

static bool hidden(int err)
{
	return err == ENOSYS || err == EPERM;
}

int kernel_open(int at, const char *path, int flags, mode_t mode, uint32_t resolve)
{
	/* openat2 refuses a mode where nothing is created. */
	struct open_how_ how = { .flags = (uint64_t)(unsigned int)flags | O_CLOEXEC,
				 .mode = flags & O_CREAT ? mode : 0, .resolve = resolve };

	for (int tries = 0;; tries++) {
		long fd = syscall(SYS_openat2, at, path, &how, sizeof(how));

		if (fd >= 0)
			return (int)fd;
		if (errno != EINTR && (errno != EAGAIN || tries == 32))
			return -errno;
	}
}

/* Hands each option to the context. 1: an option that only mount(2) can take. */
static int configure(int fs, const char *options)
{
	char copy[MOST_OPTIONS + 1], *rest = copy, *word;

	if (strlen(options) > MOST_OPTIONS)
		return -E2BIG;
	memcpy(copy, options, strlen(options) + 1);
	while ((word = strsep(&rest, ","))) {
		char *value = strchr(word, '=');

		if (!*word)
			continue;
		if (value)
			*value++ = '\0';
		if (value && strlen(value) > MOST_VALUE)
			return 1;
		if (syscall(SYS_fsconfig, fs, value ? FS_STRING : FS_FLAG, word, value, 0) < 0)
			return -errno;
	}
	return syscall(SYS_fsconfig, fs, FS_CREATE, NULL, NULL, 0) < 0 ? -errno : 0;
}

static int mount_by_path(const char *type, const char *options, uint32_t attrs, int target)
{
	fd_path path;

	return mount(type, path_of(target, path), type, attrs, options) < 0 ? -errno : 0;
}

int kernel_mount(const char *type, const char *options, uint32_t attrs, int target)
{
	owned_fd fs = (int)syscall(SYS_fsopen, type, FS_CLOEXEC);

	if (fs < 0) {
		int first = errno, e = hidden(first) ? mount_by_path(type, options, attrs, target) : -first;

		/* Where /proc is missing, so is every path below it: that says nothing of the mount. */
		return e == -ENOENT && first == EPERM ? -EPERM : e;
	}

	int rc = configure(fs, options);

	if (rc)
		return rc > 0 ? mount_by_path(type, options, attrs, target) : rc;

	owned_fd tree = (int)syscall(SYS_fsmount, fs, FS_CLOEXEC, attrs);

	if (tree < 0 || syscall(SYS_move_mount, tree, "", target, "", MOVE_FROM_FD | MOVE_TO_FD) < 0)
		return -errno;
	return 0;
}

/* Changes the attributes of a mount by its root; those it has are kept (mount(2) would drop them). */
static int remount(int fd, uint32_t attrs)
{
	struct statvfs fs;
	fd_path path;

	if (fstatvfs(fd, &fs) < 0)
		return -errno;
	/* statvfs(3) reports these bits with the numbers of mount(2); ST_RELATIME alone differs. */
	unsigned long kept = fs.f_flag & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME);

	return mount(NULL, path_of(fd, path), NULL, MS_REMOUNT | MS_BIND | kept | attrs, NULL) < 0 ? -errno : 0;
}

static int bind_by_path(int source, bool deep, uint32_t attrs, int target)
{
	char where[PATH_MAX];
	fd_path from, to;
	struct stat want, have;

	if (deep && attrs)
		return -ENOSYS;
	if (mount(path_of(source, from), path_of(target, to), NULL, MS_BIND | (deep ? MS_REC : 0), NULL) < 0)
		return -errno;
	if (!attrs)
		return 0;
	/* `target` still is what lies below the new mount. Its name leads to the top, and the top must be the source. */
	ssize_t n = readlink(path_of(target, to), where, sizeof(where) - 1);

	if (n < 0)
		return -errno;
	where[n] = '\0';

	owned_fd top = open(where, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (top < 0 || fstat(source, &want) < 0 || fstat(top, &have) < 0)
		return -errno;
	if (want.st_dev != have.st_dev || want.st_ino != have.st_ino)
		return -ESTALE;
	return remount(top, attrs);
}

int kernel_bind(int source, bool deep, uint32_t attrs, int target)
{
	struct attr_ change = { .set = attrs };
	int below = deep ? TREE_DEEP : 0;
	bool later = false;
	owned_fd tree = (int)syscall(SYS_open_tree, source, "", TREE_CLONE | O_CLOEXEC | FD_ITSELF | below);

	if (tree < 0)
		return hidden(errno) ? bind_by_path(source, deep, attrs, target) : -errno;
	if (attrs && syscall(SYS_mount_setattr, tree, "", FD_ITSELF | below, &change, sizeof(change)) < 0) {
		if (!hidden(errno))
			return -errno;
		if (deep)
			return -ENOSYS;
		later = true;
	}
	if (syscall(SYS_move_mount, tree, "", target, "", MOVE_FROM_FD | MOVE_TO_FD) < 0)
		return -errno;
	return later ? remount(tree, attrs) : 0;
}

int kernel_seal(int mounted, uint32_t attrs)
{
	struct attr_ change = { .set = attrs };

	if (syscall(SYS_mount_setattr, mounted, "", FD_ITSELF, &change, sizeof(change)) == 0)
		return 0;
	return hidden(errno) ? remount(mounted, attrs) : -errno;
}

int kernel_pivot(int root)
{
	/* Old and new root on one place, pivot_root(2), "pivot_root(".", ".")": no directory to put the old one is needed. */
	if (fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return -errno;
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return -errno;
	return 0;
}

int kernel_move_over(int root)
{
	if (fchdir(root) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0)
		return -errno;
	if (chroot(".") < 0 || chdir("/") < 0)
		return -errno;
	return 0;
}
