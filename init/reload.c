/*
 * reload.c - daemon-reload: a loader child reads the files anew; what they leave
 * out is stopped; then the services go on under the new table (supervise/adopt.h),
 * and what is new is started. What changed takes effect at its next start.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conf/kit/say.h"
#include "conf/kit/sys.h"
#include "init/control/ring.h"
#include "init/loader.h"
#include "init/world.h"
#include "supervise/adopt.h"

/* The table that a reload will put in force, once what it leaves out has stopped. */
static const struct table *next_table;
static int next_fd = -1;

static void tell_change(void *self, const struct table *t, unit_ix i, const char *what)
{
	const struct unit *u = table_unit(t, i);

	(void)self;
	say(SAY_INFO, "reload: %s: %s%s%s", table_text(t, u->name), what,
	    u->fault ? "; " : !strcmp(what, "changed") ? "; takes effect at its next start" : "", table_text(t, u->fault));
}

static void drop_next_table(void)
{
	if (next_table)
		(void)munmap((void *)(uintptr_t)next_table, next_table->total);
	next_table = NULL;
}

static void begin_reload(struct manager *m)
{
	m->reload_asked = false;
	if (m->how != HOW_NONE || m->helpers[HELPER_LOAD].pid > 0 || next_table) {
		say(SAY_WARNING, "reload: %s", m->how != HOW_NONE ? "the container is stopping" : "one is under way already");
		return;
	}
	if (next_fd >= 0)
		(void)close(next_fd);
	places_open();
	const struct loading l = loader_begin(given, false);

	next_fd = l.fd;
	if (l.pid < 0) {
		say(SAY_ERROR, "reload: %s; all stays as it is", strerror(-l.pid));
		return;
	}
	m->helpers[HELPER_LOAD].name = "load";
	m->helpers[HELPER_LOAD].pid = l.pid;
	pids_put(&m->pids, l.pid, ROLE_HELPER, HELPER_LOAD);
}

static void take_next_table(struct manager *m)
{
	m->load_ended = false;
	next_table = m->load_good ? loader_table(next_fd) : NULL;
	if (!next_table) {
		say(SAY_ERROR, "reload: the units could not be loaded; all stays as it is");
		return;
	}
	struct reload_plan p = reload_compare(m->table, next_table, tell_change, NULL);
	if (p.broken > 0) {
		say(SAY_ERROR, "reload: %u units that are loaded now are faulty in the new files; all stays as it is: mend them and try again", p.broken);
		drop_next_table();
		return;
	}
	for (uint32_t i = 0; i < m->n; i++)
		if (table_find(next_table, table_text(m->table, table_unit(m->table, i)->name)) == NO_UNIT)
			order_stop(m, i, ASKED_BY_HAND);
}

/* Units that are not in the new files, and commands run in them, have to be gone before the tables change. */
static bool removed_at_rest(struct manager *m)
{
	for (uint32_t i = 0; i < m->n; i++) {
		if (table_find(next_table, table_text(m->table, table_unit(m->table, i)->name)) != NO_UNIT)
			continue;
		if (svc_live(m->services[i].r.state) || m->services[i].proc[ROLE_CLEANER].pid > 0)
			return false;
		for (uint32_t k = 0; k < MAX_SESSIONS; k++)
			if (m->sessions[k].used && m->sessions[k].unit == i) {
				process_kill(&m->sessions[k].proc, SIGKILL);
				return false;
			}
	}
	return true;
}

static void finish_reload(void)
{
	static struct manager fresh;
	const struct table *old = world.table;
	int fresh_logs = ring_create(next_table->n_units);

	memset(&fresh, 0, sizeof(fresh));
	fresh.runtime = world.runtime;
	fresh.on_signal = world.on_signal;
	fresh.on_helper = world.on_helper;
	fresh.nofile = world.nofile;
	fresh.bounding = world.bounding;
	fresh.pads = world.pads;
	fresh.shortcuts = world.shortcuts;
	fresh.signal_fd = world.signal_fd;
	fresh.notify_fd = world.notify_fd;
	fresh.out_fd = world.out_fd;
	fresh.is_init = world.is_init;
	fresh.machine = world.machine;
	fresh.rung = !needs_roots(old) && needs_roots(next_table) ? (uint8_t)find_rung(next_table) : world.rung;
	fresh.budget = next_table->house.shutdown_timeout ? next_table->house.shutdown_timeout : container_budget(container);
	int e = manager_open(&fresh, next_table);
	if (e < 0 || fresh_logs < 0) {
		say(SAY_ERROR, "reload: %s; all stays as it is", strerror(e < 0 ? -e : -fresh_logs));
		drop_next_table();
		return;
	}
	/* The old desk and probe end when their sockets close; what they held on to is theirs to lose. */
	say_to(2, "coppice: ");
	for (uint32_t k = 0; k < HELPER_OTHERS; k++)
		if (world.helpers[k].sock >= 0)
			(void)close(world.helpers[k].sock);
	manager_adopt(&fresh, &world);
	ring_move(fresh_logs, next_table, logs_fd, old);
	(void)close(logs_fd);
	logs_fd = fresh_logs;
	manager_close(&world);
	world = fresh;
	next_table = NULL;
	helpers_start(&world, 0);
	/* One that had ended, and was to be started again later, is now. */
	for (uint32_t k = HELPER_OTHERS; k < MAX_HELPERS; k++)
		manager_helper(&world, k);
	for (uint32_t i = 0; i < world.n; i++)
		if (table_find(old, table_text(world.table, table_unit(world.table, i)->name)) == NO_UNIT && table_unit(world.table, i)->autostart)
			order_start(&world, i, false);
	(void)munmap((void *)(uintptr_t)old, old->total);
	say(SAY_INFO, "reload: done, %u units", world.n);
}

void reload_between_turns(void)
{
	if (world.reload_asked)
		begin_reload(&world);
	if (world.load_ended)
		take_next_table(&world);
	if (next_table && world.how != HOW_NONE)
		drop_next_table();
	if (next_table && shortcuts_idle(&world.shortcuts) && removed_at_rest(&world))
		finish_reload();
}

bool reload_under_way(void)
{
	return world.helpers[HELPER_LOAD].pid > 0 || next_table;
}
