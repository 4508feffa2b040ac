/*
 * names.h - which names are let in, and how DHCP spells them; pure.
 *
 * A name is labels of letters, digits, '-' and '_', parted by dots, 63 bytes at
 * most and never with a '-' in front; 253 bytes in all. Everything else is
 * refused: names end up in files that others read line by line.
 */
#ifndef INIT_NET_NAMES_H
#define INIT_NET_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAME_SIZE 256u /* a domain, or all domains searched, with the NUL */
#define HOST_SIZE 64u  /* HOST_NAME_MAX of Linux, with the NUL */

bool name_ok(const char *s);
/* Names with one blank between them; not none. */
bool names_ok(const char *s);

/* A name in plain text; trailing NULs and one trailing dot go (RFC 2132 section 2). "" where it is no name, or has no room. */
void name_take(const uint8_t *at, size_t n, char *into, size_t size);

/*
 * One name in labels, perhaps compressed (RFC 1035 section 4.1.4), from *at on;
 * *at moves behind it. Pointers count from `all`. False where the structure is
 * broken; what is sound, but no name that is let in, comes out as "".
 */
bool name_take_labels(const uint8_t *all, size_t n, size_t *at, char *into, size_t size);

/*
 * A search list (RFC 3397) with blanks between the names; "" where its structure is
 * broken. Names that are not let in, or find no room, are left out.
 */
void names_take(const uint8_t *at, size_t n, char *into, size_t size);

#endif
