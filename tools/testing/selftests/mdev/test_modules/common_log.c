// SPDX-License-Identifier: GPL-2.0-only
/*
 * The event log: the vendor's callbacks and the driver core's notifications, in
 * order, each with what was visible in sysfs at that moment:
 *
 *	WHO WHAT NAME key=0|1 ...
 *
 * vendor create, created, remove, removed: entry of the parent's callback, and
 *	its return (probe and remove of its bus driver on the parent-driver
 *	door)
 * vendor undone: return of a create that failed at its last step
 * vendor open, close, request: VFIO's callbacks
 * other probe, remove: the bus driver mdev_test_ops_other
 * bus add, binding, bound, not_bound, unbinding, unbound, del, removed:
 *	the driver core's notifications
 *
 * registered	the device is in sysfs
 * linked	it has its mdev_type link
 * listed	<type>/devices/NAME is there
 * remove	it has its remove file
 * attrs	it has the vendor's attribute
 * group	it has its iommu_group link
 * bound	it has a driver
 * valid	name, UUID, type and parent are correct
 */
#include <linux/debugfs.h>
#include <linux/kernfs.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "mdev_test.h"

struct event {
	struct list_head node;
	char text[176];
};

static LIST_HEAD(events);
/* Protects the list of events. */
static DEFINE_MUTEX(events_lock);

static ssize_t uuid_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	struct mdev_device *mdev = to_mdev_device(dev);
	struct mdev_test_parent *p = mdev_test_parent_of(mdev);
	int ret = mdev_test_gate_pass(&p->attr_gate);

	mdev_test_callback(p, "attr");
	return ret ?: sysfs_emit(buf, "%pUl\n", &mdev->uuid);
}
static DEVICE_ATTR_RO(uuid);

static struct attribute *mdev_test_attrs[] = {
	&dev_attr_uuid.attr,
	NULL,
};

static const struct attribute_group mdev_test_attr_group = {
	.name = "vendor",
	.attrs = mdev_test_attrs,
};

const struct attribute_group *mdev_test_attr_groups[] = {
	&mdev_test_attr_group,
	NULL,
};
EXPORT_SYMBOL_GPL(mdev_test_attr_groups);

/* Does @path, a NULL-terminated list of names, exist below @dir? */
static bool sysfs_has(struct kernfs_node *dir, const char *const *path)
{
	struct kernfs_node *kn = dir, *next;

	kernfs_get(kn);
	for (; kn && *path; path++) {
		next = kernfs_find_and_get(kn, *path);
		kernfs_put(kn);
		kn = next;
	}
	kernfs_put(kn);
	return kn;
}

static bool dev_has(struct device *dev, const char *name, const char *below)
{
	const char *const path[] = { name, below, NULL };

	return dev->kobj.sd && sysfs_has(dev->kobj.sd, path);
}

/* Is the device listed in devices/ of one of the types? */
static bool dev_listed(struct device *dev)
{
	struct device *parent = dev->parent;
	char type[64];
	const char *const path[] = {
		"mdev_supported_types", type, "devices", dev_name(dev), NULL
	};
	int i;

	if (!parent->kobj.sd)
		return false;
	for (i = 1; i <= MDEV_TEST_NR_TYPES; i++) {
		snprintf(type, sizeof(type), "%s-%d",
			 dev_driver_string(parent), i);
		if (sysfs_has(parent->kobj.sd, path))
			return true;
	}
	return false;
}

static bool mdev_valid(struct mdev_device *mdev)
{
	char uuid[UUID_STRING_LEN + 1];

	snprintf(uuid, sizeof(uuid), "%pUl", &mdev->uuid);
	return mdev->type && mdev_test_parent_of(mdev) &&
	       !strcmp(uuid, dev_name(&mdev->dev));
}

bool mdev_test_log_on = true;

void mdev_test_log(const char *who, const char *what, struct mdev_device *mdev)
{
	struct device *dev = &mdev->dev;
	struct event *event;

	if (!READ_ONCE(mdev_test_log_on))
		return;
	event = kmalloc_obj(*event);
	if (!event)
		return;
	snprintf(event->text, sizeof(event->text),
		 "%s %s %s registered=%d linked=%d listed=%d remove=%d attrs=%d group=%d bound=%d valid=%d\n",
		 who, what, dev_name(dev), device_is_registered(dev),
		 dev_has(dev, "mdev_type", NULL), dev_listed(dev),
		 dev_has(dev, "remove", NULL), dev_has(dev, "vendor", "uuid"),
		 dev_has(dev, "iommu_group", NULL), !!dev->driver,
		 mdev_valid(mdev));
	mutex_lock(&events_lock);
	list_add_tail(&event->node, &events);
	mutex_unlock(&events_lock);
}
EXPORT_SYMBOL_GPL(mdev_test_log);

static const char *bus_event_name(unsigned long action)
{
	switch (action) {
	case BUS_NOTIFY_ADD_DEVICE:
		return "add";
	case BUS_NOTIFY_BIND_DRIVER:
		return "binding";
	case BUS_NOTIFY_BOUND_DRIVER:
		return "bound";
	case BUS_NOTIFY_DRIVER_NOT_BOUND:
		return "not_bound";
	case BUS_NOTIFY_UNBIND_DRIVER:
		return "unbinding";
	case BUS_NOTIFY_UNBOUND_DRIVER:
		return "unbound";
	case BUS_NOTIFY_DEL_DEVICE:
		return "del";
	case BUS_NOTIFY_REMOVED_DEVICE:
		return "removed";
	}
	return NULL;
}

static int bus_event(struct notifier_block *nb, unsigned long action,
		     void *data)
{
	struct mdev_device *mdev = to_mdev_device(data);
	const char *name = bus_event_name(action);

	/* Ignore the devices of other vendors. */
	if (name && mdev_test_parent_of(mdev))
		mdev_test_log("bus", name, mdev);
	return NOTIFY_DONE;
}

static struct notifier_block bus_nb = {
	.notifier_call = bus_event,
};

static unsigned int bus_watchers;
static const struct bus_type *bus_watched;
/* Protects the two variables above. The notifier takes only events_lock. */
static DEFINE_MUTEX(bus_lock);

/* The mdev bus is not exported, so take it from a registered driver. */
int mdev_test_watch_bus(struct device_driver *drv)
{
	int ret = 0;

	mutex_lock(&bus_lock);
	if (!bus_watchers)
		ret = bus_register_notifier(drv->bus, &bus_nb);
	if (!ret) {
		bus_watchers++;
		bus_watched = drv->bus;
	}
	mutex_unlock(&bus_lock);
	return ret;
}
EXPORT_SYMBOL_GPL(mdev_test_watch_bus);

void mdev_test_unwatch_bus(struct device_driver *drv)
{
	mutex_lock(&bus_lock);
	if (!--bus_watchers)
		bus_unregister_notifier(drv->bus, &bus_nb);
	mutex_unlock(&bus_lock);
}
EXPORT_SYMBOL_GPL(mdev_test_unwatch_bus);

/* Take a reference on the bus. NULL if no door's module is loaded. */
struct kset *mdev_test_get_bus(void)
{
	struct kset *bus = NULL;

	mutex_lock(&bus_lock);
	/* The pointer is not const before Linux 6.4. */
	if (bus_watchers)
		bus = kset_get(bus_get_kset((void *)bus_watched));
	mutex_unlock(&bus_lock);
	return bus;
}

static int log_show(struct seq_file *seq, void *unused)
{
	struct event *event;

	mutex_lock(&events_lock);
	list_for_each_entry(event, &events, node)
		seq_puts(seq, event->text);
	mutex_unlock(&events_lock);
	return 0;
}

void mdev_test_log_free(void)
{
	struct event *event, *next;

	mutex_lock(&events_lock);
	list_for_each_entry_safe(event, next, &events, node) {
		list_del(&event->node);
		kfree(event);
	}
	mutex_unlock(&events_lock);
}

static int log_open(struct inode *inode, struct file *file)
{
	return single_open(file, log_show, NULL);
}

static ssize_t log_write(struct file *file, const char __user *buf,
			 size_t count, loff_t *ppos)
{
	mdev_test_log_free();
	return count;
}

const struct file_operations mdev_test_log_fops = {
	.owner = THIS_MODULE,
	.open = log_open,
	.read = seq_read,
	.write = log_write,
	.llseek = seq_lseek,
	.release = single_release,
};
