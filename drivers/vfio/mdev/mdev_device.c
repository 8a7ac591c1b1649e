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

#define CREATE_TRACE_POINTS
#include <trace/events/mdev.h>

#include "mdev_private.h"

/* How often to look for users that only VFIO knows of. */
#define MDEV_POLL_PERIOD	(HZ / 50 ?: 1)

static atomic64_t mdev_last_seq = ATOMIC64_INIT(0);

/* May run long after the parent has been unregistered. */
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

	md = kzalloc_obj(*md);
	if (!md)
		return NULL;

	/* Put by mdev_device_release(). The vendor's module pins ours for now. */
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
	/* Formatted here, for dev_set_name() formats twice. */
	snprintf(name, sizeof(name), "%pUl", uuid);
	if (dev_set_name(dev, "%s", name)) {
		put_device(dev);
		return NULL;
	}
	return md;
}

/* Others may still hold references: leave no pointer into vendor memory. */
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
	/* Not atomic_dec_if_positive(): the maximum may be UINT_MAX. */
	return atomic_add_unless(&parent->vendor->available_instances, -1, 0) ?
	       0 : -EUSERS;
}

static void mdev_instance_give(struct mdev_core_parent *parent)
{
	if (parent->counted)
		atomic_inc(&parent->vendor->available_instances);
}

/*
 * A remover may claim the device as soon as it is live. It needs the device lock
 * to go on, so its events follow those sent here.
 */
static void mdev_device_announce(struct mdev_core_device *md)
{
	struct device *dev = &md->mdev.dev;

	device_lock(dev);
	dev_set_uevent_suppress(dev, false);
	atomic_set_release(&md->state, MDEV_LIVE);
	kobject_uevent(&dev->kobj, KOBJ_ADD);
	/*
	 * Writing "remove" to the file uevent changes a bit in the same word
	 * without a lock, and may have set ours again.
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
	trace_mdev_create_refused(parent->dev, kobject_name(&type->kobj), reason,
				  ret);
	mdev_device_put(md);
	return ret;
}

/* The mirror of __mdev_device_create(). The caller has claimed the device. */
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

/* Create a device. The caller holds an active reference on the type's "create". */
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
 * pairs with the one in vfio_mdev_may_open(): either the opener sees the claim, or
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
	bool request = time_after_eq(jiffies, wait->next_request);

	mdev_get_users(md, &wait->users, request, wait->requests);
	if (!wait->users.busy)
		return false;
	if (request && !wait->users.contended) {
		wait->requests++;
		wait->next_request = jiffies + MDEV_LOG_PERIOD;
	}
	if (time_after_eq(jiffies, wait->next_log)) {
		mdev_wait_log(md);
		wait->next_log = jiffies + MDEV_LOG_PERIOD;
	}
	return true;
}

/* vfio_mdev wakes the waiters when its last user leaves. Poll for others. */
static long mdev_wait_timeout(struct mdev_core_device *md)
{
	return READ_ONCE(md->used) ? HZ : MDEV_POLL_PERIOD;
}

static bool mdev_user_left(struct mdev_core_parent *parent, int released)
{
	return atomic_read(&parent->released) != released;
}

/*
 * Wait until nobody uses the device. Give up if the users cannot be asked, on a
 * signal, or when unregistration of the parent begins, which removes the device.
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
	struct mdev_users users = { .busy = true };
	struct kernfs_node *kn;
	int ret;

	/* A claim turns openers away: don't claim for a remove that must fail. */
	if (atomic_read(&md->state) == MDEV_LIVE) {
		mdev_get_users(md, &users, false, 0);
		if (users.busy && !users.can_request)
			return -EBUSY;
	}
	ret = mdev_device_claim(md);
	if (ret)
		return ret;
	/* Users that came since then show in @used, or VFIO lets them in anyway. */
	if (users.busy || READ_ONCE(md->used))
		ret = mdev_wait_for_users(md);
	if (ret) {
		mdev_device_unclaim(md);
		return ret;
	}
	/* Or device_del() would wait for the file that we are called from. */
	kn = sysfs_break_active_protection(&md->mdev.dev.kobj, &attr->attr);
	__mdev_device_remove(md);
	sysfs_unbreak_active_protection(kn);
	return 0;
}

/*
 * Remove a device for a user, who holds an active reference on @attr, its file
 * "remove". On failure nothing has changed. After a signal the error is
 * -ERESTARTSYS, so that only a handler without SA_RESTART ends the write (-EINTR).
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

/* Claim a child of the parent and ask its users. Nobody else can claim it. */
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

/*
 * Remove all devices of a parent whose guard has been drained. Claim them and ask
 * their users first, then wait for all users together, as long as it takes.
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
