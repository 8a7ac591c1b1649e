/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mediated devices, the parent-ops door: a vendor driver registers a table of
 * callbacks. create() runs before the device is visible.
 *
 * Names and signatures are those of Linux 5.2, so that drivers for Linux 5.1 to 5.12
 * build against this header. Members that 5.2 doesn't have are at the end of struct
 * mdev_parent_ops and are optional.
 */
#ifndef _LINUX_MDEV_PARENT_OPS_H
#define _LINUX_MDEV_PARENT_OPS_H

#include <linux/device.h>
#include <linux/mdev.h>
#include <linux/sysfs.h>
#include <linux/uuid.h>

struct module;
struct vfio_device;
struct vfio_info_cap;
struct vfio_region_info;
struct vm_area_struct;

/**
 * struct mdev_parent_ops - what a vendor driver does for its mediated devices
 * @owner: the module that holds these callbacks. vfio_mdev holds a reference
 *	on it while a device is open, so that unloading it fails with "in use".
 *	NULL: the module can be unloaded at any time, and
 *	mdev_unregister_device() then waits for the users.
 * @dev_attr_groups: attributes of the parent device; optional.
 * @mdev_attr_groups: attributes of each mediated device; optional. They exist
 *	before the *add* event and until the device has left the bus.
 * @supported_type_groups: the types, one group each, NULL-terminated. The
 *	group's name becomes the last part of the type's directory name. Define
 *	its attributes by MDEV_TYPE_ATTR_RO() and friends. mandatory.
 * @create: allocate the vendor's state of a mediated device. Its name, UUID, type
 *	and parent are valid; nobody can open it yet. @kobj is the type's
 *	directory. Returns 0 or a negative errno, which the writer of ``create``
 *	gets. mandatory.
 * @remove: undo @create. The device has left the bus and has no users. Cannot
 *	refuse: an error is only logged. mandatory.
 * @open: the first user opens the VFIO device. Returns 0 or a negative errno,
 *	which the opener gets; optional.
 * @release: the last user has closed the VFIO device; optional.
 * @read: read(2) on the VFIO device at *@ppos; optional.
 * @write: write(2) on the VFIO device at *@ppos; optional.
 * @ioctl: a VFIO_DEVICE_* request, @arg as user space passed it; optional.
 * @mmap: map a region of the VFIO device; optional.
 * @request: ask the user to release the device, without waiting for it. @count
 *	starts at 0 for each waiting caller and grows with each request. Called
 *	in process context under the device lock. Without @request, a remove of an
 *	open device fails. optional.
 * @dma_unmap: the user has unmapped @length bytes of IOVA space at @iova: unpin
 *	what vfio_pin_pages() has pinned there. Pinning needs this callback;
 *	optional.
 * @get_region_info: answer VFIO_DEVICE_GET_REGION_INFO in kernel memory: @info has
 *	the @index that the user asks for; fill in flags, size and offset, and add
 *	capabilities by vfio_info_add_capability(). VFIO copies the answer out.
 *	Returns 0 or a negative errno. Without it @ioctl gets the request;
 *	optional.
 * @device_driver: the bus driver that the devices bind to, registered with
 *	mdev_register_driver(); NULL means vfio_mdev. optional.
 *
 * All callbacks run in process context and may sleep. @create and @remove of
 * different devices run in parallel. mdev_unregister_device() waits for callbacks,
 * those of attributes included. So they must neither call it for their own parent
 * nor take a lock that is held around the call.
 */
struct mdev_parent_ops {
	struct module *owner;
	const struct attribute_group **dev_attr_groups;
	const struct attribute_group **mdev_attr_groups;
	struct attribute_group **supported_type_groups;

	int (*create)(struct kobject *kobj, struct mdev_device *mdev);
	int (*remove)(struct mdev_device *mdev);
	int (*open)(struct mdev_device *mdev);
	void (*release)(struct mdev_device *mdev);
	ssize_t (*read)(struct mdev_device *mdev, char __user *buf,
			size_t count, loff_t *ppos);
	ssize_t (*write)(struct mdev_device *mdev, const char __user *buf,
			 size_t count, loff_t *ppos);
	long (*ioctl)(struct mdev_device *mdev, unsigned int cmd,
		      unsigned long arg);
	int (*mmap)(struct mdev_device *mdev, struct vm_area_struct *vma);

	/* Not in Linux 5.2. */
	void (*request)(struct mdev_device *mdev, unsigned int count);
	void (*dma_unmap)(struct mdev_device *mdev, u64 iova, u64 length);
	struct mdev_driver *device_driver;
	int (*get_region_info)(struct mdev_device *mdev,
			       struct vfio_region_info *info,
			       struct vfio_info_cap *caps);
};

/**
 * struct mdev_type_attribute - an attribute of a type's directory
 * @attr: name and mode.
 * @show: format the value into @buf, one page long. @kobj is the type's
 *	directory, @dev the parent device.
 * @store: take @count bytes of @buf, which ends in a NUL beyond them.
 */
struct mdev_type_attribute {
	struct attribute attr;
	ssize_t (*show)(struct kobject *kobj, struct device *dev, char *buf);
	ssize_t (*store)(struct kobject *kobj, struct device *dev,
			 const char *buf, size_t count);
};

#define MDEV_TYPE_ATTR(_name, _mode, _show, _store)		\
struct mdev_type_attribute mdev_type_attr_##_name =		\
	__ATTR(_name, _mode, _show, _store)
#define MDEV_TYPE_ATTR_RW(_name) \
	struct mdev_type_attribute mdev_type_attr_##_name = __ATTR_RW(_name)
#define MDEV_TYPE_ATTR_RO(_name) \
	struct mdev_type_attribute mdev_type_attr_##_name = __ATTR_RO(_name)
#define MDEV_TYPE_ATTR_WO(_name) \
	struct mdev_type_attribute mdev_type_attr_##_name = __ATTR_WO(_name)

int mdev_register_device(struct device *dev, const struct mdev_parent_ops *ops);
void mdev_unregister_device(struct device *dev);

void *mdev_get_drvdata(struct mdev_device *mdev);
void mdev_set_drvdata(struct mdev_device *mdev, void *data);
const guid_t *mdev_uuid(struct mdev_device *mdev);
struct device *mdev_parent_dev(struct mdev_device *mdev);
struct mdev_device *mdev_from_dev(struct device *dev);
struct vfio_device *mdev_vfio_device(struct mdev_device *mdev);

#endif /* _LINUX_MDEV_PARENT_OPS_H */
