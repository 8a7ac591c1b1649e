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
/* Protects mdev_parents and the members that say so; nothing is taken under it. */
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

/*
 * What the registration owns and a dead device does not need: all that leads
 * into vendor memory goes before the registration's reference does.
 */
static void mdev_parent_release(struct mdev_core_parent *parent)
{
	unsigned int i;

	for (i = 0; i < parent->nr_types; i++) {
		parent->types[i]->vendor = NULL;
		kobject_put(&parent->types[i]->kobj);
	}
	kfree(parent->types);
	parent->types = NULL;
	kfree(parent->mdev_groups);
	parent->mdev_groups = NULL;
	parent->vendor = NULL;
	parent->ops = NULL;
	mdev_guard_destroy(&parent->guard);
	put_device(parent->dev);
	parent->dev = NULL;
	mdev_parent_put(parent);
}

static const struct attribute_group **
mdev_join_groups(const struct attribute_group **vendor)
{
	const struct attribute_group **groups;
	unsigned int nr = 0;

	while (vendor && vendor[nr])
		nr++;
	groups = kcalloc(nr + 2, sizeof(*groups), GFP_KERNEL);
	if (!groups)
		return NULL;
	groups[0] = &mdev_device_group;
	if (nr)
		memcpy(groups + 1, vendor, nr * sizeof(*groups));
	return groups;
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

static int mdev_parent_alloc_types(struct mdev_core_parent *parent,
				   unsigned int nr_types)
{
	parent->types = kcalloc(nr_types, sizeof(*parent->types), GFP_KERNEL);
	if (!parent->types)
		return -ENOMEM;
	while (parent->nr_types < nr_types) {
		struct mdev_core_type *type = mdev_type_alloc(parent);

		if (!type)
			return -ENOMEM;
		parent->types[parent->nr_types++] = type;
	}
	return 0;
}

/*
 * The core's side of a parent: listed, so that nobody else registers @dev or
 * @vendor, but not visible. The door fills in the rest and goes on with
 * mdev_parent_register(). @vendor is NULL on the parent-ops door. Returns
 * ERR_PTR(-EEXIST) or ERR_PTR(-ENOMEM) on failure.
 */
struct mdev_core_parent *mdev_parent_alloc(struct device *dev,
					   struct mdev_parent *vendor,
					   const char *driver_name,
					   const struct attribute_group **groups,
					   unsigned int nr_types)
{
	struct mdev_core_parent *parent;
	int ret = -ENOMEM;

	parent = kzalloc(sizeof(*parent), GFP_KERNEL);
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

	parent->mdev_groups = mdev_join_groups(groups);
	if (!parent->mdev_groups)
		goto release;
	ret = mdev_parent_alloc_types(parent, nr_types);
	if (ret)
		goto release;
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
 * Refuse new creates and removes, wait for those in flight, evict the devices.
 * Returns how many nanoseconds the wait took.
 */
static u64 mdev_parent_close(struct mdev_core_parent *parent)
{
	u64 start = ktime_get_ns();
	u64 waited;

	mdev_guard_revoke(&parent->guard);
	wake_up_all(&parent->wait);
	mdev_guard_drain(&parent->guard, dev_name(parent->dev));
	waited = ktime_get_ns() - start;
	mdev_devices_evict(parent);
	return waited;
}

static const struct attribute_group **
mdev_parent_dev_groups(struct mdev_core_parent *parent)
{
	return parent->ops ? parent->ops->dev_attr_groups : NULL;
}

/*
 * Make @parent visible. The guard opens before the first ``create`` appears, so
 * that none is ever refused without reason; hence creates may have happened
 * when a later step fails.
 */
int mdev_parent_register(struct mdev_core_parent *parent)
{
	struct device *dev = parent->dev;
	int ret;

	ret = sysfs_create_groups(&dev->kobj, mdev_parent_dev_groups(parent));
	if (ret)
		goto unlist;
	mdev_guard_publish(&parent->guard, parent);
	ret = mdev_types_create(parent);
	if (ret)
		goto close;
	ret = class_compat_create_link(mdev_bus_class, dev);
	/* Devices of different buses may have the same name. */
	if (ret == -EEXIST)
		dev_warn(dev, "mdev: no link in /sys/class/mdev_bus\n");
	else if (ret)
		goto close;
	parent->class_link = !ret;
	trace_mdev_parent_register(dev, 0);
	dev_info(dev, "mdev: registered\n");
	mdev_parent_uevent(dev, "MDEV_STATE=registered");
	/* mdev_parent_claim() finds it from here on. */
	mutex_lock(&mdev_parents_lock);
	parent->registered = true;
	mutex_unlock(&mdev_parents_lock);
	return 0;

close:
	mdev_parent_close(parent);
	mdev_types_remove(parent);
	sysfs_remove_groups(&dev->kobj, mdev_parent_dev_groups(parent));
unlist:
	trace_mdev_parent_register(dev, ret);
	mdev_parent_unlist(parent);
	mdev_parent_release(parent);
	return ret;
}

/*
 * Find the parent of @dev, or if that is NULL the one of @vendor, and let nobody
 * else unregister it. It stays listed, so that it cannot be registered again yet.
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

/*
 * Unregister the parent of @dev, or if that is NULL the one of @vendor. When
 * this returns, the core holds no pointer into the vendor's memory.
 */
void __mdev_unregister_parent(struct device *dev, struct mdev_parent *vendor)
{
	struct mdev_core_parent *parent = mdev_parent_claim(dev, vendor);
	u64 start = ktime_get_ns();
	u64 waited;

	if (WARN(!parent, "mdev: a parent is unregistered twice, or was never registered\n"))
		return;
	dev = parent->dev;
	dev_info(dev, "mdev: unregistering\n");
	waited = mdev_parent_close(parent);
	if (parent->class_link)
		class_compat_remove_link(mdev_bus_class, dev);
	mdev_types_remove(parent);
	sysfs_remove_groups(&dev->kobj, mdev_parent_dev_groups(parent));
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

	core = mdev_parent_alloc(dev, parent, mdev_driver->driver.name, NULL,
				 nr_types);
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
