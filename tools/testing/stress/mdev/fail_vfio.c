// SPDX-License-Identifier: GPL-2.0-only
/* Opening a device, and calls on an open mtty card. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fail_ops.h"
#include "mdev_test_lib.h"
#include "stress.h"
#include "test_modules/mdev_test_ioctl.h"
#include "vfio_user.h"

#define IOVA 0x100000
#define PAGE 4096

static struct vfio_user vfio;
static const char *device_uuid;
static int device = -1;
static int event = -1;
static void *memory;

static long long users(void)
{
	char path[PATH_MAX];

	mdev_path(path, device_uuid, "in_use");
	return read_number(path);
}

bool vfio_enter_group(const char *uuid)
{
	device_uuid = uuid;
	return !vfio_user_open_group(&vfio, uuid);
}

bool vfio_leave_group(void)
{
	vfio_user_close(&vfio);
	return true;
}

static int open_device(void)
{
	device = vfio_user_get_device(&vfio, device_uuid);
	return device < 0 ? device : 0;
}

static int close_device(void)
{
	return close(device) ? -errno : 0;
}

bool vfio_enter_device(void)
{
	event = vfio_user_eventfd();
	return event >= 0 && !open_device() && users() == 1;
}

bool vfio_leave_device(void)
{
	return !close(event) && !close_device() && !users();
}

static void undo_open(int ret)
{
	check(!ret || !open_device(), "cannot open after a failure");
	check(users() == 1, "an open device is not in use");
	check(!close_device(), "cannot close");
}

static void undo_close(int ret)
{
	check(!ret, "a close has failed");
}

/* A group can be opened only once: close it first. */
static int make_way(void)
{
	vfio_user_close(&vfio);
	return 0;
}

static int open_all(void)
{
	return vfio_user_open(&vfio, device_uuid);
}

static void undo_open_all(int ret)
{
	check(users() == !ret, "%lld users after a result of %d", users(), ret);
	vfio_user_close(&vfio);
	check(!vfio_user_open_group(&vfio, device_uuid),
	      "the group cannot be opened again");
}

const struct fail_op open_ops[NR_OPEN_OPS] = {
	{ "open_container_group_and_device", true, make_way, open_all,
	  undo_open_all },
	{ "open_device", true, NULL, open_device, undo_open },
	{ "close_device", false, open_device, close_device, undo_close },
};

static int get_info(void)
{
	struct vfio_device_info info;

	return vfio_user_device_info(device, &info);
}

static int get_region_infos(void)
{
	struct vfio_region_info info;
	int i, ret = 0;

	for (i = 0; !ret && i < VFIO_PCI_NUM_REGIONS; i++)
		ret = vfio_user_region_info(device, i, &info);
	return ret;
}

static int get_irq_info(void)
{
	struct vfio_irq_info info;

	return vfio_user_irq_info(device, VFIO_PCI_INTX_IRQ_INDEX, &info);
}

static int reset(void)
{
	return vfio_user_reset(device);
}

static int read_config(void)
{
	char config[256];
	ssize_t len;

	len = vfio_user_region_read(device, VFIO_PCI_CONFIG_REGION_INDEX, 0,
				    config, sizeof(config));
	return len < 0 ? len : len == sizeof(config) ? 0 : -EIO;
}

static int read_port(void)
{
	uint8_t val;

	return vfio_user_read8(device, VFIO_PCI_BAR0_REGION_INDEX, 0, &val);
}

static int write_port(void)
{
	return vfio_user_write8(device, VFIO_PCI_BAR0_REGION_INDEX, 0, 'm');
}

static int bind(uint32_t index, uint32_t action)
{
	return vfio_user_irq_eventfd(device, index, action, event);
}

static int intx(void)
{
	return bind(VFIO_PCI_INTX_IRQ_INDEX, VFIO_IRQ_SET_ACTION_TRIGGER);
}

static int msi(void)
{
	return bind(VFIO_PCI_MSI_IRQ_INDEX, VFIO_IRQ_SET_ACTION_TRIGGER);
}

static int request(void)
{
	return bind(VFIO_PCI_REQ_IRQ_INDEX, VFIO_IRQ_SET_ACTION_TRIGGER);
}

static int mask(void)
{
	return bind(VFIO_PCI_INTX_IRQ_INDEX, VFIO_IRQ_SET_ACTION_MASK);
}

static int unmask(void)
{
	return bind(VFIO_PCI_INTX_IRQ_INDEX, VFIO_IRQ_SET_ACTION_UNMASK);
}

static int intx_none(uint32_t action)
{
	return vfio_user_irq_none(device, VFIO_PCI_INTX_IRQ_INDEX, action, 0,
				  1);
}

static int mask_now(void)
{
	return intx_none(VFIO_IRQ_SET_ACTION_MASK);
}

static int unmask_now(void)
{
	return intx_none(VFIO_IRQ_SET_ACTION_UNMASK);
}

static int trigger_now(void)
{
	return intx_none(VFIO_IRQ_SET_ACTION_TRIGGER);
}

static int no_intx(void)
{
	return vfio_user_irq_disable(device, VFIO_PCI_INTX_IRQ_INDEX);
}

/* Disabling an index that is not set up fails, which tells whether it was. */
static void check_disable(uint32_t index, bool was_set_up)
{
	int ret = vfio_user_irq_disable(device, index);

	check(ret == (was_set_up ? 0 : -EINVAL), "taking it down: %s",
	      strerror(-ret));
}

static void undo_intx(int ret)
{
	check_disable(VFIO_PCI_INTX_IRQ_INDEX, !ret);
}

static void undo_msi(int ret)
{
	check_disable(VFIO_PCI_MSI_IRQ_INDEX, !ret);
}

static void undo_request(int ret)
{
	check_disable(VFIO_PCI_REQ_IRQ_INDEX, !ret);
}

/* Binding again returns EBUSY if the eventfd was bound, and 0 if not. */
static void undo_mask(int ret)
{
	check(mask() == (ret ? 0 : -EBUSY), "the mask is in a wrong state");
	undo_intx(0);
}

static void undo_unmask(int ret)
{
	check(unmask() == (ret ? 0 : -EBUSY), "the unmask is in a wrong state");
	undo_intx(0);
}

/* Only that INTx is still set up can be checked. */
static void undo_prepared_intx(int ret)
{
	(void)ret;
	undo_intx(0);
}

static void undo_no_intx(int ret)
{
	check_disable(VFIO_PCI_INTX_IRQ_INDEX, ret);
}

const struct fail_op call_ops[NR_CALL_OPS] = {
	{ "get_info", false, NULL, get_info, NULL },
	{ "get_region_info_of_all", false, NULL, get_region_infos, NULL },
	{ "get_irq_info", false, NULL, get_irq_info, NULL },
	{ "reset", false, NULL, reset, NULL },
	{ "read_configuration_space", false, NULL, read_config, NULL },
	{ "read_port", false, NULL, read_port, NULL },
	{ "write_port", false, NULL, write_port, NULL },
	{ "set_irqs_intx", false, NULL, intx, undo_intx },
	{ "set_irqs_msi", false, NULL, msi, undo_msi },
	{ "set_irqs_request", false, NULL, request, undo_request },
	{ "set_irqs_mask_eventfd", true, intx, mask, undo_mask },
	{ "set_irqs_unmask_eventfd", true, intx, unmask, undo_unmask },
	{ "set_irqs_mask", false, intx, mask_now, undo_prepared_intx },
	{ "set_irqs_unmask", false, intx, unmask_now, undo_prepared_intx },
	{ "set_irqs_trigger", false, intx, trigger_now, undo_prepared_intx },
	{ "set_irqs_none", false, intx, no_intx, undo_no_intx },
};

bool vfio_enter_mapping(void)
{
	memory = mmap(NULL, PAGE * MDEV_TEST_PINS, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	return memory != MAP_FAILED &&
	       !vfio_user_map(&vfio, memory, IOVA, PAGE * MDEV_TEST_PINS);
}

bool vfio_leave_mapping(void)
{
	return !vfio_user_unmap(&vfio, IOVA, PAGE * MDEV_TEST_PINS) &&
	       !munmap(memory, PAGE * MDEV_TEST_PINS);
}

static int pins(unsigned long request)
{
	struct mdev_test_pins all = { .count = MDEV_TEST_PINS };
	int i, ret;

	for (i = 0; i < MDEV_TEST_PINS; i++)
		all.iova[i] = IOVA + i * PAGE;
	ret = ioctl(device, request, &all);
	return ret < 0 ? -errno : ret == MDEV_TEST_PINS ? 0 : -EIO;
}

static int pin(void)
{
	return pins(MDEV_TEST_PIN_ALL);
}

static int unpin(void)
{
	return pins(MDEV_TEST_UNPIN_ALL);
}

static void undo_pin(int ret)
{
	check(unpin() == (ret ? -EINVAL : 0), "a failed pin has left pages");
	check(!pin() && !unpin(), "cannot pin after a failure");
}

const struct fail_op pin_ops[NR_PIN_OPS] = {
	{ "pin", true, NULL, pin, undo_pin },
};
