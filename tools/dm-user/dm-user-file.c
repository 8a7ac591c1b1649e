// SPDX-License-Identifier: GPL-2.0-only
/*
 * dm-user-file: serves a dm-user device from a file or a block device.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "libdmuser.h"

static int transfer(int fd, const struct dmuser_request *r)
{
	struct iovec iov = { r->data, r->len };
	off_t offset = r->offset;

	while (iov.iov_len) {
		ssize_t n = r->type == DM_USER_REQ_MAP_READ ?
			preadv2(fd, &iov, 1, offset, 0) :
			pwritev2(fd, &iov, 1, offset,
				 r->flags & DM_USER_REQ_MAP_FLAG_FUA ? RWF_DSYNC : 0);

		if (n < 0 && errno == EINTR)
			continue;
		/* The end of the file comes before that of the device. */
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		iov.iov_base = (char *)iov.iov_base + n;
		iov.iov_len -= n;
		offset += n;
	}
	return 0;
}

static int zero(int fd, const struct dmuser_request *r, int mode)
{
	if (fallocate(fd, mode | FALLOC_FL_KEEP_SIZE, r->offset, r->len))
		return -errno;
	if (r->flags & DM_USER_REQ_MAP_FLAG_FUA && fdatasync(fd))
		return -errno;
	return 0;
}

static int handle(void *context, const struct dmuser_request *r)
{
	int fd = *(int *)context;

	switch (r->type) {
	case DM_USER_REQ_MAP_READ:
	case DM_USER_REQ_MAP_WRITE:
		return transfer(fd, r);
	case DM_USER_REQ_MAP_FLUSH:
		return fdatasync(fd) ? -errno : 0;
	case DM_USER_REQ_MAP_DISCARD:
		return zero(fd, r, FALLOC_FL_PUNCH_HOLE);
	case DM_USER_REQ_MAP_WRITE_ZEROES:
		return zero(fd, r, r->flags & DM_USER_REQ_MAP_FLAG_NOUNMAP ?
			    FALLOC_FL_ZERO_RANGE : FALLOC_FL_PUNCH_HOLE);
	default:
		return -EOPNOTSUPP;
	}
}

static void ready(void *context)
{
	puts("ready");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct dmuser_options options = { .threads = 4, .handle = handle, .ready = ready };
	int opt, fd, error;

	while ((opt = getopt(argc, argv, "t:")) == 't') {
		char *end;

		options.threads = strtoul(optarg, &end, 10);
		if (*end || !options.threads || options.threads > 64)
			opt = '?';
		if (opt == '?')
			break;
	}
	if (opt == '?' || argc - optind != 2) {
		fprintf(stderr, "usage: %s [-t THREADS] CONTROL FILE\n", argv[0]);
		return 2;
	}
	fd = open(argv[optind + 1], O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		perror(argv[optind + 1]);
		return 1;
	}
	options.context = &fd;
	error = dmuser_serve(argv[optind], &options);
	if (error)
		fprintf(stderr, "%s: %s\n", argv[optind], strerror(-error));
	return error ? 1 : 0;
}
