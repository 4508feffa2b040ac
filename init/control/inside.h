/* inside.h - what the files of the desk share: the desk, its connections, and the calls that wait for something. */
#ifndef INIT_CONTROL_INSIDE_H
#define INIT_CONTROL_INSIDE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "init/control/desk.h"
#include "init/control/goal.h"
#include "init/control/methods.h"
#include "init/control/pump.h"
#include "init/control/rpc.h"
#include "supervise/record.h"
#include "supervise/wire.h"

#define MAX_CONNS    64u
#define MAX_FOLLOWED 64u             /* units that one connection follows by name */
#define HALF_TIME    ((msec_t)30000) /* for a request that was begun, and for answers that are not read */
#define QUEUE_PAUSE  (256u << 10)    /* bytes not yet read by a client: no more requests of it are taken, followers lose lines */

struct desk;

struct conn {
	struct desk *desk;
	int fd;
	uid_t uid;
	uint32_t watched; /* epoll events */
	bool skipping;    /* the rest of a line that was too long */
	bool eof;         /* it will not ask again, but may still listen */
	char *in;
	uint32_t in_len, in_size;
	struct buf out;
	struct rpc rpc;
	msec_t half;        /* when the half-sent request began; 0 none */
	msec_t stuck;       /* since when answers are not read; 0 they are */
	int fds[3];         /* came along, for exec */
	int n_fds;
	/* subscriptions */
	bool events, follow_all;
	uint32_t *followed, n_followed;
	uint64_t lost_lines, lost_events;
};

/* A call that PID 1, or time, will answer. */
struct errand {
	struct errand *next;
	struct call *call;   /* NULL: its connection has gone (exec only) */
	struct conn *conn;
	struct goal goal;
	uint32_t serial;     /* of the ask that PID 1 has not answered; 0 none */
	enum method_id method;
	uint32_t unit;       /* NO_UNIT: all */
	msec_t deadline;
	msec_t again;        /* when it wants to be looked at again without news; 0: not */
	bool wait;           /* for the goal, once PID 1 has accepted */
	bool exec_hung_up;   /* SIGHUP was sent; SIGKILL is next */
};

struct desk {
	const struct desk_setup *setup;
	const struct table *table;
	struct records records;
	struct pump pump;
	struct conn *conns[MAX_CONNS];
	struct errand *errands;
	uint8_t *faces;      /* [n] as last told to subscribers; NULL while there are none */
	uint64_t news;       /* seq up to which the ring was read */
	msec_t now;
	int ep, pid1, listener, null; /* null: /dev/null, for those who bring no descriptors */
	gid_t group;         /* of ControlGroup= */
	bool has_group;
	uid_t own;                /* who PID 1 is */
	uint32_t n, n_conns, serial;
	uint32_t silent;     /* pipes in a row that were told of, and had nothing */
	bool bell;           /* PID 1 was asked to ring */
	bool stopping, over;
	bool out_watched;
};

enum source { FROM_PID1 = 1, FROM_LISTENER, FROM_LOGS, FROM_CONN, TO_STDOUT };

/* ---- desk.c ---- */

/* Sends one message to PID 1; 0 or -errno. Serial 0 makes one, *serial says which. */
int desk_ask(struct desk *d, struct message *m, const int *fds, int n_fds);
void desk_watch(struct desk *d, int op, int fd, uint32_t events, enum source kind, uint32_t index);
/* Asks for the bell, or to leave it, as errands and subscribers need it. */
void desk_bell(struct desk *d);
/* The record of a unit, all zero where it cannot be read. */
struct record desk_record(const struct desk *d, uint32_t i);
/* CLOCK_BOOTTIME to ms since 1970; -1 for 0, which is "never". */
int64_t desk_wall(const struct desk *d, msec_t at);

/* ---- server.c ---- */

/* Looks up ControlGroup=, while files may still be opened. */
void server_prepare(struct desk *d);
void server_accept(struct desk *d);
void server_ready(struct desk *d, uint32_t i, uint32_t events);
/* Writes what the connections have for their clients; takes requests that had to wait (then true); closes who is done. */
bool server_settle(struct desk *d);
/* When somebody's patience ends next; closes those whose has ended. */
msec_t server_patience(struct desk *d);

/* ---- calls.c ---- */

/* rpc.run */
void calls_run(struct call *c, size_t method, const json_t *params);

/* ---- errands.c ---- */

/* Ask PID 1, then wait for the goal. The call is the errand's from here on; *fds go along. */
void errand_ask(struct desk *d, struct conn *c, struct call *call, enum method_id method, struct message *m,
	     const json_t *params, const int *fds, int n_fds);
/* wait{}: nothing is asked of PID 1. */
void errand_wait(struct desk *d, struct conn *c, struct call *call, uint32_t unit, enum goal_kind kind, const json_t *params);
/* A message of PID 1 that answers a errand. */
void errands_told(struct desk *d, const struct message *m);
/* News has come: errands are looked at, subscribers told. */
void errands_news(struct desk *d);
/* Deadlines. When the next one is. */
msec_t errands_patience(struct desk *d);
/* The connection goes. */
void errands_drop(struct desk *d, struct conn *c);
/* Somebody waits for something that news will tell. */
bool errands_need_news(const struct desk *d);
/* The container goes down: nobody waits for readiness any longer. */
void errands_stopping(struct desk *d);

/* ---- answers.c ---- */

/* Result of status; NO_UNIT: all. */
void answer_status(struct desk *d, struct call *c, uint32_t unit);
void answer_graph(struct desk *d, struct call *c);
/* ms of a PARAM_SPAN, or `otherwise` where it is not given; false where its text is no span. */
bool param_span(const json_t *params, const char *name, msec_t otherwise, msec_t *ret);

/* ---- logs.c ---- */

/* Makes the connection one that is told of events. */
void logs_subscribe(struct desk *d, struct conn *c);
/* One who was told has gone. */
void logs_unsubscribe(struct desk *d);
void answer_logs(struct desk *d, struct conn *c, struct call *call, uint32_t unit, const json_t *params);
/* pump.logged: a line is whole; followers are told. */
void logs_line(void *desk, uint32_t i, const struct entry *e, const char *text);
/* A piece of news for subscribers; lost: instead of it, some were lost. */
void logs_event(struct desk *d, const struct news *n, bool lost);

/* ---- exec.c ---- */

void exec_begin(struct desk *d, struct conn *c, struct call *call, uint32_t unit, const json_t *params);

/* ---- guard.c ---- */

/* Closes all descriptors but the desk's, and gives up privileges, core dumps, and system calls that a desk does not make. */
void desk_guard(const int *keep, uint32_t n);

#endif
