/* seal.h - a memfd that is written once and that nobody can change any more (fcntl(2), "File Sealing"; Linux 3.17). */
#ifndef CONF_KIT_SEAL_H
#define CONF_KIT_SEAL_H

#include <stdbool.h>
#include <stddef.h>

/* An empty one, close-on-exec; the caller's. -errno. */
int seal_create(const char *name);

/*
 * Writes it, and seals it against everything. By whoever wrote it this is cheap: sealed
 * by another process, the kernel makes every processor give its fresh pages back first.
 * 0 or -errno.
 */
int seal_write(int fd, const void *from, size_t n);

bool seal_holds(int fd);

#endif
