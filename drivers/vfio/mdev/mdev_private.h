/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of mdev.ko and vfio_mdev.ko share. */
#ifndef _MDEV_PRIVATE_H
#define _MDEV_PRIVATE_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mdev_parent_ops.h>
#include <linux/rhashtable-types.h>
#include <linux/wait.h>

#include "mdev_guard.h"

struct mdev_core_parent;

/**
 * struct mdev_core_type - the core's side of a type
 * @kobj: its directory below ``mdev_supported_types``; frees the struct.
 * @parent: valid until the directory is gone.
 * @vendor: the vendor's type or @stand_in. Don't touch it after unregistration.
 * @stand_in: on the parent-ops door, where the vendor has no such struct.
 * @devices: the ``devices`` directory.
 * @vendor_group: the vendor's attributes, without the name of the type, which
 *	would make them a subdirectory.
 * @groups: the groups of the directory, ``create`` last.
 */
struct mdev_core_type {
	struct kobject kobj;
	struct mdev_core_parent *parent;
	struct mdev_type *vendor;
	struct mdev_type stand_in;
	struct kobject *devices;
	struct attribute_group vendor_group;
	const struct attribute_group *groups[3];
};

/**
 * struct mdev_core_parent - the core's side of a parent
 * @ref: one for the registration, and one for each device, dead ones included.
 * @node: in the list of parents, under its lock.
 * @registered: may be unregistered; under the list's lock.
 * @dev: the parent device, referenced; NULL after unregistration.
 * @vendor: the vendor's parent or @stand_in; NULL after unregistration.
 * @stand_in: on the parent-ops door, where the vendor has no such struct.
 * @ops: the callbacks of the parent-ops door; NULL on the other, and after
 *	unregistration.
 * @driver_name: the bus driver that its devices bind to. A copy, because a bus
 *	walk may look at a dead device.
 * @counted: the core counts instances in @vendor->available_instances.
 * @class_link: the link in /sys/class/mdev_bus exists.
 * @guard: guards the vendor's memory and callbacks.
 * @wait: where removes and unregistration wait for users.
 * @released: counts how often vfio_mdev's last user of a device has left, which
 *	wakes @wait.
 * @dev_groups: the vendor's attributes of the parent device.
 * @mdev_groups: the vendor's attributes of each device.
 * @types_kset: the ``mdev_supported_types`` directory.
 * @nr_types: how many types there are.
 * @nr_visible: how many of them have their directory.
 * @types: the types.
 *
 * Holds no pointer into vendor memory after unregistration.
 */
struct mdev_core_parent {
	struct kref ref;
	struct list_head node;
	bool registered;
	struct device *dev;
	struct mdev_parent *vendor;
	struct mdev_parent stand_in;
	const struct mdev_parent_ops *ops;
	const char *driver_name;
	bool counted;
	bool class_link;
	struct mdev_guard guard;
	wait_queue_head_t wait;
	atomic_t released;
	const struct attribute_group **dev_groups;
	const struct attribute_group **mdev_groups;
	struct kset *types_kset;
	unsigned int nr_types;
	unsigned int nr_visible;
	struct mdev_core_type *types[];
};

/**
 * enum mdev_state - the state of a mediated device
 * @MDEV_CREATING: not announced; a remove is refused.
 * @MDEV_LIVE: may be opened and removed.
 * @MDEV_REMOVING: claimed by one remover, which may give up: back to live.
 */
enum mdev_state {
	MDEV_CREATING,
	MDEV_LIVE,
	MDEV_REMOVING,
};

/**
 * struct mdev_users - who uses a mediated device, at one moment
 * @open: open VFIO device files.
 * @busy: unbinding the bus driver would wait for somebody.
 * @can_request: the bus driver has a request op.
 * @contended: the device lock is held, so the rest is a guess at the worst.
 */
struct mdev_users {
	unsigned int open;
	bool busy;
	bool can_request;
	bool contended;
};

/**
 * struct mdev_wait - a wait for the users of a claimed device
 * @users: as last seen.
 * @requests: how often they have been asked to release the device.
 * @next_request: when to ask again, in jiffies.
 * @next_log: when to log the wait, in jiffies.
 * @start: when the wait began, in nanoseconds.
 */
struct mdev_wait {
	struct mdev_users users;
	unsigned int requests;
	unsigned long next_request;
	unsigned long next_log;
	u64 start;
};

/**
 * struct mdev_core_device - the core's side of a mediated device
 * @mdev: what vendors see; the references on its device keep the whole.
 * @parent: referenced.
 * @type: NULL after the removal.
 * @drvdata: the vendor's, on the parent-ops door. The driver core's drvdata
 *	belongs to the bus driver.
 * @vdev: the vfio_device while vfio_mdev is bound.
 * @used: vfio_mdev has a user.
 * @seq: see ``mdevseq``.
 * @state: an enum mdev_state; changed by compare and exchange.
 * @wait: belongs to whoever has claimed the device.
 * @node: in the index of UUIDs.
 */
struct mdev_core_device {
	struct mdev_device mdev;
	struct mdev_core_parent *parent;
	struct mdev_core_type *type;
	void *drvdata;
	struct vfio_device *vdev;
	bool used;
	u64 seq;
	atomic_t state;
	struct mdev_wait wait;
	struct rhash_head node;
};

static inline struct mdev_core_device *to_core_device(struct mdev_device *mdev)
{
	return container_of(mdev, struct mdev_core_device, mdev);
}

static inline struct mdev_core_device *dev_to_core_device(struct device *dev)
{
	return to_core_device(to_mdev_device(dev));
}

static inline enum mdev_state mdev_state(struct mdev_core_device *md)
{
	return atomic_read(&md->state);
}

/* mdev_core.c */
extern struct class_compat *mdev_bus_class;

/* mdev_index.c */
int mdev_index_init(void);
void mdev_index_exit(void);
int mdev_index_claim(struct mdev_core_device *md);
void mdev_index_release(struct mdev_core_device *md);

/* mdev_driver.c */
extern struct bus_type mdev_bus_type;
int mdev_bind_driver(struct mdev_core_device *md);

/* mdev_parent.c */
struct mdev_core_parent *mdev_parent_alloc(struct device *dev,
					   struct mdev_parent *vendor,
					   const char *driver_name,
					   unsigned int nr_types);
void mdev_parent_put(struct mdev_core_parent *parent);
int mdev_parent_register(struct mdev_core_parent *parent);

/* mdev_parent_ops.c */
int mdev_ops_create(struct mdev_core_device *md);
void mdev_ops_remove(struct mdev_core_device *md);

/* mdev_device.c */
int mdev_device_create(struct mdev_core_type *type, const guid_t *uuid);
int mdev_device_remove(struct mdev_core_device *md,
		       struct device_attribute *attr);
void mdev_devices_evict(struct mdev_core_parent *parent);

/* mdev_sysfs.c */
extern const struct attribute_group *mdev_device_groups[];
struct mdev_core_type *mdev_type_alloc(struct mdev_core_parent *parent);
int mdev_types_create(struct mdev_core_parent *parent);
void mdev_types_remove(struct mdev_core_parent *parent);
int mdev_links_create(struct mdev_core_device *md);
void mdev_links_remove(struct mdev_core_device *md);

/* mdev_users.c */
unsigned int mdev_open_count(struct mdev_core_device *md);
void mdev_get_users(struct mdev_core_device *md, struct mdev_users *users,
		    bool request, unsigned int count);

#endif /* _MDEV_PRIVATE_H */
