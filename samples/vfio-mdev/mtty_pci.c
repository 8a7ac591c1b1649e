// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PCI function of a card: configuration space, and I/O BARs of eight ports, one
 * for each UART.
 *
 * All accesses are done byte by byte, as on a card with an eight-bit data path, so
 * any width and alignment works.
 */
#include <linux/lockdep.h>
#include <linux/nospec.h>
#include <linux/string.h>

#include "mtty.h"

#define MTTY_VENDOR_ID		0x4348
#define MTTY_DEVICE_ID		0x3253
#define MTTY_REVISION		0x10

/* Serial controller, programming interface 16550. */
#define MTTY_CLASS_CODE		0x070002

/* MSI with a 64-bit address, one vector, no per-vector mask: 14 bytes. */
#define MTTY_CAP_MSI		0x40

#define MTTY_COMMAND_BITS	(PCI_COMMAND_IO | PCI_COMMAND_MASTER | \
				 PCI_COMMAND_INTX_DISABLE)
#define MTTY_STATUS_W1C_BITS	(PCI_STATUS_PARITY | \
				 PCI_STATUS_SIG_TARGET_ABORT | \
				 PCI_STATUS_REC_TARGET_ABORT | \
				 PCI_STATUS_REC_MASTER_ABORT | \
				 PCI_STATUS_SIG_SYSTEM_ERROR | \
				 PCI_STATUS_DETECTED_PARITY)

/* The writable bits in the lowest byte of an I/O BAR of eight ports. */
#define MTTY_BAR_BITS		0xf8

#define LOW(word)	((word) & 0xff)
#define HIGH(word)	((word) >> 8)

/* Writable bits. Cards with one port don't have BAR1. */
static const u8 mtty_config_writable[MTTY_CONFIG_SIZE] = {
	[PCI_COMMAND]		= LOW(MTTY_COMMAND_BITS),
	[PCI_COMMAND + 1]	= HIGH(MTTY_COMMAND_BITS),
	[PCI_BASE_ADDRESS_0]	= MTTY_BAR_BITS, 0xff, 0xff, 0xff,
	[PCI_BASE_ADDRESS_1]	= MTTY_BAR_BITS, 0xff, 0xff, 0xff,
	[PCI_INTERRUPT_LINE]	= 0xff,
	[MTTY_CAP_MSI + PCI_MSI_FLAGS]		= PCI_MSI_FLAGS_ENABLE,
	[MTTY_CAP_MSI + PCI_MSI_ADDRESS_LO]	= 0xfc, 0xff, 0xff, 0xff,
	[MTTY_CAP_MSI + PCI_MSI_ADDRESS_HI]	= 0xff, 0xff, 0xff, 0xff,
	[MTTY_CAP_MSI + PCI_MSI_DATA_64]	= 0xff, 0xff,
};

static void mtty_config_set_word(struct mtty_card *card, unsigned int pos,
				 u16 val)
{
	card->config[pos] = LOW(val);
	card->config[pos + 1] = HIGH(val);
}

/**
 * mtty_pci_reset() - put configuration space and UARTs into power-on state
 * @card: the card
 *
 * Context: under @card's lock, or while nobody else can reach @card.
 */
void mtty_pci_reset(struct mtty_card *card)
{
	unsigned int i;

	memset(card->config, 0, sizeof(card->config));
	mtty_config_set_word(card, PCI_VENDOR_ID, MTTY_VENDOR_ID);
	mtty_config_set_word(card, PCI_DEVICE_ID, MTTY_DEVICE_ID);
	mtty_config_set_word(card, PCI_STATUS,
			     PCI_STATUS_CAP_LIST | PCI_STATUS_DEVSEL_MEDIUM);
	card->config[PCI_REVISION_ID] = MTTY_REVISION;
	card->config[PCI_CLASS_PROG] = MTTY_CLASS_CODE & 0xff;
	mtty_config_set_word(card, PCI_CLASS_DEVICE, MTTY_CLASS_CODE >> 8);
	mtty_config_set_word(card, PCI_SUBSYSTEM_VENDOR_ID, MTTY_VENDOR_ID);
	mtty_config_set_word(card, PCI_SUBSYSTEM_ID, MTTY_DEVICE_ID);
	card->config[PCI_CAPABILITY_LIST] = MTTY_CAP_MSI;
	card->config[PCI_INTERRUPT_PIN] = 1;
	card->config[MTTY_CAP_MSI + PCI_CAP_LIST_ID] = PCI_CAP_ID_MSI;
	mtty_config_set_word(card, MTTY_CAP_MSI + PCI_MSI_FLAGS,
			     PCI_MSI_FLAGS_64BIT);

	for (i = 0; i < card->type->ports; i++) {
		card->config[PCI_BASE_ADDRESS_0 + 4 * i] =
			PCI_BASE_ADDRESS_SPACE_IO;
		mtty_uart_reset(&card->port[i]);
	}
}

/**
 * mtty_pci_enable() - enable I/O decoding of the BARs
 * @card: the card, locked
 */
void mtty_pci_enable(struct mtty_card *card)
{
	card->config[PCI_COMMAND] |= PCI_COMMAND_IO;
}

/**
 * mtty_pci_irq_pending() - does any UART request an interrupt?
 * @card: the card, locked
 *
 * Return: the level of INTA#, regardless of the INTx disable bit.
 */
bool mtty_pci_irq_pending(const struct mtty_card *card)
{
	unsigned int i;

	for (i = 0; i < card->type->ports; i++)
		if (mtty_uart_irq_pending(&card->port[i]))
			return true;
	return false;
}

/**
 * mtty_pci_intx_disabled() - is the INTx disable bit set?
 * @card: the card, locked
 *
 * Return: true if it is.
 */
bool mtty_pci_intx_disabled(const struct mtty_card *card)
{
	return card->config[PCI_COMMAND + 1] & HIGH(PCI_COMMAND_INTX_DISABLE);
}

static u8 mtty_config_read(const struct mtty_card *card, unsigned int pos)
{
	u8 val = card->config[pos];

	/* Set even if INTx is disabled. */
	if (pos == PCI_STATUS && mtty_pci_irq_pending(card))
		val |= PCI_STATUS_INTERRUPT;
	return val;
}

static bool mtty_config_absent(const struct mtty_card *card, unsigned int pos)
{
	return pos >= PCI_BASE_ADDRESS_0 + 4 * card->type->ports &&
	       pos <= PCI_BASE_ADDRESS_5 + 3;
}

static void mtty_config_write(struct mtty_card *card, unsigned int pos, u8 val)
{
	u8 writable = mtty_config_writable[pos];

	if (mtty_config_absent(card, pos))
		return;
	if (pos == PCI_STATUS)
		card->config[pos] &= ~(val & LOW(MTTY_STATUS_W1C_BITS));
	else if (pos == PCI_STATUS + 1)
		card->config[pos] &= ~(val & HIGH(MTTY_STATUS_W1C_BITS));
	else
		card->config[pos] = (card->config[pos] & ~writable) |
				    (val & writable);
}

static bool mtty_io_enabled(const struct mtty_card *card)
{
	return card->config[PCI_COMMAND] & PCI_COMMAND_IO;
}

/**
 * mtty_region_size() - get the size of a VFIO region in bytes
 * @card: the card
 * @index: a VFIO_PCI_*_REGION_INDEX, or any other number
 *
 * Return: 0 for a region that this card does not have.
 */
size_t mtty_region_size(const struct mtty_card *card, unsigned int index)
{
	if (index == VFIO_PCI_CONFIG_REGION_INDEX)
		return MTTY_CONFIG_SIZE;
	if (index < card->type->ports)
		return MTTY_UART_NR_REGS;
	return 0;
}

/* The index comes from user space: don't speculate beyond the array. */
static struct mtty_uart *mtty_port(struct mtty_card *card, unsigned int index)
{
	return &card->port[array_index_nospec(index, ARRAY_SIZE(card->port))];
}

/**
 * mtty_region_read() - read registers, in ascending order
 * @card: the card
 * @index: a region that this card has
 * @pos: where to begin
 * @buf: takes the bytes
 * @count: how many; they all lie within the region
 *
 * While I/O decoding is off, BARs read as ones.
 *
 * Context: under @card's lock.
 */
void mtty_region_read(struct mtty_card *card, unsigned int index,
		      unsigned int pos, u8 *buf, size_t count)
{
	struct mtty_uart *port;
	size_t i;

	lockdep_assert_held(&card->lock);

	if (index == VFIO_PCI_CONFIG_REGION_INDEX) {
		for (i = 0; i < count; i++)
			buf[i] = mtty_config_read(card, pos + i);
		return;
	}

	if (!mtty_io_enabled(card)) {
		memset(buf, 0xff, count);
		return;
	}
	port = mtty_port(card, index);
	for (i = 0; i < count; i++) {
		buf[i] = mtty_uart_read(port, pos + i);
		mtty_irq_update(card);
	}
}

/**
 * mtty_region_write() - write registers, in ascending order
 * @card: the card
 * @index: a region that this card has
 * @pos: where to begin
 * @buf: the bytes
 * @count: how many; they all lie within the region
 *
 * While I/O decoding is off, writes to BARs are ignored.
 *
 * Context: under @card's lock.
 */
void mtty_region_write(struct mtty_card *card, unsigned int index,
		       unsigned int pos, const u8 *buf, size_t count)
{
	struct mtty_uart *port;
	size_t i;

	lockdep_assert_held(&card->lock);

	if (index == VFIO_PCI_CONFIG_REGION_INDEX) {
		for (i = 0; i < count; i++)
			mtty_config_write(card, pos + i, buf[i]);
		/* The INTx disable bit may have moved the line. */
		mtty_irq_update(card);
		return;
	}

	if (!mtty_io_enabled(card))
		return;
	port = mtty_port(card, index);
	for (i = 0; i < count; i++) {
		mtty_uart_write(port, pos + i, buf[i]);
		mtty_irq_update(card);
	}
}
