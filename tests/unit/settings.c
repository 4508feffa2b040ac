/* settings.c - walks the whole table: names, presets, examples, aliases, and what is not ours. */
#include "conf/settings.h"

#include <stdlib.h>
#include <string.h>

#include "conf/compile.h"
#include "conf/emit.h"
#include "conf/kinds.h"
#include "tests/lib/tap.h"

static const char *host_says(void *self, char what)
{
	(void)self;
	return what == 'H' ? "host" : NULL;
}

/* A unit, or coppice.conf, that says one thing; the findings about it, one after the other. */
static void say_one(enum section section, const char *name, const char *value, char *said, size_t size)
{
	char text[4096];
	struct text t = TEXT(text), all = { .at = said, .size = size };
	struct findings fs = { 0 };
	struct compiler c;
	enum unit_kind kind = section == IN_IMAGE ? UNIT_IMAGE : UNIT_SERVICE;
	uint32_t i;

	said[0] = '\0';
	text_fmt(&t, "[%s]\n%s=%s\n", section_name(section), name, value);
	if (compile_open(&c, &fs, 4) < 0)
		exit(1);
	c.host.says = host_says;
	if (section_is_house(section))
		parse_text(&c.parsed, text, t.len, "coppice.conf");
	compile_house(&c);
	i = draft_add(&c, "u", "u.service", kind, "u.service", "/u.service");
	c.parsed.house = false;
	c.parsed.kind = kind;
	parse_begin(&c.parsed);
	if (!section_is_house(section))
		parse_text(&c.parsed, text, t.len, "u.service");
	compile_unit(&c, i);
	for (uint32_t k = 0; k < fs.n; k++)
		if (fs.at[k].line || !strcmp(fs.at[k].file, "preset")) {
			finding_put(&all, &fs.at[k]);
			text_char(&all, ' ');
		}
	findings_free(&fs);
	compile_close(&c);
}

/* What the rules ask for beside the one setting is no fault of the example. */
static bool is_alone(const char *said, const char *name)
{
	char start[128];
	struct text t = TEXT(start);

	text_fmt(&t, "%s=: there is no Image=", name);
	return strstr(said, start) || !*said;
}

static void test_rows(void)
{
	for (uint32_t i = 0; i < n_settings; i++) {
		const struct setting *s = &settings[i];
		const char *section = section_name(s->section), *why;
		char said[2048], name[64];
		uint32_t twins = 0;

		for (uint32_t k = 0; k < n_settings; k++)
			twins += settings[k].section == s->section && !strcmp(settings[k].name, s->name);
		CHECK(twins == 1, "[%s] %s stands there once", section, s->name);
		CHECK(!setting_is_foreign(s->section, s->name, &why), "[%s] %s is not called foreign as well",
		      section, s->name);
		if (s->same)
			continue;
		if (!CHECK(s->kind && s->brief && s->example, "[%s] %s has a kind, a brief and an example",
			   section, s->name))
			continue;
		snprintf(name, sizeof(name), "%s", !strcmp(s->name, "*") ?
			 "kernel.pid_max" : !strcmp(s->name, "On*") ? "OnSIGUSR2" :
			 !strcmp(s->name, "Default*") ? "DefaultRestartSec" : s->name);
		say_one(s->section, name, s->example, said, sizeof(said));
		CHECK(is_alone(said, s->name), "[%s] %s: its example \"%s\" reads well: %s", section, s->name,
		      s->example, said);
		for (const char *p = s->preset; p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL) {
			char one[512];

			snprintf(one, sizeof(one), "%.*s", (int)strcspn(p, "\n"), p);
			say_one(s->section, name, one, said, sizeof(said));
			CHECK(is_alone(said, s->name), "[%s] %s: its preset \"%s\" reads well: %s", section,
			      s->name, one, said);
		}
	}
}

static void test_find(void)
{
	static const struct { enum section in; const char *name, *real; } cases[] = {
		{ IN_SERVICE, "ExecStart", "ExecStart" }, { IN_CONTAINER, "Exec", "Exec" }, { IN_SERVICE, "Exec", "Exec" }, { IN_CONTAINER, "WorkingDir", "WorkingDirectory" },
		{ IN_CONTAINER, "StopSignal", "KillSignal" }, { IN_CONTAINER, "StopTimeout", "TimeoutStopSec" }, { IN_CONTAINER, "User", "User" },
		{ IN_SERVICE, "Image", "Image" }, { IN_SERVICE, "HealthTcp", "HealthTcp" }, { IN_CONTAINER, "Restart", NULL }, { IN_UNIT, "User", NULL },
		{ IN_SERVICE, "execstart", NULL }, { IN_SERVICE, "", NULL }, { IN_MANAGER, "OnSIGHUP", "On*" }, { IN_MANAGER, "On", NULL },
		{ IN_MANAGER, "DefaultEnvironment", "DefaultEnvironment" }, { IN_MANAGER, "DefaultNice", "Default*" },
		{ IN_SYSCTL, "net.ipv4.ip_forward", "net.ipv4.ip_forward" }, { IN_SYSCTL, "kernel.x", "*" }, { IN_BOOT, "OnSIGHUP", NULL },
	};
	static struct setting_index ix;

	settings_index(&ix);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint32_t found = settings_find(&ix, cases[i].in, cases[i].name);
		const char *real = found == NO_SETTING ? NULL : settings[ix.real[found]].name;

		CHECK((!real && !cases[i].real) || (real && cases[i].real && !strcmp(real, cases[i].real)),
		      "[%s] %s is %s", section_name(cases[i].in), cases[i].name,
		      real ? real : "nothing");
	}
	for (uint32_t i = 0; i < n_settings; i++) {
		CHECK(settings_find(&ix, settings[i].section, settings[i].name) == i, "[%s] %s is found",
		      section_name(settings[i].section), settings[i].name);
		CHECK(!settings[i].same || (ix.real[i] != i && !settings[ix.real[i]].same &&
					    !strcmp(settings[ix.real[i]].name, settings[i].same)),
		      "%s leads to a setting of its own", settings[i].name);
	}
	for (uint32_t i = 0; i < n_settings; i++)
		for (uint32_t k = 0; settings[i].resets && k < n_settings; k++)
			if (!strcmp(settings[k].name, settings[i].resets))
				CHECK(ix.reset[i] == ix.reset[k], "%s and %s are reset together",
				      settings[i].name, settings[k].name);
}

static const char *slurp(const char *path)
{
	static char text[1 << 20];
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	if (f)
		fclose(f);
	text[n] = '\0';
	return text;
}

/* The dictionary of the fuzzer knows every name. */
static void test_dictionary(void)
{
	const char *dict = slurp("tests/fuzz/unit.dict");
	char word[128];

	for (uint32_t i = 0; i < n_settings; i++) {
		snprintf(word, sizeof(word), "\"%s=\"", settings[i].name);
		CHECK(strchr(settings[i].name, '*') || strstr(dict, word), "tests/fuzz/unit.dict has %s", word);
	}
}

static void test_emit(void)
{
	char *text = NULL;
	size_t size = 0;

	for (int house = 0; house < 2; house++) {
		FILE *out = open_memstream(&text, &size);

		emit_manual(out, house);
		fclose(out);
		for (uint32_t i = 0; i < n_settings; i++) {
			char item[128];

			snprintf(item, sizeof(item), ".It Cm %s=\n", settings[i].name);
			if (section_is_house(settings[i].section) == (bool)house &&
			    strcmp(settings[i].same ? settings[i].same : "", settings[i].name))
				CHECK(strstr(text, item), "the manual has %s", settings[i].name);
		}
		CHECK(!strstr(text, "\n\n"), "no blank lines, which mdoc does not want");
		free(text);
	}
}

int main(int argc, char **argv)
{
	/* For whoever writes the manual or the dictionary: what the table makes of them. */
	if (argc > 1 && !strcmp(argv[1], "dict")) {
		for (uint32_t i = 0; i < n_settings; i++)
			if (!strchr(settings[i].name, '*'))
				printf("\"%s=\"\n", settings[i].name);
		return 0;
	}
	if (argc > 1) {
		emit_manual(stdout, !strcmp(argv[1], "house"));
		return 0;
	}
	test_rows();
	test_find();
	test_dictionary();
	test_emit();
	return tap_done();
}
