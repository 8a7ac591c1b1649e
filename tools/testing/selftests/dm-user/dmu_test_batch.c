// SPDX-License-Identifier: GPL-2.0-only
/* See dmu_test_batch.h. */
#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "dmu_test_batch.h"

void put_reply(struct dm_user_reply *to, uint64_t seq, unsigned int type, uintptr_t data,
	       size_t len)
{
	*to = (struct dm_user_reply) {
		.seq = seq, .type = type, .data = data, .len = len,
	};
}

int channel_call(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) ? -errno : 0;
}

static void *call_in_thread(void *arg)
{
	struct caller *c = arg;

	__atomic_store_n(&c->tid, gettid(), __ATOMIC_SEQ_CST);
	c->result = channel_call(c->fd, c->cmd, c->arg);
	__atomic_store_n(&c->ended, true, __ATOMIC_SEQ_CST);
	return NULL;
}

int caller_start(struct caller *c)
{
	c->tid = 0;
	c->ended = false;
	return -pthread_create(&c->thread, NULL, call_in_thread, c);
}

bool caller_sleeps(struct caller *c)
{
	pid_t tid = __atomic_load_n(&c->tid, __ATOMIC_SEQ_CST);

	return tid && thread_state(tid) == 'S';
}

bool caller_ended(struct caller *c)
{
	return __atomic_load_n(&c->ended, __ATOMIC_SEQ_CST);
}
