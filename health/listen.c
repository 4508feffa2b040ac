/* listen.c - is anybody listening on a TCP port, without connecting to it? */
#include "health/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "conf/kit/own.h"

#define STATE_LISTEN 10u         /* TCP_LISTEN, include/net/tcp_states.h */
#define MOST_BYTES   (1u << 20)  /* of one /proc/net file; listeners stand before connections in it */
#define MOST_REPLIES 64          /* messages of one dump; the kernel sends those of our port only */

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Reads `n` hexadecimal digits at *s and moves it behind them; -1 where they are not there. */
static int32_t read_hex(const char **s, int n)
{
	int32_t value = 0;

	for (; n > 0; n--, (*s)++) {
		if (hex(**s) < 0)
			return -1;
		value = value << 4 | hex(**s);
	}
	return value;
}

/* "sl: ADDRESS:PORT ADDRESS:PORT STATE ...": addresses of 8 or 32 digits. */
bool listen_line(const char *line, uint16_t port)
{
	const char *at = strchr(line, ':');

	if (!at)
		return false;
	at += strspn(at + 1, " ") + 1;
	at += strspn(at, "0123456789ABCDEFabcdef");
	if (*at++ != ':' || read_hex(&at, 4) != port || *at++ != ' ')
		return false;
	at = strchr(at, ' ');
	if (!at)
		return false;
	at++;
	return read_hex(&at, 2) == STATE_LISTEN && *at == ' ';
}

int listen_read(int fd, uint16_t port)
{
	char buffer[4096];
	size_t have = 0;

	for (size_t total = 0; total < MOST_BYTES;) {
		ssize_t n = read(fd, buffer + have, sizeof(buffer) - 1 - have);
		if (n <= 0)
			return n < 0 ? -errno : 0;
		total += (size_t)n;
		have += (size_t)n;
		buffer[have] = '\0';
		char *line = buffer;
		for (char *end; (end = strchr(line, '\n')); line = end + 1) {
			*end = '\0';
			if (listen_line(line, port))
				return 1;
		}
		have -= (size_t)(line - buffer);
		if (have == sizeof(buffer) - 1 || memchr(line, '\0', have))
			return -EBADMSG;
		memmove(buffer, line, have);
	}
	return 0;
}

static int find_in_file(const char *path, uint16_t port)
{
	owned_fd fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : listen_read(fd, port);
}

int listen_find_in_proc(uint16_t port)
{
	int v4 = find_in_file("/proc/net/tcp", port);
	int v6 = v4 == 1 ? 1 : find_in_file("/proc/net/tcp6", port);

	if (v6 == -ENOENT && v4 >= 0)
		return v4; /* a kernel without IPv6 has no tcp6 */
	return v6;
}

/* Is there a listener among these messages? 1; 0 no, and the dump is over; -EAGAIN more to come; -errno. */
static int find_in_dump(const char *buffer, size_t n, uint16_t port)
{
	for (size_t at = 0; n - at >= sizeof(struct nlmsghdr);) {
		struct nlmsghdr head;

		memcpy(&head, buffer + at, sizeof(head));
		if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > n - at)
			return -EBADMSG;
		size_t body = head.nlmsg_len - NLMSG_HDRLEN;
		if (head.nlmsg_type == NLMSG_DONE)
			return 0;
		if (head.nlmsg_type == NLMSG_ERROR) {
			struct nlmsgerr error = { .error = -EBADMSG };
			if (body >= sizeof(error))
				memcpy(&error, buffer + at + NLMSG_HDRLEN, sizeof(error));
			return error.error < 0 ? error.error : -EBADMSG;
		}
		if (head.nlmsg_type == SOCK_DIAG_BY_FAMILY && body >= sizeof(struct inet_diag_msg)) {
			struct inet_diag_msg found;
			memcpy(&found, buffer + at + NLMSG_HDRLEN, sizeof(found));
			if (found.idiag_state == STATE_LISTEN && found.id.idiag_sport == htons(port))
				return 1;
		}
		if (NLMSG_ALIGN(head.nlmsg_len) >= n - at)
			break;
		at += NLMSG_ALIGN(head.nlmsg_len);
	}
	return -EAGAIN;
}

static int find_by_diag(int fd, uint8_t family, uint16_t port)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 ask;
	} request = {
		.head = { .nlmsg_len = sizeof(request), .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.ask = { .sdiag_family = family, .sdiag_protocol = IPPROTO_TCP,
			 .idiag_states = 1u << STATE_LISTEN, .id.idiag_sport = htons(port) },
	};
	_Alignas(struct nlmsghdr) char buffer[8192];

	if (send(fd, &request, sizeof(request), MSG_DONTWAIT) < 0)
		return -errno;
	/* The kernel makes the dump while we read it, so there is always something, up to its end. */
	for (int i = 0; i < MOST_REPLIES; i++) {
		ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN ? -EBADMSG : -errno;
		int r = find_in_dump(buffer, (size_t)n, port);
		if (r != -EAGAIN)
			return r;
	}
	return -EBADMSG;
}

int listen_find(uint16_t port)
{
	/* A socket of its own for each family: the rest of an unfinished dump goes with it. */
	static const uint8_t families[] = { AF_INET, AF_INET6 };

	for (unsigned i = 0; i < 2; i++) {
		owned_fd fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
		int r = fd < 0 ? -errno : find_by_diag(fd, families[i], port);
		if (r == 1)
			return 1;
		if (r < 0)
			return listen_find_in_proc(port);
	}
	return 0;
}
