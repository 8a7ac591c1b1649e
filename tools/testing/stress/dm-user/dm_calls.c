// SPDX-License-Identifier: GPL-2.0-only
/* Device mapper's ioctls, see dm_calls.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include "dm_calls.h"

#define DATA_SIZE 1024

static int control = -1;

struct call {
	struct dm_ioctl io;
	char data[DATA_SIZE];
};

int dm_open(void)
{
	if (control < 0)
		control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	return control < 0 ? -errno : 0;
}

static int call(unsigned int cmd, const char *name, uint32_t flags, struct call *c)
{
	c->io.version[0] = DM_VERSION_MAJOR;
	c->io.data_size = sizeof(*c);
	c->io.data_start = offsetof(struct call, data);
	c->io.flags = flags;
	snprintf(c->io.name, sizeof(c->io.name), "%s", name);
	return ioctl(control, cmd, c) ? -errno : 0;
}

static int simple_call(unsigned int cmd, const char *name, uint32_t flags)
{
	struct call c = {};

	return call(cmd, name, flags, &c);
}

int dm_create(const char *name, dev_t *dev)
{
	struct call c = {};
	int ret = call(DM_DEV_CREATE, name, 0, &c);

	/* The kernel packs it as makedev() does not. */
	if (!ret && dev)
		*dev = makedev((c.io.dev >> 8) & 0xfff,
			       (c.io.dev & 0xff) | ((c.io.dev >> 12) & 0xfff00));
	return ret;
}

int dm_remove(const char *name)
{
	return simple_call(DM_DEV_REMOVE, name, 0);
}

int dm_load(const char *name, uint64_t sectors, const char *args)
{
	struct dm_target_spec *spec;
	struct call c = {};

	spec = (void *)c.data;
	spec->length = sectors;
	snprintf(spec->target_type, sizeof(spec->target_type), "user");
	snprintf((char *)(spec + 1), DATA_SIZE - sizeof(*spec), "%s", args);
	c.io.target_count = 1;
	return call(DM_TABLE_LOAD, name, 0, &c);
}

int dm_clear(const char *name)
{
	return simple_call(DM_TABLE_CLEAR, name, 0);
}

int dm_resume(const char *name)
{
	return simple_call(DM_DEV_SUSPEND, name, 0);
}

int dm_suspend(const char *name, uint32_t flags)
{
	return simple_call(DM_DEV_SUSPEND, name, DM_SUSPEND_FLAG | flags);
}

int dm_message(const char *name, const char *message)
{
	struct call c = {};

	/* After the number of the sector that it goes to, 0. */
	snprintf(c.data + sizeof(struct dm_target_msg),
		 DATA_SIZE - sizeof(struct dm_target_msg), "%s", message);
	return call(DM_TARGET_MSG, name, 0, &c);
}

int dm_status(const char *name, char *buf, size_t size)
{
	struct call c = {};
	int ret = call(DM_TABLE_STATUS, name, DM_NOFLUSH_FLAG, &c);

	if (!ret)
		snprintf(buf, size, "%s", c.data + sizeof(struct dm_target_spec));
	return ret;
}

long long dm_number(const char *name, const char *key)
{
	char status[DATA_SIZE], word[64];
	const char *at = status;
	int ret = dm_status(name, status, sizeof(status)), len;
	long long value;

	while (!ret && sscanf(at, "%63s %lld%n", word, &value, &len) == 2) {
		if (!strcmp(word, key))
			return value;
		at += len;
	}
	return ret ? ret : -EBADMSG;
}
