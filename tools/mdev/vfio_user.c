// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mediated device, opened through VFIO by its UUID.
 */
#include "vfio_user.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MDEV_DEVICES "/sys/bus/mdev/devices"
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void vfio_user_init(struct vfio_user *vfio)
{
	memset(vfio, 0, sizeof(*vfio));
	vfio->container = -1;
	vfio->group = -1;
	vfio->device = -1;
	vfio->step = "";
}

void vfio_user_close_device(struct vfio_user *vfio)
{
	close_fd(&vfio->device);
}

void vfio_user_close_group(struct vfio_user *vfio)
{
	close_fd(&vfio->group);
}

void vfio_user_close_container(struct vfio_user *vfio)
{
	close_fd(&vfio->container);
}

void vfio_user_close(struct vfio_user *vfio)
{
	vfio_user_close_device(vfio);
	vfio_user_close_group(vfio);
	vfio_user_close_container(vfio);
}

int vfio_user_map(const struct vfio_user *vfio, void *memory, uint64_t iova,
		  uint64_t size)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)memory,
		.iova = iova,
		.size = size,
	};

	return ioctl(vfio->container, VFIO_IOMMU_MAP_DMA, &map) ? -errno : 0;
}

int vfio_user_unmap(const struct vfio_user *vfio, uint64_t iova, uint64_t size)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = iova,
		.size = size,
	};

	return ioctl(vfio->container, VFIO_IOMMU_UNMAP_DMA, &unmap) ? -errno : 0;
}

int vfio_user_group_id(const char *uuid, unsigned int *id)
{
	char path[PATH_MAX], target[PATH_MAX], *name, *end;
	unsigned long value;
	ssize_t len;

	len = snprintf(path, sizeof(path), MDEV_DEVICES "/%s/iommu_group", uuid);
	if (len < 0 || (size_t)len >= sizeof(path))
		return -ENAMETOOLONG;

	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return -errno;
	target[len] = '\0';

	name = strrchr(target, '/');
	if (!name || !name[1])
		return -ENODEV;
	errno = 0;
	value = strtoul(name + 1, &end, 10);
	if (errno || *end || value > UINT_MAX)
		return -ENODEV;

	*id = value;
	return 0;
}

static int open_container(struct vfio_user *vfio)
{
	int version;

	vfio->step = "open /dev/vfio/vfio";
	vfio->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (vfio->container < 0)
		return -errno;

	vfio->step = "ask for the version of the VFIO interface";
	version = ioctl(vfio->container, VFIO_GET_API_VERSION);
	if (version < 0)
		return -errno;
	if (version != VFIO_API_VERSION)
		return -EPROTONOSUPPORT;
	return 0;
}

static int open_group(struct vfio_user *vfio, const char *uuid)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[64];
	int ret;

	vfio->step = "find the mediated device and its IOMMU group";
	ret = vfio_user_group_id(uuid, &vfio->group_id);
	if (ret)
		return ret;

	vfio->step = "open the group in /dev/vfio";
	snprintf(path, sizeof(path), "/dev/vfio/%u", vfio->group_id);
	vfio->group = open(path, O_RDWR | O_CLOEXEC);
	if (vfio->group < 0)
		return -errno;

	vfio->step = "ask for the group's status";
	if (ioctl(vfio->group, VFIO_GROUP_GET_STATUS, &status))
		return -errno;
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return -EPERM;
	return 0;
}

static int attach(struct vfio_user *vfio)
{
	static const int types[] = { VFIO_TYPE1v2_IOMMU, VFIO_TYPE1_IOMMU };
	size_t i;

	vfio->step = "join the group to the container";
	if (ioctl(vfio->group, VFIO_GROUP_SET_CONTAINER, &vfio->container))
		return -errno;

	vfio->step = "set the IOMMU model (is vfio_iommu_type1 loaded?)";
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		if (ioctl(vfio->container, VFIO_CHECK_EXTENSION, types[i]) <= 0)
			continue;
		if (ioctl(vfio->container, VFIO_SET_IOMMU, types[i]))
			return -errno;
		vfio->iommu_type = types[i];
		return 0;
	}
	return -ENODEV;
}

int vfio_user_open_group(struct vfio_user *vfio, const char *uuid)
{
	int ret;

	vfio_user_init(vfio);
	ret = open_group(vfio, uuid);
	if (!ret)
		ret = open_container(vfio);
	if (!ret)
		ret = attach(vfio);
	if (ret)
		vfio_user_close(vfio);
	return ret;
}

int vfio_user_get_device(const struct vfio_user *vfio, const char *uuid)
{
	int fd = ioctl(vfio->group, VFIO_GROUP_GET_DEVICE_FD, uuid);

	return fd < 0 ? -errno : fd;
}

int vfio_user_open(struct vfio_user *vfio, const char *uuid)
{
	int ret;

	ret = vfio_user_open_group(vfio, uuid);
	if (ret)
		return ret;

	vfio->step = "get the device from its group";
	ret = vfio_user_get_device(vfio, uuid);
	if (ret < 0) {
		vfio_user_close(vfio);
		return ret;
	}
	vfio->device = ret;
	return 0;
}

int vfio_user_device_info(int device, struct vfio_device_info *info)
{
	memset(info, 0, sizeof(*info));
	info->argsz = sizeof(*info);
	return ioctl(device, VFIO_DEVICE_GET_INFO, info) ? -errno : 0;
}

int vfio_user_region_info(int device, uint32_t index,
			  struct vfio_region_info *info)
{
	memset(info, 0, sizeof(*info));
	info->argsz = sizeof(*info);
	info->index = index;
	return ioctl(device, VFIO_DEVICE_GET_REGION_INFO, info) ? -errno : 0;
}

int vfio_user_irq_info(int device, uint32_t index, struct vfio_irq_info *info)
{
	memset(info, 0, sizeof(*info));
	info->argsz = sizeof(*info);
	info->index = index;
	return ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, info) ? -errno : 0;
}

int vfio_user_reset(int device)
{
	return ioctl(device, VFIO_DEVICE_RESET) ? -errno : 0;
}

ssize_t vfio_user_region_read(int device, uint32_t index, uint64_t offset,
			      void *buf, size_t count)
{
	struct vfio_region_info info;
	ssize_t done;
	int ret;

	ret = vfio_user_region_info(device, index, &info);
	if (ret)
		return ret;
	done = pread(device, buf, count, info.offset + offset);
	return done < 0 ? -errno : done;
}

ssize_t vfio_user_region_write(int device, uint32_t index, uint64_t offset,
			       const void *buf, size_t count)
{
	struct vfio_region_info info;
	ssize_t done;
	int ret;

	ret = vfio_user_region_info(device, index, &info);
	if (ret)
		return ret;
	done = pwrite(device, buf, count, info.offset + offset);
	return done < 0 ? -errno : done;
}

/* A short access to a register is an error. */
static int whole(ssize_t done, size_t count)
{
	if (done < 0)
		return done;
	return (size_t)done == count ? 0 : -EIO;
}

int vfio_user_read8(int device, uint32_t index, uint64_t offset, uint8_t *val)
{
	return whole(vfio_user_region_read(device, index, offset, val, 1), 1);
}

int vfio_user_read16(int device, uint32_t index, uint64_t offset,
		     uint16_t *val)
{
	uint16_t raw = 0;
	int ret;

	ret = whole(vfio_user_region_read(device, index, offset, &raw, 2), 2);
	*val = le16toh(raw);
	return ret;
}

int vfio_user_read32(int device, uint32_t index, uint64_t offset,
		     uint32_t *val)
{
	uint32_t raw = 0;
	int ret;

	ret = whole(vfio_user_region_read(device, index, offset, &raw, 4), 4);
	*val = le32toh(raw);
	return ret;
}

int vfio_user_write8(int device, uint32_t index, uint64_t offset, uint8_t val)
{
	return whole(vfio_user_region_write(device, index, offset, &val, 1), 1);
}

int vfio_user_write16(int device, uint32_t index, uint64_t offset,
		      uint16_t val)
{
	uint16_t raw = htole16(val);

	return whole(vfio_user_region_write(device, index, offset, &raw, 2), 2);
}

int vfio_user_write32(int device, uint32_t index, uint64_t offset,
		      uint32_t val)
{
	uint32_t raw = htole32(val);

	return whole(vfio_user_region_write(device, index, offset, &raw, 4), 4);
}

int vfio_user_set_irqs(int device, uint32_t index, uint32_t flags,
		       uint32_t start, uint32_t count, const void *data,
		       size_t size)
{
	struct vfio_irq_set *set;
	int ret;

	set = calloc(1, sizeof(*set) + size);
	if (!set)
		return -ENOMEM;
	set->argsz = sizeof(*set) + size;
	set->flags = flags;
	set->index = index;
	set->start = start;
	set->count = count;
	if (size)
		memcpy(set->data, data, size);

	ret = ioctl(device, VFIO_DEVICE_SET_IRQS, set) ? -errno : 0;
	free(set);
	return ret;
}

int vfio_user_irq_none(int device, uint32_t index, uint32_t action,
		       uint32_t start, uint32_t count)
{
	return vfio_user_set_irqs(device, index,
				  VFIO_IRQ_SET_DATA_NONE | action, start,
				  count, NULL, 0);
}

int vfio_user_irq_bools(int device, uint32_t index, uint32_t action,
			uint32_t start, uint32_t count, const uint8_t *bools)
{
	return vfio_user_set_irqs(device, index,
				  VFIO_IRQ_SET_DATA_BOOL | action, start,
				  count, bools, count * sizeof(*bools));
}

int vfio_user_irq_eventfds(int device, uint32_t index, uint32_t action,
			   uint32_t start, uint32_t count, const int *fds)
{
	return vfio_user_set_irqs(device, index,
				  VFIO_IRQ_SET_DATA_EVENTFD | action, start,
				  count, fds, count * sizeof(*fds));
}

int vfio_user_irq_eventfd(int device, uint32_t index, uint32_t action, int fd)
{
	return vfio_user_irq_eventfds(device, index, action, 0, 1, &fd);
}

int vfio_user_irq_disable(int device, uint32_t index)
{
	return vfio_user_irq_none(device, index, VFIO_IRQ_SET_ACTION_TRIGGER, 0,
				  0);
}

int vfio_user_eventfd(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

int vfio_user_eventfd_wait(int fd, int timeout_ms, uint64_t *count)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uint64_t value;
	int ret;

	ret = poll(&pfd, 1, timeout_ms);
	if (ret < 0)
		return -errno;
	if (ret == 0)
		return -ETIMEDOUT;
	if (pfd.revents & POLLNVAL)
		return -EBADF;
	if (read(fd, &value, sizeof(value)) != sizeof(value))
		return -errno;
	if (count)
		*count = value;
	return 0;
}
