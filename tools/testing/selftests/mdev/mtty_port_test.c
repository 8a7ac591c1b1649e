// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sample card's ports through VFIO: each access reaches the right register
 * of the right 16550A, and Linux's driver detects a 16550A. The chip itself is
 * tested in samples/vfio-mdev/mtty_uart_kunit.c.
 */
#include <kselftest_harness.h>
#include <linux/serial_reg.h>

#include "mtty_test_lib.h"

#define LSR_IDLE (UART_LSR_TEMT | UART_LSR_THRE)
#define FIFO_SIZE 16

/* Registers of port 0, which most tests use. */
#define in(reg) mtty_in(self->card.vfio.device, 0, reg)
#define out(reg, val) \
	ASSERT_EQ(0, mtty_out(self->card.vfio.device, 0, reg, val))

FIXTURE(port)
{
	struct mtty card;
};

FIXTURE_SETUP(port)
{
	ASSERT_EQ(0, mtty_setup(&self->card, MTTY_DUAL))
		TH_LOG("%s", self->card.step);
}

FIXTURE_TEARDOWN_PARENT(port)
{
	EXPECT_EQ(0, mtty_teardown(&self->card));
}

TEST_F(port, power_on_registers_have_their_reset_values)
{
	int device = self->card.vfio.device;
	unsigned int port;

	for (port = 0; port < 2; port++) {
		EXPECT_EQ(0x00, mtty_in(device, port, UART_IER));
		EXPECT_EQ(UART_IIR_NO_INT, mtty_in(device, port, UART_IIR));
		EXPECT_EQ(0x00, mtty_in(device, port, UART_LCR));
		EXPECT_EQ(0x00, mtty_in(device, port, UART_MCR));
		EXPECT_EQ(LSR_IDLE, mtty_in(device, port, UART_LSR));
		/* No line is driven, so the loopback plug returns none. */
		EXPECT_EQ(0x00, mtty_in(device, port, UART_MSR));
		EXPECT_EQ(0x00, mtty_in(device, port, UART_SCR));
		EXPECT_EQ(0x00, mtty_in(device, port, UART_RX));
	}
}

TEST_F(port, dlab_shows_the_divisor_instead_of_data_and_ier)
{
	out(UART_IER, UART_IER_RLSI);
	out(UART_LCR, UART_LCR_DLAB | UART_LCR_WLEN8);
	out(UART_DLL, 0x5a);
	out(UART_DLM, 0xa5);
	EXPECT_EQ(0x5a, in(UART_DLL));
	EXPECT_EQ(0xa5, in(UART_DLM));

	out(UART_LCR, UART_LCR_WLEN8);
	EXPECT_EQ(UART_IER_RLSI, in(UART_IER));
	/* The write to DLL has not sent a byte. */
	EXPECT_EQ(LSR_IDLE, in(UART_LSR));
	out(UART_IER, 0);
	out(UART_TX, 0x33);
	EXPECT_EQ(0x33, in(UART_RX));

	out(UART_LCR, UART_LCR_DLAB | UART_LCR_WLEN8);
	EXPECT_EQ(0x5a, in(UART_DLL));
	EXPECT_EQ(0xa5, in(UART_DLM));
}

TEST_F(port, ports_share_no_register_and_no_byte)
{
	static const struct {
		uint8_t lcr, reg, val;
	} regs[] = {
		{ 0, UART_IER, UART_IER_RLSI },
		{ 0, UART_MCR, UART_MCR_OUT1 },
		{ 0, UART_SCR, 0x99 },
		{ UART_LCR_DLAB, UART_DLL, 0x12 },
		{ UART_LCR_DLAB, UART_DLM, 0x34 },
	};
	int device = self->card.vfio.device;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		out(UART_LCR, regs[i].lcr);
		ASSERT_EQ(0, mtty_out(device, 1, UART_LCR, regs[i].lcr));
		ASSERT_EQ(0x00, mtty_in(device, 1, regs[i].reg));
		out(regs[i].reg, regs[i].val);
		EXPECT_EQ(regs[i].val, in(regs[i].reg));
		EXPECT_EQ(0x00, mtty_in(device, 1, regs[i].reg));
	}

	out(UART_LCR, UART_LCR_WLEN8);
	EXPECT_EQ(UART_LCR_DLAB, mtty_in(device, 1, UART_LCR));
	ASSERT_EQ(0, mtty_out(device, 1, UART_LCR, UART_LCR_WLEN8));
	out(UART_TX, 'x');
	EXPECT_EQ(LSR_IDLE, mtty_in(device, 1, UART_LSR));
	EXPECT_EQ(LSR_IDLE | UART_LSR_DR, in(UART_LSR));
	ASSERT_EQ(0, mtty_out(device, 1, UART_TX, 'y'));
	EXPECT_EQ('x', in(UART_RX));
	EXPECT_EQ('y', mtty_in(device, 1, UART_RX));
}

TEST_F(port, every_byte_comes_back_on_both_ports)
{
	int device = self->card.vfio.device;
	unsigned int port, val;

	for (port = 0; port < 2; port++) {
		ASSERT_EQ(0, mtty_out(device, port, UART_LCR, UART_LCR_WLEN8));
		for (val = 0; val < 0x100; val++) {
			ASSERT_EQ(0, mtty_out(device, port, UART_TX, val));
			ASSERT_EQ(LSR_IDLE | UART_LSR_DR,
				  mtty_in(device, port, UART_LSR));
			ASSERT_EQ(val, mtty_in(device, port, UART_RX));
			ASSERT_EQ(LSR_IDLE, mtty_in(device, port, UART_LSR));
		}
	}
}

TEST_F(port, seventeenth_byte_is_lost_and_sets_overrun)
{
	int i;

	out(UART_LCR, UART_LCR_WLEN8);
	out(UART_FCR, UART_FCR_ENABLE_FIFO);
	for (i = 0; i <= FIFO_SIZE; i++)
		out(UART_TX, 0x30 + i);
	EXPECT_EQ(LSR_IDLE | UART_LSR_DR | UART_LSR_OE, in(UART_LSR));
	for (i = 0; i < FIFO_SIZE; i++)
		ASSERT_EQ(0x30 + i, in(UART_RX));
	EXPECT_EQ(LSR_IDLE, in(UART_LSR));
}

/*
 * The steps by which Linux identifies a UART, with the answers of a 16550A. Any
 * other answer identifies another chip or a broken one.
 */
TEST_F(port, linux_probe_finds_a_16550a_and_no_relative)
{
	int ier, mcr;

	/* Is there a UART? */
	ier = in(UART_IER);
	out(UART_IER, 0x00);
	ASSERT_EQ(0x00, in(UART_IER) & 0x0f);
	out(UART_IER, 0x0f);
	ASSERT_EQ(0x0f, in(UART_IER) & 0x0f);
	out(UART_IER, ier);

	/* Loopback: RTS and OUT2 come back as CTS and DCD. */
	mcr = in(UART_MCR);
	out(UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_RTS);
	EXPECT_EQ(UART_MSR_DCD | UART_MSR_CTS, in(UART_MSR) & 0xf0);
	out(UART_MCR, mcr);

	/* Working FIFOs: 16550A or better. */
	out(UART_LCR, UART_LCR_CONF_MODE_B);
	out(UART_EFR, 0);
	out(UART_LCR, 0x00);
	out(UART_FCR, UART_FCR_ENABLE_FIFO);
	ASSERT_EQ(3, in(UART_IIR) >> 6);

	/* No enhanced feature register in either mode: not a 16650. */
	out(UART_LCR, UART_LCR_CONF_MODE_A);
	EXPECT_NE(0, in(UART_EFR));
	out(UART_LCR, UART_LCR_CONF_MODE_B);
	EXPECT_NE(0, in(UART_EFR));

	/* Bank 2 does not mirror MCR's loop bit: not an NS16550 Super I/O. */
	out(UART_LCR, 0);
	mcr = in(UART_MCR);
	out(UART_MCR, mcr ^ UART_MCR_LOOP);
	out(UART_LCR, 0xe0);
	EXPECT_EQ(0, in(0x02) & UART_MCR_LOOP);
	out(UART_LCR, 0);
	out(UART_MCR, mcr);

	/* The 64-byte bit has no effect with or without DLAB: not a 16750. */
	out(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR7_64BYTE);
	EXPECT_EQ(6, in(UART_IIR) >> 5);
	out(UART_FCR, UART_FCR_ENABLE_FIFO);
	out(UART_LCR, UART_LCR_CONF_MODE_A);
	out(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR7_64BYTE);
	EXPECT_EQ(6, in(UART_IIR) >> 5);
	out(UART_FCR, UART_FCR_ENABLE_FIFO);
	out(UART_LCR, 0);

	/* No UART unit enable bit: not an XScale. */
	out(UART_IER, UART_IER_UUE);
	EXPECT_EQ(0, in(UART_IER) & UART_IER_UUE);
	out(UART_IER, 0);
}

/* As Linux measures a FIFO: 16 is a 16550A, 64 a U6 16550A. */
TEST_F(port, linux_probe_counts_sixteen_bytes_of_fifo)
{
	int count;

	out(UART_LCR, 0);
	out(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR |
	    UART_FCR_CLEAR_XMIT);
	out(UART_MCR, UART_MCR_LOOP);
	out(UART_LCR, UART_LCR_CONF_MODE_A);
	out(UART_DLL, 1);
	out(UART_DLM, 0);
	out(UART_LCR, UART_LCR_WLEN8);
	for (count = 0; count < 256; count++)
		out(UART_TX, count);
	ASSERT_EQ(true, wait_until(in(UART_LSR) & UART_LSR_TEMT, SOON_MS));

	for (count = 0; in(UART_LSR) & UART_LSR_DR && count < 256; count++)
		in(UART_RX);
	EXPECT_EQ(16, count);
}

TEST_HARNESS_MAIN
