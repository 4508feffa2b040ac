/* desk.c - one turn of the desk: write what flows, wait, listen to PID 1, read logs, serve clients. */
#include "init/control/desk.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "conf/kit/pages.h"
#include "conf/kit/sys.h"
#include "init/control/inside.h"

#define EVENTS      64
#define LAST_WORDS  ((msec_t)2000) /* for what is still in the pipes when PID 1 has closed */

int desk_ask(struct desk *d, struct message *m, const int *fds, int n_fds)
{
	if (++d->serial == 0)
		d->serial = 1;
	m->serial = d->serial;
	ssize_t n = sys_send(d->pid1, m, sizeof(*m), fds, n_fds);

	return n < 0 ? (int)n : 0;
}

void desk_watch(struct desk *d, int op, int fd, uint32_t events, enum source kind, uint32_t index)
{
	(void)sys_epoll_ctl(d->ep, op, fd, events, (uint64_t)kind << 32 | index);
}

void desk_bell(struct desk *d)
{
	bool need = d->faces || errands_need_news(d);
	struct message m = { .kind = ASK_BELL, .unit = NO_UNIT, .a = need };

	if (need != d->bell && sys_send(d->pid1, &m, sizeof(m), NULL, 0) >= 0)
		d->bell = need;
}

struct record desk_record(const struct desk *d, uint32_t i)
{
	struct record r;

	if (records_read(&d->records, i, &r) < 0)
		r = (struct record){ 0 };
	return r;
}

int64_t desk_wall(const struct desk *d, msec_t at)
{
	return at ? at + d->pump.wall : -1;
}

static void reopen(struct desk *d, int fd)
{
	if (d->listener >= 0) {
		desk_watch(d, EPOLL_CTL_DEL, d->listener, 0, FROM_LISTENER, 0);
		(void)sys_close(d->listener);
	}
	d->listener = fd;
	(void)sys_nonblock(fd);
	desk_watch(d, EPOLL_CTL_ADD, fd, EPOLLIN, FROM_LISTENER, 0);
}

static void new_pipe(struct desk *d, uint32_t i, int fd)
{
	if (d->pump.fds[i] >= 0) {
		/* What the old one still holds comes first. */
		while (pump_read(&d->pump, i, d->now) > 0)
			continue;
		pump_drop(&d->pump, i, d->now);
	}
	d->pump.fds[i] = fd;
	(void)sys_nonblock(fd);
}

static void told(struct desk *d, const struct message *m, int *fds, int n_fds)
{
	switch (m->kind) {
	case TELL_DONE:
	case TELL_EXEC_PID:
	case TELL_EXEC_END:
		errands_told(d, m);
		break;
	case TELL_LOG:
		if (n_fds && m->unit <= d->n) {
			new_pipe(d, m->unit, fds[0]);
			fds[0] = -1;
		}
		break;
	case TELL_REOPEN:
		if (n_fds) {
			reopen(d, fds[0]);
			fds[0] = -1;
		}
		break;
	case TELL_STOPPING:
		d->stopping = true;
		errands_stopping(d);
		break;
	default:
		/* TELL_BELL: the news is read once in each turn in which PID 1 spoke. */
		break;
	}
	for (int i = 0; i < n_fds; i++)
		if (fds[i] >= 0)
			(void)sys_close(fds[i]);
}

static void hear_pid1(struct desk *d)
{
	for (int most = 64; most > 0; most--) {
		struct message m;
		int fds[4], n_fds = 4;
		ssize_t n = sys_recv(d->pid1, &m, sizeof(m), fds, &n_fds);

		if (n == -EAGAIN)
			break;
		if (n <= 0) {
			d->over = true;
			return;
		}
		if (n == sizeof(m)) {
			told(d, &m, fds, n_fds);
		} else {
			for (int i = 0; i < n_fds; i++)
				(void)sys_close(fds[i]);
		}
	}
	errands_news(d);
}

/* Reads each pipe once that has something, in the order in which it came. How many were told of. */
static int read_logs(struct desk *d)
{
	struct epoll_event ready[EVENTS];
	int n = sys_epoll_wait(d->setup->logs_ep, ready, EVENTS, 0);

	for (int k = 0; k < n; k++) {
		uint64_t i = ready[k].data.u64;
		int r = i <= d->n && d->pump.fds[i] >= 0 ? pump_read(&d->pump, (uint32_t)i, d->now) : 0;

		d->silent = r > 0 ? 0 : d->silent + 1;
		if (r < 0)
			pump_drop(&d->pump, (uint32_t)i, d->now);
	}
	return n;
}

static void watch_stdout(struct desk *d)
{
	bool need = d->pump.sink.blocked;

	if (need == d->out_watched)
		return;
	desk_watch(d, need ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, d->pump.sink.fd, EPOLLOUT, TO_STDOUT, 0);
	d->out_watched = need;
}

static msec_t earlier(msec_t a, msec_t b)
{
	return a < b ? a : b;
}

static void turn(struct desk *d)
{
	struct epoll_event ready[EVENTS];
	msec_t next = earlier(server_patience(d), earlier(errands_patience(d), pump_patience(&d->pump, d->now, false)));

	/* What was said up to here goes out before anybody sleeps. */
	pump_flush(&d->pump, d->now);
	watch_stdout(d);
	if (server_settle(d))
		next = d->now;
	desk_bell(d);
	int n = sys_epoll_wait(d->ep, ready, EVENTS, next == FOREVER ? FOREVER : next > d->now ? next - d->now : 0);

	d->now = sys_now();
	d->pump.wall = sys_wall() - d->now;
	for (int i = 0; i < n && !d->over; i++) {
		uint32_t index = (uint32_t)ready[i].data.u64;

		switch ((enum source)(ready[i].data.u64 >> 32)) {
		case FROM_PID1:
			hear_pid1(d);
			break;
		case FROM_LISTENER:
			server_accept(d);
			break;
		case FROM_LOGS:
			(void)read_logs(d);
			break;
		case FROM_CONN:
			server_ready(d, index, ready[i].events);
			break;
		case TO_STDOUT:
			break;
		}
	}
}

/* PID 1 has closed: all that was written before is read, and shown as far as the reader of stdout takes it. */
static void last_words(struct desk *d)
{
	msec_t until = sys_now() + LAST_WORDS;

	/* A pipe that nobody can write to any more is told of for ever: it is over once each had its turn, and none had anything. */
	for (d->silent = 0; read_logs(d) > 0 && d->silent <= d->n + 1 && sys_now() < until;)
		pump_flush(&d->pump, d->now);
	(void)pump_patience(&d->pump, d->now, true);
	pump_flush(&d->pump, d->now);
	while (d->pump.sink.blocked && sys_now() < until) {
		struct pollfd p = { .fd = d->pump.sink.fd, .events = POLLOUT };

		(void)poll(&p, 1, 10);
		pump_flush(&d->pump, d->now);
	}
	(void)server_settle(d);
}

static int open_desk(struct desk *d, const struct desk_setup *s)
{
	int r = records_map(&d->records, s->state_fd, false);

	if (r < 0)
		return r;
	if (d->records.n < s->n || s->table->n_units < s->n)
		return -EBADMSG;
	r = pump_open(&d->pump, s->table, s->n, s->logs_fd, s->out, s->pipes);
	if (r < 0)
		return r;
	d->pump.logged = logs_line;
	d->pump.self = d;
	d->ep = sys_epoll();
	if (d->ep < 0)
		return d->ep;
	desk_watch(d, EPOLL_CTL_ADD, d->pid1, EPOLLIN, FROM_PID1, 0);
	d->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	server_prepare(d);
	if (s->listener >= 0)
		reopen(d, s->listener);
	desk_watch(d, EPOLL_CTL_ADD, s->logs_ep, EPOLLIN, FROM_LOGS, 0);
	return 0;
}

/* What the desk holds on to; all else that a fork of PID 1 brings along is closed. */
static void enter(struct desk *d, const struct desk_setup *s)
{
	int *keep = calloc((size_t)s->n + 16, sizeof(*keep));
	uint32_t k = 0;

	(void)prctl(PR_SET_NAME, "coppice: desk", 0, 0, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	if (!keep)
		return;
	const int own[] = { s->state_fd, s->logs_fd, s->logs_ep, d->pid1, d->listener, d->ep, d->null, d->pump.sink.fd };

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (own[i] >= 0)
			keep[k++] = own[i];
	for (uint32_t i = 0; i <= s->n; i++)
		if (s->pipes[i] >= 0)
			keep[k++] = s->pipes[i];
	desk_guard(keep, k);
	free(keep);
}

int desk_main(const struct desk_setup *setup)
{
	static struct desk d;

	d = (struct desk){
		.setup = setup, .table = setup->table, .n = setup->n, .pid1 = setup->pid1, .listener = -1, .ep = -1, .null = -1,
		.now = sys_now(),
	};
	d.pump.wall = sys_wall() - d.now;
	/* A secret order of keys: nobody chooses names that all collide. */
	json_object_seed(sys_random() | 1);
	if (open_desk(&d, setup) < 0)
		return 1;
	enter(&d, setup);
	pages_forget(false);
	if (d.pump.logs.mended)
		pump_say(&d.pump, d.now, "desk: a ring of log lines was damaged and begins anew");
	while (!d.over)
		turn(&d);
	last_words(&d);
	return 0;
}
