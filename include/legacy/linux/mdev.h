/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * <linux/mdev.h> for vendor source written for Linux 5.1 to 5.12: the kernel's
 * own header and the parent-ops door. Ask for it with one -I before the
 * kernel's include path; drivers of today's interface do not want it.
 */
#ifndef _LEGACY_LINUX_MDEV_H
#define _LEGACY_LINUX_MDEV_H

#include_next <linux/mdev.h>
#include "../../linux/mdev_parent_ops.h"
#include "../mdev_legacy.h"

#define mdev_register_device	mdev_legacy_register_device
#define mdev_unregister_device	mdev_legacy_unregister_device

#endif /* _LEGACY_LINUX_MDEV_H */
