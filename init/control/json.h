/*
 * json.h - a growing buffer with a limit, a JSON writer on top of it, and a look at the shape of JSON text; pure.
 *
 * Reading is jansson's business; this is only for what jansson cannot do cheaply:
 * writing a thousand units without building a tree, and refusing depth before parsing.
 */
#ifndef INIT_CONTROL_JSON_H
#define INIT_CONTROL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bytes on the heap, never more than `most`; all zero but `most` is an empty one.
 * What does not fit is left out whole, and `broken` is set.
 */
struct buf {
	char *at;
	size_t len, size, most;
	bool broken;
};

void buf_put(struct buf *b, const char *bytes, size_t n);
/* Forgets the first `n` bytes. An empty buffer gives its memory back. */
void buf_drop(struct buf *b, size_t n);
/* Forgets what was put after `len`; `broken` is forgiven. */
void buf_cut(struct buf *b, size_t len);
void buf_free(struct buf *b);

/* Writes JSON into a buffer (NULL: into nothing) and sets the commas itself. */
struct jout {
	struct buf *to;
	bool comma;
};

void jout_open(struct jout *j, char bracket);  /* '{' or '[' */
void jout_close(struct jout *j, char bracket); /* '}' or ']' */
void jout_key(struct jout *j, const char *key); /* a plain word of ours */
void jout_int(struct jout *j, int64_t n);
void jout_bool(struct jout *j, bool yes);
void jout_null(struct jout *j);
/* Somebody's bytes as a string: always valid UTF-8; a byte that is none becomes the four characters \xNN. */
void jout_bytes(struct jout *j, const char *s, size_t n);
void jout_text(struct jout *j, const char *s);
/* A moment, in ms since 1970, as RFC 3339 in UTC with milliseconds; below 0: null. */
void jout_time(struct jout *j, int64_t wall);
/* JSON made elsewhere. */
void jout_raw(struct jout *j, const char *json, size_t n);

/* "2026-01-31T12:00:00.000Z" into a buffer of 32 bytes. Returns it. */
char *time_rfc3339(int64_t wall, char into[32]);

/*
 * Looks at JSON text without parsing it: 0, -E2BIG where brackets outside of
 * strings nest deeper than `most`, -EINVAL where there is a NUL. Whether it is
 * JSON at all is not asked.
 */
int json_shape(const char *s, size_t n, unsigned most);

#endif
