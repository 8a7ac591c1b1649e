// SPDX-License-Identifier: GPL-2.0-only
/* The tracepoints: events, their results and their durations. */
#include <stdlib.h>
#include <sys/stat.h>

#include "mdev_test_fixture.h"

DOOR_FIXTURE(trace)
ON_DRIVER_DOOR(trace);
ON_OPS_DOOR(trace);

/* A trace instance of our own, free of other users' events. */
#define INSTANCE "/sys/kernel/tracing/instances/mdev_test"

static int trace_start(void)
{
	if (mkdir(INSTANCE, 0700) && errno != EEXIST)
		return -errno;
	return write_file(INSTANCE "/events/mdev/enable", "1");
}

static void trace_stop(void)
{
	write_file(INSTANCE "/events/mdev/enable", "0");
	rmdir(INSTANCE);
}

/* Copy the last line of @event with @what in it. Returns false if none has. */
static bool trace_find(const char *event, const char *what, char *line,
		       size_t size)
{
	FILE *file = fopen(INSTANCE "/trace", "r");
	char buf[512], *at;
	bool found = false;

	if (!file)
		return false;
	while (fgets(buf, sizeof(buf), file)) {
		at = strstr(buf, event);
		if (at && strstr(at, what)) {
			snprintf(line, size, "%s", at);
			found = true;
		}
	}
	fclose(file);
	return found;
}

/* The number behind @key ("ns="), or -1. */
static long long trace_value(const char *line, const char *key)
{
	const char *at = strstr(line, key);

	return at ? strtoll(at + strlen(key), NULL, 10) : -1;
}

TEST_F(trace, create_and_remove_are_traced)
{
	char line[512];

	ASSERT_EQ(0, trace_start());
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_TRUE(trace_find("mdev_create_begin:", self->uuid, line,
			       sizeof(line)));
	ASSERT_TRUE(trace_find("mdev_create_end:", self->uuid, line,
			       sizeof(line)));
	ASSERT_NE(NULL, strstr(line, "error=0 "));
	ASSERT_LT(0, trace_value(line, "ns="));
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_TRUE(trace_find("mdev_remove_begin:", self->uuid, line,
			       sizeof(line)));
	ASSERT_TRUE(trace_find("mdev_remove_end:", self->uuid, line,
			       sizeof(line)));
	ASSERT_NE(NULL, strstr(line, "error=0 "));
	ASSERT_LT(0, trace_value(line, "ns="));
	trace_stop();
}

TEST_F(trace, failure_is_traced_with_its_errno)
{
	char line[512];

	ASSERT_EQ(0, trace_start());
	ASSERT_EQ(0, parent_set(&self->p, "create_error", -EIO));
	ASSERT_EQ(-EIO, parent_create(&self->p, self->uuid));
	ASSERT_TRUE(trace_find("mdev_create_end:", self->uuid, line,
			       sizeof(line)));
	ASSERT_EQ(-EIO, trace_value(line, "error="));
	ASSERT_EQ(0, parent_set(&self->p, "create_error", 0));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
	ASSERT_EQ(-EBUSY, mdev_remove(self->uuid));
	ASSERT_TRUE(trace_find("mdev_remove_end:", self->uuid, line,
			       sizeof(line)));
	ASSERT_EQ(-EBUSY, trace_value(line, "error="));
	trace_stop();
}

TEST_F(trace, durations_count_what_was_waited_for)
{
	unsigned long long waiting, unregistering;
	struct actor slow, unreg;
	char line[512];
	long long ns;

	ASSERT_EQ(0, trace_start());
	ASSERT_EQ(0, parent_set(&self->p, "create_block", 1));
	ASSERT_EQ(0, actor_create(&slow, "a", self->p.type1, self->uuid));
	ASSERT_TRUE(wait_until(parent_get(&self->p, "create_waiting") == 1,
			       SOON_MS));
	waiting = now_ms();
	ASSERT_EQ(0, actor_unregister(&unreg, &self->p));
	/* Unregistration has begun once creates are refused. */
	ASSERT_TRUE(wait_until(parent_create(&self->p, NULL) == -ENODEV,
			       SOON_MS));
	unregistering = now_ms();
	ASSERT_TRUE(wait_until(now_ms() >= unregistering + 20, SOON_MS));
	ASSERT_EQ(0, parent_set(&self->p, "create_block", 0));
	ASSERT_EQ(0, actor_wait(&slow, SOON_MS));
	ASSERT_EQ(0, actor_wait(&unreg, SOON_MS));
	ASSERT_TRUE(trace_find("mdev_create_end:", self->uuid, line,
			       sizeof(line)));
	ns = trace_value(line, "ns=");
	ASSERT_LE((unregistering - waiting) * 1000000 + 19000000, ns);
	ASSERT_TRUE(trace_find("mdev_parent_unregister:", "parent=a ", line,
			       sizeof(line)));
	ASSERT_LE(19000000, trace_value(line, "guard_ns="));
	ASSERT_LE(trace_value(line, "guard_ns="), trace_value(line, " ns="));
	trace_stop();
}

TEST_F(trace, registration_is_traced)
{
	char line[512];

	ASSERT_EQ(0, trace_start());
	ASSERT_EQ(0, parent_unregister(&self->p));
	ASSERT_TRUE(trace_find("mdev_parent_unregister:", "parent=a ", line,
			       sizeof(line)));
	ASSERT_EQ(0, parent_register(&self->p));
	ASSERT_TRUE(trace_find("mdev_parent_register:", "parent=a ", line,
			       sizeof(line)));
	ASSERT_EQ(0, trace_value(line, "error="));
	trace_stop();
}

/* A create fails, and the tracepoint names the reason. */
#define ASSERT_REFUSED(_ret, _create, _reason)				\
do {									\
	char line_[512];						\
	int ret_ = (_ret);						\
									\
	ASSERT_EQ(ret_, (_create));					\
	ASSERT_TRUE(trace_find("mdev_create_refused:", "reason=" _reason, \
			       line_, sizeof(line_)));			\
	ASSERT_NE(NULL, strstr(line_, "parent=a "));			\
	ASSERT_NE(NULL, strstr(line_, self->p.type1));			\
	ASSERT_EQ(ret_, trace_value(line_, "error="));			\
} while (0)

/* A log message would let anyone who may write to create flood the log. */
TEST_F(trace, refusal_by_the_core_is_traced_with_its_reason_and_not_logged)
{
	int kmsg;

	ASSERT_EQ(0, parent_restart(&self->p, "max_instances", 1));
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	kmsg = kmsg_open();
	ASSERT_LE(0, kmsg);
	ASSERT_EQ(0, trace_start());
	ASSERT_REFUSED(-EINVAL, parent_create(&self->p, "no-uuid"), "malformed");
	ASSERT_REFUSED(-EEXIST, parent_create(&self->p, self->uuid), "uuid");
	if (IS_OPS(variant))
		ASSERT_REFUSED(-EUSERS, parent_create(&self->p, NULL),
			       "vendor");
	else
		ASSERT_REFUSED(-EUSERS, parent_create(&self->p, NULL),
			       "instance");
	ASSERT_FALSE(kmsg_find(kmsg, "mdev: ", ""));
	close(kmsg);
	trace_stop();
}

TEST_F(trace, refusal_by_the_vendor_is_traced_and_logged_once)
{
	int kmsg = kmsg_open();

	ASSERT_LE(0, kmsg);
	ASSERT_EQ(0, trace_start());
	ASSERT_EQ(0, parent_set(&self->p, "create_error", -EIO));
	if (IS_OPS(variant))
		ASSERT_REFUSED(-EIO, parent_create(&self->p, self->uuid),
			       "vendor");
	else
		ASSERT_REFUSED(-EIO, parent_create(&self->p, self->uuid),
			       "driver");
	ASSERT_TRUE(kmsg_find(kmsg, self->uuid, "returned -5"));
	ASSERT_FALSE(kmsg_find(kmsg, self->uuid, "returned -5"));
	close(kmsg);
	trace_stop();
}

TEST_HARNESS_MAIN
