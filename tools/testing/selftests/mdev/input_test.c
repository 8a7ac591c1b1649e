// SPDX-License-Identifier: GPL-2.0-only
/* Input to create and remove, and its errno. */
#include <stdlib.h>
#include <sys/stat.h>

#include "mdev_test_fixture.h"
#include "mdev_test_uevent.h"

DOOR_FIXTURE(input)
ON_DRIVER_DOOR(input);
ON_OPS_DOOR(input);

DOOR_FIXTURE(input_ops)
ON_OPS_DOOR(input_ops);

#define GOOD "01234567-89ab-4cde-8f01-23456789abcd"

static int create_bytes(const struct test_parent *p, const void *data,
			size_t count)
{
	char path[PATH_MAX];

	type_path(path, p->name, p->type1, "create");
	return write_file_n(path, data, count);
}

static int remove_bytes(const char *uuid, const void *data, size_t count)
{
	char path[PATH_MAX];

	mdev_path(path, uuid, "remove");
	return write_file_n(path, data, count);
}

TEST_F(input, create_takes_a_uuid_without_newline)
{
	ASSERT_EQ(0, create_bytes(&self->p, GOOD, 36));
	ASSERT_TRUE(mdev_exists(GOOD));
}

TEST_F(input, create_takes_a_uuid_with_one_newline)
{
	ASSERT_EQ(0, create_bytes(&self->p, GOOD "\n", 37));
	ASSERT_TRUE(mdev_exists(GOOD));
}

TEST_F(input, create_takes_uppercase_and_names_it_in_lowercase)
{
	ASSERT_EQ(0, create_bytes(&self->p,
				  "01234567-89AB-4CDE-8F01-23456789ABCD", 36));
	ASSERT_TRUE(mdev_exists(GOOD));
	ASSERT_EQ(-EEXIST, create_bytes(&self->p, GOOD, 36));
}

TEST_F(input, create_of_anything_else_is_invalid)
{
	static const char * const bad[] = {
		"\n",
		"x",
		"01234567-89ab-4cde-8f01-23456789abc",
		"01234567-89ab-4cde-8f01-23456789abc\n",
		GOOD "0",
		GOOD " ",
		GOOD "\n\n",
		GOOD "\n ",
		GOOD "\r\n",
		" " GOOD,
		"\n" GOOD,
		"{" GOOD "}",
		"01234567-89ab-4cde-8f01-23456789abcg",
		"0123456789ab4cde8f0123456789abcd",
		"01234567_89ab_4cde_8f01_23456789abcd",
		"0123456-789ab-4cde-8f01-23456789abcd",
		"01234567-89ab-4cde-8f0123456789abcd-",
		"01234567-89ab-4cde-8f01--3456789abcd",
		"0x234567-89ab-4cde-8f01-23456789abcd",
		" 1234567-89ab-4cde-8f01-23456789abcd",
		"------------------------------------",
		"../../../../../../../../tmp/123456789",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ASSERT_EQ(-EINVAL, create_bytes(&self->p, bad[i],
						strlen(bad[i]))) {
			TH_LOG("input %u: \"%s\"", i, bad[i]);
		}
	}
	ASSERT_EQ(0, count_dir("/sys/bus/mdev/devices"));
}

TEST_F(input, create_with_a_nul_is_invalid)
{
	/* The count includes the string's terminating NUL. */
	ASSERT_EQ(-EINVAL, create_bytes(&self->p, GOOD, 37));
	ASSERT_EQ(-EINVAL, create_bytes(&self->p, GOOD "\n", 38));
	ASSERT_EQ(-EINVAL, create_bytes(&self->p, GOOD "\0\n", 38));
	ASSERT_EQ(-EINVAL, create_bytes(&self->p, "\0" GOOD, 37));
	ASSERT_EQ(-EINVAL, create_bytes(&self->p, "", 1));
	ASSERT_EQ(-EINVAL,
		  create_bytes(&self->p,
			       "01234567-89ab-4cde-8f01-2345678\0abcd", 36));
	ASSERT_EQ(0, count_dir("/sys/bus/mdev/devices"));
}

TEST_F(input, create_of_a_whole_page_is_invalid)
{
	char page[4096];

	memset(page, '\n', sizeof(page));
	memcpy(page, GOOD, 36);
	ASSERT_EQ(-EINVAL, create_bytes(&self->p, page, sizeof(page) - 1));
	ASSERT_EQ(0, count_dir("/sys/bus/mdev/devices"));
}

TEST_F(input, create_of_a_used_uuid_fails_on_any_parent)
{
	struct test_parent b;
	long long seq;

	ASSERT_EQ(0, parent_start(&b, variant->door, "b"));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	seq = mdev_number(self->uuid, "mdevseq");
	ASSERT_EQ(-EEXIST, parent_create(&self->p, self->uuid));
	ASSERT_EQ(-EEXIST, parent_create2(&self->p, self->uuid));
	ASSERT_EQ(-EEXIST, parent_create(&b, self->uuid));
	/* The first device and the instances are unchanged. */
	ASSERT_TRUE(mdev_complete(&self->p, self->uuid));
	ASSERT_EQ(seq, mdev_number(self->uuid, "mdevseq"));
	ASSERT_EQ(15, available_instances("a", self->p.type1));
	ASSERT_EQ(16, available_instances("b", b.type1));
}

TEST_F(input, create_of_a_uuid_that_is_being_created_fails)
{
	struct actor slow;

	ASSERT_EQ(0, parent_set(&self->p, "create_block", 1));
	ASSERT_EQ(0, actor_create(&slow, "a", self->p.type1, self->uuid));
	ASSERT_TRUE(wait_until(parent_get(&self->p, "create_waiting") == 1,
			       SOON_MS));
	ASSERT_EQ(-EEXIST, parent_create2(&self->p, self->uuid));
	ASSERT_EQ(0, parent_set(&self->p, "create_block", 0));
	ASSERT_EQ(0, actor_wait(&slow, SOON_MS));
	ASSERT_TRUE(mdev_complete(&self->p, self->uuid));
}

TEST_F(input, create_without_instance_left_gives_eusers)
{
	ASSERT_EQ(0, parent_restart(&self->p, "max_instances", 2));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, parent_create2(&self->p, NULL));
	ASSERT_EQ(0, available_instances("a", self->p.type1));
	ASSERT_EQ(-EUSERS, parent_create(&self->p, NULL));
	ASSERT_EQ(-EUSERS, parent_create2(&self->p, NULL));
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_EQ(0, parent_create(&self->p, NULL));
	ASSERT_EQ(-EUSERS, parent_create(&self->p, NULL));
}

TEST_F(input, create_passes_the_vendors_error_on)
{
	static const int errors[] = {
		-EPERM, -ENOENT, -EIO, -ENXIO, -E2BIG, -EAGAIN, -ENOMEM,
		-EBUSY, -EEXIST, -ENODEV, -EINVAL, -ENOSPC, -EUSERS,
		-EOPNOTSUPP, -ETIMEDOUT, -EREMOTEIO,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		ASSERT_EQ(0, parent_set(&self->p, "create_error", errors[i]));
		ASSERT_EQ(errors[i], parent_create(&self->p, self->uuid));
	}
	ASSERT_EQ(0, parent_set(&self->p, "create_error", 0));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
}

TEST_F(input, create_turns_probe_deferral_into_eagain)
{
	/* -EPROBE_DEFER, which user space has no name for. */
	ASSERT_EQ(0, parent_set(&self->p, "create_error", -517));
	ASSERT_EQ(-EAGAIN, parent_create(&self->p, self->uuid));
	ASSERT_FALSE(mdev_exists(self->uuid));
}

TEST_F(input, create_turns_a_positive_result_into_einval)
{
	ASSERT_EQ(0, parent_set(&self->p, "create_error", 1));
	ASSERT_EQ(-EINVAL, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, parent_set(&self->p, "create_error", EIO));
	ASSERT_EQ(-EINVAL, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, parent_set(&self->p, "create_error", 4096));
	ASSERT_EQ(-EINVAL, parent_create(&self->p, self->uuid));
	ASSERT_FALSE(mdev_exists(self->uuid));
	ASSERT_EQ(16, available_instances("a", self->p.type1));
}

TEST_F(input_ops, create_passes_the_bus_drivers_error_on)
{
	static const int errors[] = { -EIO, -ENODEV, -ENXIO, -EBUSY, -ENOMEM };
	unsigned int i;

	ASSERT_EQ(0, parent_restart(&self->p, "own_driver", 1));
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		ASSERT_EQ(0, parent_set(&self->p, "bind_error", errors[i]));
		ASSERT_EQ(errors[i], parent_create(&self->p, self->uuid));
	}
	ASSERT_EQ(0, parent_set(&self->p, "bind_error", -517));
	ASSERT_EQ(-EAGAIN, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, parent_set(&self->p, "bind_error", 3));
	ASSERT_EQ(-EINVAL, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, parent_set(&self->p, "bind_error", 0));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
}

/* Everything a failed create could leak. */
struct trace {
	int devices;
	int children;
	int listed;
	int groups;
	long long instances;
	int mdev_refs;
	int vendor_refs;
	int driver_refs;
	int vfio_refs;
};

static void trace_take(struct trace *t, const struct test_parent *p)
{
	char path[PATH_MAX];

	memset(t, 0, sizeof(*t));
	t->devices = count_dir("/sys/bus/mdev/devices");
	t->children = count_dir("/sys/class/mdev_bus/a/");
	type_path(path, p->name, p->type1, "devices");
	t->listed = count_dir(path);
	t->groups = count_dir("/sys/kernel/iommu_groups");
	t->instances = available_instances(p->name, p->type1);
	t->mdev_refs = module_refcount("mdev");
	t->vendor_refs = module_refcount(p->door);
	t->driver_refs = module_refcount("vfio_mdev");
	t->vfio_refs = module_refcount("vfio");
}

/*
 * Groups and module references go with the release of the last object. An older
 * object may be released meanwhile, so these counts may drop but not grow.
 */
static bool trace_same(const struct trace *a, const struct test_parent *p)
{
	struct trace b;

	trace_take(&b, p);
	return b.devices == a->devices && b.children == a->children &&
	       b.listed == a->listed && b.instances == a->instances &&
	       b.groups <= a->groups && b.mdev_refs <= a->mdev_refs &&
	       b.vendor_refs <= a->vendor_refs &&
	       b.driver_refs <= a->driver_refs && b.vfio_refs <= a->vfio_refs;
}

/*
 * The create returns @_want and changes nothing. Let a create succeed first, so
 * that modules loaded on demand are already there.
 */
#define ASSERT_NO_TRACE(_want, _create)					\
do {									\
	int sock_ = uevent_open();					\
	struct trace before_;						\
	char story_[256];						\
									\
	ASSERT_LE(0, sock_);						\
	trace_take(&before_, &self->p);					\
	ASSERT_EQ((_want), (_create));					\
	ASSERT_FALSE(mdev_exists(self->uuid));				\
	ASSERT_EQ(0, uevent_story(sock_, self->uuid, NULL, story_,	\
				  sizeof(story_)));			\
	close(sock_);							\
	/* A debug kernel delays the release of the dead device. */	\
	ASSERT_TRUE(wait_until(trace_same(&before_, &self->p),		\
			       UNLOAD_MS));				\
} while (0)

TEST_F(input, create_refused_by_the_vendor_leaves_no_trace)
{
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_EQ(0, parent_set(&self->p, "create_error", -EIO));
	ASSERT_NO_TRACE(-EIO, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, parent_set(&self->p, "create_error", 0));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
}

TEST_F(input, create_with_a_positive_result_leaves_no_trace)
{
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_EQ(0, parent_set(&self->p, "create_error", 1));
	ASSERT_NO_TRACE(-EINVAL, parent_create(&self->p, self->uuid));
}

TEST_F(input, create_of_bad_input_leaves_no_trace)
{
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_NO_TRACE(-EINVAL, create_bytes(&self->p, self->uuid, 37));
}

TEST_F(input, create_without_instance_leaves_no_trace)
{
	char other[UUID_SIZE];

	random_uuid(other);
	ASSERT_EQ(0, parent_restart(&self->p, "max_instances", 1));
	ASSERT_EQ(0, parent_create(&self->p, other));
	ASSERT_NO_TRACE(-EUSERS, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_remove(other));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
}

TEST_F(input, create_of_a_used_uuid_leaves_no_trace)
{
	struct trace before;

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	trace_take(&before, &self->p);
	ASSERT_EQ(-EEXIST, parent_create(&self->p, self->uuid));
	ASSERT_TRUE(wait_until(trace_same(&before, &self->p), SOON_MS));
	ASSERT_TRUE(mdev_complete(&self->p, self->uuid));
}

TEST_F(input_ops, create_refused_by_the_bus_driver_leaves_no_trace)
{
	struct event_log log;

	ASSERT_EQ(0, parent_restart(&self->p, "own_driver", 1));
	ASSERT_EQ(0, parent_set(&self->p, "bind_error", -EIO));
	ASSERT_EQ(-EIO, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, log_read(&log));
	ASSERT_EQ(1, log_count(&log, "vendor", "remove", self->uuid));
	ASSERT_FALSE(mdev_exists(self->uuid));
	ASSERT_EQ(16, available_instances("a", self->p.type1));
	ASSERT_EQ(0, parent_set(&self->p, "bind_error", 0));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
}

TEST_F(input, failed_create_frees_the_uuid_while_a_reference_is_held)
{
	ASSERT_EQ(0, parent_set(&self->p, "hold", 1));
	ASSERT_EQ(0, parent_set(&self->p, "create_error", -EIO));
	ASSERT_EQ(-EIO, parent_create(&self->p, self->uuid));
	ASSERT_EQ(1, held_count());
	ASSERT_EQ(16, available_instances("a", self->p.type1));
	ASSERT_EQ(0, parent_set(&self->p, "create_error", 0));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, held_drop());
	ASSERT_TRUE(mdev_complete(&self->p, self->uuid));
}

TEST_F(input, remove_of_garbage_is_invalid)
{
	static const char * const bad[] = {
		"\n", "x", "yes", "1x", "1 1", "--1", "1\n\n", "-",
	};
	static const char nul_first[] = { '\0', '1' };
	unsigned int i;

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ASSERT_EQ(-EINVAL, remove_bytes(self->uuid, bad[i],
						strlen(bad[i]))) {
			TH_LOG("input %u: \"%s\"", i, bad[i]);
		}
	}
	ASSERT_EQ(-EINVAL, remove_bytes(self->uuid, "1\0", 2));
	ASSERT_EQ(-EINVAL, remove_bytes(self->uuid, "1\0\n", 3));
	ASSERT_EQ(-EINVAL, remove_bytes(self->uuid, nul_first,
					sizeof(nul_first)));
	ASSERT_TRUE(mdev_complete(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_remove(self->uuid));
}

TEST_F(input, remove_of_zero_does_nothing)
{
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, remove_bytes(self->uuid, "0", 1));
	ASSERT_EQ(0, remove_bytes(self->uuid, "0\n", 2));
	ASSERT_TRUE(mdev_complete(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_FALSE(mdev_exists(self->uuid));
}

TEST_F(input, remove_takes_one_newline)
{
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, remove_bytes(self->uuid, "1\n", 2));
	ASSERT_FALSE(mdev_exists(self->uuid));
}

TEST_HARNESS_MAIN
