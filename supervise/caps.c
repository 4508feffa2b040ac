/* caps.c - bounding set, ambient set, and the rest; in the order that each needs the one before. */
#include "supervise/caps.h"

#include <errno.h>
#include <stddef.h>
#include <sys/capability.h>
#include <sys/prctl.h>

#define CAP(name) (UINT64_C(1) << CAP_##name)

/* Which one is missed least, where one has to go. */
static const uint8_t least_missed[] = {
	CAP_SYS_BOOT, CAP_SYS_RAWIO, CAP_SYS_MODULE, CAP_SYS_PTRACE, CAP_AUDIT_WRITE, CAP_MKNOD, CAP_SYS_CHROOT, CAP_NET_RAW, CAP_SETFCAP,
};

uint64_t caps_for(uint64_t ours, uint64_t wanted)
{
	uint64_t set = ours & wanted;

	if (set != ours || !set)
		return set;
	for (size_t i = 0; i < sizeof(least_missed); i++)
		if (set & UINT64_C(1) << least_missed[i])
			return set & ~(UINT64_C(1) << least_missed[i]);
	return set & (set - 1);
}

int caps_ours(uint64_t *ret)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	/* libcap's own names for the two system calls: they need no memory. */
	if (capget(&head, data) < 0)
		return -errno;
	*ret = (uint64_t)data[1].permitted << 32 | data[0].permitted;
	return 0;
}

static int set_all(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++)
		data[i] = (struct __user_cap_data_struct){ .effective = (uint32_t)(effective >> 32 * i),
							   .permitted = (uint32_t)(permitted >> 32 * i),
							   .inheritable = (uint32_t)(inheritable >> 32 * i) };
	return capset(&head, data) < 0 ? -errno : 0;
}

/* A capability that is in no bounding set never comes back, whatever is executed. */
static int drop_bounding(uint64_t keep, bool harmless, struct text *about)
{
	for (int cap = 0; cap < 64; cap++) {
		if (keep & UINT64_C(1) << cap || prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		/* The kernel ends the list: EINVAL for the first number it does not know. */
		if (errno == EINVAL)
			break;
		/* Without CAP_SETPCAP it refuses even what is gone already. */
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 0)
			continue;
		if (harmless)
			return 0;
		text_put(about, "the bounding set; this needs CAP_SETPCAP in the container, or NoNewPrivileges=yes");
		return -errno;
	}
	return 0;
}

static int raise_ambient(uint64_t ambient)
{
	/* Whoever started PID 1 may have left some. */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	for (int cap = 0; ambient >> cap; cap++)
		if (ambient & UINT64_C(1) << cap && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return -errno;
	return 0;
}

int caps_take(uint64_t ours, uint64_t set, uint64_t ambient, uid_t uid, bool no_new_privs, struct text *about)
{
	uint64_t rest = uid ? ambient : set;
	int rc;

	if (ambient & ~set) {
		text_put(about, "AmbientCapabilities=, of which this container does not have all");
		return -EPERM;
	}
	/* After setresuid(2) with PR_SET_KEEPCAPS nothing is effective; dropping needs CAP_SETPCAP. */
	rc = uid ? set_all(ours & CAP(SETPCAP), ours, ambient) : 0;
	if (rc == 0)
		/* Without CAP_SETPCAP it stays; no matter where nothing can be gained by executing, or where PID 1 itself is nobody. */
		rc = drop_bounding(set, no_new_privs || !ours, about);
	/* Ambient ones must be both permitted and inheritable when they are raised. */
	if (rc == 0)
		rc = set_all(rest, rest, ambient);
	if (rc == 0)
		rc = raise_ambient(ambient);
	if (rc == 0 && no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		rc = -errno;
	return rc;
}
