// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of a card: INTx, MSI and the request to release the device, each
 * delivered by an eventfd that the user binds with VFIO_DEVICE_SET_IRQS.
 *
 * INTx is a level. It is masked as it is signalled; on unmasking, a line that
 * is still asserted is signalled again. MSI is signalled when the line rises.
 * One of the two is in use at a time, and must be taken down before the other.
 *
 * The MSI enable bit of configuration space only remembers what was written:
 * as with vfio-pci, it is SET_IRQS that turns MSI on.
 */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/lockdep.h>
#include <linux/mdev_parent_ops.h>

#include "mtty.h"

#define MTTY_IRQ_NONE	VFIO_PCI_NUM_IRQS

/**
 * mtty_irq_init() - initialise, with no interrupt configured
 * @card: a card that nobody else can reach yet
 */
void mtty_irq_init(struct mtty_card *card)
{
	mutex_init(&card->irq.setup);
	card->irq.index = MTTY_IRQ_NONE;
}

/**
 * mtty_irq_destroy() - undo mtty_irq_init()
 * @card: a card that nobody else can reach any more
 */
void mtty_irq_destroy(struct mtty_card *card)
{
	mutex_destroy(&card->irq.setup);
}

/**
 * mtty_irq_update() - signal pending interrupts
 * @card: the card
 *
 * Call it after each change that can move the interrupt line.
 *
 * Context: under @card's lock.
 */
void mtty_irq_update(struct mtty_card *card)
{
	struct mtty_irq *irq = &card->irq;
	bool line;

	lockdep_assert_held(&card->lock);

	if (!irq->trigger)
		return;

	line = mtty_pci_irq_pending(card);
	if (irq->index == VFIO_PCI_INTX_IRQ_INDEX) {
		if (line && !irq->masked && !mtty_pci_intx_disabled(card)) {
			irq->masked = true;
			eventfd_signal(irq->trigger);
		}
	} else {
		if (line && !irq->msi_line)
			eventfd_signal(irq->trigger);
		irq->msi_line = line;
	}
}

static void mtty_intx_set_masked(struct mtty_card *card, bool masked)
{
	spin_lock(&card->lock);
	card->irq.masked = masked;
	mtty_irq_update(card);
	spin_unlock(&card->lock);
}

/* In a work item: an eventfd's wakeup must not signal another one. */
static void mtty_intx_mask_work(void *card, void *unused)
{
	mtty_intx_set_masked(card, true);
}

static void mtty_intx_unmask_work(void *card, void *unused)
{
	mtty_intx_set_masked(card, false);
}

/* Consumes the caller's reference on @trigger, and drops the old one. */
static void mtty_irq_set_trigger(struct mtty_card *card, unsigned int index,
				 struct eventfd_ctx *trigger)
{
	struct mtty_irq *irq = &card->irq;
	struct eventfd_ctx *old;

	lockdep_assert_held(&irq->setup);

	spin_lock(&card->lock);
	old = irq->trigger;
	if (irq->index != index) {
		irq->index = index;
		irq->masked = false;
	}
	irq->trigger = trigger;
	/* Signal a line that is up already to the new receiver of MSIs. */
	irq->msi_line = false;
	mtty_irq_update(card);
	spin_unlock(&card->lock);

	if (old)
		eventfd_ctx_put(old);
}

static void mtty_irq_set_request(struct mtty_card *card,
				 struct eventfd_ctx *request)
{
	struct eventfd_ctx *old;

	lockdep_assert_held(&card->irq.setup);

	spin_lock(&card->lock);
	old = card->irq.request;
	card->irq.request = request;
	spin_unlock(&card->lock);

	if (old)
		eventfd_ctx_put(old);
}

static void mtty_irq_disable(struct mtty_card *card)
{
	/* These wait for their work items, which take the card's lock. */
	vfio_virqfd_disable(&card->irq.mask);
	vfio_virqfd_disable(&card->irq.unmask);
	mtty_irq_set_trigger(card, MTTY_IRQ_NONE, NULL);
}

/**
 * mtty_irq_release() - drop all eventfds of the user
 * @card: the card
 *
 * Context: process context, may wait for running eventfd handlers.
 */
void mtty_irq_release(struct mtty_card *card)
{
	mutex_lock(&card->irq.setup);
	mtty_irq_disable(card);
	mtty_irq_set_request(card, NULL);
	mutex_unlock(&card->irq.setup);
}

/**
 * mtty_irq_request() - ask the user to release the card
 * @card: the card
 * @count: how often the user has been asked before
 */
void mtty_irq_request(struct mtty_card *card, unsigned int count)
{
	bool asked = false;

	spin_lock(&card->lock);
	if (card->irq.request) {
		eventfd_signal(card->irq.request);
		asked = true;
	}
	spin_unlock(&card->lock);

	if (asked)
		dev_dbg_ratelimited(mdev_dev(card->mdev),
				    "asked the user to let go (%u)\n", count);
	else if (!count)
		dev_notice_ratelimited(mdev_dev(card->mdev),
				       "in use, and the user has not set up a request interrupt; waiting until it is closed\n");
}

/**
 * mtty_irq_count() - get the number of interrupts of an index
 * @index: a VFIO_PCI_*_IRQ_INDEX, or any other number
 *
 * Return: 1, or 0 for an index that the card does not have.
 */
unsigned int mtty_irq_count(unsigned int index)
{
	switch (index) {
	case VFIO_PCI_INTX_IRQ_INDEX:
	case VFIO_PCI_MSI_IRQ_INDEX:
	case VFIO_PCI_REQ_IRQ_INDEX:
		return 1;
	default:
		return 0;
	}
}

/* Returns NULL for -1, which takes the eventfd away. */
static struct eventfd_ctx *mtty_irq_get_eventfd(const void *data)
{
	s32 fd = *(const s32 *)data;

	if (fd == -1)
		return NULL;
	if (fd < 0)
		return ERR_PTR(-EINVAL);
	return eventfd_ctx_fdget(fd);
}

static bool mtty_irq_wants_action(const struct vfio_irq_set *set,
				  const void *data)
{
	return (set->flags & VFIO_IRQ_SET_DATA_NONE) || *(const u8 *)data;
}

/*
 * For loop-back tests: pretend that the device has raised the interrupt. Like
 * vfio-pci, heed the command register but neither look at the mask nor set it.
 */
static void mtty_irq_fire(struct mtty_card *card)
{
	struct mtty_irq *irq = &card->irq;

	spin_lock(&card->lock);
	if (irq->trigger && !(irq->index == VFIO_PCI_INTX_IRQ_INDEX &&
			      mtty_pci_intx_disabled(card)))
		eventfd_signal(irq->trigger);
	spin_unlock(&card->lock);
}

static int mtty_irq_trigger(struct mtty_card *card,
			    const struct vfio_irq_set *set, const void *data)
{
	struct mtty_irq *irq = &card->irq;
	struct eventfd_ctx *trigger;
	bool active = irq->index == set->index;

	if (active && !set->count && (set->flags & VFIO_IRQ_SET_DATA_NONE)) {
		mtty_irq_disable(card);
		return 0;
	}
	if (set->count != 1 || (!active && irq->index != MTTY_IRQ_NONE))
		return -EINVAL;

	if (set->flags & VFIO_IRQ_SET_DATA_EVENTFD) {
		trigger = mtty_irq_get_eventfd(data);
		if (IS_ERR(trigger))
			return PTR_ERR(trigger);
		mtty_irq_set_trigger(card, set->index, trigger);
		return 0;
	}

	if (!active)
		return -EINVAL;
	if (mtty_irq_wants_action(set, data))
		mtty_irq_fire(card);
	return 0;
}

static int mtty_intx_mask(struct mtty_card *card,
			  const struct vfio_irq_set *set, const void *data,
			  bool masked)
{
	struct virqfd **virqfd = masked ? &card->irq.mask : &card->irq.unmask;
	s32 fd;

	if (card->irq.index != VFIO_PCI_INTX_IRQ_INDEX || set->count != 1)
		return -EINVAL;

	if (set->flags & VFIO_IRQ_SET_DATA_EVENTFD) {
		fd = *(const s32 *)data;
		if (fd < -1)
			return -EINVAL;
		if (fd >= 0)
			return vfio_virqfd_enable(card, NULL, masked ?
						  mtty_intx_mask_work :
						  mtty_intx_unmask_work,
						  NULL, virqfd, fd);
		vfio_virqfd_disable(virqfd);
		return 0;
	}

	if (mtty_irq_wants_action(set, data))
		mtty_intx_set_masked(card, masked);
	return 0;
}

static int mtty_request_trigger(struct mtty_card *card,
				const struct vfio_irq_set *set,
				const void *data)
{
	struct eventfd_ctx *request;

	if (set->flags & VFIO_IRQ_SET_DATA_EVENTFD) {
		if (!set->count)
			return -EINVAL;
		request = mtty_irq_get_eventfd(data);
		if (IS_ERR(request))
			return PTR_ERR(request);
		mtty_irq_set_request(card, request);
		return 0;
	}

	if (!card->irq.request)
		return -EINVAL;
	if (!set->count) {
		if (!(set->flags & VFIO_IRQ_SET_DATA_NONE))
			return -EINVAL;
		mtty_irq_set_request(card, NULL);
	} else if (mtty_irq_wants_action(set, data)) {
		/* Only this thread can take the eventfd away. */
		eventfd_signal(card->irq.request);
	}
	return 0;
}

static int mtty_irq_set_locked(struct mtty_card *card,
			       const struct vfio_irq_set *set,
			       const void *data)
{
	u32 action = set->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;

	switch (set->index) {
	case VFIO_PCI_INTX_IRQ_INDEX:
		if (action == VFIO_IRQ_SET_ACTION_TRIGGER)
			return mtty_irq_trigger(card, set, data);
		if (action == VFIO_IRQ_SET_ACTION_MASK)
			return mtty_intx_mask(card, set, data, true);
		if (action == VFIO_IRQ_SET_ACTION_UNMASK)
			return mtty_intx_mask(card, set, data, false);
		break;
	case VFIO_PCI_MSI_IRQ_INDEX:
		if (action == VFIO_IRQ_SET_ACTION_TRIGGER)
			return mtty_irq_trigger(card, set, data);
		break;
	case VFIO_PCI_REQ_IRQ_INDEX:
		if (action == VFIO_IRQ_SET_ACTION_TRIGGER)
			return mtty_request_trigger(card, set, data);
		break;
	}
	return -ENOTTY;
}

/**
 * mtty_irq_set() - change how an interrupt is delivered
 * @card: the card
 * @set: what to do, validated against mtty_irq_count(), with one action
 * @data: @set->count items of the kind that @set->flags name
 *
 * Context: process context, may wait for running eventfd handlers.
 *
 * Return: 0; -EINVAL for an index that is not in use, or while the other of
 * INTx and MSI is; -ENOTTY for an action that the index does not support; or an
 * error from binding the eventfd. After an error nothing has changed.
 */
int mtty_irq_set(struct mtty_card *card, const struct vfio_irq_set *set,
		 const void *data)
{
	int ret;

	mutex_lock(&card->irq.setup);
	ret = mtty_irq_set_locked(card, set, data);
	mutex_unlock(&card->irq.setup);
	return ret;
}
