/* client.c - one connection to the desk, line by line. */
#include "init/cli/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "conf/kit/sys.h"
#include "init/control/rpc.h"

#define DEFAULT_SOCKET "/run/coppice/control.sock"

static const char *remedy(int error)
{
	switch (error) {
	case ENOENT:
		return "is coppice running here? --socket names another place";
	case ECONNREFUSED:
		return "its desk is not there; PID 1 starts it again, or has ended";
	case EACCES:
	case EPERM:
		return "only root, and readers in ControlGroup=, may connect";
	default:
		return "--socket names another place";
	}
}

int client_open(struct client *c, const struct cli *cli)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *env = getenv("COPPICE_SOCKET");
	const char *path = cli->value[OPT_SOCKET] ? cli->value[OPT_SOCKET] : env && *env ? env : DEFAULT_SOCKET;

	*c = (struct client){ .fd = -1 };
	if (strlen(path) >= sizeof(to.sun_path)) {
		cli_error("no PID 1 to talk to at %s: the path is longer than %zu bytes", path, sizeof(to.sun_path) - 1);
		return CLI_NO_PID1;
	}
	memcpy(to.sun_path, path, strlen(path) + 1);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&to, sizeof(to)) < 0) {
		int e = errno;

		cli_error("no PID 1 to talk to at %s: %s; %s", path, strerror(e), remedy(e));
		client_close(c);
		return CLI_NO_PID1;
	}
	return CLI_DONE;
}

void client_close(struct client *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	free(c->in);
	*c = (struct client){ .fd = -1 };
}

json_int_t client_call(struct client *c, const char *method, json_t *params, const int *fds, int n_fds)
{
	json_t *q = json_pack("{s:s,s:I,s:s}", "jsonrpc", "2.0", "id", ++c->id, "method", method);
	char *text = NULL;
	json_int_t id = 0;

	if (q && params)
		(void)json_object_set(q, "params", params);
	if (q)
		text = json_dumps(q, JSON_COMPACT);
	size_t n = text ? strlen(text) : 0, done = 0;
	if (text) {
		text[n++] = '\n'; /* instead of the NUL */
		while (done < n) {
			/* The descriptors go with the first piece. */
			ssize_t sent = done || !n_fds ? send(c->fd, text + done, n - done, MSG_NOSIGNAL) :
							sys_send(c->fd, text, n, fds, n_fds);

			if (sent < 0 && errno == EINTR)
				continue;
			if (sent <= 0)
				break;
			done += (size_t)sent;
		}
		if (done == n)
			id = c->id;
	}
	free(text);
	json_decref(q);
	json_decref(params);
	return id;
}

bool client_has_line(const struct client *c)
{
	return c->len > c->used && memchr(c->in + c->used, '\n', c->len - c->used);
}

/* Reads once more. False at the end. */
static bool more(struct client *c)
{
	if (c->used) {
		c->len -= c->used;
		memmove(c->in, c->in + c->used, c->len);
		c->used = 0;
	}
	if (c->len == c->size) {
		size_t size = c->size ? c->size * 2 : 4096;
		char *at = size <= 2 * (size_t)RPC_ANSWER ? realloc(c->in, size) : NULL;

		if (!at)
			return false;
		c->in = at;
		c->size = size;
	}
	ssize_t n = sys_read(c->fd, c->in + c->len, c->size - c->len);

	if (n <= 0)
		return false;
	c->len += (size_t)n;
	return true;
}

json_t *client_next(struct client *c)
{
	while (!client_has_line(c))
		if (!more(c))
			return NULL;
	const char *line = c->in + c->used;
	size_t n = (size_t)((const char *)memchr(line, '\n', c->len - c->used) - line);

	c->used += n + 1;
	/* A daemon may write NUL, and it arrives as such. */
	return json_loadb(line, n, JSON_ALLOW_NUL, NULL);
}

json_t *client_answer(struct client *c, json_int_t id, void (*tell)(void *self, const json_t *notification), void *self)
{
	json_t *m;

	while ((m = client_next(c))) {
		const json_t *theirs = json_object_get(m, "id");

		/* An id of null: the desk could not even read who asked, or refuses the connection. */
		if (json_is_null(theirs) || (theirs && json_integer_value(theirs) == id))
			return m;
		if (!theirs && tell)
			tell(self, m);
		json_decref(m);
	}
	return NULL;
}

const char *json_text(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s ? s : "";
}

int client_judge(const json_t *answer)
{
	const json_t *error = json_object_get(answer, "error");

	if (!answer) {
		cli_error("the connection ended before the answer came; the container may be stopping, else try again");
		return CLI_NO_PID1;
	}
	if (!error)
		return CLI_DONE;
	cli_error("%s", json_text(error, "message"));
	return rpc_exit_status(json_integer_value(json_object_get(error, "code")));
}

json_t *client_do(struct client *c, const char *method, json_t *params, int *status)
{
	json_int_t id = client_call(c, method, params, NULL, 0);
	json_t *answer = client_answer(c, id, NULL, NULL);

	*status = client_judge(answer);
	json_t *result = *status == CLI_DONE ? json_incref(json_object_get(answer, "result")) : NULL;

	json_decref(answer);
	return result;
}

void client_print(const json_t *j)
{
	size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | (isatty(1) ? JSON_ENSURE_ASCII : 0);

	(void)json_dumpf(j, stdout, flags);
	(void)putchar('\n');
}
