// SPDX-License-Identifier: GPL-2.0-only
/* Daemons that do not come, do not answer, or answer too late. */
#include <poll.h>

#include "dmu_test_fixture.h"

#define TIMEOUT_MS 400

FIXTURE(timeout) {
	DISK_FIXTURE;
};

FIXTURE_SETUP(timeout)
{
	disk_setup("2 timeout_ms 400");
}

FIXTURE_TEARDOWN(timeout)
{
	disk_teardown();
}

/* The first user may be there before the daemon. */
TEST_F(timeout, request_that_nobody_fetches_fails)
{
	long long begin = now_ms();

	start(0, IO_READ, 0, 4096, 0);
	EXPECT_EQ(-ETIMEDOUT, done(0));
	EXPECT_LE(TIMEOUT_MS, now_ms() - begin);
	EXPECT_EQ(1, disk_status("timeouts"));
	EXPECT_EQ(1, disk_status("errors"));
	EXPECT_EQ(0, disk_status("queued"));
	/* The channel had no part in it. */
	start(1, IO_WRITE, 0, 4096, 'x');
	ASSERT_EQ(0, serve_plain(self->fd, self->m));
	EXPECT_EQ(0, done(1));
}

TEST_F(timeout, request_that_is_not_answered_fails_and_revokes_the_channel)
{
	struct pollfd p = { .fd = self->fd, .events = POLLIN };
	struct dm_user_message *m = self->m;

	start(0, IO_READ, 0, 4096, 0);
	ASSERT_EQ(0, fetch(self->fd, m, SIZE_MAX));
	EXPECT_EQ(-ETIMEDOUT, done(0));
	EXPECT_EQ(-ESTALE, answer(self->fd, m->seq, SUCCESS));
	EXPECT_EQ(-1, read(self->fd, m, HEADER));
	EXPECT_EQ(ESTALE, errno);
	EXPECT_EQ(1, poll(&p, 1, 0));
	EXPECT_TRUE(p.revents & POLLERR);
	/* Others go on. */
	self->fd2 = channel_open(CONTROL);
	start(1, IO_READ, 0, 4096, 0);
	ASSERT_EQ(0, fetch(self->fd2, m, SIZE_MAX));
	EXPECT_EQ(0, answer(self->fd2, m->seq, ERROR));
	EXPECT_EQ(-EIO, done(1));
}

TEST_F(timeout, reader_of_a_revoked_channel_is_woken)
{
	start(0, IO_READ, 0, 4096, 0);
	ASSERT_EQ(0, fetch(self->fd, self->m, SIZE_MAX));
	/* Sleeps until the channel is revoked. */
	EXPECT_EQ(-1, read(self->fd, self->m, HEADER));
	EXPECT_EQ(ESTALE, errno);
}

/* Redelivered before each timeout, and yet it ends. */
TEST_F(timeout, request_ends_within_twice_the_timeout)
{
	long long begin = now_ms(), took;
	int rounds = 0;

	start(0, IO_READ, 0, 4096, 0);
	while (io_wait(&self->io[0], TIMEOUT_MS / 4) == IO_RUNNING) {
		struct pollfd p;

		close(self->fd);
		self->fd = channel_open(CONTROL);
		ASSERT_LE(0, self->fd);
		p = (struct pollfd) { .fd = self->fd, .events = POLLIN };
		if (poll(&p, 1, 0) != 1)
			continue;
		ASSERT_EQ(HEADER, read(self->fd, self->m, HEADER));
		rounds++;
	}
	took = now_ms() - begin;
	EXPECT_LT(2, rounds);
	EXPECT_LE(2 * TIMEOUT_MS, took);
	/* Within, by the kernel's clock; this machine may be slow to say so. */
	EXPECT_GT(2 * TIMEOUT_MS + 20000, took);
	EXPECT_EQ(1, disk_status("timeouts"));
}

FIXTURE(late) {
	DISK_FIXTURE;
};

FIXTURE_SETUP(late)
{
	disk_setup("2 timeout_ms 0");
}

FIXTURE_TEARDOWN(late)
{
	disk_teardown();
}

TEST_F(late, fail_ends_all_requests)
{
	start(0, IO_READ, 0, 4096, 0);
	ASSERT_EQ(0, fetch(self->fd, self->m, SIZE_MAX));
	start(1, IO_READ, 0, 4096, 0);
	ASSERT_TRUE(wait_until(disk_status("queued") == 1, SOON_MS));
	ASSERT_EQ(0, dm("message t 0 fail"));
	EXPECT_EQ(-ETIMEDOUT, done(0));
	EXPECT_EQ(-ETIMEDOUT, done(1));
	EXPECT_EQ(2, disk_status("timeouts"));
	EXPECT_EQ(0, disk_status("inflight"));
}

/*
 * A daemon may still carry out a write that failed, as it is stopped within it. New
 * writes to these sectors must not be undone by it.
 */
TEST_F(late, overlapping_writes_fail_until_the_channel_is_closed)
{
	struct dm_user_message *m = self->m;

	start(0, IO_WRITE, 16, 4096, 'o');
	ASSERT_EQ(0, fetch(self->fd, m, SIZE_MAX));
	ASSERT_EQ(0, dm("message t 0 fail"));
	EXPECT_EQ(-ETIMEDOUT, done(0));

	self->fd2 = channel_open(CONTROL);
	start(1, IO_WRITE, 23, 512, 'n');
	EXPECT_EQ(-EIO, done(1));
	/* Beside it, and a read, are no problem. */
	start(2, IO_WRITE, 24, 4096, 'n');
	ASSERT_EQ(0, serve_plain(self->fd2, m));
	EXPECT_EQ(0, done(2));
	start(3, IO_WRITE, 15, 512, 'n');
	ASSERT_EQ(0, serve_plain(self->fd2, m));
	EXPECT_EQ(0, done(3));
	start(4, IO_READ, 16, 4096, 0);
	ASSERT_EQ(0, fetch(self->fd2, m, SIZE_MAX));
	EXPECT_EQ(0, answer(self->fd2, m->seq, ERROR));
	EXPECT_EQ(-EIO, done(4));

	close(self->fd);
	self->fd = -1;
	start(5, IO_WRITE, 23, 512, 'n');
	ASSERT_EQ(0, serve_plain(self->fd2, m));
	EXPECT_EQ(0, done(5));
}

/* The newer write may already be with another channel, or wait. */
TEST_F(late, overlapping_writes_under_way_fail_too)
{
	uint64_t other;

	start(0, IO_WRITE, 16, 4096, 'o');
	ASSERT_EQ(0, fetch(self->fd, self->m, SIZE_MAX));
	self->fd2 = channel_open(CONTROL);
	start(1, IO_WRITE, 20, 4096, 'n');
	ASSERT_EQ(0, fetch(self->fd2, self->m, SIZE_MAX));
	other = self->m->seq;
	/* This one overlaps only the second. */
	start(2, IO_WRITE, 27, 512, 'm');
	start(3, IO_WRITE, 64, 512, 'm');
	ASSERT_TRUE(wait_until(disk_status("queued") == 2, SOON_MS));
	close(self->fd2);
	self->fd2 = channel_open(CONTROL);
	ASSERT_EQ(0, fetch(self->fd2, self->m, SIZE_MAX));
	ASSERT_EQ(other, self->m->seq);
	ASSERT_EQ(0, dm("message t 0 fail"));
	EXPECT_EQ(-ETIMEDOUT, done(0));
	EXPECT_EQ(-ETIMEDOUT, done(1));
	EXPECT_EQ(-ETIMEDOUT, done(2));
	EXPECT_EQ(-ETIMEDOUT, done(3));
}

FIXTURE(mixed) {
	DISK_FIXTURE;
};

FIXTURE_SETUP(mixed)
{
	disk_setup("2 timeout_ms 10000");
}

FIXTURE_TEARDOWN(mixed)
{
	disk_teardown();
}

/* Only the first has expired; those that overlap it fail with it. */
TEST_F(mixed, write_that_overlaps_an_expired_one_fails_with_it)
{
	start(0, IO_WRITE, 16, 4096, 'o');
	ASSERT_EQ(0, fetch(self->fd, self->m, SIZE_MAX));
	/* The others get this much more time. */
	sleep(3);
	self->fd2 = channel_open(CONTROL);
	start(1, IO_WRITE, 20, 4096, 'n');
	ASSERT_EQ(0, fetch(self->fd2, self->m, SIZE_MAX));
	start(2, IO_WRITE, 26, 512, 'm');
	ASSERT_TRUE(wait_until(disk_status("queued") == 1, SOON_MS));
	EXPECT_EQ(-ETIMEDOUT, done(0));
	EXPECT_EQ(-ETIMEDOUT, done(1));
	EXPECT_EQ(-EIO, done(2));
	EXPECT_EQ(-ESTALE, answer(self->fd2, self->m->seq, SUCCESS));
}

TEST_HARNESS_MAIN
