/* oci.c - configs of images: every form and what is taken of it, what is refused and in which words, and what becomes of it in a unit. */
#include "conf/oci.h"

#include "conf/load.h"
#include "conf/settings.h"
#include "tests/lib/tap.h"
#include "tests/lib/units.h"

/* ---- the reader ---- */

static void put_list(struct text *t, const char *name, const struct oci_words *w)
{
	if (w->said)
		text_fmt(t, " %s", name);
	for (uint32_t i = 0; i < w->n; i++)
		text_fmt(t, "%s<%s>", i ? "" : "=", w->at[i]);
}

static void put_text(struct text *t, const char *name, const char *value)
{
	if (value)
		text_fmt(t, " %s=%s", name, value);
}

static void put_number(struct text *t, const char *name, int64_t n)
{
	if (n)
		text_fmt(t, " %s=%lld", name, (long long)n);
}

/* All that was taken, in one line; findings behind it, each after a "!". */
static const char *summary(const char *json, size_t n)
{
	static char out[8192];
	static const char *const kinds[] = { "", " none", " cmd", " shell" };
	struct text t = TEXT(out);
	struct arena a = { 0 };
	struct findings fs = { 0 };
	struct oci o = { .file = NULL };
	int r = oci_read(json, n, "f.json", &a, &fs, &o);

	out[0] = '\0';
	if (r)
		text_fmt(&t, " returned %d", r);
	put_list(&t, "env", &o.env);
	put_list(&t, "entry", &o.entrypoint);
	put_list(&t, "cmd", &o.cmd);
	put_text(&t, "dir", o.workdir);
	put_text(&t, "user", o.user);
	put_list(&t, "groups", &o.groups);
	put_text(&t, "umask", o.umask);
	if (o.no_new_privs)
		text_put(&t, " nnp");
	put_text(&t, "stop", o.stop_signal);
	put_list(&t, "volumes", &o.volumes);
	text_put(&t, kinds[o.check_kind]);
	put_list(&t, "check", &o.check);
	put_number(&t, "interval", o.interval);
	put_number(&t, "timeout", o.timeout);
	put_number(&t, "start", o.start_period);
	put_number(&t, "startup", o.start_interval);
	put_number(&t, "retries", o.retries);
	put_list(&t, "shell", &o.shell);
	for (uint32_t i = 0; i < fs.n; i++) {
		text_put(&t, " !");
		finding_put(&t, &fs.at[i]);
	}
	findings_free(&fs);
	arena_free(&a);
	return *out == ' ' ? out + 1 : out;
}

#define KNOWN "it must be an OCI image config, a runtime config, or what docker inspect prints"
static const struct { const char *what, *json, *want; } forms[] = {
	{ "an OCI image config",
	  "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]},\"config\":{\"Env\":[\"PATH=/bin\",\"A=b=c\"],"
	  "\"Entrypoint\":[\"/e\"],\"Cmd\":[\"a b\",\"\"],\"WorkingDir\":\"/w\",\"User\":\"u:g\",\"StopSignal\":\"SIGQUIT\",\"Volumes\":{\"/v\":{},\"/w\":{}},"
	  "\"ExposedPorts\":{\"80/tcp\":{}},\"Labels\":{\"a\":\"b\"},\"Shell\":[\"/bin/bash\",\"-c\"],\"OnBuild\":null}}",
	  "env=<PATH=/bin><A=b=c> entry=</e> cmd=<a b><> dir=/w user=u:g stop=SIGQUIT volumes=</v></w> shell=</bin/bash><-c>" },
	{ "one that says nothing", "{\"architecture\":\"amd64\",\"rootfs\":{}}", "" },
	{ "nulls and empty texts", "{\"config\":{\"Env\":null,\"Entrypoint\":null,\"Cmd\":null,\"WorkingDir\":\"\",\"User\":\"\",\"Volumes\":null,\"Healthcheck\":null}}", "" },
	{ "docker inspect of an image", "[{\"Id\":\"sha256:1\",\"RepoTags\":[],\"ContainerConfig\":{\"Cmd\":[\"/wrong\"]},\"Config\":{\"Cmd\":[\"/right\"]},\"RootFS\":{\"Layers\":[\"x\"]}}]",
	  "cmd=</right>" },
	{ "docker inspect without ContainerConfig", "[{\"Config\":{\"Cmd\":[\"/x\"]}}]", "cmd=</x>" },
	{ "podman inspect, one object", "{\"Id\":\"1\",\"Config\":{\"Entrypoint\":[\"/x\"]}}", "entry=</x>" },
	{ "the config alone", "{\"Cmd\":[\"/x\"],\"User\":\"0\"}", "cmd=</x> user=0" },
	{ "a runtime config",
	  "{\"ociVersion\":\"1.0.2\",\"process\":{\"terminal\":true,\"user\":{\"uid\":7,\"gid\":8,\"additionalGids\":[9,10],\"umask\":63},\"args\":[\"sh\",\"-c\"],"
	  "\"env\":[\"A=1\"],\"cwd\":\"/w\",\"noNewPrivileges\":true,\"capabilities\":{\"bounding\":[]}},\"root\":{\"path\":\"rootfs\"},\"mounts\":[],"
	  "\"annotations\":{\"org.opencontainers.image.stopSignal\":\"SIGINT\"}}",
	  "env=<A=1> cmd=<sh><-c> dir=/w user=7:8 groups=<9><10> umask=0077 nnp stop=SIGINT" },
	{ "the small form", "{\"workdir\":\"/w\",\"user\":\"u\",\"entrypoint\":[\"/e\"],\"cmd\":null}", "entry=</e> dir=/w user=u" },
	{ "of a name that is there twice the last counts", "{\"config\":{\"Env\":[\"A=1\",\"AB=0\",\"A=2\",\"B=\"]}}", "env=<AB=0><A=2><B=>" },

	{ "CMD", "{\"config\":{\"Healthcheck\":{\"Test\":[\"CMD\",\"curl\",\"-f x\"],\"Interval\":5000000000,\"Timeout\":1,\"StartPeriod\":1000001,\"StartInterval\":2000000,\"Retries\":9}}}",
	  "cmd check=<curl><-f x> interval=5000 timeout=1 start=2 startup=2 retries=9" },
	{ "CMD-SHELL", "{\"config\":{\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"a || b\",\"more\"]}}}", "shell check=<a || b>" },
	{ "NONE", "{\"config\":{\"Healthcheck\":{\"Test\":[\"NONE\"]}}}", "none check" },
	{ "a check that is inherited", "{\"config\":{\"Healthcheck\":{\"Test\":[],\"Interval\":0}}}", "" },
	{ "a check of nothing", "{\"config\":{\"Healthcheck\":{\"Test\":[\"CMD\"]}}}",
	  "check !f.json: Healthcheck.Test: names no command; write [\"CMD-SHELL\", \"command\"], or [\"NONE\"]" },
	{ "a check in other words", "{\"config\":{\"Healthcheck\":{\"Test\":[\"curl\"]}}}",
	  "check !f.json: Healthcheck.Test: begins with none of NONE, CMD and CMD-SHELL; write [\"CMD-SHELL\", \"command\"]" },
	{ "a time that is negative", "{\"config\":{\"Healthcheck\":{\"Timeout\":-1,\"Retries\":-2}}}",
	  "!f.json: Healthcheck.Timeout: -1 is negative; write nanoseconds, or 0 for the default !f.json: Healthcheck.Retries: -2 is negative; write 0 for the default" },
	{ "a time in words", "{\"config\":{\"Healthcheck\":{\"Interval\":\"5s\"}}}", "!f.json: Healthcheck.Interval: is a text; write nanoseconds, as a whole number" },

	{ "nothing", "", "!f.json:1: is no JSON: '[' or '{' expected near end of file; mend it there" },
	{ "no JSON", "{\"config\":\n{", "!f.json:2: is no JSON: string or '}' expected near end of file; mend it there" },
	{ "a key twice", "{\"config\":{},\"config\":{}}", "!f.json:1: is no JSON: duplicate object key near '\"config\"'; mend it there" },
	{ "more behind it", "{} {}", "!f.json:1: is no JSON: end of file expected near '{'; mend it there" },
	{ "a NUL in a text", "{\"config\":{\"User\":\"a\\u0000b\"}}", "!f.json:1: is no JSON: \\u0000 is not allowed without JSON_ALLOW_NUL near '\"a\\u0000b\"'; mend it there" },
	{ "bytes that are no UTF-8", "{\"config\":{\"User\":\"\xff\"}}", "!f.json:-: unable to decode byte 0xff" },
	{ "nothing of ours", "{\"a\":1}", "!f.json: says nothing that we know; " KNOWN },
	{ "a list of two", "[{},{}]", "!f.json: has 2 images or containers; it must be one: ask docker inspect for a single name" },
	{ "a list of none", "[]", "!f.json: has 0 images or containers; it must be one: ask docker inspect for a single name" },
	{ "a list in a list", "[[]]", "!f.json: is an array; " KNOWN },
	{ "a manifest", "{\"schemaVersion\":2,\"config\":{\"digest\":\"sha256:1\"},\"layers\":[]}", "!f.json: is the manifest or index of an image, not its config; take the file that config.digest names" },
	{ "an index", "{\"schemaVersion\":2,\"manifests\":[]}", "!f.json: is the manifest or index of an image, not its config; take the file that config.digest names" },
	{ "a config that is none", "{\"config\":[]}", "!f.json: config: is an array; write an object with Cmd in it" },
	{ "a process that is none", "{\"process\":7}", "!f.json: process: is a number; write an object with args in it" },
	{ "everything of the wrong type", "{\"config\":{\"Env\":{},\"Entrypoint\":\"/e\",\"Cmd\":[1],\"WorkingDir\":1.5,\"User\":0,\"StopSignal\":15,\"Volumes\":[],\"Healthcheck\":true,\"Shell\":\"x\"}}",
	  "!f.json: Env: is an object; write an array of texts, such as [\"/bin/app\", \"-v\"] !f.json: Entrypoint: is a text; write an array of texts, such as [\"/bin/app\", \"-v\"] "
	  "!f.json: Cmd: item 1 is a number; write a text !f.json: WorkingDir: is a number with a fraction; write a text !f.json: User: is a number; write a text "
	  "!f.json: StopSignal: is a number; write a text !f.json: Volumes: is an array; write an object, such as {\"/data\": {}} "
	  "!f.json: Healthcheck: is true; write an object with Test in it !f.json: Shell: is a text; write an array of texts, such as [\"/bin/app\", \"-v\"]" },
	{ "variables that are none", "{\"config\":{\"Env\":[\"A\",\"=b\",\"\",\"odd.name=1\"]}}",
	  "env=<A><=b><><odd.name=1> !f.json: Env: \"A\" is not NAME=value; write it so, or leave it out !f.json: Env: \"=b\" is not NAME=value; write it so, or leave it out "
	  "!f.json: Env: \"\" is not NAME=value; write it so, or leave it out" },
	{ "ids that nobody has", "{\"process\":{\"user\":{\"uid\":-1,\"gid\":0,\"additionalGids\":[4294967295,\"a\"]}}}",
	  "groups !f.json: process.user.uid: -1 is no id; write 0 to 4294967294 !f.json: process.user.additionalGids: 4294967295 is no id; write 0 to 4294967294 "
	  "!f.json: process.user.additionalGids: is a text; write a number" },
};

static void test_forms(void)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		const char *got = summary(forms[i].json, strlen(forms[i].json)), *want = forms[i].want;
		const char *dash = strstr(want, ":-:");

		/* Where the library's own words differ from one version to the next, only what is ours is looked at. */
		if (dash)
			CHECK(strstr(got, dash + 3) && strchr(got, '!'), "%s: %s", forms[i].what, got);
		else
			CHECK(!strcmp(got, want), "%s: %s", forms[i].what, got);
	}
}

/* `before`, then `piece` n times, then `after`. */
static const char *repeated(const char *before, const char *piece, size_t n, const char *after)
{
	static char *text;
	size_t k = strlen(piece);

	free(text);
	text = malloc(strlen(before) + n * k + strlen(after) + 1);
	strcpy(text, before);
	for (size_t i = 0; i < n; i++)
		memcpy(text + strlen(before) + i * k, piece, k);
	strcpy(text + strlen(before) + n * k, after);
	return text;
}

static void test_limits(void)
{
	const char *s = repeated("{\"config\":{\"Labels\":{\"a\":\"", "x", MAX_OCI - 30, "\"}}}");

	CHECK(!strcmp(summary(s, MAX_OCI), ""), "a config as large as may be: %zu bytes", strlen(s));
	s = repeated("{\"config\":{\"Labels\":{\"a\":\"", "x", MAX_OCI - 29, "\"}}}");
	CHECK(strstr(summary(s, strlen(s)), "is larger than 1024 KiB"), "one byte more: %s", summary(s, strlen(s)));
	s = repeated("{\"config\":{},\"x\":", "[", MAX_OCI_DEPTH - 1, "");
	CHECK(strstr(summary(s, strlen(s)), "is no JSON"), "as deep as may be, and not closed");
	s = repeated("{\"config\":{},\"x\":", "[", MAX_OCI_DEPTH, "");
	CHECK(strstr(summary(s, strlen(s)), "is nested deeper than 32 levels"), "one level more: %s", summary(s, strlen(s)));
	s = repeated("{\"config\":{\"User\":\"", "[{\\\"", 100, "\"}}");
	CHECK(!strncmp(summary(s, strlen(s)), "user=[{\"[{", 10), "what stands in a text is not deep");
	s = repeated("{\"config\":{\"Cmd\":[\"x\"", ",\"x\"", MAX_OCI_WORDS - 1, "]}}");
	CHECK(!strchr(summary(s, strlen(s)), '!'), "as many words as may be");
	s = repeated("{\"config\":{\"Cmd\":[\"x\"", ",\"x\"", MAX_OCI_WORDS, "]}}");
	CHECK(strstr(summary(s, strlen(s)), "Cmd: has 4097 items; 4096 are the most"), "one word more: %s", summary(s, strlen(s)));
}

static void test_env_file(void)
{
	static const char text[] = "A=1\n\n#B=2\r\nC=\"q\" 'r' \\n $x\r\nbad\nOLD=new\n=x\nLAST=end";
	static const char config[] = "{\"config\":{\"Env\":[\"OLD=1\",\"KEPT=1\"]}}";
	struct arena a = { 0 };
	struct findings fs = { 0 };
	struct oci o = { .file = NULL };
	char got[512] = "";
	struct text t = TEXT(got);

	oci_read(config, sizeof(config) - 1, "f.json", &a, &fs, &o);
	oci_read_env(text, sizeof(text) - 1, "f.env", &a, &fs, &o);
	put_list(&t, "env", &o.env);
	for (uint32_t i = 0; i < fs.n; i++) {
		text_put(&t, " !");
		finding_put(&t, &fs.at[i]);
	}
	CHECK(!strcmp(got, " env=<KEPT=1><A=1><C=\"q\" 'r' \\n $x><OLD=new><LAST=end> !f.env:5: this is not NAME=value; write it so, or put # before it "
			   "!f.env:7: this is not NAME=value; write it so, or put # before it"), "lines of NAME.env as they are:%s", got);
	findings_free(&fs);
	arena_free(&a);
}

/* ---- in a unit ---- */

/* "flags:word,word" of the first command of a list. */
static const char *command(const struct units *u, list_at list)
{
	static char out[1024];
	struct text t = TEXT(out);

	out[0] = '\0';
	if (!list_count(u->table, list))
		return out;

	const struct command *c = (const void *)table_words(u->table, list_item(u->table, list, 0));

	text_fmt(&t, "%u:", c->flags);
	for (uint32_t i = 0; i < c->argc; i++)
		text_fmt(&t, "%s%s", i ? "," : "", table_text(u->table, c->argv[i]));
	return out;
}

static const char *texts(const struct units *u, list_at list)
{
	static char out[1024];
	struct text t = TEXT(out);

	out[0] = '\0';
	for (uint32_t i = 0; i < list_count(u->table, list); i++)
		text_fmt(&t, "%s|", table_text(u->table, list_item(u->table, list, i)));
	return out;
}

/* "name on target (flags)|" */
static const char *mounts(const struct units *u, const struct unit *unit)
{
	static char out[1024];
	struct text t = TEXT(out);

	out[0] = '\0';
	for (uint32_t i = 0; i < list_count(u->table, unit->mounts); i++) {
		const struct unit_mount *m = (const void *)table_words(u->table, list_item(u->table, unit->mounts, i));

		text_fmt(&t, "%s on %s%s|", table_text(u->table, m->source), table_text(u->table, m->target), m->flags & MOUNT_IMPLIED ? " implied" : "");
	}
	return out;
}

/* Where a setting's last origin lies, and what it says: "FILE:LINE value". */
static const char *origin(const struct units *u, const struct unit *unit, const char *setting)
{
	static char out[1024];
	struct text t = TEXT(out);

	out[0] = '\0';
	for (uint32_t i = 0; i < list_count(u->table, unit->origins); i++) {
		const struct origin *o = (const void *)table_words(u->table, list_item(u->table, unit->origins, i));

		if (strcmp(settings[o->setting].name, setting) != 0)
			continue;
		t = TEXT(out);
		const char *file = table_text(u->table, o->file);

		text_fmt(&t, "%s:%u %s", strncmp(file, u->dir, strlen(u->dir)) ? file : file + strlen(u->dir), o->line, table_text(u->table, o->value));
	}
	return out;
}

static void open_images(struct units *u)
{
	char lines[256];

	units_open(u);
	snprintf(lines, sizeof(lines), "[Manager]\nImagePath=\nImagePath=%s/none %s/images %s/more\n", u->dir, u->dir, u->dir);
	units_put(u, "coppice.conf", lines);
}

static void test_defaults(void)
{
	struct units u;

	open_images(&u);
	units_put(&u, "images/web/bin/x", "");
	units_put(&u, "images/web.json",
		  "{\"config\":{\"Env\":[\"PATH=/opt/bin\",\"A=image\",\"odd.name=1 2\",\"P=100%\"],\"Entrypoint\":[\"/docker-entrypoint.sh\",\"$HOME 50%\"],"
		  "\"Cmd\":[\"nginx\",\"-g\",\"daemon off;\"],"
		  "\"WorkingDir\":\"/srv/w%\",\"User\":\"www:staff\",\"StopSignal\":\"sigquit\",\"Volumes\":{\"/data/x-y/\":{},\"/own\":{}},"
		  "\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"echo 5% || exit 1\"],\"Interval\":5000000000,\"Retries\":7},\"ExposedPorts\":{\"80/tcp\":{}}}}");
	units_put(&u, "images/web.env", "A=env\n");
	units_put(&u, "a.service", "[Service]\nImage=web\n");
	units_put(&u, "b.service",
		  "[Service]\nImage=web\nExecStart=/bin/own $X\nEnvironment=A=unit\nUser=root\nWorkingDirectory=/\nKillSignal=TERM\nHealthTcp=80\nVolume=mine:/own/\n");
	units_put(&u, "c.container", "[Container]\nImage=web\nExec=-v $X 'y z'\nGroup=adm\nHealthInterval=1s\n");
	units_put(&u, "d.container", "[Container]\nImage=web\nEntrypoint=/bin/tool --all\nHealthCmd=none\n");
	units_put(&u, "e.container", "[Container]\nImage=web\nEntrypoint=[\"/bin/a b\", \"$X\"]\nExec=c\n");
	units_put(&u, "e.container.d/no-user.conf", "[Container]\nUser=nobody\n");
	if (!CHECK(units_load(&u) == 0 && !u.findings.n, "loads: %s", units_said(&u)))
		return;

	const struct unit *a = units_get(&u, "a"), *b = units_get(&u, "b"), *c = units_get(&u, "c"), *d = units_get(&u, "d"), *e = units_get(&u, "e");

	CHECK(!strcmp(command(&u, a->start), "0:/docker-entrypoint.sh,$$HOME 50%,nginx,-g,daemon off;"), "entrypoint and command, and nothing expanded: %s", command(&u, a->start));
	CHECK(!strcmp(texts(&u, a->image_env), "PATH=/opt/bin|odd.name=1 2|P=100%|A=env|") && !a->env, "its environment, NAME.env last: %s", texts(&u, a->image_env));
	CHECK(!strcmp(table_text(u.table, a->user), "www") && !strcmp(table_text(u.table, a->group), "staff") && !strcmp(table_text(u.table, a->workdir), "/srv/w%") &&
	      a->kill_signal == 3 && a->restart_signal == 3, "user, group, directory, stop signal");
	CHECK(!strcmp(texts(&u, a->makes), "/srv/w%|"), "the directory is made: %s", texts(&u, a->makes));
	CHECK(!strcmp(mounts(&u, a), "a+data-x\\x2dy on /data/x-y implied|a+own on /own implied|"), "volumes by unit and path: %s", mounts(&u, a));
	CHECK(a->health_kind == HEALTH_CMD && !strcmp(command(&u, a->health_cmd), "2:/bin/sh,-c,echo 5% || exit 1"), "a check by shell: %s", command(&u, a->health_cmd));
	CHECK(a->health_interval == 5000 && a->health_timeout == 30000 && a->health_start_period == 0 && a->health_retries == 7, "its times, and Docker's defaults");
	CHECK(!strcmp(origin(&u, a, "Entrypoint"), "/images/web.json:0 /docker-entrypoint.sh \"$$HOME 50%\"") &&
	      !strcmp(origin(&u, a, "User"), "/images/web.json:0 www:staff") && !strcmp(origin(&u, a, "HealthInterval"), "/images/web.json:0 5000ms") &&
	      !strcmp(origin(&u, a, "Environment"), "/images/web.json:0 A=env"), "origins are the config: %s", origin(&u, a, "Entrypoint"));

	CHECK(!strcmp(command(&u, b->start), "0:/bin/own,$X") && !strcmp(table_text(u.table, b->user), "root") && !b->group && b->kill_signal == 15 &&
	      !strcmp(table_text(u.table, b->workdir), "/") && !b->makes, "a unit's own word replaces its image's, each by itself");
	CHECK(!strcmp(texts(&u, b->env), "A=unit|") && strstr(texts(&u, b->image_env), "A=env|"), "environments are kept apart, for the unit's to win");
	CHECK(b->health_kind == HEALTH_TCP && b->health_interval == 30000 && b->health_retries == 3, "a check of its own has times of its own");
	CHECK(!strcmp(mounts(&u, b), "mine on /own/|b+data-x\\x2dy on /data/x-y implied|"), "what it mounts there itself counts: %s", mounts(&u, b));
	CHECK(!*origin(&u, b, "Entrypoint"), "what is not used has no origin");

	CHECK(!strcmp(command(&u, c->start), "0:/docker-entrypoint.sh,$$HOME 50%,-v,$X,y z"), "Exec= replaces Cmd, and knows variables: %s", command(&u, c->start));
	CHECK(!strcmp(table_text(u.table, c->user), "www") && !strcmp(table_text(u.table, c->group), "adm"), "Group= replaces the group alone");
	CHECK(c->health_kind == HEALTH_CMD && c->health_interval == 1000 && c->health_retries == 7, "HealthInterval= changes the image's check");
	CHECK(!strcmp(origin(&u, c, "Exec"), "c.container:3 -v $X 'y z'") && !strncmp(origin(&u, c, "Entrypoint"), "/images/web.json", 16), "each part from where it is");

	CHECK(!strcmp(command(&u, d->start), "0:/bin/tool,--all") && d->health_kind == HEALTH_NONE, "Entrypoint= drops Cmd as docker does; HealthCmd=none the check: %s",
	      command(&u, d->start));
	CHECK(!strcmp(command(&u, e->start), "0:/bin/a b,$$X,c") && !e->group, "Entrypoint= in JSON, as it is; User= drops the image's group: %s", command(&u, e->start));
	units_close(&u);
}

static void test_places(void)
{
	struct units u;
	char link[256];

	open_images(&u);
	units_put(&u, "images/bundle/rootfs/bin/x", "");
	units_put(&u, "images/bundle/config.json", "{\"process\":{\"args\":[\"./run\",\"1\"],\"cwd\":\"/app\",\"user\":{\"uid\":5,\"gid\":6}}}");
	units_put(&u, "images/beside/rootfs/bin/x", "");
	units_put(&u, "images/beside.json", "{\"workdir\":\"\",\"user\":\"7\",\"entrypoint\":[\"tool\"],\"cmd\":[]}");
	units_put(&u, "images/envonly/bin/x", "");
	units_put(&u, "images/envonly.env", "A=1\n");
	units_put(&u, "images/first/bin/x", "");
	units_put(&u, "more/first.json", "{\"config\":{\"Cmd\":[\"/wrong\"]}}");
	units_put(&u, "more/first/bin/x", "");
	units_put(&u, "images/linked/rootfs/bin/x", "");
	units_put(&u, "secret.json", "{\"config\":{\"Cmd\":[\"/secret\"]}}");
	snprintf(link, sizeof(link), "%s/images/linked/config.json", u.dir);
	CHECK(symlink("../../secret.json", link) == 0, "a link in a bundle");
	units_put(&u, "stack.image", "[Image]\nLayer=beside top\n");
	units_put(&u, "bundle.service", "[Service]\nImage=bundle\n");
	units_put(&u, "beside.service", "[Service]\nImage=beside\n");
	units_put(&u, "layered.service", "[Service]\nImage=stack\n");
	units_put(&u, "envonly.service", "[Service]\nImage=envonly\nExecStart=/x\n");
	units_put(&u, "first.service", "[Service]\nImage=first\n");
	units_put(&u, "linked.service", "[Service]\nImage=linked\nExecStart=/x\n");
	units_put(&u, "template@.service", "[Service]\nImage=%i\n");
	units_put(&u, "user.service", "[Unit]\nWants=template@beside\n[Service]\nExecStart=/x\n");
	units_load(&u);
	CHECK(!strcmp(command(&u, units_get(&u, "bundle")->start), "8:/app/./run,./run,1"), "a bundle; a relative program begins in its directory: %s",
	      command(&u, units_get(&u, "bundle")->start));
	CHECK(!strcmp(command(&u, units_get(&u, "beside")->start), "0:tool") && !strcmp(table_text(u.table, units_get(&u, "beside")->user), "7"), "NAME.json beside a bundle without one");
	CHECK(!strcmp(command(&u, units_get(&u, "layered")->start), "0:tool"), "the lowest layer of a .image file");
	CHECK(!strcmp(texts(&u, units_get(&u, "envonly")->image_env), "A=1|"), "NAME.env alone");
	CHECK(!strcmp(command(&u, units_get(&u, "template@beside")->start), "0:tool"), "the image of an instance");
	CHECK(units_get(&u, "first")->load == LOAD_BAD && strstr(units_said(&u), "first.service: no ExecStart=, and image \"first\" does not say what to run"),
	      "the first image of a name is the one, with its config or none: %s", units_said(&u));
	CHECK(units_get(&u, "linked")->load == LOAD_BAD && strstr(units_said(&u), "/images/linked/config.json: cannot be read"), "no link of a bundle is followed");
	CHECK(u.findings.errors == 2, "and nothing else: %s", units_said(&u));
	units_close(&u);
}

static void test_faults(void)
{
	static const struct { const char *json, *says; } cases[] = {
		{ "{\"config\":{\"User\":\"a b\",\"Cmd\":[\"/x\"]}}", "User: \"a b\" is no name of a user or group" },
		{ "{\"config\":{\"WorkingDir\":\"app\",\"Cmd\":[\"/x\"]}}", "WorkingDir: \"app\" is no absolute path; begin it with /" },
		{ "{\"config\":{\"StopSignal\":\"SIGTRM\",\"Cmd\":[\"/x\"]}}", "StopSignal: \"SIGTRM\" is no signal; did you mean SIGTERM?" },
		{ "{\"config\":{\"Volumes\":{\"data\":{}},\"Cmd\":[\"/x\"]}}", "Volumes: \"data\" is no path that a volume can have" },
		{ "{\"config\":{\"Volumes\":{\"/a/../b\":{}},\"Cmd\":[\"/x\"]}}", "Volumes: \"/a/../b\" has \"..\" in it" },
		{ "{\"config\":{\"Volumes\":{\"/\":{}},\"Cmd\":[\"/x\"]}}", "Volumes: \"/\" is the root itself" },
		{ "{\"config\":{\"Healthcheck\":{\"Test\":[\"CMD\",\"/dir/\"]},\"Cmd\":[\"/x\"]}}", "Healthcheck: \"/dir/\" is a directory" },
		{ "{\"config\":{\"Entrypoint\":[\"/dir/\"]}}", "Entrypoint: \"/dir/\" is a directory" },
		{ "{\"config\":{\"Cmd\":[\"\"]}}", "Cmd: \"\" names no program" },
		{ "{\"config\":", "is no JSON" },
	};
	struct units u;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		open_images(&u);
		units_put(&u, "images/web/bin/x", "");
		units_put(&u, "images/web.json", cases[i].json);
		units_put(&u, "a.service", "[Service]\nImage=web\n");
		units_put(&u, "b.service", "[Service]\nImage=web\n");
		units_put(&u, "good.service", "[Service]\nExecStart=/x\n");
		units_load(&u);
		CHECK(strstr(units_said(&u), cases[i].says) && strstr(units_said(&u), "/images/web.json"), "says: %s", units_said(&u));
		CHECK(units_get(&u, "a")->load == LOAD_BAD && units_get(&u, "b")->load == LOAD_BAD && units_get(&u, "good")->load == LOAD_OK, "all that run in it are bad, others are not");
		CHECK(strstr(table_text(u.table, units_get(&u, "b")->fault), "web.json"), "and say why: %s", table_text(u.table, units_get(&u, "b")->fault));
		units_close(&u);
	}
}

/* ---- the single app ---- */

static struct load_options app_options(const struct units *u, const char *name, char path[256])
{
	snprintf(path, 256, "%s/%s", u->dir, name);
	return (struct load_options){ .config = "", .oci = path };
}

static void load_app(struct units *u, const struct load_options *o)
{
	size_t size = 0;
	void *table = NULL;

	findings_free(&u->findings);
	u->findings = (struct findings){ 0 };
	free(u->table);
	u->table = NULL;
	CHECK(load_units(o, &u->findings, &table, &size) == 0 && !table_verify(table, size), "the app loads: %s", units_said(u));
	u->table = table;
}

static void test_app(void)
{
	static const char *const args[] = { "-c", "echo $HOME" };
	struct units u;
	char path[256], dir[256], conf[256];
	const char *dirs[] = { dir };

	units_open(&u);
	units_put(&u, "oci.json",
		  "{\"config\":{\"Env\":[\"A=1\"],\"Entrypoint\":[\"/bin/sh\"],\"Cmd\":[\"x\"],\"WorkingDir\":\"/w\",\"StopSignal\":\"QUIT\",\"Volumes\":{\"/data\":{}}}}");
	units_put(&u, "init.json", "{\"config\":{\"Entrypoint\":[\"/init\"]}}");
	units_put(&u, "empty.json", "{\"config\":{}}");
	units_put(&u, "other.service", "[Service]\nExecStart=/x\n");
	units_put(&u, "app.service.d/x.conf", "[Service]\nNice=5\nRestart=no\nEnvironment=A=2\n");

	struct load_options o = app_options(&u, "oci.json", path);

	load_app(&u, &o);

	const struct unit *app = units_get(&u, "app");

	if (!CHECK(app && app->load == LOAD_OK && u.table->n_units == 1 && !u.findings.n, "one unit: %s", units_said(&u)))
		return;
	CHECK(!strcmp(command(&u, app->start), "0:/bin/sh,x") && !app->image && !app->mounts && !strcmp(texts(&u, app->makes), "/w|/data|"), "on the container's own root, volumes as directories: %s",
	      texts(&u, app->makes));
	CHECK(app->critical && app->restart == RESTART_ON_FAILURE && app->bounding == UINT64_MAX && !app->ignore_sigpipe && app->kill_signal == 3 && app->autostart, "it is critical, and may what the container may");
	CHECK(u.table->house.app_signal == 3 && u.table->house.supervise == SUPERVISE_RESTART, "PID 1 knows what stops it");
	CHECK(list_item(u.table, app->prevent, 203 / 32) >> 203 % 32 & 1, "what cannot be run is not tried again");

	snprintf(dir, sizeof(dir), "%s", u.dir);
	o.dirs = dirs;
	o.n_dirs = 1;
	o.args = args;
	o.n_args = 2;
	load_app(&u, &o);
	app = units_get(&u, "app");
	CHECK(u.table->n_units == 1 && app->nice == 5 && app->restart == RESTART_NO && !strcmp(texts(&u, app->env), "A=2|"), "drop-ins of app.service count, other units do not");
	CHECK(!strcmp(command(&u, app->start), "0:/bin/sh,-c,echo $$HOME"), "what stands behind -- replaces Cmd, to the letter: %s", command(&u, app->start));
	CHECK(!strcmp(origin(&u, app, "Exec"), "coppice init:0 -c \"echo $$HOME\""), "and is said to be from there: %s", origin(&u, app, "Exec"));

	o = app_options(&u, "init.json", path);
	load_app(&u, &o);
	CHECK(u.table->house.supervise == SUPERVISE_EXEC, "an init keeps PID 1");
	snprintf(conf, sizeof(conf), "%s/coppice.conf", u.dir);
	units_put(&u, "coppice.conf", "[Manager]\nSupervise=once\n");
	o.config = conf;
	load_app(&u, &o);
	CHECK(u.table->house.supervise == SUPERVISE_ONCE && units_get(&u, "app")->restart == RESTART_NO, "unless Supervise= says otherwise");

	o = app_options(&u, "empty.json", path);
	load_app(&u, &o);
	CHECK(units_get(&u, "app")->load == LOAD_BAD && u.findings.n == 1 && strstr(units_said(&u), "/empty.json: has neither an entrypoint nor a command; say one there, or the program behind --"),
	      "an app of nothing: %s", units_said(&u));
	o.args = args + 1;
	o.n_args = 1;
	load_app(&u, &o);
	CHECK(units_get(&u, "app")->load == LOAD_OK && !strcmp(command(&u, units_get(&u, "app")->start), "0:echo $HOME"), "the program behind --: %s", units_said(&u));
	o = app_options(&u, "missing.json", path);
	load_app(&u, &o);
	CHECK(units_get(&u, "app")->load == LOAD_BAD && u.findings.n == 1 && strstr(units_said(&u), "/missing.json: cannot be read: No such file or directory"), "a config that is not there: %s",
	      units_said(&u));
	o = (struct load_options){ .config = "", .oci = "conf/examples/oci.json" };
	load_app(&u, &o);
	CHECK(!u.findings.n && units_get(&u, "app")->health_start_period == 20000, "the example is sound: %s", units_said(&u));
	units_close(&u);
}

int main(void)
{
	test_forms();
	test_limits();
	test_env_file();
	test_defaults();
	test_places();
	test_faults();
	test_app();
	return tap_done();
}
