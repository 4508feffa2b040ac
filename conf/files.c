/* files.c - which files there are in the directories of units, and how one is read without harm. */
#include "conf/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "conf/kit/own.h"
#include "conf/unit.h"

struct entries {
	struct arena *arena;
	struct file *at;
	size_t n, room;
};

static int compare(const void *a, const void *b)
{
	const struct file *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->dir > y->dir) - (x->dir < y->dir);
}

static bool ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n > k && !strcmp(s + n - k, end);
}

static int add_entry(struct entries *e, const char *name, bool plain, uint32_t number)
{
	if (e->n == MAX_ENTRIES)
		return 1;
	if (e->n == e->room) {
		size_t room = e->room ? e->room * 2 : 16;
		struct file *more = arena_more(e->arena, e->at, e->n * sizeof(*more), room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		e->at = more;
		e->room = room;
	}
	e->at[e->n] = (struct file){ .name = arena_copy(e->arena, name, strlen(name)), .dir = number, .is_plain = plain };
	return e->at[e->n++].name ? 0 : -ENOMEM;
}

/* Adds what is in an open directory, but for names that begin with a dot. 1: too many. opendir(3) would take memory of its own. */
static int list(struct entries *e, int dir, uint32_t number)
{
	owned_fd fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_Alignas(struct dirent64) char room[2048];
	ssize_t n = fd < 0 ? -errno : 1;
	int r = 0;

	while (r == 0 && n > 0) {
		n = getdents64(fd, (void *)room, sizeof(room));
		if (n < 0)
			n = -errno;
		for (ssize_t at = 0; r == 0 && at < n;) {
			const struct dirent64 *entry = (const void *)(room + at);

			at += entry->d_reclen;
			if (entry->d_name[0] != '.')
				r = add_entry(e, entry->d_name, entry->d_type == DT_REG, number);
		}
	}
	return r == 0 && n < 0 ? (int)n : r;
}

int files_open(struct files *fs, struct arena *a, struct findings *findings, const char *const *dirs, size_t n,
	       bool must)
{
	struct entries e = { .arena = a };
	int r = n > MAX_DIRS ? -EINVAL : 0;

	*fs = (struct files){ .arena = a };
	for (size_t i = 0; i < n && r == 0; i++) {
		int fd = open(dirs[i], O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0) {
			if (must || (errno != ENOENT && errno != ENOTDIR))
				finding_add(findings, SAY_ERROR, dirs[i], 0,
					    "cannot read this directory of units: %s", strerror(errno));
			continue;
		}
		fs->dirs[fs->n_dirs] = dirs[i];
		fs->fds[fs->n_dirs] = fd;
		r = list(&e, fd, (uint32_t)fs->n_dirs++);
		if (r == 1) {
			finding_add(findings, SAY_ERROR, dirs[i], 0,
				    "more than %u files; the rest is not looked at", MAX_ENTRIES);
			r = 0;
		} else if (r < 0 && r != -ENOMEM) {
			finding_add(findings, SAY_ERROR, dirs[i], 0, "cannot read this directory of units: %s",
				    strerror(-r));
			r = 0;
		}
	}
	if (e.n)
		qsort(e.at, e.n, sizeof(*e.at), compare);
	fs->at = arena_get(a, (e.n + 1) * sizeof(*fs->at));
	fs->drop_dirs = arena_get(a, (e.n + 1) * sizeof(*fs->drop_dirs));
	for (size_t i = 0; i < e.n && fs->at && fs->drop_dirs; i++) {
		if (ends_in(e.at[i].name, ".d"))
			fs->drop_dirs[fs->n_drop_dirs++] = e.at[i];
		else if (!fs->n || strcmp(fs->at[fs->n - 1].name, e.at[i].name) != 0)
			fs->at[fs->n++] = e.at[i];
	}
	return r == 0 && a->dry ? -ENOMEM : r;
}

void files_close(struct files *fs)
{
	for (size_t i = 0; i < fs->n_dirs; i++)
		(void)close(fs->fds[i]);
	fs->n_dirs = 0;
}

const struct file *files_find(const struct files *fs, const char *name)
{
	size_t low = 0, high = fs->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, fs->at[middle].name);

		if (order == 0)
			return &fs->at[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const char *files_dir(const struct files *fs, const struct file *f)
{
	return fs->dirs[f->dir];
}

int files_fd(const struct files *fs, const struct file *f)
{
	return fs->fds[f->dir];
}

/* Where a link leads; "" where it is none. */
static void link_of(int dir, const char *name, char into[PATH_MAX])
{
	ssize_t n = readlinkat(dir, name, into, PATH_MAX - 1);

	into[n > 0 ? n : 0] = '\0';
}

static bool is_masked(int dir, const char *name)
{
	char to[PATH_MAX];
	struct stat st;

	link_of(dir, name, to);
	return !strcmp(to, "/dev/null") || (!fstatat(dir, name, &st, 0) && S_ISREG(st.st_mode) &&
					    st.st_size == 0);
}

bool file_is_masked(const struct files *fs, const struct file *f)
{
	return !f->is_plain && is_masked(fs->fds[f->dir], f->name);
}

const char *file_is_alias(const struct files *fs, const struct file *f)
{
	char to[PATH_MAX];
	const char *base;
	const struct file *other;

	if (f->is_plain)
		return NULL;
	link_of(fs->fds[f->dir], f->name, to);
	base = strrchr(to, '/') ? strrchr(to, '/') + 1 : to;
	if (!*base || !strcmp(base, f->name) || strstr(base, "@."))
		return NULL;
	other = files_find(fs, base);
	return other ? other->name : NULL;
}

bool files_have_drop_ins(const struct files *fs)
{
	return fs->n_drop_dirs != 0;
}

/* Adds the *.conf files of one directory; `rank` decides between two of the same name. */
static int add_drop_ins(struct entries *e, const char *path, uint32_t rank)
{
	owned_fd fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	size_t keep = e->n, from = e->n;

	if (fd < 0 || list(e, fd, rank) == -ENOMEM)
		return fd < 0 ? 0 : -ENOMEM;
	for (size_t i = from; i < e->n; i++) {
		struct file f = e->at[i];
		struct text full = { .size = strlen(path) + strlen(f.name) + 2 };

		if (!ends_in(f.name, ".conf"))
			continue;
		full.at = arena_get(e->arena, full.size);
		if (!full.at)
			return -ENOMEM;
		text_put(&full, path);
		text_char(&full, '/');
		text_put(&full, f.name);
		f.path = full.at;
		f.is_masked = is_masked(fd, f.name);
		e->at[keep++] = f;
	}
	e->n = keep;
	return 0;
}

/* Sorted, each name once, masked ones left out. */
static ssize_t settle(struct entries *e, struct drop_in **ret)
{
	const char *last = NULL;
	ssize_t n = 0;

	*ret = arena_get(e->arena, (e->n + 1) * sizeof(**ret));
	if (e->n)
		qsort(e->at, e->n, sizeof(*e->at), compare);
	for (size_t i = 0; *ret && i < e->n; i++) {
		const struct file *f = &e->at[i];

		if ((!last || strcmp(last, f->name) != 0) && !f->is_masked)
			(*ret)[n++] = (struct drop_in){ .name = f->name, .path = f->path };
		last = f->name;
	}
	return *ret ? n : -ENOMEM;
}

/* The first directory of that name, or where it would stand. */
static size_t first_dir(const struct files *fs, const char *name)
{
	size_t low = 0, high = fs->n_drop_dirs;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(fs->drop_dirs[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

ssize_t files_merge_drop_ins(const struct files *fs, const char *const *names, size_t n, struct drop_in **ret)
{
	struct entries e = { .arena = fs->arena };

	for (size_t i = 0; i < n; i++)
		for (size_t k = first_dir(fs, names[i]); k < fs->n_drop_dirs &&
		     !strcmp(fs->drop_dirs[k].name, names[i]); k++) {
			const struct file *d = &fs->drop_dirs[k];
			const char *dir = fs->dirs[d->dir];
			struct text path = { .size = strlen(dir) + strlen(d->name) + 2 };

			path.at = arena_get(fs->arena, path.size);
			if (path.at) {
				text_put(&path, dir);
				text_char(&path, '/');
				text_put(&path, d->name);
			}
			if (!path.at || add_drop_ins(&e, path.at,
						     (uint32_t)(n - 1 - i) * MAX_DIRS + d->dir) < 0)
				return -ENOMEM;
		}
	return settle(&e, ret);
}

ssize_t files_drop_ins(struct arena *a, const char *path, struct drop_in **ret)
{
	struct entries e = { .arena = a };

	return add_drop_ins(&e, path, 0) < 0 ? -ENOMEM : settle(&e, ret);
}

/* What it is, when it is no regular file. */
static const char *word_of(mode_t mode)
{
	return S_ISDIR(mode) ? "a directory" : S_ISFIFO(mode) ? "a FIFO" : S_ISSOCK(mode) ? "a socket" :
	       S_ISCHR(mode) || S_ISBLK(mode) ? "a device" : S_ISLNK(mode) ? "a link" : "no file";
}

/* Looks before anything is opened, because opening a device may already do something. */
static int look_first(int dir, const char *name, const char *called, struct findings *fs)
{
	struct stat st;
	char to[PATH_MAX];

	if (fstatat(dir, name, &st, 0) < 0) {
		int error = errno;

		link_of(dir, name, to);
		if (error == ELOOP)
			finding_add(fs, SAY_ERROR, called, 0,
				    "is a link that leads in circles; make it lead to a file");
		else if (error == ENOENT && *to)
			finding_add(fs, SAY_ERROR, called, 0,
				    "is a link to \"%.200s\", which is not there; create that, or remove the link", to);
		else
			finding_add(fs, SAY_ERROR, called, 0, "cannot be read: %s", strerror(error));
		return -error;
	}
	if (S_ISREG(st.st_mode))
		return 0;
	finding_add(fs, SAY_ERROR, called, 0, "is %s; it must be a regular file, or a link to one",
		    word_of(st.st_mode));
	return -EINVAL;
}

ssize_t file_read(struct buffer *b, int dir, const char *name, bool plain, const char *called,
		  struct findings *fs)
{
	struct stat st;
	size_t have = 0;
	int r = plain ? 0 : look_first(dir, name, called, fs);

	if (r < 0)
		return r == -ENOMEM ? -EIO : r;

	owned_fd fd = openat(dir, name,
			     O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (plain ? O_NOFOLLOW : 0));

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		finding_add(fs, SAY_ERROR, called, 0, "cannot be read: %s", fd < 0 ?
			    strerror(errno) : "it changed while it was opened");
		return -EIO;
	}
	while (st.st_size <= (off_t)MAX_UNIT_FILE && have <= MAX_UNIT_FILE) {
		if (have == b->room) {
			/* One byte more than there should be, so that the end is seen at once. */
			size_t room = b->room * 2 > (size_t)st.st_size + 1 ? b->room * 2 : (size_t)st.st_size + 1;
			if (room < 4096)
				room = 4096;
			char *more = arena_more(b->arena, b->at, have, room);

			if (!more)
				return -ENOMEM;
			b->at = more;
			b->room = room;
		}

		ssize_t n = read(fd, b->at + have, b->room - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			finding_add(fs, SAY_ERROR, called, 0, "cannot be read: %s", strerror(errno));
			return -EIO;
		}
		if (n == 0)
			return (ssize_t)have;
		have += (size_t)n;
		/* A short read of a regular file is its end; all but the odd one need no second call. */
		if ((off_t)have == st.st_size && have < b->room)
			return (ssize_t)have;
	}
	finding_add(fs, SAY_ERROR, called, 0, "is larger than %u MiB; split it up", MAX_UNIT_FILE >> 20);
	return -EFBIG;
}
