/* words.c - what a probe's detail means, in words. */
#include "health/probe.h"

#include <errno.h>
#include <string.h>

#include "conf/kit/text.h"

/* The ones that people meet; the C library's words, which differ between libraries, serve for the rest. */
static const struct { int error; const char *words; } errors[] = {
	{ ECONNREFUSED, "connection refused" },
	{ ECONNRESET, "connection reset" },
	{ EHOSTUNREACH, "no route to the address" },
	{ ENETUNREACH, "no route to the address" },
	{ ETIMEDOUT, "connection timed out" },
	{ EACCES, "permission denied" },
	{ ENOENT, "no such file" },
	{ EPROTOTYPE, "not a stream socket" },
	{ ENOSYS, "this kernel, or the container's seccomp filter, lacks a system call" },
	{ EBUSY, "too many probes at once" },
};

static void put_error(struct text *t, uint32_t error)
{
	for (unsigned i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		if (errors[i].error == (int)error) {
			text_put(t, errors[i].words);
			return;
		}
	}
	text_put(t, strerror((int)error));
}

const char *probe_words(int32_t detail, char *into, uint32_t size)
{
	struct text t = { .at = into, .size = size };
	uint32_t number = DETAIL_NUMBER(detail);

	if (size)
		into[0] = '\0';
	switch (DETAIL_WHAT(detail)) {
	case DETAIL_NONE:
		text_put(&t, "nothing wrong");
		break;
	case DETAIL_CONNECT:
		if (number == EAGAIN)
			text_put(&t, "its queue of connections is full"); /* unix(7), connect() that may not wait */
		else
			put_error(&t, number);
		break;
	case DETAIL_TIMEOUT:
		text_put(&t, "no answer in time");
		break;
	case DETAIL_NOT_LISTENING:
		text_put(&t, "nobody listens on the port");
		break;
	case DETAIL_STATUS:
		text_fmt(&t, "HTTP status %u", (unsigned)number);
		break;
	case DETAIL_NOT_HTTP:
		text_put(&t, "the answer is not HTTP");
		break;
	case DETAIL_CLOSED:
		text_put(&t, "the connection was closed without an answer");
		break;
	case DETAIL_MISSING:
		text_put(&t, "no such file");
		break;
	case DETAIL_SYSTEM:
		text_put(&t, "could not be tried: ");
		put_error(&t, number);
		break;
	case DETAIL_EXIT:
		text_fmt(&t, "exit code %u", (unsigned)number);
		break;
	case DETAIL_SIGNAL:
		text_fmt(&t, "killed by signal %u", (unsigned)number);
		break;
	default:
		text_fmt(&t, "detail %u:%u", (unsigned)DETAIL_WHAT(detail), (unsigned)number);
		break;
	}
	return into;
}
