/* crc.h - CRC-32C, to tell a whole record from a torn one; pure. */
#ifndef CONF_KIT_CRC_H
#define CONF_KIT_CRC_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32C (Castagnoli; RFC 3720, appendix B.4) of n bytes: crc32_of("123456789", 9) is 0xe3069283. */
uint32_t crc32_of(const void *at, size_t n);

#endif
