/* plan.c - the mounts of every root as a table, then those of the unit; pure. */
#include "mount/plan.h"

#include <string.h>

#define SAFE (OP_NOSUID | OP_NODEV | OP_NOEXEC)
#define KERNEL_RO(path) { .kind = OP_BIND, .flags = SAFE | OP_RO | OP_OPTIONAL, .source = (path), .target = (path) }
/* Without these a root is only less comfortable; one that is read-only may have no place for them. */
#define FILE_RO(path)   { .kind = OP_BIND, .flags = SAFE | OP_RO | OP_OPTIONAL | OP_SPARE, .source = (path), .target = (path) }
#define DEVICE(name, x, y) { .kind = OP_NODE, .target = "/dev/" name, .major = (x), .minor = (y) }
#define DEV_LINK(name, to) { .kind = OP_LINK, .target = "/dev/" name, .source = (to) }

/*
 * What every root of an image has. The container's own /proc and /sys are bound, not mounted anew:
 * they show the same PID namespace, and a new one would undo what the container's manager has
 * masked or, as lxcfs does, put over them. Writing below /proc/sys needs no capability,
 * only uid 0; nor do the others that are read-only here.
 */
static const struct op common[] = {
	{ .kind = OP_BIND, .flags = SAFE | OP_DEEP | OP_REAL, .source = "/proc", .target = "/proc" },
	KERNEL_RO("/proc/sys"),
	KERNEL_RO("/proc/sysrq-trigger"),
	KERNEL_RO("/proc/irq"),
	KERNEL_RO("/proc/bus"),
	KERNEL_RO("/proc/fs"),
	{ .kind = OP_BIND, .flags = SAFE | OP_RO | OP_DEEP | OP_REAL | OP_OPTIONAL, .source = "/sys", .target = "/sys" },
	{ .kind = OP_NEW, .flags = OP_NOSUID | OP_NOEXEC | OP_REAL, .source = "tmpfs", .target = "/dev",
	  .options = "mode=0755,size=64k" },
	DEVICE("null", 1, 3),
	DEVICE("zero", 1, 5),
	DEVICE("full", 1, 7),
	DEVICE("random", 1, 8),
	DEVICE("urandom", 1, 9),
	DEVICE("tty", 5, 0),
	DEV_LINK("ptmx", "pts/ptmx"),
	DEV_LINK("fd", "/proc/self/fd"),
	DEV_LINK("stdin", "/proc/self/fd/0"),
	DEV_LINK("stdout", "/proc/self/fd/1"),
	DEV_LINK("stderr", "/proc/self/fd/2"),
	{ .kind = OP_NEW, .flags = OP_NOSUID | OP_NOEXEC, .source = "devpts", .target = "/dev/pts",
	  .options = "ptmxmode=0666,mode=0620,gid=5" },
	{ .kind = OP_NEW, .flags = OP_NOSUID | OP_NODEV, .source = "tmpfs", .target = "/dev/shm",
	  .options = "mode=1777" },
	/* Only whoever made the IPC namespace may mount it. */
	{ .kind = OP_NEW, .flags = SAFE | OP_SPARE, .source = "mqueue", .target = "/dev/mqueue", .options = "" },
	{ .kind = OP_DIR, .target = "/tmp", .mode = 01777 },
	FILE_RO("/etc/hosts"),
	FILE_RO("/etc/hostname"),
};

/* SharedRun=: the container's /run, but not our own directory in it. */
static const struct op run_shared[] = {
	{ .kind = OP_BIND, .flags = OP_NOSUID | OP_NODEV | OP_DEEP | OP_REAL, .source = "/run", .target = "/run" },
	{ .kind = OP_NEW, .flags = SAFE, .source = "tmpfs", .target = PLAN_RUNTIME, .options = "mode=0755" },
};
static const struct op run_own[] = {
	{ .kind = OP_NEW, .flags = OP_NOSUID | OP_NODEV | OP_REAL, .source = "tmpfs", .target = "/run",
	  .options = "mode=0755" },
};

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

bool plan_wants_root(const struct unit *u)
{
	return u->image || u->root_directory || u->root_from != NO_UNIT;
}

uint32_t plan_room(const struct table *t, const struct unit *u)
{
	return (uint32_t)(1 + LENGTH(common) + LENGTH(run_shared) + 2) + 2 * list_count(t, u->mounts);
}

static uint32_t put_all(struct op *into, const struct op *from, size_t n)
{
	memcpy(into, from, n * sizeof(*from));
	return (uint32_t)n;
}

static struct op root_op(const struct table *t, const struct unit *u)
{
	uint32_t nosuid = u->no_new_privs ? OP_NOSUID : 0;

	if (u->root_directory)
		return (struct op){ .kind = OP_ROOT_BIND, .flags = nosuid | OP_DEEP, .source = table_text(t, u->root_directory) };
	if (!u->image)
		return (struct op){ .kind = OP_ROOT_SELF, .flags = OP_DEEP, .source = "/" };
	if (u->overlay == OVERLAY_NONE)
		return (struct op){ .kind = OP_ROOT_BIND, .flags = nosuid | OP_NODEV | OP_RO, .source = table_text(t, u->image) };
	return (struct op){ .kind = OP_OVERLAY, .flags = nosuid | OP_NODEV, .source = table_text(t, u->image) };
}

static bool is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

static struct op mount_op(const struct table *t, const struct unit *u, const struct unit_mount *m)
{
	struct op op = { .line = m->line, .source = table_text(t, m->source), .target = table_text(t, m->target),
			 .options = table_text(t, m->options) };

	op.flags = (m->flags & MOUNT_RO ? OP_RO : 0) | (m->flags & MOUNT_NOEXEC ? OP_NOEXEC : 0) |
		   (m->flags & MOUNT_OPTIONAL ? OP_OPTIONAL : 0) | (m->flags & MOUNT_RBIND ? OP_DEEP : 0) |
		   (m->flags & MOUNT_NOCOPY ? OP_NOCOPY : 0) | (m->flags & MOUNT_CHOWN ? OP_CHOWN : 0);
	switch (m->kind) {
	case MOUNT_TMPFS:
		op.kind = OP_NEW;
		op.source = "tmpfs";
		op.flags |= OP_NOSUID | OP_NODEV | OP_LIKE;
		break;
	case MOUNT_VOLUME:
		op.kind = OP_VOLUME;
		op.flags |= OP_NODEV | (u->no_new_privs ? OP_NOSUID : 0);
		break;
	default:
		op.kind = OP_BIND;
		/* Devices are bound from /dev on purpose: /dev/net/tun, /dev/fuse, a disk. */
		op.flags |= (is_below(op.source, "/dev") ? 0 : OP_NODEV) | (u->no_new_privs ? OP_NOSUID : 0);
		break;
	}
	return op;
}

/* How many directories deep a target lies. */
static uint32_t depth_of(const char *path)
{
	uint32_t n = 0;

	for (const char *at = path; *at; at++)
		n += *at != '/' && (at == path || at[-1] == '/');
	return n;
}

/* Parents first, else in the order given: insertion, as there are few. */
static void sort_by_depth(struct op *ops, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		struct op op = ops[i];
		uint32_t depth = depth_of(op.target), at = i;

		for (; at > 0 && depth_of(ops[at - 1].target) > depth; at--)
			ops[at] = ops[at - 1];
		ops[at] = op;
	}
}

uint32_t plan_make(const struct table *t, const struct unit *u, const struct plan_places *places, struct op *into)
{
	uint32_t n = 0;

	into[n++] = root_op(t, u);
	if (into[0].kind != OP_ROOT_SELF) {
		n += put_all(into + n, common, LENGTH(common));
		n += u->shared_run ? put_all(into + n, run_shared, LENGTH(run_shared)) : put_all(into + n, run_own, LENGTH(run_own));
		into[n++] = (struct op){ .kind = OP_BIND, .flags = SAFE | OP_OPTIONAL, .source = places->notify, .target = PLAN_NOTIFY };
		into[n] = (struct op)FILE_RO("/etc/resolv.conf");
		into[n++].source = places->resolv;
	}

	uint32_t own = n;

	for (uint32_t i = 0; i < list_count(t, u->mounts); i++) {
		const struct unit_mount *m = (const void *)table_words(t, list_item(t, u->mounts, i));

		into[n++] = mount_op(t, u, m);
	}
	sort_by_depth(into + own, n - own);
	/* In a tmpfs places for other mounts may still have to be made: "TemporaryFileSystem=/var:ro", "BindPaths=/var/lib/app". */
	for (uint32_t i = own, end = n; i < end; i++) {
		if (into[i].kind != OP_NEW || !(into[i].flags & OP_RO))
			continue;
		into[i].flags &= ~(uint32_t)OP_RO;
		into[n++] = (struct op){ .kind = OP_SEAL, .flags = OP_RO, .line = into[i].line, .target = into[i].target };
	}
	return n;
}

static const struct { const char *word; uint32_t set, clear; } flag_words[] = {
	{ "ro", OP_RO, 0 },         { "rw", 0, OP_RO },
	{ "nosuid", OP_NOSUID, 0 }, { "suid", 0, OP_NOSUID },
	{ "nodev", OP_NODEV, 0 },   { "dev", 0, OP_NODEV },
	{ "noexec", OP_NOEXEC, 0 }, { "exec", 0, OP_NOEXEC },
	/* the kernel's default, spelt out */
	{ "relatime", 0, 0 },       { "defaults", 0, 0 },
};

bool plan_options(const char *options, uint32_t *flags, struct text *rest)
{
	for (const char *at = options; *at;) {
		size_t n = strcspn(at, ","), i = 0;

		while (i < LENGTH(flag_words) && (strlen(flag_words[i].word) != n || memcmp(at, flag_words[i].word, n) != 0))
			i++;
		if (i < LENGTH(flag_words)) {
			*flags = (*flags | flag_words[i].set) & ~flag_words[i].clear;
		} else if (n) {
			if (rest->len)
				text_char(rest, ',');
			text_bytes(rest, at, n);
		}
		at += n + (at[n] == ',');
	}
	return !rest->cut;
}

static const char *const kind_words[N_OPS] = {
	[OP_OVERLAY] = "overlay of", [OP_ROOT_BIND] = "root from", [OP_ROOT_SELF] = "the container's root", [OP_NEW] = "new",
	[OP_BIND] = "bind", [OP_VOLUME] = "volume", [OP_NODE] = "device", [OP_LINK] = "link to", [OP_DIR] = "directory",
	[OP_SEAL] = "seal",
};
static const struct { uint32_t flag; const char *word; } flag_names[] = {
	{ OP_RO, "ro" }, { OP_NOSUID, "nosuid" }, { OP_NODEV, "nodev" }, { OP_NOEXEC, "noexec" }, { OP_DEEP, "rbind" },
	{ OP_OPTIONAL, "optional" }, { OP_NOCOPY, "nocopy" }, { OP_CHOWN, "chown" },
};

void op_show(struct text *t, const struct op *op)
{
	const char *before = " (";

	text_put(t, kind_words[op->kind]);
	if (op->source)
		text_fmt(t, " %s", op->source);
	if (op->target)
		text_fmt(t, "%s %s", op->source ? " on" : "", op->target);
	for (size_t i = 0; i < LENGTH(flag_names); i++) {
		if (!(op->flags & flag_names[i].flag))
			continue;
		text_fmt(t, "%s%s", before, flag_names[i].word);
		before = ", ";
	}
	if (op->options && *op->options) {
		text_fmt(t, "%s%s", before, op->options);
		before = ", ";
	}
	if (*before == ',')
		text_char(t, ')');
}
