// SPDX-License-Identifier: GPL-2.0-only
/*
 * mdev-serial: use a mediated serial card from user space, through VFIO.
 *
 * The card is a PCI function with one I/O BAR of eight ports per UART; what a
 * UART sends comes back at its own receiver.
 */
#include "mdev-serial.h"
#include "vfio_user.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/serial_reg.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CONFIG VFIO_PCI_CONFIG_REGION_INDEX
#define INTX VFIO_PCI_INTX_IRQ_INDEX
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define UART_PORTS 8
#define MAX_UARTS (VFIO_PCI_BAR5_REGION_INDEX + 1)
#define LCR_8N1 UART_LCR_WLEN8
#define SCRATCH_MARK 0xa5
/* A safety limit, far more than the device needs. */
#define TIMEOUT_MS 5000

struct card {
	const char *uuid;
	struct vfio_user vfio;
	int device;
	int intx;		/* eventfd, or -1 */
	unsigned int bars[MAX_UARTS];
	unsigned int num_uarts;
};

int complain(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fputs("mdev-serial: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return -1;
}

int complain_errno(int error, const char *what)
{
	return complain("%s: %s", what, strerror(-error));
}

static int config_read16(struct card *card, unsigned int where, uint16_t *val)
{
	int ret = vfio_user_read16(card->device, CONFIG, where, val);

	return ret ? complain_errno(ret, "read configuration space") : 0;
}

static int config_write16(struct card *card, unsigned int where, uint16_t val)
{
	int ret = vfio_user_write16(card->device, CONFIG, where, val);

	return ret ? complain_errno(ret, "write configuration space") : 0;
}

static int uart_read(struct card *card, unsigned int port, unsigned int reg,
		     uint8_t *val)
{
	int ret = vfio_user_read8(card->device, card->bars[port], reg, val);

	return ret ? complain_errno(ret, "read a UART register") : 0;
}

static int uart_write(struct card *card, unsigned int port, unsigned int reg,
		      uint8_t val)
{
	int ret = vfio_user_write8(card->device, card->bars[port], reg, val);

	return ret ? complain_errno(ret, "write a UART register") : 0;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Poll the line status until one of @bits is set. */
static int wait_lsr(struct card *card, unsigned int port, uint8_t bits)
{
	int64_t end = now_ms() + TIMEOUT_MS;
	uint8_t lsr;

	do {
		if (uart_read(card, port, UART_LSR, &lsr))
			return -1;
		if (lsr & bits)
			return 0;
	} while (now_ms() < end);

	return complain("port %u: line status stays %02x, none of %02x came",
			port, lsr, bits);
}

static int find_uarts(struct card *card)
{
	struct vfio_region_info region;
	unsigned int bar;
	int ret;

	for (bar = 0; bar < MAX_UARTS; bar++) {
		ret = vfio_user_region_info(card->device, bar, &region);
		if (ret)
			return complain_errno(ret, "ask for a region");
		if (region.size == UART_PORTS)
			card->bars[card->num_uarts++] = bar;
	}
	if (!card->num_uarts)
		return complain("no BAR has the %d ports of a UART",
				UART_PORTS);
	return 0;
}

static int show_device(struct card *card)
{
	struct vfio_device_info info;
	uint16_t vendor, device;
	uint32_t class;
	int ret;

	ret = vfio_user_device_info(card->device, &info);
	if (ret)
		return complain_errno(ret, "ask for the device");
	if (!(info.flags & VFIO_DEVICE_FLAGS_PCI))
		return complain("not a PCI device (flags %x)", info.flags);

	if (config_read16(card, PCI_VENDOR_ID, &vendor) ||
	    config_read16(card, PCI_DEVICE_ID, &device))
		return -1;
	ret = vfio_user_read32(card->device, CONFIG, PCI_CLASS_REVISION,
			       &class);
	if (ret)
		return complain_errno(ret, "read the class");
	if (class >> 16 != 0x0700)
		return complain("%04x:%04x is no serial controller (class %06x)",
				vendor, device, class >> 8);
	if (find_uarts(card))
		return -1;

	printf("device  %04x:%04x, class %02x %02x %02x (serial controller%s)\n",
	       vendor, device, class >> 24, class >> 16 & 0xff,
	       class >> 8 & 0xff,
	       (class >> 8 & 0xff) == 2 ? ", 16550 compatible" : "");
	printf("        %u UART%s, IOMMU group %u\n", card->num_uarts,
	       card->num_uarts == 1 ? "" : "s", card->vfio.group_id);
	return 0;
}

static int start_uart(struct card *card, unsigned int port)
{
	static const struct {
		uint8_t reg, val;
	} setup[] = {
		{ UART_LCR, UART_LCR_DLAB },
		{ UART_DLL, 1 },	/* 115200 baud */
		{ UART_DLM, 0 },
		{ UART_LCR, LCR_8N1 },
		{ UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR |
			    UART_FCR_CLEAR_XMIT },
		{ UART_MCR, UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT2 },
		{ UART_IER, 0 },
		{ UART_SCR, SCRATCH_MARK },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(setup); i++) {
		if (uart_write(card, port, setup[i].reg, setup[i].val))
			return -1;
	}
	return 0;
}

/* One byte at a time, because the line is longer than the FIFO is deep. */
static int echo_line(struct card *card, unsigned int port)
{
	char line[32], back[sizeof(line)];
	size_t i, len;

	len = snprintf(line, sizeof(line), "hello from port %u", port);
	line[len] = '\n';

	for (i = 0; i <= len; i++) {
		if (wait_lsr(card, port, UART_LSR_THRE) ||
		    uart_write(card, port, UART_TX, line[i]) ||
		    wait_lsr(card, port, UART_LSR_DR) ||
		    uart_read(card, port, UART_RX, (uint8_t *)&back[i]))
			return -1;
	}
	if (memcmp(line, back, len + 1))
		return complain("port %u: sent \"%.*s\", received \"%.*s\"",
				port, (int)len, line, (int)len, back);

	printf("port %u  sent \"%.*s\", received \"%.*s\"\n", port, (int)len,
	       line, (int)len, back);
	return 0;
}

static const char *cause_name(uint8_t iir)
{
	if (iir & UART_IIR_NO_INT)
		return "none";
	switch (iir & 0x0e) {
	case UART_IIR_RLSI:
		return "receiver line status";
	case UART_IIR_RDI:
		return "received data available";
	case UART_IIR_RX_TIMEOUT:
		return "received data waiting";
	case UART_IIR_THRI:
		return "transmitter empty";
	case UART_IIR_MSI:
		return "modem status";
	default:
		return "unknown";
	}
}

/* Wait for INTx, check and clear its cause, and unmask it. */
static int take_interrupt(struct card *card, unsigned int port, uint8_t cause)
{
	uint8_t iir, byte;
	int ret;

	ret = vfio_user_eventfd_wait(card->intx, TIMEOUT_MS, NULL);
	if (ret)
		return complain_errno(ret, "wait for INTx");
	if (uart_read(card, port, UART_IIR, &iir))
		return -1;
	printf("port %u  INTx on the eventfd, IIR %02x: %s\n", port, iir,
	       cause_name(iir));
	if ((iir & 0x0f) != cause)
		return complain("port %u: expected \"%s\"", port,
				cause_name(cause));

	if (cause == UART_IIR_RDI) {
		if (uart_read(card, port, UART_RX, &byte))
			return -1;
		if (byte != '!')
			return complain("port %u: sent 21, received %02x", port,
					byte);
	}
	if (uart_write(card, port, UART_IER, 0))
		return -1;

	/* INTx was masked as it fired; when unmasked, it must stay quiet. */
	ret = vfio_user_irq_none(card->device, INTX, VFIO_IRQ_SET_ACTION_UNMASK,
				 0, 1);
	if (ret)
		return complain_errno(ret, "unmask INTx");
	ret = vfio_user_eventfd_wait(card->intx, 0, NULL);
	if (ret != -ETIMEDOUT)
		return complain("port %u: INTx again, without a cause", port);
	return 0;
}

static int interrupts(struct card *card, unsigned int port)
{
	if (uart_write(card, port, UART_IER, UART_IER_RDI) ||
	    uart_write(card, port, UART_TX, '!') ||
	    take_interrupt(card, port, UART_IIR_RDI))
		return -1;

	if (uart_write(card, port, UART_IER, UART_IER_THRI))
		return -1;
	return take_interrupt(card, port, UART_IIR_THRI);
}

static int start_card(struct card *card)
{
	unsigned int port;
	int ret;

	/* A BAR answers only while the function decodes I/O. */
	if (config_write16(card, PCI_COMMAND, PCI_COMMAND_IO))
		return -1;

	card->intx = vfio_user_eventfd();
	if (card->intx < 0)
		return complain_errno(card->intx, "make an eventfd");
	ret = vfio_user_irq_eventfd(card->device, INTX,
				    VFIO_IRQ_SET_ACTION_TRIGGER, card->intx);
	if (ret)
		return complain_errno(ret, "connect INTx to an eventfd");

	for (port = 0; port < card->num_uarts; port++) {
		if (start_uart(card, port))
			return -1;
	}
	return 0;
}

static int expect(unsigned int port, const char *name, uint8_t val,
		  uint8_t expected)
{
	if (val == expected)
		return 0;
	return complain("port %u: %s is %02x, at power-on it is %02x", port,
			name, val, expected);
}

static int check_power_on(struct card *card, unsigned int port)
{
	static const struct {
		const char *name;
		uint8_t reg, val;
	} regs[] = {
		{ "IER", UART_IER, 0x00 },
		{ "IIR", UART_IIR, UART_IIR_NO_INT },
		{ "LCR", UART_LCR, 0x00 },
		{ "MCR", UART_MCR, 0x00 },
		{ "LSR", UART_LSR, UART_LSR_TEMT | UART_LSR_THRE },
		{ "SCR", UART_SCR, 0x00 },
	};
	uint8_t val;
	size_t i;

	printf("        port %u:", port);
	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		if (uart_read(card, port, regs[i].reg, &val))
			return -1;
		printf(" %s %02x", regs[i].name, val);
		if (expect(port, regs[i].name, val, regs[i].val))
			return -1;
	}
	putchar('\n');
	return 0;
}

static int reset_card(struct card *card)
{
	uint16_t before, after;
	unsigned int port;
	int ret;

	/* Set up state to be reset: unread input, an interrupt enable. */
	for (port = 0; port < card->num_uarts; port++) {
		if (uart_write(card, port, UART_TX, '?') ||
		    uart_write(card, port, UART_IER, UART_IER_MSI))
			return -1;
	}
	if (config_read16(card, PCI_COMMAND, &before))
		return -1;
	ret = vfio_user_reset(card->device);
	if (ret)
		return complain_errno(ret, "reset the device");
	if (config_read16(card, PCI_COMMAND, &after))
		return -1;
	printf("reset   PCI command %04x before, %04x after\n", before, after);
	if (after)
		return complain("the command register is 0000 at power-on");

	if (config_write16(card, PCI_COMMAND, PCI_COMMAND_IO))
		return -1;
	for (port = 0; port < card->num_uarts; port++) {
		if (check_power_on(card, port))
			return -1;
	}
	puts("        back to power-on state");
	return 0;
}

static int demonstrate(struct card *card)
{
	unsigned int port;
	int ret;

	if (show_device(card) || start_card(card))
		return -1;
	for (port = 0; port < card->num_uarts; port++) {
		if (echo_line(card, port) || interrupts(card, port))
			return -1;
	}
	ret = vfio_user_irq_disable(card->device, INTX);
	if (ret)
		return complain_errno(ret, "disconnect INTx");
	return reset_card(card);
}

static int print_help(FILE *out)
{
	fputs("usage: mdev-serial [-w] UUID\n"
	      "\n"
	      "Open the mediated serial card UUID through /dev/vfio, send a line through each\n"
	      "UART and read it back, receive its interrupts on an eventfd, reset the card.\n"
	      "\n"
	      "  -w  only hold the card open: until end of input, a signal, or until the\n"
	      "      kernel asks to give it back because somebody removes it\n"
	      "  -h  this help\n"
	      "\n"
	      "Exit status: 0 done, 1 something failed, 2 wrong usage.\n", out);
	return out == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
	struct card card = { .intx = -1 };
	bool wait = false;
	int opt, ret;

	while ((opt = getopt(argc, argv, "hw")) != -1) {
		if (opt == 'h')
			return print_help(stdout);
		if (opt != 'w')
			return print_help(stderr);
		wait = true;
	}
	if (optind + 1 != argc)
		return print_help(stderr);

	card.uuid = argv[optind];
	ret = vfio_user_open(&card.vfio, card.uuid);
	if (ret) {
		complain_errno(ret, card.vfio.step);
		return 1;
	}
	card.device = card.vfio.device;

	ret = wait ? hold_open(card.device, card.uuid) : demonstrate(&card);
	if (card.intx >= 0)
		close(card.intx);
	vfio_user_close(&card.vfio);
	if (fflush(stdout))
		ret = complain_errno(-errno, "write to standard output");
	return ret ? 1 : 0;
}
