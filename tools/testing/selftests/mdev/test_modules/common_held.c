// SPDX-License-Identifier: GPL-2.0-only
/* References that outlive the device. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "mdev_test.h"

struct held {
	struct list_head node;
	struct device *dev;
};

static LIST_HEAD(held_list);
static unsigned int held_count;
/* The mdev bus's kset, which may outlive the module. */
static struct kset *held_bus;
/* Protects all variables above. */
static DEFINE_MUTEX(held_lock);

int mdev_test_hold(struct mdev_device *mdev)
{
	struct held *held = kmalloc_obj(*held);

	if (!held)
		return -ENOMEM;
	held->dev = get_device(&mdev->dev);
	mutex_lock(&held_lock);
	list_add_tail(&held->node, &held_list);
	held_count++;
	mutex_unlock(&held_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(mdev_test_hold);

void mdev_test_drop_held(void)
{
	struct held *held, *next;
	struct kset *bus;
	LIST_HEAD(drop);

	mutex_lock(&held_lock);
	list_splice_init(&held_list, &drop);
	held_count = 0;
	bus = held_bus;
	held_bus = NULL;
	mutex_unlock(&held_lock);
	if (bus)
		kset_put(bus);
	list_for_each_entry_safe(held, next, &drop, node) {
		put_device(held->dev);
		kfree(held);
	}
}

static ssize_t held_bus_write(struct file *file, const char __user *buf,
			      size_t count, loff_t *ppos)
{
	ssize_t ret = count;

	mutex_lock(&held_lock);
	if (held_bus)
		ret = -EALREADY;
	else
		held_bus = mdev_test_get_bus();
	if (!held_bus)
		ret = -ENODEV;
	mutex_unlock(&held_lock);
	return ret;
}

const struct file_operations mdev_test_held_bus_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = held_bus_write,
};

static ssize_t number_read(unsigned int number, char __user *buf, size_t count,
			   loff_t *ppos)
{
	char text[16];
	int len;

	len = scnprintf(text, sizeof(text), "%u\n", number);
	return simple_read_from_buffer(buf, count, ppos, text, len);
}

static ssize_t held_read(struct file *file, char __user *buf, size_t count,
			 loff_t *ppos)
{
	return number_read(READ_ONCE(held_count), buf, count, ppos);
}

static ssize_t held_write(struct file *file, const char __user *buf,
			  size_t count, loff_t *ppos)
{
	mdev_test_drop_held();
	return count;
}

const struct file_operations mdev_test_held_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = held_read,
	.write = held_write,
};

/* Does the device still point to memory that the vendor may free? */
static bool leads_to_vendor(struct device *dev)
{
	return to_mdev_device(dev)->type || dev->parent || dev->groups ||
	       dev->driver;
}

static ssize_t held_leading_read(struct file *file, char __user *buf,
				 size_t count, loff_t *ppos)
{
	unsigned int leading = 0;
	struct held *held;

	mutex_lock(&held_lock);
	list_for_each_entry(held, &held_list, node)
		leading += leads_to_vendor(held->dev);
	mutex_unlock(&held_lock);
	return number_read(leading, buf, count, ppos);
}

const struct file_operations mdev_test_held_leading_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = held_leading_read,
};
