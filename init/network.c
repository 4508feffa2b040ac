/*
 * network.c - the networks of the container: a helper for each [Network] section
 * (init/net/net.h), how long boot waits for them, and whether we are online.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "conf/kit/own.h"
#include "conf/kit/say.h"
#include "conf/kit/sys.h"
#include "conf/kit/text.h"
#include "conf/settings.h"
#include "init/app.h"
#include "init/net/net.h"
#include "init/net/resolv.h"
#include "init/world.h"

#define FIRST ((uint32_t)HELPER_OTHERS)
_Static_assert(HELPER_OTHERS + MAX_NETS <= HELPER_PROGRAM, "a helper for each network");

static struct net_setup setups[MAX_NETS];
static struct { char name[8 + LINK_NAME]; bool heard; struct net_tell told; } nets[MAX_NETS];
static uint32_t n_nets;
static bool nobody_asked; /* coppice.conf has no [Network]: eth0 is looked after where there is one */

static int net_life(void *manager, int sock, uint32_t which)
{
	(void)manager;
	return net_main(sock, &setups[which - FIRST]);
}

static bool says_network(const struct table *t)
{
	for (uint32_t k = 0, n = list_count(t, t->house.origins); k < n; k++) {
		const struct origin *o = (const void *)table_words(t, list_item(t, t->house.origins, k));

		if (settings[o->setting].section == IN_NETWORK)
			return true;
	}
	return false;
}

/* ---- online ---- */

static bool is_ours(const char *interface)
{
	for (uint32_t k = 0; k < n_nets; k++)
		if (!strcmp(setups[k].name, interface))
			return true;
	return false;
}

/*
 * An IPv4 default route of an interface that no helper speaks for: proc(5),
 * /proc/net/route, has a line for each, with interface, destination and mask as
 * its first, second and eighth words, in hexadecimal; it does not tell whether the
 * link is there. What is beyond 4 KiB is not looked at.
 */
static bool others_have_route(void)
{
	char room[4096];
	owned_fd fd = open("/proc/net/route", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : sys_read(fd, room, sizeof(room) - 1);

	room[n > 0 ? n : 0] = '\0';
	for (char *rest = room, *line; (line = strsep(&rest, "\n"));) {
		const char *word[8] = { "" };
		uint32_t k = 0;

		for (char *at = line, *w; k < 8 && (w = strsep(&at, "\t"));)
			word[k++] = w;
		if (k == 8 && !strcmp(word[1], "00000000") && !strcmp(word[7], "00000000") && !is_ours(word[0]))
			return true;
	}
	return false;
}

/* Somebody has a default route; or nobody is going to get one, and what is there is up. */
static bool is_online(void)
{
	bool pending = false;

	for (uint32_t k = 0; k < n_nets; k++) {
		const struct net_tell *t = &nets[k].told;
		bool brings_one = setups[k].gateway || (setups[k].dhcp && setups[k].use_routes);

		if (nets[k].heard && t->default_route)
			return true;
		if (!nets[k].heard || (t->state != NET_ABSENT && !t->left_alone && (t->state != NET_UP || brings_one)))
			pending = true;
	}
	return !pending || others_have_route();
}

/* ---- helpers ---- */

void network_start(struct manager *m)
{
	char room[2048] = "";
	struct text why = TEXT(room);

	n_nets = net_setups(m->table, setups, &why);
	for (char *rest = room, *line; (line = strsep(&rest, "\n"));)
		if (*line)
			say(SAY_WARNING, "%s", line);
	nobody_asked = !says_network(m->table);
	if (nobody_asked && n_nets > 0 && if_nametoindex(setups[0].name) == 0)
		n_nets = 0;
	for (uint32_t k = 0; k < n_nets; k++)
		if ((setups[k].dhcp && setups[k].use_dns) || setups[k].n_dns || *setups[k].search) {
			resolv_share(m->runtime, "/etc/resolv.conf");
			break;
		}
	for (uint32_t k = 0; k < n_nets; k++) {
		struct helper *h = &m->helpers[FIRST + k];
		struct text name = TEXT(nets[k].name);

		setups[k].state_dir = "/var/lib/coppice";
		setups[k].runtime = m->runtime;
		setups[k].resolv = "/etc/resolv.conf";
		setups[k].release = true;
		setups[k].alone = app_takes_over(m->table);
		setups[k].log = m->log >= 0 ? m->log : 2;
		text_put(&name, "net ");
		text_put(&name, setups[k].name);
		h->name = nets[k].name;
		h->life = net_life;
		h->wanted = true;
		manager_helper(m, FIRST + k);
	}
	order_online(m, is_online());
}

void helper_hang_up(struct manager *m, struct helper *h)
{
	loop_unwatch(&m->loop, h->sock);
	(void)sys_close(h->sock);
	h->sock = -1;
}

static void take(struct manager *m, uint32_t k, const struct net_tell *t)
{
	const struct net_tell *was = &nets[k].told;
	struct helper *h = &m->helpers[FIRST + k];

	if (nets[k].heard && was->state == t->state && was->default_route == t->default_route && was->left_alone == t->left_alone)
		return;
	if (t->state == NET_UP || (nets[k].heard && was->state == NET_UP))
		say(SAY_INFO, "%s: %s%s", nets[k].name, t->state == NET_UP ? "up" : "down", t->default_route ? ", with a default route" : "");
	nets[k].heard = true;
	nets[k].told = *t;
	/* Taken away again, and nobody has asked for it: no reason to stay up for it. */
	if (t->state == NET_ABSENT && nobody_asked) {
		h->wanted = false;
		helper_hang_up(m, h);
	}
}

void network_heard(struct manager *m, uint32_t which)
{
	struct helper *h = &m->helpers[which];
	uint32_t k = which - FIRST;

	while (h->sock >= 0 && k < n_nets) {
		struct net_tell t;
		ssize_t got = sys_recv(h->sock, &t, sizeof(t), NULL, NULL);

		if (got == -EAGAIN)
			break;
		if (got != (ssize_t)sizeof(t) || t.state >= N_NET_STATES) {
			helper_hang_up(m, h);
			break;
		}
		h->streak = 0;
		take(m, k, &t);
	}
	order_online(m, is_online());
}

msec_t network_wait(void)
{
	msec_t most = 0;

	for (uint32_t k = 0; k < n_nets; k++)
		if ((!nets[k].heard || (nets[k].told.state == NET_DOWN && !nets[k].told.left_alone)) && setups[k].wait_online > most)
			most = setups[k].wait_online;
	return most;
}
