/* mountinfo.h - where a line of /proc/self/mountinfo says that something is mounted; pure. */
#ifndef INIT_MOUNTINFO_H
#define INIT_MOUNTINFO_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/kit/text.h"

/*
 * The mount point (the fifth field, proc(5)) of a line of n bytes without its newline, with the
 * kernel's octal escapes taken off. False: the line has none, or it does not fit.
 */
bool mountinfo_point(const char *line, size_t n, struct text *into);

/* A file system of the kernel's own lies here or above (/proc, /sys, /dev), or it is the root: nothing to unmount at the end. */
bool mountinfo_spared(const char *point);

#endif
