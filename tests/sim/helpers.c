/* helpers.c - the desk and the probe of the fake world: what they are sent, and what the probe answers. */
#include "tests/sim/sim.h"

#include <errno.h>
#include <stddef.h>

#include "health/probe.h"

static struct { msec_t at; struct probe_tell tell; } answers[64];
static uint32_t n_answers;

void helpers_reset(void)
{
	n_answers = 0;
}

void helper_hears(struct being *b)
{
	struct message msg;
	struct probe_ask ask;
	size_t got;

	if (b->mute)
		return;
	if (b->index == HELPER_DESK) {
		while (pair_hear(b->pair, &msg, sizeof(msg), &got))
			operator_told(&msg);
		return;
	}
	while (pair_hear(b->pair, &ask, sizeof(ask), &got)) {
		if (n_answers == 64 || chance(world.faults.lost_probe))
			continue;
		bool bad = chance(world.faults.sick);
		answers[n_answers].at = world.now + some_time(chance(50 * !world.calm) ? 2 * (msec_t)ask.timeout : 300);
		answers[n_answers++].tell = (struct probe_tell){ .unit = ask.unit, .serial = ask.serial,
			.result = bad ? PROBE_FAILED : PROBE_OK, .detail = bad ? DETAIL(DETAIL_CONNECT, ECONNREFUSED) : 0 };
	}
}

msec_t probes_next(void)
{
	msec_t next = FOREVER;

	for (uint32_t k = 0; k < n_answers; k++)
		if (answers[k].at < next)
			next = answers[k].at;
	return next;
}

void probes_act(void)
{
	for (uint32_t k = 0; k < n_answers;) {
		struct being *b = being_of(world.m->helpers[HELPER_PROBE].pid);

		if (answers[k].at > world.now) {
			k++;
			continue;
		}
		if (b && b->state == B_RUNS && b->pair >= 0)
			(void)pair_speak(b->pair, &answers[k].tell, chance(world.faults.torn) ? 3 : sizeof(answers[k].tell), NULL, 0);
		answers[k] = answers[--n_answers];
	}
}

void probes_frozen(msec_t span)
{
	for (uint32_t k = 0; k < n_answers; k++)
		answers[k].at = time_add(answers[k].at, span);
}
