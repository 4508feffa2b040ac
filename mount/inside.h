/* inside.h - paths as they are inside a root: links are followed there and cannot lead out. */
#ifndef MOUNT_INSIDE_H
#define MOUNT_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A name of an image or volume: one path component, not hidden, printable, at most 255 bytes. Pure. */
bool inside_name_ok(const char *name);

/* Opens `path` inside `root` with open(2) `flags`; `resolve` adds to IN_ROOT and IN_NO_MAGIC (mount/kernel.h). A descriptor or -errno. */
int inside_open(int root, const char *path, int flags, uint32_t resolve);

/*
 * Like inside_open(O_PATH), and what is missing is created: directories (0755), and at the end a
 * directory, or an empty file where `dir` is false, of mode `mode`. A link that leads nowhere is
 * followed, inside, and what it names is created. -EISDIR, -ENOTDIR where the other kind is there.
 */
int inside_make(int root, const char *path, bool dir, mode_t mode);

/*
 * The same, and tells of each thing that it made: its path from the root, without any link in it,
 * and its descriptor (O_PATH); both are good until `made` returns.
 */
struct inside_news { void (*made)(void *self, const char *path, int fd); void *self; };
int inside_make_telling(int root, const char *path, bool dir, mode_t mode, const struct inside_news *news);

/*
 * A whole regular file of at most `most` bytes, inside `root`, into fresh memory with a NUL behind
 * it (the caller's). Never waits on a pipe or device. 0 or -errno; -EFBIG: larger; -EINVAL: not a
 * regular file.
 */
int inside_read(int root, const char *path, size_t most, char **ret, size_t *ret_n);
/* The same of a file that is open for reading; it stays open. */
int inside_read_fd(int fd, size_t most, char **ret, size_t *ret_n);

#endif
