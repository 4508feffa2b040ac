/* roots.h - whether the programs and users that units name are there in their images. */
#ifndef CONF_ROOTS_H
#define CONF_ROOTS_H

#include "conf/findings.h"
#include "conf/unit.h"

/*
 * Looks into every image that is a plain directory, NAME/ or NAME/rootfs/ in
 * ImagePath=, or RootDirectory=, and adds a finding for each image, program, user
 * and group that is not there. No path is followed out of an image (openat2(2)
 * RESOLVE_IN_ROOT, Linux 5.6). Images of other forms are passed over.
 */
void roots_check(const struct table *t, struct findings *fs);

#endif
