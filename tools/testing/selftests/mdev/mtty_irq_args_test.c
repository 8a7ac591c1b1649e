// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arguments of VFIO_DEVICE_SET_IRQS that the sample card refuses. A refusal
 * changes nothing.
 */
#include <kselftest_harness.h>
#include <stddef.h>
#include <sys/ioctl.h>

#include "mtty_test_irq.h"

#define NONE VFIO_IRQ_SET_DATA_NONE
#define BOOL VFIO_IRQ_SET_DATA_BOOL
/* True as a BOOL, which is the first byte, on any endianness. */
#define YES 0x01010101
#define EVENTFD VFIO_IRQ_SET_DATA_EVENTFD
#define HEADER offsetof(struct vfio_irq_set, data)

FIXTURE(irq_args)
{
	struct mtty card;
	int fd;
};

FIXTURE_SETUP(irq_args)
{
	self->fd = vfio_user_eventfd();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, mtty_setup_8n1(&self->card, MTTY_DUAL))
		TH_LOG("%s", self->card.step);
}

FIXTURE_TEARDOWN_PARENT(irq_args)
{
	EXPECT_EQ(0, mtty_teardown(&self->card));
}

/* One call with this header and four bytes of data. */
static int set_irqs(int device, uint32_t argsz, uint32_t flags, uint32_t index,
		    uint32_t start, uint32_t count, int32_t data)
{
	struct {
		uint32_t argsz, flags, index, start, count;
		int32_t data;
	} set = { argsz, flags, index, start, count, data };

	return ioctl(device, VFIO_DEVICE_SET_IRQS, &set) ? -errno : 0;
}

#define call(argsz, flags, index, start, count, data) \
	set_irqs(self->card.vfio.device, argsz, flags, index, start, count, data)

/* Check that INTx still works as it was set up. */
#define expect_intx_works() do {					\
	raise_line(0);							\
	expect_signal(self->fd);					\
	drop_line(0);							\
	ASSERT_EQ(0, irq_none(INTX, UNMASK));				\
	expect_silence(self->fd);					\
} while (0)

TEST_F(irq_args, flags_without_one_data_type_are_einval)
{
	static const uint32_t flags[] = {
		0,
		TRIGGER, MASK, UNMASK,
		NONE | BOOL | TRIGGER,
		NONE | EVENTFD | TRIGGER,
		BOOL | EVENTFD | TRIGGER,
		NONE | BOOL | EVENTFD | TRIGGER,
		NONE | TRIGGER | 1U << 6,
		NONE | TRIGGER | 1U << 31,
	};
	size_t i;

	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		EXPECT_EQ(-EINVAL, call(HEADER + 4, flags[i], INTX, 0, 1,
					self->fd))
			TH_LOG("flags %x", flags[i]);
	}
	expect_intx_works();
}

TEST_F(irq_args, flags_without_one_action_are_einval)
{
	static const uint32_t indexes[] = { INTX, MSI, REQ };
	static const uint32_t flags[] = {
		NONE, BOOL, EVENTFD,
		NONE | TRIGGER | MASK,
		NONE | TRIGGER | UNMASK,
		NONE | MASK | UNMASK,
		NONE | TRIGGER | MASK | UNMASK,
	};
	size_t i, j;

	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	for (i = 0; i < ARRAY_SIZE(indexes); i++)
		for (j = 0; j < ARRAY_SIZE(flags); j++)
			EXPECT_EQ(-EINVAL, call(HEADER + 4, flags[j],
						indexes[i], 0, 1, self->fd))
				TH_LOG("index %u, flags %x", indexes[i],
				       flags[j]);
	expect_intx_works();
}

TEST_F(irq_args, argsz_too_small_is_einval)
{
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	EXPECT_EQ(-EINVAL, call(0, NONE | TRIGGER, INTX, 0, 1, 0));
	EXPECT_EQ(-EINVAL, call(4, NONE | TRIGGER, INTX, 0, 1, 0));
	EXPECT_EQ(-EINVAL, call(HEADER - 1, NONE | TRIGGER, INTX, 0, 1, 0));
	/* argsz is too small for the data. */
	EXPECT_EQ(-EINVAL, call(HEADER, BOOL | TRIGGER, INTX, 0, 1, YES));
	EXPECT_EQ(-EINVAL, call(HEADER, EVENTFD | TRIGGER, INTX, 0, 1, -1));
	EXPECT_EQ(-EINVAL, call(HEADER + 3, EVENTFD | TRIGGER, INTX, 0, 1, -1));
	expect_intx_works();

	EXPECT_EQ(0, call(HEADER, NONE | TRIGGER, INTX, 0, 1, 0));
	expect_signal(self->fd);
	EXPECT_EQ(0, call(HEADER + 1, BOOL | TRIGGER, INTX, 0, 1, YES));
	expect_signal(self->fd);
	EXPECT_EQ(0, call(HEADER + 4, EVENTFD | TRIGGER, INTX, 0, 1, -1));
}

TEST_F(irq_args, larger_argsz_is_accepted)
{
	ASSERT_EQ(0, call(4096, EVENTFD | TRIGGER, INTX, 0, 1, self->fd));
	expect_intx_works();
}

TEST_F(irq_args, range_beyond_the_index_is_einval)
{
	static const struct {
		uint32_t start, count;
	} ranges[] = {
		{ 0, 2 }, { 1, 0 }, { 1, 1 }, { 2, 1 },
		{ 0, UINT32_MAX }, { 1, UINT32_MAX },
		{ UINT32_MAX, 0 }, { UINT32_MAX, 1 }, { UINT32_MAX, 2 },
		{ UINT32_MAX, UINT32_MAX },
	};
	static const uint32_t data[] = { NONE, BOOL, EVENTFD };
	static const uint32_t actions[] = { TRIGGER, MASK, UNMASK };
	size_t i, j, k;

	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		for (j = 0; j < ARRAY_SIZE(data); j++)
			for (k = 0; k < ARRAY_SIZE(actions); k++)
				EXPECT_EQ(-EINVAL,
					  call(4096, data[j] | actions[k],
					       INTX, ranges[i].start,
					       ranges[i].count, -1))
					TH_LOG("%u+%u, flags %x",
					       ranges[i].start, ranges[i].count,
					       data[j] | actions[k]);
	expect_intx_works();
}

TEST_F(irq_args, count_of_zero_is_for_a_teardown_only)
{
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	EXPECT_EQ(-EINVAL, call(HEADER + 4, BOOL | TRIGGER, INTX, 0, 0, YES));
	EXPECT_EQ(-EINVAL, call(HEADER + 4, EVENTFD | TRIGGER, INTX, 0, 0, -1));
	EXPECT_EQ(-EINVAL, call(HEADER, NONE | MASK, INTX, 0, 0, 0));
	EXPECT_EQ(-EINVAL, call(HEADER, NONE | UNMASK, INTX, 0, 0, 0));
	EXPECT_EQ(-EINVAL, call(HEADER + 4, BOOL | MASK, INTX, 0, 0, YES));
	EXPECT_EQ(-EINVAL, call(HEADER + 4, EVENTFD | UNMASK, INTX, 0, 0, -1));
	expect_intx_works();
}

TEST_F(irq_args, index_without_interrupts_is_einval)
{
	static const uint32_t indexes[] = {
		VFIO_PCI_MSIX_IRQ_INDEX, VFIO_PCI_ERR_IRQ_INDEX,
		VFIO_PCI_NUM_IRQS, VFIO_PCI_NUM_IRQS + 1, UINT32_MAX,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(indexes); i++) {
		EXPECT_EQ(-EINVAL, call(HEADER + 4, EVENTFD | TRIGGER,
					indexes[i], 0, 1, self->fd))
			TH_LOG("index %u", indexes[i]);
		EXPECT_EQ(-EINVAL, call(HEADER, NONE | TRIGGER, indexes[i], 0,
					0, 0)) TH_LOG("index %u", indexes[i]);
	}
}

TEST_F(irq_args, action_on_an_interrupt_not_set_up_is_einval)
{
	EXPECT_EQ(-EINVAL, irq_none(INTX, TRIGGER));
	EXPECT_EQ(-EINVAL, irq_bool(INTX, TRIGGER, 1));
	EXPECT_EQ(-EINVAL, irq_none(INTX, MASK));
	EXPECT_EQ(-EINVAL, irq_bool(INTX, MASK, 1));
	EXPECT_EQ(-EINVAL, irq_fd(INTX, MASK, self->fd));
	EXPECT_EQ(-EINVAL, irq_none(INTX, UNMASK));
	EXPECT_EQ(-EINVAL, irq_bool(INTX, UNMASK, 1));
	EXPECT_EQ(-EINVAL, irq_fd(INTX, UNMASK, self->fd));
	EXPECT_EQ(-EINVAL, irq_disable(INTX));
}

TEST_F(irq_args, file_that_is_no_eventfd_is_refused)
{
	static const uint32_t indexes[] = { INTX, REQ };
	static const uint32_t actions[] = { TRIGGER, MASK, UNMASK };
	int closed = dup(self->fd);
	size_t i;

	ASSERT_LE(0, closed);
	ASSERT_EQ(0, close(closed));
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		EXPECT_EQ(-EBADF, irq_fd(INTX, actions[i], closed));
		EXPECT_EQ(-EINVAL, irq_fd(INTX, actions[i],
					  self->card.vfio.group));
		EXPECT_EQ(-EINVAL, irq_fd(INTX, actions[i], -2));
	}
	for (i = 0; i < ARRAY_SIZE(indexes); i++) {
		EXPECT_EQ(-EBADF, irq_fd(indexes[i], TRIGGER, closed));
		EXPECT_EQ(-EINVAL, irq_fd(indexes[i], TRIGGER,
					  self->card.vfio.group));
		EXPECT_EQ(-EINVAL, irq_fd(indexes[i], TRIGGER, -2));
	}
	expect_intx_works();

	ASSERT_EQ(0, irq_disable(INTX));
	EXPECT_EQ(-EBADF, irq_fd(MSI, TRIGGER, closed));
	/* The failed attempt has not replaced INTx. */
	EXPECT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
}

TEST_F(irq_args, bad_pointer_is_efault)
{
	static const struct vfio_irq_set set = {
		.argsz = HEADER + 4, .flags = EVENTFD | TRIGGER,
		.index = INTX, .start = 0, .count = 1,
	};
	static const size_t there[] = { 0, 8, HEADER - 1, HEADER, HEADER + 3 };
	char *wall = mtty_fence();
	size_t i;

	ASSERT_NE(NULL, wall);
	ASSERT_EQ(0, irq_fd(INTX, TRIGGER, self->fd));
	EXPECT_EQ(-1, ioctl(self->card.vfio.device, VFIO_DEVICE_SET_IRQS,
			    NULL));
	EXPECT_EQ(EFAULT, errno);

	/* argsz ends inside the header or the data. */
	for (i = 0; i < ARRAY_SIZE(there); i++) {
		memset(wall - HEADER - 4, 0xff, HEADER + 4);
		memcpy(wall - there[i], &set,
		       there[i] < HEADER ? there[i] : HEADER);
		EXPECT_EQ(-1, ioctl(self->card.vfio.device,
				    VFIO_DEVICE_SET_IRQS, wall - there[i]))
			TH_LOG("%zu bytes there", there[i]);
		EXPECT_EQ(EFAULT, errno);
	}
	expect_intx_works();
}

TEST_HARNESS_MAIN
