/* put.h - files put into a directory whole or not at all: staged under a name of ours, then renamed. */
#ifndef INIT_CLI_PUT_H
#define INIT_CLI_PUT_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Writes `n` bytes beside `name`, and to the disk: nobody sees them there before put_commit().
 * The file belongs to the owner of the directory, as far as we may say so. `dir` is open for reading. 0 or -errno, and
 * then nothing is left of it.
 */
int put_stage(int dir, const char *name, const char *bytes, size_t n, mode_t mode);
/* Renames what was staged to `name`, over what is there. 0 or -errno. */
int put_commit(int dir, const char *name);
/* Removes what was staged, if anything was. */
void put_drop(int dir, const char *name);

/*
 * Puts the file from/name there a second time, as to/twin, atomically: the same inode where both are on one file
 * system, else a copy with its mode, owner, times and extended attributes. A link becomes a link with the text
 * `link` (NULL: its own), its owner and its times. 0 or -errno; -EINVAL: neither file nor link.
 */
int put_twin(int from, const char *name, int to, const char *twin, const char *link);

#endif
