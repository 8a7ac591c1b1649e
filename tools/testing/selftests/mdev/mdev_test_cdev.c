// SPDX-License-Identifier: GPL-2.0-only
#include "mdev_test_cdev.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/types.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "mdev_test_lib.h"

/* Missing from Debian 12's headers. */
struct bind_iommufd {
	__u32 argsz;
	__u32 flags;
	__s32 iommufd;
	__u32 out_devid;
};

struct attach_iommufd_pt {
	__u32 argsz;
	__u32 flags;
	__u32 pt_id;
};

struct detach_iommufd_pt {
	__u32 argsz;
	__u32 flags;
};

struct ioas_alloc {
	__u32 size;
	__u32 flags;
	__u32 out_ioas_id;
};

struct ioas_map {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__u32 reserved;
	__u64 user_va;
	__u64 length;
	__u64 iova;
};

struct ioas_unmap {
	__u32 size;
	__u32 ioas_id;
	__u64 iova;
	__u64 length;
};

#define BIND_IOMMUFD	_IO(VFIO_TYPE, VFIO_BASE + 18)
#define ATTACH_PT	_IO(VFIO_TYPE, VFIO_BASE + 19)
#define DETACH_PT	_IO(VFIO_TYPE, VFIO_BASE + 20)
#define IOAS_ALLOC	_IO(';', 0x81)
#define IOAS_MAP	_IO(';', 0x85)
#define IOAS_UNMAP	_IO(';', 0x86)
#define MAP_FIXED_RW	7	/* fixed IOVA, readable and writable */

int cdev_open(const char *uuid)
{
	char path[PATH_MAX];
	struct dirent *entry;
	int fd = -ENOTSUP;
	DIR *dir;

	if (!path_exists("/dev/vfio/devices"))
		return -ENOTSUP;
	mdev_path(path, uuid, "vfio-dev");
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, "vfio", 4))
			continue;
		snprintf(path, sizeof(path), "/dev/vfio/devices/%s",
			 entry->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
	}
	closedir(dir);
	return fd;
}

int iommufd_open(void)
{
	int fd, ret = load_module("iommufd");

	if (ret)
		return ret;
	fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int cdev_bind(int device, int iommufd)
{
	struct bind_iommufd bind = {
		.argsz = sizeof(bind),
		.iommufd = iommufd,
	};

	return ioctl(device, BIND_IOMMUFD, &bind) ? -errno : 0;
}

int cdev_attach(int device, int ioas)
{
	struct attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
		.pt_id = ioas,
	};

	return ioctl(device, ATTACH_PT, &attach) ? -errno : 0;
}

int cdev_detach(int device)
{
	struct detach_iommufd_pt detach = { .argsz = sizeof(detach) };

	return ioctl(device, DETACH_PT, &detach) ? -errno : 0;
}

int ioas_alloc(int iommufd)
{
	struct ioas_alloc alloc = { .size = sizeof(alloc) };

	return ioctl(iommufd, IOAS_ALLOC, &alloc) ? -errno :
						    (int)alloc.out_ioas_id;
}

int ioas_map(int iommufd, int ioas, void *memory, uint64_t iova, uint64_t size)
{
	struct ioas_map map = {
		.size = sizeof(map),
		.flags = MAP_FIXED_RW,
		.ioas_id = ioas,
		.user_va = (uintptr_t)memory,
		.length = size,
		.iova = iova,
	};

	return ioctl(iommufd, IOAS_MAP, &map) ? -errno : 0;
}

int ioas_unmap(int iommufd, int ioas, uint64_t iova, uint64_t size)
{
	struct ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = ioas,
		.iova = iova,
		.length = size,
	};

	return ioctl(iommufd, IOAS_UNMAP, &unmap) ? -errno : 0;
}
