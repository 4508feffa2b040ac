/*
 * pid1.c - the life of PID 1, top to bottom: ready itself, load the units, ready
 * the container, start the helpers, turn until all is over, leave.
 */
#include "init/pid1.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conf/kit/pages.h"
#include "conf/kit/say.h"
#include "conf/kit/sys.h"
#include "health/probe.h"
#include "init/app.h"
#include "init/boot.h"
#include "init/container.h"
#include "init/control/desk.h"
#include "init/loader.h"
#include "init/machine.h"
#include "init/net/netfile.h"
#include "init/signals.h"
#include "init/upward.h"
#include "init/world.h"
#include "mount/root.h"
#include "supervise/caps.h"
#include "supervise/pads.h"

#define BOOT_REFUSED_STATUS 78 /* EX_CONFIG of sysexits.h: nothing to supervise could be read */

_Alignas(4096) struct manager world; /* .bss: nothing of it is ever freed */
enum container container;
const struct init_options *given;

/* ---- itself ---- */

/* All 64 by hand: the C library's sigfillset leaves out those it uses itself. */
static void all_signals(sigset_t *set)
{
	memset(set, 0xff, sizeof(*set));
}

void signals_block(void)
{
	static const uint64_t all = ~(uint64_t)0, usual[4]; /* SIG_DFL without flags, as the kernel's struct sigaction */

	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all));
	/* What whoever started us ignores would be ignored by every unit too. KILL and STOP refuse, and need nothing. */
	for (int sig = 1; sig <= 64; sig++)
		(void)syscall(SYS_rt_sigaction, sig, usual, NULL, sizeof(all));
}

/* A manager may leave 0, 1 or 2 closed; the next file opened would then be taken for the console. */
static void fill_descriptors(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			(void)dup2(memfd_create("coppice-no-console", 0), fd);
	/* Whatever else was left open is nobody's. */
	(void)syscall(SYS_close_range, 3, ~0u, 0);
}

/* lxc-start -d leaves /dev/null on 0-2, and its console at /dev/console (lxc.container.conf(5), lxc.console). */
static void find_console(void)
{
	struct stat out, null;

	if (container != CONTAINER_LXC || fstat(1, &out) < 0 || stat("/dev/null", &null) < 0 || out.st_rdev != null.st_rdev)
		return;
	int fd = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)dup2(fd, 1);
	(void)dup2(fd, 2);
	(void)close(fd);
}

/* As much as the loader needs: it is forked next. */
static void ready_first(void)
{
	fill_descriptors();
	(void)umask(022);
	(void)chdir("/");
	(void)prctl(PR_SET_NAME, "coppice");
	/* Nobody of the same user may look into us by /proc or ptrace; execve resets it. */
	(void)prctl(PR_SET_DUMPABLE, 0);
	container = container_detect();
	find_console();
	world.is_init = getpid() == 1;
}

static void ready_itself(void)
{
	struct rlimit files;

	world.pads = pads_open();
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != files.rlim_max) {
		world.nofile = (uint64_t)files.rlim_cur;
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	app_remember();
	upward_open();
	world.machine = machine_is_ours(world.is_init, container);
	if (!world.is_init) {
		if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
			say(SAY_WARNING, "not PID 1, and no subreaper either (%s): processes that leave their parents are lost", strerror(errno));
		else
			say(SAY_INFO, "not PID 1 but %d: running as a subreaper; boot steps are left to whoever is", (int)getpid());
	}
}

/* ---- roots ---- */

bool needs_roots(const struct table *t)
{
	for (uint32_t i = 0; i < t->n_units; i++)
		if (unit_rooted(table_unit(t, i)))
			return true;
	return false;
}

/* The ladder of roots is tried once, by a child that is thrown away. */
enum rung find_rung(const struct table *t)
{
	struct sys_exit x = { .kind = 1, .value = RUNG_FULL };

	if (!needs_roots(t))
		return RUNG_FULL;
	pid_t pid = sys_fork();
	if (pid == 0)
		_exit((int)rung_probe());
	if (pid < 0 || sys_wait(pid, &x) < 0 || x.kind != 1 || x.value >= N_RUNGS)
		x.value = RUNG_NONE;
	if (x.value != RUNG_FULL)
		say(SAY_WARNING, "%s", rung_lost((enum rung)x.value));
	return (enum rung)x.value;
}

/* ---- helpers ---- */

/* ms: the first units start before the desk does, which has nothing to read until then. */
#define DESK_WAITS 20

static int desk_life(void *manager, int sock, uint32_t which)
{
	(void)which;
	const struct manager *m = manager;
	struct desk_setup s = { .table = m->table, .state_fd = m->records.fd, .logs_fd = logs_fd, .pid1 = sock,
				.listener = listener, .logs_ep = m->logs_ep, .pipes = m->pipes, .out = m->out_fd, .n = m->n,
				.runtime = m->runtime };

	return desk_main(&s);
}

static int probe_life(void *manager, int sock, uint32_t which)
{
	(void)which;
	const struct manager *m = manager;

	return probe_main(sock, m->table);
}

static bool needs_probe(const struct table *t)
{
	for (uint32_t i = 0; i < t->n_units; i++)
		if (table_unit(t, i)->health_kind > HEALTH_CMD)
			return true;
	return false;
}

void helpers_start(struct manager *m, msec_t desk_in)
{
	struct helper *desk = &m->helpers[HELPER_DESK], *probe = &m->helpers[HELPER_PROBE];

	desk->life = desk_life;
	desk->ready = places_open;
	desk->wanted = true;
	probe->life = probe_life;
	probe->wanted = needs_probe(m->table);
	manager_log(m);
	manager_helper(m, HELPER_PROBE);
	if (desk_in == 0) {
		manager_helper(m, HELPER_DESK);
		return;
	}
	timer_arm(&m->loop, &desk->timer, time_add(m->now, desk_in));
	if (m->log >= 0)
		say_to(m->log, "");
}

/* ---- signals ---- */

static void leave(enum how how, int code);

static void on_signal(struct manager *m, int sig)
{
	char why[64];

	(void)snprintf(why, sizeof(why), "signal %d", sig);
	switch (signal_wish(&m->table->house, container, sig)) {
	case WISH_EXIT:
		manager_shutdown(m, HOW_EXIT, -1, why);
		break;
	case WISH_POWEROFF:
		manager_shutdown(m, HOW_POWEROFF, -1, why);
		break;
	case WISH_HALT:
		manager_shutdown(m, HOW_HALT, -1, why);
		break;
	case WISH_REBOOT:
		manager_shutdown(m, HOW_REBOOT, -1, why);
		break;
	case WISH_HALT_NOW:
		leave(HOW_HALT, 0);
		break;
	case WISH_POWEROFF_NOW:
		leave(HOW_POWEROFF, 0);
		break;
	case WISH_REBOOT_NOW:
		leave(HOW_REBOOT, 0);
		break;
	case WISH_REOPEN:
		places_reopen(m);
		break;
	case WISH_RELOAD:
		m->reload_asked = true;
		break;
	case WISH_DUMP:
		dump_begin(m);
		break;
	case WISH_FORWARD:
		forward(m, sig);
		break;
	default:
		say(SAY_DEBUG, "signal %d is ignored", sig);
		break;
	}
}

/* ---- the end ---- */

static int end_as(enum how how, int code)
{
	return machine_end(machine_look(world.is_init, container), how, code);
}

/*
 * _exit, so that nothing that was registered runs. In a container reboot(2) is
 * for a reboot alone: the kernel ends the PID namespace with it, and managers read
 * SIGHUP as "start it again" (reboot(2), "Behavior inside PID namespaces").
 */
static void leave(enum how how, int code)
{
	say_flush();
	places_remove();
	int status = end_as(how, code);

	upward_end(status);
	say_flush();
	_exit(status);
}

/* Nothing can be supervised. To leave would make a machine panic: it halts, with the reason on its screen. */
static int refuse(void)
{
	upward_end(BOOT_REFUSED_STATUS);
	return given->dry_run ? BOOT_REFUSED_STATUS : end_as(HOW_HALT, BOOT_REFUSED_STATUS);
}

/* ---- dry run ---- */

static void print_plan(const struct table *t, const struct boot *b)
{
	bool exec = app_takes_over(t);

	if (world.is_init && !given->no_boot)
		boot_print(b);
	for (uint32_t rank = 0, left = t->n_units; left > 0 && rank <= t->n_units; rank++)
		for (uint32_t i = 0; i < t->n_units; i++) {
			const struct unit *u = table_unit(t, i);

			if (u->rank != rank)
				continue;
			left--;
			if (u->load != LOAD_OK || !u->autostart || (u->kind != UNIT_SERVICE && u->kind != UNIT_TARGET))
				continue;
			printf("%s  %-20s wave %u%s%s", exec ? "exec " : "start", table_text(t, u->name), rank, u->image ? ", image " : "",
			       table_text(t, u->image));
			for (uint32_t k = 0, n = list_count(t, u->needs); k < n; k++)
				printf("%s%s", k ? " " : ", after ", table_text(t, table_unit(t, EDGE_UNIT(list_item(t, u->needs, k)))->name));
			putchar('\n');
			for (uint32_t k = 0, n = list_count(t, u->mounts); k < n; k++) {
				const struct unit_mount *w = (const void *)table_words(t, list_item(t, u->mounts, k));

				printf("mount  %-20s %s on %s%s\n", table_text(t, u->name),
				       w->kind == MOUNT_TMPFS ? "tmpfs" : table_text(t, w->source), table_text(t, w->target), w->flags & MOUNT_RO ? ", read-only" : "");
			}
		}
}

static void on_helper(struct manager *m, uint32_t which)
{
	if (which == HELPER_PROGRAM)
		program_heard(m);
	else
		network_heard(m, which);
}

bool world_turn(void)
{
	static bool forgot;
	bool on = manager_turn(&world);

	/* All are up: of what boot needed, most is never needed again. */
	if (!forgot && world.records.state->boot_ready) {
		pages_forget(false);
		forgot = true;
	}
	if (on && world.begun)
		reload_between_turns();
	msec_t next = upward_look(&world, reload_under_way()), more = dump_go_on(&world), places = places_look();

	next = more < next ? more : next;
	next = places < next ? places : next;
	if (next != FOREVER || world.init_timer.place)
		timer_arm(&world.loop, &world.init_timer, next);
	return on;
}

/* Turns, without units, until the networks are up or have had their time. False: all is over before it began. */
static bool wait_online(void)
{
	msec_t begun = sys_now();

	for (msec_t most; (most = network_wait()) > 0 && world.how == HOW_NONE;) {
		msec_t until = time_add(begun, most);

		if (world.now >= until) {
			say(SAY_WARNING, "the network is not up yet; the units start without it (WaitOnlineSec=)");
			break;
		}
		timer_arm(&world.loop, &world.retry_timer, until);
		if (!world_turn())
			return false;
	}
	timer_disarm(&world.loop, &world.retry_timer);
	return true;
}

int init_main(const struct init_options *o)
{
	sigset_t all;

	given = o;
	all_signals(&all);
	world.runtime = o->runtime;
	world.out_fd = 1;
	world.notify_fd = -1;
	world.on_signal = on_signal;
	if (!o->dry_run)
		ready_first();
	else
		world.is_init = getpid() == 1;
	bool boots = world.is_init && !o->no_boot;
	struct loading l = loader_begin(o, true);

	/* While the units are read: what does not depend on them. */
	if (!o->dry_run) {
		ready_itself();
		shortcuts_open(&world.shortcuts);
		world.bounding = caps_bounding();
		child_ready();
		world.now = sys_now();
	}
	world.signal_fd = sys_signalfd(&all);
	const struct table *t = loader_end(&l);
	if (!t)
		return refuse();
	struct boot b = { .table = t, .container = container, .machine = world.machine, .run = program_run };
	if (o->dry_run) {
		print_plan(t, &b);
		return t->findings ? 1 : 0;
	}
	/* Nothing but the app was asked for, and the app cannot be had: its findings were told. */
	if (app_is_there(t) && !app_is_sound(t))
		return refuse();
	uint32_t steps[32] = { 0 };
	if (boots)
		boot_run(&b, false, steps);
	else
		boot_skip(o->no_boot ? SKIP_NO_BOOT : SKIP_NOT_INIT, steps);
	world.budget = t->house.shutdown_timeout ? t->house.shutdown_timeout : container_budget(container);
	bool exec = app_takes_over(t);

	if (exec)
		(void)netfile_dirs(given->runtime);
	world.rung = (uint8_t)find_rung(t);
	int e = manager_open(&world, t);
	if (e < 0) {
		say(SAY_ERROR, "cannot make room for %u units: %s", t->n_units, strerror(-e));
		return refuse();
	}
	/* Who becomes another program leaves it no dead child; and ours has done what it was for. */
	if (exec) {
		(void)sys_kill(l.pid, SIGKILL);
		(void)sys_wait(l.pid, &(struct sys_exit){ 0 });
	} else {
		pids_put(&world.pids, l.pid, ROLE_HELPER, HELPER_LOAD);
	}
	memcpy(world.records.state->boot_steps, steps, sizeof(steps));
	world.records.state->container = (uint8_t)container;
	world.records.state->pid = getpid();
	if (!exec) {
		if (boots || places_wanted(t))
			places_open();
		helpers_start(&world, DESK_WAITS);
	}
	world.on_helper = on_helper;
	if (boots)
		network_start(&world);
	/* A stop that came while we readied ourselves is heard before anything else is begun. */
	timer_arm(&world.loop, &world.retry_timer, world.now);
	if (world_turn() && wait_online() && boots && world.how == HOW_NONE)
		boot_run(&b, true, world.records.state->boot_steps);
	if (exec && world.how == HOW_NONE)
		leave(HOW_EXIT, app_become(t, given->runtime));
	if (exec)
		leave((enum how)world.how, world.exit_code);
	manager_forgo(&world);
	if (world.how == HOW_NONE)
		manager_begin(&world);
	say_hold();
	while (world.sweep != SWEEP_OVER && world_turn())
		;
	leave((enum how)world.how, world.exit_code);
	return 0;
}
