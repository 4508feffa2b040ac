/* boot_mounts.c - the boot steps that mount: only where nobody has, and never by a link that leads elsewhere. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/stat.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "conf/kit/own.h"
#include "init/boot_steps.h"
#include "mount/copy.h"
#include "mount/inside.h"
#include "mount/kernel.h"
#include "mount/plan.h"

#define SPARE ((int)(ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC))

/* The directory, made where it is missing; links are followed, inside the root that is ours. */
static int open_place(const char *path)
{
	owned_fd root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return root < 0 ? -errno : inside_make(root, path, true, 0755);
}

/* Somebody mounted something here: it stays. statx(2) tells it since 5.8. */
static bool is_mounted(int fd)
{
	struct statx x = { 0 };

	return syscall(SYS_statx, fd, "", AT_EMPTY_PATH, 0, &x) == 0 && x.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

static bool is_kind(int fd, unsigned long magic)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (unsigned long)fs.f_type == magic;
}

static int mount_where_free(const char *type, const char *options, uint32_t attrs, const char *path)
{
	owned_fd place = open_place(path);

	if (place < 0)
		return place;
	return is_mounted(place) ? 1 : kernel_mount(type, options, attrs, place);
}

int ready_proc(struct boot *b)
{
	owned_fd place = open_place("/proc");

	(void)b;
	if (place < 0)
		return place;
	return is_kind(place, PROC_SUPER_MAGIC) ? 1 : kernel_mount("proc", "", SPARE, place);
}

/* Read-only in a container: what it changes is the machine. */
int ready_sys(struct boot *b)
{
	return mount_where_free("sysfs", "", SPARE | (b->machine ? 0 : ATTR_RO), "/sys");
}

/* The nodes that a container may have; Documentation/admin-guide/devices.txt of the kernel. */
static const struct { const char *name; unsigned int major_no, minor_no; } nodes[] = {
	{ "null", 1, 3 }, { "zero", 1, 5 }, { "full", 1, 7 }, { "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
};
static const struct { const char *name, *to; } links[] = {
	{ "fd", "/proc/self/fd" }, { "stdin", "/proc/self/fd/0" }, { "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" }, { "ptmx", "pts/ptmx" },
};

static bool has_null(int dev)
{
	struct stat st;

	return fstatat(dev, "null", &st, 0) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

static int fill_dev(int dev)
{
	int e = 0;
	mode_t old = umask(0);

	for (size_t k = 0; k < sizeof(nodes) / sizeof(nodes[0]); k++)
		if (mknodat(dev, nodes[k].name, S_IFCHR | 0666, makedev(nodes[k].major_no, nodes[k].minor_no)) < 0 && errno != EEXIST)
			e = -errno;
	(void)umask(old);
	for (size_t k = 0; k < sizeof(links) / sizeof(links[0]); k++)
		if (symlinkat(links[k].to, dev, links[k].name) < 0 && errno != EEXIST)
			e = -errno;
	return e;
}

int ready_dev(struct boot *b)
{
	owned_fd place = open_place("/dev");

	if (place < 0)
		return place;
	if (has_null(place) && is_mounted(place))
		return 1;
	if (!is_mounted(place)) {
		/* A machine's kernel fills it with all that it has (devtmpfs, Linux 2.6.32). */
		int e = b->machine ? kernel_mount("devtmpfs", "mode=755", ATTR_NOSUID | ATTR_NOEXEC, place) : -ENODEV;

		if (e < 0)
			e = kernel_mount("tmpfs", "mode=755,size=4m,nr_inodes=4096", ATTR_NOSUID | ATTR_NOEXEC, place);
		/* An image that brought its own nodes will do. */
		if (e < 0)
			return has_null(place) ? 1 : e;
	}
	owned_fd dev = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dev < 0 ? -errno : fill_dev(dev);
}

int ready_pts(struct boot *b)
{
	int e = mount_where_free("devpts", "newinstance,ptmxmode=0666,mode=0620,gid=5", ATTR_NOSUID | ATTR_NOEXEC, "/dev/pts");

	(void)b;
	/* A user namespace may lack the group tty. */
	return e == -EINVAL ? mount_where_free("devpts", "newinstance,ptmxmode=0666,mode=0620", ATTR_NOSUID | ATTR_NOEXEC, "/dev/pts") : e;
}

int ready_mqueue(struct boot *b)
{
	(void)b;
	return mount_where_free("mqueue", "", SPARE, "/dev/mqueue");
}

/* LXC and LXD with a cgroup namespace leave this to us. */
int ready_cgroup(struct boot *b)
{
	struct stat st;

	(void)b;
	/* sysfs has the directory where the kernel has cgroups; below a read-only sysfs it cannot be made. */
	if (stat("/sys/fs/cgroup", &st) < 0)
		return -errno;
	return mount_where_free("cgroup2", "", SPARE, "/sys/fs/cgroup");
}

/* What the image has at the place is kept: looked up before it is covered, copied after. */
static int copy_up(int below, const char *path)
{
	static const struct owner same;
	char room[128];
	struct text about = TEXT(room);
	owned_fd top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return top < 0 ? -errno : copy_tree(below, top, &same, &about);
}

/* Takes the word `copyup` out of the options. */
static bool take_copyup(char *options)
{
	static const char word[] = "copyup";

	for (char *at = options; (at = strstr(at, word)); at++) {
		char *end = at + sizeof(word) - 1;

		if ((at != options && at[-1] != ',') || (*end && *end != ','))
			continue;
		memmove(at, *end ? end + 1 : end, strlen(*end ? end + 1 : end) + 1);
		return true;
	}
	return false;
}

static int one_tmpfs(const char *text)
{
	char path[512], given[512] = "", options[512];
	struct text rest = TEXT(options);
	const char *colon = strchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : strlen(text);
	uint32_t flags = 0;

	options[0] = '\0';
	if (n >= sizeof(path) || (colon && strlen(colon + 1) >= sizeof(given)))
		return -ENAMETOOLONG;
	memcpy(path, text, n);
	path[n] = '\0';
	if (colon)
		memcpy(given, colon + 1, strlen(colon + 1) + 1);
	bool keep = take_copyup(given);
	if (!plan_options(given, &flags, &rest))
		return -E2BIG;
	owned_fd place = open_place(path);
	if (place < 0)
		return place;
	if (is_mounted(place))
		return 1;
	owned_fd below = keep ? openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int e = kernel_mount("tmpfs", options, flags & (ATTR_RO | ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC), place);
	return e == 0 && keep ? copy_up(below, path) : e;
}

int ready_tmpfs(struct boot *b)
{
	const struct house *h = &b->table->house;
	int all = 1, bad = 0;

	if (!h->tmpfs)
		return NOBODY_ASKED;
	for (uint32_t k = 0, n = list_count(b->table, h->tmpfs); k < n; k++) {
		const char *text = table_text(b->table, list_item(b->table, h->tmpfs, k));
		int e = one_tmpfs(text);

		if (e < 0)
			bad = boot_refused(b, text, -e);
		else if (e == 0)
			all = 0;
	}
	return bad ? bad : all;
}

/* what:where:type[:options]; mount(2) by path, for the operator wrote it and nothing hostile has run yet. */
static int one_mount(const char *text)
{
	char copy[1024], *part[4] = { NULL }, *rest = copy, options[512];
	struct text kept = TEXT(options);
	uint32_t flags = 0;

	options[0] = '\0';
	if (strlen(text) >= sizeof(copy))
		return -ENAMETOOLONG;
	memcpy(copy, text, strlen(text) + 1);
	for (int k = 0; k < 3; k++)
		part[k] = strsep(&rest, ":");
	part[3] = rest;
	if (!part[2])
		return -EINVAL;
	owned_fd place = open_place(part[1]);
	if (place < 0)
		return place;
	if (is_mounted(place))
		return 1;
	if (!plan_options(part[3] ? part[3] : "", &flags, &kept))
		return -E2BIG;
	if (!strcmp(part[2], "bind") || !strcmp(part[2], "none")) {
		owned_fd source = open(part[0], O_PATH | O_CLOEXEC);

		return source < 0 ? -errno : kernel_bind(source, true, flags & (ATTR_RO | ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC), place);
	}
	if (part[0][0] != '/')
		return kernel_mount(part[2], options, flags, place);
	char to[64];
	(void)snprintf(to, sizeof(to), "/proc/self/fd/%d", place);
	return mount(part[0], to, part[2], flags & (ATTR_RO | ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC), options) < 0 ? -errno : 0;
}

int ready_mounts(struct boot *b)
{
	const struct house *h = &b->table->house;
	int all = 1, bad = 0;

	if (!h->mounts)
		return NOBODY_ASKED;
	for (uint32_t k = 0, n = list_count(b->table, h->mounts); k < n; k++) {
		const char *text = table_text(b->table, list_item(b->table, h->mounts, k));
		int e = one_mount(text);

		if (e < 0)
			bad = boot_refused(b, text, -e);
		else if (e == 0)
			all = 0;
	}
	return bad ? bad : all;
}

/* RealInit=: programs that look at /sbin/init see the image's own one again. */
int ready_realinit(struct boot *b)
{
	const char *path = table_text(b->table, b->table->house.realinit);
	bool optional = *path == '-';

	if (!*path)
		return NOBODY_ASKED;
	owned_fd source = open(path + optional, O_PATH | O_CLOEXEC);
	if (source < 0)
		return optional && errno == ENOENT ? NOBODY_ASKED : -errno;
	owned_fd place = open("/sbin/init", O_PATH | O_CLOEXEC);
	if (place < 0)
		return -errno;
	return is_mounted(place) ? 1 : kernel_bind(source, false, 0, place);
}
