/*
 * installed.h - what `coppice install` did to a root, written down in it, so that --undo finds what was there.
 *
 * A root is not ours: what is read is checked, and all paths are followed inside the root only.
 */
#ifndef INIT_CLI_INSTALLED_H
#define INIT_CLI_INSTALLED_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INSTALLED_DIR  "/var/lib/coppice"
#define INSTALLED_FILE "installed.json"

#define MAX_MADE 32 /* directories; a missing one counts with all its parents */

/* What was at a place. */
enum was { WAS_NOTHING, WAS_FILE, WAS_LINK };

/* A place where something was put, and what was there before the first time. */
struct past {
	bool placed;
	enum was was;
	bool aside;            /* it is kept as INSTALLED_DIR/former-NAME, and not where boot looks for the real init */
	char link[PATH_MAX];   /* the text of a link */
	uint32_t crc;          /* CRC-32C of what was put there */
	uint64_t size;
};

struct installed {
	struct past init, oci;
	char *made[MAX_MADE];  /* directories, in the order of their making; ours to free */
	size_t n_made;
};

/* Reads it from the root. 0; -ENOENT: there is none; -EBADMSG: it is damaged; or another -errno. */
int installed_read(int root, struct installed *ret);
/* As text, to be freed; NULL: no memory, or a name that is not UTF-8. */
char *installed_text(const struct installed *in);
/* Takes note of a directory. 0, -ENOMEM, -E2BIG. */
int installed_add(struct installed *in, const char *path);
void installed_free(struct installed *in);

#endif
