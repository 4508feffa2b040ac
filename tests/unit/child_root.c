/*
 * child_root.c - starts in an image: mounts, users, volumes, overlays, the ladder
 * of roots, the working directory, and what is left behind. TIMEOUT 120
 */
#include "supervise/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/kit/sys.h"
#include "mount/clean.h"
#include "mount/root.h"
#include "tests/lib/starts.h"
#include "tests/lib/tap.h"

/* /proc is as in the container where a whole tree cannot be given attributes. */
static const char golden_mounts[] =
	"/ overlay rw,nodev\n/proc proc rw%s\n/proc/sys proc ro,nosuid,nodev,noexec\n/proc/irq proc ro,nosuid,nodev,noexec\n"
	"/proc/bus proc ro,nosuid,nodev,noexec\n/proc/fs proc ro,nosuid,nodev,noexec\n"
	"/sys sysfs ro,nosuid,nodev,noexec\n/dev tmpfs rw,nosuid,noexec\n/dev/pts devpts rw,nosuid,noexec\n"
	"/dev/shm tmpfs rw,nosuid,nodev\n/dev/mqueue mqueue rw,nosuid,nodev,noexec\n";

static void test_image(const char *name, uint32_t hidden)
{
	struct unit *u = fresh("web");
	char want[1024];

	hide = hidden;
	script(0, "busybox awk '$5 !~ /^.sys.+|sysrq/ { split($6, f, \",relatime\"); i = 7; while ($i != \"-\") i++; print $5, $(i+1), f[1] }' "
	       "/proc/self/mountinfo");
	/* The container's hosts and resolv.conf are there where it has them; what is mounted below /proc/sys here is its affair. */
	snprintf(want, sizeof(want), golden_mounts, hidden ? "" : ",nosuid,nodev,noexec");
	CHECK(ran() && strncmp(o.out, want, strlen(want)) == 0, "%s: mounts as planned:\n# %s", name, o.out);
	CHECK(strstr(o.out, "/run tmpfs rw,nosuid,nodev\n"), "%s: and /run", name);
	CHECK(!strstr(o.out, base) && !strstr(o.out, "ext4 rw"), "%s: and nothing of the container", name);
	if (CHECK(o.root >= 0, "%s: the namespace came along", name)) {
		wish.root = o.root;
		script(0, "busybox ls -d /srv /proc/self /outside");
		CHECK(WEXITSTATUS(o.status) == 1 && strstr(o.out, "/srv\n") && strstr(o.out, "/outside: No such file"), "%s: joined: %s", name, o.out);
		(void)close(wish.root);
	}
	wish.root = -1;
	script(0, "busybox ls /proc/self/fd | busybox wc -l; busybox stat -c '%F %a %t:%T' /dev/null /dev/tty; "
	       "busybox stat -c '%n %a' / /tmp /dev/shm /run /dev; busybox readlink /dev/fd; busybox readlink /dev/ptmx; echo x >/dev/null; "
	       "busybox head -c4 /dev/zero | busybox wc -c; busybox stat -c %n /proc/1 /sys/kernel");
	CHECK(ran() && strcmp(o.out, "4\ncharacter special file 666 1:3\ncharacter special file 666 5:0\n/ 751\n/tmp 1777\n"
	      "/dev/shm 1777\n/run 755\n/dev 755\n/proc/self/fd\npts/ptmx\n4\n/proc/1\n/sys/kernel\n") == 0,
	      "%s: what is there:\n# %s", name, o.out);
	script(0, "echo 1 >/proc/sys/kernel/printk; [ ! -e /proc/sysrq-trigger ] || echo h >/proc/sysrq-trigger; echo x >/sys/kernel/profiling");
	CHECK(strstr(o.out, "can't create /proc/sys/kernel/printk: Read-only") &&
	      (access("/proc/sysrq-trigger", F_OK) < 0 || strstr(o.out, "sysrq-trigger: Read-only")) && strstr(o.out, "profiling: Read-only"),
	      "%s: the kernel's switches are out of reach: %s", name, o.out);
	u->no_new_privs = true;
	script(0, "busybox grep -E '^(Cap|NoNew|Uid|Gid|Groups)' /proc/self/status");
	CHECK(ran() && strcmp(o.out, "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t \nCapInh:\t0000000000000000\nCapPrm:\t00000000800004fb\n"
	      "CapEff:\t00000000800004fb\nCapBnd:\t00000000800004fb\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\n") == 0,
	      "%s: root's rights:\n# %s", name, o.out);
	u->ambient = 1;
	script(0, "busybox grep -E '^Cap(Inh|Prm|Amb)' /proc/self/status | busybox cut -f 2");
	CHECK(ran() && strcmp(o.out, "0000000000000001\n00000000800004fb\n0000000000000001\n") == 0, "%s: and an ambient one: %s", name, o.out);
	u->ambient = 0;
	u->umask = 077;
	script(0, "umask");
	CHECK(ran() && strcmp(o.out, "0077\n") == 0, "%s: its umask: %s", name, o.out);
	script(0, "echo x >/new && ls /new");
	CHECK(ran() && is_there("run/upper/web/upper/new") && !is_there("images/web/new"), "%s: writes go into the upper", name);
	script(0, "ls /new");
	CHECK(ran(), "%s: and are there for the next start", name);
	CHECK(clean_unit(runtime, "web") == 0 && !is_there("run/upper/web"), "%s: until it is cleaned up", name);
}

static void test_users(void)
{
	struct unit *u = fresh("web");

	u->user = hand_text(hand, "www");
	u->ambient = UINT64_C(1) << 10;
	script(0, "busybox grep -E '^(Cap|Uid|Gid|Groups)' /proc/self/status; echo $HOME $USER $LOGNAME $SHELL; echo x >/dev/stdout");
	CHECK(ran() && strcmp(o.out, "Uid:\t33\t33\t33\t33\nGid:\t34\t34\t34\t34\nGroups:\t70 \nCapInh:\t0000000000000400\n"
	      "CapPrm:\t0000000000000400\nCapEff:\t0000000000000400\nCapBnd:\t00000000800004fb\nCapAmb:\t0000000000000400\n"
	      "/srv www www /bin/busybox\nx\n") == 0, "a user and one capability:\n# %s", o.out);
	u->pass_env = hand_texts(hand, (const char *[]){ "PASSED", "NOT_THERE", NULL });
	script(0, "echo $PASSED,$SECRET,$NOT_THERE");
	CHECK(ran() && strcmp(o.out, "on,,\n") == 0, "an image sees of the container's environment what it asks for: %s", o.out);
	u->ambient = 0;
	script(0, "busybox grep -E '^Cap(Prm|Eff|Amb)' /proc/self/status | busybox cut -f2 | busybox uniq");
	CHECK(ran() && strcmp(o.out, "0000000000000000\n") == 0, "a user and none: %s", o.out);
	u->user = hand_text(hand, "nobody");
	script(0, "echo no");
	CHECK(failed(STEP_USER, ENOENT, "user \"nobody\""), "no such user: %s", o.report.about);
	u->user = hand_text(hand, "www");
	u->group = hand_text(hand, "nogroup");
	script(0, "echo no");
	CHECK(failed(STEP_GROUP, ENOENT, "group \"nogroup\""), "no such group: %s", o.report.about);
	start(0, PHASE_PRE, hand_command(hand, CMD_FULL, (const char *[]){ "/bin/busybox", "id", NULL }));
	CHECK(ran() && strstr(o.out, "uid=0(root) gid=0"), "+ is root: %s", o.out);
	start(0, PHASE_PRE, hand_command(hand, CMD_FULL, (const char *[]){ "/bin/busybox", "grep", "CapBnd", "/proc/self/status", NULL }));
	unsigned long long caps = ~0ull;
	CHECK(ran() && sscanf(o.out, "CapBnd: %llx", &caps) == 1 && !(caps & (1ull << 19 | 1ull << 21 | 1ull << 18 | 1ull << 27 | 1ull << 16 | 1ull << 17)) &&
	      caps & 1ull << 12, "with all capabilities but those that lead out: %s", o.out);
	u = fresh("bare");
	u->user = hand_text(hand, "www");
	script(0, "echo no");
	CHECK(failed(STEP_USER, ENOENT, "the image has no /etc/passwd"), "a name without passwd: %s", o.report.about);
	u->user = hand_text(hand, "1000:1001");
	script(0, "busybox id; echo $HOME");
	CHECK(ran() && strcmp(o.out, "uid=1000 gid=1001\n/\n") == 0, "numbers without passwd: %s", o.out);
}

static void test_volumes(void)
{
	struct unit *u = fresh("web");
	char outside[160];
	const uint32_t mounts[] = {
		hand_mount(hand, MOUNT_VOLUME, 0, "vol", "/srv", ""),
		hand_mount(hand, MOUNT_VOLUME, 0, "linked", "/data", ""),
		hand_mount(hand, MOUNT_VOLUME, 0, "up", "/up", ""),
		hand_mount(hand, MOUNT_TMPFS, 0, "", "/dangling", "mode=0700,size=64k"),
		hand_mount(hand, MOUNT_VOLUME, MOUNT_CHOWN | MOUNT_NOCOPY, "mine", "/a/b/c", ""),
	};

	u->mounts = hand_list(hand, mounts, 5);
	u->user = hand_text(hand, "www");
	script(0, "busybox stat -c '%n %U %G %a' /srv /srv/file /srv/link /srv/old/deep /a/b /a/b/c /nowhere/deep; busybox readlink /srv/link; "
	       "busybox stat -c %F /srv/pipe; busybox cat /srv/file; echo w >/srv/written; "
	       "busybox awk '{ print $5 }' /proc/self/mountinfo | busybox tail -n 5");
	CHECK(ran() && strcmp(o.out, "/srv www www 2750\n/srv/file www www 4755\n/srv/link www www 777\n/srv/old/deep root root 644\n/a/b root root 755\n"
	      "/a/b/c www www 755\n/nowhere/deep root root 700\n/etc/passwd\nfifo\nof the image\n"
	      "/srv\n/etc\n/outside\n/nowhere/deep\n/a/b/c\n") == 0,
	      "volumes, like the image's directories:\n# %s", o.out);
	CHECK(is_there("lib/volumes/vol/written") && is_there("lib/volumes/linked/passwd"), "are in the container");
	snprintf(outside, sizeof(outside), "%s/outside", base);
	CHECK(rmdir(outside) == 0, "nothing came into the directory outside the image");
	(void)mkdir(outside, 0755);
	put("lib/volumes/vol/file", "changed\n");
	script(0, "busybox cat /srv/file");
	CHECK(ran() && strcmp(o.out, "changed\n") == 0, "an old volume is left alone");
	CHECK(!is_there("lib/volumes/.vol.tmp"), "no draft stays");
	u->mounts = hand_list(hand, (uint32_t[]){ hand_mount(hand, MOUNT_VOLUME, 0, "../x", "/srv", "") }, 1);
	script(0, "echo no");
	CHECK(failed(STEP_MOUNTS, EINVAL, "no volume's name"), "a name with a slash: %s", o.report.about);
	CHECK(clean_unit(runtime, "web") == 0, "cleaned");
}

static void test_binds(void)
{
	struct unit *u = fresh("web");
	char source[160], file[160], node[160];

	put("a.env", "A=file\n# no\nB='two words'\nexport C=3\n");
	snprintf(source, sizeof(source), "%s/outside", base);
	snprintf(file, sizeof(file), "%s/a.env", base);
	snprintf(node, sizeof(node), "%s/node", base);
	u->mounts = hand_list(hand, (uint32_t[]){ hand_mount(hand, MOUNT_BIND, 0, node, "/mnt/node", "") }, 1);
	script(0, "echo x >/mnt/node");
	CHECK(ran(), "a device that is bound works");
	const uint32_t mounts[] = {
		hand_mount(hand, MOUNT_BIND, MOUNT_RO | MOUNT_RBIND, source, "/mnt/ro", ""),
		hand_mount(hand, MOUNT_BIND, MOUNT_NOEXEC, source, "/mnt/rw", ""),
		hand_mount(hand, MOUNT_BIND, MOUNT_RO, file, "/mnt/file", ""),
		hand_mount(hand, MOUNT_BIND, MOUNT_OPTIONAL, "/no/such/source", "/mnt/none", ""),
		hand_mount(hand, MOUNT_TMPFS, MOUNT_RO, "", "/mnt", "size=64k"),
	};
	u->mounts = hand_list(hand, mounts, 5);
	script(0, "echo x >/mnt/ro/x; echo x >/mnt/rw/x; echo x >/mnt/x; busybox ls /mnt; busybox head -n 1 /mnt/file; echo x >>/mnt/file");
	CHECK(strstr(o.out, "/mnt/x: Read-only") && strstr(o.out, "/mnt/ro/x: Read-only") && strstr(o.out, "/mnt/file: Read-only") && strstr(o.out, "A=file\n") &&
	      strstr(o.out, "file\nro\nrw\n"), "binds: %s", o.out);
	CHECK(is_there("outside/x"), "what may be written is");
	u->image = 0;
	script(0, "busybox ls /mnt/rw/; [ -e /bin/busybox ] && busybox cat /mnt/file | busybox wc -l");
	CHECK(ran() && strstr(o.out, "x\n4\n") && o.root >= 0, "mounts without an image: %s", o.out);
	(void)close(o.root);
	/* As TemporaryFileSystem= with holes in it: sources are what they were before. */
	char hole[200];
	snprintf(hole, sizeof(hole), "%s/outside", base);
	const uint32_t holes[] = { hand_mount(hand, MOUNT_BIND, 0, hole, hole, ""), hand_mount(hand, MOUNT_TMPFS, 0, "", base, "") };
	u->mounts = hand_list(hand, holes, 2);
	char list[512];
	snprintf(list, sizeof(list), "busybox ls %s %s", base, hole);
	script(0, list);
	CHECK(ran() && strstr(o.out, "outside\n") && strstr(o.out, "x\n") && !strstr(o.out, "images"), "a hole in a tmpfs: %s", o.out);
	(void)close(o.root);
}

static void test_failures(void)
{
	struct unit *u = fresh("gone");
	char want[200];

	char *before = slurp("/proc/self/mountinfo");
	script(0, "echo no");
	snprintf(want, sizeof(want), "no image \"gone\" in /nowhere, %s; put", images);
	CHECK(failed(STEP_IMAGE, ENOENT, want), "no image: %s", o.report.about);
	put("images/packed.squashfs", "");
	u->image = hand_text(hand, "packed");
	script(0, "echo no");
	CHECK(failed(STEP_IMAGE, EMEDIUMTYPE, "packed as .squashfs"), "a packed image: %s", o.report.about);
	u->image = hand_text(hand, "..");
	script(0, "echo no");
	CHECK(failed(STEP_IMAGE, EINVAL, "\"..\" is no image's name"), "a name that climbs: %s", o.report.about);
	u->image = hand_text(hand, "web");
	const uint32_t mounts[] = { hand_mount(hand, MOUNT_TMPFS, 0, "", "/ok", ""), hand_mount(hand, MOUNT_BIND, 0, "/no/such", "/x", "") };
	u->mounts = hand_list(hand, mounts, 2);
	script(0, "echo no");
	CHECK(failed(STEP_MOUNTS, ENOENT, "/no/such, which is to be mounted"), "no source: %s", o.report.about);
	u->mounts = hand_list(hand, (uint32_t[]){ hand_mount(hand, MOUNT_BIND, 0, "/etc/passwd", "/srv", "") }, 1);
	script(0, "echo no");
	CHECK(failed(STEP_MOUNTS, EISDIR, "is a directory in the image"), "a file on a directory: %s", o.report.about);
	u->mounts = hand_list(hand, (uint32_t[]){ hand_mount(hand, MOUNT_TMPFS, 0, "", "/ok", "banana=1") }, 1);
	script(0, "echo no");
	CHECK(failed(STEP_MOUNTS, EINVAL, "its options \"banana=1\""), "an unknown option: %s", o.report.about);
	u->mounts = 0;
	u->overlay = OVERLAY_NONE;
	u->image = hand_text(hand, "bare");
	script(0, "echo no");
	CHECK(failed(STEP_MOUNTS, EROFS, "/proc, which is missing"), "no place in a read-only root: %s", o.report.about);
	shell("cd $BASE/images && mkdir -p evil/bin && cp web/bin/busybox evil/bin/ && ln -s /etc evil/proc");
	CHECK(clean_unit(runtime, "web") == 0, "cleaned");
	u->overlay = OVERLAY_EPHEMERAL;
	u->image = hand_text(hand, "evil");
	script(0, "echo no");
	CHECK(failed(STEP_MOUNTS, ELOOP, "/proc, which is a link in the image"), "a link for /proc: %s", o.report.about);
	CHECK(strcmp(before, slurp("/proc/self/mountinfo")) == 0, "no failure left a mount behind");
	CHECK(clean_unit(runtime, "web") == 0, "cleaned");
}

static void test_overlays(void)
{
	struct unit *u = fresh("web");
	char layer[160];

	u->overlay = OVERLAY_PERSISTENT;
	script(0, "echo kept >/kept");
	CHECK(ran() && is_there("lib/overlays/web/upper/kept"), "persistent: beside the volumes");
	CHECK(clean_unit(runtime, "web") == 0 && is_there("lib/overlays/web/upper/kept"), "and not cleaned up");
	u->overlay = OVERLAY_NONE;
	shell("cd $BASE/images && for d in proc sys dev run; do mkdir -p web/$d; done");
	script(0, "echo x >/x; ls /etc/passwd /dev/null");
	CHECK(ran() && strstr(o.out, "/x: Read-only") && strstr(o.out, "/dev/null"), "none: read-only: %s", o.out);
	shell("cd $BASE/images && rmdir web/proc web/sys web/dev web/run");
	u->overlay = OVERLAY_EPHEMERAL;
	shell("cd $BASE && mkdir -p 'l:1,a\\b/etc' 'images/low:er,\\x/etc' && echo high >'l:1,a\\b/etc/from' && "
	      "echo low >'images/low:er,\\x/from' && echo low >'images/low:er,\\x/etc/from'");
	snprintf(layer, sizeof(layer), "%s/l:1,a\\b", base);
	u->layers = hand_texts(hand, (const char *[]){ "low:er,\\x", layer, NULL });
	script(0, "busybox cat /etc/from /from");
	CHECK(ran() && strcmp(o.out, "high\nlow\n") == 0, "layers, lowest first, with every letter in their names: %s", o.out);
	u->layers = hand_texts(hand, (const char *[]){ "/no/such/layer", NULL });
	script(0, "echo no");
	CHECK(failed(STEP_IMAGE, ENOENT, "layer /no/such/layer"), "a missing layer: %s", o.report.about);
	const char *many[41] = { NULL };
	for (int i = 0; i < 40; i++)
		many[i] = layer;
	u->layers = hand_texts(hand, many);
	script(0, "busybox cat /etc/from");
	/* The kernel may refuse the same layer twice; it must not be for want of room. */
	CHECK(!o.report.step || o.report.error == ELOOP || o.report.error == EBUSY, "40 layers: %s", o.report.about);
	CHECK(clean_unit(runtime, "web") == 0, "cleaned");
	shell("cd $BASE/images && mkdir bundle && echo '{}' >bundle/config.json && cp -R web bundle/rootfs");
	u->layers = 0;
	u->image = hand_text(hand, "bundle");
	script(0, "ls /etc/passwd");
	CHECK(ran(), "a bundle");
	u->image = 0;
	snprintf(layer, sizeof(layer), "%s/images/bundle/rootfs", base);
	u->root_directory = hand_text(hand, layer);
	script(0, "echo x >/written");
	CHECK(ran() && is_there("images/bundle/rootfs/written"), "RootDirectory= is written to");
	u->root_directory = 0;
	u->image = hand_text(hand, "web");
	u->root_mode = ROOT_CHROOT;
	script(0, "ls -d /proc/1; cd ..; cd ..; busybox ls -d etc");
	CHECK(ran() && o.root >= 0, "RootMode=chroot: mounts and all: %s", o.out);
	wish.root = o.root;
	script(0, "ls /etc/passwd; busybox ls /tmp");
	CHECK(strstr(o.out, "/etc/passwd") && !strstr(o.out, "child-test"), "and who joins is inside too: %s", o.out);
	(void)close(wish.root);
	u->shared_run = true;
	wish.root = -1;
	script(0, "ls -A /run/coppice; busybox grep ' /run ' /proc/self/mountinfo");
	CHECK(ran() && strstr(o.out, " /run "), "SharedRun=: %s", o.out);
	CHECK(clean_unit(runtime, "web") == 0, "cleaned");
}

static void test_rungs(void)
{
	struct unit *u = fresh("web");

	wish.rung = RUNG_CHROOT;
	script(0, "echo /*; pwd");
	CHECK(ran() && strstr(o.out, "/etc") && !strstr(o.out, "/tmp") && o.root == -1, "chroot: %s", o.out);
	shell("rm -rf $BASE/images/web/dev; mkdir $BASE/images/web/dev; echo mine >$BASE/images/web/dev/zero; ln -s /etc/passwd $BASE/images/web/dev/full");
	script(0, "umask 077; : >/dev/null; busybox ls -ln /dev | busybox awk '{ print substr($1, 1, 10), $5, $NF }'; busybox cat /dev/zero");
	CHECK(ran() && strstr(o.out, "crw-rw-rw- 1, null") && strstr(o.out, "crw-rw-rw- 1, urandom") && strstr(o.out, "mine\n") &&
	      strstr(o.out, "lrwxrwxrwx 11 /etc/passwd"), "it has devices, beside what it brought: %s", o.out);
	shell("rm -rf $BASE/images/web/dev; ln -s $BASE/images $BASE/images/web/dev");
	script(0, "busybox ls -d /etc");
	CHECK(ran() && !is_there("images/null"), "none is made where a link leads out of it");
	shell("rm -f $BASE/images/web/dev; mkdir $BASE/images/web/dev");
	u->root_mode = ROOT_PIVOT;
	script(0, "echo no");
	CHECK(failed(STEP_NAMESPACE, EPERM, "RootMode=pivot: this container may not mount; give it CAP_SYS_ADMIN"), "pivot: %s", o.report.about);
	u->root_mode = ROOT_AUTO;
	u->mounts = hand_list(hand, (uint32_t[]){ hand_mount(hand, MOUNT_VOLUME, 0, "v", "/srv", "") }, 1);
	script(0, "echo no");
	CHECK(failed(STEP_NAMESPACE, EPERM, "a mount on /srv"), "no volumes: %s", o.report.about);
	u->mounts = 0;
	wish.rung = RUNG_NONE;
	script(0, "echo no");
	CHECK(failed(STEP_NAMESPACE, EPERM, "may not even chroot"), "nothing: %s", o.report.about);
	wish.rung = RUNG_FULL;
	u->root_from = 1;
	hand->units[1].name = hand_text(hand, "db");
	script(0, "echo no");
	CHECK(failed(STEP_NAMESPACE, ENOLINK, "RootFrom=db"), "whose root is not there: %s", o.report.about);
}

/* Is the / that came along the image's, or what was made of it? */
static bool saw_top(void)
{
	struct stat st;
	bool good = sys_is_place(o.top) && fstatat(o.top, "data", &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode) &&
		    fstatat(o.top, "etc/passwd", &st, 0) == 0;

	(void)close(o.top);
	return good;
}

static void test_tops(void)
{
	static const struct { uint8_t rung, mode; const char *name; } ways[] = {
		{ RUNG_FULL, ROOT_AUTO, "pivot_root" }, { RUNG_FULL, ROOT_CHROOT, "moved over" }, { RUNG_CHROOT, ROOT_AUTO, "chroot" },
	};
	const char *argv[] = { busybox, "true", NULL };
	int root, shown = 0;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct unit *u = fresh("web");

		u->root_mode = ways[i].mode;
		wish.rung = ways[i].rung;
		for (u->health_kind = HEALTH_NONE; u->health_kind < N_HEALTH_KINDS; u->health_kind++) {
			bool looks = u->health_kind == HEALTH_FILE || u->health_kind == HEALTH_UNIX;

			script(0, "true");
			CHECK(ran() && (looks ? saw_top() : o.top == -1), "%s, health kind %u: its / %s", ways[i].name,
			      u->health_kind, looks ? "comes along" : "is nobody's business");
			(void)close(o.root);
		}
		u->health_kind = HEALTH_FILE;
		start(0, PHASE_PRE, hand_command(hand, CMD_VERBATIM, argv));
		CHECK(ran() && o.top == -1, "%s: nor that of a command before it", ways[i].name);
		root = o.root;
		if (root < 0)
			continue;
		wish.root = root;
		script(0, "true");
		CHECK(ran() && o.root == -1 && saw_top(), "%s: one that joins shows it, too", ways[i].name);
		(void)close(root);
		shown++;
	}
	CHECK(shown == 2, "two ways have a root to join: %d", shown);
	fresh(NULL)->health_kind = HEALTH_FILE;
	script(0, "true");
	CHECK(ran() && o.top == -1, "without a root of its own there is nothing to show");
}

static void test_workdir(void)
{
	static const struct { const char *dir; int error; const char *want; } cases[] = {
		{ "/srv/old", 0, "/srv/old\n" }, { "~", 0, "/srv\n" }, { "-/none", 0, "/\n" }, { "/none", ENOENT, "/none" },
		{ "/data", 0, "/etc\n" }, { "/up", ENOENT, "/up" }, { "/etc/passwd", ENOTDIR, "/etc/passwd" },
		{ "/proc/self/cwd/../../etc", 0, "/etc\n" }, { "-~", 0, "/srv\n" },
	};
	struct unit *u = fresh("web");

	u->user = hand_text(hand, "www");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		u->workdir = hand_text(hand, cases[i].dir);
		script(0, "busybox pwd -P");
		if (cases[i].error)
			CHECK(failed(STEP_WORKDIR, cases[i].error, cases[i].want), "%s: %s", cases[i].dir, o.report.about);
		else
			CHECK(ran() && strcmp(o.out, cases[i].want) == 0, "%s is %s", cases[i].dir, o.out);
	}
	/* CVE-2024-21626: a descriptor of the container's root that has leaked. */
	int leak = open("/", O_RDONLY);
	char path[64];
	for (int fd = 3; fd < 12; fd++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		u->workdir = hand_text(hand, path);
		script(0, "busybox pwd -P; ls -d images runtime /etc/shadow");
		CHECK(o.report.step == STEP_WORKDIR && !*o.out, "%s leads nowhere: %s", path, o.report.about);
	}
	(void)close(leak);
	CHECK(clean_unit(runtime, "web") == 0, "cleaned");
}

static void tests(void)
{
	test_image("new calls", 0);
	test_image("without mount_setattr", 2);
	test_image("without the newer calls", 1);
	test_users();
	test_volumes();
	test_binds();
	test_failures();
	test_overlays();
	test_rungs();
	test_tops();
	test_workdir();
}

int main(void)
{
	return starts_main(tests);
}
