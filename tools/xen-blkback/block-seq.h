/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the parts of block-seq.
 *
 * Functions that cannot do what they are for call fail(), which does not return: there is
 * nobody else to tell, and the kernel undoes what was done when the process ends.
 */
#ifndef BLOCK_SEQ_H
#define BLOCK_SEQ_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <xenstore.h>

/* Tell the toolstack and the user, and exit. */
[[gnu::noreturn, gnu::format(printf, 1, 2)]]
void fail(const char *fmt, ...);

/*
 * store.c: xenstore
 */

extern struct xs_handle *store;
/* Concatenate. The caller frees the result, as that of all functions here. */
[[gnu::format(printf, 1, 2)]]
char *format(const char *fmt, ...);
/* The path of this domain. */
char *own_path(void);
/* Read a node below @dir as a string. NULL if it is not there, or not for us. */
char *node_read(const char *dir, const char *node);
/* Write "node", "value", ..., NULL below a virtual disk, all or none. Sets errno. */
bool nodes_write(const char *vbd, const char *const *nodes);

/*
 * disk.c: what is to be attached
 */

struct disk_options {
	bool writable;
	bool exclusive;		/* not together with a user in this domain */
	bool autoclear;		/* a loop device goes with its last user */
	unsigned int sector_size; /* of a loop device, or 0 for the default */
};

/*
 * @path: of the block device
 * @number: its device number
 * @file: where the file of a loop device is, if @is_loop
 * @inode: of this file
 * @seq: the sequence number
 */
struct disk {
	char *path;
	dev_t number;
	bool is_loop;
	dev_t file;
	ino_t inode;
	unsigned long long seq;
};

/* Open the block device, or attach the file to a loop device. It stays open. */
void disk_open(struct disk *disk, const char *params, const struct disk_options *options);
/* Detach the loop device @path, if its sequence number is still the same. */
void disk_detach(const char *path, unsigned long long seq);
/* Look up the block device with this number. Returns false if it does not exist. */
bool disk_of_number(struct disk *disk, dev_t number);

/*
 * sharing.c: other users
 */

/* Exclude this program, and Xen's own script. */
void lock(void);
void unlock(void);
/* Fail if another virtual disk of this domain excludes that @vbd uses the disk. */
void check_sharing(const char *vbd, const char *name, const struct disk *disk,
		   bool writable);
/* Call @visit with the path of each virtual disk in the folder. */
void visit_vbds(const char *folder, void (*visit)(const char *vbd, void *data), void *data);
/* Read physical-device in either form. Returns false if it has none; @seq may be 0. */
bool parse_physical(const char *value, unsigned long long *seq, dev_t *number);

/*
 * show.c
 */

void show(void);

#endif
