/* client.h - the other end of the control socket: calls, answers, notifications, and errors told to the operator. */
#ifndef INIT_CLI_CLIENT_H
#define INIT_CLI_CLIENT_H

#include <jansson.h>
#include <stddef.h>

#include "init/cli/cli.h"

struct client {
	int fd;
	char *in;
	size_t len, used, size;
	json_int_t id; /* of the last call */
};

/* Connects where --socket or $COPPICE_SOCKET says. CLI_DONE, or CLI_NO_PID1 after telling why. */
int client_open(struct client *c, const struct cli *cli);
void client_close(struct client *c);
/* Sends a call; `params` (or NULL) is given away; `fds` go along. Returns its id, 0 where the connection is gone. */
json_int_t client_call(struct client *c, const char *method, json_t *params, const int *fds, int n_fds);
/* A whole line that has come already or comes now; NULL at the end. The caller's to release. */
json_t *client_next(struct client *c);
/* A line lies here already, so that waiting for the descriptor would be wrong. */
bool client_has_line(const struct client *c);
/* Waits for the answer to call `id`. Notifications meanwhile go to `tell`, if there is one. NULL at the end. */
json_t *client_answer(struct client *c, json_int_t id, void (*tell)(void *self, const json_t *notification), void *self);
/* Call, answer, error told: the result, or NULL with the exit status in *status. `tell` as above. */
json_t *client_do(struct client *c, const char *method, json_t *params, int *status);
/* CLI_DONE for a result; for an error (or NULL: the connection ended) tells it and returns its exit status. */
int client_judge(const json_t *answer);

/* Text in a result at that key, "" where there is none. */
const char *json_text(const json_t *j, const char *key);

/* One line of JSON on stdout; on a terminal without anything that the terminal would obey. */
void client_print(const json_t *j);

#endif
