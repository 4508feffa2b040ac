/* why.c - a code and two numbers turned into a sentence that names file, line and setting; pure. */
#include "supervise/why.h"

#include <errno.h>
#include <string.h>

#include "conf/kit/text.h"
#include "conf/settings.h"
#include "conf/values.h"
#include "health/probe.h"
#include "supervise/child.h"

#define SHOWN 200u /* bytes of somebody's text in a message */

static const char *const face_words[N_FACES] = {
	[FACE_INACTIVE] = "inactive", [FACE_WAITING] = "waiting", [FACE_STARTING] = "starting", [FACE_READY] = "ready",
	[FACE_RUNNING] = "running", [FACE_UNHEALTHY] = "unhealthy", [FACE_STOPPING] = "stopping",
	[FACE_BACKOFF] = "backoff", [FACE_FAILED] = "failed", [FACE_DONE] = "done",
};

static const char *const face_phrases[N_FACES] = {
	[FACE_INACTIVE] = "is not started", [FACE_WAITING] = "is itself waiting", [FACE_STARTING] = "is starting",
	[FACE_READY] = "is ready", [FACE_RUNNING] = "is running", [FACE_UNHEALTHY] = "is unhealthy",
	[FACE_STOPPING] = "is stopping", [FACE_BACKOFF] = "has ended and will be tried again",
	[FACE_FAILED] = "has failed", [FACE_DONE] = "is done",
};

static const char *const health_words[N_HEALTHS] = {
	[HEALTH_UNKNOWN] = "disabled", [HEALTH_DISABLED] = "disabled", [HEALTH_STARTING] = "starting",
	[HEALTH_LOADING] = "loading", [HEALTH_WAITING] = "waiting", [HEALTH_SUCCESS] = "success",
	[HEALTH_FAILURE] = "failure",
};

/* Whose commands: the setting they stand in. */
static const char *const phase_settings[N_PHASES] = {
	[PHASE_NONE] = "a command", [PHASE_CONDITION] = "ExecCondition", [PHASE_PRE] = "ExecStartPre",
	[PHASE_MAIN] = "ExecStart", [PHASE_POST] = "ExecStartPost", [PHASE_RELOAD] = "ExecReload",
	[PHASE_STOP] = "ExecStop", [PHASE_STOP_POST] = "ExecStopPost", [PHASE_HEALTH] = "HealthCmd",
	[PHASE_EXEC] = "exec",
};

/* The errors of setting up that people meet; the C library's words, which differ between libraries, serve for the rest. */
static const struct { int error; const char *words; } errors[] = {
	{ ENOENT, "no such file" },
	{ ENOTDIR, "a part of the path is no directory" },
	{ EACCES, "permission denied" },
	{ EPERM, "the kernel does not permit it here" },
	{ ENOEXEC, "not a program that this kernel can run" },
	{ EISDIR, "it is a directory" },
	{ ELOOP, "too many symbolic links" },
	{ ENOMEM, "out of memory" },
	{ ENOSPC, "no space left" },
	{ EAGAIN, "too many processes" },
	{ EROFS, "the file system is read-only" },
	{ E2BIG, "arguments and environment are too long" },
	{ ESRCH, "no such user or group" },
	{ EINVAL, "the kernel finds the value invalid" },
};

const char *face_word(enum face f)
{
	return (unsigned)f < N_FACES ? face_words[f] : "?";
}

const char *face_phrase(enum face f)
{
	return (unsigned)f < N_FACES ? face_phrases[f] : "is in a state without a name";
}

const char *health_word(enum health h)
{
	return (unsigned)h < N_HEALTHS ? health_words[h] : "?";
}

static void put_shown(struct text *t, const char *s)
{
	text_shown(t, s, strlen(s), SHOWN);
}

const char *error_words(int error)
{
	for (unsigned i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (errors[i].error == error)
			return errors[i].words;
	return strerror(error);
}

static void put_name(struct text *t, const struct table *table, int32_t unit)
{
	if (unit < 0 || (uint32_t)unit >= table->n_units)
		text_put(t, "another unit");
	else
		put_shown(t, table_text(table, table_unit(table, (unit_ix)unit)->name));
}

static void put_exit(struct text *t, int32_t code)
{
	if (code < 0) {
		text_put(t, "was killed by ");
		signal_put(t, code > INT32_MIN ? -code : INT32_MAX);
	} else {
		text_fmt(t, "exited with status %d", (int)code);
	}
}

/* Where the unit's files last say `key`; NULL where they do not. */
static const struct origin *origin_of(const struct table *t, const struct unit *u, const char *key)
{
	const struct origin *found = NULL;

	for (uint32_t k = 0; k < list_count(t, u->origins); k++) {
		const struct origin *o = (const void *)table_words(t, list_item(t, u->origins, k));

		if (o->setting < n_settings && !strcmp(settings[o->setting].name, key))
			found = o;
	}
	return found;
}

static void put_setup(struct text *to, const struct table *t, const struct unit *u, const struct why *w)
{
	enum step step = (unsigned)w->a < N_STEPS ? (enum step)w->a : STEP_NONE;
	const char *key = step_setting(step);
	const struct origin *o = key ? origin_of(t, u, key) : NULL;

	/* The command may have been put together: the program's part is what is wrong with it. */
	if (!o && step == STEP_EXEC)
		o = origin_of(t, u, "Entrypoint");
	if (!o && step == STEP_EXEC)
		o = origin_of(t, u, "Exec");
	bool image = *table_text(t, u->image);

	if (step == STEP_EXEC) {
		const struct command *c = list_count(t, u->start) ?
			(const void *)table_words(t, list_item(t, u->start, 0)) : NULL;

		text_put(to, "cannot run ");
		put_shown(to, c && c->argc ? table_text(t, c->argv[0]) : "its program");
	} else {
		text_fmt(to, "setup step %s", step_word(step));
		if (o) {
			text_fmt(to, ", %s=", key);
			put_shown(to, table_text(t, o->value));
		}
	}
	text_put(to, ": ");
	if (w->b == ENOENT && (step == STEP_USER || step == STEP_GROUP))
		text_put(to, step == STEP_USER ? "no such user" : "no such group");
	else
		text_put(to, error_words(w->b));
	if (image && (step == STEP_EXEC || step == STEP_USER || step == STEP_GROUP || step == STEP_WORKDIR)) {
		text_put(to, " in image \"");
		put_shown(to, table_text(t, u->image));
		text_char(to, '"');
	}
	if (step == STEP_EXEC && w->b == ENOENT)
		text_put(to, ", or the interpreter that it names");
	if (o) {
		text_put(to, "; see ");
		put_shown(to, table_text(t, o->file));
		if (o->line)
			text_fmt(to, ":%u", (unsigned)o->line);
		text_fmt(to, " %s=", settings[o->setting].name);
	}
}

static void put_sick(struct text *to, const struct why *w)
{
	char words[120];

	if (w->a > 1)
		text_fmt(to, "%d health checks in a row failed: ", (int)w->a);
	else
		text_put(to, "its health check failed: ");
	if (DETAIL_WHAT(w->b))
		text_put(to, probe_words(w->b, words, sizeof(words)));
	else
		text_fmt(to, "exit code %d", (int)w->b);
}

static void put_span(struct text *to, const char *before, msec_t span, const char *after)
{
	text_put(to, before);
	text_span(to, span);
	text_put(to, after);
}

/* "waits for db, which has failed" */
static void put_other(struct text *to, const char *before, const struct table *t, int32_t unit, const char *after)
{
	text_put(to, before);
	put_name(to, t, unit);
	text_put(to, after);
}

const char *why_text(const struct table *t, unit_ix i, const struct why *w, char *into, size_t size)
{
	const struct unit *u = table_unit(t, i);
	struct text to = { .at = into, .size = size };

	if (size)
		into[0] = '\0';
	switch (w->code) {
	case WHY_NONE:
		break;
	case WHY_BAD_FILE:
		text_put(&to, *table_text(t, u->fault) ? table_text(t, u->fault) : "its file has errors; see coppice check");
		break;
	case WHY_MASKED:
		text_put(&to, "masked: its file is a link to /dev/null");
		break;
	case WHY_NOT_STARTED:
		text_put(&to, "nobody has started it");
		break;
	case WHY_BY_HAND:
		text_put(&to, "stopped on request");
		break;
	case WHY_SHUTDOWN:
		text_put(&to, "the container is stopping");
		break;
	case WHY_NEEDS:
		put_other(&to, "waits for ", t, w->a, ", which ");
		text_put(&to, face_phrase((enum face)w->b));
		break;
	case WHY_ORDER:
		put_other(&to, "comes after ", t, w->a, ", which is still on its way");
		break;
	case WHY_BOUND:
		put_other(&to, "went down with ", t, w->a, " (BindsTo=)");
		break;
	case WHY_REQUISITE:
		put_other(&to, "", t, w->a, " was not ready, and Requisite= wants it to be; start it first");
		break;
	case WHY_CONFLICT:
		put_other(&to, "made way for ", t, w->a, " (Conflicts=)");
		break;
	case WHY_SETUP:
		put_setup(&to, t, u, w);
		break;
	case WHY_EXIT:
		put_exit(&to, w->a < 0 ? 0 : w->a);
		break;
	case WHY_SIGNAL:
		text_put(&to, "killed by ");
		signal_put(&to, w->a);
		if (w->b)
			text_put(&to, ", core dumped");
		break;
	case WHY_START_TIMEOUT:
		put_span(&to, "was not ready within ", u->timeout_start, " (TimeoutStartSec=)");
		break;
	case WHY_STOP_TIMEOUT:
		put_span(&to, "did not stop within ", u->timeout_stop, " (TimeoutStopSec=) and was killed");
		break;
	case WHY_RUNTIME_MAX:
		put_span(&to, "ran for ", u->runtime_max, ", which is all it may (RuntimeMaxSec=)");
		break;
	case WHY_WATCHDOG:
		put_span(&to, "gave no sign of life for ", u->watchdog, " (WatchdogSec=)");
		break;
	case WHY_COMMAND:
		text_fmt(&to, "%s= ", phase_settings[(unsigned)w->a < N_PHASES ? w->a : 0]);
		put_exit(&to, w->b);
		break;
	case WHY_CONDITION:
		text_put(&to, "ExecCondition= said that it is not needed now");
		break;
	case WHY_SICK:
		put_sick(&to, w);
		break;
	case WHY_START_LIMIT:
		text_fmt(&to, "was started %d times within ", (int)w->a);
		put_span(&to, "", w->b < 0 ? 0 : w->b, " (StartLimitBurst=, StartLimitIntervalSec=); mend it, then: coppice reset-failed ");
		put_name(&to, t, (int32_t)i);
		break;
	case WHY_FORK:
		text_put(&to, "no process could be made: ");
		text_put(&to, error_words(w->b));
		text_put(&to, "; it is tried again");
		break;
	case WHY_NO_READY:
		text_put(&to, "ended before it said that it was ready");
		break;
	case WHY_UNKILLABLE:
		text_put(&to, "SIGKILL was sent and it is still there: it hangs in the kernel");
		break;
	case WHY_NO_PIDFILE:
		text_put(&to, "PIDFile=");
		put_shown(&to, table_text(t, u->pid_file));
		text_put(&to, " does not name a process of it");
		break;
	case WHY_NETWORK:
		text_put(&to, "waits for a default route: no interface has one yet; see [Network] in coppice.conf");
		break;
	default:
		text_fmt(&to, "reason %u", (unsigned)w->code);
		break;
	}
	return into;
}

const char *exit_text(uint8_t kind, int32_t value, char *into, size_t size)
{
	struct text to = { .at = into, .size = size };

	if (size)
		into[0] = '\0';
	if (kind == 1)
		put_exit(&to, value);
	if (kind >= 2) {
		text_put(&to, "killed by ");
		signal_put(&to, value);
	}
	if (kind == 3)
		text_put(&to, ", core dumped");
	return into;
}
