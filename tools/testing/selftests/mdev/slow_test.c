// SPDX-License-Identifier: GPL-2.0-only
/* Vendors with slow attributes and opens. */
#include "mdev_test_fixture.h"

DOOR_FIXTURE(slow)
ON_DRIVER_DOOR(slow);
ON_OPS_DOOR(slow);

/* How long to watch that a task still waits. */
#define EARLY_MS 500

/* One read(2) only: by the next the file may be gone. */
static int act_read(void *arg)
{
	int fd = open(arg, O_RDONLY);
	char buf[64];
	int ret = 0;

	if (fd < 0 || read(fd, buf, sizeof(buf)) <= 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* Start a reader of the file and wait until it blocks in the callback. */
static bool start_reader(struct actor *reader, const struct test_parent *p,
			 char *path, const char *knob)
{
	char block[32], waiting[32];

	snprintf(block, sizeof(block), "%s_block", knob);
	snprintf(waiting, sizeof(waiting), "%s_waiting", knob);
	return !parent_set(p, block, 1) &&
	       !actor_start(reader, act_read, path) &&
	       wait_until(parent_get(p, waiting) == 1, SOON_MS);
}

TEST_F(slow, remove_waits_for_a_reader_before_the_vendors_remove)
{
	struct actor reader, remover;
	struct event_log log;
	char path[PATH_MAX];

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	mdev_path(path, self->uuid, "vendor/uuid");
	ASSERT_TRUE(start_reader(&reader, &self->p, path, "attr"));
	ASSERT_EQ(0, actor_remove(&remover, self->uuid));
	ASSERT_EQ(ACTOR_TIMEOUT, actor_wait(&remover, EARLY_MS));
	ASSERT_EQ(0, log_read(&log));
	ASSERT_EQ(0, log_count(&log, "vendor", "remove", self->uuid));
	ASSERT_EQ(0, parent_set(&self->p, "attr_block", 0));
	ASSERT_EQ(0, actor_wait(&reader, SOON_MS));
	ASSERT_EQ(0, actor_wait(&remover, SOON_MS));
	ASSERT_EQ(0, log_read(&log));
	ASSERT_EQ(1, log_count(&log, "vendor", "removed", self->uuid));
}

TEST_F(slow, unregister_waits_for_a_reader_of_a_device)
{
	struct actor reader, unreg;
	char path[PATH_MAX];

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	mdev_path(path, self->uuid, "vendor/uuid");
	ASSERT_TRUE(start_reader(&reader, &self->p, path, "attr"));
	ASSERT_EQ(0, actor_unregister(&unreg, &self->p));
	ASSERT_EQ(ACTOR_TIMEOUT, actor_wait(&unreg, EARLY_MS));
	ASSERT_EQ(0, parent_set(&self->p, "attr_block", 0));
	ASSERT_EQ(0, actor_wait(&reader, SOON_MS));
	ASSERT_EQ(0, actor_wait(&unreg, SOON_MS));
	ASSERT_FALSE(mdev_exists(self->uuid));
}

TEST_F(slow, unregister_waits_for_a_reader_of_a_type)
{
	struct actor reader, unreg;
	char path[PATH_MAX];

	/* Make both doors call the vendor. */
	ASSERT_EQ(0, parent_restart(&self->p, "get_available", 7));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	type_path(path, "a", self->p.type1, "available_instances");
	ASSERT_TRUE(start_reader(&reader, &self->p, path, "type_attr"));
	ASSERT_EQ(0, actor_unregister(&unreg, &self->p));
	/* The devices go first, without waiting for the reader. */
	ASSERT_TRUE(wait_until(!mdev_exists(self->uuid), SOON_MS));
	ASSERT_EQ(ACTOR_TIMEOUT, actor_wait(&unreg, EARLY_MS));
	ASSERT_EQ(0, parent_set(&self->p, "type_attr_block", 0));
	ASSERT_EQ(0, actor_wait(&reader, SOON_MS));
	ASSERT_EQ(0, actor_wait(&unreg, SOON_MS));
}

static int act_open(void *arg)
{
	struct vfio_user vfio;
	int ret = mdev_open(&vfio, arg);

	vfio_user_close(&vfio);
	return ret;
}

#define START_OPENER(_opener)						\
do {									\
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));		\
	ASSERT_EQ(0, parent_set(&self->p, "open_block", 1));		\
	ASSERT_EQ(0, actor_start(&(_opener), act_open, self->uuid));	\
	ASSERT_TRUE(wait_until(parent_get(&self->p, "open_waiting") == 1, \
			       SOON_MS));				\
} while (0)

TEST_F(slow, remove_during_an_open_is_busy_at_once)
{
	struct actor opener;

	START_OPENER(opener);
	ASSERT_EQ(-EBUSY, mdev_remove(self->uuid));
	ASSERT_TRUE(mdev_complete(&self->p, self->uuid));
	ASSERT_EQ(0, parent_set(&self->p, "open_block", 0));
	ASSERT_EQ(0, actor_wait(&opener, SOON_MS));
	ASSERT_EQ(0, mdev_remove(self->uuid));
}

TEST_F(slow, remove_waits_for_an_open_that_fails)
{
	struct actor opener, remover;
	struct event_log log;

	ASSERT_EQ(0, parent_restart(&self->p, "request_op", 1));
	START_OPENER(opener);
	ASSERT_EQ(0, parent_set(&self->p, "open_error", -EIO));
	ASSERT_EQ(0, actor_remove(&remover, self->uuid));
	ASSERT_TRUE(wait_until(parent_get(&self->p, "requests") >= 1,
			       SOON_MS));
	ASSERT_TRUE(actor_running(&remover));
	ASSERT_EQ(0, parent_set(&self->p, "open_block", 0));
	ASSERT_EQ(-EIO, actor_wait(&opener, SOON_MS));
	ASSERT_EQ(0, actor_wait(&remover, SOON_MS));
	ASSERT_EQ(0, log_read(&log));
	ASSERT_EQ(0, log_count(&log, "vendor", "close", self->uuid));
}

TEST_F(slow, unregister_waits_for_an_open_and_then_for_the_user)
{
	struct actor opener, unreg;
	struct event_log log;

	START_OPENER(opener);
	ASSERT_EQ(0, actor_unregister(&unreg, &self->p));
	ASSERT_EQ(ACTOR_TIMEOUT, actor_wait(&unreg, EARLY_MS));
	ASSERT_TRUE(mdev_exists(self->uuid));
	ASSERT_EQ(0, parent_set(&self->p, "open_block", 0));
	ASSERT_EQ(0, actor_wait(&opener, SOON_MS));
	ASSERT_EQ(0, actor_wait(&unreg, SOON_MS));
	ASSERT_EQ(0, log_read(&log));
	ASSERT_LT(log_find(&log, 0, "vendor", "close", self->uuid),
		  log_find(&log, 0, "vendor", "remove", self->uuid));
}

TEST_HARNESS_MAIN
