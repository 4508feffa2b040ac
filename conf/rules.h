/* rules.h - what the settings of one unit mean together; pure. */
#ifndef CONF_RULES_H
#define CONF_RULES_H

#include "conf/compile.h"

/* Finds the settings that rules speak of; before the first unit. */
void rules_open(struct compiler *c);

/*
 * Judges a draft whose settings have been read and whose lists are still pending,
 * and fills in what one setting implies for another. `first` has the first
 * assignment of each setting, or NULL.
 */
void rules_apply(struct compiler *c, struct draft *d, const struct assignment *const *first);

#endif
