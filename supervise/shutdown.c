/* shutdown.c - the end of everything, in steps that each have their time; and when it begins by itself. */
#include <errno.h>
#include <signal.h>

#include "conf/kit/say.h"
#include "conf/kit/sys.h"
#include "supervise/inside.h"

void manager_shutdown(struct manager *m, enum how how, int code, const char *why)
{
	static const char *const words[N_HOWS] = {
		[HOW_EXIT] = "stopping", [HOW_POWEROFF] = "powering off", [HOW_HALT] = "halting", [HOW_REBOOT] = "rebooting",
	};

	m->stop_signals++;
	if (m->how != HOW_NONE) {
		say(SAY_WARNING, "asked again to stop: what still runs gets SIGKILL now");
		m->deadline = m->now;
		timer_arm(&m->loop, &m->shutdown_timer, m->now);
		return;
	}
	m->how = (uint8_t)how;
	m->exit_code = code < 0 ? 0 : code;
	m->records.state->shutdown = (uint8_t)how;
	m->deadline = m->budget == FOREVER ? FOREVER : time_add(m->now, m->budget);
	say(SAY_INFO, "%s%s%s", words[how], why ? ": " : "", why ? why : "");
	/* SIGKILL goes out before the last tenth of the budget, so that its effect is seen within it. */
	if (m->deadline != FOREVER)
		timer_arm(&m->loop, &m->shutdown_timer, m->deadline - m->budget / 10);
	m->sweep = SWEEP_UNITS;
	/* If it was still to come: somebody has to write what the units say. */
	manager_helper(m, HELPER_DESK);
	struct message stopping = { .kind = TELL_STOPPING };
	manager_tell_desk(m, &stopping);
	for (uint32_t i = 0; i < m->n; i++)
		order_stop(m, i, ASKED_SHUTDOWN);
}

static bool children_left(struct manager *m)
{
	struct sys_exit x;

	spawn_reap(m);
	return sys_reap_peek(&x) != -ECHILD;
}

static void stop_helpers(struct manager *m)
{
	say_to(2, "coppice: ");
	for (uint32_t i = 0; i < MAX_HELPERS; i++) {
		struct helper *h = &m->helpers[i];

		h->wanted = false;
		if (h->sock >= 0) {
			loop_unwatch(&m->loop, h->sock);
			(void)sys_close(h->sock);
			h->sock = -1;
		}
	}
}

/* Processes that came in from outside (an operator's shell) are no children of ours, but die with us. */
static bool nobody_left(struct manager *m)
{
	if (children_left(m))
		return false;
	if (!m->is_init || m->machine || sys_kill(-1, 0) == -ESRCH)
		return true;
	/* Their end is not told to us: look again soon. */
	timer_arm(&m->loop, &m->retry_timer, time_add(m->now, 20));
	return false;
}

/*
 * The end, step by step; each step is over when nobody it waits for is left, or
 * when the shutdown timer ran out. Units first; then whoever else lives in our
 * namespace (TERM, then KILL); the desk last, for it has lines to write.
 */
void shutdown_sweep(struct manager *m)
{
	enum { LEAST = 500, MOST = 5000 }; /* ms that strangers get between TERM and KILL, by what is left of the budget */

	if (m->sweep == SWEEP_UNITS && m->live == 0 && m->n_sessions == 0) {
		for (uint32_t i = 0; i < m->n; i++)
			if (m->services[i].proc[ROLE_CLEANER].pid > 0)
				return;
		m->sweep = SWEEP_REST;
		stop_helpers(m);
		spawn_sweeper(m, SIGTERM);
		spawn_sweeper(m, SIGCONT);
		msec_t left = m->deadline == FOREVER ? MOST : m->deadline > m->now ? (m->deadline - m->now) / 2 : 0;

		timer_arm(&m->loop, &m->shutdown_timer, time_add(m->now, left > MOST ? MOST : left < LEAST ? LEAST : left));
	}
	/* The end of the last one may have left something to do: its upper layer to remove. */
	if ((m->sweep == SWEEP_REST || m->sweep == SWEEP_KILL) && nobody_left(m) && m->queue_n == 0)
		m->sweep = SWEEP_OVER;
}

void shutdown_ring(struct manager *m)
{
	switch (m->sweep) {
	case SWEEP_UNITS:
		for (uint32_t i = 0; i < m->n; i++) {
			struct service *s = &m->services[i];

			s->stop_pending = false;
			service_event(m, i, EV_FORCE);
		}
		for (uint32_t k = 0; k < MAX_SESSIONS; k++)
			if (m->sessions[k].used)
				process_kill(&m->sessions[k].proc, SIGKILL);
		m->sweep = SWEEP_FORCED;
		/* What SIGKILL does not end hangs in the kernel: it is told, and left behind. */
		timer_arm(&m->loop, &m->shutdown_timer, time_add(m->now, m->deadline > m->now ? m->deadline - m->now : 1000));
		break;
	case SWEEP_FORCED:
		for (uint32_t i = 0; i < m->n; i++)
			if (svc_live(m->services[i].r.state))
				say(SAY_ERROR, "%s: SIGKILL was sent and it is still there; the container ends without it",
				    table_text(m->table, table_unit(m->table, i)->name));
		stop_helpers(m);
		spawn_sweeper(m, SIGKILL);
		m->sweep = SWEEP_KILL;
		timer_arm(&m->loop, &m->shutdown_timer, time_add(m->now, 500));
		break;
	case SWEEP_REST:
		spawn_sweeper(m, SIGKILL);
		m->sweep = SWEEP_KILL;
		timer_arm(&m->loop, &m->shutdown_timer, time_add(m->now, 500));
		break;
	default:
		m->sweep = SWEEP_OVER;
		break;
	}
}

/* ExitPolicy=all: nothing that was started is left, and nothing is to come. */
void shutdown_consider(struct manager *m)
{
	if (m->how != HOW_NONE || m->table->house.exit_policy != EXIT_ALL || m->live > 0 || m->unsettled > 0 || !m->any_ended)
		return;
	manager_shutdown(m, HOW_EXIT, m->any_bad ? (int)m->first_bad : 0, "every unit has ended (ExitPolicy=all)");
}
