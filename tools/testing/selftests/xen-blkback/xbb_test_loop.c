// SPDX-License-Identifier: GPL-2.0-only
/* See xbb_test.h: disks, loop devices and their files. */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "xbb_test.h"

#define BLOCK 4096

int image_create(const char *path, const char *text, size_t size)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
	ssize_t len = strlen(text);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, size) || write(fd, text, len) != len)
		error = -errno;
	close(fd);
	return error;
}

bool begins_with(const char *path, const char *text)
{
	bool same = false;
	void *block;
	int fd;

	if (posix_memalign(&block, BLOCK, BLOCK))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
	if (fd < 0 && errno == EINVAL)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		same = read(fd, block, BLOCK) == BLOCK &&
		       !memcmp(block, text, strlen(text));
		close(fd);
	}
	free(block);
	return same;
}

static int open_loop(int n)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/loop%d", n);
	return open(path, O_RDWR | O_CLOEXEC);
}

/* The loop device @n gets the open file. */
static int configure(int n, int file, const char *path, int flags)
{
	struct loop_config config = { .fd = file };
	int loop = open_loop(n), error;

	if (loop < 0)
		return -errno;
	config.info.lo_flags = flags;
	snprintf((char *)config.info.lo_file_name, sizeof(config.info.lo_file_name), "%s",
		 path);
	error = ioctl(loop, LOOP_CONFIGURE, &config) ? -errno : 0;
	close(loop);
	return error;
}

int loop_attach(const char *path, int flags)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int n = ioctl(control, LOOP_CTL_GET_FREE), file, error;

	close(control);
	if (n < 0)
		return -errno;
	file = open(path, (flags & LO_FLAGS_READ_ONLY ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (file < 0)
		return -errno;
	error = configure(n, file, path, flags);
	close(file);
	return error ?: n;
}

int loop_detach(int n)
{
	int fd = open_loop(n), error;

	if (fd < 0)
		return -errno;
	error = ioctl(fd, LOOP_CLR_FD) ? -errno : 0;
	close(fd);
	return error;
}

bool loop_attached(int n)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/block/loop%d/loop", n);
	return path_exists(path);
}

unsigned long long loop_seq(int n)
{
	char name[16];

	snprintf(name, sizeof(name), "loop%d", n);
	return disk_seq(name);
}

unsigned long long disk_seq(const char *disk)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/block/%s/diskseq", disk);
	return read_number(path);
}

int disk_number(const char *name, unsigned int *major, unsigned int *minor)
{
	char path[64], text[32];
	int error;

	snprintf(path, sizeof(path), "/sys/class/block/%s/dev", name);
	error = read_file(path, text, sizeof(text));
	if (error < 0)
		return error;
	return sscanf(text, "%u:%u", major, minor) == 2 ? 0 : -EINVAL;
}
