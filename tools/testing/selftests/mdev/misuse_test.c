// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vendor must not unregister a parent from one of that parent's callbacks.
 * The task deadlocks on itself. It frees no memory, and other parents still
 * work.
 *
 * Each case leaves tasks in the machine that cannot be killed, hence the
 * fixture's name: see tools/testing/harness/vm/runner.c.
 */
#include "mdev_test_fixture.h"

FIXTURE(alone) {
	bool spent;
	int kmsg;
};

FIXTURE_VARIANT(alone) {
	const char *door;
};

FIXTURE_SETUP(alone)
{
	self->spent = false;
	self->kmsg = kmsg_open();
	EXPECT_LE(0, self->kmsg);
	EXPECT_EQ(0, door_setup(variant->door));
	EXPECT_EQ(0, load_module("vfio_iommu_type1"));
}

FIXTURE_TEARDOWN(alone)
{
	close(self->kmsg);
	if (!self->spent)
		EXPECT_EQ(0, door_teardown(variant->door));
}

ON_DRIVER_DOOR(alone);
ON_OPS_DOOR(alone);

/* How long to watch that a deadlocked task does not return. */
#define EARLY_MS 500

/* The message that the core logs while it waits for a section. */
#define WAITS "waiting for a create or remove to end"

/* Tell the runner which complaint of the kernel the case expects. */
static void expect_complaint(const char *headline)
{
	/* The machine must survive the complaint, as users' machines do. */
	write_file("/proc/sys/kernel/panic_on_warn", "0");
	dprintf(STDOUT_FILENO, "# expected complaint: %s\n", headline);
}

static bool lockdep_is_on(void)
{
	char stats[8192], *line;

	if (read_file("/proc/lockdep_stats", stats, sizeof(stats)) < 0)
		return false;
	line = strstr(stats, "debug_locks:");
	return line && strtol(line + strlen("debug_locks:"), NULL, 10) == 1;
}

/* A parent with two devices, and the callback that unregisters it. */
struct misuse {
	struct test_parent p;
	char uuid[UUID_SIZE];	/* the device whose callback does it */
	char other[UUID_SIZE];
	struct actor actor;
};

static int act_open(void *arg)
{
	struct vfio_user vfio;

	return vfio_user_open(&vfio, arg);
}

static int act_read(void *arg)
{
	char buf[64];

	return read_file(arg, buf, sizeof(buf));
}

static int misuse_unregister_in(const struct misuse *m, const char *callback)
{
	char path[PATH_MAX];

	parent_path(path, &m->p, "unregister_in");
	return write_file(path, callback);
}

/* Cause a call of the callback. */
static int misuse_provoke(struct misuse *m, const char *callback)
{
	char path[PATH_MAX], uuid[UUID_SIZE];

	if (!strcmp(callback, "create")) {
		random_uuid(uuid);
		return actor_create(&m->actor, m->p.name, m->p.type1, uuid);
	}
	if (!strcmp(callback, "remove"))
		return actor_remove(&m->actor, m->uuid);
	if (!strcmp(callback, "open"))
		return actor_start(&m->actor, act_open, m->uuid);
	if (!strcmp(callback, "attr"))
		mdev_path(path, m->uuid, "vendor/uuid");
	else
		type_path(path, m->p.name, m->p.type1, "available_instances");
	return actor_start(&m->actor, act_read, path);
}

static int misuse_start(struct misuse *m, const char *door, const char *name,
			const char *callback)
{
	int ret;

	random_uuid(m->uuid);
	random_uuid(m->other);
	ret = parent_add(&m->p, door, name);
	/* Make both doors call the vendor. */
	if (!ret)
		ret = parent_set(&m->p, "get_available", 7);
	if (!ret)
		ret = parent_register(&m->p);
	if (!ret)
		ret = parent_create(&m->p, m->uuid);
	if (!ret)
		ret = parent_create(&m->p, m->other);
	if (!ret)
		ret = misuse_unregister_in(m, callback);
	return ret;
}

/*
 * Don't read the stack of a task that may run: KASAN reports the race. For
 * wchan the kernel keeps the task from running.
 */
static bool waits_in(pid_t pid, const char *function)
{
	char path[64], wchan[128];

	snprintf(path, sizeof(path), "/proc/%d/wchan", pid);
	return read_file(path, wchan, sizeof(wchan)) > 0 &&
	       !strcmp(wchan, function);
}

/* Check that unregistration has not returned, so no memory was freed. */
static bool misuse_hangs(struct misuse *m)
{
	return actor_kill(&m->actor, SIGKILL, EARLY_MS) == ACTOR_TIMEOUT &&
	       parent_get(&m->p, "register") == 1;
}

/* Check that the parent refuses creates and another parent still works. */
static bool misuse_spares_others(struct misuse *m)
{
	struct test_parent other;
	struct vfio_user vfio;
	char uuid[UUID_SIZE];
	bool good;

	random_uuid(uuid);
	if (parent_create(&m->p, uuid) != -ENODEV ||
	    parent_start(&other, m->p.door, "other") ||
	    parent_create(&other, uuid) || !mdev_complete(&other, uuid))
		return false;
	good = !vfio_user_open(&vfio, uuid);
	vfio_user_close(&vfio);
	return good && !mdev_remove(uuid) && !parent_del(&other);
}

TEST_F(alone, callback_that_unregisters_its_parent_waits_for_itself)
{
	static const char * const callbacks[] = { "create", "remove" };
	struct misuse m[ARRAY_SIZE(callbacks)];
	unsigned int i;

	self->spent = true;
	if (lockdep_is_on())
		expect_complaint("possible recursive locking detected");
	for (i = 0; i < ARRAY_SIZE(callbacks); i++) {
		ASSERT_EQ(0, misuse_start(&m[i], variant->door, callbacks[i],
					  callbacks[i]));
		ASSERT_EQ(0, misuse_provoke(&m[i], callbacks[i]));
		ASSERT_TRUE(wait_until(kmsg_find(self->kmsg, WAITS,
						 callbacks[i]), SOON_MS));
		ASSERT_TRUE(misuse_hangs(&m[i]));
		ASSERT_TRUE(misuse_spares_others(&m[i]));
	}
}

TEST_F(alone, unregistering_in_an_attribute_or_an_open_frees_nothing)
{
	struct misuse attr, type, user;

	self->spent = true;
	if (lockdep_is_on())
		expect_complaint("possible recursive locking detected");
	ASSERT_EQ(0, misuse_start(&attr, variant->door, "attr", "attr"));
	ASSERT_EQ(0, misuse_provoke(&attr, "attr"));
	ASSERT_TRUE(wait_until(waits_in(attr.actor.pid, "kernfs_drain"),
			       SOON_MS));
	ASSERT_EQ(0, misuse_start(&type, variant->door, "type", "type_attr"));
	ASSERT_EQ(0, misuse_provoke(&type, "type_attr"));
	ASSERT_TRUE(wait_until(waits_in(type.actor.pid, "kernfs_drain"),
			       SOON_MS));
	ASSERT_EQ(0, misuse_start(&user, variant->door, "user", "open"));
	ASSERT_EQ(0, misuse_provoke(&user, "open"));
	ASSERT_TRUE(wait_until(kmsg_find(self->kmsg, user.uuid,
					 "waiting for 1 open file"), SOON_MS));
	ASSERT_TRUE(misuse_hangs(&attr));
	ASSERT_TRUE(misuse_hangs(&type));
	ASSERT_TRUE(misuse_hangs(&user));
}

TEST_F(alone, second_unregister_warns_and_does_nothing_else)
{
	char path[PATH_MAX], uuid[UUID_SIZE];
	struct actor slow, unreg;
	struct test_parent p;

	random_uuid(uuid);
	expect_complaint("__mdev_unregister_parent");
	ASSERT_EQ(0, parent_start(&p, variant->door, "twice"));
	parent_path(path, &p, "unregister_again");
	ASSERT_EQ(0, parent_set(&p, "create_block", 1));
	ASSERT_EQ(0, actor_create(&slow, "twice", p.type1, uuid));
	ASSERT_TRUE(wait_until(parent_get(&p, "create_waiting") == 1, SOON_MS));
	ASSERT_EQ(0, actor_unregister(&unreg, &p));
	ASSERT_TRUE(wait_until(kmsg_find(self->kmsg, "unregistering",
					 " twice:"), SOON_MS));
	ASSERT_EQ(0, write_file(path, "1"));
	ASSERT_TRUE(wait_until(kmsg_find(self->kmsg, "unregistered twice", ""),
			       SOON_MS));
	ASSERT_TRUE(actor_running(&unreg));
	ASSERT_EQ(0, parent_set(&p, "create_block", 0));
	ASSERT_EQ(0, actor_wait(&slow, SOON_MS));
	ASSERT_EQ(0, actor_wait(&unreg, SOON_MS));
	ASSERT_EQ(0, write_file(path, "1"));
	ASSERT_TRUE(wait_until(kmsg_find(self->kmsg, "unregistered twice", ""),
			       SOON_MS));
	ASSERT_EQ(0, parent_register(&p));
	ASSERT_EQ(0, parent_create(&p, uuid));
	ASSERT_EQ(0, parent_unregister(&p));
}

#define NO_LOCKDEP "this kernel has no lockdep, or it is off"

/* lockdep reports only once. The report must name the guard's own lock. */
static void assert_guard_named(struct __test_metadata *_metadata, int kmsg,
			       const char *door, const char *callback)
{
	struct misuse m;

	expect_complaint("possible recursive locking detected");
	ASSERT_EQ(0, misuse_start(&m, door, "a", callback));
	ASSERT_EQ(0, misuse_provoke(&m, callback));
	ASSERT_TRUE(wait_until(kmsg_find(kmsg, "possible recursive locking",
					 ""), SOON_MS));
	ASSERT_TRUE(wait_until(kmsg_find(kmsg, "(mdev_guard",
					 "mdev_guard_drain"), SOON_MS));
	ASSERT_TRUE(misuse_hangs(&m));
}

TEST_F(alone, lockdep_names_the_guard_when_create_unregisters)
{
	if (!lockdep_is_on())
		SKIP(return, NO_LOCKDEP);
	self->spent = true;
	assert_guard_named(_metadata, self->kmsg, variant->door, "create");
}

TEST_F(alone, lockdep_names_the_guard_when_remove_unregisters)
{
	if (!lockdep_is_on())
		SKIP(return, NO_LOCKDEP);
	self->spent = true;
	assert_guard_named(_metadata, self->kmsg, variant->door, "remove");
}

TEST_F(alone, lockdep_names_the_guard_when_an_open_unregisters)
{
	struct misuse m;

	if (!lockdep_is_on())
		SKIP(return, NO_LOCKDEP);
	self->spent = true;
	/* lockdep reports the locks that VFIO takes in create and in open. */
	expect_complaint("possible circular locking dependency detected");
	ASSERT_EQ(0, misuse_start(&m, variant->door, "a", "open"));
	ASSERT_EQ(0, misuse_provoke(&m, "open"));
	ASSERT_TRUE(wait_until(kmsg_find(self->kmsg, "possible circular",
					 ""), SOON_MS));
	ASSERT_TRUE(wait_until(kmsg_find(self->kmsg, "(mdev_guard",
					 "mdev_guard_drain"), SOON_MS));
	ASSERT_TRUE(misuse_hangs(&m));
}

TEST_F(alone, lockdep_names_the_attribute_that_unregisters)
{
	struct misuse m;

	if (!lockdep_is_on())
		SKIP(return, NO_LOCKDEP);
	self->spent = true;
	expect_complaint("possible recursive locking detected");
	ASSERT_EQ(0, misuse_start(&m, variant->door, "a", "attr"));
	ASSERT_EQ(0, misuse_provoke(&m, "attr"));
	ASSERT_TRUE(wait_until(kmsg_find(self->kmsg, "kn->active",
					 "kernfs_"), SOON_MS));
	ASSERT_TRUE(misuse_hangs(&m));
}

TEST_HARNESS_MAIN
