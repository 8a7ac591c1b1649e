// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VFIO side of the sample card: its info ioctls, reset, and several users.
 * Regions are in mtty_region_test.c, interrupts in mtty_irq*_test.c and
 * mtty_msi_test.c.
 */
#include <errno.h>
#include <kselftest_harness.h>
#include <limits.h>
#include <linux/pci_regs.h>
#include <linux/serial_reg.h>
#include <stddef.h>
#include <sys/ioctl.h>

#include "mtty_test_lib.h"

/* Fill of user memory before the kernel writes to it. */
#define PATTERN 0xa5

/* Size up to the last member that every caller must have room for. */
#define INFO_MIN (offsetof(struct vfio_device_info, num_irqs) + 4)
#define REGION_MIN (offsetof(struct vfio_region_info, offset) + 8)
#define IRQ_MIN (offsetof(struct vfio_irq_info, count) + 4)

/* struct vfio_device_info of the newest kernel; 6.5 extended it. */
#define INFO_MAX 24

FIXTURE(vfio)
{
	struct mtty card;
};

FIXTURE_VARIANT(vfio)
{
	const char *type;
	unsigned int uarts;
};

FIXTURE_VARIANT_ADD(vfio, single)
{
	.type = MTTY_SINGLE,
	.uarts = 1,
};

FIXTURE_VARIANT_ADD(vfio, dual)
{
	.type = MTTY_DUAL,
	.uarts = 2,
};

FIXTURE_SETUP(vfio)
{
	ASSERT_EQ(0, mtty_setup_8n1(&self->card, variant->type))
		TH_LOG("%s", self->card.step);
}

FIXTURE_TEARDOWN_PARENT(vfio)
{
	EXPECT_EQ(0, mtty_teardown(&self->card));
}

/* One ioctl. Returns 0 or its errno. */
static int control(int device, unsigned long request, void *arg)
{
	return ioctl(device, request, arg) ? -errno : 0;
}

/*
 * One GET_*_INFO with @argsz, in a buffer filled with PATTERN. Returns the
 * offset behind the last byte that changed, or the errno.
 */
static int get_info(int device, unsigned long request, uint32_t argsz,
		    uint32_t index, void *buf, size_t size)
{
	uint8_t *bytes = buf;
	int ret;

	memset(bytes, PATTERN, size);
	memcpy(bytes, &argsz, 4);
	if (request != VFIO_DEVICE_GET_INFO)
		memcpy(bytes + 8, &index, 4);
	ret = control(device, request, bytes);
	if (ret)
		return ret;
	while (size > 0 && bytes[size - 1] == PATTERN)
		size--;
	return size;
}

TEST_F(vfio, device_is_pci_with_reset_and_its_regions_and_irqs)
{
	struct vfio_device_info info;

	ASSERT_EQ(0, vfio_user_device_info(self->card.vfio.device, &info));
	EXPECT_EQ(VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET, info.flags);
	EXPECT_EQ(VFIO_PCI_NUM_REGIONS, info.num_regions);
	EXPECT_EQ(VFIO_PCI_NUM_IRQS, info.num_irqs);
	EXPECT_EQ(0, info.cap_offset);
}

TEST_F(vfio, regions_are_config_space_and_one_bar_per_uart)
{
	const uint32_t rw = VFIO_REGION_INFO_FLAG_READ |
			    VFIO_REGION_INFO_FLAG_WRITE;
	struct vfio_region_info info;
	uint64_t offsets[VFIO_PCI_NUM_REGIONS];
	uint32_t i, j;

	for (i = 0; i < VFIO_PCI_NUM_REGIONS; i++) {
		uint64_t size = 0;

		if (i < variant->uarts)
			size = MTTY_UART_PORTS;
		else if (i == VFIO_PCI_CONFIG_REGION_INDEX)
			size = MTTY_CONFIG_SIZE;
		ASSERT_EQ(0, vfio_user_region_info(self->card.vfio.device, i,
						   &info));
		EXPECT_EQ(i, info.index);
		EXPECT_EQ(size, info.size) TH_LOG("region %u", i);
		EXPECT_EQ(size ? rw : 0, info.flags) TH_LOG("region %u", i);
		EXPECT_EQ(0, info.cap_offset);
		offsets[i] = info.offset;
		for (j = 0; j < i; j++)
			EXPECT_NE(offsets[j], offsets[i]);
	}
}

TEST_F(vfio, irqs_are_intx_msi_and_request)
{
	static const struct {
		uint32_t flags, count;
	} irqs[VFIO_PCI_NUM_IRQS] = {
		[VFIO_PCI_INTX_IRQ_INDEX] = {
			VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE |
			VFIO_IRQ_INFO_AUTOMASKED, 1
		},
		[VFIO_PCI_MSI_IRQ_INDEX] = {
			VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE, 1
		},
		[VFIO_PCI_REQ_IRQ_INDEX] = { VFIO_IRQ_INFO_EVENTFD, 1 },
	};
	struct vfio_irq_info info;
	uint32_t i;

	for (i = 0; i < VFIO_PCI_NUM_IRQS; i++) {
		if (i == VFIO_PCI_ERR_IRQ_INDEX) {
			/* As in vfio-pci: PCI Express functions only. */
			EXPECT_EQ(-EINVAL,
				  vfio_user_irq_info(self->card.vfio.device, i,
						     &info));
			continue;
		}
		ASSERT_EQ(0, vfio_user_irq_info(self->card.vfio.device, i,
						&info));
		EXPECT_EQ(i, info.index);
		EXPECT_EQ(irqs[i].count, info.count) TH_LOG("index %u", i);
		EXPECT_EQ(irqs[i].count ? irqs[i].flags : 0, info.flags)
			TH_LOG("index %u", i);
	}
}

TEST_F(vfio, index_out_of_range_is_einval)
{
	static const uint32_t beyond[] = { 0, 1, 1000, 0x7fffffff };
	int device = self->card.vfio.device;
	struct vfio_region_info region;
	struct vfio_irq_info irq;
	uint32_t index;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(beyond); i++) {
		index = VFIO_PCI_NUM_REGIONS + beyond[i];
		EXPECT_EQ(-EINVAL, vfio_user_region_info(device, index,
							 &region));
		index = VFIO_PCI_NUM_IRQS + beyond[i];
		EXPECT_EQ(-EINVAL, vfio_user_irq_info(device, index, &irq));
	}
	EXPECT_EQ(-EINVAL, vfio_user_region_info(device, UINT32_MAX, &region));
	EXPECT_EQ(-EINVAL, vfio_user_irq_info(device, UINT32_MAX, &irq));
}

TEST_F(vfio, argsz_too_small_is_einval_and_writes_nothing)
{
	static const struct {
		unsigned long request;
		uint32_t min;
	} requests[] = {
		{ VFIO_DEVICE_GET_INFO, INFO_MIN },
		{ VFIO_DEVICE_GET_REGION_INFO, REGION_MIN },
		{ VFIO_DEVICE_GET_IRQ_INFO, IRQ_MIN },
	};
	uint8_t buf[64], before[64];
	uint32_t argsz;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		for (argsz = 0; argsz < requests[i].min; argsz++) {
			memset(buf, PATTERN, sizeof(buf));
			memcpy(buf, &argsz, 4);
			memset(buf + 8, 0, 4);		/* index */
			memcpy(before, buf, sizeof(buf));
			ASSERT_EQ(-EINVAL,
				  control(self->card.vfio.device,
					  requests[i].request, buf))
				TH_LOG("request %zu, argsz %u", i, argsz);
			ASSERT_EQ(0, memcmp(before, buf, sizeof(buf)));
		}
	}
}

/*
 * Each GET_*_INFO writes its structure and not a byte more, however large argsz
 * is. It writes the same to zeroed memory, so it leaks no kernel memory.
 */
TEST_F(vfio, infos_write_their_structure_and_nothing_else)
{
	static const struct {
		unsigned long request;
		uint32_t min, size;
	} requests[] = {
		{ VFIO_DEVICE_GET_INFO, INFO_MIN, INFO_MAX },
		{ VFIO_DEVICE_GET_REGION_INFO, REGION_MIN,
		  sizeof(struct vfio_region_info) },
		{ VFIO_DEVICE_GET_IRQ_INFO, IRQ_MIN,
		  sizeof(struct vfio_irq_info) },
	};
	uint8_t buf[256], clean[256];
	uint32_t argsz, index, written;
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		for (argsz = requests[i].min; argsz <= 128; argsz++) {
			index = argsz % VFIO_PCI_ERR_IRQ_INDEX;
			ret = get_info(self->card.vfio.device,
				       requests[i].request, argsz, index, buf,
				       sizeof(buf));
			written = argsz < requests[i].size ? argsz :
				  requests[i].size;
			ASSERT_LE((int)requests[i].min, ret);
			ASSERT_GE((int)written, ret)
				TH_LOG("request %zu, argsz %u", i, argsz);

			memset(clean, 0, sizeof(clean));
			memcpy(clean, &argsz, 4);
			if (i)
				memcpy(clean + 8, &index, 4);
			ASSERT_EQ(0, control(self->card.vfio.device,
					     requests[i].request, clean));
			ASSERT_EQ(0, memcmp(clean, buf, ret))
				TH_LOG("request %zu, argsz %u", i, argsz);
		}
	}
}

TEST_F(vfio, info_at_a_bad_address_is_efault)
{
	static const struct {
		unsigned long request;
		uint32_t min;
	} requests[] = {
		{ VFIO_DEVICE_GET_INFO, INFO_MIN },
		{ VFIO_DEVICE_GET_REGION_INFO, REGION_MIN },
		{ VFIO_DEVICE_GET_IRQ_INFO, IRQ_MIN },
	};
	int device = self->card.vfio.device;
	char *wall = mtty_fence();
	uint32_t argsz;
	size_t i;

	ASSERT_NE(NULL, wall);
	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		EXPECT_EQ(-EFAULT, control(device, requests[i].request, NULL));
		EXPECT_EQ(-EFAULT, control(device, requests[i].request, wall));
		EXPECT_EQ(-EFAULT, control(device, requests[i].request,
					   wall - requests[i].min + 4));

		/* Just enough room, at the end of mapped memory. */
		memset(wall - requests[i].min, 0, requests[i].min);
		memcpy(wall - requests[i].min, &requests[i].min, 4);
		EXPECT_EQ(0, control(device, requests[i].request,
				     wall - requests[i].min));
	}
	/* argsz reaches into memory that can be read but not written. */
	memset(wall - INFO_MIN, 0, INFO_MIN);
	argsz = sizeof(struct vfio_device_info);
	memcpy(wall - INFO_MIN, &argsz, 4);
	EXPECT_EQ(-EFAULT, control(device, VFIO_DEVICE_GET_INFO,
				   wall - INFO_MIN));
}

TEST_F(vfio, unknown_ioctl_is_enotty)
{
	char buf[64] = { 64 };

	EXPECT_EQ(-ENOTTY, control(self->card.vfio.device,
				   _IO(VFIO_TYPE, VFIO_BASE + 99), buf));
	EXPECT_EQ(-ENOTTY, control(self->card.vfio.device,
				   VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, buf));
}

TEST_F(vfio, bars_cannot_be_mapped)
{
	struct vfio_region_info info;
	void *map;

	ASSERT_EQ(0, vfio_user_region_info(self->card.vfio.device, 0, &info));
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
		   self->card.vfio.device, info.offset);
	EXPECT_EQ(MAP_FAILED, map);
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(vfio, reset_empties_the_uarts)
{
	static const uint8_t power_on[MTTY_UART_PORTS] = {
		[UART_IIR] = UART_IIR_NO_INT,
		[UART_LSR] = UART_LSR_TEMT | UART_LSR_THRE,
	};
	uint8_t regs[MTTY_UART_PORTS];
	int device = self->card.vfio.device;
	unsigned int port, reg;

	for (port = 0; port < variant->uarts; port++) {
		ASSERT_EQ(0, mtty_out(device, port, UART_FCR,
				      UART_FCR_ENABLE_FIFO));
		ASSERT_EQ(0, mtty_out(device, port, UART_TX, 'x'));
		ASSERT_EQ(0, mtty_out(device, port, UART_MCR, UART_MCR_RTS));
		ASSERT_EQ(0, mtty_out(device, port, UART_IER, 0x0f));
		ASSERT_EQ(0, mtty_out(device, port, UART_SCR, 0x77));
		ASSERT_EQ(0, mtty_out(device, port, UART_LCR, UART_LCR_DLAB));
		ASSERT_EQ(0, mtty_out(device, port, UART_DLL, 0x12));
		ASSERT_EQ(0, mtty_out(device, port, UART_DLM, 0x34));
	}
	ASSERT_EQ(0, vfio_user_reset(device));
	ASSERT_EQ(0, mtty_config_out(device, PCI_COMMAND, 2, PCI_COMMAND_IO));
	for (port = 0; port < variant->uarts; port++) {
		ASSERT_EQ(MTTY_UART_PORTS,
			  vfio_user_region_read(device, port, 0, regs,
						sizeof(regs)));
		for (reg = 0; reg < MTTY_UART_PORTS; reg++)
			EXPECT_EQ(power_on[reg], regs[reg])
				TH_LOG("port %u, register %u", port, reg);
		ASSERT_EQ(0, mtty_out(device, port, UART_LCR, UART_LCR_DLAB));
		EXPECT_EQ(0, mtty_in(device, port, UART_DLL));
		EXPECT_EQ(0, mtty_in(device, port, UART_DLM));
	}
}

TEST_F(vfio, second_open_is_the_same_card_and_outlives_the_first)
{
	char path[PATH_MAX];
	int first = self->card.vfio.device;
	int second;

	mdev_path(path, self->card.uuid, "in_use");
	EXPECT_EQ(1, read_number(path));
	ASSERT_EQ(0, mtty_out(first, 0, UART_SCR, 0x42));
	ASSERT_EQ(0, mtty_out(first, 0, UART_TX, 'x'));

	second = vfio_user_get_device(&self->card.vfio, self->card.uuid);
	ASSERT_LE(0, second);
	EXPECT_EQ(2, read_number(path));
	EXPECT_EQ(0x42, mtty_in(second, 0, UART_SCR));
	EXPECT_EQ('x', mtty_in(second, 0, UART_RX));
	EXPECT_EQ(UART_LSR_TEMT | UART_LSR_THRE, mtty_in(first, 0, UART_LSR));

	vfio_user_close_device(&self->card.vfio);
	EXPECT_EQ(1, read_number(path));
	EXPECT_EQ(0x42, mtty_in(second, 0, UART_SCR));
	ASSERT_EQ(0, close(second));
	EXPECT_EQ(0, read_number(path));
}

TEST_F(vfio, cards_do_not_share_registers)
{
	struct vfio_user other;
	char uuid[UUID_SIZE];

	random_uuid(uuid);
	ASSERT_EQ(0, mdev_create(MTTY_PARENT, MTTY_SINGLE, uuid));
	ASSERT_EQ(0, vfio_user_open(&other, uuid)) TH_LOG("%s", other.step);
	EXPECT_NE(self->card.vfio.group_id, other.group_id);
	ASSERT_EQ(0, mtty_out(self->card.vfio.device, 0, UART_SCR, 0x42));
	ASSERT_EQ(0, mtty_out(self->card.vfio.device, 0, UART_TX, 'x'));
	EXPECT_EQ(0, mtty_in(other.device, 0, UART_SCR));
	EXPECT_EQ(UART_LSR_TEMT | UART_LSR_THRE,
		  mtty_in(other.device, 0, UART_LSR));
	vfio_user_close(&other);
	EXPECT_EQ(0, mdev_remove(uuid));
	EXPECT_EQ('x', mtty_in(self->card.vfio.device, 0, UART_RX));
}

TEST_HARNESS_MAIN
