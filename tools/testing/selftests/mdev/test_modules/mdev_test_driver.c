// SPDX-License-Identifier: GPL-2.0-only
/*
 * mdev_test_driver.ko: test parents on the parent-driver door, the kernel's own
 * <linux/mdev.h>. It uses only the four symbols of the distribution's mdev.ko,
 * so that the tests can run, and fail, there.
 */
#include <linux/module.h>

#include "mdev_test.h"

/* Memory of one registration, poisoned as soon as that ends. */
struct vendor {
	struct mdev_parent parent;
	struct mdev_driver driver;
	struct mdev_type type[MDEV_TEST_NR_TYPES];
	struct mdev_type *types[MDEV_TEST_NR_TYPES];
	char driver_name[64];
	char device_api[16];
	char type_name[MDEV_TEST_NR_TYPES][8];
	char pretty_name[MDEV_TEST_NR_TYPES][32];
	struct mdev_test_parent *p;
};

static int test_probe(struct mdev_device *mdev)
{
	struct mdev_test_parent *p = mdev_test_parent_of(mdev);
	int ret;

	mdev_test_log("vendor", "create", mdev);
	if (mdev->type->parent->dev != mdev->dev.parent)
		return -ENOTRECOVERABLE;
	if (p->hold) {
		ret = mdev_test_hold(mdev);
		if (ret)
			return ret;
	}
	ret = mdev_test_gate_pass(&p->create_gate);
	if (ret)
		return ret;
	mdev_test_callback(p, "create");
	ret = mdev_test_fault(&p->create_fault);
	if (ret)
		return ret;
	ret = mdev_test_vfio_add(p, mdev);
	if (ret)
		return ret;
	mdev_test_log("vendor", "created", mdev);
	ret = mdev_test_gate_pass(&p->late_gate);
	if (!ret)
		ret = mdev_test_fault(&p->late_fault);
	if (ret) {
		mdev_test_vfio_del(mdev);
		mdev_test_log("vendor", "undone", mdev);
	}
	return ret;
}

static void test_remove(struct mdev_device *mdev)
{
	struct mdev_test_parent *p = mdev_test_parent_of(mdev);

	mdev_test_log("vendor", "remove", mdev);
	mdev_test_gate_pass(&p->remove_gate);
	mdev_test_callback(p, "remove");
	mdev_test_vfio_del(mdev);
	mdev_test_log("vendor", "removed", mdev);
}

static unsigned int test_get_available(struct mdev_type *type)
{
	struct vendor *v = container_of(type->parent, struct vendor, parent);

	mdev_test_gate_pass(&v->p->type_attr_gate);
	mdev_test_callback(v->p, "type_attr");
	return atomic_read(&v->p->get_available);
}

static ssize_t test_show_description(struct mdev_type *type, char *buf)
{
	return sysfs_emit(buf, "description of %s\n", type->pretty_name);
}

/*
 * A driver's name becomes free when its kobject is released, which may be after
 * its unregistration. So use a new name for each registration.
 */
static void vendor_init(struct vendor *v, struct mdev_test_parent *p)
{
	static atomic_t registrations;
	struct mdev_driver *drv = &v->driver;
	u32 nr = atomic_inc_return(&registrations);
	int i;

	v->p = p;
	strscpy(v->device_api, "vfio-pci", sizeof(v->device_api));
	snprintf(v->driver_name, sizeof(v->driver_name), "mdev_test_%s_%u",
		 dev_name(p->dev), nr);
	/* A second registration does not last. */
	if (!p->vendor)
		p->registration = nr;
	drv->device_api = v->device_api;
	drv->max_instances = p->max_instances;
	drv->probe = test_probe;
	drv->remove = test_remove;
	if (atomic_read(&p->get_available) >= 0)
		drv->get_available = test_get_available;
	if (p->description)
		drv->show_description = test_show_description;
	drv->driver.name = v->driver_name;
	drv->driver.owner = THIS_MODULE;
	drv->driver.mod_name = KBUILD_MODNAME;
	drv->driver.dev_groups = mdev_test_attr_groups;
	for (i = 0; i < MDEV_TEST_NR_TYPES; i++) {
		snprintf(v->type_name[i], sizeof(v->type_name[i]), "%d",
			 i + 1);
		snprintf(v->pretty_name[i], sizeof(v->pretty_name[i]),
			 "Test type %d", i + 1);
		v->type[i].sysfs_name = v->type_name[i];
		if (!p->plain_types)
			v->type[i].pretty_name = v->pretty_name[i];
		v->types[i] = &v->type[i];
	}
}

static int register_bad(struct vendor *v, struct mdev_test_parent *p,
			const char *bad)
{
	if (!strcmp(bad, "no_device"))
		return mdev_register_parent(&v->parent, NULL, &v->driver,
					    v->types, MDEV_TEST_NR_TYPES);
	if (!strcmp(bad, "no_driver"))
		return mdev_register_parent(&v->parent, p->dev, NULL, v->types,
					    MDEV_TEST_NR_TYPES);
	if (!strcmp(bad, "no_types"))
		return mdev_register_parent(&v->parent, p->dev, &v->driver,
					    NULL, MDEV_TEST_NR_TYPES);
	return -EOPNOTSUPP;
}

/* A second registration of the same device has its own driver. */
static int driver_door_register(struct mdev_test_parent *p, void *vendor,
				const char *bad)
{
	struct vendor *v = vendor;
	int ret;

	vendor_init(v, p);
	ret = mdev_register_driver(&v->driver);
	if (ret)
		return ret;
	if (bad)
		ret = register_bad(v, p, bad);
	else
		ret = mdev_register_parent(&v->parent, p->dev, &v->driver,
					   v->types, MDEV_TEST_NR_TYPES);
	if (ret)
		mdev_unregister_driver(&v->driver);
	return ret;
}

static void driver_door_unregister(struct mdev_test_parent *p, void *vendor)
{
	struct vendor *v = vendor;
	bool driver_first = p->driver_first;

	if (driver_first)
		mdev_unregister_driver(&v->driver);
	mdev_unregister_parent(&v->parent);
	if (!driver_first)
		mdev_unregister_driver(&v->driver);
}

static void driver_door_unregister_again(struct mdev_test_parent *p,
					 void *vendor)
{
	struct vendor *v = vendor;

	mdev_unregister_parent(&v->parent);
}

static struct mdev_test_door driver_door = {
	.owner = THIS_MODULE,
	.name = "mdev_test_driver",
	.vendor_size = sizeof(struct vendor),
	.reg = driver_door_register,
	.unreg = driver_door_unregister,
	.unreg_again = driver_door_unregister_again,
};

/* Never binds a device. Serves to find the bus. */
static struct mdev_driver bus_finder = {
	.device_api = "vfio-pci",
	.driver = {
		.name = "mdev_test_driver_other",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
	},
};

static int __init mdev_test_driver_init(void)
{
	int ret;

	ret = mdev_register_driver(&bus_finder);
	if (ret)
		return ret;
	ret = mdev_test_watch_bus(&bus_finder.driver);
	if (ret)
		goto unregister;
	ret = mdev_test_door_open(&driver_door);
	if (ret)
		goto unwatch;
	return 0;

unwatch:
	mdev_test_unwatch_bus(&bus_finder.driver);
unregister:
	mdev_unregister_driver(&bus_finder);
	return ret;
}

static void __exit mdev_test_driver_exit(void)
{
	mdev_test_door_close(&driver_door);
	mdev_test_unwatch_bus(&bus_finder.driver);
	mdev_unregister_driver(&bus_finder);
}

module_init(mdev_test_driver_init);
module_exit(mdev_test_driver_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Mediated-device test parents with an mdev_driver");
