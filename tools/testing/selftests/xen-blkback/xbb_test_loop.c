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

int loop_open(int n)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/dev/loop%d", n);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int loop_configure(int n, const char *path, int flags)
{
	struct loop_config config = { .info.lo_flags = flags };
	int loop = loop_open(n), error;

	if (loop < 0)
		return loop;
	config.fd = open(path, (flags & LO_FLAGS_READ_ONLY ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	snprintf((char *)config.info.lo_file_name, sizeof(config.info.lo_file_name), "%s",
		 path);
	error = (int)config.fd < 0 || ioctl(loop, LOOP_CONFIGURE, &config) ? -errno : 0;
	if ((int)config.fd >= 0)
		close(config.fd);
	close(loop);
	return error;
}

int loop_attach(const char *path, int flags)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int n = ioctl(control, LOOP_CTL_GET_FREE);

	if (n < 0)
		n = -errno;
	close(control);
	return n < 0 ? n : loop_configure(n, path, flags) ?: n;
}

int loop_detach(int n)
{
	int fd = loop_open(n), error;

	if (fd < 0)
		return fd;
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
