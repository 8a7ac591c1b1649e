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

/* How often to look for users that only VFIO knows of. */
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
	md->mdev.type = type->vendor;
	guid_copy(&md->mdev.uuid, uuid);
	md->seq = atomic64_inc_return(&mdev_last_seq);
	atomic_set(&md->state, MDEV_CREATING);

	dev = &md->mdev.dev;
	device_initialize(dev);
	dev->parent = parent->dev;
	dev->bus = &mdev_bus_type;
	dev->release = mdev_device_release;
	dev->groups = parent->mdev_groups;
	if (dev_set_name(dev, "%pUl", uuid)) {
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
	if (!atomic_add_unless(&parent->vendor->available_instances, -1, 0))
		return -EUSERS;
	return 0;
}

static void mdev_instance_give(struct mdev_core_parent *parent)
{
	if (parent->counted)
		atomic_inc(&parent->vendor->available_instances);
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
	/*
	 * Writing "remove" to the file uevent sets a bit beside the one above
	 * without a lock, and may have restored it.
	 */
	if (dev_get_uevent_suppress(dev)) {
		dev_set_uevent_suppress(dev, false);
		if (!dev->kobj.state_add_uevent_sent)
			kobject_uevent(&dev->kobj, KOBJ_ADD);
	}
	if (dev->driver)
		kobject_uevent(&dev->kobj, KOBJ_BIND);
	device_unlock(dev);
}

/* Why a create fails, for the tracepoint. */
void mdev_create_refused(struct mdev_core_type *type, const char *reason,
			 int error)
{
	trace_mdev_create_refused(type->parent->dev, kobject_name(&type->kobj),
				  reason, error);
}

static int __mdev_device_create(struct mdev_core_type *type, const guid_t *uuid)
{
	struct mdev_core_parent *parent = type->parent;
	struct mdev_core_device *md;
	const char *reason;
	struct device *dev;
	int ret;

	md = mdev_device_alloc(type, uuid);
	if (!md)
		return -ENOMEM;
	dev = &md->mdev.dev;

	reason = "uuid";
	ret = mdev_index_claim(md);
	if (ret)
		goto put;
	reason = "instance";
	ret = mdev_instance_take(parent);
	if (ret)
		goto release_uuid;
	reason = "vendor";
	ret = mdev_ops_create(md);
	if (ret)
		goto give_instance;
	reason = "sysfs";
	dev_set_uevent_suppress(dev, true);
	ret = device_add(dev);
	if (ret)
		goto vendor_remove;
	ret = mdev_links_create(md);
	if (ret)
		goto del;
	reason = "driver";
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
	mdev_create_refused(type, reason, ret);
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
 * Whoever wins MDEV_LIVE -> MDEV_REMOVING owns the teardown. The full barrier
 * pairs with the one in mdev_open_allowed(): either the opener sees the claim, or
 * mdev_get_users() sees the opener.
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

static void mdev_wait_init(struct mdev_wait *wait)
{
	wait->requests = 0;
	wait->next_request = jiffies;
	/* Don't log users that release the device promptly. */
	wait->next_log = jiffies + HZ;
	wait->start = ktime_get_ns();
}

static void mdev_wait_log(struct mdev_core_device *md)
{
	struct device *dev = &md->mdev.dev;

	if (md->wait.users.contended)
		dev_info(dev, "mdev: waiting for the driver to be unbound\n");
	else if (md->wait.users.open)
		dev_info(dev, "mdev: waiting for %u open file(s)\n",
			 md->wait.users.open);
	else
		dev_info(dev, "mdev: waiting for a device file that is not bound to an iommufd\n");
}

/*
 * Would unbinding the bus driver wait for somebody? If so, ask the users and log
 * the wait when it is time.
 */
static bool mdev_device_busy(struct mdev_core_device *md)
{
	struct mdev_wait *wait = &md->wait;

	mdev_get_users(md, &wait->users);
	if (!wait->users.busy)
		return false;
	if (time_after_eq(jiffies, wait->next_request) &&
	    mdev_request_users(md, wait->requests)) {
		wait->requests++;
		wait->next_request = jiffies + MDEV_LOG_PERIOD;
	}
	if (time_after_eq(jiffies, wait->next_log)) {
		mdev_wait_log(md);
		wait->next_log = jiffies + MDEV_LOG_PERIOD;
	}
	return true;
}

/* How long to sleep: mdev_end_use() wakes the wait for a user of vfio_mdev. */
static long mdev_wait_timeout(struct mdev_core_device *md)
{
	return READ_ONCE(md->used) ? HZ : MDEV_POLL_PERIOD;
}

static bool mdev_user_left(struct mdev_core_parent *parent, int released)
{
	return atomic_read(&parent->released) != released;
}

/*
 * Wait until nobody uses the device. Give up if the users cannot be asked, at a
 * signal, or when the parent is being unregistered, which removes the device.
 */
static int mdev_wait_for_users(struct mdev_core_device *md)
{
	struct mdev_core_parent *parent = md->parent;
	struct mdev_guard *guard = &parent->guard;
	int released;
	long ret;

	mdev_wait_init(&md->wait);
	for (;;) {
		released = atomic_read_acquire(&parent->released);
		if (!mdev_device_busy(md))
			return 0;
		if (!md->wait.users.can_request)
			return -EBUSY;
		ret = wait_event_interruptible_timeout(parent->wait,
						       mdev_guard_revoked(guard) ||
						       mdev_user_left(parent, released),
						       mdev_wait_timeout(md));
		if (ret < 0)
			return ret;
		if (mdev_guard_revoked(guard))
			return -ENODEV;
	}
}

static int mdev_device_try_remove(struct mdev_core_device *md,
				  struct device_attribute *attr)
{
	struct mdev_users users;
	int ret;

	/* A claim turns openers away; don't claim for a remove that must fail. */
	mdev_get_users(md, &users);
	if (mdev_state(md) == MDEV_LIVE && users.busy && !users.can_request)
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

/* Claim a child of the parent, and ask its users. No other task claims it now. */
static int mdev_device_doom(struct device *dev, void *unused)
{
	struct mdev_core_device *md;

	if (dev->bus != &mdev_bus_type)
		return 0;
	md = dev_to_core_device(dev);
	if (WARN_ON_ONCE(mdev_device_claim(md)))
		return 0;
	trace_mdev_remove_begin(&md->mdev.uuid);
	mdev_wait_init(&md->wait);
	mdev_device_busy(md);
	return 0;
}

/* Remove a doomed child unless it is busy; then lower the timeout at @data. */
static int mdev_device_evict(struct device *dev, void *data)
{
	long *timeout = data;
	struct mdev_core_device *md;
	guid_t uuid;
	u64 start;

	if (dev->bus != &mdev_bus_type)
		return 0;
	md = dev_to_core_device(dev);
	if (mdev_device_busy(md)) {
		*timeout = min(*timeout, mdev_wait_timeout(md));
		return 0;
	}
	uuid = md->mdev.uuid;
	start = md->wait.start;
	__mdev_device_remove(md);
	trace_mdev_remove_end(&uuid, 0, ktime_get_ns() - start);
	return 0;
}

/**
 * mdev_devices_evict() - remove all devices of a parent that goes away
 * @parent: the parent; its guard has been drained, so that no create or remove
 *	is in flight, and none can start.
 *
 * Claims all devices and asks their users, then waits for them together, as long
 * as it takes.
 *
 * Context: process context, may sleep.
 */
void mdev_devices_evict(struct mdev_core_parent *parent)
{
	device_for_each_child(parent->dev, NULL, mdev_device_doom);
	for (;;) {
		int released = atomic_read_acquire(&parent->released);
		long timeout = MAX_SCHEDULE_TIMEOUT;

		device_for_each_child(parent->dev, &timeout, mdev_device_evict);
		if (timeout == MAX_SCHEDULE_TIMEOUT)
			break;
		wait_event_idle_timeout(parent->wait,
					mdev_user_left(parent, released),
					timeout);
	}
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

/**
 * mdev_begin_use() - a device that vfio_mdev is bound to gets its first user
 * @mdev: the device.
 *
 * Context: any, after VFIO has counted the opener.
 * Return: 0, to be followed by mdev_end_use(); -ENODEV while the device is being
 * created or removed.
 */
int mdev_begin_use(struct mdev_device *mdev)
{
	WRITE_ONCE(to_core_device(mdev)->used, true);
	if (mdev_open_allowed(mdev))
		return 0;
	mdev_end_use(mdev);
	return -ENODEV;
}
EXPORT_SYMBOL_GPL(mdev_begin_use);

/**
 * mdev_end_use() - the last user of a device has gone
 * @mdev: the device.
 *
 * Wakes a remove or an unregistration that waits for the user, so the vendor's
 * callbacks and module may be gone when this returns.
 *
 * Context: any, while vfio_mdev is bound.
 */
void mdev_end_use(struct mdev_device *mdev)
{
	struct mdev_core_device *md = to_core_device(mdev);

	WRITE_ONCE(md->used, false);
	/* Pairs with the reads before the waits above. */
	atomic_inc_return_release(&md->parent->released);
	wake_up_all(&md->parent->wait);
}
EXPORT_SYMBOL_GPL(mdev_end_use);
