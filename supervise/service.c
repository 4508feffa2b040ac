/*
 * service.c - the shell of one service: an event comes in, the table is asked,
 * the work it names is done.
 */
#include "supervise/inside.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "conf/kit/say.h"
#include "conf/kit/sys.h"
#include "supervise/why.h"

_Static_assert((int)WORD_UNKNOWN == (int)HEALTH_UNKNOWN && (int)WORD_WAITING == (int)HEALTH_WAITING &&
	       (int)WORD_FAILURE == (int)HEALTH_FAILURE, "health/verdict.h and record.h name the same words");

void service_why(struct service *s, enum why_code code, int32_t a, int32_t b)
{
	s->r.why = (struct why){ .code = code, .a = a, .b = b };
	s->dirty = true;
}

/* The first cause of an end counts; what follows from it does not. */
void note_end(struct service *s, enum ending how, enum why_code code, int32_t a, int32_t b)
{
	if (s->ended_how)
		return;
	s->ended_how = true;
	s->ending = how;
	if (s->asked == ASKED_NOBODY)
		service_why(s, code, a, b);
}

/* ---- what is shown ---- */

static enum face face_of(const struct unit *u, const struct service *s)
{
	if (s->r.state == RELOADING && s->verdict.sick)
		return FACE_UNHEALTHY;
	if (s->r.state != UP && s->r.state != RELOADING)
		return svc_face(s->r.state);
	if (u->type == TYPE_ONESHOT)
		return u->remain ? FACE_DONE : FACE_STARTING; /* without RemainAfterExit= it only passes through */
	/* READY has been shown by something; RUNNING has nothing that could show it. */
	return u->health_kind != HEALTH_NONE || u->type == TYPE_NOTIFY || u->kind != UNIT_SERVICE ? FACE_READY : FACE_RUNNING;
}

/* At rest, ready, or not wanted: nothing of it is still to come. */
void service_count(struct manager *m, uint32_t i)
{
	struct service *s = &m->services[i];
	bool settled = !s->r.wanted || s->r.ready || s->r.state == FAILED || s->r.state == DONE || s->r.state == INACTIVE;

	if (settled != s->settled)
		m->unsettled += settled ? UINT32_MAX : 1;
	s->settled = settled;
}

/* Apart from its caller, for its words on the stack. */
static __attribute__((noinline)) void put_face(struct manager *m, uint32_t i, enum level level)
{
	const struct service *s = &m->services[i];
	char words[512];

	why_text(m->table, i, &s->r.why, words, sizeof(words));
	if (s->r.why.code == WHY_SETUP)
		words[0] = '\0'; /* told when the report came, with what it was about */
	if (s->r.face == FACE_BACKOFF && s->rest > 0)
		say(level, "%s: %s%sit is started again in %lld ms", name_of(m, i), words, words[0] ? "; " : "", (long long)s->rest);
	else if (s->r.face == FACE_BACKOFF)
		say(s->asked == ASKED_NOBODY ? level : SAY_DEBUG, "%s: %s%sit is started again", name_of(m, i), words, words[0] ? "; " : "");
	else
		say(level, "%s: %s%s%s", name_of(m, i), face_word(s->r.face), words[0] ? ": " : "", words);
}

static void tell_person(struct manager *m, uint32_t i, enum face was)
{
	const struct service *s = &m->services[i];
	enum level level = SAY_DEBUG;

	if (s->r.face == was)
		return;
	switch ((enum face)s->r.face) {
	case FACE_FAILED:
	case FACE_UNHEALTHY:
	case FACE_BACKOFF:
		level = SAY_WARNING;
		break;
	case FACE_READY:
	case FACE_DONE:
		level = SAY_INFO;
		break;
	default:
		break;
	}
	if (say_says(level))
		put_face(m, i, level);
}

void service_commit(struct manager *m, uint32_t i)
{
	struct service *s = &m->services[i];

	if (!s->dirty)
		return;
	s->dirty = false;
	records_commit(&m->records, i, &s->r);
	struct news n = { .at = m->now, .unit = i, .state = s->r.state, .face = s->r.face, .health = s->r.health,
			  .ready = s->r.ready, .why = s->r.why, .main = s->r.main };
	records_tell(&m->records, &n);
	m->bell = true;
}

/* Takes on a state: face, readiness, and the counts that the whole container is judged by. */
static void enter(struct manager *m, uint32_t i, enum svc_state next)
{
	struct service *s = &m->services[i];
	const struct unit *u = unit_of(m, i);
	enum face was = s->r.face;
	bool was_live = svc_live(s->r.state);

	s->r.state = next;
	s->run_deferred = false;
	/* Why it was down, or failed, is over; what it waits for is found next. */
	if (next == WAITING)
		service_why(s, WHY_NONE, 0, 0);
	s->r.face = face_of(u, s);
	if (s->r.face != was)
		s->r.since = m->now;
	s->r.ready = next == UP || (next == RELOADING && !s->verdict.sick) || (next == DONE && u->type == TYPE_ONESHOT);
	s->r.phase = svc_phase(next);
	/* From the moment it is ready on it has to give signs of life (systemd.service(5), WatchdogSec=). */
	if (next == POSTING && s->r.main > 0 && u->watchdog > 0 && u->watchdog != FOREVER)
		timer_arm(&m->loop, &s->timers[TIMER_DOG], time_add(m->now, u->watchdog));
	if (next == UP)
		service_why(s, WHY_NONE, 0, 0);
	if (next == UP && s->up_since == 0) {
		s->up_since = m->now;
		s->r.ready_at = m->now;
	}
	if (!was_live && svc_live(next))
		m->live++;
	else if (was_live && !svc_live(next))
		m->live--;
	service_count(m, i);
	s->dirty = true;
	tell_person(m, i, was);
}

/* ---- work ---- */

/* The commands of a phase, and the same in order for a state whose phase has two lists. */
uint32_t command_at(const struct manager *m, const struct unit *u, enum svc_state state, uint32_t k, enum phase *phase)
{
	const struct table *t = m->table;
	list_at list = 0;

	switch (state) {
	case PREPARING:
		*phase = PHASE_CONDITION;
		if (k < list_count(t, u->condition))
			return list_item(t, u->condition, k);
		k -= list_count(t, u->condition);
		*phase = PHASE_PRE;
		list = u->pre;
		break;
	case LAUNCHING:
		*phase = PHASE_MAIN;
		list = u->start;
		break;
	case POSTING:
		*phase = PHASE_POST;
		list = u->post;
		break;
	case RELOADING:
		*phase = PHASE_RELOAD;
		list = u->reload;
		break;
	case ENDING:
		*phase = PHASE_STOP;
		list = u->stop;
		break;
	case CLEANING:
		*phase = PHASE_STOP_POST;
		list = u->stop_post;
		break;
	default:
		return 0;
	}
	return k < list_count(t, list) ? list_item(t, list, k) : 0;
}

enum svc_event run_command(struct manager *m, uint32_t i, bool first)
{
	struct service *s = &m->services[i];
	enum phase phase;

	if (first)
		s->r.step = 0;
	/* The last state's command was killed and is not reaped yet: this one waits for it. */
	if (s->proc[ROLE_CONTROL].pid > 0) {
		s->run_deferred = true;
		return EV_NONE;
	}
	uint32_t command = command_at(m, unit_of(m, i), s->r.state, s->r.step, &phase);
	/* At the very end of a shutdown nobody is left to see a command through. */
	if (command == 0 || m->sweep >= SWEEP_REST)
		return EV_LAST;
	s->r.phase = phase;
	int e = spawn_unit(m, i, ROLE_CONTROL, phase, command);
	if (e == 0)
		return EV_NONE;
	note_end(s, END_NO_FORK, WHY_FORK, 0, -e);
	return EV_BAD;
}

static enum svc_event spawn(struct manager *m, uint32_t i)
{
	struct service *s = &m->services[i];
	const struct unit *u = unit_of(m, i);
	enum phase phase;

	if (s->r.step == 0) {
		s->said_ready = false;
		s->r.run_no++;
	}
	uint32_t command = command_at(m, u, LAUNCHING, s->r.step, &phase);
	if (command == 0)
		return EV_EXECED; /* a target or a check: nothing runs, the rest of its life is the same */
	int e = spawn_unit(m, i, ROLE_MAIN, PHASE_MAIN, command);
	if (e < 0) {
		note_end(s, END_NO_FORK, WHY_FORK, 0, -e);
		return EV_GONE;
	}
	if (s->r.step == 0)
		s->r.started = m->now;
	/* simple(5): started with the fork, whatever execve says later. */
	return u->type == TYPE_SIMPLE ? EV_EXECED : EV_NONE;
}

enum svc_event watch_begin(struct manager *m, uint32_t i)
{
	struct service *s = &m->services[i];
	const struct unit *u = unit_of(m, i);
	bool must_say = u->type == TYPE_NOTIFY && !s->said_ready;

	/* Their exit is what shows it; a forking daemon's is followed by its PIDFile=. */
	if (u->type == TYPE_ONESHOT || (u->type == TYPE_FORKING && !s->said_ready))
		return EV_NONE;
	if (has_checks(u)) {
		verdict_begin(&s->verdict, u, m->now);
		s->r.health = s->verdict.word;
		s->r.failures = 0;
		timer_arm(&m->loop, &s->timers[TIMER_HEALTH], s->verdict.due);
		/* Its checks say how long it may take (HealthStartPeriod=, HealthRetries=), and HealthOnFailure= what happens then. */
		if (!must_say)
			timer_disarm(&m->loop, &s->timers[TIMER_STATE]);
		return EV_NONE;
	}
	return must_say ? EV_NONE : EV_READY;
}

static void unwatch(struct manager *m, struct service *s)
{
	timer_disarm(&m->loop, &s->timers[TIMER_HEALTH]);
	timer_disarm(&m->loop, &s->timers[TIMER_DOG]);
	verdict_end(&s->verdict);
	s->probe = 0;
	s->r.health = HEALTH_UNKNOWN;
	process_kill(&s->proc[ROLE_HEALTH], SIGKILL);
}

static void term(struct manager *m, uint32_t i)
{
	struct service *s = &m->services[i];
	const struct unit *u = unit_of(m, i);
	int sig = s->ended_how && s->ending == END_WATCHDOG ? u->watchdog_signal :
		  s->asked == ASKED_RESTART && u->restart_signal ? u->restart_signal : u->kill_signal;

	if (s->ended_how && s->ending == END_SICK && u->on_sick == SICK_KILL)
		sig = SIGKILL;
	struct process *main = &s->proc[ROLE_MAIN];
	if (u->kill_mode == KILL_GROUP) {
		process_kill(main, sig);
		process_kill(&s->proc[ROLE_CONTROL], sig);
	} else if (main->pid > 0) {
		(void)sys_kill(main->pid, sig);
	}
	if (u->kill_mode == KILL_MIXED && main->pid == 0)
		process_kill(main, SIGKILL);
	if (u->send_sighup && sig != SIGHUP)
		process_kill(main, SIGHUP);
	/* A stopped process would hear nothing of it (systemd.kill(5)). */
	process_kill(main, SIGCONT);
	process_kill(&s->proc[ROLE_CONTROL], SIGCONT);
	for (uint32_t k = 0; k < MAX_SESSIONS; k++) {
		if (!m->sessions[k].used || m->sessions[k].unit != i)
			continue;
		process_kill(&m->sessions[k].proc, SIGHUP);
		process_kill(&m->sessions[k].proc, SIGTERM);
		process_kill(&m->sessions[k].proc, SIGCONT);
	}
}

static void kill_all(struct manager *m, uint32_t i)
{
	struct service *s = &m->services[i];
	const struct unit *u = unit_of(m, i);

	if (!u->send_sigkill)
		return;
	process_kill(&s->proc[ROLE_MAIN], u->final_signal);
	process_kill(&s->proc[ROLE_CONTROL], u->final_signal);
	process_kill(&s->proc[ROLE_HEALTH], SIGKILL);
	for (uint32_t k = 0; k < MAX_SESSIONS; k++)
		if (m->sessions[k].used && m->sessions[k].unit == i)
			process_kill(&m->sessions[k].proc, SIGKILL);
}

static void arm(struct manager *m, struct service *s, msec_t span)
{
	timer_arm(&m->loop, &s->timers[TIMER_STATE], span == FOREVER ? FOREVER : time_add(m->now, span));
}

#define KILL_AGAIN ((msec_t)1000) /* the least time between two SIGKILLs to who does not die */

/* TimeoutStopSec=, or in a shutdown at most this unit's share of what is left of the budget: those below it need theirs. */
static msec_t stop_time(const struct manager *m, const struct unit *u)
{
	msec_t span = u->timeout_stop;

	if (m->how != HOW_NONE && m->deadline != FOREVER) {
		msec_t left = m->deadline > m->now ? m->deadline - m->now : 0;
		msec_t share = left / ((msec_t)u->rank + 1);

		/* A last tenth is for SIGKILL to be seen through. */
		share -= share / 10;
		if (share < span)
			span = share;
	}
	return span;
}

/* The next of a row that the kernel began (Knuth's MMIX, its upper half): good enough for jitter. */
static uint32_t dice(struct manager *m)
{
	m->dice = m->dice * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(m->dice >> 32);
}

static enum svc_event judge(struct manager *m, uint32_t i)
{
	struct service *s = &m->services[i];
	struct end e = {
		.how = s->ended_how ? s->ending : END_CLEAN,
		.by_status = s->r.exit_kind != 0,
		.exit_kind = s->r.exit_kind, .exit_value = s->r.exit_value,
		.asked = s->asked, .wanted = s->r.wanted != 0,
		.ran = s->up_since ? m->now - s->up_since : 0,
	};
	struct judgement j = policy_judge(m->table, unit_of(m, i), &s->history, &e, dice(m));

	if (j.automatic && s->r.restarts < UINT32_MAX)
		s->r.restarts++;
	if (!j.automatic && j.verdict == EV_AGAIN)
		policy_forgive(&s->history);
	s->rest = j.rest;
	s->r.next = j.verdict == EV_AGAIN ? time_add(m->now, j.rest) : 0;
	s->r.ended = m->now;
	return j.verdict;
}

/* When main has ended its number may soon be another's. */
void unview(struct manager *m, uint32_t i)
{
	struct service *s = &m->services[i];
	char path[4096];

	if (s->viewed && snprintf(path, sizeof(path), "%s/root/%s", m->runtime, name_of(m, i)) < (int)sizeof(path))
		(void)sys_unlink(path);
	s->viewed = false;
}

static void release(struct manager *m, uint32_t i)
{
	struct service *s = &m->services[i];

	unview(m, i);
	if (s->root >= 0) {
		(void)sys_close(s->root);
		s->root = -1;
	}
	if (s->top >= 0) {
		(void)sys_close(s->top);
		s->top = -1;
	}
	if (s->root_used && spawn_cleaner(m, i) == 0)
		s->root_used = false;
}

/* The view from outside: /run/coppice/root/UNIT leads to what main sees as /. */
void view(struct manager *m, uint32_t i)
{
	struct service *s = &m->services[i];
	char path[4096], to[64];

	if (!unit_rooted(unit_of(m, i)) || s->r.main == 0)
		return;
	(void)snprintf(to, sizeof(to), "/proc/%d/root", s->r.main);
	if (snprintf(path, sizeof(path), "%s/root/%s", m->runtime, name_of(m, i)) < (int)sizeof(path))
		s->viewed = sys_symlink(to, path) == 0;
}

/* Does the work of one step, lowest bit first; returns what follows from it at once. */
static enum svc_event do_work(struct manager *m, uint32_t i, uint32_t work, bool same_state)
{
	struct service *s = &m->services[i];
	const struct unit *u = unit_of(m, i);
	enum svc_event then = EV_NONE;

	if (work & UNWATCH)
		unwatch(m, s);
	if (work & COUNT) {
		s->asked = ASKED_NOBODY;
		s->ended_how = false;
		s->up_since = 0;
		s->r.exit_kind = 0;
		s->r.exit_value = 0;
		s->r.next = 0;
		service_why(s, WHY_NONE, 0, 0);
	}
	if (work & KILL_CONTROL)
		process_kill(&s->proc[ROLE_CONTROL], SIGKILL);
	if (work & TERM)
		term(m, i);
	if (work & KILL)
		kill_all(m, i);
	if (work & DISARM)
		timer_disarm(&m->loop, &s->timers[TIMER_STATE]);
	if (work & ARM_START)
		arm(m, s, u->timeout_start);
	if (work & ARM_STOP) {
		msec_t span = stop_time(m, u);

		/* With nothing left of the budget it would be due at once, again and again. */
		arm(m, s, same_state && span < KILL_AGAIN ? KILL_AGAIN : span);
	}
	if (work & ARM_RUN)
		arm(m, s, u->runtime_max);
	if (work & ARM_REST) {
		if (s->rest == 0)
			then = EV_TIMER;
		else
			arm(m, s, s->rest);
	}
	if (work & RUN)
		then = run_command(m, i, !same_state);
	if (work & SPAWN)
		then = spawn(m, i);
	if (work & WATCH)
		then = watch_begin(m, i);
	if (work & JUDGE)
		then = judge(m, i);
	if (work & RELEASE)
		release(m, i);
	if (work & TELL)
		order_tell(m, i);
	/* In these states the end of the last process is what is waited for: look whether it is here already. */
	if (s->r.state == STOPPING || s->r.state == KILLING)
		order_look(m, i);
	return then;
}

/* A unit came to rest for good: does the container go with it? (Critical=, ExitPolicy=) */
static void consider_exit(struct manager *m, uint32_t i)
{
	struct service *s = &m->services[i];
	const struct unit *u = unit_of(m, i);
	bool bad = s->r.state == FAILED;

	if (m->how != HOW_NONE || !(bad || s->r.state == DONE) || u->kind != UNIT_SERVICE)
		return;
	if (bad && !m->any_bad) {
		m->any_bad = true;
		m->first_bad = (uint32_t)service_status(s);
	}
	m->any_ended = true;
	uint8_t policy = m->table->house.exit_policy;

	if (u->critical) {
		say(SAY_INFO, "%s: it is critical and has ended: the container ends with it", name_of(m, i));
		manager_shutdown(m, HOW_EXIT, service_status(s), NULL);
	} else if (policy == EXIT_ANY || (policy == EXIT_ANY_FAILURE && bad)) {
		say(SAY_INFO, "%s: it has ended: the container ends with it (ExitPolicy=)", name_of(m, i));
		manager_shutdown(m, HOW_EXIT, policy == EXIT_ANY ? (bad ? service_status(s) : 0) : service_status(s), NULL);
	}
}

int service_status(const struct service *s)
{
	const struct why *w = &s->r.why;

	/* A shell's answer to what cannot be run (POSIX sh, 2.8.2), systemd's numbers for the other steps. */
	if (w->code == WHY_SETUP)
		return w->a == STEP_EXEC ? (w->b == ENOENT ? 127 : 126) : step_status((enum step)w->a);
	if (s->r.exit_kind == 1)
		return s->r.exit_value != 0 || s->r.state == DONE ? s->r.exit_value : 1;
	if (s->r.exit_kind != 0)
		return 128 + s->r.exit_value;
	return s->r.state == FAILED ? 1 : 0;
}

/* OnFailure=, OnSuccess= (systemd.unit(5)); when it has come to rest, not at every restart. */
static void start_followers(struct manager *m, list_at list)
{
	for (uint32_t k = 0, n = list_count(m->table, list); k < n; k++)
		order_start(m, list_item(m->table, list, k), true);
}

void service_event(struct manager *m, uint32_t i, enum svc_event e)
{
	struct service *s = &m->services[i];
	const struct unit *u = unit_of(m, i);

	while (e != EV_NONE) {
		struct svc_step step = svc_step(s->r.state, e);

		if (step.verb == STAY_HERE)
			break;
		if (step.verb != GO_THERE) {
			say(SAY_ERROR, "%s: the event \"%s\" cannot happen in state \"%s\"; it was passed over",
			    name_of(m, i), svc_event_word(e), svc_state_word(s->r.state));
			break;
		}
		bool same = s->r.state == step.next;

		if (e == EV_NEXT && (same || step.next == LAUNCHING))
			s->r.step++;
		else if (!same && step.next == LAUNCHING)
			s->r.step = 0;
		if (!same)
			enter(m, i, step.next);
		enum svc_event then = do_work(m, i, step.work, same);

		if (step.next == UP && !same) {
			if (u->type == TYPE_ONESHOT && !u->remain) {
				note_end(s, END_CLEAN, WHY_NONE, 0, 0);
				then = EV_GONE;
			} else if (s->verdict.sick) {
				then = EV_SICK;
			}
		}
		if (!same && (step.next == FAILED || step.next == DONE)) {
			start_followers(m, step.next == FAILED ? u->on_failure : u->on_success);
			consider_exit(m, i);
		}
		e = then;
	}
	service_commit(m, i);
}
