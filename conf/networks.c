/* networks.c - the [Network] sections of coppice.conf, one list for each interface; pure. */
#include "conf/networks.h"

#include <string.h>

#define AT offsetof(struct house, networks)

static bool is_about(const struct assignment *a, const char *const *names, const char *name)
{
	return settings[a->setting].section == IN_NETWORK && names[a->block] && !strcmp(names[a->block], name);
}

/* All that one list of one interface was given since it was emptied last. */
static void read_list(struct compiler *c, struct reading *r, const char *const *names, const char *name,
		      uint16_t setting)
{
	const struct parsed *p = &c->parsed;
	uint32_t from = 0;

	for (uint32_t i = 0; i < p->n; i++)
		if (p->said[i].setting == setting && is_about(&p->said[i], names, name) && !*p->said[i].value)
			from = i + 1;
	for (uint32_t i = from; i < p->n; i++)
		if (p->said[i].setting == setting && is_about(&p->said[i], names, name))
			read_one(c, r, &p->said[i]);
}

/* Everything said about one interface; `names` has the interface of each block. */
static list_at compile_interface(struct compiler *c, struct reading *r, const char *const *names,
				 const char *name)
{
	const struct parsed *p = &c->parsed;
	const struct assignment *last[MAX_SETTINGS] = { NULL };
	bool fixed = false;

	build_clear(&c->build, AT);
	for (uint32_t i = 0; i < p->n; i++) {
		const struct assignment *a = &p->said[i];
		const struct setting *s = &settings[a->setting];

		if (!is_about(a, names, name))
			continue;
		last[a->setting] = *a->value ? a : NULL;
		if (!strcmp(s->name, "Address"))
			fixed = *a->value;
	}
	for (uint32_t s = 0; s < n_settings; s++) {
		struct assignment no = { .file = "preset", .name = settings[s].name, .value = "no",
					.setting = (uint16_t)s };

		if (settings[s].section != IN_NETWORK)
			continue;
		if (last[s] && settings[s].flags & SET_LIST)
			read_list(c, r, names, name, (uint16_t)s);
		else if (last[s])
			read_one(c, r, last[s]);
		else if (fixed && !strcmp(settings[s].name, "DHCP"))
			read_one(c, r, &no);
		else
			read_preset(c, r, s);
	}
	return build_list(&c->build, AT);
}

void compile_networks(struct compiler *c, struct reading *r)
{
	const struct parsed *p = &c->parsed;
	const char *preset = settings[settings_anywhere("Interface", true)].preset;
	const char **names = arena_get(&c->arena, (p->blocks + 2) * sizeof(*names));
	const char *known[MAX_INTERFACES];
	list_at lists[MAX_INTERFACES];
	uint32_t n = 0;

	if (!names)
		return;
	for (uint32_t i = 0; i < p->n; i++) {
		const struct assignment *a = &p->said[i];

		if (settings[a->setting].section != IN_NETWORK)
			continue;
		if (!names[a->block])
			names[a->block] = preset;
		if (!strcmp(a->name, "Interface") && *a->value)
			names[a->block] = a->value;
	}
	for (uint32_t b = 0; b <= p->blocks; b++) {
		uint32_t i = 0;

		while (names[b] && i < n && strcmp(known[i], names[b]) != 0)
			i++;
		if (!names[b] || i < n)
			continue;
		if (n == MAX_INTERFACES) {
			finding_add(c->findings, SAY_ERROR, "coppice.conf", 0,
				    "[Network]: more than %u interfaces; the rest is ignored", MAX_INTERFACES);
			break;
		}
		known[n++] = names[b];
	}
	if (n == 0)
		known[n++] = preset;
	for (uint32_t i = 0; i < n; i++)
		lists[i] = compile_interface(c, r, names, known[i]);
	build_clear(&c->build, AT);
	for (uint32_t i = 0; i < n; i++)
		build_append(&c->build, AT, lists[i]);
}
