// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parent-ops door: the vendor hands over callbacks, vfio_mdev brings the
 * VFIO side, and the vendor's state exists before the device is visible.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/sysfs.h>

#include "mdev_export.h"
#include "mdev_private.h"

#define MDEV_VFIO_DRIVER	"vfio_mdev"

/* Step 5 of a create; nothing to do on the other door. */
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
	/* A number of the driver core's own; the other door says so as well. */
	return ret == -EPROBE_DEFER ? -EAGAIN : ret;
}

/* The mirror of mdev_ops_create(); it cannot refuse. */
void mdev_ops_remove(struct mdev_core_device *md)
{
	struct mdev_core_parent *parent = md->parent;
	int ret;

	if (!parent->ops)
		return;
	ret = parent->ops->remove(&md->mdev);
	if (ret)
		dev_err(parent->dev,
			"mdev: remove of %s as %s returned %d, which stops nothing: %ps may have leaked what the vendor driver held for the device\n",
			dev_name(&md->mdev.dev), kobject_name(&md->type->kobj),
			ret, parent->ops->remove);
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
 * @dev: the parent device, on the driver core's books.
 * @ops: its callbacks and types, kept until mdev_unregister_device() returns.
 *
 * Creates may arrive before this returns. ``MDEV_STATE=registered`` is sent
 * when they work for every type.
 *
 * Context: process context, may sleep. Not under a lock that a callback takes.
 * Return: 0; -EINVAL if @dev, a mandatory op, or the name or the attributes of a
 * type are missing; -EEXIST if @dev is registered; -ENOMEM; an error of sysfs.
 */
int mdev_register_device(struct device *dev, const struct mdev_parent_ops *ops)
{
	struct mdev_core_parent *parent;
	const char *driver = MDEV_VFIO_DRIVER;
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

	parent = mdev_parent_alloc(dev, NULL, driver, ops->mdev_attr_groups,
				   nr_types);
	if (IS_ERR(parent))
		return PTR_ERR(parent);
	parent->ops = ops;
	parent->stand_in.dev = dev;
	parent->stand_in.mdev_driver = ops->device_driver;
	for (i = 0; i < nr_types; i++)
		mdev_ops_init_type(parent, parent->types[i],
				   ops->supported_type_groups[i]);
	return mdev_parent_register(parent);
}
EXPORT_SYMBOL(mdev_register_device);

/**
 * mdev_unregister_device() - take back mdev_register_device()
 * @dev: the same device.
 *
 * Refuses new creates and removes, waits for those in flight, then removes the
 * devices that are left: users are asked to let go and waited for, and the log
 * says every 10 seconds for whom. When it returns, the core holds no pointer
 * into the vendor's memory, whoever still holds a reference on a dead device.
 *
 * Context: process context, may sleep. Not from a callback of this parent, nor
 * under a lock that one takes: it would wait for itself. lockdep reports both.
 */
void mdev_unregister_device(struct device *dev)
{
	__mdev_unregister_parent(dev, NULL);
}
EXPORT_SYMBOL(mdev_unregister_device);

/**
 * mdev_get_drvdata() - what mdev_set_drvdata() has stored
 * @mdev: a mediated device of the parent-ops door.
 *
 * Context: any, between the vendor's create() and remove().
 * Return: the pointer, NULL if there is none.
 */
void *mdev_get_drvdata(struct mdev_device *mdev)
{
	return to_core_device(mdev)->drvdata;
}
EXPORT_SYMBOL(mdev_get_drvdata);

/**
 * mdev_set_drvdata() - store the vendor's state of a mediated device
 * @mdev: a mediated device of the parent-ops door.
 * @data: any pointer; the core does not follow it.
 *
 * Context: any; usually the vendor's create(), which nothing can overtake.
 */
void mdev_set_drvdata(struct mdev_device *mdev, void *data)
{
	to_core_device(mdev)->drvdata = data;
}
EXPORT_SYMBOL(mdev_set_drvdata);

/**
 * mdev_uuid() - the UUID of a mediated device
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
 * mdev_parent_dev() - the parent device of a mediated device
 * @mdev: the device.
 *
 * Context: any.
 * Return: the parent, without a reference of its own; NULL once @mdev has been
 * removed.
 */
struct device *mdev_parent_dev(struct mdev_device *mdev)
{
	return mdev->dev.parent;
}
EXPORT_SYMBOL(mdev_parent_dev);

/**
 * mdev_from_dev() - the mediated device of a struct device
 * @dev: any device.
 *
 * Context: any.
 * Return: the mediated device, or NULL if @dev is none.
 */
struct mdev_device *mdev_from_dev(struct device *dev)
{
	return dev->bus == &mdev_bus_type ? to_mdev_device(dev) : NULL;
}
EXPORT_SYMBOL(mdev_from_dev);

/**
 * mdev_vfio_device() - the vfio_device of a mediated device
 * @mdev: a mediated device of the parent-ops door.
 *
 * For vfio_pin_pages() and its like.
 *
 * Context: any; stable between the vendor's open() and release().
 * Return: the vfio_device, NULL while vfio_mdev is not bound.
 */
struct vfio_device *mdev_vfio_device(struct mdev_device *mdev)
{
	return READ_ONCE(to_core_device(mdev)->vdev);
}
EXPORT_SYMBOL_GPL(mdev_vfio_device);

/**
 * mdev_get_parent_ops() - what vfio_mdev forwards to
 * @mdev: a mediated device.
 *
 * Context: any, while a bus driver is bound to @mdev.
 * Return: the ops, NULL on the parent-driver door.
 */
const struct mdev_parent_ops *mdev_get_parent_ops(struct mdev_device *mdev)
{
	return to_core_device(mdev)->parent->ops;
}
EXPORT_SYMBOL_GPL(mdev_get_parent_ops);

/**
 * mdev_set_vfio_device() - tell what mdev_vfio_device() returns
 * @mdev: a mediated device that vfio_mdev binds to or unbinds from.
 * @vdev: its vfio_device, NULL when that goes away.
 *
 * Context: any.
 */
void mdev_set_vfio_device(struct mdev_device *mdev, struct vfio_device *vdev)
{
	WRITE_ONCE(to_core_device(mdev)->vdev, vdev);
}
EXPORT_SYMBOL_GPL(mdev_set_vfio_device);
