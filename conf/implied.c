/* implied.c - what an image implies for the unit that runs in it; pure. */
#include "conf/implied.h"

#include <signal.h>
#include <string.h>

#include "conf/entry.h"
#include "conf/oci.h"

enum implied {
	ENV, ENTRYPOINT, EXEC, WORKDIR, USER, KILL_SIGNAL, VOLUME, GROUPS, UMASK, NO_NEW_PRIVS,
	HEALTH_CHECK, HEALTH_T, HEALTH_L, HEALTH_H, HEALTH_U, HEALTH_F, INTERVAL, TIMEOUT, RETRIES, START_PERIOD, STARTUP_INTERVAL,
	IMAGE_NAME, EXEC_START, PREVENT, KILL_MODE,
};
static const char *const names[N_IMPLIED] = {
	[ENV] = "Environment", [ENTRYPOINT] = "Entrypoint", [EXEC] = "Exec", [WORKDIR] = "WorkingDirectory", [USER] = "User",
	[KILL_SIGNAL] = "KillSignal", [VOLUME] = "Volume", [GROUPS] = "SupplementaryGroups", [UMASK] = "UMask",
	[NO_NEW_PRIVS] = "NoNewPrivileges", [HEALTH_CHECK] = "HealthCmd", [HEALTH_T] = "HealthTcp", [HEALTH_L] = "HealthListen",
	[HEALTH_H] = "HealthHttp", [HEALTH_U] = "HealthUnix", [HEALTH_F] = "HealthFile", [INTERVAL] = "HealthInterval",
	[TIMEOUT] = "HealthTimeout", [RETRIES] = "HealthRetries", [START_PERIOD] = "HealthStartPeriod",
	[STARTUP_INTERVAL] = "HealthStartupInterval", [IMAGE_NAME] = "Image", [EXEC_START] = "ExecStart",
	[PREVENT] = "RestartPreventExitStatus", [KILL_MODE] = "KillMode",
};
_Static_assert(KILL_MODE + 1 == N_IMPLIED, "every setting has a name");

void implied_open(struct compiler *c)
{
	for (uint32_t i = 0; i < N_IMPLIED; i++)
		c->implied[i] = (uint16_t)settings_anywhere(names[i], false);
}

#define SAID(what) first[c->implied[what]]

void implied_find(struct compiler *c, struct draft *d, struct reading *r)
{
	struct parsed *p = &c->parsed;
	char unused[MAX_FINDING];
	const char *fault = NULL;

	for (uint32_t k = p->n; k-- > 0 && !d->is_app && c->image_says;) {
		if (p->said[k].setting != c->implied[IMAGE_NAME] || !parse_counts(p, k))
			continue;
		/* What is wrong with it is told when it is read. */
		r->why = TEXT(unused);
		const char *name = resolve(r, p->said[k].value);

		r->why = (struct text){ 0 };
		d->oci = name ? c->image_says(c->image_self, name, &fault) : NULL;
		break;
	}
	if (fault && d->load == LOAD_OK) {
		d->load = LOAD_BAD;
		d->fault = fault;
	}
}

uint32_t implied_room(const struct draft *d)
{
	return d->oci ? d->oci->env.n + d->oci->volumes.n + N_IMPLIED + 2 : 2;
}

/* One thing that is said for the unit: an origin, shown as it would be written in a unit. */
static struct assignment *put_origin(struct compiler *c, struct draft *d, enum implied what, const char *file, const char *name,
				     const char *shown)
{
	d->said[d->n_said] = (struct assignment){ .file = file, .name = name, .value = shown, .setting = c->implied[what] };
	return &d->said[d->n_said++];
}

/* Says `value` for the unit, unless it says that itself; `key` is the image's own word for it. */
static void imply(struct compiler *c, struct draft *d, struct reading *r, const struct assignment *const *first, enum implied what,
		enum oci_key key, const char *value)
{
	struct assignment a;

	if (!value || SAID(what))
		return;
	a = *put_origin(c, d, what, d->oci->file, d->oci->keys[key], value);
	/* As the reader of a setting wants it. */
	a.value = entry_doubled(r, value, '%');
	if (a.value)
		read_one(c, r, &a);
}

/* Words in one line, as a unit has them. `begin`: "CMD ". */
static const char *in_words(struct reading *r, const char *begin, const struct oci_words *lists, size_t n_lists, bool dollars)
{
	struct text t = { .size = strlen(begin) + 1 };
	bool more = false;

	for (size_t k = 0; k < n_lists; k++)
		for (uint32_t i = 0; i < lists[k].n; i++)
			t.size += 1 + entry_room(lists[k].at[i]);
	t.at = arena_get(r->arena, t.size);
	if (!t.at)
		return NULL;
	text_put(&t, begin);
	for (size_t k = 0; k < n_lists; k++)
		for (uint32_t i = 0; i < lists[k].n; i++) {
			if (more)
				text_char(&t, ' ');
			/* The program itself is never looked into for variables. */
			entry_quote(&t, lists[k].at[i], dollars && more);
			more = true;
		}
	return t.at;
}

static const char *in_milliseconds(struct reading *r, msec_t span)
{
	char words[32];
	struct text t = TEXT(words);

	text_num(&t, span);
	text_put(&t, "ms");
	return span ? arena_copy(r->arena, words, t.len) : NULL;
}

static const char *in_capitals(struct reading *r, const char *name)
{
	char *copy = name ? arena_copy(r->arena, name, strlen(name)) : NULL;

	for (char *s = copy; s && *s; s++)
		if (*s >= 'a' && *s <= 'z')
			*s -= 'a' - 'A';
	return copy;
}

/* The image's check and its times go together: a unit with a check of its own has its own times, too. */
static void imply_check(struct compiler *c, struct draft *d, struct reading *r, const struct assignment *const *first)
{
	const struct oci *o = d->oci;
	struct oci_words words[2] = { o->check };
	const char *value = NULL;
	char retries[24];
	struct text t = TEXT(retries);

	for (enum implied i = HEALTH_CHECK; i <= HEALTH_F; i++)
		if (SAID(i))
			return;
	if (o->check_kind == OCI_CHECK_CMD) {
		value = in_words(r, "CMD ", words, 1, true);
	} else if (o->check_kind == OCI_CHECK_SHELL && o->shell.n) {
		words[0] = o->shell;
		words[1] = o->check;
		value = in_words(r, "CMD ", words, 2, true);
	} else if (o->check_kind == OCI_CHECK_SHELL) {
		struct text line = { .size = strlen(o->check.at[0]) + sizeof("CMD-SHELL ") };

		line.at = arena_get(r->arena, line.size);
		text_put(&line, "CMD-SHELL ");
		text_put(&line, o->check.at[0]);
		value = line.at;
	}
	if (!value)
		return;
	imply(c, d, r, first, HEALTH_CHECK, OCI_CHECK, value);
	imply(c, d, r, first, INTERVAL, OCI_CHECK, in_milliseconds(r, o->interval));
	imply(c, d, r, first, TIMEOUT, OCI_CHECK, in_milliseconds(r, o->timeout));
	imply(c, d, r, first, START_PERIOD, OCI_CHECK, in_milliseconds(r, o->start_period));
	imply(c, d, r, first, STARTUP_INTERVAL, OCI_CHECK, in_milliseconds(r, o->start_interval));
	text_num(&t, o->retries);
	imply(c, d, r, first, RETRIES, OCI_CHECK, o->retries ? arena_copy(r->arena, retries, t.len) : NULL);
}

static void put_path(struct compiler *c, size_t list, const char *path)
{
	build_append(&c->build, list, build_text(&c->build, path, strlen(path)));
}

/*
 * The app is to the container what a process is to a container of its own: all that the container
 * may, it may, and no signal is ignored for it. Steps that failed would fail again.
 */
static void begin_app(struct compiler *c, struct draft *d, struct reading *r)
{
	static const char never[] = "200 203 205 206 207 208 209 210 216 217 218 220 222 226";
	struct assignment a = { .file = "preset", .name = names[PREVENT], .value = never, .setting = c->implied[PREVENT] };

	d->u.critical = true;
	d->u.restart = c->house.supervise == SUPERVISE_ONCE ? RESTART_NO : RESTART_ON_FAILURE;
	d->u.restart_max_delay = 1000;
	d->u.start_limit_burst = 5;
	d->u.start_limit_interval = 10000;
	d->u.bounding = UINT64_MAX;
	d->u.ignore_sigpipe = false;
	read_one(c, r, &a);
}

void implied_before(struct compiler *c, struct draft *d, struct reading *r, const struct assignment *const *first)
{
	const struct oci *o = d->oci;

	if (d->is_app)
		begin_app(c, d, r);
	if (!o)
		return;
	for (uint32_t i = 0; i < o->env.n; i++) {
		struct oci_words one = { .at = &o->env.at[i], .n = 1 };

		put_path(c, offsetof(struct unit, image_env), o->env.at[i]);
		(void)put_origin(c, d, ENV, o->file, o->keys[OCI_ENV], in_words(r, "", &one, 1, false));
	}
	imply(c, d, r, first, WORKDIR, OCI_WORKDIR, o->workdir);
	if (o->workdir && !SAID(WORKDIR) && *o->workdir == '/')
		put_path(c, offsetof(struct unit, makes), o->workdir);
	imply(c, d, r, first, USER, OCI_USER, o->user);
	if (o->groups.n && !SAID(USER))
		imply(c, d, r, first, GROUPS, OCI_USER, in_words(r, "", &o->groups, 1, false));
	imply(c, d, r, first, UMASK, OCI_USER, o->umask);
	imply(c, d, r, first, NO_NEW_PRIVS, OCI_USER, o->no_new_privs ? "yes" : NULL);
	imply(c, d, r, first, KILL_SIGNAL, OCI_STOP, in_capitals(r, o->stop_signal));
	/*
	 * A signal of the image's own choice is for its program alone: what a shell runs in the background
	 * ignores SIGQUIT and SIGINT, and a server's other processes mean something else by it.
	 */
	if (o->stop_signal && d->u.kill_signal != SIGTERM && !SAID(KILL_SIGNAL))
		imply(c, d, r, first, KILL_MODE, OCI_STOP, "mixed");
	imply_check(c, d, r, first);
}

/* systemd-escape(1), --path: what parts names is "-", everything strange is \xNN. */
static void put_escaped(struct text *t, const char *path)
{
	path += strspn(path, "/");
	for (const char *s = path; *s; s++) {
		if (*s == '/' && s[1] && s[1] != '/')
			text_char(t, '-');
		else if (*s == '/')
			continue;
		else if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || *s == '_' || (*s == '.' && s > path))
			text_char(t, *s);
		else
			text_fmt(t, "\\x%02x", (unsigned char)*s);
	}
}

/* Is there anything at that path already? */
static bool is_mounted(struct compiler *c, const char *path)
{
	const size_t list = offsetof(struct unit, mounts);
	size_t n = strlen(path);

	for (uint32_t i = 0; i < c->build.lists[list / 4].n; i++) {
		const char *target = c->build.text + c->build.words[*build_nth(&c->build, list, i) + 4];
		size_t k = strlen(target);

		while (k > 1 && target[k - 1] == '/')
			k--;
		if (k == n && !strncmp(target, path, n))
			return true;
	}
	return false;
}

/* Docker's anonymous volume, with a name: it outlives the unit, and is this unit's and this path's alone. */
static void imply_volume(struct compiler *c, struct draft *d, struct reading *r, const char *said)
{
	size_t n = strlen(said);
	struct text value = { .size = strlen(d->name) + 5 * n + 4 };
	static const struct assignment *const nothing[MAX_SETTINGS];

	while (n > 1 && said[n - 1] == '/')
		n--;

	char *path = arena_copy(r->arena, said, n);

	value.at = arena_get(r->arena, value.size);
	if (!path || !value.at || is_mounted(c, path))
		return;
	if (*path != '/' || strchr(path, ':')) {
		finding_add(c->findings, SAY_ERROR, d->oci->file, 0,
			    "%s: \"%.80s\" is no path that a volume can have; write an absolute one without \":\"", d->oci->keys[OCI_VOLUMES], path);
		return;
	}
	/* "+" is in no unit's name, so no two units come to the same. */
	text_put(&value, d->name);
	text_char(&value, '+');
	put_escaped(&value, path);
	text_char(&value, ':');
	text_put(&value, path);

	uint32_t before = c->build.lists[offsetof(struct unit, mounts) / 4].n;

	imply(c, d, r, nothing, VOLUME, OCI_VOLUMES, value.at);
	if (c->build.lists[offsetof(struct unit, mounts) / 4].n > before && !c->build.failed)
		c->build.words[build_last(&c->build, offsetof(struct unit, mounts)) + 1] |= MOUNT_IMPLIED;
}

/* Where the unit says no program, or no arguments, its image does; a program of one's own knows nothing of the image's arguments. */
static void fill_entry(struct compiler *c, struct draft *d, struct reading *r)
{
	struct entry *e = r->entry;
	const struct oci *o = d->oci;
	bool own = e->program.file != NULL;

	if (d->is_app && c->n_app_args)
		e->args = (struct entry_part){ .at = c->app_args, .n = c->n_app_args, .file = "coppice init", .name = "--", .plain = true };
	else if (o && !own && !e->args.file && o->cmd.n)
		e->args = (struct entry_part){ .at = o->cmd.at, .n = o->cmd.n, .file = o->file, .name = o->keys[OCI_CMD], .plain = true };
	if (o && !own && o->entrypoint.n)
		e->program = (struct entry_part){ .at = o->entrypoint.at, .n = o->entrypoint.n, .file = o->file,
						  .name = o->keys[OCI_ENTRYPOINT], .plain = true };
}

static void put_entry_origin(struct compiler *c, struct draft *d, struct reading *r, enum implied what, const struct entry_part *part)
{
	const struct oci_words words = { .at = part->at, .n = part->n };

	if (part->n && !part->line)
		(void)put_origin(c, d, what, part->file, part->name, in_words(r, "", &words, 1, true));
}

void implied_after(struct compiler *c, struct draft *d, struct reading *r, const struct assignment *const *first)
{
	const struct oci *o = d->oci;
	struct entry *e = r->entry;
	const struct assignment *own = SAID(ENTRYPOINT) ? SAID(ENTRYPOINT) : SAID(EXEC);

	for (uint32_t i = 0; o && i < o->volumes.n && !c->arena.dry; i++) {
		/* The app has no image beside its root: what others would mount is a directory like any other. */
		if (d->is_app && *o->volumes.at[i] == '/')
			put_path(c, offsetof(struct unit, makes), o->volumes.at[i]);
		else if (!d->is_app)
			imply_volume(c, d, r, o->volumes.at[i]);
	}
	if (SAID(EXEC_START)) {
		if (own)
			finding_add(c->findings, SAY_ERROR, own->file, own->line,
				    "%s=: there is ExecStart= in line %u, which is the whole command; keep one of them", own->name, SAID(EXEC_START)->line);
		return;
	}
	fill_entry(c, d, r);
	if (d->is_app && !e->program.n && !e->args.n && !c->findings->first[0])
		finding_add(c->findings, SAY_ERROR, d->file, 0, "has neither an entrypoint nor a command; say one there, or the program behind --");
	/* A mistake in Entrypoint= or Exec= was told already. */
	d->commanded = own || d->is_app;
	put_entry_origin(c, d, r, ENTRYPOINT, &e->program);
	put_entry_origin(c, d, r, EXEC, &e->args);
	entry_settle(c, d, r);
}

/* Programs that want to be PID 1 and nothing else; Incus knows the first four. */
static bool is_init(const char *program)
{
	static const char *const inits[] = { "/init", "/sbin/init", "/s6-init", "/usr/bin/init", "/usr/sbin/init", "/bin/init",
					     "/lib/systemd/systemd", "/usr/lib/systemd/systemd" };

	for (size_t i = 0; i < sizeof(inits) / sizeof(inits[0]); i++)
		if (!strcmp(inits[i], program))
			return true;
	return false;
}

void implied_house(struct compiler *c, const struct draft *app)
{
	const uint32_t *words = c->build.words;
	uint32_t command = words[app->u.start] ? words[app->u.start + 1] : 0;

	c->house.app_signal = app->u.kill_signal;
	if (c->house.supervise == SUPERVISE_AUTO)
		c->house.supervise = command && is_init(c->build.text + words[command + 3]) ? SUPERVISE_EXEC : SUPERVISE_RESTART;
}
