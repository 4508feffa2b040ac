/*
 * order.c - who may start, who may stop, and who leans on whom.
 *
 * A unit that waits is looked at again whenever one of its neighbours moved;
 * the queue holds each unit at most once, so settling ends.
 */
#include "conf/kit/say.h"
#include "supervise/inside.h"
#include "supervise/why.h"

void order_look(struct manager *m, uint32_t i)
{
	struct service *s = &m->services[i];

	if (s->queued)
		return;
	s->queued = true;
	m->queue[(m->queue_head + m->queue_n) % m->n] = i;
	m->queue_n++;
}

static void tell_list(struct manager *m, list_at list)
{
	uint32_t n = list_count(m->table, list);

	for (uint32_t k = 0; k < n; k++)
		order_look(m, EDGE_UNIT(list_item(m->table, list, k)));
}

void order_tell(struct manager *m, uint32_t i)
{
	const struct unit *u = unit_of(m, i);

	order_look(m, i);
	tell_list(m, u->serves);
	tell_list(m, u->needs);
	/* StopPriority= makes neighbours of strangers. */
	if (m->prioritised)
		for (uint32_t k = 0; k < m->n; k++)
			if (m->services[k].stop_pending)
				order_look(m, k);
}

bool order_satisfied(const struct manager *m, uint32_t i)
{
	return m->services[i].r.ready;
}

static void set_wanted(struct manager *m, uint32_t i, bool wanted)
{
	struct service *s = &m->services[i];

	if (s->r.wanted == wanted)
		return;
	s->r.wanted = wanted;
	s->dirty = true;
	service_count(m, i);
}

static bool at_rest_for_good(const struct service *s)
{
	return s->r.state == INACTIVE || s->r.state == FAILED || s->r.state == DONE;
}

void order_start(struct manager *m, uint32_t i, bool by_hand)
{
	struct service *s = &m->services[i];

	if (unit_of(m, i)->load != LOAD_OK || m->how != HOW_NONE)
		return;
	if (by_hand)
		policy_forgive(&s->history);
	if (by_hand && (s->r.state == RESTING || !svc_live(s->r.state))) {
		s->r.restarts = 0;
		s->dirty = true;
	}
	if (s->r.wanted && !by_hand && !(at_rest_for_good(s) && !s->r.ready))
		return;
	if (s->start_pending)
		return;
	set_wanted(m, i, true);
	s->start_pending = true;
	order_look(m, i);
}

void order_stop(struct manager *m, uint32_t i, enum asked asked)
{
	struct service *s = &m->services[i];
	bool stays_wanted = asked == ASKED_RESTART || asked == ASKED_BOUND;

	if (!stays_wanted)
		set_wanted(m, i, false);
	if (at_rest_for_good(s)) {
		/* Some may wait for it already. */
		if (s->start_pending)
			order_tell(m, i);
		s->start_pending = false;
		if (s->r.state == DONE && !stays_wanted)
			service_event(m, i, EV_STOP);
		/* Those that wait for it, or are up beside it, still hear of it. */
		s->spread = asked == ASKED_BY_HAND;
		s->spread_asked = (uint8_t)asked;
		order_look(m, i);
		service_commit(m, i);
		return;
	}
	/* A stop for good outranks a restart under way, never the other way round. */
	if (s->stop_pending && (s->asked == ASKED_SHUTDOWN || (s->asked == ASKED_BY_HAND && asked != ASKED_SHUTDOWN))) {
		s->start_pending &= stays_wanted;
		service_commit(m, i);
		return;
	}
	s->asked = (uint8_t)asked;
	s->start_pending = false;
	s->stop_pending = true;
	s->spread = asked == ASKED_BY_HAND || asked == ASKED_RESTART;
	s->spread_asked = (uint8_t)asked;
	order_look(m, i);
	service_commit(m, i);
}

/* What requires it goes with it when a person says so (systemd.unit(5), Requires=, PartOf=), not when it falls by itself. */
static void spread_stop(struct manager *m, uint32_t i)
{
	struct service *s = &m->services[i];
	const struct unit *u = unit_of(m, i);
	enum asked asked = (enum asked)s->spread_asked;

	s->spread = false;
	for (uint32_t k = 0, n = list_count(m->table, u->serves); k < n; k++) {
		uint32_t edge = list_item(m->table, u->serves, k), d = EDGE_UNIT(edge);
		const struct service *other = &m->services[d];

		if (!(EDGE_KIND(edge) & (EDGE_REQUIRES | EDGE_BINDS | EDGE_PART_OF | EDGE_REQUISITE)) || other->stop_pending)
			continue;
		/* One that waits for it anyway just goes on waiting for the new one. */
		if (asked == ASKED_RESTART ? svc_live(other->r.state) : !at_rest_for_good(other))
			order_stop(m, d, asked);
	}
}

void order_online(struct manager *m, bool online)
{
	uint32_t i = m->online_target;

	if (m->offline == !online)
		return;
	m->offline = !online;
	if (i == NO_UNIT || m->how != HOW_NONE)
		return;
	if (online) {
		order_look(m, i);
	} else if (m->services[i].r.ready) {
		/* It waits again, and whoever starts waits for it; those that run are left alone, unless they are bound to it. */
		order_stop(m, i, ASKED_BOUND);
		service_why(&m->services[i], WHY_NETWORK, 0, 0);
	}
}

/* ---- may it start? ---- */

/* On its way up, and not for ever: whoever comes after it only for the order's sake waits. */
static bool rising_or_sinking(const struct service *s)
{
	/* Wanted, and not yet looked at in this turn. */
	if (s->start_pending && at_rest_for_good(s))
		return true;
	if (s->r.state == WAITING)
		return !s->stalled;
	return (s->r.state >= PREPARING && s->r.state <= POSTING) || (s->r.state >= ENDING && s->r.state <= CLEANING);
}

struct block { struct why why; bool blocked, refused, stalled; };

static void block(struct block *b, enum why_code code, uint32_t unit, int32_t face)
{
	if (!b->blocked)
		b->why = (struct why){ .code = code, .a = (int32_t)unit, .b = face };
	b->blocked = true;
}

/* One that waits for ever itself is in nobody's way; whom it is in the way of, nobody waits for just for the order's sake. */
static void block_conflict(struct block *b, const struct service *other, uint32_t unit)
{
	if (at_rest_for_good(other) || (other->r.state == WAITING && other->stalled))
		return;
	block(b, WHY_CONFLICT, unit, other->r.face);
	b->stalled = true;
}

static struct block look_at_needs(struct manager *m, uint32_t i)
{
	const struct unit *u = unit_of(m, i);
	struct block b = { .blocked = false };

	if (i == m->online_target && m->offline)
		block(&b, WHY_NETWORK, 0, 0);
	for (uint32_t k = 0, n = list_count(m->table, u->needs); k < n; k++) {
		uint32_t edge = list_item(m->table, u->needs, k), d = EDGE_UNIT(edge), kind = EDGE_KIND(edge);
		const struct service *other = &m->services[d];

		if (kind & EDGE_REQUISITE && !order_satisfied(m, d)) {
			b.why = (struct why){ .code = WHY_REQUISITE, .a = (int32_t)d };
			b.refused = true;
			return b;
		}
		if (kind & EDGE_CONFLICTS) {
			block_conflict(&b, other, d);
			continue;
		}
		if (kind & (EDGE_REQUIRES | EDGE_BINDS)) {
			if (order_satisfied(m, d) && !other->stop_pending)
				continue;
			block(&b, WHY_NEEDS, d, other->r.face);
			b.stalled |= (at_rest_for_good(other) && !other->start_pending) || (other->r.state == WAITING && other->stalled);
			continue;
		}
		if (kind & (EDGE_WANTS | EDGE_AFTER) && rising_or_sinking(other))
			block(&b, kind & EDGE_WANTS ? WHY_NEEDS : WHY_ORDER, d, other->r.face);
	}
	for (uint32_t k = 0, n = list_count(m->table, u->serves); k < n; k++) {
		uint32_t edge = list_item(m->table, u->serves, k), d = EDGE_UNIT(edge);

		if (EDGE_KIND(edge) & EDGE_CONFLICTS)
			block_conflict(&b, &m->services[d], d);
	}
	return b;
}

/* Does it wait for somebody to come off a shortcut, which is cheaper than to fork? */
static bool held_back(struct manager *m, uint32_t i)
{
	struct service *s = &m->services[i];

	if (m->hurried || s->long_way || !shortcuts_crowded(&m->shortcuts) || !shortcut_fits(m->table, unit_of(m, i)))
		return false;
	if (!s->held)
		m->held[m->held_n++] = i;
	s->held = true;
	return true;
}

static void try_start(struct manager *m, uint32_t i)
{
	struct service *s = &m->services[i];
	struct block b = look_at_needs(m, i);

	if (b.refused) {
		service_why(s, (enum why_code)b.why.code, b.why.a, b.why.b);
		service_event(m, i, EV_REFUSED);
		return;
	}
	if (b.stalled != s->stalled) {
		s->stalled = b.stalled;
		order_tell(m, i);
	}
	/* Its last root is still being removed. */
	if (!b.blocked && s->proc[ROLE_CLEANER].pid > 0)
		return;
	if (!b.blocked && s->root_used && s->root < 0) {
		if (spawn_cleaner(m, i) == 0)
			s->root_used = false;
		else
			timer_arm(&m->loop, &m->retry_timer, time_add(m->now, 1000));
		return;
	}
	if (b.blocked) {
		if (s->r.why.code != b.why.code || s->r.why.a != b.why.a || s->r.why.b != b.why.b) {
			char words[512];

			service_why(s, (enum why_code)b.why.code, b.why.a, b.why.b);
			why_text(m->table, i, &s->r.why, words, sizeof(words));
			say(b.stalled ? SAY_WARNING : SAY_DEBUG, "%s: %s", name_of(m, i), words);
			service_commit(m, i);
		}
		return;
	}
	if (held_back(m, i))
		return;
	if (!policy_may_start(unit_of(m, i), &s->history, m->now)) {
		const struct unit *u = unit_of(m, i);

		service_why(s, WHY_START_LIMIT, (int32_t)u->start_limit_burst,
			    u->start_limit_interval > INT32_MAX ? INT32_MAX : (int32_t)u->start_limit_interval);
		service_event(m, i, EV_REFUSED);
		return;
	}
	m->launches++;
	service_event(m, i, EV_GO);
}

/* ---- may it stop? ---- */

/* On its way down, and not gone yet. */
static bool going(const struct service *s)
{
	return svc_live(s->r.state) && (s->stop_pending || s->r.state >= ENDING);
}

static bool dependents_hold(const struct manager *m, uint32_t i)
{
	const struct unit *u = unit_of(m, i);

	for (uint32_t k = 0, n = list_count(m->table, u->serves); k < n; k++) {
		uint32_t edge = list_item(m->table, u->serves, k);

		/* Only those that are going too: one that stays has to live with it. */
		if (EDGE_KIND(edge) & EDGE_AFTER && going(&m->services[EDGE_UNIT(edge)]))
			return true;
	}
	return false;
}

/* StopPriority=: whoever has a higher number goes first, unless it has to wait for its own dependents: After= comes before. */
static bool priority_holds(const struct manager *m, uint32_t i)
{
	for (uint32_t k = 0; m->prioritised && k < m->n; k++) {
		const struct service *d = &m->services[k];

		if (unit_of(m, k)->stop_priority > unit_of(m, i)->stop_priority && going(d) &&
		    (d->r.state >= ENDING || !dependents_hold(m, k)))
			return true;
	}
	return false;
}

static void try_stop(struct manager *m, uint32_t i)
{
	struct service *s = &m->services[i];

	if (svc_live(s->r.state) && s->r.state < ENDING && (dependents_hold(m, i) || priority_holds(m, i)))
		return;
	s->stop_pending = false;
	if (s->asked == ASKED_RESTART && (s->r.state == WAITING || s->r.state == RESTING)) {
		service_event(m, i, EV_START);
		return;
	}
	enum why_code code = s->asked == ASKED_SHUTDOWN ? WHY_SHUTDOWN : s->asked == ASKED_BOUND ? WHY_BOUND : WHY_BY_HAND;

	if (code != WHY_BOUND)
		service_why(s, code, 0, 0);
	service_event(m, i, EV_STOP);
	order_tell(m, i);
}

/* BindsTo=: up, and what it is bound to is not ready any more. */
static void check_bonds(struct manager *m, uint32_t i)
{
	struct service *s = &m->services[i];
	const struct unit *u = unit_of(m, i);

	if (s->r.state < PREPARING || s->r.state > RELOADING || s->stop_pending)
		return;
	for (uint32_t k = 0, n = list_count(m->table, u->needs); k < n; k++) {
		uint32_t edge = list_item(m->table, u->needs, k), d = EDGE_UNIT(edge);

		if (!(EDGE_KIND(edge) & EDGE_BINDS) || order_satisfied(m, d))
			continue;
		order_stop(m, i, ASKED_BOUND);
		service_why(s, WHY_BOUND, (int32_t)d, m->services[d].r.face);
		return;
	}
}

/* What has to be up, or down, for a unit to start. */
static void pull(struct manager *m, uint32_t i)
{
	const struct unit *u = unit_of(m, i);
	struct service *s = &m->services[i];

	s->start_pending = false;
	for (uint32_t k = 0, n = list_count(m->table, u->needs); k < n; k++) {
		uint32_t edge = list_item(m->table, u->needs, k), d = EDGE_UNIT(edge);

		if (EDGE_KIND(edge) & (EDGE_WANTS | EDGE_REQUIRES | EDGE_BINDS))
			order_start(m, d, false);
		if (EDGE_KIND(edge) & EDGE_CONFLICTS)
			order_stop(m, d, ASKED_BY_HAND);
	}
	for (uint32_t k = 0, n = list_count(m->table, u->serves); k < n; k++) {
		uint32_t edge = list_item(m->table, u->serves, k);

		if (EDGE_KIND(edge) & EDGE_CONFLICTS)
			order_stop(m, EDGE_UNIT(edge), ASKED_BY_HAND);
	}
	/* Asked for while it goes down by itself: it comes back when it is down, whatever Restart= says. */
	if (s->r.state >= ENDING && s->r.state <= CLEANING && s->asked == ASKED_NOBODY)
		s->asked = ASKED_RESTART;
	service_event(m, i, EV_START);
}

static bool all_gone(struct manager *m, uint32_t i)
{
	struct service *s = &m->services[i];
	const struct unit *u = unit_of(m, i);

	if (s->proc[ROLE_MAIN].pid || s->proc[ROLE_CONTROL].pid || s->proc[ROLE_HEALTH].pid)
		return false;
	for (uint32_t k = 0; k < MAX_SESSIONS && m->n_sessions > 0; k++)
		if (m->sessions[k].used && m->sessions[k].unit == i)
			return false;
	/* KillMode=process leaves the rest alone, as its user asked. */
	if (u->kill_mode == KILL_PROCESS) {
		s->proc[ROLE_MAIN].group = 0;
		return true;
	}
	return process_empty(&s->proc[ROLE_MAIN]);
}

void order_settle(struct manager *m)
{
	uint32_t n = m->held_n;

	m->held_n = 0;
	for (uint32_t k = 0; k < n; k++) {
		m->services[m->held[k]].held = false;
		order_look(m, m->held[k]);
	}
	while (m->queue_n > 0 && m->launches < MOST_LAUNCHES) {
		uint32_t i = m->queue[m->queue_head];
		struct service *s = &m->services[i];

		m->queue_head = (m->queue_head + 1) % m->n;
		m->queue_n--;
		s->queued = false;
		if (s->spread)
			spread_stop(m, i);
		if (s->stop_pending)
			try_stop(m, i);
		else if (s->start_pending)
			pull(m, i);
		check_bonds(m, i);
		if ((s->r.state == STOPPING || s->r.state == KILLING) && all_gone(m, i))
			service_event(m, i, EV_EMPTY);
		if (s->r.state == WAITING && !s->stop_pending)
			try_start(m, i);
		service_commit(m, i);
	}
}
