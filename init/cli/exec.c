/* exec.c - a command inside a unit, with our own descriptors or on a terminal made for it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "conf/kit/own.h"
#include "conf/kit/sys.h"
#include "init/cli/client.h"

/* What has to be put back, whichever way we leave. */
static struct termios before;
static volatile sig_atomic_t is_raw;
static volatile sig_atomic_t resized = 1;

static void restore(void)
{
	if (is_raw) {
		is_raw = 0;
		(void)tcsetattr(0, TCSADRAIN, &before);
	}
}

static void on_end(int sig)
{
	restore();
	(void)signal(sig, SIG_DFL);
	(void)raise(sig);
}

static void on_resize(int sig)
{
	(void)sig;
	resized = 1;
}

static void make_raw(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct termios raw;

	if (tcgetattr(0, &before) < 0)
		return;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		(void)signal(ends[i], on_end);
	raw = before;
	cfmakeraw(&raw);
	(void)atexit(restore);
	if (tcsetattr(0, TCSADRAIN, &raw) == 0)
		is_raw = 1;
}

/* A pair of ends, the command's in *slave; -errno. The command never gets the operator's own terminal: it could type into it (TIOCSTI). */
static int make_terminal(int *slave)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	const char *name = master >= 0 && !grantpt(master) && !unlockpt(master) ? ptsname(master) : NULL;

	*slave = name ? open(name, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
	if (*slave < 0) {
		int e = errno;

		if (master >= 0)
			(void)close(master);
		return -e;
	}
	return master;
}

static void copy_size(int master)
{
	struct winsize size;

	resized = 0;
	if (ioctl(0, TIOCGWINSZ, &size) == 0 || ioctl(1, TIOCGWINSZ, &size) == 0)
		(void)ioctl(master, TIOCSWINSZ, &size); /* the kernel tells the other side by SIGWINCH */
}

/* One piece from `from` to `to`; false at the end, or where it cannot be written. */
static bool carry(int from, int to)
{
	char piece[4096];
	ssize_t n = sys_read(from, piece, sizeof(piece));

	return n > 0 && sys_write_all(to, piece, (size_t)n) == 0;
}

/* Until the answer is there: our stdin to the terminal's master, its output to our stdout. */
static json_t *carry_both(struct client *client, json_int_t id, int master, bool in)
{
	static const char end_of_input = 4; /* ^D, which the terminal makes an end of file of */
	json_t *answer = NULL;
	bool alive = true;

	while (!answer) {
		struct pollfd p[] = {
			{ .fd = client->fd, .events = POLLIN },
			{ .fd = alive ? master : -1, .events = POLLIN },
			{ .fd = in && alive ? 0 : -1, .events = POLLIN },
		};

		if (resized)
			copy_size(master);
		if (poll(p, 3, -1) < 0) {
			if (errno == EINTR)
				continue;
			break;
		}
		if (p[1].revents)
			alive = carry(master, 1);
		if (p[2].revents && !carry(0, master)) {
			in = false;
			(void)sys_write_all(master, &end_of_input, 1);
		}
		if (p[0].revents) {
			answer = client_answer(client, id, NULL, NULL);
			if (!answer)
				break;
		}
	}
	/* Its last words: what lies in the terminal already. */
	struct pollfd last = { .fd = master, .events = POLLIN };

	while (alive && poll(&last, 1, 0) > 0 && last.revents & POLLIN)
		alive = carry(master, 1);
	return answer;
}

static json_t *params_of(const struct cli *c)
{
	json_t *p = json_pack("{s:s}", "unit", c->args[0]), *env = json_object(), *command = json_array();

	for (int i = 1; i < c->n_args; i++)
		(void)json_array_append_new(command, json_string(c->args[i]));
	for (int i = 0; i < c->n_repeated; i++) {
		const char *eq = strchr(c->repeated[i], '=');
		char name[256];

		(void)snprintf(name, sizeof(name), "%.*s", eq ? (int)(eq - c->repeated[i]) : 255, c->repeated[i]);
		/* NAME alone hands over our own, as docker does. */
		const char *value = eq ? eq + 1 : getenv(name);

		if (value)
			(void)json_object_set_new(env, name, json_string(value));
	}
	(void)json_object_set_new(p, "command", command);
	(void)json_object_set_new(p, "env", env);
	(void)json_object_set_new(p, "tty", json_boolean(c->value[OPT_TTY] != NULL));
	if (c->value[OPT_USER])
		(void)json_object_set_new(p, "user", json_string(c->value[OPT_USER]));
	if (c->value[OPT_WORKDIR])
		(void)json_object_set_new(p, "workdir", json_string(c->value[OPT_WORKDIR]));
	return p;
}

/* The command's own status, or ours. */
static int status_of(const json_t *answer)
{
	const json_t *result = json_object_get(answer, "result");
	int status = client_judge(answer);

	if (status)
		return status;
	if (*json_text(result, "why"))
		cli_error("exec: %s", json_text(result, "why"));
	return (int)json_integer_value(json_object_get(result, "status"));
}

int verb_exec(const struct cli *c)
{
	bool tty = c->value[OPT_TTY], in = c->value[OPT_STDIN];
	owned_fd slave = -1;
	owned_fd master = -1;
	owned_fd null = -1;
	struct client client;

	for (int i = 0; i < c->n_repeated; i++)
		if (c->repeated[i][0] == '=' || !c->repeated[i][0])
			return cli_usage(c->verb, "-e: \"%.64s\" has no name; write NAME=VALUE", c->repeated[i]);
	if (tty && in && !isatty(0))
		return cli_usage(c->verb, "-it: stdin is no terminal; leave -t out");
	int status = client_open(&client, c);

	if (status)
		return status;
	if (tty) {
		master = make_terminal(&slave);
		if (master < 0)
			cli_error("exec: no terminal can be made: %s; leave -t out, or mount devpts", strerror(-master));
	} else {
		null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	int first = tty ? slave : in ? 0 : null;

	if (first < 0 || (tty && master < 0)) {
		client_close(&client);
		return CLI_FAILED;
	}
	/* Before the command can say anything: what is typed now is for it, and it echoes. */
	if (tty && in)
		make_raw();
	json_int_t id = client_call(&client, "exec", params_of(c), (int[]){ first, tty ? slave : 1, tty ? slave : 2 }, 3);
	json_t *answer = NULL;

	if (tty) {
		/* Only the command may hold it open, so that its end shows. */
		(void)close(take_fd(&slave));
		(void)sigaction(SIGWINCH, &(struct sigaction){ .sa_handler = on_resize }, NULL);
		answer = carry_both(&client, id, master, in);
		restore();
	} else {
		answer = client_answer(&client, id, NULL, NULL);
	}
	status = status_of(answer);
	json_decref(answer);
	client_close(&client);
	return status;
}
