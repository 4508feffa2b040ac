/* parse.c - text of a unit file or of coppice.conf to assignments and findings; pure. */
#include "conf/parse.h"

#include <errno.h>
#include <string.h>

#include "conf/lines.h"

#define COMPLAIN(p, line, ...) finding_add((p)->findings, SAY_ERROR, (p)->file, line, __VA_ARGS__)

void parse_begin(struct parsed *p)
{
	p->n = p->blocks = 0;
	memset(p->reset_at, 0, sizeof(p->reset_at));
}

bool parse_counts(const struct parsed *p, uint32_t i)
{
	const struct assignment *a = &p->said[i];

	return i >= p->reset_at[p->index->reset[a->setting]] &&
	       (*a->value || settings[a->setting].flags & SET_EMPTY);
}

static bool fits(const struct parsed *p, int section)
{
	return p->house ? section_is_house((enum section)section) :
			  section_fits((enum section)section, p->kind);
}

struct walk { const struct parsed *p; int at; };

static const char *next_section(void *self)
{
	struct walk *w = self;

	while (w->at < N_SECTIONS) {
		int s = w->at++;

		if (fits(w->p, s))
			return section_name((enum section)s);
	}
	return NULL;
}

static void take_section(struct parsed *p, const char *name, uint32_t line)
{
	struct walk w = { .p = p };

	p->blocks++;
	p->section = -1;
	if (!strncmp(name, "X-", 2))
		return;
	int section = section_of(name);

	if (section >= 0 && fits(p, section)) {
		p->section = section;
	} else if (section >= 0) {
		COMPLAIN(p, line, "[%s] does not belong into this kind of file; remove it", name);
	} else if (!strncmp(name, "Action ", 7)) {
		COMPLAIN(p, line, "[%s] is not supported by this version; remove it", name);
	} else {
		const char *near = text_nearest(name, next_section, &w);

		if (near)
			COMPLAIN(p, line, "unknown section [%s]; did you mean [%s]?", name, near);
		else
			COMPLAIN(p, line, "unknown section [%s]; remove it, or begin its name with X-", name);
	}
}

static void complain_unknown(struct parsed *p, const char *name, uint32_t line)
{
	enum section section = (enum section)p->section;
	const char *why = NULL, *near;
	uint32_t other = settings_anywhere(name, p->house);

	if (setting_is_foreign(section, name, &why)) {
		if (why)
			COMPLAIN(p, line, "%s=: not applicable: %s; remove it", name, why);
		else
			COMPLAIN(p, line, "%s= is not supported by this version; remove it", name);
	} else if (other != NO_SETTING && fits(p, settings[other].section)) {
		COMPLAIN(p, line, "%s=: belongs into [%s], not into [%s]; move it there", name,
			 section_name(settings[other].section), section_name(section));
	} else if ((near = settings_nearest(section, name))) {
		COMPLAIN(p, line, "unknown setting \"%.100s\" in [%s]; did you mean %s=?", name,
			 section_name(section), near);
	} else {
		COMPLAIN(p, line, "unknown setting \"%.100s\" in [%s]; remove it, or begin its name with X-",
			 name, section_name(section));
	}
}

static void take(void *self, const char *section, const char *name, const char *value, uint32_t line)
{
	struct parsed *p = self;

	if (!name) {
		take_section(p, section, line);
		return;
	}
	if (p->section < 0 || !strncmp(name, "X-", 2))
		return;

	uint32_t setting = settings_find(p->index, (enum section)p->section, name);

	if (setting == NO_SETTING) {
		complain_unknown(p, name, line);
		return;
	}
	setting = p->index->real[setting];
	if (p->n == p->room) {
		uint32_t room = p->room ? p->room * 2 : 64;
		struct assignment *more = arena_more(p->arena, p->said, p->n * sizeof(*more), room * sizeof(*more));

		if (!more)
			return;
		p->said = more;
		p->room = room;
	}

	bool own_name = !strcmp(name, settings[setting].name);

	p->said[p->n] = (struct assignment){
		.file = p->file, .line = line, .block = p->blocks, .setting = (uint16_t)setting,
		.name = own_name ? settings[setting].name : arena_copy(p->arena, name, strlen(name)),
		.value = *value ? arena_copy(p->arena, value, strlen(value)) : "",
	};
	if (p->arena->dry)
		return;
	p->n++;
	/* Rows that stand for many names are no list: an empty value is told apart when they are compiled. */
	if (!*value && !(settings[setting].flags & SET_EMPTY) && !strchr(settings[setting].name, '*') &&
	    settings[setting].section != IN_NETWORK)
		p->reset_at[p->index->reset[setting]] = p->n;
}

int parse_text(struct parsed *p, const char *data, size_t n, const char *file)
{
	p->file = file;
	p->section = -1;

	int r = lines_read(data, n, file, p->findings, p->arena, take, p);

	return p->arena->dry ? -ENOMEM : r;
}
