/* SPDX-License-Identifier: GPL-2.0-only */
/* ioctls of the test devices, shared by the modules and the test programs. */
#ifndef _MDEV_TEST_IOCTL_H
#define _MDEV_TEST_IOCTL_H

#include <linux/vfio.h>

/*
 * Pin the page at an I/O virtual address. The argument points to the address, a
 * __u64. Returns the page's first byte. The page stays pinned until it is
 * unmapped or the device is closed.
 */
#define MDEV_TEST_PIN	_IO(VFIO_TYPE, VFIO_BASE + 100)

/*
 * The driver for Linux 5.2 pins an array of pages at once. Unpinning returns
 * the number of pages unpinned. read() and write() at MDEV_TEST_MEMORY plus an I/O
 * virtual address access the memory pinned there.
 */
#define MDEV_TEST_PIN_ALL	_IO(VFIO_TYPE, VFIO_BASE + 101)
#define MDEV_TEST_UNPIN_ALL	_IO(VFIO_TYPE, VFIO_BASE + 102)

#define MDEV_TEST_PINS		8
#define MDEV_TEST_MEMORY	0x10000000000ULL

struct mdev_test_pins {
	__u32 count;
	__u32 reserved;
	__u64 iova[MDEV_TEST_PINS];
};

#endif /* _MDEV_TEST_IOCTL_H */
