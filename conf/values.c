/* values.c - the small values that unit files, command line and socket spell alike; pure. */
#include "conf/values.h"

#include <signal.h>
#include <string.h>
#include <strings.h>

/* What every container manager means by SIGRTMIN and SIGRTMAX; a C library takes some for itself and renumbers. */
#define RT_FIRST 34
#define RT_LAST  64

static const struct { const char *name; int sig; } signals[] = {
	{ "HUP", SIGHUP }, { "INT", SIGINT }, { "QUIT", SIGQUIT }, { "ILL", SIGILL }, { "TRAP", SIGTRAP },
	{ "ABRT", SIGABRT }, { "BUS", SIGBUS }, { "FPE", SIGFPE }, { "KILL", SIGKILL }, { "USR1", SIGUSR1 },
	{ "SEGV", SIGSEGV }, { "USR2", SIGUSR2 }, { "PIPE", SIGPIPE }, { "ALRM", SIGALRM }, { "TERM", SIGTERM },
	{ "CHLD", SIGCHLD }, { "CONT", SIGCONT }, { "STOP", SIGSTOP }, { "TSTP", SIGTSTP }, { "TTIN", SIGTTIN },
	{ "TTOU", SIGTTOU }, { "URG", SIGURG }, { "XCPU", SIGXCPU }, { "XFSZ", SIGXFSZ }, { "VTALRM", SIGVTALRM },
	{ "PROF", SIGPROF }, { "WINCH", SIGWINCH }, { "IO", SIGIO }, { "PWR", SIGPWR }, { "SYS", SIGSYS },
#ifdef SIGSTKFLT
	{ "STKFLT", SIGSTKFLT },
#endif
	/* other names of the same */
	{ "POLL", SIGIO }, { "CLD", SIGCHLD }, { "IOT", SIGABRT },
};

static const struct { const char *name; int code; } codes[] = {
	{ "SUCCESS", 0 }, { "FAILURE", 1 },
	{ "INVALIDARGUMENT", 2 }, { "NOTIMPLEMENTED", 3 }, { "NOPERMISSION", 4 }, { "NOTINSTALLED", 5 },
	{ "NOTCONFIGURED", 6 }, { "NOTRUNNING", 7 },
	{ "USAGE", 64 }, { "DATAERR", 65 }, { "NOINPUT", 66 }, { "NOUSER", 67 }, { "NOHOST", 68 },
	{ "UNAVAILABLE", 69 }, { "SOFTWARE", 70 }, { "OSERR", 71 }, { "OSFILE", 72 }, { "CANTCREAT", 73 },
	{ "IOERR", 74 }, { "TEMPFAIL", 75 }, { "PROTOCOL", 76 }, { "NOPERM", 77 }, { "CONFIG", 78 },
};

static const struct { const char *name; msec_t msec; uint32_t usec; } spans[] = {
	{ "us", 0, 1 }, { "usec", 0, 1 }, { "\xc2\xb5s", 0, 1 }, { "\xce\xbcs", 0, 1 },
	{ "ms", 1, 0 }, { "msec", 1, 0 },
	{ "s", 1000, 0 }, { "sec", 1000, 0 }, { "second", 1000, 0 }, { "seconds", 1000, 0 },
	{ "m", 60000, 0 }, { "min", 60000, 0 }, { "minute", 60000, 0 }, { "minutes", 60000, 0 },
	{ "h", 3600000, 0 }, { "hr", 3600000, 0 }, { "hour", 3600000, 0 }, { "hours", 3600000, 0 },
	{ "d", 86400000, 0 }, { "day", 86400000, 0 }, { "days", 86400000, 0 },
	{ "w", 604800000, 0 }, { "week", 604800000, 0 }, { "weeks", 604800000, 0 },
	{ "M", 2629800000, 0 }, { "month", 2629800000, 0 }, { "months", 2629800000, 0 },
	{ "y", 31557600000, 0 }, { "year", 31557600000, 0 }, { "years", 31557600000, 0 },
};

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

bool bool_of(const char *s, bool *ret)
{
	static const char *const words[][6] = {
		{ "0", "no", "n", "false", "f", "off" }, { "1", "yes", "y", "true", "t", "on" },
	};

	for (size_t value = 0; value < 2; value++)
		for (size_t i = 0; i < 6; i++)
			if (!strcasecmp(s, words[value][i])) {
				*ret = value;
				return true;
			}
	return false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *skip_blanks(const char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

/* Digits with at most nine behind a point: *whole and *nano (billionths). NULL where there are none or too many. */
static const char *decimal(const char *s, uint64_t *whole, uint32_t *nano)
{
	uint32_t place = 100000000;

	if (!is_digit(*s))
		return NULL;
	*whole = 0;
	*nano = 0;
	for (; is_digit(*s); s++)
		if (__builtin_mul_overflow(*whole, 10u, whole) ||
		    __builtin_add_overflow(*whole, (uint64_t)(*s - '0'), whole))
			return NULL;
	if (*s != '.')
		return s;
	if (!is_digit(*++s))
		return NULL;
	for (; is_digit(*s); s++, place /= 10)
		*nano += (uint32_t)(*s - '0') * place;
	return s;
}

/* The size of the unit of time whose name are the n bytes at `s`. */
static bool span_unit(const char *s, size_t n, msec_t *msec, uint32_t *usec)
{
	for (size_t i = 0; i < COUNT(spans); i++)
		if (strlen(spans[i].name) == n && !strncmp(spans[i].name, s, n)) {
			*msec = spans[i].msec;
			*usec = spans[i].usec;
			return true;
		}
	return false;
}

bool span_of(const char *s, msec_t bare, msec_t *ret)
{
	uint64_t total = 0; /* us */

	s = skip_blanks(s);
	if (!strncmp(s, "infinity", 8) && !*skip_blanks(s + 8)) {
		*ret = FOREVER;
		return true;
	}
	if (!*s)
		return false;
	while (*s) {
		msec_t msec = bare;
		uint32_t nano, usec = 0;
		uint64_t whole, part;

		s = decimal(s, &whole, &nano);
		if (!s)
			return false;
		s = skip_blanks(s);

		size_t n = strcspn(s, " \t0123456789.+-");

		if (n && !span_unit(s, n, &msec, &usec))
			return false;
		s = skip_blanks(s + n);

		uint64_t size = (uint64_t)msec * 1000 + usec;

		/* A year in us times a billion does not fit: by thousands, then. */
		part = size / 1000 * nano / 1000000 + size % 1000 * nano / 1000000000;
		if (__builtin_mul_overflow(whole, size, &whole) ||
		    __builtin_add_overflow(total, whole, &total) ||
		    __builtin_add_overflow(total, part, &total))
			return false;
	}
	*ret = (msec_t)(total / 1000 + (total % 1000 != 0));
	return true;
}

bool size_of(const char *s, uint64_t *ret)
{
	static const char letters[] = "KMGTPE";
	uint64_t whole, size = 1;
	uint32_t nano;

	s = skip_blanks(s);
	if (!strcmp(s, "infinity")) {
		*ret = UINT64_MAX;
		return true;
	}
	s = decimal(s, &whole, &nano);
	if (!s)
		return false;
	s = skip_blanks(s);
	if (*s && *s != 'B') {
		const char *at = strchr(letters, *s);

		if (!at)
			return false;
		size <<= 10 * (at - letters + 1);
		s++;
	}
	if (*s == 'B')
		s++;
	if (*s || __builtin_mul_overflow(whole, size, &whole) ||
	    __builtin_add_overflow(whole, (uint64_t)((long double)size * nano / 1000000000), &whole))
		return false;
	*ret = whole;
	return true;
}

bool number_of(const char *s, int64_t *ret)
{
	bool minus = *s == '-';
	int64_t n = 0;

	s += minus || *s == '+';
	if (!is_digit(*s))
		return false;
	for (; is_digit(*s); s++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_sub_overflow(n, *s - '0', &n))
			return false;
	if (*s || (!minus && n == INT64_MIN))
		return false;
	*ret = minus ? n : -n;
	return true;
}

int signal_of(const char *s)
{
	int64_t n;

	if (number_of(s, &n))
		return is_digit(*s) && n >= 1 && n <= RT_LAST ? (int)n : 0;
	if (!strncasecmp(s, "SIG", 3))
		s += 3;
	for (size_t i = 0; i < COUNT(signals); i++)
		if (!strcasecmp(s, signals[i].name))
			return signals[i].sig;

	bool from_top = !strncasecmp(s, "RTMAX", 5);

	if (!from_top && strncasecmp(s, "RTMIN", 5) != 0)
		return 0;
	s += 5;
	if (!*s)
		return from_top ? RT_LAST : RT_FIRST;
	if (*s != (from_top ? '-' : '+') || !is_digit(s[1]) || !number_of(s + 1, &n) || n > RT_LAST - RT_FIRST)
		return 0;
	return from_top ? RT_LAST - (int)n : RT_FIRST + (int)n;
}

void signal_put(struct text *t, int sig)
{
	for (size_t i = 0; i < COUNT(signals); i++)
		if (signals[i].sig == sig) {
			text_put(t, "SIG");
			text_put(t, signals[i].name);
			return;
		}
	if (sig >= RT_FIRST && sig <= RT_LAST) {
		text_put(t, "SIGRTMIN");
		if (sig > RT_FIRST) {
			text_char(t, '+');
			text_num(t, sig - RT_FIRST);
		}
		return;
	}
	text_num(t, sig);
}

const char *signal_next(void *at)
{
	size_t *i = at;

	return *i < COUNT(signals) ? signals[(*i)++].name : NULL;
}

int exit_code_of(const char *s)
{
	int64_t n;

	if (number_of(s, &n))
		return is_digit(*s) && n <= 255 ? (int)n : -1;
	for (size_t i = 0; i < COUNT(codes); i++)
		if (!strcmp(s, codes[i].name))
			return codes[i].code;
	return -1;
}
