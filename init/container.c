/* container.c - the table of container managers, and how each is recognised. */
#include "init/container.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct { const char *word; msec_t budget; } managers[N_CONTAINERS] = {
	[CONTAINER_NONE]       = { "none",       90000 },
	[CONTAINER_OTHER]      = { "other",      90000 },
	[CONTAINER_LXC]        = { "lxc",        55000 }, /* lxc-stop and Incus wait 60 s */
	[CONTAINER_NSPAWN]     = { "nspawn",     90000 },
	[CONTAINER_DOCKER]     = { "docker",      9000 }, /* docker stop and podman stop wait 10 s */
	[CONTAINER_PODMAN]     = { "podman",      9000 },
	[CONTAINER_KUBERNETES] = { "kubernetes", 25000 }, /* terminationGracePeriodSeconds is 30 */
};

enum container container_detect(void)
{
	const char *c = getenv("container");

	/* A pod's containers carry their runtime's marks too: the pod's grace period is what counts. */
	if (getenv("KUBERNETES_SERVICE_HOST"))
		return CONTAINER_KUBERNETES;
	if (c && (!strcmp(c, "lxc") || !strcmp(c, "lxc-libvirt")))
		return CONTAINER_LXC;
	if (c && !strcmp(c, "systemd-nspawn"))
		return CONTAINER_NSPAWN;
	if ((c && !strcmp(c, "podman")) || access("/run/.containerenv", F_OK) == 0)
		return CONTAINER_PODMAN;
	if ((c && !strcmp(c, "docker")) || access("/.dockerenv", F_OK) == 0)
		return CONTAINER_DOCKER;
	return c ? CONTAINER_OTHER : CONTAINER_NONE;
}

const char *container_word(enum container c)
{
	return (unsigned)c < N_CONTAINERS ? managers[c].word : "?";
}

msec_t container_budget(enum container c)
{
	return (unsigned)c < N_CONTAINERS ? managers[c].budget : managers[CONTAINER_NONE].budget;
}
