// SPDX-License-Identifier: GPL-2.0-only
/* Uevents, and the state of sysfs when each arrives. */
#include "mdev_test_fixture.h"
#include "mdev_test_uevent.h"

DOOR_FIXTURE(uevent)
ON_DRIVER_DOOR(uevent);
ON_OPS_DOOR(uevent);

DOOR_FIXTURE(uevent_ops)
ON_OPS_DOOR(uevent_ops);

#define ROUNDS 50

/* Counted by the listener process, in memory that it shares with the test. */
struct seen {
	struct test_parent p;
	int add;
	int add_incomplete;
	int bind;
	int bind_incomplete;
	int remove;
	int registered;
	int registered_error;	/* of a create at that moment */
	int unregistered;
	int unregistered_gone;	/* the parent was no longer in sysfs */
	int unregistered_types;	/* its types still were */
};

static bool is_mdev_of(const struct uevent *ev, const struct test_parent *p)
{
	char prefix[PATH_MAX];
	size_t len;

	len = snprintf(prefix, sizeof(prefix), "/devices/virtual/%s/%s/",
		       p->door, p->name);
	return !strncmp(ev->devpath, prefix, len) &&
	       strlen(ev->devpath + len) == UUID_SIZE - 1;
}

static bool is_parent(const struct uevent *ev, const struct test_parent *p)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/devices/virtual/%s/%s", p->door,
		 p->name);
	return !strcmp(ev->devpath, path);
}

static void look_at_parent(const struct uevent *ev, struct seen *seen)
{
	const char *state = uevent_env(ev, "MDEV_STATE");
	char path[PATH_MAX];
	int ret;

	if (!state || strcmp(ev->action, "change"))
		return;
	if (!strcmp(state, "registered")) {
		seen->registered++;
		ret = parent_create(&seen->p, NULL);
		if (!ret)
			ret = parent_create2(&seen->p, NULL);
		if (ret)
			seen->registered_error = ret;
	} else if (!strcmp(state, "unregistered")) {
		seen->unregistered++;
		snprintf(path, sizeof(path), "/sys%s/uevent", ev->devpath);
		if (!path_exists(path))
			seen->unregistered_gone++;
		snprintf(path, sizeof(path), "/sys%s/mdev_supported_types",
			 ev->devpath);
		if (path_exists(path))
			seen->unregistered_types++;
	}
}

static void look(const struct uevent *ev, void *arg)
{
	struct seen *seen = arg;
	const char *uuid;

	if (is_parent(ev, &seen->p)) {
		look_at_parent(ev, seen);
		return;
	}
	if (!is_mdev_of(ev, &seen->p))
		return;
	uuid = strrchr(ev->devpath, '/') + 1;
	if (!strcmp(ev->action, "add")) {
		seen->add++;
		if (!mdev_complete(&seen->p, uuid))
			seen->add_incomplete++;
	} else if (!strcmp(ev->action, "bind")) {
		seen->bind++;
		if (!mdev_complete(&seen->p, uuid))
			seen->bind_incomplete++;
	} else if (!strcmp(ev->action, "remove")) {
		seen->remove++;
	}
}

TEST_F(uevent, everything_exists_at_add_and_at_bind)
{
	struct seen *seen = shared_alloc(sizeof(*seen));
	char uuid[UUID_SIZE];
	struct listener l;
	int i;

	ASSERT_NE(NULL, seen);
	seen->p = self->p;
	ASSERT_EQ(0, listener_start(&l, look, seen));
	for (i = 0; i < ROUNDS; i++) {
		random_uuid(uuid);
		ASSERT_EQ(0, parent_create(&self->p, uuid));
		/* Let the listener look before the device goes. */
		ASSERT_EQ(0, listener_sync(&l));
		ASSERT_EQ(0, mdev_remove(uuid));
	}
	ASSERT_EQ(0, listener_sync(&l));
	listener_stop(&l);
	ASSERT_EQ(ROUNDS, seen->add);
	ASSERT_EQ(ROUNDS, seen->bind);
	ASSERT_EQ(ROUNDS, seen->remove);
	ASSERT_EQ(0, seen->add_incomplete);
	ASSERT_EQ(0, seen->bind_incomplete);
}

TEST_F(uevent, create_sends_one_add_then_one_bind)
{
	int sock = uevent_open();
	char story[256];

	ASSERT_LE(0, sock);
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_LT(0, uevent_story(sock, self->uuid, NULL, story,
				  sizeof(story)));
	ASSERT_STREQ("add, bind", story);
	close(sock);
}

TEST_F(uevent, add_comes_only_when_the_device_is_ready)
{
	struct actor slow;
	int sock = uevent_open();
	char story[256];

	ASSERT_LE(0, sock);
	ASSERT_EQ(0, parent_set(&self->p, "create_block", 1));
	ASSERT_EQ(0, actor_create(&slow, "a", self->p.type1, self->uuid));
	ASSERT_TRUE(wait_until(parent_get(&self->p, "create_waiting") == 1,
			       SOON_MS));
	/* On the driver door it is in sysfs already, but not announced. */
	ASSERT_EQ(0, uevent_story(sock, self->uuid, NULL, story,
				  sizeof(story)));
	ASSERT_EQ(0, parent_set(&self->p, "create_block", 0));
	ASSERT_EQ(0, actor_wait(&slow, SOON_MS));
	ASSERT_LT(0, uevent_story(sock, self->uuid, NULL, story,
				  sizeof(story)));
	ASSERT_STREQ("add, bind", story);
	close(sock);
}

TEST_F(uevent, events_of_the_vfio_child_come_before_those_of_the_device)
{
	int sock = uevent_open();
	char story[256];

	ASSERT_LE(0, sock);
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(3, uevent_story(sock, self->uuid, "vfio-dev", story,
				  sizeof(story)));
	ASSERT_STREQ("child add, add, bind", story);
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_EQ(3, uevent_story(sock, self->uuid, "vfio-dev", story,
				  sizeof(story)));
	ASSERT_STREQ("child remove, unbind, remove", story);
	close(sock);
}

TEST_F(uevent, remove_sends_unbind_then_one_remove)
{
	char story[256];
	int sock;

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	sock = uevent_open();
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, mdev_remove(self->uuid));
	ASSERT_LT(0, uevent_story(sock, self->uuid, NULL, story,
				  sizeof(story)));
	ASSERT_STREQ("unbind, remove", story);
	close(sock);
}

TEST_F(uevent, unregister_sends_one_remove_per_device)
{
	char other[UUID_SIZE], story[256];
	int sock;

	random_uuid(other);
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, parent_create2(&self->p, other));
	sock = uevent_open();
	ASSERT_LE(0, sock);
	ASSERT_EQ(0, parent_unregister(&self->p));
	ASSERT_LT(0, uevent_story(sock, self->uuid, NULL, story,
				  sizeof(story)));
	ASSERT_STREQ("unbind, remove", story);
	close(sock);
}

TEST_F(uevent, failed_create_sends_nothing)
{
	int sock = uevent_open();
	char story[256];

	ASSERT_LE(0, sock);
	ASSERT_EQ(0, parent_set(&self->p, "create_error", -EIO));
	ASSERT_EQ(-EIO, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, parent_set(&self->p, "create_error", 1));
	ASSERT_EQ(-EINVAL, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, uevent_story(sock, self->uuid, NULL, story,
				  sizeof(story))) {
		TH_LOG("events: %s", story);
	}
	close(sock);
}

TEST_F(uevent, refused_remove_sends_nothing)
{
	char story[256];
	int sock;

	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, mdev_open(&self->vfio, self->uuid));
	sock = uevent_open();
	ASSERT_LE(0, sock);
	ASSERT_EQ(-EBUSY, mdev_remove(self->uuid));
	ASSERT_EQ(0, uevent_story(sock, self->uuid, NULL, story,
				  sizeof(story)));
	close(sock);
}

TEST_F(uevent, create_works_from_the_handler_of_registered)
{
	struct seen *seen = shared_alloc(sizeof(*seen));
	struct listener l;

	ASSERT_NE(NULL, seen);
	seen->p = self->p;
	ASSERT_EQ(0, parent_unregister(&self->p));
	ASSERT_EQ(0, listener_start(&l, look, seen));
	ASSERT_EQ(0, parent_register(&self->p));
	ASSERT_EQ(0, listener_sync(&l));
	listener_stop(&l);
	ASSERT_EQ(1, seen->registered);
	ASSERT_EQ(0, seen->registered_error);
	ASSERT_EQ(14, available_instances("a", self->p.type1));
}

TEST_F(uevent_ops, registered_comes_when_the_last_type_is_there)
{
	struct seen *seen = shared_alloc(sizeof(*seen));
	struct actor registrar;
	struct listener l;
	char path[PATH_MAX];

	ASSERT_NE(NULL, seen);
	seen->p = self->p;
	ASSERT_EQ(0, parent_unregister(&self->p));
	ASSERT_EQ(0, parent_set(&self->p, "register_block", 1));
	ASSERT_EQ(0, listener_start(&l, look, seen));
	parent_path(path, &self->p, "register");
	ASSERT_EQ(0, actor_write(&registrar, path, "1"));
	ASSERT_TRUE(wait_until(parent_get(&self->p, "register_waiting") == 1,
			       SOON_MS));
	ASSERT_EQ(0, listener_sync(&l));
	ASSERT_EQ(0, seen->registered);
	ASSERT_EQ(0, parent_set(&self->p, "register_block", 0));
	ASSERT_EQ(0, actor_wait(&registrar, SOON_MS));
	ASSERT_EQ(0, listener_sync(&l));
	listener_stop(&l);
	ASSERT_EQ(1, seen->registered);
	ASSERT_EQ(0, seen->registered_error);
}

TEST_F(uevent, unregistered_comes_once_while_the_parent_exists)
{
	struct seen *seen = shared_alloc(sizeof(*seen));
	struct listener l;

	ASSERT_NE(NULL, seen);
	seen->p = self->p;
	ASSERT_EQ(0, listener_start(&l, look, seen));
	ASSERT_EQ(0, parent_unregister(&self->p));
	ASSERT_EQ(0, listener_sync(&l));
	listener_stop(&l);
	ASSERT_EQ(1, seen->unregistered);
	ASSERT_EQ(0, seen->unregistered_gone);
	ASSERT_EQ(0, seen->registered);
}

TEST_F(uevent, unregistered_comes_when_all_devices_are_gone)
{
	struct seen *seen = shared_alloc(sizeof(*seen));
	struct actor unreg;
	struct listener l;

	ASSERT_NE(NULL, seen);
	seen->p = self->p;
	ASSERT_EQ(0, parent_create(&self->p, self->uuid));
	ASSERT_EQ(0, parent_set(&self->p, "remove_block", 1));
	ASSERT_EQ(0, listener_start(&l, look, seen));
	ASSERT_EQ(0, actor_unregister(&unreg, &self->p));
	ASSERT_TRUE(wait_until(parent_get(&self->p, "remove_waiting") == 1,
			       SOON_MS));
	ASSERT_EQ(0, listener_sync(&l));
	ASSERT_EQ(0, seen->unregistered);
	ASSERT_EQ(0, parent_set(&self->p, "remove_block", 0));
	ASSERT_EQ(0, actor_wait(&unreg, SOON_MS));
	ASSERT_EQ(0, listener_sync(&l));
	listener_stop(&l);
	ASSERT_EQ(1, seen->remove);
	ASSERT_EQ(1, seen->unregistered);
	ASSERT_EQ(0, seen->unregistered_types);
}

TEST_F(uevent, failed_registration_announces_nothing)
{
	struct seen *seen = shared_alloc(sizeof(*seen));
	struct listener l;
	char path[PATH_MAX];

	ASSERT_NE(NULL, seen);
	seen->p = self->p;
	ASSERT_EQ(0, listener_start(&l, look, seen));
	parent_path(path, &self->p, "register_bad");
	ASSERT_EQ(-EINVAL, write_file(path, "no_types"));
	parent_path(path, &self->p, "register_twice");
	ASSERT_EQ(-EEXIST, write_file(path, "1"));
	ASSERT_EQ(0, listener_sync(&l));
	listener_stop(&l);
	ASSERT_EQ(0, seen->registered);
	ASSERT_EQ(0, seen->unregistered);
}

TEST_HARNESS_MAIN
