/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Wraps the function by which the kernel's xen-blkback opens a disk. The including file
 * defines seq_opened(), which checks the open disk or takes the error, and returns 0 or an
 * error.
 */
#ifndef COMPAT_XEN_BLKBACK_OPEN_H
#define COMPAT_XEN_BLKBACK_OPEN_H

#include <linux/blkdev.h>
#include <linux/err.h>
#include <linux/version.h>

static int seq_opened(struct gendisk *disk, int error);

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
static struct block_device *seq_open(dev_t dev, fmode_t mode, void *holder)
{
	struct block_device *bdev = blkdev_get_by_dev(dev, mode, holder);
	int error;

	if (IS_ERR(bdev))
		return ERR_PTR(seq_opened(NULL, PTR_ERR(bdev)));
	error = seq_opened(bdev->bd_disk, 0);
	if (!error)
		return bdev;
	blkdev_put(bdev, mode);
	return ERR_PTR(error);
}

#define blkdev_get_by_dev	seq_open
#else
static struct file *seq_open(dev_t dev, blk_mode_t mode, void *holder,
			     const struct blk_holder_ops *ops)
{
	struct file *file = bdev_file_open_by_dev(dev, mode, holder, ops);
	int error;

	if (IS_ERR(file))
		return ERR_PTR(seq_opened(NULL, PTR_ERR(file)));
	error = seq_opened(file_bdev(file)->bd_disk, 0);
	if (!error)
		return file;
	bdev_fput(file);
	return ERR_PTR(error);
}

#define bdev_file_open_by_dev	seq_open
#endif

#endif /* COMPAT_XEN_BLKBACK_OPEN_H */
