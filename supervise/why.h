/* why.h - the words for what PID 1 records in numbers: faces, health, and why a unit is where it is; pure. */
#ifndef SUPERVISE_WHY_H
#define SUPERVISE_WHY_H

#include <stddef.h>

#include "conf/unit.h"
#include "supervise/record.h"

/* `state` of a unit, as INTERFACE names them. Static texts; "?" for a number that is none. */
const char *face_word(enum face f);
/* "has failed", "is starting": after a unit's name. */
const char *face_phrase(enum face f);
/* `health.result`: HEALTH_UNKNOWN reads as "disabled". */
const char *health_word(enum health h);

/*
 * Why unit `i` is where `w` says, in one line without a full stop, "" where there
 * is nothing to say; into a buffer of `size` bytes. Returns it. Texts from unit
 * files are shown escaped and cut. Numbers that make no sense yield words, too.
 */
const char *why_text(const struct table *t, unit_ix i, const struct why *w, char *into, size_t size);

/* The last words of a process: "exited with status 3", "killed by SIGKILL, core dumped"; kind as in struct record. */
const char *exit_text(uint8_t kind, int32_t value, char *into, size_t size);

/* An errno in words that fit behind a colon. Static texts. */
const char *error_words(int error);

#endif
