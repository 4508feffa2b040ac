/* beings.c - the processes of the fake world: who is whose child, and what each does when its time has come. */
#include "tests/sim/sim.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "conf/kit/sys.h"

#define PIDS 300 /* the pid space; a number comes back as soon as nobody uses it as pid, group or session */

struct being beings[MAX_BEINGS];
uint32_t most_beings;
static uint64_t origins;

void beings_reset(void)
{
	memset(beings, 0, sizeof(beings));
	helpers_reset();
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
			being_strike(&beings[k], sig);
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
		being_end(b, b->report.step != STEP_NONE ? 1 : 2, b->report.step != STEP_NONE ? 200 : SIGSEGV);
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
		being_end(b, b->exit_kind, b->exit_value);
		break;
	case D_DIE:
		being_end(b, 2, SIGKILL);
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
					being_fate(b, world.now, 60000, 900);
			}
		}
		if (forsaken(b)) {
			being_end(b, 1, 0);
			continue;
		}
		if (b->known && b->role == ROLE_HELPER && !b->stopped)
			helper_hears(b);
		while (b->state != B_NONE && b->state != B_ZOMBIE && b->at[next_deed(b)] <= world.now) {
			world.events++;
			do_deed(b, next_deed(b));
		}
	}
}

void beings_frozen(msec_t span)
{
	for (uint32_t k = 0; k < most_beings; k++)
		for (int d = 0; d < N_DEEDS; d++)
			beings[k].at[d] = time_add(beings[k].at[d], span);
	probes_frozen(span);
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
			being_fate(b, world.now, 2000, 0);
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
