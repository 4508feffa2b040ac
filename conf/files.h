/* files.h - which files there are in the directories of units, and how one is read without harm. */
#ifndef CONF_FILES_H
#define CONF_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "conf/findings.h"
#include "conf/kit/arena.h"
#include "conf/load.h"

struct file {
	const char *name, *path; /* path: of drop-ins only */
	uint32_t dir;            /* by number, the first wins */
	bool is_plain;           /* surely a regular file and no link */
	bool is_masked;          /* of drop-ins only */
};

struct files {
	struct arena *arena;
	const char *dirs[MAX_DIRS];
	int fds[MAX_DIRS];
	size_t n_dirs;
	struct file *at;   /* by name, each name once */
	size_t n;
	struct file *drop_dirs; /* "*.d", by name and directory */
	size_t n_drop_dirs;
};

/* One file of a drop-in directory. */
struct drop_in { const char *name, *path; };

/* Memory for one file at a time, used again; free(at) in the end. */
struct buffer { struct arena *arena; char *at; size_t room; };

/* Lists the directories. Missing ones are findings where `must` is set, else nothing. 0 or -errno. */
int files_open(struct files *fs, struct arena *a, struct findings *findings, const char *const *dirs, size_t n, bool must);
void files_close(struct files *fs);

const struct file *files_find(const struct files *fs, const char *name);
const char *files_dir(const struct files *fs, const struct file *f);
int files_fd(const struct files *fs, const struct file *f);

/* A link to /dev/null or to an empty file: systemd.unit(5). An empty file itself is seen when it is read. */
bool file_is_masked(const struct files *fs, const struct file *f);
/* A link to a file that bears the name of another unit that is there: that name; else NULL. A template is none. */
const char *file_is_alias(const struct files *fs, const struct file *f);

bool files_have_drop_ins(const struct files *fs);
/*
 * The *.conf files of all directories that are called one of `names`, least
 * particular first: sorted by name, of two with the same name the one that is
 * more particular or stands in the earlier directory. Masked ones are left out.
 * How many, or -ENOMEM. Lives in the arena.
 */
ssize_t files_merge_drop_ins(const struct files *fs, const char *const *names, size_t n, struct drop_in **ret);
/* The same of a single directory, by its path. */
ssize_t files_drop_ins(struct arena *a, const char *path, struct drop_in **ret);

/*
 * Reads a file whole: how many bytes, or -ENOMEM, or another negative number with
 * a finding of `called`. It never blocks: what is neither a regular file nor a link to
 * one is refused before it is opened, and looked at again afterwards. `plain`: the
 * directory says that it is a regular file.
 */
ssize_t file_read(struct buffer *b, int dir, const char *name, bool plain, const char *called, struct findings *fs);

#endif
