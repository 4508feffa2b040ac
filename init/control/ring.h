/*
 * ring.h - what units wrote lately: one ring of lines per unit in a memfd that outlives the desk.
 *
 *   struct logs_head | struct log_head[n + 1] | page-aligned: ring[n + 1] of LOG_RING bytes
 *
 * Place n is PID 1's own. A ring holds entries from `tail` to `head`, counted in
 * bytes since ever, taken modulo LOG_RING, each a multiple of 8 long: a struct
 * entry, its text, padding. At `head` itself lies one more, the open one: the
 * line that has no end yet. So nothing of a line is kept anywhere else, and a
 * desk that is killed loses only what it had read and not yet written down.
 *
 * Order of writing, so that a kill between any two stores leaves a sound ring:
 * `tail` makes room; bytes; the open entry's length; at the end of a line an
 * empty open entry behind it, then `head`.
 */
#ifndef INIT_CONTROL_RING_H
#define INIT_CONTROL_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/kit/time.h"
#include "supervise/wire.h"

#define LOGS_VERSION 1u
#define LOG_LINE     (16u << 10) /* bytes of one entry; a longer line is cut into several */

struct logs_head { uint32_t magic, version, n, spare; uint64_t spares[2]; };

enum entry_flag {
	ENTRY_CUT  = 1u << 0, /* the line goes on in the next entry */
	ENTRY_REST = 1u << 1, /* goes on with the line of the entry before */
};
struct entry { uint32_t len, flags; msec_t at; };

struct logs {
	struct logs_head *map;
	struct log_head *heads; /* [n + 1] */
	char *rings;
	size_t size;
	uint32_t n;
	uint32_t mended;        /* rings that were not sound when mapped and begin anew */
};

/* A memfd for n units and PID 1, all zero. The descriptor, close-on-exec, or -errno. */
int ring_create(uint32_t n);
/*
 * Maps it for writing and looks at every ring; one that is not sound is emptied.
 * A memfd that is zero or too short is laid out. 0 or -errno (-EBADMSG: it
 * belongs to another number of units).
 */
int logs_map(struct logs *ret, int fd, uint32_t n);
void logs_unmap(struct logs *l);
/* After a reload: the rings of units that both tables have go along, by name, and PID 1's own. What cannot be mapped is left out. */
void ring_move(int to, const struct table *then, int from, const struct table *now);

/*
 * Puts bytes behind the open line of ring `i`, up to the end of that line or until
 * the entry is full. Returns how many it took (> 0 for n > 0); *ended says that
 * the line is now an entry, the one where heads[i].head was before. `keep`: bytes of
 * entries to keep at most, 0 for all that fit.
 */
size_t ring_put(struct logs *l, uint32_t i, const char *bytes, size_t n, uint32_t keep, msec_t now, bool *ended);
/* Ends the open line, if there is one: what it has so far becomes an entry that is cut. True if it did. */
bool ring_cut(struct logs *l, uint32_t i, msec_t now);
/* There is a line without an end. */
bool ring_open(const struct logs *l, uint32_t i);

/*
 * Reads the entry at *at and moves *at behind it. Text goes into `text`, LOG_LINE
 * bytes. 1; 0 at the end; -1 where *at was no longer there and has been moved to
 * the oldest entry. Begin with heads[i].tail, or with heads[i].head for what is to come.
 */
int ring_read(const struct logs *l, uint32_t i, uint64_t *at, struct entry *ret, char *text);

#endif
