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

void caps_words(struct __user_cap_data_struct words[2], uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	for (int i = 0; i < 2; i++)
		words[i] = (struct __user_cap_data_struct){ .effective = (uint32_t)(effective >> 32 * i),
							    .permitted = (uint32_t)(permitted >> 32 * i),
							    .inheritable = (uint32_t)(inheritable >> 32 * i) };
}

uint64_t caps_inherited(uint64_t set, uint64_t bounding)
{
	return set & ~bounding;
}

static int set_all(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	caps_words(data, effective, permitted, inheritable);
	return capset(&head, data) < 0 ? -errno : 0;
}

uint64_t caps_bounding(void)
{
	uint64_t set = 0;

	/* The kernel ends the list: EINVAL for the first number it does not know. */
	for (int cap = 0; cap < 64; cap++) {
		int have = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (have < 0)
			break;
		set |= (uint64_t)have << cap;
	}
	return set;
}

/* A capability that is in no bounding set never comes back by executing something. Returns those of `drop` that stay. */
static uint64_t drop_bounding(uint64_t drop)
{
	for (int cap = 0; drop >> cap; cap++) {
		if (!(drop & UINT64_C(1) << cap))
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return drop;
		drop &= ~(UINT64_C(1) << cap);
		if (cap == 63)
			break;
	}
	return drop;
}

uint64_t caps_forgo(uint64_t have, uint64_t wanted)
{
	uint64_t ours = 0;

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	/* What is in no bounding set can be made inheritable no more (capset(2)), so that comes first. */
	if (caps_ours(&ours) < 0 || set_all(ours, ours, ours) < 0)
		return have;
	return (have & wanted) | drop_bounding(have & ~wanted);
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

int caps_take(uint64_t ours, uint64_t bounding, uint64_t set, uint64_t ambient, uid_t uid, bool no_new_privs, struct text *about)
{
	uint64_t rest = uid ? ambient : set;
	uint64_t inheritable = ambient | (uid ? 0 : caps_inherited(set, bounding));
	int rc;

	if (ambient & ~set) {
		text_put(about, "AmbientCapabilities=, of which this container does not have all");
		return -EPERM;
	}
	/* After setresuid(2) with PR_SET_KEEPCAPS nothing is effective; dropping needs CAP_SETPCAP. */
	rc = uid ? set_all(ours & CAP(SETPCAP), ours, ambient) : 0;
	/* Without CAP_SETPCAP it stays; no matter where nothing can be gained by executing, or where PID 1 itself is nobody. */
	if (rc == 0 && drop_bounding(bounding & ~set) != 0 && !no_new_privs && ours && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
		text_put(about, "the bounding set; this needs CAP_SETPCAP in the container, or NoNewPrivileges=yes");
		return -EPERM;
	}
	/* Ambient ones must be both permitted and inheritable when they are raised. */
	if (rc == 0)
		rc = set_all(rest, rest, inheritable);
	if (rc == 0)
		rc = raise_ambient(ambient);
	if (rc == 0 && no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		rc = -errno;
	return rc;
}
