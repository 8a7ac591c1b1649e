// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is a device complete when its uevents arrive? A netlink listener looks at it
 * at each "add" and "bind" of thousands of creates, immediately and only once.
 * The same runs on the distribution's core, for comparison.
 */
#include <stdlib.h>
#include <sys/klog.h>

#include "mdev_test_fixture.h"
#include "mdev_test_uevent.h"

#define CREATES	10000
/* Devices at a time; removed only after the listener has seen them. */
#define BATCH	100

/* The action of syslog(2) that sets the console's log level. */
#define CONSOLE_LEVEL	8

#define STOCK	"/lib/modules/stock/mdev.ko"

/* Counters of the listener process, in memory shared with the test. */
struct seen {
	struct test_parent p;
	int add;
	int bind;
	int add_incomplete;
	int bind_incomplete;
	int no_type;		/* at "add"; libvirt waits for it */
	int no_group;		/* at "add"; QEMU needs it */
};

static void look(const struct uevent *ev, void *arg)
{
	const char *uuid = strrchr(ev->devpath, '/');
	struct seen *seen = arg;

	if (!uuid || strlen(++uuid) != UUID_SIZE - 1)
		return;
	if (!strcmp(ev->action, "add")) {
		seen->add++;
		if (!mdev_complete(&seen->p, uuid))
			seen->add_incomplete++;
		if (!mdev_has(uuid, "mdev_type"))
			seen->no_type++;
		if (!mdev_has(uuid, "iommu_group"))
			seen->no_group++;
	} else if (!strcmp(ev->action, "bind")) {
		seen->bind++;
		if (!mdev_complete(&seen->p, uuid))
			seen->bind_incomplete++;
	}
}

FIXTURE(uevents) {
	struct test_parent p;
	struct seen *seen;
};

FIXTURE_VARIANT(uevents) {
	const char *door;
	const char *core;	/* instead of ours */
	int creates;
};

FIXTURE_VARIANT_ADD(uevents, driver) {
	.door = DOOR_DRIVER, .creates = CREATES
};

FIXTURE_VARIANT_ADD(uevents, ops) {
	.door = DOOR_OPS, .creates = CREATES
};

FIXTURE_VARIANT_ADD(uevents, stock) {
	.door = DOOR_DRIVER, .core = STOCK, .creates = CREATES / 10
};

FIXTURE_SETUP(uevents)
{
	self->seen = shared_alloc(sizeof(*self->seen));
	ASSERT_NE(NULL, self->seen);
	if (variant->core) {
		if (!path_exists(variant->core))
			SKIP(return, "this kernel has no mdev.ko of its own");
		setenv("MDEV_TEST_CORE", variant->core, 1);
	}
	ASSERT_EQ(0, door_setup(variant->door));
	ASSERT_EQ(0, parent_add(&self->p, variant->door, "a"));
	ASSERT_EQ(0, parent_set(&self->p, "max_instances", BATCH));
	ASSERT_EQ(0, parent_register(&self->p));
	self->seen->p = self->p;
	/* VFIO logs a line for each device, and the serial console is slow. */
	ASSERT_EQ(0, klogctl(CONSOLE_LEVEL, NULL, 5));
}

FIXTURE_TEARDOWN(uevents)
{
	EXPECT_EQ(0, klogctl(CONSOLE_LEVEL, NULL, 7));
	EXPECT_EQ(0, door_teardown(variant->door));
}

/* The stock core's number is only measured; ours must be 0. */
TEST_F(uevents, nothing_is_missing_at_add_and_bind)
{
	static char uuids[BATCH][UUID_SIZE];
	struct seen *seen = self->seen;
	unsigned long long start = now_ms();
	struct listener l;
	int i, j;

	ASSERT_EQ(0, listener_start(&l, look, seen));
	for (i = 0; i < variant->creates; i += BATCH) {
		for (j = 0; j < BATCH; j++) {
			random_uuid(uuids[j]);
			ASSERT_EQ(0, parent_create(&self->p, uuids[j]));
		}
		ASSERT_EQ(0, listener_sync(&l));
		for (j = 0; j < BATCH; j++)
			ASSERT_EQ(0, mdev_remove(uuids[j]));
	}
	listener_stop(&l);
	printf("# measured: %s%s: %d creates in %llu s: ", variant->door,
	       variant->core ? " on the stock core" : "", variant->creates,
	       (now_ms() - start) / 1000);
	printf("incomplete at %d of %d add and %d of %d bind; ",
	       seen->add_incomplete, seen->add, seen->bind_incomplete,
	       seen->bind);
	printf("at add without mdev_type %d, iommu_group %d\n", seen->no_type,
	       seen->no_group);
	ASSERT_EQ(variant->creates, seen->add);
	ASSERT_EQ(variant->creates, seen->bind);
	if (!variant->core) {
		ASSERT_EQ(0, seen->add_incomplete);
		ASSERT_EQ(0, seen->bind_incomplete);
	}
}

TEST_HARNESS_MAIN
