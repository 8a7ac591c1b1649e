/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's uevents, read from netlink: no udev between.
 *
 * Nothing here sleeps to see whether something else comes. A marker, a uevent
 * of our own on an unrelated device, ends what was sent before it.
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

/* A socket that hears all from now on, or a negative errno. */
int uevent_open(void);
/* 0, or -ETIMEDOUT. */
int uevent_next(int fd, struct uevent *ev, int timeout_ms);
/* The value of a variable, or NULL. */
const char *uevent_env(const struct uevent *ev, const char *key);
/* Does the path end in this component? */
bool uevent_is_of(const struct uevent *ev, const char *name);

/*
 * Make a marker / recognise one. @number tells several apart; markers of other
 * numbers are not recognised.
 */
int uevent_mark(unsigned int number);
bool uevent_is_mark(const struct uevent *ev, unsigned int number);

/*
 * Mark, and list the events before the mark of the device called @name, and of
 * devices in its folder @children unless that is NULL: "child add, add, bind".
 * Returns how many events these were.
 */
int uevent_story(int fd, const char *name, const char *children, char *story,
		 size_t size);

/*
 * A listener process: it calls @look in the instant of each event, so that
 * what it sees in sysfs is what udev or libvirt would see. @look's results are
 * its business (shared memory, see shared_alloc()).
 */
struct listener {
	int pid;
	int go;			/* tells the test that it listens */
	unsigned int marks;
};

int listener_start(struct listener *l,
		   void (*look)(const struct uevent *ev, void *arg), void *arg);
/* Return when @look has seen all that was sent before; -ETIMEDOUT. */
int listener_sync(struct listener *l);
void listener_stop(struct listener *l);

/* Zeroed memory that children share with the test. */
void *shared_alloc(size_t size);

#endif /* MDEV_TEST_UEVENT_H */
