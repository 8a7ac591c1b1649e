// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has a mediated device open, seen through its vfio_device: the child of
 * class "vfio-dev" that VFIO registers when a bus driver binds, on both doors.
 */
#include <linux/device.h>
#include <linux/string.h>
#include <linux/vfio.h>

#include "mdev_private.h"

static int mdev_get_vfio_child(struct device *dev, void *data)
{
	struct device **child = data;

	if (!dev->class || strcmp(dev->class->name, "vfio-dev"))
		return 0;
	*child = get_device(dev);
	return 1;
}

/* A reference on the registered vfio_device, or NULL. Drop with put_device(). */
static struct vfio_device *mdev_get_vfio_device(struct mdev_core_device *md)
{
	struct device *child = NULL;

	device_for_each_child(&md->mdev.dev, &child, mdev_get_vfio_child);
	return child ? container_of(child, struct vfio_device, device) : NULL;
}

/* How many VFIO device files are open. */
unsigned int mdev_open_count(struct mdev_core_device *md)
{
	struct vfio_device *vdev = mdev_get_vfio_device(md);
	unsigned int count;

	if (!vdev)
		return 0;
	/* VFIO counts under a lock of its own; a snapshot is all we promise. */
	count = READ_ONCE(vdev->open_count);
	put_device(&vdev->device);
	return count;
}

/*
 * Can the user be asked to let go? The ops belong to a module that stays until
 * its parent is unregistered, which the caller's guard section holds up.
 */
bool mdev_can_request(struct mdev_core_device *md)
{
	struct vfio_device *vdev = mdev_get_vfio_device(md);
	bool can;

	if (!vdev)
		return false;
	can = vdev->ops->request;
	put_device(&vdev->device);
	return can;
}

/*
 * Ask the user to let go, the @count-th time. The device lock keeps the bus
 * driver bound meanwhile; whoever else holds it for long is unbinding, and asks
 * the user itself. Returns whether the device lock could be had.
 */
bool mdev_request(struct mdev_core_device *md, unsigned int count)
{
	struct vfio_device *vdev;

	if (!device_trylock(&md->mdev.dev))
		return false;
	vdev = mdev_get_vfio_device(md);
	if (vdev) {
		if (vdev->ops->request)
			vdev->ops->request(vdev, count);
		put_device(&vdev->device);
	}
	device_unlock(&md->mdev.dev);
	return true;
}
