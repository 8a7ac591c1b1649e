// SPDX-License-Identifier: GPL-2.0-only
/*
 * libdmuser: threads that fetch requests from channels and answer them, many in one call.
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

/* All memory is locked, so the default of 8 MiB per thread would be. */
#define STACK_SIZE (128 * 1024)

/* Requests that a thread has at once. */
#define BATCH 16
/*
 * Room for the data of each but the first, which has room for the largest: small requests
 * come many at once, large ones one by one.
 */
#define SMALL_ROOM (64 * 1024)

struct server {
	const char *path;
	const struct dmuser_options *options;
	pthread_mutex_t starting;	/* held until all threads are there */
	bool failed;			/* not all are */
};

struct channel {
	pthread_t thread;
	struct server *server;
	int fd;
	int result;
	size_t max_io;
	char *rooms;
	struct dm_user_request requests[BATCH];
	struct dm_user_reply replies[BATCH];
	unsigned int nr_replies;
};

static size_t room_size(const struct channel *ch, unsigned int i)
{
	return i ? SMALL_ROOM : ch->max_io;
}

static char *room(const struct channel *ch, unsigned int i)
{
	return ch->rooms + (i ? ch->max_io + (i - 1) * SMALL_ROOM : 0);
}

static size_t rooms_size(const struct channel *ch)
{
	return ch->max_io + (BATCH - 1) * SMALL_ROOM;
}

static void free_rooms(struct channel *ch)
{
	if (ch->rooms)
		munmap(ch->rooms, rooms_size(ch));
	ch->rooms = NULL;
}

/* Make room for the largest request of the table that is live now. */
static int make_rooms(struct channel *ch)
{
	struct dm_user_info info;
	void *rooms;

	if (ioctl(ch->fd, DM_USER_INFO, &info))
		return -errno;
	free_rooms(ch);
	ch->max_io = info.max_io;
	rooms = mmap(NULL, rooms_size(ch), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (rooms == MAP_FAILED)
		return -errno;
	ch->rooms = rooms;
	for (unsigned int i = 0; i < BATCH; i++) {
		ch->requests[i].data = (uintptr_t)room(ch, i);
		ch->requests[i].room = room_size(ch, i);
	}
	return 0;
}

/* Answers what was handled, and fetches at most @nr requests. Returns their number. */
static int xfer(struct channel *ch, unsigned int nr)
{
	struct dm_user_reply *replies = ch->replies;
	struct dm_user_xfer x;
	int error;

	do {
		x = (struct dm_user_xfer) {
			.replies = (uintptr_t)replies,
			.requests = (uintptr_t)ch->requests,
			.nr_replies = ch->nr_replies,
			.nr_requests = nr,
		};
		error = ioctl(ch->fd, DM_USER_XFER, &x) ? errno : 0;
		if (!error) {
			replies += x.replied;
			ch->nr_replies -= x.replied;
		}
		/* A larger table may have come. Nothing is in the rooms now. */
		if (error == EMSGSIZE)
			error = -make_rooms(ch) ?: EINTR;
	} while (error == EINTR || error == ENOMEM || (!error && ch->nr_replies));
	return error ? -error : (int)x.fetched;
}

static unsigned int reply_type(int result)
{
	switch (result) {
	case 0:
		return DM_USER_RESP_SUCCESS;
	case DMUSER_REMAP:
		return DM_USER_RESP_REMAP;
	case -EOPNOTSUPP:
		return DM_USER_RESP_UNSUPPORTED;
	case -ENOSPC:
		return DM_USER_RESP_NOSPC;
	case -ETIMEDOUT:
		return DM_USER_RESP_TIMEDOUT;
	case -ENOLINK:
		return DM_USER_RESP_NOLINK;
	case -EILSEQ:
		return DM_USER_RESP_ILSEQ;
	case -EAGAIN:
		return DM_USER_RESP_AGAIN;
	default:
		return DM_USER_RESP_ERROR;
	}
}

static int handle(struct channel *ch, unsigned int i)
{
	const struct dm_user_request *r = &ch->requests[i];
	struct dm_user_reply reply = {};
	struct dmuser_request request = {
		.type = r->type,
		.flags = r->flags,
		.offset = r->sector * 512,
		.len = r->len,
		.remap = &reply,
		.channel = ch->fd,
	};
	int error;

	if (r->type == DM_USER_REQ_MAP_WRITE) {
		request.data = room(ch, i);
	} else if (r->type == DM_USER_REQ_MAP_READ) {
		if (r->len > room_size(ch, i)) {
			/* Only the first room is large enough: empty it. */
			error = xfer(ch, 0);
			if (error)
				return error;
			i = 0;
		}
		request.data = room(ch, i);
	}
	error = ch->server->options->handle(ch->server->options->context, &request);
	if (error != DMUSER_REMAP)
		reply = (struct dm_user_reply) {
			.data = (uintptr_t)request.data, .len = r->len,
		};
	reply.seq = r->seq;
	reply.type = reply_type(error);
	ch->replies[ch->nr_replies++] = reply;
	return 0;
}

/* Returns a negative errno when the channel is of no more use. */
static int serve_batch(struct channel *ch)
{
	int fetched = xfer(ch, BATCH), error = 0;

	for (int i = 0; i < fetched && !error; i++)
		error = handle(ch, i);
	return fetched < 0 ? fetched : error;
}

static int open_channel(struct channel *ch)
{
	ch->nr_replies = 0;
	ch->fd = open(ch->server->path, O_RDWR | O_CLOEXEC);
	return ch->fd < 0 ? -errno : make_rooms(ch);
}

static void close_channel(struct channel *ch)
{
	if (ch->fd >= 0)
		close(ch->fd);
	ch->fd = -1;
}

/*
 * A request has timed out. Nothing that the channel fetched is being carried out any more,
 * which is what closing it tells the kernel.
 */
static int reopen_channel(struct channel *ch)
{
	int error;

	fputs("dm-user: a request has timed out\n", stderr);
	close_channel(ch);
	error = open_channel(ch);
	/* The device is being removed. */
	return error == -ENOENT || error == -ENXIO ? -ENOTBLK : error;
}

static void *serve(void *arg)
{
	struct channel *ch = arg;
	struct server *s = ch->server;

	if (prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0))
		fprintf(stderr, "dm-user: cannot be an I/O flusher: %s\n",
			strerror(errno));
	pthread_mutex_lock(&s->starting);
	pthread_mutex_unlock(&s->starting);
	if (s->failed)
		return NULL;
	do {
		ch->result = serve_batch(ch);
		if (ch->result == -ESTALE)
			ch->result = reopen_channel(ch);
	} while (!ch->result);
	if (ch->result == -ENOTBLK)
		ch->result = 0;
	/* Others may carry out what this thread has not. */
	close_channel(ch);
	return NULL;
}

static void close_channels(struct channel *channels, unsigned int n)
{
	while (n--) {
		free_rooms(&channels[n]);
		close_channel(&channels[n]);
	}
	free(channels);
}

int dmuser_serve(const char *path, const struct dmuser_options *options)
{
	struct server s = {
		.path = path,
		.options = options,
		.starting = PTHREAD_MUTEX_INITIALIZER,
	};
	unsigned int n = options->threads ?: 1, opened, running = 0, i;
	struct channel *channels = calloc(n, sizeof(*channels));
	pthread_attr_t attr;
	int result = 0;

	if (!channels)
		return -ENOMEM;
	for (opened = 0; opened < n && !result; opened++) {
		channels[opened].server = &s;
		result = open_channel(&channels[opened]);
	}
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_mutex_lock(&s.starting);
	while (!result && running < n) {
		result = -pthread_create(&channels[running].thread, &attr, serve,
					 &channels[running]);
		running += !result;
	}
	s.failed = result;
	/* Before all memory is there, a limit would make allocating it fail. */
	if (!result && mlockall(MCL_CURRENT | MCL_FUTURE))
		fprintf(stderr, "dm-user: cannot lock memory: %s\n", strerror(errno));
	pthread_mutex_unlock(&s.starting);
	if (!result && options->ready)
		options->ready(options->context);
	for (i = 0; i < running; i++) {
		pthread_join(channels[i].thread, NULL);
		result = result ?: channels[i].result;
	}
	pthread_attr_destroy(&attr);
	close_channels(channels, opened);
	return result;
}
