/* logring.c - rings of lines against a simple model, across wraps, crashes and damage. */
#include "init/control/ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/lib/desk.h"
#include "tests/lib/tap.h"

static char text[LOG_LINE];

static void put(struct logs *l, uint32_t i, const char *s, size_t n, msec_t now)
{
	while (n) {
		bool ended;
		size_t took = ring_put(l, i, s, n, 0, now, &ended);

		if (took == 0 || took > n) {
			CHECK(false, "ring_put took %zu of %zu", took, n);
			return;
		}
		s += took;
		n -= took;
	}
}

/* All entries of a ring as one text, "|" behind each, "+" before a rest. */
static void whole(const struct logs *l, uint32_t i, char *into, size_t size)
{
	uint64_t at = l->heads[i].tail;
	struct entry e;
	size_t n = 0;

	while (ring_read(l, i, &at, &e, text) == 1 && n + e.len + 3 < size) {
		if (e.flags & ENTRY_REST)
			into[n++] = '+';
		memcpy(into + n, text, e.len);
		n += e.len;
		into[n++] = '|';
	}
	into[n] = '\0';
}

static void test_lines(void)
{
	int fd = ring_create(3);
	struct logs l;
	char got[500];

	CHECK(fd >= 0 && logs_map(&l, fd, 3) == 0 && l.mended == 0, "a new memfd is mapped");
	put(&l, 1, "one\ntwo\r\n\nthr", 13, 5);
	whole(&l, 1, got, sizeof(got));
	CHECK(!strcmp(got, "one|two||") && ring_open(&l, 1), "lines, without CR, and an open one: %s", got);
	put(&l, 1, "ee\n", 3, 6);
	whole(&l, 1, got, sizeof(got));
	CHECK(!strcmp(got, "one|two||three|") && !ring_open(&l, 1) && l.heads[1].lines == 4, "in two pieces: %s", got);
	put(&l, 1, "no end", 6, 7);
	CHECK(ring_cut(&l, 1, 8) && !ring_open(&l, 1) && !ring_cut(&l, 1, 8), "a line may be cut, once");
	put(&l, 1, " yet\nnext\n", 10, 9);
	whole(&l, 1, got, sizeof(got));
	CHECK(strstr(got, "no end|+ yet|next|") && l.heads[1].lines == 6, "the rest is told as one: %s", got);
	put(&l, 1, "cut", 3, 9);
	(void)ring_cut(&l, 1, 9);
	put(&l, 1, "\nafter\n", 7, 9);
	whole(&l, 1, got, sizeof(got));
	CHECK(strstr(got, "cut|after|") && l.heads[1].lines == 8, "the bare end of a cut line is no line: %s", got);
	CHECK(l.heads[0].lines == 0 && l.heads[2].lines == 0, "its neighbours know nothing of it");
	/* The desk dies; the next one goes on, in the middle of a line. */
	put(&l, 3, "begun ", 6, 1);
	logs_unmap(&l);
	CHECK(logs_map(&l, fd, 3) == 0 && l.mended == 0 && ring_open(&l, 3), "another desk finds it all");
	put(&l, 3, "and ended\n", 10, 2);
	whole(&l, 3, got, sizeof(got));
	CHECK(!strcmp(got, "begun and ended|"), "and ends the line that was begun: %s", got);
	struct logs other;
	CHECK(logs_map(&other, fd, 2) == -EBADMSG && logs_map(&other, fd, MAX_UNITS + 1) == -EINVAL, "another number of units is refused");
	logs_unmap(&l);
	(void)close(fd);
}

static void test_long(void)
{
	int fd = ring_create(1);
	struct logs l;
	char *big = malloc(40000);
	struct entry e;
	uint64_t at = 0;

	if (!CHECK(big && logs_map(&l, fd, 1) == 0, "mapped"))
		return;
	memset(big, 'x', 40000);
	big[39999] = '\n';
	put(&l, 0, big, 40000, 1);
	int n = 0;
	size_t sum = 0;
	bool flags = true;
	while (ring_read(&l, 0, &at, &e, text) == 1) {
		flags = flags && !!(e.flags & ENTRY_REST) == (n > 0) && !!(e.flags & ENTRY_CUT) == (n < 2);
		sum += e.len;
		n++;
	}
	CHECK(n == 3 && sum == 39999 && flags && l.heads[0].lines == 1, "a line of 39,999 bytes: %d entries", n);
	logs_unmap(&l);
	(void)close(fd);
	free(big);
}

/* A model: all lines ever, and how many of the last ones must still be there. */
static void test_model(void)
{
	int fd = ring_create(1);
	struct logs l;
	uint32_t seed = 1;
	static char lines[3000][64];
	int bad = 0, kept_least = 1 << 30;

	if (!CHECK(logs_map(&l, fd, 1) == 0, "mapped"))
		return;
	for (int n = 0; n < 3000; n++) {
		char piece[80];

		seed = seed * 1103515245 + 12345;
		int len = snprintf(lines[n], sizeof(lines[n]), "%d:%.*s", n, (int)(seed >> 16) % 50,
				   "....................................................");
		(void)snprintf(piece, sizeof(piece), "%s\n", lines[n]);
		/* In one or two pieces. */
		int cut = (int)(seed >> 8) % (len + 1);
		put(&l, 0, piece, (size_t)cut, n);
		put(&l, 0, piece + cut, (size_t)(len + 1 - cut), n);
		if (n % 97)
			continue;
		uint64_t at = l.heads[0].tail;
		struct entry e;
		int first = -1, k = 0;
		while (ring_read(&l, 0, &at, &e, text) == 1) {
			if (first < 0)
				first = atoi(text);
			bad += e.len != strlen(lines[first + k]) || memcmp(text, lines[first + k], e.len) != 0 || e.at != first + k;
			k++;
		}
		bad += first + k != n + 1;
		if (first > 0 && k < kept_least)
			kept_least = k;
	}
	CHECK(bad == 0, "3,000 lines through a ring that holds fewer: what is kept is right, %d wrong", bad);
	CHECK(kept_least >= 700 && kept_least < 3000, "and it is about 64 KiB: at least %d lines", kept_least);
	uint64_t long_gone = 0;
	struct entry e;
	CHECK(ring_read(&l, 0, &long_gone, &e, text) == -1 && long_gone == l.heads[0].tail, "who comes late is told");
	/* Keeping less. */
	bool ended;
	for (int n = 0; n < 200; n++)
		(void)ring_put(&l, 0, "0123456789abcdef\n", 17, 4096, n, &ended);
	CHECK(l.heads[0].head - l.heads[0].tail <= 4096, "4 KiB are kept where no more are asked for");
	logs_unmap(&l);
	(void)close(fd);
}

/* Whatever lies in the memory, mapping ends, and what can be read is within bounds. */
static void test_damage(void)
{
	uint32_t seed = 7;
	int mended = 0, unsound = 0;

	for (int round = 0; round < 300; round++) {
		int fd = ring_create(1);
		struct logs l;

		if (logs_map(&l, fd, 1) < 0)
			break;
		for (int n = 0; n < 2000; n++)
			put(&l, 0, "some line of a daemon\n", 22, n);
		for (int k = 0; k < 20; k++) {
			seed = seed * 1103515245 + 12345;
			size_t where = round % 2 ? sizeof(struct logs_head) + seed % sizeof(struct log_head) : 4096 + (seed >> 8) % LOG_RING;

			((unsigned char *)l.map)[where] = (unsigned char)(seed >> 16);
		}
		logs_unmap(&l);
		if (logs_map(&l, fd, 1) < 0)
			break;
		mended += l.mended > 0;
		uint64_t at = l.heads[0].tail;
		struct entry e;
		int n = 0;
		while (n < 100000 && ring_read(&l, 0, &at, &e, text) == 1)
			n += e.len <= LOG_LINE ? 1 : 100000;
		unsound += n >= 100000;
		put(&l, 0, "again\n", 6, 1);
		logs_unmap(&l);
		(void)close(fd);
	}
	CHECK(unsound == 0 && mended > 100, "300 damaged rings: %d begin anew, %d could not be read", mended, unsound);
	/* A memfd that is too short is made longer. */
	int fd = memfd_create("short", MFD_CLOEXEC);
	struct logs l;
	CHECK(logs_map(&l, fd, 5) == 0, "an empty memfd is laid out");
	put(&l, 5, "x\n", 2, 1);
	logs_unmap(&l);
	(void)close(fd);
}

/* Units that two tables share keep their lines when one takes the other's place. */
static void test_move(void)
{
	static const struct test_unit old[] = { { "a", -1, UNIT_SERVICE }, { "b", -1, UNIT_SERVICE } };
	static const struct test_unit new[] = { { "b", -1, UNIT_SERVICE }, { "c", -1, UNIT_SERVICE }, { "d", -1, UNIT_SERVICE } };
	struct table *was = test_table(old, 2, "", LOG_TEXT), *is = test_table(new, 3, "", LOG_TEXT);
	int from = ring_create(2), to = ring_create(3);
	struct logs l;
	char got[100];

	if (CHECK(logs_map(&l, from, 2) == 0, "the old one")) {
		put(&l, 0, "of a\n", 5, 1);
		put(&l, 1, "of b\nhalf", 9, 1);
		put(&l, 2, "of PID 1\n", 9, 1);
		logs_unmap(&l);
	}
	ring_move(to, is, from, was);
	if (CHECK(logs_map(&l, to, 3) == 0 && l.mended == 0, "the new one")) {
		whole(&l, 0, got, sizeof(got));
		CHECK(!strcmp(got, "of b|") && ring_open(&l, 0) && l.heads[0].lines == 1, "what both know goes along: %s", got);
		whole(&l, 3, got, sizeof(got));
		CHECK(!strcmp(got, "of PID 1|"), "and what PID 1 said: %s", got);
		CHECK(l.heads[1].lines == 0 && !l.heads[1].used && !l.heads[2].used, "a new unit has said nothing");
		logs_unmap(&l);
	}
	(void)close(from);
	(void)close(to);
	free(was);
	free(is);
}

int main(void)
{
	test_move();
	test_lines();
	test_long();
	test_model();
	test_damage();
	return tap_done();
}
