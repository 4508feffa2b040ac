/* notify.c - what is found in a notify datagram, and what is not. */
#include "supervise/notify.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/tap.h"

#define T(s) s, sizeof(s) - 1

static const struct { const char *text; size_t n; uint32_t want; } cases[] = {
	{ T(""), 0 },
	{ T("\n"), 0 },
	{ T("\n\n\n"), 0 },
	{ T("READY=1"), SAID_READY },
	{ T("READY=1\n"), SAID_READY },
	{ T("\nREADY=1\n"), SAID_READY },
	{ T("READY=0"), 0 },
	{ T("READY=11"), 0 },
	{ T("READY="), 0 },
	{ T("READY"), 0 },
	{ T("READY=1 "), 0 },
	{ T(" READY=1"), 0 },
	{ T("READY=1\r\n"), 0 },
	{ T("ready=1"), 0 },
	{ T("XREADY=1"), 0 },
	{ T("READY=1\0"), 0 },
	{ T("READY=1\n\0"), SAID_READY },
	{ T("\0\nREADY=1"), SAID_READY },
	{ T("X=\0\0\nREADY=1\n\0"), SAID_READY },
	{ T("STATUS=READY=1"), 0 },
	{ T("STATUS=up\nREADY=1\nMAINPID=4"), SAID_READY },
	{ T("WATCHDOG=1"), SAID_WATCHDOG },
	{ T("WATCHDOG=trigger"), SAID_TRIGGER },
	{ T("WATCHDOG=trigge"), 0 },
	{ T("WATCHDOG=12"), 0 },
	{ T("STOPPING=1\nWATCHDOG=1"), SAID_STOPPING | SAID_WATCHDOG },
	{ T("RELOADING=1\nMONOTONIC_USEC=5"), SAID_RELOADING },
	{ T("READY=1\nREADY=1"), SAID_READY },
	{ T("READY=1\nSTOPPING=1\nRELOADING=1\nWATCHDOG=1\nWATCHDOG=trigger\n"),
	  SAID_READY | SAID_STOPPING | SAID_RELOADING | SAID_WATCHDOG | SAID_TRIGGER },
	{ T("FDSTORE=1\nBARRIER=1\nEXTEND_TIMEOUT_USEC=1"), 0 },
	{ T("\xff\xfe\nREADY=1\n\x80"), SAID_READY },
};

int main(void)
{
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		/* An allocation of just this size: a look behind the end does not go unseen. */
		char *exact = malloc(cases[k].n + !cases[k].n);

		if (!exact)
			return 1;
		memcpy(exact, cases[k].text, cases[k].n);
		uint32_t got = notify_scan(exact, cases[k].n);
		CHECK(got == cases[k].want, "datagram %zu of %zu bytes: %#x", k, cases[k].n, got);
		free(exact);
	}
	/* A known line cut off anywhere is unknown. */
	const char *all = "WATCHDOG=trigger";
	bool none = true;
	for (size_t n = 0; n < strlen(all); n++)
		none &= notify_scan(all, n) == 0;
	CHECK(none, "no prefix of a line is taken for it");
	static char full[NOTIFY_MAX];
	memset(full, 'x', sizeof(full));
	memcpy(full + sizeof(full) - 8, "\nREADY=1", 8);
	CHECK(notify_scan(full, sizeof(full)) == SAID_READY, "the last line of the largest datagram is found");
	return tap_done();
}
