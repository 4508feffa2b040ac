/* lines.c - the guarded door to inih: nothing passes that inih would silently change; pure. */
#include "conf/lines.h"

#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "conf/kit/text.h"
#include "conf/unit.h"

#if INI_ALLOW_INLINE_COMMENTS || INI_ALLOW_MULTILINE || INI_USE_STACK || !INI_ALLOW_REALLOC || \
	!INI_HANDLER_LINENO || !INI_CALL_HANDLER_ON_NEW_SECTION || INI_STOP_ON_FIRST_ERROR || !INI_CUSTOM_ALLOCATOR || INI_MAX_LINE < 1048576
#error "inih must be built with the INI flags of the Makefile"
#endif

/* inih's buffer ends in a newline and a NUL. */
#define MAX_JOINED (MAX_LINE - 2)

struct guard {
	struct arena *arena;
	const char *file;
	struct findings *fs;
	char *out;          /* joined lines, each ended by a newline */
	size_t n_out, read; /* read: what inih has taken */
	uint32_t *map;      /* where in the file each of them begins */
	size_t n_map, room;
	bool in_section, skipping, told_early;
	lines_taker *take;
	void *self;
};

#define COMPLAIN(g, line, ...) finding_add((g)->fs, SAY_ERROR, (g)->file, line, __VA_ARGS__)

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* Looks at every byte once; false where the file is refused as a whole, with one finding. */
static bool is_text(struct guard *g, const char *data, size_t n)
{
	uint32_t line = 1;

	for (size_t i = 0; i < n;) {
		unsigned char c = (unsigned char)data[i];

		if (c == '\n') {
			line++;
		} else if (c >= 0x80) {
			size_t len = text_utf8(data + i, n - i);

			if (!len) {
				COMPLAIN(g, line, "byte 0x%02x is no UTF-8; save the file as UTF-8", c);
				return false;
			}
			i += len;
			continue;
		} else if (c == '\0') {
			COMPLAIN(g, line, "NUL byte; this is no text file, or it was damaged: write it anew");
			return false;
		} else if (c == '\r') {
			if (i + 1 < n && data[i + 1] == '\n')
				COMPLAIN(g, line, "line ends in CR LF; convert the file: sed -i 's/\\r$//' %s",
					 g->file);
			else
				COMPLAIN(g, line, "carriage return; remove it");
			return false;
		} else if ((c < 0x20 && c != '\t') || c == 0x7f) {
			COMPLAIN(g, line,
				 "control character 0x%02x; remove it, or write it as \\x%02x inside a value", c, c);
			return false;
		}
		i++;
	}
	return true;
}

static bool is_continued(const char *s, size_t n)
{
	size_t slashes = 0;

	while (slashes < n && s[n - 1 - slashes] == '\\')
		slashes++;
	return slashes % 2;
}

/* Judges one joined line; true if inih may see it. */
static bool is_welcome(struct guard *g, const char *s, size_t n, uint32_t line)
{
	if (*s == '[') {
		const char *end = memchr(s, ']', n);

		g->skipping = true;
		g->in_section = true;
		if (!end)
			COMPLAIN(g, line, "\"%.60s\" has no closing bracket; write [Name]", s);
		else if (end != s + n - 1)
			COMPLAIN(g, line,
				 "\"%.60s\": text behind the section's bracket; put it on a line of its own", s);
		else if (n == 2)
			COMPLAIN(g, line, "[] names no section; write [Service], for instance");
		else if (n - 2 > MAX_SECTION_NAME)
			COMPLAIN(g, line, "\"%.60s...\": section name is longer than %u bytes; shorten it", s,
				 MAX_SECTION_NAME);
		else
			g->skipping = false;
		return !g->skipping;
	}
	if (!g->in_section) {
		if (!g->told_early)
			COMPLAIN(g, line,
				 "\"%.60s\" stands before the first section; write [Unit] or [Service] above it", s);
		g->told_early = true;
		return false;
	}
	if (g->skipping)
		return false;

	size_t name = strcspn(s, "=:");

	if (name >= n || s[name] == ':') {
		if (name < n && memchr(s, '=', n))
			COMPLAIN(g, line, "\"%.60s\": a name may not hold ':'; write Name=value", s);
		else
			COMPLAIN(g, line, "\"%.60s\" has no '='; write Name=value, or # before a comment", s);
		return false;
	}
	if (name == 0) {
		COMPLAIN(g, line, "\"%.60s\" has no name before '='; write Name=value", s);
		return false;
	}
	return true;
}

static int line_done(struct guard *g, size_t start, uint32_t line)
{
	while (g->n_out > start && is_space(g->out[g->n_out - 1]))
		g->n_out--;

	size_t n = g->n_out - start;

	g->out[g->n_out] = '\0';
	if (n > MAX_JOINED)
		COMPLAIN(g, line, "line is longer than %u bytes; shorten it", MAX_JOINED);
	if (!n || n > MAX_JOINED || !is_welcome(g, g->out + start, n, line)) {
		g->n_out = start;
		return 0;
	}
	if (g->n_map == g->room) {
		size_t room = g->room ? g->room * 2 : 16;
		uint32_t *more = arena_more(g->arena, g->map, g->n_map * sizeof(*more), room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		g->map = more;
		g->room = room;
	}
	g->map[g->n_map++] = line;
	g->out[g->n_out++] = '\n';
	return 0;
}

/* Joins lines into g->out, which never needs more room than the file and a newline. */
static int join(struct guard *g, const char *data, size_t n)
{
	size_t start = 0;
	uint32_t line = 0, first = 0;
	bool open = false;

	for (size_t i = 0; i < n;) {
		const char *s = data + i;
		const char *end = memchr(s, '\n', n - i);
		size_t len = end ? (size_t)(end - s) : n - i;

		i += len + 1;
		line++;
		while (len && is_space(*s)) {
			s++;
			len--;
		}
		while (len && is_space(s[len - 1]))
			len--;
		if (len && (*s == '#' || *s == ';'))
			continue;
		if (!open) {
			start = g->n_out;
			first = line;
		}
		memcpy(g->out + g->n_out, s, len);
		g->n_out += len;
		open = is_continued(s, len);
		if (open) {
			g->out[g->n_out - 1] = ' ';
			continue;
		}
		int r = line_done(g, start, first);

		if (r < 0)
			return r;
	}
	return open ? line_done(g, start, first) : 0;
}

/* inih asks for room for a line at each file, and gives it back: from malloc it would be a page, mapped and unmapped each time. */
static char line_room[INI_INITIAL_ALLOC];
static bool line_taken;

void *ini_malloc(size_t size)
{
	if (line_taken || size > sizeof(line_room))
		return malloc(size);
	line_taken = true;
	return line_room;
}

void ini_free(void *at)
{
	if (at == line_room)
		line_taken = false;
	else
		free(at);
}

void *ini_realloc(void *at, size_t size)
{
	if (at != line_room)
		return realloc(at, size);

	void *more = malloc(size);

	if (more) {
		memcpy(more, at, size < sizeof(line_room) ? size : sizeof(line_room));
		ini_free(at);
	}
	return more;
}

/* inih's fgets: at most size - 1 bytes, up to and with the newline. */
static char *next_line(char *into, int size, void *stream)
{
	struct guard *g = stream;
	size_t left = g->n_out - g->read;

	if (size < 2 || !left)
		return NULL;

	size_t most = left < (size_t)size - 1 ? left : (size_t)size - 1;
	const char *from = g->out + g->read, *end = memchr(from, '\n', most);
	size_t n = end ? (size_t)(end - from) + 1 : most;

	memcpy(into, from, n);
	into[n] = '\0';
	g->read += n;
	return into;
}

static int hand_over(void *user, const char *section, const char *name, const char *value, int lineno)
{
	struct guard *g = user;

	g->take(g->self, section, name, value, g->map[lineno - 1]);
	return 1;
}

int lines_read(const char *data, size_t n, const char *file, struct findings *fs, struct arena *a, lines_taker *take, void *self)
{
	struct guard g = { .arena = a, .file = file, .fs = fs, .take = take, .self = self };

	if (n >= 3 && !memcmp(data, "\xef\xbb\xbf", 3)) {
		data += 3;
		n -= 3;
	}
	if (!is_text(&g, data, n))
		return 0;

	g.out = arena_get(a, n + 2);

	int r = g.out ? join(&g, data, n) : -ENOMEM;

	if (r == 0)
		r = ini_parse_stream(next_line, &g, hand_over, &g);
	return r == -2 || r == -ENOMEM ? -ENOMEM : 0;
}
