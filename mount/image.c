/* image.c - the search along ImagePath=, with the reason where nothing was found. */
#include "mount/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "conf/images.h"
#include "conf/kit/own.h"
#include "mount/inside.h"
#include "mount/kernel.h"

static int open_dir(int at, const char *name)
{
	int fd = openat(at, name, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* The image of that name in one directory; -ENOENT where there is none. */
static int open_here(int images, const char *name, struct text *about)
{
	struct image_place place = { .dir = -1 };
	int rc = image_look(images, name, &place);

	if (rc < 0)
		return rc;

	owned_fd dir = place.dir;

	if (place.form == IMAGE_PACKED) {
		text_fmt(about, "image \"%.40s\" is packed as %s; unpack it into a directory %.40s", name, place.suffix, name);
		return -EMEDIUMTYPE;
	}
	if (place.form == IMAGE_LAYOUT) {
		text_fmt(about, "image \"%.40s\" is an OCI layout; unpack it into a root file system", name);
		return -EMEDIUMTYPE;
	}
	if (place.form == IMAGE_BUNDLE) {
		/* A link in the bundle could lead anywhere. */
		int root = kernel_open(dir, "rootfs", O_PATH | O_DIRECTORY, 0, IN_ROOT | IN_NO_MAGIC);

		if (root != -ENOENT)
			return root;
	}
	return take_fd(&dir);
}

static void say_missing(const struct table *t, const char *name, struct text *about)
{
	const struct house *h = &t->house;

	text_fmt(about, "no image \"%.40s\" in ", name);
	for (uint32_t i = 0; i < list_count(t, h->image_paths); i++)
		text_fmt(about, "%s%.60s", i ? ", " : "", table_text(t, list_item(t, h->image_paths, i)));
	text_put(about, "; put a root file system there");
}

int image_open(const struct table *t, const char *name, struct text *about)
{
	const struct house *h = &t->house;

	if (!inside_name_ok(name)) {
		text_put(about, "\"");
		text_shown(about, name, strlen(name), 40);
		text_put(about, "\" is no image's name; it is one word without \"/\", not beginning with \".\"");
		return -EINVAL;
	}
	for (uint32_t i = 0; i < list_count(t, h->image_paths); i++) {
		const char *path = table_text(t, list_item(t, h->image_paths, i));
		owned_fd images = open_dir(AT_FDCWD, path);
		int rc = images < 0 ? images : open_here(images, name, about);

		if (rc >= 0 || rc == -EMEDIUMTYPE)
			return rc;
		if (rc != -ENOENT && rc != -ENOTDIR) {
			text_fmt(about, "image \"%.40s\" in %.60s", name, path);
			return rc;
		}
	}
	say_missing(t, name, about);
	return -ENOENT;
}

int image_open_layer(const struct table *t, const char *layer, struct text *about)
{
	if (layer[0] != '/')
		return image_open(t, layer, about);

	int fd = kernel_open(AT_FDCWD, layer, O_PATH | O_DIRECTORY, 0, IN_NO_MAGIC);

	if (fd < 0)
		text_fmt(about, "layer %.100s", layer);
	return fd;
}
