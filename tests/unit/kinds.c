/* kinds.c - every kind of value: what it makes of good ones, that it refuses bad ones, and that it reads what it prints. */
#include "conf/kinds.h"

#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/resource.h>

#include "conf/compile.h"
#include "tests/lib/tap.h"

/* One unit, or one coppice.conf, in the making. */
struct bench {
	struct findings fs;
	struct compiler c;
	uint32_t unit;
};

static const char *host_says(void *self, char what)
{
	(void)self;
	return what == 'H' ? "web.example.org" : what == 'm' ? "0123456789abcdef0123456789abcdef" : NULL;
}

static void bench_open(struct bench *b, enum section section, const char *lines)
{
	char text[8192];
	struct text t = TEXT(text);

	*b = (struct bench){ .unit = 0 };
	if (compile_open(&b->c, &b->fs, 4) < 0)
		exit(1);
	b->c.host.says = host_says;
	text_fmt(&t, "[%s]\n%s\n", section_name(section), lines);
	if (section_is_house(section))
		parse_text(&b->c.parsed, text, t.len, "f");
	compile_house(&b->c);
	b->unit = draft_add(&b->c, "app@a-b", "app@a-b.service", UNIT_SERVICE, "f",
			    "/etc/coppice/app@.service");
	b->c.parsed.house = false;
	b->c.parsed.kind = UNIT_SERVICE;
	parse_begin(&b->c.parsed);
	if (!section_is_house(section))
		parse_text(&b->c.parsed, text, t.len, "f");
	compile_unit(&b->c, b->unit);
}

/* Findings about a line; that the unit has no ExecStart= is about none. */
static uint32_t complaints(const struct bench *b)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < b->fs.n; i++)
		n += b->fs.at[i].line != 0;
	return n;
}

static void bench_close(struct bench *b)
{
	findings_free(&b->fs);
	compile_close(&b->c);
}

static const char *text_of(const struct bench *b, text_at at)
{
	return b->c.build.text + at;
}

/* What a list holds, in words of our own: "a|b|" for texts, "flags:word,word|" for commands, and so on. */
static void show_list(const struct bench *b, const struct setting *s, list_at list, struct text *out)
{
	const uint32_t *w = b->c.build.words;

	if (s->kind == &kind_status) {
		for (uint32_t i = 0; i < 256 + 64 && list; i++)
			if (w[list + 1 + i / 32] >> i % 32 & 1)
				text_fmt(out, i < 256 ? "%u|" : "s%u|", i < 256 ? i : i - 255);
		return;
	}
	for (uint32_t i = 0; i < w[list]; i++) {
		const uint32_t *at = w + w[list + 1 + i];

		if (s->kind == &kind_command || s->kind == &kind_health_cmd) {
			text_fmt(out, "%u:", at[0]);
			for (uint32_t k = 0; k < at[2]; k++)
				text_fmt(out, "%s%s", k ? "," : "", text_of(b, at[3 + k]));
		} else if (s->at == offsetof(struct unit, mounts) && !section_is_house(s->section)) {
			text_fmt(out, "%u:%u:%s:%s:%s", at[0], at[1], text_of(b, at[3]), text_of(b, at[4]),
				 text_of(b, at[5]));
		} else if (s->at == offsetof(struct unit, limits) && !section_is_house(s->section)) {
			text_fmt(out, "%u:%llu:%llu", at[0],
				 (unsigned long long)((uint64_t)at[2] << 32 | at[1]), (unsigned long long)((uint64_t)at[4] << 32 | at[3]));
		} else {
			text_put(out, text_of(b, w[list + 1 + i]));
		}
		text_char(out, '|');
	}
}

/* The setting's value after the lines were read, as text. */
static void show(struct bench *b, const struct setting *s, struct text *out)
{
	const void *base = section_is_house(s->section) ? (const void *)&b->c.house : (const void *)&b->c.drafts[b->unit].u;
	struct { struct table t; char text[65536]; } fake = { .t = { .texts_at = sizeof(struct table) } };

	if (s->kind->print) {
		memcpy(fake.text, b->c.build.text, b->c.build.n_text < sizeof(fake.text) ?
		       b->c.build.n_text : sizeof(fake.text));
		s->kind->print(out, &fake.t, base, s);
		return;
	}
	show_list(b, s, *(const list_at *)(const void *)((const char *)base + s->at), out);
}

static const struct setting *find(enum section section, const char *name)
{
	static struct setting_index ix;

	settings_index(&ix);
	return &settings[ix.real[settings_find(&ix, section, name)]];
}

/* Lines separated by ';;' for two; what comes out; "!" and a part of the finding for a bad one. */
static const struct { enum section in; const char *name, *value, *want; } cases[] = {
	/* text, name, path, workdir, user */
	{ IN_UNIT, "Description", "A b  c", "A b  c" }, { IN_UNIT, "Description", "%n on %H, %% done", "app@a-b.service on web.example.org, %% done" },
	{ IN_UNIT, "Description", "100%", "!single percent" }, { IN_UNIT, "Description", "%Z", "!stands for nothing" }, { IN_UNIT, "Description", "%b", "!stands for nothing" },
	{ IN_UNIT, "Description", "%N %p %i %I %j %l %m %t %S %C %L %y %Y %f", "app@a-b app a-b a/b app web 0123456789abcdef0123456789abcdef /run /var/lib /var/cache /var/log "
	  "/etc/coppice/app@.service /etc/coppice /a/b" },
	{ IN_CONTAINER, "Image", "debian-12", "debian-12" }, { IN_CONTAINER, "Image", "a b", "!no name" }, { IN_CONTAINER, "Image", "/abs", "!no name" },
	{ IN_CONTAINER, "Image", "../up", "!no name" }, { IN_CONTAINER, "Image", "-x", "!no name" }, { IN_CONTAINER, "Image", "docker.io/library/x:1", "docker.io/library/x:1" },
	{ IN_SERVICE, "RootDirectory", "/srv/%i", "/srv/a-b" }, { IN_SERVICE, "RootDirectory", "srv", "!absolute" }, { IN_SERVICE, "RootDirectory", "/a/../b", "!\"..\"" },
	{ IN_SERVICE, "RootDirectory", "/a..b/..c", "/a..b/..c" }, { IN_SERVICE, "RootDirectory", "/a/..", "!\"..\"" },
	{ IN_SERVICE, "PIDFile", "x.pid", "/run/x.pid" }, { IN_SERVICE, "PIDFile", "/var/run/x.pid", "/var/run/x.pid" },
	{ IN_SERVICE, "WorkingDirectory", "~", "~" }, { IN_SERVICE, "WorkingDirectory", "/x", "/x" }, { IN_SERVICE, "WorkingDirectory", "-/x", "!optional" },
	{ IN_SERVICE, "User", "www-data", "www-data" }, { IN_SERVICE, "User", "0", "0" }, { IN_SERVICE, "User", "4294967294", "4294967294" },
	{ IN_SERVICE, "User", "4294967295", "!out of range" }, { IN_SERVICE, "User", "0day", "!begins with a digit" }, { IN_SERVICE, "User", "0x0", "!begins with a digit" },
	{ IN_SERVICE, "User", "-root", "!no name" }, { IN_SERVICE, "User", "a/b", "!no name" }, { IN_SERVICE, "User", "1000:1001", "1000" }, { IN_SERVICE, "User", "a:", "!no group" },
	{ IN_SERVICE, "Group", "a:b", "!no name" }, { IN_CONTAINER, "Group", "staff", "staff" },
	/* bool, word, span, timeout, numbers, mode, signal */
	{ IN_SERVICE, "RemainAfterExit", "on", "yes" }, { IN_SERVICE, "RemainAfterExit", "perhaps", "!neither" }, { IN_SERVICE, "Type", "oneshot", "oneshot" },
	{ IN_SERVICE, "Type", "dbus", "!none of" }, { IN_SERVICE, "Type", "notifi", "!did you mean notify?" }, { IN_SERVICE, "Restart", "Always", "!did you mean always?" },
	{ IN_SERVICE, "RestartSec", "1min 1.5s", "1min 1.5s" }, { IN_SERVICE, "RestartSec", "soon", "!no time span" }, { IN_SERVICE, "RestartSec", "-1", "!negative" },
	{ IN_SERVICE, "RestartSec", "", "0" }, { IN_SERVICE, "TimeoutStartSec", "0", "infinity" }, { IN_SERVICE, "TimeoutStopSec", "infinity", "infinity" },
	{ IN_SERVICE, "TimeoutStartSec", "7;;TimeoutSec=8", "8s" }, { IN_CONTAINER, "StopTimeout", "70", "1min 10s" }, { IN_CONTAINER, "HealthInterval", "0", "!too short" },
	{ IN_SERVICE, "Nice", "-20", "-20" }, { IN_SERVICE, "Nice", "-21", "!out of range" }, { IN_SERVICE, "Nice", "19", "19" }, { IN_SERVICE, "Nice", "20", "!out of range" },
	{ IN_SERVICE, "OOMScoreAdjust", "1001", "!out of range" }, { IN_UNIT, "StartLimitBurst", "0", "0" }, { IN_UNIT, "StartLimitBurst", "-1", "!out of range" },
	{ IN_SERVICE, "UMask", "077", "0077" }, { IN_SERVICE, "UMask", "1000", "!no file mode" }, { IN_SERVICE, "UMask", "8", "!no file mode" }, { IN_SERVICE, "UMask", "0777", "0777" },
	{ IN_SERVICE, "UMask", "00000000000000000777", "0777" }, { IN_SERVICE, "UMask", "77777777777777777777777", "!no file mode" },
	{ IN_SERVICE, "KillSignal", "RTMIN+3", "SIGRTMIN+3" }, { IN_SERVICE, "KillSignal", "SIGTRM", "!did you mean SIGTERM?" }, { IN_SERVICE, "KillSignal", "0", "!no signal" },
	{ IN_CONTAINER, "StopSignal", "2", "SIGINT" },
	/* output */
	{ IN_SERVICE, "StandardOutput", "null", "null" }, { IN_SERVICE, "StandardOutput", "file:/log/%i", "file:/log/a-b" }, { IN_SERVICE, "StandardOutput", "append:rel", "!absolute" },
	{ IN_SERVICE, "StandardOutput", "nullx", "!no place" }, { IN_SERVICE, "StandardOutput", "socket", "!no place" }, { IN_SERVICE, "StandardOutput", "inherit", "inherit" },
	{ IN_SERVICE, "StandardError", "inherit;;StandardOutput=file:/x", "file:/x" }, { IN_SERVICE, "StandardError", "truncate:/y;;StandardOutput=file:/x", "truncate:/y" },
	{ IN_SERVICE, "StandardError", "journal;;StandardOutput=null", "journal" },
	/* commands: systemd.service(5) "Command lines" */
	{ IN_SERVICE, "ExecStart", "/bin/a b  'c d' \"e\"f", "0:/bin/a,b,c d,ef|" }, { IN_SERVICE, "ExecStart", "echo / >/dev/null & \\; ls", "0:echo,/,>/dev/null,&,;,ls|" },
	{ IN_SERVICE, "ExecStart", "-@:+/bin/a zero one", "15:/bin/a,zero,one|" }, { IN_SERVICE, "ExecStart", "@/bin/a", "!second word" }, { IN_SERVICE, "ExecStart", "--/bin/a", "!twice" },
	{ IN_SERVICE, "ExecStart", "!/bin/a", "!prefix '!'" }, { IN_SERVICE, "ExecStart", "|/bin/a", "!prefix '|'" }, { IN_SERVICE, "ExecStart", "-", "!names no program" },
	{ IN_SERVICE, "ExecStart", "\"\" x", "!names no program" }, { IN_SERVICE, "ExecStart", "./a", "!absolute path nor" }, { IN_SERVICE, "ExecStart", "/bin/", "!is a directory" },
	{ IN_SERVICE, "ExecStart", "/bin/a ; /bin/b", "!lone ';'" }, { IN_SERVICE, "ExecStart", "/bin/a ';' x", "0:/bin/a,;,x|" }, { IN_SERVICE, "ExecStart", "/bin/a 'b", "!inside quotes" },
	{ IN_SERVICE, "ExecStart", "/bin/a \\x", "!escape" }, { IN_SERVICE, "ExecStart", "/bin/a $FOO ${BAR} $$ %i %%", "0:/bin/a,$FOO,${BAR},$$,a-b,%|" },
	{ IN_SERVICE, "ExecStart", "/bin/a ''", "0:/bin/a,|" }, { IN_SERVICE, "ExecStart", "/a;;ExecStart=;;ExecStart=/b", "0:/b|" }, { IN_SERVICE, "ExecStart", "/a;;ExecStart=/b", "!already in line 2" },
	{ IN_SERVICE, "ExecStart", "/a;;ExecStart=/b;;Type=oneshot", "0:/a|0:/b|" }, { IN_SERVICE, "ExecStartPre", "/a;;ExecStartPre=-/b c", "0:/a|1:/b,c|" },
	/* health commands: podman-run(1) --health-cmd */
	{ IN_CONTAINER, "HealthCmd", "/bin/a 'b c'", "0:/bin/a,b c|" }, { IN_CONTAINER, "HealthCmd", "curl -f x", "2:/bin/sh,-c,curl -f x|" }, { IN_CONTAINER, "HealthCmd", "/bin/a || exit 1", "2:/bin/sh,-c,/bin/a || exit 1|" },
	{ IN_CONTAINER, "HealthCmd", "/bin/a $B", "2:/bin/sh,-c,/bin/a $B|" }, { IN_CONTAINER, "HealthCmd", "/bin/a '$B;|'", "0:/bin/a,$B;||" }, { IN_CONTAINER, "HealthCmd", "/bin/a \"$B\"", "2:/bin/sh,-c,/bin/a \"$B\"|" },
	{ IN_CONTAINER, "HealthCmd", "CMD curl -f x", "0:curl,-f,x|" }, { IN_CONTAINER, "HealthCmd", "CMD-SHELL /bin/a", "2:/bin/sh,-c,/bin/a|" }, { IN_CONTAINER, "HealthCmd", "none", "" },
	{ IN_CONTAINER, "HealthCmd", "[\"CMD\",\"a\"]", "!JSON" }, { IN_CONTAINER, "HealthCmd", "exit 60;;HealthCmd=/b", "0:/b|" }, { IN_CONTAINER, "HealthCmd", "/a;;HealthTcp=1", "!HealthCmd= is there already" },
	/* environments and names */
	{ IN_SERVICE, "Environment", "A=1 'B=2 3' C=\"x\"", "A=1|B=2 3|C=x|" }, { IN_SERVICE, "Environment", "A=1;;Environment=B=2", "A=1|B=2|" }, { IN_SERVICE, "Environment", "A=1;;Environment=;;Environment=B=$C", "B=$C|" },
	{ IN_SERVICE, "Environment", "A", "!NAME=value" }, { IN_SERVICE, "Environment", "1A=b", "!NAME=value" }, { IN_SERVICE, "Environment", "A-B=c", "!NAME=value" }, { IN_SERVICE, "Environment", "A=", "A=|" },
	{ IN_SERVICE, "EnvironmentFile", "-/etc/x", "-/etc/x|" }, { IN_SERVICE, "EnvironmentFile", "etc/x", "!absolute" }, { IN_SERVICE, "EnvironmentFile", "/etc/*.env", "!pattern" },
	{ IN_SERVICE, "PassEnvironment", "A B_2", "A|B_2|" }, { IN_SERVICE, "PassEnvironment", "A=b", "!no name of a variable" }, { IN_SERVICE, "SupplementaryGroups", "a 12", "a|12|" },
	{ IN_SERVICE, "SupplementaryGroups", "a,b", "!no name of a user" }, { IN_CONTAINER, "ExtraLayers", "a /b;;Image=x", "a|/b|" }, { IN_CONTAINER, "ExtraLayers", "../a;;Image=x", "!neither the name" },
	/* sets */
	{ IN_SERVICE, "SuccessExitStatus", "1 TEMPFAIL SIGKILL 255", "1|75|255|s9|" }, { IN_SERVICE, "SuccessExitStatus", "1;;SuccessExitStatus=2", "1|2|" }, { IN_SERVICE, "SuccessExitStatus", "1;;SuccessExitStatus=;;SuccessExitStatus=RTMIN+30", "s64|" },
	{ IN_SERVICE, "SuccessExitStatus", "256", "!no exit status" }, { IN_SERVICE, "RestartPreventExitStatus", "HUP", "s1|" },
	{ IN_SERVICE, "CapabilityBoundingSet", "CAP_CHOWN cap_kill", "CAP_CHOWN CAP_KILL" }, { IN_SERVICE, "CapabilityBoundingSet", "", "" }, { IN_SERVICE, "CapabilityBoundingSet", "CAP_CHOWN;;CapabilityBoundingSet=CAP_KILL", "CAP_CHOWN CAP_KILL" },
	{ IN_SERVICE, "CapabilityBoundingSet", "CAP_CHOWN CAP_KILL;;CapabilityBoundingSet=~CAP_KILL", "CAP_CHOWN" }, { IN_SERVICE, "CapabilityBoundingSet", "CAP_SYS_ADMIN", "CAP_SYS_ADMIN" },
	{ IN_SERVICE, "CapabilityBoundingSet", "CAP_NONE", "!no capability" }, { IN_SERVICE, "CapabilityBoundingSet", "99", "!no capability" }, { IN_SERVICE, "CapabilityBoundingSet", "CAP_CHOWN;;CapabilityBoundingSet=;;CapabilityBoundingSet=CAP_KILL", "CAP_KILL" },
	{ IN_SERVICE, "AmbientCapabilities", "CAP_NET_RAW", "CAP_NET_RAW" }, { IN_SERVICE, "CapabilityBoundingSet", "CAP_CHOWN;;AmbientCapabilities=CAP_NET_RAW", "CAP_CHOWN CAP_NET_RAW" },
	{ IN_SERVICE, "CapabilityBoundingSet", "CAP_CHOWN CAP_KILL;;DropCapability=KILL", "CAP_CHOWN" }, { IN_SERVICE, "CapabilityBoundingSet", "CAP_CHOWN;;AddCapability=NET_RAW;;DropCapability=all", "CAP_NET_RAW" },
	{ IN_SERVICE, "LimitNOFILE", "1024:2048", "7:1024:2048|" }, { IN_SERVICE, "LimitNOFILE", "infinity", "7:18446744073709551615:18446744073709551615|" }, { IN_SERVICE, "LimitNOFILE", "1K", "!no limit" },
	{ IN_SERVICE, "LimitNOFILE", "2:1", "!above the hard" }, { IN_SERVICE, "LimitSTACK", "8M", "3:8388608:8388608|" }, { IN_SERVICE, "LimitCPU", "1min:infinity", "0:60:18446744073709551615|" }, { IN_SERVICE, "LimitCPU", "1500ms", "0:2:2|" },
	{ IN_SERVICE, "LimitRTTIME", "500", "15:500:500|" }, { IN_SERVICE, "LimitRTTIME", "5ms", "15:5000:5000|" }, { IN_SERVICE, "LimitNICE", "+5", "13:15:15|" }, { IN_SERVICE, "LimitNICE", "30", "13:30:30|" }, { IN_SERVICE, "LimitNICE", "-21", "!no limit" },
	{ IN_SERVICE, "LimitCORE", "0;;LimitAS=1G", "4:0:0|9:1073741824:1073741824|" }, { IN_CONTAINER, "Ulimit", "nofile=1:2", "7:1:2|" }, { IN_CONTAINER, "Ulimit", "flying=1", "!no limit we know" }, { IN_CONTAINER, "Ulimit", "host", "!no limit we know" },
	/* mounts: kind:flags:source:target:options */
	{ IN_CONTAINER, "Volume", "data:/d", "1:0:data:/d:|" }, { IN_CONTAINER, "Volume", "data.volume:/d:ro,U", "1:17:data:/d:|" }, { IN_CONTAINER, "Volume", "/s:/d:rw,noexec", "0:36:/s:/d:|" },
	{ IN_CONTAINER, "Volume", "/s:/d:bind", "0:0:/s:/d:|" }, { IN_CONTAINER, "Volume", "/d", "!has no name" }, { IN_CONTAINER, "Volume", "./s:/d", "!neither the name" }, { IN_CONTAINER, "Volume", "a/b:/d", "!neither the name" },
	{ IN_CONTAINER, "Volume", "data:d", "!absolute" }, { IN_CONTAINER, "Volume", "data:/", "!root itself" }, { IN_CONTAINER, "Volume", "data:/d:shared", "!option shared" }, { IN_CONTAINER, "Volume", "a:/b:c:d", "!too many" },
	{ IN_CONTAINER, "Volume", "data:/d:ro,rw", "1:0:data:/d:|" }, { IN_CONTAINER, "Volume", "a:/a;;Volume=;;Tmpfs=/t;;Volume=b:/b", "2:0::/t:|1:0:b:/b:|" },
	{ IN_CONTAINER, "Tmpfs", "/t:size=1M,ro,noexec,mode=0700", "2:33::/t:size=1M,mode=0700|" }, { IN_CONTAINER, "Tmpfs", "t", "!absolute" }, { IN_SERVICE, "TemporaryFileSystem", "/a /b:mode=1777", "2:0::/a:mode=0755|2:0::/b:mode=1777|" },
	{ IN_SERVICE, "BindPaths", "/a /b:/c -/d:/e:norbind", "0:4:/a:/a:|0:4:/b:/c:|0:2:/d:/e:|" }, { IN_SERVICE, "BindReadOnlyPaths", "/a", "0:5:/a:/a:|" }, { IN_SERVICE, "BindPaths", "/a:/b:c", "!neither rbind" },
	{ IN_SERVICE, "BindPaths", "/a;;BindReadOnlyPaths=;;BindPaths=/b", "0:4:/b:/b:|" }, { IN_SERVICE, "BindPaths", "a", "!absolute" }, { IN_SERVICE, "BindPaths", "/", "!root itself" },
	/* health */
	{ IN_CONTAINER, "HealthHttpStatus", "200", "200-200" }, { IN_CONTAINER, "HealthHttpStatus", "200-", "!no range" }, { IN_CONTAINER, "HealthHttpStatus", "300-200", "!no range" }, { IN_CONTAINER, "HealthHttpStatus", "99", "!no range" },
	/* units */
	{ IN_UNIT, "After", "a b.service c@1.service", "" }, { IN_UNIT, "After", "a/b", "!no name of a unit" }, { IN_UNIT, "Requires", "a@.service", "!is a template" }, { IN_UNIT, "Wants", "..", "!no name of a unit" },
	{ IN_UNIT, "After", "\"a", "!inside quotes" },
	/* coppice.conf */
	{ IN_MANAGER, "ImagePath", "/a /b", "/var/lib/coppice/images|/a|/b|" }, { IN_MANAGER, "ImagePath", ";;ImagePath=/a", "/a|" }, { IN_MANAGER, "ImagePath", "a", "!absolute" }, { IN_MANAGER, "ShutdownTimeoutSec", "auto", "auto" },
	{ IN_MANAGER, "ShutdownTimeoutSec", "9", "9s" }, { IN_MANAGER, "ShutdownTimeoutSec", "late", "!no time span" }, { IN_MANAGER, "ExitPolicy", "any-failure", "any-failure" }, { IN_BOOT, "Mount", "a:/b:c:d", "a:/b:c:d|" }, { IN_BOOT, "Mount", "a:/b", "!no mount" },
	{ IN_BOOT, "Mount", "a:b:c", "!absolute" }, { IN_BOOT, "Tmpfs", ";;Tmpfs=/x:size=1M", "/x:size=1M|" }, { IN_BOOT, "Tmpfs", "/x", "/dev/shm:mode=1777,nosuid,nodev|/run:mode=0755,nosuid,nodev|/tmp:mode=1777,nosuid,nodev|/x|" },
	{ IN_SYSCTL, "kernel.x", "1 2", "net.ipv4.ip_forward=0|net.ipv6.conf.all.forwarding=0|kernel.x=1 2|" }, { IN_SYSCTL, "net.ipv4.ip_forward", "1", "net.ipv6.conf.all.forwarding=0|net.ipv4.ip_forward=1|" },
	{ IN_SYSCTL, "net.ipv4.ip_forward", "", "net.ipv6.conf.all.forwarding=0|" }, { IN_SYSCTL, "../x", "1", "!no name of a kernel" }, { IN_MANAGER, "DefaultEnvironment", "A=b", "A=b|" },
};

/* Does `name` get that value? The lines are "name=value", more after ";;". */
static void test_case(enum section in, const char *name, const char *value, const char *want)
{
	char lines[2048], got[2048] = "", said[1024] = "";
	struct text l = TEXT(lines), g = TEXT(got), f = TEXT(said);
	const struct setting *s = find(in, name);
	struct bench b;

	text_fmt(&l, "%s=", name);
	for (const char *p = value; *p; p++) {
		if (!strncmp(p, ";;", 2)) {
			text_char(&l, '\n');
			p++;
		} else {
			text_char(&l, *p);
		}
	}
	bench_open(&b, in, lines);
	for (uint32_t i = 0; i < b.fs.n; i++)
		if (b.fs.at[i].line) {
			finding_put(&f, &b.fs.at[i]);
			text_char(&f, ' ');
		}
	if (*want == '!') {
		CHECK(strstr(said, want + 1), "%s=%s is refused: %s", name, value, said);
		bench_close(&b);
		return;
	}
	if (s->section != IN_UNIT || s->kind->print)
		show(&b, s, &g);
	CHECK(!*said && !strcmp(got, want), "%s=%s is <%s> %s", name, value, got, said);
	bench_close(&b);
	/* What is printed is read back as the same. */
	if (s->kind->print && *got && strcmp(got, "inherit")) {
		char again[2048] = "";
		struct text a = TEXT(again), line = TEXT(lines);

		text_fmt(&line, "%s=%s", s->name, got);
		bench_open(&b, s->section, lines);
		show(&b, s, &a);
		CHECK(!strcmp(got, again), "and back: <%s>", again);
		bench_close(&b);
	}
}

static const struct { const char *line; uint32_t kind; const char *host; uint32_t port; const char *path; } health[] = {
	{ "HealthTcp=5432", HEALTH_TCP, "", 5432, "" }, { "HealthTcp=127.0.0.1:1", HEALTH_TCP, "127.0.0.1", 1, "" }, { "HealthTcp=[::1]:65535", HEALTH_TCP, "[::1]", 65535, "" },
	{ "HealthTcp=localhost:80", HEALTH_TCP, "localhost", 80, "" }, { "HealthListen=53", HEALTH_LISTEN, "", 53, "" },
	{ "HealthHttp=http://127.0.0.1", HEALTH_HTTP, "127.0.0.1", 80, "/" }, { "HealthHttp=http://localhost:8080/a?b=c", HEALTH_HTTP, "localhost:8080", 8080, "/a?b=c" },
	{ "HealthHttp=http://[::1]:81?x", HEALTH_HTTP, "[::1]:81", 81, "/?x" }, { "HealthHttp=http://127.0.0.1/a%%20b", HEALTH_HTTP, "127.0.0.1", 80, "/a%20b" },
	{ "HealthUnix=/run/x", HEALTH_UNIX, "", 0, "/run/x" }, { "HealthFile=/run/%i", HEALTH_FILE, "", 0, "/run/a-b" },
};

static const char *const no_health[] = {
	"HealthTcp=0", "HealthTcp=65536", "HealthTcp=x", "HealthTcp=example.org:80", "HealthTcp=:80",
	"HealthTcp=127.0.0.1:", "HealthTcp=1.2.3:80", "HealthTcp=[127.0.0.1]:80", "HealthTcp=-1",
	"HealthListen=0", "HealthListen=127.0.0.1:80", "HealthListen=80x", "HealthListen=+80",
	"HealthHttp=https://127.0.0.1/", "HealthHttp=127.0.0.1", "HealthHttp=http://",
	"HealthHttp=http://example.org/", "HealthHttp=http://127.0.0.1:0/", "HealthHttp=http://127.0.0.1:99999/",
	"HealthHttp=http://127.0.0.1/a b", "HealthHttp=http://127.0.0.1/#x", "HealthHttp=http://::1/",
	"HealthHttp=http://user@127.0.0.1/", "HealthHttp=http://127.0.0.1/\xc3\xa9",
	"HealthUnix=run", "HealthFile=run", "HealthFile=/a/../b",
	"HealthUnix=/234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
	"HealthTcp=1\nHealthListen=1", "HealthHttp=http://127.0.0.1\nHealthFile=/x",
};

static void test_health(void)
{
	struct bench b;

	for (size_t i = 0; i < sizeof(health) / sizeof(*health); i++) {
		bench_open(&b, IN_CONTAINER, health[i].line);

		const struct unit *u = &b.c.drafts[b.unit].u;

		CHECK(!b.fs.n && u->health_kind == health[i].kind && u->health_port == health[i].port &&
		      !strcmp(text_of(&b, u->health_host), health[i].host) &&
		      !strcmp(text_of(&b, u->health_path), health[i].path) &&
		      *text_of(&b, u->health_text), "%s is %s %u %s", health[i].line,
		      text_of(&b, u->health_host), u->health_port, text_of(&b, u->health_path));
		CHECK(u->type == TYPE_CHECK, "and a unit with nothing else is a check");
		bench_close(&b);
	}
	for (size_t i = 0; i < sizeof(no_health) / sizeof(*no_health); i++) {
		bench_open(&b, IN_CONTAINER, no_health[i]);
		CHECK(complaints(&b), "%s is refused", no_health[i]);
		bench_close(&b);
	}
}

static void test_bounding(void)
{
	static const int never[] = { CAP_SYS_PTRACE, CAP_SYS_ADMIN, CAP_SYS_CHROOT, CAP_MKNOD, CAP_SYS_MODULE,
				    CAP_SYS_RAWIO };
	static const struct { const char *lines; int implied, lacks; } sets[] = {
		{ "ExecStart=/x", CAP_CHOWN, CAP_NET_RAW }, { "CapabilityBoundingSet=~", CAP_NET_RAW, -1 }, { "CapabilityBoundingSet=~CAP_CHOWN", CAP_NET_RAW, CAP_CHOWN },
		{ "AddCapability=all", CAP_NET_RAW, -1 }, { "AmbientCapabilities=~CAP_KILL", CAP_NET_RAW, -1 },
	};

	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
		struct bench b;

		bench_open(&b, IN_SERVICE, sets[i].lines);

		uint64_t set = b.c.drafts[b.unit].u.bounding;

		for (size_t k = 0; k < sizeof(never) / sizeof(*never); k++)
			CHECK(!(set >> never[k] & 1), "%s does not imply capability %d", sets[i].lines,
			      never[k]);
		CHECK(set >> sets[i].implied & 1 && (sets[i].lacks < 0 || !(set >> sets[i].lacks & 1)),
		      "%s: %llx", sets[i].lines, (unsigned long long)set);
		bench_close(&b);
	}
}

static void test_signals(void)
{
	struct bench b;

	bench_open(&b, IN_MANAGER,
		   "OnSIGHUP=dump\nOnSIGRTMIN+3=poweroff\nOnUSR1=ignore\nOnSIGTERM=exit\nOnSIGTERM=forward");

	const uint8_t *on = b.c.house.on_signal;

	CHECK(!complaints(&b) && on[1] == WISH_DUMP && on[37] == WISH_POWEROFF && on[10] == WISH_IGNORE &&
	      on[15] == WISH_FORWARD && on[2] == WISH_DEFAULT, "wishes of signals");
	bench_close(&b);
}

/* The nth network as "Key=value|Key=value|". */
static void show_network(const struct bench *b, uint32_t nth, struct text *out)
{
	const uint32_t *w = b->c.build.words;
	list_at list = nth < w[b->c.house.networks] ? w[b->c.house.networks + 1 + nth] : 0;

	for (uint32_t i = 0; i < w[list]; i++)
		text_fmt(out, "%s|", text_of(b, w[list + 1 + i]));
}

static void test_networks(void)
{
	static const struct { const char *lines, *first, *second; } cases2[] = {
		{ "", "Interface=eth0|DHCP=ipv4|UseDNS=yes|UseRoutes=yes|UseMTU=yes|UseHostname=no|SendHostname=yes|NoPrefixRoute=no|WaitOnlineSec=5s|", "" },
		{ "Address=192.0.2.1/24\nDNS=192.0.2.2\nDNS=2001:db8::1\nUseDNS=0\n[Network]\nInterface=eth1\nWaitOnlineSec=500ms\n[Network]\nGateway=192.0.2.3\n",
		  "Interface=eth0|DHCP=no|Address=192.0.2.1/24|Gateway=192.0.2.3|DNS=192.0.2.2|"
		  "DNS=2001:db8::1|UseDNS=no|UseRoutes=yes|UseMTU=yes|UseHostname=no|SendHostname=yes|"
		  "NoPrefixRoute=no|WaitOnlineSec=5s|",
		  "Interface=eth1|DHCP=ipv4|UseDNS=yes|UseRoutes=yes|UseMTU=yes|UseHostname=no|"
		  "SendHostname=yes|NoPrefixRoute=no|WaitOnlineSec=500ms|" },
		{ "DNS=192.0.2.2\nDNS=\nDNS=192.0.2.3\nAddress=192.0.2.1/24\nAddress=\n",
		  "Interface=eth0|DHCP=ipv4|DNS=192.0.2.3|UseDNS=yes|UseRoutes=yes|UseMTU=yes|"
		  "UseHostname=no|SendHostname=yes|NoPrefixRoute=no|WaitOnlineSec=5s|", "" },
	};
	static const char *const bad[] = { "Interface=a/b", "Interface=0123456789012345", "DHCP=yes",
					  "Address=192.0.2.1", "Address=192.0.2.1/33", "Address=x/24", "Gateway=192.0.2.1/24",
		"DNS=example.org", "Domains=a/b", "UseDNS=maybe", "RouteMetric=-1",
		"RouteMetric=4294967296", "WaitOnlineSec=soon" };
	struct bench b;

	for (size_t i = 0; i < sizeof(cases2) / sizeof(*cases2); i++) {
		char first[1024] = "", second[1024] = "";
		struct text f = TEXT(first), s = TEXT(second);

		bench_open(&b, IN_NETWORK, cases2[i].lines);
		show_network(&b, 0, &f);
		show_network(&b, 1, &s);
		CHECK(!complaints(&b) && !strcmp(first, cases2[i].first) && !strcmp(second, cases2[i].second),
		      "networks %zu: %s and %s", i, first, second);
		bench_close(&b);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		bench_open(&b, IN_NETWORK, bad[i]);
		CHECK(complaints(&b), "[Network] %s is refused", bad[i]);
		bench_close(&b);
	}
}

static void test_defaults(void)
{
	struct bench b;

	bench_open(&b, IN_MANAGER,
		   "DefaultRestartSec=7s\nDefaultTimeoutStopSec=3s\n"
		   "DefaultBindReadOnlyPaths=/etc/hosts\nDefaultLimitNOFILE=5");

	const struct unit *u = &b.c.drafts[b.unit].u;

	CHECK(u->restart_sec == 7000 && u->timeout_stop == 3000 && u->timeout_start == 90000,
	      "Default...= of coppice.conf are presets of units");
	CHECK(b.c.build.words[u->mounts] == 1 && b.c.build.words[u->limits] == 1, "also those of lists");
	bench_close(&b);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		test_case(cases[i].in, cases[i].name, cases[i].value, cases[i].want);
	test_health();
	test_bounding();
	test_signals();
	test_networks();
	test_defaults();
	return tap_done();
}
