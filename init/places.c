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

void places_open(void)
{
	char path[PATH_MAX];
	int e = snprintf(path, sizeof(path), "%s/root", world.runtime) < (int)sizeof(path) ? netfile_dirs(path) : -ENAMETOOLONG;

	if (e < 0)
		say(SAY_ERROR, "%s: %s; without it there is no control socket and no view of the units' roots", world.runtime, strerror(-e));
	listener = socket_at("control.sock", SOCK_STREAM, 0600);
	if (listener < 0)
		say(SAY_ERROR, "%s/control.sock: %s; units run, but cannot be asked about", world.runtime, strerror(-listener));
	world.notify_fd = socket_at("notify", SOCK_DGRAM, 0666);
	int yes = 1;
	if (world.notify_fd < 0 || setsockopt(world.notify_fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes)) < 0)
		say(SAY_ERROR, "%s/notify: units with Type=notify cannot say that they are ready", world.runtime);
}

void places_remove(void)
{
	char path[PATH_MAX];

	for (int k = 0; k < 2; k++)
		if (snprintf(path, sizeof(path), "%s/%s", world.runtime, k ? "control.sock" : "notify") < (int)sizeof(path))
			(void)unlink(path);
}

/* ControlGroup= is let in to read: the desk looks at who it is. */
static mode_t control_mode(const struct table *t)
{
	return t->house.control_group ? 0666 : 0600;
}

/* What of them depends on the units. */
void places_settle(const struct table *t)
{
	char path[PATH_MAX];

	if (listener >= 0 && control_mode(t) != 0600 && snprintf(path, sizeof(path), "%s/control.sock", world.runtime) < (int)sizeof(path))
		(void)chmod(path, control_mode(t));
	logs_fd = ring_create(t->n_units);
	if (logs_fd < 0)
		say(SAY_ERROR, "no memory for logs: %s", strerror(-logs_fd));
}

void places_reopen(struct manager *m)
{
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
