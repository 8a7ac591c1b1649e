// SPDX-License-Identifier: GPL-2.0-only
/* KUnit: the 16550A of mtty, without a card around it. */
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/serial_reg.h>

#include "mtty_uart.h"

/* The bits of IIR that show that the FIFOs are on. */
#define IIR_FIFO 0xc0

#define LSR_IDLE (UART_LSR_TEMT | UART_LSR_THRE)

static int uart_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct mtty_uart), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, test->priv);
	/* A reset must overwrite all previous state. */
	memset(test->priv, 0xff, sizeof(struct mtty_uart));
	mtty_uart_reset(test->priv);
	return 0;
}

static u8 in(struct kunit *test, unsigned int reg)
{
	return mtty_uart_read(test->priv, reg);
}

static void out(struct kunit *test, unsigned int reg, u8 val)
{
	mtty_uart_write(test->priv, reg, val);
}

static void out_bytes(struct kunit *test, u8 first, unsigned int count)
{
	while (count--)
		out(test, UART_TX, first++);
}

static void fifo_on(struct kunit *test, u8 trigger)
{
	out(test, UART_FCR, UART_FCR_ENABLE_FIFO | trigger);
}

/* Macros, so that a failure reports the caller's line. */
#define expect_in(_test, _reg, _val)					\
do {									\
	struct kunit *test_ = (_test);					\
									\
	KUNIT_EXPECT_EQ(test_, (unsigned int)(_val),			\
			(unsigned int)in(test_, _reg));			\
} while (0)

#define expect_irq(_test, _on)						\
do {									\
	struct kunit *test_ = (_test);					\
									\
	KUNIT_EXPECT_EQ(test_, _on, mtty_uart_irq_pending(test_->priv)); \
} while (0)

/* Registers */

static void reset_state_is_that_of_power_on(struct kunit *test)
{
	expect_in(test, UART_RX, 0);
	expect_in(test, UART_IER, 0);
	expect_in(test, UART_IIR, UART_IIR_NO_INT);
	expect_in(test, UART_LCR, 0);
	expect_in(test, UART_MCR, 0);
	expect_in(test, UART_LSR, LSR_IDLE);
	expect_in(test, UART_MSR, 0);
	expect_in(test, UART_SCR, 0);
	expect_irq(test, false);
	out(test, UART_LCR, UART_LCR_DLAB);
	expect_in(test, UART_DLL, 0);
	expect_in(test, UART_DLM, 0);
}

static void every_register_keeps_only_bits_that_exist(struct kunit *test)
{
	unsigned int val;

	for (val = 0; val <= 0xff; val++) {
		out(test, UART_SCR, val);
		expect_in(test, UART_SCR, val);
		out(test, UART_LCR, val);
		expect_in(test, UART_LCR, val);
		out(test, UART_LCR, 0);
		out(test, UART_IER, val);
		expect_in(test, UART_IER, val & 0x0f);
		out(test, UART_MCR, val);
		expect_in(test, UART_MCR, val & 0x1f);
	}
}

static void status_registers_ignore_writes(struct kunit *test)
{
	out(test, UART_LSR, 0xff);
	out(test, UART_MSR, 0xff);
	expect_in(test, UART_LSR, LSR_IDLE);
	expect_in(test, UART_MSR, 0);
}

static void registers_beyond_the_eighth_do_nothing(struct kunit *test)
{
	struct mtty_uart before = *(struct mtty_uart *)test->priv;

	out(test, MTTY_UART_NR_REGS, 0x55);
	expect_in(test, MTTY_UART_NR_REGS, 0xff);
	KUNIT_EXPECT_EQ(test, 0, memcmp(&before, test->priv, sizeof(before)));
}

static void divisor_latch_hides_data_and_ier(struct kunit *test)
{
	out(test, UART_IER, UART_IER_RDI);
	out(test, UART_LCR, UART_LCR_DLAB | UART_LCR_WLEN8);
	out(test, UART_DLL, 0x34);
	out(test, UART_DLM, 0x12);
	expect_in(test, UART_DLL, 0x34);
	expect_in(test, UART_DLM, 0x12);
	/* Nothing was sent, and IER is as it was. */
	expect_in(test, UART_LSR, LSR_IDLE);
	out(test, UART_LCR, UART_LCR_WLEN8);
	expect_in(test, UART_IER, UART_IER_RDI);
	out(test, UART_LCR, UART_LCR_DLAB);
	expect_in(test, UART_DLL, 0x34);
	expect_in(test, UART_DLM, 0x12);
}

/* Data */

static void byte_comes_back_through_the_plug(struct kunit *test)
{
	unsigned int val;

	for (val = 0; val <= 0xff; val++) {
		out(test, UART_TX, val);
		expect_in(test, UART_LSR, LSR_IDLE | UART_LSR_DR);
		expect_in(test, UART_RX, val);
		expect_in(test, UART_LSR, LSR_IDLE);
	}
}

static void word_length_cuts_high_bits(struct kunit *test)
{
	static const u8 mask[] = { 0x1f, 0x3f, 0x7f, 0xff };
	unsigned int wlen;

	for (wlen = UART_LCR_WLEN5; wlen <= UART_LCR_WLEN8; wlen++) {
		out(test, UART_LCR, wlen);
		out(test, UART_TX, 0xff);
		expect_in(test, UART_RX, mask[wlen]);
	}
}

static void single_register_is_overrun_by_the_second_byte(struct kunit *test)
{
	out(test, UART_TX, 'a');
	out(test, UART_TX, 'b');
	expect_in(test, UART_LSR, LSR_IDLE | UART_LSR_DR | UART_LSR_OE);
	/* Reading LSR clears the error, not the data. */
	expect_in(test, UART_LSR, LSR_IDLE | UART_LSR_DR);
	expect_in(test, UART_RX, 'b');
	expect_in(test, UART_LSR, LSR_IDLE);
}

static void fifo_holds_sixteen_in_order(struct kunit *test)
{
	unsigned int round, i;

	fifo_on(test, UART_FCR_TRIGGER_1);
	/* Repeat, so that the ring wraps at every position. */
	for (round = 0; round < MTTY_UART_FIFO_SIZE; round++) {
		out_bytes(test, round, MTTY_UART_FIFO_SIZE - 1);
		for (i = 0; i < MTTY_UART_FIFO_SIZE - 1; i++)
			expect_in(test, UART_RX, round + i);
		expect_in(test, UART_LSR, LSR_IDLE);
	}
}

static void full_fifo_keeps_what_it_has(struct kunit *test)
{
	unsigned int i;

	fifo_on(test, UART_FCR_TRIGGER_1);
	out_bytes(test, 0, MTTY_UART_FIFO_SIZE);
	expect_in(test, UART_LSR, LSR_IDLE | UART_LSR_DR);
	out(test, UART_TX, 0xee);
	expect_in(test, UART_LSR, LSR_IDLE | UART_LSR_DR | UART_LSR_OE);
	for (i = 0; i < MTTY_UART_FIFO_SIZE; i++)
		expect_in(test, UART_RX, i);
	expect_in(test, UART_LSR, LSR_IDLE);
	expect_in(test, UART_RX, 0);
}

static void fifo_is_cleared_on_demand_and_by_the_switch(struct kunit *test)
{
	fifo_on(test, UART_FCR_TRIGGER_1);
	out_bytes(test, 0, 5);
	fifo_on(test, UART_FCR_TRIGGER_1);
	expect_in(test, UART_LSR, LSR_IDLE | UART_LSR_DR);
	fifo_on(test, UART_FCR_CLEAR_RCVR);
	expect_in(test, UART_LSR, LSR_IDLE);

	out_bytes(test, 0, 5);
	out(test, UART_FCR, 0);
	expect_in(test, UART_LSR, LSR_IDLE);
	out(test, UART_TX, 'a');
	fifo_on(test, UART_FCR_TRIGGER_1);
	expect_in(test, UART_LSR, LSR_IDLE);
}

static void clear_without_enable_has_no_effect(struct kunit *test)
{
	out(test, UART_TX, 'a');
	out(test, UART_FCR, UART_FCR_CLEAR_RCVR);
	expect_in(test, UART_RX, 'a');
}

static void iir_says_whether_the_fifo_is_on(struct kunit *test)
{
	expect_in(test, UART_IIR, UART_IIR_NO_INT);
	fifo_on(test, UART_FCR_TRIGGER_1);
	expect_in(test, UART_IIR, UART_IIR_NO_INT | IIR_FIFO);
	out(test, UART_FCR, UART_FCR_TRIGGER_14);
	expect_in(test, UART_IIR, UART_IIR_NO_INT);
}

/* Break */

static void break_is_a_nul_with_its_errors(struct kunit *test)
{
	out(test, UART_LCR, UART_LCR_WLEN8 | UART_LCR_SBC);
	expect_in(test, UART_LSR, LSR_IDLE | UART_LSR_DR | UART_LSR_BI |
		  UART_LSR_FE);
	expect_in(test, UART_RX, 0);
	/* A break is received once, however long it lasts, and blocks data. */
	out(test, UART_LCR, UART_LCR_WLEN8 | UART_LCR_SBC);
	out(test, UART_TX, 'a');
	expect_in(test, UART_LSR, LSR_IDLE);
	out(test, UART_LCR, UART_LCR_WLEN8);
	out(test, UART_TX, 'b');
	expect_in(test, UART_RX, 'b');
}

static void break_in_the_fifo_shows_when_it_is_next(struct kunit *test)
{
	fifo_on(test, UART_FCR_TRIGGER_14);
	out(test, UART_TX, 'a');
	out(test, UART_LCR, UART_LCR_WLEN8 | UART_LCR_SBC);
	out(test, UART_LCR, UART_LCR_WLEN8);
	out(test, UART_TX, 'b');
	/* The break is in the FIFO, but not next: */
	expect_in(test, UART_LSR, LSR_IDLE | UART_LSR_DR | UART_LSR_FIFOE);
	expect_in(test, UART_RX, 'a');
	expect_in(test, UART_LSR, LSR_IDLE | UART_LSR_DR | UART_LSR_FIFOE |
		  UART_LSR_BI | UART_LSR_FE);
	expect_in(test, UART_RX, 0);
	expect_in(test, UART_LSR, LSR_IDLE | UART_LSR_DR);
	expect_in(test, UART_RX, 'b');
}

static void break_does_not_reach_the_receiver_in_loopback(struct kunit *test)
{
	out(test, UART_MCR, UART_MCR_LOOP);
	out(test, UART_LCR, UART_LCR_WLEN8 | UART_LCR_SBC);
	expect_in(test, UART_LSR, LSR_IDLE);
	out(test, UART_TX, 'a');
	expect_in(test, UART_RX, 'a');
	/* Leaving loopback lets the break through. */
	out(test, UART_MCR, 0);
	expect_in(test, UART_LSR, LSR_IDLE | UART_LSR_DR | UART_LSR_BI |
		  UART_LSR_FE);
}

/* Modem lines */

static const struct modem_case {
	const char *name;
	u8 mcr;
	u8 msr;
} modem_table[] = {
	{ "nothing", 0, 0 },
	{ "DTR", UART_MCR_DTR, UART_MSR_DSR | UART_MSR_DCD },
	{ "RTS", UART_MCR_RTS, UART_MSR_CTS },
	{ "both", UART_MCR_DTR | UART_MCR_RTS,
	  UART_MSR_DSR | UART_MSR_DCD | UART_MSR_CTS },
	{ "OUT1, OUT2", UART_MCR_OUT1 | UART_MCR_OUT2, 0 },
	{ "loop", UART_MCR_LOOP, 0 },
	{ "loop, DTR", UART_MCR_LOOP | UART_MCR_DTR, UART_MSR_DSR },
	{ "loop, RTS", UART_MCR_LOOP | UART_MCR_RTS, UART_MSR_CTS },
	{ "loop, OUT1", UART_MCR_LOOP | UART_MCR_OUT1, UART_MSR_RI },
	{ "loop, OUT2", UART_MCR_LOOP | UART_MCR_OUT2, UART_MSR_DCD },
};

static void modem_name(const struct modem_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(modem, modem_table, modem_name);

static void modem_inputs_follow_the_outputs(struct kunit *test)
{
	const struct modem_case *c = test->param_value;
	/* Each change bit is four bits below its input. */
	u8 delta = c->msr >> 4;

	/* TERI is set at the end of a ring, not at its start. */
	delta &= ~UART_MSR_TERI;
	out(test, UART_MCR, c->mcr);
	expect_in(test, UART_MSR, c->msr | delta);
	expect_in(test, UART_MSR, c->msr);
	out(test, UART_MCR, 0);
	expect_in(test, UART_MSR, c->msr >> 4);
	expect_in(test, UART_MSR, 0);
}

static void modem_changes_add_up_until_read(struct kunit *test)
{
	out(test, UART_MCR, UART_MCR_RTS);
	out(test, UART_MCR, UART_MCR_DTR);
	out(test, UART_MCR, 0);
	expect_in(test, UART_MSR, UART_MSR_DCTS | UART_MSR_DDSR |
		  UART_MSR_DDCD);
	expect_in(test, UART_MSR, 0);
}

/* Interrupts */

static void interrupt_needs_its_enable_bit(struct kunit *test)
{
	out(test, UART_TX, 'a');
	out(test, UART_TX, 'b');
	out(test, UART_MCR, UART_MCR_RTS);
	expect_irq(test, false);
	expect_in(test, UART_IIR, UART_IIR_NO_INT);
	out(test, UART_IER, UART_IER_RLSI);
	expect_irq(test, true);
	expect_in(test, UART_IIR, UART_IIR_RLSI);
	out(test, UART_IER, UART_IER_RDI);
	expect_in(test, UART_IIR, UART_IIR_RDI);
	out(test, UART_IER, UART_IER_MSI);
	expect_in(test, UART_IIR, UART_IIR_MSI);
	out(test, UART_IER, 0);
	expect_irq(test, false);
}

/* All four are pending: each shows once those above it have been served. */
static void interrupts_show_by_priority(struct kunit *test)
{
	out(test, UART_TX, 'a');
	out(test, UART_TX, 'b');
	out(test, UART_MCR, UART_MCR_RTS);
	out(test, UART_IER, UART_IER_RLSI | UART_IER_RDI | UART_IER_THRI |
	    UART_IER_MSI);
	expect_in(test, UART_IIR, UART_IIR_RLSI);
	in(test, UART_LSR);
	expect_in(test, UART_IIR, UART_IIR_RDI);
	in(test, UART_RX);
	/* Reading IIR serves this one. */
	expect_in(test, UART_IIR, UART_IIR_THRI);
	expect_in(test, UART_IIR, UART_IIR_MSI);
	in(test, UART_MSR);
	expect_in(test, UART_IIR, UART_IIR_NO_INT);
	expect_irq(test, false);
}

static void empty_transmitter_interrupts_once(struct kunit *test)
{
	out(test, UART_IER, UART_IER_THRI);
	expect_irq(test, true);
	expect_in(test, UART_IIR, UART_IIR_THRI);
	expect_irq(test, false);
	/* Fires again after a byte or a new enable, but not if already enabled. */
	out(test, UART_IER, UART_IER_THRI);
	expect_irq(test, false);
	out(test, UART_TX, 'a');
	expect_in(test, UART_IIR, UART_IIR_THRI);
	out(test, UART_IER, 0);
	out(test, UART_IER, UART_IER_THRI);
	expect_in(test, UART_IIR, UART_IIR_THRI);
	expect_irq(test, false);
}

static void reading_iir_serves_only_what_it_shows(struct kunit *test)
{
	out(test, UART_IER, UART_IER_THRI | UART_IER_RDI);
	out(test, UART_TX, 'a');
	expect_in(test, UART_IIR, UART_IIR_RDI);
	in(test, UART_RX);
	expect_in(test, UART_IIR, UART_IIR_THRI);
}

static const struct trigger_case {
	const char *name;
	u8 fcr;
	unsigned int level;
} trigger_table[] = {
	{ "1", UART_FCR_TRIGGER_1, 1 },
	{ "4", UART_FCR_TRIGGER_4, 4 },
	{ "8", UART_FCR_TRIGGER_8, 8 },
	{ "14", UART_FCR_TRIGGER_14, 14 },
};

static void trigger_name(const struct trigger_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(trigger, trigger_table, trigger_name);

static void trigger_level_tells_data_from_timeout(struct kunit *test)
{
	const struct trigger_case *c = test->param_value;
	unsigned int count;

	fifo_on(test, c->fcr);
	out(test, UART_IER, UART_IER_RDI);
	for (count = 1; count <= MTTY_UART_FIFO_SIZE; count++) {
		out(test, UART_TX, count);
		expect_irq(test, true);
		expect_in(test, UART_IIR, IIR_FIFO |
			  (count < c->level ? UART_IIR_RX_TIMEOUT :
					      UART_IIR_RDI));
	}
	while (--count) {
		expect_irq(test, true);
		in(test, UART_RX);
	}
	expect_irq(test, false);
}

static struct kunit_case uart_cases[] = {
	KUNIT_CASE(reset_state_is_that_of_power_on),
	KUNIT_CASE(every_register_keeps_only_bits_that_exist),
	KUNIT_CASE(status_registers_ignore_writes),
	KUNIT_CASE(registers_beyond_the_eighth_do_nothing),
	KUNIT_CASE(divisor_latch_hides_data_and_ier),
	KUNIT_CASE(byte_comes_back_through_the_plug),
	KUNIT_CASE(word_length_cuts_high_bits),
	KUNIT_CASE(single_register_is_overrun_by_the_second_byte),
	KUNIT_CASE(fifo_holds_sixteen_in_order),
	KUNIT_CASE(full_fifo_keeps_what_it_has),
	KUNIT_CASE(fifo_is_cleared_on_demand_and_by_the_switch),
	KUNIT_CASE(clear_without_enable_has_no_effect),
	KUNIT_CASE(iir_says_whether_the_fifo_is_on),
	KUNIT_CASE(break_is_a_nul_with_its_errors),
	KUNIT_CASE(break_in_the_fifo_shows_when_it_is_next),
	KUNIT_CASE(break_does_not_reach_the_receiver_in_loopback),
	KUNIT_CASE_PARAM(modem_inputs_follow_the_outputs, modem_gen_params),
	KUNIT_CASE(modem_changes_add_up_until_read),
	KUNIT_CASE(interrupt_needs_its_enable_bit),
	KUNIT_CASE(interrupts_show_by_priority),
	KUNIT_CASE(empty_transmitter_interrupts_once),
	KUNIT_CASE(reading_iir_serves_only_what_it_shows),
	KUNIT_CASE_PARAM(trigger_level_tells_data_from_timeout,
			 trigger_gen_params),
	{ }
};

static struct kunit_suite uart_suite = {
	.name = "mtty_uart",
	.init = uart_init,
	.test_cases = uart_cases,
};

kunit_test_suite(uart_suite);

MODULE_DESCRIPTION("KUnit tests of mtty's 16550A");
MODULE_LICENSE("GPL");
