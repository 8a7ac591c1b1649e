// SPDX-License-Identifier: GPL-2.0-only
/* See block-seq.h: block devices and loop devices. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "block-seq.h"

#ifndef BLKGETDISKSEQ
#define BLKGETDISKSEQ _IOR(0x12, 128, __u64)
#endif

/* Others look for a free loop device, too. */
#define TRIES 64

static int open_or_fail(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		fail("%s: %s", path, strerror(errno));
	return fd;
}

/* The loop device @path gets the file. Returns its descriptor or -1. */
static int configure(const char *path, const struct loop_config *config)
{
	int fd = open_or_fail(path, config->info.lo_flags & LO_FLAGS_READ_ONLY ?
			      O_RDONLY : O_RDWR);

	if (!ioctl(fd, LOOP_CONFIGURE, config))
		return fd;
	if (errno != EBUSY)
		fail("%s: cannot be configured: %s", path, strerror(errno));
	close(fd);
	return -1;
}

/* Attaches the file to a free loop device, whose path it sets. */
static int loop_attach(struct disk *disk, int file, const char *name,
		       const struct disk_options *options)
{
	int control = open_or_fail("/dev/loop-control", O_RDWR);
	struct loop_config config = {
		.fd = file,
		.block_size = options->sector_size,
		.info.lo_flags = (options->writable ? 0 : LO_FLAGS_READ_ONLY) |
				 (options->autoclear ? LO_FLAGS_AUTOCLEAR : 0),
	};

	snprintf((char *)config.info.lo_file_name, sizeof(config.info.lo_file_name), "%s",
		 name);
	for (int i = 0; i < TRIES; i++) {
		int n = ioctl(control, LOOP_CTL_GET_FREE), fd;

		if (n < 0)
			fail("no loop device is free: %s", strerror(errno));
		disk->path = format("/dev/loop%d", n);
		fd = configure(disk->path, &config);
		if (fd >= 0) {
			close(control);
			return fd;
		}
		free(disk->path);
	}
	fail("another program takes each loop device that is free");
}

static void set_number(struct disk *disk, int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		fail("%s: %s", disk->path, strerror(errno));
	disk->number = st.st_rdev;
	if (ioctl(fd, BLKGETDISKSEQ, &disk->seq))
		fail("%s: has no sequence number: %s", disk->path, strerror(errno));
}

void disk_open(struct disk *disk, const char *params, const struct disk_options *options)
{
	int flags = options->writable ? O_RDWR : O_RDONLY, fd;
	char *name = *params == '/' ? format("%s", params) : format("/dev/%s", params);
	struct stat st;

	if (stat(name, &st))
		fail("%s: %s", name, strerror(errno));
	*disk = (struct disk) { .is_loop = S_ISREG(st.st_mode) };
	if (S_ISBLK(st.st_mode)) {
		/* It may be mounted, swapped to, or a part of another device. */
		fd = open_or_fail(name, flags | (options->exclusive ? O_EXCL : 0));
		disk->path = name;
	} else if (disk->is_loop) {
		int file = open_or_fail(name, flags);

		if (fstat(file, &st))
			fail("%s: %s", name, strerror(errno));
		disk->file = st.st_dev;
		disk->inode = st.st_ino;
		fd = loop_attach(disk, file, name, options);
		close(file);
	} else {
		fail("%s: is neither a block device nor a file", name);
	}
	/* Only now: attaching the file gave the loop device a new one. */
	set_number(disk, fd);
}

void disk_detach(const char *path, unsigned long long seq)
{
	struct disk disk = { .path = (char *)path };
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	set_number(&disk, fd);
	if (disk.seq == seq && ioctl(fd, LOOP_CLR_FD) && errno != ENXIO)
		fail("%s: cannot be detached: %s", path, strerror(errno));
	close(fd);
}

bool disk_of_number(struct disk *disk, dev_t number)
{
	char link[64], target[PATH_MAX];
	struct loop_info64 info;
	ssize_t len;
	int fd;

	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(number), minor(number));
	len = readlink(link, target, sizeof(target) - 1);
	if (len < 0)
		return false;
	target[len] = '\0';
	*disk = (struct disk) {
		.path = format("/dev/%s", strrchr(target, '/') + 1), .number = number
	};
	fd = open(disk->path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && !ioctl(fd, LOOP_GET_STATUS64, &info)) {
		disk->is_loop = true;
		disk->file = info.lo_device;
		disk->inode = info.lo_inode;
	}
	if (fd >= 0)
		close(fd);
	return true;
}
