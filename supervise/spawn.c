/*
 * spawn.c - processes: a start that is written down before it happens, an end
 * that is written down before it is taken away, and which pid is whose.
 *
 * Start: intent is committed, the child is forked and waits at the gate, its
 * pid is committed, the gate opens. End: peek, commit, reap. Whenever PID 1 is
 * cut off in between, the record and the kernel together tell the rest.
 */
#include "supervise/manager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "conf/kit/own.h"
#include "conf/kit/say.h"
#include "conf/kit/sys.h"
#include "conf/kit/text.h"
#include "conf/values.h"
#include "mount/clean.h"
#include "mount/root.h"
#include "supervise/pads.h"

/* ---- whose pid ---- */

#define OWNER(role, index) ((uint32_t)(index) << 4 | (uint32_t)(role))

static uint32_t home_of(const struct pids *p, pid_t pid)
{
	return (uint32_t)pid * 2654435769u & p->mask;
}

void pids_put(struct pids *p, pid_t pid, enum role role, uint32_t index)
{
	uint32_t at = home_of(p, pid);

	while (p->slots[at].pid != 0)
		at = (at + 1) & p->mask;
	p->slots[at].pid = pid;
	p->slots[at].owner = OWNER(role, index);
}

bool pids_find(const struct pids *p, pid_t pid, enum role *role, uint32_t *index)
{
	for (uint32_t at = home_of(p, pid); p->slots[at].pid != 0; at = (at + 1) & p->mask) {
		if (p->slots[at].pid != pid)
			continue;
		*role = (enum role)(p->slots[at].owner & 15u);
		*index = p->slots[at].owner >> 4;
		return true;
	}
	return false;
}

void pids_drop(struct pids *p, pid_t pid)
{
	uint32_t at = home_of(p, pid);

	while (p->slots[at].pid != pid) {
		if (p->slots[at].pid == 0)
			return;
		at = (at + 1) & p->mask;
	}
	/* Those behind it in the chain move up, so that no search ends early. */
	for (uint32_t next = (at + 1) & p->mask; p->slots[next].pid != 0; next = (next + 1) & p->mask) {
		uint32_t home = home_of(p, p->slots[next].pid);

		if (((next - home) & p->mask) < ((next - at) & p->mask))
			continue;
		p->slots[at] = p->slots[next];
		at = next;
	}
	p->slots[at].pid = 0;
}

/* ---- one process ---- */

static void shortcut_done(struct manager *m, struct process *p)
{
	shortcut_give(&m->shortcuts, p->cut);
	p->cut = 0;
}

void process_close_gate(struct manager *m, struct process *p)
{
	if (p->gate < 0)
		return;
	loop_unwatch(&m->loop, p->gate);
	(void)sys_close(p->gate);
	p->gate = -1;
	/* Executed, or dead: unless it is done again, and for that is still needed. */
	if (!p->again)
		shortcut_done(m, p);
}

void process_left(struct manager *m, struct process *p)
{
	pad_give(&m->pads, p->pad);
	p->pad = 0;
}

void process_kill(struct process *p, int sig)
{
	/* Before its setsid() there is no group of its own: then it is meant alone. */
	if (p->group > 0 && sys_kill(-p->group, sig) == 0)
		return;
	if (p->pid > 0)
		(void)sys_kill(p->pid, sig);
}

bool process_empty(struct process *p)
{
	if (p->pid > 0)
		return false;
	if (p->group > 0 && sys_kill(-p->group, 0) == -ESRCH)
		p->group = 0;
	return p->group == 0;
}

/* Makes a child that runs `job` behind the gate. The pid is in *p and in the map when it returns 0. */
static int fork_job(struct manager *m, struct process *p, struct job *job, enum role role, uint32_t index, uint64_t source,
		    bool short_way)
{
	int two[2];
	int e = sys_socketpair(two);

	if (e < 0)
		return e;
	uint8_t cut = 0;

	job->gate = two[1];
	job->pad = 0;
	e = loop_watch(&m->loop, two[0], source);
	/* An operator's command brings more than a pad has room for. */
	if (e == 0 && role != ROLE_EXEC)
		pad_take(&m->pads, job);
	if (short_way)
		cut = shortcut_take(&m->shortcuts, job);
	pid_t pid = e < 0 ? e : cut ? shortcut_start(&m->shortcuts, cut) : job->pad ? sys_fork_sharing() : sys_fork();
	if (pid == 0) {
		if (!job->pad)
			(void)sys_close(two[0]); /* or the child itself would keep the gate from closing */
		child_run(job);
	}
	(void)sys_close(two[1]);
	if (pid < 0) {
		shortcut_give(&m->shortcuts, cut);
		pad_give(&m->pads, job->pad);
		loop_unwatch(&m->loop, two[0]);
		(void)sys_close(two[0]);
		return pid;
	}
	*p = (struct process){ .pid = pid, .group = pid, .gate = two[0], .during = p->during, .pad = (uint8_t)job->pad, .cut = cut };
	pids_put(&m->pids, pid, role, index);
	return 0;
}

static void open_gate(struct process *p)
{
	(void)sys_write(p->gate, "", 1);
}

int spawn_log(struct manager *m, uint32_t i, int *write_end)
{
	int two[2];

	if (*write_end >= 0)
		return 0;
	int e = sys_pipe(two);
	if (e < 0)
		return e;
	/* Before anybody writes to it. */
	e = sys_epoll_ctl(m->logs_ep, EPOLL_CTL_ADD, two[0], EPOLLIN, i);
	if (e < 0) {
		(void)sys_close(two[0]);
		(void)sys_close(two[1]);
		return e;
	}
	m->pipes[i] = two[0];
	*write_end = two[1];
	return 0;
}

/* The unit's log pipe; one that is made late is handed to the desk. */
static int log_pipe(struct manager *m, uint32_t i)
{
	struct service *s = &m->services[i];
	struct message msg = { .kind = TELL_LOG, .unit = i };

	if (s->log >= 0)
		return s->log;
	int e = spawn_log(m, i, &s->log);
	if (e < 0)
		return e;
	manager_hand_desk(m, &msg, m->pipes[i]);
	return s->log;
}

static int output_fd(struct manager *m, uint32_t i, uint8_t kind)
{
	if (kind == OUT_INHERIT)
		return m->out_fd;
	if (kind != OUT_LOG)
		return -1; /* null, or a file that the child opens */
	int fd = log_pipe(m, i);

	return fd < 0 ? -1 : fd;
}

int spawn_unit(struct manager *m, uint32_t i, enum role role, enum phase phase, uint32_t command)
{
	struct service *s = &m->services[i];
	const struct unit *u = table_unit(m->table, i);
	struct process *p = &s->proc[role];
	char code[16] = "";
	struct job job = {
		.table = m->table, .unit = i, .phase = phase, .command = command, .root = s->root, .in = -1,
		.out = output_fd(m, i, u->out), .err = output_fd(m, i, u->err), .request = -1,
		.main = s->r.main, .rung = m->rung, .runtime = m->runtime, .nofile = m->nofile, .bounding = m->bounding,
	};

	if (u->root_from != NO_UNIT) {
		job.root = m->services[u->root_from].root;
		if (job.root < 0)
			return -ENOLINK;
	}
	if (phase == PHASE_STOP || phase == PHASE_STOP_POST) {
		struct text t = TEXT(code);

		/* A signal is named without its SIG (systemd.exec(5), $EXIT_STATUS). */
		if (s->r.exit_kind == 1)
			text_num(&t, s->r.exit_value);
		else
			signal_put(&t, s->r.exit_value);
		job.result = !s->ended_how || s->ending == END_CLEAN ? "success" : s->ending == END_CODE ? "exit-code" :
			     s->ending == END_TIMEOUT ? "timeout" : s->ending == END_WATCHDOG ? "watchdog" : "signal";
		job.exit_code = s->r.exit_kind == 0 ? NULL : s->r.exit_kind == 1 ? "exited" : s->r.exit_kind == 2 ? "killed" : "dumped";
		job.exit_status = s->r.exit_kind == 0 ? NULL : code + (strncmp(code, "SIG", 3) == 0 ? 3 : 0);
	}
	p->during = s->r.state;
	if (role == ROLE_MAIN) {
		s->r.intent = 1;
		records_commit(&m->records, i, &s->r);
	}
	int e = fork_job(m, p, &job, role, i, SOURCE(SOURCE_GATE, i << 2 | role), !s->long_way);
	s->r.intent = 0;
	s->dirty = true;
	if (e < 0)
		return e;
	/* It may leave an upper layer behind even where it never comes to tell of its root. */
	if (job.root < 0 && m->rung == RUNG_FULL && unit_rooted(u))
		s->root_used = true;
	if (role == ROLE_MAIN)
		s->r.main = p->pid;
	else if (role == ROLE_CONTROL)
		s->r.control = p->pid;
	if (phase == PHASE_PIDFILE)
		s->r.phase = PHASE_PIDFILE;
	records_commit(&m->records, i, &s->r);
	open_gate(p);
	return 0;
}

/* Its shortcut led nowhere, and it is reaped: the same start the long way, if that is still wanted. False: there is none. */
static bool spawn_again(struct manager *m, uint32_t i, enum role role, bool wanted)
{
	struct service *s = &m->services[i];
	struct process *p = &s->proc[role];

	if (!p->again)
		return false;
	const struct launch what = shortcut_launch(&m->shortcuts, p->cut);

	p->again = false;
	shortcut_done(m, p);
	/* Never that way again: what everybody asks of the kernel nobody gets; the rest is this unit's own. */
	if (p->step == STEP_GATE || (p->step >= STEP_GROUP && p->step <= STEP_CAPABILITIES))
		m->shortcuts.refused = true;
	else
		s->long_way = true;
	if (!wanted || spawn_unit(m, i, role, what.phase, what.command) < 0)
		return false;
	service_commit(m, i);
	return true;
}

int spawn_session(struct manager *m, struct session *x, const int fds[4], uint32_t flags)
{
	struct service *s = &m->services[x->unit];
	const struct unit *u = table_unit(m->table, x->unit);
	struct job job = {
		.table = m->table, .unit = x->unit, .phase = PHASE_EXEC, .root = s->root, .request = fds[0],
		.in = fds[1], .out = fds[2], .err = fds[3], .request_flags = flags,
		.main = s->r.main, .rung = m->rung, .runtime = m->runtime, .nofile = m->nofile, .bounding = m->bounding,
	};

	if (u->root_from != NO_UNIT)
		job.root = m->services[u->root_from].root;
	uint32_t k = (uint32_t)(x - m->sessions);
	int e = fork_job(m, &x->proc, &job, ROLE_EXEC, k, SOURCE(SOURCE_SESSION, k), false);

	if (e < 0)
		return e;
	m->n_sessions++;
	open_gate(&x->proc);
	return 0;
}

int spawn_cleaner(struct manager *m, uint32_t i)
{
	struct process *p = &m->services[i].proc[ROLE_CLEANER];
	pid_t pid = sys_fork();

	if (pid == 0)
		_exit(clean_unit(m->runtime, table_text(m->table, table_unit(m->table, i)->name)) < 0 ? 1 : 0);
	if (pid < 0)
		return pid;
	*p = (struct process){ .pid = pid, .gate = -1 };
	pids_put(&m->pids, pid, ROLE_CLEANER, i);
	return 0;
}

/* Outside a namespace of our own kill(-1) would be a massacre: there a child signals those that were handed to us. */
void spawn_sweeper(struct manager *m, int sig)
{
	if (m->is_init) {
		(void)sys_kill(-1, sig);
		return;
	}
	pid_t us = getpid();

	if (sys_fork() != 0)
		return;
	char path[64], text[4096];
	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", us, us);
	owned_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	for (char *at = text, *end; (n = strtol(at, &end, 10)) > 0; at = end)
		if (n != getpid() && n != m->helpers[HELPER_DESK].pid && n != m->helpers[HELPER_PROBE].pid)
			(void)kill((pid_t)n, sig);
	_exit(0);
}

/* ---- ends ---- */

static void session_reaped(struct manager *m, uint32_t k, const struct sys_exit *x)
{
	struct session *s = &m->sessions[k];
	struct message msg = { .kind = TELL_EXEC_END, .serial = s->serial, .unit = s->unit,
			       .a = x->kind == 1 ? x->value : 128 + x->value };

	/* What setup could not do is told as a shell would, with the step beside it. */
	if (s->proc.step) {
		msg.b = (int32_t)(s->proc.step << 16 | ((uint32_t)s->proc.error & 0xffffu));
		if (s->proc.step == STEP_EXEC)
			msg.a = s->proc.error == ENOENT ? 127 : 126;
	}
	if (m->helpers[HELPER_DESK].sock >= 0)
		(void)sys_send(m->helpers[HELPER_DESK].sock, &msg, sizeof(msg), NULL, 0);
	s->used = false;
	m->n_sessions--;
	order_look(m, s->unit);
}

static void helper_reaped(struct manager *m, uint32_t k, const struct sys_exit *x)
{
	struct helper *h = &m->helpers[k];

	if (k == HELPER_LOAD) {
		/* Boot's told that it was done, and nobody waited for it. */
		if (x->pid != h->pid)
			return;
		h->pid = 0;
		m->load_ended = true;
		m->load_good = x->kind == 1 && x->value == 0;
		return;
	}

	h->pid = 0;
	m->records.state->helpers[k] = 0;
	if (h->sock >= 0) {
		loop_unwatch(&m->loop, h->sock);
		(void)sys_close(h->sock);
		h->sock = -1;
	}
	if (k == HELPER_DESK)
		m->bell_wanted = false;
	if (!h->wanted || m->sweep >= SWEEP_REST || (m->how != HOW_NONE && k == HELPER_PROBE))
		return;
	/* Units do not notice. Pauses grow from 100 ms to 10 s, so a helper that cannot live costs nothing. */
	msec_t rest = 100;

	for (uint32_t n = 0; n < h->streak && rest < 10000; n++)
		rest *= 2;
	h->streak++;
	m->records.state->helper_restarts++;
	timer_arm(&m->loop, &h->timer, time_add(m->now, rest < 10000 ? rest : 10000));
	say(SAY_WARNING, "the helper \"%s\" has ended; it is started again", h->name);
}

/* Somebody's child came to us when its parent died, and has ended now: it may have been the last of a unit's group. */
static void look_at_groups(struct manager *m)
{
	for (uint32_t i = 0; i < m->n; i++) {
		struct process *p = &m->services[i].proc[ROLE_MAIN];

		if (p->group > 0 && p->pid == 0 && process_empty(p))
			order_look(m, i);
	}
}

void spawn_reap(struct manager *m)
{
	struct sys_exit x;
	bool strangers = false;

	while (sys_reap_peek(&x) == 1) {
		enum role role;
		uint32_t index;

		if (!pids_find(&m->pids, x.pid, &role, &index)) {
			m->records.state->strangers++;
			strangers = true;
			(void)sys_reap(x.pid);
			continue;
		}
		if (role < N_UNIT_ROLES) {
			struct service *s = &m->services[index];
			struct process *p = &s->proc[role];

			/* What it said before it ended is heard first: a report, or that it was executed. */
			service_gate(m, index, role);
			/* A child forked in between may hold a copy of its end for a moment, and hide the end of file. */
			service_gate_over(m, index, role);
			process_left(m, p);
			/* Has nobody asked for anything else in the meantime? */
			bool again = p->again && p->during == s->r.state;
			if (role == ROLE_MAIN) {
				s->r.main = 0;
				s->r.exit_kind = again ? s->r.exit_kind : (uint8_t)x.kind;
				s->r.exit_value = again ? s->r.exit_value : x.value;
			} else if (role == ROLE_CONTROL) {
				s->r.control = 0;
			}
			records_commit(&m->records, index, &s->r);
			pids_drop(&m->pids, x.pid);
			/* What a command or a check leaves behind is not part of the service (systemd.service(5), ExecStartPre=). */
			if (role != ROLE_MAIN) {
				process_kill(p, SIGKILL);
				p->group = 0;
			}
			(void)sys_reap(x.pid);
			p->pid = 0;
			/* From here on its number may be anybody's, unless others of its group hold it. */
			(void)process_empty(p);
			if (spawn_again(m, index, role, again))
				continue;
			service_reaped(m, index, role, (uint8_t)x.kind, x.value);
			continue;
		}
		pids_drop(&m->pids, x.pid);
		if (role == ROLE_EXEC)
			process_kill(&m->sessions[index].proc, SIGHUP);
		(void)sys_reap(x.pid);
		if (role == ROLE_EXEC) {
			struct process *p = &m->sessions[index].proc;

			session_gate(m, index);
			process_close_gate(m, p);
			p->pid = 0;
			session_reaped(m, index, &x);
		} else {
			helper_reaped(m, index, &x);
		}
	}
	if (strangers)
		look_at_groups(m);
}

void session_gate(struct manager *m, uint32_t k)
{
	struct process *p = &m->sessions[k].proc;

	while (p->gate >= 0) {
		struct report rep;
		ssize_t got = sys_recv(p->gate, &rep, sizeof(rep), NULL, NULL);

		if (got == -EAGAIN)
			return;
		if (got != (ssize_t)sizeof(rep)) {
			process_close_gate(m, p);
			return;
		}
		if (rep.error != 0 && rep.step < N_STEPS) {
			p->step = (uint8_t)rep.step;
			p->error = (int16_t)rep.error;
		}
	}
}
