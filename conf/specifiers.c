/* specifiers.c - %n, %i and the like, replaced while a unit is read; pure. */
#include "conf/kinds.h"

#include <string.h>

/* What a short text may grow to: names are at most 255 bytes, and nobody has sixteen of them in a value. */
#define MAX_RESOLVED (64u << 10)

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* systemd.unit(5), "String Escaping for Inclusion in Unit Names", undone. */
static void put_unescaped(struct text *t, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int high = -1, low = -1;

		if (i + 3 < n && s[i] == '\\' && s[i + 1] == 'x') {
			high = hex_digit(s[i + 2]);
			low = hex_digit(s[i + 3]);
		}
		if (high >= 0 && low >= 0 && (high || low)) {
			text_char(t, (char)(high << 4 | low));
			i += 3;
		} else {
			text_bytes(t, s[i] == '-' ? "/" : s + i, 1);
		}
	}
}

static const char *last_part(const char *s)
{
	const char *dash = strrchr(s, '-');

	return dash ? dash + 1 : s;
}

static const char *host_says(const struct specifiers *s, char what)
{
	return s->host && s->host->says ? s->host->says(s->host->self, what) : NULL;
}

/* False where `c` stands for nothing, or for something that is not known here. */
static bool put_one(struct text *t, const struct specifiers *s, char c)
{
	const char *plain = NULL, *escaped = NULL, *slash;
	size_t n;

	switch (c) {
	case '%': plain = "%"; break;
	case 'n': plain = s->full; break;
	case 'N': plain = s->plain; break;
	case 'p': plain = s->prefix; break;
	case 'P': escaped = s->prefix; break;
	case 'i': plain = s->instance; break;
	case 'I': escaped = s->instance; break;
	case 'j': plain = s->prefix ? last_part(s->prefix) : NULL; break;
	case 'J': escaped = s->prefix ? last_part(s->prefix) : NULL; break;
	case 'f':
		escaped = s->instance && *s->instance ? s->instance : s->prefix;
		if (escaped)
			text_char(t, '/');
		break;
	case 'y': plain = s->file; break;
	case 'Y':
		slash = s->file ? strrchr(s->file, '/') : NULL;
		n = slash ? (size_t)(slash - s->file) : 0;
		text_bytes(t, n ? s->file : slash ? "/" : ".", n ? n : 1);
		return true;
	case 'l':
		plain = host_says(s, 'H');
		text_bytes(t, plain ? plain : "", plain ? strcspn(plain, ".") : 0);
		return plain != NULL;
	case 'H': case 'm': case 'b': case 'v':
		plain = host_says(s, c);
		break;
	/* systemd.unit(5), for the system's manager */
	case 't': plain = "/run"; break;
	case 'S': plain = "/var/lib"; break;
	case 'C': plain = "/var/cache"; break;
	case 'L': plain = "/var/log"; break;
	case 'E': plain = "/etc"; break;
	case 'T': plain = "/tmp"; break;
	case 'V': plain = "/var/tmp"; break;
	case 'u': plain = "root"; break;
	case 'U': plain = "0"; break;
	case 'h': plain = "/root"; break;
	default: break;
	}
	if (escaped)
		put_unescaped(t, escaped, strlen(escaped));
	else if (plain)
		text_put(t, plain);
	return plain || escaped;
}

const char *resolve(struct reading *r, const char *value)
{
	const char *percent = strchr(value, '%');
	size_t n = 0;

	if (!percent)
		return value;
	for (const char *s = value; *s; s++)
		n += *s == '%';

	size_t room = strlen(value) + n * (MAX_UNIT_NAME + 8) + 1;
	struct text t = { .size = room < MAX_RESOLVED ? room : MAX_RESOLVED };

	if (t.size < strlen(value) + 1)
		t.size = strlen(value) + 1;
	t.at = arena_get(r->arena, t.size);
	if (!t.at) {
		text_put(&r->why, "out of memory");
		return NULL;
	}
	for (const char *s = value; *s; s++) {
		if (*s != '%') {
			text_char(&t, *s);
		} else if (!put_one(&t, r->specifiers, s[1])) {
			if (s[1])
				refuse(r, value,
				       "holds %%%c, which stands for nothing here; write %%%% for a percent sign", s[1]);
			else
				refuse(r, value, "ends in a single percent sign; write %%%%");
			return NULL;
		} else {
			s++;
		}
	}
	if (t.cut) {
		refuse(r, value, "grows too long with its %% replaced; shorten it");
		return NULL;
	}
	return t.at;
}
