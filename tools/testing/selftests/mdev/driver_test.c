// SPDX-License-Identifier: GPL-2.0-only
/* The bus and its drivers: binding by hand, on demand and to another driver. */
#include "mdev_test_fixture.h"

DOOR_FIXTURE(driver)
ON_DRIVER_DOOR(driver);
ON_OPS_DOOR(driver);

DOOR_FIXTURE(driver_driver)
ON_DRIVER_DOOR(driver_driver);

DOOR_FIXTURE(driver_ops)
ON_OPS_DOOR(driver_ops);

#define DRIVERS "/sys/bus/mdev/drivers"
#define MODPROBE "/proc/sys/kernel/modprobe"
/* Time for a task that should wait to proceed wrongly. */
#define EARLY_MS 500

static const char *driver_of(const struct test_parent *p)
{
	static char name[DRIVER_SIZE];

	parent_driver(name, p);
	return name;
}

static int driver_do(const char *driver, const char *what, const char *uuid)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), DRIVERS "/%s/%s", driver, what);
	return write_file(path, uuid);
}

static bool bound_to(const char *uuid, const char *driver)
{
	char path[PATH_MAX], name[64];

	mdev_path(path, uuid, "driver");
	return !link_target_name(path, name, sizeof(name)) &&
	       !strcmp(name, driver);
}

TEST_F(driver, device_can_be_unbound_and_bound_by_hand)
{
	const char *driver = driver_of(&self->p);

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, driver_do(driver, "unbind", self->uuid));
	ASSERT_TRUE(mdev_exists(self->uuid));
	ASSERT_FALSE(mdev_has(self->uuid, "driver"));
	ASSERT_FALSE(mdev_has(self->uuid, "iommu_group"));
	ASSERT_TRUE(mdev_has(self->uuid, "mdev_type"));
	ASSERT_EQ(0, mdev_number(self->uuid, "in_use"));
	ASSERT_EQ(0, driver_do(driver, "bind", self->uuid));
	ASSERT_TRUE(bound_to(self->uuid, driver));
	ASSERT_TRUE(mdev_complete(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
	ASSERT_EQ(1, mdev_number(self->uuid, "in_use"));
}

TEST_F(driver, unbound_device_can_be_removed)
{
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, driver_do(driver_of(&self->p), "unbind",
			       self->uuid));
	ASSERT_EQ(15, available_instances("a", self->p.type1));
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_FALSE(mdev_exists(self->uuid));
	ASSERT_EQ(16, available_instances("a", self->p.type1));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
}

TEST_F(driver, unbound_device_goes_with_its_parent)
{
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, driver_do(driver_of(&self->p), "unbind",
			       self->uuid));
	ASSERT_EQ(0, parent_unregister(&self->p));
	ASSERT_FALSE(mdev_exists(self->uuid));
}

/* Unbind an open device by hand; the unbind waits for its user. */
#define START_UNBIND(_unbind)						\
do {									\
	char path_[PATH_MAX];						\
									\
	ASSERT_EQ(0, parent_restart(&self->p, "request_op", 1));	\
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));		\
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));		\
	snprintf(path_, sizeof(path_), DRIVERS "/%s/unbind",		\
		 driver_of(&self->p));				\
	ASSERT_EQ(0, actor_write(&(_unbind), path_, self->uuid));	\
	ASSERT_TRUE(wait_until(parent_get(&self->p, "requests") >= 1,	\
			       SOON_MS));				\
} while (0)

TEST_F(driver, unbind_by_hand_keeps_links_while_it_waits_for_the_user)
{
	struct actor unbind;

	START_UNBIND(unbind);
	ASSERT_TRUE(mdev_has(self->uuid, "mdev_type"));
	ASSERT_TRUE(mdev_has(self->uuid, "remove"));
	ASSERT_TRUE(type_lists(&self->p, self->uuid));
	vfio_user_close(&self->vfio);
	ASSERT_EQ(0, actor_wait(&unbind, SOON_MS));
	ASSERT_TRUE(mdev_exists(self->uuid));
}

/* 'R' if running, 'S' or 'D' if waiting, ... */
static char state_of(const struct actor *actor)
{
	char path[64], stat[512], *state;

	snprintf(path, sizeof(path), "/proc/%d/stat", actor->pid);
	if (read_file(path, stat, sizeof(stat)) < 0)
		return 0;
	state = strrchr(stat, ')');
	return state ? state[2] : 0;
}

/* Is the remover waiting, rather than failed or about to fail? */
static bool remover_sleeps(const struct actor *remover)
{
	char state = state_of(remover);

	return state == 'S' || state == 'D';
}

TEST_F(driver, remove_during_an_unbind_by_hand_waits_and_can_be_killed)
{
	struct actor unbind, remover;

	START_UNBIND(unbind);
	ASSERT_EQ(0, actor_remove(&remover, self->uuid));
	ASSERT_TRUE(wait_until(remover_sleeps(&remover), SOON_MS));
	ASSERT_EQ(ACTOR_KILLED - SIGKILL,
		  actor_kill(&remover, SIGKILL, SOON_MS));
	ASSERT_TRUE(mdev_has(self->uuid, "remove"));
	ASSERT_TRUE(mdev_has(self->uuid, "mdev_type"));
	ASSERT_EQ(0, actor_remove(&remover, self->uuid));
	ASSERT_TRUE(wait_until(remover_sleeps(&remover), SOON_MS));
	vfio_user_close(&self->vfio);
	ASSERT_EQ(0, actor_wait(&unbind, SOON_MS));
	ASSERT_EQ(0, actor_wait(&remover, SOON_MS));
	ASSERT_FALSE(mdev_exists(self->uuid));
}

TEST_F(driver, unregister_during_an_unbind_by_hand_says_what_it_waits_for)
{
	struct actor unbind, unreg;
	int kmsg;

	START_UNBIND(unbind);
	kmsg = kmsg_open();
	ASSERT_LE(0, kmsg);
	ASSERT_EQ(0, actor_unregister(&unreg, &self->p));
	ASSERT_TRUE(wait_until(kmsg_find(kmsg, "mdev: waiting", self->uuid),
			       2 * SOON_MS));
	close(kmsg);
	vfio_user_close(&self->vfio);
	ASSERT_EQ(0, actor_wait(&unbind, SOON_MS));
	ASSERT_EQ(0, actor_wait(&unreg, SOON_MS));
	ASSERT_FALSE(mdev_exists(self->uuid));
}

TEST_F(driver, foreign_driver_does_not_bind)
{
	char other[64];

	snprintf(other, sizeof(other), "%s_other", variant->door);
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_TRUE(bound_to(self->uuid, driver_of(&self->p)));
	ASSERT_EQ(0, driver_do(driver_of(&self->p), "unbind",
			       self->uuid));
	ASSERT_EQ(-ENODEV, driver_do(other, "bind", self->uuid));
	ASSERT_FALSE(mdev_has(self->uuid, "driver"));
}

TEST_F(driver, bind_by_hand_is_refused_while_the_device_is_being_created)
{
	struct actor slow, binder;
	char path[PATH_MAX];

	if (IS_OPS(variant)) {
		ASSERT_EQ(0, parent_restart(&self->p, "own_driver", 1));
		ASSERT_EQ(0, parent_set(&self->p, "bind_block", 1));
	} else {
		ASSERT_EQ(0, parent_set(&self->p, "create_block", 1));
	}
	ASSERT_EQ(0, actor_create(&slow, "a", self->p.type1, self->uuid));
	ASSERT_TRUE(wait_until(parent_get(&self->p, "create_waiting") == 1 ||
			       parent_get(&self->p, "bind_waiting") == 1,
			       SOON_MS));
	snprintf(path, sizeof(path), DRIVERS "/%s/bind",
		 IS_OPS(variant) ? "mdev_test_ops_other" : driver_of(&self->p));
	/* In an actor: a core that does not refuse waits for the create. */
	ASSERT_EQ(0, actor_write(&binder, path, self->uuid));
	ASSERT_EQ(-ENODEV, actor_wait(&binder, SOON_MS));
	ASSERT_EQ(0, parent_set(&self->p, "create_block", 0));
	ASSERT_EQ(0, parent_set(&self->p, "bind_block", 0));
	ASSERT_EQ(0, actor_wait(&slow, SOON_MS));
}

/*
 * The first bind is in the driver's probe(). The second has passed the bus's
 * match and waits for the device lock. Meanwhile a remover claims the device.
 */
TEST_F(driver, bind_that_a_remove_has_overtaken_does_not_probe)
{
	const char *probe = IS_OPS(variant) ? "bind" : "create";
	struct actor first, second, remover, late;
	const char *driver = IS_OPS(variant) ? "mdev_test_ops_other" :
					       driver_of(&self->p);
	char path[PATH_MAX], knob[32], waiting[32];

	if (IS_OPS(variant))
		ASSERT_EQ(0, parent_restart(&self->p, "own_driver", 1));
	snprintf(path, sizeof(path), DRIVERS "/%s/bind", driver);
	snprintf(knob, sizeof(knob), "%s_block", probe);
	snprintf(waiting, sizeof(waiting), "%s_waiting", probe);
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, driver_do(driver, "unbind", self->uuid));
	ASSERT_EQ(0, parent_set(&self->p, knob, 1));
	ASSERT_EQ(0, actor_write(&first, path, self->uuid));
	ASSERT_TRUE(wait_until(parent_get(&self->p, waiting) == 1, SOON_MS));
	ASSERT_EQ(0, actor_write(&second, path, self->uuid));
	ASSERT_TRUE(wait_until(state_of(&second) == 'D', SOON_MS));

	ASSERT_EQ(0, actor_remove(&remover, self->uuid));
	ASSERT_TRUE(wait_until(remover_sleeps(&remover), SOON_MS));
	/* A later remover fails: the first has claimed the device. */
	ASSERT_EQ(0, actor_remove(&late, self->uuid));
	ASSERT_EQ(-ENODEV, actor_wait(&late, SOON_MS));
	snprintf(waiting, sizeof(waiting), "%s_error", probe);
	ASSERT_EQ(0, parent_set(&self->p, waiting, -EIO));
	ASSERT_EQ(0, parent_set(&self->p, knob, 0));
	ASSERT_EQ(-EIO, actor_wait(&first, SOON_MS));
	ASSERT_EQ(-ENODEV, actor_wait(&second, SOON_MS));
	ASSERT_EQ(0, actor_wait(&remover, SOON_MS));
	ASSERT_FALSE(mdev_exists(self->uuid));
}

TEST_F(driver_driver, driver_stays_until_creates_have_bound_to_it)
{
	char path[PATH_MAX];
	struct actor slow, unreg;
	struct event_log log;
	int kmsg = kmsg_open();

	ASSERT_LE(0, kmsg);
	snprintf(path, sizeof(path), DRIVERS "/%s", driver_of(&self->p));
	ASSERT_EQ(0, parent_set(&self->p, "driver_first", 1));
	ASSERT_EQ(0, parent_set(&self->p, "create_block", 1));
	ASSERT_EQ(0, actor_create(&slow, "a", self->p.type1, self->uuid));
	ASSERT_TRUE(wait_until(parent_get(&self->p, "create_waiting") == 1,
			       SOON_MS));
	ASSERT_EQ(0, actor_unregister(&unreg, &self->p));
	/* It has begun once creates no longer find the driver. */
	ASSERT_TRUE(wait_until(parent_create(&self->p, NULL) == -ENODEV,
			       SOON_MS));
	ASSERT_TRUE(wait_until(kmsg_find(kmsg, "waiting for a create",
					 driver_of(&self->p)), SOON_MS));
	ASSERT_TRUE(actor_running(&unreg));
	ASSERT_TRUE(path_exists(path));

	ASSERT_EQ(0, parent_set(&self->p, "create_block", 0));
	ASSERT_EQ(0, actor_wait(&slow, SOON_MS));
	ASSERT_EQ(0, actor_wait(&unreg, SOON_MS));
	ASSERT_FALSE(mdev_exists(self->uuid));
	ASSERT_EQ(0, log_read(&log));
	ASSERT_EQ(1, log_count(&log, "vendor", "created", self->uuid));
	ASSERT_EQ(1, log_count(&log, "vendor", "removed", self->uuid));
	close(kmsg);
}

TEST_F(driver_ops, vfio_mdev_is_loaded_by_the_first_create)
{
	if (module_built_in("vfio_mdev"))
		SKIP(return, "vfio_mdev is built in");
	ASSERT_EQ(0, unload_soon("vfio_mdev"));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_TRUE(module_loaded("vfio_mdev"));
	ASSERT_TRUE(bound_to(self->uuid, "vfio_mdev"));
}

/* Create a device while the kernel cannot load modules. */
static int create_without_modprobe(const struct test_parent *p,
				   const char *uuid)
{
	char modprobe[256];
	int ret;

	if (read_file(MODPROBE, modprobe, sizeof(modprobe)) < 0 ||
	    write_file(MODPROBE, "/bin/false"))
		return -ENOTSUP;
	ret = parent_create(p, uuid);
	if (write_file(MODPROBE, modprobe))
		return -ENOTSUP;
	return ret;
}

TEST_F(driver_ops, create_without_vfio_mdev_fails_and_says_so)
{
	struct event_log log;
	int kmsg = kmsg_open();

	if (module_built_in("vfio_mdev"))
		SKIP(return, "vfio_mdev is built in");
	ASSERT_LE(0, kmsg);
	ASSERT_EQ(0, unload_soon("vfio_mdev"));
	ASSERT_EQ(-ENODEV, create_without_modprobe(&self->p, self->uuid));
	ASSERT_TRUE(wait_until(kmsg_find(kmsg, "vfio_mdev", self->uuid),
			       SOON_MS));
	close(kmsg);
	/* The vendor's part is undone, too. */
	ASSERT_FALSE(mdev_exists(self->uuid));
	ASSERT_EQ(16, available_instances("a", self->p.type1));
	ASSERT_EQ(0, log_read(&log));
	ASSERT_EQ(log_count(&log, "vendor", "created", self->uuid),
		  log_count(&log, "vendor", "removed", self->uuid));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_TRUE(mdev_complete(&self->p, self->uuid));
}

TEST_F(driver_ops, device_binds_to_the_driver_that_the_ops_name)
{
	struct event_log log;

	ASSERT_EQ(0, unload_soon("vfio_mdev"));
	ASSERT_EQ(0, parent_restart(&self->p, "own_driver", 1));
	ASSERT_EQ(0, create_without_modprobe(&self->p, self->uuid));
	ASSERT_TRUE(bound_to(self->uuid, "mdev_test_ops_other"));
	ASSERT_FALSE(module_loaded("vfio_mdev"));
	ASSERT_EQ(0, mdev_number(self->uuid, "in_use"));
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_EQ(0, log_read(&log));
	ASSERT_EQ(1, log_count(&log, "other", "probe", self->uuid));
	ASSERT_EQ(1, log_count(&log, "other", "remove", self->uuid));
}

/* Unbind by hand, then unload; a bound device pins the module. */
#define UNLOAD_VFIO_MDEV()						\
do {									\
	ASSERT_EQ(-EWOULDBLOCK, unload_module("vfio_mdev"));		\
	ASSERT_EQ(0, driver_do("vfio_mdev", "unbind", self->uuid));	\
	ASSERT_TRUE(wait_until(!unload_module("vfio_mdev"), UNLOAD_MS));	\
} while (0)

TEST_F(driver_ops, vfio_mdev_can_go_and_come_back_under_a_device)
{
	if (module_built_in("vfio_mdev"))
		SKIP(return, "vfio_mdev is built in");
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	UNLOAD_VFIO_MDEV();
	ASSERT_TRUE(mdev_exists(self->uuid));
	ASSERT_FALSE(mdev_has(self->uuid, "driver"));
	ASSERT_EQ(0, load_module("vfio_mdev"));
	ASSERT_TRUE(wait_until(bound_to(self->uuid, "vfio_mdev"), SOON_MS));
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
}

TEST_F(driver_ops, device_without_driver_can_be_removed)
{
	if (module_built_in("vfio_mdev"))
		SKIP(return, "vfio_mdev is built in");
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	UNLOAD_VFIO_MDEV();
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_FALSE(mdev_exists(self->uuid));
}

/* A device of an earlier case may be released late and pin the module. */
static int act_unload(void *arg)
{
	return unload_soon(arg);
}

TEST_F(driver_ops, create_does_not_bind_to_a_driver_that_is_being_unloaded)
{
	struct actor unload;
	int ret;

	if (module_built_in("vfio_mdev"))
		SKIP(return, "vfio_mdev is built in");
	ASSERT_EQ(0, load_module("vfio_mdev"));
	ret = stall_set("mdev_unregister_driver");
	if (ret == -EOPNOTSUPP)
		SKIP(return, "this kernel has no kprobes");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, actor_start(&unload, act_unload, "vfio_mdev"));
	ASSERT_TRUE(wait_until(stall_waits(), SOON_MS));
	ASSERT_EQ(-ENODEV, parent_create(&self->p, self->uuid));
	ASSERT_TRUE(stall_waits());
	ASSERT_EQ(0, stall_set(""));
	ASSERT_EQ(0, actor_wait(&unload, UNLOAD_MS));
	ASSERT_FALSE(mdev_exists(self->uuid));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_TRUE(bound_to(self->uuid, "vfio_mdev"));
}

TEST_HARNESS_MAIN
