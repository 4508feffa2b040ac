/* listen.h - is anybody listening on a TCP port, without connecting to it? */
#ifndef HEALTH_LISTEN_H
#define HEALTH_LISTEN_H

#include <stdbool.h>
#include <stdint.h>

/*
 * 1: somebody listens on the port, on any IPv4 or IPv6 address of this network
 * namespace; 0: nobody; -errno: it cannot be told. Asks the kernel by sock_diag(7),
 * and reads /proc/net/tcp and tcp6 where that is missing or forbidden. Never waits.
 */
int listen_find(uint16_t port);

/* The same, from /proc/net/tcp and tcp6 alone. */
int listen_find_in_proc(uint16_t port);

/* The same, from one such file that is open; -EBADMSG where it holds a NUL or a line of 4 KiB. Looks at 1 MiB at most. */
int listen_read(int fd, uint16_t port);

/* Is this line of /proc/net/tcp or tcp6 (proc_pid_net(5)) a listener on the port? Any text may be asked. Pure. */
bool listen_line(const char *line, uint16_t port);

#endif
