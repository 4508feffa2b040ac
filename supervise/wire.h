/*
 * wire.h - what PID 1 and the desk say to each other: fixed-size messages over
 * a SOCK_SEQPACKET pair, checked by PID 1 field by field.
 *
 * The desk asks (ASK_*), PID 1 answers each ask once (serial repeated), at once
 * or, for exec, when the process has ended. News of states does not come this
 * way: it lies in the ring of record.h; PID 1 rings the bell (BELL) only when
 * the desk has asked for it.
 */
#ifndef SUPERVISE_WIRE_H
#define SUPERVISE_WIRE_H

#include <stdint.h>

#include "conf/unit.h"
#include "supervise/record.h"

enum ask {
	ASK_PING = 1,     /* -> TELL_DONE */
	ASK_START, ASK_STOP, ASK_RESTART, ASK_RELOAD, ASK_RESET, /* unit, or NO_UNIT for all */
	ASK_KILL,         /* unit, a: signal */
	ASK_SHUTDOWN,     /* a: enum how, b: exit code or -1 */
	ASK_EXEC,         /* unit, a: flags (EXEC_*); descriptors: sealed memfd with the request, then stdin, stdout, stderr */
	ASK_EXEC_KILL,    /* a: serial of the exec, b: signal: its client went away or sent one */
	ASK_LOG_LOST,     /* unit, a: lines lost: only so that it can be told */
	ASK_DAEMON_RELOAD, ASK_REEXEC,
	ASK_BELL,         /* a: 1 from now on, beginning at once, TELL_BELL after each turn with news; 0 no more. Not answered */
	N_ASKS
};

enum tell {
	TELL_DONE = 1,    /* a: 0 or -errno or a refusal (enum refusal), why */
	TELL_EXEC_PID,    /* a: pid, the exec runs */
	TELL_EXEC_END,    /* a: exit code or 128+n; b: 0, or step<<16|errno where setup failed */
	TELL_BELL,        /* there is news in the ring */
	TELL_LOG,         /* unit; descriptor: the read end of its log pipe */
	TELL_STOPPING,    /* the container goes down: answer what can be answered */
	TELL_REOPEN,      /* a new listener comes along as descriptor */
	N_TELLS
};

enum refusal { REFUSED_NOT_LOADED = 1, REFUSED_STOPPING, REFUSED_NOT_RUNNING, REFUSED_NO_RELOAD, REFUSED_SIGNAL, REFUSED_FULL,
	       REFUSED_NOT_HERE, N_REFUSALS };

enum how { HOW_NONE, HOW_EXIT, HOW_POWEROFF, HOW_HALT, HOW_REBOOT, N_HOWS };

struct message {
	uint32_t kind;    /* enum ask, or enum tell */
	uint32_t serial;  /* the desk's; 0 where nobody waits */
	uint32_t unit;
	int32_t a, b;
	struct why why;
};

/* The request of an exec, in a memfd: this head, then argc+envc texts, NUL-terminated, one after the other, then user, then workdir. */
enum { EXEC_TTY = 1u << 0, EXEC_STDIN = 1u << 1 };
#define MAX_EXEC (64u << 10) /* bytes in all */
#define MAX_EXEC_ARGS 1024u
struct exec_head { uint32_t magic, argc, envc, total; };
#define EXEC_MAGIC 0x63706578u

/*
 * The memfd of logs, written by the desk, held open by PID 1 so that nothing is
 * lost when the desk is: a head, then a struct log_head for every unit and one
 * more, last, for PID 1 itself, then the rings, page-aligned, LOG_RING bytes each
 * (sparse: pages nobody wrote cost nothing).
 */
#define LOG_MAGIC 0x63706c67u
#define LOG_RING  (64u << 10)
struct log_head {
	uint64_t head, tail;     /* bytes ever written, bytes ever dropped from the front; entries lie in [tail, head) modulo LOG_RING */
	uint64_t lines, dropped; /* lines taken in; lines that the container's stdout or a file did not get */
	uint64_t used;           /* 0: nobody ever wrote into the ring; its pages are not even looked at */
};

#endif
