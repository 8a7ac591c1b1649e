/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by all dm-user test programs: run dmsetup, do I/O in a child process, and
 * drive a channel message by message.
 *
 * Unless noted otherwise, functions return 0 or a negative errno. None prints a verdict
 * or ends the test.
 */
#ifndef DMU_TEST_H
#define DMU_TEST_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/dm-user.h>

#include "test_lib.h"

#define HEADER sizeof(struct dm_user_message)

/* The mapped device of most cases, and its control device. */
#define DISK "/dev/mapper/t"
#define CONTROL "/dev/dm-user/t"
#define SECTORS 16384

/* The state of a thread of this process, as ps shows it: 'R', 'S', 'D'. */
char thread_state(pid_t tid);
/* The number of times that a thread of this process went to sleep. */
long thread_sleeps_so_far(pid_t tid);
/* Send it a signal that does nothing but end its system call. */
void thread_interrupt(pthread_t thread);

/* Load dm-user, and have dmsetup make its nodes itself: there is no udev. */
int module_load(void);
int module_unload(void);

/* Run dmsetup with these arguments. Returns its exit status. */
[[gnu::format(printf, 1, 2)]]
int dm(const char *fmt, ...);
/* The output of the last dmsetup, without its last newline. */
extern char dm_said[4096];
/* Create the device "t" of SECTORS with these features: "2 timeout_ms 0". */
int disk_create(const char *features);
/* Fail the requests of the device and remove it. Succeeds if it does not exist. */
int disk_remove(void);
/* Start a noflush suspend of it, which may have to wait. Returns dmsetup's process. */
pid_t disk_suspend_start(void);
/* Return a number of its status, such as "queued"; -1 if the status lacks it. */
long long disk_status(const char *key);

/* I/O in a child process, on a file opened with O_DIRECT. */
enum io_op {
	IO_READ, IO_WRITE, IO_NOWAIT_WRITE, IO_FSYNC, IO_DSYNC_WRITE, IO_DISCARD, IO_ZERO,
};

/* Do it here, on an open file. Returns 0 or a negative errno. */
int io_do(int fd, enum io_op op, void *buf, size_t len, uint64_t sector);

struct io {
	pid_t pid;
	int fd;			/* its result comes here */
	size_t len;
	unsigned char *buf;	/* shared with it */
};

int io_start(struct io *io, enum io_op op, const char *path, uint64_t sector,
	     size_t len, unsigned char fill);
#define IO_RUNNING (-100000)
/* Its result: 0, a negative errno, or IO_RUNNING. Frees nothing. */
int io_wait(struct io *io, int timeout_ms);
/* Kill it, if it runs, and free it. */
void io_end(struct io *io);
bool io_has(const struct io *io, unsigned char fill);
bool is_filled(const unsigned char *data, unsigned char fill, size_t len);

/* Open a channel. */
int channel_open(const char *path);
/*
 * Read a whole message, in reads of at most @chunk bytes; @m has room for its data.
 * -ETIME if none comes for SOON_MS.
 */
int fetch(int fd, struct dm_user_message *m, size_t chunk);
/* Write a reply, in writes of at most @chunk bytes. */
int reply(int fd, uint64_t seq, uint64_t type, const void *data, size_t len,
	  size_t chunk);
/* fetch() and reply() of a request without data to return, in one. */
int serve_plain(int fd, struct dm_user_message *m);

/* A page that is not there until it is brought: whoever touches it waits. */
struct absent {
	int uffd;
	char *at;
};

int absent_map(struct absent *a);
int absent_bring(struct absent *a);
void absent_free(struct absent *a);

/* A daemon that runs in a child process and keeps the disk in shared memory. */
struct ram_daemon {
	pid_t pid;
	unsigned char *disk;
	size_t size;
};

int ram_start(struct ram_daemon *d, const char *control, size_t size, size_t chunk);
/* Start it again, on the same contents. */
int ram_restart(struct ram_daemon *d, const char *control, size_t chunk);
/* Send the signal and wait for its end. */
int ram_kill(struct ram_daemon *d, int sig);
/* ram_kill(SIGKILL), and free the contents. */
void ram_end(struct ram_daemon *d);

#endif
