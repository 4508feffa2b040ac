/* image.h - finds an image by name, and opens it once. */
#ifndef MOUNT_IMAGE_H
#define MOUNT_IMAGE_H

#include "conf/kit/text.h"
#include "conf/unit.h"

/*
 * Looks along ImagePath= for a bundle, NAME/rootfs/, else NAME/ itself, a root file system.
 * Returns an O_PATH descriptor of the root directory (the caller's), or -errno with `about`
 * saying what is wrong and how to mend it. -EINVAL: no name an image may have; -ENOENT: there
 * is none; -EMEDIUMTYPE: it is there, but packed.
 */
int image_open(const struct table *t, const char *name, struct text *about);

/* A layer of ExtraLayers=: an image's name, or the absolute path of a directory of the container. The same returns. */
int image_open_layer(const struct table *t, const char *layer, struct text *about);

#endif
