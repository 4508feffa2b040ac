/* netfile.h - small files written whole or not at all. */
#ifndef INIT_NET_NETFILE_H
#define INIT_NET_NETFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Makes the directory and those above it. 0 or -errno. */
int netfile_dirs(const char *path);
/*
 * Reads a regular file of at most `size` bytes. Its length, or -errno; -EFBIG where
 * it is longer, -EINVAL where it is no file. Never waits.
 */
ssize_t netfile_read(const char *path, void *into, size_t size);
/*
 * Replaces the file by a new one with this mode, atomically. `in_place`: where that
 * cannot be done (it is a mount point, or the directory is read-only), writes into
 * it. 0 or -errno.
 */
int netfile_write(const char *path, const void *from, size_t n, mode_t mode, bool in_place);
/*
 * Writes into the file that is there, and cuts off the rest: who reads meanwhile sees old or
 * new lines, hardly ever none. For a file that is mounted elsewhere. 0 or -errno.
 */
int netfile_write_over(const char *path, const void *from, size_t n);

#endif
