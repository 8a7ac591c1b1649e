// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vfio_device of parents on the parent-driver door. It is not in
 * mdev_test_driver.ko because its last reference may outlive that module.
 */
#include <linux/module.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "mdev_test.h"

struct test_vfio {
	struct vfio_device vdev;
	struct mdev_device *mdev;
	struct mdev_test_parent *p;
	char data[MDEV_TEST_DATA_SIZE];
};

static struct test_vfio *to_test_vfio(struct vfio_device *vdev)
{
	return container_of(vdev, struct test_vfio, vdev);
}

static void test_release(struct vfio_device *vdev)
{
	vfio_release_done(vdev);
	module_put(THIS_MODULE);
}

static int test_open(struct vfio_device *vdev)
{
	struct test_vfio *tv = to_test_vfio(vdev);

	int ret;

	mdev_test_log("vendor", "open", tv->mdev);
	ret = mdev_test_gate_pass(&tv->p->open_gate);
	mdev_test_callback(tv->p, "open");
	return ret ?: mdev_test_fault(&tv->p->open_fault);
}

static void test_close(struct vfio_device *vdev)
{
	mdev_test_log("vendor", "close", to_test_vfio(vdev)->mdev);
}

static ssize_t test_read(struct vfio_device *vdev, char __user *buf,
			 size_t count, loff_t *ppos)
{
	return simple_read_from_buffer(buf, count, ppos,
				       to_test_vfio(vdev)->data,
				       MDEV_TEST_DATA_SIZE);
}

static ssize_t test_write(struct vfio_device *vdev, const char __user *buf,
			  size_t count, loff_t *ppos)
{
	return simple_write_to_buffer(to_test_vfio(vdev)->data,
				      MDEV_TEST_DATA_SIZE, ppos, buf, count);
}

static long test_ioctl(struct vfio_device *vdev, unsigned int cmd,
		       unsigned long arg)
{
	return cmd == VFIO_DEVICE_GET_INFO ? mdev_test_get_info(arg) : -ENOTTY;
}

static void test_request(struct vfio_device *vdev, unsigned int count)
{
	struct test_vfio *tv = to_test_vfio(vdev);

	mdev_test_log("vendor", "request", tv->mdev);
	atomic_inc(&tv->p->requests);
}

#define TEST_OPS(_request) {			\
	.name = "mdev-test",			\
	.release = test_release,		\
	.open_device = test_open,		\
	.close_device = test_close,		\
	.read = test_read,			\
	.write = test_write,			\
	.ioctl = test_ioctl,			\
	.request = _request,			\
	VFIO_EMULATED_IOMMU_OPS			\
}

static const struct vfio_device_ops test_ops[2] = {
	TEST_OPS(NULL),
	TEST_OPS(test_request),
};

/* Called by the probe() of vendors on the parent-driver door. */
int mdev_test_vfio_add(struct mdev_test_parent *p, struct mdev_device *mdev)
{
	struct test_vfio *tv;
	int ret;

	tv = vfio_alloc_device(test_vfio, vdev, &mdev->dev,
			       &test_ops[!!p->request_op]);
	if (IS_ERR(tv))
		return PTR_ERR(tv);
	/* Keep the module until test_release() has run. */
	__module_get(THIS_MODULE);
	tv->mdev = mdev;
	tv->p = p;
	ret = vfio_register_emulated_iommu_dev(&tv->vdev);
	if (ret) {
		vfio_put_device(&tv->vdev);
		return ret;
	}
	dev_set_drvdata(&mdev->dev, tv);
	return 0;
}
EXPORT_SYMBOL_GPL(mdev_test_vfio_add);

/* Called by their remove(). */
void mdev_test_vfio_del(struct mdev_device *mdev)
{
	struct test_vfio *tv = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&tv->vdev);
	vfio_put_device(&tv->vdev);
}
EXPORT_SYMBOL_GPL(mdev_test_vfio_del);
