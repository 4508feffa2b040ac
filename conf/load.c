/* load.c - directories of unit files and coppice.conf to one table. */
#include "conf/load.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "conf/compile.h"
#include "conf/configs.h"
#include "conf/environment.h"
#include "conf/files.h"
#include "conf/implied.h"
#include "conf/kit/own.h"
#include "conf/kit/seal.h"
#include "conf/kit/sys.h"
#include "conf/unit.h"

const char *const default_unit_dirs[] = { "/etc/coppice", "/run/coppice/units", "/usr/lib/coppice", NULL };

struct loader {
	struct compiler c;
	struct findings *fs;
	struct files files;
	struct buffer buffer;    /* for one file at a time */
	struct configs configs;
	struct utsname names;    /* of this machine, and what its files say of it, once somebody has asked */
	const char *machine, *boot;
	size_t n_bytes;          /* of all files so far */
	bool told_bytes, told_units;
};

/* Reads one file and adds its assignments; `called` is its name in findings. 1: it is empty. */
static int add_file(struct loader *l, int dir, const char *name, bool plain, const char *called)
{
	ssize_t n = file_read(&l->buffer, dir, name, plain, called, l->fs);

	if (n == -ENOMEM)
		return (int)n;
	if (n < 0)
		return 0;
	l->n_bytes += (size_t)n;
	if (l->n_bytes > MAX_ALL_FILES) {
		if (!l->told_bytes)
			finding_add(l->fs, SAY_ERROR, called, 0,
				    "this and what follows is not read: all files together are larger than %zu MiB",
				    MAX_ALL_FILES >> 20);
		l->told_bytes = true;
		return 0;
	}
	return n ? parse_text(&l->c.parsed, l->buffer.at, (size_t)n, called) : 1;
}

/* The first line of a small file of the system's, or NULL. */
static const char *system_line(struct loader *l, const char *path)
{
	char raw[128];
	owned_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, raw, sizeof(raw));

	return n > 0 ? arena_copy(&l->c.arena, raw, strcspn(raw, "\n") < (size_t)n ?
				  strcspn(raw, "\n") : (size_t)n) : NULL;
}

/* As systemd writes it: without dashes. */
static const char *boot_id(struct loader *l)
{
	char plain[40];
	struct text t = TEXT(plain);

	for (const char *s = system_line(l, "/proc/sys/kernel/random/boot_id"); s && *s; s++)
		if (*s != '-')
			text_char(&t, *s);
	return t.len ? arena_copy(&l->c.arena, plain, t.len) : NULL;
}

/* A struct host's `says`. */
static const char *host_says(void *self, char what)
{
	struct loader *l = self;

	switch (what) {
	case 'm':
		if (!l->machine)
			l->machine = system_line(l, "/etc/machine-id");
		return l->machine;
	case 'b':
		if (!l->boot)
			l->boot = boot_id(l);
		return l->boot;
	default:
		if (!*l->names.nodename && uname(&l->names) < 0)
			return NULL;
		return what == 'H' ? l->names.nodename : l->names.release;
	}
}

static int load_house(struct loader *l, const struct load_options *o)
{
	const char *config = o->config ? o->config : DEFAULT_CONFIG;
	char drop_ins[PATH_MAX];
	struct text t = TEXT(drop_ins);
	int r = 0;

	l->c.parsed.house = true;
	parse_begin(&l->c.parsed);
	if (*config && (o->config || !access(config, F_OK)))
		r = add_file(l, AT_FDCWD, config, false, config);
	text_put(&t, config);
	text_put(&t, ".d");
	if (r >= 0 && *config && !t.cut) {
		struct drop_in *list = NULL;
		ssize_t n = files_drop_ins(&l->c.arena, drop_ins, &list);

		for (ssize_t i = 0; i < n && r >= 0; i++)
			r = add_file(l, AT_FDCWD, list[i].path, false, list[i].path);
		if (n < 0)
			r = (int)n;
	}
	r = r < 0 ? r : compile_house(&l->c);
	return r == 0 && o->environment ? environment_load(&l->c, &l->buffer) : r;
}

/* What a file is, by the end of its name. */
static const struct { const char *suffix; int kind; const char *why; } endings[] = {
	{ ".service", UNIT_SERVICE, NULL }, { ".container", UNIT_SERVICE, NULL }, { ".target", UNIT_TARGET, NULL },
	{ ".image", UNIT_IMAGE, NULL }, { ".volume", UNIT_VOLUME, NULL },
	{ ".timer", UNIT_TIMER, "timers are not supported by this version; remove the file" },
	{ ".socket", UNIT_SOCKET, "sockets are not supported by this version; remove the file" },
	{ ".pod", -1, "one container has one network; remove the file" },
	{ ".network", -1, "one container has one network, see [Network] in coppice.conf; remove the file" },
	{ ".kube", -1, "there is no Podman below; write units; remove the file" },
	{ ".build", -1, "images are not built here; put a root file system into ImagePath=; remove the file" },
	{ ".mount", -1, "see [Boot] Mount= in coppice.conf, and Volume=; remove the file" },
	{ ".automount", -1, "see [Boot] Mount= in coppice.conf, and Volume=; remove the file" },
	{ ".swap", -1, "a container has no swap of its own; remove the file" },
	{ ".path", -1, "files are not watched; remove the file" },
	{ ".slice", -1, "units are not arranged in a tree of control groups; remove the file" },
	{ ".scope", -1, "units are started by files only; remove the file" },
	{ ".device", -1, "devices are not units; remove the file" },
};
#define N_ENDINGS (sizeof(endings) / sizeof(*endings))

static size_t ending_of(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < N_ENDINGS; i++) {
		size_t k = strlen(endings[i].suffix);

		if (n > k && !strcmp(name + n - k, endings[i].suffix))
			return i;
	}
	return N_ENDINGS;
}

/* "db" for db.service and db.container, else the name with its ending. */
static const char *unit_of(struct loader *l, const char *file)
{
	size_t e = ending_of(file);

	return arena_copy(&l->c.arena, file,
			  e < N_ENDINGS && endings[e].kind == UNIT_SERVICE ? strlen(file) - strlen(endings[e].suffix) : strlen(file));
}

static bool is_template(const char *file)
{
	const char *at = strchr(file, '@');

	return at && at[1] == '.';
}

/* The template that an instance is made of: "db@.service" for "db@1.service"; NULL for a plain name. */
static const struct file *template_of(struct loader *l, const char *full, const char *suffix)
{
	const char *at = strchr(full, '@');
	char name[NAME_MAX + 1];
	struct text t = TEXT(name);

	if (!at)
		return NULL;
	text_bytes(&t, full, (size_t)(at - full) + 1);
	text_put(&t, suffix);
	return t.cut ? NULL : files_find(&l->files, name);
}

/* Drop-ins of "web@1.service": service.d, web@.service.d, web@1.service.d; and of the other spelling of a service. */
static int add_drop_ins(struct loader *l, const char *full)
{
	static const char *const services[] = { ".container", ".service" };
	const char *dot = strrchr(full, '.'), *at = strchr(full, '@');
	bool service = !strcmp(dot, ".service") || !strcmp(dot, ".container");
	struct drop_in *list = NULL;
	char names[6][NAME_MAX + 1];
	const char *dirs[6];
	size_t n_dirs = 0;
	int r = 0;

	if (!files_have_drop_ins(&l->files))
		return 0;
	for (size_t level = 0; level < 3; level++)
		for (size_t s = 0; s < (service ? 2u : 1u); s++) {
			const char *suffix = service ? services[s] : dot;
			struct text t = TEXT(names[n_dirs]);

			if (level == 1 && !at)
				continue;
			text_bytes(&t, full, level == 0 ? 0 : level == 1 ?
				   (size_t)(at - full) + 1 : (size_t)(dot - full));
			text_put(&t, level ? suffix : suffix + 1);
			text_put(&t, ".d");
			if (!t.cut) {
				dirs[n_dirs] = names[n_dirs];
				n_dirs++;
			}
		}

	ssize_t n = files_merge_drop_ins(&l->files, dirs, n_dirs, &list);

	for (ssize_t i = 0; i < n && r >= 0; i++)
		r = add_file(l, AT_FDCWD, list[i].path, false, list[i].path);
	return n < 0 ? (int)n : r;
}

/* Makes a unit called `full` of a file, which is its own or a template. */
static int add_unit(struct loader *l, const struct file *f, const char *full)
{
	struct compiler *c = &l->c;
	const char *dir = files_dir(&l->files, f), *name = unit_of(l, full);
	size_t ending = ending_of(f->name), room = strlen(dir) + strlen(f->name) + 2;
	struct text path = { .at = arena_get(&c->arena, room), .size = room };
	int r = 0;

	if (!name || !path.at)
		return -ENOMEM;
	text_put(&path, dir);
	text_char(&path, '/');
	text_put(&path, f->name);
	findings_mark(l->fs);
	if (!is_unit_name(name)) {
		finding_add(l->fs, SAY_ERROR, f->name, 0,
			    "\"%.255s\" is no name of a unit; use letters, digits and :-_.\\@", name);
		return 0;
	}

	uint32_t other = draft_find(c, name), i = NO_UNIT;

	if (other != NO_UNIT) {
		struct draft *d = &c->drafts[other];

		finding_add(l->fs, SAY_ERROR, f->name, 0,
			    "%.255s is there too, and both are the unit \"%.255s\"; remove one of them", d->file, name);
		draft_blame(c, d);
		return 0;
	}
	i = draft_add(c, name, full, (enum unit_kind)endings[ending].kind, f->name, path.at);
	if (i == NO_UNIT && c->arena.dry)
		return -ENOMEM;
	if (i == NO_UNIT) {
		if (!l->told_units)
			finding_add(l->fs, SAY_ERROR, f->name, 0,
				    "this and what follows is left out: there are more than %u units; raise --max-units",
				    c->max_units);
		l->told_units = true;
		return 0;
	}
	if (file_is_masked(&l->files, f)) {
		c->drafts[i].load = LOAD_MASKED;
		return 0;
	}
	if (endings[ending].why) {
		finding_add(l->fs, SAY_ERROR, f->name, 0, "%s", endings[ending].why);
		draft_blame(c, &c->drafts[i]);
		return 0;
	}

	uint32_t errors = l->fs->errors;
	const char *alias = file_is_alias(&l->files, f);

	if (alias)
		finding_add(l->fs, SAY_ERROR, f->name, 0,
			    "is a link to %.255s, which is a unit too; other names for a unit are not supported: remove the link", alias);
	c->parsed.house = false;
	c->parsed.kind = (enum unit_kind)endings[ending].kind;
	parse_begin(&c->parsed);
	if (l->fs->errors == errors)
		r = add_file(l, files_fd(&l->files, f), f->name, f->is_plain, f->name);
	if (r == 1) {
		c->drafts[i].load = LOAD_MASKED;
		return 0;
	}
	/* A file that could not be read at all says nothing: no use in missing its ExecStart=. */
	bool unread = l->fs->errors != errors && c->parsed.n == 0;

	if (r == 0)
		r = add_drop_ins(l, full);
	if (r >= 0 && !unread)
		r = compile_unit(c, i);
	draft_blame(c, &c->drafts[i]);
	return r;
}

/* Those of images first, or all the others: a unit asks what its image is as soon as it is read. */
static int load_files(struct loader *l, bool images)
{
	for (size_t i = 0; i < l->files.n; i++) {
		const struct file *f = &l->files.at[i];
		size_t e = ending_of(f->name);

		if (e == N_ENDINGS || is_template(f->name) || (endings[e].kind == UNIT_IMAGE) != images)
			continue;
		if (endings[e].kind < 0) {
			finding_add(l->fs, SAY_ERROR, f->name, 0, "not applicable: %s", endings[e].why);
			continue;
		}

		int r = add_unit(l, f, f->name);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Instances that somebody mentions and that have no file; their own mentions follow. */
static int load_instances(struct loader *l)
{
	static const char *const suffixes[] = { ".service", ".container", "" };
	struct compiler *c = &l->c;

	for (uint32_t i = 0; i < c->n_mentions; i++) {
		const char *name = c->mentions[i].name;

		if (!strchr(name, '@') || draft_find(c, name) != NO_UNIT || c->mentions[i].bits == EDGE_AFTER ||
		    c->mentions[i].bits == (EDGE_AFTER | MENTION_REVERSED) || c->mentions[i].bits & (EDGE_CONFLICTS | MENTION_INSTALL))
			continue;
		for (size_t s = 0; s < 3; s++) {
			const char *suffix = *suffixes[s] ? suffixes[s] : strrchr(name, '.');
			const struct file *f = suffix ? template_of(l, name, suffix) : NULL;
			size_t room = strlen(name) + strlen(suffix ? suffix : "") + 1;
			struct text full = { .at = f ? arena_get(&c->arena, room) : NULL, .size = room };

			if (!f)
				continue;
			if (!full.at)
				return -ENOMEM;
			text_put(&full, name);
			text_put(&full, suffixes[s]);

			int r = add_unit(l, f, full.at);

			if (r < 0)
				return r;
			break;
		}
	}
	return 0;
}

/* Somebody leans on the network, and no file says what that is: it is a target with nothing but a name. */
static int load_online(struct loader *l)
{
	struct compiler *c = &l->c;
	bool named = false;

	for (uint32_t i = 0; i < c->n_mentions && !named; i++)
		named = !(c->mentions[i].bits & (MENTION_INSTALL | MENTION_REVERSED)) && !strcmp(c->mentions[i].name, ONLINE_TARGET);
	if (!named || draft_find(c, ONLINE_TARGET) != NO_UNIT)
		return 0;

	uint32_t i = draft_add(c, ONLINE_TARGET, ONLINE_TARGET, UNIT_TARGET, ONLINE_TARGET, "");

	if (i == NO_UNIT)
		return c->arena.dry ? -ENOMEM : 0;
	c->parsed.house = false;
	c->parsed.kind = UNIT_TARGET;
	parse_begin(&c->parsed);
	return compile_unit(c, i);
}

/* The one unit of a container that is an image: its config, and what drop-ins of app.service say. */
static int load_app(struct loader *l, const struct load_options *o, const char *path)
{
	struct compiler *c = &l->c;
	struct oci *oci = arena_get(&c->arena, sizeof(*oci));
	uint32_t i;
	int r;

	findings_mark(l->fs);
	i = draft_add(c, APP_NAME, APP_NAME ".service", UNIT_SERVICE, path, path);
	if (!oci || i == NO_UNIT)
		return -ENOMEM;
	c->drafts[i].is_app = true;
	c->app_args = o->args;
	c->n_app_args = o->n_args;
	r = configs_read(&l->configs, path, oci);
	if (oci->file)
		c->drafts[i].oci = oci;
	c->parsed.house = false;
	c->parsed.kind = UNIT_SERVICE;
	parse_begin(&c->parsed);
	if (r == 0)
		r = add_drop_ins(l, APP_NAME ".service");
	if (r >= 0)
		r = compile_unit(c, i);
	draft_blame(c, &c->drafts[i]);
	if (r >= 0)
		implied_house(c, &c->drafts[i]);
	return r;
}

static int load(struct loader *l, const struct load_options *o, void **ret, size_t *ret_size)
{
	size_t n_dirs = o->n_dirs;
	int r;

	if (!o->dirs)
		for (n_dirs = 0; default_unit_dirs[n_dirs]; n_dirs++)
			;
	l->buffer.arena = &l->c.arena;
	r = compile_open(&l->c, l->fs, o->max_units ? o->max_units : DEFAULT_UNITS);
	l->configs = (struct configs){ .c = &l->c, .buffer = &l->buffer };
	l->c.image_says = configs_find;
	l->c.image_self = &l->configs;
	l->c.host = (struct host){ .says = host_says, .self = l };
	if (r == 0)
		r = files_open(&l->files, &l->c.arena, l->fs, o->dirs ? o->dirs : default_unit_dirs, n_dirs, o->dirs != NULL);
	if (r == 0)
		r = compile_expect(&l->c, l->files.n < l->c.max_units ? (uint32_t)l->files.n + 1 : l->c.max_units);
	if (r == 0)
		r = load_house(l, o);
	if (r == 0 && !o->oci)
		r = load_files(l, true);
	if (r == 0 && !o->oci)
		r = load_files(l, false);
	if (r == 0)
		r = load_instances(l);
	if (r == 0 && (o->oci || (!o->dirs && !l->c.n_drafts && !access(DEFAULT_OCI, F_OK))))
		r = load_app(l, o, o->oci ? o->oci : DEFAULT_OCI);
	if (r == 0)
		r = load_online(l);
	if (r == 0)
		r = link_units(&l->c);
	if (r == 0)
		r = pack_table(&l->c, ret, ret_size);
	return r;
}

static void let_go(struct loader *l)
{
	files_close(&l->files);
	compile_close(&l->c);
}

int load_units(const struct load_options *o, struct findings *fs, void **ret, size_t *ret_size)
{
	struct loader l = { .fs = fs };
	void *table;
	int r = load(&l, o, &table, ret_size);

	*ret = r == 0 ? malloc(*ret_size) : NULL;
	if (*ret)
		memcpy(*ret, table, *ret_size);
	else if (r == 0)
		r = -ENOMEM;
	let_go(&l);
	return r;
}

static void tell_all(struct findings *fs, void (*tell)(const struct finding *f, void *self), void *self)
{
	findings_sort(fs);
	for (uint32_t i = 0; i < fs->n; i++)
		tell(&fs->at[i], self);
	if (fs->left_out) {
		char words[60];

		(void)snprintf(words, sizeof(words), "%u more findings were left out", fs->left_out);
		tell(&(struct finding){ .file = "check", .text = words, .level = SAY_WARNING }, self);
	}
}

int load_into(int memfd, const struct load_options *o, void (*tell)(const struct finding *f, void *self), void (*written)(void *self),
	      void *self)
{
	struct findings fs = { 0 };
	void *table = NULL;
	size_t size = 0;
	struct loader l = { .fs = &fs };
	int r = load(&l, o, &table, &size);

	if (tell)
		tell_all(&fs, tell, self);
	if (r == 0)
		r = seal_write(memfd, table, size);
	if (r == 0 && written)
		written(self);
	findings_free(&fs);
	let_go(&l);
	return r;
}
