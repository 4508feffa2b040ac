/*
 * implied.h - what an image implies for the unit that runs in it; pure.
 *
 * Its words become settings of the unit, with the config as their origin, wherever
 * the unit does not speak itself. The single app is a unit made of nothing else.
 */
#ifndef CONF_IMPLIED_H
#define CONF_IMPLIED_H

#include "conf/compile.h"

/* Finds the settings that it speaks of; before the first unit. */
void implied_open(struct compiler *c);

/* Finds what the draft's image says (d->oci), where it is not the app. A config that is no good is the unit's fault. */
void implied_find(struct compiler *c, struct draft *d, struct reading *r);
/* How many assignments there may be beside the unit's own, at most. */
uint32_t implied_room(const struct draft *d);

/* Before the unit's own words are read; `first` has the first of each setting. */
void implied_before(struct compiler *c, struct draft *d, struct reading *r, const struct assignment *const *first);
/* Afterwards: the command, and volumes where the unit mounts nothing itself. */
void implied_after(struct compiler *c, struct draft *d, struct reading *r, const struct assignment *const *first);

/* What the app is, once it is compiled, for the house: Supervise= settled, and the signal that stops it. */
void implied_house(struct compiler *c, const struct draft *app);

#endif
