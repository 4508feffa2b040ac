/*
 * apply.h - performs a plan, on descriptors, in a mount namespace that nobody else sees.
 *
 *	site_open() site_image() site_root() site_mount()... site_enter()
 *
 * A step that fails leaves nothing behind but what the next try uses again (an
 * empty upper, a volume that is whole): the mounts go with the process.
 */
#ifndef MOUNT_APPLY_H
#define MOUNT_APPLY_H

#include <stdint.h>
#include <sys/types.h>

#include "conf/kit/text.h"
#include "conf/unit.h"
#include "mount/copy.h"
#include "mount/plan.h"

#define MAX_LAYERS 128u /* of one overlay; the kernel takes 500, but their names must fit one page */

/* A root being built. Zero it, set the first four, and descriptors to -1. Those are closed by execve. */
struct site {
	const struct table *table;
	const struct unit *unit;
	const char *runtime;  /* "/run/coppice" */
	struct owner owner;   /* of volumes with OP_CHOWN */
	int image;            /* O_PATH: the image, or RootDirectory= */
	int layers[MAX_LAYERS]; /* O_PATH: ExtraLayers=, highest first */
	uint32_t n_layers;
	int root;             /* O_PATH: the root of what is being built */
	int near;             /* O_PATH: the directory that the last entries were made in, and its path; -1 none */
	const char *near_path;
	size_t near_len;
	mode_t mask;          /* the umask that site_enter() puts back */
};

/* Each returns 0 or -errno, with what it was about and the remedy where one is known in `about`. */

/* A mount namespace of our own: what happens in it stays in it, and what the container mounts later stays out. The umask is 0
 * until site_enter(). */
int site_open(struct site *s, struct text *about);

/* Opens the image and its layers, or the directory, that the plan's first operation names. */
int site_image(struct site *s, const struct op *root, struct text *about);

/* Mounts the root. The upper is RUNTIME/upper/UNIT, or for Overlay=persistent VolumePath=/../overlays/UNIT. */
int site_root(struct site *s, const struct op *root, struct text *about);

/* Does one of the other operations. */
int site_mount(struct site *s, const struct op *op, struct text *about);

/* Makes it the root of the process; `mode` is enum root_mode. The working directory is "/" then. */
int site_enter(struct site *s, uint8_t mode, struct text *about);

/* Where nothing can be mounted (RUNG_CHROOT): the image itself becomes the root, with the plan's devices where they may be made. */
int site_chroot(struct site *s, const struct op *ops, uint32_t n, struct text *about);

#endif
