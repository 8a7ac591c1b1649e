// SPDX-License-Identifier: GPL-2.0-only
/* Gates: points at which the test can block a callback and release it. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/sched.h>

#include "mdev_test.h"

static int gate_block_set(void *data, u64 val)
{
	struct mdev_test_gate *gate = data;

	spin_lock(&gate->lock);
	gate->left = val;
	gate->opened++;
	spin_unlock(&gate->lock);
	wake_up_all(&gate->wait);
	return 0;
}

static int gate_block_get(void *data, u64 *val)
{
	struct mdev_test_gate *gate = data;

	*val = READ_ONCE(gate->left);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(gate_block_fops, gate_block_get, gate_block_set,
			 "%llu\n");

static int gate_waiting_get(void *data, u64 *val)
{
	struct mdev_test_gate *gate = data;

	*val = READ_ONCE(gate->waiting);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(gate_waiting_fops, gate_waiting_get, NULL, "%llu\n");

void mdev_test_gate_init(struct mdev_test_gate *gate, struct dentry *dir,
			 const char *name)
{
	char file[32];

	spin_lock_init(&gate->lock);
	init_waitqueue_head(&gate->wait);
	snprintf(file, sizeof(file), "%s_block", name);
	debugfs_create_file(file, 0600, dir, gate, &gate_block_fops);
	snprintf(file, sizeof(file), "%s_waiting", name);
	debugfs_create_file(file, 0400, dir, gate, &gate_waiting_fops);
}

/* Killable, so that a failed test can be cleaned up. */
int mdev_test_gate_pass(struct mdev_test_gate *gate)
{
	unsigned int opened;
	int ret;

	spin_lock(&gate->lock);
	if (!gate->left) {
		spin_unlock(&gate->lock);
		return 0;
	}
	gate->left--;
	gate->waiting++;
	opened = gate->opened;
	spin_unlock(&gate->lock);

	ret = wait_event_killable(gate->wait,
				  READ_ONCE(gate->opened) != opened);

	spin_lock(&gate->lock);
	gate->waiting--;
	spin_unlock(&gate->lock);
	return ret;
}
EXPORT_SYMBOL_GPL(mdev_test_gate_pass);
