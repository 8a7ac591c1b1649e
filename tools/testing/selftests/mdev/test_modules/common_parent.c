// SPDX-License-Identifier: GPL-2.0-only
/* Add, register, unregister and delete parents on demand. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "mdev_test.h"

#define VENDOR_POISON 0x6b

/* Our parent, or NULL if the device is another vendor's. */
struct mdev_test_parent *mdev_test_parent_of(struct mdev_device *mdev)
{
	struct device *dev = mdev->dev.parent;

	if (!dev || !dev->class || !str_has_prefix(dev->class->name,
						   "mdev_test_"))
		return NULL;
	return dev_get_drvdata(dev);
}
EXPORT_SYMBOL_GPL(mdev_test_parent_of);

static void vendor_free(struct mdev_test_parent *p, void *vendor)
{
	memset(vendor, VENDOR_POISON, p->door->vendor_size);
	kfree(vendor);
}

static int parent_register(struct mdev_test_parent *p, const char *bad,
			   void **result)
{
	void *vendor = kzalloc(p->door->vendor_size, GFP_KERNEL);
	int ret;

	if (!vendor)
		return -ENOMEM;
	ret = p->door->reg(p, vendor, bad);
	if (ret)
		vendor_free(p, vendor);
	else
		*result = vendor;
	return ret;
}

static void parent_unregister(struct mdev_test_parent *p, void *vendor)
{
	p->door->unreg(p, vendor);
	vendor_free(p, vendor);
}

static struct mdev_test_parent *find_parent(struct mdev_test_door *door,
					    const char *name)
{
	struct mdev_test_parent *p;

	list_for_each_entry(p, &door->parents, node) {
		if (!strcmp(dev_name(p->dev), name))
			return p;
	}
	return NULL;
}

static void unregister_other(struct mdev_test_parent *p)
{
	struct mdev_test_parent *other;

	other = find_parent(p->door, p->unregister_other);
	p->unregister_other[0] = '\0';
	if (!other)
		return;
	parent_unregister(other, other->vendor);
	other->vendor = NULL;
}

/* Called in the callback @name: do what the test asked for, even if invalid. */
void mdev_test_callback(struct mdev_test_parent *p, const char *name)
{
	if (!strcmp(name, "create") && *p->unregister_other)
		unregister_other(p);
	/* As a vendor's own code would do it: without the test's lock. */
	if (strcmp(p->unregister_in, name))
		return;
	parent_unregister(p, p->vendor);
	p->vendor = NULL;
}
EXPORT_SYMBOL_GPL(mdev_test_callback);

static int register_set(void *data, u64 val)
{
	struct mdev_test_parent *p = data;
	int ret = 0;

	/* The door's module must not go while its parent is unregistered. */
	if (!try_module_get(p->door->owner))
		return -ENODEV;
	mutex_lock(&p->lock);
	if (val && p->vendor) {
		ret = -EALREADY;
	} else if (val) {
		ret = parent_register(p, NULL, &p->vendor);
	} else if (p->vendor) {
		parent_unregister(p, p->vendor);
		p->vendor = NULL;
	} else {
		ret = -EALREADY;
	}
	mutex_unlock(&p->lock);
	module_put(p->door->owner);
	return ret;
}

static int register_get(void *data, u64 *val)
{
	struct mdev_test_parent *p = data;

	*val = !!READ_ONCE(p->vendor);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(register_fops, register_get, register_set, "%llu\n");

/* Make a registration that must fail. If it succeeds, undo it. */
static int register_wrong(struct mdev_test_parent *p, const char *bad)
{
	void *vendor;
	int ret;

	mutex_lock(&p->lock);
	ret = parent_register(p, bad, &vendor);
	if (!ret)
		parent_unregister(p, vendor);
	mutex_unlock(&p->lock);
	return ret;
}

static int register_twice_set(void *data, u64 val)
{
	return register_wrong(data, NULL);
}

DEFINE_DEBUGFS_ATTRIBUTE(register_twice_fops, NULL, register_twice_set,
			 "%llu\n");

/* Copy a word that user space wrote, without its newline. */
int mdev_test_get_word(char word[MDEV_TEST_NAME_SIZE], const char __user *buf,
		       size_t count)
{
	if (!count || count >= MDEV_TEST_NAME_SIZE)
		return -EINVAL;
	if (copy_from_user(word, buf, count))
		return -EFAULT;
	word[count] = '\0';
	strim(word);
	return 0;
}

static ssize_t register_bad_write(struct file *file, const char __user *buf,
				  size_t count, loff_t *ppos)
{
	char bad[MDEV_TEST_NAME_SIZE];
	int ret;

	ret = mdev_test_get_word(bad, buf, count);
	if (!ret)
		ret = register_wrong(file->private_data, bad);
	return ret ?: count;
}

static const struct file_operations register_bad_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = register_bad_write,
};

static ssize_t word_write(struct file *file, const char __user *buf,
			  size_t count, loff_t *ppos)
{
	int ret = mdev_test_get_word(file->private_data, buf, count);

	return ret ?: count;
}

static const struct file_operations word_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = word_write,
};

/* Takes no lock: the core must cope with a concurrent unregistration. */
static int unregister_again_set(void *data, u64 val)
{
	struct mdev_test_parent *p = data;

	p->door->unreg_again(p, READ_ONCE(p->vendor));
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(unregister_again_fops, NULL, unregister_again_set,
			 "%llu\n");

static int references_get(void *data, u64 *val)
{
	struct mdev_test_parent *p = data;

	*val = kref_read(&p->dev->kobj.kref);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(references_fops, references_get, NULL, "%llu\n");

static void parent_add_files(struct mdev_test_parent *p)
{
	struct dentry *dir = p->dir;

	debugfs_create_u32("request_op", 0600, dir, &p->request_op);
	debugfs_create_u32("hold", 0600, dir, &p->hold);
	debugfs_create_u32("max_instances", 0600, dir, &p->max_instances);
	debugfs_create_u32("description", 0600, dir, &p->description);
	debugfs_create_u32("plain_types", 0600, dir, &p->plain_types);
	debugfs_create_u32("driver_first", 0600, dir, &p->driver_first);
	debugfs_create_u32("own_driver", 0600, dir, &p->own_driver);
	debugfs_create_u32("bare", 0600, dir, &p->bare);
	debugfs_create_u32("dma_unmap", 0600, dir, &p->dma_unmap);
	debugfs_create_u32("region_op", 0600, dir, &p->region_op);
	debugfs_create_u32("registration", 0400, dir, &p->registration);
	mdev_test_int_file(&p->get_available, dir, "get_available");
	mdev_test_int_file(&p->requests, dir, "requests");
	mdev_test_fault_init(&p->create_fault, dir, "create");
	mdev_test_fault_init(&p->late_fault, dir, "late");
	mdev_test_fault_init(&p->remove_fault, dir, "remove");
	mdev_test_fault_init(&p->open_fault, dir, "open");
	mdev_test_fault_init(&p->mmap_fault, dir, "mmap");
	mdev_test_fault_init(&p->bind_fault, dir, "bind");
	mdev_test_gate_init(&p->register_gate, dir, "register");
	mdev_test_gate_init(&p->create_gate, dir, "create");
	mdev_test_gate_init(&p->late_gate, dir, "late");
	mdev_test_gate_init(&p->remove_gate, dir, "remove");
	mdev_test_gate_init(&p->open_gate, dir, "open");
	mdev_test_gate_init(&p->bind_gate, dir, "bind");
	mdev_test_gate_init(&p->attr_gate, dir, "attr");
	mdev_test_gate_init(&p->type_attr_gate, dir, "type_attr");
	debugfs_create_file_unsafe("references", 0400, dir, p,
				   &references_fops);
	debugfs_create_file("unregister_again", 0200, dir, p,
			    &unregister_again_fops);
	debugfs_create_file("unregister_in", 0200, dir, p->unregister_in,
			    &word_fops);
	debugfs_create_file("unregister_other", 0200, dir, p->unregister_other,
			    &word_fops);
	debugfs_create_file("register_bad", 0200, dir, p, &register_bad_fops);
	debugfs_create_file_unsafe("register_twice", 0200, dir, p,
				   &register_twice_fops);
	/* Create this one last: once it exists, all others do. */
	debugfs_create_file("register", 0600, dir, p, &register_fops);
}

static int parent_add(struct mdev_test_door *door, const char *name)
{
	struct mdev_test_parent *p;
	int ret;

	p = kzalloc_obj(*p);
	if (!p)
		return -ENOMEM;
	p->door = door;
	mutex_init(&p->lock);
	atomic_set(&p->get_available, -1);
	p->max_instances = 16;
	p->dev = device_create(door->class, NULL, MKDEV(0, 0), p, "%s", name);
	if (IS_ERR(p->dev)) {
		ret = PTR_ERR(p->dev);
		kfree(p);
		return ret;
	}
	p->dir = debugfs_create_dir(name, door->dir);
	parent_add_files(p);
	list_add_tail(&p->node, &door->parents);
	return 0;
}

static void parent_del(struct mdev_test_parent *p)
{
	list_del(&p->node);
	debugfs_remove(p->dir);
	if (p->vendor)
		parent_unregister(p, p->vendor);
	device_unregister(p->dev);
	kfree(p);
}

static ssize_t add_parent_write(struct file *file, const char __user *buf,
				size_t count, loff_t *ppos)
{
	struct mdev_test_door *door = file->private_data;
	char name[MDEV_TEST_NAME_SIZE];
	int ret;

	ret = mdev_test_get_word(name, buf, count);
	if (ret)
		return ret;
	mutex_lock(&door->lock);
	ret = parent_add(door, name);
	mutex_unlock(&door->lock);
	return ret ?: count;
}

static const struct file_operations add_parent_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = add_parent_write,
};

static ssize_t del_parent_write(struct file *file, const char __user *buf,
				size_t count, loff_t *ppos)
{
	struct mdev_test_door *door = file->private_data;
	struct mdev_test_parent *p;
	char name[MDEV_TEST_NAME_SIZE];
	int ret;

	ret = mdev_test_get_word(name, buf, count);
	if (ret)
		return ret;
	mutex_lock(&door->lock);
	p = find_parent(door, name);
	if (p)
		parent_del(p);
	mutex_unlock(&door->lock);
	return p ? count : -ENOENT;
}

static const struct file_operations del_parent_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = del_parent_write,
};

int mdev_test_door_open(struct mdev_test_door *door)
{
	INIT_LIST_HEAD(&door->parents);
	mutex_init(&door->lock);
	/* Allocate the class: it may be released after the module is gone. */
	door->class = class_create(door->name);
	if (IS_ERR(door->class))
		return PTR_ERR(door->class);
	door->dir = debugfs_create_dir(door->name, NULL);
	debugfs_create_file("add_parent", 0200, door->dir, door,
			    &add_parent_fops);
	debugfs_create_file("del_parent", 0200, door->dir, door,
			    &del_parent_fops);
	return 0;
}
EXPORT_SYMBOL_GPL(mdev_test_door_open);

/* Unregister all parents, as a vendor's module does on unload. */
void mdev_test_door_close(struct mdev_test_door *door)
{
	struct mdev_test_parent *p, *next;

	list_for_each_entry_safe(p, next, &door->parents, node)
		parent_del(p);
	debugfs_remove(door->dir);
	class_destroy(door->class);
}
EXPORT_SYMBOL_GPL(mdev_test_door_close);
