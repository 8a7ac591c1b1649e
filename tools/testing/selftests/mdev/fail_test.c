// SPDX-License-Identifier: GPL-2.0-only
/*
 * Vendors that fail at the n-th call, or late: the failed call is undone, and
 * other devices are unaffected.
 */
#include "mdev_test_fixture.h"

DOOR_FIXTURE(fail)
ON_DRIVER_DOOR(fail);
ON_OPS_DOOR(fail);

DOOR_FIXTURE(fail_driver)
ON_DRIVER_DOOR(fail_driver);

DOOR_FIXTURE(fail_ops)
ON_OPS_DOOR(fail_ops);

#define ROW 6
#define RACES 5

#define LATE_DRIVER \
	"bus add, bus binding, vendor create, vendor created, vendor undone, " \
	"bus not_bound, bus del, bus removed"
#define LATE_OPS \
	"vendor create, vendor created, vendor undone"

/* Several devices of one parent, and the results of their creates. */
struct row {
	char uuid[ROW][UUID_SIZE];
	int ret[ROW];
	long long seq[ROW];
};

static void row_init(struct row *row)
{
	int i;

	for (i = 0; i < ROW; i++)
		random_uuid(row->uuid[i]);
}

static void row_look(struct row *row)
{
	int i;

	for (i = 0; i < ROW; i++)
		row->seq[i] = row->ret[i] ? 0 :
			mdev_number(row->uuid[i], "mdevseq");
}

static void row_create(struct row *row, const struct test_parent *p)
{
	int i;

	row_init(row);
	for (i = 0; i < ROW; i++)
		row->ret[i] = parent_create(p, row->uuid[i]);
	row_look(row);
}

static int row_create_at_once(struct row *row, const struct test_parent *p)
{
	struct actor creators[ROW];
	int i, ret;

	row_init(row);
	for (i = 0; i < ROW; i++) {
		ret = actor_create(&creators[i], p->name, p->type1,
				   row->uuid[i]);
		if (ret)
			return ret;
	}
	for (i = 0; i < ROW; i++)
		row->ret[i] = actor_wait(&creators[i], SOON_MS);
	row_look(row);
	return 0;
}

/* Index of the only create that failed, if with @ret; otherwise -1. */
static int row_odd_one(const struct row *row, int ret)
{
	int i, odd = -1;

	for (i = 0; i < ROW; i++) {
		if (!row->ret[i])
			continue;
		if (row->ret[i] != ret || odd >= 0)
			return -1;
		odd = i;
	}
	return odd;
}

/* Every created device is still the same one and can be opened. */
static bool row_lives(const struct row *row, const struct test_parent *p,
		      struct vfio_user *vfio)
{
	int i;

	for (i = 0; i < ROW; i++) {
		if (row->ret[i])
			continue;
		if (!mdev_complete(p, row->uuid[i]) || row->seq[i] <= 0 ||
		    mdev_number(row->uuid[i], "mdevseq") != row->seq[i])
			return false;
		if (mdev_open(vfio, row->uuid[i]))
			return false;
		vfio_user_close(vfio);
	}
	return true;
}

/* The failed create left nothing behind, and the others live. */
static void assert_odd_one_out(struct __test_metadata *_metadata,
			       const struct test_parent *p,
			       struct vfio_user *vfio, const struct row *row,
			       int n)
{
	const char *failed = row->uuid[n];
	struct event_log log;
	int i;

	ASSERT_FALSE(mdev_exists(failed));
	ASSERT_FALSE(type_lists(p, failed));
	ASSERT_EQ(16 - (ROW - 1), available_instances("a", p->type1));
	ASSERT_EQ(ROW - 1, count_dir("/sys/bus/mdev/devices"));
	ASSERT_TRUE(row_lives(row, p, vfio));
	ASSERT_EQ(0, log_read(&log));
	for (i = 0; i < ROW; i++) {
		const char *uuid = row->uuid[i];

		ASSERT_EQ(1, log_count(&log, "vendor", "create", uuid));
		ASSERT_EQ(0, log_count(&log, "vendor", "remove", uuid));
	}
	/* Its UUID is free again. */
	ASSERT_EQ(0, parent_create(p, failed));
	ASSERT_TRUE(mdev_complete(p, failed));
}

TEST_F(fail, nth_create_fails_and_the_others_live)
{
	struct row row;

	ASSERT_EQ(0, parent_set(&self->p, "create_error", -EIO));
	ASSERT_EQ(0, parent_set(&self->p, "create_error_at", 3));
	row_create(&row, &self->p);
	ASSERT_EQ(2, row_odd_one(&row, -EIO));
	assert_odd_one_out(_metadata, &self->p, &self->vfio, &row, 2);
}

TEST_F(fail, nth_create_fails_late_and_the_others_live)
{
	struct row row;

	ASSERT_EQ(0, parent_set(&self->p, "late_error", -EIO));
	ASSERT_EQ(0, parent_set(&self->p, "late_error_at", 4));
	row_create(&row, &self->p);
	ASSERT_EQ(3, row_odd_one(&row, -EIO));
	assert_odd_one_out(_metadata, &self->p, &self->vfio, &row, 3);
}

TEST_F(fail_ops, nth_bind_fails_and_the_others_live)
{
	struct row row;

	ASSERT_EQ(0, parent_restart(&self->p, "own_driver", 1));
	ASSERT_EQ(0, parent_set(&self->p, "bind_error", -EIO));
	ASSERT_EQ(0, parent_set(&self->p, "bind_error_at", 3));
	row_create(&row, &self->p);
	ASSERT_EQ(2, row_odd_one(&row, -EIO));
	ASSERT_EQ(16 - (ROW - 1), available_instances("a", self->p.type1));
	for (int i = 0; i < ROW; i++)
		ASSERT_EQ(i != 2, mdev_has(row.uuid[i], "driver"));
	ASSERT_EQ(0, parent_create(&self->p, row.uuid[2]));
	ASSERT_TRUE(mdev_has(row.uuid[2], "driver"));
}

/* Exactly one of the racing creates fails; it may be any. */
static void race(struct __test_metadata *_metadata,
		 const struct test_parent *p, struct vfio_user *vfio,
		 const char *error, const char *error_at)
{
	struct row row;
	int round, odd;

	ASSERT_EQ(0, parent_set(p, error, -EIO));
	for (round = 0; round < RACES; round++) {
		ASSERT_EQ(0, log_clear());
		ASSERT_EQ(0, parent_set(p, error_at, 1 + round % ROW));
		ASSERT_EQ(0, row_create_at_once(&row, p));
		odd = row_odd_one(&row, -EIO);
		ASSERT_LE(0, odd);
		assert_odd_one_out(_metadata, p, vfio, &row, odd);
		ASSERT_EQ(0, parent_unregister(p));
		ASSERT_EQ(0, parent_register(p));
	}
}

TEST_F(fail, one_of_racing_creates_fails_and_the_others_live)
{
	race(_metadata, &self->p, &self->vfio, "create_error",
	     "create_error_at");
}

TEST_F(fail, one_of_racing_creates_fails_late_and_the_others_live)
{
	race(_metadata, &self->p, &self->vfio, "late_error", "late_error_at");
}

TEST_F(fail_driver, late_failure_is_undone_in_mirror_order)
{
	struct event_log log;
	char story[1024];

	ASSERT_EQ(0, parent_set(&self->p, "late_error", -EIO));
	ASSERT_EQ(-EIO, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, log_read(&log));
	log_story(&log, self->uuid, story, sizeof(story));
	ASSERT_STREQ(LATE_DRIVER, story);
}

TEST_F(fail_ops, late_failure_never_reaches_the_driver_core)
{
	struct event_log log;
	char story[1024];

	ASSERT_EQ(0, parent_set(&self->p, "late_error", -EIO));
	ASSERT_EQ(-EIO, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, log_read(&log));
	log_story(&log, self->uuid, story, sizeof(story));
	ASSERT_STREQ(LATE_OPS, story);
}

/* Start a create and block it right before its late failure. */
#define START_LATE(_slow)						\
do {									\
	ASSERT_EQ(0, parent_set(&self->p, "late_error", -EIO));		\
	ASSERT_EQ(0, parent_set(&self->p, "late_block", 1));		\
	ASSERT_EQ(0, actor_create(&(_slow), "a", self->p.type1,		\
				  self->uuid));				\
	ASSERT_TRUE(wait_until(parent_get(&self->p, "late_waiting") == 1, \
			       SOON_MS));				\
} while (0)

TEST_F(fail, late_failure_while_the_parent_is_unregistered_is_undone)
{
	char other[UUID_SIZE];
	struct event_log log;
	struct actor slow, unreg;

	random_uuid(other);
	ASSERT_EQ(0, parent_create(&self->p, other));
	START_LATE(slow);
	ASSERT_EQ(0, actor_unregister(&unreg, &self->p));
	/* It has begun once creates no longer reach the vendor. */
	ASSERT_TRUE(wait_until(parent_create(&self->p, NULL) == -ENODEV,
			       SOON_MS));
	ASSERT_TRUE(actor_running(&unreg));
	ASSERT_EQ(0, parent_set(&self->p, "late_block", 0));
	ASSERT_EQ(-EIO, actor_wait(&slow, SOON_MS));
	ASSERT_EQ(0, actor_wait(&unreg, SOON_MS));
	ASSERT_EQ(0, count_dir("/sys/bus/mdev/devices"));
	ASSERT_EQ(0, log_read(&log));
	ASSERT_EQ(1, log_count(&log, "vendor", "undone", self->uuid));
	ASSERT_EQ(0, log_count(&log, "vendor", "remove", self->uuid));
	ASSERT_EQ(1, log_count(&log, "vendor", "removed", other));
}

/* On the driver door, VFIO admits users before the probe returns. */
TEST_F(fail_driver, user_of_a_device_that_fails_late_is_waited_for)
{
	struct vfio_device_info info;
	struct event_log log;
	struct actor slow;
	int undone;

	ASSERT_EQ(0, parent_restart(&self->p, "request_op", 1));
	START_LATE(slow);
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
	ASSERT_EQ(0, parent_set(&self->p, "late_block", 0));
	ASSERT_TRUE(wait_until(parent_get(&self->p, "requests") >= 1,
			       SOON_MS));
	ASSERT_TRUE(actor_running(&slow));
	ASSERT_EQ(0, vfio_user_device_info(self->vfio.device, &info));
	vfio_user_close(&self->vfio);
	ASSERT_EQ(-EIO, actor_wait(&slow, SOON_MS));
	ASSERT_FALSE(mdev_exists(self->uuid));
	ASSERT_EQ(16, available_instances("a", self->p.type1));
	ASSERT_EQ(0, log_read(&log));
	undone = log_find(&log, 0, "vendor", "undone", self->uuid);
	ASSERT_LT(log_find(&log, 0, "vendor", "close", self->uuid), undone);
	ASSERT_EQ(0, parent_set(&self->p, "late_error", 0));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
}

TEST_F(fail_ops, nth_remove_that_complains_is_logged_and_all_are_removed)
{
	struct event_log log;
	struct row row;
	int i, kmsg;

	row_create(&row, &self->p);
	ASSERT_EQ(0, parent_set(&self->p, "remove_error", -EBUSY));
	ASSERT_EQ(0, parent_set(&self->p, "remove_error_at", 2));
	kmsg = kmsg_open();
	ASSERT_LE(0, kmsg);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, mdev_remove(row.uuid[i]));
	ASSERT_TRUE(wait_until(kmsg_find(kmsg, " returned ", row.uuid[1]),
			       SOON_MS));
	ASSERT_FALSE(kmsg_find(kmsg, " returned ", row.uuid[2]));
	/* Unregistration ignores the error, too. */
	ASSERT_EQ(0, parent_set(&self->p, "remove_error_at", 2));
	ASSERT_EQ(0, parent_unregister(&self->p));
	ASSERT_TRUE(wait_until(kmsg_find(kmsg, " returned ", "remove of "),
			       SOON_MS));
	close(kmsg);
	ASSERT_EQ(0, count_dir("/sys/bus/mdev/devices"));
	ASSERT_EQ(0, log_read(&log));
	for (i = 0; i < ROW; i++)
		ASSERT_EQ(1, log_count(&log, "vendor", "removed",
				       row.uuid[i]));
	ASSERT_EQ(0, parent_register(&self->p));
	ASSERT_EQ(16, available_instances("a", self->p.type1));
}

TEST_F(fail, nth_open_fails_and_the_others_are_served)
{
	struct vfio_device_info info;
	char other[UUID_SIZE];
	struct vfio_user user;

	random_uuid(other);
	vfio_user_init(&user);
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, parent_create(&self->p, other));
	ASSERT_EQ(0, parent_set(&self->p, "open_error", -EIO));
	ASSERT_EQ(0, parent_set(&self->p, "open_error_at", 2));
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
	ASSERT_EQ(-EIO, mdev_open(&user, other));
	ASSERT_EQ(0, mdev_number(other, "in_use"));
	ASSERT_EQ(1, mdev_number(self->uuid, "in_use"));
	ASSERT_EQ(0, vfio_user_device_info(self->vfio.device, &info));
	/* A failed open leaves no user to wait for. */
	ASSERT_EQ(0, mdev_remove(other));
	ASSERT_EQ(0, parent_create(&self->p, other));
	ASSERT_EQ(0, mdev_open(&user, other));
	vfio_user_close(&user);
}

TEST_HARNESS_MAIN
