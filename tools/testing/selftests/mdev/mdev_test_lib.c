// SPDX-License-Identifier: GPL-2.0-only
/* Shared by all mdev test programs. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "mdev_test_lib.h"

void random_uuid(char uuid[UUID_SIZE])
{
	unsigned char b[16];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		abort();
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	snprintf(uuid, UUID_SIZE,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7],
		 b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

void mdev_path(char *buf, const char *uuid, const char *file)
{
	snprintf(buf, PATH_MAX, "/sys/bus/mdev/devices/%s/%s", uuid, file);
}

void type_path(char *buf, const char *parent, const char *type,
	       const char *file)
{
	snprintf(buf, PATH_MAX,
		 "/sys/class/mdev_bus/%s/mdev_supported_types/%s/%s",
		 parent, type, file);
}

int mdev_create(const char *parent, const char *type, const char *uuid)
{
	char path[PATH_MAX];

	type_path(path, parent, type, "create");
	return write_file(path, uuid);
}

int mdev_remove(const char *uuid)
{
	char path[PATH_MAX];

	mdev_path(path, uuid, "remove");
	return write_file(path, "1");
}

bool mdev_exists(const char *uuid)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%s", uuid);
	return link_exists(path);
}

long long available_instances(const char *parent, const char *type)
{
	char path[PATH_MAX];

	type_path(path, parent, type, "available_instances");
	return read_number(path);
}
