/* notify.c - finds the known lines in a notify datagram; pure. */
#include "supervise/notify.h"

#include <string.h>

static const struct { const char *line; uint32_t bit; } known[] = {
	{ "READY=1",          SAID_READY },
	{ "STOPPING=1",       SAID_STOPPING },
	{ "RELOADING=1",      SAID_RELOADING },
	{ "WATCHDOG=1",       SAID_WATCHDOG },
	{ "WATCHDOG=trigger", SAID_TRIGGER },
};

uint32_t notify_scan(const char *text, size_t n)
{
	uint32_t bits = 0;

	for (size_t from = 0; from < n;) {
		const char *end = memchr(text + from, '\n', n - from);
		size_t len = end ? (size_t)(end - text) - from : n - from;

		for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
			if (len == strlen(known[k].line) && !memcmp(text + from, known[k].line, len))
				bits |= known[k].bit;
		from += len + 1;
	}
	return bits;
}
