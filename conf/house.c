/* house.c - kinds of value that only coppice.conf has; pure. */
#include "conf/kinds.h"

#include <arpa/inet.h>
#include <signal.h>
#include <string.h>

#include "conf/values.h"

static bool keep_line(struct reading *r, const char *text)
{
	build_append(r->b, r->setting->at, build_text(r->b, text, strlen(text)));
	return true;
}

/* One entry per line, kept as written; max: 0 "path[:options]", 1 "what:where:type[:options]". */
static bool read_lines(struct reading *r, const char *value)
{
	const char *done = resolve(r, value);
	char *copy = done ? arena_copy(r->arena, done, strlen(done)) : NULL;

	if (!copy)
		return false;
	if (r->setting->max) {
		char *where = strchr(copy, ':'), *type = where ? strchr(where + 1, ':') : NULL;

		if (!type || !type[1] || type[1] == ':' || where == copy)
			return refuse(r, value,
				      "is no mount; write what:where:type or what:where:type:options");
		*type = '\0';
		return check_path(r, where + 1) && keep_line(r, done);
	}
	copy[strcspn(copy, ":")] = '\0';
	return check_path(r, copy) && keep_line(r, done);
}

/* sysctl(8): the name of the setting is the key. */
static bool read_sysctl(struct reading *r, const char *value)
{
	static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/@-";
	struct text t = { .size = strlen(r->name) + strlen(value) + 2 };

	if (strspn(r->name, good) != strlen(r->name) || strstr(r->name, "..") || *r->name == '.' ||
	    *r->name == '/' || !strpbrk(r->name, "./"))
		return refuse(r, r->name,
			      "is no name of a kernel parameter; write it as sysctl(8) does: net.ipv4.ip_forward");
	t.at = arena_get(r->arena, t.size);
	if (!t.at)
		return false;
	text_put(&t, r->name);
	text_char(&t, '=');
	text_put(&t, value);
	return keep_line(r, t.at);
}

/* "OnSIGHUP=reload": the words follow enum wish, from WISH_EXIT on. */
static bool read_on_signal(struct reading *r, const char *value)
{
	int sig = signal_of(r->name + strlen("On"));
	uint8_t *wishes = FIELD(r, uint8_t);
	struct setting as_word = { .words = r->setting->words };
	struct reading word = *r;
	uint8_t wish = 0;

	if (!sig)
		return refuse(r, r->name, "names no signal; write OnSIGTERM=, OnSIGRTMIN+3= ...");
	if (sig == SIGKILL || sig == SIGSTOP || sig == SIGCHLD)
		return refuse(r, r->name, "cannot be set: %s", sig == SIGCHLD ?
			      "it says that a child ended" : "the kernel lets nobody catch it");
	word.into = &wish;
	word.setting = &as_word;
	if (!kind_word.read(&word, value)) {
		r->why = word.why;
		return false;
	}
	wishes[sig] = (uint8_t)(wish + WISH_EXIT);
	return true;
}

static bool keep_pair(struct reading *r, const char *value)
{
	struct text t = { .size = strlen(r->setting->name) + strlen(value) + 2 };

	t.at = arena_get(r->arena, t.size);
	if (!t.at)
		return false;
	text_put(&t, r->setting->name);
	text_char(&t, '=');
	text_put(&t, value);
	return keep_line(r, t.at);
}

/* IPv4, as a network (with "/24") or a plain address; "" is none. */
static bool is_ipv4(const char *s, bool network)
{
	char bare[INET_ADDRSTRLEN];
	struct text t = TEXT(bare);
	unsigned char binary[4];
	size_t n = strcspn(s, "/");
	int64_t bits;

	text_bytes(&t, s, n);
	if (t.cut || !n || inet_pton(AF_INET, bare, binary) != 1)
		return false;
	return network ? s[n] && number_of(s + n + 1, &bits) && bits >= 0 && bits <= 32 : !s[n];
}

/* What a [Network] section holds is kept as "Key=value" and read again by the network's helper; max: what it must be. */
static bool read_network(struct reading *r, const char *value)
{
	enum { INTERFACE, WORDS, NETWORK, ADDRESS, ADDRESSES, DOMAINS } what = (int)r->setting->max;
	struct text word;
	const char *at = value;
	uint8_t unused = 0;
	int more;

	switch (what) {
	case INTERFACE:
		/* IFNAMSIZ counts a NUL. */
		if (strlen(value) > 15 || strpbrk(value, "/ \t") || !strcmp(value, ".") || !strcmp(value, ".."))
			return refuse(r, value, "is no name of an interface; write eth0, for instance");
		break;
	case WORDS: {
		struct setting as_word = { .words = r->setting->words };
		struct reading inner = *r;

		inner.into = &unused;
		inner.setting = &as_word;
		if (!kind_word.read(&inner, value)) {
			r->why = inner.why;
			return false;
		}
		break;
	}
	case NETWORK:
		if (!is_ipv4(value, true))
			return refuse(r, value, "is no address with its network's size; write 192.0.2.10/24");
		break;
	case ADDRESS:
		if (!is_ipv4(value, false))
			return refuse(r, value, "is no IPv4 address; write 192.0.2.1");
		break;
	case ADDRESSES:
	case DOMAINS:
		word = word_buffer(r, value);
		if (!word.at)
			return false;
		while ((more = next_word(r, &at, &word, value)) > 0) {
			unsigned char binary[16];

			if (what == ADDRESSES && inet_pton(AF_INET, word.at, binary) != 1 &&
			    inet_pton(AF_INET6, word.at, binary) != 1)
				return refuse(r, word.at, "is no address; write 192.0.2.1 or 2001:db8::1");
			if (what == DOMAINS && (strlen(word.at) > 253 || strpbrk(word.at, "/\"' \t")))
				return refuse(r, word.at, "is no domain");
		}
		if (more < 0)
			return false;
		break;
	}
	return keep_pair(r, value);
}

static bool read_net_bool(struct reading *r, const char *value)
{
	bool yes;

	if (!bool_of(value, &yes))
		return refuse(r, value, "is neither yes nor no");
	return keep_pair(r, yes ? "yes" : "no");
}

static bool read_net_span(struct reading *r, const char *value)
{
	char words[80];
	struct text t = TEXT(words);
	msec_t span;

	if (!span_of(value, 1000, &span))
		return refuse(r, value,
			      "is no time span we know; write a number and ms, s, min, h or d, or infinity");
	text_span(&t, span);
	return keep_pair(r, words);
}

static bool read_net_number(struct reading *r, const char *value)
{
	int64_t n;

	if (!number_of(value, &n) || n < r->setting->min || n > r->setting->max)
		return refuse(r, value, "is no number we can use; write %lld to %lld",
			      (long long)r->setting->min, (long long)r->setting->max);
	return keep_pair(r, value);
}

/* 0 stands for auto, conf/unit.h. */
static bool read_house_timeout(struct reading *r, const char *value)
{
	msec_t *at = FIELD(r, msec_t);

	if (!strcmp(value, "auto")) {
		*at = 0;
		return true;
	}
	return kind_timeout.read(r, value);
}

static void print_house_timeout(struct text *out, const struct table *t, const void *base,
				const struct setting *s)
{
	if (*(const msec_t *)(const void *)((const char *)base + s->at))
		kind_timeout.print(out, t, base, s);
	else
		text_put(out, "auto");
}

/* A path, "-" before it where it may be missing; "-" alone is none. */
static bool read_optional_path(struct reading *r, const char *value)
{
	const char *done = resolve(r, value);

	if (!done || (strcmp(done, "-") != 0 && !check_path(r, done + (*done == '-'))))
		return false;
	if (!strcmp(done, "-"))
		done = "";
	*FIELD(r, text_at) = build_text(r->b, done, strlen(done));
	return true;
}

const struct kind kind_house_timeout = { "timeout", "time span, or auto", read_house_timeout,
					print_house_timeout };
const struct kind kind_optional_path = { "path", "absolute path, - before it: may be missing",
					read_optional_path, NULL };
const struct kind kind_lines = { "line", "/path[:options], or what:where:type[:options]", read_lines, NULL };
const struct kind kind_sysctl = { "sysctl", "text", read_sysctl, NULL };
const struct kind kind_on_signal = { "wish", "one of the words", read_on_signal, NULL };
const struct kind kind_network = { "network", "text", read_network, NULL };
const struct kind kind_net_bool = { "bool", "yes or no", read_net_bool, NULL };
const struct kind kind_net_span = { "span", "time span", read_net_span, NULL };
const struct kind kind_net_number = { "number", "number", read_net_number, NULL };
