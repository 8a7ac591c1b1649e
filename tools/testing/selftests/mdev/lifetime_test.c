// SPDX-License-Identifier: GPL-2.0-only
/*
 * References that outlive what they refer to. The test parents overwrite and
 * free all vendor memory as soon as unregistration has returned, to expose
 * stale pointers in the core.
 */
#include "mdev_test_fixture.h"

DOOR_FIXTURE(lifetime)
ON_DRIVER_DOOR(lifetime);
ON_OPS_DOOR(lifetime);

/* Create a device and hold a reference to it. */
#define START_HELD()							\
do {									\
	ASSERT_EQ(0, parent_set(&self->p, "hold", 1));			\
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));		\
	ASSERT_EQ(1, held_count());					\
} while (0)

TEST_F(lifetime, reference_may_outlive_the_vendors_memory)
{
	START_HELD();
	ASSERT_EQ(0, parent_unregister(&self->p));
	ASSERT_FALSE(mdev_exists(self->uuid));
	ASSERT_EQ(0, held_drop());
	ASSERT_EQ(0, parent_register(&self->p));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
}

TEST_F(lifetime, reference_on_a_removed_device_may_outlive_the_vendors_memory)
{
	START_HELD();
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_EQ(0, parent_unregister(&self->p));
	ASSERT_EQ(0, held_drop());
}

TEST_F(lifetime, reference_from_a_failed_create_may_outlive_the_vendors_memory)
{
	ASSERT_EQ(0, parent_set(&self->p, "hold", 1));
	ASSERT_EQ(0, parent_set(&self->p, "create_error", -EIO));
	ASSERT_EQ(-EIO, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, parent_unregister(&self->p));
	ASSERT_EQ(1, held_count());
	ASSERT_EQ(0, held_drop());
}

TEST_F(lifetime, held_device_leads_to_nothing_of_the_vendor)
{
	char other[UUID_SIZE];

	START_HELD();
	random_uuid(other);
	ASSERT_EQ(0, parent_create(&self->p, other));
	ASSERT_EQ(2, held_leading_count());
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_EQ(1, held_leading_count());
	ASSERT_EQ(0, parent_unregister(&self->p));
	ASSERT_EQ(2, held_count());
	ASSERT_EQ(0, held_leading_count());
}

TEST_F(lifetime, reference_may_outlive_the_parent_device)
{
	START_HELD();
	ASSERT_EQ(0, parent_del(&self->p));
	ASSERT_EQ(1, held_count());
	ASSERT_EQ(0, held_drop());
	ASSERT_EQ(0, parent_start(&self->p, variant->door, "a"));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
}

TEST_F(lifetime, uuid_and_name_are_free_after_unregister_while_held)
{
	START_HELD();
	ASSERT_EQ(0, parent_unregister(&self->p));
	ASSERT_EQ(0, parent_register(&self->p));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(2, held_count());
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, held_drop());
	ASSERT_TRUE(mdev_complete(&self->p, self->uuid));
}

TEST_F(lifetime, vendor_module_can_go_with_devices_alive)
{
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, parent_create2(&self->p, NULL));
	ASSERT_EQ(0, unload_module(variant->door));
	ASSERT_FALSE(mdev_exists(self->uuid));
	ASSERT_EQ(0, count_dir("/sys/bus/mdev/devices"));
}

TEST_F(lifetime, vendor_module_can_go_while_a_reference_is_held)
{
	START_HELD();
	ASSERT_EQ(0, unload_module(variant->door));
	ASSERT_FALSE(module_loaded(variant->door));
	ASSERT_EQ(1, held_count());
	ASSERT_EQ(0, held_drop());
}

TEST_F(lifetime, vendor_module_comes_back_while_a_reference_is_held)
{
	START_HELD();
	ASSERT_EQ(0, unload_module(variant->door));
	ASSERT_EQ(0, load_module(variant->door));
	ASSERT_EQ(0, parent_start(&self->p, variant->door, "a"));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, held_drop());
	ASSERT_TRUE(mdev_complete(&self->p, self->uuid));
}

static bool in_use(int ret)
{
	return ret == -EWOULDBLOCK || ret == -EBUSY;
}

TEST_F(lifetime, core_can_be_unloaded_when_the_last_reference_has_gone)
{
	int ret;

	if (module_built_in("mdev"))
		SKIP(return, "mdev is built in");
	START_HELD();
	ASSERT_EQ(0, unload_module(variant->door));
	ASSERT_TRUE(wait_until(!module_loaded("vfio_mdev") ||
			       !unload_module("vfio_mdev"), SOON_MS));
	ret = unload_module("mdev");
	/* The reference may pin mdev.ko, but need not. */
	ASSERT_TRUE(!ret || in_use(ret)) {
		TH_LOG("rmmod mdev: %d", ret);
	}
	ASSERT_EQ(0, held_drop());
	ASSERT_TRUE(wait_until(!module_loaded("mdev") ||
			       !unload_module("mdev"), UNLOAD_MS));
}

TEST_F(lifetime, core_can_be_unloaded_right_after_the_vendor)
{
	/* A round takes about 30 s on a kernel that delays releases. */
	int i, rounds = keep_modules() ? 2 : 3;

	if (module_built_in("mdev"))
		SKIP(return, "mdev is built in");
	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, parent_create(&self->p, self->uuid));
		ASSERT_EQ(0, parent_create2(&self->p, NULL));
		ASSERT_EQ(0, unload_module(variant->door));
		ASSERT_EQ(0, core_unload());
		ASSERT_EQ(0, door_setup(variant->door));
		ASSERT_EQ(0, parent_start(&self->p, variant->door, "a"));
	}
}

TEST_F(lifetime, open_files_of_the_type_directory_lead_nowhere)
{
	char path[PATH_MAX], buf[64];
	int create, instances;

	type_path(path, "a", self->p.type1, "create");
	create = open(path, O_WRONLY);
	ASSERT_LE(0, create);
	type_path(path, "a", self->p.type1, "available_instances");
	instances = open(path, O_RDONLY);
	ASSERT_LE(0, instances);
	ASSERT_EQ(0, parent_unregister(&self->p));
	ASSERT_EQ(-1, write(create, self->uuid, UUID_SIZE - 1));
	ASSERT_EQ(ENODEV, errno);
	ASSERT_EQ(-1, read(instances, buf, sizeof(buf)));
	ASSERT_EQ(ENODEV, errno);
	ASSERT_EQ(0, parent_register(&self->p));
	ASSERT_EQ(-1, write(create, self->uuid, UUID_SIZE - 1));
	ASSERT_EQ(ENODEV, errno);
	close(create);
	close(instances);
}

TEST_F(lifetime, open_device_pins_the_bus_drivers_module)
{
	const char *driver = IS_OPS(variant) ? "vfio_mdev" : variant->door;

	if (module_built_in(driver))
		SKIP(return, "%s is built in", driver);
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
	ASSERT_EQ(-EWOULDBLOCK, unload_module(driver));
	vfio_user_close(&self->vfio);
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_TRUE(wait_until(!unload_module(driver), UNLOAD_MS));
}

TEST_HARNESS_MAIN
