/* dhcp.c - moves packets between the wire and the lease machine, and tells people what happened. */
#include "init/net/dhcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "conf/kit/say.h"
#include "conf/kit/sys.h"
#include "conf/kit/text.h"
#include "init/net/jail.h"
#include "init/net/order.h"

#define MOST_PACKET 2048
#define BURST       64          /* packets read before anything else is looked at */
#define WINDOW      100         /* ms; in one there are */
#define IN_WINDOW   128         /* packets at most: what is beyond that waits in the socket, or is lost there */
#define ROOM        (64 * 1024) /* bytes in the socket */

/* Who sent it, for the count: the lease machine's own reasons come after those of the wire. */
enum { IGNORED_STRANGER = N_WIRE_FAULTS, N_IGNORED };

static struct client {
	const char *name;
	int applier, packet, udp, timer;
	struct lease_machine machine;
	uint32_t index;      /* of the interface, 0 not yet */
	int listening;       /* enum lease_listen, -1 nothing yet */
	msec_t armed;        /* what the timer is set to */
	msec_t window;       /* when this window ends */
	uint32_t in_window;
	uint32_t told, told_xid; /* bits of enum lease_news: said once in each transaction */
	uint32_t ignored[N_IGNORED];
	bool over;
} client;

/* ---- sockets ---- */

/*
 * What the kernel lets through (from the network header on): untagged packets that
 * are for us; IPv4, UDP, whole, to port 68 from 67, a BOOTP reply with its cookie;
 * ARP for Ethernet and IPv4. The rest is never copied, nor are we woken.
 */
#define AD(what)    (uint32_t)(SKF_AD_OFF + (what))
#define LD(size, k) { BPF_LD | (size) | BPF_ABS, 0, 0, (k) }
#define LDI(size, k) { BPF_LD | (size) | BPF_IND, 0, 0, (k) }
#define JEQ(k, yes, no) { BPF_JMP | BPF_JEQ | BPF_K, (yes), (no), (k) }
#define JGE(k, yes, no) { BPF_JMP | BPF_JGE | BPF_K, (yes), (no), (k) }
#define JSET(k, yes, no) { BPF_JMP | BPF_JSET | BPF_K, (yes), (no), (k) }
#define RET(k)      { BPF_RET | BPF_K, 0, 0, (k) }

static const struct sock_filter filter[] = {
	/*  0 */ LD(BPF_W, AD(SKF_AD_VLAN_TAG_PRESENT)),
	/*  1 */ JEQ(0, 0, 24),
	/*  2 */ LD(BPF_W, AD(SKF_AD_PKTTYPE)),
	/*  3 */ JGE(PACKET_OTHERHOST, 22, 0),
	/*  4 */ LD(BPF_W, AD(SKF_AD_PROTOCOL)),
	/*  5 */ JEQ(ETH_P_ARP, 15, 0),
	/*  6 */ JEQ(ETH_P_IP, 0, 19),
	/*  7 */ LD(BPF_B, 9),
	/*  8 */ JEQ(17, 0, 17),
	/*  9 */ LD(BPF_H, 6),
	/* 10 */ JSET(0x3fff, 15, 0),
	/* 11 */ { BPF_LDX | BPF_B | BPF_MSH, 0, 0, 0 },
	/* 12 */ LDI(BPF_H, 2),
	/* 13 */ JEQ(DHCP_CLIENT_PORT, 0, 12),
	/* 14 */ LDI(BPF_H, 0),
	/* 15 */ JEQ(DHCP_SERVER_PORT, 0, 10),
	/* 16 */ LDI(BPF_B, 8),
	/* 17 */ JEQ(2, 0, 8),
	/* 18 */ LDI(BPF_W, 8 + 236),
	/* 19 */ JEQ(0x63825363, 0, 6),
	/* 20 */ RET(MOST_PACKET),
	/* 21 */ LD(BPF_W, 0),
	/* 22 */ JEQ(0x00010800, 0, 3),
	/* 23 */ LD(BPF_H, 4),
	/* 24 */ JEQ(0x0604, 0, 1),
	/* 25 */ RET(WIRE_ARP),
	/* 26 */ RET(0),
};

/* Receives nothing until bind(2) says from where. */
static int open_packet(void)
{
	static const int yes = 1, room = ROOM;
	const struct sock_fprog program = { .len = sizeof(filter) / sizeof(filter[0]), .filter = (struct sock_filter *)(uintptr_t)filter };
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	/* Locked: whoever takes over this process cannot listen to more than this. */
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &yes, sizeof(yes)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &yes, sizeof(yes)) < 0) {
		int e = errno;

		(void)close(fd);
		return -e;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	return fd;
}

/*
 * For requests to one server, which the kernel routes as it routes everything. It
 * never receives: answers come by the packet socket. But without it the kernel
 * would answer them with "port unreachable".
 */
static int open_udp(void)
{
	static const int yes = 1;
	static const struct sock_filter nothing[] = { RET(0) };
	const struct sock_fprog program = { .len = 1, .filter = (struct sock_filter *)(uintptr_t)nothing };
	const struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(DHCP_CLIENT_PORT) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &yes, sizeof(yes)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 || /* one for each interface */
	    bind(fd, (const struct sockaddr *)&here, sizeof(here)) < 0) {
		int e = errno;

		(void)close(fd);
		return -e;
	}
	return fd;
}

/* Only what the state can use: while bound, nothing that is on the wire wakes us. */
static void listen_to(struct client *c, int what)
{
	/* LOOPBACK (0x9000) stands for nothing: no filter of ours lets it through. */
	static const uint16_t protocols[N_LISTENS] = { [LISTEN_NONE] = ETH_P_LOOPBACK, [LISTEN_DHCP] = ETH_P_IP, [LISTEN_ALL] = ETH_P_ALL };
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)c->index };
	uint8_t stale[1];

	if (!c->index || c->listening == what)
		return;
	to.sll_protocol = htons(protocols[what]);
	if (bind(c->packet, (const struct sockaddr *)&to, sizeof(to)) < 0) {
		say(SAY_WARNING, "%s: cannot listen: %s", c->name, strerror(errno));
		return;
	}
	if (what == LISTEN_NONE)
		while (recv(c->packet, stale, sizeof(stale), MSG_DONTWAIT) >= 0)
			continue;
	c->listening = what;
}

/* ---- sending ---- */

static int send_link(struct client *c, uint16_t protocol, const uint8_t *bytes, size_t n)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)c->index, .sll_halen = 6 };

	to.sll_protocol = htons(protocol);
	memset(to.sll_addr, 0xff, 6);
	return sendto(c->packet, bytes, n, 0, (const struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
}

static int send_server(struct client *c, const struct lease_packet *p)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(DHCP_SERVER_PORT) };
	struct in_pktinfo by = { .ipi_ifindex = (int)c->index };
	_Alignas(struct cmsghdr) uint8_t room[CMSG_SPACE(sizeof(by))] = { 0 };
	struct iovec io = { .iov_base = (void *)(uintptr_t)p->bytes, .iov_len = p->n };
	struct msghdr m = { .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &io, .msg_iovlen = 1,
			    .msg_control = room, .msg_controllen = sizeof(room) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&m);

	to.sin_addr.s_addr = htonl(p->to);
	by.ipi_spec_dst.s_addr = htonl(p->from);
	head->cmsg_level = IPPROTO_IP;
	head->cmsg_type = IP_PKTINFO;
	head->cmsg_len = CMSG_LEN(sizeof(by));
	memcpy(CMSG_DATA(head), &by, sizeof(by));
	return c->udp < 0 ? -EBADF : sendmsg(c->udp, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void send_packet(struct client *c, const struct lease_packet *p)
{
	uint8_t frame[WIRE_UDP + WIRE_DHCP];
	int e = 0;

	switch (p->how) {
	case SEND_ARP:
		e = send_link(c, ETH_P_ARP, p->bytes, p->n);
		break;
	case SEND_BROADCAST:
		memcpy(frame + WIRE_UDP, p->bytes, p->n);
		e = send_link(c, ETH_P_IP, frame, wire_put_udp(frame, p->from, p->to, p->n));
		break;
	default:
		e = send_server(c, p);
		break;
	}
	/* The machine asks again by itself; a link that goes down between two looks is no news. */
	if (e < 0 && e != -ENETDOWN && e != -ENOBUFS && e != -EAGAIN && e != -ENXIO)
		say(SAY_DEBUG, "%s: could not send: %s", c->name, strerror(-e));
}

/* ---- telling ---- */

static void put_ip4(struct text *t, ip4_t a)
{
	text_fmt(t, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

static uint32_t ignored(const struct client *c)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < N_IGNORED; i++)
		n += c->ignored[i];
	return n;
}

/* "; 3 packets were ignored: 2 a wrong UDP checksum, 1 not for us", and forgets them. */
static void put_ignored(struct client *c, struct text *t)
{
	const char *between = ": ";

	if (!ignored(c))
		return;
	text_fmt(t, "; %u packets were ignored", ignored(c));
	for (uint32_t i = 0; i < N_IGNORED; i++) {
		if (!c->ignored[i])
			continue;
		text_fmt(t, "%s%u %s", between, c->ignored[i], i == IGNORED_STRANGER ? "not meant for us now" : wire_words((enum wire_fault)i));
		between = ", ";
	}
	memset(c->ignored, 0, sizeof(c->ignored));
}

static void tell(struct client *c, const struct lease_work *w)
{
	static const struct { const char *words; enum level level; bool server, once; } all[N_LEASE_NEWS] = {
		[NEWS_OFFERED]  = { "is offered", SAY_DEBUG, true, true },
		[NEWS_TOO_LATE] = { "is offered too, but another server was first", SAY_INFO, true, true },
		[NEWS_REFUSED]  = { "is not taken", SAY_WARNING, true, true },
		[NEWS_BOUND]    = { "is ours", SAY_INFO, true, false },
		[NEWS_RENEWED]  = { "stays ours", SAY_DEBUG, true, false },
		[NEWS_NAK]      = { "is not ours, says the server", SAY_WARNING, true, false },
		[NEWS_CONFLICT] = { "is used by somebody else; the server is told", SAY_WARNING, true, false },
		[NEWS_EXPIRED]  = { "is taken away: its lease is over and no server renewed it", SAY_WARNING, true, false },
		[NEWS_RELEASED] = { "is given back", SAY_INFO, true, false },
		[NEWS_SILENCE]  = { "no DHCP server answers; asking on", SAY_WARNING, false, false },
		[NEWS_MOVED]    = { "is left: the interface has another hardware address", SAY_INFO, false, false },
	};
	char line[512];
	struct text t = TEXT(line);

	if (!w->news || w->news >= N_LEASE_NEWS)
		return;
	if (c->told_xid != c->machine.xid) {
		c->told_xid = c->machine.xid;
		c->told = 0;
	}
	if (all[w->news].once && c->told & 1u << w->news)
		return;
	c->told |= 1u << w->news;
	text_put(&t, c->name);
	text_put(&t, ": ");
	if (w->about) {
		put_ip4(&t, w->about);
		if (w->order == ORDER_APPLY)
			text_fmt(&t, "/%u", c->machine.held.bits);
		text_char(&t, ' ');
	}
	text_put(&t, all[w->news].words);
	if (all[w->news].server && w->server) {
		text_put(&t, " (server ");
		put_ip4(&t, w->server);
		text_char(&t, ')');
	}
	if (w->order == ORDER_APPLY) {
		text_put(&t, " for ");
		text_span(&t, c->machine.held.seconds == LEASE_INFINITE ? FOREVER : (msec_t)c->machine.held.seconds * 1000);
		put_ignored(c, &t);
	}
	if (w->why && *w->why) {
		text_put(&t, ": ");
		text_put(&t, w->why);
	}
	say(all[w->news].level, "%s", line);
}

/* ---- doing ---- */

static void obey(struct client *c, const struct lease_work *w)
{
	struct order o;

	listen_to(c, w->listen);
	for (uint32_t i = 0; i < w->n_packets; i++)
		send_packet(c, &w->packets[i]);
	tell(c, w);
	if (w->order == ORDER_NONE && !w->forget)
		return;
	memset(&o, 0, sizeof(o));
	o.kind = w->order;
	o.forget = w->forget;
	if (w->order == ORDER_APPLY) {
		o.lease = c->machine.held;
		o.left = c->machine.until == FOREVER ? FOREVER : c->machine.until - sys_now();
	}
	/* The applier is never behind by much; if it is gone, so are we. */
	if (sys_send(c->applier, &o, sizeof(o), NULL, 0) < 0)
		c->over = true;
}

static void arm(struct client *c)
{
	msec_t next = lease_next(&c->machine);
	struct itimerspec at = { 0 };

	if (next == c->armed)
		return;
	c->armed = next;
	if (next != FOREVER) {
		at.it_value.tv_sec = (time_t)(next / 1000);
		at.it_value.tv_nsec = (long)(next % 1000) * 1000000;
		if (next <= 0)
			at.it_value.tv_nsec = 1;
	}
	(void)timerfd_settime(c->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

/* ---- hearing ---- */

static void hear_dhcp(struct client *c, const uint8_t *at, size_t n, bool sums, struct lease_work *w)
{
	const uint8_t *payload = NULL;
	size_t size = 0;
	struct dhcp d;
	enum wire_fault f = wire_udp(at, n, sums, &payload, &size);

	if (f == WIRE_SOUND)
		f = wire_dhcp(payload, size, &d);
	if (f != WIRE_SOUND) {
		c->ignored[f]++;
		return;
	}
	if (!lease_heard(&c->machine, sys_now(), &d, w))
		c->ignored[IGNORED_STRANGER]++;
	obey(c, w);
}

/* One packet off the socket; false where there is none. */
static bool hear_one(struct client *c, struct lease_work *w)
{
	static uint8_t bytes[MOST_PACKET];
	_Alignas(struct cmsghdr) uint8_t room[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	struct sockaddr_ll from = { 0 };
	struct iovec io = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &io, .msg_iovlen = 1,
			    .msg_control = room, .msg_controllen = sizeof(room) };
	ssize_t n = recvmsg(c->packet, &m, MSG_DONTWAIT);
	bool sums = true;
	struct arp a;

	if (n < 0)
		return errno == EINTR || errno == ENETDOWN; /* said once when the link goes down */
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h)) {
		struct tpacket_auxdata aux;

		if (h->cmsg_level != SOL_PACKET || h->cmsg_type != PACKET_AUXDATA || h->cmsg_len < CMSG_LEN(sizeof(aux)))
			continue;
		memcpy(&aux, CMSG_DATA(h), sizeof(aux));
		sums = !(aux.tp_status & TP_STATUS_CSUMNOTREADY);
	}
	if (from.sll_ifindex != (int)c->index)
		return true; /* from before the interface was another */
	if (from.sll_protocol == htons(ETH_P_IP)) {
		hear_dhcp(c, bytes, (size_t)n, sums, w);
	} else if (from.sll_protocol == htons(ETH_P_ARP) && wire_arp(bytes, (size_t)n, &a)) {
		lease_heard_arp(&c->machine, sys_now(), &a, w);
		obey(c, w);
	}
	return true;
}

/* Takes at most so many packets in a window; then the socket is left alone until the next. */
static void hear(struct client *c, struct lease_work *w)
{
	for (int i = 0; i < BURST && c->in_window < IN_WINDOW && !c->over; i++) {
		if (!hear_one(c, w))
			return;
		c->in_window++;
	}
}

static void hear_word(struct client *c, struct lease_work *w)
{
	struct word word;
	ssize_t n = sys_recv(c->applier, &word, sizeof(word), NULL, NULL);

	if (n == -EAGAIN)
		return;
	if (n != (ssize_t)sizeof(word)) {
		c->over = true;
		return;
	}
	switch (word.kind) {
	case WORD_SAVED:
		lease_remember(&c->machine, sys_now(), &word.lease, word.left, word.live);
		break;
	case WORD_LINK:
		if (word.up && word.index != c->index) {
			c->index = word.index;
			c->listening = -1;
		}
		lease_link(&c->machine, sys_now(), word.up, word.just, word.mac, (uint16_t)(word.mtu > UINT16_MAX ? UINT16_MAX : word.mtu), w);
		obey(c, w);
		break;
	default:
		lease_stop(&c->machine, sys_now(), word.release, w);
		for (uint32_t i = 0; i < w->n_packets; i++)
			send_packet(c, &w->packets[i]);
		/* Whoever has to be asked for the server's hardware address first needs ours for the answer. */
		if (w->n_packets)
			(void)poll(NULL, 0, 20);
		w->n_packets = 0;
		obey(c, w);
		c->over = true;
		break;
	}
}

static void turn(struct client *c, struct lease_work *w)
{
	struct pollfd p[] = {
		{ .fd = c->applier, .events = POLLIN },
		{ .fd = c->timer, .events = POLLIN },
		{ .fd = c->packet, .events = POLLIN },
	};
	bool full = c->in_window >= IN_WINDOW;
	msec_t left = c->window - sys_now();
	uint64_t count;

	if (left <= 0 || left > WINDOW) {
		c->window = sys_now() + WINDOW;
		c->in_window = 0;
		full = false;
	}
	if (full)
		p[2].fd = -1;
	arm(c);
	if (poll(p, 3, full ? (int)left : -1) < 0)
		return;
	if (p[0].revents)
		hear_word(c, w);
	if (p[1].revents) {
		(void)sys_read(c->timer, &count, sizeof(count));
		c->armed = -1;
	}
	if (!c->over && sys_now() >= lease_next(&c->machine)) {
		lease_time(&c->machine, sys_now(), w);
		obey(c, w);
	}
	if (p[2].revents)
		hear(c, w);
}

int dhcp_main(const struct dhcp_setup *setup)
{
	static struct lease_work work; /* not on the stack only for its size */
	struct client *c = &client;

	c->name = setup->name;
	c->applier = setup->applier;
	c->listening = -1;
	c->armed = -1;
	c->packet = open_packet();
	c->udp = open_udp();
	c->timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (c->packet < 0 || c->timer < 0) {
		say(SAY_ERROR, "%s: no packet socket, so no DHCP: %s; the container needs CAP_NET_RAW", c->name,
		    strerror(c->packet < 0 ? -c->packet : errno));
		return 1;
	}
	if (c->udp < 0)
		say(SAY_WARNING, "%s: no socket on port 68: %s; leases are renewed by broadcast only", c->name, strerror(-c->udp));
	lease_begin(&c->machine, setup->seed, setup->host);
	jail_client(c->name);
	while (!c->over)
		turn(c, &work);
	return 0;
}
