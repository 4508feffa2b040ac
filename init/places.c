/* places.c - what PID 1 has under /run: two sockets, the directory of roots, and the memory of logs. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "conf/kit/say.h"
#include "conf/kit/sys.h"
#include "init/control/ring.h"
#include "init/net/netfile.h"
#include "init/world.h"

int logs_fd = -1, listener = -1;

/* A socket at RUNTIME/NAME; 0600, or what `mode` says. -errno where it cannot be. */
static int socket_at(const char *name, int type, mode_t mode)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int n = snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s", world.runtime, name);

	if (n < 0 || (size_t)n >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	mode_t old = umask(0777 & ~mode);
	int r = bind(fd, (const struct sockaddr *)&a, sizeof(a));

	/* Of somebody before us. */
	if (r < 0 && errno == EADDRINUSE && unlink(a.sun_path) == 0)
		r = bind(fd, (const struct sockaddr *)&a, sizeof(a));
	int e = errno;

	(void)umask(old);
	if (r == 0 && type == SOCK_STREAM) {
		r = listen(fd, 64);
		e = errno;
	}
	if (r < 0) {
		(void)close(fd);
		return -e;
	}
	return fd;
}

/* ControlGroup= is let in to read: the desk looks at who it is. */
static mode_t control_mode(const struct table *t)
{
	return t->house.control_group ? 0666 : 0600;
}

bool places_wanted(const struct table *t)
{
	for (uint32_t i = 0; i < t->n_units; i++) {
		const struct unit *u = table_unit(t, i);

		if (unit_rooted(u) || u->type == TYPE_NOTIFY || u->notify_access != NOTIFY_NONE)
			return true;
	}
	return false;
}

static bool opened;

void places_open(void)
{
	char path[PATH_MAX];

	if (opened)
		return;
	opened = true;
	int e = snprintf(path, sizeof(path), "%s/root", world.runtime) < (int)sizeof(path) ? netfile_dirs(path) : -ENAMETOOLONG;
	if (e < 0)
		say(SAY_ERROR, "%s: %s; without it there is no control socket and no view of the units' roots", world.runtime, strerror(-e));
	listener = socket_at("control.sock", SOCK_STREAM, control_mode(world.table));
	if (listener < 0)
		say(SAY_ERROR, "%s/control.sock: %s; units run, but cannot be asked about", world.runtime, strerror(-listener));
	int notify = socket_at("notify", SOCK_DGRAM, 0666), yes = 1;
	if (notify < 0 || setsockopt(notify, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes)) < 0 || manager_listen(&world, notify) < 0)
		say(SAY_ERROR, "%s/notify: units with Type=notify cannot say that they are ready", world.runtime);
	logs_fd = ring_create(world.n);
	if (logs_fd < 0)
		say(SAY_ERROR, "no memory for logs: %s", strerror(-logs_fd));
}

msec_t places_look(void)
{
	msec_t due = time_add(world.records.state->booted, PLACES_WAIT);

	if (opened || !world.begun)
		return FOREVER;
	if (world.now < due)
		return due;
	places_open();
	return FOREVER;
}

void places_remove(void)
{
	char path[PATH_MAX];

	for (int k = 0; opened && k < 2; k++)
		if (snprintf(path, sizeof(path), "%s/%s", world.runtime, k ? "control.sock" : "notify") < (int)sizeof(path))
			(void)unlink(path);
}

void places_reopen(struct manager *m)
{
	if (!opened) {
		places_open();
		return;
	}
	int fresh = socket_at("control.sock", SOCK_STREAM, control_mode(m->table));
	struct message msg = { .kind = TELL_REOPEN };

	if (fresh < 0) {
		say(SAY_ERROR, "%s/control.sock: %s", world.runtime, strerror(-fresh));
		return;
	}
	if (listener >= 0)
		(void)close(listener);
	listener = fresh;
	manager_hand_desk(m, &msg, listener);
	say(SAY_INFO, "the control socket was opened anew");
}
