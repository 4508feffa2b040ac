/*
 * child.c - starts of every kind, in a mount namespace of our own: what the
 * program finds, what is reported, and what is left behind. Needs root and a
 * static busybox. TIMEOUT 120
 */
#include "supervise/caps.h"
#include "supervise/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf/kit/sys.h"
#include "conf/kit/text.h"
#include "mount/clean.h"
#include "mount/root.h"
#include "supervise/wire.h"
#include "tests/lib/handmade.h"
#include "tests/lib/tap.h"

static const char busybox[] = "/bin/busybox";
static struct hand *hand;
static char base[] = "/tmp/child-test.XXXXXX";
static char runtime[64], images[64], volumes[64];

/* What came of one start. */
struct outcome {
	int status;           /* of waitpid */
	struct report report; /* of failure; step 0: none */
	int root;             /* mount namespace, or -1 */
	int top;              /* its /, or -1 */
	char out[16384];
};
static struct outcome o;

/* What a test changes of a job. */
static struct job wish;
static uint32_t hide; /* 1: the newer mount calls, 2: mount_setattr alone */

/* Answers ENOSYS, as a filter or an older kernel would. */
static void hide_calls(void)
{
	static const uint32_t newer[] = { SYS_mount_setattr, SYS_fsopen, SYS_open_tree, SYS_move_mount };
	size_t n = hide == 1 ? 4 : 1;
	struct sock_filter f[16] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)) };
	struct sock_fprog prog = { .len = (unsigned short)(n + 3), .filter = f };

	for (size_t i = 0; i < n; i++)
		f[1 + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, newer[i], (unsigned char)(n - i), 0);
	f[n + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	f[n + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0)
		_exit(99);
}

static void be_child(int out, int gate)
{
	struct job job = wish;

	if (hide)
		hide_calls();
	job.gate = gate;
	job.out = job.err = out;
	child_run(&job);
}

/* Starts a command of a unit and waits for its end. */
static void start(unit_ix unit, enum phase phase, uint32_t command)
{
	int out[2], gate[2];
	size_t n = 0;

	o = (struct outcome){ .root = -1, .top = -1 };
	wish.table = &hand->table;
	wish.unit = unit;
	wish.phase = phase;
	wish.command = command;
	wish.in = -1;
	wish.runtime = runtime;
	if (pipe2(out, O_CLOEXEC) < 0 || sys_socketpair(gate) < 0)
		abort();
	pid_t pid = fork();
	if (pid == 0) {
		(void)close(gate[0]);
		be_child(out[1], gate[1]);
	}
	(void)close(gate[1]);
	(void)close(out[1]);
	(void)sys_write(gate[0], "", 1);
	for (ssize_t got; n + 1 < sizeof(o.out) && (got = read(out[0], o.out + n, sizeof(o.out) - 1 - n)) > 0;)
		n += (size_t)got;
	(void)waitpid(pid, &o.status, 0);
	for (;;) {
		struct report r;
		int fd = -1, n_fds = 1;

		if (sys_recv(gate[0], &r, sizeof(r), &fd, &n_fds) != (ssize_t)sizeof(r))
			break;
		if (r.step == STEP_ROOT && r.error == 0)
			o.root = n_fds ? fd : -1;
		else if (r.step == STEP_IMAGE && r.error == 0)
			o.top = n_fds ? fd : -1;
		else
			o.report = r;
	}
	(void)close(gate[0]);
	(void)close(out[0]);
	/* The report was read as bytes of a hostile image might have made them. */
	o.report.about[sizeof(o.report.about) - 1] = '\0';
}

/* A script in busybox's shell. */
static void script(unit_ix unit, const char *text)
{
	const char *argv[] = { "/bin/busybox", "sh", "-c", text, NULL };

	start(unit, PHASE_MAIN, hand_command(hand, CMD_VERBATIM, argv));
}

static bool ran(void)
{
	bool good = WIFEXITED(o.status) && WEXITSTATUS(o.status) == 0 && !o.report.step;

	if (!good)
		printf("# status %#x, step %s, errno %d, about %s\n# %s\n", (unsigned)o.status, step_word(o.report.step),
		       o.report.error, o.report.about, o.out);
	return good;
}

/* It failed there, for that reason, with the step's own exit status, and never ran. */
static bool failed(enum step step, int error, const char *about)
{
	bool good = o.report.step == step && o.report.error == error && WIFEXITED(o.status) &&
		    WEXITSTATUS(o.status) == step_status(step) && strstr(o.report.about, about);

	if (!good)
		printf("# status %#x, step %s, errno %d, about %s\n# %s\n", (unsigned)o.status, step_word(o.report.step),
		       o.report.error, o.report.about, o.out);
	return good;
}

/* A fresh unit in a fresh table, with an image where that is not NULL. */
static struct unit *fresh(const char *image)
{
	struct unit *u = &hand->units[0];

	hand_open(hand);
	hand->table.house.image_paths = hand_texts(hand, (const char *[]){ "/nowhere", images, NULL });
	hand->table.house.volume_path = hand_text(hand, volumes);
	u->name = hand_text(hand, "web");
	u->file = hand_text(hand, "web.service");
	u->umask = 022;
	u->bounding = UINT64_C(0x4fb) | UINT64_C(1) << 31;
	u->ignore_sigpipe = true;
	if (image)
		u->image = hand_text(hand, image);
	wish = (struct job){ .root = -1, .request = -1, .rung = RUNG_FULL, .bounding = caps_bounding() };
	hide = 0;
	return u;
}

static void shell(const char *command)
{
	if (system(command) != 0)
		CHECK(false, "could not prepare: %s", command);
}

static void put(const char *path, const char *text)
{
	char full[256];
	int fd;

	snprintf(full, sizeof(full), "%s/%s", base, path);
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	(void)close(fd);
}

static bool is_there(const char *path)
{
	char full[512];
	struct stat st;

	snprintf(full, sizeof(full), "%s/%s", base, path);
	return lstat(full, &st) == 0;
}

static char *slurp(const char *path)
{
	static char text[2][65536];
	static int turn;
	char *into = text[turn ^= 1];
	int fd = open(path, O_RDONLY);
	ssize_t n = 0, got;

	while (fd >= 0 && (got = read(fd, into + n, sizeof(text[0]) - 1 - (size_t)n)) > 0)
		n += got;
	into[n] = '\0';
	(void)close(fd);
	return into;
}

/* Everything lies on one tmpfs of ours, in a namespace of ours. */
static bool prepare(void)
{
	char command[512];

	if (!mkdtemp(base))
		return false;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", base, "tmpfs", 0, "mode=0755") < 0)
		return false;
	(void)setenv("BASE", base, 1);
	snprintf(runtime, sizeof(runtime), "%s/run", base);
	snprintf(images, sizeof(images), "%s/images", base);
	snprintf(volumes, sizeof(volumes), "%s/lib/volumes", base);
	snprintf(command, sizeof(command), "cd %s && mkdir -p run images/web/bin images/web/etc images/web/srv/old images/bare/bin && "
		 "cp %s images/web/bin/busybox && cp %s images/bare/bin/busybox && ln -s busybox images/web/bin/ls && "
		 "ln -s /etc images/web/data && ln -s ../../../../../../../../outside images/web/up && ln -s /nowhere/deep images/web/dangling && "
		 "mkdir outside && chmod 0751 images/web", base, busybox, busybox);
	shell(command);
	put("images/web/etc/passwd", "root:x:0:0::/root:/bin/sh\nwww:x:33:34::/srv:/bin/busybox\n");
	put("images/web/etc/group", "root:x:0:\nwww:x:34:\nvideo:x:70:www\n");
	put("images/web/srv/file", "of the image\n");
	put("images/web/srv/old/deep", "deep\n");
	snprintf(command, sizeof(command), "cd %s/images/web && chown 33:34 srv srv/file && chmod 2750 srv && chmod 4755 srv/file && "
		 "ln -s /etc/passwd srv/link && chown -h 33:34 srv/link && mkfifo srv/pipe && mknod -m 666 $BASE/node c 1 3", base);
	shell(command);
	return true;
}

/* ---- in the container's own root ---- */

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

/* ---- in an image ---- */

/* /proc is as in the container where a whole tree cannot be given attributes. */
static const char golden_mounts[] =
	"/ overlay rw,nodev\n/proc proc rw%s\n/proc/sys proc ro,nosuid,nodev,noexec\n/proc/irq proc ro,nosuid,nodev,noexec\n"
	"/proc/bus proc ro,nosuid,nodev,noexec\n/proc/fs proc ro,nosuid,nodev,noexec\n"
	"/sys sysfs ro,nosuid,nodev,noexec\n/dev tmpfs rw,nosuid,noexec\n/dev/pts devpts rw,nosuid,noexec\n"
	"/dev/shm tmpfs rw,nosuid,nodev\n/dev/mqueue mqueue rw,nosuid,nodev,noexec\n";

static void test_image(const char *name, uint32_t hidden)
{
	struct unit *u = fresh("web");
	char want[1024];

	hide = hidden;
	script(0, "busybox awk '$5 !~ /^.sys.+|sysrq/ { split($6, f, \",relatime\"); i = 7; while ($i != \"-\") i++; print $5, $(i+1), f[1] }' "
	       "/proc/self/mountinfo");
	/* The container's hosts and resolv.conf are there where it has them; what is mounted below /proc/sys here is its affair. */
	snprintf(want, sizeof(want), golden_mounts, hidden ? "" : ",nosuid,nodev,noexec");
	CHECK(ran() && strncmp(o.out, want, strlen(want)) == 0, "%s: mounts as planned:\n# %s", name, o.out);
	CHECK(strstr(o.out, "/run tmpfs rw,nosuid,nodev\n"), "%s: and /run", name);
	CHECK(!strstr(o.out, base) && !strstr(o.out, "ext4 rw"), "%s: and nothing of the container", name);
	if (CHECK(o.root >= 0, "%s: the namespace came along", name)) {
		wish.root = o.root;
		script(0, "busybox ls -d /srv /proc/self /outside");
		CHECK(WEXITSTATUS(o.status) == 1 && strstr(o.out, "/srv\n") && strstr(o.out, "/outside: No such file"), "%s: joined: %s", name, o.out);
		(void)close(wish.root);
	}
	wish.root = -1;
	script(0, "busybox ls /proc/self/fd | busybox wc -l; busybox stat -c '%F %a %t:%T' /dev/null /dev/tty; "
	       "busybox stat -c '%n %a' / /tmp /dev/shm /run /dev; busybox readlink /dev/fd; busybox readlink /dev/ptmx; echo x >/dev/null; "
	       "busybox head -c4 /dev/zero | busybox wc -c; busybox stat -c %n /proc/1 /sys/kernel");
	CHECK(ran() && strcmp(o.out, "4\ncharacter special file 666 1:3\ncharacter special file 666 5:0\n/ 751\n/tmp 1777\n"
	      "/dev/shm 1777\n/run 755\n/dev 755\n/proc/self/fd\npts/ptmx\n4\n/proc/1\n/sys/kernel\n") == 0,
	      "%s: what is there:\n# %s", name, o.out);
	script(0, "echo 1 >/proc/sys/kernel/printk; [ ! -e /proc/sysrq-trigger ] || echo h >/proc/sysrq-trigger; echo x >/sys/kernel/profiling");
	CHECK(strstr(o.out, "can't create /proc/sys/kernel/printk: Read-only") &&
	      (access("/proc/sysrq-trigger", F_OK) < 0 || strstr(o.out, "sysrq-trigger: Read-only")) && strstr(o.out, "profiling: Read-only"),
	      "%s: the kernel's switches are out of reach: %s", name, o.out);
	u->no_new_privs = true;
	script(0, "busybox grep -E '^(Cap|NoNew|Uid|Gid|Groups)' /proc/self/status");
	CHECK(ran() && strcmp(o.out, "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t \nCapInh:\t0000000000000000\nCapPrm:\t00000000800004fb\n"
	      "CapEff:\t00000000800004fb\nCapBnd:\t00000000800004fb\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\n") == 0,
	      "%s: root's rights:\n# %s", name, o.out);
	u->ambient = 1;
	script(0, "busybox grep -E '^Cap(Inh|Prm|Amb)' /proc/self/status | busybox cut -f 2");
	CHECK(ran() && strcmp(o.out, "0000000000000001\n00000000800004fb\n0000000000000001\n") == 0, "%s: and an ambient one: %s", name, o.out);
	u->ambient = 0;
	u->umask = 077;
	script(0, "umask");
	CHECK(ran() && strcmp(o.out, "0077\n") == 0, "%s: its umask: %s", name, o.out);
	script(0, "echo x >/new && ls /new");
	CHECK(ran() && is_there("run/upper/web/upper/new") && !is_there("images/web/new"), "%s: writes go into the upper", name);
	script(0, "ls /new");
	CHECK(ran(), "%s: and are there for the next start", name);
	CHECK(clean_unit(runtime, "web") == 0 && !is_there("run/upper/web"), "%s: until it is cleaned up", name);
}

static void test_users(void)
{
	struct unit *u = fresh("web");

	u->user = hand_text(hand, "www");
	u->ambient = UINT64_C(1) << 10;
	script(0, "busybox grep -E '^(Cap|Uid|Gid|Groups)' /proc/self/status; echo $HOME $USER $LOGNAME $SHELL; echo x >/dev/stdout");
	CHECK(ran() && strcmp(o.out, "Uid:\t33\t33\t33\t33\nGid:\t34\t34\t34\t34\nGroups:\t70 \nCapInh:\t0000000000000400\n"
	      "CapPrm:\t0000000000000400\nCapEff:\t0000000000000400\nCapBnd:\t00000000800004fb\nCapAmb:\t0000000000000400\n"
	      "/srv www www /bin/busybox\nx\n") == 0, "a user and one capability:\n# %s", o.out);
	u->pass_env = hand_texts(hand, (const char *[]){ "PASSED", "NOT_THERE", NULL });
	script(0, "echo $PASSED,$SECRET,$NOT_THERE");
	CHECK(ran() && strcmp(o.out, "on,,\n") == 0, "an image sees of the container's environment what it asks for: %s", o.out);
	u->ambient = 0;
	script(0, "busybox grep -E '^Cap(Prm|Eff|Amb)' /proc/self/status | busybox cut -f2 | busybox uniq");
	CHECK(ran() && strcmp(o.out, "0000000000000000\n") == 0, "a user and none: %s", o.out);
	u->user = hand_text(hand, "nobody");
	script(0, "echo no");
	CHECK(failed(STEP_USER, ENOENT, "user \"nobody\""), "no such user: %s", o.report.about);
	u->user = hand_text(hand, "www");
	u->group = hand_text(hand, "nogroup");
	script(0, "echo no");
	CHECK(failed(STEP_GROUP, ENOENT, "group \"nogroup\""), "no such group: %s", o.report.about);
	start(0, PHASE_PRE, hand_command(hand, CMD_FULL, (const char *[]){ "/bin/busybox", "id", NULL }));
	CHECK(ran() && strstr(o.out, "uid=0(root) gid=0"), "+ is root: %s", o.out);
	start(0, PHASE_PRE, hand_command(hand, CMD_FULL, (const char *[]){ "/bin/busybox", "grep", "CapBnd", "/proc/self/status", NULL }));
	unsigned long long caps = ~0ull;
	CHECK(ran() && sscanf(o.out, "CapBnd: %llx", &caps) == 1 && !(caps & (1ull << 19 | 1ull << 21 | 1ull << 18 | 1ull << 27 | 1ull << 16 | 1ull << 17)) &&
	      caps & 1ull << 12, "with all capabilities but those that lead out: %s", o.out);
	u = fresh("bare");
	u->user = hand_text(hand, "www");
	script(0, "echo no");
	CHECK(failed(STEP_USER, ENOENT, "the image has no /etc/passwd"), "a name without passwd: %s", o.report.about);
	u->user = hand_text(hand, "1000:1001");
	script(0, "busybox id; echo $HOME");
	CHECK(ran() && strcmp(o.out, "uid=1000 gid=1001\n/\n") == 0, "numbers without passwd: %s", o.out);
}

static void test_volumes(void)
{
	struct unit *u = fresh("web");
	char outside[160];
	const uint32_t mounts[] = {
		hand_mount(hand, MOUNT_VOLUME, 0, "vol", "/srv", ""),
		hand_mount(hand, MOUNT_VOLUME, 0, "linked", "/data", ""),
		hand_mount(hand, MOUNT_VOLUME, 0, "up", "/up", ""),
		hand_mount(hand, MOUNT_TMPFS, 0, "", "/dangling", "mode=0700,size=64k"),
		hand_mount(hand, MOUNT_VOLUME, MOUNT_CHOWN | MOUNT_NOCOPY, "mine", "/a/b/c", ""),
	};

	u->mounts = hand_list(hand, mounts, 5);
	u->user = hand_text(hand, "www");
	script(0, "busybox stat -c '%n %U %G %a' /srv /srv/file /srv/link /srv/old/deep /a/b /a/b/c /nowhere/deep; busybox readlink /srv/link; "
	       "busybox stat -c %F /srv/pipe; busybox cat /srv/file; echo w >/srv/written; "
	       "busybox awk '{ print $5 }' /proc/self/mountinfo | busybox tail -n 5");
	CHECK(ran() && strcmp(o.out, "/srv www www 2750\n/srv/file www www 4755\n/srv/link www www 777\n/srv/old/deep root root 644\n/a/b root root 755\n"
	      "/a/b/c www www 755\n/nowhere/deep root root 700\n/etc/passwd\nfifo\nof the image\n"
	      "/srv\n/etc\n/outside\n/nowhere/deep\n/a/b/c\n") == 0,
	      "volumes, like the image's directories:\n# %s", o.out);
	CHECK(is_there("lib/volumes/vol/written") && is_there("lib/volumes/linked/passwd"), "are in the container");
	snprintf(outside, sizeof(outside), "%s/outside", base);
	CHECK(rmdir(outside) == 0, "nothing came into the directory outside the image");
	(void)mkdir(outside, 0755);
	put("lib/volumes/vol/file", "changed\n");
	script(0, "busybox cat /srv/file");
	CHECK(ran() && strcmp(o.out, "changed\n") == 0, "an old volume is left alone");
	CHECK(!is_there("lib/volumes/.vol.tmp"), "no draft stays");
	u->mounts = hand_list(hand, (uint32_t[]){ hand_mount(hand, MOUNT_VOLUME, 0, "../x", "/srv", "") }, 1);
	script(0, "echo no");
	CHECK(failed(STEP_MOUNTS, EINVAL, "no volume's name"), "a name with a slash: %s", o.report.about);
	CHECK(clean_unit(runtime, "web") == 0, "cleaned");
}

static void test_binds(void)
{
	struct unit *u = fresh("web");
	char source[160], file[160], node[160];

	snprintf(source, sizeof(source), "%s/outside", base);
	snprintf(file, sizeof(file), "%s/a.env", base);
	snprintf(node, sizeof(node), "%s/node", base);
	u->mounts = hand_list(hand, (uint32_t[]){ hand_mount(hand, MOUNT_BIND, 0, node, "/mnt/node", "") }, 1);
	script(0, "echo x >/mnt/node");
	CHECK(ran(), "a device that is bound works");
	const uint32_t mounts[] = {
		hand_mount(hand, MOUNT_BIND, MOUNT_RO | MOUNT_RBIND, source, "/mnt/ro", ""),
		hand_mount(hand, MOUNT_BIND, MOUNT_NOEXEC, source, "/mnt/rw", ""),
		hand_mount(hand, MOUNT_BIND, MOUNT_RO, file, "/mnt/file", ""),
		hand_mount(hand, MOUNT_BIND, MOUNT_OPTIONAL, "/no/such/source", "/mnt/none", ""),
		hand_mount(hand, MOUNT_TMPFS, MOUNT_RO, "", "/mnt", "size=64k"),
	};
	u->mounts = hand_list(hand, mounts, 5);
	script(0, "echo x >/mnt/ro/x; echo x >/mnt/rw/x; echo x >/mnt/x; busybox ls /mnt; busybox head -n 1 /mnt/file; echo x >>/mnt/file");
	CHECK(strstr(o.out, "/mnt/x: Read-only") && strstr(o.out, "/mnt/ro/x: Read-only") && strstr(o.out, "/mnt/file: Read-only") && strstr(o.out, "A=file\n") &&
	      strstr(o.out, "file\nro\nrw\n"), "binds: %s", o.out);
	CHECK(is_there("outside/x"), "what may be written is");
	u->image = 0;
	script(0, "busybox ls /mnt/rw/; [ -e /bin/busybox ] && busybox cat /mnt/file | busybox wc -l");
	CHECK(ran() && strstr(o.out, "x\n4\n") && o.root >= 0, "mounts without an image: %s", o.out);
	(void)close(o.root);
	/* As TemporaryFileSystem= with holes in it: sources are what they were before. */
	char hole[200];
	snprintf(hole, sizeof(hole), "%s/outside", base);
	const uint32_t holes[] = { hand_mount(hand, MOUNT_BIND, 0, hole, hole, ""), hand_mount(hand, MOUNT_TMPFS, 0, "", base, "") };
	u->mounts = hand_list(hand, holes, 2);
	char list[512];
	snprintf(list, sizeof(list), "busybox ls %s %s", base, hole);
	script(0, list);
	CHECK(ran() && strstr(o.out, "outside\n") && strstr(o.out, "x\n") && !strstr(o.out, "images"), "a hole in a tmpfs: %s", o.out);
	(void)close(o.root);
}

static void test_failures(void)
{
	struct unit *u = fresh("gone");
	char want[200];

	char *before = slurp("/proc/self/mountinfo");
	script(0, "echo no");
	snprintf(want, sizeof(want), "no image \"gone\" in /nowhere, %s; put", images);
	CHECK(failed(STEP_IMAGE, ENOENT, want), "no image: %s", o.report.about);
	put("images/packed.squashfs", "");
	u->image = hand_text(hand, "packed");
	script(0, "echo no");
	CHECK(failed(STEP_IMAGE, EMEDIUMTYPE, "packed as .squashfs"), "a packed image: %s", o.report.about);
	u->image = hand_text(hand, "..");
	script(0, "echo no");
	CHECK(failed(STEP_IMAGE, EINVAL, "\"..\" is no image's name"), "a name that climbs: %s", o.report.about);
	u->image = hand_text(hand, "web");
	const uint32_t mounts[] = { hand_mount(hand, MOUNT_TMPFS, 0, "", "/ok", ""), hand_mount(hand, MOUNT_BIND, 0, "/no/such", "/x", "") };
	u->mounts = hand_list(hand, mounts, 2);
	script(0, "echo no");
	CHECK(failed(STEP_MOUNTS, ENOENT, "/no/such, which is to be mounted"), "no source: %s", o.report.about);
	u->mounts = hand_list(hand, (uint32_t[]){ hand_mount(hand, MOUNT_BIND, 0, "/etc/passwd", "/srv", "") }, 1);
	script(0, "echo no");
	CHECK(failed(STEP_MOUNTS, EISDIR, "is a directory in the image"), "a file on a directory: %s", o.report.about);
	u->mounts = hand_list(hand, (uint32_t[]){ hand_mount(hand, MOUNT_TMPFS, 0, "", "/ok", "banana=1") }, 1);
	script(0, "echo no");
	CHECK(failed(STEP_MOUNTS, EINVAL, "its options \"banana=1\""), "an unknown option: %s", o.report.about);
	u->mounts = 0;
	u->overlay = OVERLAY_NONE;
	u->image = hand_text(hand, "bare");
	script(0, "echo no");
	CHECK(failed(STEP_MOUNTS, EROFS, "/proc, which is missing"), "no place in a read-only root: %s", o.report.about);
	shell("cd $BASE/images && mkdir -p evil/bin && cp web/bin/busybox evil/bin/ && ln -s /etc evil/proc");
	CHECK(clean_unit(runtime, "web") == 0, "cleaned");
	u->overlay = OVERLAY_EPHEMERAL;
	u->image = hand_text(hand, "evil");
	script(0, "echo no");
	CHECK(failed(STEP_MOUNTS, ELOOP, "/proc, which is a link in the image"), "a link for /proc: %s", o.report.about);
	CHECK(strcmp(before, slurp("/proc/self/mountinfo")) == 0, "no failure left a mount behind");
	CHECK(clean_unit(runtime, "web") == 0, "cleaned");
}

static void test_overlays(void)
{
	struct unit *u = fresh("web");
	char layer[160];

	u->overlay = OVERLAY_PERSISTENT;
	script(0, "echo kept >/kept");
	CHECK(ran() && is_there("lib/overlays/web/upper/kept"), "persistent: beside the volumes");
	CHECK(clean_unit(runtime, "web") == 0 && is_there("lib/overlays/web/upper/kept"), "and not cleaned up");
	u->overlay = OVERLAY_NONE;
	shell("cd $BASE/images && for d in proc sys dev run; do mkdir -p web/$d; done");
	script(0, "echo x >/x; ls /etc/passwd /dev/null");
	CHECK(ran() && strstr(o.out, "/x: Read-only") && strstr(o.out, "/dev/null"), "none: read-only: %s", o.out);
	shell("cd $BASE/images && rmdir web/proc web/sys web/dev web/run");
	u->overlay = OVERLAY_EPHEMERAL;
	shell("cd $BASE && mkdir -p 'l:1,a\\b/etc' 'images/low:er,\\x/etc' && echo high >'l:1,a\\b/etc/from' && "
	      "echo low >'images/low:er,\\x/from' && echo low >'images/low:er,\\x/etc/from'");
	snprintf(layer, sizeof(layer), "%s/l:1,a\\b", base);
	u->layers = hand_texts(hand, (const char *[]){ "low:er,\\x", layer, NULL });
	script(0, "busybox cat /etc/from /from");
	CHECK(ran() && strcmp(o.out, "high\nlow\n") == 0, "layers, lowest first, with every letter in their names: %s", o.out);
	u->layers = hand_texts(hand, (const char *[]){ "/no/such/layer", NULL });
	script(0, "echo no");
	CHECK(failed(STEP_IMAGE, ENOENT, "layer /no/such/layer"), "a missing layer: %s", o.report.about);
	const char *many[41] = { NULL };
	for (int i = 0; i < 40; i++)
		many[i] = layer;
	u->layers = hand_texts(hand, many);
	script(0, "busybox cat /etc/from");
	/* The kernel may refuse the same layer twice; it must not be for want of room. */
	CHECK(!o.report.step || o.report.error == ELOOP || o.report.error == EBUSY, "40 layers: %s", o.report.about);
	CHECK(clean_unit(runtime, "web") == 0, "cleaned");
	shell("cd $BASE/images && mkdir bundle && echo '{}' >bundle/config.json && cp -R web bundle/rootfs");
	u->layers = 0;
	u->image = hand_text(hand, "bundle");
	script(0, "ls /etc/passwd");
	CHECK(ran(), "a bundle");
	u->image = 0;
	snprintf(layer, sizeof(layer), "%s/images/bundle/rootfs", base);
	u->root_directory = hand_text(hand, layer);
	script(0, "echo x >/written");
	CHECK(ran() && is_there("images/bundle/rootfs/written"), "RootDirectory= is written to");
	u->root_directory = 0;
	u->image = hand_text(hand, "web");
	u->root_mode = ROOT_CHROOT;
	script(0, "ls -d /proc/1; cd ..; cd ..; busybox ls -d etc");
	CHECK(ran() && o.root >= 0, "RootMode=chroot: mounts and all: %s", o.out);
	wish.root = o.root;
	script(0, "ls /etc/passwd; busybox ls /tmp");
	CHECK(strstr(o.out, "/etc/passwd") && !strstr(o.out, "child-test"), "and who joins is inside too: %s", o.out);
	(void)close(wish.root);
	u->shared_run = true;
	wish.root = -1;
	script(0, "ls -A /run/coppice; busybox grep ' /run ' /proc/self/mountinfo");
	CHECK(ran() && strstr(o.out, " /run "), "SharedRun=: %s", o.out);
	CHECK(clean_unit(runtime, "web") == 0, "cleaned");
}

static void test_rungs(void)
{
	struct unit *u = fresh("web");

	wish.rung = RUNG_CHROOT;
	script(0, "echo /*; pwd");
	CHECK(ran() && strstr(o.out, "/etc") && !strstr(o.out, "/tmp") && o.root == -1, "chroot: %s", o.out);
	shell("rm -rf $BASE/images/web/dev; mkdir $BASE/images/web/dev; echo mine >$BASE/images/web/dev/zero; ln -s /etc/passwd $BASE/images/web/dev/full");
	script(0, "umask 077; : >/dev/null; busybox ls -ln /dev | busybox awk '{ print substr($1, 1, 10), $5, $NF }'; busybox cat /dev/zero");
	CHECK(ran() && strstr(o.out, "crw-rw-rw- 1, null") && strstr(o.out, "crw-rw-rw- 1, urandom") && strstr(o.out, "mine\n") &&
	      strstr(o.out, "lrwxrwxrwx 11 /etc/passwd"), "it has devices, beside what it brought: %s", o.out);
	shell("rm -rf $BASE/images/web/dev; ln -s $BASE/images $BASE/images/web/dev");
	script(0, "busybox ls -d /etc");
	CHECK(ran() && !is_there("images/null"), "none is made where a link leads out of it");
	shell("rm -f $BASE/images/web/dev; mkdir $BASE/images/web/dev");
	u->root_mode = ROOT_PIVOT;
	script(0, "echo no");
	CHECK(failed(STEP_NAMESPACE, EPERM, "RootMode=pivot: this container may not mount; give it CAP_SYS_ADMIN"), "pivot: %s", o.report.about);
	u->root_mode = ROOT_AUTO;
	u->mounts = hand_list(hand, (uint32_t[]){ hand_mount(hand, MOUNT_VOLUME, 0, "v", "/srv", "") }, 1);
	script(0, "echo no");
	CHECK(failed(STEP_NAMESPACE, EPERM, "a mount on /srv"), "no volumes: %s", o.report.about);
	u->mounts = 0;
	wish.rung = RUNG_NONE;
	script(0, "echo no");
	CHECK(failed(STEP_NAMESPACE, EPERM, "may not even chroot"), "nothing: %s", o.report.about);
	wish.rung = RUNG_FULL;
	u->root_from = 1;
	hand->units[1].name = hand_text(hand, "db");
	script(0, "echo no");
	CHECK(failed(STEP_NAMESPACE, ENOLINK, "RootFrom=db"), "whose root is not there: %s", o.report.about);
}

/* Is the / that came along the image's, or what was made of it? */
static bool saw_top(void)
{
	struct stat st;
	bool good = sys_is_place(o.top) && fstatat(o.top, "data", &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode) &&
		    fstatat(o.top, "etc/passwd", &st, 0) == 0;

	(void)close(o.top);
	return good;
}

static void test_tops(void)
{
	static const struct { uint8_t rung, mode; const char *name; } ways[] = {
		{ RUNG_FULL, ROOT_AUTO, "pivot_root" }, { RUNG_FULL, ROOT_CHROOT, "moved over" }, { RUNG_CHROOT, ROOT_AUTO, "chroot" },
	};
	const char *argv[] = { busybox, "true", NULL };
	int root, shown = 0;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct unit *u = fresh("web");

		u->root_mode = ways[i].mode;
		wish.rung = ways[i].rung;
		for (u->health_kind = HEALTH_NONE; u->health_kind < N_HEALTH_KINDS; u->health_kind++) {
			bool looks = u->health_kind == HEALTH_FILE || u->health_kind == HEALTH_UNIX;

			script(0, "true");
			CHECK(ran() && (looks ? saw_top() : o.top == -1), "%s, health kind %u: its / %s", ways[i].name,
			      u->health_kind, looks ? "comes along" : "is nobody's business");
			(void)close(o.root);
		}
		u->health_kind = HEALTH_FILE;
		start(0, PHASE_PRE, hand_command(hand, CMD_VERBATIM, argv));
		CHECK(ran() && o.top == -1, "%s: nor that of a command before it", ways[i].name);
		root = o.root;
		if (root < 0)
			continue;
		wish.root = root;
		script(0, "true");
		CHECK(ran() && o.root == -1 && saw_top(), "%s: one that joins shows it, too", ways[i].name);
		(void)close(root);
		shown++;
	}
	CHECK(shown == 2, "two ways have a root to join: %d", shown);
	fresh(NULL)->health_kind = HEALTH_FILE;
	script(0, "true");
	CHECK(ran() && o.top == -1, "without a root of its own there is nothing to show");
}

static void test_workdir(void)
{
	static const struct { const char *dir; int error; const char *want; } cases[] = {
		{ "/srv/old", 0, "/srv/old\n" }, { "~", 0, "/srv\n" }, { "-/none", 0, "/\n" }, { "/none", ENOENT, "/none" },
		{ "/data", 0, "/etc\n" }, { "/up", ENOENT, "/up" }, { "/etc/passwd", ENOTDIR, "/etc/passwd" },
		{ "/proc/self/cwd/../../etc", 0, "/etc\n" }, { "-~", 0, "/srv\n" },
	};
	struct unit *u = fresh("web");

	u->user = hand_text(hand, "www");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		u->workdir = hand_text(hand, cases[i].dir);
		script(0, "busybox pwd -P");
		if (cases[i].error)
			CHECK(failed(STEP_WORKDIR, cases[i].error, cases[i].want), "%s: %s", cases[i].dir, o.report.about);
		else
			CHECK(ran() && strcmp(o.out, cases[i].want) == 0, "%s is %s", cases[i].dir, o.out);
	}
	/* CVE-2024-21626: a descriptor of the container's root that has leaked. */
	int leak = open("/", O_RDONLY);
	char path[64];
	for (int fd = 3; fd < 12; fd++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		u->workdir = hand_text(hand, path);
		script(0, "busybox pwd -P; ls -d images runtime /etc/shadow");
		CHECK(o.report.step == STEP_WORKDIR && !*o.out, "%s leads nowhere: %s", path, o.report.about);
	}
	(void)close(leak);
	CHECK(clean_unit(runtime, "web") == 0, "cleaned");
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

int main(void)
{
	if (geteuid() != 0) {
		puts("# SKIP needs root");
		return 77;
	}
	if (access(busybox, X_OK) < 0) {
		puts("# SKIP needs a static busybox in /bin");
		return 77;
	}
	/* As PID 1 does: glibc's posix_spawn(3), by which make starts us, leaves 32 and 33 ignored. */
	for (int sig = 1; sig <= 64; sig++)
		(void)syscall(SYS_rt_sigaction, sig, (const uint64_t[4]){ 0 }, NULL, sizeof(uint64_t));
	(void)clearenv();
	(void)setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	(void)setenv("SECRET", "shared", 1);
	(void)setenv("PASSED", "on", 1);
	hand = calloc(1, sizeof(*hand));
	if (!hand || !prepare()) {
		puts("# SKIP may not mount here");
		return 77;
	}
	test_words();
	test_gate();
	test_bare();
	test_exec_failures();
	test_settings();
	test_environment();
	test_image("new calls", 0);
	test_image("without mount_setattr", 2);
	test_image("without the newer calls", 1);
	test_users();
	test_volumes();
	test_binds();
	test_failures();
	test_overlays();
	test_rungs();
	test_tops();
	test_workdir();
	test_exec();
	test_refused();
	(void)umount2(base, MNT_DETACH);
	(void)rmdir(base);
	free(hand);
	return tap_done();
}
