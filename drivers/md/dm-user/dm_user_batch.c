// SPDX-License-Identifier: GPL-2.0-only
/*
 * dm-user: the batch interface of a channel, which answers and fetches many requests in
 * one call.
 *
 * A task that copies data has the request's slot for itself, so that no lock is needed. It
 * waits for user memory with nothing pinned.
 */
#include <linux/bio.h>
#include <linux/uaccess.h>

#include "dm_user.h"

/* Copies all data of a request to or from @data. Returns 0, -EFAULT or -ESTALE. */
static int copy_all(struct dmu_channel *ch, struct dmu_slot *slot, u64 data, bool to_user)
{
	void __user *user = u64_to_user_ptr(data);
	unsigned int tries = 0;
	struct bvec_iter at;
	struct iov_iter iter;
	bool begun = false;

	if (!access_ok(user, slot->len))
		return -EFAULT;
	iov_iter_ubuf(&iter, to_user ? ITER_DEST : ITER_SOURCE, user, slot->len);
	for (;;) {
		struct dmu_request *r = dmu_pin(ch, slot);
		size_t done, want, missing;

		if (!r)
			return -ESTALE;
		if (!begun)
			at = dmu_bio(r)->bi_iter;
		begun = true;
		done = dmu_copy(dmu_bio(r), &at, &iter, to_user);
		dmu_unpin(ch, slot);
		if (!iov_iter_count(&iter))
			return 0;
		tries = done ? 0 : tries + 1;
		want = min_t(size_t, iov_iter_count(&iter), DMU_MAX_FAULT_IN);
		missing = to_user ? fault_in_iov_iter_writeable(&iter, want) :
				    fault_in_iov_iter_readable(&iter, want);
		if (missing == want || tries == DMU_MAX_TRIES)
			return -EFAULT;
	}
}

static int fetch_one(struct dmu_channel *ch, struct dm_user_request __user *user)
{
	struct dm_user_request request;
	struct dmu_slot *slot;
	int error = 0;

	if (!dmu_channel_ready(ch))
		return -EAGAIN;
	if (copy_from_user(&request, user, sizeof(request)))
		return -EFAULT;
	if (request.reserved)
		return -EINVAL;
	slot = dmu_fetch(ch, request.room);
	if (IS_ERR(slot))
		return PTR_ERR(slot);
	request.type = slot->type;
	request.flags = slot->flags;
	if (slot->redelivered)
		request.flags |= DM_USER_REQ_REDELIVERED;
	request.seq = slot->seq;
	request.sector = slot->sector;
	request.len = slot->len;
	if (slot->type == DM_USER_REQ_MAP_WRITE)
		error = copy_all(ch, slot, request.data, true);
	if (!error && copy_to_user(user, &request, sizeof(request)))
		error = -EFAULT;
	if (error)
		return dmu_put_back(ch, slot, false) ?: error;
	dmu_delivered(ch, slot);
	return 0;
}

/* Fetches what there is, and waits for the first. */
static int fetch_all(struct dmu_channel *ch, struct dm_user_xfer *xfer, bool nowait)
{
	struct dm_user_request __user *requests = u64_to_user_ptr(xfer->requests);
	int error = 0;

	while (xfer->fetched < xfer->nr_requests) {
		error = fetch_one(ch, requests + xfer->fetched);
		if (!error) {
			xfer->fetched++;
			continue;
		}
		if (error != -EAGAIN || xfer->fetched || nowait)
			break;
		error = dmu_channel_wait(ch);
		if (error)
			break;
	}
	/* This call may have been woken for a request that it leaves. */
	if (error && error != -EAGAIN)
		wake_up_interruptible_all(&ch->control->wait);
	return error;
}

static int answer_one(struct dmu_channel *ch, const struct dm_user_reply __user *user)
{
	static const blk_status_t status[] = {
		[DM_USER_RESP_SUCCESS] = BLK_STS_OK,
		[DM_USER_RESP_ERROR] = BLK_STS_IOERR,
		[DM_USER_RESP_UNSUPPORTED] = BLK_STS_NOTSUPP,
		[DM_USER_RESP_NOSPC] = BLK_STS_NOSPC,
		[DM_USER_RESP_TIMEDOUT] = BLK_STS_TIMEOUT,
		[DM_USER_RESP_NOLINK] = BLK_STS_TRANSPORT,
		[DM_USER_RESP_ILSEQ] = BLK_STS_PROTECTION,
		[DM_USER_RESP_AGAIN] = BLK_STS_AGAIN,
	};
	struct dm_user_reply reply;
	struct dmu_slot *slot;
	int error = 0;

	if (copy_from_user(&reply, user, sizeof(reply)))
		return -EFAULT;
	if (reply.reserved || reply.type >= ARRAY_SIZE(status) ||
	    (reply.flags && reply.type != DM_USER_RESP_REMAP))
		return -EINVAL;
	slot = dmu_take_answerable(ch, reply.seq);
	if (IS_ERR(slot))
		return PTR_ERR(slot);
	if (reply.type == DM_USER_RESP_AGAIN)
		return dmu_put_back(ch, slot, true);
	if (reply.type == DM_USER_RESP_REMAP)
		return dmu_remap(ch, slot, &reply);
	if (reply.type == DM_USER_RESP_SUCCESS && slot->type == DM_USER_REQ_MAP_READ) {
		error = reply.len == slot->len ?
			copy_all(ch, slot, reply.data, false) : -EINVAL;
		if (error) {
			/* It can be answered again. */
			dmu_delivered(ch, slot);
			return error;
		}
	}
	return dmu_answer(ch, slot, status[reply.type]);
}

static int answer_all(struct dmu_channel *ch, struct dm_user_xfer *xfer)
{
	struct dm_user_reply __user *replies = u64_to_user_ptr(xfer->replies);
	int error = 0;

	while (!error && xfer->replied < xfer->nr_replies) {
		error = answer_one(ch, replies + xfer->replied);
		xfer->replied += !error;
	}
	return error;
}

/* @replied and @fetched */
static int tell_counts(struct dm_user_xfer __user *user, const struct dm_user_xfer *xfer)
{
	return put_user(xfer->replied, &user->replied) ||
	       put_user(xfer->fetched, &user->fetched) ? -EFAULT : 0;
}

/**
 * dmu_xfer - DM_USER_XFER
 * @ch: the channel
 * @user: what to do
 * @nowait: don't wait for a request
 *
 * Return: 0 or an error, as struct dm_user_xfer says.
 */
int dmu_xfer(struct dmu_channel *ch, struct dm_user_xfer __user *user, bool nowait)
{
	struct dm_user_xfer xfer;
	int error;

	if (copy_from_user(&xfer, user, sizeof(xfer)))
		return -EFAULT;
	if (xfer.flags & ~DM_USER_XFER_VOLATILE || xfer.reserved ||
	    xfer.nr_replies > DM_USER_XFER_MAX || xfer.nr_requests > DM_USER_XFER_MAX)
		return -EINVAL;
	if (!dmu_channel_use(ch, DMU_BATCH))
		return -EBUSY;
	error = dmu_channel_error(ch);
	if (error)
		return error;
	xfer.replied = 0;
	xfer.fetched = 0;
	/* Rather fail now than when they cannot be taken back. */
	error = tell_counts(user, &xfer);
	if (error)
		return error;
	WRITE_ONCE(ch->caches, xfer.flags & DM_USER_XFER_VOLATILE);
	error = answer_all(ch, &xfer);
	if (!error)
		error = fetch_all(ch, &xfer, nowait);
	if (!xfer.replied && !xfer.fetched)
		return error;
	return tell_counts(user, &xfer);
}
