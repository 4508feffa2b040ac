/*
 * shimkid.c - what the stories of the shim run above it, below it and beside it.
 *
 * Above, to set the scene before the shim is executed: with, inherit, listen,
 * parent, pid1, shell, race. Below, as its command: exit, die, record, pair, look,
 * orphan, orphans, leave, read, stamp. Each says what it has to say on its standard
 * output, one line at a time, and begins with "ready" where it is to be waited for.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* System calls, for the C library hides signals 32 to 34. */
static void set_mask(uint64_t mask)
{
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask));
}

static int fetch_signal(void)
{
	uint64_t all = ~(uint64_t)0;
	long sig;

	/* To be stopped and to go on interrupts it. */
	do
		sig = syscall(SYS_rt_sigtimedwait, &all, NULL, NULL, sizeof(all));
	while (sig < 0 && errno == EINTR);
	return (int)sig;
}

static void set_handler(int sig, void (*handler)(int))
{
	struct { void (*handler)(int); unsigned long flags; void (*restorer)(void); uint64_t mask; } act = { .handler = handler };

	(void)syscall(SYS_rt_sigaction, sig, &act, NULL, sizeof(act.mask));
}

static _Noreturn void fail(const char *what)
{
	perror(what);
	_exit(99);
}

static _Noreturn void run(char **argv)
{
	(void)execvp(argv[0], argv);
	fail(argv[0]);
}

/* ---- above ---- */

/* with BLOCKED IGNORED CMD...: two masks in hexadecimal; all other signals are at their default. */
static int with(char **argv)
{
	uint64_t ignored = strtoull(argv[1], NULL, 16);

	for (int sig = 1; sig <= 64; sig++)
		set_handler(sig, ignored >> (sig - 1) & 1 ? SIG_IGN : SIG_DFL);
	set_mask(strtoull(argv[0], NULL, 16));
	run(argv + 2);
}

/* inherit N CMD...: has N children, all dead and not yet waited for. */
static int inherit(char **argv)
{
	long n = strtol(argv[0], NULL, 10);
	siginfo_t si;

	for (long k = 0; k < n; k++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		(void)waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT);
	}
	run(argv + 1);
}

/* listen CMD...: as a service manager that passes sockets. */
static int listen_for(char **argv)
{
	char pid[16];

	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	(void)setenv("LISTEN_PID", pid, 1);
	(void)setenv("LISTEN_FDS", "1", 1);
	(void)setenv("LISTEN_PIDFDID", "4711", 1);
	run(argv);
}

/* parent CMD...: its parent, until there is something on standard input. */
static int parent(char **argv)
{
	char c;

	if (fork() == 0)
		run(argv);
	return read(STDIN_FILENO, &c, 1) < 0;
}

/* pid1 FD CMD...: as PID 1 of a namespace; tells its pid to descriptor FD; ends as it ended. */
static int pid1(char **argv)
{
	int fd = (int)strtol(argv[0], NULL, 10), status;

	if (unshare(CLONE_NEWPID) < 0)
		fail("unshare");
	pid_t pid = fork();

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)close(fd);
		run(argv + 1);
	}
	(void)dprintf(fd, "%d\n", (int)pid);
	(void)close(fd);
	while (waitpid(pid, &status, 0) < 0)
		continue;
	return WIFSIGNALED(status) ? 200 : WEXITSTATUS(status);
}

/*
 * shell FD fg|bg CMD...: a shell with job control and one job. Says on descriptor
 * FD "job PID", "stopped SIG" and "done STATUS"; on a line "fg" or "bg" from
 * standard input's other end FD + 1 it lets a stopped job go on.
 */
static int shell(char **argv)
{
	int out = (int)strtol(argv[0], NULL, 10), in = out + 1, status;
	int foreground = !strcmp(argv[1], "fg");
	char word[8];

	(void)signal(SIGTTOU, SIG_IGN);
	(void)signal(SIGTSTP, SIG_IGN);
	pid_t pid = fork();

	if (pid == 0) {
		(void)setpgid(0, 0);
		if (foreground)
			(void)tcsetpgrp(STDIN_FILENO, getpid());
		(void)signal(SIGTTOU, SIG_DFL);
		(void)signal(SIGTSTP, SIG_DFL);
		(void)close(out);
		(void)close(in);
		run(argv + 2);
	}
	(void)setpgid(pid, pid);
	(void)dprintf(out, "job %d\n", (int)pid);
	while (waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status)) {
		(void)dprintf(out, "stopped %d\n", WSTOPSIG(status));
		(void)tcsetpgrp(STDIN_FILENO, getpgrp());
		if (read(in, word, sizeof(word)) <= 0)
			return 1;
		if (word[0] == 'f')
			(void)tcsetpgrp(STDIN_FILENO, pid);
		(void)kill(-pid, SIGCONT);
	}
	(void)dprintf(out, "done %d %s\n", WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
		      tcgetpgrp(STDIN_FILENO) == pid ? "terminal" : "no terminal");
	(void)tcsetpgrp(STDIN_FILENO, getpgrp());
	/* Holds the terminal until it was looked at. */
	return read(in, word, sizeof(word)) < 0;
}

static int64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static pid_t start(char **line)
{
	pid_t pid = vfork();

	if (pid == 0) {
		(void)execv(line[0], line);
		_exit(99);
	}
	return pid;
}

/*
 * race N SHIM...: each shim in turn, N times, from before it is started to when its
 * command runs; a line of N spans in ns for each round, in the order of the shims.
 */
static int race(char **argv)
{
	long n = strtol(argv[0], NULL, 10);
	char since[24], self[4096] = "";

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		fail("/proc/self/exe");
	while (n-- > 0) {
		for (char **shim = argv + 1; *shim; shim++) {
			(void)snprintf(since, sizeof(since), "%lld", (long long)now_ns());
			char *line[] = { *shim, (char *)"-s", (char *)"--", self, (char *)"stamp", since, NULL };

			(void)waitpid(start(line), NULL, 0);
		}
		(void)write(STDOUT_FILENO, "\n", 1);
	}
	return 0;
}

/* ---- below ---- */

static int stamp(char **argv)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%lld ", (long long)now_ns() - strtoll(argv[0], NULL, 10));

	return write(STDOUT_FILENO, text, (size_t)n) != n;
}

static int die(char **argv)
{
	struct rlimit none = { 0, 0 };
	int sig = (int)strtol(argv[0], NULL, 10);

	(void)setrlimit(RLIMIT_CORE, &none);
	set_mask(0);
	set_handler(sig, SIG_DFL);
	(void)syscall(SYS_tkill, syscall(SYS_gettid), sig);
	/* Some are ignored unless somebody handles them. */
	return 98;
}

/* Says every signal it gets, for ever. */
static int record(char **argv)
{
	(void)argv;
	set_mask(~(uint64_t)0);
	printf("ready %d\n", (int)getpid());
	while (printf("%d\n", fetch_signal()) > 0)
		continue;
	return 1;
}

/* The same, with a child that does the same, in the same group. */
static int pair(char **argv)
{
	(void)argv;
	set_mask(~(uint64_t)0);
	if (fork() == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		printf("second %d\n", (int)getpid());
		for (;;)
			printf("second %d\n", fetch_signal());
	}
	printf("ready %d\n", (int)getpid());
	while (printf("first %d\n", fetch_signal()) > 0)
		continue;
	return 1;
}

/* Says what it finds: who it is, its signals, its descriptors, its directory, its sockets' names. */
static int look(char **argv)
{
	char line[256], path[4096];
	FILE *f = fopen("/proc/self/status", "re");
	const char *const names[] = { "LISTEN_PID", "LISTEN_FDS", "LISTEN_PIDFDID" };

	printf("pid %d\nppid %d\npgid %d\nsid %d\n", (int)getpid(), (int)getppid(), (int)getpgrp(), (int)getsid(0));
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "Sig", 3) && line[3] != 'Q')
			printf("%.6s %s", line, line + 8);
	printf("fds");
	for (int fd = 0; fd < 64; fd++)
		if (fcntl(fd, F_GETFD) >= 0 && (!f || fd != fileno(f)))
			printf(" %d", fd);
	printf("\ncwd %s\n", getcwd(path, sizeof(path)) ? path : "?");
	for (int k = 0; k < 3; k++) {
		const char *v = getenv(names[k]);

		printf("%s %s\n", names[k], v ? v : "-");
	}
	for (; *argv; argv++)
		printf("arg %s\n", *argv);
	printf("ready\n");
	return 0;
}

/* Is its orphan adopted by its parent? */
static int orphan(char **argv)
{
	pid_t shim = getppid();

	(void)argv;
	pid_t middle = fork();

	if (middle == 0) {
		middle = getpid();
		if (fork() == 0) {
			while (getppid() == middle)
				(void)sched_yield();
			printf("%s\n", getppid() == shim ? "adopted" : "lost");
			_exit(0);
		}
		_exit(0);
	}
	(void)waitpid(middle, NULL, 0);
	/* Its parent has seen it end, or nobody will. */
	printf("ready\n");
	(void)pause();
	return 0;
}

/* orphans N: leaves N of them, which end at the same moment, and stays. */
static int orphans(char **argv)
{
	long n = strtol(argv[0], NULL, 10);
	int gate[2];
	char c;

	if (pipe(gate) < 0)
		fail("pipe");
	pid_t middle = fork();

	if (middle == 0) {
		for (long k = 0; k < n; k++)
			if (fork() == 0) {
				(void)close(gate[1]);
				_exit(read(gate[0], &c, 1) != 0);
			}
		_exit(0);
	}
	(void)waitpid(middle, NULL, 0);
	(void)close(gate[1]);
	printf("ready %d\n", (int)getpid());
	(void)pause();
	return 0;
}

/*
 * leave polite|stubborn|apart CODE: exits with CODE and leaves a process behind,
 * which says "term" when it is told to, and "bye" a while later; which does not
 * listen; or which is a daemon, in a session of its own, with a child.
 */
static int leave(char **argv)
{
	int gate[2];
	char c;

	if (pipe(gate) < 0)
		fail("pipe");
	if (fork() == 0) {
		const struct timespec while_ = { .tv_nsec = 100000000 };

		set_mask(~(uint64_t)0);
		if (argv[0][0] == 'a') {
			(void)setsid();
			if (fork() == 0) {
				(void)close(gate[0]);
				(void)close(gate[1]);
				set_mask(0);
				(void)pause();
				_exit(0);
			}
		}
		printf("left %d\n", (int)getpid());
		(void)close(gate[0]);
		(void)close(gate[1]);
		while (fetch_signal() != SIGTERM || argv[0][0] == 's')
			continue;
		printf("term\n");
		(void)nanosleep(&while_, NULL);
		printf("bye\n");
		_exit(0);
	}
	(void)close(gate[1]);
	/* Once it has said what it has to say. */
	(void)read(gate[0], &c, 1);
	return (int)strtol(argv[1], NULL, 10);
}

static void say_signal(int sig)
{
	(void)dprintf(STDOUT_FILENO, "signal %d\n", sig);
}

/* Says what it reads from its terminal, and each signal of a few; job control is left to the kernel. "end" ends it, with 7. */
static int read_terminal(char **argv)
{
	struct sigaction act = { .sa_handler = say_signal };
	char line[256];
	ssize_t n;

	(void)argv;
	(void)sigaction(SIGCONT, &act, NULL);
	(void)sigaction(SIGWINCH, &act, NULL);
	(void)sigaction(SIGINT, &act, NULL);
	(void)sigaction(SIGHUP, &act, NULL);
	printf("ready %d %s\n", (int)getpid(), tcgetpgrp(STDIN_FILENO) == getpgrp() ? "foreground" : "background");
	while ((n = read(STDIN_FILENO, line, sizeof(line) - 1)) > 0 || (n < 0 && errno == EINTR)) {
		if (n < 0)
			continue;
		line[n - (line[n - 1] == '\n')] = '\0';
		printf("read %s\n", line);
		if (!strcmp(line, "end"))
			return 7;
	}
	return 3;
}

static int leave_now(char **argv)
{
	return (int)strtol(argv[0], NULL, 10);
}

static const struct { const char *name; int words; int (*run)(char **); } roles[] = {
	{ "with", 3, with }, { "inherit", 2, inherit }, { "listen", 1, listen_for }, { "parent", 1, parent },
	{ "pid1", 2, pid1 }, { "shell", 3, shell }, { "exit", 1, leave_now }, { "die", 1, die }, { "record", 0, record },
	{ "pair", 0, pair }, { "look", 0, look }, { "orphan", 0, orphan }, { "orphans", 1, orphans }, { "leave", 2, leave },
	{ "read", 0, read_terminal }, { "race", 2, race }, { "stamp", 1, stamp },
};

int main(int argc, char **argv)
{
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t k = 0; argc > 1 && k < sizeof(roles) / sizeof(roles[0]); k++)
		if (!strcmp(argv[1], roles[k].name) && argc - 2 >= roles[k].words)
			return roles[k].run(argv + 2);
	(void)fprintf(stderr, "usage: shimkid ROLE [WORD...]\n");
	return 99;
}
