/*
 * shim.c - runs one command as its only child, passes signals on, reaps whoever
 * is left to it, and ends as the command did.
 *
 * The dialects differ in their options, in whether the child leads a group or a
 * session, and in how they answer for a command that cannot be run; the rest is
 * one piece of code. Beyond theirs: when the command has ended, those it left
 * behind are asked to go and waited for.
 *
 * Every signal is blocked and fetched, one by one. A fault of our own ends us all
 * the same: the kernel forces it through the mask (signal(7)).
 */
#include "init/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "conf/kit/own.h"
#include "conf/kit/pages.h"
#include "conf/kit/text.h"
#include "conf/values.h"
#include "init/shim_options.h"

#define BIT(sig) ((uint64_t)1 << ((sig) - 1))
/* What the command left behind gets this long from SIGTERM to SIGKILL, in ms. docker stop waits 10 s in all. */
#define PATIENCE 5000
/* And this long from SIGKILL: what hangs in the kernel is left there. */
#define GRACE    500

struct shim {
	struct shim_options o;
	pid_t child;
	uint64_t mask_before;
	bool reaper;          /* orphans come to us */
	bool chld_ignored;    /* as we were started */
};

/* ---- signals and the terminal ---- */

/* By system call: the C libraries keep some signals out of what they call a full mask. */
static void set_mask(uint64_t mask, uint64_t *before)
{
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, before, sizeof(mask));
}

/* The next of these signals; within `ms`, or however long that takes (-1). 0: none. */
static int next_signal(uint64_t which, int ms, siginfo_t *ret)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };
	long sig = syscall(SYS_rt_sigtimedwait, &which, ret, ms < 0 ? NULL : &ts, sizeof(which));

	return sig > 0 ? (int)sig : 0;
}

/* Our controlling terminal, to be closed; -1: none. */
static int open_terminal(void)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	/* Where /dev is bare, standard input may be it. */
	return fd >= 0 || errno == ENXIO ? fd : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
}

/*
 * If group `from` is in the foreground of our terminal, `to` is from now on.
 * Never taken from anybody else, such as the shell that started us with "&".
 * SIGTTOU is blocked here, or this would stop us (tcsetpgrp(3)).
 */
static bool pass_terminal(pid_t from, pid_t to)
{
	owned_fd fd = open_terminal();

	return fd >= 0 && tcgetpgrp(fd) == from && tcsetpgrp(fd, to) == 0;
}

/*
 * Stops us and those we share a group with, if the kernel lets it: not where
 * nobody above us could wake us again (an orphaned group, setpgid(2)), nor as
 * PID 1. True when we were stopped, and go on.
 */
static bool stop_our_group(int sig)
{
	siginfo_t unused;

	(void)kill(0, sig);
	set_mask(~BIT(sig), NULL);
	set_mask(ALL_SIGNALS, NULL);
	return next_signal(BIT(SIGCONT), 0, &unused) != 0;
}

/*
 * The command's group was stopped by its terminal. A shell that waits for us must
 * see a stopped job, so our group stops as well. Where nobody waits, Ctrl-Z means
 * as little as it would without us.
 */
static void command_stopped(const struct shim *s, int sig)
{
	pid_t ours = getpgrp();
	bool asked = sig == SIGTTIN || sig == SIGTTOU;

	/* 0: a group from outside of our PID namespace, which cannot be told from others there. */
	if (s->o.place != OWN_GROUP || ours == 0 || (sig != SIGTSTP && !asked))
		return;
	owned_fd terminal = open_terminal();

	if (terminal < 0 || !isatty(terminal))
		return;
	if (asked && pass_terminal(ours, s->child)) {
		(void)kill(-s->child, SIGCONT);
		return;
	}
	/* In the background, it would ask again at once. */
	if (!stop_our_group(sig) && asked)
		return;
	(void)pass_terminal(ours, s->child);
	(void)kill(-s->child, SIGCONT);
}

static void pass_on(const struct shim *s, const siginfo_t *si)
{
	int sig = si->si_signo, to = s->o.pass_as[sig];

	/* Meant for those we share a group with: the terminal is the command's. */
	if ((sig == SIGTTIN || sig == SIGTTOU) && si->si_code > 0 && s->o.place == OWN_GROUP)
		return;
	if (to == SIGNAL_DROPPED) {
		shim_say(&s->o, 3, "signal %d is dropped", sig);
	} else {
		shim_say(&s->o, 3, "passes signal %d on as %d", sig, to);
		if (kill(s->o.to_group ? -s->child : s->child, to) < 0 && errno != ESRCH)
			shim_say(&s->o, 1, "cannot pass signal %d on: %s", to, strerror(errno));
	}
	/* So that a shell above sees a stopped job. PID 1 is spared by the kernel. */
	if (s->o.stops_along && (sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU))
		(void)kill(getpid(), SIGSTOP);
}

/* ---- the command ---- */

/* A group or a session for the command, and the terminal if we have it. Done by the child, so that it is so before the command runs. */
static void take_place(const struct shim *s)
{
	pid_t from = getpgrp();

	if (s->o.place == OWN_SESSION) {
		(void)setsid();
		/* Ours was given up by the parent, so it can be had. ENOTTY: there is none. */
		(void)ioctl(STDIN_FILENO, TIOCSCTTY, 0);
	} else if (s->o.place == OWN_GROUP) {
		(void)setpgid(0, 0);
		(void)pass_terminal(from, getpid());
	}
}

/*
 * Listening sockets that were passed to us are the command's: they name a
 * process, $LISTEN_PID (sd_listen_fds(3)). Its other name, $LISTEN_PIDFDID, would
 * no longer fit.
 */
static void rename_listener(struct text *entry)
{
	static const char pid[] = "LISTEN_PID=", id[] = "LISTEN_PIDFDID=";
	char **listener = NULL, **kept = environ;
	int64_t n;

	for (char **e = environ; e && *e; e++)
		if (!strncmp(*e, pid, sizeof(pid) - 1) && number_of(*e + sizeof(pid) - 1, &n) && n == getppid())
			listener = e;
	if (!listener)
		return;
	text_put(entry, pid);
	text_num(entry, getpid());
	*listener = entry->at;
	for (char **e = environ; *e; e++)
		if (strncmp(*e, id, sizeof(id) - 1) != 0)
			*kept++ = *e;
	*kept = NULL;
}

/* A file that is no program is a shell script, says POSIX of execvp(3); musl's does not. The place before the command is ours. */
static void run_file(char *path, char **command)
{
	(void)execve(path, command, environ);
	if (errno != ENOEXEC)
		return;
	command[-1] = (char *)"/bin/sh";
	command[0] = path;
	(void)execve(command[-1], command - 1, environ);
	errno = ENOEXEC;
}

/* Returns where nothing could be run, with errno. */
static void run_found(char **command)
{
	const char *path = getenv("PATH");
	bool denied = false;
	char at[4096];

	if (strchr(command[0], '/') || !command[0][0]) {
		run_file(command[0], command);
		return;
	}
	for (const char *dir = path ? path : "/usr/local/bin:/bin:/usr/bin", *end; dir; dir = *end ? end + 1 : NULL) {
		struct text t = TEXT(at);

		end = strchrnul(dir, ':');
		text_bytes(&t, dir, (size_t)(end - dir));
		text_put(&t, end > dir ? "/" : "");
		text_put(&t, command[0]);
		if (t.cut)
			continue;
		run_file(at, command);
		denied |= errno == EACCES;
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
			return;
	}
	errno = denied ? EACCES : ENOENT;
}

/* In a child that shares our memory until it runs the command (vfork(2)): it calls the kernel and leaves our variables alone. */
static _Noreturn void run_command(const struct shim *s)
{
	char room[32];
	struct text entry = TEXT(room);

	take_place(s);
	rename_listener(&entry);
	/* "-p KILL" gives us no time to pass anything on. */
	if (s->o.parent_death == SIGKILL)
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (s->chld_ignored)
		(void)signal(SIGCHLD, SIG_IGN);
	set_mask(s->mask_before, NULL);
	run_found(s->o.command);
	int e = errno;

	shim_say(&s->o, 0, "cannot run %s: %s", s->o.command[0], strerror(e));
	/* POSIX sh, 2.8.2. */
	_exit(s->o.not_run ? s->o.not_run : e == ENOENT ? 127 : 126);
}

/* A terminal that we lead is given up, so that the command's session can have it. This SIGHUP and its SIGCONT are our own doing. */
static void drop_terminal(void)
{
	siginfo_t unused;

	if (getsid(0) != getpid() || ioctl(STDIN_FILENO, TIOCNOTTY) < 0)
		return;
	while (next_signal(BIT(SIGHUP) | BIT(SIGCONT), 0, &unused))
		continue;
}

static bool start_command(struct shim *s)
{
	if (s->o.place == OWN_SESSION)
		drop_terminal();
	/* On Linux the child may call what it likes, on our stack while we wait; a copy of our memory would cost more than all the rest. */
	pid_t pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork) */
	if (pid == 0)
		run_command(s); /* NOLINT(clang-analyzer-unix.Vfork) */
	s->child = pid;
	if (s->child < 0)
		shim_say(&s->o, 0, "cannot start a process: %s", strerror(errno));
	else
		shim_say(&s->o, 2, "runs %s as process %d", s->o.command[0], (int)s->child);
	return s->child > 0;
}

/* Reaps everybody who ended; true when the command was among them. */
static bool reap(const struct shim *s, int *status)
{
	bool over = false;
	int st;
	pid_t pid;

	while ((pid = waitpid(-1, &st, WNOHANG | WUNTRACED)) > 0) {
		if (WIFSTOPPED(st)) {
			if (pid == s->child)
				command_stopped(s, WSTOPSIG(st));
		} else if (pid == s->child) {
			*status = st;
			over = true;
		} else {
			shim_say(&s->o, s->o.warn_reaped ? 1 : 3, "Reaped zombie process with pid=%d", (int)pid);
		}
	}
	return over;
}

/* ---- those it left behind ---- */

/* Signals the command's group and each of our children, with its group if it leads one; ours is not ours to signal. */
static void signal_children(const struct shim *s, int sig)
{
	owned_fd fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	pid_t done = s->o.place != OUR_GROUP && s->child > 0 ? s->child : 0, pid = 0;
	char buf[512];
	ssize_t n;

	if (done)
		(void)kill(-done, sig);
	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t k = 0; k < n; k++) {
			if (buf[k] >= '0' && buf[k] <= '9') {
				pid = pid * 10 + (buf[k] - '0');
				continue;
			}
			pid_t group = getpgid(pid);

			if (pid > 0 && (group != done || !done))
				(void)kill(group == pid ? -pid : pid, sig);
			pid = 0;
		}
}

static void signal_left(const struct shim *s, int sig)
{
	if (getpid() == 1)
		(void)kill(-1, sig);
	else
		signal_children(s, sig);
}

/* All of our namespace where we are its PID 1, else our children. */
static bool anybody_left(void)
{
	siginfo_t unused;

	if (getpid() == 1)
		return kill(-1, 0) == 0 || errno != ESRCH;
	return waitid(P_ALL, 0, &unused, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* SIGTERM, time, SIGKILL. A signal to end, in that time, shortens it. */
static void see_off(const struct shim *s)
{
	const uint64_t hurry = BIT(SIGTERM) | BIT(SIGINT) | BIT(SIGQUIT) | BIT(SIGHUP);
	int64_t until = now_ms() + PATIENCE;
	bool killed = false;
	siginfo_t si;
	int unused;

	shim_say(&s->o, 2, "the command has ended and left processes: they get SIGTERM");
	signal_left(s, SIGTERM);
	signal_left(s, SIGCONT);
	while ((void)reap(s, &unused), anybody_left()) {
		int64_t left = until - now_ms();

		if (left <= 0 && killed)
			return;
		if (left <= 0) {
			shim_say(&s->o, 1, "processes are left: they get SIGKILL");
			killed = true;
			until = now_ms() + GRACE;
		}
		/* Again and again: those of a killed parent come to us then. */
		if (killed)
			signal_left(s, SIGKILL);
		/* A process that entered from outside is no child of ours, so look now and then. */
		int sig = next_signal(BIT(SIGCHLD) | hurry, 20, &si);

		if (!killed && sig && sig != SIGCHLD)
			until = 0;
	}
}

/* ---- the role ---- */

static int leave(const struct shim *s, int status)
{
	int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);

	/* Whoever comes after us in a script wants its terminal back. */
	if (s->o.place == OWN_GROUP && !s->o.pause)
		(void)pass_terminal(s->child, getpgrp());
	if (s->reaper && anybody_left())
		see_off(s);
	else if (s->o.terminates_group)
		(void)kill(-s->child, SIGTERM);
	return s->o.to_zero[code & 255] ? 0 : code;
}

static int live(const struct shim *s)
{
	siginfo_t si;
	int status = 0;

	for (;;) {
		/* Children that were ours before we were (execve keeps them) are found without any SIGCHLD. */
		if (reap(s, &status) && !s->o.pause)
			return leave(s, status);
		int sig = next_signal(ALL_SIGNALS, -1, &si);

		if (sig == 0 || sig == SIGCHLD)
			continue;
		if (!s->o.pause)
			pass_on(s, &si);
		else if (sig == SIGTERM || sig == SIGINT)
			return leave(s, 0);
	}
}

static void become_reaper(struct shim *s)
{
	int already = 0;

	s->reaper = getpid() == 1;
	if (s->reaper)
		return;
	if (s->o.subreaper && prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L) < 0)
		shim_say(&s->o, 1, "cannot become a subreaper: %s", strerror(errno));
	/* Whoever executed us may have been one. */
	s->reaper = prctl(PR_GET_CHILD_SUBREAPER, &already, 0L, 0L, 0L) == 0 && already;
	if (!s->reaper && s->o.expects_orphans)
		shim_say(&s->o, 1, "neither PID 1 nor a subreaper, so zombie reaping won't work; use -s, or run as PID 1");
}

int shim_main(int argc, char **argv)
{
	struct shim s = { .child = 0 };
	struct sigaction chld;

	/* First of all, so that what comes from here on is passed on and not lost. */
	set_mask(ALL_SIGNALS, &s.mask_before);
	int status = shim_options_read(&s.o, argc, argv);

	if (status >= 0)
		return status;
	/* Where SIGCHLD is ignored, children leave no status behind (waitpid(2)). */
	s.chld_ignored = sigaction(SIGCHLD, NULL, &chld) == 0 && chld.sa_handler == SIG_IGN;
	if (s.chld_ignored)
		(void)signal(SIGCHLD, SIG_DFL);
	if (s.o.parent_death && prctl(PR_SET_PDEATHSIG, s.o.parent_death) < 0)
		shim_say(&s.o, 1, "cannot ask for a signal at our parent's death: %s", strerror(errno));
	become_reaper(&s);
	if (!s.o.pause && !start_command(&s))
		return s.o.not_run ? s.o.not_run : 1;
	/* We hold on to nothing: neither a mount by our directory nor a pipe by a descriptor. */
	if (chdir("/") < 0)
		shim_say(&s.o, 2, "cannot leave the directory: %s", strerror(errno));
	(void)syscall(SYS_close_range, 3, ~0U, 0);
	pages_forget(true);
	return live(&s);
}
