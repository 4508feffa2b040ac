/* answers.c - status and graph: records and table put into words. */
#include <stdio.h>
#include <string.h>

#include "conf/kit/text.h"
#include "conf/values.h"
#include "health/probe.h"
#include "init/boot.h"
#include "init/container.h"
#include "init/control/inside.h"
#include "mount/root.h"
#include "supervise/state.h"
#include "supervise/why.h"

static const char *const rungs[N_RUNGS] = { [RUNG_FULL] = "full", [RUNG_CHROOT] = "chroot", [RUNG_NONE] = "none" };

static const char *unit_name(const struct desk *d, uint32_t i)
{
	return table_text(d->table, table_unit(d->table, i)->name);
}

static void put_text(struct jout *j, const char *key, const char *value)
{
	jout_key(j, key);
	jout_text(j, value);
}

static void put_text_or_null(struct jout *j, const char *key, const char *value)
{
	jout_key(j, key);
	if (value && *value)
		jout_text(j, value);
	else
		jout_null(j);
}

static void put_int(struct jout *j, const char *key, int64_t value)
{
	jout_key(j, key);
	jout_int(j, value);
}

static void put_bool(struct jout *j, const char *key, bool value)
{
	jout_key(j, key);
	jout_bool(j, value);
}

static void put_time(const struct desk *d, struct jout *j, const char *key, msec_t at)
{
	jout_key(j, key);
	jout_time(j, desk_wall(d, at));
}

/* Nothing has been heard yet of a unit that has a check and is on its way: that is "waiting" or "starting". */
static const char *health_shown(const struct unit *u, const struct record *r)
{
	if (r->health == HEALTH_UNKNOWN && u->health_kind != HEALTH_NONE) {
		if (r->face == FACE_WAITING)
			return health_word(HEALTH_WAITING);
		if (r->face == FACE_STARTING || r->face == FACE_RUNNING)
			return health_word(HEALTH_STARTING);
	}
	return health_word((enum health)r->health);
}

static void put_health(const struct desk *d, struct jout *j, const struct unit *u, const struct record *r)
{
	char words[120] = "";

	if (r->health == HEALTH_SUCCESS)
		text_put(&(struct text){ .at = words, .size = sizeof(words) }, table_text(d->table, u->health_success));
	else if (r->health == HEALTH_FAILURE && *table_text(d->table, u->health_failure))
		text_put(&(struct text){ .at = words, .size = sizeof(words) }, table_text(d->table, u->health_failure));
	/* What cannot be tried may stay so for ever. */
	else if (r->health == HEALTH_FAILURE || (r->health == HEALTH_STARTING && DETAIL_WHAT(r->detail) == DETAIL_SYSTEM))
		(void)probe_words(r->detail, words, sizeof(words));
	jout_key(j, "health");
	jout_open(j, '{');
	put_text(j, "result", health_shown(u, r));
	put_text(j, "message", words);
	put_int(j, "failures", r->failures);
	jout_close(j, '}');
}

/* Units that it needs and that are not there yet; for one that waits. */
static void put_waiting_on(const struct desk *d, struct jout *j, const struct unit *u, const struct record *r)
{
	bool other = (r->why.code == WHY_NEEDS || r->why.code == WHY_ORDER) && r->why.a >= 0 && (uint32_t)r->why.a < d->n;

	jout_key(j, "waiting_on");
	jout_open(j, '[');
	if (r->face == FACE_WAITING) {
		if (other)
			jout_text(j, unit_name(d, (uint32_t)r->why.a));
		for (uint32_t k = 0; k < list_count(d->table, u->needs); k++) {
			uint32_t edge = list_item(d->table, u->needs, k), i = EDGE_UNIT(edge);

			if (i >= d->n || (other && i == (uint32_t)r->why.a) || !(EDGE_KIND(edge) & (EDGE_WANTS | EDGE_REQUIRES | EDGE_BINDS)))
				continue;
			struct record o = desk_record(d, i);

			if (!o.ready && o.face != FACE_DONE)
				jout_text(j, unit_name(d, i));
		}
	}
	jout_close(j, ']');
}

static void put_exit(struct jout *j, const struct record *r)
{
	jout_key(j, "exit");
	if (r->exit_kind == 0) {
		jout_null(j);
		return;
	}
	jout_open(j, '{');
	put_int(j, r->exit_kind == 1 ? "code" : "signal", r->exit_value);
	jout_close(j, '}');
}

static void put_unit(const struct desk *d, struct jout *j, uint32_t i)
{
	const struct unit *u = table_unit(d->table, i);
	const struct log_head *log = &d->pump.logs.heads[i];
	struct record r = desk_record(d, i);
	char words[1024];

	jout_open(j, '{');
	put_text(j, "unit", unit_name(d, i));
	put_text(j, "description", table_text(d->table, u->description));
	put_text(j, "state", face_word((enum face)r.face));
	put_text(j, "sub", svc_state_word((enum svc_state)r.state));
	put_bool(j, "ready", r.ready);
	put_health(d, j, u, &r);
	jout_key(j, "pid");
	if (r.main)
		jout_int(j, r.main);
	else
		jout_null(j);
	put_time(d, j, "since", r.since);
	put_int(j, "restarts", r.restarts);
	put_exit(j, &r);
	put_text(j, "why", why_text(d->table, i, &r.why, words, sizeof(words)));
	put_waiting_on(d, j, u, &r);
	if (r.face == FACE_BACKOFF)
		put_time(d, j, "next", r.next);
	put_text_or_null(j, "image", table_text(d->table, u->image));
	(void)snprintf(words, sizeof(words), "%s/root/%s", d->setup->runtime, unit_name(d, i));
	put_text_or_null(j, "root", u->image || u->root_directory ? words : NULL);
	jout_key(j, "log");
	jout_open(j, '{');
	put_int(j, "lines", (int64_t)log->lines);
	put_int(j, "dropped", (int64_t)log->dropped);
	jout_close(j, '}');
	put_text(j, "file", table_text(d->table, u->file));
	jout_close(j, '}');
}

/* The boot steps, as far as they have been taken. */
static void put_boot(struct jout *j, const uint32_t *results)
{
	jout_key(j, "boot");
	jout_open(j, '[');
	for (uint32_t k = 0; k < n_boot_steps; k++) {
		const char *word = boot_result_word(results[k]);
		char words[300] = "";

		if (!word)
			continue;
		boot_why(&(struct text){ .at = words, .size = sizeof(words) }, k, results[k]);
		jout_open(j, '{');
		put_text(j, "step", boot_steps[k].name);
		put_text(j, "state", word);
		put_text(j, "why", words);
		jout_close(j, '}');
	}
	jout_close(j, ']');
}

static void put_manager(const struct desk *d, struct jout *j)
{
	const struct state *s = d->records.state;
	uint32_t by_face[N_FACES] = { 0 };
	bool ready = s->boot_ready != 0;

	for (uint32_t i = 0; i < d->n; i++) {
		const struct unit *u = table_unit(d->table, i);
		struct record r = desk_record(d, i);

		by_face[r.face < N_FACES ? r.face : FACE_INACTIVE]++;
		if (u->autostart && r.wanted && !r.ready && r.face != FACE_DONE && r.face != FACE_INACTIVE)
			ready = false;
	}
	if (by_face[FACE_FAILED])
		ready = false;
	bool stopping = d->stopping || s->shutdown;

	jout_open(j, '{');
	put_text(j, "version", COPPICE_VERSION);
	put_int(j, "pid", s->pid);
	put_text(j, "state", stopping ? "stopping" : !s->boot_ready ? "starting" :
		 by_face[FACE_FAILED] || by_face[FACE_UNHEALTHY] || by_face[FACE_BACKOFF] ? "degraded" : "running");
	put_bool(j, "ready", ready && !stopping);
	put_time(d, j, "since", s->booted);
	put_int(j, "uptime_ms", d->now - s->booted);
	jout_key(j, "boot_ms");
	if (s->boot_ready)
		jout_int(j, s->boot_ready - s->booted);
	else
		jout_null(j);
	jout_key(j, "units");
	jout_open(j, '{');
	put_int(j, "total", d->n);
	for (int f = 0; f < N_FACES; f++)
		put_int(j, face_word((enum face)f), by_face[f]);
	jout_close(j, '}');
	put_text(j, "rung", s->rung < N_RUNGS ? rungs[s->rung] : "?");
	put_text(j, "lost", s->rung < N_RUNGS ? rung_lost((enum rung)s->rung) : "");
	put_text(j, "container", container_word((enum container)s->container));
	put_boot(j, s->boot_steps);
	put_int(j, "generation", s->generation);
	put_int(j, "strangers", s->strangers);
	jout_key(j, "helpers");
	jout_open(j, '{');
	put_int(j, "desk", s->helpers[0]);
	put_int(j, "probe", s->helpers[1]);
	put_int(j, "restarts", s->helper_restarts);
	jout_close(j, '}');
	jout_close(j, '}');
}

void answer_status(struct desk *d, struct call *c, uint32_t unit)
{
	struct jout *j = call_result(c);

	jout_open(j, '{');
	jout_key(j, "manager");
	put_manager(d, j);
	jout_key(j, "units");
	jout_open(j, '[');
	for (uint32_t i = unit == NO_UNIT ? 0 : unit; i < (unit == NO_UNIT ? d->n : unit + 1); i++)
		put_unit(d, j, i);
	jout_close(j, ']');
	jout_close(j, '}');
	call_end(c);
}

void answer_graph(struct desk *d, struct call *c)
{
	static const struct { uint32_t bit; const char *word; } kinds[] = {
		{ EDGE_AFTER, "after" }, { EDGE_WANTS, "wants" }, { EDGE_REQUIRES, "requires" }, { EDGE_BINDS, "binds_to" },
		{ EDGE_PART_OF, "part_of" }, { EDGE_CONFLICTS, "conflicts" }, { EDGE_REQUISITE, "requisite" },
	};
	struct jout *j = call_result(c);

	jout_open(j, '{');
	jout_key(j, "nodes");
	jout_open(j, '[');
	for (uint32_t i = 0; i < d->n; i++) {
		struct record r = desk_record(d, i);

		jout_open(j, '{');
		put_text(j, "unit", unit_name(d, i));
		put_text(j, "state", face_word((enum face)r.face));
		jout_close(j, '}');
	}
	jout_close(j, ']');
	jout_key(j, "edges");
	jout_open(j, '[');
	for (uint32_t i = 0; i < d->n; i++) {
		const struct unit *u = table_unit(d->table, i);

		for (uint32_t k = 0; k < list_count(d->table, u->needs); k++) {
			uint32_t edge = list_item(d->table, u->needs, k);

			if (EDGE_UNIT(edge) >= d->n)
				continue;
			jout_open(j, '{');
			put_text(j, "from", unit_name(d, i));
			put_text(j, "to", unit_name(d, EDGE_UNIT(edge)));
			jout_key(j, "kinds");
			jout_open(j, '[');
			for (size_t w = 0; w < sizeof(kinds) / sizeof(*kinds); w++)
				if (EDGE_KIND(edge) & kinds[w].bit)
					jout_text(j, kinds[w].word);
			jout_close(j, ']');
			jout_close(j, '}');
		}
	}
	jout_close(j, ']');
	jout_close(j, '}');
	call_end(c);
}

bool param_span(const json_t *params, const char *name, msec_t otherwise, msec_t *ret)
{
	const json_t *v = json_object_get(params, name);

	*ret = otherwise;
	if (!v)
		return true;
	if (json_is_string(v))
		return span_of(json_string_value(v), 1000, ret);
	double seconds = json_number_value(v);

	/* About 30 years; what is longer is for ever. */
	*ret = seconds < 1e9 ? (msec_t)(seconds * 1000) : FOREVER;
	return seconds >= 0;
}
