// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interface to user space: read(2), write(2) and ioctl(2) on an open card.
 *
 * All input is checked here, and only these functions access user memory. Clear
 * structures before filling them in, and copy no more than the user has room for.
 */
#include <linux/bitops.h>
#include <linux/mdev_parent_ops.h>
#include <linux/minmax.h>
#include <linux/stddef.h>
#include <linux/uaccess.h>

#include "mtty.h"

/*
 * Accesses are done in chunks on the stack, each under the lock as a whole. The
 * registers of a UART fit into one.
 */
#define MTTY_CHUNK	8

/**
 * mtty_open() - the first user opens the card
 * @mdev: the device
 *
 * Return: 0, always.
 */
int mtty_open(struct mdev_device *mdev)
{
	struct mtty_card *card = mdev_get_drvdata(mdev);

	/*
	 * Don't show the next user what the last one left. Like vfio-pci, enable
	 * the BARs on open, but not after a reset.
	 */
	spin_lock(&card->lock);
	mtty_pci_reset(card);
	mtty_pci_enable(card);
	spin_unlock(&card->lock);
	return 0;
}

/**
 * mtty_release() - the last user has closed the card
 * @mdev: the device
 */
void mtty_release(struct mdev_device *mdev)
{
	mtty_irq_release(mdev_get_drvdata(mdev));
}

/**
 * mtty_request() - ask the user to release the card
 * @mdev: the device
 * @count: how often the user has been asked before
 */
void mtty_request(struct mdev_device *mdev, unsigned int count)
{
	mtty_irq_request(mdev_get_drvdata(mdev), count);
}

/*
 * Split the position in the device file into region and offset. Returns how many of
 * @count bytes are in the region, or -EINVAL if none are.
 */
static ssize_t mtty_locate(const struct mtty_card *card, u64 offset,
			   size_t count, unsigned int *index, unsigned int *pos)
{
	u64 in_region = offset & MTTY_REGION_MASK;
	size_t size;

	*index = offset >> MTTY_REGION_SHIFT;
	size = mtty_region_size(card, *index);
	if (in_region >= size)
		return -EINVAL;
	*pos = in_region;
	return min_t(size_t, count, size - *pos);
}

/*
 * Reading a UART takes bytes out of it, so make sure first that they can be
 * delivered, by a zero at either end. A chunk touches no other pages.
 */
static bool mtty_can_deliver(char __user *buf, size_t len)
{
	return !put_user(0, buf) && (len == 1 || !put_user(0, buf + len - 1));
}

/*
 * Nearly all accesses are of one byte. For a length that the compiler doesn't know,
 * copy_to_user() checks the object's bounds, which costs more than the register.
 */
static bool mtty_copy_to_user(char __user *buf, const u8 *chunk, size_t len)
{
	if (len == 1)
		return !put_user(*chunk, (u8 __user *)buf);
	return !copy_to_user(buf, chunk, len);
}

static bool mtty_copy_from_user(u8 *chunk, const char __user *buf, size_t len)
{
	if (len == 1)
		return !get_user(*chunk, (const u8 __user *)buf);
	return !copy_from_user(chunk, buf, len);
}

/**
 * mtty_read() - read registers
 * @mdev: the device
 * @buf: takes the bytes
 * @count: how many are wanted
 * @ppos: where, a region's offset included; advanced by what was read
 *
 * Return: the number of bytes read, fewer than @count at the end of the region or
 * if the rest of @buf cannot be written; -EINVAL where there is nothing; -EFAULT
 * if none of @buf can be written. No register beyond what fits is read, unless
 * @buf is unmapped meanwhile.
 */
ssize_t mtty_read(struct mdev_device *mdev, char __user *buf, size_t count,
		  loff_t *ppos)
{
	struct mtty_card *card = mdev_get_drvdata(mdev);
	unsigned int index, pos;
	size_t done, len;
	ssize_t total;

	if (!count)
		return 0;
	total = mtty_locate(card, *ppos, count, &index, &pos);
	if (total < 0)
		return total;

	for (done = 0; done < total; done += len) {
		u8 chunk[MTTY_CHUNK];

		len = min_t(size_t, total - done, sizeof(chunk));
		if (!mtty_can_deliver(buf + done, len))
			break;

		spin_lock(&card->lock);
		mtty_region_read(card, index, pos + done, chunk, len);
		spin_unlock(&card->lock);

		if (!mtty_copy_to_user(buf + done, chunk, len))
			break;
	}

	*ppos += done;
	return done ?: -EFAULT;
}

/**
 * mtty_write() - write registers
 * @mdev: the device
 * @buf: the bytes
 * @count: how many
 * @ppos: where, a region's offset included; advanced by what was written
 *
 * Return: the number of bytes written, fewer than @count at the end of the
 * region; -EINVAL where there is nothing; -EFAULT if @buf cannot be read, and
 * then no register was touched.
 */
ssize_t mtty_write(struct mdev_device *mdev, const char __user *buf,
		   size_t count, loff_t *ppos)
{
	struct mtty_card *card = mdev_get_drvdata(mdev);
	unsigned int index, pos;
	size_t done, len;
	ssize_t total;

	if (!count)
		return 0;
	total = mtty_locate(card, *ppos, count, &index, &pos);
	if (total < 0)
		return total;

	for (done = 0; done < total; done += len) {
		u8 chunk[MTTY_CHUNK];

		len = min_t(size_t, total - done, sizeof(chunk));
		if (!mtty_copy_from_user(chunk, buf + done, len))
			break;

		spin_lock(&card->lock);
		mtty_region_write(card, index, pos + done, chunk, len);
		spin_unlock(&card->lock);
	}

	*ppos += done;
	return done ?: -EFAULT;
}

/* @minsz reaches up to the last member that every caller must have room for. */
static int mtty_copy_in(void *info, const void __user *arg, size_t minsz)
{
	/* Every VFIO structure begins with argsz. */
	u32 *argsz = info;

	if (copy_from_user(info, arg, minsz))
		return -EFAULT;
	return *argsz < minsz ? -EINVAL : 0;
}

static int mtty_copy_out(void __user *arg, const void *info, size_t size)
{
	const u32 *argsz = info;

	if (copy_to_user(arg, info, min_t(size_t, *argsz, size)))
		return -EFAULT;
	return 0;
}

static int mtty_get_info(void __user *arg)
{
	struct vfio_device_info info = {};
	int ret;

	ret = mtty_copy_in(&info, arg,
			   offsetofend(struct vfio_device_info, num_irqs));
	if (ret)
		return ret;

	info.flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET;
	info.num_regions = VFIO_PCI_NUM_REGIONS;
	info.num_irqs = VFIO_PCI_NUM_IRQS;
	return mtty_copy_out(arg, &info, sizeof(info));
}

/**
 * mtty_get_region_info() - answer VFIO_DEVICE_GET_REGION_INFO
 * @mdev: the device
 * @info: which region; takes its size, offset and flags
 * @caps: takes capabilities; a card has none
 *
 * Return: 0, or -EINVAL for an index that PCI does not have.
 */
int mtty_get_region_info(struct mdev_device *mdev,
			 struct vfio_region_info *info,
			 struct vfio_info_cap *caps)
{
	const struct mtty_card *card = mdev_get_drvdata(mdev);

	if (info->index >= VFIO_PCI_NUM_REGIONS)
		return -EINVAL;
	info->size = mtty_region_size(card, info->index);
	info->offset = MTTY_REGION_OFFSET(info->index);
	info->flags = 0;
	if (info->size)
		info->flags = VFIO_REGION_INFO_FLAG_READ |
			      VFIO_REGION_INFO_FLAG_WRITE;
	return 0;
}

static int mtty_get_irq_info(void __user *arg)
{
	struct vfio_irq_info info = {};
	int ret;

	ret = mtty_copy_in(&info, arg,
			   offsetofend(struct vfio_irq_info, count));
	if (ret)
		return ret;
	/*
	 * Only PCI Express functions report errors. Like vfio-pci, refuse
	 * rather than show a count of zero, which QEMU warns about.
	 */
	if (info.index >= VFIO_PCI_NUM_IRQS ||
	    info.index == VFIO_PCI_ERR_IRQ_INDEX)
		return -EINVAL;

	info.count = mtty_irq_count(info.index);
	info.flags = 0;
	if (info.count)
		info.flags = VFIO_IRQ_INFO_EVENTFD;
	if (info.index == VFIO_PCI_INTX_IRQ_INDEX)
		info.flags |= VFIO_IRQ_INFO_MASKABLE |
			      VFIO_IRQ_INFO_AUTOMASKED;
	if (info.index == VFIO_PCI_MSI_IRQ_INDEX)
		info.flags |= VFIO_IRQ_INFO_NORESIZE;
	return mtty_copy_out(arg, &info, sizeof(info));
}

static int mtty_set_irqs(struct mtty_card *card, void __user *arg)
{
	size_t minsz = offsetofend(struct vfio_irq_set, count);
	struct vfio_irq_set set = {};
	size_t data_size = 0;
	s32 data = 0;
	int ret;

	ret = mtty_copy_in(&set, arg, minsz);
	if (ret)
		return ret;
	ret = vfio_set_irqs_validate_and_prepare(&set,
						 mtty_irq_count(set.index),
						 VFIO_PCI_NUM_IRQS, &data_size);
	if (ret)
		return ret;
	if (hweight32(set.flags & VFIO_IRQ_SET_ACTION_TYPE_MASK) != 1)
		return -EINVAL;

	/* No index has more than one interrupt, so one item is the most. */
	if (WARN_ON_ONCE(data_size > sizeof(data)))
		return -EINVAL;
	if (copy_from_user(&data, arg + minsz, data_size))
		return -EFAULT;
	return mtty_irq_set(card, &set, &data);
}

static int mtty_reset(struct mtty_card *card)
{
	/* As with vfio-pci, the user's eventfds and mask outlast a reset. */
	spin_lock(&card->lock);
	mtty_pci_reset(card);
	mtty_irq_update(card);
	spin_unlock(&card->lock);
	return 0;
}

/**
 * mtty_ioctl() - a VFIO_DEVICE_* request
 * @mdev: the device
 * @cmd: the request
 * @arg: its argument, a user pointer but for VFIO_DEVICE_RESET
 *
 * Return: 0 or a negative errno; -ENOTTY for an unknown request.
 */
long mtty_ioctl(struct mdev_device *mdev, unsigned int cmd, unsigned long arg)
{
	struct mtty_card *card = mdev_get_drvdata(mdev);
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return mtty_get_info(uarg);
	case VFIO_DEVICE_GET_IRQ_INFO:
		return mtty_get_irq_info(uarg);
	case VFIO_DEVICE_SET_IRQS:
		return mtty_set_irqs(card, uarg);
	case VFIO_DEVICE_RESET:
		return mtty_reset(card);
	default:
		return -ENOTTY;
	}
}
