/* sets.c - kinds of value that are sets: units, exit statuses, capabilities, limits; pure. */
#include "conf/kinds.h"

#include <string.h>
#include <strings.h>
#include <sys/capability.h>
#include <sys/resource.h>

#include "conf/values.h"

bool is_unit_name(const char *s)
{
	static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:-_.\\@";
	size_t n = strlen(s);

	return n && n <= MAX_UNIT_NAME && strspn(s, good) == n && *s != '.' && *s != '@' && *s != '-';
}

const char *unit_name(struct reading *r, const char *name)
{
	static const char *const ends[] = { ".service", ".container" };
	const char *done = resolve(r, name);

	if (!done)
		return NULL;

	size_t n = strlen(done);

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		size_t k = strlen(ends[i]);

		if (n > k && !strcmp(done + n - k, ends[i])) {
			n -= k;
			break;
		}
	}

	char *out = arena_copy(r->arena, done, n);

	if (out && !is_unit_name(out)) {
		refuse(r, done, "is no name of a unit; use letters, digits and :-_.\\@, %u at most",
		       MAX_UNIT_NAME);
		return NULL;
	}
	if (out && out[n - 1] == '@') {
		refuse(r, done, "is a template; name an instance of it: %.200sNAME", out);
		return NULL;
	}
	return out;
}

/* Names of units; min: what they are mentioned for. */
static bool read_units(struct reading *r, const char *value)
{
	struct text word = word_buffer(r, value);
	const char *at = value;
	int more;

	if (!word.at)
		return false;
	while ((more = next_word(r, &at, &word, value)) > 0) {
		const char *name = unit_name(r, word.at);

		if (!name || !r->refer(r, name, (uint32_t)r->setting->min))
			return false;
	}
	return more == 0;
}

/* Exit codes by number or name, and signals; the set is ten words (conf/unit.h). */
static bool read_status(struct reading *r, const char *value)
{
	struct text word = word_buffer(r, value);
	const char *at = value;
	size_t field = r->setting->at;
	int more;

	if (!word.at)
		return false;
	while (r->b->lists[field / 4].n < STATUS_WORDS && !r->b->failed)
		build_append(r->b, field, 0);
	while ((more = next_word(r, &at, &word, value)) > 0 && !r->b->failed) {
		int code = exit_code_of(word.at), sig = code < 0 ? signal_of(word.at) : 0;

		if (code < 0 && !sig)
			return refuse(r, word.at,
				      "is no exit status; write 0 to 255, a name such as TEMPFAIL, or a signal such as SIGTERM");

		uint32_t bit = code < 0 ? (uint32_t)sig - 1 : (uint32_t)code;

		*build_nth(r->b, field, (code < 0 ? 8u : 0u) + bit / 32) |= 1u << bit % 32;
	}
	return more == 0;
}

#define ALL_CAPS ((1ull << (CAP_LAST_CAP + 1)) - 1)

/* "CAP_CHOWN", "cap_chown" or Podman's "CHOWN". */
static bool add_capability(const char *word, uint64_t *set)
{
	char name[64];
	struct text t = TEXT(name);
	cap_value_t value;

	if (strncmp(word, "cap_", 4) != 0 && strncmp(word, "CAP_", 4) != 0)
		text_put(&t, "CAP_");
	text_put(&t, word);
	if (t.cut || (*word >= '0' && *word <= '9') || cap_from_name(name, &value) < 0 || value < 0 ||
	    value > CAP_LAST_CAP)
		return false;
	*set |= 1ull << value;
	return true;
}

static bool take_capabilities(struct reading *r, const char *value, bool podman, uint64_t *ret)
{
	struct text word = word_buffer(r, value);
	const char *at = value;
	int more;

	*ret = 0;
	if (!word.at)
		return false;
	while ((more = next_word(r, &at, &word, value)) > 0) {
		if (podman && (!strcmp(word.at, "all") || !strcmp(word.at, "ALL")))
			*ret |= ALL_CAPS & ~CAPS_NEVER_IMPLIED;
		else if (!add_capability(word.at, ret))
			return refuse(r, word.at,
				      "is no capability; write names of capabilities(7), such as CAP_NET_BIND_SERVICE");
	}
	return more == 0;
}

/*
 * systemd.exec(5): the first list replaces, the next are added, "~" takes away from
 * all there are, or from what there is already; "~" alone is all, "" is none.
 */
static bool read_capabilities(struct reading *r, const char *value, uint32_t said)
{
	uint64_t *set = FIELD(r, uint64_t), sum;
	bool invert = *value == '~', first = !(*r->caps_said & said);

	if (!take_capabilities(r, value + invert, false, &sum))
		return false;
	*r->caps_said |= said;
	if (first || !sum)
		*set = invert ? ALL_CAPS & ~CAPS_NEVER_IMPLIED & ~sum : sum;
	else if (invert)
		*set &= ~sum;
	else
		*set |= sum;
	return true;
}

static bool read_bounding(struct reading *r, const char *value)
{
	return read_capabilities(r, value, 1);
}

static bool read_ambient(struct reading *r, const char *value)
{
	return read_capabilities(r, value, 2);
}

/* Podman adds after it has dropped, in whatever order they are written. */
static bool read_cap_add(struct reading *r, const char *value)
{
	uint64_t sum;

	if (!take_capabilities(r, value, true, &sum))
		return false;
	*r->caps_added |= sum;
	return true;
}

static bool read_cap_drop(struct reading *r, const char *value)
{
	uint64_t sum;

	if (!take_capabilities(r, value, true, &sum))
		return false;
	*FIELD(r, uint64_t) &= strcasestr(value, "all") ? 0 : ~sum;
	return true;
}

static void print_capabilities(struct text *out, const struct table *t, const void *base,
			       const struct setting *s)
{
	uint64_t set = *(const uint64_t *)(const void *)((const char *)base + s->at);
	bool first = true;

	(void)t;
	for (cap_value_t c = 0; c <= CAP_LAST_CAP; c++) {
		if (!(set >> c & 1))
			continue;

		char *name = cap_to_name(c);

		if (!name)
			continue;
		if (!first)
			text_char(out, ' ');
		first = false;
		for (char *p = name; *p; p++)
			if (*p >= 'a' && *p <= 'z')
				*p -= 'a' - 'A';
		text_put(out, name);
		cap_free(name);
	}
}

/* getrlimit(2), systemd.exec(5) "Process Properties"; what the number counts decides how it is spelt. */
enum limit_unit { COUNTS, BYTES, SECONDS, MICROSECONDS, NICE };
static const struct { const char *name; uint32_t resource; enum limit_unit unit; } limits[] = {
	{ "CPU", RLIMIT_CPU, SECONDS },        { "FSIZE", RLIMIT_FSIZE, BYTES },
	{ "DATA", RLIMIT_DATA, BYTES },        { "STACK", RLIMIT_STACK, BYTES },
	{ "CORE", RLIMIT_CORE, BYTES },        { "RSS", RLIMIT_RSS, BYTES },
	{ "NOFILE", RLIMIT_NOFILE, COUNTS },   { "AS", RLIMIT_AS, BYTES },
	{ "NPROC", RLIMIT_NPROC, COUNTS },     { "MEMLOCK", RLIMIT_MEMLOCK, BYTES },
	{ "LOCKS", RLIMIT_LOCKS, COUNTS },     { "SIGPENDING", RLIMIT_SIGPENDING, COUNTS },
	{ "MSGQUEUE", RLIMIT_MSGQUEUE, BYTES }, { "NICE", RLIMIT_NICE, NICE },
	{ "RTPRIO", RLIMIT_RTPRIO, COUNTS },   { "RTTIME", RLIMIT_RTTIME, MICROSECONDS },
};
#define N_LIMITS (sizeof(limits) / sizeof(*limits))

static bool take_limit(const char *s, enum limit_unit unit, uint64_t *ret)
{
	msec_t span;
	int64_t n;

	*ret = UINT64_MAX;
	if (!strcmp(s, "infinity"))
		return true;
	switch (unit) {
	case COUNTS:
		if (!number_of(s, &n) || n < 0)
			return false;
		*ret = (uint64_t)n;
		return true;
	case BYTES:
		return size_of(s, ret);
	case SECONDS:
		if (!span_of(s, 1000, &span))
			return false;
		*ret = (uint64_t)(span / 1000 + (span % 1000 != 0));
		return true;
	case MICROSECONDS:
		/* A bare number counts microseconds. */
		if (number_of(s, &n)) {
			*ret = (uint64_t)n;
			return n >= 0;
		}
		if (!span_of(s, 1000, &span) || span > INT64_MAX / 1000)
			return false;
		*ret = (uint64_t)span * 1000;
		return true;
	case NICE:
		/* With a sign it is a nice level, without it the raw number: 20 - nice, setrlimit(2). */
		if (!number_of(s, &n) || (*s == '+' || *s == '-' ? n < -20 || n > 19 : n < 0 || n > 40))
			return false;
		*ret = (uint64_t)(*s == '+' || *s == '-' ? 20 - n : n);
		return true;
	}
	return false;
}

static bool keep_limit(struct reading *r, const char *value, const char *spec, size_t which)
{
	char soft[64], hard[64];
	struct text a = TEXT(soft), b = TEXT(hard);
	size_t n = strcspn(spec, ":");
	uint64_t from, to;

	text_bytes(&a, spec, n);
	text_put(&b, spec[n] ? spec + n + 1 : soft);
	if (a.cut || b.cut || !take_limit(soft, limits[which].unit, &from) ||
	    !take_limit(hard, limits[which].unit, &to))
		return refuse(r, value, "is no limit; write a number%s, SOFT:HARD, or infinity",
			      limits[which].unit == BYTES ? " with K, M or G" :
			      limits[which].unit == SECONDS || limits[which].unit == MICROSECONDS ? " or a time span" : "");
	if (from > to)
		return refuse(r, value,
			      "has a soft limit above the hard one; write SOFT:HARD with SOFT not above HARD");

	const uint32_t words[] = { limits[which].resource, (uint32_t)from, (uint32_t)(from >> 32),
				  (uint32_t)to, (uint32_t)(to >> 32) };

	build_append(r->b, r->setting->at, build_words(r->b, words, 5));
	return true;
}

/* LimitNOFILE= and its like: the name is the setting's, behind "Limit". */
static bool read_limit(struct reading *r, const char *value)
{
	for (size_t i = 0; i < N_LIMITS; i++)
		if (!strcmp(limits[i].name, r->setting->name + strlen("Limit")))
			return keep_limit(r, value, value, i);
	return false;
}

/* Podman's "nofile=1024:2048". */
static bool read_ulimit(struct reading *r, const char *value)
{
	size_t n = strcspn(value, "=");

	for (size_t i = 0; value[n] && i < N_LIMITS; i++)
		if (strlen(limits[i].name) == n && !strncasecmp(limits[i].name, value, n))
			return keep_limit(r, value, value + n + 1, i);
	return refuse(r, value,
		      "is no limit we know; write nofile=1024:2048, or use LimitNOFILE= and its like");
}

const struct kind kind_units = { "units", "names of units", read_units, NULL };
const struct kind kind_status = { "status", "exit codes, their names, and signals", read_status, NULL };
const struct kind kind_bounding = { "caps", "capabilities, ~ before them: all but these", read_bounding,
				   print_capabilities };
const struct kind kind_ambient = { "caps", "capabilities, ~ before them: all but these", read_ambient,
				  print_capabilities };
const struct kind kind_cap_add = { "caps", "capabilities, or all", read_cap_add, NULL };
const struct kind kind_cap_drop = { "caps", "capabilities, or all", read_cap_drop, NULL };
const struct kind kind_limit = { "limit", "SOFT:HARD, or one value for both, or infinity", read_limit, NULL };
const struct kind kind_ulimit = { "limit", "name=SOFT:HARD", read_ulimit, NULL };
