/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Helpers of the interrupt tests, for fixtures with a struct mtty named card. A
 * card signals before the access that changed its line returns, so tests need
 * not wait to see that it did not. Only work triggered by an eventfd is
 * asynchronous.
 */
#ifndef MTTY_TEST_IRQ_H
#define MTTY_TEST_IRQ_H

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/serial_reg.h>
#include <unistd.h>

#include "mtty_test_lib.h"

#define INTX VFIO_PCI_INTX_IRQ_INDEX
#define MSI VFIO_PCI_MSI_IRQ_INDEX
#define REQ VFIO_PCI_REQ_IRQ_INDEX
#define TRIGGER VFIO_IRQ_SET_ACTION_TRIGGER
#define MASK VFIO_IRQ_SET_ACTION_MASK
#define UNMASK VFIO_IRQ_SET_ACTION_UNMASK

#define in(port, reg) mtty_in(self->card.vfio.device, port, reg)
#define out(port, reg, val) \
	ASSERT_EQ(0, mtty_out(self->card.vfio.device, port, reg, val))
#define cfg_in(where, width) \
	mtty_config_in(self->card.vfio.device, where, width)
#define cfg_out(where, width, val) \
	ASSERT_EQ(0, mtty_config_out(self->card.vfio.device, where, width, val))

/* SET_IRQS of one interrupt, one function per data type. Return its errno. */
#define irq_fd(index, action, fd) \
	vfio_user_irq_eventfd(self->card.vfio.device, index, action, fd)
#define irq_none(index, action) \
	vfio_user_irq_none(self->card.vfio.device, index, action, 0, 1)
#define irq_bool(index, action, val) \
	vfio_user_irq_bools(self->card.vfio.device, index, action, 0, 1, \
			    (const uint8_t []){ val })
#define irq_disable(index) \
	vfio_user_irq_disable(self->card.vfio.device, index)

/* Loop a byte back to raise the port's interrupt; read it to drop the line. */
#define raise_line(port) do {						\
	unsigned int port_ = (port);					\
									\
	out(port_, UART_IER, UART_IER_RDI);				\
	out(port_, UART_TX, 'x');					\
} while (0)
#define drop_line(port) EXPECT_EQ('x', in(port, UART_RX))

/* Check for exactly one signal, or for none. */
#define expect_signal(fd) do {						\
	uint64_t count_ = 0;						\
									\
	EXPECT_EQ(0, vfio_user_eventfd_wait(fd, SOON_MS, &count_));	\
	EXPECT_EQ(1, count_);						\
} while (0)
#define expect_silence(fd) \
	EXPECT_EQ(-ETIMEDOUT, vfio_user_eventfd_wait(fd, 0, NULL))

/* Signal an eventfd that the kernel polls. */
#define kick(fd) do {							\
	const uint64_t one_ = 1;					\
									\
	ASSERT_EQ(sizeof(one_), write(fd, &one_, sizeof(one_)));	\
} while (0)

#endif /* MTTY_TEST_IRQ_H */
