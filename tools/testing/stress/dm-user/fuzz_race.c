// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: [SEED=n] [OPERATIONS=n] fuzz_race
 *
 * Several threads read and write the same channels, which others close and open
 * meanwhile, while processes do I/O on the disk. Nobody can predict a result, but each is
 * one of those that <linux/dm-user.h> names. At the end all I/O must end, and the device
 * must work.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dm_calls.h"
#include "dmu_test.h"
#include "stress.h"

#define OPERATIONS	1000000
#define NR_THREADS	4
#define NR_CHANNELS	2
#define NR_USERS	8
#define MAX_LEN		16384
/* A channel keeps its number when it is closed and opened. */
#define CHANNEL_FD	100

#define load(x)		__atomic_load_n(&(x), __ATOMIC_SEQ_CST)
#define store(x, v)	__atomic_store_n(&(x), (v), __ATOMIC_SEQ_CST)
#define add(x, v)	__atomic_add_fetch(&(x), (v), __ATOMIC_SEQ_CST)

static struct shared {
	bool stop;
	unsigned long ios;
	unsigned long good;
} *shared;

static struct tally tallies[] = {
	{ .name = "reads" }, { .name = "writes" }, { .name = "closed and opened" },
	{ .name = "message fail" },
};

enum { READS, WRITES, REOPEN, FAIL };

static unsigned long operations, done;
static uint64_t last_seq;

static int use_disk(struct rng *rng)
{
	static const enum io_op ops[] = { IO_READ, IO_WRITE, IO_DISCARD, IO_FSYNC };
	int fd = open(DISK, O_RDWR | O_DIRECT | O_CLOEXEC), ret;
	void *buf;

	if (fd < 0 || posix_memalign(&buf, 4096, MAX_LEN))
		return 1;
	while (!load(shared->stop)) {
		unsigned int nr = 1 + rng_below(rng, MAX_LEN / 512);

		ret = io_do(fd, ops[rng_below(rng, ARRAY_SIZE(ops))], buf, nr * 512,
			    rng_below(rng, SECTORS - nr + 1));
		if (!check(!ret || ret == -EIO || ret == -EOPNOTSUPP || ret == -ETIMEDOUT,
			   "I/O: %s", strerror(-ret)))
			return 1;
		add(shared->ios, 1);
		if (!ret)
			add(shared->good, 1);
	}
	return 0;
}

static void open_channel(int number)
{
	int fd = open(CONTROL, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	check(fd >= 0 && dup3(fd, CHANNEL_FD + number, O_CLOEXEC) >= 0,
	      "cannot open a channel: %s", strerror(errno));
	close(fd);
}

static void check_result(ssize_t ret, int other, const char *call)
{
	check(ret >= 0 || ret == -EFAULT || ret == -ESTALE || ret == other, "%s: %s", call,
	      strerror(-ret));
}

struct thread {
	pthread_t thread;
	struct rng rng;
	unsigned char *buf;	/* MAX_LEN bytes, then no access */
};

/* Sometimes a part of @len has no access. */
static void *place(struct thread *t, size_t len)
{
	return t->buf + MAX_LEN - (rng_permille(&t->rng, 30) ? rng_below(&t->rng, len + 1) :
							       len);
}

static void do_read(struct thread *t, int fd)
{
	size_t len = rng_permille(&t->rng, 700) ? MAX_LEN : rng_below(&t->rng, 100);
	struct dm_user_message m;
	void *at = place(t, len);
	ssize_t ret = read(fd, at, len);

	ret = ret < 0 ? -errno : ret;
	tally_add(&tallies[READS], ret);
	check_result(ret, -EAGAIN, "read");
	if (ret != HEADER)
		return;
	memcpy(&m, at, HEADER);
	/* Often it is a header: none of its numbers is large then. */
	if (m.type <= DM_USER_REQ_MAP_WRITE_ZEROES && m.sector < SECTORS)
		store(last_seq, m.seq);
}

static void do_write(struct thread *t, int fd)
{
	struct dm_user_message m = {
		.seq = load(last_seq) - rng_below(&t->rng, 4),
		.type = rng_permille(&t->rng, 900) ? 0 : rng_below(&t->rng, 4),
	};
	size_t len = rng_permille(&t->rng, 500) ? HEADER : rng_below(&t->rng, MAX_LEN);
	void *at = place(t, len);
	ssize_t ret;

	if (at <= (void *)(t->buf + MAX_LEN - HEADER))
		memcpy(at, &m, HEADER);
	ret = write(fd, at, len);
	ret = ret < 0 ? -errno : ret;
	tally_add(&tallies[WRITES], ret);
	check_result(ret, -EINVAL, "write");
}

static void do_one(struct thread *t)
{
	int number = rng_below(&t->rng, NR_CHANNELS), fd = CHANNEL_FD + number;
	uint32_t what = rng_below(&t->rng, 10000);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct dm_user_info info;
	int ret;

	if (what < 4500) {
		do_read(t, fd);
	} else if (what < 9000) {
		do_write(t, fd);
	} else if (what < 9500) {
		check(poll(&p, 1, 0) >= 0, "poll: %s", strerror(errno));
	} else if (what < 9800) {
		check(!ioctl(fd, DM_USER_INFO, &info), "DM_USER_INFO: %s", strerror(errno));
	} else if (what < 9995) {
		open_channel(number);
		tally_add(&tallies[REOPEN], 0);
	} else {
		ret = dm_message("t", "fail");
		tally_add(&tallies[FAIL], ret);
		check(!ret, "message fail: %s", strerror(-ret));
	}
}

static void *race(void *arg)
{
	struct thread *t = arg;

	while (!failed() && add(done, 1) <= operations)
		do_one(t);
	return NULL;
}

static void run_threads(struct rng *rng)
{
	struct thread threads[NR_THREADS];

	for (int i = 0; i < NR_CHANNELS; i++)
		open_channel(i);
	for (int i = 0; i < NR_THREADS; i++) {
		struct thread *t = &threads[i];

		rng_init(&t->rng, rng_next(rng));
		t->buf = mmap(NULL, 2 * MAX_LEN, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		if (t->buf == MAP_FAILED ||
		    mprotect(t->buf + MAX_LEN, MAX_LEN, PROT_NONE) ||
		    pthread_create(&t->thread, NULL, race, t))
			abort();
	}
	for (int i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i].thread, NULL);
	for (int i = 0; i < NR_CHANNELS; i++)
		close(CHANNEL_FD + i);
}

/* A daemon that does everything right ends all I/O, and the disk is its memory. */
static void finish(const pid_t *pids)
{
	struct ram_daemon ram;
	struct io io;
	int status;

	store(shared->stop, true);
	if (!check(!ram_start(&ram, CONTROL, SECTORS * 512, SIZE_MAX), "no daemon"))
		return;
	for (int i = 0; i < NR_USERS; i++) {
		if (check(wait_until(waitpid(pids[i], &status, WNOHANG) == pids[i],
				     SOON_MS), "I/O does not end"))
			check(!status, "a user has failed");
	}
	check(!dm_number("t", "queued") && !dm_number("t", "inflight"),
	      "requests are left");
	check(!io_start(&io, IO_WRITE, DISK, 8, 4096, 'x') && !io_wait(&io, SOON_MS),
	      "the device does not work");
	check(ram.disk[8 * 512] == 'x', "the daemon has got other data");
	io_end(&io);
	check(!disk_remove(), "%s", dm_said);
	ram_end(&ram);
}

int main(void)
{
	unsigned long seed = stress_seed();
	pid_t pids[NR_USERS];
	struct rng rng, one;

	operations = stress_param("OPERATIONS", OPERATIONS);
	stress_begin("fuzz_race");
	diag("SEED=%lu OPERATIONS=%lu", seed, operations);
	rng_init(&rng, seed);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		abort();
	if (check(!module_load() && !dm_open() && !disk_create("3 timeout_ms 0 discard"),
		  "cannot make the device: %s", dm_said)) {
		for (int i = 0; i < NR_USERS; i++) {
			rng_init(&one, rng_next(&rng));
			pids[i] = fork();
			if (pids[i])
				continue;
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			_exit(use_disk(&one));
		}
		run_threads(&rng);
		finish(pids);
		diag("%lu I/Os, %lu of them succeeded", shared->ios, shared->good);
		for (size_t i = 0; i < ARRAY_SIZE(tallies); i++)
			tally_print(&tallies[i]);
	}
	check(!module_unload(), "cannot unload the module");
	check_leaks();
	stress_end();
	return stress_status();
}
