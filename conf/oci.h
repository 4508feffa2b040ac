/*
 * oci.h - what an image says of itself, from whichever JSON says it; pure.
 *
 * Read are, each known by what is in it: an OCI image config (OCI image-spec, config.md)
 * and what `docker inspect` and `podman inspect` print of an image or container; an OCI
 * runtime config (OCI runtime-spec, config.md); and {workdir, user, entrypoint, cmd}.
 */
#ifndef CONF_OCI_H
#define CONF_OCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/findings.h"
#include "conf/kit/arena.h"
#include "conf/kit/time.h"

#define MAX_OCI       (1u << 20) /* bytes of one config */
#define MAX_OCI_DEPTH 32u        /* objects and arrays in each other */
#define MAX_OCI_WORDS 4096u      /* items of one list */

/* Texts; `said` tells an empty list from none. */
struct oci_words { const char *const *at; uint32_t n; bool said; };

enum oci_check { OCI_CHECK_UNSAID, OCI_CHECK_NONE, OCI_CHECK_CMD, OCI_CHECK_SHELL };

/* The names that findings use, in the words of the file: "WorkingDir", "process.cwd", "workdir". */
enum oci_key { OCI_ENV, OCI_ENTRYPOINT, OCI_CMD, OCI_WORKDIR, OCI_USER, OCI_STOP, OCI_VOLUMES, OCI_CHECK, OCI_SHELL, N_OCI_KEYS };

/* All texts live in the arena that was handed in. What is not said is NULL, empty or 0. */
struct oci {
	const char *file;               /* as findings and `show` name it */
	const char *const *keys;        /* [N_OCI_KEYS] */
	struct oci_words env;           /* "NAME=value", whatever the name; each once */
	struct oci_words entrypoint, cmd;
	struct oci_words volumes;       /* paths */
	struct oci_words shell;         /* for a health check by shell */
	struct oci_words groups;        /* numbers */
	struct oci_words check;         /* what the health check runs */
	const char *workdir, *user, *stop_signal, *umask;
	enum oci_check check_kind;
	msec_t interval, timeout, start_period, start_interval;
	int64_t retries;
	bool no_new_privs;
};

/*
 * Reads n bytes of JSON. What is wrong becomes findings of `file`, all of which are errors; what
 * nobody here needs is passed over. 0, or -ENOMEM. *ret is to be zero, and is whole or, where there
 * are findings, as far as it went.
 */
int oci_read(const char *text, size_t n, const char *file, struct arena *a, struct findings *fs, struct oci *ret);

/*
 * Adds the lines of NAME.env, "NAME=value" each, without quotes or escapes, as `docker run
 * --env-file` has it; "#" begins a comment. They outdo the config's. 0 or -ENOMEM.
 */
int oci_read_env(const char *text, size_t n, const char *file, struct arena *a, struct findings *fs, struct oci *ret);

/* For what only a NAME.env says. */
extern const char *const *const oci_no_keys;

/* A JSON array of texts; false where it is none. -> Entrypoint=. */
bool oci_list(const char *text, struct arena *a, struct oci_words *ret);

#endif
