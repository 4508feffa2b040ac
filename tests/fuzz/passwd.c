/* passwd.c - an image's passwd and group as its builder pleases: who is found is somebody a process may be. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mount/users.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A contract that does not hold ends the program, which every runner of a fuzz target notices. */
static void must(bool holds)
{
	if (!holds)
		abort();
}

/* The next piece up to a byte 0x01, in memory of exactly its size; an empty one where there is no more. */
static char *piece(const uint8_t **at, size_t *left)
{
	const uint8_t *end = *left ? memchr(*at, 1, *left) : NULL;
	size_t n = end ? (size_t)(end - *at) : *left;
	char *copy = malloc(n + 1);

	must(copy != NULL);
	if (n)
		memcpy(copy, *at, n);
	copy[n] = '\0';
	*at += n + (end != NULL);
	*left -= n + (end != NULL);
	return copy;
}

static void is_plain(const char *s)
{
	for (; *s; s++)
		must((unsigned char)*s >= ' ' && *s != 0x7f);
}

static void look(const struct person *p, const char *user)
{
	size_t digits = strspn(user, "0123456789");

	must(p->uid != UINT32_MAX && p->gid != UINT32_MAX && p->n_groups <= MAX_GROUPS);
	must(p->home[0] == '/' && p->shell[0] == '/');
	is_plain(p->name);
	is_plain(p->home);
	is_plain(p->shell);
	/* A number is that number, whatever names there are. */
	if (digits && (!user[digits] || user[digits] == ':'))
		must(p->uid == strtoull(user, NULL, 10));
	for (uint32_t i = 0; i < p->n_groups; i++)
		for (uint32_t k = i + 1; k < p->n_groups; k++)
			must(p->groups[i] != p->groups[k] && p->groups[i] != UINT32_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *user = piece(&data, &size), *group = piece(&data, &size), *extra = piece(&data, &size);
	char *passwd = piece(&data, &size), *groups = piece(&data, &size), words[120] = "";
	struct text about = TEXT(words);
	struct persona p = { user, group, (const char *const *)&extra, 1 };
	struct person got;
	int blame_group = -1;

	/* Without further groups, then with one. */
	for (p.n_extra = 0; p.n_extra < 2; p.n_extra++) {
		int rc = person_find(&got, &p, *passwd ? passwd : NULL, *groups ? groups : NULL, &blame_group, &about);

		must(rc <= 0 && (blame_group == 0 || blame_group == 1));
		if (rc == 0)
			look(&got, user);
		else
			must(words[0] && memchr(words, '\0', sizeof(words)));
		is_plain(words);
		about.len = 0;
		words[0] = '\0';
	}
	free(user);
	free(group);
	free(extra);
	free(passwd);
	free(groups);
	return 0;
}

#ifdef FUZZ_SWEEP
#include "tests/fuzz/sweep.h"
#endif
