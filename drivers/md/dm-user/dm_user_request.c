// SPDX-License-Identifier: GPL-2.0-only
/*
 * dm-user: requests outside of channels: from the bio to the queue, and their end.
 */
#include <linux/bio.h>
#include <linux/blk_types.h>
#include <linux/uaccess.h>

#include "dm_user.h"

/* Returns DM_USER_REQ_MAP_*, or a negative number if the daemon cannot be asked. */
static int request_type(struct bio *bio)
{
	switch (bio_op(bio)) {
	case REQ_OP_READ:
		return DM_USER_REQ_MAP_READ;
	case REQ_OP_WRITE:
		/* Device mapper flushes by an empty write with REQ_PREFLUSH. */
		if (!bio->bi_iter.bi_size)
			return DM_USER_REQ_MAP_FLUSH;
		return DM_USER_REQ_MAP_WRITE;
	case REQ_OP_FLUSH:
		return DM_USER_REQ_MAP_FLUSH;
	case REQ_OP_DISCARD:
		return DM_USER_REQ_MAP_DISCARD;
	case REQ_OP_SECURE_ERASE:
		return DM_USER_REQ_MAP_SECURE_ERASE;
	case REQ_OP_WRITE_ZEROES:
		return DM_USER_REQ_MAP_WRITE_ZEROES;
	default:
		return -EOPNOTSUPP;
	}
}

/* Hints that the daemon has no name for are dropped. */
static u32 request_flags(blk_opf_t opf)
{
	u32 flags = 0;

#define DMU_FLAG(name) do {					\
	if (opf & REQ_##name)					\
		flags |= DM_USER_REQ_MAP_FLAG_##name;		\
} while (0)
	DMU_FLAG(FAILFAST_DEV);
	DMU_FLAG(FAILFAST_TRANSPORT);
	DMU_FLAG(FAILFAST_DRIVER);
	DMU_FLAG(SYNC);
	DMU_FLAG(META);
	DMU_FLAG(PRIO);
	DMU_FLAG(NOMERGE);
	DMU_FLAG(IDLE);
	DMU_FLAG(FUA);
	DMU_FLAG(PREFLUSH);
	DMU_FLAG(RAHEAD);
	DMU_FLAG(BACKGROUND);
	DMU_FLAG(NOWAIT);
	DMU_FLAG(NOUNMAP);
	DMU_FLAG(SWAP);
#undef DMU_FLAG
	return flags;
}

/**
 * dmu_arm - have the timer run at @deadline, or earlier
 * @c: the control device
 * @deadline: in jiffies
 *
 * Context: queue_lock is held.
 */
void dmu_arm(struct dmu_control *c, unsigned long deadline)
{
	unsigned long now = jiffies;

	lockdep_assert_held(&c->queue_lock);
	if (c->armed && time_before_eq(c->expires, deadline))
		return;
	c->armed = true;
	c->expires = deadline;
	mod_delayed_work(dmu_workqueue, &c->timer,
			 time_after(deadline, now) ? deadline - now : 0);
}

/**
 * dmu_is_stale - may a request that failed, but is still carried out, undo this one?
 * @c: the control device
 * @type: DM_USER_REQ_MAP_*; only what writes can be undone
 * @sector: the first one
 * @len: in bytes
 *
 * Context: queue_lock is held.
 * Return: true if it may.
 */
bool dmu_is_stale(struct dmu_control *c, u8 type, u64 sector, unsigned int len)
{
	struct dmu_slot *slot;

	lockdep_assert_held(&c->queue_lock);
	if (!dmu_writes(type))
		return false;
	list_for_each_entry(slot, &c->stale, stale) {
		if (dmu_overlap(slot->sector, slot->len >> SECTOR_SHIFT, sector,
				len >> SECTOR_SHIFT))
			return true;
	}
	return false;
}

/**
 * dmu_submit - queue a bio for the daemon, or send it where the daemon said before
 * @t: a target of the live table
 * @bio: device mapper's clone
 *
 * Context: a task that submits I/O; does not sleep and allocates nothing.
 * Return: DM_MAPIO_SUBMITTED, DM_MAPIO_REMAPPED, or DM_MAPIO_REQUEUE during a noflush
 * suspend.
 */
int dmu_submit(struct dmu_target *t, struct bio *bio)
{
	struct dmu_request *r = dm_per_bio_data(bio, sizeof(*r));
	struct dmu_control *c = t->control;
	int type = request_type(bio);

	if (type < 0) {
		bio->bi_status = BLK_STS_NOTSUPP;
		bio_endio(bio);
		return DM_MAPIO_SUBMITTED;
	}
	r->target = t;
	r->type = type;
	r->flags = request_flags(bio->bi_opf);
	r->len = bio->bi_iter.bi_size;
	r->sector = t->start;
	/* A flush has no sector. */
	if (r->len)
		r->sector += dm_target_offset(t->ti, bio->bi_iter.bi_sector);
	r->redelivered = false;
	r->status = BLK_STS_OK;
	if (READ_ONCE(c->extents.nr)) {
		int ret = dmu_extents_map(t, bio);

		if (ret >= 0)
			return ret;
	}
	r->deadline = jiffies + t->timeout;
	r->last_deadline = r->deadline + t->timeout;

	spin_lock(&c->queue_lock);
	/* Ask under the lock: dmu_push_back() finds what is queued before. */
	if (dm_noflush_suspending(t->ti)) {
		spin_unlock(&c->queue_lock);
		return DM_MAPIO_REQUEUE;
	}
	if (dmu_is_stale(c, r->type, r->sector, r->len)) {
		c->errors++;
		spin_unlock(&c->queue_lock);
		bio_io_error(bio);
		return DM_MAPIO_SUBMITTED;
	}
	r->seq = c->next_seq++;
	list_add_tail(&r->node, &c->queue);
	c->nr_queued++;
	if (type == DM_USER_REQ_MAP_READ)
		c->reads++;
	else if (type == DM_USER_REQ_MAP_WRITE)
		c->writes++;
	if (t->timeout)
		dmu_arm(c, r->deadline);
	spin_unlock(&c->queue_lock);

	/* The table, and with it the control device, stays until we return. */
	if (wq_has_sleeper(&c->wait))
		wake_up_interruptible(&c->wait);
	return DM_MAPIO_SUBMITTED;
}

/* Why a request that comes back must end. */
static blk_status_t end_instead(struct dmu_control *c, struct dmu_request *r, bool seen)
{
	if (!seen && dm_noflush_suspending(r->target->ti))
		return BLK_STS_DM_REQUEUE;
	if (r->seq < c->failed)
		return BLK_STS_TIMEOUT;
	if (dmu_is_stale(c, r->type, r->sector, r->len))
		return BLK_STS_IOERR;
	return BLK_STS_OK;
}

/**
 * dmu_requeue - put back a request that was fetched
 * @r: the request, which belongs to nobody
 * @behind: put it behind this entry of the queue
 * @seen: the daemon may have begun it
 * @ended: gets it instead, if its sectors may still be written, after "fail", or for device
 *	mapper to keep
 *
 * Context: queue_lock is held.
 * Return: true if the request is in the queue.
 */
bool dmu_requeue(struct dmu_request *r, struct list_head *behind, bool seen,
		 struct list_head *ended)
{
	struct dmu_target *t = r->target;
	struct dmu_control *c = t->control;

	lockdep_assert_held(&c->queue_lock);
	r->status = end_instead(c, r, seen);
	if (r->status) {
		list_add_tail(&r->node, ended);
		return false;
	}
	if (seen) {
		r->redelivered = true;
		c->redelivered++;
	}
	list_add(&r->node, behind);
	c->nr_queued++;
	if (t->timeout) {
		r->deadline = dmu_next_deadline(r);
		dmu_arm(c, r->deadline);
	}
	return true;
}

/**
 * dmu_take_queued - take requests that are to end off the queue
 * @c: the control device
 * @why: whether, and with which status
 * @ended: gets them
 *
 * Context: queue_lock is held.
 */
void dmu_take_queued(struct dmu_control *c, blk_status_t (*why)(struct dmu_request *r),
		     struct list_head *ended)
{
	struct dmu_request *r, *next;

	lockdep_assert_held(&c->queue_lock);
	list_for_each_entry_safe(r, next, &c->queue, node) {
		r->status = why(r);
		if (r->status == BLK_STS_OK)
			continue;
		list_move_tail(&r->node, ended);
		c->nr_queued--;
	}
}

static blk_status_t never_fetched(struct dmu_request *r)
{
	return r->redelivered ? BLK_STS_OK : BLK_STS_DM_REQUEUE;
}

/**
 * dmu_push_back - give device mapper what no daemon has seen, for a noflush suspend
 * @c: the control device
 */
void dmu_push_back(struct dmu_control *c)
{
	LIST_HEAD(ended);

	spin_lock(&c->queue_lock);
	dmu_take_queued(c, never_fetched, &ended);
	spin_unlock(&c->queue_lock);
	dmu_end_all(c, &ended);
}

/**
 * dmu_end_all - complete the bios of requests that belong to nobody any more
 * @c: the control device
 * @ended: the requests; their status is set
 *
 * Context: no lock of ours is held: who waits for a bio may submit another.
 */
void dmu_end_all(struct dmu_control *c, struct list_head *ended)
{
	struct dmu_request *r, *next;
	unsigned int errors = 0, timeouts = 0;

	list_for_each_entry(r, ended, node) {
		if (r->type == DM_USER_REQ_MAP_FLUSH && r->status == BLK_STS_OK &&
		    READ_ONCE(c->lost) && xchg(&c->lost, false))
			r->status = BLK_STS_IOERR;
		errors += r->status && r->status != BLK_STS_DM_REQUEUE;
		timeouts += r->status == BLK_STS_TIMEOUT;
	}
	if (errors) {
		spin_lock(&c->queue_lock);
		c->errors += errors;
		c->timeouts += timeouts;
		spin_unlock(&c->queue_lock);
	}
	list_for_each_entry_safe(r, next, ended, node) {
		struct bio *bio = dmu_bio(r);

		bio->bi_status = r->status;
		bio_endio(bio);
	}
}

/**
 * dmu_copy - copy data between a bio and user memory, as far as this is present
 * @bio: the bio, which is not advanced
 * @at: where to begin in @bio; advanced
 * @iter: the user memory; advanced
 * @to_user: from @bio to @iter; otherwise the other way
 *
 * Context: does not sleep.
 * Return: the number of bytes. More remain in both if a page is missing.
 */
size_t dmu_copy(struct bio *bio, struct bvec_iter *at, struct iov_iter *iter,
		bool to_user)
{
	size_t done = 0;

	pagefault_disable();
	while (at->bi_size && iov_iter_count(iter)) {
		struct bio_vec bv = bio_iter_iovec(bio, *at);
		size_t n = to_user ?
			copy_page_to_iter(bv.bv_page, bv.bv_offset, bv.bv_len, iter) :
			copy_page_from_iter(bv.bv_page, bv.bv_offset, bv.bv_len, iter);

		if (!n)
			break;
		bio_advance_iter(bio, at, n);
		done += n;
	}
	pagefault_enable();
	return done;
}
