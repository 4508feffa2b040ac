/* install_undo.c - puts back what was there before the first install, and removes what was made. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/kit/own.h"
#include "init/cli/install.h"
#include "init/cli/put.h"
#include "mount/inside.h"

/* An install that was interrupted kept what is still there. */
static bool is_still_there(const struct place *p, int at, const char *name)
{
	struct stat here, kept;

	if (p->now == WAS_LINK && p->past->was == WAS_LINK)
		return !strcmp(p->link, p->past->link);
	return p->at >= 0 && fstatat(p->at, p->name, &here, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstatat(at, name, &kept, AT_SYMLINK_NOFOLLOW) == 0 && here.st_dev == kept.st_dev && here.st_ino == kept.st_ino;
}

static int restore(struct job *j, struct place *p)
{
	const struct past *past = p->past;
	char path[PATH_MAX] = "";
	const char *name = "";
	struct stat st;
	int e = past->placed ? install_look(j, p) : 0;

	if (e < 0 || !past->placed)
		return e;
	if (past->was == WAS_NOTHING) {
		if (p->now != WAS_NOTHING && !p->is_ours)
			install_tell(j, p->path, "left", "it is not what install put there");
		else if (p->now != WAS_NOTHING && !j->dry && unlinkat(p->at, p->name, 0) < 0)
			return install_fail(j, -errno, p->path, "cannot be removed");
		else
			install_tell(j, p->path, p->now == WAS_NOTHING ? "already" : "removed", "%s", p->now == WAS_NOTHING ? "it is gone" : "");
		return 0;
	}
	owned_fd at = install_kept(j, p, past, path, &name);

	if (p->now != WAS_NOTHING && !p->is_ours) {
		bool same = is_still_there(p, at, name);

		if (same && !j->dry)
			(void)unlinkat(at, name, 0);
		install_tell(j, p->path, same ? "already" : "left", "%s%s", same ? "what was there before" :
			     "it is not what install put there; what was there before stays at ", same ? "" : path);
		return 0;
	}
	if (at < 0 || fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return install_fail(j, at < 0 ? at : -errno, path, "what was there before cannot be found here");
	if (p->at < 0)
		return install_fail(j, -ENOENT, p->dir, "cannot be opened");
	e = j->dry ? 0 : put_twin(at, name, p->at, p->name, past->was == WAS_LINK && S_ISLNK(st.st_mode) ? past->link : NULL);
	if (e == 0 && !j->dry && unlinkat(at, name, 0) < 0)
		e = -errno;
	if (e < 0)
		return install_fail(j, e, p->path, "cannot be put back");
	install_tell(j, p->path, "restored", "from %s%s%s", path, past->was == WAS_LINK ? ", a link to " : "", past->link);
	return 0;
}

void install_remove_dirs(struct job *j, size_t from)
{
	for (size_t k = j->record.n_made; k-- > from;) {
		const char *path = j->record.made[k], *name = strrchr(path, '/') + 1;
		char dir[PATH_MAX];

		(void)snprintf(dir, sizeof(dir), "%.*s", (int)(name - path), path);
		owned_fd at = inside_open(j->root, dir, O_PATH | O_DIRECTORY, 0);

		if (j->dry)
			install_tell(j, path, "removed", "where it is empty");
		else if (unlinkat(at, name, AT_REMOVEDIR) == 0)
			install_tell(j, path, "removed", "%s", "");
		else if (errno != ENOENT && errno != EBADF)
			install_tell(j, path, "left", "%s", errno == ENOTEMPTY || errno == EEXIST ? "it is not empty" : strerror(errno));
	}
}

int install_restore(struct job *j)
{
	int e = restore(j, &j->init), oci = restore(j, &j->oci);

	if (e == 0)
		e = oci;
	if (e < 0 || j->dry)
		return e;
	owned_fd at = inside_open(j->root, INSTALLED_DIR, O_PATH | O_DIRECTORY, 0);

	if (at >= 0 && unlinkat(at, INSTALLED_FILE, 0) < 0 && errno != ENOENT)
		return install_fail(j, -errno, INSTALLED_DIR "/" INSTALLED_FILE, "cannot be removed");
	install_remove_dirs(j, 0);
	return 0;
}

int install_undo(struct job *j)
{
	int e;

	if (j->has_record) {
		e = install_restore(j);
		if (e == 0 && j->dry)
			install_remove_dirs(j, 0);
		return e;
	}
	e = install_look(j, &j->init);
	if (e == 0 && j->init.is_ours)
		return install_fail(j, -EINVAL, j->init.path, "is coppice, and was not put there by install; put the init you want there by hand");
	if (e == 0)
		install_tell(j, j->init.path, "already", "coppice is not installed here");
	return e;
}
