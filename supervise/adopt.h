/* adopt.h - daemon-reload: the services of one manager go on under another, made from new unit files. */
#ifndef SUPERVISE_ADOPT_H
#define SUPERVISE_ADOPT_H

#include "supervise/manager.h"

/* How the units of two tables differ, by name. */
struct reload_plan { uint32_t added, removed, changed, same, broken; };

/*
 * Compares; `tell` (may be NULL) hears of each unit that is not the same, with the
 * word for what happens to it: "added", "removed", "changed", "broken". Broken:
 * sound and loaded now, and faulty in the new files.
 */
struct reload_plan reload_compare(const struct table *now, const struct table *then,
				  void (*tell)(void *self, const struct table *t, unit_ix i, const char *what), void *self);

/*
 * Moves every service of `from` to the unit of the same name in `to`: processes,
 * gates, timers, roots, records. `to` was opened with manager_open() and has not
 * begun. Services of units that are not in `to` must be at rest. The desk and the
 * probe stay behind. Afterwards `from` may only be closed.
 */
void manager_adopt(struct manager *to, struct manager *from);

/* Releases what manager_open() made: maps and descriptors, none of them a unit's. */
void manager_close(struct manager *m);

#endif
