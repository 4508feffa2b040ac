/* request.c - a head and texts, counted against what is really there; pure. */
#include "supervise/request.h"

#include <errno.h>
#include <string.h>

/* The next text; NULL where it does not end in the buffer. */
static const char *take(const char **at, const char *end)
{
	const char *text = *at, *nul = text < end ? memchr(text, '\0', (size_t)(end - text)) : NULL;

	if (!nul)
		return NULL;
	*at = nul + 1;
	return text;
}

int request_read(const char *at, size_t n, struct request *ret)
{
	const char *end = at + n;
	struct exec_head head;

	if (n > MAX_EXEC)
		return -E2BIG;
	if (n < sizeof(head))
		return -EBADMSG;
	memcpy(&head, at, sizeof(head));
	if (head.magic != EXEC_MAGIC || head.total != n)
		return -EBADMSG;
	if (head.argc > MAX_EXEC_ARGS || head.envc > MAX_EXEC_ARGS)
		return -E2BIG;
	at += sizeof(head);
	for (uint32_t i = 0; i < head.argc; i++)
		if (!(ret->argv[i] = take(&at, end)))
			return -EBADMSG;
	for (uint32_t i = 0; i < head.envc; i++)
		if (!(ret->env[i] = take(&at, end)))
			return -EBADMSG;
	ret->argv[head.argc] = ret->env[head.envc] = NULL;
	ret->argc = head.argc;
	ret->envc = head.envc;
	ret->user = take(&at, end);
	ret->workdir = ret->user ? take(&at, end) : NULL;
	return ret->workdir && at == end ? 0 : -EBADMSG;
}
