/* tree.c - removing and copying trees: deep, wide, linked, and made to mislead. */
#include "mount/clean.h"
#include "mount/copy.h"
#include "mount/inside.h"
#include "mount/volume.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/lib/tap.h"

/* In memory where that is possible: making thousands of directories on a disk takes its time. */
static char in_memory[] = "/dev/shm/tree-test.XXXXXX", on_disk[] = "/tmp/tree-test.XXXXXX";
static char *base;
static int top;

static void touch(int at, const char *name, const char *text)
{
	int fd = openat(at, name, O_WRONLY | O_CREAT | O_TRUNC, 0640);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	(void)close(fd);
}

/* A directory in a directory in a directory ...: deeper than any path may be long. */
static void dig(int at, const char *name, int levels)
{
	int fd = dup(at);

	for (int i = 0; i < levels; i++) {
		if (mkdirat(fd, name, 0755) < 0)
			abort();
		int below = openat(fd, name, O_RDONLY | O_DIRECTORY);
		(void)close(fd);
		fd = below;
		if (i % 100 == 0)
			touch(fd, "file", "x");
	}
	(void)close(fd);
}

static bool is_there(const char *path)
{
	struct stat st;

	return fstatat(top, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		(void)closedir(d);
	return n;
}

static void test_clean(void)
{
	int before = open_fds();

	(void)mkdirat(top, "gone", 0755);
	int at = openat(top, "gone", O_RDONLY | O_DIRECTORY);
	dig(at, "deep", 1500);
	dig(at, "a directory with a long name, so that the path would be longer than anything", 100);
	(void)mkdirat(top, "kept", 0755);
	touch(top, "kept/file", "x");
	(void)symlinkat("../kept", at, "link");
	(void)symlinkat("/", at, "root");
	(void)mkdirat(at, "closed", 0);
	(void)mkfifoat(at, "pipe", 0);
	touch(at, ".coppice-0", "in the way");
	(void)mkdirat(at, ".coppice-1", 0755);
	touch(at, ".coppice-1/file", "in the way");
	(void)linkat(top, "kept/file", at, "hard", 0);
	for (int i = 0; i < 900; i++) {
		char name[32];

		snprintf(name, sizeof(name), "wide%d", i);
		if (i % 3)
			touch(at, name, "x");
		else
			(void)mkdirat(at, name, 0755);
	}
	(void)close(at);
	CHECK(clean_tree(top, "gone") == 0, "a hostile tree is removed");
	CHECK(!is_there("gone") && is_there("kept/file"), "and nothing that its links lead to");
	CHECK(open_fds() == before, "no descriptor is left");
	CHECK(clean_tree(top, "gone") == 0, "what is not there is removed already");
	(void)symlinkat("kept", top, "link");
	CHECK(clean_tree(top, "link") == -ELOOP || clean_tree(top, "link") == -ENOTDIR, "a link is no tree");
	CHECK(is_there("kept/file"), "and what it leads to stays");
	CHECK(clean_unit(base, "../kept") == -EINVAL && clean_unit(base, "") == -EINVAL && is_there("kept/file"), "no name climbs");
	CHECK(clean_unit("/no/such/runtime", "web") == 0, "no runtime, nothing to do");
	(void)mkdirat(top, "upper", 0700);
	dig(top, "upper/web", 1);
	dig(top, "upper/other", 1);
	CHECK(clean_unit(base, "web") == 0 && !is_there("upper/web") && is_there("upper/other"), "one unit's upper goes, another's stays");
}

/* Where something is mounted, the rest goes and what is mounted stays. */
static void test_clean_mounts(void)
{
	char path[128];
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (unshare(geteuid() ? CLONE_NEWUSER | CLONE_NEWNS : CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
			_exit(2);
		(void)mkdirat(top, "m", 0755);
		(void)mkdirat(top, "m/a", 0755);
		(void)mkdirat(top, "m/a/mounted", 0755);
		(void)mkdirat(top, "m/b", 0755);
		touch(top, "m/a/file", "x");
		snprintf(path, sizeof(path), "%s/m/a/mounted", base);
		if (mount("tmpfs", path, "tmpfs", 0, NULL) < 0)
			_exit(2);
		touch(top, "m/a/mounted/precious", "x");
		int rc = clean_tree(top, "m");
		_exit(rc == -EBUSY && is_there("m/a/mounted/precious") && !is_there("m/b") && !is_there("m/a/file") ? 0 : 1);
	}
	(void)waitpid(pid, &status, 0);
	if (WEXITSTATUS(status) == 2)
		tap_skip("may not mount here");
	else
		CHECK(status == 0, "a mount is not crossed");
	(void)clean_tree(top, "m");
}

static const struct owner as_it_is;

static void test_copy(void)
{
	char words[200] = "", text[64] = "", value[16];
	struct text about = TEXT(words);
	struct stat a, b;

	(void)mkdirat(top, "from", 02751);
	(void)mkdirat(top, "to", 0755);
	int from = openat(top, "from", O_PATH | O_DIRECTORY), to = openat(top, "to", O_PATH | O_DIRECTORY);
	(void)mkdirat(from, "sub", 0500);
	(void)mkdirat(from, "sub2", 0755);
	touch(from, "sub2/file", "content");
	(void)fchmodat(from, "sub2/file", 04711, 0);
	(void)symlinkat("/etc/passwd", from, "abs");
	(void)symlinkat("../../../etc", from, "up");
	(void)mkfifoat(from, "pipe", 0620);
	(void)fchmodat(from, "pipe", 0620, 0);
	touch(from, "big", "");
	int big = openat(from, "big", O_RDWR);
	(void)ftruncate(big, 3 << 20);
	(void)pwrite(big, "end", 3, (3 << 20) - 3);
	bool xattrs = fsetxattr(big, "user.note", "kept", 4, 0) == 0;
	struct timespec old[2] = { { 1000000000, 0 }, { 1000000001, 0 } };
	(void)futimens(big, old);
	(void)close(big);
	(void)fchmodat(top, "from", 02751, 0);
	CHECK(copy_tree(from, to, &as_it_is, &about) == 0, "a tree is copied %s", words);
	CHECK(fstat(to, &b) == 0 && (b.st_mode & 07777) == 02751, "its top looks like the original");
	CHECK(fstatat(to, "sub", &b, 0) == 0 && (b.st_mode & 07777) == 0500, "so does what lies in it");
	CHECK(fstatat(to, "sub2/file", &b, 0) == 0 && (b.st_mode & 07777) == 04711 && b.st_size == 7, "with all bits of its mode");
	CHECK(fstatat(to, "pipe", &b, AT_SYMLINK_NOFOLLOW) == 0 && S_ISFIFO(b.st_mode), "a pipe is a pipe and was not read");
	CHECK(readlinkat(to, "abs", text, sizeof(text) - 1) == 11 && strcmp(text, "/etc/passwd") == 0, "a link is a link");
	CHECK(fstatat(from, "big", &a, 0) == 0 && fstatat(to, "big", &b, 0) == 0 && a.st_size == b.st_size && b.st_mtime == 1000000001,
	      "a large file, as old as it was");
	big = openat(to, "big", O_RDONLY);
	CHECK(pread(big, text, 3, (3 << 20) - 3) == 3 && memcmp(text, "end", 3) == 0, "whole");
	if (xattrs)
		CHECK(fgetxattr(big, "user.note", value, sizeof(value)) == 4 && memcmp(value, "kept", 4) == 0, "with its attributes");
	(void)close(big);
	(void)close(to);
	(void)mkdirat(top, "to2", 0755);
	to = openat(top, "to2", O_PATH | O_DIRECTORY);
	dig(from, "d", 900);
	CHECK(copy_tree(from, to, &as_it_is, &about) == 0, "900 levels %s", words);
	(void)close(to);
	dig(from, "D", 2500);
	(void)mkdirat(top, "to3", 0755);
	to = openat(top, "to3", O_PATH | O_DIRECTORY);
	CHECK(copy_tree(from, to, &as_it_is, &about) == -ENAMETOOLONG && words[0], "2,500 are told, not tried: %.60s", words);
	(void)close(to);
	(void)close(from);
	for (const char *const *name = (const char *const[]){ "from", "to", "to2", "to3", NULL }; *name; name++)
		CHECK(clean_tree(top, *name) == 0, "%s is gone", *name);
}

static void test_volume(void)
{
	char volumes[128], words[200] = "";
	struct text about = TEXT(words);
	int status, bad = 0;

	snprintf(volumes, sizeof(volumes), "%s/a/b/volumes", base);
	(void)mkdirat(top, "model", 0750);
	for (int i = 0; i < 200; i++) {
		char name[32];

		snprintf(name, sizeof(name), "model/file%d", i);
		touch(top, name, "x");
	}
	int model = openat(top, "model", O_PATH | O_DIRECTORY);
	/* Eight at once: each gets the one whole volume. */
	for (int i = 0; i < 8; i++) {
		if (fork() != 0)
			continue;
		int fd = volume_open(volumes, "vol", model, &as_it_is, &about);
		struct stat st;
		_exit(fd < 0 || fstatat(fd, "file199", &st, 0) < 0 || fstatat(fd, "file0", &st, 0) < 0);
	}
	while (wait(&status) > 0)
		bad += status != 0;
	CHECK(bad == 0, "eight starts at once find one whole volume");
	CHECK(!is_there("a/b/volumes/.vol.tmp"), "and leave no draft");
	/* An interrupted start leaves half a draft behind. */
	(void)mkdirat(top, "a/b/volumes/.half.tmp", 0700);
	touch(top, "a/b/volumes/.half.tmp/rubbish", "x");
	int fd = volume_open(volumes, "half", model, &as_it_is, &about);
	CHECK(fd >= 0 && is_there("a/b/volumes/half/file7") && !is_there("a/b/volumes/half/rubbish"), "a draft is begun anew %s", words);
	(void)close(fd);
	fd = volume_open(volumes, "empty", -1, &as_it_is, &about);
	struct stat st;
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0755, "an empty one");
	(void)close(fd);
	(void)symlinkat("/etc", top, "a/b/volumes/linked");
	fd = volume_open(volumes, "linked", -1, &as_it_is, &about);
	CHECK(fd == -ENOTDIR || fd == -ELOOP, "a link is no volume");
	static const char *const names[] = { "", ".", "..", ".hidden", "a/b", "/etc", "a\nb" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		CHECK(volume_open(volumes, names[i], -1, &as_it_is, &about) == -EINVAL, "name %zu is none", i);
	(void)close(model);
	CHECK(clean_tree(top, "a") == 0 && clean_tree(top, "model") == 0, "gone");
}

/* Whoever waits for a draft that is then moved away must leave it alone. */
static void test_volume_moved(void)
{
	char volumes[128], words[200] = "", locks[8192] = "", waiting[64];
	struct text about = TEXT(words);
	int status = 1;

	snprintf(volumes, sizeof(volumes), "%s/volumes", base);
	(void)mkdirat(top, "volumes", 0755);
	(void)mkdirat(top, "volumes/.v.tmp", 0755);
	touch(top, "volumes/.v.tmp/precious", "x");
	int draft = openat(top, "volumes/.v.tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)flock(draft, LOCK_EX);
	pid_t pid = fork();
	if (pid == 0) {
		(void)close(draft);
		_exit(volume_open(volumes, "v", -1, &as_it_is, &about) < 0);
	}
	snprintf(waiting, sizeof(waiting), "%d ", pid);
	for (int tries = 0; tries < 5000 && !strstr(locks, waiting); tries++) {
		int fd = open("/proc/locks", O_RDONLY);
		ssize_t n = read(fd, locks, sizeof(locks) - 1);

		locks[n > 0 ? n : 0] = '\0';
		(void)close(fd);
		(void)usleep(1000);
	}
	CHECK(strstr(locks, waiting) != NULL, "somebody waits");
	(void)renameat(top, "volumes/.v.tmp", top, "volumes/elsewhere");
	(void)close(draft);
	(void)waitpid(pid, &status, 0);
	CHECK(status == 0 && is_there("volumes/v") && is_there("volumes/elsewhere/precious"), "and makes its own");
	CHECK(clean_tree(top, "volumes") == 0, "gone");
}

/* Targets that are made inside a root, whatever lies in the way. */
static void test_make(void)
{
	static const struct { const char *path, *made; bool dir; int error; } cases[] = {
		{ "/a", "a", true, 0 }, { "/x/y/z", "x/y/z", true, 0 }, { "/x/y/f", "x/y/f", false, 0 }, { "rel/ative", "rel/ative", true, 0 },
		{ "//d//e//", "d/e", true, 0 }, { "/q/../r/./s", "r/s", true, 0 }, { "/../../../t", "t", true, 0 },
		{ "/out/u", "etc/u", true, 0 }, { "/away/w", "new/place/w", true, 0 }, { "/chain", "final", false, 0 },
		{ "/loop/x", NULL, true, ELOOP }, { "/file", NULL, true, ENOTDIR }, { "/file/below", NULL, true, ENOTDIR },
		{ "/etc", NULL, false, EISDIR }, { "/up/v", "v", true, 0 },
		{ "/etc/abs/k", "fresh/dir/k", true, 0 },
	};

	(void)mkdirat(top, "root", 0755);
	int root = openat(top, "root", O_PATH | O_DIRECTORY);
	(void)mkdirat(root, "etc", 0755);
	touch(root, "file", "x");
	(void)symlinkat("/etc", root, "out");
	(void)symlinkat("/new/place", root, "away");
	(void)symlinkat("/fresh/dir", root, "etc/abs");
	(void)symlinkat("one", root, "chain");
	(void)symlinkat("./two", root, "one");
	(void)symlinkat("/final", root, "two");
	(void)symlinkat("loop", root, "loop");
	(void)symlinkat("../../../../..", root, "up");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = inside_make(root, cases[i].path, cases[i].dir, 0750);
		struct stat st, by_name;

		if (cases[i].error) {
			CHECK(fd == -cases[i].error, "%s gives %d", cases[i].path, fd);
			continue;
		}
		if (CHECK(fd >= 0 && fstat(fd, &st) == 0 && fstatat(root, cases[i].made, &by_name, AT_SYMLINK_NOFOLLOW) == 0,
			  "%s is made (%d)", cases[i].path, fd))
			CHECK(st.st_ino == by_name.st_ino && S_ISDIR(st.st_mode) == cases[i].dir, "as %s", cases[i].made);
		(void)close(fd);
	}
	char *long_path = malloc(5000);
	memset(long_path, 'l', 4999);
	long_path[4999] = '\0';
	CHECK(inside_make(root, long_path, true, 0755) == -ENAMETOOLONG, "a path too long");
	for (size_t i = 0; i < 4999; i += 200)
		long_path[i] = '/';
	CHECK(inside_make(root, long_path, true, 0755) == -ENAMETOOLONG, "of many parts");
	free(long_path);
	(void)close(root);
	CHECK(clean_tree(top, "root") == 0, "gone");
}

int main(void)
{
	/* In a user namespace root may read what has mode 0; without root that part would differ. */
	base = mkdtemp(in_memory);
	if (!base)
		base = mkdtemp(on_disk);
	top = base ? open(base, O_RDONLY | O_DIRECTORY) : -1;
	if (!CHECK(top >= 0, "a directory to work in"))
		return tap_done();
	(void)umask(0);
	test_clean();
	test_clean_mounts();
	test_copy();
	test_volume();
	test_volume_moved();
	test_make();
	(void)close(top);
	CHECK(clean_tree(AT_FDCWD, base) == 0, "nothing is left");
	return tap_done();
}
