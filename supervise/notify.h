/* notify.h - what a unit says on $NOTIFY_SOCKET (sd_notify(3)), as bits; pure. */
#ifndef SUPERVISE_NOTIFY_H
#define SUPERVISE_NOTIFY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define NOTIFY_MAX 4096u /* bytes of a datagram that are looked at */

enum notify_bit {
	SAID_READY = 1u << 0, SAID_STOPPING = 1u << 1, SAID_RELOADING = 1u << 2, SAID_WATCHDOG = 1u << 3,
	SAID_TRIGGER = 1u << 4, /* WATCHDOG=trigger */
};

/* Looks for whole lines that we know; everything else is passed over. Any bytes are fine, NULs too. */
uint32_t notify_scan(const char *text, size_t n);

#endif
