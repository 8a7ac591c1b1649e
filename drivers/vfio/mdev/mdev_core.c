// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: map of the subsystem
 *
 * A *parent* is a device that its vendor driver can split. The driver registers it
 * through one of two doors. A *type* is a way to split it. A *mediated device* is a
 * part, which a user creates by writing a UUID to the type's ``create``.
 *
 * ==================  =========================================================
 * mdev_parent.c       registering parents, on both doors
 * mdev_parent_ops.c   the parent-ops door
 * mdev_export_*.c     what the parent-driver door exports
 * mdev_guard.c        keeps a parent while a create or remove runs
 * mdev_device.c       create and remove
 * mdev_index.c        UUIDs in use
 * mdev_users.c        users of a device
 * mdev_driver.c       the bus and its drivers
 * mdev_sysfs.c        attributes and links
 * vfio_mdev_main.c    vfio_mdev.ko, the bus driver of the parent-ops door
 * vfio_mdev_region.c  its answer to VFIO_DEVICE_GET_REGION_INFO
 * vfio_mdev_legacy.c  vfio_mdev_legacy.ko, VFIO as drivers of Linux 5.2 call it
 * ==================  =========================================================
 *
 * Lock order, outermost first:
 *
 * 1. an active reference on ``create`` or ``remove``;
 * 2. a section of the parent's guard, then of the bus driver's guard;
 * 3. the device lock of the mediated device;
 * 4. the vendor's locks.
 *
 * The mutexes of the two lists (parents, drivers) are leaves. Unregistration drains
 * the guard before it takes any of these.
 */
#include <linux/device.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "mdev_private.h"
#include "mdev_version.h"

struct class_compat *mdev_bus_class;

static int __init mdev_init(void)
{
	int ret;

	ret = mdev_index_init();
	if (ret)
		return ret;
	mdev_bus_class = class_compat_register("mdev_bus");
	if (!mdev_bus_class) {
		ret = -ENOMEM;
		goto exit_index;
	}
	ret = bus_register(&mdev_bus_type);
	if (ret)
		goto unregister_class;
	return 0;

unregister_class:
	class_compat_unregister(mdev_bus_class);
exit_index:
	mdev_index_exit();
	return ret;
}

static void __exit mdev_exit(void)
{
	bus_unregister(&mdev_bus_type);
	bus_wait_for_release(&mdev_bus_type);
	class_compat_unregister(mdev_bus_class);
	mdev_index_exit();
	/* Release functions end in module_put(). Wait until they have returned. */
	synchronize_rcu_tasks();
}

/* If built in, before the drivers that register parents. */
subsys_initcall(mdev_init);
module_exit(mdev_exit);

MODULE_DESCRIPTION("Mediated device core");
MODULE_AUTHOR("The mdev maintainers");
MODULE_LICENSE("GPL");
MODULE_VERSION(MDEV_VERSION);
