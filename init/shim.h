/* shim.h - the role of tini, docker-init, dumb-init and catatonit: one child, its signals, its terminal, its status. */
#ifndef INIT_SHIM_H
#define INIT_SHIM_H

#include <stdbool.h>

/* The name that we were called by is one of theirs. `name` is argv[0] without its directories. */
bool shim_named(const char *name);

/* Our own words mean the shim: options of its, then "--" and a command. */
bool shim_worded(int argc, char **argv);

/* Lives as the shim; returns the exit status. */
int shim_main(int argc, char **argv);

#endif
