/*
 * starts.h - starts of units made by hand, in a mount namespace of our own: a
 * script is run as a unit's process, and what came of it is kept. Needs root and
 * a static busybox.
 */
#ifndef TESTS_LIB_STARTS_H
#define TESTS_LIB_STARTS_H

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf/kit/sys.h"
#include "mount/root.h"
#include "supervise/caps.h"
#include "supervise/child.h"
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

/* The life of such a test: makes the ground ready, runs it, clears up. The exit status. */
static int starts_main(void (*tests)(void))
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
	tests();
	(void)umount2(base, MNT_DETACH);
	(void)rmdir(base);
	free(hand);
	return tap_done();
}

#endif
