/*
 * machine.c - the end of a machine: kills, unmounts, syncs and calls reboot(2).
 *
 * A child unmounts, for a disk or a server that does not answer would hold it for ever;
 * another one reboots all the same if that takes too long.
 */
#include "init/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conf/kit/own.h"
#include "conf/kit/say.h"
#include "conf/kit/sys.h"
#include "init/mountinfo.h"

#define PATIENCE 3000 /* ms that those who were killed get to let go of their files */
#define AT_MOST  30000 /* ms for all of it; then the machine ends, synced or not */

/* The PID namespace that every machine starts with has a fixed inode (include/linux/proc_ns.h, PROC_PID_INIT_INO). */
#define FIRST_SPACE 0xEFFFFFFCu

static const int commands[N_ACTS] = {
	[ACT_RESTART_US] = RB_AUTOBOOT, [ACT_RESTART] = RB_AUTOBOOT, [ACT_POWER_OFF] = RB_POWER_OFF, [ACT_HALT] = (int)RB_HALT_SYSTEM,
};

enum standing machine_look(bool pid1, enum container c)
{
	enum pid_space space = SPACE_MADE;
	struct stat st;
	/* What a machine's init does first of all. In a namespace that was made it is EINVAL (reboot(2)): quicker than a look into /proc. */
	int r = pid1 && c == CONTAINER_NONE ? reboot(RB_DISABLE_CAD) < 0 ? -errno : 0 : -EPERM;

	if (pid1 && r != -EINVAL && stat("/proc/self/ns/pid", &st) == 0)
		space = st.st_ino == FIRST_SPACE ? SPACE_FIRST : SPACE_MADE;
	else if (r == 0)
		space = SPACE_FIRST; /* /proc is not there yet */
	return ending_standing(pid1, space, c);
}

bool machine_is_ours(bool pid1, enum container c)
{
	return c == CONTAINER_NONE && machine_look(pid1, c) == STANDING_MACHINE;
}

/* ---- unmounting ---- */

/* The list of mounts, or its first megabyte: once those are gone, the rest comes into view. */
static size_t read_list(char *into, size_t size)
{
	owned_fd fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	size_t have = 0;

	for (ssize_t n = 1; fd >= 0 && n > 0 && have < size; have += n > 0 ? (size_t)n : 0)
		n = sys_read(fd, into + have, size - have);
	/* Half a line names nothing. */
	while (have > 0 && into[have - 1] != '\n')
		have--;
	return have;
}

static int let_go(const char *point)
{
	return umount2(point, UMOUNT_NOFOLLOW) < 0 ? -errno : 0;
}

static int seal(const char *point)
{
	if (mount(NULL, point, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0) {
		say(SAY_WARNING, "%s is still in use; it is read-only now", point);
		return 0;
	}
	int e = -errno;

	say(SAY_WARNING, "%s is still in use, and cannot be made read-only: %s", point, strerror(-e));
	return e;
}

/* Does it to each mount, the youngest first, which is mostly the deepest. How many there were; *done of them with success. */
static unsigned each_mount(char *list, size_t size, int (*what)(const char *point), unsigned *done)
{
	unsigned n = 0;

	*done = 0;
	for (size_t end = read_list(list, size), begin; end > 0; end = begin) {
		char point[PATH_MAX];
		struct text t = TEXT(point);

		for (begin = end - 1; begin > 0 && list[begin - 1] != '\n';)
			begin--;
		if (!mountinfo_point(list + begin, end - 1 - begin, &t) || mountinfo_spared(point))
			continue;
		n++;
		*done += what(point) == 0;
	}
	return n;
}

static void unmount_all(void)
{
	enum { ROOM = 1 << 20 };
	owned_mem char *list = malloc(ROOM);
	msec_t until = sys_now() + PATIENCE;
	unsigned done = 0;

	if (!list)
		return;
	/* What lies above another one is busy until that is gone: again, as long as it moves or somebody may still be dying. */
	while (each_mount(list, ROOM, let_go, &done) > done && (done > 0 || sys_now() < until))
		if (done == 0)
			(void)poll(NULL, 0, 20);
	(void)each_mount(list, ROOM, seal, &done);
}

void machine_clear(void)
{
	sync(); /* before anything can hang */
	unmount_all();
	if (mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0)
		say(SAY_WARNING, "/ cannot be made read-only: %s", strerror(errno));
	sync();
}

/* ---- the end ---- */

static void unmounter(void)
{
	machine_clear();
	_exit(0);
}

/* One that hangs in umount(2) can neither be killed nor be waited for with a deadline. */
static void hurrier(int command)
{
	(void)poll(NULL, 0, AT_MOST);
	(void)reboot(command);
	_exit(1);
}

static void end_all(int command)
{
	struct sys_exit x;

	(void)syscall(SYS_close_range, 3, ~0u, 0); /* our own files keep nothing busy */
	(void)kill(-1, SIGKILL);
	pid_t pid = sys_fork();
	if (pid == 0)
		unmounter();
	if (pid < 0)
		sync();
	else if (sys_fork() == 0)
		hurrier(command);
	if (pid > 0)
		(void)sys_wait(pid, &x);
}

int machine_end(enum standing s, enum how how, int code)
{
	enum act act = ending_act(s, how);
	int e = EPERM;

	switch (act) {
	case ACT_RESTART:
	case ACT_POWER_OFF:
	case ACT_HALT:
		end_all(commands[act]);
		break;
	case ACT_RESTART_US:
		break;
	case ACT_REFUSE:
		say(SAY_WARNING, "what runs here is not ours to reboot; leaving with status %d instead", NO_REBOOT_STATUS);
		return NO_REBOOT_STATUS;
	default:
		return code;
	}
	if (reboot(commands[act]) < 0)
		e = errno;
	say(SAY_WARNING, "reboot: %s; leaving with status %d instead", strerror(e), NO_REBOOT_STATUS);
	return NO_REBOOT_STATUS;
}
