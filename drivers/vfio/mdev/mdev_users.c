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

/* How many VFIO device files are open. A snapshot: VFIO has locks of its own. */
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

/* Or NULL. It stays while the device lock is held, and so does its driver. */
static struct vfio_device *mdev_find_vfio_device(struct mdev_core_device *md)
{
	struct vfio_device *vdev = NULL;

	device_lock_assert(&md->mdev.dev);
	device_for_each_child(&md->mdev.dev, &vdev, mdev_find_vfio_child);
	return vdev;
}

/*
 * A registered vfio_device has one reference of its own. Each open file has
 * another, and so has a file of VFIO's cdev that is not bound to an iommufd.
 * vfio_mdev says when it has no user, which is before VFIO counts the file down.
 */
static bool mdev_vfio_device_busy(struct mdev_core_device *md,
				  struct vfio_device *vdev, unsigned int open)
{
	bool referenced = refcount_read(&vdev->refcount) > 1;

	if (md->vdev)
		return READ_ONCE(md->used) || (referenced && !open);
	return referenced || open;
}

void mdev_get_users(struct mdev_core_device *md, struct mdev_users *users)
{
	struct device *dev = &md->mdev.dev;
	struct vfio_device *vdev;

	*users = (struct mdev_users){};
	if (!device_trylock(dev)) {
		/* Maybe an unbind by hand, which waits for users itself. */
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
	}
	device_unlock(dev);
}

/*
 * Ask users to release the device; they have been asked @count times before.
 * Returns false if the device lock is contended: its holder is unbinding, and
 * asks the users itself.
 */
bool mdev_request_users(struct mdev_core_device *md, unsigned int count)
{
	struct device *dev = &md->mdev.dev;
	struct vfio_device *vdev;

	if (!device_trylock(dev))
		return false;
	vdev = mdev_find_vfio_device(md);
	if (vdev && vdev->ops->request)
		vdev->ops->request(vdev, count);
	device_unlock(dev);
	return true;
}
