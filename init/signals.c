/*
 * signals.c - the table of signals; pure.
 *
 * Real-time signals are counted from 34, as every container manager does; musl's
 * own SIGRTMIN is 35 and must not be used.
 */
#include "init/signals.h"

#include <signal.h>
#include <stddef.h>

#define RT(n) (34 + (n))

static const struct { uint8_t wish; const char *sent_by; } meanings[65] = {
	[SIGTERM] = { WISH_EXIT,         "docker stop, podman stop, Kubernetes, kill" },
	[SIGPWR]  = { WISH_EXIT,         "lxc-stop, LXD, Incus" },
	[RT(3)]   = { WISH_EXIT,         "lxc-stop where we block it (we do), systemd-nspawn, machinectl poweroff" },
	[RT(4)]   = { WISH_POWEROFF,     "systemctl poweroff's words" },
	[SIGUSR2] = { WISH_POWEROFF,     "busybox poweroff" },
	[SIGINT]  = { WISH_EXIT,         "Ctrl-C; lxc-stop --reboot, machinectl reboot, Ctrl-Alt-Del" },
	[RT(5)]   = { WISH_REBOOT,       "systemctl reboot's words" },
	[RT(13)]  = { WISH_HALT_NOW,     "systemctl halt --force" },
	[RT(14)]  = { WISH_POWEROFF_NOW, "systemctl poweroff --force" },
	[RT(15)]  = { WISH_REBOOT_NOW,   "systemctl reboot --force" },
	[SIGHUP]  = { WISH_RELOAD,       "kill -HUP" },
	[SIGUSR1] = { WISH_REOPEN,       "kill -USR1" },
};

static const char *const words[N_WISHES] = {
	[WISH_EXIT] = "exit", [WISH_POWEROFF] = "poweroff", [WISH_HALT] = "halt", [WISH_REBOOT] = "reboot",
	[WISH_RELOAD] = "reload", [WISH_DUMP] = "dump", [WISH_REOPEN] = "reopen-logs", [WISH_IGNORE] = "ignore",
	[WISH_FORWARD] = "forward", [WISH_HALT_NOW] = "halt at once", [WISH_POWEROFF_NOW] = "power off at once",
	[WISH_REBOOT_NOW] = "reboot at once",
};

/* Sent by the kernel about what we or our terminal did, and meant for nobody else. */
static bool is_about_us(int sig)
{
	static const uint8_t kept[] = { SIGCHLD, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU };

	for (size_t i = 0; i < sizeof(kept); i++)
		if (kept[i] == sig)
			return true;
	return false;
}

enum wish signal_wish(const struct house *h, enum container c, int sig)
{
	if (sig < 1 || sig > 64)
		return WISH_IGNORE;
	if (h && h->on_signal[sig] != WISH_DEFAULT && h->on_signal[sig] < N_WISHES)
		return (enum wish)h->on_signal[sig];
	if (sig == SIGINT && (c == CONTAINER_LXC || c == CONTAINER_NSPAWN))
		return WISH_REBOOT;
	enum wish usual = meanings[sig].sent_by ? (enum wish)meanings[sig].wish : WISH_IGNORE;

	if (!h || !h->app_signal)
		return usual;
	/* Docker and Podman stop a container with what its image's config says. */
	if (sig == h->app_signal && (usual == WISH_IGNORE || usual == WISH_RELOAD || usual == WISH_REOPEN))
		return WISH_EXIT;
	return usual == WISH_RELOAD || (usual == WISH_IGNORE && !is_about_us(sig)) ? WISH_FORWARD : usual;
}

const char *signal_sent_by(int sig)
{
	return sig >= 1 && sig <= 64 ? meanings[sig].sent_by : NULL;
}

const char *wish_word(enum wish w)
{
	return (unsigned)w < N_WISHES ? words[w] : NULL;
}
