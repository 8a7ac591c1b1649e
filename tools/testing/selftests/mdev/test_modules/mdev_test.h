/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Test parents, controlled through debugfs.
 *
 * /sys/kernel/debug/mdev_test/ (mdev_test_common.ko, shared by both doors):
 *	log		the event log, one event a line, see common_log.c.
 *			Write anything to clear it.
 *	log_on		0: stop logging, which takes time and memory
 *	held		number of references held on mediated devices.
 *			Write anything to drop them.
 *	held_leading	number of these devices that still point to vendor
 *			memory
 *	held_bus	write anything: hold the mdev bus's kset, too
 *	stall		write a function's name: its next caller stalls at its
 *			entry, until an empty line is written
 *	stalled		1 while a caller stalls
 *
 * /sys/kernel/debug/mdev_test_driver/ (parent-driver door) and
 * /sys/kernel/debug/mdev_test_ops/ (parent-ops door):
 *	add_parent	write a name: add /sys/devices/virtual/<module>/NAME
 *	del_parent	write a name: delete it; unregisters it if necessary
 *	NAME/		that parent:
 *	  register	1: register with the core; 0: unregister. Returns when
 *			the core does, with its errno. Unregistration then
 *			overwrites and frees all vendor memory.
 *	  register_twice   register the same device a second time
 *	  register_bad	   write no_device, no_driver, ...: register with that
 *			   defect. Both undo a registration that succeeds.
 *	  create_error	return value of probe()/create()
 *	  create_error_at  N: fail only the N-th call from now on; 0: each one.
 *			   Every NAME_error below has such a file.
 *	  late_error	return value of probe()/create() after it has done and
 *			undone all its work; on the parent-driver door this
 *			includes registering the vfio_device
 *	  create_block	N: block the next N calls of probe()/create(). Any
 *			write, also of 0, releases those blocked now.
 *	  create_waiting number of blocked calls
 *	  register_block, register_waiting	parent-ops door: likewise for
 *			registering the second type
 *	  late_block, late_waiting	likewise, at the place of late_error
 *	  remove_error	parent-ops door: return value of remove()
 *	  remove_block, remove_waiting	likewise for the vendor's remove()
 *	  open_error	return value of opening the VFIO device
 *	  open_block, open_waiting	likewise
 *	  mmap_error	parent-ops door: return value of mapping the VFIO device
 *	  attr_block, attr_waiting	for readers of a device's vendor/uuid
 *	  type_attr_block, type_attr_waiting	for readers of a type's
 *			available_instances; see get_available
 *	  request_op	1: has a VFIO request op. The parent-ops door reads this
 *			at registration, the other one in probe().
 *	  requests	number of requests sent to the user
 *	  hold		1: probe()/create() takes a reference, see held
 *	  unregister_again	1: unregister, even if this is in progress or
 *			done; frees no memory
 *	  references	number of references on the parent device
 *	  unregister_in	write create (probe() on the parent-driver door),
 *			remove, open, attr (vendor/uuid), type_attr
 *			(available_instances, see get_available): that callback
 *			unregisters the parent and frees its memory, which is
 *			forbidden
 *	  unregister_other	write the name of another parent of this door:
 *			the next create (or probe()) unregisters that one
 *	  registration	parent-driver door: number in the name of the driver of
 *			the last registration, mdev_test_NAME_NUMBER
 *	  driver_first	parent-driver door: unregister the driver before the
 *			parent
 *	 read at registration:
 *	  max_instances	default 16; 0: the vendor declares no limit
 *	  get_available	parent-driver door: return value of that callback;
 *			-1: no such callback
 *	  description	parent-driver door: types have a description
 *	  plain_types	parent-driver door: types have no pretty name
 *	  own_driver	parent-ops door: the ops name the bus driver
 *			mdev_test_ops_other instead of vfio_mdev
 *	  bare		parent-ops door: no optional op
 *	  dma_unmap	parent-ops door: the ops have dma_unmap
 *	  region_op	parent-ops door: the ops have get_region_info
 *	  bind_error, bind_block, bind_waiting	for that driver's probe()
 */
#ifndef _MDEV_TEST_H
#define _MDEV_TEST_H

#include <linux/atomic.h>
#include <linux/device.h>
#include <linux/list.h>
#include <linux/mdev.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

struct dentry;

/* Two types, "1" and "2". */
#define MDEV_TEST_NR_TYPES 2
#define MDEV_TEST_DATA_SIZE 4096
/* Maximum size of a word written to debugfs, with the NUL. */
#define MDEV_TEST_NAME_SIZE 32

/* A point at which the test can block a callback. */
struct mdev_test_gate {
	spinlock_t lock;	/* protects the fields below */
	unsigned int left;	/* number of calls still to block */
	unsigned int waiting;
	unsigned int opened;	/* counts writes to *_block */
	wait_queue_head_t wait;
};

/* An error to return from a callback. */
struct mdev_test_fault {
	atomic_t error;
	atomic_t at;		/* fail only this call; 0: each */
	atomic_t calls;		/* since the last write */
};

/**
 * struct mdev_test_parent - a parent and its settings
 * @vendor: the registration's memory, private to the door. NULL while not
 *	registered.
 * @lock: serialises registration and unregistration.
 */
struct mdev_test_parent {
	struct mdev_test_door *door;
	struct list_head node;
	struct device *dev;
	struct dentry *dir;
	struct mutex lock;	/* protects @vendor */
	void *vendor;
	char unregister_in[MDEV_TEST_NAME_SIZE];
	char unregister_other[MDEV_TEST_NAME_SIZE];

	u32 request_op;
	u32 hold;
	u32 max_instances;
	u32 description;
	u32 plain_types;
	u32 driver_first;
	u32 own_driver;
	u32 bare;
	u32 dma_unmap;
	u32 region_op;
	u32 registration;
	atomic_t get_available;
	atomic_t requests;
	atomic_t instances;	/* devices, on the parent-ops door */
	struct mdev_test_fault create_fault;
	struct mdev_test_fault late_fault;
	struct mdev_test_fault remove_fault;
	struct mdev_test_fault open_fault;
	struct mdev_test_fault mmap_fault;
	struct mdev_test_fault bind_fault;
	struct mdev_test_gate register_gate;
	struct mdev_test_gate create_gate;
	struct mdev_test_gate late_gate;
	struct mdev_test_gate remove_gate;
	struct mdev_test_gate open_gate;
	struct mdev_test_gate bind_gate;
	struct mdev_test_gate attr_gate;
	struct mdev_test_gate type_attr_gate;
};

/**
 * struct mdev_test_door - one of the two ways to the core
 * @name: name of the class, and prefix of the names of the parents' types.
 * @class: class of the parent devices.
 * @vendor_size: size in bytes of a registration's memory.
 * @reg: initialize @vendor and register it with the core. @bad: NULL or the
 *	name of a defect.
 * @unreg: the reverse. The caller then poisons and frees @vendor.
 * @unreg_again: unregister only the parent, which may be unregistered already.
 */
struct mdev_test_door {
	struct module *owner;
	const char *name;
	struct class *class;
	size_t vendor_size;
	int (*reg)(struct mdev_test_parent *p, void *vendor, const char *bad);
	void (*unreg)(struct mdev_test_parent *p, void *vendor);
	void (*unreg_again)(struct mdev_test_parent *p, void *vendor);
	/* used by common_parent.c */
	struct dentry *dir;
	struct list_head parents;
	struct mutex lock;	/* protects @parents */
};

/* common_parent.c */
int mdev_test_door_open(struct mdev_test_door *door);
void mdev_test_door_close(struct mdev_test_door *door);
struct mdev_test_parent *mdev_test_parent_of(struct mdev_device *mdev);
void mdev_test_callback(struct mdev_test_parent *p, const char *name);
int mdev_test_get_word(char word[MDEV_TEST_NAME_SIZE], const char __user *buf,
		       size_t count);

/* common_log.c */
int mdev_test_watch_bus(struct device_driver *drv);
void mdev_test_unwatch_bus(struct device_driver *drv);
struct kset *mdev_test_get_bus(void);
void mdev_test_log(const char *who, const char *what, struct mdev_device *mdev);
extern const struct file_operations mdev_test_log_fops;
extern bool mdev_test_log_on;
void mdev_test_log_free(void);
/* Attribute group of the mediated devices: vendor/uuid. */
extern const struct attribute_group *mdev_test_attr_groups[];

/* common_gate.c */
void mdev_test_gate_init(struct mdev_test_gate *gate, struct dentry *dir,
			 const char *name);
int mdev_test_gate_pass(struct mdev_test_gate *gate);

/* common_fault.c */
void mdev_test_int_file(atomic_t *number, struct dentry *dir, const char *name);
void mdev_test_fault_init(struct mdev_test_fault *fault, struct dentry *dir,
			  const char *name);
int mdev_test_fault(struct mdev_test_fault *fault);

/* common_held.c */
int mdev_test_hold(struct mdev_device *mdev);
void mdev_test_drop_held(void);
extern const struct file_operations mdev_test_held_fops;
extern const struct file_operations mdev_test_held_leading_fops;
extern const struct file_operations mdev_test_held_bus_fops;

/* common_stall.c */
void mdev_test_stall_init(struct dentry *dir);
void mdev_test_stall_exit(void);

/* common_vfio.c */
int mdev_test_vfio_add(struct mdev_test_parent *p, struct mdev_device *mdev);
void mdev_test_vfio_del(struct mdev_device *mdev);

/* common_main.c */
long mdev_test_get_info(unsigned long arg);

#endif /* _MDEV_TEST_H */
