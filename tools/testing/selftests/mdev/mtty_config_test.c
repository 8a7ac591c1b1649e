// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sample card's PCI configuration space.
 */
#include <kselftest_harness.h>
#include <linux/pci_regs.h>
#include <linux/serial_reg.h>

#include "mtty_test_lib.h"

#define VENDOR 0x4348
#define DEVICE 0x3253

#define cfg_in(where, width) \
	mtty_config_in(self->card.vfio.device, where, width)
#define cfg_out(where, width, val) \
	ASSERT_EQ(0, mtty_config_out(self->card.vfio.device, where, width, val))
#define cfg_read(where, buf, count) \
	vfio_user_region_read(self->card.vfio.device, MTTY_CONFIG, where, buf, \
			      count)
#define cfg_write(where, buf, count) \
	vfio_user_region_write(self->card.vfio.device, MTTY_CONFIG, where, \
			       buf, count)

FIXTURE(config)
{
	struct mtty card;
};

FIXTURE_VARIANT(config)
{
	const char *type;
	unsigned int uarts;
};

FIXTURE_VARIANT_ADD(config, single)
{
	.type = MTTY_SINGLE,
	.uarts = 1,
};

FIXTURE_VARIANT_ADD(config, dual)
{
	.type = MTTY_DUAL,
	.uarts = 2,
};

FIXTURE_SETUP(config)
{
	ASSERT_EQ(0, mtty_setup(&self->card, variant->type))
		TH_LOG("%s", self->card.step);
}

FIXTURE_TEARDOWN_PARENT(config)
{
	EXPECT_EQ(0, mtty_teardown(&self->card));
}

/*
 * The bits that a user may write, by PCI Local Bus 3.0. All others are
 * read-only.
 */
static void writable_bits(uint8_t *mask, unsigned int uarts, int msi)
{
	unsigned int i;

	memset(mask, 0, MTTY_CONFIG_SIZE);
	mask[PCI_COMMAND] = PCI_COMMAND_IO | PCI_COMMAND_MASTER;
	mask[PCI_COMMAND + 1] = PCI_COMMAND_INTX_DISABLE >> 8;
	for (i = 0; i < uarts; i++) {
		/* Eight ports are decoded; the other bits are the address. */
		mask[PCI_BASE_ADDRESS_0 + 4 * i] = 0xf8;
		memset(&mask[PCI_BASE_ADDRESS_0 + 4 * i + 1], 0xff, 3);
	}
	mask[PCI_INTERRUPT_LINE] = 0xff;
	mask[msi + PCI_MSI_FLAGS] = PCI_MSI_FLAGS_ENABLE;
	mask[msi + PCI_MSI_ADDRESS_LO] = 0xfc;
	memset(&mask[msi + PCI_MSI_ADDRESS_LO + 1], 0xff, 7);
	memset(&mask[msi + PCI_MSI_DATA_64], 0xff, 2);
}

TEST_F(config, card_says_what_it_is)
{
	EXPECT_EQ(VENDOR, cfg_in(PCI_VENDOR_ID, 2));
	EXPECT_EQ(DEVICE, cfg_in(PCI_DEVICE_ID, 2));
	EXPECT_EQ(VENDOR, cfg_in(PCI_SUBSYSTEM_VENDOR_ID, 2));
	EXPECT_EQ(DEVICE, cfg_in(PCI_SUBSYSTEM_ID, 2));
	EXPECT_EQ(0x07, cfg_in(PCI_CLASS_DEVICE + 1, 1));
	EXPECT_EQ(0x00, cfg_in(PCI_CLASS_DEVICE, 1));
	EXPECT_EQ(0x02, cfg_in(PCI_CLASS_PROG, 1));
	/* A single function, not a bridge. */
	EXPECT_EQ(PCI_HEADER_TYPE_NORMAL, cfg_in(PCI_HEADER_TYPE, 1));
	EXPECT_EQ(0, cfg_in(PCI_BIST, 1));
}

TEST_F(config, interrupt_pin_is_inta_and_line_is_a_note)
{
	EXPECT_EQ(1, cfg_in(PCI_INTERRUPT_PIN, 1));
	cfg_out(PCI_INTERRUPT_LINE, 1, 0x0b);
	EXPECT_EQ(0x0b, cfg_in(PCI_INTERRUPT_LINE, 1));
	EXPECT_EQ(1, cfg_in(PCI_INTERRUPT_PIN, 1));
}

TEST_F(config, bars_ask_for_eight_io_ports_per_uart)
{
	unsigned int i, where;

	for (i = 0; i < 6; i++) {
		where = PCI_BASE_ADDRESS_0 + 4 * i;
		cfg_out(where, 4, 0xffffffff);
		EXPECT_EQ(i < variant->uarts ? 0xfffffff9 : 0,
			  cfg_in(where, 4)) TH_LOG("BAR%u", i);
	}
	cfg_out(PCI_ROM_ADDRESS, 4, 0xfffffffe);
	EXPECT_EQ(0, cfg_in(PCI_ROM_ADDRESS, 4));
}

TEST_F(config, bars_keep_an_aligned_address)
{
	unsigned int i;

	for (i = 0; i < variant->uarts; i++)
		cfg_out(PCI_BASE_ADDRESS_0 + 4 * i, 4, 0x0000c030 + 8 * i);
	for (i = 0; i < variant->uarts; i++)
		EXPECT_EQ(0x0000c031 + 8 * i,
			  cfg_in(PCI_BASE_ADDRESS_0 + 4 * i, 4));
	/* Address bits below the BAR's size read as 0. */
	cfg_out(PCI_BASE_ADDRESS_0, 4, 0x0000e007);
	EXPECT_EQ(0x0000e001, cfg_in(PCI_BASE_ADDRESS_0, 4));
}

TEST_F(config, msi_is_in_the_capability_list)
{
	int msi = mtty_find_cap(self->card.vfio.device, PCI_CAP_ID_MSI);
	int64_t control;

	ASSERT_LT(0, msi);
	EXPECT_EQ(0, mtty_find_cap(self->card.vfio.device, PCI_CAP_ID_MSIX));
	control = cfg_in(msi + PCI_MSI_FLAGS, 2);
	/* Disabled, one vector, 64-bit address, no per-vector masking. */
	EXPECT_EQ(PCI_MSI_FLAGS_64BIT, control);

	cfg_out(msi + PCI_MSI_ADDRESS_LO, 4, 0xfee01003);
	cfg_out(msi + PCI_MSI_ADDRESS_HI, 4, 0x12345678);
	cfg_out(msi + PCI_MSI_DATA_64, 2, 0x4021);
	cfg_out(msi + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE);
	EXPECT_EQ(0xfee01000, cfg_in(msi + PCI_MSI_ADDRESS_LO, 4));
	EXPECT_EQ(0x12345678, cfg_in(msi + PCI_MSI_ADDRESS_HI, 4));
	EXPECT_EQ(0x4021, cfg_in(msi + PCI_MSI_DATA_64, 2));
	EXPECT_EQ(PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_ENABLE,
		  cfg_in(msi + PCI_MSI_FLAGS, 2));
}

TEST_F(config, each_byte_changes_only_in_its_writable_bits)
{
	static const uint8_t vals[] = { 0xff, 0x00, 0x55, 0xaa };
	uint8_t before[MTTY_CONFIG_SIZE], after[MTTY_CONFIG_SIZE];
	uint8_t mask[MTTY_CONFIG_SIZE];
	int msi = mtty_find_cap(self->card.vfio.device, PCI_CAP_ID_MSI);
	unsigned int where;
	size_t i;

	ASSERT_LT(0, msi);
	writable_bits(mask, variant->uarts, msi);
	ASSERT_EQ(sizeof(before), cfg_read(0, before, sizeof(before)));

	for (where = 0; where < MTTY_CONFIG_SIZE; where++) {
		for (i = 0; i < ARRAY_SIZE(vals); i++) {
			uint8_t expected = (before[where] & ~mask[where]) |
					   (vals[i] & mask[where]);

			cfg_out(where, 1, vals[i]);
			ASSERT_EQ(sizeof(after),
				  cfg_read(0, after, sizeof(after)));
			ASSERT_EQ(expected, after[where])
				TH_LOG("wrote %02x at %02x", vals[i], where);
			/* No other byte has changed. */
			after[where] = before[where];
			ASSERT_EQ(0, memcmp(before, after, sizeof(before)))
				TH_LOG("wrote %02x at %02x", vals[i], where);
		}
		cfg_out(where, 1, before[where]);
	}
}

TEST_F(config, any_width_and_alignment_reads_the_same_bytes)
{
	uint8_t space[MTTY_CONFIG_SIZE], buf[16];
	unsigned int where, width;

	for (where = 0; where < MTTY_CONFIG_SIZE; where++) {
		int64_t val = cfg_in(where, 1);

		ASSERT_LE(0, val);
		space[where] = val;
	}
	for (width = 1; width <= sizeof(buf); width++) {
		for (where = 0; where + width <= MTTY_CONFIG_SIZE; where++) {
			memset(buf, ~space[where], sizeof(buf));
			ASSERT_EQ(width, cfg_read(where, buf, width));
			ASSERT_EQ(0, memcmp(buf, space + where, width))
				TH_LOG("%u bytes at %02x", width, where);
		}
	}
}

TEST_F(config, any_width_and_alignment_writes_the_same_bits)
{
	static const uint8_t ones[8] = { [0 ... 7] = 0xff };
	static const uint8_t zeros[8];
	uint8_t before[MTTY_CONFIG_SIZE], after[MTTY_CONFIG_SIZE];
	uint8_t mask[MTTY_CONFIG_SIZE];
	int msi = mtty_find_cap(self->card.vfio.device, PCI_CAP_ID_MSI);
	unsigned int where, width, i;

	ASSERT_LT(0, msi);
	writable_bits(mask, variant->uarts, msi);
	for (where = 0; where < MTTY_CONFIG_SIZE; where += sizeof(zeros))
		ASSERT_EQ(sizeof(zeros), cfg_write(where, zeros, sizeof(zeros)));
	ASSERT_EQ(sizeof(before), cfg_read(0, before, sizeof(before)));

	for (width = 1; width <= sizeof(ones); width++) {
		for (where = 0; where + width <= MTTY_CONFIG_SIZE; where++) {
			ASSERT_EQ(width, cfg_write(where, ones, width));
			ASSERT_EQ(sizeof(after),
				  cfg_read(0, after, sizeof(after)));
			for (i = 0; i < width; i++) {
				ASSERT_EQ(before[where + i] | mask[where + i],
					  after[where + i])
					TH_LOG("%u bytes at %02x", width, where);
				after[where + i] = before[where + i];
			}
			ASSERT_EQ(0, memcmp(before, after, sizeof(before)));
			ASSERT_EQ(width, cfg_write(where, zeros, width));
		}
	}
}

TEST_F(config, bars_answer_only_while_io_is_enabled)
{
	int device = self->card.vfio.device;
	unsigned int port;

	for (port = 0; port < variant->uarts; port++) {
		cfg_out(PCI_COMMAND, 2, PCI_COMMAND_IO);
		ASSERT_EQ(0, mtty_out(device, port, UART_SCR, 0x5a));

		cfg_out(PCI_COMMAND, 2, 0);
		EXPECT_EQ(0xff, mtty_in(device, port, UART_SCR));
		EXPECT_EQ(0xff, mtty_in(device, port, UART_LSR));
		EXPECT_EQ(0, mtty_out(device, port, UART_SCR, 0xa5));

		cfg_out(PCI_COMMAND, 2, PCI_COMMAND_IO);
		EXPECT_EQ(0x5a, mtty_in(device, port, UART_SCR));
	}
}

TEST_F(config, user_finds_io_enabled_and_nothing_else)
{
	vfio_user_close(&self->card.vfio);
	ASSERT_EQ(0, vfio_user_open(&self->card.vfio, self->card.uuid));
	EXPECT_EQ(PCI_COMMAND_IO, cfg_in(PCI_COMMAND, 2));
}

/* A reset must restore the state of a newly created card. */
TEST_F(config, reset_brings_the_power_on_state_back)
{
	static const uint8_t ones[MTTY_CONFIG_SIZE] = { [0 ... 255] = 0xff };
	uint8_t before[MTTY_CONFIG_SIZE], after[MTTY_CONFIG_SIZE];
	unsigned int i;

	cfg_out(PCI_COMMAND, 2, 0);
	ASSERT_EQ(sizeof(before), cfg_read(0, before, sizeof(before)));
	for (i = 0; i < variant->uarts; i++)
		EXPECT_EQ(PCI_BASE_ADDRESS_SPACE_IO,
			  cfg_in(PCI_BASE_ADDRESS_0 + 4 * i, 4));
	EXPECT_EQ(0, cfg_in(PCI_INTERRUPT_LINE, 1));

	ASSERT_EQ(sizeof(ones), cfg_write(0, ones, sizeof(ones)));
	ASSERT_EQ(sizeof(after), cfg_read(0, after, sizeof(after)));
	ASSERT_NE(0, memcmp(before, after, sizeof(before)));

	ASSERT_EQ(0, vfio_user_reset(self->card.vfio.device));
	ASSERT_EQ(sizeof(after), cfg_read(0, after, sizeof(after)));
	for (i = 0; i < MTTY_CONFIG_SIZE; i++)
		EXPECT_EQ(before[i], after[i]) TH_LOG("offset %02x", i);
}

TEST_F(config, next_user_finds_nothing_of_the_last_one)
{
	uint8_t before[MTTY_CONFIG_SIZE], after[MTTY_CONFIG_SIZE];
	static const uint8_t ones[MTTY_CONFIG_SIZE] = { [0 ... 255] = 0xff };
	int device = self->card.vfio.device;

	ASSERT_EQ(sizeof(before), cfg_read(0, before, sizeof(before)));
	ASSERT_EQ(0, mtty_out(device, 0, UART_LCR, UART_LCR_WLEN8));
	ASSERT_EQ(0, mtty_out(device, 0, UART_SCR, 0x5a));
	ASSERT_EQ(0, mtty_out(device, 0, UART_TX, 'x'));
	ASSERT_EQ(sizeof(ones), cfg_write(0, ones, sizeof(ones)));

	vfio_user_close(&self->card.vfio);
	ASSERT_EQ(0, vfio_user_open(&self->card.vfio, self->card.uuid));
	device = self->card.vfio.device;

	ASSERT_EQ(sizeof(after), cfg_read(0, after, sizeof(after)));
	EXPECT_EQ(0, memcmp(before, after, sizeof(before)));
	EXPECT_EQ(0, mtty_in(device, 0, UART_SCR));
	EXPECT_EQ(0, mtty_in(device, 0, UART_LCR));
	EXPECT_EQ(UART_LSR_TEMT | UART_LSR_THRE, mtty_in(device, 0, UART_LSR));
}

TEST_HARNESS_MAIN
