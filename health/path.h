/* path.h - looks at a file or a socket inside a unit's root, never outside of it. */
#ifndef HEALTH_PATH_H
#define HEALTH_PATH_H

#include <stdbool.h>
#include <stdint.h>

/* Not a detail: the answer is not at hand; ask again with `patient`, where it does no harm to be stuck. */
#define PATH_SLOW (-1)

/*
 * Is there a file at `path` (`connect` false), or somebody who accepts connections
 * to the stream socket there (`connect` true), as seen from the directory `top`, which
 * stays the caller's, as from /; from the root of the process `main` where that is
 * negative (/proc/PID/root, which takes CAP_SYS_PTRACE; 0: from ours)? Symbolic links
 * and ".." stay inside that root (openat2(2), RESOLVE_IN_ROOT, 5.6). Returns DETAIL()
 * of probe.h, 0 where all is well.
 *
 * Not patient, it only looks at what the kernel has at hand (RESOLVE_CACHED, 5.12):
 * a file system of the unit's own making may keep us waiting for ever.
 */
int32_t path_look(const char *path, bool connect, int top, int32_t main, bool patient);

#endif
