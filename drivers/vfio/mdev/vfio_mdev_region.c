// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_GET_REGION_INFO where VFIO handles the request itself and asks
 * the driver with kernel pointers (Linux 6.19): the parent's ioctl op takes
 * user pointers only, so it is given a page of the caller's address space to
 * answer into.
 */
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "mdev_private.h"
#include "vfio_mdev.h"

/* Room for the answer; a region's capabilities take a few hundred bytes. */
#define REPLY_SIZE	PAGE_SIZE

/* The capabilities in @reply, in VFIO's own buffer. */
static int vfio_mdev_copy_caps(const void *reply, struct vfio_info_cap *caps)
{
	const struct vfio_region_info *info = reply;
	u32 offset = info->cap_offset;

	while (offset) {
		const struct vfio_info_cap_header *cap = reply + offset;
		struct vfio_info_cap_header *copy;
		u32 end;

		if (offset < sizeof(*info) ||
		    offset > REPLY_SIZE - sizeof(*cap))
			return -EINVAL;
		end = cap->next ?: min_t(u32, info->argsz, REPLY_SIZE);
		/* Forward only, or a chain could go round. */
		if (end < offset + sizeof(*cap) || end > REPLY_SIZE)
			return -EINVAL;
		copy = vfio_info_cap_add(caps, end - offset, cap->id,
					 cap->version);
		if (IS_ERR(copy))
			return PTR_ERR(copy);
		memcpy(copy + 1, cap + 1, end - offset - sizeof(*cap));
		offset = cap->next;
	}
	return 0;
}

static int vfio_mdev_ask_region(struct mdev_device *mdev,
				const struct mdev_parent_ops *ops,
				unsigned long addr, void *reply,
				struct vfio_region_info *info,
				struct vfio_info_cap *caps)
{
	const size_t minsz = offsetofend(struct vfio_region_info, offset);
	struct vfio_region_info *answer = reply;
	void __user *user = (void __user *)addr;
	u32 argsz = info->argsz;
	long ret;

	*answer = *info;
	answer->argsz = REPLY_SIZE;
	if (copy_to_user(user, answer, minsz))
		return -EFAULT;
	ret = ops->ioctl(mdev, VFIO_DEVICE_GET_REGION_INFO, addr);
	if (ret)
		return ret;
	if (copy_from_user(reply, user, REPLY_SIZE))
		return -EFAULT;
	if (answer->flags & VFIO_REGION_INFO_FLAG_CAPS) {
		ret = vfio_mdev_copy_caps(reply, caps);
		if (ret)
			return ret;
	}
	*info = *answer;
	info->argsz = argsz;
	info->cap_offset = 0;
	/* VFIO sets it again when it has placed the capabilities. */
	info->flags &= ~VFIO_REGION_INFO_FLAG_CAPS;
	return 0;
}

/* Fill @info and @caps from the parent's ioctl op, in the caller's context. */
int vfio_mdev_region_info(struct mdev_device *mdev,
			  const struct mdev_parent_ops *ops,
			  struct vfio_region_info *info,
			  struct vfio_info_cap *caps)
{
	unsigned long addr;
	void *reply;
	int ret;

	if (!ops->ioctl)
		return -EINVAL;
	reply = kzalloc(REPLY_SIZE, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	addr = vm_mmap(NULL, 0, REPLY_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (IS_ERR_VALUE(addr)) {
		ret = (int)addr;
		goto free;
	}
	ret = vfio_mdev_ask_region(mdev, ops, addr, reply, info, caps);
	vm_munmap(addr, REPLY_SIZE);
free:
	kfree(reply);
	return ret;
}
