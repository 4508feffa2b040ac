/* users.c - passwd(5) and group(5), read as hostile text: bounded, first match, no library's opinion. */
#include "mount/users.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "conf/kit/own.h"
#include "mount/inside.h"

#define MAX_ID 4294967294u /* 4294967295 is -1, "no change" to setresuid(2) */

/* A piece of somebody else's text. */
struct piece { const char *at; size_t n; };

static bool piece_is(struct piece p, const char *s)
{
	return strlen(s) == p.n && memcmp(p.at, s, p.n) == 0;
}

/* Takes what stands before `mark`, and the mark; all of it where there is none. */
static struct piece piece_take(struct piece *from, char mark)
{
	const char *end = from->n ? memchr(from->at, mark, from->n) : NULL;
	struct piece head = { from->at, end ? (size_t)(end - from->at) : from->n };
	size_t gone = head.n + (end != NULL);

	from->at += gone;
	from->n -= gone;
	return head;
}

static bool all_digits(struct piece p)
{
	for (size_t i = 0; i < p.n; i++)
		if (p.at[i] < '0' || p.at[i] > '9')
			return false;
	return p.n > 0;
}

static bool id_of(struct piece p, uint32_t *ret)
{
	uint64_t n = 0;

	if (!all_digits(p) || p.n > 10)
		return false;
	for (size_t i = 0; i < p.n; i++)
		n = n * 10 + (uint64_t)(p.at[i] - '0');
	if (n > MAX_ID)
		return false;
	*ret = (uint32_t)n;
	return true;
}

/* Copies a piece that fits and holds no control characters; false leaves what was there. */
static bool piece_copy(char *into, size_t size, struct piece p)
{
	if (p.n >= size)
		return false;
	for (size_t i = 0; i < p.n; i++)
		if ((unsigned char)p.at[i] < ' ' || p.at[i] == 0x7f)
			return false;
	memcpy(into, p.at, p.n);
	into[p.n] = '\0';
	return true;
}

/* The first line for a name, or for a number where `name` is NULL. */
static bool passwd_find(struct person *ret, const char *file, const struct piece *name, uint32_t uid)
{
	struct piece rest = { file, strlen(file) };

	while (rest.n) {
		struct piece line = piece_take(&rest, '\n');
		struct piece who = piece_take(&line, ':');
		uint32_t its_uid, its_gid;

		(void)piece_take(&line, ':'); /* the password */
		if (!who.n || !id_of(piece_take(&line, ':'), &its_uid) || !id_of(piece_take(&line, ':'), &its_gid))
			continue;
		if (name ? who.n != name->n || memcmp(who.at, name->at, who.n) != 0 : its_uid != uid)
			continue;
		if (!piece_copy(ret->name, sizeof(ret->name), who))
			continue;
		(void)piece_take(&line, ':'); /* the full name */

		struct piece home = piece_take(&line, ':');

		if (home.n && home.at[0] == '/')
			(void)piece_copy(ret->home, sizeof(ret->home), home);
		if (line.n && line.at[0] == '/')
			(void)piece_copy(ret->shell, sizeof(ret->shell), line);
		ret->uid = its_uid;
		ret->gid = its_gid;
		return true;
	}
	return false;
}

static bool group_find(const char *file, struct piece name, gid_t *ret)
{
	struct piece rest = { file, strlen(file) };

	while (rest.n) {
		struct piece line = piece_take(&rest, '\n');
		struct piece who = piece_take(&line, ':');
		uint32_t gid;

		(void)piece_take(&line, ':');
		if (who.n == name.n && memcmp(who.at, name.at, who.n) == 0 && id_of(piece_take(&line, ':'), &gid)) {
			*ret = gid;
			return true;
		}
	}
	return false;
}

static int person_join(struct person *p, gid_t gid, struct text *about)
{
	for (uint32_t i = 0; i < p->n_groups; i++)
		if (p->groups[i] == gid)
			return 0;
	if (p->n_groups == MAX_GROUPS) {
		text_fmt(about, "more than %u groups", MAX_GROUPS);
		return -E2BIG;
	}
	p->groups[p->n_groups++] = gid;
	return 0;
}

/* Every group that lists the user as a member. */
static int person_member(struct person *p, const char *file, struct text *about)
{
	struct piece rest = { file, strlen(file) };

	while (rest.n) {
		struct piece line = piece_take(&rest, '\n');
		uint32_t gid;

		(void)piece_take(&line, ':');
		(void)piece_take(&line, ':');
		if (!id_of(piece_take(&line, ':'), &gid))
			continue;
		while (line.n) {
			if (!piece_is(piece_take(&line, ','), p->name))
				continue;
			int rc = person_join(p, gid, about);

			if (rc < 0)
				return rc;
			break;
		}
	}
	return 0;
}

static int no_such(struct text *about, const char *what, struct piece name, bool have_file)
{
	text_fmt(about, "%s \"", what);
	text_shown(about, name.at, name.n, 32);
	text_put(about, have_file ? "\", which is not in the image's " : "\": the image has no ");
	text_put(about, *what == 'u' ? "/etc/passwd; give a number" : "/etc/group; give a number");
	return -ENOENT;
}

static int bad_number(struct text *about, const char *what, struct piece p)
{
	text_fmt(about, "%s ", what);
	text_shown(about, p.at, p.n, 32);
	text_put(about, ", which is no id; the highest is 4294967294");
	return -EINVAL;
}

static int gid_of(gid_t *ret, const char *file, struct piece name, struct text *about)
{
	if (all_digits(name))
		return id_of(name, ret) ? 0 : bad_number(about, "group", name);
	if (file && name.n && group_find(file, name, ret))
		return 0;
	return no_such(about, "group", name, file != NULL);
}

static int find_user(struct person *ret, const char *passwd, struct piece user, struct text *about)
{
	if (all_digits(user)) {
		if (!id_of(user, &ret->uid))
			return bad_number(about, "user", user);
		if (passwd)
			(void)passwd_find(ret, passwd, NULL, ret->uid);
		return 0;
	}
	if (passwd && user.n && passwd_find(ret, passwd, &user, 0))
		return 0;
	return no_such(about, "user", user, passwd != NULL);
}

static int find_groups(struct person *ret, const struct persona *p, struct piece second, const char *group, struct text *about)
{
	struct piece own = *p->group ? (struct piece){ p->group, strlen(p->group) } : second;
	int rc = own.n ? gid_of(&ret->gid, group, own, about) : 0;

	if (rc == 0 && group && *ret->name)
		rc = person_member(ret, group, about);
	for (uint32_t i = 0; rc == 0 && i < p->n_extra; i++) {
		gid_t gid = 0;

		rc = gid_of(&gid, group, (struct piece){ p->extra[i], strlen(p->extra[i]) }, about);
		if (rc == 0)
			rc = person_join(ret, gid, about);
	}
	return rc;
}

int person_find(struct person *ret, const struct persona *p, const char *passwd, const char *group,
		int *blame_group, struct text *about)
{
	const char *said = *p->user ? p->user : "0";
	struct piece second = { said, strlen(said) }, first = piece_take(&second, ':');
	struct person found = { .home = "/", .shell = "/bin/sh" };
	int rc = find_user(&found, passwd, first, about);

	*blame_group = 0;
	if (rc == 0) {
		rc = find_groups(&found, p, second, group, about);
		*blame_group = rc < 0;
	}
	if (rc == 0)
		*ret = found;
	return rc;
}

/* No file is no error; `ret` stays NULL. */
static int read_users(int root, const char *path, char **ret, struct text *about)
{
	size_t n;
	int rc = inside_read(root, path, MAX_USERS_FILE, ret, &n);

	if (rc == -ENOENT || rc == -ENOTDIR)
		return 0;
	if (rc < 0)
		text_fmt(about, "%s in the image, %s", path, rc == -EFBIG ? "which is larger than 1M" :
			 rc == -EINVAL ? "which is no regular file" : "which cannot be read");
	return rc;
}

int users_find(struct person *ret, int root, const struct persona *p, int *blame_group, struct text *about)
{
	owned_mem char *passwd = NULL;
	owned_mem char *group = NULL;
	int rc = read_users(root, "/etc/passwd", &passwd, about);

	*blame_group = 0;
	if (rc == 0)
		rc = read_users(root, "/etc/group", &group, about);
	return rc < 0 ? rc : person_find(ret, p, passwd, group, blame_group, about);
}
