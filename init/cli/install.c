/* install.c - coppice puts itself into a root file system as /sbin/init, and keeps the init that is there. */
#include "init/cli/install.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/kit/crc.h"
#include "conf/kit/own.h"
#include "conf/oci.h"
#include "init/cli/put.h"
#include "mount/inside.h"

static const char *dir_path(int d)
{
	return d == DIR_RECORD ? INSTALLED_DIR : d == DIR_UNITS ? "/etc/coppice" : d == DIR_INIT ? "/sbin" :
	       install_preset(d == DIR_IMAGES ? "ImagePath" : "VolumePath");
}

static void decide(struct place *p)
{
	const struct past *past = p->past;

	if (!p->bytes)
		p->action = NOT_ASKED;
	else if (p->is_same)
		p->action = ALREADY;
	else if (past->placed && (p->is_ours || p->now == WAS_NOTHING))
		p->action = AGAIN;
	else
		p->action = FRESH;
}

/* The real init's place holds somebody else's file, as the images of lxdocker have it. That one stays the real init, then. */
static bool is_real_taken(const struct job *j)
{
	const struct past real = { .aside = false };
	const char *name;
	char path[PATH_MAX];
	struct stat st;
	owned_fd at = install_kept(j, &j->init, &real, path, &name);

	if (j->record.init.placed && j->record.init.was != WAS_NOTHING && !j->record.init.aside)
		return false;
	return at >= 0 && fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Written down, and given to whom the root belongs. */
static void made(void *self, const char *path, int fd)
{
	struct job *j = self;
	struct stat st;
	int e = installed_add(&j->record, path);

	if (e == 0 && (fstat(j->root, &st) < 0 || (fchownat(fd, "", st.st_uid, st.st_gid, AT_EMPTY_PATH) < 0 && errno != EPERM)))
		e = -errno;
	if (j->news == 0)
		j->news = e;
}

static int make_dirs(struct job *j)
{
	for (int d = 0; d < N_DIRS; d++) {
		if (!j->made[d])
			continue;
		owned_fd fd = inside_make_telling(j->root, dir_path(d), true, 0755, &(struct inside_news){ .made = made, .self = j });

		if (fd < 0 || j->news < 0)
			return install_fail(j, fd < 0 ? fd : j->news, dir_path(d), "cannot be made");
	}
	return 0;
}

static int open_place(struct job *j, struct place *p)
{
	if (p->at >= 0)
		return 0;
	p->at = inside_open(j->root, p->dir, O_RDONLY | O_DIRECTORY, 0);
	return p->at < 0 ? install_fail(j, p->at, p->dir, "cannot be opened") : 0;
}

static int stage(struct job *j, struct place *p)
{
	int e;

	if (p->action != AGAIN && p->action != FRESH)
		return 0;
	e = open_place(j, p);
	if (e < 0)
		return e;
	e = put_stage(p->at, p->name, p->bytes, p->n, p->mode);
	return e < 0 ? install_fail(j, e, p->path, "cannot be written") : 0;
}

static void note(const struct job *j, struct place *p)
{
	struct past *past = p->past;

	if (p->action != AGAIN && p->action != FRESH)
		return;
	past->crc = crc32_of(p->bytes, p->n);
	past->size = p->n;
	if (p->action == AGAIN)
		return;
	past->placed = true;
	past->was = p->now;
	/* A coppice that somebody copied there is worth keeping, too, but is no real init. */
	past->aside = !p->program || p->is_ours || j->real_taken;
	(void)snprintf(past->link, sizeof(past->link), "%s", p->now == WAS_LINK ? p->link : "");
}

static int write_record(struct job *j)
{
	owned_fd at = inside_open(j->root, INSTALLED_DIR, O_RDONLY | O_DIRECTORY, 0);
	owned_mem char *text = installed_text(&j->record);
	int e = at < 0 ? at : !text ? -EILSEQ : put_stage(at, INSTALLED_FILE, text, strlen(text), 0644);

	if (e == 0)
		e = put_commit(at, INSTALLED_FILE);
	return e < 0 ? install_fail(j, e, INSTALLED_DIR "/" INSTALLED_FILE, "cannot be written") : 0;
}

/* Keeps what is there, then puts ours in its place. `before`: the record of an earlier time. */
static int place(struct job *j, struct place *p, const struct past *before)
{
	char path[PATH_MAX], link[PATH_MAX + 8];
	const char *name;
	int e = 0;

	if (p->action == FRESH && p->now != WAS_NOTHING) {
		owned_fd at = install_kept(j, p, p->past, path, &name);

		/* Boot follows the link from the root directory: a relative one began in /sbin. */
		(void)snprintf(link, sizeof(link), "%s%s", !p->past->aside && p->link[0] != '/' ? "sbin/" : "", p->link);
		e = at < 0 ? at : put_twin(p->at, p->name, at, name, link);
		if (e < 0)
			return install_fail(j, e, path, "what is there now cannot be kept");
		p->kept = true;
	}
	if (p->action == AGAIN || p->action == FRESH)
		e = put_commit(p->at, p->name);
	if (e < 0)
		return install_fail(j, e, p->path, "cannot be put in place");
	p->put = true;
	/* What was kept of an earlier time in another place has nothing to come back to. */
	if (p->action == FRESH && before->placed && before->was != WAS_NOTHING && before->aside != p->past->aside) {
		owned_fd at = install_kept(j, p, before, path, &name);

		(void)unlinkat(at, name, 0);
	}
	return 0;
}

static void tell_place(struct job *j, const struct place *p)
{
	const char *what = p->program ? "coppice " COPPICE_VERSION : j->c->value[OPT_OCI];
	char path[PATH_MAX];

	if (p->action == NOT_ASKED)
		return;
	if (p->action == ALREADY)
		install_tell(j, p->path, "already", "%s", what);
	else if (p->is_ours)
		install_tell(j, p->path, "replaced", "by %s; another one was there", what);
	else
		install_tell(j, p->path, p->program ? "installed" : "written", "%s", what);
	if (p->past->placed && p->past->was != WAS_NOTHING) {
		(void)install_kept_path(p, p->past, path);
		install_tell(j, path, p->action == FRESH ? "kept" : "already", "what was at %s%s%s", p->path,
			     p->past->was == WAS_LINK ? ", a link to " : "", p->past->link);
	}
	if (p->program && j->real_taken)
		install_tell(j, install_preset("RealInit"), "already", "the real init; it was there before");
}

/* Makes as if nothing had been done to a place; what was put there already is restored by the record. */
static void take_back(struct job *j, struct place *p)
{
	char path[PATH_MAX];
	const char *name;

	if (p->action != AGAIN && p->action != FRESH)
		return;
	put_drop(p->at, p->name);
	if (p->put || j->has_record)
		return;
	if (p->kept) {
		owned_fd at = install_kept(j, p, p->past, path, &name);

		(void)unlinkat(at, name, 0);
	}
	p->past->placed = false;
}

static int do_all(struct job *j)
{
	const struct past before[2] = { j->record.init, j->record.oci };
	const size_t had = j->record.n_made;
	int e = make_dirs(j);

	if (e == 0)
		e = stage(j, &j->init);
	if (e == 0)
		e = stage(j, &j->oci);
	note(j, &j->init);
	note(j, &j->oci);
	if (e == 0 && (j->record.n_made > had || j->init.action > ALREADY || j->oci.action > ALREADY))
		e = write_record(j);
	if (e < 0 && j->has_record)
		install_remove_dirs(j, had);
	if (e == 0)
		e = place(j, &j->init, &before[0]);
	if (e == 0)
		e = place(j, &j->oci, &before[1]);
	if (e == 0)
		return 0;
	take_back(j, &j->init);
	take_back(j, &j->oci);
	j->quiet = true;
	if (!j->has_record)
		(void)install_restore(j);
	return e;
}

static int install(struct job *j)
{
	int e = install_look(j, &j->init);

	if (e == 0)
		e = install_look(j, &j->oci);
	if (e < 0)
		return e;
	j->real_taken = is_real_taken(j);
	decide(&j->init);
	decide(&j->oci);
	for (int d = 0; d < N_DIRS; d++) {
		owned_fd fd = inside_open(j->root, dir_path(d), O_PATH | O_DIRECTORY, 0);

		if (fd < 0 && fd != -ENOENT)
			return install_fail(j, fd, dir_path(d), "cannot be opened");
		j->made[d] = fd < 0;
	}
	if (!j->dry) {
		e = do_all(j);
		if (e < 0)
			return e;
	} else {
		note(j, &j->init);
		note(j, &j->oci);
	}
	tell_place(j, &j->init);
	tell_place(j, &j->oci);
	for (int d = 0; d < N_DIRS; d++)
		if (j->made[d] || (d != DIR_RECORD && d != DIR_INIT))
			install_tell(j, dir_path(d), j->made[d] ? "made" : "already", "%s", "");
	return 0;
}

static bool is_coppice(const char *path)
{
	owned_mem char *text = NULL;
	size_t n = 0;
	owned_fd fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	return fd >= 0 && inside_read_fd(fd, MOST_PROGRAM, &text, &n) == 0 && install_is_coppice(text, n);
}

/* To exchange the init that a machine is running on breaks its next boot, and its orderly end. */
static bool is_running(int root)
{
	struct stat here, there;

	/* Others than root cannot see where PID 1 is; it may well be here. */
	if (fstat(root, &here) < 0 || (stat("/proc/1/root/.", &there) < 0 && stat("/", &there) < 0))
		return true;
	return here.st_dev == there.st_dev && here.st_ino == there.st_ino && !is_coppice("/proc/1/exe");
}

static int read_bytes(const char *path, size_t most, struct place *p)
{
	owned_fd fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int e = fd < 0 ? -errno : inside_read_fd(fd, most, &p->bytes, &p->n);

	if (e == -EINVAL || e == -EFBIG)
		cli_error("install: %s: is %s", path, e == -EINVAL ? "no regular file" : "too large");
	else if (e < 0)
		cli_error("install: %s: cannot be read: %s", path, strerror(-e));
	return e;
}

static int read_oci(struct job *j, const char *path)
{
	struct findings fs = { 0 };
	struct arena arena = { 0 };
	struct oci oci = { 0 };
	int e = read_bytes(path, MAX_OCI, &j->oci);

	if (e < 0)
		return e;
	e = oci_read(j->oci.bytes, j->oci.n, path, &arena, &fs, &oci);
	findings_sort(&fs);
	for (uint32_t k = 0; k < fs.n; k++) {
		char line[MAX_FINDING + 300];
		struct text t = TEXT(line);

		finding_put(&t, &fs.at[k]);
		cli_error("install: %s", line);
	}
	if (e == 0 && fs.errors)
		e = -EINVAL;
	else if (e < 0)
		cli_error("install: %s: cannot be read: %s", path, strerror(-e));
	findings_free(&fs);
	arena_free(&arena);
	return e;
}

static int run(struct job *j)
{
	const struct cli *c = j->c;
	int e = read_bytes("/proc/self/exe", MOST_PROGRAM, &j->init);

	if (e == 0 && c->value[OPT_OCI])
		e = read_oci(j, c->value[OPT_OCI]);
	if (e < 0)
		return e;
	if (flock(j->root, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return install_fail(j, -EINVAL, j->root_name, "another install is at work there; wait until it is done");
	if (is_running(j->root) && !j->dry && !c->value[OPT_FORCE])
		return install_fail(j, -EINVAL, j->root_name,
				    "is the root that is running, and its PID 1 is not coppice; --force does it all the same");
	e = installed_read(j->root, &j->record);
	if (e == -EBADMSG)
		return install_fail(j, -EINVAL, INSTALLED_DIR "/" INSTALLED_FILE,
				    "is damaged; see what it says, put things back by hand, and remove it");
	if (e < 0 && e != -ENOENT)
		return install_fail(j, e, INSTALLED_DIR "/" INSTALLED_FILE, "cannot be read");
	j->has_record = e == 0;
	return c->value[OPT_UNDO] ? install_undo(j) : install(j);
}

int verb_install(const struct cli *c)
{
	struct job j = {
		.c = c, .root_name = c->args[0], .dry = c->value[OPT_DRY_RUN],
		.init = { .dir = "/sbin", .name = "init", .path = "/sbin/init", .mode = 0755, .program = true, .at = -1 },
		.oci = { .dir = "/etc/coppice", .name = "oci.json", .path = "/etc/coppice/oci.json", .mode = 0644, .at = -1 },
	};

	if (c->value[OPT_UNDO] && c->value[OPT_OCI])
		return cli_usage(c->verb, "either --undo or --oci");
	j.init.past = &j.record.init;
	j.oci.past = &j.record.oci;
	owned_fd root = open(j.root_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (root < 0) {
		cli_error("install: %s: %s", j.root_name, errno == ENOTDIR ? "is no directory" : strerror(errno));
		return CLI_FAILED;
	}
	j.root = root;
	(void)umask(022); /* for the directories */
	int e = run(&j);

	/* What was undone before the error is told as well. */
	if (e == 0 || j.n_items)
		install_print(&j);
	installed_free(&j.record);
	install_unlook(&j.init);
	install_unlook(&j.oci);
	free(j.init.bytes);
	free(j.oci.bytes);
	return e < 0 ? CLI_FAILED : CLI_DONE;
}
