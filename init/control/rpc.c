/* rpc.c - requests looked at from outside in: size, depth, JSON, shape, method, right, parameters. */
#include "init/control/rpc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/kit/text.h"

/* The answers to an array: held back until the last one is there. */
struct batch {
	struct buf out;
	struct rpc *rpc;
	uint32_t left, answers;
};

struct call {
	struct rpc *rpc;
	struct batch *batch;  /* NULL: a request by itself */
	char *id;             /* as JSON; NULL: a notification */
	struct buf *to;
	size_t from;          /* where its answer begins in `to` */
	struct jout j;
	bool begun;
};

/* The one table of codes: what they are called and what the command line makes of them. */
static const struct { int code, status; const char *words; } codes[] = {
	{ RPC_PARSE, 1, "parse error" },
	{ RPC_INVALID, 1, "invalid request" },
	{ RPC_NO_METHOD, 2, "no such method" },
	{ RPC_PARAMS, 2, "invalid parameters" },
	{ RPC_INTERNAL, 1, "internal error" },
	{ RPC_FAILED, 1, "failed" },
	{ RPC_NO_UNIT, 3, "no such unit" },
	{ RPC_NOT_READY, 4, "not running or not ready" },
	{ RPC_TIMEOUT, 5, "timed out" },
	{ RPC_DENIED, 1, "not permitted" },
	{ RPC_BUSY, 1, "too much at once" },
	{ RPC_STOPPING, 1, "the container is stopping" },
};

static const char *const type_words[N_PARAM_TYPES] = {
	[PARAM_TEXT] = "a string", [PARAM_INT] = "a whole number", [PARAM_BOOL] = "true or false",
	[PARAM_SPAN] = "seconds, or a string such as \"1min 30s\"", [PARAM_SIGNAL] = "a signal's name or number",
	[PARAM_TEXTS] = "an array of strings", [PARAM_MAP] = "an object of strings",
};

int rpc_exit_status(int64_t code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (codes[i].code == code)
			return codes[i].status;
	return 1;
}

bool rpc_code(size_t i, int *ret_code, const char **ret_words)
{
	if (i >= sizeof(codes) / sizeof(*codes))
		return false;
	*ret_code = codes[i].code;
	*ret_words = codes[i].words;
	return true;
}

const char *rpc_type_words(enum param_type type)
{
	return type_words[type];
}

static void put_error(struct jout *j, const char *id, int code, const struct rpc_about *about, const char *message)
{
	jout_open(j, '{');
	jout_key(j, "jsonrpc");
	jout_text(j, "2.0");
	jout_key(j, "id");
	jout_raw(j, id, strlen(id));
	jout_key(j, "error");
	jout_open(j, '{');
	jout_key(j, "code");
	jout_int(j, code);
	jout_key(j, "message");
	jout_text(j, message);
	if (about && (about->unit || about->why || about->nearest)) {
		const struct { const char *key, *value; } data[] = {
			{ "unit", about->unit }, { "why", about->why }, { "nearest", about->nearest },
		};

		jout_key(j, "data");
		jout_open(j, '{');
		for (size_t i = 0; i < 3; i++) {
			if (!data[i].value)
				continue;
			jout_key(j, data[i].key);
			jout_text(j, data[i].value);
		}
		jout_close(j, '}');
	}
	jout_close(j, '}');
	jout_close(j, '}');
}

void rpc_refuse(struct buf *out, int code, const char *message)
{
	struct jout j = { .to = out };

	put_error(&j, "null", code, NULL, message);
	buf_put(out, "\n", 1);
}

static void batch_done(struct batch *b)
{
	struct rpc *r = b->rpc;

	if (b->answers) {
		buf_put(&b->out, "]\n", 2);
		size_t before = r->out->len;

		buf_put(r->out, b->out.at, b->out.len);
		if (b->out.broken || r->out->broken) {
			buf_cut(r->out, before);
			rpc_refuse(r->out, RPC_INTERNAL, "the answers are too long together; ask one at a time");
		}
	}
	buf_free(&b->out);
	free(b);
}

/* The call is answered, or will not be. */
static void call_free(struct call *c)
{
	struct batch *b = c->batch;

	c->rpc->open--;
	free(c->id);
	free(c);
	if (b && --b->left == 0)
		batch_done(b);
}

static void answer_begin(struct call *c)
{
	c->to = !c->id ? NULL : c->batch ? &c->batch->out : c->rpc->out;
	c->j = (struct jout){ .to = c->to };
	if (!c->to)
		return;
	c->from = c->to->len;
	if (c->batch)
		buf_put(c->to, c->batch->answers++ ? "," : "[", 1);
}

static void answer_end(struct call *c)
{
	if (c->to && !c->batch)
		buf_put(c->to, "\n", 1);
	if (c->to && c->to->broken) {
		buf_cut(c->to, c->from);
		if (c->batch)
			buf_put(c->to, c->batch->answers > 1 ? "," : "[", 1);
		c->j.comma = false;
		put_error(&c->j, c->id, RPC_INTERNAL, NULL, "the answer is too long");
		if (!c->batch)
			buf_put(c->to, "\n", 1);
	}
	call_free(c);
}

struct rpc *call_rpc(const struct call *c)
{
	return c->rpc;
}

bool call_is_notification(const struct call *c)
{
	return !c->id;
}

struct jout *call_result(struct call *c)
{
	answer_begin(c);
	jout_open(&c->j, '{');
	jout_key(&c->j, "jsonrpc");
	jout_text(&c->j, "2.0");
	jout_key(&c->j, "id");
	jout_raw(&c->j, c->id ? c->id : "null", c->id ? strlen(c->id) : 4);
	jout_key(&c->j, "result");
	return &c->j;
}

void call_end(struct call *c)
{
	jout_close(&c->j, '}');
	answer_end(c);
}

void call_error(struct call *c, int code, const struct rpc_about *about, const char *fmt, ...)
{
	char message[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	answer_begin(c);
	put_error(&c->j, c->id ? c->id : "null", code, about, message);
	answer_end(c);
}

void call_drop(struct call *c)
{
	call_free(c);
}

struct jout rpc_notify(struct buf *out, const char *method)
{
	struct jout j = { .to = out };

	jout_open(&j, '{');
	jout_key(&j, "jsonrpc");
	jout_text(&j, "2.0");
	jout_key(&j, "method");
	jout_text(&j, method);
	jout_key(&j, "params");
	return j;
}

void rpc_notify_end(struct jout *j)
{
	jout_close(j, '}');
	buf_put(j->to, "\n", 1);
}

static bool texts_only(const json_t *v)
{
	const json_t *item;
	const char *key;
	size_t i;

	json_array_foreach(v, i, item) {
		if (!json_is_string(item))
			return false;
	}
	json_object_foreach((json_t *)(uintptr_t)v, key, item) {
		if (!json_is_string(item))
			return false;
	}
	return true;
}

static bool fits(const json_t *v, enum param_type type)
{
	switch (type) {
	case PARAM_TEXT:
		return json_is_string(v);
	case PARAM_INT:
		return json_is_integer(v);
	case PARAM_BOOL:
		return json_is_boolean(v);
	case PARAM_SPAN:
		return json_is_string(v) || (json_is_number(v) && json_number_value(v) >= 0);
	case PARAM_SIGNAL:
		return json_is_string(v) || json_is_integer(v);
	case PARAM_TEXTS:
		return json_is_array(v) && texts_only(v);
	case PARAM_MAP:
		return json_is_object(v) && texts_only(v);
	default:
		return false;
	}
}

struct names { const struct method *m; size_t n, i; const struct param *params; };

static const char *next_method(void *self)
{
	struct names *at = self;

	return at->i < at->n ? at->m[at->i++].name : NULL;
}

static const char *next_param(void *self)
{
	struct names *at = self;

	return at->i < MAX_PARAMS ? at->params[at->i++].name : NULL;
}

static const struct param *find_param(const struct method *m, const char *name)
{
	for (size_t i = 0; i < MAX_PARAMS && m->params[i].name; i++)
		if (!strcmp(m->params[i].name, name))
			return &m->params[i];
	return NULL;
}

/* Looks at the parameters; where they are wrong the call is ended, and false. */
static bool params_sound(struct call *c, const struct method *m, const json_t *params)
{
	const json_t *value;
	const char *key;

	json_object_foreach((json_t *)(uintptr_t)params, key, value) {
		const struct param *p = find_param(m, key);

		if (!p) {
			struct names at = { .params = m->params };
			const char *nearest = text_nearest(key, next_param, &at);

			call_error(c, RPC_PARAMS, &(struct rpc_about){ .nearest = nearest }, "%s has no parameter \"%.64s\"%s%s%s",
				   m->name, key, nearest ? "; did you mean \"" : "", nearest ? nearest : "",
				   nearest ? "\"?" : "");
			return false;
		}
		if (!fits(value, p->type)) {
			call_error(c, RPC_PARAMS, NULL, "parameter \"%s\" of %s must be %s", key, m->name,
				   type_words[p->type]);
			return false;
		}
	}
	for (size_t i = 0; i < MAX_PARAMS && m->params[i].name; i++) {
		if (m->params[i].needed && !json_object_get(params, m->params[i].name)) {
			call_error(c, RPC_PARAMS, NULL, "%s needs the parameter \"%s\", %s", m->name, m->params[i].name,
				   type_words[m->params[i].type]);
			return false;
		}
	}
	return true;
}

static void call_run(struct call *c, const char *name, const json_t *params)
{
	const struct rpc *r = c->rpc;
	size_t i = 0;

	while (i < r->n_methods && strcmp(r->methods[i].name, name) != 0)
		i++;
	if (i == r->n_methods) {
		struct names at = { .m = r->methods, .n = r->n_methods };
		const char *nearest = text_nearest(name, next_method, &at);

		call_error(c, RPC_NO_METHOD, &(struct rpc_about){ .nearest = nearest }, "there is no method \"%.64s\"%s%s%s",
			   name, nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
		return;
	}
	if (r->methods[i].right > r->right) {
		call_error(c, RPC_DENIED, NULL, "%s is for root; the control group may only read", name);
		return;
	}
	if (r->open > RPC_OPEN) {
		call_error(c, RPC_BUSY, NULL, "%u calls of this connection are still open; wait for their answers", RPC_OPEN);
		return;
	}
	if (json_is_array(params) && json_array_size(params) > 0) {
		call_error(c, RPC_PARAMS, NULL, "parameters go by name here: write \"params\":{...}");
		return;
	}
	json_t *none = json_is_object(params) ? NULL : json_object();
	const json_t *given = none ? none : params;

	if (params_sound(c, &r->methods[i], given))
		r->run(c, i, given);
	json_decref(none);
}

static const char invalid[] = "a request is an object with \"jsonrpc\":\"2.0\", \"method\", \"params\" (an object) and \"id\" "
			      "(a string or number)";

/* One request, by itself or out of an array. */
static void request(struct rpc *r, struct batch *b, json_t *q)
{
	const json_t *id = json_object_get(q, "id"), *method = json_object_get(q, "method");
	const json_t *params = json_object_get(q, "params");
	const char *version = json_string_value(json_object_get(q, "jsonrpc"));
	bool sound = json_is_object(q) && version && !strcmp(version, "2.0") && json_is_string(method) &&
		     (!params || json_is_object(params) || json_is_array(params));
	struct call *c = calloc(1, sizeof(*c));

	if (!c)
		return;
	c->rpc = r;
	c->batch = b;
	r->open++;
	if (b)
		b->left++;
	if (id) {
		if (json_is_string(id) || json_is_number(id) || json_is_null(id))
			c->id = json_dumps(id, JSON_COMPACT | JSON_ENCODE_ANY);
		if (!c->id || strlen(c->id) > RPC_ID) {
			sound = false;
			free(c->id);
			c->id = NULL;
		}
	}
	if (!sound) {
		/* Who cannot write a request may not mean a notification by leaving out the id. */
		if (!c->id)
			c->id = strdup("null");
		call_error(c, RPC_INVALID, NULL, "%s", invalid);
		return;
	}
	call_run(c, json_string_value(method), params);
}

static void batch(struct rpc *r, json_t *all)
{
	size_t n = json_array_size(all);
	struct batch *b = n && n <= RPC_BATCH ? calloc(1, sizeof(*b)) : NULL;

	if (!b) {
		rpc_refuse(r->out, RPC_INVALID, n ? "an array may hold 64 requests" : "an empty array asks nothing");
		return;
	}
	/* It counts itself, so that it cannot be complete before the last request was looked at. */
	*b = (struct batch){ .rpc = r, .left = 1, .out.most = RPC_ANSWER };
	for (size_t i = 0; i < n; i++)
		request(r, b, json_array_get(all, i));
	if (--b->left == 0)
		batch_done(b);
}

void rpc_too_long(struct rpc *r)
{
	rpc_refuse(r->out, RPC_INVALID, "a request may have 65,536 bytes; all up to the next newline is skipped");
}

void rpc_line(struct rpc *r, const char *line, size_t n)
{
	json_error_t e;
	char words[JSON_ERROR_TEXT_LENGTH + 64];

	while (n && (line[n - 1] == '\r' || line[n - 1] == ' ' || line[n - 1] == '\t'))
		n--;
	if (n == 0)
		return;
	if (n > RPC_LINE) {
		rpc_too_long(r);
		return;
	}
	int shape = json_shape(line, n, RPC_DEPTH);
	if (shape < 0) {
		rpc_refuse(r->out, shape == -E2BIG ? RPC_INVALID : RPC_PARSE,
			   shape == -E2BIG ? "brackets nest deeper than 16 levels" : "there is a NUL byte in it");
		return;
	}
	/* The standard's duplicate-key latitude is how two readers come to see two requests: refused (RFC 8259 section 4). */
	json_t *q = json_loadb(line, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
	if (!q) {
		(void)snprintf(words, sizeof(words), "this is not JSON, at byte %d: %s", e.position, e.text);
		rpc_refuse(r->out, json_error_code(&e) == json_error_duplicate_key ? RPC_INVALID : RPC_PARSE, words);
		return;
	}
	if (json_is_array(q))
		batch(r, q);
	else
		request(r, NULL, q);
	json_decref(q);
}
