// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO as vendor drivers for Linux 5.1 to 5.12 call it, for parents of the
 * parent-ops door: pages are pinned by arrays of page numbers, and notifiers tell
 * of unmaps and of KVM. The headers in include/legacy rename the calls.
 *
 * VFIO calls dma_unmap() under a lock for which a caller of vfio_pin_pages() may
 * wait. So no lock of this file is held around a call of VFIO or of the vendor, and
 * dma_unmap() waits for such calls of others for a limited time only: VFIO asks
 * again while a page is pinned.
 */
#include <linux/iommu.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/vfio.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include <linux/mdev_parent_ops.h>
#include <legacy/mdev_legacy.h>

#include "mdev_version.h"

/* Linux 5.2 notified a driver as often, and then it was BUG(). */
#define LEGACY_NOTIFY_TRIES 10

/* A registered parent: the ops that the core sees, and the vendor's. */
struct legacy_parent {
	struct mdev_parent_ops ops;
	const struct mdev_parent_ops *vendor;
};

enum legacy_state { LEGACY_CLOSED, LEGACY_OPENING, LEGACY_OPEN };

/* Page numbers of IOVA space, both included. */
struct legacy_range {
	struct list_head entry;
	unsigned long first;
	unsigned long last;
};

/* A call of VFIO in flight that pins or unpins. */
struct legacy_call {
	struct list_head entry;
	const unsigned long *pfns;
	int npage;
};

struct legacy_device {
	struct mdev_device *mdev;
	const struct mdev_parent_ops *vendor;
	struct blocking_notifier_head notifiers[2];	/* by vfio_notify_type */
	wait_queue_head_t wait;		/* for @calls to end */

	struct mutex lock;		/* protects what follows */
	enum legacy_state state;
	struct xarray pins;		/* how often each IOVA page is pinned */
	struct list_head calls;
	struct list_head unmaps;	/* ranges in legacy_dma_unmap() */
	struct legacy_range unmapped;	/* the last of them */
	unsigned long unmapped_at;	/* in jiffies */
};

/* By the address of the parent device, and of the mediated device. */
static DEFINE_XARRAY(legacy_parents);
static DEFINE_XARRAY(legacy_devices);

static struct legacy_device *legacy_device(struct mdev_device *mdev)
{
	return xa_load(&legacy_devices, (unsigned long)mdev);
}

/* NULL if @dev did not come through this door. */
static struct legacy_device *legacy_device_of(struct device *dev)
{
	struct mdev_device *mdev = dev ? mdev_from_dev(dev) : NULL;

	return mdev ? legacy_device(mdev) : NULL;
}

static bool legacy_overlaps(const struct legacy_call *call,
			    const struct legacy_range *range)
{
	int i;

	for (i = 0; i < call->npage; i++)
		if (call->pfns[i] >= range->first &&
		    call->pfns[i] <= range->last)
			return true;
	return false;
}

static bool legacy_being_unmapped(const struct legacy_device *ld,
				  const struct legacy_call *call)
{
	const struct legacy_range *range;

	list_for_each_entry(range, &ld->unmaps, entry)
		if (legacy_overlaps(call, range))
			return true;
	return false;
}

/* Change how often a page is pinned. Only the first pin needs memory. */
static int legacy_count(struct legacy_device *ld, unsigned long pfn, long delta)
{
	unsigned long count = xa_to_value(xa_load(&ld->pins, pfn)) + delta;

	if (!count)
		return xa_err(xa_erase(&ld->pins, pfn));
	return xa_err(xa_store(&ld->pins, pfn, xa_mk_value(count), GFP_KERNEL));
}

static int legacy_count_all(struct legacy_device *ld,
			    const struct legacy_call *call)
{
	int i, ret;

	for (i = 0; i < call->npage; i++) {
		ret = legacy_count(ld, call->pfns[i], 1);
		if (!ret)
			continue;
		while (i--)
			legacy_count(ld, call->pfns[i], -1);
		return ret;
	}
	return 0;
}

static void legacy_end_call(struct legacy_device *ld, struct legacy_call *call)
{
	mutex_lock(&ld->lock);
	list_del(&call->entry);
	mutex_unlock(&ld->lock);
	wake_up_all(&ld->wait);
}

/* One page a call: iommufd wants back what it gave, no more and no less. */
static void legacy_put_page(struct legacy_device *ld, unsigned long pfn)
{
	vfio_unpin_pages(mdev_vfio_device(ld->mdev),
			 (dma_addr_t)pfn << PAGE_SHIFT, 1);
}

static int legacy_get_page(struct legacy_device *ld, unsigned long pfn,
			   int prot, unsigned long *phys_pfn)
{
	struct page *page;
	int ret;

	ret = vfio_pin_pages(mdev_vfio_device(ld->mdev),
			     (dma_addr_t)pfn << PAGE_SHIFT, 1, prot, &page);
	/* iommufd's error for a page that is not mapped. */
	if (ret == -ENOENT || ret == 0)
		return -EINVAL;
	if (ret < 0)
		return ret;
	*phys_pfn = page_to_pfn(page);
	return 0;
}

/*
 * VFIO looks for pins again after dma_unmap() has returned. Users that pin the range
 * in a loop could win each time, and it is BUG() when VFIO has looked ten times.
 */
static void legacy_let_unmap_end(struct legacy_device *ld,
				 const struct legacy_call *call)
{
	bool recent;

	mutex_lock(&ld->lock);
	recent = legacy_overlaps(call, &ld->unmapped) &&
		 time_before(jiffies, ld->unmapped_at + 2);
	mutex_unlock(&ld->lock);
	if (recent)
		schedule_timeout_uninterruptible(2);
}

/**
 * mdev_legacy_pin_pages() - vfio_pin_pages() of Linux 5.2
 * @dev: the struct device of a mediated device that is open.
 * @user_pfn: the page numbers of IOVA space to pin, in any order.
 * @npage: how many, at most VFIO_PIN_PAGES_MAX_ENTRIES.
 * @prot: IOMMU_READ, IOMMU_WRITE or both.
 * @phys_pfn: gets the page numbers of the memory behind them.
 *
 * Pins all pages or none. Pages can be pinned more than once. Each pin is undone by
 * vfio_unpin_pages() or, if a notifier leaves it when the user unmaps the page or
 * closes the device, by this module with a warning.
 *
 * Context: process context, may sleep. A notifier must not wait for a lock that is
 * held around this call: VFIO calls it with locks that this call may need.
 * Return: @npage; -EINVAL if an argument is missing, the device is not open, no
 * notifier is registered for unmaps, or a page is not mapped or just being unmapped;
 * -E2BIG; -ENODEV if @dev is none of this door; -EPERM if the mapping does not allow
 * @prot; -ENOMEM; another error of the IOMMU driver.
 */
int mdev_legacy_pin_pages(struct device *dev, unsigned long *user_pfn,
			  int npage, int prot, unsigned long *phys_pfn)
{
	struct legacy_call call = { .pfns = user_pfn, .npage = npage };
	struct legacy_device *ld = legacy_device_of(dev);
	int pinned, ret = 0;

	if (!user_pfn || !phys_pfn || npage <= 0)
		return -EINVAL;
	if (npage > VFIO_PIN_PAGES_MAX_ENTRIES)
		return -E2BIG;
	if (!ld)
		return -ENODEV;
	if (!ld->vendor->dma_unmap &&
	    !rcu_access_pointer(ld->notifiers[VFIO_IOMMU_NOTIFY].head))
		return -EINVAL;

	legacy_let_unmap_end(ld, &call);
	mutex_lock(&ld->lock);
	if (ld->state == LEGACY_CLOSED || legacy_being_unmapped(ld, &call))
		ret = -EINVAL;
	else
		list_add(&call.entry, &ld->calls);
	mutex_unlock(&ld->lock);
	if (ret)
		return ret;

	for (pinned = 0; pinned < npage; pinned++) {
		ret = legacy_get_page(ld, user_pfn[pinned], prot,
				      &phys_pfn[pinned]);
		if (ret)
			break;
	}

	mutex_lock(&ld->lock);
	if (!ret)
		ret = legacy_count_all(ld, &call);
	mutex_unlock(&ld->lock);
	while (ret && pinned--)
		legacy_put_page(ld, user_pfn[pinned]);
	legacy_end_call(ld, &call);
	return ret ?: npage;
}
EXPORT_SYMBOL(mdev_legacy_pin_pages);

/* Undo @count pins of a page, or all that are left if @count is 0. */
static unsigned long legacy_unpin(struct legacy_device *ld, unsigned long pfn,
				  unsigned long count)
{
	struct legacy_call call = { .pfns = &pfn, .npage = 1 };
	unsigned long pins, i;

	mutex_lock(&ld->lock);
	pins = xa_to_value(xa_load(&ld->pins, pfn));
	if (count)
		pins = min(pins, count);
	if (pins) {
		legacy_count(ld, pfn, -pins);
		list_add(&call.entry, &ld->calls);
	}
	mutex_unlock(&ld->lock);
	if (!pins)
		return 0;
	for (i = 0; i < pins; i++)
		legacy_put_page(ld, pfn);
	legacy_end_call(ld, &call);
	return pins;
}

/**
 * mdev_legacy_unpin_pages() - vfio_unpin_pages() of Linux 5.2
 * @dev: the struct device of a mediated device.
 * @user_pfn: the page numbers of IOVA space to unpin.
 * @npage: how many, at most VFIO_PIN_PAGES_MAX_ENTRIES.
 *
 * Stops at the first page that is not pinned.
 *
 * Context: process context, may sleep; also in a notifier.
 * Return: the number of pages unpinned; -EINVAL if the first is not pinned or an
 * argument is missing; -E2BIG; -ENODEV if @dev is none of this door.
 */
int mdev_legacy_unpin_pages(struct device *dev, unsigned long *user_pfn,
			    int npage)
{
	struct legacy_device *ld = legacy_device_of(dev);
	int i;

	if (!user_pfn || npage <= 0)
		return -EINVAL;
	if (npage > VFIO_PIN_PAGES_MAX_ENTRIES)
		return -E2BIG;
	if (!ld)
		return -ENODEV;
	for (i = 0; i < npage; i++)
		if (!legacy_unpin(ld, user_pfn[i], 1))
			break;
	return i ?: -EINVAL;
}
EXPORT_SYMBOL(mdev_legacy_unpin_pages);

static bool legacy_known_type(enum vfio_notify_type type)
{
	return type == VFIO_IOMMU_NOTIFY || type == VFIO_GROUP_NOTIFY;
}

/**
 * mdev_legacy_register_notifier() - vfio_register_notifier() of Linux 5.2
 * @dev: the struct device of a mediated device that is open.
 * @type: VFIO_IOMMU_NOTIFY, or in the vendor's open() VFIO_GROUP_NOTIFY.
 * @events: VFIO_IOMMU_NOTIFY_DMA_UNMAP or VFIO_GROUP_NOTIFY_SET_KVM; known bits are
 *	cleared.
 * @nb: the notifier block; must stay until it is unregistered, not later than in
 *	the vendor's release().
 *
 * If KVM has been told of the user's group, @nb is called with its struct kvm before
 * this returns, and then never again: VFIO tells of KVM only while a device is being
 * opened. Take a reference on it by kvm_get_kvm().
 *
 * Context: process context, may sleep; not in a notifier.
 * Return: 0; -EINVAL if an argument is missing or unknown, the device is not open,
 * or @type is VFIO_GROUP_NOTIFY outside open(); -EEXIST if @nb is registered;
 * -ENODEV if @dev is none of this door.
 */
int mdev_legacy_register_notifier(struct device *dev,
				  enum vfio_notify_type type,
				  unsigned long *events,
				  struct notifier_block *nb)
{
	struct legacy_device *ld = legacy_device_of(dev);
	enum legacy_state state;
	struct kvm *kvm;
	int ret;

	if (!events || !*events || !nb || !legacy_known_type(type))
		return -EINVAL;
	if (!ld)
		return -ENODEV;
	*events &= type == VFIO_IOMMU_NOTIFY ? ~VFIO_IOMMU_NOTIFY_DMA_UNMAP :
					       ~VFIO_GROUP_NOTIFY_SET_KVM;
	if (*events)
		return -EINVAL;

	mutex_lock(&ld->lock);
	state = ld->state;
	mutex_unlock(&ld->lock);
	if (state == LEGACY_CLOSED ||
	    (type == VFIO_GROUP_NOTIFY && state != LEGACY_OPENING))
		return -EINVAL;

	ret = blocking_notifier_chain_register(&ld->notifiers[type], nb);
	if (ret || type != VFIO_GROUP_NOTIFY)
		return ret;
	kvm = mdev_vfio_device(ld->mdev)->kvm;
	if (kvm)
		nb->notifier_call(nb, VFIO_GROUP_NOTIFY_SET_KVM, kvm);
	return 0;
}
EXPORT_SYMBOL(mdev_legacy_register_notifier);

/**
 * mdev_legacy_unregister_notifier() - vfio_unregister_notifier() of Linux 5.2
 * @dev: the struct device of a mediated device.
 * @type: as it was registered.
 * @nb: the notifier block.
 *
 * Waits until @nb is not being called.
 *
 * Context: process context, may sleep; not in a notifier.
 * Return: 0; -EINVAL if an argument is missing or unknown; -ENOENT if @nb is not
 * registered; -ENODEV if @dev is none of this door.
 */
int mdev_legacy_unregister_notifier(struct device *dev,
				    enum vfio_notify_type type,
				    struct notifier_block *nb)
{
	struct legacy_device *ld = legacy_device_of(dev);

	if (!nb || !legacy_known_type(type))
		return -EINVAL;
	if (!ld)
		return -ENODEV;
	return blocking_notifier_chain_unregister(&ld->notifiers[type], nb);
}
EXPORT_SYMBOL(mdev_legacy_unregister_notifier);

static bool legacy_is_pinned(struct legacy_device *ld,
			     const struct legacy_range *range)
{
	unsigned long pfn = range->first;

	return xa_find(&ld->pins, &pfn, range->last, XA_PRESENT);
}

static bool legacy_in_flight(struct legacy_device *ld,
			     const struct legacy_range *range)
{
	struct legacy_call *call;
	bool found = false;

	mutex_lock(&ld->lock);
	list_for_each_entry(call, &ld->calls, entry)
		found |= legacy_overlaps(call, range);
	mutex_unlock(&ld->lock);
	return found;
}

/* Not for longer than a tenth of a second: see the top of this file. */
static void legacy_wait_for_calls(struct legacy_device *ld,
				  const struct legacy_range *range)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	long left = HZ / 10;

	add_wait_queue(&ld->wait, &wait);
	while (left && legacy_in_flight(ld, range))
		left = wait_woken(&wait, TASK_UNINTERRUPTIBLE, left);
	remove_wait_queue(&ld->wait, &wait);
}

/* Unpin what the vendor has left pinned. */
static void legacy_take_away(struct legacy_device *ld,
			     const struct legacy_range *range)
{
	unsigned long pfn, pins = 0;
	void *entry;

	xa_for_each_range(&ld->pins, pfn, entry, range->first, range->last)
		pins += legacy_unpin(ld, pfn, 0);
	if (pins)
		dev_warn_ratelimited(mdev_parent_dev(ld->mdev),
				     "mdev: %s: the vendor driver kept %lu pins on pages that its user took away; undone\n",
				     dev_name(mdev_dev(ld->mdev)), pins);
}

static void legacy_dma_unmap(struct mdev_device *mdev, u64 iova, u64 length)
{
	struct legacy_device *ld = legacy_device(mdev);
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = iova,
		.size = length,
	};
	struct legacy_range range = {
		.first = iova >> PAGE_SHIFT,
		.last = (iova + length - 1) >> PAGE_SHIFT,
	};
	int i;

	mutex_lock(&ld->lock);
	list_add(&range.entry, &ld->unmaps);
	mutex_unlock(&ld->lock);

	for (i = 0; i < LEGACY_NOTIFY_TRIES; i++) {
		blocking_notifier_call_chain(&ld->notifiers[VFIO_IOMMU_NOTIFY],
					     VFIO_IOMMU_NOTIFY_DMA_UNMAP,
					     &unmap);
		if (ld->vendor->dma_unmap)
			ld->vendor->dma_unmap(mdev, iova, length);
		legacy_wait_for_calls(ld, &range);
		if (!legacy_is_pinned(ld, &range))
			break;
		/* The vendor may have pinned a page and not have noted it yet. */
		schedule_timeout_uninterruptible(1);
	}
	legacy_take_away(ld, &range);

	mutex_lock(&ld->lock);
	list_del(&range.entry);
	ld->unmapped = range;
	ld->unmapped_at = jiffies;
	mutex_unlock(&ld->lock);
}

static void legacy_set_state(struct legacy_device *ld, enum legacy_state state)
{
	mutex_lock(&ld->lock);
	ld->state = state;
	mutex_unlock(&ld->lock);
}

static void legacy_close(struct legacy_device *ld)
{
	const struct legacy_range all = { .last = ULONG_MAX };
	int type;

	legacy_set_state(ld, LEGACY_CLOSED);
	legacy_wait_for_calls(ld, &all);
	legacy_take_away(ld, &all);
	for (type = VFIO_IOMMU_NOTIFY; type <= VFIO_GROUP_NOTIFY; type++) {
		if (!rcu_access_pointer(ld->notifiers[type].head))
			continue;
		dev_warn_ratelimited(mdev_parent_dev(ld->mdev),
				     "mdev: %s: the vendor driver left a notifier registered\n",
				     dev_name(mdev_dev(ld->mdev)));
		BLOCKING_INIT_NOTIFIER_HEAD(&ld->notifiers[type]);
	}
}

static int legacy_open(struct mdev_device *mdev)
{
	struct legacy_device *ld = legacy_device(mdev);
	int ret = 0;

	legacy_set_state(ld, LEGACY_OPENING);
	if (ld->vendor->open)
		ret = ld->vendor->open(mdev);
	if (ret)
		legacy_close(ld);
	else
		legacy_set_state(ld, LEGACY_OPEN);
	return ret;
}

static void legacy_release(struct mdev_device *mdev)
{
	struct legacy_device *ld = legacy_device(mdev);

	if (ld->vendor->release)
		ld->vendor->release(mdev);
	legacy_close(ld);
}

static int legacy_create(struct kobject *kobj, struct mdev_device *mdev)
{
	struct legacy_parent *parent =
		xa_load(&legacy_parents, (unsigned long)mdev_parent_dev(mdev));
	struct legacy_device *ld;
	int ret;

	ld = kzalloc_obj(*ld);
	if (!ld)
		return -ENOMEM;
	ld->mdev = mdev;
	ld->vendor = parent->vendor;
	BLOCKING_INIT_NOTIFIER_HEAD(&ld->notifiers[VFIO_IOMMU_NOTIFY]);
	BLOCKING_INIT_NOTIFIER_HEAD(&ld->notifiers[VFIO_GROUP_NOTIFY]);
	init_waitqueue_head(&ld->wait);
	mutex_init(&ld->lock);
	xa_init(&ld->pins);
	INIT_LIST_HEAD(&ld->calls);
	INIT_LIST_HEAD(&ld->unmaps);
	ld->unmapped.first = 1;	/* empty */

	ret = xa_insert(&legacy_devices, (unsigned long)mdev, ld, GFP_KERNEL);
	if (ret)
		goto free_device;
	ret = parent->vendor->create(kobj, mdev);
	if (ret)
		goto erase_device;
	return 0;

erase_device:
	xa_erase(&legacy_devices, (unsigned long)mdev);
free_device:
	kfree(ld);
	return ret;
}

static int legacy_remove(struct mdev_device *mdev)
{
	struct legacy_device *ld = legacy_device(mdev);
	int ret = ld->vendor->remove(mdev);

	xa_erase(&legacy_devices, (unsigned long)mdev);
	kfree(ld);
	return ret;
}

/**
 * mdev_legacy_register_device() - mdev_register_device() for legacy drivers
 * @dev: the parent device, added to the driver core.
 * @ops: its callbacks and types; must stay until mdev_unregister_device() returns.
 *
 * Context: process context, may sleep. Not under a lock that a callback takes.
 * Return: as mdev_register_device().
 */
int mdev_legacy_register_device(struct device *dev,
				const struct mdev_parent_ops *ops)
{
	struct legacy_parent *parent;
	int ret;

	if (!dev || !ops || !ops->create || !ops->remove)
		return -EINVAL;
	parent = kzalloc_obj(*parent);
	if (!parent)
		return -ENOMEM;
	parent->vendor = ops;
	parent->ops = *ops;
	parent->ops.create = legacy_create;
	parent->ops.remove = legacy_remove;
	parent->ops.open = legacy_open;
	parent->ops.release = legacy_release;
	parent->ops.dma_unmap = legacy_dma_unmap;

	/* Creates may come before the registration returns. */
	ret = xa_insert(&legacy_parents, (unsigned long)dev, parent,
			GFP_KERNEL);
	if (ret) {
		kfree(parent);
		return ret == -EBUSY ? -EEXIST : ret;
	}
	ret = mdev_register_device(dev, &parent->ops);
	if (ret) {
		xa_erase(&legacy_parents, (unsigned long)dev);
		kfree(parent);
	}
	return ret;
}
EXPORT_SYMBOL(mdev_legacy_register_device);

/**
 * mdev_legacy_unregister_device() - undo mdev_legacy_register_device()
 * @dev: the same device.
 *
 * Context: as mdev_unregister_device().
 */
void mdev_legacy_unregister_device(struct device *dev)
{
	mdev_unregister_device(dev);
	kfree(xa_erase(&legacy_parents, (unsigned long)dev));
}
EXPORT_SYMBOL(mdev_legacy_unregister_device);

MODULE_DESCRIPTION("VFIO's interface of Linux 5.2 for drivers of mediated devices");
MODULE_AUTHOR("The mdev maintainers");
MODULE_LICENSE("GPL");
MODULE_VERSION(MDEV_VERSION);
