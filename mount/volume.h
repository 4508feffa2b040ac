/* volume.h - named volumes: directories of the container that outlive units. */
#ifndef MOUNT_VOLUME_H
#define MOUNT_VOLUME_H

#include <stdbool.h>

#include "conf/kit/text.h"
#include "mount/copy.h"

/*
 * Opens the volume `name` below `volumes` (VolumePath=, which is made where it is missing). A new
 * one is made as `model` is, content and all (a descriptor of the image's directory at the mount
 * point), or empty and 0755 where `model` is -1; it comes into being whole or not at all, however
 * many units start at once. An existing volume is left as it is, but for the owner of its top
 * directory where `owner` says so. An O_PATH descriptor (the caller's) or -errno with `about`.
 */
int volume_open(const char *volumes, const char *name, int model, const struct owner *owner, struct text *about);

#endif
