/* why.c - words for every reason: what a person needs stands in them, and numbers without sense do no harm. */
#include "supervise/why.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "conf/load.h"
#include "health/probe.h"
#include "supervise/child.h"
#include "tests/lib/tap.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of the unit web, which needs db (index 0). */
static const struct { uint32_t code; int32_t a, b; const char *want; } reasons[] = {
	{ WHY_NONE, 0, 0, "" },
	{ WHY_MASKED, 0, 0, "/dev/null" },
	{ WHY_NOT_STARTED, 0, 0, "nobody has started it" },
	{ WHY_BY_HAND, 0, 0, "stopped on request" },
	{ WHY_SHUTDOWN, 0, 0, "the container is stopping" },
	{ WHY_NEEDS, 0, FACE_FAILED, "waits for db, which has failed" },
	{ WHY_NEEDS, 0, FACE_STARTING, "waits for db, which is starting" },
	{ WHY_ORDER, 0, 0, "comes after db" },
	{ WHY_BOUND, 0, 0, "went down with db (BindsTo=)" },
	{ WHY_REQUISITE, 0, 0, "db was not ready" },
	{ WHY_CONFLICT, 0, 0, "made way for db" },
	{ WHY_SETUP, STEP_EXEC, ENOENT, "cannot run /bin/httpd: no such file in image \"web\", or the interpreter that it names; "
					"see web.service:4 ExecStart=" },
	{ WHY_SETUP, STEP_EXEC, EACCES, "cannot run /bin/httpd: permission denied" },
	{ WHY_SETUP, STEP_USER, ESRCH, "User=www: no such user or group in image \"web\"; see web.service:5 User=" },
	{ WHY_SETUP, STEP_LIMITS, EPERM, "the kernel does not permit it here" },
	{ WHY_EXIT, 3, 0, "exited with status 3" },
	{ WHY_SIGNAL, SIGKILL, 0, "killed by SIGKILL" },
	{ WHY_SIGNAL, SIGSEGV, 1, "killed by SIGSEGV, core dumped" },
	{ WHY_SIGNAL, 37, 0, "SIGRTMIN+3" },
	{ WHY_START_TIMEOUT, 0, 0, "was not ready within 7s (TimeoutStartSec=)" },
	{ WHY_STOP_TIMEOUT, 0, 0, "TimeoutStopSec=" },
	{ WHY_RUNTIME_MAX, 0, 0, "RuntimeMaxSec=" },
	{ WHY_WATCHDOG, 0, 0, "WatchdogSec=" },
	{ WHY_COMMAND, PHASE_PRE, 2, "ExecStartPre= exited with status 2" },
	{ WHY_COMMAND, PHASE_STOP, -SIGTERM, "ExecStop= was killed by SIGTERM" },
	{ WHY_CONDITION, 0, 0, "ExecCondition=" },
	{ WHY_SICK, 3, DETAIL(DETAIL_CONNECT, ECONNREFUSED), "3 health checks in a row failed: connection refused" },
	{ WHY_SICK, 1, 4, "its health check failed: exit code 4" },
	{ WHY_START_LIMIT, 5, 10000, "was started 5 times within 10s" },
	{ WHY_START_LIMIT, 5, 10000, "coppice reset-failed web" },
	{ WHY_FORK, 0, EAGAIN, "too many processes" },
	{ WHY_NO_READY, 0, 0, "ended before it said that it was ready" },
	{ WHY_UNKILLABLE, 0, 0, "SIGKILL" },
	{ WHY_NO_PIDFILE, 0, 0, "PIDFile=" },
	{ WHY_NETWORK, 0, 0, "waits for a default route" },
};

static const char web[] = "[Unit]\nRequires=db.service\n[Service]\nExecStart=/bin/httpd -f\nUser=www\nTimeoutStartSec=7\nImage=web\n";
static const char db[] = "[Service]\nExecStart=/bin/db\n";
static const char bad[] = "[Service]\nRestrat=always\n";

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	if (f) {
		(void)fputs(text, f);
		(void)fclose(f);
	}
}

static void remove_file(const char *dir, const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	(void)unlink(path);
}

int main(void)
{
	char dir[] = "/tmp/coppice-why.XXXXXX", words[600];
	struct findings fs = { 0 };
	void *table = NULL;
	size_t size;

	if (!CHECK(mkdtemp(dir) != NULL, "a directory"))
		return tap_done();
	write_file(dir, "web.service", web);
	write_file(dir, "db.service", db);
	write_file(dir, "worse.service", bad);
	const char *dirs[] = { dir };
	int e = load_units(&(struct load_options){ .dirs = dirs, .n_dirs = 1, .config = "" }, &fs, &table, &size);
	const struct table *t = table;
	unit_ix i = e == 0 ? table_find(t, "web") : NO_UNIT;

	if (CHECK(e == 0 && i != NO_UNIT && table_find(t, "db") == 0, "units are loaded")) {
		uint32_t seen = 1u << WHY_BAD_FILE;

		for (size_t k = 0; k < sizeof(reasons) / sizeof(*reasons); k++) {
			const struct why w = { .code = reasons[k].code, .a = reasons[k].a, .b = reasons[k].b };

			(void)why_text(t, i, &w, words, sizeof(words));
			CHECK(*reasons[k].want ? strstr(words, reasons[k].want) != NULL : !*words, "%s", *words ? words : "(nothing)");
			seen |= 1u << reasons[k].code;
		}
		CHECK(seen == (1u << N_WHYS) - 1, "every reason was looked at: %08x", seen);
		(void)why_text(t, table_find(t, "worse"), &(struct why){ .code = WHY_BAD_FILE }, words, sizeof(words));
		CHECK(strstr(words, "worse.service:2") && strstr(words, "Restart"), "a bad file: %s", words);
		/* Numbers from anywhere; texts stay within their buffer. */
		static const int32_t odd[] = { INT32_MIN, -1, 0, 1, 63, 64, 65, 255, 65535, INT32_MAX };
		int silent = 0;
		for (uint32_t code = 0; code < 64; code++)
			for (size_t a = 0; a < sizeof(odd) / sizeof(*odd); a++)
				for (size_t b = 0; b < sizeof(odd) / sizeof(*odd); b++) {
					const struct why w = { .code = code, .a = odd[a], .b = odd[b] };

					for (size_t room = 0; room < 40; room += 13) {
						memset(words, 'x', sizeof(words));
						(void)why_text(t, i, &w, words, room);
						silent += words[room] != 'x' || (room && !memchr(words, 0, room));
					}
				}
		CHECK(silent == 0, "no number makes it write where it may not");
	}
	for (int f = -1; f <= N_FACES; f++)
		CHECK(*face_word((enum face)f) && *face_phrase((enum face)f), "face %d is \"%s\"", f, face_word((enum face)f));
	CHECK(!strcmp(health_word(HEALTH_SUCCESS), "success") && !strcmp(health_word(HEALTH_UNKNOWN), "disabled") &&
	      !strcmp(health_word(N_HEALTHS), "?"), "words for health");
	CHECK(!strcmp(exit_text(1, 0, words, sizeof(words)), "exited with status 0") &&
	      !strcmp(exit_text(3, SIGABRT, words, sizeof(words)), "killed by SIGABRT, core dumped") &&
	      !*exit_text(0, 0, words, sizeof(words)), "last words");
	free(table);
	findings_free(&fs);
	remove_file(dir, "web.service");
	remove_file(dir, "db.service");
	remove_file(dir, "worse.service");
	(void)rmdir(dir);
	return tap_done();
}
