/* compile.c - assignments of coppice.conf and of units, read into their structs; pure. */
#include "conf/compile.h"

#include <errno.h>
#include <string.h>

#include "conf/implied.h"
#include "conf/networks.h"
#include "conf/rules.h"

/* Lists that a reader fills; edges, triggers and origins come later (link.c, pack.c). */
static const uint16_t unit_lists[] = {
	offsetof(struct unit, pre), offsetof(struct unit, start), offsetof(struct unit, post),
	offsetof(struct unit, reload), offsetof(struct unit, stop), offsetof(struct unit, stop_post),
	offsetof(struct unit, condition), offsetof(struct unit, health_cmd), offsetof(struct unit, env),
	offsetof(struct unit, env_files), offsetof(struct unit, pass_env), offsetof(struct unit, groups),
	offsetof(struct unit, mounts), offsetof(struct unit, layers), offsetof(struct unit, limits),
	offsetof(struct unit, success), offsetof(struct unit, prevent), offsetof(struct unit, force),
	offsetof(struct unit, image_env), offsetof(struct unit, makes),
};
static const uint16_t house_lists[] = {
	offsetof(struct house, image_paths), offsetof(struct house, default_env), offsetof(struct house, tmpfs),
	offsetof(struct house, mounts), offsetof(struct house, sysctls), offsetof(struct house, networks),
};
#define COUNT(table) (sizeof(table) / sizeof(*(table)))

/* What no setting says; the rest of an empty unit is zero or a preset. */
#define LOG_BYTES (64u << 10)

int compile_open(struct compiler *c, struct findings *fs, uint32_t max_units)
{
	*c = (struct compiler){ .findings = fs, .max_units = max_units < MAX_UNITS ? max_units : MAX_UNITS };
	settings_index(&c->index);
	rules_open(c);
	implied_open(c);
	c->parsed = (struct parsed){ .arena = &c->arena, .findings = fs, .index = &c->index, .house = true };
	for (c->n_slots = 64; c->n_slots < 2 * c->max_units; c->n_slots *= 2)
		;
	c->slots = arena_get(&c->arena, c->n_slots * sizeof(*c->slots));
	return build_open(&c->build, &c->arena) && c->slots ? 0 : -ENOMEM;
}

void compile_close(struct compiler *c)
{
	arena_free(&c->arena);
	c->drafts = NULL;
	c->mentions = NULL;
}

static bool is_short(const struct compiler *c)
{
	return c->arena.dry || c->build.failed;
}

static bool refer(struct reading *r, const char *name, uint32_t bits)
{
	struct compiler *c = r->self;

	if (c->n_mentions == c->mention_room) {
		uint32_t room = c->mention_room ? c->mention_room * 2 : 256;
		struct mention *more = arena_more(&c->arena, c->mentions, c->n_mentions * sizeof(*more), room * sizeof(*more));

		if (!more)
			return false;
		c->mentions = more;
		c->mention_room = room;
	}
	c->mentions[c->n_mentions++] = (struct mention){
		.name = name, .file = c->now->file, .line = c->now->line, .from = c->here, .bits = bits, .setting = c->now->setting,
	};
	return true;
}

void read_one(struct compiler *c, struct reading *r, const struct assignment *a)
{
	char why[MAX_FINDING - 100];

	r->setting = &settings[a->setting];
	r->name = a->name;
	r->file = a->file;
	r->line = a->line;
	r->why = TEXT(why);
	why[0] = '\0';
	c->now = a;
	bool good = r->setting->kind->read(r, a->value);

	/* The buffer ends here. */
	r->why = (struct text){ 0 };
	if (good || is_short(c))
		return;
	/* What stands in no line of settings was said by an image, in words of its own. */
	finding_add(c->findings, SAY_ERROR, a->file, a->line, "%s%s %s%s", a->name, a->line || !strcmp(a->file, "preset") ? "=:" : ":", why,
		    a->line && strstr(a->value, " #") ? "; a comment needs a line of its own" : "");
}

void read_preset(struct compiler *c, struct reading *r, uint32_t setting)
{
	const char *s = settings[setting].preset;
	struct assignment a = { .file = "preset", .name = settings[setting].name,
			       .setting = (uint16_t)setting };

	while (s && !is_short(c)) {
		size_t n = strcspn(s, "\n");

		a.value = arena_copy(&c->arena, s, n);
		if (a.value)
			read_one(c, r, &a);
		s = s[n] ? s + n + 1 : NULL;
	}
}

/* [Manager] Default<Name>=: kept as if <Name>= had been said. */
static void take_default(struct compiler *c, const struct assignment *a)
{
	const char *name = a->name + strlen("Default");
	uint32_t setting = settings_anywhere(name, false);
	const char *near;

	if (setting != NO_SETTING)
		setting = c->index.real[setting];
	if (setting == NO_SETTING || !(settings[setting].flags & SET_DEFAULT)) {
		near = setting == NO_SETTING ? settings_nearest(IN_SERVICE, name) : NULL;
		if (near)
			finding_add(c->findings, SAY_ERROR, a->file, a->line,
				    "unknown setting \"%.100s\" in [Manager]; did you mean Default%s=?",
				    a->name, near);
		else
			finding_add(c->findings, SAY_ERROR, a->file, a->line,
				    "%.100s=: there is no such default; say it in the units", a->name);
		return;
	}
	c->defaults[c->n_defaults] = *a;
	c->defaults[c->n_defaults++].setting = (uint16_t)setting;
}

struct scratch { uint64_t caps_added; uint32_t caps_said; };

/* A unit that says nothing: presets, and over them what coppice.conf gives as default. */
static void make_preset(struct compiler *c, const struct specifiers *specifiers)
{
	struct scratch s = { 0 };
	struct reading r = { .b = &c->build, .arena = &c->arena, .into = &c->preset, .specifiers = specifiers,
			     .caps_added = &s.caps_added, .caps_said = &s.caps_said, .self = c, .refer = refer };

	c->preset.root_from = NO_UNIT;
	c->preset.log_ring = LOG_BYTES;
	build_lists(&c->build);
	for (uint32_t i = 0; i < n_settings; i++)
		if (settings[i].preset && !section_is_house(settings[i].section) &&
		    !(settings[i].flags & SET_LIST))
			read_preset(c, &r, i);
	/* Those of lists are read again by each unit: a bad one is told here, once, and forgotten. */
	uint32_t good = 0;

	for (uint32_t i = 0; i < c->n_defaults; i++) {
		uint32_t errors = c->findings->errors;

		read_one(c, &r, &c->defaults[i]);
		if (c->findings->errors == errors)
			c->defaults[good++] = c->defaults[i];
	}
	c->n_defaults = good;
}

/* Where one row stands for many names, an origin's value holds the name too: "OnSIGHUP=reload". */
static void name_origins(struct compiler *c)
{
	for (uint32_t i = 0; i < c->n_house_said; i++) {
		struct assignment *a = &c->house_said[i];
		struct text t = { .size = strlen(a->name) + strlen(a->value) + 2 };

		if (!strchr(settings[a->setting].name, '*'))
			continue;
		t.at = arena_get(&c->arena, t.size);
		if (!t.at)
			return;
		text_put(&t, a->name);
		text_char(&t, '=');
		text_put(&t, a->value);
		a->value = t.at;
	}
}

/* The wishes of signals are written into place; everything else is as for units. */
int compile_house(struct compiler *c)
{
	struct parsed *p = &c->parsed;
	const struct specifiers specifiers = { .host = &c->host };
	struct scratch scratch = { 0 };
	struct reading r = { .b = &c->build, .arena = &c->arena, .into = &c->house, .specifiers = &specifiers,
			     .caps_added = &scratch.caps_added, .caps_said = &scratch.caps_said, .self = c, .refer = refer };
	bool said[MAX_SETTINGS] = { false };

	c->house_said = arena_get(&c->arena, (p->n + 1) * sizeof(*c->house_said));
	c->defaults = arena_get(&c->arena, (p->n + 1) * sizeof(*c->defaults));
	if (!c->house_said || !c->defaults)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->n; i++)
		if (parse_counts(p, i)) {
			said[p->said[i].setting] = true;
			c->house_said[c->n_house_said++] = p->said[i];
		}

	build_lists(&c->build);
	for (uint32_t s = 0; s < n_settings; s++) {
		const struct setting *what = &settings[s];
		bool reset = p->reset_at[c->index.reset[s]] != 0;

		if (what->preset && section_is_house(what->section) && what->section != IN_NETWORK &&
		    !(what->flags & SET_LIST ? reset : said[s] || (reset && what->kind == &kind_sysctl)))
			read_preset(c, &r, s);
	}
	for (uint32_t i = 0; i < c->n_house_said && !is_short(c); i++) {
		const struct assignment *a = &c->house_said[i];

		if (!strcmp(settings[a->setting].name, "Default*"))
			take_default(c, a);
		else if (settings[a->setting].section != IN_NETWORK)
			read_one(c, &r, a);
	}
	compile_networks(c, &r);
	for (size_t i = 0; i < COUNT(house_lists); i++)
		build_finish(&c->build, &c->house, house_lists[i]);
	make_preset(c, &specifiers);
	name_origins(c);
	return is_short(c) ? -ENOMEM : 0;
}

uint32_t draft_find(const struct compiler *c, const char *name)
{
	uint32_t h = 2166136261u;

	for (const char *s = name; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	for (h = (h ^ h >> 15) & (c->n_slots - 1); c->slots[h]; h = (h + 1) & (c->n_slots - 1))
		if (!strcmp(c->drafts[c->slots[h] - 1].name, name))
			return c->slots[h] - 1;
	return NO_UNIT;
}

static void draft_index(struct compiler *c, uint32_t i)
{
	uint32_t h = 2166136261u;

	for (const char *s = c->drafts[i].name; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	for (h = (h ^ h >> 15) & (c->n_slots - 1); c->slots[h]; h = (h + 1) & (c->n_slots - 1))
		;
	c->slots[h] = i + 1;
	c->drafts[i].slot = h;
}

int compile_expect(struct compiler *c, uint32_t n)
{
	if (n <= c->draft_room)
		return 0;

	struct draft *more = arena_more(&c->arena, c->drafts, c->n_drafts * sizeof(*more), n * sizeof(*more));

	if (!more)
		return -ENOMEM;
	c->drafts = more;
	c->draft_room = n;
	return 0;
}

uint32_t draft_add(struct compiler *c, const char *name, const char *full, enum unit_kind kind,
		   const char *file, const char *path)
{
	if (c->n_drafts >= c->max_units)
		return NO_UNIT;
	if (c->n_drafts == c->draft_room && compile_expect(c, c->draft_room ? c->draft_room * 2 : 16) < 0)
		return NO_UNIT;

	struct draft *d = &c->drafts[c->n_drafts];

	*d = (struct draft){ .u = c->preset, .name = name, .full = full, .file = file, .path = path, .kind = kind };
	d->u.kind = (uint8_t)kind;
	d->u.name = build_text(&c->build, name, strlen(name));
	d->u.description = d->u.name;
	d->u.file = build_text(&c->build, path, strlen(path));
	draft_index(c, c->n_drafts);
	return c->n_drafts++;
}

void draft_blame(struct compiler *c, struct draft *d)
{
	if (!c->findings->first[0])
		return;
	d->load = LOAD_BAD;
	if (!d->fault)
		d->fault = arena_copy(&c->arena, c->findings->first, strlen(c->findings->first));
}

/* %p and %i: systemd.unit(5), "Specifiers". */
static void name_specifiers(struct compiler *c, const struct draft *d, struct specifiers *s)
{
	size_t suffix = strlen(strrchr(d->full, '.') ? strrchr(d->full, '.') : "");
	const char *plain = arena_copy(&c->arena, d->full, strlen(d->full) - suffix);
	const char *at = plain ? strchr(plain, '@') : NULL;

	*s = (struct specifiers){
		.full = d->full, .plain = plain, .prefix = plain, .instance = "", .file = d->path,
		.host = &c->host,
	};
	if (at) {
		s->prefix = arena_copy(&c->arena, plain, (size_t)(at - plain));
		s->instance = at + 1;
	}
}

int compile_unit(struct compiler *c, uint32_t i)
{
	struct draft *d = &c->drafts[i];
	struct parsed *p = &c->parsed;
	struct specifiers specifiers;
	struct scratch scratch = { 0 };
	struct entry entry = { .program = { .n = 0 } };
	struct reading r = { .b = &c->build, .arena = &c->arena, .into = &d->u, .specifiers = &specifiers, .entry = &entry,
			     .caps_added = &scratch.caps_added, .caps_said = &scratch.caps_said, .self = c, .refer = refer };
	const struct assignment *first[MAX_SETTINGS] = { NULL };

	c->here = i;
	name_specifiers(c, d, &specifiers);
	for (uint32_t k = p->n; k-- > 0;)
		if (parse_counts(p, k))
			first[p->said[k].setting] = &p->said[k];
	if (d->kind == UNIT_SERVICE)
		implied_find(c, d, &r);
	d->said = arena_get(&c->arena, (p->n + implied_room(d) + 1) * sizeof(*d->said));
	if (!d->said || is_short(c))
		return -ENOMEM;
	build_lists(&c->build);
	if (d->kind == UNIT_SERVICE)
		implied_before(c, d, &r, first);
	for (uint32_t k = 0; k < c->n_defaults && d->kind == UNIT_SERVICE; k++) {
		uint16_t setting = c->defaults[k].setting;

		if (settings[setting].flags & SET_LIST && !p->reset_at[c->index.reset[setting]])
			read_one(c, &r, &c->defaults[k]);
	}
	for (uint32_t k = 0; k < p->n && !is_short(c); k++) {
		if (!parse_counts(p, k))
			continue;

		const struct assignment *a = &p->said[k];

		read_one(c, &r, a);
		d->said[d->n_said] = *a;
		if (strchr(a->value, '%')) {
			/* What is wrong with it was told by read_one(). */
			char unused[MAX_FINDING];

			r.why = TEXT(unused);
			const char *resolved = resolve(&r, a->value);

			d->said[d->n_said].value = resolved ? resolved : a->value;
		}
		d->n_said++;
	}
	d->u.bounding |= scratch.caps_added;
	if (d->kind == UNIT_SERVICE)
		implied_after(c, d, &r, first);
	rules_apply(c, d, first);
	for (size_t k = 0; k < COUNT(unit_lists); k++)
		build_finish(&c->build, &d->u, unit_lists[k]);
	return is_short(c) ? -ENOMEM : 0;
}
