/* upward_words.c - the address and the words of what is told upward; pure. */
#include "init/upward.h"

#include <string.h>

bool muster_settled(const struct muster *a)
{
	return a->begun && a->how == HOW_NONE && (uint64_t)a->up + a->failed + a->waiting >= a->units;
}

static void put_count(struct text *to, uint32_t n, const char *word)
{
	if (n > 0)
		text_fmt(to, ", %u %s", n, word);
}

void muster_words(struct text *to, const struct muster *a)
{
	static const char *const ends[N_HOWS] = {
		[HOW_EXIT] = "stopping", [HOW_POWEROFF] = "powering off", [HOW_HALT] = "halting", [HOW_REBOOT] = "rebooting",
	};

	if (a->how != HOW_NONE && a->how < N_HOWS) {
		text_fmt(to, "%s: %u %s left", ends[a->how], a->left, a->left == 1 ? "unit" : "units");
		return;
	}
	if (!a->begun) {
		text_put(to, "starting: readying the container");
		return;
	}
	text_fmt(to, "%s: %u of %u units up", a->failed + a->waiting > 0 ? "degraded" : muster_settled(a) ? "running" : "starting",
		 a->up, a->units);
	put_count(to, a->failed, "failed");
	put_count(to, a->waiting, "waiting");
}

size_t upward_path(const char *address, char path[108])
{
	size_t n = strlen(address);

	/* A name of no length would be one that the kernel makes up (unix(7), autobind). */
	if (n < 2 || n > 108 || (*address != '/' && *address != '@') || (*address == '/' && n == 108))
		return 0;
	memset(path, 0, 108);
	memcpy(path, address, n);
	if (*address == '/')
		return n + 1;
	path[0] = '\0';
	return n;
}
