/* pidfile.h - PIDFile= of a forking daemon, read where the daemon wrote it. */
#ifndef SUPERVISE_PIDFILE_H
#define SUPERVISE_PIDFILE_H

#include <stddef.h>
#include <sys/types.h>

#include "supervise/child.h"

/* The number in a pid file's first line; 0 where it is none, or none that a daemon can have. */
pid_t pidfile_parse(const char *text, size_t n);

/* In a child: waits at the gate, goes into the unit's root, reads the file as soon as it is there, reports. */
_Noreturn void pidfile_run(const struct job *job);

#endif
