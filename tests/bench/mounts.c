/*
 * mounts.c - the least that a root of its own costs: for each of N daemons a fork, a mount namespace, an overlay, pivot_root, exec.
 *
 * Usage: mounts same|bare N IMAGE SCRATCH PROGRAM, where PROGRAM is a path inside IMAGE
 *
 * "same" mounts besides what a unit with an image gets (mount/plan.c), by plain
 * mount(2): only then are like and like compared. "bare" mounts the overlay alone.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

/* Relative to the new root; a source with a slash is bound, where it is there. */
static const struct { const char *source, *target, *options; unsigned long flags; } mounts[] = {
	{ "/proc", "proc", NULL, MS_BIND | MS_REC },
	{ "/proc/sys", "proc/sys", NULL, MS_BIND | MS_RDONLY },
	{ "/proc/sysrq-trigger", "proc/sysrq-trigger", NULL, MS_BIND | MS_RDONLY },
	{ "/proc/irq", "proc/irq", NULL, MS_BIND | MS_RDONLY },
	{ "/proc/bus", "proc/bus", NULL, MS_BIND | MS_RDONLY },
	{ "/proc/fs", "proc/fs", NULL, MS_BIND | MS_RDONLY },
	{ "/sys", "sys", NULL, MS_BIND | MS_REC | MS_RDONLY },
	{ "tmpfs", "dev", "mode=0755,size=64k", MS_NOSUID | MS_NOEXEC },
	{ "tmpfs", "run", "mode=0755", MS_NOSUID | MS_NODEV },
	{ "devpts", "dev/pts", "ptmxmode=0666,mode=0620,gid=5", MS_NOSUID | MS_NOEXEC },
	{ "tmpfs", "dev/shm", "mode=1777", MS_NOSUID | MS_NODEV },
	{ "mqueue", "dev/mqueue", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV },
	{ "/etc/resolv.conf", "etc/resolv.conf", NULL, MS_BIND | MS_RDONLY },
	{ "/etc/hosts", "etc/hosts", NULL, MS_BIND | MS_RDONLY },
	{ "/etc/hostname", "etc/hostname", NULL, MS_BIND | MS_RDONLY },
};

static const struct { const char *path; unsigned major, minor; } nodes[] = {
	{ "dev/null", 1, 3 }, { "dev/zero", 1, 5 }, { "dev/full", 1, 7 },
	{ "dev/random", 1, 8 }, { "dev/urandom", 1, 9 }, { "dev/tty", 5, 0 },
};

static const struct { const char *to, *path; } links[] = {
	{ "pts/ptmx", "dev/ptmx" }, { "/proc/self/fd", "dev/fd" }, { "/proc/self/fd/0", "dev/stdin" },
	{ "/proc/self/fd/1", "dev/stdout" }, { "/proc/self/fd/2", "dev/stderr" },
};

static void must(int r, const char *what)
{
	if (r < 0) {
		perror(what);
		_exit(111);
	}
}

static void fill(void)
{
	for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++) {
		unsigned long flags = mounts[i].flags;
		if (mounts[i].source[0] == '/' && access(mounts[i].source, F_OK))
			continue;
		if (!strncmp(mounts[i].target, "dev/", 4))
			must(mkdir(mounts[i].target, 0755), mounts[i].target);
		must(mount(mounts[i].source, mounts[i].target, mounts[i].source[0] == '/' ? NULL : mounts[i].source,
			   flags & ~(flags & MS_BIND ? (unsigned long)MS_RDONLY : 0), mounts[i].options), mounts[i].target);
		/* mount(2): a bind is made read-only by a second call. */
		if (flags & MS_RDONLY)
			must(mount(NULL, mounts[i].target, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), mounts[i].target);
	}
	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++)
		must(mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)), nodes[i].path);
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		must(symlink(links[i].to, links[i].path), links[i].path);
}

static void build_root(int whole, const char *image, const char *scratch, long i)
{
	static const char *const parts[] = { "", "/upper", "/work", "/root" };
	char path[4][512], options[2000];

	for (int k = 0; k < 4; k++) {
		(void)snprintf(path[k], sizeof(path[k]), "%s/%ld%s", scratch, i, parts[k]);
		must(mkdir(path[k], 0755), path[k]);
	}
	must(unshare(CLONE_NEWNS), "unshare");
	must(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL), "slave");
	(void)snprintf(options, sizeof(options), "lowerdir=%s,upperdir=%s,workdir=%s", image, path[1], path[2]);
	must(mount("overlay", path[3], "overlay", 0, options), "overlay");
	must(chdir(path[3]), "chdir");
	if (whole)
		fill();
	must((int)syscall(SYS_pivot_root, ".", "."), "pivot_root");
	must(umount2(".", MNT_DETACH), "umount");
	must(chdir("/"), "chdir");
}

static void stop(int sig)
{
	(void)sig;
	(void)kill(-1, SIGTERM);
	_exit(0);
}

int main(int argc, char **argv)
{
	long n = argc == 6 ? strtol(argv[2], NULL, 10) : 0;

	if (n < 1)
		return 2;
	(void)signal(SIGTERM, stop);
	for (long i = 0; i < n; i++) {
		pid_t pid = fork();
		must(pid, "fork");
		if (pid == 0) {
			char id[24];
			char *args[] = { argv[5], id, NULL };
			(void)snprintf(id, sizeof(id), "%ld", i);
			build_root(!strcmp(argv[1], "same"), argv[3], argv[4], i);
			(void)execv(argv[5], args);
			_exit(127);
		}
	}
	for (;;)
		(void)wait(NULL);
}
