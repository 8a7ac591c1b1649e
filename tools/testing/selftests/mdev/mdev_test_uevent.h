/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's uevents, read from netlink, without udev.
 *
 * Nothing here sleeps to learn that no further event comes. A marker, a uevent
 * of ours on an unrelated device, follows all events that were sent before it.
 */
#ifndef MDEV_TEST_UEVENT_H
#define MDEV_TEST_UEVENT_H

#include <stdbool.h>
#include <stddef.h>

struct uevent {
	char action[32];
	char devpath[512];
	char env[4096];		/* NUL-separated */
	size_t env_len;
};

/* Open a socket that receives all uevents from now on. */
int uevent_open(void);
/* Receive one. Returns 0 or -ETIMEDOUT. */
int uevent_next(int fd, struct uevent *ev, int timeout_ms);
/* Value of a variable, or NULL. */
const char *uevent_env(const struct uevent *ev, const char *key);
/* Is this the last component of the path? */
bool uevent_is_of(const struct uevent *ev, const char *name);

/*
 * Send a marker, or recognize one. uevent_is_mark() accepts only markers with
 * this @number.
 */
int uevent_mark(unsigned int number);
bool uevent_is_mark(const struct uevent *ev, unsigned int number);

/*
 * Send a marker. List the events before it of the device @name and, unless
 * @children is NULL, of the devices in its directory of that name, in the form
 * "child add, add, bind". Returns the number of events.
 */
int uevent_story(int fd, const char *name, const char *children, char *story,
		 size_t size);

/*
 * A listener process. It calls @look as soon as it receives an event, so @look
 * sees the sysfs that udev or libvirt would see. @look reports through shared
 * memory, see shared_alloc().
 */
struct listener {
	int pid;
	int go;			/* readable once it listens and at each mark */
	unsigned int marks;
};

int listener_start(struct listener *l,
		   void (*look)(const struct uevent *ev, void *arg), void *arg);
/* Wait until @look has seen all events sent before, or -ETIMEDOUT. */
int listener_sync(struct listener *l);
void listener_stop(struct listener *l);

/* Zeroed memory that the test shares with its children. */
void *shared_alloc(size_t size);

#endif /* MDEV_TEST_UEVENT_H */
