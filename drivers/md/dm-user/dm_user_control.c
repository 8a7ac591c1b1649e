// SPDX-License-Identifier: GPL-2.0-only
/*
 * dm-user: control devices, from the first table that names one to the last; and what
 * concerns all channels of one.
 */
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/poll.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "dm_user.h"

#define DMU_MINORS BIT(MINORBITS)

static dev_t first_devt;
static struct class *dmu_class;
struct workqueue_struct *dmu_workqueue;

/* All control devices, and by minor those that can be opened. */
static LIST_HEAD(dmu_controls);
static DEFINE_IDR(dmu_minors);
static DEFINE_MUTEX(dmu_controls_lock);

static dev_t control_devt(struct dmu_control *c)
{
	return MKDEV(MAJOR(first_devt), MINOR(first_devt) + c->minor);
}

static void control_free(struct kref *references)
{
	struct dmu_control *c = container_of(references, struct dmu_control, references);

	mutex_lock(&dmu_controls_lock);
	idr_remove(&dmu_minors, c->minor);
	mutex_unlock(&dmu_controls_lock);
	kfree(c);
}

/* Make the device. The node appears last. */
static int control_add(struct dmu_control *c)
{
	struct device *dev;
	int ret;

	c->cdev = cdev_alloc();
	if (!c->cdev)
		return -ENOMEM;
	c->cdev->ops = &dmu_fops;
	c->cdev->owner = THIS_MODULE;
	ret = cdev_add(c->cdev, control_devt(c), 1);
	if (ret) {
		kobject_put(&c->cdev->kobj);
		return ret;
	}
	/* The driver core makes a folder of it: /dev/dm-user/NAME. */
	dev = device_create(dmu_class, NULL, control_devt(c), NULL, "dm-user!%s", c->name);
	if (IS_ERR(dev)) {
		cdev_del(c->cdev);
		return PTR_ERR(dev);
	}
	return 0;
}

static struct dmu_control *control_create(struct mapped_device *md, const char *name)
{
	struct dmu_control *c;
	int ret;

	c = kzalloc_obj(*c);
	if (!c)
		return ERR_PTR(-ENOMEM);
	strscpy(c->name, name, sizeof(c->name));
	c->md = md;
	kref_init(&c->references);
	INIT_LIST_HEAD(&c->targets);
	mutex_init(&c->lock);
	INIT_LIST_HEAD(&c->channels);
	spin_lock_init(&c->queue_lock);
	INIT_LIST_HEAD(&c->queue);
	INIT_LIST_HEAD(&c->stale);
	INIT_DELAYED_WORK(&c->timer, dmu_timer);
	init_waitqueue_head(&c->wait);
	dmu_extents_init(&c->extents);

	c->minor = idr_alloc(&dmu_minors, c, 0, DMU_MINORS, GFP_KERNEL);
	ret = c->minor;
	if (ret < 0)
		goto free;
	ret = control_add(c);
	if (ret)
		goto free_minor;
	list_add(&c->node, &dmu_controls);
	return c;

free_minor:
	idr_remove(&dmu_minors, c->minor);
free:
	kfree(c);
	return ERR_PTR(ret);
}

static struct dmu_control *control_find(const char *name)
{
	struct dmu_control *c;

	list_for_each_entry(c, &dmu_controls, node) {
		if (!strcmp(c->name, name))
			return c;
	}
	return NULL;
}

static bool table_has(struct dmu_control *c, struct dm_table *table)
{
	struct dmu_target *t;

	list_for_each_entry(t, &c->targets, node) {
		if (t->ti->table == table)
			return true;
	}
	return false;
}

/**
 * dmu_control_join - give a new target its control device
 * @t: the target
 * @md: the mapped device whose table it is in
 * @name: of the control device, which is made if @md has none of that name
 *
 * Return: 0, or -EEXIST if the name is another device's, or twice in one table;
 * -ENOMEM, -ENOSPC.
 */
int dmu_control_join(struct dmu_target *t, struct mapped_device *md, const char *name)
{
	struct dmu_control *c;
	int ret = 0;

	mutex_lock(&dmu_controls_lock);
	c = control_find(name);
	if (!c)
		c = control_create(md, name);
	else if (c->md != md || table_has(c, t->ti->table))
		c = ERR_PTR(-EEXIST);
	if (IS_ERR(c)) {
		ret = PTR_ERR(c);
	} else {
		t->control = c;
		list_add(&t->node, &c->targets);
	}
	mutex_unlock(&dmu_controls_lock);
	return ret;
}

/**
 * dmu_control_leave - a target goes, and the control device with the last one
 * @t: the target, which has no request left
 *
 * Does not wait for user space. Open channels stay, and say ENOTBLK.
 */
void dmu_control_leave(struct dmu_target *t)
{
	struct dmu_control *c = t->control;
	bool last;

	mutex_lock(&dmu_controls_lock);
	list_del(&t->node);
	last = list_empty(&c->targets);
	mutex_lock(&c->lock);
	if (c->live == t) {
		c->live = NULL;
		dmu_extents_forget(&c->extents, 0);
	}
	if (last)
		WRITE_ONCE(c->gone, true);
	mutex_unlock(&c->lock);
	if (last) {
		list_del(&c->node);
		device_destroy(dmu_class, control_devt(c));
		cdev_del(c->cdev);
		/* Not to be opened any more; and not to be given away yet. */
		idr_replace(&dmu_minors, NULL, c->minor);
	}
	mutex_unlock(&dmu_controls_lock);
	if (!last)
		return;
	wake_up_interruptible_all(&c->wait);
	cancel_delayed_work_sync(&c->timer);
	kref_put(&c->references, control_free);
}

/**
 * dmu_control_go_live - a table is resumed: its target has the channels now
 * @t: the target
 *
 * Context: the device is suspended, so there is no request.
 */
void dmu_control_go_live(struct dmu_target *t)
{
	mutex_lock(&t->control->lock);
	t->control->live = t;
	mutex_unlock(&t->control->lock);
	dmu_extents_forget(&t->control->extents, t->max_extents);
}

/* End what the channel has fetched. The daemon may still carry it out. */
static void revoke(struct dmu_channel *ch, struct list_head *ended)
{
	struct dmu_control *c = ch->control;
	struct dmu_slot *slot;

	spin_lock(&ch->lock);
	WRITE_ONCE(ch->revoked, true);
	spin_lock(&c->queue_lock);
	list_for_each_entry(slot, &ch->slots, node) {
		dmu_slot_end(slot, BLK_STS_TIMEOUT, ended);
		if (dmu_writes(slot->type))
			list_add_tail(&slot->stale, &c->stale);
	}
	spin_unlock(&c->queue_lock);
	spin_unlock(&ch->lock);
}

static bool slot_has_timeout(struct dmu_slot *slot)
{
	return slot->request && !slot->ended && slot->request->target->timeout;
}

static bool has_expired(struct dmu_channel *ch, unsigned long now, bool all)
{
	struct dmu_slot *slot;
	bool expired;

	spin_lock(&ch->lock);
	expired = all && !list_empty(&ch->slots);
	list_for_each_entry(slot, &ch->slots, node) {
		if (slot_has_timeout(slot))
			expired |= time_after_eq(now, slot->deadline);
	}
	spin_unlock(&ch->lock);
	return expired;
}

static bool has_stale(struct dmu_channel *ch)
{
	struct dmu_control *c = ch->control;
	struct dmu_slot *slot;
	bool stale = false;

	spin_lock(&ch->lock);
	spin_lock(&c->queue_lock);
	list_for_each_entry(slot, &ch->slots, node)
		stale |= dmu_is_stale(c, slot->type, slot->sector, slot->len);
	spin_unlock(&c->queue_lock);
	spin_unlock(&ch->lock);
	return stale;
}

static blk_status_t is_stale(struct dmu_request *r)
{
	return dmu_is_stale(r->target->control, r->type, r->sector, r->len) ?
	       BLK_STS_IOERR : BLK_STS_OK;
}

/* A write that overlaps one of a revoked channel could be undone by it: fail it, too. */
static void fail_overlapping(struct dmu_control *c, struct list_head *ended)
{
	struct dmu_channel *ch;
	bool again;

	do {
		/* The queue first: what is fetched meanwhile is found in its channel. */
		spin_lock(&c->queue_lock);
		dmu_take_queued(c, is_stale, ended);
		spin_unlock(&c->queue_lock);
		again = false;
		list_for_each_entry(ch, &c->channels, node) {
			if (ch->revoked || !has_stale(ch))
				continue;
			revoke(ch, ended);
			again = true;
		}
	} while (again);
	spin_lock(&c->queue_lock);
	dmu_extents_fail_stale(c);
	spin_unlock(&c->queue_lock);
}

/* Have the timer run when the next request fails. */
static void rearm(struct dmu_control *c)
{
	struct dmu_channel *ch;
	struct dmu_request *r;
	struct dmu_slot *slot;

	/* The queue first: what is fetched meanwhile is found in its channel. */
	spin_lock(&c->queue_lock);
	list_for_each_entry(r, &c->queue, node) {
		if (r->target->timeout)
			dmu_arm(c, r->deadline);
	}
	spin_unlock(&c->queue_lock);
	list_for_each_entry(ch, &c->channels, node) {
		spin_lock(&ch->lock);
		spin_lock(&c->queue_lock);
		list_for_each_entry(slot, &ch->slots, node) {
			if (slot_has_timeout(slot))
				dmu_arm(c, slot->deadline);
		}
		spin_unlock(&c->queue_lock);
		spin_unlock(&ch->lock);
	}
}

static blk_status_t any(struct dmu_request *r)
{
	return BLK_STS_TIMEOUT;
}

static blk_status_t expired(struct dmu_request *r)
{
	return r->target->timeout && time_after_eq(jiffies, r->deadline) ?
	       BLK_STS_TIMEOUT : BLK_STS_OK;
}

/**
 * dmu_control_expire - fail the requests that have waited too long
 * @c: the control device
 * @all: fail all of them, however long they have waited
 *
 * A channel that has such a request is revoked.
 */
void dmu_control_expire(struct dmu_control *c, bool all)
{
	unsigned long now = jiffies;
	struct dmu_channel *ch;
	LIST_HEAD(ended);

	mutex_lock(&c->lock);
	spin_lock(&c->queue_lock);
	c->armed = false;
	/* A request can come back to the queue while the channels are looked at. */
	if (all)
		c->failed = c->next_seq;
	dmu_take_queued(c, all ? any : expired, &ended);
	spin_unlock(&c->queue_lock);
	list_for_each_entry(ch, &c->channels, node) {
		if (!ch->revoked && has_expired(ch, now, all))
			revoke(ch, &ended);
	}
	fail_overlapping(c, &ended);
	rearm(c);
	mutex_unlock(&c->lock);
	/* Readers of a revoked channel have to learn it. */
	wake_up_interruptible_all(&c->wait);
	dmu_end_all(c, &ended);
}

void dmu_timer(struct work_struct *work)
{
	dmu_control_expire(container_of(to_delayed_work(work), struct dmu_control, timer),
			   false);
}

/**
 * dmu_control_status - what "dmsetup status" shows
 * @c: the control device
 * @result: for the text
 * @size: of @result
 */
void dmu_control_status(struct dmu_control *c, char *result, unsigned int size)
{
	unsigned int channels = 0, inflight = 0;
	struct dmu_channel *ch;
	struct dmu_slot *slot;

	mutex_lock(&c->lock);
	list_for_each_entry(ch, &c->channels, node) {
		channels++;
		spin_lock(&ch->lock);
		list_for_each_entry(slot, &ch->slots, node)
			inflight += !!slot->request;
		spin_unlock(&ch->lock);
	}
	spin_lock(&c->queue_lock);
	scnprintf(result, size,
		  "channels %u queued %u inflight %u reads %llu writes %llu errors %llu timeouts %llu redelivered %llu extents %u remapped %llu hits %llu",
		  channels, c->nr_queued, inflight, c->reads, c->writes, c->errors,
		  c->timeouts, c->redelivered, READ_ONCE(c->extents.nr),
		  READ_ONCE(c->extents.nr_remapped), READ_ONCE(c->extents.nr_hits));
	spin_unlock(&c->queue_lock);
	mutex_unlock(&c->lock);
}

static int dmu_open(struct inode *inode, struct file *file)
{
	struct dmu_control *c;
	struct dmu_channel *ch;

	ch = dmu_channel_create();
	if (!ch)
		return -ENOMEM;
	mutex_lock(&dmu_controls_lock);
	c = idr_find(&dmu_minors, iminor(inode) - MINOR(first_devt));
	if (c) {
		kref_get(&c->references);
		ch->control = c;
		mutex_lock(&c->lock);
		list_add(&ch->node, &c->channels);
		mutex_unlock(&c->lock);
	}
	mutex_unlock(&dmu_controls_lock);
	if (!c) {
		kfree(ch);
		return -ENXIO;
	}
	file->private_data = ch;
	return stream_open(inode, file);
}

/* The daemon's word that nothing of what it fetched is still being carried out. */
static int dmu_release(struct inode *inode, struct file *file)
{
	struct dmu_channel *ch = file->private_data;
	struct dmu_control *c = ch->control;
	LIST_HEAD(ended);

	mutex_lock(&c->lock);
	list_del(&ch->node);
	c->epoch++;
	dmu_channel_close(ch, &ended);
	mutex_unlock(&c->lock);
	wake_up_interruptible_all(&c->wait);
	dmu_end_all(c, &ended);
	kfree(ch);
	kref_put(&c->references, control_free);
	return 0;
}

static ssize_t dmu_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	bool nowait = iocb->ki_filp->f_flags & O_NONBLOCK ||
		      iocb->ki_flags & IOCB_NOWAIT;
	/* Memory that we wait for may have to be written to this device first. */
	unsigned int noio = memalloc_noio_save();
	ssize_t done;

	done = dmu_stream_read(iocb->ki_filp->private_data, to, nowait);
	memalloc_noio_restore(noio);
	return done;
}

static ssize_t dmu_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	unsigned int noio = memalloc_noio_save();
	ssize_t done;

	done = dmu_stream_write(iocb->ki_filp->private_data, from);
	memalloc_noio_restore(noio);
	return done;
}

static __poll_t dmu_poll(struct file *file, poll_table *wait)
{
	struct dmu_channel *ch = file->private_data;
	__poll_t events = EPOLLOUT | EPOLLWRNORM;

	poll_wait(file, &ch->control->wait, wait);
	if (dmu_channel_ready(ch))
		events |= EPOLLIN | EPOLLRDNORM;
	switch (dmu_channel_error(ch)) {
	case -ENOTBLK:
		return events | EPOLLHUP;
	case -ESTALE:
		return events | EPOLLERR;
	}
	return events;
}

static int control_info(struct dmu_control *c, struct dm_user_info __user *to)
{
	struct dm_user_info info = {
		.version = DM_USER_VERSION,
		.features = DM_USER_FEATURE_XFER | DM_USER_FEATURE_REMAP,
	};
	struct dmu_target *t;
	int ret = 0;

	mutex_lock(&dmu_controls_lock);
	mutex_lock(&c->lock);
	info.epoch = c->epoch;
	t = c->live ?: list_first_entry_or_null(&c->targets, struct dmu_target, node);
	if (t) {
		info.block_size = t->block_size;
		info.max_io = t->max_io;
		info.start = t->start;
		info.sectors = t->ti->len;
	} else {
		ret = -ENOTBLK;
	}
	mutex_unlock(&c->lock);
	mutex_unlock(&dmu_controls_lock);
	if (!ret && copy_to_user(to, &info, sizeof(info)))
		ret = -EFAULT;
	return ret;
}

static int channel_unmap(struct dmu_channel *ch, const void __user *from)
{
	struct dm_user_unmap unmap;

	if (copy_from_user(&unmap, from, sizeof(unmap)))
		return -EFAULT;
	return dmu_unmap(ch, unmap.sector, unmap.sectors);
}

static long dmu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct dmu_channel *ch = file->private_data;
	void __user *user = (void __user *)arg;
	unsigned int noio;
	long ret;

	switch (cmd) {
	case DM_USER_INFO:
		return control_info(ch->control, user);
	case DM_USER_XFER:
		noio = memalloc_noio_save();
		ret = dmu_xfer(ch, user, file->f_flags & O_NONBLOCK);
		memalloc_noio_restore(noio);
		return ret;
	case DM_USER_UNMAP:
		return channel_unmap(ch, user);
	default:
		return -ENOTTY;
	}
}

const struct file_operations dmu_fops = {
	.owner = THIS_MODULE,
	.open = dmu_open,
	.release = dmu_release,
	.read_iter = dmu_read_iter,
	.write_iter = dmu_write_iter,
	.poll = dmu_poll,
	.unlocked_ioctl = dmu_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

int __init dmu_control_init(void)
{
	int ret;

	dmu_workqueue = alloc_workqueue("dm-user", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	if (!dmu_workqueue)
		return -ENOMEM;
	ret = alloc_chrdev_region(&first_devt, 0, DMU_MINORS, "dm-user");
	if (ret)
		goto destroy_workqueue;
	dmu_class = class_create("dm-user");
	ret = PTR_ERR_OR_ZERO(dmu_class);
	if (ret)
		goto unregister_region;
	return 0;

unregister_region:
	unregister_chrdev_region(first_devt, DMU_MINORS);
destroy_workqueue:
	destroy_workqueue(dmu_workqueue);
	return ret;
}

void dmu_control_exit(void)
{
	class_destroy(dmu_class);
	unregister_chrdev_region(first_devt, DMU_MINORS);
	destroy_workqueue(dmu_workqueue);
}
