/*
 * world.c - runs one seed after the other: boot, trouble, calm, shutdown; TAP at the end.
 *
 *   SEED=n   that seed alone, every event told
 *   SEEDS=n  that many seeds; FROM=n is the first
 *
 * TIMEOUT 600
 */
#include "tests/sim/sim.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf/kit/say.h"
#include "conf/kit/sys.h"
#include "supervise/pads.h"
#include "tests/lib/tap.h"

#ifdef __SANITIZE_ADDRESS__
#define SEEDS_USUAL 2000
#else
#define SEEDS_USUAL 10000
#endif
#define WORKERS     2

struct world world;
static struct manager manager;
static uint64_t dice;

/* What all seeds of a worker came to; shared with whoever sums it up. */
struct sum {
	uint64_t seeds, turns, forks, faults, events;
	msec_t simulated;
	uint64_t broken[N_PROMISES], first_seed[N_PROMISES];
	uint64_t cells[N_STATES][N_EVENTS];
};

/* splitmix64 (Steele, Lea, Flood 2014): every seed is as good as any other. */
static uint64_t next_dice(void)
{
	uint64_t z = dice += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint32_t roll(uint32_t n)
{
	return n ? (uint32_t)((next_dice() >> 32) * n >> 32) : 0;
}

bool chance(uint32_t thousandth)
{
	return thousandth > 0 && roll(1000) < thousandth;
}

msec_t some_time(msec_t most)
{
	int bits = 0;

	while (most >> bits)
		bits++;
	msec_t limit = most >> roll((uint32_t)bits + 1);

	return (msec_t)(next_dice() % (uint64_t)(limit + 1));
}

void trace(const char *fmt, ...)
{
	va_list args;

	if (!world.verbose)
		return;
	printf("# %9lld ", (long long)world.now);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

static struct sum *sum;

void broke(enum promise p, const char *fmt, ...)
{
	va_list args;
	char text[300];

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (world.verbose || (!world.broken && sum->broken[p] < 3))
		printf("# seed %llu at %lld ms: %s: %s\n", (unsigned long long)world.seed, (long long)world.now, promise_words[p], text);
	if (world.broken)
		return;
	world.broken = true;
	if (sum->broken[p]++ == 0)
		sum->first_seed[p] = world.seed;
}

/* ---- what the manager says, and the rest of its seam ---- */

void say(enum level level, const char *fmt, ...)
{
	va_list args;
	char text[1024];

	(void)level;
	if (!world.verbose)
		return;
	va_start(args, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	trace("say: %s", text);
	if (n < 0 || strstr(text, "(null)"))
		broke(P_WORLD, "it says something strange: %s", text);
}

void say_to(int fd, const char *prefix)
{
	(void)fd;
	(void)prefix;
}

void say_level(enum level most)
{
	(void)most;
}

bool say_says(enum level level)
{
	(void)level;
	return true;
}

int say_level_of(const char *word)
{
	(void)word;
	return -1;
}

void say_hold(void)
{
}

void say_flush(void)
{
}

uint32_t say_lost(void)
{
	return 0;
}

msec_t sys_now(void)
{
	return world.now;
}

msec_t sys_wall(void)
{
	return world.now + 1700000000000;
}

uint32_t sys_random(void)
{
	return (uint32_t)next_dice();
}

int sys_unlink(const char *path)
{
	(void)path;
	return 0;
}

int sys_symlink(const char *to, const char *path)
{
	(void)to;
	(void)path;
	return chance(10) ? -EROFS : 0;
}

/* ---- one seed ---- */

static void on_signal(struct manager *m, int sig)
{
	if (sig == SIGTERM || sig == SIGPWR)
		manager_shutdown(m, HOW_EXIT, -1, "SIGTERM");
}

static int no_life(void *m, int sock, uint32_t index)
{
	(void)m;
	(void)sock;
	(void)index;
	return 0;
}

static void trouble(void)
{
	bool none = chance(150);
	struct faults *f = &world.faults;

	*f = (struct faults){ .report = 0 };
	if (none)
		return;
	uint32_t level = 1 + roll(3);
	f->report = roll(60) * level;
	f->crash = roll(200) * level;
	f->hang = roll(50) * level;
	f->deaf = roll(80) * level;
	f->sick = roll(200) * level;
	f->lost_probe = roll(60) * level;
	f->setsid = roll(100);
	f->immune = chance(60) ? 30 : 0;
	f->torn = chance(200) ? 20 : 0;
	f->stall = chance(200) ? 3 : 0;
	if (chance(500)) {
		f->fork = roll(100) * level;
		f->socketpair = roll(40) * level;
		f->pipe = roll(100);
		f->send = roll(60);
		f->watch = roll(40);
		f->helper = roll(900);
	}
}

static bool turns_until(msec_t when)
{
	uint64_t at_once = 0;
	msec_t last = world.now;

	world.horizon = when;
	while (world.now < when && !world.broken) {
		bool goes_on = manager_turn(&manager);

		world.turns++;
		judge_turn();
		if (!goes_on)
			return false;
		at_once = world.now == last ? at_once + 1 : 0;
		last = world.now;
		if (at_once > 5000)
			broke(P_SPIN, "it turns and turns and no time passes");
	}
	return true;
}

static void boot(const struct table *t)
{
	struct manager *m = &manager;

	memset(m, 0, sizeof(*m));
	world.m = m;
	m->runtime = "/run/coppice";
	m->on_signal = on_signal;
	m->is_init = chance(750);
	m->budget = chance(100) ? FOREVER : 1000 + some_time(90000);
	fds_reset();
	m->signal_fd = fd_new(FD_SIGNAL, -1);
	m->notify_fd = fd_new(FD_NOTIFY, -1);
	m->out_fd = fd_new(FD_OTHER, -1);
	/* None where the kernel has no close_range; few, so that they run out. */
	world.pads = m->pads = chance(250) ? 0 : chance(500) ? pads_open() & 7u : pads_open();
	static struct shortcuts cuts;
	if (!cuts.at)
		shortcuts_open(&cuts);
	m->shortcuts = cuts;
	if (chance(500))
		m->shortcuts.free &= chance(500) ? 3u : 0;
	world.cuts = m->shortcuts.free;
	struct faults later = world.faults;
	world.faults = (struct faults){ .fork = 0 };
	if (manager_open(m, t) < 0)
		broke(P_WORLD, "manager_open failed");
	world.faults = later;
	manager_log(m);
	for (uint32_t k = HELPER_DESK; k <= HELPER_PROBE; k++) {
		m->helpers[k].life = no_life;
		m->helpers[k].wanted = true;
		/* At boot the desk comes after the first units; after a reload it is there at once. */
		if (k == HELPER_DESK && chance(700))
			timer_arm(&m->loop, &m->helpers[k].timer, time_add(m->now, some_time(20)));
		else
			manager_helper(m, k);
	}
	judge_reset(m);
	manager_begin(m);
}

static void bury(void)
{
	struct manager *m = &manager;

	(void)munmap(m->records.state, m->records.state->total);
	(void)close(m->records.fd);
	(void)munmap(m->arena, m->arena_size);
	(void)munmap(m->pipes, (m->n + 1) * sizeof(*m->pipes));
}

/* Faults, then none: everything has to come to where it belongs. */
static bool live(void)
{
	msec_t quiet = world.now + 3 * 3600000;
	uint32_t stuck = 0;

	world.next_ask = world.now + some_time(5000);
	if (!turns_until(world.now + some_time(chance(500) ? 20000 : 600000)))
		return false;
	world.calm = true;
	world.faults = (struct faults){ .report = 0 };
	world.next_ask = FOREVER;
	beings_calm();
	if (chance(400))
		return true; /* straight into the shutdown, with whatever is under way */
	if (!turns_until(world.now + 100000))
		return false;
	while (world.now < quiet && !world.broken && (manager.unsettled > 0 || manager.queue_n + manager.held_n > 0 || manager.n_sessions > 0)) {
		uint32_t was = manager.unsettled;

		if (!turns_until(world.now + 60000))
			return false;
		stuck = was == manager.unsettled ? stuck + 1 : 0;
		if (stuck > 15)
			break;
	}
	if (!turns_until(world.now + 1000))
		return false;
	if (manager.how == HOW_NONE && !world.hasty)
		judge_rest(true);
	operator_settle();
	return true;
}

static void shut_down(void)
{
	msec_t began = world.now;

	if (world.broken)
		return;
	if (manager.how == HOW_NONE) {
		/* Trouble of the processes' own making goes on; the kernel has enough of everything. */
		world.faults.deaf = roll(300);
		world.faults.hang = roll(100);
		world.faults.setsid = 100;
		world.calm = false;
		for (uint32_t k = 0; k < most_beings; k++)
			if (beings[k].state == B_RUNS && beings[k].role != ROLE_HELPER && chance(world.faults.deaf))
				beings[k].deaf = true;
		bool asked = chance(500);

		/* Somebody is impatient: both are heard in the same turn. */
		if (!asked && chance(100))
			signal_send(SIGPWR);
		if (asked)
			operator_ask(true);
		else
			signal_send(SIGTERM);
		if (!turns_until(world.now + 1))
			return;
		if (manager.how == HOW_NONE) {
			signal_send(SIGTERM);
			(void)turns_until(world.now + 1);
		}
		if (chance(150)) {
			(void)turns_until(world.now + 1 + some_time(10000));
			signal_send(SIGTERM);
		}
	}
	if (manager.sweep != SWEEP_OVER) {
		msec_t budget = manager.budget == FOREVER ? 3600000 : manager.budget;

		world.faults.immune = world.faults.stall = 0;
		/* Without a budget it takes as long as it takes; a second signal ends that. */
		if (manager.budget == FOREVER && turns_until(world.now + budget)) {
			began = world.now;
			budget = 1000;
			signal_send(SIGTERM);
		}
		if (turns_until((manager.how == HOW_NONE ? world.now : began) + budget + 1000 + 10) && !world.broken)
			broke(P_SHUTDOWN, "%lld ms after its beginning it is not over (budget %lld)", (long long)(world.now - began),
			      (long long)budget);
	}
	if (manager.sweep == SWEEP_OVER && !world.broken)
		judge_end(true);
}

/* A turn that never ends is seen from outside only. */
static void hangs(int sig)
{
	(void)sig;
	printf("# seed %llu at %lld ms: a turn does not end\n", (unsigned long long)world.seed, (long long)world.now);
	(void)fflush(stdout);
	_exit(1);
}

static void run_seed(uint64_t seed)
{
	bool verbose = world.verbose;

	memset(&world, 0, sizeof(world));
	world.verbose = verbose;
	world.seed = seed;
	dice = seed * 0xd1342543de82ef95u + 1;
	world.now = 1 + some_time(100000);
	world.horizon = world.next_ask = FOREVER;
	msec_t began = world.now;

	(void)alarm(30);
	beings_reset();
	operator_reset();
	world.hasty = chance(200);
	const struct table *t = units_draw();
	trouble();
	boot(t);
	if (live())
		shut_down();
	else if (manager.sweep == SWEEP_OVER && !world.broken)
		judge_end(true);
	sum->seeds++;
	sum->turns += world.turns;
	sum->forks += world.forks;
	sum->faults += world.faults_done;
	sum->events += world.events;
	sum->simulated += world.now - began;
	bury();
}

static uint64_t number(const char *name, uint64_t usual)
{
	const char *s = getenv(name);

	return s ? strtoull(s, NULL, 10) : usual;
}

static void add_up(struct sum *all, const struct sum *part)
{
	all->seeds += part->seeds;
	all->turns += part->turns;
	all->forks += part->forks;
	all->faults += part->faults;
	all->events += part->events;
	all->simulated += part->simulated;
	for (int p = 0; p < N_PROMISES; p++) {
		if (all->broken[p] == 0)
			all->first_seed[p] = part->first_seed[p];
		all->broken[p] += part->broken[p];
	}
	for (int s = 0; s < N_STATES; s++)
		for (int e = 0; e < N_EVENTS; e++)
			all->cells[s][e] += part->cells[s][e];
}

static void tell_cover(const struct sum *all)
{
	uint32_t there = 0, seen = 0;

	for (int s = 0; s < N_STATES; s++)
		for (int e = 0; e < N_EVENTS; e++) {
			if (svc_steps[s][e].verb != GO_THERE)
				continue;
			there++;
			seen += all->cells[s][e] > 0;
			if (all->cells[s][e] == 0)
				printf("# never visited: %s in %s\n", svc_event_word((enum svc_event)e), svc_state_word((enum svc_state)s));
		}
	printf("# %u of %u transitions visited\n", seen, there);
	/* A change that makes whole regions unreachable would otherwise look like success. */
	CHECK(all->seeds < 1000 || seen * 100 >= there * 90, "the seeds visit %u of %u transitions", seen, there);
}

int main(void)
{
	uint64_t seeds = number("SEEDS", SEEDS_USUAL), first = number("FROM", 1);
	struct sum *parts = mmap(NULL, (WORKERS + 1) * sizeof(*parts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (parts == MAP_FAILED)
		return 1;
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	(void)signal(SIGALRM, hangs);
	struct sum *all = &parts[WORKERS];
	bool alive = true;

	if (getenv("SEED")) {
		sum = &parts[0];
		world.verbose = true;
		run_seed(number("SEED", 1));
		memcpy(sum->cells, cells, sizeof(cells));
	} else {
		for (int w = 0; w < WORKERS; w++) {
			(void)fflush(stdout);
			if (fork() != 0)
				continue;
			sum = &parts[w];
			for (uint64_t k = (uint64_t)w; k < seeds; k += WORKERS)
				run_seed(first + k);
			memcpy(sum->cells, cells, sizeof(cells));
			_exit(0);
		}
		for (int status; wait(&status) > 0;)
			alive &= status == 0;
	}
	for (int w = 0; w < WORKERS; w++)
		add_up(all, &parts[w]);
	CHECK(alive, "every turn ends, and nothing crashes");
	for (int p = 0; p < N_PROMISES; p++)
		if (!CHECK(all->broken[p] == 0, "%s", promise_words[p]))
			printf("# broken by %llu seeds; replay: SEED=%llu build/tests/sim/sim\n", (unsigned long long)all->broken[p],
			       (unsigned long long)all->first_seed[p]);
	tell_cover(all);
	printf("# %llu seeds, %llu turns, %llu processes, %llu deeds of theirs, %llu faults, %.1f days of virtual time\n",
	       (unsigned long long)all->seeds, (unsigned long long)all->turns, (unsigned long long)all->forks,
	       (unsigned long long)all->events, (unsigned long long)all->faults, (double)all->simulated / 86400000.0);
	return tap_done();
}
