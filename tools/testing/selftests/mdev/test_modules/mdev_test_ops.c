// SPDX-License-Identifier: GPL-2.0-only
/* mdev_test_ops.ko: test parents on the parent-ops door. */
#include <linux/iommu.h>
#include <linux/mdev_parent_ops.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "mdev_test.h"
#include "mdev_test_ioctl.h"

/* Memory of one registration, poisoned as soon as that ends. */
struct vendor {
	struct mdev_parent_ops ops;
	struct attribute_group type[MDEV_TEST_NR_TYPES];
	struct attribute_group *types[MDEV_TEST_NR_TYPES + 1];
	const struct attribute_group *mdev_groups[2];
	struct attribute_group mdev_group;
	struct attribute *mdev_attrs[2];
	char type_name[MDEV_TEST_NR_TYPES][8];
};

/* Driver data of a mediated device. */
struct test_mdev {
	struct mdev_device *mdev;
	void *data;		/* a page */
	spinlock_t lock;	/* protects the two fields below */
	bool pinned;
	u64 iova;
};

static ssize_t name_show(struct kobject *kobj, struct device *dev, char *buf)
{
	const char *dash = strrchr(kobject_name(kobj), '-');

	return sysfs_emit(buf, "Test type %s\n", dash ? dash + 1 : "?");
}
static MDEV_TYPE_ATTR_RO(name);

static ssize_t device_api_show(struct kobject *kobj, struct device *dev,
			       char *buf)
{
	return sysfs_emit(buf, "vfio-pci\n");
}
static MDEV_TYPE_ATTR_RO(device_api);

static ssize_t available_instances_show(struct kobject *kobj,
					struct device *dev, char *buf)
{
	struct mdev_test_parent *p = dev_get_drvdata(dev);
	int ret = mdev_test_gate_pass(&p->type_attr_gate);

	mdev_test_callback(p, "type_attr");
	return ret ?: sysfs_emit(buf, "%d\n",
			  p->max_instances - atomic_read(&p->instances));
}
static MDEV_TYPE_ATTR_RO(available_instances);

static struct attribute *type_attrs[] = {
	&mdev_type_attr_name.attr,
	&mdev_type_attr_device_api.attr,
	&mdev_type_attr_available_instances.attr,
	NULL,
};

/* Called for the second type after the first type's create file exists. */
static umode_t type_visible(struct kobject *kobj, struct attribute *attr, int n)
{
	struct device *dev = kobj_to_dev(kobj->parent->parent);
	struct mdev_test_parent *p = dev_get_drvdata(dev);

	mdev_test_gate_pass(&p->register_gate);
	return attr->mode;
}

static int take_instance(struct mdev_test_parent *p)
{
	if (p->max_instances)
		return atomic_add_unless(&p->instances, 1, p->max_instances) ?
			0 : -EUSERS;
	atomic_inc(&p->instances);
	return 0;
}

/* Check what vendors on the parent-ops door rely on in create(). */
static bool create_args_valid(struct kobject *kobj, struct mdev_device *mdev)
{
	struct device *parent = mdev_parent_dev(mdev);

	return mdev_from_dev(&mdev->dev) == mdev &&
	       guid_equal(mdev_uuid(mdev), &mdev->uuid) &&
	       parent && parent == mdev->dev.parent &&
	       str_has_prefix(kobject_name(kobj), "mdev_test_ops-") &&
	       kobj->parent && kobj->parent->parent == &parent->kobj &&
	       !mdev_get_drvdata(mdev) && !mdev_vfio_device(mdev);
}

static struct test_mdev *test_mdev_alloc(struct mdev_device *mdev)
{
	struct test_mdev *tm = kzalloc_obj(*tm);

	if (!tm)
		return NULL;
	tm->data = (void *)get_zeroed_page(GFP_KERNEL);
	if (!tm->data) {
		kfree(tm);
		return NULL;
	}
	tm->mdev = mdev;
	spin_lock_init(&tm->lock);
	return tm;
}

static void test_mdev_free(struct mdev_test_parent *p, struct test_mdev *tm)
{
	free_page((unsigned long)tm->data);
	kfree(tm);
	atomic_dec(&p->instances);
}

static int test_create(struct kobject *kobj, struct mdev_device *mdev)
{
	struct mdev_test_parent *p = mdev_test_parent_of(mdev);
	struct test_mdev *tm;
	int ret;

	mdev_test_log("vendor", "create", mdev);
	if (!create_args_valid(kobj, mdev))
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
	ret = take_instance(p);
	if (ret)
		return ret;
	tm = test_mdev_alloc(mdev);
	if (!tm) {
		atomic_dec(&p->instances);
		return -ENOMEM;
	}
	mdev_set_drvdata(mdev, tm);
	mdev_test_log("vendor", "created", mdev);
	ret = mdev_test_gate_pass(&p->late_gate);
	if (!ret)
		ret = mdev_test_fault(&p->late_fault);
	if (ret) {
		test_mdev_free(p, tm);
		mdev_test_log("vendor", "undone", mdev);
	}
	return ret;
}

static int test_remove(struct mdev_device *mdev)
{
	struct mdev_test_parent *p = mdev_test_parent_of(mdev);
	struct test_mdev *tm = mdev_get_drvdata(mdev);

	mdev_test_log("vendor", "remove", mdev);
	mdev_test_gate_pass(&p->remove_gate);
	mdev_test_callback(p, "remove");
	WARN_ON(tm->mdev != mdev || mdev_vfio_device(mdev));
	test_mdev_free(p, tm);
	mdev_test_log("vendor", "removed", mdev);
	return mdev_test_fault(&p->remove_fault);
}

static int test_open(struct mdev_device *mdev)
{
	struct mdev_test_parent *p = mdev_test_parent_of(mdev);
	int ret;

	mdev_test_log("vendor", "open", mdev);
	ret = mdev_test_gate_pass(&p->open_gate);
	mdev_test_callback(p, "open");
	return ret ?: mdev_test_fault(&p->open_fault);
}

/*
 * VFIO calls dma_unmap() under locks that it also takes to pin and unpin, so
 * hold no lock of ours around pinning or unpinning.
 */
static void test_unpin(struct test_mdev *tm, u64 iova, u64 length)
{
	bool unpin;

	spin_lock(&tm->lock);
	unpin = tm->pinned && tm->iova >= iova && tm->iova - iova < length;
	if (unpin) {
		tm->pinned = false;
		iova = tm->iova;
	}
	spin_unlock(&tm->lock);
	if (unpin)
		vfio_unpin_pages(mdev_vfio_device(tm->mdev), iova, 1);
}

static void test_release(struct mdev_device *mdev)
{
	test_unpin(mdev_get_drvdata(mdev), 0, U64_MAX);
	mdev_test_log("vendor", "close", mdev);
}

static void test_dma_unmap(struct mdev_device *mdev, u64 iova, u64 length)
{
	mdev_test_log("vendor", "dma_unmap", mdev);
	test_unpin(mdev_get_drvdata(mdev), iova, length);
}

static int test_mmap(struct mdev_device *mdev, struct vm_area_struct *vma)
{
	struct test_mdev *tm = mdev_get_drvdata(mdev);
	int ret = mdev_test_fault(&mdev_test_parent_of(mdev)->mmap_fault);

	if (ret)
		return ret;
	if (vma->vm_end - vma->vm_start != PAGE_SIZE)
		return -EINVAL;
	return vm_insert_page(vma, vma->vm_start, virt_to_page(tm->data));
}

static ssize_t test_read(struct mdev_device *mdev, char __user *buf,
			 size_t count, loff_t *ppos)
{
	struct test_mdev *tm = mdev_get_drvdata(mdev);

	return simple_read_from_buffer(buf, count, ppos, tm->data,
				       MDEV_TEST_DATA_SIZE);
}

static ssize_t test_write(struct mdev_device *mdev, const char __user *buf,
			  size_t count, loff_t *ppos)
{
	struct test_mdev *tm = mdev_get_drvdata(mdev);

	return simple_write_to_buffer(tm->data, MDEV_TEST_DATA_SIZE, ppos, buf,
				      count);
}

static long test_pin(struct test_mdev *tm, u64 iova)
{
	struct vfio_device *vdev = mdev_vfio_device(tm->mdev);
	struct page *page;
	long ret;

	ret = vfio_pin_pages(vdev, iova, 1, IOMMU_READ, &page);
	if (ret != 1)
		return ret;
	ret = *(u8 *)page_address(page);
	spin_lock(&tm->lock);
	if (tm->pinned) {
		spin_unlock(&tm->lock);
		vfio_unpin_pages(vdev, iova, 1);
		return -EBUSY;
	}
	tm->pinned = true;
	tm->iova = iova;
	spin_unlock(&tm->lock);
	return ret;
}

/* One region of one page, with a capability without content. */
static const struct vfio_info_cap_header test_region_cap = {
	.id = VFIO_REGION_INFO_CAP_MSIX_MAPPABLE,
	.version = 1,
};

static int test_get_region_info(struct mdev_device *mdev,
				struct vfio_region_info *info,
				struct vfio_info_cap *caps)
{
	struct vfio_info_cap_header cap = test_region_cap;

	if (info->index)
		return -EINVAL;
	info->size = PAGE_SIZE;
	info->offset = 0;
	info->flags = VFIO_REGION_INFO_FLAG_READ;
	return vfio_info_add_capability(caps, &cap, sizeof(cap));
}

/* The same reply, built as a driver of Linux 5.2 does. */
static long test_region_info(void __user *arg)
{
	struct {
		struct vfio_region_info info;
		struct vfio_info_cap_header cap;
	} reply = { .cap = test_region_cap };
	unsigned long size = sizeof(reply);

	if (copy_from_user(&reply.info, arg, sizeof(reply.info)))
		return -EFAULT;
	if (reply.info.argsz < sizeof(reply.info) || reply.info.index)
		return -EINVAL;
	reply.info.size = PAGE_SIZE;
	reply.info.offset = 0;
	reply.info.flags = VFIO_REGION_INFO_FLAG_READ |
			   VFIO_REGION_INFO_FLAG_CAPS;
	reply.info.cap_offset = sizeof(reply.info);
	if (reply.info.argsz < size) {
		reply.info.argsz = size;
		reply.info.cap_offset = 0;
		size = sizeof(reply.info);
	}
	return copy_to_user(arg, &reply, size) ? -EFAULT : 0;
}

static long test_ioctl(struct mdev_device *mdev, unsigned int cmd,
		       unsigned long arg)
{
	u64 iova;

	switch (cmd) {
	case VFIO_DEVICE_GET_REGION_INFO:
		return test_region_info((void __user *)arg);
	case VFIO_DEVICE_GET_INFO:
		return mdev_test_get_info(arg);
	case MDEV_TEST_PIN:
		if (copy_from_user(&iova, (void __user *)arg, sizeof(iova)))
			return -EFAULT;
		return test_pin(mdev_get_drvdata(mdev), iova);
	}
	return -ENOTTY;
}

static void test_request(struct mdev_device *mdev, unsigned int count)
{
	mdev_test_log("vendor", "request", mdev);
	atomic_inc(&mdev_test_parent_of(mdev)->requests);
}

/* A second bus driver, for parents with own_driver. */
static int other_probe(struct mdev_device *mdev)
{
	struct mdev_test_parent *p = mdev_test_parent_of(mdev);
	int ret;

	mdev_test_log("other", "probe", mdev);
	ret = mdev_test_gate_pass(&p->bind_gate);
	return ret ?: mdev_test_fault(&p->bind_fault);
}

static void other_remove(struct mdev_device *mdev)
{
	mdev_test_log("other", "remove", mdev);
}

static struct mdev_driver other_driver = {
	.device_api = "vfio-pci",
	.probe = other_probe,
	.remove = other_remove,
	.driver = {
		.name = "mdev_test_ops_other",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
	},
};

static void vendor_init(struct vendor *v, struct mdev_test_parent *p)
{
	struct mdev_parent_ops *ops = &v->ops;
	int i;

	for (i = 0; i < MDEV_TEST_NR_TYPES; i++) {
		snprintf(v->type_name[i], sizeof(v->type_name[i]), "%d",
			 i + 1);
		v->type[i].name = v->type_name[i];
		v->type[i].attrs = type_attrs;
		v->types[i] = &v->type[i];
	}
	v->type[1].is_visible = type_visible;
	v->mdev_group = *mdev_test_attr_groups[0];
	v->mdev_attrs[0] = v->mdev_group.attrs[0];
	v->mdev_group.attrs = v->mdev_attrs;
	v->mdev_groups[0] = &v->mdev_group;

	ops->owner = THIS_MODULE;
	ops->mdev_attr_groups = v->mdev_groups;
	ops->supported_type_groups = v->types;
	ops->create = test_create;
	ops->remove = test_remove;
	if (p->own_driver)
		ops->device_driver = &other_driver;
	if (p->bare)
		return;
	ops->open = test_open;
	ops->release = test_release;
	ops->read = test_read;
	ops->write = test_write;
	ops->ioctl = test_ioctl;
	ops->mmap = test_mmap;
	if (p->region_op)
		ops->get_region_info = test_get_region_info;
	if (p->dma_unmap)
		ops->dma_unmap = test_dma_unmap;
	if (p->request_op)
		ops->request = test_request;
}

static int register_bad(struct vendor *v, struct mdev_test_parent *p,
			const char *bad)
{
	if (!strcmp(bad, "no_device"))
		return mdev_register_device(NULL, &v->ops);
	if (!strcmp(bad, "no_driver"))
		return mdev_register_device(p->dev, NULL);
	if (!strcmp(bad, "no_types"))
		v->ops.supported_type_groups = NULL;
	else if (!strcmp(bad, "no_create"))
		v->ops.create = NULL;
	else if (!strcmp(bad, "no_remove"))
		v->ops.remove = NULL;
	else if (!strcmp(bad, "no_name"))
		v->type[1].name = NULL;
	else if (!strcmp(bad, "no_attrs"))
		v->type[1].attrs = NULL;
	else
		return -EOPNOTSUPP;
	return mdev_register_device(p->dev, &v->ops);
}

static int ops_door_register(struct mdev_test_parent *p, void *vendor,
			     const char *bad)
{
	struct vendor *v = vendor;

	vendor_init(v, p);
	if (bad)
		return register_bad(v, p, bad);
	return mdev_register_device(p->dev, &v->ops);
}

static void ops_door_unregister(struct mdev_test_parent *p, void *vendor)
{
	mdev_unregister_device(p->dev);
}

static struct mdev_test_door ops_door = {
	.owner = THIS_MODULE,
	.name = "mdev_test_ops",
	.vendor_size = sizeof(struct vendor),
	.reg = ops_door_register,
	.unreg = ops_door_unregister,
	.unreg_again = ops_door_unregister,
};

static int __init mdev_test_ops_init(void)
{
	int ret;

	ret = mdev_register_driver(&other_driver);
	if (ret)
		return ret;
	ret = mdev_test_watch_bus(&other_driver.driver);
	if (ret)
		goto unregister;
	ret = mdev_test_door_open(&ops_door);
	if (ret)
		goto unwatch;
	return 0;

unwatch:
	mdev_test_unwatch_bus(&other_driver.driver);
unregister:
	mdev_unregister_driver(&other_driver);
	return ret;
}

static void __exit mdev_test_ops_exit(void)
{
	mdev_test_door_close(&ops_door);
	mdev_test_unwatch_bus(&other_driver.driver);
	mdev_unregister_driver(&other_driver);
}

module_init(mdev_test_ops_init);
module_exit(mdev_test_ops_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Mediated-device test parents with parent ops");
