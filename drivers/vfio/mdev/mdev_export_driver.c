// SPDX-License-Identifier: GPL-2.0-only
/*
 * The other two exports of the parent-driver door, which must know
 * <linux/iommu.h>: see mdev_export_parent.c.
 */
#include <linux/iommu.h>
#include <linux/mdev.h>
#include <linux/module.h>

#include "mdev_export.h"

/**
 * mdev_register_driver() - register a bus driver for mediated devices
 * @drv: the driver, with a name and an owner in its &mdev_driver.driver; must
 *	stay until mdev_unregister_driver() returns.
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL if @drv or its name is missing; -ENOMEM; -EBUSY if a driver
 * of this name is registered.
 */
int mdev_register_driver(struct mdev_driver *drv)
{
	return __mdev_register_driver(drv);
}
EXPORT_SYMBOL(mdev_register_driver);

/**
 * mdev_unregister_driver() - undo mdev_register_driver()
 * @drv: the same pointer. Unregister the parents that name it first, or their
 *	creates fail with -ENODEV.
 *
 * Waits for creates that bind to it, and logs that every 10 seconds. Then unbinds
 * its devices, which waits for their users.
 *
 * Context: process context, may sleep. Not in a callback of @drv.
 */
void mdev_unregister_driver(struct mdev_driver *drv)
{
	__mdev_unregister_driver(drv);
}
EXPORT_SYMBOL(mdev_unregister_driver);
