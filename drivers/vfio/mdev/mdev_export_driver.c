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
 * @drv: the driver; &mdev_driver.driver needs a name and an owner. Must stay
 *	until mdev_unregister_driver().
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
 * mdev_unregister_driver() - take back mdev_register_driver()
 * @drv: the same pointer. The parents whose devices bind to it must have been
 *	unregistered, or their creates fail with -ENODEV from now on.
 *
 * Waits for creates that are binding to it, then unbinds what is bound, which
 * waits for users.
 *
 * Context: process context, may sleep. Not from a callback of @drv.
 */
void mdev_unregister_driver(struct mdev_driver *drv)
{
	__mdev_unregister_driver(drv);
}
EXPORT_SYMBOL(mdev_unregister_driver);
