/* own.h - says at the declaration who releases a descriptor or memory. */
#ifndef CONF_KIT_OWN_H
#define CONF_KIT_OWN_H

#include <stdlib.h>
#include <unistd.h>

static inline void own_close(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static inline void own_free(void *at)
{
	free(*(void **)at);
}

/* Always initialise: `owned_fd fd = -1;`. Closed at the end of the scope. */
#define owned_fd __attribute__((cleanup(own_close))) int

/* Always initialise: `owned_mem char *p = NULL;`. Freed at the end of the scope. */
#define owned_mem __attribute__((cleanup(own_free)))

/* Ownership leaves here, visibly: the caller, or whoever it is handed to, now releases it. */
static inline int take_fd(int *fd)
{
	int out = *fd;

	*fd = -1;
	return out;
}

static inline void *take_mem_(void **at)
{
	void *out = *at;

	*at = NULL;
	return out;
}
#define take_mem(at) ((__typeof__(*(at)))take_mem_((void **)(at)))

#endif
