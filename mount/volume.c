/* volume.c - makes a volume beside its place, under a lock, and renames it there when it is whole. */
#include "mount/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/kit/own.h"
#include "mount/clean.h"
#include "mount/inside.h"

#define DIR_FLAGS (O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static int open_volume(int at, const char *name)
{
	int fd = openat(at, name, O_PATH | DIR_FLAGS);

	return fd < 0 ? -errno : fd;
}

/* The unfinished volume, locked; whoever else makes the same one waits here until we are done. */
static int open_draft(int at, const char *draft)
{
	if (mkdirat(at, draft, 0700) < 0 && errno != EEXIST)
		return -errno;

	owned_fd fd = openat(at, draft, O_RDONLY | DIR_FLAGS);

	if (fd < 0)
		return -errno;
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return -errno;
	return take_fd(&fd);
}

/* Is `fd` still what `name` names? Whoever had the lock before may have put it in its place. */
static bool is_still(int at, const char *name, int fd)
{
	struct stat by_name, by_fd;

	return fstatat(at, name, &by_name, AT_SYMLINK_NOFOLLOW) == 0 && fstat(fd, &by_fd) == 0 &&
	       by_name.st_dev == by_fd.st_dev && by_name.st_ino == by_fd.st_ino;
}

static int fill(int draft, int model, const struct owner *owner, struct text *about)
{
	/* What an interrupted start left. */
	int rc = clean_below(draft);

	if (rc < 0)
		return rc;
	if (model >= 0)
		return copy_tree(model, draft, owner, about);
	if (fchmod(draft, 0755) < 0)
		return -errno;
	if (owner->set && fchown(draft, owner->uid, owner->gid) < 0)
		return -errno;
	return 0;
}

/* -EAGAIN: somebody else was at it; look again. */
static int make_volume(int at, const char *name, int model, const struct owner *owner, struct text *about)
{
	char draft_name[256 + 8];

	(void)snprintf(draft_name, sizeof(draft_name), ".%.240s.tmp", name);

	owned_fd draft = open_draft(at, draft_name);
	struct stat st;

	if (draft < 0)
		return draft == -ENOENT ? -EAGAIN : draft;
	if (!is_still(at, draft_name, draft))
		return -EAGAIN;
	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		/* Made while we waited, and this draft is a new one that nobody needs. */
		(void)unlinkat(at, draft_name, AT_REMOVEDIR);
		return -EAGAIN;
	}

	int rc = fill(draft, model, owner, about);

	if (rc < 0)
		return rc; /* the draft stays; the next start begins by emptying it */
	return renameat(at, draft_name, at, name) < 0 ? -errno : 0;
}

/* Only the top: what lies below may be huge, and belongs to whoever wrote it. */
static int give(int fd, const struct owner *owner)
{
	struct stat st;

	if (!owner->set)
		return 0;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid == owner->uid && st.st_gid == owner->gid)
		return 0;
	return fchownat(fd, "", owner->uid, owner->gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

int volume_open(const char *volumes, const char *name, int model, const struct owner *owner, struct text *about)
{
	if (!inside_name_ok(name) || strlen(name) > 240) {
		text_put(about, "volume \"");
		text_shown(about, name, strlen(name), 40);
		text_put(about, "\" is no volume's name; it is one word without \"/\", not beginning with \".\"");
		return -EINVAL;
	}

	owned_fd root = open("/", O_PATH | O_CLOEXEC);
	owned_fd at = root < 0 ? -errno : inside_make(root, volumes, true, 0755);
	owned_fd fd = at < 0 ? at : open_volume(at, name);
	int rc = 0;

	for (int tries = 0; fd == -ENOENT && at >= 0 && tries < 16; tries++) {
		rc = make_volume(at, name, model, owner, about);
		if (rc < 0 && rc != -EAGAIN)
			break;
		fd = open_volume(at, name);
	}
	if (fd >= 0)
		rc = give(fd, owner);
	else if (rc >= 0 || rc == -EAGAIN)
		rc = fd;
	if (rc < 0 && !about->len)
		text_fmt(about, "volume %.40s in %.60s", name, volumes);
	return rc < 0 ? rc : take_fd(&fd);
}
