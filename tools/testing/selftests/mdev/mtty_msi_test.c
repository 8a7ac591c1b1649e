// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSI and the request interrupt of the sample card, and switching between INTx
 * and MSI.
 */
#include <kselftest_harness.h>

#include "mtty_test_irq.h"

FIXTURE(msi)
{
	struct mtty card;
	int fd;
	int other;
};

FIXTURE_SETUP(msi)
{
	self->fd = vfio_user_eventfd();
	self->other = vfio_user_eventfd();
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, self->other);
	ASSERT_EQ(0, mtty_setup_8n1(&self->card, MTTY_DUAL))
		TH_LOG("%s", self->card.step);
}

FIXTURE_TEARDOWN_PARENT(msi)
{
	EXPECT_EQ(0, mtty_teardown(&self->card));
}

TEST_F(msi, signals_once_each_time_the_line_rises)
{
	ASSERT_EQ(0, irq_fd(MSI, TRIGGER, self->fd));
	expect_silence(self->fd);
	raise_line(0);
	expect_signal(self->fd);
	raise_line(1);
	drop_line(0);
	expect_silence(self->fd);
	drop_line(1);
	expect_silence(self->fd);
	/* MSI is not masked, so it signals again without an unmask. */
	raise_line(1);
	expect_signal(self->fd);
	drop_line(1);
	raise_line(0);
	expect_signal(self->fd);
}

TEST_F(msi, set_up_with_a_cause_pending_signals)
{
	raise_line(0);
	ASSERT_EQ(0, irq_fd(MSI, TRIGGER, self->fd));
	expect_signal(self->fd);
}

TEST_F(msi, intx_disable_bit_does_not_hold_messages)
{
	ASSERT_EQ(0, irq_fd(MSI, TRIGGER, self->fd));
	cfg_out(PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_INTX_DISABLE);
	raise_line(0);
	expect_signal(self->fd);
}

TEST_F(msi, trigger_without_an_eventfd_signals_without_a_cause)
{
	ASSERT_EQ(0, irq_fd(MSI, TRIGGER, self->fd));
	ASSERT_EQ(0, irq_none(MSI, TRIGGER));
	expect_signal(self->fd);
	ASSERT_EQ(0, irq_bool(MSI, TRIGGER, 0));
	expect_silence(self->fd);
	ASSERT_EQ(0, irq_bool(MSI, TRIGGER, 1));
	expect_signal(self->fd);
}

TEST_F(msi, count_of_zero_tears_down)
{
	EXPECT_EQ(-EINVAL, irq_none(MSI, TRIGGER));
	EXPECT_EQ(-EINVAL, irq_disable(MSI));
	ASSERT_EQ(0, irq_fd(MSI, TRIGGER, self->fd));
	ASSERT_EQ(0, irq_disable(MSI));
	raise_line(0);
	expect_silence(self->fd);
	EXPECT_EQ(-EINVAL, irq_none(MSI, TRIGGER));
	EXPECT_EQ(-EINVAL, irq_disable(MSI));
}

TEST_F(msi, has_no_mask)
{
	static const uint32_t actions[] = { MASK, UNMASK };
	size_t i;

	ASSERT_EQ(0, irq_fd(MSI, TRIGGER, self->fd));
	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		EXPECT_EQ(-ENOTTY, irq_none(MSI, actions[i]));
		EXPECT_EQ(-ENOTTY, irq_bool(MSI, actions[i], 1));
		EXPECT_EQ(-ENOTTY, irq_fd(MSI, actions[i], self->other));
	}
	raise_line(0);
	expect_signal(self->fd);
}

TEST_F(msi, intx_and_msi_exclude_each_other)
{
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	EXPECT_EQ(-EINVAL, irq_fd(MSI, TRIGGER, self->other));
	EXPECT_EQ(-EINVAL, irq_none(MSI, TRIGGER));
	EXPECT_EQ(-EINVAL, irq_disable(MSI));
	raise_line(0);
	expect_signal(self->fd);
	expect_silence(self->other);
	drop_line(0);

	ASSERT_EQ(0, irq_disable(INTX));
	ASSERT_EQ(0, irq_fd(MSI, TRIGGER, self->other));
	EXPECT_EQ(-EINVAL, irq_fd(INTX, TRIGGER, self->fd));
	EXPECT_EQ(-EINVAL, irq_none(INTX, UNMASK));
	EXPECT_EQ(-EINVAL, irq_disable(INTX));
	raise_line(0);
	expect_signal(self->other);
	expect_silence(self->fd);
}

TEST_F(msi, change_to_msi_and_back_loses_no_pending_cause)
{
	int i;

	raise_line(0);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
		expect_signal(self->fd);
		ASSERT_EQ(0, irq_disable(INTX));
		ASSERT_EQ(0, irq_fd(MSI, TRIGGER, self->other));
		expect_signal(self->other);
		ASSERT_EQ(0, irq_disable(MSI));
	}
	expect_silence(self->fd);
	expect_silence(self->other);
}

TEST_F(msi, request_interrupt_stands_beside_the_others)
{
	ASSERT_EQ(0, irq_fd(MSI, TRIGGER, self->fd));
	ASSERT_EQ(0, irq_fd(REQ, TRIGGER, self->other));
	raise_line(0);
	expect_signal(self->fd);
	expect_silence(self->other);
	ASSERT_EQ(0, irq_none(REQ, TRIGGER));
	expect_signal(self->other);
	expect_silence(self->fd);

	/* Removing one keeps the other. */
	ASSERT_EQ(0, irq_disable(MSI));
	ASSERT_EQ(0, irq_none(REQ, TRIGGER));
	expect_signal(self->other);
}

TEST_F(msi, request_interrupt_takes_every_data_type)
{
	EXPECT_EQ(-EINVAL, irq_none(REQ, TRIGGER));
	EXPECT_EQ(-EINVAL, irq_bool(REQ, TRIGGER, 1));
	EXPECT_EQ(-EINVAL, irq_disable(REQ));

	ASSERT_EQ(0, irq_fd(REQ, TRIGGER, self->fd));
	ASSERT_EQ(0, irq_bool(REQ, TRIGGER, 0));
	expect_silence(self->fd);
	ASSERT_EQ(0, irq_bool(REQ, TRIGGER, 1));
	expect_signal(self->fd);
	EXPECT_EQ(-ENOTTY, irq_none(REQ, MASK));
	EXPECT_EQ(-ENOTTY, irq_none(REQ, UNMASK));

	ASSERT_EQ(0, irq_fd(REQ, TRIGGER, self->other));
	ASSERT_EQ(0, irq_none(REQ, TRIGGER));
	expect_silence(self->fd);
	expect_signal(self->other);

	ASSERT_EQ(0, irq_fd(REQ, TRIGGER, -1));
	EXPECT_EQ(-EINVAL, irq_none(REQ, TRIGGER));
	ASSERT_EQ(0, irq_fd(REQ, TRIGGER, self->fd));
	ASSERT_EQ(0, irq_disable(REQ));
	EXPECT_EQ(-EINVAL, irq_none(REQ, TRIGGER));
}

/*
 * Runs in a child. It closes the open card that it inherited, so that only the
 * test uses it. The file descriptor numbers in @arg are the test's.
 */
static int close_and_remove(void *arg)
{
	const struct mtty *card = arg;
	struct vfio_user inherited = card->vfio;

	vfio_user_close(&inherited);
	return mdev_remove(card->uuid);
}

TEST_F(msi, remove_asks_the_user_and_waits_for_the_close)
{
	struct actor remover;

	ASSERT_EQ(0, irq_fd(REQ, TRIGGER, self->fd));
	ASSERT_EQ(0, actor_start(&remover, close_and_remove, &self->card));
	ASSERT_EQ(0, vfio_user_eventfd_wait(self->fd, SOON_MS, NULL));
	EXPECT_EQ(true, actor_running(&remover));
	EXPECT_EQ(true, mdev_exists(self->card.uuid));

	/* A user that was asked may finish its work. */
	out(0, UART_TX, 'x');
	EXPECT_EQ('x', in(0, UART_RX));
	vfio_user_close(&self->card.vfio);
	EXPECT_EQ(0, actor_wait(&remover, SOON_MS));
	EXPECT_EQ(false, mdev_exists(self->card.uuid));
}

/* Are new opens refused? Close the file at once if one succeeds. */
static bool refused(const struct mtty *card)
{
	int fd = vfio_user_get_device(&card->vfio, card->uuid);

	if (fd >= 0)
		close(fd);
	return fd == -ENODEV;
}

TEST_F(msi, remove_waits_for_a_user_who_cannot_hear)
{
	struct actor remover;

	ASSERT_EQ(0, actor_start(&remover, close_and_remove, &self->card));
	/* New opens are refused once the remove waits. */
	ASSERT_EQ(true, wait_until(refused(&self->card), SOON_MS));
	EXPECT_EQ(true, actor_running(&remover));
	vfio_user_close(&self->card.vfio);
	EXPECT_EQ(0, actor_wait(&remover, SOON_MS));
	EXPECT_EQ(false, mdev_exists(self->card.uuid));
}

TEST_HARNESS_MAIN
