/* loader.c - the child that reads the units: PID 1 parses nothing, it maps what that child wrote, sealed, and looks it over. */
#include "init/loader.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conf/kit/own.h"
#include "conf/kit/say.h"
#include "conf/kit/seal.h"
#include "conf/kit/sys.h"
#include "conf/kit/text.h"
#include "conf/load.h"
#include "supervise/pads.h"

#define LOAD_TIME 60 /* seconds; a loader that hangs (a dead network file system) is ended by its alarm */
#define LINGERS 50   /* ms, in which most of what was waited for is done */

/* ---- the child ---- */

static void tell_finding(const struct finding *f, void *told)
{
	char room[1024];
	struct text t = TEXT(room);

	(void)told;
	finding_put(&t, f);
	say(f->level, "%s", room);
}

/* Nobody waits for what follows, the end of a process least of all: PID 1 has better use for the processors now. */
static void tell_written(void *told)
{
	(void)sys_write_all(*(const int *)told, "", 1);
	(void)poll(NULL, 0, LINGERS);
}

/* Its exit status. */
static int load(const struct init_options *given, int memfd, int told)
{
	uint64_t none = 0;

	(void)prctl(PR_SET_NAME, "coppice: load");
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none));
	(void)alarm(LOAD_TIME);
	struct load_options o = { .dirs = given->n_dirs ? given->dirs : NULL, .n_dirs = given->n_dirs,
				  .config = given->config, .max_units = given->max_units, .environment = true,
				  .oci = given->oci, .args = (const char *const *)given->args, .n_args = given->n_args };

	return load_into(memfd, &o, tell_finding, told < 0 ? NULL : tell_written, &told) < 0;
}

/* ---- PID 1 ---- */

struct loading loader_begin(const struct init_options *o, bool waited)
{
	struct loading l = { .fd = seal_create("coppice-units"), .told = -1 };
	int two[2] = { -1, -1 };

	l.pid = l.fd < 0 ? l.fd : waited ? sys_pipe(two) : 0;
	if (l.pid == 0)
		l.pid = sys_fork();
	if (l.pid == 0)
		_exit(load(o, l.fd, two[1]));
	own_close(&two[1]);
	l.fd = pads_clear(l.fd);
	l.told = pads_clear(two[0]);
	return l;
}

const struct table *loader_table(int fd)
{
	struct stat st = { 0 };
	void *at = fstat(fd, &st) < 0 ? MAP_FAILED : mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED) {
		say(SAY_ERROR, "the loader's table cannot be mapped: %s", strerror(errno));
		return NULL;
	}
	const char *wrong = seal_holds(fd) ? table_verify(at, (uint64_t)st.st_size) : "it is not sealed";
	if (!wrong)
		return at;
	say(SAY_ERROR, "the loader's table is not sound: %s; this is a defect of coppice", wrong);
	(void)munmap(at, (size_t)st.st_size);
	return NULL;
}

const struct table *loader_end(const struct loading *l)
{
	owned_fd fd = l->fd, told = l->told;
	struct sys_exit x = { 0 };
	char byte;

	if (l->pid < 0 || sys_read(told, &byte, 1) != 1) {
		int e = l->pid < 0 ? l->pid : sys_wait(l->pid, &x);

		say(SAY_ERROR, "the units could not be loaded%s%s", e < 0 ? ": " : x.value == SIGALRM ? ": it took more than a minute" : "",
		    e < 0 ? strerror(-e) : "");
		return NULL;
	}
	return loader_table(fd);
}
