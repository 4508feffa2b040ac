/* inside.c - openat2(2) where things exist, and one step at a time where they must be made. */
#include "mount/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/kit/own.h"
#include "mount/kernel.h"

#define MOST_LINKS 40 /* as the kernel's */

bool inside_name_ok(const char *name)
{
	size_t n = strlen(name);

	if (!n || n > NAME_MAX || name[0] == '.')
		return false;
	for (size_t i = 0; i < n; i++)
		if (name[i] == '/' || (unsigned char)name[i] < ' ' || name[i] == 0x7f)
			return false;
	return true;
}

int inside_open(int root, const char *path, int flags, uint32_t resolve)
{
	/* An absolute link, and an absolute path, begin at `root`. */
	return kernel_open(root, path, flags, 0, resolve | IN_ROOT | IN_NO_MAGIC);
}

/* Where a walk is: `at` is the directory reached, `done` its path without any link, `todo` what is left. */
struct walk {
	int at;
	size_t n_done;
	char done[PATH_MAX];
	char todo[PATH_MAX];
	int links;
	const struct inside_news *news;
};

/* Goes to what `done` says, seen from the root. */
static int walk_back(struct walk *w, int root)
{
	int fd = inside_open(root, w->n_done ? w->done : "/", O_PATH | O_DIRECTORY, 0);

	if (fd < 0)
		return fd;
	(void)close(w->at);
	w->at = fd;
	return 0;
}

/* Puts a link's text before what is left of the path. */
static int walk_link(struct walk *w, int root, const char *name, const char *rest)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(w->at, name, text, sizeof(text));
	size_t n_rest = strlen(rest);

	if (n < 0)
		return -errno;
	if (++w->links > MOST_LINKS)
		return -ELOOP;
	if ((size_t)n + 1 + n_rest >= sizeof(w->todo))
		return -ENAMETOOLONG;
	memmove(w->todo + n + 1, rest, n_rest + 1);
	memcpy(w->todo, text, (size_t)n);
	w->todo[n] = '/';
	if (text[0] != '/')
		return 0;
	w->n_done = 0;
	return walk_back(w, root);
}

static int walk_up(struct walk *w, int root)
{
	while (w->n_done && w->done[w->n_done - 1] != '/')
		w->n_done--;
	if (w->n_done)
		w->n_done--;
	w->done[w->n_done] = '\0';
	return walk_back(w, root);
}

/* Makes one component and opens it; *ret_new: it was not there. A link there is -ELOOP. */
static int step_make(int at, const char *name, bool dir, mode_t mode, bool *ret_new)
{
	int flags = O_PATH | O_NOFOLLOW | O_CLOEXEC | (dir ? O_DIRECTORY : 0);
	struct stat st;
	int fd = openat(at, name, flags);

	if (fd < 0 && errno == ENOENT) {
		int rc = dir ? mkdirat(at, name, mode) : mknodat(at, name, S_IFREG | mode, 0);

		if (rc < 0 && errno != EEXIST)
			return -errno;
		*ret_new = rc == 0;
		fd = openat(at, name, flags);
	}
	if (fd < 0) {
		int err = errno;

		/* A link with O_DIRECTORY is ENOTDIR, as a file is. */
		if (err == ENOTDIR && fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
			return -ELOOP;
		return -err;
	}
	if (!dir && fstat(fd, &st) == 0 && (S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode))) {
		(void)close(fd);
		return S_ISDIR(st.st_mode) ? -EISDIR : -ELOOP;
	}
	return fd;
}

/* One component of the path. 1: that was the last one. */
static int walk_step(struct walk *w, int root, bool dir, mode_t mode)
{
	char name[NAME_MAX + 1];
	const char *from = w->todo + strspn(w->todo, "/");
	size_t n = strcspn(from, "/");
	const char *rest = from + n + strspn(from + n, "/");

	if (!n)
		return 1;
	if (n > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, from, n);
	name[n] = '\0';

	int rc = 0;

	if (strcmp(name, "..") == 0) {
		rc = walk_up(w, root);
	} else if (strcmp(name, ".") != 0) {
		bool is_new = false;
		int fd = step_make(w->at, name, *rest || dir, *rest ? 0755 : mode, &is_new);

		if (fd == -ELOOP)
			return walk_link(w, root, name, rest);
		if (fd < 0)
			return fd;
		(void)close(w->at);
		w->at = fd;
		if (w->n_done + n + 2 > sizeof(w->done))
			return -ENAMETOOLONG;
		w->done[w->n_done++] = '/';
		memcpy(w->done + w->n_done, name, n + 1);
		w->n_done += n;
		if (is_new && w->news)
			w->news->made(w->news->self, w->done, fd);
	}
	memmove(w->todo, rest, strlen(rest) + 1);
	return rc;
}

int inside_make(int root, const char *path, bool dir, mode_t mode)
{
	return inside_make_telling(root, path, dir, mode, NULL);
}

int inside_make_telling(int root, const char *path, bool dir, mode_t mode, const struct inside_news *news)
{
	struct walk w = { .news = news };
	struct stat st;
	int fd = inside_open(root, path, O_PATH | (dir ? O_DIRECTORY : 0), 0), rc;

	if (fd >= 0 && !dir && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		(void)close(fd);
		return -EISDIR;
	}
	if (fd >= 0)
		return fd;
	if (fd != -ENOENT)
		return fd;
	if (strlen(path) >= sizeof(w.todo))
		return -ENAMETOOLONG;
	memcpy(w.todo, path, strlen(path) + 1);
	w.at = openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (w.at < 0)
		return -errno;
	do {
		rc = walk_step(&w, root, dir, mode);
	} while (rc == 0);
	if (rc < 0) {
		(void)close(w.at);
		return rc;
	}
	return w.at;
}

int inside_read(int root, const char *path, size_t most, char **ret, size_t *ret_n)
{
	/* O_NONBLOCK and O_NOCTTY: until fstat has spoken this may be anything. */
	owned_fd fd = inside_open(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);

	return fd < 0 ? fd : inside_read_fd(fd, most, ret, ret_n);
}

int inside_read_fd(int fd, size_t most, char **ret, size_t *ret_n)
{
	owned_mem char *text = NULL;
	size_t have = 0;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uint64_t)st.st_size > most)
		return -EFBIG;
	/* Files of /proc and the like say size 0; one more byte shows one that grew. */
	size_t room = st.st_size ? (size_t)st.st_size + 1 : most + 1;

	text = malloc(room + 1);
	if (!text)
		return -ENOMEM;
	while (have < room) {
		ssize_t n = read(fd, text + have, room - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	if (have > most)
		return -EFBIG;
	text[have] = '\0';
	*ret = take_mem(&text);
	*ret_n = have;
	return 0;
}
