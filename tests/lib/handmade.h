/* handmade.h - a table of a few units made by hand, for tests of what reads tables. */
#ifndef TESTS_LIB_HANDMADE_H
#define TESTS_LIB_HANDMADE_H

#include <stdlib.h>
#include <string.h>

#include "conf/unit.h"

#define HAND_UNITS 4u
#define HAND_WORDS 4096u
#define HAND_TEXT  65536u

/* Zero it, then hand_open(). Lists are made with hand_list(), as the words they are made of lie side by side. */
struct hand {
	struct table table;
	struct unit units[HAND_UNITS];
	uint32_t words[HAND_WORDS];
	char text[HAND_TEXT];
};

__attribute__((unused)) static void hand_open(struct hand *h)
{
	memset(h, 0, sizeof(*h));
	h->table = (struct table){ .magic = TABLE_MAGIC, .version = TABLE_VERSION, .total = sizeof(*h), .n_units = HAND_UNITS,
				   .n_words = 1, .n_text = 1 };
	h->table.units_at = (uint32_t)((char *)h->units - (char *)h);
	h->table.words_at = (uint32_t)((char *)h->words - (char *)h);
	h->table.texts_at = (uint32_t)(h->text - (char *)h);
	for (uint32_t i = 0; i < HAND_UNITS; i++)
		h->units[i].root_from = NO_UNIT;
}

/* A text; too much of it is the test's fault. */
__attribute__((unused)) static text_at hand_text(struct hand *h, const char *s)
{
	uint32_t at = h->table.n_text, n = (uint32_t)strlen(s) + 1;

	if (n == 1)
		return 0;
	if (at + n > HAND_TEXT)
		abort();
	memcpy(h->text + at, s, n);
	h->table.n_text += n;
	return at;
}

__attribute__((unused)) static uint32_t hand_words(struct hand *h, const uint32_t *words, uint32_t n)
{
	uint32_t at = h->table.n_words;

	if (at + n > HAND_WORDS)
		abort();
	if (n)
		memcpy(h->words + at, words, n * sizeof(*words));
	h->table.n_words += n;
	return at;
}

__attribute__((unused)) static list_at hand_list(struct hand *h, const uint32_t *items, uint32_t n)
{
	list_at at = hand_words(h, &n, 1);

	(void)hand_words(h, items, n);
	return at;
}

/* A list of texts, up to NULL. */
__attribute__((unused)) static list_at hand_texts(struct hand *h, const char *const *texts)
{
	uint32_t items[64], n = 0;

	for (; texts[n]; n++)
		items[n] = hand_text(h, texts[n]);
	return hand_list(h, items, n);
}

/* A command line, up to NULL; its place in the word area. */
__attribute__((unused)) static uint32_t hand_command(struct hand *h, uint32_t flags, const char *const *argv)
{
	uint32_t words[67] = { flags, 7, 0 };

	for (; argv[words[2]]; words[2]++)
		words[3 + words[2]] = hand_text(h, argv[words[2]]);
	return hand_words(h, words, 3 + words[2]);
}

__attribute__((unused)) static uint32_t hand_mount(struct hand *h, enum mount_kind kind, uint32_t flags, const char *source,
						   const char *target, const char *options)
{
	const uint32_t words[] = { (uint32_t)kind, flags, 9, hand_text(h, source), hand_text(h, target), hand_text(h, options) };

	return hand_words(h, words, 6);
}

#endif
