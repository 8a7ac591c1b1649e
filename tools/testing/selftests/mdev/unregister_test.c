// SPDX-License-Identifier: GPL-2.0-only
/* Registration, and unregistration while other operations are in flight. */
#include "mdev_test_fixture.h"

DOOR_FIXTURE(unregister)
ON_DRIVER_DOOR(unregister);
ON_OPS_DOOR(unregister);

DOOR_FIXTURE(unregister_ops)
ON_OPS_DOOR(unregister_ops);

#define RACES 5
#define CREATORS 3
#define REGISTRATIONS 20
/* How long to watch that a task still waits. */
#define EARLY_MS 500
/* The core logs a wait every 10 s. Allow twice that. */
#define LOG_MS 20000

/* Path of a type's create file below the device, not through the class. */
static void create_path_of(char *buf, const struct test_parent *p,
			   const char *type)
{
	snprintf(buf, PATH_MAX,
		 "/sys/devices/virtual/%s/%s/mdev_supported_types/%s/create",
		 p->door, p->name, type);
}

static void create_path(char *buf, const struct test_parent *p)
{
	create_path_of(buf, p, p->type1);
}

/* Create until the parent refuses. Returns the errno of the refusal. */
static int act_create_until_refused(void *arg)
{
	const struct test_parent *p = arg;
	char path[PATH_MAX], uuid[UUID_SIZE];
	int ret;

	create_path(path, p);
	do {
		random_uuid(uuid);
		ret = write_file(path, uuid);
	} while (!ret || ret == -EUSERS);
	return ret;
}

TEST_F(unregister, create_in_flight_is_waited_for_and_removed)
{
	struct actor slow, unreg, refused;
	struct event_log log;
	char path[PATH_MAX];
	int ret;

	create_path(path, &self->p);
	ASSERT_EQ(0, parent_set(&self->p, "create_block", 1));
	ASSERT_EQ(0, actor_write(&slow, path, self->uuid));
	ASSERT_TRUE(wait_until(parent_get(&self->p, "create_waiting") == 1,
			       SOON_MS));
	ASSERT_EQ(0, actor_unregister(&unreg, &self->p));
	/* Creates succeed until unregistration begins, and never after that. */
	ASSERT_EQ(0, actor_start(&refused, act_create_until_refused,
				 &self->p));
	ASSERT_EQ(-ENODEV, actor_wait(&refused, SOON_MS));
	ASSERT_EQ(-ENODEV, write_file(path, self->uuid));
	ASSERT_EQ(ACTOR_TIMEOUT, actor_wait(&unreg, EARLY_MS));
	/* The type's directory stays while a create is in progress. */
	ASSERT_TRUE(path_exists(path));
	ASSERT_TRUE(actor_running(&slow));

	ASSERT_EQ(0, parent_set(&self->p, "create_block", 0));
	ret = actor_wait(&slow, SOON_MS);
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, actor_wait(&unreg, SOON_MS));
	ASSERT_EQ(0, count_dir("/sys/bus/mdev/devices"));
	ASSERT_FALSE(path_exists(path));
	ASSERT_EQ(0, log_read(&log));
	ASSERT_EQ(1, log_count(&log, "vendor", "removed", self->uuid));
}

TEST_F(unregister, failing_create_in_flight_is_waited_for)
{
	struct actor slow, unreg, refused;

	ASSERT_EQ(0, parent_set(&self->p, "create_block", 1));
	ASSERT_EQ(0, actor_create(&slow, "a", self->p.type1, self->uuid));
	ASSERT_TRUE(wait_until(parent_get(&self->p, "create_waiting") == 1,
			       SOON_MS));
	ASSERT_EQ(0, actor_unregister(&unreg, &self->p));
	ASSERT_EQ(0, actor_start(&refused, act_create_until_refused,
				 &self->p));
	ASSERT_EQ(-ENODEV, actor_wait(&refused, SOON_MS));
	ASSERT_EQ(ACTOR_TIMEOUT, actor_wait(&unreg, EARLY_MS));
	ASSERT_EQ(0, parent_set(&self->p, "create_error", -EIO));
	ASSERT_EQ(0, parent_set(&self->p, "create_block", 0));
	ASSERT_EQ(-EIO, actor_wait(&slow, SOON_MS));
	ASSERT_EQ(0, actor_wait(&unreg, SOON_MS));
}

TEST_F(unregister, remove_in_flight_is_waited_for)
{
	struct actor slow, unreg, refused;
	char path[PATH_MAX], other[UUID_SIZE];
	struct event_log log;
	int ret;

	random_uuid(other);
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, parent_create(&self->p, other));
	ASSERT_EQ(0, parent_set(&self->p, "remove_block", 1));
	ASSERT_EQ(0, actor_remove(&slow, self->uuid));
	ASSERT_TRUE(wait_until(parent_get(&self->p, "remove_waiting") == 1,
			       SOON_MS));
	ASSERT_EQ(0, actor_unregister(&unreg, &self->p));
	ASSERT_EQ(0, actor_start(&refused, act_create_until_refused,
				 &self->p));
	ASSERT_EQ(-ENODEV, actor_wait(&refused, SOON_MS));
	ASSERT_EQ(ACTOR_TIMEOUT, actor_wait(&unreg, EARLY_MS));
	/* From now on removes are refused, too. */
	ASSERT_EQ(-ENODEV, mdev_remove(other));
	mdev_path(path, other, "mdev_type");
	ASSERT_TRUE(path_exists(path));

	ASSERT_EQ(0, parent_set(&self->p, "remove_block", 0));
	ret = actor_wait(&slow, SOON_MS);
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, actor_wait(&unreg, SOON_MS));
	ASSERT_EQ(0, log_read(&log));
	ASSERT_EQ(1, log_count(&log, "vendor", "removed", self->uuid));
	ASSERT_EQ(1, log_count(&log, "vendor", "removed", other));
	ASSERT_EQ(0, count_dir("/sys/bus/mdev/devices"));
}

TEST_F(unregister, wait_for_a_remove_in_flight_is_logged)
{
	struct actor slow, unreg;
	int kmsg = kmsg_open();

	ASSERT_LE(0, kmsg);
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, parent_set(&self->p, "remove_block", 1));
	ASSERT_EQ(0, actor_remove(&slow, self->uuid));
	ASSERT_TRUE(wait_until(parent_get(&self->p, "remove_waiting") == 1,
			       SOON_MS));
	ASSERT_EQ(0, actor_unregister(&unreg, &self->p));
	ASSERT_TRUE(wait_until(kmsg_find(kmsg, "waiting for a create",
					 " a:"), LOG_MS));
	ASSERT_EQ(0, parent_set(&self->p, "remove_block", 0));
	ASSERT_EQ(0, actor_wait(&slow, SOON_MS));
	ASSERT_EQ(0, actor_wait(&unreg, SOON_MS));
	close(kmsg);
}

#define CROWD 16

TEST_F(unregister, wait_for_the_last_of_many_creates_is_logged)
{
	struct actor crowd[CROWD], last, unreg;
	int i, kmsg = kmsg_open();

	ASSERT_LE(0, kmsg);
	ASSERT_EQ(0, parent_restart(&self->p, "max_instances", CROWD + 1));
	ASSERT_EQ(0, parent_set(&self->p, "create_block", CROWD));
	for (i = 0; i < CROWD; i++)
		ASSERT_EQ(0, actor_create(&crowd[i], "a", self->p.type1, NULL));
	ASSERT_TRUE(wait_until(parent_get(&self->p, "create_waiting") == CROWD,
			       SOON_MS));
	ASSERT_EQ(0, parent_set(&self->p, "late_block", 1));
	ASSERT_EQ(0, actor_create(&last, "a", self->p.type1, self->uuid));
	ASSERT_TRUE(wait_until(parent_get(&self->p, "late_waiting") == 1,
			       SOON_MS));
	ASSERT_EQ(0, parent_set(&self->p, "create_block", 0));
	for (i = 0; i < CROWD; i++)
		ASSERT_EQ(0, actor_wait(&crowd[i], SOON_MS));
	ASSERT_EQ(0, actor_unregister(&unreg, &self->p));
	ASSERT_TRUE(wait_until(kmsg_find(kmsg, "waiting for a create",
					 " a:"), LOG_MS));
	ASSERT_EQ(0, parent_set(&self->p, "late_block", 0));
	ASSERT_EQ(0, actor_wait(&last, SOON_MS));
	ASSERT_EQ(0, actor_wait(&unreg, SOON_MS));
	close(kmsg);
}

TEST_F(unregister, racing_creates_leave_nothing_behind)
{
	struct actor creators[CREATORS], unreg;
	int i, round, ret;

	for (round = 0; round < RACES; round++) {
		for (i = 0; i < CREATORS; i++)
			ASSERT_EQ(0, actor_start(&creators[i],
						 act_create_until_refused,
						 &self->p));
		/* Wait until the creators have made some. */
		ASSERT_TRUE(wait_until(available_instances("a",
							   self->p.type1) < 12,
				       SOON_MS));
		ASSERT_EQ(0, actor_unregister(&unreg, &self->p));
		ASSERT_EQ(0, actor_wait(&unreg, SOON_MS));
		for (i = 0; i < CREATORS; i++) {
			ret = actor_wait(&creators[i], SOON_MS);
			ASSERT_TRUE(ret == -ENODEV || ret == -ENOENT) {
				TH_LOG("creator %d: %d", i, ret);
			}
		}
		ASSERT_EQ(0, count_dir("/sys/bus/mdev/devices"));
		ASSERT_EQ(0, parent_register(&self->p));
		ASSERT_EQ(16, available_instances("a", self->p.type1));
	}
}

TEST_F(unregister, racing_removes_and_unregister_remove_each_device_once)
{
	char uuids[CREATORS][UUID_SIZE];
	struct actor removers[CREATORS], unreg;
	struct event_log log;
	int i, round, ret;

	for (round = 0; round < RACES; round++) {
		ASSERT_EQ(0, log_clear());
		for (i = 0; i < CREATORS; i++) {
			random_uuid(uuids[i]);
			ASSERT_EQ(0, parent_create(&self->p, uuids[i]));
		}
		for (i = 0; i < CREATORS; i++)
			ASSERT_EQ(0, actor_remove(&removers[i], uuids[i]));
		ASSERT_EQ(0, actor_unregister(&unreg, &self->p));
		ASSERT_EQ(0, actor_wait(&unreg, SOON_MS));
		for (i = 0; i < CREATORS; i++) {
			ret = actor_wait(&removers[i], SOON_MS);
			ASSERT_TRUE(!ret || ret == -ENODEV || ret == -ENOENT) {
				TH_LOG("remover %d: %d", i, ret);
			}
		}
		ASSERT_EQ(0, log_read(&log));
		for (i = 0; i < CREATORS; i++)
			ASSERT_EQ(1, log_count(&log, "vendor", "removed",
					       uuids[i]));
		ASSERT_EQ(0, parent_register(&self->p));
	}
}

/* Create as soon as the file exists. Returns the errno. */
static int act_create_when_there(void *arg)
{
	const struct test_parent *p = arg;
	char path[PATH_MAX], uuid[UUID_SIZE];
	int ret;

	create_path(path, p);
	random_uuid(uuid);
	do {
		ret = write_file(path, uuid);
	} while (ret == -ENOENT);
	return ret;
}

TEST_F(unregister, create_is_never_refused_by_a_new_parent)
{
	struct actor creator;
	int round;

	for (round = 0; round < REGISTRATIONS; round++) {
		ASSERT_EQ(0, parent_unregister(&self->p));
		ASSERT_EQ(0, actor_start(&creator, act_create_when_there,
					 &self->p));
		ASSERT_EQ(0, parent_register(&self->p));
		ASSERT_EQ(0, actor_wait(&creator, SOON_MS)) {
			TH_LOG("round %d", round);
		}
	}
}

TEST_F(unregister_ops, create_works_while_the_parent_is_being_registered)
{
	char create[PATH_MAX], reg[PATH_MAX];
	struct actor registrar;

	create_path(create, &self->p);
	parent_path(reg, &self->p, "register");
	ASSERT_EQ(0, parent_unregister(&self->p));
	ASSERT_EQ(0, parent_set(&self->p, "register_block", 1));
	ASSERT_EQ(0, actor_write(&registrar, reg, "1"));
	ASSERT_TRUE(wait_until(parent_get(&self->p, "register_waiting") == 1,
			       SOON_MS));
	ASSERT_EQ(0, write_file(create, self->uuid));
	ASSERT_TRUE(actor_running(&registrar));
	/* The second type's create file does not exist yet. */
	create_path_of(create, &self->p, self->p.type2);
	ASSERT_FALSE(path_exists(create));

	ASSERT_EQ(0, parent_set(&self->p, "register_block", 0));
	ASSERT_EQ(0, actor_wait(&registrar, SOON_MS));
	ASSERT_TRUE(mdev_complete(&self->p, self->uuid));
	ASSERT_EQ(0, parent_create2(&self->p, NULL));
	ASSERT_EQ(0, mdev_remove(self->uuid));
}

TEST_F(unregister, parent_device_is_referenced_as_before)
{
	long long references;

	ASSERT_EQ(0, parent_unregister(&self->p));
	references = parent_get(&self->p, "references");
	ASSERT_LT(0, references);
	ASSERT_EQ(0, parent_register(&self->p));
	ASSERT_EQ(0, parent_create(&self->p, NULL));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(-EEXIST, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_EQ(0, parent_set(&self->p, "create_error", -EIO));
	ASSERT_EQ(-EIO, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, parent_unregister(&self->p));
	ASSERT_EQ(references, parent_get(&self->p, "references"));
}

TEST_F(unregister, registering_again_works)
{
	int i;

	for (i = 0; i < RACES; i++) {
		ASSERT_EQ(0, parent_create(&self->p, self->uuid));
		ASSERT_EQ(0, parent_unregister(&self->p));
		ASSERT_FALSE(mdev_exists(self->uuid));
		ASSERT_EQ(0, parent_register(&self->p));
	}
	ASSERT_EQ(16, available_instances("a", self->p.type1));
}

TEST_F(unregister, other_parents_are_left_alone)
{
	struct test_parent b;
	char other[UUID_SIZE];

	random_uuid(other);
	ASSERT_EQ(0, parent_start(&b, variant->door, "b"));
	ASSERT_EQ(0, parent_create(&b, other));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, parent_unregister(&self->p));
	ASSERT_FALSE(mdev_exists(self->uuid));
	ASSERT_TRUE(mdev_complete(&b, other));
	ASSERT_EQ(0, parent_create(&b, self->uuid));
}

TEST_F(unregister, callback_may_unregister_another_parent)
{
	char other[UUID_SIZE], path[PATH_MAX];
	struct test_parent b;

	random_uuid(other);
	ASSERT_EQ(0, parent_start(&b, variant->door, "b"));
	ASSERT_EQ(0, parent_create(&b, other));
	parent_path(path, &self->p, "unregister_other");
	ASSERT_EQ(0, write_file(path, "b"));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_TRUE(mdev_complete(&self->p, self->uuid));
	ASSERT_FALSE(mdev_exists(other));
	ASSERT_EQ(0, parent_get(&b, "register"));
	ASSERT_EQ(0, parent_register(&b));
	ASSERT_EQ(0, parent_create(&b, other));
}

TEST_F(unregister, registering_a_device_twice_fails_and_the_first_still_works)
{
	char path[PATH_MAX];

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	parent_path(path, &self->p, "register_twice");
	ASSERT_EQ(-EEXIST, write_file(path, "1"));
	ASSERT_TRUE(link_exists("/sys/class/mdev_bus/a"));
	ASSERT_TRUE(mdev_complete(&self->p, self->uuid));
	ASSERT_EQ(0, parent_create2(&self->p, NULL));
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_EQ(0, parent_unregister(&self->p));
}

TEST_F(unregister, registering_with_bad_arguments_is_invalid)
{
	static const char * const bad[] = {
		"no_device", "no_driver", "no_types",
	};
	struct test_parent b;
	char path[PATH_MAX];
	unsigned int i;

	ASSERT_EQ(0, parent_add(&b, variant->door, "b"));
	parent_path(path, &b, "register_bad");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ASSERT_EQ(-EINVAL, write_file(path, bad[i])) {
			TH_LOG("%s", bad[i]);
		}
	}
	ASSERT_FALSE(link_exists("/sys/class/mdev_bus/b"));
	ASSERT_EQ(0, parent_register(&b));
	ASSERT_EQ(0, parent_create(&b, self->uuid));
}

TEST_F(unregister_ops, registering_a_type_without_a_name_is_invalid)
{
	struct test_parent b;
	char path[PATH_MAX];

	ASSERT_EQ(0, parent_add(&b, variant->door, "b"));
	parent_path(path, &b, "register_bad");
	ASSERT_EQ(-EINVAL, write_file(path, "no_name"));
	ASSERT_EQ(-EINVAL, write_file(path, "no_attrs"));
	ASSERT_EQ(0, parent_register(&b));
}

TEST_F(unregister_ops, registering_without_a_mandatory_op_is_invalid)
{
	struct test_parent b;
	char path[PATH_MAX];

	ASSERT_EQ(0, parent_add(&b, variant->door, "b"));
	parent_path(path, &b, "register_bad");
	ASSERT_EQ(-EINVAL, write_file(path, "no_create"));
	ASSERT_EQ(-EINVAL, write_file(path, "no_remove"));
	ASSERT_EQ(0, parent_register(&b));
}

TEST_HARNESS_MAIN
