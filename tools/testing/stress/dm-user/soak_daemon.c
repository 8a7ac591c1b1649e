// SPDX-License-Identifier: GPL-2.0-only
/*
 * The daemon that the soak test kills: each of its channels holds several requests and
 * answers them in any order. It tells in shared memory what it holds.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "soak.h"

struct channel {
	pthread_t thread;
	struct rng rng;
	struct lane *lane;
	int fd;
	unsigned int nr_held;
	void *data[MAX_HELD];
	int result;
};

/* Read or write all of it, often in small pieces. Returns 0 or a negative errno. */
static int transfer(struct channel *ch, bool in, void *data, size_t len, bool *begun)
{
	size_t chunk = rng_permille(&ch->rng, 250) ? 1 + rng_below(&ch->rng, 200) : len;
	size_t done = 0;

	while (done < len) {
		size_t want = len - done < chunk ? len - done : chunk;
		ssize_t n = in ? read(ch->fd, data + done, want) :
				 write(ch->fd, data + done, want);

		if (n < 0)
			return -errno;
		done += n;
		if (begun)
			*begun = true;
	}
	return 0;
}

/* Copy word by word: a killed daemon leaves each word old or new. */
static void copy(uint64_t *to, const uint64_t *from, size_t len)
{
	for (size_t i = 0; i < len / sizeof(*to); i++)
		__atomic_store_n(&to[i], from[i], __ATOMIC_RELAXED);
}

/* Fetches a request. Returns 0, or -EAGAIN if none is queued. */
static int fetch_one(struct channel *ch)
{
	struct dm_user_message m;
	bool begun = false;
	struct held *h;
	int ret, i;

	store(ch->lane->reading, true);
	ret = transfer(ch, true, &m, HEADER, &begun);
	if (ret) {
		store(ch->lane->reading, false);
		return begun ? -EPROTO : ret;
	}
	for (i = 0; ch->lane->held[i].state != FREE; i++)
		;
	h = &ch->lane->held[i];
	h->seq = m.seq;
	h->type = m.type;
	h->sector = m.sector;
	h->len = m.len;
	store(h->state, HELD);
	store(ch->lane->reading, false);
	ch->nr_held++;
	if (m.type != DM_USER_REQ_MAP_WRITE)
		return 0;
	return transfer(ch, true, ch->data[i] + HEADER, m.len, NULL);
}

static int answer_one(struct channel *ch)
{
	unsigned int skip = rng_below(&ch->rng, ch->nr_held);
	struct dm_user_message *m;
	size_t len = 0;
	struct held *h;
	void *at;
	int i, ret;

	for (i = 0; ch->lane->held[i].state == FREE || skip--; i++)
		;
	h = &ch->lane->held[i];
	m = ch->data[i];
	at = soak->disk[h->sector];
	if (h->type == DM_USER_REQ_MAP_WRITE) {
		copy(at, (void *)m->buf, h->len);
	} else if (h->type == DM_USER_REQ_MAP_READ) {
		copy((void *)m->buf, at, h->len);
		len = h->len;
	} else if (h->type != DM_USER_REQ_MAP_FLUSH) {
		return -EPROTO;
	}
	m->seq = h->seq;
	m->type = DM_USER_RESP_SUCCESS;
	store(h->state, ANSWERING);
	ret = transfer(ch, false, m, HEADER + len, NULL);
	if (ret)
		return ret;
	store(h->state, FREE);
	ch->nr_held--;
	add(soak->served, 1);
	return 0;
}

static int serve(struct channel *ch)
{
	for (;;) {
		struct pollfd p = { .fd = ch->fd, .events = POLLIN };
		unsigned int want = 1 + rng_below(&ch->rng, MAX_HELD);
		int ret = -EAGAIN;

		if (ch->nr_held < want && poll(&p, 1, ch->nr_held ? 0 : -1) == 1)
			ret = fetch_one(ch);
		if (ret == -EAGAIN && ch->nr_held)
			ret = answer_one(ch);
		if (ret && ret != -EAGAIN)
			return ret;
	}
}

static void *run(void *arg)
{
	struct channel *ch = arg;

	ch->result = serve(ch);
	return NULL;
}

int soak_daemon(uint64_t seed)
{
	struct channel channels[NR_CHANNELS] = {};
	int ret = 0;

	for (int i = 0; i < NR_CHANNELS; i++) {
		struct channel *ch = &channels[i];

		rng_init(&ch->rng, seed + i);
		ch->lane = &soak->lanes[i];
		ch->fd = open(CONTROL, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (ch->fd < 0)
			return -errno;
		for (int j = 0; j < MAX_HELD; j++) {
			ch->data[j] = malloc(HEADER + MAX_LEN * SECTOR);
			if (!ch->data[j])
				return -ENOMEM;
		}
		if (pthread_create(&ch->thread, NULL, run, ch))
			return -EAGAIN;
	}
	for (int i = 0; i < NR_CHANNELS; i++) {
		pthread_join(channels[i].thread, NULL);
		if (channels[i].result != -ENOTBLK)
			ret = channels[i].result;
	}
	return ret;
}
