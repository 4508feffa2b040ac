/* program.c - runs a program of the operator's before the units start, while the world turns: a stop is heard meanwhile. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conf/kit/say.h"
#include "conf/kit/sys.h"
#include "init/world.h"
#include "supervise/env.h"

extern char **environ;

static const char *path;
static struct sys_exit end;
static bool ended;

/* Our own environment, and over it what coppice.conf has for all. */
static _Noreturn void become(const struct table *t)
{
	char *argv[] = { (char *)(uintptr_t)path, NULL };
	struct arena arena = { 0 };
	struct env env = { .arena = &arena };
	uint64_t none = 0;

	for (char **e = environ; e && *e; e++)
		env_put(&env, *e);
	for (uint32_t k = 0, n = list_count(t, t->house.default_env); k < n; k++)
		env_put(&env, table_text(t, list_item(t, t->house.default_env, k)));
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none));
	if (!env.failed)
		(void)execve(path, argv, env.n ? env.at : (char *[]){ NULL });
	_exit(errno == ENOENT ? 127 : 126);
}

/* Between PID 1 and the program: PID 1's own children are reaped by who they are, and this one can tell how it ended. */
static int life(void *manager, int sock, uint32_t which)
{
	const struct manager *m = manager;
	struct sys_exit x = { 0 };
	char heard;

	(void)which;
	say_to(2, "coppice: ");
	/* One session for both, so that one signal reaches both. */
	(void)setsid();
	if (dup2(sock, 3) < 0 || syscall(SYS_close_range, 4, ~0u, 0) < 0)
		return 1;
	pid_t pid = sys_fork();
	if (pid == 0) {
		(void)close(3);
		become(m->table);
	}
	if (pid < 0 || sys_wait(pid, &x) < 0)
		return 1;
	(void)sys_send(3, &x, sizeof(x), NULL, 0);
	/* It is read before we are reaped. */
	(void)sys_read(3, &heard, 1);
	return 0;
}

void program_heard(struct manager *m)
{
	struct helper *h = &m->helpers[HELPER_PROGRAM];
	struct sys_exit x;
	ssize_t got = sys_recv(h->sock, &x, sizeof(x), NULL, NULL);

	if (got == -EAGAIN)
		return;
	ended = got == (ssize_t)sizeof(x);
	if (ended)
		end = x;
	helper_hang_up(m, h);
}

int program_run(const char *program, msec_t limit, struct sys_exit *ret)
{
	struct helper *h = &world.helpers[HELPER_PROGRAM];

	path = program;
	ended = false;
	h->name = "program";
	h->life = life;
	h->wanted = true;
	world.now = sys_now();
	manager_helper(&world, HELPER_PROGRAM);
	h->wanted = false;
	if (h->pid <= 0) {
		timer_disarm(&world.loop, &h->timer);
		return -EAGAIN;
	}
	for (msec_t until = time_add(world.now, limit); h->pid > 0 && !ended;) {
		if (world.how != HOW_NONE)
			return -EINTR;
		if (world.now >= until) {
			(void)sys_kill(-h->pid, SIGKILL);
			return -ETIMEDOUT;
		}
		timer_arm(&world.loop, &world.retry_timer, until);
		if (!world_turn())
			return -EINTR;
	}
	timer_disarm(&world.loop, &world.retry_timer);
	if (!ended)
		return -ECHILD;
	*ret = end;
	return 0;
}
