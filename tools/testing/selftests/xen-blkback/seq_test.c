// SPDX-License-Identifier: GPL-2.0-only
/* Which disk the back end opens, and what it tells. */
#include <errno.h>
#include <fcntl.h>
#include <linux/major.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <kselftest_harness.h>
#include "xbb_test.h"

#define A "/tmp/a.raw"
#define B "/tmp/b.raw"
#define SIZE (16 << 20)
#define DRIVER "/sys/bus/xen-backend/drivers/vbd"

FIXTURE(seq) {
	struct vbd vbd, other;
	int loop;		/* has A at first */
	unsigned long long seq;
	int kmsg;
};

FIXTURE_SETUP(seq)
{
	self->loop = -1;
	ASSERT_EQ(0, load_module("loop"));
	ASSERT_EQ(0, load_module("xen-blkfront"));
	ASSERT_EQ(0, load_module("xen-blkback"));
	ASSERT_EQ(0, image_create(A, "this is a", SIZE));
	ASSERT_EQ(0, image_create(B, "this is b", SIZE));
	self->loop = loop_attach(A, 0);
	ASSERT_LE(0, self->loop);
	self->seq = loop_seq(self->loop);
	ASSERT_LT(0, self->seq);
	self->kmsg = kmsg_open();
	ASSERT_EQ(0, vbd_create(&self->vbd, 0, "w"));
}

FIXTURE_TEARDOWN(seq)
{
	EXPECT_EQ(0, vbd_remove(&self->vbd));
	EXPECT_EQ(0, vbd_remove(&self->other));
	if (loop_attached(self->loop))
		loop_detach(self->loop);
	EXPECT_TRUE(wait_until(!loop_attached(self->loop), SOON_MS));
	close(self->kmsg);
	unlink(A);
	unlink(B);
	EXPECT_EQ(0, keep_modules() ? 0 : unload_soon("xen_blkback"));
}

/* Name the disk with its sequence number. */
#define give(seq) vbd_give(&self->vbd, "%llx@%x:%x", seq, LOOP_MAJOR, self->loop)

/* The loop device gets the other file, and with it a new number. */
#define swap() do {							\
	ASSERT_EQ(0, loop_detach(self->loop));				\
	ASSERT_TRUE(wait_until(!loop_attached(self->loop), SOON_MS));	\
	ASSERT_EQ(self->loop, loop_attach(B, 0));			\
} while (0)

/* Another virtual disk of the same number. */
#define renew() do {							\
	ASSERT_EQ(0, vbd_remove(&self->vbd));				\
	ASSERT_EQ(0, vbd_create(&self->vbd, 0, "w"));			\
} while (0)

TEST_F(seq, waiting_device_says_that_it_will_tell)
{
	char number[32];

	EXPECT_TRUE(vbd_has(&self->vbd, "opened", "0"));
	EXPECT_FALSE(vbd_has_node(&self->vbd, "sectors"));
	EXPECT_EQ(1, read_file("/sys/module/xen_blkback/parameters/diskseq", number,
			       sizeof(number)));
	EXPECT_STREQ("Y", number);
	EXPECT_EQ(-ENODATA, vbd_shown_seq(&self->vbd, number, sizeof(number)));
}

TEST_F(seq, right_number_is_opened_and_told)
{
	char number[32], expected[32];

	ASSERT_EQ(0, give(self->seq));
	ASSERT_TRUE(wait_until(vbd_has(&self->vbd, "opened", "1"), SOON_MS));
	/* The number must be in sysfs before "opened" is 1. */
	EXPECT_LT(0, vbd_shown_seq(&self->vbd, number, sizeof(number)));
	snprintf(expected, sizeof(expected), "%llu", self->seq);
	EXPECT_STREQ(expected, number);
	ASSERT_EQ(0, vbd_result(&self->vbd));
	EXPECT_TRUE(wait_until(begins_with(self->vbd.dev, "this is a"), SOON_MS));
}

TEST_F(seq, swapped_disk_is_refused)
{
	char text[128];

	swap();
	ASSERT_EQ(0, give(self->seq));
	EXPECT_EQ(-ENODEV, vbd_result(&self->vbd));
	snprintf(text, sizeof(text),
		 "19 physical-device %llx@7:%x: the disk has number %llx now", self->seq,
		 self->loop, loop_seq(self->loop));
	EXPECT_STREQ(text, vbd_said);
	EXPECT_TRUE(kmsg_find(self->kmsg, "the disk has number", "physical-device"));
	EXPECT_TRUE(vbd_has(&self->vbd, "opened", "0"));
	EXPECT_FALSE(vbd_has_node(&self->vbd, "sectors"));
	EXPECT_TRUE(wait_until(vbd_has(&self->vbd, "state", CLOSED), SOON_MS));
	EXPECT_FALSE(kmsg_find(self->kmsg, "the disk has number", "physical-device"));
	EXPECT_FALSE(path_exists(self->vbd.dev));
	/* Nobody has it open. */
	ASSERT_EQ(0, loop_detach(self->loop));
	EXPECT_TRUE(wait_until(!loop_attached(self->loop), SOON_MS));
}

/* Show that the check is needed: run the same race without a number. */
TEST_F(seq, swapped_disk_is_exported_if_no_number_is_given)
{
	swap();
	ASSERT_EQ(0, vbd_give(&self->vbd, "%x:%x", LOOP_MAJOR, self->loop));
	ASSERT_EQ(0, vbd_result(&self->vbd));
	EXPECT_TRUE(wait_until(begins_with(self->vbd.dev, "this is b"), SOON_MS));
}

TEST_F(seq, refused_attach_can_be_tried_again_at_once)
{
	ASSERT_EQ(0, give(self->seq + 1));
	EXPECT_EQ(-ENODEV, vbd_result(&self->vbd));
	renew();
	ASSERT_EQ(0, give(self->seq));
	EXPECT_EQ(0, vbd_result(&self->vbd));
}

TEST_F(seq, opened_disk_stays_when_all_others_let_go)
{
	ASSERT_EQ(0, give(self->seq));
	ASSERT_TRUE(wait_until(vbd_has(&self->vbd, "opened", "1"), SOON_MS));
	ASSERT_EQ(0, loop_detach(self->loop));
	EXPECT_TRUE(loop_attached(self->loop));
	ASSERT_EQ(0, vbd_result(&self->vbd));
	EXPECT_TRUE(wait_until(begins_with(self->vbd.dev, "this is a"), SOON_MS));
	EXPECT_TRUE(loop_attached(self->loop));
	/* It goes with its last user. */
	ASSERT_EQ(0, vbd_remove(&self->vbd));
	EXPECT_TRUE(wait_until(!loop_attached(self->loop), SOON_MS));
}

/* Nothing of these may be opened; the value comes with its errno. */
TEST_F(seq, bad_values_are_refused)
{
	static const struct {
		const char *value;
		size_t len;
		int error;
	} bad[] = {
#define BAD(value, error) { value, sizeof(value) - 1, error }
		BAD("", EINVAL),
		BAD("@", EINVAL),
		BAD("@7:0", EINVAL),
		BAD("1@", EINVAL),
		BAD("1@7", EINVAL),
		BAD("1@7:", EINVAL),
		BAD("1@:0", EINVAL),
		BAD("1@@7:0", EINVAL),
		BAD("1@7:0@", EINVAL),
		BAD("1@7:0:0", EINVAL),
		BAD("0@7:0", EINVAL),
		BAD("01@7:0", EINVAL),
		BAD("0x1@7:0", EINVAL),
		BAD("1@0x7:0", EINVAL),
		BAD("-1@7:0", EINVAL),
		BAD("+1@7:0", EINVAL),
		BAD(" 1@7:0", EINVAL),
		BAD("1@7:0 ", EINVAL),
		BAD("1@7:0\n", EINVAL),
		BAD("1@7:0\0", EINVAL),
		BAD("1@7:\0000", EINVAL),
		BAD("g@7:0", EINVAL),
		BAD("1@7:g", EINVAL),
		BAD("7", EINVAL),
		BAD("x:y", EINVAL),
		BAD("10000000000000000@7:0", ERANGE),
		BAD("1@000000007:0", ERANGE),
		BAD("1@7:000000000", ERANGE),
		BAD("1@1000:0", ERANGE),
		BAD("1@7:100000", ERANGE),
	};
	char path[128];

	snprintf(path, sizeof(path), "%s/physical-device", self->vbd.back);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ASSERT_EQ(0, store_write(path, bad[i].value, bad[i].len));
		EXPECT_EQ(-bad[i].error, vbd_result(&self->vbd)) {
			TH_LOG("\"%s\" (%zu): %s", bad[i].value, bad[i].len, vbd_said);
		}
		EXPECT_TRUE(vbd_has(&self->vbd, "opened", "0"));
		renew();
	}
}

/* Test each form that the kernel's own back end accepts. */
TEST_F(seq, plain_numbers_work_as_ever)
{
	static const char * const forms[] = { "%x:%x", "%02x:%02x", "0x%x:%x", "%x:%x rest" };

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		char value[32];

		snprintf(value, sizeof(value), forms[i], LOOP_MAJOR, self->loop);
		ASSERT_EQ(0, vbd_give(&self->vbd, "%s", value));
		EXPECT_EQ(0, vbd_result(&self->vbd)) {
			TH_LOG("%s: %s", value, vbd_said);
		}
		EXPECT_TRUE(vbd_has(&self->vbd, "opened", "1"));
		renew();
	}
}

/* Write both nodes at once. */
static int give_apart(const struct vbd *v, const char *value, const char *number)
{
	char path[128], number_path[128];

	snprintf(path, sizeof(path), "%s/physical-device", v->back);
	snprintf(number_path, sizeof(number_path), "%s/diskseq", v->back);
	return store_write_all((const char *[]) {
		number_path, number, path, value, NULL
	});
}

TEST_F(seq, number_may_be_a_node_of_its_own)
{
	char value[32], both[64], right[32], shortest[32], wrong[32];

	snprintf(value, sizeof(value), "%x:%x", LOOP_MAJOR, self->loop);
	snprintf(both, sizeof(both), "%llx@%s", self->seq, value);
	snprintf(right, sizeof(right), "%016llx", self->seq);
	snprintf(shortest, sizeof(shortest), "%llx", self->seq);
	snprintf(wrong, sizeof(wrong), "%016llx", self->seq + 1);

	const struct {
		const char *value, *number;
		int result;
	} cases[] = {
		{ value, right, 0 },
		{ value, shortest, 0 },
		{ value, wrong, -ENODEV },
		{ value, "0000000000000000", -EINVAL },
		{ value, "00000000000000001", -ERANGE },
		{ value, "", -EINVAL },
		{ value, "x", -EINVAL },
		{ both, right, 0 },
		{ both, wrong, -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ASSERT_EQ(0, give_apart(&self->vbd, cases[i].value, cases[i].number));
		EXPECT_EQ(cases[i].result, vbd_result(&self->vbd)) {
			TH_LOG("%s, diskseq %s: %s", cases[i].value, cases[i].number,
			       vbd_said);
		}
		EXPECT_EQ(!cases[i].result, vbd_has(&self->vbd, "opened", "1"));
		renew();
	}
}

TEST_F(seq, another_value_after_success_is_ignored_with_a_warning)
{
	ASSERT_EQ(0, give(self->seq));
	ASSERT_EQ(0, vbd_result(&self->vbd));
	ASSERT_EQ(0, give(self->seq + 1));
	EXPECT_TRUE(wait_until(kmsg_find(self->kmsg, "a disk is open; ignoring", "@"),
			       SOON_MS));
	ASSERT_EQ(0, vbd_give(&self->vbd, "1@"));
	EXPECT_TRUE(wait_until(kmsg_find(self->kmsg, "a disk is open; ignoring", "1@"),
			       SOON_MS));
	EXPECT_TRUE(vbd_has(&self->vbd, "opened", "1"));
	EXPECT_TRUE(vbd_has(&self->vbd, "state", CONNECTED));
	EXPECT_TRUE(begins_with(self->vbd.dev, "this is a"));
}

/* The kernel's own back end says ENOENT, whatever the cause is. */
TEST_F(seq, device_that_cannot_be_opened_tells_why)
{
	ASSERT_EQ(0, vbd_give(&self->vbd, "1@fff:1"));
	EXPECT_EQ(-ENXIO, vbd_result(&self->vbd)) {
		TH_LOG("%s", vbd_said);
	}
	EXPECT_TRUE(vbd_has(&self->vbd, "opened", "0"));
	renew();
	ASSERT_EQ(0, vbd_give(&self->vbd, "fff:1"));
	EXPECT_EQ(-ENXIO, vbd_result(&self->vbd));
}

/* As when a guest's boot loader hands over to the kernel. */
TEST_F(seq, front_end_that_starts_again_finds_the_disk_open)
{
	char state[128];

	ASSERT_EQ(0, give(self->seq));
	ASSERT_EQ(0, vbd_result(&self->vbd));
	ASSERT_EQ(0, loop_detach(self->loop));
	ASSERT_TRUE(wait_until(begins_with(self->vbd.dev, "this is a"), SOON_MS));
	ASSERT_EQ(0, write_file("/sys/bus/xen/drivers/vbd/unbind", self->vbd.front_name));
	ASSERT_TRUE(wait_until(vbd_has(&self->vbd, "state", CLOSED), SOON_MS));
	EXPECT_TRUE(vbd_has(&self->vbd, "opened", "1"));
	EXPECT_TRUE(loop_attached(self->loop));
	snprintf(state, sizeof(state), "%s/state", self->vbd.front);
	ASSERT_EQ(0, store_write(state, "1", 1));
	/* A newer kernel's front end notices, and connects. */
	ASSERT_TRUE(wait_until(vbd_has(&self->vbd, "state", INIT_WAIT) ||
			       vbd_has(&self->vbd, "state", CONNECTED), SOON_MS));
	EXPECT_TRUE(vbd_has(&self->vbd, "opened", "1"));
	EXPECT_TRUE(loop_attached(self->loop));
	/* An older one's does not hear that the back end closes, either. */
	EXPECT_EQ(0, store_remove(self->vbd.front));
}

/* The driver may come back to a device that still names its disk. */
TEST_F(seq, unbound_back_end_lets_go_and_checks_again_when_it_is_bound)
{
	ASSERT_EQ(0, give(self->seq));
	ASSERT_EQ(0, vbd_result(&self->vbd));
	/*
	 * The task that waits for the front end's reads of the partition table is the one
	 * that creates devices. When there is a second disk, those reads are done, and the
	 * first disk's driver can go.
	 */
	ASSERT_EQ(0, vbd_create(&self->other, 1, "w"));
	ASSERT_EQ(0, loop_detach(self->loop));
	ASSERT_TRUE(loop_attached(self->loop));
	ASSERT_EQ(0, write_file(DRIVER "/unbind", self->vbd.name));
	EXPECT_TRUE(wait_until(!loop_attached(self->loop), SOON_MS));
	ASSERT_EQ(self->loop, loop_attach(B, 0));
	ASSERT_EQ(0, write_file(DRIVER "/bind", self->vbd.name));
	EXPECT_TRUE(wait_until(vbd_has(&self->vbd, "opened", "0"), SOON_MS));
	EXPECT_TRUE(wait_until(store_read(self->vbd.error, vbd_said, sizeof(vbd_said)) > 0,
			       SOON_MS));
	EXPECT_NE(NULL, strstr(vbd_said, "the disk has number"));
}

TEST_F(seq, unload_is_refused_while_a_disk_lives)
{
	EXPECT_EQ(-1, syscall(SYS_delete_module, "xen_blkback", O_NONBLOCK));
	EXPECT_EQ(EWOULDBLOCK, errno);
}

TEST_F(seq, two_disks_have_their_own_numbers)
{
	int n = loop_attach(B, 0);

	ASSERT_LE(0, n);
	ASSERT_EQ(0, vbd_create(&self->other, 1, "r"));
	ASSERT_EQ(0, vbd_give(&self->other, "%llx@7:%x", loop_seq(n), n));
	ASSERT_EQ(0, give(loop_seq(n)));
	EXPECT_EQ(-ENODEV, vbd_result(&self->vbd));
	EXPECT_EQ(0, vbd_result(&self->other));
	EXPECT_TRUE(wait_until(begins_with(self->other.dev, "this is b"), SOON_MS));
	EXPECT_EQ(0, vbd_remove(&self->other));
	EXPECT_EQ(0, loop_detach(n));
}

TEST_HARNESS_MAIN
