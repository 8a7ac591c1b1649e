// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mdev bus and its drivers. A device binds to the driver that its parent names
 * and to no other: in mdev_bind_driver() while it is being created, and through
 * the bus's match later, by hand or when the driver is registered again.
 */
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "mdev_export.h"
#include "mdev_private.h"

/**
 * struct mdev_driver_entry - a registered driver, findable by name
 * @node: in the list of registered drivers.
 * @drv: the driver. Vendors may register a copy of what their parents name.
 * @guard: entered by each create while it binds to the driver.
 */
struct mdev_driver_entry {
	struct list_head node;
	struct mdev_driver *drv;
	struct mdev_guard guard;
};

static LIST_HEAD(mdev_drivers);
/* Protects mdev_drivers; guards are entered under it. */
static DEFINE_MUTEX(mdev_drivers_lock);

static int mdev_bus_match(struct device *dev,
			  bus_match_const struct device_driver *drv)
{
	struct mdev_core_device *md = dev_to_core_device(dev);

	/* mdev_bind_driver() binds it while it is being created. */
	return mdev_state(md) == MDEV_LIVE &&
	       !strcmp(md->parent->driver_name, drv->name);
}

static int mdev_bus_probe(struct device *dev)
{
	struct mdev_driver *drv =
		container_of(dev->driver, struct mdev_driver, driver);
	int ret;

	/* A remove may have claimed the device since the match. */
	if (mdev_state(dev_to_core_device(dev)) == MDEV_REMOVING)
		return -ENODEV;
	if (!drv->probe)
		return 0;
	ret = drv->probe(to_mdev_device(dev));
	if (ret > 0) {
		dev_err(dev, "%s: probe returned %d\n", drv->driver.name, ret);
		return -EINVAL;
	}
	return ret;
}

static void mdev_bus_remove(struct device *dev)
{
	struct mdev_driver *drv =
		container_of(dev->driver, struct mdev_driver, driver);

	if (drv->remove)
		drv->remove(to_mdev_device(dev));
}

struct bus_type mdev_bus_type = {
	.name = "mdev",
	.dev_groups = mdev_device_groups,
	.match = mdev_bus_match,
	.probe = mdev_bus_probe,
	.remove = mdev_bus_remove,
};

/* See mdev_register_driver(). */
int __mdev_register_driver(struct mdev_driver *drv)
{
	struct mdev_driver_entry *entry;
	int ret;

	if (!drv || !drv->driver.name)
		return -EINVAL;
	entry = kzalloc_obj(*entry);
	if (!entry)
		return -ENOMEM;
	entry->drv = drv;
	ret = mdev_guard_init(&entry->guard);
	if (ret)
		goto free;
	drv->driver.bus = &mdev_bus_type;
	ret = driver_register(&drv->driver);
	if (ret)
		goto destroy_guard;

	mutex_lock(&mdev_drivers_lock);
	list_add(&entry->node, &mdev_drivers);
	mutex_unlock(&mdev_drivers_lock);
	return 0;

destroy_guard:
	mdev_guard_destroy(&entry->guard);
free:
	kfree(entry);
	return ret;
}

/* See mdev_unregister_driver(). */
void __mdev_unregister_driver(struct mdev_driver *drv)
{
	struct mdev_driver_entry *entry, *found = NULL;

	mutex_lock(&mdev_drivers_lock);
	list_for_each_entry(entry, &mdev_drivers, node) {
		if (entry->drv == drv)
			found = entry;
	}
	if (found)
		list_del(&found->node);
	mutex_unlock(&mdev_drivers_lock);
	if (found) {
		mdev_guard_drain(&found->guard, drv->driver.name);
		mdev_guard_destroy(&found->guard);
		kfree(found);
	}
	driver_unregister(&drv->driver);
}

/* Returns false if no driver has this name; else @ret is what its probe() returned. */
static bool mdev_driver_attach(const char *name, struct device *dev, int *ret)
{
	struct mdev_driver_entry *entry;
	int idx;

	mutex_lock(&mdev_drivers_lock);
	list_for_each_entry(entry, &mdev_drivers, node) {
		if (strcmp(entry->drv->driver.name, name))
			continue;
		idx = mdev_guard_enter(&entry->guard);
		mutex_unlock(&mdev_drivers_lock);
		*ret = device_driver_attach(&entry->drv->driver, dev);
		mdev_guard_leave(&entry->guard, idx);
		return true;
	}
	mutex_unlock(&mdev_drivers_lock);
	return false;
}

/*
 * Bind a new device to the driver that its parent names; load vfio_mdev on demand.
 * Returns 0, -ENODEV if there is no such driver, or what its probe() returned.
 */
int mdev_bind_driver(struct mdev_core_device *md)
{
	struct device *dev = &md->mdev.dev;
	const char *name = md->parent->driver_name;
	bool found;
	int ret;

	found = mdev_driver_attach(name, dev, &ret);
	if (!found && md->parent->ops) {
		request_module("%s", name);
		found = mdev_driver_attach(name, dev, &ret);
	}
	if (!found) {
		dev_err(md->parent->dev, "mdev: no bus driver \"%s\" for %s\n",
			name, dev_name(dev));
		return -ENODEV;
	}
	if (ret && ret != -EUSERS)
		dev_err_ratelimited(md->parent->dev,
				    "mdev: probe of %s as %s by %s returned %d\n",
				    dev_name(dev), kobject_name(&md->type->kobj),
				    name, ret);
	return ret;
}
