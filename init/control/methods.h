/* methods.h - the table of the control socket's methods: names, parameters, rights; pure. */
#ifndef INIT_CONTROL_METHODS_H
#define INIT_CONTROL_METHODS_H

#include "init/control/rpc.h"

enum method_id {
	M_PING, M_VERSION, M_STATUS, M_START, M_STOP, M_RESTART, M_RELOAD, M_KILL, M_RESET_FAILED, M_WAIT, M_SHOW,
	M_LOGS, M_EVENTS, M_EXEC, M_GRAPH, M_SHUTDOWN, N_METHODS
};

extern const struct method methods[N_METHODS];

#endif
