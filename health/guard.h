/* guard.h - takes from the probe helper every right that it does not need. */
#ifndef HEALTH_GUARD_H
#define HEALTH_GUARD_H

/*
 * Names the process, closes all descriptors from 3 on but `keep`, and gives up
 * for good: core dumps, new privileges, all capabilities but two (SYS_PTRACE to
 * follow /proc/PID/root, DAC_OVERRIDE to reach a socket that only its daemon's
 * group may use), and every system call that probes do not make. The file mode
 * mask and signal actions become known ones. What the kernel refuses is told once, by
 * say(), and carried on without. Landlock is left out on purpose: its ptrace rule
 * would shut /proc/PID/root.
 *
 * After it: no allocation (neither brk nor mmap is allowed), no stdio, no locks.
 */
void guard_enter(int keep);

#endif
