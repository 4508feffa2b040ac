/*
 * net.h - one interface's network: what PID 1 forks for each [Network] section, and what it hears of it.
 *
 *   PID 1 --- applier (CAP_NET_ADMIN) --- client (nothing but a packet socket)
 *
 * PID 1 runs net_main() in a child of its own, over a SOCK_SEQPACKET pair: from it
 * come struct net_tell, to it may go struct net_ask. The child is the applier;
 * where DHCP is wanted it forks the client, drops what it does not need, and from
 * then on re-checks whatever the client says before it touches the kernel.
 */
#ifndef INIT_NET_NET_H
#define INIT_NET_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/kit/text.h"
#include "conf/kit/time.h"
#include "conf/unit.h"
#include "init/net/link.h"
#include "init/net/names.h"

#define MAX_NETS      16u
#define MAX_ADDRESSES 4u
#define MAX_NAMESERVERS 6u
#define NAMESERVER_SIZE 46u /* INET6_ADDRSTRLEN */

/* One [Network] section. Fixed size, no pointers but paths that outlive it. */
struct net_setup {
	char name[LINK_NAME];
	msec_t wait_online;    /* how long boot may wait for this one; FOREVER for ever */
	const char *state_dir; /* "/var/lib/coppice": the lease is kept here as lease-NAME */
	const char *runtime;   /* "/run/coppice": what the interfaces know of name servers is shared here */
	const char *resolv;    /* "/etc/resolv.conf" */
	int log;               /* where say() goes; 2 where there is no better one */
	uint32_t slot;         /* its place among the sections: 0 to MAX_NETS - 1; no two alike */
	uint32_t metric;       /* of all its routes; 0: 1000 and the interface's index, so that no static route loses against it */
	uint32_t n_addresses;
	struct { ip4_t local; uint32_t bits; } addresses[MAX_ADDRESSES];
	ip4_t gateway;
	uint32_t n_dns;
	bool dhcp, use_dns, use_routes, use_mtu, use_hostname, send_hostname, no_prefix_route;
	bool release;          /* the end of the socket means: give the lease back. Else it stays for the next one to take up */
	bool alone;            /* whoever started us becomes another program: the end of the socket means nothing */
	char dns[MAX_NAMESERVERS][NAMESERVER_SIZE];
	char search[NAME_SIZE];
};

/*
 * Reads one list of house.networks. Returns 0, or -EINVAL where something of it
 * could not be used: then `why` has a line for each ("coppice.conf: [Network]:
 * Gateway=: ..."), and the rest stands. Pure.
 */
int net_setup_of(const struct table *t, list_at list, struct net_setup *ret, struct text *why);
/* All of them, in order, with their slots; at most MAX_NETS. How many there are. Pure. */
uint32_t net_setups(const struct table *t, struct net_setup ret[MAX_NETS], struct text *why);

enum net_state { NET_ABSENT, /* no such interface */ NET_DOWN, NET_UP /* it has an address */, N_NET_STATES };

/* Said once at the start, and whenever it changes. Boot need not wait for NET_ABSENT. */
struct net_tell {
	uint32_t index;        /* of the interface, 0 absent */
	uint8_t state;         /* enum net_state */
	uint8_t default_route; /* 1: a default route leaves through it, whosever it is */
	uint8_t left_alone;    /* 1: somebody else set it up, or it is not for DHCP: nothing more is to come */
	uint8_t spare;
};

/* From PID 1, at any time: what the end of the socket shall mean. */
struct net_ask {
	uint32_t release; /* 1 or 0, as net_setup.release */
};

/*
 * The child's life. Takes over the process: closes descriptors, gives up
 * privileges, sets the name. Ends with exit code 0 after `sock` has closed, 1 when
 * it cannot go on (the client is gone): start it again after a while, it takes up
 * where it was.
 */
int net_main(int sock, const struct net_setup *setup);

#endif
