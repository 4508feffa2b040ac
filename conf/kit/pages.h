/* pages.h - giving back pages of the program that ran once, and count as ours as long as we sleep. */
#ifndef CONF_KIT_PAGES_H
#define CONF_KIT_PAGES_H

#include <stdbool.h>

/*
 * Forgets the program's code and constants (madvise(2), MADV_DONTNEED): the pages are the
 * file's, unchanged, and what is needed again comes back by itself. `striped`: it comes
 * back by 16 KiB at most, for a fault maps the whole of a large folio (Linux 6.18) but
 * never more than one mapping; that makes many mappings, which a process that forks pays for.
 */
void pages_forget(bool striped);

#endif
