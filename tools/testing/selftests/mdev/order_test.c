// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ladder of creation and its mirror: the order of the vendor's callbacks
 * and the driver core's steps, and what is visible in sysfs at each. The test
 * parents' event log observes it inside the kernel.
 */
#include "mdev_test_fixture.h"

DOOR_FIXTURE(order_driver)
ON_DRIVER_DOOR(order_driver);

DOOR_FIXTURE(order_ops)
ON_OPS_DOOR(order_ops);

DOOR_FIXTURE(order)
ON_DRIVER_DOOR(order);
ON_OPS_DOOR(order);

#define CREATE_DRIVER \
	"bus add, bus binding, vendor create, vendor created, bus bound"
#define REMOVE_DRIVER \
	"bus unbinding, vendor remove, vendor removed, bus unbound, bus del, " \
	"bus removed"
#define CREATE_OPS \
	"vendor create, vendor created, bus add, bus binding, bus bound"
#define REMOVE_OPS \
	"bus unbinding, bus unbound, bus del, bus removed, vendor remove, " \
	"vendor removed"

#define REFUSED_PROBE \
	"bus add, bus binding, vendor create, bus not_bound, bus del, " \
	"bus removed"
#define REFUSED_BIND \
	"vendor create, vendor created, bus add, bus binding, other probe, " \
	"bus not_bound, bus del, bus removed, vendor remove, vendor removed"

/* Compare the device's logged events since log_clear() with a string. */
#define ASSERT_STORY(_want)						\
do {									\
	struct event_log log_;						\
	char story_[1024];						\
									\
	ASSERT_EQ(0, log_read(&log_));					\
	log_story(&log_, self->uuid, story_, sizeof(story_));		\
	ASSERT_STREQ(_want, story_);					\
} while (0)

/* Find the device's event, to check its fields. */
#define EVENT(_log, _who, _what)					\
({									\
	const struct event_log *log_ = &(_log);				\
	int i_ = log_find(log_, 0, _who, _what, self->uuid);		\
									\
	ASSERT_LE(0, i_);						\
	&log_->ev[i_];							\
})

TEST_F(order_driver, create_is_add_then_bind)
{
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_STORY(CREATE_DRIVER);
}

TEST_F(order_ops, create_calls_the_vendor_before_device_add)
{
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_STORY(CREATE_OPS);
}

TEST_F(order_driver, remove_mirrors_create)
{
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, log_clear());
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_STORY(REMOVE_DRIVER);
}

TEST_F(order_ops, remove_mirrors_create)
{
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, log_clear());
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_STORY(REMOVE_OPS);
}

TEST_F(order_driver, unregister_mirrors_create)
{
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, log_clear());
	ASSERT_EQ(0, parent_unregister(&self->p));
	ASSERT_STORY(REMOVE_DRIVER);
}

TEST_F(order_ops, unregister_mirrors_create)
{
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, log_clear());
	ASSERT_EQ(0, parent_unregister(&self->p));
	ASSERT_STORY(REMOVE_OPS);
}

TEST_F(order_driver, refused_probe_undoes_add)
{
	ASSERT_EQ(0, parent_set(&self->p, "create_error", -EIO));
	ASSERT_EQ(-EIO, parent_create(&self->p, self->uuid));
	ASSERT_STORY(REFUSED_PROBE);
}

TEST_F(order_ops, refused_create_never_reaches_the_driver_core)
{
	ASSERT_EQ(0, parent_set(&self->p, "create_error", -EIO));
	ASSERT_EQ(-EIO, parent_create(&self->p, self->uuid));
	ASSERT_STORY("vendor create");
}

TEST_F(order_ops, refused_bind_undoes_all_in_mirror_order)
{
	ASSERT_EQ(0, parent_restart(&self->p, "own_driver", 1));
	ASSERT_EQ(0, parent_set(&self->p, "bind_error", -EIO));
	ASSERT_EQ(-EIO, parent_create(&self->p, self->uuid));
	ASSERT_STORY(REFUSED_BIND);
}

TEST_F(order, identity_is_valid_in_every_callback)
{
	struct event_log log;
	int i;

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_EQ(0, log_read(&log));
	ASSERT_LT(8, log.n);
	for (i = 0; i < log.n; i++) {
		ASSERT_EQ(1, log.ev[i].valid) {
			TH_LOG("at %s %s", log.ev[i].who, log.ev[i].what);
		}
	}
}

TEST_F(order_ops, vendor_create_sees_nothing_of_it_in_sysfs)
{
	const struct log_event *ev;
	struct event_log log;

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, log_read(&log));
	ev = EVENT(log, "vendor", "created");
	ASSERT_EQ(0, ev->registered);
	ASSERT_EQ(0, ev->listed);
	ASSERT_EQ(0, ev->bound);
}

TEST_F(order_ops, vendor_remove_sees_nothing_of_it_in_sysfs)
{
	const struct log_event *ev;
	struct event_log log;

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_EQ(0, log_read(&log));
	ev = EVENT(log, "vendor", "remove");
	ASSERT_EQ(0, ev->registered);
	ASSERT_EQ(0, ev->linked);
	ASSERT_EQ(0, ev->listed);
	ASSERT_EQ(0, ev->bound);
}

TEST_F(order_ops, vendor_attributes_come_with_device_add)
{
	struct event_log log;

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, log_read(&log));
	ASSERT_EQ(1, EVENT(log, "bus", "add")->attrs);
	ASSERT_EQ(1, EVENT(log, "bus", "add")->remove);
}

TEST_F(order, links_are_there_before_the_driver_binds)
{
	const struct log_event *ev;
	struct event_log log;

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, log_read(&log));
	ev = EVENT(log, "bus", "binding");
	ASSERT_EQ(1, ev->registered);
	ASSERT_EQ(1, ev->linked);
	ASSERT_EQ(1, ev->listed);
}

TEST_F(order, links_and_attributes_stay_until_the_driver_has_gone)
{
	const struct log_event *ev;
	struct event_log log;

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, log_clear());
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_EQ(0, log_read(&log));
	ev = EVENT(log, "bus", "unbinding");
	ASSERT_EQ(1, ev->registered);
	ASSERT_EQ(1, ev->linked);
	ASSERT_EQ(1, ev->listed);
	ASSERT_EQ(1, ev->attrs);
	ASSERT_EQ(1, ev->group);
	ev = EVENT(log, "bus", "unbound");
	ASSERT_EQ(1, ev->registered);
	ASSERT_EQ(1, ev->linked);
	ASSERT_EQ(1, ev->listed);
}

TEST_F(order, links_go_before_device_del)
{
	const struct log_event *ev;
	struct event_log log;

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, log_clear());
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_EQ(0, log_read(&log));
	ev = EVENT(log, "bus", "del");
	ASSERT_EQ(1, ev->registered);
	ASSERT_EQ(0, ev->linked);
	ASSERT_EQ(0, ev->listed);
	ASSERT_EQ(0, ev->bound);
}

TEST_F(order, users_come_and_go_between_create_and_remove)
{
	struct event_log log;
	int opened, closed;

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
	vfio_user_close(&self->vfio);
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_EQ(0, log_read(&log));
	opened = log_find(&log, 0, "vendor", "open", self->uuid);
	closed = log_find(&log, 0, "vendor", "close", self->uuid);
	ASSERT_LT(log_find(&log, 0, "bus", "bound", self->uuid), opened);
	ASSERT_LT(opened, closed);
	ASSERT_LT(closed, log_find(&log, 0, "bus", "unbinding", self->uuid));
}

TEST_F(order_ops, vendor_remove_cannot_veto)
{
	int kmsg = kmsg_open();

	ASSERT_LE(0, kmsg);
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, parent_set(&self->p, "remove_error", -EBUSY));
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_FALSE(mdev_exists(self->uuid));
	ASSERT_TRUE(kmsg_find(kmsg, "the vendor driver may have leaked",
			      self->uuid));
	close(kmsg);
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
}

TEST_HARNESS_MAIN
