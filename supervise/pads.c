/* pads.c - launch pads: low descriptors set aside, so that a child can leave all others behind at once. */
#include "supervise/pads.h"

#include <limits.h>

#include "conf/kit/sys.h"

#define FIRST 3

enum { PAD_GATE, PAD_ROOT, PAD_OUT, PAD_FDS }; /* the gate lies lowest */

/* What lies on a pad that nobody uses: standard input, which is open for as long as PID 1 lives. */
#define FILLER 0

static int pad_at(uint32_t pad, int which)
{
	return FIRST + (int)(pad - 1) * PAD_FDS + which;
}

int pads_clear(int fd)
{
	return fd < 0 ? fd : sys_move(fd, pad_at(N_PADS + 1, 0));
}

uint32_t pads_open(void)
{
	if (sys_leave(0, INT_MAX) < 0)
		return 0;
	for (uint32_t pad = 1; pad <= N_PADS; pad++)
		for (int which = 0; which < PAD_FDS; which++)
			if (sys_place(FILLER, pad_at(pad, which)) < 0)
				return (UINT32_C(1) << (pad - 1)) - 1;
	return (UINT32_C(1) << N_PADS) - 1;
}

/* Those below 3 stay where they are in every child. */
static int place(int fd, int at)
{
	return fd < FIRST ? fd : sys_place(fd, at);
}

void pad_take(uint32_t *free, struct job *job)
{
	job->pad = 0;
	if (!*free)
		return;
	uint32_t pad = (uint32_t)__builtin_ctz(*free) + 1;
	int gate = place(job->gate, pad_at(pad, PAD_GATE));
	int root = place(job->root, pad_at(pad, PAD_ROOT));
	int out = place(job->out, pad_at(pad, PAD_OUT));
	int err = job->err == job->out ? out : job->err < FIRST ? job->err : place(job->err, pad_at(pad, PAD_OUT));

	/* It is one log that both go to, or one of them does; anything else would be a second output. */
	*free &= ~(UINT32_C(1) << (pad - 1));
	if (gate < 0 || (root < 0 && job->root >= 0) || (out < 0 && job->out >= 0) || (err < 0 && job->err >= 0)) {
		pad_give(free, pad);
		return;
	}
	job->pad = pad;
	job->gate = gate;
	job->root = root;
	job->out = out;
	job->err = err;
}

void pad_give(uint32_t *free, uint32_t pad)
{
	if (pad == 0)
		return;
	for (int which = 0; which < PAD_FDS; which++)
		(void)sys_place(FILLER, pad_at(pad, which));
	*free |= UINT32_C(1) << (pad - 1);
}

void pad_range(uint32_t pad, int *gate, int *last)
{
	*gate = pad_at(pad, PAD_GATE);
	*last = pad_at(pad, PAD_FDS) - 1;
}

int pad_leave(uint32_t pad)
{
	int gate, last;

	pad_range(pad, &gate, &last);
	return sys_leave(gate, last);
}
