// SPDX-License-Identifier: GPL-2.0-only
/*
 * mdev_test_common.ko: shared by the test parents of both doors. It uses no
 * symbol of mdev.ko, so it can outlive mdev.ko and keep references on removed
 * devices and the log of their removal.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "mdev_test.h"

static struct dentry *mdev_test_dir;

/* VFIO_DEVICE_GET_INFO of a device without regions or interrupts. */
long mdev_test_get_info(unsigned long arg)
{
	struct vfio_device_info info = { };
	unsigned long minsz = offsetofend(struct vfio_device_info, num_irqs);

	if (copy_from_user(&info, (void __user *)arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	info.argsz = minsz;
	info.flags = VFIO_DEVICE_FLAGS_PCI;
	info.num_regions = 0;
	info.num_irqs = 0;
	return copy_to_user((void __user *)arg, &info, minsz) ? -EFAULT : 0;
}
EXPORT_SYMBOL_GPL(mdev_test_get_info);

static int __init mdev_test_init(void)
{
	mdev_test_dir = debugfs_create_dir("mdev_test", NULL);
	debugfs_create_file("log", 0600, mdev_test_dir, NULL,
			    &mdev_test_log_fops);
	debugfs_create_bool("log_on", 0600, mdev_test_dir, &mdev_test_log_on);
	debugfs_create_file("held", 0600, mdev_test_dir, NULL,
			    &mdev_test_held_fops);
	debugfs_create_file("held_bus", 0200, mdev_test_dir, NULL,
			    &mdev_test_held_bus_fops);
	debugfs_create_file("held_leading", 0400, mdev_test_dir, NULL,
			    &mdev_test_held_leading_fops);
	mdev_test_stall_init(mdev_test_dir);
	return 0;
}

static void __exit mdev_test_exit(void)
{
	debugfs_remove(mdev_test_dir);
	mdev_test_stall_exit();
	mdev_test_drop_held();
	mdev_test_log_free();
	/* A task may have been preempted at the end of a release function. */
	synchronize_rcu_tasks();
}

module_init(mdev_test_init);
module_exit(mdev_test_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("What the mediated-device test parents share");
