/* request.h - what an exec asks for (wire.h), checked before anything of it is believed; pure. */
#ifndef SUPERVISE_REQUEST_H
#define SUPERVISE_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "supervise/wire.h"

/* Texts lie in the buffer that was read. */
struct request {
	const char *argv[MAX_EXEC_ARGS + 1]; /* NULL-terminated; none: a shell */
	const char *env[MAX_EXEC_ARGS + 1];  /* "NAME=value" */
	uint32_t argc, envc;
	const char *user, *workdir; /* "" as the unit has it */
};

/* Takes the n bytes of a request apart. 0, or -EBADMSG where they are not exactly what wire.h says, or -E2BIG. */
int request_read(const char *at, size_t n, struct request *ret);

#endif
