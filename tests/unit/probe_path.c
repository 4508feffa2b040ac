/* probe_path.c - tests health/probe.c: files and sockets, in our root and in another's, by a process or a directory of it. */
#include "health/probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf/kit/sys.h"
#include "tests/lib/asks.h"
#include "tests/lib/tap.h"

static char base[] = "/tmp/probe-test-XXXXXX";

static const char *in_base(const char *name)
{
	static char path[8][600];
	static unsigned turn;
	char *p = path[turn++ % 8];

	(void)snprintf(p, sizeof(path[0]), "%s%s", base, name);
	return p;
}

static int make_socket(const char *dir, const char *name, int type)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0), was = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", name);
	if (chdir(dir) || bind(fd, (struct sockaddr *)&a, sizeof(a)) || (type == SOCK_STREAM && listen(fd, 100)) || fchdir(was))
		abort();
	(void)close(was);
	return fd;
}

/* A process that lives in a root of its own. */
static pid_t live_in(const char *root)
{
	int two[2];
	char c;
	pid_t pid;

	if (pipe(two) || (pid = fork()) < 0)
		abort();
	if (pid == 0) {
		end_with(test);
		c = chroot(root) || chdir("/") ? 'n' : 'y';
		(void)!write(two[1], &c, 1);
		for (;;)
			(void)pause();
	}
	if (read(two[0], &c, 1) != 1)
		c = 'n';
	(void)close(two[0]);
	(void)close(two[1]);
	if (c == 'y')
		return pid;
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return 0;
}

static unsigned held_by(pid_t pid)
{
	char path[64];
	unsigned n = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	DIR *dir = opendir(path);
	while (dir && readdir(dir))
		n++;
	if (dir)
		(void)closedir(dir);
	return n;
}

/* From a directory that comes along; the process whose root it is has gone. */
static void look_from(const char *root)
{
	const int32_t gone = 0x3fffffff;
	unsigned held = held_by(helper.pid);
	char inside[700];

	tops.fds[0] = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	tops.n = 1;
	/* Nobody has looked for it yet: the kernel does not have the answer at hand, and a child looks. */
	expect(unit(HEALTH_FILE, "", 0, "/never"), 2000, gone, DETAIL_MISSING, ENOENT, "directory: a file that never was");
	expect(unit(HEALTH_FILE, "", 0, "/inside"), 2000, gone, DETAIL_NONE, 0, "directory: a file inside");
	expect(unit(HEALTH_FILE, "", 0, "/absolute"), 2000, gone, DETAIL_NONE, 0, "directory: an absolute link stays inside");
	expect(unit(HEALTH_FILE, "", 0, "/upward"), 2000, gone, DETAIL_NONE, 0, "directory: so does one upward");
	expect(unit(HEALTH_FILE, "", 0, "/outward"), 2000, gone, DETAIL_MISSING, ENOENT, "directory: none leads out");
	expect(unit(HEALTH_FILE, "", 0, "/../file"), 2000, gone, DETAIL_MISSING, ENOENT, "directory: nor does ..");
	expect(unit(HEALTH_UNIX, "", 0, "/s"), 2000, gone, DETAIL_NONE, 0, "directory: a socket inside");
	expect(unit(HEALTH_CMD, "", 0, ""), 2000, gone, DETAIL_SYSTEM, EOPNOTSUPP, "directory: where none is wanted");
	expect(unit(HEALTH_TCP, "", REFUSED, ""), 2000, gone, DETAIL_CONNECT, ECONNREFUSED, "directory: nor here");
	tops.fds[1] = tops.fds[2] = tops.fds[3] = tops.fds[0];
	tops.n = 4;
	expect(unit(HEALTH_FILE, "", 0, "/inside"), 2000, gone, DETAIL_NONE, 0, "directory: four are one too many three times");
	tops.n = 1;
	struct probe_ask wrong = { .unit = UNITS, .serial = 1, .timeout = 100 };
	(void)sys_send(helper.sock, &wrong, sizeof(wrong), tops.fds, 4);
	(void)sys_send(helper.sock, &wrong, 3, tops.fds, 4);
	(void)close(tops.fds[0]);
	(void)snprintf(inside, sizeof(inside), "%s/inside", root);
	tops.fds[0] = open(inside, O_RDONLY | O_CLOEXEC);
	expect(unit(HEALTH_FILE, "", 0, "/inside"), 2000, gone, DETAIL_MISSING, ENOTDIR, "directory: a file is none");
	(void)close(tops.fds[0]);
	tops.n = 0;
	expect(unit(HEALTH_FILE, "", 0, "/inside"), 2000, gone, DETAIL_SYSTEM, ENOENT, "directory: none came");
	CHECK(held_by(helper.pid) == held, "directory: it keeps none of them: %u, %u before", held_by(helper.pid), held);
}

static void files(void)
{
	char deep[300] = "/";

	if (!mkdtemp(base))
		abort();
	memset(deep + 1, 'd', 200);
	(void)mkdir(in_base("/root"), 0755);
	(void)mkdir(in_base(deep), 0755);
	(void)close(open(in_base("/file"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	(void)close(open(in_base("/root/inside"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	(void)!symlink("/inside", in_base("/root/absolute"));
	(void)!symlink("../../../../../../../../inside", in_base("/root/upward"));
	(void)!symlink(in_base("/file"), in_base("/root/outward"));
	(void)!symlink("loop", in_base("/root/loop"));
	(void)!symlink("/proc/self/root", in_base("/magic"));
	int live = make_socket(in_base(deep), "s", SOCK_STREAM), inner = make_socket(in_base("/root"), "s", SOCK_STREAM);
	int dgram = make_socket(base, "dgram", SOCK_DGRAM);
	(void)close(make_socket(base, "stale", SOCK_STREAM));
	(void)chmod(in_base("/root/s"), 0600);
	(void)strcat(deep, "/s");

	expect(unit(HEALTH_FILE, "", 0, in_base("/file")), 2000, 0, DETAIL_NONE, 0, "file: it is there");
	expect(unit(HEALTH_FILE, "", 0, in_base("/none")), 2000, 0, DETAIL_MISSING, ENOENT, "file: it is not");
	expect(unit(HEALTH_FILE, "", 0, in_base("/file/x")), 2000, 0, DETAIL_MISSING, ENOTDIR, "file: below a file");
	expect(unit(HEALTH_UNIX, "", 0, in_base(deep)), 2000, 0, DETAIL_NONE, 0, "unix: a path longer than sun_path");
	expect(unit(HEALTH_UNIX, "", 0, in_base("/stale")), 2000, 0, DETAIL_CONNECT, ECONNREFUSED, "unix: nobody behind it");
	expect(unit(HEALTH_UNIX, "", 0, in_base("/dgram")), 2000, 0, DETAIL_CONNECT, EPROTOTYPE, "unix: no stream socket");
	expect(unit(HEALTH_UNIX, "", 0, in_base("/file")), 2000, 0, DETAIL_CONNECT, ECONNREFUSED, "unix: no socket at all");
	expect(unit(HEALTH_UNIX, "", 0, in_base("/none")), 2000, 0, DETAIL_MISSING, ENOENT, "unix: nothing there");
	expect(unit(HEALTH_FILE, "", 0, in_base("/magic/etc")), 2000, 0, DETAIL_MISSING, ELOOP, "file: no way through /proc links");
	expect(unit(HEALTH_FILE, "", 0, "/x"), 2000, 0x3fffffff, DETAIL_SYSTEM, ENOENT, "file: of a process that is gone");

	pid_t pid = live_in(in_base("/root"));
	if (!pid) {
		tap_skip("chroot is not permitted");
	} else {
		expect(unit(HEALTH_FILE, "", 0, "/inside"), 2000, pid, DETAIL_NONE, 0, "root: a file inside");
		expect(unit(HEALTH_FILE, "", 0, "/absolute"), 2000, pid, DETAIL_NONE, 0, "root: an absolute link stays inside");
		expect(unit(HEALTH_FILE, "", 0, "/upward"), 2000, pid, DETAIL_NONE, 0, "root: so does one upward");
		expect(unit(HEALTH_FILE, "", 0, "/outward"), 2000, pid, DETAIL_MISSING, ENOENT, "root: none leads out");
		expect(unit(HEALTH_FILE, "", 0, "/../file"), 2000, pid, DETAIL_MISSING, ENOENT, "root: nor does ..");
		expect(unit(HEALTH_FILE, "", 0, "/loop"), 2000, pid, DETAIL_MISSING, ELOOP, "root: a link to itself");
		expect(unit(HEALTH_UNIX, "", 0, "/s"), 2000, pid, DETAIL_NONE, 0, "root: a socket inside");
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
	}
	look_from(in_base("/root"));
	(void)close(live);
	(void)close(inner);
	(void)close(dgram);
	if (fork() == 0) {
		(void)execlp("rm", "rm", "-rf", base, (char *)0);
		_exit(127);
	}
	(void)wait(NULL);
}

int main(void)
{
	return asks_main(files);
}
