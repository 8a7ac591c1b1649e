// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 16550A of mtty, register by register.
 *
 * Where the data sheet leaves a choice to the board, or depends on time:
 *
 * - The port has a loopback plug: TX to RX, RTS to CTS, DTR to DSR and DCD; RI is
 *   not connected.
 * - Bytes take no time, whatever the divisor: the transmitter is empty again before
 *   the write to THR returns.
 * - Words have eight bits until LCR is written, though its power-on value means five:
 *   users that don't configure the line expect their bytes unchanged.
 * - A character timeout is pending as soon as there are fewer bytes than the trigger
 *   level. The real chip waits for the time of four characters first.
 * - OUT2 does not gate the interrupt, as it does on ISA boards.
 */
#include <linux/serial_reg.h>
#include <linux/string.h>

#include "mtty_uart.h"

#define MTTY_UART_IER_BITS	(UART_IER_RDI | UART_IER_THRI | \
				 UART_IER_RLSI | UART_IER_MSI)
#define MTTY_UART_MCR_BITS	(UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT1 | \
				 UART_MCR_OUT2 | UART_MCR_LOOP)
#define MTTY_UART_FCR_BITS	(UART_FCR_ENABLE_FIFO | UART_FCR_DMA_SELECT | \
				 UART_FCR_TRIGGER_MASK)

/* The FIFOs are on; the older 16550, whose FIFOs are broken, sets one bit only. */
#define MTTY_UART_IIR_FIFO	0xc0

/* A break lacks its stop bit, so it is a framing error as well. */
#define MTTY_UART_LSR_BREAK	(UART_LSR_BI | UART_LSR_FE)

static bool mtty_uart_fifo_enabled(const struct mtty_uart *uart)
{
	return uart->fcr & UART_FCR_ENABLE_FIFO;
}

/* In internal loopback the break bit acts on the pin, not on the receiver. */
static bool mtty_uart_sends_break(const struct mtty_uart *uart)
{
	return (uart->lcr & UART_LCR_SBC) && !(uart->mcr & UART_MCR_LOOP);
}

static unsigned int mtty_uart_trigger_level(const struct mtty_uart *uart)
{
	static const u8 level[] = { 1, 4, 8, 14 };

	if (!mtty_uart_fifo_enabled(uart))
		return 1;
	return level[uart->fcr >> 6];
}

/* A line error shows in LSR when its byte is the next to read. */
static void mtty_uart_latch_head(struct mtty_uart *uart)
{
	u16 slot = 1U << uart->rx_head;

	if (uart->rx_count && (uart->rx_break & slot)) {
		uart->rx_break &= ~slot;
		uart->line_errors |= MTTY_UART_LSR_BREAK;
	}
}

static void mtty_uart_rx_clear(struct mtty_uart *uart)
{
	uart->rx_head = 0;
	uart->rx_count = 0;
	uart->rx_break = 0;
}

/* A full FIFO drops the new byte; a full RBR is overwritten. */
static void mtty_uart_receive(struct mtty_uart *uart, u8 val, bool is_break)
{
	unsigned int slot;

	if (!mtty_uart_fifo_enabled(uart)) {
		if (uart->rx_count)
			uart->line_errors |= UART_LSR_OE;
		mtty_uart_rx_clear(uart);
	} else if (uart->rx_count == MTTY_UART_FIFO_SIZE) {
		uart->line_errors |= UART_LSR_OE;
		return;
	}

	slot = (uart->rx_head + uart->rx_count) % MTTY_UART_FIFO_SIZE;
	uart->rx[slot] = val;
	if (is_break)
		uart->rx_break |= 1U << slot;
	uart->rx_count++;
	if (uart->rx_count == 1)
		mtty_uart_latch_head(uart);
}

static u8 mtty_uart_read_rbr(struct mtty_uart *uart)
{
	u8 val;

	if (!uart->rx_count)
		return 0;

	val = uart->rx[uart->rx_head];
	uart->rx_head = (uart->rx_head + 1) % MTTY_UART_FIFO_SIZE;
	uart->rx_count--;
	mtty_uart_latch_head(uart);
	return val;
}

static void mtty_uart_write_thr(struct mtty_uart *uart, u8 val)
{
	/* While the line is held in a break, the receiver sees no characters. */
	if (!mtty_uart_sends_break(uart))
		mtty_uart_receive(uart, val & uart->word_mask, false);
	uart->thre_pending = true;
}

static void mtty_uart_write_ier(struct mtty_uart *uart, u8 val)
{
	val &= MTTY_UART_IER_BITS;
	/* Enabling the interrupt while THR is empty, as it always is, raises it. */
	if (val & ~uart->ier & UART_IER_THRI)
		uart->thre_pending = true;
	uart->ier = val;
}

static void mtty_uart_write_fcr(struct mtty_uart *uart, u8 val)
{
	/* The other bits take effect only together with the enable bit. */
	if (!(val & UART_FCR_ENABLE_FIFO))
		val = 0;
	if (((val ^ uart->fcr) & UART_FCR_ENABLE_FIFO) ||
	    (val & UART_FCR_CLEAR_RCVR))
		mtty_uart_rx_clear(uart);
	uart->fcr = val & MTTY_UART_FCR_BITS;
}

/* The high half of MSR: the modem inputs, through the plug or in loopback. */
static u8 mtty_uart_modem_inputs(const struct mtty_uart *uart)
{
	u8 mcr = uart->mcr;
	u8 msr = 0;

	if (mcr & UART_MCR_RTS)
		msr |= UART_MSR_CTS;
	if (mcr & UART_MCR_DTR)
		msr |= UART_MSR_DSR;

	if (mcr & UART_MCR_LOOP) {
		if (mcr & UART_MCR_OUT1)
			msr |= UART_MSR_RI;
		if (mcr & UART_MCR_OUT2)
			msr |= UART_MSR_DCD;
	} else if (mcr & UART_MCR_DTR) {
		msr |= UART_MSR_DCD;
	}
	return msr;
}

static void mtty_uart_write_mcr(struct mtty_uart *uart, u8 val)
{
	bool was_break = mtty_uart_sends_break(uart);
	u8 old = mtty_uart_modem_inputs(uart);
	u8 changed;

	uart->mcr = val & MTTY_UART_MCR_BITS;
	changed = old ^ mtty_uart_modem_inputs(uart);

	if (changed & UART_MSR_CTS)
		uart->msr_delta |= UART_MSR_DCTS;
	if (changed & UART_MSR_DSR)
		uart->msr_delta |= UART_MSR_DDSR;
	if (changed & UART_MSR_DCD)
		uart->msr_delta |= UART_MSR_DDCD;
	/* TERI is set only at the end of a ring. */
	if (changed & old & UART_MSR_RI)
		uart->msr_delta |= UART_MSR_TERI;

	if (!was_break && mtty_uart_sends_break(uart))
		mtty_uart_receive(uart, 0, true);
}

static void mtty_uart_write_lcr(struct mtty_uart *uart, u8 val)
{
	bool was_break = mtty_uart_sends_break(uart);

	uart->lcr = val;
	/* Five to eight bits, the low ones. */
	uart->word_mask = 0xff >> (UART_LCR_WLEN8 - (val & UART_LCR_WLEN8));
	if (!was_break && mtty_uart_sends_break(uart))
		mtty_uart_receive(uart, 0, true);
}

/* The source that IIR names: the first of those enabled and pending. */
static u8 mtty_uart_irq_source(const struct mtty_uart *uart)
{
	if ((uart->ier & UART_IER_RLSI) && uart->line_errors)
		return UART_IIR_RLSI;
	if ((uart->ier & UART_IER_RDI) && uart->rx_count)
		return uart->rx_count >= mtty_uart_trigger_level(uart) ?
			UART_IIR_RDI : UART_IIR_RX_TIMEOUT;
	if ((uart->ier & UART_IER_THRI) && uart->thre_pending)
		return UART_IIR_THRI;
	if ((uart->ier & UART_IER_MSI) && uart->msr_delta)
		return UART_IIR_MSI;
	return UART_IIR_NO_INT;
}

static u8 mtty_uart_read_iir(struct mtty_uart *uart)
{
	u8 iir = mtty_uart_irq_source(uart);

	if (iir == UART_IIR_THRI)
		uart->thre_pending = false;
	if (mtty_uart_fifo_enabled(uart))
		iir |= MTTY_UART_IIR_FIFO;
	return iir;
}

static u8 mtty_uart_read_lsr(struct mtty_uart *uart)
{
	u8 lsr = UART_LSR_TEMT | UART_LSR_THRE | uart->line_errors;

	if (uart->rx_count)
		lsr |= UART_LSR_DR;
	if (mtty_uart_fifo_enabled(uart) &&
	    (uart->rx_break || (uart->line_errors & MTTY_UART_LSR_BREAK)))
		lsr |= UART_LSR_FIFOE;
	uart->line_errors = 0;
	return lsr;
}

static u8 mtty_uart_read_msr(struct mtty_uart *uart)
{
	u8 msr = mtty_uart_modem_inputs(uart) | uart->msr_delta;

	uart->msr_delta = 0;
	return msr;
}

/**
 * mtty_uart_reset() - put a UART into its power-on state
 * @uart: the UART
 */
void mtty_uart_reset(struct mtty_uart *uart)
{
	memset(uart, 0, sizeof(*uart));
	uart->word_mask = 0xff;
}

/**
 * mtty_uart_irq_pending() - the level of the UART's interrupt output
 * @uart: the UART
 *
 * Return: true while an enabled source is pending.
 */
bool mtty_uart_irq_pending(const struct mtty_uart *uart)
{
	return mtty_uart_irq_source(uart) != UART_IIR_NO_INT;
}

/**
 * mtty_uart_read() - read a register, with its side effects
 * @uart: the UART
 * @reg: 0 to 7
 *
 * Return: the register's value.
 */
u8 mtty_uart_read(struct mtty_uart *uart, unsigned int reg)
{
	bool dlab = uart->lcr & UART_LCR_DLAB;

	switch (reg) {
	case UART_RX:
		return dlab ? uart->dll : mtty_uart_read_rbr(uart);
	case UART_IER:
		return dlab ? uart->dlm : uart->ier;
	case UART_IIR:
		return mtty_uart_read_iir(uart);
	case UART_LCR:
		return uart->lcr;
	case UART_MCR:
		return uart->mcr;
	case UART_LSR:
		return mtty_uart_read_lsr(uart);
	case UART_MSR:
		return mtty_uart_read_msr(uart);
	case UART_SCR:
		return uart->scr;
	default:
		return 0xff;
	}
}

/**
 * mtty_uart_write() - write a register
 * @uart: the UART
 * @reg: 0 to 7; writes to the two status registers are ignored
 * @val: the byte
 */
void mtty_uart_write(struct mtty_uart *uart, unsigned int reg, u8 val)
{
	bool dlab = uart->lcr & UART_LCR_DLAB;

	switch (reg) {
	case UART_TX:
		if (dlab)
			uart->dll = val;
		else
			mtty_uart_write_thr(uart, val);
		break;
	case UART_IER:
		if (dlab)
			uart->dlm = val;
		else
			mtty_uart_write_ier(uart, val);
		break;
	case UART_FCR:
		mtty_uart_write_fcr(uart, val);
		break;
	case UART_LCR:
		mtty_uart_write_lcr(uart, val);
		break;
	case UART_MCR:
		mtty_uart_write_mcr(uart, val);
		break;
	case UART_SCR:
		uart->scr = val;
		break;
	}
}
