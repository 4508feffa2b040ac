/* entry.c - Entrypoint= and Exec=, and the command that they and an image make together; pure. */
#include "conf/entry.h"

#include <string.h>

#include "conf/oci.h"

/* Words of a value, quotes taken off and %x replaced; NULL where that cannot be. */
static const char **take_words(struct reading *r, const char *value, uint32_t *ret_n)
{
	struct text word = word_buffer(r, value);
	const char **at = arena_get(r->arena, (strlen(value) / 2 + 2) * sizeof(*at));
	const char *from = value;
	uint32_t n = 0;
	int more;

	if (!word.at || !at)
		return NULL;
	while ((more = next_word(r, &from, &word, value)) > 0) {
		const char *done = resolve(r, word.at);

		at[n] = done ? arena_copy(r->arena, done, strlen(done)) : NULL;
		if (!at[n++])
			return NULL;
	}
	*ret_n = n;
	return more < 0 ? NULL : at;
}

static bool keep(struct reading *r, struct entry_part *part, const char *const *at, uint32_t n, bool plain)
{
	*part = (struct entry_part){ .at = at, .n = n, .line = r->line, .file = r->file, .name = r->name, .plain = plain };
	return true;
}

/* podman-systemd.unit(5): "Multi option commands" are "a JSON string array". */
static bool read_entrypoint(struct reading *r, const char *value)
{
	struct entry unused, *entry = r->entry ? r->entry : &unused;
	struct oci_words list = { .n = 0 };
	const char **at;
	uint32_t n = 0;

	if (*value == '[') {
		if (!oci_list(value, r->arena, &list))
			return refuse(r, value, "is no array of texts in JSON; write words, or [\"/bin/app\", \"-v\"]");
		if (!list.n)
			return refuse(r, value, "names no program; write its path inside the image");
		return keep(r, &entry->program, list.at, list.n, true);
	}
	at = take_words(r, value, &n);
	return at && (n || refuse(r, value, "names no program; write its path inside the image")) && keep(r, &entry->program, at, n, false);
}

static bool read_args(struct reading *r, const char *value)
{
	struct entry unused, *entry = r->entry ? r->entry : &unused;
	uint32_t n = 0;
	const char **at = take_words(r, value, &n);

	return at && keep(r, &entry->args, at, n, false);
}

const char *entry_doubled(struct reading *r, const char *value, char sign)
{
	struct text t = { .size = 2 * strlen(value) + 1 };

	if (!strchr(value, sign))
		return value;
	t.at = arena_get(r->arena, t.size);
	for (const char *s = value; t.at && *s; s++) {
		if (*s == sign)
			text_char(&t, sign);
		text_char(&t, *s);
	}
	return t.at;
}

/* "./run" where the unit works in /app is /app/./run; NULL for want of memory. */
static const char *from_workdir(struct compiler *c, struct reading *r, const char *program)
{
	const struct unit *u = r->into;
	const char *dir = c->build.text + u->workdir;
	struct text t = { .size = strlen(dir) + strlen(program) + 2 };

	if (*dir == '~')
		return program;
	t.at = arena_get(r->arena, t.size);
	if (!t.at)
		return NULL;
	text_put(&t, dir);
	if (!t.len || t.at[t.len - 1] != '/')
		text_char(&t, '/');
	text_put(&t, program);
	return t.at;
}

void entry_settle(struct compiler *c, struct draft *d, struct reading *r)
{
	const struct entry_part *program = &r->entry->program, *args = &r->entry->args;
	const struct entry_part *by = program->n ? program : args;
	uint32_t n = program->n + args->n, at = 0, flags = 0;
	const char **words = arena_get(r->arena, ((size_t)n + 2) * sizeof(*words)), *first;
	char why[MAX_FINDING - 100] = "";

	if (!n || !words)
		return;
	d->commanded = true;
	first = by->at[0];
	if (*first != '/' && strchr(first, '/') && first[strlen(first) - 1] != '/') {
		/* It is run from there, and called what it was called. */
		words[at++] = from_workdir(c, r, first);
		flags = CMD_ARGV0;
	}
	for (uint32_t i = 0; i < n; i++) {
		const struct entry_part *part = i < program->n ? program : args;
		const char *word = i < program->n ? program->at[i] : args->at[i - program->n];

		/* What is run is never looked into for variables; see supervise/expand.h. */
		words[at++] = i && part->plain ? entry_doubled(r, word, '$') : word;
	}
	for (uint32_t i = 0; i < at; i++)
		if (!words[i])
			return;
	r->why = TEXT(why);
	if (check_program(r, words[0], first))
		command_put(&c->build, offsetof(struct unit, start), flags, by->line, words, at);
	else
		finding_add(c->findings, SAY_ERROR, by->file, by->line, "%s%s %s", by->name, by->line ? "=:" : ":", why);
	r->why = (struct text){ 0 };
}

static bool is_simple(const char *s)
{
	for (const char *c = s; *c; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') && !(*c >= '0' && *c <= '9') && !strchr("/._-+=:,@", *c))
			return false;
	return *s != '\0';
}

size_t entry_room(const char *word)
{
	return 4 * strlen(word) + 3;
}

void entry_quote(struct text *t, const char *word, bool dollars)
{
	static const char escaped[] = "\n\t\r", letters[] = "ntr";
	bool simple = is_simple(word);

	if (!simple)
		text_char(t, '"');
	for (const char *s = word; *s; s++) {
		const char *known = strchr(escaped, *s);

		if (known) {
			text_char(t, '\\');
			text_char(t, letters[known - escaped]);
		} else if ((unsigned char)*s < ' ' || *s == 0x7f) {
			text_fmt(t, "\\x%02x", (unsigned char)*s);
		} else {
			if (*s == '"' || *s == '\\')
				text_char(t, '\\');
			if (*s == '$' && dollars)
				text_char(t, '$');
			text_char(t, *s);
		}
	}
	if (!simple)
		text_char(t, '"');
}

const struct kind kind_entrypoint = { "entry", "command line, or an array of texts in JSON", read_entrypoint, NULL };
const struct kind kind_args = { "entry", "command line", read_args, NULL };
