/* show.c - settings in effect with where they came from, in lines and in JSON; and a unit's files. */
#include "conf/show.h"

#include "tests/lib/tap.h"
#include "tests/lib/units.h"

static char *said;

static void show(struct units *u, const char *name, bool json)
{
	size_t size;

	free(said);
	said = NULL;
	FILE *out = open_memstream(&said, &size);

	show_unit(out, u->table, table_find(u->table, name), json);
	fclose(out);
}

/* Whether it has a line of that setting, value and origin; blanks between do not count. */
static bool has(const char *setting, const char *origin)
{
	char wanted[512];

	for (const char *line = said; line && *line; line = strchr(line, '\n') ?
	     strchr(line, '\n') + 1 : NULL) {
		size_t n = strlen(setting), end = strcspn(line, "\n");

		snprintf(wanted, sizeof(wanted), "# %s", origin);
		if (!strncmp(line, setting, n) && line[n] == ' ' && end >= strlen(wanted) &&
		    !strncmp(line + end - strlen(wanted), wanted, strlen(wanted)))
			return true;
	}
	return false;
}

int main(void)
{
	struct units u;
	char path[256], *files = NULL;
	size_t size;

	units_open(&u);
	units_put(&u, "coppice.conf", "[Manager]\nDefaultRestartSec=7s\nDefaultBindReadOnlyPaths=/etc/hosts\n");
	units_put(&u, "web.service",
		  "[Unit]\nDescription=The %p\n[Service]\nType=oneshot\nExecStart=/bin/a \"b c\"\n"
		  "ExecStart=/bin/d\nRestart=on-failure\nRestart=no\nStopSignal=2\n");
	units_put(&u, "web.service.d/10-more.conf", "[Service]\nNice=5\nEnvironment=A=\"x\"\n");
	if (!CHECK(units_load(&u) == 0 && !u.findings.n, "loads: %s", units_said(&u)))
		return tap_done();
	show(&u, "web", false);
	CHECK(has("Unit.Description=The web", "web.service:2"), "a text, with its specifiers gone");
	CHECK(has("Service.ExecStart=/bin/a \"b c\"", "web.service:5") &&
	      has("Service.ExecStart=/bin/d", "web.service:6"), "each line of a list");
	CHECK(has("Service.Restart=no", "web.service:8") &&
	!has("Service.Restart=on-failure", "web.service:7"), "the last of several");
	CHECK(has("Service.KillSignal=SIGINT", "web.service:9"), "what an alias means");
	CHECK(has("Service.TimeoutStartSec=infinity", "default"), "a default that another setting changed");
	CHECK(has("Service.TimeoutStopSec=1min 30s", "default"), "a default");
	snprintf(path, sizeof(path), "%s/coppice.conf:2", u.dir);
	CHECK(has("Service.RestartSec=7s", path), "a default of coppice.conf");
	snprintf(path, sizeof(path), "%s/coppice.conf:3", u.dir);
	CHECK(has("Service.BindReadOnlyPaths=/etc/hosts", path), "a list of coppice.conf");
	snprintf(path, sizeof(path), "%s/web.service.d/10-more.conf:2", u.dir);
	CHECK(has("Service.Nice=5", path), "a drop-in");
	CHECK(!strstr(said, "Service.User="), "nothing of what has no value");
	show(&u, "web", true);
	CHECK(*said == '[' &&
	      strstr(said,
		     "{\"section\":\"Service\",\"name\":\"Environment\",\"value\":\"A=\\\"x\\\"\",\"file\":\"") && strstr(said, ",\"line\":3}") &&
	      strstr(said,
		     "\"name\":\"TimeoutStopSec\",\"value\":\"1min 30s\",\"file\":\"\",\"line\":0}") &&
		     !strcmp(said + strlen(said) - 3, "}]\n"), "JSON: %.200s", said);

	FILE *out = open_memstream(&files, &size);
	int r = show_files(out, u.table, table_find(u.table, "web"));

	fclose(out);
	CHECK(r == 0 && strstr(files, "/web.service\n[Unit]\nDescription=The %p\n") &&
	      strstr(files, "10-more.conf\n[Service]\nNice=5\n"), "its files, as they are: %s", files);
	CHECK(strstr(files, "10-more.conf") && !strstr(strstr(files, "10-more.conf") + 1, "10-more.conf"),
	      "each once");
	free(files);
	free(said);
	units_close(&u);
	return tap_done();
}
