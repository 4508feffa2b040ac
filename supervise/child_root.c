/* child_root.c - the steps that give a process its root, its user and its rights. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conf/kit/own.h"
#include "conf/kit/say.h"
#include "conf/kit/sys.h"
#include "mount/inside.h"
#include "mount/root.h"
#include "supervise/caps.h"
#include "supervise/child_steps.h"

/* The first mount that the unit asks for itself, or NULL. What only its image asks for lies in the image where nothing is mounted. */
static const struct unit_mount *wished_mount(const struct life *l)
{
	for (uint32_t i = 0; i < list_count(l->table, l->unit->mounts); i++) {
		const struct unit_mount *m = (const void *)table_words(l->table, list_item(l->table, l->unit->mounts, i));

		if (!(m->flags & MOUNT_IMPLIED))
			return m;
	}
	return NULL;
}

/* What cannot be had without mounting, named by what the unit says. */
static int refuse_mounts(struct life *l)
{
	const struct unit *u = l->unit;
	const char *remedy = "this container may not mount; give it CAP_SYS_ADMIN";

	if (l->job->rung == RUNG_NONE && plan_wants_root(u))
		text_put(&l->about, "this container may not even chroot; give it CAP_SYS_ADMIN or CAP_SYS_CHROOT");
	else if (u->root_mode == ROOT_PIVOT)
		text_fmt(&l->about, "RootMode=pivot: %s", remedy);
	else if (u->root_from != NO_UNIT)
		text_fmt(&l->about, "RootFrom=: %s", remedy);
	else if (list_count(l->table, u->layers))
		text_fmt(&l->about, "ExtraLayers=: %s", remedy);
	else {
		const struct unit_mount *m = wished_mount(l);

		if (!m)
			return 0;
		text_fmt(&l->about, "a mount on %.40s: %s", table_text(l->table, m->target), remedy);
	}
	return -EPERM;
}

static const char *at_runtime(struct life *l, const char *name)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", l->job->runtime, name);

	return n < 0 || (size_t)n >= sizeof(path) ? NULL : arena_copy(&l->arena, path, (size_t)n);
}

static int make_plan(struct life *l)
{
	const struct plan_places places = { .notify = at_runtime(l, "notify"), .resolv = at_runtime(l, PLAN_RESOLV) };

	l->plan = arena_get(&l->arena, plan_room(l->table, l->unit) * sizeof(*l->plan));
	if (!places.notify || !places.resolv || !l->plan)
		return -ENOMEM;
	l->n_ops = plan_make(l->table, l->unit, access(places.resolv, F_OK) == 0 ? &places :
			     &(struct plan_places){ .notify = places.notify, .resolv = "/etc/resolv.conf" }, l->plan);
	return 0;
}

static int join_root(struct life *l)
{
	l->rooting = ROOTING_JOIN;
	if (setns(l->job->root, CLONE_NEWNS) == 0)
		return 0;
	text_put(&l->about, "the root it has already");
	return -errno;
}

int step_namespace(struct life *l)
{
	const struct unit *u = l->unit;
	int rc;

	if (!unit_rooted(u))
		return 0;
	if (l->job->root >= 0)
		return join_root(l);
	rc = l->job->rung == RUNG_FULL ? 0 : refuse_mounts(l);
	if (rc == 0 && u->root_from != NO_UNIT) {
		text_fmt(&l->about, "RootFrom=%.60s, whose root is not there; start it first",
			 table_text(l->table, table_unit(l->table, u->root_from)->name));
		return -ENOLINK;
	}
	if (rc == 0)
		rc = make_plan(l);
	if (rc < 0)
		return rc;
	l->rooting = l->job->rung == RUNG_FULL ? ROOTING_BUILD : ROOTING_CHROOT;
	if (l->rooting == ROOTING_CHROOT)
		return 0;
	rc = site_open(&l->site, &l->about);
	if (rc < 0)
		return rc;
	/* Now, as the root may have no /proc of ours. */
	l->mount_ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (l->mount_ns < 0) {
		text_put(&l->about, "/proc/self/ns/mnt; the container needs a /proc");
		return -errno;
	}
	return 0;
}

int step_image(struct life *l)
{
	return l->rooting >= ROOTING_BUILD ? site_image(&l->site, &l->plan[0], &l->about) : 0;
}

int step_overlay(struct life *l)
{
	return l->rooting == ROOTING_BUILD ? site_root(&l->site, &l->plan[0], &l->about) : 0;
}

/* Who the process will be, by the files of `root`. A '+' command is root, whatever the unit says. */
static int find_person(struct life *l, int root, int *blame_group, struct text *about)
{
	const struct unit *u = l->unit;
	struct persona p = { .user = table_text(l->table, u->user), .group = table_text(l->table, u->group) };
	uint32_t n = list_count(l->table, u->groups);

	if (l->request && *l->request->user) {
		p.user = l->request->user;
		p.group = "";
	} else if (life_full(l)) {
		p.user = p.group = "";
	} else if (n) {
		const char **extra = arena_get(&l->arena, n * sizeof(*extra));

		if (!extra)
			return -ENOMEM;
		for (uint32_t i = 0; i < n; i++)
			extra[i] = table_text(l->table, list_item(l->table, u->groups, i));
		p.extra = extra;
		p.n_extra = n;
	}
	return users_find(&l->person, root, &p, blame_group, about);
}

static bool wants_owner(const struct life *l)
{
	for (uint32_t i = 1; i < l->n_ops; i++)
		if (l->plan[i].flags & OP_CHOWN)
			return true;
	return false;
}

int step_mounts(struct life *l)
{
	int rc = 0;

	if (l->rooting != ROOTING_BUILD)
		return 0;
	if (wants_owner(l)) {
		char words[8];
		struct text nowhere = TEXT(words);
		int blame_group = 0;

		/* One who cannot be found is told at the step that is about users. */
		if (find_person(l, l->site.root, &blame_group, &nowhere) == 0)
			l->site.owner = (struct owner){ true, l->person.uid, l->person.gid };
	}
	for (uint32_t i = 1; i < l->n_ops && rc == 0; i++)
		rc = site_mount(&l->site, &l->plan[i], &l->about);
	return rc;
}

/* Health checks that look into the root do it through our /: what is in /proc/PID/root takes CAP_SYS_PTRACE. */
static void show_top(const struct life *l)
{
	const struct report good = { .step = STEP_IMAGE };
	uint8_t kind = l->unit->health_kind;

	if (l->rooting == ROOTING_NONE || l->job->phase != PHASE_MAIN || (kind != HEALTH_FILE && kind != HEALTH_UNIX))
		return;
	owned_fd top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (top >= 0)
		(void)sys_send(l->job->gate, &good, sizeof(good), &top, 1);
}

static int enter_root(struct life *l)
{
	const struct report good = { .step = STEP_ROOT };
	int rc;

	if (l->rooting == ROOTING_CHROOT)
		return site_chroot(&l->site, l->plan, l->n_ops, &l->about);
	if (l->rooting != ROOTING_BUILD)
		return 0;
	rc = site_enter(&l->site, l->unit->root_mode, &l->about);
	if (rc < 0 || l->job->become)
		return rc;

	ssize_t n = sys_send(l->job->gate, &good, sizeof(good), &l->mount_ns, 1);

	return n < 0 ? (int)n : 0;
}

int step_root(struct life *l)
{
	int rc = enter_root(l);

	if (rc == 0 && !l->job->become)
		show_top(l);
	return rc;
}

/* Does anything here say who it is to be? */
static bool asks_for_user(const struct life *l)
{
	const struct unit *u = l->unit;

	if (l->request && *l->request->user)
		return true;
	return !life_full(l) && (u->user || u->group || u->groups);
}

/* Where the kernel forbids setgroups(2) in this user namespace for good (user_namespaces(7)), no group can be had or lost. */
static bool groups_are_fixed(void)
{
	char word[5] = "";
	owned_fd fd = open("/proc/self/setgroups", O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, word, 4) == 4 && strcmp(word, "deny") == 0;
}

/* Refused: may it go on with the groups that it has? Without CAP_SETGID it may where it is to be who PID 1 is. */
static bool groups_may_stay(const struct life *l)
{
	const struct person *p = &l->person;

	if (!asks_for_user(l) && p->uid == geteuid() && p->gid == getegid())
		return true;
	return !p->n_groups && groups_are_fixed();
}

bool life_person(struct life *l)
{
	bool asked = asks_for_user(l);

	l->stays = !asked && geteuid() != 0;
	if (l->stays)
		l->person = (struct person){ .uid = geteuid(), .gid = getegid(), .home = "/", .shell = "/bin/sh" };
	/* In the container's own root, root needs no files: this is the cheap way of most starts. */
	else if (!asked && l->rooting == ROOTING_NONE)
		l->person = (struct person){ .name = "root", .home = "/root", .shell = "/bin/sh" };
	else
		return false;
	return true;
}

static int who(struct life *l)
{
	bool asked = asks_for_user(l);
	int blame_group = 0, rc;

	if (life_person(l))
		return 0;

	owned_fd root = open("/", O_PATH | O_CLOEXEC);

	if (root < 0)
		return -errno;
	rc = find_person(l, root, &blame_group, &l->about);
	if (rc < 0 && !asked) {
		/* Root by default does not depend on what an image's files look like. */
		l->about.len = 0;
		l->words[0] = '\0';
		l->person = (struct person){ .name = "root", .home = "/", .shell = "/bin/sh" };
		return 0;
	}
	if (rc < 0 && !blame_group)
		l->step = STEP_USER;
	return rc;
}

/* While we still may: what an image works in, Docker makes for it. */
static int make_places(struct life *l)
{
	owned_fd root = -1;

	for (uint32_t i = 0; i < list_count(l->table, l->unit->makes); i++) {
		const char *path = table_text(l->table, list_item(l->table, l->unit->makes, i));

		if (access(path, F_OK) == 0)
			continue;
		if (root < 0)
			root = open("/", O_PATH | O_CLOEXEC);

		owned_fd made = root < 0 ? -errno : inside_make(root, path, true, 0755);

		if (made >= 0)
			continue;
		l->step = STEP_WORKDIR;
		text_shown(&l->about, path, strlen(path), 80);
		text_put(&l->about, ", which could not be made");
		return made;
	}
	return 0;
}

int step_group(struct life *l)
{
	const struct person *p = &l->person;
	int rc = make_places(l);

	if (rc == 0)
		rc = who(l);
	if (rc < 0 || l->stays)
		return rc;
	/* Also an empty list: PID 1's own groups are not the unit's. */
	/* By number, here and below: the C library would first stop the threads that nobody has, in four more calls each. */
	rc = syscall(SYS_setgroups, p->n_groups, p->groups) < 0 ? -errno : 0;
	if (rc < 0 && (rc != -EPERM || !groups_may_stay(l))) {
		text_put(&l->about, "supplementary groups");
		return rc;
	}
	if (syscall(SYS_setresgid, p->gid, p->gid, p->gid) < 0) {
		text_fmt(&l->about, "group %u", p->gid);
		return -errno;
	}
	return 0;
}

/* A pipe or terminal that came with us is the user's own, or /dev/stdout, which opens it anew, would be refused. */
static void give_stdio(const struct life *l)
{
	struct stat st;

	for (int fd = 0; fd <= 2; fd++)
		if (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || (l->job->request_flags & EXEC_TTY && S_ISCHR(st.st_mode))))
			(void)fchown(fd, l->person.uid, (gid_t)-1);
}

void life_person_env(struct life *l)
{
	const struct person *p = &l->person;

	env_default(&l->env, "HOME", p->home);
	if (*p->name) {
		env_default(&l->env, "USER", p->name);
		env_default(&l->env, "LOGNAME", p->name);
	}
	env_default(&l->env, "SHELL", p->shell);
}

int step_user(struct life *l)
{
	uid_t uid = l->person.uid;

	life_person_env(l);
	if (l->stays)
		return 0;
	if (uid)
		give_stdio(l);
	if (uid && !l->job->become) {
		/* What is given up is chosen in the next step, not by the kernel in this one. */
		if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
			return -errno;
	}
	if (syscall(SYS_setresuid, uid, uid, uid) < 0) {
		text_fmt(&l->about, "user %u", uid);
		return -errno;
	}
	return 0;
}

int step_capabilities(struct life *l)
{
	const struct unit *u = l->unit;
	bool full = life_full(l);
	uint64_t wanted = u->bounding | u->ambient | (full ? ~CAPS_NEVER_IMPLIED : 0), ours = 0;
	int rc = caps_ours(&ours);

	if (rc < 0 || l->job->become)
		return rc;
	return caps_take(ours, l->job->bounding, caps_for(ours, wanted), full ? 0 : u->ambient, l->person.uid,
			 !full && u->no_new_privs, &l->about);
}

/* By its own words: what leads out of the root is "(unreachable)", CVE-2024-21626. */
static int check_workdir(struct life *l, const char *path)
{
	char at[PATH_MAX];
	long n = syscall(SYS_getcwd, at, sizeof(at));

	if (n > 0 && at[0] == '/')
		return 0;
	text_fmt(&l->about, "%.60s, which leads out of the root", path);
	return n < 0 ? -errno : -EXDEV;
}

int step_workdir(struct life *l)
{
	const char *path = l->request && *l->request->workdir ? l->request->workdir : table_text(l->table, l->unit->workdir);
	bool optional = *path == '-';

	if (chdir("/") < 0)
		return -errno;
	path += optional;
	if (strcmp(path, "~") == 0)
		path = l->person.home;
	if (!*path || strcmp(path, "/") == 0)
		return 0;
	if (chdir(path) == 0)
		return check_workdir(l, path);
	if (optional && errno == ENOENT)
		return 0;
	text_shown(&l->about, path, strlen(path), 100);
	return -errno;
}
