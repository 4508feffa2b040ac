/* boot.c - the table of boot steps, and who walks it. */
#include "init/boot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "conf/kit/say.h"
#include "init/boot_steps.h"

/*
 * Order is the order of doing. `undo` is for a machine that we booted: in a
 * container all of this goes with its namespaces.
 */
const struct boot_step boot_steps[] = {
	{ "proc", "/proc", ready_proc, "unmounted with the namespace", "programs cannot see processes; ps and many runtimes fail", false },
	{ "sys", "/sys, read-only but on a machine of our own", ready_sys, "unmounted with the namespace", "programs cannot see devices and cgroups", false },
	{ "dev", "/dev with null, zero, full, random, urandom, tty; on a machine with all that its kernel has", ready_dev, "unmounted with the namespace", "programs that open /dev/null fail", false },
	{ "pts", "/dev/pts", ready_pts, "unmounted with the namespace", "no new terminals: exec -t fails", false },
	{ "mqueue", "/dev/mqueue", ready_mqueue, "unmounted with the namespace", "POSIX message queues have no file system", false },
	{ "cgroup", "/sys/fs/cgroup", ready_cgroup, "unmounted with the namespace", "no limits for units", false },
	{ "tmpfs", "Tmpfs=: /dev/shm, /run, /tmp", ready_tmpfs, "unmounted with the namespace", "what an earlier boot left there is still there; shared memory may fail", false },
	{ "mounts", "Mount=", ready_mounts, "unmounted with the namespace", "what units look for there is missing", false },
	{ "hostname", "Hostname=", ready_hostname, "none: it ends with the namespace", "the name stays as it is", false },
	{ "hosts", "/etc/hosts", ready_hosts, "none: it is written anew at each boot", "localhost may not be found by name", false },
	{ "machine-id", "/etc/machine-id", ready_machine_id, "none: it has to stay", "programs that want one fail", false },
	{ "loopback", "the interface lo", ready_loopback, "none: it ends with the namespace", "127.0.0.1 does not answer; units cannot talk to each other", false },
	{ "sysctl", "[Sysctl]", ready_sysctls, "none: they end with the namespace", "the kernel's values stay", false },
	{ "prelaunch", "PreLaunch=", ready_prelaunch, "none: it is the program's own", "what it was to ready is not", true },
	{ "realinit", "RealInit= over /sbin/init", ready_realinit, "unmounted with the namespace", "who looks at /sbin/init sees coppice", true },
};
const uint32_t n_boot_steps = sizeof(boot_steps) / sizeof(boot_steps[0]);
_Static_assert(sizeof(boot_steps) / sizeof(boot_steps[0]) <= 32, "struct state keeps 32 results");

int boot_refused(const struct boot *b, const char *what, int err)
{
	(void)b;
	say(SAY_WARNING, "boot: %s: %s", what, strerror(err));
	return -err;
}

void boot_run(struct boot *b, bool late, uint32_t *results)
{
	for (uint32_t k = 0; k < n_boot_steps; k++) {
		if (boot_steps[k].late != late)
			continue;
		int r = boot_steps[k].act(b);
		char words[300] = "";
		struct text why = TEXT(words);

		results[k] = r == -EINTR ? BOOT_TOOK(BOOT_SKIPPED, SKIP_STOPPING) : r < 0 ? BOOT_TOOK(BOOT_REFUSED, -r) :
			     r == NOBODY_ASKED ? BOOT_TOOK(BOOT_SKIPPED, SKIP_UNASKED) : BOOT_TOOK(r > 0 ? BOOT_ALREADY : BOOT_DONE, 0);
		boot_why(&why, k, results[k]);
		if (r < 0 && r != -EINTR)
			say(SAY_WARNING, "boot step \"%s\": %s", boot_steps[k].name, words);
	}
}

void boot_skip(enum boot_skip why, uint32_t *results)
{
	for (uint32_t k = 0; k < n_boot_steps; k++)
		results[k] = BOOT_TOOK(BOOT_SKIPPED, why);
}

const char *boot_result_word(uint32_t result)
{
	static const char *const words[N_BOOT_RESULTS] = {
		[BOOT_DONE] = "done", [BOOT_ALREADY] = "already", [BOOT_REFUSED] = "refused", [BOOT_SKIPPED] = "skipped",
	};

	return result >> 16 < N_BOOT_RESULTS ? words[result >> 16] : NULL;
}

void boot_why(struct text *to, uint32_t step, uint32_t result)
{
	static const char *const skips[N_BOOT_SKIPS] = {
		[SKIP_UNASKED] = "nobody asked for it", [SKIP_NO_BOOT] = "--no-boot",
		[SKIP_NOT_INIT] = "not PID 1: that is left to whoever is", [SKIP_STOPPING] = "the container is stopping",
	};
	uint32_t detail = result & 0xffffu;

	if (result >> 16 == BOOT_REFUSED && step < n_boot_steps)
		text_fmt(to, "%s; %s", detail == ECANCELED ? "it has failed" : detail == ETIMEDOUT ? "it took too long" :
			 strerror((int)detail), boot_steps[step].refused);
	else if (result >> 16 == BOOT_SKIPPED && detail < N_BOOT_SKIPS)
		text_put(to, skips[detail]);
}

void boot_print(const struct boot *b)
{
	(void)b;
	for (uint32_t k = 0; k < n_boot_steps; k++)
		printf("boot   %-12s %s\n", boot_steps[k].name, boot_steps[k].brief);
}
