/*
 * filter.h - a helper's filter of system calls, put together call by call: seccomp(2).
 *
 * It is written for the machines that FILTER_ARCH names, of which all are little-endian: arguments are looked at by their
 * low words. Elsewhere FILTER_ARCH is missing, and so may be the numbers that the lists are made of.
 */
#ifndef CONF_KIT_FILTER_H
#define CONF_KIT_FILTER_H

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#define FILTER_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define FILTER_ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef FILTER_ARCH
#define MAX_FILTER 192 /* instructions: four, two for each call, four or more for one with a look at its arguments */

struct filter {
	struct sock_filter at[MAX_FILTER];
	size_t n;
	uint32_t otherwise;
};

/* Begins one: `otherwise` (SECCOMP_RET_*) befalls whatever is not allowed. A call for another machine kills. */
void filter_begin(struct filter *f, uint32_t otherwise);
/* Allows each of n calls. */
void filter_allow(struct filter *f, const uint16_t *calls, size_t n);
/* Allows a call whose argument number `arg` is one of n values; or that has none of `bits` in it. */
void filter_allow_among(struct filter *f, uint16_t call, unsigned arg, const uint16_t *values, size_t n);
void filter_allow_without(struct filter *f, uint16_t call, unsigned arg, uint32_t bits);
/*
 * Puts it on the calling process, for good; no_new_privs or CAP_SYS_ADMIN is needed. 0 or -errno; -E2BIG: more
 * than MAX_FILTER. Under a sanitizer, which makes system calls of its own, it does nothing.
 */
int filter_enter(const struct filter *f);
#endif

#endif
