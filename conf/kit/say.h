/* say.h - one line to the operator: "coppice: subject: what; how to mend it". Never blocks, counts what it lost. */
#ifndef CONF_KIT_SAY_H
#define CONF_KIT_SAY_H

#include <stdbool.h>
#include <stdint.h>

enum level { SAY_ERROR, SAY_WARNING, SAY_INFO, SAY_DEBUG, N_LEVELS };

/*
 * Where lines go from now on (not owned); stderr at first. A pipe or socket should be non-blocking.
 * `prefix` is put before each line ("" or "coppice: "); it must outlive its use.
 */
void say_to(int fd, const char *prefix);
void say_level(enum level most);
/* Would a line of that level be said? */
bool say_says(enum level level);
/* "error", "warning", "info", "debug"; -1 for another word. */
int say_level_of(const char *word);

/* One line, at most 1,024 bytes, control characters escaped; allocates nothing. */
void say(enum level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * From now on lines are kept (up to 4 KiB) until say_flush(), or until they do not
 * fit any more: whoever reads them is not woken before the work is done.
 */
void say_hold(void);
void say_flush(void);

/* Lines that could not be written. */
uint32_t say_lost(void);

#endif
