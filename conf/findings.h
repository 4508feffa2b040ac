/* findings.h - what the user can mend: a bounded list of messages with file and line; pure. */
#ifndef CONF_FINDINGS_H
#define CONF_FINDINGS_H

#include <stddef.h>
#include <stdint.h>

#include "conf/kit/say.h"
#include "conf/kit/text.h"

#define MAX_FINDINGS 1000u /* kept; more are only counted */
#define MAX_FINDING  600u  /* bytes of one message */

/* SAY_ERROR: the unit will not start. SAY_WARNING: it will, and perhaps not as its author thinks. */
struct finding {
	const char *file; /* as in "db.service:3: ..." */
	const char *text; /* "subject: what is wrong; how to mend it" */
	uint32_t line;    /* 0: the file as a whole */
	enum level level;
};

/* Zero is an empty list. */
struct findings {
	struct finding *at;
	uint32_t n, room;
	uint32_t errors, warnings, left_out;
	char first[MAX_FINDING + 300]; /* the first error since findings_mark(), with file and line; "" none */
};

/* Forgets which error was the first: from here on it is somebody else's. */
void findings_mark(struct findings *fs);

/* Adds one; file and text are copied. Nothing fails: what cannot be kept is counted in left_out. */
void finding_add(struct findings *fs, enum level level, const char *file, uint32_t line, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* "file:line: text", without line where there is none. */
void finding_put(struct text *t, const struct finding *f);

/* By file, line and text. */
void findings_sort(struct findings *fs);

void findings_free(struct findings *fs);

#endif
