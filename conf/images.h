/* images.h - where images lie and in which form, in one directory of ImagePath=: the one home of that search. */
#ifndef CONF_IMAGES_H
#define CONF_IMAGES_H

#include <stdbool.h>

enum image_form {
	IMAGE_ROOT,   /* NAME/ is a root file system */
	IMAGE_BUNDLE, /* NAME/rootfs/ is (OCI runtime-spec, bundle.md) */
	IMAGE_LAYOUT, /* NAME/ is an OCI layout (OCI image-spec, image-layout.md): it has to be unpacked first */
	IMAGE_PACKED, /* NAME.squashfs and its like: so has it */
};

struct image_place {
	enum image_form form;
	int dir;            /* O_PATH, of NAME/, the caller's to close; -1 where it is packed */
	const char *suffix; /* of a packed one: ".squashfs". Static */
};

/*
 * Looks for NAME in `images`, a descriptor of a directory. 0; -ENOENT: it is not there; else -errno.
 * A link is followed: it is the operator's, who may keep images elsewhere; the name alone cannot
 * lead out, for it must be one path component.
 */
int image_look(int images, const char *name, struct image_place *ret);

/* Something of that name lies in the directory `at`; a link is not followed. */
bool image_has(int at, const char *name);

/* One path component, not hidden, and short enough for every suffix. */
bool image_name_fits(const char *name);

#endif
