/* configs.c - the configs of images, found along ImagePath= and read once each. */
#include "conf/configs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "conf/images.h"
#include "conf/kit/own.h"

struct config {
	struct config *next;
	const char *image, *fault;
	const struct oci *oci; /* NULL: it has none */
};

/* Where a config lies: a file in a directory, and what it is called. */
struct place { int dir; const char *name, *called; bool plain; };

/* All parts in one piece of the arena; NULL for want of memory. */
static const char *join(struct arena *a, const char *one, const char *two, const char *three)
{
	struct text t = { .size = strlen(one) + strlen(two) + strlen(three) + 1 };

	t.at = arena_get(a, t.size);
	if (!t.at)
		return NULL;
	text_put(&t, one);
	text_put(&t, two);
	text_put(&t, three);
	return t.at;
}

static int read_place(struct configs *s, const struct place *p, struct oci *oci,
		      int (*take)(const char *text, size_t n, const char *file, struct arena *a, struct findings *fs, struct oci *ret))
{
	struct compiler *c = s->c;
	ssize_t n = p->called ? file_read(s->buffer, p->dir, p->name, p->plain, p->called, c->findings) : -ENOMEM;

	if (n < 0)
		return n == -ENOMEM ? -ENOMEM : 0;
	s->n_bytes += (size_t)n;
	if (s->n_bytes > MAX_CONFIGS) {
		finding_add(c->findings, SAY_ERROR, p->called, 0, "is not read: all configs of images together are larger than %zu MiB",
			    MAX_CONFIGS >> 20);
		return 0;
	}
	return take(s->buffer->at, (size_t)n, p->called, &c->arena, c->findings, oci);
}

/* What there is for NAME in one directory of images; 1: something. */
static int read_here(struct configs *s, int images, const char *path, const char *name, struct oci *oci)
{
	struct arena *a = &s->c->arena;
	const char *dir = join(a, path, "/", name), *json = join(a, name, ".json", ""), *env = join(a, name, ".env", "");
	struct image_place place = { .dir = -1 };
	int found = 0, rc = 0;

	if (!dir || !json || !env)
		return -ENOMEM;
	if (image_look(images, name, &place) < 0)
		return 0;

	owned_fd fd = place.dir;

	if (place.form == IMAGE_BUNDLE && image_has(fd, "config.json")) {
		/* The bundle may be somebody else's: no link in it is followed. */
		rc = read_place(s, &(struct place){ fd, "config.json", join(a, dir, "/config.json", ""), true }, oci, oci_read);
		found = 1;
	} else if (image_has(images, json)) {
		rc = read_place(s, &(struct place){ images, json, join(a, dir, ".json", ""), false }, oci, oci_read);
		found = 1;
	}
	if (rc == 0 && image_has(images, env)) {
		struct place p = { images, env, join(a, dir, ".env", ""), false };

		if (!found) {
			oci->file = p.called;
			oci->keys = oci_no_keys;
		}
		rc = read_place(s, &p, oci, oci_read_env);
		found = 1;
	}
	/* The first image of that name is the one that is used, whether or not it has a config. */
	return rc < 0 ? rc : found ? 1 : 2;
}

/* The image that a .image file describes is, as far as its config goes, its lowest layer; NULL: a directory, which has none. */
static const char *lowest_layer(const struct compiler *c, const char *image)
{
	size_t n = strlen(image);
	char name[MAX_UNIT_NAME + 8];
	struct text t = TEXT(name);
	uint32_t at;

	text_put(&t, image);
	if (n <= 6 || strcmp(image + n - 6, ".image") != 0)
		text_put(&t, ".image");
	at = t.cut ? NO_UNIT : draft_find(c, name);
	if (at == NO_UNIT || c->drafts[at].kind != UNIT_IMAGE || c->drafts[at].load != LOAD_OK || !c->drafts[at].u.layers)
		return image;

	const char *layer = c->build.text + c->build.words[c->drafts[at].u.layers + 1];

	return *layer == '/' ? NULL : layer;
}

static int find(struct configs *s, const char *image, struct oci *oci)
{
	struct compiler *c = s->c;
	list_at paths = c->house.image_paths;
	int rc = 0;

	for (uint32_t i = 0; i < c->build.words[paths] && rc == 0 && image_name_fits(image); i++) {
		const char *path = c->build.text + c->build.words[paths + 1 + i];
		owned_fd images = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (images >= 0)
			rc = read_here(s, images, path, image, oci);
	}
	return rc;
}

const struct oci *configs_find(void *self, const char *image, const char **fault)
{
	struct configs *s = self;
	struct compiler *c = s->c;
	const char *name = lowest_layer(c, image);
	struct config *known = s->first;
	char before[sizeof(c->findings->first)];

	while (known && name && strcmp(known->image, name) != 0)
		known = known->next;
	if (!known && name) {
		struct oci *oci = arena_get(&c->arena, sizeof(*oci));

		known = arena_get(&c->arena, sizeof(*known));
		name = arena_copy(&c->arena, name, strlen(name));
		if (!oci || !known || !name)
			return NULL;
		/* The first error of this file, apart from the unit's own. */
		memcpy(before, c->findings->first, sizeof(before));
		findings_mark(c->findings);
		int rc = find(s, name, oci);

		*known = (struct config){ .next = s->first, .image = name, .oci = rc == 1 ? oci : NULL };
		if (c->findings->first[0])
			known->fault = arena_copy(&c->arena, c->findings->first, strlen(c->findings->first));
		if (before[0])
			memcpy(c->findings->first, before, sizeof(before));
		s->first = known;
		c->arena.dry |= rc == -ENOMEM;
	}
	*fault = known && name ? known->fault : NULL;
	return known && name ? known->oci : NULL;
}

int configs_read(struct configs *s, const char *path, struct oci *ret)
{
	return read_place(s, &(struct place){ AT_FDCWD, path, path, false }, ret, oci_read);
}
