// SPDX-License-Identifier: GPL-2.0-only
/* What vfio_mdev forwards to a parent's ops, and how it treats missing ops. */
#include <linux/vfio.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/mman.h>

#include "mdev_test_fixture.h"
#include "test_modules/mdev_test_ioctl.h"

DOOR_FIXTURE(forward)
ON_OPS_DOOR(forward);

#define IOVA 0x10000

static int pin(int device, __u64 iova)
{
	int ret = ioctl(device, MDEV_TEST_PIN, &iova);

	return ret < 0 ? -errno : ret;
}

static void *anonymous_page(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

TEST_F(forward, mmap_shows_what_write_wrote)
{
	char *page;

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
	ASSERT_EQ(4, pwrite(self->vfio.device, "mdev", 4, 8));
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
		    self->vfio.device, 0);
	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(0, memcmp(page + 8, "mdev", 4));
	munmap(page, 4096);
	/* The vendor's error is passed on, too. */
	ASSERT_EQ(MAP_FAILED, mmap(NULL, 8192, PROT_READ, MAP_SHARED,
				   self->vfio.device, 0));
	ASSERT_EQ(EINVAL, errno);
}

TEST_F(forward, open_and_release_are_of_the_first_and_the_last_user)
{
	struct event_log log;
	int second;

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
	second = vfio_user_get_device(&self->vfio, self->uuid);
	ASSERT_LE(0, second);
	close(second);
	ASSERT_EQ(0, log_read(&log));
	ASSERT_EQ(1, log_count(&log, "vendor", "open", self->uuid));
	ASSERT_EQ(0, log_count(&log, "vendor", "close", self->uuid));
	vfio_user_close(&self->vfio);
	ASSERT_EQ(0, log_read(&log));
	ASSERT_EQ(1, log_count(&log, "vendor", "close", self->uuid));
}

TEST_F(forward, unknown_ioctl_gets_the_vendors_answer)
{
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
	ASSERT_EQ(-1, ioctl(self->vfio.device, _IO(VFIO_TYPE, VFIO_BASE + 99)));
	ASSERT_EQ(ENOTTY, errno);
}

TEST_F(forward, vendor_pins_pages_through_the_vfio_device)
{
	char *page = anonymous_page();

	ASSERT_NE(MAP_FAILED, page);
	page[0] = 0x42;
	ASSERT_EQ(0, parent_restart(&self->p, "dma_unmap", 1));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
	ASSERT_GT(0, pin(self->vfio.device, IOVA));
	ASSERT_EQ(0, vfio_user_map(&self->vfio, page, IOVA, 4096));
	ASSERT_EQ(0x42, pin(self->vfio.device, IOVA));
}

TEST_F(forward, dma_unmap_tells_the_vendor_to_unpin)
{
	char *page = anonymous_page();
	struct event_log log;

	/*
	 * vfio_iommu_type1 takes its two locks in one order to register a
	 * device, and in the other when a vendor unpins here. Lockdep reports
	 * that once and then turns itself off.
	 */
	if (path_exists("/proc/lockdep"))
		SKIP(return, "lockdep would report vfio_iommu_type1's own locks");
	ASSERT_NE(MAP_FAILED, page);
	page[0] = 0x43;
	ASSERT_EQ(0, parent_restart(&self->p, "dma_unmap", 1));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
	ASSERT_EQ(0, vfio_user_map(&self->vfio, page, IOVA, 4096));
	ASSERT_EQ(0x43, pin(self->vfio.device, IOVA));
	/* VFIO waits for the unpin: returning proves that it happened. */
	ASSERT_EQ(0, vfio_user_unmap(&self->vfio, IOVA, 4096));
	ASSERT_EQ(0, log_read(&log));
	ASSERT_LE(1, log_count(&log, "vendor", "dma_unmap", self->uuid));
	ASSERT_GT(0, pin(self->vfio.device, IOVA));
}

TEST_F(forward, pinning_without_dma_unmap_op_is_refused)
{
	char *page = anonymous_page();

	ASSERT_NE(MAP_FAILED, page);
	page[0] = 0x44;
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
	ASSERT_EQ(0, vfio_user_map(&self->vfio, page, IOVA, 4096));
	ASSERT_GT(0, pin(self->vfio.device, IOVA));
}

TEST_F(forward, parent_without_optional_ops_is_opened_and_refuses_the_rest)
{
	char byte = 0;

	ASSERT_EQ(0, parent_restart(&self->p, "bare", 1));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
	ASSERT_EQ(1, mdev_number(self->uuid, "in_use"));
	ASSERT_EQ(-1, pread(self->vfio.device, &byte, 1, 0));
	ASSERT_EQ(EINVAL, errno);
	ASSERT_EQ(-1, pwrite(self->vfio.device, &byte, 1, 0));
	ASSERT_EQ(EINVAL, errno);
	ASSERT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED,
				   self->vfio.device, 0));
	ASSERT_EQ(EINVAL, errno);
	ASSERT_EQ(-EBUSY, mdev_remove(self->uuid));
	vfio_user_close(&self->vfio);
	ASSERT_EQ(0, mdev_remove(self->uuid));
}

TEST_F(forward, positive_result_of_open_is_no_file_descriptor)
{
	int kmsg = kmsg_open();

	ASSERT_LE(0, kmsg);
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, parent_set(&self->p, "open_error", STDERR_FILENO));
	ASSERT_EQ(-EINVAL, mdev_open(&self->vfio, self->uuid));
	ASSERT_TRUE(wait_until(kmsg_find(kmsg, "open returned 2", self->uuid),
			       SOON_MS));
	close(kmsg);
	ASSERT_EQ(0, mdev_number(self->uuid, "in_use"));
	ASSERT_EQ(0, parent_set(&self->p, "open_error", 0));
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
}

TEST_F(forward, positive_result_of_mmap_is_no_address)
{
	int kmsg = kmsg_open();
	void *map;

	ASSERT_LE(0, kmsg);
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
	ASSERT_EQ(0, parent_set(&self->p, "mmap_error", 4096));
	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->vfio.device, 0);
	ASSERT_EQ(MAP_FAILED, map);
	ASSERT_EQ(EINVAL, errno);
	ASSERT_TRUE(wait_until(kmsg_find(kmsg, "mmap returned 4096",
					 self->uuid), SOON_MS));
	close(kmsg);
	ASSERT_EQ(0, parent_set(&self->p, "mmap_error", 0));
	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->vfio.device, 0);
	ASSERT_NE(MAP_FAILED, map);
	munmap(map, 4096);
}

/* The region info and the capability that follows it. */
struct region {
	struct vfio_region_info info;
	struct vfio_info_cap_header cap;
};

#define ASSERT_REGION_IS_RIGHT()					\
do {									\
	struct region region_ = { .info = { .argsz = sizeof(region_) } }; \
	int device_ = self->vfio.device;				\
									\
	ASSERT_EQ(0, ioctl(device_, VFIO_DEVICE_GET_REGION_INFO, &region_)); \
	ASSERT_EQ(4096, region_.info.size);				\
	ASSERT_EQ(0, region_.info.offset);				\
	ASSERT_EQ(VFIO_REGION_INFO_FLAG_READ |				\
		  VFIO_REGION_INFO_FLAG_CAPS, region_.info.flags);	\
	ASSERT_EQ(sizeof(region_.info), region_.info.cap_offset);	\
	ASSERT_EQ(VFIO_REGION_INFO_CAP_MSIX_MAPPABLE, region_.cap.id);	\
	ASSERT_EQ(1, region_.cap.version);				\
	ASSERT_EQ(0, region_.cap.next);					\
	/* Truncated: the size needed, and no capability. */		\
	memset(&region_, 0, sizeof(region_));				\
	region_.info.argsz = sizeof(region_.info);			\
	ASSERT_EQ(0, ioctl(device_, VFIO_DEVICE_GET_REGION_INFO, &region_)); \
	ASSERT_EQ(sizeof(region_), region_.info.argsz);			\
	ASSERT_EQ(0, region_.info.cap_offset);				\
	ASSERT_EQ(0, region_.cap.id);					\
	region_.info.argsz = sizeof(region_.info) - 1;			\
	ASSERT_EQ(-1, ioctl(device_, VFIO_DEVICE_GET_REGION_INFO,	\
			    &region_));					\
	ASSERT_EQ(EINVAL, errno);					\
	region_.info.argsz = sizeof(region_);				\
	region_.info.index = 1;						\
	ASSERT_EQ(-1, ioctl(device_, VFIO_DEVICE_GET_REGION_INFO,	\
			    &region_));					\
	ASSERT_EQ(EINVAL, errno);					\
} while (0)

TEST_F(forward, region_info_with_capabilities_from_the_ioctl_op)
{
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
	ASSERT_REGION_IS_RIGHT();
}

TEST_F(forward, region_info_from_its_own_op_takes_no_memory_of_the_caller)
{
	struct rlimit none = { 0, RLIM_INFINITY };

	ASSERT_EQ(0, parent_restart(&self->p, "region_op", 1));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &none));
	ASSERT_REGION_IS_RIGHT();
	none.rlim_cur = RLIM_INFINITY;
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &none));
}

TEST_HARNESS_MAIN
