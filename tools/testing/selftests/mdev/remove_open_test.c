// SPDX-License-Identifier: GPL-2.0-only
/* Removing a device that is open. */
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "mdev_test_fixture.h"

DOOR_FIXTURE(remove_open)
ON_DRIVER_DOOR(remove_open);
ON_OPS_DOOR(remove_open);

DOOR_FIXTURE(remove_open_ops)
ON_OPS_DOOR(remove_open_ops);

/* Does the open device still work? */
static bool works(const struct vfio_user *vfio)
{
	struct vfio_device_info info;
	char byte = 0x5a, back = 0;

	return !vfio_user_device_info(vfio->device, &info) &&
	       pwrite(vfio->device, &byte, 1, 0) == 1 &&
	       pread(vfio->device, &back, 1, 0) == 1 && back == byte;
}

/* A refused remove changes nothing. */
#define ASSERT_UNTOUCHED(_seq)						\
do {									\
	ASSERT_TRUE(mdev_complete(&self->p, self->uuid));		\
	ASSERT_EQ(1, mdev_number(self->uuid, "in_use"));		\
	ASSERT_EQ((_seq), mdev_number(self->uuid, "mdevseq"));		\
	ASSERT_EQ(15, available_instances("a", self->p.type1));	\
	ASSERT_EQ(-EEXIST, parent_create(&self->p, self->uuid));	\
	ASSERT_TRUE(works(&self->vfio));				\
} while (0)

/* Create and open a device whose user can be asked to close it. */
#define START_WITH_REQUEST()						\
do {									\
	ASSERT_EQ(0, parent_restart(&self->p, "request_op", 1));	\
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));		\
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));		\
} while (0)

/* Start a remover and wait until it has asked the user. */
#define START_REMOVER(_actor)						\
do {									\
	ASSERT_EQ(0, parent_set(&self->p, "requests", 0));		\
	ASSERT_EQ(0, actor_remove(&(_actor), self->uuid));		\
	ASSERT_TRUE(wait_until(parent_get(&self->p, "requests") >= 1,	\
			       SOON_MS));				\
} while (0)

TEST_F(remove_open, remove_without_request_op_is_busy_at_once)
{
	struct actor remover;
	struct event_log log;
	long long seq;

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	seq = mdev_number(self->uuid, "mdevseq");
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
	ASSERT_EQ(0, log_clear());
	ASSERT_EQ(0, actor_remove(&remover, self->uuid));
	ASSERT_EQ(-EBUSY, actor_wait(&remover, SOON_MS));
	ASSERT_UNTOUCHED(seq);
	/* Neither the vendor nor the driver core was called. */
	ASSERT_EQ(0, log_read(&log));
	ASSERT_EQ(0, log.n);
	vfio_user_close(&self->vfio);
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_FALSE(mdev_exists(self->uuid));
}

TEST_F(remove_open, refused_remove_lets_others_open)
{
	int second;

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
	ASSERT_EQ(-EBUSY, mdev_remove(self->uuid));
	second = vfio_user_get_device(&self->vfio, self->uuid);
	ASSERT_LE(0, second);
	ASSERT_EQ(2, mdev_number(self->uuid, "in_use"));
	close(second);
	vfio_user_close(&self->vfio);
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
}

TEST_F(remove_open, remove_with_request_op_asks_and_waits_for_close)
{
	struct actor remover;

	START_WITH_REQUEST();
	START_REMOVER(remover);
	ASSERT_TRUE(actor_running(&remover));
	vfio_user_close(&self->vfio);
	ASSERT_EQ(0, actor_wait(&remover, SOON_MS));
	ASSERT_FALSE(mdev_exists(self->uuid));
	ASSERT_EQ(16, available_instances("a", self->p.type1));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
}

TEST_F(remove_open, device_keeps_links_and_attributes_while_remove_waits)
{
	struct actor remover;
	long long seq;

	START_WITH_REQUEST();
	seq = mdev_number(self->uuid, "mdevseq");
	START_REMOVER(remover);
	ASSERT_UNTOUCHED(seq);
	ASSERT_TRUE(actor_running(&remover));
	vfio_user_close(&self->vfio);
	ASSERT_EQ(0, actor_wait(&remover, SOON_MS));
}

TEST_F(remove_open, second_remover_gives_up_while_the_first_waits)
{
	struct actor first, second;

	START_WITH_REQUEST();
	START_REMOVER(first);
	ASSERT_EQ(0, actor_remove(&second, self->uuid));
	ASSERT_EQ(-ENODEV, actor_wait(&second, SOON_MS));
	ASSERT_TRUE(actor_running(&first));
	vfio_user_close(&self->vfio);
	ASSERT_EQ(0, actor_wait(&first, SOON_MS));
}

TEST_F(remove_open_ops, new_open_is_refused_while_remove_waits)
{
	struct actor remover;
	int second;

	START_WITH_REQUEST();
	START_REMOVER(remover);
	ASSERT_EQ(-ENODEV, vfio_user_get_device(&self->vfio, self->uuid));
	ASSERT_EQ(1, mdev_number(self->uuid, "in_use"));
	/* Opens work again once the remover is gone. */
	ASSERT_EQ(ACTOR_KILLED - SIGKILL,
		  actor_kill(&remover, SIGKILL, SOON_MS));
	second = vfio_user_get_device(&self->vfio, self->uuid);
	ASSERT_LE(0, second);
	close(second);
}

/* Kill the remover. The device is unchanged and can be removed later. */
#define ASSERT_KILL_IS_HARMLESS(_sig)					\
do {									\
	struct actor remover_, later_;					\
	int sig_ = (_sig);						\
	long long seq_;							\
									\
	START_WITH_REQUEST();						\
	seq_ = mdev_number(self->uuid, "mdevseq");			\
	START_REMOVER(remover_);					\
	ASSERT_EQ(ACTOR_KILLED - sig_,					\
		  actor_kill(&remover_, sig_, SOON_MS));		\
	ASSERT_UNTOUCHED(seq_);						\
	START_REMOVER(later_);						\
	vfio_user_close(&self->vfio);					\
	ASSERT_EQ(0, actor_wait(&later_, SOON_MS));			\
	ASSERT_FALSE(mdev_exists(self->uuid));				\
} while (0)

TEST_F(remove_open, remover_killed_by_sigkill_leaves_the_device_untouched)
{
	ASSERT_KILL_IS_HARMLESS(SIGKILL);
}

TEST_F(remove_open, remover_killed_by_sigint_leaves_the_device_untouched)
{
	ASSERT_KILL_IS_HARMLESS(SIGINT);
}

static void on_signal(int sig)
{
}

struct handled {
	const char *uuid;
	int flags;
};

static int act_remove_handling_sigint(void *arg)
{
	struct handled *h = arg;
	struct sigaction sa = {
		.sa_handler = on_signal,
		.sa_flags = h->flags,
	};

	sigaction(SIGINT, &sa, NULL);
	return mdev_remove(h->uuid);
}

TEST_F(remove_open, remover_that_handles_a_signal_gets_eintr)
{
	struct handled h = { .uuid = self->uuid };
	struct actor remover, later;
	long long seq;

	START_WITH_REQUEST();
	seq = mdev_number(self->uuid, "mdevseq");
	ASSERT_EQ(0, parent_set(&self->p, "requests", 0));
	ASSERT_EQ(0, actor_start(&remover, act_remove_handling_sigint, &h));
	ASSERT_TRUE(wait_until(parent_get(&self->p, "requests") >= 1, SOON_MS));
	ASSERT_EQ(-EINTR, actor_kill(&remover, SIGINT, SOON_MS));
	ASSERT_UNTOUCHED(seq);
	START_REMOVER(later);
	vfio_user_close(&self->vfio);
	ASSERT_EQ(0, actor_wait(&later, SOON_MS));
}

/* The remover asks again, so it has been restarted and still waits. */
#define ASSERT_REMOVER_GOES_ON(_remover)				\
do {									\
	struct actor *remover_ = &(_remover);				\
									\
	ASSERT_TRUE(wait_until(parent_get(&self->p, "requests") >= 1 ||	\
			       !actor_running(remover_), SOON_MS));	\
	ASSERT_TRUE(actor_running(remover_)) {				\
		TH_LOG("remove: %d", actor_wait(remover_, SOON_MS));	\
	}								\
	vfio_user_close(&self->vfio);					\
	ASSERT_EQ(0, actor_wait(remover_, SOON_MS));			\
	ASSERT_FALSE(mdev_exists(self->uuid));				\
} while (0)

TEST_F(remove_open, remover_goes_on_after_a_handler_with_sa_restart)
{
	struct handled h = { .uuid = self->uuid, .flags = SA_RESTART };
	struct actor remover;

	START_WITH_REQUEST();
	ASSERT_EQ(0, parent_set(&self->p, "requests", 0));
	ASSERT_EQ(0, actor_start(&remover, act_remove_handling_sigint, &h));
	ASSERT_TRUE(wait_until(parent_get(&self->p, "requests") >= 1, SOON_MS));
	ASSERT_EQ(0, parent_set(&self->p, "requests", 0));
	ASSERT_EQ(0, kill(remover.pid, SIGINT));
	ASSERT_REMOVER_GOES_ON(remover);
}

/* Wait until the child has stopped. */
static bool stops(pid_t pid)
{
	int status;

	return waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status);
}

TEST_F(remove_open, remover_goes_on_after_it_was_stopped)
{
	struct actor remover;

	START_WITH_REQUEST();
	START_REMOVER(remover);
	ASSERT_EQ(0, kill(remover.pid, SIGSTOP));
	ASSERT_TRUE(stops(remover.pid));
	ASSERT_EQ(0, parent_set(&self->p, "requests", 0));
	ASSERT_EQ(0, kill(remover.pid, SIGCONT));
	ASSERT_REMOVER_GOES_ON(remover);
}

TEST_F(remove_open, remover_goes_on_after_a_debugger_attached)
{
	struct actor remover;

	START_WITH_REQUEST();
	START_REMOVER(remover);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, remover.pid, NULL, NULL));
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, remover.pid, NULL, NULL));
	ASSERT_TRUE(stops(remover.pid));
	ASSERT_EQ(0, parent_set(&self->p, "requests", 0));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, remover.pid, NULL, NULL));
	ASSERT_REMOVER_GOES_ON(remover);
}

#define POWER "/sys/power/"

TEST_F(remove_open, remover_goes_on_after_a_suspend)
{
	struct actor remover;

	/* Freeze the tasks and thaw them at once. */
	if (write_file(POWER "pm_test", "freezer"))
		SKIP(return, "this kernel cannot test a suspend");
	ASSERT_EQ(0, write_file("/sys/module/suspend/parameters/pm_test_delay",
				"0"));
	START_WITH_REQUEST();
	START_REMOVER(remover);
	ASSERT_EQ(0, parent_set(&self->p, "requests", 0));
	ASSERT_EQ(0, write_file(POWER "state", "freeze"));
	ASSERT_EQ(0, write_file(POWER "pm_test", "none"));
	ASSERT_REMOVER_GOES_ON(remover);
}

TEST_F(remove_open, uuid_is_free_when_a_remove_that_waited_returns)
{
	struct actor remover;

	START_WITH_REQUEST();
	START_REMOVER(remover);
	vfio_user_close(&self->vfio);
	ASSERT_EQ(0, actor_wait(&remover, SOON_MS));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
}

TEST_F(remove_open, open_group_alone_does_not_hold_up_a_remove)
{
	struct actor remover;

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
	vfio_user_close_device(&self->vfio);
	ASSERT_EQ(0, mdev_number(self->uuid, "in_use"));
	ASSERT_EQ(0, actor_remove(&remover, self->uuid));
	ASSERT_EQ(0, actor_wait(&remover, SOON_MS));
	ASSERT_FALSE(mdev_exists(self->uuid));
}

TEST_HARNESS_MAIN
