/*
 * kernel.h - the kernel's mount calls, on descriptors only.
 *
 * fsopen(2), open_tree(2) and move_mount(2) are Linux 5.2, openat2(2) is 5.6;
 * mount_setattr(2) is 5.12 and is replaced by a remount where it is missing.
 * Where a seccomp filter hides the newer calls (ENOSYS or EPERM), mount(2)
 * through /proc/self/fd does the same work, still on the descriptor's file.
 * No function here follows a path that an image could bend.
 */
#ifndef MOUNT_KERNEL_H
#define MOUNT_KERNEL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Mount attributes. These four are the same numbers for mount(2) and mount_setattr(2). */
enum { ATTR_RO = 1, ATTR_NOSUID = 2, ATTR_NODEV = 4, ATTR_NOEXEC = 8 };

/* openat2(2). RESOLVE_*, by name. */
enum { IN_ONE_MOUNT = 0x01, IN_NO_MAGIC = 0x02, IN_NO_LINKS = 0x04, IN_BENEATH = 0x08, IN_ROOT = 0x10 };

/* A descriptor (close-on-exec) or -errno. `resolve`: IN_*. Tries again what a rename disturbed (EAGAIN), a few times. */
int kernel_open(int at, const char *path, int flags, mode_t mode, uint32_t resolve);

/*
 * Mounts a new file system on `target`, any descriptor of a file or directory. `options` is the
 * comma-separated text of mount(8) without flags, "" for none. 0 or -errno.
 */
int kernel_mount(const char *type, const char *options, uint32_t attrs, int target);

/*
 * Mounts what `source` is on `target`; `deep` with all that is mounted below it. The attributes
 * are added to those of the source. 0 or -errno; -ENOSYS: `deep` with attributes before 5.12.
 */
int kernel_bind(int source, bool deep, uint32_t attrs, int target);

/* Adds attributes to the mount whose root `mounted` is. 0 or -errno. */
int kernel_seal(int mounted, uint32_t attrs);

/* Makes `root`, a descriptor of a mounted directory, the root of this mount namespace and forgets the old one. 0 or -errno. */
int kernel_pivot(int root);

/* The same where pivot_root(2) is refused (the old root is a rootfs): moves the mount over "/" and chroots into it. */
int kernel_move_over(int root);

#endif
