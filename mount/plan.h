/* plan.h - what a unit's root is made of: a list of operations, in order; pure. */
#ifndef MOUNT_PLAN_H
#define MOUNT_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/kit/text.h"
#include "conf/unit.h"

/* Where units find the notify socket, whatever --runtime says of ours. */
#define PLAN_RUNTIME "/run/coppice"
/* Where the copy lies, below the runtime directory (init/net/resolv.h). */
#define PLAN_RESOLV "resolv.conf"
#define PLAN_NOTIFY  PLAN_RUNTIME "/notify"

enum op_kind {
	/* the root: always the first operation, and the only one of these */
	OP_OVERLAY,   /* the image and its layers, with an upper of its own */
	OP_ROOT_BIND, /* a directory as it is: RootDirectory=, or an image without overlay */
	OP_ROOT_SELF, /* the container's own root, for mounts of a unit without image: bound, so that sources stay what they were */
	/* what goes into it */
	OP_NEW,       /* a new file system; `source` is its type */
	OP_BIND,      /* a file or directory of the container */
	OP_VOLUME,    /* a named volume */
	OP_NODE,      /* a device */
	OP_LINK,      /* a symbolic link to `source` */
	OP_DIR,       /* a directory that has to be there */
	OP_SEAL,      /* read-only from now on, as all that lies in it has been mounted */
	N_OPS
};

enum op_flag {
	OP_RO = 1u << 0, OP_NOSUID = 1u << 1, OP_NODEV = 1u << 2, OP_NOEXEC = 1u << 3, /* as ATTR_* of mount/kernel.h */
	OP_DEEP = 1u << 4,     /* with everything mounted below */
	OP_OPTIONAL = 1u << 5, /* no source, no mount */
	OP_SPARE = 1u << 6,    /* refused: go on without */
	OP_REAL = 1u << 7,     /* the target may not be reached by a link */
	OP_NOCOPY = 1u << 8,   /* a new volume stays empty */
	OP_CHOWN = 1u << 9,    /* the unit's user owns it */
	OP_LIKE = 1u << 10,    /* a new tmpfs takes mode and owner of what is there */
};

/* One operation. Texts are static, the table's or the caller's. */
struct op {
	uint8_t kind; /* enum op_kind */
	uint32_t flags;
	uint32_t line;       /* in the unit's file; 0: not from there */
	uint32_t mode;       /* OP_DIR */
	uint32_t major, minor; /* OP_NODE */
	const char *source;  /* path, file system, volume, text of a link; the root: image or directory */
	const char *target;  /* absolute path inside the root */
	const char *options; /* OP_NEW: of the file system, without flags */
};

/* Is its root another than the container's? (One with mounts alone has a namespace, and the container's root in it.) */
bool plan_wants_root(const struct unit *u);

/* How many operations plan_make() may write. */
uint32_t plan_room(const struct table *t, const struct unit *u);

/* What lies elsewhere in each container; the texts must outlive the plan. */
struct plan_places {
	const char *notify; /* our notify socket */
	const char *resolv; /* what a root gets as /etc/resolv.conf: that, or a copy of it that keeps up with a DHCP lease */
};

/*
 * The operations for a unit, in the order of doing: root first; a unit's own mounts after those
 * that every root has, parents before what lies in them, else as the file says.
 * Returns how many; plan_room() is enough.
 */
uint32_t plan_make(const struct table *t, const struct unit *u, const struct plan_places *places, struct op *into);

/*
 * Takes the flags (ro, nosuid, noexec, ...) out of mount(8) options: they come as OP_* in *flags,
 * the rest is what the file system gets. False where it does not fit.
 */
bool plan_options(const char *options, uint32_t *flags, struct text *rest);

/* "bind /etc/hosts on /etc/hosts (ro)": one operation for a reader, for messages and --dry-run. */
void op_show(struct text *t, const struct op *op);

#endif
