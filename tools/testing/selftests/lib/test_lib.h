/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the test programs of all systems: waiting for a condition, modules, files.
 *
 * Unless noted otherwise, functions return 0 or a negative errno. None prints a
 * verdict or ends the test.
 */
#ifndef TEST_LIB_H
#define TEST_LIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Timeout for one prompt step; generous, for slow machines. */
#define SOON_MS 60000
/* Timeout for several releases: debug kernels delay each by 1 to 4 s. */
#define UNLOAD_MS 120000

/*
 * Evaluate @cond until it is true, for at most @timeout_ms. Its last value is
 * the result, so ASSERT_TRUE(wait_until(...)) fails on timeout.
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
/* Sleep for a millisecond between two evaluations of a condition. */
void poll_pause(void);

/*
 * Insert NAME.ko from the folder of the program, where a kernel tree's selftests
 * have their modules, or else run modprobe. Any failure of modprobe is -EIO, since
 * it hides the errno.
 */
int load_module(const char *name);
/* finit_module(2) of one file, without its dependencies. Returns its errno. */
int insert_module(const char *path, const char *params);
/*
 * delete_module(2). Returns its errno; -EWOULDBLOCK if the module is in use.
 * Waits until the sysfs names of its drivers, class and bus are free: these go
 * with the release of a kobject, for which the kernel does not wait.
 */
int unload_module(const char *name);
/*
 * The same, but retry while the module is in use: the last reference on a
 * removed device may be dropped late, and a debug kernel delays its release for
 * seconds. Succeeds if the module is not loaded.
 */
int unload_soon(const char *name);
/* Can modprobe find the module? */
bool module_available(const char *name);
/*
 * With KEEP_MODULES in the environment a teardown removes what the case made,
 * but leaves our modules loaded for the next case: unloading one takes several
 * seconds on a kernel with DEBUG_KOBJECT_RELEASE.
 */
bool keep_modules(void);
bool module_loaded(const char *name);
/* Is it part of the kernel image? Asks modules.builtin. */
bool module_built_in(const char *name);
/* The module's reference count, or -ENOENT if it is not loaded. */
int module_refcount(const char *name);
/* Does @holder use @name (/sys/module/NAME/holders/HOLDER)? */
bool module_held_by(const char *name, const char *holder);

/* Write the bytes with one write(2). Returns the errno of open() or write(). */
int write_file_n(const char *path, const void *data, size_t count);
int write_file(const char *path, const char *text);
int write_file_fmt(const char *path, const char *fmt, ...);
/*
 * Read the file as a string, truncated to @size - 1 bytes, without its last
 * newline. Returns the length.
 */
ssize_t read_file(const char *path, char *buf, size_t size);
/* Read the file's decimal number. */
long long read_number(const char *path);
bool path_exists(const char *path);
/* Does the path exist? True for a dangling link, too, unlike stat(). */
bool link_exists(const char *path);
/* Last component of the link's target. */
int link_target_name(const char *path, char *buf, size_t size);
/* Number of entries of a directory, without "." and "..". */
int count_dir(const char *path);

/* Open /dev/kmsg at its end. */
int kmsg_open(void);
/* Read new messages. Returns true if one contains both strings. */
bool kmsg_find(int fd, const char *a, const char *b);

#endif /* TEST_LIB_H */
