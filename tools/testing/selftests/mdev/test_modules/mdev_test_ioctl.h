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

/*
 * The driver for Linux 5.2 pins the pages of an array at once; unpinning returns
 * how many were. What read() and write() find at MDEV_TEST_MEMORY plus an address is
 * the memory that is pinned there.
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
