/* logline.h - how one entry of a log is shown: as "name | text", or as a JSON object; pure. */
#ifndef INIT_CONTROL_LOGLINE_H
#define INIT_CONTROL_LOGLINE_H

#include <stddef.h>
#include <stdint.h>

#include "init/control/json.h"

#define NAME_WIDTH 16u /* names are padded to the longest one, but not beyond this */

/*
 * Bytes made safe to show on a terminal, on one line: control characters (also
 * the C1 ones and what turns the direction of writing) and bytes that are no
 * UTF-8 become \xNN; a tab stays.
 */
void line_shown(struct buf *to, const char *s, size_t n);

/* "name | text\n"; "name + text\n" for the rest of a line that was cut. */
void line_text(struct buf *to, const char *name, uint32_t width, bool rest, const char *s, size_t n);

/* {"time":...,"unit":...,"text":...}\n, with "rest":true for the rest of a line that was cut. */
void line_json(struct buf *to, const char *name, int64_t wall, bool rest, const char *s, size_t n);

/* "1,234" into a buffer of 32 bytes. Returns it. */
char *number_shown(uint64_t n, char into[32]);

#endif
