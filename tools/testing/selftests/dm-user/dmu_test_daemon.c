// SPDX-License-Identifier: GPL-2.0-only
/* See dmu_test.h: channels, and a daemon that serves from memory. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dmu_test.h"

/* The most that one request has by default. */
#define MAX_IO (1024 * 1024)

int channel_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int read_chunks(int fd, void *to, size_t len, size_t chunk)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	for (size_t done = 0; done < len;) {
		ssize_t n;

		if (poll(&p, 1, SOON_MS) != 1)
			return -ETIME;
		n = read(fd, (char *)to + done, MIN(chunk, len - done));

		if (n <= 0)
			return n < 0 ? -errno : -ENODATA;
		done += n;
	}
	return 0;
}

static int write_chunks(int fd, const void *from, size_t len, size_t chunk)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, (const char *)from + done, MIN(chunk, len - done));

		if (n <= 0)
			return n < 0 ? -errno : -ENODATA;
		done += n;
	}
	return 0;
}

int fetch(int fd, struct dm_user_message *m, size_t chunk)
{
	int ret = read_chunks(fd, m, HEADER, chunk);

	if (!ret && m->type == DM_USER_REQ_MAP_WRITE)
		ret = read_chunks(fd, m->buf, m->len, chunk);
	return ret;
}

int reply(int fd, uint64_t seq, uint64_t type, const void *data, size_t len,
	  size_t chunk)
{
	struct dm_user_message *m = calloc(1, HEADER + len);
	int ret;

	if (!m)
		return -ENOMEM;
	m->seq = seq;
	m->type = type;
	if (len)
		memcpy(m->buf, data, len);
	ret = write_chunks(fd, m, HEADER + len, chunk);
	free(m);
	return ret;
}

int serve_plain(int fd, struct dm_user_message *m)
{
	int ret = fetch(fd, m, SIZE_MAX);

	return ret ?: reply(fd, m->seq, DM_USER_RESP_SUCCESS, NULL, 0, SIZE_MAX);
}

static int serve_ram(struct ram_daemon *d, int fd, size_t chunk)
{
	struct dm_user_message *m = malloc(HEADER + MAX_IO);
	uint64_t type;
	size_t len;
	void *at;
	int ret;

	if (!m)
		return -ENOMEM;
	for (;;) {
		ret = fetch(fd, m, chunk);
		if (ret == -ETIME)
			continue;
		if (ret)
			break;
		type = DM_USER_RESP_SUCCESS;
		len = 0;
		at = d->disk + m->sector * 512;
		if (m->sector * 512 + m->len > d->size)
			type = DM_USER_RESP_ERROR;
		else if (m->type == DM_USER_REQ_MAP_READ)
			len = m->len;
		else if (m->type == DM_USER_REQ_MAP_WRITE)
			memcpy(at, m->buf, m->len);
		else if (m->type != DM_USER_REQ_MAP_FLUSH)
			memset(at, 0, m->len);
		ret = reply(fd, m->seq, type, at, len, chunk);
		if (ret)
			break;
	}
	free(m);
	return ret;
}

int ram_restart(struct ram_daemon *d, const char *control, size_t chunk)
{
	int fd = channel_open(control);

	if (fd < 0)
		return fd;
	d->pid = fork();
	if (!d->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int other = 3; other < 64; other++)
			if (other != fd)
				close(other);
		_exit(serve_ram(d, fd, chunk) == -ENOTBLK ? 0 : 1);
	}
	close(fd);
	return d->pid < 0 ? -errno : 0;
}

int ram_start(struct ram_daemon *d, const char *control, size_t size, size_t chunk)
{
	*d = (struct ram_daemon) { .size = size };
	d->disk = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	if (d->disk == MAP_FAILED)
		return -errno;
	return ram_restart(d, control, chunk);
}

int ram_kill(struct ram_daemon *d, int sig)
{
	int status;

	if (d->pid <= 0)
		return -ESRCH;
	kill(d->pid, sig);
	waitpid(d->pid, &status, 0);
	d->pid = 0;
	return status;
}

void ram_end(struct ram_daemon *d)
{
	ram_kill(d, SIGKILL);
	if (d->disk && d->disk != MAP_FAILED)
		munmap(d->disk, d->size);
	*d = (struct ram_daemon) {};
}
