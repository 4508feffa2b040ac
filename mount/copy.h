/* copy.h - copies what an image has at a volume's mount point into the new volume. */
#ifndef MOUNT_COPY_H
#define MOUNT_COPY_H

#include <stdbool.h>
#include <sys/types.h>

#include "conf/kit/text.h"

/* Whom the copies belong to; `set` false: to whom the originals do. */
struct owner { bool set; uid_t uid; gid_t gid; };

/*
 * Copies the directory `from` onto the directory `to`, which exists (descriptors of any kind):
 * owner, mode, times and extended attributes of both, and all below: files, directories, links
 * as links, pipes and sockets; device nodes are left out. Names are followed by no link and into no other
 * mount. Hard links become files of their own. 0 or -errno; `about` names what could not be
 * copied. -ENAMETOOLONG: deeper than PATH_MAX; -E2BIG: more directories than memory is spent on.
 */
int copy_tree(int from, int to, const struct owner *owner, struct text *about);

/* One open file, from where it stands, into a new and empty one; owner, mode, times and extended attributes as well. 0 or -errno. */
int copy_one(int from, int to);

#endif
