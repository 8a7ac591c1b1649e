/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mtty: a PCI serial card made of nothing, as mediated devices.
 *
 * struct mtty_card is the state of one mediated device: mtty_parent.c builds it
 * in create() and frees it in remove(), nobody else holds a reference. Its
 * parts belong to mtty_pci.c (configuration space and BARs), mtty_uart.c (the
 * 16550As) and mtty_irq.c (the way interrupts leave); mtty_vfio.c is where
 * user space comes in.
 */
#ifndef _MTTY_H
#define _MTTY_H

#include <linux/bits.h>
#include <linux/mutex.h>
#include <linux/pci_regs.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/vfio.h>

#include "mtty_uart.h"

struct eventfd_ctx;
struct mdev_device;
struct virqfd;

/* One port per BAR, from BAR0 on. */
#define MTTY_MAX_PORTS		2

#define MTTY_CONFIG_SIZE	256

/*
 * Where a region lies in the device file: user space learns it from
 * VFIO_DEVICE_GET_REGION_INFO, as with vfio-pci.
 */
#define MTTY_REGION_SHIFT	40
#define MTTY_REGION_OFFSET(index)	((u64)(index) << MTTY_REGION_SHIFT)
#define MTTY_REGION_MASK	(BIT_ULL(MTTY_REGION_SHIFT) - 1)

/**
 * struct mtty_type - one of the types on offer
 * @name: last part of the type's directory name
 * @label: what its ``name`` attribute says
 * @ports: UARTs on such a card
 */
struct mtty_type {
	const char *name;
	const char *label;
	unsigned int ports;
};

/**
 * struct mtty_irq - how a card's interrupts reach user space
 * @index: the index in use, %VFIO_PCI_INTX_IRQ_INDEX or %VFIO_PCI_MSI_IRQ_INDEX,
 *	or %VFIO_PCI_NUM_IRQS for none. Written under both locks.
 * @trigger: signalled when an interrupt of @index arrives; may be NULL. Written
 *	under both locks.
 * @request: signalled when somebody wants the card back; may be NULL. Written
 *	under both locks.
 * @masked: INTx is masked, by the user or because it was signalled. Under the
 *	card's lock.
 * @msi_line: the level that MSI has seen last, to tell a rising edge. Under the
 *	card's lock.
 * @mask: eventfd by which the user masks INTx. Under @setup; the eventfd's
 *	own end clears it under a lock of vfio's.
 * @unmask: likewise, to unmask INTx.
 */
struct mtty_irq {
	/**
	 * @setup: serialises those who change the set-up: SET_IRQS and release.
	 * Outermost: the card's lock is taken inside it, and eventfds are bound
	 * and unbound under it. Not taken by the eventfd handlers, since
	 * unbinding waits for these.
	 */
	struct mutex setup;
	unsigned int index;
	struct eventfd_ctx *trigger;
	struct eventfd_ctx *request;
	bool masked;
	bool msi_line;
	struct virqfd *mask;
	struct virqfd *unmask;
};

/**
 * struct mtty_card - one mediated device
 * @mdev: the device; outlives the card
 * @type: its type
 * @config: configuration space; status holds only what is not computed
 * @port: the UARTs; @type->ports of them are there
 * @irq: the way interrupts leave
 */
struct mtty_card {
	struct mdev_device *mdev;
	const struct mtty_type *type;
	/**
	 * @lock: protects everything below, but for what struct mtty_irq says.
	 * Inside @irq.setup, outside the wait queue lock of an eventfd: eventfds
	 * may be signalled under it, but nobody may take it from the wakeup of
	 * one. No access to user memory and no sleeping under it.
	 */
	spinlock_t lock;
	u8 config[MTTY_CONFIG_SIZE];
	struct mtty_uart port[MTTY_MAX_PORTS];
	struct mtty_irq irq;
};

/* mtty_pci.c */
void mtty_pci_reset(struct mtty_card *card);
void mtty_pci_enable(struct mtty_card *card);
size_t mtty_region_size(const struct mtty_card *card, unsigned int index);
void mtty_region_read(struct mtty_card *card, unsigned int index,
		      unsigned int pos, u8 *buf, size_t count);
void mtty_region_write(struct mtty_card *card, unsigned int index,
		       unsigned int pos, const u8 *buf, size_t count);
bool mtty_pci_irq_pending(const struct mtty_card *card);
bool mtty_pci_intx_disabled(const struct mtty_card *card);

/* mtty_irq.c */
void mtty_irq_init(struct mtty_card *card);
void mtty_irq_destroy(struct mtty_card *card);
void mtty_irq_update(struct mtty_card *card);
void mtty_irq_release(struct mtty_card *card);
void mtty_irq_request(struct mtty_card *card, unsigned int count);
unsigned int mtty_irq_count(unsigned int index);
int mtty_irq_set(struct mtty_card *card, const struct vfio_irq_set *set,
		 const void *data);

/* mtty_vfio.c */
int mtty_open(struct mdev_device *mdev);
void mtty_release(struct mdev_device *mdev);
ssize_t mtty_read(struct mdev_device *mdev, char __user *buf, size_t count,
		  loff_t *ppos);
ssize_t mtty_write(struct mdev_device *mdev, const char __user *buf,
		   size_t count, loff_t *ppos);
long mtty_ioctl(struct mdev_device *mdev, unsigned int cmd, unsigned long arg);
int mtty_get_region_info(struct mdev_device *mdev,
			 struct vfio_region_info *info,
			 struct vfio_info_cap *caps);
void mtty_request(struct mdev_device *mdev, unsigned int count);

#endif /* _MTTY_H */
