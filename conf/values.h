/* values.h - the small values that unit files, command line and socket spell alike; pure. */
#ifndef CONF_VALUES_H
#define CONF_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/kit/text.h"
#include "conf/kit/time.h"

/* 1, yes, y, true, t, on; 0, no, n, false, f, off. False where it is neither. systemd.syntax(7). */
bool bool_of(const char *s, bool *ret);

/* "5", "500ms", "2min 30.5s", "infinity"; a bare number counts `bare` ms. What is less than a ms is one. systemd.time(7). */
bool span_of(const char *s, msec_t bare, msec_t *ret);

/* "4096", "64K", "1.5G", base 1024, up to T, P, E; "infinity" is UINT64_MAX. systemd.syntax(7). */
bool size_of(const char *s, uint64_t *ret);

/* A decimal number without anything around it. */
bool number_of(const char *s, int64_t *ret);

/* "TERM", "SIGTERM", "15", "RTMIN+3" (37, whatever the C library keeps for itself), "RTMAX-1"; 0 where it is none. */
int signal_of(const char *s);
/* "SIGTERM", "SIGRTMIN+3", or the number. */
void signal_put(struct text *t, int sig);

/* Numbers and the names of sysexits.h and of LSB; -1 where it is none. systemd.exec(5), "Process Exit Codes". */
int exit_code_of(const char *s);

/* The names of signals, one at a time, NULL at the end; *at begins at 0. For text_nearest() and completion. */
const char *signal_next(void *at);

#endif
