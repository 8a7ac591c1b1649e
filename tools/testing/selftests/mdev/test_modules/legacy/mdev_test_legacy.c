// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vendor driver of Linux 5.2's interface: nothing here knows that this is
 * not Linux 5.2. It includes <linux/mdev.h> and no other header of ours.
 */
#include <linux/device.h>
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#define LEGACY_MAX 2

struct legacy_mdev {
	guid_t uuid;
	char data[64];
};

static struct platform_device *legacy_dev;
static atomic_t legacy_left = ATOMIC_INIT(LEGACY_MAX);

static int legacy_create(struct kobject *kobj, struct mdev_device *mdev)
{
	struct legacy_mdev *lm;

	if (mdev_parent_dev(mdev) != &legacy_dev->dev)
		return -EINVAL;
	if (atomic_dec_if_positive(&legacy_left) < 0)
		return -EUSERS;
	lm = kzalloc(sizeof(*lm), GFP_KERNEL);
	if (!lm) {
		atomic_inc(&legacy_left);
		return -ENOMEM;
	}
	guid_copy(&lm->uuid, mdev_uuid(mdev));
	mdev_set_drvdata(mdev, lm);
	return 0;
}

static int legacy_remove(struct mdev_device *mdev)
{
	kfree(mdev_get_drvdata(mdev));
	mdev_set_drvdata(mdev, NULL);
	atomic_inc(&legacy_left);
	return 0;
}

static int legacy_open(struct mdev_device *mdev)
{
	return try_module_get(THIS_MODULE) ? 0 : -ENODEV;
}

static void legacy_release(struct mdev_device *mdev)
{
	module_put(THIS_MODULE);
}

static ssize_t legacy_read(struct mdev_device *mdev, char __user *buf,
			   size_t count, loff_t *ppos)
{
	struct legacy_mdev *lm = mdev_get_drvdata(mdev);

	return simple_read_from_buffer(buf, count, ppos, lm->data,
				       sizeof(lm->data));
}

static ssize_t legacy_write(struct mdev_device *mdev, const char __user *buf,
			    size_t count, loff_t *ppos)
{
	struct legacy_mdev *lm = mdev_get_drvdata(mdev);

	return simple_write_to_buffer(lm->data, sizeof(lm->data), ppos, buf,
				      count);
}

static long legacy_ioctl(struct mdev_device *mdev, unsigned int cmd,
			 unsigned long arg)
{
	return -ENOTTY;
}

static ssize_t uuid_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	struct legacy_mdev *lm = mdev_get_drvdata(mdev_from_dev(dev));

	return sprintf(buf, "%pUl\n", &lm->uuid);
}
static DEVICE_ATTR_RO(uuid);

static struct attribute *legacy_mdev_attrs[] = {
	&dev_attr_uuid.attr,
	NULL,
};

static const struct attribute_group legacy_mdev_group = {
	.name = "vendor",
	.attrs = legacy_mdev_attrs,
};

static const struct attribute_group *legacy_mdev_groups[] = {
	&legacy_mdev_group,
	NULL,
};

static ssize_t name_show(struct kobject *kobj, struct device *dev, char *buf)
{
	return sprintf(buf, "Legacy type\n");
}
static MDEV_TYPE_ATTR_RO(name);

static ssize_t device_api_show(struct kobject *kobj, struct device *dev,
			       char *buf)
{
	return sprintf(buf, "%s\n", VFIO_DEVICE_API_PCI_STRING);
}
static MDEV_TYPE_ATTR_RO(device_api);

static ssize_t available_instances_show(struct kobject *kobj,
					struct device *dev, char *buf)
{
	return sprintf(buf, "%d\n", atomic_read(&legacy_left));
}
static MDEV_TYPE_ATTR_RO(available_instances);

static struct attribute *legacy_type_attrs[] = {
	&mdev_type_attr_name.attr,
	&mdev_type_attr_device_api.attr,
	&mdev_type_attr_available_instances.attr,
	NULL,
};

static struct attribute_group legacy_type_group = {
	.name = "1",
	.attrs = legacy_type_attrs,
};

static struct attribute_group *legacy_type_groups[] = {
	&legacy_type_group,
	NULL,
};

static const struct mdev_parent_ops legacy_ops = {
	.owner = THIS_MODULE,
	.mdev_attr_groups = legacy_mdev_groups,
	.supported_type_groups = legacy_type_groups,
	.create = legacy_create,
	.remove = legacy_remove,
	.open = legacy_open,
	.release = legacy_release,
	.read = legacy_read,
	.write = legacy_write,
	.ioctl = legacy_ioctl,
};

static int __init legacy_init(void)
{
	int ret;

	legacy_dev = platform_device_register_simple("mdev_test_legacy",
						     PLATFORM_DEVID_NONE,
						     NULL, 0);
	if (IS_ERR(legacy_dev))
		return PTR_ERR(legacy_dev);
	ret = mdev_register_device(&legacy_dev->dev, &legacy_ops);
	if (ret)
		platform_device_unregister(legacy_dev);
	return ret;
}

static void __exit legacy_exit(void)
{
	mdev_unregister_device(&legacy_dev->dev);
	platform_device_unregister(legacy_dev);
}

module_init(legacy_init);
module_exit(legacy_exit);
MODULE_LICENSE("GPL v2");
MODULE_DESCRIPTION("A vendor driver written for Linux 5.2's mdev");
