/* time.h - milliseconds, the one unit of time in the tree; pure. */
#ifndef CONF_KIT_TIME_H
#define CONF_KIT_TIME_H

#include <stdint.h>

/* A moment on CLOCK_BOOTTIME or a span, in milliseconds. Never negative. */
typedef int64_t msec_t;

/* "infinity": a deadline that never comes, a span that never ends. */
#define FOREVER INT64_MAX

/* Adds two spans, or a span to a moment; what would overflow is FOREVER. */
static inline msec_t time_add(msec_t a, msec_t b)
{
	return a > FOREVER - b ? FOREVER : a + b;
}

#endif
