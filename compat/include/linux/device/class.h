/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _COMPAT_LINUX_DEVICE_CLASS_H
#define _COMPAT_LINUX_DEVICE_CLASS_H

#include_next <linux/device/class.h>
#include <linux/version.h>

/* Linux 6.4 took the owner out of class_create(). */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#undef class_create
#define class_create(name)				\
({							\
	static struct lock_class_key __key;		\
	__class_create(THIS_MODULE, name, &__key);	\
})
#endif

#endif /* _COMPAT_LINUX_DEVICE_CLASS_H */
