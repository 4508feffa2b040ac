/* caps.h - what a unit's process may still do: its capabilities, bit n is capability n. */
#ifndef SUPERVISE_CAPS_H
#define SUPERVISE_CAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/capability.h>
#include <sys/types.h>

#include "conf/kit/text.h"

/*
 * What a unit gets that wants `wanted`, where PID 1 has `ours`; pure. Always
 * fewer than ours (where we have any): a process with as many capabilities as
 * PID 1 may look into it through /proc/1 (ptrace(2), "Ptrace access mode checking").
 */
uint64_t caps_for(uint64_t ours, uint64_t wanted);

/* Those that the calling process has in its permitted set; 0 or -errno. */
int caps_ours(uint64_t *ret);

/* The three sets as capset(2) takes them; pure. */
void caps_words(struct __user_cap_data_struct words[2], uint64_t effective, uint64_t permitted, uint64_t inheritable);

/* What a root that is to have `set` needs inheritable: by this passes execve what is in no bounding set (capabilities(7)); pure. */
uint64_t caps_inherited(uint64_t set, uint64_t bounding);

/* The calling process's bounding set (PR_CAPBSET_READ, prctl(2)). */
uint64_t caps_bounding(void);

/*
 * Takes what is not in `wanted` out of the calling process's bounding set, which is `have`, as far as the kernel lets it; returns
 * what is left. PID 1 does so once, with what any of its units may have: nobody below it can gain others, and no
 * child has to drop them. Its own capabilities become inheritable, so that it would keep them if it executed
 * itself, and a unit that comes with a reload can still be given one; every child sets its own inheritable ones. Its
 * ambient set, which whoever started it may have left, is emptied.
 */
uint64_t caps_forgo(uint64_t have, uint64_t wanted);

/*
 * Gives up everything of `ours` but `set`, in every set and for good; `bounding` is the bounding set so far,
 * `ambient` what stays for another user than root. Before: PR_SET_KEEPCAPS where the user changed. `no_new_privs` is set last.
 * 0 or -errno; -EPERM also where `ambient` asks for more than there is: `about` says what.
 */
int caps_take(uint64_t ours, uint64_t bounding, uint64_t set, uint64_t ambient, uid_t uid, bool no_new_privs, struct text *about);

#endif
