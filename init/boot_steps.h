/* boot_steps.h - the functions behind the table of boot steps: 0 done, 1 done already, NOBODY_ASKED, -errno refused. */
#ifndef INIT_BOOT_STEPS_H
#define INIT_BOOT_STEPS_H

#include "init/boot.h"

#define NOBODY_ASKED 2

/* boot_mounts.c */
int ready_proc(struct boot *b);
int ready_sys(struct boot *b);
int ready_dev(struct boot *b);
int ready_pts(struct boot *b);
int ready_mqueue(struct boot *b);
int ready_cgroup(struct boot *b);
int ready_tmpfs(struct boot *b);
int ready_mounts(struct boot *b);
int ready_realinit(struct boot *b);

/* boot_system.c */
int ready_hostname(struct boot *b);
int ready_hosts(struct boot *b);
int ready_machine_id(struct boot *b);
int ready_loopback(struct boot *b);
int ready_sysctls(struct boot *b);
int ready_prelaunch(struct boot *b);

/* What a step could not do with one of several things: said at once, for the step has one errno only. */
int boot_refused(const struct boot *b, const char *what, int err);

#endif
