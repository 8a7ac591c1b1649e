// SPDX-License-Identifier: GPL-2.0-only
/* Vendor drivers that were not written for this core. */
#include "mdev_test_fixture.h"

/* Is this tree's mdev.ko loaded? The distribution's lacks this symbol. */
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
	/* Let the test load mdev.ko and check which one it gets. */
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
	if (!module_available("kvmgt"))
		SKIP(return, "this kernel has no kvmgt.ko");
	ASSERT_EQ(0, load_module("kvmgt"));
	ASSERT_TRUE(core_is_ours());
	ASSERT_TRUE(module_held_by("mdev", "kvmgt"));
	ASSERT_TRUE(path_exists("/sys/bus/mdev/drivers/intel_vgpu_mdev"));
	ASSERT_EQ(-EWOULDBLOCK, unload_module("mdev"));
	ASSERT_EQ(0, unload_module("kvmgt"));
	ASSERT_FALSE(path_exists("/sys/bus/mdev/drivers/intel_vgpu_mdev"));
}

TEST_HARNESS_MAIN
