/* units.h - unit files in a directory of their own, for one test. */
#ifndef TESTS_LIB_UNITS_H
#define TESTS_LIB_UNITS_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/load.h"
#include "conf/unit.h"

struct units {
	char dir[64];
	struct findings findings;
	struct table *table;
};

__attribute__((unused)) static void units_open(struct units *u)
{
	*u = (struct units){ .dir = "/tmp/coppice-units-XXXXXX" };
	if (!mkdtemp(u->dir)) {
		perror("mkdtemp");
		exit(1);
	}
}

/* Writes a file, making directories on its way; n bytes. */
__attribute__((unused)) static void units_write(const struct units *u, const char *name, const char *text, size_t n)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s", u->dir, name);
	for (char *s = path + strlen(u->dir) + 1; (s = strchr(s, '/')); *s++ = '/') {
		*s = '\0';
		mkdir(path, 0755);
	}

	FILE *f = fopen(path, "wb");

	if (!f || fwrite(text, 1, n, f) != n || fclose(f)) {
		perror(path);
		exit(1);
	}
}

__attribute__((unused)) static void units_put(const struct units *u, const char *name, const char *text)
{
	units_write(u, name, text, strlen(text));
}

/* Loads the directory, or the named ones below it, and forgets what was loaded before. What load_units() returns. */
__attribute__((unused)) static int units_load_from(struct units *u, const char *const *subs, size_t n, uint32_t max)
{
	char paths[4][128], config[128];
	const char *dirs[4];
	size_t size = 0;
	void *table = NULL;

	for (size_t i = 0; i < (n ? n : 1); i++) {
		snprintf(paths[i], sizeof(paths[i]), n ? "%s/%s" : "%s%s", u->dir, n ? subs[i] : "");
		dirs[i] = paths[i];
	}
	snprintf(config, sizeof(config), "%s/coppice.conf", u->dir);
	if (access(config, F_OK))
		config[0] = '\0';
	findings_free(&u->findings);
	free(u->table);
	u->table = NULL;

	struct load_options o = { .dirs = dirs, .n_dirs = n ? n : 1, .config = config, .max_units = max };
	int r = load_units(&o, &u->findings, &table, &size);

	u->table = table;
	findings_sort(&u->findings);
	if (r == 0 && table_verify(u->table, size)) {
		printf("# table_verify: %s\n", table_verify(u->table, size));
		return -1000;
	}
	return r;
}

__attribute__((unused)) static int units_load(struct units *u)
{
	return units_load_from(u, NULL, 0, 0);
}

/* The unit of that name, or NULL. */
__attribute__((unused)) static const struct unit *units_get(const struct units *u, const char *name)
{
	unit_ix i = u->table ? table_find(u->table, name) : NO_UNIT;

	return i == NO_UNIT ? NULL : table_unit(u->table, i);
}

/* All findings, a line each. Valid until the next call. */
__attribute__((unused)) static const char *units_said(const struct units *u)
{
	static char all[16384];
	struct text t = TEXT(all);

	all[0] = '\0';
	for (uint32_t i = 0; i < u->findings.n; i++) {
		finding_put(&t, &u->findings.at[i]);
		text_char(&t, '\n');
	}
	return all;
}

__attribute__((unused)) static int units_remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

__attribute__((unused)) static void units_close(struct units *u)
{
	findings_free(&u->findings);
	free(u->table);
	nftw(u->dir, units_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
