/* clean.h - removes a tree that a unit left behind, however it was built. */
#ifndef MOUNT_CLEAN_H
#define MOUNT_CLEAN_H

/* Where the ephemeral uppers lie, below the runtime directory. */
#define UPPER_DIR "upper"

/*
 * Removes everything below the directory `top` (a descriptor that can be read; it stays itself).
 * Follows no link, crosses no mount, takes the same memory for any tree: directories that are not
 * empty are first moved up to `top`, so nothing is deeper than two. 0, or -errno of the first
 * thing that could not be removed (-EBUSY: something is mounted there); the rest is removed all
 * the same. May take long: for a child process.
 */
int clean_below(int top);

/* Removes the directory `name` of `at` with all that is below. 0 also where there is none. */
int clean_tree(int at, const char *name);

/* Removes the ephemeral upper of a unit that has stopped, RUNTIME/upper/UNIT. */
int clean_unit(const char *runtime, const char *unit);

#endif
