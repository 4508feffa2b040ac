/* load.c - directories: precedence, drop-ins, templates, masks, dependencies, and a thousand units at once. */
#include "conf/load.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/utsname.h>
#include <time.h>

#include "conf/compile.h"
#include "conf/envfile.h"
#include "conf/kit/seal.h"
#include "tests/lib/tap.h"
#include "tests/lib/units.h"

#define SERVICE "[Service]\nExecStart=/bin/x\n"

static const char *text(const struct units *u, text_at at)
{
	return table_text(u->table, at);
}

/* "a:3 b:1 ", the kinds of edges of a list. */
static const char *edges(const struct units *u, list_at list)
{
	static char out[512];
	struct text t = TEXT(out);

	out[0] = '\0';
	for (uint32_t i = 0; i < list_count(u->table, list); i++) {
		uint32_t e = list_item(u->table, list, i);

		text_fmt(&t, "%s:%u ", text(u, table_unit(u->table, EDGE_UNIT(e))->name), EDGE_KIND(e));
	}
	return out;
}

static void test_edges(void)
{
	struct units u;

	units_open(&u);
	units_put(&u, "a.service",
		  "[Unit]\nRequires=b\nWants=c\nBindsTo=d.container\nAfter=e missing.service\nBefore=f\n"
		  "PartOf=g\nConflicts=h\nRequisite=i\n" SERVICE);
	units_put(&u, "b.service", "[Unit]\nAfter=c\n" SERVICE);
	units_put(&u, "c.service", SERVICE);
	units_put(&u, "d.container", "[Container]\nImage=x\nExec=/x\n");
	units_put(&u, "e.target", "[Unit]\nWants=c b\nWants=c\n");
	for (const char *name = "fghi"; *name; name++)
		units_put(&u, (char[]){ *name, '.', 's', 'e', 'r', 'v', 'i', 'c', 'e', 0 }, SERVICE);
	units_put(&u, "z.service", SERVICE "[Install]\nWantedBy=e.target nowhere.target\nRequiredBy=f\n");
	CHECK(units_load(&u) == 0 && !u.findings.errors, "loads: %s", units_said(&u));

	const struct unit *a = units_get(&u, "a"), *c = units_get(&u, "c"), *f = units_get(&u, "f");
	const struct unit *e = units_get(&u, "e.target");

	CHECK(!strcmp(edges(&u, a->needs), "b:5 c:3 d:13 g:16 h:32 i:64 "), "what a needs: %s",
	      edges(&u, a->needs));
	CHECK(!strcmp(edges(&u, c->serves), "a:3 b:1 e.target:3 "), "whom c serves: %s", edges(&u, c->serves));
	CHECK(!strcmp(edges(&u, f->needs), "a:1 z:5 "), "Before= and RequiredBy= are edges of the other: %s",
	      edges(&u, f->needs));
	CHECK(!strcmp(edges(&u, e->needs), "b:3 c:3 z:3 "), "WantedBy= is a wish of the target: %s",
	      edges(&u, e->needs));
	CHECK(c->rank == 0 && units_get(&u, "b")->rank == 1 && a->rank == 2 && f->rank == 3,
	      "ranks: %u %u %u %u", c->rank, units_get(&u, "b")->rank, a->rank, f->rank);
	CHECK(units_get(&u, "a.service") == a && units_get(&u, "d.container") == units_get(&u, "d.service") &&
	      !units_get(&u, "e") && !units_get(&u, "e.service"), "names of one unit");
	CHECK(u.table->n_units == 10 && u.findings.n == 0, "%u units, no findings", u.table->n_units);
	/* After=e means e.service, which is not there; e.target is another unit. */
	units_close(&u);
}

static void test_precedence(void)
{
	static const char *const dirs[] = { "etc", "run", "usr" };
	struct units u;

	units_open(&u);
	units_put(&u, "usr/a.service", "[Service]\nExecStart=/usr/a\n");
	units_put(&u, "run/a.service", "[Service]\nExecStart=/run/a\n");
	units_put(&u, "etc/a.service", "[Service]\nExecStart=/etc/a\nRestartSec=1\nEnvironment=A=1\n");
	units_put(&u, "usr/b.service", "[Service]\nExecStart=/usr/b\n");
	units_put(&u, "usr/a.service.d/20-x.conf", "[Service]\nRestartSec=2\nEnvironment=B=2\n");
	units_put(&u, "etc/a.service.d/10-x.conf", "[Service]\nRestartSec=3\nEnvironment=C=3\n");
	units_put(&u, "run/a.service.d/30-same.conf", "[Service]\nEnvironment=RUN=1\n");
	units_put(&u, "usr/a.service.d/30-same.conf", "[Service]\nEnvironment=USR=1\n");
	units_put(&u, "run/service.d/05-all.conf", "[Service]\nNice=5\nEnvironment=ALL=1\n");
	units_put(&u, "usr/a.service.d/not-this.txt", "[Service]\nNice=7\n");
	units_put(&u, "usr/c@.service", "[Service]\nExecStart=/usr/c %i\nRestartSec=1\n");
	units_put(&u, "usr/c@.service.d/x.conf", "[Service]\nRestartSec=2\nEnvironment=WHO=template\n");
	units_put(&u, "usr/c@2.service.d/x.conf", "[Service]\nRestartSec=3\nEnvironment=WHO=instance\n");
	units_put(&u, "usr/d.service", SERVICE);

	char path[256];

	snprintf(path, sizeof(path), "%s/etc/d.service", u.dir);
	CHECK(symlink("/dev/null", path) == 0, "a mask");
	snprintf(path, sizeof(path), "%s/etc/c@1.service", u.dir);
	CHECK(symlink("../usr/c@.service", path) == 0, "an instance by a link");
	snprintf(path, sizeof(path), "%s/etc/c@2.service", u.dir);
	CHECK(symlink("../usr/c@.service", path) == 0, "and another");
	mkdir(strcat(strcpy(path, u.dir), "/run/b.service.d"), 0755);
	snprintf(path, sizeof(path), "%s/run/b.service.d/05-all.conf", u.dir);
	CHECK(symlink("/dev/null", path) == 0, "a masked drop-in");
	CHECK(units_load_from(&u, dirs, 3, 0) == 0 && !u.findings.n, "loads: %s", units_said(&u));

	const struct unit *a = units_get(&u, "a"), *b = units_get(&u, "b"), *d = units_get(&u, "d");
	const struct unit *c1 = units_get(&u, "c@1"), *c2 = units_get(&u, "c@2");
	const struct command *start = (const void *)table_words(u.table, list_item(u.table, a->start, 0));
	char env[256] = "";

	for (uint32_t i = 0; i < list_count(u.table, a->env); i++)
		strcat(strcat(env, text(&u, list_item(u.table, a->env, i))), " ");
	CHECK(!strcmp(text(&u, start->argv[0]), "/etc/a"), "the first directory wins");
	CHECK(a->restart_sec == 2000 && a->nice == 5 && a->nice_set,
	      "drop-ins in order of their names, whatever their directory: %lld", (long long)a->restart_sec);
	CHECK(!strcmp(env, "A=1 ALL=1 C=3 B=2 RUN=1 "),
	      "lists are added up, of two drop-ins of a name the first directory wins: %s", env);
	CHECK(b->nice == 0, "a masked drop-in masks the one for all");
	CHECK(c1->restart_sec == 2000 && c2->restart_sec == 3000,
	      "drop-ins of the template, and of the instance in their place");
	start = (const void *)table_words(u.table, list_item(u.table, c1->start, 0));
	CHECK(start->argc == 2 && !strcmp(text(&u, start->argv[1]), "1"), "%%i is the instance");
	CHECK(d->load == LOAD_MASKED && !d->autostart && !units_get(&u, "c@"),
	      "a link to /dev/null masks, a template is no unit");

	bool found = false;

	for (uint32_t i = 0; i < list_count(u.table, a->origins); i++) {
		const struct origin *o = (const void *)table_words(u.table, list_item(u.table, a->origins, i));

		snprintf(path, sizeof(path), "%s/usr/a.service.d/20-x.conf", u.dir);
		found |= !strcmp(text(&u, o->value), "2") && !strcmp(text(&u, o->file), path) && o->line == 2;
	}
	CHECK(found, "an origin tells file and line of a drop-in");
	units_close(&u);
}

static void test_templates(void)
{
	struct units u;

	units_open(&u);
	units_put(&u, "web.service",
		  "[Unit]\nRequires=db@main.service\nWants=cache@.service\nAfter=never@1\n" SERVICE);
	units_put(&u, "app.service", "[Unit]\nRequires=db@main cache@x\n" SERVICE);
	units_put(&u, "db@.service",
		  "[Unit]\nWants=cache@%i\n[Service]\nExecStart=/bin/db --name=%i --what=%p\n");
	units_put(&u, "cache@.container", "[Container]\nImage=cache\nExec=/bin/cache %i\n");
	units_put(&u, "never@.service", SERVICE);
	units_load(&u);
	CHECK(u.findings.errors == 1 && strstr(units_said(&u),
					       "web.service:3: Wants=: \"cache@.service\" is a template"), "a template cannot be wanted: %s", units_said(&u));
	CHECK(units_get(&u, "db@main") && units_get(&u, "cache@main") && units_get(&u, "cache@x") &&
	      !units_get(&u, "never@1"), "instances are made as they are needed, also by instances");
	CHECK(u.table->n_units == 5, "each once: %u", u.table->n_units);
	CHECK(!strcmp(edges(&u, units_get(&u, "db@main")->needs), "cache@main:3 "), "with edges: %s",
	      edges(&u, units_get(&u, "db@main")->needs));
	CHECK(units_load_from(&u, NULL, 0, 3) == 0 && u.table->n_units == 3 &&
	      strstr(units_said(&u),
		     "more than 3 units; raise --max-units"), "never more than asked for: %s", units_said(&u));
	units_close(&u);
}

static void test_autostart(void)
{
	struct units u;

	units_open(&u);
	units_put(&u, "a.service", "[Unit]\nOnFailure=alarm wanted both\nOnSuccess=done\n" SERVICE);
	units_put(&u, "alarm.service", SERVICE);
	units_put(&u, "done.service", "[Unit]\nAfter=a\n" SERVICE);
	units_put(&u, "wanted.service", SERVICE "[Install]\nWantedBy=multi-user.target\n");
	units_put(&u, "both.service", SERVICE);
	units_put(&u, "user.service", "[Unit]\nWants=both\n" SERVICE);
	units_put(&u, "bad.service", "[Service]\nBread=yes\n");
	units_put(&u, "t.target", "[Unit]\nDescription=t\n");
	units_put(&u, "v.volume", "[Volume]\n");
	units_load(&u);

	static const struct { const char *name; bool want; } cases[] = {
		{ "a", true }, { "alarm", false }, { "done", false }, { "wanted", true }, { "both", true }, { "user", true }, { "bad", false }, { "t.target", true }, { "v.volume", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct unit *unit = units_get(&u, cases[i].name);

		CHECK(unit && unit->autostart == cases[i].want, "%s is %sstarted at boot", cases[i].name,
		      cases[i].want ? "" : "not ");
	}

	const struct unit *a = units_get(&u, "a");

	CHECK(list_count(u.table, a->on_failure) == 3 &&
	list_item(u.table, a->on_failure, 0) == table_find(u.table, "alarm") &&
	list_count(u.table, a->on_success) == 1, "and OnFailure= names them");
	units_close(&u);
}

static void test_faults(void)
{
	struct units u;

	units_open(&u);
	units_put(&u, "bad.service", "[Service]\nExecStart=/bin/x\nBread=yes\nButter=yes\n");
	units_put(&u, "good.service", "[Unit]\nRequires=bad\n" SERVICE);
	units_put(&u, "a.service", "[Unit]\nAfter=b\n" SERVICE);
	units_put(&u, "b.service", "[Unit]\nAfter=c\n" SERVICE);
	units_put(&u, "c.service", "[Unit]\nAfter=a good\n" SERVICE);
	units_put(&u, "notes.txt", "not a unit");
	CHECK(units_load(&u) == 0 && u.table->findings == 3, "three errors: %s", units_said(&u));

	const struct unit *bad = units_get(&u, "bad"), *good = units_get(&u, "good");

	CHECK(bad->load == LOAD_BAD && !strcmp(text(&u, bad->fault),
					       "bad.service:3: unknown setting \"Bread\" in [Service]; remove it, or begin its name with X-"),
	      "a bad unit tells its first error: %s", text(&u, bad->fault));
	CHECK(good->load == LOAD_OK && good->rank == 1, "whoever needs it is sound");
	for (const char *name = "abc"; *name; name++) {
		const struct unit *unit = units_get(&u, (char[]){ *name, 0 });

		CHECK(unit->load == LOAD_BAD && !strcmp(text(&u, unit->fault),
							"a.service:2: a needs b needs c needs a; remove one of these"), "%c is in a circle: %s", *name, text(&u, unit->fault));
	}
	units_put(&u, "coppice.conf", "[Manager]\nDefaultNice=1\n");
	CHECK(units_load(&u) == 0 &&
	      strstr(units_said(&u),
		     "coppice.conf:2: DefaultNice=: there is no such default") &&
		     good, "coppice.conf is read too: %s", units_said(&u));
	units_close(&u);
}

static void test_images(void)
{
	struct units u;

	units_open(&u);
	units_put(&u, "stack.image", "[Image]\nLayer=base middle\nLayer=/srv/top\n");
	units_put(&u, "a.service", "[Service]\nImage=stack\nExtraLayers=mine\nExecStart=/x\n");
	units_put(&u, "b.service", "[Service]\nImage=stack.image\nExecStart=/x\nRootMode=pivot\n");
	units_put(&u, "c.service", "[Service]\nRootFrom=b\nExecStart=/x\n");
	units_put(&u, "d.service", "[Service]\nRootFrom=c\nExecStart=/x\n");
	units_put(&u, "e.service", "[Service]\nImage=plain\nExecStart=/x\n");
	CHECK(units_load(&u) == 0 && !u.findings.n, "loads: %s", units_said(&u));

	const struct unit *a = units_get(&u, "a"), *b = units_get(&u, "b"), *e = units_get(&u, "e");

	CHECK(!strcmp(text(&u, a->image), "base") && list_count(u.table, a->layers) == 3 &&
	      !strcmp(text(&u, list_item(u.table, a->layers, 1)), "/srv/top") &&
	      !strcmp(text(&u, list_item(u.table, a->layers, 2)),
		      "mine"), "an .image file's layers come below ExtraLayers=");
	CHECK(!strcmp(text(&u, b->image), "base") && list_count(u.table, b->layers) == 2 &&
	      !strcmp(text(&u, e->image), "plain") && !e->layers, "with and without its ending");
	CHECK(units_get(&u, "d")->root_from == table_find(u.table, "b") &&
	      units_get(&u, "c")->root_from == table_find(u.table,
							  "b"), "RootFrom= leads to whoever has the root");
	units_close(&u);
}

/* What one unit's settings imply for another. */
static void test_rules(void)
{
	struct units u;

	units_open(&u);
	units_put(&u, "plain.service", SERVICE);
	units_put(&u, "once.service", "[Service]\nType=oneshot\nExecStart=/x\nExecStart=/y\n");
	units_put(&u, "late.service", "[Service]\nType=oneshot\nTimeoutStartSec=5\nExecStart=/x\n");
	units_put(&u, "notify.service",
		  "[Service]\nType=notify\nExecStart=/x\nKillSignal=INT\nRestartSec=2min\n");
	units_put(&u, "watched.service", "[Service]\nWatchdogSec=5\nNotifyAccess=all\nExecStart=/x\n");
	units_put(&u, "check.service", "[Unit]\nDescription=The check\n[Service]\nHealthTcp=1\n");
	units_put(&u, "hidden.service", "[Service]\nHealthTcp=1\nHealthDisplay=\nOOMScoreAdjust=0\n");
	units_put(&u, "entry.container", "[Container]\nImage=x\nExec=/x\nHealthTcp=1\nUser=5:6\n");
	units_put(&u, "stop.service", "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStop=/x\n");
	CHECK(units_load(&u) == 0 && !u.findings.n, "loads: %s", units_said(&u));

	const struct unit *p = units_get(&u, "plain"), *n = units_get(&u, "notify"), *w = units_get(&u, "watched");
	const struct unit *c = units_get(&u, "check"), *e = units_get(&u, "entry");

	CHECK(p->type == TYPE_EXEC && p->timeout_start == 90000 && p->timeout_stop == 90000 &&
	      p->restart == RESTART_NO && p->restart_sec == 0 && p->restart_max_delay == 30000 &&
	      p->start_limit_burst == 5 && p->start_limit_interval == 10000 && p->kill_signal == 15 &&
	      p->final_signal == 9 && p->restart_signal == 15 && p->watchdog_signal == 6 &&
	      p->reload_signal == 0 && p->umask == 022 && p->ignore_sigpipe && p->send_sigkill &&
	      !p->send_sighup && !p->nice_set && !p->oom_set && !p->no_new_privs &&
	      p->out == OUT_LOG && p->err == OUT_LOG && p->overlay == OVERLAY_EPHEMERAL &&
	      p->root_mode == ROOT_AUTO && p->root_from == NO_UNIT && p->runtime_max == FOREVER &&
	      p->watchdog == 0 && p->notify_access == NOTIFY_NONE && p->health_kind == HEALTH_NONE &&
	      p->health_retries == 3 && p->health_interval == 30000 &&
	      p->health_status[0] == 200 && p->health_status[1] == 399 && p->log_ring == 65536 &&
	      p->bounding && !p->ambient, "a unit that says nothing");
	CHECK(!strcmp(text(&u, p->description), "plain") &&
	!strcmp(strrchr(text(&u, p->file), '/'), "/plain.service"), "is described by its name, and knows its file");
	CHECK(units_get(&u, "once")->timeout_start == FOREVER && units_get(&u, "late")->timeout_start == 5000,
	      "a oneshot may take its time, unless told otherwise");
	CHECK(n->notify_access == NOTIFY_MAIN && w->notify_access == NOTIFY_ALL && w->watchdog == 5000,
	      "Type=notify hears its main process");
	CHECK(n->restart_signal == 2 && n->restart_max_delay == 120000,
	      "RestartKillSignal= follows KillSignal=, the maximum follows RestartSec=");
	CHECK(c->type == TYPE_CHECK && !strcmp(text(&u, c->health_display), "The check"),
	      "only a health check: a check, shown by its description");
	CHECK(!*text(&u, units_get(&u, "hidden")->health_display) && units_get(&u, "hidden")->oom_set,
	      "an empty HealthDisplay= hides it");
	CHECK(e->type == TYPE_EXEC && !strcmp(text(&u, e->user), "5") &&
	      !strcmp(text(&u, e->group), "6"), "with a program it is a daemon, and user:group is two settings");
	CHECK(units_get(&u, "stop")->load == LOAD_OK, "a oneshot that remains may just stop");
	units_close(&u);
}

static void test_limits(void)
{
	struct units u;
	char *many = malloc(4 << 20);
	size_t n = (size_t)snprintf(many, 100, "[Service]\nExecStart=/x\n");

	units_open(&u);
	while (n < (3u << 20))
		n += (size_t)snprintf(many + n, 100, "Bread=yes\n");
	units_write(&u, "many.service", many, n);
	CHECK(units_load(&u) == 0 && u.findings.n == MAX_FINDINGS && u.findings.left_out > 300000 &&
	      u.findings.errors == u.findings.n + u.findings.left_out,
	      "%u findings are kept, %u left out", u.findings.n, u.findings.left_out);
	n = (size_t)snprintf(many, 100, "[Service]\nExecStart=/x\n");
	while (n < (3u << 20))
		n += (size_t)snprintf(many + n, 100, "Environment=\nEnvironment=A=b\n[Service]\n");
	units_write(&u, "many.service", many, n);

	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	CHECK(units_load(&u) == 0 && !u.findings.n, "a hundred thousand resets: %s", units_said(&u));
	clock_gettime(CLOCK_MONOTONIC, &b);
	CHECK(b.tv_sec - a.tv_sec < 10, "in %ld s", (long)(b.tv_sec - a.tv_sec));
	units_close(&u);
	free(many);
}

static void test_thousand(void)
{
	struct units u;
	struct timespec a, b;
	char name[64], lines[256];

	units_open(&u);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "s%d.service", i);
		snprintf(lines, sizeof(lines),
			 "[Unit]\nDescription=Number %d\nAfter=s%d\n[Service]\nExecStart=/bin/sleep %d\n"
			 "Restart=always\n", i, i ? i - 1 : 1000, i);
		units_put(&u, name, lines);
	}
	CHECK(units_load(&u) == 0, "a thousand units: %s", units_said(&u));
	clock_gettime(CLOCK_MONOTONIC, &a);
	units_load(&u);
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("# %.2f ms, %u bytes\n",
	       (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6, u.table->total);
	CHECK(u.table->n_units == 1000 && units_get(&u, "s999")->rank == 999,
	      "the last of the chain has rank %u", units_get(&u, "s999")->rank);
	units_close(&u);
}

/* The variables that all units have, joined with "|". */
static const char *variables(const struct table *t)
{
	static char out[512];
	struct text to = TEXT(out);

	out[0] = '\0';
	for (uint32_t i = 0; i < list_count(t, t->house.default_env); i++)
		text_fmt(&to, "%s|", table_text(t, list_item(t, t->house.default_env, i)));
	return out;
}

/* What a load with or without [Boot] EnvironmentFile= comes to; findings as "said". */
static const char *environment_of(const struct units *u, const char *config, bool environment, struct findings *fs)
{
	static char out[512];
	const char *dir = u->dir;
	void *table = NULL;
	size_t size = 0;
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", u->dir, config);
	int r = load_units(&(struct load_options){ .dirs = &dir, .n_dirs = 1, .config = path, .environment = environment }, fs, &table, &size);

	CHECK(r == 0 && !table_verify(table, size), "a sound table");
	(void)snprintf(out, sizeof(out), "%s", r == 0 ? variables(table) : "");
	free(table);
	return out;
}

static void test_environment(void)
{
	struct units u;
	char text[PATH_MAX + 200];
	struct findings fs = { 0 };

	units_open(&u);
	units_put(&u, "variables", "A=$(x)\n#B=no\n1=bad\nC='two\nlines'\nD=file\n");
	(void)snprintf(text, sizeof(text), "[Manager]\nDefaultEnvironment=D=default\n[Boot]\nEnvironmentFile=%s/variables\n", u.dir);
	units_put(&u, "coppice.conf", text);
	const char *have = environment_of(&u, "coppice.conf", true, &fs);

	CHECK(!strcmp(have, "A=$(x)|C=two\nlines|D=file|D=default|"), "the file's come first, as data: %s", have);
	CHECK(fs.n == 1 && fs.at[0].line == 3 && fs.warnings == 1, "a line that is none is a warning");
	findings_free(&fs);
	fs = (struct findings){ 0 };
	have = environment_of(&u, "coppice.conf", false, &fs);
	CHECK(!strcmp(have, "D=default|") && !fs.n, "who runs no units does not look into it: %s", have);
	findings_free(&fs);

	fs = (struct findings){ 0 };
	(void)snprintf(text, sizeof(text), "[Boot]\nEnvironmentFile=%s/nowhere\n", u.dir);
	units_put(&u, "missing.conf", text);
	have = environment_of(&u, "missing.conf", true, &fs);
	CHECK(!*have && fs.n == 1 && strstr(fs.at[0].text, "cannot be read"), "one that is missing is told");
	findings_free(&fs);
	fs = (struct findings){ 0 };
	(void)snprintf(text, sizeof(text), "[Boot]\nEnvironmentFile=-%s/nowhere\n", u.dir);
	units_put(&u, "optional.conf", text);
	have = environment_of(&u, "optional.conf", true, &fs);
	CHECK(!*have && !fs.n, "with - it is not");
	findings_free(&fs);

	/* One more than a process may have. */
	char *many = malloc((MAX_ENV + 1) * 8 + 1), *at = many;

	for (unsigned i = 0; i <= MAX_ENV; i++)
		at += snprintf(at, 9, "V%05u=\n", i);
	units_put(&u, "variables", many);
	free(many);
	fs = (struct findings){ 0 };
	(void)environment_of(&u, "coppice.conf", true, &fs);
	CHECK(fs.n == 1 && strstr(fs.at[0].text, "more than 4096 variables"), "too many are told");
	findings_free(&fs);
	units_close(&u);
}

static void test_online(void)
{
	struct units u;

	units_open(&u);
	units_put(&u, "a.service", "[Unit]\nAfter=network-online.target\n" SERVICE);
	units_put(&u, "b.service", "[Unit]\nRequires=network-online.target\n" SERVICE);
	CHECK(units_load(&u) == 0 && !u.findings.n, "the network needs no file: %s", units_said(&u));

	const struct unit *o = units_get(&u, ONLINE_TARGET);

	CHECK(o && o->kind == UNIT_TARGET && o->load == LOAD_OK && o->autostart && !*text(&u, o->file), "it is a target, and starts by itself");
	CHECK(o && !strcmp(edges(&u, o->serves), "a:1 b:5 "), "and whoever leans on it does: %s", o ? edges(&u, o->serves) : "");
	units_close(&u);

	units_open(&u);
	units_put(&u, "a.service", "[Unit]\nBefore=network-online.target\n" SERVICE "[Install]\nWantedBy=network-online.target\n");
	CHECK(units_load(&u) == 0 && u.table->n_units == 1, "nobody leans on it: it is not there");
	units_close(&u);

	units_open(&u);
	units_put(&u, "a.service", "[Unit]\nAfter=network-online.target\n" SERVICE);
	units_put(&u, "network-online.target", "[Unit]\nDescription=mine\n");
	CHECK(units_load(&u) == 0 && !strcmp(text(&u, units_get(&u, ONLINE_TARGET)->description), "mine"), "a file of that name is taken");
	units_close(&u);
}

static int told;

static void tell(const struct finding *f, void *self)
{
	(void)self;
	told += strstr(f->text, "Bread") != NULL;
}

static int n_sealed;

static void sealed(void *fd)
{
	n_sealed += seal_holds(*(const int *)fd);
}

/* The kernel's own words, without the dashes of a UUID. */
static void plain_line(const char *path, char into[64])
{
	char raw[64] = "";
	FILE *f = fopen(path, "r");

	if (f && !fgets(raw, sizeof(raw), f))
		raw[0] = '\0';
	if (f)
		fclose(f);
	for (const char *s = raw; *s && *s != '\n'; s++)
		if (*s != '-')
			*into++ = *s;
	*into = '\0';
}

static void test_host(void)
{
	struct units u;
	struct utsname names;
	char boot[64], machine[64], want[600];

	plain_line("/proc/sys/kernel/random/boot_id", boot);
	plain_line("/etc/machine-id", machine);
	if (uname(&names) < 0 || !*boot)
		exit(1);
	units_open(&u);
	units_put(&u, "a.service", "[Unit]\nDescription=%b %H %v %b\n[Service]\nExecStart=/x\n");
	units_put(&u, "m.service", "[Unit]\nDescription=%m\n[Service]\nExecStart=/x\n");
	(void)units_load(&u);
	(void)snprintf(want, sizeof(want), "%s %.100s %.100s %s", boot, names.nodename, names.release, boot);

	const struct unit *a = units_get(&u, "a"), *m = units_get(&u, "m");

	CHECK(a && !strcmp(text(&u, a->description), want), "the kernel's names are put in");
	if (*machine)
		CHECK(m && !strcmp(text(&u, m->description), machine), "and the machine's");
	else
		CHECK(m && m->load == LOAD_BAD, "a machine without a number has none to put in");
	units_close(&u);
}

static void test_memfd(void)
{
	struct units u;
	char *image = calloc(1, 1 << 20);
	int fd = seal_create("table");

	units_open(&u);
	units_put(&u, "a.service", "[Service]\nExecStart=/x\nBread=yes\n");

	const char *dir = u.dir;
	struct load_options o = { .dirs = &dir, .n_dirs = 1, .config = "" };

	if (fd < 0)
		exit(1);
	CHECK(!seal_holds(fd) && load_into(fd, &o, tell, sealed, &fd) == 0 && told == 1, "findings are told");
	CHECK(n_sealed == 1, "who waits is told once, of a table that is sealed");

	ssize_t n = pread(fd, image, 1 << 20, 0);
	CHECK(seal_holds(fd) && pwrite(fd, "x", 1, 0) < 0 && errno == EPERM && ftruncate(fd, 0) < 0, "it is sealed");
	CHECK(n > 0 && !table_verify((const void *)image, (size_t)n) &&
	      ((const struct table *)(const void *)image)->n_units == 1, "a sound table of %zd bytes is written", n);
	CHECK(load_into(fd, &o, NULL, sealed, &fd) == -EPERM && n_sealed == 1, "one that cannot be written is told to nobody");
	(void)close(fd);
	free(image);
	units_close(&u);
}

int main(void)
{
	test_edges();
	test_precedence();
	test_templates();
	test_autostart();
	test_faults();
	test_images();
	test_rules();
	test_limits();
	test_thousand();
	test_host();
	test_memfd();
	test_environment();
	test_online();
	return tap_done();
}
