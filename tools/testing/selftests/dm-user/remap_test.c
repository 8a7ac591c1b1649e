// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests that the daemon sends to another device, and extents that the kernel remembers.
 * That device is served by dm-user, too, so that a case decides when its requests end.
 */
#include <linux/fs.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "dmu_test_batch.h"
#include "dmu_test_fixture.h"

#define BACK "/dev/mapper/back"
#define BACK_CONTROL "/dev/dm-user/back"
#define BACK_SECTORS 65536

#define both (DM_USER_CACHE_READS | DM_USER_CACHE_WRITES)

FIXTURE(remap) {
	DISK_FIXTURE;
	ROOMS_FIXTURE;
	int back;		/* a channel of the device behind */
	unsigned long long seq;	/* of the request that was fetched last */
};

static void remove_back(void)
{
	dm("message back 0 fail");
	dm("remove --retry back");
}

FIXTURE_SETUP(remap)
{
	ASSERT_EQ(0, module_load());
	ASSERT_EQ(0, dm("create back --table '0 %d user 0 %d back 2 timeout_ms 0'",
			BACK_SECTORS, BACK_SECTORS));
	self->back = channel_open(BACK_CONTROL);
	ASSERT_LE(0, self->back);
	disk_setup("8 timeout_ms 0 discard cache_extents 3 devices 1 " BACK);
	rooms_setup();
}

FIXTURE_TEARDOWN(remap)
{
	/* What is remapped ends only with the device behind. */
	dm("message back 0 fail");
	close(self->back);
	disk_remove();
	remove_back();
	rooms_teardown();
	disk_teardown();
}

/* The next request comes to the daemon, and begins at this sector. */
#define fetch_at(first) do {						\
	ASSERT_EQ(0, xfer(self->fd, 0, 1));				\
	ASSERT_EQ(1, self->x.fetched);					\
	EXPECT_EQ(first, self->requests[0].sector);			\
	self->seq = self->requests[0].seq;				\
} while (0)

/* Answer it by a remap. */
#define remap(flags_, device_, sector_, extent_, sectors_)		\
({									\
	self->replies[0] = (struct dm_user_reply) {			\
		.seq = self->seq,					\
		.type = DM_USER_RESP_REMAP,				\
		.flags = flags_,					\
		.device = device_,					\
		.sector = sector_,					\
		.extent = extent_,					\
		.sectors = sectors_,					\
	};								\
	xfer(self->fd, 1, 0);						\
})

/* Answer it by itself. */
#define answer_here()							\
({									\
	set_reply(0, self->seq, SUCCESS, self->room[0], self->requests[0].len); \
	xfer(self->fd, 1, 0);						\
})

/* The next request comes to the device behind, at this sector. */
#define fetch_back_at(first) do {					\
	ASSERT_EQ(0, fetch(self->back, self->m, SIZE_MAX));		\
	EXPECT_EQ(first, self->m->sector);				\
} while (0)

#define answer_back() answer(self->back, self->m->seq, SUCCESS)

static int drop(int fd, unsigned long long sector, unsigned long long sectors)
{
	struct dm_user_unmap unmap = { .sector = sector, .sectors = sectors };

	return channel_call(fd, DM_USER_UNMAP, &unmap);
}

/* Has the kernel remember 1024 sectors from 0 on at 4096 of the device behind. */
#define remember(flags) do {						\
	start(7, IO_READ, 0, 4096, 0);					\
	fetch_at(0);							\
	ASSERT_EQ(0, remap(flags, 0, 4096, 0, 1024));			\
	ASSERT_EQ(0, fetch(self->back, self->m, SIZE_MAX));		\
	ASSERT_EQ(0, reply(self->back, self->m->seq, 0, self->m->buf, 4096, SIZE_MAX)); \
	ASSERT_EQ(0, done(7));						\
	io_end(&self->io[7]);						\
} while (0)

TEST_F(remap, info_and_table_name_it)
{
	struct dm_user_info info;

	ASSERT_EQ(0, ioctl(self->fd, DM_USER_INFO, &info));
	EXPECT_TRUE(info.features & DM_USER_FEATURE_REMAP);
	ASSERT_EQ(0, dm("table t"));
	EXPECT_NE(NULL, strstr(dm_said, " 8 timeout_ms 0 discard cache_extents 3 devices 1 ")) {
		TH_LOG("%s", dm_said);
	}
}

TEST_F(remap, write_goes_to_the_device)
{
	start(0, IO_WRITE, 8, 4096, 'w');
	fetch_at(8);
	ASSERT_EQ(0, remap(0, 0, 104, 0, 0));
	fetch_back_at(104);
	EXPECT_EQ(DM_USER_REQ_MAP_WRITE, self->m->type);
	EXPECT_TRUE(is_filled(self->m->buf, 'w', 4096));
	EXPECT_EQ(IO_RUNNING, io_wait(&self->io[0], 0));
	EXPECT_EQ(0, answer_back());
	EXPECT_EQ(0, done(0));
	EXPECT_EQ(1, disk_status("remapped"));
	/* Nothing is remembered. */
	EXPECT_EQ(0, disk_status("extents"));
	start(1, IO_WRITE, 8, 4096, 'w');
	fetch_at(8);
}

TEST_F(remap, read_comes_from_the_device)
{
	start(0, IO_READ, 8, 4096, 0);
	fetch_at(8);
	ASSERT_EQ(0, remap(0, 0, 0, 0, 0));
	fetch_back_at(0);
	memset(self->m->buf, 'r', 4096);
	ASSERT_EQ(0, reply(self->back, self->m->seq, 0, self->m->buf, 4096, SIZE_MAX));
	EXPECT_EQ(0, done(0));
	EXPECT_TRUE(io_has(&self->io[0], 'r'));
}

TEST_F(remap, error_of_the_device_reaches_the_submitter)
{
	start(0, IO_WRITE, 8, 4096, 'w');
	fetch_at(8);
	ASSERT_EQ(0, remap(0, 0, 0, 0, 0));
	fetch_back_at(0);
	EXPECT_EQ(0, answer(self->back, self->m->seq, ERROR));
	EXPECT_EQ(-EIO, done(0));
}

TEST_F(remap, extent_is_remembered)
{
	remember(both);
	EXPECT_EQ(1, disk_status("extents"));
	start(0, IO_WRITE, 512, 4096, 'w');
	fetch_back_at(4096 + 512);
	EXPECT_TRUE(is_filled(self->m->buf, 'w', 4096));
	EXPECT_EQ(0, answer_back());
	EXPECT_EQ(0, done(0));
	EXPECT_EQ(1, disk_status("hits"));
	EXPECT_EQ(1, disk_status("remapped"));
}

TEST_F(remap, reads_and_writes_have_their_own_permission)
{
	remember(DM_USER_CACHE_READS);
	start(0, IO_WRITE, 512, 4096, 'w');
	fetch_at(512);
	EXPECT_EQ(DM_USER_REQ_MAP_WRITE, self->requests[0].type);
	ASSERT_EQ(0, remap(DM_USER_CACHE_WRITES, 0, 8192, 512, 8));
	fetch_back_at(8192);
	EXPECT_EQ(0, answer_back());
	EXPECT_EQ(0, done(0));
	/* It took the place of the whole that it overlapped. */
	EXPECT_EQ(1, disk_status("extents"));
	start(1, IO_READ, 512, 4096, 0);
	fetch_at(512);
}

TEST_F(remap, discard_comes_to_the_daemon)
{
	remember(both);
	start(0, IO_DISCARD, 0, 4096, 0);
	fetch_at(0);
	EXPECT_EQ(DM_USER_REQ_MAP_DISCARD, self->requests[0].type);
	EXPECT_EQ(-EINVAL, remap(0, 0, 0, 0, 0));
	EXPECT_EQ(0, answer_here());
	EXPECT_EQ(0, done(0));
}

TEST_F(remap, request_is_split_where_an_extent_ends)
{
	remember(both);
	start(0, IO_WRITE, 1016, 8192, 'w');
	fetch_back_at(4096 + 1016);
	EXPECT_EQ(4096, self->m->len);
	EXPECT_EQ(0, answer_back());
	fetch_at(1024);
	EXPECT_EQ(4096, self->requests[0].len);
	EXPECT_EQ(0, answer_here());
	EXPECT_EQ(0, done(0));
}

TEST_F(remap, request_is_split_where_an_extent_begins)
{
	start(0, IO_WRITE, 2048, 4096, 'w');
	fetch_at(2048);
	ASSERT_EQ(0, remap(both, 0, 0, 2048, 8));
	fetch_back_at(0);
	EXPECT_EQ(0, answer_back());
	EXPECT_EQ(0, done(0));
	start(1, IO_WRITE, 2040, 8192, 'w');
	fetch_at(2040);
	EXPECT_EQ(4096, self->requests[0].len);
	EXPECT_EQ(0, answer_here());
	fetch_back_at(0);
	EXPECT_EQ(0, answer_back());
	EXPECT_EQ(0, done(1));
}

TEST_F(remap, hole_reads_as_zeroes_and_takes_no_write)
{
	start(0, IO_READ, 0, 4096, 'x');
	fetch_at(0);
	ASSERT_EQ(0, remap(DM_USER_CACHE_READS, DM_USER_DEVICE_ZERO, 0, 0, 64));
	EXPECT_EQ(0, done(0));
	EXPECT_TRUE(io_has(&self->io[0], 0));
	start(1, IO_READ, 8, 4096, 'x');
	EXPECT_EQ(0, done(1));
	EXPECT_TRUE(io_has(&self->io[1], 0));
	EXPECT_EQ(1, disk_status("hits"));
	start(2, IO_WRITE, 8, 4096, 'x');
	fetch_at(8);
	EXPECT_EQ(-EINVAL, remap(0, DM_USER_DEVICE_ZERO, 0, 0, 0));
	EXPECT_EQ(0, answer_here());
	EXPECT_EQ(0, done(2));
	start(3, IO_READ, 4096, 4096, 'x');
	fetch_at(4096);
	EXPECT_EQ(-EINVAL, remap(both, DM_USER_DEVICE_ZERO, 0, 4096, 8));
}

TEST_F(remap, remap_that_does_not_fit_is_refused_and_can_be_corrected)
{
	start(0, IO_WRITE, 64, 4096, 'w');
	fetch_at(64);
	EXPECT_EQ(-EINVAL, remap(4, 0, 0, 64, 8));
	EXPECT_EQ(-EINVAL, remap(0, 1, 0, 0, 0));
	EXPECT_EQ(-EINVAL, remap(0, 0, 0, 64, 8));
	EXPECT_EQ(-EINVAL, remap(both, 0, 0, 64, 0));
	/* Not the whole request. */
	EXPECT_EQ(-EINVAL, remap(both, 0, 0, 64, 7));
	EXPECT_EQ(-EINVAL, remap(both, 0, 0, 65, 8));
	/* Beyond the end of the device, of the disk, of all numbers. */
	EXPECT_EQ(-EINVAL, remap(0, 0, BACK_SECTORS - 7, 0, 0));
	EXPECT_EQ(-EINVAL, remap(both, 0, BACK_SECTORS - 64, 0, 128));
	EXPECT_EQ(-EINVAL, remap(both, 0, 0, 0, SECTORS + 1));
	EXPECT_EQ(-EINVAL, remap(both, 0, -8ULL, 64, 16));
	EXPECT_EQ(-EINVAL, remap(both, 0, 0, 8, -8ULL));
	EXPECT_EQ(IO_RUNNING, io_wait(&self->io[0], 0));
	EXPECT_EQ(0, disk_status("extents"));
	ASSERT_EQ(0, remap(0, 0, BACK_SECTORS - 8, 0, 0));
	fetch_back_at(BACK_SECTORS - 8);
	EXPECT_EQ(0, answer_back());
	EXPECT_EQ(0, done(0));
}

TEST_F(remap, read_only_device_takes_no_write)
{
	int fd = open(BACK, O_RDONLY | O_CLOEXEC), yes = 1;

	ASSERT_EQ(0, ioctl(fd, BLKROSET, &yes));
	start(0, IO_WRITE, 64, 4096, 'w');
	fetch_at(64);
	EXPECT_EQ(-EINVAL, remap(0, 0, 0, 0, 0));
	EXPECT_EQ(0, answer_here());
	EXPECT_EQ(0, done(0));
	start(1, IO_READ, 64, 4096, 0);
	fetch_at(64);
	EXPECT_EQ(-EINVAL, remap(both, 0, 0, 64, 8));
	EXPECT_EQ(0, remap(DM_USER_CACHE_READS, 0, 0, 64, 8));
	fetch_back_at(0);
	close(fd);
}

TEST_F(remap, the_extent_that_was_not_used_for_longest_makes_room)
{
	for (int i = 0; i < 3; i++) {
		start(i, IO_READ, i * 64, 4096, 'x');
		fetch_at(i * 64);
		ASSERT_EQ(0, remap(DM_USER_CACHE_READS, DM_USER_DEVICE_ZERO, 0, i * 64, 64));
		EXPECT_EQ(0, done(i));
	}
	start(3, IO_READ, 0, 4096, 'x');
	EXPECT_EQ(0, done(3));
	start(4, IO_READ, 192, 4096, 'x');
	fetch_at(192);
	ASSERT_EQ(0, remap(DM_USER_CACHE_READS, DM_USER_DEVICE_ZERO, 0, 192, 64));
	EXPECT_EQ(0, done(4));
	EXPECT_EQ(3, disk_status("extents"));
	start(5, IO_READ, 0, 4096, 'x');
	EXPECT_EQ(0, done(5));
	start(6, IO_READ, 64, 4096, 'x');
	fetch_at(64);
}

TEST_F(remap, suspend_forgets_all)
{
	remember(both);
	ASSERT_EQ(0, dm("suspend t"));
	ASSERT_EQ(0, dm("resume t"));
	EXPECT_EQ(0, disk_status("extents"));
	start(0, IO_READ, 0, 4096, 0);
	fetch_at(0);
}

TEST_F(remap, flush_goes_to_the_daemon_and_to_the_device)
{
	start(0, IO_FSYNC, 0, 0, 0);
	fetch_at(0);
	EXPECT_EQ(DM_USER_REQ_MAP_FLUSH, self->requests[0].type);
	ASSERT_EQ(0, fetch(self->back, self->m, SIZE_MAX));
	EXPECT_EQ(DM_USER_REQ_MAP_FLUSH, self->m->type);
	EXPECT_EQ(0, answer_here());
	EXPECT_EQ(IO_RUNNING, io_wait(&self->io[0], 50));
	EXPECT_EQ(0, answer_back());
	EXPECT_EQ(0, done(0));
}

TEST_F(remap, unmap_forgets_what_overlaps)
{
	remember(both);
	EXPECT_EQ(-EINVAL, drop(self->fd, 0, 0));
	EXPECT_EQ(-EFAULT, channel_call(self->fd, DM_USER_UNMAP, (void *)8));
	EXPECT_EQ(0, drop(self->fd, 1024, ~0ULL));
	EXPECT_EQ(1, disk_status("extents"));
	EXPECT_EQ(0, drop(self->fd, 1023, 1));
	EXPECT_EQ(0, disk_status("extents"));
	start(0, IO_READ, 0, 4096, 0);
	fetch_at(0);
}

TEST_F(remap, unmap_waits_for_what_is_in_flight)
{
	struct dm_user_unmap unmap = { .sector = 0, .sectors = 1024 };
	struct caller c = { .fd = self->fd, .cmd = DM_USER_UNMAP, .arg = &unmap };

	remember(both);
	start(0, IO_WRITE, 512, 4096, 'w');
	fetch_back_at(4096 + 512);
	ASSERT_EQ(0, caller_start(&c));
	EXPECT_TRUE(wait_until(caller_sleeps(&c), SOON_MS));
	/* Others need not wait, and new requests don't make it wait for longer. */
	EXPECT_EQ(0, drop(self->fd, 1024, 8));
	start(1, IO_WRITE, 512, 4096, 'x');
	fetch_at(512);
	ASSERT_EQ(0, remap(0, 0, 0, 0, 0));
	EXPECT_FALSE(caller_ended(&c));
	/* A signal ends the wait; the call can be repeated. */
	thread_interrupt(c.thread);
	pthread_join(c.thread, NULL);
	EXPECT_EQ(-EINTR, c.result);
	unmap.sectors = 520;
	ASSERT_EQ(0, caller_start(&c));
	EXPECT_TRUE(wait_until(caller_sleeps(&c), SOON_MS));
	EXPECT_EQ(0, answer_back());
	EXPECT_EQ(0, done(0));
	fetch_back_at(0);
	EXPECT_EQ(0, answer_back());
	pthread_join(c.thread, NULL);
	EXPECT_EQ(0, c.result);
	EXPECT_EQ(0, done(1));
}

/* The daemon chose the place before it called unmap. */
TEST_F(remap, remap_older_than_an_unmap_is_delivered_again)
{
	start(0, IO_WRITE, 64, 4096, 'w');
	fetch_at(64);
	EXPECT_EQ(0, drop(self->fd, 0, 65));
	ASSERT_EQ(0, remap(both, 0, 0, 0, 1024));
	EXPECT_EQ(0, disk_status("extents"));
	EXPECT_EQ(0, disk_status("remapped"));
	fetch_at(64);
	EXPECT_TRUE(self->requests[0].flags & DM_USER_REQ_REDELIVERED);
	ASSERT_EQ(0, remap(0, 0, 8, 0, 0));
	fetch_back_at(8);
	EXPECT_EQ(0, answer_back());
	EXPECT_EQ(0, done(0));
}

/* A daemon may still carry out the older write, and so undo the one that is on its way. */
TEST_F(remap, remapped_write_that_overlaps_a_failed_one_fails_with_it)
{
	start(0, IO_WRITE, 512, 4096, 'o');
	fetch_at(512);
	remember(both);
	start(1, IO_WRITE, 513, 512, 'n');
	fetch_back_at(4096 + 513);
	/* Beside it. */
	start(2, IO_WRITE, 520, 4096, 'b');
	ASSERT_TRUE(wait_until(disk_status("hits") == 2, SOON_MS));
	ASSERT_EQ(0, dm("message t 0 fail"));
	EXPECT_EQ(-ETIMEDOUT, done(0));
	EXPECT_EQ(0, answer_back());
	EXPECT_EQ(-EIO, done(1));
	fetch_back_at(4096 + 520);
	EXPECT_EQ(0, answer_back());
	EXPECT_EQ(0, done(2));
	EXPECT_EQ(2, disk_status("errors"));
}

TEST_F(remap, removed_and_revoked_channels_say_so)
{
	start(0, IO_WRITE, 0, 4096, 'x');
	fetch_at(0);
	self->fd2 = channel_open(CONTROL);
	ASSERT_EQ(0, dm("message t 0 fail"));
	EXPECT_EQ(-ETIMEDOUT, done(0));
	EXPECT_EQ(-ESTALE, remap(0, 0, 0, 0, 0));
	EXPECT_EQ(-ESTALE, drop(self->fd, 0, 8));
	ASSERT_EQ(0, dm("remove --retry t"));
	EXPECT_EQ(-ENOTBLK, drop(self->fd2, 0, 8));
}

/* What the daemon, the readers and the case know in the next case. */
struct moving {
	int current;	/* version that every read which begins now must give, or a newer one */
	int next;	/* the newest that a read can give */
	int map;	/* version that the daemon remaps to */
	bool stop;
	unsigned long reads[2];
	int stale[2];	/* what a reader got wrongly, or -errno */
};

#define get(x) __atomic_load_n(&(x), __ATOMIC_SEQ_CST)
#define set(x, value) __atomic_store_n(&(x), value, __ATOMIC_SEQ_CST)

#define EXTENT 64
#define GARBAGE 0xff

static unsigned int area(int version)
{
	return version % 2 * 4096;
}

struct remapper {
	int fd;
	struct moving *m;
	int result;
};

/* A daemon that has the kernel remember where the current version is. */
static void *remap_all(void *arg)
{
	struct remapper *d = arg;
	struct dm_user_request request = {};
	struct dm_user_reply reply = {};
	struct dm_user_xfer x = {
		.requests = (uintptr_t)&request, .replies = (uintptr_t)&reply,
	};

	for (;;) {
		x.nr_requests = 1;
		d->result = channel_call(d->fd, DM_USER_XFER, &x);
		if (d->result)
			return NULL;
		x.nr_replies = x.fetched;
		reply = (struct dm_user_reply) {
			.seq = request.seq,
			.type = DM_USER_RESP_REMAP,
			.flags = DM_USER_CACHE_READS,
			.sector = area(get(d->m->map)),
			.sectors = EXTENT,
		};
	}
}

/* The body of a reader process: read until @stop is set. */
static void read_versions(struct moving *m, int reader)
{
	unsigned char *buf = aligned_alloc(4096, 4096);
	int fd = open(DISK, O_RDONLY | O_DIRECT | O_CLOEXEC), at_least, value;

	while (!get(m->stop)) {
		at_least = get(m->current);
		if (pread(fd, buf, 4096, m->reads[reader] % 8 * 4096) != 4096) {
			set(m->stale[reader], -errno);
			break;
		}
		value = buf[0];
		if (value < at_least || value > get(m->next) ||
		    !is_filled(buf, value, 4096)) {
			set(m->stale[reader], value);
			break;
		}
		set(m->reads[reader], m->reads[reader] + 1);
	}
	_exit(0);
}

/* A place is used again as soon as its extent was dropped, while others read. */
TEST_F(remap, dropped_extents_never_serve_stale_data)
{
	struct remapper d = {};
	unsigned long before[2];
	struct moving *m;
	pthread_t thread;
	pid_t readers[2];

	close(self->back);
	ASSERT_EQ(0, ram_start(&self->ram, BACK_CONTROL, BACK_SECTORS * 512, SIZE_MAX));
	m = mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, m);
	self->fd2 = channel_open(CONTROL);
	d = (struct remapper) { .fd = self->fd2, .m = m };
	ASSERT_EQ(0, pthread_create(&thread, NULL, remap_all, &d));
	for (int i = 0; i < 2; i++) {
		readers[i] = fork();
		if (!readers[i])
			read_versions(m, i);
	}
	for (int version = 1; version <= 100; version++) {
		set(m->next, version);
		memset(self->ram.disk + area(version) * 512, version, EXTENT * 512);
		set(m->map, version);
		ASSERT_EQ(0, drop(self->fd, 0, EXTENT));
		set(m->current, version);
		memset(self->ram.disk + area(version - 1) * 512, GARBAGE, EXTENT * 512);
		for (int i = 0; i < 2; i++)
			before[i] = get(m->reads[i]);
		ASSERT_TRUE(wait_until((get(m->reads[0]) > before[0] &&
					get(m->reads[1]) > before[1]) ||
				       get(m->stale[0]) || get(m->stale[1]), SOON_MS));
		if (get(m->stale[0]) || get(m->stale[1]))
			break;
	}
	set(m->stop, true);
	for (int i = 0; i < 2; i++) {
		waitpid(readers[i], NULL, 0);
		EXPECT_EQ(0, m->stale[i]);
	}
	EXPECT_LT(100, disk_status("remapped"));
	EXPECT_LT(0, disk_status("hits"));
	ASSERT_EQ(0, dm("remove --retry t"));
	pthread_join(thread, NULL);
	EXPECT_EQ(-ENOTBLK, d.result);
	munmap(m, sizeof(*m));
}

TEST_HARNESS_MAIN
