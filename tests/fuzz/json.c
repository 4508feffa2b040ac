/* json.c - feeds lines of bytes to JSON-RPC as the desk does: every answer is JSON of the right shape, every call ends once. */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "init/control/logline.h"
#include "init/control/methods.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A contract that does not hold ends the program, which every runner of a fuzz target notices. */
static void must(bool holds)
{
	if (!holds)
		abort();
}

#define MOST_LATER 512

/* The backend: some calls are answered at once, some later, some never. */
static struct call *later[MOST_LATER];
static size_t n_later, n_run, n_heard;

static bool right_type(const json_t *v, enum param_type type)
{
	switch (type) {
	case PARAM_TEXT:
		return json_is_string(v);
	case PARAM_INT:
		return json_is_integer(v);
	case PARAM_BOOL:
		return json_is_boolean(v);
	case PARAM_SPAN:
		return json_is_string(v) || json_is_number(v);
	case PARAM_SIGNAL:
		return json_is_string(v) || json_is_integer(v);
	case PARAM_TEXTS:
		return json_is_array(v);
	case PARAM_MAP:
		return json_is_object(v);
	default:
		return false;
	}
}

static void answer(struct call *c, size_t how)
{
	if (how % 3 == 0) {
		call_error(c, RPC_FAILED, &(struct rpc_about){ .unit = "a\"b\xff", .why = "\n" }, "%s", "no \033 luck");
		return;
	}
	struct jout *j = call_result(c);

	jout_open(j, '{');
	jout_key(j, "text");
	jout_bytes(j, "x\0\xfe", 3);
	jout_close(j, '}');
	call_end(c);
}

static void run(struct call *c, size_t i, const json_t *params)
{
	const struct method *m = &methods[i];
	size_t known = 0;

	must(i < N_METHODS && json_is_object(params));
	for (size_t k = 0; k < MAX_PARAMS && m->params[k].name; k++) {
		const json_t *v = json_object_get(params, m->params[k].name);

		must(v || !m->params[k].needed);
		must(!v || right_type(v, (enum param_type)m->params[k].type));
		known += v != NULL;
	}
	must(known == json_object_size(params));
	must(m->right <= call_rpc(c)->right);
	n_run++;
	n_heard += !call_is_notification(c);
	if (n_run % 2 && n_later < MOST_LATER)
		later[n_later++] = c;
	else
		answer(c, n_run);
}

static size_t look_at_answer(const json_t *a)
{
	bool result = json_object_get(a, "result"), error = json_object_get(a, "error");

	must(json_is_object(a) && result != error && json_object_get(a, "id"));
	must(json_is_string(json_object_get(a, "jsonrpc")));
	if (error) {
		json_int_t code = json_integer_value(json_object_get(json_object_get(a, "error"), "code"));
		int status = rpc_exit_status(code);

		must(code <= -32000 && status >= 1 && status <= 6);
	}
	return 1;
}

/* Every line is an answer or an array of answers. How many answers there are. */
static size_t look_at_answers(const struct buf *out)
{
	size_t n = 0;

	for (size_t at = 0; at < out->len;) {
		const char *eol = memchr(out->at + at, '\n', out->len - at);
		json_error_t e;

		must(eol != NULL);
		json_t *a = json_loadb(out->at + at, (size_t)(eol - (out->at + at)), JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &e);
		const json_t *one;
		size_t i;

		must(a != NULL);
		if (json_is_array(a)) {
			must(json_array_size(a) > 0);
			json_array_foreach(a, i, one)
				n += look_at_answer(one);
		} else {
			n += look_at_answer(a);
		}
		json_decref(a);
		at = (size_t)(eol - out->at) + 1;
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out = { .most = 8u << 20 }, shown = { .most = 8u << 20 };
	struct rpc r = {
		.methods = methods, .n_methods = N_METHODS, .right = size % 3 ? RIGHT_ALL : RIGHT_READ, .out = &out, .run = run,
	};
	const char *text = (const char *)data;

	n_later = n_run = n_heard = 0;
	for (size_t at = 0; at < size && size <= RPC_LINE;) {
		const char *eol = memchr(text + at, '\n', size - at);
		size_t n = eol ? (size_t)(eol - (text + at)) : size - at;
		/* Exactly as large as it is, so that reading beyond it is seen. */
		char *line = malloc(n + 1);

		must(line != NULL);
		memcpy(line, text + at, n);
		line[n] = '\n';
		rpc_line(&r, line, n);
		free(line);
		at += n + 1;
	}
	must(r.open == n_later);
	bool drop = size % 5 == 0;
	while (n_later) {
		struct call *c = later[--n_later];

		if (drop)
			call_drop(c);
		else
			answer(c, n_later);
	}
	must(r.open == 0 && !out.broken);
	size_t answers = look_at_answers(&out);

	/* Who was run and wants to hear is answered, unless dropped; more answers are refusals. */
	must(drop || answers >= n_heard);
	/* Whatever it was, it can be shown: on one line, without anything that a terminal obeys. */
	line_shown(&shown, text, size < RPC_LINE ? size : RPC_LINE);
	for (size_t i = 0; i < shown.len; i++)
		must((unsigned char)shown.at[i] >= 0x20 || shown.at[i] == '\t');
	buf_free(&shown);
	buf_free(&out);
	return 0;
}

#ifdef FUZZ_SWEEP
#include "tests/fuzz/sweep.h"
#endif
