/* adopt.c - moves services from one manager to another: whatever is known by index gets its new one. */
#include "supervise/adopt.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "conf/kit/sys.h"

static const char *name_in(const struct table *t, unit_ix i)
{
	return table_text(t, table_unit(t, i)->name);
}

/* Same words from the same settings: lines may have moved. */
static bool same_origins(const struct table *a, const struct unit *x, const struct table *b, const struct unit *y)
{
	uint32_t n = list_count(a, x->origins);

	if (n != list_count(b, y->origins))
		return false;
	for (uint32_t k = 0; k < n; k++) {
		const struct origin *p = (const void *)table_words(a, list_item(a, x->origins, k));
		const struct origin *q = (const void *)table_words(b, list_item(b, y->origins, k));

		if (p->setting != q->setting || strcmp(table_text(a, p->value), table_text(b, q->value)) != 0)
			return false;
	}
	return true;
}

struct reload_plan reload_compare(const struct table *now, const struct table *then,
				  void (*tell)(void *self, const struct table *t, unit_ix i, const char *what), void *self)
{
	struct reload_plan p = { 0 };

	for (uint32_t j = 0; j < then->n_units; j++) {
		unit_ix i = table_find(now, name_in(then, j));
		const struct unit *new_unit = table_unit(then, j), *old = i == NO_UNIT ? NULL : table_unit(now, i);
		const char *what = "changed";

		if (!old) {
			p.added++;
			what = "added";
		} else if (new_unit->load == LOAD_BAD && old->load == LOAD_OK) {
			p.broken++;
			what = "broken";
		} else if (new_unit->load == old->load && same_origins(now, old, then, new_unit)) {
			p.same++;
			continue;
		} else {
			p.changed++;
		}
		if (tell)
			tell(self, then, j, what);
	}
	for (uint32_t i = 0; i < now->n_units; i++) {
		if (table_find(then, name_in(now, i)) != NO_UNIT)
			continue;
		p.removed++;
		if (tell)
			tell(self, now, i, "removed");
	}
	return p;
}

/* Some reasons name another unit: it has another index now, or none. */
static void remap_why(struct manager *to, const struct manager *from, struct why *w)
{
	unit_ix j;

	switch ((enum why_code)w->code) {
	case WHY_NEEDS:
	case WHY_ORDER:
	case WHY_BOUND:
	case WHY_REQUISITE:
	case WHY_CONFLICT:
		j = (uint32_t)w->a < from->n ? table_find(to->table, name_in(from->table, (unit_ix)w->a)) : NO_UNIT;
		if (j == NO_UNIT)
			*w = (struct why){ .code = WHY_NONE };
		else
			w->a = (int32_t)j;
		break;
	default:
		break;
	}
}

static void move_gate(struct manager *to, struct manager *from, struct process *p, uint64_t source)
{
	if (p->gate < 0)
		return;
	loop_unwatch(&from->loop, p->gate);
	/* Cannot be watched: its end will be seen when the process is reaped. */
	(void)loop_watch(&to->loop, p->gate, source);
}

/* In the epoll that comes along it has another number from now on; its place in the order it keeps. */
static void move_log(struct manager *to, uint32_t j, const struct manager *from, uint32_t i)
{
	to->pipes[j] = from->pipes[i];
	if (to->pipes[j] >= 0)
		(void)sys_epoll_ctl(to->logs_ep, EPOLL_CTL_MOD, to->pipes[j], EPOLLIN, j);
}

static void move_service(struct manager *to, uint32_t j, struct manager *from, uint32_t i)
{
	struct service *a = &from->services[i], *b = &to->services[j];
	struct timer fresh[N_TIMERS];

	memcpy(fresh, b->timers, sizeof(fresh));
	bool was_started = a->r.state != INACTIVE || a->r.why.code != WHY_NOT_STARTED;
	/* A unit that was broken, or masked, and is at rest begins anew. */
	if (table_unit(from->table, i)->load != LOAD_OK || !was_started)
		return;
	*b = *a;
	memcpy(b->timers, fresh, sizeof(fresh));
	for (uint32_t k = 0; k < N_TIMERS; k++)
		if (a->timers[k].place)
			timer_arm(&to->loop, &b->timers[k], a->timers[k].at);
	for (uint32_t k = 0; k < N_UNIT_ROLES; k++) {
		move_gate(to, from, &b->proc[k], SOURCE(SOURCE_GATE, j << 2 | k));
		if (b->proc[k].pid > 0)
			pids_put(&to->pids, b->proc[k].pid, (enum role)k, j);
	}
	move_log(to, j, from, i);
	remap_why(to, from, &b->r.why);
	/* The probe that was under way answers to nobody: it is asked anew. */
	if (b->probe) {
		b->probe = 0;
		(void)verdict_result(&b->verdict, table_unit(to->table, j), WORD_UNKNOWN, to->now);
		timer_arm(&to->loop, &b->timers[TIMER_HEALTH], b->verdict.due);
	}
	if (table_unit(to->table, j)->health_kind == HEALTH_NONE && b->timers[TIMER_HEALTH].place) {
		timer_disarm(&to->loop, &b->timers[TIMER_HEALTH]);
		verdict_end(&b->verdict);
		b->r.health = HEALTH_UNKNOWN;
	}
	b->queued = b->held = b->long_way = false;
	b->settled = true;
	b->dirty = true;
	service_count(to, j);
	if (svc_live(b->r.state))
		to->live++;
	service_commit(to, j);
	order_look(to, j);
}

void manager_adopt(struct manager *to, struct manager *from)
{
	struct state *now = to->records.state;
	const struct state *was = from->records.state;

	to->now = from->now;
	(void)sys_close(to->logs_ep);
	to->logs_ep = from->logs_ep;
	for (uint32_t i = 0; i < from->n; i++) {
		unit_ix j = table_find(to->table, name_in(from->table, i));
		struct service *s = &from->services[i];

		if (j != NO_UNIT) {
			move_service(to, j, from, i);
		} else if (s->log >= 0) {
			(void)sys_close(s->log);
			(void)sys_epoll_ctl(from->logs_ep, EPOLL_CTL_DEL, from->pipes[i], 0, 0);
			(void)sys_close(from->pipes[i]);
		}
	}
	for (uint32_t k = 0; k < MAX_SESSIONS; k++) {
		struct session *x = &to->sessions[k];

		*x = from->sessions[k];
		if (!x->used)
			continue;
		x->unit = table_find(to->table, name_in(from->table, x->unit));
		pids_put(&to->pids, x->proc.pid, ROLE_EXEC, k);
		move_gate(to, from, &x->proc, SOURCE(SOURCE_SESSION, k));
		to->n_sessions++;
	}
	/* The desk, the probe and the loader stay behind; helpers that know nothing of units go along. */
	for (uint32_t k = HELPER_OTHERS; k < MAX_HELPERS; k++) {
		struct helper *a = &from->helpers[k], *b = &to->helpers[k];

		b->name = a->name;
		b->life = a->life;
		b->wanted = a->wanted;
		b->streak = a->streak;
		b->pid = a->pid;
		b->sock = a->sock;
		if (a->sock >= 0) {
			loop_unwatch(&from->loop, a->sock);
			(void)loop_watch(&to->loop, a->sock, SOURCE(SOURCE_HELPER, k));
		}
		if (a->pid > 0)
			pids_put(&to->pids, a->pid, ROLE_HELPER, k);
		now->helpers[k] = was->helpers[k];
	}
	to->log = from->log;
	move_log(to, to->n, from, from->n);
	to->any_bad = from->any_bad;
	to->any_ended = from->any_ended;
	to->begun = from->begun;
	to->offline = from->offline;
	to->first_bad = from->first_bad;
	to->probe_serial = from->probe_serial;
	now->booted = was->booted;
	now->boot_ready = was->boot_ready;
	now->wall = was->wall;
	now->pid = was->pid;
	now->generation = was->generation;
	now->container = was->container;
	now->strangers = was->strangers;
	now->helper_restarts = was->helper_restarts;
	memcpy(now->boot_steps, was->boot_steps, sizeof(now->boot_steps));
}

void manager_close(struct manager *m)
{
	(void)sys_close(m->loop.ep);
	(void)munmap(m->records.state, m->records.state->total);
	(void)sys_close(m->records.fd);
	(void)munmap(m->arena, m->arena_size);
	(void)munmap(m->pipes, (m->n + 1) * sizeof(*m->pipes));
}
