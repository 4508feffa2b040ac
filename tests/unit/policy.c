/* policy.c - restarts, pauses and the start limit: small domains whole. */
#include "supervise/policy.h"

#include <signal.h>
#include <string.h>

#include "tests/lib/tap.h"

/* A table with nothing in it but words: enough for lists of statuses. */
static struct { struct table t; uint32_t words[64]; } house;

enum { LIST_SUCCESS = 1, LIST_PREVENT = 12, LIST_FORCE = 23 };

static void house_reset(void)
{
	memset(&house, 0, sizeof(house));
	house.t.words_at = (uint32_t)((char *)house.words - (char *)&house);
	house.words[LIST_SUCCESS] = house.words[LIST_PREVENT] = house.words[LIST_FORCE] = STATUS_WORDS;
}

static void list_code(list_at list, int code)
{
	house.words[list + 1 + (uint32_t)code / 32] |= 1u << (code % 32);
}

static void list_signal(list_at list, int sig)
{
	house.words[list + 9 + (uint32_t)(sig - 1) / 32] |= 1u << ((sig - 1) % 32);
}

static const struct unit plain = { .type = TYPE_EXEC, .restart_max_delay = 30000 };

/* systemd.service(5), the table under Restart=; the last three columns are ours. */
static void restart_table(void)
{
	static const char *const words[N_RESTARTS] = {
		[RESTART_NO] = "no", [RESTART_ALWAYS] = "always", [RESTART_ON_SUCCESS] = "on-success", [RESTART_ON_FAILURE] = "on-failure",
		[RESTART_ON_ABNORMAL] = "on-abnormal", [RESTART_ON_ABORT] = "on-abort", [RESTART_ON_WATCHDOG] = "on-watchdog",
	};
	/* clean, code, signal, timeout, watchdog, sick, skipped, no fork, and a oneshot that is done: x restarts, . does not. */
	static const char *const want[N_RESTARTS] = {
		[RESTART_NO]          = ".......x",
		[RESTART_ALWAYS]      = "xxxxxx.x",
		[RESTART_ON_SUCCESS]  = "x......x",
		[RESTART_ON_FAILURE]  = ".xxxxx.x",
		[RESTART_ON_ABNORMAL] = "..xxxx.x",
		[RESTART_ON_ABORT]    = "..x....x",
		[RESTART_ON_WATCHDOG] = "....x..x",
	};
	for (int r = 0; r < N_RESTARTS; r++) {
		char got[N_ENDINGS + 1] = "";
		bool verdicts = true;

		for (int how = 0; how < N_ENDINGS; how++) {
			struct unit u = plain;
			struct history h = { .streak = 0 };
			struct end e = { .how = (enum ending)how, .wanted = true };

			u.restart = (uint8_t)r;
			u.on_sick = SICK_KILL; /* leaves it to Restart= */
			struct judgement j = policy_judge(&house.t, &u, &h, &e, 7);

			got[how] = j.verdict == EV_AGAIN ? 'x' : '.';
			verdicts &= j.verdict == EV_AGAIN ? j.automatic && h.streak == 1 :
				    j.verdict == (how == END_CLEAN ? EV_DONE : how == END_SKIPPED ? EV_OVER : EV_FAIL) && !j.automatic && h.streak == 0;
		}
		CHECK(!strcmp(got, want[r]), "Restart=%s restarts after %s", words[r], got);
		CHECK(verdicts, "Restart=%s: whoever is not restarted is done, over or failed, and only restarts count", words[r]);
	}
}

static void asked_ends(void)
{
	struct unit u = plain;
	int right = 0, all = 0;

	u.restart = RESTART_ALWAYS;
	for (int how = 0; how < N_ENDINGS; how++) {
		for (int asked = ASKED_BY_HAND; asked <= ASKED_SHUTDOWN; asked++) {
			for (int wanted = 0; wanted < 2; wanted++) {
				struct history h = { .streak = 3 };
				struct end e = { .how = (enum ending)how, .asked = (enum asked)asked, .wanted = wanted };
				struct judgement j = policy_judge(&house.t, &u, &h, &e, 7);
				bool again = wanted && asked != ASKED_SHUTDOWN;

				all++;
				right += j.verdict == (again ? EV_AGAIN : EV_OVER) && j.rest == 0 && !j.automatic && h.streak == 3;
			}
		}
	}
	CHECK(right == all, "an end that was asked for is no failure, and comes again at once if wanted: %d of %d", right, all);
	for (int sick = 0; sick < N_ON_SICKS; sick++) {
		struct history h = { .streak = 0 };
		struct end e = { .how = END_SICK, .wanted = true };

		u.restart = sick == SICK_RESTART ? RESTART_NO : RESTART_ALWAYS;
		u.on_sick = (uint8_t)sick;
		bool again = policy_judge(&house.t, &u, &h, &e, 7).verdict == EV_AGAIN;
		CHECK(again == (sick == SICK_RESTART || sick == SICK_KILL), "HealthOnFailure= %d decides over Restart=, only kill leaves it", sick);
	}
}

/* All 256 codes and 64 signals, each kind of unit, with and without a list. */
static void clean_ends(void)
{
	for (int type = 0; type < N_TYPES; type++) {
		int wrong = 0, wrong_listed = 0, wrong_core = 0;
		struct unit u = plain;

		u.type = (uint8_t)type;
		for (int code = 0; code < 256; code++) {
			house_reset();
			u.success = 0;
			wrong += policy_clean(&house.t, &u, 1, code) != (code == 0);
			u.success = LIST_SUCCESS;
			wrong_listed += policy_clean(&house.t, &u, 1, code) != (code == 0);
			list_code(LIST_SUCCESS, code);
			wrong_listed += !policy_clean(&house.t, &u, 1, code);
			wrong_listed += policy_clean(&house.t, &u, 1, (code + 1) % 256) != (code == 255);
		}
		for (int sig = 1; sig <= 64; sig++) {
			bool gentle = type != TYPE_ONESHOT && (sig == SIGHUP || sig == SIGINT || sig == SIGTERM || sig == SIGPIPE);

			house_reset();
			u.success = 0;
			wrong += policy_clean(&house.t, &u, 2, sig) != gentle;
			wrong_core += policy_clean(&house.t, &u, 3, sig);
			u.success = LIST_SUCCESS;
			list_signal(LIST_SUCCESS, sig);
			wrong_listed += !policy_clean(&house.t, &u, 2, sig);
		}
		CHECK(wrong == 0, "type %d: every exit code and signal is clean or not, as systemd has it (%d wrong)", type, wrong);
		CHECK(wrong_listed == 0, "type %d: SuccessExitStatus= adds to them, one by one (%d wrong)", type, wrong_listed);
		CHECK(wrong_core == 0, "type %d: a core dump is never clean (%d wrong)", type, wrong_core);
	}
	house_reset();
	struct unit u = plain;
	u.success = LIST_SUCCESS;
	memset(&house.words[LIST_SUCCESS + 1], 0xff, STATUS_WORDS * 4);
	CHECK(!policy_clean(&house.t, &u, 1, 256) && !policy_clean(&house.t, &u, 1, -1) && !policy_clean(&house.t, &u, 2, 65) &&
	      !policy_clean(&house.t, &u, 2, 0), "numbers that are no code and no signal are in no list");
}

static void lists(void)
{
	struct unit u = plain;
	struct history h = { .streak = 0 };
	struct end e = { .how = END_CODE, .by_status = true, .exit_kind = 1, .exit_value = 7, .wanted = true };

	house_reset();
	u.prevent = LIST_PREVENT;
	u.force = LIST_FORCE;
	u.restart = RESTART_ALWAYS;
	list_code(LIST_PREVENT, 7);
	CHECK(policy_judge(&house.t, &u, &h, &e, 0).verdict == EV_FAIL, "RestartPreventExitStatus= overrules Restart=always");
	list_code(LIST_FORCE, 7);
	CHECK(policy_judge(&house.t, &u, &h, &e, 0).verdict == EV_FAIL, "and RestartForceExitStatus= as well");
	e.exit_value = 8;
	list_code(LIST_FORCE, 8);
	u.restart = RESTART_NO;
	CHECK(policy_judge(&house.t, &u, &h, &e, 0).verdict == EV_AGAIN, "RestartForceExitStatus= overrules Restart=no");
	e.by_status = false;
	CHECK(policy_judge(&house.t, &u, &h, &e, 0).verdict == EV_FAIL, "not where main did not end by itself");
	e = (struct end){ .how = END_CLEAN, .by_status = true, .exit_kind = 1, .exit_value = 0, .wanted = true };
	list_code(LIST_FORCE, 0);
	CHECK(policy_judge(&house.t, &u, &h, &e, 0).verdict == EV_AGAIN, "a clean end is forced to restart, too");
	u.type = TYPE_ONESHOT;
	CHECK(policy_judge(&house.t, &u, &h, &e, 0).verdict == EV_DONE, "but not that of a oneshot: it did its work");
	e = (struct end){ .how = END_SIGNAL, .by_status = true, .exit_kind = 2, .exit_value = SIGSEGV, .wanted = true };
	u.type = TYPE_EXEC;
	u.restart = RESTART_ALWAYS;
	list_signal(LIST_PREVENT, SIGSEGV);
	CHECK(policy_judge(&house.t, &u, &h, &e, 0).verdict == EV_FAIL, "a signal is in the lists as well");
}

static void pauses(void)
{
	static const msec_t doubled[] = { 0, 0, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000 };
	/* peers.md B.4: 100 ms, 30 s, 5 steps. Rounded down to whole ms. */
	static const msec_t stepped[] = { 0, 100, 313, 979, 3063, 9587, 30000, 30000 };
	struct unit u = plain;
	bool right = true;

	for (uint32_t n = 0; n < sizeof(doubled) / sizeof(doubled[0]); n++)
		right &= policy_rest(&u, n) == doubled[n];
	CHECK(right, "RestartSec=0: 0, 1 s, 2, 4, 8, 16, 30 s");
	CHECK(policy_rest(&u, UINT32_MAX) == 30000, "and never more, however often");
	u.restart_sec = 500;
	CHECK(policy_rest(&u, 1) == 500 && policy_rest(&u, 2) == 1000 && policy_rest(&u, 3) == 2000, "RestartSec=500ms doubles from there");
	u.restart_sec = 40000;
	CHECK(policy_rest(&u, 1) == 30000 && policy_rest(&u, 9) == 30000, "a RestartSec= above RestartMaxDelaySec= is cut to it");
	u = (struct unit){ .restart_sec = 100, .restart_max_delay = 30000, .restart_steps = 5 };
	for (uint32_t n = 1; n < sizeof(stepped) / sizeof(stepped[0]); n++)
		CHECK(policy_rest(&u, n) >= stepped[n] - 2 && policy_rest(&u, n) <= stepped[n] + 2, "RestartSteps=5: pause %u is %lld ms, about %lld",
		      n, (long long)policy_rest(&u, n), (long long)stepped[n]);
	u = (struct unit){ .restart_max_delay = FOREVER };
	CHECK(policy_rest(&u, 200) == FOREVER, "without a limit the pauses grow to for ever, and do not overflow");
	u = (struct unit){ .restart_max_delay = 0 };
	CHECK(policy_rest(&u, 1) == 0 && policy_rest(&u, 50) == 0, "RestartMaxDelaySec=0 means no pauses");
}

static void jitter(void)
{
	struct unit u = plain;
	msec_t least = FOREVER, most = 0;
	bool bounded = true;

	u.restart = RESTART_ALWAYS;
	for (uint32_t dice = 0; dice < 5000; dice++) {
		struct history h = { .streak = 2 };
		struct end e = { .how = END_CODE, .wanted = true };
		msec_t rest = policy_judge(&house.t, &u, &h, &e, dice * 2654435769u).rest;

		bounded &= rest >= 1800 && rest <= 2200;
		least = rest < least ? rest : least;
		most = rest > most ? rest : most;
	}
	CHECK(bounded && least < 1810 && most > 2190, "the third pause is 2 s, a tenth more or less: %lld to %lld", (long long)least, (long long)most);
	bool cut = true;
	for (uint32_t dice = 0; dice < 5000; dice++) {
		struct history h = { .streak = 20 };
		struct end e = { .how = END_CODE, .wanted = true };

		cut &= policy_judge(&house.t, &u, &h, &e, dice * 2654435769u).rest <= 30000;
	}
	CHECK(cut, "and never above RestartMaxDelaySec=");
	struct history h = { .streak = 5 };
	struct end e = { .how = END_CODE, .wanted = true, .ran = 29999 };
	(void)policy_judge(&house.t, &u, &h, &e, 0);
	CHECK(h.streak == 6, "a run shorter than the longest pause is one more in the row");
	e.ran = 30000;
	CHECK(policy_judge(&house.t, &u, &h, &e, 0).rest == 0 && h.streak == 1, "after a stable run the first pause is 0 again");
	h.streak = UINT32_MAX;
	e.ran = 0;
	(void)policy_judge(&house.t, &u, &h, &e, 0);
	CHECK(h.streak == UINT32_MAX, "the row does not start over by counting");
	u.restart_max_delay = 0;
	h.streak = 0;
	e.how = END_NO_FORK;
	CHECK(policy_judge(&house.t, &u, &h, &e, 0).rest >= REST_NO_FORK, "where the kernel would not fork there is a pause, whatever the unit says");
}

static void limits(void)
{
	struct unit u = { .start_limit_burst = 3, .start_limit_interval = 10000 };
	struct history h = { .starts = 0 };

	CHECK(policy_may_start(&u, &h, 5) && policy_may_start(&u, &h, 6) && policy_may_start(&u, &h, 7) && !policy_may_start(&u, &h, 8),
	      "three starts, and no fourth");
	CHECK(!policy_may_start(&u, &h, 10004) && h.starts == 3, "not at the last moment of the window, and what was refused does not count");
	CHECK(policy_may_start(&u, &h, 10005) && h.starts == 1, "a new window begins when the old one is over");
	policy_forgive(&h);
	CHECK(h.starts == 0 && h.streak == 0 && policy_may_start(&u, &h, 10006) && h.window == 10006, "forgiven: the window begins anew");
	u.start_limit_burst = 0;
	bool all = true;
	for (int k = 0; k < 100; k++)
		all &= policy_may_start(&u, &h, 10007);
	CHECK(all, "StartLimitBurst=0 is no limit");
	u = (struct unit){ .start_limit_burst = 1, .start_limit_interval = 0 };
	CHECK(policy_may_start(&u, &h, 1) && policy_may_start(&u, &h, 1), "nor is StartLimitIntervalSec=0");
	u.start_limit_interval = FOREVER;
	h = (struct history){ .starts = 0 };
	CHECK(policy_may_start(&u, &h, 1) && !policy_may_start(&u, &h, FOREVER - 1), "infinity: once, and never again");
}

int main(void)
{
	house_reset();
	restart_table();
	asked_ends();
	clean_ends();
	lists();
	pauses();
	jitter();
	limits();
	return tap_done();
}
