/* loop.c - a heap of timers and one epoll; the only file that waits. */
#include "supervise/loop.h"

#include <sys/epoll.h>

#include "conf/kit/sys.h"

int loop_open(struct loop *l, struct timer **heap, uint32_t most)
{
	int ep = sys_epoll();

	if (ep < 0)
		return ep;
	*l = (struct loop){ .ep = ep, .heap = heap, .most = most };
	return 0;
}

static void put(struct loop *l, uint32_t place, struct timer *t)
{
	l->heap[place] = t;
	t->place = place;
}

static void sift_up(struct loop *l, uint32_t place, struct timer *t)
{
	while (place > 1 && l->heap[place / 2]->at > t->at) {
		put(l, place, l->heap[place / 2]);
		place /= 2;
	}
	put(l, place, t);
}

static void sift_down(struct loop *l, uint32_t place, struct timer *t)
{
	for (;;) {
		uint32_t child = 2 * place;

		if (child > l->n)
			break;
		if (child < l->n && l->heap[child + 1]->at < l->heap[child]->at)
			child++;
		if (l->heap[child]->at >= t->at)
			break;
		put(l, place, l->heap[child]);
		place = child;
	}
	put(l, place, t);
}

void timer_disarm(struct loop *l, struct timer *t)
{
	uint32_t place = t->place;

	if (place == 0)
		return;
	t->place = 0;
	struct timer *last = l->heap[l->n--];
	if (last == t)
		return;
	sift_up(l, place, last);
	sift_down(l, last->place, last);
}

void timer_arm(struct loop *l, struct timer *t, msec_t at)
{
	timer_disarm(l, t);
	if (at == FOREVER || l->n == l->most)
		return;
	t->at = at;
	sift_up(l, ++l->n, t);
}

struct timer *timer_due(struct loop *l, msec_t now)
{
	struct timer *t = l->n ? l->heap[1] : NULL;

	if (!t || t->at > now)
		return NULL;
	timer_disarm(l, t);
	return t;
}

int loop_watch(struct loop *l, int fd, uint64_t source)
{
	return sys_epoll_ctl(l->ep, EPOLL_CTL_ADD, fd, EPOLLIN, source);
}

void loop_unwatch(struct loop *l, int fd)
{
	(void)sys_epoll_ctl(l->ep, EPOLL_CTL_DEL, fd, 0, 0);
}

msec_t loop_doze(const struct loop *l, msec_t now, int fd)
{
	if (l->n > 0 && l->heap[1]->at < time_add(now, LOOP_DOZE))
		return now;
	sys_doze(fd, LOOP_DOZE);
	return sys_now();
}

int loop_wait(struct loop *l, msec_t now, msec_t most, uint64_t ret[LOOP_EVENTS], msec_t *late)
{
	struct epoll_event events[LOOP_EVENTS];
	msec_t due = l->n ? l->heap[1]->at : FOREVER;
	msec_t wait = due == FOREVER ? FOREVER : due > now ? due - now : 0;
	int n = sys_epoll_wait(l->ep, events, LOOP_EVENTS, wait < most ? wait : most);

	l->turns++;
	*late = 0;
	if (due != FOREVER) {
		msec_t then = sys_now();

		*late = then > due ? then - due : 0;
	}
	for (int i = 0; i < n; i++)
		ret[i] = events[i].data.u64;
	return n > 0 ? n : 0;
}
