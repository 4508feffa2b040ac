/* install_look.c - what is at a place in a root, and telling of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/kit/crc.h"
#include "conf/kit/own.h"
#include "conf/settings.h"
#include "init/cli/install.h"
#include "init/control/json.h"
#include "mount/inside.h"
#include "mount/kernel.h"

/* By these bytes every coppice knows another one, of whatever version. They may never change. */
static const char mark[] = "\ncoppice: PID 1 of a container of many images: this is its mark\n";

const char *install_preset(const char *name)
{
	const char *text = settings[settings_anywhere(name, true)].preset;

	return text + (*text == '-');
}

bool install_is_coppice(const char *bytes, size_t n)
{
	return memmem(bytes, n, mark, sizeof(mark) - 1);
}

void install_tell(struct job *j, const char *path, const char *did, const char *fmt, ...)
{
	struct item item = { .path = NULL, .did = did };
	va_list ap;

	if (j->quiet || j->n_items == MOST_ITEMS)
		return;
	item.path = strdup(path);
	va_start(ap, fmt);
	int n = vasprintf(&item.about, fmt, ap);
	va_end(ap);
	if (n < 0)
		item.about = NULL;
	j->items[j->n_items++] = item;
}

int install_fail(const struct job *j, int e, const char *path, const char *what)
{
	if (!j->quiet)
		cli_error("install: %s: %s%s%s", path, what, e == -EINVAL ? "" : ": ", e == -EINVAL ? "" : strerror(-e));
	return e;
}

static void print_json(const struct job *j)
{
	struct buf b = { .most = 1u << 20 };
	struct jout out = { .to = &b };

	jout_open(&out, '{');
	jout_key(&out, "root");
	jout_text(&out, j->root_name);
	jout_key(&out, "dry_run");
	jout_bool(&out, j->dry);
	jout_key(&out, "items");
	jout_open(&out, '[');
	for (size_t k = 0; k < j->n_items; k++) {
		jout_open(&out, '{');
		jout_key(&out, "path");
		jout_text(&out, j->items[k].path ? j->items[k].path : "");
		jout_key(&out, "did");
		jout_text(&out, j->items[k].did);
		jout_key(&out, "about");
		jout_text(&out, j->items[k].about ? j->items[k].about : "");
		jout_close(&out, '}');
	}
	jout_close(&out, ']');
	jout_close(&out, '}');
	(void)printf("%.*s\n", (int)b.len, b.at ? b.at : "");
	buf_free(&b);
}

void install_print(struct job *j)
{
	int wide = 0;

	if (j->c->value[OPT_JSON]) {
		print_json(j);
	} else {
		if (j->dry)
			(void)printf("a dry run; without it:\n");
		for (size_t k = 0; k < j->n_items; k++) {
			int n = j->items[k].path ? (int)strlen(j->items[k].path) : 0;

			wide = n > wide ? n : wide;
		}
		for (size_t k = 0; k < j->n_items; k++) {
			const struct item *i = &j->items[k];
			const char *path = i->path ? i->path : "";

			cli_show(path);
			(void)printf("%*s%s%s", wide + 2 - (int)strlen(path), "", i->did, i->about && *i->about ? ": " : "");
			cli_show(i->about ? i->about : "");
			(void)putchar('\n');
		}
	}
	while (j->n_items) {
		j->n_items--;
		free(j->items[j->n_items].path);
		free(j->items[j->n_items].about);
	}
}

void install_unlook(struct place *p)
{
	if (p->at >= 0)
		(void)close(p->at);
	p->at = -1;
}

/* Whose bytes they are. What cannot be read, or is no file in the end, is somebody else's. */
static void look_into(struct job *j, struct place *p)
{
	owned_mem char *text = NULL;
	size_t n = 0;

	if (inside_read(j->root, p->path, MOST_PROGRAM, &text, &n) < 0)
		return;
	p->is_same = p->bytes && n == p->n && !memcmp(text, p->bytes, n);
	if (p->program)
		p->is_ours = install_is_coppice(text, n);
	else
		p->is_ours = p->past->placed && n == p->past->size && crc32_of(text, n) == p->past->crc;
}

int install_look(struct job *j, struct place *p)
{
	struct stat st;

	install_unlook(p);
	p->now = WAS_NOTHING;
	p->is_ours = p->is_same = false;
	int at = inside_open(j->root, p->dir, O_RDONLY | O_DIRECTORY, 0);

	if (at == -ENOENT)
		return 0;
	if (at < 0)
		return install_fail(j, at, p->dir, "cannot be opened");
	p->at = at;
	owned_fd fd = kernel_open(at, p->name, O_PATH | O_NOFOLLOW, 0, IN_BENEATH | IN_ONE_MOUNT);

	if (fd == -ENOENT)
		return 0;
	if (fd == -EXDEV)
		return install_fail(j, -EINVAL, p->path, "something is mounted over it, as RealInit= does in a running container; "
			    "install from outside, or unmount it first");
	if (fd < 0 || fstat(fd, &st) < 0)
		return install_fail(j, fd < 0 ? fd : -errno, p->path, "cannot be looked at");
	if (S_ISLNK(st.st_mode)) {
		ssize_t n = readlinkat(fd, "", p->link, sizeof(p->link) - 1);

		if (n < 0)
			return install_fail(j, -errno, p->path, "cannot be looked at");
		p->link[n] = '\0';
	} else if (!S_ISREG(st.st_mode)) {
		return install_fail(j, -EINVAL, p->path, S_ISDIR(st.st_mode) ? "is a directory; move it away" : "is no file; move it away");
	}
	p->now = S_ISLNK(st.st_mode) ? WAS_LINK : WAS_FILE;
	look_into(j, p);
	return 0;
}

const char *install_kept_path(const struct place *p, const struct past *past, char path[PATH_MAX])
{
	(void)snprintf(path, PATH_MAX, "%s%s", past->aside ? INSTALLED_DIR "/former-" : "", past->aside ? p->name : install_preset("RealInit"));
	return strrchr(path, '/') + 1;
}

int install_kept(const struct job *j, const struct place *p, const struct past *past, char path[PATH_MAX], const char **ret_name)
{
	char dir[PATH_MAX];

	*ret_name = install_kept_path(p, past, path);
	(void)snprintf(dir, sizeof(dir), "%.*s", (int)(*ret_name - path), path);
	return inside_open(j->root, dir, O_RDONLY | O_DIRECTORY, 0);
}
