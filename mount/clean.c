/* clean.c - flattens a tree while removing it: no recursion, no "..", two descriptors. */
#include "mount/clean.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf/kit/own.h"
#include "mount/inside.h"

/* How often a directory is read again where somebody still fills it. */
#define MOST_ROUNDS 16

struct sweep {
	int top;
	uint64_t serial; /* of the next directory that is moved up */
	int err;         /* the first thing that went wrong, negative */
};

static void complain(struct sweep *s, int err)
{
	if (!s->err)
		s->err = -err;
}

static DIR *dir_of(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d && fd >= 0)
		(void)close(fd);
	return d;
}

/* Moves a directory that is not empty to the top, under a name that nobody has. */
static bool move_up(struct sweep *s, int at, const char *name)
{
	char moved[40];

	for (int tries = 0; tries < 1000; tries++) {
		/* A directory replaces only an empty one, which is just as well; with a file it is ENOTDIR. */
		(void)snprintf(moved, sizeof(moved), ".coppice-%llu", (unsigned long long)s->serial++);
		if (renameat(at, name, s->top, moved) == 0)
			return true;
		if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR)
			break;
	}
	return false;
}

/* Removes the entries of one directory; those that are directories with something inside move to the top. Returns how many went. */
static uint64_t empty_dir(struct sweep *s, DIR *d)
{
	int at = dirfd(d);
	uint64_t gone = 0;
	struct dirent *e;

	while ((e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		/* unlinkat of a directory is EISDIR on Linux, EPERM by POSIX. */
		if (unlinkat(at, e->d_name, 0) == 0 || errno == ENOENT) {
			gone++;
			continue;
		}
		if (errno != EISDIR && errno != EPERM) {
			complain(s, errno);
			continue;
		}
		if (unlinkat(at, e->d_name, AT_REMOVEDIR) == 0 || errno == ENOENT ||
		    (errno == ENOTEMPTY && move_up(s, at, e->d_name)))
			gone++;
		else
			complain(s, errno == ENOTDIR ? EPERM : errno);
	}
	return gone;
}

/* One pass over the top: every directory there is emptied, then removed. Returns how many entries went. */
static uint64_t sweep_top(struct sweep *s)
{
	uint64_t gone = 0;
	DIR *top = dir_of(s->top, ".");
	struct dirent *e;

	if (!top) {
		complain(s, errno);
		return 0;
	}
	while ((e = readdir(top))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(s->top, e->d_name, 0) == 0) {
			gone++;
			continue;
		}
		for (int round = 0; round < MOST_ROUNDS; round++) {
			if (unlinkat(s->top, e->d_name, AT_REMOVEDIR) == 0) {
				gone++;
				break;
			}
			if (errno != ENOTEMPTY) {
				if (errno != ENOENT)
					complain(s, errno == ENOTDIR ? EPERM : errno);
				break;
			}

			DIR *d = dir_of(s->top, e->d_name);

			if (!d) {
				complain(s, errno);
				break;
			}

			uint64_t went = empty_dir(s, d);

			(void)closedir(d);
			gone += went;
			if (!went)
				break;
		}
	}
	(void)closedir(top);
	return gone;
}

int clean_below(int top)
{
	struct sweep s = { .top = top };

	/* Each pass that removed something may have moved more up; one that did not is the last. */
	do {
		s.err = 0;
	} while (sweep_top(&s));
	return s.err;
}

int clean_tree(int at, const char *name)
{
	owned_fd top = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (top < 0)
		return errno == ENOENT ? 0 : -errno;

	int rc = clean_below(top);

	if (unlinkat(at, name, AT_REMOVEDIR) < 0 && errno != ENOENT && rc == 0)
		rc = -errno;
	return rc;
}

int clean_unit(const char *runtime, const char *unit)
{
	owned_fd at = open(runtime, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (at < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!inside_name_ok(unit))
		return -EINVAL;

	owned_fd uppers = openat(at, UPPER_DIR, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (uppers < 0)
		return errno == ENOENT ? 0 : -errno;
	return clean_tree(uppers, unit);
}
