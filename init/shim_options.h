/* shim_options.h - what a shim is to do: the options and variables of tini, dumb-init, catatonit, and our own words. */
#ifndef INIT_SHIM_OPTIONS_H
#define INIT_SHIM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define N_SIGNALS 64
#define ALL_SIGNALS (~(uint64_t)0) /* as the kernel's masks: bit n is signal n + 1 */

/* What `pass_as` holds for a signal that is not passed on. */
#define SIGNAL_DROPPED 255

enum child_place { OWN_GROUP, OWN_SESSION, OUR_GROUP };

struct shim_options {
	const char *name;       /* what we were called by, for messages */
	bool subreaper;         /* adopt orphans where we are not PID 1 */
	bool expects_orphans;   /* say so where we can adopt none */
	bool to_group;          /* signals go to the command's process group */
	bool warn_reaped;
	bool pause;             /* there is no command */
	bool stops_along;       /* a stop signal that is passed on stops us too */
	bool terminates_group;  /* SIGTERM to the command's group when the command has ended */
	enum child_place place;
	int verbosity;          /* 0 errors, 1 warnings, 2 what we do, 3 each signal */
	int parent_death;       /* signal, 0: none */
	int not_run;            /* exit status where the command cannot be run; 0: 126 or 127, as a shell */
	uint8_t pass_as[N_SIGNALS + 1];
	bool to_zero[256];      /* exit codes that count as success */
	char **command;         /* in argv; the place before it is free */
};

/*
 * Reads the command line and the environment in the dialect that argv[0] tells.
 * -1: go on; else leave with this exit status, all said. Words of argv may be
 * moved.
 */
int shim_options_read(struct shim_options *ret, int argc, char **argv);

/* Our own words for an option, for whoever writes the manual; value NULL: it takes none. False behind the last one. */
struct shim_words { char letter; const char *value, *brief; };
bool shim_option(size_t i, struct shim_words *ret);
/* The names that make us a shim; NULL behind the last one. */
const char *shim_name(size_t i);

/* One line to stderr, if `level` is within the verbosity; knows %s and %d alone, for printf's pages would outweigh the rest of the shim. */
void shim_say(const struct shim_options *o, int level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
