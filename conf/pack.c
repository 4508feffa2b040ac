/* pack.c - the finished table in one piece: header, units, words, texts; pure. */
#include <errno.h>
#include <string.h>

#include "conf/compile.h"
#include "conf/kit/crc.h"

/* Origins last: nobody but show, and a person in need, looks at them. */
static list_at write_origins(struct build *b, const struct assignment *said, uint32_t n)
{
	size_t at = offsetof(struct unit, origins);

	build_lists(b);
	for (uint32_t i = 0; i < n && !b->failed; i++) {
		const uint32_t words[] = { said[i].setting, build_text(b, said[i].file, strlen(said[i].file)),
					  said[i].line,
					   build_text(b, said[i].value, strlen(said[i].value)) };

		build_append(b, at, build_words(b, words, 4));
	}
	return build_list(b, at);
}

static size_t align(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

int pack_table(struct compiler *c, void **ret, size_t *ret_size)
{
	struct build *b = &c->build;

	for (uint32_t i = 0; i < c->n_drafts; i++) {
		struct draft *d = &c->drafts[i];

		d->u.load = (uint8_t)d->load;
		/* Also of units whose file was never read: a table has no unit that cannot be stopped. */
		if (!d->u.restart_signal)
			d->u.restart_signal = d->u.kill_signal;
		if (d->fault)
			d->u.fault = build_text(b, d->fault, strlen(d->fault));
		d->u.origins = write_origins(b, d->said, d->n_said);
	}
	c->house.origins = write_origins(b, c->house_said, c->n_house_said);
	if (b->failed)
		return -ENOMEM;

	size_t units = align(sizeof(struct table)), words = units + c->n_drafts * sizeof(struct unit);
	size_t texts = words + (size_t)b->n_words * 4, total = align(texts + b->n_text);

	if (total > UINT32_MAX)
		return -E2BIG;

	char *out = arena_get(&c->arena, total);

	if (!out)
		return -ENOMEM;

	struct table t = {
		.magic = TABLE_MAGIC, .version = TABLE_VERSION, .total = (uint32_t)total,
		.n_units = c->n_drafts, .units_at = (uint32_t)units, .words_at = (uint32_t)words, .n_words = b->n_words,
		.texts_at = (uint32_t)texts, .n_text = b->n_text,
		.findings = c->findings->errors, .warnings = c->findings->warnings, .house = c->house,
	};

	memcpy(out, &t, sizeof(t));
	for (uint32_t i = 0; i < c->n_drafts; i++)
		memcpy(out + units + i * sizeof(struct unit), &c->drafts[i].u, sizeof(struct unit));
	memcpy(out + words, b->words, (size_t)b->n_words * 4);
	memcpy(out + texts, b->text, b->n_text);

	size_t after = offsetof(struct table, crc) + sizeof(t.crc);

	((struct table *)(void *)out)->crc = crc32_of(out + after, total - after);
	*ret = out;
	*ret_size = total;
	return 0;
}
