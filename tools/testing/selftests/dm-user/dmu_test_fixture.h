/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fixture of most cases: the device "t" with a channel open. A program that includes it
 * has the lines
 *
 *	FIXTURE(name) { DISK_FIXTURE; };
 *	FIXTURE_SETUP(name) { disk_setup("features"); }
 *	FIXTURE_TEARDOWN(name) { disk_teardown(); }
 */
#ifndef DMU_TEST_FIXTURE_H
#define DMU_TEST_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kselftest_harness.h>
#include "dmu_test.h"

#define NR_IOS 8

#define DISK_FIXTURE							\
	int fd;								\
	int fd2;	/* a second channel, if a case opens one */	\
	struct dm_user_message *m;	/* room for the largest one */	\
	struct io io[NR_IOS];						\
	struct ram_daemon ram

#define disk_setup(features) do {					\
	self->fd = -1;							\
	self->fd2 = -1;							\
	self->m = malloc(HEADER + 1024 * 1024);				\
	ASSERT_EQ(0, module_load());					\
	ASSERT_EQ(0, disk_create(features)) {				\
		TH_LOG("%s", dm_said);					\
	}								\
	self->fd = channel_open(CONTROL);				\
	ASSERT_LE(0, self->fd);						\
} while (0)

#define disk_teardown() do {						\
	close(self->fd);						\
	close(self->fd2);						\
	EXPECT_EQ(0, disk_remove()) {					\
		TH_LOG("%s", dm_said);					\
	}								\
	for (int i_ = 0; i_ < NR_IOS; i_++)				\
		io_end(&self->io[i_]);					\
	ram_end(&self->ram);						\
	free(self->m);							\
	EXPECT_EQ(0, module_unload());					\
} while (0)

/* Start the I/O number @i. */
#define start(i, op, sector, len, fill) \
	ASSERT_EQ(0, io_start(&self->io[i], op, DISK, sector, len, fill))
#define done(i) io_wait(&self->io[i], SOON_MS)
#define answer(fd, seq, type) \
	reply(fd, seq, DM_USER_RESP_##type, NULL, 0, SIZE_MAX)

#endif
