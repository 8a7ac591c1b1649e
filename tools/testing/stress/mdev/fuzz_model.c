// SPDX-License-Identifier: GPL-2.0-only
/* Predicts the results of calls on an open mtty card. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "fuzz_model.h"

#define REGION_SHIFT	40
/* The limit with four-level page tables, less a page; higher with five. */
#define USER_END	0x7ffffffff000ULL
#define CONFIG_SIZE	256
#define PORT_SIZE	8
#define SET_HEADER	offsetof(struct vfio_irq_set, data)
/* The minimum argsz: up to the last mandatory member. */
#define REGION_INFO_MIN	(offsetof(struct vfio_region_info, offset) + 8)
#define IRQ_INFO_MIN	(offsetof(struct vfio_irq_info, count) + 4)

#define ACTIONS		VFIO_IRQ_SET_ACTION_TYPE_MASK
#define DATA		VFIO_IRQ_SET_DATA_TYPE_MASK

void model_reset(struct model *m, unsigned int ports)
{
	m->ports = ports;
	model_closed(m);
}

void model_closed(struct model *m)
{
	m->irq = VFIO_PCI_NUM_IRQS;
	m->request = false;
	m->mask_fd = -1;
	m->unmask_fd = -1;
}

void model_eventfd_closed(struct model *m, int fd)
{
	if (m->mask_fd == fd)
		m->mask_fd = -1;
	if (m->unmask_fd == fd)
		m->unmask_fd = -1;
}

/*
 * @minsz: the minimum argsz. @maxsz: the most that any kernel may write; how
 * much is written between the two depends on the kernel.
 */
bool model_info(const struct memory *mem, size_t minsz, size_t maxsz, int ret)
{
	uint32_t argsz;
	size_t size;

	if (mem->there < minsz)
		return ret == -EFAULT;
	memcpy(&argsz, mem->at, sizeof(argsz));
	if (argsz < minsz)
		return ret == -EINVAL;
	if (mem->readonly)
		return ret == -EFAULT;
	size = argsz < maxsz ? argsz : maxsz;
	return !ret || (mem->there < size && ret == -EFAULT);
}

bool model_region_info(const struct memory *mem, int ret)
{
	const struct vfio_region_info *info = mem->at;
	size_t minsz = REGION_INFO_MIN;

	if (mem->there >= minsz && info->argsz >= minsz &&
	    info->index >= VFIO_PCI_NUM_REGIONS)
		return ret == -EINVAL;
	return model_info(mem, minsz, sizeof(*info), ret);
}

bool model_irq_info(const struct memory *mem, int ret)
{
	const struct vfio_irq_info *info = mem->at;
	size_t minsz = IRQ_INFO_MIN;

	if (mem->there >= minsz && info->argsz >= minsz &&
	    (info->index >= VFIO_PCI_NUM_IRQS ||
	     info->index == VFIO_PCI_ERR_IRQ_INDEX))
		return ret == -EINVAL;
	return model_info(mem, minsz, sizeof(*info), ret);
}

/* Returns true if exactly one bit of @mask is set. */
static bool one_of(uint32_t flags, uint32_t mask)
{
	flags &= mask;
	return flags && !(flags & (flags - 1));
}

static int eventfd_error(int32_t fd, int kind)
{
	if (fd < -1)
		return -EINVAL;
	if (fd == -1 || kind == FD_EVENTFD)
		return 0;
	return kind == FD_CLOSED ? -EBADF : -EINVAL;
}

static int set_trigger(struct model *m, const struct vfio_irq_set *set,
		       int32_t fd, int kind)
{
	bool active = m->irq == set->index;
	int ret;

	if (active && !set->count && (set->flags & VFIO_IRQ_SET_DATA_NONE)) {
		bool request = m->request;

		model_closed(m);
		m->request = request;
		return 0;
	}
	if (set->count != 1 || (!active && m->irq != VFIO_PCI_NUM_IRQS))
		return -EINVAL;
	if (!(set->flags & VFIO_IRQ_SET_DATA_EVENTFD))
		return active ? 0 : -EINVAL;
	ret = eventfd_error(fd, kind);
	if (!ret)
		m->irq = set->index;
	return ret;
}

static int set_mask(struct model *m, const struct vfio_irq_set *set, int *bound,
		    int32_t fd, int kind)
{
	int ret;

	if (m->irq != VFIO_PCI_INTX_IRQ_INDEX || set->count != 1)
		return -EINVAL;
	if (!(set->flags & VFIO_IRQ_SET_DATA_EVENTFD))
		return 0;
	ret = eventfd_error(fd, kind);
	if (!ret && fd >= 0 && *bound >= 0)
		return -EBUSY;
	if (!ret)
		*bound = fd;
	return ret;
}

static int set_request(struct model *m, const struct vfio_irq_set *set,
		       int32_t fd, int kind)
{
	int ret;

	if (set->flags & VFIO_IRQ_SET_DATA_EVENTFD) {
		if (!set->count)
			return -EINVAL;
		ret = eventfd_error(fd, kind);
		if (!ret)
			m->request = fd >= 0;
		return ret;
	}
	if (!m->request)
		return -EINVAL;
	if (!set->count) {
		if (!(set->flags & VFIO_IRQ_SET_DATA_NONE))
			return -EINVAL;
		m->request = false;
	}
	return 0;
}

static bool set_is_wrong(const struct vfio_irq_set *set, size_t *size)
{
	bool there = set->index == VFIO_PCI_INTX_IRQ_INDEX ||
		     set->index == VFIO_PCI_MSI_IRQ_INDEX ||
		     set->index == VFIO_PCI_REQ_IRQ_INDEX;

	/* Each index has one interrupt. */
	if (set->argsz < SET_HEADER || !there || set->start || set->count > 1 ||
	    (set->flags & ~(DATA | ACTIONS)) || !one_of(set->flags, DATA))
		return true;
	*size = set->flags & VFIO_IRQ_SET_DATA_BOOL ? 1 :
		set->flags & VFIO_IRQ_SET_DATA_EVENTFD ? 4 : 0;
	*size *= set->count;
	return set->argsz - SET_HEADER < *size || !one_of(set->flags, ACTIONS);
}

int model_set_irqs(struct model *m, const struct memory *mem, int kind)
{
	struct vfio_irq_set set;
	int32_t fd = 0;
	size_t size;

	if (mem->there < SET_HEADER)
		return -EFAULT;
	memcpy(&set, mem->at, SET_HEADER);
	if (set_is_wrong(&set, &size))
		return -EINVAL;
	if (mem->there < SET_HEADER + size)
		return -EFAULT;
	memcpy(&fd, (char *)mem->at + SET_HEADER, size);

	switch (set.flags & ACTIONS) {
	case VFIO_IRQ_SET_ACTION_TRIGGER:
		if (set.index == VFIO_PCI_REQ_IRQ_INDEX)
			return set_request(m, &set, fd, kind);
		return set_trigger(m, &set, fd, kind);
	case VFIO_IRQ_SET_ACTION_MASK:
		if (set.index == VFIO_PCI_INTX_IRQ_INDEX)
			return set_mask(m, &set, &m->mask_fd, fd, kind);
		break;
	case VFIO_IRQ_SET_ACTION_UNMASK:
		if (set.index == VFIO_PCI_INTX_IRQ_INDEX)
			return set_mask(m, &set, &m->unmask_fd, fd, kind);
		break;
	}
	return -ENOTTY;
}

static size_t region_size(const struct model *m, uint64_t index)
{
	if (index == VFIO_PCI_CONFIG_REGION_INDEX)
		return CONFIG_SIZE;
	return index < m->ports ? PORT_SIZE : 0;
}

bool model_access(const struct model *m, const struct memory *mem,
		  int64_t offset, size_t count, bool is_read, ssize_t ret)
{
	size_t there = is_read && mem->readonly ? 0 : mem->there;
	uint64_t pos = offset & ((1ULL << REGION_SHIFT) - 1);
	size_t size, total;

	if (offset < 0)
		return ret == -EINVAL;
	/* The kernel rejects buffers outside user space before calling the card. */
	if (ret == -EFAULT && (count > USER_END ||
			       (uint64_t)mem->at > USER_END - count))
		return true;
	if (count > (uint64_t)LLONG_MAX - offset)
		return ret == -EINVAL;
	if (!count)
		return !ret;
	size = region_size(m, (uint64_t)offset >> REGION_SHIFT);
	if (pos >= size)
		return ret == -EINVAL;
	total = count < size - pos ? count : size - pos;
	if (there >= total)
		return ret == (ssize_t)total;
	return ret == -EFAULT || (ret > 0 && (size_t)ret <= there);
}
