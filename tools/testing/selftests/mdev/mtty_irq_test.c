// SPDX-License-Identifier: GPL-2.0-only
/*
 * INTx of the sample card: level-triggered, masked when it is signaled.
 */
#include <kselftest_harness.h>

#include "mtty_test_irq.h"

FIXTURE(intx)
{
	struct mtty card;
	int fd;
	int other;
};

FIXTURE_SETUP(intx)
{
	self->fd = vfio_user_eventfd();
	self->other = vfio_user_eventfd();
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, self->other);
	ASSERT_EQ(0, mtty_setup_8n1(&self->card, MTTY_DUAL))
		TH_LOG("%s", self->card.step);
}

FIXTURE_TEARDOWN_PARENT(intx)
{
	EXPECT_EQ(0, mtty_teardown(&self->card));
}

TEST_F(intx, received_byte_on_either_port_signals)
{
	unsigned int port;

	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	for (port = 0; port < 2; port++) {
		expect_silence(self->fd);
		raise_line(port);
		expect_signal(self->fd);
		drop_line(port);
		ASSERT_EQ(0, irq_none(INTX, UNMASK));
	}
}

TEST_F(intx, every_source_signals)
{
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));

	out(0, UART_IER, UART_IER_THRI);
	expect_signal(self->fd);
	EXPECT_EQ(UART_IIR_THRI, in(0, UART_IIR));
	ASSERT_EQ(0, irq_none(INTX, UNMASK));
	expect_silence(self->fd);

	out(0, UART_IER, UART_IER_MSI);
	out(0, UART_MCR, UART_MCR_RTS);
	expect_signal(self->fd);
	EXPECT_EQ(UART_MSR_CTS | UART_MSR_DCTS, in(0, UART_MSR));
	ASSERT_EQ(0, irq_none(INTX, UNMASK));
	expect_silence(self->fd);

	out(0, UART_IER, UART_IER_RLSI);
	out(0, UART_TX, 'a');
	expect_silence(self->fd);
	out(0, UART_TX, 'b');
	expect_signal(self->fd);
}

TEST_F(intx, masks_itself_until_unmasked)
{
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	raise_line(0);
	expect_signal(self->fd);

	/* Both ports share one pin, which is already high. */
	raise_line(1);
	expect_silence(self->fd);
	drop_line(0);
	expect_silence(self->fd);

	/* Port 1 still drives the line. */
	ASSERT_EQ(0, irq_none(INTX, UNMASK));
	expect_signal(self->fd);
	drop_line(1);
	ASSERT_EQ(0, irq_none(INTX, UNMASK));
	expect_silence(self->fd);
	raise_line(1);
	expect_signal(self->fd);
}

TEST_F(intx, masked_cause_is_signalled_at_unmask)
{
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	ASSERT_EQ(0, irq_none(INTX, MASK));
	raise_line(0);
	expect_silence(self->fd);
	ASSERT_EQ(0, irq_none(INTX, UNMASK));
	expect_signal(self->fd);
}

TEST_F(intx, cause_that_ended_while_masked_is_not_signalled)
{
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	ASSERT_EQ(0, irq_none(INTX, MASK));
	raise_line(0);
	drop_line(0);
	raise_line(1);
	out(1, UART_IER, 0);
	ASSERT_EQ(0, irq_none(INTX, UNMASK));
	expect_silence(self->fd);
}

TEST_F(intx, true_masks_and_unmasks_and_false_does_nothing)
{
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	ASSERT_EQ(0, irq_bool(INTX, MASK, 0));
	raise_line(0);
	expect_signal(self->fd);

	ASSERT_EQ(0, irq_bool(INTX, UNMASK, 0));
	expect_silence(self->fd);
	ASSERT_EQ(0, irq_bool(INTX, UNMASK, 1));
	expect_signal(self->fd);

	drop_line(0);
	ASSERT_EQ(0, irq_bool(INTX, UNMASK, 1));
	ASSERT_EQ(0, irq_bool(INTX, MASK, 1));
	raise_line(0);
	expect_silence(self->fd);
}

TEST_F(intx, unmask_eventfd_samples_the_line_again)
{
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	ASSERT_EQ(0, irq_fd(INTX, UNMASK, self->other));
	raise_line(0);
	expect_signal(self->fd);
	kick(self->other);
	expect_signal(self->fd);

	drop_line(0);
	kick(self->other);
	/* Removing the eventfd waits for the work that it triggered. */
	ASSERT_EQ(0, irq_fd(INTX, UNMASK, -1));
	expect_silence(self->fd);
	raise_line(0);
	expect_signal(self->fd);
	kick(self->other);
	ASSERT_EQ(0, irq_fd(INTX, UNMASK, -1));
	expect_silence(self->fd);
}

TEST_F(intx, mask_eventfd_masks)
{
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	ASSERT_EQ(0, irq_fd(INTX, MASK, self->other));
	kick(self->other);
	ASSERT_EQ(0, irq_fd(INTX, MASK, -1));
	raise_line(0);
	expect_silence(self->fd);
	ASSERT_EQ(0, irq_none(INTX, UNMASK));
	expect_signal(self->fd);
}

TEST_F(intx, unmask_eventfd_signalled_beforehand_counts)
{
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	raise_line(0);
	expect_signal(self->fd);
	kick(self->other);
	ASSERT_EQ(0, irq_fd(INTX, UNMASK, self->other));
	expect_signal(self->fd);
}

TEST_F(intx, second_unmask_eventfd_is_busy_until_the_first_is_gone)
{
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	ASSERT_EQ(0, irq_fd(INTX, UNMASK, self->other));
	EXPECT_EQ(-EBUSY, irq_fd(INTX, UNMASK, self->fd));
	ASSERT_EQ(0, irq_fd(INTX, UNMASK, -1));
	EXPECT_EQ(0, irq_fd(INTX, UNMASK, self->other));
}

TEST_F(intx, trigger_without_an_eventfd_signals_without_a_cause)
{
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	ASSERT_EQ(0, irq_none(INTX, TRIGGER));
	expect_signal(self->fd);
	ASSERT_EQ(0, irq_bool(INTX, TRIGGER, 0));
	expect_silence(self->fd);
	ASSERT_EQ(0, irq_bool(INTX, TRIGGER, 1));
	expect_signal(self->fd);
}

TEST_F(intx, count_of_zero_tears_down)
{
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	ASSERT_EQ(0, irq_disable(INTX));
	raise_line(0);
	expect_silence(self->fd);
	EXPECT_EQ(-EINVAL, irq_none(INTX, TRIGGER));
	EXPECT_EQ(-EINVAL, irq_none(INTX, UNMASK));
	EXPECT_EQ(-EINVAL, irq_disable(INTX));

	/* Set it up again while the line is high. */
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	expect_signal(self->fd);
}

TEST_F(intx, torn_down_eventfds_have_no_effect)
{
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	ASSERT_EQ(0, irq_fd(INTX, UNMASK, self->other));
	ASSERT_EQ(0, irq_disable(INTX));
	/* Fails with EBUSY if the old one is still attached. */
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	ASSERT_EQ(0, irq_fd(INTX, UNMASK, self->other));
	raise_line(0);
	expect_signal(self->fd);
	kick(self->other);
	expect_signal(self->fd);
}

TEST_F(intx, minus_one_takes_the_trigger_away)
{
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, -1));
	raise_line(0);
	expect_silence(self->fd);
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	expect_signal(self->fd);
}

TEST_F(intx, new_eventfd_replaces_the_old_one)
{
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->other));
	raise_line(0);
	expect_silence(self->fd);
	expect_signal(self->other);
}

TEST_F(intx, disable_bit_holds_the_pin_and_status_shows_the_cause)
{
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	EXPECT_EQ(0, cfg_in(PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
	cfg_out(PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_INTX_DISABLE);
	raise_line(0);
	expect_silence(self->fd);
	EXPECT_EQ(PCI_STATUS_INTERRUPT,
		  cfg_in(PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);

	cfg_out(PCI_COMMAND, 2, PCI_COMMAND_IO);
	expect_signal(self->fd);
	EXPECT_EQ(PCI_STATUS_INTERRUPT,
		  cfg_in(PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
	drop_line(0);
	EXPECT_EQ(0, cfg_in(PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
}

TEST_F(intx, unmask_while_disabled_does_not_signal)
{
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	raise_line(0);
	expect_signal(self->fd);
	cfg_out(PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_INTX_DISABLE);
	ASSERT_EQ(0, irq_none(INTX, UNMASK));
	expect_silence(self->fd);
	cfg_out(PCI_COMMAND, 2, PCI_COMMAND_IO);
	expect_signal(self->fd);
}

TEST_F(intx, reset_ends_the_cause_and_keeps_the_eventfd)
{
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	ASSERT_EQ(0, irq_none(INTX, MASK));
	raise_line(0);
	ASSERT_EQ(0, vfio_user_reset(self->card.vfio.device));
	EXPECT_EQ(0, cfg_in(PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
	ASSERT_EQ(0, irq_none(INTX, UNMASK));
	expect_silence(self->fd);

	cfg_out(PCI_COMMAND, 2, PCI_COMMAND_IO);
	out(0, UART_LCR, UART_LCR_WLEN8);
	raise_line(0);
	expect_signal(self->fd);
}

TEST_F(intx, trigger_closed_early_harms_nobody)
{
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	ASSERT_EQ(0, close(self->fd));
	raise_line(0);
	drop_line(0);
	ASSERT_EQ(0, irq_none(INTX, TRIGGER));
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->other));
	ASSERT_EQ(0, irq_none(INTX, UNMASK));
	raise_line(0);
	expect_signal(self->other);
}

TEST_F(intx, unmask_eventfd_closed_early_makes_room)
{
	int fd = vfio_user_eventfd();

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	ASSERT_EQ(0, irq_fd(INTX, UNMASK, fd));
	ASSERT_EQ(0, close(fd));
	/* The kernel detaches from it by itself. */
	ASSERT_EQ(true, wait_until(irq_fd(INTX, UNMASK, self->other) == 0,
				   SOON_MS));
	raise_line(0);
	expect_signal(self->fd);
	kick(self->other);
	expect_signal(self->fd);
}

TEST_F(intx, eventfds_end_with_the_last_close)
{
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	ASSERT_EQ(0, irq_fd(INTX, UNMASK, self->other));
	vfio_user_close(&self->card.vfio);

	ASSERT_EQ(0, vfio_user_open(&self->card.vfio, self->card.uuid));
	EXPECT_EQ(-EINVAL, irq_none(INTX, TRIGGER));
	out(0, UART_LCR, UART_LCR_WLEN8);
	raise_line(0);
	expect_silence(self->fd);
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	expect_signal(self->fd);
	/* No mask or unmask eventfd of the last user is left. */
	kick(self->other);
	ASSERT_EQ(0, irq_fd(INTX, MASK, -1));
	expect_silence(self->fd);
}

TEST_HARNESS_MAIN
