/* say.c - formats one line on the stack and hands it over in one write. */
#include "conf/kit/say.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf/kit/sys.h"
#include "conf/kit/text.h"

static int where = 2;
static const char *before = "coppice: ";
static enum level most_said = SAY_INFO;
static uint32_t lost;
static pid_t held_by; /* 0: nobody keeps lines */
static char kept[4096];
static size_t n_kept, lines_kept;

static const char *const level_words[N_LEVELS] = {
	[SAY_ERROR] = "error", [SAY_WARNING] = "warning", [SAY_INFO] = "info", [SAY_DEBUG] = "debug",
};

void say_to(int fd, const char *prefix)
{
	say_flush();
	where = fd;
	before = prefix;
}

void say_level(enum level most)
{
	most_said = most;
}

int say_level_of(const char *word)
{
	for (int i = 0; i < N_LEVELS; i++)
		if (!strcmp(word, level_words[i]))
			return i;
	return -1;
}

/* A child has a copy of what its parent keeps, and no business with it. */
static bool keeps(void)
{
	if (held_by && held_by != getpid()) {
		held_by = 0;
		n_kept = lines_kept = 0;
	}
	return held_by != 0;
}

void say(enum level level, const char *fmt, ...)
{
	char raw[1024], line[1400];
	struct text t = TEXT(line);
	va_list ap;

	if (level > most_said)
		return;
	va_start(ap, fmt);
	int n = vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	text_put(&t, before);
	text_shown(&t, raw, strlen(raw), sizeof(raw));
	t.at[t.len < sizeof(line) - 1 ? t.len++ : t.len - 1] = '\n';
	if (keeps() && n_kept + t.len > sizeof(kept))
		say_flush();
	if (held_by) {
		memcpy(kept + n_kept, line, t.len);
		n_kept += t.len;
		lines_kept++;
	} else if (sys_write(where, line, t.len) != (ssize_t)t.len) {
		lost++;
	}
}

void say_hold(void)
{
	held_by = getpid();
}

void say_flush(void)
{
	if (keeps() && n_kept > 0 && sys_write(where, kept, n_kept) != (ssize_t)n_kept)
		lost += (uint32_t)lines_kept;
	n_kept = lines_kept = 0;
}

uint32_t say_lost(void)
{
	return lost;
}
