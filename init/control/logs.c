/* logs.c - lines and events for those who ask: the last ones out of the rings, and each new one as it comes. */
#include <stdlib.h>
#include <string.h>

#include "init/control/inside.h"
#include "supervise/state.h"
#include "supervise/why.h"

#define MOST_LINES  65536u       /* in one answer */
#define MOST_BYTES  (16u << 20)  /* of text in one answer */

/* Where one entry lies; the newest are picked before any text is copied. */
struct pick {
	msec_t at;
	uint64_t place;
	uint32_t unit, len;
};

/* Older first; of one moment, by unit and place. */
static int by_age(const void *x, const void *y)
{
	const struct pick *a = x, *b = y;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	if (a->unit != b->unit)
		return a->unit < b->unit ? -1 : 1;
	return a->place < b->place ? -1 : a->place > b->place;
}

/* A heap with the oldest on top, so that a newer one can take its place. */
static void sift_down(struct pick *heap, size_t n, size_t i)
{
	for (;;) {
		size_t least = i, l = 2 * i + 1;

		for (size_t k = l; k < l + 2 && k < n; k++)
			if (by_age(&heap[k], &heap[least]) < 0)
				least = k;
		if (least == i)
			return;
		struct pick x = heap[i];

		heap[i] = heap[least];
		heap[least] = x;
		i = least;
	}
}

struct picks { struct pick *at; size_t n, room, most; };

static bool pick(struct picks *p, const struct pick *x)
{
	if (p->n == p->most) {
		if (p->most && by_age(x, &p->at[0]) > 0) {
			p->at[0] = *x;
			sift_down(p->at, p->n, 0);
		}
		return true;
	}
	if (p->n == p->room) {
		size_t room = p->room ? p->room * 2 : 64;
		struct pick *at = realloc(p->at, room * sizeof(*at));

		if (!at)
			return false;
		p->at = at;
		p->room = room;
	}
	p->at[p->n++] = *x;
	/* Only a full one has to be a heap. */
	if (p->n == p->most)
		for (size_t i = p->n / 2; i-- > 0;)
			sift_down(p->at, p->n, i);
	return true;
}

static char text[LOG_LINE];

static bool pick_ring(const struct desk *d, uint32_t i, msec_t since, struct picks *p)
{
	const struct log_head *h = &d->pump.logs.heads[i];
	uint64_t at = h->tail;
	struct entry e;

	for (uint64_t place = at; ring_read(&d->pump.logs, i, &at, &e, text) == 1; place = at)
		if (e.at >= since && !pick(p, &(struct pick){ .at = e.at, .place = place, .unit = i, .len = e.len }))
			return false;
	return true;
}

static void put_line(const struct desk *d, struct jout *j, uint32_t i, const struct entry *e, const char *s)
{
	jout_open(j, '{');
	jout_key(j, "unit");
	jout_text(j, pump_name(&d->pump, i));
	jout_key(j, "time");
	jout_time(j, desk_wall(d, e->at));
	jout_key(j, "text");
	jout_bytes(j, s, e->len);
	if (e->flags & ENTRY_REST) {
		jout_key(j, "rest");
		jout_bool(j, true);
	}
	jout_close(j, '}');
}

static void put_picks(const struct desk *d, struct jout *j, const struct picks *p)
{
	size_t from = p->n, bytes = 0;

	while (from > 0 && bytes + p->at[from - 1].len <= MOST_BYTES)
		bytes += p->at[--from].len;
	for (size_t k = from; k < p->n; k++) {
		uint64_t at = p->at[k].place;
		struct entry e;

		if (ring_read(&d->pump.logs, p->at[k].unit, &at, &e, text) == 1)
			put_line(d, j, p->at[k].unit, &e, text);
	}
}

static bool follow(struct conn *c, uint32_t unit)
{
	if (unit == NO_UNIT) {
		c->follow_all = true;
		return true;
	}
	for (uint32_t i = 0; i < c->n_followed; i++)
		if (c->followed[i] == unit)
			return true;
	if (c->n_followed == MAX_FOLLOWED)
		return false;
	if (!c->followed)
		c->followed = calloc(MAX_FOLLOWED, sizeof(*c->followed));
	if (!c->followed)
		return false;
	c->followed[c->n_followed++] = unit;
	return true;
}

void answer_logs(struct desk *d, struct conn *c, struct call *call, uint32_t unit, const json_t *params)
{
	const json_t *lines = json_object_get(params, "lines");
	json_int_t most = lines ? json_integer_value(lines) : MOST_LINES;
	struct picks p = { 0 };
	msec_t ago;

	if (most < 0 || !param_span(params, "since", FOREVER, &ago)) {
		call_error(call, RPC_PARAMS, NULL, most < 0 ? "lines: a number of lines is not negative" :
			   "since: this is no span of time; write seconds ago, or \"10min\"");
		return;
	}
	if (json_is_true(json_object_get(params, "follow")) && !follow(c, unit)) {
		call_error(call, RPC_BUSY, NULL, "one connection follows 64 units at most; leave \"unit\" out to follow all");
		return;
	}
	p.most = most < MOST_LINES ? (size_t)most : MOST_LINES;
	bool good = true;
	for (uint32_t i = unit == NO_UNIT ? 0 : unit; good && i <= (unit == NO_UNIT ? d->n : unit); i++)
		good = pick_ring(d, i, ago == FOREVER ? 0 : d->now - ago, &p);
	if (p.n)
		qsort(p.at, p.n, sizeof(*p.at), by_age);
	struct jout *j = call_result(call);

	jout_open(j, '{');
	jout_key(j, "lines");
	jout_open(j, '[');
	put_picks(d, j, &p);
	jout_close(j, ']');
	jout_close(j, '}');
	call_end(call);
	free(p.at);
}

static bool follows(const struct conn *c, uint32_t unit)
{
	if (c->follow_all)
		return true;
	for (uint32_t i = 0; i < c->n_followed; i++)
		if (c->followed[i] == unit)
			return true;
	return false;
}

void logs_line(void *desk, uint32_t i, const struct entry *e, const char *s)
{
	struct desk *d = desk;

	for (uint32_t k = 0; d->n_conns && k < MAX_CONNS; k++) {
		struct conn *c = d->conns[k];

		if (!c || !follows(c, i))
			continue;
		if (c->lost_lines || c->out.len > QUEUE_PAUSE) {
			c->lost_lines++;
			continue;
		}
		struct jout j = rpc_notify(&c->out, "log");

		put_line(d, &j, i, e, s);
		rpc_notify_end(&j);
	}
}

void logs_subscribe(struct desk *d, struct conn *c)
{
	if (!d->faces) {
		d->faces = malloc((size_t)d->n + 1);
		if (!d->faces)
			return;
		for (uint32_t i = 0; i < d->n; i++)
			d->faces[i] = desk_record(d, i).face;
		if (!errands_need_news(d))
			d->news = __atomic_load_n(&d->records.state->news, __ATOMIC_ACQUIRE);
	}
	c->events = true;
}

void logs_unsubscribe(struct desk *d)
{
	for (uint32_t k = 0; k < MAX_CONNS; k++)
		if (d->conns[k] && d->conns[k]->events)
			return;
	free(d->faces);
	d->faces = NULL;
}

static void put_event(const struct desk *d, struct jout *j, const struct news *n)
{
	char words[1024];

	jout_open(j, '{');
	jout_key(j, "unit");
	jout_text(j, pump_name(&d->pump, n->unit));
	jout_key(j, "state");
	jout_text(j, face_word((enum face)n->face));
	jout_key(j, "sub");
	jout_text(j, svc_state_word((enum svc_state)n->state));
	jout_key(j, "from");
	jout_text(j, face_word((enum face)d->faces[n->unit]));
	jout_key(j, "ready");
	jout_bool(j, n->ready);
	jout_key(j, "health");
	jout_text(j, health_word((enum health)n->health));
	jout_key(j, "pid");
	if (n->main)
		jout_int(j, n->main);
	else
		jout_null(j);
	jout_key(j, "why");
	jout_text(j, why_text(d->table, n->unit, &n->why, words, sizeof(words)));
	jout_key(j, "time");
	jout_time(j, desk_wall(d, n->at));
	jout_close(j, '}');
}

void logs_event(struct desk *d, const struct news *n, bool lost)
{
	for (uint32_t k = 0; k < MAX_CONNS; k++) {
		struct conn *c = d->conns[k];

		if (!c || !c->events)
			continue;
		if (lost || c->lost_events || c->out.len > QUEUE_PAUSE) {
			c->lost_events++;
			continue;
		}
		if (n->unit >= d->n)
			continue;
		struct jout j = rpc_notify(&c->out, "event");

		put_event(d, &j, n);
		rpc_notify_end(&j);
	}
	if (!lost && n->unit < d->n)
		d->faces[n->unit] = n->face;
}
