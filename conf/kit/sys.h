/*
 * sys.h - the seam: every system call that PID 1 makes once it supervises.
 *
 * Each does what its namesake does, and returns -errno instead of -1 and errno.
 * The simulator links its own versions of all of them before this archive's, so
 * the very objects that run as PID 1 run in a world that it makes up.
 * Interrupted calls (EINTR) are begun again here, so nobody else has to.
 */
#ifndef CONF_KIT_SYS_H
#define CONF_KIT_SYS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

#include "conf/kit/time.h"

struct sys_exit { pid_t pid; int kind; int value; }; /* kind: 1 exited, 2 killed, 3 dumped core; value: code or signal */

msec_t sys_now(void);                   /* CLOCK_BOOTTIME */
msec_t sys_wall(void);                  /* CLOCK_REALTIME */
uint32_t sys_random(void);              /* 32 bits, for jitter; not for secrets */
bool sys_dice(void *into, size_t n);    /* n random bytes, 256 at most, without waiting: unlike any others, but not for secrets */
pid_t sys_fork(void);                   /* 0 in the child, whose handlers are all default (CLONE_CLEAR_SIGHAND, 5.5; else by hand) */
pid_t sys_fork_sharing(void);           /* the same, but the child shares our descriptors (CLONE_FILES) until it leaves */
/* A child in our own memory, with our descriptors (clone(2), CLONE_VM): life(self), on the stack that ends there, until execve or _exit. */
pid_t sys_fork_within(int (*life)(void *), void *stack_end, void *self);
/* Out of a table of descriptors that is shared: closes all above `last`, and those from 3 to below `first` (close_range(2), Linux 5.9). */
int sys_leave(int first, int last);
void sys_forget(void *at, size_t n);    /* whole pages of ours: zero, and no memory until they are written (MADV_DONTNEED) */
int sys_place(int fd, int at);          /* dup3(2), close-on-exec; returns `at`, or -errno */
int sys_move(int fd, int least);        /* fcntl(2), F_DUPFD_CLOEXEC; closes `fd`, and returns its new number or -errno */
/* Room for descriptors below `most`, at once: to grow a shared table, the kernel waits for all processors (expand_fdtable()). */
void sys_room(int most);
int sys_reap_peek(struct sys_exit *ret);  /* 1: somebody ended and waits to be reaped; 0 nobody; -ECHILD no children at all */
int sys_reap(pid_t pid);                /* takes the one that peek showed */
int sys_wait(pid_t pid, struct sys_exit *ret); /* waits for a child and takes it; only before supervision begins */
int sys_kill(pid_t pid, int sig);       /* pid < 0: a process group, as kill(2) */
pid_t sys_getsid(pid_t pid);
pid_t sys_getpgid(pid_t pid);
int sys_is_child(pid_t pid);             /* 1: a child of ours, running or waiting to be reaped; 0: not */
int sys_pipe(int two[2]);               /* close-on-exec, both ends blocking */
int sys_socketpair(int two[2]);         /* SOCK_SEQPACKET, close-on-exec, non-blocking on two[0] only */
int sys_nonblock(int fd);
bool sys_is_place(int fd);               /* a directory opened with O_PATH and O_DIRECTORY; asks no file system, so it never waits */
int sys_close(int fd);
ssize_t sys_read(int fd, void *into, size_t n);
ssize_t sys_write(int fd, const void *from, size_t n);
int sys_write_all(int fd, const void *from, size_t n); /* 0 or -errno; waits where the descriptor does */
/* One message with up to 4 descriptors; *n_fds in: room, out: how many came (close-on-exec). Never blocks. */
ssize_t sys_recv(int fd, void *into, size_t n, int *fds, int *n_fds);
ssize_t sys_send(int fd, const void *from, size_t n, const int *fds, int n_fds);
/* One datagram and who sent it, by the kernel's word (SO_PASSCRED). Descriptors that came along are closed. Never blocks. */
ssize_t sys_recv_from(int fd, void *into, size_t n, pid_t *pid, uid_t *uid);
int sys_epoll(void);
int sys_epoll_ctl(int ep, int op, int fd, uint32_t events, uint64_t data);
int sys_epoll_wait(int ep, struct epoll_event *ret, int most, msec_t timeout); /* FOREVER: until something happens */
void sys_doze(int fd, msec_t most); /* until it can be read, or for `most` ms, which are few */
int sys_signalfd(const sigset_t *set);  /* close-on-exec, non-blocking */
int sys_unlink(const char *path);
int sys_symlink(const char *to, const char *path); /* replaces what is there, atomically */

#endif
