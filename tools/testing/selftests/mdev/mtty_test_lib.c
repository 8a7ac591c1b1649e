// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shared by the sample device's tests.
 */
#include <dirent.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/serial_reg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mtty_test_lib.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

int mtty_load(void)
{
	int ret = load_module("vfio_iommu_type1");

	return ret ? ret : load_module("mtty");
}

/* Only if the driver stays: unloading it removes the cards. */
static int remove_cards(void)
{
	DIR *dir = opendir("/sys/bus/mdev/devices");
	struct dirent *entry;
	int ret, first = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		ret = mdev_remove(entry->d_name);
		if (ret && !first)
			first = ret;
	}
	closedir(dir);
	return first;
}

int mtty_unload(void)
{
	static const char * const modules[] = { "mtty", "vfio_mdev", "mdev" };
	int ret, first = 0;
	size_t i;

	if (keep_modules() || module_built_in("mtty"))
		return remove_cards();
	for (i = 0; i < ARRAY_SIZE(modules); i++) {
		if (!module_loaded(modules[i]))
			continue;
		ret = unload_module(modules[i]);
		if (ret && !first)
			first = ret;
	}
	return first;
}

int mtty_setup(struct mtty *card, const char *type)
{
	int ret;

	memset(card, 0, sizeof(*card));
	vfio_user_init(&card->vfio);
	card->owner = getpid();

	card->step = "load the modules";
	ret = mtty_load();
	if (ret)
		goto unload;

	card->step = "create the card";
	random_uuid(card->uuid);
	ret = mdev_create(MTTY_PARENT, type, card->uuid);
	if (ret)
		goto unload;

	ret = vfio_user_open(&card->vfio, card->uuid);
	card->step = card->vfio.step;
	if (ret)
		goto remove;

	card->step = "switch I/O decoding on";
	ret = mtty_config_out(card->vfio.device, PCI_COMMAND, 2,
			      PCI_COMMAND_IO);
	if (ret)
		goto close;
	return 0;

close:
	vfio_user_close(&card->vfio);
remove:
	mdev_remove(card->uuid);
unload:
	mtty_unload();
	return ret;
}

int mtty_setup_8n1(struct mtty *card, const char *type)
{
	struct vfio_region_info bar = { .size = 0 };
	unsigned int port;
	int ret;

	ret = mtty_setup(card, type);
	if (ret)
		return ret;

	card->step = "set eight-bit words";
	for (port = 0; !ret && port < MTTY_MAX_PORTS; port++) {
		ret = vfio_user_region_info(card->vfio.device, port, &bar);
		if (!ret && bar.size)
			ret = mtty_out(card->vfio.device, port, UART_LCR,
				       UART_LCR_WLEN8);
	}
	if (ret)
		mtty_teardown(card);
	return ret;
}

int mtty_teardown(struct mtty *card)
{
	int removed = 0, unloaded;

	if (card->owner == getpid())
		vfio_user_close(&card->vfio);
	if (mdev_exists(card->uuid))
		removed = mdev_remove(card->uuid);
	unloaded = mtty_unload();
	return removed ? removed : unloaded;
}

int mtty_in(int device, unsigned int port, unsigned int reg)
{
	uint8_t val;
	int ret = vfio_user_read8(device, port, reg, &val);

	return ret ? ret : val;
}

int mtty_out(int device, unsigned int port, unsigned int reg, uint8_t val)
{
	return vfio_user_write8(device, port, reg, val);
}

int64_t mtty_config_in(int device, unsigned int where, unsigned int width)
{
	uint8_t byte = 0;
	uint16_t word = 0;
	uint32_t dword = 0;
	int ret;

	switch (width) {
	case 1:
		ret = vfio_user_read8(device, MTTY_CONFIG, where, &byte);
		return ret ? ret : byte;
	case 2:
		ret = vfio_user_read16(device, MTTY_CONFIG, where, &word);
		return ret ? ret : word;
	case 4:
		ret = vfio_user_read32(device, MTTY_CONFIG, where, &dword);
		return ret ? (int64_t)ret : dword;
	default:
		return -EINVAL;
	}
}

int mtty_config_out(int device, unsigned int where, unsigned int width,
		    uint32_t val)
{
	switch (width) {
	case 1:
		return vfio_user_write8(device, MTTY_CONFIG, where, val);
	case 2:
		return vfio_user_write16(device, MTTY_CONFIG, where, val);
	case 4:
		return vfio_user_write32(device, MTTY_CONFIG, where, val);
	default:
		return -EINVAL;
	}
}

int mtty_find_cap(int device, uint8_t id)
{
	int64_t val = mtty_config_in(device, PCI_STATUS, 2);
	int pos, steps;

	if (val < 0)
		return val;
	if (!(val & PCI_STATUS_CAP_LIST))
		return 0;

	pos = mtty_config_in(device, PCI_CAPABILITY_LIST, 1);
	/* 48 capabilities of four bytes fill the space; more means a loop. */
	for (steps = 0; pos > 0 && steps < 48; steps++) {
		if (pos < PCI_STD_HEADER_SIZEOF || pos % 4)
			return -EILSEQ;
		val = mtty_config_in(device, pos + PCI_CAP_LIST_ID, 1);
		if (val < 0 || val == id)
			return val < 0 ? val : pos;
		pos = mtty_config_in(device, pos + PCI_CAP_LIST_NEXT, 1);
	}
	return pos > 0 ? -ELOOP : pos;
}

char *mtty_fence(void)
{
	long page = sysconf(_SC_PAGESIZE);
	char *map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED || mprotect(map + page, page, PROT_NONE))
		return NULL;
	return map + page;
}
