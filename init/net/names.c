/* names.c - one whitelist of characters, and labels read with bounds; pure. */
#include "init/net/names.h"

#include <string.h>

#include "init/net/bytes.h"

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool name_ok(const char *s)
{
	size_t label = 0, n = 0;

	for (; s[n]; n++) {
		if (n >= 253)
			return false;
		if (s[n] == '.') {
			if (!label)
				return false;
			label = 0;
		} else if (!is_name_char(s[n]) || (s[n] == '-' && !label) || ++label > 63) {
			return false;
		}
	}
	return label > 0;
}

bool names_ok(const char *s)
{
	char one[NAME_SIZE];

	for (;;) {
		size_t n = strcspn(s, " ");

		if (n >= sizeof(one))
			return false;
		memcpy(one, s, n);
		one[n] = '\0';
		if (!name_ok(one))
			return false;
		if (!s[n])
			return true;
		s += n + 1;
	}
}

void name_take(const uint8_t *at, size_t n, char *into, size_t size)
{
	while (n && !at[n - 1])
		n--;
	if (n && at[n - 1] == '.')
		n--;
	into[0] = '\0';
	if (!n || n >= size || memchr(at, '\0', n))
		return;
	memcpy(into, at, n);
	into[n] = '\0';
	if (!name_ok(into))
		memset(into, 0, size); /* nothing of it may come to light again */
}

/* A pointer must lead to before the place where the name, or the part that led there, begins: so there is an end to it. */
bool name_take_labels(const uint8_t *all, size_t n, size_t *at, char *into, size_t size)
{
	size_t i = *at, have = 0, lowest = *at;
	bool jumped = false, fits = true;

	for (;;) {
		if (i >= n)
			return false;
		uint8_t length = all[i];
		if ((length & 0xc0) == 0xc0) {
			if (n - i < 2)
				return false;
			size_t to = (size_t)(get16(all + i) & 0x3fff);
			if (!jumped)
				*at = i + 2;
			jumped = true;
			if (to >= lowest)
				return false;
			lowest = i = to;
			continue;
		}
		if (length & 0xc0)
			return false;
		if (!length)
			break;
		if (n - i - 1 < length)
			return false;
		/* Goes on even where it cannot fit, for the sake of *at. */
		fits = fits && have + length + 2 <= size && !memchr(all + i + 1, '\0', length) && !memchr(all + i + 1, '.', length);
		if (fits) {
			if (have)
				into[have++] = '.';
			memcpy(into + have, all + i + 1, length);
			have += length;
		}
		i += 1u + length;
	}
	if (!jumped)
		*at = i + 1;
	into[fits ? have : 0] = '\0';
	if (!name_ok(into))
		into[0] = '\0';
	return true;
}

void names_take(const uint8_t *at, size_t n, char *into, size_t size)
{
	char name[NAME_SIZE];
	size_t have = 0;

	into[0] = '\0';
	for (size_t i = 0; i < n;) {
		if (!name_take_labels(at, n, &i, name, sizeof(name))) {
			into[0] = '\0';
			return;
		}
		size_t length = strlen(name);
		if (!length || have + length + 2 > size)
			continue;
		if (have)
			into[have++] = ' ';
		memcpy(into + have, name, length + 1);
		have += length;
	}
}
