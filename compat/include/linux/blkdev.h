/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _COMPAT_LINUX_BLKDEV_H
#define _COMPAT_LINUX_BLKDEV_H

#include_next <linux/blkdev.h>
#include <linux/version.h>

/* Linux 6.17 brought this limit. There it has to equal max_write_zeroes_sectors. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define max_hw_wzeroes_unmap_sectors max_write_zeroes_sectors
#endif

#endif /* _COMPAT_LINUX_BLKDEV_H */
