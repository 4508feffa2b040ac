/* shortcut_calls.c - the steps of a start as system calls: PID 1 writes them down, a child in its memory makes them. */
#include "supervise/shortcut_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "conf/kit/raw.h"
#include "conf/kit/sys.h"
#include "supervise/caps.h"
#include "supervise/child_steps.h"
#include "supervise/pads.h"

#define ANY (-1)

/* ---- the child ---- */

#ifdef HAVE_RAW_CALL

static long call_with(long number, long a, long b, long c)
{
	return raw_call(number, a, b, c, 0, 0);
}

static int quit(struct shortcut *s, enum step step, long error)
{
	s->report.step = step;
	s->report.error = (int32_t)error;
	(void)call_with(SYS_write, s->gate, (long)&s->report, sizeof(s->report));
	(void)call_with(SYS_exit_group, step_status(step), 0, 0);
	return 1;
}

/* Nothing here may call the C library: its errno, its heap and its locks are PID 1's. */
static int make_calls(void *self)
{
	struct shortcut *s = self;
	char byte;
	/* By pad_leave()'s order: what lies above the pad is never copied, what lies below is closed. */
	long r = call_with(SYS_close_range, s->last + 1, ~0u, CLOSE_RANGE_UNSHARE);

	if (r == 0 && s->gate > 3)
		r = call_with(SYS_close_range, 3, s->gate - 1, 0);
	if (r < 0)
		return quit(s, STEP_GATE, -r);
	s->report.step = STEP_GATE;
	(void)call_with(SYS_write, s->gate, (long)&s->report, sizeof(s->report));
	if (call_with(SYS_read, s->gate, (long)&byte, 1) != 1)
		(void)call_with(SYS_exit_group, 0, 0, 0);
	for (const struct call *c = s->calls; c < s->calls + s->n; c++) {
		r = raw_call(c->number, c->arg[0], c->arg[1], c->arg[2], c->arg[3], 0);
		if (r < 0 || (c->want != ANY && r != c->want))
			return quit(s, c->step, r < 0 ? -r : EBADF);
	}
	return quit(s, STEP_EXEC, ENOEXEC);
}

int (*const shortcut_run)(void *self) = make_calls;

#else

int (*const shortcut_run)(void *self) = NULL;

#endif

/* ---- PID 1 ---- */

static void add(struct shortcut *s, enum step step, int want, long number, long a, long b, long c, long d)
{
	if (s->n == MOST_CALLS) {
		s->full = true;
		return;
	}
	s->calls[s->n++] = (struct call){ (uint16_t)number, (int8_t)want, (uint8_t)step, { a, b, c, d } };
}

static void add_null(struct shortcut *s, enum step step, int at)
{
	add(s, step, ANY, SYS_close, at, 0, 0, 0);
	add(s, step, at, SYS_openat, AT_FDCWD, (long)"/dev/null", at ? O_WRONLY : O_RDONLY, 0);
}

static void add_stdio(struct shortcut *s, const struct job *job)
{
	add_null(s, STEP_STDIN, 0);
	if (job->out >= 0)
		add(s, STEP_STDOUT, ANY, SYS_dup3, job->out, 1, 0, 0);
	else
		add_null(s, STEP_STDOUT, 1);
	if (job->err >= 0)
		add(s, STEP_STDERR, ANY, SYS_dup3, job->err, 2, 0, 0);
	else
		add_null(s, STEP_STDERR, 2);
}

static void add_limit(struct shortcut *s, uint32_t resource, rlim_t soft, rlim_t hard)
{
	struct rlimit *limit = arena_get(&s->arena, sizeof(*limit));

	if (!limit)
		return;
	*limit = (struct rlimit){ .rlim_cur = soft, .rlim_max = hard };
	add(s, STEP_LIMITS, ANY, SYS_prlimit64, 0, (long)resource, (long)limit, 0);
}

static void add_limits(struct shortcut *s, const struct job *job, const struct unit *u)
{
	struct rlimit files;

	if (job->nofile && getrlimit(RLIMIT_NOFILE, &files) == 0)
		add_limit(s, RLIMIT_NOFILE, (rlim_t)job->nofile, files.rlim_max);
	for (uint32_t i = 0; i < list_count(job->table, u->limits); i++) {
		const struct unit_limit *limit = (const void *)table_words(job->table, list_item(job->table, u->limits, i));

		add_limit(s, limit->resource, life_limit(limit->soft), life_limit(limit->hard));
	}
}

/* As step_capabilities() does where nothing has to be dropped from the bounding set. */
static bool add_caps(struct shortcut *s, const struct job *job, const struct unit *u)
{
	uint64_t ours = 0;

	if (caps_ours(&ours) < 0)
		return false;
	uint64_t set = caps_for(ours, u->bounding);

	if (job->bounding & ~set)
		return false;
	s->head = (struct __user_cap_header_struct){ .version = _LINUX_CAPABILITY_VERSION_3 };
	/* There are no ambient ones: PID 1 gave up its own (caps_forgo). */
	caps_words(s->caps, set, set, caps_inherited(set, job->bounding));
	add(s, STEP_CAPABILITIES, ANY, SYS_capset, (long)&s->head, (long)s->caps, 0, 0);
	if (u->no_new_privs)
		add(s, STEP_CAPABILITIES, ANY, SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0);
	return true;
}

/* The command as it stands: what holds variables is expanded by a child of its own. */
static char **plain_argv(struct shortcut *s, const struct table *t, const struct command *c)
{
	uint32_t from = c->flags & CMD_ARGV0 && c->argc > 1;
	char **argv = c->argc > from ? arena_get(&s->arena, (c->argc - from + 1) * sizeof(*argv)) : NULL;

	if (!argv || c->flags & CMD_FULL || *table_text(t, c->argv[0]) != '/')
		return NULL;
	for (uint32_t i = from; i < c->argc; i++) {
		const char *word = table_text(t, c->argv[i]);

		if (!(c->flags & CMD_VERBATIM) && i > from && strchr(word, '$'))
			return NULL;
		argv[i - from] = (char *)(uintptr_t)word; /* execve(2) does not write to it */
	}
	return argv;
}

/*
 * The walk of child.c, for a unit that fits: the same steps in the same order, but for the signals,
 * which come last. No descriptors are left to be closed: those of its pad close by themselves.
 */
bool shortcut_write(struct shortcut *s, const struct job *job, bool plain_root)
{
	const struct unit *u = table_unit(job->table, job->unit);
	const struct command *c = (const void *)table_words(job->table, job->command);
	struct life l = { .job = job, .table = job->table, .unit = u, .command = c };
	static const uint64_t none;

	/* First of all, for a page that is read before it is written faults twice. */
	s->n = 0;
	l.about = TEXT(l.words);
	l.env.arena = &s->arena;
	/* What the start before it left there: an arena begins with zeroes. */
	if (s->arena.next)
		memset(s->room, 0, (size_t)(s->arena.next - s->room));
	s->arena = (struct arena){ .next = s->room, .left = sizeof(s->room), .fixed = true };
	s->full = false;
	s->report = (struct report){ .step = STEP_NONE };
	pad_range(job->pad, &s->gate, &s->last);
	/* What lies below 3 would have to be moved out of the way first. */
	if (s->gate != job->gate || (job->out >= 0 && job->out < 3) || (job->err >= 0 && job->err < 3))
		return false;
	char **argv = plain_argv(s, job->table, c);

	if (!argv || step_environment(&l) < 0 || !life_person(&l) || l.stays)
		return false;
	life_person_env(&l);
	if (u->ignore_sigpipe) {
		s->ignore = (struct action){ .handler = (unsigned long)SIG_IGN };
		add(s, STEP_SIGNALS, ANY, SYS_rt_sigaction, SIGPIPE, (long)&s->ignore, 0, sizeof(none));
	}
	add(s, STEP_SESSION, ANY, SYS_umask, (long)u->umask, 0, 0, 0);
	add(s, STEP_SESSION, ANY, SYS_setsid, 0, 0, 0, 0);
	add_stdio(s, job);
	add_limits(s, job, u);
	if (u->nice_set)
		add(s, STEP_NICE, ANY, SYS_setpriority, PRIO_PROCESS, 0, u->nice, 0);
	if (!plain_root) {
		add(s, STEP_GROUP, ANY, SYS_setgroups, 0, 0, 0, 0);
		add(s, STEP_GROUP, ANY, SYS_setresgid, 0, 0, 0, 0);
		add(s, STEP_USER, ANY, SYS_setresuid, 0, 0, 0, 0);
	}
	if (!add_caps(s, job, u))
		return false;
	add(s, STEP_WORKDIR, ANY, SYS_chdir, (long)"/", 0, 0, 0);
	add(s, STEP_SIGNALS, ANY, SYS_rt_sigprocmask, SIG_SETMASK, (long)&none, 0, sizeof(none));
	add(s, STEP_EXEC, ANY, SYS_execve, (long)table_text(job->table, c->argv[0]), (long)argv, (long)l.env.at, 0);
	return !s->full && !s->arena.dry && !l.env.failed;
}
