/* say.c - formats one line on the stack and hands it over in one write. */
#include "conf/kit/say.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf/kit/sys.h"
#include "conf/kit/text.h"

/* Side by side: whoever forks pays for each page of it that a child then writes. */
static struct {
	int where;
	enum level most;
	const char *before;
	pid_t held_by; /* 0: nobody keeps lines */
	uint32_t lost;
	size_t n_kept, lines_kept;
} voice = { .where = 2, .most = SAY_INFO, .before = "coppice: " };
static char kept[4096];

static const char *const level_words[N_LEVELS] = {
	[SAY_ERROR] = "error", [SAY_WARNING] = "warning", [SAY_INFO] = "info", [SAY_DEBUG] = "debug",
};

void say_to(int fd, const char *prefix)
{
	say_flush();
	voice.where = fd;
	voice.before = prefix;
}

void say_level(enum level most)
{
	voice.most = most;
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
	if (voice.held_by && voice.held_by != getpid()) {
		voice.held_by = 0;
		voice.n_kept = voice.lines_kept = 0;
	}
	return voice.held_by != 0;
}

bool say_says(enum level level)
{
	return level <= voice.most;
}

/* Apart from its caller: two pages of stack that a line which is not said would touch. */
static __attribute__((noinline, format(printf, 1, 0))) void say_line(const char *fmt, va_list ap)
{
	char raw[1024], line[1400];
	struct text t = TEXT(line);

	if (vsnprintf(raw, sizeof(raw), fmt, ap) < 0)
		return;
	text_put(&t, voice.before);
	text_shown(&t, raw, strlen(raw), sizeof(raw));
	t.at[t.len < sizeof(line) - 1 ? t.len++ : t.len - 1] = '\n';
	if (keeps() && voice.n_kept + t.len > sizeof(kept))
		say_flush();
	if (voice.held_by) {
		memcpy(kept + voice.n_kept, line, t.len);
		voice.n_kept += t.len;
		voice.lines_kept++;
	} else if (sys_write(voice.where, line, t.len) != (ssize_t)t.len) {
		voice.lost++;
	}
}

void say(enum level level, const char *fmt, ...)
{
	va_list ap;

	if (!say_says(level))
		return;
	va_start(ap, fmt);
	say_line(fmt, ap);
	va_end(ap);
}

void say_hold(void)
{
	voice.held_by = getpid();
}

void say_flush(void)
{
	if (keeps() && voice.n_kept > 0 && sys_write(voice.where, kept, voice.n_kept) != (ssize_t)voice.n_kept)
		voice.lost += (uint32_t)voice.lines_kept;
	voice.n_kept = voice.lines_kept = 0;
}

uint32_t say_lost(void)
{
	return voice.lost;
}
