/* roots.c - check --root: images, programs and users that are there, and those that are not. */
#include "conf/roots.h"

#include "tests/lib/tap.h"
#include "tests/lib/units.h"

static void put_program(const struct units *u, const char *name)
{
	char path[512];

	units_put(u, name, "#!/bin/sh\n");
	snprintf(path, sizeof(path), "%s/%s", u->dir, name);
	chmod(path, 0755);
}

static void put_link(const struct units *u, const char *to, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", u->dir, name);
	(void)!symlink(to, path);
}

static bool found(const struct units *u, const char *text)
{
	return strstr(units_said(u), text) != NULL;
}

int main(void)
{
	struct units u;
	char lines[512];

	units_open(&u);
	snprintf(lines, sizeof(lines), "[Manager]\nImagePath=\nImagePath=%s/images\n", u.dir);
	units_put(&u, "coppice.conf", lines);
	put_program(&u, "images/web/bin/httpd");
	put_program(&u, "images/web/usr/bin/tool");
	units_put(&u, "images/web/bin/data", "no program");
	units_put(&u, "images/web/etc/passwd", "root:x:0:0::/:/bin/sh\nwww:x:33:33::/:/bin/sh");
	units_put(&u, "images/web/etc/group", "root:x:0:\nwww:x:33:\n");
	/* Out of the image: followed on the host it would lead to a program, inside it leads nowhere. */
	put_link(&u, "/bin/sh", "images/web/bin/escape");
	put_link(&u, "/bin/httpd", "images/web/bin/inside");
	put_program(&u, "images/bundle/rootfs/bin/x");
	units_put(&u, "images/packed.squashfs", "");
	units_put(&u, "good.service",
		  "[Service]\nImage=web\nExecStart=/bin/httpd\nExecStop=tool\nExecReload=/bin/inside\nUser=www\nGroup=0\n");
	units_put(&u, "bundle.service", "[Service]\nImage=bundle\nExecStart=/bin/x\n");
	units_put(&u, "packed.service", "[Service]\nImage=packed\nExecStart=/nothing\n");
	units_put(&u, "host.service", "[Service]\nExecStart=/nothing/at/all\n");
	units_put(&u, "bad.service",
		  "[Service]\nImage=web\nExecStart=/bin/nothing\nExecStartPre=/bin/data\nExecStop=/bin/escape\nExecReload=nothing\n"
		  "User=nobody\nGroup=ww\nSupplementaryGroups=root adm\nHealthCmd=/bin/nope\n");
	units_put(&u, "none.service", "[Service]\nImage=none\nExecStart=/x\n");
	if (!CHECK(units_load(&u) == 0 && !u.findings.n, "loads: %s", units_said(&u)))
		return tap_done();
	roots_check(u.table, &u.findings);
	CHECK(!found(&u, "good.service") && !found(&u, "bundle.service") && !found(&u, "packed.service") &&
	      !found(&u, "host.service"), "what is sound: %s", units_said(&u));
	CHECK(found(&u, "bad.service:3: ExecStart=: there is no program /bin/nothing in image \"web\""),
	      "a missing program");
	CHECK(found(&u, "bad.service:4: ExecStartPre=: there is no program /bin/data"),
	      "a file that cannot be run");
	CHECK(found(&u, "bad.service:5: ExecStop=: there is no program /bin/escape"),
	      "a link out of the image");
	CHECK(found(&u, "bad.service:6: ExecReload=: there is no program nothing"),
	      "a name that is nowhere in PATH");
	CHECK(found(&u, "bad.service:7: User=: there is no \"nobody\" in /etc/passwd of image \"web\""),
	      "a missing user");
	CHECK(found(&u, "bad.service:8: Group=: there is no \"ww\" in /etc/group"),
	      "a group of which there is only the beginning");
	CHECK(found(&u, "bad.service:9: SupplementaryGroups=: there is no \"adm\"") &&
	      !found(&u, "no \"root\""), "one group of two");
	CHECK(found(&u, "bad.service:10: HealthCmd=: there is no program /bin/nope"),
	      "the program of a health check");
	CHECK(found(&u, "none.service:2: Image=: there is no \"none\" in ImagePath="), "a missing image");
	CHECK(u.findings.n == 9, "and nothing else: %u", u.findings.n);
	units_close(&u);
	return tap_done();
}
