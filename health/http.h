/*
 * http.h - asks for one page and reads the status of the reply, byte by byte, without keeping any; pure.
 */
#ifndef HEALTH_HTTP_H
#define HEALTH_HTTP_H

#include <stddef.h>
#include <stdint.h>

#define HTTP_MOST 8192u /* bytes of a reply that are looked at */

/* How far into a reply we are; begin with all zero. */
struct http {
	uint16_t at, code;
	uint16_t taken;
};

/*
 * Goes on with the next `n` bytes. Returns the status, 100 to 999, as soon as the
 * character behind it was seen; 0: more is needed; -EBADMSG: this is no HTTP/1
 * reply, or there is no status within HTTP_MOST bytes. Interim replies (1xx but
 * 101, RFC 9110 section 15.2) are passed over. A bare LF ends a line and a reason
 * may be missing (RFC 9112 sections 2.2 and 4).
 */
int http_eat(struct http *h, const char *from, size_t n);

/*
 * Writes a GET request for `path` ("" is "/"), NUL-terminated; `host` is the Host
 * header, to which a port other than 80 is added unless it has one. Returns its
 * length, -E2BIG where `size` is too small, -EINVAL where path or host have bytes
 * that would end the line or the word.
 */
int http_request(char *into, size_t size, const char *host, uint32_t port, const char *path);

#endif
