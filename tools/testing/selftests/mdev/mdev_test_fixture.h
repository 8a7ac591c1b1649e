/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fixture of the core's tests: the core, a door's test module and one
 * registered parent, "a". Each program that includes it has the lines
 *
 *	DOOR_FIXTURE(name)
 *	ON_DRIVER_DOOR(name);
 *	ON_OPS_DOOR(name);
 *
 * and each TEST_F(name, ...) runs once on each of these doors.
 */
#ifndef MDEV_TEST_FIXTURE_H
#define MDEV_TEST_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <kselftest_harness.h>
#include "mdev_test_door.h"
#include "vfio_user.h"

#define DOOR_FIXTURE(_name)						\
FIXTURE(_name) {							\
	struct test_parent p;						\
	struct vfio_user vfio;						\
	char uuid[UUID_SIZE];						\
};									\
FIXTURE_VARIANT(_name) {						\
	const char *door;						\
};									\
FIXTURE_SETUP(_name)							\
{									\
	int ret;							\
									\
	vfio_user_init(&self->vfio);					\
	random_uuid(self->uuid);					\
	ret = door_setup(variant->door);				\
	if (!ret)							\
		ret = parent_start(&self->p, variant->door, "a");	\
	if (!ret)							\
		ret = log_clear();					\
	if (ret)							\
		door_teardown(variant->door);				\
	ASSERT_EQ(0, ret);						\
}									\
FIXTURE_TEARDOWN(_name)							\
{									\
	vfio_user_close(&self->vfio);					\
	/* Child processes of a failed case may hold a device. */	\
	close_range(STDERR_FILENO + 1, ~0U, 0);				\
	EXPECT_EQ(0, door_teardown(variant->door));			\
}

#define ON_DRIVER_DOOR(_name)						\
	FIXTURE_VARIANT_ADD(_name, driver) { .door = DOOR_DRIVER }
#define ON_OPS_DOOR(_name)						\
	FIXTURE_VARIANT_ADD(_name, ops) { .door = DOOR_OPS }

#define IS_OPS(_variant) (!strcmp((_variant)->door, DOOR_OPS))

/* Open the device through VFIO. */
static inline int mdev_open(struct vfio_user *vfio, const char *uuid)
{
	int ret = load_module("vfio_iommu_type1");

	return ret ? ret : vfio_user_open(vfio, uuid);
}

static inline bool mdev_has(const char *uuid, const char *file)
{
	char path[PATH_MAX];

	mdev_path(path, uuid, file);
	return path_exists(path);
}

static inline long long mdev_number(const char *uuid, const char *file)
{
	char path[PATH_MAX];

	mdev_path(path, uuid, file);
	return read_number(path);
}

/* Is the device listed in devices/ of its type? */
static inline bool type_lists(const struct test_parent *p, const char *uuid)
{
	char file[64], path[PATH_MAX];

	snprintf(file, sizeof(file), "devices/%s", uuid);
	type_path(path, p->name, p->type1, file);
	return link_exists(path);
}

/* Check everything that a created device must have. */
static inline bool mdev_complete(const struct test_parent *p, const char *uuid)
{
	return mdev_has(uuid, "mdev_type") && mdev_has(uuid, "remove") &&
	       mdev_has(uuid, "iommu_group") && mdev_has(uuid, "vendor/uuid") &&
	       mdev_has(uuid, "driver") && type_lists(p, uuid);
}

/* Change a knob that takes effect at registration. */
static inline int parent_restart(const struct test_parent *p, const char *knob,
				 long long val)
{
	int ret = parent_unregister(p);

	if (!ret)
		ret = parent_set(p, knob, val);
	return ret ? ret : parent_register(p);
}

#endif /* MDEV_TEST_FIXTURE_H */
