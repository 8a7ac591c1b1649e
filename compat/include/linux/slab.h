/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _COMPAT_LINUX_SLAB_H
#define _COMPAT_LINUX_SLAB_H

#include_next <linux/slab.h>
#include <linux/version.h>

/*
 * Linux 7.0 brought allocation of an object of the pointer's type. Stable series take
 * it over.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
#ifndef kzalloc_obj
#define kmalloc_obj(obj) kmalloc(sizeof(obj), GFP_KERNEL)
#define kzalloc_obj(obj) kzalloc(sizeof(obj), GFP_KERNEL)
#endif
#endif

#endif /* _COMPAT_LINUX_SLAB_H */
