/* options.c - the command line of `coppice init`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/kit/say.h"
#include "init/pid1.h"

static const char usage[] =
	"usage: coppice init [OPTIONS]\n"
	"\n"
	"  --units DIR        units from here instead of /etc/coppice, /run/coppice/units, /usr/lib/coppice; may be repeated\n"
	"  --config FILE      settings from here instead of /etc/coppice/coppice.conf\n"
	"  --runtime DIR      sockets and roots here instead of /run/coppice\n"
	"  --no-boot          leave out every boot step\n"
	"  --dry-run          print the boot plan, every mount and the start order; do nothing\n"
	"  --max-units N      refuse more units than that (1024)\n"
	"  --log-level LEVEL  error, warning, info or debug\n";

static int complain(const char *what, const char *about)
{
	fprintf(stderr, "coppice init: %s%s; see coppice init --help\n", what, about);
	return 2;
}

int init_options_read(int argc, char **argv, struct init_options *ret)
{
	*ret = (struct init_options){ .runtime = "/run/coppice", .max_units = DEFAULT_UNITS };
	for (int k = 1; k < argc; k++) {
		const char *word = argv[k], *value = NULL;
		char name[32];
		const char *equals = strchr(word, '=');
		size_t n = equals ? (size_t)(equals - word) : strlen(word);

		if (n >= sizeof(name))
			return complain("unknown option ", word);
		memcpy(name, word, n);
		name[n] = '\0';
		if (!strcmp(name, "--no-boot")) {
			ret->no_boot = true;
			continue;
		}
		if (!strcmp(name, "--dry-run")) {
			ret->dry_run = true;
			continue;
		}
		if (!strcmp(name, "--help") || !strcmp(name, "-h")) {
			fputs(usage, stdout);
			return -1;
		}
		static const char *const with_value[] = { "--units", "--config", "--runtime", "--max-units", "--log-level" };
		size_t which = 0;

		while (which < 5 && strcmp(name, with_value[which]) != 0)
			which++;
		if (which == 5)
			return complain("unknown option ", word);
		value = equals ? equals + 1 : k + 1 < argc ? argv[++k] : NULL;
		if (!value || !*value)
			return complain(name, " needs a value");
		if (which == 0) {
			if (ret->n_dirs == MAX_UNIT_DIRS)
				return complain("--units: too many directories at ", value);
			ret->dirs[ret->n_dirs++] = value;
		} else if (which == 1) {
			ret->config = value;
		} else if (which == 2) {
			if (value[0] != '/')
				return complain("--runtime needs an absolute path, not ", value);
			ret->runtime = value;
		} else if (which == 3) {
			char *end;
			unsigned long count = strtoul(value, &end, 10);

			if (*end || count < 1 || count > MAX_UNITS)
				return complain("--max-units: a number from 1 to 65536 is needed, not ", value);
			ret->max_units = (uint32_t)count;
		} else {
			int level = say_level_of(value);

			if (level < 0)
				return complain("--log-level: error, warning, info or debug is needed, not ", value);
			say_level((enum level)level);
		}
	}
	return 0;
}
