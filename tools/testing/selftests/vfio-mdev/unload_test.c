// SPDX-License-Identifier: GPL-2.0-only
/* What refers to a module of ours must not do so once it is unloaded. */
#include <errno.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "mdev_test_door.h"

/* A kernel that releases objects late delays each by 1 to 4 s. */
#define LATE_MS		900
/* One behind the other: the bus's set of devices, and the bus. */
#define RELEASED_MS	8000
/* The module's own objects go late, too, and mostly, but not always, later. */
#define ROUNDS		4

FIXTURE(unload) {
};

FIXTURE_SETUP(unload)
{
	/* Another case may have left it loaded, and in use. */
	ASSERT_EQ(0, core_unload());
}

FIXTURE_TEARDOWN(unload)
{
}

TEST_F_TIMEOUT(unload, core_goes_while_its_objects_are_released_late, 240)
{
	int i, ret, kmsg = kmsg_open();
	unsigned long long start;

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

TEST_HARNESS_MAIN
