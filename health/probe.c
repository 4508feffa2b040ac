/*
 * probe.c - the probes' process: asks in, tries on one epoll, answers out, each in its time.
 *
 * An ask waits in `queue`, is under way (`busy` counts), and waits in `outbox`
 * where PID 1 is slow to read; then its flight is free again. A newer ask for a
 * unit under way takes over the try, and the older serial is not answered.
 *
 * Time is our own: what we could not run through (SIGSTOP, a frozen cgroup, a
 * starved machine) did not pass for the probed either, so it is taken off the clock.
 */
#include "health/probe.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "conf/kit/own.h"
#include "conf/kit/shed.h"
#include "conf/kit/sys.h"
#include "health/address.h"
#include "health/guard.h"
#include "health/http.h"
#include "health/listen.h"
#include "health/path.h"

#define EVENTS      256            /* handled in one turn */
#define ASKS        256            /* taken in one turn */
#define MOST_BUSY   4096u          /* tries at once, where descriptors allow it; the rest waits its turn */
#define SPARE_FDS   32u            /* that are not tries */
#define MOST_WAIT   250            /* ms; longest sleep with a probe under way, so that a stall is measured well */
#define MOST_LATE   250            /* ms; waking later than this is a stall */
#define LONGEST     86400000       /* ms; longest timeout */
#define NOBODY      UINT32_MAX

enum stage { FREE, QUEUED, CONNECTING, READING, LOOKING, DONE };

struct flight {
	msec_t deadline;
	uint32_t serial;
	uint32_t before, after;    /* neighbours in queue or outbox */
	uint32_t place;            /* in the heap */
	int32_t main, detail;
	int fd;
	int top;                   /* the unit's /, until it was looked into; -1 */
	struct http http;
	uint16_t error;            /* of the first address, for a person */
	uint8_t stage, address;
};

struct line { uint32_t first, last; };

struct tower {
	const struct table *t;
	struct flight *flights;    /* by unit */
	uint32_t *heap;            /* units, by deadline: those queued or under way */
	uint32_t n_heap, busy, most_busy;
	struct line queue, outbox;
	int sock, epoll;
	bool blocked;              /* the outbox waits for EPOLLOUT */
	msec_t now, seen, lost;    /* our time; the real time we looked at last; how much of it we slept through */
};

/* Lines of flights. */

static void line_put(struct tower *w, struct line *l, uint32_t u)
{
	w->flights[u].before = l->last;
	w->flights[u].after = NOBODY;
	*(l->last == NOBODY ? &l->first : &w->flights[l->last].after) = u;
	l->last = u;
}

static void line_remove(struct tower *w, struct line *l, uint32_t u)
{
	const struct flight *f = &w->flights[u];

	*(f->before == NOBODY ? &l->first : &w->flights[f->before].after) = f->after;
	*(f->after == NOBODY ? &l->last : &w->flights[f->after].before) = f->before;
}

/* The heap of deadlines. */

static void heap_put(struct tower *w, uint32_t at, uint32_t u)
{
	w->heap[at] = u;
	w->flights[u].place = at;
}

/* Puts `u` at the free place `at`, or above or below it, where it belongs. */
static void heap_settle(struct tower *w, uint32_t at, uint32_t u)
{
	msec_t deadline = w->flights[u].deadline;

	for (; at > 0 && w->flights[w->heap[(at - 1) / 2]].deadline > deadline; at = (at - 1) / 2)
		heap_put(w, at, w->heap[(at - 1) / 2]);
	for (uint32_t below; (below = 2 * at + 1) < w->n_heap; at = below) {
		if (below + 1 < w->n_heap &&
		    w->flights[w->heap[below + 1]].deadline < w->flights[w->heap[below]].deadline)
			below++;
		if (deadline <= w->flights[w->heap[below]].deadline)
			break;
		heap_put(w, at, w->heap[below]);
	}
	heap_put(w, at, u);
}

static void heap_remove(struct tower *w, uint32_t u)
{
	uint32_t moved = w->heap[--w->n_heap];

	if (moved != u)
		heap_settle(w, w->flights[u].place, moved);
}

/* Answers. */

static bool tell(struct tower *w, uint32_t u)
{
	const struct flight *f = &w->flights[u];
	struct probe_tell tell = {
		.unit = u,
		.serial = f->serial,
		.result = f->detail ? PROBE_FAILED : PROBE_OK,
		.detail = f->detail,
	};

	return send(w->sock, &tell, sizeof(tell), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 || errno != EAGAIN;
}

static void empty_outbox(struct tower *w)
{
	while (w->outbox.first != NOBODY && tell(w, w->outbox.first)) {
		w->flights[w->outbox.first].stage = FREE;
		line_remove(w, &w->outbox, w->outbox.first);
	}
	bool blocked = w->outbox.first != NOBODY;
	struct epoll_event e = { .events = EPOLLIN | (blocked ? EPOLLOUT : 0u), .data.u32 = NOBODY };
	if (blocked != w->blocked)
		(void)epoll_ctl(w->epoll, EPOLL_CTL_MOD, w->sock, &e);
	w->blocked = blocked;
}

static void answer(struct tower *w, uint32_t u, int32_t detail)
{
	w->flights[u].detail = detail;
	w->flights[u].stage = DONE;
	line_put(w, &w->outbox, u);
}

/* Out of the epoll by hand: a child that has just been forked may still hold the socket open. */
static void hang_up(struct tower *w, struct flight *f)
{
	if (f->fd < 0)
		return;
	(void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, f->fd, NULL);
	(void)close(take_fd(&f->fd));
}

static void let_top_go(struct flight *f)
{
	if (f->top >= 0)
		(void)close(take_fd(&f->top));
}

/* Takes a flight out of where it waits or tries. */
static void withdraw(struct tower *w, uint32_t u)
{
	struct flight *f = &w->flights[u];

	heap_remove(w, u);
	if (f->stage == QUEUED)
		line_remove(w, &w->queue, u);
	else
		w->busy--;
	hang_up(w, f);
	let_top_go(f);
}

/* The try is over; `detail` 0 is success. */
static void finish(struct tower *w, uint32_t u, int32_t detail)
{
	withdraw(w, u);
	answer(w, u, detail);
}

/* Tries. */

static bool watch(struct tower *w, uint32_t u, int op, uint32_t events, enum stage stage)
{
	struct epoll_event e = { .events = events, .data.u32 = u };

	w->flights[u].stage = (uint8_t)stage;
	return epoll_ctl(w->epoll, op, w->flights[u].fd, &e) == 0;
}

static void connected(struct tower *w, uint32_t u)
{
	const struct unit *unit = table_unit(w->t, u);
	struct flight *f = &w->flights[u];
	char request[4096];

	if (unit->health_kind != HEALTH_HTTP) {
		finish(w, u, 0);
		return;
	}
	int n = http_request(request, sizeof(request), table_text(w->t, unit->health_host), unit->health_port,
			     table_text(w->t, unit->health_path));
	if (n < 0) {
		finish(w, u, DETAIL(DETAIL_SYSTEM, -n));
		return;
	}
	/* So few bytes fit into the buffer of a new connection. */
	if (send(f->fd, request, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) != n)
		finish(w, u, DETAIL(DETAIL_CONNECT, errno));
	else if (!watch(w, u, EPOLL_CTL_MOD, EPOLLIN, READING))
		finish(w, u, DETAIL(DETAIL_SYSTEM, errno));
}

/* Connects to the next address; where there is none more, the first one's error is the answer. */
static void dial(struct tower *w, uint32_t u)
{
	const struct unit *unit = table_unit(w->t, u);
	struct flight *f = &w->flights[u];
	struct sockaddr_storage to;
	socklen_t len;

	while ((len = address_of(table_text(w->t, unit->health_host), (uint16_t)unit->health_port, f->address, &to))) {
		f->address++;
		f->fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		bool started = f->fd >= 0 && (!connect(f->fd, (struct sockaddr *)&to, len) || errno == EINPROGRESS);
		/* A connection that is there at once says so by EPOLLOUT, too. */
		if (started && watch(w, u, EPOLL_CTL_ADD, EPOLLOUT, CONNECTING))
			return;
		if (!f->error)
			f->error = (uint16_t)errno;
		hang_up(w, f);
	}
	bool ours = f->error == EMFILE || f->error == ENFILE || f->error == ENOMEM || f->error == ENOBUFS;
	finish(w, u, DETAIL(ours ? DETAIL_SYSTEM : DETAIL_CONNECT, f->error));
}

static void connecting(struct tower *w, uint32_t u)
{
	struct flight *f = &w->flights[u];
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &error, &len))
		error = errno;
	if (!error)
		error = -address_reached(f->fd);
	if (!error) {
		connected(w, u);
		return;
	}
	if (!f->error)
		f->error = (uint16_t)error;
	hang_up(w, f);
	dial(w, u);
}

static void judge_status(struct tower *w, uint32_t u, uint32_t status)
{
	const struct unit *unit = table_unit(w->t, u);
	bool good = status >= unit->health_status[0] && status <= unit->health_status[1];

	finish(w, u, good ? 0 : DETAIL(DETAIL_STATUS, status));
}

static void reading(struct tower *w, uint32_t u)
{
	struct flight *f = &w->flights[u];
	char buffer[HTTP_MOST];
	ssize_t n = recv(f->fd, buffer, sizeof(buffer), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		finish(w, u, DETAIL(f->http.taken ? DETAIL_NOT_HTTP : DETAIL_CLOSED, n < 0 ? errno : 0));
		return;
	}
	int status = http_eat(&f->http, buffer, (size_t)n);
	if (status < 0)
		finish(w, u, DETAIL(DETAIL_NOT_HTTP, 0));
	else if (status > 0)
		judge_status(w, u, (uint32_t)status);
}

static int32_t look(const struct tower *w, uint32_t u, bool patient)
{
	const struct unit *unit = table_unit(w->t, u);

	/* One without a root of its own sees what we see. */
	return path_look(table_text(w->t, unit->health_path), unit->health_kind == HEALTH_UNIX, w->flights[u].top,
			 unit_rooted(unit) ? w->flights[u].main : 0, patient);
}

/* A child that may be stuck in a file system of the unit's; its alarm ends it, and SIGCHLD is ignored. */
static void look_patiently(struct tower *w, uint32_t u)
{
	struct flight *f = &w->flights[u];
	msec_t left = f->deadline - w->now;
	int two[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, two)) {
		finish(w, u, DETAIL(DETAIL_SYSTEM, errno));
		return;
	}
	f->fd = two[0];
	pid_t pid = fork();
	if (pid == 0) {
		struct itimerval alarm = { .it_value = { .tv_sec = left / 1000, .tv_usec = left % 1000 * 1000 + 1 } };
		(void)setitimer(ITIMER_REAL, &alarm, NULL);
		const int keep[] = { two[1] < f->top ? two[1] : f->top, two[1] < f->top ? f->top : two[1] };
		shed_files(keep, 2); /* else we hold open what our parent closes */
		int32_t detail = look(w, u, true);
		(void)send(two[1], &detail, sizeof(detail), MSG_NOSIGNAL);
		_exit(0);
	}
	int error = errno;
	own_close(&two[1]);
	let_top_go(f); /* the child has it, and many may wait */
	if (pid < 0)
		finish(w, u, DETAIL(DETAIL_SYSTEM, error));
	else if (!watch(w, u, EPOLL_CTL_ADD, EPOLLIN, LOOKING))
		finish(w, u, DETAIL(DETAIL_SYSTEM, errno));
}

static void looking(struct tower *w, uint32_t u)
{
	int32_t detail;
	ssize_t n = recv(w->flights[u].fd, &detail, sizeof(detail), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	finish(w, u, n == (ssize_t)sizeof(detail) ? detail : DETAIL(DETAIL_TIMEOUT, 0));
}

static void find_listener(struct tower *w, uint32_t u)
{
	int r = listen_find((uint16_t)table_unit(w->t, u)->health_port);

	finish(w, u, r == 1 ? 0 : r == 0 ? DETAIL(DETAIL_NOT_LISTENING, 0) : DETAIL(DETAIL_SYSTEM, -r));
}

static void find_path(struct tower *w, uint32_t u)
{
	int32_t detail = look(w, u, false);

	if (detail == PATH_SLOW)
		look_patiently(w, u);
	else
		finish(w, u, detail);
}

/* How a try begins, by kind. */
static void (*const begin[N_HEALTH_KINDS])(struct tower *w, uint32_t u) = {
	[HEALTH_TCP] = dial,
	[HEALTH_HTTP] = dial,
	[HEALTH_LISTEN] = find_listener,
	[HEALTH_UNIX] = find_path,
	[HEALTH_FILE] = find_path,
};

/* How it goes on when its descriptor has something, by stage. */
static void (*const proceed[DONE + 1])(struct tower *w, uint32_t u) = {
	[CONNECTING] = connecting,
	[READING] = reading,
	[LOOKING] = looking,
};

static void begin_queued(struct tower *w)
{
	while (w->queue.first != NOBODY && w->busy < w->most_busy) {
		uint32_t u = w->queue.first;
		line_remove(w, &w->queue, u);
		w->busy++;
		w->flights[u].stage = CONNECTING;
		begin[table_unit(w->t, u)->health_kind](w, u);
	}
}

/* A try that never began is our doing, not the unit's. */
static void expire(struct tower *w)
{
	while (w->n_heap && w->flights[w->heap[0]].deadline <= w->now) {
		uint32_t u = w->heap[0];
		finish(w, u, w->flights[u].stage == QUEUED ? DETAIL(DETAIL_SYSTEM, EBUSY) : DETAIL(DETAIL_TIMEOUT, 0));
	}
}

/* Asks. */

/* `top` stays the caller's unless it is taken. */
static void take_ask(struct tower *w, const struct probe_ask *ask, int *top)
{
	struct flight *f = &w->flights[ask->unit];
	msec_t timeout = ask->timeout < 1 ? 1 : ask->timeout > LONGEST ? LONGEST : ask->timeout;
	bool same = f->main == ask->main;

	f->serial = ask->serial;
	f->main = ask->main;
	if (f->stage == DONE) {
		/* What is in the outbox goes out for this ask, unless it is about an earlier run. */
		if (!same)
			f->detail = DETAIL(DETAIL_SYSTEM, EBUSY);
		return;
	}
	if (f->stage != FREE && same) {
		if (f->deadline > w->now + timeout) {
			f->deadline = w->now + timeout;
			heap_settle(w, f->place, ask->unit);
		}
		return;
	}
	if (f->stage != FREE)
		withdraw(w, ask->unit);
	if (!begin[table_unit(w->t, ask->unit)->health_kind]) {
		answer(w, ask->unit, DETAIL(DETAIL_SYSTEM, EOPNOTSUPP));
		return;
	}
	*f = (struct flight){
		.deadline = w->now + timeout,
		.serial = ask->serial,
		.main = ask->main,
		.fd = -1,
		.top = take_fd(top),
		.stage = QUEUED,
	};
	line_put(w, &w->queue, ask->unit);
	heap_settle(w, w->n_heap++, ask->unit);
}

/* False: PID 1 is gone, or has had enough of us. */
static bool take_asks(struct tower *w, uint32_t events)
{
	for (int i = 0; i < ASKS; i++) {
		struct { struct probe_ask ask; char more; } in;
		owned_fd top = -1;
		int n_tops = 1;
		ssize_t n = sys_recv(w->sock, &in, sizeof(in), &top, &n_tops);
		if (n < 0)
			return n == -EAGAIN;
		if (n == 0 && (events & EPOLLHUP))
			return false;
		if (n == (ssize_t)sizeof(in.ask) && in.ask.unit < w->t->n_units)
			take_ask(w, &in.ask, &top);
	}
	return true;
}

/* The loop. */

static msec_t real_time(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_BOOTTIME, &ts);
	return (msec_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* `wanted`: how long we meant to sleep; negative: until something happens. */
static void read_clock(struct tower *w, int wanted)
{
	msec_t real = real_time();

	if (wanted >= 0 && real - w->seen > wanted + MOST_LATE)
		w->lost += real - w->seen - wanted;
	w->seen = real;
	w->now = real - w->lost;
}

static int time_to_sleep(const struct tower *w)
{
	if (!w->n_heap)
		return -1;
	msec_t left = w->flights[w->heap[0]].deadline - w->now;
	return left < 0 ? 0 : left > MOST_WAIT ? MOST_WAIT : (int)left;
}

static int run(struct tower *w)
{
	struct epoll_event events[EVENTS], e = { .events = EPOLLIN, .data.u32 = NOBODY };

	if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->sock, &e))
		return 1;
	for (;;) {
		int wanted = time_to_sleep(w);
		uint32_t asked = 0;
		int n = epoll_wait(w->epoll, events, EVENTS, wanted);

		if (n < 0 && errno != EINTR)
			return 1;
		read_clock(w, wanted);
		/* News of tries first: an ask may begin a new one, and what is said of the old must not reach it. */
		for (int i = 0; i < n; i++) {
			uint32_t u = events[i].data.u32;
			if (u == NOBODY)
				asked = events[i].events;
			else if (proceed[w->flights[u].stage])
				proceed[w->flights[u].stage](w, u);
		}
		expire(w);
		if (asked & ~(uint32_t)EPOLLOUT && !take_asks(w, asked))
			return 0;
		begin_queued(w);
		empty_outbox(w);
	}
}

/* As many tries at once as there are descriptors for. */
static uint32_t raise_files(void)
{
	struct rlimit files = { .rlim_cur = 256, .rlim_max = 256 };

	if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur < files.rlim_max) {
		struct rlimit more = { .rlim_cur = files.rlim_max, .rlim_max = files.rlim_max };
		if (!setrlimit(RLIMIT_NOFILE, &more))
			files = more;
	}
	if (files.rlim_cur < SPARE_FDS + SPARE_FDS)
		return SPARE_FDS / 4;
	return files.rlim_cur - SPARE_FDS > MOST_BUSY ? MOST_BUSY : (uint32_t)files.rlim_cur - SPARE_FDS;
}

static int watch_asks(struct tower *w)
{
	owned_fd epoll = epoll_create1(EPOLL_CLOEXEC);

	w->epoll = epoll;
	read_clock(w, -1);
	return epoll < 0 ? 1 : run(w);
}

int probe_main(int sock, const struct table *t)
{
	struct tower w = {
		.t = t, .sock = sock, .most_busy = raise_files(),
		.flights = calloc((size_t)t->n_units + 1, sizeof(*w.flights)),
		.heap = calloc((size_t)t->n_units + 1, sizeof(*w.heap)),
		.queue = { NOBODY, NOBODY }, .outbox = { NOBODY, NOBODY },
	};
	int code = 1;

	if (w.flights && w.heap) {
		guard_enter(sock); /* from here on nothing is allocated */
		code = watch_asks(&w);
	}
	free(w.heap);
	free(w.flights);
	return code;
}
