// SPDX-License-Identifier: GPL-2.0-only
/*
 * dm-user: a channel, and the requests that it has fetched.
 */
#include <linux/bio.h>
#include <linux/slab.h>

#include "dm_user.h"

static struct kmem_cache *slot_cache;

int __init dmu_channel_init(void)
{
	slot_cache = KMEM_CACHE(dmu_slot, 0);
	return slot_cache ? 0 : -ENOMEM;
}

void dmu_channel_exit(void)
{
	kmem_cache_destroy(slot_cache);
}

/* Forget a slot whose request is gone, or goes. The channel's lock is held. */
void dmu_slot_free(struct dmu_slot *slot)
{
	list_del(&slot->node);
	kmem_cache_free(slot_cache, slot);
}

struct dmu_channel *dmu_channel_create(void)
{
	struct dmu_channel *ch = kzalloc_obj(*ch);

	if (!ch)
		return NULL;
	spin_lock_init(&ch->lock);
	INIT_LIST_HEAD(&ch->slots);
	hash_init(ch->answerable);
	mutex_init(&ch->read_lock);
	mutex_init(&ch->write_lock);
	return ch;
}

/**
 * dmu_channel_close - deal with what a closed channel has not answered
 * @ch: the channel; no task uses it any more
 * @ended: gets the requests that fail
 *
 * Context: the control device's lock is held.
 */
void dmu_channel_close(struct dmu_channel *ch, struct list_head *ended)
{
	struct dmu_control *c = ch->control;
	struct list_head *behind = &c->queue;
	struct dmu_slot *slot, *next;

	spin_lock(&ch->lock);
	if (ch->caches && ch->dirty)
		WRITE_ONCE(c->lost, true);
	spin_lock(&c->queue_lock);
	list_for_each_entry(slot, &ch->slots, node)
		list_del_init(&slot->stale);
	list_for_each_entry_safe(slot, next, &ch->slots, node) {
		struct dmu_request *r = slot->request;

		dmu_slot_free(slot);
		if (!r)
			continue;
		if (!r->target->redeliver) {
			r->status = BLK_STS_IOERR;
			list_add_tail(&r->node, ended);
		} else if (dmu_requeue(r, behind, true, ended)) {
			behind = &r->node;
		}
	}
	spin_unlock(&c->queue_lock);
	spin_unlock(&ch->lock);
}

/**
 * dmu_channel_error - can the channel be used?
 * @ch: the channel
 *
 * Return: 0, -ENOTBLK if the target is gone, -ESTALE if the channel was revoked.
 */
int dmu_channel_error(struct dmu_channel *ch)
{
	if (READ_ONCE(ch->control->gone))
		return -ENOTBLK;
	return READ_ONCE(ch->revoked) ? -ESTALE : 0;
}

/**
 * dmu_channel_use - does the channel have this interface?
 * @ch: the channel
 * @interface: DMU_STREAM or DMU_BATCH; the first call decides
 *
 * Return: true if it has.
 */
bool dmu_channel_use(struct dmu_channel *ch, enum dmu_interface interface)
{
	enum dmu_interface was = READ_ONCE(ch->interface);

	if (was == DMU_UNDECIDED)
		was = cmpxchg(&ch->interface, DMU_UNDECIDED, interface);
	return was == DMU_UNDECIDED || was == interface;
}

/**
 * dmu_channel_ready - would a read return at once?
 * @ch: the channel
 *
 * Takes no lock: the answer may be old when it is used.
 *
 * Return: true if it would.
 */
bool dmu_channel_ready(struct dmu_channel *ch)
{
	return READ_ONCE(ch->out.slot) ||
	       !list_empty_careful(&ch->control->queue) ||
	       dmu_channel_error(ch);
}

/**
 * dmu_channel_wait - wait until dmu_channel_ready()
 * @ch: the channel
 *
 * Return: 0, or -ERESTARTSYS.
 */
int dmu_channel_wait(struct dmu_channel *ch)
{
	int error;

	atomic_inc(&ch->waiting);
	error = wait_event_interruptible_exclusive(ch->control->wait,
						   dmu_channel_ready(ch));
	atomic_dec(&ch->waiting);
	return error;
}

/**
 * dmu_fetch - take the first request of the queue
 * @ch: the channel that gets it
 * @room: bytes that the data of a write may have
 *
 * The request cannot be answered before dmu_delivered().
 *
 * Return: its slot; -EAGAIN if the queue is empty; -ENOMEM and -EMSGSIZE leave the
 * request in the queue; the error of the channel.
 */
struct dmu_slot *dmu_fetch(struct dmu_channel *ch, unsigned int room)
{
	struct dmu_control *c = ch->control;
	struct dmu_request *r = NULL;
	struct dmu_slot *slot;
	int error;

	error = dmu_channel_error(ch);
	if (error)
		return ERR_PTR(error);
	error = -EAGAIN;
	if (list_empty_careful(&c->queue))
		return ERR_PTR(-EAGAIN);
	slot = kmem_cache_alloc(slot_cache, GFP_NOIO);
	if (!slot)
		return ERR_PTR(-ENOMEM);

	spin_lock(&ch->lock);
	if (!ch->revoked) {
		spin_lock(&c->queue_lock);
		r = list_first_entry_or_null(&c->queue, struct dmu_request, node);
		if (r && r->type == DM_USER_REQ_MAP_WRITE && r->len > room) {
			error = -EMSGSIZE;
			r = NULL;
		}
		if (r) {
			list_del(&r->node);
			c->nr_queued--;
		}
		spin_unlock(&c->queue_lock);
	}
	if (!r) {
		spin_unlock(&ch->lock);
		kmem_cache_free(slot_cache, slot);
		return ERR_PTR(dmu_channel_error(ch) ?: error);
	}
	slot->request = r;
	slot->pinned = false;
	slot->ended = false;
	slot->type = r->type;
	slot->redelivered = r->redelivered;
	slot->unmapped = false;
	slot->seq = r->seq;
	slot->sector = r->sector;
	slot->len = r->len;
	slot->flags = r->flags;
	slot->deadline = dmu_next_deadline(r);
	INIT_HLIST_NODE(&slot->hash);
	INIT_LIST_HEAD(&slot->stale);
	list_add_tail(&slot->node, &ch->slots);
	spin_unlock(&ch->lock);
	return slot;
}

/**
 * dmu_delivered - the daemon has the whole request and may answer it
 * @ch: the channel
 * @slot: the request's place
 */
void dmu_delivered(struct dmu_channel *ch, struct dmu_slot *slot)
{
	spin_lock(&ch->lock);
	hash_add(ch->answerable, &slot->hash, slot->seq);
	spin_unlock(&ch->lock);
}

/**
 * dmu_take_answerable - find the request that a reply is for
 * @ch: the channel
 * @seq: the number in the reply
 *
 * No other reply finds it again.
 *
 * Return: its slot; -EINVAL if the channel has no such request to answer, -ESTALE if
 * it has lost it.
 */
struct dmu_slot *dmu_take_answerable(struct dmu_channel *ch, u64 seq)
{
	struct dmu_slot *slot;

	spin_lock(&ch->lock);
	if (ch->revoked) {
		spin_unlock(&ch->lock);
		return ERR_PTR(-ESTALE);
	}
	hash_for_each_possible(ch->answerable, slot, hash, seq) {
		if (slot->seq == seq) {
			hash_del(&slot->hash);
			spin_unlock(&ch->lock);
			return slot;
		}
	}
	spin_unlock(&ch->lock);
	return ERR_PTR(-EINVAL);
}

/**
 * dmu_pin - keep a request, and its bio, while its data is copied
 * @ch: the channel
 * @slot: the request's place
 *
 * Only one task at a time has business with a slot. The caller must not sleep before
 * dmu_unpin(): the end of the request waits for it.
 *
 * Return: the request, or NULL if it has ended.
 */
struct dmu_request *dmu_pin(struct dmu_channel *ch, struct dmu_slot *slot)
{
	struct dmu_request *r;

	spin_lock(&ch->lock);
	r = slot->request;
	if (r)
		slot->pinned = true;
	spin_unlock(&ch->lock);
	return r;
}

/**
 * dmu_unpin - complete the request if it has ended since dmu_pin()
 * @ch: the channel
 * @slot: the request's place
 */
void dmu_unpin(struct dmu_channel *ch, struct dmu_slot *slot)
{
	LIST_HEAD(ended);

	spin_lock(&ch->lock);
	slot->pinned = false;
	if (slot->ended) {
		slot->request->status = slot->status;
		list_add_tail(&slot->request->node, &ended);
		slot->request = NULL;
	}
	spin_unlock(&ch->lock);
	if (list_empty(&ended))
		return;
	/* Writes that overlap it may still succeed. Wait until they fail, too. */
	mutex_lock(&ch->control->lock);
	mutex_unlock(&ch->control->lock);
	dmu_end_all(ch->control, &ended);
}

/**
 * dmu_slot_end - end a request without an answer
 * @slot: its place, which stays
 * @status: why
 * @ended: gets it, unless it is pinned
 *
 * Context: the channel's lock is held.
 */
void dmu_slot_end(struct dmu_slot *slot, blk_status_t status, struct list_head *ended)
{
	if (!slot->request || slot->ended)
		return;
	if (slot->pinned) {
		slot->ended = true;
		slot->status = status;
		return;
	}
	slot->request->status = status;
	list_add_tail(&slot->request->node, ended);
	slot->request = NULL;
}

/**
 * dmu_answer - end a request with the daemon's answer
 * @ch: the channel
 * @slot: the request's place, from dmu_take_answerable(); freed, unless it is too late
 * @status: the answer
 *
 * Return: 0, or -ESTALE if the request has ended before.
 */
int dmu_answer(struct dmu_channel *ch, struct dmu_slot *slot, blk_status_t status)
{
	struct dmu_request *r;
	LIST_HEAD(ended);

	spin_lock(&ch->lock);
	r = slot->request;
	if (!r) {
		spin_unlock(&ch->lock);
		return -ESTALE;
	}
	if (status == BLK_STS_OK && dmu_writes(r->type))
		ch->dirty = true;
	dmu_slot_free(slot);
	spin_unlock(&ch->lock);
	r->status = status;
	list_add(&r->node, &ended);
	dmu_end_all(ch->control, &ended);
	return 0;
}

/**
 * dmu_put_back - return a request to the queue
 * @ch: the channel
 * @slot: the request's place, which no reply can find; freed, unless it is too late
 * @seen: the daemon has returned it: it goes behind all others; otherwise before them
 *
 * Return: 0, or -ESTALE if the request has ended before.
 */
int dmu_put_back(struct dmu_channel *ch, struct dmu_slot *slot, bool seen)
{
	struct dmu_control *c = ch->control;
	struct dmu_request *r;
	LIST_HEAD(ended);

	spin_lock(&ch->lock);
	r = slot->request;
	if (!r) {
		spin_unlock(&ch->lock);
		return -ESTALE;
	}
	dmu_slot_free(slot);
	spin_lock(&c->queue_lock);
	dmu_requeue(r, seen ? c->queue.prev : &c->queue, seen, &ended);
	spin_unlock(&c->queue_lock);
	spin_unlock(&ch->lock);
	wake_up_interruptible(&c->wait);
	dmu_end_all(c, &ended);
	return 0;
}
