// SPDX-License-Identifier: GPL-2.0-only
/* KUnit tests of the parts that work without the rest of the core. */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "mdev_private.h"

/* Limits a wait for a condition that holds at once unless there is a bug. */
#define SOON_MS 20000

#define wait_until(cond)						\
({									\
	unsigned long end_ = jiffies + msecs_to_jiffies(SOON_MS);	\
	bool ok_;							\
									\
	while (!(ok_ = (cond)) && time_before(jiffies, end_))		\
		usleep_range(100, 200);					\
	ok_;								\
})

/* The guard */

struct guarded {
	struct mdev_guard guard;
	struct completion entered;	/* reader entered the section */
	struct completion leave;	/* reader may leave it */
	struct completion drained;
	void *seen;			/* by the reader, just before it left */
	bool left;			/* reader left the section */
	bool left_when_drained;
};

static int guard_test_init(struct kunit *test)
{
	struct guarded *g = kzalloc_obj(*g);

	KUNIT_ASSERT_NOT_NULL(test, g);
	init_completion(&g->entered);
	init_completion(&g->leave);
	init_completion(&g->drained);
	test->priv = g;
	return mdev_guard_init(&g->guard);
}

static void guard_test_exit(struct kunit *test)
{
	struct guarded *g = test->priv;

	mdev_guard_destroy(&g->guard);
	kfree(g);
}

static void guard_is_closed_before_publish(struct kunit *test)
{
	struct guarded *g = test->priv;
	int idx;

	idx = mdev_guard_enter(&g->guard);
	KUNIT_EXPECT_NULL(test, mdev_guard_self(&g->guard));
	KUNIT_EXPECT_TRUE(test, mdev_guard_revoked(&g->guard));
	mdev_guard_leave(&g->guard, idx);
}

static void guard_shows_what_was_published(struct kunit *test)
{
	struct guarded *g = test->priv;
	int idx;

	mdev_guard_publish(&g->guard, g);
	idx = mdev_guard_enter(&g->guard);
	KUNIT_EXPECT_PTR_EQ(test, mdev_guard_self(&g->guard), (void *)g);
	KUNIT_EXPECT_FALSE(test, mdev_guard_revoked(&g->guard));
	mdev_guard_leave(&g->guard, idx);
}

static void guard_is_closed_after_revoke(struct kunit *test)
{
	struct guarded *g = test->priv;
	int idx;

	mdev_guard_publish(&g->guard, g);
	mdev_guard_revoke(&g->guard);
	KUNIT_EXPECT_TRUE(test, mdev_guard_revoked(&g->guard));
	idx = mdev_guard_enter(&g->guard);
	KUNIT_EXPECT_NULL(test, mdev_guard_self(&g->guard));
	mdev_guard_leave(&g->guard, idx);
	mdev_guard_drain(&g->guard, "kunit");
}

static void guard_drains_at_once_without_readers(struct kunit *test)
{
	struct guarded *g = test->priv;
	int i;

	for (i = 0; i < 10; i++) {
		int idx;

		mdev_guard_publish(&g->guard, g);
		idx = mdev_guard_enter(&g->guard);
		mdev_guard_leave(&g->guard, idx);
		mdev_guard_revoke(&g->guard);
		mdev_guard_drain(&g->guard, "kunit");
	}
}

static int guard_reader(void *data)
{
	struct guarded *g = data;
	int idx;

	idx = mdev_guard_enter(&g->guard);
	complete(&g->entered);
	wait_for_completion(&g->leave);
	g->seen = mdev_guard_self(&g->guard);
	WRITE_ONCE(g->left, true);
	mdev_guard_leave(&g->guard, idx);
	return 0;
}

static int guard_drainer(void *data)
{
	struct guarded *g = data;

	mdev_guard_drain(&g->guard, "kunit");
	g->left_when_drained = READ_ONCE(g->left);
	complete(&g->drained);
	return 0;
}

/* The reference lets finish() stop a thread that has ended already. */
static struct task_struct *start(struct kunit *test, int (*fn)(void *data))
{
	struct task_struct *task;

	task = kthread_create(fn, test->priv, "mdev_kunit");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	get_task_struct(task);
	wake_up_process(task);
	return task;
}

static void finish(struct task_struct *task)
{
	kthread_stop(task);
	put_task_struct(task);
}

static bool is_asleep(struct task_struct *task)
{
	return READ_ONCE(task->__state) & TASK_NORMAL;
}

/* Revoke, and let @reader leave once the drain is seen waiting. */
static void check_that_a_drain_waits_for(struct kunit *test,
					 struct task_struct *reader)
{
	struct guarded *g = test->priv;
	struct task_struct *drainer;

	mdev_guard_revoke(&g->guard);
	drainer = start(test, guard_drainer);
	/* The thread sleeps in the drain, or has returned without waiting. */
	KUNIT_EXPECT_TRUE(test, wait_until(is_asleep(drainer) ||
					   completion_done(&g->drained)));
	KUNIT_EXPECT_FALSE(test, completion_done(&g->drained));
	complete(&g->leave);
	KUNIT_EXPECT_TRUE(test, wait_until(completion_done(&g->drained)));
	finish(drainer);
	finish(reader);
	KUNIT_EXPECT_TRUE(test, g->left_when_drained);
	/* Readers in flight see the revocation, too. */
	KUNIT_EXPECT_NULL(test, g->seen);
}

static void guard_drain_waits_for_readers_in_flight(struct kunit *test)
{
	struct guarded *g = test->priv;
	struct task_struct *reader;

	mdev_guard_publish(&g->guard, g);
	reader = start(test, guard_reader);
	KUNIT_EXPECT_TRUE(test, wait_until(completion_done(&g->entered)));
	check_that_a_drain_waits_for(test, reader);
}

static void guard_drain_does_not_wait_for_later_readers(struct kunit *test)
{
	struct guarded *g = test->priv;
	struct task_struct *reader;

	mdev_guard_publish(&g->guard, g);
	mdev_guard_revoke(&g->guard);
	mdev_guard_drain(&g->guard, "kunit");
	reader = start(test, guard_reader);
	KUNIT_EXPECT_TRUE(test, wait_until(completion_done(&g->entered)));
	KUNIT_EXPECT_FALSE(test, READ_ONCE(g->left));
	complete(&g->leave);
	finish(reader);
	KUNIT_EXPECT_NULL(test, g->seen);
	mdev_guard_drain(&g->guard, "kunit");
}

static struct kunit_case guard_cases[] = {
	KUNIT_CASE(guard_is_closed_before_publish),
	KUNIT_CASE(guard_shows_what_was_published),
	KUNIT_CASE(guard_is_closed_after_revoke),
	KUNIT_CASE(guard_drains_at_once_without_readers),
	KUNIT_CASE(guard_drain_waits_for_readers_in_flight),
	KUNIT_CASE(guard_drain_does_not_wait_for_later_readers),
	{ }
};

static struct kunit_suite guard_suite = {
	.name = "mdev_guard",
	.init = guard_test_init,
	.exit = guard_test_exit,
	.test_cases = guard_cases,
};

/* The index: a copy of its own, since this module links mdev_index.o. */

#define NR_DEVICES 3000		/* enough for the table to grow and shrink */

static int index_test_init(struct kunit *test)
{
	test->priv = kvcalloc(NR_DEVICES, sizeof(struct mdev_core_device),
			      GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, test->priv);
	return mdev_index_init();
}

static void index_test_exit(struct kunit *test)
{
	mdev_index_exit();
	/* A lookup under RCU may still see devices that were released. */
	synchronize_rcu();
	kvfree(test->priv);
}

static void index_refuses_a_uuid_in_use(struct kunit *test)
{
	struct mdev_core_device *md = test->priv;

	guid_gen(&md[0].mdev.uuid);
	md[1].mdev.uuid = md[0].mdev.uuid;
	KUNIT_EXPECT_EQ(test, 0, mdev_index_claim(&md[0]));
	KUNIT_EXPECT_EQ(test, -EEXIST, mdev_index_claim(&md[1]));
	/* The refused claim must not replace the first. */
	KUNIT_EXPECT_EQ(test, -EEXIST, mdev_index_claim(&md[1]));
	mdev_index_release(&md[0]);
}

static void index_gives_a_released_uuid_again(struct kunit *test)
{
	struct mdev_core_device *md = test->priv;

	guid_gen(&md[0].mdev.uuid);
	md[1].mdev.uuid = md[0].mdev.uuid;
	KUNIT_EXPECT_EQ(test, 0, mdev_index_claim(&md[0]));
	mdev_index_release(&md[0]);
	KUNIT_EXPECT_EQ(test, 0, mdev_index_claim(&md[1]));
	KUNIT_EXPECT_EQ(test, -EEXIST, mdev_index_claim(&md[0]));
	mdev_index_release(&md[1]);
}

static void index_tells_uuids_apart_by_every_bit(struct kunit *test)
{
	struct mdev_core_device *md = test->priv;
	int i, bits = 8 * sizeof(guid_t);

	guid_gen(&md[bits].mdev.uuid);
	KUNIT_EXPECT_EQ(test, 0, mdev_index_claim(&md[bits]));
	for (i = 0; i < bits; i++) {
		md[i].mdev.uuid = md[bits].mdev.uuid;
		md[i].mdev.uuid.b[i / 8] ^= 1 << i % 8;
		KUNIT_EXPECT_EQ(test, 0, mdev_index_claim(&md[i]));
	}
	for (i = 0; i <= bits; i++)
		mdev_index_release(&md[i]);
}

static void index_release_frees_no_other_uuid(struct kunit *test)
{
	struct mdev_core_device *md = test->priv;

	guid_gen(&md[0].mdev.uuid);
	guid_gen(&md[1].mdev.uuid);
	md[2].mdev.uuid = md[1].mdev.uuid;
	KUNIT_EXPECT_EQ(test, 0, mdev_index_claim(&md[0]));
	KUNIT_EXPECT_EQ(test, 0, mdev_index_claim(&md[1]));
	mdev_index_release(&md[0]);
	KUNIT_EXPECT_EQ(test, -EEXIST, mdev_index_claim(&md[2]));
	mdev_index_release(&md[1]);
}

static void index_holds_many(struct kunit *test)
{
	struct mdev_core_device *md = test->priv, *twin;
	int i, refused = 0;

	twin = kunit_kzalloc(test, sizeof(*twin), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, twin);
	for (i = 0; i < NR_DEVICES; i++) {
		guid_gen(&md[i].mdev.uuid);
		KUNIT_ASSERT_EQ(test, 0, mdev_index_claim(&md[i]));
	}
	for (i = 0; i < NR_DEVICES; i++) {
		twin->mdev.uuid = md[i].mdev.uuid;
		refused += mdev_index_claim(twin) == -EEXIST;
	}
	KUNIT_EXPECT_EQ(test, NR_DEVICES, refused);
	for (i = 0; i < NR_DEVICES; i++)
		mdev_index_release(&md[i]);
	for (i = 0; i < NR_DEVICES; i++)
		KUNIT_ASSERT_EQ(test, 0, mdev_index_claim(&md[i]));
	for (i = 0; i < NR_DEVICES; i++)
		mdev_index_release(&md[i]);
}

static struct kunit_case index_cases[] = {
	KUNIT_CASE(index_refuses_a_uuid_in_use),
	KUNIT_CASE(index_gives_a_released_uuid_again),
	KUNIT_CASE(index_tells_uuids_apart_by_every_bit),
	KUNIT_CASE(index_release_frees_no_other_uuid),
	KUNIT_CASE(index_holds_many),
	{ }
};

static struct kunit_suite index_suite = {
	.name = "mdev_index",
	.init = index_test_init,
	.exit = index_test_exit,
	.test_cases = index_cases,
};

kunit_test_suites(&guard_suite, &index_suite);

MODULE_DESCRIPTION("KUnit tests of the mediated device core");
MODULE_LICENSE("GPL");
