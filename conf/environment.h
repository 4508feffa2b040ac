/* environment.h - the variables of [Boot] EnvironmentFile=, among those that all units have. */
#ifndef CONF_ENVIRONMENT_H
#define CONF_ENVIRONMENT_H

#include "conf/compile.h"
#include "conf/files.h"

/*
 * After compile_house(): reads the file as data and puts its variables before
 * those of DefaultEnvironment=, which outdo them. What is wrong with it becomes a
 * finding, and costs its variables only. 0 or -ENOMEM.
 */
int environment_load(struct compiler *c, struct buffer *buffer);

#endif
