/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the xen-blkback test programs, which run in dom0: nodes of xenstore, virtual
 * disks whose back end and front end are both here, and loop devices.
 *
 * Unless noted otherwise, functions return 0 or a negative errno. None prints a verdict
 * or ends the test.
 */
#ifndef XBB_TEST_H
#define XBB_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "test_lib.h"

/* States of a xenbus device, as written in the store. */
#define INIT_WAIT	"2"
#define CONNECTED	"4"
#define CLOSED		"6"

/* Write @len bytes to a node. */
int store_write(const char *path, const void *value, size_t len);
/* Read a node as a string, truncated to @size - 1 bytes. Returns its length. */
int store_read(const char *path, char *buf, size_t size);
/* Remove a node and its children. Succeeds if the node does not exist. */
int store_remove(const char *path);
/* Print the nodes below this one as lines "name = value", sorted, except @but. */
int store_dump(const char *path, const char *but, char *text, size_t size);
/* Run these writes of "path", "value", ..., NULL in one transaction. */
int store_write_all(const char *const *nodes);
/* The same, but write nothing if this node has one of these values, of one character. */
int store_write_unless(const char *path, const char *values, const char *const *nodes);

/* A virtual disk. Its number n gives it the name /dev/xvd<'a' + n>. */
struct vbd {
	char back[64];		/* its nodes */
	char front[64];
	char error[80];		/* where the back end writes an error */
	char dev[16];
	char name[24];		/* of the back end, in sysfs */
	char front_name[24];
};

/* Write its nodes, without a physical-device, and wait until the back end waits for that. */
int vbd_create(struct vbd *v, unsigned int n, const char *mode);
/* Write physical-device. */
[[gnu::format(printf, 2, 3)]]
int vbd_give(const struct vbd *v, const char *fmt, ...);
/* Does this node of the back end have this value? */
bool vbd_has(const struct vbd *v, const char *node, const char *value);
/* Is the node there? */
bool vbd_has_node(const struct vbd *v, const char *node);
/* Read the number in this node of the back end. Returns -1 if it does not exist. */
int vbd_number(const struct vbd *v, const char *node);
/* Read the sequence number that sysfs shows. Returns its length. */
int vbd_shown_seq(const struct vbd *v, char *text, size_t size);
/*
 * Wait until the attach has succeeded or failed. Returns 0, the negative errno that the
 * back end wrote, or -ETIME. Copies the text of the error to vbd_said.
 */
int vbd_result(const struct vbd *v);
extern char vbd_said[256];
/* Detach it and remove its nodes. Succeeds if it was not created. */
int vbd_remove(struct vbd *v);

/* Make a file of @size bytes that begins with the text. */
int image_create(const char *path, const char *text, size_t size);
/* Does the file or device begin with the text? Bypasses the cache of a device. */
bool begins_with(const char *path, const char *text);

int loop_open(int n);
/* Attach the file to this loop device, with LO_FLAGS_*. */
int loop_configure(int n, const char *path, int flags);
/* Attach it to a free one. Returns its number. */
int loop_attach(const char *path, int flags);
/* Detach it. If it is open, that happens when its last user closes it. */
int loop_detach(int n);
/* Does it have a file? */
bool loop_attached(int n);
/* Its sequence number. */
unsigned long long loop_seq(int n);

/* The sequence number and the device number of a disk or a partition, as sysfs has them. */
unsigned long long disk_seq(const char *disk);
int disk_number(const char *name, unsigned int *major, unsigned int *minor);

#endif
