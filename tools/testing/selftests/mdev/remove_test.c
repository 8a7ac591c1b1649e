// SPDX-License-Identifier: GPL-2.0-only
/* Removing a device that is unused, still being created, or already removed. */
#include "mdev_test_fixture.h"

DOOR_FIXTURE(remove)
ON_DRIVER_DOOR(remove);
ON_OPS_DOOR(remove);

DOOR_FIXTURE(remove_driver)
ON_DRIVER_DOOR(remove_driver);

DOOR_FIXTURE(remove_ops)
ON_OPS_DOOR(remove_ops);

#define RACES 20

static bool lost(int ret)
{
	return ret == -ENODEV || ret == -ENOENT;
}

/* A remove that must not wait for a create in progress. */
static int remove_soon(const char *uuid)
{
	struct actor remover;
	int ret = actor_remove(&remover, uuid);

	return ret ? ret : actor_wait(&remover, SOON_MS);
}

/* Start a create that blocks in a callback of the vendor or bus driver. */
#define START_SLOW_CREATE(_slow, _block, _waiting)			\
do {									\
	ASSERT_EQ(0, parent_set(&self->p, _block, 1));			\
	ASSERT_EQ(0, actor_create(&(_slow), "a", self->p.type1,		\
				  self->uuid));				\
	ASSERT_TRUE(wait_until(parent_get(&self->p, _waiting) == 1,	\
			       SOON_MS));				\
} while (0)

TEST_F(remove_driver, remove_during_a_slow_create_is_refused_and_works_after)
{
	struct actor slow;

	START_SLOW_CREATE(slow, "create_block", "create_waiting");
	ASSERT_TRUE(mdev_exists(self->uuid));
	ASSERT_EQ(-EAGAIN, remove_soon(self->uuid));
	ASSERT_TRUE(mdev_has(self->uuid, "remove"));
	ASSERT_EQ(-EAGAIN, remove_soon(self->uuid));
	ASSERT_EQ(0, parent_set(&self->p, "create_block", 0));
	ASSERT_EQ(0, actor_wait(&slow, SOON_MS));
	ASSERT_TRUE(mdev_complete(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_FALSE(mdev_exists(self->uuid));
}

TEST_F(remove_ops, remove_during_a_slow_bind_is_refused_and_works_after)
{
	struct actor slow;

	ASSERT_EQ(0, parent_restart(&self->p, "own_driver", 1));
	START_SLOW_CREATE(slow, "bind_block", "bind_waiting");
	ASSERT_TRUE(mdev_exists(self->uuid));
	ASSERT_EQ(-EAGAIN, remove_soon(self->uuid));
	ASSERT_TRUE(mdev_has(self->uuid, "remove"));
	ASSERT_EQ(0, parent_set(&self->p, "bind_block", 0));
	ASSERT_EQ(0, actor_wait(&slow, SOON_MS));
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_FALSE(mdev_exists(self->uuid));
}

TEST_F(remove_ops, nothing_is_visible_during_a_slow_vendor_create)
{
	struct actor slow;

	START_SLOW_CREATE(slow, "create_block", "create_waiting");
	ASSERT_FALSE(mdev_exists(self->uuid));
	ASSERT_EQ(-ENOENT, mdev_remove(self->uuid));
	ASSERT_EQ(0, parent_set(&self->p, "create_block", 0));
	ASSERT_EQ(0, actor_wait(&slow, SOON_MS));
	ASSERT_TRUE(mdev_complete(&self->p, self->uuid));
}

TEST_F(remove, creates_and_removes_of_others_pass_a_slow_create)
{
	struct actor slow, fast;
	char other[UUID_SIZE];

	random_uuid(other);
	START_SLOW_CREATE(slow, "create_block", "create_waiting");
	ASSERT_EQ(0, actor_create(&fast, "a", self->p.type1, other));
	ASSERT_EQ(0, actor_wait(&fast, SOON_MS));
	ASSERT_EQ(0, actor_remove(&fast, other));
	ASSERT_EQ(0, actor_wait(&fast, SOON_MS));
	ASSERT_TRUE(actor_running(&slow));
	ASSERT_EQ(0, parent_set(&self->p, "create_block", 0));
	ASSERT_EQ(0, actor_wait(&slow, SOON_MS));
}

TEST_F(remove, creates_and_removes_of_others_pass_a_slow_remove)
{
	struct actor slow, fast;
	char other[UUID_SIZE];

	random_uuid(other);
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, parent_set(&self->p, "remove_block", 1));
	ASSERT_EQ(0, actor_remove(&slow, self->uuid));
	ASSERT_TRUE(wait_until(parent_get(&self->p, "remove_waiting") == 1,
			       SOON_MS));
	ASSERT_EQ(0, actor_create(&fast, "a", self->p.type1, other));
	ASSERT_EQ(0, actor_wait(&fast, SOON_MS));
	ASSERT_EQ(0, actor_remove(&fast, other));
	ASSERT_EQ(0, actor_wait(&fast, SOON_MS));
	ASSERT_TRUE(actor_running(&slow));
	ASSERT_EQ(0, parent_set(&self->p, "remove_block", 0));
	ASSERT_EQ(0, actor_wait(&slow, SOON_MS));
}

TEST_F(remove, second_remover_loses_while_the_first_is_at_it)
{
	struct event_log log;
	struct actor first;
	char path[PATH_MAX];
	int fd;

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	mdev_path(path, self->uuid, "remove");
	fd = open(path, O_WRONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, parent_set(&self->p, "remove_block", 1));
	ASSERT_EQ(0, actor_remove(&first, self->uuid));
	ASSERT_TRUE(wait_until(parent_get(&self->p, "remove_waiting") == 1,
			       SOON_MS));
	/* By name, and through a file opened earlier. */
	ASSERT_TRUE(lost(mdev_remove(self->uuid)));
	ASSERT_EQ(-1, write(fd, "1", 1));
	ASSERT_EQ(ENODEV, errno);
	close(fd);
	ASSERT_EQ(0, parent_set(&self->p, "remove_block", 0));
	ASSERT_EQ(0, actor_wait(&first, SOON_MS));
	ASSERT_FALSE(mdev_exists(self->uuid));
	ASSERT_EQ(0, log_read(&log));
	ASSERT_EQ(1, log_count(&log, "vendor", "remove", self->uuid));
}

TEST_F(remove, exactly_one_of_two_racing_removers_wins)
{
	struct actor a, b;
	int i, ret_a, ret_b;

	for (i = 0; i < RACES; i++) {
		ASSERT_EQ(0, parent_create(&self->p, self->uuid));
		ASSERT_EQ(0, actor_remove(&a, self->uuid));
		ASSERT_EQ(0, actor_remove(&b, self->uuid));
		ret_a = actor_wait(&a, SOON_MS);
		ret_b = actor_wait(&b, SOON_MS);
		ASSERT_TRUE((!ret_a && lost(ret_b)) ||
			    (!ret_b && lost(ret_a))) {
			TH_LOG("round %d: %d and %d", i, ret_a, ret_b);
		}
		ASSERT_FALSE(mdev_exists(self->uuid));
		ASSERT_EQ(16, available_instances("a", self->p.type1));
	}
}

TEST_F(remove, uuid_is_free_when_remove_returns)
{
	int i;

	for (i = 0; i < RACES; i++) {
		ASSERT_EQ(0, parent_create(&self->p, self->uuid));
		ASSERT_EQ(0, mdev_remove(self->uuid));
	}
}

TEST_F(remove, uuid_is_free_on_another_parent_when_remove_returns)
{
	struct test_parent b;

	ASSERT_EQ(0, parent_start(&b, variant->door, "b"));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_EQ(0, parent_create(&b, self->uuid));
	ASSERT_EQ(15, available_instances("b", b.type1));
}

TEST_F(remove, uuid_is_taken_until_the_remove_is_through)
{
	struct test_parent b;
	struct actor slow;

	ASSERT_EQ(0, parent_start(&b, variant->door, "b"));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, parent_set(&self->p, "remove_block", 1));
	ASSERT_EQ(0, actor_remove(&slow, self->uuid));
	ASSERT_TRUE(wait_until(parent_get(&self->p, "remove_waiting") == 1,
			       SOON_MS));
	ASSERT_EQ(-EEXIST, parent_create(&self->p, self->uuid));
	ASSERT_EQ(-EEXIST, parent_create(&b, self->uuid));
	ASSERT_EQ(0, parent_set(&self->p, "remove_block", 0));
	ASSERT_EQ(0, actor_wait(&slow, SOON_MS));
	ASSERT_EQ(0, parent_create(&b, self->uuid));
}

TEST_F(remove, uuid_is_free_while_a_reference_is_held)
{
	long long seq;

	ASSERT_EQ(0, parent_set(&self->p, "hold", 1));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	seq = mdev_number(self->uuid, "mdevseq");
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_EQ(1, held_count());
	ASSERT_FALSE(mdev_exists(self->uuid));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_LT(seq, mdev_number(self->uuid, "mdevseq"));
	/* The first device's late release does not affect the second. */
	ASSERT_EQ(0, held_drop());
	ASSERT_TRUE(mdev_complete(&self->p, self->uuid));
	ASSERT_EQ(-EEXIST, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_remove(self->uuid));
}

TEST_F(remove, instance_is_back_while_a_reference_is_held)
{
	ASSERT_EQ(0, parent_restart(&self->p, "max_instances", 1));
	ASSERT_EQ(0, parent_set(&self->p, "hold", 1));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, available_instances("a", self->p.type1));
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_EQ(1, held_count());
	ASSERT_EQ(1, available_instances("a", self->p.type1));
	ASSERT_EQ(0, parent_create(&self->p, NULL));
	ASSERT_EQ(0, held_drop());
	ASSERT_EQ(0, available_instances("a", self->p.type1));
}

TEST_F(remove, dead_device_leads_nowhere_when_its_files_were_open)
{
	char path[PATH_MAX], buf[64];
	int in_use, seq;

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	mdev_path(path, self->uuid, "in_use");
	in_use = open(path, O_RDONLY);
	ASSERT_LE(0, in_use);
	mdev_path(path, self->uuid, "mdevseq");
	seq = open(path, O_RDONLY);
	ASSERT_LE(0, seq);
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_EQ(-1, read(in_use, buf, sizeof(buf)));
	ASSERT_EQ(ENODEV, errno);
	ASSERT_EQ(-1, read(seq, buf, sizeof(buf)));
	ASSERT_EQ(ENODEV, errno);
	close(in_use);
	close(seq);
}

TEST_HARNESS_MAIN
