/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VFIO_MDEV_H
#define _VFIO_MDEV_H

struct mdev_device;
struct mdev_parent_ops;
struct vfio_info_cap;
struct vfio_region_info;

/* vfio_mdev_region.c */
int vfio_mdev_region_info(struct mdev_device *mdev,
			  const struct mdev_parent_ops *ops,
			  struct vfio_region_info *info,
			  struct vfio_info_cap *caps);
long vfio_mdev_region_ioctl(struct mdev_device *mdev,
			    const struct mdev_parent_ops *ops,
			    void __user *arg);

#endif /* _VFIO_MDEV_H */
