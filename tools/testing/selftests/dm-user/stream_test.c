// SPDX-License-Identifier: GPL-2.0-only
/*
 * The byte stream of a channel, as the daemons of the first dm-user speak it.
 */
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "dmu_test_fixture.h"

FIXTURE(stream) {
	DISK_FIXTURE;
};

FIXTURE_SETUP(stream)
{
	disk_setup("2 timeout_ms 0");
}

FIXTURE_TEARDOWN(stream)
{
	disk_teardown();
}

/* How a daemon cuts its reads and writes. */
FIXTURE(cut) {
	DISK_FIXTURE;
};

FIXTURE_VARIANT(cut) {
	size_t chunk;
};

FIXTURE_VARIANT_ADD(cut, in_bytes) { .chunk = 1 };
FIXTURE_VARIANT_ADD(cut, in_odd_parts) { .chunk = 37 };
FIXTURE_VARIANT_ADD(cut, as_header_and_data) { .chunk = SIZE_MAX };

FIXTURE_SETUP(cut)
{
	disk_setup("2 timeout_ms 0");
}

FIXTURE_TEARDOWN(cut)
{
	disk_teardown();
}

TEST_F(cut, write_brings_its_data)
{
	struct dm_user_message *m = self->m;

	start(0, IO_WRITE, 24, 8192, 'w');
	ASSERT_EQ(0, fetch(self->fd, m, variant->chunk));
	EXPECT_EQ(DM_USER_REQ_MAP_WRITE, m->type);
	EXPECT_EQ(24, m->sector);
	EXPECT_EQ(8192, m->len);
	for (int i = 0; i < 8192; i++)
		ASSERT_EQ('w', m->buf[i]);
	ASSERT_EQ(0, reply(self->fd, m->seq, DM_USER_RESP_SUCCESS, NULL, 0,
			   variant->chunk));
	EXPECT_EQ(0, done(0));
}

TEST_F(cut, read_gets_the_data_of_the_reply)
{
	struct dm_user_message *m = self->m;
	char data[4096];

	memset(data, 'd', sizeof(data));
	start(0, IO_READ, 16, sizeof(data), 0);
	ASSERT_EQ(0, fetch(self->fd, m, variant->chunk));
	EXPECT_EQ(DM_USER_REQ_MAP_READ, m->type);
	EXPECT_EQ(16, m->sector);
	EXPECT_EQ(sizeof(data), m->len);
	ASSERT_EQ(0, reply(self->fd, m->seq, DM_USER_RESP_SUCCESS, data, sizeof(data),
			   variant->chunk));
	EXPECT_EQ(0, done(0));
	EXPECT_TRUE(io_has(&self->io[0], 'd'));
}

TEST_F(cut, daemon_serves_a_whole_session)
{
	close(self->fd);
	self->fd = -1;
	ASSERT_EQ(0, ram_start(&self->ram, CONTROL, SECTORS * 512, variant->chunk));
	for (int i = 0; i < 6; i++)
		start(i, IO_WRITE, i * 128, 65536, 'a' + i);
	for (int i = 0; i < 6; i++)
		EXPECT_EQ(0, done(i));
	for (int i = 0; i < 6; i++) {
		io_end(&self->io[i]);
		start(i, IO_READ, i * 128, 65536, 0);
		EXPECT_EQ(0, done(i));
		EXPECT_TRUE(io_has(&self->io[i], 'a' + i));
	}
}

TEST_F(stream, one_read_has_bytes_of_header_or_data_alone)
{
	struct dm_user_message *m = self->m;

	start(0, IO_WRITE, 0, 4096, 'x');
	ASSERT_EQ(HEADER, read(self->fd, m, 65536));
	ASSERT_EQ(4096, read(self->fd, m->buf, 65536));
	EXPECT_EQ('x', m->buf[0]);
	EXPECT_EQ(0, answer(self->fd, m->seq, SUCCESS));
	EXPECT_EQ(0, done(0));
}

TEST_F(stream, one_write_ends_with_its_reply)
{
	struct dm_user_message two[2] = {}, *m = self->m;

	for (int i = 0; i < 2; i++) {
		start(i, IO_WRITE, i * 8, 4096, 'x');
		ASSERT_EQ(0, fetch(self->fd, m, SIZE_MAX));
		two[i].seq = m->seq;
	}
	ASSERT_EQ(HEADER, write(self->fd, two, sizeof(two)));
	ASSERT_EQ(HEADER, write(self->fd, two + 1, HEADER));
	EXPECT_EQ(0, done(0));
	EXPECT_EQ(0, done(1));
}

TEST_F(stream, nothing_is_read_or_written_by_no_bytes)
{
	EXPECT_EQ(0, read(self->fd, self->m, 0));
	EXPECT_EQ(0, write(self->fd, self->m, 0));
}

TEST_F(stream, replies_come_in_any_order)
{
	uint64_t seq[4];

	for (int i = 0; i < 4; i++) {
		start(i, IO_WRITE, i * 8, 4096, 'x');
		ASSERT_EQ(0, fetch(self->fd, self->m, SIZE_MAX));
		seq[i] = self->m->seq;
	}
	for (int i = 3; i >= 0; i--) {
		EXPECT_EQ(IO_RUNNING, io_wait(&self->io[i], 0));
		ASSERT_EQ(0, answer(self->fd, seq[i], SUCCESS));
		EXPECT_EQ(0, done(i));
	}
}

TEST_F(stream, numbers_rise_from_one_request_to_the_next)
{
	uint64_t last = 0;

	for (int i = 0; i < 4; i++) {
		start(i, IO_READ, 0, 4096, 0);
		ASSERT_EQ(0, fetch(self->fd, self->m, SIZE_MAX));
		if (i)
			EXPECT_EQ(last + 1, self->m->seq);
		last = self->m->seq;
	}
}

TEST_F(stream, error_is_eio_and_unsupported_is_eopnotsupp)
{
	start(0, IO_READ, 0, 4096, 0);
	ASSERT_EQ(0, fetch(self->fd, self->m, SIZE_MAX));
	ASSERT_EQ(0, answer(self->fd, self->m->seq, ERROR));
	EXPECT_EQ(-EIO, done(0));
	start(1, IO_READ, 0, 4096, 0);
	ASSERT_EQ(0, fetch(self->fd, self->m, SIZE_MAX));
	ASSERT_EQ(0, answer(self->fd, self->m->seq, UNSUPPORTED));
	EXPECT_EQ(-EOPNOTSUPP, done(1));
	EXPECT_EQ(2, disk_status("errors"));
}

/* Each bad reply is EINVAL, and the request can be answered all the same. */
TEST_F(stream, bad_reply_is_invalid_and_loses_nothing)
{
	struct dm_user_message *m = self->m;
	uint64_t seq;

	start(0, IO_WRITE, 0, 4096, 'x');
	ASSERT_EQ(0, fetch(self->fd, m, SIZE_MAX));
	seq = m->seq;
	EXPECT_EQ(-EINVAL, answer(self->fd, seq + 1, SUCCESS));
	EXPECT_EQ(-EINVAL, answer(self->fd, ~0ULL, ERROR));
	EXPECT_EQ(-EINVAL, reply(self->fd, seq, 3, NULL, 0, SIZE_MAX));
	EXPECT_EQ(-EINVAL, reply(self->fd, seq, 1ULL << 32, NULL, 0, SIZE_MAX));
	/* Byte by byte the error comes with the last one. */
	EXPECT_EQ(-EINVAL, reply(self->fd, seq + 1, 0, NULL, 0, 1));
	EXPECT_EQ(IO_RUNNING, io_wait(&self->io[0], 0));
	EXPECT_EQ(1, disk_status("inflight"));
	EXPECT_EQ(0, answer(self->fd, seq, SUCCESS));
	EXPECT_EQ(0, done(0));
}

TEST_F(stream, second_reply_is_invalid)
{
	start(0, IO_WRITE, 0, 4096, 'x');
	ASSERT_EQ(0, fetch(self->fd, self->m, SIZE_MAX));
	EXPECT_EQ(0, answer(self->fd, self->m->seq, SUCCESS));
	EXPECT_EQ(-EINVAL, answer(self->fd, self->m->seq, SUCCESS));
	EXPECT_EQ(0, done(0));
}

TEST_F(stream, request_not_read_whole_cannot_be_answered)
{
	struct dm_user_message *m = self->m;

	start(0, IO_WRITE, 0, 4096, 'x');
	ASSERT_EQ(HEADER, read(self->fd, m, HEADER));
	EXPECT_EQ(-EINVAL, answer(self->fd, m->seq, SUCCESS));
	ASSERT_EQ(4095, read(self->fd, m->buf, 4095));
	EXPECT_EQ(-EINVAL, answer(self->fd, m->seq, SUCCESS));
	ASSERT_EQ(1, read(self->fd, m->buf, 4095));
	EXPECT_EQ(0, answer(self->fd, m->seq, SUCCESS));
	EXPECT_EQ(0, done(0));
}

TEST_F(stream, only_the_channel_that_fetched_may_answer)
{
	self->fd2 = channel_open(CONTROL);
	ASSERT_LE(0, self->fd2);
	start(0, IO_WRITE, 0, 4096, 'x');
	ASSERT_EQ(0, fetch(self->fd, self->m, SIZE_MAX));
	EXPECT_EQ(-EINVAL, answer(self->fd2, self->m->seq, SUCCESS));
	EXPECT_EQ(0, answer(self->fd, self->m->seq, SUCCESS));
	EXPECT_EQ(0, done(0));
}

/* The end of a page that is followed by one without access. */
static char *half_accessible(void)
{
	long page = sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(p + page, page, PROT_NONE);
	return p + page;
}

TEST_F(stream, bad_memory_is_a_fault_and_takes_nothing)
{
	struct dm_user_message *m = self->m;
	char *end = half_accessible();
	uint64_t seq;

	start(0, IO_WRITE, 0, 4096, 'x');
	EXPECT_EQ(-1, read(self->fd, end, HEADER));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(HEADER, read(self->fd, m, HEADER));
	seq = m->seq;
	EXPECT_EQ(-1, read(self->fd, end, 4096));
	EXPECT_EQ(EFAULT, errno);
	/* The bytes before the fault are read. */
	EXPECT_EQ(16, read(self->fd, end - 16, 4096));
	EXPECT_EQ(4080, read(self->fd, m->buf, 4096));

	m->seq = seq;
	m->type = DM_USER_RESP_SUCCESS;
	memcpy(end - 16, m, 16);
	EXPECT_EQ(-1, write(self->fd, end - 16, HEADER));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(HEADER, write(self->fd, m, HEADER));
	EXPECT_EQ(0, done(0));
}

TEST_F(stream, bad_memory_in_the_data_of_a_reply_takes_nothing)
{
	char *end = half_accessible(), *data = malloc(HEADER + 4096);
	struct dm_user_message *m = self->m;

	start(0, IO_READ, 0, 4096, 0);
	ASSERT_EQ(0, fetch(self->fd, m, SIZE_MAX));
	m->type = DM_USER_RESP_SUCCESS;
	memcpy(data, m, HEADER);
	memset(data + HEADER, 'd', 4096);
	memcpy(end - HEADER - 16, data, HEADER + 16);
	EXPECT_EQ(-1, write(self->fd, end - HEADER - 16, HEADER + 4096));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(IO_RUNNING, io_wait(&self->io[0], 0));
	EXPECT_EQ(HEADER + 4096, write(self->fd, data, HEADER + 4096));
	EXPECT_EQ(0, done(0));
	EXPECT_TRUE(io_has(&self->io[0], 'd'));
	free(data);
}

/* Pages that the kernel has to bring first. */
TEST_F(stream, memory_that_was_never_touched_works)
{
	char *fresh = mmap(NULL, 65536 + 4096, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct dm_user_message *m = (void *)fresh;

	start(0, IO_WRITE, 0, 65536, 'x');
	ASSERT_EQ(0, fetch(self->fd, m, SIZE_MAX));
	EXPECT_EQ('x', m->buf[65535]);
	EXPECT_EQ(0, answer(self->fd, m->seq, SUCCESS));
	EXPECT_EQ(0, done(0));

	start(1, IO_READ, 0, 65536, 1);
	ASSERT_EQ(0, fetch(self->fd, self->m, SIZE_MAX));
	EXPECT_EQ(HEADER, write(self->fd, &(struct dm_user_message) {
			.seq = self->m->seq }, HEADER));
	munmap(fresh, 65536 + 4096);
	fresh = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		     -1, 0);
	EXPECT_EQ(65536, write(self->fd, fresh, 65536));
	EXPECT_EQ(0, done(1));
	EXPECT_TRUE(io_has(&self->io[1], 0));
}

TEST_F(stream, nonblocking_read_and_poll)
{
	struct pollfd p;

	self->fd2 = open(CONTROL, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	ASSERT_LE(0, self->fd2);
	p = (struct pollfd) { .fd = self->fd2, .events = POLLIN | POLLOUT };
	EXPECT_EQ(-1, read(self->fd2, self->m, HEADER));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(1, poll(&p, 1, 0));
	EXPECT_EQ(POLLOUT, p.revents);
	p.events = POLLIN;
	start(0, IO_WRITE, 0, 4096, 'x');
	ASSERT_EQ(1, poll(&p, 1, SOON_MS));
	EXPECT_EQ(POLLIN, p.revents);
	ASSERT_EQ(HEADER, read(self->fd2, self->m, HEADER));
	/* The rest of the message is there. */
	EXPECT_EQ(1, poll(&p, 1, 0));
	ASSERT_EQ(4096, read(self->fd2, self->m->buf, 4096));
	EXPECT_EQ(0, poll(&p, 1, 0));
	EXPECT_EQ(0, answer(self->fd2, self->m->seq, SUCCESS));
	EXPECT_EQ(0, done(0));
}

TEST_F(stream, what_no_channel_has_is_refused)
{
	EXPECT_EQ(-1, ioctl(self->fd, _IO(DM_USER_IOCTL, 99), 0));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_EQ(-1, ioctl(self->fd, TCGETS, self->m));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_EQ(-1, lseek(self->fd, 0, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, pread(self->fd, self->m, 1, 0));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->fd, 0));
	EXPECT_EQ(ENODEV, errno);
}

TEST_F(stream, info_describes_the_table)
{
	struct dm_user_info info;

	ASSERT_EQ(0, ioctl(self->fd, DM_USER_INFO, &info));
	EXPECT_EQ(DM_USER_VERSION, info.version);
	EXPECT_EQ(512, info.block_size);
	EXPECT_EQ(1024 * 1024, info.max_io);
	EXPECT_EQ(DM_USER_FEATURE_XFER | DM_USER_FEATURE_REMAP, info.features);
	EXPECT_EQ(SECTORS, info.sectors);
	EXPECT_EQ(0, info.start);
	EXPECT_EQ(0, info.epoch);
	self->fd2 = channel_open(CONTROL);
	close(self->fd2);
	self->fd2 = -1;
	ASSERT_EQ(0, ioctl(self->fd, DM_USER_INFO, &info));
	EXPECT_EQ(1, info.epoch);
	EXPECT_EQ(-1, ioctl(self->fd, DM_USER_INFO, 8));
	EXPECT_EQ(EFAULT, errno);
}

struct reader {
	pthread_t thread;
	pid_t tid;
	int fd;
	ssize_t result;
	int error;
	int served;
	struct dm_user_message m;
};

static void *read_once(void *arg)
{
	struct reader *r = arg;

	__atomic_store_n(&r->tid, gettid(), __ATOMIC_RELEASE);
	r->result = read(r->fd, &r->m, HEADER);
	r->error = r->result < 0 ? errno : 0;
	return NULL;
}

static void start_reader(struct reader *r, int fd, void *(*run)(void *))
{
	*r = (struct reader) { .fd = fd };
	pthread_create(&r->thread, NULL, run, r);
	wait_until(__atomic_load_n(&r->tid, __ATOMIC_ACQUIRE) && thread_state(r->tid) == 'S',
		   SOON_MS);
}

TEST_F(stream, signal_ends_a_read_and_no_request_is_lost)
{
	struct reader first, second;

	start_reader(&first, self->fd, read_once);
	start_reader(&second, self->fd, read_once);
	thread_interrupt(first.thread);
	pthread_join(first.thread, NULL);
	EXPECT_EQ(EINTR, first.error);
	start(0, IO_READ, 0, 4096, 0);
	pthread_join(second.thread, NULL);
	EXPECT_EQ(0, second.error);
	EXPECT_EQ(0, answer(self->fd, second.m.seq, ERROR));
	EXPECT_EQ(-EIO, done(0));
}

static void *serve_reads(void *arg)
{
	struct reader *r = arg;

	__atomic_store_n(&r->tid, gettid(), __ATOMIC_RELEASE);
	while (read(r->fd, &r->m, HEADER) == HEADER &&
	       !reply(r->fd, r->m.seq, DM_USER_RESP_ERROR, NULL, 0, SIZE_MAX))
		r->served++;
	r->error = errno;
	return NULL;
}

/* The requests are reads, so that a message is one read of the channel. */
TEST_F(stream, threads_share_a_channel)
{
	struct reader readers[4];
	int served = 0;

	for (int i = 0; i < 4; i++)
		start_reader(&readers[i], self->fd, serve_reads);
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < NR_IOS; i++)
			start(i, IO_READ, i * 8, 4096, 0);
		for (int i = 0; i < NR_IOS; i++) {
			ASSERT_EQ(-EIO, done(i));
			io_end(&self->io[i]);
		}
	}
	ASSERT_EQ(0, disk_remove());
	for (int i = 0; i < 4; i++) {
		pthread_join(readers[i].thread, NULL);
		EXPECT_EQ(ENOTBLK, readers[i].error);
		served += readers[i].served;
	}
	EXPECT_EQ(50 * NR_IOS, served);
}

TEST_F(stream, one_request_wakes_one_reader)
{
	struct reader readers[6];
	long before[6];
	int woken = 0;

	for (int i = 0; i < 6; i++) {
		start_reader(&readers[i], self->fd, serve_reads);
		before[i] = thread_sleeps_so_far(readers[i].tid);
	}
	start(0, IO_READ, 0, 4096, 0);
	EXPECT_EQ(-EIO, done(0));
	for (int i = 0; i < 6; i++) {
		ASSERT_TRUE(wait_until(thread_state(readers[i].tid) == 'S', SOON_MS));
		woken += thread_sleeps_so_far(readers[i].tid) != before[i];
	}
	EXPECT_EQ(1, woken);
	ASSERT_EQ(0, disk_remove());
	for (int i = 0; i < 6; i++)
		pthread_join(readers[i].thread, NULL);
}

/* A message that one thread began can be read on by another that waits. */
TEST_F(stream, another_reader_gets_the_rest)
{
	struct reader waits;
	char part[8];

	start_reader(&waits, self->fd, read_once);
	/* It takes the first request, so that the next one is ours. */
	start(0, IO_READ, 0, 4096, 0);
	pthread_join(waits.thread, NULL);
	ASSERT_EQ(0, waits.error);
	EXPECT_EQ(0, answer(self->fd, waits.m.seq, ERROR));
	start(1, IO_READ, 0, 4096, 0);
	ASSERT_EQ(sizeof(part), read(self->fd, part, sizeof(part)));
	start_reader(&waits, self->fd, read_once);
	pthread_join(waits.thread, NULL);
	EXPECT_EQ(HEADER - sizeof(part), waits.result);
	EXPECT_EQ(0, answer(self->fd, *(uint64_t *)part, ERROR));
	EXPECT_EQ(-EIO, done(1));
}

struct stuck {
	pthread_t thread;
	pid_t tid;
	int fd;
	char *at;
	ssize_t result;
};

static void *read_stuck(void *arg)
{
	struct stuck *s = arg;

	__atomic_store_n(&s->tid, gettid(), __ATOMIC_RELEASE);
	s->result = read(s->fd, s->at, HEADER);
	return NULL;
}

/* A buffer behind a userfaultfd that nobody answers. */
TEST_F(stream, buffer_that_never_arrives_holds_up_nobody_else)
{
	struct dm_user_message *m = self->m;
	struct stuck s = { .fd = self->fd };
	struct absent absent;

	ASSERT_EQ(0, absent_map(&absent));
	s.at = absent.at;
	start(0, IO_READ, 0, 4096, 0);
	ASSERT_TRUE(wait_until(disk_status("queued") == 1, SOON_MS));
	pthread_create(&s.thread, NULL, read_stuck, &s);
	ASSERT_TRUE(wait_until(__atomic_load_n(&s.tid, __ATOMIC_ACQUIRE) &&
			       thread_state(s.tid) != 'R', SOON_MS));
	ASSERT_TRUE(wait_until(disk_status("inflight") == 1, SOON_MS));
	/* The same channel, another one, and the administrator go on. */
	ASSERT_EQ(0, fetch(self->fd, m, SIZE_MAX));
	EXPECT_EQ(0, answer(self->fd, m->seq, ERROR));
	EXPECT_EQ(-EIO, done(0));
	self->fd2 = channel_open(CONTROL);
	start(1, IO_WRITE, 0, 4096, 'x');
	ASSERT_EQ(0, serve_plain(self->fd2, m));
	EXPECT_EQ(0, done(1));
	EXPECT_EQ(0, dm("message t 0 fail"));

	EXPECT_EQ(0, absent_bring(&absent));
	start(2, IO_READ, 0, 4096, 0);
	pthread_join(s.thread, NULL);
	EXPECT_EQ(HEADER, s.result);
	absent_free(&absent);
}

/* Otherwise io_uring hands each request to a thread. */
TEST_F(stream, submission_does_not_wait)
{
	start(0, IO_NOWAIT_WRITE, 0, 4096, 'x');
	ASSERT_EQ(0, serve_plain(self->fd, self->m));
	EXPECT_TRUE(self->m->flags & DM_USER_REQ_MAP_FLAG_NOWAIT);
	EXPECT_EQ(0, done(0));
}

TEST_HARNESS_MAIN
