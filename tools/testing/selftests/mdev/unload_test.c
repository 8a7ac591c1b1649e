// SPDX-License-Identifier: GPL-2.0-only
/* Unloading the core while references to its objects remain. */
#include <errno.h>
#include <unistd.h>

#include <kselftest_harness.h>
#include "mdev_test_door.h"

/* A kernel that delays releases (1 to 4 s each) makes rmmod take longer. */
#define LATE_MS		900
/* Two delays in a row: the bus's kset of devices, then the bus. */
#define RELEASED_MS	8000
/* The module's own kobjects are delayed, too; usually, not always, longer. */
#define ROUNDS		4
/* How long to wait for an rmmod that does not block. */
#define EARLY_MS	2000

FIXTURE(unload) {
};

FIXTURE_SETUP(unload)
{
	/* Another case may have left it loaded and in use. */
	ASSERT_EQ(0, core_unload());
}

FIXTURE_TEARDOWN(unload)
{
}

TEST_F(unload, core_goes_while_its_objects_are_released_late)
{
	int i, ret, kmsg = kmsg_open();
	unsigned long long start;

	if (module_built_in("mdev"))
		SKIP(return, "mdev is built in");
	ASSERT_LE(0, kmsg);
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, load_module("mdev"));
		start = now_ms();
		ASSERT_TRUE(wait_until((ret = unload_module("mdev")) !=
				       -EWOULDBLOCK, 2 * RELEASED_MS));
		ASSERT_EQ(0, ret);
		if (now_ms() - start < LATE_MS)
			SKIP(return, "this kernel does not release late");
	}
	ASSERT_FALSE(wait_until(kmsg_find(kmsg, "BUG: ", ""), RELEASED_MS));
	close(kmsg);
}

static int act_unload_core(void *arg)
{
	return unload_soon("mdev");
}

/*
 * Before Linux 6.3 dropping the last reference on a bus writes to the bus_type,
 * so the core's exit must wait for references that are still held.
 */
TEST_F(unload, bus_may_be_held_while_the_core_is_unloaded)
{
	struct actor unload;
	int ret, kmsg = kmsg_open();

	if (module_built_in("mdev"))
		SKIP(return, "mdev is built in");
	ASSERT_LE(0, kmsg);
	ASSERT_EQ(0, door_setup(DOOR_DRIVER));
	ASSERT_EQ(0, hold_bus());
	ASSERT_EQ(0, unload_soon(DOOR_DRIVER));
	ASSERT_EQ(0, actor_start(&unload, act_unload_core, NULL));
	/* rmmod is in the core's exit function or past it. */
	ASSERT_TRUE(wait_until(!path_exists("/sys/bus/mdev"), UNLOAD_MS));
	ret = actor_wait(&unload, EARLY_MS);
	ASSERT_TRUE(!ret || ret == ACTOR_TIMEOUT) {
		TH_LOG("rmmod mdev: %d", ret);
	}
	ASSERT_TRUE(wait_until(!actor_running(&unload) ||
			       kmsg_find(kmsg, "references on the bus", "mdev"),
			       UNLOAD_MS));
	close(kmsg);
	ASSERT_EQ(0, held_drop());
	if (ret)
		ASSERT_EQ(0, actor_wait(&unload, UNLOAD_MS));
	ASSERT_FALSE(module_loaded("mdev"));
	ASSERT_EQ(0, core_unload());
}

TEST_HARNESS_MAIN
