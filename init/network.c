/*
 * network.c - the networks of the container: a helper for each [Network] section
 * (init/net/net.h), and how long boot waits for them.
 */
#include <errno.h>
#include <string.h>

#include "conf/kit/say.h"
#include "conf/kit/sys.h"
#include "conf/kit/text.h"
#include "init/net/net.h"
#include "init/world.h"

#define FIRST ((uint32_t)HELPER_OTHERS)
_Static_assert(HELPER_OTHERS + MAX_NETS <= MAX_HELPERS, "a helper for each network");

static struct net_setup setups[MAX_NETS];
static struct { char name[8 + LINK_NAME]; bool heard; uint8_t state, route; } nets[MAX_NETS];
static uint32_t n_nets;

static int net_life(void *manager, int sock, uint32_t which)
{
	(void)manager;
	return net_main(sock, &setups[which - FIRST]);
}

void network_start(struct manager *m)
{
	char room[2048] = "";
	struct text why = TEXT(room);

	n_nets = net_setups(m->table, setups, &why);
	for (char *rest = room, *line; (line = strsep(&rest, "\n"));)
		if (*line)
			say(SAY_WARNING, "%s", line);
	for (uint32_t k = 0; k < n_nets; k++) {
		struct helper *h = &m->helpers[FIRST + k];
		struct text name = TEXT(nets[k].name);

		setups[k].state_dir = "/var/lib/coppice";
		setups[k].runtime = m->runtime;
		setups[k].resolv = "/etc/resolv.conf";
		setups[k].release = true;
		setups[k].log = m->log >= 0 ? m->log : 2;
		text_put(&name, "net ");
		text_put(&name, setups[k].name);
		h->name = nets[k].name;
		h->life = net_life;
		h->wanted = true;
		manager_helper(m, FIRST + k);
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
			return;
		if (got != (ssize_t)sizeof(t) || t.state >= N_NET_STATES) {
			loop_unwatch(&m->loop, h->sock);
			(void)sys_close(h->sock);
			h->sock = -1;
			return;
		}
		h->streak = 0;
		if (nets[k].heard && nets[k].state == t.state && nets[k].route == t.default_route)
			continue;
		if (t.state == NET_UP || (nets[k].heard && nets[k].state == NET_UP))
			say(SAY_INFO, "%s: %s%s", nets[k].name, t.state == NET_UP ? "up" : "down", t.default_route ? ", with a default route" : "");
		nets[k].heard = true;
		nets[k].state = t.state;
		nets[k].route = t.default_route;
	}
}

msec_t network_wait(void)
{
	msec_t most = 0;

	for (uint32_t k = 0; k < n_nets; k++)
		if ((!nets[k].heard || nets[k].state == NET_DOWN) && setups[k].wait_online > most)
			most = setups[k].wait_online;
	return most;
}
