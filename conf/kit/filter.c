/* filter.c - a filter is a program: load a word, compare, leave with a verdict or go on. */
#include "conf/kit/filter.h"

#ifdef FILTER_ARCH

#include <errno.h>
#include <sys/prctl.h>

/* Sanitizers make system calls of their own. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* One that does not fit is counted, and found by filter_enter(). */
static void put(struct filter *f, struct sock_filter instruction)
{
	if (f->n < MAX_FILTER)
		f->at[f->n] = instruction;
	f->n++;
}

static void put_load(struct filter *f, size_t at)
{
	put(f, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)at));
}

static void put_return(struct filter *f, uint32_t verdict)
{
	put(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdict));
}

/* Passes over that many instructions unless the word is this. */
static void put_unless(struct filter *f, uint32_t value, size_t over)
{
	put(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, (uint8_t)over));
}

static void put_argument(struct filter *f, unsigned arg)
{
	put_load(f, offsetof(struct seccomp_data, args) + arg * sizeof(uint64_t));
}

void filter_begin(struct filter *f, uint32_t otherwise)
{
	f->n = 0;
	f->otherwise = otherwise;
	put_load(f, offsetof(struct seccomp_data, arch));
	put(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FILTER_ARCH, 1, 0));
	put_return(f, SECCOMP_RET_KILL_PROCESS);
	put_load(f, offsetof(struct seccomp_data, nr));
}

/* Where the word is one of these. */
static void put_allow(struct filter *f, const uint16_t *values, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		put_unless(f, values[i], 1);
		put_return(f, SECCOMP_RET_ALLOW);
	}
}

void filter_allow(struct filter *f, const uint16_t *calls, size_t n)
{
	put_allow(f, calls, n);
}

void filter_allow_among(struct filter *f, uint16_t call, unsigned arg, const uint16_t *values, size_t n)
{
	put_unless(f, call, 2 * n + 2);
	put_argument(f, arg);
	put_allow(f, values, n);
	put_return(f, f->otherwise);
}

void filter_allow_without(struct filter *f, uint16_t call, unsigned arg, uint32_t bits)
{
	put_unless(f, call, 4);
	put_argument(f, arg);
	put(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 1, 0));
	put_return(f, SECCOMP_RET_ALLOW);
	put_return(f, f->otherwise);
}

int filter_enter(const struct filter *f)
{
	struct filter whole = *f;

	put_return(&whole, whole.otherwise);
	if (whole.n > MAX_FILTER)
		return -E2BIG;
	struct sock_fprog program = { .len = (unsigned short)whole.n, .filter = whole.at };

	return !SANITIZED && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ? -errno : 0;
}

#endif
