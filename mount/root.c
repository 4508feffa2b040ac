/* root.c - mounts a tmpfs, an overlay on it, and moves in; whatever is refused decides. */
#include "mount/root.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mount/kernel.h"

static const char *const lost[N_RUNGS] = {
	[RUNG_FULL] = "",
	[RUNG_CHROOT] = "this container may not mount: images run by chroot, without overlays, volumes, /proc and /dev of "
			"their own, and what units write goes into the image; give the container CAP_SYS_ADMIN",
	[RUNG_NONE] = "this container may neither mount nor chroot: units with an image cannot start; give the container "
		      "CAP_SYS_ADMIN, or at least CAP_SYS_CHROOT",
};

const char *rung_lost(enum rung r)
{
	return lost[r];
}

static int mount_overlay(int lower, int upper, int work, int target)
{
	char options[160];

	(void)snprintf(options, sizeof(options), "lowerdir=/proc/self/fd/%d,upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d,"
		       "redirect_dir=nofollow,metacopy=off,index=off", lower, upper, work);
	return kernel_mount("overlay", options, ATTR_NODEV, target);
}

static int dir_in(int at, const char *name)
{
	if (mkdirat(at, name, 0755) < 0)
		return -1;
	return openat(at, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* The place is covered only in our own namespace; descriptors go with the process. */
static bool can_mount(const char *place)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;

	int below = open(place, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (below < 0 || kernel_mount("tmpfs", "mode=0755", ATTR_NOSUID, below) < 0)
		return false;

	int top = open(place, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int lower = dir_in(top, "lower"), upper = dir_in(top, "upper"), work = dir_in(top, "work"), root = dir_in(top, "root");

	if (lower < 0 || upper < 0 || work < 0 || root < 0 || mount_overlay(lower, upper, work, root) < 0)
		return false;
	/* Also tells whether there is openat2. */
	root = kernel_open(top, "root", O_PATH | O_DIRECTORY, 0, IN_ROOT | IN_NO_MAGIC);
	if (root < 0)
		return false;

	int rc = kernel_pivot(root);

	return rc == 0 || (rc == -EINVAL && kernel_move_over(root) == 0);
}

enum rung rung_probe(void)
{
	/* Any directory will do, but not one that the mount calls themselves look into. */
	static const char *const places[] = { "/run", "/tmp", "/etc", "/usr" };
	struct stat st;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (stat(places[i], &st) < 0 || !S_ISDIR(st.st_mode))
			continue;
		if (can_mount(places[i]))
			return RUNG_FULL;
		break;
	}
	return chroot("/") == 0 ? RUNG_CHROOT : RUNG_NONE;
}
