/* fates.c - what a process will do, and when: drawn by the seed when its gate opens. */
#include "tests/sim/sim.h"

#include <errno.h>

void being_fate(struct being *b, msec_t from, msec_t most, uint32_t bad)
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
		being_fate(b, t, 20000, world.faults.crash);
		if (chance(world.faults.hang))
			b->at[D_EXIT] = FOREVER;
		return;
	}
	if (chance(world.faults.crash))
		being_fate(b, t, chance(500) ? 3000 : 300000, 800);
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
		being_fate(b, t, 2000, world.faults.crash);
		if (b->phase == PHASE_CONDITION && chance(100 * !world.calm)) {
			b->exit_kind = 1;
			b->exit_value = 1;
		}
		break;
	case ROLE_HEALTH:
		being_fate(b, t, 500, world.faults.sick);
		if (!world.calm && chance(30))
			b->exit_value = 59 + (int)roll(3);
		break;
	default:
		being_fate(b, t, 20000, world.faults.crash);
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
