// SPDX-License-Identifier: GPL-2.0-only
/* The life of a mapped device, its tables and its control device. */
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "dmu_test_fixture.h"

FIXTURE(lifecycle) {
	DISK_FIXTURE;
};

FIXTURE_SETUP(lifecycle)
{
	disk_setup("2 timeout_ms 0");
}

FIXTURE_TEARDOWN(lifecycle)
{
	disk_teardown();
}

static void *read_until_error(void *arg)
{
	struct dm_user_message m;
	int fd = *(int *)arg;

	while (read(fd, &m, HEADER) > 0)
		;
	return (void *)(long)errno;
}

TEST_F(lifecycle, remove_tells_open_channels)
{
	struct pollfd p = { .fd = self->fd, .events = POLLIN };
	struct dm_user_info info;
	pthread_t thread;
	void *error;

	pthread_create(&thread, NULL, read_until_error, &self->fd);
	ASSERT_EQ(0, dm("remove t"));
	pthread_join(thread, &error);
	EXPECT_EQ(ENOTBLK, (long)error);
	EXPECT_FALSE(path_exists(CONTROL));
	EXPECT_EQ(-1, read(self->fd, self->m, HEADER));
	EXPECT_EQ(ENOTBLK, errno);
	EXPECT_EQ(-ENOTBLK, answer(self->fd, 0, SUCCESS));
	EXPECT_EQ(-1, ioctl(self->fd, DM_USER_INFO, &info));
	EXPECT_EQ(ENOTBLK, errno);
	EXPECT_EQ(1, poll(&p, 1, 0));
	EXPECT_TRUE(p.revents & POLLHUP);
}

TEST_F(lifecycle, open_channel_pins_the_module)
{
	ASSERT_EQ(0, dm("remove t"));
	EXPECT_EQ(-1, syscall(SYS_delete_module, "dm_user", O_NONBLOCK));
	EXPECT_EQ(EWOULDBLOCK, errno);
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(0, module_unload());
	ASSERT_EQ(0, module_load());
}

/* An old channel must not be taken for one of the new device. */
TEST_F(lifecycle, old_channel_never_serves_a_new_device_of_that_name)
{
	struct stat old, new;

	ASSERT_EQ(0, stat(CONTROL, &old));
	ASSERT_EQ(0, dm("remove t"));
	ASSERT_EQ(0, disk_create("2 timeout_ms 0"));
	ASSERT_EQ(0, stat(CONTROL, &new));
	EXPECT_NE(old.st_rdev, new.st_rdev);
	start(0, IO_READ, 0, 4096, 0);
	ASSERT_TRUE(wait_until(disk_status("queued") == 1, SOON_MS));
	EXPECT_EQ(-1, read(self->fd, self->m, HEADER));
	EXPECT_EQ(ENOTBLK, errno);
	self->fd2 = channel_open(CONTROL);
	ASSERT_EQ(0, fetch(self->fd2, self->m, SIZE_MAX));
	EXPECT_EQ(0, answer(self->fd2, self->m->seq, ERROR));
	EXPECT_EQ(-EIO, done(0));
}

#define info(field) ({							\
	struct dm_user_info info_ = {};					\
									\
	EXPECT_EQ(0, ioctl(self->fd, DM_USER_INFO, &info_));		\
	info_.field;							\
})

TEST_F(lifecycle, reloaded_table_keeps_the_channels)
{
	ASSERT_EQ(0, dm("load t --table '0 32768 user 0 32768 t 4 timeout_ms 0 max_io_kib 8'"));
	EXPECT_EQ(SECTORS, info(sectors));
	ASSERT_EQ(0, dm("resume t"));
	EXPECT_EQ(2 * SECTORS, info(sectors));
	EXPECT_EQ(8192, info(max_io));
	start(0, IO_WRITE, SECTORS + 8, 4096, 'x');
	ASSERT_EQ(0, serve_plain(self->fd, self->m));
	EXPECT_EQ(SECTORS + 8, self->m->sector);
	EXPECT_EQ(0, done(0));
}

TEST_F(lifecycle, cleared_table_leaves_the_live_one_alone)
{
	ASSERT_EQ(0, dm("load t --table '0 32768 user 0 32768 t'"));
	ASSERT_EQ(0, dm("clear t"));
	EXPECT_TRUE(path_exists(CONTROL));
	EXPECT_EQ(SECTORS, info(sectors));
	start(0, IO_WRITE, 8, 4096, 'x');
	ASSERT_EQ(0, serve_plain(self->fd, self->m));
	EXPECT_EQ(0, done(0));
	/* So does one that fails to load. */
	EXPECT_NE(0, dm("load t --table '0 32768 user 0 32768 t 1 nonsense'"));
	EXPECT_EQ(SECTORS, info(sectors));
}

TEST_F(lifecycle, table_with_another_name_brings_another_device)
{
	ASSERT_EQ(0, dm("load t --table '0 16384 user 0 16384 v'"));
	EXPECT_TRUE(path_exists("/dev/dm-user/v"));
	ASSERT_EQ(0, dm("resume t"));
	EXPECT_FALSE(path_exists(CONTROL));
	EXPECT_EQ(-1, read(self->fd, self->m, HEADER));
	EXPECT_EQ(ENOTBLK, errno);
	EXPECT_EQ(0, dm("remove t"));
	EXPECT_FALSE(path_exists("/dev/dm-user/v"));
}

TEST_F(lifecycle, channel_may_be_opened_before_the_first_resume)
{
	ASSERT_EQ(0, dm("remove t"));
	close(self->fd);
	ASSERT_EQ(0, dm("create t --notable"));
	ASSERT_EQ(0, dm("load t --table '0 16384 user 0 16384 t'"));
	self->fd = channel_open(CONTROL);
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(SECTORS, info(sectors));
	ASSERT_EQ(0, dm("resume t"));
	start(0, IO_WRITE, 8, 4096, 'x');
	ASSERT_EQ(0, serve_plain(self->fd, self->m));
	EXPECT_EQ(0, done(0));
}

TEST_F(lifecycle, resize_under_load_shows_no_error)
{
	close(self->fd);
	self->fd = -1;
	ASSERT_EQ(0, ram_start(&self->ram, CONTROL, 2 * SECTORS * 512, SIZE_MAX));
	for (int round = 0; round < 10; round++) {
		int len = round % 2 ? SECTORS : 2 * SECTORS;

		for (int i = 0; i < NR_IOS; i++)
			start(i, IO_WRITE, i * 128, 65536, round);
		ASSERT_EQ(0, dm("load t --table '0 %d user 0 %d t 2 timeout_ms 0'", len, len));
		ASSERT_EQ(0, dm("resume %s t", round % 3 ? "" : "--noflush"));
		for (int i = 0; i < NR_IOS; i++) {
			EXPECT_EQ(0, done(i));
			io_end(&self->io[i]);
		}
	}
	EXPECT_EQ(0, disk_status("errors"));
}

/* Device mapper gets back the requests that no daemon has fetched. */
TEST_F(lifecycle, noflush_suspend_pushes_back_what_was_never_fetched)
{
	start(0, IO_WRITE, 8, 4096, 'x');
	ASSERT_TRUE(wait_until(disk_status("queued") == 1, SOON_MS));
	ASSERT_EQ(0, dm("suspend --noflush t"));
	EXPECT_EQ(0, disk_status("queued"));
	EXPECT_EQ(IO_RUNNING, io_wait(&self->io[0], 0));
	ASSERT_EQ(0, dm("resume t"));
	ASSERT_EQ(0, serve_plain(self->fd, self->m));
	EXPECT_EQ(0, done(0));
	EXPECT_EQ(0, disk_status("errors"));
}

/* A daemon has seen it, so that a daemon must end it. */
TEST_F(lifecycle, noflush_suspend_waits_for_a_redelivered_request)
{
	int status;
	pid_t pid;

	start(0, IO_WRITE, 8, 4096, 'x');
	ASSERT_EQ(0, fetch(self->fd, self->m, SIZE_MAX));
	close(self->fd);
	self->fd = channel_open(CONTROL);
	start(1, IO_WRITE, 64, 4096, 'y');
	ASSERT_TRUE(wait_until(disk_status("queued") == 2, SOON_MS));
	pid = disk_suspend_start();
	/* The other one goes back. */
	EXPECT_TRUE(wait_until(disk_status("queued") != 2, SOON_MS));
	EXPECT_EQ(1, disk_status("queued"));
	EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
	EXPECT_EQ(0, serve_plain(self->fd, self->m));
	EXPECT_EQ(8, self->m->sector);
	EXPECT_EQ(0, done(0));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, dm("resume t"));
	EXPECT_EQ(0, serve_plain(self->fd, self->m));
	EXPECT_EQ(0, done(1));
}

TEST_F(lifecycle, interrupted_suspend_loses_nothing)
{
	int status;
	pid_t pid;

	start(0, IO_WRITE, 8, 4096, 'x');
	ASSERT_EQ(0, fetch(self->fd, self->m, SIZE_MAX));
	start(1, IO_WRITE, 64, 4096, 'y');
	ASSERT_TRUE(wait_until(disk_status("queued") == 1, SOON_MS));
	pid = disk_suspend_start();
	/* Suspend pushed back the queued request, and waits for the fetched one. */
	EXPECT_TRUE(wait_until(disk_status("queued") == 0, SOON_MS));
	kill(pid, SIGINT);
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_NE(0, status);
	EXPECT_EQ(0, answer(self->fd, self->m->seq, SUCCESS));
	EXPECT_EQ(0, done(0));
	ASSERT_EQ(0, serve_plain(self->fd, self->m));
	EXPECT_EQ(0, done(1));
	EXPECT_EQ(0, disk_status("errors"));
}

TEST_F(lifecycle, suspend_waits_for_the_daemon)
{
	close(self->fd);
	self->fd = -1;
	ASSERT_EQ(0, ram_start(&self->ram, CONTROL, SECTORS * 512, SIZE_MAX));
	for (int i = 0; i < NR_IOS; i++)
		start(i, IO_WRITE, i * 128, 65536, 's');
	ASSERT_EQ(0, dm("suspend t"));
	EXPECT_EQ(0, disk_status("queued"));
	EXPECT_EQ(0, disk_status("inflight"));
	ASSERT_EQ(0, dm("resume t"));
	for (int i = 0; i < NR_IOS; i++)
		EXPECT_EQ(0, done(i));
}

FIXTURE(dead) {
	DISK_FIXTURE;
};

FIXTURE_SETUP(dead)
{
	disk_setup("2 timeout_ms 2000");
}

FIXTURE_TEARDOWN(dead)
{
	disk_teardown();
}

/* A stopped daemon, with a request fetched and another one queued. */
TEST_F(dead, forced_remove_ends)
{
	start(0, IO_WRITE, 8, 4096, 'x');
	ASSERT_EQ(0, fetch(self->fd, self->m, SIZE_MAX));
	start(1, IO_WRITE, 64, 4096, 'y');
	ASSERT_TRUE(wait_until(disk_status("queued") == 1, SOON_MS));
	dm("remove --force t");
	EXPECT_EQ(-ETIMEDOUT, done(0));
	/* Pushed back to a table of errors, or timed out. */
	EXPECT_GT(0, done(1));
	EXPECT_NE(IO_RUNNING, done(1));
	dm("remove --retry t");
	EXPECT_FALSE(path_exists(DISK));
}

TEST_HARNESS_MAIN
