/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _COMPAT_LINUX_VFIO_H
#define _COMPAT_LINUX_VFIO_H

#include_next <linux/vfio.h>
#include <linux/version.h>

/*
 * What struct vfio_device_ops of an emulated device needs besides its own
 * callbacks. Linux 6.2 brought iommufd, 6.6 detach_ioas.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define VFIO_EMULATED_IOMMU_OPS
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define VFIO_EMULATED_IOMMU_OPS \
	.bind_iommufd = vfio_iommufd_emulated_bind, \
	.unbind_iommufd = vfio_iommufd_emulated_unbind, \
	.attach_ioas = vfio_iommufd_emulated_attach_ioas,
#else
#define VFIO_EMULATED_IOMMU_OPS \
	.bind_iommufd = vfio_iommufd_emulated_bind, \
	.unbind_iommufd = vfio_iommufd_emulated_unbind, \
	.attach_ioas = vfio_iommufd_emulated_attach_ioas, \
	.detach_ioas = vfio_iommufd_emulated_detach_ioas,
#endif

/* To be called by the release callback. Linux 6.2 frees the device itself. */
static inline void vfio_release_done(struct vfio_device *vdev)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
	vfio_free_device(vdev);
#endif
}

/*
 * Linux 6.19 took VFIO_DEVICE_GET_REGION_INFO out of the ioctl callback and
 * asks with kernel pointers.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define VFIO_REGION_INFO_OPS(_op)
#else
#define VFIO_REGION_INFO_OPS(_op) \
	.get_region_info_caps = _op,
#endif

#endif /* _COMPAT_LINUX_VFIO_H */
