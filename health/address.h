/* address.h - where a probe connects to, and whether it got there. */
#ifndef HEALTH_ADDRESS_H
#define HEALTH_ADDRESS_H

#include <stdint.h>
#include <sys/socket.h>

/*
 * The `which`th address to try for a host: the one it spells ("127.0.0.2", "::1",
 * "[::1]", each with or without ":port" where that is clear), else 127.0.0.1 and
 * then ::1. A name is no address here: checks are of this container, whose parts
 * are all on loopback, and nothing is looked up. Returns the address's size in
 * bytes, 0 where there is none more. Pure.
 */
socklen_t address_of(const char *host, uint16_t port, unsigned which, struct sockaddr_storage *ret);

/*
 * 0: the socket is connected to somebody; -ENOTCONN: to nobody (yet); -ECONNREFUSED: to
 * itself. On loopback that happens: the port that the kernel chose for our end is
 * the very one we ask for (RFC 9293 section 3.5, simultaneous open).
 */
int address_reached(int fd);

#endif
