/* copy.c - one directory at a time from a list of those still to do; no recursion, every name relative to a descriptor. */
#include "mount/copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "conf/kit/own.h"
#include "mount/kernel.h"

#define MOST_PENDING (16u << 20) /* bytes of paths of directories still to do */
#define MOST_XATTR   65536       /* bytes, XATTR_LIST_MAX and XATTR_SIZE_MAX of the kernel */

struct copying {
	int from, to; /* the two tops */
	const struct owner *owner;
	struct text *about;
	char *xattrs;  /* room for a list of names, and for a value */
	char *pending; /* NUL-terminated paths, one after the other; the last is next */
	size_t n, room;
};

static int pending_add(struct copying *c, const char *dir, const char *name)
{
	size_t n_dir = strlen(dir), n_name = strlen(name), n = n_dir + 1 + n_name + 1;

	if (n > PATH_MAX)
		return -ENAMETOOLONG;
	if (c->n + n > c->room) {
		size_t room = c->room ? c->room * 2 : (size_t)4 * PATH_MAX;
		char *grown = room > MOST_PENDING ? NULL : realloc(c->pending, room);

		if (!grown)
			return room > MOST_PENDING ? -E2BIG : -ENOMEM;
		c->pending = grown;
		c->room = room;
	}
	memcpy(c->pending + c->n, dir, n_dir);
	c->pending[c->n + n_dir] = '/';
	memcpy(c->pending + c->n + n_dir + 1, name, n_name + 1);
	c->n += n;
	return 0;
}

/* Takes the last path; "" is not in the list. */
static void pending_take(struct copying *c, char *into)
{
	size_t at = c->n - 1;

	while (at > 0 && c->pending[at - 1])
		at--;
	memcpy(into, c->pending + at, c->n - at);
	c->n = at;
}

static int fail(struct copying *c, const char *dir, const char *name, int err)
{
	text_fmt(c->about, "copying %.60s/%.40s out of the image", dir, name);
	return -err;
}

/* File systems without such attributes, and attributes that only the kernel or another right may set, are passed over. */
static int copy_xattrs(const struct copying *c, int from, int to)
{
	char *names = c->xattrs, *value = names + MOST_XATTR;
	ssize_t n = flistxattr(from, names, MOST_XATTR);

	for (char *name = names; n > 0 && name < names + n; name += strlen(name) + 1) {
		ssize_t size = fgetxattr(from, name, value, MOST_XATTR);

		if (size >= 0 && fsetxattr(to, name, value, (size_t)size, 0) < 0 && errno != ENOTSUP && errno != EPERM)
			return -errno;
	}
	return 0;
}

/* The mode last: changing the owner takes the setuid bits away, and a file may be read-only. */
static int copy_nature(const struct copying *c, int from, int to, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	uid_t uid = c->owner->set ? c->owner->uid : st->st_uid;
	gid_t gid = c->owner->set ? c->owner->gid : st->st_gid;

	if (fchown(to, uid, gid) < 0)
		return -errno;

	int rc = copy_xattrs(c, from, to);

	if (rc == 0 && (fchmod(to, st->st_mode & 07777) < 0 || futimens(to, times) < 0))
		rc = -errno;
	return rc;
}

static int copy_bytes(int from, int to)
{
	char block[32768];

	for (;;) {
		/* Shares the blocks where both lie on one file system that can. */
		ssize_t n = copy_file_range(from, NULL, to, NULL, 1u << 30, 0);

		if (n == 0)
			break;
		if (n < 0 && errno != EINTR)
			break;
	}
	/* What it would not copy, if anything (other file system, no such call), goes by hand from where it stopped. */
	for (;;) {
		ssize_t n = read(from, block, sizeof(block));

		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		for (ssize_t done = 0; done < n;) {
			ssize_t put = write(to, block + done, (size_t)(n - done));

			if (put < 0 && errno != EINTR)
				return -errno;
			if (put > 0)
				done += put;
		}
	}
}

static int copy_file(const struct copying *c, int from_dir, int to_dir, const char *name)
{
	owned_fd from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (from < 0 || fstat(from, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EAGAIN; /* somebody exchanged it meanwhile */

	owned_fd to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (to < 0)
		return -errno;

	int rc = copy_bytes(from, to);

	return rc < 0 ? rc : copy_nature(c, from, to, &st);
}

static int copy_link(int from_dir, int to_dir, const char *name)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(from_dir, name, text, sizeof(text) - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return symlinkat(text, to_dir, name) < 0 ? -errno : 0;
}

/* Anything but a directory. */
static int copy_leaf(const struct copying *c, int from_dir, int to_dir, const char *name, const struct stat *st)
{
	uid_t uid = c->owner->set ? c->owner->uid : st->st_uid;
	gid_t gid = c->owner->set ? c->owner->gid : st->st_gid;
	int rc;

	if (S_ISREG(st->st_mode))
		return copy_file(c, from_dir, to_dir, name);
	if (S_ISLNK(st->st_mode))
		rc = copy_link(from_dir, to_dir, name);
	else if (S_ISFIFO(st->st_mode) || S_ISSOCK(st->st_mode))
		rc = mknodat(to_dir, name, st->st_mode, 0) < 0 ? -errno : 0;
	else
		return 0;
	if (rc == 0 && fchownat(to_dir, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
		rc = -errno;
	return rc;
}

static int copy_entries(struct copying *c, DIR *from, int to, const char *path, dev_t dev)
{
	struct dirent *e;

	while ((errno = 0, e = readdir(from))) {
		struct stat st;
		int rc = 0;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (fstatat(dirfd(from), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    (S_ISDIR(st.st_mode) && mkdirat(to, e->d_name, 0700) < 0))
			rc = -errno;
		else if (!S_ISDIR(st.st_mode))
			rc = copy_leaf(c, dirfd(from), to, e->d_name, &st);
		else if (st.st_dev == dev)
			rc = pending_add(c, path, e->d_name);
		if (rc < 0)
			return fail(c, path, e->d_name, -rc);
	}
	return -errno;
}

/* One directory: what is in it, then its own nature, which later work below does not change. */
static int copy_dir(struct copying *c, const char *path, dev_t dev)
{
	/* Neither tree may lead out: the one is an image's, the other grows from it. */
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
	owned_fd to = kernel_open(c->to, path, flags, 0, IN_BENEATH | IN_NO_LINKS | IN_ONE_MOUNT);
	int from = kernel_open(c->from, path, flags, 0, IN_BENEATH | IN_NO_LINKS | IN_ONE_MOUNT);
	DIR *d = from < 0 ? NULL : fdopendir(from);
	struct stat st;
	int rc;

	if (!d) {
		rc = from < 0 ? from : -errno;
		if (from >= 0)
			(void)close(from);
		return fail(c, path, "", -rc);
	}
	if (to < 0)
		rc = fail(c, path, "", -to);
	else
		rc = copy_entries(c, d, to, path, dev);
	if (rc == 0 && (fstat(from, &st) < 0 || (rc = copy_nature(c, from, to, &st)) < 0))
		rc = fail(c, path, "", rc < 0 ? -rc : errno);
	(void)closedir(d);
	return rc;
}

int copy_one(int from, int to)
{
	static const struct owner same;
	struct copying c = { .owner = &same };
	struct stat st;

	if (fstat(from, &st) < 0)
		return -errno;
	c.xattrs = malloc((size_t)2 * MOST_XATTR);
	if (!c.xattrs)
		return -ENOMEM;
	int rc = copy_bytes(from, to);

	if (rc == 0)
		rc = copy_nature(&c, from, to, &st);
	free(c.xattrs);
	return rc;
}

int copy_tree(int from, int to, const struct owner *owner, struct text *about)
{
	struct copying c = { .from = from, .to = to, .owner = owner, .about = about };
	char path[PATH_MAX] = ".";
	struct stat st;
	int rc;

	if (fstat(from, &st) < 0)
		return -errno;
	c.xattrs = malloc((size_t)2 * MOST_XATTR);
	if (!c.xattrs)
		return -ENOMEM;
	rc = copy_dir(&c, path, st.st_dev);
	while (rc == 0 && c.n) {
		pending_take(&c, path);
		rc = copy_dir(&c, path, st.st_dev);
	}
	free(c.pending);
	free(c.xattrs);
	return rc;
}
