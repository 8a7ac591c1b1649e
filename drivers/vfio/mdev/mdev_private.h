/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the files of mdev.ko and vfio_mdev.ko. */
#ifndef _MDEV_PRIVATE_H
#define _MDEV_PRIVATE_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mdev_parent_ops.h>
#include <linux/rhashtable-types.h>
#include <linux/wait.h>

#include "mdev_guard.h"

struct mdev_core_parent;

/* The core's side of a type. */
struct mdev_core_type {
	struct kobject kobj;		/* the type's directory; frees this */
	struct mdev_core_parent *parent; /* valid until the directory is gone */
	struct mdev_type *vendor;	/* the vendor's or @stand_in; NULL later */
	struct mdev_type stand_in;	/* vendors with parent ops have none */
	struct kobject *devices;	/* the directory "devices" */
	/* The vendor's without its name, which would make it a subdirectory. */
	struct attribute_group vendor_group;
	const struct attribute_group *groups[3];	/* "create" comes last */
};

/*
 * The core's side of a parent. It holds no pointer into vendor memory once the
 * parent has been unregistered.
 */
struct mdev_core_parent {
	struct kref ref;		/* registration, and each device */
	struct list_head node;		/* in the list of parents, by its lock */
	bool registered;		/* may be unregistered; by the same lock */
	bool counted;			/* the core counts available instances */
	bool class_link;		/* it is in /sys/class/mdev_bus */
	struct device *dev;		/* referenced; NULL later */
	struct mdev_parent *vendor;	/* the vendor's or @stand_in; NULL later */
	struct mdev_parent stand_in;	/* vendors with parent ops have none */
	const struct mdev_parent_ops *ops; /* or NULL: the parent-driver door */
	const char *driver_name;	/* a copy: a bus walk sees dead devices */
	struct mdev_guard guard;	/* of the vendor's memory and callbacks */
	wait_queue_head_t wait;		/* for users to leave */
	atomic_t released;		/* vfio_mdev's users that have left */
	const struct attribute_group **dev_groups;	/* of @dev */
	const struct attribute_group **mdev_groups;	/* of each device */
	struct kset *types_kset;	/* "mdev_supported_types" */
	unsigned int nr_types;
	unsigned int nr_visible;	/* types that have their directory */
	struct mdev_core_type *types[];
};

enum mdev_state {
	MDEV_CREATING,		/* not announced; a remove is refused */
	MDEV_LIVE,		/* may be opened and removed */
	MDEV_REMOVING,		/* claimed by one remover, which may give up */
};

/* The users of a device at one moment. */
struct mdev_users {
	unsigned int open;	/* VFIO device files */
	bool busy;		/* an unbind would wait for somebody */
	bool can_request;	/* the bus driver has a request op */
	bool contended;		/* the device lock was held: guess the worst */
};

/* A wait for the users of a claimed device; times in jiffies. */
struct mdev_wait {
	struct mdev_users users;
	unsigned int requests;		/* sent to the users so far */
	unsigned long next_request;
	unsigned long next_log;
	u64 start;			/* in nanoseconds */
};

/* The core's side of a mediated device. References on mdev.dev keep it. */
struct mdev_core_device {
	struct mdev_device mdev;
	struct mdev_core_parent *parent;	/* referenced */
	struct mdev_core_type *type;	/* NULL after the removal */
	void *drvdata;			/* the vendor's, with parent ops */
	struct vfio_device *vdev;	/* while vfio_mdev is bound */
	bool used;			/* vfio_mdev has a user */
	u64 seq;			/* see "mdevseq" */
	atomic_t state;			/* an enum mdev_state */
	struct mdev_wait wait;		/* of whoever has claimed the device */
	struct rhash_head node;		/* in the index of UUIDs */
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
