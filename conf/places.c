/* places.c - kinds of value that are mounts; pure. */
#include "conf/kinds.h"

#include <string.h>

/* Splits "a:b:c" in place into at most three parts; how many there are, 4 for too many. */
static size_t split(char *s, char *parts[3])
{
	size_t n = 0;

	for (;; s++) {
		if (n == 3)
			return 4;
		parts[n++] = s;
		s = strchr(s, ':');
		if (!s)
			return n;
		*s = '\0';
	}
}

static void keep_mount(struct reading *r, enum mount_kind kind, uint32_t flags, const char *source,
		       const char *target, const char *options)
{
	const uint32_t words[] = { (uint32_t)kind, flags, r->line, build_text(r->b, source, strlen(source)),
				   build_text(r->b, target, strlen(target)),
				   build_text(r->b, options, strlen(options)) };

	build_append(r->b, r->setting->at, build_words(r->b, words, 6));
}

static bool check_target(struct reading *r, const char *path)
{
	if (!check_path(r, path))
		return false;
	if (!path[strspn(path, "/")])
		return refuse(r, path, "is the root itself; mount below it, or use Image= or RootDirectory=");
	return true;
}

/* Takes the option that begins at *at off; a buffer of 64 bytes is enough for those we know. */
static bool next_option(const char **at, char into[64])
{
	struct text t = { .at = into, .size = 64 };
	size_t n = strcspn(*at, ",");

	if (!**at)
		return false;
	into[0] = '\0';
	text_bytes(&t, *at, n);
	*at += n + ((*at)[n] == ',');
	return true;
}

/* podman-run(1), --volume; those without a flag change nothing here. */
static const struct { const char *word; uint32_t set, drop; } volume_options[] = {
	{ "ro", MOUNT_RO, 0 }, { "rw", 0, MOUNT_RO }, { "noexec", MOUNT_NOEXEC, 0 }, { "exec", 0, MOUNT_NOEXEC },
	{ "U", MOUNT_CHOWN, 0 }, { "nocopy", MOUNT_NOCOPY, 0 }, { "copy", 0, MOUNT_NOCOPY },
	{ "rbind", MOUNT_RBIND, 0 }, { "bind", 0, MOUNT_RBIND },
	/* SELinux labels; propagation is private in a mount namespace of one's own */
	{ "z", 0, 0 }, { "Z", 0, 0 }, { "private", 0, 0 }, { "rprivate", 0, 0 },
};

/* "NAME:/target", "NAME.volume:/target", "/source:/target", with options behind. */
static bool read_volume(struct reading *r, const char *value)
{
	const char *done = resolve(r, value);
	char *copy = done ? arena_copy(r->arena, done, strlen(done)) : NULL, *parts[3], option[64];

	if (!copy)
		return false;

	size_t n = split(copy, parts);
	bool bind = *parts[0] == '/';
	uint32_t flags = bind ? MOUNT_RBIND : 0;

	if (n == 1)
		return refuse(r, value, "has no name; write NAME:/path for a volume, or /source:/path");
	if (n > 3)
		return refuse(r, value, "has too many colons; write SOURCE:/path or SOURCE:/path:ro");
	if (*parts[0] == '.' || *parts[0] == '-' || (!bind && (!*parts[0] || strchr(parts[0], '/') ||
							       strlen(parts[0]) > MAX_UNIT_NAME)))
		return refuse(r, value, "begins with neither the name of a volume nor an absolute path");
	if ((bind && !check_path(r, parts[0])) || !check_target(r, parts[1]))
		return false;
	for (const char *at = n == 3 ? parts[2] : ""; next_option(&at, option);) {
		size_t i = 0, most = sizeof(volume_options) / sizeof(*volume_options);

		while (i < most && strcmp(option, volume_options[i].word) != 0)
			i++;
		if (i == most)
			return refuse(r, value,
				      "has the option %s, which is not supported; we take ro, rw, exec, noexec, U, copy, nocopy, bind, rbind",
				      option);
		flags = (flags | volume_options[i].set) & ~volume_options[i].drop;
	}

	size_t len = strlen(parts[0]);

	if (!bind && len > 7 && !strcmp(parts[0] + len - 7, ".volume"))
		parts[0][len - 7] = '\0';
	keep_mount(r, bind ? MOUNT_BIND : MOUNT_VOLUME, flags, parts[0], parts[1], "");
	return true;
}

/* "/path" or "/path:options" of mount(8) for tmpfs; ro and noexec become flags. */
static bool keep_tmpfs(struct reading *r, const char *value, const char *implied)
{
	char *copy = arena_copy(r->arena, value, strlen(value)), option[64];
	struct text options = { .size = strlen(value) + strlen(implied) + 2 };
	uint32_t flags = 0;

	options.at = arena_get(r->arena, options.size);
	if (!copy || !options.at)
		return false;

	char *colon = strchr(copy, ':');

	if (colon)
		*colon = '\0';
	if (!check_target(r, copy))
		return false;
	if (*implied && !(colon && strstr(colon + 1, "mode=")))
		text_put(&options, implied);
	for (const char *at = colon ? colon + 1 : ""; next_option(&at, option);) {
		if (!strcmp(option, "ro"))
			flags |= MOUNT_RO;
		else if (!strcmp(option, "noexec"))
			flags |= MOUNT_NOEXEC;
		else if (*option && strcmp(option, "rw") != 0 && strcmp(option, "exec") != 0) {
			text_put(&options, options.len ? "," : "");
			text_put(&options, option);
		}
	}
	keep_mount(r, MOUNT_TMPFS, flags, "", copy, options.at);
	return true;
}

static bool read_tmpfs(struct reading *r, const char *value)
{
	const char *done = resolve(r, value);

	return done && keep_tmpfs(r, done, "");
}

/* systemd.exec(5): several in one line. */
static bool read_temporary(struct reading *r, const char *value)
{
	struct text word = word_buffer(r, value);
	const char *at = value, *done;
	int more;

	if (!word.at)
		return false;
	while ((more = next_word(r, &at, &word, value)) > 0) {
		done = resolve(r, word.at);
		if (!done || !keep_tmpfs(r, done, "mode=0755"))
			return false;
	}
	return more == 0;
}

/* systemd.exec(5): "-/source:/target:norbind", the target is the source where it is left out; min: MOUNT_RO or 0. */
static bool keep_bind(struct reading *r, const char *value)
{
	uint32_t flags = (uint32_t)r->setting->min | MOUNT_RBIND;
	char *copy, *parts[3];

	if (*value == '-') {
		flags |= MOUNT_OPTIONAL;
		value++;
	}
	copy = arena_copy(r->arena, value, strlen(value));
	if (!copy)
		return false;

	size_t n = split(copy, parts);

	if (n > 3)
		return refuse(r, value,
			      "has too many colons; write /source:/target or /source:/target:norbind");
	if (n == 3 && !strcmp(parts[2], "norbind"))
		flags &= ~(uint32_t)MOUNT_RBIND;
	else if (n == 3 && strcmp(parts[2], "rbind") != 0 && *parts[2])
		return refuse(r, value, "ends in neither rbind nor norbind");

	const char *target = n > 1 && *parts[1] ? parts[1] : parts[0];

	if (!check_path(r, parts[0]) || !check_target(r, target))
		return false;
	keep_mount(r, MOUNT_BIND, flags, parts[0], target, "");
	return true;
}

static bool read_binds(struct reading *r, const char *value)
{
	struct text word = word_buffer(r, value);
	const char *at = value, *done;
	int more;

	if (!word.at)
		return false;
	while ((more = next_word(r, &at, &word, value)) > 0) {
		done = resolve(r, word.at);
		if (!done || !keep_bind(r, done))
			return false;
	}
	return more == 0;
}

const struct kind kind_volume = { "volume", "NAME:/path[:options], or /source:/path[:options]", read_volume,
				 NULL };
const struct kind kind_tmpfs = { "tmpfs", "/path[:options]", read_tmpfs, NULL };
const struct kind kind_temporary = { "tmpfs", "/path[:options] ...", read_temporary, NULL };
const struct kind kind_binds = { "bind", "[-]/source[:/target[:rbind|norbind]] ...", read_binds, NULL };
