// SPDX-License-Identifier: GPL-2.0-only
/* Make each call of a callback fail, or only the n-th. */
#include <linux/debugfs.h>
#include <linux/module.h>

#include "mdev_test.h"

static int int_get(void *data, u64 *val)
{
	*val = atomic_read(data);
	return 0;
}

static int int_set(void *data, u64 val)
{
	atomic_set(data, (int)val);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE_SIGNED(int_fops, int_get, int_set, "%lld\n");

/* A file that holds one number, which may be negative. */
void mdev_test_int_file(atomic_t *number, struct dentry *dir, const char *name)
{
	debugfs_create_file(name, 0600, dir, number, &int_fops);
}

static int at_get(void *data, u64 *val)
{
	struct mdev_test_fault *fault = data;

	*val = atomic_read(&fault->at);
	return 0;
}

static int at_set(void *data, u64 val)
{
	struct mdev_test_fault *fault = data;

	atomic_set(&fault->calls, 0);
	atomic_set(&fault->at, (int)val);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(at_fops, at_get, at_set, "%llu\n");

void mdev_test_fault_init(struct mdev_test_fault *fault, struct dentry *dir,
			  const char *name)
{
	char file[32];

	snprintf(file, sizeof(file), "%s_error", name);
	mdev_test_int_file(&fault->error, dir, file);
	snprintf(file, sizeof(file), "%s_error_at", name);
	debugfs_create_file(file, 0600, dir, fault, &at_fops);
}

/* The error to return from this call, or 0. */
int mdev_test_fault(struct mdev_test_fault *fault)
{
	int at = atomic_read(&fault->at);

	if (at && atomic_inc_return(&fault->calls) != at)
		return 0;
	return atomic_read(&fault->error);
}
EXPORT_SYMBOL_GPL(mdev_test_fault);
