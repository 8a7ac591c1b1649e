// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parent-ops door: the vendor registers callbacks, vfio_mdev is the bus driver,
 * and create() runs before the device is visible.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/sysfs.h>

#include "mdev_export.h"
#include "mdev_private.h"

/* Step 5 of a create. */
int mdev_ops_create(struct mdev_core_device *md)
{
	struct mdev_core_parent *parent = md->parent;
	int ret;

	if (!parent->ops)
		return 0;
	ret = parent->ops->create(&md->type->kobj, &md->mdev);
	/* Don't log a full type: any user could flood the log. */
	if (ret && ret != -EUSERS)
		dev_err_ratelimited(parent->dev,
				    "mdev: create of %s as %s returned %d\n",
				    dev_name(&md->mdev.dev),
				    kobject_name(&md->type->kobj), ret);
	if (ret > 0)
		return -EINVAL;
	/* As the driver core does for a probe(): user space doesn't know it. */
	return ret == -EPROBE_DEFER ? -EAGAIN : ret;
}

/* The mirror of mdev_ops_create(). The vendor cannot refuse. */
void mdev_ops_remove(struct mdev_core_device *md)
{
	struct mdev_core_parent *parent = md->parent;
	int ret;

	if (!parent->ops)
		return;
	ret = parent->ops->remove(&md->mdev);
	if (ret)
		dev_err(parent->dev,
			"mdev: remove of %s as %s returned %d, which stops nothing: the vendor driver may have leaked what it held for the device\n",
			dev_name(&md->mdev.dev), kobject_name(&md->type->kobj),
			ret);
}

static void mdev_ops_init_type(struct mdev_core_parent *parent,
			       struct mdev_core_type *type,
			       const struct attribute_group *group)
{
	type->vendor_group = *group;
	type->vendor_group.name = NULL;
	type->stand_in.sysfs_name = group->name;
	type->stand_in.parent = &parent->stand_in;
	type->vendor = &type->stand_in;
}

/**
 * mdev_register_device() - register a parent by its ops
 * @dev: the parent device, added to the driver core.
 * @ops: its callbacks and types; must stay until mdev_unregister_device() returns.
 *
 * Creates may arrive before this returns. ``MDEV_STATE=registered`` is sent
 * when they work for all types.
 *
 * Context: process context, may sleep. Not under a lock that a callback takes.
 * Return: 0; -EINVAL if @dev, a mandatory op, or the name or the attributes of a
 * type are missing; -EEXIST if @dev is registered; -ENOMEM; an error of sysfs.
 */
int mdev_register_device(struct device *dev, const struct mdev_parent_ops *ops)
{
	struct mdev_core_parent *parent;
	const char *driver = "vfio_mdev";
	unsigned int i, nr_types = 0;

	if (!dev || !ops || !ops->create || !ops->remove ||
	    !ops->supported_type_groups)
		return -EINVAL;
	for (; ops->supported_type_groups[nr_types]; nr_types++) {
		const struct attribute_group *group =
			ops->supported_type_groups[nr_types];

		if (!group->name || (!group->attrs && !group->bin_attrs))
			return -EINVAL;
	}
	if (ops->device_driver)
		driver = ops->device_driver->driver.name;
	if (!driver)
		return -EINVAL;

	parent = mdev_parent_alloc(dev, NULL, driver, nr_types);
	if (IS_ERR(parent))
		return PTR_ERR(parent);
	parent->ops = ops;
	parent->dev_groups = ops->dev_attr_groups;
	parent->mdev_groups = ops->mdev_attr_groups;
	parent->stand_in.dev = dev;
	parent->stand_in.mdev_driver = ops->device_driver;
	for (i = 0; i < nr_types; i++)
		mdev_ops_init_type(parent, parent->types[i],
				   ops->supported_type_groups[i]);
	return mdev_parent_register(parent);
}
EXPORT_SYMBOL(mdev_register_device);

/**
 * mdev_unregister_device() - undo mdev_register_device()
 * @dev: the same device.
 *
 * See mdev_unregister_parent().
 *
 * Context: process context, may sleep. Not in a callback of this parent, nor
 * under a lock that one takes: it would deadlock, which lockdep reports.
 */
void mdev_unregister_device(struct device *dev)
{
	__mdev_unregister_parent(dev, NULL);
}
EXPORT_SYMBOL(mdev_unregister_device);

/**
 * mdev_get_drvdata() - get the vendor's state of a mediated device
 * @mdev: a device of the parent-ops door.
 *
 * Context: any, between the vendor's create() and remove().
 * Return: what mdev_set_drvdata() has stored, or NULL.
 */
void *mdev_get_drvdata(struct mdev_device *mdev)
{
	return to_core_device(mdev)->drvdata;
}
EXPORT_SYMBOL(mdev_get_drvdata);

/**
 * mdev_set_drvdata() - store the vendor's state of a mediated device
 * @mdev: a device of the parent-ops door.
 * @data: any pointer; the core does not follow it.
 *
 * Context: any; usually the vendor's create().
 */
void mdev_set_drvdata(struct mdev_device *mdev, void *data)
{
	to_core_device(mdev)->drvdata = data;
}
EXPORT_SYMBOL(mdev_set_drvdata);

/**
 * mdev_uuid() - get the UUID of a mediated device
 * @mdev: the device.
 *
 * Context: any.
 * Return: a pointer into @mdev.
 */
const guid_t *mdev_uuid(struct mdev_device *mdev)
{
	return &mdev->uuid;
}
EXPORT_SYMBOL(mdev_uuid);

/**
 * mdev_parent_dev() - get the parent device of a mediated device
 * @mdev: the device.
 *
 * Context: any.
 * Return: the parent, not referenced; NULL once @mdev has been removed.
 */
struct device *mdev_parent_dev(struct mdev_device *mdev)
{
	return mdev->dev.parent;
}
EXPORT_SYMBOL(mdev_parent_dev);

/**
 * mdev_from_dev() - get the mediated device of a struct device
 * @dev: any device.
 *
 * Context: any.
 * Return: the mediated device, or NULL if @dev is something else.
 */
struct mdev_device *mdev_from_dev(struct device *dev)
{
	return dev->bus == &mdev_bus_type ? to_mdev_device(dev) : NULL;
}
EXPORT_SYMBOL(mdev_from_dev);

/**
 * mdev_vfio_device() - get the vfio_device of a mediated device
 * @mdev: a device of the parent-ops door.
 *
 * For vfio_pin_pages() and the like.
 *
 * Context: any; stable between the vendor's open() and release().
 * Return: the vfio_device, or NULL while vfio_mdev is not bound.
 */
struct vfio_device *mdev_vfio_device(struct mdev_device *mdev)
{
	return READ_ONCE(to_core_device(mdev)->vdev);
}
EXPORT_SYMBOL_GPL(mdev_vfio_device);
