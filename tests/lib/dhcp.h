/* dhcp.h - a DHCP server's side, for tests: replies built byte by byte, without the code under test. */
#ifndef TESTS_LIB_DHCP_H
#define TESTS_LIB_DHCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct reply {
	uint8_t bytes[4096];
	size_t n;
};

__attribute__((unused)) static void reply_u32(uint8_t *at, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(v >> (24 - 8 * i));
}

__attribute__((unused)) static void reply_option(struct reply *r, uint8_t code, const void *value, size_t n)
{
	r->bytes[r->n++] = code;
	r->bytes[r->n++] = (uint8_t)n;
	memcpy(r->bytes + r->n, value, n);
	r->n += n;
}

__attribute__((unused)) static void reply_option_u32(struct reply *r, uint8_t code, uint32_t v)
{
	uint8_t value[4];

	reply_u32(value, v);
	reply_option(r, code, value, 4);
}

/* A BOOTP reply with its cookie and, unless 0, options 53 and 54. */
__attribute__((unused)) static void reply_begin(struct reply *r, uint8_t type, uint32_t xid, const uint8_t mac[6], uint32_t yours,
						uint32_t server)
{
	memset(r, 0, sizeof(*r));
	r->bytes[0] = 2;
	r->bytes[1] = 1;
	r->bytes[2] = 6;
	reply_u32(r->bytes + 4, xid);
	reply_u32(r->bytes + 16, yours);
	memcpy(r->bytes + 28, mac, 6);
	memcpy(r->bytes + 236, "\x63\x82\x53\x63", 4);
	r->n = 240;
	if (type)
		reply_option(r, 53, &type, 1);
	if (server)
		reply_option_u32(r, 54, server);
}

__attribute__((unused)) static void reply_end(struct reply *r)
{
	r->bytes[r->n++] = 255;
}

/* The value of an option in a client's message, which are never split; NULL where it is not there. */
__attribute__((unused)) static const uint8_t *sent_option(const uint8_t *m, size_t n, uint8_t code, size_t *length)
{
	for (size_t i = 240; i + 1 < n && m[i] != 255; i += 2u + m[i + 1])
		if (m[i] == code) {
			*length = m[i + 1];
			return m + i + 2;
		}
	return NULL;
}

__attribute__((unused)) static uint32_t sent_u32(const uint8_t *m, size_t n, uint8_t code)
{
	size_t length = 0;
	const uint8_t *v = sent_option(m, n, code, &length);

	return v && length == 4 ? (uint32_t)v[0] << 24 | (uint32_t)v[1] << 16 | (uint32_t)v[2] << 8 | v[3] : 0;
}

__attribute__((unused)) static uint8_t sent_type(const uint8_t *m, size_t n)
{
	size_t length = 0;
	const uint8_t *v = sent_option(m, n, 53, &length);

	return v && length == 1 ? *v : 0;
}

#endif
