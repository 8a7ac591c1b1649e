// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens to bytes in the sample card's 16550As, whose output is plugged
 * into their own input.
 */
#include <kselftest_harness.h>
#include <linux/serial_reg.h>

#include "mtty_test_lib.h"

#define LSR_IDLE (UART_LSR_TEMT | UART_LSR_THRE)
#define LSR_BREAK (UART_LSR_BI | UART_LSR_FE)
#define IIR_FIFO 0xc0
#define FIFO_SIZE 16
#define FCR_ON UART_FCR_ENABLE_FIFO

#define in(reg) mtty_in(self->card.vfio.device, 0, reg)
#define out(reg, val) \
	ASSERT_EQ(0, mtty_out(self->card.vfio.device, 0, reg, val))

FIXTURE(fifo)
{
	struct mtty card;
};

FIXTURE_SETUP(fifo)
{
	ASSERT_EQ(0, mtty_setup_8n1(&self->card, MTTY_DUAL))
		TH_LOG("%s", self->card.step);
}

FIXTURE_TEARDOWN_PARENT(fifo)
{
	EXPECT_EQ(0, mtty_teardown(&self->card));
}

/* Send @count bytes from @first upwards. */
#define send(first, count) do {						\
	int n_;								\
									\
	for (n_ = 0; n_ < (count); n_++)				\
		out(UART_TX, (first) + n_);				\
} while (0)

/* Find them, in order, and nothing behind them. */
#define expect_received(first, count) do {				\
	int n_;								\
									\
	for (n_ = 0; n_ < (count); n_++) {				\
		ASSERT_EQ(UART_LSR_DR, in(UART_LSR) & UART_LSR_DR)	\
			TH_LOG("only %d bytes came", n_);		\
		ASSERT_EQ((first) + n_, in(UART_RX));			\
	}								\
	EXPECT_EQ(LSR_IDLE, in(UART_LSR));				\
} while (0)

TEST_F(fifo, every_byte_comes_back_on_both_ports)
{
	int device = self->card.vfio.device;
	unsigned int port, val;

	for (port = 0; port < 2; port++) {
		for (val = 0; val < 0x100; val++) {
			ASSERT_EQ(0, mtty_out(device, port, UART_TX, val));
			ASSERT_EQ(LSR_IDLE | UART_LSR_DR,
				  mtty_in(device, port, UART_LSR));
			ASSERT_EQ(val, mtty_in(device, port, UART_RX));
			ASSERT_EQ(LSR_IDLE, mtty_in(device, port, UART_LSR));
		}
	}
}

TEST_F(fifo, loopback_brings_bytes_back_too)
{
	out(UART_MCR, UART_MCR_LOOP);
	out(UART_FCR, FCR_ON);
	send(0x40, 5);
	expect_received(0x40, 5);
}

TEST_F(fifo, without_fifo_a_second_byte_overruns_the_first)
{
	out(UART_TX, 'a');
	EXPECT_EQ(LSR_IDLE | UART_LSR_DR, in(UART_LSR));
	out(UART_TX, 'b');
	EXPECT_EQ(LSR_IDLE | UART_LSR_DR | UART_LSR_OE, in(UART_LSR));
	/* Reading LSR has taken the error away. */
	EXPECT_EQ(LSR_IDLE | UART_LSR_DR, in(UART_LSR));
	expect_received('b', 1);
}

TEST_F(fifo, sixteen_bytes_fit_in_the_fifo)
{
	out(UART_FCR, FCR_ON);
	send(0x30, FIFO_SIZE);
	EXPECT_EQ(LSR_IDLE | UART_LSR_DR, in(UART_LSR));
	expect_received(0x30, FIFO_SIZE);
}

TEST_F(fifo, seventeenth_byte_is_lost_and_sets_overrun)
{
	out(UART_FCR, FCR_ON);
	send(0x30, FIFO_SIZE + 1);
	EXPECT_EQ(LSR_IDLE | UART_LSR_DR | UART_LSR_OE, in(UART_LSR));
	EXPECT_EQ(LSR_IDLE | UART_LSR_DR, in(UART_LSR));
	expect_received(0x30, FIFO_SIZE);
}

TEST_F(fifo, fifo_takes_more_as_it_is_read)
{
	int i;

	out(UART_FCR, FCR_ON);
	send(0, 10);
	/* Round and round: the head passes every slot. */
	for (i = 0; i < 40; i++) {
		out(UART_TX, 10 + i);
		ASSERT_EQ(i, in(UART_RX));
	}
	expect_received(40, 10);
}

TEST_F(fifo, clearing_the_receiver_drops_what_it_holds)
{
	out(UART_FCR, FCR_ON);
	send('a', 5);
	out(UART_FCR, FCR_ON | UART_FCR_CLEAR_XMIT);
	EXPECT_EQ(LSR_IDLE | UART_LSR_DR, in(UART_LSR));
	out(UART_FCR, FCR_ON | UART_FCR_CLEAR_RCVR);
	EXPECT_EQ(LSR_IDLE, in(UART_LSR));
	/* The bit has cleared itself: what comes next stays. */
	send('x', 3);
	expect_received('x', 3);
}

TEST_F(fifo, switching_the_fifo_on_or_off_drops_what_is_there)
{
	out(UART_TX, 'a');
	EXPECT_EQ(LSR_IDLE | UART_LSR_DR, in(UART_LSR));
	out(UART_FCR, FCR_ON);
	EXPECT_EQ(LSR_IDLE, in(UART_LSR));
	send('b', 3);
	/* On already: nothing is dropped. */
	out(UART_FCR, FCR_ON);
	EXPECT_EQ(LSR_IDLE | UART_LSR_DR, in(UART_LSR));
	out(UART_FCR, 0);
	EXPECT_EQ(LSR_IDLE, in(UART_LSR));
}

TEST_F(fifo, fcr_without_the_enable_bit_does_nothing_else)
{
	out(UART_TX, 'a');
	out(UART_FCR, UART_FCR_CLEAR_RCVR | UART_FCR_R_TRIG_11);
	expect_received('a', 1);
	/* The trigger level was not taken either. */
	out(UART_FCR, FCR_ON);
	out(UART_IER, UART_IER_RDI);
	out(UART_TX, 'b');
	EXPECT_EQ(IIR_FIFO | UART_IIR_RDI, in(UART_IIR));
}

TEST_F(fifo, without_fifo_one_byte_is_data_available)
{
	out(UART_IER, UART_IER_RDI);
	EXPECT_EQ(UART_IIR_NO_INT, in(UART_IIR));
	out(UART_TX, 'a');
	EXPECT_EQ(UART_IIR_RDI, in(UART_IIR));
	EXPECT_EQ('a', in(UART_RX));
	EXPECT_EQ(UART_IIR_NO_INT, in(UART_IIR));
}

TEST_F(fifo, trigger_level_tells_data_available_from_timeout)
{
	static const struct {
		uint8_t fcr;
		int level;
	} triggers[] = {
		{ UART_FCR_R_TRIG_00, 1 },
		{ UART_FCR_R_TRIG_01, 4 },
		{ UART_FCR_R_TRIG_10, 8 },
		{ UART_FCR_R_TRIG_11, 14 },
	};
	size_t i;
	int held;

	out(UART_IER, UART_IER_RDI);
	for (i = 0; i < ARRAY_SIZE(triggers); i++) {
		out(UART_FCR, FCR_ON | UART_FCR_CLEAR_RCVR | triggers[i].fcr);
		ASSERT_EQ(IIR_FIFO | UART_IIR_NO_INT, in(UART_IIR));

		for (held = 1; held < triggers[i].level; held++) {
			out(UART_TX, held);
			/* Nobody reads, so a timeout has to come. */
			ASSERT_EQ(true, wait_until(in(UART_IIR) ==
				  (IIR_FIFO | UART_IIR_RX_TIMEOUT), SOON_MS))
				TH_LOG("level %d, %d held", triggers[i].level,
				       held);
		}
		for (; held <= FIFO_SIZE; held++) {
			out(UART_TX, held);
			ASSERT_EQ(IIR_FIFO | UART_IIR_RDI, in(UART_IIR))
				TH_LOG("level %d, %d held", triggers[i].level,
				       held);
		}
		for (held = FIFO_SIZE; held > triggers[i].level; held--)
			in(UART_RX);
		ASSERT_EQ(IIR_FIFO | UART_IIR_RDI, in(UART_IIR));
		in(UART_RX);
		ASSERT_NE(IIR_FIFO | UART_IIR_RDI, in(UART_IIR));
		for (held--; held > 0; held--)
			in(UART_RX);
		ASSERT_EQ(IIR_FIFO | UART_IIR_NO_INT, in(UART_IIR));
	}
}

TEST_F(fifo, timeout_ends_when_the_fifo_is_empty)
{
	out(UART_FCR, FCR_ON | UART_FCR_R_TRIG_10);
	out(UART_IER, UART_IER_RDI);
	send('a', 2);
	ASSERT_EQ(true, wait_until(in(UART_IIR) ==
				   (IIR_FIFO | UART_IIR_RX_TIMEOUT), SOON_MS));
	EXPECT_EQ('a', in(UART_RX));
	ASSERT_EQ(true, wait_until(in(UART_IIR) ==
				   (IIR_FIFO | UART_IIR_RX_TIMEOUT), SOON_MS));
	EXPECT_EQ('b', in(UART_RX));
	EXPECT_EQ(IIR_FIFO | UART_IIR_NO_INT, in(UART_IIR));
}

TEST_F(fifo, overrun_is_a_line_status_interrupt_until_lsr_is_read)
{
	out(UART_FCR, FCR_ON);
	out(UART_IER, UART_IER_RLSI);
	send(0, FIFO_SIZE);
	EXPECT_EQ(IIR_FIFO | UART_IIR_NO_INT, in(UART_IIR));
	out(UART_TX, 0xee);
	EXPECT_EQ(IIR_FIFO | UART_IIR_RLSI, in(UART_IIR));
	EXPECT_EQ(LSR_IDLE | UART_LSR_DR | UART_LSR_OE, in(UART_LSR));
	EXPECT_EQ(IIR_FIFO | UART_IIR_NO_INT, in(UART_IIR));
}

TEST_F(fifo, break_arrives_as_one_zero_byte_with_its_flags)
{
	out(UART_IER, UART_IER_RLSI);
	out(UART_LCR, UART_LCR_WLEN8 | UART_LCR_SBC);
	EXPECT_EQ(UART_IIR_RLSI, in(UART_IIR));
	EXPECT_EQ(LSR_IDLE | UART_LSR_DR | LSR_BREAK, in(UART_LSR));
	EXPECT_EQ(UART_IIR_NO_INT, in(UART_IIR));
	EXPECT_EQ(0, in(UART_RX));
	/* Still held: a break is one byte however long it lasts. */
	EXPECT_EQ(LSR_IDLE, in(UART_LSR));
	out(UART_LCR, UART_LCR_WLEN8);
	EXPECT_EQ(LSR_IDLE, in(UART_LSR));
	out(UART_TX, 'a');
	expect_received('a', 1);
}

TEST_F(fifo, break_does_not_pass_internal_loopback)
{
	out(UART_MCR, UART_MCR_LOOP);
	out(UART_LCR, UART_LCR_WLEN8 | UART_LCR_SBC);
	EXPECT_EQ(LSR_IDLE, in(UART_LSR));
	out(UART_TX, 'a');
	expect_received('a', 1);
}

TEST_F(fifo, break_shows_when_its_byte_is_next)
{
	out(UART_FCR, FCR_ON);
	out(UART_IER, UART_IER_RLSI);
	out(UART_TX, 'a');
	out(UART_LCR, UART_LCR_WLEN8 | UART_LCR_SBC);
	out(UART_LCR, UART_LCR_WLEN8);
	out(UART_TX, 'b');

	/* An error lies somewhere in the FIFO, but not at its head. */
	EXPECT_EQ(LSR_IDLE | UART_LSR_DR | UART_LSR_FIFOE, in(UART_LSR));
	EXPECT_EQ(IIR_FIFO | UART_IIR_NO_INT, in(UART_IIR));
	EXPECT_EQ('a', in(UART_RX));
	EXPECT_EQ(IIR_FIFO | UART_IIR_RLSI, in(UART_IIR));
	EXPECT_EQ(LSR_IDLE | UART_LSR_DR | LSR_BREAK | UART_LSR_FIFOE,
		  in(UART_LSR));
	EXPECT_EQ(LSR_IDLE | UART_LSR_DR, in(UART_LSR));
	EXPECT_EQ(0, in(UART_RX));
	expect_received('b', 1);
}

TEST_F(fifo, short_words_lose_their_high_bits)
{
	static const struct {
		uint8_t lcr, mask;
	} words[] = {
		{ UART_LCR_WLEN5, 0x1f },
		{ UART_LCR_WLEN6, 0x3f },
		{ UART_LCR_WLEN7, 0x7f },
		{ UART_LCR_WLEN8, 0xff },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		out(UART_LCR, words[i].lcr);
		out(UART_TX, 0xff);
		EXPECT_EQ(words[i].mask, in(UART_RX));
		out(UART_TX, 0xaa);
		EXPECT_EQ(0xaa & words[i].mask, in(UART_RX));
	}
}

TEST_HARNESS_MAIN
