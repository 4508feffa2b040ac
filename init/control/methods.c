/* methods.c - what can be asked over the control socket; pure. */
#include "init/control/methods.h"

#define UNIT      { "unit", PARAM_TEXT, false }
#define THIS_UNIT { "unit", PARAM_TEXT, true }
#define WAIT      { "wait", PARAM_BOOL, false }, { "timeout", PARAM_SPAN, false }

const struct method methods[N_METHODS] = {
	[M_PING] = { "ping", RIGHT_READ, { { 0 } }, "answers \"pong\" once PID 1 has answered" },
	[M_VERSION] = { "version", RIGHT_READ, { { 0 } }, "which coppice this is" },
	[M_STATUS] = { "status", RIGHT_READ, { UNIT }, "the manager and one unit, or all" },
	[M_START] = { "start", RIGHT_ALL, { UNIT, WAIT }, "starts a unit, or all, and waits until it is up" },
	[M_STOP] = { "stop", RIGHT_ALL, { UNIT, WAIT }, "stops a unit, or all, and waits until it is down" },
	[M_RESTART] = { "restart", RIGHT_ALL, { THIS_UNIT, WAIT }, "stops a unit if it is up, and starts it" },
	[M_RELOAD] = { "reload", RIGHT_ALL, { UNIT, WAIT }, "runs ExecReload= of a unit, or of all that have one" },
	[M_KILL] = { "kill", RIGHT_ALL, { THIS_UNIT, { "signal", PARAM_SIGNAL, false } }, "sends a signal, SIGTERM by default" },
	[M_RESET_FAILED] = { "reset-failed", RIGHT_ALL, { UNIT }, "forgets that a unit, or any, has failed" },
	[M_WAIT] = { "wait", RIGHT_READ, { UNIT, { "for", PARAM_TEXT, false }, { "timeout", PARAM_SPAN, false } },
		     "waits until a unit, or the container, is \"ready\" or \"stopped\"" },
	[M_SHOW] = { "show", RIGHT_READ, { THIS_UNIT }, "every setting in effect, and where it came from" },
	[M_LOGS] = { "logs", RIGHT_READ,
		     { UNIT, { "lines", PARAM_INT, false }, { "follow", PARAM_BOOL, false }, { "since", PARAM_SPAN, false } },
		     "the last lines that a unit, or all, wrote; then each new one as a notification \"log\"" },
	[M_EVENTS] = { "events", RIGHT_READ, { { 0 } }, "each change of a unit as a notification \"event\"" },
	[M_EXEC] = { "exec", RIGHT_ALL,
		     { THIS_UNIT, { "command", PARAM_TEXTS, false }, { "env", PARAM_MAP, false }, { "user", PARAM_TEXT, false },
		       { "workdir", PARAM_TEXT, false }, { "tty", PARAM_BOOL, false } },
		     "runs a command as the unit would; stdin, stdout and stderr come along as descriptors" },
	[M_GRAPH] = { "graph", RIGHT_READ, { { 0 } }, "units, and which leans on which" },
	[M_SHUTDOWN] = { "shutdown", RIGHT_ALL, { { "how", PARAM_TEXT, false }, { "code", PARAM_INT, false } },
			 "stops everything in order: \"exit\", \"poweroff\", \"halt\" or \"reboot\"" },
};
