/* seal.c - a memfd that is written once and that nobody can change any more. */
#include "conf/kit/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conf/kit/sys.h"

#define ALL_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

int seal_create(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	return fd < 0 ? -errno : fd;
}

int seal_write(int fd, const void *from, size_t n)
{
	int r = sys_write_all(fd, from, n);

	if (r < 0)
		return r;
	return fcntl(fd, F_ADD_SEALS, ALL_SEALS) < 0 ? -errno : 0;
}

bool seal_holds(int fd)
{
	return fcntl(fd, F_GET_SEALS) == ALL_SEALS;
}
