/* cover.c - the real service.c, with every look into the table of transitions seen by the judge. */
#include "supervise/manager.h"

#include "supervise/inside.h"
#include "tests/sim/sim.h"

#define svc_step(state, event) sim_step(m, i, state, event)
#include "supervise/service.c"
#undef svc_step

struct svc_step sim_step(struct manager *m, uint32_t i, enum svc_state s, enum svc_event e)
{
	struct svc_step step = svc_step(s, e);

	judge_cell(m, i, s, e, &step);
	return step;
}
