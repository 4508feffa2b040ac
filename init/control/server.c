/* server.c - connections: who may come in, bytes into lines, answers out, and patience with the slow. */
#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conf/kit/sys.h"
#include "conf/values.h"
#include "init/control/inside.h"

#define PIECE     (16u << 10) /* bytes taken from one client in one turn */
#define MAX_LINES 16          /* requests of one client in one turn */
#define MAX_GROUPS 1024

void server_prepare(struct desk *d)
{
	const char *name = table_text(d->table, d->table->house.control_group);
	const struct group *g;
	int64_t number;

	d->own = geteuid();
	if (!*name)
		return;
	if (number_of(name, &number) && number >= 0 && number < UINT32_MAX) {
		d->group = (gid_t)number;
		d->has_group = true;
	} else if ((g = getgrnam(name))) {
		d->group = g->gr_gid;
		d->has_group = true;
	}
}

/* By the kernel's word (unix(7)); a peer of another user namespace shows as the overflow uid, which is nobody. */
static bool admitted(const struct desk *d, int fd, uid_t *uid, enum right *right)
{
	struct ucred who;
	socklen_t size = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0)
		return false;
	*uid = who.uid;
	*right = who.uid == 0 ? RIGHT_ALL : RIGHT_READ;
	/* Where PID 1 is not root, a container manager asks as the same user, whether all is well. */
	if (who.uid == 0 || who.uid == d->own)
		return true;
	if (!d->has_group)
		return false;
	if (who.gid == d->group)
		return true;
	static gid_t groups[MAX_GROUPS];
	size = sizeof(groups);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0) /* 4.13 */
		return false;
	for (size_t i = 0; i < size / sizeof(*groups); i++)
		if (groups[i] == d->group)
			return true;
	return false;
}

static void refuse(int fd, int code, const char *words)
{
	struct buf b = { .most = 1024 };

	rpc_refuse(&b, code, words);
	(void)send(fd, b.at, b.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	buf_free(&b);
	(void)sys_close(fd);
}

static void drop_fds(struct conn *c)
{
	for (int i = 0; i < c->n_fds; i++)
		(void)sys_close(c->fds[i]);
	c->n_fds = 0;
}

static void shut(struct desk *d, uint32_t i)
{
	struct conn *c = d->conns[i];

	errands_drop(d, c);
	desk_watch(d, EPOLL_CTL_DEL, c->fd, 0, FROM_CONN, i);
	(void)sys_close(c->fd);
	drop_fds(c);
	free(c->in);
	free(c->followed);
	buf_free(&c->out);
	free(c);
	d->conns[i] = NULL;
	d->n_conns--;
	logs_unsubscribe(d);
}

/* A place that its client has left already, though nobody has looked there since: free it. */
static uint32_t free_place(struct desk *d)
{
	uint32_t i = 0;
	char c;

	while (i < MAX_CONNS && d->conns[i])
		i++;
	for (uint32_t k = 0; i == MAX_CONNS && k < MAX_CONNS; k++) {
		const struct conn *one = d->conns[k];

		if (!one->rpc.open && !one->out.len && recv(one->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 0) {
			shut(d, k);
			i = k;
		}
	}
	return i;
}

static void take_in(struct desk *d, int fd)
{
	enum right right;
	uid_t uid;

	if (!admitted(d, fd, &uid, &right)) {
		refuse(fd, RPC_DENIED, "this socket is for root, and for readers in ControlGroup=");
		return;
	}
	uint32_t i = free_place(d);

	/* The last place is kept for root. */
	if (i == MAX_CONNS || (uid != 0 && d->n_conns == MAX_CONNS - 1)) {
		refuse(fd, RPC_BUSY, "all 64 connections are taken; try again later");
		return;
	}
	struct conn *c = calloc(1, sizeof(*c));

	if (!c) {
		(void)sys_close(fd);
		return;
	}
	*c = (struct conn){ .desk = d, .fd = fd, .uid = uid, .watched = EPOLLIN, .out.most = RPC_ANSWER + (1u << 20) };
	c->rpc = (struct rpc){ .methods = methods, .n_methods = N_METHODS, .right = right, .out = &c->out, .owner = c, .run = calls_run };
	d->conns[i] = c;
	d->n_conns++;
	desk_watch(d, EPOLL_CTL_ADD, fd, EPOLLIN, FROM_CONN, i);
}

void server_accept(struct desk *d)
{
	for (int most = 16; most > 0; most--) {
		int fd = accept4(d->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			return;
		take_in(d, fd);
	}
}

static bool in_room(struct conn *c, size_t n)
{
	size_t size = c->in_size ? c->in_size : 512;

	while (size < c->in_len + n)
		size *= 2;
	if (size == c->in_size)
		return true;
	char *at = realloc(c->in, size);

	if (!at)
		return false;
	c->in = at;
	c->in_size = (uint32_t)size;
	return true;
}

/* Takes whole lines out of what came, some at a time; the rest waits for the next turn. */
static void serve(struct desk *d, struct conn *c)
{
	uint32_t done = 0;

	for (int lines = 0; lines < MAX_LINES && c->out.len <= QUEUE_PAUSE; lines++) {
		const char *eol = done < c->in_len ? memchr(c->in + done, '\n', c->in_len - done) : NULL;

		if (!eol)
			break;
		size_t n = (size_t)(eol - (c->in + done));

		if (!c->skipping)
			rpc_line(&c->rpc, c->in + done, n);
		c->skipping = false;
		done += (uint32_t)n + 1;
	}
	if (done) {
		c->in_len -= done;
		memmove(c->in, c->in + done, c->in_len);
		c->half = 0;
	}
	bool line = c->in_len && memchr(c->in, '\n', c->in_len);

	if (!line && (c->skipping || c->in_len > RPC_LINE)) {
		if (!c->skipping)
			rpc_too_long(&c->rpc);
		c->skipping = true;
		c->in_len = 0;
	}
	if (!line && !c->in_len) {
		free(c->in);
		c->in = NULL;
		c->in_size = 0;
		/* Descriptors that no exec took. */
		if (!c->skipping)
			drop_fds(c);
	}
	if (c->half == 0 && (c->in_len || c->skipping) && !c->eof)
		c->half = d->now;
}

/* False: the connection is broken. At its end c->eof is set: a client may have closed only its half. */
static bool receive(struct conn *c)
{
	int fds[4], n_fds = 4;

	/* Lines that wait for their turn come first. */
	if (c->in_len > RPC_LINE)
		return true;
	if (!in_room(c, PIECE + 1))
		return false;
	ssize_t n = sys_recv(c->fd, c->in + c->in_len, PIECE, fds, &n_fds);

	if (n_fds && (n_fds > 3 || c->n_fds)) {
		for (int i = 0; i < n_fds; i++)
			(void)sys_close(fds[i]);
	} else if (n_fds) {
		memcpy(c->fds, fds, sizeof(*fds) * (size_t)n_fds);
		c->n_fds = n_fds;
	}
	if (n > 0)
		c->in_len += (uint32_t)n;
	if (n == 0) {
		c->eof = true;
		/* A last line without its end was meant all the same. */
		if (c->in_len && c->in[c->in_len - 1] != '\n')
			c->in[c->in_len++] = '\n';
	}
	return n >= 0 || n == -EAGAIN;
}

void server_ready(struct desk *d, uint32_t i, uint32_t events)
{
	struct conn *c = i < MAX_CONNS ? d->conns[i] : NULL;

	if (!c)
		return;
	if (events & EPOLLIN && !c->eof) {
		if (!receive(c)) {
			shut(d, i);
			return;
		}
		serve(d, c);
	} else if (events & (EPOLLHUP | EPOLLERR)) {
		shut(d, i);
	}
}

/* False: nobody is there to read it. */
static bool transmit(struct desk *d, struct conn *c)
{
	while (c->out.len) {
		ssize_t n = send(c->fd, c->out.at, c->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			if (!c->stuck)
				c->stuck = d->now;
			return true;
		}
		if (n < 0)
			return false;
		buf_drop(&c->out, (size_t)n);
		c->stuck = 0;
	}
	c->stuck = 0;
	return true;
}

static void told_lost(struct conn *c, const char *method, uint64_t *lost)
{
	struct jout j = rpc_notify(&c->out, method);

	jout_open(&j, '{');
	jout_key(&j, "lost");
	jout_int(&j, (int64_t)*lost);
	jout_close(&j, '}');
	rpc_notify_end(&j);
	*lost = 0;
}

bool server_settle(struct desk *d)
{
	bool served = false;

	for (uint32_t i = 0; i < MAX_CONNS; i++) {
		struct conn *c = d->conns[i];

		if (!c)
			continue;
		bool paused = c->out.len > QUEUE_PAUSE;

		if (c->out.broken || !transmit(d, c)) {
			shut(d, i);
			continue;
		}
		if (c->out.len <= QUEUE_PAUSE / 2) {
			if (c->lost_lines)
				told_lost(c, "log", &c->lost_lines);
			if (c->lost_events)
				told_lost(c, "event", &c->lost_events);
		}
		if (paused && c->out.len <= QUEUE_PAUSE) {
			serve(d, c);
			served = true;
		}
		if (c->eof && !c->in_len && !c->out.len && !c->rpc.open && !c->events && !c->follow_all && !c->n_followed) {
			shut(d, i);
			continue;
		}
		/* A client that does not read is not listened to. */
		uint32_t want = (c->out.len ? EPOLLOUT : 0) | (c->out.len <= QUEUE_PAUSE && !c->eof ? EPOLLIN : 0);

		if (want != c->watched) {
			desk_watch(d, EPOLL_CTL_MOD, c->fd, want, FROM_CONN, i);
			c->watched = want;
		}
	}
	return served;
}

msec_t server_patience(struct desk *d)
{
	msec_t next = FOREVER;

	for (uint32_t i = 0; i < MAX_CONNS; i++) {
		struct conn *c = d->conns[i];

		if (!c)
			continue;
		/* Whole lines are waiting: the next turn is now. */
		if (c->in_len && c->out.len <= QUEUE_PAUSE && memchr(c->in, '\n', c->in_len)) {
			serve(d, c);
			next = c->in_len ? d->now : next;
		}
		msec_t since = c->half && c->stuck ? (c->half < c->stuck ? c->half : c->stuck) : c->half + c->stuck;

		if (!since)
			continue;
		if (d->now - since >= HALF_TIME)
			shut(d, i);
		else if (since + HALF_TIME < next)
			next = since + HALF_TIME;
	}
	return next;
}
