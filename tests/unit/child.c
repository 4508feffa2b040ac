/*
 * child.c - starts of every kind in the container's own root, and what is the
 * same in every root: what the program finds, and what is reported. TIMEOUT 120
 */
#include "supervise/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf/kit/sys.h"
#include "mount/clean.h"
#include "supervise/wire.h"
#include "tests/lib/starts.h"
#include "tests/lib/tap.h"

static void test_bare(void)
{
	char want[512];
	struct unit *u = fresh(NULL);

	u->env = hand_texts(hand, (const char *[]){ "A=1", "A=2", NULL });
	script(0, "env | busybox sort | busybox sed 's/INVOCATION_ID=[0-9a-f]*/INVOCATION_ID=/'; pwd; umask");
	snprintf(want, sizeof(want), "A=2\nBASE=%s\nHOME=/root\nINVOCATION_ID=\nLOGNAME=root\nPASSED=on\n"
		 "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nPWD=/\nSECRET=shared\nSHELL=/bin/sh\nSHLVL=1\n"
		 "USER=root\n/\n0022\n", base);
	CHECK(ran() && strcmp(o.out, want) == 0, "the container's environment and its own:\n# %s", o.out);
	CHECK(o.root == -1, "and no namespace");
	script(0, "busybox ls /proc/self/fd | busybox wc -l");
	CHECK(ran() && atoi(o.out) == 4, "descriptors 0, 1, 2 and that of ls: %s", o.out);
	uint32_t signals = hand_command(hand, 0, (const char *[]){ "busybox", "grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status", NULL });
	start(0, PHASE_MAIN, signals);
	CHECK(ran() && strstr(o.out, "SigBlk:\t0000000000000000") && strstr(o.out, "SigIgn:\t0000000000001000"),
	      "only SIGPIPE is ignored: %s", o.out);
	u->ignore_sigpipe = false;
	start(0, PHASE_MAIN, signals);
	CHECK(ran() && strstr(o.out, "SigIgn:\t0000000000000000"), "unless it says not: %s", o.out);
	script(0, "busybox awk '{ print $1 == $6, $5 == $6 }' /proc/self/stat; busybox readlink /proc/self/fd/0");
	CHECK(ran() && strstr(o.out, "/dev/null"), "stdin is /dev/null: %s", o.out);
	script(0, "echo $$ $(busybox cut -d' ' -f1,6 /proc/$$/stat)");
	int a = 0, b = 0, c = 0;
	CHECK(ran() && sscanf(o.out, "%d %d %d", &a, &b, &c) == 3 && a == c, "a session of its own: %s", o.out);
}

static void test_exec_failures(void)
{
	char script_path[128], path[200];
	struct unit *u = fresh(NULL);

	start(0, PHASE_MAIN, hand_command(hand, 0, (const char *[]){ "/no/such", NULL }));
	CHECK(failed(STEP_EXEC, ENOENT, "/no/such"), "no program: %s", o.report.about);
	CHECK(step_status(STEP_EXEC) == 203, "203");
	start(0, PHASE_MAIN, hand_command(hand, 0, (const char *[]){ "no-such", NULL }));
	CHECK(failed(STEP_EXEC, ENOENT, "no-such, which is in no directory of its PATH"), "not in PATH: %s", o.report.about);
	start(0, PHASE_MAIN, hand_command(hand, 0, (const char *[]){ "/etc/passwd", NULL }));
	CHECK(failed(STEP_EXEC, EACCES, "may not execute"), "not executable: %s", o.report.about);
	put("script", "#!/no/interpreter -x\n");
	snprintf(script_path, sizeof(script_path), "%s/script", base);
	(void)chmod(script_path, 0755);
	start(0, PHASE_MAIN, hand_command(hand, 0, (const char *[]){ script_path, NULL }));
	CHECK(failed(STEP_EXEC, ENOENT, "interpreter is missing: /no/interpreter"), "a script: %s", o.report.about);
	put("script", "echo text\n");
	start(0, PHASE_MAIN, hand_command(hand, 0, (const char *[]){ script_path, NULL }));
	CHECK(failed(STEP_EXEC, ENOEXEC, "neither a program"), "text: %s", o.report.about);
	snprintf(path, sizeof(path), "PATH=/nowhere:%s:/bin", base);
	u->env = hand_texts(hand, (const char *[]){ path, "X=one two", NULL });
	start(0, PHASE_MAIN, hand_command(hand, 0, (const char *[]){ "busybox", "echo", "$X", "${X}", "$$X", "$GONE", NULL }));
	CHECK(ran() && strstr(o.out, "one two one two $X") && strstr(o.out, "web.service:7: not set, and so empty: GONE"),
	      "by PATH, with variables: %s", o.out);
	start(0, PHASE_MAIN, hand_command(hand, CMD_ARGV0, (const char *[]){ "/bin/busybox", "cat", "/proc/self/cmdline", NULL }));
	CHECK(ran() && strcmp(o.out, "cat") == 0, "@ sets argv[0]: %s", o.out);
}

static void test_settings(void)
{
	struct unit *u = fresh(NULL);
	struct rlimit have;
	char path[128];

	(void)getrlimit(RLIMIT_NOFILE, &have);
	const struct unit_limit limits[] = { { RLIMIT_NOFILE, { 100, 0 }, { 200, 0 } }, { RLIMIT_CORE, { 0, 0 }, { 0, 0 } } };
	uint32_t at[2];
	for (int i = 0; i < 2; i++)
		at[i] = hand_words(hand, (const uint32_t *)&limits[i], 5);
	u->limits = hand_list(hand, at, 2);
	u->nice = 5;
	u->nice_set = u->oom_set = true;
	u->oom_score = 300;
	u->umask = 077;
	script(0, "ulimit -n; ulimit -Hn; ulimit -Hc; busybox cut -d' ' -f19 /proc/self/stat; cat /proc/self/oom_score_adj; umask");
	CHECK(ran() && strcmp(o.out, "100\n200\n0\n5\n300\n0077\n") == 0, "limits, nice, oom, umask: %s", o.out);
	int many[120];
	for (int i = 0; i < 120; i++)
		many[i] = fcntl(0, F_DUPFD_CLOEXEC, 3);
	script(0, "ulimit -n; busybox cat /proc/self/oom_score_adj");
	CHECK(ran() && strcmp(o.out, "100\n300\n") == 0, "a limit below what PID 1 has open: %s", o.out);
	for (int i = 0; i < 120; i++)
		(void)close(many[i]);
	const struct unit_limit high = { RLIMIT_NOFILE, { UINT32_MAX, UINT32_MAX }, { UINT32_MAX, UINT32_MAX } };
	u->limits = hand_list(hand, (uint32_t[]){ hand_words(hand, (const uint32_t *)&high, 5) }, 1);
	script(0, "ulimit -Hn");
	CHECK(ran() && strstr(o.out, "LimitNOFILE=: more than") && strtoull(strchr(o.out, '\n'), NULL, 10) == have.rlim_max,
	      "a limit too high is what it can be: %s", o.out);
	u->limits = 0;
	u->out = OUT_FILE;
	snprintf(path, sizeof(path), "%s/out", base);
	u->output_file = hand_text(hand, path);
	u->umask = 022;
	put("out", "0123456789\n");
	script(0, "echo abc");
	CHECK(ran() && strcmp(slurp(path), "abc\n456789\n") == 0, "file: writes from the start");
	u->out = OUT_APPEND;
	script(0, "echo def");
	CHECK(ran() && strcmp(slurp(path), "abc\n456789\ndef\n") == 0, "append: adds");
	u->out = OUT_TRUNCATE;
	start(0, PHASE_POST, hand_command(hand, 0, (const char *[]){ "busybox", "echo", "post", NULL }));
	script(0, "echo ghi");
	CHECK(ran() && strcmp(slurp(path), "ghi\n") == 0, "truncate: empties");
	start(0, PHASE_POST, hand_command(hand, 0, (const char *[]){ "busybox", "echo", "post", NULL }));
	CHECK(ran() && strcmp(slurp(path), "ghi\npost\n") == 0, "but not what the main process has written");
	(void)unlink(path);
	(void)symlink("/etc/passwd", path);
	script(0, "echo evil");
	CHECK(failed(STEP_STDOUT, ELOOP, path), "through no link: %s", o.report.about);
}

static void test_environment(void)
{
	struct unit *u = fresh(NULL);
	char plain[128], optional[128], pattern[128];

	put("a.env", "A=file\n# no\nB='two words'\nexport C=3\n");
	put("b.env", "B=later\n");
	snprintf(plain, sizeof(plain), "%s/a.env", base);
	snprintf(optional, sizeof(optional), "-%s/missing.env", base);
	snprintf(pattern, sizeof(pattern), "%s/[b].env", base);
	u->env = hand_texts(hand, (const char *[]){ "A=unit", "HOME=/mine", NULL });
	u->env_files = hand_texts(hand, (const char *[]){ plain, optional, pattern, NULL });
	u->type = TYPE_NOTIFY;
	u->watchdog = 2500;
	hand->table.house.default_env = hand_texts(hand, (const char *[]){ "A=default", "D=default", NULL });
	script(0, "echo $A,$B,$C,$D,$HOME,$NOTIFY_SOCKET,$WATCHDOG_USEC,$MAINPID; [ $WATCHDOG_PID = $$ ] && echo pid");
	char want[256];
	snprintf(want, sizeof(want), "file,later,,default,/mine,%s/notify,2500000,\npid\n", runtime);
	CHECK(ran() && strstr(o.out, want) && strstr(o.out, "a.env:4: this is not NAME=value"), "files, in order: %s", o.out);
	wish.main = 4711;
	wish.result = "signal";
	wish.exit_code = "killed";
	wish.exit_status = "9";
	uint32_t show = hand_command(hand, 0, (const char *[]){
		"busybox", "echo", "${MAINPID},${SERVICE_RESULT},${EXIT_CODE},${EXIT_STATUS}", NULL });
	start(0, PHASE_STOP_POST, show);
	CHECK(ran() && strstr(o.out, "4711,signal,killed,9\n"), "what ExecStopPost= is told: %s", o.out);
	start(0, PHASE_RELOAD, show);
	CHECK(ran() && strstr(o.out, "4711,,,\n"), "what ExecReload= is told: %s", o.out);
	u->env_files = hand_texts(hand, (const char *[]){ optional + 1, NULL });
	script(0, "echo no");
	CHECK(failed(STEP_ENVIRONMENT, ENOENT, "missing.env"), "a missing file: %s", o.report.about);
}

static void append(char *buf, uint32_t *n, const char *text)
{
	memcpy(buf + *n, text, strlen(text) + 1);
	*n += (uint32_t)strlen(text) + 1;
}

/* A request as the desk would write it. */
static int request(const char *const *argv, const char *const *env, const char *user, const char *workdir)
{
	char buf[4096];
	struct exec_head head = { .magic = EXEC_MAGIC, .total = sizeof(head) };
	int fd = memfd_create("request", MFD_CLOEXEC);

	while (argv[head.argc])
		append(buf, &head.total, argv[head.argc++]);
	while (env[head.envc])
		append(buf, &head.total, env[head.envc++]);
	append(buf, &head.total, user);
	append(buf, &head.total, workdir);
	memcpy(buf, &head, sizeof(head));
	if (write(fd, buf, head.total) != (ssize_t)head.total)
		abort();
	return fd;
}

static void test_exec(void)
{
	static const char *const none[] = { NULL };
	struct unit *u = fresh("web");

	u->user = hand_text(hand, "www");
	u->env = hand_texts(hand, (const char *[]){ "A=unit", NULL });
	wish.request = request((const char *const[]){ "busybox", "sh", "-c", "id -u; pwd; echo $A $B", NULL },
			       (const char *const[]){ "B=asked", "A=over", NULL }, "", "");
	start(0, PHASE_EXEC, 0);
	CHECK(ran() && strcmp(o.out, "33\n/\nover asked\n") == 0, "as the unit, with more: %s", o.out);
	(void)close(wish.request);
	wish.request = request((const char *const[]){ "busybox", "sh", "-c", "id -u; id -g; pwd", NULL }, none, "0:5", "/srv");
	start(0, PHASE_EXEC, 0);
	CHECK(ran() && strcmp(o.out, "0\n5\n/srv\n") == 0, "as somebody else, elsewhere: %s", o.out);
	(void)close(wish.request);
	wish.request = request((const char *const[]){ "busybox", "grep", "SigIgn", "/proc/self/status", NULL }, none, "", "");
	start(0, PHASE_EXEC, 0);
	CHECK(ran() && strstr(o.out, "0000000000000000"), "with no signal ignored: %s", o.out);
	(void)close(wish.request);
	wish.request = request(none, none, "", "");
	start(0, PHASE_EXEC, 0);
	CHECK(WIFEXITED(o.status) && !o.report.step && strstr(o.out, "BusyBox"), "without a command: the user's shell");
	CHECK(ftruncate(wish.request, 20) == 0, "half a request");
	start(0, PHASE_EXEC, 0);
	CHECK(failed(STEP_ENVIRONMENT, EBADMSG, "the request"), "is refused: %s", o.report.about);
	(void)close(wish.request);
	CHECK(clean_unit(runtime, "web") == 0, "cleaned");
}

/* The parent is gone before it opens the gate: nothing may run. */
static void test_gate(void)
{
	int gate[2], status;
	char marker[128];

	(void)fresh(NULL);
	snprintf(marker, sizeof(marker), "%s/ran", base);
	wish.table = &hand->table;
	wish.phase = PHASE_MAIN;
	wish.in = wish.out = wish.err = -1;
	wish.runtime = runtime;
	wish.command = hand_command(hand, 0, (const char *[]){ "/bin/busybox", "touch", marker, NULL });
	if (sys_socketpair(gate) < 0)
		abort();
	pid_t pid = fork();
	if (pid == 0) {
		(void)close(gate[0]);
		wish.gate = gate[1];
		child_run(&wish);
	}
	(void)close(gate[1]);
	(void)close(gate[0]);
	(void)waitpid(pid, &status, 0);
	CHECK(status == 0 && !is_there("ran"), "without the parent's byte nothing happens");
}

/* Each call that takes rights away, refused: the program must not run. */
static void test_refused(void)
{
	static const struct { uint32_t nr; const char *name; enum step step; } calls[] = {
		{ SYS_setgroups, "setgroups", STEP_GROUP }, { SYS_setresgid, "setresgid", STEP_GROUP },
		{ SYS_setresuid, "setresuid", STEP_USER }, { SYS_capset, "capset", STEP_CAPABILITIES },
		{ SYS_chdir, "chdir", STEP_WORKDIR }, { SYS_close_range, "close_range", STEP_DESCRIPTORS },
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		struct sock_filter f[] = {
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].nr, 0, 1),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		};
		struct sock_fprog prog = { .len = 4, .filter = f };
		struct unit *u = fresh(NULL);
		int status;

		u->user = hand_text(hand, "1000");
		pid_t pid = fork();
		if (pid == 0) {
			if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0)
				_exit(9);
			script(0, "echo ran");
			_exit(o.report.step == calls[i].step && o.report.error == EAGAIN && !*o.out ? 0 : 1);
		}
		(void)waitpid(pid, &status, 0);
		CHECK(status == 0, "where %s fails nothing is executed", calls[i].name);
	}
}

static void test_words(void)
{
	for (enum step s = STEP_GATE; s < N_STEPS; s++)
		CHECK(*step_word(s) && step_status(s) > 0 && step_status(s) < 256 && step_setting(s), "step %d is %d/%s", s, step_status(s), step_word(s));
}

static void tests(void)
{
	test_words();
	test_gate();
	test_bare();
	test_exec_failures();
	test_settings();
	test_environment();
	test_exec();
	test_refused();
}

int main(void)
{
	return starts_main(tests);
}
