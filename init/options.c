/* options.c - the command line of `coppice init`, as a table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/kit/say.h"
#include "init/pid1.h"

enum { UNITS, CONFIG, RUNTIME, NO_BOOT, DRY_RUN, MAX_OF_UNITS, LOG_LEVEL, OCI, N_WORDS };

static const struct init_words words[N_WORDS] = {
	[UNITS] = { "units", "DIR", "units from here instead of /etc/coppice, /run/coppice/units, /usr/lib/coppice; may be repeated" },
	[CONFIG] = { "config", "FILE", "settings from here instead of /etc/coppice/coppice.conf" },
	[RUNTIME] = { "runtime", "DIR", "sockets and roots here instead of /run/coppice" },
	[NO_BOOT] = { "no-boot", NULL, "leave out every boot step, and [Network]" },
	[DRY_RUN] = { "dry-run", NULL, "print the boot plan, every mount and the start order; do nothing" },
	[MAX_OF_UNITS] = { "max-units", "N", "refuse more units than that (1024)" },
	[OCI] = { "oci", "FILE", "run what the config of an image says, as the one unit app; -- ARG... in place of its Cmd" },
	[LOG_LEVEL] = { "log-level", "LEVEL", "error, warning, info or debug" },
};

const struct init_words *init_option(size_t i)
{
	return i < N_WORDS ? &words[i] : NULL;
}

static int complain(const char *what, const char *about)
{
	(void)fprintf(stderr, "coppice init: %s%s; see coppice init --help\n", what, about);
	return 2;
}

static void print_usage(void)
{
	(void)printf("usage: coppice init [OPTIONS] [-- ARG...]\n\n");
	for (size_t i = 0; i < N_WORDS; i++) {
		int n = printf("  --%s %s", words[i].name, words[i].argument ? words[i].argument : "");

		(void)printf("%*s%s\n", n < 21 ? 21 - n : 1, "", words[i].brief);
	}
	(void)printf("\nWithout init, coppice is the operator's tool: coppice help lists its verbs.\n");
}

/* Its place in the table; N_WORDS where there is none. */
static size_t find(const char *name, size_t n)
{
	size_t i = 0;

	while (i < N_WORDS && (strlen(words[i].name) != n || memcmp(words[i].name, name, n) != 0))
		i++;
	return i;
}

static int take(struct init_options *o, size_t which, const char *value)
{
	char *end;
	unsigned long count;
	int level;

	switch (which) {
	case UNITS:
		if (o->n_dirs == MAX_UNIT_DIRS)
			return complain("--units: too many directories at ", value);
		o->dirs[o->n_dirs++] = value;
		break;
	case CONFIG:
		o->config = value;
		break;
	case RUNTIME:
		if (value[0] != '/')
			return complain("--runtime needs an absolute path, not ", value);
		o->runtime = value;
		break;
	case OCI:
		o->oci = value;
		break;
	case NO_BOOT:
		o->no_boot = true;
		break;
	case DRY_RUN:
		o->dry_run = true;
		break;
	case MAX_OF_UNITS:
		count = strtoul(value, &end, 10);
		if (*end || count < 1 || count > MAX_UNITS)
			return complain("--max-units: a number from 1 to 65536 is needed, not ", value);
		o->max_units = (uint32_t)count;
		break;
	default:
		level = say_level_of(value);
		if (level < 0)
			return complain("--log-level: error, warning, info or debug is needed, not ", value);
		say_level((enum level)level);
		break;
	}
	return 0;
}

int init_options_read(int argc, char **argv, struct init_options *ret)
{
	*ret = (struct init_options){ .runtime = "/run/coppice", .max_units = DEFAULT_UNITS };
	for (int k = 1; k < argc; k++) {
		const char *word = argv[k], *value = strchr(word, '=');
		size_t which = N_WORDS;

		if (!strcmp(word, "--")) {
			if (!ret->oci)
				return complain("-- goes with --oci alone", "");
			ret->args = argv + k + 1;
			ret->n_args = (uint32_t)(argc - k - 1);
			break;
		}
		if (!strcmp(word, "--help") || !strcmp(word, "-h")) {
			print_usage();
			return -1;
		}
		if (!strncmp(word, "--", 2))
			which = find(word + 2, value ? (size_t)(value - word) - 2 : strlen(word) - 2);
		if (which == N_WORDS)
			return complain("unknown option ", word);
		if (!words[which].argument && value)
			return complain("this option takes no value: ", word);
		if (words[which].argument) {
			value = value ? value + 1 : k + 1 < argc ? argv[++k] : NULL;
			if (!value || !*value)
				return complain(word, " needs a value");
		}
		int r = take(ret, which, value ? value : "");

		if (r)
			return r;
	}
	return 0;
}
