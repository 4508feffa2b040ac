/*
 * tap.h - checks for C tests: each prints one line of TAP, and a failed one carries on.
 */
#ifndef TESTS_LIB_TAP_H
#define TESTS_LIB_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

struct tap {
	int run;
	int failed;
};

/* Weak, so that the files of one test program, each with this header, share one tally. */
__attribute__((weak)) struct tap tap;

__attribute__((format(printf, 5, 6), unused)) static bool tap_check(bool good, const char *file, int line,
								    const char *expression,
								    const char *text, ...)
{
	va_list args;

	tap.run++;
	printf("%s %d - ", good ? "ok" : "not ok", tap.run);
	va_start(args, text);
	vprintf(text, args);
	va_end(args);
	putchar('\n');
	if (!good) {
		tap.failed++;
		printf("# %s:%d: %s\n", file, line, expression);
	}
	/* The program under test may be about to die: what it said so far must be seen. */
	fflush(stdout);
	return good;
}

__attribute__((format(printf, 1, 2), unused)) static void tap_skip(const char *why, ...)
{
	va_list args;

	printf("ok %d # SKIP ", ++tap.run);
	va_start(args, why);
	vprintf(why, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

/* Prints the plan; the result is main's. */
__attribute__((unused)) static int tap_done(void)
{
	printf("1..%d\n", tap.run);
	return tap.failed != 0 || tap.run == 0;
}

/* CHECK(condition, text of printf...) is true if the condition holds, so a test may stop where going on is senseless. */
#define CHECK(condition, ...) tap_check(!!(condition), __FILE__, __LINE__, #condition, __VA_ARGS__)

#endif
