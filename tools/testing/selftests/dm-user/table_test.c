// SPDX-License-Identifier: GPL-2.0-only
/* The table line, the name, and what dmsetup shows of them. */
#include <sys/stat.h>

#include "dmu_test_fixture.h"

FIXTURE(table) {
};

FIXTURE_SETUP(table)
{
	ASSERT_EQ(0, module_load());
}

FIXTURE_TEARDOWN(table)
{
	EXPECT_EQ(0, disk_remove());
	if (path_exists("/dev/mapper/u"))
		EXPECT_EQ(0, dm("remove u"));
	EXPECT_EQ(0, module_unload());
}

/* The arguments after "user" are refused with this errno, and nothing is left. */
#define refused(error, ...) do {						\
	EXPECT_NE(0, dm("create t --table '0 16384 user " __VA_ARGS__)) {	\
		TH_LOG("taken: " __VA_ARGS__);					\
	}									\
	EXPECT_TRUE(strstr(dm_said, strerror(error))) {				\
		TH_LOG("%s", dm_said);						\
	}									\
	EXPECT_FALSE(path_exists(DISK));					\
	EXPECT_FALSE(path_exists(CONTROL));					\
} while (0)

TEST_F(table, bad_lines_are_refused)
{
	refused(EINVAL, "'");
	refused(EINVAL, "0'");
	refused(EINVAL, "0 16384'");
	refused(EINVAL, "x 16384 t'");
	refused(EINVAL, "-1 16384 t'");
	refused(EINVAL, "0 16383 t'");
	refused(EINVAL, "0 16384x t'");
	refused(EINVAL, "18446744073709551615 16384 t'");
	refused(EINVAL, "9223372036854775807 16384 t'");
	refused(EINVAL, "0 16384 t 1'");
	refused(EINVAL, "0 16384 t 1 nonsense'");
	refused(EINVAL, "0 16384 t 1 timeout_ms'");
	refused(EINVAL, "0 16384 t 2 timeout_ms -1'");
	refused(EINVAL, "0 16384 t 2 timeout_ms 1s'");
	refused(EINVAL, "0 16384 t 2 on_exit maybe'");
	refused(EINVAL, "0 16384 t 2 block_size 256'");
	refused(EINVAL, "0 16384 t 2 block_size 1000'");
	refused(EINVAL, "0 16384 t 2 block_size 131072'");
	refused(EINVAL, "1 16384 t 2 block_size 4096'");
	refused(EINVAL, "0 16384 t 2 max_io_kib 0'");
	refused(EINVAL, "0 16384 t 4 max_io_kib 1 block_size 4096'");
	refused(EINVAL, "0 16384 t 0 discard'");
	refused(EINVAL, "0 16384 t 1 discard discard'");
}

TEST_F(table, bad_names_are_refused)
{
	char name[65] = "";

	refused(EINVAL, "0 16384 .'");
	refused(EINVAL, "0 16384 ..'");
	refused(EINVAL, "0 16384 ../sda'");
	refused(EINVAL, "0 16384 a/b'");
	refused(EINVAL, "0 16384 a!b'");
	refused(EINVAL, "0 16384 a\\\\ b'");
	refused(EINVAL, "0 16384 \xc3\xa4'");
	/* One too long. */
	memset(name, 'n', sizeof(name) - 1);
	EXPECT_NE(0, dm("create t --table '0 16384 user 0 16384 %s'", name));
	EXPECT_TRUE(strstr(dm_said, strerror(EINVAL)));
}

TEST_F(table, good_names_are_taken)
{
	static const char * const names[] = {
		"a", "...", "A-Z_0.9", "-",
		"123456789012345678901234567890123456789012345678901234567890123",
	};
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		ASSERT_EQ(0, dm("create t --table '0 16384 user 0 16384 %s'", names[i]));
		snprintf(path, sizeof(path), "/dev/dm-user/%s", names[i]);
		EXPECT_TRUE(path_exists(path));
		ASSERT_EQ(0, dm("remove t"));
		EXPECT_FALSE(path_exists(path));
	}
}

TEST_F(table, control_device_is_root_only)
{
	struct stat st;

	ASSERT_EQ(0, disk_create(""));
	ASSERT_EQ(0, stat(CONTROL, &st));
	EXPECT_TRUE(S_ISCHR(st.st_mode));
	EXPECT_EQ(0600, st.st_mode & 07777);
	EXPECT_EQ(0, st.st_uid);
}

TEST_F(table, name_in_use_is_eexist)
{
	ASSERT_EQ(0, disk_create(""));
	EXPECT_NE(0, dm("create u --table '0 16384 user 0 16384 t'"));
	EXPECT_TRUE(strstr(dm_said, strerror(EEXIST)));
	EXPECT_TRUE(path_exists(CONTROL));
	ASSERT_EQ(0, disk_remove());
	EXPECT_EQ(0, dm("create u --table '0 16384 user 0 16384 t'"));
	EXPECT_EQ(0, dm("remove u"));
}

TEST_F(table, name_twice_in_one_table_is_eexist)
{
	EXPECT_NE(0, dm("create t --table '0 8192 user 0 8192 t\n8192 8192 user 0 8192 t'"));
	EXPECT_TRUE(strstr(dm_said, strerror(EEXIST)));
	EXPECT_FALSE(path_exists(CONTROL));
	EXPECT_EQ(0, dm("create t --table '0 8192 user 0 8192 t\n8192 8192 user 0 8192 v'"));
	EXPECT_TRUE(path_exists("/dev/dm-user/v"));
}

TEST_F(table, dmsetup_table_prints_what_was_given)
{
	static const char * const tables[] = {
		"0 16384 user 0 16384 t",
		"0 16384 user 4096 16384 t 4 timeout_ms 7 on_exit error",
		"0 16384 user 0 16384 t 3 discard write_zeroes secure_erase",
		"0 16384 user 0 16384 t 4 block_size 4096 max_io_kib 64",
	};

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		ASSERT_EQ(0, dm("create t --table '%s'", tables[i]));
		ASSERT_EQ(0, dm("table t"));
		EXPECT_STREQ(tables[i], dm_said);
		ASSERT_EQ(0, disk_remove());
	}
}

TEST_F(table, unknown_message_is_invalid)
{
	ASSERT_EQ(0, disk_create(""));
	EXPECT_NE(0, dm("message t 0 nonsense"));
	EXPECT_TRUE(strstr(dm_said, strerror(EINVAL)));
	EXPECT_NE(0, dm("message t 0 fail twice"));
	EXPECT_EQ(0, dm("message t 0 fail"));
}

TEST_F(table, daemon_sees_sectors_from_start_on)
{
	struct dm_user_message m;
	struct io io;
	int fd;

	ASSERT_EQ(0, dm("create t --table '0 8192 user 4096 8192 t\n8192 8192 user 1000 8192 v'"));
	fd = channel_open("/dev/dm-user/v");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, io_start(&io, IO_READ, DISK, 8192 + 16, 4096, 0));
	ASSERT_EQ(0, fetch(fd, &m, SIZE_MAX));
	EXPECT_EQ(1016, m.sector);
	EXPECT_EQ(0, answer(fd, m.seq, ERROR));
	io_end(&io);
	/* A flush reports the first sector of the target. */
	ASSERT_EQ(0, io_start(&io, IO_FSYNC, DISK, 0, 0, 0));
	ASSERT_EQ(0, serve_plain(fd, &m));
	EXPECT_EQ(DM_USER_REQ_MAP_FLUSH, m.type);
	EXPECT_EQ(1000, m.sector);
	close(fd);
	fd = channel_open(CONTROL);
	ASSERT_EQ(0, serve_plain(fd, &m));
	EXPECT_EQ(0, io_wait(&io, SOON_MS));
	io_end(&io);
	close(fd);
}

TEST_F(table, block_size_is_the_devices)
{
	struct io io;

	ASSERT_EQ(0, disk_create("2 block_size 4096"));
	ASSERT_EQ(0, io_start(&io, IO_READ, DISK, 1, 512, 0));
	EXPECT_EQ(-EINVAL, io_wait(&io, SOON_MS));
	io_end(&io);
}

TEST_F(table, request_is_no_longer_than_max_io)
{
	struct dm_user_message *m = malloc(HEADER + 65536);
	int fd, total = 0;
	struct io io;

	ASSERT_EQ(0, disk_create("2 max_io_kib 16"));
	fd = channel_open(CONTROL);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, io_start(&io, IO_WRITE, DISK, 0, 65536, 'x'));
	while (total < 65536) {
		ASSERT_EQ(0, serve_plain(fd, m));
		EXPECT_LE(m->len, 16384);
		total += m->len;
	}
	EXPECT_EQ(0, io_wait(&io, SOON_MS));
	io_end(&io);
	close(fd);
	free(m);
}

TEST_HARNESS_MAIN
