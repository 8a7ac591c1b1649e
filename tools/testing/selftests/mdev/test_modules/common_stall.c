// SPDX-License-Identifier: GPL-2.0-only
/*
 * A function of the kernel or of a module whose next caller stalls at its entry,
 * to widen a window that no callback of a vendor can.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "mdev_test.h"

/* A test that gave up must not stall the machine. */
#define STALL_MS	10000

static char stall_function[MDEV_TEST_NAME_SIZE];
static atomic_t stall_armed;
static bool stall_ended;
static u32 stall_count;
/* Protects the probe; taken by writers to the file only. */
static DEFINE_MUTEX(stall_lock);

/* Preemption is off here, so spin. */
static int stall_here(struct kprobe *probe, struct pt_regs *regs)
{
	unsigned int ms;

	if (!atomic_xchg(&stall_armed, 0))
		return 0;
	WRITE_ONCE(stall_count, 1);
	for (ms = 0; ms < STALL_MS && !READ_ONCE(stall_ended); ms++)
		mdelay(1);
	WRITE_ONCE(stall_count, 0);
	return 0;
}

static struct kprobe stall_probe;

static void stall_end(void)
{
	WRITE_ONCE(stall_ended, true);
	if (stall_probe.symbol_name)
		unregister_kprobe(&stall_probe);
	stall_probe.symbol_name = NULL;
}

static int stall_begin(void)
{
	int ret;

	stall_probe = (struct kprobe){
		.symbol_name = stall_function,
		.pre_handler = stall_here,
	};
	WRITE_ONCE(stall_ended, false);
	atomic_set(&stall_armed, 1);
	ret = register_kprobe(&stall_probe);
	if (ret)
		stall_probe.symbol_name = NULL;
	return ret;
}

static ssize_t stall_write(struct file *file, const char __user *buf,
			   size_t count, loff_t *ppos)
{
	int ret;

	mutex_lock(&stall_lock);
	stall_end();
	ret = mdev_test_get_word(stall_function, buf, count);
	if (!ret && *stall_function)
		ret = stall_begin();
	mutex_unlock(&stall_lock);
	return ret ?: count;
}

static const struct file_operations stall_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = stall_write,
};

void mdev_test_stall_init(struct dentry *dir)
{
	debugfs_create_file("stall", 0200, dir, NULL, &stall_fops);
	debugfs_create_u32("stalled", 0400, dir, &stall_count);
}

void mdev_test_stall_exit(void)
{
	mutex_lock(&stall_lock);
	stall_end();
	mutex_unlock(&stall_lock);
}
