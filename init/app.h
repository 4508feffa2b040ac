/* app.h - the single app that takes the place of PID 1 (Supervise=exec). */
#ifndef INIT_APP_H
#define INIT_APP_H

#include <stdbool.h>

#include "conf/unit.h"
#include "init/pid1.h"

/* Keeps what PID 1 was told of its own manager, before it is taken out of the environment: the app inherits it. */
void app_remember(void);

/* Is there a single app at all; may it run; and is it to take PID 1's place? */
bool app_is_there(const struct table *t);
bool app_is_sound(const struct table *t);
bool app_takes_over(const struct table *t);

/*
 * Becomes the app's entrypoint. Comes back only where that failed, after it has said why, with the
 * status to leave with: 127, 126, a step's own (systemd.exec(5)), or 78 where it would be coppice again.
 */
int app_become(const struct table *t, const char *runtime);

#endif
