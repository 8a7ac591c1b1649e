// SPDX-License-Identifier: GPL-2.0-only
/* Vendor drivers that were not written for this core. */
#include "mdev_test_fixture.h"

/* Is the loaded mdev.ko this one? The distribution's has no such symbol. */
static bool core_is_ours(void)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	char line[512];
	bool ours = false;

	if (!file)
		return false;
	while (!ours && fgets(line, sizeof(line), file))
		ours = strstr(line, " mdev_register_device\t[mdev]");
	fclose(file);
	return ours;
}

FIXTURE(kvmgt) {
};

FIXTURE_SETUP(kvmgt)
{
	if (!module_available("kvmgt"))
		SKIP(return, "this kernel has no kvmgt.ko");
	/* Whose, is for the test to find out. */
	ASSERT_EQ(0, core_unload());
}

FIXTURE_TEARDOWN(kvmgt)
{
	if (module_loaded("kvmgt"))
		EXPECT_EQ(0, unload_module("kvmgt"));
	EXPECT_EQ(0, core_unload());
}

TEST_F(kvmgt, unmodified_kvmgt_loads_on_this_core)
{
	ASSERT_EQ(0, load_module("kvmgt"));
	ASSERT_TRUE(core_is_ours());
	ASSERT_TRUE(module_held_by("mdev", "kvmgt"));
	ASSERT_TRUE(path_exists("/sys/bus/mdev/drivers/intel_vgpu_mdev"));
	ASSERT_EQ(-EWOULDBLOCK, unload_module("mdev"));
	ASSERT_EQ(0, unload_module("kvmgt"));
	ASSERT_FALSE(path_exists("/sys/bus/mdev/drivers/intel_vgpu_mdev"));
}

#define LEGACY "mdev_test_legacy"
#define LEGACY_TYPE "platform-1"

FIXTURE(legacy) {
	struct vfio_user vfio;
	char uuid[UUID_SIZE];
};

FIXTURE_SETUP(legacy)
{
	vfio_user_init(&self->vfio);
	random_uuid(self->uuid);
	ASSERT_EQ(0, load_module(LEGACY));
}

FIXTURE_TEARDOWN(legacy)
{
	vfio_user_close(&self->vfio);
	if (module_loaded(LEGACY))
		EXPECT_EQ(0, unload_module(LEGACY));
	EXPECT_EQ(0, core_unload());
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
	/* It pins its module while it is open, as drivers did then. */
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

TEST_HARNESS_MAIN
