/*
 * shortcut.c - a start by a list of system calls is the start that a fork would have made, or none
 * at all. Needs root and a static busybox.
 */
#include "supervise/shortcut.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf/kit/raw.h"
#include "conf/kit/sys.h"
#include "supervise/caps.h"
#include "supervise/pads.h"
#include "tests/lib/handmade.h"
#include "tests/lib/tap.h"

/* What the shell of a started unit finds, but for what is never the same twice. */
static const char look[] =
	"exec 2>&1; b=/bin/busybox; $b env | $b grep -v -e INVOCATION_ID -e ^_= | $b sort\n"
	"$b grep -E '^(Umask|Uid|Gid|Groups|NoNewPrivs|Cap|Sig(Blk|Ign|Cgt))' /proc/self/status\n"
	"$b cat /proc/self/limits\n"
	"[ $($b cut -d' ' -f6 /proc/$$/stat) = $$ ] && echo leads\n" /* its session */
	"$b cut -d' ' -f19 /proc/self/stat\n" /* nice */
	"for fd in 0 1 2; do $b readlink /proc/$$/fd/$fd | $b tr -d 0-9; done\n"
	"pwd; echo $0 $*; set -- /proc/$$/fd/*; echo $#\n";

static struct hand *hand;
static struct unit *unit;
static struct shortcuts cuts;
static uint32_t pads;
static char said[2][32768]; /* by the short way, and by the long one */

struct outcome { int status; struct report report; pid_t pid; bool fitted; };

static uint32_t shell(const char *script)
{
	return hand_command(hand, CMD_VERBATIM, (const char *[]){ "/bin/busybox", "sh", "-c", script, "zero", "one", NULL });
}

static void fresh(void)
{
	hand_open(hand);
	unit = &hand->units[0];
	unit->name = hand_text(hand, "web");
	unit->file = hand_text(hand, "web.service");
	unit->umask = 022;
	unit->bounding = UINT64_C(0x4fb) | UINT64_C(1) << 31;
	unit->ignore_sigpipe = true;
}

/* One start by a shortcut, or by a fork; `open` says whether its gate is opened or closed. */
static struct outcome start(const struct job *wish, bool by_cut, bool open, char *into)
{
	struct outcome o = { .pid = -1 };
	struct job job = *wish;
	int gate[2], out[2];
	size_t n = 0;
	uint8_t cut = 0;

	if (sys_socketpair(gate) < 0 || pipe2(out, O_CLOEXEC) < 0)
		abort();
	job.table = &hand->table;
	job.gate = gate[1];
	job.in = job.root = job.request = -1;
	job.runtime = "/run/coppice";
	if (job.out == 0)
		job.out = out[1];
	if (job.err == 0)
		job.err = out[1];
	pad_take(&pads, &job);
	if (by_cut)
		cut = shortcut_take(&cuts, &job);
	o.fitted = cut != 0;
	if (!by_cut || cut) {
		errno = 77;
		o.pid = cut ? shortcut_start(&cuts, cut) : sys_fork_sharing();
		if (o.pid == 0)
			child_run(&job);
		if (open)
			(void)sys_write(gate[0], "", 1);
		else
			(void)shutdown(gate[0], SHUT_WR);
		(void)waitpid(o.pid, &o.status, 0);
		CHECK(!cut || errno == 77, "its errors are not ours");
	}
	pad_give(&pads, job.pad);
	shortcut_give(&cuts, cut);
	(void)close(gate[1]);
	(void)close(out[1]);
	for (struct report r; sys_recv(gate[0], &r, sizeof(r), NULL, NULL) == (ssize_t)sizeof(r);)
		if (r.error)
			o.report = r;
	for (ssize_t got; into && n + 1 < sizeof(said[0]) && (got = read(out[0], into + n, sizeof(said[0]) - 1 - n)) > 0;)
		n += (size_t)got;
	if (into)
		into[n] = '\0';
	(void)close(gate[0]);
	(void)close(out[0]);
	return o;
}

/* Both ways lead to the same place. */
static void same(const struct job *wish, const char *what)
{
	struct outcome a = start(wish, true, true, said[0]), b = start(wish, false, true, said[1]);
	bool alike = a.status == b.status && strcmp(said[0], said[1]) == 0;

	CHECK(a.fitted, "%s: may go by a shortcut", what);
	CHECK(alike && WIFEXITED(a.status), "%s: both ways are one", what);
	if (!alike)
		printf("# %#x, %#x\n# ---- short\n%s\n# ---- long\n%s\n", (unsigned)a.status, (unsigned)b.status, said[0], said[1]);
}

static bool says(const char *words)
{
	return strstr(said[0], words) != NULL;
}

static uint32_t limit_of(int resource, rlim_t n)
{
	uint32_t words[5] = { (uint32_t)resource, (uint32_t)n, 0, (uint32_t)n, 0 };

	return hand_words(hand, words, 5);
}

static void test_same(const struct job *wish)
{
	struct job job = *wish;

	fresh();
	job.command = shell(look);
	same(&job, "a plain unit");
	CHECK(says("leads") && says("zero one") && says("HOME=/root") && says("PATH=/usr/local/sbin") && says("Umask:\t0022") && says("\n/\n"),
	      "what it found is what was meant");
	CHECK(says("SigBlk:\t0000000000000000") && says("SigIgn:\t0000000000001000"), "no signal is blocked, and SIGPIPE is ignored");

	fresh();
	unit->umask = 077;
	unit->nice_set = true;
	unit->nice = 3;
	unit->no_new_privs = true;
	unit->ignore_sigpipe = false;
	unit->env = hand_texts(hand, (const char *[]){ "A=1", "B=two words", "A=3", "PATH=/x", NULL });
	unit->pass_env = hand_texts(hand, (const char *[]){ "SHORTCUT_PASSED", "SHORTCUT_ABSENT", NULL });
	unit->limits = hand_list(hand, (uint32_t[]){ limit_of(RLIMIT_CORE, 0), limit_of(RLIMIT_NOFILE, 99) }, 2);
	job.command = shell(look);
	same(&job, "one with many wishes");
	CHECK(says("Umask:\t0077") && says("NoNewPrivs:\t1") && says("\n3\n") && says("A=3\nB=two words\n") && says("SHORTCUT_PASSED=yes") &&
	      says("SigIgn:\t0000000000000000"), "it has them all");

	fresh();
	job.command = shell(look);
	job.nofile = 123;
	job.phase = PHASE_STOP;
	job.main = 4711;
	job.result = "exit-code";
	job.exit_code = "exited";
	job.exit_status = "3";
	same(&job, "a command of its stop");
	CHECK(says("MAINPID=4711") && says("EXIT_STATUS=3") && says("123"), "it knows what it is to know");

	fresh();
	job = *wish;
	job.err = -1;
	job.command = hand_command(hand, CMD_ARGV0, (const char *[]){ "/bin/busybox", "echo", "hello", "$$", NULL });
	CHECK(!start(&job, true, true, NULL).fitted, "variables are for a fork");
	job.command = hand_command(hand, CMD_ARGV0 | CMD_VERBATIM, (const char *[]){ "/bin/busybox", "echo", "hello", "$$", NULL });
	same(&job, "a name of its own, standard error to nowhere");
	CHECK(says("hello $$"), "it says so");
}

static void test_refused(const struct job *wish)
{
	struct job job = *wish;
	struct rlimit most;

	fresh();
	job.command = hand_command(hand, CMD_VERBATIM, (const char *[]){ "/nowhere/at/all", NULL });
	struct outcome o = start(&job, true, true, NULL);
	CHECK(o.fitted && o.report.step == STEP_EXEC && o.report.error == ENOENT && WEXITSTATUS(o.status) == step_status(STEP_EXEC),
	      "a program that is not there is reported");
	(void)getrlimit(RLIMIT_NOFILE, &most);
	unit->limits = hand_list(hand, (uint32_t[]){ limit_of(RLIMIT_NOFILE, 1u << 31) }, 1);
	job.command = shell("exit 0");
	o = start(&job, true, true, NULL);
	CHECK(o.fitted && o.report.step == STEP_LIMITS && o.report.error == EPERM && WEXITSTATUS(o.status) == step_status(STEP_LIMITS),
	      "and the step that the kernel refuses");
	fresh();
	job.command = shell("exit 9");
	o = start(&job, true, false, NULL);
	CHECK(o.fitted && !o.report.step && WIFEXITED(o.status) && WEXITSTATUS(o.status) == 0, "whose gate stays closed leaves without a trace");
}

/* Each of these takes a file, a name, or a mind. */
static void test_fits(void)
{
	text_at x;
	list_at list;

	fresh();
	x = hand_text(hand, "x");
	list = hand_texts(hand, (const char *[]){ "x", NULL });
	CHECK(shortcut_fits(&hand->table, unit), "a plain unit fits");
#define UNFIT(field, value)                                                                   \
	do {                                                                                  \
		struct unit was = *unit;                                                      \
		unit->field = (value);                                                        \
		CHECK(!shortcut_fits(&hand->table, unit), "one with " #field " does not fit"); \
		*unit = was;                                                                  \
	} while (0)
	UNFIT(image, x);
	UNFIT(root_directory, x);
	UNFIT(root_from, 1);
	UNFIT(mounts, list);
	UNFIT(user, x);
	UNFIT(group, x);
	UNFIT(groups, list);
	UNFIT(env_files, list);
	UNFIT(makes, list);
	UNFIT(ambient, 1);
	UNFIT(oom_set, true);
	UNFIT(watchdog, 1000);
	UNFIT(workdir, x);
	UNFIT(out, OUT_FILE);
	UNFIT(err, OUT_APPEND);
	UNFIT(out, OUT_TRUNCATE);
#undef UNFIT
}

static void test_unfit_jobs(const struct job *wish)
{
	struct job job = *wish;

	fresh();
	job.command = shell("exit 0");
	job.phase = PHASE_EXEC;
	CHECK(!start(&job, true, true, NULL).fitted, "an operator's command goes the long way");
	job.phase = PHASE_PIDFILE;
	CHECK(!start(&job, true, true, NULL).fitted, "so does the reader of a PIDFile=");
	job.phase = PHASE_MAIN;
	job.bounding |= UINT64_C(1) << 21;
	CHECK(!start(&job, true, true, NULL).fitted, "and who has to drop something from the bounding set");
	job = *wish;
	job.command = hand_command(hand, CMD_VERBATIM | CMD_FULL, (const char *[]){ "/bin/busybox", "true", NULL });
	CHECK(!start(&job, true, true, NULL).fitted, "and who runs with all rights");
	job.command = hand_command(hand, CMD_VERBATIM, (const char *[]){ "busybox", "true", NULL });
	CHECK(!start(&job, true, true, NULL).fitted, "and who has to be looked for");
	job.command = shell("exit 0");
	job.out = 2;
	CHECK(!start(&job, true, true, NULL).fitted, "and who writes to what PID 1 writes to");

	/* More than there is room for: an environment of hundreds of variables. */
	char many[64][64], *list[65] = { NULL };

	for (int i = 0; i < 64; i++) {
		(void)snprintf(many[i], sizeof(many[i]), "VARIABLE_%d=of some length, as they are", i);
		list[i] = many[i];
	}
	job = *wish;
	unit->env = hand_texts(hand, (const char *const *)list);
	job.command = shell("exit 0");
	same(&job, "64 variables");
	for (int k = 0; k < 10; k++) {
		for (int i = 0; i < 64; i++)
			(void)snprintf(many[i], sizeof(many[i]), "V%d_%d=x", k, i);
		char *entries[64];
		for (int i = 0; i < 64; i++)
			entries[i] = strdup(many[i]);
		for (int i = 0; i < 64; i++)
			(void)putenv(entries[i]);
	}
	child_ready();
	CHECK(!start(&job, true, true, NULL).fitted, "700 do not fit");
	CHECK(WIFEXITED(start(&job, false, true, NULL).status), "and go the long way");
}

static void test_numbers(const struct job *wish)
{
	struct job job = *wish;

	fresh();
	job.command = shell("exit 0");
	CHECK(shortcuts_idle(&cuts) && !shortcuts_crowded(&cuts), "nobody is on his way");
	job.table = &hand->table;
	job.runtime = "/run";
	job.in = job.out = job.err = job.root = job.request = -1;
	int gate[2];
	if (sys_socketpair(gate) < 0)
		abort();
	job.gate = gate[1];
	pad_take(&pads, &job);
	for (unsigned i = 1; i <= N_SHORTCUTS; i++)
		CHECK(shortcut_take(&cuts, &job) == i, "shortcut %u is taken", i);
	CHECK(shortcut_take(&cuts, &job) == 0 && shortcuts_crowded(&cuts) && !shortcuts_idle(&cuts), "then there is none");
	shortcut_give(&cuts, 3);
	CHECK(!shortcuts_crowded(&cuts) && shortcut_take(&cuts, &job) == 3, "one that was given back is taken again");
	for (uint8_t i = 1; i <= N_SHORTCUTS; i++)
		shortcut_give(&cuts, i);
	shortcut_give(&cuts, 0);
	CHECK(shortcuts_idle(&cuts) && cuts.used, "all are free again");
	shortcuts_rest(&cuts);
	CHECK(!cuts.used, "and give their memory back");
	cuts.refused = true;
	CHECK(shortcut_take(&cuts, &job) == 0 && !shortcuts_crowded(&cuts), "where the kernel refuses, nobody goes that way, nor waits for it");
	cuts.refused = false;
	pad_give(&pads, job.pad);
	(void)close(gate[0]);
	(void)close(gate[1]);
}

/* As whoever started PID 1 may have: one ambient capability. */
static void leave_ambient(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	uint64_t ours = 0;

	if (caps_ours(&ours) < 0)
		abort();
	caps_words(data, ours, ours, ours);
	if (syscall(SYS_capset, &head, data) < 0)
		abort();
	if (!(ours & UINT64_C(1) << CAP_NET_BIND_SERVICE))
		return;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0) < 0)
		abort();
}

int main(void)
{
	struct job wish = { .out = 0, .err = 0, .phase = PHASE_MAIN, .rung = 0 };
	static const unsigned long all[16] = { ~0ul }, usual[4];

#ifndef HAVE_RAW_CALL
	printf("1..0 # SKIP no shortcuts on this machine's architecture\n");
	return 0;
#endif
	if (geteuid() != 0 || access("/bin/busybox", X_OK) != 0) {
		printf("1..0 # SKIP %s\n", geteuid() ? "needs root" : "needs /bin/busybox; install busybox-static");
		return 0;
	}
	/* As PID 1 is. */
	pads = pads_open();
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, all, NULL, sizeof(uint64_t));
	/* make(1) has some ignored, which the C libraries keep from sigaction(2). */
	for (int sig = 1; sig <= 64; sig++)
		(void)syscall(SYS_rt_sigaction, sig, usual, NULL, sizeof(uint64_t));
	(void)clearenv();
	(void)setenv("SHORTCUT_PASSED", "yes", 1);
	(void)setenv("LANG", "C.UTF-8", 1);
	hand = calloc(1, sizeof(*hand));
	if (!hand || !pads)
		abort();
	fresh();
	leave_ambient();
	wish.bounding = caps_forgo(caps_bounding(), unit->bounding);
	child_ready();
	/* Whoever started PID 1 may have left it groups: none of them is a unit's. */
	(void)setgroups(2, (const gid_t[]){ 5, 6 });
	shortcuts_open(&cuts);
	CHECK(!cuts.plain_root, "who is in a group is no plain root");
	test_fits();
	test_same(&wish);
	(void)setgroups(0, NULL);
	shortcuts_open(&cuts);
	CHECK(cuts.plain_root, "and who is in none is");
	test_same(&wish);
	test_refused(&wish);
	test_numbers(&wish);
	test_unfit_jobs(&wish);
	free(hand);
	return tap_done();
}
