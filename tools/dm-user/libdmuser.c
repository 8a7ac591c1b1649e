// SPDX-License-Identifier: GPL-2.0-only
/*
 * libdmuser: threads that read requests from channels of the stream and answer them.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "libdmuser.h"

#define HEADER sizeof(struct dm_user_message)
/* All memory is locked, so the default of 8 MiB per thread would be. */
#define STACK_SIZE (128 * 1024)

struct channel {
	pthread_t thread;
	const struct dmuser_options *options;
	pthread_barrier_t *started;
	int fd;
	int result;
	size_t max_io;
	/* A message: its header, and room for the data of the largest request. */
	struct dm_user_message *message;
};

static int read_all(int fd, void *to, size_t len)
{
	while (len) {
		ssize_t n = read(fd, to, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		to = (char *)to + n;
		len -= n;
	}
	return 0;
}

static int write_all(int fd, const void *from, size_t len)
{
	while (len) {
		ssize_t n = write(fd, from, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		from = (const char *)from + n;
		len -= n;
	}
	return 0;
}

static uint64_t reply_type(int error)
{
	if (!error)
		return DM_USER_RESP_SUCCESS;
	return error == -EOPNOTSUPP ? DM_USER_RESP_UNSUPPORTED : DM_USER_RESP_ERROR;
}

static int serve_one(struct channel *ch)
{
	struct dm_user_message *m = ch->message;
	struct dmuser_request request;
	bool reads, writes;
	int error;

	error = read_all(ch->fd, m, HEADER);
	if (error)
		return error;
	reads = m->type == DM_USER_REQ_MAP_READ;
	writes = m->type == DM_USER_REQ_MAP_WRITE;
	if ((reads || writes) && m->len > ch->max_io)
		return -EMSGSIZE;
	if (writes)
		error = read_all(ch->fd, m->buf, m->len);
	if (error)
		return error;
	request = (struct dmuser_request) {
		.type = m->type,
		.flags = m->flags,
		.offset = m->sector * 512,
		.len = m->len,
		.data = reads || writes ? m->buf : NULL,
	};
	error = ch->options->handle(ch->options->context, &request);
	m->type = reply_type(error);
	return write_all(ch->fd, m, HEADER + (reads && !error ? m->len : 0));
}

static void *serve(void *arg)
{
	struct channel *ch = arg;

	if (prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0))
		fprintf(stderr, "dm-user: cannot be an I/O flusher: %s\n",
			strerror(errno));
	pthread_barrier_wait(ch->started);
	do
		ch->result = serve_one(ch);
	while (!ch->result);
	if (ch->result == -ENOTBLK)
		ch->result = 0;
	return NULL;
}

static int open_channel(struct channel *ch, const char *path)
{
	struct dm_user_info info;

	ch->fd = open(path, O_RDWR | O_CLOEXEC);
	if (ch->fd < 0)
		return -errno;
	if (ioctl(ch->fd, DM_USER_INFO, &info))
		return -errno;
	ch->max_io = info.max_io;
	/* Requests are aligned to their block size, and so is the data. */
	ch->message = mmap(NULL, HEADER + ch->max_io, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	return ch->message == MAP_FAILED ? -errno : 0;
}

static void close_channels(struct channel *channels, unsigned int n)
{
	while (n--) {
		if (channels[n].message && channels[n].message != MAP_FAILED)
			munmap(channels[n].message, HEADER + channels[n].max_io);
		if (channels[n].fd >= 0)
			close(channels[n].fd);
	}
	free(channels);
}

int dmuser_serve(const char *path, const struct dmuser_options *options)
{
	unsigned int n = options->threads ?: 1, opened, running = 0, i;
	pthread_attr_t attr;
	pthread_barrier_t started;
	struct channel *channels;
	int result = 0;

	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		fprintf(stderr, "dm-user: cannot lock memory: %s\n", strerror(errno));
	channels = calloc(n, sizeof(*channels));
	if (!channels)
		return -ENOMEM;
	for (opened = 0; opened < n && !result; opened++) {
		channels[opened].options = options;
		channels[opened].started = &started;
		result = open_channel(&channels[opened], path);
	}
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_barrier_init(&started, NULL, n + 1);
	for (; !result && running < n; running++)
		result = -pthread_create(&channels[running].thread, &attr, serve,
					 &channels[running]);
	if (!result) {
		pthread_barrier_wait(&started);
		if (options->ready)
			options->ready(options->context);
	}
	for (i = 0; i < running; i++) {
		if (result && !channels[i].result)
			pthread_cancel(channels[i].thread);
		pthread_join(channels[i].thread, NULL);
		result = result ?: channels[i].result;
	}
	pthread_barrier_destroy(&started);
	pthread_attr_destroy(&attr);
	close_channels(channels, opened);
	return result;
}
