/* put.c - the stage is .NAME.coppice in the same directory, so that rename(2) can be the one moment of change. */
#include "init/cli/put.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/kit/own.h"
#include "conf/kit/sys.h"
#include "mount/copy.h"

typedef char stage_name[NAME_MAX + 1];

static const char *stage_of(const char *name, stage_name into)
{
	(void)snprintf(into, sizeof(stage_name), ".%.200s.coppice", name);
	return into;
}

/* Without the right to give files away it stays the writer's. */
static int own_as(int fd, int dir)
{
	struct stat want, have;

	if (fstat(dir, &want) < 0 || fstat(fd, &have) < 0)
		return -errno;
	if (want.st_uid == have.st_uid && want.st_gid == have.st_gid)
		return 0;
	return fchown(fd, want.st_uid, want.st_gid) < 0 && errno != EPERM ? -errno : 0;
}

int put_stage(int dir, const char *name, const char *bytes, size_t n, mode_t mode)
{
	stage_name stage;

	put_drop(dir, name); /* of a run that was killed */
	owned_fd fd = openat(dir, stage_of(name, stage), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	int e = sys_write_all(fd, bytes, n);

	if (e == 0)
		e = own_as(fd, dir);
	/* The mode after the owner, which takes bits away; and by itself, for the umask. */
	if (e == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
		e = -errno;
	if (e < 0)
		put_drop(dir, name);
	return e;
}

int put_commit(int dir, const char *name)
{
	stage_name stage;

	if (renameat(dir, stage_of(name, stage), dir, name) < 0)
		return -errno;
	/* Some file systems cannot sync a directory (EINVAL); the rename stands. */
	(void)fsync(dir);
	return 0;
}

void put_drop(int dir, const char *name)
{
	stage_name stage;

	(void)unlinkat(dir, stage_of(name, stage), 0);
}

static int stage_copy(int from, const char *name, int to, const char *stage)
{
	owned_fd in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (in < 0)
		return -errno;
	owned_fd out = openat(to, stage, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return -errno;
	int e = copy_one(in, out);

	return e == 0 && fsync(out) < 0 ? -errno : e;
}

static int stage_link(int from, const char *name, int to, const char *stage, const struct stat *st, const char *link)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	char text[PATH_MAX];

	if (!link) {
		ssize_t n = readlinkat(from, name, text, sizeof(text) - 1);

		if (n < 0)
			return -errno;
		text[n] = '\0';
		link = text;
	}
	if (symlinkat(link, to, stage) < 0)
		return -errno;
	if (fchownat(to, stage, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 && errno != EPERM)
		return -errno;
	(void)utimensat(to, stage, times, AT_SYMLINK_NOFOLLOW); /* where links have times */
	return 0;
}

int put_twin(int from, const char *name, int to, const char *twin, const char *link)
{
	stage_name stage;
	struct stat st;
	int e = 0;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return -EINVAL;
	put_drop(to, twin);
	(void)stage_of(twin, stage);
	if (S_ISLNK(st.st_mode))
		e = stage_link(from, name, to, stage, &st, link);
	/* Refused across file systems, for files of others (protected_hardlinks, proc(5)), and by file systems without links. */
	else if (linkat(from, name, to, stage, 0) < 0)
		e = stage_copy(from, name, to, stage);
	if (e == 0)
		e = put_commit(to, twin);
	/* rename(2) of one hard link over the other does nothing, and leaves both. */
	put_drop(to, twin);
	return e;
}
