/* app.c - the single app that takes the place of PID 1 (Supervise=exec). */
#include "init/app.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/kit/say.h"
#include "conf/load.h"
#include "init/world.h"
#include "supervise/child.h"
#include "supervise/why.h"

#define REFUSED_STATUS 78 /* EX_CONFIG of sysexits.h */

/* Entries of the environment, as PID 1 got them: they outlive unsetenv(3), which only forgets them. */
static char *told[3];

void app_remember(void)
{
	static const char *const names[] = { "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID" };

	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		char *value = getenv(names[i]);

		told[i] = value ? value - strlen(names[i]) - 1 : NULL;
	}
}

bool app_is_there(const struct table *t)
{
	return t->house.app_signal != 0 && table_find(t, APP_NAME) != NO_UNIT;
}

bool app_is_sound(const struct table *t)
{
	return table_unit(t, table_find(t, APP_NAME))->load == LOAD_OK;
}

bool app_takes_over(const struct table *t)
{
	return app_is_there(t) && t->house.supervise == SUPERVISE_EXEC;
}

/* An image's entrypoint may be /sbin/init, where we are ourselves now: that would go round for ever. */
static bool is_ourselves(const char *program)
{
	struct stat self, other;

	return stat("/proc/self/exe", &self) == 0 && stat(program, &other) == 0 && self.st_dev == other.st_dev && self.st_ino == other.st_ino;
}

int app_become(const struct table *t, const char *runtime)
{
	unit_ix app = table_find(t, APP_NAME);
	const struct unit *u = table_unit(t, app);
	uint32_t command = list_item(t, u->start, 0);
	const struct command *c = (const void *)table_words(t, command);
	struct report report;
	char words[512];

	if (is_ourselves(table_text(t, c->argv[0]))) {
		say(SAY_ERROR, "app: %.200s is coppice itself; put the image's own init elsewhere and name it in RealInit=, or say Supervise=restart",
		    table_text(t, c->argv[0]));
		return REFUSED_STATUS;
	}
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		if (told[i])
			(void)putenv(told[i]);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 0);
	say(SAY_INFO, "app: %.200s takes the place of PID %d", table_text(t, c->argv[0]), (int)getpid());
	say_flush();

	const struct job job = { .table = t, .unit = app, .phase = PHASE_MAIN, .command = command, .runtime = runtime, .rung = world.rung,
				 .nofile = world.nofile };

	child_become(&job, &report);

	const struct why w = { .code = WHY_SETUP, .a = (int32_t)report.step, .b = report.error };

	report.about[sizeof(report.about) - 1] = '\0';
	say(SAY_ERROR, "app: %s%s%s", why_text(t, app, &w, words, sizeof(words)), *report.about ? ": " : "", report.about);
	if (report.step == STEP_EXEC)
		return report.error == ENOENT ? 127 : 126;
	return step_status((enum step)report.step);
}
