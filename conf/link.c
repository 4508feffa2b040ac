/* link.c - what units say of each other: edges, order, cycles, triggers, roots and images; pure. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/compile.h"
#include "conf/graph.h"

/* An edge in the making, by place in the sorted table. */
struct link {
	uint32_t from, to, bits;
	uint32_t mention; /* who said it first */
};

struct linker {
	struct compiler *c;
	struct link *links;
	uint32_t n;
	bool *named;     /* drafts that are named for a reason other than a trigger */
};

/* What boot has done before the first unit starts: units of systemd that others like to name, and that are always "there". */
static const char *const reached[] = {
	"sysinit.target", "basic.target", "local-fs.target", "local-fs-pre.target", "remote-fs.target",
	"network.target", "network-pre.target", "network-online.target", "nss-lookup.target",
	"nss-user-lookup.target", "time-sync.target", "time-set.target", "sockets.target", "timers.target",
	"paths.target", "slices.target", "swap.target", "multi-user.target", "graphical.target",
	"default.target", "rc-local.target", "systemd-journald.socket", "dbus.socket", "dbus",
	"syslog.socket", "shutdown.target", "umount.target",
};

static bool is_reached(const char *name)
{
	for (size_t i = 0; i < sizeof(reached) / sizeof(*reached); i++)
		if (!strcmp(reached[i], name))
			return true;
	return false;
}

/* Adds a finding that is the fault of draft `i`. */
#define BLAME(c, i, level, file, line, ...) do { \
	findings_mark((c)->findings); \
	finding_add((c)->findings, level, file, line, __VA_ARGS__); \
	draft_blame(c, &(c)->drafts[i]); \
} while (0)

/* How a person would name the missing file. */
static const char *suffix_of(const char *name)
{
	return strchr(name, '.') ? "" : ".service";
}

static void complain_missing(struct compiler *c, const struct mention *m)
{
	const char *setting = settings[m->setting].name;

	if (m->bits & MENTION_INSTALL || is_reached(m->name))
		return;
	if (m->bits & (EDGE_REQUIRES | EDGE_BINDS | EDGE_REQUISITE | MENTION_ROOT))
		BLAME(c, m->from, SAY_ERROR, m->file, m->line,
		      "%s=: there is no unit \"%.255s\"; create %.255s%s, or drop it from %s=",
		      setting, m->name, m->name, suffix_of(m->name), setting);
	else if (m->bits & (EDGE_WANTS | MENTION_FAILURE | MENTION_SUCCESS))
		finding_add(c->findings, SAY_WARNING, m->file, m->line,
			    "%s=: there is no unit \"%.255s\"; create %.255s%s, or drop it from %s=",
			    setting, m->name, m->name, suffix_of(m->name), setting);
}

static int compare_links(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return (x->mention > y->mention) - (x->mention < y->mention);
}

static int compare_served(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return (x->from > y->from) - (x->from < y->from);
}

static int compare_drafts(const void *a, const void *b)
{
	return strcmp(((const struct draft *)a)->name, ((const struct draft *)b)->name);
}

/* Mentions become links, or something of the draft itself. */
static void take_mentions(struct linker *l)
{
	struct compiler *c = l->c;

	for (uint32_t i = 0; i < c->n_mentions; i++) {
		struct mention *m = &c->mentions[i];
		uint32_t to = draft_find(c, m->name);

		if (to == NO_UNIT) {
			complain_missing(c, m);
			continue;
		}
		uint32_t other = to;

		if (m->bits & (MENTION_FAILURE | MENTION_SUCCESS)) {
			c->drafts[other].triggered = true;
			continue;
		}
		/* What only orders does not make a handler of failures a unit of its own. */
		if (!(m->bits & MENTION_REVERSED) && m->bits & (EDGE_WANTS | EDGE_REQUIRES | EDGE_BINDS))
			l->named[other] = true;

		uint32_t bits = m->bits & MENTION_ROOT ? (uint32_t)EDGE_AFTER : m->bits & ((1u << EDGE_BITS) - 1);

		if (m->bits & MENTION_ROOT)
			c->drafts[m->from].u.root_from = other;
		l->links[l->n++] = m->bits & MENTION_REVERSED ?
			(struct link){ .from = to, .to = m->from, .bits = bits, .mention = i } :
			(struct link){ .from = m->from, .to = to, .bits = bits, .mention = i };
	}
}

/* By place, each pair once with all its bits; the first mention that orders is the one to show. */
static void merge_links(struct linker *l)
{
	uint32_t n = 0;

	qsort(l->links, l->n, sizeof(*l->links), compare_links);
	for (uint32_t i = 0; i < l->n; i++) {
		struct link *last = n ? &l->links[n - 1] : NULL;

		if (!last || last->from != l->links[i].from || last->to != l->links[i].to) {
			l->links[n++] = l->links[i];
			continue;
		}
		if (!(last->bits & EDGE_AFTER) && l->links[i].bits & EDGE_AFTER)
			last->mention = l->links[i].mention;
		last->bits |= l->links[i].bits;
	}
	l->n = n;
}

#define MOST_SHOWN 8u

static void complain_cycle(struct linker *l, const struct graph *g, const uint32_t *cycle, uint32_t node)
{
	struct compiler *c = l->c;
	uint32_t path[MOST_SHOWN];
	int length = graph_cycle(g, &c->arena, cycle, node, path, MOST_SHOWN);
	uint32_t shown = length < (int)MOST_SHOWN ? (uint32_t)(length > 0 ? length : 1) : MOST_SHOWN;
	const struct mention *m = NULL;
	char words[400];
	struct text t = TEXT(words);

	if (length <= 0)
		return;
	for (uint32_t i = 0; i < shown; i++) {
		text_shown(&t, c->drafts[path[i]].name, strlen(c->drafts[path[i]].name), 40);
		text_put(&t, " needs ");
	}
	if (length > (int)shown)
		text_fmt(&t, "%d others that need ", length - (int)shown);
	text_shown(&t, c->drafts[node].name, strlen(c->drafts[node].name), 40);

	uint32_t second = length > 1 ? path[1] : node;

	for (uint32_t i = 0; i < l->n && !m; i++)
		if (l->links[i].from == node && l->links[i].to == second)
			m = &c->mentions[l->links[i].mention];
	if (!m)
		return;
	findings_mark(c->findings);
	finding_add(c->findings, SAY_ERROR, m->file, m->line, "%s; remove one of these", words);
	for (uint32_t i = 0; i < c->n_drafts; i++)
		if (cycle[i] == cycle[node])
			draft_blame(c, &c->drafts[i]);
}

static int sort_units(struct linker *l)
{
	struct compiler *c = l->c;
	uint32_t n = c->n_drafts;
	uint32_t *first = arena_get(&c->arena, (n + 2) * sizeof(*first));
	uint32_t *to = arena_get(&c->arena, (l->n + 1) * sizeof(*to));
	uint32_t *rank = arena_get(&c->arena, (n + 1) * sizeof(*rank));
	uint32_t *cycle = arena_get(&c->arena, (n + 1) * sizeof(*cycle));
	uint32_t n_to = 0, at = 0, told = 0;

	if (!first || !to || !rank || !cycle)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		first[i] = n_to;
		for (; at < l->n && l->links[at].from == i; at++)
			if (l->links[at].bits & EDGE_AFTER)
				to[n_to++] = l->links[at].to;
	}
	first[n] = n_to;

	const struct graph g = { .n = n, .first = first, .to = to };
	int knots = graph_sort(&g, &c->arena, rank, cycle);

	if (knots < 0)
		return knots;
	/* Knots are numbered as they are found; each is told by its first unit in the table. */
	bool *is_told = arena_get(&c->arena, (size_t)knots + 1);

	if (!is_told)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		c->drafts[i].u.rank = rank[i];
		if (!cycle[i] || is_told[cycle[i]])
			continue;
		is_told[cycle[i]] = true;
		/* Each costs a look at all edges: enough is enough. */
		if (told++ < 100)
			complain_cycle(l, &g, cycle, i);
	}
	for (uint32_t i = 0; i < n; i++)
		if (cycle[i] && c->drafts[i].load == LOAD_OK) {
			c->drafts[i].load = LOAD_BAD;
			c->drafts[i].fault = "it is part of a circle of units that need each other; see check";
		}
	return 0;
}

static void write_edges(struct linker *l)
{
	struct compiler *c = l->c;
	struct build *b = &c->build;

	for (uint32_t pass = 0, at = 0; pass < 2; pass++, at = 0) {
		if (pass)
			qsort(l->links, l->n, sizeof(*l->links), compare_served);
		for (uint32_t i = 0; i < c->n_drafts && !b->failed; i++) {
			uint32_t from = at, count;
			list_at list = 0;

			while (at < l->n && (pass ? l->links[at].to : l->links[at].from) == i)
				at++;
			count = at - from;
			if (count)
				list = build_words(b, &count, 1);
			for (uint32_t k = from; k < at; k++) {
				uint32_t edge = EDGE(pass ? l->links[k].from : l->links[k].to,
						     l->links[k].bits);

				(void)build_words(b, &edge, 1);
			}
			*(pass ? &c->drafts[i].u.serves : &c->drafts[i].u.needs) = list;
		}
	}
}

/* OnFailure= and OnSuccess=, in the order they were said, now that places are known. */
static void write_triggers(struct linker *l)
{
	struct compiler *c = l->c;
	static const size_t members[] = { offsetof(struct unit, on_failure),
					 offsetof(struct unit, on_success) };
	uint32_t i = 0;

	/* Mentions come unit by unit, as they were read. */
	while (i < c->n_mentions && !c->build.failed) {
		uint32_t from = c->mentions[i].from;
		bool any = false;

		build_lists(&c->build);
		for (; i < c->n_mentions && c->mentions[i].from == from; i++) {
			const struct mention *m = &c->mentions[i];
			uint32_t to = NO_UNIT;

			if (m->bits & (MENTION_FAILURE | MENTION_SUCCESS))
				to = draft_find(c, m->name);
			if (to == NO_UNIT)
				continue;
			build_append(&c->build, members[m->bits & MENTION_SUCCESS ? 1 : 0], to);
			any = true;
		}
		for (size_t k = 0; any && k < 2; k++)
			build_finish(&c->build, &c->drafts[from].u, members[k]);
	}
}

/* Whoever shares the root of one that shares a root shares the root of the last of them. */
static void settle_roots(struct compiler *c)
{
	for (uint32_t i = 0; i < c->n_drafts; i++) {
		uint32_t at = c->drafts[i].u.root_from, steps = 0;

		/* A circle is told as one of the edges that come with it. */
		while (at != NO_UNIT && c->drafts[at].u.root_from != NO_UNIT && steps++ < c->n_drafts &&
		       at != i)
			at = c->drafts[at].u.root_from;
		if (at != NO_UNIT && (at == i || c->drafts[at].u.root_from != NO_UNIT ||
				      c->drafts[at].kind != UNIT_SERVICE)) {
			if (at != i && c->drafts[at].kind != UNIT_SERVICE)
				BLAME(c, i, SAY_ERROR, c->drafts[i].file, 0,
				      "RootFrom=: %.255s has no root; name a service", c->drafts[at].name);
			c->drafts[i].u.root_from = NO_UNIT;
		} else {
			c->drafts[i].u.root_from = at;
		}
	}
}

/* An image that a .image file describes: its lowest layer is the image, the others lie over it, then ExtraLayers=. */
static void settle_images(struct compiler *c)
{
	struct build *b = &c->build;
	char name[MAX_UNIT_NAME + 8];

	for (uint32_t i = 0; i < c->n_drafts && !b->failed; i++) {
		struct draft *d = &c->drafts[i];
		size_t n;

		if (!d->image || !d->u.image || strlen(b->text + d->u.image) > MAX_UNIT_NAME)
			continue;

		struct text t = TEXT(name);

		text_put(&t, b->text + d->u.image);
		n = strlen(name);
		bool by_file = n > 6 && !strcmp(name + n - 6, ".image");

		if (!by_file)
			text_put(&t, ".image");

		uint32_t at = draft_find(c, name);

		if (at == NO_UNIT || c->drafts[at].load != LOAD_OK) {
			if (by_file)
				BLAME(c, i, SAY_ERROR, d->file, d->image_line,
				      "Image=: there is no sound %.255s; create it, or name an image", name);
			continue;
		}
		build_lists(b);
		const struct draft *image = &c->drafts[at];
		size_t layers = offsetof(struct unit, layers);

		d->u.image = b->words[image->u.layers + 1];
		for (uint32_t k = 1; k < b->words[image->u.layers]; k++)
			build_append(b, layers, b->words[image->u.layers + 1 + k]);
		for (uint32_t k = 0; k < b->words[d->u.layers]; k++)
			build_append(b, layers, b->words[d->u.layers + 1 + k]);
		build_finish(b, &d->u, layers);
	}
}

int link_units(struct compiler *c)
{
	struct linker l = { .c = c };
	uint32_t *place = arena_get(&c->arena, (c->n_drafts + 1) * sizeof(*place));

	l.links = arena_get(&c->arena, (c->n_mentions + 1) * sizeof(*l.links));
	l.named = arena_get(&c->arena, c->n_drafts + 1);
	if (!place || !l.links || !l.named)
		return -ENOMEM;
	/* Sort, and let mentions and the index follow. */
	for (uint32_t i = 0; i < c->n_drafts; i++)
		c->drafts[i].u.rank = i;
	if (c->n_drafts)
		qsort(c->drafts, c->n_drafts, sizeof(*c->drafts), compare_drafts);
	for (uint32_t i = 0; i < c->n_drafts; i++)
		place[c->drafts[i].u.rank] = i;
	for (uint32_t i = 0; i < c->n_mentions; i++)
		c->mentions[i].from = place[c->mentions[i].from];
	/* By its units: most of the index was never touched, and is no memory yet. */
	for (uint32_t i = 0; i < c->n_drafts; i++)
		c->slots[c->drafts[i].slot] = i + 1;

	take_mentions(&l);
	merge_links(&l);
	int r = sort_units(&l);

	if (r < 0)
		return r;
	write_edges(&l);
	write_triggers(&l);
	settle_roots(c);
	settle_images(c);
	for (uint32_t i = 0; i < c->n_drafts; i++) {
		struct draft *d = &c->drafts[i];

		if (d->load != LOAD_OK || (d->triggered && !d->wanted && !l.named[i]))
			d->u.autostart = false;
	}
	return c->build.failed || c->arena.dry ? -ENOMEM : 0;
}
