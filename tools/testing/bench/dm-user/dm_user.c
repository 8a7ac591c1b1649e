// SPDX-License-Identifier: GPL-2.0-only
/* Daemons of dm-user: one answers at once, one has the kernel remember where all is. */
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-user.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "bench.h"

static struct dm_user_request requests[DEPTH];
static struct dm_user_reply replies[DEPTH];

static int serve(const char *path, void (*answer)(struct dm_user_reply *reply,
						  const struct dm_user_request *request))
{
	struct dm_user_xfer x = {
		.requests = (uintptr_t)requests,
		.replies = (uintptr_t)replies,
		.nr_requests = DEPTH,
	};
	unsigned long long calls = 0, answered = 0;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fail("%s", path);
	for (int i = 0; i < DEPTH; i++) {
		requests[i].data = (uintptr_t)mmap(NULL, MAX_IO, PROT_READ | PROT_WRITE,
						   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
						   -1, 0);
		requests[i].room = MAX_IO;
	}
	catch_end();
	puts("ready");
	while (!has_to_end()) {
		if (ioctl(fd, DM_USER_XFER, &x)) {
			if (errno == EINTR)
				continue;
			if (errno == ENOTBLK)
				break;
			fail("DM_USER_XFER");
		}
		calls++;
		for (unsigned int i = 0; i < x.fetched; i++) {
			replies[i] = (struct dm_user_reply) { .seq = requests[i].seq };
			answer(&replies[i], &requests[i]);
		}
		x.nr_replies = x.fetched;
		answered += x.fetched;
	}
	print_calls(calls, answered);
	return 0;
}

static void succeed(struct dm_user_reply *reply, const struct dm_user_request *request)
{
	reply->type = DM_USER_RESP_SUCCESS;
	reply->data = request->data;
	reply->len = request->len;
}

int cmd_dm_user(char **argv)
{
	return serve(argv[0], succeed);
}

static void remember(struct dm_user_reply *reply, const struct dm_user_request *request)
{
	if (request->type == DM_USER_REQ_MAP_FLUSH)
		return;
	reply->type = DM_USER_RESP_REMAP;
	reply->flags = DM_USER_CACHE_READS | DM_USER_CACHE_WRITES;
	reply->sectors = DISK_SIZE / 512;
}

int cmd_remap(char **argv)
{
	return serve(argv[0], remember);
}
