/* verdict.c - tests health/verdict.c: on virtual time, step by step and in simulated hours. */
#include "health/verdict.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/tap.h"

/* Small steps: a script of answers, one letter each, and what must come of it. */

static const struct unit usual = {
	.health_interval = 30000, .health_timeout = 5000, .health_retries = 3,
};

static enum health_word word_of(char c)
{
	switch (c) {
	case '+':
		return WORD_SUCCESS;
	case '-':
		return WORD_FAILURE;
	case 's':
		return WORD_STARTING;
	case 'l':
		return WORD_LOADING;
	case 'd':
		return WORD_DISABLED;
	default:
		return WORD_UNKNOWN;
	}
}

static const struct {
	const char *about, *answers, *news; /* news: '.' stay, R ready, S sick, W well */
	uint32_t retries;
	msec_t grace;
	enum health_word word;
} scripts[] = {
	{ "the first success is readiness", "+", "R", 3, 0, WORD_SUCCESS },
	{ "readiness is told once", "+++", "R..", 3, 0, WORD_SUCCESS },
	{ "one failure stops nobody", "+-", "R.", 3, 0, WORD_SUCCESS },
	{ "two failures stop nobody", "+--", "R..", 3, 0, WORD_SUCCESS },
	{ "three in a row do", "+---", "R..S", 3, 0, WORD_FAILURE },
	{ "and are told once", "+-----", "R..S..", 3, 0, WORD_FAILURE },
	{ "a success between begins the count anew", "+--+--", "R.....", 3, 0, WORD_SUCCESS },
	{ "a success after sickness is told", "+---+", "R..SW", 3, 0, WORD_SUCCESS },
	{ "sick and well again, twice", "+---+---+", "R..SW..SW", 3, 0, WORD_SUCCESS },
	{ "one retry means the first failure", "+-", "RS", 1, 0, WORD_FAILURE },
	{ "no retries are one", "+-", "RS", 0, 0, WORD_FAILURE },
	{ "the quick tries of a start are no failures", "-----", ".....", 3, 0, WORD_STARTING },
	{ "the start period forgives", "------", "......", 1, 600000, WORD_STARTING },
	{ "but not after a success in it", "--+-", "..RS", 1, 600000, WORD_FAILURE },
	{ "starting is not ready", "s", ".", 3, 0, WORD_STARTING },
	{ "loading is not ready", "l", ".", 3, 0, WORD_LOADING },
	{ "disabled is not ready", "d", ".", 3, 0, WORD_DISABLED },
	{ "they are no failures, either", "+ssssllll", "R........", 1, 0, WORD_LOADING },
	{ "and end a row of failures", "+--l--", "R.....", 3, 0, WORD_LOADING },
	{ "but do not make well", "+---l", "R..S.", 3, 0, WORD_LOADING },
	{ "a sick one that fails again says so", "+---l-", "R..S..", 3, 0, WORD_FAILURE },
	{ "what could not be tried counts for nothing", "+-?-?-", "R....S", 3, 0, WORD_FAILURE },
	{ "nor does it make ready", "??", "..", 3, 0, WORD_STARTING },
};

static void play(unsigned i)
{
	struct unit u = usual;
	struct verdict v;
	msec_t now = 1000;
	char got[16] = "";

	u.health_retries = scripts[i].retries;
	u.health_start_period = scripts[i].grace;
	verdict_begin(&v, &u, now);
	for (unsigned k = 0; scripts[i].answers[k]; k++) {
		now = v.due;
		(void)verdict_asked(&v, &u, now);
		now += 1;
		got[k] = ".RSW"[verdict_result(&v, &u, word_of(scripts[i].answers[k]), now)];
	}
	CHECK(!strcmp(got, scripts[i].news) && v.word == scripts[i].word, "%s: %s gives %s, word %u", scripts[i].about,
	      scripts[i].answers, got, v.word);
}

/* When probes are due. */

static void schedule(void)
{
	static const msec_t pauses[] = { 20, 40, 80, 160, 320, 640, 1000, 1000, 1000 };
	struct unit u = usual;
	struct verdict v;
	msec_t now = 5000;
	unsigned i;

	verdict_begin(&v, &u, now);
	CHECK(v.due == now, "the first try is at once");
	for (i = 0; i < sizeof(pauses) / sizeof(*pauses); i++) {
		(void)verdict_asked(&v, &u, now);
		(void)verdict_result(&v, &u, WORD_FAILURE, now);
		if (v.due != now + pauses[i])
			break;
		now = v.due;
	}
	CHECK(i == sizeof(pauses) / sizeof(*pauses), "quick tries double up to a second: pause %u", i);
	(void)verdict_asked(&v, &u, now);
	(void)verdict_result(&v, &u, WORD_SUCCESS, now + 7);
	CHECK(v.due == now + 7 + 30000, "after a success the interval counts from the answer");

	u.health_startup_interval = 5000;
	verdict_begin(&v, &u, now);
	for (i = 0; i < 300; i++) {
		now = v.due;
		(void)verdict_asked(&v, &u, now);
		(void)verdict_result(&v, &u, WORD_FAILURE, now);
	}
	CHECK(v.due == now + 5000, "HealthStartupInterval= is the longest pause before the first success");
	u.health_startup_interval = 0;
	u.health_interval = 100;
	verdict_begin(&v, &u, now);
	for (i = 0; i < 10; i++) {
		now = v.due;
		(void)verdict_asked(&v, &u, now);
		(void)verdict_result(&v, &u, WORD_FAILURE, now);
	}
	CHECK(v.due == now + 100, "unless set, it is no longer than HealthInterval=");
	u.health_interval = 0;
	(void)verdict_asked(&v, &u, now);
	(void)verdict_result(&v, &u, WORD_SUCCESS, now);
	CHECK(v.due >= now + 20, "an interval of 0 does not spin");
	u.health_interval = FOREVER;
	(void)verdict_asked(&v, &u, now);
	(void)verdict_result(&v, &u, WORD_SUCCESS, now);
	CHECK(v.due == FOREVER, "an infinite interval probes until the first success only");
	u.health_interval = 30000;
	verdict_begin(&v, &u, now);
	(void)verdict_asked(&v, &u, now);
	(void)verdict_result(&v, &u, WORD_DISABLED, now);
	CHECK(v.due == now + 30000, "a disabled check is asked at the interval only");
}

/* How long a unit that never answers is given. */
static msec_t given(msec_t interval, uint32_t retries, msec_t grace)
{
	struct unit u = { .health_interval = interval, .health_timeout = 5000, .health_retries = retries,
			  .health_start_period = grace };
	struct verdict v;

	verdict_begin(&v, &u, 0);
	for (msec_t now = 0; now < 1000000; now = v.due) {
		(void)verdict_asked(&v, &u, now);
		if (verdict_result(&v, &u, WORD_FAILURE, now) == VERDICT_SICK)
			return now;
	}
	return -1;
}

static const struct { msec_t interval; uint32_t retries; msec_t grace, from, to; } patience[] = {
	{ 30000, 3, 0, 90000, 93000 },
	{ 30000, 1, 0, 30000, 31000 },
	{ 30000, 3, 10000, 70000, 73000 },
	{ 30000, 1, 10000, 10000, 11000 },
	{ 100, 2, 0, 200, 400 },
	{ 100, 3, 5000, 5200, 5500 },
};

static void giving_up(void)
{
	for (unsigned i = 0; i < sizeof(patience) / sizeof(*patience); i++) {
		msec_t at = given(patience[i].interval, patience[i].retries, patience[i].grace);
		CHECK(at >= patience[i].from && at <= patience[i].to, "interval %d, %u retries, start period %d: sick at %d ms",
		      (int)patience[i].interval, patience[i].retries, (int)patience[i].grace, (int)at);
	}
}

static void no_piling_up(void)
{
	struct verdict v;

	verdict_begin(&v, &usual, 100);
	CHECK(verdict_asked(&v, &usual, 100) == 5100, "the deadline is the timeout from now");
	CHECK(v.due == FOREVER, "while one is under way, none is due");
	verdict_stalled(&v, 60000);
	CHECK(v.deadline == 65100 && v.due == FOREVER, "a stall moves the deadline, and nothing becomes due");
	CHECK(v.counts_from == 100 + 30000 + 60000, "a stall moves the start period");
	(void)verdict_result(&v, &usual, WORD_SUCCESS, 61000);
	CHECK(v.deadline == FOREVER, "nothing under way has no deadline");
	CHECK(verdict_result(&v, &usual, WORD_FAILURE, 61001) == VERDICT_STAY && v.successes == 1,
	      "an answer nobody waits for changes nothing");
	CHECK(v.due == 91000, "and moves nothing");
	(void)verdict_asked(&v, &usual, 91000);
	verdict_end(&v);
	CHECK(v.due == FOREVER && v.deadline == FOREVER && v.word == WORD_UNKNOWN, "after the end nothing is due");
	verdict_stalled(&v, 1000);
	CHECK(v.due == FOREVER && v.deadline == FOREVER && v.counts_from == FOREVER, "nor after a stall");
	CHECK(verdict_result(&v, &usual, WORD_SUCCESS, 91001) == VERDICT_STAY && !v.ready, "a late answer is not heard");
	CHECK(sizeof(struct verdict) <= 48, "a verdict is small: %zu bytes", sizeof(struct verdict));
}

static void exits(void)
{
	unsigned failures = 0;

	CHECK(health_of_exit(0) == WORD_SUCCESS && health_of_exit(59) == WORD_DISABLED &&
	      health_of_exit(60) == WORD_STARTING && health_of_exit(61) == WORD_LOADING,
	      "exit codes 0, 59, 60 and 61 have their words");
	for (int code = 0; code < 256; code++)
		failures += health_of_exit(code) == WORD_FAILURE;
	CHECK(failures == 252, "the other %u are failures", failures);
}

/* Hours at random, beside a plain book-keeper of what must hold. */

static uint32_t seed;

static uint32_t dice(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static const char *broken;

static void must(bool holds, const char *what)
{
	if (!holds && !broken)
		broken = what;
}

static void hours(uint32_t begin)
{
	struct unit u = {
		.health_interval = 100 + dice(60000), .health_timeout = 1 + dice(40000), .health_retries = dice(5),
		.health_start_period = dice(2) ? dice(120000) : 0, .health_startup_interval = dice(2) ? dice(8000) : 0,
	};
	uint32_t retries = u.health_retries ? u.health_retries : 1, row = 0;
	uint32_t illness = dice(100);
	msec_t now = begin, born = now, up_at = now + dice(200000);
	bool ready = false, sick = false;
	msec_t first_failure = 0;
	struct verdict v;

	verdict_begin(&v, &u, now);
	for (int i = 0; i < 2000 && now - born < 36 * 3600000; i++) {
		must(v.due >= now && v.due != FOREVER, "something is due once the answer is there");
		must(!v.ready || v.due == now || v.due - now >= 20, "probes do not come in bursts");
		now = v.due;
		if (dice(50) == 0) { /* stopped, frozen or suspended for up to 3 hours */
			msec_t late = dice(3 * 3600000);
			now += late;
			verdict_stalled(&v, late);
		}
		msec_t deadline = verdict_asked(&v, &u, now);
		must(v.due == FOREVER, "only one probe at a time");
		must(deadline - now == u.health_timeout, "a probe has its whole timeout");
		now += dice((uint32_t)u.health_timeout + 1);

		enum health_word word = now < up_at || dice(100) < illness ? WORD_FAILURE : WORD_SUCCESS;
		if (dice(20) == 0)
			word = (enum health_word)(WORD_UNKNOWN + dice(4));
		row = word == WORD_FAILURE ? row + 1 : word == WORD_UNKNOWN ? row : 0;
		if (row == 1)
			first_failure = now;
		enum verdict_news news = verdict_result(&v, &u, word, now);

		must((news == VERDICT_READY) == (word == WORD_SUCCESS && !ready), "ready exactly at the first success");
		must((news == VERDICT_WELL) == (word == WORD_SUCCESS && ready && sick), "well exactly at a success when sick");
		if (news == VERDICT_SICK) {
			must(!sick, "sick is told once");
			must(row >= retries, "sick only after enough failures in a row");
			must(ready || now - born >= u.health_start_period, "not sick within the start period");
			must(ready || now - first_failure >= (retries - 1) * u.health_interval,
			     "before the first success failures count once per interval");
		} else if (ready && !sick) {
			must(row < retries, "sick as soon as there were enough");
		}
		ready = ready || word == WORD_SUCCESS;
		sick = news == VERDICT_SICK || (sick && word != WORD_SUCCESS);
		must(v.ready == ready && v.sick == sick, "the flags follow the news");
		must(v.word != WORD_FAILURE || sick, "failure is said of the sick only");
		must(!ready || sick || v.word != WORD_FAILURE, "and never of the well");
		must(v.due == FOREVER || v.due - now <= 60100, "the next probe is not put off for ever");
	}
}

int main(void)
{
	for (unsigned i = 0; i < sizeof(scripts) / sizeof(*scripts); i++)
		play(i);
	schedule();
	giving_up();
	no_piling_up();
	exits();
	for (uint32_t i = 1; i <= 2000 && !broken; i++) {
		seed = i;
		hours(i);
		if (broken)
			printf("# seed %u\n", i);
	}
	CHECK(!broken, "2,000 units for up to 36 hours each: %s", broken ? broken : "all holds");
	return tap_done();
}
