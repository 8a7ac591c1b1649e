// SPDX-License-Identifier: GPL-2.0-only
/* Registering and unregistering parents, on both doors. */
#include <linux/device.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include <trace/events/mdev.h>

#include "mdev_export.h"
#include "mdev_private.h"

static LIST_HEAD(mdev_parents);
/* Protects mdev_parents and mdev_core_parent.registered. */
static DEFINE_MUTEX(mdev_parents_lock);

static void mdev_parent_free(struct kref *ref)
{
	struct mdev_core_parent *parent =
		container_of(ref, struct mdev_core_parent, ref);

	kfree(parent->driver_name);
	kfree(parent);
}

void mdev_parent_put(struct mdev_core_parent *parent)
{
	kref_put(&parent->ref, mdev_parent_free);
}

/* Drop what a dead device doesn't need, and all pointers into vendor memory. */
static void mdev_parent_release(struct mdev_core_parent *parent)
{
	unsigned int i;

	for (i = 0; i < parent->nr_types; i++) {
		parent->types[i]->vendor = NULL;
		kobject_put(&parent->types[i]->kobj);
	}
	parent->nr_types = 0;
	parent->dev_groups = NULL;
	parent->mdev_groups = NULL;
	parent->vendor = NULL;
	parent->ops = NULL;
	mdev_guard_destroy(&parent->guard);
	put_device(parent->dev);
	parent->dev = NULL;
	mdev_parent_put(parent);
}

static int mdev_parent_list(struct mdev_core_parent *parent)
{
	struct mdev_core_parent *other;
	int ret = 0;

	mutex_lock(&mdev_parents_lock);
	list_for_each_entry(other, &mdev_parents, node) {
		if (other->dev == parent->dev ||
		    other->vendor == parent->vendor) {
			ret = -EEXIST;
			break;
		}
	}
	if (!ret)
		list_add(&parent->node, &mdev_parents);
	mutex_unlock(&mdev_parents_lock);
	return ret;
}

static void mdev_parent_unlist(struct mdev_core_parent *parent)
{
	mutex_lock(&mdev_parents_lock);
	list_del(&parent->node);
	mutex_unlock(&mdev_parents_lock);
}

/*
 * Allocate the core's side of a parent and list it, so that nobody else registers
 * @dev or @vendor. The door fills in the rest and calls mdev_parent_register().
 * @vendor is NULL on the parent-ops door. Returns ERR_PTR(-EEXIST or -ENOMEM).
 */
struct mdev_core_parent *mdev_parent_alloc(struct device *dev,
					   struct mdev_parent *vendor,
					   const char *driver_name,
					   unsigned int nr_types)
{
	struct mdev_core_parent *parent;
	int ret = -ENOMEM;

	parent = kzalloc(struct_size(parent, types, nr_types), GFP_KERNEL);
	if (!parent)
		return ERR_PTR(-ENOMEM);
	kref_init(&parent->ref);
	init_waitqueue_head(&parent->wait);
	parent->vendor = vendor ?: &parent->stand_in;
	parent->driver_name = kstrdup(driver_name, GFP_KERNEL);
	if (!parent->driver_name || mdev_guard_init(&parent->guard)) {
		mdev_parent_put(parent);
		return ERR_PTR(-ENOMEM);
	}
	parent->dev = get_device(dev);
	for (; parent->nr_types < nr_types; parent->nr_types++) {
		parent->types[parent->nr_types] = mdev_type_alloc(parent);
		if (!parent->types[parent->nr_types])
			goto release;
	}
	ret = mdev_parent_list(parent);
	if (ret)
		goto release;
	return parent;

release:
	mdev_parent_release(parent);
	return ERR_PTR(ret);
}

static void mdev_parent_uevent(struct device *dev, char *state)
{
	char *envp[2] = { state };

	kobject_uevent_env(&dev->kobj, KOBJ_CHANGE, envp);
}

/*
 * Refuse new creates and removes, wait for those in flight, then undo what
 * mdev_parent_register() has done. Returns how long it waited, in nanoseconds.
 */
static u64 mdev_parent_teardown(struct mdev_core_parent *parent)
{
	u64 start = ktime_get_ns();
	u64 waited;

	mdev_guard_revoke(&parent->guard);
	wake_up_all(&parent->wait);
	mdev_guard_drain(&parent->guard, dev_name(parent->dev));
	waited = ktime_get_ns() - start;
	mdev_devices_evict(parent);
	if (parent->class_link)
		class_compat_remove_link(mdev_bus_class, parent->dev);
	mdev_types_remove(parent);
	sysfs_remove_groups(&parent->dev->kobj, parent->dev_groups);
	return waited;
}

/*
 * Make @parent visible. The guard opens before the first "create" appears, so
 * that none is refused without reason. Hence a later step that fails may find
 * devices.
 */
int mdev_parent_register(struct mdev_core_parent *parent)
{
	struct device *dev = parent->dev;
	int ret;

	ret = sysfs_create_groups(&dev->kobj, parent->dev_groups);
	if (ret)
		goto unlist;
	mdev_guard_publish(&parent->guard, parent);
	ret = mdev_types_create(parent);
	if (ret)
		goto teardown;
	ret = class_compat_create_link(mdev_bus_class, dev);
	/* Devices of different buses may have the same name. */
	if (ret == -EEXIST)
		dev_warn(dev, "mdev: no link in /sys/class/mdev_bus\n");
	else if (ret)
		goto teardown;
	parent->class_link = !ret;
	trace_mdev_parent_register(dev, 0);
	dev_info(dev, "mdev: registered\n");
	mdev_parent_uevent(dev, "MDEV_STATE=registered");
	/* mdev_parent_claim() finds it from here on. */
	mutex_lock(&mdev_parents_lock);
	parent->registered = true;
	mutex_unlock(&mdev_parents_lock);
	return 0;

teardown:
	mdev_parent_teardown(parent);
unlist:
	trace_mdev_parent_register(dev, ret);
	mdev_parent_unlist(parent);
	mdev_parent_release(parent);
	return ret;
}

/*
 * Find the parent of @dev, or of @vendor if that is NULL, for the caller alone to
 * unregister. It stays listed, so that it cannot be registered again yet.
 */
static struct mdev_core_parent *mdev_parent_claim(struct device *dev,
						  struct mdev_parent *vendor)
{
	struct mdev_core_parent *parent, *found = NULL;

	mutex_lock(&mdev_parents_lock);
	list_for_each_entry(parent, &mdev_parents, node) {
		if (parent->registered &&
		    (dev ? parent->dev == dev : parent->vendor == vendor)) {
			parent->registered = false;
			found = parent;
			break;
		}
	}
	mutex_unlock(&mdev_parents_lock);
	return found;
}

/* Unregister the parent of @dev, or of @vendor if that is NULL. */
void __mdev_unregister_parent(struct device *dev, struct mdev_parent *vendor)
{
	struct mdev_core_parent *parent = mdev_parent_claim(dev, vendor);
	u64 start = ktime_get_ns();
	u64 waited;

	if (WARN(!parent, "mdev: a parent is unregistered twice, or was never registered\n"))
		return;
	dev = parent->dev;
	dev_info(dev, "mdev: unregistering\n");
	waited = mdev_parent_teardown(parent);
	mdev_parent_uevent(dev, "MDEV_STATE=unregistered");
	trace_mdev_parent_unregister(dev, waited, ktime_get_ns() - start);
	mdev_parent_unlist(parent);
	mdev_parent_release(parent);
}

/* See mdev_register_parent(). */
int __mdev_register_parent(struct mdev_parent *parent, struct device *dev,
			   struct mdev_driver *mdev_driver,
			   struct mdev_type **types, unsigned int nr_types)
{
	struct mdev_core_parent *core;
	unsigned int i;

	if (!parent || !dev || !mdev_driver || !mdev_driver->driver.name ||
	    !mdev_driver->device_api || (nr_types && !types))
		return -EINVAL;
	for (i = 0; i < nr_types; i++) {
		if (!types[i] || !types[i]->sysfs_name)
			return -EINVAL;
	}

	core = mdev_parent_alloc(dev, parent, mdev_driver->driver.name, nr_types);
	if (IS_ERR(core))
		return PTR_ERR(core);
	core->counted = !mdev_driver->get_available;

	parent->dev = dev;
	parent->mdev_driver = mdev_driver;
	parent->types = types;
	parent->nr_types = nr_types;
	atomic_set(&parent->available_instances, mdev_driver->max_instances);
	for (i = 0; i < nr_types; i++) {
		types[i]->parent = parent;
		core->types[i]->vendor = types[i];
	}
	return mdev_parent_register(core);
}
