/* record.c - the shared memfd of records: two copies of each, the older one overwritten. */
#include "supervise/record.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/kit/crc.h"

#define STATE_VERSION 1u

/* From Linux 6.3: the memfd can never be executed. Older kernels refuse the flag with EINVAL. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

static size_t size_for(uint32_t n)
{
	return sizeof(struct state) + NEWS * sizeof(struct news) + (size_t)n * sizeof(struct slot);
}

static void lay_out(struct records *rs, void *at, uint32_t n, int fd)
{
	rs->state = at;
	rs->news = (void *)((char *)at + sizeof(struct state));
	rs->slots = (void *)((char *)rs->news + NEWS * sizeof(struct news));
	rs->n = n;
	rs->fd = fd;
}

int records_create(struct records *ret, uint32_t n)
{
	size_t size = size_for(n);
	int fd = memfd_create("coppice-state", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("coppice-state", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size) < 0) {
		int e = errno;

		(void)close(fd);
		return -e;
	}
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED) {
		int e = errno;

		(void)close(fd);
		return -e;
	}
	lay_out(ret, at, n, fd);
	ret->state->n_units = n;
	ret->state->total = (uint32_t)size;
	ret->state->version = STATE_VERSION;
	ret->state->magic = STATE_MAGIC;
	return 0;
}

int records_map(struct records *ret, int fd, bool writable)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size < size_for(0) || (uint64_t)st.st_size > size_for(MAX_UNITS))
		return -EBADMSG;
	void *at = mmap(NULL, (size_t)st.st_size, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	const struct state *s = at;
	if (s->magic != STATE_MAGIC || s->version != STATE_VERSION || s->n_units > MAX_UNITS ||
	    size_for(s->n_units) != (uint64_t)st.st_size) {
		(void)munmap(at, (size_t)st.st_size);
		return -EBADMSG;
	}
	lay_out(ret, at, s->n_units, fd);
	return 0;
}

static uint32_t seal_of(const struct copy *c)
{
	return crc32_of(&c->r, sizeof(c->r)) ^ c->seq;
}

/* A copy that was never written has seq 0; sequence numbers are compared as a circle. */
static bool newer(const struct copy *a, const struct copy *b)
{
	return b->seq == 0 || (a->seq != 0 && (int32_t)(a->seq - b->seq) > 0);
}

void records_commit(struct records *rs, uint32_t i, const struct record *r)
{
	struct copy *one = &rs->slots[i].two[0], *two = &rs->slots[i].two[1];
	struct copy *old = newer(one, two) ? two : one, *last = old == one ? two : one;
	uint32_t seq = last->seq + 1;

	/* seq 0 says "being written": whoever dies or looks here meanwhile finds the other copy. */
	__atomic_store_n(&old->seq, 0, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	old->r = *r;
	if (seq == 0)
		seq = 1;
	old->crc = crc32_of(r, sizeof(*r)) ^ seq;
	__atomic_store_n(&old->seq, seq, __ATOMIC_RELEASE);
}

int records_read(const struct records *rs, uint32_t i, struct record *ret)
{
	/* A reader in another process may meet a commit half-way: it looks again, a few times. */
	for (int tries = 0; tries < 4; tries++) {
		struct slot s;

		memcpy(&s, &rs->slots[i], sizeof(s));
		bool second = newer(&s.two[1], &s.two[0]);
		for (int k = 0; k < 2; k++) {
			const struct copy *c = &s.two[second ? 1 - k : k];

			if (c->seq != 0 && seal_of(c) == c->crc) {
				*ret = c->r;
				return 0;
			}
		}
	}
	memset(ret, 0, sizeof(*ret));
	return -EBADMSG;
}

void records_tell(struct records *rs, const struct news *n)
{
	uint64_t seq = rs->state->news + 1;
	struct news *at = &rs->news[seq % NEWS];

	__atomic_store_n(&at->seq, 0, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	struct news fresh = *n;

	fresh.seq = 0;
	*at = fresh;
	__atomic_store_n(&at->seq, seq, __ATOMIC_RELEASE);
	__atomic_store_n(&rs->state->news, seq, __ATOMIC_RELEASE);
}

int records_news(const struct records *rs, uint64_t *seq, struct news *ret)
{
	uint64_t last = __atomic_load_n(&rs->state->news, __ATOMIC_ACQUIRE);

	if (*seq >= last)
		return 0;
	if (last - *seq >= NEWS) {
		*seq = last - NEWS + 1;
		return -1;
	}
	uint64_t want = *seq + 1;
	*ret = rs->news[want % NEWS];
	if (ret->seq != want || __atomic_load_n(&rs->news[want % NEWS].seq, __ATOMIC_ACQUIRE) != want) {
		/* Overwritten while we looked: PID 1 is a whole ring ahead. */
		*seq = last > NEWS / 2 ? last - NEWS / 2 : 0;
		return -1;
	}
	*seq = want;
	return 1;
}
