/* pids.c - the map from pids to their owners against a plain array, with many deletions. */
#include "supervise/manager.h"

#include <string.h>

#include "tests/lib/tap.h"

#define PIDS 4000

static uint32_t state = 99;

static uint32_t roll(uint32_t n)
{
	state = state * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)(state >> 8) * n >> 24);
}

static struct { enum role role; uint32_t index; bool there; } model[PIDS];

static bool same(const struct pids *p, pid_t pid)
{
	enum role role = N_ROLES;
	uint32_t index = 0;
	bool found = pids_find(p, pid, &role, &index);

	return found == model[pid].there && (!found || (role == model[pid].role && index == model[pid].index));
}

/* `spread`: pids lie far apart, or one after the other. Half full at most, as manager_open makes it. */
static void random_walk(uint32_t size, int spread)
{
	struct pids p = { .mask = size - 1 };
	static __typeof__(*p.slots) room[1024];
	uint32_t n = 0;
	bool good = true;

	memset(room, 0, sizeof(room));
	memset(model, 0, sizeof(model));
	p.slots = room;
	for (int step = 0; step < 60000 && good; step++) {
		pid_t pid = 1 + (pid_t)(spread ? roll(PIDS - 1) : roll(size));

		if (pid >= PIDS)
			continue;
		if (!model[pid].there && n < size / 2 && roll(3)) {
			model[pid].role = (enum role)roll(N_ROLES);
			model[pid].index = roll(1u << 28);
			model[pid].there = true;
			pids_put(&p, pid, model[pid].role, model[pid].index);
			n++;
		} else {
			/* Dropping who is not there changes nothing. */
			n -= model[pid].there;
			model[pid].there = false;
			pids_drop(&p, pid);
		}
		good = same(&p, pid) && same(&p, 1 + (pid_t)roll(PIDS - 1));
		if (step % 500 == 0)
			for (pid_t k = 1; k < PIDS && good; k++)
				good = same(&p, k);
	}
	uint32_t left = 0;
	for (uint32_t k = 0; k < size; k++)
		left += room[k].pid != 0;
	CHECK(good && left == n, "%u slots, pids %s: 60,000 puts and drops, as the plain array has it (%u left of %u)", size,
	      spread ? "far apart" : "close together", left, n);
}

/* A chain that runs over the end of the slots, taken away in every order. */
static void chain(void)
{
	struct pids p = { .mask = 7 };
	static __typeof__(*p.slots) room[8];
	pid_t same_home[3];
	int n = 0, tried = 0, right = 0;

	p.slots = room;
	for (pid_t pid = 1; n < 3; pid++)
		if (((uint32_t)pid * 2654435769u & 7u) == 7u)
			same_home[n++] = pid;
	for (int a = 0; a < 3; a++)
		for (int b = 0; b < 3; b++) {
			if (a == b)
				continue;
			enum role role;
			uint32_t index;
			int c = 3 - a - b;

			memset(room, 0, sizeof(room));
			for (int k = 0; k < 3; k++)
				pids_put(&p, same_home[k], ROLE_MAIN, (uint32_t)k);
			pids_drop(&p, same_home[a]);
			pids_drop(&p, same_home[b]);
			tried++;
			right += pids_find(&p, same_home[c], &role, &index) && index == (uint32_t)c && room[7].pid == same_home[c];
		}
	CHECK(tried == 6 && right == 6, "a chain over the end of the map: whoever is left lies where it is looked for first");
}

int main(void)
{
	random_walk(64, 0);
	random_walk(64, 1);
	random_walk(1024, 1);
	chain();
	return tap_done();
}
