/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The batch interface in tests. The fixture has room for some requests and replies:
 * ROOMS_FIXTURE, rooms_setup() and rooms_teardown() stand beside those of the disk.
 */
#ifndef DMU_TEST_BATCH_H
#define DMU_TEST_BATCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "dmu_test.h"

#define NR 8
#define ROOM 8192

#define ROOMS_FIXTURE							\
	unsigned char *room[NR];					\
	struct dm_user_request requests[NR];				\
	struct dm_user_reply replies[NR];				\
	struct dm_user_xfer x

#define rooms_setup() do {						\
	for (int i_ = 0; i_ < NR; i_++)					\
		self->room[i_] = malloc(ROOM);				\
} while (0)

#define rooms_teardown() do {						\
	for (int i_ = 0; i_ < NR; i_++)					\
		free(self->room[i_]);					\
} while (0)

/* Give so many replies, and fetch at most so many requests; 0 or a negative errno. */
#define xfer(fd, nr_replies_, nr_requests_)				\
({									\
	for (int i_ = 0; i_ < NR; i_++)					\
		self->requests[i_] = (struct dm_user_request) {		\
			.data = (uintptr_t)self->room[i_],		\
			.room = ROOM,					\
		};							\
	self->x = (struct dm_user_xfer) {				\
		.replies = (uintptr_t)self->replies,			\
		.requests = (uintptr_t)self->requests,			\
		.nr_replies = nr_replies_,				\
		.nr_requests = nr_requests_,				\
	};								\
	channel_call(fd, DM_USER_XFER, &self->x);			\
})

/* Fill in the reply number @i. */
#define set_reply(i, seq, type, data, len)				\
	put_reply(&self->replies[i], seq, DM_USER_RESP_##type, (uintptr_t)(data), len)
void put_reply(struct dm_user_reply *to, uint64_t seq, unsigned int type, uintptr_t data,
	       size_t len);

/* ioctl(): 0 or a negative errno. */
int channel_call(int fd, unsigned long cmd, void *arg);

/* A thread that makes such a call. The test sets the first three. */
struct caller {
	int fd;
	unsigned long cmd;
	void *arg;
	int result;
	pthread_t thread;
	pid_t tid;
	bool ended;
};

int caller_start(struct caller *c);
bool caller_sleeps(struct caller *c);
bool caller_ended(struct caller *c);

#endif
