/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mtty: a purely emulated PCI serial card, as mediated devices.
 *
 * struct mtty_card is the state of one mediated device. mtty_parent.c allocates it
 * in create() and frees it in remove(); nobody else holds a reference. mtty_pci.c
 * emulates configuration space and BARs, mtty_uart.c the 16550As, mtty_irq.c
 * delivers interrupts, and mtty_vfio.c is the interface to user space.
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
 * The offset of a region in the device file. User space asks for it by
 * VFIO_DEVICE_GET_REGION_INFO, as with vfio-pci.
 */
#define MTTY_REGION_SHIFT	40
#define MTTY_REGION_OFFSET(index)	((u64)(index) << MTTY_REGION_SHIFT)
#define MTTY_REGION_MASK	(BIT_ULL(MTTY_REGION_SHIFT) - 1)

/**
 * struct mtty_type - a type of card
 * @name: last part of the type's directory name
 * @label: its ``name`` attribute
 * @ports: number of UARTs
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
 * @request: signalled to ask the user to release the card; may be NULL. Written
 *	under both locks.
 * @masked: INTx is masked, by the user or because it was signalled. Under the
 *	card's lock.
 * @msi_line: the last level, to detect a rising edge for MSI. Under the card's
 *	lock.
 * @mask: eventfd by which the user masks INTx. Under @setup, except that VFIO
 *	clears it when the eventfd is closed.
 * @unmask: likewise, to unmask INTx.
 */
struct mtty_irq {
	/**
	 * @setup: serialises changes of the configuration: SET_IRQS and release.
	 * Outermost: the card's lock nests inside it, and eventfds are bound
	 * and unbound under it. The eventfd handlers don't take it, because
	 * unbinding waits for them.
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
 * @config: configuration space; without the computed bits of the status register
 * @port: the UARTs; the card has @type->ports of them
 * @irq: how interrupts reach user space
 */
struct mtty_card {
	struct mdev_device *mdev;
	const struct mtty_type *type;
	/**
	 * @lock: protects everything below, except as struct mtty_irq says.
	 * Nests inside @irq.setup and outside the wait queue lock of an eventfd:
	 * eventfds may be signalled under it, but a wakeup of an eventfd must not
	 * take it. Don't access user memory nor sleep under it.
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
