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
 * @vendor: the vendor's type, or @stand_in. Not to be touched after the parent has
 *	been unregistered.
 * @stand_in: for a vendor on the parent-ops door, which has no such struct.
 * @devices: the ``devices`` directory.
 * @vendor_group: the vendor's attributes, without the name that would make
 *	them a subdirectory.
 * @groups: what the directory holds, ``create`` last.
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
 * @ref: one for the registration, one for each mediated device, dead ones
 *	included.
 * @node: in the list of registered parents, under its lock.
 * @registered: it may be unregistered; under the list's lock.
 * @dev: the parent device, referenced until unregistration ends, then NULL.
 * @vendor: the vendor's parent, or @stand_in; NULL after unregistration.
 * @stand_in: for a vendor on the parent-ops door, which has no such struct.
 * @ops: the parent-ops door's callbacks; NULL on the parent-driver door.
 * @driver_name: the bus driver its devices bind to. A copy, because a bus walk
 *	may look at a dead device.
 * @counted: the core counts instances in @parent->available_instances.
 * @guard: see mdev_guard.h; guards the vendor's memory and callbacks.
 * @wait: where removes and unregistration wait for users.
 * @released: how often a device has been released by its last user, as far as
 *	vfio_mdev lets users in; wakes @wait.
 * @mdev_groups: attributes of each device, the core's group first.
 * @types_kset: the ``mdev_supported_types`` directory.
 * @types: one for each type.
 * @nr_types: how many there are.
 * @nr_visible: how many of them have their directory.
 * @class_link: the link in /sys/class/mdev_bus exists.
 *
 * Ownership: the registration allocates it and mdev_parent_put() frees it with
 * the last reference. It holds no pointer into vendor memory once unregistered.
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
	const struct attribute_group **mdev_groups;
	struct kset *types_kset;
	struct mdev_core_type **types;
	unsigned int nr_types;
	unsigned int nr_visible;
};

/**
 * enum mdev_state - where a mediated device stands
 * @MDEV_CREATING: not announced; a remove is refused.
 * @MDEV_LIVE: may be opened and removed.
 * @MDEV_REMOVING: one remover has claimed it. It may fall back to live.
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
 * @contended: somebody holds the device lock, so nothing of this is known, and
 *	the worst is assumed.
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
 * @next_request: when to ask them again, in jiffies.
 * @next_log: when to log what is waited for, in jiffies.
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
 * @mdev: what vendors see; its struct device's references keep the whole.
 * @parent: holds a reference.
 * @type: valid until mdev_device_put().
 * @drvdata: the vendor's, on the parent-ops door. Not the driver core's
 *	drvdata, which belongs to the bus driver and ends with the binding.
 * @vdev: the vfio_device while vfio_mdev is bound.
 * @used: vfio_mdev has let a user in, who has not closed the last file yet.
 * @seq: see ``mdevseq``.
 * @state: an enum mdev_state; changes by compare and exchange.
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
					   const struct attribute_group **groups,
					   unsigned int nr_types);
void mdev_parent_put(struct mdev_core_parent *parent);
int mdev_parent_register(struct mdev_core_parent *parent);

/* mdev_parent_ops.c */
int mdev_ops_create(struct mdev_core_device *md);
void mdev_ops_remove(struct mdev_core_device *md);

/* mdev_device.c */
int mdev_device_create(struct mdev_core_type *type, const guid_t *uuid);
void mdev_create_refused(struct mdev_core_type *type, const char *reason,
			 int error);
int mdev_device_remove(struct mdev_core_device *md,
		       struct device_attribute *attr);
void mdev_devices_evict(struct mdev_core_parent *parent);

/* mdev_sysfs.c */
extern const struct attribute_group mdev_device_group;
struct mdev_core_type *mdev_type_alloc(struct mdev_core_parent *parent);
int mdev_types_create(struct mdev_core_parent *parent);
void mdev_types_remove(struct mdev_core_parent *parent);
int mdev_links_create(struct mdev_core_device *md);
void mdev_links_remove(struct mdev_core_device *md);

/* mdev_users.c */
unsigned int mdev_open_count(struct mdev_core_device *md);
void mdev_get_users(struct mdev_core_device *md, struct mdev_users *users);
bool mdev_request_users(struct mdev_core_device *md, unsigned int count);

/* for vfio_mdev.ko */
const struct mdev_parent_ops *mdev_get_parent_ops(struct mdev_device *mdev);
bool mdev_open_allowed(struct mdev_device *mdev);
int mdev_begin_use(struct mdev_device *mdev);
void mdev_end_use(struct mdev_device *mdev);
void mdev_set_vfio_device(struct mdev_device *mdev, struct vfio_device *vdev);

#endif /* _MDEV_PRIVATE_H */
