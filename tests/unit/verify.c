/* verify.c - tables made wrong in thousands of ways: each is refused, or can be followed to its last index. */
#include <stdlib.h>
#include <string.h>

#include "conf/kit/crc.h"
#include "conf/settings.h"
#include "tests/lib/tap.h"
#include "tests/lib/units.h"

static uint64_t state = 1;

static uint32_t draw(uint32_t below)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((state >> 32) * below >> 32);
}

static uint64_t walked;

static void walk_text(const struct table *t, text_at at)
{
	walked += strlen(table_text(t, at));
}

static void walk_texts(const struct table *t, list_at list)
{
	for (uint32_t i = 0; i < list_count(t, list); i++)
		walk_text(t, list_item(t, list, i));
}

static void walk_commands(const struct table *t, list_at list)
{
	for (uint32_t i = 0; i < list_count(t, list); i++) {
		const struct command *c = (const void *)table_words(t, list_item(t, list, i));

		walked += c->flags + c->line;
		for (uint32_t k = 0; k < c->argc; k++)
			walk_text(t, c->argv[k]);
		if (c->flags & CMD_ARGV0)
			walk_text(t, c->argv[1]);
	}
}

static void walk_origins(const struct table *t, list_at list)
{
	for (uint32_t i = 0; i < list_count(t, list); i++) {
		const struct origin *o = (const void *)table_words(t, list_item(t, list, i));

		walk_text(t, o->file);
		walk_text(t, o->value);
		walked += strlen(settings[o->setting].name);
	}
}

static void walk_unit(const struct table *t, const struct unit *u)
{
	const list_at commands[] = { u->pre, u->start, u->post, u->reload, u->stop, u->stop_post, u->condition,
				    u->health_cmd };
	const list_at texts[] = { u->env, u->env_files, u->pass_env, u->groups, u->layers, u->image_env, u->makes };
	const list_at statuses[] = { u->success, u->prevent, u->force }, ends[] = { u->on_failure, u->on_success };

	for (const text_at *at = &u->name; at <= &u->error_file; at++)
		walk_text(t, *at);
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		walk_commands(t, commands[i]);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		walk_texts(t, texts[i]);
	for (size_t i = 0; i < 3; i++)
		for (uint32_t k = 0; statuses[i] && k < STATUS_WORDS; k++)
			walked += list_item(t, statuses[i], k);
	for (size_t i = 0; i < 2; i++)
		for (uint32_t k = 0; k < list_count(t, ends[i]); k++)
			walked += table_unit(t, list_item(t, ends[i], k))->rank;
	for (uint32_t i = 0; i < list_count(t, u->mounts); i++) {
		const struct unit_mount *m = (const void *)table_words(t, list_item(t, u->mounts, i));

		walk_text(t, m->source);
		walk_text(t, m->target);
		walk_text(t, m->options);
	}
	for (uint32_t i = 0; i < list_count(t, u->limits); i++)
		walked += ((const struct unit_limit *)(const void *)table_words(t, list_item(t, u->limits, i)))->hard[1];
	for (uint32_t i = 0; i < list_count(t, u->needs); i++)
		walked += table_unit(t, EDGE_UNIT(list_item(t, u->needs, i)))->rank;
	for (uint32_t i = 0; i < list_count(t, u->serves); i++)
		walked += table_unit(t, EDGE_UNIT(list_item(t, u->serves, i)))->rank;
	if (u->root_from != NO_UNIT)
		walked += table_unit(t, u->root_from)->rank;
	walked += u->remain + u->critical + u->autostart + u->no_new_privs + u->ignore_sigpipe +
	      u->send_sigkill + u->send_sighup + u->shared_run + u->nice_set + u->oom_set;
	walk_origins(t, u->origins);
}

static void walk(const struct table *t)
{
	const struct house *h = &t->house;
	const list_at texts[] = { h->image_paths, h->default_env, h->tmpfs, h->mounts, h->sysctls };
	const text_at lone[] = { h->volume_path, h->control_group, h->host_socket, h->hostname, h->env_file,
				h->prelaunch, h->realinit };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		walk_texts(t, texts[i]);
	for (size_t i = 0; i < sizeof(lone) / sizeof(*lone); i++)
		walk_text(t, lone[i]);
	for (uint32_t i = 0; i < list_count(t, h->networks); i++)
		walk_texts(t, list_item(t, h->networks, i));
	walk_origins(t, h->origins);
	for (uint32_t i = 0; i < t->n_units; i++) {
		walk_unit(t, table_unit(t, i));
		walked += table_find(t, table_text(t, table_unit(t, i)->name));
	}
}

static void sign(struct table *t, size_t size)
{
	size_t after = offsetof(struct table, crc) + sizeof(t->crc);

	if (t->total >= after && t->total <= size)
		t->crc = crc32_of((const char *)t + after, t->total - after);
}

/* A copy of exactly that size. */
static struct table *copy_of(const struct table *t)
{
	struct table *copy = malloc(t->total);

	memcpy(copy, t, t->total);
	return copy;
}

static void test_sound(const struct table *t)
{
	struct table *copy = copy_of(t);

	CHECK(!table_verify(copy, t->total), "a table as the loader makes it is sound");
	walk(copy);
	CHECK(walked > 0, "and can be followed");
	copy->crc ^= 1;
	CHECK(table_verify(copy, t->total), "another checksum is told");
	free(copy);

	int short_ones = 0;

	for (uint32_t n = 0; n < t->total; n++) {
		char *part = malloc(n ? n : 1);

		memcpy(part, t, n);
		short_ones += table_verify((const void *)part, n) != NULL;
		free(part);
	}
	CHECK(short_ones == (int)t->total, "no beginning of it passes");
}

/* A change for which there must be a word, not just a crash that does not come. */
#define WRONG(t, change, words) do { \
	struct table *copy_ = copy_of(t); \
	struct unit *u_ = (void *)((char *)copy_ + copy_->units_at); \
	uint32_t *w_ = (void *)((char *)copy_ + copy_->words_at); \
	const char *said_; \
	(void)u_; \
	(void)w_; \
	change; \
	sign(copy_, (t)->total); \
	said_ = table_verify(copy_, (t)->total); \
	CHECK(said_ && strstr(said_, words), "%s: %s", #change, said_ ? said_ : "sound"); \
	free(copy_); \
} while (0)

static void test_named(const struct table *t, uint32_t web, uint32_t db)
{
	WRONG(t, copy_->magic++, "not a table");
	WRONG(t, copy_->version++, "not a table");
	WRONG(t, copy_->total++, "cut short");
	WRONG(t, copy_->total = 8, "cut short");
	WRONG(t, copy_->n_units = MAX_UNITS + 1, "areas");
	WRONG(t, copy_->n_units++, "areas");
	WRONG(t, copy_->units_at += 4, "areas");
	WRONG(t, copy_->words_at -= 4, "areas");
	WRONG(t, copy_->n_words = UINT32_MAX, "areas");
	WRONG(t, copy_->n_text = UINT32_MAX, "areas");
	WRONG(t, copy_->n_text--, "begin or end");
	WRONG(t, w_[0] = 1, "begin or end");
	WRONG(t, *((char *)copy_ + copy_->texts_at) = 'x', "begin or end");
	WRONG(t, u_[web].kind = N_UNIT_KINDS, "enum or bool");
	WRONG(t, memset(&u_[web].remain, 2, 1), "enum or bool");
	WRONG(t, memset(&u_[web].oom_set, 255, 1), "enum or bool");
	WRONG(t, u_[web].kill_signal = 65, "enum or bool");
	WRONG(t, u_[web].kill_signal = 0, "no signal");
	WRONG(t, u_[web].restart_sec = -1, "negative");
	WRONG(t, u_[web].health_startup_interval = INT64_MIN, "negative");
	WRONG(t, u_[web].name = 0, "no name");
	WRONG(t, u_[web].description = 0, "no name");
	WRONG(t, u_[web].error_file = copy_->n_text, "text lies outside");
	WRONG(t, u_[web].name = u_[db].name, "sorted");
	WRONG(t, u_[web].needs = copy_->n_words, "list is broken");
	WRONG(t, w_[u_[web].start] = UINT32_MAX, "list is broken");
	WRONG(t, w_[u_[web].start + 1] = copy_->n_words - 2, "list is broken");
	WRONG(t, w_[w_[u_[web].start + 1]] = 16, "list is broken");
	WRONG(t, w_[w_[u_[web].start + 1] + 2] = 0, "list is broken");
	WRONG(t, w_[w_[u_[web].start + 1] + 2] = UINT32_MAX - 2, "list is broken");
	WRONG(t, w_[w_[u_[web].start + 1] + 3] = copy_->n_text, "list is broken");
	WRONG(t, w_[w_[u_[web].mounts + 1]] = N_MOUNT_KINDS, "list is broken");
	WRONG(t, w_[w_[u_[web].mounts + 1] + 4] = 0, "list is broken");
	WRONG(t, w_[w_[u_[web].limits + 1]] = 16, "list is broken");
	WRONG(t, w_[w_[u_[web].limits + 1] + 2] = UINT32_MAX, "list is broken");
	WRONG(t, w_[u_[web].success] = 9, "list is broken");
	WRONG(t, w_[w_[u_[web].origins + 1]] = n_settings, "list is broken");
	WRONG(t, w_[u_[web].on_failure + 1] = copy_->n_units, "list is broken");
	WRONG(t, w_[u_[web].needs + 1] = EDGE(copy_->n_units, 1), "list is broken");
	WRONG(t, w_[u_[web].needs + 1] &= ~0xffu, "list is broken");
	WRONG(t, w_[u_[web].needs + 1] |= 0x80, "list is broken");
	WRONG(t, w_[u_[web].needs + 1] ^= EDGE_CONFLICTS, "one way");
	WRONG(t, u_[web].needs = 0, "one way");
	WRONG(t, u_[db].serves = 0, "one way");
	WRONG(t, u_[web].root_from = copy_->n_units, "nobody");
	WRONG(t, u_[web].root_from = web, "circles");
	WRONG(t, u_[db].root_from = web, "circles");
	WRONG(t, u_[web].rank = copy_->n_units, "out of range");
	WRONG(t, u_[web].health_port = 65536, "out of range");
	WRONG(t, u_[web].umask = 01000, "out of range");
	WRONG(t, u_[web].nice = 20, "out of range");
	WRONG(t, u_[web].health_cmd = 0, "no command");
	WRONG(t, (u_[web].load = LOAD_BAD, u_[web].fault = 0), "say why");
	WRONG(t, copy_->house.networks = copy_->n_words, "coppice.conf is broken");
	WRONG(t, w_[copy_->house.networks + 1] = copy_->n_words, "coppice.conf is broken");
	WRONG(t, copy_->house.realinit = copy_->n_text, "coppice.conf lies outside");
	WRONG(t, copy_->house.exit_policy = N_EXIT_POLICIES, "coppice.conf is out of range");
	WRONG(t, copy_->house.on_signal[64] = N_WISHES, "coppice.conf is out of range");
	WRONG(t, copy_->house.shutdown_timeout = -1, "coppice.conf is out of range");
}

/* Lists that share words would let a small table keep us busy for ever: units times the longest list. */
static void test_overlap(void)
{
	struct units u;
	char name[32], *lines = calloc(1, 64 << 10);
	size_t n = (size_t)snprintf(lines, 100, "[Service]\nExecStart=/x\n");

	units_open(&u);
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "u%d.service", i);
		units_put(&u, name, "[Service]\nExecStart=/x\n");
	}
	for (int i = 0; i < 3000; i++)
		n += (size_t)snprintf(lines + n, 100, "Environment=A=%d\n", i);
	units_put(&u, "long.service", lines);
	units_load(&u);

	struct table *copy = copy_of(u.table);
	struct unit *units = (void *)((char *)copy + copy->units_at);
	list_at list = units[table_find(copy, "long")].env;

	for (uint32_t i = 0; i < copy->n_units; i++)
		units[i].env = list;
	sign(copy, u.table->total);

	const char *said = table_verify(copy, u.table->total);

	CHECK(said && strstr(said, "list is broken"), "lists that all share the same words are refused: %s",
	      said ? said : "sound");
	free(copy);
	free(lines);
	units_close(&u);
}

static void test_random(const struct table *t, int rounds)
{
	static const uint32_t likely[] = { 0, 1, 2, 0xff, 0x100, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe,
					  UINT32_MAX };
	int refused = 0, sound = 0;

	for (int round = 0; round < rounds; round++) {
		struct table *copy = copy_of(t);
		uint32_t *words = (void *)copy, n = t->total / 4;

		for (uint32_t times = 1 + draw(3); times; times--) {
			uint32_t at = draw(n), other = draw(n);

			switch (draw(5)) {
			case 0: words[at] = likely[draw(sizeof(likely) / sizeof(*likely))]; break;
			case 1: words[at] = words[other]; break;
			case 2: words[at] += draw(9) - 4; break;
			case 3: words[at] = draw(n); break;
			default: ((unsigned char *)copy)[draw(t->total)] = (unsigned char)draw(256); break;
			}
		}
		sign(copy, t->total);
		if (table_verify(copy, t->total)) {
			refused++;
		} else {
			sound++;
			walk(copy);
		}
		free(copy);
	}
	CHECK(refused > rounds / 10 && sound > rounds / 10 && refused + sound == rounds,
	      "of %d random changes %d are refused, %d can be followed", rounds, refused, sound);
}

int main(void)
{
	struct units u;

	units_open(&u);
	units_put(&u, "coppice.conf",
		  "[Manager]\nDefaultEnvironment=A=b\nOnSIGHUP=dump\n[Sysctl]\nkernel.x=1\n[Network]\nInterface=eth1\n");
	units_put(&u, "db.service", "[Service]\nImage=pg\nExecStart=/bin/db\nVolume=data:/data\n");
	units_put(&u, "web.service",
		  "[Unit]\nDescription=Web\nRequires=db\nOnFailure=alarm\n[Service]\nRootFrom=db\n"
		  "ExecStartPre=-/bin/a\nExecStart=@/bin/b c d\nEnvironment=A=b\nEnvironmentFile=-/x\n"
		  "PassEnvironment=TZ\nSupplementaryGroups=a b\nBindPaths=/a:/b\nTmpfs=/t:size=1M\n"
		  "LimitNOFILE=1:2\nSuccessExitStatus=1 TERM\nHealthCmd=/bin/true\nStandardOutput=file:/o\n");
	units_put(&u, "alarm.service", "[Service]\nType=oneshot\nExecStart=/a\nExecStart=/b\n");
	units_put(&u, "bad.service", "[Service]\nBread=yes\n");
	units_put(&u, "all.target", "[Unit]\nWants=web db\n");
	if (!CHECK(units_load(&u) == 0 && u.table->n_units == 5, "a table to spoil: %s", units_said(&u)))
		return tap_done();
	test_sound(u.table);
	test_named(u.table, table_find(u.table, "web"), table_find(u.table, "db"));
	test_overlap();
	test_random(u.table, 30000);

	static const struct { const char *name, *unit; } names[] = {
		{ "web", "web" }, { "web.service", "web" }, { "web.container", "web" }, { "all.target", "all.target" }, { "all", NULL }, { "we", NULL }, { "webb", NULL }, { "", NULL },
		{ ".service", NULL }, { "zzz", NULL }, { "web.target", NULL }, { "all.target.service", "all.target" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct unit *unit = units_get(&u, names[i].name);

		CHECK((!unit && !names[i].unit) || (unit && names[i].unit &&
						    !strcmp(table_text(u.table, unit->name),
							    names[i].unit)), "the unit called \"%s\"", names[i].name);
	}
	units_close(&u);
	return tap_done();
}
