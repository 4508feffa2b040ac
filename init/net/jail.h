/*
 * jail.h - takes from the network's two processes every right that they do not need, for good.
 *
 * What the kernel refuses is told once, by say(), and carried on without: in a
 * container that is unprivileged itself, that is normal.
 */
#ifndef INIT_NET_JAIL_H
#define INIT_NET_JAIL_H

#include <stdbool.h>

/*
 * The client reads what strangers send. It gets an empty root, the user 65534, no
 * capabilities, no new privileges, and only the system calls of a loop that
 * receives and sends on descriptors that are open already.
 */
void jail_client(const char *name);

/*
 * The applier keeps CAP_NET_ADMIN, and CAP_SYS_ADMIN where it is to set the host
 * name (sethostname(2)); it cannot make sockets any more, nor run programs.
 */
void jail_applier(const char *name, bool host);

#endif
