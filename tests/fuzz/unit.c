/* unit.c - feeds the reader of unit files with anything: a finding or a sound table, and what a table says can be read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/compile.h"
#include "conf/kinds.h"
#include "conf/parse.h"
#include "conf/unit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A contract that does not hold ends the program, which every runner of a fuzz target notices. */
static void must(bool holds)
{
	if (!holds)
		abort();
}

static void load(const char *data, size_t size, bool house, struct findings *fs, void **ret)
{
	struct compiler c;
	size_t n = 0;

	must(compile_open(&c, fs, 16) == 0);
	if (house)
		must(parse_text(&c.parsed, data, size, "coppice.conf") == 0);
	must(compile_house(&c) == 0);

	uint32_t i = draft_add(&c, "a@1", "a@1.service", UNIT_SERVICE, "a@1.service", "/a@1.service");
	uint32_t k = draft_add(&c, "b", "b.service", UNIT_SERVICE, "b.service", "/b.service");
	static const char other[] = "[Unit]\nAfter=a@1\n[Service]\nExecStart=/b\n";

	must(i == 0 && k == 1);
	c.parsed.house = false;
	for (uint32_t u = 0; u < 2; u++) {
		findings_mark(fs);
		parse_begin(&c.parsed);
		must(parse_text(&c.parsed, u || house ? other : data, u || house ? sizeof(other) - 1 : size,
				c.drafts[u].file) == 0);
		must(compile_unit(&c, u) == 0);
		draft_blame(&c, &c.drafts[u]);
	}
	must(link_units(&c) == 0);
	void *packed;
	must(pack_table(&c, &packed, &n) == 0);
	/* Of its very size, so that a look beyond its end is seen. */
	*ret = malloc(n);
	must(*ret != NULL);
	memcpy(*ret, packed, n);
	compile_close(&c);
	must(!table_verify(*ret, n));
	must(((struct table *)*ret)->total == n);
}

/*
 * What scalars print is read back to the same values: a second table from these lines
 * prints the same. False where a line cannot carry one.
 */
static bool print(const struct table *t, char *into, size_t size)
{
	const struct unit *u = table_unit(t, table_find(t, "a@1"));
	struct text out = { .at = into, .size = size };
	int section = -1;

	into[0] = '\0';
	for (uint32_t i = 0; i < n_settings; i++) {
		const struct setting *s = &settings[i];
		size_t before = out.len;

		if (s->same || section_is_house(s->section) || !section_fits(s->section, UNIT_SERVICE) ||
		    !s->kind->print)
			continue;
		if (section != s->section)
			text_fmt(&out, "[%s]\n", section_name(s->section));
		section = s->section;
		text_fmt(&out, "%s=", s->name);
		size_t at = out.len;

		s->kind->print(&out, t, u, s);
		if (strpbrk(into + at, "\n\r\\\t\x7f") || into[at] == ' ' ||
		    (out.len > at && into[out.len - 1] == ' '))
			return false;
		if (out.len == at && !(s->flags & SET_EMPTY)) {
			out.len = before;
			into[before] = '\0';
		} else {
			text_char(&out, '\n');
		}
	}
	text_put(&out, "[Service]\nExecStart=/x\n");
	return !out.cut;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char once[128 << 10], twice[128 << 10];
	struct findings fs = { 0 }, again = { 0 };
	void *table = NULL, *second = NULL;
	bool house = size && data[0] == '!';

	load((const char *)data + house, size - house, house, &fs, &table);

	const struct unit *u = table_unit(table, table_find(table, "a@1"));

	must(fs.n <= MAX_FINDINGS);
	for (uint32_t i = 0; i < fs.n; i++)
		must(fs.at[i].text[0] && !strpbrk(fs.at[i].text, "\n\r"));
	if (!fs.errors)
		must(u->load == LOAD_OK);
	if (u->load == LOAD_BAD)
		must(table_text(table, u->fault)[0]);
	/* One bad unit never stops the other, unless they wait for each other. */
	if (table_unit(table, table_find(table, "b"))->load != LOAD_OK)
		must(strstr(table_text(table, u->fault), " needs ") != NULL ||
		     strstr(table_text(table, table_unit(table, table_find(table, "b"))->fault), " needs "));
	if (!house && u->load == LOAD_OK && u->type != TYPE_CHECK && print(table, once, sizeof(once))) {
		load(once, strlen(once), false, &again, &second);
		must(print(second, twice, sizeof(twice)));
		must(!again.errors);
		must(!strcmp(once, twice));
	}
	free(second);
	free(table);
	findings_free(&fs);
	findings_free(&again);
	return 0;
}

#ifdef FUZZ_SWEEP
#include "tests/fuzz/sweep.h"
#endif
