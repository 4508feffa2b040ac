/* users.h - who a unit runs as, by the passwd and group files inside its root. */
#ifndef MOUNT_USERS_H
#define MOUNT_USERS_H

#include <stdint.h>
#include <sys/types.h>

#include "conf/kit/text.h"

#define MAX_USERS_FILE (1u << 20) /* bytes of passwd, and of group */
#define MAX_GROUPS     256u       /* supplementary groups of one unit */

/* A user as a process needs it. `name` is "" where the number has no entry. */
struct person {
	uid_t uid;
	gid_t gid;
	uint32_t n_groups;
	gid_t groups[MAX_GROUPS];
	char name[256];
	char home[1024];
	char shell[256];
};

/* What a unit says of itself. Texts are borrowed. */
struct persona {
	const char *user;         /* "" is root; "www", "1000", "www:www", "1000:1000" */
	const char *group;        /* "": the part behind the colon, else the user's own */
	const char *const *extra; /* names or numbers of further groups */
	uint32_t n_extra;
};

/*
 * Finds a user in two files, NULL where there is none; pure. What consists of
 * digits is a number and never a name; the first matching line counts; lines
 * that make no sense are passed over. A number without an entry is accepted,
 * with group 0, home "/" and no further groups. 0; -ENOENT: no such user or
 * group; -EINVAL: no number a user may have; -E2BIG: too many groups. Then
 * `about` says which, and `*blame_group` is set where it was a group.
 */
int person_find(struct person *ret, const struct persona *p, const char *passwd, const char *group,
		int *blame_group, struct text *about);

/* The same with the files inside `root`, a descriptor. Also -errno of reading them; -EFBIG, -EINVAL: hostile ones. */
int users_find(struct person *ret, int root, const struct persona *p, int *blame_group, struct text *about);

#endif
