// SPDX-License-Identifier: GPL-2.0-only
/* Registration, create, remove and bind, on both doors and on mtty. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fail_ops.h"
#include "mdev_test_door.h"
#include "stress.h"

static struct test_parent parent;
static const char *parent_name;
static const char *type;
static char uuid[UUID_SIZE];

/* Opened before failures are armed: open() allocates, too. */
static int fd = -1;

static int open_file(const char *path)
{
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : 0;
}

static int write_text(const char *text)
{
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

static int prepare_register(void)
{
	char path[PATH_MAX];

	parent_path(path, &parent, "register");
	return open_file(path);
}

static int run_register(void)
{
	return write_text("1");
}

static void undo_register(int ret)
{
	/* A failed registration must work now. */
	check(!ret || !write_text("1"), "cannot register after a failure");
	check(!write_text("0"), "cannot unregister");
	close(fd);
}

/* Start with a registered parent that has a device. */
static int prepare_unregister(void)
{
	int ret = prepare_register();

	if (!ret)
		ret = write_text("1");
	return ret ? ret : mdev_create(parent_name, type, uuid);
}

static int run_unregister(void)
{
	return write_text("0");
}

static void undo_unregister(int ret)
{
	check(!ret, "an unregistration has failed");
	close(fd);
}

static int prepare_create(void)
{
	char path[PATH_MAX];

	type_path(path, parent_name, type, "create");
	return open_file(path);
}

static int run_create(void)
{
	return write_text(uuid);
}

static void undo_create(int ret)
{
	check(!ret || !mdev_create(parent_name, type, uuid),
	      "cannot create what a create has failed for");
	check(!mdev_remove(uuid), "cannot remove what was created");
	close(fd);
}

static int prepare_remove(void)
{
	char path[PATH_MAX];
	int ret = mdev_create(parent_name, type, uuid);

	mdev_path(path, uuid, "remove");
	return ret ? ret : open_file(path);
}

static int run_remove(void)
{
	return write_text("1");
}

static void undo_remove(int ret)
{
	close(fd);
	check(!ret || !mdev_remove(uuid), "cannot remove after a failure");
	check(!mdev_create(parent_name, type, uuid),
	      "cannot create what was removed");
	check(!mdev_remove(uuid), "cannot remove what was created");
}

/* Start with a device that is not bound to its bus driver. */
static int prepare_bind(void)
{
	char driver[DRIVER_SIZE] = "", path[PATH_MAX];
	int ret = mdev_create(parent_name, type, uuid);

	mdev_path(path, uuid, "driver");
	if (!ret)
		ret = link_target_name(path, driver, sizeof(driver));
	snprintf(path, sizeof(path), "/sys/bus/mdev/drivers/%s/unbind",
		 driver);
	if (!ret)
		ret = write_file(path, uuid);
	snprintf(path, sizeof(path), "/sys/bus/mdev/drivers/%s/bind", driver);
	return ret ? ret : open_file(path);
}

static int run_bind(void)
{
	return write_text(uuid);
}

static void undo_bind(int ret)
{
	check(!ret || !write_text(uuid), "cannot bind after a failure");
	check(!mdev_remove(uuid), "cannot remove what was bound by hand");
	close(fd);
}

static const struct fail_op registration_ops[] = {
	{ "register", true, prepare_register, run_register, undo_register },
	{ "unregister_with_a_device", false, prepare_unregister,
	  run_unregister, undo_unregister },
};

static const struct fail_op device_ops[] = {
	{ "create", true, prepare_create, run_create, undo_create },
	{ "remove", true, prepare_remove, run_remove, undo_remove },
	{ "bind", true, prepare_bind, run_bind, undo_bind },
};

static bool load_vfio(void)
{
	random_uuid(uuid);
	return !load_module("vfio_iommu_type1") && !load_module("vfio_mdev");
}

static bool start_test_parent(const char *door)
{
	parent_name = "a";
	type = parent.type2;
	/* Turn off the event log: it allocates memory, and keeps it. */
	return load_vfio() && !door_setup(door) &&
	       !parent_add(&parent, door, parent_name) &&
	       !write_file("/sys/kernel/debug/mdev_test/log_on", "0");
}

static bool start_driver(void)
{
	return start_test_parent(DOOR_DRIVER);
}

static bool start_ops(void)
{
	return start_test_parent(DOOR_OPS);
}

static bool start_mtty(void)
{
	parent_name = "mtty";
	type = "mtty-2";
	return load_vfio() && !load_module("mtty");
}

static bool start_legacy(void)
{
	parent_name = "mdev_test_legacy";
	type = "platform-1";
	return load_vfio() && !load_module("mdev_test_legacy");
}

static void stop_sample(void)
{
	static const char * const modules[] = {
		"mtty", "mdev_test_legacy", "vfio_mdev_legacy", "vfio_mdev",
		"mdev", "mdev_test_common", NULL
	};

	unload_all(modules);
}

static void stop_test_parent(void)
{
	const char * const modules[] = { parent.door, NULL };

	check(!parent_del(&parent), "cannot delete the parent");
	unload_all(modules);
	stop_sample();
}

static bool enter_registered(void)
{
	return !parent_register(&parent);
}

static bool leave_registered(void)
{
	return !parent_unregister(&parent);
}

static bool enter_group(void)
{
	return !mdev_create(parent_name, type, uuid) && vfio_enter_group(uuid);
}

static bool leave_group(void)
{
	return vfio_leave_group() && !mdev_remove(uuid);
}

static bool enter_registered_group(void)
{
	return enter_registered() && enter_group();
}

static bool leave_registered_group(void)
{
	return leave_group() && leave_registered();
}

static bool enter_device(void)
{
	return enter_group() && vfio_enter_device();
}

static bool leave_device(void)
{
	return vfio_leave_device() && leave_group();
}

static bool enter_mapping(void)
{
	return enter_device() && vfio_enter_mapping();
}

static bool leave_mapping(void)
{
	return vfio_leave_mapping() && leave_device();
}

static const struct fail_stage test_parent_stages[] = {
	{ NULL, NULL, registration_ops, ARRAY_SIZE(registration_ops) },
	{ enter_registered, leave_registered, device_ops,
	  ARRAY_SIZE(device_ops) },
	{ enter_registered_group, leave_registered_group, open_ops,
	  NR_OPEN_OPS },
};

/* mtty is registered while its module is loaded. */
static const struct fail_stage mtty_stages[] = {
	{ NULL, NULL, device_ops, ARRAY_SIZE(device_ops) },
	{ enter_group, leave_group, open_ops, NR_OPEN_OPS },
	{ enter_device, leave_device, call_ops, NR_CALL_OPS },
};

/* So is the legacy driver, of Linux 5.2. */
static const struct fail_stage legacy_stages[] = {
	{ NULL, NULL, device_ops, ARRAY_SIZE(device_ops) },
	{ enter_group, leave_group, open_ops, NR_OPEN_OPS },
	{ enter_mapping, leave_mapping, pin_ops, NR_PIN_OPS },
};

static const struct fail_door doors[] = {
	{ "driver", start_driver, stop_test_parent, test_parent_stages,
	  ARRAY_SIZE(test_parent_stages) },
	{ "ops", start_ops, stop_test_parent, test_parent_stages,
	  ARRAY_SIZE(test_parent_stages) },
	{ "mtty", start_mtty, stop_sample, mtty_stages,
	  ARRAY_SIZE(mtty_stages) },
	{ "legacy", start_legacy, stop_sample, legacy_stages,
	  ARRAY_SIZE(legacy_stages) },
};

static const char * const trees[] = {
	"/sys/bus/mdev/devices", "/sys/class/mdev_bus",
	"/sys/devices/virtual/mtty", "/sys/devices/virtual/" DOOR_DRIVER,
	"/sys/devices/virtual/" DOOR_OPS, NULL
};

static const char * const numbers[] = { "available_instances", "in_use", NULL };

static const char * const modules[] = {
	"mdev", "vfio_mdev", "vfio", "vfio_iommu_type1", "mtty", DOOR_DRIVER,
	DOOR_OPS, "mdev_test_legacy", "vfio_mdev_legacy", "mdev_test_common", NULL
};

/*
 * Not /dev/vfio: if device_del() cannot allocate a node's path, the node stays
 * until a device gets the same number, and the kernel reports no error.
 */
static const char * const dirs[] = {
	"/sys/bus/mdev/drivers", "/sys/class/vfio-dev", "/sys/class/vfio",
	"/sys/kernel/iommu_groups", NULL
};

const struct fail_system fail_system = {
	doors, ARRAY_SIZE(doors), "mdev_test_spare", trees, numbers, modules, dirs,
};
