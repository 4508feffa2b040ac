/* inside.h - what service.c and hear.c share of a service, and nobody else sees. */
#ifndef SUPERVISE_INSIDE_H
#define SUPERVISE_INSIDE_H

#include "supervise/manager.h"

static inline const struct unit *unit_of(const struct manager *m, uint32_t i)
{
	return table_unit(m->table, i);
}

static inline const char *name_of(const struct manager *m, uint32_t i)
{
	return table_text(m->table, unit_of(m, i)->name);
}

static inline bool has_checks(const struct unit *u)
{
	return u->health_kind != HEALTH_NONE;
}

/* The first cause of an end counts; what follows from it does not. */
void note_end(struct service *s, enum ending how, enum why_code code, int32_t a, int32_t b);

/* The k-th command (word index) of a state's commands, 0 behind the last; and which phase it is. */
uint32_t command_at(const struct manager *m, const struct unit *u, enum svc_state state, uint32_t k, enum phase *phase);

/* Runs the next command of the state, or the first; what follows at once. */
enum svc_event run_command(struct manager *m, uint32_t i, bool first);

/* Begins its health checks and watchdog; EV_READY where nothing has to be shown. */
enum svc_event watch_begin(struct manager *m, uint32_t i);

/* The view from outside, once main runs; and it goes. */
void view(struct manager *m, uint32_t i);
void unview(struct manager *m, uint32_t i);

#endif
