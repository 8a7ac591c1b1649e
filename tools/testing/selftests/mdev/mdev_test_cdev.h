/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VFIO device files (/dev/vfio/devices/) and iommufd. On failure the functions
 * return a negative errno.
 */
#ifndef MDEV_TEST_CDEV_H
#define MDEV_TEST_CDEV_H

#include <stdint.h>

#define NO_CDEV "this kernel has no VFIO_DEVICE_CDEV"

/* Open the device's file. -ENOTSUP if the kernel has no VFIO_DEVICE_CDEV. */
int cdev_open(const char *uuid);
int iommufd_open(void);

int cdev_bind(int device, int iommufd);
int cdev_attach(int device, int ioas);
int cdev_detach(int device);

/* Allocate an I/O address space. Returns its ID. */
int ioas_alloc(int iommufd);
int ioas_map(int iommufd, int ioas, void *memory, uint64_t iova, uint64_t size);
int ioas_unmap(int iommufd, int ioas, uint64_t iova, uint64_t size);

#endif /* MDEV_TEST_CDEV_H */
