/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by all mdev test programs: modules, sysfs files, UUIDs, waiting for a
 * condition, and child processes that act in parallel.
 *
 * Functions return 0 (or what they say) and a negative errno otherwise; none
 * prints a verdict or exits the test.
 */
#ifndef MDEV_TEST_LIB_H
#define MDEV_TEST_LIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* A UUID's 36 characters and the NUL. */
#define UUID_SIZE 37

/* Waiting for what should happen at once; a slow machine is given time. */
#define SOON_MS 60000
/* And for what goes step by step: a debug kernel delays each by 1 to 4 s. */
#define UNLOAD_MS 120000

/*
 * Evaluate @cond until it is true, at most @timeout_ms. The value is that of
 * the last evaluation, so that ASSERT_TRUE(wait_until(...)) fails on timeout.
 */
#define wait_until(cond, timeout_ms)					\
({									\
	unsigned long long end_ = now_ms() + (timeout_ms);			\
	bool ok_;							\
									\
	while (!(ok_ = (cond)) && now_ms() < end_)			\
		poll_pause();						\
	ok_;								\
})

unsigned long long now_ms(void);
/* Let others run for a millisecond between two looks at a condition. */
void poll_pause(void);

/* modprobe; -ENOENT, -EPERM, ... are lost: any failure is -EIO. */
int load_module(const char *name);
/* finit_module(2) of one file, without its dependencies; its errno. */
int insert_module(const char *path, const char *params);
/*
 * delete_module(2); its errno. -EWOULDBLOCK while the module is in use. Returns
 * when its names in sysfs are free: that of a driver, a class or a bus goes with
 * the release of a kobject, for which the kernel does not wait.
 */
int unload_module(const char *name);
/*
 * The same, for as long as something that is on its way out holds the module:
 * someone may still hold a device that has just gone, and a debug kernel puts
 * the release off for seconds. A module that is not loaded is no error.
 */
int unload_soon(const char *name);
/* Can modprobe find it? */
bool module_available(const char *name);
/*
 * With KEEP_MODULES in the environment a teardown takes away what the
 * case made, but leaves our modules loaded for the next case. Unloading one
 * takes a kernel with DEBUG_KOBJECT_RELEASE several seconds.
 */
bool keep_modules(void);
bool module_loaded(const char *name);
/* The count that rmmod checks; -ENOENT when the module is not loaded. */
int module_refcount(const char *name);
/* Does @holder use @name (/sys/module/NAME/holders/HOLDER)? */
bool module_held_by(const char *name, const char *holder);

/* One write(2) of the bytes; the errno of open(2) or write(2). */
int write_file_n(const char *path, const void *data, size_t count);
int write_file(const char *path, const char *text);
int write_file_fmt(const char *path, const char *fmt, ...);
/*
 * The whole file as a string, cut at @size - 1 bytes, without its last newline.
 * Returns the length.
 */
ssize_t read_file(const char *path, char *buf, size_t size);
/* The file's decimal number, or a negative errno. */
long long read_number(const char *path);
bool path_exists(const char *path);
/* stat() follows links: a link to nothing does not exist, but is here. */
bool link_exists(const char *path);
/* The last component of what a link points to. */
int link_target_name(const char *path, char *buf, size_t size);
/* How many entries a directory has, "." and ".." aside. */
int count_dir(const char *path);

void random_uuid(char uuid[UUID_SIZE]);

/*
 * @parent is a name in /sys/class/mdev_bus, @type the full name of a directory
 * in its mdev_supported_types. All return the errno of the write.
 */
int mdev_create(const char *parent, const char *type, const char *uuid);
int mdev_remove(const char *uuid);
/* Is it in /sys/bus/mdev/devices? */
bool mdev_exists(const char *uuid);
/* Path of a file of the device, in a buffer of PATH_MAX bytes. */
void mdev_path(char *buf, const char *uuid, const char *file);
void type_path(char *buf, const char *parent, const char *type,
	       const char *file);
long long available_instances(const char *parent, const char *type);

/*
 * A child process that does one thing and reports its result. It dies with
 * the test.
 */
struct actor {
	pid_t pid;
	int fd;
};

/* @act's value reaches actor_wait(). */
int actor_start(struct actor *actor, int (*act)(void *arg), void *arg);
/* Those that the tests need most. A UUID of NULL is a random one. */
int actor_write(struct actor *actor, const char *path, const char *text);
int actor_create(struct actor *actor, const char *parent, const char *type,
		 const char *uuid);
int actor_remove(struct actor *actor, const char *uuid);

#define ACTOR_TIMEOUT	(-100000)	/* still running */
#define ACTOR_KILLED	(-200000)	/* minus the signal */
/* Its result. After ACTOR_TIMEOUT it may be waited for again. */
int actor_wait(struct actor *actor, int timeout_ms);
bool actor_running(struct actor *actor);
/* Send the signal and wait for the end, no longer than @timeout_ms. */
int actor_kill(struct actor *actor, int sig, int timeout_ms);

/* For a child process: close all files but the standard ones and @fd. */
#define KEPT_FD 3
void child_keep_fd(int fd);

/* SIGKILL and reap all that still run; for a teardown. */
void actors_stop(void);

/* /dev/kmsg, from now on. */
int kmsg_open(void);
/* Is there a new message that contains both strings? Reads on. */
bool kmsg_find(int fd, const char *a, const char *b);

#endif /* MDEV_TEST_LIB_H */
