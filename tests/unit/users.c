/* users.c - who a unit runs as: names, numbers, and files made to mislead. */
#include "mount/users.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/tap.h"

static const char passwd[] =
	"root:x:0:0:root:/root:/bin/bash\n"
	"# www:x:9:9::/:/bin/sh\n"
	"www:x:33:34:web:/var/www:/bin/sh\n"
	"www:x:44:44:second:/:/bin/sh\n"
	"twin:x:33:99::/twin:/bin/sh\n"
	"0day:x:1234:1234::/home/0day:\n"
	"bad1:x:-1:0::/:\n"
	"bad2:x:4294967295:0::/:\n"
	"bad3:x:0x0:0::/:\n"
	"bad4:x: 0:0::/:\n"
	"bad5:x::0::/:\n"
	"bad6:x:0\n"
	":x:0:0::/:\n"
	"nohome:x:50:50::relative:nologin\n"
	"1000:x:0:0:a number as a name:/root:/bin/sh\n"
	"max:x:4294967294:4294967294::/:\n"
	"last:x:60:61:no newline:/home/last:/bin/ash";

static const char group[] =
	"root:x:0:\n"
	"web:x:34:\n"
	"video:x:70:www,other\n"
	"audio:x:71:other,www\n"
	"not:x:72:wwww,ww\n"
	"twice:x:70:www\n"
	"bad:x:nan:www\n"
	"80:x:0:\n"
	"short\n"
	"tail:x:73:other,www";

/* What is wanted: "uid gid home shell groups", or the start of what is said. */
static const struct { const char *user, *group, *extra; int rc; const char *want; } cases[] = {
	{ "", "", NULL, 0, "root 0 0 /root /bin/bash" },
	{ "root", "", NULL, 0, "root 0 0 /root /bin/bash" },
	{ "www", "", NULL, 0, "www 33 34 /var/www /bin/sh 70 71 73" },
	{ "33", "", NULL, 0, "www 33 34 /var/www /bin/sh 70 71 73" },
	{ "www:video", "", NULL, 0, "www 33 70 /var/www /bin/sh 70 71 73" },
	{ "www:video", "web", NULL, 0, "www 33 34 /var/www /bin/sh 70 71 73" },
	{ "www:", "", NULL, 0, "www 33 34 /var/www /bin/sh 70 71 73" },
	{ "5000:5001", "", NULL, 0, " 5000 5001 / /bin/sh" },
	{ "5000", "", NULL, 0, " 5000 0 / /bin/sh" },
	{ "5000", "web", "audio", 0, " 5000 34 / /bin/sh 71" },
	{ "www", "", "71", 0, "www 33 34 /var/www /bin/sh 70 71 73" },
	{ "www", "", "500", 0, "www 33 34 /var/www /bin/sh 70 71 73 500" },
	{ "0day", "", NULL, 0, "0day 1234 1234 /home/0day /bin/sh" },
	{ "nohome", "", NULL, 0, "nohome 50 50 / /bin/sh" },
	{ "last", "", NULL, 0, "last 60 61 /home/last /bin/ash" },
	{ "1000", "", NULL, 0, " 1000 0 / /bin/sh" },
	{ "www", "80", NULL, 0, "www 33 80 /var/www /bin/sh 70 71 73" },
	{ "4294967294", "", NULL, 0, "max 4294967294 4294967294 / /bin/sh" },
	{ "4294967295", "", NULL, -EINVAL, "user 4294967295, which is no id" },
	{ "4294967296", "", NULL, -EINVAL, "user 4294967296, which is no id" },
	{ "18446744073709551616", "", NULL, -EINVAL, "user 18446744073709551616, which is no id" },
	{ "00000000000", "", NULL, -EINVAL, "user 00000000000, which is no id" },
	{ "www", "4294967295", NULL, -EINVAL, "group 4294967295, which is no id" },
	{ "nobody", "", NULL, -ENOENT, "user \"nobody\", which is not in the image's /etc/passwd" },
	{ "-1", "", NULL, -ENOENT, "user \"-1\", which is not" },
	{ "0x0", "", NULL, -ENOENT, "user \"0x0\", which is not" },
	{ " 0", "", NULL, -ENOENT, "user \" 0\", which is not" },
	{ "bad1", "", NULL, -ENOENT, "user \"bad1\"" },
	{ "bad2", "", NULL, -ENOENT, "user \"bad2\"" },
	{ "bad3", "", NULL, -ENOENT, "user \"bad3\"" },
	{ "bad4", "", NULL, -ENOENT, "user \"bad4\"" },
	{ "bad5", "", NULL, -ENOENT, "user \"bad5\"" },
	{ "bad6", "", NULL, -ENOENT, "user \"bad6\"" },
	{ ":web", "", NULL, -ENOENT, "user \"\"" },
	{ "www", "nogroup", NULL, -ENOENT, "group \"nogroup\", which is not in the image's /etc/group" },
	{ "www", "bad", NULL, -ENOENT, "group \"bad\"" },
	{ "www", "", "nogroup", -ENOENT, "group \"nogroup\"" },
};

static void show(struct text *t, const struct person *p)
{
	text_fmt(t, "%s %u %u %s %s", p->name, p->uid, p->gid, p->home, p->shell);
	for (uint32_t i = 0; i < p->n_groups; i++)
		text_fmt(t, " %u", p->groups[i]);
}

static void test_cases(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct persona who = { cases[i].user, cases[i].group, &cases[i].extra, cases[i].extra != NULL };
		struct person got = { .uid = 77 };
		char words[400] = "";
		struct text t = TEXT(words);
		int blame_group = -1;
		int rc = person_find(&got, &who, passwd, group, &blame_group, &t);

		CHECK(rc == cases[i].rc, "User=%s Group=%s gives %d", who.user, who.group, rc);
		if (rc == 0)
			show(&t, &got);
		else
			CHECK(got.uid == 77, "and nobody is returned");
		CHECK(strncmp(words, cases[i].want, rc ? strlen(cases[i].want) : sizeof(words)) == 0, "as %s", words);
		CHECK(blame_group == (strncmp(cases[i].want, "group", 5) == 0), "blame lies with the %s", blame_group ? "group" : "user");
	}
}

static void test_missing(void)
{
	struct persona name = { .user = "www", .group = "" }, number = { .user = "33", .group = "" };
	struct persona named_group = { .user = "33", .group = "web" };
	struct person got;
	char words[400] = "";
	struct text t = TEXT(words);
	int blame;

	CHECK(person_find(&got, &name, NULL, NULL, &blame, &t) == -ENOENT && !blame &&
	      strstr(words, "user \"www\": the image has no /etc/passwd; give a number"), "a name without passwd: %s", words);
	CHECK(person_find(&got, &number, NULL, group, &blame, &t) == 0 && got.uid == 33 && got.gid == 0 && got.n_groups == 0 &&
	      strcmp(got.home, "/") == 0, "a number without passwd");
	CHECK(person_find(&got, &named_group, passwd, NULL, &blame, &t) == -ENOENT && blame, "a group's name without group");
}

/* Lines longer than any field, and more groups than anybody has. */
static void test_huge(void)
{
	size_t n = 1u << 20, at = 0;
	char *file = malloc(n + 1), words[400] = "";
	struct persona who = { .user = "u", .group = "" }, by_number = { .user = "7", .group = "" };
	struct person got;
	struct text t = TEXT(words);
	int blame;

	if (!file)
		abort();
	memset(file, 'a', n);
	memcpy(file + n - 12, "\nu:x:7:8::/:", 12);
	file[n] = '\0';
	CHECK(person_find(&got, &who, file, NULL, &blame, &t) == 0 && got.uid == 7 && got.gid == 8, "behind a line of 1M");
	memset(file, 'h', 3000);
	memcpy(file, "u:x:7:8::/", 10);
	file[3000] = '\0';
	CHECK(person_find(&got, &who, file, NULL, &blame, &t) == 0 && strcmp(got.home, "/") == 0, "a home of 3,000 bytes is none");
	memcpy(file + 300, ":x:7:8::/:", 11);
	memset(file, 'u', 300);
	CHECK(person_find(&got, &by_number, file, NULL, &blame, &t) == 0 && !*got.name && got.gid == 0, "a name of 300 bytes is none");
	for (unsigned i = 0; i < MAX_GROUPS; i++)
		at += (size_t)snprintf(file + at, n - at, "g%u:x:%u:u\n", i, 1000 + i);
	CHECK(person_find(&got, &who, "u:x:7:8::/:", file, &blame, &t) == 0 && got.n_groups == MAX_GROUPS, "256 groups");
	at += (size_t)snprintf(file + at, n - at, "g:x:1:u\n");
	CHECK(person_find(&got, &who, "u:x:7:8::/:", file, &blame, &t) == -E2BIG && blame, "257 groups");
	free(file);
}

static void put(int dir, const char *name, size_t n)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || (n ? ftruncate(fd, (off_t)n) < 0 : write(fd, "u:x:7:8::/h:\n", 13) != 13))
		abort();
	(void)close(fd);
}

/* The files of an image that wants to harm. */
static void test_files(void)
{
	char at[] = "/tmp/users-test.XXXXXX", words[400] = "";
	struct persona who = { .user = "u", .group = "" };
	struct text t = TEXT(words);
	struct person got;
	int blame, root = mkdtemp(at) ? open(at, O_PATH | O_DIRECTORY) : -1;

	if (!CHECK(root >= 0, "a directory to work in"))
		return;
	(void)mkdirat(root, "etc", 0755);
	CHECK(users_find(&got, root, &who, &blame, &t) == -ENOENT, "no passwd");
	put(root, "etc/passwd", 0);
	CHECK(users_find(&got, root, &who, &blame, &t) == 0 && got.uid == 7, "a passwd");
	put(root, "etc/passwd", MAX_USERS_FILE);
	CHECK(users_find(&got, root, &who, &blame, &t) == -ENOENT, "1M of zeros holds nobody");
	put(root, "etc/passwd", MAX_USERS_FILE + 1);
	t.len = 0;
	CHECK(users_find(&got, root, &who, &blame, &t) == -EFBIG && strstr(words, "larger than 1M"), "one byte more: %s", words);
	(void)unlinkat(root, "etc/passwd", 0);
	(void)mkfifoat(root, "etc/passwd", 0644);
	CHECK(users_find(&got, root, &who, &blame, &t) == -EINVAL, "a pipe is not waited for");
	(void)unlinkat(root, "etc/passwd", 0);
	(void)symlinkat("/real", root, "etc/passwd");
	put(root, "real", 0);
	CHECK(users_find(&got, root, &who, &blame, &t) == 0 && got.uid == 7, "a link is followed inside the image");
	(void)unlinkat(root, "etc/passwd", 0);
	(void)symlinkat("../../../../../../etc/passwd", root, "etc/passwd");
	CHECK(users_find(&got, root, &who, &blame, &t) == -ELOOP, "and not out of it");
	(void)unlinkat(root, "etc/passwd", 0);
	(void)unlinkat(root, "real", 0);
	(void)unlinkat(root, "etc", AT_REMOVEDIR);
	(void)rmdir(at);
	(void)close(root);
}

int main(void)
{
	test_cases();
	test_missing();
	test_huge();
	test_files();
	return tap_done();
}
