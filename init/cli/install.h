/* install.h - what installing and undoing share: the places in a root, what is there, and what the operator is told. */
#ifndef INIT_CLI_INSTALL_H
#define INIT_CLI_INSTALL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "init/cli/cli.h"
#include "init/cli/installed.h"

#define MOST_PROGRAM (64u << 20) /* bytes; what is larger is no coppice */

enum action {
	NOT_ASKED, /* nothing is to be put there */
	ALREADY,   /* it is there */
	AGAIN,     /* ours is or was there; what was there before the first time stays kept */
	FRESH,     /* somebody else's, or nothing, is there */
};

/* A file to be put into the root, and what is there now. */
struct place {
	const char *dir, *name, *path;
	mode_t mode;
	char *bytes;            /* what is to be there; NULL: nothing is asked */
	size_t n;
	bool program;           /* ours is what has the mark of coppice; else what has the checksum of the record */
	int at;                 /* the directory; -1 while there is none */
	enum was now;
	char link[PATH_MAX];    /* the text of the link that is there now */
	bool is_ours, is_same;
	struct past *past;      /* in the record */
	enum action action;
	bool kept, put;         /* done in this run: what was there is kept; ours is there */
};

/* The directories that coppice looks into. The one of the record comes first, so that --undo has something to read. */
enum { DIR_RECORD, DIR_UNITS, DIR_IMAGES, DIR_VOLUMES, DIR_INIT, N_DIRS };

#define MOST_ITEMS (MAX_MADE + 16)

struct item { char *path, *about; const char *did; };

struct job {
	const struct cli *c;
	const char *root_name;
	int root;
	bool dry, quiet;        /* quiet: neither items nor errors */
	struct place init, oci;
	struct installed record;
	bool has_record, real_taken;
	bool made[N_DIRS];
	int news;               /* -errno of what was to be done about a new directory */
	struct item items[MOST_ITEMS];
	size_t n_items;
};

/* One line of the answer: what was done at a path. */
void install_tell(struct job *j, const char *path, const char *did, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* One line of error, with the words of -e unless that is -EINVAL. Returns e. */
int install_fail(const struct job *j, int e, const char *path, const char *what);
/* Prints what was told, and forgets it. */
void install_print(struct job *j);

/* What coppice.conf(5) has for a path while nothing else is configured: there boot and units look. */
const char *install_preset(const char *setting);
/* The bytes are a coppice's, of whatever version. */
bool install_is_coppice(const char *bytes, size_t n);
/* Looks at a place anew: at, now, link, is_ours, is_same. 0, or -errno, told. */
int install_look(struct job *j, struct place *p);
/* Closes the directory. */
void install_unlook(struct place *p);
/* Where that is kept which was at a place; returns its name in there. */
const char *install_kept_path(const struct place *p, const struct past *past, char path[PATH_MAX]);
/* The same, and the directory of it, open for reading (the caller's), or -errno. */
int install_kept(const struct job *j, const struct place *p, const struct past *past, char path[PATH_MAX], const char **ret_name);

/* Puts back what the record names, and removes the directories of it. 0, or -errno, told; then the record stays. */
int install_restore(struct job *j);
/* Removes the directories of the record, but for the first `from`, as far as they are empty. */
void install_remove_dirs(struct job *j, size_t from);
/* --undo. */
int install_undo(struct job *j);

#endif
