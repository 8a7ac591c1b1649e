/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A 16550A with a loopback plug. It is independent of PCI, VFIO and mediated
 * devices, and takes no locks: the caller serialises.
 */
#ifndef _MTTY_UART_H
#define _MTTY_UART_H

#include <linux/types.h>

#define MTTY_UART_NR_REGS	8
#define MTTY_UART_FIFO_SIZE	16

/**
 * struct mtty_uart - the state of one 16550A
 * @ier: interrupt enable, the four bits that exist
 * @fcr: FIFO control without the self-clearing bits; 0 in 16450 mode
 * @lcr: line control; parity and stop bits are kept and have no effect
 * @mcr: modem control, the five bits that exist
 * @scr: scratch
 * @dll: divisor latch, low byte; kept, without effect
 * @dlm: divisor latch, high byte
 * @word_mask: the bits of a byte that are transmitted
 * @line_errors: overrun, break and framing bits of LSR, until LSR is read
 * @msr_delta: the four change bits of MSR, until MSR is read
 * @thre_pending: the interrupt of the empty transmitter is pending
 * @rx: received bytes, a ring; in 16450 mode only one is kept
 * @rx_head: index of the oldest byte in @rx
 * @rx_count: number of bytes in @rx
 * @rx_break: one bit per slot of @rx: the byte stands for a break
 */
struct mtty_uart {
	u8 ier;
	u8 fcr;
	u8 lcr;
	u8 mcr;
	u8 scr;
	u8 dll;
	u8 dlm;
	u8 word_mask;
	u8 line_errors;
	u8 msr_delta;
	bool thre_pending;
	u8 rx[MTTY_UART_FIFO_SIZE];
	u8 rx_head;
	u8 rx_count;
	u16 rx_break;
};

void mtty_uart_reset(struct mtty_uart *uart);
u8 mtty_uart_read(struct mtty_uart *uart, unsigned int reg);
void mtty_uart_write(struct mtty_uart *uart, unsigned int reg, u8 val);
bool mtty_uart_irq_pending(const struct mtty_uart *uart);

#endif /* _MTTY_UART_H */
