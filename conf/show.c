/* show.c - a unit's settings in effect and where each came from; its files. */
#include "conf/show.h"

#include <errno.h>
#include <string.h>

#include "conf/kinds.h"
#include "conf/print.h"
#include "conf/settings.h"

#define MAX_VALUE (16u << 10)
#define COLUMN 56

struct shown { FILE *out; bool json, any; };

static void put(struct shown *s, const struct setting *what, const char *value, const char *file, uint32_t line)
{
	if (s->json) {
		print_fmt(s->out, "%s{\"section\":\"%s\",\"name\":\"%s\",\"value\":", s->any ? "," : "",
			  section_name(what->section), what->name);
		print_json(s->out, value);
		print_text(s->out, ",\"file\":");
		print_json(s->out, file);
		print_fmt(s->out, ",\"line\":%u}", line);
	} else {
		char safe[MAX_VALUE];
		struct text t = TEXT(safe);

		safe[0] = '\0';
		text_shown(&t, value, strlen(value), sizeof(safe));
		int n = fprintf(s->out, "%s.%s=%s", section_name(what->section), what->name, safe);

		if (*file && !line)
			print_fmt(s->out, "%*s# %s\n", n < COLUMN ? COLUMN - n : 2, "", file);
		else if (*file)
			print_fmt(s->out, "%*s# %s:%u\n", n < COLUMN ? COLUMN - n : 2, "", file, line);
		else
			print_fmt(s->out, "%*s# default\n", n < COLUMN ? COLUMN - n : 2, "");
	}
	s->any = true;
}

static const struct origin *origin_at(const struct table *t, list_at list, uint32_t i)
{
	return (const void *)table_words(t, list_item(t, list, i));
}

/* Is it Default<Name>= of coppice.conf? Where one row stands for many names, the value holds the name: "DefaultRestartSec=5s". */
static bool is_default(const struct table *t, const struct origin *o, const char *name)
{
	static const char word[] = "Default";
	const char *text = table_text(t, o->value);
	size_t n = strlen(name);

	return !strcmp(settings[o->setting].name, "Default*") && !strncmp(text, word, sizeof(word) - 1) &&
	       !strncmp(text + sizeof(word) - 1, name, n) && text[sizeof(word) - 1 + n] == '=';
}

void show_unit(FILE *out, const struct table *t, unit_ix unit, bool json)
{
	const struct unit *u = table_unit(t, unit);
	struct shown s = { .out = out, .json = json };

	if (json)
		print_char(out, '[');
	for (uint32_t i = 0; i < n_settings; i++) {
		const struct setting *what = &settings[i];
		const struct origin *last = NULL;
		char value[MAX_VALUE];
		struct text text = TEXT(value);

		if (what->same || section_is_house(what->section) ||
		    !section_fits(what->section, (enum unit_kind)u->kind))
			continue;
		for (uint32_t k = 0; k < list_count(t, t->house.origins); k++) {
			const struct origin *o = origin_at(t, t->house.origins, k);

			if (u->kind != UNIT_SERVICE || !is_default(t, o, what->name))
				continue;
			last = o;
			if (!what->kind->print)
				put(&s, what, strchr(table_text(t, o->value), '=') + 1, table_text(t, o->file),
				    o->line);
		}
		for (uint32_t k = 0; k < list_count(t, u->origins); k++) {
			const struct origin *o = origin_at(t, u->origins, k);

			if (o->setting != i)
				continue;
			last = o;
			if (!what->kind->print)
				put(&s, what, table_text(t, o->value), table_text(t, o->file), o->line);
		}
		if (!what->kind->print)
			continue;
		value[0] = '\0';
		what->kind->print(&text, t, u, what);
		if (last)
			put(&s, what, value, table_text(t, last->file), last->line);
		else if (*value && u->kind == UNIT_SERVICE)
			put(&s, what, value, "", 0);
	}
	if (json)
		print_text(out, "]\n");
}

static int show_file(FILE *out, const char *path)
{
	FILE *in = fopen(path, "re");
	char block[4096];
	size_t n, all = 0;

	if (!in)
		return -errno;
	print_fmt(out, "# %s\n", path);
	while (all < MAX_UNIT_FILE && (n = fread(block, 1, sizeof(block), in)) > 0) {
		(void)fwrite(block, 1, n, out);
		all += n;
	}
	(void)fclose(in);
	return 0;
}

int show_files(FILE *out, const struct table *t, unit_ix unit)
{
	const struct unit *u = table_unit(t, unit);
	const char *path = table_text(t, u->file);
	int r = *path ? show_file(out, path) : 0;

	if (!*path)
		print_text(out, NO_FILE);

	for (uint32_t i = 0; i < list_count(t, u->origins); i++) {
		text_at file = origin_at(t, u->origins, i)->file;
		uint32_t k = 0;

		/* The same text has the same place; the unit's own file has no slash in it. */
		while (k < i && origin_at(t, u->origins, k)->file != file)
			k++;
		if (k < i || *table_text(t, file) != '/')
			continue;
		print_char(out, '\n');
		int next = show_file(out, table_text(t, file));

		r = r ? r : next;
	}
	return r;
}
