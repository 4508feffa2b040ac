/* address.c - where a probe connects to, and whether it got there. */
#include "health/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

/* The address part of a host: where it begins, and how many bytes it has. */
static const char *bare_of(const char *host, size_t *ret)
{
	const char *colon = strchr(host, ':');

	if (host[0] == '[') {
		*ret = strcspn(host + 1, "]");
		return host + 1;
	}
	*ret = colon && colon == strrchr(host, ':') ? (size_t)(colon - host) : strlen(host);
	return host;
}

socklen_t address_of(const char *host, uint16_t port, unsigned which, struct sockaddr_storage *ret)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback };
	char text[INET6_ADDRSTRLEN] = "";
	bool is_v4 = false, is_v6 = false;
	size_t len;
	const char *bare = bare_of(host, &len);

	if (len < sizeof(text)) {
		memcpy(text, bare, len);
		is_v4 = inet_pton(AF_INET, text, &v4.sin_addr) == 1;
		is_v6 = !is_v4 && inet_pton(AF_INET6, text, &v6.sin6_addr) == 1;
	}
	if (!is_v4)
		v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (!is_v4 && !is_v6)
		v6.sin6_addr = in6addr_loopback;
	if (which > (is_v4 || is_v6 ? 0u : 1u))
		return 0;
	memset(ret, 0, sizeof(*ret));
	if (is_v6 || which == 1) {
		memcpy(ret, &v6, sizeof(v6));
		return sizeof(v6);
	}
	memcpy(ret, &v4, sizeof(v4));
	return sizeof(v4);
}

int address_reached(int fd)
{
	struct sockaddr_storage here = { 0 }, there = { 0 };
	socklen_t n = sizeof(here), m = sizeof(there);

	if (getpeername(fd, (struct sockaddr *)&there, &m) || getsockname(fd, (struct sockaddr *)&here, &n))
		return -errno;
	return n == m && !memcmp(&here, &there, n) ? -ECONNREFUSED : 0;
}
