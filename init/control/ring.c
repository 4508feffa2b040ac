/* ring.c - rings of lines in shared memory; everything found there is looked at before it is used. */
#include "init/control/ring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* From Linux 6.3; older kernels refuse the flag with EINVAL. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define PAGE       4096u
#define ENTRY_OPEN 0x6f70656eu /* flags of the entry at `head`; its ENTRY_REST stands in the lowest bit of the time */

static size_t heads_end(uint32_t n)
{
	size_t end = sizeof(struct logs_head) + ((size_t)n + 1) * sizeof(struct log_head);

	return (end + PAGE - 1) / PAGE * PAGE;
}

static size_t size_for(uint32_t n)
{
	return heads_end(n) + ((size_t)n + 1) * LOG_RING;
}

int ring_create(uint32_t n)
{
	int fd = memfd_create("coppice-logs", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("coppice-logs", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size_for(n)) < 0) {
		int e = errno;

		(void)close(fd);
		return -e;
	}
	return fd;
}

static void copy_in(const struct logs *l, uint32_t i, uint64_t at, const void *from, size_t n)
{
	char *ring = l->rings + (size_t)i * LOG_RING;
	size_t place = (size_t)(at % LOG_RING), first = n < LOG_RING - place ? n : LOG_RING - place;

	memcpy(ring + place, from, first);
	memcpy(ring, (const char *)from + first, n - first);
}

static void copy_out(const struct logs *l, uint32_t i, uint64_t at, void *into, size_t n)
{
	const char *ring = l->rings + (size_t)i * LOG_RING;
	size_t place = (size_t)(at % LOG_RING), first = n < LOG_RING - place ? n : LOG_RING - place;

	memcpy(into, ring + place, first);
	memcpy((char *)into + first, ring, n - first);
}

static uint64_t extent(uint32_t len)
{
	return sizeof(struct entry) + ((uint64_t)len + 7) / 8 * 8;
}

/* The entry at `at`; its length is believed only up to `end`. */
static bool entry_at(const struct logs *l, uint32_t i, uint64_t at, uint64_t end, struct entry *ret)
{
	if (end - at < sizeof(*ret))
		return false;
	copy_out(l, i, at, ret, sizeof(*ret));
	return ret->len <= LOG_LINE && extent(ret->len) <= end - at;
}

static struct entry open_entry(const struct logs *l, uint32_t i)
{
	const struct log_head *h = &l->heads[i];
	struct entry e;

	/* Reading a page of a memfd that nobody wrote would make it: a thousand silent units would cost 4 MB. */
	if (!h->used)
		return (struct entry){ .flags = ENTRY_OPEN };
	copy_out(l, i, h->head, &e, sizeof(e));
	if (e.flags != ENTRY_OPEN || e.len > LOG_LINE || h->head - h->tail > LOG_RING - extent(e.len) - sizeof(e))
		e = (struct entry){ .flags = ENTRY_OPEN };
	return e;
}

static void open_set(const struct logs *l, uint32_t i, uint64_t at, uint32_t len, bool rest)
{
	struct entry e = { .len = len, .flags = ENTRY_OPEN, .at = rest };

	l->heads[i].used = 1;
	copy_in(l, i, at, &e, sizeof(e));
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static bool sound(const struct logs *l, uint32_t i)
{
	const struct log_head *h = &l->heads[i];
	uint64_t at = h->tail;
	struct entry e;

	if (h->head < h->tail || h->head - h->tail > LOG_RING - sizeof(e) || h->tail % 8 || h->head % 8)
		return false;
	while (at < h->head) {
		if (!entry_at(l, i, at, h->head, &e))
			return false;
		at += extent(e.len);
	}
	return true;
}

int logs_map(struct logs *ret, int fd, uint32_t n)
{
	size_t size = size_for(n);
	struct stat st;

	if (n > MAX_UNITS)
		return -EINVAL;
	if (fstat(fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size < size && ftruncate(fd, (off_t)size) < 0)
		return -errno;
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	struct logs l = { .map = at, .size = size, .n = n, .rings = (char *)at + heads_end(n) };
	l.heads = (void *)(l.map + 1);
	if (l.map->magic == 0)
		*l.map = (struct logs_head){ .magic = LOG_MAGIC, .version = LOGS_VERSION, .n = n };
	if (l.map->magic != LOG_MAGIC || l.map->version != LOGS_VERSION || l.map->n != n) {
		logs_unmap(&l);
		return -EBADMSG;
	}
	for (uint32_t i = 0; i <= n; i++) {
		if (sound(&l, i))
			continue;
		/* Later than any place that somebody may remember, so nobody reads old bytes as new ones. */
		uint64_t fresh = l.heads[i].head < UINT64_MAX / 2 ? (l.heads[i].head + LOG_RING + 7) / 8 * 8 : 0;

		l.heads[i].tail = l.heads[i].head = fresh;
		open_set(&l, i, fresh, 0, false);
		l.mended++;
	}
	*ret = l;
	return 0;
}

void logs_unmap(struct logs *l)
{
	if (l->map)
		(void)munmap(l->map, l->size);
	*l = (struct logs){ 0 };
}

static void move_one(const struct logs *to, uint32_t j, const struct logs *from, uint32_t i)
{
	if (!from->heads[i].used)
		return;
	memcpy(to->rings + (size_t)j * LOG_RING, from->rings + (size_t)i * LOG_RING, LOG_RING);
	to->heads[j] = from->heads[i];
}

void ring_move(int to, const struct table *then, int from, const struct table *now)
{
	struct logs a = { 0 }, b = { 0 };

	(void)logs_map(&a, from, now->n_units);
	(void)logs_map(&b, to, then->n_units);
	if (a.map && b.map) {
		for (uint32_t j = 0; j < then->n_units; j++) {
			unit_ix i = table_find(now, table_text(then, table_unit(then, j)->name));

			if (i != NO_UNIT)
				move_one(&b, j, &a, i);
		}
		move_one(&b, then->n_units, &a, now->n_units);
	}
	logs_unmap(&b);
	logs_unmap(&a);
}

/* Moves `tail` until `need` bytes fit behind `head`. */
static void make_room(struct logs *l, uint32_t i, uint64_t need, uint64_t most)
{
	struct log_head *h = &l->heads[i];

	while (h->tail < h->head && h->head + need - h->tail > most) {
		struct entry e;
		uint64_t next = entry_at(l, i, h->tail, h->head, &e) ? h->tail + extent(e.len) : h->head;

		__atomic_store_n(&h->tail, next, __ATOMIC_RELEASE);
	}
}

static void end_line(struct logs *l, uint32_t i, struct entry e, uint32_t flags, msec_t now)
{
	struct log_head *h = &l->heads[i];
	struct entry whole = { .len = e.len, .flags = flags | (e.at & 1 ? ENTRY_REST : 0), .at = now };
	uint64_t next = h->head + extent(e.len);

	open_set(l, i, next, 0, flags & ENTRY_CUT);
	copy_in(l, i, h->head, &whole, sizeof(whole));
	__atomic_store_n(&h->head, next, __ATOMIC_RELEASE);
	if (!(flags & ENTRY_CUT))
		h->lines++;
}

size_t ring_put(struct logs *l, uint32_t i, const char *bytes, size_t n, uint32_t keep, msec_t now, bool *ended)
{
	struct log_head *h = &l->heads[i];
	struct entry e = open_entry(l, i);
	uint64_t most = keep && keep < LOG_RING ? keep : LOG_RING;
	const char *eol = memchr(bytes, '\n', n);
	size_t take = eol ? (size_t)(eol - bytes) : n, room = LOG_LINE - e.len;
	bool full = take > room;

	*ended = false;
	if (eol == bytes && e.len == 0 && e.at & 1) {
		/* The end of a line that was cut already: nothing more to show. */
		open_set(l, i, h->head, 0, false);
		h->lines++;
		return 1;
	}
	if (full)
		take = room;
	/* Room for the next open entry, too. Keeping less than one line makes no sense. */
	make_room(l, i, extent(e.len + (uint32_t)take) + sizeof(e), most);
	copy_in(l, i, h->head + sizeof(e) + e.len, bytes, take);
	e.len += (uint32_t)take;
	*ended = full || eol;
	if (!*ended) {
		open_set(l, i, h->head, e.len, e.at & 1);
		return take;
	}
	if (!full) {
		char last = 0;

		if (e.len)
			copy_out(l, i, h->head + sizeof(e) + e.len - 1, &last, 1);
		if (last == '\r')
			e.len--;
		take++;
	}
	end_line(l, i, e, full ? ENTRY_CUT : 0, now);
	return take;
}

bool ring_cut(struct logs *l, uint32_t i, msec_t now)
{
	struct entry e = open_entry(l, i);

	if (e.len == 0)
		return false;
	make_room(l, i, extent(e.len) + sizeof(e), LOG_RING);
	end_line(l, i, e, ENTRY_CUT, now);
	return true;
}

bool ring_open(const struct logs *l, uint32_t i)
{
	return open_entry(l, i).len > 0;
}

int ring_read(const struct logs *l, uint32_t i, uint64_t *at, struct entry *ret, char *text)
{
	const struct log_head *h = &l->heads[i];

	if (*at < h->tail || *at > h->head) {
		*at = h->tail;
		return -1;
	}
	if (*at == h->head || !entry_at(l, i, *at, h->head, ret))
		return 0;
	copy_out(l, i, *at + sizeof(*ret), text, ret->len);
	*at += extent(ret->len);
	return 1;
}
