// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parent: a device with a pool of serial ports, and the types of cards that
 * users can create from it.
 */
#include <linux/atomic.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/mdev_parent_ops.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "mtty.h"

#define MTTY_NAME	"mtty"
#define MTTY_POOL_SIZE	24

static const struct mtty_type mtty_types[] = {
	{ .name = "1", .label = "Single port serial", .ports = 1 },
	{ .name = "2", .label = "Dual port serial", .ports = 2 },
};

static struct class *mtty_class;
static struct device *mtty_device;

/* Free ports; cards of both types take them from here. */
static atomic_t mtty_ports_left = ATOMIC_INIT(MTTY_POOL_SIZE);

static bool mtty_take_ports(int ports)
{
	int left = atomic_read(&mtty_ports_left);

	do {
		if (left < ports)
			return false;
	} while (!atomic_try_cmpxchg(&mtty_ports_left, &left, left - ports));
	return true;
}

static void mtty_give_ports(int ports)
{
	atomic_add(ports, &mtty_ports_left);
}

/* The type's directory is called <driver>-<name>. */
static const struct mtty_type *mtty_find_type(struct kobject *kobj)
{
	const char *name = strrchr(kobject_name(kobj), '-');
	unsigned int i;

	if (!name)
		return NULL;
	for (i = 0; i < ARRAY_SIZE(mtty_types); i++)
		if (!strcmp(mtty_types[i].name, name + 1))
			return &mtty_types[i];
	return NULL;
}

static int mtty_create(struct kobject *kobj, struct mdev_device *mdev)
{
	const struct mtty_type *type = mtty_find_type(kobj);
	struct mtty_card *card;

	if (!type)
		return -EINVAL;
	if (!mtty_take_ports(type->ports))
		return -EUSERS;

	card = kzalloc_obj(*card);
	if (!card) {
		mtty_give_ports(type->ports);
		return -ENOMEM;
	}

	card->mdev = mdev;
	card->type = type;
	spin_lock_init(&card->lock);
	mtty_irq_init(card);
	mtty_pci_reset(card);
	mdev_set_drvdata(mdev, card);
	return 0;
}

static int mtty_remove(struct mdev_device *mdev)
{
	struct mtty_card *card = mdev_get_drvdata(mdev);

	mdev_set_drvdata(mdev, NULL);
	mtty_irq_destroy(card);
	mtty_give_ports(card->type->ports);
	kfree(card);
	return 0;
}

static ssize_t name_show(struct kobject *kobj, struct device *dev, char *buf)
{
	const struct mtty_type *type = mtty_find_type(kobj);

	return type ? sysfs_emit(buf, "%s\n", type->label) : -EINVAL;
}
static MDEV_TYPE_ATTR_RO(name);

static ssize_t description_show(struct kobject *kobj, struct device *dev,
				char *buf)
{
	const struct mtty_type *type = mtty_find_type(kobj);

	return type ? sysfs_emit(buf, "PCI serial card, 16550A ports: %u\n",
				 type->ports) : -EINVAL;
}
static MDEV_TYPE_ATTR_RO(description);

static ssize_t device_api_show(struct kobject *kobj, struct device *dev,
			       char *buf)
{
	return sysfs_emit(buf, "%s\n", VFIO_DEVICE_API_PCI_STRING);
}
static MDEV_TYPE_ATTR_RO(device_api);

static ssize_t available_instances_show(struct kobject *kobj,
					struct device *dev, char *buf)
{
	const struct mtty_type *type = mtty_find_type(kobj);
	unsigned int left = atomic_read(&mtty_ports_left);

	return type ? sysfs_emit(buf, "%u\n", left / type->ports) : -EINVAL;
}
static MDEV_TYPE_ATTR_RO(available_instances);

static struct attribute *mtty_type_attrs[] = {
	&mdev_type_attr_name.attr,
	&mdev_type_attr_description.attr,
	&mdev_type_attr_device_api.attr,
	&mdev_type_attr_available_instances.attr,
	NULL
};

static struct attribute_group mtty_single_group = {
	.name = "1",
	.attrs = mtty_type_attrs,
};

static struct attribute_group mtty_dual_group = {
	.name = "2",
	.attrs = mtty_type_attrs,
};

static struct attribute_group *mtty_type_groups[] = {
	&mtty_single_group,
	&mtty_dual_group,
	NULL
};

/* A sample attribute of the parent device. */
static ssize_t sample_mtty_dev_show(struct device *dev,
				    struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d of %d ports left\n",
			  atomic_read(&mtty_ports_left), MTTY_POOL_SIZE);
}
static DEVICE_ATTR_RO(sample_mtty_dev);

static struct attribute *mtty_parent_attrs[] = {
	&dev_attr_sample_mtty_dev.attr,
	NULL
};

static const struct attribute_group mtty_parent_group = {
	.name = "mtty_dev",
	.attrs = mtty_parent_attrs,
};

static const struct attribute_group *mtty_parent_groups[] = {
	&mtty_parent_group,
	NULL
};

/* A sample attribute of a mediated device. */
static ssize_t sample_mdev_dev_show(struct device *dev,
				    struct device_attribute *attr, char *buf)
{
	struct mtty_card *card = mdev_get_drvdata(mdev_from_dev(dev));

	return sysfs_emit(buf, "%s, ports: %u\n", card->type->label,
			  card->type->ports);
}
static DEVICE_ATTR_RO(sample_mdev_dev);

static struct attribute *mtty_card_attrs[] = {
	&dev_attr_sample_mdev_dev.attr,
	NULL
};

static const struct attribute_group mtty_card_group = {
	.name = "vendor",
	.attrs = mtty_card_attrs,
};

static const struct attribute_group *mtty_card_groups[] = {
	&mtty_card_group,
	NULL
};

static const struct mdev_parent_ops mtty_parent_ops = {
	.owner			= THIS_MODULE,
	.dev_attr_groups	= mtty_parent_groups,
	.mdev_attr_groups	= mtty_card_groups,
	.supported_type_groups	= mtty_type_groups,
	.create			= mtty_create,
	.remove			= mtty_remove,
	.open			= mtty_open,
	.release		= mtty_release,
	.read			= mtty_read,
	.write			= mtty_write,
	.ioctl			= mtty_ioctl,
	.get_region_info	= mtty_get_region_info,
	.request		= mtty_request,
};

static int __init mtty_init(void)
{
	int ret;

	mtty_class = class_create(MTTY_NAME);
	if (IS_ERR(mtty_class))
		return PTR_ERR(mtty_class);

	mtty_device = device_create(mtty_class, NULL, MKDEV(0, 0), NULL,
				    MTTY_NAME);
	if (IS_ERR(mtty_device)) {
		ret = PTR_ERR(mtty_device);
		goto err_class;
	}

	ret = mdev_register_device(mtty_device, &mtty_parent_ops);
	if (ret)
		goto err_device;
	return 0;

err_device:
	device_unregister(mtty_device);
err_class:
	class_destroy(mtty_class);
	return ret;
}

static void __exit mtty_exit(void)
{
	mdev_unregister_device(mtty_device);
	device_unregister(mtty_device);
	class_destroy(mtty_class);
}

module_init(mtty_init);
module_exit(mtty_exit);

MODULE_DESCRIPTION("Sample of a mediated device: a PCI serial card");
MODULE_AUTHOR("The mdev maintainers");
MODULE_LICENSE("GPL");
