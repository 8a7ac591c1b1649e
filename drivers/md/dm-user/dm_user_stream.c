// SPDX-License-Identifier: GPL-2.0-only
/*
 * dm-user: the byte stream of a channel.
 *
 * Copy with page faults disabled. If a page is missing, drop all locks, fault it in, and
 * try again: a buffer that never becomes present holds up only the task that passed it.
 */
#include <linux/bio.h>
#include <linux/uaccess.h>

#include "dm_user.h"

#define HEADER sizeof(struct dm_user_message)

/* Copies up to @len bytes of a header between @cur and @iter. */
static size_t copy_header(struct dmu_cursor *cur, struct iov_iter *iter, bool to_user)
{
	void *header = (void *)&cur->header + cur->pos;
	size_t done, len = min(HEADER - cur->pos, iov_iter_count(iter));

	pagefault_disable();
	done = to_user ? copy_to_iter(header, len, iter) :
			 copy_from_iter(header, len, iter);
	pagefault_enable();
	cur->pos += done;
	return done;
}

/* Copies data between the bio and @iter until one of them ends or a page is missing. */
static size_t copy_data(struct dmu_cursor *cur, struct bio *bio, struct iov_iter *iter,
			bool to_user)
{
	size_t done = dmu_copy(bio, &cur->iter, iter, to_user);

	cur->pos += done;
	return done;
}

static void fill_header(struct dmu_cursor *cur, const struct dmu_slot *slot)
{
	cur->header = (struct dm_user_message) {
		.seq = slot->seq,
		.type = slot->type,
		.flags = slot->flags,
		.sector = slot->sector,
		.len = slot->len,
	};
}

/*
 * Reads what is left of the header or of the data, and fetches a request if none is being
 * read. Sets @missing if a page of user memory is missing. It has then read nothing, so
 * that no other reader can come between; with @some, it has read what was there.
 */
static ssize_t read_message(struct dmu_channel *ch, struct iov_iter *to, bool some,
			    bool *missing)
{
	struct dmu_cursor *out = &ch->out;
	bool fetched = !out->slot;
	struct bvec_iter iter;
	struct dmu_request *r;
	size_t done, pos;

	if (fetched) {
		struct dmu_slot *slot = dmu_fetch(ch, UINT_MAX);

		if (IS_ERR(slot))
			return PTR_ERR(slot);
		WRITE_ONCE(out->slot, slot);
		out->pos = 0;
	}
	r = dmu_pin(ch, out->slot);
	if (!r)
		return -ESTALE;
	if (fetched) {
		fill_header(out, out->slot);
		out->iter = dmu_bio(r)->bi_iter;
		if (r->type != DM_USER_REQ_MAP_WRITE)
			out->iter.bi_size = 0;
	}
	pos = out->pos;
	iter = out->iter;
	if (out->pos < HEADER) {
		done = copy_header(out, to, true);
		*missing = out->pos < HEADER && iov_iter_count(to);
	} else {
		done = copy_data(out, dmu_bio(r), to, true);
		*missing = out->iter.bi_size && iov_iter_count(to);
	}
	dmu_unpin(ch, out->slot);
	if (*missing && !some) {
		out->pos = pos;
		out->iter = iter;
		iov_iter_revert(to, done);
		return done;
	}
	if (out->pos >= HEADER && !out->iter.bi_size) {
		dmu_delivered(ch, out->slot);
		WRITE_ONCE(out->slot, NULL);
	}
	return done;
}

/**
 * dmu_stream_read - read() of a channel
 * @ch: the channel
 * @to: where to
 * @nowait: don't wait for a request
 *
 * Return: the number of bytes; errors as struct dm_user_message says.
 */
ssize_t dmu_stream_read(struct dmu_channel *ch, struct iov_iter *to, bool nowait)
{
	struct dmu_control *c = ch->control;
	bool some = false, missing;
	unsigned int tries = 0;
	ssize_t done;
	int error;

	if (!iov_iter_count(to))
		return 0;
	if (!dmu_channel_use(ch, DMU_STREAM))
		return -EBUSY;
	for (;;) {
		bool more;

		missing = false;
		mutex_lock(&ch->read_lock);
		done = dmu_channel_error(ch) ?: read_message(ch, to, some, &missing);
		more = ch->out.slot;
		mutex_unlock(&ch->read_lock);
		if (more) {
			/* Pairs with set_current_state() between @waiting and @out. */
			smp_mb();
		}
		/*
		 * Let a waiting reader take the rest. After an error let others take the
		 * request that this one may have been woken for.
		 */
		if ((more && atomic_read(&ch->waiting)) || (done < 0 && done != -EAGAIN))
			wake_up_interruptible_all(&c->wait);
		if (missing && !some) {
			size_t want = min_t(size_t, iov_iter_count(to), done + DMU_MAX_FAULT_IN);

			/* If this brings nothing, read what can be read. */
			some = fault_in_iov_iter_writeable(to, want) >= want - done ||
			       ++tries == DMU_MAX_TRIES;
			continue;
		}
		if (missing && !done)
			return -EFAULT;
		if (done != -EAGAIN)
			return done;
		if (nowait)
			return -EAGAIN;
		error = dmu_channel_wait(ch);
		if (error)
			return error;
	}
}

/* The header is complete: find its request. Returns 1 if data follows. */
static int begin_reply(struct dmu_channel *ch)
{
	static const blk_status_t status[] = {
		[DM_USER_RESP_SUCCESS] = BLK_STS_OK,
		[DM_USER_RESP_ERROR] = BLK_STS_IOERR,
		[DM_USER_RESP_UNSUPPORTED] = BLK_STS_NOTSUPP,
	};
	struct dmu_cursor *in = &ch->in;
	u64 type = in->header.type;
	struct dmu_slot *slot;
	struct dmu_request *r;
	bool data;

	in->pos = 0;
	if (type >= ARRAY_SIZE(status))
		return -EINVAL;
	slot = dmu_take_answerable(ch, in->header.seq);
	if (IS_ERR(slot))
		return PTR_ERR(slot);
	r = dmu_pin(ch, slot);
	if (!r)
		return -ESTALE;
	in->iter = dmu_bio(r)->bi_iter;
	data = type == DM_USER_RESP_SUCCESS && r->type == DM_USER_REQ_MAP_READ;
	dmu_unpin(ch, slot);
	if (!data)
		return dmu_answer(ch, slot, status[type]);
	in->slot = slot;
	in->pos = HEADER;
	return 1;
}

/* Takes data of a reply. Returns 1 if more follows. */
static int take_data(struct dmu_channel *ch, struct iov_iter *from, size_t *done)
{
	struct dmu_cursor *in = &ch->in;
	struct dmu_request *r = dmu_pin(ch, in->slot);
	struct dmu_slot *slot = in->slot;

	if (!r)
		return -ESTALE;
	*done += copy_data(in, dmu_bio(r), from, false);
	dmu_unpin(ch, slot);
	if (in->iter.bi_size)
		return 1;
	in->slot = NULL;
	in->pos = 0;
	return dmu_answer(ch, slot, BLK_STS_OK);
}

/*
 * Takes what @from has of one reply. If a page of user memory is missing, it takes
 * nothing, so that no other writer can come between, and sets @missing to its offset.
 */
static ssize_t write_message(struct dmu_channel *ch, struct iov_iter *from,
			     size_t *missing)
{
	struct dmu_cursor *in = &ch->in;
	struct dmu_cursor saved = *in;
	size_t done = 0;
	int more = 1;

	if (!in->slot) {
		done = copy_header(in, from, false);
		if (in->pos == HEADER)
			more = begin_reply(ch);
	}
	if (more > 0 && in->slot && iov_iter_count(from))
		more = take_data(ch, from, &done);
	if (more < 0)
		return more;
	if (!more || !iov_iter_count(from))
		return done;
	if (in->slot != saved.slot)
		dmu_delivered(ch, in->slot);
	*in = saved;
	iov_iter_revert(from, done);
	*missing = done;
	return 0;
}

/**
 * dmu_stream_write - write() of a channel
 * @ch: the channel
 * @from: bytes of replies
 *
 * Return: the number of bytes, which end with the first reply that is complete; errors as
 * struct dm_user_message says.
 */
ssize_t dmu_stream_write(struct dmu_channel *ch, struct iov_iter *from)
{
	unsigned int tries = 0;
	size_t missing, want;
	ssize_t done;

	if (!iov_iter_count(from))
		return 0;
	if (!dmu_channel_use(ch, DMU_STREAM))
		return -EBUSY;
	for (;;) {
		mutex_lock(&ch->write_lock);
		done = dmu_channel_error(ch) ?: write_message(ch, from, &missing);
		mutex_unlock(&ch->write_lock);
		if (done)
			return done;
		want = min_t(size_t, iov_iter_count(from), missing + DMU_MAX_FAULT_IN);
		if (fault_in_iov_iter_readable(from, want) >= want - missing ||
		    ++tries == DMU_MAX_TRIES)
			return -EFAULT;
	}
}
