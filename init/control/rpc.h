/*
 * rpc.h - JSON-RPC 2.0 (jsonrpc.org/specification) over lines: one line in, calls out, answers in any order.
 *
 * This part knows no descriptors and no methods' meaning. The owner of a
 * connection hands in whole lines; each request that is sound and permitted is
 * run, and sooner or later ended, once, by call_end() or call_error().
 */
#ifndef INIT_CONTROL_RPC_H
#define INIT_CONTROL_RPC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "init/control/json.h"

#define RPC_LINE   (64u << 10) /* bytes of one line without its end */
#define RPC_DEPTH  16u         /* brackets within brackets, the outermost counted */
#define RPC_BATCH  64u         /* requests in one array */
#define RPC_OPEN   64u         /* calls of one connection that are not yet answered */
#define RPC_ID     256u        /* bytes of an id */
#define RPC_ANSWER (64u << 20) /* bytes of one answer */

/* Codes from -32000 down are ours; each has an exit status of the command line. */
enum {
	RPC_PARSE = -32700, RPC_INVALID = -32600, RPC_NO_METHOD = -32601, RPC_PARAMS = -32602, RPC_INTERNAL = -32603,
	RPC_FAILED = -32000, RPC_NO_UNIT = -32001, RPC_NOT_READY = -32002, RPC_TIMEOUT = -32003, RPC_DENIED = -32004,
	RPC_BUSY = -32005, RPC_STOPPING = -32006,
};
/* A code's exit status for the command line; 1 for a code that is not in the table. */
int rpc_exit_status(int64_t code);

/* The rows of the table of codes, for whoever writes the manual; false behind the last one. */
bool rpc_code(size_t i, int *ret_code, const char **ret_words);

enum right { RIGHT_READ, RIGHT_ALL };

enum param_type { PARAM_TEXT, PARAM_INT, PARAM_BOOL, PARAM_SPAN, PARAM_SIGNAL, PARAM_TEXTS, PARAM_MAP, N_PARAM_TYPES };
/* "a string" */
const char *rpc_type_words(enum param_type type);
#define MAX_PARAMS 8
struct param { const char *name; uint8_t type; bool needed; };

struct method {
	const char *name;
	enum right right;
	struct param params[MAX_PARAMS]; /* up to one without a name */
	const char *brief;
};

struct call;

/* One connection as this part sees it. */
struct rpc {
	const struct method *methods;
	size_t n_methods;
	enum right right;
	struct buf *out;       /* answers go there, each with its newline */
	void *owner;
	/* Runs methods[i]; `params` is an object (borrowed) whose members are known and of the right type. */
	void (*run)(struct call *c, size_t i, const json_t *params);
	uint32_t open;         /* calls not yet ended */
};

/* Takes one line without its newline. Whatever it holds, the answer is JSON. */
void rpc_line(struct rpc *r, const char *line, size_t n);
/* The answer for a line that was too long to be taken. */
void rpc_too_long(struct rpc *r);
/* The answer for one who may not stay: to be sent before closing. */
void rpc_refuse(struct buf *out, int code, const char *message);

struct rpc *call_rpc(const struct call *c);
/* Nobody waits for an answer. */
bool call_is_notification(const struct call *c);

/* Begins the answer and returns the writer for the result, of which exactly one value must be written before call_end(). */
struct jout *call_result(struct call *c);
void call_end(struct call *c);
/* What is known of an error beside code and message; NULL: left out. */
struct rpc_about { const char *unit, *why, *nearest; };
void call_error(struct call *c, int code, const struct rpc_about *about, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The connection is going: the call ends without an answer. */
void call_drop(struct call *c);

/* A notification: begins it and returns the writer for its params, one value; rpc_notify_end() ends it. */
struct jout rpc_notify(struct buf *out, const char *method);
void rpc_notify_end(struct jout *j);

#endif
