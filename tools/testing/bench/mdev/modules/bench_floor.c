// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench_floor.ko: the driver core's share of the cost of a mediated device.
 * Writing a name to "create" adds a device below the parent with the attributes
 * and links of a mediated device, bound to a driver that does nothing; the driver
 * core sends the uevents. There is no UUID parsing, lookup, accounting or locking
 * of our own, so no real core can be cheaper.
 *
 * Directories are named like mdev's, so that paths have the same length. With the
 * parameter "few", a device has no file but "remove", as on the stock core.
 * Writing to "evict" removes all devices, as unregistering a parent does.
 */
#include <linux/device.h>
#include <linux/kdev_t.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

static bool few;
module_param(few, bool, 0400);
MODULE_PARM_DESC(few, "no files of a device but the one that stock has");

static struct class *floor_class;
static struct device *floor_parent;
static struct kobject *floor_types;
static struct kobject *floor_type;
static struct kobject *floor_devices;

static void floor_release(struct device *dev)
{
	kfree(dev);
}

static void floor_remove(struct device *dev)
{
	sysfs_remove_link(&dev->kobj, "mdev_type");
	sysfs_remove_link(floor_devices, dev_name(dev));
	device_unregister(dev);
}

static ssize_t remove_store(struct device *dev, struct device_attribute *attr,
			    const char *buf, size_t count)
{
	if (device_remove_file_self(dev, attr))
		floor_remove(dev);
	return count;
}
static DEVICE_ATTR_WO(remove);

static ssize_t in_use_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	return sysfs_emit(buf, "0\n");
}
static DEVICE_ATTR_RO(in_use);

static ssize_t mdevseq_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	return sysfs_emit(buf, "0\n");
}
static DEVICE_ATTR_RO(mdevseq);

static struct attribute *floor_attrs[] = {
	&dev_attr_remove.attr,
	&dev_attr_in_use.attr,
	&dev_attr_mdevseq.attr,
	NULL,
};
ATTRIBUTE_GROUPS(floor);

static struct attribute *floor_few_attrs[] = {
	&dev_attr_remove.attr,
	NULL,
};
ATTRIBUTE_GROUPS(floor_few);

static int floor_match(struct device *dev, bus_match_const struct device_driver *drv)
{
	return 1;
}

static int floor_probe(struct device *dev)
{
	return 0;
}

static struct bus_type floor_bus = {
	.name = "bench_floor",
	.match = floor_match,
	.probe = floor_probe,
};

static struct device_driver floor_driver = {
	.name = "bench_floor",
	.bus = &floor_bus,
	.owner = THIS_MODULE,
	.mod_name = KBUILD_MODNAME,
};

static int floor_create(const char *name)
{
	struct device *dev;
	int ret;

	dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	if (!dev)
		return -ENOMEM;
	device_initialize(dev);
	dev->parent = floor_parent;
	dev->bus = &floor_bus;
	dev->release = floor_release;
	dev->groups = few ? floor_few_groups : floor_groups;
	ret = dev_set_name(dev, "%s", name);
	if (ret)
		goto put;
	ret = device_add(dev);
	if (ret)
		goto put;
	ret = sysfs_create_link(floor_devices, &dev->kobj, dev_name(dev));
	if (ret)
		goto del;
	ret = sysfs_create_link(&dev->kobj, floor_type, "mdev_type");
	if (ret)
		goto remove_link;
	return 0;

remove_link:
	sysfs_remove_link(floor_devices, dev_name(dev));
del:
	device_del(dev);
put:
	put_device(dev);
	return ret;
}

static ssize_t create_store(struct kobject *kobj, struct kobj_attribute *attr,
			    const char *buf, size_t count)
{
	int ret = floor_create(buf);

	return ret ?: count;
}

static struct kobj_attribute floor_create_attr = __ATTR_WO(create);

/* evict_set() tests floor_devices, also under the parameter lock. */
static void floor_drop_devices(void)
{
	struct kobject *devices = floor_devices;

	kernel_param_lock(THIS_MODULE);
	floor_devices = NULL;
	kernel_param_unlock(THIS_MODULE);
	kobject_put(devices);
}

static int floor_add_type(void)
{
	struct kobject *parent = &floor_parent->kobj;

	floor_types = kobject_create_and_add("mdev_supported_types", parent);
	if (!floor_types)
		return -ENOMEM;
	floor_type = kobject_create_and_add("bench_floor-1", floor_types);
	if (!floor_type)
		goto put_types;
	floor_devices = kobject_create_and_add("devices", floor_type);
	if (!floor_devices)
		goto put_type;
	if (sysfs_create_file(floor_type, &floor_create_attr.attr))
		goto put_devices;
	return 0;

put_devices:
	floor_drop_devices();
put_type:
	kobject_put(floor_type);
put_types:
	kobject_put(floor_types);
	return -ENOMEM;
}

static int floor_evict(struct device *dev, void *unused)
{
	floor_remove(dev);
	return 0;
}

static int evict_set(const char *val, const struct kernel_param *kp)
{
	if (!floor_devices)
		return -EBUSY;
	return device_for_each_child(floor_parent, NULL, floor_evict);
}

static const struct kernel_param_ops evict_ops = {
	.set = evict_set,
};

module_param_cb(evict, &evict_ops, NULL, 0200);
MODULE_PARM_DESC(evict, "removes all devices");

static void floor_del_type(void)
{
	sysfs_remove_file(floor_type, &floor_create_attr.attr);
	device_for_each_child(floor_parent, NULL, floor_evict);
	floor_drop_devices();
	kobject_put(floor_type);
	kobject_put(floor_types);
}

static int __init bench_floor_init(void)
{
	int ret;

	ret = bus_register(&floor_bus);
	if (ret)
		return ret;
	ret = driver_register(&floor_driver);
	if (ret)
		goto unregister_bus;
	floor_class = class_create("bench_floor");
	if (IS_ERR(floor_class)) {
		ret = PTR_ERR(floor_class);
		goto unregister_driver;
	}
	floor_parent = device_create(floor_class, NULL, MKDEV(0, 0), NULL,
				     "bench_floor");
	if (IS_ERR(floor_parent)) {
		ret = PTR_ERR(floor_parent);
		goto destroy_class;
	}
	ret = floor_add_type();
	if (ret)
		goto unregister_device;
	return 0;

unregister_device:
	device_unregister(floor_parent);
destroy_class:
	class_destroy(floor_class);
unregister_driver:
	driver_unregister(&floor_driver);
unregister_bus:
	bus_unregister(&floor_bus);
	return ret;
}

static void __exit bench_floor_exit(void)
{
	floor_del_type();
	device_unregister(floor_parent);
	class_destroy(floor_class);
	driver_unregister(&floor_driver);
	bus_unregister(&floor_bus);
}

module_init(bench_floor_init);
module_exit(bench_floor_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("The driver core's share of a mediated device");
