/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests of the test devices' own, for the module and the test programs. */
#ifndef _MDEV_TEST_IOCTL_H
#define _MDEV_TEST_IOCTL_H

#include <linux/vfio.h>

/*
 * Pin the page at the I/O virtual address that the argument points to, a
 * __u64. Returns the page's first byte. It stays pinned until it is unmapped
 * or the device is closed.
 */
#define MDEV_TEST_PIN	_IO(VFIO_TYPE, VFIO_BASE + 100)

#endif /* _MDEV_TEST_IOCTL_H */
