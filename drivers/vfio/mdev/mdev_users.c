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

/*
 * A snapshot: VFIO counts under locks of its own. The vfio_device's ops stay
 * with it: vfio_mdev is pinned until its last one is released, and a vendor
 * cannot unload before its parent is unregistered, which our caller holds up.
 */
void mdev_look_for_users(struct mdev_core_device *md, struct mdev_users *users)
{
	struct vfio_device *vdev = mdev_get_vfio_device(md);

	*users = (struct mdev_users){};
	if (!vdev)
		return;
	users->open = READ_ONCE(vdev->open_count);
	/* The registration is one; the rest is what an unbind waits for. */
	users->busy = users->open || refcount_read(&vdev->refcount) > 1;
	users->can_ask = vdev->ops->request;
	put_device(&vdev->device);
}

/*
 * Ask the user to let go, having done so @count times. The device lock keeps
 * the bus driver bound meanwhile; whoever else holds it for long is unbinding,
 * and asks the user itself. Returns whether the device lock could be had.
 */
bool mdev_ask_user(struct mdev_core_device *md, unsigned int count)
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
