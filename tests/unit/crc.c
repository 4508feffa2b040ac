/* crc.c - the checksum against published values, and against the definition, bit by bit. */
#include "conf/kit/crc.h"

#include <string.h>

#include "tests/lib/tap.h"

/* Straight from the definition: the polynomial 0x1edc6f41 with its bits reversed. */
static uint32_t slowly(const unsigned char *at, size_t n)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < n; i++) {
		crc ^= at[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
	}
	return ~crc;
}

int main(void)
{
	unsigned char bytes[300];
	bool same = true, told = true;

	CHECK(crc32_of("123456789", 9) == 0xe3069283u, "the check value of CRC-32C");
	/* RFC 3720, appendix B.4 */
	memset(bytes, 0, sizeof(bytes));
	CHECK(crc32_of(bytes, 32) == 0x8a9136aau, "32 bytes of zero");
	memset(bytes, 0xff, sizeof(bytes));
	CHECK(crc32_of(bytes, 32) == 0x62a8ab43u, "32 bytes of ones");
	CHECK(crc32_of(bytes, 0) == 0, "nothing");
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 37 + i / 7);
	for (size_t from = 0; from < 9; from++)
		for (size_t n = 0; n + from <= sizeof(bytes); n++)
			same &= crc32_of(bytes + from, n) == slowly(bytes + from, n);
	CHECK(same, "every length from every alignment is as the definition says");

	uint32_t whole = crc32_of(bytes, sizeof(bytes));

	for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
		bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
		told &= crc32_of(bytes, sizeof(bytes)) != whole;
		bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	CHECK(told, "every single bit is missed when it changes");
	return tap_done();
}
