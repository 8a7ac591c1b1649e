// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that are opened by VFIO's own device files and an iommufd, as newer
 * users do, on kernels with VFIO_DEVICE_CDEV.
 */
#include <dirent.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "mdev_test_fixture.h"
#include "test_modules/mdev_test_ioctl.h"

DOOR_FIXTURE(cdev)
ON_DRIVER_DOOR(cdev);
ON_OPS_DOOR(cdev);

DOOR_FIXTURE(cdev_ops)
ON_OPS_DOOR(cdev_ops);

/* The headers of Debian 12 lack these. */
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
#define MAP_FIXED_RW	7	/* a fixed IOVA, readable and writable */

#define IOVA	0x100000
#define SIZE	4096

/* The device's file, opened; -ENOTSUP if this kernel has none. */
static int cdev_open(const char *uuid)
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

static int iommufd_open(void)
{
	int fd, ret = load_module("iommufd");

	if (ret)
		return ret;
	fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int cdev_bind(int device, int iommufd)
{
	struct bind_iommufd bind = {
		.argsz = sizeof(bind),
		.iommufd = iommufd,
	};

	return ioctl(device, BIND_IOMMUFD, &bind) ? -errno : 0;
}

/* A new IO address space with the page at @page mapped; its number. */
static int ioas_of_page(int iommufd, void *page)
{
	struct ioas_alloc alloc = { .size = sizeof(alloc) };
	struct ioas_map map = {
		.size = sizeof(map),
		.flags = MAP_FIXED_RW,
		.user_va = (uintptr_t)page,
		.length = SIZE,
		.iova = IOVA,
	};

	if (ioctl(iommufd, IOAS_ALLOC, &alloc))
		return -errno;
	map.ioas_id = alloc.out_ioas_id;
	if (ioctl(iommufd, IOAS_MAP, &map))
		return -errno;
	return alloc.out_ioas_id;
}

static bool works(int device)
{
	struct vfio_device_info info;

	return !vfio_user_device_info(device, &info);
}

/* Create a device with or without a request op; an open file of it, or -errno. */
static int start(const struct test_parent *p, int request_op, const char *uuid)
{
	int ret = parent_restart(p, "request_op", request_op);

	if (!ret)
		ret = parent_create(p, uuid);
	return ret ? ret : cdev_open(uuid);
}

#define NO_CDEV "this kernel has no VFIO_DEVICE_CDEV"

TEST_F(cdev, file_that_is_not_bound_holds_up_a_remove_and_is_no_use)
{
	struct actor remover;
	int device, kmsg;

	device = start(&self->p, 1, self->uuid);
	if (device == -ENOTSUP)
		SKIP(return, NO_CDEV);
	ASSERT_LE(0, device);
	ASSERT_EQ(0, mdev_number(self->uuid, "in_use"));
	kmsg = kmsg_open();
	ASSERT_LE(0, kmsg);
	ASSERT_EQ(0, actor_remove(&remover, self->uuid));
	ASSERT_TRUE(wait_until(kmsg_find(kmsg, self->uuid,
					 "device file that is not bound"),
			       SOON_MS));
	ASSERT_TRUE(actor_running(&remover));
	ASSERT_TRUE(mdev_complete(&self->p, self->uuid));
	/* The wait can be given up. */
	ASSERT_EQ(ACTOR_KILLED - SIGKILL,
		  actor_kill(&remover, SIGKILL, SOON_MS));
	ASSERT_TRUE(mdev_complete(&self->p, self->uuid));
	ASSERT_EQ(0, actor_remove(&remover, self->uuid));
	close(device);
	ASSERT_EQ(0, actor_wait(&remover, SOON_MS));
	ASSERT_FALSE(mdev_exists(self->uuid));
	close(kmsg);
}

TEST_F(cdev, file_makes_a_remove_busy_without_request_op)
{
	int device, iommufd;

	device = start(&self->p, 0, self->uuid);
	if (device == -ENOTSUP)
		SKIP(return, NO_CDEV);
	ASSERT_LE(0, device);
	ASSERT_EQ(-EBUSY, mdev_remove(self->uuid));
	iommufd = iommufd_open();
	ASSERT_LE(0, iommufd);
	ASSERT_EQ(0, cdev_bind(device, iommufd));
	ASSERT_EQ(-EBUSY, mdev_remove(self->uuid));
	ASSERT_TRUE(works(device));
	close(device);
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_FALSE(mdev_exists(self->uuid));
	close(iommufd);
}

TEST_F(cdev, bound_file_is_a_use_and_is_asked_for)
{
	int device, iommufd, kmsg;
	struct actor remover;

	device = start(&self->p, 1, self->uuid);
	if (device == -ENOTSUP)
		SKIP(return, NO_CDEV);
	ASSERT_LE(0, device);
	iommufd = iommufd_open();
	ASSERT_LE(0, iommufd);
	ASSERT_EQ(0, cdev_bind(device, iommufd));
	ASSERT_EQ(1, mdev_number(self->uuid, "in_use"));
	ASSERT_TRUE(works(device));
	kmsg = kmsg_open();
	ASSERT_LE(0, kmsg);
	ASSERT_EQ(0, actor_remove(&remover, self->uuid));
	ASSERT_TRUE(wait_until(parent_get(&self->p, "requests") >= 1,
			       SOON_MS));
	ASSERT_TRUE(wait_until(kmsg_find(kmsg, self->uuid,
					 "waiting for 1 open file"), SOON_MS));
	ASSERT_TRUE(works(device));
	close(device);
	ASSERT_EQ(0, actor_wait(&remover, SOON_MS));
	ASSERT_FALSE(mdev_exists(self->uuid));
	close(iommufd);
	close(kmsg);
}

TEST_F(cdev_ops, bind_is_refused_while_remove_waits)
{
	struct actor remover;
	int device, iommufd;

	device = start(&self->p, 1, self->uuid);
	if (device == -ENOTSUP)
		SKIP(return, NO_CDEV);
	ASSERT_LE(0, device);
	iommufd = iommufd_open();
	ASSERT_LE(0, iommufd);
	ASSERT_EQ(0, actor_remove(&remover, self->uuid));
	ASSERT_TRUE(wait_until(parent_get(&self->p, "requests") >= 1,
			       SOON_MS));
	ASSERT_EQ(-ENODEV, cdev_bind(device, iommufd));
	ASSERT_EQ(0, mdev_number(self->uuid, "in_use"));
	close(device);
	ASSERT_EQ(0, actor_wait(&remover, SOON_MS));
	close(iommufd);
}

TEST_F(cdev, unregister_waits_for_files_bound_or_not)
{
	int first, second, iommufd, kmsg;
	char other[UUID_SIZE];
	struct actor unreg;

	first = start(&self->p, 1, self->uuid);
	if (first == -ENOTSUP)
		SKIP(return, NO_CDEV);
	ASSERT_LE(0, first);
	iommufd = iommufd_open();
	ASSERT_LE(0, iommufd);
	ASSERT_EQ(0, cdev_bind(first, iommufd));
	random_uuid(other);
	ASSERT_EQ(0, parent_create(&self->p, other));
	second = cdev_open(other);
	ASSERT_LE(0, second);
	kmsg = kmsg_open();
	ASSERT_LE(0, kmsg);
	ASSERT_EQ(0, actor_unregister(&unreg, &self->p));
	ASSERT_TRUE(wait_until(kmsg_find(kmsg, other,
					 "device file that is not bound"),
			       SOON_MS));
	close(first);
	ASSERT_TRUE(wait_until(!mdev_exists(self->uuid), SOON_MS));
	ASSERT_TRUE(actor_running(&unreg));
	close(second);
	ASSERT_EQ(0, actor_wait(&unreg, SOON_MS));
	close(iommufd);
	close(kmsg);
}

/* Attaching to an IO address space, and detaching, change no promise. */
TEST_F(cdev_ops, attached_device_pins_is_told_of_an_unmap_and_can_be_removed)
{
	struct attach_iommufd_pt attach = { .argsz = sizeof(attach) };
	struct detach_iommufd_pt detach = { .argsz = sizeof(detach) };
	struct ioas_unmap unmap = {
		.size = sizeof(unmap),
		.iova = IOVA,
		.length = SIZE,
	};
	__u64 iova = IOVA;
	struct event_log log;
	int device, iommufd;
	char *page;

	page = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, page);
	page[0] = 0x42;
	ASSERT_EQ(0, parent_set(&self->p, "dma_unmap", 1));
	device = start(&self->p, 1, self->uuid);
	if (device == -ENOTSUP)
		SKIP(return, NO_CDEV);
	ASSERT_LE(0, device);
	iommufd = iommufd_open();
	ASSERT_LE(0, iommufd);
	ASSERT_EQ(0, cdev_bind(device, iommufd));
	attach.pt_id = ioas_of_page(iommufd, page);
	ASSERT_LT(0, (int)attach.pt_id);
	unmap.ioas_id = attach.pt_id;
	ASSERT_EQ(0, ioctl(device, ATTACH_PT, &attach));
	ASSERT_EQ(0x42, ioctl(device, MDEV_TEST_PIN, &iova));
	ASSERT_EQ(0, ioctl(iommufd, IOAS_UNMAP, &unmap));
	ASSERT_EQ(0, log_read(&log));
	ASSERT_LE(1, log_count(&log, "vendor", "dma_unmap", self->uuid));
	ASSERT_EQ(1, mdev_number(self->uuid, "in_use"));
	ASSERT_EQ(0, ioctl(device, DETACH_PT, &detach));
	ASSERT_EQ(1, mdev_number(self->uuid, "in_use"));
	ASSERT_EQ(0, ioctl(device, ATTACH_PT, &attach));
	close(device);
	ASSERT_EQ(0, mdev_number(self->uuid, "in_use"));
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_FALSE(mdev_exists(self->uuid));
	close(iommufd);
}

TEST_HARNESS_MAIN
