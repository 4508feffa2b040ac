/* boot_system.c - the boot steps that give the container its name, its files and its kernel parameters. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/kit/own.h"
#include "conf/kit/say.h"
#include "conf/kit/sys.h"
#include "conf/kit/text.h"
#include "init/boot_steps.h"

#define OURS "# written by coppice; remove this line to keep your own\n"

int ready_hostname(struct boot *b)
{
	const char *name = table_text(b->table, b->table->house.hostname);
	char now[65] = "";

	if (!*name)
		return NOBODY_ASKED;
	if (gethostname(now, sizeof(now) - 1) == 0 && !strcmp(now, name))
		return 1;
	return sethostname(name, strlen(name)) < 0 ? -errno : 0;
}

static ssize_t read_start(const char *path, char *into, size_t size)
{
	owned_fd fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ssize_t n = fd < 0 ? -errno : sys_read(fd, into, size - 1);

	into[n > 0 ? n : 0] = '\0';
	return n;
}

static int write_all(const char *path, int flags, const char *text)
{
	owned_fd fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0644);

	if (fd < 0)
		return -errno;
	ssize_t n = sys_write(fd, text, strlen(text));
	return n < 0 ? (int)n : n == (ssize_t)strlen(text) ? 0 : -EIO;
}

/* Whole or not at all; a file that a manager bound there cannot be renamed over (EBUSY) and is written in place. */
static int write_file(const char *path, const char *text)
{
	char fresh[256];

	if (snprintf(fresh, sizeof(fresh), "%s.coppice", path) >= (int)sizeof(fresh))
		return -ENAMETOOLONG;
	(void)unlink(fresh);
	int e = write_all(fresh, O_EXCL, text);
	if (e == 0 && rename(fresh, path) < 0)
		e = errno == EBUSY ? write_all(path, O_TRUNC, text) : -errno;
	if (e < 0)
		(void)unlink(fresh);
	return e;
}

int ready_hosts(struct boot *b)
{
	enum { MISSING, YES, NO } want = (int)b->table->house.write_hosts;
	char now[1024], name[65] = "localhost", room[512];
	struct text t = TEXT(room);
	ssize_t n = read_start("/etc/hosts", now, sizeof(now));

	(void)gethostname(name, sizeof(name) - 1);
	text_put(&t, OURS "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
	if (strcmp(name, "localhost") != 0 && name[0] != '(')
		text_fmt(&t, "127.0.1.1\t%s\n", name);
	if (want == NO)
		return NOBODY_ASKED;
	if (!strcmp(now, room))
		return 1;
	/* Empty, or ours of an earlier boot: nobody else's words are lost. */
	if (want == MISSING && n > 0 && strncmp(now, OURS, strlen(OURS)) != 0)
		return 1;
	return write_file("/etc/hosts", room);
}

/* The digits of a UUID: with its four dashes (RFC 4122, 3), as systemd-nspawn writes it, or without, as Podman does. */
static bool put_uuid(struct text *t, const char *uuid)
{
	bool dashed = strlen(uuid) == 36;

	for (size_t k = 0; uuid[k]; k++) {
		if (dashed && (k == 8 || k == 13 || k == 18 || k == 23) ? uuid[k] != '-' : !isxdigit((unsigned char)uuid[k]))
			return false;
		if (uuid[k] != '-')
			text_char(t, (char)tolower((unsigned char)uuid[k]));
	}
	return t->len == 32;
}

/* machine-id(5): 32 hexadecimal digits that stay; "uninitialized" asks for them. */
int ready_machine_id(struct boot *b)
{
	char now[64], room[64];
	struct text t = TEXT(room);
	unsigned char dice[16];
	const char *given = getenv("container_uuid");

	(void)b;
	if (read_start("/etc/machine-id", now, sizeof(now)) >= 32 && strncmp(now, "uninitialized", 13) != 0)
		return 1;
	if (!given || !put_uuid(&t, given)) {
		t.len = 0;
		if (!sys_dice(dice, sizeof(dice)))
			return -errno;
		/* A random UUID, version 4 (RFC 4122, 4.4). */
		dice[6] = (unsigned char)((dice[6] & 0x0f) | 0x40);
		dice[8] = (unsigned char)((dice[8] & 0x3f) | 0x80);
		for (size_t k = 0; k < sizeof(dice); k++)
			text_fmt(&t, "%02x", dice[k]);
	}
	text_char(&t, '\n');
	return write_file("/etc/machine-id", room);
}

int ready_loopback(struct boot *b)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	owned_fd fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)b;
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &ifr) < 0)
		return -errno;
	if (ifr.ifr_flags & IFF_UP)
		return 1;
	ifr.ifr_flags |= IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &ifr) < 0 ? -errno : 0;
}

/* "net.ipv4.ip_forward=0"; a name with slashes is a path already (sysctl(8)). */
static int one_sysctl(const char *text)
{
	char path[512], now[512];
	const char *equals = strchr(text, '=');
	int n = snprintf(path, sizeof(path), "/proc/sys/%.*s", (int)(equals - text), text);
	bool slashes = memchr(text, '/', (size_t)(equals - text)) != NULL;

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	for (char *c = path + strlen("/proc/sys/"); *c && !slashes; c++)
		if (*c == '.')
			*c = '/';
	ssize_t have = read_start(path, now, sizeof(now));
	if (have > 0) {
		now[strcspn(now, "\n")] = '\0';
		if (!strcmp(now, equals + 1))
			return 1;
	}
	owned_fd fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ssize_t put = sys_write(fd, equals + 1, strlen(equals + 1));
	return put < 0 ? (int)put : 0;
}

int ready_sysctls(struct boot *b)
{
	const struct house *h = &b->table->house;
	int all = 1, bad = 0;

	if (!h->sysctls)
		return NOBODY_ASKED;
	for (uint32_t k = 0, n = list_count(b->table, h->sysctls); k < n; k++) {
		const char *text = table_text(b->table, list_item(b->table, h->sysctls, k));
		int e = strchr(text, '=') ? one_sysctl(text) : -EINVAL;

		/* A kernel without IPv6 has nothing to forward. */
		if (e == -ENOENT && !strncmp(text, "net.ipv6.", 9) && access("/proc/sys/net/ipv6", F_OK) < 0)
			e = 1;
		if (e < 0)
			bad = boot_refused(b, text, -e);
		else if (e == 0)
			all = 0;
	}
	return bad ? bad : all;
}

#define PRELAUNCH_TIME ((msec_t)60000)

/* PreLaunch=: may do anything that root may, and has to end. */
int ready_prelaunch(struct boot *b)
{
	const char *path = table_text(b->table, b->table->house.prelaunch);
	bool optional = *path == '-';
	struct sys_exit x = { 0 };
	struct stat st = { .st_size = 1 };

	/* LXD writes its template anew at each start, and leaves an empty file where nothing is configured. */
	if (!*path || (optional && stat(path + optional, &st) < 0 && errno == ENOENT) || (optional && !st.st_size))
		return NOBODY_ASKED;
	int e = b->run(path + optional, PRELAUNCH_TIME, &x);
	if (e < 0)
		return e;
	if (x.kind == 1 && x.value == 0)
		return 0;
	say(SAY_WARNING, "PreLaunch=%s %s %d", path, x.kind == 1 ? "ended with status" : "was killed by signal", x.value);
	return -ECANCELED;
}
