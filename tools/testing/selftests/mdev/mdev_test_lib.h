/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by all mdev test programs: UUIDs, devices, and child processes that act in
 * parallel.
 *
 * Unless noted otherwise, functions return 0 or a negative errno. None prints a
 * verdict or ends the test.
 */
#ifndef MDEV_TEST_LIB_H
#define MDEV_TEST_LIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "test_lib.h"

/* 36 characters and the NUL. */
#define UUID_SIZE 37

void random_uuid(char uuid[UUID_SIZE]);

/*
 * @parent is a name in /sys/class/mdev_bus, @type the full name of a directory
 * in its mdev_supported_types. All return the errno of the write.
 */
int mdev_create(const char *parent, const char *type, const char *uuid);
int mdev_remove(const char *uuid);
/* Is the device in /sys/bus/mdev/devices? */
bool mdev_exists(const char *uuid);
/* Path of a file of the device, in a buffer of PATH_MAX bytes. */
void mdev_path(char *buf, const char *uuid, const char *file);
void type_path(char *buf, const char *parent, const char *type,
	       const char *file);
long long available_instances(const char *parent, const char *type);

/*
 * A child process that runs one function and reports its result. It is killed
 * when the test ends.
 */
struct actor {
	pid_t pid;
	int fd;
};

/* actor_wait() returns @act's value. */
int actor_start(struct actor *actor, int (*act)(void *arg), void *arg);
/* The most common ones. uuid NULL: use a random UUID. */
int actor_write(struct actor *actor, const char *path, const char *text);
int actor_create(struct actor *actor, const char *parent, const char *type,
		 const char *uuid);
int actor_remove(struct actor *actor, const char *uuid);

#define ACTOR_TIMEOUT	(-100000)	/* still running */
#define ACTOR_KILLED	(-200000)	/* minus the signal */
/* Wait for its result. May be called again after ACTOR_TIMEOUT. */
int actor_wait(struct actor *actor, int timeout_ms);
bool actor_running(struct actor *actor);
/* Send the signal and wait at most @timeout_ms for the child to end. */
int actor_kill(struct actor *actor, int sig, int timeout_ms);

/* In a child process: close all files but the standard ones and @fd. */
#define KEPT_FD 3
void child_keep_fd(int fd);

/* SIGKILL and reap all running actors; for a teardown. */
void actors_stop(void);

#endif /* MDEV_TEST_LIB_H */
