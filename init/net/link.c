/* link.c - one request at a time, each answered before the next. */
#include "init/net/link.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "init/net/bytes.h"

#ifndef IFA_PROTO
#define IFA_PROTO 11 /* 5.18 */
#endif
#ifndef IFF_LOWER_UP
#define IFF_LOWER_UP 0x10000
#endif

#define PATIENCE 3000 /* ms for one answer */
#define TRIES    4

struct request {
	struct nlmsghdr head;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg address;
		struct rtmsg route;
	} as;
	uint8_t attributes[160];
};

static void begin(struct request *r, uint16_t type, uint16_t flags, size_t family)
{
	memset(r, 0, sizeof(*r));
	r->head.nlmsg_len = (uint32_t)NLMSG_LENGTH(family);
	r->head.nlmsg_type = type;
	r->head.nlmsg_flags = NLM_F_REQUEST | flags;
}

/* The attributes of all requests here fit by their sizes. */
static void put(struct request *r, uint16_t type, const void *value, size_t n)
{
	struct rtattr a = { .rta_len = (uint16_t)RTA_LENGTH(n), .rta_type = type };
	uint8_t *at = (uint8_t *)r + NLMSG_ALIGN(r->head.nlmsg_len);

	memcpy(at, &a, sizeof(a));
	memcpy(at + RTA_LENGTH(0), value, n);
	r->head.nlmsg_len = (uint32_t)(NLMSG_ALIGN(r->head.nlmsg_len) + RTA_SPACE(n));
}

static void put_u32(struct request *r, uint16_t type, uint32_t value)
{
	put(r, type, &value, sizeof(value));
}

static void put_ip4(struct request *r, uint16_t type, ip4_t a)
{
	uint8_t bytes[4];

	put32(bytes, a);
	put(r, type, bytes, sizeof(bytes));
}

/* A message in a dump, with its attributes; `self` is the caller's. */
typedef void take(void *self, const struct nlmsghdr *m, const uint8_t *body, size_t n);

/* The attribute's value, where it has at least `least` bytes. `n` bytes from `at` on are attributes. */
static const uint8_t *attribute(const uint8_t *at, size_t n, uint16_t type, size_t least, size_t *length)
{
	while (n >= sizeof(struct rtattr)) {
		struct rtattr a;

		memcpy(&a, at, sizeof(a));
		if (a.rta_len < sizeof(a) || a.rta_len > n)
			return NULL;
		if ((a.rta_type & NLA_TYPE_MASK) == type && a.rta_len - RTA_LENGTH(0) >= least) {
			if (length)
				*length = a.rta_len - RTA_LENGTH(0);
			return at + RTA_LENGTH(0);
		}
		if (RTA_ALIGN(a.rta_len) >= n)
			return NULL;
		at += RTA_ALIGN(a.rta_len);
		n -= RTA_ALIGN(a.rta_len);
	}
	return NULL;
}

static uint32_t u32_of(const uint8_t *at, size_t n, uint16_t type, uint32_t otherwise)
{
	const uint8_t *v = attribute(at, n, type, 4, NULL);

	if (v)
		memcpy(&otherwise, v, 4);
	return otherwise;
}

static ip4_t ip4_of(const uint8_t *at, size_t n, uint16_t type)
{
	const uint8_t *v = attribute(at, n, type, 4, NULL);

	return v ? get32(v) : 0;
}

/* One datagram from the kernel. 1: more to come, 0: that was all, or -errno. */
static int read_answer(int nl, uint32_t seq, bool *torn, take *each, void *self)
{
	_Alignas(struct nlmsghdr) uint8_t buffer[8192];
	struct pollfd p = { .fd = nl, .events = POLLIN };
	int r = poll(&p, 1, PATIENCE);

	if (r <= 0)
		return r == 0 ? -ETIMEDOUT : errno == EINTR ? 1 : -errno;
	ssize_t got = recv(nl, buffer, sizeof(buffer), MSG_DONTWAIT | MSG_TRUNC);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 1 : -errno;
	if ((size_t)got > sizeof(buffer))
		return -EMSGSIZE;
	for (size_t at = 0, n = (size_t)got; n - at >= sizeof(struct nlmsghdr);) {
		struct nlmsghdr m;

		memcpy(&m, buffer + at, sizeof(m));
		if (m.nlmsg_len < sizeof(m) || m.nlmsg_len > n - at)
			return -EBADMSG;
		size_t body = m.nlmsg_len - NLMSG_HDRLEN;
		/* What was too late for an earlier request is passed over. */
		if (m.nlmsg_seq == seq) {
			*torn = *torn || m.nlmsg_flags & NLM_F_DUMP_INTR;
			if (m.nlmsg_type == NLMSG_DONE)
				return 0;
			if (m.nlmsg_type == NLMSG_ERROR) {
				struct nlmsgerr e = { .error = -EBADMSG };

				if (body >= sizeof(e))
					memcpy(&e, buffer + at + NLMSG_HDRLEN, sizeof(e));
				return e.error;
			}
			if (each)
				each(self, &m, buffer + at + NLMSG_HDRLEN, body);
			if (!(m.nlmsg_flags & NLM_F_MULTI))
				return 0;
		}
		if (NLMSG_ALIGN(m.nlmsg_len) >= n - at)
			break;
		at += NLMSG_ALIGN(m.nlmsg_len);
	}
	return 1;
}

static int talk_once(int nl, struct request *r, take *each, void *self)
{
	static uint32_t serial;
	bool torn = false;
	int e;

	r->head.nlmsg_seq = ++serial;
	if (send(nl, r, r->head.nlmsg_len, MSG_DONTWAIT) < 0)
		return -errno;
	do
		e = read_answer(nl, serial, &torn, each, self);
	while (e == 1);
	return e == 0 && torn ? -EAGAIN : e;
}

/* *count, if any, is set back before each try. */
static int talk(int nl, struct request *r, take *each, void *self, uint32_t *count)
{
	int e = 0;

	for (int i = 0; i < TRIES; i++) {
		if (count)
			*count = 0;
		e = talk_once(nl, r, each, self);
		if (e != -ENOBUFS && e != -EBUSY && e != -EAGAIN && e != -EINTR)
			break;
		(void)poll(NULL, 0, 10 << i);
	}
	return e;
}

static int act(int nl, struct request *r)
{
	r->head.nlmsg_flags |= NLM_F_ACK;
	return talk(nl, r, NULL, NULL, NULL);
}

int link_open(void)
{
	static const int yes = 1;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	/* Dumps of one interface only, where the kernel can (4.20); we look ourselves anyway. */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &yes, sizeof(yes));
	return fd;
}

int link_watch(void)
{
	struct sockaddr_nl groups = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&groups, sizeof(groups)) < 0) {
		int e = errno;

		(void)close(fd);
		return -e;
	}
	return fd;
}

/* ENOBUFS says that some were lost, which is no loss here. */
void link_watched(int fd)
{
	uint8_t buffer[256];

	for (int i = 0; i < 4096; i++)
		if (recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT) < 0 && errno != ENOBUFS && errno != EINTR)
			return;
}

/* ---- links ---- */

static void take_link(void *self, const struct nlmsghdr *m, const uint8_t *body, size_t n)
{
	struct link *l = self;
	struct ifinfomsg i;
	size_t skip = NLMSG_ALIGN(sizeof(i)), length = 0;

	if (m->nlmsg_type != RTM_NEWLINK || n < skip)
		return;
	memcpy(&i, body, sizeof(i));
	const uint8_t *mac = attribute(body + skip, n - skip, IFLA_ADDRESS, 6, &length);
	l->index = (uint32_t)i.ifi_index;
	l->up = i.ifi_flags & IFF_UP;
	l->carrier = (i.ifi_flags & IFF_UP) && (i.ifi_flags & IFF_LOWER_UP);
	l->mtu = u32_of(body + skip, n - skip, IFLA_MTU, 1500);
	l->ether = i.ifi_type == ARPHRD_ETHER && mac && length == 6 && (i.ifi_flags & IFF_BROADCAST);
	if (mac)
		memcpy(l->mac, mac, sizeof(l->mac));
}

int link_find(int nl, const char *name, struct link *ret)
{
	struct request r;
	struct link l = { 0 };
	size_t n = strlen(name);

	if (n >= sizeof(l.name))
		return -ENAMETOOLONG;
	begin(&r, RTM_GETLINK, 0, sizeof(r.as.link));
	put(&r, IFLA_IFNAME, name, n + 1);
	int e = talk(nl, &r, take_link, &l, NULL);
	if (e < 0)
		return e;
	if (!l.index)
		return -EBADMSG;
	memcpy(l.name, name, n + 1);
	*ret = l;
	return 0;
}

int link_up(int nl, uint32_t index)
{
	struct request r;

	begin(&r, RTM_NEWLINK, 0, sizeof(r.as.link));
	r.as.link.ifi_index = (int)index;
	r.as.link.ifi_flags = r.as.link.ifi_change = IFF_UP;
	return act(nl, &r);
}

int link_mtu(int nl, uint32_t index, uint32_t mtu)
{
	struct request r;

	begin(&r, RTM_NEWLINK, 0, sizeof(r.as.link));
	r.as.link.ifi_index = (int)index;
	put_u32(&r, IFLA_MTU, mtu);
	return act(nl, &r);
}

/* ---- addresses ---- */

static void address_request(struct request *r, uint16_t type, uint16_t flags, const struct address *a)
{
	begin(r, type, flags, sizeof(r->as.address));
	r->as.address.ifa_family = AF_INET;
	r->as.address.ifa_prefixlen = (uint8_t)a->bits;
	r->as.address.ifa_scope = RT_SCOPE_UNIVERSE;
	r->as.address.ifa_index = a->index;
	put_ip4(r, IFA_LOCAL, a->local);
	put_ip4(r, IFA_ADDRESS, a->local);
}

int address_add(int nl, const struct address *a, bool replace)
{
	struct request r;
	struct ifa_cacheinfo life = { .ifa_prefered = a->left, .ifa_valid = a->left };

	address_request(&r, RTM_NEWADDR, (uint16_t)(NLM_F_CREATE | (replace ? NLM_F_REPLACE : NLM_F_EXCL)), a);
	if (a->broadcast)
		put_ip4(&r, IFA_BROADCAST, a->broadcast);
	put(&r, IFA_CACHEINFO, &life, sizeof(life));
	put_u32(&r, IFA_FLAGS, a->no_route ? IFA_F_NOPREFIXROUTE : 0);
	if (a->metric)
		put_u32(&r, IFA_RT_PRIORITY, a->metric);
	put(&r, IFA_PROTO, &a->mark, 1);
	return act(nl, &r);
}

int address_del(int nl, const struct address *a)
{
	struct request r;

	address_request(&r, RTM_DELADDR, 0, a);
	return act(nl, &r);
}

struct address_room { struct address *at; uint32_t most, n, index; };

static void take_address(void *self, const struct nlmsghdr *m, const uint8_t *body, size_t n)
{
	struct address_room *room = self;
	struct ifaddrmsg i;
	size_t skip = NLMSG_ALIGN(sizeof(i));

	if (m->nlmsg_type != RTM_NEWADDR || n < skip || room->n == room->most)
		return;
	memcpy(&i, body, sizeof(i));
	if (i.ifa_index != room->index || i.ifa_family != AF_INET)
		return;
	struct address *a = &room->at[room->n++];
	const uint8_t *life = attribute(body + skip, n - skip, IFA_CACHEINFO, sizeof(struct ifa_cacheinfo), NULL);
	const uint8_t *mark = attribute(body + skip, n - skip, IFA_PROTO, 1, NULL);
	struct ifa_cacheinfo c = { .ifa_valid = UINT32_MAX };

	if (life)
		memcpy(&c, life, sizeof(c));
	*a = (struct address){ .index = i.ifa_index, .bits = i.ifa_prefixlen, .left = c.ifa_valid, .mark = mark ? *mark : 0,
			       .local = ip4_of(body + skip, n - skip, IFA_LOCAL),
			       .broadcast = ip4_of(body + skip, n - skip, IFA_BROADCAST),
			       .metric = u32_of(body + skip, n - skip, IFA_RT_PRIORITY, 0) };
	a->no_route = u32_of(body + skip, n - skip, IFA_FLAGS, i.ifa_flags) & IFA_F_NOPREFIXROUTE;
}

int address_list(int nl, uint32_t index, struct address *ret, uint32_t *n)
{
	struct address_room room = { .at = ret, .most = *n, .index = index };
	struct request r;

	begin(&r, RTM_GETADDR, NLM_F_DUMP, sizeof(r.as.address));
	r.as.address.ifa_family = AF_INET;
	r.as.address.ifa_index = index;
	int e = talk(nl, &r, take_address, &room, &room.n);
	/* Strict dumps of an interface that is gone. */
	*n = e == -ENODEV ? 0 : room.n;
	return e == -ENODEV ? 0 : e;
}

/* ---- routes ---- */

static void route_request(struct request *r, uint16_t type, uint16_t flags, const struct route *o)
{
	begin(r, type, flags, sizeof(r->as.route));
	r->as.route.rtm_family = AF_INET;
	r->as.route.rtm_dst_len = (uint8_t)o->hop.bits;
	r->as.route.rtm_table = RT_TABLE_MAIN;
	r->as.route.rtm_protocol = o->mark;
	r->as.route.rtm_scope = o->hop.via ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	r->as.route.rtm_type = RTN_UNICAST;
	if (o->hop.bits)
		put_ip4(r, RTA_DST, o->hop.to);
	put_u32(r, RTA_OIF, o->index);
	if (o->hop.via) {
		put_ip4(r, RTA_GATEWAY, o->hop.via);
		r->as.route.rtm_flags = o->onlink ? RTNH_F_ONLINK : 0;
	}
	if (o->from)
		put_ip4(r, RTA_PREFSRC, o->from);
	put_u32(r, RTA_PRIORITY, o->metric);
}

int route_add(int nl, const struct route *o)
{
	struct request r;

	route_request(&r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, o);
	return act(nl, &r);
}

int route_del(int nl, const struct route *o)
{
	struct request r;

	route_request(&r, RTM_DELROUTE, 0, o);
	return act(nl, &r);
}

struct route_room { struct route *at; uint32_t most, n, index; };

static void take_route(void *self, const struct nlmsghdr *m, const uint8_t *body, size_t n)
{
	struct route_room *room = self;
	struct rtmsg i;
	size_t skip = NLMSG_ALIGN(sizeof(i));

	if (m->nlmsg_type != RTM_NEWROUTE || n < skip || room->n == room->most)
		return;
	memcpy(&i, body, sizeof(i));
	if (i.rtm_family != AF_INET || i.rtm_type != RTN_UNICAST || i.rtm_flags & RTM_F_CLONED ||
	    u32_of(body + skip, n - skip, RTA_TABLE, i.rtm_table) != RT_TABLE_MAIN ||
	    u32_of(body + skip, n - skip, RTA_OIF, 0) != room->index)
		return;
	room->at[room->n++] = (struct route){
		.index = room->index,
		.hop = { .to = ip4_of(body + skip, n - skip, RTA_DST), .via = ip4_of(body + skip, n - skip, RTA_GATEWAY), .bits = i.rtm_dst_len },
		.from = ip4_of(body + skip, n - skip, RTA_PREFSRC),
		.metric = u32_of(body + skip, n - skip, RTA_PRIORITY, 0),
		.mark = i.rtm_protocol };
}

int route_list(int nl, uint32_t index, struct route *ret, uint32_t *n)
{
	struct route_room room = { .at = ret, .most = *n, .index = index };
	struct request r;

	begin(&r, RTM_GETROUTE, NLM_F_DUMP, sizeof(r.as.route));
	r.as.route.rtm_family = AF_INET;
	r.as.route.rtm_table = RT_TABLE_MAIN;
	put_u32(&r, RTA_OIF, index);
	int e = talk(nl, &r, take_route, &room, &room.n);
	/* Strict dumps of an empty table, or of an interface that is gone. */
	*n = e == -ENOENT || e == -ENODEV ? 0 : room.n;
	return e == -ENOENT || e == -ENODEV ? 0 : e;
}
