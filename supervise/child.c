/* child.c - the table of steps, who walks it, and the steps that concern no image. */
#include "supervise/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conf/kit/own.h"
#include "conf/kit/say.h"
#include "conf/kit/sys.h"
#include "supervise/child_steps.h"
#include "supervise/pads.h"
#include "supervise/pidfile.h"

/* Has the parent written us down? If it is gone instead, nobody ever hears of us. */
static int step_gate(struct life *l)
{
	char byte;
	ssize_t n;

	do {
		n = read(l->job->gate, &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(0);
	return 0;
}

/* By number: the C libraries keep signals 32 to 34 for themselves and leave them out of their sets. */
static int step_signals(struct life *l)
{
	static const uint64_t none;

	/*
	 * Actions are the default ones: PID 1 ignores nothing (signals_block), and handlers do not
	 * outlive a fork here. A person at a shell expects pipes to end what writes into them.
	 */
	if (l->unit->ignore_sigpipe && l->job->phase != PHASE_EXEC && signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -errno;
	return syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none)) < 0 ? -errno : 0;
}

static int step_session(struct life *l)
{
	(void)umask((mode_t)l->unit->umask);
	if (l->job->become)
		return 0;
	return setsid() < 0 ? -errno : 0;
}

/* Puts a descriptor at 0, 1 or 2; -1 is /dev/null. */
static int put_fd(struct life *l, int fd, int at)
{
	if (fd >= 0)
		return dup2(fd, at) < 0 ? -errno : 0;

	owned_fd null = open("/dev/null", (at ? O_WRONLY : O_RDONLY) | O_CLOEXEC);

	if (null < 0) {
		text_put(&l->about, "/dev/null");
		return -errno;
	}
	return dup2(null, at) < 0 ? -errno : 0;
}

/* A descriptor below 3 would be overwritten before its turn comes. */
static int out_of_the_way(int fd)
{
	return fd >= 0 && fd <= 2 ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : fd;
}

static int step_stdin(struct life *l)
{
	int rc = put_fd(l, l->job->in, 0);

	if (rc == 0 && l->job->phase == PHASE_EXEC && l->job->request_flags & EXEC_TTY && ioctl(0, TIOCSCTTY, 0) < 0)
		rc = -errno;
	return rc;
}

/* A file of the container, not of the image. Only the main process may empty it; others add to it. */
static int put_file(struct life *l, uint8_t kind, const char *path, int at)
{
	bool main = l->job->phase == PHASE_MAIN;
	int mode = kind == OUT_APPEND || !main ? O_APPEND : kind == OUT_TRUNCATE ? O_TRUNC : 0;
	owned_fd fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC | mode, 0666);

	if (fd < 0) {
		text_shown(&l->about, path, strlen(path), 100);
		return -errno;
	}
	return put_fd(l, fd, at);
}

static int put_output(struct life *l, uint8_t kind, text_at file, int fd, int at)
{
	bool ours = l->job->phase == PHASE_EXEC;

	if (!ours && kind >= OUT_FILE)
		return put_file(l, kind, table_text(l->table, file), at);
	return put_fd(l, !ours && kind == OUT_NULL ? -1 : fd, at);
}

static int step_stdout(struct life *l)
{
	return put_output(l, l->unit->out, l->unit->output_file, l->job->out, 1);
}

static int step_stderr(struct life *l)
{
	int rc = put_output(l, l->unit->err, l->unit->error_file, l->job->err, 2);

	/* From here on warnings go where the unit's own do. */
	say_to(2, "coppice: ");
	return rc;
}

/* For the one message that names a limit. */
static const char *const limit_names[] = {
	[RLIMIT_CPU] = "CPU", [RLIMIT_FSIZE] = "FSIZE", [RLIMIT_DATA] = "DATA", [RLIMIT_STACK] = "STACK", [RLIMIT_CORE] = "CORE",
	[RLIMIT_RSS] = "RSS", [RLIMIT_NPROC] = "NPROC", [RLIMIT_NOFILE] = "NOFILE", [RLIMIT_MEMLOCK] = "MEMLOCK", [RLIMIT_AS] = "AS",
	[RLIMIT_LOCKS] = "LOCKS", [RLIMIT_SIGPENDING] = "SIGPENDING", [RLIMIT_MSGQUEUE] = "MSGQUEUE", [RLIMIT_NICE] = "NICE",
	[RLIMIT_RTPRIO] = "RTPRIO", [RLIMIT_RTTIME] = "RTTIME",
};
#define N_LIMITS (sizeof(limit_names) / sizeof(limit_names[0]))

static int put_limit(const struct unit_limit *limit)
{
	struct rlimit want = { .rlim_cur = life_limit(limit->soft), .rlim_max = life_limit(limit->hard) }, have;
	int resource = (int)limit->resource;

	if (setrlimit(resource, &want) == 0)
		return 0;
	if (errno != EPERM || getrlimit(resource, &have) < 0)
		return -errno;
	/* More than the container has, or than /proc/sys/fs/nr_open: the most there is. */
	want.rlim_max = have.rlim_max;
	if (want.rlim_cur > want.rlim_max)
		want.rlim_cur = want.rlim_max;
	if (setrlimit(resource, &want) < 0)
		return -errno;
	say(SAY_WARNING, "Limit%s=: more than this container may give, which is %llu; that is what it gets",
	    limit->resource < N_LIMITS ? limit_names[limit->resource] : "", (unsigned long long)have.rlim_max);
	return 0;
}

static int step_limits(struct life *l)
{
	const struct unit *u = l->unit;
	struct rlimit files;
	int rc = 0;

	/* PID 1 took all it could get for itself; programs that use select(2) must not be handed that. */
	if (l->job->nofile && getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = (rlim_t)l->job->nofile;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	for (uint32_t i = 0; i < list_count(l->table, u->limits) && rc == 0; i++)
		rc = put_limit((const void *)table_words(l->table, list_item(l->table, u->limits, i)));
	return rc;
}

static int step_nice(struct life *l)
{
	if (!l->unit->nice_set || setpriority(PRIO_PROCESS, 0, l->unit->nice) == 0)
		return 0;
	text_fmt(&l->about, "Nice=%d; less than now needs CAP_SYS_NICE in the container", l->unit->nice);
	return -errno;
}

static int step_oom(struct life *l)
{
	char text[16];

	if (!l->unit->oom_set)
		return 0;

	int n = snprintf(text, sizeof(text), "%d", l->unit->oom_score);

	owned_fd fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, (size_t)n) != n)
		say(SAY_WARNING, "OOMScoreAdjust=%s: %s; it stays as it is", text, strerror(errno));
	return 0;
}

/* Closes what lies above 2, but for these; those below 0 are none. close_range(2) without flags is Linux 5.9. 0 or -errno. */
static int close_others(const int *kept, size_t n)
{
	for (unsigned int last = 2, next; last != ~0u; last = next) {
		next = ~0u;
		for (size_t k = 0; k < n; k++)
			if (kept[k] > (int)last && (unsigned int)kept[k] < next)
				next = (unsigned int)kept[k];
		if (next > last + 1 && syscall(SYS_close_range, last + 1, next == ~0u ? next : next - 1, 0) < 0)
			return -errno;
	}
	return 0;
}

static int step_descriptors(struct life *l)
{
	/* The gate goes with execve, and carries its failure. */
	int gate = l->job->gate, rc = close_others(&gate, 1);

	if (rc != -ENOSYS && rc != -EPERM)
		return rc;
	/* Hidden by a filter. All of ours close by themselves; this is for those that somebody left to PID 1. */
	for (int fd = 3; fd < 1024; fd++)
		if (fd != gate)
			(void)close(fd);
	return 0;
}

/*
 * Exit statuses are those of systemd.exec(5), where it has the step; 6 is LSB's
 * NOTCONFIGURED. Words are its too, without EXIT_.
 */
static const struct {
	const char *word;
	int status;
	const char *setting;
	int (*act)(struct life *l);
} steps[N_STEPS] = {
	[STEP_NONE]         = { "NONE", 1, "", NULL },
	[STEP_GATE]         = { "GATE", 202, "", step_gate },
	[STEP_SIGNALS]      = { "SIGNAL_MASK", 207, "IgnoreSIGPIPE", step_signals },
	[STEP_SESSION]      = { "SETSID", 220, "", step_session },
	[STEP_STDIN]        = { "STDIN", 208, "StandardInput", step_stdin },
	[STEP_STDOUT]       = { "STDOUT", 209, "StandardOutput", step_stdout },
	[STEP_STDERR]       = { "STDERR", 222, "StandardError", step_stderr },
	[STEP_LIMITS]       = { "LIMITS", 205, "LimitNOFILE", step_limits },
	[STEP_NICE]         = { "NICE", 201, "Nice", step_nice },
	[STEP_OOM]          = { "OOM_ADJUST", 206, "OOMScoreAdjust", step_oom },
	[STEP_ENVIRONMENT]  = { "ENVIRONMENT", 6, "EnvironmentFile", step_environment },
	[STEP_NAMESPACE]    = { "NAMESPACE", 226, "Image", step_namespace },
	[STEP_IMAGE]        = { "IMAGE", 226, "Image", step_image },
	[STEP_OVERLAY]      = { "OVERLAY", 226, "Overlay", step_overlay },
	[STEP_MOUNTS]       = { "MOUNTS", 226, "Volume", step_mounts },
	[STEP_ROOT]         = { "CHROOT", 210, "RootMode", step_root },
	[STEP_GROUP]        = { "GROUP", 216, "Group", step_group },
	[STEP_USER]         = { "USER", 217, "User", step_user },
	[STEP_CAPABILITIES] = { "CAPABILITIES", 218, "CapabilityBoundingSet", step_capabilities },
	[STEP_DESCRIPTORS]  = { "FDS", 202, "", step_descriptors },
	[STEP_WORKDIR]      = { "CHDIR", 200, "WorkingDirectory", step_workdir },
	[STEP_ARGUMENTS]    = { "ARGUMENTS", 203, "ExecStart", step_arguments },
	[STEP_EXEC]         = { "EXEC", 203, "ExecStart", step_exec },
	[STEP_PIDFILE]      = { "PIDFILE", 224, "PIDFile", NULL },
};

const char *step_word(enum step s)
{
	return s < N_STEPS ? steps[s].word : "";
}

int step_status(enum step s)
{
	return s < N_STEPS ? steps[s].status : 1;
}

const char *step_setting(enum step s)
{
	return s < N_STEPS ? steps[s].setting : "";
}

static _Noreturn void give_up(struct life *l, int err)
{
	struct report report = { .step = l->step, .error = err };

	memcpy(report.about, l->words, sizeof(report.about));
	(void)sys_send(l->job->gate, &report, sizeof(report), NULL, 0);
	_exit(step_status(l->step));
}

/* Nothing may be opened or closed before this. */
static void leave_pad(const struct job *job)
{
	struct report report = { .step = STEP_GATE, .error = -pad_leave(job->pad) };

	if (sys_send(job->gate, &report, sizeof(report), NULL, 0) < 0 || report.error)
		_exit(step_status(STEP_GATE));
}

/*
 * The same for a child with a table of its own: beside all of PID 1's, it could open nothing under a low LimitNOFILE=.
 * Where close_range(2) is hidden, it has to.
 */
static void leave_others(const struct job *job)
{
	const int wanted[] = { job->gate, job->root, job->in, job->out, job->err, job->request };

	(void)close_others(wanted, sizeof(wanted) / sizeof(wanted[0]));
}

/* What PID 1 keeps as it is where it becomes the program itself. */
static bool is_left_out(const struct job *job, enum step s)
{
	return job->become && (s == STEP_GATE || (s >= STEP_STDIN && s <= STEP_STDERR) || s == STEP_DESCRIPTORS);
}

/* Does the steps; comes back where one failed, with -errno. l->job is `own`. */
static int walk(struct life *l, struct job *own)
{
	l->unit = table_unit(own->table, own->unit);
	l->command = own->phase == PHASE_EXEC ? NULL : (const void *)table_words(own->table, own->command);
	l->about = TEXT(l->words);
	l->arena.next = l->start;
	l->arena.left = sizeof(l->start);
	l->env.arena = &l->arena;
	l->site = (struct site){ .table = own->table, .unit = l->unit, .runtime = own->runtime, .image = -1, .root = -1, .near = -1 };
	own->in = out_of_the_way(own->in);
	own->out = out_of_the_way(own->out);
	own->err = out_of_the_way(own->err);
	for (enum step s = STEP_GATE; s <= STEP_EXEC; s++) {
		l->step = s;
		int rc = is_left_out(own, s) ? 0 : steps[s].act(l);
		if (rc < 0)
			return rc;
	}
	return -ENOEXEC; /* execve does not return without an error */
}

void child_become(const struct job *job, struct report *ret)
{
	struct job own = *job;
	struct life l = { .job = &own, .table = job->table, .mount_ns = -1 };

	own.become = true;
	own.gate = own.in = own.out = own.err = own.request = own.root = -1;
	int rc = walk(&l, &own);

	*ret = (struct report){ .step = l.step, .error = -rc };
	memcpy(ret->about, l.words, sizeof(ret->about));
}

_Noreturn void child_run(const struct job *job)
{
	struct job own = *job;
	struct life l = { .job = &own, .table = job->table, .mount_ns = -1 };

	if (job->pad)
		leave_pad(job);
	else
		leave_others(job);
	if (job->phase == PHASE_PIDFILE)
		pidfile_run(job);
	give_up(&l, -walk(&l, &own));
}
