/*
 * net_apply.c - the applier and the kernel: what it sets and takes away, beside others' work, while calls fail.
 *
 * Runs in a network namespace of its own. send() is ours, so that each call can be made to fail in its turn.
 */
#include "init/net/apply.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conf/kit/say.h"
#include "init/net/netfile.h"
#include "init/net/resolv.h"
#include "tests/lib/netns.h"
#include "tests/lib/tap.h"

static int calls, fail_at, fail_times, fail_with;

/* In the place of the C library's. */
ssize_t send(int fd, const void *at, size_t n, int flags)
{
	calls++;
	if (fail_at && calls >= fail_at && calls < fail_at + fail_times) {
		errno = fail_with;
		return -1;
	}
	return syscall(SYS_sendto, fd, at, n, flags, NULL, 0);
}

static void fail(int at, int times, int with)
{
	calls = 0;
	fail_at = at;
	fail_times = times;
	fail_with = with;
}

/* A pair of interfaces, t0 and t1, up. */
static int make_links(int nl)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg link;
		uint8_t rest[128];
	} r = { .head = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)), .nlmsg_type = RTM_NEWLINK,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL } };
	static const uint8_t name[] = { 7, 0, IFLA_IFNAME, 0, 't', '0', 0, 0 };
	static const uint8_t kind[] = { 4 + 12 + 24, 0, IFLA_LINKINFO, 0, 9, 0, IFLA_INFO_KIND, 0, 'v', 'e', 't', 'h', 0, 0, 0, 0,
					24, 0, IFLA_INFO_DATA, 0, 20 + 4, 0, 1 /* VETH_INFO_PEER */, 0 };
	struct {
		struct nlmsghdr head;
		int error;
		uint8_t rest[256];
	} answer = { .error = -EIO };
	static const uint8_t peer[] = { 7, 0, IFLA_IFNAME, 0, 't', '1', 0, 0 };
	size_t at = r.head.nlmsg_len - sizeof(r.head) - sizeof(r.link);
	struct ifinfomsg none = { 0 };
	uint8_t *p = r.rest + at;

	memcpy(p, name, sizeof(name));
	p += sizeof(name);
	/* LINKINFO { KIND, DATA { PEER { ifinfomsg, IFNAME } } }, with the lengths written by hand. */
	memcpy(p, kind, sizeof(kind));
	p[0] = 4 + 12 + 4 + 4 + sizeof(none) + sizeof(peer);
	p[16] = 4 + 4 + sizeof(none) + sizeof(peer);
	p[20] = 4 + sizeof(none) + sizeof(peer);
	p += sizeof(kind);
	memcpy(p, &none, sizeof(none));
	p += sizeof(none);
	memcpy(p, peer, sizeof(peer));
	p += sizeof(peer);
	r.head.nlmsg_len = (uint32_t)((uint8_t *)p - (uint8_t *)&r);
	if (syscall(SYS_sendto, nl, &r, r.head.nlmsg_len, 0, NULL, 0) < 0 || recv(nl, &answer, sizeof(answer), 0) < 0)
		return -errno;
	return answer.error;
}

static struct net_setup setup = { .name = "t0", .dhcp = true, .use_routes = true, .use_mtu = true, .use_dns = true };
static struct applier a;

#define SERVER IP4(198, 51, 100, 1)
#define YOURS  IP4(198, 51, 100, 50)

static struct lease lease_of(ip4_t address, uint32_t mtu)
{
	struct dhcp d = { .type = DHCP_ACK, .yours = address, .server = SERVER, .mask = 0xffffff00,
			  .has = HAS_MASK | HAS_LEASE | HAS_HOPS, .lease = 3600,
			  .n_hops = 2, .mtu = (uint16_t)mtu };
	struct lease l;

	d.hops[0] = (struct hop){ .via = SERVER };
	d.hops[1] = (struct hop){ .to = IP4(203, 0, 113, 0), .bits = 24, .via = SERVER };
	memset(&l, 0, sizeof(l));
	(void)terms_take(&d, &l);
	return l;
}

static bool has_address(ip4_t ip)
{
	struct address there[64];
	uint32_t n = 64;

	if (address_list(a.nl, a.link.index, there, &n) < 0)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (there[i].local == ip)
			return true;
	return false;
}

static uint32_t count_routes(uint8_t mark)
{
	struct route there[128];
	uint32_t n = 128, found = 0;

	if (route_list(a.nl, a.link.index, there, &n) < 0)
		return 999;
	for (uint32_t i = 0; i < n; i++)
		found += there[i].mark == mark;
	return found;
}

static void begins(void)
{
	memset(&a, 0, sizeof(a));
	a.setup = &setup;
	a.nl = link_open();
	(void)link_find(a.nl, "t0", &a.link);
}

static void plain(void)
{
	struct lease l = lease_of(YOURS, 1280), m = lease_of(YOURS + 1, 0);
	struct address there[8];
	uint32_t n = 8;

	CHECK(apply_lease(&a, &l, 100) == 0 && has_address(YOURS) && count_routes(OURS_DHCP) == 2 && a.link.mtu == 1280,
	      "a lease: address, routes, MTU");
	struct applied look = apply_look(&a);
	CHECK(look.address && look.lease && look.default_route && !look.strange, "which it then sees");
	(void)address_list(a.nl, a.link.index, there, &n);
	CHECK(n == 1 && there[0].mark == OURS_DHCP && there[0].left > 97 && there[0].left <= 100 &&
	      there[0].broadcast == IP4(198, 51, 100, 255), "with an end, a broadcast address and our mark");
	CHECK(apply_lease(&a, &l, 200) == 0, "again");
	n = 8;
	(void)address_list(a.nl, a.link.index, there, &n);
	CHECK(n == 1 && there[0].left > 100 && count_routes(OURS_DHCP) == 2, "the same address lasts longer, and nothing is there twice");
	l.n_hops = 1;
	CHECK(apply_lease(&a, &l, 200) == 0 && count_routes(OURS_DHCP) == 1, "a route less");
	CHECK(apply_lease(&a, &m, 100) == 0 && has_address(YOURS + 1) && !has_address(YOURS) && count_routes(OURS_DHCP) == 2,
	      "another address takes its place");
	(void)link_find(a.nl, "t0", &a.link);
	CHECK(a.link.mtu == 1500, "and no MTU is the one from before");
	struct applier again = a;
	a.placed = false;
	a.lease = l;
	CHECK(!apply_look(&a).strange, "one that begins anew knows its own");
	CHECK(apply_lease(&a, &l, 100) == 0 && has_address(YOURS) && !has_address(YOURS + 1), "and puts its own in the place of it");
	a = again;
	apply_drop(&a);
	CHECK(!has_address(YOURS) && !has_address(YOURS + 1) && count_routes(OURS_DHCP) == 0 && !apply_look(&a).address, "all of it goes");
	apply_drop(&a);
	CHECK(!a.placed, "and twice is no harm");
	l.address = IP4(198, 51, 100, 60);
	l.hops[0].via = IP4(10, 0, 0, 1);
	CHECK(apply_lease(&a, &l, 100) == 0 && has_address(l.address) && count_routes(OURS_DHCP) == 0,
	      "a gateway that the kernel refuses: the address stands, and it is said");
	apply_drop(&a);
}

static void others(void)
{
	struct lease l = lease_of(YOURS, 0);
	struct address theirs = { .index = a.link.index, .local = YOURS, .bits = 24, .left = UINT32_MAX }, second = theirs;
	struct route default_ = { .index = a.link.index, .hop.via = SERVER, .metric = 1000 + a.link.index, .mark = 3 /* RTPROT_BOOT */ };

	CHECK(address_add(a.nl, &theirs, false) == 0 && apply_look(&a).strange, "an address of somebody else's is seen as such");
	CHECK(apply_lease(&a, &l, 100) == 0, "a lease of the same address");
	struct address there[8];
	uint32_t n = 8;
	(void)address_list(a.nl, a.link.index, there, &n);
	CHECK(n == 1 && there[0].left == UINT32_MAX && !there[0].mark, "does not make it end");
	apply_drop(&a);
	CHECK(has_address(YOURS), "nor takes it away");
	(void)address_del(a.nl, &theirs);
	second.local = IP4(203, 0, 113, 7);
	(void)address_add(a.nl, &second, false);
	CHECK(apply_lease(&a, &l, 100) == 0, "a lease beside another address");
	CHECK(route_add(a.nl, &default_) == -EEXIST, "(the kernel has one default route of a metric)");
	apply_drop(&a);
	CHECK(route_add(a.nl, &(struct route){ .index = a.link.index, .hop = { .to = IP4(203, 0, 113, 0), .bits = 24, .via = IP4(203, 0, 113, 1) }, .metric = default_.metric, .mark = 3 }) == 0,
	      "somebody's route to where a lease wants one");
	CHECK(apply_lease(&a, &l, 100) == 0 && count_routes(OURS_DHCP) == 1 && count_routes(3) == 1,
	      "it stays, and ours to the same is left out");
	apply_drop(&a);
	CHECK(has_address(IP4(203, 0, 113, 7)) && count_routes(3) == 1, "what is theirs is still theirs");
	(void)address_del(a.nl, &second);
}

/* Each call fails in its turn, once or for good: never a route without its address, never a thing left behind. */
static void failing(void)
{
	static const int errors[] = { ENOBUFS, EPERM, ENODEV, EBUSY, EINTR, ENOMEM };
	struct lease l = lease_of(YOURS, 1280), m = lease_of(YOURS + 1, 0);
	uint32_t bad = 0, left = 0, tried = 0, healed = 0, once = 0;

	say_level(SAY_ERROR);
	say_to(open("/dev/null", O_WRONLY | O_CLOEXEC), "");
	for (size_t e = 0; e < sizeof(errors) / sizeof(errors[0]); e++)
		for (int at = 1; at <= 14; at++)
			for (int times = 1; times < 1000; times += 998) {
				if (times > 1 && (errors[e] == ENOBUFS || errors[e] == EBUSY || errors[e] == EINTR) && at > 2)
					continue; /* these are tried again, which takes its time */
				tried++;
				fail(at, times, errors[e]);
				int r = apply_lease(&a, &l, 100);
				int r2 = apply_lease(&a, &m, 100);
				fail(0, 0, 0);
				bad += (r < 0 || r2 < 0) && count_routes(OURS_DHCP) && !has_address(YOURS) && !has_address(YOURS + 1);
				if (times == 1 && (errors[e] == ENOBUFS || errors[e] == EBUSY || errors[e] == EINTR)) {
					once++;
					healed += r == 0 && r2 == 0 && has_address(YOURS + 1) && count_routes(OURS_DHCP) == 2;
				}
				apply_drop(&a);
				left += count_routes(OURS_DHCP) || has_address(YOURS) || has_address(YOURS + 1);
				(void)link_mtu(a.nl, a.link.index, 1500);
				(void)link_find(a.nl, "t0", &a.link);
				a.mtu_ours = 0;
			}
	CHECK(bad == 0, "calls that fail, each in its turn (%u ways): no route without its address", tried);
	CHECK(left == 0, "and nothing is left behind");
	CHECK(once && healed == once, "a passing want of room heals by itself (%u of %u)", healed, once);
	fail(1, 1000, ENOBUFS);
	CHECK(apply_lease(&a, &l, 100) == -ENOBUFS, "a lasting one is told");
	fail(0, 0, 0);
	say_level(SAY_INFO);
}

static void gone(void)
{
	struct lease l = lease_of(YOURS, 0);

	CHECK(apply_lease(&a, &l, 100) == 0, "a lease, and then the interface goes");
	struct link lost = a.link;
	a.link.index = 4242;
	CHECK(apply_lease(&a, &l, 100) < 0, "it cannot be set there any more");
	apply_drop(&a);
	CHECK(!apply_look(&a).address, "and there is nothing to take away");
	a.link = lost;
	a.placed = true;
	apply_drop(&a);
	struct link l2;
	CHECK(link_find(a.nl, "nobody", &l2) == -ENODEV && link_find(a.nl, "a-name-too-long-for-it", &l2) == -ENAMETOOLONG,
	      "names that are no interface's");
}

/* Files: whole or not at all. */
static void files(void)
{
	char dir[] = "/tmp/net-test-XXXXXX", path[128], deep[160], got[64];
	struct resolv_slot s = { .n_dns = 1, .dns = { "192.0.2.1" }, .search = "example.org" };

	if (!CHECK(mkdtemp(dir) != NULL, "a directory for files"))
		return;
	(void)snprintf(path, sizeof(path), "%s/file", dir);
	(void)snprintf(deep, sizeof(deep), "%s/a/b/c", dir);
	CHECK(netfile_write(path, "hello", 5, 0600, false) == 0 && netfile_read(path, got, sizeof(got)) == 5 && !memcmp(got, "hello", 5),
	      "written and read");
	CHECK(netfile_read(path, got, 4) == -EFBIG && netfile_read(dir, got, 4) == -EINVAL && netfile_read(deep, got, 4) == -ENOENT,
	      "too long, no file, nothing");
	CHECK(netfile_dirs(deep) == 0 && access(deep, F_OK) == 0 && netfile_dirs(deep) == 0, "directories, and again");
	CHECK(mkfifo("/tmp/net-test-fifo", 0600) == 0 && netfile_read("/tmp/net-test-fifo", got, 4) == -EINVAL &&
	      unlink("/tmp/net-test-fifo") == 0, "a fifo holds nobody up");
	(void)unlink(path);
	CHECK(resolv_write(dir, path, 3, &s) == 0 && netfile_read(path, got, sizeof(got)) == -EFBIG, "resolv.conf is made where it is missing");
	CHECK(netfile_write(path, "nameserver 6.6.6.6\n", 19, 0644, false) == 0 && resolv_write(dir, path, 3, &s) == 1,
	      "somebody else's is left alone");
	CHECK(netfile_write(path, "", 0, 0644, false) == 0 && resolv_write(dir, path, 3, &s) == 0, "an empty one is nobody's");
	(void)unlink(path);
	CHECK(mkdir(path, 0700) == 0 && resolv_write(dir, path, 3, &s) == 1 && rmdir(path) == 0, "a directory is somebody else's");
	CHECK(symlink(deep, path) == 0 && resolv_write(dir, path, 3, &s) == 1 && unlink(path) == 0, "as is a link to one");
	CHECK(symlink("nowhere", path) == 0 && resolv_write(dir, path, 3, &s) == 0, "a link to nowhere is replaced");
	struct stat st;
	CHECK(lstat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0644, "by a file that all may read");
	(void)snprintf(deep, sizeof(deep), "%s/resolv", dir);
	CHECK(netfile_write(deep, "noise", 5, 0600, false) == 0 && resolv_write(dir, path, 3, &s) == 0,
	      "a spoilt memory of the others is no harm");
	(void)unlink(path);
	(void)unlink(deep);
	for (size_t n = strlen(dir) + 6; n > strlen(dir); n -= 2) {
		(void)snprintf(deep, sizeof(deep), "%s/a/b/c", dir);
		deep[n] = '\0';
		(void)rmdir(deep);
	}
	CHECK(rmdir(dir) == 0, "and nothing else was left there");
}

int main(void)
{
	int e = enter_netns();

	files();
	if (e < 0) {
		tap_skip("no network namespace: %s", strerror(-e));
		return tap_done();
	}
	int nl = link_open();
	e = make_links(nl);
	(void)close(nl);
	begins();
	if (e < 0) {
		tap_skip("no veth: %s", strerror(-e));
		return tap_done();
	}
	(void)link_up(a.nl, a.link.index);
	struct link peer = { 0 };
	CHECK(link_find(a.nl, "t1", &peer) == 0 && link_up(a.nl, peer.index) == 0 && link_find(a.nl, "t0", &a.link) == 0 && a.link.up &&
	      a.link.carrier && a.link.ether &&
	      a.link.mtu == 1500, "a link, up, of Ethernet");
	plain();
	others();
	failing();
	gone();
	return tap_done();
}
