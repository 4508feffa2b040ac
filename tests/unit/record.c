/* record.c - records survive a torn copy, and news tells what was lost. */
#include "supervise/record.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/lib/tap.h"

static struct records rs;

static struct record numbered(uint32_t n)
{
	struct record r = { .state = (uint8_t)n, .main = (int32_t)n, .run_no = n, .since = n, .detail = (int32_t)n };

	return r;
}

static bool reads(uint32_t i, uint32_t n)
{
	struct record r;

	return records_read(&rs, i, &r) == 0 && r.run_no == n && r.main == (int32_t)n && r.since == n && r.detail == (int32_t)n;
}

static struct copy *newest(uint32_t i)
{
	struct copy *two = rs.slots[i].two;

	return (int32_t)(two[0].seq - two[1].seq) > 0 && two[0].seq != 0 ? &two[0] : two[1].seq == 0 ? &two[0] : &two[1];
}

static void commits(void)
{
	struct record r;
	bool good = true;

	CHECK(records_read(&rs, 2, &r) == -EBADMSG && r.run_no == 0, "what was never written cannot be read, and reads as zeroes");
	for (uint32_t n = 1; n < 1000; n++) {
		r = numbered(n);
		records_commit(&rs, 2, &r);
		good &= reads(2, n);
	}
	CHECK(good, "999 commits, each read back");
	CHECK(records_read(&rs, 1, &r) == -EBADMSG && records_read(&rs, 3, &r) == -EBADMSG, "its neighbours are not touched");
}

/* Each byte of either copy, each bit of it. */
static void torn(void)
{
	struct record r = numbered(7);
	uint32_t wrong_new = 0, wrong_old = 0, unseen = 0;

	records_commit(&rs, 0, &r);
	r = numbered(8);
	records_commit(&rs, 0, &r);
	struct slot whole = rs.slots[0];
	struct copy *fresh = newest(0), *old = fresh == &rs.slots[0].two[0] ? &rs.slots[0].two[1] : &rs.slots[0].two[0];

	for (size_t at = 0; at < sizeof(struct copy); at++)
		for (int bit = 0; bit < 8; bit++) {
			((unsigned char *)old)[at] ^= (unsigned char)(1u << bit);
			/* The older copy damaged: the newer one is read, unless the damage made the old one's number newer, and its CRC tells. */
			wrong_old += !reads(0, 8);
			rs.slots[0] = whole;
			((unsigned char *)fresh)[at] ^= (unsigned char)(1u << bit);
			wrong_new += !reads(0, 7);
			unseen += reads(0, 8);
			rs.slots[0] = whole;
		}
	CHECK(wrong_old == 0, "any bit of the older copy may be torn: the newer is read (%u wrong)", wrong_old);
	CHECK(wrong_new == 0 && unseen == 0, "any bit of the newer copy may be torn: it is seen, and the older is read (%u wrong, %u unseen)",
	      wrong_new, unseen);
	fresh->seq = 0;
	CHECK(reads(0, 7), "in the middle of a commit (seq 0) the last state is read");
	old->crc ^= 1;
	CHECK(records_read(&rs, 0, &r) == -EBADMSG && r.run_no == 0, "both torn: an error, and zeroes");
	rs.slots[0] = whole;
	fresh->seq = 0;
	r = numbered(9);
	records_commit(&rs, 0, &r);
	CHECK(reads(0, 9) && newest(0) == fresh, "after a commit that was cut off, the next one writes over it");
}

static void circle(void)
{
	struct record r;
	bool good = true;

	r = numbered(1);
	records_commit(&rs, 1, &r);
	/* Shortly before the numbers start over. */
	for (uint32_t n = 2; n < 4; n++) {
		r = numbered(n);
		records_commit(&rs, 1, &r);
	}
	struct copy *two = rs.slots[1].two;
	for (int k = 0; k < 2; k++) {
		uint32_t shifted = two[k].seq + (UINT32_MAX - 8);

		two[k].crc ^= two[k].seq ^ shifted;
		two[k].seq = shifted;
	}
	for (uint32_t n = 4; n < 40; n++) {
		r = numbered(n);
		records_commit(&rs, 1, &r);
		good &= reads(1, n) && two[0].seq != 0 && two[1].seq != 0;
	}
	CHECK(good, "sequence numbers start over, skip 0, and the newest is still found");
}

static void ring(void)
{
	uint64_t at = 0;
	struct news n = { .unit = 0 };
	uint32_t told = 0;
	bool order = true;

	CHECK(records_news(&rs, &at, &n) == 0, "no news at first");
	for (uint32_t k = 1; k <= 10; k++)
		records_tell(&rs, &(struct news){ .unit = k, .at = k });
	for (; records_news(&rs, &at, &n) == 1; told++)
		order &= n.unit == told + 1 && n.seq == told + 1 && at == n.seq;
	CHECK(told == 10 && order, "ten pieces of news, in order: %u", told);
	uint64_t slow = at;
	for (uint32_t k = 11; k <= 10 + NEWS; k++)
		records_tell(&rs, &(struct news){ .unit = k });
	int got = records_news(&rs, &slow, &n);
	CHECK(got == -1, "a reader that is a whole ring behind is told that it lost some");
	for (told = 0; (got = records_news(&rs, &slow, &n)) == 1; told++)
		order &= n.unit == (uint32_t)n.seq;
	CHECK(order && got == 0 && told == NEWS - 1 && slow == 10 + NEWS, "and reads on from the oldest still there: %u", told);
	slow = 10 + 1;
	CHECK(records_news(&rs, &slow, &n) == 1 && n.unit == 12, "one that is just within the ring loses nothing");
	for (uint32_t lap = 0; lap < 5 * NEWS + 3; lap++)
		records_tell(&rs, &(struct news){ .unit = (uint32_t)(rs.state->news + 1) });
	got = records_news(&rs, &slow, &n);
	uint32_t rest = 0;
	for (; records_news(&rs, &slow, &n) == 1; rest++)
		order &= n.unit == (uint32_t)n.seq;
	CHECK(got == -1 && order && slow == rs.state->news && rest == NEWS - 1, "laps later, too");
	/* The piece that is wanted is just being written over. */
	slow = rs.state->news - NEWS / 2;
	rs.news[(slow + 1) % NEWS].seq = 0;
	CHECK(records_news(&rs, &slow, &n) == -1 && slow >= rs.state->news - NEWS / 2, "half-written news is not handed out");
}

static void mapped(void)
{
	struct records reader;
	struct record r = numbered(77);

	records_commit(&rs, 3, &r);
	if (CHECK(records_map(&reader, rs.fd, false) == 0 && reader.n == 4, "another process maps it")) {
		CHECK(records_read(&reader, 3, &r) == 0 && r.run_no == 77, "and reads what was committed");
		(void)munmap(reader.state, reader.state->total);
	}
	uint32_t was = rs.state->n_units;
	rs.state->n_units = 5;
	CHECK(records_map(&reader, rs.fd, false) == -EBADMSG, "a size that does not fit is refused");
	rs.state->n_units = was;
	rs.state->magic ^= 1;
	CHECK(records_map(&reader, rs.fd, false) == -EBADMSG, "so is something else's memory");
	rs.state->magic ^= 1;
	int fd = memfd_create("small", MFD_CLOEXEC);
	CHECK(records_map(&reader, fd, false) == -EBADMSG, "and an empty file");
	(void)close(fd);
	CHECK(records_map(&reader, -1, false) == -EBADF, "and none");
}

int main(void)
{
	if (!CHECK(records_create(&rs, 4) == 0, "records are made"))
		return tap_done();
	_Static_assert(sizeof(struct record) == 104, "no padding that a copy could leave different");
	commits();
	torn();
	circle();
	ring();
	mapped();
	return tap_done();
}
