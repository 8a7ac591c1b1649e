// SPDX-License-Identifier: GPL-2.0-only
/*
 * Users of a mediated device, seen through its vfio_device: the child of class
 * "vfio-dev" that VFIO adds when a bus driver binds, on both doors.
 */
#include <linux/device.h>
#include <linux/string.h>
#include <linux/vfio.h>

#include "mdev_private.h"

static struct vfio_device *mdev_to_vfio_device(struct device *child)
{
	if (!child->class || strcmp(child->class->name, "vfio-dev"))
		return NULL;
	return container_of(child, struct vfio_device, device);
}

static int mdev_add_open_count(struct device *child, void *data)
{
	struct vfio_device *vdev = mdev_to_vfio_device(child);
	unsigned int *count = data;

	if (vdev)
		*count += READ_ONCE(vdev->open_count);
	return 0;
}

/* A snapshot: VFIO counts open files under its own locks. */
unsigned int mdev_open_count(struct mdev_core_device *md)
{
	unsigned int count = 0;

	device_for_each_child(&md->mdev.dev, &count, mdev_add_open_count);
	return count;
}

static int mdev_find_vfio_child(struct device *child, void *data)
{
	struct vfio_device **vdev = data;

	*vdev = mdev_to_vfio_device(child);
	return !!*vdev;
}

/* Or NULL. The device lock keeps it and its driver. */
static struct vfio_device *mdev_find_vfio_device(struct mdev_core_device *md)
{
	struct vfio_device *vdev = NULL;

	device_lock_assert(&md->mdev.dev);
	device_for_each_child(&md->mdev.dev, &vdev, mdev_find_vfio_child);
	return vdev;
}

/*
 * The registration holds one reference. Each open file holds another, and so does
 * a file of VFIO's cdev that is not bound to an iommufd. vfio_mdev clears @used
 * when the last user closes, which is before VFIO lowers its open_count.
 */
static bool mdev_vfio_device_busy(struct mdev_core_device *md,
				  struct vfio_device *vdev, unsigned int open)
{
	bool referenced = refcount_read(&vdev->refcount) > 1;

	if (md->vdev)
		return READ_ONCE(md->used) || (referenced && !open);
	return referenced || open;
}

/*
 * Find out who uses the device, and if @request is set, ask them to release it;
 * they have been asked @count times before.
 */
void mdev_get_users(struct mdev_core_device *md, struct mdev_users *users,
		    bool request, unsigned int count)
{
	struct device *dev = &md->mdev.dev;
	struct vfio_device *vdev;

	*users = (struct mdev_users){};
	if (!device_trylock(dev)) {
		/* Maybe an unbind, which asks and waits for users itself. */
		users->contended = true;
		users->busy = true;
		users->can_request = true;
		return;
	}
	vdev = mdev_find_vfio_device(md);
	if (vdev) {
		users->open = READ_ONCE(vdev->open_count);
		users->busy = mdev_vfio_device_busy(md, vdev, users->open);
		users->can_request = vdev->ops->request;
		if (request && users->busy && users->can_request)
			vdev->ops->request(vdev, count);
	}
	device_unlock(dev);
}
