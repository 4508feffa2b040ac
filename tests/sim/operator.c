/* operator.c - somebody at the desk who asks for this and that, and counts the answers. */
#include "tests/sim/sim.h"

#include <signal.h>
#include <string.h>

#define MAX_ASKED 256u

/* What is still to come for a serial. */
enum due { DUE_NOTHING, DUE_DONE, DUE_END };

static struct { uint32_t serial; enum due due; bool exec, maybe; } asked[MAX_ASKED];
static uint32_t n_asked, serials;
static bool forgot; /* a desk that does not listen: more is asked than is remembered */

void operator_reset(void)
{
	n_asked = 0;
	serials = 0;
	forgot = false;
}

static int desk_pair(void)
{
	struct being *b = being_of(world.m->helpers[HELPER_DESK].pid);

	return b && b->state == B_RUNS && b->known && b->role == ROLE_HELPER ? b->pair : -1;
}

static void send_ask(struct message *q)
{
	static const int exec_fds[4] = { FD_OTHER, FD_OTHER, FD_OTHER, FD_OTHER };
	int n = q->kind == ASK_EXEC ? chance(950) ? 4 : (int)roll(4) : chance(5) ? (int)roll(5) : 0;
	bool torn = chance(world.faults.torn);

	q->serial = ++serials;
	for (uint32_t k = 0; k < n_asked && n_asked == MAX_ASKED; k++)
		if (asked[k].due == DUE_NOTHING)
			asked[k--] = asked[--n_asked];
	if (!pair_speak(desk_pair(), q, torn ? 8 : sizeof(*q), exec_fds, n))
		return;
	trace("ask %u unit %d (%d, %d), serial %u", q->kind, (int)q->unit, q->a, q->b, q->serial);
	if (n_asked == MAX_ASKED)
		forgot = true;
	if (torn || q->kind == ASK_EXEC_KILL || q->kind == ASK_LOG_LOST || q->kind == ASK_BELL || n_asked == MAX_ASKED)
		return;
	asked[n_asked].serial = q->serial;
	asked[n_asked].exec = q->kind == ASK_EXEC;
	asked[n_asked].maybe = false;
	asked[n_asked++].due = DUE_DONE;
}

void operator_ask(bool shutdown_too)
{
	static const uint8_t often[] = { ASK_START, ASK_START, ASK_START, ASK_STOP, ASK_STOP, ASK_RESTART, ASK_RESTART, ASK_RELOAD,
					 ASK_RESET, ASK_KILL, ASK_PING, ASK_EXEC, ASK_EXEC, ASK_EXEC_KILL, ASK_LOG_LOST, ASK_BELL };
	static const uint8_t signals[] = { SIGKILL, SIGTERM, SIGHUP, SIGSTOP, SIGCONT, SIGABRT, 0, 65 };
	struct manager *m = world.m;

	/* Operators come in crowds. */
	for (uint32_t k = chance(150) ? 1 + roll(7) : 1; k > 0 && desk_pair() >= 0; k--) {
		struct message q = { .kind = often[roll(sizeof(often))], .unit = chance(30) ? NO_UNIT : roll(m->n) };

		if (q.kind == ASK_KILL)
			q.a = signals[roll(sizeof(signals))];
		else if (q.kind == ASK_EXEC_KILL)
			q.a = (int32_t)roll(serials + 1);
		else if (q.kind == ASK_BELL)
			q.a = (int32_t)roll(2);
		q.b = q.kind == ASK_EXEC_KILL ? signals[roll(sizeof(signals))] : 0;
		if (chance(5)) {
			/* The desk is checked field by field: it may have gone mad. */
			q.kind = roll(30);
			if (q.kind == ASK_SHUTDOWN)
				q.kind = 0;
			q.unit = roll(20);
			q.a = (int32_t)roll(UINT32_MAX);
		}
		send_ask(&q);
	}
	if (shutdown_too) {
		struct message q = { .kind = ASK_SHUTDOWN, .unit = NO_UNIT, .a = HOW_EXIT + (int32_t)roll(4), .b = (int32_t)roll(257) - 1 };

		send_ask(&q);
	}
}

void operator_told(const struct message *msg)
{
	if (msg->kind == TELL_BELL || msg->kind == TELL_LOG || msg->kind == TELL_STOPPING || msg->kind == TELL_REOPEN || msg->serial == 0)
		return;
	for (uint32_t k = 0; k < n_asked; k++) {
		if (asked[k].serial != msg->serial)
			continue;
		bool good = asked[k].maybe || (msg->kind == TELL_EXEC_END ? asked[k].due == DUE_END :
			    msg->kind == TELL_DONE ? asked[k].due == DUE_DONE :
			    msg->kind == TELL_EXEC_PID && asked[k].due == DUE_DONE && asked[k].exec);

		if (!good)
			broke(P_ANSWERS, "the answer %u to serial %u is one too many", msg->kind, msg->serial);
		asked[k].due = msg->kind == TELL_EXEC_PID ? DUE_END : DUE_NOTHING;
		return;
	}
	/* A desk that was started anew hears the end of what its forerunner asked for. */
	if (msg->kind != TELL_EXEC_END && !forgot)
		broke(P_ANSWERS, "the answer %u to serial %u, which nobody asked", msg->kind, msg->serial);
}

void operator_gone(void)
{
	n_asked = 0;
}

/* Some answer was not taken by the socket: nobody knows which. */
void operator_serial_lost(void)
{
	for (uint32_t k = 0; k < n_asked; k++)
		asked[k].maybe = true;
}

/* All is quiet: nobody may still be waiting for an answer. */
void operator_settle(void)
{
	if (desk_pair() < 0)
		return;
	for (uint32_t k = 0; k < n_asked; k++)
		if (asked[k].due != DUE_NOTHING && !asked[k].maybe)
			broke(P_ANSWERS, "serial %u was never answered (%s)", asked[k].serial, asked[k].exec ? "exec" : "plain");
	n_asked = 0;
}
