// SPDX-License-Identifier: GPL-2.0-only
/* Flushes, FUA, discards and zeroing. */
#include <poll.h>

#include "dmu_test_fixture.h"

FIXTURE(flush) {
	DISK_FIXTURE;
};

FIXTURE_SETUP(flush)
{
	disk_setup("5 timeout_ms 0 discard write_zeroes secure_erase");
}

FIXTURE_TEARDOWN(flush)
{
	disk_teardown();
}

TEST_F(flush, fsync_waits_for_the_daemons_flush)
{
	struct dm_user_message *m = self->m;

	start(0, IO_FSYNC, 0, 0, 0);
	ASSERT_EQ(0, fetch(self->fd, m, SIZE_MAX));
	EXPECT_EQ(DM_USER_REQ_MAP_FLUSH, m->type);
	EXPECT_TRUE(m->flags & DM_USER_REQ_MAP_FLAG_PREFLUSH);
	EXPECT_EQ(0, m->len);
	EXPECT_EQ(IO_RUNNING, io_wait(&self->io[0], 100));
	EXPECT_EQ(0, answer(self->fd, m->seq, SUCCESS));
	EXPECT_EQ(0, done(0));
}

TEST_F(flush, failed_flush_fails_the_fsync)
{
	start(0, IO_FSYNC, 0, 0, 0);
	ASSERT_EQ(0, fetch(self->fd, self->m, SIZE_MAX));
	EXPECT_EQ(0, answer(self->fd, self->m->seq, ERROR));
	EXPECT_EQ(-EIO, done(0));
}

/* A write with FUA, or one that a flush follows: the kernel chooses. */
TEST_F(flush, synchronous_write_is_told_to_the_daemon)
{
	struct pollfd p = { .fd = self->fd, .events = POLLIN };
	struct dm_user_message *m = self->m;
	bool written = false, durable = false;
	int result;

	start(0, IO_DSYNC_WRITE, 8, 4096, 'x');
	while ((result = io_wait(&self->io[0], 0)) == IO_RUNNING) {
		if (poll(&p, 1, 10) != 1)
			continue;
		ASSERT_EQ(0, serve_plain(self->fd, m));
		written |= m->type == DM_USER_REQ_MAP_WRITE;
		durable |= written && (m->flags & DM_USER_REQ_MAP_FLAG_FUA ||
				       m->type == DM_USER_REQ_MAP_FLUSH);
	}
	EXPECT_EQ(0, result);
	EXPECT_TRUE(durable);
}

TEST_F(flush, cache_is_reported_as_write_back)
{
	char mode[32] = "";
	/* The only one here. */
	FILE *f = popen("cat /sys/block/dm-*/queue/write_cache", "re");

	ASSERT_NE(NULL, f);
	EXPECT_NE(NULL, fgets(mode, sizeof(mode), f));
	pclose(f);
	EXPECT_STREQ("write back\n", mode);
}

TEST_F(flush, discard_has_a_length_and_no_data)
{
	struct dm_user_message *m = self->m;

	start(0, IO_DISCARD, 2048, 1024 * 1024, 0);
	ASSERT_EQ(0, serve_plain(self->fd, m));
	EXPECT_EQ(DM_USER_REQ_MAP_DISCARD, m->type);
	EXPECT_EQ(2048, m->sector);
	EXPECT_EQ(1024 * 1024, m->len);
	EXPECT_EQ(0, done(0));
}

TEST_F(flush, zeroing_has_a_length_and_no_data)
{
	struct dm_user_message *m = self->m;

	start(0, IO_ZERO, 2048, 1024 * 1024, 0);
	ASSERT_EQ(0, serve_plain(self->fd, m));
	EXPECT_EQ(DM_USER_REQ_MAP_WRITE_ZEROES, m->type);
	EXPECT_EQ(2048, m->sector);
	EXPECT_EQ(1024 * 1024, m->len);
	EXPECT_EQ(0, done(0));
}

FIXTURE(plain) {
	DISK_FIXTURE;
};

FIXTURE_SETUP(plain)
{
	disk_setup("");
}

FIXTURE_TEARDOWN(plain)
{
	disk_teardown();
}

TEST_F(plain, discards_are_not_offered_unasked)
{
	start(0, IO_DISCARD, 0, 4096, 0);
	EXPECT_EQ(-EOPNOTSUPP, done(0));
	EXPECT_EQ(0, disk_status("queued"));
}

TEST_HARNESS_MAIN
