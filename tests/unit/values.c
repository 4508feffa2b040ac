/* values.c - booleans, spans, sizes, numbers, signals and exit codes, at and beyond their limits. */
#include "conf/values.h"

#include <signal.h>
#include <string.h>

#include "tests/lib/tap.h"

#define BAD INT64_MIN

static const struct { const char *text; int64_t want; } spans[] = {
	{ "5", 5000 }, { "5s", 5000 }, { "5 s", 5000 }, { "500ms", 500 }, { "1.5s", 1500 }, { "0.001", 1 }, { "0.0001", 1 }, { "0", 0 },
	{ "1us", 1 }, { "1500us", 2 }, { "2min 200ms", 120200 }, { "2min200ms", 120200 }, { "1h 1h", 7200000 }, { "1d", 86400000 },
	{ "1w", 604800000 }, { "1y", 31557600000 }, { "1month", 2629800000 }, { "3M", 7889400000 }, { "3m", 180000 }, { "1hour 2minutes 3seconds", 3723000 },
	{ "  7 ", 7000 }, { "infinity", FOREVER }, { " infinity ", FOREVER }, { "0.5h", 1800000 }, { "1\xc2\xb5s", 1 },
	{ "", BAD }, { " ", BAD }, { "-5s", BAD }, { "+5s", BAD }, { "5 parsecs", BAD }, { "s", BAD }, { "5s-", BAD }, { "1e3", BAD }, { "0x10", BAD },
	{ "infinity 5s", BAD }, { "infinit", BAD }, { "1.", BAD }, { ".5", BAD }, { "1..5", BAD }, { "99999999999999999999s", BAD }, { "99999999999h", BAD },
	{ "18446744073709551615us", 18446744073709552 }, { "18446744073709551616us", BAD }, { "584542y", 18446742619200000 },
	{ "NaN", BAD }, { "5S", BAD },
};

static const struct { const char *text; uint64_t want; bool good; } sizes[] = {
	{ "0", 0, true }, { "4096", 4096, true }, { "1K", 1024, true }, { "1.5K", 1536, true }, { "2M", 2 << 20, true }, { "1G", 1 << 30, true },
	{ "1T", 1ull << 40, true }, { "1P", 1ull << 50, true }, { "15E", 15ull << 60, true }, { "16E", 0, false }, { "1KB", 1024, true }, { "1 M", 1 << 20, true },
	{ "infinity", UINT64_MAX, true }, { "", 0, false }, { "-1", 0, false }, { "1X", 0, false }, { "1k", 0, false }, { "K", 0, false }, { "1KK", 0, false },
	{ "18446744073709551615", UINT64_MAX, true }, { "18446744073709551616", 0, false },
};

static const struct { const char *text; int64_t want; } numbers[] = {
	{ "0", 0 }, { "-1", -1 }, { "+7", 7 }, { "007", 7 }, { "9223372036854775807", INT64_MAX }, { "9223372036854775808", BAD }, { "-9223372036854775807", -INT64_MAX },
	{ "", BAD }, { "-", BAD }, { "1a", BAD }, { " 1", BAD }, { "1 ", BAD }, { "--1", BAD }, { "0x1", BAD },
};

static const struct { const char *text; int want; } signals[] = {
	{ "TERM", SIGTERM }, { "SIGTERM", SIGTERM }, { "sigterm", SIGTERM }, { "15", 15 }, { "9", SIGKILL }, { "64", 64 }, { "PWR", SIGPWR },
	/* RTMIN+n is 34+n here, whatever the C library says. */
	{ "RTMIN", 34 }, { "SIGRTMIN+3", 37 }, { "RTMIN+30", 64 }, { "RTMAX", 64 }, { "SIGRTMAX-1", 63 }, { "RTMAX-30", 34 },
	{ "RTMIN+31", 0 }, { "RTMAX-31", 0 }, { "RTMIN-1", 0 }, { "RTMAX+1", 0 }, { "RTMIN+", 0 }, { "RTMIN3", 0 }, { "RTMIN+-3", 0 },
	{ "0", 0 }, { "65", 0 }, { "-1", 0 }, { "", 0 }, { "SIG", 0 }, { "SIGTREM", 0 }, { "TERM ", 0 }, { "+9", 0 },
};

static const struct { const char *text; int want; } codes[] = {
	{ "0", 0 }, { "255", 255 }, { "256", -1 }, { "-1", -1 }, { "TEMPFAIL", 75 }, { "CONFIG", 78 }, { "SUCCESS", 0 }, { "NOTRUNNING", 7 },
	{ "tempfail", -1 }, { "", -1 }, { "SIGTERM", -1 }, { "+1", -1 },
};

#define EACH(table) for (size_t i = 0; i < sizeof(table) / sizeof(*(table)); i++)

int main(void)
{
	static const char *const yes[] = { "1", "yes", "y", "true", "t", "on", "YES",
					  "True" }, *const no[] = { "0", "no", "n", "false", "f", "off", "Off" };
	static const char *const neither[] = { "", "2", "yess", "ja", "10", "-" };
	bool value;

	EACH(yes)
		CHECK(bool_of(yes[i], &value) && value, "<%s> is yes", yes[i]);
	EACH(no)
		CHECK(bool_of(no[i], &value) && !value, "<%s> is no", no[i]);
	EACH(neither)
		CHECK(!bool_of(neither[i], &value), "<%s> is neither", neither[i]);
	EACH(spans) {
		msec_t got = BAD;

		CHECK(span_of(spans[i].text, 1000, &got) == (spans[i].want != BAD) && got == spans[i].want,
		      "span <%s> is %lld", spans[i].text, (long long)got);
	}
	EACH(sizes) {
		uint64_t got = 0;

		CHECK(size_of(sizes[i].text, &got) == sizes[i].good && got == sizes[i].want,
		      "size <%s> is %llu", sizes[i].text, (unsigned long long)got);
	}
	EACH(numbers) {
		int64_t got = BAD;

		CHECK(number_of(numbers[i].text, &got) == (numbers[i].want != BAD) && got == numbers[i].want,
		      "number <%s> is %lld", numbers[i].text, (long long)got);
	}
	EACH(signals)
		CHECK(signal_of(signals[i].text) == signals[i].want, "signal <%s> is %d", signals[i].text,
		      signal_of(signals[i].text));
	for (int sig = 1; sig <= 64; sig++) {
		char word[32] = "";
		struct text t = TEXT(word);

		signal_put(&t, sig);
		CHECK(signal_of(word) == sig, "signal %d is %s and back", sig, word);
	}
	EACH(codes)
		CHECK(exit_code_of(codes[i].text) == codes[i].want, "exit code <%s> is %d", codes[i].text,
		      exit_code_of(codes[i].text));
	return tap_done();
}
