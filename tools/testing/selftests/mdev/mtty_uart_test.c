// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registers of the sample card's 16550As, their interrupt identification
 * and modem lines. What happens to the bytes is in mtty_fifo_test.c.
 */
#include <kselftest_harness.h>
#include <linux/serial_reg.h>

#include "mtty_test_lib.h"

#define IER_ALL (UART_IER_RDI | UART_IER_THRI | UART_IER_RLSI | UART_IER_MSI)
#define MCR_ALL (UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT1 | UART_MCR_OUT2 | \
		 UART_MCR_LOOP)
#define LSR_IDLE (UART_LSR_TEMT | UART_LSR_THRE)
#define IIR_FIFO 0xc0

/* Registers of port 0, the one that most tests use. */
#define in(reg) mtty_in(self->card.vfio.device, 0, reg)
#define out(reg, val) \
	ASSERT_EQ(0, mtty_out(self->card.vfio.device, 0, reg, val))

FIXTURE(uart)
{
	struct mtty card;
};

FIXTURE_SETUP(uart)
{
	ASSERT_EQ(0, mtty_setup(&self->card, MTTY_DUAL))
		TH_LOG("%s", self->card.step);
}

FIXTURE_TEARDOWN_PARENT(uart)
{
	EXPECT_EQ(0, mtty_teardown(&self->card));
}

TEST_F(uart, power_on_registers_have_their_reset_values)
{
	int device = self->card.vfio.device;
	unsigned int port;

	for (port = 0; port < 2; port++) {
		EXPECT_EQ(0x00, mtty_in(device, port, UART_IER));
		EXPECT_EQ(UART_IIR_NO_INT, mtty_in(device, port, UART_IIR));
		EXPECT_EQ(0x00, mtty_in(device, port, UART_LCR));
		EXPECT_EQ(0x00, mtty_in(device, port, UART_MCR));
		EXPECT_EQ(LSR_IDLE, mtty_in(device, port, UART_LSR));
		/* No line is driven, so none comes back through the plug. */
		EXPECT_EQ(0x00, mtty_in(device, port, UART_MSR));
		EXPECT_EQ(0x00, mtty_in(device, port, UART_SCR));
		EXPECT_EQ(0x00, mtty_in(device, port, UART_RX));
	}
}

TEST_F(uart, ier_keeps_only_its_four_bits)
{
	unsigned int val;

	for (val = 0; val < 0x100; val++) {
		out(UART_IER, val);
		ASSERT_EQ(val & IER_ALL, in(UART_IER));
	}
}

TEST_F(uart, mcr_keeps_only_its_five_bits)
{
	unsigned int val;

	for (val = 0; val < 0x100; val++) {
		out(UART_MCR, val);
		ASSERT_EQ(val & MCR_ALL, in(UART_MCR));
	}
}

TEST_F(uart, lcr_and_scratch_keep_every_value)
{
	unsigned int val;

	for (val = 0; val < 0x100; val++) {
		out(UART_LCR, val);
		out(UART_SCR, ~val & 0xff);
		ASSERT_EQ(val, in(UART_LCR));
		ASSERT_EQ(~val & 0xff, in(UART_SCR));
	}
}

TEST_F(uart, writes_to_the_status_registers_change_nothing)
{
	/* One line up, with its change already read. */
	out(UART_MCR, UART_MCR_LOOP | UART_MCR_RTS);
	EXPECT_EQ(UART_MSR_CTS | UART_MSR_DCTS, in(UART_MSR));

	out(UART_LSR, 0x00);
	out(UART_MSR, 0x00);
	EXPECT_EQ(LSR_IDLE, in(UART_LSR));
	EXPECT_EQ(UART_MSR_CTS, in(UART_MSR));
	out(UART_LSR, 0xff);
	out(UART_MSR, 0xff);
	EXPECT_EQ(LSR_IDLE, in(UART_LSR));
	EXPECT_EQ(UART_MSR_CTS, in(UART_MSR));
}

TEST_F(uart, dlab_shows_the_divisor_instead_of_data_and_ier)
{
	out(UART_IER, UART_IER_RLSI);
	out(UART_LCR, UART_LCR_DLAB | UART_LCR_WLEN8);
	out(UART_DLL, 0x5a);
	out(UART_DLM, 0xa5);
	EXPECT_EQ(0x5a, in(UART_DLL));
	EXPECT_EQ(0xa5, in(UART_DLM));

	out(UART_LCR, UART_LCR_WLEN8);
	EXPECT_EQ(UART_IER_RLSI, in(UART_IER));
	/* The write to DLL has sent nothing. */
	EXPECT_EQ(LSR_IDLE, in(UART_LSR));
	out(UART_IER, 0);
	out(UART_TX, 0x33);
	EXPECT_EQ(0x33, in(UART_RX));

	out(UART_LCR, UART_LCR_DLAB | UART_LCR_WLEN8);
	EXPECT_EQ(0x5a, in(UART_DLL));
	EXPECT_EQ(0xa5, in(UART_DLM));
}

TEST_F(uart, dlab_moves_only_the_first_two_registers)
{
	out(UART_MCR, UART_MCR_RTS);
	out(UART_SCR, 0x77);
	out(UART_LCR, UART_LCR_DLAB);
	EXPECT_EQ(UART_IIR_NO_INT, in(UART_IIR));
	EXPECT_EQ(UART_MCR_RTS, in(UART_MCR));
	EXPECT_EQ(LSR_IDLE, in(UART_LSR));
	EXPECT_EQ(UART_MSR_CTS | UART_MSR_DCTS, in(UART_MSR));
	EXPECT_EQ(0x77, in(UART_SCR));
}

TEST_F(uart, ports_share_no_register_and_no_byte)
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

TEST_F(uart, loopback_turns_outputs_into_inputs)
{
	unsigned int lines;
	int msr;

	for (lines = 0; lines < 0x10; lines++) {
		int expected = 0;

		if (lines & UART_MCR_RTS)
			expected |= UART_MSR_CTS;
		if (lines & UART_MCR_DTR)
			expected |= UART_MSR_DSR;
		if (lines & UART_MCR_OUT1)
			expected |= UART_MSR_RI;
		if (lines & UART_MCR_OUT2)
			expected |= UART_MSR_DCD;

		out(UART_MCR, UART_MCR_LOOP | lines);
		msr = in(UART_MSR);
		ASSERT_EQ(expected, msr & 0xf0);
		/* The changes are gone by the second look, the lines not. */
		ASSERT_EQ(expected, in(UART_MSR));
	}
}

TEST_F(uart, plug_brings_rts_and_dtr_back)
{
	out(UART_MCR, UART_MCR_RTS);
	EXPECT_EQ(UART_MSR_CTS | UART_MSR_DCTS, in(UART_MSR));
	out(UART_MCR, UART_MCR_DTR);
	EXPECT_EQ(UART_MSR_DSR | UART_MSR_DCD |
		  UART_MSR_DCTS | UART_MSR_DDSR | UART_MSR_DDCD, in(UART_MSR));
	/* The other two outputs go nowhere. */
	out(UART_MCR, UART_MCR_OUT1 | UART_MCR_OUT2);
	EXPECT_EQ(UART_MSR_DDSR | UART_MSR_DDCD, in(UART_MSR));
}

TEST_F(uart, modem_line_changes_are_flagged_until_msr_is_read)
{
	static const struct {
		uint8_t output, input, delta;
	} lines[] = {
		{ UART_MCR_RTS, UART_MSR_CTS, UART_MSR_DCTS },
		{ UART_MCR_DTR, UART_MSR_DSR, UART_MSR_DDSR },
		{ UART_MCR_OUT2, UART_MSR_DCD, UART_MSR_DDCD },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		out(UART_MCR, UART_MCR_LOOP);
		in(UART_MSR);
		out(UART_MCR, UART_MCR_LOOP | lines[i].output);
		EXPECT_EQ(lines[i].input | lines[i].delta, in(UART_MSR));
		EXPECT_EQ(lines[i].input, in(UART_MSR));
		out(UART_MCR, UART_MCR_LOOP);
		EXPECT_EQ(lines[i].delta, in(UART_MSR));
		EXPECT_EQ(0, in(UART_MSR));
		/* There and back again is a change too. */
		out(UART_MCR, UART_MCR_LOOP | lines[i].output);
		out(UART_MCR, UART_MCR_LOOP);
		EXPECT_EQ(lines[i].delta, in(UART_MSR));
	}
}

TEST_F(uart, ring_is_flagged_when_it_ends)
{
	out(UART_MCR, UART_MCR_LOOP);
	in(UART_MSR);
	out(UART_MCR, UART_MCR_LOOP | UART_MCR_OUT1);
	EXPECT_EQ(UART_MSR_RI, in(UART_MSR));
	out(UART_MCR, UART_MCR_LOOP);
	EXPECT_EQ(UART_MSR_TERI, in(UART_MSR));
	EXPECT_EQ(0, in(UART_MSR));
}

TEST_F(uart, iir_tells_whether_the_fifos_are_enabled)
{
	EXPECT_EQ(UART_IIR_NO_INT, in(UART_IIR));
	out(UART_FCR, UART_FCR_ENABLE_FIFO);
	EXPECT_EQ(IIR_FIFO | UART_IIR_NO_INT, in(UART_IIR));
	/* FCR is write-only: its other bits show nowhere. */
	out(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_DMA_SELECT |
	    UART_FCR_R_TRIG_11);
	EXPECT_EQ(IIR_FIFO | UART_IIR_NO_INT, in(UART_IIR));
	out(UART_FCR, UART_FCR_R_TRIG_11);
	EXPECT_EQ(UART_IIR_NO_INT, in(UART_IIR));
}

TEST_F(uart, iir_writes_reach_fcr_and_not_the_pending_cause)
{
	out(UART_IER, UART_IER_THRI);
	out(UART_IIR, 0);
	EXPECT_EQ(UART_IIR_THRI, in(UART_IIR));
}

/* Every source at once, then one after the other is served. */
TEST_F(uart, iir_names_the_sources_by_priority)
{
	out(UART_LCR, UART_LCR_WLEN8);
	out(UART_MCR, UART_MCR_LOOP);
	in(UART_MSR);
	out(UART_TX, 'a');
	out(UART_TX, 'b');			/* overrun */
	out(UART_MCR, UART_MCR_LOOP | UART_MCR_RTS);
	out(UART_IER, IER_ALL);

	EXPECT_EQ(UART_IIR_RLSI, in(UART_IIR));
	EXPECT_EQ(UART_IIR_RLSI, in(UART_IIR));
	EXPECT_EQ(LSR_IDLE | UART_LSR_DR | UART_LSR_OE, in(UART_LSR));
	EXPECT_EQ(UART_IIR_RDI, in(UART_IIR));
	EXPECT_EQ(UART_IIR_RDI, in(UART_IIR));
	EXPECT_EQ('b', in(UART_RX));
	/* This one ends by being named. */
	EXPECT_EQ(UART_IIR_THRI, in(UART_IIR));
	EXPECT_EQ(UART_IIR_MSI, in(UART_IIR));
	EXPECT_EQ(UART_IIR_MSI, in(UART_IIR));
	EXPECT_EQ(UART_MSR_CTS | UART_MSR_DCTS, in(UART_MSR));
	EXPECT_EQ(UART_IIR_NO_INT, in(UART_IIR));
}

TEST_F(uart, iir_names_only_enabled_sources)
{
	static const struct {
		uint8_t ier, iir;
	} sources[] = {
		{ 0, UART_IIR_NO_INT },
		{ UART_IER_RLSI, UART_IIR_RLSI },
		{ UART_IER_RDI, UART_IIR_RDI },
		{ UART_IER_THRI, UART_IIR_THRI },
		{ UART_IER_MSI, UART_IIR_MSI },
		{ UART_IER_RDI | UART_IER_MSI, UART_IIR_RDI },
		{ UART_IER_THRI | UART_IER_MSI, UART_IIR_THRI },
	};
	size_t i;

	out(UART_MCR, UART_MCR_LOOP);
	out(UART_MCR, UART_MCR_LOOP | UART_MCR_RTS);
	out(UART_TX, 'a');
	out(UART_TX, 'b');
	for (i = 0; i < ARRAY_SIZE(sources); i++) {
		out(UART_IER, 0);
		out(UART_IER, sources[i].ier);
		EXPECT_EQ(sources[i].iir, in(UART_IIR))
			TH_LOG("IER %02x", sources[i].ier);
	}
}

TEST_F(uart, thre_interrupt_comes_on_enable_and_ends_when_iir_names_it)
{
	out(UART_IER, UART_IER_THRI);
	EXPECT_EQ(UART_IIR_THRI, in(UART_IIR));
	EXPECT_EQ(UART_IIR_NO_INT, in(UART_IIR));
	/* Enabled already: nothing new has happened. */
	out(UART_IER, UART_IER_THRI);
	EXPECT_EQ(UART_IIR_NO_INT, in(UART_IIR));
}

TEST_F(uart, thre_interrupt_rearms_at_every_byte_and_every_enable)
{
	int i;

	out(UART_IER, UART_IER_THRI);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(UART_IIR_THRI, in(UART_IIR));
		EXPECT_EQ(UART_IIR_NO_INT, in(UART_IIR));
		out(UART_TX, 'a' + i);
		EXPECT_EQ(true, wait_until(in(UART_LSR) & UART_LSR_THRE,
					   SOON_MS));
	}
	EXPECT_EQ(UART_IIR_THRI, in(UART_IIR));

	/* The 8250 driver calls a chip that fails this THRE-buggy. */
	for (i = 0; i < 3; i++) {
		out(UART_IER, 0);
		EXPECT_EQ(UART_IIR_NO_INT, in(UART_IIR));
		out(UART_IER, UART_IER_THRI);
		EXPECT_EQ(UART_IIR_THRI, in(UART_IIR));
		EXPECT_EQ(UART_IIR_NO_INT, in(UART_IIR));
	}
}

TEST_F(uart, thre_interrupt_survives_the_naming_of_another_source)
{
	out(UART_LCR, UART_LCR_WLEN8);
	out(UART_TX, 'a');
	out(UART_IER, UART_IER_THRI | UART_IER_RDI);
	EXPECT_EQ(UART_IIR_RDI, in(UART_IIR));
	EXPECT_EQ('a', in(UART_RX));
	EXPECT_EQ(UART_IIR_THRI, in(UART_IIR));
	EXPECT_EQ(UART_IIR_NO_INT, in(UART_IIR));
}

/*
 * The steps by which Linux tells UARTs apart, with what a 16550A answers at
 * each: any other answer makes it some other chip, or a broken one.
 */
TEST_F(uart, linux_probe_finds_a_16550a_and_no_relative)
{
	int ier, mcr;

	/* Is anything there? */
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

	/* FIFOs that work: 16550A or better. */
	out(UART_LCR, UART_LCR_CONF_MODE_B);
	out(UART_EFR, 0);
	out(UART_LCR, 0x00);
	out(UART_FCR, UART_FCR_ENABLE_FIFO);
	ASSERT_EQ(3, in(UART_IIR) >> 6);

	/* No enhanced features register in either mode: no 16650. */
	out(UART_LCR, UART_LCR_CONF_MODE_A);
	EXPECT_NE(0, in(UART_EFR));
	out(UART_LCR, UART_LCR_CONF_MODE_B);
	EXPECT_NE(0, in(UART_EFR));

	/* Bank 2 does not mirror MCR's loop bit: no NS16550 super I/O. */
	out(UART_LCR, 0);
	mcr = in(UART_MCR);
	out(UART_MCR, mcr ^ UART_MCR_LOOP);
	out(UART_LCR, 0xe0);
	EXPECT_EQ(0, in(0x02) & UART_MCR_LOOP);
	out(UART_LCR, 0);
	out(UART_MCR, mcr);

	/* The 64-byte bit has no effect, with or without DLAB: no 16750. */
	out(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR7_64BYTE);
	EXPECT_EQ(6, in(UART_IIR) >> 5);
	out(UART_FCR, UART_FCR_ENABLE_FIFO);
	out(UART_LCR, UART_LCR_CONF_MODE_A);
	out(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR7_64BYTE);
	EXPECT_EQ(6, in(UART_IIR) >> 5);
	out(UART_FCR, UART_FCR_ENABLE_FIFO);
	out(UART_LCR, 0);

	/* No UART unit enable bit: no XScale. */
	out(UART_IER, UART_IER_UUE);
	EXPECT_EQ(0, in(UART_IER) & UART_IER_UUE);
	out(UART_IER, 0);
}

/* How Linux measures a FIFO: 16 is a 16550A, 64 would be a U6 16550A. */
TEST_F(uart, linux_probe_counts_sixteen_bytes_of_fifo)
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
