// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_GET_REGION_INFO. Before Linux 6.19 VFIO passes the request on with a
 * user pointer, and since then it asks with kernel pointers. A parent answers
 * with kernel pointers by get_region_info, or with user pointers by ioctl. Here
 * is what translates one into the other.
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

/* Copy the capabilities in @reply, of @size bytes, to VFIO's own buffer. */
static int vfio_mdev_copy_caps(const void *reply, u32 size,
			       struct vfio_info_cap *caps)
{
	const struct vfio_region_info *info = reply;
	u32 offset = info->cap_offset;

	while (offset) {
		const struct vfio_info_cap_header *cap = reply + offset;
		struct vfio_info_cap_header *copy;
		u32 end;

		if (offset < sizeof(*info) ||
		    offset + sizeof(*cap) > size)
			return -EINVAL;
		end = cap->next ?: size;
		/* Forward only, or a chain could go round. */
		if (end < offset + sizeof(*cap) || end > size)
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
	u32 argsz = min_t(u32, info->argsz, REPLY_SIZE);
	long ret;

	*answer = *info;
	answer->argsz = argsz;
	if (copy_to_user(user, answer, minsz))
		return -EFAULT;
	ret = ops->ioctl(mdev, VFIO_DEVICE_GET_REGION_INFO, addr);
	if (ret)
		return ret;
	if (copy_from_user(reply, user, REPLY_SIZE))
		return -EFAULT;
	if (answer->cap_offset) {
		ret = vfio_mdev_copy_caps(reply, argsz, caps);
		if (ret)
			return ret;
		/* VFIO sets them again when it has placed the capabilities. */
		answer->flags &= ~VFIO_REGION_INFO_FLAG_CAPS;
		answer->cap_offset = 0;
	}
	/* A larger one is the room that the capabilities would take. */
	if (answer->argsz == argsz)
		answer->argsz = info->argsz;
	*info = *answer;
	return 0;
}

/*
 * Answer with kernel pointers. An ioctl op has to be given a page of the caller's
 * address space to answer into.
 */
int vfio_mdev_region_info(struct mdev_device *mdev,
			  const struct mdev_parent_ops *ops,
			  struct vfio_region_info *info,
			  struct vfio_info_cap *caps)
{
	unsigned long addr;
	void *reply;
	int ret;

	/* The user's values, as yet. */
	info->flags = 0;
	info->cap_offset = 0;
	if (ops->get_region_info)
		return ops->get_region_info(mdev, info, caps);
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

/* Put the capabilities behind @info in user memory, if there is room. */
static int vfio_mdev_put_caps(void __user *arg, struct vfio_region_info *info,
			      struct vfio_info_cap *caps)
{
	size_t size = sizeof(*info) + caps->size;

	info->flags |= VFIO_REGION_INFO_FLAG_CAPS;
	if (info->argsz < size) {
		info->argsz = size;
		return 0;
	}
	vfio_info_cap_shift(caps, sizeof(*info));
	if (copy_to_user(arg + sizeof(*info), caps->buf, caps->size))
		return -EFAULT;
	info->cap_offset = sizeof(*info);
	return 0;
}

/* Answer at the user pointer @arg, by the get_region_info op. */
long vfio_mdev_region_ioctl(struct mdev_device *mdev,
			    const struct mdev_parent_ops *ops, void __user *arg)
{
	const size_t minsz = offsetofend(struct vfio_region_info, offset);
	struct vfio_region_info info = {};
	struct vfio_info_cap caps = {};
	int ret;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	info.flags = 0;
	info.cap_offset = 0;
	ret = ops->get_region_info(mdev, &info, &caps);
	if (!ret && caps.size)
		ret = vfio_mdev_put_caps(arg, &info, &caps);
	if (!ret && copy_to_user(arg, &info, minsz))
		ret = -EFAULT;
	kfree(caps.buf);
	return ret;
}
