/*
 * lease.h - the client's side of DHCP as a function of messages and time (RFC 2131 section 4.4); pure.
 *
 * Every step takes the moment (CLOCK_BOOTTIME, so that sleep counts) and maybe
 * something that happened, and says what to send, what to tell the applier and
 * what to listen to. lease_next() says when to come again. All randomness comes
 * from the seed.
 *
 * What always holds, and is tested over years: no address is held when its lease
 * is over, counted from when the request was sent; nothing is asked again sooner
 * than the RFC lets us (4, 8, 16, 32, 64 s, one more or less), however
 * often links come and go and servers say no.
 *
 * An address is probed for (RFC 5227) as soon as it is offered, together with
 * the request. A conflict seen before the ACK keeps it from being used at all;
 * without one it is used at once, while two more probes go out; then it is
 * announced. A conflict seen as late as that takes the address away again.
 */
#ifndef INIT_NET_LEASE_H
#define INIT_NET_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/kit/time.h"
#include "init/net/terms.h"
#include "init/net/wire.h"

enum lease_state {
	LEASE_DOWN,       /* no link, or told to stop */
	LEASE_INIT,       /* waits until it may ask (again) */
	LEASE_SELECTING,  /* DISCOVER sent; the first sound offer is taken */
	LEASE_REQUESTING, /* of one server */
	LEASE_REBOOTING,  /* asked whether an earlier address is still ours */
	LEASE_BOUND, LEASE_RENEWING, LEASE_REBINDING,
	N_LEASE_STATES
};

/* "bound": for messages. */
const char *lease_word(enum lease_state s);

enum lease_send { SEND_NONE, SEND_BROADCAST, SEND_SERVER, SEND_ARP };
enum lease_order { ORDER_NONE, ORDER_APPLY, ORDER_DROP };
enum lease_listen { LISTEN_NONE, LISTEN_DHCP, LISTEN_ALL /* ARP, too */, N_LISTENS };

/* What happened, for a line in the log. */
enum lease_news { NEWS_NONE, NEWS_OFFERED, NEWS_TOO_LATE, NEWS_REFUSED, NEWS_BOUND, NEWS_RENEWED, NEWS_NAK, NEWS_CONFLICT,
		  NEWS_EXPIRED, NEWS_RELEASED, NEWS_SILENCE, NEWS_MOVED, N_LEASE_NEWS };

struct lease_packet {
	uint8_t how;      /* enum lease_send */
	ip4_t from, to;   /* SEND_SERVER: by UDP, as the kernel routes it */
	uint32_t n;       /* a DHCP message, or, SEND_ARP, an ARP one */
	uint8_t bytes[WIRE_DHCP];
};

/* What one step asks for; do it in this order: packets, order. */
struct lease_work {
	struct lease_packet packets[2];
	uint32_t n_packets;
	uint8_t order;    /* enum lease_order: the machine's `held` is to be there, or nothing */
	uint8_t listen;   /* enum lease_listen, from now on */
	uint8_t news;     /* enum lease_news */
	bool forget;      /* a saved lease is worth nothing any more */
	ip4_t about, server; /* of the news */
	const char *why;  /* NEWS_REFUSED: static text; NEWS_NAK: the server's words, valid until the message is gone */
};

struct lease_machine {
	uint64_t random;
	enum lease_state state;
	uint8_t mac[6];
	uint16_t mtu;         /* of the link */
	char host[NAME_SIZE]; /* what we call ourselves to the server; "" nothing */
	uint32_t xid, tries, setbacks;
	uint16_t secs;        /* of the last DISCOVER */
	msec_t began;         /* when we began to ask, for `secs` */
	msec_t asked;         /* when the request went out that is answered by this xid */
	msec_t next;          /* when this state has more to do */
	msec_t discover_after, reboot_after; /* not sooner, whatever happens */
	bool broadcast;       /* a silent net: ask for answers by broadcast */
	bool fresh;           /* INIT: the link has come, and nothing was asked yet */
	ip4_t wanted;         /* the address asked for, as a hint or by right */
	struct lease offer;   /* REQUESTING: what is asked for */
	/* what we hold; independent of the state: it outlives a link that comes and goes */
	bool holding;
	struct lease held;
	msec_t t1, t2, until;
	/* a lease from an earlier life, not held */
	ip4_t before;         /* 0 none */
	msec_t before_until;
	/* the search for others with our address */
	ip4_t probed;         /* 0: no search */
	uint32_t probes;      /* sent so far, announcements counted on */
	msec_t probe_next;
	bool conflict;
};

/* Zero randomness is fine for tests. `host` may be NULL. Begins in LEASE_DOWN. */
void lease_begin(struct lease_machine *m, uint64_t seed, const char *host);
/* A lease from an earlier life with `left` ms to go; `live`: its address is still set. To be said before the link is. */
void lease_remember(struct lease_machine *m, msec_t now, const struct lease *l, msec_t left, bool live);
/*
 * The link came, went, or is another one (its address changed). `just`: it came this
 * very moment, and its other end may need another to take notice.
 */
void lease_link(struct lease_machine *m, msec_t now, bool up, bool just, const uint8_t mac[6], uint16_t mtu,
		struct lease_work *ret);
/* The time that lease_next() named has come; too early is fine. */
void lease_time(struct lease_machine *m, msec_t now, struct lease_work *ret);
/* A message came. True where it was ours to read: the right transaction, address and type for this state. */
bool lease_heard(struct lease_machine *m, msec_t now, const struct dhcp *d, struct lease_work *ret);
/* An ARP packet came. */
void lease_heard_arp(struct lease_machine *m, msec_t now, const struct arp *a, struct lease_work *ret);
/* Gives the address back, where it is held and `release` is true, and rests. */
void lease_stop(struct lease_machine *m, msec_t now, bool release, struct lease_work *ret);

/* When lease_time() is to be called; FOREVER where only news can help. */
msec_t lease_next(const struct lease_machine *m);

#endif
