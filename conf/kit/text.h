/* text.h - a bounded text builder, words split with quotes, and the nearest name for a typo; pure. */
#ifndef CONF_KIT_TEXT_H
#define CONF_KIT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Always NUL-terminated while size > 0; what does not fit is left out and `cut` is set. */
struct text {
	char *at;
	size_t size, len;
	bool cut;
};

#define TEXT(buffer) ((struct text){ .at = (buffer), .size = sizeof(buffer) })

void text_char(struct text *t, char c);
void text_put(struct text *t, const char *s);
void text_bytes(struct text *t, const char *s, size_t n);
void text_num(struct text *t, int64_t n);
/* printf into it; for what the plain ones above cannot. */
void text_fmt(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Somebody else's bytes made safe to show: control characters and bytes that are no UTF-8 become \xNN, at most `most` bytes are taken. */
void text_shown(struct text *t, const char *s, size_t n, size_t most);
/* "1.5s", "2min 30s", "infinity": a span as a person would write it, read back by the parser to the same value. */
void text_span(struct text *t, int64_t msec);

/* Length of the UTF-8 sequence that starts at `s` (RFC 3629: no surrogates, nothing overlong), 0 where it is none; n > 0. */
size_t text_utf8(const char *s, size_t n);

/*
 * The next word of *at: blanks part words; quotes, also in mid-word, and C escapes
 * are taken off as systemd.syntax(7) says. Moves *at behind it; `into` needs no more
 * room than strlen(*at) + 1. 1: a word (perhaps empty, when quoted), 0: the end,
 * -EINVAL: a quote without its partner, or a backslash that ends the text,
 * -EILSEQ: an escape that there is not. With TEXT_RELAX, for text of unknown
 * authors, there are no errors and no C escapes: \x is x.
 */
#define TEXT_RELAX 1u
int text_word(const char **at, struct text *into, unsigned flags);

/* The candidate nearest to `word` (at most a third of its letters differ), or NULL; `next` yields candidates until NULL. */
const char *text_nearest(const char *word, const char *(*next)(void *self), void *self);

#endif
