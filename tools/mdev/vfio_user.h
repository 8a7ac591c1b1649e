/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A mediated device, opened through VFIO by its UUID.
 *
 * Nothing here prints or exits. Functions return 0 (or the number documented) or a
 * negative errno. "device" is a VFIO device file descriptor: the one in struct
 * vfio_user, or another one.
 */
#ifndef VFIO_MDEV_VFIO_USER_H
#define VFIO_MDEV_VFIO_USER_H

#include <linux/vfio.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct vfio_user - the open files of one mediated device
 * @container: /dev/vfio/vfio, or -1.
 * @group: /dev/vfio/N, or -1.
 * @device: the device, or -1.
 * @group_id: N.
 * @iommu_type: the IOMMU model that the container uses.
 * @step: the step at which the last call failed, for an error message.
 */
struct vfio_user {
	int container;
	int group;
	int device;
	unsigned int group_id;
	int iommu_type;
	const char *step;
};

/* Make every vfio_user_close*() a no-op. The open functions do it, too. */
void vfio_user_init(struct vfio_user *vfio);

/*
 * Open container, group and device, or nothing on failure. The module
 * vfio_iommu_type1 must be loaded.
 */
int vfio_user_open(struct vfio_user *vfio, const char *uuid);

/* The first half: open and join container and group, and set an IOMMU model. */
int vfio_user_open_group(struct vfio_user *vfio, const char *uuid);

/*
 * Open a device of an open group. Returns a new file descriptor, owned by the
 * caller. May be called repeatedly.
 */
int vfio_user_get_device(const struct vfio_user *vfio, const char *uuid);

/* Parts may be closed alone and in any order; closing twice is a no-op. */
void vfio_user_close_device(struct vfio_user *vfio);
void vfio_user_close_group(struct vfio_user *vfio);
void vfio_user_close_container(struct vfio_user *vfio);
void vfio_user_close(struct vfio_user *vfio);

/*
 * Map @size bytes of page-aligned @memory at @iova of the device's IOVA space, for
 * reading and writing; unmap them.
 */
int vfio_user_map(const struct vfio_user *vfio, void *memory, uint64_t iova,
		  uint64_t size);
int vfio_user_unmap(const struct vfio_user *vfio, uint64_t iova, uint64_t size);

/* Get the number N of the device's /dev/vfio/N. */
int vfio_user_group_id(const char *uuid, unsigned int *id);

/* Each sets argsz (and index) itself. */
int vfio_user_device_info(int device, struct vfio_device_info *info);
int vfio_user_region_info(int device, uint32_t index,
			  struct vfio_region_info *info);
int vfio_user_irq_info(int device, uint32_t index, struct vfio_irq_info *info);
int vfio_user_reset(int device);

/*
 * One pread()/pwrite() of @count bytes at @offset of region @index. The kernel
 * checks the bounds. Returns the number of bytes, which may be short.
 */
ssize_t vfio_user_region_read(int device, uint32_t index, uint64_t offset,
			      void *buf, size_t count);
ssize_t vfio_user_region_write(int device, uint32_t index, uint64_t offset,
			       const void *buf, size_t count);

/* Little-endian registers. A short access is -EIO. */
int vfio_user_read8(int device, uint32_t index, uint64_t offset, uint8_t *val);
int vfio_user_read16(int device, uint32_t index, uint64_t offset,
		     uint16_t *val);
int vfio_user_read32(int device, uint32_t index, uint64_t offset,
		     uint32_t *val);
int vfio_user_write8(int device, uint32_t index, uint64_t offset, uint8_t val);
int vfio_user_write16(int device, uint32_t index, uint64_t offset,
		      uint16_t val);
int vfio_user_write32(int device, uint32_t index, uint64_t offset,
		      uint32_t val);

/*
 * VFIO_DEVICE_SET_IRQS. @flags is passed unchanged; @size bytes of @data follow
 * the header. The shorthands below take one VFIO_IRQ_SET_ACTION_*; an @fds entry
 * of -1 removes the eventfd.
 */
int vfio_user_set_irqs(int device, uint32_t index, uint32_t flags,
		       uint32_t start, uint32_t count, const void *data,
		       size_t size);
int vfio_user_irq_none(int device, uint32_t index, uint32_t action,
		       uint32_t start, uint32_t count);
int vfio_user_irq_bools(int device, uint32_t index, uint32_t action,
			uint32_t start, uint32_t count, const uint8_t *bools);
int vfio_user_irq_eventfds(int device, uint32_t index, uint32_t action,
			   uint32_t start, uint32_t count, const int *fds);
int vfio_user_irq_eventfd(int device, uint32_t index, uint32_t action, int fd);
/* Tear down the index: DATA_NONE | ACTION_TRIGGER with a count of 0. */
int vfio_user_irq_disable(int device, uint32_t index);

/* Create a non-blocking eventfd with a count of 0; the caller closes it. */
int vfio_user_eventfd(void);
/*
 * Read the count of a non-blocking eventfd, waiting up to @timeout_ms (0: don't
 * wait; -1: no limit). -ETIMEDOUT on a timeout, -EINTR on a signal. @count may be
 * NULL.
 */
int vfio_user_eventfd_wait(int fd, int timeout_ms, uint64_t *count);

#endif /* VFIO_MDEV_VFIO_USER_H */
