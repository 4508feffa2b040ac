/* verdict.c - from single results to a judgement: ready, sick, well again; and when to try next; pure. */
#include "health/verdict.h"

#define FIRST_PAUSE 20   /* ms; also the least pause, so that no setting makes a probe spin */
#define LAST_PAUSE  1000 /* ms, where HealthStartupInterval= is not set */

static msec_t least(msec_t a, msec_t b)
{
	return a < b ? a : b;
}

static msec_t most(msec_t a, msec_t b)
{
	return a > b ? a : b;
}

/* How long to rest after an answer. */
static msec_t pause_after(const struct verdict *v, const struct unit *u)
{
	if (v->ready || v->word == WORD_DISABLED)
		return most(u->health_interval, FIRST_PAUSE);
	msec_t limit = least(u->health_interval, u->health_startup_interval ? u->health_startup_interval : LAST_PAUSE);
	uint8_t doublings = v->tries > 32 ? 31 : (uint8_t)(v->tries - 1);
	return most(least((msec_t)FIRST_PAUSE << doublings, limit), FIRST_PAUSE);
}

void verdict_begin(struct verdict *v, const struct unit *u, msec_t now)
{
	msec_t grace = u->health_start_period ? u->health_start_period : u->health_interval;

	*v = (struct verdict){
		.due = now,
		.counts_from = time_add(now, grace),
		.deadline = FOREVER,
		.word = WORD_STARTING,
	};
}

void verdict_end(struct verdict *v)
{
	*v = (struct verdict){ .due = FOREVER, .counts_from = FOREVER, .deadline = FOREVER, .word = WORD_UNKNOWN };
}

msec_t verdict_asked(struct verdict *v, const struct unit *u, msec_t now)
{
	v->asked = true;
	v->due = FOREVER;
	v->deadline = time_add(now, u->health_timeout);
	return v->deadline;
}

static enum verdict_news succeeded(struct verdict *v)
{
	bool was_ready = v->ready, was_sick = v->sick;

	v->successes += v->successes < UINT32_MAX;
	v->failures = 0;
	v->tries = 0;
	v->ready = true;
	v->sick = false;
	v->word = WORD_SUCCESS;
	return !was_ready ? VERDICT_READY : was_sick ? VERDICT_WELL : VERDICT_STAY;
}

static enum verdict_news failed(struct verdict *v, const struct unit *u, msec_t now)
{
	uint32_t retries = u->health_retries ? u->health_retries : 1;

	v->successes = 0;
	if (!v->ready && now < v->counts_from)
		return VERDICT_STAY;
	v->counts_from = time_add(now, u->health_interval);
	v->failures += v->failures < UINT32_MAX;
	if (v->sick || v->failures >= retries)
		v->word = WORD_FAILURE;
	if (v->sick || v->failures < retries)
		return VERDICT_STAY;
	v->sick = true;
	return VERDICT_SICK;
}

enum verdict_news verdict_result(struct verdict *v, const struct unit *u, enum health_word result, msec_t now)
{
	enum verdict_news news = VERDICT_STAY;

	if (!v->asked)
		return VERDICT_STAY;
	v->asked = false;
	v->deadline = FOREVER;
	v->tries += v->tries < UINT8_MAX;
	switch (result) {
	case WORD_SUCCESS:
		news = succeeded(v);
		break;
	case WORD_FAILURE:
		news = failed(v, u, now);
		break;
	case WORD_DISABLED:
	case WORD_STARTING:
	case WORD_LOADING:
		v->successes = v->failures = 0;
		v->word = (uint8_t)result;
		break;
	case WORD_UNKNOWN:
	case WORD_WAITING:
	case N_WORDS:
		break;
	}
	v->due = time_add(now, pause_after(v, u));
	return news;
}

void verdict_stalled(struct verdict *v, msec_t late)
{
	v->counts_from = time_add(v->counts_from, late);
	v->deadline = time_add(v->deadline, late);
}

enum health_word health_of_exit(int code)
{
	switch (code) {
	case 0:
		return WORD_SUCCESS;
	case 59:
		return WORD_DISABLED;
	case 60:
		return WORD_STARTING;
	case 61:
		return WORD_LOADING;
	default:
		return WORD_FAILURE;
	}
}
