/* build.c - a table in the making: words, texts and lists that grow; pure. */
#include "conf/build.h"

#include <string.h>

/* Far beyond what the limits on files can fill; keeps every offset within 32 bits. */
#define MOST_BYTES (1u << 30)

/* What it leaves behind as it grows is at most as much again. */
static bool grow(struct build *b, void **at, uint32_t *room, uint64_t need, size_t size)
{
	uint64_t want = *room ? *room : 1024;

	if (b->failed)
		return false;
	while (want < need)
		want *= 2;
	if (want == *room)
		return true;

	void *more = want * size <= MOST_BYTES ? arena_more(b->arena, *at, *room * size, want * size) : NULL;

	if (!more) {
		b->failed = true;
		return false;
	}
	*at = more;
	*room = (uint32_t)want;
	return true;
}

bool build_open(struct build *b, struct arena *arena)
{
	*b = (struct build){ .arena = arena };
	void *words = NULL, *text = NULL, *items = NULL;
	bool good = grow(b, &words, &b->word_room, 1, 4) && grow(b, &text, &b->text_room, 1, 1) &&
		    grow(b, &items, &b->item_room, 1, sizeof(*b->items));

	b->words = words;
	b->text = text;
	b->items = items;
	b->n_slots = 512;
	b->slots = arena_get(arena, b->n_slots * sizeof(*b->slots));
	b->failed = !good || !b->slots;
	if (b->failed)
		return false;
	b->words[0] = 0;
	b->n_words = 1;
	b->text[0] = '\0';
	b->n_text = 1;
	b->items[0] = (struct pending_item){ 0 };
	b->n_items = 1;
	return true;
}

static uint32_t hash_of(const char *s, size_t n)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 16777619u;
	return h ^ h >> 15;
}

static bool more_slots(struct build *b)
{
	uint32_t n = b->n_slots * 2;
	text_at *slots = arena_get(b->arena, n * sizeof(*slots));

	if (!slots) {
		b->failed = true;
		return false;
	}
	for (uint32_t i = 0; i < b->n_slots; i++) {
		if (!b->slots[i])
			continue;
		const char *s = b->text + b->slots[i];
		uint32_t h = hash_of(s, strlen(s)) & (n - 1);

		while (slots[h])
			h = (h + 1) & (n - 1);
		slots[h] = b->slots[i];
	}
	b->slots = slots;
	b->n_slots = n;
	return true;
}

text_at build_text(struct build *b, const char *s, size_t n)
{
	void *text = b->text;

	if (!n || b->failed)
		return 0;
	if (b->n_texts * 2 >= b->n_slots && !more_slots(b))
		return 0;

	uint32_t h = hash_of(s, n) & (b->n_slots - 1);

	for (; b->slots[h]; h = (h + 1) & (b->n_slots - 1))
		if (!strncmp(b->text + b->slots[h], s, n) && !b->text[b->slots[h] + n])
			return b->slots[h];
	if (!grow(b, &text, &b->text_room, (uint64_t)b->n_text + n + 1, 1))
		return 0;
	b->text = text;

	text_at at = b->n_text;

	memcpy(b->text + at, s, n);
	b->text[at + n] = '\0';
	b->n_text += (uint32_t)n + 1;
	b->slots[h] = at;
	b->n_texts++;
	return at;
}

uint32_t build_words(struct build *b, const uint32_t *from, uint32_t n)
{
	void *words = b->words;

	if (!grow(b, &words, &b->word_room, (uint64_t)b->n_words + n, 4))
		return 0;
	b->words = words;

	uint32_t at = b->n_words;

	if (n)
		memcpy(b->words + at, from, n * sizeof(*from));
	b->n_words += n;
	return at;
}

void build_lists(struct build *b)
{
	memset(b->lists, 0, sizeof(b->lists));
	b->n_items = 1;
}

void build_append(struct build *b, size_t at, uint32_t item)
{
	struct pending *list = &b->lists[at / 4];
	void *items = b->items;

	if (!grow(b, &items, &b->item_room, (uint64_t)b->n_items + 1, sizeof(*b->items)))
		return;
	b->items = items;

	uint32_t i = b->n_items++;

	b->items[i] = (struct pending_item){ .item = item };
	if (list->last)
		b->items[list->last].next = i;
	else
		list->first = i;
	list->last = i;
	list->n++;
}

void build_clear(struct build *b, size_t at)
{
	b->lists[at / 4] = (struct pending){ 0 };
}

uint32_t *build_nth(struct build *b, size_t at, uint32_t nth)
{
	uint32_t i = b->lists[at / 4].first;

	while (i && nth--)
		i = b->items[i].next;
	return &b->items[i].item;
}

uint32_t build_last(const struct build *b, size_t at)
{
	return b->items[b->lists[at / 4].last].item;
}

list_at build_list(struct build *b, size_t at)
{
	const struct pending *list = &b->lists[at / 4];

	if (!list->n)
		return 0;

	list_at out = build_words(b, &list->n, 1);

	for (uint32_t i = list->first; i && !b->failed; i = b->items[i].next)
		(void)build_words(b, &b->items[i].item, 1);
	return out;
}

void build_finish(struct build *b, void *base, size_t at)
{
	list_at out = build_list(b, at);

	memcpy((char *)base + at, &out, sizeof(out));
}
