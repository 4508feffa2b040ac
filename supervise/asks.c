/* asks.c - what the desk asks of PID 1 (supervise/wire.h), each ask checked and answered once. */
#include <errno.h>
#include <signal.h>

#include "conf/kit/say.h"
#include "conf/kit/sys.h"
#include "supervise/inside.h"

static void reload_unit(struct manager *m, uint32_t i, struct message *answer)
{
	struct service *s = &m->services[i];
	const struct unit *u = table_unit(m->table, i);

	/* One that was given up before it was ever ready has nothing to reload. */
	bool up = s->r.state == UP || (s->r.state == SICK && s->up_since);

	if (up && !u->reload && !u->reload_signal)
		answer->a = REFUSED_NO_RELOAD;
	else if (!up || (!u->reload && s->r.main == 0))
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
	manager_tell_desk(m, &answer);
}

void asks_hear(struct manager *m)
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
