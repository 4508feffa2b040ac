/* check.c - what `coppice check` says about unit files. */
#include "conf/check.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/findings.h"
#include "conf/kit/own.h"
#include "conf/load.h"
#include "conf/print.h"
#include "conf/roots.h"
#include "conf/unit.h"

struct session {
	const struct check_options *o;
	struct findings all;
	uint32_t units;
};

/* Moves what is about `only` (its name, or a drop-in of its) to the list of all; NULL: everything. */
static void keep(struct session *s, const struct findings *fs, const char *only)
{
	size_t n = only ? strlen(only) : 0;

	for (uint32_t i = 0; i < fs->n; i++) {
		const char *file = fs->at[i].file, *dir = only ? strstr(file, only) : NULL;
		bool drop_in = dir && (dir == file || dir[-1] == '/') && !strncmp(dir + n, ".d/", 3);

		if (!only || !strcmp(file, only) || drop_in)
			finding_add(&s->all, fs->at[i].level, file, fs->at[i].line, "%s", fs->at[i].text);
	}
	s->all.left_out += fs->left_out;
}

static int check_what(struct session *s, const struct load_options *o, const char *only)
{
	struct findings fs = { 0 };
	owned_mem void *table = NULL;
	size_t size;
	int r = load_units(o, &fs, &table, &size);

	if (r == 0 && s->o->root)
		roots_check(table, &fs);
	if (r == 0)
		s->units += only ? 1 : ((const struct table *)table)->n_units;
	keep(s, &fs, only);
	findings_free(&fs);
	return r;
}

static int check_dirs(struct session *s, const char *const *dirs, size_t n, const char *config,
		      const char *only)
{
	const struct load_options o = { .dirs = dirs, .n_dirs = n, .config = config, .max_units = MAX_UNITS };

	return check_what(s, &o, only);
}

/* Where coppice.conf would be beside units; "" where it is not there. */
static const char *config_in(const char *dir, char into[PATH_MAX])
{
	struct text t = { .at = into, .size = PATH_MAX };

	into[0] = '\0';
	text_put(&t, dir);
	text_put(&t, "/coppice.conf");
	if (t.cut || access(into, F_OK))
		into[0] = '\0';
	return into;
}

static bool ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n >= k && !strcmp(s + n - k, end);
}

static int check_file(struct session *s, const char *path)
{
	char dir[PATH_MAX], config[PATH_MAX];
	struct text t = TEXT(dir);
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	const char *dirs[] = { dir };

	if (ends_in(base, ".conf"))
		return check_dirs(s, dirs, 0, path, path);
	/* The config of an image, as the single app would have it. */
	if (ends_in(base, ".json"))
		return check_what(s, &(struct load_options){ .dirs = dirs, .config = "", .oci = path }, NULL);
	if (slash)
		text_bytes(&t, path, slash == path ? 1 : (size_t)(slash - path));
	else
		text_put(&t, ".");
	if (t.cut)
		return -ENAMETOOLONG;
	return check_dirs(s, dirs, 1, config_in(dir, config), base);
}

static void print_line(FILE *out, const struct finding *f)
{
	char line[MAX_FINDING + 400];
	struct text t = TEXT(line);

	finding_put(&t, f);
	print_fmt(out, "%s\n", line);
}

static void print_all(const struct session *s, FILE *out)
{
	const struct findings *fs = &s->all;
	const char *comma = "";

	if (!s->o->json) {
		for (uint32_t i = 0; i < fs->n; i++)
			print_line(out, &fs->at[i]);
		if (fs->left_out)
			print_fmt(out, "%u more are left out\n", fs->left_out);
		if (!fs->errors && !fs->warnings)
			print_fmt(out, "%u unit%s, no findings\n", s->units, s->units == 1 ? "" : "s");
		else
			print_fmt(out, "%u error%s, %u warning%s\n", fs->errors, fs->errors == 1 ? "" : "s",
				  fs->warnings, fs->warnings == 1 ? "" : "s");
		return;
	}
	print_char(out, '[');
	for (uint32_t i = 0; i < fs->n; i++, comma = ",") {
		print_fmt(out, "%s{\"file\":", comma);
		print_json(out, fs->at[i].file);
		print_fmt(out, ",\"line\":%u,\"level\":\"%s\",\"text\":", fs->at[i].line,
			  fs->at[i].level == SAY_ERROR ? "error" : "warning");
		print_json(out, fs->at[i].text);
		print_char(out, '}');
	}
	print_text(out, "]\n");
}

int check_paths(const char *const *paths, size_t n, const struct check_options *o, FILE *out)
{
	struct session s = { .o = o };
	const char *dirs[MAX_DIRS];
	char config[PATH_MAX];
	size_t n_dirs = 0;
	bool usage = false;
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		struct stat st;

		if (stat(paths[i], &st) && lstat(paths[i], &st)) {
			finding_add(&s.all, SAY_ERROR, paths[i], 0, "%s", strerror(errno));
			usage = true;
		} else if (!S_ISDIR(st.st_mode)) {
			r = check_file(&s, paths[i]);
		} else if (n_dirs < MAX_DIRS) {
			dirs[n_dirs++] = paths[i];
		} else {
			finding_add(&s.all, SAY_ERROR, paths[i], 0,
				    "more than %u directories; check them in turns", MAX_DIRS);
			usage = true;
		}
	}
	if (r == 0 && n_dirs)
		r = check_dirs(&s, dirs, n_dirs, config_in(dirs[0], config), NULL);
	if (r == 0 && n == 0)
		r = check_dirs(&s, NULL, 0, NULL, NULL);
	if (r < 0) {
		finding_add(&s.all, SAY_ERROR, "check", 0, "cannot go on: %s", strerror(-r));
		usage = true;
	}
	findings_sort(&s.all);
	print_all(&s, out);
	r = usage ? CHECK_USAGE : s.all.n || s.all.left_out ? CHECK_FINDINGS : CHECK_CLEAN;
	findings_free(&s.all);
	return r;
}
