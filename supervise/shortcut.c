/* shortcut.c - which starts may be system calls alone, and which shortcuts are free for them. */
#include "supervise/shortcut.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conf/kit/sys.h"
#include "supervise/shortcut_calls.h"

#define ALL ((UINT32_C(1) << N_SHORTCUTS) - 1)

bool shortcut_fits(const struct table *t, const struct unit *u)
{
	/* Files that are opened for it, names that are looked up, and what a child would have to ask or to warn of. */
	if (unit_rooted(u) || u->user || u->group || list_count(t, u->groups) || list_count(t, u->env_files) || list_count(t, u->makes))
		return false;
	if (u->out >= OUT_FILE || u->err >= OUT_FILE || u->oom_set || u->ambient || (u->watchdog > 0 && u->watchdog != FOREVER))
		return false;
	return strcmp(table_text(t, u->workdir), "") == 0 || strcmp(table_text(t, u->workdir), "/") == 0;
}

static bool is_plain_root(void)
{
	uid_t u[3];
	gid_t g[3];

	return getresuid(&u[0], &u[1], &u[2]) == 0 && getresgid(&g[0], &g[1], &g[2]) == 0 && !(u[0] | u[1] | u[2] | g[0] | g[1] | g[2]) &&
	       getgroups(0, NULL) == 0;
}

void shortcuts_open(struct shortcuts *all)
{
	*all = (struct shortcuts){ .at = NULL };
	if (!shortcut_run)
		return;
	void *at = mmap(NULL, N_SHORTCUTS * sizeof(struct shortcut), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return;
	/* No child that is forked has business in it. */
	(void)madvise(at, N_SHORTCUTS * sizeof(struct shortcut), MADV_DONTFORK);
	all->at = at;
	all->free = ALL;
	all->plain_root = is_plain_root();
}

uint8_t shortcut_take(struct shortcuts *all, const struct job *job)
{
	if (!all->free || all->refused || !job->pad || job->phase == PHASE_EXEC || job->phase == PHASE_PIDFILE ||
	    !shortcut_fits(job->table, table_unit(job->table, job->unit)))
		return 0;
	int k = __builtin_ctz(all->free);

	all->used = true;
	if (!shortcut_write(&all->at[k], job, all->plain_root))
		return 0;
	all->at[k].what = (struct launch){ .phase = job->phase, .command = job->command };
	all->free &= ~(UINT32_C(1) << k);
	return (uint8_t)(k + 1);
}

int32_t shortcut_start(struct shortcuts *all, uint8_t number)
{
	struct shortcut *s = &all->at[number - 1];

	return sys_fork_within(shortcut_run, s->stack + sizeof(s->stack), s);
}

struct launch shortcut_launch(const struct shortcuts *all, uint8_t number)
{
	return all->at[number - 1].what;
}

void shortcut_give(struct shortcuts *all, uint8_t number)
{
	if (number)
		all->free |= UINT32_C(1) << (number - 1);
}

bool shortcuts_crowded(const struct shortcuts *all)
{
	return all->at && !all->refused && all->free == 0;
}

bool shortcuts_idle(const struct shortcuts *all)
{
	return !all->at || all->free == ALL;
}

void shortcuts_rest(struct shortcuts *all)
{
	if (!all->used || !shortcuts_idle(all))
		return;
	all->used = false;
	sys_forget(all->at, N_SHORTCUTS * sizeof(*all->at));
}
