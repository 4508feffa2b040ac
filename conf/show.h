/* show.h - a unit's settings in effect and where each came from; its files. */
#ifndef CONF_SHOW_H
#define CONF_SHOW_H

#include <stdbool.h>
#include <stdio.h>

#include "conf/unit.h"

/* What cat says of a unit that no file defines. */
#define NO_FILE "# it has no file: it is there because others lean on it\n"

/*
 * One line for each setting that has a value: "Service.Restart=always  # web.service:9",
 * "# default" where nobody said it. With `json` an array of {section, name, value,
 * file, line}, file "" and line 0 for defaults.
 */
void show_unit(FILE *out, const struct table *t, unit_ix unit, bool json);

/*
 * The unit's file and the drop-ins that had something to say, each under a comment
 * with its path. 0, or -errno of the first that cannot be read.
 */
int show_files(FILE *out, const struct table *t, unit_ix unit);

#endif
