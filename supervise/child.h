/*
 * child.h - what a child of PID 1 does between fork and execve: a list of named steps.
 *
 * Parent and child share one SOCK_SEQPACKET pair, close-on-exec: the gate. The
 * child first leaves the parent's table of descriptors, if they share it, and says
 * so. It waits there for the parent's byte (end of file: the parent is
 * gone or wants nothing; the child leaves without a trace). Then it does its
 * steps. The first that fails is reported as a struct report and the child
 * exits with the step's number (systemd.exec(5), "Process Exit Codes"); a
 * successful execve shows itself as end of file.
 */
#ifndef SUPERVISE_CHILD_H
#define SUPERVISE_CHILD_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/unit.h"
#include "supervise/record.h"

/* Order is the order of doing. */
enum step {
	STEP_NONE,
	STEP_GATE,      /* wait for the parent to have written our pid down */
	STEP_SIGNALS,   /* empty mask, default actions, SIGPIPE as IgnoreSIGPIPE= says */
	STEP_SESSION,   /* setsid, no controlling terminal */
	STEP_STDIN, STEP_STDOUT, STEP_STDERR,
	STEP_LIMITS, STEP_NICE, STEP_OOM,
	STEP_ENVIRONMENT, /* EnvironmentFile= read as data, from the container's side */
	STEP_NAMESPACE, /* unshare(CLONE_NEWNS), or setns into the root that is already there */
	STEP_IMAGE,     /* find and open the image */
	STEP_OVERLAY,   /* its overlay */
	STEP_MOUNTS,    /* volumes, binds, tmpfs, /proc /sys /dev /run, resolv.conf, hosts, hostname */
	STEP_ROOT,      /* pivot_root, or chroot */
	STEP_GROUP, STEP_USER, /* looked up inside the image */
	STEP_CAPABILITIES,
	STEP_DESCRIPTORS, /* nothing above 2 survives; nor does WorkingDirectory= find it in /proc/self/fd */
	STEP_WORKDIR,
	STEP_ARGUMENTS, /* $VARIABLES */
	STEP_EXEC,
	STEP_PIDFILE,   /* not one of the walk: PIDFile= of a forking daemon, read by a child of its own */
	N_STEPS
};

/* A step's word ("EXEC"), exit status (203) and which setting a person should look at ("ExecStart"). Static texts. */
const char *step_word(enum step s);
int step_status(enum step s);
const char *step_setting(enum step s);

struct report {
	uint32_t step;   /* enum step; with error 0 of STEP_ROOT: its root is built and comes along; _IMAGE: its /; _GATE: its pad is left */
	int32_t error;   /* errno; 0 in good news */
	int32_t pid;     /* STEP_PIDFILE: what the file says; PID 1 looks whether that is its child */
	char about[120]; /* what it was about: "/bin/httpd", "user www"; bytes of a unit: shown escaped, never kept in state */
};

/* Everything a child needs; nothing of it is owned by the child. */
struct job {
	const struct table *table;
	unit_ix unit;
	enum phase phase;
	uint32_t command;    /* word index of the struct command; 0 for PHASE_EXEC */
	int gate;            /* the child's end */
	uint32_t pad;        /* 0: forked with a table of descriptors of its own; else what it may keep of PID 1's (supervise/pads.h) */
	int root;            /* mount namespace to join, or -1: build it (or none is needed) */
	int in, out, err;    /* become 0, 1, 2; -1: /dev/null */
	int request;         /* PHASE_EXEC: the sealed memfd of wire.h, else -1 */
	uint32_t request_flags; /* EXEC_* */
	int32_t main;        /* $MAINPID; 0 unknown */
	uint64_t bounding;   /* PID 1's bounding set */
	uint64_t nofile;     /* RLIMIT_NOFILE's soft limit as PID 1 was given it; 0: it is so still */
	uint8_t rung;        /* enum rung (mount/root.h): what the kernel lets us do */
	bool become;         /* not a child: PID 1 itself, on its way to be the program (child_become) */
	const char *runtime; /* "/run/coppice" */
	const char *result;  /* $SERVICE_RESULT for stop_post, or NULL */
	const char *exit_code, *exit_status; /* $EXIT_CODE, $EXIT_STATUS, or NULL */
};

/* Looks once at what all children inherit of the environment; without it, each looks for itself. */
void child_ready(void);

/*
 * Becomes the unit's command, in this process and without a gate: descriptors, session and
 * capabilities stay what they are. Comes back only where a step failed: *ret says which.
 */
void child_become(const struct job *job, struct report *ret);

/* Never returns. Runs in a forked child of a single-threaded parent, so it may allocate. */
_Noreturn void child_run(const struct job *job);

#endif
