/*
 * raw.h - system calls by their numbers alone, for who runs in somebody else's memory.
 *
 * The C library's wrappers write errno, which is one per thread, and so PID 1's own in
 * a child that shares its memory. These return what the kernel returns: -errno, or a
 * result (syscall(2), "Architecture calling conventions"). Where HAVE_RAW_CALL is not
 * defined, nobody here knows how.
 */
#ifndef CONF_KIT_RAW_H
#define CONF_KIT_RAW_H

#if defined(__x86_64__) && !defined(__ILP32__)
#define HAVE_RAW_CALL

static inline long raw_call(long number, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return r;
}

#elif defined(__aarch64__) || (defined(__riscv) && __riscv_xlen == 64)
#define HAVE_RAW_CALL

#ifdef __aarch64__
#define RAW_REG(a, r) __asm__(a)
#define RAW_TRAP "svc 0"
#else
#define RAW_REG(a, r) __asm__(r)
#define RAW_TRAP "ecall"
#endif

static inline long raw_call(long number, long a, long b, long c, long d, long e)
{
	register long r7 RAW_REG("x8", "a7") = number;
	register long r0 RAW_REG("x0", "a0") = a;
	register long r1 RAW_REG("x1", "a1") = b;
	register long r2 RAW_REG("x2", "a2") = c;
	register long r3 RAW_REG("x3", "a3") = d;
	register long r4 RAW_REG("x4", "a4") = e;

	__asm__ volatile(RAW_TRAP : "+r"(r0) : "r"(r7), "r"(r1), "r"(r2), "r"(r3), "r"(r4) : "memory", "cc");
	return r0;
}

#undef RAW_REG
#undef RAW_TRAP
#endif

#endif
