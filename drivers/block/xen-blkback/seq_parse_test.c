// SPDX-License-Identifier: GPL-2.0-only
/* KUnit: the grammar of seq_parse.h, by a table and by a second parser. */
#include <kunit/test.h>
#include <linux/kdev_t.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/string.h>

#include "seq_parse.h"

#define ROUNDS	100000
#define SEED	2026
#define DIGITS	"0123456789abcdefABCDEF"

static void right_values_are_read(struct kunit *test)
{
	static const struct {
		const char *value;
		struct seq_disk disk;
	} right[] = {
		{ "1@7:0", { 0x1, 0x7, 0x0 } },
		{ "2f@fd:10", { 0x2f, 0xfd, 0x10 } },
		{ "2F@Fd:aB", { 0x2f, 0xfd, 0xab } },
		{ "ffffffffffffffff@fff:fffff", { ~0ULL, 0xfff, 0xfffff } },
		{ "10@00000fff:000fffff", { 0x10, 0xfff, 0xfffff } },
		{ "1@0:0", { 0x1, 0x0, 0x0 } },
	};
	struct seq_disk disk;

	for (size_t i = 0; i < ARRAY_SIZE(right); i++) {
		KUNIT_EXPECT_EQ(test, 0, seq_parse_disk(right[i].value,
							strlen(right[i].value), &disk));
		KUNIT_EXPECT_EQ(test, right[i].disk.seq, disk.seq);
		KUNIT_EXPECT_EQ(test, right[i].disk.major, disk.major);
		KUNIT_EXPECT_EQ(test, right[i].disk.minor, disk.minor);
	}
}

static void number_alone_may_be_padded(struct kunit *test)
{
	u64 seq;

	KUNIT_EXPECT_EQ(test, 0, seq_parse_number("000000000000002f", 16, &seq));
	KUNIT_EXPECT_EQ(test, 0x2fULL, seq);
	KUNIT_EXPECT_EQ(test, -EINVAL, seq_parse_number("0000000000000000", 16, &seq));
	KUNIT_EXPECT_EQ(test, -EINVAL, seq_parse_number("", 0, &seq));
	KUNIT_EXPECT_EQ(test, -EINVAL, seq_parse_number("2f ", 3, &seq));
	KUNIT_EXPECT_EQ(test, -EINVAL, seq_parse_number("2f\0", 3, &seq));
	KUNIT_EXPECT_EQ(test, -ERANGE, seq_parse_number("0000000000000002f", 17, &seq));
}

/* A failure must leave the result of an earlier call alone. */
static void failure_changes_nothing(struct kunit *test)
{
	struct seq_disk disk = { 1, 2, 3 };
	u64 seq = 4;

	KUNIT_EXPECT_EQ(test, -EINVAL, seq_parse_disk("5@6:7 ", 6, &disk));
	KUNIT_EXPECT_EQ(test, -ERANGE, seq_parse_disk("5@6:100000", 10, &disk));
	KUNIT_EXPECT_EQ(test, 1ULL, disk.seq);
	KUNIT_EXPECT_EQ(test, 2U, disk.major);
	KUNIT_EXPECT_EQ(test, 3U, disk.minor);
	KUNIT_EXPECT_EQ(test, -EINVAL, seq_parse_number("5x", 2, &seq));
	KUNIT_EXPECT_EQ(test, 4ULL, seq);
}

/* Reads the same grammar with other means: the string is cut, then converted. */
static int reference(char *value, size_t len, struct seq_disk *disk)
{
	char *minor = value, *seq = strsep(&minor, "@"), *major = strsep(&minor, ":");
	unsigned long long numbers[3];

	if (strlen(value) != strcspn(value, "@") || !major || !minor || !*seq || !*major ||
	    !*minor || *seq == '0')
		return -EINVAL;
	if (minor + strlen(minor) != value + len)
		return -EINVAL;
	if (seq[strspn(seq, DIGITS)] || major[strspn(major, DIGITS)] ||
	    minor[strspn(minor, DIGITS)])
		return -EINVAL;
	if (strlen(seq) > 16 || strlen(major) > 8 || strlen(minor) > 8)
		return -ERANGE;
	if (kstrtoull(seq, 16, &numbers[0]) || kstrtoull(major, 16, &numbers[1]) ||
	    kstrtoull(minor, 16, &numbers[2]))
		return -EINVAL;
	if (numbers[1] > 0xfff || numbers[2] > 0xfffff)
		return -ERANGE;
	*disk = (struct seq_disk) { numbers[0], numbers[1], numbers[2] };
	return 0;
}

static u32 below(struct rnd_state *random, u32 n)
{
	return prandom_u32_state(random) % n;
}

/* Writes a number of up to @max digits, which is often small. Returns its length. */
static int random_number(struct rnd_state *random, char *text, unsigned int max)
{
	unsigned int digits = below(random, 4) ? 1 + below(random, 3) : below(random, max + 1);

	for (unsigned int i = 0; i < digits; i++)
		text[i] = DIGITS[below(random, sizeof(DIGITS) - 1)];
	return digits;
}

/* Something near the grammar: half of it is right, the rest has some wrong characters. */
static size_t random_value(struct rnd_state *random, char *text)
{
	static const char chars[] = DIGITS "@@::gxX+-\n \0";
	size_t len = random_number(random, text, 18);

	text[len++] = '@';
	len += random_number(random, text + len, 10);
	text[len++] = ':';
	len += random_number(random, text + len, 10);
	for (u32 i = below(random, 2) ? below(random, 4) : 0; i; i--) {
		u32 at = below(random, len);

		text[at] = chars[below(random, sizeof(chars))];
		if (!below(random, 4))
			len = at + 1;
	}
	return len;
}

static void random_values_are_read_as_by_a_second_parser(struct kunit *test)
{
	unsigned int right = 0, too_large = 0;
	struct rnd_state random;

	prandom_seed_state(&random, SEED);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct seq_disk disk = {}, expected = {};
		char value[64], copy[64] = {};
		size_t len = random_value(&random, value);
		int error = seq_parse_disk(value, len, &disk), expected_error;

		memcpy(copy, value, len);
		expected_error = memchr(copy, '\0', len) ? -EINVAL :
				 reference(copy, len, &expected);
		if (error != expected_error || memcmp(&disk, &expected, sizeof(disk))) {
			KUNIT_FAIL(test, "round %u: \"%.*s\": %d, not %d", i, (int)len,
				   value, error, expected_error);
			return;
		}
		right += !error;
		too_large += error == -ERANGE;
	}
	KUNIT_EXPECT_GT(test, right, ROUNDS / 10U);
	KUNIT_EXPECT_GT(test, too_large, ROUNDS / 100U);
}

static struct kunit_case seq_parse_cases[] = {
	KUNIT_CASE(right_values_are_read),
	KUNIT_CASE(number_alone_may_be_padded),
	KUNIT_CASE(failure_changes_nothing),
	KUNIT_CASE(random_values_are_read_as_by_a_second_parser),
	{}
};

static struct kunit_suite seq_parse_suite = {
	.name = "xen_blkback_seq_parse",
	.test_cases = seq_parse_cases,
};

kunit_test_suite(seq_parse_suite);

MODULE_DESCRIPTION("KUnit tests of xen-blkback's parser");
MODULE_LICENSE("GPL");
