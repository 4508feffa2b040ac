/* ends.c - signals, death, and who collects the dead. */
#include "tests/sim/sim.h"

#include <errno.h>
#include <signal.h>

#include "conf/kit/sys.h"

void being_end(struct being *b, int kind, int value)
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
		helpers_reset();
}

void being_strike(struct being *b, int sig)
{
	if (b->state == B_ZOMBIE || sig == 0)
		return;
	if (sig == SIGKILL) {
		b->hinted = true;
		if (!b->immune)
			being_end(b, 2, SIGKILL);
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
		being_strike(b, sig);
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
