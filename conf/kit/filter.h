/* filter.h - for which machine a helper's filter of system calls is written, and whether it can stand at all. */
#ifndef CONF_KIT_FILTER_H
#define CONF_KIT_FILTER_H

#include <linux/audit.h>

/* Sanitizers make system calls of their own. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#endif
