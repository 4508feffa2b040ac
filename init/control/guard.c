/* guard.c - takes from the desk every right that it does not need. */
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/control/inside.h"

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Everything from `from` to `to` but not `to` itself. */
static void close_between(int from, int to)
{
	if (from >= to)
		return;
#ifdef SYS_close_range
	if (!syscall(SYS_close_range, (unsigned)from, to == INT_MAX ? UINT_MAX : (unsigned)to - 1, 0u))
		return;
#endif
	struct rlimit files = { .rlim_cur = 1024 }; /* before 5.9 */

	(void)getrlimit(RLIMIT_NOFILE, &files);
	for (int fd = from; fd < to && fd < (int)(files.rlim_cur < 65536 ? files.rlim_cur : 65536); fd++)
		(void)close(fd);
}

/* capset(2) with nothing left. The desk stays uid 0: what it opens it opened before, and what it asks for it asks of PID 1. */
static void forbid_powers(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	memset(data, 0, sizeof(data));
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* 4.3 */
	(void)syscall(SYS_capset, &head, data);
}

void desk_guard(const int *keep, uint32_t n)
{
	int *sorted = calloc((size_t)n + 1, sizeof(*sorted));

	if (sorted) {
		int from = 3;

		memcpy(sorted, keep, n * sizeof(*keep));
		qsort(sorted, n, sizeof(*sorted), by_number);
		for (uint32_t i = 0; i < n; i++) {
			close_between(from, sorted[i]);
			if (sorted[i] >= from)
				from = sorted[i] + 1;
		}
		close_between(from, INT_MAX);
		free(sorted);
	}
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	forbid_powers();
}
