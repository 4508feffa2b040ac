/* images.c - where images lie and in which form, in one directory of ImagePath=. */
#include "conf/images.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "conf/kit/own.h"
#include "conf/kit/text.h"

/* Forms that an image may be packed in. */
static const char *const packed[] = { ".squashfs", ".erofs", ".img", ".tar" };

/* The file that marks an OCI layout. */
static const char layout_mark[] = "oci-layout";

#define LONGEST_SUFFIX 12u

bool image_has(int at, const char *name)
{
	struct stat st;

	return fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool image_name_fits(const char *name)
{
	size_t n = strlen(name);

	return n && n + LONGEST_SUFFIX <= NAME_MAX && *name != '.' && !strchr(name, '/');
}

static int look_packed(int images, const char *name, struct image_place *ret)
{
	char file[NAME_MAX + 1];

	for (size_t i = 0; i < sizeof(packed) / sizeof(packed[0]); i++) {
		struct text t = TEXT(file);

		text_put(&t, name);
		text_put(&t, packed[i]);
		if (t.cut || !image_has(images, file))
			continue;
		*ret = (struct image_place){ .form = IMAGE_PACKED, .dir = -1, .suffix = packed[i] };
		return 0;
	}
	return -ENOENT;
}

int image_look(int images, const char *name, struct image_place *ret)
{
	owned_fd dir = openat(images, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	enum image_form form = IMAGE_ROOT;

	if (dir < 0)
		return errno == ENOENT ? look_packed(images, name, ret) : -errno;
	if (image_has(dir, layout_mark))
		form = IMAGE_LAYOUT;
	/* A bundle, or one whose config.json was left out; but a root file system may have a /rootfs of its own. */
	else if (image_has(dir, "rootfs") && (image_has(dir, "config.json") || (!image_has(dir, "bin") && !image_has(dir, "usr"))))
		form = IMAGE_BUNDLE;
	*ret = (struct image_place){ .form = form, .dir = take_fd(&dir) };
	return 0;
}
