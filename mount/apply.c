/* apply.c - one function per kind of operation, and what an errno means where it happens. */
#include "mount/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "conf/kit/own.h"
#include "mount/clean.h"
#include "mount/image.h"
#include "mount/inside.h"
#include "mount/kernel.h"
#include "mount/volume.h"

#define OVERLAYFS_MAGIC 0x794c7630
#define ATTRS (ATTR_RO | ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC)
_Static_assert((int)OP_RO == ATTR_RO && (int)OP_NOSUID == ATTR_NOSUID && (int)OP_NODEV == ATTR_NODEV &&
	       (int)OP_NOEXEC == ATTR_NOEXEC, "flags of a plan are attributes of a mount");

static uint32_t attrs_of(const struct op *op)
{
	return op->flags & ATTRS;
}

/* What an errno of a mount call says to somebody who did not write the kernel. */
static const char *hint(int err)
{
	switch (err) {
	case EPERM:
		return "mounting needs CAP_SYS_ADMIN in the container";
	case ENOSPC:
		return "too many mounts; raise /proc/sys/fs/mount-max";
	case ENODEV:
		return "this kernel has no such file system";
	case EACCES:
		return "a security module of the host (AppArmor, SELinux) forbids it";
	default:
		return NULL;
	}
}

/* The start of every message: what, on which target. */
static int fail(struct text *about, const struct op *op, int err)
{
	const char *more = hint(err);

	if (!about->len) {
		op_show(about, op);
		if (more)
			text_fmt(about, "; %s", more);
	}
	return -err;
}

int site_open(struct site *s, struct text *about)
{
	/* Modes are meant as they are written here. */
	s->mask = umask(0);
	if (unshare(CLONE_NEWNS) < 0) {
		text_put(about, "a mount namespace needs CAP_SYS_ADMIN in the container");
		return -errno;
	}
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		text_put(about, "making mounts private");
		return -errno;
	}
	return 0;
}

static int open_layers(struct site *s, struct text *about)
{
	uint32_t n = list_count(s->table, s->unit->layers);

	if (n > MAX_LAYERS) {
		text_fmt(about, "%u layers; at most %u fit into one overlay", n, MAX_LAYERS);
		return -E2BIG;
	}
	/* Highest first, as overlayfs wants them; ExtraLayers= says lowest first. */
	while (n-- > 0) {
		int fd = image_open_layer(s->table, table_text(s->table, list_item(s->table, s->unit->layers, n)), about);

		if (fd < 0)
			return fd;
		s->layers[s->n_layers++] = fd;
	}
	return 0;
}

int site_image(struct site *s, const struct op *root, struct text *about)
{
	int fd;

	if (root->source[0] == '/')
		fd = kernel_open(AT_FDCWD, root->source, O_PATH | O_DIRECTORY, 0, IN_NO_MAGIC);
	else
		fd = image_open(s->table, root->source, about);
	if (fd < 0) {
		if (!about->len)
			text_fmt(about, "RootDirectory=%.90s", root->source);
		return fd;
	}
	s->image = fd;
	return root->kind == OP_OVERLAY ? open_layers(s, about) : 0;
}

/* Opens a directory of our own making, and makes it where it is missing. */
static int own_dir(int at, const char *name, mode_t mode)
{
	int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(at, name, flags);

	if (fd < 0 && errno == ENOENT) {
		if (mkdirat(at, name, mode) < 0 && errno != EEXIST)
			return -errno;
		fd = openat(at, name, flags);
	}
	return fd < 0 ? -errno : fd;
}

/* The directory that holds the uppers: on the runtime's tmpfs, or beside the volumes. */
static int open_uppers(const struct site *s)
{
	if (s->unit->overlay != OVERLAY_PERSISTENT || !s->unit->image) {
		owned_fd runtime = open(s->runtime, O_PATH | O_DIRECTORY | O_CLOEXEC);

		return runtime < 0 ? -errno : own_dir(runtime, UPPER_DIR, 0700);
	}

	char path[PATH_MAX];
	const char *volumes = table_text(s->table, s->table->house.volume_path);
	const char *slash = strrchr(volumes, '/');
	int n = snprintf(path, sizeof(path), "%.*s/overlays", slash ? (int)(slash - volumes) : 0, volumes);

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;

	owned_fd root = open("/", O_PATH | O_CLOEXEC);

	return root < 0 ? -errno : inside_make(root, path, true, 0700);
}

/* A new upper looks like the top of the image: its owner and mode are those of "/". */
static int open_upper(const struct site *s, int base)
{
	int fd = openat(base, "upper", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? -errno : fd;
	if (fstat(s->image, &st) < 0)
		return -errno;
	if (mkdirat(base, "upper", st.st_mode & 07777) < 0 && errno != EEXIST)
		return -errno;
	if ((st.st_uid || st.st_gid) && fchownat(base, "upper", st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return own_dir(base, "upper", 0755);
}

static int overlay_failed(int upper, int err, struct text *about)
{
	struct statfs fs;

	if (err == EINVAL && fstatfs(upper, &fs) == 0 && (unsigned long)fs.f_type == OVERLAYFS_MAGIC)
		text_put(about, "the upper would lie on an overlay itself; mount a tmpfs on /run, or say Overlay=none");
	else if (err == EINVAL)
		text_put(about, "the overlay; its upper must be on tmpfs, ext4, xfs or btrfs; else say Overlay=none");
	else if (err == EBUSY)
		text_put(about, "the overlay, whose upper is still in use by another process");
	else if (err == ELOOP)
		text_put(about, "the overlay: the image lies on an overlay of overlays; keep images on a volume");
	else if (err == ENODEV)
		text_put(about, "this kernel has no overlayfs; say Overlay=none or RootDirectory=");
	return -err;
}

static int mount_overlay(struct site *s, const struct op *root, int base, int target, struct text *about)
{
	char room[32 * (MAX_LAYERS + 4)];
	struct text options = TEXT(room);
	owned_fd upper = open_upper(s, base);
	owned_fd work = upper < 0 ? upper : own_dir(base, "work", 0700);

	if (work < 0)
		return fail(about, root, -work);
	/* By number, so that no name of a layer can mean anything: they may hold ":", "," and "\\". */
	text_put(&options, "lowerdir=");
	for (uint32_t i = 0; i < s->n_layers; i++)
		text_fmt(&options, "/proc/self/fd/%d:", s->layers[i]);
	text_fmt(&options, "/proc/self/fd/%d,upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d", s->image, upper, work);
	/* What the upper says of redirects and metadata was written by the unit: not to be believed. index=off: it may meet an upgraded image. */
	text_put(&options, ",redirect_dir=nofollow,metacopy=off,index=off");
	if (options.cut)
		return fail(about, root, E2BIG);

	int rc = kernel_mount("overlay", room, attrs_of(root), target);

	if (rc < 0) {
		(void)overlay_failed(upper, -rc, about);
		return fail(about, root, -rc);
	}
	return 0;
}

/* Where the kernel cannot give a whole tree its attributes (before 5.12): the nearest that is not weaker in what the unit asked for. */
static int bind(const struct op *op, int source, int target, struct text *about)
{
	bool deep = op->flags & OP_DEEP;
	int rc = kernel_bind(source, deep, attrs_of(op), target);

	if (rc != -ENOSYS || !deep)
		return rc;
	if (op->line && op->flags & (OP_RO | OP_NOEXEC)) {
		op_show(about, op);
		text_put(about, "; read-only with all below needs Linux 5.12; say norbind");
		return rc;
	}
	return op->flags & OP_RO ? kernel_bind(source, false, attrs_of(op), target) : kernel_bind(source, true, 0, target);
}

int site_root(struct site *s, const struct op *root, struct text *about)
{
	const char *name = table_text(s->table, s->unit->name);
	owned_fd uppers = open_uppers(s);
	owned_fd base = uppers < 0 ? uppers : own_dir(uppers, name, 0700);

	if (base < 0) {
		text_fmt(about, "the place for the root of %.60s", name);
		return base;
	}

	/* The root is mounted over the directory that holds upper and work: no other place has to be found for it. */
	int rc = root->kind == OP_OVERLAY ? mount_overlay(s, root, base, base, about) : bind(root, s->image, base, about);

	if (rc < 0)
		return fail(about, root, -rc);
	s->root = openat(uppers, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return s->root < 0 ? fail(about, root, errno) : 0;
}

/*
 * The directory of an entry that is to be made (borrowed), and at `name` its last component. Every
 * root has a dozen entries in /dev, so it stays open for the next one: as long as only
 * our own table is at work, nothing can be mounted over it in between.
 */
static int open_near(struct site *s, const struct op *op, const char **name)
{
	char path[PATH_MAX];
	const char *slash = strrchr(op->target, '/');
	size_t n = (size_t)(slash - op->target);

	*name = slash + 1;
	if (s->near >= 0 && s->near_len == n && memcmp(s->near_path, op->target, n) == 0)
		return s->near;
	if (n >= sizeof(path))
		return -ENAMETOOLONG;
	memcpy(path, op->target, n);
	path[n] = '\0';

	int fd = inside_open(s->root, n ? path : "/", O_PATH | O_DIRECTORY, IN_NO_LINKS);

	if (fd < 0)
		return fd;
	if (s->near >= 0)
		(void)close(s->near);
	s->near = fd;
	s->near_path = op->target;
	s->near_len = n;
	return fd;
}

/* A directory of our own table beside entries that were just made: it is known to be missing, so it is made first. */
static int open_sibling(struct site *s, const struct op *op)
{
	const char *name;
	size_t n = (size_t)(strrchr(op->target, '/') - op->target);

	if (op->line || s->near < 0 || s->near_len != n || memcmp(s->near_path, op->target, n) != 0)
		return -ENOENT;

	int at = open_near(s, op, &name);

	if (mkdirat(at, name, 0755) < 0 && errno != EEXIST)
		return -errno;

	int fd = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* The target of an operation, made where it is missing. */
static int open_target(struct site *s, const struct op *op, bool dir)
{
	int sibling = dir ? open_sibling(s, op) : -ENOENT;

	if (sibling >= 0)
		return sibling;
	if (op->flags & OP_REAL) {
		int fd = inside_open(s->root, op->target, O_PATH | O_DIRECTORY, IN_NO_LINKS);

		if (fd != -ENOENT)
			return fd;
	}
	return inside_make(s->root, op->target, dir, dir ? 0755 : 0644);
}

static int target_failed(const struct op *op, int err, struct text *about)
{
	if (about->len)
		return -err;
	if (err == ELOOP && op->flags & OP_REAL)
		text_fmt(about, "%s, which is a link in the image; make it a directory", op->target);
	else if (err == EROFS)
		text_fmt(about, "%.70s, which is missing in a root that is read-only", op->target);
	else if (err == EISDIR)
		text_fmt(about, "%.80s is a directory in the image, what comes there is a file", op->target);
	else if (err == ENOTDIR)
		text_fmt(about, "%.80s is a file in the image, what comes there is a directory", op->target);
	return fail(about, op, err);
}

static int do_bind(struct site *s, const struct op *op, struct text *about)
{
	owned_fd source = kernel_open(AT_FDCWD, op->source, O_PATH, 0, IN_NO_MAGIC);
	struct op fitting = *op;
	struct stat st;

	if (source < 0) {
		if (source == -ENOENT && op->flags & OP_OPTIONAL)
			return 0;
		text_fmt(about, "%.90s, which is to be mounted", op->source);
		return source;
	}
	if (fstat(source, &st) < 0)
		return fail(about, op, errno);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		fitting.flags &= ~(uint32_t)OP_NODEV;

	owned_fd target = open_target(s, op, S_ISDIR(st.st_mode));

	if (target < 0)
		return target_failed(op, -target, about);

	int rc = bind(&fitting, source, target, about);

	return rc < 0 ? fail(about, op, -rc) : 0;
}

/* A tmpfs over a directory of the image looks like it: /tmp stays 1777 without a word. */
static void put_likeness(int target, struct text *options)
{
	struct stat st;

	if (fstat(target, &st) < 0)
		return;
	if (!strstr(options->at, "mode="))
		text_fmt(options, "%smode=%04o", options->len ? "," : "", (unsigned)st.st_mode & 07777);
	if (st.st_uid && !strstr(options->at, "uid="))
		text_fmt(options, ",uid=%u", (unsigned)st.st_uid);
	if (st.st_gid && !strstr(options->at, "gid="))
		text_fmt(options, ",gid=%u", (unsigned)st.st_gid);
}

static int do_new(struct site *s, const struct op *op, struct text *about)
{
	char room[1024] = "";
	struct text options = TEXT(room);
	uint32_t flags = op->flags;
	owned_fd target = open_target(s, op, true);

	if (target < 0)
		return target_failed(op, -target, about);
	if (!plan_options(op->options, &flags, &options)) {
		text_fmt(about, "options of %.90s are too long", op->target);
		return -E2BIG;
	}
	if (flags & OP_LIKE)
		put_likeness(target, &options);

	int rc = kernel_mount(op->source, room, flags & ATTRS, target);

	/* A user namespace may lack the group tty. */
	if (rc == -EINVAL && strcmp(op->source, "devpts") == 0)
		rc = kernel_mount(op->source, "ptmxmode=0666,mode=0620", flags & ATTRS, target);
	if (rc == -EINVAL && op->line)
		text_fmt(about, "tmpfs on %.50s: its options \"%.40s\"", op->target, op->options);
	return rc < 0 ? fail(about, op, -rc) : 0;
}

static int do_volume(struct site *s, const struct op *op, struct text *about)
{
	static const struct owner nobody;
	owned_fd target = open_target(s, op, true);

	if (target < 0)
		return target_failed(op, -target, about);

	const char *volumes = table_text(s->table, s->table->house.volume_path);
	owned_fd volume = volume_open(volumes, op->source, op->flags & OP_NOCOPY ? -1 : target,
				      op->flags & OP_CHOWN ? &s->owner : &nobody, about);

	if (volume < 0)
		return volume;

	int rc = kernel_bind(volume, false, attrs_of(op), target);

	return rc < 0 ? fail(about, op, -rc) : 0;
}

/* Where nodes may not be made, the container's own are bound, if they are what they are called. */
static int bind_device(struct site *s, const struct op *op)
{
	owned_fd source = open(op->target, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (source < 0 || fstat(source, &st) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(op->major, op->minor))
		return -ENXIO;

	owned_fd target = inside_make(s->root, op->target, false, 0666);

	return target < 0 ? target : kernel_bind(source, false, ATTR_NOSUID | ATTR_NOEXEC, target);
}

static int do_node(struct site *s, const struct op *op, struct text *about)
{
	const char *name;
	int dir = open_near(s, op, &name);

	if (dir < 0)
		return fail(about, op, -dir);
	if (mknodat(dir, name, S_IFCHR | 0666, makedev(op->major, op->minor)) == 0 || errno == EEXIST)
		return 0;
	if (errno != EPERM)
		return fail(about, op, errno);

	int rc = bind_device(s, op);

	return rc < 0 ? fail(about, op, -rc) : 0;
}

static int do_link(struct site *s, const struct op *op, struct text *about)
{
	const char *name;
	int dir = open_near(s, op, &name);

	if (dir < 0)
		return fail(about, op, -dir);
	return symlinkat(op->source, dir, name) < 0 && errno != EEXIST ? fail(about, op, errno) : 0;
}

static int do_dir(struct site *s, const struct op *op, struct text *about)
{
	owned_fd dir = inside_make(s->root, op->target, true, op->mode);

	/* A root that is read-only stays as it is. */
	return dir < 0 && dir != -EROFS ? target_failed(op, -dir, about) : 0;
}

static int do_seal(struct site *s, const struct op *op, struct text *about)
{
	owned_fd top = inside_open(s->root, op->target, O_PATH | O_DIRECTORY, 0);
	int rc = top < 0 ? top : kernel_seal(top, attrs_of(op));

	return rc < 0 ? fail(about, op, -rc) : 0;
}

static int (*const doing[N_OPS])(struct site *, const struct op *, struct text *) = {
	[OP_NEW] = do_new, [OP_BIND] = do_bind, [OP_VOLUME] = do_volume, [OP_NODE] = do_node, [OP_LINK] = do_link, [OP_DIR] = do_dir,
	[OP_SEAL] = do_seal,
};

int site_mount(struct site *s, const struct op *op, struct text *about)
{
	int rc = doing[op->kind](s, op, about);

	if (rc < 0 && op->flags & OP_SPARE) {
		about->len = 0;
		about->at[0] = '\0';
		return 0;
	}
	return rc;
}

int site_enter(struct site *s, uint8_t mode, struct text *about)
{
	int rc = mode == ROOT_CHROOT ? -EINVAL : kernel_pivot(s->root);

	/* EINVAL: our own root is the kernel's first one, which cannot be exchanged. */
	if (rc == -EINVAL && mode != ROOT_PIVOT)
		rc = kernel_move_over(s->root);
	(void)umask(s->mask);
	if (rc < 0)
		text_put(about, mode == ROOT_PIVOT ? "pivot_root, which RootMode=pivot demands" :
			 "the new root; this needs CAP_SYS_ADMIN in the container");
	return rc;
}

/*
 * The plan's devices, where the image has none of that name and the container may make them
 * (CAP_MKNOD, which Docker and Kubernetes grant). They stay in the image, as all does that is written there.
 */
static void furnish(struct site *s, const struct op *ops, uint32_t n)
{
	mode_t old = umask(0);

	s->root = s->image;
	for (uint32_t i = 0; i < n; i++) {
		const char *name;

		if (ops[i].kind != OP_NODE)
			continue;
		int dir = open_near(s, &ops[i], &name);

		if (dir >= 0)
			(void)mknodat(dir, name, S_IFCHR | 0666, makedev(ops[i].major, ops[i].minor));
	}
	s->root = -1;
	(void)umask(old);
}

int site_chroot(struct site *s, const struct op *ops, uint32_t n, struct text *about)
{
	furnish(s, ops, n);
	if (fchdir(s->image) == 0 && chroot(".") == 0 && chdir("/") == 0)
		return 0;
	text_put(about, "chroot, which needs CAP_SYS_CHROOT in the container");
	return -errno;
}
