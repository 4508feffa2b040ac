/* manager.c - helpers, the desk's requests, shutdown, and one turn of the world. */
#include "supervise/manager.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "conf/kit/say.h"
#include "conf/kit/sys.h"
#include "health/probe.h"
#include "supervise/notify.h"
#include "supervise/why.h"

/* ---- arenas ---- */

/* Zeroed memory that children do not inherit: they have no business in it, and forking is cheaper without. */
static void *arena(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return NULL;
	(void)madvise(at, bytes, MADV_DONTFORK);
	return at;
}

static void lay_out_unit(struct manager *m, uint32_t i)
{
	struct service *s = &m->services[i];
	const struct unit *u = table_unit(m->table, i);

	for (uint32_t k = 0; k < N_TIMERS; k++)
		s->timers[k].id = TIMER_ID(i, k);
	for (uint32_t k = 0; k < N_UNIT_ROLES; k++)
		s->proc[k].gate = -1;
	s->log = s->root = m->pipes[i] = -1;
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
	uint32_t n = t->n_units, most_timers = n * N_TIMERS + MAX_HELPERS + 2, slots = 64;

	m->table = t;
	m->n = n;
	m->now = sys_now();
	while (slots < (n * N_UNIT_ROLES + MAX_SESSIONS) * 2)
		slots *= 2;
	int e = records_create(&m->records, n);
	if (e < 0)
		return e;
	m->services = arena(n * sizeof(*m->services) + 1);
	m->queue = arena(n * sizeof(*m->queue) + 1);
	m->pipes = calloc(n + 1, sizeof(*m->pipes));
	m->pids.slots = arena(slots * sizeof(*m->pids.slots));
	m->pids.mask = slots - 1;
	struct timer **heap = arena((most_timers + 1) * sizeof(*heap));
	if (!m->services || !m->queue || !m->pids.slots || !m->pipes || !heap)
		return -ENOMEM;
	e = loop_open(&m->loop, heap, most_timers);
	if (e < 0)
		return e;
	m->helpers[HELPER_DESK].name = "desk";
	m->helpers[HELPER_PROBE].name = "probe";
	for (uint32_t i = 0; i < MAX_HELPERS; i++) {
		m->helpers[i].sock = -1;
		m->helpers[i].timer.id = TIMER_ID(i, TIMER_MANAGER);
	}
	m->shutdown_timer.id = TIMER_ID(MAX_HELPERS, TIMER_MANAGER);
	m->retry_timer.id = TIMER_ID(MAX_HELPERS + 1, TIMER_MANAGER);
	m->log = m->pipes[n] = -1;
	m->records.state->booted = m->now;
	m->records.state->wall = sys_wall() - m->now;
	m->records.state->rung = m->rung;
	for (uint32_t i = 0; i < n; i++)
		lay_out_unit(m, i);
	if (m->signal_fd >= 0)
		e = loop_watch(&m->loop, m->signal_fd, SOURCE(SOURCE_SIGNALS, 0));
	if (e == 0 && m->notify_fd >= 0)
		e = loop_watch(&m->loop, m->notify_fd, SOURCE(SOURCE_NOTIFY, 0));
	return e;
}

static bool makes_log(const struct unit *u)
{
	return u->kind == UNIT_SERVICE && u->load == LOAD_OK && u->type != TYPE_CHECK && (u->out == OUT_LOG || u->err == OUT_LOG);
}

void manager_pipes(struct manager *m)
{
	if (m->log < 0 && spawn_pipe(&m->pipes[m->n], &m->log) == 0)
		(void)sys_nonblock(m->log);
	for (uint32_t i = 0; i < m->n; i++) {
		const struct unit *u = table_unit(m->table, i);

		/* Short of descriptors: the others get theirs when they start, or say why not. */
		if (u->autostart && makes_log(u) && spawn_pipe(&m->pipes[i], &m->services[i].log) < 0)
			return;
	}
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
		say(SAY_ERROR, "the helper \"%s\" cannot be started (%s); trying again", h->name, strerror(-e));
		timer_arm(&m->loop, &h->timer, time_add(m->now, 1000));
		return;
	}
	h->pid = e;
	h->sock = two[0];
	m->records.state->helpers[i] = (uint32_t)e;
	pids_put(&m->pids, e, ROLE_HELPER, i);
}

static void tell_desk(struct manager *m, const struct message *msg, const int *fds, int n)
{
	struct helper *h = &m->helpers[HELPER_DESK];

	if (h->sock >= 0 && sys_send(h->sock, msg, sizeof(*msg), fds, n) == -EAGAIN)
		h->mute = true;
}

/* ---- what the desk asks ---- */

static void reload_unit(struct manager *m, uint32_t i, struct message *answer)
{
	struct service *s = &m->services[i];
	const struct unit *u = table_unit(m->table, i);

	/* One that was given up before it was ever ready has nothing to reload. */
	if (s->r.state != UP && !(s->r.state == SICK && s->up_since))
		answer->a = REFUSED_NOT_RUNNING;
	else if (!u->reload && !u->reload_signal)
		answer->a = REFUSED_NO_RELOAD;
	else if (!u->reload && s->r.main == 0)
		answer->a = REFUSED_NOT_RUNNING;
	else if (!u->reload)
		(void)sys_kill(s->r.main, u->reload_signal);
	else
		service_event(m, i, EV_RELOAD);
}

static void ask_one(struct manager *m, enum ask ask, uint32_t i, int32_t a, struct message *answer)
{
	struct service *s = &m->services[i];
	const struct unit *u = table_unit(m->table, i);

	switch (ask) {
	case ASK_START:
		if (u->load != LOAD_OK || (u->kind != UNIT_SERVICE && u->kind != UNIT_TARGET))
			answer->a = REFUSED_NOT_LOADED;
		else
			order_start(m, i, true);
		break;
	case ASK_STOP:
		order_stop(m, i, ASKED_BY_HAND);
		break;
	case ASK_RESTART:
		if (u->load != LOAD_OK || (u->kind != UNIT_SERVICE && u->kind != UNIT_TARGET)) {
			answer->a = REFUSED_NOT_LOADED;
		} else if (svc_live(s->r.state) || s->r.state == RESTING) {
			policy_forgive(&s->history);
			s->r.restarts = 0;
			s->dirty = true;
			order_stop(m, i, ASKED_RESTART);
		} else {
			order_start(m, i, true);
		}
		break;
	case ASK_RELOAD:
		reload_unit(m, i, answer);
		break;
	case ASK_RESET:
		policy_forgive(&s->history);
		s->r.restarts = 0;
		s->dirty = true;
		if (u->load == LOAD_OK)
			service_event(m, i, EV_RESET);
		if (u->load == LOAD_OK && s->r.state == INACTIVE && s->r.wanted && !s->start_pending) {
			s->r.wanted = 0;
			service_count(m, i);
			service_why(s, WHY_NOT_STARTED, 0, 0);
		}
		service_commit(m, i);
		break;
	case ASK_KILL:
		if (a < 1 || a > 64)
			answer->a = REFUSED_SIGNAL;
		else if (s->r.main == 0)
			answer->a = REFUSED_NOT_RUNNING;
		else
			answer->a = sys_kill(s->r.main, a);
		break;
	default:
		answer->a = -EINVAL;
		break;
	}
}

static void ask_exec(struct manager *m, const struct message *q, const int *fds, int n, struct message *answer)
{
	struct session *x = NULL;

	for (uint32_t k = 0; k < MAX_SESSIONS && !x; k++)
		if (!m->sessions[k].used)
			x = &m->sessions[k];
	if (n != 4) {
		answer->a = -EBADF;
	} else if (!x) {
		answer->a = REFUSED_FULL;
	} else if (table_unit(m->table, q->unit)->load != LOAD_OK) {
		answer->a = REFUSED_NOT_LOADED;
	} else if (unit_rooted(table_unit(m->table, q->unit)) && m->services[q->unit].root < 0 &&
		   m->services[q->unit].r.main == 0) {
		/* Its root is made by its first process: there is none to enter. */
		answer->a = REFUSED_NOT_RUNNING;
	} else {
		x->unit = q->unit;
		x->serial = q->serial;
		x->proc = (struct process){ .gate = -1 };
		answer->a = spawn_session(m, x, fds, (uint32_t)q->a);
		if (answer->a == 0) {
			x->used = true;
			answer->kind = TELL_EXEC_PID;
			answer->a = x->proc.pid;
		}
	}
}

static void ask_exec_kill(struct manager *m, const struct message *q)
{
	for (uint32_t k = 0; k < MAX_SESSIONS; k++) {
		struct session *x = &m->sessions[k];

		if (x->used && x->serial == (uint32_t)q->a && q->b >= 1 && q->b <= 64)
			process_kill(&x->proc, q->b);
	}
}

static void answer_ask(struct manager *m, const struct message *q, const int *fds, int n)
{
	struct message answer = { .kind = TELL_DONE, .serial = q->serial, .unit = q->unit };
	bool all = q->unit == NO_UNIT;

	switch ((enum ask)q->kind) {
	case ASK_PING:
		break;
	case ASK_START:
	case ASK_RESTART:
	case ASK_EXEC:
		if (m->how != HOW_NONE) {
			answer.a = REFUSED_STOPPING;
			break;
		}
		/* fall through */
	case ASK_STOP:
	case ASK_RELOAD:
	case ASK_RESET:
	case ASK_KILL:
		if (!all && q->unit >= m->n)
			answer.a = -ENOENT;
		else if (q->kind == ASK_EXEC && all)
			answer.a = -EINVAL;
		else if (q->kind == ASK_EXEC)
			ask_exec(m, q, fds, n, &answer);
		else if (!all)
			ask_one(m, (enum ask)q->kind, q->unit, q->a, &answer);
		else
			for (uint32_t i = 0; i < m->n; i++) {
				struct message unused = answer;

				ask_one(m, (enum ask)q->kind, i, q->a, &unused);
			}
		break;
	case ASK_EXEC_KILL:
		ask_exec_kill(m, q);
		return;
	case ASK_LOG_LOST:
		return;
	case ASK_BELL:
		m->bell_wanted = q->a != 0;
		m->bell = m->bell_wanted;
		return;
	case ASK_SHUTDOWN:
		if (q->a <= HOW_NONE || q->a >= N_HOWS || q->b < -1 || q->b > 255)
			answer.a = -EINVAL;
		else
			manager_shutdown(m, (enum how)q->a, q->b, "asked on the control socket");
		break;
	default:
		answer.a = REFUSED_NOT_HERE;
		break;
	}
	if (answer.a == REFUSED_NOT_LOADED && !all) {
		uint8_t load = table_unit(m->table, q->unit)->load;

		answer.why.code = load == LOAD_BAD ? WHY_BAD_FILE : load == LOAD_MASKED ? WHY_MASKED : WHY_NONE;
	}
	tell_desk(m, &answer, NULL, 0);
}

static void hear_desk(struct manager *m)
{
	struct helper *h = &m->helpers[HELPER_DESK];

	/* A bounded number a turn: whoever asks without end does not keep the others waiting. */
	for (int k = 0; k < 64 && h->sock >= 0; k++) {
		struct message q;
		int fds[4], n = 4;
		ssize_t got = sys_recv(h->sock, &q, sizeof(q), fds, &n);

		if (got == -EAGAIN)
			break;
		if (got == (ssize_t)sizeof(q)) {
			h->streak = 0;
			answer_ask(m, &q, fds, n);
		}
		for (int f = 0; got >= 0 && f < n; f++)
			(void)sys_close(fds[f]);
		if (got <= 0) {
			/* It is gone; its reaping starts the next one. */
			loop_unwatch(&m->loop, h->sock);
			(void)sys_close(h->sock);
			h->sock = -1;
		}
	}
	if (h->mute && h->sock >= 0) {
		h->mute = false;
		m->bell = true;
	}
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

/* ---- shutdown ---- */

void manager_shutdown(struct manager *m, enum how how, int code, const char *why)
{
	static const char *const words[N_HOWS] = {
		[HOW_EXIT] = "stopping", [HOW_POWEROFF] = "powering off", [HOW_HALT] = "halting", [HOW_REBOOT] = "rebooting",
	};

	m->stop_signals++;
	if (m->how != HOW_NONE) {
		say(SAY_WARNING, "asked again to stop: what still runs gets SIGKILL now");
		m->deadline = m->now;
		timer_arm(&m->loop, &m->shutdown_timer, m->now);
		return;
	}
	m->how = (uint8_t)how;
	m->exit_code = code < 0 ? 0 : code;
	m->records.state->shutdown = (uint8_t)how;
	m->deadline = m->budget == FOREVER ? FOREVER : time_add(m->now, m->budget);
	say(SAY_INFO, "%s%s%s", words[how], why ? ": " : "", why ? why : "");
	/* SIGKILL goes out before the last tenth of the budget, so that its effect is seen within it. */
	if (m->deadline != FOREVER)
		timer_arm(&m->loop, &m->shutdown_timer, m->deadline - m->budget / 10);
	m->sweep = SWEEP_UNITS;
	struct message stopping = { .kind = TELL_STOPPING };
	tell_desk(m, &stopping, NULL, 0);
	for (uint32_t i = 0; i < m->n; i++)
		order_stop(m, i, ASKED_SHUTDOWN);
}

static bool children_left(struct manager *m)
{
	struct sys_exit x;

	spawn_reap(m);
	return sys_reap_peek(&x) != -ECHILD;
}

static void stop_helpers(struct manager *m)
{
	say_to(2, "coppice: ");
	for (uint32_t i = 0; i < MAX_HELPERS; i++) {
		struct helper *h = &m->helpers[i];

		h->wanted = false;
		if (h->sock >= 0) {
			loop_unwatch(&m->loop, h->sock);
			(void)sys_close(h->sock);
			h->sock = -1;
		}
	}
}

/* Processes that came in from outside (an operator's shell) are no children of ours, but die with us. */
static bool nobody_left(struct manager *m)
{
	if (children_left(m))
		return false;
	if (!m->is_init || sys_kill(-1, 0) == -ESRCH)
		return true;
	/* Their end is not told to us: look again soon. */
	timer_arm(&m->loop, &m->retry_timer, time_add(m->now, 20));
	return false;
}

/*
 * The end, step by step; each step is over when nobody it waits for is left, or
 * when the shutdown timer ran out. Units first; then whoever else lives in our
 * namespace (TERM, then KILL); the desk last, for it has lines to write.
 */
static void sweep(struct manager *m)
{
	enum { LEAST = 500, MOST = 5000 }; /* ms that strangers get between TERM and KILL, by what is left of the budget */

	if (m->sweep == SWEEP_UNITS && m->live == 0 && m->n_sessions == 0) {
		for (uint32_t i = 0; i < m->n; i++)
			if (m->services[i].proc[ROLE_CLEANER].pid > 0)
				return;
		m->sweep = SWEEP_REST;
		stop_helpers(m);
		spawn_sweeper(m, SIGTERM);
		spawn_sweeper(m, SIGCONT);
		msec_t left = m->deadline == FOREVER ? MOST : m->deadline > m->now ? (m->deadline - m->now) / 2 : 0;

		timer_arm(&m->loop, &m->shutdown_timer, time_add(m->now, left > MOST ? MOST : left < LEAST ? LEAST : left));
	}
	/* The end of the last one may have left something to do: its upper layer to remove. */
	if ((m->sweep == SWEEP_REST || m->sweep == SWEEP_KILL) && nobody_left(m) && m->queue_n == 0)
		m->sweep = SWEEP_OVER;
}

static void shutdown_timer(struct manager *m)
{
	switch (m->sweep) {
	case SWEEP_UNITS:
		for (uint32_t i = 0; i < m->n; i++) {
			struct service *s = &m->services[i];

			s->stop_pending = false;
			service_event(m, i, EV_FORCE);
		}
		for (uint32_t k = 0; k < MAX_SESSIONS; k++)
			if (m->sessions[k].used)
				process_kill(&m->sessions[k].proc, SIGKILL);
		m->sweep = SWEEP_FORCED;
		/* What SIGKILL does not end hangs in the kernel: it is told, and left behind. */
		timer_arm(&m->loop, &m->shutdown_timer, time_add(m->now, m->deadline > m->now ? m->deadline - m->now : 1000));
		break;
	case SWEEP_FORCED:
		for (uint32_t i = 0; i < m->n; i++)
			if (svc_live(m->services[i].r.state))
				say(SAY_ERROR, "%s: SIGKILL was sent and it is still there; the container ends without it",
				    table_text(m->table, table_unit(m->table, i)->name));
		stop_helpers(m);
		spawn_sweeper(m, SIGKILL);
		m->sweep = SWEEP_KILL;
		timer_arm(&m->loop, &m->shutdown_timer, time_add(m->now, 500));
		break;
	case SWEEP_REST:
		spawn_sweeper(m, SIGKILL);
		m->sweep = SWEEP_KILL;
		timer_arm(&m->loop, &m->shutdown_timer, time_add(m->now, 500));
		break;
	default:
		m->sweep = SWEEP_OVER;
		break;
	}
}

/* ExitPolicy=all: nothing that was started is left, and nothing is to come. */
static void consider_all(struct manager *m)
{
	if (m->how != HOW_NONE || m->table->house.exit_policy != EXIT_ALL || m->live > 0 || m->unsettled > 0 || !m->any_ended)
		return;
	manager_shutdown(m, HOW_EXIT, m->any_bad ? (int)m->first_bad : 0, "every unit has ended (ExitPolicy=all)");
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
		shutdown_timer(m);
	} else {
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
}

bool manager_turn(struct manager *m)
{
	uint64_t sources[LOOP_EVENTS];
	msec_t late;
	bool child = false;
	/* What was said in the last turn is read by others only now: they do not compete with what it started. */
	say_flush();
	int n = loop_wait(&m->loop, m->now, m->queue_n > 0, sources, &late);

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
				hear_desk(m);
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
	consider_all(m);
	if (m->how != HOW_NONE) {
		sweep(m);
		order_settle(m);
	}
	look_around(m);
	if (m->bell) {
		struct message bell = { .kind = TELL_BELL };

		m->bell = false;
		if (m->bell_wanted)
			tell_desk(m, &bell, NULL, 0);
	}
	return m->sweep != SWEEP_OVER;
}
