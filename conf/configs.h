/* configs.h - the configs of images, found along ImagePath= and read once each. */
#ifndef CONF_CONFIGS_H
#define CONF_CONFIGS_H

#include "conf/compile.h"
#include "conf/files.h"
#include "conf/oci.h"

#define MAX_CONFIGS ((size_t)64 << 20) /* bytes of all configs together */

struct config;

/* Zero it, and set what is borrowed. */
struct configs {
	struct compiler *c;
	struct buffer *buffer;
	struct config *first;  /* those read so far; in the compiler's arena */
	size_t n_bytes;
};

/*
 * What the config of `image` says, as compiler.image_says: NAME/config.json of a bundle, else
 * NAME.json beside NAME/, and NAME.env. An image that a sound .image file describes has that of its
 * lowest layer. `self` is a struct configs. NULL: there is none, or for want of memory; *fault is
 * the first error in it, where it has one.
 */
const struct oci *configs_find(void *self, const char *image, const char **fault);

/* Reads one config by its path, for the single app. 0 or -ENOMEM; what is wrong are findings. */
int configs_read(struct configs *s, const char *path, struct oci *ret);

#endif
