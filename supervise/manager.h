/*
 * manager.h - the set of services, and one turn of their world.
 *
 * Everything lies in arenas made at start: after that nothing is allocated.
 * Units speak to each other through a queue ("look again"), never by recursion.
 *
 *   service.c   one service: event in, table looked up, work done
 *   order.c     who may start, who may stop, who leans on whom
 *   spawn.c     processes: fork, gate, reap, and which pid is whose
 *   asks.c      what the desk asks
 *   shutdown.c  the end of everything
 *   manager.c   arenas, helpers, the turn
 */
#ifndef SUPERVISE_MANAGER_H
#define SUPERVISE_MANAGER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "conf/unit.h"
#include "health/verdict.h"
#include "supervise/child.h"
#include "supervise/loop.h"
#include "supervise/policy.h"
#include "supervise/record.h"
#include "supervise/shortcut.h"
#include "supervise/state.h"
#include "supervise/wire.h"

/* The processes of a unit that PID 1 tells apart; also what a gate belongs to. */
enum role { ROLE_MAIN, ROLE_CONTROL, ROLE_HEALTH, ROLE_CLEANER, N_UNIT_ROLES,
	    ROLE_EXEC = N_UNIT_ROLES, ROLE_HELPER, N_ROLES };

enum { TIMER_STATE, TIMER_HEALTH, TIMER_DOG, N_TIMERS };

struct process {
	pid_t pid;      /* 0: none */
	pid_t group;    /* its session and process group, until the last of it has gone; 0: none */
	int gate;       /* our end, until it was executed; -1 */
	int16_t error;  /* errno of the report */
	uint8_t step;   /* of the report, 0: none came */
	uint8_t during; /* enum svc_state in which it was started */
	uint8_t pad;    /* its launch pad, until it has left it; 0: none */
	uint8_t cut;    /* its shortcut, until it was executed; 0: none */
	bool again;     /* its shortcut led nowhere: the same start is done the long way */
};

struct service {
	struct record r;            /* the working copy of what lies in the memfd */
	struct history history;
	struct verdict verdict;
	struct timer timers[N_TIMERS];
	struct process proc[N_UNIT_ROLES];
	int log;                    /* the end of its log pipe that it writes to, -1 until first needed */
	int root;                   /* its mount namespace, -1 */
	int top;                    /* what main began with as its /, where its health check looks there; -1 */
	uint32_t probe;             /* serial of the network probe under way, 0: none */
	msec_t rest;                /* the pause that the policy computed */
	msec_t up_since;            /* when it became ready in this run, 0 not yet */
	uint8_t asked;              /* enum asked: who asked for the end */
	uint8_t ending;             /* enum ending */
	bool queued;                /* in the queue of those that look again */
	bool held;                  /* among those that wait for a shortcut */
	bool start_pending, stop_pending;
	bool ended_how;             /* `ending` is known */
	bool said_ready, stalled, dirty, settled;
	bool spread;                /* its stop has to reach those that require it */
	uint8_t spread_asked;       /* enum asked */
	bool root_used;             /* an upper layer may lie there */
	bool viewed;                /* its outside view is there */
	bool long_way;              /* a shortcut led it nowhere; none is tried again, unless after a reload */
	bool run_deferred;          /* a command waits until the one before it is reaped */
};

/* Starts in one turn: every child inherits the gates that are open, so the earlier ones are heard and closed in between. */
#define MOST_LAUNCHES 16u

/* ms that starts wait for somebody on a shortcut to be executed, which is cheaper than to fork; it takes microseconds. */
#define CROWD_WAITS 2

#define MAX_SESSIONS 64u

/* A command that an operator runs in a unit's context. */
struct session {
	struct process proc;
	uint32_t unit, serial;
	bool used;
};

#define MAX_HELPERS 20u

/* A helper: a child that runs `life` and is started again when it ends. */
struct helper {
	const char *name;
	void (*ready)(void);       /* in PID 1, each time before it is forked: what it inherits; NULL: nothing */
	int (*life)(void *manager, int sock, uint32_t which); /* in the child; returns its exit status */
	pid_t pid;
	int sock;                  /* our end of a SOCK_SEQPACKET pair, -1 */
	struct timer timer;        /* when it is started again */
	uint32_t streak;
	bool wanted, mute;         /* mute: it did not take a message; it will be rung again */
};
/* The loader comes only for a reload, by init/, and is not started again; the others are init/'s, one for each network. */
enum { HELPER_DESK, HELPER_PROBE, HELPER_LOAD, HELPER_OTHERS };

struct pids { struct { pid_t pid; uint32_t owner; } *slots; uint32_t mask; };

struct manager {
	const struct table *table;
	char *arena;               /* where services, queue, held, pids and the loop's timers lie */
	size_t arena_size;
	struct records records;
	struct service *services;  /* [n] */
	uint32_t n;
	struct loop loop;
	struct pids pids;
	uint32_t launches;         /* starts begun in this turn */
	uint32_t pads;             /* free launch pads, one bit each */
	struct shortcuts shortcuts;
	bool hurried;              /* those that wait for a shortcut have waited long enough */
	uint32_t *queue, queue_head, queue_n; /* ring of units that look again, room for all */
	uint32_t *held, held_n;    /* those that could start, and wait for a shortcut; room for all */
	uint32_t n_sessions;
	struct timer shutdown_timer, retry_timer;
	struct timer init_timer;   /* init/ wants another turn then */
	const char *runtime;
	void (*on_signal)(struct manager *m, int sig); /* what a signal to PID 1 means: init/signals.c */
	void (*on_helper)(struct manager *m, uint32_t which); /* a helper from HELPER_OTHERS on has something to say */
	msec_t now;
	uint64_t bounding;         /* our bounding set, the caller's to find out: what no unit may have is given up before the first starts */
	uint64_t nofile;           /* the soft limit of descriptors that we were given: units get it back */
	int signal_fd, notify_fd, out_fd; /* out: the container's stdout */
	int log;                   /* PID 1's own pipe to the desk, the end to write to */
	int *pipes;                /* [n + 1] the ends to read from, by unit, PID 1's own last; the desk inherits them */
	int logs_ep;               /* an epoll of them all: it keeps the order in which units spoke, whether or not a desk is there */
	uint64_t dice;             /* the row of random numbers that pauses are spread by */
	uint32_t probe_serial;
	uint32_t unsettled;        /* wanted units on their way */
	uint32_t live;             /* units with processes, or on their way */
	uint32_t first_bad;        /* exit status of the first unit that failed for good */
	bool prioritised;          /* some unit has StopPriority= */
	unit_ix online_target;     /* NO_UNIT: nobody leans on it */
	bool offline;              /* a network is to come up, and there is no default route yet */
	bool any_bad, any_ended, bell, bell_wanted, is_init, begun;
	bool machine;              /* init of a whole machine: nobody comes in from outside, and the kernel's threads answer kill(2), too */
	uint8_t rung;              /* enum rung (mount/root.h) */
	/* reload, which init/ does between two turns */
	bool reload_asked, load_ended, load_good;
	/* shutdown */
	uint8_t how;               /* enum how; HOW_NONE while running */
	int exit_code;
	msec_t budget;             /* ms for an ordered stop */
	msec_t deadline;           /* of all of it */
	uint32_t stop_signals;     /* how many came */
	enum { SWEEP_NONE, SWEEP_UNITS, SWEEP_FORCED, SWEEP_REST, SWEEP_KILL, SWEEP_OVER } sweep;
	/* last, so that what every turn writes lies on one page: a fork makes each page be copied */
	struct helper helpers[MAX_HELPERS];
	struct session sessions[MAX_SESSIONS];
};

/* ---- manager.c ---- */

/*
 * Lays out the arenas for the units of `t` and takes everything else from *m as
 * the caller set it (table, runtime, bounding, signal_fd, notify_fd, out_fd, rung, budget,
 * is_init, machine). 0 or -errno.
 */
int manager_open(struct manager *m, const struct table *t);
/* Hears on it what units say of themselves, where manager_open() had none. 0 or -errno. */
int manager_listen(struct manager *m, int notify_fd);
/* Makes PID 1's own pipe to the desk, m->log. */
void manager_log(struct manager *m);
/* Gives up for good what no unit may have: once, before the first unit starts. */
void manager_forgo(struct manager *m);
/* Starts every unit that starts by itself. */
void manager_begin(struct manager *m);
/* One turn: waits, then notify, reap, timers, descriptors, settle, bell. False when all is over: m->how and m->exit_code tell. */
bool manager_turn(struct manager *m);
/* Forks the helper `i` if it is wanted and not there. */
void manager_helper(struct manager *m, uint32_t i);
void manager_tell_desk(struct manager *m, const struct message *msg);
/* Hands it a descriptor that its next life would inherit; so a desk that has no room for the message begins that one. */
void manager_hand_desk(struct manager *m, const struct message *msg, int fd);

/* ---- asks.c ---- */

/* Reads what the desk asks, and answers. */
void asks_hear(struct manager *m);

/* ---- shutdown.c ---- */

/* Begins an ordered stop; a second time shortens it to SIGKILL. `code` is the exit status, -1: none of its own. */
void manager_shutdown(struct manager *m, enum how how, int code, const char *why);
/* ExitPolicy=all: nothing that was started is left, and nothing is to come. */
void shutdown_consider(struct manager *m);
/* Goes on to the next step when nobody is left that this one waits for. */
void shutdown_sweep(struct manager *m);
/* The time of this step is over. */
void shutdown_ring(struct manager *m);

/* ---- service.c ---- */

/* Delivers an event and whatever follows from it at once. */
void service_event(struct manager *m, uint32_t i, enum svc_event e);
/* Says why it is, or will be, where it is. */
void service_why(struct service *s, enum why_code code, int32_t a, int32_t b);
/* Its timer `which` (TIMER_*) has run out. */
void service_timer(struct manager *m, uint32_t i, uint32_t which);
/* A result of a health check. */
void service_health(struct manager *m, uint32_t i, enum health_word word, int32_t detail);
/* READY=1, WATCHDOG=1 ... as bits of supervise/notify.h. */
void service_notified(struct manager *m, uint32_t i, uint32_t bits);
/* A process of the unit was reaped. */
void service_reaped(struct manager *m, uint32_t i, enum role role, uint8_t kind, int32_t value);
/* Its gate has something to say: a report, a root, or the end. */
void service_gate(struct manager *m, uint32_t i, enum role role);
/* The other end of its gate is closed, or nobody is left who could say anything there. */
void service_gate_over(struct manager *m, uint32_t i, enum role role);
/* Writes the record if it changed, and the news if others can see the change. */
void service_commit(struct manager *m, uint32_t i);
/* Keeps the count of units that are on their way; after `wanted` changed. */
void service_count(struct manager *m, uint32_t i);
/* Exit status of the container that stands for how this unit ended. */
int service_status(const struct service *s);

/* ---- order.c ---- */

void order_start(struct manager *m, uint32_t i, bool by_hand);
/* Stops it, after what comes down with it; `asked` says who wants that. By hand and for a restart, what requires it goes too. */
void order_stop(struct manager *m, uint32_t i, enum asked asked);
/* In the queue: it looks again at what it waits for. */
void order_look(struct manager *m, uint32_t i);
/* Those that lean on it and those it leans on look again. */
void order_tell(struct manager *m, uint32_t i);
/* Works the queue until nothing moves, or MOST_LAUNCHES were begun: then the next turn goes on. */
void order_settle(struct manager *m);
/* A default route is there, or none is to come; or there is one to come, and it is not there (any more). */
void order_online(struct manager *m, bool online);
/* Its dependents may count on it. */
bool order_satisfied(const struct manager *m, uint32_t i);

/* ---- spawn.c ---- */

/* Forks `command` (word index) of the unit as `role`; 0, or -errno when there is no process. */
int spawn_unit(struct manager *m, uint32_t i, enum role role, enum phase phase, uint32_t command);
/* Log pipe i of m->pipes, made where *write_end is -1: both ends block, until the desk takes the one to read from. 0 or -errno. */
int spawn_log(struct manager *m, uint32_t i, int *write_end);
/* An operator's command in the unit's context; descriptors stay the caller's. 0 or -errno. */
int spawn_session(struct manager *m, struct session *x, const int fds[4], uint32_t flags);
/* A child that removes the upper layer of a unit that came to rest. */
int spawn_cleaner(struct manager *m, uint32_t i);
/* Signals everybody that is left under us but the helpers. */
void spawn_sweeper(struct manager *m, int sig);
/* Signals a process and its group, wherever it is in its setup. */
void process_kill(struct process *p, int sig);
/* The last of its group has gone (and its group is forgotten then). */
bool process_empty(struct process *p);
void process_close_gate(struct manager *m, struct process *p);
/* It shares our descriptors no longer: it has left, or is dead. */
void process_left(struct manager *m, struct process *p);
/* What an operator's command has to say at its gate. */
void session_gate(struct manager *m, uint32_t k);
/* Collects everybody who ended. */
void spawn_reap(struct manager *m);
/* Who a pid is: role and index; false for strangers. */
bool pids_find(const struct pids *p, pid_t pid, enum role *role, uint32_t *index);
void pids_put(struct pids *p, pid_t pid, enum role role, uint32_t index);
void pids_drop(struct pids *p, pid_t pid);

/* Kinds of sources in the loop. */
enum source { SOURCE_SIGNALS = 1, SOURCE_NOTIFY, SOURCE_GATE, SOURCE_SESSION, SOURCE_HELPER };
#define TIMER_ID(unit, which) ((unit) << 2 | (which))
#define TIMER_MANAGER 3u

#endif
