// SPDX-License-Identifier: GPL-2.0-only
/*
 * dm-user: requests that go to another device, and the extents that are remembered so that
 * the daemon need not be asked again.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/rbtree.h>
#include <linux/slab.h>

#include "dm_user.h"

/**
 * struct dmu_extent - where some sectors are
 * @node: in dmu_extents.tree
 * @used: in dmu_extents.used
 * @first: the first sector, as the daemon knows it
 * @sectors: their number
 * @device: NULL reads as zeroes
 * @sector: where on @device @first is
 * @reads: may be read there without asking
 * @writes: may be written there without asking
 */
struct dmu_extent {
	struct rb_node node;
	struct list_head used;
	u64 first;
	u64 sectors;
	struct block_device *device;
	u64 sector;
	bool reads;
	bool writes;
};

void dmu_extents_init(struct dmu_extents *x)
{
	spin_lock_init(&x->lock);
	x->tree = RB_ROOT;
	INIT_LIST_HEAD(&x->used);
	INIT_LIST_HEAD(&x->remapped);
	init_waitqueue_head(&x->wait);
}

/* The extent that holds @sector, or else the next one. */
static struct dmu_extent *find_extent(struct dmu_extents *x, u64 sector)
{
	struct rb_node *node = x->tree.rb_node;
	struct dmu_extent *e, *best = NULL;

	while (node) {
		e = rb_entry(node, struct dmu_extent, node);
		if (e->first + e->sectors > sector) {
			best = e;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return best;
}

static void remove_extent(struct dmu_extents *x, struct dmu_extent *e,
			  struct list_head *removed)
{
	rb_erase(&e->node, &x->tree);
	list_move(&e->used, removed);
	WRITE_ONCE(x->nr, x->nr - 1);
}

/* Removes what overlaps the @sectors from @first on. */
static void remove_range(struct dmu_extents *x, u64 first, u64 sectors,
			 struct list_head *removed)
{
	struct dmu_extent *e;

	while ((e = find_extent(x, first)) && dmu_overlap(e->first, e->sectors, first, sectors))
		remove_extent(x, e, removed);
}

static bool extent_is_before(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct dmu_extent, node)->first <
	       rb_entry(b, struct dmu_extent, node)->first;
}

/* Adds an extent in place of those that overlap it, or of the one not used for longest. */
static void add_extent(struct dmu_extents *x, struct dmu_extent *e,
		       struct list_head *removed)
{
	remove_range(x, e->first, e->sectors, removed);
	if (x->nr == x->max)
		remove_extent(x, list_last_entry(&x->used, struct dmu_extent, used),
			      removed);
	rb_add(&e->node, &x->tree, extent_is_before);
	list_add(&e->used, &x->used);
	WRITE_ONCE(x->nr, x->nr + 1);
}

static void free_extents(struct list_head *removed)
{
	struct dmu_extent *e, *next;

	list_for_each_entry_safe(e, next, removed, used)
		kfree(e);
}

/**
 * dmu_extents_forget - forget all extents
 * @x: the extents
 * @max: how many to remember from now on
 */
void dmu_extents_forget(struct dmu_extents *x, unsigned int max)
{
	LIST_HEAD(removed);

	spin_lock_irq(&x->lock);
	remove_range(x, 0, U64_MAX, &removed);
	x->max = max;
	spin_unlock_irq(&x->lock);
	free_extents(&removed);
}

/* The lock is held. The request is device mapper's again; its end is noticed. */
static void redirect(struct dmu_extents *x, struct dmu_request *r,
		     struct block_device *device, u64 sector)
{
	struct bio *bio = dmu_bio(r);

	bio_set_dev(bio, device);
	bio->bi_iter.bi_sector = sector;
	r->remapped = true;
	r->unmaps = x->unmaps;
	list_add(&r->node, &x->remapped);
}

/**
 * dmu_extents_map - send a new request where the daemon said before
 * @t: the target
 * @bio: of a request whose type, flags, sector and length are set. It is cut at the first
 *	border of an extent; the rest comes again.
 *
 * Return: DM_MAPIO_REMAPPED or DM_MAPIO_SUBMITTED; -ENOENT if the daemon is to be asked.
 */
int dmu_extents_map(struct dmu_target *t, struct bio *bio)
{
	struct dmu_request *r = dm_per_bio_data(bio, sizeof(*r));
	struct dmu_extents *x = &t->control->extents;
	u64 sectors = bio_sectors(bio), offset;
	int ret = -ENOENT;
	struct dmu_extent *e;
	unsigned long flags;
	bool allowed;

	if (!sectors || (r->type != DM_USER_REQ_MAP_READ &&
			 r->type != DM_USER_REQ_MAP_WRITE))
		return -ENOENT;
	spin_lock_irqsave(&x->lock, flags);
	/*
	 * dmu_submit() knows whether an earlier write may still come. Ask under the lock:
	 * dmu_extents_fail_stale() finds what was sent on before.
	 */
	if (dmu_writes(r->type) && !list_empty_careful(&t->control->stale))
		goto unlock;
	e = find_extent(x, r->sector);
	if (!e || e->first >= r->sector + sectors)
		goto unlock;
	if (e->first > r->sector) {
		dm_accept_partial_bio(bio, e->first - r->sector);
		r->len = bio->bi_iter.bi_size;
		goto unlock;
	}
	allowed = r->type == DM_USER_REQ_MAP_READ ? e->reads : e->writes;
	if (!allowed)
		goto unlock;
	offset = r->sector - e->first;
	if (e->sectors - offset < sectors) {
		dm_accept_partial_bio(bio, e->sectors - offset);
		r->len = bio->bi_iter.bi_size;
	}
	WRITE_ONCE(x->nr_hits, x->nr_hits + 1);
	list_move(&e->used, &x->used);
	if (e->device) {
		redirect(x, r, e->device, e->sector + offset);
		ret = DM_MAPIO_REMAPPED;
	} else {
		ret = DM_MAPIO_SUBMITTED;
	}
unlock:
	spin_unlock_irqrestore(&x->lock, flags);
	if (ret == DM_MAPIO_SUBMITTED) {
		zero_fill_bio(bio);
		bio_endio(bio);
	}
	return ret;
}

/**
 * dmu_extents_fail_stale - let remapped writes fail that a lost one may undo
 * @c: the control device
 *
 * Their data may have arrived. They must not be reported as done.
 *
 * Context: queue_lock is held.
 */
void dmu_extents_fail_stale(struct dmu_control *c)
{
	struct dmu_extents *x = &c->extents;
	struct dmu_request *r;

	lockdep_assert_held(&c->queue_lock);
	spin_lock_irq(&x->lock);
	list_for_each_entry(r, &x->remapped, node) {
		if (r->status || !dmu_is_stale(c, r->type, r->sector, r->len))
			continue;
		r->status = BLK_STS_IOERR;
		c->errors++;
	}
	spin_unlock_irq(&x->lock);
}

/**
 * dmu_extents_end - a remapped request has ended
 * @t: the target
 * @r: the request
 *
 * Context: any.
 * Return: BLK_STS_OK, or with what the request fails although the device carried it out.
 */
blk_status_t dmu_extents_end(struct dmu_target *t, struct dmu_request *r)
{
	struct dmu_extents *x = &t->control->extents;
	unsigned long flags;

	spin_lock_irqsave(&x->lock, flags);
	list_del(&r->node);
	spin_unlock_irqrestore(&x->lock, flags);
	if (wq_has_sleeper(&x->wait))
		wake_up_all(&x->wait);
	return r->status;
}

static bool has_range(u64 start, u64 len, u64 first, u64 sectors)
{
	return first >= start && sectors <= len && first - start <= len - sectors;
}

/* Can this reply remap this request? Then fills @e, which the caller may not need. */
static bool check_remap(const struct dmu_request *r, const struct dm_user_reply *reply,
			struct dmu_extent *e)
{
	struct dmu_target *t = r->target;
	u64 len = r->len >> SECTOR_SHIFT;

	*e = (struct dmu_extent) {
		.first = reply->flags ? reply->extent : r->sector,
		.sectors = reply->flags ? reply->sectors : len,
		.sector = reply->sector,
		.reads = reply->flags & DM_USER_CACHE_READS,
		.writes = reply->flags & DM_USER_CACHE_WRITES,
	};
	if (reply->flags & ~(DM_USER_CACHE_READS | DM_USER_CACHE_WRITES) ||
	    (!reply->flags && (reply->extent || reply->sectors)) ||
	    (e->first | e->sectors | e->sector) & (t->block_size / SECTOR_SIZE - 1))
		return false;
	if ((r->type != DM_USER_REQ_MAP_READ && r->type != DM_USER_REQ_MAP_WRITE) ||
	    !has_range(t->start, t->ti->len, e->first, e->sectors) ||
	    !has_range(e->first, e->sectors, r->sector, len))
		return false;
	if (reply->device == DM_USER_DEVICE_ZERO)
		return r->type == DM_USER_REQ_MAP_READ && !e->writes && !e->sector;
	if (reply->device >= t->nr_devices)
		return false;
	e->device = t->devices[reply->device]->bdev;
	if ((dmu_writes(r->type) || e->writes) && bdev_read_only(e->device))
		return false;
	return has_range(0, bdev_nr_sectors(e->device), e->sector, e->sectors);
}

/**
 * dmu_remap - answer a request by sending it to another device
 * @ch: the channel
 * @slot: the request's place, from dmu_take_answerable(); freed, unless it is too late
 * @reply: DM_USER_RESP_REMAP
 *
 * Return: 0, which includes that the request is delivered again; -EINVAL if the reply does
 * not fit the request, which may be answered again; -ESTALE if the request has ended.
 */
int dmu_remap(struct dmu_channel *ch, struct dmu_slot *slot,
	      const struct dm_user_reply *reply)
{
	struct dmu_extents *x = &ch->control->extents;
	struct dmu_extent extent, *e;
	struct dmu_request *r;
	LIST_HEAD(removed);
	LIST_HEAD(ended);

	/* Without it the kernel asks again. */
	e = reply->flags ? kmalloc(sizeof(*e), GFP_NOIO | __GFP_NOWARN) : NULL;
	spin_lock(&ch->lock);
	r = slot->request;
	if (!r || slot->unmapped || !check_remap(r, reply, &extent)) {
		int error = !r ? -ESTALE : slot->unmapped ? 0 : -EINVAL;

		spin_unlock(&ch->lock);
		kfree(e);
		if (error == -EINVAL)
			dmu_delivered(ch, slot);
		return error ?: dmu_put_back(ch, slot, true);
	}
	dmu_slot_free(slot);
	spin_lock_irq(&x->lock);
	x->nr_remapped++;
	if (extent.device)
		redirect(x, r, extent.device, extent.sector + r->sector - extent.first);
	else
		list_add(&r->node, &ended);
	if (e && x->max) {
		*e = extent;
		add_extent(x, e, &removed);
		e = NULL;
	}
	spin_unlock_irq(&x->lock);
	spin_unlock(&ch->lock);
	kfree(e);
	free_extents(&removed);
	if (extent.device) {
		/* The submitter has not waited; the daemon may. */
		dmu_bio(r)->bi_opf &= ~REQ_NOWAIT;
		submit_bio_noacct(dmu_bio(r));
	} else {
		zero_fill_bio(dmu_bio(r));
		dmu_end_all(ch->control, &ended);
	}
	return 0;
}

/* Replies to what these channels have fetched may be from before. */
static void mark_unmapped(struct dmu_control *c, u64 sector, u64 sectors)
{
	struct dmu_channel *ch;
	struct dmu_slot *slot;

	mutex_lock(&c->lock);
	list_for_each_entry(ch, &c->channels, node) {
		spin_lock(&ch->lock);
		list_for_each_entry(slot, &ch->slots, node) {
			if (dmu_overlap(slot->sector, slot->len >> SECTOR_SHIFT, sector, sectors))
				slot->unmapped = true;
		}
		spin_unlock(&ch->lock);
	}
	mutex_unlock(&c->lock);
}

static bool in_flight(struct dmu_extents *x, u64 sector, u64 sectors, u64 unmaps)
{
	struct dmu_request *r;
	bool found = false;

	spin_lock_irq(&x->lock);
	list_for_each_entry(r, &x->remapped, node) {
		found = r->unmaps < unmaps &&
			dmu_overlap(r->sector, r->len >> SECTOR_SHIFT, sector, sectors);
		if (found)
			break;
	}
	spin_unlock_irq(&x->lock);
	return found;
}

/**
 * dmu_unmap - DM_USER_UNMAP
 * @ch: the channel
 * @sector: see struct dm_user_unmap
 * @sectors: see struct dm_user_unmap
 *
 * Return: 0 or an error, as struct dm_user_unmap says.
 */
int dmu_unmap(struct dmu_channel *ch, u64 sector, u64 sectors)
{
	struct dmu_extents *x = &ch->control->extents;
	LIST_HEAD(removed);
	u64 unmaps;
	int error;

	if (!sectors)
		return -EINVAL;
	error = dmu_channel_error(ch);
	if (error)
		return error;
	/* First: a remap that escapes this is found below. */
	mark_unmapped(ch->control, sector, sectors);
	spin_lock_irq(&x->lock);
	remove_range(x, sector, sectors, &removed);
	unmaps = ++x->unmaps;
	spin_unlock_irq(&x->lock);
	free_extents(&removed);
	return wait_event_interruptible(x->wait, !in_flight(x, sector, sectors, unmaps));
}
