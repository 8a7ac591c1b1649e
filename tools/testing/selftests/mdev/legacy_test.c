// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vendor driver written for Linux 5.2 and built with the legacy headers: it
 * creates and removes devices, and pins its user's memory.
 */
#include <linux/kvm.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "mdev_test_cdev.h"
#include "mdev_test_fixture.h"
#include "test_modules/mdev_test_ioctl.h"

#define LEGACY "mdev_test_legacy"
#define LEGACY_TYPE "platform-1"

#define IOVA	0x100000
#define PAGE	4096
#define PAGES	4

FIXTURE(legacy) {
	struct vfio_user vfio;
	char uuid[UUID_SIZE];
	char *memory;
	int kmsg;
};

FIXTURE_SETUP(legacy)
{
	vfio_user_init(&self->vfio);
	random_uuid(self->uuid);
	self->kmsg = kmsg_open();
	ASSERT_LE(0, self->kmsg);
	self->memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->memory);
	ASSERT_EQ(0, load_module(LEGACY));
}

FIXTURE_TEARDOWN(legacy)
{
	vfio_user_close(&self->vfio);
	if (module_loaded(LEGACY))
		EXPECT_EQ(0, unload_module(LEGACY));
	EXPECT_EQ(0, core_unload());
}

/*
 * vfio_iommu_type1 takes its two locks in one order to register a device, and
 * in the other when a vendor unpins in a notifier.
 */
static bool lockdep_would_complain(void)
{
	return path_exists("/proc/lockdep");
}

#define TYPE1_LOCKS "lockdep would report vfio_iommu_type1's own locks"

static int legacy_open(struct vfio_user *vfio, const char *uuid)
{
	int ret = mdev_create(LEGACY, LEGACY_TYPE, uuid);

	return ret ? ret : mdev_open(vfio, uuid);
}

/* Pin or unpin pages by their index in the mapping; -1 ends the list. */
static int pins_ioctl(int device, unsigned long request, const int *pages)
{
	struct mdev_test_pins pins = {};
	int ret;

	for (; *pages >= 0; pages++)
		pins.iova[pins.count++] = IOVA + *pages * PAGE;
	ret = ioctl(device, request, &pins);
	return ret < 0 ? -errno : ret;
}

#define PIN(_device, ...) \
	pins_ioctl(_device, MDEV_TEST_PIN_ALL, (const int[]){ __VA_ARGS__, -1 })
#define UNPIN(_device, ...) \
	pins_ioctl(_device, MDEV_TEST_UNPIN_ALL, (const int[]){ __VA_ARGS__, -1 })

/* Read the first byte of a pinned page through the driver. */
static int peek(int device, int page)
{
	unsigned char byte;

	if (pread(device, &byte, 1, MDEV_TEST_MEMORY + IOVA + page * PAGE) != 1)
		return -errno;
	return byte;
}

static int poke(int device, int page, unsigned char byte)
{
	if (pwrite(device, &byte, 1, MDEV_TEST_MEMORY + IOVA + page * PAGE) != 1)
		return -errno;
	return 0;
}

/* Memory of this process that is pinned or locked, in KiB. */
static long locked_kib(void)
{
	char line[128];
	long kib = -1;
	FILE *file = fopen("/proc/self/status", "r");

	if (!file)
		return -errno;
	while (kib < 0 && fgets(line, sizeof(line), file))
		sscanf(line, "VmLck: %ld", &kib);
	fclose(file);
	return kib;
}

static int legacy_set(const char *uuid, const char *file)
{
	char path[PATH_MAX];

	mdev_path(path, uuid, file);
	return write_file(path, "1");
}

TEST_F(legacy, source_of_linux_5_2_registers_creates_and_removes)
{
	char path[PATH_MAX], val[64];

	type_path(path, LEGACY, LEGACY_TYPE, "name");
	ASSERT_LT(0, read_file(path, val, sizeof(val)));
	ASSERT_STREQ("Legacy type", val);
	ASSERT_EQ(0, mdev_create(LEGACY, LEGACY_TYPE, self->uuid));
	mdev_path(path, self->uuid, "vendor/uuid");
	ASSERT_LT(0, read_file(path, val, sizeof(val)));
	ASSERT_STREQ(self->uuid, val);
	ASSERT_EQ(1, available_instances(LEGACY, LEGACY_TYPE));
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_EQ(2, available_instances(LEGACY, LEGACY_TYPE));
}

TEST_F(legacy, source_of_linux_5_2_reaches_its_user_through_vfio)
{
	char text[8] = "legacy";

	ASSERT_EQ(0, mdev_create(LEGACY, LEGACY_TYPE, self->uuid));
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
	ASSERT_EQ(sizeof(text), pwrite(self->vfio.device, text, sizeof(text),
				       8));
	memset(text, 0, sizeof(text));
	ASSERT_EQ(sizeof(text), pread(self->vfio.device, text, sizeof(text),
				      8));
	ASSERT_STREQ("legacy", text);
	/* An open device pins its module, as drivers did then. */
	ASSERT_EQ(-EWOULDBLOCK, unload_module(LEGACY));
}

TEST_F(legacy, error_of_linux_5_2_source_reaches_the_writer)
{
	char uuid[UUID_SIZE];
	int i;

	for (i = 0; i < 2; i++) {
		random_uuid(uuid);
		ASSERT_EQ(0, mdev_create(LEGACY, LEGACY_TYPE, uuid));
	}
	ASSERT_EQ(-EUSERS, mdev_create(LEGACY, LEGACY_TYPE, self->uuid));
}

TEST_F(legacy, driver_reads_and_writes_pinned_memory)
{
	int device;

	ASSERT_EQ(0, legacy_open(&self->vfio, self->uuid));
	device = self->vfio.device;
	ASSERT_EQ(0, vfio_user_map(&self->vfio, self->memory, IOVA,
				   PAGES * PAGE));
	self->memory[0] = 10;
	self->memory[3 * PAGE] = 13;
	ASSERT_EQ(2, PIN(device, 3, 0));
	ASSERT_EQ(10, peek(device, 0));
	ASSERT_EQ(13, peek(device, 3));
	self->memory[3 * PAGE] = 23;
	ASSERT_EQ(23, peek(device, 3));
	ASSERT_EQ(0, poke(device, 0, 30));
	ASSERT_EQ(30, self->memory[0]);
	ASSERT_EQ(-EFAULT, peek(device, 1));
	ASSERT_EQ(2, UNPIN(device, 3, 0));
	ASSERT_EQ(-EFAULT, peek(device, 0));
}

TEST_F(legacy, pages_are_pinned_all_or_none)
{
	ASSERT_EQ(0, legacy_open(&self->vfio, self->uuid));
	ASSERT_EQ(0, vfio_user_map(&self->vfio, self->memory, IOVA,
				   PAGES * PAGE));
	ASSERT_EQ(-EINVAL, PIN(self->vfio.device, 1, 0, PAGES));
	ASSERT_EQ(0, locked_kib());
	/* VFIO notifies the driver only of pinned pages. */
	ASSERT_EQ(0, vfio_user_unmap(&self->vfio, IOVA, PAGES * PAGE));
	ASSERT_EQ(0, mdev_number(self->uuid, "vendor/unmaps"));
}

TEST_F(legacy, page_stays_pinned_until_the_last_pin_is_undone)
{
	int device;

	ASSERT_EQ(0, legacy_open(&self->vfio, self->uuid));
	device = self->vfio.device;
	ASSERT_EQ(0, vfio_user_map(&self->vfio, self->memory, IOVA,
				   PAGES * PAGE));
	ASSERT_EQ(2, PIN(device, 0, 0));
	ASSERT_EQ(1, PIN(device, 0));
	ASSERT_EQ(2, UNPIN(device, 0, 0));
	ASSERT_EQ(PAGE / 1024, locked_kib());
	ASSERT_EQ(1, UNPIN(device, 0, 1));
	ASSERT_EQ(0, locked_kib());
	ASSERT_EQ(-EINVAL, UNPIN(device, 0));
}

TEST_F(legacy, bad_counts_are_refused)
{
	struct mdev_test_pins pins = { .count = 0 };

	ASSERT_EQ(0, legacy_open(&self->vfio, self->uuid));
	ASSERT_EQ(-1, ioctl(self->vfio.device, MDEV_TEST_PIN_ALL, &pins));
	ASSERT_EQ(EINVAL, errno);
	ASSERT_EQ(-1, ioctl(self->vfio.device, MDEV_TEST_UNPIN_ALL, &pins));
	ASSERT_EQ(EINVAL, errno);
	pins.count = PAGE;
	ASSERT_EQ(-1, ioctl(self->vfio.device, MDEV_TEST_PIN_ALL, &pins));
	ASSERT_EQ(E2BIG, errno);
	ASSERT_EQ(-1, ioctl(self->vfio.device, MDEV_TEST_UNPIN_ALL, &pins));
	ASSERT_EQ(E2BIG, errno);
}

TEST_F(legacy, driver_is_told_of_an_unmap_and_unpins)
{
	int device;

	if (lockdep_would_complain())
		SKIP(return, TYPE1_LOCKS);
	ASSERT_EQ(0, legacy_open(&self->vfio, self->uuid));
	device = self->vfio.device;
	ASSERT_EQ(0, vfio_user_map(&self->vfio, self->memory, IOVA,
				   PAGES * PAGE));
	ASSERT_EQ(3, PIN(device, 0, 2, 2));
	ASSERT_EQ(0, vfio_user_unmap(&self->vfio, IOVA, PAGES * PAGE));
	ASSERT_EQ(1, mdev_number(self->uuid, "vendor/unmaps"));
	ASSERT_EQ(-EFAULT, peek(device, 0));
	ASSERT_EQ(-EINVAL, PIN(device, 0));
	ASSERT_EQ(0, locked_kib());
	/* Another mapping of the same addresses can be pinned. */
	ASSERT_EQ(0, vfio_user_map(&self->vfio, self->memory + PAGE, IOVA,
				   PAGE));
	self->memory[PAGE] = 42;
	ASSERT_EQ(1, PIN(device, 0));
	ASSERT_EQ(42, peek(device, 0));
	ASSERT_FALSE(kmsg_find(self->kmsg, "the vendor driver", "mdev: "));
}

TEST_F(legacy, unmap_ends_with_a_driver_that_ignores_it)
{
	if (lockdep_would_complain())
		SKIP(return, TYPE1_LOCKS);
	ASSERT_EQ(0, legacy_open(&self->vfio, self->uuid));
	ASSERT_EQ(0, vfio_user_map(&self->vfio, self->memory, IOVA,
				   PAGES * PAGE));
	ASSERT_EQ(3, PIN(self->vfio.device, 0, 2, 2));
	ASSERT_EQ(0, legacy_set(self->uuid, "vendor/deaf"));
	ASSERT_EQ(0, vfio_user_unmap(&self->vfio, IOVA, PAGES * PAGE));
	ASSERT_LT(1, mdev_number(self->uuid, "vendor/unmaps"));
	ASSERT_TRUE(kmsg_find(self->kmsg, "the vendor driver kept 3 pins",
			      self->uuid));
	ASSERT_EQ(0, locked_kib());
	ASSERT_EQ(-EINVAL, UNPIN(self->vfio.device, 0));
}

TEST_F(legacy, close_undoes_what_the_driver_leaves)
{
	ASSERT_EQ(0, legacy_open(&self->vfio, self->uuid));
	ASSERT_EQ(0, vfio_user_map(&self->vfio, self->memory, IOVA,
				   PAGES * PAGE));
	ASSERT_EQ(2, PIN(self->vfio.device, 0, 1));
	ASSERT_EQ(0, legacy_set(self->uuid, "vendor/deaf"));
	vfio_user_close_device(&self->vfio);
	ASSERT_EQ(0, locked_kib());
	ASSERT_TRUE(kmsg_find(self->kmsg, "the vendor driver kept 2 pins",
			      self->uuid));
	ASSERT_TRUE(kmsg_find(self->kmsg, "left a notifier registered",
			      self->uuid));
	ASSERT_EQ(0, mdev_remove(self->uuid));
}

static void *pin_once(void *device)
{
	return (void *)(intptr_t)PIN(*(int *)device, 0);
}

/* The unmap comes after VFIO pins a page, but before the driver notes it. */
TEST_F(legacy, driver_that_notes_a_page_late_is_told_again)
{
	pthread_t pin;
	void *pinned;

	if (lockdep_would_complain())
		SKIP(return, TYPE1_LOCKS);
	ASSERT_EQ(0, legacy_open(&self->vfio, self->uuid));
	ASSERT_EQ(0, vfio_user_map(&self->vfio, self->memory, IOVA,
				   PAGES * PAGE));
	ASSERT_EQ(0, legacy_set(self->uuid, "vendor/late"));
	ASSERT_EQ(0, pthread_create(&pin, NULL, pin_once, &self->vfio.device));
	ASSERT_TRUE(wait_until(locked_kib(), SOON_MS));
	ASSERT_EQ(0, vfio_user_unmap(&self->vfio, IOVA, PAGES * PAGE));
	ASSERT_EQ(0, pthread_join(pin, &pinned));
	ASSERT_EQ(1, (intptr_t)pinned);
	ASSERT_LT(1, mdev_number(self->uuid, "vendor/unmaps"));
	ASSERT_EQ(-EFAULT, peek(self->vfio.device, 0));
	ASSERT_EQ(0, locked_kib());
	ASSERT_FALSE(kmsg_find(self->kmsg, "the vendor driver", "mdev: "));
}

struct pinner {
	int device;
	bool stop;
	int unexpected;
	unsigned int pinned;
	unsigned int refused;
};

/* Pin and unpin two pages until told to stop. */
static void *pin_on(void *arg)
{
	struct pinner *pinner = arg;
	int ret;

	while (!__atomic_load_n(&pinner->stop, __ATOMIC_RELAXED)) {
		ret = PIN(pinner->device, 0, 1);
		if (ret == 2) {
			__atomic_add_fetch(&pinner->pinned, 1, __ATOMIC_RELAXED);
			UNPIN(pinner->device, 0, 1);
		} else if (ret == -EINVAL) {
			__atomic_add_fetch(&pinner->refused, 1, __ATOMIC_RELAXED);
		} else {
			pinner->unexpected = ret;
		}
	}
	return NULL;
}

TEST_F(legacy, pins_that_race_with_unmaps_leave_nothing_pinned)
{
	const unsigned int rounds = 200;
	struct pinner pinner = {};
	pthread_t threads[3];
	unsigned int i;

	if (lockdep_would_complain())
		SKIP(return, TYPE1_LOCKS);
	ASSERT_EQ(0, legacy_open(&self->vfio, self->uuid));
	pinner.device = self->vfio.device;
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, pin_on, &pinner));
	for (i = 0; i < rounds || !pinner.pinned || !pinner.refused; i++) {
		EXPECT_EQ(0, vfio_user_map(&self->vfio, self->memory, IOVA,
					   PAGES * PAGE));
		EXPECT_EQ(0, vfio_user_unmap(&self->vfio, IOVA, PAGES * PAGE));
		EXPECT_EQ(0, locked_kib());
	}
	__atomic_store_n(&pinner.stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
	ASSERT_EQ(0, pinner.unexpected);
	ASSERT_FALSE(kmsg_find(self->kmsg, "the vendor driver", "mdev: "));
}

TEST_F(legacy, driver_pins_and_is_told_through_an_iommufd)
{
	int device, iommufd, ioas;

	ASSERT_EQ(0, mdev_create(LEGACY, LEGACY_TYPE, self->uuid));
	device = cdev_open(self->uuid);
	if (device == -ENOTSUP)
		SKIP(return, NO_CDEV);
	ASSERT_LE(0, device);
	iommufd = iommufd_open();
	ASSERT_LE(0, iommufd);
	ASSERT_EQ(0, cdev_bind(device, iommufd));
	ioas = ioas_alloc(iommufd);
	ASSERT_LT(0, ioas);
	ASSERT_EQ(0, ioas_map(iommufd, ioas, self->memory, IOVA, PAGES * PAGE));
	ASSERT_EQ(0, cdev_attach(device, ioas));
	self->memory[2 * PAGE] = 12;
	ASSERT_EQ(3, PIN(device, 2, 0, 2));
	ASSERT_EQ(12, peek(device, 2));
	ASSERT_EQ(1, UNPIN(device, 2));
	ASSERT_EQ(-EINVAL, PIN(device, 1, PAGES));
	ASSERT_EQ(0, ioas_unmap(iommufd, ioas, IOVA, PAGES * PAGE));
	ASSERT_EQ(1, mdev_number(self->uuid, "vendor/unmaps"));
	ASSERT_EQ(-EFAULT, peek(device, 0));

	/* A driver that ignores unmaps does not block the last close. */
	ASSERT_EQ(0, ioas_map(iommufd, ioas, self->memory, IOVA, PAGES * PAGE));
	ASSERT_EQ(2, PIN(device, 0, 1));
	ASSERT_EQ(0, legacy_set(self->uuid, "vendor/deaf"));
	ASSERT_EQ(0, ioas_unmap(iommufd, ioas, IOVA, PAGES * PAGE));
	ASSERT_TRUE(kmsg_find(self->kmsg, "the vendor driver kept 2 pins",
			      self->uuid));
	close(device);
	ASSERT_EQ(0, mdev_remove(self->uuid));
	close(iommufd);
}

/* Create a VM and add @group to its KVM-VFIO device. */
static int kvm_with_group(int group)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_VFIO };
	struct kvm_device_attr attr = {
		.group = KVM_DEV_VFIO_GROUP,
		.attr = KVM_DEV_VFIO_GROUP_ADD,
		.addr = (uintptr_t)&group,
	};
	int kvm, vm;

	if (load_module("kvm_amd"))
		load_module("kvm_intel");
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		return -errno;
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	close(kvm);
	if (vm < 0 || ioctl(vm, KVM_CREATE_DEVICE, &device) ||
	    ioctl(device.fd, KVM_SET_DEVICE_ATTR, &attr))
		return -EIO;
	return vm;
}

TEST_F(legacy, driver_is_told_of_kvm_when_it_is_opened)
{
	int vm;

	ASSERT_EQ(0, mdev_create(LEGACY, LEGACY_TYPE, self->uuid));
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
	ASSERT_EQ(0, mdev_number(self->uuid, "vendor/kvm"));
	vfio_user_close_device(&self->vfio);

	vm = kvm_with_group(self->vfio.group);
	if (vm == -ENOENT)
		SKIP(return, "no KVM in this machine");
	ASSERT_LE(0, vm);
	self->vfio.device = vfio_user_get_device(&self->vfio, self->uuid);
	ASSERT_LE(0, self->vfio.device);
	ASSERT_EQ(1, mdev_number(self->uuid, "vendor/kvm"));
}

TEST_HARNESS_MAIN
