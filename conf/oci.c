/* oci.c - what an image says of itself, from whichever JSON says it; pure. */
#include "conf/oci.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

/* Forms of the file, in the order in which they are looked for; the words that each has for what we take. */
enum form { FORM_RUNTIME, FORM_CONFIG, FORM_SMALL, N_FORMS };
static const char *const keys[N_FORMS][N_OCI_KEYS] = {
	[FORM_RUNTIME] = { "process.env", "process.args", "process.args", "process.cwd", "process.user",
			   "org.opencontainers.image.stopSignal", "mounts", "", "" },
	[FORM_CONFIG] = { "Env", "Entrypoint", "Cmd", "WorkingDir", "User", "StopSignal", "Volumes", "Healthcheck", "Shell" },
	[FORM_SMALL] = { "env", "entrypoint", "cmd", "workdir", "user", "stopSignal", "volumes", "healthcheck", "shell" },
};

const char *const *const oci_no_keys = keys[FORM_CONFIG];

struct reader {
	struct arena *arena;
	struct findings *findings;
	struct oci *oci;
	bool bad;
};

#define COMPLAIN(r, ...) do { \
	(r)->bad = true; \
	finding_add((r)->findings, SAY_ERROR, (r)->oci->file, 0, __VA_ARGS__); \
} while (0)

static const char *kind_of(const json_t *v)
{
	static const char *const words[] = { [JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array", [JSON_STRING] = "a text",
					     [JSON_INTEGER] = "a number", [JSON_REAL] = "a number with a fraction",
					     [JSON_TRUE] = "true", [JSON_FALSE] = "false", [JSON_NULL] = "null" };

	return words[json_typeof(v)];
}

/* Is it there, and of that type? What is null is not there; what is of another type is a finding. */
static bool is_a(struct reader *r, const json_t *v, json_type type, const char *key, const char *remedy)
{
	if (!v || json_is_null(v))
		return false;
	if (json_typeof(v) == type)
		return true;
	COMPLAIN(r, "%s: is %s; %s", key, kind_of(v), remedy);
	return false;
}

static void take_text(struct reader *r, const json_t *v, const char *key, const char **ret)
{
	if (is_a(r, v, JSON_STRING, key, "write a text") && json_string_length(v))
		*ret = arena_copy(r->arena, json_string_value(v), json_string_length(v));
}

/* An array of texts. */
static void take_words(struct reader *r, const json_t *v, const char *key, struct oci_words *ret)
{
	const char **at;
	const json_t *item;
	size_t i, n;

	if (!is_a(r, v, JSON_ARRAY, key, "write an array of texts, such as [\"/bin/app\", \"-v\"]"))
		return;
	n = json_array_size(v);
	if (n > MAX_OCI_WORDS) {
		COMPLAIN(r, "%s: has %zu items; %u are the most", key, n, MAX_OCI_WORDS);
		return;
	}
	at = arena_get(r->arena, (n + 1) * sizeof(*at));
	if (!at)
		return;
	json_array_foreach(v, i, item) {
		if (!json_is_string(item)) {
			COMPLAIN(r, "%s: item %zu is %s; write a text", key, i + 1, kind_of(item));
			return;
		}
		at[i] = arena_copy(r->arena, json_string_value(item), json_string_length(item));
	}
	*ret = (struct oci_words){ .at = at, .n = (uint32_t)n, .said = true };
}

static bool same_name(const char *a, const char *b)
{
	size_t n = strcspn(a, "=");

	return !strncmp(a, b, n) && b[n] == '=';
}

/* Of a name that is there twice the last one counts. */
static uint32_t each_once(const char **at, uint32_t n)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = i + 1;

		while (k < n && !same_name(at[i], at[k]))
			k++;
		if (k == n)
			at[kept++] = at[i];
	}
	return kept;
}

/* Variables; one without "=" is told. Docker takes any name, and so do we. */
static void take_env(struct reader *r, const json_t *v, const char *key)
{
	take_words(r, v, key, &r->oci->env);
	if (!r->arena->dry)
		r->oci->env.n = each_once((const char **)(uintptr_t)r->oci->env.at, r->oci->env.n);
	for (uint32_t i = 0; i < r->oci->env.n && !r->arena->dry; i++) {
		const char *s = r->oci->env.at[i];
		char shown[128] = "";
		struct text t = TEXT(shown);

		if (*s && *s != '=' && strchr(s, '='))
			continue;
		text_shown(&t, s, strlen(s), 40);
		COMPLAIN(r, "%s: \"%s\" is not NAME=value; write it so, or leave it out", key, shown);
	}
}

/* {"/data": {}, ...}: the names are the paths. */
static void take_names(struct reader *r, json_t *v, const char *key, struct oci_words *ret)
{
	const char **at, *name;
	json_t *unused;
	uint32_t n = 0;

	if (!is_a(r, v, JSON_OBJECT, key, "write an object, such as {\"/data\": {}}"))
		return;
	if (json_object_size(v) > MAX_OCI_WORDS) {
		COMPLAIN(r, "%s: has %zu items; %u are the most", key, json_object_size(v), MAX_OCI_WORDS);
		return;
	}
	at = arena_get(r->arena, (json_object_size(v) + 1) * sizeof(*at));
	if (!at)
		return;
	json_object_foreach(v, name, unused) {
		(void)unused;
		at[n++] = arena_copy(r->arena, name, strlen(name));
	}
	*ret = (struct oci_words){ .at = at, .n = n, .said = true };
}

/* Nanoseconds; 0 is "not said". What is less than a millisecond is one. */
static void take_span(struct reader *r, const json_t *check, const char *name, msec_t *ret)
{
	const json_t *v = json_object_get(check, name);
	char key[64];
	struct text t = TEXT(key);

	text_put(&t, "Healthcheck.");
	text_put(&t, name);
	if (!is_a(r, v, JSON_INTEGER, key, "write nanoseconds, as a whole number"))
		return;
	if (json_integer_value(v) < 0)
		COMPLAIN(r, "%s: %lld is negative; write nanoseconds, or 0 for the default", key, (long long)json_integer_value(v));
	else
		*ret = json_integer_value(v) / 1000000 + (json_integer_value(v) % 1000000 != 0);
}

/* Docker's extension of the config: Test is [] (as the image below), ["NONE"], ["CMD", ...] or ["CMD-SHELL", text]. */
static void take_check(struct reader *r, const json_t *check)
{
	struct oci *o = r->oci;
	struct oci_words test = { .n = 0 };
	const json_t *retries;

	if (!is_a(r, check, JSON_OBJECT, "Healthcheck", "write an object with Test in it"))
		return;
	take_words(r, json_object_get(check, "Test"), "Healthcheck.Test", &test);
	if (r->arena->dry)
		return;
	if (test.n && !strcmp(test.at[0], "NONE")) {
		o->check_kind = OCI_CHECK_NONE;
	} else if (test.n && !strcmp(test.at[0], "CMD")) {
		o->check_kind = OCI_CHECK_CMD;
	} else if (test.n && !strcmp(test.at[0], "CMD-SHELL")) {
		o->check_kind = OCI_CHECK_SHELL;
		test.n = test.n > 2 ? 2 : test.n;
	} else if (test.n) {
		COMPLAIN(r, "Healthcheck.Test: begins with none of NONE, CMD and CMD-SHELL; write [\"CMD-SHELL\", \"command\"]");
	}
	if ((o->check_kind == OCI_CHECK_CMD || o->check_kind == OCI_CHECK_SHELL) && (test.n < 2 || !*test.at[1])) {
		COMPLAIN(r, "Healthcheck.Test: names no command; write [\"CMD-SHELL\", \"command\"], or [\"NONE\"]");
		o->check_kind = OCI_CHECK_UNSAID;
	}
	if (test.n)
		o->check = (struct oci_words){ .at = test.at + 1, .n = test.n - 1, .said = true };
	take_span(r, check, "Interval", &o->interval);
	take_span(r, check, "Timeout", &o->timeout);
	take_span(r, check, "StartPeriod", &o->start_period);
	take_span(r, check, "StartInterval", &o->start_interval);
	retries = json_object_get(check, "Retries");
	if (!is_a(r, retries, JSON_INTEGER, "Healthcheck.Retries", "write a whole number"))
		return;
	if (json_integer_value(retries) < 0)
		COMPLAIN(r, "Healthcheck.Retries: %lld is negative; write 0 for the default",
			 (long long)json_integer_value(retries));
	else
		o->retries = json_integer_value(retries);
}

static void take_config(struct reader *r, const json_t *config, enum form form)
{
	struct oci *o = r->oci;
	const char *const *key = keys[form];

	take_env(r, json_object_get(config, key[OCI_ENV]), key[OCI_ENV]);
	take_words(r, json_object_get(config, key[OCI_ENTRYPOINT]), key[OCI_ENTRYPOINT], &o->entrypoint);
	take_words(r, json_object_get(config, key[OCI_CMD]), key[OCI_CMD], &o->cmd);
	take_text(r, json_object_get(config, key[OCI_WORKDIR]), key[OCI_WORKDIR], &o->workdir);
	take_text(r, json_object_get(config, key[OCI_USER]), key[OCI_USER], &o->user);
	if (form == FORM_SMALL)
		return;
	take_text(r, json_object_get(config, key[OCI_STOP]), key[OCI_STOP], &o->stop_signal);
	take_names(r, json_object_get(config, key[OCI_VOLUMES]), key[OCI_VOLUMES], &o->volumes);
	take_check(r, json_object_get(config, key[OCI_CHECK]));
	take_words(r, json_object_get(config, key[OCI_SHELL]), key[OCI_SHELL], &o->shell);
}

/* A number from 0 to 4294967294 as text; (uid_t)-1 is nobody. False where it is not there, or none. */
static bool take_id(struct reader *r, const json_t *v, const char *key, struct text *into)
{
	if (!is_a(r, v, JSON_INTEGER, key, "write a number"))
		return false;
	if (json_integer_value(v) < 0 || json_integer_value(v) >= UINT32_MAX) {
		COMPLAIN(r, "%s: %lld is no id; write 0 to 4294967294", key, (long long)json_integer_value(v));
		return false;
	}
	text_num(into, json_integer_value(v));
	return true;
}

/* process.user: numbers, for who runs it was looked up when the bundle was made. */
static void take_runtime_user(struct reader *r, const json_t *user)
{
	const json_t *groups, *item, *mask;
	char words[32], octal[16];
	struct text t = TEXT(words), m = TEXT(octal);
	const char **at;
	size_t i;

	if (!is_a(r, user, JSON_OBJECT, "process.user", "write {\"uid\": 0, \"gid\": 0}"))
		return;
	if (take_id(r, json_object_get(user, "uid"), "process.user.uid", &t)) {
		text_char(&t, ':');
		if (!take_id(r, json_object_get(user, "gid"), "process.user.gid", &t))
			text_char(&t, '0');
		r->oci->user = arena_copy(r->arena, words, t.len);
	}
	mask = json_object_get(user, "umask");
	if (is_a(r, mask, JSON_INTEGER, "process.user.umask", "write a number")) {
		text_fmt(&m, "%04llo", (unsigned long long)json_integer_value(mask) & 0777u);
		r->oci->umask = arena_copy(r->arena, octal, m.len);
	}
	groups = json_object_get(user, "additionalGids");
	if (!is_a(r, groups, JSON_ARRAY, "process.user.additionalGids", "write an array of numbers"))
		return;
	at = arena_get(r->arena, (json_array_size(groups) + 1) * sizeof(*at));
	if (!at)
		return;
	r->oci->groups = (struct oci_words){ .at = at, .said = true };
	json_array_foreach(groups, i, item) {
		t = TEXT(words);
		if (take_id(r, item, "process.user.additionalGids", &t))
			at[r->oci->groups.n++] = arena_copy(r->arena, words, t.len);
	}
}

/* Mounts, namespaces and limits of a runtime config are the manager's business, who made the container that we are in. */
static void take_runtime(struct reader *r, const json_t *root, const json_t *process)
{
	struct oci *o = r->oci;
	const char *const *key = keys[FORM_RUNTIME];

	take_env(r, json_object_get(process, "env"), key[OCI_ENV]);
	take_words(r, json_object_get(process, "args"), key[OCI_CMD], &o->cmd);
	take_text(r, json_object_get(process, "cwd"), key[OCI_WORKDIR], &o->workdir);
	take_runtime_user(r, json_object_get(process, "user"));
	o->no_new_privs = json_is_true(json_object_get(process, "noNewPrivileges"));
	/* Where a converter keeps what the runtime's config has no word for (OCI image-spec, conversion.md). */
	take_text(r, json_object_get(json_object_get(root, "annotations"), key[OCI_STOP]), key[OCI_STOP], &o->stop_signal);
}

static bool has_any(const json_t *v, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (json_object_get(v, names[i]))
			return true;
	return false;
}

/* Finds out which form it is, by what is in it. */
static void take_root(struct reader *r, const json_t *root)
{
	static const char *const of_image[] = { "architecture", "rootfs" }, *const of_index[] = { "manifests", "layers", "fsLayers" };
	static const char *const of_small[] = { "workdir", "user", "entrypoint", "cmd" };
	static const char *const of_config[] = { "Env", "Entrypoint", "Cmd", "WorkingDir", "User" };
	const json_t *config, *process;

	/* docker inspect: one for each name it was given. */
	if (json_is_array(root)) {
		if (json_array_size(root) != 1) {
			COMPLAIN(r, "has %zu images or containers; it must be one: ask docker inspect for a single name", json_array_size(root));
			return;
		}
		root = json_array_get(root, 0);
	}
	if (!json_is_object(root)) {
		COMPLAIN(r, "is %s; it must be an OCI image config, a runtime config, or what docker inspect prints", kind_of(root));
		return;
	}
	process = json_object_get(root, "process");
	config = json_object_get(root, "config");
	if (!config)
		config = json_object_get(root, "Config");
	if (process) {
		r->oci->keys = keys[FORM_RUNTIME];
		if (is_a(r, process, JSON_OBJECT, "process", "write an object with args in it"))
			take_runtime(r, root, process);
	} else if (has_any(root, of_index, 3) || json_object_get(config, "digest")) {
		COMPLAIN(r, "is the manifest or index of an image, not its config; take the file that config.digest names");
	} else if (config) {
		if (is_a(r, config, JSON_OBJECT, "config", "write an object with Cmd in it"))
			take_config(r, config, FORM_CONFIG);
	} else if (has_any(root, of_small, 4)) {
		r->oci->keys = keys[FORM_SMALL];
		take_config(r, root, FORM_SMALL);
	} else if (has_any(root, of_config, 5)) {
		take_config(r, root, FORM_CONFIG);
	} else if (!has_any(root, of_image, 2)) {
		COMPLAIN(r, "says nothing that we know; it must be an OCI image config, a runtime config, or what docker inspect prints");
	}
}

/* Is nothing in it nested deeper than that? The reader of JSON calls itself for each level. */
static bool is_shallow(const char *s, size_t n)
{
	bool quoted = false;
	uint32_t depth = 0;

	for (size_t i = 0; i < n; i++) {
		if (quoted && s[i] == '\\')
			i++;
		else if (s[i] == '"')
			quoted = !quoted;
		else if (!quoted && (s[i] == '{' || s[i] == '[') && ++depth > MAX_OCI_DEPTH)
			return false;
		else if (!quoted && (s[i] == '}' || s[i] == ']') && depth)
			depth--;
	}
	return true;
}

int oci_read(const char *text, size_t n, const char *file, struct arena *a, struct findings *fs, struct oci *ret)
{
	struct reader r = { .arena = a, .findings = fs, .oci = ret };
	json_error_t error;
	json_t *root;

	ret->file = file;
	ret->keys = keys[FORM_CONFIG];
	if (n > MAX_OCI) {
		COMPLAIN(&r, "is larger than %u KiB; is it the config of an image?", MAX_OCI >> 10);
		return 0;
	}
	if (!is_shallow(text, n)) {
		COMPLAIN(&r, "is nested deeper than %u levels; no config of an image is", MAX_OCI_DEPTH);
		return 0;
	}
	root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
	if (!root && json_error_code(&error) == json_error_out_of_memory)
		return -ENOMEM;
	if (!root) {
		char shown[160] = "";
		struct text t = TEXT(shown);

		text_shown(&t, error.text, strlen(error.text), 80);
		finding_add(fs, SAY_ERROR, file, error.line > 0 ? (uint32_t)error.line : 0, "is no JSON: %s; mend it there", shown);
		return 0;
	}
	take_root(&r, root);
	json_decref(root);
	return a->dry ? -ENOMEM : 0;
}

int oci_read_env(const char *text, size_t n, const char *file, struct arena *a, struct findings *fs, struct oci *ret)
{
	const char **at;
	uint32_t lines = 1, line = 1, count = ret->env.n;

	for (size_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	if (lines + count > MAX_OCI_WORDS || n > MAX_OCI) {
		finding_add(fs, SAY_ERROR, file, 0, "has more than %u lines, or than %u KiB", MAX_OCI_WORDS, MAX_OCI >> 10);
		return 0;
	}
	at = arena_get(a, (count + lines) * sizeof(*at));
	if (!at)
		return -ENOMEM;
	if (count)
		memcpy(at, ret->env.at, count * sizeof(*at));
	for (size_t i = 0, len; i < n; i += len + 1, line++) {
		const char *s = text + i, *end = memchr(s, '\n', n - i), *equals;

		len = end ? (size_t)(end - s) : n - i;

		size_t keep = len && s[len - 1] == '\r' ? len - 1 : len;

		if (!keep || *s == '#')
			continue;
		equals = memchr(s, '=', keep);
		if (!equals || equals == s || memchr(s, '\0', keep)) {
			finding_add(fs, SAY_ERROR, file, line, "this is not NAME=value; write it so, or put # before it");
			continue;
		}
		at[count] = arena_copy(a, s, keep);
		if (!at[count++])
			return -ENOMEM;
	}
	ret->env = (struct oci_words){ .at = at, .n = each_once(at, count), .said = true };
	return 0;
}

bool oci_list(const char *text, struct arena *a, struct oci_words *ret)
{
	struct findings unused = { 0 };
	struct oci oci = { .file = "" };
	struct reader r = { .arena = a, .findings = &unused, .oci = &oci };
	size_t n = strlen(text);
	json_t *root = n <= MAX_OCI && is_shallow(text, n) ? json_loadb(text, n, 0, NULL) : NULL;

	ret->said = false;
	if (json_is_array(root))
		take_words(&r, root, "", ret);
	json_decref(root);
	findings_free(&unused);
	return ret->said;
}
