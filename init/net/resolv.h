/*
 * resolv.h - one resolv.conf from what all interfaces know.
 *
 * Each interface's process writes what it knows into its slot of a shared file,
 * and makes resolv.conf anew from all slots. Every text is looked at again on the
 * way out, so that no line can hold anything but addresses and names.
 */
#ifndef INIT_NET_RESOLV_H
#define INIT_NET_RESOLV_H

#include <stdint.h>

#include "conf/kit/text.h"
#include "init/net/net.h"

struct resolv_slot {
	uint32_t n_dns;
	char dns[MAX_NAMESERVERS][NAMESERVER_SIZE];
	char search[NAME_SIZE];
};

/* The first line of a file that is ours. */
#define RESOLV_MARK "# Made by coppice, which will write it again. Take this line out and it never will.\n"

/*
 * Makes RUNTIME/resolv.conf, which units with an image see as their /etc/resolv.conf: what is replaced
 * atomically is another file afterwards, and a root that was built before would keep the old one. It follows
 * `path` from then on (resolv_write). Only where `path` is ours or missing; else none is made. Reads at most 4 KiB.
 */
void resolv_share(const char *runtime, const char *path);

/* The file's text from all slots, in their order, nothing twice. Any bytes may stand in the slots. Pure. */
void resolv_text(const struct resolv_slot slots[MAX_NETS], struct text *out);

/*
 * Writes the slot and then the file, under a lock. 0 written; 1 it was left alone,
 * because somebody else made it; -errno. A file that is missing or empty counts as
 * ours. It is replaced atomically, or, where it is mounted on, written in place.
 */
int resolv_write(const char *runtime, const char *path, uint32_t slot, const struct resolv_slot *s);

#endif
