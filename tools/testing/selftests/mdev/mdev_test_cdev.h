/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VFIO's own device files, and iommufds. The functions return 0 or what they say,
 * and a negative errno otherwise.
 */
#ifndef MDEV_TEST_CDEV_H
#define MDEV_TEST_CDEV_H

#include <stdint.h>

#define NO_CDEV "this kernel has no VFIO_DEVICE_CDEV"

/* The device's file, opened; -ENOTSUP if this kernel has none. */
int cdev_open(const char *uuid);
int iommufd_open(void);

int cdev_bind(int device, int iommufd);
int cdev_attach(int device, int ioas);
int cdev_detach(int device);

/* The number of a new I/O address space. */
int ioas_alloc(int iommufd);
int ioas_map(int iommufd, int ioas, void *memory, uint64_t iova, uint64_t size);
int ioas_unmap(int iommufd, int ioas, uint64_t iova, uint64_t size);

#endif /* MDEV_TEST_CDEV_H */
