/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _COMPAT_LINUX_DEVICE_H
#define _COMPAT_LINUX_DEVICE_H

#include_next <linux/device.h>
#include <linux/version.h>

/* Linux 6.11 made the driver that bus_type.match looks at const. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
#define bus_match_const
#else
#define bus_match_const const
#endif

/* Linux 6.14 took the unused second device out of the two link functions. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
#define class_compat_create_link(cls, dev) \
	class_compat_create_link(cls, dev, NULL)
#define class_compat_remove_link(cls, dev) \
	class_compat_remove_link(cls, dev, NULL)
#endif

#endif /* _COMPAT_LINUX_DEVICE_H */
