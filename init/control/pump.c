/* pump.c - reads log pipes a bounded piece at a time, so that a flood from one starves nobody. */
#include "init/control/pump.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/kit/sys.h"
#include "init/control/logline.h"

/* What one unit may bring in one turn. */
#define PIECE (16u << 10)

static char piece[PIECE], line[LOG_LINE];

int pump_open(struct pump *p, const struct table *t, uint32_t n, int logs_fd, int out, const int *pipes)
{
	int r = logs_map(&p->logs, logs_fd, n);

	if (r < 0)
		return r;
	r = sink_open(&p->sink, out);
	if (r < 0)
		return r;
	p->table = t;
	p->n = n;
	p->json = t->house.log_format == LOG_JSON;
	p->fds = calloc((size_t)n + 1, sizeof(*p->fds));
	p->waiting = calloc((size_t)n + 1, sizeof(*p->waiting));
	if (!p->fds || !p->waiting)
		return -ENOMEM;
	p->width = (uint32_t)strlen(pump_name(p, n));
	for (uint32_t i = 0; i <= n; i++) {
		uint32_t len = (uint32_t)strlen(pump_name(p, i));

		p->fds[i] = pipes[i];
		if (p->fds[i] >= 0)
			(void)sys_nonblock(p->fds[i]);
		if (len > p->width && (i == n || table_unit(t, i)->kind == UNIT_SERVICE))
			p->width = len < NAME_WIDTH ? len : NAME_WIDTH;
		if (ring_open(&p->logs, i)) {
			p->waiting[i] = (uint32_t)sys_now() | 1;
			p->n_waiting++;
		}
	}
	return 0;
}

const char *pump_name(const struct pump *p, uint32_t i)
{
	return i < p->n ? table_text(p->table, table_unit(p->table, i)->name) : "coppice";
}

static void show(struct pump *p, uint32_t i, const struct entry *e, const char *text)
{
	static struct buf shown = { .most = 8 * (size_t)LOG_LINE };
	bool rest = e->flags & ENTRY_REST;

	shown.len = 0;
	shown.broken = false;
	if (p->json)
		line_json(&shown, pump_name(p, i), e->at + p->wall, rest, text, e->len);
	else
		line_text(&shown, pump_name(p, i), p->width, rest, text, e->len);
	if (!shown.broken && !sink_line(&p->sink, shown.at, shown.len))
		p->logs.heads[i].dropped++;
	if (shown.size > 1024)
		buf_free(&shown);
	p->logged(p->self, i, e, text);
}

/* The entry of ring i that began at `at` is whole now. */
static void ended(struct pump *p, uint32_t i, uint64_t at)
{
	struct entry e;

	if (ring_read(&p->logs, i, &at, &e, line) == 1)
		show(p, i, &e, line);
}

static void settle_waiting(struct pump *p, uint32_t i, msec_t now)
{
	bool open = ring_open(&p->logs, i);

	if (open && !p->waiting[i])
		p->n_waiting++;
	if (!open && p->waiting[i])
		p->n_waiting--;
	p->waiting[i] = open ? (uint32_t)now | 1 : 0;
}

static void take(struct pump *p, uint32_t i, const char *bytes, size_t n, msec_t now)
{
	uint32_t keep = i < p->n ? table_unit(p->table, i)->log_ring : 0;

	while (n) {
		uint64_t at = p->logs.heads[i].head;
		bool whole;
		size_t took = ring_put(&p->logs, i, bytes, n, keep, now, &whole);

		if (whole)
			ended(p, i, at);
		bytes += took;
		n -= took;
	}
	settle_waiting(p, i, now);
}

int pump_read(struct pump *p, uint32_t i, msec_t now)
{
	ssize_t n = sys_read(p->fds[i], piece, sizeof(piece));

	if (n > 0)
		take(p, i, piece, (size_t)n, now);
	return n > 0 ? 1 : n == -EAGAIN ? 0 : -1;
}

static void cut(struct pump *p, uint32_t i, msec_t now)
{
	uint64_t at = p->logs.heads[i].head;

	if (ring_cut(&p->logs, i, now))
		ended(p, i, at);
	settle_waiting(p, i, now);
}

void pump_drop(struct pump *p, uint32_t i, msec_t now)
{
	if (p->fds[i] >= 0)
		(void)sys_close(p->fds[i]);
	p->fds[i] = -1;
	cut(p, i, now);
}

msec_t pump_patience(struct pump *p, msec_t now, bool all)
{
	msec_t next = FOREVER;

	for (uint32_t i = 0; p->n_waiting && i <= p->n; i++) {
		if (!p->waiting[i])
			continue;
		uint32_t for_ms = (uint32_t)now - p->waiting[i];

		if (all || (for_ms >= (uint32_t)PUMP_PATIENCE && for_ms < UINT32_MAX - 1))
			cut(p, i, now);
		else if (time_add(now, PUMP_PATIENCE - (int32_t)for_ms) < next)
			next = time_add(now, PUMP_PATIENCE - (int32_t)for_ms);
	}
	return next;
}

void pump_say(struct pump *p, msec_t now, const char *text)
{
	take(p, p->n, text, strlen(text), now);
	take(p, p->n, "\n", 1, now);
}

void pump_flush(struct pump *p, msec_t now)
{
	char number[32], text[120];

	sink_flush(&p->sink);
	uint64_t lost = sink_told(&p->sink);
	if (!lost)
		return;
	(void)snprintf(text, sizeof(text), "%s line%s not shown: the reader of our stdout is slow",
		       number_shown(lost, number), lost == 1 ? " was" : "s were");
	pump_say(p, now, text);
	sink_flush(&p->sink);
}
