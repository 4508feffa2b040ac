/* manager.c - the arenas, the helpers, and one turn of the world. */
#include "supervise/manager.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "conf/kit/say.h"
#include "conf/kit/sys.h"
#include "health/probe.h"
#include "supervise/caps.h"
#include "supervise/notify.h"
#include "supervise/why.h"

/* ---- arenas ---- */

static void *zeroed(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

/* Takes its share of the room that begins at *at; NULL: only finds out how large that has to be. */
static void *share(char *room, size_t *at, size_t bytes)
{
	size_t from = (*at + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) * _Alignof(max_align_t);

	*at = from + bytes;
	return room ? room + from : NULL;
}

static size_t lay_out(struct manager *m, char *room, uint32_t slots, uint32_t most_timers, struct timer ***heap)
{
	size_t at = 0;

	m->services = share(room, &at, m->n * sizeof(*m->services));
	m->queue = share(room, &at, m->n * sizeof(*m->queue));
	m->held = share(room, &at, m->n * sizeof(*m->held));
	m->pids.slots = share(room, &at, slots * sizeof(*m->pids.slots));
	*heap = share(room, &at, (most_timers + 1) * sizeof(struct timer *)); /* NOLINT(bugprone-sizeof-expression): of pointers, as meant */
	return at;
}

/* All in one piece, which children do not inherit: they have no business in it, and forking is cheaper without. */
static bool make_arena(struct manager *m, uint32_t slots, uint32_t most_timers, struct timer ***heap)
{
	m->arena_size = lay_out(m, NULL, slots, most_timers, heap);
	m->arena = zeroed(m->arena_size);
	/* The desk inherits these. */
	m->pipes = zeroed((m->n + 1) * sizeof(*m->pipes));
	if (!m->arena || !m->pipes)
		return false;
	(void)madvise(m->arena, m->arena_size, MADV_DONTFORK);
	(void)lay_out(m, m->arena, slots, most_timers, heap);
	return true;
}

static void lay_out_unit(struct manager *m, uint32_t i)
{
	struct service *s = &m->services[i];
	const struct unit *u = table_unit(m->table, i);

	for (uint32_t k = 0; k < N_TIMERS; k++)
		s->timers[k].id = TIMER_ID(i, k);
	for (uint32_t k = 0; k < N_UNIT_ROLES; k++)
		s->proc[k].gate = -1;
	s->log = s->root = s->top = m->pipes[i] = -1;
	s->settled = true;
	verdict_end(&s->verdict);
	s->r.state = u->load == LOAD_BAD ? FAILED : INACTIVE;
	s->r.face = svc_face(s->r.state);
	s->r.since = m->now;
	service_why(s, u->load == LOAD_BAD ? WHY_BAD_FILE : u->load == LOAD_MASKED ? WHY_MASKED : WHY_NOT_STARTED, 0, 0);
	if (u->stop_priority != 0)
		m->prioritised = true;
	service_commit(m, i);
}

int manager_open(struct manager *m, const struct table *t)
{
	uint32_t n = t->n_units, most_timers = n * N_TIMERS + MAX_HELPERS + 3, slots = 64;

	m->table = t;
	m->n = n;
	m->now = sys_now();
	/* Pads, two ends of a pipe and a gate each, a few of our own; roots come one by one. */
	sys_room(160 + 3 * (int)n);
	while (slots < (n * N_UNIT_ROLES + MAX_SESSIONS) * 2)
		slots *= 2;
	int e = records_create(&m->records, n);
	if (e < 0)
		return e;
	struct timer **heap;
	if (!make_arena(m, slots, most_timers, &heap))
		return -ENOMEM;
	m->pids.mask = slots - 1;
	e = loop_open(&m->loop, heap, most_timers);
	if (e < 0)
		return e;
	m->logs_ep = sys_epoll();
	if (m->logs_ep < 0)
		return m->logs_ep;
	m->helpers[HELPER_DESK].name = "desk";
	m->helpers[HELPER_PROBE].name = "probe";
	for (uint32_t i = 0; i < MAX_HELPERS; i++) {
		m->helpers[i].sock = -1;
		m->helpers[i].timer.id = TIMER_ID(i, TIMER_MANAGER);
	}
	m->shutdown_timer.id = TIMER_ID(MAX_HELPERS, TIMER_MANAGER);
	m->retry_timer.id = TIMER_ID(MAX_HELPERS + 1, TIMER_MANAGER);
	m->init_timer.id = TIMER_ID(MAX_HELPERS + 2, TIMER_MANAGER);
	m->dice = sys_random();
	m->online_target = table_find(t, ONLINE_TARGET);
	m->log = m->pipes[n] = -1;
	m->records.state->booted = m->now;
	m->records.state->wall = sys_wall() - m->now;
	m->records.state->rung = m->rung;
	for (uint32_t i = 0; i < n; i++)
		lay_out_unit(m, i);
	if (m->signal_fd >= 0)
		e = loop_watch(&m->loop, m->signal_fd, SOURCE(SOURCE_SIGNALS, 0));
	if (e == 0 && m->notify_fd >= 0)
		e = manager_listen(m, m->notify_fd);
	return e;
}

int manager_listen(struct manager *m, int notify_fd)
{
	m->notify_fd = notify_fd;
	return loop_watch(&m->loop, notify_fd, SOURCE(SOURCE_NOTIFY, 0));
}

static bool makes_log(const struct unit *u)
{
	return u->kind == UNIT_SERVICE && u->load == LOAD_OK && u->type != TYPE_CHECK && (u->out == OUT_LOG || u->err == OUT_LOG);
}

void manager_log(struct manager *m)
{
	if (m->log < 0 && spawn_log(m, m->n, &m->log) == 0)
		(void)sys_nonblock(m->log);
}

/* Of the units that start by themselves, and have not yet: the desk inherits them all at once. */
static void make_pipes(struct manager *m)
{
	for (uint32_t i = 0; i < m->n; i++) {
		const struct unit *u = table_unit(m->table, i);

		/* Short of descriptors: the others get theirs when they start, or say why not. */
		if (u->autostart && makes_log(u) && spawn_log(m, i, &m->services[i].log) < 0)
			return;
	}
}

static bool any_full(const struct table *t, list_at commands)
{
	for (uint32_t k = 0, n = list_count(t, commands); k < n; k++)
		if (((const struct command *)(const void *)table_words(t, list_item(t, commands, k)))->flags & CMD_FULL)
			return true;
	return false;
}

/* What any of the units may hold. */
static uint64_t wanted_caps(const struct table *t)
{
	uint64_t set = 0;

	for (uint32_t i = 0; i < t->n_units; i++) {
		const struct unit *u = table_unit(t, i);
		const list_at lists[] = { u->pre, u->start, u->post, u->reload, u->stop, u->stop_post, u->condition, u->health_cmd };

		set |= u->bounding | u->ambient;
		for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++)
			set |= any_full(t, lists[k]) ? ~CAPS_NEVER_IMPLIED : 0;
	}
	return set;
}

void manager_forgo(struct manager *m)
{
	m->bounding = caps_forgo(m->bounding, wanted_caps(m->table));
}

void manager_begin(struct manager *m)
{
	m->now = sys_now();
	m->begun = true;
	for (uint32_t i = 0; i < m->n; i++) {
		const struct unit *u = table_unit(m->table, i);

		if (u->autostart && (u->kind == UNIT_SERVICE || u->kind == UNIT_TARGET))
			order_start(m, i, false);
	}
}

/* ---- helpers ---- */

void manager_helper(struct manager *m, uint32_t i)
{
	struct helper *h = &m->helpers[i];
	int two[2];

	if (!h->wanted || h->pid > 0)
		return;
	if (h->ready)
		h->ready();
	if (i == HELPER_DESK)
		make_pipes(m);
	int e = sys_socketpair(two);
	if (e == 0) {
		e = loop_watch(&m->loop, two[0], SOURCE(SOURCE_HELPER, i));
		pid_t pid = e < 0 ? e : sys_fork();
		if (pid == 0) {
			(void)sys_close(two[0]);
			_exit(h->life(m, two[1], i));
		}
		(void)sys_close(two[1]);
		if (pid < 0) {
			loop_unwatch(&m->loop, two[0]);
			(void)sys_close(two[0]);
		}
		e = pid;
	}
	if (e < 0) {
		/* Nobody reads what we would say to the desk. */
		if (i == HELPER_DESK)
			say_to(2, "coppice: ");
		say(SAY_ERROR, "the helper \"%s\" cannot be started (%s); trying again", h->name, strerror(-e));
		timer_arm(&m->loop, &h->timer, time_add(m->now, 1000));
		return;
	}
	if (i == HELPER_DESK && m->log >= 0)
		say_to(m->log, "");
	h->pid = e;
	h->sock = two[0];
	m->records.state->helpers[i] = (uint32_t)e;
	pids_put(&m->pids, e, ROLE_HELPER, i);
}

void manager_tell_desk(struct manager *m, const struct message *msg)
{
	struct helper *h = &m->helpers[HELPER_DESK];

	if (h->sock >= 0 && sys_send(h->sock, msg, sizeof(*msg), NULL, 0) == -EAGAIN)
		h->mute = true;
}

void manager_hand_desk(struct manager *m, const struct message *msg, int fd)
{
	const struct helper *h = &m->helpers[HELPER_DESK];

	if (h->sock >= 0 && sys_send(h->sock, msg, sizeof(*msg), &fd, 1) == -EAGAIN)
		(void)sys_kill(h->pid, SIGKILL);
}

static void hear_probe(struct manager *m)
{
	struct helper *h = &m->helpers[HELPER_PROBE];

	for (int k = 0; k < 256 && h->sock >= 0; k++) {
		struct probe_tell t;
		ssize_t got = sys_recv(h->sock, &t, sizeof(t), NULL, NULL);

		if (got == -EAGAIN)
			return;
		if (got == 0 || (got < 0 && got != -EAGAIN)) {
			loop_unwatch(&m->loop, h->sock);
			(void)sys_close(h->sock);
			h->sock = -1;
			return;
		}
		if (got != (ssize_t)sizeof(t) || t.unit >= m->n || m->services[t.unit].probe != t.serial || t.serial == 0)
			continue;
		h->streak = 0;
		/* What could not be tried says nothing of the unit. */
		service_health(m, t.unit, t.result == PROBE_OK ? WORD_SUCCESS :
			       DETAIL_WHAT(t.detail) == DETAIL_SYSTEM ? WORD_UNKNOWN : WORD_FAILURE, t.detail);
	}
}

/* ---- notify ---- */

static bool may_notify(struct manager *m, uint32_t i, pid_t pid)
{
	const struct service *s = &m->services[i];
	const struct unit *u = table_unit(m->table, i);

	switch (u->notify_access) {
	case NOTIFY_MAIN:
		return pid == s->r.main;
	case NOTIFY_EXEC:
		return pid == s->r.main || pid == s->r.control;
	case NOTIFY_ALL:
		return true;
	default:
		return u->type == TYPE_NOTIFY && pid == s->r.main;
	}
}

static void hear_notify(struct manager *m)
{
	static char text[NOTIFY_MAX];

	for (int k = 0; k < 256; k++) {
		pid_t pid;
		uid_t uid;
		ssize_t got = sys_recv_from(m->notify_fd, text, sizeof(text), &pid, &uid);
		enum role role;
		uint32_t i;

		if (got < 0)
			return;
		if (got == 0 || pid <= 0)
			continue;
		/* Who it is by the kernel's word: one of ours, or of a session that one of ours leads. */
		if (!pids_find(&m->pids, pid, &role, &i)) {
			pid_t leader = sys_getsid(pid);

			if (leader <= 0 || !pids_find(&m->pids, leader, &role, &i))
				continue;
		}
		if (role >= N_UNIT_ROLES || !may_notify(m, i, pid))
			continue;
		service_notified(m, i, notify_scan(text, (size_t)got));
	}
}

/* ---- the turn ---- */

static void hear_signals(struct manager *m)
{
	struct signalfd_siginfo si[16];
	ssize_t got;

	while ((got = sys_read(m->signal_fd, si, sizeof(si))) > 0) {
		for (size_t k = 0; k < (size_t)got / sizeof(si[0]); k++)
			if (si[k].ssi_signo != SIGCHLD && m->on_signal)
				m->on_signal(m, (int)si[k].ssi_signo);
	}
}

static void ring(struct manager *m, struct timer *t)
{
	uint32_t which = t->id & 3u, i = t->id >> 2;

	if (which != TIMER_MANAGER) {
		service_timer(m, i, which);
	} else if (i < MAX_HELPERS) {
		manager_helper(m, i);
	} else if (t == &m->shutdown_timer) {
		shutdown_ring(m);
	} else if (t == &m->retry_timer) {
		for (uint32_t k = 0; k < m->n; k++)
			if (m->services[k].r.state == WAITING)
				order_look(m, k);
	}
}

static void look_around(struct manager *m)
{
	if (m->begun && m->unsettled == 0 && m->records.state->boot_ready == 0 && m->how == HOW_NONE) {
		uint32_t ready = 0, failed = 0;

		m->records.state->boot_ready = m->now;
		for (uint32_t i = 0; i < m->n; i++) {
			ready += m->services[i].r.ready;
			failed += m->services[i].r.state == FAILED;
		}
		say(SAY_INFO, "up: %u of %u units ready, %u failed, after %lld ms", ready, m->n, failed,
		    (long long)(m->now - m->records.state->booted));
		m->bell = true;
	}
	m->records.state->quiet = m->unsettled == 0;
	if (m->unsettled == 0)
		shortcuts_rest(&m->shortcuts);
}

bool manager_turn(struct manager *m)
{
	uint64_t sources[LOOP_EVENTS];
	msec_t late;
	bool child = false;

	/* All that is on its way was started just now, and nobody waits for it: what it says first can wait as well. */
	if (m->launches > 0 && m->launches == m->unsettled && m->queue_n + m->held_n == 0 && m->how == HOW_NONE)
		m->now = loop_doze(&m->loop, m->now, m->signal_fd);
	m->launches = 0;
	/* What was said in the last turn is read by others only now: they do not compete with what it started. */
	say_flush();
	int n = loop_wait(&m->loop, m->now, m->queue_n > 0 ? 0 : m->held_n > 0 ? CROWD_WAITS : FOREVER, sources, &late);

	/* Those on the shortcuts are stuck: the others go the long way. */
	m->hurried = m->held_n > 0 && m->queue_n == 0 && n == 0;

	m->now = sys_now();
	/* Whoever stopped us stopped the units too: their checks get that time back. */
	if (late > 1000)
		for (uint32_t i = 0; i < m->n; i++)
			verdict_stalled(&m->services[i].verdict, late);
	for (int k = 0; k < n; k++)
		if (SOURCE_KIND(sources[k]) == SOURCE_NOTIFY)
			hear_notify(m);
	for (int k = 0; k < n; k++)
		if (SOURCE_KIND(sources[k]) == SOURCE_SIGNALS) {
			hear_signals(m);
			child = true;
		}
	if (child)
		spawn_reap(m);
	for (struct timer *t; (t = timer_due(&m->loop, m->now));)
		ring(m, t);
	for (int k = 0; k < n; k++) {
		uint32_t index = SOURCE_INDEX(sources[k]);

		switch ((enum source)SOURCE_KIND(sources[k])) {
		case SOURCE_GATE:
			service_gate(m, index >> 2, (enum role)(index & 3u));
			break;
		case SOURCE_SESSION:
			session_gate(m, index);
			break;
		case SOURCE_HELPER:
			if (index == HELPER_DESK)
				asks_hear(m);
			else if (index == HELPER_PROBE)
				hear_probe(m);
			else if (m->on_helper)
				m->on_helper(m, index);
			break;
		default:
			break;
		}
	}
	order_settle(m);
	shutdown_consider(m);
	if (m->how != HOW_NONE) {
		shutdown_sweep(m);
		order_settle(m);
	}
	look_around(m);
	if (m->bell) {
		struct message bell = { .kind = TELL_BELL };

		m->bell = false;
		if (m->bell_wanted)
			manager_tell_desk(m, &bell);
	}
	return m->sweep != SWEEP_OVER;
}
