/* shed.c - a few calls whose order is the caller's. */
#include "conf/kit/shed.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From `from` to `to`, but not `to` itself. */
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

void shed_files(const int *keep, size_t n)
{
	int from = 3;

	for (size_t k = 0; k < n; k++) {
		close_between(from, keep[k]);
		if (keep[k] >= from)
			from = keep[k] + 1;
	}
	close_between(from, INT_MAX);
}

int shed_powers(uint32_t keep)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* 4.3 */
	if (syscall(SYS_capget, &head, data))
		return -errno;
	data[0].permitted &= keep;
	data[0].effective = data[0].permitted;
	data[0].inheritable = 0;
	memset(&data[1], 0, sizeof(data[1]));
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

int shed_gains(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

int shed_dumps(void)
{
	return setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 }) ? -errno : 0;
}
