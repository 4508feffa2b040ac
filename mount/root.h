/* root.h - how much of a root the kernel lets us give a unit: a ladder, tried once at boot. */
#ifndef MOUNT_ROOT_H
#define MOUNT_ROOT_H

/* Best first. Kept in shared state: numbers stay. */
enum rung {
	RUNG_FULL,   /* mount namespaces, overlays, pivot_root */
	RUNG_CHROOT, /* chroot into the image, which is shared and written to; no mounts */
	RUNG_NONE,   /* only the container's own root */
	N_RUNGS
};

/*
 * Tries what the rungs need, for real. Only for a process that is thrown away: it ends up in a
 * mount namespace of its own, with another root. Needs no memory; leaves nothing behind.
 */
enum rung rung_probe(void);

/* One sentence without a full stop: what is lost on this rung, and the remedy; "" for RUNG_FULL. Static. */
const char *rung_lost(enum rung r);

#endif
