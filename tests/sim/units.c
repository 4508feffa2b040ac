/* units.c - draws a table of units: a random graph without cycles, every setting that supervision looks at. */
#include "tests/sim/sim.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "conf/kit/crc.h"

#define MAX_WORDS 4096u
#define MAX_TEXT  1024u

static struct {
	struct table t;
	struct unit units[MAX_SIM_UNITS];
	uint32_t words[MAX_WORDS];
	char text[MAX_TEXT];
} house;

static uint32_t n_words, n_text;

static text_at text_add(const char *s)
{
	text_at at = n_text;
	size_t n = strlen(s) + 1;

	memcpy(house.text + n_text, s, n);
	n_text += (uint32_t)n;
	return at;
}

static uint32_t command_add(void)
{
	uint32_t at = n_words;

	house.words[n_words++] = chance(100) ? CMD_IGNORE : 0;
	house.words[n_words++] = 1;
	house.words[n_words++] = 1;
	house.words[n_words++] = 1; /* the text "/bin/x" */
	return at;
}

static list_at commands(uint32_t n)
{
	uint32_t at[4];

	if (n == 0)
		return 0;
	for (uint32_t k = 0; k < n; k++)
		at[k] = command_add();
	list_at list = n_words;
	house.words[n_words++] = n;
	for (uint32_t k = 0; k < n; k++)
		house.words[n_words++] = at[k];
	return list;
}

/* Mostly none, sometimes one, rarely two. */
static list_at some_commands(uint32_t thousandth)
{
	return commands(chance(thousandth) ? 1 + chance(300) : 0);
}

static list_at statuses(void)
{
	list_at list = n_words;

	if (!chance(100))
		return 0;
	house.words[n_words++] = STATUS_WORDS;
	for (uint32_t k = 0; k < STATUS_WORDS; k++)
		house.words[n_words++] = roll(4) ? 0 : roll(UINT32_MAX);
	return list;
}

static uint32_t some_edge(void)
{
	static const uint32_t kinds[] = {
		EDGE_AFTER, EDGE_AFTER, EDGE_WANTS | EDGE_AFTER, EDGE_WANTS | EDGE_AFTER, EDGE_REQUIRES | EDGE_AFTER,
		EDGE_REQUIRES | EDGE_AFTER, EDGE_BINDS | EDGE_REQUIRES | EDGE_AFTER, EDGE_PART_OF, EDGE_PART_OF | EDGE_AFTER,
		EDGE_CONFLICTS, EDGE_REQUISITE | EDGE_AFTER, EDGE_REQUISITE, EDGE_PART_OF | EDGE_REQUIRES | EDGE_AFTER,
		EDGE_CONFLICTS | EDGE_AFTER,
	};

	return kinds[roll(sizeof(kinds) / sizeof(kinds[0]))];
}

/* Edges lead to units of smaller `order`, so no cycle can arise whatever the names. */
static void edges(uint32_t n)
{
	uint32_t order[MAX_SIM_UNITS], kind[MAX_SIM_UNITS][MAX_SIM_UNITS] = { { 0 } };
	uint32_t density = roll(600);

	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	for (uint32_t i = n; i > 1; i--) {
		uint32_t j = roll(i), was = order[i - 1];

		order[i - 1] = order[j];
		order[j] = was;
	}
	for (uint32_t a = 1; a < n; a++) {
		struct unit *u = &house.units[order[a]];

		for (uint32_t b = 0; b < a; b++) {
			uint32_t other = order[b];

			if (!chance(density))
				continue;
			kind[order[a]][other] = some_edge();
			if (!(kind[order[a]][other] & (EDGE_CONFLICTS | EDGE_PART_OF)) && u->rank <= house.units[other].rank)
				u->rank = house.units[other].rank + 1;
		}
		if (chance(60) && u->root_from == NO_UNIT && u->image == 0) {
			u->root_from = order[roll(a)];
			if (house.units[u->root_from].kind != UNIT_SERVICE || house.units[u->root_from].image == 0 ||
			    house.units[u->root_from].type == TYPE_CHECK || house.units[u->root_from].type == TYPE_ONESHOT)
				u->root_from = NO_UNIT;
			else
				kind[order[a]][u->root_from] = EDGE_BINDS | EDGE_REQUIRES | EDGE_AFTER;
		}
	}
	for (uint32_t i = 0; i < n; i++) {
		uint32_t needs = n_words;

		house.words[n_words++] = 0;
		for (uint32_t j = 0; j < n; j++)
			if (kind[i][j])
				house.words[needs + ++house.words[needs]] = EDGE(j, kind[i][j]);
		n_words += house.words[needs];
		house.units[i].needs = house.words[needs] ? needs : 0;
		uint32_t serves = n_words;
		house.words[n_words++] = 0;
		for (uint32_t j = 0; j < n; j++)
			if (kind[j][i])
				house.words[serves + ++house.words[serves]] = EDGE(j, kind[j][i]);
		n_words += house.words[serves];
		house.units[i].serves = house.words[serves] ? serves : 0;
	}
}

static void health(struct unit *u)
{
	u->health_kind = (uint8_t)(u->type == TYPE_CHECK || chance(350) ? 1 + roll(N_HEALTH_KINDS - 1) : HEALTH_NONE);
	if (u->health_kind == HEALTH_NONE)
		return;
	u->health_interval = (world.hasty ? 1 : 500) + some_time(60000);
	u->health_timeout = (world.hasty ? 1 : 1000) + some_time(30000);
	u->health_start_period = chance(300) ? some_time(30000) : 0;
	u->health_startup_interval = chance(300) ? 1 + some_time(5000) : 0;
	u->health_retries = 1 + roll(4);
	u->on_sick = (uint8_t)roll(N_ON_SICKS);
	u->health_status[0] = 200;
	u->health_status[1] = 399;
	u->health_port = 80;
	if (u->health_kind == HEALTH_CMD)
		u->health_cmd = commands(1);
}

static void draw(struct unit *u, uint32_t i)
{
	static const enum svc_type types[] = { TYPE_EXEC, TYPE_EXEC, TYPE_EXEC, TYPE_SIMPLE, TYPE_ONESHOT, TYPE_ONESHOT,
					       TYPE_NOTIFY, TYPE_NOTIFY, TYPE_CHECK };
	static const uint8_t signals[] = { SIGTERM, SIGTERM, SIGTERM, SIGINT, SIGQUIT };
	char name[16];

	(void)snprintf(name, sizeof(name), "u%02u", i);
	*u = (struct unit){ .root_from = NO_UNIT };
	u->name = text_add(name);
	u->description = u->name;
	u->file = u->name;
	u->autostart = chance(700);
	u->timeout_start = u->timeout_stop = u->runtime_max = FOREVER;
	u->kill_signal = signals[roll(sizeof(signals))];
	u->final_signal = u->watchdog_signal = SIGKILL;
	u->restart_signal = u->kill_signal;
	u->reload_signal = SIGHUP;
	u->send_sigkill = true;
	u->restart_max_delay = 30000;
	if (chance(150)) {
		u->kind = UNIT_TARGET;
		return;
	}
	u->kind = UNIT_SERVICE;
	if (chance(30)) {
		u->load = chance(500) ? LOAD_BAD : LOAD_MASKED;
		u->fault = u->name;
		u->autostart = false;
	}
	u->type = (uint8_t)types[roll(sizeof(types) / sizeof(types[0]))];
	u->restart = (uint8_t)(chance(500) ? RESTART_ALWAYS : roll(N_RESTARTS));
	/* systemd.service(5) refuses the others for a oneshot, and so does conf/rules.c. */
	if (u->type == TYPE_ONESHOT && (u->restart == RESTART_ALWAYS || u->restart == RESTART_ON_SUCCESS))
		u->restart = RESTART_ON_FAILURE;
	u->restart_sec = chance(600) ? 0 : some_time(40000);
	if (chance(300))
		u->restart_max_delay = some_time(60000);
	u->restart_steps = chance(150) ? 1 + roll(6) : 0;
	u->start_limit_interval = chance(500) ? 10000 : some_time(100000);
	u->start_limit_burst = chance(200) ? 0 : 1 + roll(6);
	if (chance(800))
		u->timeout_start = (world.hasty ? 1 : 8000) + some_time(90000);
	if (chance(850))
		u->timeout_stop = (world.hasty ? 1 : 2000) + some_time(90000);
	if (world.hasty && chance(200))
		u->runtime_max = 1 + some_time(300000);
	if (chance(80))
		u->watchdog = (world.hasty ? 3 : 300) + some_time(30000);
	u->kill_mode = (uint8_t)(chance(700) ? KILL_GROUP : roll(N_KILL_MODES));
	u->notify_access = (uint8_t)(chance(800) ? NOTIFY_MAIN : roll(N_NOTIFY_ACCESSES));
	if (u->watchdog > 0 && u->notify_access == NOTIFY_NONE)
		u->notify_access = NOTIFY_MAIN;
	u->watchdog_signal = SIGABRT;
	if (chance(50))
		u->restart_signal = SIGUSR1;
	u->send_sigkill = !chance(20);
	u->send_sighup = chance(50);
	u->remain = chance(400);
	u->critical = chance(15);
	u->success = statuses();
	u->prevent = statuses();
	u->force = statuses();
	u->out = (uint8_t)(chance(600) ? OUT_LOG : OUT_NULL);
	u->err = (uint8_t)(chance(800) ? u->out : OUT_INHERIT);
	u->stop_priority = chance(60) ? (int32_t)roll(5) - 2 : 0;
	u->image = chance(200) ? u->name : 0;
	if (u->restart_max_delay < u->restart_sec)
		u->restart_max_delay = u->restart_sec;
	health(u);
	if (u->type == TYPE_CHECK)
		return;
	u->start = commands(u->type == TYPE_ONESHOT && chance(300) ? 2 : 1);
	u->condition = some_commands(60);
	u->pre = some_commands(150);
	u->post = some_commands(100);
	u->reload = some_commands(150);
	u->stop = some_commands(120);
	u->stop_post = some_commands(120);
}

const struct table *units_draw(void)
{
	uint32_t n = 1 + roll(MAX_SIM_UNITS);

	n_words = 1;
	n_text = 0;
	memset(&house.t, 0, sizeof(house.t));
	house.words[0] = 0;
	(void)text_add("");
	(void)text_add("/bin/x");
	for (uint32_t i = 0; i < n; i++)
		draw(&house.units[i], i);
	edges(n);
	if (chance(100))
		house.t.house.exit_policy = (uint8_t)roll(N_EXIT_POLICIES);
	house.t.magic = TABLE_MAGIC;
	house.t.version = TABLE_VERSION;
	house.t.n_units = n;
	house.t.units_at = (uint32_t)((char *)house.units - (char *)&house);
	house.t.words_at = (uint32_t)((char *)house.words - (char *)&house);
	house.t.n_words = n_words;
	house.t.texts_at = (uint32_t)(house.text - (char *)&house);
	house.t.n_text = n_text;
	house.t.total = sizeof(house);
	size_t after = offsetof(struct table, crc) + sizeof(house.t.crc);

	house.t.crc = crc32_of((const char *)&house + after, sizeof(house) - after);
	const char *wrong = table_verify(&house.t, sizeof(house));
	if (wrong)
		broke(P_WORLD, "a table that PID 1 would refuse: %s", wrong);
	return &house.t;
}
