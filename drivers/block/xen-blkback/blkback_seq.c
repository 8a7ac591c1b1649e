// SPDX-License-Identifier: GPL-2.0-only
/*
 * xen-blkback that checks which disk it opens, and tells when it has.
 *
 * The kernel's own xenbus.c is compiled here as it is, with six of the functions that it
 * calls replaced. stock.sh makes sure that each is called where we expect it:
 *
 *	xenbus_register_backend		to have our probe called before the kernel's
 *	xenbus_watch_pathfmt		to read "physical-device" before the kernel does
 *	xenbus_scanf			to hand it the numbers that were read
 *	the open of the disk		to compare the sequence number of what is open
 *	sysfs_create_group		the last step before the frontend is connected
 *	xenbus_dev_fatal		to tell the real cause
 *
 * See Documentation/ABI/testing/xen-blkback-diskseq for what user space sees.
 */
#define pr_fmt(fmt) "xen-blkback: " fmt

#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <xen/blkback_open.h>
#include <xen/xenbus.h>

#include "seq_parse.h"

/**
 * struct seq_vbd - what we know of a back-end device, besides the kernel's backend_info
 * @seq: the sequence number of the disk that is open, or 0 before that
 * @refused: the last attempt has failed
 *
 * A resource of the device: it ends with the driver's binding to it.
 */
struct seq_vbd {
	u64 seq;
	bool refused;
};

/**
 * struct seq_attach - an attempt to open the disk that "physical-device" names
 * @task: the only one that this concerns
 * @dev: the back-end device
 * @value: of the node
 * @disk: what it says
 * @fields: how many numbers the kernel would have found in it, or an error
 * @seq: the sequence number of the disk that was opened
 * @error: what went wrong
 * @reason: the same in words
 */
struct seq_attach {
	struct task_struct *task;
	struct xenbus_device *dev;
	const char *value;
	struct seq_disk disk;
	int fields;
	u64 seq;
	int error;
	char reason[64];
};

/* There is only one at a time: a single task calls what watches xenstore. */
static struct seq_attach attach;

static bool is_attaching(void)
{
	return READ_ONCE(attach.task) == current;
}

/* Returns the error. */
static __printf(2, 3) int seq_fail(int error, const char *reason, ...)
{
	va_list args;

	va_start(args, reason);
	vsnprintf(attach.reason, sizeof(attach.reason), reason, args);
	va_end(args);
	attach.error = error;
	return error;
}

static int seq_opened(struct gendisk *disk, int error)
{
	if (error)
		return seq_fail(error, "cannot be opened");
	if (attach.disk.seq && attach.disk.seq != disk->diskseq)
		return seq_fail(-ENODEV, "the disk has number %llx now", disk->diskseq);
	attach.seq = disk->diskseq;
	return 0;
}

/* Returns what xenbus_scanf() returns, or 0 if the kernel is to scan. */
static int seq_scan(const char *node, ...)
{
	va_list args;

	if (!is_attaching() || strcmp(node, "physical-device"))
		return 0;
	va_start(args, node);
	*va_arg(args, unsigned int *) = attach.disk.major;
	*va_arg(args, unsigned int *) = attach.disk.minor;
	va_end(args);
	return attach.fields;
}

static void seq_release(struct device *dev, void *vbd)
{
}

static struct seq_vbd *seq_vbd_of(struct device *dev)
{
	return devres_find(dev, seq_release, NULL, NULL);
}

/* The disk is open, and nothing is left that can fail. */
static int seq_create_group(struct kobject *kobj, const struct attribute_group *group)
{
	int error = sysfs_create_group(kobj, group);
	struct seq_vbd *vbd;

	if (error)
		return seq_fail(error, "cannot be shown in sysfs");
	vbd = seq_vbd_of(&attach.dev->dev);
	WRITE_ONCE(vbd->seq, attach.seq);
	error = xenbus_write(XBT_NIL, attach.dev->nodename, "opened", "1");
	if (error) {
		WRITE_ONCE(vbd->seq, 0);
		return seq_fail(error, "\"opened\" cannot be written");
	}
	return 0;
}

static ssize_t diskseq_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	u64 seq = READ_ONCE(seq_vbd_of(dev)->seq);

	return seq ? sysfs_emit(buf, "%llu\n", seq) : -ENODATA;
}
static DEVICE_ATTR_RO(diskseq);

static struct attribute *seq_attrs[] = {
	&dev_attr_diskseq.attr,
	NULL
};

static const struct attribute_group seq_group = { .attrs = seq_attrs };

static int (*stock_probe)(struct xenbus_device *dev, const struct xenbus_device_id *id);

static int seq_probe(struct xenbus_device *dev, const struct xenbus_device_id *id)
{
	struct seq_vbd *vbd = devres_alloc(seq_release, sizeof(*vbd), GFP_KERNEL);
	int error;

	if (!vbd) {
		xenbus_dev_fatal(dev, -ENOMEM, "allocating the record of a disk");
		return -ENOMEM;
	}
	devres_add(&dev->dev, vbd);
	/* The driver core would add it after the disk may have been opened. */
	error = devm_device_add_group(&dev->dev, &seq_group);
	if (error) {
		xenbus_dev_fatal(dev, error, "adding diskseq to sysfs");
		return error;
	}
	/* A toolstack that sees the state InitWait must find "opened" there. */
	error = xenbus_write(XBT_NIL, dev->nodename, "opened", "0");
	if (error) {
		xenbus_dev_fatal(dev, error, "writing opened");
		return error;
	}
	return stock_probe(dev, id);
}

static int seq_register(struct xenbus_driver *driver)
{
	stock_probe = driver->probe;
	driver->probe = seq_probe;
	return xenbus_register_backend(driver);
}

static void (*stock_changed)(struct xenbus_watch *watch, const char *path,
			     const char *token);
static void seq_changed(struct xenbus_watch *watch, const char *path, const char *token);

/* From here on names mean the functions above; those in the macros mean the kernel's. */
#undef xenbus_register_backend
#define xenbus_register_backend	seq_register
#define sysfs_create_group	seq_create_group
#define xenbus_watch_pathfmt(dev, watch, will_handle, callback, ...) \
	(stock_changed = (callback), \
	 xenbus_watch_pathfmt(dev, watch, will_handle, seq_changed, __VA_ARGS__))
#define xenbus_scanf(transaction, dir, node, format, ...) \
	(seq_scan(node, __VA_ARGS__) ?: \
	 xenbus_scanf(transaction, dir, node, format, __VA_ARGS__))
#define xenbus_dev_fatal(xdev, why, ...) \
	(is_attaching() && attach.error ? \
	 xenbus_dev_fatal(attach.dev, attach.error, "physical-device %s: %s", \
			  attach.value, attach.reason) : \
	 xenbus_dev_fatal(xdev, why, __VA_ARGS__))

#include "stock/xenbus.c"

/* Parse both nodes into attach.disk and attach.fields. Returns 0 or an error. */
static int parse(const char *value, size_t len, const char *number, size_t number_len)
{
	u64 seq;
	int error;

	if (strnchr(value, len, '@')) {
		error = seq_parse_disk(value, len, &attach.disk);
		if (error)
			return seq_fail(error, "not diskseq@major:minor");
		attach.fields = 2;
	} else {
		attach.fields = sscanf(value, "%x:%x", &attach.disk.major,
				       &attach.disk.minor);
		if (attach.fields != 2)
			return seq_fail(-EINVAL, "not major:minor");
	}
	if (!number)
		return 0;
	error = seq_parse_number(number, number_len, &seq);
	if (error)
		return seq_fail(error, "\"diskseq\" is not a sequence number");
	if (attach.disk.seq && attach.disk.seq != seq)
		return seq_fail(-EINVAL, "\"diskseq\" has another number");
	attach.disk.seq = seq;
	return 0;
}

/* Reads both nodes, as they were at one time. One that does not exist is NULL. */
static int read_nodes(struct xenbus_device *dev, char **value, unsigned int *len,
		      char **number, unsigned int *number_len)
{
	struct xenbus_transaction t;
	int error;

	error = xenbus_transaction_start(&t);
	if (error)
		return error;
	*value = xenbus_read(t, dev->nodename, "physical-device", len);
	*number = xenbus_read(t, dev->nodename, "diskseq", number_len);
	/* It has changed nothing. */
	xenbus_transaction_end(t, 1);
	error = PTR_ERR_OR_ZERO(*value) ?: PTR_ERR_OR_ZERO(*number);
	if (IS_ERR(*value))
		*value = NULL;
	if (IS_ERR(*number))
		*number = NULL;
	return XENBUS_EXIST_ERR(error) ? 0 : error;
}

/* "physical-device" may have changed. Calls the kernel's function if that is for it. */
static void seq_changed(struct xenbus_watch *watch, const char *path, const char *token)
{
	struct backend_info *be = container_of(watch, struct backend_info, backend_watch);
	struct xenbus_device *dev = be->dev;
	struct seq_vbd *vbd = seq_vbd_of(&dev->dev);
	unsigned int len, number_len;
	char *value = NULL, *number = NULL;
	int error;

	error = read_nodes(dev, &value, &len, &number, &number_len);
	if (error) {
		xenbus_dev_fatal(dev, error, "reading physical-device");
		goto free;
	}
	if (!value)
		goto free;
	/* A watch fires once more than there are changes. Don't refuse a disk twice. */
	if (vbd->refused && dev->state >= XenbusStateClosing)
		goto free;
	attach = (struct seq_attach) { .task = current, .dev = dev, .value = value };
	error = parse(value, len, number, number_len);
	if (vbd->seq && (error || (attach.disk.seq && attach.disk.seq != vbd->seq)))
		dev_warn(&dev->dev, "a disk is open; ignoring physical-device %s\n", value);
	else if (error)
		xenbus_dev_fatal(dev, error, "reading physical-device");
	else
		stock_changed(watch, path, token);
	vbd->refused = !vbd->seq;
	WRITE_ONCE(attach.task, NULL);
free:
	kfree(value);
	kfree(number);
}

static int seq_set_parameter(const char *value, const struct kernel_param *parameter)
{
	return -EPERM;
}

/* The kernel's own module has no version. DKMS would not replace it without one. */
#define SEQ_VERSION "1.0.0"
MODULE_VERSION(SEQ_VERSION);

static bool diskseq = true;
static const struct kernel_param_ops seq_parameter = {
	.set = seq_set_parameter,
	.get = param_get_bool,
};
module_param_cb(diskseq, &seq_parameter, &diskseq, 0444);
MODULE_PARM_DESC(diskseq, "physical-device may be diskseq@major:minor");
