/* arena.c - memory that is given back all at once; pure. */
#include "conf/kit/arena.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define CHUNK ((size_t)256 << 10) /* of addresses: only what is written takes memory */
#define ALIGN _Alignof(max_align_t)

struct chunk {
	_Alignas(max_align_t) struct chunk *older;
	size_t size;
};

/* Not by calloc, which in musl reads each page before it writes: twice the page faults, and those are most of what a short life costs. */
static struct chunk *chunk_get(size_t room)
{
	size_t size = sizeof(struct chunk) + room;
	struct chunk *c = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (c == MAP_FAILED)
		return NULL;
	c->size = size;
	return c;
}

void *arena_get(struct arena *a, size_t size)
{
	if (size > SIZE_MAX / 2 || (a->fixed && size > a->left)) {
		a->dry = true;
		return NULL;
	}
	size = (size + ALIGN - 1) / ALIGN * ALIGN;
	if (size > a->left) {
		/* What is too big for a share of a chunk gets one of its own, and the open one stays open. */
		size_t room = size > CHUNK / 4 ? size : CHUNK;
		struct chunk *c = chunk_get(room);

		if (!c) {
			a->dry = true;
			return NULL;
		}
		c->older = a->newest;
		a->newest = c;
		if (room == size)
			return c + 1;
		a->next = (char *)(c + 1);
		a->left = room;
	}
	void *out = a->next;

	a->next += size;
	a->left -= size;
	return out;
}

void *arena_more(struct arena *a, const void *from, size_t used, size_t size)
{
	void *out = arena_get(a, size);

	if (out && used)
		memcpy(out, from, used);
	return out;
}

char *arena_copy(struct arena *a, const char *s, size_t n)
{
	char *out = arena_get(a, n + 1);

	if (out)
		memcpy(out, s, n);
	return out;
}

void arena_free(struct arena *a)
{
	for (struct chunk *c = a->newest, *older; c; c = older) {
		older = c->older;
		(void)munmap(c, c->size);
	}
	*a = (struct arena){ 0 };
}
