// SPDX-License-Identifier: GPL-2.0-only
/* Unregistering a parent whose devices are open. */
#include "mdev_test_fixture.h"

DOOR_FIXTURE(unregister_open)
ON_DRIVER_DOOR(unregister_open);
ON_OPS_DOOR(unregister_open);

/* The core logs a wait every 10 s. Allow twice that. */
#define LOG_MS 20000

#define START(_request_op)						\
do {									\
	ASSERT_EQ(0, parent_restart(&self->p, "request_op",		\
				    _request_op));			\
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));		\
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));		\
} while (0)

TEST_F(unregister_open, unregister_asks_the_user_and_waits_for_close)
{
	struct actor unreg;

	START(1);
	ASSERT_EQ(0, actor_unregister(&unreg, &self->p));
	ASSERT_TRUE(wait_until(parent_get(&self->p, "requests") >= 1,
			       SOON_MS));
	ASSERT_TRUE(actor_running(&unreg));
	/* Tools still see the device's type and attributes. */
	ASSERT_TRUE(mdev_has(self->uuid, "mdev_type"));
	ASSERT_TRUE(mdev_has(self->uuid, "vendor/uuid"));
	ASSERT_EQ(1, mdev_number(self->uuid, "in_use"));
	ASSERT_EQ(-ENODEV, mdev_remove(self->uuid));
	vfio_user_close(&self->vfio);
	ASSERT_EQ(0, actor_wait(&unreg, SOON_MS));
	ASSERT_FALSE(mdev_exists(self->uuid));
}

TEST_F(unregister_open, unregister_waits_without_request_op_too)
{
	int kmsg = kmsg_open();
	struct actor unreg;

	ASSERT_LE(0, kmsg);
	START(0);
	ASSERT_EQ(0, actor_unregister(&unreg, &self->p));
	ASSERT_TRUE(wait_until(kmsg_find(kmsg, "waiting", self->uuid),
			       LOG_MS));
	ASSERT_TRUE(actor_running(&unreg));
	vfio_user_close(&self->vfio);
	ASSERT_EQ(0, actor_wait(&unreg, SOON_MS));
	ASSERT_FALSE(mdev_exists(self->uuid));
	close(kmsg);
}

TEST_F(unregister_open, unregister_says_again_what_it_waits_for)
{
	int kmsg = kmsg_open();
	unsigned long long first;
	struct actor unreg;

	ASSERT_LE(0, kmsg);
	START(1);
	ASSERT_EQ(0, actor_unregister(&unreg, &self->p));
	ASSERT_TRUE(wait_until(kmsg_find(kmsg, "waiting", self->uuid),
			       LOG_MS));
	first = now_ms();
	ASSERT_TRUE(wait_until(kmsg_find(kmsg, "waiting", self->uuid),
			       LOG_MS));
	/* The message comes every 10 s, not in a loop. */
	ASSERT_LT(8000, now_ms() - first);
	ASSERT_LE(2, parent_get(&self->p, "requests"));
	vfio_user_close(&self->vfio);
	ASSERT_EQ(0, actor_wait(&unreg, SOON_MS));
	close(kmsg);
}

TEST_F(unregister_open, remover_that_waits_gives_way_to_unregister)
{
	struct actor remover, unreg;

	START(1);
	ASSERT_EQ(0, actor_remove(&remover, self->uuid));
	ASSERT_TRUE(wait_until(parent_get(&self->p, "requests") >= 1,
			       SOON_MS));
	ASSERT_EQ(0, actor_unregister(&unreg, &self->p));
	ASSERT_EQ(-ENODEV, actor_wait(&remover, SOON_MS));
	ASSERT_TRUE(actor_running(&unreg));
	ASSERT_TRUE(mdev_has(self->uuid, "mdev_type"));
	vfio_user_close(&self->vfio);
	ASSERT_EQ(0, actor_wait(&unreg, SOON_MS));
	ASSERT_FALSE(mdev_exists(self->uuid));
}

TEST_F(unregister_open, device_is_removed_once_in_mirror_order)
{
	struct event_log log;
	struct actor unreg;
	int closed, unbinding;

	START(1);
	ASSERT_EQ(0, log_clear());
	ASSERT_EQ(0, actor_unregister(&unreg, &self->p));
	ASSERT_TRUE(wait_until(parent_get(&self->p, "requests") >= 1,
			       SOON_MS));
	vfio_user_close(&self->vfio);
	ASSERT_EQ(0, actor_wait(&unreg, SOON_MS));
	ASSERT_EQ(0, log_read(&log));
	closed = log_find(&log, 0, "vendor", "close", self->uuid);
	unbinding = log_find(&log, 0, "bus", "unbinding", self->uuid);
	ASSERT_LE(0, closed);
	ASSERT_LT(closed, unbinding);
	ASSERT_EQ(1, log_count(&log, "vendor", "removed", self->uuid));
}

static int act_unload(void *arg)
{
	return unload_module(arg);
}

TEST_F(unregister_open, module_of_the_vendor_is_in_use_while_a_device_is_open)
{
	struct actor unload;

	START(1);
	ASSERT_EQ(0, actor_start(&unload, act_unload, (void *)variant->door));
	ASSERT_EQ(-EWOULDBLOCK, actor_wait(&unload, SOON_MS));
	/* Unregistration has not begun. */
	ASSERT_EQ(0, parent_create(&self->p, NULL));
	vfio_user_close(&self->vfio);
	ASSERT_EQ(0, unload_soon(variant->door));
	ASSERT_EQ(0, load_module(variant->door));
}

#define DEVICES 3

TEST_F(unregister_open, unregister_asks_all_users_and_waits_for_them_together)
{
	struct vfio_user users[DEVICES];
	char uuids[DEVICES][UUID_SIZE];
	struct event_log log;
	struct actor unreg;
	int i;

	ASSERT_EQ(0, parent_restart(&self->p, "request_op", 1));
	for (i = 0; i < DEVICES; i++) {
		random_uuid(uuids[i]);
		ASSERT_EQ(0, parent_create(&self->p, uuids[i]));
		ASSERT_EQ(0, mdev_open(&users[i], uuids[i]));
	}
	ASSERT_EQ(0, actor_unregister(&unreg, &self->p));
	for (i = 0; i < DEVICES; i++) {
		ASSERT_TRUE(wait_until(!log_read(&log) &&
				       log_count(&log, "vendor", "request",
						 uuids[i]) >= 1, SOON_MS)) {
			TH_LOG("user %d has not been asked", i);
		}
	}
	for (i = 0; IS_OPS(variant) && i < DEVICES; i++)
		ASSERT_EQ(-ENODEV, vfio_user_get_device(&users[i], uuids[i]));
	/* Each device goes once its user closes it, in any order. */
	for (i = DEVICES - 1; i >= 0; i--) {
		ASSERT_TRUE(mdev_exists(uuids[0]));
		ASSERT_TRUE(actor_running(&unreg));
		vfio_user_close(&users[i]);
		ASSERT_TRUE(wait_until(!mdev_exists(uuids[i]), SOON_MS));
	}
	ASSERT_EQ(0, actor_wait(&unreg, SOON_MS));
}

TEST_HARNESS_MAIN
