/* arena.h - memory that is given back all at once; pure. */
#ifndef CONF_KIT_ARENA_H
#define CONF_KIT_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct chunk;

/* Zero is an empty arena. */
struct arena {
	struct chunk *newest;
	size_t left;
	char *next;
	bool dry;   /* some allocation failed */
	bool fixed; /* there is only what it began with */
};

/* Zeroed memory for any type, or NULL and `dry`. Valid until arena_free(). */
void *arena_get(struct arena *a, size_t size);

/* Room of `size` bytes that begins with the `used` ones at `from`, NULL where there are none; or NULL. The old room stays as it is. */
void *arena_more(struct arena *a, const void *from, size_t used, size_t size);

/* A copy with a NUL behind it, or NULL. */
char *arena_copy(struct arena *a, const char *s, size_t n);

void arena_free(struct arena *a);

#endif
