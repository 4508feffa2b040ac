/* judge.c - what must be true of the manager at every gate, signal, transition and turn, and at the end. */
#include "tests/sim/sim.h"

#include <signal.h>
#include <string.h>

const char *const promise_words[N_PROMISES] = {
	[P_ONE_MAIN]     = "a unit never has two mains, nor two control commands",
	[P_NEEDS_READY]  = "whoever starts finds ready what it requires",
	[P_AFTER]        = "whoever starts after others waits until they are ready or at rest",
	[P_ORDERED_STOP] = "a unit is stopped after those that come after it",
	[P_BINDS]        = "a unit that is bound to others does not outlive their readiness",
	[P_PIDS]         = "every child is known, and every stranger counted",
	[P_NEVER_CELL]   = "no event meets a state in which it cannot happen",
	[P_BACKOFF]      = "pauses grow and stay within their limits",
	[P_FIRST_AT_ONCE] = "the first restart comes at once",
	[P_START_LIMIT]  = "the start limit holds",
	[P_RECORDS]      = "records are whole, current, and written before the gate opens",
	[P_NEWS]         = "news tells every unit's last state",
	[P_COUNTS]       = "the counts of live, unsettled and running equal a recount",
	[P_STALE_PID]    = "no signal goes to a pid or group that is not ours any more",
	[P_DESCRIPTORS]  = "descriptors are used while open, and none leaks",
	[P_LINGER]       = "a unit whose processes are gone is not stopping any more",
	[P_WHY]          = "the reason for waiting is true",
	[P_ONE_PROBE]    = "failures below HealthRetries= stop nobody",
	[P_ANSWERS]      = "every ask is answered, once",
	[P_LIVENESS]     = "without faults every unit comes to where it belongs",
	[P_SHUTDOWN]     = "a shutdown ends within its budget",
	[P_NOBODY_LEFT]  = "a shutdown leaves nobody and nothing behind",
	[P_AT_REST]      = "a unit at rest has no processes and no timers",
	[P_UP_RUNS]      = "a unit that is up has its main process",
	[P_SPIN]         = "the loop neither spins nor dozes over work that is left",
	[P_TIMERS]       = "the heap of timers is in order",
	[P_WORLD]        = "the world is big enough",
};

uint64_t cells[N_STATES][N_EVENTS];

/* What is remembered of a unit from one moment to the next. */
static struct seen {
	msec_t rest, window;
	uint32_t streak, starts, asked, seq[2];
	struct record r;
} seen[MAX_SIM_UNITS];

/* Whose group a number is. */
static struct { enum role role; uint32_t index; bool set; } groups[1024];
static uint64_t news_at;
static uint32_t known_before;

void judge_reset(struct manager *m)
{
	(void)m;
	memset(seen, 0, sizeof(seen));
	memset(groups, 0, sizeof(groups));
	news_at = 0;
	known_before = 0;
}

static const struct unit *unit_at(uint32_t i)
{
	return table_unit(world.m->table, i);
}

static bool resting(const struct service *s)
{
	return s->r.state == INACTIVE || s->r.state == FAILED || s->r.state == DONE;
}

/* Up, or coming down or up: others have to mind it. */
static bool on_its_way(const struct service *s)
{
	return (s->start_pending && resting(s)) || (s->r.state == WAITING ? !s->stalled :
	       (s->r.state >= PREPARING && s->r.state <= POSTING) || (s->r.state >= ENDING && s->r.state <= CLEANING));
}

static bool runs_main(const struct unit *u)
{
	return u->kind == UNIT_SERVICE && u->start && u->type != TYPE_ONESHOT && u->type != TYPE_CHECK;
}

/* ---- at a transition ---- */

static void judge_go(struct manager *m, uint32_t i)
{
	const struct unit *u = unit_at(i);
	struct seen *was = &seen[i];
	const struct history *h = &m->services[i].history;

	for (uint32_t k = 0, n = list_count(m->table, u->needs); k < n; k++) {
		uint32_t edge = list_item(m->table, u->needs, k), d = EDGE_UNIT(edge), kind = EDGE_KIND(edge);
		const struct service *other = &m->services[d];
		struct being *b = being_of(other->r.main);

		if (kind & (EDGE_REQUIRES | EDGE_BINDS | EDGE_REQUISITE)) {
			if (!other->r.ready)
				broke(P_NEEDS_READY, "u%02u starts; u%02u is %s", i, d, svc_state_word(other->r.state));
			else if (runs_main(unit_at(d)) && !(b && b->parent == 1 && b->index == d && b->role == ROLE_MAIN))
				broke(P_NEEDS_READY, "u%02u starts; u%02u has no main process", i, d);
		} else if (kind & EDGE_AFTER && !(kind & EDGE_CONFLICTS) && on_its_way(other)) {
			broke(P_AFTER, "u%02u starts; u%02u is %s", i, d, svc_state_word(other->r.state));
		}
	}
	if (u->start_limit_burst == 0 || u->start_limit_interval == 0)
		return;
	if (h->starts <= 1) {
		was->window = world.now;
		was->starts = 0;
	}
	was->starts++;
	if (was->starts != h->starts || was->starts > u->start_limit_burst ||
	    (was->starts > 1 && world.now - was->window >= u->start_limit_interval))
		broke(P_START_LIMIT, "u%02u starts for the %u. time since %lld (history %u), burst %u", i, was->starts, (long long)was->window,
		      h->starts, u->start_limit_burst);
}

static void judge_again(struct manager *m, uint32_t i)
{
	const struct service *s = &m->services[i];
	const struct unit *u = unit_at(i);
	struct seen *was = &seen[i];

	if (s->ended_how && s->ending == END_NO_FORK && s->rest == REST_NO_FORK) {
		was->streak = 0;
		return;
	}
	if (s->rest < 0 || s->rest > u->restart_max_delay)
		broke(P_BACKOFF, "u%02u rests %lld ms, limit %lld", i, (long long)s->rest, (long long)u->restart_max_delay);
	if (s->asked == ASKED_NOBODY) {
		msec_t first = u->restart_sec < u->restart_max_delay ? u->restart_sec : u->restart_max_delay;

		if (s->history.streak == 1 && (s->rest * 10 < first * 9 - 10 || s->rest * 10 > first * 11))
			broke(P_FIRST_AT_ONCE, "u%02u rests %lld ms at first, RestartSec= is %lld", i, (long long)s->rest, (long long)u->restart_sec);
		if (s->history.streak > 1 && s->history.streak == was->streak + 1 && s->rest * 11 + 11 < was->rest * 9)
			broke(P_BACKOFF, "u%02u rests %lld ms after %lld ms", i, (long long)s->rest, (long long)was->rest);
	}
	was->streak = s->history.streak;
	was->rest = s->rest;
}

static bool going(const struct service *s)
{
	return svc_live(s->r.state) && (s->stop_pending || s->r.state >= ENDING);
}

/* Somebody that comes after it goes too, and has not gone yet. */
static bool held(struct manager *m, uint32_t i, uint32_t also, uint32_t *ret)
{
	const struct unit *u = unit_at(i);

	for (uint32_t x = 0, n = list_count(m->table, u->serves); x < n; x++) {
		uint32_t edge = list_item(m->table, u->serves, x);

		*ret = EDGE_UNIT(edge);
		if (EDGE_KIND(edge) & EDGE_AFTER && (*ret == also || going(&m->services[*ret])))
			return true;
	}
	return false;
}

/* A stop in good order: whoever comes after this one, or has a higher StopPriority= and could go, has gone. */
static void judge_stop(struct manager *m, uint32_t i)
{
	uint32_t k, unused;

	if (held(m, i, NO_UNIT, &k))
		broke(P_ORDERED_STOP, "u%02u is stopped; u%02u is %s", i, k, svc_state_word(m->services[k].r.state));
	for (k = 0; k < m->n; k++) {
		const struct service *d = &m->services[k];

		if (unit_at(k)->stop_priority > unit_at(i)->stop_priority && going(d) && (d->r.state >= ENDING || !held(m, k, i, &unused)))
			broke(P_ORDERED_STOP, "u%02u is stopped; u%02u with more priority is %s", i, k, svc_state_word(d->r.state));
	}
}

void judge_cell(struct manager *m, uint32_t i, enum svc_state s, enum svc_event e, const struct svc_step *step)
{
	const struct service *x = &m->services[i];

	trace("u%02u: %s in %s%s%s", i, svc_event_word(e), svc_state_word(s), step->verb == GO_THERE ? " -> " : "",
	      step->verb == GO_THERE ? svc_state_word((enum svc_state)step->next) : step->verb == STAY_HERE ? ": stays" : ": NEVER");
	cells[s][e]++;
	if (step->verb != GO_THERE) {
		if (step->verb != STAY_HERE)
			broke(P_NEVER_CELL, "u%02u: %s in %s", i, svc_event_word(e), svc_state_word(s));
		return;
	}
	if (e == EV_GO)
		judge_go(m, i);
	if (e == EV_AGAIN)
		judge_again(m, i);
	if (e == EV_TIMER && s == RESTING && world.now < x->r.next)
		broke(P_BACKOFF, "u%02u rests until %lld only", i, (long long)world.now);
	if (e == EV_STOP && s >= PREPARING && s < ENDING && x->asked != ASKED_NOBODY && !x->stop_pending)
		judge_stop(m, i);
	if (e == EV_SICK) {
		uint32_t retries = unit_at(i)->health_retries ? unit_at(i)->health_retries : 1;

		if (x->verdict.failures < retries || seen[i].asked < retries)
			broke(P_ONE_PROBE, "u%02u is given up after %u failures of %u tries, HealthRetries= is %u", i, x->verdict.failures,
			      seen[i].asked, retries);
	}
}

/* ---- at a gate, a signal, a probe ---- */

void judge_gate(const struct being *b)
{
	const struct manager *m = world.m;
	uint32_t same = 0;

	groups[b->pid].role = b->role;
	groups[b->pid].index = b->index;
	groups[b->pid].set = true;
	trace("pid %d: role %d of %u, state %s", b->pid, (int)b->role, b->index, b->role < N_UNIT_ROLES ? svc_state_word(b->during) : "-");
	for (uint32_t k = 0; k < most_beings; k++) {
		const struct being *o = &beings[k];

		if (o->state != B_NONE && o->known && o->role == b->role && o->index == b->index && o->parent == 1)
			same++;
		if (b->role == ROLE_MAIN && o->state != B_NONE && o->known && o->role == ROLE_CONTROL && o->index == b->index)
			broke(P_ONE_MAIN, "u%02u: main starts while a control command is there", b->index);
	}
	if (same != 1)
		broke(P_ONE_MAIN, "%u processes of role %d of u%02u", same, (int)b->role, b->index);
	if (b->role == ROLE_HEALTH)
		seen[b->index].asked++;
	if (b->role < N_UNIT_ROLES && !svc_live(m->services[b->index].r.state))
		broke(P_AT_REST, "u%02u starts a process while %s", b->index, svc_state_word(m->services[b->index].r.state));
}

/* `top`: the descriptor that goes with the ask, or -1. */
void judge_probe(uint32_t unit, int top)
{
	if (unit < world.m->n)
		seen[unit].asked++;
	else
		broke(P_WORLD, "a probe of unit %u", unit);
	if (unit < world.m->n && top != world.m->services[unit].top)
		broke(P_DESCRIPTORS, "u%02u is probed without its /, or by another", unit);
	const struct being *b = unit < world.m->n ? being_of(world.m->services[unit].r.main) : NULL;
	/* What comes in this turn is read after the timers have asked. */
	if (b && b->role == ROLE_MAIN && b->showed && top < 0 && world.m->loop.turns > b->showed + 1)
		broke(P_DESCRIPTORS, "the / that u%02u showed was lost", unit);
}

void judge_kill(pid_t pid, int sig)
{
	const struct being *b;

	if (pid == -1) {
		if (!world.m->is_init || world.m->sweep < SWEEP_FORCED)
			broke(P_STALE_PID, "everybody is signalled (%d)", sig);
		return;
	}
	b = being_of(pid < 0 ? -pid : pid);
	if (pid > 0 && (!b || b->parent != 1 || b->stranger))
		broke(P_STALE_PID, "signal %d to pid %d, which is %s", sig, pid, b ? "not ours" : "nobody");
	if (pid < -1 && !group_has(-pid) && !b)
		broke(P_STALE_PID, "signal %d to group %d, which is gone", sig, -pid);
	if (pid == 0 || pid == 1)
		broke(P_STALE_PID, "signal %d to %d", sig, pid);
}

/* ---- after a turn ---- */

static uint32_t judge_process(const struct process *p, enum role role, uint32_t index)
{
	enum role r;
	uint32_t i;

	if (p->group > 0) {
		if (!groups[p->group].set || groups[p->group].role != role || groups[p->group].index != index)
			broke(P_STALE_PID, "role %d of %u remembers group %d, which is another's", (int)role, index, p->group);
		else if (!group_has(p->group) && p->pid == 0)
			broke(P_STALE_PID, "role %d of %u remembers group %d, whose last has gone", (int)role, index, p->group);
	}
	if (p->pid == 0) {
		if (p->gate >= 0)
			broke(P_DESCRIPTORS, "role %d of %u has a gate and no process", (int)role, index);
		return 0;
	}
	const struct being *b = being_of(p->pid);
	if (!b || b->parent != 1)
		broke(P_PIDS, "role %d of %u: pid %d is no child", (int)role, index, p->pid);
	else if (!pids_find(&world.m->pids, p->pid, &r, &i) || r != role || i != index)
		broke(P_PIDS, "role %d of %u: pid %d is not so in the map", (int)role, index, p->pid);
	return 1;
}

static void judge_pids(void)
{
	struct manager *m = world.m;
	uint32_t known = 0, listed = 0, gates = 0, cuts = 0;
	enum role role;
	uint32_t index;

	for (uint32_t i = 0; i < m->n; i++)
		for (uint32_t k = 0; k < N_UNIT_ROLES; k++) {
			known += judge_process(&m->services[i].proc[k], (enum role)k, i);
			gates += m->services[i].proc[k].gate >= 0;
			cuts += m->services[i].proc[k].cut != 0;
			if (m->services[i].proc[k].cut && m->services[i].proc[k].pid == 0)
				broke(P_PIDS, "a shortcut of u%02u is nobody's", i);
		}
	uint32_t sessions = 0;
	for (uint32_t k = 0; k < MAX_SESSIONS; k++) {
		if (!m->sessions[k].used)
			continue;
		sessions++;
		known += judge_process(&m->sessions[k].proc, ROLE_EXEC, k);
		gates += m->sessions[k].proc.gate >= 0;
	}
	for (uint32_t k = 0; k < MAX_HELPERS; k++) {
		known += m->helpers[k].pid > 0;
		gates += m->helpers[k].sock >= 0;
	}
	for (uint32_t k = 0; known != known_before && k <= m->pids.mask; k++)
		listed += m->pids.slots[k].pid != 0;
	if (known != known_before && known != listed)
		broke(P_PIDS, "%u processes, %u in the map", known, listed);
	known_before = known;
	if (sessions != m->n_sessions)
		broke(P_COUNTS, "%u sessions, counted %u", sessions, m->n_sessions);
	for (uint32_t k = 0; k < most_beings; k++) {
		const struct being *b = &beings[k];

		if (b->state == B_NONE || b->parent != 1 || b->stranger || b->swept || b->sweep_signal > 0)
			continue;
		if (!pids_find(&m->pids, b->pid, &role, &index))
			broke(P_PIDS, "the child %d is unknown", b->pid);
	}
	if (m->records.state->strangers != world.reaped_strangers)
		broke(P_PIDS, "%u strangers were reaped, %u counted", world.reaped_strangers, m->records.state->strangers);
	if (pads_with_far() != (uint32_t)__builtin_popcount(world.pads & ~m->pads))
		broke(P_DESCRIPTORS, "%u far ends lie on pads, %u pads are taken", pads_with_far(), (uint32_t)__builtin_popcount(world.pads & ~m->pads));
	if (cuts != (uint32_t)__builtin_popcount(world.cuts & ~m->shortcuts.free))
		broke(P_PIDS, "%u processes have a shortcut, %u are taken", cuts, (uint32_t)__builtin_popcount(world.cuts & ~m->shortcuts.free));
	if (fd_count(FD_NEAR) != gates || fd_count(FD_FAR) != 0)
		broke(P_DESCRIPTORS, "%u near ends and %u far ends are open, %u gates and sockets are known", fd_count(FD_NEAR),
		      fd_count(FD_FAR), gates);
}

static void judge_descriptors(void)
{
	struct manager *m = world.m;
	uint32_t roots = 0, tops = 0, logs = m->log >= 0;

	for (uint32_t i = 0; i < m->n; i++) {
		roots += m->services[i].root >= 0;
		logs += m->services[i].log >= 0;
		if (m->services[i].root >= 0 && !fd_is(m->services[i].root, FD_ROOT))
			broke(P_DESCRIPTORS, "the root of u%02u is something else", i);
		tops += m->services[i].top >= 0;
		if (m->services[i].top >= 0 && !fd_is(m->services[i].top, FD_TOP))
			broke(P_DESCRIPTORS, "the / of u%02u is something else", i);
	}
	if (tops != fd_count(FD_TOP))
		broke(P_DESCRIPTORS, "%u / are open, %u known", fd_count(FD_TOP), tops);
	if (roots != fd_count(FD_ROOT))
		broke(P_DESCRIPTORS, "%u roots are open, %u known", fd_count(FD_ROOT), roots);
	if (2 * logs != fd_count(FD_PIPE))
		broke(P_DESCRIPTORS, "%u ends of pipes are open, %u pipes known", fd_count(FD_PIPE), logs);
	for (uint32_t i = 0; i <= m->n; i++)
		if ((i < m->n ? m->services[i].log : m->log) >= 0 && fd_watched_as(m->pipes[i]) != i)
			broke(P_DESCRIPTORS, "the log pipe of unit %u has another's place in the epoll, or none", i);
	if (fd_count(FD_OTHER) != 1)
		broke(P_DESCRIPTORS, "%u other descriptors are open", fd_count(FD_OTHER));
}

static bool reason_holds(uint32_t i)
{
	struct manager *m = world.m;
	const struct service *s = &m->services[i];
	const struct unit *u = unit_at(i);
	uint32_t a = (uint32_t)s->r.why.a, kind = 0;

	if (a >= m->n)
		return false;
	const struct service *other = &m->services[a];
	for (uint32_t k = 0, n = list_count(m->table, u->needs); k < n; k++)
		if (EDGE_UNIT(list_item(m->table, u->needs, k)) == a)
			kind |= EDGE_KIND(list_item(m->table, u->needs, k));
	for (uint32_t k = 0, n = list_count(m->table, u->serves); k < n; k++)
		if (EDGE_UNIT(list_item(m->table, u->serves, k)) == a)
			kind |= EDGE_KIND(list_item(m->table, u->serves, k)) & EDGE_CONFLICTS;
	if (s->r.why.b != other->r.face)
		return false;
	switch (s->r.why.code) {
	case WHY_NEEDS:
		return (kind & (EDGE_REQUIRES | EDGE_BINDS) && (!other->r.ready || other->stop_pending)) ||
		       (kind & EDGE_WANTS && on_its_way(other));
	case WHY_ORDER:
		return on_its_way(other);
	case WHY_CONFLICT:
		return kind & EDGE_CONFLICTS && !resting(other);
	default:
		return false;
	}
}

static void judge_waiting(uint32_t i)
{
	struct service *s = &world.m->services[i];

	/* For two milliseconds at most it may wait for a shortcut, which is no reason that anybody could act upon. */
	if (s->held)
		return;
	if (s->r.state != WAITING || s->stop_pending || s->proc[ROLE_CLEANER].pid > 0 || world.m->retry_timer.place)
		return;
	if (!reason_holds(i))
		broke(P_WHY, "u%02u waits: why %u, u%02d, face %d; that one is %s", i, s->r.why.code, s->r.why.a, s->r.why.b,
		      (uint32_t)s->r.why.a < world.m->n ? svc_state_word(world.m->services[s->r.why.a].r.state) : "?");
}

static void judge_bonds(uint32_t i)
{
	struct manager *m = world.m;
	const struct service *s = &m->services[i];
	const struct unit *u = unit_at(i);

	if (s->r.state < PREPARING || s->r.state >= ENDING || s->stop_pending)
		return;
	for (uint32_t k = 0, n = list_count(m->table, u->needs); k < n; k++) {
		uint32_t edge = list_item(m->table, u->needs, k);

		if (EDGE_KIND(edge) & EDGE_BINDS && !m->services[EDGE_UNIT(edge)].r.ready)
			broke(P_BINDS, "u%02u is %s; u%02u is not ready", i, svc_state_word(s->r.state), EDGE_UNIT(edge));
	}
}

static void judge_unit(uint32_t i)
{
	struct manager *m = world.m;
	struct service *s = &m->services[i];
	struct record r;


	const struct copy *two = m->records.slots[i].two;
	struct seen *was = &seen[i];

	/* What has not changed since the last turn was whole then. */
	if (s->dirty || two[0].seq != was->seq[0] || two[1].seq != was->seq[1] || memcmp(&was->r, &s->r, sizeof(r)) != 0) {
		if (s->dirty || records_read(&m->records, i, &r) < 0 || memcmp(&r, &s->r, sizeof(r)) != 0)
			broke(P_RECORDS, "the record of u%02u is not what is known of it%s", i, s->dirty ? " (dirty)" : "");
		was->seq[0] = two[0].seq;
		was->seq[1] = two[1].seq;
		was->r = s->r;
	}
	if (s->verdict.failures == 0 && !s->verdict.asked)
		seen[i].asked = 0;
	if (s->r.face != svc_face(s->r.state) && s->r.state != UP && s->r.state != RELOADING)
		broke(P_RECORDS, "u%02u shows a face of another state", i);
	bool live = svc_live(s->r.state), none = s->proc[ROLE_MAIN].pid == 0 && s->proc[ROLE_CONTROL].pid == 0;
	if (!live && (!none || s->proc[ROLE_HEALTH].pid || s->r.main || s->r.control))
		broke(P_AT_REST, "u%02u is %s and has processes", i, svc_state_word(s->r.state));
	if (!live && (s->timers[TIMER_HEALTH].place || s->timers[TIMER_DOG].place ||
		      (s->timers[TIMER_STATE].place && s->r.state != RESTING)))
		broke(P_AT_REST, "u%02u is %s and has a timer", i, svc_state_word(s->r.state));
	if (s->r.state == RESTING && !s->timers[TIMER_STATE].place && s->rest != FOREVER && !s->stop_pending)
		broke(P_LIVENESS, "u%02u rests without a timer", i);
	if ((s->r.state == UP || s->r.state == RELOADING || s->r.state == SICK || s->r.state == POSTING) && runs_main(unit_at(i)) &&
	    s->proc[ROLE_MAIN].pid == 0)
		broke(P_UP_RUNS, "u%02u is %s without main", i, svc_state_word(s->r.state));
	if ((s->r.state == UP || s->r.state == POSTING) && unit_at(i)->type == TYPE_NOTIFY && unit_at(i)->kind == UNIT_SERVICE && !s->said_ready)
		broke(P_UP_RUNS, "u%02u is %s and has not said that it is ready", i, svc_state_word(s->r.state));
	if (s->r.main != s->proc[ROLE_MAIN].pid || s->r.control != s->proc[ROLE_CONTROL].pid)
		broke(P_RECORDS, "u%02u records pids %d %d for %d %d", i, s->r.main, s->r.control, s->proc[ROLE_MAIN].pid, s->proc[ROLE_CONTROL].pid);
	bool session = false;
	for (uint32_t k = 0; m->n_sessions > 0 && k < MAX_SESSIONS; k++)
		session |= m->sessions[k].used && m->sessions[k].unit == i;
	if ((s->r.state == STOPPING || s->r.state == KILLING) && none && !s->proc[ROLE_HEALTH].pid && !session &&
	    (s->proc[ROLE_MAIN].group == 0 || !group_has(s->proc[ROLE_MAIN].group)))
		broke(P_LINGER, "u%02u is %s and has nobody left", i, svc_state_word(s->r.state));
	judge_waiting(i);
	judge_bonds(i);
}

static void judge_timers(void)
{
	const struct loop *l = &world.m->loop;

	for (uint32_t k = 1; k <= l->n; k++)
		if (l->heap[k]->place != k || (k > 1 && l->heap[k / 2]->at > l->heap[k]->at))
			broke(P_TIMERS, "place %u of the heap", k);
	for (uint32_t k = 1; k <= l->n; k++)
		if (l->heap[k]->at <= world.now && l->heap[k]->at < world.now - 3600000)
			broke(P_TIMERS, "a timer is an hour late");
}

static void judge_news(void)
{
	struct manager *m = world.m;
	static struct news last[MAX_SIM_UNITS];
	struct news n;
	bool heard[MAX_SIM_UNITS] = { false };

	for (int got; (got = records_news(&m->records, &news_at, &n)) != 0;) {
		if (got < 0 || n.unit >= m->n) {
			broke(P_NEWS, "the ring is torn");
			return;
		}
		last[n.unit] = n;
		heard[n.unit] = true;
	}
	for (uint32_t i = 0; i < m->n; i++) {
		const struct record *r = &m->services[i].r;

		if (last[i].state != r->state || last[i].face != r->face || last[i].ready != r->ready || last[i].health != r->health ||
		    last[i].main != r->main || memcmp(&last[i].why, &r->why, sizeof(r->why)) != 0)
			broke(P_NEWS, "u%02u: the last news (%s) is not what it is", i, heard[i] ? "of this turn" : "of an earlier turn");
	}
}

void judge_turn(void)
{
	struct manager *m = world.m;
	uint32_t live = 0, unsettled = 0;

	for (uint32_t i = 0; i < m->n; i++) {
		const struct service *s = &m->services[i];

		judge_unit(i);
		live += svc_live(s->r.state) != 0;
		unsettled += s->r.wanted && !s->r.ready && !resting(s);
	}
	if (live != m->live || unsettled != m->unsettled)
		broke(P_COUNTS, "%u live, %u unsettled; counted %u, %u", live, unsettled, m->live, m->unsettled);
	judge_pids();
	judge_descriptors();
	judge_timers();
	judge_news();
}

/* ---- at the end of the calm, and of all ---- */

static bool waits_rightly(uint32_t i)
{
	struct manager *m = world.m;
	const struct service *s = &m->services[i];
	const struct unit *u = unit_at(i);

	if (!s->stalled)
		return false;
	for (uint32_t k = 0, n = list_count(m->table, u->needs); k < n; k++) {
		uint32_t edge = list_item(m->table, u->needs, k);
		const struct service *other = &m->services[EDGE_UNIT(edge)];

		if (EDGE_KIND(edge) & (EDGE_REQUIRES | EDGE_BINDS) && !other->r.ready && (resting(other) || other->r.state == WAITING))
			return true;
		/* Both were asked for, as by a start of all. */
		if (EDGE_KIND(edge) & EDGE_CONFLICTS && other->r.ready && other->r.wanted)
			return true;
	}
	for (uint32_t k = 0, n = list_count(m->table, u->serves); k < n; k++) {
		uint32_t edge = list_item(m->table, u->serves, k);
		const struct service *other = &m->services[EDGE_UNIT(edge)];

		if (EDGE_KIND(edge) & EDGE_CONFLICTS && other->r.ready && other->r.wanted)
			return true;
	}
	return false;
}

void judge_rest(bool after_calm)
{
	struct manager *m = world.m;

	for (uint32_t k = 0; k < most_beings; k++)
		if (beings[k].state != B_NONE)
			trace("pid %d, group %d, role %d of %u, state %d%s%s%s, ends at %lld", beings[k].pid, beings[k].group, (int)beings[k].role,
			      beings[k].index, (int)beings[k].state, beings[k].stopped ? " stopped" : "", beings[k].deaf ? " deaf" : "",
			      beings[k].hinted ? " hinted" : "", (long long)beings[k].at[D_EXIT]);
	for (uint32_t i = 0; after_calm && i < m->n; i++) {
		const struct service *s = &m->services[i];
		bool good;

		if (!s->r.wanted)
			good = resting(s);
		else
			good = s->r.ready || s->r.state == DONE || s->r.state == FAILED ||
			       (s->r.state == INACTIVE && s->r.why.code == WHY_CONDITION) || (s->r.state == WAITING && waits_rightly(i));
		if (!good)
			broke(P_LIVENESS, "u%02u is %s%s for ever (why %u, %d, %d)", i, svc_state_word(s->r.state), s->r.wanted ? "" : ", not wanted,",
			      s->r.why.code, s->r.why.a, s->r.why.b);
	}
}

void judge_end(bool within)
{
	struct manager *m = world.m;
	bool immune = false;

	(void)within;
	for (uint32_t k = 0; k < most_beings; k++)
		immune |= beings[k].state != B_NONE && beings[k].immune;
	for (uint32_t k = 0; k < most_beings; k++)
		if (beings[k].state != B_NONE && !immune)
			broke(P_NOBODY_LEFT, "pid %d is still there", beings[k].pid);
	if (immune)
		return;
	if (m->live > 0)
		broke(P_NOBODY_LEFT, "%u units are still live", m->live);
	if (fd_count(FD_NEAR) || fd_count(FD_ROOT) || fd_count(FD_TOP))
		broke(P_DESCRIPTORS, "%u sockets, %u roots and %u / are left open", fd_count(FD_NEAR), fd_count(FD_ROOT), fd_count(FD_TOP));
}
