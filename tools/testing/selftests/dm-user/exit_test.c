// SPDX-License-Identifier: GPL-2.0-only
/* A channel is closed with requests unanswered. */
#include "dmu_test_batch.h"
#include "dmu_test_fixture.h"

FIXTURE(redeliver) {
	DISK_FIXTURE;
};

FIXTURE_SETUP(redeliver)
{
	disk_setup("2 timeout_ms 0");
}

FIXTURE_TEARDOWN(redeliver)
{
	disk_teardown();
}

TEST_F(redeliver, another_channel_gets_the_same_request)
{
	struct dm_user_message *m = self->m;
	uint64_t seq;

	start(0, IO_WRITE, 8, 4096, 'x');
	ASSERT_EQ(0, fetch(self->fd, m, SIZE_MAX));
	seq = m->seq;
	close(self->fd);
	self->fd = channel_open(CONTROL);
	EXPECT_EQ(1, disk_status("queued"));
	EXPECT_EQ(0, disk_status("inflight"));
	EXPECT_EQ(1, disk_status("redelivered"));
	memset(m->buf, 0, 4096);
	ASSERT_EQ(0, fetch(self->fd, m, SIZE_MAX));
	EXPECT_EQ(seq, m->seq);
	EXPECT_EQ(8, m->sector);
	EXPECT_EQ('x', m->buf[0]);
	EXPECT_EQ('x', m->buf[4095]);
	EXPECT_EQ(0, answer(self->fd, m->seq, SUCCESS));
	EXPECT_EQ(0, done(0));
}

/* A request that was read or answered in part is delivered again from its start. */
TEST_F(redeliver, message_cut_anywhere_comes_whole)
{
	struct dm_user_message *m = self->m;
	char data[2048];

	start(0, IO_WRITE, 0, 4096, 'x');
	ASSERT_EQ(7, read(self->fd, m, 7));
	close(self->fd);
	self->fd = channel_open(CONTROL);
	ASSERT_EQ(HEADER, read(self->fd, m, HEADER));
	ASSERT_EQ(100, read(self->fd, m->buf, 100));
	close(self->fd);
	self->fd = channel_open(CONTROL);
	ASSERT_EQ(0, serve_plain(self->fd, m));
	EXPECT_EQ(4096, m->len);
	EXPECT_EQ('x', m->buf[4095]);
	EXPECT_EQ(0, done(0));

	memset(data, 'a', sizeof(data));
	start(1, IO_READ, 0, 4096, 0);
	ASSERT_EQ(0, fetch(self->fd, m, SIZE_MAX));
	/* Half of the data. */
	ASSERT_EQ(HEADER, write(self->fd, &(struct dm_user_message) { .seq = m->seq },
				HEADER));
	ASSERT_EQ(sizeof(data), write(self->fd, data, sizeof(data)));
	close(self->fd);
	self->fd = channel_open(CONTROL);
	ASSERT_EQ(0, fetch(self->fd, m, SIZE_MAX));
	memset(m->buf, 'b', 4096);
	ASSERT_EQ(0, reply(self->fd, m->seq, DM_USER_RESP_SUCCESS, m->buf, 4096, SIZE_MAX));
	EXPECT_EQ(0, done(1));
	EXPECT_TRUE(io_has(&self->io[1], 'b'));
}

TEST_F(redeliver, order_of_the_requests_stays)
{
	uint64_t seq[4];

	for (int i = 0; i < 4; i++) {
		start(i, IO_READ, i * 8, 4096, 0);
		ASSERT_TRUE(wait_until(disk_status("reads") == i + 1, SOON_MS));
	}
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, fetch(self->fd, self->m, SIZE_MAX));
		seq[i] = self->m->seq;
	}
	/* The middle one is answered; one was never fetched. */
	ASSERT_EQ(0, answer(self->fd, seq[1], ERROR));
	close(self->fd);
	self->fd = channel_open(CONTROL);
	ASSERT_EQ(0, fetch(self->fd, self->m, SIZE_MAX));
	EXPECT_EQ(seq[0], self->m->seq);
	ASSERT_EQ(0, fetch(self->fd, self->m, SIZE_MAX));
	EXPECT_EQ(seq[2], self->m->seq);
	ASSERT_EQ(0, fetch(self->fd, self->m, SIZE_MAX));
	EXPECT_EQ(seq[2] + 1, self->m->seq);
	EXPECT_EQ(2, disk_status("redelivered"));
}

TEST_F(redeliver, killed_daemon_loses_nothing)
{
	int killed = 0;

	close(self->fd);
	self->fd = -1;
	ASSERT_EQ(0, ram_start(&self->ram, CONTROL, SECTORS * 512, SIZE_MAX));
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < NR_IOS; i++)
			start(i, IO_WRITE, i * 128, 65536, round + i);
		/* The write that rises between these two is with the daemon. */
		killed += wait_until(disk_status("inflight") > 0 ||
				     disk_status("queued") == 0, SOON_MS);
		ram_kill(&self->ram, SIGKILL);
		ASSERT_EQ(0, ram_restart(&self->ram, CONTROL, SIZE_MAX));
		for (int i = 0; i < NR_IOS; i++) {
			ASSERT_EQ(0, done(i));
			EXPECT_EQ(round + i, self->ram.disk[i * 65536]);
			EXPECT_EQ(round + i, self->ram.disk[i * 65536 + 65535]);
			io_end(&self->io[i]);
		}
	}
	EXPECT_EQ(0, disk_status("errors"));
}

/* Nobody else tells it. */
TEST_F(redeliver, sleeping_reader_of_another_channel_gets_the_request)
{
	struct dm_user_request request = { .data = (uintptr_t)self->m, .room = 4096 };
	struct dm_user_xfer x = { .requests = (uintptr_t)&request, .nr_requests = 1 };
	struct caller c = { .cmd = DM_USER_XFER, .arg = &x };

	start(0, IO_WRITE, 8, 4096, 'x');
	ASSERT_EQ(0, fetch(self->fd, self->m, SIZE_MAX));
	self->fd2 = channel_open(CONTROL);
	c.fd = self->fd2;
	ASSERT_EQ(0, caller_start(&c));
	ASSERT_TRUE(wait_until(caller_sleeps(&c), SOON_MS));
	close(self->fd);
	self->fd = -1;
	pthread_join(c.thread, NULL);
	EXPECT_EQ(0, c.result);
	EXPECT_EQ(1, x.fetched);
	EXPECT_EQ(8, request.sector);
}

TEST_F(redeliver, request_that_comes_before_any_daemon_waits)
{
	close(self->fd);
	self->fd = -1;
	start(0, IO_WRITE, 8, 4096, 'x');
	ASSERT_TRUE(wait_until(disk_status("queued") == 1, SOON_MS));
	self->fd = channel_open(CONTROL);
	ASSERT_EQ(0, serve_plain(self->fd, self->m));
	EXPECT_EQ(0, done(0));
	EXPECT_EQ(0, disk_status("redelivered"));
}

FIXTURE(error) {
	DISK_FIXTURE;
};

FIXTURE_SETUP(error)
{
	disk_setup("4 timeout_ms 0 on_exit error");
}

FIXTURE_TEARDOWN(error)
{
	disk_teardown();
}

TEST_F(error, only_what_was_fetched_fails)
{
	start(0, IO_WRITE, 0, 4096, 'x');
	ASSERT_EQ(0, fetch(self->fd, self->m, SIZE_MAX));
	start(1, IO_WRITE, 8, 4096, 'y');
	ASSERT_TRUE(wait_until(disk_status("queued") == 1, SOON_MS));
	close(self->fd);
	EXPECT_EQ(-EIO, done(0));
	EXPECT_EQ(IO_RUNNING, io_wait(&self->io[1], 0));
	self->fd = channel_open(CONTROL);
	ASSERT_EQ(0, serve_plain(self->fd, self->m));
	EXPECT_EQ(0, done(1));
	EXPECT_EQ(1, disk_status("errors"));
	EXPECT_EQ(0, disk_status("redelivered"));
}

TEST_HARNESS_MAIN
