/* errands.c - calls that are not answered at once: PID 1's word first, then, where asked for, until it has come true. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "conf/kit/text.h"
#include "init/control/inside.h"
#include "supervise/child.h"
#include "supervise/state.h"
#include "supervise/why.h"

/* A unit that waits for one that is down may do so for an instant only, while both are being started. */
#define HOPE     ((msec_t)250)
/* News does not tell of a reload's end. */
#define RELOAD_LOOK ((msec_t)50)
/* After SIGHUP to an exec whose client has gone. */
#define EXEC_MERCY ((msec_t)5000)

static const struct { const char *words; int code; } refusals[N_REFUSALS] = {
	[REFUSED_NOT_LOADED] = { "it cannot be started", RPC_FAILED },
	[REFUSED_STOPPING] = { "the container is stopping", RPC_STOPPING },
	[REFUSED_NOT_RUNNING] = { "it is not running", RPC_NOT_READY },
	[REFUSED_NO_RELOAD] = { "it has no ExecReload= and no ReloadSignal=; use restart", RPC_FAILED },
	[REFUSED_SIGNAL] = { "this signal cannot be sent", RPC_PARAMS },
	[REFUSED_FULL] = { "too many commands are running; wait for some to end", RPC_BUSY },
	[REFUSED_NOT_HERE] = { "this version cannot do that", RPC_FAILED },
};

static const enum goal_kind goals[N_METHODS] = {
	[M_START] = GOAL_UP, [M_STOP] = GOAL_DOWN, [M_RESTART] = GOAL_UP_AGAIN, [M_RELOAD] = GOAL_RELOADED, [M_EXEC] = GOAL_EXEC,
};

static const char *unit_name(const struct desk *d, uint32_t i)
{
	return table_text(d->table, table_unit(d->table, i)->name);
}

static uint64_t newest(const struct desk *d)
{
	return __atomic_load_n(&d->records.state->news, __ATOMIC_ACQUIRE);
}

static struct errand *errand_new(struct desk *d, struct conn *c, struct call *call, enum method_id method, uint32_t unit)
{
	struct errand *j = calloc(1, sizeof(*j));

	if (!j) {
		call_error(call, RPC_BUSY, NULL, "the desk is out of memory");
		return NULL;
	}
	/* Nobody read the ring until now: begin with what is to come. */
	if (!d->faces && !errands_need_news(d))
		d->news = newest(d);
	*j = (struct errand){ .call = call, .conn = c, .method = method, .unit = unit, .deadline = FOREVER, .goal.seq = newest(d) };
	j->next = d->errands;
	d->errands = j;
	return j;
}

static void errand_free(struct desk *d, struct errand *j)
{
	struct errand **at = &d->errands;

	while (*at != j)
		at = &(*at)->next;
	*at = j->next;
	free(j);
}

/* The one answer of a call whose wish came true. */
static void errand_done(struct desk *d, struct errand *j)
{
	struct jout *o = call_result(j->call);

	if (j->method == M_PING) {
		jout_text(o, "pong");
	} else {
		jout_open(o, '{');
		if (j->unit < d->n) {
			struct record r = desk_record(d, j->unit);
			char words[600];

			jout_key(o, "unit");
			jout_text(o, unit_name(d, j->unit));
			jout_key(o, "state");
			jout_text(o, face_word((enum face)r.face));
			jout_key(o, "why");
			jout_text(o, why_text(d->table, j->unit, &r.why, words, sizeof(words)));
		}
		jout_close(o, '}');
	}
	call_end(j->call);
	errand_free(d, j);
}

static void errand_failed(struct desk *d, struct errand *j, int code, uint32_t unit, const char *why, const char *what)
{
	const char *name = unit < d->n ? unit_name(d, unit) : NULL;
	struct rpc_about about = { .unit = name, .why = *why ? why : NULL };

	call_error(j->call, code, &about, "%s%s%s%s%s", name ? name : "", name ? " " : "", what, *why ? ": " : "", why);
	errand_free(d, j);
}

/* Why unit `i` is where it is, ready for a message. */
static const char *why_now(const struct desk *d, uint32_t i, char *into, size_t size)
{
	struct record r = desk_record(d, i);

	return why_text(d->table, i, &r.why, into, size);
}

static enum face face_of(const void *desk, unit_ix i, struct why *why)
{
	struct record r = desk_record(desk, i);

	*why = r.why;
	return (enum face)r.face;
}

/* A oneshot that remains shows as done while it is up: who wants it up has what he wants. */
static uint8_t face_seen(uint8_t state, uint8_t face)
{
	return state == UP && face == FACE_DONE ? FACE_READY : face;
}

static struct sight sight_of(const struct record *r)
{
	return (struct sight){
		.face = face_seen(r->state, r->face), .ready = r->ready, .last = true, .wanted = r->wanted, .why = r->why.code,
		.reloading = r->state == RELOADING || (r->phase == PHASE_RELOAD && r->control), .command = r->exit_code_last,
	};
}

static void lost(struct desk *d, struct errand *j, const struct sight *s, const struct why *why)
{
	bool down = j->goal.kind == GOAL_DOWN, reload = j->goal.kind == GOAL_RELOADED;
	char words[600], text[700];
	struct text t = TEXT(text);

	if (reload) {
		(void)exit_text(s->command < 0 ? 2 : 1, s->command < 0 ? -s->command : s->command, words, sizeof(words));
		errand_failed(d, j, RPC_FAILED, j->unit, words, "was not reloaded");
		return;
	}
	text_put(&t, down ? "does not stop" : face_phrase((enum face)s->face));
	(void)why_text(d->table, j->unit, why, words, sizeof(words));
	errand_failed(d, j, s->face == FACE_UNHEALTHY ? RPC_NOT_READY : RPC_FAILED, j->unit, words, text);
}

/* Nothing that is under way will make it ready. True: the call is ended. */
static bool hopeless(struct desk *d, struct errand *j, const struct record *r)
{
	if (r->face != FACE_WAITING || (j->goal.kind != GOAL_UP && j->goal.kind != GOAL_UP_AGAIN && j->goal.kind != GOAL_READY))
		return false;
	unit_ix other = goal_blocked(d->table, j->unit, face_of, d);

	if (other == NO_UNIT)
		return false;
	char words[600], text[900];
	struct text t = TEXT(text);
	struct record o = desk_record(d, other);

	text_fmt(&t, "%s %s", unit_name(d, other), face_phrase((enum face)o.face));
	(void)why_now(d, other, words, sizeof(words));
	if (*words)
		text_fmt(&t, " (%s)", words);
	text_put(&t, "; it goes on by itself once that is mended");
	errand_failed(d, j, RPC_NOT_READY, j->unit, text, "waits");
	return true;
}

/* Whether unit `i` counts when all are meant: it starts by itself and is something that runs. */
static bool counts(const struct desk *d, uint32_t i)
{
	const struct unit *u = table_unit(d->table, i);

	return (u->autostart || u->load == LOAD_BAD) && u->load != LOAD_MASKED &&
	       (u->kind == UNIT_SERVICE || u->kind == UNIT_TARGET);
}

/* All units: ready, done or at rest; or down. One that has failed for good ends the wait for readiness. */
static void look_at_all(struct desk *d, struct errand *j)
{
	bool down = j->goal.kind == GOAL_DOWN || j->goal.kind == GOAL_STOPPED, pending = false;
	char failed[400];
	struct text t = TEXT(failed);
	uint32_t n_failed = 0, first = 0;

	failed[0] = '\0';
	for (uint32_t i = 0; i < d->n; i++) {
		struct record r = desk_record(d, i);

		if (down) {
			pending |= r.face != FACE_INACTIVE && r.face != FACE_FAILED && r.face != FACE_DONE;
			continue;
		}
		if (!counts(d, i))
			continue;
		if (r.face == FACE_FAILED || table_unit(d->table, i)->load == LOAD_BAD) {
			if (n_failed++)
				text_put(&t, ", ");
			else
				first = i;
			text_put(&t, unit_name(d, i));
			continue;
		}
		if (r.ready || r.face == FACE_DONE || (r.face == FACE_INACTIVE && r.why.code == WHY_CONDITION))
			continue;
		if (r.face == FACE_INACTIVE && d->records.state->boot_ready)
			continue;
		pending = true;
	}
	if (n_failed) {
		char words[600];
		struct rpc_about about = { .unit = unit_name(d, first), .why = why_now(d, first, words, sizeof(words)) };

		call_error(j->call, RPC_FAILED, &about, "not all are ready: %s %s failed%s%s", failed, n_failed == 1 ? "has" : "have",
			   *words ? "; " : "", words);
		errand_free(d, j);
		return;
	}
	if (!pending)
		errand_done(d, j);
}

/* The record as it is now. */
static void look(struct desk *d, struct errand *j)
{
	j->again = 0;
	if (j->serial || !j->wait)
		return;
	if (j->unit >= d->n) {
		look_at_all(d, j);
		return;
	}
	struct record r = desk_record(d, j->unit);
	struct sight s = sight_of(&r);
	enum goal_end end = goal_look(&j->goal, &s);

	if (end == GOAL_MET)
		errand_done(d, j);
	else if (end == GOAL_LOST)
		lost(d, j, &s, &r.why);
	else if (j->goal.kind == GOAL_RELOADED)
		j->again = time_add(d->now, RELOAD_LOOK);
	else if (r.face == FACE_WAITING && d->now - r.since < HOPE)
		j->again = time_add(r.since, HOPE);
	else
		(void)hopeless(d, j, &r);
}

static bool errand_times(struct desk *d, struct errand *j, const json_t *params)
{
	msec_t timeout;

	if (!param_span(params, "timeout", FOREVER, &timeout)) {
		call_error(j->call, RPC_PARAMS, NULL, "timeout: this is no span of time; write seconds, or \"1min 30s\"");
		errand_free(d, j);
		return false;
	}
	j->deadline = time_add(d->now, timeout);
	return true;
}

void errand_ask(struct desk *d, struct conn *c, struct call *call, enum method_id method, struct message *m,
	     const json_t *params, const int *fds, int n_fds)
{
	struct errand *j = errand_new(d, c, call, method, m->unit);
	const json_t *wait = json_object_get(params, "wait");

	if (!j || !errand_times(d, j, params))
		return;
	j->goal.kind = goals[method];
	j->wait = goals[method] != GOAL_NONE && goals[method] != GOAL_EXEC && !json_is_false(wait);
	if (j->wait && d->stopping && goals[method] != GOAL_DOWN) {
		errand_failed(d, j, RPC_STOPPING, j->unit, "", "is not started any more: the container is stopping");
		return;
	}
	int r = desk_ask(d, m, fds, n_fds);
	if (r < 0) {
		errand_failed(d, j, RPC_BUSY, NO_UNIT, "", "PID 1 has too many requests to read; try again");
		return;
	}
	j->serial = m->serial;
}

void errand_wait(struct desk *d, struct conn *c, struct call *call, uint32_t unit, enum goal_kind kind, const json_t *params)
{
	struct errand *j = errand_new(d, c, call, M_WAIT, unit);

	if (!j || !errand_times(d, j, params))
		return;
	j->goal.kind = kind;
	j->wait = true;
	if (d->stopping && kind == GOAL_READY)
		errand_failed(d, j, RPC_STOPPING, unit, "", "will not be ready any more: the container is stopping");
	else
		look(d, j);
}

static void exec_ended(struct desk *d, struct errand *j, const struct message *m)
{
	enum step step = (enum step)((uint32_t)m->b >> 16);
	int status = m->a;
	char words[300];
	struct text t = TEXT(words);

	if (!j->call) {
		errand_free(d, j);
		return;
	}
	/* What could not be executed ends as it would in a shell. */
	if (m->b && step == STEP_EXEC)
		status = (m->b & 0xffff) == ENOENT ? 127 : 126;
	struct jout *o = call_result(j->call);

	jout_open(o, '{');
	jout_key(o, "status");
	jout_int(o, status);
	if (m->b) {
		jout_key(o, "why");
		if (step == STEP_EXEC)
			text_put(&t, "the command cannot be run: ");
		else
			text_fmt(&t, "setup step %s: ", step_word(step));
		text_put(&t, error_words(m->b & 0xffff));
		jout_text(o, words);
	}
	jout_close(o, '}');
	call_end(j->call);
	errand_free(d, j);
}

static void refused(struct desk *d, struct errand *j, const struct message *m)
{
	bool known = m->a > 0 && m->a < N_REFUSALS && refusals[m->a].words;
	const char *name = j->unit < d->n ? unit_name(d, j->unit) : NULL;
	const char *what = known ? refusals[m->a].words : error_words(m->a < 0 ? -m->a : EPROTO);
	char words[600] = "";

	if (!j->call) {
		errand_free(d, j);
		return;
	}
	if (name)
		(void)why_text(d->table, j->unit, &m->why, words, sizeof(words));
	struct rpc_about about = { .unit = name, .why = *words ? words : what };

	call_error(j->call, known ? refusals[m->a].code : RPC_FAILED, &about, "%s%s%s%s%s", name ? name : "",
		   name ? ": " : "", what, *words ? ": " : "", words);
	errand_free(d, j);
}

void errands_told(struct desk *d, const struct message *m)
{
	struct errand *j = d->errands;

	while (j && (j->serial != m->serial || m->serial == 0))
		j = j->next;
	if (!j || m->kind == TELL_EXEC_PID)
		return;
	if (m->kind == TELL_EXEC_END) {
		exec_ended(d, j, m);
		return;
	}
	if (m->a != 0) {
		refused(d, j, m);
		return;
	}
	if (j->method == M_EXEC)
		return;
	j->serial = 0;
	if (j->wait)
		look(d, j);
	else
		errand_done(d, j);
}

/* One piece of news, as the errands see it that wait for this unit. */
static void tell_errands(struct desk *d, const struct news *n)
{
	struct sight s = { .face = face_seen(n->state, n->face), .ready = n->ready, .why = n->why.code };
	struct errand *next;

	for (struct errand *j = d->errands; j; j = next) {
		next = j->next;
		if (j->unit != n->unit || !j->wait || n->seq <= j->goal.seq)
			continue;
		enum goal_end end = goal_look(&j->goal, &s);

		if (j->serial)
			continue;
		if (end == GOAL_MET)
			errand_done(d, j);
		else if (end == GOAL_LOST)
			lost(d, j, &s, &n->why);
	}
}

void errands_news(struct desk *d)
{
	struct news n;
	struct errand *next;
	int r;

	if (!d->faces && !errands_need_news(d))
		return;
	while ((r = records_news(&d->records, &d->news, &n)) != 0) {
		if (r > 0 && n.unit < d->n)
			tell_errands(d, &n);
		if (d->faces)
			logs_event(d, &n, r < 0);
	}
	for (struct errand *j = d->errands; j; j = next) {
		next = j->next;
		look(d, j);
	}
}

static void hang_up(struct desk *d, struct errand *j, int sig)
{
	struct message m = { .kind = ASK_EXEC_KILL, .unit = j->unit, .a = (int32_t)j->serial, .b = sig };
	int r = desk_ask(d, &m, NULL, 0);

	j->exec_hung_up = r == 0;
	j->deadline = time_add(d->now, r < 0 ? 100 : EXEC_MERCY);
}

static void out_of_time(struct desk *d, struct errand *j)
{
	char words[600];

	if (j->unit >= d->n) {
		call_error(j->call, RPC_TIMEOUT, NULL, "timed out: not all units have come to where they were wanted");
	} else {
		struct record r = desk_record(d, j->unit);
		struct rpc_about about = { .unit = unit_name(d, j->unit), .why = why_now(d, j->unit, words, sizeof(words)) };

		call_error(j->call, RPC_TIMEOUT, &about, "timed out: %s %s%s%s", unit_name(d, j->unit), face_phrase((enum face)r.face),
			   *words ? ": " : "", words);
	}
	errand_free(d, j);
}

msec_t errands_patience(struct desk *d)
{
	msec_t next_due = FOREVER;
	struct errand *next;

	for (struct errand *j = d->errands; j; j = next) {
		next = j->next;
		if (j->deadline <= d->now) {
			if (j->call)
				out_of_time(d, j);
			else
				hang_up(d, j, SIGKILL);
		}
	}
	for (struct errand *j = d->errands; j; j = next) {
		next = j->next;
		if (j->again && j->again <= d->now)
			look(d, j);
	}
	for (const struct errand *j = d->errands; j; j = j->next) {
		msec_t due = j->again && j->again < j->deadline ? j->again : j->deadline;

		if (due < next_due)
			next_due = due;
	}
	return next_due;
}

void errands_drop(struct desk *d, struct conn *c)
{
	struct errand *next;

	for (struct errand *j = d->errands; j; j = next) {
		next = j->next;
		if (j->conn != c)
			continue;
		if (j->call)
			call_drop(j->call);
		j->call = NULL;
		j->conn = NULL;
		if (j->method == M_EXEC && j->serial)
			hang_up(d, j, SIGHUP);
		else
			errand_free(d, j);
	}
}

bool errands_need_news(const struct desk *d)
{
	for (const struct errand *j = d->errands; j; j = j->next)
		if (j->wait)
			return true;
	return false;
}

void errands_stopping(struct desk *d)
{
	struct errand *next;

	for (struct errand *j = d->errands; j; j = next) {
		next = j->next;
		if (j->wait && j->goal.kind != GOAL_DOWN && j->goal.kind != GOAL_STOPPED)
			errand_failed(d, j, RPC_STOPPING, j->unit, "", "will not be ready any more: the container is stopping");
	}
}
