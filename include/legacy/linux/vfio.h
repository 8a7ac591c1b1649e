/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * <linux/vfio.h> for the same source: the kernel's own header, with the functions
 * that pin pages as they were, and with notifiers.
 */
#ifndef _LEGACY_LINUX_VFIO_H
#define _LEGACY_LINUX_VFIO_H

#include_next <linux/vfio.h>
#include "../mdev_legacy.h"

#define vfio_pin_pages			mdev_legacy_pin_pages
#define vfio_unpin_pages		mdev_legacy_unpin_pages
#define vfio_register_notifier		mdev_legacy_register_notifier
#define vfio_unregister_notifier	mdev_legacy_unregister_notifier

#endif /* _LEGACY_LINUX_VFIO_H */
