/* mountinfo.c - takes a line of /proc/self/mountinfo apart; pure. */
#include "init/mountinfo.h"

#include <string.h>

static bool octal(char c)
{
	return c >= '0' && c <= '7';
}

bool mountinfo_point(const char *line, size_t n, struct text *into)
{
	const char *end = line + n, *at = line;

	for (int field = 1; field < 5; field++) {
		at = at < end ? memchr(at, ' ', (size_t)(end - at)) : NULL;
		if (!at)
			return false;
		at++;
	}
	if (at == end || *at != '/')
		return false;
	while (at < end && *at != ' ') {
		/* Blank, tab, newline and backslash come as \040 and so on (seq_path of the kernel). */
		if (*at == '\\' && end - at >= 4 && at[1] <= '3' && octal(at[1]) && octal(at[2]) && octal(at[3])) {
			text_char(into, (char)((at[1] - '0') << 6 | (at[2] - '0') << 3 | (at[3] - '0')));
			at += 4;
		} else {
			text_char(into, *at++);
		}
	}
	return !into->cut;
}

bool mountinfo_spared(const char *point)
{
	static const char *const kernels[] = { "/proc", "/sys", "/dev" };

	for (size_t k = 0; k < sizeof(kernels) / sizeof(kernels[0]); k++) {
		size_t n = strlen(kernels[k]);

		if (!strncmp(point, kernels[k], n) && (point[n] == '\0' || point[n] == '/'))
			return true;
	}
	return !strcmp(point, "/");
}
