/* loop.c - the heap of timers against a list that is searched from end to end. */
#include "supervise/loop.h"

#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "conf/kit/sys.h"
#include "tests/lib/tap.h"

#define MOST 40u

static struct timer timers[MOST + 1], *heap[MOST + 1];
static struct loop l;
static msec_t model[MOST + 1]; /* FOREVER: not armed */
static uint32_t state = 12345;

static uint32_t roll(uint32_t n)
{
	state = state * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)(state >> 8) * n >> 24);
}

static bool in_order(void)
{
	uint32_t armed = 0;

	for (uint32_t k = 0; k <= MOST; k++) {
		armed += timers[k].place != 0;
		if ((model[k] != FOREVER) != (timers[k].place != 0))
			return false;
		if (timers[k].place && (heap[timers[k].place] != &timers[k] || timers[k].at != model[k]))
			return false;
	}
	for (uint32_t k = 2; k <= l.n; k++)
		if (heap[k / 2]->at > heap[k]->at)
			return false;
	return armed == l.n;
}

static void random_walk(void)
{
	bool good = true;
	uint32_t taken = 0;

	for (uint32_t k = 0; k <= MOST; k++)
		model[k] = FOREVER;
	for (int step = 0; step < 200000 && good; step++) {
		uint32_t k = roll(MOST);
		msec_t now = roll(1000);

		switch (roll(4)) {
		case 0:
		case 1:
			model[k] = roll(20) ? roll(1000) : FOREVER;
			timer_arm(&l, &timers[k], model[k]);
			break;
		case 2:
			model[k] = FOREVER;
			timer_disarm(&l, &timers[k]);
			break;
		default: {
			struct timer *t = timer_due(&l, now);
			msec_t first = FOREVER;

			for (uint32_t i = 0; i < MOST; i++)
				first = model[i] < first ? model[i] : first;
			good = t ? t->at == first && first <= now : first > now;
			if (t) {
				taken++;
				model[t - timers] = FOREVER;
			}
		}
		}
		good = good && in_order();
	}
	CHECK(good, "200,000 random steps: the heap and a plain list agree, and the heap is in order after each");
	CHECK(taken > 1000, "timers came due %u times in them", taken);
}

static void edges(void)
{
	for (uint32_t k = 0; k <= MOST; k++)
		timer_disarm(&l, &timers[k]);
	CHECK(l.n == 0 && !timer_due(&l, FOREVER), "empty: nothing is ever due");
	for (uint32_t k = 0; k <= MOST; k++)
		timer_arm(&l, &timers[k], 5);
	CHECK(l.n == MOST && timers[MOST].place == 0, "one more than there is room for is left out, and nothing is overwritten");
	CHECK(!timer_due(&l, 4) && timer_due(&l, 5), "due at its very millisecond, not before");
	timer_arm(&l, &timers[3], 1);
	CHECK(timer_due(&l, 10) == &timers[3], "arming again moves it");
	timer_arm(&l, &timers[3], FOREVER);
	CHECK(timers[3].place == 0, "FOREVER disarms");
	timer_disarm(&l, &timers[3]);
	CHECK(timers[3].place == 0, "disarming twice is nothing");
}

static void waiting(void)
{
	uint64_t ret[LOOP_EVENTS];
	msec_t late;
	int two[2];

	for (uint32_t k = 0; k <= MOST; k++)
		timer_disarm(&l, &timers[k]);
	if (!CHECK(sys_pipe(two) == 0 && loop_watch(&l, two[0], SOURCE(7, 0xfffffffeu)) == 0, "a pipe is watched"))
		return;
	CHECK(loop_wait(&l, sys_now(), 0, ret, &late) == 0 && late == 0, "busy: it looks and does not wait");
	timer_arm(&l, &timers[0], sys_now() + 20);
	msec_t before = sys_now();
	int n = loop_wait(&l, before, FOREVER, ret, &late);
	CHECK(n == 0 && sys_now() - before >= 19, "it waits until the first timer");
	CHECK(sys_write(two[1], "x", 1) == 1, "somebody writes");
	timer_arm(&l, &timers[0], FOREVER);
	n = loop_wait(&l, sys_now(), FOREVER, ret, &late);
	CHECK(n == 1 && SOURCE_KIND(ret[0]) == 7 && SOURCE_INDEX(ret[0]) == 0xfffffffeu, "and is handed back as kind and index");
	timer_arm(&l, &timers[0], sys_now() - 700);
	(void)loop_wait(&l, sys_now(), FOREVER, ret, &late);
	CHECK(late >= 700 && late < 5000, "how late it woke is told: %lld ms", (long long)late);
	timer_disarm(&l, &timers[0]);
	before = sys_now();
	CHECK(loop_doze(&l, before - 500, two[0]) - before < 500, "who dozes wakes when there is something to read, and looks at the clock");
	(void)sys_read(two[0], &(char){ 0 }, 1);
	before = sys_now();
	msec_t after = loop_doze(&l, before, two[0]);
	CHECK(after > before && after < before + 500, "and when nothing comes: after %lld ms", (long long)(after - before));
	timer_arm(&l, &timers[0], before);
	CHECK(loop_doze(&l, before, two[0]) == before, "for a timer that is due it does not doze at all");
	loop_unwatch(&l, two[0]);
	CHECK(loop_wait(&l, sys_now(), 0, ret, &late) == 0, "unwatched: heard of no more");
	(void)sys_close(two[0]);
	(void)sys_close(two[1]);
	(void)sys_close(l.ep);
}

int main(void)
{
	if (CHECK(loop_open(&l, heap, MOST) == 0, "a loop opens")) {
		random_walk();
		edges();
		waiting();
	}
	return tap_done();
}
