/* emit.h - the table of settings, written out for the manual and for tools. */
#ifndef CONF_EMIT_H
#define CONF_EMIT_H

#include <stdbool.h>
#include <stdio.h>

/* The settings of unit files, or of coppice.conf, as sections of mdoc(7). */
void emit_manual(FILE *out, bool house);

/* "Section Name kind" for each setting, one to a line: for completion and the dictionary of the fuzzer. */
void emit_list(FILE *out);

#endif
