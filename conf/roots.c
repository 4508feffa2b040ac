/* roots.c - whether the programs and users that units name are there in their images. */
#include "conf/roots.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "conf/images.h"
#include "conf/kit/own.h"
#include "conf/kit/text.h"
#include "conf/settings.h"
#include "conf/values.h"

#define MAX_ACCOUNTS (1u << 20) /* bytes of a passwd or group file that are looked at */

static int open_inside(int root, const char *path, int flags)
{
	struct open_how how = { .flags = (unsigned long long)(flags | O_CLOEXEC),
			       .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* The file and line where a unit was given a setting last. */
static struct finding place_of(const struct table *t, const struct unit *u, const char *setting)
{
	struct finding f = { .file = table_text(t, u->file) };

	if (strrchr(f.file, '/'))
		f.file = strrchr(f.file, '/') + 1;
	for (uint32_t i = 0; i < list_count(t, u->origins); i++) {
		const struct origin *o = (const void *)table_words(t, list_item(t, u->origins, i));

		if (!strcmp(settings[o->setting].name, setting)) {
			f.file = table_text(t, o->file);
			f.line = o->line;
		}
	}
	return f;
}

/* Where the unit's root lies: a descriptor; -ENOENT: nowhere; -ENOTSUP: in a form that is not looked into. */
static int open_root(const struct table *t, const struct unit *u)
{
	if (u->root_directory) {
		int fd = open(table_text(t, u->root_directory), O_PATH | O_DIRECTORY | O_CLOEXEC);

		return fd < 0 ? -errno : fd;
	}
	const char *name = table_text(t, u->image);

	for (uint32_t i = 0; i < list_count(t, t->house.image_paths) && image_name_fits(name); i++) {
		owned_fd images = open(table_text(t, list_item(t, t->house.image_paths, i)), O_PATH | O_DIRECTORY | O_CLOEXEC);
		struct image_place place = { .dir = -1 };

		if (images < 0 || image_look(images, name, &place) < 0)
			continue;

		owned_fd dir = place.dir;

		if (place.form == IMAGE_PACKED || place.form == IMAGE_LAYOUT)
			return -ENOTSUP;

		int root = place.form == IMAGE_BUNDLE ? open_inside(dir, "rootfs", O_PATH | O_DIRECTORY) : -ENOENT;

		return root == -ENOENT ? take_fd(&dir) : root;
	}
	return -ENOENT;
}

static bool is_program(int root, const char *path)
{
	owned_fd fd = open_inside(root, path, O_PATH);
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_mode & 0111;
}

/* A bare name is looked for where PATH leads by default. */
static bool has_program(int root, const char *name)
{
	static const char *const places[] = { "/usr/local/sbin/", "/usr/local/bin/", "/usr/sbin/", "/usr/bin/",
					     "/sbin/", "/bin/" };
	char path[PATH_MAX];

	if (*name == '/')
		return is_program(root, name);
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct text p = TEXT(path);

		text_put(&p, places[i]);
		text_put(&p, name);
		if (!p.cut && is_program(root, path))
			return true;
	}
	return false;
}

/* Whether a line of /etc/passwd or /etc/group begins with the name and a colon; passwd(5). */
static bool has_account(int root, const char *file, const char *name)
{
	owned_fd fd = open_inside(root, file, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	owned_mem char *text = NULL;
	struct stat st;
	ssize_t have = 0, n;
	size_t len = strlen(name);

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || !(text = malloc(MAX_ACCOUNTS + 1)))
		return false;
	while (have < (ssize_t)MAX_ACCOUNTS && (n = read(fd, text + have, MAX_ACCOUNTS - (size_t)have)) > 0)
		have += n;
	text[have] = '\0';
	for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (!strncmp(line, name, len) && line[len] == ':')
			return true;
	return false;
}

struct look {
	const struct table *t;
	const struct unit *u;
	struct findings *fs;
	int root;
};

/* How the root is called in a message. */
static const char *root_name(const struct look *l)
{
	return table_text(l->t, l->u->image ? l->u->image : l->u->root_directory);
}

static void look_at_commands(const struct look *l, list_at list, const char *setting)
{
	for (uint32_t i = 0; i < list_count(l->t, list); i++) {
		const struct command *c = (const void *)table_words(l->t, list_item(l->t, list, i));
		const char *program = table_text(l->t, c->argv[0]);

		if (!has_program(l->root, program))
			finding_add(l->fs, SAY_ERROR, place_of(l->t, l->u, setting).file, c->line,
				    "%s=: there is no program %.200s in image \"%.100s\"; the path is looked up inside the image", setting, program, root_name(l));
	}
}

static void look_at_account(const struct look *l, text_at at, const char *setting, const char *file)
{
	const char *name = table_text(l->t, at);
	int64_t number;

	if (!*name || number_of(name, &number) || has_account(l->root, file, name))
		return;

	struct finding f = place_of(l->t, l->u, setting);

	finding_add(l->fs, SAY_ERROR, f.file, f.line,
		    "%s=: there is no \"%.100s\" in %s of image \"%.100s\"; add it there, or write a number", setting, name,
		    file, root_name(l));
}

void roots_check(const struct table *t, struct findings *fs)
{
	for (uint32_t i = 0; i < t->n_units; i++) {
		const struct unit *u = table_unit(t, i);

		if (u->kind != UNIT_SERVICE || u->load != LOAD_OK || (!u->image && !u->root_directory))
			continue;

		owned_fd root = open_root(t, u);
		struct look l = { .t = t, .u = u, .fs = fs, .root = root };

		if (root == -ENOTSUP)
			continue;
		if (root < 0) {
			const char *setting = u->image ? "Image" : "RootDirectory";
			struct finding f = place_of(t, u, setting);

			finding_add(fs, SAY_ERROR, f.file, f.line, "%s=: there is no \"%.200s\"%s", setting,
				    root_name(&l),
				    u->image ? " in ImagePath=; put a root file system there" : "; create the directory");
			continue;
		}
		look_at_commands(&l, u->condition, "ExecCondition");
		look_at_commands(&l, u->pre, "ExecStartPre");
		look_at_commands(&l, u->start, "ExecStart");
		look_at_commands(&l, u->post, "ExecStartPost");
		look_at_commands(&l, u->reload, "ExecReload");
		look_at_commands(&l, u->stop, "ExecStop");
		look_at_commands(&l, u->stop_post, "ExecStopPost");
		look_at_commands(&l, u->health_cmd, "HealthCmd");
		look_at_account(&l, u->user, "User", "/etc/passwd");
		look_at_account(&l, u->group, "Group", "/etc/group");
		for (uint32_t k = 0; k < list_count(t, u->groups); k++)
			look_at_account(&l, list_item(t, u->groups, k), "SupplementaryGroups", "/etc/group");
	}
}
