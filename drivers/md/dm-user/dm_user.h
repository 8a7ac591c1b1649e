/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dm-user: what its files share.
 *
 * A request belongs to exactly one list, and who takes it off ends it:
 *
 *	queued		dmu_control.queue, under queue_lock
 *	fetched		the dmu_slot of a channel, under the channel's lock
 *	ended		nobody; its bio is completed once no lock is held
 *
 * Per-bio data dies with the bio, so only the holder of one of these locks may look at
 * a request, or the task that has pinned its slot.
 *
 * A remapped request is device mapper's again until its end. dmu_extents.remapped, under
 * the lock there, knows it for DM_USER_UNMAP, and to fail it if a lost write may undo it.
 *
 * Lock order, outer first: dmu_controls_lock, dmu_control.lock, dmu_channel.lock,
 * dmu_control.queue_lock, dmu_extents.lock. The mutexes of a stream are outside all but
 * the first, and nothing sleeps on user memory with any lock held.
 */
#ifndef DM_USER_PRIVATE_H
#define DM_USER_PRIVATE_H

#include <linux/blk_types.h>
#include <linux/cdev.h>
#include <linux/device-mapper.h>
#include <linux/device.h>
#include <linux/hashtable.h>
#include <linux/jiffies.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/uio.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <uapi/linux/dm-user.h>

#define DM_MSG_PREFIX "user"

/* Includes the NUL. */
#define DMU_NAME_SIZE 64

#define DMU_MAX_DEVICES 16

/* How much of user memory to bring at once, if it is missing. */
#define DMU_MAX_FAULT_IN SZ_1M
/* A page can go again before it is used: each fork() of the daemon protects it. */
#define DMU_MAX_TRIES 16

struct dmu_channel;
struct dmu_target;

/**
 * struct dmu_extents - what the kernel remembers of remaps
 * @lock: protects the rest; taken where bios end, so with interrupts off
 * @tree: extents by their first sector; they don't overlap
 * @used: extents, the one that was used last at the front
 * @nr: their number, at most @max
 * @max: 0 while the device is suspended
 * @unmaps: number of DM_USER_UNMAP calls so far
 * @remapped: requests that are in flight to another device
 * @wait: calls of DM_USER_UNMAP that wait for some of them
 * @nr_remapped: requests that the daemon remapped so far
 * @nr_hits: requests that were sent on without asking
 */
struct dmu_extents {
	spinlock_t lock;	/* see above */
	struct rb_root tree;
	struct list_head used;
	unsigned int nr;
	unsigned int max;
	u64 unmaps;
	struct list_head remapped;
	wait_queue_head_t wait;
	u64 nr_remapped;
	u64 nr_hits;
};

/**
 * struct dmu_control - a control device, and the requests that wait for a daemon
 * @references: one for all targets, one for each channel
 * @minor: of the device, which is not used again before this structure is gone
 * @cdev: /dev/dm-user/NAME, until the last target goes. Neither this nor its struct
 *	device is part of this structure: they may be released late, by the driver
 *	core alone, after this module was unloaded.
 * @name: NAME
 * @md: the mapped device that the name belongs to; only compared
 * @node: in the list of all, under dmu_controls_lock
 * @targets: of tables of @md, live and not; under dmu_controls_lock
 * @lock: protects @live, @channels, @epoch and @gone
 * @live: the target of the live table, or NULL before the first resume
 * @channels: open ones
 * @epoch: see struct dm_user_info
 * @gone: no target is left
 * @lost: a daemon died with writes in its memory: the next flush must fail
 * @queue_lock: protects everything below, but @wait and @extents
 * @queue: requests that wait for a daemon; those that went back to it come first
 * @stale: slots whose requests have ended while the daemon may still carry
 *	them out: writes that overlap them fail
 * @next_seq: number of the next request
 * @failed: those with smaller numbers fail if they come back to @queue
 * @nr_queued: length of @queue
 * @reads: read requests so far
 * @writes: write requests so far
 * @errors: requests that ended with an error
 * @timeouts: those of them that timed out
 * @redelivered: requests that went back to @queue
 * @armed: @timer will run at @expires
 * @expires: in jiffies
 * @timer: ends requests that have waited too long
 * @wait: tasks that wait for a request; each new one wakes one of them
 * @extents: has its own lock
 */
struct dmu_control {
	struct kref references;
	int minor;
	struct cdev *cdev;
	char name[DMU_NAME_SIZE];
	struct mapped_device *md;
	struct list_head node;
	struct list_head targets;

	struct mutex lock;	/* see above */
	struct dmu_target *live;
	struct list_head channels;
	u64 epoch;
	bool gone;
	bool lost;

	spinlock_t queue_lock ____cacheline_aligned_in_smp;
	struct list_head queue;
	struct list_head stale;
	u64 next_seq;
	u64 failed;
	unsigned int nr_queued;
	u64 reads;
	u64 writes;
	u64 errors;
	u64 timeouts;
	u64 redelivered;
	bool armed;
	unsigned long expires;
	struct delayed_work timer;

	wait_queue_head_t wait;

	struct dmu_extents extents ____cacheline_aligned_in_smp;
};

/**
 * struct dmu_target - a target of a table
 * @ti: the device mapper's side
 * @control: its control device
 * @node: in the control device's list
 * @start: the first sector, as the daemon sees it
 * @timeout: in jiffies; 0 is no timeout
 * @timeout_ms: the same, as it was given
 * @block_size: in bytes
 * @max_io: in bytes
 * @max_extents: that the kernel remembers
 * @nr_devices: length of @devices
 * @devices: that requests may be remapped to
 * @redeliver: a closed channel's requests go to another one; otherwise they fail
 */
struct dmu_target {
	struct dm_target *ti;
	struct dmu_control *control;
	struct list_head node;
	u64 start;
	unsigned long timeout;
	unsigned int timeout_ms;
	unsigned int block_size;
	unsigned int max_io;
	unsigned int max_extents;
	unsigned int nr_devices;
	struct dm_dev *devices[DMU_MAX_DEVICES];
	bool redeliver;
};

/**
 * struct dmu_request - what the daemon is asked; per-bio data
 * @node: in the control device's queue, or in a list of ended requests
 * @target: where it comes from
 * @seq: its number
 * @sector: the first one, as the daemon sees it
 * @len: in bytes
 * @type: DM_USER_REQ_MAP_*
 * @flags: DM_USER_REQ_MAP_FLAG_*
 * @status: how it ended; of a remapped one, what takes the place of the device's status
 * @redelivered: an earlier channel may have begun it
 * @remapped: in dmu_extents.remapped, by @node
 * @unmaps: dmu_extents.unmaps when it was remapped
 * @deadline: when it fails in the queue, in jiffies
 * @last_deadline: when it fails, however often it is delivered
 */
struct dmu_request {
	struct list_head node;
	struct dmu_target *target;
	u64 seq;
	u64 sector;
	unsigned int len;
	u8 type;
	bool redelivered;
	bool remapped;
	blk_status_t status;
	u32 flags;
	u64 unmaps;
	unsigned long deadline;
	unsigned long last_deadline;
};

/**
 * struct dmu_slot - a channel's place for a request that it has fetched
 * @hash: in dmu_channel.answerable, by @seq
 * @node: in dmu_channel.slots, in the order of fetching
 * @stale: in dmu_control.stale
 * @request: NULL if it ended before it was answered
 * @pinned: a task copies the request's data; when it is done it completes the bio, if
 *	the request has @ended meanwhile
 * @ended: see @pinned
 * @status: see @pinned
 * @seq: of the request, as are the following
 * @sector: the first one
 * @len: in bytes
 * @type: DM_USER_REQ_MAP_*
 * @redelivered: see struct dmu_request
 * @unmapped: DM_USER_UNMAP came after the request was fetched
 * @flags: DM_USER_REQ_MAP_FLAG_*
 * @deadline: when the daemon must have answered, in jiffies
 *
 * A slot outlives its request if that timed out, to remember what may still be written.
 * Only its channel frees it, when it gets the answer or is closed.
 */
struct dmu_slot {
	struct hlist_node hash;
	struct list_head node;
	struct list_head stale;
	struct dmu_request *request;
	bool pinned;
	bool ended;
	blk_status_t status;
	u8 type;
	bool redelivered;
	bool unmapped;
	u64 seq;
	u64 sector;
	unsigned int len;
	u32 flags;
	unsigned long deadline;
};

/**
 * struct dmu_cursor - how far a message of a stream has come
 * @header: its bytes
 * @slot: where its request is; NULL while a reply's header is not complete
 * @pos: bytes of the message so far, header included
 * @iter: the rest of the data in the bio
 *
 * The bio itself is never advanced, so that it can be delivered again.
 */
struct dmu_cursor {
	struct dm_user_message header;
	struct dmu_slot *slot;
	size_t pos;
	struct bvec_iter iter;
};

enum dmu_interface { DMU_UNDECIDED, DMU_STREAM, DMU_BATCH };

/**
 * struct dmu_channel - an open file of a control device
 * @control: the device
 * @node: in its list
 * @interface: the one that was used first
 * @lock: protects the slots, @revoked and @dirty
 * @slots: all of them
 * @answerable: those whose requests the daemon has read whole
 * @revoked: it has lost its requests, and gets no more
 * @dirty: it has answered a write
 * @caches: the daemon keeps such writes in its memory until it answers a flush
 * @waiting: number of tasks that wait for a request
 * @read_lock: serializes the readers of the stream; protects @out
 * @out: the message that is being read
 * @write_lock: serializes the writers of the stream; protects @in
 * @in: the reply that is being written
 */
struct dmu_channel {
	struct dmu_control *control;
	struct list_head node;
	enum dmu_interface interface;

	spinlock_t lock;	/* see above */
	struct list_head slots;
	DECLARE_HASHTABLE(answerable, 6);
	bool revoked;
	bool dirty;
	bool caches;
	atomic_t waiting;

	struct mutex read_lock;		/* see above */
	struct dmu_cursor out;
	struct mutex write_lock;	/* see above */
	struct dmu_cursor in;
};

static inline struct bio *dmu_bio(struct dmu_request *request)
{
	return dm_bio_from_per_bio_data(request, sizeof(*request));
}

/* Does a request of this type change its sectors? */
static inline bool dmu_writes(u8 type)
{
	return type != DM_USER_REQ_MAP_READ && type != DM_USER_REQ_MAP_FLUSH;
}

/* Do two ranges of sectors overlap? */
static inline bool dmu_overlap(u64 a, u64 a_sectors, u64 b, u64 b_sectors)
{
	return a < b ? b - a < a_sectors : a - b < b_sectors;
}

/* When a request fails that is fetched, or put back, now. */
static inline unsigned long dmu_next_deadline(const struct dmu_request *r)
{
	unsigned long deadline = jiffies + r->target->timeout;

	return time_before(deadline, r->last_deadline) ? deadline : r->last_deadline;
}

/* dm_user_control.c */
extern struct workqueue_struct *dmu_workqueue;
extern const struct file_operations dmu_fops;
int dmu_control_init(void);
void dmu_control_exit(void);
int dmu_control_join(struct dmu_target *t, struct mapped_device *md, const char *name);
void dmu_control_leave(struct dmu_target *t);
void dmu_control_go_live(struct dmu_target *t);
void dmu_control_expire(struct dmu_control *c, bool all);
void dmu_timer(struct work_struct *work);
void dmu_control_status(struct dmu_control *c, char *result, unsigned int size);

/* dm_user_request.c */
void dmu_arm(struct dmu_control *c, unsigned long deadline);
int dmu_submit(struct dmu_target *t, struct bio *bio);
bool dmu_requeue(struct dmu_request *r, struct list_head *behind, bool seen,
		 struct list_head *ended);
void dmu_take_queued(struct dmu_control *c, blk_status_t (*why)(struct dmu_request *r),
		     struct list_head *ended);
void dmu_push_back(struct dmu_control *c);
bool dmu_is_stale(struct dmu_control *c, u8 type, u64 sector, unsigned int len);
void dmu_end_all(struct dmu_control *c, struct list_head *ended);
size_t dmu_copy(struct bio *bio, struct bvec_iter *at, struct iov_iter *iter,
		bool to_user);

/* dm_user_channel.c */
int dmu_channel_init(void);
void dmu_channel_exit(void);
struct dmu_channel *dmu_channel_create(void);
void dmu_channel_close(struct dmu_channel *ch, struct list_head *ended);
bool dmu_channel_use(struct dmu_channel *ch, enum dmu_interface interface);
bool dmu_channel_ready(struct dmu_channel *ch);
int dmu_channel_wait(struct dmu_channel *ch);
int dmu_channel_error(struct dmu_channel *ch);
struct dmu_slot *dmu_fetch(struct dmu_channel *ch, unsigned int room);
void dmu_delivered(struct dmu_channel *ch, struct dmu_slot *slot);
struct dmu_slot *dmu_take_answerable(struct dmu_channel *ch, u64 seq);
int dmu_answer(struct dmu_channel *ch, struct dmu_slot *slot, blk_status_t status);
int dmu_put_back(struct dmu_channel *ch, struct dmu_slot *slot, bool seen);
void dmu_slot_free(struct dmu_slot *slot);
struct dmu_request *dmu_pin(struct dmu_channel *ch, struct dmu_slot *slot);
void dmu_unpin(struct dmu_channel *ch, struct dmu_slot *slot);
void dmu_slot_end(struct dmu_slot *slot, blk_status_t status, struct list_head *ended);

/* dm_user_extent.c */
void dmu_extents_init(struct dmu_extents *x);
void dmu_extents_forget(struct dmu_extents *x, unsigned int max);
int dmu_extents_map(struct dmu_target *t, struct bio *bio);
void dmu_extents_fail_stale(struct dmu_control *c);
blk_status_t dmu_extents_end(struct dmu_target *t, struct dmu_request *r);
int dmu_remap(struct dmu_channel *ch, struct dmu_slot *slot,
	      const struct dm_user_reply *reply);
int dmu_unmap(struct dmu_channel *ch, u64 sector, u64 sectors);

/* dm_user_stream.c */
ssize_t dmu_stream_read(struct dmu_channel *ch, struct iov_iter *to, bool nowait);
ssize_t dmu_stream_write(struct dmu_channel *ch, struct iov_iter *from);

/* dm_user_batch.c */
int dmu_xfer(struct dmu_channel *ch, struct dm_user_xfer __user *user, bool nowait);

#endif
