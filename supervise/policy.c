/* policy.c - Restart=, its growing pause, and the start limit; pure. */
#include "supervise/policy.h"

#include <signal.h>

/*
 * systemd.service(5), Restart=: which ends lead to a restart. Ours beside it: a unit
 * given up by its health check, and one the kernel would not fork.
 */
#define ON(e) (1u << (e))
#define UNCLEAN_ABNORMAL (ON(END_SIGNAL) | ON(END_TIMEOUT) | ON(END_WATCHDOG) | ON(END_SICK))
static const uint32_t restarts_on[N_RESTARTS] = {
	[RESTART_NO]          = 0,
	[RESTART_ALWAYS]      = ON(END_CLEAN) | ON(END_CODE) | UNCLEAN_ABNORMAL,
	[RESTART_ON_SUCCESS]  = ON(END_CLEAN),
	[RESTART_ON_FAILURE]  = ON(END_CODE) | UNCLEAN_ABNORMAL,
	[RESTART_ON_ABNORMAL] = UNCLEAN_ABNORMAL,
	[RESTART_ON_ABORT]    = ON(END_SIGNAL),
	[RESTART_ON_WATCHDOG] = ON(END_WATCHDOG),
};

static bool listed(const struct table *t, list_at list, uint8_t exit_kind, int32_t value)
{
	if (list == 0 || value < 0)
		return false;
	if (exit_kind == 1)
		return value < 256 && (list_item(t, list, (uint32_t)value / 32) >> (value % 32) & 1);
	if (value < 1 || value > 64)
		return false;
	return list_item(t, list, 8 + (uint32_t)(value - 1) / 32) >> ((value - 1) % 32) & 1;
}

bool policy_clean(const struct table *t, const struct unit *u, uint8_t exit_kind, int32_t exit_value)
{
	if (listed(t, u->success, exit_kind, exit_value))
		return true;
	if (exit_kind == 1)
		return exit_value == 0;
	if (exit_kind != 2 || u->type == TYPE_ONESHOT)
		return false;
	return exit_value == SIGHUP || exit_value == SIGINT || exit_value == SIGTERM || exit_value == SIGPIPE;
}

msec_t policy_rest(const struct unit *u, uint32_t n)
{
	msec_t first = u->restart_sec, most = u->restart_max_delay;

	if (n == 0)
		return 0;
	if (n == 1 || first >= most)
		return first < most ? first : most;
	msec_t rest = first > 0 ? first : REST_BASE;
	/* With RestartSec=0 the second pause is the first real one. */
	uint32_t doublings = first > 0 ? n - 1 : n - 2;

	if (u->restart_steps > 0) {
		/* RestartSteps=: the n-th of so many equal ratios from the first pause to the longest. */
		if (n > u->restart_steps)
			return most;
		double ratio = (double)most / (double)rest, at = (double)(n - 1) / u->restart_steps;
		/* ratio^at by halving the exponent: no libm in PID 1. 20 bits are finer than the jitter. */
		double result = 1, root = ratio;

		for (int bit = 0; bit < 20; bit++) {
			double x = root > 1 ? root : 1;

			for (int k = 0; k < 30; k++)
				x = (x + root / x) / 2;
			root = x;
			at *= 2;
			if (at >= 1) {
				result *= root;
				at -= 1;
			}
		}
		rest = (msec_t)((double)rest * result);
	} else {
		while (doublings-- > 0 && rest < most)
			rest = time_add(rest, rest);
	}
	return rest < most ? rest : most;
}

static bool restarts(const struct table *t, const struct unit *u, const struct end *e)
{
	if (e->how == END_NO_FORK)
		return true; /* no fault of the unit's: the kernel was short of something */
	if (e->how == END_SKIPPED)
		return false;
	/* HealthOnFailure= says it plainly; only `kill` leaves it to Restart=. */
	if (e->how == END_SICK && u->on_sick != SICK_KILL)
		return u->on_sick == SICK_RESTART;
	if (e->by_status) {
		if (listed(t, u->prevent, e->exit_kind, e->exit_value))
			return false;
		/* A oneshot that did its work has nothing to be forced to. */
		if (!(u->type == TYPE_ONESHOT && e->how == END_CLEAN) && listed(t, u->force, e->exit_kind, e->exit_value))
			return true;
	}
	return u->restart < N_RESTARTS && restarts_on[u->restart] & ON(e->how);
}

struct judgement policy_judge(const struct table *t, const struct unit *u, struct history *h, const struct end *e, uint32_t dice)
{
	struct judgement j = { .verdict = EV_OVER };

	if (!e->wanted || e->asked == ASKED_SHUTDOWN || e->asked == ASKED_BY_HAND) {
		/* It was to end, and it did: how is told in its exit, not in its state. Unless somebody wants it again by now. */
		if (e->wanted && e->asked == ASKED_BY_HAND)
			j.verdict = EV_AGAIN;
		return j;
	}
	if (e->asked == ASKED_RESTART || e->asked == ASKED_BOUND) {
		j.verdict = EV_AGAIN;
		return j;
	}
	if (!restarts(t, u, e)) {
		j.verdict = e->how == END_CLEAN ? EV_DONE : e->how == END_SKIPPED ? EV_OVER : EV_FAIL;
		return j;
	}
	/* It ran for as long as the longest pause: whatever ailed it before is over. */
	if (e->ran >= u->restart_max_delay)
		h->streak = 0;
	if (h->streak < UINT32_MAX)
		h->streak++;
	j.verdict = EV_AGAIN;
	j.automatic = true;
	j.rest = policy_rest(u, h->streak);
	if (j.rest != FOREVER) {
		/* A tenth either way, so that a crowd that fell together does not rise together; never above the longest pause. */
		msec_t tenth = j.rest / 10;

		if (tenth > 0)
			j.rest += (msec_t)(dice % (uint64_t)(2 * tenth + 1)) - tenth;
		if (j.rest > u->restart_max_delay)
			j.rest = u->restart_max_delay;
	}
	/* Nothing was started, so nothing took any time: without a pause this would go round for ever. */
	if (e->how == END_NO_FORK && j.rest < REST_NO_FORK)
		j.rest = REST_NO_FORK;
	return j;
}

bool policy_may_start(const struct unit *u, struct history *h, msec_t now)
{
	if (u->start_limit_burst == 0 || u->start_limit_interval == 0)
		return true;
	if (h->starts == 0 || now - h->window >= u->start_limit_interval) {
		h->window = now;
		h->starts = 0;
	}
	if (h->starts >= u->start_limit_burst)
		return false;
	h->starts++;
	return true;
}

void policy_forgive(struct history *h)
{
	h->streak = 0;
	h->starts = 0;
}
