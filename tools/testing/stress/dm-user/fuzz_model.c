// SPDX-License-Identifier: GPL-2.0-only
/* Predicts what channels do, see fuzz_model.h. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/param.h>

#include "fuzz_model.h"
#include "stress.h"

struct request requests[NR_USERS];
struct channel channels[NR_CHANNELS];
struct user *users;

static bool draining;

static int number(const struct channel *ch)
{
	return ch - channels;
}

static const uint64_t types[] = {
	[IO_READ] = DM_USER_REQ_MAP_READ,
	[IO_WRITE] = DM_USER_REQ_MAP_WRITE,
	[IO_FSYNC] = DM_USER_REQ_MAP_FLUSH,
	[IO_DISCARD] = DM_USER_REQ_MAP_DISCARD,
};

static bool changes_sectors(const struct request *r)
{
	return r->type != DM_USER_REQ_MAP_READ && r->type != DM_USER_REQ_MAP_FLUSH;
}

void model_submit(int user)
{
	struct user *u = &users[user];
	struct request *r = &requests[user];

	*r = (struct request) {
		.state = SUBMITTED,
		.type = types[u->op],
		.sector = u->sector,
		.len = u->len,
	};
	for (int i = 0; i < NR_CHANNELS; i++)
		r->may_fail |= channels[i].stale[user] && changes_sectors(r);
}

/* What the user gets when the daemon answers so. */
static int result_of(const struct request *r, uint64_t type)
{
	if (type == DM_USER_RESP_SUCCESS)
		return 0;
	if (type == DM_USER_RESP_ERROR)
		return -EIO;
	/* The block layer hides this one. */
	return r->type == DM_USER_REQ_MAP_FLUSH || r->type == DM_USER_REQ_MAP_DISCARD ?
	       0 : -EOPNOTSUPP;
}

static void answer(struct request *r, int result)
{
	r->state = ANSWERED;
	r->answerable = false;
	r->result = result;
}

void model_done(int user)
{
	struct request *r = &requests[user];
	int result = users[user].result;

	if (r->state == SUBMITTED && !r->delivered &&
	    ((result == -ETIMEDOUT && r->may_time_out) ||
	     (result == -EIO && r->may_fail)))
		answer(r, result);
	if (r->state == SUBMITTED && draining)
		answer(r, 0);
	if (!check(r->state == ANSWERED,
		   "user %d got %d, and nobody has answered (state %d, type %lu, seq %lu)",
		   user, result, r->state, r->type, r->seq))
		return;
	check(result == r->result, "user %d got %d, not %d (type %lu, seq %lu)", user,
	      result, r->result, r->type, r->seq);
	if (!result && !r->result && r->type == DM_USER_REQ_MAP_READ)
		check(!memcmp(users[user].data, r->data, r->len),
		      "user %d got other data than the daemon gave (seq %lu)", user,
		      r->seq);
	r->state = NONE;
}

/* Requests that some channel has fetched; nobody knows which. */
static int nr_unknown(void)
{
	int nr = 0;

	for (int i = 0; i < NR_CHANNELS; i++)
		nr += channels[i].reading && channels[i].out_pos < HEADER;
	return nr;
}

/* Could the queue be empty? Could it have a request? */
static bool may_be_empty(void)
{
	int nr = 0;

	for (int i = 0; i < NR_USERS; i++)
		nr += requests[i].state == SUBMITTED && requests[i].delivered;
	return nr <= nr_unknown();
}

static bool may_have_one(void)
{
	int nr = 0;

	for (int i = 0; i < NR_USERS; i++)
		nr += requests[i].state == SUBMITTED;
	return nr > nr_unknown();
}

/* The header of a request was read: whose is it, and is it right? */
static void begin_request(struct channel *ch)
{
	struct dm_user_message *m = &ch->out;
	struct request *r = NULL;
	int user;

	for (user = 0; user < NR_USERS; user++) {
		r = &requests[user];
		if (r->state == SUBMITTED && r->type == m->type &&
		    (r->type == DM_USER_REQ_MAP_FLUSH ||
		     (r->sector == m->sector && r->len == m->len)) &&
		    (!r->delivered || r->seq == m->seq))
			break;
	}
	if (!check(user < NR_USERS,
		   "a request that nobody has made: type %llu, sector %llu, len %llu, seq %llu",
		   m->type, m->sector, m->len, m->seq))
		return;
	r->state = FETCHED;
	r->channel = number(ch);
	r->seq = m->seq;
	r->delivered = true;
	r->answerable = false;
	ch->out_user = user;
}

static void check_written(struct channel *ch, const unsigned char *data, size_t len)
{
	struct request *r = &requests[ch->out_user];
	size_t at = ch->out_pos - HEADER;

	check(!memcmp((char *)users[ch->out_user].data + at, data, len),
	      "wrong data in a write request (seq %lu)", r->seq);
}

static void expect(const char *call, const struct channel *ch, ssize_t ret, ssize_t right)
{
	check(ret == right, "%s of channel %d: %zd, not %zd", call, number(ch), ret,
	      right);
}

static size_t rest_of_message(const struct channel *ch)
{
	if (ch->out_pos < HEADER)
		return HEADER - ch->out_pos;
	return HEADER + requests[ch->out_user].len - ch->out_pos;
}

void model_read(struct channel *ch, const struct memory *mem, size_t len, ssize_t ret)
{
	size_t there = MIN(mem->there, len), n;

	if (mem->kernel || !len)
		return expect("read", ch, ret, mem->kernel ? -EFAULT : 0);
	if (ch->revoked)
		return expect("read", ch, ret, -ESTALE);
	if (!ch->reading) {
		if (ret == -EAGAIN) {
			check(may_be_empty(), "EAGAIN, and requests wait");
			return;
		}
		if (!check(may_have_one(), "%zd from an empty queue", ret))
			return;
		ch->reading = true;
		ch->out_pos = 0;
	}
	n = MIN(rest_of_message(ch), there);
	expect("read", ch, ret, n ? (ssize_t)n : -EFAULT);
	if (ret <= 0 || ret > (ssize_t)n)
		return;
	if (ch->out_pos < HEADER)
		memcpy((char *)&ch->out + ch->out_pos, mem->at, ret);
	else
		check_written(ch, mem->at, ret);
	ch->out_pos += ret;
	if (ch->out_pos == HEADER)
		begin_request(ch);
	if (failed())
		return;
	if (ch->out_pos >= HEADER && (ch->out.type != DM_USER_REQ_MAP_WRITE ||
				      ch->out_pos == HEADER + requests[ch->out_user].len)) {
		ch->reading = false;
		requests[ch->out_user].answerable = true;
	}
}

/* The header of a reply is complete. Returns -EINVAL; 0: it is all; 1: data follows. */
static int begin_reply(struct channel *ch, const struct dm_user_message *m)
{
	for (int user = 0; user < NR_USERS; user++) {
		struct request *r = &requests[user];

		if (r->state != FETCHED || r->channel != number(ch) || !r->answerable ||
		    r->seq != m->seq || m->type > DM_USER_RESP_UNSUPPORTED)
			continue;
		ch->in_user = user;
		return m->type == DM_USER_RESP_SUCCESS &&
		       r->type == DM_USER_REQ_MAP_READ;
	}
	return -EINVAL;
}

/*
 * Predicts a write of @len accessible bytes; with @more, inaccessible bytes follow them.
 * Returns the number of bytes taken, -EINVAL, or -EFAULT if it needs the inaccessible ones.
 */
static ssize_t take(struct channel *ch, const unsigned char *data, size_t len, bool more)
{
	struct request *r;
	size_t n, done = 0;
	int data_follows = 1;

	if (ch->in_user < 0) {
		done = MIN(HEADER - ch->in_pos, len);
		memcpy((char *)&ch->in + ch->in_pos, data, done);
		ch->in_pos += done;
		if (ch->in_pos < HEADER)
			return more ? -EFAULT : (ssize_t)done;
		data_follows = begin_reply(ch, &ch->in);
		if (data_follows < 0)
			ch->in_pos = 0;
		if (data_follows < 0)
			return data_follows;
	}
	r = &requests[ch->in_user];
	/* No other reply finds it now. */
	r->answerable = false;
	if (data_follows) {
		n = MIN(HEADER + r->len - ch->in_pos, len - done);
		memcpy(r->data + ch->in_pos - HEADER, data + done, n);
		ch->in_pos += n;
		done += n;
		if (ch->in_pos < HEADER + r->len)
			return more ? -EFAULT : (ssize_t)done;
	}
	answer(r, data_follows ? 0 : result_of(r, ch->in.type));
	ch->in_pos = 0;
	ch->in_user = -1;
	return done;
}

void model_write(struct channel *ch, const struct memory *mem, size_t len, ssize_t ret)
{
	size_t there = MIN(mem->there, len);
	struct channel saved = *ch;
	ssize_t right;

	if (mem->kernel || !len)
		return expect("write", ch, ret, mem->kernel ? -EFAULT : 0);
	if (ch->revoked)
		return expect("write", ch, ret, -ESTALE);
	right = take(ch, mem->at, there, there < len);
	if (right == -EFAULT) {
		/* Nothing was consumed. */
		if (ch->in_user >= 0 && saved.in_user < 0)
			requests[ch->in_user].answerable = true;
		*ch = saved;
	}
	expect("write", ch, ret, right);
}

void model_poll(struct channel *ch, short events)
{
	check(events & POLLOUT, "channel %d cannot be written", number(ch));
	check(!(events & POLLERR) == !ch->revoked, "poll of channel %d: %x, revoked %d",
	      number(ch), events, ch->revoked);
	check(!(events & POLLHUP), "the target is gone");
	if (events & POLLIN)
		check(ch->reading || ch->revoked || may_have_one(),
		      "channel %d can be read, and there is nothing", number(ch));
	else
		check(!ch->reading && !ch->revoked && may_be_empty(),
		      "channel %d cannot be read, and there is something", number(ch));
}

void model_opened(struct channel *ch, int fd)
{
	*ch = (struct channel) { .fd = fd, .in_user = -1 };
}

/* What it has fetched is delivered again; a revoked channel has nothing. */
void model_close(struct channel *ch)
{
	for (int user = 0; user < NR_USERS; user++) {
		struct request *r = &requests[user];

		if (r->state == FETCHED && r->channel == number(ch)) {
			r->state = SUBMITTED;
			r->answerable = false;
		}
	}
}

void model_fail(void)
{
	for (int user = 0; user < NR_USERS; user++) {
		struct request *r = &requests[user];

		if (r->state == FETCHED) {
			channels[r->channel].revoked = true;
			channels[r->channel].stale[user] = changes_sectors(r);
		}
	}
	for (int i = 0; i < NR_CHANNELS; i++) {
		struct channel *ch = &channels[i];

		if (!ch->reading || ch->out_pos >= HEADER)
			continue;
		ch->revoked = true;
		for (int user = 0; user < NR_USERS; user++)
			ch->stale[user] |= requests[user].state == SUBMITTED &&
					   changes_sectors(&requests[user]);
	}
	for (int user = 0; user < NR_USERS; user++) {
		struct request *r = &requests[user];

		if (r->state == FETCHED || (r->state == SUBMITTED && r->delivered)) {
			answer(r, -ETIMEDOUT);
		} else if (r->state == SUBMITTED) {
			r->may_time_out = true;
			r->may_fail |= changes_sectors(r);
		}
	}
	for (int i = 0; i < NR_CHANNELS; i++) {
		if (!channels[i].revoked)
			continue;
		channels[i].reading = false;
		channels[i].in_pos = 0;
		channels[i].in_user = -1;
	}
}

unsigned int model_inflight(void)
{
	unsigned int nr = nr_unknown();

	for (int user = 0; user < NR_USERS; user++)
		nr += requests[user].state == FETCHED;
	return nr;
}

bool model_expects_request(void)
{
	return !model_inflight() && may_have_one();
}

void model_drain(void)
{
	draining = true;
	for (int user = 0; user < NR_USERS; user++)
		if (requests[user].state == SUBMITTED)
			memset(requests[user].data, 0, MAX_LEN);
}
