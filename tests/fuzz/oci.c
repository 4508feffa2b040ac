/* oci.c - an image's config as its builder pleases: a finding or what a unit can be made of, and the table of it is sound. */
#include "conf/oci.h"

#include <stdlib.h>
#include <string.h>

#include "conf/compile.h"
#include "conf/implied.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A contract that does not hold ends the program, which every runner of a fuzz target notices. */
static void must(bool holds)
{
	if (!holds)
		abort();
}

static void look_at_words(const struct oci_words *w)
{
	must(w->n <= MAX_OCI_WORDS);
	for (uint32_t i = 0; i < w->n; i++)
		must(w->at[i] != NULL);
}

/* What a runner relies on: nothing is there that is not said, and all of it is text. */
static void look(const struct oci *o, const struct findings *fs)
{
	const struct oci_words *all[] = { &o->env, &o->entrypoint, &o->cmd, &o->volumes, &o->shell, &o->groups, &o->check };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		look_at_words(all[i]);
	must(o->keys != NULL && o->file != NULL);
	must(o->interval >= 0 && o->timeout >= 0 && o->start_period >= 0 && o->start_interval >= 0 && o->retries >= 0);
	must((o->check_kind != OCI_CHECK_CMD && o->check_kind != OCI_CHECK_SHELL) || (o->check.n > 0 && *o->check.at[0]));
	for (uint32_t i = 0; !fs->errors && i < o->env.n; i++) {
		size_t n = strcspn(o->env.at[i], "=");

		must(n > 0 && o->env.at[i][n] == '=');
		for (uint32_t k = i + 1; k < o->env.n; k++)
			must(strncmp(o->env.at[i], o->env.at[k], n + 1) != 0);
	}
}

static const struct oci *says;

static const struct oci *image_says(void *self, const char *image, const char **fault)
{
	(void)self;
	must(!strcmp(image, "x"));
	*fault = NULL;
	return says;
}

/* Two units of it, one that says nothing and one that says much, and the single app. */
static void compile(const struct oci *o, bool good)
{
	static const char plain[] = "[Service]\nImage=x\n";
	static const char own[] = "[Service]\nImage=x\nUser=me\nExec=a $B\nVolume=v:/data\nHealthInterval=1s\nKillSignal=INT\n";
	struct findings fs = { 0 };
	struct compiler c;
	void *table = NULL, *packed;
	size_t n = 0;

	must(compile_open(&c, &fs, 16) == 0 && compile_house(&c) == 0);
	says = o;
	c.image_says = image_says;
	c.parsed.house = false;

	uint32_t a = draft_add(&c, "a", "a.service", UNIT_SERVICE, "a.service", "/a.service");
	uint32_t app = draft_add(&c, "app", "app.service", UNIT_SERVICE, "f.json", "f.json");
	uint32_t b = draft_add(&c, "b", "b.service", UNIT_SERVICE, "b.service", "/b.service");

	c.drafts[app].is_app = true;
	c.drafts[app].oci = o;
	for (uint32_t i = a; i <= b; i++) {
		findings_mark(&fs);
		parse_begin(&c.parsed);
		if (i != app)
			must(parse_text(&c.parsed, i == a ? plain : own, i == a ? sizeof(plain) - 1 : sizeof(own) - 1, c.drafts[i].file) == 0);
		must(compile_unit(&c, i) == 0);
		draft_blame(&c, &c.drafts[i]);
	}
	implied_house(&c, &c.drafts[app]);
	must(link_units(&c) == 0 && pack_table(&c, &packed, &n) == 0);
	/* Of its very size, so that a look beyond its end is seen. */
	table = malloc(n);
	must(table != NULL);
	memcpy(table, packed, n);
	must(!table_verify(table, n));

	const struct table *t = table;

	for (uint32_t i = 0; i < t->n_units; i++) {
		const struct unit *u = table_unit(t, i);
		const struct command *cmd = list_count(t, u->start) ? (const void *)table_words(t, list_item(t, u->start, 0)) : NULL;

		must(list_count(t, u->start) <= 1);
		/* Whoever may start has a program, and it is one that is looked for in its root. */
		if (u->load != LOAD_OK)
			continue;
		must(cmd && cmd->argc > 0);
		const char *program = table_text(t, cmd->argv[0]);

		must(*program && (*program == '/' || !strchr(program, '/')));
		must(list_count(t, u->image_env) == o->env.n || !good);
	}
	must(t->house.app_signal > 0 && t->house.supervise != SUPERVISE_AUTO);
	free(table);
	findings_free(&fs);
	compile_close(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct findings fs = { 0 };
	struct oci o = { .file = NULL };
	const uint8_t *end = size ? memchr(data, 1, size) : NULL;
	size_t n = end ? (size_t)(end - data) : size;

	/* What stands behind a byte 1 is the image's NAME.env. */
	must(oci_read((const char *)data, n, "f.json", &arena, &fs, &o) == 0);
	look(&o, &fs);
	if (end)
		must(oci_read_env((const char *)end + 1, size - n - 1, "f.env", &arena, &fs, &o) == 0);
	look(&o, &fs);
	for (uint32_t i = 0; i < fs.n; i++)
		must(fs.at[i].text[0] && !strpbrk(fs.at[i].text, "\n\r"));
	compile(&o, !fs.errors);
	findings_free(&fs);
	arena_free(&arena);
	return 0;
}

#ifdef FUZZ_SWEEP
#include "tests/fuzz/sweep.h"
#endif
