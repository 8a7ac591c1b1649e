// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bus driver of the parent-ops door. It registers a vfio_device for each
 * mediated device, and forwards to the parent's ops.
 */
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/vfio.h>

#include "mdev_private.h"
#include "mdev_version.h"
#include "vfio_mdev.h"

/* A mediated device as VFIO sees it. References on @vdev keep it. */
struct vfio_mdev {
	struct vfio_device vdev;	/* first, for vfio_alloc_device() */
	struct mdev_device *mdev;	/* both are valid while bound */
	const struct mdev_parent_ops *ops;
};

static struct vfio_mdev *to_vfio_mdev(struct vfio_device *vdev)
{
	return container_of(vdev, struct vfio_mdev, vdev);
}

/* May run after the driver has been unbound. */
static void vfio_mdev_release_device(struct vfio_device *vdev)
{
	vfio_release_done(vdev);
	module_put(THIS_MODULE);
}

/* VFIO would take a positive result for a file descriptor, mmap for an address. */
static int vfio_mdev_result(struct mdev_device *mdev, const char *op, int ret)
{
	if (ret <= 0)
		return ret;
	dev_err_ratelimited(&mdev->dev, "mdev: %s returned %d\n", op, ret);
	return -EINVAL;
}

/* Refuse users while the device is being created or removed. */
static bool vfio_mdev_may_open(struct vfio_mdev *vm)
{
	/* Pairs with the compare and exchange in mdev_device_claim(). */
	smp_mb();
	return mdev_state(to_core_device(vm->mdev)) == MDEV_LIVE;
}

/* The last user has gone. Wakes removers, so the vendor may be gone after this. */
static void vfio_mdev_end_use(struct vfio_mdev *vm)
{
	struct mdev_core_device *md = to_core_device(vm->mdev);

	WRITE_ONCE(md->used, false);
	/* Pairs with the acquire in the waits of mdev_device.c. */
	atomic_inc_return_release(&md->parent->released);
	wake_up_all(&md->parent->wait);
}

static int vfio_mdev_open_device(struct vfio_device *vdev)
{
	struct vfio_mdev *vm = to_vfio_mdev(vdev);
	int ret = -ENODEV;

	WRITE_ONCE(to_core_device(vm->mdev)->used, true);
	if (!vfio_mdev_may_open(vm))
		goto end_use;
	/* Unloading the vendor's module fails while a device is open. */
	if (!try_module_get(vm->ops->owner))
		goto end_use;
	ret = 0;
	if (vm->ops->open)
		ret = vfio_mdev_result(vm->mdev, "open",
				       vm->ops->open(vm->mdev));
	if (ret)
		goto put_owner;
	return 0;

put_owner:
	module_put(vm->ops->owner);
end_use:
	vfio_mdev_end_use(vm);
	return ret;
}

static void vfio_mdev_close_device(struct vfio_device *vdev)
{
	struct vfio_mdev *vm = to_vfio_mdev(vdev);

	if (vm->ops->release)
		vm->ops->release(vm->mdev);
	module_put(vm->ops->owner);
	vfio_mdev_end_use(vm);
}

static ssize_t vfio_mdev_read(struct vfio_device *vdev, char __user *buf,
			      size_t count, loff_t *ppos)
{
	struct vfio_mdev *vm = to_vfio_mdev(vdev);

	if (!vm->ops->read)
		return -EINVAL;
	return vm->ops->read(vm->mdev, buf, count, ppos);
}

static ssize_t vfio_mdev_write(struct vfio_device *vdev,
			       const char __user *buf, size_t count,
			       loff_t *ppos)
{
	struct vfio_mdev *vm = to_vfio_mdev(vdev);

	if (!vm->ops->write)
		return -EINVAL;
	return vm->ops->write(vm->mdev, buf, count, ppos);
}

static long vfio_mdev_ioctl(struct vfio_device *vdev, unsigned int cmd,
			    unsigned long arg)
{
	struct vfio_mdev *vm = to_vfio_mdev(vdev);

	if (cmd == VFIO_DEVICE_GET_REGION_INFO && vm->ops->get_region_info)
		return vfio_mdev_region_ioctl(vm->mdev, vm->ops,
					      (void __user *)arg);
	if (!vm->ops->ioctl)
		return -EINVAL;
	return vm->ops->ioctl(vm->mdev, cmd, arg);
}

static int vfio_mdev_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	struct vfio_mdev *vm = to_vfio_mdev(vdev);

	if (!vm->ops->mmap)
		return -EINVAL;
	return vfio_mdev_result(vm->mdev, "mmap", vm->ops->mmap(vm->mdev, vma));
}

static int __maybe_unused
vfio_mdev_get_region_info_caps(struct vfio_device *vdev,
			       struct vfio_region_info *info,
			       struct vfio_info_cap *caps)
{
	struct vfio_mdev *vm = to_vfio_mdev(vdev);

	return vfio_mdev_region_info(vm->mdev, vm->ops, info, caps);
}

/*
 * VFIO looks the device up by name for each open. A second open by the same user
 * doesn't reach open_device(), so refuse it here while the device is being removed.
 */
static int vfio_mdev_match(struct vfio_device *vdev, char *buf)
{
	struct vfio_mdev *vm = to_vfio_mdev(vdev);

	if (strcmp(dev_name(vdev->dev), buf))
		return 0;
	return vfio_mdev_may_open(vm) ? 1 : -ENODEV;
}

static void vfio_mdev_request(struct vfio_device *vdev, unsigned int count)
{
	struct vfio_mdev *vm = to_vfio_mdev(vdev);

	vm->ops->request(vm->mdev, count);
}

static void vfio_mdev_dma_unmap(struct vfio_device *vdev, u64 iova, u64 length)
{
	struct vfio_mdev *vm = to_vfio_mdev(vdev);

	vm->ops->dma_unmap(vm->mdev, iova, length);
}

/*
 * VFIO and the core look whether these are set: without a request op a device in use
 * cannot be removed, and with dma_unmap VFIO tracks pinned pages.
 */
#define VFIO_MDEV_OPS(_request, _dma_unmap) {				\
	.name = "vfio-mdev",						\
	.release = vfio_mdev_release_device,				\
	.open_device = vfio_mdev_open_device,				\
	.close_device = vfio_mdev_close_device,				\
	.read = vfio_mdev_read,						\
	.write = vfio_mdev_write,					\
	.ioctl = vfio_mdev_ioctl,					\
	.mmap = vfio_mdev_mmap,						\
	.match = vfio_mdev_match,					\
	.request = _request,						\
	.dma_unmap = _dma_unmap,					\
	VFIO_REGION_INFO_OPS(vfio_mdev_get_region_info_caps)		\
	VFIO_EMULATED_IOMMU_OPS						\
}

/* Indexed by whether the parent has a request and a dma_unmap op. */
static const struct vfio_device_ops vfio_mdev_ops[2][2] = {
	{
		VFIO_MDEV_OPS(NULL, NULL),
		VFIO_MDEV_OPS(NULL, vfio_mdev_dma_unmap),
	}, {
		VFIO_MDEV_OPS(vfio_mdev_request, NULL),
		VFIO_MDEV_OPS(vfio_mdev_request, vfio_mdev_dma_unmap),
	},
};

static int vfio_mdev_probe(struct mdev_device *mdev)
{
	struct mdev_core_device *md = to_core_device(mdev);
	const struct mdev_parent_ops *ops = md->parent->ops;
	struct vfio_mdev *vm;
	int ret;

	if (!ops)
		return -ENODEV;
	/*
	 * Put by vfio_mdev_release_device(), which may run after the unbind. Fails
	 * while the module is being unloaded but has not unregistered yet.
	 */
	if (!try_module_get(THIS_MODULE))
		return -ENODEV;
	vm = vfio_alloc_device(vfio_mdev, vdev, &mdev->dev,
			       &vfio_mdev_ops[!!ops->request][!!ops->dma_unmap]);
	if (IS_ERR(vm)) {
		module_put(THIS_MODULE);
		return PTR_ERR(vm);
	}
	vm->mdev = mdev;
	vm->ops = ops;
	WRITE_ONCE(md->vdev, &vm->vdev);
	ret = vfio_register_emulated_iommu_dev(&vm->vdev);
	if (ret) {
		WRITE_ONCE(md->vdev, NULL);
		vfio_put_device(&vm->vdev);
		return ret;
	}
	dev_set_drvdata(&mdev->dev, vm);
	return 0;
}

static void vfio_mdev_remove(struct mdev_device *mdev)
{
	struct vfio_mdev *vm = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&vm->vdev);
	WRITE_ONCE(to_core_device(mdev)->vdev, NULL);
	vfio_put_device(&vm->vdev);
}

static struct mdev_driver vfio_mdev_driver = {
	.probe = vfio_mdev_probe,
	.remove = vfio_mdev_remove,
	.driver = {
		.name = "vfio_mdev",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
	},
};

static int __init vfio_mdev_init(void)
{
	return mdev_register_driver(&vfio_mdev_driver);
}

static void __exit vfio_mdev_exit(void)
{
	mdev_unregister_driver(&vfio_mdev_driver);
	/* Release functions end in module_put(). Wait until they have returned. */
	synchronize_rcu_tasks();
}

module_init(vfio_mdev_init);
module_exit(vfio_mdev_exit);

MODULE_DESCRIPTION("VFIO bus driver for mediated devices with parent ops");
MODULE_AUTHOR("The mdev maintainers");
MODULE_LICENSE("GPL");
MODULE_VERSION(MDEV_VERSION);
