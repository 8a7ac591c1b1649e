// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stall the next caller of a kernel function at its entry, to widen race
 * windows that contain no callback of a vendor.
 */
#include <linux/debugfs.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "mdev_test.h"

#define ENDBR64	0xfa1e0ff3

static char stall_function[MDEV_TEST_NAME_SIZE];
static DECLARE_WAIT_QUEUE_HEAD(stall_wait);
static atomic_t stall_armed;
static atomic_t stall_inside;
static bool stall_ended;
static u32 stall_count;
/* Protects the probe. Only writers to the file take it. */
static DEFINE_MUTEX(stall_lock);

static struct kprobe stall_probe;

/* Runs instead of the function, which may have at most three arguments. */
static unsigned long stall_call(unsigned long a, unsigned long b,
				unsigned long c)
{
	u32 *entry = (u32 *)stall_probe.addr;
	unsigned long (*function)(unsigned long a, unsigned long b,
				  unsigned long c);
	unsigned long ret;

	/* With IBT the probe is behind the ENDBR of indirect calls. */
	if (entry[-1] == ENDBR64)
		entry--;
	function = (void *)entry;
	WRITE_ONCE(stall_count, 1);
	wait_event(stall_wait, READ_ONCE(stall_ended));
	WRITE_ONCE(stall_count, 0);
	ret = function(a, b, c);
	atomic_dec(&stall_inside);
	wake_up_all(&stall_wait);
	return ret;
}

static int stall_here(struct kprobe *probe, struct pt_regs *regs)
{
	if (!atomic_xchg(&stall_armed, 0))
		return 0;
	atomic_inc(&stall_inside);
	instruction_pointer_set(regs, (unsigned long)stall_call);
	return 1;
}

/* A post handler keeps the probe unoptimized, so that it can redirect. */
static void stall_after(struct kprobe *probe, struct pt_regs *regs,
			unsigned long flags)
{
}

static void stall_end(void)
{
	WRITE_ONCE(stall_ended, true);
	wake_up_all(&stall_wait);
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
		.post_handler = stall_after,
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
	wait_event(stall_wait, !atomic_read(&stall_inside));
}
