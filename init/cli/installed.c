/* installed.c - the record of an installation as JSON. */
#include "init/cli/installed.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "conf/kit/own.h"
#include "init/control/json.h"
#include "mount/inside.h"

#define MOST_RECORD 262144 /* bytes: the longest link and MAX_MADE of the longest paths */
#define MOST_DEPTH  4

static const char *const was_words[] = { [WAS_NOTHING] = "nothing", [WAS_FILE] = "file", [WAS_LINK] = "link" };
#define N_WAS (sizeof(was_words) / sizeof(*was_words))

int installed_add(struct installed *in, const char *path)
{
	if (in->n_made == MAX_MADE)
		return -E2BIG;
	in->made[in->n_made] = strdup(path);
	if (!in->made[in->n_made])
		return -ENOMEM;
	in->n_made++;
	return 0;
}

void installed_free(struct installed *in)
{
	while (in->n_made)
		free(in->made[--in->n_made]);
}

static int read_past(const json_t *j, struct past *ret)
{
	const char *was, *link = "";
	json_int_t crc, size;
	int aside;
	size_t k = 0;

	if (!j)
		return 0;
	if (json_unpack((json_t *)(uintptr_t)j, "{s:s, s:b, s?s, s:I, s:I}", "was", &was, "aside", &aside, "link", &link, "crc", &crc,
			"size", &size) < 0 || strlen(link) >= sizeof(ret->link) || crc < 0 || crc > UINT32_MAX || size < 0)
		return -EBADMSG;
	while (k < N_WAS && strcmp(was_words[k], was) != 0)
		k++;
	if (k == N_WAS || (k == WAS_LINK) != (*link != '\0'))
		return -EBADMSG;
	*ret = (struct past){ .placed = true, .was = (enum was)k, .aside = aside, .crc = (uint32_t)crc, .size = (uint64_t)size };
	memcpy(ret->link, link, strlen(link) + 1);
	return 0;
}

static int read_made(const json_t *list, struct installed *ret)
{
	const json_t *item;
	size_t k;

	json_array_foreach(list, k, item) {
		const char *path = json_string_value(item);
		int e = path && *path == '/' && path[1] ? installed_add(ret, path) : -EBADMSG;

		if (e < 0)
			return e;
	}
	return json_is_array(list) ? 0 : -EBADMSG;
}

int installed_read(int root, struct installed *ret)
{
	owned_mem char *text = NULL;
	size_t n = 0;
	int e = inside_read(root, INSTALLED_DIR "/" INSTALLED_FILE, MOST_RECORD, &text, &n);

	*ret = (struct installed){ 0 };
	if (e == -EFBIG || e == -EINVAL || (e == 0 && json_shape(text, n, MOST_DEPTH) < 0))
		return -EBADMSG;
	if (e < 0)
		return e == -ENOTDIR ? -ENOENT : e;
	json_t *j = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);

	e = json_is_object(j) ? read_past(json_object_get(j, "init"), &ret->init) : -EBADMSG;
	if (e == 0)
		e = read_past(json_object_get(j, "oci"), &ret->oci);
	if (e == 0)
		e = read_made(json_object_get(j, "directories"), ret);
	json_decref(j);
	if (e < 0)
		installed_free(ret);
	return e;
}

static json_t *past_json(const struct past *p)
{
	json_t *j;

	if (!p->placed)
		return NULL;
	j = json_pack("{s:s, s:b, s:I, s:I}", "was", was_words[p->was], "aside", (int)p->aside, "crc", (json_int_t)p->crc, "size",
		      (json_int_t)p->size);
	if (p->was == WAS_LINK && json_object_set_new(j, "link", json_string(p->link)) < 0) {
		json_decref(j);
		return NULL;
	}
	return j;
}

char *installed_text(const struct installed *in)
{
	json_t *made = json_array(), *init = past_json(&in->init), *oci = past_json(&in->oci);
	bool good = made && (init || !in->init.placed) && (oci || !in->oci.placed);
	char *text = NULL;

	for (size_t k = 0; k < in->n_made && good; k++)
		good = json_array_append_new(made, json_string(in->made[k])) == 0;
	/* s*: what is NULL is left out. It gives all three away, whatever happens. */
	json_t *j = json_pack("{s:o, s:o*, s:o*}", "directories", made, "init", init, "oci", oci);

	if (j && good)
		text = json_dumps(j, JSON_INDENT(2));
	json_decref(j);
	return text;
}
