/* networks.h - the [Network] sections of coppice.conf, one list for each interface; pure. */
#ifndef CONF_NETWORKS_H
#define CONF_NETWORKS_H

#include "conf/compile.h"

#define MAX_INTERFACES 64u

/*
 * From c->parsed into the pending list of house.networks: for each interface a
 * list of "Key=value". Sections with the same Interface= are one, later ones win.
 * Every key that has a preset is there, so nobody else needs to know presets.
 */
void compile_networks(struct compiler *c, struct reading *r);

#endif
