// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices opened through VFIO's own device files and an iommufd, as newer users
 * do, on kernels with VFIO_DEVICE_CDEV.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "mdev_test_cdev.h"
#include "mdev_test_fixture.h"
#include "test_modules/mdev_test_ioctl.h"

DOOR_FIXTURE(cdev)
ON_DRIVER_DOOR(cdev);
ON_OPS_DOOR(cdev);

DOOR_FIXTURE(cdev_ops)
ON_OPS_DOOR(cdev_ops);

#define IOVA	0x100000
#define SIZE	4096

static bool works(int device)
{
	struct vfio_device_info info;

	return !vfio_user_device_info(device, &info);
}

/* Create and open a device. Returns its file or -errno. */
static int start(const struct test_parent *p, int request_op, const char *uuid)
{
	int ret = parent_restart(p, "request_op", request_op);

	if (!ret)
		ret = parent_create(p, uuid);
	return ret ? ret : cdev_open(uuid);
}

/* Skips the case on kernels without VFIO_DEVICE_CDEV. */
#define START(_request_op)						\
({									\
	int fd_ = start(&self->p, _request_op, self->uuid);		\
									\
	if (fd_ == -ENOTSUP)						\
		SKIP(return, NO_CDEV);					\
	ASSERT_LE(0, fd_);						\
	fd_;								\
})

TEST_F(cdev, file_that_is_not_bound_holds_up_a_remove_and_is_no_use)
{
	struct actor remover;
	int device, kmsg;

	device = START(1);
	ASSERT_EQ(0, mdev_number(self->uuid, "in_use"));
	kmsg = kmsg_open();
	ASSERT_LE(0, kmsg);
	ASSERT_EQ(0, actor_remove(&remover, self->uuid));
	ASSERT_TRUE(wait_until(kmsg_find(kmsg, self->uuid,
					 "device file that is not bound"),
			       SOON_MS));
	ASSERT_TRUE(actor_running(&remover));
	ASSERT_TRUE(mdev_complete(&self->p, self->uuid));
	/* The wait is killable. */
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

	device = START(0);
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

	device = START(1);
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

	device = START(1);
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

	first = START(1);
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

/* Attaching to an IO address space and detaching change no guarantee. */
TEST_F(cdev_ops, attached_device_pins_is_told_of_an_unmap_and_can_be_removed)
{
	int device, iommufd, ioas;
	__u64 iova = IOVA;
	struct event_log log;
	char *page;

	page = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, page);
	page[0] = 0x42;
	ASSERT_EQ(0, parent_set(&self->p, "dma_unmap", 1));
	device = START(1);
	iommufd = iommufd_open();
	ASSERT_LE(0, iommufd);
	ASSERT_EQ(0, cdev_bind(device, iommufd));
	ioas = ioas_alloc(iommufd);
	ASSERT_LT(0, ioas);
	ASSERT_EQ(0, ioas_map(iommufd, ioas, page, IOVA, SIZE));
	ASSERT_EQ(0, cdev_attach(device, ioas));
	ASSERT_EQ(0x42, ioctl(device, MDEV_TEST_PIN, &iova));
	ASSERT_EQ(0, ioas_unmap(iommufd, ioas, IOVA, SIZE));
	ASSERT_EQ(0, log_read(&log));
	ASSERT_LE(1, log_count(&log, "vendor", "dma_unmap", self->uuid));
	ASSERT_EQ(1, mdev_number(self->uuid, "in_use"));
	ASSERT_EQ(0, cdev_detach(device));
	ASSERT_EQ(1, mdev_number(self->uuid, "in_use"));
	ASSERT_EQ(0, cdev_attach(device, ioas));
	close(device);
	ASSERT_EQ(0, mdev_number(self->uuid, "in_use"));
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_FALSE(mdev_exists(self->uuid));
	close(iommufd);
}

TEST_HARNESS_MAIN
