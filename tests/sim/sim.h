/*
 * sim.h - the fake world under the real manager: its clock, processes, descriptors, and who judges it.
 *
 * Nothing here sleeps or forks: time is a number, processes are scripts that the
 * seed wrote, and every system call of conf/kit/sys.h is answered from tables.
 * Whatever happens follows from the seed alone, so a failure can be replayed.
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/unit.h"
#include "supervise/manager.h"

#define MAX_SIM_UNITS 12u
#define MAX_BEINGS    400u
#define FIRST_PID     2    /* of a small space, so that pids come back soon */
#define MAX_FDS       600
#define FIRST_FD      100
#define MAX_POST      24u  /* messages that wait in one direction of a pair */
#define MAX_LETTER    160u /* bytes of one */

/* ---- chance ---- */

uint32_t roll(uint32_t n);           /* 0..n-1 */
bool chance(uint32_t thousandth);
msec_t some_time(msec_t most);       /* 0..most, small ones as likely as large ones */

/* ---- descriptors (fds.c) ---- */

enum fd_kind { FD_FREE, FD_NEAR, FD_FAR, FD_PIPE, FD_EPOLL, FD_SIGNAL, FD_NOTIFY, FD_ROOT, FD_TOP, FD_OTHER, N_FD_KINDS };

struct letter { uint8_t bytes[MAX_LETTER]; uint32_t size; int kinds[4]; int n_fds; };
struct post { struct letter letters[MAX_POST]; uint32_t first, n; };

/* A SOCK_SEQPACKET pair: the near end is the manager's, the far end a child's. */
struct pair {
	struct post to_near, to_far;
	uint32_t far_holders; /* the manager itself and children that hold the far end */
	bool used, near_open;
};

struct sim_fd { enum fd_kind kind; int pair; bool watched; uint64_t data; };

void fds_reset(void);
int fd_new(enum fd_kind kind, int pair);
uint32_t fd_count(enum fd_kind kind);
bool fd_is(int fd, enum fd_kind kind);
/* What an epoll tells of it; UINT64_MAX: none watches it. */
uint64_t fd_watched_as(int fd);
/* Far ends that lie on launch pads. */
uint32_t pads_with_far(void);
/* The pair that a child forked now would hold the far end of, or -1. */
int pair_of_fork(void);
void pair_let_go(int pair);
/* The other side speaks; false where there is no room. `kinds` are those of descriptors that come along. */
bool pair_speak(int pair, const void *from, size_t n, const int *kinds, int n_kinds);
bool pair_hear(int pair, void *into, size_t size, size_t *got);
bool pair_near_open(int pair);
void notify_send(pid_t from, const char *text, size_t n);
void signal_send(int sig);

/* ---- processes (beings.c) ---- */

enum being_state { B_NONE, B_GATE, B_SETUP, B_RUNS, B_ZOMBIE };

/* What a script does next. */
enum deed { D_LEAVE, D_SETSID, D_ROOT, D_REPORT, D_EXEC, D_CHILD, D_READY, D_BEAT, D_EXIT, D_DIE, N_DEEDS };

struct being {
	pid_t pid, parent, group, session; /* parent 1: ours; group 1: still ours, before setsid */
	enum being_state state;
	int pair;               /* whose far end it holds, -1 */
	bool shares;            /* has our descriptors, until it leaves its pad */
	uint64_t showed;        /* the turn after which it has sent its /, and that is one; 0: not */
	bool known;             /* registered with the manager when the gate opened, or a helper */
	bool stranger;          /* nobody registered it: handed to us, or a sweeper */
	bool stopped, immune;   /* immune: hangs in the kernel, SIGKILL works late or never */
	bool deaf, hinted;      /* ignores TERM; was told to go all the same */
	bool mute;              /* a helper that takes nothing */
	bool swept;             /* a sweeper that signals everybody when it runs */
	int sweep_signal;
	enum role role;
	uint32_t index;         /* unit, session or helper */
	uint8_t during;         /* enum svc_state at its fork */
	enum phase phase;
	msec_t at[N_DEEDS];
	msec_t born, beat;
	struct report report;
	int exit_kind, exit_value, end_kind, end_value;
	msec_t slow;            /* how long it takes to go after TERM */
	uint64_t origin;        /* the fork it descends from */
};

extern struct being beings[MAX_BEINGS];
extern uint32_t most_beings; /* none lies behind it */

void beings_reset(void);
struct being *being_of(pid_t pid);
/* When the next script has something to do. */
msec_t beings_next(void);
/* Does everything that is due. */
void beings_act(void);
/* The gate was opened: the child goes on. */
void being_gate(int pair);
void beings_frozen(msec_t span);
/* From now on everybody behaves: what hangs comes to its end. */
void beings_calm(void);
/* Children of ours, zombies too; those that live. */
uint32_t beings_children(void);
uint32_t beings_alive(void);
bool group_has(pid_t group);
/* Does whoever holds the far end of the pair still share our descriptors? */
bool being_shares(int pair);

/* ---- what becomes of them (fates.c, ends.c) ---- */

/* How it ends by itself, one day. */
void being_fate(struct being *b, msec_t from, msec_t most, uint32_t bad);
/* As CLD_EXITED and its like tell it: 1 with a status, 2 by a signal, 3 with a core. */
void being_end(struct being *b, int kind, int value);
void being_strike(struct being *b, int sig);

/* ---- the desk and the probe (helpers.c) ---- */

/* The answers that are on their way are lost. */
void helpers_reset(void);
void helper_hears(struct being *b);
msec_t probes_next(void);
void probes_act(void);
void probes_frozen(msec_t span);

/* ---- the world (world.c) ---- */

/* How likely each fault is, in thousandths; all zero is a calm world. */
struct faults {
	uint32_t fork, socketpair, pipe, send, watch, helper, stall, report, crash, hang, deaf, immune, sick, lost_probe,
		 torn, stray, setsid;
};

struct world {
	uint64_t seed;
	msec_t now, horizon;
	struct faults faults;
	bool calm, verbose, broken;
	bool hasty;             /* units with times too short to keep: they need not come to rest */
	uint32_t reaped_strangers;
	uint64_t turns, forks, forks_failed, faults_done, events;
	uint32_t pads, cuts;    /* those that there were at boot, one bit each */
	uint32_t sweeps;        /* sweepers tried in this sweep state */
	msec_t next_ask;        /* when the operator speaks again */
	struct manager *m;
};

extern struct world world;

void trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A promise was broken. Its name is one of the table in judge.c; the first of a run is kept. */
enum promise {
	P_ONE_MAIN, P_NEEDS_READY, P_AFTER, P_ORDERED_STOP, P_BINDS, P_PIDS, P_NEVER_CELL, P_BACKOFF, P_FIRST_AT_ONCE, P_START_LIMIT,
	P_RECORDS, P_NEWS, P_COUNTS, P_STALE_PID, P_DESCRIPTORS, P_LINGER, P_WHY, P_ONE_PROBE, P_ANSWERS, P_LIVENESS, P_SHUTDOWN,
	P_NOBODY_LEFT, P_AT_REST, P_UP_RUNS, P_SPIN, P_TIMERS, P_WORLD, N_PROMISES
};
void broke(enum promise p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
extern const char *const promise_words[N_PROMISES];

/* ---- units (units.c) ---- */

/* A table drawn by the seed, valid until the next one. */
const struct table *units_draw(void);

/* ---- the operator (operator.c) ---- */

void operator_reset(void);
void operator_ask(bool shutdown_too);
/* The desk took a message. */
void operator_told(const struct message *msg);
void operator_gone(void);
void operator_settle(void);
void operator_serial_lost(void);

/* ---- judge.c ---- */

void judge_reset(struct manager *m);
void judge_cell(struct manager *m, uint32_t i, enum svc_state s, enum svc_event e, const struct svc_step *step);
void judge_gate(const struct being *b);
void judge_kill(pid_t pid, int sig);
void judge_probe(uint32_t unit, int top);
void judge_turn(void);
void judge_rest(bool after_calm);
void judge_end(bool within);
extern uint64_t cells[N_STATES][N_EVENTS];

struct svc_step sim_step(struct manager *m, uint32_t i, enum svc_state s, enum svc_event e);

#endif
