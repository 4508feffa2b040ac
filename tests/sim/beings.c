/* beings.c - the processes of the fake world: scripts that the seed wrote, signals, and who is whose child. */
#include "tests/sim/sim.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "conf/kit/sys.h"
#include "health/probe.h"
#include "mount/clean.h"
#include "supervise/shortcut_calls.h"

#define PIDS 300 /* the pid space; a number comes back as soon as nobody uses it as pid, group or session */

struct being beings[MAX_BEINGS];
uint32_t most_beings;
static uint64_t origins;
static struct { msec_t at; struct probe_tell tell; } answers[64];
static uint32_t n_answers;

void beings_reset(void)
{
	memset(beings, 0, sizeof(beings));
	n_answers = 0;
	most_beings = 0;
	origins = 0;
}

struct being *being_of(pid_t pid)
{
	for (uint32_t k = 0; k < most_beings; k++)
		if (beings[k].state != B_NONE && beings[k].pid == pid)
			return &beings[k];
	return NULL;
}

bool group_has(pid_t group)
{
	for (uint32_t k = 0; k < most_beings; k++)
		if (beings[k].state != B_NONE && beings[k].group == group)
			return true;
	return false;
}

uint32_t beings_children(void)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < most_beings; k++)
		n += beings[k].state != B_NONE && beings[k].parent == 1;
	return n;
}

uint32_t beings_alive(void)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < most_beings; k++)
		n += beings[k].state != B_NONE && beings[k].state != B_ZOMBIE;
	return n;
}

/* ---- birth ---- */

static bool number_used(pid_t pid)
{
	for (uint32_t k = 0; k < most_beings; k++)
		if (beings[k].state != B_NONE && (beings[k].pid == pid || beings[k].group == pid || beings[k].session == pid))
			return true;
	return false;
}

static struct being *born(pid_t parent)
{
	pid_t pid = FIRST_PID + (world.seed & 1 ? (pid_t)roll(PIDS) : 0);
	struct being *b = beings;

	for (int tries = 0; number_used(pid); tries++) {
		if (tries == PIDS)
			return NULL;
		pid = FIRST_PID + (pid - FIRST_PID + 1) % PIDS;
	}
	while (b < beings + MAX_BEINGS && b->state != B_NONE)
		b++;
	if (b == beings + MAX_BEINGS)
		return NULL;
	if (b >= beings + most_beings)
		most_beings = (uint32_t)(b - beings) + 1;
	*b = (struct being){ .pid = pid, .parent = parent, .group = 1, .session = 1, .state = B_GATE, .pair = -1,
			     .born = world.now, .origin = ++origins, .slow = some_time(400) };
	for (int k = 0; k < N_DEEDS; k++)
		b->at[k] = FOREVER;
	return b;
}

bool being_shares(int pair)
{
	for (uint32_t k = 0; k < most_beings; k++)
		if (beings[k].state != B_NONE && beings[k].state != B_ZOMBIE && beings[k].pair == pair && beings[k].shares)
			return true;
	return false;
}

pid_t sys_fork_within(int (*life)(void *), void *stack_end, void *self)
{
	(void)life;
	(void)stack_end;
	(void)self;
	return sys_fork_sharing();
}

void sys_forget(void *at, size_t n)
{
	(void)at;
	(void)n;
}

pid_t sys_fork_sharing(void)
{
	pid_t pid = sys_fork();
	struct being *b = pid > 0 ? being_of(pid) : NULL;

	if (b) {
		b->shares = true;
		b->at[D_LEAVE] = world.now + some_time(!world.calm && chance(30) ? 5000 : 20);
	}
	return pid;
}

pid_t sys_fork(void)
{
	struct manager *m = world.m;

	if (chance(world.faults.fork)) {
		world.faults_done++;
		world.forks_failed++;
		return chance(500) ? -EAGAIN : -ENOMEM;
	}
	struct being *b = born(1);
	if (!b) {
		world.forks_failed++;
		return -EAGAIN;
	}
	world.forks++;
	b->pair = pair_of_fork();
	if (b->pair < 0) {
		/* A cleaner, or one that signals everybody: which, is seen when it runs. */
		b->state = B_RUNS;
		b->at[D_EXIT] = world.now + some_time(m->how == HOW_NONE ? 3000 : 50);
		b->exit_kind = 1;
		b->exit_value = chance(world.faults.crash) ? 1 : 0;
		if (!m->is_init && m->sweep >= SWEEP_FORCED) {
			b->sweep_signal = m->sweep != SWEEP_REST || world.sweeps > 1 ? SIGKILL : world.sweeps == 1 ? SIGCONT : SIGTERM;
			b->at[D_EXIT] = world.now;
			world.sweeps += m->sweep == SWEEP_REST;
		}
	}
	return b->pid;
}

/* How it ends by itself, one day. */
static void fate(struct being *b, msec_t from, msec_t most, uint32_t bad)
{
	b->at[D_EXIT] = from + some_time(world.calm && most > 300 ? 300 : most);
	b->exit_kind = 1;
	b->exit_value = 0;
	if (!chance(bad))
		return;
	if (chance(500)) {
		b->exit_value = 1 + (int)roll(255);
	} else {
		b->exit_kind = chance(300) ? 3 : 2;
		b->exit_value = 1 + (int)roll(31);
	}
}

static void script_main(struct being *b, const struct unit *u, msec_t t)
{
	if (u->type == TYPE_ONESHOT) {
		fate(b, t, 20000, world.faults.crash);
		if (chance(world.faults.hang))
			b->at[D_EXIT] = FOREVER;
		return;
	}
	if (chance(world.faults.crash))
		fate(b, t, chance(500) ? 3000 : 300000, 800);
	if (u->type == TYPE_NOTIFY && !chance(world.faults.hang))
		b->at[D_READY] = t + some_time(world.calm ? 300 : chance(100) ? 200000 : 3000);
	if (u->watchdog > 0 && u->watchdog != FOREVER && !chance(world.faults.hang)) {
		b->beat = 1 + u->watchdog / 3;
		b->at[D_BEAT] = t + b->beat;
	}
}

static void script(struct being *b)
{
	struct manager *m = world.m;
	msec_t t = (b->shares && b->at[D_LEAVE] > world.now ? b->at[D_LEAVE] : world.now) + some_time(20);

	b->at[D_SETSID] = t;
	const struct unit *u = table_unit(m->table, b->role == ROLE_EXEC ? m->sessions[b->index].unit : b->index);
	t += some_time(30);
	if (b->role != ROLE_EXEC && unit_rooted(u) && u->root_from == NO_UNIT && m->services[b->index].root < 0)
		b->at[D_ROOT] = t;
	t += some_time(!world.calm && chance(20) ? 5000 : 30);
	if (chance(world.faults.report)) {
		b->at[D_REPORT] = t;
		b->report = (struct report){ .step = 1 + roll(N_STEPS - 1), .error = chance(300) ? ENOENT : EACCES, .about = "x" };
		/* Now and then it dies without a word: struck during its setup. */
		if (chance(200))
			b->report.step = STEP_NONE;
		return;
	}
	b->at[D_EXEC] = t;
	b->deaf = chance(world.faults.deaf);
	b->immune = chance(world.faults.immune);
	switch (b->role) {
	case ROLE_MAIN:
		script_main(b, u, t);
		break;
	case ROLE_CONTROL:
		fate(b, t, 2000, world.faults.crash);
		if (b->phase == PHASE_CONDITION && chance(100 * !world.calm)) {
			b->exit_kind = 1;
			b->exit_value = 1;
		}
		break;
	case ROLE_HEALTH:
		fate(b, t, 500, world.faults.sick);
		if (!world.calm && chance(30))
			b->exit_value = 59 + (int)roll(3);
		break;
	default:
		fate(b, t, 20000, world.faults.crash);
		break;
	}
	if (b->role != ROLE_MAIN && chance(world.faults.hang))
		b->at[D_EXIT] = FOREVER;
	if (chance(150))
		b->at[D_CHILD] = t + some_time(5000);
}

void being_gate(int pair)
{
	struct manager *m = world.m;

	for (uint32_t k = 0; k < most_beings; k++) {
		struct being *b = &beings[k];

		if (b->state != B_GATE || b->pair != pair)
			continue;
		b->known = pids_find(&m->pids, b->pid, &b->role, &b->index);
		if (!b->known) {
			broke(P_PIDS, "the gate of pid %d was opened before the map knew it", b->pid);
			return;
		}
		if (b->role < N_UNIT_ROLES) {
			struct record r;

			b->during = m->services[b->index].proc[b->role].during;
			b->phase = (enum phase)m->services[b->index].r.phase;
			/* The promise to whoever takes over after a crash: the pid is written down before the gate opens. */
			if (b->role <= ROLE_CONTROL && (records_read(&m->records, b->index, &r) < 0 ||
			    (b->role == ROLE_MAIN ? r.main : r.control) != b->pid))
				broke(P_RECORDS, "the gate of pid %d was opened before its record was written", b->pid);
		}
		b->state = B_SETUP;
		judge_gate(b);
		script(b);
		return;
	}
}

/* ---- death ---- */

static void end(struct being *b, int kind, int value)
{
	if (b->state == B_ZOMBIE)
		return;
	trace("pid %d ends %s %d", b->pid, kind == 1 ? "with" : "by", value);
	pair_let_go(b->pair);
	b->pair = -1;
	b->state = B_ZOMBIE;
	b->end_kind = kind;
	b->end_value = value;
	for (uint32_t k = 0; k < most_beings; k++) {
		if (beings[k].state == B_NONE || beings[k].parent != b->pid || &beings[k] == b)
			continue;
		beings[k].parent = 1;
		beings[k].stranger = true;
		if (beings[k].state == B_ZOMBIE)
			signal_send(SIGCHLD);
	}
	if (b->parent == 1)
		signal_send(SIGCHLD);
	else
		b->state = B_NONE; /* its parent lives, and collects it */
	if (b->known && b->role == ROLE_HELPER && b->index == HELPER_DESK)
		operator_gone();
	if (b->known && b->role == ROLE_HELPER && b->index == HELPER_PROBE)
		n_answers = 0;
}

static void strike(struct being *b, int sig)
{
	if (b->state == B_ZOMBIE || sig == 0)
		return;
	if (sig == SIGKILL) {
		b->hinted = true;
		if (!b->immune)
			end(b, 2, SIGKILL);
		else if (b->at[D_DIE] == FOREVER && chance(700))
			b->at[D_DIE] = world.now + some_time(400000);
		return;
	}
	if (sig == SIGCONT) {
		b->stopped = false;
		return;
	}
	if (sig == SIGSTOP) {
		b->stopped = b->state == B_RUNS;
		return;
	}
	if (sig == SIGCHLD || sig == SIGURG || sig == SIGWINCH || b->role == ROLE_HELPER)
		return;
	if (b->deaf && b->state == B_RUNS) {
		b->hinted = true;
		return;
	}
	/* A handler that ends in order, or none. */
	msec_t t = world.now + b->slow;

	b->hinted = true;
	if (t >= b->at[D_EXIT])
		return;
	b->at[D_EXIT] = t;
	b->exit_kind = chance(500) ? 1 : 2;
	b->exit_value = b->exit_kind == 1 ? (int)roll(2) * (128 + sig) % 256 : sig;
}

int sys_kill(pid_t pid, int sig)
{
	bool any = false;

	if (sig != 0)
		judge_kill(pid, sig);
	for (uint32_t k = 0; k < most_beings; k++) {
		struct being *b = &beings[k];

		if (b->state == B_NONE || !(pid == -1 || (pid > 0 && b->pid == pid) || (pid < -1 && b->group == -pid)))
			continue;
		any = true;
		strike(b, sig);
	}
	if (sig != 0)
		trace("kill %d with %d%s", pid, sig, any ? "" : ": nobody");
	return any ? 0 : -ESRCH;
}

pid_t sys_getsid(pid_t pid)
{
	struct being *b = being_of(pid);

	return b ? b->session : -ESRCH;
}

pid_t sys_getpgid(pid_t pid)
{
	struct being *b = being_of(pid);

	return b ? b->group : -ESRCH;
}

int sys_is_child(pid_t pid)
{
	struct being *b = being_of(pid);

	return b && b->parent == 1;
}

int sys_wait(pid_t pid, struct sys_exit *ret)
{
	(void)pid;
	(void)ret;
	broke(P_WORLD, "it waits for a child");
	return -ECHILD;
}

int sys_reap_peek(struct sys_exit *ret)
{
	uint32_t from = roll(most_beings);

	if (beings_children() == 0)
		return -ECHILD;
	for (uint32_t n = 0; n < most_beings; n++) {
		struct being *b = &beings[(from + n) % most_beings];

		if (b->state != B_ZOMBIE || b->parent != 1)
			continue;
		*ret = (struct sys_exit){ .pid = b->pid, .kind = b->end_kind, .value = b->end_value };
		return 1;
	}
	return 0;
}

int sys_reap(pid_t pid)
{
	struct being *b = being_of(pid);
	enum role role;
	uint32_t index;

	if (!b || b->state != B_ZOMBIE || b->parent != 1) {
		broke(P_PIDS, "pid %d is reaped, and is no dead child", pid);
		return -ECHILD;
	}
	if (b->stranger || b->swept)
		world.reaped_strangers++;
	if (pids_find(&world.m->pids, pid, &role, &index))
		broke(P_PIDS, "pid %d is reaped before the map forgets it: the number may come back at once", pid);
	b->state = B_NONE;
	return 0;
}

/* ---- life ---- */

static void spawn_child(struct being *b)
{
	/* Whoever was told to go makes no more children: they would be told nothing, and may stay for ever. */
	struct being *c = b->hinted ? NULL : born(b->pid);

	if (!c)
		return;
	c->state = B_RUNS;
	c->group = b->group;
	c->session = b->session;
	c->origin = b->origin;
	c->role = N_ROLES;
	c->index = b->index;
	c->deaf = chance(world.faults.deaf);
	if (chance(world.faults.setsid)) {
		c->group = c->session = c->pid;
		c->origin = 0;
	}
	if (chance(600)) {
		c->at[D_EXIT] = world.now + some_time(60000);
		c->exit_kind = 1;
	}
	trace("pid %d has a child %d in group %d", b->pid, c->pid, c->group);
}

static void sweep(int sig)
{
	for (uint32_t k = 0; k < most_beings; k++)
		if (beings[k].state != B_NONE && beings[k].parent == 1 && !beings[k].swept && beings[k].role != ROLE_HELPER)
			strike(&beings[k], sig);
}

/* As supervise/child_root.c does it; now and then with something else. */
static void show_top(struct being *b)
{
	const struct unit *u = b->role == ROLE_MAIN ? table_unit(world.m->table, b->index) : NULL;
	int top = FD_TOP;

	if (!u || !unit_rooted(u) || (u->health_kind != HEALTH_FILE && u->health_kind != HEALTH_UNIX))
		return;
	bool bare = chance(50);

	if (chance(100))
		top = FD_OTHER;
	if (pair_speak(b->pair, &(struct report){ .step = STEP_IMAGE }, sizeof(struct report), &top, !bare) && !bare && top == FD_TOP)
		b->showed = world.m->loop.turns + 1;
}

static void do_deed(struct being *b, enum deed d)
{
	int root = FD_ROOT;

	b->at[d] = FOREVER;
	switch (d) {
	case D_LEAVE:
		b->shares = false;
		(void)pair_speak(b->pair, &(struct report){ .step = STEP_GATE }, sizeof(struct report), NULL, 0);
		break;
	case D_SETSID:
		b->group = b->session = b->pid;
		break;
	case D_ROOT:
		(void)pair_speak(b->pair, &(struct report){ .step = STEP_ROOT }, sizeof(struct report), &root, 1);
		break;
	case D_REPORT:
		if (b->report.step != STEP_NONE)
			(void)pair_speak(b->pair, &b->report, chance(world.faults.torn) ? 8 : sizeof(b->report), NULL, 0);
		end(b, b->report.step != STEP_NONE ? 1 : 2, b->report.step != STEP_NONE ? 200 : SIGSEGV);
		break;
	case D_EXEC:
		show_top(b);
		pair_let_go(b->pair);
		b->pair = -1;
		b->state = B_RUNS;
		trace("pid %d runs", b->pid);
		break;
	case D_CHILD:
		spawn_child(b);
		if (chance(300))
			b->at[D_CHILD] = world.now + some_time(60000);
		break;
	case D_READY:
		notify_send(b->pid, "X=1\nREADY=1", 11);
		break;
	case D_BEAT:
		notify_send(b->pid, "WATCHDOG=1\n", 11);
		b->at[D_BEAT] = world.now + b->beat;
		break;
	case D_EXIT:
		if (b->swept)
			sweep(b->sweep_signal);
		end(b, b->exit_kind, b->exit_value);
		break;
	case D_DIE:
		end(b, 2, SIGKILL);
		break;
	default:
		break;
	}
}

/* Who was left alone at its gate, or a helper whose socket closed, goes by itself. */
static bool forsaken(const struct being *b)
{
	if (b->state == B_GATE)
		return b->pair >= 0 && !pair_near_open(b->pair);
	return b->state == B_RUNS && b->known && b->role == ROLE_HELPER && !pair_near_open(b->pair);
}

static enum deed next_deed(const struct being *b)
{
	enum deed first = D_DIE;

	if (b->stopped)
		return D_DIE;
	if (b->state == B_GATE)
		return b->at[D_LEAVE] <= b->at[D_DIE] ? D_LEAVE : D_DIE;
	for (enum deed d = 0; d < N_DEEDS; d++)
		if (b->at[d] < b->at[first])
			first = d;
	return first;
}

msec_t beings_next(void)
{
	msec_t next = FOREVER;

	for (uint32_t k = 0; k < most_beings; k++) {
		const struct being *b = &beings[k];

		if (b->state == B_NONE || b->state == B_ZOMBIE)
			continue;
		msec_t t = forsaken(b) ? world.now : b->at[next_deed(b)];
		if (t < next)
			next = t;
	}
	return next;
}

static void hear_helper(struct being *b)
{
	struct message msg;
	struct probe_ask ask;
	size_t got;

	if (b->mute)
		return;
	if (b->index == HELPER_DESK) {
		while (pair_hear(b->pair, &msg, sizeof(msg), &got))
			operator_told(&msg);
		return;
	}
	while (pair_hear(b->pair, &ask, sizeof(ask), &got)) {
		if (n_answers == 64 || chance(world.faults.lost_probe))
			continue;
		bool bad = chance(world.faults.sick);
		answers[n_answers].at = world.now + some_time(chance(50 * !world.calm) ? 2 * (msec_t)ask.timeout : 300);
		answers[n_answers++].tell = (struct probe_tell){ .unit = ask.unit, .serial = ask.serial,
			.result = bad ? PROBE_FAILED : PROBE_OK, .detail = bad ? DETAIL(DETAIL_CONNECT, ECONNREFUSED) : 0 };
	}
}

void beings_act(void)
{
	for (uint32_t k = 0; k < most_beings; k++) {
		struct being *b = &beings[k];

		if (b->state == B_NONE || b->state == B_ZOMBIE)
			continue;
		if (!b->known && b->parent == 1 && !b->stranger && !b->swept) {
			b->known = pids_find(&world.m->pids, b->pid, &b->role, &b->index);
			b->swept = !b->known && b->sweep_signal > 0;
			if (b->known && b->role == ROLE_HELPER) {
				b->state = B_RUNS;
				b->group = b->session = b->pid;
				b->mute = chance(world.faults.lost_probe / 4);
				if (chance(world.faults.helper))
					fate(b, world.now, 60000, 900);
			}
		}
		if (forsaken(b)) {
			end(b, 1, 0);
			continue;
		}
		if (b->known && b->role == ROLE_HELPER && !b->stopped)
			hear_helper(b);
		while (b->state != B_NONE && b->state != B_ZOMBIE && b->at[next_deed(b)] <= world.now) {
			world.events++;
			do_deed(b, next_deed(b));
		}
	}
}

msec_t probes_next(void)
{
	msec_t next = FOREVER;

	for (uint32_t k = 0; k < n_answers; k++)
		if (answers[k].at < next)
			next = answers[k].at;
	return next;
}

void probes_act(void)
{
	for (uint32_t k = 0; k < n_answers;) {
		struct being *b = being_of(world.m->helpers[HELPER_PROBE].pid);

		if (answers[k].at > world.now) {
			k++;
			continue;
		}
		if (b && b->state == B_RUNS && b->pair >= 0)
			(void)pair_speak(b->pair, &answers[k].tell, chance(world.faults.torn) ? 3 : sizeof(answers[k].tell), NULL, 0);
		answers[k] = answers[--n_answers];
	}
}

void beings_frozen(msec_t span)
{
	for (uint32_t k = 0; k < most_beings; k++)
		for (int d = 0; d < N_DEEDS; d++)
			beings[k].at[d] = time_add(beings[k].at[d], span);
	for (uint32_t k = 0; k < n_answers; k++)
		answers[k].at = time_add(answers[k].at, span);
}

void beings_calm(void)
{
	for (uint32_t k = 0; k < most_beings; k++) {
		struct being *b = &beings[k];

		if (b->state == B_NONE || b->state == B_ZOMBIE)
			continue;
		bool goes = b->hinted;

		if (goes && b->immune)
			b->at[D_DIE] = world.now + some_time(2000);
		else if (goes)
			fate(b, world.now, 2000, 0);
		if (goes || !b->known) {
			b->stopped = b->deaf = b->immune = false;
			continue;
		}
		const struct unit *u = b->role < N_UNIT_ROLES ? table_unit(world.m->table, b->index) : NULL;

		b->stopped = b->mute = b->deaf = b->immune = false;
		if (b->role == ROLE_HELPER || (b->role == ROLE_MAIN && u->type != TYPE_ONESHOT)) {
			b->at[D_EXIT] = FOREVER;
		} else if (b->at[D_REPORT] == FOREVER) {
			b->at[D_EXIT] = world.now + some_time(2000);
			b->exit_kind = 1;
			b->exit_value = 0;
		}
		if (b->role == ROLE_MAIN && u->type == TYPE_NOTIFY)
			b->at[D_READY] = time_add(b->state == B_SETUP ? b->at[D_EXEC] : world.now, some_time(1000));
	}
}

/* ---- what only a child would do: no fork of ours returns 0 ---- */

_Noreturn void child_run(const struct job *job)
{
	(void)job;
	abort();
}

static int no_life(void *self)
{
	(void)self;
	abort();
}
int (*const shortcut_run)(void *self) = no_life;

/* Some hold more than there is room for. */
bool shortcut_write(struct shortcut *s, const struct job *job, bool plain_root)
{
	(void)plain_root;
	(void)s;
	return job->unit % 5 != 0;
}

int clean_unit(const char *runtime, const char *unit)
{
	(void)runtime;
	(void)unit;
	abort();
}

/* The words for steps live beside child_run(), and would bring it along. */
const char *step_word(enum step s)
{
	(void)s;
	return "STEP";
}

int step_status(enum step s)
{
	return 200 + (int)s;
}

const char *step_setting(enum step s)
{
	(void)s;
	return "Setting";
}
