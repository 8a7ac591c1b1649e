// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench_vendor.ko: a parent on the parent-driver door whose driver does nothing,
 * so that only the core is measured. It uses only the four symbols of the
 * distribution's mdev.ko, so the same binary loads on both cores.
 *
 * Parameters: "registered" registers and unregisters the parent; "probe_ms" is
 * the duration of a probe.
 */
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/kdev_t.h>
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/string.h>

#define BENCH_INSTANCES 1000000

static unsigned int probe_ms;
module_param(probe_ms, uint, 0600);
MODULE_PARM_DESC(probe_ms, "how long a probe takes");

static struct class *bench_class;
static struct device *bench_dev;
static struct mdev_parent bench_parent;
static bool bench_registered;

static struct mdev_type bench_type;
static struct mdev_type *bench_types[] = { &bench_type };

static int bench_probe(struct mdev_device *mdev)
{
	if (probe_ms)
		msleep(probe_ms);
	return 0;
}

static void bench_remove(struct mdev_device *mdev)
{
}

static struct mdev_driver bench_driver = {
	.device_api = "vfio-pci",
	.max_instances = BENCH_INSTANCES,
	.probe = bench_probe,
	.remove = bench_remove,
	.driver = {
		.name = "bench_vendor",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
	},
};

/* Serialised by the parameter lock, except in module init and exit. */
static int bench_register(bool on)
{
	int ret = 0;

	if (on == bench_registered)
		return 0;
	if (on) {
		/* The stock core's kobjects in it must not be reused. */
		memset(&bench_parent, 0, sizeof(bench_parent));
		bench_type = (struct mdev_type){
			.sysfs_name = "1",
			.pretty_name = "Empty",
		};
		ret = mdev_register_parent(&bench_parent, bench_dev,
					   &bench_driver, bench_types,
					   ARRAY_SIZE(bench_types));
	} else {
		mdev_unregister_parent(&bench_parent);
	}
	if (!ret)
		bench_registered = on;
	return ret;
}

static int registered_set(const char *val, const struct kernel_param *kp)
{
	bool on;
	int ret;

	ret = kstrtobool(val, &on);
	if (ret)
		return ret;
	return bench_dev ? bench_register(on) : -EBUSY;
}

static int registered_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%d\n", bench_registered);
}

static const struct kernel_param_ops registered_ops = {
	.set = registered_set,
	.get = registered_get,
};

module_param_cb(registered, &registered_ops, NULL, 0600);
MODULE_PARM_DESC(registered, "whether the parent is registered");

static int __init bench_vendor_init(void)
{
	struct device *dev;
	int ret;

	bench_class = class_create("bench_vendor");
	if (IS_ERR(bench_class))
		return PTR_ERR(bench_class);
	dev = device_create(bench_class, NULL, MKDEV(0, 0), NULL,
			    "bench_vendor");
	if (IS_ERR(dev)) {
		ret = PTR_ERR(dev);
		goto destroy_class;
	}
	ret = mdev_register_driver(&bench_driver);
	if (ret)
		goto unregister_device;
	bench_dev = dev;
	ret = bench_register(true);
	if (ret)
		goto unregister_driver;
	return 0;

unregister_driver:
	mdev_unregister_driver(&bench_driver);
unregister_device:
	device_unregister(dev);
destroy_class:
	class_destroy(bench_class);
	return ret;
}

static void __exit bench_vendor_exit(void)
{
	bench_register(false);
	mdev_unregister_driver(&bench_driver);
	device_unregister(bench_dev);
	class_destroy(bench_class);
}

module_init(bench_vendor_init);
module_exit(bench_vendor_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Mediated devices that do nothing, for measurements");
