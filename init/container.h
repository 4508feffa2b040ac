/* container.h - whose container this is, and what that manager grants. */
#ifndef INIT_CONTAINER_H
#define INIT_CONTAINER_H

#include "conf/kit/time.h"

enum container { CONTAINER_NONE, CONTAINER_OTHER, CONTAINER_LXC, CONTAINER_NSPAWN, CONTAINER_DOCKER, CONTAINER_PODMAN,
		 CONTAINER_KUBERNETES, N_CONTAINERS };

/* Told by PID 1's environment and a few files that managers leave (CONTAINER_INTERFACE of systemd; /.dockerenv; /run/.containerenv). */
enum container container_detect(void);

/* "lxc", "docker", ...; "none" on a machine or in a bare namespace. */
const char *container_word(enum container c);

/* ShutdownTimeoutSec=auto: a little less than what this manager waits before it kills, in ms. */
msec_t container_budget(enum container c);

#endif
