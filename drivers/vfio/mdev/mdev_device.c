// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: life of a mediated device
 *
 * Remove undoes create, step by step from the other end:
 *
 * ==  ==============================  ===================================
 * \   create, downwards               remove, upwards
 * ==  ==============================  ===================================
 * 1   enter the guard                 leave the guard
 * 2   allocate, initialise            put the device
 * 3   claim the UUID                  release the UUID
 * 4   take an instance                give the instance back
 * 5   the vendor's ``create()``       the vendor's ``remove()``
 * 6   device_add(), uevents held      device_del(), uevent *remove*
 *     back
 * 7   links                           links
 * 8   bind; the driver's ``probe()``  users gone; the driver's
 *                                     ``remove()``; uevent *unbind*
 * 9   live; uevents *add*, *bind*     claim: live to removing, or refuse
 * 10  leave the guard                 enter the guard
 * ==  ==============================  ===================================
 *
 * Step 4 is for parents registered with a parent driver, step 5 for those
 * registered with parent ops.
 */
#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include <trace/events/mdev.h>

#include "mdev_private.h"

/* How soon a wait notices that a user has gone: VFIO does not tell. */
#define MDEV_POLL_PERIOD	(HZ / 50 ?: 1)

static atomic64_t mdev_last_seq = ATOMIC64_INIT(0);

/* Runs when the last reference goes, maybe long after the parent has gone. */
static void mdev_device_release(struct device *dev)
{
	struct mdev_core_device *md = dev_to_core_device(dev);

	mdev_parent_put(md->parent);
	kfree(md);
	module_put(THIS_MODULE);
}

static struct mdev_core_device *mdev_device_alloc(struct mdev_core_type *type,
						  const guid_t *uuid)
{
	struct mdev_core_parent *parent = type->parent;
	char name[UUID_STRING_LEN + 1];
	struct mdev_core_device *md;
	struct device *dev;

	md = kzalloc(sizeof(*md), GFP_KERNEL);
	if (!md)
		return NULL;

	/* mdev_device_release() must be there until it has run. */
	__module_get(THIS_MODULE);
	kref_get(&parent->ref);
	md->parent = parent;
	md->type = type;
	md->mdev.type = type->type;
	guid_copy(&md->mdev.uuid, uuid);
	md->seq = atomic64_inc_return(&mdev_last_seq);
	atomic_set(&md->state, MDEV_CREATING);

	dev = &md->mdev.dev;
	device_initialize(dev);
	dev->parent = parent->dev;
	dev->bus = &mdev_bus_type;
	dev->release = mdev_device_release;
	dev->groups = parent->mdev_groups;
	mdev_print_uuid(name, uuid);
	if (dev_set_name(dev, "%s", name)) {
		put_device(dev);
		return NULL;
	}
	return md;
}

/*
 * The last step of a teardown. Others may hold references for as long as they
 * like, so nothing that the vendor owns may be reachable any more.
 */
static void mdev_device_put(struct mdev_core_device *md)
{
	md->mdev.type = NULL;
	md->mdev.dev.parent = NULL;
	md->mdev.dev.groups = NULL;
	md->type = NULL;
	md->drvdata = NULL;
	put_device(&md->mdev.dev);
}

static int mdev_instance_take(struct mdev_core_parent *parent)
{
	if (!parent->counted)
		return 0;
	/* Unsigned: the vendor's maximum may be UINT_MAX. */
	if (!atomic_add_unless(&parent->parent->available_instances, -1, 0))
		return -EUSERS;
	return 0;
}

static void mdev_instance_give(struct mdev_core_parent *parent)
{
	if (parent->counted)
		atomic_inc(&parent->parent->available_instances);
}

/*
 * The device lock makes a remover, who needs it to unbind, stay behind the
 * events: it may claim the device as soon as it is live.
 */
static void mdev_device_announce(struct mdev_core_device *md)
{
	struct device *dev = &md->mdev.dev;

	device_lock(dev);
	dev_set_uevent_suppress(dev, false);
	atomic_set_release(&md->state, MDEV_LIVE);
	kobject_uevent(&dev->kobj, KOBJ_ADD);
	if (dev->driver)
		kobject_uevent(&dev->kobj, KOBJ_BIND);
	device_unlock(dev);
}

static int __mdev_device_create(struct mdev_core_type *type, const guid_t *uuid)
{
	struct mdev_core_parent *parent = type->parent;
	struct mdev_core_device *md;
	struct device *dev;
	int ret;

	md = mdev_device_alloc(type, uuid);
	if (!md)
		return -ENOMEM;
	dev = &md->mdev.dev;

	ret = mdev_index_claim(md);
	if (ret)
		goto put;
	ret = mdev_instance_take(parent);
	if (ret)
		goto release_uuid;
	ret = mdev_ops_create(md);
	if (ret)
		goto give_instance;
	dev_set_uevent_suppress(dev, true);
	ret = device_add(dev);
	if (ret)
		goto vendor_remove;
	ret = mdev_links_create(md);
	if (ret)
		goto del;
	ret = mdev_bind_driver(md);
	if (ret)
		goto remove_links;
	mdev_device_announce(md);
	return 0;

remove_links:
	mdev_links_remove(md);
del:
	device_del(dev);
vendor_remove:
	mdev_ops_remove(md);
give_instance:
	mdev_instance_give(parent);
release_uuid:
	mdev_index_release(md);
put:
	mdev_device_put(md);
	return ret;
}

/* The mirror of __mdev_device_create(), for a device that has been claimed. */
static void __mdev_device_remove(struct mdev_core_device *md)
{
	struct device *dev = &md->mdev.dev;

	device_release_driver(dev);
	mdev_links_remove(md);
	device_del(dev);
	mdev_ops_remove(md);
	mdev_instance_give(md->parent);
	mdev_index_release(md);
	mdev_device_put(md);
}

/**
 * mdev_device_create() - create a mediated device
 * @type: the type, kept by the caller's active reference on its ``create``.
 * @uuid: its UUID.
 *
 * Context: process context, may sleep.
 * Return: 0; -ENODEV if the parent is being unregistered or there is no bus
 * driver; -EEXIST; -EUSERS; -ENOMEM; the vendor's or the bus driver's error.
 */
int mdev_device_create(struct mdev_core_type *type, const guid_t *uuid)
{
	struct mdev_guard *guard = &type->parent->guard;
	u64 start = ktime_get_ns();
	int ret = -ENODEV;
	int idx;

	trace_mdev_create_begin(uuid);
	idx = mdev_guard_enter(guard);
	if (mdev_guard_self(guard))
		ret = __mdev_device_create(type, uuid);
	mdev_guard_leave(guard, idx);
	trace_mdev_create_end(uuid, ret, ktime_get_ns() - start);
	return ret;
}

/*
 * Who turns live into removing owns the teardown. The full barrier pairs with
 * the one in mdev_open_allowed(): either the opener finds the device claimed,
 * or mdev_look_for_users() finds the opener.
 */
static int mdev_device_claim(struct mdev_core_device *md)
{
	switch (atomic_cmpxchg(&md->state, MDEV_LIVE, MDEV_REMOVING)) {
	case MDEV_LIVE:
		return 0;
	case MDEV_CREATING:
		return -EAGAIN;
	default:
		return -ENODEV;
	}
}

static void mdev_device_unclaim(struct mdev_core_device *md)
{
	atomic_set_release(&md->state, MDEV_LIVE);
}

/* A wait for users: when to ask them again, when to tell the log. */
struct mdev_wait {
	unsigned int asked;
	unsigned long next_ask;
	unsigned long next_log;
};

static void mdev_wait_init(struct mdev_wait *wait)
{
	wait->asked = 0;
	wait->next_ask = jiffies;
	/* Who lets go when asked is not worth a line. */
	wait->next_log = jiffies + HZ;
}

/*
 * Would unbinding the bus driver wait for somebody? A device lock that cannot
 * be had says yes, too: somebody else may be unbinding, and wait under it.
 */
static bool mdev_device_busy(struct mdev_core_device *md,
			     struct mdev_users *users)
{
	mdev_look_for_users(md, users);
	if (users->busy)
		return true;
	if (!device_trylock(&md->mdev.dev)) {
		users->can_ask = true;
		return true;
	}
	device_unlock(&md->mdev.dev);
	return false;
}

/* Ask the users every now and then, and tell the log what is waited for. */
static void mdev_press_users(struct mdev_core_device *md,
			     struct mdev_users *users, struct mdev_wait *wait)
{
	if (time_after_eq(jiffies, wait->next_ask) &&
	    mdev_ask_user(md, wait->asked)) {
		wait->asked++;
		wait->next_ask = jiffies + MDEV_LOG_PERIOD;
	}
	if (time_after_eq(jiffies, wait->next_log)) {
		if (users->open)
			dev_info(&md->mdev.dev,
				 "mdev: waiting for %u open file(s)\n",
				 users->open);
		else
			dev_info(&md->mdev.dev,
				 "mdev: waiting for the driver to be unbound\n");
		wait->next_log = jiffies + MDEV_LOG_PERIOD;
	}
}

/*
 * Wait until nobody has the device open, or until the wait is pointless: no
 * way to ask, a signal, or the parent going away, which removes the device
 * itself.
 */
static int mdev_wait_for_users(struct mdev_core_device *md)
{
	struct mdev_guard *guard = &md->parent->guard;
	struct mdev_users users;
	struct mdev_wait wait;
	long ret;

	mdev_wait_init(&wait);
	while (mdev_device_busy(md, &users)) {
		if (!users.can_ask)
			return -EBUSY;
		mdev_press_users(md, &users, &wait);
		ret = wait_event_interruptible_timeout(md->parent->wait,
						       mdev_guard_revoked(guard),
						       MDEV_POLL_PERIOD);
		if (ret < 0)
			return ret;
		if (ret)
			return -ENODEV;
	}
	return 0;
}

static int mdev_device_try_remove(struct mdev_core_device *md,
				  struct device_attribute *attr)
{
	struct mdev_users users;
	int ret;

	/* A claim would turn openers away; not for a remove that must fail. */
	mdev_look_for_users(md, &users);
	if (mdev_state(md) == MDEV_LIVE && users.busy && !users.can_ask)
		return -EBUSY;
	ret = mdev_device_claim(md);
	if (ret)
		return ret;
	ret = mdev_wait_for_users(md);
	if (ret) {
		mdev_device_unclaim(md);
		return ret;
	}
	/* device_del() would wait for the file that we are called from. */
	device_remove_file_self(&md->mdev.dev, attr);
	__mdev_device_remove(md);
	return 0;
}

/**
 * mdev_device_remove() - remove a mediated device on a user's behalf
 * @md: the device, kept by the caller's active reference on @attr.
 * @attr: its ``remove``, which goes only when the remove can no longer fail.
 *
 * Context: process context, may sleep; waits interruptibly for users that can
 * be asked to let go.
 * Return: 0, and the UUID, the name and the instance are free; or with nothing
 * changed -EAGAIN while it is being created, -ENODEV if somebody else removes
 * it or the parent is being unregistered, -EBUSY if it is open and the user
 * cannot be asked, -ERESTARTSYS after a signal: the write starts again unless a
 * handler without SA_RESTART has run, and then fails with -EINTR.
 */
int mdev_device_remove(struct mdev_core_device *md,
		       struct device_attribute *attr)
{
	struct mdev_guard *guard = &md->parent->guard;
	guid_t uuid = md->mdev.uuid;
	u64 start = ktime_get_ns();
	int ret = -ENODEV;
	int idx;

	trace_mdev_remove_begin(&uuid);
	idx = mdev_guard_enter(guard);
	if (mdev_guard_self(guard))
		ret = mdev_device_try_remove(md, attr);
	mdev_guard_leave(guard, idx);
	trace_mdev_remove_end(&uuid, ret, ktime_get_ns() - start);
	return ret;
}

/**
 * mdev_device_evict() - remove a child because its parent goes away
 * @dev: a child of the parent, maybe no mediated device.
 * @unused: for device_for_each_child().
 *
 * No create or remove is in flight, and none can start. Waits for users as long
 * as it takes.
 *
 * Context: process context, may sleep.
 * Return: 0.
 */
int mdev_device_evict(struct device *dev, void *unused)
{
	struct mdev_core_device *md;
	struct mdev_users users;
	struct mdev_wait wait;
	u64 start = ktime_get_ns();
	guid_t uuid;

	if (dev->bus != &mdev_bus_type)
		return 0;
	md = dev_to_core_device(dev);
	if (WARN_ON_ONCE(mdev_device_claim(md)))
		return 0;
	uuid = md->mdev.uuid;
	trace_mdev_remove_begin(&uuid);
	mdev_wait_init(&wait);
	while (mdev_device_busy(md, &users)) {
		mdev_press_users(md, &users, &wait);
		schedule_timeout_idle(MDEV_POLL_PERIOD);
	}
	__mdev_device_remove(md);
	trace_mdev_remove_end(&uuid, 0, ktime_get_ns() - start);
	return 0;
}

/**
 * mdev_open_allowed() - may vfio_mdev let a user in?
 * @mdev: the device, bound to vfio_mdev.
 *
 * Context: any, after VFIO has counted the opener.
 * Return: false while the device is being created or removed.
 */
bool mdev_open_allowed(struct mdev_device *mdev)
{
	/* Pairs with the compare and exchange in mdev_device_claim(). */
	smp_mb();
	return mdev_state(to_core_device(mdev)) == MDEV_LIVE;
}
EXPORT_SYMBOL_GPL(mdev_open_allowed);
