/* exec.c - a command that an operator runs in a unit: the request packed for the child that will read it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conf/kit/own.h"
#include "conf/kit/seal.h"
#include "init/control/inside.h"

static void put_word(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s) + 1);
}

/* Head, arguments, environment, user, workdir. False where it is too much. */
static bool pack(struct buf *b, const json_t *params)
{
	const json_t *command = json_object_get(params, "command"), *env = json_object_get(params, "env"), *value;
	const char *user = json_string_value(json_object_get(params, "user")), *key;
	const char *workdir = json_string_value(json_object_get(params, "workdir"));
	struct exec_head head = {
		.magic = EXEC_MAGIC, .argc = (uint32_t)json_array_size(command), .envc = (uint32_t)json_object_size(env),
	};
	size_t i;

	buf_put(b, (const char *)&head, sizeof(head));
	json_array_foreach(command, i, value) {
		put_word(b, json_string_value(value));
	}
	json_object_foreach((json_t *)(uintptr_t)env, key, value) {
		buf_put(b, key, strlen(key));
		buf_put(b, "=", 1);
		put_word(b, json_string_value(value));
	}
	put_word(b, user ? user : "");
	put_word(b, workdir ? workdir : "");
	if (b->broken || head.argc + head.envc > MAX_EXEC_ARGS)
		return false;
	head.total = (uint32_t)b->len;
	memcpy(b->at, &head, sizeof(head));
	return true;
}

/* A memfd that nobody can change any more, or -errno. */
static int seal(const struct buf *b)
{
	owned_fd fd = seal_create("coppice-exec");
	int e = fd < 0 ? fd : seal_write(fd, b->at, b->len);

	return e < 0 ? e : take_fd(&fd);
}

void exec_begin(struct desk *d, struct conn *c, struct call *call, uint32_t unit, const json_t *params)
{
	bool tty = json_is_true(json_object_get(params, "tty"));
	struct message m = { .kind = ASK_EXEC, .unit = unit, .a = (int32_t)((tty ? EXEC_TTY : 0) | (c->n_fds == 3 ? EXEC_STDIN : 0)) };
	struct buf b = { .most = MAX_EXEC };
	const json_t *env = json_object_get(params, "env"), *value;
	const char *key;
	int fds[4] = { -1, -1, -1, -1 };
	bool good = true;

	json_object_foreach((json_t *)(uintptr_t)env, key, value) {
		good = good && *key && !strchr(key, '=');
	}
	if (!good) {
		call_error(call, RPC_PARAMS, NULL, "env: a name is not empty and holds no \"=\"");
		return;
	}
	if (!pack(&b, params)) {
		call_error(call, RPC_PARAMS, NULL, "command and environment are too long: 64 KiB and 1,024 words are the most");
		buf_free(&b);
		return;
	}
	fds[0] = seal(&b);
	buf_free(&b);
	for (int i = 0; i < 3; i++)
		fds[i + 1] = i < c->n_fds ? c->fds[i] : fcntl(d->null, F_DUPFD_CLOEXEC, 3);
	c->n_fds = 0;
	if (fds[0] >= 0 && fds[1] >= 0 && fds[2] >= 0 && fds[3] >= 0)
		errand_ask(d, c, call, M_EXEC, &m, params, fds, 4);
	else
		call_error(call, RPC_FAILED, NULL, "the desk has no descriptors left for an exec; try again later");
	for (int i = 0; i < 4; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
}
