// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: [SEED=n] [OPERATIONS=n] fuzz_channel
 *
 * Reads and writes channels while processes do I/O on the disk. Half of the writes are
 * replies with one field changed, which some of them survive; others are random bytes,
 * pieces, or in bad memory. A model predicts each result, and which bytes answer which
 * request: no other bytes may complete it. At the end all I/O must end, and the device
 * must work.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/ioctl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dm_calls.h"
#include "fuzz_model.h"
#include "stress.h"

#define OPERATIONS	1000000
#define PAGE		4096
#define MESSAGE_SIZE	(HEADER + MAX_LEN)
/* Room for a message, before pages without access. */
#define MEM_SIZE	(4 * PAGE)
/* By then a user must know what its request was answered. */
#define LATE_EVERY	5000
#define STATUS_EVERY	1000
#define UNMAPPED	((unsigned char *)PAGE)
#define KERNEL		((unsigned char *)0xffff888000000000)

#define load(x)		__atomic_load_n(&(x), __ATOMIC_SEQ_CST)
#define store(x, v)	__atomic_store_n(&(x), (v), __ATOMIC_SEQ_CST)

enum { READS, CHANGED, RANDOM, PIECES, POLL, INFO, OTHER, REOPEN, FAIL, NR_TALLIES };

static struct tally tallies[NR_TALLIES] = {
	{ .name = "reads" }, { .name = "writes of replies with one field changed" },
	{ .name = "writes of random bytes" }, { .name = "writes of the rest of a message" },
	{ .name = "poll" }, { .name = "DM_USER_INFO" }, { .name = "other ioctls" },
	{ .name = "closed and opened" }, { .name = "message fail" },
};

static struct rng rng;
static unsigned char *fenced;
static unsigned char message[MESSAGE_SIZE];
/* What is left to write of a message, by channel. */
static unsigned char rest[NR_CHANNELS][MESSAGE_SIZE];
static size_t rest_len[NR_CHANNELS];
static unsigned long ios[4];
static unsigned long answered_at[NR_USERS];
static pid_t pids[NR_USERS];

static void use_disk(struct user *u)
{
	int fd = open(DISK, O_RDWR | O_DIRECT | O_CLOEXEC);

	for (;;) {
		while (sem_wait(&u->go))
			;
		if (u->op == USER_QUIT)
			_exit(fd < 0);
		u->result = io_do(fd, u->op, u->data, u->len, u->sector);
		store(u->state, USER_DONE);
	}
}

static void start_users(void)
{
	users = mmap(NULL, NR_USERS * sizeof(*users), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (users == MAP_FAILED)
		abort();
	for (int i = 0; i < NR_USERS; i++) {
		sem_init(&users[i].go, 1, 0);
		pids[i] = fork();
		if (!pids[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			use_disk(&users[i]);
		}
	}
}

static void submit(int user)
{
	static const int ops[] = { IO_READ, IO_WRITE, IO_DISCARD, IO_FSYNC };
	struct user *u = &users[user];
	/* A flush does not tell whose it is: only one may. */
	unsigned int kind = rng_below(&rng, user ? 3 : 4), nr;

	nr = 1 + rng_below(&rng, rng_permille(&rng, 300) ? MAX_LEN / 512 : 2);
	u->op = ops[kind];
	u->len = nr * 512;
	u->sector = user * USER_SECTORS + rng_below(&rng, USER_SECTORS - nr + 1);
	if (u->op == IO_FSYNC)
		u->len = 0;
	for (size_t i = 0; i < u->len / sizeof(u->data[0]); i++)
		u->data[i] = rng_next(&rng);
	ios[kind]++;
	model_submit(user);
	store(u->state, USER_RUNNING);
	sem_post(&u->go);
}

/* See which users know their results. */
static void look(unsigned long op)
{
	for (int i = 0; i < NR_USERS; i++) {
		struct user *u = &users[i];

		if (load(u->state) == USER_DONE) {
			model_done(i);
			u->state = USER_IDLE;
		}
		if (requests[i].state != ANSWERED)
			answered_at[i] = op;
		else if (op - answered_at[i] > LATE_EVERY)
			check(wait_until(load(u->state) == USER_DONE, SOON_MS),
			      "user %d never got its answer (seq %lu)", i,
			      requests[i].seq);
	}
}

/* Memory with @len bytes of @data, or room for them; sometimes bad. */
static struct memory place(const void *data, size_t len)
{
	uint32_t what = rng_below(&rng, 1000);
	struct memory mem = { .there = len };

	if (what < 15 && len) {
		mem.at = KERNEL;
		mem.there = 0;
		mem.kernel = true;
		return mem;
	}
	if (what < 30) {
		mem.at = what < 20 ? NULL : UNMAPPED;
		mem.there = 0;
		return mem;
	}
	/* The bytes behind @there are inaccessible. */
	if (what < 100 && len)
		mem.there = rng_below(&rng, len);
	mem.at = fenced + MEM_SIZE - mem.there;
	if (data)
		memcpy(mem.at, data, mem.there);
	return mem;
}

static int pick(bool (*good)(const struct channel *ch))
{
	int first = rng_below(&rng, NR_CHANNELS);

	for (int i = 0; i < NR_CHANNELS; i++) {
		int ch = (first + i) % NR_CHANNELS;

		if (good(&channels[ch]))
			return ch;
	}
	return first;
}

static bool is_reading(const struct channel *ch)
{
	return ch->reading;
}

static void do_read(void)
{
	struct channel *ch = &channels[rng_permille(&rng, 500) ? pick(is_reading) :
					(int)rng_below(&rng, NR_CHANNELS)];
	size_t len = rng_permille(&rng, 600) ? MESSAGE_SIZE :
		     rng_below(&rng, rng_permille(&rng, 500) ? 10 : 600);
	struct memory mem = place(NULL, len);
	ssize_t ret = read(ch->fd, mem.at, len);

	ret = ret < 0 ? -errno : ret;
	tally_add(&tallies[READS], ret);
	model_read(ch, &mem, len, ret);
}

/* Write once; what the call does not take of @data is forgotten. */
static void write_once(int number, const void *data, size_t len, int tally)
{
	struct channel *ch = &channels[number];
	struct memory mem = place(data, len);
	ssize_t ret = write(ch->fd, mem.at, len);

	ret = ret < 0 ? -errno : ret;
	tally_add(&tallies[tally], ret);
	model_write(ch, &mem, len, ret);
}

/* Finish the header or the data that the channel waits for with random bytes. */
static size_t make_rest(const struct channel *ch)
{
	size_t len = HEADER - ch->in_pos;

	if (ch->in_user >= 0)
		len = HEADER + requests[ch->in_user].len - ch->in_pos;
	for (size_t i = 0; i < len; i++)
		message[i] = rng_next(&rng);
	return len;
}

/* A request that the channel may answer; sometimes any other. */
static struct request *pick_request(int ch)
{
	bool any = rng_permille(&rng, 100);
	int first = rng_below(&rng, NR_USERS);

	for (int i = 0; i < NR_USERS; i++) {
		struct request *r = &requests[(first + i) % NR_USERS];

		if (any || (r->answerable && r->channel == ch))
			return r;
	}
	return &requests[first];
}

static uint64_t odd_number(uint64_t right)
{
	const uint64_t odd[] = {
		0, 1, 2, 3, 4, right + 1, right - 1, right | 1ULL << 32,
		right | 1ULL << 63, ~0ULL, 0x7fffffff, 0x80000000, rng_next(&rng),
		requests[rng_below(&rng, NR_USERS)].seq,
	};

	return odd[rng_below(&rng, ARRAY_SIZE(odd))];
}

/* A reply to one of the channel's requests, with one field changed. */
static size_t make_reply(int ch)
{
	struct request *r = pick_request(ch);
	struct dm_user_message m = {
		.seq = r->seq,
		.type = rng_permille(&rng, 700) ? DM_USER_RESP_SUCCESS :
						  1 + rng_below(&rng, 2),
		.flags = 0,
		.sector = r->sector,
		.len = r->len,
	};
	__u64 *fields[] = { &m.seq, &m.type, &m.flags, &m.sector, &m.len };
	__u64 *field = fields[rng_below(&rng, ARRAY_SIZE(fields))];
	size_t len = HEADER;

	if (r->type == DM_USER_REQ_MAP_READ && m.type == DM_USER_RESP_SUCCESS)
		len += r->len;
	*field = odd_number(*field);
	memcpy(message, &m, HEADER);
	for (size_t i = HEADER; i < len; i += 8) {
		uint64_t data = rng_next(&rng);

		memcpy(message + i, &data, sizeof(data));
	}
	return len;
}

static bool has_requests(const struct channel *ch)
{
	for (int i = 0; i < NR_USERS; i++)
		if (requests[i].answerable && &channels[requests[i].channel] == ch)
			return true;
	return false;
}

static void do_write(void)
{
	int n = rng_permille(&rng, 900) ? pick(has_requests) :
	       (int)rng_below(&rng, NR_CHANNELS);
	struct channel *ch = &channels[n];
	int tally = CHANGED;
	size_t len, piece;

	if (rest_len[n] && rng_permille(&rng, 900)) {
		tally = PIECES;
		len = rest_len[n];
		memcpy(message, rest[n], len);
	} else if (ch->in_pos && rng_permille(&rng, 600)) {
		tally = RANDOM;
		len = make_rest(ch);
	} else if (rng_permille(&rng, 300)) {
		tally = RANDOM;
		len = rng_below(&rng, rng_permille(&rng, 800) ? 2 * HEADER : MESSAGE_SIZE);
		for (size_t i = 0; i < len; i++)
			message[i] = rng_next(&rng);
	} else {
		len = make_reply(n);
	}
	piece = rng_permille(&rng, 200) ? rng_below(&rng, len + 1) : len;
	rest_len[n] = len - piece;
	memcpy(rest[n], message + piece, rest_len[n]);
	write_once(n, message, piece, tally);
}

static void do_poll(void)
{
	struct channel *ch = &channels[rng_below(&rng, NR_CHANNELS)];
	struct pollfd p = { .fd = ch->fd, .events = POLLIN | POLLOUT };
	int ret = poll(&p, 1, 0);

	tally_add(&tallies[POLL], ret < 0 ? -errno : ret);
	model_poll(ch, p.revents);
}

static void do_info(void)
{
	struct channel *ch = &channels[rng_below(&rng, NR_CHANNELS)];
	struct memory mem = place(NULL, sizeof(struct dm_user_info));
	bool good = mem.there == sizeof(struct dm_user_info);
	int ret = ioctl(ch->fd, DM_USER_INFO, mem.at) ? -errno : 0;
	struct dm_user_info info;

	tally_add(&tallies[INFO], ret);
	if (!check(ret == (good ? 0 : -EFAULT), "DM_USER_INFO: %d", ret) || !good)
		return;
	memcpy(&info, mem.at, sizeof(info));
	check(info.version == DM_USER_VERSION && info.block_size == 512 &&
	      info.max_io == 1024 * 1024 && info.sectors == SECTORS && !info.start,
	      "DM_USER_INFO gives other numbers");
}

/* Not those that the VFS takes for itself, nor ours. */
static void do_other(void)
{
	struct channel *ch = &channels[rng_below(&rng, NR_CHANNELS)];
	unsigned int cmd = _IOC(rng_below(&rng, 4), rng_permille(&rng, 700) ?
				DM_USER_IOCTL : 0xdf, 0x40 + rng_below(&rng, 0xc0),
				rng_below(&rng, 1 << 14));
	struct memory mem = place(NULL, 64);
	int ret = ioctl(ch->fd, cmd, mem.at) ? -errno : 0;

	tally_add(&tallies[OTHER], ret);
	check(ret == -ENOTTY, "ioctl %x: %d", cmd, ret);
}

static void open_channel(struct channel *ch)
{
	int fd = open(CONTROL, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	check(fd >= 0, "cannot open a channel: %s", strerror(errno));
	rest_len[ch - channels] = 0;
	model_opened(ch, fd);
}

static void do_reopen(void)
{
	struct channel *ch = &channels[rng_below(&rng, NR_CHANNELS)];

	model_close(ch);
	close(ch->fd);
	open_channel(ch);
	tally_add(&tallies[REOPEN], 0);
}

static void do_fail(void)
{
	int ret = dm_message("t", "fail");

	tally_add(&tallies[FAIL], ret);
	check(!ret, "message fail: %s", strerror(-ret));
	model_fail();
}

static void do_one(void)
{
	uint32_t what = rng_below(&rng, 10000);

	if (what < 3800)
		do_read();
	else if (what < 8800)
		do_write();
	else if (what < 9200)
		do_poll();
	else if (what < 9500)
		do_info();
	else if (what < 9800)
		do_other();
	else if (what < 9990)
		do_reopen();
	else
		do_fail();
}

static bool somebody_is_done(void)
{
	for (int i = 0; i < NR_USERS; i++)
		if (load(users[i].state) == USER_DONE)
			return true;
	return false;
}

/* The fuzzer is faster than the users: let a request come. */
static void wait_for_requests(void)
{
	struct pollfd p = { .fd = channels[0].fd, .events = POLLIN };

	if (!model_expects_request())
		return;
	for (int i = 0; i < NR_CHANNELS; i++)
		if (!channels[i].revoked)
			p.fd = channels[i].fd;
	/* A write that overlaps a stale one fails at once. */
	check(wait_until(poll(&p, 1, 0) == 1 || somebody_is_done(), SOON_MS),
	      "a request does not come");
}

static void fuzz(unsigned long operations)
{
	for (unsigned long op = 0; op < operations && !failed(); op++) {
		int user = rng_below(&rng, NR_USERS);

		look(op);
		if (users[user].state == USER_IDLE)
			submit(user);
		if (rng_permille(&rng, 500))
			wait_for_requests();
		do_one();
		if (op % STATUS_EVERY == 0)
			check(dm_number("t", "inflight") == model_inflight(),
			      "the status says %lld in flight, not %u",
			      dm_number("t", "inflight"), model_inflight());
		if (failed())
			diag("that was operation %lu", op);
		else if ((op + 1) % 100000 == 0)
			diag("%lu operations so far", op + 1);
	}
}

static bool all_idle(void)
{
	look(0);
	for (int i = 0; i < NR_USERS; i++)
		if (users[i].state != USER_IDLE)
			return false;
	return true;
}

/* Nobody has lost a request: a daemon that does everything right ends all I/O. */
static void drain(void)
{
	struct ram_daemon ram;

	for (int i = 0; i < NR_CHANNELS; i++) {
		model_close(&channels[i]);
		close(channels[i].fd);
	}
	model_drain();
	if (!check(!ram_start(&ram, CONTROL, SECTORS * 512, SIZE_MAX), "no daemon"))
		return;
	check(wait_until(all_idle(), SOON_MS), "I/O does not end");
	check(!dm_number("t", "queued") && !dm_number("t", "inflight"),
	      "requests are left");
	for (int i = 0; i < NR_USERS; i++) {
		users[i].op = USER_QUIT;
		sem_post(&users[i].go);
		check(wait_until(waitpid(pids[i], NULL, WNOHANG) == pids[i], SOON_MS),
		      "user %d does not end", i);
	}
	check(!disk_remove(), "%s", dm_said);
	ram_end(&ram);
}

int main(void)
{
	unsigned long operations = stress_param("OPERATIONS", OPERATIONS);
	unsigned long seed = stress_seed();

	stress_begin("fuzz_channel");
	diag("SEED=%lu OPERATIONS=%lu", seed, operations);
	rng_init(&rng, seed);
	fenced = mmap(NULL, 2 * MEM_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (fenced == MAP_FAILED || mprotect(fenced + MEM_SIZE, MEM_SIZE, PROT_NONE))
		abort();
	if (check(!module_load() && !dm_open() && !disk_create("3 timeout_ms 0 discard"),
		  "cannot make the device: %s", dm_said)) {
		start_users();
		for (int i = 0; i < NR_CHANNELS; i++)
			open_channel(&channels[i]);
		fuzz(operations);
		diag("%lu reads, %lu writes, %lu discards, %lu flushes of the disk", ios[0],
		     ios[1], ios[2], ios[3]);
		for (size_t i = 0; i < NR_TALLIES; i++)
			tally_print(&tallies[i]);
		drain();
	}
	check(!module_unload(), "cannot unload the module");
	check_leaks();
	stress_end();
	return stress_status();
}
