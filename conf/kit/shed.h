/* shed.h - what a helper gives up for good before it meets the world. What the kernel refuses is -errno, and the caller's to tell. */
#ifndef CONF_KIT_SHED_H
#define CONF_KIT_SHED_H

#include <stddef.h>
#include <stdint.h>

/* Closes all descriptors from 3 on but these, in ascending order. */
void shed_files(const int *keep, size_t n);
/* Of the capabilities it has it keeps at most those of `keep`, by bit; the ambient and inheritable ones go. capabilities(7) */
int shed_powers(uint32_t keep);
/* Nothing that it executes gains any: no_new_privs of prctl(2). */
int shed_gains(void);
/* It leaves no core behind. */
int shed_dumps(void);

#endif
