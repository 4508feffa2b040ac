/* fds.c - the descriptors of the fake world: pairs, pipes, what waits for them, one signalfd, one notify socket. */
#include "tests/sim/sim.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>

#include "conf/kit/sys.h"
#include "health/probe.h"

#define MAX_PAIRS 160
#define MAX_NOTES 64u

static struct sim_fd fds[MAX_FDS];
static struct sim_fd low[FIRST_FD]; /* launch pads: copies, which sys_place makes and ends */
static struct pair pairs[MAX_PAIRS];
static struct { pid_t from; char text[64]; size_t n; } notes[MAX_NOTES];
static int most_fds; /* none lies behind it */
static uint32_t n_notes;
static uint64_t pending; /* signals: one bit each, as the kernel keeps them */

void fds_reset(void)
{
	memset(fds, 0, sizeof(fds));
	memset(low, 0, sizeof(low));
	for (int k = 0; k < MAX_PAIRS; k++)
		pairs[k].used = false;
	n_notes = 0;
	most_fds = 0;
	pending = 0;
}

static struct sim_fd *fd_at(int fd)
{
	return fd >= FIRST_FD && fd < FIRST_FD + MAX_FDS && fds[fd - FIRST_FD].kind != FD_FREE ? &fds[fd - FIRST_FD] : NULL;
}

/* The lowest that is free, as the kernel has it: a stale number soon means something else. */
int fd_new(enum fd_kind kind, int pair)
{
	for (int k = 0; k < MAX_FDS; k++) {
		if (fds[k].kind != FD_FREE)
			continue;
		fds[k] = (struct sim_fd){ .kind = kind, .pair = pair };
		most_fds = k < most_fds ? most_fds : k + 1;
		return FIRST_FD + k;
	}
	broke(P_WORLD, "out of fake descriptors");
	return -EMFILE;
}

uint32_t fd_count(enum fd_kind kind)
{
	uint32_t n = 0;

	for (int k = 0; k < most_fds; k++)
		n += fds[k].kind == kind;
	return n;
}

bool fd_is(int fd, enum fd_kind kind)
{
	struct sim_fd *f = fd_at(fd);

	return f && f->kind == kind;
}

uint64_t fd_watched_as(int fd)
{
	const struct sim_fd *f = fd_at(fd);

	return f && f->watched ? f->data : UINT64_MAX;
}

/* ---- pairs ---- */

int pair_of_fork(void)
{
	int found = -1;

	for (int k = 0; k < most_fds; k++)
		if (fds[k].kind == FD_FAR)
			found = fds[k].pair;
	if (found >= 0)
		pairs[found].far_holders++;
	return found;
}

static void pair_free(int p)
{
	if (!pairs[p].near_open && pairs[p].far_holders == 0)
		pairs[p].used = false;
}

void pair_let_go(int p)
{
	if (p < 0)
		return;
	pairs[p].far_holders--;
	pair_free(p);
}

void sys_room(int most)
{
	(void)most;
}

int sys_move(int fd, int least)
{
	broke(P_DESCRIPTORS, "%d is moved to %d: only boot does that", fd, least);
	return -EBADF;
}

int sys_place(int fd, int at)
{
	struct sim_fd *f = fd_at(fd), *there = &low[at];

	if (at < 3 || at >= FIRST_FD || (fd != 0 && !f)) {
		broke(P_DESCRIPTORS, "dup of %d to %d", fd, at);
		return -EBADF;
	}
	if (there->kind == FD_FAR) {
		if (being_shares(there->pair))
			broke(P_DESCRIPTORS, "the pad at %d is taken from under its child", at);
		pair_let_go(there->pair);
	}
	*there = f ? *f : (struct sim_fd){ .kind = FD_FREE };
	if (there->kind == FD_FAR)
		pairs[there->pair].far_holders++;
	return at;
}

/* Only asked whether it is there: no child of ours runs. */
int sys_leave(int first, int last)
{
	(void)first;
	(void)last;
	return 0;
}

uint32_t pads_with_far(void)
{
	uint32_t n = 0;

	for (int k = 0; k < FIRST_FD; k++)
		n += low[k].kind == FD_FAR;
	return n;
}

bool pair_near_open(int p)
{
	return p >= 0 && pairs[p].near_open;
}

static bool post_put(struct post *post, const void *from, size_t n, const int *kinds, int n_kinds)
{
	if (post->n == MAX_POST || n > MAX_LETTER)
		return false;
	struct letter *l = &post->letters[(post->first + post->n++) % MAX_POST];

	memcpy(l->bytes, from, n);
	l->size = (uint32_t)n;
	l->n_fds = n_kinds;
	for (int k = 0; k < n_kinds; k++)
		l->kinds[k] = kinds[k];
	return true;
}

static struct letter *post_take(struct post *post)
{
	if (post->n == 0)
		return NULL;
	struct letter *l = &post->letters[post->first];

	post->first = (post->first + 1) % MAX_POST;
	post->n--;
	return l;
}

bool pair_speak(int p, const void *from, size_t n, const int *kinds, int n_kinds)
{
	return p >= 0 && pairs[p].near_open && post_put(&pairs[p].to_near, from, n, kinds, n_kinds);
}

bool pair_hear(int p, void *into, size_t size, size_t *got)
{
	struct letter *l = p < 0 ? NULL : post_take(&pairs[p].to_far);

	if (!l)
		return false;
	*got = l->size < size ? l->size : size;
	memcpy(into, l->bytes, *got);
	return true;
}

void notify_send(pid_t from, const char *text, size_t n)
{
	if (n_notes == MAX_NOTES || n > sizeof(notes[0].text))
		return;
	notes[n_notes].from = from;
	notes[n_notes].n = n;
	memcpy(notes[n_notes++].text, text, n);
}

void signal_send(int sig)
{
	pending |= 1ull << (sig - 1);
}

/* ---- the seam ---- */

int sys_pipe(int two[2])
{
	if (chance(world.faults.pipe)) {
		world.faults_done++;
		return -EMFILE;
	}
	two[0] = fd_new(FD_PIPE, -1);
	two[1] = fd_new(FD_PIPE, -1);
	return 0;
}

int sys_socketpair(int two[2])
{
	int p = 0;

	if (chance(world.faults.socketpair)) {
		world.faults_done++;
		return -EMFILE;
	}
	while (p < MAX_PAIRS && pairs[p].used)
		p++;
	if (p == MAX_PAIRS) {
		broke(P_WORLD, "out of fake pairs");
		return -EMFILE;
	}
	pairs[p].used = pairs[p].near_open = true;
	pairs[p].far_holders = 1;
	pairs[p].to_near.n = pairs[p].to_far.n = 0;
	two[0] = fd_new(FD_NEAR, p);
	two[1] = fd_new(FD_FAR, p);
	return 0;
}

int sys_nonblock(int fd)
{
	if (!fd_at(fd))
		broke(P_DESCRIPTORS, "fcntl on %d, which is not open", fd);
	return 0;
}

bool sys_is_place(int fd)
{
	if (!fd_at(fd))
		broke(P_DESCRIPTORS, "fcntl on %d, which is not open", fd);
	return fd_is(fd, FD_TOP);
}

int sys_close(int fd)
{
	struct sim_fd *f = fd_at(fd);

	if (!f) {
		broke(P_DESCRIPTORS, "close of %d, which is not open", fd);
		return -EBADF;
	}
	/* A child may hold the same open file: without EPOLL_CTL_DEL the epoll would go on telling of it (epoll(7), Q6). */
	if (f->watched)
		broke(P_DESCRIPTORS, "close of %d, which is still watched", fd);
	if (f->kind == FD_NEAR) {
		pairs[f->pair].near_open = false;
		pair_free(f->pair);
	} else if (f->kind == FD_FAR) {
		pair_let_go(f->pair);
	}
	f->kind = FD_FREE;
	return 0;
}

ssize_t sys_read(int fd, void *into, size_t n)
{
	struct signalfd_siginfo si = { .ssi_signo = 0 };

	if (!fd_is(fd, FD_SIGNAL)) {
		broke(P_DESCRIPTORS, "read of %d, which is no signalfd", fd);
		return -EBADF;
	}
	if (pending == 0)
		return -EAGAIN;
	si.ssi_signo = (uint32_t)__builtin_ctzll(pending) + 1;
	pending &= pending - 1;
	if (n < sizeof(si))
		return -EINVAL;
	memcpy(into, &si, sizeof(si));
	return sizeof(si);
}

ssize_t sys_write(int fd, const void *from, size_t n)
{
	struct sim_fd *f = fd_at(fd);

	(void)from;
	if (!f || f->kind != FD_NEAR) {
		broke(P_DESCRIPTORS, "write to %d, which is no gate", fd);
		return -EBADF;
	}
	/* A child that was struck before its gate opened: PID 1 ignores SIGPIPE. */
	if (pairs[f->pair].far_holders == 0)
		return -EPIPE;
	being_gate(f->pair);
	return (ssize_t)n;
}

ssize_t sys_recv(int fd, void *into, size_t n, int *take, int *n_take)
{
	struct sim_fd *f = fd_at(fd);
	int room = n_take ? *n_take : 0;

	if (n_take)
		*n_take = 0;
	if (!f || f->kind != FD_NEAR) {
		broke(P_DESCRIPTORS, "recv on %d, which is no pair", fd);
		return -EBADF;
	}
	struct letter *l = post_take(&pairs[f->pair].to_near);
	if (!l)
		return pairs[f->pair].far_holders == 0 ? 0 : -EAGAIN;
	size_t got = l->size < n ? l->size : n;
	memcpy(into, l->bytes, got);
	for (int k = 0; k < l->n_fds && k < room; k++) {
		take[k] = fd_new((enum fd_kind)l->kinds[k], -1);
		*n_take = k + 1;
	}
	return (ssize_t)got;
}

ssize_t sys_send(int fd, const void *from, size_t n, const int *give, int n_give)
{
	struct sim_fd *f = fd_at(fd);

	for (int k = 0; k < n_give; k++)
		if (!fd_at(give[k]))
			broke(P_DESCRIPTORS, "send of %d, which is not open", give[k]);
	if (!f || f->kind != FD_NEAR) {
		broke(P_DESCRIPTORS, "send on %d, which is no pair", fd);
		return -EBADF;
	}
	if (pairs[f->pair].far_holders == 0)
		return -EPIPE;
	if (chance(world.faults.send)) {
		world.faults_done++;
		operator_serial_lost();
		return -EAGAIN;
	}
	if (!post_put(&pairs[f->pair].to_far, from, n, NULL, 0)) {
		operator_serial_lost();
		return -EAGAIN;
	}
	if (n == sizeof(struct probe_ask))
		judge_probe(((const struct probe_ask *)from)->unit, n_give ? *give : -1);
	return (ssize_t)n;
}

ssize_t sys_recv_from(int fd, void *into, size_t n, pid_t *pid, uid_t *uid)
{
	if (!fd_is(fd, FD_NOTIFY)) {
		broke(P_DESCRIPTORS, "recvmsg on %d, which is no notify socket", fd);
		return -EBADF;
	}
	if (n_notes == 0)
		return -EAGAIN;
	size_t got = notes[0].n < n ? notes[0].n : n;

	memcpy(into, notes[0].text, got);
	*pid = notes[0].from;
	*uid = 0;
	memmove(&notes[0], &notes[1], --n_notes * sizeof(notes[0]));
	return (ssize_t)got;
}

int sys_epoll(void)
{
	return fd_new(FD_EPOLL, -1);
}

int sys_epoll_ctl(int ep, int op, int fd, uint32_t events, uint64_t data)
{
	struct sim_fd *f = fd_at(fd);

	(void)events;
	if (!fd_is(ep, FD_EPOLL) || !f) {
		broke(P_DESCRIPTORS, "epoll_ctl of %d, which is not open", fd);
		return -EBADF;
	}
	if (op == EPOLL_CTL_DEL) {
		if (!f->watched)
			return -ENOENT;
		f->watched = false;
		return 0;
	}
	if (op == EPOLL_CTL_MOD) {
		if (!f->watched)
			broke(P_DESCRIPTORS, "%d is not watched, and modified", fd);
		f->data = data;
		return 0;
	}
	if (f->watched) {
		broke(P_DESCRIPTORS, "%d is watched twice", fd);
		return -EEXIST;
	}
	if (chance(world.faults.watch)) {
		world.faults_done++;
		return -ENOMEM;
	}
	f->watched = true;
	f->data = data;
	return 0;
}

static bool is_ready(const struct sim_fd *f)
{
	switch (f->kind) {
	case FD_NEAR:
		return pairs[f->pair].to_near.n > 0 || pairs[f->pair].far_holders == 0;
	case FD_SIGNAL:
		return pending != 0;
	case FD_NOTIFY:
		return n_notes > 0;
	default:
		return false;
	}
}

/* Level-triggered; in whatever order. */
static int collect(struct epoll_event *ret, int most)
{
	int n = 0, from = (int)roll((uint32_t)most_fds);

	for (int k = 0; k < most_fds && n < most; k++) {
		struct sim_fd *f = &fds[from + k < most_fds ? from + k : from + k - most_fds];

		if (f->kind != FD_FREE && f->watched && is_ready(f)) {
			ret[n].events = EPOLLIN;
			ret[n++].data.u64 = f->data;
		}
	}
	return n;
}

static void act(void)
{
	beings_act();
	probes_act();
	while (world.next_ask <= world.now) {
		operator_ask(false);
		world.next_ask = world.now + 1 + some_time(20000);
	}
}

static msec_t next_act(void)
{
	msec_t a = beings_next(), b = probes_next();

	a = a < b ? a : b;
	return a < world.next_ask ? a : world.next_ask;
}

int sys_epoll_wait(int ep, struct epoll_event *ret, int most, msec_t timeout)
{
	msec_t until = timeout == FOREVER ? FOREVER : time_add(world.now, timeout);

	if (!fd_is(ep, FD_EPOLL))
		broke(P_DESCRIPTORS, "epoll_wait on %d", ep);
	act();
	/* Stopped for minutes: either PID 1 alone (SIGSTOP), or the whole container with it (a frozen cgroup). */
	if (chance(world.faults.stall)) {
		msec_t span = 500 + some_time(600000);

		world.faults_done++;
		trace("stall %lld ms", (long long)span);
		if (chance(500))
			beings_frozen(span);
		world.now += span;
		act();
		return collect(ret, most);
	}
	for (;;) {
		int n = collect(ret, most);

		if (n > 0 || world.now >= until || world.now >= world.horizon) {
			world.now += chance(100) ? roll(4) : 0;
			return n;
		}
		msec_t next = next_act();
		if (next > until)
			next = until;
		if (next > world.horizon)
			next = world.horizon;
		if (next > world.now)
			world.now = next;
		act();
	}
}

void sys_doze(int fd, msec_t most)
{
	const struct sim_fd *f = fd_at(fd);
	msec_t until = time_add(world.now, most);

	if (!f || most < 0 || most > 10) {
		broke(P_DESCRIPTORS, "a doze of %lld ms on %d", (long long)most, fd);
		return;
	}
	if (world.m->queue_n + world.m->held_n > 0)
		broke(P_SPIN, "it dozes, and %u units are still to be looked at", world.m->queue_n + world.m->held_n);
	act();
	while (!is_ready(f) && world.now < until) {
		msec_t next = next_act();

		world.now = next < until ? next > world.now ? next : world.now : until;
		act();
	}
}

int sys_signalfd(const sigset_t *set)
{
	(void)set;
	return fd_new(FD_SIGNAL, -1);
}
