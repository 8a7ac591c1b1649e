// SPDX-License-Identifier: GPL-2.0-only
/*
 * Daemons that are stopped: by a signal within a write, by memory that never arrives, by a
 * suspend of the whole machine.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "dmu_test_batch.h"
#include "dmu_test_fixture.h"

FIXTURE(stop) {
	DISK_FIXTURE;
};

FIXTURE_SETUP(stop)
{
	disk_setup("2 timeout_ms 0");
}

FIXTURE_TEARDOWN(stop)
{
	disk_teardown();
}

/* Run @serve in a child process, on a new channel. */
static pid_t daemon_start(int (*serve)(int fd, unsigned char *disk), unsigned char *disk)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int fd = 3; fd < 64; fd++)
		close(fd);
	_exit(serve(channel_open(CONTROL), disk));
}

/* Stops itself between reading a write and carrying it out. */
static int stop_within_a_write(int fd, unsigned char *disk)
{
	struct dm_user_message *m = malloc(HEADER + 4096);
	int error = fetch(fd, m, SIZE_MAX);

	if (error)
		return 1;
	raise(SIGSTOP);
	memcpy(disk + m->sector * 512, m->buf, m->len);
	return answer(fd, m->seq, SUCCESS) == -ESTALE ? 0 : 2;
}

TEST_F(stop, write_of_a_stopped_daemon_never_replaces_a_newer_one)
{
	struct ram_daemon *ram = &self->ram;
	int status;
	pid_t pid;

	ram->size = SECTORS * 512;
	ram->disk = mmap(NULL, ram->size, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, ram->disk);
	pid = daemon_start(stop_within_a_write, ram->disk);
	start(0, IO_WRITE, 16, 4096, 'o');
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	ASSERT_TRUE(WIFSTOPPED(status));
	ASSERT_EQ(0, dm("message t 0 fail"));
	EXPECT_EQ(-ETIMEDOUT, done(0));

	ASSERT_EQ(0, ram_restart(ram, CONTROL, SIZE_MAX));
	start(1, IO_WRITE, 20, 4096, 'n');
	EXPECT_EQ(-EIO, done(1));
	start(2, IO_WRITE, 24, 4096, 'n');
	EXPECT_EQ(0, done(2));
	start(3, IO_READ, 16, 4096, 1);
	EXPECT_EQ(0, done(3));
	EXPECT_TRUE(io_has(&self->io[3], 0));

	kill(pid, SIGCONT);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	/* The old write came, and its daemon has gone. */
	EXPECT_TRUE(is_filled(ram->disk + 16 * 512, 'o', 4096));
	EXPECT_TRUE(is_filled(ram->disk + 24 * 512, 'n', 4096));
	start(4, IO_WRITE, 20, 4096, 'n');
	EXPECT_EQ(0, done(4));
	EXPECT_TRUE(is_filled(ram->disk + 20 * 512, 'n', 4096));
}

/* A thread that reads or writes data of a message. */
struct stuck {
	pthread_t thread;
	pid_t tid;
	int fd;
	bool writes;
	struct absent memory;
	int error;
};

static void *touch_memory(void *arg)
{
	struct stuck *s = arg;

	__atomic_store_n(&s->tid, gettid(), __ATOMIC_RELEASE);
	if (s->writes ? write(s->fd, s->memory.at, 4096) < 0 :
			read(s->fd, s->memory.at, 4096) < 0)
		s->error = errno;
	return NULL;
}

static bool is_stuck(struct stuck *s)
{
	pid_t tid = __atomic_load_n(&s->tid, __ATOMIC_ACQUIRE);

	return tid && thread_state(tid) != 'R';
}

FIXTURE(missing) {
	DISK_FIXTURE;
};

FIXTURE_SETUP(missing)
{
	/* Long enough for all of it to get stuck before. */
	disk_setup("2 timeout_ms 10000");
}

FIXTURE_TEARDOWN(missing)
{
	disk_teardown();
}

TEST_F(missing, memory_that_never_arrives_does_not_hold_up_the_timeout)
{
	struct dm_user_message *m = self->m;
	struct dm_user_request request = {};
	struct dm_user_xfer x = { .requests = (uintptr_t)&request, .nr_requests = 1 };
	struct caller batch = { .cmd = DM_USER_XFER, .arg = &x };
	struct stuck s[2] = { { .fd = self->fd }, { .writes = true } };
	struct absent memory;

	self->fd2 = channel_open(CONTROL);
	s[1].fd = self->fd2;
	batch.fd = channel_open(CONTROL);
	ASSERT_LE(0, batch.fd);
	ASSERT_EQ(0, absent_map(&memory));
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, absent_map(&s[i].memory));

	/* The data of a write, of a reply, and of a write in the batch interface. */
	start(0, IO_WRITE, 0, 4096, 'x');
	ASSERT_EQ(HEADER, read(self->fd, m, HEADER));
	start(1, IO_READ, 64, 4096, 0);
	ASSERT_EQ(0, fetch(self->fd2, m, SIZE_MAX));
	m->type = DM_USER_RESP_SUCCESS;
	ASSERT_EQ(HEADER, write(self->fd2, m, HEADER));
	start(2, IO_WRITE, 128, 4096, 'x');
	ASSERT_TRUE(wait_until(disk_status("queued") == 1, SOON_MS));
	request.data = (uintptr_t)memory.at;
	request.room = 4096;
	for (int i = 0; i < 2; i++)
		pthread_create(&s[i].thread, NULL, touch_memory, &s[i]);
	ASSERT_EQ(0, caller_start(&batch));
	ASSERT_TRUE(wait_until(disk_status("inflight") == 3, SOON_MS));
	for (int i = 0; i < 2; i++)
		EXPECT_TRUE(wait_until(is_stuck(&s[i]), SOON_MS));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(-ETIMEDOUT, done(i));
	EXPECT_FALSE(caller_ended(&batch));

	EXPECT_EQ(0, absent_bring(&memory));
	pthread_join(batch.thread, NULL);
	EXPECT_EQ(-ESTALE, batch.result);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, absent_bring(&s[i].memory));
		pthread_join(s[i].thread, NULL);
		EXPECT_EQ(ESTALE, s[i].error);
		absent_free(&s[i].memory);
	}
	absent_free(&memory);
	close(batch.fd);
}

static int set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), error = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		error = -errno;
	close(fd);
	return error;
}

/* Freezes all tasks and thaws them, as a suspend does at first. */
static int freeze(void)
{
	return set("/sys/power/state", "freeze");
}

#define use_freezer(freeze_ms) do {					\
	if (set("/sys/power/pm_test", "freezer"))			\
		SKIP(return, "this kernel has no test of the freezer");	\
	ASSERT_EQ(0, set("/sys/power/pm_freeze_timeout", freeze_ms));	\
	ASSERT_EQ(0, set("/sys/module/suspend/parameters/pm_test_delay", "0")); \
} while (0)

/* Fetches a request, and answers it when it is told to; then serves on. */
static int answer_when_told(int fd, unsigned char *told)
{
	struct dm_user_message *m = malloc(HEADER + 4096);

	if (fetch(fd, m, SIZE_MAX))
		return 1;
	while (!__atomic_load_n(told, __ATOMIC_ACQUIRE))
		poll_pause();
	if (answer(fd, m->seq, SUCCESS))
		return 2;
	while (!serve_plain(fd, m))
		;
	return 0;
}

/* Kernels say which task did not freeze, with its stack: see harness/vm/runner.c. */
FIXTURE(alone) {
	DISK_FIXTURE;
};

FIXTURE_SETUP(alone)
{
	disk_setup("2 timeout_ms 0");
}

FIXTURE_TEARDOWN(alone)
{
	disk_teardown();
}

TEST_F(alone, suspend_with_a_frozen_daemon_fails_and_loses_nothing)
{
	unsigned char *told = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	use_freezer("1000");
	pid = daemon_start(answer_when_told, told);
	start(0, IO_WRITE, 0, 4096, 'x');
	ASSERT_TRUE(wait_until(disk_status("inflight") == 1, SOON_MS));
	printf("# expected complaint: Call Trace:\n");
	fflush(stdout);
	EXPECT_EQ(-EBUSY, freeze());
	EXPECT_EQ(IO_RUNNING, io_wait(&self->io[0], 0));
	__atomic_store_n(told, 1, __ATOMIC_RELEASE);
	EXPECT_EQ(0, done(0));
	/* It waits for a request now. */
	EXPECT_EQ(0, freeze());
	start(1, IO_WRITE, 0, 4096, 'y');
	EXPECT_EQ(0, done(1));
	EXPECT_EQ(0, disk_status("errors"));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

FIXTURE(freezer) {
	DISK_FIXTURE;
};

FIXTURE_SETUP(freezer)
{
	disk_setup("2 timeout_ms 1000");
}

FIXTURE_TEARDOWN(freezer)
{
	disk_teardown();
}

/* The timeout does not freeze, so the submitter can, and the suspend goes on. */
TEST_F(freezer, timeout_runs_while_tasks_are_frozen)
{
	use_freezer("60000");
	start(0, IO_READ, 0, 4096, 0);
	ASSERT_EQ(0, fetch(self->fd, self->m, SIZE_MAX));
	EXPECT_EQ(0, freeze());
	EXPECT_EQ(-ETIMEDOUT, done(0));
}

TEST_HARNESS_MAIN
