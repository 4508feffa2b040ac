/* verify.c - looks at every index of a table that somebody else wrote, and finds units in it; pure. */
#include <string.h>

#include "conf/kit/crc.h"
#include "conf/settings.h"
#include "conf/unit.h"

/*
 * Lists may not share words: what all lists hold together is counted against what
 * the word area holds, so that no table makes us, or a reader, walk more than once
 * over its size.
 */
struct proof {
	const struct table *t;
	const uint32_t *words;
	const char *text;
	uint32_t n_units, n_words, n_text;
	uint64_t left; /* words that may still be looked at */
};

/* Small members with a largest value; a bool is one of 1. They are read as bytes: another value in a bool is undefined. */
#define SMALL(m, largest) { offsetof(struct unit, m), largest }
static const struct { uint16_t at; uint8_t most; } smalls[] = {
	SMALL(kind, N_UNIT_KINDS - 1), SMALL(load, N_LOADS - 1), SMALL(type, N_TYPES - 1), SMALL(restart, N_RESTARTS - 1),
	SMALL(kill_mode, N_KILL_MODES - 1), SMALL(notify_access, N_NOTIFY_ACCESSES - 1), SMALL(overlay, N_OVERLAYS - 1),
	SMALL(root_mode, N_ROOT_MODES - 1), SMALL(health_kind, N_HEALTH_KINDS - 1), SMALL(on_sick, N_ON_SICKS - 1),
	SMALL(out, N_OUTPUTS - 1), SMALL(err, N_OUTPUTS - 1),
	SMALL(kill_signal, 64), SMALL(final_signal, 64), SMALL(restart_signal, 64), SMALL(watchdog_signal, 64), SMALL(reload_signal, 64),
	SMALL(remain, 1), SMALL(critical, 1), SMALL(autostart, 1), SMALL(no_new_privs, 1), SMALL(ignore_sigpipe, 1),
	SMALL(send_sigkill, 1), SMALL(send_sighup, 1), SMALL(shared_run, 1), SMALL(nice_set, 1), SMALL(oom_set, 1),
};

/* Every text member; they stand in a row. */
#define FIRST_TEXT offsetof(struct unit, name)
#define LAST_TEXT  offsetof(struct unit, error_file)
#define FIRST_SPAN offsetof(struct unit, restart_sec)
#define LAST_SPAN  offsetof(struct unit, health_startup_interval)

enum item { ITEM_TEXT, ITEM_WORD, ITEM_EDGE, ITEM_UNIT, ITEM_COMMAND, ITEM_MOUNT, ITEM_LIMIT, ITEM_ORIGIN,
	   ITEM_TEXTS };
#define LIST(m, item) { offsetof(struct unit, m), item }
static const struct { uint16_t at; uint8_t item; } lists[] = {
	LIST(needs, ITEM_EDGE), LIST(serves, ITEM_EDGE),
	LIST(pre, ITEM_COMMAND), LIST(start, ITEM_COMMAND), LIST(post, ITEM_COMMAND), LIST(reload, ITEM_COMMAND),
	LIST(stop, ITEM_COMMAND), LIST(stop_post, ITEM_COMMAND), LIST(condition, ITEM_COMMAND), LIST(health_cmd, ITEM_COMMAND),
	LIST(env, ITEM_TEXT), LIST(env_files, ITEM_TEXT), LIST(pass_env, ITEM_TEXT), LIST(image_env, ITEM_TEXT), LIST(makes, ITEM_TEXT),
	 LIST(groups, ITEM_TEXT), LIST(mounts, ITEM_MOUNT),
	LIST(layers, ITEM_TEXT), LIST(limits, ITEM_LIMIT), LIST(success, ITEM_WORD), LIST(prevent, ITEM_WORD), LIST(force, ITEM_WORD),
	LIST(on_failure, ITEM_UNIT), LIST(on_success, ITEM_UNIT), LIST(origins, ITEM_ORIGIN),
};
#define HOUSE_LIST(m, item) { offsetof(struct house, m), item }
static const struct { uint16_t at; uint8_t item; } house_lists[] = {
	HOUSE_LIST(image_paths, ITEM_TEXT), HOUSE_LIST(default_env, ITEM_TEXT), HOUSE_LIST(tmpfs, ITEM_TEXT),
	HOUSE_LIST(mounts, ITEM_TEXT), HOUSE_LIST(sysctls, ITEM_TEXT), HOUSE_LIST(networks, ITEM_TEXTS),
	HOUSE_LIST(origins, ITEM_ORIGIN),
};
static const uint16_t house_texts[] = {
	offsetof(struct house, volume_path), offsetof(struct house, control_group),
	offsetof(struct house, host_socket), offsetof(struct house, hostname),
	offsetof(struct house, env_file), offsetof(struct house, prelaunch), offsetof(struct house, realinit),
};
#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static bool is_text(const struct proof *p, uint32_t at)
{
	return at < p->n_text;
}

/* n words from `at` on are there, and not yet looked at too often. */
static bool take(struct proof *p, uint32_t at, uint64_t n)
{
	if (at >= p->n_words || n > p->n_words - at || n > p->left)
		return false;
	p->left -= n;
	return true;
}

static bool is_command(struct proof *p, uint32_t at)
{
	if (!take(p, at, 3))
		return false;

	uint32_t flags = p->words[at], argc = p->words[at + 2];

	if (flags > (CMD_IGNORE | CMD_VERBATIM | CMD_FULL | CMD_ARGV0) ||
	    argc < (flags & CMD_ARGV0 ? 2u : 1u) || !take(p, at, (uint64_t)argc + 3))
		return false;
	for (uint32_t i = 0; i < argc; i++)
		if (!is_text(p, p->words[at + 3 + i]))
			return false;
	return true;
}

/* The n words of an item; NULL where they are not there. */
static const uint32_t *item_at(struct proof *p, uint32_t at, size_t size)
{
	return take(p, at, size / 4) ? p->words + at : NULL;
}

static bool is_mount(struct proof *p, uint32_t at)
{
	const uint32_t all = MOUNT_RO | MOUNT_OPTIONAL | MOUNT_RBIND | MOUNT_NOCOPY | MOUNT_CHOWN | MOUNT_NOEXEC | MOUNT_IMPLIED;
	const uint32_t *w = item_at(p, at, sizeof(struct unit_mount));

	return w && w[0] < N_MOUNT_KINDS && w[1] <= all && is_text(p, w[3]) && is_text(p, w[4]) &&
	       is_text(p, w[5]) && p->text[w[4]] == '/';
}

static bool is_limit(struct proof *p, uint32_t at)
{
	const uint32_t *w = item_at(p, at, sizeof(struct unit_limit));

	/* RLIM_NLIMITS of every architecture is 16; getrlimit(2). */
	return w && w[0] < 16 && ((uint64_t)w[2] << 32 | w[1]) <= ((uint64_t)w[4] << 32 | w[3]);
}

static bool is_origin(struct proof *p, uint32_t at)
{
	const uint32_t *w = item_at(p, at, sizeof(struct origin));

	return w && w[0] < n_settings && is_text(p, w[1]) && is_text(p, w[3]);
}

static bool is_list(struct proof *p, uint32_t at, enum item item);

static bool is_item(struct proof *p, uint32_t value, enum item item)
{
	switch (item) {
	case ITEM_TEXT:    return is_text(p, value);
	case ITEM_WORD:    return true;
	case ITEM_EDGE:    return EDGE_UNIT(value) < p->n_units && EDGE_KIND(value) && EDGE_KIND(value) < 1u << 7;
	case ITEM_UNIT:    return value < p->n_units;
	case ITEM_COMMAND: return is_command(p, value);
	case ITEM_MOUNT:   return is_mount(p, value);
	case ITEM_LIMIT:   return is_limit(p, value);
	case ITEM_ORIGIN:  return is_origin(p, value);
	case ITEM_TEXTS:   return is_list(p, value, ITEM_TEXT);
	}
	return false;
}

/* Two deep at most: only ITEM_TEXTS calls it again, with ITEM_TEXT. */
static bool is_list(struct proof *p, uint32_t at, enum item item)
{
	if (at == 0)
		return true;
	if (!take(p, at, 1))
		return false;

	uint32_t n = p->words[at];

	if (!take(p, at, (uint64_t)n + 1) || (item == ITEM_WORD && n != STATUS_WORDS))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t value = p->words[at + 1 + i];

		if (!is_item(p, value, item))
			return false;
		if (item == ITEM_EDGE && i && EDGE_UNIT(value) <= EDGE_UNIT(p->words[at + i]))
			return false;
	}
	return true;
}

static uint32_t word_at(const void *base, size_t at)
{
	uint32_t value;

	memcpy(&value, (const char *)base + at, sizeof(value));
	return value;
}

static const char *look_at_unit(struct proof *p, const struct unit *u)
{
	const unsigned char *bytes = (const unsigned char *)u;

	for (size_t i = 0; i < COUNT(smalls); i++)
		if (bytes[smalls[i].at] > smalls[i].most)
			return "a unit's enum or bool is out of range";
	for (size_t at = FIRST_SPAN; at <= LAST_SPAN; at += sizeof(msec_t)) {
		msec_t span;

		memcpy(&span, bytes + at, sizeof(span));
		if (span < 0)
			return "a unit's time span is negative";
	}
	for (size_t at = FIRST_TEXT; at <= LAST_TEXT; at += sizeof(text_at))
		if (!is_text(p, word_at(u, at)))
			return "a unit's text lies outside";
	for (size_t i = 0; i < COUNT(lists); i++)
		if (!is_list(p, word_at(u, lists[i].at), (enum item)lists[i].item))
			return "a unit's list is broken";
	if (!u->name || !u->description || !p->text[u->name] || !p->text[u->description])
		return "a unit has no name";
	if (u->root_from != NO_UNIT && u->root_from >= p->n_units)
		return "a unit's root is nobody's";
	if (u->rank >= p->n_units || u->health_port > 65535 || u->umask > 0777 || u->nice < -20 ||
	    u->nice > 19 || u->oom_score < -1000 ||
	    u->oom_score > 1000 || u->health_status[0] > 999 || u->health_status[1] > 999)
		return "a unit's number is out of range";
	if (u->kind == UNIT_SERVICE && (!u->kill_signal || !u->final_signal || !u->restart_signal ||
					!u->watchdog_signal))
		return "a unit has no signal to be stopped with";
	if (u->load == LOAD_OK && u->health_kind == HEALTH_CMD && p->words[u->health_cmd] != 1)
		return "a unit's health check has no command";
	if (u->load == LOAD_BAD && !p->text[u->fault])
		return "a bad unit does not say why";
	return NULL;
}

/* The kind of the edge to `unit` in an ascending list that is known to be sound; 0: none. */
static uint32_t edge_to(const struct proof *p, list_at list, uint32_t unit)
{
	uint32_t low = 0, high = p->words[list];

	while (low < high) {
		uint32_t middle = low + (high - low) / 2, edge = p->words[list + 1 + middle];

		if (EDGE_UNIT(edge) == unit)
			return EDGE_KIND(edge);
		if (EDGE_UNIT(edge) < unit)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

static const char *look_at_edges(const struct proof *p, const struct unit *units)
{
	uint64_t needs = 0, serves = 0;

	for (uint32_t i = 0; i < p->n_units; i++) {
		needs += p->words[units[i].needs];
		serves += p->words[units[i].serves];
		for (uint32_t k = 0; k < p->words[units[i].needs]; k++) {
			uint32_t edge = p->words[units[i].needs + 1 + k];

			if (edge_to(p, units[EDGE_UNIT(edge)].serves, i) != EDGE_KIND(edge))
				return "an edge points one way only";
		}
	}
	return needs == serves ? NULL : "an edge points one way only";
}

static const char *look_at_house(struct proof *p, const struct house *h)
{
	for (size_t i = 0; i < COUNT(house_lists); i++)
		if (!is_list(p, word_at(h, house_lists[i].at), (enum item)house_lists[i].item))
			return "a list of coppice.conf is broken";
	for (size_t i = 0; i < COUNT(house_texts); i++)
		if (!is_text(p, word_at(h, house_texts[i])))
			return "a text of coppice.conf lies outside";
	if (h->shutdown_timeout < 0 || h->exit_policy >= N_EXIT_POLICIES || h->log_format >= N_LOG_FORMATS ||
	    h->write_hosts > 2 || h->supervise >= N_SUPERVISES || h->app_signal > 64)
		return "a value of coppice.conf is out of range";
	for (size_t i = 0; i < COUNT(h->on_signal); i++)
		if (h->on_signal[i] >= N_WISHES)
			return "a value of coppice.conf is out of range";
	return NULL;
}

const char *table_verify(const struct table *t, uint64_t size)
{
	if (size < sizeof(*t) || (uintptr_t)t % _Alignof(struct table))
		return "too short";
	if (t->magic != TABLE_MAGIC || t->version != TABLE_VERSION)
		return "not a table of this version";
	if (t->total > size || t->total < sizeof(*t))
		return "cut short";

	uint64_t units_end = (uint64_t)t->units_at + (uint64_t)t->n_units * sizeof(struct unit);
	uint64_t words_end = (uint64_t)t->words_at + (uint64_t)t->n_words * 4;
	uint64_t texts_end = (uint64_t)t->texts_at + t->n_text;

	if (t->n_units > MAX_UNITS || t->units_at < sizeof(*t) || t->units_at % _Alignof(struct unit) ||
	    t->words_at % 4 ||
	    units_end > t->words_at || words_end > t->texts_at || texts_end > t->total || !t->n_words || !t->n_text)
		return "areas overlap or lie outside";

	size_t after = offsetof(struct table, crc) + sizeof(t->crc);

	if (crc32_of((const char *)t + after, t->total - after) != t->crc)
		return "damaged: its checksum is wrong";

	struct proof p = { .t = t, .words = table_words(t, 0), .text = table_text(t, 0), .n_units = t->n_units,
			  .n_words = t->n_words,
			   .n_text = t->n_text };
	const char *wrong;

	/* Each word belongs to one list or item, and the head of a list or command is looked at twice. */
	p.left = (uint64_t)t->n_words * 4;
	if (p.words[0] || p.text[0] || p.text[t->n_text - 1])
		return "areas do not begin or end as they must";
	wrong = look_at_house(&p, &t->house);
	for (uint32_t i = 0; i < t->n_units && !wrong; i++) {
		wrong = look_at_unit(&p, table_unit(t, i));
		if (!wrong && i && strcmp(p.text + table_unit(t, i - 1)->name,
					  p.text + table_unit(t, i)->name) >= 0)
			wrong = "units are not sorted by name";
	}
	for (uint32_t i = 0; i < t->n_units && !wrong; i++) {
		const struct unit *u = table_unit(t, i);

		/* One step leads to a root: whoever shares a root shares that of a unit with a root of its own. */
		if (u->root_from != NO_UNIT && (u->root_from == i ||
						table_unit(t, u->root_from)->root_from != NO_UNIT))
			wrong = "roots are shared in circles";
	}
	return wrong ? wrong : look_at_edges(&p, table_unit(t, 0));
}

unit_ix table_find(const struct table *t, const char *name)
{
	static const char *const endings[] = { ".service", ".container" };
	size_t n = strlen(name);
	uint32_t low = 0, high = t->n_units;

	for (size_t i = 0; i < COUNT(endings); i++) {
		size_t k = strlen(endings[i]);

		if (n > k && !strcmp(name + n - k, endings[i])) {
			n -= k;
			break;
		}
	}
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const char *other = table_text(t, table_unit(t, middle)->name);
		int order = strncmp(name, other, n);

		if (order == 0 && !other[n])
			return middle;
		/* A name of which ours is the beginning comes behind it. */
		if (order <= 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NO_UNIT;
}
