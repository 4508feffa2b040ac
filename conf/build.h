/* build.h - a table in the making: words, texts and lists that grow; pure. */
#ifndef CONF_BUILD_H
#define CONF_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/kit/arena.h"
#include "conf/unit.h"

/* The list members that are being filled, for each word of a struct unit or struct house. */
#define PENDING (sizeof(struct unit) / 4)
_Static_assert(sizeof(struct house) <= sizeof(struct unit), "lists of a house are kept in the same places");

struct pending { uint32_t first, last, n; };
struct pending_item { uint32_t item, next; };

/* All of it lies in the arena. Once something failed for want of memory or room, `failed` stays set and the rest is without meaning. */
struct build {
	struct arena *arena;
	uint32_t *words;
	uint32_t n_words, word_room;
	char *text;
	uint32_t n_text, text_room;
	text_at *slots; /* texts by their hash; 0 is free */
	uint32_t n_slots, n_texts;
	struct pending lists[PENDING];
	struct pending_item *items; /* item 0 is not used */
	uint32_t n_items, item_room;
	bool failed;
};

/* False where memory is short. */
bool build_open(struct build *b, struct arena *arena);

/* The place of a text; the same text has the same place. */
text_at build_text(struct build *b, const char *s, size_t n);

/* Appends n words; the index of the first. */
uint32_t build_words(struct build *b, const uint32_t *words, uint32_t n);

/* Starts an empty set of lists. */
void build_lists(struct build *b);
/* Appends to, or empties, the list member that lies `at` bytes into the struct. */
void build_append(struct build *b, size_t at, uint32_t item);
void build_clear(struct build *b, size_t at);
/* Writes the pending list of that member; its place, 0 where it is empty. */
list_at build_list(struct build *b, size_t at);
/* The same, and sets the member of `base`. */
void build_finish(struct build *b, void *base, size_t at);
/* The nth item of a pending list, counted from 0, which must exist. Valid until the next append. */
uint32_t *build_nth(struct build *b, size_t at, uint32_t nth);
/* The last item appended, or 0. */
uint32_t build_last(const struct build *b, size_t at);

#endif
