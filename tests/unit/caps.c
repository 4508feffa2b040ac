/* caps.c - what capabilities a unit gets of those that PID 1 has, and a request taken apart. */
#include "supervise/caps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>

#include "supervise/request.h"
#include "tests/lib/tap.h"

#define BIT(n) (UINT64_C(1) << (n))
#define ALL    (BIT(CAP_LAST_CAP + 1) - 1)
/* What Docker leaves to a container. */
#define DOCKER UINT64_C(0xa80425fb)

static void test_caps(void)
{
	static const uint64_t ours[] = { 0, 1, BIT(CAP_SETUID), DOCKER, ALL, ALL & ~BIT(CAP_SYS_PTRACE), ALL & ~BIT(CAP_SYS_BOOT), 0x3 };
	static const uint64_t wanted[] = { 0, 1, DOCKER, ALL, UINT64_MAX, UINT64_C(0x800004fb), BIT(CAP_SYS_PTRACE) };

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		for (size_t k = 0; k < sizeof(wanted) / sizeof(wanted[0]); k++) {
			uint64_t set = caps_for(ours[i], wanted[k]);

			CHECK(!(set & ~ours[i]) && !(set & ~wanted[k]) && (set != ours[i] || !set),
			      "of %llx, wanting %llx: %llx", (unsigned long long)ours[i], (unsigned long long)wanted[k],
			      (unsigned long long)set);
			/* One goes at most, and only where it must. */
			uint64_t lost = (ours[i] & wanted[k]) & ~set;
			CHECK(lost ? (ours[i] & wanted[k]) == ours[i] && !(lost & (lost - 1)) : true, "loses %llx", (unsigned long long)lost);
		}
	}
	CHECK(caps_for(ALL, ALL) == (ALL & ~BIT(CAP_SYS_BOOT)), "of everything, the right to reboot is missed least");
	CHECK(caps_for(DOCKER, DOCKER) == (DOCKER & ~BIT(CAP_AUDIT_WRITE)), "of Docker's, CAP_AUDIT_WRITE");
	CHECK(CAPS_NEVER_IMPLIED & BIT(CAP_SYS_PTRACE) && CAPS_NEVER_IMPLIED & BIT(CAP_SYS_ADMIN) && CAPS_NEVER_IMPLIED & BIT(CAP_SYS_CHROOT),
	      "the ways out are never implied");
}

/* The head, then the n bytes of `texts`, in memory of exactly that size. */
static int parse(uint32_t argc, uint32_t envc, const char *texts, size_t n, int32_t more, struct request *ret, char **kept)
{
	struct exec_head head = { EXEC_MAGIC, argc, envc, (uint32_t)(sizeof(head) + n) + (uint32_t)more };

	*kept = malloc(sizeof(head) + n);
	if (!*kept)
		abort();
	memcpy(*kept, &head, sizeof(head));
	memcpy(*kept + sizeof(head), texts, n);
	return request_read(*kept, sizeof(head) + n, ret);
}

static void test_request(void)
{
	static const struct { uint32_t argc, envc; const char *texts; size_t n; int32_t more; int rc; } cases[] = {
		{ 0, 0, "\0\0", 2, 0, 0 },
		{ 2, 1, "ls\0-l\0A=b\0user\0/dir\0", 20, 0, 0 },
		{ 2, 1, "ls\0-l\0A=b\0user\0/dir\0", 20, 1, -EBADMSG },
		{ 2, 1, "ls\0-l\0A=b\0user\0/dir\0x", 21, 0, -EBADMSG },
		{ 2, 1, "ls\0-l\0A=b\0user\0/dir", 19, 0, -EBADMSG },
		{ 3, 1, "ls\0-l\0A=b\0user\0/dir\0", 20, 0, -EBADMSG },
		{ 1, 1, "ls\0-l\0A=b\0user\0/dir\0", 20, 0, -EBADMSG },
		{ 0, 0, "", 0, 0, -EBADMSG },
		{ 0, 0, "\0", 1, 0, -EBADMSG },
		{ UINT32_MAX, 1, "\0\0", 2, 0, -E2BIG },
		{ 1, MAX_EXEC_ARGS + 1, "\0\0", 2, 0, -E2BIG },
	};
	static struct request r;
	char *kept, small[8] = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int rc = parse(cases[i].argc, cases[i].envc, cases[i].texts, cases[i].n, cases[i].more, &r, &kept);

		CHECK(rc == cases[i].rc, "request %zu gives %d", i, rc);
		if (i == 1)
			CHECK(strcmp(r.argv[1], "-l") == 0 && !r.argv[2] && strcmp(r.env[0], "A=b") == 0 && !r.env[1] &&
			      strcmp(r.user, "user") == 0 && strcmp(r.workdir, "/dir") == 0, "and is taken apart");
		free(kept);
	}
	CHECK(request_read(small, sizeof(small), &r) == -EBADMSG, "half a head");
}

int main(void)
{
	test_caps();
	test_request();
	return tap_done();
}
