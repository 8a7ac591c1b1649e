/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libdmuser: serves the requests of a dm-user device.
 */
#ifndef LIBDMUSER_H
#define LIBDMUSER_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/dm-user.h>

/**
 * struct dmuser_request - what a handler is asked
 * @type: DM_USER_REQ_MAP_*
 * @flags: DM_USER_REQ_MAP_FLAG_* and DM_USER_REQ_REDELIVERED
 * @offset: first byte
 * @len: number of bytes; may be gigabytes if the request carries no data
 * @data: the data of a write; where to put that of a read; otherwise NULL
 * @remap: for a handler that returns DMUSER_REMAP, which sets @flags and the members from
 *	@device on; the others are set for it. All are 0 before.
 * @channel: file descriptor for DM_USER_UNMAP
 */
struct dmuser_request {
	unsigned int type;
	unsigned int flags;
	uint64_t offset;
	uint64_t len;
	void *data;
	struct dm_user_reply *remap;
	int channel;
};

#define DMUSER_REMAP 1

/**
 * struct dmuser_options - how to serve
 * @threads: number of threads; each opens one channel; 0 means 1
 * @handle: carries out a request, in any of the threads. Returns 0, DMUSER_REMAP or a
 *	negative errno: EOPNOTSUPP, ENOSPC, ETIMEDOUT, ENOLINK and EILSEQ are passed on,
 *	EAGAIN has the request delivered again, and everything else becomes EIO. A thread
 *	takes up to 16 requests at once and answers them together, so one that takes long
 *	delays the others.
 * @context: for @handle
 * @ready: called once, when all channels are open; may be NULL
 */
struct dmuser_options {
	unsigned int threads;
	int (*handle)(void *context, const struct dmuser_request *request);
	void *context;
	void (*ready)(void *context);
};

/**
 * dmuser_serve - serve a device until it is gone
 * @path: its control device, /dev/dm-user/NAME
 * @options: how
 *
 * Before it takes the first request it locks the memory of the process, and each thread
 * tells the kernel that it is in the path of I/O (PR_SET_IO_FLUSHER, needs
 * CAP_SYS_RESOURCE): memory that such a thread waits for must not depend on a write to the
 * device that it serves. A refusal of either is reported on stderr.
 *
 * A thread whose request has timed out closes its channel and opens another one, when the
 * handler has returned. One that meets another error ends; the others go on.
 *
 * Return: when the last thread has ended, 0 if the device was removed, or a negative errno.
 */
int dmuser_serve(const char *path, const struct dmuser_options *options);

#endif
