// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vendor driver of Linux 5.2's interface: nothing here knows that this is
 * not Linux 5.2. It includes <linux/mdev.h> and <linux/vfio.h>, and of ours only
 * the requests that it shares with the tests.
 */
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/mdev.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <linux/wait.h>

#include "../mdev_test_ioctl.h"

#define LEGACY_MAX 2

/* A page that is pinned: its numbers in IOVA space and in memory. */
struct legacy_page {
	unsigned long gfn;
	unsigned long pfn;
};

struct legacy_mdev {
	struct mdev_device *mdev;
	guid_t uuid;
	char data[64];
	struct notifier_block iommu_nb;
	struct notifier_block group_nb;
	struct kvm *kvm;
	unsigned int unmaps;		/* how often it was told of one */
	wait_queue_head_t unmapped;
	/* Knobs of the tests. */
	unsigned int deaf;		/* leave pinned what is unmapped */
	unsigned int late;		/* note a page when told of an unmap */

	spinlock_t lock;		/* protects the pages */
	struct legacy_page pages[MDEV_TEST_PINS];
	int nr_pages;
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
	lm = kzalloc_obj(*lm);
	if (!lm) {
		atomic_inc(&legacy_left);
		return -ENOMEM;
	}
	lm->mdev = mdev;
	guid_copy(&lm->uuid, mdev_uuid(mdev));
	spin_lock_init(&lm->lock);
	init_waitqueue_head(&lm->unmapped);
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

/* Unpin the pages of a range, both ends included. */
static void legacy_unpin_range(struct legacy_mdev *lm, unsigned long first,
			       unsigned long last)
{
	unsigned long gfns[MDEV_TEST_PINS];
	int i, n = 0;

	spin_lock(&lm->lock);
	for (i = 0; i < lm->nr_pages; i++) {
		if (lm->pages[i].gfn < first || lm->pages[i].gfn > last)
			continue;
		gfns[n++] = lm->pages[i].gfn;
		lm->pages[i--] = lm->pages[--lm->nr_pages];
	}
	spin_unlock(&lm->lock);
	if (n)
		vfio_unpin_pages(mdev_dev(lm->mdev), gfns, n);
}

static int legacy_iommu_event(struct notifier_block *nb, unsigned long event,
			      void *data)
{
	struct legacy_mdev *lm = container_of(nb, struct legacy_mdev, iommu_nb);
	struct vfio_iommu_type1_dma_unmap *unmap = data;

	if (event != VFIO_IOMMU_NOTIFY_DMA_UNMAP)
		return NOTIFY_DONE;
	if (!READ_ONCE(lm->deaf))
		legacy_unpin_range(lm, unmap->iova >> PAGE_SHIFT,
				   (unmap->iova + unmap->size - 1) >>
				   PAGE_SHIFT);
	/* Last, so that a late note is too late for this call. */
	WRITE_ONCE(lm->unmaps, lm->unmaps + 1);
	wake_up_all(&lm->unmapped);
	return NOTIFY_OK;
}

static int legacy_group_event(struct notifier_block *nb, unsigned long event,
			      void *data)
{
	struct legacy_mdev *lm = container_of(nb, struct legacy_mdev, group_nb);

	if (event == VFIO_GROUP_NOTIFY_SET_KVM)
		lm->kvm = data;
	return NOTIFY_OK;
}

static int legacy_open(struct mdev_device *mdev)
{
	struct legacy_mdev *lm = mdev_get_drvdata(mdev);
	unsigned long events = VFIO_IOMMU_NOTIFY_DMA_UNMAP;
	int ret;

	if (!try_module_get(THIS_MODULE))
		return -ENODEV;
	lm->iommu_nb.notifier_call = legacy_iommu_event;
	ret = vfio_register_notifier(mdev_dev(mdev), VFIO_IOMMU_NOTIFY, &events,
				     &lm->iommu_nb);
	if (ret)
		goto put_module;
	events = VFIO_GROUP_NOTIFY_SET_KVM;
	lm->group_nb.notifier_call = legacy_group_event;
	ret = vfio_register_notifier(mdev_dev(mdev), VFIO_GROUP_NOTIFY, &events,
				     &lm->group_nb);
	if (ret)
		goto unregister_iommu;
	return 0;

unregister_iommu:
	vfio_unregister_notifier(mdev_dev(mdev), VFIO_IOMMU_NOTIFY,
				 &lm->iommu_nb);
put_module:
	module_put(THIS_MODULE);
	return ret;
}

static void legacy_release(struct mdev_device *mdev)
{
	struct legacy_mdev *lm = mdev_get_drvdata(mdev);

	vfio_unregister_notifier(mdev_dev(mdev), VFIO_GROUP_NOTIFY,
				 &lm->group_nb);
	if (!lm->deaf) {
		vfio_unregister_notifier(mdev_dev(mdev), VFIO_IOMMU_NOTIFY,
					 &lm->iommu_nb);
		legacy_unpin_range(lm, 0, ULONG_MAX);
	}
	lm->nr_pages = 0;
	lm->kvm = NULL;
	module_put(THIS_MODULE);
}

/* The pinned memory at an address, up to the end of its page. */
static void *legacy_memory(struct legacy_mdev *lm, u64 iova, size_t *count)
{
	void *memory = NULL;
	int i;

	spin_lock(&lm->lock);
	for (i = 0; i < lm->nr_pages; i++)
		if (lm->pages[i].gfn == iova >> PAGE_SHIFT)
			memory = page_address(pfn_to_page(lm->pages[i].pfn));
	spin_unlock(&lm->lock);
	*count = min_t(size_t, *count, PAGE_SIZE - offset_in_page(iova));
	return memory ? memory + offset_in_page(iova) : NULL;
}

static ssize_t legacy_read(struct mdev_device *mdev, char __user *buf,
			   size_t count, loff_t *ppos)
{
	struct legacy_mdev *lm = mdev_get_drvdata(mdev);
	void *memory;

	if (*ppos >= MDEV_TEST_MEMORY) {
		memory = legacy_memory(lm, *ppos - MDEV_TEST_MEMORY, &count);
		if (!memory || copy_to_user(buf, memory, count))
			return -EFAULT;
		return count;
	}
	return simple_read_from_buffer(buf, count, ppos, lm->data,
				       sizeof(lm->data));
}

static ssize_t legacy_write(struct mdev_device *mdev, const char __user *buf,
			    size_t count, loff_t *ppos)
{
	struct legacy_mdev *lm = mdev_get_drvdata(mdev);
	void *memory;

	if (*ppos >= MDEV_TEST_MEMORY) {
		memory = legacy_memory(lm, *ppos - MDEV_TEST_MEMORY, &count);
		if (!memory || copy_from_user(memory, buf, count))
			return -EFAULT;
		return count;
	}
	return simple_write_to_buffer(lm->data, sizeof(lm->data), ppos, buf,
				      count);
}

static long legacy_pin(struct legacy_mdev *lm, unsigned long *gfns, int n)
{
	unsigned int unmaps = READ_ONCE(lm->unmaps);
	unsigned long pfns[MDEV_TEST_PINS];
	int i, ret;

	ret = vfio_pin_pages(mdev_dev(lm->mdev), gfns, n,
			     IOMMU_READ | IOMMU_WRITE, pfns);
	if (ret != n)
		return ret < 0 ? ret : -EIO;
	if (lm->late)
		wait_event(lm->unmapped, READ_ONCE(lm->unmaps) != unmaps);

	spin_lock(&lm->lock);
	if (lm->nr_pages + n > MDEV_TEST_PINS) {
		spin_unlock(&lm->lock);
		vfio_unpin_pages(mdev_dev(lm->mdev), gfns, n);
		return -ENOSPC;
	}
	for (i = 0; i < n; i++)
		lm->pages[lm->nr_pages++] = (struct legacy_page){
			.gfn = gfns[i],
			.pfn = pfns[i],
		};
	spin_unlock(&lm->lock);
	return n;
}

/* Forget each page once, then unpin them whether they were known or not. */
static long legacy_unpin(struct legacy_mdev *lm, unsigned long *gfns, int n)
{
	int i, j;

	spin_lock(&lm->lock);
	for (i = 0; i < n && i < MDEV_TEST_PINS; i++) {
		for (j = 0; j < lm->nr_pages; j++) {
			if (lm->pages[j].gfn != gfns[i])
				continue;
			lm->pages[j] = lm->pages[--lm->nr_pages];
			break;
		}
	}
	spin_unlock(&lm->lock);
	return vfio_unpin_pages(mdev_dev(lm->mdev), gfns, n);
}

static long legacy_ioctl(struct mdev_device *mdev, unsigned int cmd,
			 unsigned long arg)
{
	struct legacy_mdev *lm = mdev_get_drvdata(mdev);
	unsigned long gfns[MDEV_TEST_PINS];
	struct mdev_test_pins pins;
	unsigned int i;

	if (cmd != MDEV_TEST_PIN_ALL && cmd != MDEV_TEST_UNPIN_ALL)
		return -ENOTTY;
	if (copy_from_user(&pins, (void __user *)arg, sizeof(pins)))
		return -EFAULT;
	for (i = 0; i < min_t(u32, pins.count, MDEV_TEST_PINS); i++)
		gfns[i] = pins.iova[i] >> PAGE_SHIFT;
	/* VFIO refuses any more before it looks at a number. */
	if (pins.count > MDEV_TEST_PINS &&
	    pins.count <= VFIO_PIN_PAGES_MAX_ENTRIES)
		return -EINVAL;
	return cmd == MDEV_TEST_PIN_ALL ? legacy_pin(lm, gfns, pins.count) :
					  legacy_unpin(lm, gfns, pins.count);
}

static ssize_t uuid_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	struct legacy_mdev *lm = mdev_get_drvdata(mdev_from_dev(dev));

	return sprintf(buf, "%pUl\n", &lm->uuid);
}
static DEVICE_ATTR_RO(uuid);

static ssize_t kvm_show(struct device *dev, struct device_attribute *attr,
			char *buf)
{
	struct legacy_mdev *lm = mdev_get_drvdata(mdev_from_dev(dev));

	return sprintf(buf, "%d\n", !!lm->kvm);
}
static DEVICE_ATTR_RO(kvm);

static ssize_t unmaps_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	struct legacy_mdev *lm = mdev_get_drvdata(mdev_from_dev(dev));

	return sprintf(buf, "%u\n", READ_ONCE(lm->unmaps));
}
static DEVICE_ATTR_RO(unmaps);

static ssize_t deaf_store(struct device *dev, struct device_attribute *attr,
			  const char *buf, size_t count)
{
	struct legacy_mdev *lm = mdev_get_drvdata(mdev_from_dev(dev));

	return kstrtouint(buf, 0, &lm->deaf) ?: count;
}
static DEVICE_ATTR_WO(deaf);

static ssize_t late_store(struct device *dev, struct device_attribute *attr,
			  const char *buf, size_t count)
{
	struct legacy_mdev *lm = mdev_get_drvdata(mdev_from_dev(dev));

	return kstrtouint(buf, 0, &lm->late) ?: count;
}
static DEVICE_ATTR_WO(late);

static struct attribute *legacy_mdev_attrs[] = {
	&dev_attr_uuid.attr,
	&dev_attr_kvm.attr,
	&dev_attr_unmaps.attr,
	&dev_attr_deaf.attr,
	&dev_attr_late.attr,
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
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A vendor driver written for Linux 5.2's mdev");
