/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Test parents, steered through debugfs.
 *
 * /sys/kernel/debug/mdev_test/ (mdev_test_common.ko, shared by both doors):
 *	log		what happened, one event a line, see common_log.c.
 *			Write anything: forget all.
 *	log_on		0: note nothing any more; it takes time and memory
 *	held		how many references on mediated devices are held.
 *			Write anything: drop all.
 *	held_leading	how many of these lead to something of the vendor's
 *	held_bus	write anything: hold the mdev bus's kset, too
 *	stall		write the name of a function: its next caller stalls at
 *			its entry, until an empty line is written
 *	stalled		1 while a caller does
 *
 * /sys/kernel/debug/mdev_test_driver/ (parent-driver door) and
 * /sys/kernel/debug/mdev_test_ops/ (parent-ops door):
 *	add_parent	write a name: /sys/devices/virtual/<module>/NAME appears,
 *	del_parent	or goes, unregistered first if need be.
 *	NAME/		that parent:
 *	  register	1: register with the core; 0: unregister. Either returns
 *			when the core has. The errno is the core's. All vendor
 *			memory is overwritten and freed right after that.
 *	  register_twice   register the same device again, beside the first
 *	  register_bad	   write no_device, no_driver, ...: register with that
 *			   wrong. Both undo what should not have succeeded.
 *	  create_error	what probe()/create() returns, as it is
 *	  create_error_at  N: only the N-th call from now on does; 0: every one.
 *			   Likewise for each NAME_error below.
 *	  late_error	what probe()/create() returns after it has done all of
 *			its work, and undone it: on the parent-driver door the
 *			vfio_device was registered
 *	  create_block	N: the next N probe()/create() block. Any write, 0
 *			included, lets go those that block now.
 *	  create_waiting how many do
 *	  register_block, register_waiting	parent-ops door: likewise for
 *			registering the second type
 *	  late_block, late_waiting	likewise, where late_error strikes
 *	  remove_error	parent-ops door: what remove() returns
 *	  remove_block, remove_waiting	likewise for the vendor's remove()
 *	  open_error	what opening the VFIO device returns
 *	  open_block, open_waiting	likewise
 *	  mmap_error	parent-ops door: what mapping the VFIO device returns
 *	  attr_block, attr_waiting	for readers of a device's vendor/uuid
 *	  type_attr_block, type_attr_waiting	for readers of a type's
 *			available_instances; see get_available
 *	  request_op	1: has a VFIO request op. On the parent-ops door read at
 *			registration, on the other at probe().
 *	  requests	how often the user was asked
 *	  hold		1: probe()/create() takes a reference for good
 *	  unregister_again	1: unregister, even if somebody is at it or it has
 *			been done; no memory is freed
 *	  references	how many there are on the parent device
 *	  unregister_in	write create (probe() on the parent-driver door),
 *			remove, open, attr (vendor/uuid), type_attr
 *			(available_instances, see get_available): the parent is
 *			unregistered there, and its memory freed, which no
 *			vendor may do
 *	  unregister_other	write the name of another parent of this door:
 *			the next create (or probe()) unregisters that one
 *	  registration	parent-driver door: the number behind the name of the
 *			last one's driver, mdev_test_NAME_NUMBER
 *	  driver_first	parent-driver door: the driver is unregistered before
 *			the parent
 *	 read at registration:
 *	  max_instances	16 unless told; 0: the vendor declares none
 *	  get_available	parent-driver door: what the callback of that name
 *			returns; -1: there is no such callback
 *	  description	parent-driver door: types have a description
 *	  plain_types	parent-driver door: types have no pretty name
 *	  own_driver	parent-ops door: the ops name the bus driver
 *			mdev_test_ops_other, in place of vfio_mdev
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
/* The length of a word that is written to debugfs. */
#define MDEV_TEST_NAME_SIZE 32

/* A place where a callback can be made to wait. */
struct mdev_test_gate {
	spinlock_t lock;	/* protects all below */
	unsigned int left;	/* so many more will block */
	unsigned int waiting;
	unsigned int opened;	/* counts writes to *_block */
	wait_queue_head_t wait;
};

/* An error that a callback must return. */
struct mdev_test_fault {
	atomic_t error;
	atomic_t at;		/* only this call; 0: each */
	atomic_t calls;		/* since that was written */
};

/**
 * struct mdev_test_parent - a parent and its knobs
 * @vendor: what the registration needs: the door's business. NULL while not
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
	atomic_t instances;	/* alive, on the parent-ops door */
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
 * @name: of the class; it begins the names of the parents' types.
 * @class: of the parent devices.
 * @vendor_size: size of what a registration allocates.
 * @reg: prepare @vendor and register it with the core. @bad: NULL or the name
 *	of what is to be wrong.
 * @unreg: the reverse. When it has returned, @vendor is poisoned and freed.
 * @unreg_again: of the parent alone, which may be unregistered already.
 */
struct mdev_test_door {
	struct module *owner;
	const char *name;
	struct class *class;
	size_t vendor_size;
	int (*reg)(struct mdev_test_parent *p, void *vendor, const char *bad);
	void (*unreg)(struct mdev_test_parent *p, void *vendor);
	void (*unreg_again)(struct mdev_test_parent *p, void *vendor);
	/* common_parent.c's */
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
/* An attribute group for the mediated devices: vendor/uuid. */
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
