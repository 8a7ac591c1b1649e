// SPDX-License-Identifier: GPL-2.0-only
/* The distribution's module beside ours: what differs, and what must not. */
#include <linux/major.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <kselftest_harness.h>
#include "xbb_test.h"

#define A "/tmp/a.raw"
#define B "/tmp/b.raw"
#define SIZE (16 << 20)
#define STOCK "/lib/modules/stock/xen-blkback.ko"

FIXTURE(stock) {
	struct vbd vbd;
	int loop;
};

FIXTURE_SETUP(stock)
{
	self->loop = -1;
	ASSERT_EQ(0, unload_soon("xen_blkback"));
	ASSERT_EQ(0, load_module("loop"));
	ASSERT_EQ(0, load_module("xen-blkfront"));
	ASSERT_EQ(0, insert_module(STOCK, ""));
	ASSERT_FALSE(path_exists("/sys/module/xen_blkback/parameters/diskseq"));
	ASSERT_EQ(0, image_create(A, "this is a", SIZE));
	ASSERT_EQ(0, image_create(B, "this is b", SIZE));
	self->loop = loop_attach(A, 0);
	ASSERT_LE(0, self->loop);
}

FIXTURE_TEARDOWN(stock)
{
	EXPECT_EQ(0, vbd_remove(&self->vbd));
	if (loop_attached(self->loop))
		loop_detach(self->loop);
	EXPECT_TRUE(wait_until(!loop_attached(self->loop), SOON_MS));
	unlink(A);
	unlink(B);
	EXPECT_EQ(0, unload_soon("xen_blkback"));
}

/* Why this project exists. */
TEST_F(stock, swapped_disk_is_exported_by_the_distributions_module)
{
	ASSERT_EQ(0, vbd_create(&self->vbd, 0, "w"));
	EXPECT_FALSE(vbd_has_node(&self->vbd, "opened"));
	ASSERT_EQ(0, loop_detach(self->loop));
	ASSERT_TRUE(wait_until(!loop_attached(self->loop), SOON_MS));
	ASSERT_EQ(self->loop, loop_attach(B, 0));
	ASSERT_EQ(0, vbd_give(&self->vbd, "%x:%x", LOOP_MAJOR, self->loop));
	ASSERT_EQ(0, vbd_result(&self->vbd));
	EXPECT_TRUE(wait_until(begins_with(self->vbd.dev, "this is b"), SOON_MS));
}

/* A toolstack that wants the check must look for "opened" first. */
TEST_F(stock, number_is_taken_for_the_major_by_the_distributions_module)
{
	ASSERT_EQ(0, vbd_create(&self->vbd, 0, "w"));
	ASSERT_EQ(0, vbd_give(&self->vbd, "%llx@%x:%x", loop_seq(self->loop), LOOP_MAJOR,
			      self->loop));
	EXPECT_NE(0, vbd_result(&self->vbd));
	EXPECT_FALSE(vbd_has_node(&self->vbd, "opened"));
}

/* The result of writing physical-device, as a toolstack sees it. */
struct outcome {
	int result;
	char nodes[4096];
};

#define NR_FORMS 9
static const char *const forms[NR_FORMS] = {
	"%x:%x", "%02x:%02x", "%x:%08x", "0x%x:%x", "%x:0x%x", "%x: %x", " %x:%x",
	"%x:%x rest", "%x:%x:1"
};

#define collect(outcomes) do {						\
	for (int i_ = 0; i_ < NR_FORMS; i_++) {				\
		struct outcome *o_ = &(outcomes)[i_];			\
		char value_[32];					\
									\
		snprintf(value_, sizeof(value_), forms[i_], LOOP_MAJOR, self->loop); \
		ASSERT_EQ(0, vbd_create(&self->vbd, 0, "w"));		\
		ASSERT_EQ(0, vbd_give(&self->vbd, "%s", value_));	\
		o_->result = vbd_result(&self->vbd);			\
		ASSERT_EQ(0, store_dump(self->vbd.back, "opened", o_->nodes, \
					sizeof(o_->nodes)));		\
		ASSERT_EQ(0, vbd_remove(&self->vbd));			\
	}								\
} while (0)

TEST_F(stock, plain_numbers_act_as_on_the_distributions_module)
{
	static struct outcome stock[NR_FORMS], ours[NR_FORMS];

	collect(stock);
	ASSERT_EQ(0, unload_soon("xen_blkback"));
	ASSERT_EQ(0, load_module("xen-blkback"));
	ASSERT_TRUE(path_exists("/sys/module/xen_blkback/parameters/diskseq"));
	collect(ours);
	for (int i = 0; i < NR_FORMS; i++) {
		EXPECT_EQ(0, stock[i].result) {
			TH_LOG("%s", forms[i]);
		}
		EXPECT_EQ(stock[i].result, ours[i].result);
		EXPECT_STREQ(stock[i].nodes, ours[i].nodes);
	}
}

TEST_HARNESS_MAIN
