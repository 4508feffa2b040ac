/* loader.h - the child that reads the units, and the table that it hands to PID 1. */
#ifndef INIT_LOADER_H
#define INIT_LOADER_H

#include <stdbool.h>
#include <sys/types.h>

#include "conf/unit.h"
#include "init/pid1.h"

/* A loader at work: the memfd of its table, where it tells that the table is there (-1: nobody waits), and its pid, or -errno. */
struct loading { int fd, told; pid_t pid; };

/* Forks it; `waited`: loader_end() is called next. Both descriptors are the caller's, and lie above the pads. */
struct loading loader_begin(const struct init_options *o, bool waited);
/* Waits for the table, and closes both descriptors; as loader_table(). The child lives on for a moment: it is still to be reaped. */
const struct table *loader_end(const struct loading *l);
/* Maps what the loader wrote and sealed, and looks at every index in it; NULL: it has told why. */
const struct table *loader_table(int fd);

#endif
