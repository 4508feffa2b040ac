/* child_exec.c - the steps that give a process its environment, its arguments and its program. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/kit/own.h"
#include "conf/kit/say.h"
#include "conf/kit/sys.h"
#include "mount/inside.h"
#include "supervise/child_steps.h"
#include "supervise/expand.h"

extern char **environ;

static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* ---- the environment ---- */

static int read_request(struct life *l)
{
	char *buf = arena_get(&l->arena, MAX_EXEC + 1);
	ssize_t n;

	l->request = arena_get(&l->arena, sizeof(*l->request));
	if (!buf || !l->request)
		return -ENOMEM;
	/* From its start, wherever the one who wrote it left the position. */
	n = pread(l->job->request, buf, MAX_EXEC + 1, 0);
	if (n < 0)
		return -errno;

	int rc = request_read(buf, (size_t)n, l->request);

	if (rc < 0)
		text_put(&l->about, "the request, which is not as it should be");
	return rc;
}

static void put_list(struct life *l, list_at list)
{
	for (uint32_t i = 0; i < list_count(l->table, list); i++)
		env_put(&l->env, table_text(l->table, list_item(l->table, list, i)));
}

static bool take_setting(void *self, const char *name, const char *value)
{
	struct life *l = self;

	env_set(&l->env, name, value);
	return !l->env.failed;
}

static int read_file(struct life *l, const char *path)
{
	owned_fd root = open("/", O_PATH | O_CLOEXEC);
	owned_mem char *text = NULL;
	owned_mem char *scratch = NULL;
	size_t n = 0, bad;
	int rc = root < 0 ? -errno : inside_read(root, path, MAX_ENV_FILE, &text, &n);

	if (rc < 0)
		return rc;
	scratch = malloc(n + 1);
	if (!scratch)
		return -ENOMEM;
	bad = env_read(text, n, scratch, take_setting, l);
	if (bad)
		say(SAY_WARNING, "%s:%zu: this is not NAME=value; lines like it are left out", path, bad);
	return 0;
}

/* A path, or a pattern of paths; "-" before it: it may be missing. */
static int read_files(struct life *l, const char *path)
{
	bool optional = *path == '-';
	glob_t found;
	int rc = 0;

	path += optional;
	if (!strpbrk(path, "*?[")) {
		rc = read_file(l, path);
	} else {
		switch (glob(path, 0, NULL, &found)) {
		case 0:
			for (size_t i = 0; i < found.gl_pathc && rc == 0; i++)
				rc = read_file(l, found.gl_pathv[i]);
			globfree(&found);
			break;
		case GLOB_NOMATCH:
			rc = -ENOENT;
			break;
		default:
			rc = -EIO;
			break;
		}
	}
	if (rc == -ENOENT && optional)
		return 0;
	if (rc < 0)
		text_shown(&l->about, path, strlen(path), 100);
	return rc;
}

/* What is taken from PID 1's own environment. */
static void put_passed(struct life *l)
{
	for (uint32_t i = 0; i < list_count(l->table, l->unit->pass_env); i++) {
		const char *name = table_text(l->table, list_item(l->table, l->unit->pass_env, i));
		size_t n = strlen(name);

		for (char **e = environ; e && *e; e++)
			if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
				env_put(&l->env, *e);
	}
}

/* What PID 1's environment says of PID 1 alone, or of whoever started it. */
static const char *const not_inherited[] = {
	"NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID", "INVOCATION_ID",
	"MAINPID", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "PWD", "OLDPWD", "SHLVL", "_",
};

/* What units inherit of PID 1's environment: found once, for a child finds it again each time. */
static char *inherited[MAX_ENV];
static size_t n_inherited;
static bool looked;

static bool is_inherited(const char *entry)
{
	size_t n = strcspn(entry, "=");

	if (n == 0 || !entry[n])
		return false;
	for (size_t k = 0; k < sizeof(not_inherited) / sizeof(not_inherited[0]); k++)
		if (strncmp(entry, not_inherited[k], n) == 0 && !not_inherited[k][n])
			return false;
	/* Whoever starts us may name one twice: the first counts, as for getenv(3). */
	for (size_t k = 0; k < n_inherited; k++)
		if (strncmp(entry, inherited[k], n + 1) == 0)
			return false;
	return true;
}

void child_ready(void)
{
	n_inherited = 0;
	for (char **e = environ; e && *e && n_inherited < MAX_ENV; e++)
		if (is_inherited(*e))
			inherited[n_inherited++] = *e;
	looked = true;
}

/* A unit in the container's own root has the container's environment; an image is a world of its own and begins with none. */
static void put_inherited(struct life *l)
{
	if (plan_wants_root(l->unit))
		return;
	if (!looked)
		child_ready();
	env_start(&l->env, inherited, n_inherited);
	/* Who becomes PID 1 is who the outer manager speaks with. */
	static const char *const handed_on[] = { "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "TERM" };

	for (size_t k = 0; l->job->become && k < sizeof(handed_on) / sizeof(handed_on[0]); k++)
		if (getenv(handed_on[k]))
			env_set(&l->env, handed_on[k], getenv(handed_on[k]));
}

/* What the image says yields to whatever else is said, but for PATH, which knows where the image has its programs. */
static void put_image(struct life *l)
{
	for (uint32_t i = 0; i < list_count(l->table, l->unit->image_env); i++) {
		const char *entry = table_text(l->table, list_item(l->table, l->unit->image_env, i));
		size_t n = strcspn(entry, "=");

		if (!env_get(&l->env, entry, n) || (n == 4 && !memcmp(entry, "PATH", n)))
			env_put(&l->env, entry);
	}
}

static void put_number(struct life *l, const char *name, uint64_t n)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	env_default(&l->env, name, text);
}

static void put_invocation(struct life *l)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char random[16];
	char text[2 * sizeof(random) + 1] = "";

	if (!sys_dice(random, sizeof(random)))
		return;
	for (size_t i = 0; i < sizeof(random); i++) {
		text[2 * i] = digits[random[i] >> 4];
		text[2 * i + 1] = digits[random[i] & 15];
	}
	env_default(&l->env, "INVOCATION_ID", text);
}

static __attribute__((noinline)) void put_notify(struct life *l)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/notify", l->job->runtime);
	/* Every root of an image has it in one place. */
	env_default(&l->env, "NOTIFY_SOCKET", plan_wants_root(l->unit) && l->rooting != ROOTING_CHROOT ? PLAN_NOTIFY : path);
}

/* What the manager has to say, by systemd.exec(5), "Environment Variables Set or Propagated". */
static void put_ours(struct life *l)
{
	const struct job *job = l->job;
	const struct unit *u = l->unit;
	bool stops = job->phase == PHASE_STOP || job->phase == PHASE_STOP_POST;

	env_default(&l->env, "PATH", default_path);
	put_invocation(l);
	if (u->type == TYPE_NOTIFY || u->notify_access != NOTIFY_NONE)
		put_notify(l);
	if (u->watchdog > 0 && u->watchdog < FOREVER / 1000 && job->phase == PHASE_MAIN) {
		put_number(l, "WATCHDOG_USEC", (uint64_t)u->watchdog * 1000);
		put_number(l, "WATCHDOG_PID", (uint64_t)getpid());
	}
	if (job->main > 0 && (stops || job->phase == PHASE_RELOAD || job->phase == PHASE_POST))
		put_number(l, "MAINPID", (uint64_t)job->main);
	if (stops && job->result)
		env_default(&l->env, "SERVICE_RESULT", job->result);
	if (stops && job->exit_code)
		env_default(&l->env, "EXIT_CODE", job->exit_code);
	if (stops && job->exit_status)
		env_default(&l->env, "EXIT_STATUS", job->exit_status);
	if (job->phase == PHASE_EXEC && job->request_flags & EXEC_TTY) {
		const char *term = getenv("TERM");

		env_default(&l->env, "TERM", term && *term ? term : "xterm");
	}
}

int step_environment(struct life *l)
{
	const struct unit *u = l->unit;
	int rc = 0;

	put_inherited(l);
	put_image(l);
	put_list(l, l->table->house.default_env);
	put_passed(l);
	put_list(l, u->env);
	for (uint32_t i = 0; i < list_count(l->table, u->env_files) && rc == 0; i++)
		rc = read_files(l, table_text(l->table, list_item(l->table, u->env_files, i)));
	if (rc == 0 && l->job->phase == PHASE_EXEC)
		rc = read_request(l);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; l->request && i < l->request->envc; i++)
		env_put(&l->env, l->request->env[i]);
	put_ours(l);
	if (!l->env.failed)
		return 0;
	text_fmt(&l->about, "more than %u variables", MAX_ENV);
	return -E2BIG;
}

/* ---- the arguments ---- */

/* Without a command: the user's shell, unless it is one that lets nobody in. */
static int shell_argv(struct life *l)
{
	const char *shell = l->person.shell, *name = strrchr(shell, '/');
	bool usable = name && strcmp(name, "/nologin") != 0 && strcmp(name, "/false") != 0 && access(shell, X_OK) == 0;

	l->argv = arena_get(&l->arena, 2 * sizeof(*l->argv));
	if (!l->argv)
		return -ENOMEM;
	l->program = usable ? shell : "/bin/sh";
	l->argv[0] = (char *)(uintptr_t)l->program;
	return 0;
}

int step_arguments(struct life *l)
{
	const struct command *c = l->command;
	char unset_words[256];
	struct text unset = TEXT(unset_words);

	if (l->request) {
		if (!l->request->argc)
			return shell_argv(l);
		l->program = l->request->argv[0];
		l->argv = (char **)(uintptr_t)l->request->argv;
		return 0;
	}
	if (!c->argc)
		return -EINVAL;

	/* With '@' the second text stands in for the first one. */
	uint32_t from = c->flags & CMD_ARGV0 && c->argc > 1, n = c->argc - from;
	const char **raw = arena_get(&l->arena, n * sizeof(*raw));

	if (!raw)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		raw[i] = table_text(l->table, c->argv[from + i]);
	l->program = table_text(l->table, c->argv[0]);
	unset_words[0] = '\0';

	int rc = expand_words(&l->arena, raw, n, c->flags & CMD_VERBATIM ? n : 1, &l->env, &l->argv, &unset);

	if (rc == 0 && unset.len)
		say(SAY_WARNING, "%s:%u: not set, and so empty: %s", table_text(l->table, l->unit->file), c->line, unset_words);
	return rc;
}

/* ---- the program ---- */

/* ENOENT of a file that is there means what it asks to be run by. */
static void explain(struct life *l, const char *path, int err)
{
	char head[128] = "";
	owned_fd fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof(head) - 1);

	text_shown(&l->about, path, strlen(path), 60);
	if (err == ENOENT && n > 2 && memcmp(head, "#!", 2) == 0) {
		const char *at = head + 2 + strspn(head + 2, " \t");

		text_put(&l->about, ", whose interpreter is missing: ");
		text_shown(&l->about, at, strcspn(at, " \t\r\n"), 30);
	} else if (err == ENOENT && n > 4 && memcmp(head, "\177ELF", 4) == 0) {
		text_put(&l->about, ", whose dynamic loader is missing in its root");
	} else if (err == ENOEXEC) {
		text_put(&l->about, ", which is neither a program nor a script with #!");
	} else if (err == EACCES) {
		text_put(&l->about, ", which this user may not execute");
	}
}

/* Tries every directory of PATH, as execvp(3) does; what is there but refused is told rather than what is missing. */
static int exec_by_path(struct life *l)
{
	const char *at = env_get(&l->env, "PATH", 4);
	int worst = ENOENT;
	char path[PATH_MAX], told[PATH_MAX] = "";

	for (bool more = at != NULL; more;) {
		size_t n = strcspn(at, ":");
		int len = snprintf(path, sizeof(path), "%.*s%s%s", (int)n, at, n ? "/" : "./", l->program);

		more = at[n] == ':';
		at += n + more;
		if (len < 0 || (size_t)len >= sizeof(path))
			continue;
		(void)execve(path, l->argv, l->env.at);
		if (errno == ENOENT && access(path, F_OK) < 0)
			continue;
		if (errno == ENOTDIR || errno == ENAMETOOLONG)
			continue;
		worst = errno;
		memcpy(told, path, (size_t)len + 1);
		if (errno != EACCES)
			break;
	}
	if (*told) {
		explain(l, told, worst);
	} else {
		text_shown(&l->about, l->program, strlen(l->program), 40);
		text_put(&l->about, ", which is in no directory of its PATH");
	}
	return -worst;
}

int step_exec(struct life *l)
{
	if (l->env.failed)
		return -E2BIG;
	if (!strchr(l->program, '/'))
		return exec_by_path(l);
	(void)execve(l->program, l->argv, l->env.at);

	int err = errno;

	explain(l, l->program, err);
	return -err;
}
