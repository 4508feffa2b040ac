/* net.c - the applier's process: stands between PID 1, the client and the kernel. */
#include "init/net/net.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conf/kit/say.h"
#include "conf/kit/shed.h"
#include "conf/kit/sys.h"
#include "init/net/apply.h"
#include "init/net/dhcp.h"
#include "init/net/netfile.h"
#include "init/net/order.h"
#include "init/net/jail.h"
#include "init/net/resolv.h"

#define FAREWELL 1000 /* ms that the client has to give the lease back */

static struct net {
	const struct net_setup *setup;
	struct applier applier;
	int pid1, client, watch; /* -1: not there */
	bool release, given_up;  /* given_up: the link is of a kind, or in a state, that DHCP is not for */
	struct net_tell told;
	bool told_any, resolv_told;
	char lease_path[PATH_MAX];
} net;

/* ---- PID 1 ---- */

static void tell_pid1(struct net *n)
{
	struct applied have = apply_look(&n->applier);
	struct net_tell t = { .index = n->applier.link.index };

	if (t.index)
		t.state = have.address && n->applier.link.carrier ? NET_UP : NET_DOWN;
	t.default_route = t.state == NET_UP && have.default_route;
	t.left_alone = n->given_up;
	if (n->told_any && !memcmp(&t, &n->told, sizeof(t)))
		return;
	n->told = t;
	/* A PID 1 that is too busy to listen hears it when the next thing changes. */
	n->told_any = n->pid1 < 0 || sys_send(n->pid1, &t, sizeof(t), NULL, 0) == (ssize_t)sizeof(t);
}

/* ---- files ---- */

static void write_resolv(struct net *n)
{
	const struct net_setup *s = n->setup;
	const struct applier *a = &n->applier;
	struct resolv_slot slot;
	size_t have;

	memset(&slot, 0, sizeof(slot));
	if (a->link.index && s->n_dns) {
		memcpy(slot.dns, s->dns, sizeof(slot.dns));
		slot.n_dns = s->n_dns;
	}
	if (a->link.index)
		memcpy(slot.search, s->search, sizeof(slot.search));
	for (uint32_t i = 0; a->placed && s->use_dns && i < a->lease.n_dns && slot.n_dns < MAX_NAMESERVERS; i++) {
		ip4_t ip = a->lease.dns[i];

		(void)snprintf(slot.dns[slot.n_dns++], NAMESERVER_SIZE, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
	}
	have = strlen(slot.search);
	if (a->placed && s->use_dns && *a->lease.search && have + strlen(a->lease.search) + 2 <= sizeof(slot.search)) {
		if (have)
			slot.search[have++] = ' ';
		memcpy(slot.search + have, a->lease.search, strlen(a->lease.search));
	}
	int e = resolv_write(s->runtime, s->resolv, s->slot, &slot);
	if (e && (slot.n_dns || *slot.search) && !n->resolv_told) {
		n->resolv_told = true;
		if (e > 0)
			say(SAY_INFO, "%s: %s was made by somebody else and is left alone", s->name, s->resolv);
		else
			say(SAY_WARNING, "%s: %s could not be written: %s; names may not be found", s->name, s->resolv, strerror(-e));
	}
}

static void set_host(struct net *n, const struct lease *l)
{
	if (!n->setup->use_hostname || !*l->host)
		return;
	if (sethostname(l->host, strlen(l->host)) < 0)
		say(SAY_WARNING, "%s: the host name \"%s\" was refused: %s", n->setup->name, l->host, strerror(errno));
}

static void save_lease(struct net *n, const struct lease *l, msec_t left)
{
	struct saved s;

	terms_save(&s, l, n->applier.link.mac, left == FOREVER ? INT64_MAX : sys_wall() + left);
	int e = netfile_dirs(n->setup->state_dir);
	if (e == 0)
		e = netfile_write(n->lease_path, &s, sizeof(s), 0600, false);
	if (e < 0)
		say(SAY_DEBUG, "%s: %s: %s; the next boot begins from nothing", n->setup->name, n->lease_path, strerror(-e));
}

/* A lease from an earlier life; is its address still there from a process that was in our place before? */
static void load_lease(struct net *n)
{
	struct applier *a = &n->applier;
	struct word w;
	struct saved s;

	memset(&w, 0, sizeof(w));
	w.kind = WORD_SAVED;
	if (netfile_read(n->lease_path, &s, sizeof(s)) != (ssize_t)sizeof(s) ||
	    !terms_load(&s, a->link.mac, sys_wall(), &w.lease, &w.left))
		return;
	a->lease = w.lease;
	a->placed = true;
	a->placed = w.live = apply_look(a).lease;
	if (n->client >= 0)
		(void)sys_send(n->client, &w, sizeof(w), NULL, 0);
}

/* ---- the client ---- */

static void hear_client(struct net *n)
{
	struct applier *a = &n->applier;
	struct order o;
	const char *wrong;
	ssize_t got = sys_recv(n->client, &o, sizeof(o), NULL, NULL);

	if (got == -EAGAIN)
		return;
	if (got != (ssize_t)sizeof(o)) {
		/* Gone, or no client of ours any more. */
		(void)close(n->client);
		n->client = -1;
		return;
	}
	wrong = order_check(&o);
	if (wrong) {
		say(SAY_ERROR, "%s: the DHCP client asked for what it may not have (%s); it is not done", n->setup->name, wrong);
		return;
	}
	if (o.forget)
		(void)unlinkat(AT_FDCWD, n->lease_path, 0);
	if (o.kind == ORDER_NONE)
		return;
	if (o.kind == ORDER_DROP)
		apply_drop(a);
	/* The kernel takes the address away by itself, should we be gone when its time is over. */
	else if (apply_lease(a, &o.lease, o.left == FOREVER ? UINT32_MAX : (uint32_t)((o.left + 999) / 1000)) == 0)
		save_lease(n, &o.lease, o.left);
	tell_pid1(n);
	if (o.kind == ORDER_APPLY)
		set_host(n, &o.lease);
	write_resolv(n);
}

static void tell_client(struct net *n, bool up, bool just)
{
	const struct link *l = &n->applier.link;
	struct word w;

	if (n->client < 0)
		return;
	memset(&w, 0, sizeof(w));
	w.kind = WORD_LINK;
	w.index = l->index;
	w.mtu = l->mtu;
	w.up = up;
	w.just = just;
	memcpy(w.mac, l->mac, sizeof(w.mac));
	(void)sys_send(n->client, &w, sizeof(w), NULL, 0);
}

/* ---- the link ---- */

/* Once for each interface that takes the name: up with it, and what was there before us. */
static void new_link(struct net *n)
{
	struct applier *a = &n->applier;

	a->placed = false;
	a->mtu_ours = 0;
	n->given_up = n->setup->dhcp && !a->link.ether;
	if (n->given_up)
		say(SAY_WARNING, "%s: it is no Ethernet, so DHCP cannot be spoken on it; give it an Address=", n->setup->name);
	if (!a->link.up) {
		int e = link_up(a->nl, a->link.index);

		if (e < 0)
			say(SAY_WARNING, "%s: could not be brought up: %s", n->setup->name, strerror(-e));
	}
	if (!n->setup->dhcp)
		return;
	load_lease(n);
	/* A container's manager may have done it all. */
	if (!a->placed && apply_look(a).strange && !n->setup->n_addresses) {
		say(SAY_INFO, "%s: it has an address already, so there is nothing to do", n->setup->name);
		n->given_up = true;
	}
}

static void look_at_link(struct net *n)
{
	struct applier *a = &n->applier;
	struct link l, before = a->link;
	bool just = true;
	int e = link_find(a->nl, n->setup->name, &l);

	if (e < 0 && e != -ENODEV) {
		say(SAY_ERROR, "%s: cannot be looked at: %s", n->setup->name, strerror(-e));
		return;
	}
	if (e < 0)
		memset(&l, 0, sizeof(l));
	/* Another one by the same name: the client must not take it for the one that it knew. */
	if (before.index && l.index && l.index != before.index && before.carrier)
		tell_client(n, false, false);
	a->link = l;
	if (l.index && l.index != before.index) {
		just = !l.carrier;
		new_link(n);
		(void)link_find(a->nl, n->setup->name, &a->link);
		/* A link that is up already is told so, not left to be guessed from a change. */
		before = (struct link){ .mtu = a->link.mtu };
	}
	if (l.index && (a->link.carrier != before.carrier || a->link.up != before.up || l.index != before.index))
		apply_static(a);
	if (!n->given_up && (a->link.carrier != before.carrier || memcmp(a->link.mac, before.mac, sizeof(before.mac)) != 0))
		tell_client(n, a->link.carrier, just);
	if (l.index != before.index && n->setup->n_dns + strlen(n->setup->search))
		write_resolv(n);
	if (!l.index && before.index)
		a->placed = false;
	tell_pid1(n);
}

/* ---- PID 1 again ---- */

static void hear_pid1(struct net *n)
{
	struct net_ask ask;
	ssize_t got = sys_recv(n->pid1, &ask, sizeof(ask), NULL, NULL);

	if (got == -EAGAIN)
		return;
	if (got == (ssize_t)sizeof(ask)) {
		n->release = ask.release;
	} else if (got <= 0) {
		(void)close(n->pid1);
		n->pid1 = -1;
	}
}

/* Everything is over: the client says farewell to the server, and what it was given goes. */
static void part(struct net *n)
{
	struct word w;
	struct pollfd p = { .events = POLLIN };
	msec_t end = sys_now() + FAREWELL;

	memset(&w, 0, sizeof(w));
	w.kind = WORD_STOP;
	w.release = n->release;
	if (n->client >= 0)
		(void)sys_send(n->client, &w, sizeof(w), NULL, 0);
	while (n->client >= 0 && sys_now() < end) {
		p.fd = n->client;
		if (poll(&p, 1, (int)(end - sys_now())) > 0)
			hear_client(n);
	}
	if (n->release && n->applier.placed)
		apply_drop(&n->applier);
}

/* ---- the life ---- */

/* The client's process; -1 where it could not be made. */
static int fork_client(const struct net_setup *s)
{
	static char host[HOST_SIZE + 1];
	int two[2], e = sys_socketpair(two);

	if (e < 0 || sys_nonblock(two[1]) < 0) {
		say(SAY_ERROR, "%s: no DHCP: %s", s->name, strerror(-e));
		return -1;
	}
	/* Names that every container has tell a server nothing. */
	if (!s->send_hostname || gethostname(host, HOST_SIZE) < 0 || !name_ok(host) || !strcmp(host, "localhost"))
		host[0] = '\0';
	pid_t pid = sys_fork();
	if (pid == 0) {
		int keep[] = { two[1] < s->log ? two[1] : s->log, two[1] < s->log ? s->log : two[1] };
		struct dhcp_setup d = { .name = s->name, .host = host, .applier = two[1],
					.seed = (uint64_t)sys_random() << 32 | sys_random() };

		shed_files(keep, 2);
		_exit(dhcp_main(&d));
	}
	(void)close(two[1]);
	if (pid < 0) {
		say(SAY_ERROR, "%s: no DHCP: %s", s->name, strerror(-pid));
		(void)close(two[0]);
		return -1;
	}
	return two[0];
}

static void turn(struct net *n)
{
	struct pollfd p[] = {
		{ .fd = n->pid1, .events = POLLIN },
		{ .fd = n->watch, .events = POLLIN },
		{ .fd = n->client, .events = POLLIN },
	};

	if (poll(p, 3, -1) < 0)
		return;
	if (p[0].revents)
		hear_pid1(n);
	if (p[1].revents) {
		link_watched(n->watch);
		look_at_link(n);
	}
	if (p[2].revents)
		hear_client(n);
}

int net_main(int sock, const struct net_setup *setup)
{
	struct net *n = &net;
	int keep[] = { sock < setup->log ? sock : setup->log, sock < setup->log ? setup->log : sock };

	if (setup->log != 2)
		say_to(setup->log, "");
	shed_files(keep, 2);
	n->setup = setup;
	n->applier.setup = setup;
	n->pid1 = sock;
	n->client = -1;
	n->release = setup->release;
	if (snprintf(n->lease_path, sizeof(n->lease_path), "%s/lease-%s", setup->state_dir, setup->name) >= (int)sizeof(n->lease_path))
		return 1;
	if (setup->dhcp)
		n->client = fork_client(setup);
	n->applier.nl = link_open();
	n->watch = link_watch();
	if (n->applier.nl < 0 || n->watch < 0) {
		say(SAY_ERROR, "%s: the kernel cannot be asked about its network: %s", setup->name,
		    strerror(n->applier.nl < 0 ? -n->applier.nl : -n->watch));
		return 1;
	}
	bool client = n->client >= 0;

	jail_applier(setup->name, setup->use_hostname);
	look_at_link(n);
	while ((n->pid1 >= 0 || setup->alone) && (n->client >= 0 || !client))
		turn(n);
	if (n->pid1 >= 0 || setup->alone) {
		say(SAY_ERROR, "%s: the DHCP client is gone%s", setup->name, n->pid1 >= 0 ? "; beginning anew" : "");
		return 1;
	}
	part(n);
	return 0;
}
