// SPDX-License-Identifier: GPL-2.0-only
/*
 * Access to the sample card's regions: their bounds, bad buffers, and the user
 * memory around a read.
 */
#include <errno.h>
#include <kselftest_harness.h>
#include <linux/pci_regs.h>
#include <linux/serial_reg.h>

#include "mtty_test_lib.h"

/* Fill of user memory before the kernel writes to it. */
#define PATTERN 0xa5

FIXTURE(region)
{
	struct mtty card;
};

FIXTURE_VARIANT(region)
{
	const char *type;
	unsigned int uarts;
};

FIXTURE_VARIANT_ADD(region, single)
{
	.type = MTTY_SINGLE,
	.uarts = 1,
};

FIXTURE_VARIANT_ADD(region, dual)
{
	.type = MTTY_DUAL,
	.uarts = 2,
};

FIXTURE_SETUP(region)
{
	ASSERT_EQ(0, mtty_setup_8n1(&self->card, variant->type))
		TH_LOG("%s", self->card.step);
}

FIXTURE_TEARDOWN_PARENT(region)
{
	EXPECT_EQ(0, mtty_teardown(&self->card));
}

TEST_F(region, access_at_the_end_of_a_region_is_short)
{
	static const struct {
		uint32_t index;
		uint64_t size;
	} regions[] = {
		{ VFIO_PCI_CONFIG_REGION_INDEX, MTTY_CONFIG_SIZE },
		{ VFIO_PCI_BAR0_REGION_INDEX, MTTY_UART_PORTS },
	};
	int device = self->card.vfio.device;
	uint8_t buf[512];
	size_t i, over, j;

	for (i = 0; i < ARRAY_SIZE(regions); i++) {
		for (over = 0; over < 5; over++) {
			uint64_t where = regions[i].size - 2;

			memset(buf, PATTERN, sizeof(buf));
			ASSERT_EQ(2, vfio_user_region_read(device,
							   regions[i].index,
							   where, buf,
							   2 + over));
			for (j = 2; j < sizeof(buf); j++)
				ASSERT_EQ(PATTERN, buf[j]);
			ASSERT_EQ(2, vfio_user_region_write(device,
							    regions[i].index,
							    where, buf,
							    2 + over));
		}
		memset(buf, PATTERN, sizeof(buf));
		EXPECT_EQ((ssize_t)regions[i].size,
			  vfio_user_region_read(device, regions[i].index, 0,
						buf, sizeof(buf)));
		for (j = regions[i].size; j < sizeof(buf); j++)
			ASSERT_EQ(PATTERN, buf[j]);
	}
}

TEST_F(region, access_beyond_a_region_is_einval)
{
	static const struct {
		uint32_t index;
		uint64_t size;
	} regions[] = {
		{ VFIO_PCI_CONFIG_REGION_INDEX, MTTY_CONFIG_SIZE },
		{ VFIO_PCI_BAR0_REGION_INDEX, MTTY_UART_PORTS },
		{ VFIO_PCI_BAR2_REGION_INDEX, 0 },
		{ VFIO_PCI_BAR5_REGION_INDEX, 0 },
		{ VFIO_PCI_ROM_REGION_INDEX, 0 },
		{ VFIO_PCI_VGA_REGION_INDEX, 0 },
	};
	static const uint64_t beyond[] = { 0, 1, 4096, 1ULL << 32 };
	int device = self->card.vfio.device;
	uint8_t buf[4], none[4];
	size_t i, j;

	memset(none, PATTERN, sizeof(none));
	for (i = 0; i < ARRAY_SIZE(regions); i++) {
		for (j = 0; j < ARRAY_SIZE(beyond); j++) {
			uint64_t where = regions[i].size + beyond[j];

			memset(buf, PATTERN, sizeof(buf));
			EXPECT_EQ(-EINVAL,
				  vfio_user_region_read(device,
							regions[i].index,
							where, buf, 4))
				TH_LOG("region %u", regions[i].index);
			EXPECT_EQ(0, memcmp(none, buf, sizeof(buf)));
			EXPECT_EQ(-EINVAL,
				  vfio_user_region_write(device,
							 regions[i].index,
							 where, buf, 4))
				TH_LOG("region %u", regions[i].index);
		}
	}
	/* Far outside all regions. */
	EXPECT_EQ(-1, pread(device, buf, 4, INT64_MAX - 8));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, pwrite(device, buf, 4, INT64_MAX - 8));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(region, access_of_no_bytes_does_nothing)
{
	uint8_t byte = PATTERN;

	ASSERT_EQ(0, mtty_out(self->card.vfio.device, 0, UART_TX, 'x'));
	EXPECT_EQ(0, vfio_user_region_read(self->card.vfio.device, 0, UART_RX,
					   &byte, 0));
	EXPECT_EQ(PATTERN, byte);
	EXPECT_EQ('x', mtty_in(self->card.vfio.device, 0, UART_RX));
}

TEST_F(region, bad_buffer_is_efault_and_touches_no_register)
{
	int device = self->card.vfio.device;
	char *wall = mtty_fence();

	ASSERT_NE(NULL, wall);
	EXPECT_EQ(-EFAULT, vfio_user_region_read(device, MTTY_CONFIG, 0, wall,
						 4));
	EXPECT_EQ(-EFAULT, vfio_user_region_write(device, MTTY_CONFIG,
						  PCI_COMMAND, wall, 2));
	EXPECT_EQ(PCI_COMMAND_IO, mtty_config_in(device, PCI_COMMAND, 2));

	/* A byte that cannot be copied out stays in the receiver. */
	ASSERT_EQ(0, mtty_out(device, 0, UART_TX, 'x'));
	EXPECT_EQ(-EFAULT, vfio_user_region_read(device, 0, UART_RX, wall, 1));
	EXPECT_EQ(-EFAULT, vfio_user_region_write(device, 0, UART_TX, wall, 1));
	EXPECT_EQ('x', mtty_in(device, 0, UART_RX));
	EXPECT_EQ(UART_LSR_TEMT | UART_LSR_THRE, mtty_in(device, 0, UART_LSR));
}

TEST_F(region, reads_fill_every_byte_they_count)
{
	uint8_t ones[MTTY_CONFIG_SIZE], zeros[MTTY_CONFIG_SIZE];
	int device = self->card.vfio.device;
	unsigned int port;

	memset(ones, 0xff, sizeof(ones));
	memset(zeros, 0x00, sizeof(zeros));
	ASSERT_EQ(MTTY_CONFIG_SIZE, vfio_user_region_read(device, MTTY_CONFIG,
							  0, ones,
							  sizeof(ones)));
	ASSERT_EQ(MTTY_CONFIG_SIZE, vfio_user_region_read(device, MTTY_CONFIG,
							  0, zeros,
							  sizeof(zeros)));
	EXPECT_EQ(0, memcmp(ones, zeros, sizeof(ones)));

	for (port = 0; port < variant->uarts; port++) {
		static const uint8_t idle[MTTY_UART_PORTS] = {
			[UART_IIR] = UART_IIR_NO_INT,
			[UART_LCR] = UART_LCR_WLEN8,
			[UART_LSR] = UART_LSR_TEMT | UART_LSR_THRE,
		};

		memset(ones, 0xff, sizeof(ones));
		ASSERT_EQ(MTTY_UART_PORTS,
			  vfio_user_region_read(device, port, 0, ones,
						sizeof(ones)));
		EXPECT_EQ(0, memcmp(idle, ones, sizeof(idle)));
	}
}

TEST_HARNESS_MAIN
