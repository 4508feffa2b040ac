/* crc.c - four bytes at a time through four tables that the compiler works out; pure. */
#include "conf/kit/crc.h"

/*
 * A CRC is linear: the entry of a byte is the exclusive or of the entries of its
 * bits. So eight numbers make a table: those of 1, 2, 4 ... 128, for the
 * polynomial 0x82f63b78 (bits reversed).
 */
#define BIT(i, n, k) ((i) >> (n) & 1 ? (k) : 0u)
#define OF(i, a, b, c, d, e, f, g, h) (BIT(i, 0, a) ^ BIT(i, 1, b) ^ BIT(i, 2, c) ^ BIT(i, 3, d) ^ \
				       BIT(i, 4, e) ^ BIT(i, 5, f) ^ BIT(i, 6, g) ^ BIT(i, 7, h))

/* Entries of the byte that lies last, and one, two and three bytes before the last. */
#define LAST(i)  OF(i, 0xf26b8303u, 0xe13b70f7u, 0xc79a971fu, 0x8ad958cfu, 0x105ec76fu, 0x20bd8edeu, 0x417b1dbcu, 0x82f63b78u)
#define ONE(i)   OF(i, 0x13a29877u, 0x274530eeu, 0x4e8a61dcu, 0x9d14c3b8u, 0x3fc5f181u, 0x7f8be302u, 0xff17c604u, 0xfbc3faf9u)
#define TWO(i)   OF(i, 0xa541927eu, 0x4f6f520du, 0x9edea41au, 0x38513ec5u, 0x70a27d8au, 0xe144fb14u, 0xc76580d9u, 0x8b277743u)
#define THREE(i) OF(i, 0xdd45aab8u, 0xbf672381u, 0x7b2231f3u, 0xf64463e6u, 0xe964b13du, 0xd725148bu, 0xaba65fe7u, 0x52a0c93fu)

#define ROW4(f, i)   f(i), f((i) + 1), f((i) + 2), f((i) + 3)
#define ROW16(f, i)  ROW4(f, i), ROW4(f, (i) + 4), ROW4(f, (i) + 8), ROW4(f, (i) + 12)
#define ROW64(f, i)  ROW16(f, i), ROW16(f, (i) + 16), ROW16(f, (i) + 32), ROW16(f, (i) + 48)
#define ROW256(f)    ROW64(f, 0), ROW64(f, 64), ROW64(f, 128), ROW64(f, 192)

static const uint32_t tables[4][256] = { { ROW256(LAST) }, { ROW256(ONE) }, { ROW256(TWO) }, { ROW256(THREE) } };

uint32_t crc32_of(const void *at, size_t n)
{
	const unsigned char *p = at;
	uint32_t crc = ~0u;

	for (; n >= 4; p += 4, n -= 4) {
		crc ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
		crc = tables[3][crc & 255] ^ tables[2][crc >> 8 & 255] ^ tables[1][crc >> 16 & 255] ^ tables[0][crc >> 24];
	}
	for (; n; n--)
		crc = crc >> 8 ^ tables[0][(crc ^ *p++) & 255];
	return ~crc;
}
