// SPDX-License-Identifier: GPL-2.0-only
/* See dmu_test.h: I/O in a child process. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dmu_test.h"

int io_do(int fd, enum io_op op, void *buf, size_t len, uint64_t sector)
{
	uint64_t range[2] = { sector * 512, len };
	struct iovec iov = { buf, len };
	ssize_t n = 0;

	switch (op) {
	case IO_READ:
		n = pread(fd, buf, len, sector * 512);
		break;
	case IO_WRITE:
	case IO_DSYNC_WRITE:
		n = pwrite(fd, buf, len, sector * 512);
		break;
	case IO_NOWAIT_WRITE:
		n = pwritev2(fd, &iov, 1, sector * 512, RWF_NOWAIT);
		break;
	case IO_FSYNC:
		n = fsync(fd);
		break;
	case IO_DISCARD:
		n = ioctl(fd, BLKDISCARD, range);
		break;
	case IO_ZERO:
		n = ioctl(fd, BLKZEROOUT, range);
		break;
	}
	return n < 0 ? -errno : 0;
}

static int open_and_do(struct io *io, enum io_op op, const char *path, uint64_t sector)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_DIRECT |
		      (op == IO_DSYNC_WRITE ? O_DSYNC : 0));

	return fd < 0 ? -errno : io_do(fd, op, io->buf, io->len, sector);
}

int io_start(struct io *io, enum io_op op, const char *path, uint64_t sector,
	     size_t len, unsigned char fill)
{
	int pipes[2], result;

	*io = (struct io) { .len = len, .fd = -1 };
	io->buf = mmap(NULL, len ?: 1, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (io->buf == MAP_FAILED || pipe2(pipes, O_CLOEXEC))
		return -errno;
	memset(io->buf, fill, len);
	io->fd = pipes[0];
	io->pid = fork();
	if (io->pid) {
		close(pipes[1]);
		return io->pid < 0 ? -errno : 0;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Channels of the case must close when the case closes them. */
	for (int fd = 3; fd < 64; fd++)
		if (fd != pipes[1])
			close(fd);
	result = open_and_do(io, op, path, sector);
	_exit(write(pipes[1], &result, sizeof(result)) != sizeof(result));
}

int io_wait(struct io *io, int timeout_ms)
{
	struct pollfd p = { .fd = io->fd, .events = POLLIN };
	int result;

	if (poll(&p, 1, timeout_ms) != 1)
		return IO_RUNNING;
	if (read(io->fd, &result, sizeof(result)) != sizeof(result))
		return -ECHILD;
	return result;
}

void io_end(struct io *io)
{
	if (io->pid > 0) {
		kill(io->pid, SIGKILL);
		waitpid(io->pid, NULL, 0);
	}
	if (io->fd > 0)
		close(io->fd);
	if (io->buf && io->buf != MAP_FAILED)
		munmap(io->buf, io->len ?: 1);
	*io = (struct io) {};
}

bool is_filled(const unsigned char *data, unsigned char fill, size_t len)
{
	while (len--)
		if (data[len] != fill)
			return false;
	return true;
}

bool io_has(const struct io *io, unsigned char fill)
{
	return is_filled(io->buf, fill, io->len);
}
