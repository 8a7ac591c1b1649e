// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attributes and links, nothing else:
 *
 *	<parent>/mdev_supported_types/<driver>-<type>/{create,...,devices/}
 *	<parent>/<uuid>/{remove,in_use,mdevseq,mdev_type}
 */
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include <trace/events/mdev.h>

#include "mdev_private.h"

static struct mdev_core_type *to_core_type(struct kobject *kobj)
{
	return container_of(kobj, struct mdev_core_type, kobj);
}

static ssize_t create_store(struct kobject *kobj, struct device *dev,
			    const char *buf, size_t count)
{
	struct mdev_core_type *type = to_core_type(kobj);
	size_t len = count;
	guid_t uuid;
	int ret;

	if (len == UUID_STRING_LEN + 1 && buf[UUID_STRING_LEN] == '\n')
		len--;
	if (len != UUID_STRING_LEN || guid_parse(buf, &uuid)) {
		trace_mdev_create_refused(dev, kobject_name(kobj), "malformed",
					  -EINVAL);
		return -EINVAL;
	}
	ret = mdev_device_create(type, &uuid);
	return ret ?: count;
}
static MDEV_TYPE_ATTR_WO(create);

static struct attribute *mdev_create_attrs[] = {
	&mdev_type_attr_create.attr,
	NULL,
};

static const struct attribute_group mdev_create_group = {
	.attrs = mdev_create_attrs,
};

/* Attributes of a type on the parent-driver door. */

static ssize_t name_show(struct kobject *kobj, struct device *dev, char *buf)
{
	struct mdev_type *type = to_core_type(kobj)->vendor;

	return sysfs_emit(buf, "%s\n", type->pretty_name ?: type->sysfs_name);
}
static MDEV_TYPE_ATTR_RO(name);

static ssize_t device_api_show(struct kobject *kobj, struct device *dev,
			       char *buf)
{
	struct mdev_parent *parent = to_core_type(kobj)->vendor->parent;

	return sysfs_emit(buf, "%s\n", parent->mdev_driver->device_api);
}
static MDEV_TYPE_ATTR_RO(device_api);

static ssize_t available_instances_show(struct kobject *kobj,
					struct device *dev, char *buf)
{
	struct mdev_type *type = to_core_type(kobj)->vendor;
	struct mdev_parent *parent = type->parent;

	if (parent->mdev_driver->get_available)
		return sysfs_emit(buf, "%u\n",
				  parent->mdev_driver->get_available(type));
	return sysfs_emit(buf, "%u\n",
			  atomic_read(&parent->available_instances));
}
static MDEV_TYPE_ATTR_RO(available_instances);

static ssize_t description_show(struct kobject *kobj, struct device *dev,
				char *buf)
{
	struct mdev_type *type = to_core_type(kobj)->vendor;

	return type->parent->mdev_driver->show_description(type, buf);
}
static MDEV_TYPE_ATTR_RO(description);

static struct attribute *mdev_driver_type_attrs[] = {
	&mdev_type_attr_name.attr,
	&mdev_type_attr_device_api.attr,
	&mdev_type_attr_available_instances.attr,
	&mdev_type_attr_description.attr,
	NULL,
};

static umode_t mdev_driver_type_visible(struct kobject *kobj,
					struct attribute *attr, int n)
{
	struct mdev_parent *parent = to_core_type(kobj)->vendor->parent;

	if (attr == &mdev_type_attr_description.attr &&
	    !parent->mdev_driver->show_description)
		return 0;
	return attr->mode;
}

static const struct attribute_group mdev_driver_type_group = {
	.attrs = mdev_driver_type_attrs,
	.is_visible = mdev_driver_type_visible,
};

static ssize_t mdev_type_attr_show(struct kobject *kobj,
				   struct attribute *__attr, char *buf)
{
	struct mdev_type_attribute *attr =
		container_of(__attr, struct mdev_type_attribute, attr);

	if (!attr->show)
		return -EIO;
	return attr->show(kobj, to_core_type(kobj)->parent->dev, buf);
}

static ssize_t mdev_type_attr_store(struct kobject *kobj,
				    struct attribute *__attr,
				    const char *buf, size_t count)
{
	struct mdev_type_attribute *attr =
		container_of(__attr, struct mdev_type_attribute, attr);

	if (!attr->store)
		return -EIO;
	return attr->store(kobj, to_core_type(kobj)->parent->dev, buf, count);
}

static const struct sysfs_ops mdev_type_sysfs_ops = {
	.show = mdev_type_attr_show,
	.store = mdev_type_attr_store,
};

static void mdev_type_release(struct kobject *kobj)
{
	kfree(to_core_type(kobj));
	module_put(THIS_MODULE);
}

static const struct kobj_type mdev_type_ktype = {
	.sysfs_ops = &mdev_type_sysfs_ops,
	.release = mdev_type_release,
};

/* Add "create" last: a create needs the rest. */
static int mdev_type_create(struct mdev_core_type *type)
{
	struct mdev_core_parent *parent = type->parent;
	int ret;

	type->kobj.kset = parent->types_kset;
	ret = kobject_add(&type->kobj, NULL, "%s-%s",
			  dev_driver_string(parent->dev),
			  type->vendor->sysfs_name);
	if (ret)
		return ret;
	type->devices = kobject_create_and_add("devices", &type->kobj);
	if (!type->devices) {
		ret = -ENOMEM;
		goto del;
	}
	type->vendor->devices_kobj = type->devices;

	type->groups[0] = parent->ops ? &type->vendor_group :
					&mdev_driver_type_group;
	type->groups[1] = &mdev_create_group;
	ret = sysfs_create_groups(&type->kobj, type->groups);
	if (ret)
		goto put_devices;
	return 0;

put_devices:
	type->vendor->devices_kobj = NULL;
	kobject_put(type->devices);
del:
	kobject_del(&type->kobj);
	return ret;
}

static void mdev_type_remove(struct mdev_core_type *type)
{
	sysfs_remove_groups(&type->kobj, type->groups);
	type->vendor->devices_kobj = NULL;
	kobject_put(type->devices);
	kobject_del(&type->kobj);
}

/*
 * Add the type directories. Users may create devices as soon as one is there: after
 * a failure, evict them and call mdev_types_remove().
 */
int mdev_types_create(struct mdev_core_parent *parent)
{
	int ret;

	parent->types_kset = kset_create_and_add("mdev_supported_types", NULL,
						 &parent->dev->kobj);
	if (!parent->types_kset)
		return -ENOMEM;
	parent->vendor->mdev_types_kset = parent->types_kset;

	while (parent->nr_visible < parent->nr_types) {
		ret = mdev_type_create(parent->types[parent->nr_visible]);
		if (ret)
			return ret;
		parent->nr_visible++;
	}
	return 0;
}

/* Undo mdev_types_create(), even if it failed. Waits for users of attributes. */
void mdev_types_remove(struct mdev_core_parent *parent)
{
	while (parent->nr_visible)
		mdev_type_remove(parent->types[--parent->nr_visible]);
	kset_unregister(parent->types_kset);
	parent->types_kset = NULL;
	parent->vendor->mdev_types_kset = NULL;
}

/* Undo with kobject_put(&type->kobj). */
struct mdev_core_type *mdev_type_alloc(struct mdev_core_parent *parent)
{
	struct mdev_core_type *type;

	type = kzalloc_obj(*type);
	if (!type)
		return NULL;
	/* Put by mdev_type_release(). The vendor's module pins ours for now. */
	__module_get(THIS_MODULE);
	type->parent = parent;
	kobject_init(&type->kobj, &mdev_type_ktype);
	return type;
}

static ssize_t remove_store(struct device *dev, struct device_attribute *attr,
			    const char *buf, size_t count)
{
	unsigned long val;
	int ret;

	if (strnlen(buf, count) != count || kstrtoul(buf, 0, &val))
		return -EINVAL;
	if (!val)
		return count;
	ret = mdev_device_remove(dev_to_core_device(dev), attr);
	return ret ?: count;
}
static DEVICE_ATTR_WO(remove);

static ssize_t in_use_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	return sysfs_emit(buf, "%u\n",
			  mdev_open_count(dev_to_core_device(dev)));
}
static DEVICE_ATTR_RO(in_use);

static ssize_t mdevseq_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	return sysfs_emit(buf, "%llu\n", dev_to_core_device(dev)->seq);
}
static DEVICE_ATTR_RO(mdevseq);

static struct attribute *mdev_device_attrs[] = {
	&dev_attr_remove.attr,
	&dev_attr_in_use.attr,
	&dev_attr_mdevseq.attr,
	NULL,
};

static const struct attribute_group mdev_device_group = {
	.attrs = mdev_device_attrs,
};

const struct attribute_group *mdev_device_groups[] = {
	&mdev_device_group,
	NULL,
};

int mdev_links_create(struct mdev_core_device *md)
{
	struct kobject *kobj = &md->mdev.dev.kobj;
	int ret;

	ret = sysfs_create_link(md->type->devices, kobj, kobject_name(kobj));
	if (ret)
		return ret;
	ret = sysfs_create_link(kobj, &md->type->kobj, "mdev_type");
	if (ret)
		sysfs_remove_link(md->type->devices, kobject_name(kobj));
	return ret;
}

void mdev_links_remove(struct mdev_core_device *md)
{
	struct kobject *kobj = &md->mdev.dev.kobj;

	sysfs_remove_link(kobj, "mdev_type");
	sysfs_remove_link(md->type->devices, kobject_name(kobj));
}
