/*
 * hear.c - what reaches a service from outside, made into events: gates, ends of
 * processes, timers, health results, notifications.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "conf/kit/say.h"
#include "conf/kit/sys.h"
#include "health/probe.h"
#include "supervise/inside.h"
#include "supervise/notify.h"
#include "supervise/why.h"

static void start_check(struct manager *m, uint32_t i)
{
	struct service *s = &m->services[i];
	const struct unit *u = unit_of(m, i);
	msec_t until = verdict_asked(&s->verdict, u, m->now);
	int e = 0;

	timer_arm(&m->loop, &s->timers[TIMER_HEALTH], until);
	if (u->health_kind == HEALTH_CMD) {
		e = spawn_unit(m, i, ROLE_HEALTH, PHASE_HEALTH, list_item(m->table, u->health_cmd, 0));
	} else {
		struct probe_ask ask = { .unit = i, .serial = ++m->probe_serial, .main = s->r.main,
					 .timeout = until - m->now > INT32_MAX ? INT32_MAX : (int32_t)(until - m->now) };
		struct helper *h = &m->helpers[HELPER_PROBE];

		if (ask.serial == 0)
			ask.serial = ++m->probe_serial;
		s->probe = ask.serial;
		if (h->sock < 0)
			e = -ENOTCONN;
		else if (sys_send(h->sock, &ask, sizeof(ask), &s->top, s->top >= 0) < 0)
			e = -EAGAIN;
	}
	if (e < 0)
		service_health(m, i, WORD_UNKNOWN, DETAIL(DETAIL_SYSTEM, -e));
}

void service_health(struct manager *m, uint32_t i, enum health_word word, int32_t detail)
{
	struct service *s = &m->services[i];
	const struct unit *u = unit_of(m, i);

	s->probe = 0;
	enum verdict_news news = verdict_result(&s->verdict, u, word, m->now);

	timer_arm(&m->loop, &s->timers[TIMER_HEALTH], s->verdict.due);
	if (s->r.health != s->verdict.word || s->r.failures != s->verdict.failures || s->r.detail != detail) {
		s->r.health = s->verdict.word;
		s->r.failures = s->verdict.failures;
		s->r.detail = detail;
		s->dirty = true;
	}
	switch (news) {
	case VERDICT_READY:
		if (u->type != TYPE_NOTIFY || s->said_ready)
			service_event(m, i, EV_READY);
		break;
	case VERDICT_WELL:
		/* One that was given up before it was ever ready is so only now, and only if it has said so where it must. */
		if (s->r.state != SICK || s->up_since)
			service_event(m, i, EV_WELL);
		else if (u->type != TYPE_NOTIFY || s->said_ready)
			service_event(m, i, EV_READY);
		break;
	case VERDICT_SICK:
		service_why(s, WHY_SICK, (int32_t)s->verdict.failures, detail);
		service_event(m, i, EV_SICK);
		if (u->on_sick == SICK_NONE || !svc_live(s->r.state) || u->type == TYPE_CHECK)
			break;
		note_end(s, END_SICK, WHY_SICK, (int32_t)s->verdict.failures, detail);
		service_event(m, i, EV_STOP);
		break;
	default:
		break;
	}
	service_commit(m, i);
}

void service_timer(struct manager *m, uint32_t i, uint32_t which)
{
	struct service *s = &m->services[i];

	switch (which) {
	case TIMER_HEALTH:
		if (!s->verdict.asked) {
			start_check(m, i);
		} else if (s->proc[ROLE_HEALTH].pid > 0) {
			/* HealthTimeout= is over; the answer is given when it has been reaped. */
			process_kill(&s->proc[ROLE_HEALTH], SIGKILL);
			s->r.detail = DETAIL(DETAIL_TIMEOUT, 0);
			s->dirty = true;
		} else {
			service_health(m, i, WORD_FAILURE, DETAIL(DETAIL_TIMEOUT, 0));
		}
		service_commit(m, i);
		return;
	case TIMER_DOG:
		note_end(s, END_WATCHDOG, WHY_WATCHDOG, 0, 0);
		service_event(m, i, EV_DOG);
		return;
	default:
		break;
	}
	switch ((enum svc_state)s->r.state) {
	case PREPARING:
	case LAUNCHING:
	case STARTING:
	case POSTING:
		note_end(s, END_TIMEOUT, WHY_START_TIMEOUT, 0, 0);
		break;
	case UP:
	case SICK:
		note_end(s, END_TIMEOUT, WHY_RUNTIME_MAX, 0, 0);
		break;
	case ENDING:
	case STOPPING:
		note_end(s, END_TIMEOUT, WHY_STOP_TIMEOUT, 0, 0);
		say(SAY_WARNING, "%s: it has not stopped in time; SIGKILL follows", name_of(m, i));
		break;
	case KILLING:
		service_why(s, WHY_UNKILLABLE, 0, 0);
		say(SAY_ERROR, "%s: SIGKILL was sent and it is still there; it may hang in the kernel (state D in ps)", name_of(m, i));
		break;
	default:
		break;
	}
	service_event(m, i, EV_TIMER);
}

void service_notified(struct manager *m, uint32_t i, uint32_t bits)
{
	struct service *s = &m->services[i];
	const struct unit *u = unit_of(m, i);

	if (bits & SAID_WATCHDOG && s->timers[TIMER_DOG].place)
		timer_arm(&m->loop, &s->timers[TIMER_DOG], time_add(m->now, u->watchdog));
	if (bits & SAID_TRIGGER && s->timers[TIMER_DOG].place) {
		timer_disarm(&m->loop, &s->timers[TIMER_DOG]);
		service_timer(m, i, TIMER_DOG);
	}
	if (bits & SAID_READY && !s->said_ready && (s->r.state == LAUNCHING || s->r.state == STARTING || s->r.state == SICK)) {
		s->said_ready = true;
		/* Said before we could see that it was executed: WATCH will remember. */
		if (u->type == TYPE_NOTIFY && s->r.state != LAUNCHING && (!has_checks(u) || s->verdict.ready))
			service_event(m, i, EV_READY);
	}
}

/* A forking daemon's own process: taken for main if it is our child by now, and nobody else's. */
static void adopt_daemon(struct manager *m, uint32_t i, pid_t pid)
{
	struct service *s = &m->services[i];
	struct process *p = &s->proc[ROLE_MAIN];
	enum role role;
	uint32_t other;

	if (s->r.state != STARTING || p->pid > 0 || pid <= 1 || pids_find(&m->pids, pid, &role, &other) || !sys_is_child(pid)) {
		say(SAY_WARNING, "%s: its PIDFile= names %d, which is none of its processes", name_of(m, i), (int)pid);
		return;
	}
	pid_t group = sys_getpgid(pid);

	p->pid = pid;
	p->group = group > 1 ? group : 0;
	s->r.main = pid;
	s->said_ready = true;
	s->dirty = true;
	pids_put(&m->pids, pid, ROLE_MAIN, i);
	view(m, i);
	service_event(m, i, watch_begin(m, i));
}

/* A report says which step failed; the words are kept out of the state, the person gets them now. */
void service_gate_over(struct manager *m, uint32_t i, enum role role)
{
	struct service *s = &m->services[i];
	struct process *p = &s->proc[role];

	if (p->gate < 0)
		return;
	process_close_gate(m, p);
	/* Without a report it was executed. */
	if (role != ROLE_MAIN || p->step != 0)
		return;
	view(m, i);
	if (s->r.state == LAUNCHING)
		service_event(m, i, EV_EXECED);
}

void service_gate(struct manager *m, uint32_t i, enum role role)
{
	struct service *s = &m->services[i];
	struct process *p = &s->proc[role];

	while (p->gate >= 0) {
		struct report rep;
		int fd = -1, n = 1;
		ssize_t got = sys_recv(p->gate, &rep, sizeof(rep), &fd, &n);

		if (got == -EAGAIN)
			return;
		if (got != (ssize_t)sizeof(rep)) {
			if (fd >= 0)
				(void)sys_close(fd);
			service_gate_over(m, i, role);
			return;
		}
		rep.about[sizeof(rep.about) - 1] = '\0';
		if (rep.step == STEP_ROOT && rep.error == 0 && fd >= 0) {
			if (s->root >= 0)
				(void)sys_close(s->root);
			s->root = fd;
			s->root_used = true;
			continue;
		}
		if (rep.step == STEP_IMAGE && rep.error == 0) {
			/* The one before is of an earlier run; without a new one, checks look by way of /proc. */
			if (s->top >= 0)
				(void)sys_close(s->top);
			s->top = fd >= 0 && role == ROLE_MAIN && sys_is_place(fd) ? fd : -1;
			if (fd >= 0 && s->top < 0)
				(void)sys_close(fd);
			continue;
		}
		if (fd >= 0)
			(void)sys_close(fd);
		if (rep.step == STEP_PIDFILE && rep.error == 0) {
			adopt_daemon(m, i, rep.pid);
			continue;
		}
		if (rep.step == STEP_GATE && rep.error == 0) {
			process_left(m, p);
			continue;
		}
		if (rep.step == STEP_NONE || rep.step >= N_STEPS)
			continue;
		p->step = (uint8_t)rep.step;
		p->error = (int16_t)rep.error;
		if (p->cut) {
			p->again = true;
			continue;
		}
		char words[512];
		struct why w = { .code = WHY_SETUP, .a = (int32_t)rep.step, .b = rep.error };

		why_text(m->table, i, &w, words, sizeof(words));
		bool said = strstr(words, rep.about) != NULL;

		say(SAY_ERROR, "%s: %s%s%s", name_of(m, i), words, said ? "" : ": ", said ? "" : rep.about);
	}
}

static enum ending ending_of(const struct manager *m, uint32_t i, uint8_t kind, int32_t value)
{
	return policy_clean(m->table, unit_of(m, i), kind, value) ? END_CLEAN : kind == 1 ? END_CODE : END_SIGNAL;
}

static void main_reaped(struct manager *m, uint32_t i, uint8_t kind, int32_t value)
{
	struct service *s = &m->services[i];
	const struct unit *u = unit_of(m, i);
	struct process *p = &s->proc[ROLE_MAIN];
	enum ending how = ending_of(m, i, kind, value);
	const struct command *c = NULL;
	enum phase phase;
	uint32_t at = command_at(m, u, LAUNCHING, s->r.step, &phase);

	if (at)
		c = (const struct command *)(const void *)table_words(m->table, at);
	unview(m, i);
	s->r.main = 0;
	s->r.exit_kind = kind;
	s->r.exit_value = value;
	s->dirty = true;
	if (p->step != 0)
		note_end(s, END_CODE, WHY_SETUP, (int32_t)p->step, p->error);
	else if (c && c->flags & CMD_IGNORE)
		how = END_CLEAN;
	if (u->type == TYPE_ONESHOT && how == END_CLEAN && p->step == 0 && s->r.state == STARTING) {
		if (command_at(m, u, LAUNCHING, s->r.step + 1, &phase))
			service_event(m, i, EV_NEXT);
		else
			service_event(m, i, EV_READY);
		return;
	}
	if (u->type == TYPE_ONESHOT && how == END_CLEAN && p->step == 0 && s->r.state == LAUNCHING) {
		/* Cannot be: the gate is read before the process is reaped. */
		service_event(m, i, EV_EXECED);
		main_reaped(m, i, kind, value);
		return;
	}
	if (u->type == TYPE_FORKING && how == END_CLEAN && p->step == 0 && s->r.state == STARTING && !s->said_ready) {
		int e = spawn_unit(m, i, ROLE_CONTROL, PHASE_PIDFILE, 0);

		if (e == 0) {
			s->ended_how = false;
			return;
		}
		note_end(s, END_NO_FORK, WHY_FORK, 0, -e);
	}
	if (how == END_CLEAN && (s->r.state == STARTING || s->r.state == POSTING) && u->type == TYPE_NOTIFY && !s->said_ready)
		note_end(s, END_CODE, WHY_NO_READY, 0, 0);
	else if (kind == 1)
		note_end(s, how, WHY_EXIT, value, 0);
	else
		note_end(s, how, WHY_SIGNAL, value, kind == 3);
	if (u->kill_mode == KILL_MIXED)
		process_kill(p, SIGKILL);
	service_event(m, i, EV_GONE);
}

static void control_reaped(struct manager *m, uint32_t i, uint8_t kind, int32_t value)
{
	struct service *s = &m->services[i];
	struct process *p = &s->proc[ROLE_CONTROL];
	enum svc_state state = s->r.state;
	enum phase phase = s->r.phase, at_phase;
	uint32_t at = command_at(m, unit_of(m, i), state, s->r.step, &at_phase);
	bool ignore = at && ((const struct command *)(const void *)table_words(m->table, at))->flags & CMD_IGNORE;

	s->r.control = 0;
	s->r.exit_code_last = kind == 1 ? value : -value;
	s->dirty = true;
	if (phase == PHASE_PIDFILE && state == STARTING) {
		if (!s->said_ready) {
			note_end(s, END_CODE, WHY_NO_PIDFILE, 0, 0);
			service_event(m, i, EV_GONE);
		}
		return;
	}
	if (p->during != state || s->run_deferred) {
		/* It was cut short: nobody waits for what it came to. */
		if (s->run_deferred) {
			s->run_deferred = false;
			service_event(m, i, run_command(m, i, true));
		}
		return;
	}
	if (p->step != 0 && !ignore) {
		note_end(s, END_CODE, WHY_SETUP, (int32_t)p->step, p->error);
		service_event(m, i, EV_BAD);
		return;
	}
	if (phase == PHASE_CONDITION && kind == 1 && value >= 1 && value <= 254 && !ignore) {
		note_end(s, END_SKIPPED, WHY_CONDITION, 0, 0);
		service_event(m, i, EV_SKIP);
		return;
	}
	if ((kind == 1 && value == 0) || ignore) {
		bool more = command_at(m, unit_of(m, i), state, s->r.step + 1, &at_phase) != 0;

		service_event(m, i, more ? EV_NEXT : EV_LAST);
		return;
	}
	if (state == PREPARING || state == POSTING)
		note_end(s, kind == 1 ? END_CODE : END_SIGNAL, WHY_COMMAND, (int32_t)phase, kind == 1 ? value : -value);
	else if (state == RELOADING)
		say(SAY_WARNING, "%s: ExecReload= failed (%s %d); it runs on as it was", name_of(m, i), kind == 1 ? "exit code" : "signal", value);
	service_event(m, i, EV_BAD);
}

static void health_reaped(struct manager *m, uint32_t i, uint8_t kind, int32_t value)
{
	struct service *s = &m->services[i];
	struct process *p = &s->proc[ROLE_HEALTH];

	if (!s->verdict.asked)
		return;
	if (kind == 1)
		service_health(m, i, p->step ? WORD_FAILURE : health_of_exit(value), value ? DETAIL(DETAIL_EXIT, value) : 0);
	else if (DETAIL_WHAT(s->r.detail) == DETAIL_TIMEOUT && value == SIGKILL)
		service_health(m, i, WORD_FAILURE, DETAIL(DETAIL_TIMEOUT, 0));
	else
		service_health(m, i, WORD_FAILURE, DETAIL(DETAIL_SIGNAL, value));
}

void service_reaped(struct manager *m, uint32_t i, enum role role, uint8_t kind, int32_t value)
{
	switch (role) {
	case ROLE_MAIN:
		main_reaped(m, i, kind, value);
		break;
	case ROLE_CONTROL:
		control_reaped(m, i, kind, value);
		break;
	case ROLE_HEALTH:
		health_reaped(m, i, kind, value);
		break;
	default:
		if (kind != 1 || value != 0)
			say(SAY_WARNING, "%s: its upper layer could not be removed wholly", name_of(m, i));
		order_look(m, i);
		break;
	}
	order_look(m, i);
}
