// SPDX-License-Identifier: GPL-2.0-only
/* Time, names and devices, see bench.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

static uint64_t random_state = 1;

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stdout, fmt, ap);
	va_end(ap);
	fputc('\n', stdout);
	exit(1);
}

uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

void result(const char *row, unsigned int alive, const char *unit, double value)
{
	printf("= %s %u %s %.6g\n", row, alive, unit, value);
}

/* splitmix64 */
static uint64_t random_next(void)
{
	uint64_t z = __atomic_add_fetch(&random_state, 0x9e3779b97f4a7c15,
					__ATOMIC_RELAXED);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

uint32_t random_below(uint32_t n)
{
	return (random_next() >> 32) * n >> 32;
}

void new_name(char name[NAME_SIZE])
{
	uint64_t r = random_next();

	snprintf(name, NAME_SIZE, "%08x-%04x-4000-8000-%012x",
		 (unsigned int)(r >> 32), (unsigned int)(r >> 16 & 0xffff),
		 (unsigned int)(r & 0xffff));
}

int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		die("cannot open %s: %s", path, strerror(errno));
	return fd;
}

void write_file(int fd, const char *text, const char *what)
{
	ssize_t len = strlen(text);

	if (write(fd, text, len) != len)
		die("cannot write to %s: %s", what, strerror(errno));
}

void create_device(int create, const char *name)
{
	write_file(create, name, name);
}

void create_devices(const char *path, unsigned long n)
{
	int create = open_file(path, O_WRONLY);
	char name[NAME_SIZE];

	while (n--) {
		new_name(name);
		create_device(create, name);
	}
	close(create);
}

uint64_t remove_device(const struct kind *kind, const char *name)
{
	char path[256];
	uint64_t start;
	int fd;

	snprintf(path, sizeof(path), "%s/%s/remove", kind->devices, name);
	fd = open_file(path, O_WRONLY);
	start = now();
	write_file(fd, "1", name);
	start = now() - start;
	close(fd);
	return start;
}
