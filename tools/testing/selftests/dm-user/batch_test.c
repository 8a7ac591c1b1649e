// SPDX-License-Identifier: GPL-2.0-only
/* The batch interface of a channel: DM_USER_XFER. */
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "dmu_test_batch.h"
#include "dmu_test_fixture.h"

#define NOWHERE 8

FIXTURE(batch) {
	DISK_FIXTURE;
	ROOMS_FIXTURE;
};

FIXTURE_SETUP(batch)
{
	disk_setup("3 timeout_ms 0 discard");
	rooms_setup();
}

FIXTURE_TEARDOWN(batch)
{
	disk_teardown();
	rooms_teardown();
}

TEST_F(batch, info_names_it)
{
	struct dm_user_info info;

	ASSERT_EQ(0, ioctl(self->fd, DM_USER_INFO, &info));
	EXPECT_TRUE(info.features & DM_USER_FEATURE_XFER);
}

TEST_F(batch, write_brings_its_data_and_what_the_stream_would_say)
{
	struct dm_user_request *r = self->requests;

	start(0, IO_WRITE, 24, 4096, 'w');
	ASSERT_EQ(0, xfer(self->fd, 0, NR));
	EXPECT_EQ(0, self->x.replied);
	ASSERT_EQ(1, self->x.fetched);
	EXPECT_EQ(DM_USER_REQ_MAP_WRITE, r->type);
	EXPECT_FALSE(r->flags & DM_USER_REQ_REDELIVERED);
	EXPECT_EQ(24, r->sector);
	EXPECT_EQ(4096, r->len);
	EXPECT_EQ((uintptr_t)self->room[0], r->data);
	EXPECT_TRUE(is_filled(self->room[0], 'w', 4096));
	EXPECT_EQ(IO_RUNNING, io_wait(&self->io[0], 0));
	set_reply(0, r->seq, SUCCESS, NULL, 0);
	ASSERT_EQ(0, xfer(self->fd, 1, 0));
	EXPECT_EQ(1, self->x.replied);
	EXPECT_EQ(0, done(0));
}

TEST_F(batch, read_takes_the_data_of_the_reply)
{
	start(0, IO_READ, 0, 4096, 0);
	ASSERT_EQ(0, xfer(self->fd, 0, 1));
	ASSERT_EQ(1, self->x.fetched);
	memset(self->room[1], 'r', 4096);
	set_reply(0, self->requests[0].seq, SUCCESS, self->room[1], 4096);
	ASSERT_EQ(0, xfer(self->fd, 1, 0));
	EXPECT_EQ(0, done(0));
	EXPECT_TRUE(io_has(&self->io[0], 'r'));
}

TEST_F(batch, requests_without_data_touch_no_memory)
{
	start(0, IO_DISCARD, 0, 65536, 0);
	ASSERT_EQ(0, xfer(self->fd, 0, 1));
	EXPECT_EQ(DM_USER_REQ_MAP_DISCARD, self->requests[0].type);
	EXPECT_EQ(65536, self->requests[0].len);
	set_reply(0, self->requests[0].seq, SUCCESS, NOWHERE, 1);
	ASSERT_EQ(0, xfer(self->fd, 1, 0));
	EXPECT_EQ(0, done(0));
	start(1, IO_READ, 0, 4096, 0);
	ASSERT_EQ(0, xfer(self->fd, 0, 1));
	set_reply(0, self->requests[0].seq, ERROR, NOWHERE, 1);
	ASSERT_EQ(0, xfer(self->fd, 1, 0));
	EXPECT_EQ(-EIO, done(1));
}

TEST_F(batch, many_requests_go_in_one_call_and_their_replies_in_any_order)
{
	for (int i = 0; i < NR; i++)
		start(i, IO_WRITE, i * 8, 4096, 'a' + i);
	ASSERT_TRUE(wait_until(disk_status("queued") == NR, SOON_MS));
	ASSERT_EQ(0, xfer(self->fd, 0, NR));
	ASSERT_EQ(NR, self->x.fetched);
	for (int i = 0; i < NR; i++) {
		EXPECT_TRUE(is_filled(self->room[i], 'a' + self->requests[i].sector / 8, 4096));
		set_reply(NR - 1 - i, self->requests[i].seq, SUCCESS, NULL, 0);
	}
	ASSERT_EQ(0, xfer(self->fd, NR, 0));
	EXPECT_EQ(NR, self->x.replied);
	for (int i = 0; i < NR; i++)
		EXPECT_EQ(0, done(i));
}

TEST_F(batch, one_call_answers_and_waits_for_the_next)
{
	start(0, IO_WRITE, 0, 4096, 'x');
	ASSERT_EQ(0, xfer(self->fd, 0, NR));
	set_reply(0, self->requests[0].seq, SUCCESS, NULL, 0);
	start(1, IO_WRITE, 8, 4096, 'y');
	ASSERT_EQ(0, xfer(self->fd, 1, NR));
	EXPECT_EQ(1, self->x.replied);
	ASSERT_EQ(1, self->x.fetched);
	EXPECT_EQ(8, self->requests[0].sector);
	EXPECT_EQ(0, done(0));
	set_reply(0, self->requests[0].seq, SUCCESS, NULL, 0);
	ASSERT_EQ(0, xfer(self->fd, 1, 0));
	EXPECT_EQ(0, done(1));
}

TEST_F(batch, channel_has_one_interface)
{
	char reply[HEADER] = {};

	self->fd2 = open(CONTROL, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	ASSERT_LE(0, self->fd2);
	EXPECT_EQ(0, xfer(self->fd, 0, 0));
	EXPECT_EQ(-1, read(self->fd, self->m, HEADER));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(-1, write(self->fd, reply, HEADER));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(-1, read(self->fd2, self->m, HEADER));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(-EBUSY, xfer(self->fd2, 0, 0));
}

TEST_F(batch, what_is_not_defined_is_refused)
{
	struct dm_user_xfer good = {
		.replies = (uintptr_t)self->replies,
		.requests = (uintptr_t)self->requests,
	}, x;

	start(0, IO_WRITE, 0, 4096, 'x');
	x = good;
	x.flags = 2;
	EXPECT_EQ(-EINVAL, channel_call(self->fd, DM_USER_XFER, &x));
	x = good;
	x.reserved = 1;
	EXPECT_EQ(-EINVAL, channel_call(self->fd, DM_USER_XFER, &x));
	x = good;
	x.nr_replies = DM_USER_XFER_MAX + 1;
	EXPECT_EQ(-EINVAL, channel_call(self->fd, DM_USER_XFER, &x));
	x = good;
	x.nr_requests = DM_USER_XFER_MAX + 1;
	EXPECT_EQ(-EINVAL, channel_call(self->fd, DM_USER_XFER, &x));
	x = good;
	x.nr_requests = 1;
	self->requests[0] = (struct dm_user_request) { .reserved = 1 };
	EXPECT_EQ(-EINVAL, channel_call(self->fd, DM_USER_XFER, &x));
	ASSERT_EQ(0, xfer(self->fd, 0, 1));
	ASSERT_EQ(1, self->x.fetched);
	set_reply(0, self->requests[0].seq, SUCCESS, NULL, 0);
	self->replies[0].reserved = 1;
	EXPECT_EQ(-EINVAL, xfer(self->fd, 1, 0));
	set_reply(0, self->requests[0].seq, REMAP, NULL, 0);
	EXPECT_EQ(-EINVAL, xfer(self->fd, 1, 0));
	set_reply(0, self->requests[0].seq, AGAIN, NULL, 0);
	self->replies[0].type++;
	EXPECT_EQ(-EINVAL, xfer(self->fd, 1, 0));
	set_reply(0, self->requests[0].seq + 1, SUCCESS, NULL, 0);
	EXPECT_EQ(-EINVAL, xfer(self->fd, 1, 0));
	set_reply(0, self->requests[0].seq, SUCCESS, NULL, 0);
	EXPECT_EQ(0, xfer(self->fd, 1, 0));
	EXPECT_EQ(0, done(0));
	/* Only once. */
	EXPECT_EQ(-EINVAL, xfer(self->fd, 1, 0));
}

TEST_F(batch, wrong_length_of_a_read_can_be_corrected)
{
	start(0, IO_READ, 0, 4096, 0);
	ASSERT_EQ(0, xfer(self->fd, 0, 1));
	memset(self->room[0], 'r', ROOM);
	set_reply(0, self->requests[0].seq, SUCCESS, self->room[0], 4095);
	EXPECT_EQ(-EINVAL, xfer(self->fd, 1, 0));
	self->replies[0].len = 4097;
	EXPECT_EQ(-EINVAL, xfer(self->fd, 1, 0));
	EXPECT_EQ(IO_RUNNING, io_wait(&self->io[0], 0));
	self->replies[0].len = 4096;
	EXPECT_EQ(0, xfer(self->fd, 1, 0));
	EXPECT_EQ(0, done(0));
	EXPECT_TRUE(io_has(&self->io[0], 'r'));
}

TEST_F(batch, bad_reply_ends_the_call_behind_the_good_ones)
{
	for (int i = 0; i < 3; i++)
		start(i, IO_WRITE, i * 8, 4096, 'x');
	ASSERT_TRUE(wait_until(disk_status("queued") == 3, SOON_MS));
	ASSERT_EQ(0, xfer(self->fd, 0, NR));
	ASSERT_EQ(3, self->x.fetched);
	set_reply(0, self->requests[0].seq, SUCCESS, NULL, 0);
	set_reply(1, 12345, SUCCESS, NULL, 0);
	set_reply(2, self->requests[2].seq, SUCCESS, NULL, 0);
	/* It does not wait for a request either. */
	ASSERT_EQ(0, xfer(self->fd, 3, NR));
	EXPECT_EQ(1, self->x.replied);
	EXPECT_EQ(0, self->x.fetched);
	self->replies[0] = self->replies[1];
	EXPECT_EQ(-EINVAL, xfer(self->fd, 1, NR));
	EXPECT_EQ(2, disk_status("inflight"));
}

TEST_F(batch, bad_memory_loses_nothing)
{
	start(0, IO_WRITE, 0, 4096, 'w');
	ASSERT_TRUE(wait_until(disk_status("queued") == 1, SOON_MS));
	EXPECT_EQ(-EFAULT, channel_call(self->fd, DM_USER_XFER, (void *)NOWHERE));
	self->x = (struct dm_user_xfer) { .nr_requests = 1, .requests = NOWHERE };
	EXPECT_EQ(-EFAULT, channel_call(self->fd, DM_USER_XFER, &self->x));
	self->x.requests = (uintptr_t)self->requests;
	self->requests[0] = (struct dm_user_request) { .data = NOWHERE, .room = ROOM };
	EXPECT_EQ(-EFAULT, channel_call(self->fd, DM_USER_XFER, &self->x));
	ASSERT_EQ(1, disk_status("queued"));
	self->requests[0].data = -4096ULL;
	EXPECT_EQ(-EFAULT, channel_call(self->fd, DM_USER_XFER, &self->x));
	ASSERT_EQ(1, disk_status("queued"));
	ASSERT_EQ(0, xfer(self->fd, 0, 1));
	EXPECT_TRUE(is_filled(self->room[0], 'w', 4096));
	/* No daemon has seen it before. */
	EXPECT_FALSE(self->requests[0].flags & DM_USER_REQ_REDELIVERED);
	EXPECT_EQ(0, disk_status("redelivered"));
	self->x = (struct dm_user_xfer) { .nr_replies = 1, .replies = NOWHERE };
	EXPECT_EQ(-EFAULT, channel_call(self->fd, DM_USER_XFER, &self->x));
	set_reply(0, self->requests[0].seq, SUCCESS, NULL, 0);
	ASSERT_EQ(0, xfer(self->fd, 1, 0));
	EXPECT_EQ(0, done(0));

	start(1, IO_READ, 0, 4096, 0);
	ASSERT_EQ(0, xfer(self->fd, 0, 1));
	set_reply(0, self->requests[0].seq, SUCCESS, NOWHERE, 4096);
	EXPECT_EQ(-EFAULT, xfer(self->fd, 1, 0));
	EXPECT_EQ(IO_RUNNING, io_wait(&self->io[1], 0));
	memset(self->room[0], 'r', 4096);
	self->replies[0].data = (uintptr_t)self->room[0];
	EXPECT_EQ(0, xfer(self->fd, 1, 0));
	EXPECT_EQ(0, done(1));
	EXPECT_TRUE(io_has(&self->io[1], 'r'));
}

TEST_F(batch, data_without_room_stays_in_the_queue)
{
	start(0, IO_WRITE, 0, ROOM * 2, 'w');
	ASSERT_TRUE(wait_until(disk_status("queued") == 1, SOON_MS));
	EXPECT_EQ(-EMSGSIZE, xfer(self->fd, 0, NR));
	EXPECT_EQ(1, disk_status("queued"));
	/* Another channel has room. */
	self->fd2 = channel_open(CONTROL);
	ASSERT_EQ(0, serve_plain(self->fd2, self->m));
	EXPECT_EQ(0, done(0));
}

TEST_F(batch, errors_of_replies_reach_the_submitter)
{
	static const struct {
		unsigned int type;
		int error;
	} errors[] = {
		{ DM_USER_RESP_ERROR, -EIO },
		{ DM_USER_RESP_UNSUPPORTED, -EOPNOTSUPP },
		{ DM_USER_RESP_NOSPC, -ENOSPC },
		{ DM_USER_RESP_TIMEDOUT, -ETIMEDOUT },
		{ DM_USER_RESP_NOLINK, -ENOLINK },
		{ DM_USER_RESP_ILSEQ, -EILSEQ },
	};

	for (unsigned int i = 0; i < 6; i++) {
		start(i, IO_WRITE, 0, 4096, 'x');
		ASSERT_EQ(0, xfer(self->fd, 0, 1));
		set_reply(0, self->requests[0].seq, SUCCESS, NULL, 0);
		self->replies[0].type = errors[i].type;
		ASSERT_EQ(0, xfer(self->fd, 1, 0));
		EXPECT_EQ(errors[i].error, done(i)) {
			TH_LOG("type %u", errors[i].type);
		}
	}
	EXPECT_EQ(6, disk_status("errors"));
}

TEST_F(batch, again_delivers_the_request_behind_all_others)
{
	unsigned long long seq;

	start(0, IO_WRITE, 0, 4096, 'x');
	ASSERT_EQ(0, xfer(self->fd, 0, 1));
	seq = self->requests[0].seq;
	start(1, IO_WRITE, 8, 4096, 'y');
	ASSERT_TRUE(wait_until(disk_status("queued") == 1, SOON_MS));
	set_reply(0, seq, AGAIN, NULL, 0);
	ASSERT_EQ(0, xfer(self->fd, 1, NR));
	ASSERT_EQ(2, self->x.fetched);
	EXPECT_EQ(8, self->requests[0].sector);
	EXPECT_FALSE(self->requests[0].flags & DM_USER_REQ_REDELIVERED);
	EXPECT_EQ(seq, self->requests[1].seq);
	EXPECT_TRUE(self->requests[1].flags & DM_USER_REQ_REDELIVERED);
	EXPECT_TRUE(is_filled(self->room[1], 'x', 4096));
	EXPECT_EQ(1, disk_status("redelivered"));
	set_reply(0, self->requests[0].seq, SUCCESS, NULL, 0);
	set_reply(1, self->requests[1].seq, SUCCESS, NULL, 0);
	ASSERT_EQ(0, xfer(self->fd, 2, 0));
	EXPECT_EQ(0, done(0));
	EXPECT_EQ(0, done(1));
}

TEST_F(batch, request_of_a_closed_channel_says_that_it_was_redelivered)
{
	start(0, IO_WRITE, 0, 4096, 'x');
	ASSERT_EQ(0, xfer(self->fd, 0, 1));
	close(self->fd);
	self->fd = channel_open(CONTROL);
	ASSERT_EQ(0, xfer(self->fd, 0, 1));
	EXPECT_TRUE(self->requests[0].flags & DM_USER_REQ_REDELIVERED);
	set_reply(0, self->requests[0].seq, SUCCESS, NULL, 0);
	ASSERT_EQ(0, xfer(self->fd, 1, 0));
	EXPECT_EQ(0, done(0));
}

TEST_F(batch, nonblocking_call_does_not_wait)
{
	self->fd2 = open(CONTROL, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	ASSERT_LE(0, self->fd2);
	EXPECT_EQ(-EAGAIN, xfer(self->fd2, 0, NR));
	start(0, IO_WRITE, 0, 4096, 'x');
	ASSERT_TRUE(wait_until(disk_status("queued") == 1, SOON_MS));
	ASSERT_EQ(0, xfer(self->fd2, 0, NR));
	ASSERT_EQ(1, self->x.fetched);
	set_reply(0, self->requests[0].seq, SUCCESS, NULL, 0);
	ASSERT_EQ(0, xfer(self->fd2, 1, NR));
	EXPECT_EQ(1, self->x.replied);
	EXPECT_EQ(0, self->x.fetched);
	EXPECT_EQ(0, done(0));
}

TEST_F(batch, signal_ends_the_wait_but_hides_no_reply)
{
	struct caller c = { .fd = self->fd, .cmd = DM_USER_XFER, .arg = &self->x };

	start(0, IO_WRITE, 0, 4096, 'x');
	ASSERT_EQ(0, xfer(self->fd, 0, 1));
	set_reply(0, self->requests[0].seq, SUCCESS, NULL, 0);
	for (int round = 0; round < 2; round++) {
		self->x.nr_replies = !round;
		self->x.nr_requests = 1;
		ASSERT_EQ(0, caller_start(&c));
		EXPECT_TRUE(wait_until(caller_sleeps(&c), SOON_MS));
		thread_interrupt(c.thread);
		pthread_join(c.thread, NULL);
		EXPECT_EQ(round ? -EINTR : 0, c.result);
		EXPECT_EQ(!round, self->x.replied);
		EXPECT_EQ(0, self->x.fetched);
	}
	EXPECT_EQ(0, done(0));
}

/* No daemon has seen it, so that the suspend need not wait for one. */
TEST_F(batch, noflush_suspend_pushes_back_what_a_failed_fetch_returns)
{
	struct dm_user_request request = { .room = ROOM };
	struct dm_user_xfer x = { .requests = (uintptr_t)&request, .nr_requests = 1 };
	struct caller c = { .fd = self->fd, .cmd = DM_USER_XFER, .arg = &x };
	struct absent absent;
	int status = -1;
	pid_t pid;

	start(0, IO_WRITE, 0, 4096, 'x');
	start(1, IO_WRITE, 64, 4096, 'y');
	ASSERT_TRUE(wait_until(disk_status("queued") == 2, SOON_MS));
	/* Not before: the processes above must not keep it. */
	ASSERT_EQ(0, absent_map(&absent));
	request.data = (uintptr_t)absent.at;
	ASSERT_EQ(0, caller_start(&c));
	EXPECT_TRUE(wait_until(disk_status("inflight") == 1, SOON_MS));
	pid = disk_suspend_start();
	/* Suspend pushed back the queued request, and waits for the fetched one. */
	EXPECT_TRUE(wait_until(disk_status("queued") == 0, SOON_MS));
	absent_free(&absent);
	pthread_join(c.thread, NULL);
	EXPECT_EQ(-EFAULT, c.result);
	ASSERT_TRUE(wait_until(waitpid(pid, &status, WNOHANG) == pid, SOON_MS));
	EXPECT_EQ(0, status);
	ASSERT_EQ(0, dm("resume t"));
	ASSERT_TRUE(wait_until(disk_status("queued") == 2, SOON_MS));
	ASSERT_EQ(0, xfer(self->fd, 0, NR));
	ASSERT_EQ(2, self->x.fetched);
	for (int i = 0; i < 2; i++) {
		EXPECT_FALSE(self->requests[i].flags & DM_USER_REQ_REDELIVERED);
		set_reply(i, self->requests[i].seq, SUCCESS, NULL, 0);
	}
	ASSERT_EQ(0, xfer(self->fd, 2, 0));
	EXPECT_EQ(0, done(0));
	EXPECT_EQ(0, done(1));
}

TEST_F(batch, two_threads_of_a_channel_share_the_requests)
{
	struct dm_user_request request[2] = {};
	struct dm_user_xfer x[2];
	struct caller c[2];

	for (int i = 0; i < 2; i++) {
		request[i].data = (uintptr_t)self->room[i];
		request[i].room = ROOM;
		x[i] = (struct dm_user_xfer) {
			.requests = (uintptr_t)&request[i], .nr_requests = 1,
		};
		c[i] = (struct caller) {
			.fd = self->fd, .cmd = DM_USER_XFER, .arg = &x[i],
		};
		ASSERT_EQ(0, caller_start(&c[i]));
		EXPECT_TRUE(wait_until(caller_sleeps(&c[i]), SOON_MS));
	}
	start(0, IO_WRITE, 0, 4096, 'x');
	EXPECT_TRUE(wait_until(caller_ended(&c[0]) || caller_ended(&c[1]), SOON_MS));
	EXPECT_NE(caller_ended(&c[0]), caller_ended(&c[1]));
	start(1, IO_WRITE, 8, 4096, 'y');
	for (int i = 0; i < 2; i++) {
		pthread_join(c[i].thread, NULL);
		EXPECT_EQ(0, c[i].result);
		EXPECT_EQ(1, x[i].fetched);
		set_reply(i, request[i].seq, SUCCESS, NULL, 0);
	}
	ASSERT_EQ(0, xfer(self->fd, 2, 0));
	EXPECT_EQ(0, done(0));
	EXPECT_EQ(0, done(1));
}

TEST_F(batch, removed_target_and_revoked_channel_say_so)
{
	start(0, IO_WRITE, 0, 4096, 'x');
	ASSERT_EQ(0, xfer(self->fd, 0, 1));
	self->fd2 = channel_open(CONTROL);
	ASSERT_EQ(0, dm("message t 0 fail"));
	EXPECT_EQ(-ETIMEDOUT, done(0));
	set_reply(0, self->requests[0].seq, SUCCESS, NULL, 0);
	EXPECT_EQ(-ESTALE, xfer(self->fd, 1, 1));
	EXPECT_EQ(0, xfer(self->fd2, 0, 0));
	ASSERT_EQ(0, dm("remove --retry t"));
	EXPECT_EQ(-ENOTBLK, xfer(self->fd2, 0, 1));
}

/* A daemon that returns its request again and again, until it is told to stop. */
struct returner {
	int fd;
	bool stop;
	pthread_t thread;
};

static void *return_requests(void *arg)
{
	struct dm_user_request request = {};
	struct dm_user_reply again;
	struct dm_user_xfer get = { .requests = (uintptr_t)&request, .nr_requests = 1 };
	struct dm_user_xfer put = { .replies = (uintptr_t)&again, .nr_replies = 1 };
	struct returner *r = arg;

	while (!__atomic_load_n(&r->stop, __ATOMIC_SEQ_CST)) {
		if (channel_call(r->fd, DM_USER_XFER, &get))
			continue;
		put_reply(&again, request.seq, DM_USER_RESP_AGAIN, 0, 0);
		channel_call(r->fd, DM_USER_XFER, &put);
	}
	return NULL;
}

/* "fail" looks at the queue, then at one channel after the other. */
TEST_F(batch, fail_ends_a_request_that_moves_between_queue_and_channel)
{
	int others[100];

	for (int round = 0; round < 20; round++) {
		struct returner r = {};
		long long before = disk_status("redelivered");

		start(0, IO_READ, 0, 4096, 0);
		/* The first one comes last. */
		r.fd = open(CONTROL, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		ASSERT_LE(0, r.fd);
		for (int i = 0; i < 100; i++)
			others[i] = channel_open(CONTROL);
		ASSERT_EQ(0, pthread_create(&r.thread, NULL, return_requests, &r));
		EXPECT_TRUE(wait_until(disk_status("redelivered") > before, SOON_MS));
		ASSERT_EQ(0, dm("message t 0 fail"));
		ASSERT_EQ(-ETIMEDOUT, done(0));
		__atomic_store_n(&r.stop, true, __ATOMIC_SEQ_CST);
		pthread_join(r.thread, NULL);
		for (int i = 0; i < 100; i++)
			close(others[i]);
		close(r.fd);
		io_end(&self->io[0]);
	}
}

/* Answers a write on a channel that caches it, and closes the channel. */
#define lose_a_write(last_flags) do {					\
	start(0, IO_WRITE, 0, 4096, 'x');				\
	ASSERT_EQ(0, xfer(self->fd, 0, 1));				\
	set_reply(0, self->requests[0].seq, SUCCESS, NULL, 0);		\
	self->x.nr_replies = 1;						\
	self->x.nr_requests = 0;					\
	self->x.flags = DM_USER_XFER_VOLATILE;				\
	ASSERT_EQ(0, channel_call(self->fd, DM_USER_XFER, &self->x));				\
	EXPECT_EQ(0, done(0));						\
	self->x.nr_replies = 0;						\
	self->x.flags = last_flags;					\
	ASSERT_EQ(0, channel_call(self->fd, DM_USER_XFER, &self->x));				\
	close(self->fd);						\
	self->fd = channel_open(CONTROL);				\
} while (0)

TEST_F(batch, flush_after_lost_writes_fails_once)
{
	lose_a_write(DM_USER_XFER_VOLATILE);
	for (int i = 1; i < 3; i++) {
		start(i, IO_FSYNC, 0, 0, 0);
		ASSERT_EQ(0, serve_plain(self->fd, self->m));
		EXPECT_EQ(DM_USER_REQ_MAP_FLUSH, self->m->type);
		EXPECT_EQ(i == 1 ? -EIO : 0, done(i));
	}
}

/* The flush was there before the daemon died, and yet cannot cover the write. */
TEST_F(batch, flush_that_waited_while_writes_were_lost_fails)
{
	self->fd2 = channel_open(CONTROL);
	start(1, IO_FSYNC, 0, 0, 0);
	ASSERT_EQ(0, fetch(self->fd2, self->m, SIZE_MAX));
	lose_a_write(DM_USER_XFER_VOLATILE);
	EXPECT_EQ(0, answer(self->fd2, self->m->seq, SUCCESS));
	EXPECT_EQ(-EIO, done(1));
}

TEST_F(batch, orderly_end_of_a_caching_daemon_fails_no_flush)
{
	lose_a_write(0);
	start(1, IO_FSYNC, 0, 0, 0);
	ASSERT_EQ(0, serve_plain(self->fd, self->m));
	EXPECT_EQ(0, done(1));
}

TEST_HARNESS_MAIN
