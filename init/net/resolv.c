/* resolv.c - slots in a shared file, a lock, and lines made of checked words. */
#include "init/net/resolv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/kit/own.h"
#include "init/net/netfile.h"
#include "mount/plan.h"

#define MOST_SHOWN  8u   /* name servers; resolver libraries ask the first three (resolv.conf(5)) */
#define MOST_TEXT   4096u
#define LOCK_TRIES  200  /* of 5 ms: others hold it for no longer than a write */

static bool has_end(const char *s, size_t size)
{
	return memchr(s, '\0', size) != NULL;
}

static bool is_server(const char *s)
{
	unsigned char bytes[16];

	return has_end(s, NAMESERVER_SIZE) && (inet_pton(AF_INET, s, bytes) == 1 || inet_pton(AF_INET6, s, bytes) == 1);
}

/* Is the word, of n bytes, one of those in `list`, which have blanks between them? */
static bool has_word(const char *list, const char *word, size_t n)
{
	for (size_t length; *list; list += length + (list[length] == ' ')) {
		length = strcspn(list, " ");
		if (length == n && !memcmp(list, word, n))
			return true;
	}
	return false;
}

void resolv_text(const struct resolv_slot slots[MAX_NETS], struct text *out)
{
	char search[2 * NAME_SIZE], servers[MOST_SHOWN * NAMESERVER_SIZE];
	struct text domains = TEXT(search), known = TEXT(servers);
	uint32_t shown = 0;

	text_put(out, RESOLV_MARK);
	search[0] = servers[0] = '\0';
	for (uint32_t i = 0; i < MAX_NETS; i++) {
		const char *at = slots[i].search;

		if (!has_end(at, sizeof(slots[i].search)) || !*at || !names_ok(at))
			continue;
		for (size_t n; *at; at += n + (at[n] == ' ')) {
			n = strcspn(at, " ");
			if (has_word(search, at, n) || domains.len + n + 2 > domains.size)
				continue;
			if (domains.len)
				text_char(&domains, ' ');
			text_bytes(&domains, at, n);
		}
	}
	if (domains.len) {
		text_put(out, "search ");
		text_put(out, search);
		text_char(out, '\n');
	}
	for (uint32_t i = 0; i < MAX_NETS; i++)
		for (uint32_t k = 0; k < slots[i].n_dns && k < MAX_NAMESERVERS && shown < MOST_SHOWN; k++) {
			const char *server = slots[i].dns[k];

			if (!is_server(server) || has_word(servers, server, strlen(server)))
				continue;
			if (known.len)
				text_char(&known, ' ');
			text_put(&known, server);
			text_put(out, "nameserver ");
			text_put(out, server);
			text_char(out, '\n');
			shown++;
		}
}

/* Holds the lock as long as the descriptor is open. */
static int open_slots(const char *runtime)
{
	char path[PATH_MAX];
	int e = netfile_dirs(runtime);

	if (e < 0)
		return e;
	if (snprintf(path, sizeof(path), "%s/resolv", runtime) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	owned_fd fd = openat(AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		return -errno;
	for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
		if ((errno != EWOULDBLOCK && errno != EINTR) || i == LOCK_TRIES)
			return -errno;
		(void)poll(NULL, 0, 5);
	}
	return take_fd(&fd);
}

/* How much of the file that is ours is in `there`, 0 where it is missing; -EPERM where somebody else made it. */
static ssize_t read_ours(const char *path, char there[MOST_TEXT])
{
	ssize_t n = netfile_read(path, there, MOST_TEXT);

	if (n < 0)
		return n == -ENOENT || n == -ELOOP ? 0 : n == -EINVAL || n == -EFBIG ? -EPERM : n;
	return n > 0 && ((size_t)n < strlen(RESOLV_MARK) || memcmp(there, RESOLV_MARK, strlen(RESOLV_MARK)) != 0) ? -EPERM : n;
}

static bool shared_path(const char *runtime, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/" PLAN_RESOLV, runtime) < PATH_MAX;
}

void resolv_share(const char *runtime, const char *path)
{
	char there[MOST_TEXT], shared[PATH_MAX];
	ssize_t n = read_ours(path, there);

	if (n >= 0 && shared_path(runtime, shared))
		(void)netfile_write(shared, n ? there : RESOLV_MARK, n ? (size_t)n : strlen(RESOLV_MARK), 0644, false);
}

int resolv_write(const char *runtime, const char *path, uint32_t slot, const struct resolv_slot *s)
{
	struct resolv_slot slots[MAX_NETS];
	char text[MOST_TEXT], there[MOST_TEXT], shared[PATH_MAX];
	struct text out = TEXT(text);
	owned_fd fd = open_slots(runtime);

	if (fd < 0)
		return fd;
	memset(slots, 0, sizeof(slots));
	if (pread(fd, slots, sizeof(slots), 0) < 0)
		return -errno;
	slots[slot] = *s;
	if (pwrite(fd, slots, sizeof(slots), 0) != (ssize_t)sizeof(slots))
		return errno ? -errno : -EIO;
	resolv_text(slots, &out);
	ssize_t n = read_ours(path, there);
	if (n < 0)
		return n == -EPERM ? 1 : (int)n;
	if (shared_path(runtime, shared))
		(void)netfile_write_over(shared, text, out.len);
	if (n == (ssize_t)out.len && !memcmp(there, text, out.len))
		return 0;
	/* Nothing to say and nothing to take back. */
	if (n <= 0 && out.len == strlen(RESOLV_MARK))
		return 0;
	return netfile_write(path, text, out.len, 0644, true);
}
