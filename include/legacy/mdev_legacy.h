/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interface of vfio_mdev_legacy.ko. The headers in linux/ rename the calls of a
 * vendor driver for Linux 5.1 to 5.12 to these functions.
 */
#ifndef _LEGACY_MDEV_LEGACY_H
#define _LEGACY_MDEV_LEGACY_H

#include <linux/bits.h>
#include <linux/device.h>
#include <linux/notifier.h>

struct mdev_parent_ops;

/**
 * enum vfio_notify_type - what a notifier block is registered for
 * @VFIO_IOMMU_NOTIFY: VFIO_IOMMU_NOTIFY_DMA_UNMAP, with a pointer to a struct
 *	vfio_iommu_type1_dma_unmap: the user unmaps @size bytes of IOVA space at
 *	@iova, so unpin what is pinned there.
 * @VFIO_GROUP_NOTIFY: VFIO_GROUP_NOTIFY_SET_KVM, with a pointer to the struct kvm
 *	of the user that is opening the device.
 */
enum vfio_notify_type {
	VFIO_IOMMU_NOTIFY = 0,
	VFIO_GROUP_NOTIFY = 1,
};

#define VFIO_IOMMU_NOTIFY_DMA_UNMAP	BIT(0)
#define VFIO_GROUP_NOTIFY_SET_KVM	BIT(0)

int mdev_legacy_register_device(struct device *dev,
				const struct mdev_parent_ops *ops);
void mdev_legacy_unregister_device(struct device *dev);

int mdev_legacy_pin_pages(struct device *dev, unsigned long *user_pfn,
			  int npage, int prot, unsigned long *phys_pfn);
int mdev_legacy_unpin_pages(struct device *dev, unsigned long *user_pfn,
			    int npage);
int mdev_legacy_register_notifier(struct device *dev,
				  enum vfio_notify_type type,
				  unsigned long *events,
				  struct notifier_block *nb);
int mdev_legacy_unregister_notifier(struct device *dev,
				    enum vfio_notify_type type,
				    struct notifier_block *nb);

#endif /* _LEGACY_MDEV_LEGACY_H */
