/* sink.c - writes to the container's stdout without ever waiting for its reader. */
#include "init/control/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is asked of a pipe that we share with others: POLLOUT promises room for this much, pipe(7). */
#define PIPE_SURE 4096u

int sink_open(struct sink *ret, int fd)
{
	struct sink s = { .fd = fd, .out.most = SINK_MOST };
	char path[32];
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	s.socket = S_ISSOCK(st.st_mode);
	/* Not opened anew: the place in the file is shared with whoever else writes there. */
	s.file = S_ISREG(st.st_mode);
	s.fd = -1;
	if (!s.socket && !s.file) {
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		s.fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		s.ours = s.fd >= 0;
	}
	if (s.fd < 0)
		s.fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (s.fd < 0)
		return -errno;
	*ret = s;
	return 0;
}

void sink_close(struct sink *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	buf_free(&s->out);
	s->fd = -1;
}

static ssize_t put(const struct sink *s, const char *bytes, size_t n)
{
	struct pollfd p = { .fd = s->fd, .events = POLLOUT };

	if (s->socket)
		return send(s->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (!s->ours && !s->file) {
		if (n > PIPE_SURE)
			n = PIPE_SURE;
		if (poll(&p, 1, 0) == 0) {
			errno = EAGAIN;
			return -1;
		}
	}
	return write(s->fd, bytes, n);
}

void sink_flush(struct sink *s)
{
	size_t done = 0;

	s->blocked = false;
	while (done < s->out.len) {
		ssize_t n = put(s, s->out.at + done, s->out.len - done);

		if (n > 0) {
			s->dead = false;
			done += (size_t)n;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			s->blocked = true;
			break;
		}
		/* Nobody reads (EPIPE), or it cannot be had (EIO, ENOSPC): that is their affair. The next line tries again. */
		for (size_t i = done; i < s->out.len; i++)
			s->lost += s->out.at[i] == '\n';
		s->dead = true;
		done = s->out.len;
	}
	buf_drop(&s->out, done);
	/* Once it is full, it must flow a good deal before lines are taken again: else every other line would be lost. */
	if (s->out.len <= SINK_MOST / 2)
		s->full = false;
}

bool sink_line(struct sink *s, const char *line, size_t n)
{
	if (s->out.len + n > SINK_MOST && !s->full && !s->blocked)
		sink_flush(s);
	if (s->full || s->out.len + n > SINK_MOST) {
		s->full = true;
		s->lost++;
		return false;
	}
	size_t len = s->out.len;

	buf_put(&s->out, line, n);
	if (s->out.broken) {
		buf_cut(&s->out, len);
		s->lost++;
		return false;
	}
	return true;
}

uint64_t sink_told(struct sink *s)
{
	uint64_t lost = s->lost;

	if (s->full || s->blocked || s->dead || lost == 0)
		return 0;
	s->lost = 0;
	return lost;
}
