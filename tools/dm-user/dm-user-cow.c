// SPDX-License-Identifier: GPL-2.0-only
/*
 * dm-user-cow: a writable snapshot. Chunks that were never written are read from the
 * origin, the others are at the same place of the store; behind them the store has a bitmap
 * of these. The kernel is told where whole runs of chunks are, so that only the first write
 * to each chunk, and the first read of each run, comes here.
 *
 * The table must have max_io_kib 64, so that no request is in two chunks, and devices 2
 * ORIGIN STORE. Nothing may write to the origin.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "libdmuser.h"

#define CHUNK 65536
#define CHUNK_SECTORS (CHUNK / 512)
/* The bitmap is written in blocks of this size. */
#define BLOCK 4096
/* The kernel may be told of so many chunks at once. */
#define MAX_RUN 1024

enum { ORIGIN, STORE };

struct cow {
	int origin, store;
	uint64_t start, sectors;	/* as the kernel numbers them */
	uint64_t chunks;
	unsigned char *bitmap;		/* what is copied */
	char *chunk;			/* room for one */
};

static uint64_t bitmap_size(const struct cow *c)
{
	return (c->chunks / 8 + BLOCK) / BLOCK * BLOCK;
}

static uint64_t bitmap_offset(const struct cow *c)
{
	return c->chunks * CHUNK;
}

static bool is_copied(const struct cow *c, uint64_t chunk)
{
	return c->bitmap[chunk / 8] & 1 << chunk % 8;
}

static int read_all(int fd, void *to, size_t len, off_t offset)
{
	while (len) {
		ssize_t n = pread(fd, to, len, offset);

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		to = (char *)to + n;
		len -= n;
		offset += n;
	}
	return 0;
}

static int write_all(int fd, const void *from, size_t len, off_t offset)
{
	while (len) {
		ssize_t n = pwrite(fd, from, len, offset);

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		from = (const char *)from + n;
		len -= n;
		offset += n;
	}
	return fdatasync(fd) ? -errno : 0;
}

/*
 * Copies a chunk, durably, and only then marks it, durably: later writes to it do not come
 * here, not even those with FUA.
 */
static int copy_chunk(struct cow *c, uint64_t chunk)
{
	uint64_t at = chunk * CHUNK, end = c->sectors * 512;
	size_t len = end - at < CHUNK ? end - at : CHUNK;
	size_t block = chunk / 8 / BLOCK * BLOCK;
	int error = read_all(c->origin, c->chunk, len, at);

	if (!error)
		error = write_all(c->store, c->chunk, len, at);
	if (error)
		return error;
	c->bitmap[chunk / 8] |= 1 << chunk % 8;
	error = write_all(c->store, c->bitmap + block, BLOCK, bitmap_offset(c) + block);
	if (error)
		c->bitmap[chunk / 8] &= ~(1 << chunk % 8);
	return error;
}

/* Points at the run of chunks that are where this one is. */
static void remap_run(const struct cow *c, uint64_t chunk, struct dm_user_reply *remap)
{
	bool copied = is_copied(c, chunk);
	uint64_t first = chunk, end = chunk + 1;

	while (first && is_copied(c, first - 1) == copied && chunk - first < MAX_RUN)
		first--;
	while (end < c->chunks && is_copied(c, end) == copied && end - chunk < MAX_RUN)
		end++;
	remap->device = copied ? STORE : ORIGIN;
	remap->flags = DM_USER_CACHE_READS | (copied ? DM_USER_CACHE_WRITES : 0);
	remap->sector = first * CHUNK_SECTORS;
	remap->extent = c->start + remap->sector;
	remap->sectors = (end - first) * CHUNK_SECTORS;
	if (remap->sector + remap->sectors > c->sectors)
		remap->sectors = c->sectors - remap->sector;
}

static int handle(void *context, const struct dmuser_request *r)
{
	struct cow *c = context;
	uint64_t chunk = (r->offset / 512 - c->start) / CHUNK_SECTORS;
	struct dm_user_unmap unmap = {
		.sector = c->start + chunk * CHUNK_SECTORS,
		.sectors = CHUNK_SECTORS,
	};
	int error;

	switch (r->type) {
	case DM_USER_REQ_MAP_WRITE:
		if (is_copied(c, chunk))
			break;
		error = copy_chunk(c, chunk);
		/* No read may find the chunk in the origin once the write is done. */
		while (!error && ioctl(r->channel, DM_USER_UNMAP, &unmap))
			error = errno == EINTR ? 0 : -errno;
		if (error)
			return error;
		break;
	case DM_USER_REQ_MAP_READ:
		break;
	case DM_USER_REQ_MAP_FLUSH:
		/* The kernel flushes the store. */
		return 0;
	default:
		return -EOPNOTSUPP;
	}
	remap_run(c, chunk, r->remap);
	return DMUSER_REMAP;
}

static void ready(void *context)
{
	puts("ready");
	fflush(stdout);
}

/* Gets the geometry from the control device. */
static int get_info(struct cow *c, const char *path)
{
	struct dm_user_info info;
	int fd = open(path, O_RDWR | O_CLOEXEC), error = 0;

	if (fd < 0 || ioctl(fd, DM_USER_INFO, &info))
		error = -errno;
	if (fd >= 0)
		close(fd);
	if (error)
		return error;
	if (info.max_io != CHUNK || !(info.features & DM_USER_FEATURE_REMAP))
		return -EINVAL;
	c->start = info.start;
	c->sectors = info.sectors;
	c->chunks = (info.sectors + CHUNK_SECTORS - 1) / CHUNK_SECTORS;
	return 0;
}

static int load(struct cow *c)
{
	c->bitmap = calloc(1, bitmap_size(c));
	c->chunk = malloc(CHUNK);
	if (!c->bitmap || !c->chunk)
		return -ENOMEM;
	return read_all(c->store, c->bitmap, bitmap_size(c), bitmap_offset(c));
}

int main(int argc, char **argv)
{
	/* One thread, so that no two copy the same chunk. */
	struct dmuser_options options = { .threads = 1, .handle = handle, .ready = ready };
	struct cow c = {};
	int error;

	if (argc != 4) {
		fprintf(stderr, "usage: %s CONTROL ORIGIN STORE\n", argv[0]);
		return 2;
	}
	c.origin = open(argv[2], O_RDONLY | O_CLOEXEC);
	c.store = open(argv[3], O_RDWR | O_CLOEXEC);
	if (c.origin < 0 || c.store < 0) {
		perror(argv[c.origin < 0 ? 2 : 3]);
		return 1;
	}
	error = get_info(&c, argv[1]);
	if (!error)
		error = load(&c);
	options.context = &c;
	if (!error)
		error = dmuser_serve(argv[1], &options);
	if (error)
		fprintf(stderr, "%s: %s\n", argv[1], strerror(-error));
	return error ? 1 : 0;
}
