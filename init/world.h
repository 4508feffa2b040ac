/* world.h - what the files of the role init share: the one manager, and how it came to be. */
#ifndef INIT_WORLD_H
#define INIT_WORLD_H

#include <stdbool.h>

#include "conf/kit/sys.h"
#include "init/container.h"
#include "mount/root.h"
#include "supervise/manager.h"

extern struct manager world;
extern enum container container;
extern const struct init_options *given;
extern int logs_fd;  /* memfd of log rings (init/control/ring.h) */
extern int listener; /* the control socket; -1: it cannot be had */

bool needs_roots(const struct table *t);
/* Tries the ladder of roots, and tells what is lost. */
enum rung find_rung(const struct table *t);
/* Log pipes, the probe, and in `desk_in` ms the desk: what is said until then waits in the pipes. */
void helpers_start(struct manager *m, msec_t desk_in);

/* One turn of the world, and what follows from it. False: all is over. */
bool world_turn(void);

/*
 * places.c: the sockets and the directory of roots, under world.runtime, and the memory of logs, made at the first
 * call. What cannot be had is told, and done without. On a disk that takes as long as many starts, so it comes
 * PLACES_WAIT ms later, or with the desk, unless a unit finds one of them there when it starts (places_wanted).
 */
#define PLACES_WAIT 2
void places_open(void);
bool places_wanted(const struct table *t);
/* Makes them when it is time; it returns when that will be, or FOREVER. */
msec_t places_look(void);
/* A new control socket, for one that somebody has removed. */
void places_reopen(struct manager *m);
void places_remove(void);

/* program.c: runs a program before the units start, as boot.h has it; what comes of it, from the last place among the helpers. */
#define HELPER_PROGRAM (MAX_HELPERS - 1u)
int program_run(const char *program, msec_t limit, struct sys_exit *ret);
void program_heard(struct manager *m);

/* wishes.c: the state of all units to the console, begun and then a part after each turn, until it returns FOREVER. */
void dump_begin(struct manager *m);
msec_t dump_go_on(const struct manager *m);
/* A signal to main of the unit "app"; where there is none, of every unit with Critical=. */
void forward(struct manager *m, int sig);

/* network.c: a helper for each [Network] section; what they say; how long boot has to wait for those not up yet, in ms from its start. */
void network_start(struct manager *m);
void network_heard(struct manager *m, uint32_t which);
msec_t network_wait(void);

/* Our end of its socket: a helper without one ends. */
void helper_hang_up(struct manager *m, struct helper *h);

/* reload.c: daemon-reload, a step of it after each turn where one was asked for. */
void reload_between_turns(void);
bool reload_under_way(void);

#endif
