/* entry.h - Entrypoint= and Exec=, and the command that they and an image make together; pure. */
#ifndef CONF_ENTRY_H
#define CONF_ENTRY_H

#include "conf/compile.h"

/*
 * Makes the draft's command of what r->entry holds, where it holds anything: the program's words,
 * then the arguments'. A program with a slash in it that is not absolute begins where the
 * unit works, as in Docker. What is wrong becomes a finding.
 */
void entry_settle(struct compiler *c, struct draft *d, struct reading *r);

/* `value` with each `sign` twice, so that "%" begins no specifier and "$" no variable; NULL for want of memory. */
const char *entry_doubled(struct reading *r, const char *value, char sign);
/* A word as one would write it in a unit: in quotes and escaped where it must be. `dollars`: "$" is doubled. */
void entry_quote(struct text *t, const char *word, bool dollars);
/* How much room that takes at most, with a NUL. */
size_t entry_room(const char *word);

#endif
