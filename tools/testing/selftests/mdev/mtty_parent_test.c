// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sample card's parent: its types, and the pool of ports that they share.
 */
#include <errno.h>
#include <kselftest_harness.h>
#include <limits.h>

#include "mtty_test_lib.h"

#define POOL 24
#define PARENT_PATH "/sys/devices/virtual/mtty/mtty"

FIXTURE(parent)
{
	char uuids[POOL + 1][UUID_SIZE];	/* one more than fit */
	int cards;
};

FIXTURE_SETUP(parent)
{
	int ret = mtty_load();

	if (ret)
		mtty_unload();
	ASSERT_EQ(0, ret);
}

/* Unloading the parent removes the cards that a case left. */
FIXTURE_TEARDOWN_PARENT(parent)
{
	EXPECT_EQ(0, mtty_unload());
	EXPECT_EQ(keep_modules() || module_built_in("mtty"), path_exists(PARENT_PATH));
}

/* Create another card. */
#define create(type) \
	(random_uuid(self->uuids[self->cards]), \
	 mdev_create(MTTY_PARENT, type, self->uuids[self->cards]))
#define create_ok(type) do { \
	ASSERT_EQ(0, create(type)); \
	self->cards++; \
} while (0)

/* Check the number of cards of each type that can still be created. */
#define expect_left(single, dual) do { \
	EXPECT_EQ(single, available_instances(MTTY_PARENT, MTTY_SINGLE)); \
	EXPECT_EQ(dual, available_instances(MTTY_PARENT, MTTY_DUAL)); \
} while (0)

#define expect_type_file(type, file, value) do { \
	type_path(path, MTTY_PARENT, type, file); \
	EXPECT_LE(0, read_file(path, buf, sizeof(buf))); \
	EXPECT_STREQ(value, buf); \
} while (0)

TEST_F(parent, parent_is_where_tools_look_for_it)
{
	char buf[PATH_MAX];

	EXPECT_EQ(true, path_exists(PARENT_PATH "/mdev_supported_types"));
	EXPECT_EQ(0, link_target_name("/sys/class/mdev_bus/mtty", buf,
				      sizeof(buf)));
	EXPECT_STREQ("mtty", buf);
	EXPECT_EQ(true, path_exists("/sys/class/mdev_bus/mtty/mtty_dev"));
}

TEST_F(parent, two_types_describe_themselves)
{
	char path[PATH_MAX], buf[256];

	EXPECT_EQ(2, count_dir(PARENT_PATH "/mdev_supported_types"));
	expect_type_file(MTTY_SINGLE, "name", "Single port serial");
	expect_type_file(MTTY_DUAL, "name", "Dual port serial");
	expect_type_file(MTTY_SINGLE, "device_api", "vfio-pci");
	expect_type_file(MTTY_DUAL, "device_api", "vfio-pci");
	expect_type_file(MTTY_SINGLE, "available_instances", "24");
	expect_type_file(MTTY_DUAL, "available_instances", "12");
	expect_type_file(MTTY_SINGLE, "description",
			 "PCI serial card, 16550A ports: 1");
	expect_type_file(MTTY_DUAL, "description",
			 "PCI serial card, 16550A ports: 2");
}

TEST_F(parent, type_files_are_read_only_but_for_create)
{
	static const char * const files[] = {
		"name", "device_api", "available_instances", "description",
	};
	char path[PATH_MAX], buf[256];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		type_path(path, MTTY_PARENT, MTTY_DUAL, files[i]);
		/* In sysfs the mode binds root, too. */
		EXPECT_EQ(-EACCES, write_file(path, "1"));
	}
	type_path(path, MTTY_PARENT, MTTY_DUAL, "create");
	EXPECT_EQ(-EACCES, read_file(path, buf, sizeof(buf)));
}

TEST_F(parent, parent_attribute_follows_the_pool)
{
	static const char path[] = PARENT_PATH "/mtty_dev/sample_mtty_dev";
	char buf[256];

	EXPECT_LE(0, read_file(path, buf, sizeof(buf)));
	EXPECT_STREQ("24 of 24 ports left", buf);
	create_ok(MTTY_DUAL);
	create_ok(MTTY_SINGLE);
	EXPECT_LE(0, read_file(path, buf, sizeof(buf)));
	EXPECT_STREQ("21 of 24 ports left", buf);
}

TEST_F(parent, device_attribute_names_the_card)
{
	char path[PATH_MAX], buf[256];

	create_ok(MTTY_SINGLE);
	mdev_path(path, self->uuids[0], "vendor/sample_mdev_dev");
	EXPECT_LE(0, read_file(path, buf, sizeof(buf)));
	EXPECT_STREQ("Single port serial, ports: 1", buf);
	create_ok(MTTY_DUAL);
	mdev_path(path, self->uuids[1], "vendor/sample_mdev_dev");
	EXPECT_LE(0, read_file(path, buf, sizeof(buf)));
	EXPECT_STREQ("Dual port serial, ports: 2", buf);
}

TEST_F(parent, device_knows_its_type_and_parent)
{
	char path[PATH_MAX], buf[256];

	create_ok(MTTY_SINGLE);
	mdev_path(path, self->uuids[0], "mdev_type");
	EXPECT_EQ(0, link_target_name(path, buf, sizeof(buf)));
	EXPECT_STREQ(MTTY_SINGLE, buf);
	snprintf(path, sizeof(path), PARENT_PATH "/%s", self->uuids[0]);
	EXPECT_EQ(true, path_exists(path));
}

TEST_F(parent, both_types_draw_on_one_pool)
{
	expect_left(24, 12);
	create_ok(MTTY_DUAL);
	expect_left(22, 11);
	/* 21 ports make ten dual cards and leave one port. */
	create_ok(MTTY_SINGLE);
	expect_left(21, 10);
	create_ok(MTTY_SINGLE);
	expect_left(20, 10);
}

TEST_F(parent, ports_come_back_at_remove)
{
	create_ok(MTTY_DUAL);
	create_ok(MTTY_SINGLE);
	expect_left(21, 10);
	EXPECT_EQ(0, mdev_remove(self->uuids[0]));
	expect_left(23, 11);
	EXPECT_EQ(0, mdev_remove(self->uuids[1]));
	expect_left(24, 12);
}

TEST_F(parent, failed_create_takes_no_port)
{
	char path[PATH_MAX];

	create_ok(MTTY_DUAL);
	EXPECT_EQ(-EEXIST, mdev_create(MTTY_PARENT, MTTY_SINGLE,
				       self->uuids[0]));
	type_path(path, MTTY_PARENT, MTTY_SINGLE, "create");
	EXPECT_EQ(-EINVAL, write_file(path, "no uuid"));
	expect_left(22, 11);
}

TEST_F(parent, single_cards_alone_exhaust_the_pool_with_eusers)
{
	while (self->cards < POOL)
		create_ok(MTTY_SINGLE);
	expect_left(0, 0);
	EXPECT_EQ(-EUSERS, create(MTTY_SINGLE));
	EXPECT_EQ(-EUSERS, create(MTTY_DUAL));

	/* One free port allows a single card, two allow a dual one. */
	EXPECT_EQ(0, mdev_remove(self->uuids[0]));
	EXPECT_EQ(-EUSERS, mdev_create(MTTY_PARENT, MTTY_DUAL,
				       self->uuids[0]));
	EXPECT_EQ(0, mdev_remove(self->uuids[1]));
	EXPECT_EQ(0, mdev_create(MTTY_PARENT, MTTY_DUAL, self->uuids[0]));
	expect_left(0, 0);
}

TEST_F(parent, dual_cards_alone_exhaust_the_pool_with_eusers)
{
	while (self->cards < POOL / 2)
		create_ok(MTTY_DUAL);
	expect_left(0, 0);
	EXPECT_EQ(-EUSERS, create(MTTY_SINGLE));
	EXPECT_EQ(false, mdev_exists(self->uuids[self->cards]));
	EXPECT_EQ(-EUSERS, create(MTTY_DUAL));
	EXPECT_EQ(false, mdev_exists(self->uuids[self->cards]));
	expect_left(0, 0);
}

TEST_F(parent, last_port_makes_a_single_card_only)
{
	while (self->cards < POOL / 2 - 1)
		create_ok(MTTY_DUAL);
	create_ok(MTTY_SINGLE);
	expect_left(1, 0);
	EXPECT_EQ(-EUSERS, create(MTTY_DUAL));
	expect_left(1, 0);
	create_ok(MTTY_SINGLE);
	expect_left(0, 0);
	EXPECT_EQ(-EUSERS, create(MTTY_SINGLE));
}

TEST_F(parent, cards_go_with_their_parent)
{
	if (module_built_in("mtty"))
		SKIP(return, "mtty is built in");
	create_ok(MTTY_DUAL);
	create_ok(MTTY_SINGLE);
	EXPECT_EQ(0, unload_module("mtty"));
	EXPECT_EQ(false, mdev_exists(self->uuids[0]));
	EXPECT_EQ(false, mdev_exists(self->uuids[1]));
	EXPECT_EQ(false, path_exists("/sys/class/mdev_bus/mtty"));

	/* After a reload all ports and names are free again. */
	ASSERT_EQ(0, load_module("mtty"));
	expect_left(24, 12);
	EXPECT_EQ(0, mdev_create(MTTY_PARENT, MTTY_SINGLE, self->uuids[0]));
	expect_left(23, 11);
}

TEST_HARNESS_MAIN
