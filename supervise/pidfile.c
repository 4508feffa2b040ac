/* pidfile.c - a child that reads one number and leaves. PID 1 ends it when TimeoutStartSec= is over. */
#include "supervise/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "conf/kit/own.h"
#include "conf/kit/sys.h"

pid_t pidfile_parse(const char *text, size_t n)
{
	int64_t pid = 0;
	size_t k = 0;

	for (; k < n && text[k] >= '0' && text[k] <= '9' && k < 9; k++)
		pid = pid * 10 + (text[k] - '0');
	if (k == 0 || (k < n && text[k] != '\n' && text[k] != ' ' && text[k] != '\t' && text[k] != '\0'))
		return 0;
	return pid > 1 ? (pid_t)pid : 0;
}

static pid_t read_once(const char *path)
{
	/* Nobody but the daemon should write there, but whoever can must not make us wait, or read something else. */
	owned_fd fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	char text[32];

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	ssize_t n = read(fd, text, sizeof(text));
	pid_t pid = n > 0 ? pidfile_parse(text, (size_t)n) : 0;
	/* One that a dead daemon left behind names nobody. */
	return pid > 0 && (kill(pid, 0) == 0 || errno == EPERM) ? pid : 0;
}

_Noreturn void pidfile_run(const struct job *job)
{
	const char *path = table_text(job->table, table_unit(job->table, job->unit)->pid_file);
	struct report rep = { .step = STEP_PIDFILE };
	uint64_t none = 0;
	char byte;

	if (sys_read(job->gate, &byte, 1) != 1)
		_exit(0);
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none));
	if (job->root >= 0 && setns(job->root, CLONE_NEWNS) < 0)
		rep.error = errno;
	while (rep.error == 0 && (rep.pid = read_once(path)) == 0) {
		struct timespec pause = { .tv_nsec = 20000000 };

		(void)nanosleep(&pause, NULL);
	}
	(void)memccpy(rep.about, path, '\0', sizeof(rep.about) - 1);
	(void)sys_send(job->gate, &rep, sizeof(rep), NULL, 0);
	_exit(rep.error ? step_status(STEP_PIDFILE) : 0);
}
