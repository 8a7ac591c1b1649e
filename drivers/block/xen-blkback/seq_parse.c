// SPDX-License-Identifier: GPL-2.0-only
/*
 * See seq_parse.h. All numbers are hexadecimal, of both cases, without a prefix.
 */
#include <linux/errno.h>
#include <linux/hex.h>
#include <linux/kdev_t.h>

#include "seq_parse.h"

#define MAX_SEQ_DIGITS		16
#define MAX_NUMBER_DIGITS	8
#define MAX_MAJOR		0xfff

/* Reads digits from @*at on and moves it behind them. Returns how many there are. */
static size_t read_digits(const char **at, const char *end, u64 *value)
{
	const char *start = *at;

	*value = 0;
	while (*at < end && hex_to_bin(**at) >= 0)
		*value = *value << 4 | hex_to_bin(*(*at)++);
	return *at - start;
}

static bool read_char(const char **at, const char *end, char c)
{
	if (*at == end || **at != c)
		return false;
	(*at)++;
	return true;
}

/**
 * seq_parse_disk - read "diskseq@major:minor"
 * @value: need not end in a NUL
 * @len: its length; a NUL in it is an error
 * @disk: filled if the value is right
 *
 * The sequence number has up to 16 digits and does not begin with 0. The others have up to
 * 8 digits, and must fit a dev_t.
 *
 * Return: 0; -EINVAL if the value is not of this form; -ERANGE if it is, but a number is
 * too long or too large.
 */
int seq_parse_disk(const char *value, size_t len, struct seq_disk *disk)
{
	size_t seq_digits, major_digits, minor_digits;
	const char *at = value, *end = value + len;
	u64 seq, major, minor;

	seq_digits = read_digits(&at, end, &seq);
	if (!seq_digits || *value == '0' || !read_char(&at, end, '@'))
		return -EINVAL;
	major_digits = read_digits(&at, end, &major);
	if (!major_digits || !read_char(&at, end, ':'))
		return -EINVAL;
	minor_digits = read_digits(&at, end, &minor);
	if (!minor_digits || at != end)
		return -EINVAL;
	if (seq_digits > MAX_SEQ_DIGITS || major_digits > MAX_NUMBER_DIGITS ||
	    minor_digits > MAX_NUMBER_DIGITS || major > MAX_MAJOR || minor > MINORMASK)
		return -ERANGE;
	*disk = (struct seq_disk) { .seq = seq, .major = major, .minor = minor };
	return 0;
}

/**
 * seq_parse_number - read a sequence number alone, which may begin with zeroes
 * @value: need not end in a NUL
 * @len: its length; a NUL in it is an error
 * @seq: filled if the value is right
 *
 * Return: 0; -EINVAL if the value is 0 or not a number; -ERANGE if it has more than 16
 * digits.
 */
int seq_parse_number(const char *value, size_t len, u64 *seq)
{
	const char *at = value, *end = value + len;
	size_t digits;
	u64 number;

	digits = read_digits(&at, end, &number);
	if (!digits || at != end)
		return -EINVAL;
	if (digits > MAX_SEQ_DIGITS)
		return -ERANGE;
	if (!number)
		return -EINVAL;
	*seq = number;
	return 0;
}
