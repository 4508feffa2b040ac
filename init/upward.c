/* upward.c - what has been told to the outer manager, what is new, and one datagram for it. */
#include "init/upward.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "conf/kit/say.h"
#include "conf/kit/sys.h"
#include "conf/values.h"

#define PAUSE ((msec_t)1000) /* at least, between two that only change the status, and before a busy manager is tried again */

static struct {
	int fd; /* -1: nobody to tell */
	struct sockaddr_un to;
	socklen_t size;
	bool ready, stopping, reloading; /* was told */
	char words[160];                 /* the status that was told */
	msec_t told;                     /* when */
	msec_t dog, fed;                 /* WATCHDOG=1 so often; when last; 0: nobody asks */
	/* what the muster was taken of */
	struct muster muster;
	const struct state *state;
	uint64_t news;
} up = { .fd = -1 };

/* ---- the socket ---- */

static int connect_up(void)
{
	return connect(up.fd, (const struct sockaddr *)&up.to, up.size) < 0 ? -errno : 0;
}

static void give_up(int error)
{
	say(SAY_WARNING, "NOTIFY_SOCKET: %s; who started us is not told how we are", strerror(error));
	(void)close(up.fd);
	up.fd = -1;
}

/* False: not now; it is tried again. */
static bool tell(const char *lines, size_t n)
{
	ssize_t r = send(up.fd, lines, n, MSG_DONTWAIT | MSG_NOSIGNAL);

	/* Who listened there was started anew. */
	if (r < 0 && (errno == ECONNREFUSED || errno == ENOTCONN || errno == ECONNRESET) && connect_up() == 0)
		r = send(up.fd, lines, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (r >= 0)
		return true;
	if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR)
		give_up(errno);
	return false;
}

/* sd_watchdog_enabled(3): half the time, and only where it is us who is watched. */
static msec_t watched_every(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	int64_t n, us;

	if (!usec || !number_of(usec, &n) || n < 2000 || (pid && (!number_of(pid, &us) || us != getpid())))
		return 0;
	return n / 2000;
}

void upward_open(void)
{
	const char *address = getenv("NOTIFY_SOCKET");

	if (address) {
		size_t n = upward_path(address, up.to.sun_path);

		up.dog = watched_every();
		up.to.sun_family = AF_UNIX;
		up.size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
		up.fd = n == 0 ? -1 : socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (n == 0)
			say(SAY_WARNING, "NOTIFY_SOCKET=%.100s is no path, and no @name, of a socket; who started us is not told how we are", address);
		int e = up.fd < 0 ? 0 : connect_up();
		if (e < 0)
			give_up(-e);
	}
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
}

/* ---- what is new ---- */

static void take_muster(const struct manager *m)
{
	struct muster a = { .begun = m->begun, .how = m->how, .left = m->live };

	for (uint32_t i = 0; i < m->n; i++) {
		const struct service *s = &m->services[i];
		uint8_t state = s->r.state;

		if (!s->r.wanted && state != FAILED && state != DONE)
			continue;
		a.units++;
		a.up += s->r.ready || state == DONE;
		a.failed += state == FAILED;
		a.waiting += (state == WAITING && s->stalled) || (state == INACTIVE && !s->start_pending);
	}
	up.muster = a;
	up.state = m->records.state;
	up.news = m->records.state->news;
}

/* CLOCK_MONOTONIC, as sd_notify(3) has it: so that a READY=1 of before is not taken for the answer. */
static void put_moment(struct text *t)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	text_fmt(t, "MONOTONIC_USEC=%lld\n", (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

msec_t upward_look(const struct manager *m, bool reloading)
{
	char lines[300] = "", words[sizeof(up.words)] = "";
	struct text t = TEXT(lines), status = TEXT(words);
	msec_t next = FOREVER;

	if (up.fd < 0)
		return FOREVER;
	if (up.state != m->records.state || up.news != m->records.state->news || up.muster.begun != m->begun || up.muster.how != m->how ||
	    up.muster.left != m->live)
		take_muster(m);
	muster_words(&status, &up.muster);
	bool stopping = m->how != HOW_NONE, ready = up.ready || muster_settled(&up.muster);
	/* A reload before the first READY=1 is part of the start. */
	reloading = reloading && up.ready && !stopping;
	if (stopping && !up.stopping) {
		text_put(&t, "STOPPING=1\n");
	} else if (reloading && !up.reloading) {
		text_put(&t, "RELOADING=1\n");
		put_moment(&t);
	} else if (!stopping && !reloading && ready && (!up.ready || up.reloading)) {
		text_put(&t, "READY=1\n");
	}
	bool urgent = *lines, other = strcmp(words, up.words) != 0;
	if (urgent || (other && m->now - up.told >= PAUSE)) {
		text_put(&t, "STATUS=");
		text_put(&t, words);
		up.told = m->now;
		if (tell(lines, t.len)) {
			up.ready = ready;
			up.stopping = stopping;
			up.reloading = reloading;
			memcpy(up.words, words, sizeof(words));
		} else {
			next = time_add(m->now, PAUSE);
		}
	} else if (other) {
		next = time_add(up.told, PAUSE);
	}
	if (up.dog > 0 && up.fd >= 0) {
		if (m->now - up.fed >= up.dog && tell("WATCHDOG=1", strlen("WATCHDOG=1")))
			up.fed = m->now;
		msec_t due = up.fed + up.dog > m->now ? up.fed + up.dog : time_add(m->now, PAUSE);

		next = due < next ? due : next;
	}
	return up.fd < 0 ? FOREVER : next;
}

void upward_end(int status)
{
	char lines[64];
	struct text t = TEXT(lines);

	if (up.fd < 0)
		return;
	if (!up.stopping)
		text_put(&t, "STOPPING=1\n");
	text_fmt(&t, "EXIT_STATUS=%d", status);
	(void)tell(lines, t.len);
}
