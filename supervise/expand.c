/* expand.c - one pass over each word; what grows is counted; pure. */
#include "supervise/expand.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The vector in the making, and how much of MAX_EXPANDED is left. */
struct words {
	struct arena *arena;
	char **at;
	size_t n, room, left;
	const struct env *env;
	struct text *unset;
};

static int put_word(struct words *w, char *word)
{
	if (w->n + 1 >= w->room) {
		size_t room = w->room ? w->room * 2 : 64;
		char **grown = arena_more(w->arena, w->at, w->n * sizeof(*grown), room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		w->at = grown;
		w->room = room;
	}
	w->at[w->n++] = word;
	w->at[w->n] = NULL;
	return 0;
}

/* Room for a text of at most n bytes and its NUL, off what one command line may take. */
static char *take_room(struct words *w, size_t n, int *rc)
{
	if (n >= w->left) {
		*rc = -E2BIG;
		return NULL;
	}
	w->left -= n + 1;

	char *room = arena_get(w->arena, n + 1);

	*rc = room ? 0 : -ENOMEM;
	return room;
}

static const char *look_up(struct words *w, const char *name, size_t n, bool tell)
{
	const char *value = env_get(w->env, name, n);

	if (!value && tell) {
		if (w->unset->len)
			text_char(w->unset, ' ');
		text_shown(w->unset, name, n, 40);
	}
	return value ? value : "";
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Takes the next word of a value, quotes off, what a backslash precedes as it is. Returns where its text ends, or NULL. */
static char *take_word(const char **from, char *out)
{
	const char *s = *from;
	char quote = '\0';

	while (is_blank(*s))
		s++;
	if (!*s)
		return NULL;
	for (; *s && (quote || !is_blank(*s)); s++) {
		if (quote && *s == quote)
			quote = '\0';
		else if (!quote && (*s == '\'' || *s == '"'))
			quote = *s;
		else if (*s == '\\' && s[1])
			*out++ = *++s;
		else
			*out++ = *s;
	}
	*out = '\0';
	*from = s;
	return out;
}

/* "$FOO" as a whole word: all its words fit where the value would, as each is followed by a blank or the end. */
static int expand_split(struct words *w, const char *name)
{
	const char *value = look_up(w, name, strlen(name), true);
	int rc = 0;
	char *word = *value ? take_room(w, strlen(value), &rc) : NULL, *end;

	while (rc == 0 && word && (end = take_word(&value, word))) {
		rc = put_word(w, word);
		word = end + 1;
	}
	return rc;
}

/* How long "${NAME}" at `s` is, or 0 where there is no such thing. */
static size_t braced(const char *s)
{
	const char *end = s[0] == '$' && s[1] == '{' ? strchr(s + 2, '}') : NULL;

	return end ? (size_t)(end - s) + 1 : 0;
}

/* "${FOO}" and "$$" within a word. Twice the same walk: first it counts, then it writes. */
static size_t fill_word(struct words *w, const char *s, char *out)
{
	size_t n = 0;

	while (*s) {
		const char *piece = s;
		size_t taken = braced(s), len = 1;

		if (taken) {
			piece = look_up(w, s + 2, taken - 3, !out);
			len = strlen(piece);
		} else {
			taken = s[0] == '$' && s[1] == '$' ? 2 : 1;
		}
		if (out)
			memcpy(out + n, piece, len);
		n += len;
		s += taken;
		if (n > MAX_EXPANDED)
			break;
	}
	return n;
}

static int expand_word(struct words *w, const char *raw)
{
	int rc;

	if (!strchr(raw, '$'))
		return put_word(w, (char *)(uintptr_t)raw);
	if (raw[0] == '$' && raw[1] != '{' && raw[1] != '$')
		return expand_split(w, raw + 1);

	size_t n = fill_word(w, raw, NULL);
	char *word = take_room(w, n, &rc);

	if (!word)
		return rc;
	(void)fill_word(w, raw, word);
	return put_word(w, word);
}

int expand_words(struct arena *a, const char *const *raw, uint32_t n, uint32_t fixed, const struct env *env, char ***ret,
		 struct text *unset)
{
	struct words w = { .arena = a, .left = MAX_EXPANDED, .env = env, .unset = unset, .room = (size_t)n + 2 };
	int rc = 0;

	w.at = arena_get(a, w.room * sizeof(*w.at));
	if (!w.at)
		return -ENOMEM;
	for (uint32_t i = 0; i < n && rc == 0; i++)
		rc = i < fixed ? put_word(&w, (char *)(uintptr_t)raw[i]) : expand_word(&w, raw[i]);
	if (rc == 0)
		*ret = w.at;
	return rc;
}
