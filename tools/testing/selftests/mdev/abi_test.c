// SPDX-License-Identifier: GPL-2.0-only
/* The sysfs files, on both doors. */
#include <stdlib.h>
#include <sys/stat.h>

#include "mdev_test_fixture.h"

DOOR_FIXTURE(abi)
ON_DRIVER_DOOR(abi);
ON_OPS_DOOR(abi);

DOOR_FIXTURE(abi_one)
ON_DRIVER_DOOR(abi_one);

TEST_F(abi, class_link_points_to_the_parent)
{
	char want[PATH_MAX], real[PATH_MAX];

	snprintf(want, sizeof(want), "/sys/devices/virtual/%s/a",
		 variant->door);
	ASSERT_NE(NULL, realpath("/sys/class/mdev_bus/a", real));
	ASSERT_STREQ(want, real);
}

TEST_F(abi, type_directories_are_named_driver_and_type)
{
	char path[PATH_MAX];

	type_path(path, "a", "", "");
	ASSERT_EQ(2, count_dir(path));
	type_path(path, "a", self->p.type1, "");
	ASSERT_TRUE(path_exists(path));
	type_path(path, "a", self->p.type2, "");
	ASSERT_TRUE(path_exists(path));
}

TEST_F(abi, type_attributes_have_their_values)
{
	char path[PATH_MAX], val[64];

	type_path(path, "a", self->p.type2, "name");
	ASSERT_LT(0, read_file(path, val, sizeof(val)));
	ASSERT_STREQ("Test type 2", val);
	type_path(path, "a", self->p.type2, "device_api");
	ASSERT_LT(0, read_file(path, val, sizeof(val)));
	ASSERT_STREQ("vfio-pci", val);
	ASSERT_EQ(16, available_instances("a", self->p.type2));
	type_path(path, "a", self->p.type2, "devices");
	ASSERT_EQ(0, count_dir(path));
}

TEST_F(abi, create_is_write_only_for_root)
{
	struct stat st;
	char path[PATH_MAX];

	type_path(path, "a", self->p.type1, "create");
	ASSERT_EQ(0, stat(path, &st));
	ASSERT_EQ(0200, st.st_mode & 07777);
}

TEST_F(abi_one, description_is_there_only_if_the_vendor_has_one)
{
	char path[PATH_MAX], val[64];

	type_path(path, "a", self->p.type1, "description");
	ASSERT_FALSE(path_exists(path));
	ASSERT_EQ(0, parent_restart(&self->p, "description", 1));
	ASSERT_LT(0, read_file(path, val, sizeof(val)));
	ASSERT_STREQ("description of Test type 1", val);
}

TEST_F(abi_one, type_without_a_pretty_name_is_called_by_its_other_one)
{
	char path[PATH_MAX], val[64];

	ASSERT_EQ(0, parent_restart(&self->p, "plain_types", 1));
	type_path(path, "a", self->p.type2, "name");
	ASSERT_LT(0, read_file(path, val, sizeof(val)));
	ASSERT_STREQ("2", val);
}

TEST_F(abi_one, get_available_is_asked_and_limits_nothing_itself)
{
	/* A vendor that does its own counting declares no maximum. */
	ASSERT_EQ(0, parent_set(&self->p, "get_available", 7));
	ASSERT_EQ(0, parent_restart(&self->p, "max_instances", 0));
	ASSERT_EQ(7, available_instances("a", self->p.type1));
	ASSERT_EQ(0, parent_create(&self->p, NULL));
	ASSERT_EQ(7, available_instances("a", self->p.type1));
	ASSERT_EQ(0, parent_set(&self->p, "get_available", 0));
	ASSERT_EQ(0, available_instances("a", self->p.type1));
	/* Only its probe() may refuse. */
	ASSERT_EQ(0, parent_create(&self->p, NULL));
}

TEST_F(abi_one, max_instances_may_be_any_number)
{
	ASSERT_EQ(0, parent_restart(&self->p, "max_instances", 4294967295));
	ASSERT_EQ(4294967295, available_instances("a", self->p.type1));
	ASSERT_EQ(0, parent_create(&self->p, NULL));
	ASSERT_EQ(4294967294, available_instances("a", self->p.type1));
}

TEST_F(abi, available_instances_counts_down_and_up)
{
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(15, available_instances("a", self->p.type1));
	ASSERT_EQ(15, available_instances("a", self->p.type2));
	ASSERT_EQ(0, parent_create2(&self->p, NULL));
	ASSERT_EQ(14, available_instances("a", self->p.type1));
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_EQ(15, available_instances("a", self->p.type1));
}

TEST_F(abi, device_is_a_child_of_the_parent)
{
	char path[PATH_MAX], want[PATH_MAX], real[PATH_MAX];

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	mdev_path(path, self->uuid, "");
	ASSERT_NE(NULL, realpath(path, real));
	snprintf(want, sizeof(want), "/sys/devices/virtual/%s/a/%s",
		 variant->door, self->uuid);
	ASSERT_STREQ(want, real);
}

TEST_F(abi, device_and_type_link_to_each_other)
{
	char path[PATH_MAX], file[64], name[64];

	ASSERT_EQ(0, parent_create2(&self->p, self->uuid));
	mdev_path(path, self->uuid, "mdev_type");
	ASSERT_EQ(0, link_target_name(path, name, sizeof(name)));
	ASSERT_STREQ(self->p.type2, name);
	snprintf(file, sizeof(file), "devices/%s", self->uuid);
	type_path(path, "a", self->p.type2, file);
	ASSERT_EQ(0, link_target_name(path, name, sizeof(name)));
	ASSERT_STREQ(self->uuid, name);
	/* The other type does not list it. */
	ASSERT_FALSE(type_lists(&self->p, self->uuid));
}

TEST_F(abi, device_is_bound_to_its_driver)
{
	char path[PATH_MAX], name[64], driver[DRIVER_SIZE];

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	mdev_path(path, self->uuid, "driver");
	ASSERT_EQ(0, link_target_name(path, name, sizeof(name)));
	parent_driver(driver, &self->p);
	ASSERT_STREQ(driver, name);
}

TEST_F(abi, device_has_all_files_when_create_returns)
{
	char path[PATH_MAX], val[64];

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_TRUE(mdev_complete(&self->p, self->uuid));
	ASSERT_TRUE(mdev_has(self->uuid, "in_use"));
	ASSERT_TRUE(mdev_has(self->uuid, "mdevseq"));
	mdev_path(path, self->uuid, "vendor/uuid");
	ASSERT_LT(0, read_file(path, val, sizeof(val)));
	ASSERT_STREQ(self->uuid, val);
}

TEST_F(abi, in_use_counts_open_device_files)
{
	int second;

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_number(self->uuid, "in_use"));
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
	ASSERT_EQ(1, mdev_number(self->uuid, "in_use"));
	second = vfio_user_get_device(&self->vfio, self->uuid);
	ASSERT_LE(0, second);
	ASSERT_EQ(2, mdev_number(self->uuid, "in_use"));
	close(second);
	ASSERT_EQ(1, mdev_number(self->uuid, "in_use"));
	vfio_user_close(&self->vfio);
	ASSERT_EQ(0, mdev_number(self->uuid, "in_use"));
}

TEST_F(abi, mdevseq_grows_and_is_never_reused)
{
	long long first, second, third;

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	first = mdev_number(self->uuid, "mdevseq");
	ASSERT_LT(0, first);
	ASSERT_EQ(first, mdev_number(self->uuid, "mdevseq"));
	ASSERT_EQ(0, mdev_remove(self->uuid));
	/* The same UUID and name, but another device. */
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	second = mdev_number(self->uuid, "mdevseq");
	ASSERT_LT(first, second);
	ASSERT_EQ(0, parent_unregister(&self->p));
	ASSERT_EQ(0, parent_register(&self->p));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	third = mdev_number(self->uuid, "mdevseq");
	ASSERT_LT(second, third);
}

TEST_F(abi, remove_takes_all_away)
{
	char path[PATH_MAX];

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_FALSE(mdev_exists(self->uuid));
	ASSERT_FALSE(type_lists(&self->p, self->uuid));
	snprintf(path, sizeof(path), "/sys/class/mdev_bus/a/%s", self->uuid);
	ASSERT_FALSE(path_exists(path));
}

TEST_F(abi, unregister_takes_all_away)
{
	char path[PATH_MAX];

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, parent_create2(&self->p, NULL));
	ASSERT_EQ(0, parent_unregister(&self->p));
	ASSERT_FALSE(link_exists("/sys/class/mdev_bus/a"));
	ASSERT_EQ(0, count_dir("/sys/bus/mdev/devices"));
	snprintf(path, sizeof(path),
		 "/sys/devices/virtual/%s/a/mdev_supported_types",
		 variant->door);
	ASSERT_FALSE(path_exists(path));
}

TEST_F(abi, vfio_file_reaches_the_vendor)
{
	struct vfio_device_info info;
	char text[8] = "mdev";

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
	ASSERT_EQ(0, vfio_user_device_info(self->vfio.device, &info));
	ASSERT_EQ(0, info.num_regions);
	ASSERT_EQ(sizeof(text), pwrite(self->vfio.device, text, sizeof(text),
				       100));
	memset(text, 0, sizeof(text));
	ASSERT_EQ(sizeof(text), pread(self->vfio.device, text, sizeof(text),
				      100));
	ASSERT_STREQ("mdev", text);
}

TEST_F(abi, open_error_reaches_the_opener)
{
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, parent_set(&self->p, "open_error", -ENOSPC));
	ASSERT_EQ(-ENOSPC, mdev_open(&self->vfio, self->uuid));
	ASSERT_EQ(0, mdev_number(self->uuid, "in_use"));
	ASSERT_EQ(0, parent_set(&self->p, "open_error", 0));
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
}

TEST_HARNESS_MAIN
