/*
 * dhcp.h - the client: the lease machine with a packet socket, a clock, and nothing else.
 *
 * It trusts the applier, which alone talks to it, and nobody else. The applier
 * does not trust it.
 */
#ifndef INIT_NET_DHCP_H
#define INIT_NET_DHCP_H

#include <stdint.h>

struct dhcp_setup {
	const char *name;   /* of the interface, for messages */
	const char *host;   /* what to call ourselves, "" nothing */
	int applier;        /* SOCK_SEQPACKET */
	uint64_t seed;
};

/* Opens its sockets, gives up all rights, and lives until the applier has gone, or says stop. An exit code. */
int dhcp_main(const struct dhcp_setup *setup);

#endif
