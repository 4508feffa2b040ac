/*
 * cli.h - the operator's command line: `coppice VERB ...`.
 *
 * A verb is a row of a table: what it takes, what it says of itself, its
 * function. Options may stand anywhere; `--` ends them.
 */
#ifndef INIT_CLI_CLI_H
#define INIT_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

/* Exit statuses, INTERFACE section 6. */
enum cli_status { CLI_DONE, CLI_FAILED, CLI_USAGE, CLI_NO_UNIT, CLI_NOT_READY, CLI_TIMEOUT, CLI_NO_PID1 };

enum cli_option {
	OPT_SOCKET, OPT_JSON, OPT_WATCH, OPT_SIGNAL, OPT_FOR, OPT_TIMEOUT, OPT_FOLLOW, OPT_LINES, OPT_SINCE, OPT_STDIN, OPT_TTY,
	OPT_USER, OPT_WORKDIR, OPT_ENV, OPT_DOT, OPT_ALL, OPT_NO_WAIT, OPT_UNITS, OPT_ROOT, OPT_OCI, OPT_UNDO, OPT_DRY_RUN, OPT_FORCE,
	N_OPTIONS
};
#define OPT(o) (1u << (o))

#define MAX_REPEATS 64 /* of one option */

struct cli;

struct verb {
	const char *name, *arguments, *brief;
	int (*run)(const struct cli *c);
	unsigned options;        /* OPT() bits */
	int least, most;         /* arguments; most -1: any number */
	bool tail;               /* what follows the first argument is not ours to read */
};

/* One command line, taken apart. */
struct cli {
	const struct verb *verb;
	const char *value[N_OPTIONS];     /* last value; "" for one that takes none; NULL: not given */
	const char *repeated[MAX_REPEATS]; /* all values of -e or --units */
	int n_repeated;
	char **args;
	int n_args;
};

/* How an option is written; letter 0: it has none, argument NULL: it takes none. */
struct option_words { char letter; const char *name, *argument, *brief; };

/* The rows of the two tables, for whoever writes the manual; NULL behind the last one. */
const struct verb *cli_verb(size_t i);
const struct option_words *cli_option(size_t o);

/* Runs a verb; argv[1] is its name. Returns the exit status. */
int cli_main(int argc, char **argv);

/* The verb's line of usage on stderr, after what is wrong. Returns CLI_USAGE. */
int cli_usage(const struct verb *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "coppice: ..." on stderr. */
void cli_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Somebody else's text on stdout, made safe to show. */
void cli_show(const char *text);

/* units.c */
int verb_start(const struct cli *c);
int verb_kill(const struct cli *c);
int verb_wait(const struct cli *c);
int verb_shutdown(const struct cli *c);
int verb_rpc(const struct cli *c);
int verb_ping(const struct cli *c);
/* status.c */
int verb_status(const struct cli *c);
int verb_health(const struct cli *c);
/* logs.c */
int verb_logs(const struct cli *c);
int verb_events(const struct cli *c);
/* exec.c */
int verb_exec(const struct cli *c);
/* files.c */
int verb_check(const struct cli *c);
int verb_show(const struct cli *c);
int verb_cat(const struct cli *c);
int verb_graph(const struct cli *c);
/* install.c */
int verb_install(const struct cli *c);

#endif
