/* plan.c - the plan of a unit's root: what is in it, in which order, and how safely. */
#include "mount/plan.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/handmade.h"
#include "tests/lib/tap.h"

static struct hand hand;
static struct op ops[128];

static uint32_t plan(const struct unit *u)
{
	static const struct plan_places places = { .notify = "/elsewhere/notify", .resolv = "/elsewhere/resolv.conf" };
	uint32_t room = plan_room(&hand.table, u), n = plan_make(&hand.table, u, &places, ops);

	CHECK(n <= room && room <= 128, "%u operations fit into %u", n, room);
	return n;
}

/* The last operation on a target, or NULL. */
static const struct op *on(uint32_t n, const char *target)
{
	while (n-- > 0)
		if (ops[n].target && strcmp(ops[n].target, target) == 0)
			return &ops[n];
	return NULL;
}

/* Every operation shown, one a line: what a person sees of --dry-run. */
static const char golden[] =
	"overlay of web (nodev)\n"
	"bind /proc on /proc (nosuid, nodev, noexec, rbind)\n"
	"bind /proc/sys on /proc/sys (ro, nosuid, nodev, noexec, optional)\n"
	"bind /proc/sysrq-trigger on /proc/sysrq-trigger (ro, nosuid, nodev, noexec, optional)\n"
	"bind /proc/irq on /proc/irq (ro, nosuid, nodev, noexec, optional)\n"
	"bind /proc/bus on /proc/bus (ro, nosuid, nodev, noexec, optional)\n"
	"bind /proc/fs on /proc/fs (ro, nosuid, nodev, noexec, optional)\n"
	"bind /sys on /sys (ro, nosuid, nodev, noexec, rbind, optional)\n"
	"new tmpfs on /dev (nosuid, noexec, mode=0755,size=64k)\n"
	"device /dev/null\n" "device /dev/zero\n" "device /dev/full\n" "device /dev/random\n"
	"device /dev/urandom\n" "device /dev/tty\n"
	"link to pts/ptmx on /dev/ptmx\n"
	"link to /proc/self/fd on /dev/fd\n" "link to /proc/self/fd/0 on /dev/stdin\n"
	"link to /proc/self/fd/1 on /dev/stdout\n" "link to /proc/self/fd/2 on /dev/stderr\n"
	"new devpts on /dev/pts (nosuid, noexec, ptmxmode=0666,mode=0620,gid=5)\n"
	"new tmpfs on /dev/shm (nosuid, nodev, mode=1777)\n"
	"new mqueue on /dev/mqueue (nosuid, nodev, noexec)\n"
	"directory /tmp\n"
	"bind /etc/hosts on /etc/hosts (ro, nosuid, nodev, noexec, optional)\n"
	"bind /etc/hostname on /etc/hostname (ro, nosuid, nodev, noexec, optional)\n"
	"new tmpfs on /run (nosuid, nodev, mode=0755)\n"
	"bind /elsewhere/notify on /run/coppice/notify (nosuid, nodev, noexec, optional)\n"
	"bind /elsewhere/resolv.conf on /etc/resolv.conf (ro, nosuid, nodev, noexec, optional)\n";

static void test_golden(void)
{
	static char room[8192];
	struct text t = TEXT(room);
	struct unit *u = &hand.units[0];

	u->image = hand_text(&hand, "web");
	uint32_t n = plan(u);
	for (uint32_t i = 0; i < n; i++) {
		op_show(&t, &ops[i]);
		text_char(&t, '\n');
	}
	size_t same = strspn(room, "");
	while (room[same] && room[same] == golden[same])
		same++;
	CHECK(strcmp(room, golden) == 0, "a plain image; the first difference is at byte %zu: %.80s", same, room + same);
	CHECK(strcmp(ops[on(n, "/dev/null") - ops].target, "/dev/null") == 0 && on(n, "/dev/null")->major == 1 &&
	      on(n, "/dev/null")->minor == 3, "null is 1:3");
	for (uint32_t i = 0; i < n; i++) {
		const char *t_ = ops[i].target;

		if (t_ && (!strcmp(t_, "/proc") || !strcmp(t_, "/sys") || !strcmp(t_, "/dev") || !strcmp(t_, "/run")))
			CHECK(ops[i].flags & OP_REAL, "%s may not be a link in the image", t_);
	}
}

static void test_roots(void)
{
	struct unit *u = &hand.units[1];

	CHECK(!unit_rooted(u) && !plan_wants_root(u), "neither image nor mounts: no namespace");
	u->mounts = hand_list(&hand, (uint32_t[]){ hand_mount(&hand, MOUNT_TMPFS, 0, "", "/x", "") }, 1);
	CHECK(unit_rooted(u) && !plan_wants_root(u), "a mount: a namespace");
	CHECK(plan(u) == 2 && ops[0].kind == OP_ROOT_SELF, "of the container's own root, and nothing else in it");
	u->image = hand_text(&hand, "web");
	u->overlay = OVERLAY_NONE;
	u->no_new_privs = true;
	(void)plan(u);
	CHECK(ops[0].kind == OP_ROOT_BIND && ops[0].flags == (OP_RO | OP_NODEV | OP_NOSUID), "Overlay=none is read-only");
	u->overlay = OVERLAY_PERSISTENT;
	(void)plan(u);
	CHECK(ops[0].kind == OP_OVERLAY && ops[0].flags == (OP_NODEV | OP_NOSUID), "nosuid where nothing can be gained");
	u->no_new_privs = false;
	u->image = 0;
	u->root_directory = hand_text(&hand, "/srv/root");
	(void)plan(u);
	CHECK(ops[0].kind == OP_ROOT_BIND && ops[0].flags == OP_DEEP && strcmp(ops[0].source, "/srv/root") == 0,
	      "RootDirectory= is as it is");
	u->root_directory = 0;
	u->root_from = 0;
	CHECK(plan_wants_root(u), "RootFrom= has a root");
}

static void test_mounts(void)
{
	struct unit *u = &hand.units[2];
	const uint32_t mounts[] = {
		hand_mount(&hand, MOUNT_BIND, MOUNT_RO | MOUNT_OPTIONAL, "/c", "/a/b/c", ""),
		hand_mount(&hand, MOUNT_VOLUME, MOUNT_NOCOPY | MOUNT_CHOWN, "data", "/a/b", ""),
		hand_mount(&hand, MOUNT_TMPFS, MOUNT_RO, "", "/a", "size=1m,noexec,suid"),
		hand_mount(&hand, MOUNT_BIND, MOUNT_RBIND, "/dev/net", "/dev/net/", ""),
		hand_mount(&hand, MOUNT_BIND, 0, "/devel", "//z", ""),
		hand_mount(&hand, MOUNT_BIND, 0, "/second", "/a", ""),
	};

	u->image = hand_text(&hand, "web");
	u->shared_run = true;
	u->mounts = hand_list(&hand, mounts, 6);
	uint32_t n = plan(u);
	CHECK(ops[n - 1].kind == OP_SEAL && strcmp(ops[n - 1].target, "/a") == 0, "what is read-only is so only when all is in it");
	n--;
	CHECK(!(ops[n - 6].flags & OP_RO), "and not before");
	static const char *const want[] = { "/a", "//z", "/a", "/a/b", "/dev/net/", "/a/b/c" };
	for (uint32_t i = 0; i < 6; i++)
		CHECK(strcmp(ops[n - 6 + i].target, want[i]) == 0, "%s comes at place %u", want[i], i);
	CHECK(ops[n - 6].kind == OP_NEW && strcmp(ops[n - 4].source, "/second") == 0, "the order of the file where it does not matter");
	CHECK(on(n, "/a/b")->kind == OP_VOLUME && on(n, "/a/b")->flags == (OP_NOCOPY | OP_CHOWN | OP_NODEV), "a volume");
	CHECK(on(n, "/a/b/c")->flags == (OP_RO | OP_OPTIONAL | OP_NODEV) && on(n, "/a/b/c")->line == 9, "a bind mount");
	CHECK(on(n, "/dev/net/")->flags == OP_DEEP, "devices stay devices below /dev");
	CHECK(on(n, "//z")->flags == OP_NODEV, "and not below /devel");
	CHECK(on(n, "/run")->kind == OP_BIND && on(n, PLAN_RUNTIME)->kind == OP_NEW && on(n, PLAN_RUNTIME) > on(n, "/run"),
	      "SharedRun= hides our own directory");
}

static void test_options(void)
{
	static const struct { const char *options; uint32_t flags; const char *rest; } cases[] = {
		{ "", 6, "" }, { "ro", 7, "" }, { "ro,rw", 6, "" }, { "noexec,size=5m,suid,mode=0700,dev", 8, "size=5m,mode=0700" },
		{ ",,size=1,,", 6, "size=1" }, { "rofl", 6, "rofl" }, { "relatime,defaults", 6, "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char room[64] = "";
		struct text rest = TEXT(room);
		uint32_t flags = OP_NOSUID | OP_NODEV;

		CHECK(plan_options(cases[i].options, &flags, &rest) && flags == cases[i].flags && strcmp(room, cases[i].rest) == 0,
		      "\"%s\" is %u and \"%s\"", cases[i].options, flags, room);
	}
	char small[4] = "";
	struct text rest = TEXT(small);
	uint32_t flags = 0;
	CHECK(!plan_options("size=100", &flags, &rest), "what does not fit is told");
}

int main(void)
{
	hand_open(&hand);
	test_golden();
	test_roots();
	test_mounts();
	test_options();
	return tap_done();
}
