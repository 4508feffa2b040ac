/* signals.h - what each signal to PID 1 means, as a table; pure. */
#ifndef INIT_SIGNALS_H
#define INIT_SIGNALS_H

#include "conf/unit.h"
#include "init/container.h"

/*
 * The wish behind a signal (1-64) of a supervising PID 1: what coppice.conf says
 * (On<SIGNAL>=), else the table. SIGINT is a reboot where LXC or nspawn sends it.
 */
enum wish signal_wish(const struct house *h, enum container c, int sig);

/* Who sends this signal and means what the table says; NULL where the table does not have it. */
const char *signal_sent_by(int sig);

/* The word for a wish, as On<SIGNAL>= spells it; NULL for WISH_DEFAULT. */
const char *wish_word(enum wish w);

#endif
